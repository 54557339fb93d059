//! The database as a whole: whether it is sound and the latest, its copies, and what it knows of time.

mod accept;
mod backup;
mod clock;

use std::path::{Path, PathBuf};

use async_trait::async_trait;

use super::engine::kept;
use super::runs::DOUBLED;
use super::vacuum::OWED;
use super::{SqliteStore, open};
use crate::domain::{BY_HAND, ClockAccepted, Newest, RunId};
use crate::store::{Accepted, Accepting, Copied, Gap, RunHead, StoreError, Upkeep};

pub(in crate::store) use backup::restore;

#[async_trait]
impl Upkeep for SqliteStore {
    async fn check(&self) -> Result<(), StoreError> {
        self.check_file().await
    }

    async fn doubled_runs(&self) -> Result<Vec<RunHead>, StoreError> {
        self.heads(sqlx::query(DOUBLED).bind(BY_HAND)).await
    }

    async fn gap(&self) -> Result<Option<Gap>, StoreError> {
        self.look_for_gap().await
    }

    async fn accept(&self, accepting: &Accepting) -> Result<Option<Accepted>, StoreError> {
        self.accept_gap(accepting).await
    }

    async fn engine_at_work(&self) -> Result<Option<RunId>, StoreError> {
        open::engine_at_work(Path::new(&self.path))
    }

    async fn backup(&self, to: &Path) -> Result<Copied, StoreError> {
        self.copy_to(to).await
    }

    fn foreign_answers(&self) -> Vec<PathBuf> {
        kept::foreign(self.identity.file())
    }

    async fn vacuum_owed(&self) -> Result<bool, StoreError> {
        sqlx::query_scalar(OWED)
            .fetch_one(&self.readers)
            .await
            .map_err(|e| self.fault(&e))
    }

    async fn newest(&self) -> Result<Option<Newest>, StoreError> {
        self.select_newest().await.map_err(|e| self.fault(&e))
    }

    async fn accept_clock(&self, accepted: &ClockAccepted) -> Result<(), StoreError> {
        self.insert_accepted(accepted)
            .await
            .map_err(|e| self.fault(&e))
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.sync_mark().await?;
        self.readers.close().await;
        let mut writer = self.writer.lock().await;
        sqlx::query("pragma wal_checkpoint(truncate)")
            .execute(&mut *writer)
            .await
            .map(drop)
            .map_err(|e| self.fault(&e))
    }
}
