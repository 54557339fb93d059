//! Runs: making them with their lists, finding and changing them, and asking their engines.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::StoreError;
use crate::domain::{
    DestinationKind, Hold, PauseReason, RecipientId, RefusalCode, RejectKind, RunEvent, RunId,
    RunState, Spend, Zones,
};

/// What is done with whole runs.
#[async_trait]
pub trait RunStore: std::fmt::Debug + Send + Sync {
    /// Writes down a run whose list is still to be imported. One that is for an occurrence takes it,
    /// or is refused with [`StoreError::OccurrenceTaken`]. A campaign has at most one unfinished run,
    /// whoever begins another one at the same time: that is refused with [`StoreError::Unfinished`].
    /// Rehearsals and runs that are made by hand have none in their way.
    async fn create_run(&self, run: &NewRun) -> Result<(), StoreError>;

    /// Imports a run's list in one transaction: all of it or, after a crash, nothing. `rows` ends
    /// with [`Imported`] from the sender's side, or nothing is kept.
    async fn import(
        &self,
        run: &RunId,
        rows: Rows,
        imported: tokio::sync::oneshot::Receiver<Imported>,
    ) -> Result<(), StoreError>;

    /// The run with that id, all of it.
    async fn run(&self, id: &RunId) -> Result<Run, StoreError>;

    /// The runs whose id begins with `prefix`, latest first, without what is large in them; an empty
    /// prefix gives all.
    async fn run_heads(&self, prefix: &str) -> Result<Vec<RunHead>, StoreError>;

    /// The unfinished runs of a campaign, latest first: one at most, but for those that were there
    /// before that was a rule, or that were opened again. Rehearsals are none.
    async fn unfinished(&self, campaign: &str) -> Result<Vec<RunHead>, StoreError>;

    /// Forgets a run whose list was never imported.
    async fn forget_planned(&self, run: &RunId) -> Result<(), StoreError>;

    /// Cancels a run that no engine works on: everybody who is still to be called is not called any
    /// more, and where no call is open it ends. Otherwise the wish to cancel it stands, for the engine that
    /// collects the calls.
    async fn cancel_at_rest(&self, run: &RunId, now: Timestamp) -> Result<AtRest, StoreError>;

    /// Leaves a wish for the engine that works on a run, or takes it back.
    async fn ask_engine(&self, run: &RunId, wish: Option<Wish>) -> Result<(), StoreError>;

    /// Says that a wish is about to be left for an engine, for as long as what is returned is held: from
    /// before the run is looked at until the wish is left.
    async fn wishing(&self) -> Result<Wishing, StoreError>;

    /// Remembers the results file that was written for a run, by its path and SHA-256.
    async fn results_written(
        &self,
        run: &RunId,
        path: &Path,
        sha256: &str,
    ) -> Result<(), StoreError>;

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

    /// Changes what a run may cost. An engine at work does not notice.
    async fn set_spend(&self, run: &RunId, spend: &Spend) -> Result<(), StoreError>;

    /// A person says that the refusals which a run is paused for are the recipients' own: they are final,
    /// and their code pauses the run no more. Returns how many there were; none where no refusals paused
    /// it.
    async fn accept_refusals(&self, run: &RunId, now: Timestamp)
    -> Result<Option<u64>, StoreError>;
}

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
    /// Rows of its list; zero until it is imported.
    pub rows: u64,
    /// SHA-256 of the list's bytes, in hex.
    pub list_sha256: Option<String>,
    /// What the list's endpoints are.
    pub destination_kind: DestinationKind,
    /// How its engine stood when it last told.
    pub telling: Option<EngineStatus>,
    /// By which version of the rules the numbers of its rows were read.
    pub reader: u32,
    /// When its personal data was deleted.
    pub purged_at: Option<Timestamp>,
    /// The results file that was written last, and its SHA-256 in hex.
    pub results: Option<(PathBuf, String)>,
}

/// A run in a list of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunHead {
    /// Its id.
    pub id: RunId,
    /// The campaign's name.
    pub campaign: String,
    /// Where the campaign file was, absolute.
    pub definition_path: PathBuf,
    /// Whether it runs against the simulator.
    pub rehearsal: bool,
    /// Where it stands.
    pub state: RunState,
    /// Whether its list is imported in full.
    pub imported: bool,
    /// What it was planned as.
    pub planned: Planned,
    /// When it was made.
    pub created_at: Timestamp,
    /// The occurrence of its schedule that it was started for; none where a person started it.
    pub scheduled_for: Option<Timestamp>,
    /// From then on it calls nobody any more; none where that never comes.
    pub expires_at: Option<Timestamp>,
    /// When it ended, or stopped last; none where it did neither.
    pub ended_at: Option<Timestamp>,
    /// When its personal data was deleted; none while it is there.
    pub purged_at: Option<Timestamp>,
    /// The results file that was written last, and its SHA-256 in hex.
    pub results: Option<(PathBuf, String)>,
}

/// How an engine stands, for other terminals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EngineStatus {
    /// In words, what keeps it from dialling faster.
    pub why: String,
    /// The same in one word, for programs; empty where an earlier version told it.
    #[serde(default)]
    pub slow: String,
    /// Calls per second at most, now.
    pub rate: f64,
    /// Attempts that are not over.
    pub in_flight: usize,
    /// Uncertain attempts that hold a place of `concurrent_calls`.
    pub uncertain_held: usize,
    /// 429s obeyed since it started.
    pub slowed_down: u64,
    /// Whether the platform is expected to tell of every call.
    #[serde(default)]
    pub hears: bool,
}

/// What another terminal can wish of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Stop, with work left.
    Pause,
    /// Call nobody else, and end.
    Cancel,
}

/// What came of cancelling a run at rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AtRest {
    /// So many people are called no more.
    pub cancelled: u64,
    /// So many calls have no result yet; where there are any the run is not over.
    pub open: u64,
}

/// How a run stops or ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunEnd {
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
            Self::Paused(_) => RunEvent::Paused,
            Self::Completed => RunEvent::Completed,
            Self::Cancelled => RunEvent::Cancelled,
            Self::Expired => RunEvent::Expired,
        }
    }
}

/// Somebody leaves a wish for an engine, and is heard before that dials. Others may do so as well.
#[derive(Debug)]
pub struct Wishing {
    /// What says so for as long as it is held.
    _held: Box<dyn std::fmt::Debug + Send + Sync>,
}

impl Wishing {
    /// A wish is on its way for as long as that is held.
    pub fn held_by(what: impl std::fmt::Debug + Send + Sync + 'static) -> Self {
        Self {
            _held: Box::new(what),
        }
    }
}

/// A sender's end of an import, and how many chunks may wait in it.
pub type Rows = tokio::sync::mpsc::Receiver<Vec<ImportedRow>>;

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
