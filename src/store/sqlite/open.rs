//! Making, opening and checking the database file.
//!
//! The file is the owner's alone, and is looked at before it is touched (`file`). One engine works on it
//! at a time, by a lock on a side file that the system frees whatever becomes of the process. Errors say
//! what is wrong and touch nothing.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::{Migrate, MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};
use tokio::sync::Mutex;
use tracing::log::LevelFilter;
use tracing::warn;

use super::SqliteStore;
use super::connecting::{is_whole, options, quiet};
use super::engine::aside::Aside;
use super::file::{
    Place, SIDE_FILES, Standing, beside, hand_over, inode_at, is_at, private, remove,
};
use super::identity::Identity;
use super::inbox::InboxFile;
use super::mark;
use super::{fault::fault, vacuum};
use crate::domain::RunId;
use crate::store::{Access, StoreError};

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// Readers beside the one writer.
const READERS: u32 = 2;
/// A command that only looks whether an engine is at work holds the lock for an instant; an engine
/// that starts just then tries again.
const LOCK_TRIES: u32 = 5;
pub(super) const LOCK_TRIES_APART: Duration = Duration::from_millis(10);
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

pub(in crate::store) async fn open(
    address: &str,
    access: Access,
    state: Option<&Path>,
) -> Result<SqliteStore, StoreError> {
    let place = Place::look(&file_of(address)?)?;
    let (file, path) = (&place.file, place.shown.clone());
    let makes = matches!(
        access,
        Access::Engine | Access::Scratch | Access::BesideOrNew
    );
    match place.standing {
        Standing::Absent | Standing::Empty if !makes => return Err(StoreError::NoDatabase(path)),
        Standing::Absent => place
            .make()
            .map_err(|e| StoreError::unusable(&path, "opened", &e))?,
        Standing::Empty | Standing::Database { .. } => ours_or_nobodys(&place).await?,
    }
    if let Err(error) = place.tighten() {
        // Where nothing can be written, reading is still of use.
        warn!(%error, "the database can be read by others, and that cannot be changed");
    }
    let engine = match access {
        Access::Engine | Access::EngineOfExisting | Access::Scratch => Some(lock_engine(&place)?),
        Access::Beside | Access::BesideOrNew => None,
    };
    let options = options(file).synchronous(if access == Access::Scratch {
        SqliteSynchronous::Off
    } else {
        SqliteSynchronous::Full
    });
    let inode = inode_at(file);
    let mut writer = options.connect().await.map_err(|e| fault(&path, &e))?;
    let latest = latest_migration(&mut writer, &path).await?;
    migrate(&mut writer, &place, latest, engine.is_some()).await?;
    let inbox = InboxFile::of(file, &place.shown, access);
    if engine.is_some() {
        vacuum::if_owed(&mut writer, &path, &inbox).await?;
    }
    let keeps_mark = access != Access::Scratch;
    let identity = Identity::of(&place, inode, state.filter(|_| keeps_mark), keeps_mark);
    let readers = SqlitePoolOptions::new()
        .acquire_slow_level(LevelFilter::Off)
        .max_connections(READERS)
        .min_connections(0)
        .connect_lazy_with(options.read_only(true));
    Ok(SqliteStore {
        path,
        writer: Mutex::new(writer),
        readers,
        engine,
        identity,
        inbox,
    })
}

/// Refuses another program's database. A file that does not say whose it is is looked into, without a
/// trace: earlier versions of ours said nothing, and neither do other programs.
pub(super) async fn ours_or_nobodys(place: &Place) -> Result<(), StoreError> {
    let Standing::Database {
        ours: false,
        with_log,
    } = place.standing
    else {
        return Ok(());
    };
    let tables = async {
        let mut reader = quiet(SqliteConnectOptions::new())
            .filename(&place.file)
            .read_only(true)
            .immutable(true)
            .connect()
            .await?;
        let ours = has_our_tables(&mut reader).await?;
        reader.close().await?;
        Ok(ours)
    };
    match tables.await {
        Ok(true) => Ok(()),
        Ok(false) => Err(not_ours(&place.shown)),
        // Somebody may be writing just now. Opening a file with a log as ours are opened changes nothing.
        Err(_) if with_log => Ok(()),
        Err(error) => Err(fault(&place.shown, &error)),
    }
}

/// Whether the database is one of ours, or has no table yet but that of the migrations.
async fn has_our_tables(reader: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "-- has_our_tables
         select count(*) filter (where name <> '_sqlx_migrations') = 0
                or count(*) filter (where name in ('_sqlx_migrations', 'runs')) = 2
         from sqlite_schema where type = 'table'",
    )
    .fetch_one(reader)
    .await
}

fn not_ours(path: &str) -> StoreError {
    StoreError::Foreign {
        path: path.into(),
        why: "is a database of another program".into(),
    }
}

/// The file behind `sqlite:PATH`.
pub(super) fn file_of(address: &str) -> Result<PathBuf, StoreError> {
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

/// Deletes a database that no engine works on and that only rehearsals wrote.
pub(in crate::store) async fn delete_rehearsal(address: &str) -> Result<(), StoreError> {
    let place = Place::look(&file_of(address)?)?;
    if place.standing == Standing::Absent {
        // Of a rehearsal that somebody deleted by hand, nothing else matters.
        let mark = mark::path_of(&place.file, None);
        return remove(&mark)
            .map_err(|e| StoreError::unusable(&mark.display().to_string(), "deleted", &e));
    }
    ours_or_nobodys(&place).await?;
    let lock = lock(&place)?;
    if let Standing::Database { .. } = place.standing {
        let mut reader = quiet(SqliteConnectOptions::new())
            .filename(&place.file)
            .connect()
            .await
            .map_err(|e| fault(&place.shown, &e))?;
        let rehearsed = is_rehearsal(&mut reader).await;
        let rehearsed = rehearsed.map_err(|e| fault(&place.shown, &e))?;
        reader.close().await.map_err(|e| fault(&place.shown, &e))?;
        if !rehearsed {
            return Err(StoreError::NoRehearsal(place.shown));
        }
    }
    // Whoever waits for a lock waits for that very file.
    let locks = ["-lock", "-wishes"];
    let side = SIDE_FILES.iter().filter(|suffix| !locks.contains(suffix));
    for suffix in [""].iter().chain(side) {
        let path = beside(&place.file, suffix);
        remove(&path)
            .map_err(|e| StoreError::unusable(&path.display().to_string(), "deleted", &e))?;
    }
    drop(lock);
    Ok(())
}

/// Whether nothing is in a database but what rehearsals leave there. Who was erased from one stays
/// suppressed in the real database, and need not in this.
async fn is_rehearsal(reader: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    let tables: Vec<String> = sqlx::query_scalar(
        "-- is_rehearsal: what there is
         select name from sqlite_schema where type = 'table'",
    )
    .fetch_all(&mut *reader)
    .await?;
    let found = [
        ("runs", "select count(*) from runs where not rehearsal"),
        (
            "suppression_acts",
            // Whoever opted out in a rehearsed call is nobody (`Suppression::pressed`).
            "select count(*) from suppression_acts
             where what <> 'erase' and who <> 'the person called'",
        ),
        ("occurrences", "select count(*) from occurrences"),
    ];
    for (table, others) in found {
        let there = tables.iter().any(|name| name == table);
        if there
            && sqlx::query_scalar::<_, i64>(others)
                .fetch_one(&mut *reader)
                .await?
                > 0
        {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The run that an engine works on; none where no engine does.
pub(super) fn engine_at_work(database: &Path) -> Result<Option<RunId>, StoreError> {
    let place = Place::look(database)?;
    if !beside(&place.file, "-lock").exists() {
        // No engine was ever here, and a question leaves nothing behind.
        return Ok(None);
    }
    match lock(&place) {
        Ok(_) => Ok(None),
        Err(StoreError::InUse(_)) => {
            let run = std::fs::read_to_string(beside(&place.file, "-lock")).unwrap_or_default();
            Ok(Some(RunId::new(run)))
        }
        Err(error) => Err(error),
    }
}

fn lock_engine(place: &Place) -> Result<EngineLock, StoreError> {
    let lock = lock(place)?;
    // Until it says so, this engine works on no run.
    let shown = format!("{}-lock", place.shown);
    let unusable = |e: io::Error| StoreError::unusable(&shown, "written", &e);
    lock.set_len(0).map_err(unusable)?;
    let path = beside(&place.file, "-answers");
    let shown = format!("{}-answers", place.shown);
    let unusable = |e: io::Error| StoreError::unusable(&shown, "opened", &e);
    let aside = Aside::make(path.clone()).map_err(unusable)?;
    hand_over(&path, &place.file).map_err(unusable)?;
    Ok(EngineLock { file: lock, aside })
}

pub(super) fn lock(place: &Place) -> Result<File, StoreError> {
    let path = beside(&place.file, "-lock");
    let shown = format!("{}-lock", place.shown);
    let unusable = |e: io::Error| StoreError::unusable(&shown, "opened", &e);
    let mut tries = 0;
    loop {
        let lock = private()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(unusable)?;
        if place.file.exists() {
            hand_over(&path, &place.file).map_err(unusable)?;
        }
        match lock.try_lock() {
            Ok(()) if is_at(&lock, &path) => return Ok(lock),
            // Somebody put another file in its place meanwhile: a lock on this one keeps nobody out.
            Ok(()) | Err(std::fs::TryLockError::WouldBlock) if tries < LOCK_TRIES => {
                tries += 1;
                std::thread::sleep(LOCK_TRIES_APART);
            }
            Ok(()) | Err(std::fs::TryLockError::WouldBlock) => {
                return Err(StoreError::InUse(place.shown.clone()));
            }
            Err(std::fs::TryLockError::Error(e)) => return Err(unusable(e)),
        }
    }
}

/// The latest migration in the file; none where it has no table yet.
async fn latest_migration(
    writer: &mut SqliteConnection,
    path: &str,
) -> Result<Option<i64>, StoreError> {
    let fault = |e: sqlx::Error| fault(path, &e);
    if !has_our_tables(writer).await.map_err(fault)? {
        return Err(not_ours(path));
    }
    let there: i64 = sqlx::query_scalar(
        "-- latest_migration
         select count(*) from sqlite_schema where name = '_sqlx_migrations'",
    )
    .fetch_one(&mut *writer)
    .await
    .map_err(fault)?;
    if there == 0 {
        return Ok(None);
    }
    sqlx::query_scalar(
        "-- latest_migration
         select max(version) from _sqlx_migrations",
    )
    .fetch_one(writer)
    .await
    .map_err(fault)
}

async fn migrate(
    writer: &mut SqliteConnection,
    place: &Place,
    latest: Option<i64>,
    engine: bool,
) -> Result<(), StoreError> {
    let path = place.shown.clone();
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
        Some(lock_engine(place)?)
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

fn migration(path: &str, error: &MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            fault(path, error)
        }
        _ => StoreError::Corrupt {
            path: path.into(),
            why: error.to_string(),
        },
    }
}

/// Opens a copy that is not in its place yet, known to people as `shown`, and brings it to our version.
pub(super) async fn prepare(file: &Path, shown: &str) -> Result<SqliteConnection, StoreError> {
    let place = Place {
        file: file.to_owned(),
        shown: shown.to_owned(),
        standing: Standing::Empty,
    };
    let options = options(file).synchronous(SqliteSynchronous::Full);
    let mut writer = options.connect().await.map_err(|e| fault(shown, &e))?;
    let latest = latest_migration(&mut writer, shown).await?;
    migrate(&mut writer, &place, latest, true).await?;
    Ok(writer)
}

impl SqliteStore {
    /// Whether every page, index and reference of the file and of its inbox is as it should be.
    pub(super) async fn check_file(&self) -> Result<(), StoreError> {
        let mut reader = self.readers.acquire().await.map_err(|e| self.fault(&e))?;
        is_whole(&mut reader, &self.path).await?;
        self.inbox.check().await
    }

    /// Closes the database, its log folded into it. What is left is the lock.
    pub(super) async fn fold(self) -> Result<Option<EngineLock>, StoreError> {
        self.readers.close().await;
        let (path, writer) = (self.path, self.writer.into_inner());
        writer.close().await.map_err(|e| fault(&path, &e))?;
        Ok(self.engine)
    }
}
