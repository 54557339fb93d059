//! What is still to be known: attempts of a run without a result or a price, and what was called on
//! given days by whatever run. In pages, since a run can have millions.

mod resolve;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::rows::{attempt_id, attempt_json, destination, read_attempt};
use super::{SqliteStore, millis, moment};
use crate::domain::{AttemptId, AttemptKey, CallId, RecipientId, RunId};
use crate::store::{AttemptStore, Called, Made, Resolution, StoreError, Unsettled};

const UNSETTLED: &str = concat!(
    "-- unsettled
    select ",
    attempt_json!(),
    " as attempt, attempts.recipient, attempts.key, recipients.line, recipients.endpoint, runs.destination_kind from runs
    join attempts on attempts.recipient between max(runs.first_recipient, ?2) and runs.last_recipient
    join recipients on recipients.id = attempts.recipient
    where runs.id = ?1 and (attempts.recipient > ?2 or attempts.key > ?3)
          and (attempts.state in ('intended', 'accepted', 'uncertain')
               or attempts.state = 'final' and (attempts.result is null or attempts.debit is null))
    order by attempts.recipient, attempts.key limit ?4"
);

const MADE_WITHIN: &str = "-- made_within
    select attempts.key, attempts.id, call_id, intended_at, answered_at from attempts
    join runs on runs.number = attempts.run
    where attempts.key > ?4 and intended_at >= ?2 and intended_at < ?3 and runs.platform = ?1
    order by attempts.key limit ?5";

const CALLED: &str = "-- called
    select runs.id, recipients.endpoint, recipients.cells,
           exists (select 1 from heard where heard.attempt = attempts.key and makes & 16 <> 0) as connected
    from attempts
    join recipients on recipients.id = attempts.recipient
    join runs on runs.number = attempts.run
    where attempts.id = unhex(?1)";

#[async_trait]
impl AttemptStore for SqliteStore {
    async fn unsettled(
        &self,
        run: &RunId,
        (recipient, key): (RecipientId, AttemptKey),
        limit: u32,
    ) -> Result<Vec<Unsettled>, StoreError> {
        let rows = sqlx::query(UNSETTLED)
            .bind(run.as_str())
            .bind(recipient.0)
            .bind(key.0)
            .bind(limit)
            .fetch_all(&self.readers)
            .await
            .map_err(|e| self.fault(&e))?;
        rows.iter().map(read_unsettled).collect()
    }

    async fn made_within(
        &self,
        platform: &str,
        (from, until): (Timestamp, Timestamp),
        after: AttemptKey,
        limit: u32,
    ) -> Result<Vec<Made>, StoreError> {
        let rows = sqlx::query(MADE_WITHIN)
            .bind(platform)
            .bind(millis(from))
            .bind(millis(until))
            .bind(after.0)
            .bind(limit)
            .fetch_all(&self.readers)
            .await
            .map_err(|e| self.fault(&e))?;
        rows.iter().map(read_made).collect()
    }

    async fn called(&self, attempt: AttemptId) -> Result<Option<Called>, StoreError> {
        let row = sqlx::query(CALLED)
            .bind(attempt.to_string())
            .fetch_optional(&self.readers)
            .await
            .map_err(|e| self.fault(&e))?;
        Ok(row.map(|row| {
            let endpoint: Option<&str> = row.get("endpoint");
            Called {
                run: RunId::new(row.get::<String, _>("id")),
                endpoint: endpoint.filter(|it| !it.is_empty()).map(str::to_owned),
                cells: row.get("cells"),
                connected: row.get("connected"),
            }
        }))
    }

    async fn resolve(
        &self,
        run: &RunId,
        settlements: &[Resolution],
    ) -> Result<Vec<AttemptId>, StoreError> {
        self.resolve_attempts(run, settlements).await
    }
}

fn read_unsettled(row: &SqliteRow) -> Result<Unsettled, StoreError> {
    Ok(Unsettled {
        key: AttemptKey(row.get("key")),
        attempt: read_attempt(row.get("attempt"))?,
        recipient: RecipientId(row.get("recipient")),
        line: row.get::<i64, _>("line").unsigned_abs(),
        destination: destination(row),
    })
}

fn read_made(row: &SqliteRow) -> Result<Made, StoreError> {
    Ok(Made {
        key: AttemptKey(row.get("key")),
        id: attempt_id(row.get("id"))?,
        call: row.get::<Option<&str>, _>("call_id").and_then(CallId::new),
        intended_at: moment(row.get("intended_at")),
        answered_at: row.get::<Option<i64>, _>("answered_at").map(moment),
    })
}
