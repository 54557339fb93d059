//! The inbox's file: made and opened by whoever first needs it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, Sqlite, SqliteConnection, SqlitePool};
use tokio::sync::{Mutex, OnceCell, mpsc, oneshot};
use tracing::log::LevelFilter;

use super::group::{GROUP_MAX, Waiting, Writing, keep_all};
use crate::store::sqlite::connecting::options;
use crate::store::sqlite::fault::fault;
use crate::store::sqlite::file::{beside, fault_at, hand_over, inode_at, private};
use crate::store::{Access, Arrival, StoreError};

/// Behind the database's name.
pub(super) const SUFFIX: &str = "-inbox";
/// What makes its tables, one version after the other.
const SCHEMA: [&str; 2] = [
    include_str!("../../../../migrations/inbox/0001_events.sql"),
    include_str!("../../../../migrations/inbox/0002_receiver.sql"),
];
/// Which version of the tables that makes.
pub(super) const VERSION: i64 = 2;
/// Pages of log before it is folded into the file: 1 MB, so that no event waits long for that.
const WAL_PAGES: &str = "256";

/// The inbox of a database, opened once somebody needs it.
#[derive(Debug)]
pub(in crate::store::sqlite) struct InboxFile {
    file: PathBuf,
    /// As people know it.
    shown: String,
    /// The database beside which it stands.
    database: PathBuf,
    synchronous: SqliteSynchronous,
    opened: OnceCell<Opened>,
}

/// An inbox that is open.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) writing: Arc<Writing>,
    pub(super) reader: SqlitePool,
    pub(super) waiting: mpsc::Sender<Waiting>,
}

impl InboxFile {
    /// That of a database, which people know as `shown`.
    pub(in crate::store::sqlite) fn of(database: &Path, shown: &str, access: Access) -> Self {
        Self {
            file: beside(database, SUFFIX),
            shown: format!("{shown}{SUFFIX}"),
            database: database.to_owned(),
            synchronous: if access == Access::Scratch {
                SqliteSynchronous::Off
            } else {
                SqliteSynchronous::Full
            },
            opened: OnceCell::new(),
        }
    }

    /// The open inbox, which is made where there is none.
    pub(super) async fn opened(&self) -> Result<&Opened, StoreError> {
        self.opened.get_or_try_init(|| self.open()).await
    }

    /// Whether anything ever came.
    pub(in crate::store::sqlite) fn is_there(&self) -> bool {
        self.opened.initialized() || self.file.symlink_metadata().is_ok()
    }

    /// The open inbox; none where nothing ever came.
    pub(super) async fn if_there(&self) -> Result<Option<&Opened>, StoreError> {
        if self.is_there() {
            self.opened().await.map(Some)
        } else {
            Ok(None)
        }
    }

    async fn open(&self) -> Result<Opened, StoreError> {
        let unusable = |e: io::Error| StoreError::unusable(&self.shown, "opened", &e);
        match private().create_new(true).write(true).open(&self.file) {
            Ok(_) if self.database.exists() => {
                hand_over(&self.file, &self.database).map_err(unusable)?;
            }
            Ok(_) => {}
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(unusable(e)),
        }
        if let Some(why) = fault_at(&self.file) {
            return Err(StoreError::Foreign {
                path: self.shown.clone(),
                why: why.to_owned(),
            });
        }
        let options = options(&self.file)
            .synchronous(self.synchronous)
            .pragma("wal_autocheckpoint", WAL_PAGES);
        let inode = inode_at(&self.file);
        let mut writer = options
            .connect()
            .await
            .map_err(|e| fault(&self.shown, &e))?;
        prepare(&mut writer, &self.shown).await?;
        let reader = SqlitePoolOptions::new()
            .acquire_slow_level(LevelFilter::Off)
            .max_connections(1)
            .min_connections(0)
            .connect_lazy_with(options.read_only(true));
        let writing = Arc::new(Writing {
            file: self.file.clone(),
            shown: self.shown.clone(),
            inode,
            connection: Mutex::new(writer),
        });
        let (waiting, arrivals) = mpsc::channel(GROUP_MAX);
        // Whoever waits may go away; what is on its way to the disk goes on.
        tokio::spawn(keep_all(Arc::clone(&writing), arrivals));
        Ok(Opened {
            writing,
            reader,
            waiting,
        })
    }
}

/// Brings the tables up to date, and refuses those of a later version.
pub(super) async fn prepare(writer: &mut SqliteConnection, shown: &str) -> Result<(), StoreError> {
    let fault = |e: sqlx::Error| fault(shown, &e);
    let mut tx = writer.begin_with("BEGIN IMMEDIATE").await.map_err(fault)?;
    let found: i64 = sqlx::query_scalar("pragma user_version")
        .fetch_one(&mut *tx)
        .await
        .map_err(fault)?;
    if found > VERSION {
        return Err(StoreError::Newer {
            path: shown.to_owned(),
            found,
            known: VERSION,
        });
    }
    for (version, schema) in (0..).zip(SCHEMA) {
        if version >= found {
            let made = sqlx::raw_sql(schema).execute(&mut *tx).await;
            made.map_err(fault)?;
        }
    }
    tx.commit().await.map_err(fault)
}

impl Opened {
    /// Makes an event durable. Returns whether it is new.
    pub(super) async fn keep(&self, arrival: Arrival) -> Result<bool, StoreError> {
        let (kept, told) = oneshot::channel();
        let stopped = || StoreError::Database("the inbox takes nothing any more".into());
        let waiting = Waiting { arrival, kept };
        self.waiting.send(waiting).await.map_err(|_| stopped())?;
        told.await.map_err(|_| stopped())?
    }

    /// Carries out one statement that changes something.
    pub(super) async fn write(
        &self,
        query: Query<'_, Sqlite, SqliteArguments>,
    ) -> Result<(), StoreError> {
        let mut writer = self.writing.connection.lock().await;
        let done = query.execute(&mut *writer).await;
        done.map(drop).map_err(|e| self.fault(&e))
    }

    pub(super) fn fault(&self, error: &sqlx::Error) -> StoreError {
        fault(&self.writing.shown, error)
    }
}
