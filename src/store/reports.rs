//! What became of a run and its recipients, for people and files.

use async_trait::async_trait;

use super::error::StoreError;
use crate::domain::{Ahead, Backlog, RecipientId, ResultRow, RunEndpoints, RunId, Story, Tally};

/// Reads what became of runs.
#[async_trait]
pub trait ReportStore: std::fmt::Debug + Send + Sync {
    /// The counts of a run, from its rows.
    async fn tally(&self, run: &RunId) -> Result<Tally, StoreError>;

    /// Rows with their attempts in the list's order: those after `after`.
    async fn results(
        &self,
        run: &RunId,
        after: RecipientId,
        limit: u32,
    ) -> Result<Vec<ResultRow>, StoreError>;

    /// Rejects in the list's order, without attempts: those after `after`.
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
    async fn stories(&self, run: &RunId, whom: &RecipientQuery) -> Result<Vec<Story>, StoreError>;

    /// Whom a run has still to call, by what they wait for.
    async fn backlog(&self, run: &RunId) -> Result<Vec<Backlog>, StoreError>;

    /// Whom a run has still to call and does not hold, by where they are, how they were tried and the minute in
    /// which they are due.
    async fn ahead(&self, run: &RunId) -> Result<Vec<Ahead>, StoreError>;
}

/// Which recipients of a run are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecipientQuery {
    /// Those with this endpoint: the one that is called, and its duplicates.
    Endpoint(String),
    /// The one on this line of the list.
    Line(u64),
}
