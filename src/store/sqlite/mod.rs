//! The store on SQLite: one writer connection, readers beside it, write-ahead log, every commit
//! synced to disk before it returns.
//!
//! `file` looks at what is there, `open` makes and checks it, `identity` tells by its `mark` whether it is
//! the latest, `accept` and `backup` are for when it is not, `import`, `commit` and `recovery` are the
//! engine's side, `runs`, `occurrences` and `results` everybody's, `settle`, `suppressions`, `privacy`
//! and `scrub` a person's. Times are bound values, never the database's own.

mod accept;
mod aside;
mod backup;
mod clock;
mod commit;
mod endpoints;
mod fault;
mod file;
mod group;
mod identity;
mod import;
mod kept;
mod mark;
mod occurrences;
mod open;
mod privacy;
mod recovery;
mod refusals;
mod rereading;
mod results;
mod runs;
mod scrub;
mod settle;
mod spend;
mod stories;
mod suppressions;
mod unsettled;
mod wishing;

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use jiff::Timestamp;
use roaring::RoaringTreemap;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection, SqlitePool};
use tokio::sync::{Mutex, oneshot};

use super::{
    Accepted, Accepting, Added, Change, Copied, Cursor, DuePage, Erasure, Gap, Imported,
    ListChange, Made, NewRun, OccurrenceRecord, OpenCall, Recovery, RejectedRow, Removal, Rows,
    Run, RunEnd, Settlement, StillOpen, Store, StoreError, Telling, Unsettled, Whom, Wish, Wishing,
    WrittenOtherwise,
};
use crate::domain::retry::PerNumber;
use crate::domain::{
    AttemptId, AttemptKey, Backlog, Charges, ClockAccepted, Digits, Disposition, Newest, Past,
    RecipientId, ResultRow, RunEndpoints, RunId, Skip, Spend, Story, Suppression, Suppressions,
    Tally, Tried,
};

pub(super) use backup::restore;
pub use file::belongs_to_a_database;
pub(super) use open::{delete_rehearsal as begin_anew, open};

/// A store in one SQLite file.
#[derive(Debug)]
pub(super) struct SqliteStore {
    /// The file, as people know it.
    path: String,
    writer: Mutex<SqliteConnection>,
    readers: SqlitePool,
    /// Held for as long as this process is the engine of this database.
    engine: Option<open::EngineLock>,
    /// Which database it is, and its mark.
    identity: identity::Identity,
}

impl SqliteStore {
    fn fault(&self, error: &sqlx::Error) -> StoreError {
        fault::fault(&self.path, error)
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn compare(&self) -> Result<(), StoreError> {
        self.compare_with_mark().await
    }

    async fn accept(&self, accepting: &Accepting) -> Result<Option<Accepted>, StoreError> {
        self.accept_gap(accepting).await
    }

    async fn gap(&self) -> Result<Option<Gap>, StoreError> {
        self.look_for_gap().await
    }

    async fn watch(&self) -> Result<(), StoreError> {
        self.watch_files().await
    }

    async fn create_run(&self, run: &NewRun) -> Result<(), StoreError> {
        self.insert_run(run).await
    }

    async fn import(
        &self,
        run: &RunId,
        rows: Rows,
        imported: oneshot::Receiver<Imported>,
    ) -> Result<(), StoreError> {
        self.import_list(run, rows, imported).await
    }

    async fn runs(&self, prefix: &str) -> Result<Vec<Run>, StoreError> {
        self.select_runs(prefix).await
    }

    async fn set_run(&self, run: &RunId, end: &RunEnd, now: Timestamp) -> Result<(), StoreError> {
        self.update_run(run, end, now).await
    }

    async fn wish(&self, run: &RunId, wish: Option<Wish>) -> Result<(), StoreError> {
        self.update_wish(run, wish)
            .await
            .map_err(|e| self.fault(&e))
    }

    async fn wished(&self, run: &RunId) -> Result<Option<Wish>, StoreError> {
        self.select_wish(run).await.map_err(|e| self.fault(&e))
    }

    async fn wishing(&self) -> Result<Wishing, StoreError> {
        wishing::begin(Path::new(&self.path))
    }

    async fn engine_at_work(&self) -> Result<Option<RunId>, StoreError> {
        open::engine_at_work(Path::new(&self.path))
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.check_file().await
    }

    async fn backup(&self, to: &Path) -> Result<Copied, StoreError> {
        self.copy_to(to).await
    }

    fn foreign_answers(&self) -> Vec<PathBuf> {
        kept::foreign(self.identity.file())
    }

    async fn scrub_owed(&self) -> Result<bool, StoreError> {
        self.select_scrub_owed().await.map_err(|e| self.fault(&e))
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

    fn claim(&self, run: &RunId) -> Result<(), StoreError> {
        let Some(engine) = &self.engine else {
            return Ok(());
        };
        engine
            .claim(run)
            .map_err(|e| StoreError::unusable(&format!("{}-lock", self.path), "written", &e))
    }

    async fn tell(&self, run: &RunId, telling: &Telling) -> Result<(), StoreError> {
        self.update_telling(run, telling)
            .await
            .map_err(|e| self.fault(&e))
    }

    async fn results_written(
        &self,
        run: &RunId,
        path: &Path,
        sha256: &str,
    ) -> Result<(), StoreError> {
        self.update_results(run, path, sha256)
            .await
            .map_err(|e| self.fault(&e))
    }

    async fn forget_planned(&self, run: &RunId) -> Result<(), StoreError> {
        self.delete_planned(run).await.map_err(|e| self.fault(&e))
    }

    async fn cancel_pending(&self, run: &RunId) -> Result<u64, StoreError> {
        self.update_pending(run, Disposition::Cancelled)
            .await
            .map_err(|e| self.fault(&e))
    }

    async fn expire_pending(&self, run: &RunId) -> Result<u64, StoreError> {
        self.update_pending(run, Disposition::Expired)
            .await
            .map_err(|e| self.fault(&e))
    }

    async fn written_otherwise(
        &self,
        run: &RunId,
        column: usize,
        after: RecipientId,
        limit: u32,
    ) -> Result<Vec<WrittenOtherwise>, StoreError> {
        self.select_written_otherwise(run, column, after, limit)
            .await
            .map_err(|e| self.fault(&e))
    }

    async fn reject(&self, rejects: &[(RecipientId, RejectedRow)]) -> Result<(), StoreError> {
        self.update_rejects(rejects)
            .await
            .map_err(|e| self.fault(&e))
    }

    async fn was_read_again(&self, run: &RunId, whole: bool) -> Result<(), StoreError> {
        self.update_reader(run, whole)
            .await
            .map_err(|e| self.fault(&e))
    }

    async fn past(&self, campaign: &str, now: Timestamp) -> Result<Past, StoreError> {
        self.select_past(campaign, now)
            .await
            .map_err(|e| self.fault(&e))
    }

    async fn skip(
        &self,
        campaign: &str,
        skips: &[Skip],
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        self.insert_skips(campaign, skips, now)
            .await
            .map_err(|e| self.fault(&e))
    }

    async fn occurrences(
        &self,
        campaign: &str,
        limit: u32,
    ) -> Result<Vec<OccurrenceRecord>, StoreError> {
        self.select_occurrences(campaign, limit)
            .await
            .map_err(|e| self.fault(&e))
    }

    async fn recover(&self, run: &RunId, now: Timestamp) -> Result<Recovery, StoreError> {
        self.recover_run(run, now).await
    }

    async fn open_calls(
        &self,
        run: &RunId,
        after: RecipientId,
        limit: u32,
    ) -> Result<Vec<OpenCall>, StoreError> {
        self.select_open_calls(run, after, limit).await
    }

    async fn due(
        &self,
        run: &RunId,
        now: Timestamp,
        after: Option<Cursor>,
        limit: u32,
        per_number: Option<PerNumber>,
    ) -> Result<DuePage, StoreError> {
        self.select_due(run, now, after, limit, per_number)
            .await
            .map_err(|e| self.fault(&e))
    }

    async fn commit(&self, run: &RunId, changes: &[Change]) -> Result<(), StoreError> {
        self.commit_group(run, changes).await
    }

    async fn charges(&self, run: &RunId) -> Result<Vec<Charges>, StoreError> {
        self.select_charges(run).await
    }

    async fn charges_within(
        &self,
        campaign: &str,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Charges>, StoreError> {
        self.select_charges_within(campaign, from, until).await
    }

    async fn charges_ahead(
        &self,
        campaign: &str,
        day: (Timestamp, Timestamp),
    ) -> Result<Vec<Charges>, StoreError> {
        self.select_charges_ahead(campaign, day).await
    }

    async fn intended_from(
        &self,
        campaign: &str,
        from: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        self.select_intended_from(campaign, from)
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

    async fn set_spend(&self, run: &RunId, spend: &Spend) -> Result<(), StoreError> {
        self.update_spend(run, spend)
            .await
            .map_err(|e| self.fault(&e))
    }

    async fn accept_refusals(
        &self,
        run: &RunId,
        now: Timestamp,
    ) -> Result<Option<u64>, StoreError> {
        self.accept_refusals_of(run, now).await
    }

    fn keep_aside(&self, run: &RunId, changes: &[Change]) -> Result<(), StoreError> {
        let Some(engine) = &self.engine else {
            return Err(StoreError::Database(
                "only the engine keeps answers aside".into(),
            ));
        };
        let mut group = group::Group::of(run, changes);
        group.database = self.identity.id();
        engine.aside.append(&group).map_err(|e| {
            StoreError::unusable(&engine.aside.path().display().to_string(), "written", &e)
        })
    }

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

    async fn stories(&self, run: &RunId, whom: &Whom) -> Result<Vec<Story>, StoreError> {
        self.select_stories(run, whom).await
    }

    async fn backlog(&self, run: &RunId) -> Result<Vec<Backlog>, StoreError> {
        self.select_backlog(run).await.map_err(|e| self.fault(&e))
    }

    async fn unsettled(
        &self,
        run: &RunId,
        after: (RecipientId, AttemptKey),
        limit: u32,
    ) -> Result<Vec<Unsettled>, StoreError> {
        self.select_unsettled(run, after, limit).await
    }

    async fn made_within(
        &self,
        platform: &str,
        within: (Timestamp, Timestamp),
        after: AttemptKey,
        limit: u32,
    ) -> Result<Vec<Made>, StoreError> {
        self.select_made_within(platform, within, after, limit)
            .await
    }

    async fn settle(
        &self,
        run: &RunId,
        settlements: &[Settlement],
    ) -> Result<Vec<AttemptId>, StoreError> {
        self.settle_attempts(run, settlements).await
    }

    async fn suppressions(&self) -> Result<Suppressions, StoreError> {
        self.select_suppressions().await
    }

    async fn suppressions_since(&self, revision: i64) -> Result<Option<Suppressions>, StoreError> {
        let now = self.select_revision().await.map_err(|e| self.fault(&e))?;
        if now == revision {
            return Ok(None);
        }
        self.select_suppressions().await.map(Some)
    }

    async fn suppress(
        &self,
        reason: &Suppression,
        numbers: &RoaringTreemap,
    ) -> Result<Added, StoreError> {
        self.insert_suppressed(reason, numbers).await
    }

    async fn unsuppress(
        &self,
        numbers: &RoaringTreemap,
        removal: &Removal,
    ) -> Result<u64, StoreError> {
        self.delete_suppressed(numbers, removal).await
    }

    async fn imported_again(&self, list: &str) -> Result<(), StoreError> {
        self.update_list_readers(list)
            .await
            .map_err(|e| self.fault(&e))
    }

    async fn list_changes(&self) -> Result<Vec<ListChange>, StoreError> {
        self.select_list_changes().await.map_err(|e| self.fault(&e))
    }

    async fn suppress_erased(
        &self,
        number: Digits,
        reason: &Suppression,
        key: &[u8; 32],
    ) -> Result<(), StoreError> {
        self.insert_erased(number, reason, key).await
    }

    async fn open_calls_to(&self, number: Digits) -> Result<Vec<StillOpen>, StoreError> {
        self.select_open_calls_to(number)
            .await
            .map_err(|e| self.fault(&e))
    }

    async fn erase(
        &self,
        number: Digits,
        national: &str,
        reason: &Suppression,
    ) -> Result<Erasure, StoreError> {
        self.erase_rows(number, national, reason)
            .await
            .map_err(|e| self.fault(&e))
    }

    async fn purge(&self, run: &RunId, now: Timestamp) -> Result<(), StoreError> {
        self.purge_run(run, now).await.map_err(|e| self.fault(&e))
    }

    async fn scrub(&self) -> Result<(), StoreError> {
        self.scrub_file().await
    }
}

/// A moment as the tables hold it: milliseconds since 1970 UTC.
fn millis(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// The moment behind stored milliseconds.
fn moment(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// How often a recipient was tried.
fn tried(row: &SqliteRow) -> Result<Tried, sqlx::Error> {
    let packed: i64 = row.try_get("tried")?;
    let tried = Tried::unpack(packed);
    tried.ok_or_else(|| sqlx::Error::Decode(format!("`tried` is {packed}").into()))
}
