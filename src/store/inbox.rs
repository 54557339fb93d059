//! The platform's events as they came: durable before they are answered, read by whoever may move attempts.
//!
//! Events wait in a place of their own, so that nothing that writes the database for long (an import, a purge, a
//! rewrite) stands between an event and its answer. An event is told apart by its bytes and the moment that was
//! signed: a repeat is one event.

use async_trait::async_trait;
use jiff::Timestamp;

use super::error::StoreError;
use crate::domain::svaml::Event as Kind;
use crate::domain::{AttemptId, CallId, EventNumber, RunId};

/// What came from the platform, and what becomes of it.
#[async_trait]
pub trait Inbox: std::fmt::Debug + Send + Sync {
    /// Makes an event durable, together with whatever else waits for the disk. Returns whether it is new:
    /// false for a repeat, which changes nothing. On an error it must not be answered with 2xx.
    async fn keep(&self, arrival: Arrival) -> Result<bool, StoreError>;

    /// Events of which nobody has said yet whose they are, in the order in which they came: those behind a place.
    async fn pending(&self, after: EventNumber, limit: u32) -> Result<Vec<Received>, StoreError>;

    /// Whose events were, once what follows from them is durable. They are pending no more. Twice is once.
    async fn handled(
        &self,
        events: &[(EventNumber, Owner)],
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Adds to the counts of requests that were refused, by reason.
    async fn count_refused(
        &self,
        refused: &[(&'static str, u64)],
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Whoever receives events is there until that moment, and says so again before it.
    async fn receiver_until(&self, until: Timestamp) -> Result<(), StoreError>;

    /// Whether somebody receives events now.
    async fn is_received(&self, now: Timestamp) -> Result<bool, StoreError>;

    /// How many came, whose they were, and how many were refused and why.
    async fn standing(&self) -> Result<InboxStanding, StoreError>;

    /// Calls of a run whose end the platform told, as far as their events are still kept.
    async fn ends_told(&self, run: &RunId) -> Result<u64, StoreError>;

    /// Deletes what was kept long enough: events that belong to nobody after a day; the bodies of a run's
    /// events a week after it ended.
    async fn tidy(&self, now: Timestamp) -> Result<(), StoreError>;

    /// The secrets that callback paths carry now, the current one first; after a change the one before it is
    /// good for a day.
    async fn callback_secrets(&self, now: Timestamp) -> Result<Vec<String>, StoreError>;

    /// Changes the secret: the one before is taken for a day more. Returns the new one.
    async fn change_callback_secret(&self, secret: &str, now: Timestamp) -> Result<(), StoreError>;
}

/// The kind of an event that was refused for its age although its signature is good: it is kept to have its call
/// asked about at once, and tells nothing else.
pub const LATE: &str = "late";

/// An event whose signature was good.
#[derive(Clone, PartialEq, Eq)]
pub struct Arrival {
    /// Its body, byte by byte.
    pub body: Vec<u8>,
    /// The `x-timestamp` that was signed.
    pub signed_at: String,
    /// When it came.
    pub at: Timestamp,
    /// Which event it is: `ice`, `ace`, `pie`, `dice`, `notify` or another word; [`LATE`] where it was refused.
    pub kind: String,
    /// The attempt that its `custom` names.
    pub attempt: Option<AttemptId>,
    /// Its call.
    pub call: Option<CallId>,
}

impl Arrival {
    /// Whether somebody on the line waits for what is said next.
    pub fn is_answered(&self) -> bool {
        Kind::parse(&self.kind).is_some_and(Kind::needs_action)
    }
}

impl std::fmt::Debug for Arrival {
    /// The body has people's numbers.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Arrival")
            .field("kind", &self.kind)
            .field("attempt", &self.attempt)
            .field("call", &self.call)
            .finish_non_exhaustive()
    }
}

/// An event that waits for somebody to say whose it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Received {
    /// Its place.
    pub number: EventNumber,
    /// It.
    pub arrival: Arrival,
}

impl std::fmt::Debug for Received {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Received")
            .field("number", &self.number)
            .field("arrival", &self.arrival)
            .finish()
    }
}

/// Whose an event is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// An attempt of that run.
    Run(RunId),
    /// Nobody here: it names no attempt, and no call that is known.
    Nobody,
    /// It names an attempt of our form that this database does not know: an older copy may have been put in
    /// its place.
    UnknownAttempt,
}

/// What came so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InboxStanding {
    /// Events that were taken, by kind.
    pub taken: Vec<(String, u64)>,
    /// Those of them that wait to be read.
    pub pending: u64,
    /// Those of the last day that belong to nobody.
    pub nobodys: u64,
    /// How many of these were somebody's call to a number of the application.
    pub strange_calls: u64,
    /// Those that name an attempt which this database does not know.
    pub unknown_attempts: u64,
    /// When the last one came.
    pub last_at: Option<Timestamp>,
    /// Requests that were refused, by reason.
    pub refused: Vec<(String, u64)>,
}
