//! Why a store cannot do what it was asked.

use jiff::Timestamp;

use super::gap::Gap;
use crate::domain::{RunId, RunState};

/// Why a store cannot do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database's address is not understood.
    #[error("`{0}` is no database address: use sqlite:PATH, such as sqlite:callout.db")]
    Address(String),
    /// There is no such file.
    #[error("{0} does not exist")]
    NoDatabase(String),
    /// Another engine works on it.
    #[error("{0} is in use by another process that is running a campaign")]
    InUse(String),
    /// A newer version made it.
    #[error(
        "{path} was made by a newer version of callout (its schema is {found}, this program knows \
         up to {known}): use that version"
    )]
    Newer {
        /// The file.
        path: String,
        /// Its latest migration.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// It is no database, or a broken one.
    #[error("{path} is not a usable database ({why}): nothing was changed")]
    Corrupt {
        /// The file.
        path: String,
        /// The database's words.
        why: String,
    },
    /// What is there, or beside it, is nothing that we open.
    #[error("{path} {why}: nothing was changed")]
    Foreign {
        /// The file.
        path: String,
        /// What it is, beginning with the verb.
        why: String,
    },
    /// A rehearsal was to begin anew in the place of a database that others wrote, too.
    #[error(
        "{0} was not made by rehearsals alone, and a rehearsal begins anew in its place: nothing was \
         deleted; give that file another name, or rehearse with another database"
    )]
    NoRehearsal(String),
    /// Something that was done is not in it, or nobody can tell.
    #[error("{path} {gap}")]
    Gap {
        /// The file.
        path: String,
        /// How it stands.
        gap: Gap,
    },
    /// It is not the file any more that was opened.
    #[error("{path} {what} while a run was working with it")]
    Gone {
        /// The file.
        path: String,
        /// `was removed`, `was replaced`.
        what: &'static str,
    },
    /// There is no room left.
    #[error(
        "{0} cannot be written: the disk is full. Nothing that was recorded is lost: make room, \
         then say it again"
    )]
    Full(String),
    /// It cannot be opened or written.
    #[error("{path} cannot be {what}: {why}")]
    Unusable {
        /// The file.
        path: String,
        /// `opened`, `written`.
        what: &'static str,
        /// The system's words.
        why: String,
    },
    /// Another process has written to it for longer than is waited for.
    #[error("{0} cannot be written: another process has held it for too long")]
    Busy(String),
    /// There is no such run.
    #[error("no run `{0}` in this database")]
    NoRun(String),
    /// Another run of the campaign is not finished.
    #[error("run {run} of {campaign} is not finished ({state})")]
    Unfinished {
        /// That run.
        run: RunId,
        /// The campaign.
        campaign: String,
        /// Where that run stands.
        state: RunState,
    },
    /// A run was started for that occurrence, or it was skipped.
    #[error("the start of {campaign} at {scheduled_for} is taken: it has run, or was skipped")]
    OccurrenceTaken {
        /// The campaign.
        campaign: String,
        /// The occurrence.
        scheduled_for: Timestamp,
    },
    /// What is on disk is not what we left there.
    #[error("the database has other contents than this run expects: {0}")]
    Diverged(String),
    /// An import ended before its list did.
    #[error("the import was given up")]
    ImportGivenUp,
    /// Anything else that the database says.
    #[error("the database said: {0}")]
    Database(String),
}

impl StoreError {
    /// A name for programs that never changes.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Address(_) => "database_address",
            Self::NoDatabase(_) => "no_database",
            Self::InUse(_) => "in_use",
            Self::Newer { .. } => "newer_database",
            Self::Corrupt { .. } => "corrupt_database",
            Self::Foreign { .. } => "foreign_file",
            Self::NoRehearsal(_) => "no_rehearsal",
            Self::Gap { .. } => "older_copy",
            Self::Gone { .. } => "database_gone",
            Self::Full(_) => "disk_full",
            Self::Unusable { .. } => "unusable_file",
            Self::Busy(_) => "busy",
            Self::NoRun(_) => "no_run",
            Self::Unfinished { .. } => "unfinished",
            Self::OccurrenceTaken { .. } => "occurrence_taken",
            Self::Diverged(_) => "diverged",
            Self::ImportGivenUp => "import_given_up",
            Self::Database(_) => "database",
        }
    }

    /// Why the system did not let a file be `opened`, `written` or `deleted`.
    pub(crate) fn unusable(path: &str, what: &'static str, error: &std::io::Error) -> Self {
        use std::io::ErrorKind::{QuotaExceeded, StorageFull};
        if matches!(error.kind(), StorageFull | QuotaExceeded) {
            return Self::Full(path.to_owned());
        }
        Self::Unusable {
            path: path.to_owned(),
            what,
            why: error.to_string(),
        }
    }
}
