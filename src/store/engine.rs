//! What an engine asks of a store, and what travels there: due recipients, intents, what is learned of them.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::error::StoreError;
use super::runs::EngineStatus;
use super::runs::RunEnd;
use super::runs::Wish;
use crate::domain::retry::PerNumber;
use crate::domain::{
    AttemptEvent, AttemptId, AttemptKey, AttemptState, CallId, Charges, Disposition, Hold, InCall,
    Outcome, RecipientId, RecipientState, Refusal, RetryPolicy, RunId, Stage, Suppressions, Tried,
    WaitReason, Wanted, Zones,
};

/// What an engine asks of a store. One engine writes a run at a time.
#[async_trait]
pub trait EngineStore: std::fmt::Debug + Send + Sync {
    /// Compares the database with what is known of it outside of it, and refuses one that lacks
    /// anything of that with [`StoreError::Gap`]. No intent is committed before.
    async fn compare(&self) -> Result<(), StoreError>;

    /// Looks whether the database is still the one that was opened, and refuses one that was replaced
    /// or removed with [`StoreError::Gone`]. To be asked each second while somebody is dialled.
    async fn watch(&self) -> Result<(), StoreError>;

    /// Says to other processes which run this engine works on.
    async fn take_run(&self, run: &RunId) -> Result<(), StoreError>;

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
    async fn due_page(
        &self,
        run: &RunId,
        now: Timestamp,
        after: Option<&Cursor>,
        limit: u32,
        per_number: Option<PerNumber>,
    ) -> Result<DuePage, StoreError>;

    /// Makes attempts durable before any of them is `POSTed`, and in the same transaction what was learned
    /// meanwhile: all of it or nothing. Returns the keys of the attempts that stand; no other may be
    /// `POSTed`. An error says nothing about what is on disk: stop, and let recovery read it.
    async fn intend(
        &self,
        run: &RunId,
        intents: &[Intent],
        facts: &[Fact],
    ) -> Result<Vec<AttemptKey>, StoreError>;

    /// Makes durable what was learned: all of it or nothing. A row that is not where it was left is not
    /// written over, and none of the others either. An error says nothing about what is on disk.
    async fn record(&self, run: &RunId, facts: &[Fact]) -> Result<(), StoreError>;

    /// Keeps what could not be recorded in a place of its own, which recovery reads back.
    fn keep_aside(&self, run: &RunId, facts: &[Fact]) -> Result<(), StoreError>;

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

    /// The suppression lists where they have changed since a revision; none where they have not.
    /// Cheap where they have not.
    async fn suppressions_since(&self, revision: i64) -> Result<Option<Suppressions>, StoreError>;

    /// An engine goes to work on a run, which is running from now on. Returns what it has to know of it.
    async fn begin_work(&self, run: &RunId, now: Timestamp) -> Result<Begun, StoreError>;

    /// A run stops or ends, all that belongs to that at once: where it is cancelled or expires, everybody
    /// who is still to be called is not called any more, and a wish that was granted is taken back. One
    /// that is said to be completed while somebody is to be called again is paused. Returns how many
    /// people are called no more.
    async fn end_run(&self, run: &RunId, end: &RunEnd, now: Timestamp) -> Result<u64, StoreError>;

    /// The wish that stands.
    async fn asked(&self, run: &RunId) -> Result<Option<Wish>, StoreError>;

    /// Whose calls these are: of each pair the attempt with that id or, where none is named or known, the
    /// one whose call that is. None where nobody here knows either.
    async fn whose(
        &self,
        named: &[(Option<AttemptId>, Option<CallId>)],
    ) -> Result<Vec<Option<Whose>>, StoreError>;

    /// The platform's word on attempts of a run which no engine has in hand: all of it or, on an error,
    /// nothing. What follows for their recipients is decided as after a poll, and decided anew where something
    /// was heard in a call that is over: a retry that is not an attempt yet is taken back by it. Whoever is not the engine
    /// leaves a run alone on which one is at work.
    async fn observe(&self, run: &RunId, heard: &[Heard]) -> Result<Vec<Observed>, StoreError>;

    /// What was heard in calls, whether these are over or not, is durable when this returns; and so are, on the
    /// suppression lists that were asked for, the numbers of those who do not want to be called again. Twice is
    /// once, be it told by several: what is known of a menu of a call stands. What was pressed of a row that was
    /// erased or purged since is kept without its words.
    async fn pressed(&self, presses: &[Press]) -> Result<(), StoreError>;

    /// Tells other terminals how the engine stands.
    async fn report_status(&self, run: &RunId, telling: &EngineStatus) -> Result<(), StoreError>;
}

/// What an engine has to know of the run on which it goes to work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// The campaign's name.
    pub campaign: String,
    /// From then on it calls nobody any more; none where that never comes.
    pub expires_at: Option<Timestamp>,
    /// A wish that was left before it began.
    pub wish: Option<Wish>,
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

/// A place in the order in which recipients become due. What it says is known to the store that made it
/// alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(Arc<[i64]>);

impl Cursor {
    /// A place, as a store finds it again.
    pub fn new(place: &[i64]) -> Self {
        Self(place.into())
    }

    /// What the store said that made it.
    pub fn place(&self) -> &[i64] {
        &self.0
    }
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
    /// What was heard in it, and what they pressed in the calls before it.
    pub heard: InCall,
}

/// An attempt by its id or its call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whose {
    /// Its key.
    pub key: AttemptKey,
    /// Its id.
    pub attempt: AttemptId,
    /// Its run.
    pub run: RunId,
    /// On whom.
    pub recipient: RecipientId,
}

/// Something that was heard in a call: what was pressed in a menu, or that a machine answered.
#[derive(Clone, PartialEq, Eq)]
pub struct Press {
    /// In whose call.
    pub attempt: AttemptId,
    /// When, by the platform's clock.
    pub at: Timestamp,
    /// The how-manyth menu of the call it was pressed in, from 1; none where a machine answered, and where a
    /// campaign brings its own SVAML: what is pressed there is told apart by its moment.
    pub nth: Option<u32>,
    /// What was pressed; none where a machine answered.
    pub value: Option<String>,
    /// What that makes of the call.
    pub makes: InCall,
    /// The suppression list that the number goes on by it; none: on none.
    pub suppress: Option<String>,
}

impl std::fmt::Debug for Press {
    /// What people press may be a number of theirs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Press")
            .field("attempt", &self.attempt)
            .field("nth", &self.nth)
            .field("makes", &self.makes)
            .finish_non_exhaustive()
    }
}

/// The platform's word on an attempt.
#[derive(Debug, Clone)]
pub struct Heard {
    /// Which.
    pub attempt: AttemptId,
    /// The word: [`AttemptEvent::Seen`] or [`AttemptEvent::Ended`]; none where it is about nothing but what was
    /// heard in the call, which was kept before.
    pub event: Option<AttemptEvent>,
    /// When it was heard.
    pub at: Timestamp,
    /// Who is called again in its run.
    pub retry: RetryPolicy,
    /// What a call must bring beside its answer.
    pub wanted: Wanted,
    /// Drawn from 0 to 1, for the jitter of a wait.
    pub chance: f64,
}

/// What became of a word on an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observed {
    /// There is no such attempt in the run.
    Unknown,
    /// An engine is at work on the run, and hears of it itself.
    InHand,
    /// It is taken into account. A repeat changes nothing.
    Taken(Box<Taken>),
}

/// An attempt after a word on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Its key.
    pub key: AttemptKey,
    /// On whom.
    pub recipient: RecipientId,
    /// Where it stood.
    pub before: Stage,
    /// Where it stands now.
    pub state: AttemptState,
    /// What is held for it; none where the run has no cap.
    pub hold: Option<Decimal>,
    /// When its intent was written.
    pub intended_at: Timestamp,
    /// Where the recipient stood.
    pub was: RecipientState,
    /// Where the recipient stands now, where they moved.
    pub moved: Option<RecipientState>,
    /// What was heard in its call, and what they pressed in others.
    pub heard: InCall,
    /// The leg that the word was about, and how that ended as far as it is known; none where it was about its own call.
    pub leg: Option<(CallId, Outcome)>,
    /// In words, why a person must look at once: the attempt made two calls, or its recipient was called
    /// again after a person had said that nobody was called.
    pub alarm: Option<String>,
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

/// An attempt that is about to be `POSTed`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// Its key.
    pub key: AttemptKey,
    /// Its id.
    pub id: AttemptId,
    /// On whom.
    pub recipient: RecipientId,
    /// What is held for it; none where the run has no cap.
    pub hold: Option<Decimal>,
    /// When.
    pub at: Timestamp,
}

/// Something that was learned or decided, to be made durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
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
    /// An attempt has another call than the one that is known.
    SecondCall {
        /// Its key.
        key: AttemptKey,
        /// The other call.
        call: CallId,
        /// When it was heard of.
        at: Timestamp,
    },
    /// The call of an attempt was connected to somebody, whose leg this is.
    Leg {
        /// The attempt's key.
        key: AttemptKey,
        /// The leg's call.
        call: CallId,
        /// How it ended, as far as that is known.
        outcome: Outcome,
        /// When it was heard of.
        at: Timestamp,
    },
}

impl Fact {
    /// The recipient who is due again or done by it.
    pub fn moved(&self) -> Option<RecipientId> {
        match self {
            Self::Due { recipient, .. } | Self::Done { recipient, .. } => Some(*recipient),
            Self::Attempt { .. } | Self::SecondCall { .. } | Self::Leg { .. } => None,
        }
    }
}
