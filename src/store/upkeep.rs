//! The database as a whole: whether it is sound and the latest, its copies, and its clock.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use jiff::Timestamp;

use super::error::StoreError;
use super::gap::Gap;
use super::runs::RunHead;
use crate::domain::{ClockAccepted, Newest, RunId};

/// Looks after the database as a whole.
#[async_trait]
pub trait Upkeep: std::fmt::Debug + Send + Sync {
    /// Reads all that is stored and checks that it is whole; slow on a large database.
    async fn check(&self) -> Result<(), StoreError>;

    /// Unfinished runs of which their campaign has another one, latest first: at most one engine at a
    /// time works on either, but both may call the same people.
    async fn doubled_runs(&self) -> Result<Vec<RunHead>, StoreError>;

    /// What of what was done is not in the database; none where it is the latest, as far as that is
    /// known. Nothing is changed.
    async fn gap(&self) -> Result<Option<Gap>, StoreError>;

    /// A person goes on with a database that lacks something: everybody who is still to be called by a
    /// run that is not over becomes uncertain, unless it is known that no call is lacking. None where
    /// nothing is.
    async fn accept(&self, accepting: &Accepting) -> Result<Option<Accepted>, StoreError>;

    /// The run that an engine works on: an empty id where it has not said so yet, none where no engine
    /// is at work.
    async fn engine_at_work(&self) -> Result<Option<RunId>, StoreError>;

    /// Whether an engine works on that run, or is about to say on which one it does.
    async fn is_worked_on(&self, run: &RunId) -> Result<bool, StoreError> {
        let at_work = self.engine_at_work().await?;
        Ok(at_work.is_some_and(|at_work| at_work == *run || at_work.as_str().is_empty()))
    }

    /// Copies the database at this moment, as a whole, into a file that is not there yet.
    async fn backup(&self, to: &Path) -> Result<Copied, StoreError>;

    /// Files beside the database with answers that did not belong to it.
    fn foreign_answers(&self) -> Vec<PathBuf>;

    /// Whether people were deleted, and traces of them may be in the files until they are scrubbed.
    async fn vacuum_owed(&self) -> Result<bool, StoreError>;

    /// The newest moment in the database since a person last accepted the clock; none where nothing
    /// ever happened. Quick, however much is stored.
    async fn newest(&self) -> Result<Option<Newest>, StoreError>;

    /// A person says that the clock is right, whatever the database has seen.
    async fn accept_clock(&self, accepted: &ClockAccepted) -> Result<(), StoreError>;

    /// Leaves everything on the disk and in its place, as the last thing before a command ends.
    async fn close(&self) -> Result<(), StoreError>;
}

/// Who goes on with a database although calls may be unknown to it, and when.
#[derive(Debug, Clone)]
pub struct Accepting {
    /// Their user name.
    pub who: String,
    /// When.
    pub at: Timestamp,
    /// Random bytes, for names of what is not known.
    pub key: [u8; 32],
}

/// What became of that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// How the database stood.
    pub gap: Gap,
    /// So many people are uncertain now who were still to be called.
    pub uncertain: u64,
    /// So many runs are forgotten whose list was not imported.
    pub forgotten: u64,
}

/// What is in a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// Its runs.
    pub runs: u64,
    /// Its attempts.
    pub attempts: u64,
}

/// What came of a copy that was put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What is in the database now.
    pub copied: Copied,
    /// Where the file is kept that was replaced; none where there was none.
    pub replaced: Option<PathBuf>,
    /// What was done that is not in it, and was accepted.
    pub gap: Option<Gap>,
}
