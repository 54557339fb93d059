//! What is durable: a trait in the domain's words.
//!
//! SQL lives in the modules of the databases ([`sqlite`]) and nowhere else. The engine writes
//! through [`Store::commit`], a group of changes at a time: when it returns, the group is on disk.

mod access;
mod gap;
mod records;
mod sqlite;
mod upkeep;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use roaring::RoaringTreemap;

pub use access::Access;
pub use gap::Gap;
pub use records::{
    Accepted, Accepting, Added, Change, Cursor, Due, DueAt, DuePage, Erasure, Fate, Imported,
    ImportedRow, Latest, ListAct, ListChange, Made, NewRun, OccurrenceRecord, OpenCall, Planned,
    Recovery, Refused, RejectedRow, Removal, Run, RunEnd, Settlement, StillOpen, Telling,
    Unsettled, Waiting, Was, Wish, Wishing, WrittenOtherwise,
};
pub use sqlite::belongs_to_a_database;
pub use upkeep::{Copied, Restored};

use crate::domain::retry::PerNumber;
use crate::domain::{
    AttemptId, AttemptKey, Backlog, Charges, ClockAccepted, Digits, Newest, Past, RecipientId,
    ResultRow, RunEndpoints, RunId, Skip, Spend, Story, Suppression, Suppressions, Tally,
};

/// A sender's end of an import, and how many chunks may wait in it.
pub type Rows = tokio::sync::mpsc::Receiver<Vec<ImportedRow>>;

/// Which recipients of a run are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// Those with this endpoint: the one that is called, and its duplicates.
    Endpoint(String),
    /// The one on this line of the list.
    Line(u64),
}

/// Opens the database at an address such as `sqlite:callout.db`. What is known of it outside of it is
/// beside it or, where one is named, in a folder of this machine's state.
pub async fn open(
    address: &str,
    access: Access,
    state: Option<&Path>,
) -> Result<Arc<dyn Store>, StoreError> {
    Ok(Arc::new(sqlite::open(address, access, state).await?))
}

/// Deletes the rehearsals' database at an address, unless an engine works on it, or anything is in it
/// that no rehearsal wrote.
pub async fn begin_anew(address: &str) -> Result<(), StoreError> {
    sqlite::begin_anew(address).await
}

/// Puts the copy `from` in the place of the database at an address, which is kept beside it. One
/// that lacks something that was done since is refused with [`StoreError::Gap`], unless that is
/// accepted; nothing of the people in it changes by that yet.
pub async fn restore(
    address: &str,
    from: &Path,
    state: Option<&Path>,
    accept: bool,
) -> Result<Restored, StoreError> {
    sqlite::restore(address, from, state, accept).await
}

/// What a store can do. One engine writes at a time; everybody may read.
#[async_trait]
pub trait Store: std::fmt::Debug + Send + Sync {
    /// Compares the database with what is known of it outside of it, and refuses one that lacks
    /// anything of that with [`StoreError::Gap`]. No intent is committed before.
    async fn compare(&self) -> Result<(), StoreError>;

    /// A person goes on with a database that lacks something: everybody who is still to be called by a
    /// run that is not over becomes uncertain, unless it is known that no call is lacking. None where
    /// nothing is.
    async fn accept(&self, accepting: &Accepting) -> Result<Option<Accepted>, StoreError>;

    /// What of what was done is not in the database; none where it is the latest, as far as that is
    /// known. Nothing is changed.
    async fn gap(&self) -> Result<Option<Gap>, StoreError>;

    /// Looks whether the database is still the one that was opened, and refuses one that was replaced
    /// or removed with [`StoreError::Gone`]. To be asked each second while somebody is dialled.
    async fn watch(&self) -> Result<(), StoreError>;

    /// Writes down a run whose list is still to be imported. One that is for an occurrence takes it,
    /// or is refused with [`StoreError::OccurrenceTaken`].
    async fn create_run(&self, run: &NewRun) -> Result<(), StoreError>;

    /// Imports a run's list in one transaction: all of it or, after a crash, nothing. `rows` ends
    /// with [`Imported`] from the sender's side, or nothing is kept.
    async fn import(
        &self,
        run: &RunId,
        rows: Rows,
        imported: tokio::sync::oneshot::Receiver<Imported>,
    ) -> Result<(), StoreError>;

    /// The runs whose id begins with `prefix`, latest first; an empty prefix gives all.
    async fn runs(&self, prefix: &str) -> Result<Vec<Run>, StoreError>;

    /// Moves a run to another state.
    async fn set_run(&self, run: &RunId, end: &RunEnd, now: Timestamp) -> Result<(), StoreError>;

    /// Leaves a wish for the engine that works on a run, or takes it back.
    async fn wish(&self, run: &RunId, wish: Option<Wish>) -> Result<(), StoreError>;

    /// The wish that stands.
    async fn wished(&self, run: &RunId) -> Result<Option<Wish>, StoreError>;

    /// Says that a wish is about to be left for an engine, for as long as what is returned is held: from
    /// before the run is looked at until the wish is left.
    async fn wishing(&self) -> Result<Wishing, StoreError>;

    /// The run that an engine works on: an empty id where it has not said so yet, none where no engine
    /// is at work.
    async fn engine_at_work(&self) -> Result<Option<RunId>, StoreError>;

    /// Reads all that is stored and checks that it is whole; slow on a large database.
    async fn check(&self) -> Result<(), StoreError>;

    /// Copies the database at this moment, as a whole, into a file that is not there yet.
    async fn backup(&self, to: &Path) -> Result<Copied, StoreError>;

    /// Files beside the database with answers that did not belong to it.
    fn foreign_answers(&self) -> Vec<PathBuf>;

    /// Whether people were deleted, and traces of them may be in the files until they are scrubbed.
    async fn scrub_owed(&self) -> Result<bool, StoreError>;

    /// Leaves everything on the disk and in its place, as the last thing before a command ends.
    async fn close(&self) -> Result<(), StoreError>;

    /// Says to other processes which run this engine works on.
    fn claim(&self, run: &RunId) -> Result<(), StoreError>;

    /// Tells other terminals how the engine stands.
    async fn tell(&self, run: &RunId, telling: &Telling) -> Result<(), StoreError>;

    /// Remembers the results file that was written for a run, by its path and SHA-256.
    async fn results_written(
        &self,
        run: &RunId,
        path: &Path,
        sha256: &str,
    ) -> Result<(), StoreError>;

    /// Forgets a run whose list was never imported.
    async fn forget_planned(&self, run: &RunId) -> Result<(), StoreError>;

    /// Makes everybody who is still to be called `cancelled`. Returns how many there were.
    async fn cancel_pending(&self, run: &RunId) -> Result<u64, StoreError>;

    /// Makes everybody who is still to be called `expired`. Returns how many there were.
    async fn expire_pending(&self, run: &RunId) -> Result<u64, StoreError>;

    /// Rows of a run that are still to be called or may be again, behind `after` in the list's order,
    /// whose number is not what stands in their cell at `column` to the letter.
    async fn written_otherwise(
        &self,
        run: &RunId,
        column: usize,
        after: RecipientId,
        limit: u32,
    ) -> Result<Vec<WrittenOtherwise>, StoreError>;

    /// Rejects rows that are still to be called. Those that are not are left as they are.
    async fn reject(&self, rejects: &[(RecipientId, RejectedRow)]) -> Result<(), StoreError>;

    /// Writes down that the numbers of a run were read by the rules of now; but where not the `whole` of
    /// it, those whose call was not over are still to be looked at when they are dialled.
    async fn was_read_again(&self, run: &RunId, whole: bool) -> Result<(), StoreError>;

    /// What is known of a campaign's occurrences up to now, and of its latest run.
    async fn past(&self, campaign: &str, now: Timestamp) -> Result<Past, StoreError>;

    /// Records occurrences that do not run. Those of which something has become already are left as
    /// they are; returns how many were recorded.
    async fn skip(&self, campaign: &str, skips: &[Skip], now: Timestamp)
    -> Result<u64, StoreError>;

    /// The latest occurrences of a campaign of which something has become, latest first.
    async fn occurrences(
        &self,
        campaign: &str,
        limit: u32,
    ) -> Result<Vec<OccurrenceRecord>, StoreError>;

    /// After a start: intents without an answer become uncertain, and answers that could not be
    /// recorded are read back. Doing it twice is doing it once.
    async fn recover(&self, run: &RunId, now: Timestamp) -> Result<Recovery, StoreError>;

    /// Calls that are not over, in pages: those of recipients after `after`.
    async fn open_calls(
        &self,
        run: &RunId,
        after: RecipientId,
        limit: u32,
    ) -> Result<Vec<OpenCall>, StoreError>;

    /// The recipients that are due, by due time, those behind `after`; and when the next one will be.
    /// With a rule on calls per number each says until when their number rests.
    async fn due(
        &self,
        run: &RunId,
        now: Timestamp,
        after: Option<Cursor>,
        limit: u32,
        per_number: Option<PerNumber>,
    ) -> Result<DuePage, StoreError>;

    /// Makes a group of changes durable. An error says nothing about what is on disk: stop, and
    /// let recovery read it.
    async fn commit(&self, run: &RunId, changes: &[Change]) -> Result<(), StoreError>;

    /// What the attempts of a run count against its cap: those that are alike together.
    async fn charges(&self, run: &RunId) -> Result<Vec<Charges>, StoreError>;

    /// The same of all runs of a campaign, of the attempts intended within `[from, until)`.
    async fn charges_within(
        &self,
        campaign: &str,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Charges>, StoreError>;

    /// What all runs of a campaign count against a day `[from, until)` beyond the attempts intended
    /// within it: those with a later moment that were made while the clock was ahead, unless a person
    /// accepted the clock on another day.
    async fn charges_ahead(
        &self,
        campaign: &str,
        day: (Timestamp, Timestamp),
    ) -> Result<Vec<Charges>, StoreError>;

    /// The first moment from then on of an attempt of a campaign; none where there is none.
    async fn intended_from(
        &self,
        campaign: &str,
        from: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError>;

    /// The newest moment in the database since a person last accepted the clock; none where nothing
    /// ever happened. Quick, however much is stored.
    async fn newest(&self) -> Result<Option<Newest>, StoreError>;

    /// A person says that the clock is right, whatever the database has seen.
    async fn accept_clock(&self, accepted: &ClockAccepted) -> Result<(), StoreError>;

    /// Changes what a run may cost. An engine at work does not notice.
    async fn set_spend(&self, run: &RunId, spend: &Spend) -> Result<(), StoreError>;

    /// A person says that the refusals which a run is paused for are the recipients' own: they are final,
    /// and their code pauses the run no more. Returns how many there were; none where no refusals paused
    /// it.
    async fn accept_refusals(&self, run: &RunId, now: Timestamp)
    -> Result<Option<u64>, StoreError>;

    /// Keeps changes that could not be committed in a side file that recovery reads back.
    fn keep_aside(&self, run: &RunId, changes: &[Change]) -> Result<(), StoreError>;

    /// The counts of a run, from its rows.
    async fn tally(&self, run: &RunId) -> Result<Tally, StoreError>;

    /// Rows with their attempts in the list's order: those after `after`.
    async fn results(
        &self,
        run: &RunId,
        after: RecipientId,
        limit: u32,
    ) -> Result<Vec<ResultRow>, StoreError>;

    /// Rejects in the list's order: those after `after`.
    async fn rejects(
        &self,
        run: &RunId,
        after: RecipientId,
        limit: u32,
    ) -> Result<Vec<ResultRow>, StoreError>;

    /// The endpoints of a run's rows, by what became of them.
    async fn endpoints(&self, run: &RunId) -> Result<RunEndpoints, StoreError>;

    /// All that is known of those recipients of a run who have an endpoint, or stand on a line of its
    /// list.
    async fn stories(&self, run: &RunId, whom: &Whom) -> Result<Vec<Story>, StoreError>;

    /// Whom a run has still to call, by what they wait for.
    async fn backlog(&self, run: &RunId) -> Result<Vec<Backlog>, StoreError>;

    /// Attempts that are not over, and those that are whose result or price was not told, in the list's
    /// order and in pages: those behind an attempt on a recipient.
    async fn unsettled(
        &self,
        run: &RunId,
        after: (RecipientId, AttemptKey),
        limit: u32,
    ) -> Result<Vec<Unsettled>, StoreError>;

    /// Every attempt of whatever run on a platform that was intended within `[from, until)`, in pages:
    /// those behind a key.
    async fn made_within(
        &self,
        platform: &str,
        (from, until): (Timestamp, Timestamp),
        after: AttemptKey,
        limit: u32,
    ) -> Result<Vec<Made>, StoreError>;

    /// A person, or a record, settles attempts: all of them together or, on an error, none. Returns
    /// those of which nothing new was said, or which cannot be settled so.
    async fn settle(
        &self,
        run: &RunId,
        settlements: &[Settlement],
    ) -> Result<Vec<AttemptId>, StoreError>;

    /// Who must not be called: all suppression lists.
    async fn suppressions(&self) -> Result<Suppressions, StoreError>;

    /// The suppression lists where they have changed since a revision; none where they have not.
    /// Cheap where they have not.
    async fn suppressions_since(&self, revision: i64) -> Result<Option<Suppressions>, StoreError>;

    /// Puts numbers on a list, all or none. One that is there already is there for the new reason
    /// from now on; one that was erased stays suppressed by its hash, and is not stored.
    async fn suppress(
        &self,
        reason: &Suppression,
        numbers: &RoaringTreemap,
    ) -> Result<Added, StoreError>;

    /// Takes numbers off one list or, without a name, off all. Returns how many entries there were.
    async fn unsuppress(
        &self,
        numbers: &RoaringTreemap,
        removal: &Removal,
    ) -> Result<u64, StoreError>;

    /// Writes down that the numbers of a list were read by the rules of now.
    async fn imported_again(&self, list: &str) -> Result<(), StoreError>;

    /// The latest change of each suppression list.
    async fn list_changes(&self) -> Result<Vec<ListChange>, StoreError>;

    /// Suppresses a number for good by a keyed hash, and takes it off all lists that hold it in
    /// clear. `key` is used if the database has none yet.
    async fn suppress_erased(
        &self,
        number: Digits,
        reason: &Suppression,
        key: &[u8; 32],
    ) -> Result<(), StoreError>;

    /// Calls to a number that are not over.
    async fn open_calls_to(&self, number: Digits) -> Result<Vec<StillOpen>, StoreError>;

    /// Takes a number, `national` being its digits without the country code, and the rows that have
    /// it out of all runs; whoever was still to be called is suppressed for `reason`.
    async fn erase(
        &self,
        number: Digits,
        national: &str,
        reason: &Suppression,
    ) -> Result<Erasure, StoreError>;

    /// Takes the personal data out of a run that is over; its counts stay.
    async fn purge(&self, run: &RunId, now: Timestamp) -> Result<(), StoreError>;

    /// Leaves nothing in the files that was deleted. Needs to be the engine, and as much free disk
    /// as the database takes.
    async fn scrub(&self) -> Result<(), StoreError>;
}

/// How long a commit waits for another process's short write.
pub(crate) const BUSY_WAIT: Duration = Duration::from_secs(10);

/// Why a store cannot do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database's address is not understood.
    #[error("`{0}` is no database address: use sqlite:PATH, such as sqlite:callout.db")]
    Address(String),
    /// There is no such file.
    #[error(
        "{0} does not exist: `callout run` makes it, or name another with --db; a rehearsal is kept \
         beside it (--db sqlite:callout-rehearsal.db)"
    )]
    NoDatabase(String),
    /// Another engine works on it.
    #[error(
        "{0} is in use by another `callout` that is running a campaign: wait for it, or stop it \
         with `callout pause`"
    )]
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
    #[error(
        "{path} is not a usable database ({why}): nothing was changed; restore a copy, or name \
         another file with --db"
    )]
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
