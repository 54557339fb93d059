//! Making, opening and checking the database file.
//!
//! The file is the owner's alone. One engine works on it at a time, by a lock on a side file that
//! the system frees whatever becomes of the process. Errors say what is wrong and touch nothing.

use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::{Migrate, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, SqliteConnection};
use tokio::sync::Mutex;

use super::SqliteStore;
use super::aside::Aside;
use crate::domain::RunId;
use crate::store::{BUSY_WAIT, StoreError};

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// Readers beside the one writer.
const READERS: u32 = 2;
/// Rows that a reader may be ahead of whoever takes them: a page, so that the two threads need not
/// wake each other for every few rows.
const ROWS_AHEAD: usize = 600;
/// A command that only looks whether an engine is at work holds the lock for an instant; an engine
/// that starts just then tries again.
const LOCK_TRIES: u32 = 5;
const LOCK_TRIES_APART: Duration = Duration::from_millis(10);
/// Pages of log before it is folded into the file: 16 MB, so that a fast run does not sync the file
/// too often and the log stays small.
const WAL_PAGES: &str = "4000";

/// What a command wants of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// To be its one engine. The file is made where there is none.
    Engine,
    /// To be the one engine of a database that must be there.
    EngineOfExisting,
    /// To be the one engine of a database that is made anew and may be lost: nothing is synced to
    /// disk, and whoever pulls the plug has nothing.
    Scratch,
    /// To read, and to leave wishes. The file must be there.
    Beside,
    /// The same, and the file is made where there is none.
    BesideOrNew,
}

/// The engine's lock, and the side file that only the engine writes.
#[derive(Debug)]
pub(super) struct EngineLock {
    /// Locked for as long as it is open. Its text is the run that the engine works on.
    file: File,
    pub(super) aside: Aside,
}

impl EngineLock {
    /// Writes down which run this engine works on.
    pub(super) fn claim(&self, run: &RunId) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.write_all_at(run.as_str().as_bytes(), 0)
    }
}

pub(super) async fn open(address: &str, access: Access) -> Result<SqliteStore, StoreError> {
    let file = file_of(address)?;
    let path = file.display().to_string();
    let unusable = |why: String| StoreError::Unusable {
        path: path.clone(),
        what: "opened",
        why,
    };
    if matches!(
        access,
        Access::Engine | Access::Scratch | Access::BesideOrNew
    ) {
        make_private(&file).map_err(|e| unusable(e.to_string()))?;
    } else if !file.exists() {
        return Err(StoreError::NoDatabase(path));
    }
    let engine = match access {
        Access::Engine | Access::EngineOfExisting | Access::Scratch => Some(lock_engine(&file)?),
        Access::Beside | Access::BesideOrNew => None,
    };
    let options = options(&file).synchronous(if access == Access::Scratch {
        SqliteSynchronous::Off
    } else {
        SqliteSynchronous::Full
    });
    let mut writer = options.connect().await.map_err(|e| fault(&path, &e))?;
    let latest = latest_migration(&mut writer)
        .await
        .map_err(|e| fault(&path, &e))?;
    migrate(&mut writer, &file, latest, engine.is_some()).await?;
    let readers = SqlitePoolOptions::new()
        .max_connections(READERS)
        .min_connections(0)
        .connect_lazy_with(options.read_only(true));
    Ok(SqliteStore {
        path,
        writer: Mutex::new(writer),
        readers,
        engine,
    })
}

fn options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
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

/// The file behind `sqlite:PATH`.
fn file_of(address: &str) -> Result<PathBuf, StoreError> {
    let path = address
        .strip_prefix("sqlite:")
        .map(|p| p.strip_prefix("//").unwrap_or(p));
    match path {
        Some(path) if is_file_name(path) => Ok(PathBuf::from(path)),
        _ => Err(StoreError::Address(address.into())),
    }
}

/// Whether a path is a file's, and not one of SQLite's own addresses (`:memory:`, `file:…?…`).
fn is_file_name(path: &str) -> bool {
    let before_slash = path.split('/').next().unwrap_or_default();
    !path.is_empty() && !path.contains('?') && !before_slash.contains(':')
}

/// The database's file name with `suffix` behind it.
pub(super) fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Makes the file if there is none, readable by its owner alone.
fn make_private(file: &Path) -> io::Result<()> {
    let made = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(file)?;
    if made.metadata()?.permissions().mode() & 0o077 != 0 {
        made.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(())
}

/// Deletes a database that no engine works on.
pub(super) fn delete(file: &Path) -> Result<(), StoreError> {
    let lock = lock(file)?;
    for suffix in ["", "-wal", "-shm", "-answers"] {
        let path = beside(file, suffix);
        if let Err(e) = std::fs::remove_file(&path)
            && e.kind() != io::ErrorKind::NotFound
        {
            let path = path.display().to_string();
            return Err(StoreError::Unusable {
                path,
                what: "deleted",
                why: e.to_string(),
            });
        }
    }
    drop(lock);
    Ok(())
}

/// The run that an engine works on; none where no engine does.
pub(super) fn engine_at_work(address: &str) -> Result<Option<RunId>, StoreError> {
    let file = file_of(address)?;
    match lock(&file) {
        Ok(_) => Ok(None),
        Err(StoreError::InUse(_)) => {
            let run = std::fs::read_to_string(beside(&file, "-lock")).unwrap_or_default();
            Ok(Some(RunId::new(run)))
        }
        Err(error) => Err(error),
    }
}

fn lock_engine(file: &Path) -> Result<EngineLock, StoreError> {
    let lock = lock(file)?;
    let path = beside(file, "-answers");
    let aside = Aside::make(path.clone()).map_err(|e| StoreError::Unusable {
        path: path.display().to_string(),
        what: "opened",
        why: e.to_string(),
    })?;
    Ok(EngineLock { file: lock, aside })
}

fn lock(file: &Path) -> Result<File, StoreError> {
    let path = beside(file, "-lock");
    let unusable = |why: String| StoreError::Unusable {
        path: path.display().to_string(),
        what: "opened",
        why,
    };
    let lock = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(|e| unusable(e.to_string()))?;
    let mut tries = 0;
    let locked = loop {
        match lock.try_lock() {
            Err(std::fs::TryLockError::WouldBlock) if tries < LOCK_TRIES => {
                tries += 1;
                std::thread::sleep(LOCK_TRIES_APART);
            }
            other => break other,
        }
    };
    match locked {
        Ok(()) => {}
        Err(std::fs::TryLockError::WouldBlock) => {
            return Err(StoreError::InUse(file.display().to_string()));
        }
        Err(std::fs::TryLockError::Error(e)) => return Err(unusable(e.to_string())),
    }
    Ok(lock)
}

/// The latest migration in the file; none where it has none yet.
async fn latest_migration(writer: &mut SqliteConnection) -> Result<Option<i64>, sqlx::Error> {
    let there: i64 = sqlx::query_scalar(
        "-- latest_migration
         select count(*) from sqlite_schema where name = '_sqlx_migrations'",
    )
    .fetch_one(&mut *writer)
    .await?;
    if there == 0 {
        return Ok(None);
    }
    sqlx::query_scalar(
        "-- latest_migration
         select max(version) from _sqlx_migrations",
    )
    .fetch_one(writer)
    .await
}

async fn migrate(
    writer: &mut SqliteConnection,
    file: &Path,
    latest: Option<i64>,
    engine: bool,
) -> Result<(), StoreError> {
    let path = file.display().to_string();
    let known = MIGRATIONS.iter().map(|m| m.version).max().unwrap_or(0);
    if let Some(found) = latest
        && found > known
    {
        return Err(StoreError::Newer { path, found, known });
    }
    if latest == Some(known) {
        return Ok(());
    }
    // Only an engine changes tables, so that none is changed under another engine.
    let lock = if engine {
        None
    } else {
        Some(lock_engine(file)?)
    };
    writer
        .ensure_migrations_table("_sqlx_migrations")
        .await
        .map_err(|e| migration(&path, &e))?;
    MIGRATIONS
        .run(writer)
        .await
        .map_err(|e| migration(&path, &e))?;
    drop(lock);
    Ok(())
}

fn migration(path: &str, error: &sqlx::migrate::MigrateError) -> StoreError {
    StoreError::Corrupt {
        path: path.into(),
        why: error.to_string(),
    }
}

/// The database's error in our words.
pub(super) fn fault(path: &str, error: &sqlx::Error) -> StoreError {
    let primary = match error {
        sqlx::Error::Database(e) => e
            .code()
            .and_then(|c| c.parse::<i32>().ok())
            .map(|c| c & 0xff),
        _ => None,
    };
    let path = path.to_owned();
    let why = error.to_string();
    let unusable = |what, why: &str| StoreError::Unusable {
        path: path.clone(),
        what,
        why: why.to_owned(),
    };
    match primary {
        Some(11 | 26) => StoreError::Corrupt { path, why },
        Some(13) => unusable("written", "the disk is full"),
        Some(8) => unusable("written", "it is read-only"),
        Some(5 | 6) => unusable("written", "another process has held it for too long"),
        Some(10) => unusable(
            "written",
            "the disk reported an error, or a limit on the size of files was met; mend it, then resume",
        ),
        Some(14) => unusable("opened", "the file or its folder cannot be opened"),
        _ => StoreError::Database(why),
    }
}

const INTEGRITY: &str = "pragma integrity_check(1)";
const REFERENCES: &str = "select count(*) from pragma_foreign_key_check";

impl SqliteStore {
    /// Whether every page, index and reference of the file is as it should be.
    pub(super) async fn check_file(&self) -> Result<Result<(), StoreError>, sqlx::Error> {
        let said: String = sqlx::query_scalar(INTEGRITY)
            .fetch_one(&self.readers)
            .await?;
        let dangling: i64 = sqlx::query_scalar(REFERENCES)
            .fetch_one(&self.readers)
            .await?;
        let why = match (said.as_str(), dangling) {
            ("ok", 0) => return Ok(Ok(())),
            ("ok", n) => format!("{n} rows refer to others that are not there"),
            (said, _) => said.to_owned(),
        };
        let path = self.path.clone();
        Ok(Err(StoreError::Corrupt { path, why }))
    }
}
