//! What became of runs and their recipients: counts, rows, stories.

mod endpoints;
mod results;
mod stories;

use async_trait::async_trait;

use super::SqliteStore;
use crate::domain::{Ahead, Backlog, RecipientId, ResultRow, RunEndpoints, RunId, Story, Tally};
use crate::store::{RecipientQuery, ReportStore, StoreError};

#[async_trait]
impl ReportStore for SqliteStore {
    async fn tally(&self, run: &RunId) -> Result<Tally, StoreError> {
        self.select_tally(run).await
    }

    async fn results(
        &self,
        run: &RunId,
        after: RecipientId,
        limit: u32,
    ) -> Result<Vec<ResultRow>, StoreError> {
        self.select_results(run, after, limit).await
    }

    async fn rejects(
        &self,
        run: &RunId,
        after: RecipientId,
        limit: u32,
    ) -> Result<Vec<ResultRow>, StoreError> {
        self.select_rejects(run, after, limit).await
    }

    async fn endpoints(&self, run: &RunId) -> Result<RunEndpoints, StoreError> {
        self.select_endpoints(run).await
    }

    async fn stories(&self, run: &RunId, whom: &RecipientQuery) -> Result<Vec<Story>, StoreError> {
        self.select_stories(run, whom).await
    }

    async fn backlog(&self, run: &RunId) -> Result<Vec<Backlog>, StoreError> {
        self.select_backlog(run).await.map_err(|e| self.fault(&e))
    }

    async fn ahead(&self, run: &RunId) -> Result<Vec<Ahead>, StoreError> {
        self.select_ahead(run).await.map_err(|e| self.fault(&e))
    }
}
