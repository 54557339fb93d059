//! How a run stands: what moves it moves all that belongs to that in one transaction.

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection as _, Row as _, Sqlite, Transaction};

use crate::domain::{Disposition, PauseReason, RunEvent, RunId, RunState, Tried, closed};
use crate::store::sqlite::runs::{read_state, wish_of};
use crate::store::sqlite::{SqliteStore, millis, moment};
use crate::store::{AtRest, Begun, RunEnd, StoreError, Wish};

const STANDING: &str = "-- where a run stands
    select state, campaign, expires_at, wish,
           exists (select 1 from recipients
                   where run = runs.number and state in ('pending', 'waiting')) as somebody_left
    from runs where id = ?1";

const MOVE: &str = "-- begin_work, end_run
    update runs set state = ?2, why = ?3, money = ?4, refused_with = ?8, suspect = coalesce(?8, suspect),
           started_at = case when ?5 then coalesce(started_at, ?6) else started_at end,
           ended_at = case when ?5 then null else ?6 end,
           wish = case when ?9 then null else wish end
    where id = ?1 and state = ?7";

const CLOSE: &str = "-- end_run: whoever is still to be called
    update recipients set state = 'done', due_at = null, waiting_for = null,
           disposition = case tried when 0 then ?2 else ?3 end
    where run = (select number from runs where id = ?1) and state in ('pending', 'waiting')";

const OPEN: &str = "-- cancel_at_rest: calls without a result
    select count(*) from recipients
    where run = (select number from runs where id = ?1) and state = 'in flight'";

const WISH_END: &str = "-- cancel_at_rest: the end is wished for
    update runs set wish = 'cancel' where id = ?1";

const WISHED: &str = "-- asked
    select wish from runs where id = ?1";

/// Where a run stands, in a transaction that is about to move it.
struct Standing {
    state: RunState,
    campaign: String,
    expires_at: Option<Timestamp>,
    wish: Option<Wish>,
    /// Whether somebody is to be called: a person may have settled an attempt since the run's engine
    /// looked last.
    somebody_left: bool,
}

impl SqliteStore {
    pub(super) async fn begin(&self, run: &RunId, now: Timestamp) -> Result<Begun, StoreError> {
        let fault = |e: sqlx::Error| self.fault(&e);
        let mut writer = self.writer.lock().await;
        let mut tx = writer.begin_with("BEGIN IMMEDIATE").await.map_err(fault)?;
        let before = self.standing(&mut tx, run).await?;
        let after = before.after(RunEvent::Begun)?;
        move_run(&mut tx, run, &before, after, None, now)
            .await
            .map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        Ok(Begun {
            campaign: before.campaign,
            expires_at: before.expires_at,
            wish: before.wish,
        })
    }

    pub(super) async fn end(
        &self,
        run: &RunId,
        end: &RunEnd,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let fault = |e: sqlx::Error| self.fault(&e);
        let mut writer = self.writer.lock().await;
        let mut tx = writer.begin_with("BEGIN IMMEDIATE").await.map_err(fault)?;
        let before = self.standing(&mut tx, run).await?;
        let left = *end == RunEnd::Completed && before.somebody_left;
        let event = if left { RunEvent::Paused } else { end.event() };
        let after = before.after(event)?;
        let closed = match after.closing() {
            Some(disposition) => close(&mut tx, run, disposition).await.map_err(fault)?,
            None => 0,
        };
        move_run(&mut tx, run, &before, after, Some(end), now)
            .await
            .map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        Ok(closed)
    }

    pub(in crate::store::sqlite) async fn cancel(
        &self,
        run: &RunId,
        now: Timestamp,
    ) -> Result<AtRest, StoreError> {
        let fault = |e: sqlx::Error| self.fault(&e);
        let mut writer = self.writer.lock().await;
        let mut tx = writer.begin_with("BEGIN IMMEDIATE").await.map_err(fault)?;
        let before = self.standing(&mut tx, run).await?;
        let after = before.after(RunEvent::Cancelled)?;
        let cancelled = close(&mut tx, run, Disposition::Cancelled);
        let cancelled = cancelled.await.map_err(fault)?;
        let open: i64 = sqlx::query_scalar(OPEN)
            .bind(run.as_str())
            .fetch_one(&mut *tx)
            .await
            .map_err(fault)?;
        if open == 0 {
            let end = Some(&RunEnd::Cancelled);
            let moved = move_run(&mut tx, run, &before, after, end, now);
            moved.await.map_err(fault)?;
        } else {
            let query = sqlx::query(WISH_END).bind(run.as_str());
            query.execute(&mut *tx).await.map_err(fault)?;
        }
        tx.commit().await.map_err(fault)?;
        Ok(AtRest {
            cancelled,
            open: open.unsigned_abs(),
        })
    }

    pub(super) async fn select_wish(&self, run: &RunId) -> Result<Option<Wish>, sqlx::Error> {
        let query = sqlx::query_scalar(WISHED).bind(run.as_str());
        let word: Option<String> = query.fetch_one(&self.readers).await?;
        Ok(wish_of(word.as_deref()))
    }

    async fn standing(
        &self,
        tx: &mut Transaction<'_, Sqlite>,
        run: &RunId,
    ) -> Result<Standing, StoreError> {
        let query = sqlx::query(STANDING).bind(run.as_str());
        let row = query.fetch_optional(&mut **tx).await;
        match row.map_err(|e| self.fault(&e))? {
            Some(row) => Standing::read(&row),
            None => Err(StoreError::NoRun(run.to_string())),
        }
    }
}

impl Standing {
    fn read(row: &SqliteRow) -> Result<Self, StoreError> {
        Ok(Self {
            state: read_state(row.get("state"))?,
            campaign: row.get("campaign"),
            expires_at: row.get::<Option<i64>, _>("expires_at").map(moment),
            wish: wish_of(row.get("wish")),
            somebody_left: row.get("somebody_left"),
        })
    }

    fn after(&self, event: RunEvent) -> Result<RunState, StoreError> {
        let after = self.state.after(event);
        after.map_err(|illegal| StoreError::Diverged(illegal.to_string()))
    }
}

/// Moves a run; by none it begins.
async fn move_run(
    tx: &mut Transaction<'_, Sqlite>,
    run: &RunId,
    before: &Standing,
    after: RunState,
    end: Option<&RunEnd>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let why = match end {
        Some(RunEnd::Paused(why)) => Some(why),
        _ => None,
    };
    let words = match (end, after) {
        (Some(RunEnd::Completed), RunState::Paused) => {
            Some("somebody is to be called again".to_owned())
        }
        _ => why.map(ToString::to_string),
    };
    let granted = after.closing().is_some() || why == Some(&PauseReason::Asked);
    sqlx::query(MOVE)
        .bind(run.as_str())
        .bind(after.as_str())
        .bind(words)
        .bind(why.is_some_and(PauseReason::is_money))
        .bind(after == RunState::Running)
        .bind(millis(now))
        .bind(before.state.as_str())
        .bind(
            why.and_then(PauseReason::refused_with)
                .map(|code| code.to_string()),
        )
        .bind(granted)
        .execute(&mut **tx)
        .await
        .map(drop)
}

/// Nobody who is still to be called is called any more. Returns how many there were.
async fn close(
    tx: &mut Transaction<'_, Sqlite>,
    run: &RunId,
    disposition: Disposition,
) -> Result<u64, sqlx::Error> {
    let tried = Tried {
        used: 1,
        ..Tried::default()
    };
    let done = sqlx::query(CLOSE)
        .bind(run.as_str())
        .bind(closed(Tried::default(), disposition).as_str())
        .bind(closed(tried, disposition).as_str())
        .execute(&mut **tx)
        .await?;
    Ok(done.rows_affected())
}
