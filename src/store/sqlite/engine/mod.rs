//! An engine's side: who is due, what is committed and recovered, and how a run stands.

pub(super) mod aside;
mod charges;
pub(super) mod commit;
pub(super) mod due;
pub(super) mod group;
mod heard;
pub(super) mod kept;
mod recovery;
mod standing;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::Row as _;

use super::SqliteStore;
use super::rows::json;
use crate::domain::retry::PerNumber;
use crate::domain::{AttemptId, AttemptKey, CallId, Charges, RecipientId, RunId, Suppressions};
use crate::store::{
    Begun, Cursor, DuePage, EngineStatus, EngineStore, Fact, Heard, Intent, Observed, OpenCall,
    Press, Recovery, RunEnd, StoreError, SuppressionStore as _, Whose, Wish,
};

const TELL: &str = "-- report_status
    update runs set telling = ?2 where id = ?1";

/// Pairs of an attempt's id and a call's; what is named by neither has no row.
const WHOSE: &str = "-- whose
    select new.key as nth, attempts.key, hex(attempts.id) as id, runs.id as run, attempts.recipient
    from json_each(?1) as new
    join attempts on attempts.key = coalesce(
        (select key from attempts where id = unhex(new.value ->> 0)),
        (select key from attempts indexed by attempts_call where call_id = new.value ->> 1))
    join runs on runs.number = attempts.run";

#[async_trait]
impl EngineStore for SqliteStore {
    async fn whose(
        &self,
        named: &[(Option<AttemptId>, Option<CallId>)],
    ) -> Result<Vec<Option<Whose>>, StoreError> {
        let pairs = named.iter().map(|(attempt, call)| {
            let attempt = attempt.map(|id| id.to_string());
            (attempt, call.as_ref().map(CallId::as_str))
        });
        let pairs = json(&pairs.collect::<Vec<_>>());
        let rows = sqlx::query(WHOSE)
            .bind(pairs)
            .fetch_all(&self.readers)
            .await
            .map_err(|e| self.fault(&e))?;
        let mut whose = vec![None; named.len()];
        for row in rows {
            let nth = usize::try_from(row.get::<i64, _>("nth")).ok();
            let id: &str = row.get("id");
            if let Some(slot) = nth.and_then(|nth| whose.get_mut(nth))
                && let Some(attempt) = AttemptId::parse(&id.to_ascii_lowercase())
            {
                *slot = Some(Whose {
                    key: AttemptKey(row.get("key")),
                    attempt,
                    run: RunId::new(row.get::<&str, _>("run")),
                    recipient: RecipientId(row.get("recipient")),
                });
            }
        }
        Ok(whose)
    }

    async fn observe(&self, run: &RunId, heard: &[Heard]) -> Result<Vec<Observed>, StoreError> {
        self.observe_attempts(run, heard).await
    }

    async fn pressed(&self, presses: &[Press]) -> Result<(), StoreError> {
        self.keep_presses(presses).await
    }

    async fn compare(&self) -> Result<(), StoreError> {
        self.compare_with_mark().await
    }

    async fn watch(&self) -> Result<(), StoreError> {
        self.watch_files().await
    }

    async fn take_run(&self, run: &RunId) -> Result<(), StoreError> {
        let Some(engine) = &self.engine else {
            return Ok(());
        };
        engine
            .claim(run)
            .map_err(|e| StoreError::unusable(&format!("{}-lock", self.path), "written", &e))
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

    async fn due_page(
        &self,
        run: &RunId,
        now: Timestamp,
        after: Option<&Cursor>,
        limit: u32,
        per_number: Option<PerNumber>,
    ) -> Result<DuePage, StoreError> {
        self.select_due(run, now, after, limit, per_number)
            .await
            .map_err(|e| self.fault(&e))
    }

    async fn intend(
        &self,
        run: &RunId,
        intents: &[Intent],
        facts: &[Fact],
    ) -> Result<Vec<AttemptKey>, StoreError> {
        self.commit_group(run, intents, facts).await?;
        Ok(intents.iter().map(|intent| intent.key).collect())
    }

    async fn record(&self, run: &RunId, facts: &[Fact]) -> Result<(), StoreError> {
        self.commit_group(run, &[], facts).await
    }

    fn keep_aside(&self, run: &RunId, facts: &[Fact]) -> Result<(), StoreError> {
        let Some(engine) = &self.engine else {
            return Err(StoreError::Database(
                "only the engine keeps answers aside".into(),
            ));
        };
        let mut group = group::Group::of(run, &[], facts);
        group.database = self.identity.id();
        engine.aside.append(&group).map_err(|e| {
            StoreError::unusable(&engine.aside.path().display().to_string(), "written", &e)
        })
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

    async fn suppressions_since(&self, revision: i64) -> Result<Option<Suppressions>, StoreError> {
        let now = self.select_revision().await.map_err(|e| self.fault(&e))?;
        if now == revision {
            return Ok(None);
        }
        self.suppressions().await.map(Some)
    }

    async fn begin_work(&self, run: &RunId, now: Timestamp) -> Result<Begun, StoreError> {
        self.begin(run, now).await
    }

    async fn end_run(&self, run: &RunId, end: &RunEnd, now: Timestamp) -> Result<u64, StoreError> {
        self.end(run, end, now).await
    }

    async fn asked(&self, run: &RunId) -> Result<Option<Wish>, StoreError> {
        self.select_wish(run).await.map_err(|e| self.fault(&e))
    }

    async fn report_status(&self, run: &RunId, telling: &EngineStatus) -> Result<(), StoreError> {
        let query = sqlx::query(TELL)
            .bind(run.as_str())
            .bind(serde_json::to_string(telling).unwrap_or_default());
        self.write(query).await.map(drop)
    }
}
