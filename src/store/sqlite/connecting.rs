//! How every file of ours is opened, and its log emptied.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{ConnectOptions as _, SqliteConnection};
use tracing::log::LevelFilter;

use super::fault::fault;
use crate::store::{BUSY_WAIT, StoreError};

/// Rows that a reader may be ahead of whoever takes them: a page, so that the two threads need not
/// wake each other for every few rows.
const ROWS_AHEAD: usize = 600;
/// Pages of log before it is folded into the file: 16 MB, so that a fast run does not sync the file
/// too often and the log stays small.
const WAL_PAGES: &str = "4000";

/// A statement that takes longer is worth a line in a log that asks for it.
const SLOW: Duration = Duration::from_secs(1);

/// No statement reaches a log by itself.
pub(super) fn quiet(options: SqliteConnectOptions) -> SqliteConnectOptions {
    options
        .log_statements(LevelFilter::Off)
        .log_slow_statements(LevelFilter::Debug, SLOW)
}

/// How a file of ours is opened.
pub(super) fn options(file: &Path) -> SqliteConnectOptions {
    quiet(SqliteConnectOptions::new())
        .filename(file)
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        .busy_timeout(BUSY_WAIT)
        .foreign_keys(true)
        .row_buffer_size(ROWS_AHEAD)
        .pragma("secure_delete", "ON")
        .pragma("cell_size_check", "ON")
        .pragma("trusted_schema", "OFF")
        .pragma("wal_autocheckpoint", WAL_PAGES)
}

/// Folds the log into the file and leaves nothing in it.
pub(super) async fn empty_log(writer: &mut SqliteConnection, path: &str) -> Result<(), StoreError> {
    let busy: i64 = sqlx::query_scalar("pragma wal_checkpoint(truncate)")
        .fetch_one(writer)
        .await
        .map_err(|e| fault(path, &e))?;
    if busy == 0 {
        return Ok(());
    }
    Err(StoreError::Unusable {
        path: path.to_owned(),
        what: "cleaned",
        why: "another process reads it; the rows are deleted, their traces are not: do it again when \
              nobody reads"
            .into(),
    })
}

const INTEGRITY: &str = "pragma integrity_check(1)";
const REFERENCES: &str = "select count(*) from pragma_foreign_key_check";

/// Whether every page, index and reference of a file is as it should be.
pub(super) async fn is_whole(reader: &mut SqliteConnection, path: &str) -> Result<(), StoreError> {
    let said = sqlx::query_scalar(INTEGRITY).fetch_one(&mut *reader).await;
    let said: String = said.map_err(|e| fault(path, &e))?;
    let dangling = sqlx::query_scalar(REFERENCES).fetch_one(reader).await;
    let dangling: i64 = dangling.map_err(|e| fault(path, &e))?;
    let why = match (said.as_str(), dangling) {
        ("ok", 0) => return Ok(()),
        ("ok", n) => format!("{n} rows refer to others that are not there"),
        (said, _) => said.to_owned(),
    };
    let path = path.to_owned();
    Err(StoreError::Corrupt { path, why })
}
