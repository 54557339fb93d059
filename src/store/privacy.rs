//! Forgetting people.

use async_trait::async_trait;
use jiff::Timestamp;

use super::error::StoreError;
use crate::domain::{Digits, RunId, Suppression};

/// Takes people out of the database.
#[async_trait]
pub trait PrivacyStore: std::fmt::Debug + Send + Sync {
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
    async fn vacuum(&self) -> Result<(), StoreError>;
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
