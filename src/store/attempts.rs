//! Attempts of which something is still to be known, and what a person or a record knows of them.

use async_trait::async_trait;
use jiff::Timestamp;

use super::error::StoreError;
use crate::domain::{
    AttemptId, AttemptKey, AttemptRecord, CallId, Destination, Outcome, RecipientId, RetryPolicy,
    RunId, Wanted, Word,
};

/// Attempts, as people and records settle them.
#[async_trait]
pub trait AttemptStore: std::fmt::Debug + Send + Sync {
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

    /// On whom an attempt is; none where it is not known here.
    async fn called(&self, attempt: AttemptId) -> Result<Option<Called>, StoreError>;

    /// A person, or a record, settles attempts: all of them together or, on an error, none. Returns
    /// those of which nothing new was said, or which cannot be settled so.
    async fn resolve(
        &self,
        run: &RunId,
        settlements: &[Resolution],
    ) -> Result<Vec<AttemptId>, StoreError>;
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

/// On whom an attempt is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    /// The run.
    pub run: RunId,
    /// Their number or name; none where it was erased.
    pub endpoint: Option<String>,
    /// The row's cells, as a JSON array.
    pub cells: String,
    /// Whether somebody else was put on the line.
    pub connected: bool,
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
pub struct Resolution {
    /// The attempt.
    pub attempt: AttemptId,
    /// How the call ended, where a phone rang; none where none did.
    pub called: Option<Outcome>,
    /// The call, where its id was found out.
    pub call: Option<CallId>,
    /// Whose word it is: a record's is the platform's.
    pub word: Word,
    /// How the person knows.
    pub why: String,
    /// Who says so.
    pub who: String,
    /// When.
    pub at: Timestamp,
    /// Who is called again in its run.
    pub retry: RetryPolicy,
    /// What a call must bring beside its answer.
    pub wanted: Wanted,
    /// Drawn from 0 to 1, for the jitter of a wait.
    pub chance: f64,
}
