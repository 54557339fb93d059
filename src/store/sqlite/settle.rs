//! A person settles an uncertain attempt: a phone rang, or it did not, and how they know.
//!
//! What they said is kept beside the attempt for ever. A recipient who was not called is due again,
//! and a run that had ended because nobody was left can be resumed.

use sqlx::Connection as _;

use super::commit::currency;
use super::{SqliteStore, millis};
use crate::domain::{AttemptId, CallId, Disposition, Outcome, RunId};
use crate::store::Settlement;

const SETTLE: &str = "-- settle: the attempt
    update attempts set state = ?2, ended_at = ?3, result = ?4, reason = ?5, duration_s = ?6,
           debit = ?7, currency = ?8, call_id = coalesce(?11, call_id),
           note = coalesce(note || '; ', '') || 'settled: ' || ?9
    where id = unhex(?1) and state in ('intended', 'accepted', 'uncertain')
          and state = 'uncertain' and run = (select number from runs where id = ?10)";

const RECORD: &str = "-- settle: what was said
    insert into settlements (attempt, called, why, who, at)
    select key, ?2, ?3, ?4, ?5 from attempts where id = unhex(?1)";

const CALLED: &str = "-- settle: the recipient was called
    update recipients set disposition = ?2
    where id = (select recipient from attempts where id = unhex(?1))";

const NOT_CALLED: &str = "-- settle: the recipient was not called
    update recipients set
        state = case when runs.state in ('cancelled', 'expired') or endpoint = ''
                     then 'done' else 'pending' end,
        disposition = case when runs.state = 'cancelled' then 'cancelled'
                           when runs.state = 'expired' or runs.purged_at is not null then 'expired'
                           -- Erased: the number is known by its hash alone, and is suppressed.
                           when endpoint = '' then 'suppressed' end,
        due_at = case when runs.state in ('cancelled', 'expired') or endpoint = ''
                      then null else ?2 end
    from runs
    where recipients.id = (select recipient from attempts where id = unhex(?1))
          and runs.number = recipients.run";

const REOPEN: &str = "-- settle: there is somebody to call again
    update runs set state = 'paused', why = 'an uncertain attempt was settled as not called'
    where id = ?1 and state = 'completed'
          and exists (select 1 from recipients
                      where run = runs.number and state in ('pending', 'waiting'))";

impl SqliteStore {
    pub(super) async fn settle_attempt(
        &self,
        run: &RunId,
        attempt: AttemptId,
        settlement: &Settlement,
    ) -> Result<bool, sqlx::Error> {
        let id = attempt.to_string();
        let at = millis(settlement.at);
        let (state, outcome) = match &settlement.called {
            Some(outcome) => ("final", outcome.clone()),
            None => ("not sent", Outcome::unknown()),
        };
        let debit = outcome.debit.as_ref();
        let mut writer = self.writer.lock().await;
        let mut tx = writer.begin_with("BEGIN IMMEDIATE").await?;
        let settled = sqlx::query(SETTLE)
            .bind(&id)
            .bind(state)
            .bind(at)
            .bind(&outcome.result)
            .bind(&outcome.reason)
            .bind(outcome.duration_s)
            .bind(debit.map(|d| d.amount.to_string()))
            .bind(currency(&outcome))
            .bind(&settlement.why)
            .bind(run.as_str())
            .bind(settlement.call.as_ref().map(CallId::as_str))
            .execute(&mut *tx)
            .await?;
        if settled.rows_affected() == 0 {
            tx.rollback().await?;
            return Ok(false);
        }
        sqlx::query(RECORD)
            .bind(&id)
            .bind(settlement.called.is_some())
            .bind(&settlement.why)
            .bind(&settlement.who)
            .bind(at)
            .execute(&mut *tx)
            .await?;
        if settlement.called.is_some() {
            let disposition = if outcome.answered() {
                Disposition::Reached
            } else {
                Disposition::Unreached
            };
            sqlx::query(CALLED)
                .bind(&id)
                .bind(disposition.as_str())
                .execute(&mut *tx)
                .await?;
        } else {
            sqlx::query(NOT_CALLED)
                .bind(&id)
                .bind(at)
                .execute(&mut *tx)
                .await?;
            sqlx::query(REOPEN)
                .bind(run.as_str())
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        Ok(true)
    }
}
