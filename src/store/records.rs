//! What goes into a store and comes out of it, in the domain's words.

use std::collections::BTreeSet;
use std::path::PathBuf;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::Gap;
use crate::domain::{
    AttemptId, AttemptKey, AttemptRecord, AttemptState, CallId, Destination, DestinationKind,
    Disposition, Hold, Outcome, PauseReason, RecipientId, Refusal, RefusalCode, RejectKind,
    RetryPolicy, RunEvent, RunId, RunState, SkipKind, Spend, Stage, Tried, WaitReason, Zones,
};

/// What a run was planned as.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Planned {
    /// The hash of the plan that it spends; none where no plan was named.
    pub hash: Option<String>,
    /// SHA-256 of the list that it must find, in hex; none: whatever the list is.
    pub list_sha256: Option<String>,
    /// The earlier run of whose recipients only those are called whom it did not reach; none: everybody
    /// of the list is.
    pub only_of: Option<RunId>,
}

/// A run that begins.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// Its id.
    pub id: RunId,
    /// The campaign's name.
    pub campaign: String,
    /// The campaign file's text, which the run keeps whatever becomes of the file.
    pub definition: String,
    /// The campaign file, absolute.
    pub definition_path: PathBuf,
    /// The file of dates that the campaign names, which the run keeps as well.
    pub blackout_file: Option<Vec<u8>>,
    /// Whether it runs against the simulator.
    pub rehearsal: bool,
    /// Where its callouts go: base URL and application key. Its calls are known there alone.
    pub platform: String,
    /// When.
    pub created_at: Timestamp,
    /// The occurrence of the campaign's schedule that it is for; none where a person started it.
    pub scheduled_for: Option<Timestamp>,
    /// From then on it calls nobody any more.
    pub expires_at: Option<Timestamp>,
    /// What it may cost, its rates known.
    pub spend: Option<Spend>,
    /// What it was planned as.
    pub planned: Planned,
}

/// A run as it stands.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// The campaign's name.
    pub campaign: String,
    /// The campaign file's text.
    pub definition: String,
    /// Where that file was.
    pub definition_path: PathBuf,
    /// The campaign's file of dates, as the run began with it.
    pub blackout_file: Option<Vec<u8>>,
    /// Whether it runs against the simulator.
    pub rehearsal: bool,
    /// Where its callouts go: base URL and application key.
    pub platform: String,
    /// Where it stands.
    pub state: RunState,
    /// Why it is paused.
    pub why: Option<String>,
    /// Whether it is paused for want of money.
    pub money: bool,
    /// The code of the refusals that it is paused for.
    pub refused_with: Option<RefusalCode>,
    /// The code of the refusals that it paused for last, whatever came since.
    pub suspect: Option<RefusalCode>,
    /// Codes of refusals that a person called the recipients' own.
    pub theirs: BTreeSet<RefusalCode>,
    /// What another terminal wishes.
    pub wish: Option<Wish>,
    /// When it was made.
    pub created_at: Timestamp,
    /// The occurrence of its schedule that it was started for.
    pub scheduled_for: Option<Timestamp>,
    /// From then on it calls nobody any more.
    pub expires_at: Option<Timestamp>,
    /// What it may cost.
    pub spend: Option<Spend>,
    /// What it was planned as.
    pub planned: Planned,
    /// When its first engine started.
    pub started_at: Option<Timestamp>,
    /// When it ended, or stopped last.
    pub ended_at: Option<Timestamp>,
    /// The list's header; none until the list is imported in full.
    pub header: Option<Vec<String>>,
    /// SHA-256 of the list's bytes, in hex.
    pub list_sha256: Option<String>,
    /// What the list's endpoints are.
    pub destination_kind: DestinationKind,
    /// How its engine stood when it last told.
    pub telling: Option<Telling>,
    /// By which version of the rules the numbers of its rows were read.
    pub reader: u32,
    /// When its personal data was deleted.
    pub purged_at: Option<Timestamp>,
    /// The results file that was written last, and its SHA-256 in hex.
    pub results: Option<(PathBuf, String)>,
}

/// How an engine stands, for other terminals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Telling {
    /// In words, what keeps it from dialling faster.
    pub why: String,
    /// Calls per second at most, now.
    pub rate: f64,
    /// Attempts that are not over.
    pub in_flight: usize,
    /// Uncertain attempts that hold a place of `concurrent_calls`.
    pub uncertain_held: usize,
    /// 429s obeyed since it started.
    pub slowed_down: u64,
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

/// What another terminal can wish of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Stop, with work left.
    Pause,
    /// Call nobody else, and end.
    Cancel,
}

/// A state to which a run is moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunEnd {
    /// An engine works on it.
    Running,
    /// Stopped with work left.
    Paused(PauseReason),
    /// Every recipient has a disposition.
    Completed,
    /// Ended by a person.
    Cancelled,
    /// Ended by its own schedule.
    Expired,
}

impl RunEnd {
    /// What happens to the run.
    pub fn event(&self) -> RunEvent {
        match self {
            Self::Running => RunEvent::Begun,
            Self::Paused(_) => RunEvent::Paused,
            Self::Completed => RunEvent::Completed,
            Self::Cancelled => RunEvent::Cancelled,
            Self::Expired => RunEvent::Expired,
        }
    }
}

/// What became of an occurrence of a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OccurrenceRecord {
    /// Which.
    pub scheduled_for: Timestamp,
    /// What.
    pub fate: Fate,
    /// When that was decided.
    pub at: Timestamp,
}

/// What an occurrence came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// This run was started for it.
    Run(RunId),
    /// None was.
    Skipped {
        /// Why.
        kind: SkipKind,
        /// In words.
        reason: String,
    },
}

/// A checked row on its way into the store.
#[derive(Debug, Clone)]
pub struct ImportedRow {
    /// Line of the list on which the row begins.
    pub line: u64,
    /// Its cells, as read.
    pub cells: Vec<String>,
    /// The endpoint to call, or why not.
    pub verdict: Result<String, RejectedRow>,
    /// The time zones in which they may be; none where no window asks.
    pub zones: Option<Zones>,
    /// The worst case of a call; none where the run has no cap.
    pub hold: Option<Hold>,
}

/// Why a row is a reject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedRow {
    /// Invalid, duplicate or suppressed.
    #[serde(skip, default = "invalid")]
    pub kind: RejectKind,
    /// In words.
    #[serde(skip)]
    pub reason: String,
    /// The column at fault.
    pub column: Option<String>,
    /// Its value.
    pub value: Option<String>,
    /// The endpoint that an earlier row has as well, or that is suppressed.
    #[serde(skip)]
    pub endpoint: Option<String>,
}

fn invalid() -> RejectKind {
    RejectKind::Invalid
}

/// A recipient whose number does not stand in their row to the letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenOtherwise {
    /// Who.
    pub recipient: RecipientId,
    /// The number.
    pub endpoint: String,
    /// What stands in the row.
    pub cell: String,
    /// Whether a call to them is not over, or nobody knows whether there was one.
    pub called: bool,
}

/// The end of an import: what is known once the whole list was read.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The list's column names.
    pub header: Vec<String>,
    /// What the endpoints are.
    pub destination_kind: DestinationKind,
    /// SHA-256 of the list's bytes, in hex.
    pub sha256: String,
}

/// A recipient that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Who.
    pub recipient: RecipientId,
    /// Whom to call.
    pub endpoint: String,
    /// The row's cells, as a JSON array.
    pub cells: String,
    /// The time zones in which they may be; none where no window asks.
    pub zones: Option<Zones>,
    /// The worst case of a call; none where the run has no cap.
    pub hold: Option<Hold>,
    /// How they were tried before.
    pub tried: Tried,
    /// When the number may be called again for the sake of all runs; none where nothing speaks
    /// against it now.
    pub rests_until: Option<Timestamp>,
}

/// When somebody is due who is to be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DueAt {
    /// From then on.
    At(Timestamp),
    /// At no time that comes by itself: after everybody else.
    Held,
}

/// A place in the order in which recipients become due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// Due time of the last recipient that was read.
    pub due_at: Timestamp,
    /// That recipient.
    pub recipient: RecipientId,
}

/// A page of due recipients.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DuePage {
    /// In order of due time.
    pub due: Vec<Due>,
    /// When the next recipient beyond this page is due; none where nobody is left behind it.
    pub next_due: Option<DueAt>,
    /// Where this page ends; none where it is empty.
    pub end: Option<Cursor>,
}

/// A call that is not over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenCall {
    /// Its attempt.
    pub key: AttemptKey,
    /// Its recipient.
    pub recipient: RecipientId,
    /// The platform's name for it.
    pub call: CallId,
    /// When its intent was written.
    pub intended_at: Timestamp,
    /// When the platform accepted it.
    pub accepted_at: Timestamp,
    /// What is held for it.
    pub hold: Option<Hold>,
    /// How its recipient was tried before.
    pub tried: Tried,
}

/// What a start found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Intents without an answer, now uncertain.
    pub became_uncertain: u64,
    /// Answers read back from the side file.
    pub read_back: u64,
    /// Since when those attempts are uncertain that have become so within the last minute.
    pub uncertain_since: Vec<Timestamp>,
    /// The key that the next attempt takes.
    pub next_key: i64,
    /// What came back last.
    pub latest: Latest,
}

/// What came back last in a run, before this process: oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Latest {
    /// Answers to callouts: refusals that stand, and none for calls.
    pub answers: Vec<Option<Refused>>,
    /// How calls ended.
    pub ends: Vec<Outcome>,
}

/// A refusal that stands, of an earlier process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Its attempt.
    pub key: AttemptKey,
    /// Its recipient.
    pub recipient: RecipientId,
    /// How they were tried before.
    pub tried: Tried,
    /// It.
    pub refusal: Refusal,
}

/// Why a recipient is due later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// What they wait for.
    pub reason: WaitReason,
    /// When that was decided.
    pub since: Timestamp,
    /// How they were tried until then.
    pub tried: Tried,
}

/// Where a recipient was left whom a change moves on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Was {
    /// To be called, now or later.
    ToCall,
    /// In flight.
    InFlight,
    /// Refused, which is taken back.
    Refused,
}

/// One thing that happened, to be made durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// An attempt is about to be `POSTed`.
    Intend {
        /// Its key.
        key: AttemptKey,
        /// Its id.
        id: AttemptId,
        /// On whom.
        recipient: RecipientId,
        /// What is held for it.
        hold: Option<Decimal>,
        /// When.
        at: Timestamp,
    },
    /// An attempt moved on.
    Attempt {
        /// Its key.
        key: AttemptKey,
        /// Where it stood: what is not there any more is not written over.
        from: Stage,
        /// Where it stands now.
        state: AttemptState,
        /// When.
        at: Timestamp,
    },
    /// A recipient is due again.
    Due {
        /// Who.
        recipient: RecipientId,
        /// Where they stood.
        from: Was,
        /// From when on.
        at: DueAt,
        /// What they wait for, and how they were tried until then; none where they are due at once.
        waiting: Option<Waiting>,
    },
    /// A recipient has a disposition.
    Done {
        /// Who.
        recipient: RecipientId,
        /// Where they stood.
        from: Was,
        /// The verdict.
        disposition: Disposition,
        /// Why, where the disposition alone does not say it.
        reason: Option<String>,
    },
}

impl Change {
    /// The recipient who is due again or done by it.
    pub fn moved(&self) -> Option<RecipientId> {
        match self {
            Self::Due { recipient, .. } | Self::Done { recipient, .. } => Some(*recipient),
            Self::Intend { .. } | Self::Attempt { .. } => None,
        }
    }
}

/// What came of putting numbers on a suppression list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Added {
    /// Numbers that were not on the list.
    pub new: u64,
    /// Numbers that were on it, and now are for the new reason.
    pub renewed: u64,
    /// Numbers that were erased: suppressed already, and not stored again.
    pub erased: u64,
}

/// Numbers are taken off suppression lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// Off which list; none: off all.
    pub list: Option<String>,
    /// Who says so.
    pub who: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub why: Option<String>,
}

/// What is done to a suppression list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListAct {
    /// Numbers were put on it.
    Add,
    /// Numbers were taken off it.
    Remove,
    /// A number was erased, and stays suppressed by its hash.
    Erase,
}

impl ListAct {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Add, Self::Remove, Self::Erase];

    /// The word in the database and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Remove => "remove",
            Self::Erase => "erase",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.as_str() == word)
    }
}

/// The latest change of a suppression list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListChange {
    /// The list's name; none for a removal from all lists.
    pub list: Option<String>,
    /// What was done.
    pub what: ListAct,
    /// Who did it.
    pub who: String,
    /// When.
    pub at: Timestamp,
    /// To how many numbers.
    pub numbers: u64,
}

/// A call to somebody that is not over, as far as we know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StillOpen {
    /// Its run.
    pub run: RunId,
    /// The platform's name for it.
    pub call: Option<String>,
}

/// What was erased.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Erasure {
    /// Rows of lists that were emptied.
    pub rows: u64,
    /// Runs that they were in.
    pub runs: u64,
    /// Those of them that were still to be called.
    pub pending: u64,
    /// Texts that a person or the platform wrote, out of which the number was taken.
    pub texts: u64,
    /// Rows of other people that have the digits somewhere; left as they are.
    pub mentions: u64,
}

/// An attempt of which something is still to be known: whether it was called, its result or its price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsettled {
    /// Its key.
    pub key: AttemptKey,
    /// What is known of it.
    pub attempt: AttemptRecord,
    /// On whom.
    pub recipient: RecipientId,
    /// The line of the list on which they stand.
    pub line: u64,
    /// Their number or name; an empty one where it was erased.
    pub destination: Option<Destination>,
}

/// An attempt, as far as it matters to records of whole days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Its key.
    pub key: AttemptKey,
    /// Its id.
    pub id: AttemptId,
    /// Its call, where the platform told its id.
    pub call: Option<CallId>,
    /// When its intent was written.
    pub intended_at: Timestamp,
    /// When it was answered, or given up.
    pub answered_at: Option<Timestamp>,
}

/// What a person, or a record, knows about an attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct Settlement {
    /// The attempt.
    pub attempt: AttemptId,
    /// How the call ended, where a phone rang; none where none did.
    pub called: Option<Outcome>,
    /// The call, where its id was found out.
    pub call: Option<CallId>,
    /// How the person knows.
    pub why: String,
    /// Who says so.
    pub who: String,
    /// When.
    pub at: Timestamp,
    /// Who is called again in its run.
    pub retry: RetryPolicy,
    /// Drawn from 0 to 1, for the jitter of a wait.
    pub chance: f64,
}

/// Somebody leaves a wish for an engine, and is heard before that dials. Others may do so as well.
#[derive(Debug)]
pub struct Wishing {
    /// What says so for as long as it is held.
    _held: Box<dyn std::fmt::Debug + Send + Sync>,
}

impl Wishing {
    /// A wish is on its way for as long as that is held.
    pub(super) fn held_by(what: impl std::fmt::Debug + Send + Sync + 'static) -> Self {
        Self {
            _held: Box::new(what),
        }
    }
}
