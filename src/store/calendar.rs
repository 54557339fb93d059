//! What became of the occurrences of schedules.

use async_trait::async_trait;
use jiff::Timestamp;

use super::error::StoreError;
use crate::domain::{Past, RunId, Skip, SkipKind};

/// What became of the occurrences of schedules. Each has one fate.
#[async_trait]
pub trait Calendar: std::fmt::Debug + Send + Sync {
    /// What is known of a campaign's occurrences up to now, and of its latest run.
    async fn occurrences_until(&self, campaign: &str, now: Timestamp) -> Result<Past, StoreError>;

    /// Records occurrences that do not run. Those of which something has become already are left as
    /// they are; returns how many were recorded.
    async fn record_skips(
        &self,
        campaign: &str,
        skips: &[Skip],
        now: Timestamp,
    ) -> Result<u64, StoreError>;

    /// The latest occurrences of a campaign of which something has become, latest first.
    async fn occurrences(
        &self,
        campaign: &str,
        limit: u32,
    ) -> Result<Vec<OccurrenceRecord>, StoreError>;
}

/// What became of an occurrence of a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OccurrenceRecord {
    /// Which.
    pub scheduled_for: Timestamp,
    /// What.
    pub fate: OccurrenceFate,
    /// When that was decided.
    pub at: Timestamp,
}

/// What an occurrence came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OccurrenceFate {
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
