//! A copy of the database while it is in use, and a copy that is put in its place again.
//!
//! A copy has the database's id and what it said of itself at that moment. What was done since is told
//! by the mark, which is why a restored copy is compared with it before anything is replaced.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Row as _, SqliteConnection};

use crate::store::sqlite::SqliteStore;
use crate::store::sqlite::connecting::{is_whole, quiet};
use crate::store::sqlite::fault::fault;
use crate::store::sqlite::file::{Place, Standing, beside, hand_over, inode_at, private, remove};
use crate::store::sqlite::identity::{Identity, Own, own};
use crate::store::sqlite::inbox::InboxFile;
use crate::store::sqlite::mark::sync_folder;
use crate::store::sqlite::open::{self, EngineLock};
use crate::store::{Access, Copied, Restored, StoreError};

/// Behind the database's name: a copy that is not in its place yet.
const RESTORING: &str = "-restoring";
/// Behind the database's name, before a number: what a copy has replaced.
const REPLACED: &str = "-replaced-";

const COPY: &str = "vacuum into ?1";

const COUNTS: &str = "-- backup: what is in it
    select (select count(*) from runs) as runs, (select count(*) from attempts) as attempts";

impl SqliteStore {
    pub(super) async fn copy_to(&self, to: &Path) -> Result<Copied, StoreError> {
        let shown = to.display().to_string();
        let unusable = |e: io::Error| StoreError::unusable(&shown, "written", &e);
        // Made by us, so that nobody else can read it for a moment, and nothing is written over.
        let file = private().write(true).create_new(true).open(to);
        let file = file.map_err(unusable)?;
        let mut reader = self.readers.acquire().await.map_err(|e| self.fault(&e))?;
        let copied = copy(&mut reader, to).await.map_err(|e| self.fault(&e));
        let checked = match copied {
            Ok(()) => check(to).await,
            Err(error) => Err(error),
        };
        let checked = match checked {
            Ok(counts) => self.inbox.copy_to(to).await.map(|()| counts),
            Err(error) => Err(error),
        };
        match checked {
            Ok(counts) => {
                file.sync_all().map_err(unusable)?;
                sync_folder(to).map_err(unusable)?;
                Ok(counts)
            }
            Err(error) => {
                remove(to).map_err(unusable)?;
                Err(error)
            }
        }
    }
}

/// Copies what a connection sees into an empty file.
async fn copy(reader: &mut SqliteConnection, to: &Path) -> Result<(), sqlx::Error> {
    let query = sqlx::query(COPY).bind(to.to_string_lossy().into_owned());
    query.execute(reader).await.map(drop)
}

/// Reads a copy that nobody else works with, all of it.
async fn check(file: &Path) -> Result<Copied, StoreError> {
    let shown = file.display().to_string();
    let mut reader = unchanged(file)
        .connect()
        .await
        .map_err(|e| fault(&shown, &e))?;
    let whole = is_whole(&mut reader, &shown).await;
    let counts = counts(&mut reader).await.map_err(|e| fault(&shown, &e));
    reader.close().await.map_err(|e| fault(&shown, &e))?;
    whole?;
    counts
}

async fn counts(reader: &mut SqliteConnection) -> Result<Copied, sqlx::Error> {
    let row = sqlx::query(COUNTS).fetch_one(reader).await?;
    Ok(Copied {
        runs: row.get::<i64, _>("runs").unsigned_abs(),
        attempts: row.get::<i64, _>("attempts").unsigned_abs(),
    })
}

/// A file as it is read without a trace. One with a log beside it needs that.
fn unchanged(file: &Path) -> SqliteConnectOptions {
    let with_log = beside(file, "-wal").exists();
    quiet(SqliteConnectOptions::new())
        .filename(file)
        .read_only(true)
        .immutable(!with_log)
}

/// Where a copy goes, with the lock that keeps engines out for as long as this is held.
struct Target {
    place: Place,
    _lock: Lock,
}

/// Either way nobody else is the engine.
enum Lock {
    /// A database was there, and was closed.
    Engine { _lock: Option<EngineLock> },
    /// There was none that can be opened.
    File { _lock: File },
}

pub(in crate::store) async fn restore(
    address: &str,
    from: &Path,
    state: Option<&Path>,
    accept: bool,
) -> Result<Restored, StoreError> {
    let source = Place::look(from)?;
    let Standing::Database { .. } = source.standing else {
        return Err(StoreError::NoDatabase(source.shown));
    };
    open::ours_or_nobodys(&source).await?;
    let target = Target::of(address, state).await?;
    let file = &target.place.file;
    if inode_at(&source.file) == inode_at(file) {
        return Err(StoreError::Foreign {
            path: source.shown,
            why: "is the database itself, and no copy of it".into(),
        });
    }
    let restoring = beside(file, RESTORING);
    let prepared = prepare(&source, &restoring).await;
    let (copied, gap) = match prepared {
        Ok((copied, own)) => {
            let identity = Identity::of(&target.place, None, state, true);
            let gap = identity.find(&own).map(|(_, gap)| gap);
            (copied, gap)
        }
        Err(error) => (
            Copied {
                runs: 0,
                attempts: 0,
            },
            Err(error),
        ),
    };
    let gap = match gap {
        Ok(Some(gap)) if !accept => Err(StoreError::Gap {
            path: from.display().to_string(),
            gap,
        }),
        other => other,
    };
    let unusable = |e: io::Error| StoreError::unusable(&file.display().to_string(), "replaced", &e);
    let gap = match gap {
        Ok(gap) => {
            // Whatever comes of the rest, events that wait to be read once more do no harm.
            let inbox = InboxFile::of(file, &target.place.shown, Access::Beside);
            inbox.put_back(&source.file).await.map(|()| gap)
        }
        Err(error) => Err(error),
    };
    match gap {
        Ok(gap) => Ok(Restored {
            copied,
            replaced: replace(file, &restoring).map_err(unusable)?,
            gap,
        }),
        Err(error) => {
            remove(&restoring).map_err(unusable)?;
            Err(error)
        }
    }
}

impl Target {
    /// Takes the place of the database. Where one can be opened its mark is made to say what it has,
    /// and its log is folded into it.
    async fn of(address: &str, state: Option<&Path>) -> Result<Self, StoreError> {
        let path = open::file_of(address)?;
        let there = open::open(address, Access::EngineOfExisting, state).await;
        match there {
            Ok(store) => {
                let compared = store.compare_with_mark().await;
                // An older copy is in the place already: its mark says more than it knows.
                if let Err(error) = compared
                    && !matches!(error, StoreError::Gap { .. })
                {
                    return Err(error);
                }
                let place = Place::look(&path)?;
                Ok(Self {
                    place,
                    _lock: Lock::Engine {
                        _lock: store.fold().await?,
                    },
                })
            }
            Err(StoreError::NoDatabase(_) | StoreError::Corrupt { .. }) => {
                let place = Place::look(&path).unwrap_or_else(|_| Place {
                    file: path.canonicalize().unwrap_or_else(|_| path.clone()),
                    shown: path.display().to_string(),
                    standing: Standing::Absent,
                });
                let lock = open::lock(&place)?;
                Ok(Self {
                    place,
                    _lock: Lock::File { _lock: lock },
                })
            }
            Err(error) => Err(error),
        }
    }
}

/// Copies the source beside the database, brings it to our version and reads all of it.
async fn prepare(source: &Place, restoring: &Path) -> Result<(Copied, Own), StoreError> {
    let shown = source.shown.clone();
    let unusable =
        |e: io::Error| StoreError::unusable(&restoring.display().to_string(), "written", &e);
    remove(restoring).map_err(unusable)?;
    let made = private().write(true).create_new(true).open(restoring);
    made.map_err(unusable)?;
    let reader = unchanged(&source.file).connect().await;
    let mut reader = reader.map_err(|e| fault(&shown, &e))?;
    let copied = copy(&mut reader, restoring).await;
    reader.close().await.map_err(|e| fault(&shown, &e))?;
    copied.map_err(|e| fault(&shown, &e))?;
    let mut writer = open::prepare(restoring, &shown).await?;
    let read = async {
        is_whole(&mut writer, &shown).await?;
        let counts = counts(&mut writer).await.map_err(|e| fault(&shown, &e))?;
        let own = own(&mut writer).await.map_err(|e| fault(&shown, &e))?;
        Ok((counts, own))
    }
    .await;
    writer.close().await.map_err(|e| fault(&shown, &e))?;
    let file = File::open(restoring).map_err(unusable)?;
    file.sync_all().map_err(unusable)?;
    read
}

/// Puts a file in the place of the database, which is kept beside it, with a log that could not be
/// folded into it. Answers that were kept aside stay: a line says to which database it belongs.
fn replace(file: &Path, restoring: &Path) -> io::Result<Option<PathBuf>> {
    let mut nth = 1_u32;
    let mut kept = beside(file, &format!("{REPLACED}{nth}"));
    while kept.symlink_metadata().is_ok() {
        nth += 1;
        kept = beside(file, &format!("{REPLACED}{nth}"));
    }
    let mut replaced = None;
    if file.symlink_metadata().is_ok() {
        if file.exists() {
            hand_over(restoring, file)?;
        }
        for suffix in ["-wal", "-journal"] {
            let log = beside(file, suffix);
            if log.symlink_metadata().is_ok() {
                std::fs::rename(&log, beside(&kept, suffix))?;
            }
        }
        std::fs::rename(file, &kept)?;
        replaced = Some(kept);
    }
    for suffix in ["-wal", "-shm", "-journal"] {
        remove(&beside(file, suffix))?;
    }
    std::fs::rename(restoring, file)?;
    for suffix in ["-wal", "-shm"] {
        remove(&beside(restoring, suffix))?;
    }
    sync_folder(file)?;
    Ok(replaced)
}
