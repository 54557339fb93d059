//! A person, a record or an event says of an attempt that no engine has in hand: a phone rang, or it did not.
//!
//! What follows is decided where polls are decided as well, in the domain. What a person or a record said is
//! kept beside the attempt for ever. A run that had ended because nobody was left can be resumed when somebody
//! is to be called again. A run that is over follows no call, so that of a call that goes on there it is kept
//! that it is there, and no more.

use jiff::Timestamp;
use rust_decimal::Decimal;
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection as _, Row as _, Sqlite, Transaction};

use crate::domain::{
    AttemptEvent, AttemptId, AttemptKey, AttemptState, CallId, Disposition, Follow, InCall,
    Outcome, PauseReason, RecipientId, RecipientState, Refusal, RetryPolicy, RunEvent, RunId,
    RunState, Side, SpeaksOf, Stage, Stands, Terms, Tried, Uncertainty, Wanted, Word,
    after_attempt, attempt::two_calls, heard_late,
};
use crate::store::sqlite::engine::commit::LEGS;
use crate::store::sqlite::engine::group::{ACCEPTED, HELD_UNTIL, currency, leg_row};
use crate::store::sqlite::rows::{
    attempt_id, heard, heard_bits, json, outcome, pressed_bits, recipient_state,
};
use crate::store::sqlite::{SqliteStore, millis, moment, tried, tried_before};
use crate::store::{Heard, Observed, Resolution, StoreError, Taken, Upkeep as _};

/// The attempt, its recipient and their run; `latest` says whether no later attempt was made on them.
const FIND: &str = concat!(
    "-- resolve: the attempt
    select attempts.key, attempts.id, attempts.state as stage, attempts.call_id, attempts.result, attempts.reason,
           attempts.duration_s, attempts.debit, attempts.currency, attempts.note, attempts.word,
           attempts.hold, attempts.intended_at,
           recipients.id as recipient, recipients.state, recipients.disposition, recipients.endpoint,
           recipients.tried, recipients.tried_before, recipients.reason as why, runs.state as run_state, runs.purged_at is not null as purged,
           not exists (select 1 from attempts as later
                       where later.recipient = recipients.id and later.key > attempts.key) as latest,
           exists (select 1 from attempts as other
                   where other.recipient = recipients.id and other.key <> attempts.key
                         and other.state in ('intended', 'accepted', 'uncertain')) as called, ",
    heard_bits!(),
    " as heard, ",
    pressed_bits!(),
    " as pressed
    from attempts
    join recipients on recipients.id = attempts.recipient
    join runs on runs.number = attempts.run
    where attempts.id = unhex(?1) and runs.id = ?2"
);

const SETTLE: &str = "-- resolve: what is known now
    update attempts set state = ?2, answered_at = coalesce(answered_at, ?3),
           ended_at = case when ?2 = 'accepted' then null else coalesce(ended_at, ?3) end,
           result = ?4, reason = ?5, duration_s = ?6, debit = ?7, currency = ?8,
           call_id = coalesce(?9, call_id), word = ?10,
           note = case when ?11 is null then note else coalesce(note || '; ', '') || ?11 end
    where key = ?1 and state = ?12";

const NAME: &str = "-- observe: its call, which nobody follows
    update attempts set call_id = coalesce(call_id, ?2) where key = ?1";

const SECOND_CALL: &str = "-- observe: a call that should not be
    insert or ignore into second_calls (attempt, call_id, at) values (?1, ?2, ?3)";

/// The reason is that of [`PauseReason::TwoCalls`].
const PAUSE: &str = "-- observe: a person must look
    update runs set state = 'paused', why = ?2 where id = ?1 and state in ('running', 'paused')";

const RECORD: &str = "-- resolve: what was said
    insert into settlements (attempt, called, why, who, at) values (?1, ?2, ?3, ?4, ?5)";

const MOVE: &str = "-- resolve: the recipient
    update recipients set state = ?2, disposition = ?3, due_at = ?4, waiting_for = ?5, reason = ?6,
           tried = ?7, tried_before = ?8
    where id = ?1 and state = ?9 and disposition is ?10";

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
        let Some(found) = self.find(tx, run, settlement.attempt).await? else {
            return Ok(false);
        };
        let said = Saying {
            event: event(settlement),
            at: settlement.at,
            terms: found.terms(&settlement.retry, settlement.wanted, settlement.chance),
            note: Some(format!("settled: {}", settlement.why)),
        };
        if self.say(tx, run, &found, &said).await?.is_none() {
            return Ok(false);
        }
        sqlx::query(RECORD)
            .bind(found.key)
            .bind(settlement.called.is_some())
            .bind(&settlement.why)
            .bind(&settlement.who)
            .bind(millis(settlement.at))
            .execute(&mut **tx)
            .await
            .map_err(|e| self.fault(&e))?;
        Ok(true)
    }

    pub(in crate::store::sqlite) async fn observe_attempts(
        &self,
        run: &RunId,
        heard: &[Heard],
    ) -> Result<Vec<Observed>, StoreError> {
        let fault = |e: sqlx::Error| self.fault(&e);
        let mut writer = self.writer.lock().await;
        let mut tx = writer.begin_with("BEGIN IMMEDIATE").await.map_err(fault)?;
        // Asked while nobody else writes: an engine that begins now reads what is written here.
        if self.engine.is_none() && self.is_worked_on(run).await? {
            return Ok(vec![Observed::InHand; heard.len()]);
        }
        let mut observed = Vec::with_capacity(heard.len());
        for heard in heard {
            observed.push(match self.find(&mut tx, run, heard.attempt).await? {
                Some(found) => Observed::Taken(Box::new(
                    self.observe_one(&mut tx, run, &found, heard).await?,
                )),
                None => Observed::Unknown,
            });
        }
        tx.commit().await.map_err(fault)?;
        Ok(observed)
    }

    async fn observe_one(
        &self,
        tx: &mut Transaction<'_, Sqlite>,
        run: &RunId,
        found: &Found,
        heard: &Heard,
    ) -> Result<Taken, StoreError> {
        let mut taken = Taken {
            key: AttemptKey(found.key),
            recipient: RecipientId(found.recipient),
            before: found.attempt.stage(),
            state: found.attempt.clone(),
            hold: found.hold,
            intended_at: found.intended_at,
            was: found.state,
            moved: None,
            heard: found.heard,
            leg: None,
            alarm: None,
        };
        let terms = found.terms(&heard.retry, heard.wanted, heard.chance);
        if let Some(event) = &heard.event {
            let said = Saying {
                event: event.clone(),
                at: heard.at,
                terms,
                note: match event {
                    AttemptEvent::Ended(_, outcome) => outcome.doubt(),
                    _ => None,
                },
            };
            self.told(tx, run, found, &said, &mut taken).await?;
        }
        if taken.moved.is_none()
            && let Some(follow) = found.late(&taken.state, terms)
        {
            let to = move_recipient(tx, found, found.before(), &follow, heard.at).await;
            taken.moved = Some(to.map_err(|e| self.fault(&e))?);
        }
        Ok(taken)
    }

    /// Takes what an event tells of a call into account.
    async fn told(
        &self,
        tx: &mut Transaction<'_, Sqlite>,
        run: &RunId,
        found: &Found,
        said: &Saying<'_>,
        taken: &mut Taken,
    ) -> Result<(), StoreError> {
        let fault = |e: sqlx::Error| self.fault(&e);
        let second = found.attempt.second_call(&said.event);
        if let Some((_, other)) = second
            && found.heard.has(InCall::CONNECTED)
        {
            let outcome = match &said.event {
                AttemptEvent::Ended(_, outcome) => outcome.clone(),
                _ => Outcome::unknown(),
            };
            let row = leg_row(found.key, other, &outcome, said.at);
            let query = sqlx::query(LEGS).bind(json(&[row]));
            query.execute(&mut **tx).await.map_err(fault)?;
            taken.leg = Some((other.clone(), outcome));
            return Ok(());
        }
        taken.alarm = found.alarm(&said.event);
        let named = second.map(|(_, other)| other).or(said.event.call());
        if let (Some(why), Some(call)) = (&taken.alarm, named) {
            let query = sqlx::query(SECOND_CALL)
                .bind(found.key)
                .bind(call.as_str())
                .bind(millis(said.at));
            query.execute(&mut **tx).await.map_err(fault)?;
            if self.engine.is_none() {
                let why = PauseReason::TwoCalls(why.clone()).to_string();
                let query = sqlx::query(PAUSE).bind(run.as_str()).bind(why);
                query.execute(&mut **tx).await.map_err(fault)?;
            }
        }
        if second.is_some() {
            return Ok(());
        }
        if let AttemptEvent::Seen(call) = &said.event
            && !found.can_be_followed()
        {
            let query = sqlx::query(NAME).bind(found.key).bind(call.as_str());
            query.execute(&mut **tx).await.map_err(fault)?;
            return Ok(());
        }
        if let Some((state, moved)) = self.say(tx, run, found, said).await? {
            (taken.state, taken.moved) = (state, moved);
        }
        Ok(())
    }

    async fn find(
        &self,
        tx: &mut Transaction<'_, Sqlite>,
        run: &RunId,
        attempt: AttemptId,
    ) -> Result<Option<Found>, StoreError> {
        let row = sqlx::query(FIND)
            .bind(attempt.to_string())
            .bind(run.as_str())
            .fetch_optional(&mut **tx)
            .await
            .map_err(|e| self.fault(&e))?;
        row.as_ref().map(Found::read).transpose()
    }

    /// Moves an attempt and, by what follows, its recipient. None where nothing new was said, and nothing
    /// was written; else where they stand now.
    async fn say(
        &self,
        tx: &mut Transaction<'_, Sqlite>,
        run: &RunId,
        found: &Found,
        said: &Saying<'_>,
    ) -> Result<Option<(AttemptState, Option<RecipientState>)>, StoreError> {
        let fault = |e: sqlx::Error| self.fault(&e);
        let Ok(state) = found.attempt.clone().after(said.event.clone()) else {
            return Ok(None);
        };
        if state == found.attempt || !write(tx, found, &state, said).await.map_err(fault)? {
            return Ok(None);
        }
        let mut moved = None;
        if let Some(follow) = found.follows(&state, said) {
            let to = move_recipient(tx, found, found.tried, &follow, said.at).await;
            moved = Some(to.map_err(fault)?);
            let again = matches!(follow, Follow::Due | Follow::Waits { .. });
            if again {
                reopen(tx, run, found.run).await.map_err(fault)?;
            }
        }
        Ok(Some((state, moved)))
    }
}

fn event(settlement: &Resolution) -> AttemptEvent {
    match (&settlement.called, settlement.word) {
        (Some(outcome), Word::Platform) => {
            AttemptEvent::Ended(settlement.call.clone(), outcome.clone())
        }
        (Some(outcome), Word::Person) => AttemptEvent::SettledCalled(outcome.clone()),
        (None, _) => AttemptEvent::SettledNotCalled(settlement.why.clone()),
    }
}

/// What is said of an attempt.
struct Saying<'a> {
    event: AttemptEvent,
    at: Timestamp,
    terms: Terms<'a>,
    note: Option<String>,
}

/// An attempt that is to be settled, and everything that decides what follows.
struct Found {
    key: i64,
    id: AttemptId,
    attempt: AttemptState,
    recipient: i64,
    state: RecipientState,
    reason: Option<String>,
    tried: Tried,
    tried_before: Tried,
    heard: InCall,
    run: RunState,
    /// What becomes of them where nobody calls them any more.
    closing: Option<Disposition>,
    latest: bool,
    /// Whether another attempt on them is not over, or may have been called.
    called: bool,
    /// Whether nobody's row is there any more.
    erased: bool,
    hold: Option<Decimal>,
    intended_at: Timestamp,
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
            id: attempt_id(row.get("id"))?,
            attempt: attempt_state(row)?,
            recipient: row.get("recipient"),
            state: recipient_state(row)?,
            reason: row.get("why"),
            tried: tried(row).map_err(|e| unreadable(&e))?,
            tried_before: tried_before(row).map_err(|e| unreadable(&e))?,
            heard: heard(row),
            run,
            closing,
            latest: row.get("latest"),
            called: row.get("called"),
            erased,
            hold: row
                .get::<Option<&str>, _>("hold")
                .and_then(|hold| hold.parse().ok()),
            intended_at: moment(row.get("intended_at")),
        })
    }

    /// What follows for the recipient; none where the attempt does not decide about them any more.
    fn follows(&self, state: &AttemptState, said: &Saying<'_>) -> Option<Follow> {
        // Only the platform's word that there is a call moves what was not sent or refused.
        let decided = matches!(
            &self.attempt,
            AttemptState::Final { outcome, word: Word::Platform, .. } if outcome.result.is_some()
        );
        (self.latest && !decided).then(|| after_attempt(state, self.tried, said.terms))
    }

    /// What decides beside the attempt.
    fn terms<'a>(&self, retry: &'a RetryPolicy, wanted: Wanted, chance: f64) -> Terms<'a> {
        Terms {
            retry,
            wanted,
            heard: self.heard,
            closing: self.closing,
            chance,
        }
    }

    /// What follows for the recipient of what was heard in a call that is over. Nobody is called again for that in
    /// a run that is.
    fn late(&self, attempt: &AttemptState, terms: Terms<'_>) -> Option<Follow> {
        let over = (!self.run.unfinished()).then_some(Disposition::Unreached);
        let terms = Terms {
            closing: self.closing.or(over),
            ..terms
        };
        let stands = Stands {
            state: self.state,
            reason: self.reason.as_deref(),
            tried: self.tried,
            tried_before: self.tried_before,
            latest: self.latest,
            called: self.called,
        };
        (!self.erased)
            .then(|| heard_late(attempt, stands, terms))
            .flatten()
    }

    /// How they were tried before the attempt.
    fn before(&self) -> Tried {
        match self.state {
            RecipientState::Pending | RecipientState::Waiting => self.tried_before,
            RecipientState::InFlight | RecipientState::Done(_) => self.tried,
        }
    }

    /// Whether an engine would follow its call to the end.
    fn can_be_followed(&self) -> bool {
        self.latest && self.run.unfinished()
    }

    /// In words, what a person must look at once, where it is so.
    fn alarm(&self, event: &AttemptEvent) -> Option<String> {
        if let Some((known, other)) = self.attempt.second_call(event) {
            return Some(two_calls(self.id, known, other));
        }
        let was_not_called = matches!(self.attempt, AttemptState::NotSent(_));
        (was_not_called && !self.latest).then(|| {
            let call = event.call().map_or("a call", CallId::as_str);
            format!(
                "attempt {} had call {call} after all, and its recipient was called again since",
                self.id
            )
        })
    }
}

fn unreadable(error: &sqlx::Error) -> StoreError {
    StoreError::Diverged(error.to_string())
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
            word: match row.get::<Option<&str>, _>("word") {
                Some(_) => Word::Person,
                None => Word::Platform,
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

/// Writes where the attempt stands now. Returns false where it was moved meanwhile.
async fn write(
    tx: &mut Transaction<'_, Sqlite>,
    found: &Found,
    state: &AttemptState,
    said: &Saying<'_>,
) -> Result<bool, sqlx::Error> {
    let unknown = Outcome::unknown();
    let (call, outcome, word) = match state {
        AttemptState::Final {
            call,
            outcome,
            word,
        } => (call.as_ref(), outcome, *word),
        AttemptState::Accepted(call) => (Some(call), &unknown, Word::Platform),
        _ => (None, &unknown, Word::Platform),
    };
    let debit = outcome.debit.as_ref();
    let settled = sqlx::query(SETTLE)
        .bind(found.key)
        .bind(state.stage().as_str())
        .bind(millis(said.at))
        .bind(&outcome.result)
        .bind(&outcome.reason)
        .bind(outcome.duration_s)
        .bind(debit.map(|d| d.amount.to_string()))
        .bind(currency(outcome))
        .bind(call.map(CallId::as_str))
        .bind((word == Word::Person).then_some("person"))
        .bind(&said.note)
        .bind(found.attempt.stage().as_str())
        .execute(&mut **tx)
        .await?;
    Ok(settled.rows_affected() > 0)
}

/// Moves the recipient, who was tried so before the attempt. Returns where they stand now.
async fn move_recipient(
    tx: &mut Transaction<'_, Sqlite>,
    found: &Found,
    before: Tried,
    follow: &Follow,
    at: Timestamp,
) -> Result<RecipientState, sqlx::Error> {
    let now = millis(at);
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
        .bind(match follow {
            Follow::Done { reason, .. } => reason.as_deref(),
            _ => None,
        })
        .bind(waiting.map_or(before, |(_, tried)| *tried).pack())
        .bind(waiting.map_or(found.tried_before, |_| before).pack())
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
    Ok(to)
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
