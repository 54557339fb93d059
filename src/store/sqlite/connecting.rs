//! How every file of ours is opened.

use std::path::Path;
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use tracing::log::LevelFilter;

use crate::store::BUSY_WAIT;

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
