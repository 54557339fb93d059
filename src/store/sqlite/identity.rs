//! Which database this is, and whether it is the latest of its kind: compared with its mark before
//! anybody is dialled, and watched while an engine works on it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use sqlx::{Row as _, SqliteConnection};

use super::SqliteStore;
use super::file::{Inode, Place, beside, inode_at, remove};
use super::mark::{self, Found, ListsLine, Mark, Told};
use crate::store::{Gap, Intent, StoreError};

const OWN: &str = "-- identity
    select lower(hex(id)) as id, marked,
           (select coalesce(max(key), 0) from attempts) as key,
           (select coalesce(max(number), 0) from runs where header is not null) as run,
           (select revision from suppression_state) as revision
    from identity";

const MARKED: &str = "-- identity: where its mark is
    update identity set marked = ?1";

/// What a database is told by while it is open.
#[derive(Debug)]
pub(super) struct Identity {
    /// The file, by the one name that it has.
    file: PathBuf,
    shown: String,
    /// Where the mark is, if not beside the file.
    state: Option<PathBuf>,
    /// Whether it has a mark: what may be lost has none.
    keeps_mark: bool,
    /// The file that was opened.
    inode: Option<Inode>,
    /// Its log, once that is there.
    log: Mutex<Option<Inode>>,
    /// Its mark, once they were compared.
    mark: OnceLock<Arc<Mark>>,
}

/// What a database says of itself.
#[derive(Debug)]
pub(super) struct Own {
    pub(super) told: Told,
    /// Where its mark was kept when an engine last began.
    pub(super) marked: Marked,
}

/// Where a mark is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marked {
    /// There was none yet.
    Nowhere = 0,
    /// Beside the database.
    Beside = 1,
    /// In a folder of this machine's state.
    Elsewhere = 2,
}

impl Identity {
    pub(super) fn of(
        place: &Place,
        inode: Option<Inode>,
        state: Option<&Path>,
        keeps_mark: bool,
    ) -> Self {
        Self {
            file: place.file.clone(),
            shown: place.shown.clone(),
            state: state.map(Path::to_owned),
            keeps_mark,
            inode,
            log: Mutex::new(None),
            mark: OnceLock::new(),
        }
    }

    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// The database's id, in hex, once it was compared with its mark.
    pub(super) fn id(&self) -> Option<String> {
        self.mark.get().map(|mark| mark.id())
    }

    /// Where the mark is, or is to be.
    pub(super) fn mark_path(&self) -> PathBuf {
        mark::path_of(&self.file, self.state.as_deref())
    }

    fn marked(&self) -> Marked {
        match self.state {
            None => Marked::Beside,
            Some(_) => Marked::Elsewhere,
        }
    }

    /// The database's mark, and how the database differs from it. A mark beside the database counts for
    /// one whose mark was never kept elsewhere.
    pub(super) fn find(&self, own: &Own) -> Result<(Option<Found>, Option<Gap>), StoreError> {
        let mut path = self.mark_path();
        let look = |path: &Path| {
            Found::at(path)
                .map_err(|e| StoreError::unusable(&path.display().to_string(), "read", &e))
        };
        let mut found = look(&path)?;
        if found.is_none() && own.marked != Marked::Elsewhere && self.state.is_some() {
            path = mark::path_of(&self.file, None);
            found = look(&path)?;
        }
        let there = found.as_ref().map(|found| found.told.as_ref().ok_or(()));
        let gap = gap(own, self.marked(), there);
        Ok((found, gap))
    }

    /// Makes the mark say what the database says of itself, whatever it said before.
    pub(super) fn write_mark(&self, told: &Told) -> Result<Mark, StoreError> {
        let path = self.mark_path();
        Mark::make(&path, told.clone(), &self.file)
            .map_err(|e| StoreError::unusable(&path.display().to_string(), "written", &e))
    }

    /// The mark that an engine writes which dials; none where it has none.
    pub(super) fn mark_to_dial(&self) -> Result<Option<&Arc<Mark>>, StoreError> {
        match self.mark.get() {
            None if self.keeps_mark => Err(StoreError::Database(
                "it was not compared with its mark, so nobody is dialled".into(),
            )),
            mark => Ok(mark),
        }
    }

    /// Whether the files that were opened still have their names.
    fn look(&self) -> Result<(), StoreError> {
        let gone = |path: String, what| StoreError::Gone { path, what };
        let same = |there: Option<Inode>, opened: Inode, path: &str| match there {
            Some(there) if there == opened => Ok(()),
            Some(_) => Err(gone(path.to_owned(), "was replaced")),
            None => Err(gone(path.to_owned(), "was removed")),
        };
        if let Some(opened) = self.inode {
            same(inode_at(&self.file), opened, &self.shown)?;
        }
        let there = inode_at(&beside(&self.file, "-wal"));
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        match *log {
            None => *log = there,
            Some(opened) => same(there, opened, &format!("{}-wal", self.shown))?,
        }
        drop(log);
        match self.mark.get() {
            Some(mark) if !mark.is_there() => Err(gone(
                mark.path().display().to_string(),
                "was removed or replaced",
            )),
            _ => Ok(()),
        }
    }
}

/// Reads what a database says of itself.
pub(super) async fn own(reader: &mut SqliteConnection) -> Result<Own, sqlx::Error> {
    let row = sqlx::query(OWN).fetch_one(reader).await?;
    Ok(Own {
        told: Told {
            id: row.get("id"),
            key: row.get("key"),
            run: row.get("run"),
            revision: row.get("revision"),
        },
        marked: match row.get::<i64, _>("marked") {
            0 => Marked::Nowhere,
            1 => Marked::Beside,
            _ => Marked::Elsewhere,
        },
    })
}

/// How a database differs from its mark; `there` is none where there is no mark, and an error where it
/// cannot be read.
fn gap(own: &Own, looked: Marked, there: Option<Result<&Told, ()>>) -> Option<Gap> {
    let told = match there {
        None if own.marked == Marked::Nowhere => return None,
        None => {
            let elsewhere = own.marked != looked;
            return Some(Gap::Unmarked { elsewhere });
        }
        Some(Err(())) => return Some(Gap::Unreadable),
        Some(Ok(told)) => told,
    };
    let own = (&own.told, own.marked);
    if told.id != own.0.id {
        // Where nobody was called and nobody was suppressed, nothing is lost.
        let nothing = told.key == 0 && told.revision == 0 && own.1 == Marked::Nowhere;
        let attempts = told.key.unsigned_abs();
        return (!nothing).then_some(Gap::Another { attempts });
    }
    let lacks = |told: i64, own: i64| told.saturating_sub(own).max(0).unsigned_abs();
    let gap = (
        lacks(told.key, own.0.key),
        lacks(told.run, own.0.run),
        lacks(told.revision, own.0.revision),
    );
    (gap != (0, 0, 0)).then_some(Gap::Older {
        attempts: gap.0,
        runs: gap.1,
        list_changes: gap.2,
    })
}

impl SqliteStore {
    /// Compares the database with its mark, which is made where there was none yet.
    pub(super) async fn compare_with_mark(&self) -> Result<(), StoreError> {
        let identity = &self.identity;
        if self.engine.is_none() {
            return Err(StoreError::Database("only the engine has the mark".into()));
        }
        if !identity.keeps_mark || identity.mark.get().is_some() {
            return Ok(());
        }
        let mut writer = self.writer.lock().await;
        let own = own(&mut writer).await.map_err(|e| self.fault(&e))?;
        let (found, gap) = identity.find(&own)?;
        if let Some(gap) = gap {
            let path = self.path.clone();
            return Err(StoreError::Gap { path, gap });
        }
        let (here, beside) = (identity.mark_path(), mark::path_of(&identity.file, None));
        let unusable =
            |e: io::Error| StoreError::unusable(&here.display().to_string(), "written", &e);
        let mark = match found {
            Some(found) if found.is_at(&here) => found.take(&own.told).map_err(unusable)?,
            Some(found) => identity.write_mark(&found.told_and(&own.told))?,
            None => identity.write_mark(&own.told)?,
        };
        if own.marked != identity.marked() {
            sqlx::query(MARKED)
                .bind(identity.marked() as i64)
                .execute(&mut *writer)
                .await
                .map_err(|e| self.fault(&e))?;
        }
        if here != beside {
            // It moved: what it says there is not true for long.
            remove(&beside).map_err(unusable)?;
        }
        identity.mark.get_or_init(|| Arc::new(mark));
        identity.look()
    }

    /// What the database lacks, for whoever only looks.
    pub(super) async fn look_for_gap(&self) -> Result<Option<Gap>, StoreError> {
        let mut reader = self.readers.acquire().await.map_err(|e| self.fault(&e))?;
        let own = own(&mut reader).await.map_err(|e| self.fault(&e))?;
        Ok(self.identity.find(&own)?.1)
    }

    /// Looks whether the files are still those that were opened, and lets the mark reach the disk.
    pub(super) async fn watch_files(&self) -> Result<(), StoreError> {
        self.identity.look()?;
        self.sync_mark().await
    }

    /// Lets what the mark says reach the disk.
    pub(super) async fn sync_mark(&self) -> Result<(), StoreError> {
        match self.identity.mark.get() {
            Some(mark) if mark.is_unsynced() => mark.sync().await.map_err(|e| unwritten(mark, &e)),
            _ => Ok(()),
        }
    }

    /// Says outside of the database that the intents of a group are committed.
    pub(super) async fn mark_intents(&self, intended: Option<Intended>) -> Result<(), StoreError> {
        let (Some(intended), Some(mark)) = (intended, self.identity.mark.get()) else {
            return Ok(());
        };
        let due = mark.committed(intended.key, intended.at);
        if due.map_err(|e| unwritten(mark, &e))? {
            mark.sync().await.map_err(|e| unwritten(mark, &e))?;
        }
        Ok(())
    }

    /// Says outside of the database that a run's list is imported.
    pub(super) fn mark_run(&self, run: i64) -> Result<(), StoreError> {
        match self.identity.mark.get() {
            Some(mark) => mark.imported(run).map_err(|e| unwritten(mark, &e)),
            None => Ok(()),
        }
    }

    /// Keeps others from changing the suppression lists, where there is a mark to be told of it. Who
    /// cannot write there suppresses all the same: a mark that says less is no fault.
    pub(super) async fn hold_lists_line(&self) -> Option<ListsLine> {
        if !self.identity.keeps_mark {
            return None;
        }
        let path = self.identity.mark_path();
        let held = tokio::task::spawn_blocking(move || ListsLine::hold(&path)).await;
        held.ok()?.ok()?
    }
}

/// The latest intent of a group.
#[derive(Debug, Clone, Copy)]
pub(super) struct Intended {
    key: i64,
    /// Milliseconds since 1970.
    at: i64,
}

impl Intended {
    /// None where a group has no intent.
    pub(super) fn latest(intents: &[Intent]) -> Option<Self> {
        let latest = intents.iter().max_by_key(|intent| intent.key.0)?;
        Some(Self {
            key: latest.key.0,
            at: super::millis(latest.at),
        })
    }
}

fn unwritten(mark: &Mark, error: &io::Error) -> StoreError {
    StoreError::unusable(&mark.path().display().to_string(), "written", error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(id: &str, key: i64, marked: Marked) -> Own {
        Own {
            told: told(id, key, 2, 3),
            marked,
        }
    }

    fn told(id: &str, key: i64, run: i64, revision: i64) -> Told {
        Told {
            id: id.into(),
            key,
            run,
            revision,
        }
    }

    #[test]
    fn a_database_lags_behind_its_mark_or_it_does_not() {
        let of = |key, told: Told| {
            let own = own("a", key, Marked::Beside);
            gap(&own, Marked::Beside, Some(Ok(&told)))
        };
        let older = |attempts, runs, list_changes| {
            Some(Gap::Older {
                attempts,
                runs,
                list_changes,
            })
        };
        assert_eq!(of(60, told("a", 60, 2, 3)), None);
        assert_eq!(of(60, told("a", 12, 1, 0)), None, "a kill between the two");
        assert_eq!(of(60, told("a", 160, 2, 3)), older(100, 0, 0));
        assert_eq!(of(60, told("a", 60, 3, 5)), older(0, 1, 2));
        assert_eq!(
            of(60, told("b", 7, 0, 0)),
            Some(Gap::Another { attempts: 7 })
        );
    }

    #[test]
    fn a_database_without_its_mark_is_a_copy_unless_it_never_had_one() {
        let of = |marked, looked| gap(&own("a", 60, marked), looked, None);
        let unmarked = |elsewhere| Some(Gap::Unmarked { elsewhere });
        assert_eq!(of(Marked::Nowhere, Marked::Beside), None);
        assert_eq!(of(Marked::Beside, Marked::Beside), unmarked(false));
        assert_eq!(of(Marked::Elsewhere, Marked::Beside), unmarked(true));
        let unreadable = gap(&own("a", 60, Marked::Beside), Marked::Beside, Some(Err(())));
        assert_eq!(unreadable, Some(Gap::Unreadable));
        // The one that was here had called nobody.
        let empty = told("b", 0, 1, 0);
        let new = gap(
            &own("a", 0, Marked::Nowhere),
            Marked::Beside,
            Some(Ok(&empty)),
        );
        assert_eq!(new, None);
    }
}
