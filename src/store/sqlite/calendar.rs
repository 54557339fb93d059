//! What became of the occurrences of a schedule. Each has one fate, and the table's key sees to it.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection as _, Row as _, Sqlite, Transaction};

use super::{SqliteStore, millis, moment};
use crate::domain::{Busy, Past, RunId, RunState, Skip, SkipKind};
use crate::store::{Calendar, NewRun, OccurrenceFate, OccurrenceRecord, StoreError};

#[async_trait]
impl Calendar for SqliteStore {
    async fn occurrences_until(&self, campaign: &str, now: Timestamp) -> Result<Past, StoreError> {
        let fault = |e: sqlx::Error| self.fault(&e);
        let handled: Option<i64> = sqlx::query_scalar(
            "-- occurrences_until: the latest occurrence
             select max(scheduled_for) from occurrences where campaign = ?1 and scheduled_for <= ?2",
        )
        .bind(campaign)
        .bind(millis(now))
        .fetch_one(&self.readers)
        .await
        .map_err(fault)?;
        let run = sqlx::query(
            "-- occurrences_until: the run in the way
             select id, state, created_at, ended_at from runs
             where campaign = ?1
             order by state in ('planned', 'running', 'paused') desc, number desc limit 1",
        )
        .bind(campaign)
        .fetch_optional(&self.readers)
        .await
        .map_err(fault)?;
        Ok(Past {
            handled: handled.map(moment),
            busy: run.map(|row| busy(&row)),
        })
    }

    async fn record_skips(
        &self,
        campaign: &str,
        skips: &[Skip],
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let fault = |e: sqlx::Error| self.fault(&e);
        let rows: Vec<_> = skips
            .iter()
            .map(|skip| {
                (
                    millis(skip.at),
                    skip.why.kind().as_str(),
                    skip.why.to_string(),
                )
            })
            .collect();
        let mut writer = self.writer.lock().await;
        let mut tx = writer.begin_with("BEGIN IMMEDIATE").await.map_err(fault)?;
        let inserted = sqlx::query(
            "-- record_skips
             insert into occurrences (campaign, scheduled_for, skipped, reason, at)
             select ?1, value ->> 0, value ->> 1, value ->> 2, ?3 from json_each(?2)
             where true on conflict do nothing",
        )
        .bind(campaign)
        .bind(serde_json::to_string(&rows).unwrap_or_default())
        .bind(millis(now))
        .execute(&mut *tx)
        .await
        .map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        Ok(inserted.rows_affected())
    }

    async fn occurrences(
        &self,
        campaign: &str,
        limit: u32,
    ) -> Result<Vec<OccurrenceRecord>, StoreError> {
        let rows = sqlx::query(
            "-- occurrences
             select scheduled_for, run, skipped, reason, at from occurrences
             where campaign = ?1 order by scheduled_for desc limit ?2",
        )
        .bind(campaign)
        .bind(limit)
        .fetch_all(&self.readers)
        .await
        .map_err(|e| self.fault(&e))?;
        let record = |row: &SqliteRow| OccurrenceRecord {
            scheduled_for: moment(row.get("scheduled_for")),
            fate: match row.get::<Option<String>, _>("run") {
                Some(run) => OccurrenceFate::Run(RunId::new(run)),
                None => OccurrenceFate::Skipped {
                    kind: SkipKind::parse(row.get("skipped")).unwrap_or(SkipKind::Fault),
                    reason: row.get("reason"),
                },
            },
            at: moment(row.get("at")),
        };
        Ok(rows.iter().map(record).collect())
    }
}

impl SqliteStore {
    /// Takes the occurrence for a run that is written down in the same transaction.
    pub(super) async fn take_occurrence(
        &self,
        tx: &mut Transaction<'_, Sqlite>,
        run: &NewRun,
    ) -> Result<(), StoreError> {
        let Some(scheduled_for) = run.scheduled_for else {
            return Ok(());
        };
        let taken = sqlx::query(
            "-- create_run: its occurrence
             insert into occurrences (campaign, scheduled_for, run, at) values (?1, ?2, ?3, ?4)",
        )
        .bind(&run.campaign)
        .bind(millis(scheduled_for))
        .bind(run.id.as_str())
        .bind(millis(run.created_at))
        .execute(&mut **tx)
        .await;
        match taken {
            Ok(_) => Ok(()),
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
                Err(StoreError::OccurrenceTaken {
                    campaign: run.campaign.clone(),
                    scheduled_for,
                })
            }
            Err(error) => Err(self.fault(&error)),
        }
    }
}

fn busy(row: &SqliteRow) -> Busy {
    let state: String = row.get("state");
    let unfinished = RunState::parse(&state).is_none_or(RunState::unfinished);
    let from: i64 = row.get("created_at");
    // A run that is over without a moment of its end has been in nobody's way.
    let until = row.get::<Option<i64>, _>("ended_at").unwrap_or(from);
    Busy {
        run: RunId::new(row.get::<String, _>("id")),
        from: moment(from),
        until: (!unfinished).then(|| moment(until)),
    }
}
