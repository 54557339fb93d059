//! What a start reads back: answers from the side file, intents without an answer, open calls.
//!
//! Doing any of it twice is doing it once, so a kill during recovery costs nothing.

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection as _, Row as _};

use super::group::Group;
use crate::domain::{
    AttemptEvent, AttemptKey, AttemptState, Follow, InCall, RecipientId, RetryPolicy, RunId, Stage,
    Terms, Tried, Wanted, after_attempt,
};
use crate::store::sqlite::runs::refusals::latest_answers;
use crate::store::sqlite::{SqliteStore, millis, moment, tried};
use crate::store::{Fact, Recovery, StoreError, Was};

const INTENTS: &str = "-- recover: intents without an answer
    select key, recipient, tried from attempts
    join recipients on recipients.id = attempts.recipient
    where attempts.run = (select number from runs where id = ?1)
          and attempts.state in ('intended', 'accepted', 'uncertain') and attempts.state = 'intended'";

/// For so long, in milliseconds, an uncertain attempt may matter to the engine's pacing.
const LATELY_MS: i64 = 60_000;

impl SqliteStore {
    pub(super) async fn recover_run(
        &self,
        run: &RunId,
        now: Timestamp,
    ) -> Result<Recovery, StoreError> {
        let fault = |e: sqlx::Error| self.fault(&e);
        let mut writer = self.writer.lock().await;
        let mut tx = writer.begin_with("BEGIN IMMEDIATE").await.map_err(fault)?;
        let read_back = self.read_back(&mut tx).await?;
        let intents = sqlx::query(INTENTS)
            .bind(run.as_str())
            .fetch_all(&mut *tx)
            .await
            .map_err(fault)?;
        let facts: Vec<Fact> = intents
            .iter()
            .map(|row| Ok(unanswered(row, tried(row)?, now)))
            .collect::<Result<Vec<_>, _>>()
            .map_err(fault)?
            .concat();
        let astray = Group::of(run, &[], &facts)
            .write(&mut tx)
            .await
            .map_err(fault)?;
        if astray > 0 {
            return Err(StoreError::Diverged(format!(
                "{astray} of {} callouts that were under way are not as they were left",
                intents.len()
            )));
        }
        let uncertain_since: Vec<i64> = sqlx::query_scalar(
            "-- recover: what became uncertain lately
             select answered_at from attempts
             where run = (select number from runs where id = ?1)
                   and state in ('intended', 'accepted', 'uncertain') and state = 'uncertain'
                   and answered_at > ?2",
        )
        .bind(run.as_str())
        .bind(millis(now) - LATELY_MS)
        .fetch_all(&mut *tx)
        .await
        .map_err(fault)?;
        let next_key: i64 = sqlx::query_scalar(
            "-- recover: the next key
             select coalesce(max(key), 0) + 1 from attempts",
        )
        .fetch_one(&mut *tx)
        .await
        .map_err(fault)?;
        let latest = latest_answers(&mut tx, run).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        self.put_away(&read_back)?;
        Ok(Recovery {
            became_uncertain: intents.len() as u64,
            read_back: read_back.groups,
            uncertain_since: uncertain_since.into_iter().map(moment).collect(),
            next_key,
            latest,
        })
    }
}

/// What becomes of an attempt whose engine died, and of its recipient.
fn unanswered(row: &SqliteRow, tried: Tried, now: Timestamp) -> Vec<Fact> {
    let Ok(state) = AttemptState::Intended.after(AttemptEvent::Recovered) else {
        return Vec::new();
    };
    let terms = Terms {
        retry: &RetryPolicy::default(),
        wanted: Wanted::default(),
        heard: InCall::NOTHING,
        closing: None,
        chance: 0.0,
    };
    let recipient = RecipientId(row.get("recipient"));
    let follow = after_attempt(&state, tried, terms);
    let mut facts = vec![Fact::Attempt {
        key: AttemptKey(row.get("key")),
        from: Stage::Intended,
        state,
        at: now,
    }];
    if let Follow::Done {
        disposition,
        reason,
    } = follow
    {
        facts.push(Fact::Done {
            recipient,
            from: Was::InFlight,
            disposition,
            reason,
        });
    }
    facts
}
