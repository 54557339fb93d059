//! A person, or a record, settles an attempt: a phone rang, or it did not, and how that is known.
//!
//! What follows is decided where polls are decided as well, in the domain. What was said is kept beside
//! the attempt for ever. A run that had ended because nobody was left can be resumed when somebody is to
//! be called again.

use sqlx::sqlite::SqliteRow;
use sqlx::{Connection as _, Row as _, Sqlite, Transaction};

use crate::domain::{
    AttemptEvent, AttemptId, AttemptState, CallId, Disposition, Follow, Outcome, RecipientState,
    Refusal, RunEvent, RunId, RunState, Side, SpeaksOf, Stage, Terms, Tried, Uncertainty,
    after_attempt,
};
use crate::store::sqlite::engine::group::{ACCEPTED, HELD_UNTIL, currency};
use crate::store::sqlite::rows::{outcome, recipient_state};
use crate::store::sqlite::{SqliteStore, millis, tried};
use crate::store::{Resolution, StoreError};

/// The attempt, its recipient and their run; `latest` says whether no later attempt was made on them.
const FIND: &str = "-- resolve: the attempt
    select attempts.key, attempts.state as stage, attempts.call_id, attempts.result, attempts.reason,
           attempts.duration_s, attempts.debit, attempts.currency, attempts.note,
           recipients.id as recipient, recipients.state, recipients.disposition, recipients.endpoint,
           recipients.tried, runs.state as run_state, runs.purged_at is not null as purged,
           not exists (select 1 from attempts as later
                       where later.recipient = recipients.id and later.key > attempts.key) as latest
    from attempts
    join recipients on recipients.id = attempts.recipient
    join runs on runs.number = attempts.run
    where attempts.id = unhex(?1) and runs.id = ?2";

const SETTLE: &str = "-- resolve: what is known now
    update attempts set state = ?2, ended_at = coalesce(ended_at, ?3), result = ?4, reason = ?5,
           duration_s = ?6, debit = ?7, currency = ?8, call_id = coalesce(?9, call_id),
           note = coalesce(note || '; ', '') || 'settled: ' || ?10
    where key = ?1 and state = ?11";

const RECORD: &str = "-- resolve: what was said
    insert into settlements (attempt, called, why, who, at) values (?1, ?2, ?3, ?4, ?5)";

const MOVE: &str = "-- resolve: the recipient
    update recipients set state = ?2, disposition = ?3, due_at = ?4, waiting_for = ?5,
           tried = coalesce(?6, tried)
    where id = ?1 and state = ?7 and disposition is ?8";

const WAIT: &str = "-- resolve: what they wait for
    insert into waits (recipient, at, reason, until) values (?1, ?2, ?3, ?4)";

/// A run that is opened again while another one of its campaign is unfinished is not alone.
const REOPEN: &str = "-- resolve: there is somebody to call again
    update runs set state = ?2, why = 'an attempt was settled: somebody is to be called again',
           alone = alone and not exists (select 1 from runs as other
                                         where other.campaign = runs.campaign and other.alone
                                               and other.state in ('planned', 'running', 'paused'))
    where id = ?1 and state = ?3";

impl SqliteStore {
    pub(super) async fn resolve_attempts(
        &self,
        run: &RunId,
        settlements: &[Resolution],
    ) -> Result<Vec<AttemptId>, StoreError> {
        let fault = |e: sqlx::Error| self.fault(&e);
        let mut writer = self.writer.lock().await;
        let mut tx = writer.begin_with("BEGIN IMMEDIATE").await.map_err(fault)?;
        let mut as_they_were = Vec::new();
        for settlement in settlements {
            if !self.resolve_one(&mut tx, run, settlement).await? {
                as_they_were.push(settlement.attempt);
            }
        }
        tx.commit().await.map_err(fault)?;
        Ok(as_they_were)
    }

    /// Returns false where nothing new was said, and nothing was written.
    async fn resolve_one(
        &self,
        tx: &mut Transaction<'_, Sqlite>,
        run: &RunId,
        settlement: &Resolution,
    ) -> Result<bool, StoreError> {
        let fault = |e: sqlx::Error| self.fault(&e);
        let row = sqlx::query(FIND)
            .bind(settlement.attempt.to_string())
            .bind(run.as_str())
            .fetch_optional(&mut **tx)
            .await
            .map_err(fault)?;
        let Some(row) = row else { return Ok(false) };
        let found = Found::read(&row)?;
        let Ok(state) = found.attempt.clone().after(event(settlement)) else {
            return Ok(false);
        };
        if state == found.attempt {
            return Ok(false);
        }
        let written = write(tx, &found, &state, settlement).await;
        if !written.map_err(fault)? {
            return Ok(false);
        }
        if let Some(follow) = found.follows(&state, settlement) {
            move_recipient(tx, &found, &follow, settlement)
                .await
                .map_err(fault)?;
            let again = matches!(follow, Follow::Due | Follow::Waits { .. });
            if again {
                reopen(tx, run, found.run).await.map_err(fault)?;
            }
        }
        Ok(true)
    }
}

fn event(settlement: &Resolution) -> AttemptEvent {
    match &settlement.called {
        Some(outcome) => AttemptEvent::Ended(settlement.call.clone(), outcome.clone()),
        None => AttemptEvent::SettledNotCalled(settlement.why.clone()),
    }
}

/// An attempt that is to be settled, and everything that decides what follows.
struct Found {
    key: i64,
    attempt: AttemptState,
    recipient: i64,
    state: RecipientState,
    tried: Tried,
    run: RunState,
    /// What becomes of them where nobody calls them any more.
    closing: Option<Disposition>,
    latest: bool,
}

impl Found {
    fn read(row: &SqliteRow) -> Result<Self, StoreError> {
        let run: &str = row.get("run_state");
        let run = RunState::parse(run)
            .ok_or_else(|| StoreError::Diverged(format!("a run is `{run}`")))?;
        let erased = row.get::<Option<&str>, _>("endpoint") == Some("");
        let closing = match run.closing() {
            None if row.get("purged") => Some(Disposition::Expired),
            // The number is known by its hash alone, and is suppressed.
            None if erased => Some(Disposition::Suppressed),
            closing => closing,
        };
        Ok(Self {
            key: row.get("key"),
            attempt: attempt_state(row)?,
            recipient: row.get("recipient"),
            state: recipient_state(row)?,
            tried: tried(row).map_err(|e| StoreError::Diverged(e.to_string()))?,
            run,
            closing,
            latest: row.get("latest"),
        })
    }

    /// What follows for the recipient; none where the attempt does not decide about them any more.
    fn follows(&self, state: &AttemptState, settlement: &Resolution) -> Option<Follow> {
        let decided = match &self.attempt {
            AttemptState::Final { outcome, .. } => outcome.result.is_some(),
            AttemptState::NotSent(_) | AttemptState::Refused(_) => true,
            AttemptState::Intended | AttemptState::Accepted(_) | AttemptState::Uncertain(_) => {
                false
            }
        };
        let terms = Terms {
            retry: &settlement.retry,
            closing: self.closing,
            chance: settlement.chance,
        };
        (self.latest && !decided).then(|| after_attempt(state, self.tried, terms))
    }
}

fn attempt_state(row: &SqliteRow) -> Result<AttemptState, StoreError> {
    let call = row.get::<Option<&str>, _>("call_id").and_then(CallId::new);
    let note = row.get::<Option<String>, _>("note").unwrap_or_default();
    let word: &str = row.get("stage");
    let stage = Stage::parse(word)
        .ok_or_else(|| StoreError::Diverged(format!("an attempt is `{word}`")))?;
    Ok(match stage {
        Stage::Intended => AttemptState::Intended,
        Stage::Accepted => AttemptState::Accepted(
            call.ok_or_else(|| StoreError::Diverged("a call id cannot be read".into()))?,
        ),
        Stage::Final => AttemptState::Final {
            call,
            outcome: Outcome {
                reason: row.get("reason"),
                ..outcome(row)
            },
        },
        Stage::NotSent => AttemptState::NotSent(note),
        Stage::Refused => AttemptState::Refused(Refusal {
            status: 0,
            code: None,
            message: note,
            speaks_of: SpeaksOf::Unknown,
        }),
        Stage::Uncertain => AttemptState::Uncertain(Uncertainty {
            side: Side::Ours,
            accepted: note.starts_with(ACCEPTED),
            why: note,
        }),
    })
}

/// Writes where the attempt stands now and what was said. Returns false where it was moved meanwhile.
async fn write(
    tx: &mut Transaction<'_, Sqlite>,
    found: &Found,
    state: &AttemptState,
    settlement: &Resolution,
) -> Result<bool, sqlx::Error> {
    let unknown = Outcome::unknown();
    let (call, outcome) = match state {
        AttemptState::Final { call, outcome } => (call.as_ref(), outcome),
        _ => (None, &unknown),
    };
    let debit = outcome.debit.as_ref();
    let at = millis(settlement.at);
    let settled = sqlx::query(SETTLE)
        .bind(found.key)
        .bind(state.stage().as_str())
        .bind(at)
        .bind(&outcome.result)
        .bind(&outcome.reason)
        .bind(outcome.duration_s)
        .bind(debit.map(|d| d.amount.to_string()))
        .bind(currency(outcome))
        .bind(call.map(CallId::as_str))
        .bind(&settlement.why)
        .bind(found.attempt.stage().as_str())
        .execute(&mut **tx)
        .await?;
    if settled.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query(RECORD)
        .bind(found.key)
        .bind(settlement.called.is_some())
        .bind(&settlement.why)
        .bind(&settlement.who)
        .bind(at)
        .execute(&mut **tx)
        .await?;
    Ok(true)
}

async fn move_recipient(
    tx: &mut Transaction<'_, Sqlite>,
    found: &Found,
    follow: &Follow,
    settlement: &Resolution,
) -> Result<(), sqlx::Error> {
    let now = millis(settlement.at);
    let (to, due_at, waiting) = match follow {
        Follow::InFlight => (RecipientState::InFlight, None, None),
        Follow::Due => (RecipientState::Pending, Some(now), None),
        Follow::Waits {
            wait,
            reason,
            tried,
        } => {
            let wait = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
            let until = now.saturating_add(wait).min(HELD_UNTIL - 1);
            (RecipientState::Waiting, Some(until), Some((reason, tried)))
        }
        Follow::Done { disposition, .. } => (RecipientState::Done(*disposition), None, None),
    };
    let word = |state| match state {
        RecipientState::Done(disposition) => Some(disposition.as_str()),
        _ => None,
    };
    sqlx::query(MOVE)
        .bind(found.recipient)
        .bind(to.as_str())
        .bind(word(to))
        .bind(due_at)
        .bind(waiting.map(|(reason, _)| reason.as_str()))
        .bind(waiting.map(|(_, tried)| tried.pack()))
        .bind(found.state.as_str())
        .bind(word(found.state))
        .execute(&mut **tx)
        .await?;
    if let Some((reason, _)) = waiting {
        sqlx::query(WAIT)
            .bind(found.recipient)
            .bind(now)
            .bind(reason.as_str())
            .bind(due_at)
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

async fn reopen(
    tx: &mut Transaction<'_, Sqlite>,
    run: &RunId,
    before: RunState,
) -> Result<(), sqlx::Error> {
    let Ok(after) = before.after(RunEvent::Reopened) else {
        return Ok(());
    };
    if after != before {
        sqlx::query(REOPEN)
            .bind(run.as_str())
            .bind(after.as_str())
            .bind(before.as_str())
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}
