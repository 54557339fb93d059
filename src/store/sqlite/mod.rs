//! The store on SQLite: one writer connection, readers beside it, write-ahead log, every commit
//! synced to disk before it returns.
//!
//! `file` looks at what is there, `open` makes and checks it, `identity` tells by its `mark` whether it is
//! the latest. Each port has a file or a folder of its name, with its SQL. Times are bound values, never
//! the database's own.

mod attempts;
mod calendar;
mod connecting;
mod engine;
mod fault;
mod file;
mod identity;
mod inbox;
mod mark;
mod open;
mod privacy;
mod reports;
mod rows;
mod runs;
mod suppression;
mod upkeep;
mod vacuum;

use jiff::Timestamp;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Row as _, Sqlite, SqliteConnection, SqlitePool};
use tokio::sync::Mutex;

use super::StoreError;
use crate::domain::Tried;

pub use file::belongs_to_a_database;
pub(super) use open::{delete_rehearsal as begin_anew, open};
pub(super) use upkeep::restore;

/// A store in one SQLite file.
#[derive(Debug)]
pub(super) struct SqliteStore {
    /// The file, as people know it.
    path: String,
    writer: Mutex<SqliteConnection>,
    readers: SqlitePool,
    /// Held for as long as this process is the engine of this database.
    engine: Option<open::EngineLock>,
    /// Which database it is, and its mark.
    identity: identity::Identity,
    /// What the platform told, in its own file.
    inbox: inbox::InboxFile,
}

impl SqliteStore {
    /// Carries out one statement that changes something. Returns how many rows it changed.
    async fn write(&self, query: Query<'_, Sqlite, SqliteArguments>) -> Result<u64, StoreError> {
        let mut writer = self.writer.lock().await;
        let done = query.execute(&mut *writer).await;
        let done = done.map_err(|e| self.fault(&e))?;
        Ok(done.rows_affected())
    }

    fn fault(&self, error: &sqlx::Error) -> StoreError {
        fault::fault(&self.path, error)
    }
}

/// A moment as the tables hold it: milliseconds since 1970 UTC.
fn millis(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// The moment behind stored milliseconds.
fn moment(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// How often a recipient was tried.
fn tried(row: &SqliteRow) -> Result<Tried, sqlx::Error> {
    tried_in(row, "tried")
}

/// How a recipient was tried before the attempt after which they wait.
fn tried_before(row: &SqliteRow) -> Result<Tried, sqlx::Error> {
    tried_in(row, "tried_before")
}

fn tried_in(row: &SqliteRow, column: &str) -> Result<Tried, sqlx::Error> {
    let packed: i64 = row.try_get(column)?;
    let tried = Tried::unpack(packed);
    tried.ok_or_else(|| sqlx::Error::Decode(format!("`{column}` is {packed}").into()))
}
