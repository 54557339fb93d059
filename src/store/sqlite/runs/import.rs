//! Importing a list: one transaction, many rows a statement.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::LazyLock;

use sqlx::{AssertSqlSafe, Connection as _, SqlSafeStr, SqlStr, Sqlite, Transaction};
use tokio::sync::oneshot;

use super::wishing;
use crate::domain::{DestinationKind, Disposition, RejectKind, RunId, Zones};
use crate::store::sqlite::SqliteStore;
use crate::store::{Imported, ImportedRow, Rows, StoreError};

/// Rows of a statement; its text is made once.
const ROWS: usize = 200;

static INSERT_ROWS: LazyLock<SqlStr> = LazyLock::new(|| insert(ROWS));

impl SqliteStore {
    pub(super) async fn import_list(
        &self,
        run: &RunId,
        mut rows: Rows,
        imported: oneshot::Receiver<Imported>,
    ) -> Result<(), StoreError> {
        let mut writer = self.writer.lock().await;
        let fault = |e: sqlx::Error| self.fault(&e);
        let mut tx = writer.begin_with("BEGIN IMMEDIATE").await.map_err(fault)?;
        let number: i64 = sqlx::query_scalar(
            "-- import: the run
             select number from runs where id = ?1 and header is null",
        )
        .bind(run.as_str())
        .fetch_one(&mut *tx)
        .await
        .map_err(fault)?;
        let first: i64 = sqlx::query_scalar(
            "-- import: the first free id
             select coalesce(max(id), 0) + 1 from recipients",
        )
        .fetch_one(&mut *tx)
        .await
        .map_err(fault)?;
        let mut next = first;
        while let Some(chunk) = rows.recv().await {
            for rows in chunk.chunks(ROWS) {
                insert_rows(&mut tx, number, next, rows)
                    .await
                    .map_err(fault)?;
                next += i64::try_from(rows.len()).unwrap_or(0);
            }
        }
        let Ok(imported) = imported.await else {
            tx.rollback().await.map_err(fault)?;
            return Err(StoreError::ImportGivenUp);
        };
        name_earlier_rows(&mut tx, first, next - 1)
            .await
            .map_err(fault)?;
        let header = serde_json::to_string(&imported.header).unwrap_or_default();
        sqlx::query(
            "-- import: the list is whole
             update runs set header = ?2, destination_kind = ?3, list_sha256 = ?4,
                    first_recipient = ?5, last_recipient = ?6
             where number = ?1",
        )
        .bind(number)
        .bind(header)
        .bind(stored(imported.destination_kind).as_str())
        .bind(&imported.sha256)
        .bind(first)
        .bind(next - 1)
        .execute(&mut *tx)
        .await
        .map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        drop(writer);
        self.mark_run(number)?;
        // Whoever asked for something meanwhile could not write it down: they are heard first.
        wishing::hear(Path::new(&self.path)).await;
        Ok(())
    }
}

fn insert(rows: usize) -> SqlStr {
    let mut sql = String::from(
        "-- insert_rows
         insert into recipients
             (id, run, line, cells, endpoint, state, disposition, due_at, reason, fault, zones, hold,
              longest_s)
         values ",
    );
    for row in 0..rows {
        let comma = if row == 0 { "" } else { "," };
        write!(sql, "{comma}(?,?,?,?,?,?,?,?,?,?,?,?,?)").expect("a string takes all");
    }
    AssertSqlSafe(sql).into_sql_str()
}

async fn insert_rows(
    tx: &mut Transaction<'_, Sqlite>,
    run: i64,
    first: i64,
    rows: &[ImportedRow],
) -> Result<(), sqlx::Error> {
    let sql = if rows.len() == ROWS {
        INSERT_ROWS.clone()
    } else {
        insert(rows.len())
    };
    let mut query = sqlx::query(sql);
    for (id, row) in (first..).zip(rows) {
        let cells = serde_json::to_string(&row.cells).unwrap_or_default();
        query = query
            .bind(id)
            .bind(run)
            .bind(i64::try_from(row.line).unwrap_or(i64::MAX));
        query = query.bind(cells);
        query = match &row.verdict {
            Ok(endpoint) => query
                .bind(endpoint)
                .bind("pending")
                .bind(None::<&str>)
                .bind(Some(0_i64))
                .bind(None::<&str>)
                .bind(None::<String>),
            Err(reject) => query
                .bind(&reject.endpoint)
                .bind("done")
                .bind(Some(Disposition::from(reject.kind).as_str()))
                .bind(None::<i64>)
                .bind(Some(reject.reason.as_str()))
                .bind(fault_of(reject)),
        };
        query = query
            .bind(row.zones.as_ref().map(Zones::record))
            .bind(row.hold.map(|hold| hold.amount.to_string()))
            .bind(row.hold.map(|hold| hold.longest_s));
    }
    query.execute(&mut **tx).await.map(drop)
}

pub(super) fn fault_of(reject: &crate::store::RejectedRow) -> Option<String> {
    (reject.kind == RejectKind::Invalid).then(|| serde_json::to_string(reject).unwrap_or_default())
}

/// Tells each duplicate on which line the earlier row is. Costs one pass, and only where there are
/// duplicates.
async fn name_earlier_rows(
    tx: &mut Transaction<'_, Sqlite>,
    first: i64,
    last: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "-- name_earlier_rows
         with repeated as materialized (
             select distinct endpoint from recipients
             where id between ?1 and ?2 and disposition = 'duplicate'
         ), earlier as materialized (
             select endpoint, min(line) as line from recipients
             where id between ?1 and ?2 and disposition is not 'duplicate'
                   and endpoint in (select endpoint from repeated)
             group by endpoint
         )
         update recipients set reason = 'the same number as line ' || earlier.line
         from earlier
         where recipients.id between ?1 and ?2 and recipients.disposition = 'duplicate'
               and recipients.endpoint = earlier.endpoint",
    )
    .bind(first)
    .bind(last)
    .execute(&mut **tx)
    .await
    .map(drop)
}

/// What the column says: whether endpoints are numbers or names, and a SIP address is a name there.
/// Callouts are made after the run's own definition, which says which.
fn stored(kind: DestinationKind) -> DestinationKind {
    match kind {
        DestinationKind::Number => DestinationKind::Number,
        DestinationKind::Username | DestinationKind::Sip => DestinationKind::Username,
    }
}
