//! How a run and its engine stand: what the engine says of them, and what it is asked for.

use jiff::Timestamp;
use sqlx::{Connection as _, Sqlite, Transaction};

use crate::domain::{Disposition, RunEvent, RunId, RunState, Tried, closed};
use crate::store::sqlite::runs::{read_state, wish_of};
use crate::store::sqlite::{SqliteStore, millis};
use crate::store::{RunEnd, StoreError, Wish};

impl SqliteStore {
    pub(super) async fn update_run(
        &self,
        run: &RunId,
        end: &RunEnd,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let fault = |e: sqlx::Error| self.fault(&e);
        let (why, money) = match end {
            RunEnd::Paused(why) => (Some(why.to_string()), why.is_money()),
            _ => (None, false),
        };
        let mut writer = self.writer.lock().await;
        let mut tx = writer.begin_with("BEGIN IMMEDIATE").await.map_err(fault)?;
        let before = state_of(&mut tx, run).await.map_err(fault)??;
        let left =
            *end == RunEnd::Completed && somebody_is_left(&mut tx, run).await.map_err(fault)?;
        let event = if left { RunEvent::Paused } else { end.event() };
        let why = why.or(left.then(|| "somebody is to be called again".to_owned()));
        let state = before
            .after(event)
            .map_err(|illegal| StoreError::Diverged(illegal.to_string()))?;
        sqlx::query(
            "-- set_run
             update runs set state = ?2, why = ?3, money = ?4, refused_with = ?8,
                    suspect = coalesce(?8, suspect),
                    started_at = case when ?5 then coalesce(started_at, ?6) else started_at end,
                    ended_at = case when ?5 then null else ?6 end
             where id = ?1 and state = ?7",
        )
        .bind(run.as_str())
        .bind(state.as_str())
        .bind(why)
        .bind(money)
        .bind(state == RunState::Running)
        .bind(millis(now))
        .bind(before.as_str())
        .bind(match end {
            RunEnd::Paused(why) => why.refused_with().map(|code| code.to_string()),
            _ => None,
        })
        .execute(&mut *tx)
        .await
        .map_err(fault)?;
        tx.commit().await.map_err(fault)
    }

    pub(super) async fn select_wish(&self, run: &RunId) -> Result<Option<Wish>, sqlx::Error> {
        let word: Option<String> = sqlx::query_scalar(
            "-- wished
             select wish from runs where id = ?1",
        )
        .bind(run.as_str())
        .fetch_one(&self.readers)
        .await?;
        Ok(wish_of(word.as_deref()))
    }

    pub(super) async fn update_pending(
        &self,
        run: &RunId,
        disposition: Disposition,
    ) -> Result<u64, StoreError> {
        let query = sqlx::query(
            "-- cancel_pending, expire_pending
             update recipients set state = 'done', due_at = null,
                    disposition = case tried when 0 then ?2 else ?3 end,
                    waiting_for = null
             where run = (select number from runs where id = ?1)
                   and state in ('pending', 'waiting')",
        )
        .bind(run.as_str())
        .bind(closed(Tried::default(), disposition).as_str())
        .bind(
            closed(
                Tried {
                    used: 1,
                    ..Tried::default()
                },
                disposition,
            )
            .as_str(),
        );
        self.write(query).await
    }
}

/// Where a run stands, in a transaction that is about to move it.
async fn state_of(
    tx: &mut Transaction<'_, Sqlite>,
    run: &RunId,
) -> Result<Result<RunState, StoreError>, sqlx::Error> {
    let word: Option<String> = sqlx::query_scalar(
        "-- state_of
         select state from runs where id = ?1",
    )
    .bind(run.as_str())
    .fetch_optional(&mut **tx)
    .await?;
    Ok(match word {
        Some(word) => read_state(&word),
        None => Err(StoreError::NoRun(run.to_string())),
    })
}

/// Whether somebody is to be called, in a transaction that is about to end the run: a person may have
/// settled an attempt since its engine looked last.
async fn somebody_is_left(
    tx: &mut Transaction<'_, Sqlite>,
    run: &RunId,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "-- set_run: whether somebody is left
         select exists (select 1 from recipients
                        where run = (select number from runs where id = ?1)
                              and state in ('pending', 'waiting'))",
    )
    .bind(run.as_str())
    .fetch_one(&mut **tx)
    .await
}
