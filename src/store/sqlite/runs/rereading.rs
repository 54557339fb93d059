//! Numbers that are read again, because earlier rules read them.

use sqlx::{Connection as _, Row as _};

use super::import::fault_of;
use crate::domain::{Disposition, READ_AGAIN_BUT, READER, RecipientId, RunId, Tried, closed};
use crate::store::sqlite::SqliteStore;
use crate::store::{RejectedRow, WrittenOtherwise};

/// A cell that is its number to the letter needs no second reading, and most are; so they are left out
/// where the rows are.
const OTHERWISE: &str = "-- written_otherwise
    select id, endpoint, cell, called from (
        select recipients.id, endpoint,
               recipients.state = 'in flight' or disposition = 'uncertain' as called,
               json_extract(cells, '$[' || ?2 || ']') as cell
        from recipients join runs on runs.number = recipients.run
        where runs.id = ?1 and recipients.id > ?3
              and recipients.id between first_recipient and last_recipient
              and (recipients.state <> 'done' or disposition = 'uncertain') and endpoint <> '')
    where cell <> endpoint
    order by id limit ?4";

const REJECT: &str = "-- reject
    update recipients set state = 'done', reason = ?4, fault = ?5,
           disposition = case tried when 0 then ?2 else ?3 end, due_at = null, waiting_for = null
    where id = ?1 and state in ('pending', 'waiting')";

impl SqliteStore {
    pub(super) async fn select_written_otherwise(
        &self,
        run: &RunId,
        column: usize,
        after: RecipientId,
        limit: u32,
    ) -> Result<Vec<WrittenOtherwise>, sqlx::Error> {
        let rows = sqlx::query(OTHERWISE)
            .bind(run.as_str())
            .bind(i64::try_from(column).unwrap_or(i64::MAX))
            .bind(after.0)
            .bind(limit)
            .fetch_all(&self.readers)
            .await?;
        let row = rows.iter().map(|row| WrittenOtherwise {
            recipient: RecipientId(row.get("id")),
            endpoint: row.get("endpoint"),
            cell: row.get("cell"),
            called: row.get("called"),
        });
        Ok(row.collect())
    }

    pub(super) async fn update_rejects(
        &self,
        rejects: &[(RecipientId, RejectedRow)],
    ) -> Result<(), sqlx::Error> {
        let once = Tried {
            used: 1,
            ..Tried::default()
        };
        let mut writer = self.writer.lock().await;
        let mut tx = writer.begin_with("BEGIN IMMEDIATE").await?;
        for (recipient, reject) in rejects {
            let verdict = Disposition::from(reject.kind);
            sqlx::query(REJECT)
                .bind(recipient.0)
                .bind(closed(Tried::default(), verdict).as_str())
                .bind(closed(once, verdict).as_str())
                .bind(&reject.reason)
                .bind(fault_of(reject))
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await
    }

    pub(super) async fn update_reader(&self, run: &RunId, whole: bool) -> Result<(), sqlx::Error> {
        let mut writer = self.writer.lock().await;
        sqlx::query(
            "-- was_read_again
             update runs set reader = ?2 where id = ?1",
        )
        .bind(run.as_str())
        .bind(if whole { READER } else { READ_AGAIN_BUT })
        .execute(&mut *writer)
        .await
        .map(drop)
    }
}
