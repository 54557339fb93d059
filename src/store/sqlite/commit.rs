//! Group commit: many changes, three statements, one sync.
//!
//! sqlx hands every statement to the connection's own thread, which costs more than the statement;
//! so a group travels as one JSON parameter a table. Every update compares first: a row that is not
//! where we left it ends the run rather than being written over.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sqlx::{Connection as _, Sqlite, Transaction};

use super::{SqliteStore, millis};
use crate::domain::{AttemptState, Outcome, RecipientId, RunId, WaitReason};
use crate::store::{Change, StoreError};

const INTEND: &str = "-- intend
    insert into attempts (key, id, run, recipient, state, intended_at, hold)
    select value ->> 0, unhex(value ->> 1), (select number from runs where id = ?2), value ->> 2,
           'intended', value ->> 3, value ->> 4
    from json_each(?1)";

const WAIT: &str = "-- wait
    insert into waits (recipient, at, reason, until)
    select value ->> 0, value ->> 1, value ->> 2, value ->> 3 from json_each(?1)";

const MOVE_ATTEMPTS: &str = "-- move_attempts
    update attempts set
        state = new.value ->> 1,
        answered_at = coalesce(answered_at, new.value ->> 2),
        ended_at = new.value ->> 3,
        call_id = coalesce(new.value ->> 4, call_id),
        result = new.value ->> 5,
        reason = new.value ->> 6,
        duration_s = new.value ->> 7,
        debit = new.value ->> 8,
        currency = new.value ->> 9,
        note = coalesce(new.value ->> 10, note)
    from json_each(?1) as new
    where attempts.key = new.value ->> 0 and attempts.state in ('intended', 'accepted', 'uncertain')";

const MOVE_RECIPIENTS: &str = "-- move_recipients
    update recipients set
        state = new.value ->> 1,
        disposition = new.value ->> 2,
        due_at = new.value ->> 3,
        reason = coalesce(new.value ->> 4, reason),
        waiting_for = new.value ->> 5,
        tried = coalesce(new.value ->> 6, tried)
    from json_each(?1) as new
    where recipients.id = new.value ->> 0 and recipients.state <> 'done'";

/// A group of changes, one row for each attempt and each recipient, in the order of the statements'
/// columns. It is also what a line of the side file holds.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Group {
    pub(super) run: String,
    #[serde(skip)]
    intents: Vec<(i64, String, i64, i64, Option<String>)>,
    attempts: Vec<AttemptRow>,
    recipients: Vec<RecipientRow>,
    /// recipient, decided at, reason, until
    #[serde(default)]
    waits: Vec<(i64, i64, String, Option<i64>)>,
}

/// key, state, `answered_at`, `ended_at`, `call_id`, result, reason, `duration_s`, debit, currency,
/// note
#[derive(Debug, Clone, Serialize, Deserialize)]
struct AttemptRow(
    i64,
    String,
    Option<i64>,
    Option<i64>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<i64>,
    Option<String>,
    Option<String>,
    Option<String>,
);

/// id, state, disposition, `due_at`, reason, `waiting_for`, tried
#[derive(Debug, Clone, Serialize, Deserialize)]
struct RecipientRow(
    i64,
    String,
    Option<String>,
    Option<i64>,
    Option<String>,
    #[serde(default)] Option<String>,
    #[serde(default)] Option<u32>,
);

impl RecipientRow {
    fn of(recipient: RecipientId, state: &str) -> Self {
        Self(recipient.0, state.into(), None, None, None, None, None)
    }
}

impl Group {
    /// Folds changes into rows: what happened to one attempt twice is written once.
    pub(super) fn of(run: &RunId, changes: &[Change]) -> Self {
        let mut intents = Vec::new();
        let mut attempts: BTreeMap<i64, AttemptRow> = BTreeMap::new();
        let mut recipients: BTreeMap<i64, RecipientRow> = BTreeMap::new();
        let mut waits = Vec::new();
        for change in changes {
            match change {
                Change::Intend {
                    key,
                    id,
                    recipient,
                    hold,
                    at,
                } => {
                    let hold = hold.map(|hold| hold.to_string());
                    intents.push((key.0, id.to_string(), recipient.0, millis(*at), hold));
                    recipients.insert(recipient.0, RecipientRow::of(*recipient, "in flight"));
                }
                Change::Attempt { key, state, at } => {
                    let mut row = attempt_row(key.0, state, millis(*at));
                    if let Some(before) = attempts.remove(&key.0) {
                        row.2 = before.2.or(row.2);
                        row.4 = row.4.or(before.4);
                        row.10 = row.10.or(before.10);
                    }
                    attempts.insert(key.0, row);
                }
                Change::Due {
                    recipient,
                    at,
                    waiting,
                } => {
                    let state = if waiting.is_some() {
                        "waiting"
                    } else {
                        "pending"
                    };
                    let mut row = RecipientRow::of(*recipient, state);
                    row.3 = Some(millis(*at));
                    row.5 = waiting.map(|w| w.reason.as_str().into());
                    row.6 = waiting.map(|w| w.tried.pack());
                    waits.extend(waiting.map(|w| {
                        let until = (w.reason != WaitReason::Held).then(|| millis(*at));
                        (
                            recipient.0,
                            millis(w.since),
                            w.reason.as_str().into(),
                            until,
                        )
                    }));
                    recipients.insert(recipient.0, row);
                }
                Change::Done {
                    recipient,
                    disposition,
                    reason,
                } => {
                    let mut row = RecipientRow::of(*recipient, "done");
                    row.2 = Some(disposition.as_str().to_owned());
                    row.4.clone_from(reason);
                    recipients.insert(recipient.0, row);
                }
            }
        }
        Self {
            run: run.to_string(),
            intents,
            attempts: attempts.into_values().collect(),
            recipients: recipients.into_values().collect(),
            waits,
        }
    }

    /// Writes the group. Returns how many rows were not where they were expected.
    pub(super) async fn write(&self, tx: &mut Transaction<'_, Sqlite>) -> Result<u64, sqlx::Error> {
        let mut astray = 0;
        if !self.intents.is_empty() {
            let query = sqlx::query(INTEND)
                .bind(json(&self.intents))
                .bind(&self.run);
            query.execute(&mut **tx).await?;
        }
        for (statement, rows, expected) in [
            (MOVE_ATTEMPTS, json(&self.attempts), self.attempts.len()),
            (
                MOVE_RECIPIENTS,
                json(&self.recipients),
                self.recipients.len(),
            ),
        ] {
            if expected > 0 {
                let moved = sqlx::query(statement).bind(rows).execute(&mut **tx).await?;
                astray += (expected as u64).saturating_sub(moved.rows_affected());
            }
        }
        if !self.waits.is_empty() {
            let query = sqlx::query(WAIT).bind(json(&self.waits));
            query.execute(&mut **tx).await?;
        }
        Ok(astray)
    }
}

fn json(rows: &impl Serialize) -> String {
    serde_json::to_string(rows).expect("rows of numbers and strings serialise")
}

fn attempt_row(key: i64, state: &AttemptState, at: i64) -> AttemptRow {
    let none = Outcome::default();
    let (call, outcome, note, ended) = match state {
        AttemptState::Intended => (None, &none, None, false),
        AttemptState::Accepted(call) => (Some(call.to_string()), &none, None, false),
        AttemptState::Final { call, outcome } => {
            let call = call.as_ref().map(ToString::to_string);
            (call, outcome, outcome.doubt(), true)
        }
        AttemptState::NotSent(why) => (None, &none, Some(why.clone()), true),
        AttemptState::Refused(refusal) => (None, &none, Some(refusal.to_string()), true),
        AttemptState::Uncertain(uncertainty) => {
            let accepted = if uncertainty.accepted {
                "accepted, id unknown: "
            } else {
                ""
            };
            (
                None,
                &none,
                Some(format!("{accepted}{}", uncertainty.why)),
                false,
            )
        }
    };
    AttemptRow(
        key,
        state.as_str().into(),
        Some(at),
        ended.then_some(at),
        call,
        outcome.result.clone(),
        outcome.reason.clone(),
        outcome.duration_s,
        outcome.debit.as_ref().map(|d| d.amount.to_string()),
        currency(outcome),
        note,
    )
}

/// What stands in the column: the debit's currency or, without an amount, what was said of a debit that
/// cannot be read, which tells it from one that was not told.
pub(super) fn currency(outcome: &Outcome) -> Option<String> {
    match &outcome.debit {
        Some(debit) => debit.currency.clone(),
        None => outcome.unread_debit.clone(),
    }
}

impl SqliteStore {
    pub(super) async fn commit_group(
        &self,
        run: &RunId,
        changes: &[Change],
    ) -> Result<(), StoreError> {
        let group = Group::of(run, changes);
        let mut writer = self.writer.lock().await;
        let written = async {
            let mut tx = writer.begin_with("BEGIN IMMEDIATE").await?;
            let astray = group.write(&mut tx).await?;
            if astray == 0 {
                tx.commit().await?;
            } else {
                tx.rollback().await?;
            }
            Ok::<_, sqlx::Error>(astray)
        }
        .await;
        match written {
            Ok(0) => Ok(()),
            Ok(astray) => Err(StoreError::Diverged(format!(
                "{astray} rows of a group were changed by somebody else"
            ))),
            Err(e) => Err(self.fault(&e)),
        }
    }
}
