//! A group of intents and facts as rows: one for each attempt and each recipient, with the state in which it was
//! left. It is what a commit writes, and what a line of the side file holds.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};

use crate::domain::{AttemptState, CallId, Outcome, RecipientId, RunId, Stage, WaitReason};
use crate::store::sqlite::millis;
use crate::store::{DueAt, Fact, Intent, Was};

/// When those are due who are held: the year 9000, after everybody else.
pub(in crate::store::sqlite) const HELD_UNTIL: i64 = 221_845_392_000_000;

/// What is written together. On the way to a statement each row is an array, in the order of its fields.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Group {
    /// The database's id, in a line of the side file; none in one that an earlier version wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) database: Option<String>,
    pub(super) run: String,
    #[serde(skip)]
    pub(super) intents: Vec<IntentRow>,
    pub(super) attempts: Vec<AttemptRow>,
    pub(super) recipients: Vec<RecipientRow>,
    #[serde(default)]
    pub(super) waits: Vec<WaitRow>,
    /// Calls of attempts that have another one: key, call, when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) second_calls: Vec<(i64, String, i64)>,
    /// Legs of connected calls.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) legs: Vec<LegRow>,
}

#[derive(Debug)]
pub(super) struct IntentRow {
    key: i64,
    id: String,
    recipient: i64,
    at: i64,
    hold: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(from = "AttemptLine")]
pub(super) struct AttemptRow {
    pub(super) key: i64,
    pub(super) stage: Cow<'static, str>,
    answered_at: Option<i64>,
    ended_at: Option<i64>,
    call_id: Option<String>,
    result: Option<String>,
    reason: Option<String>,
    duration_s: Option<i64>,
    debit: Option<String>,
    currency: Option<String>,
    note: Option<String>,
    /// The stage in which it was left; none in a line that an earlier version wrote.
    from: Option<Cow<'static, str>>,
    /// The code of its refusal, and whom that speaks of.
    refusal: Option<String>,
    refusal_of: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(from = "RecipientLine")]
pub(super) struct RecipientRow {
    pub(super) id: i64,
    state: Cow<'static, str>,
    disposition: Option<Cow<'static, str>>,
    due_at: Option<i64>,
    reason: Option<String>,
    waiting_for: Option<String>,
    tried: Option<i64>,
    /// Where they were left; none in a line that an earlier version wrote.
    was: Option<Was>,
}

#[derive(Debug, Deserialize)]
#[serde(from = "(i64, i64, String, Option<i64>)")]
pub(super) struct WaitRow {
    recipient: i64,
    decided_at: i64,
    reason: String,
    until: Option<i64>,
}

impl Group {
    /// Folds intents and facts into rows: what happened to one attempt or recipient twice is written once.
    pub(super) fn of(run: &RunId, intents: &[Intent], facts: &[Fact]) -> Self {
        let mut attempts: BTreeMap<i64, AttemptRow> = BTreeMap::new();
        let mut recipients: BTreeMap<i64, RecipientRow> = BTreeMap::new();
        for fact in facts {
            if let Fact::Attempt {
                key,
                from,
                state,
                at,
            } = fact
            {
                let row = AttemptRow::of(key.0, *from, state, *at);
                let row = match attempts.remove(&key.0) {
                    Some(before) => before.then(row),
                    None => row,
                };
                attempts.insert(key.0, row);
            }
        }
        let dialled = intents.iter().map(RecipientRow::dialled);
        for row in dialled.chain(facts.iter().filter_map(RecipientRow::of)) {
            let row = match recipients.remove(&row.id) {
                Some(before) => before.then(row),
                None => row,
            };
            recipients.insert(row.id, row);
        }
        Self {
            database: None,
            run: run.to_string(),
            intents: intents.iter().map(IntentRow::of).collect(),
            attempts: attempts.into_values().collect(),
            recipients: recipients.into_values().collect(),
            waits: facts.iter().filter_map(WaitRow::of).collect(),
            second_calls: facts.iter().filter_map(second_call).collect(),
            legs: facts.iter().filter_map(leg).collect(),
        }
    }
}

fn second_call(fact: &Fact) -> Option<(i64, String, i64)> {
    match fact {
        Fact::SecondCall { key, call, at } => Some((key.0, call.to_string(), millis(*at))),
        _ => None,
    }
}

/// A leg as its row: attempt, call, when, how long, debit, currency.
pub(in crate::store::sqlite) type LegRow = (
    i64,
    String,
    i64,
    Option<i64>,
    Option<String>,
    Option<String>,
);

fn leg(fact: &Fact) -> Option<LegRow> {
    match fact {
        Fact::Leg {
            key,
            call,
            outcome,
            at,
        } => Some(leg_row(key.0, call, outcome, *at)),
        _ => None,
    }
}

pub(in crate::store::sqlite) fn leg_row(
    attempt: i64,
    call: &CallId,
    outcome: &Outcome,
    at: Timestamp,
) -> LegRow {
    let debit = outcome.debit.as_ref().map(|debit| debit.amount.to_string());
    (
        attempt,
        call.to_string(),
        millis(at),
        outcome.duration_s,
        debit,
        currency(outcome),
    )
}

impl IntentRow {
    fn of(intent: &Intent) -> Self {
        Self {
            key: intent.key.0,
            id: intent.id.to_string(),
            recipient: intent.recipient.0,
            at: millis(intent.at),
            hold: intent.hold.map(|hold| hold.to_string()),
        }
    }
}

impl Group {
    /// The attempts that were refused: key, code, and whom that speaks of.
    pub(super) fn refused(&self) -> Vec<(i64, &str, Option<&str>)> {
        let rows = self.attempts.iter();
        rows.filter_map(|row| Some((row.key, row.refusal.as_deref()?, row.refusal_of.as_deref())))
            .collect()
    }
}

impl AttemptRow {
    fn of(key: i64, from: Stage, state: &AttemptState, at: Timestamp) -> Self {
        let at = millis(at);
        let mut row = Self {
            key,
            stage: state.stage().as_str().into(),
            answered_at: Some(at),
            ended_at: (!state.stage().is_live()).then_some(at),
            call_id: None,
            result: None,
            reason: None,
            duration_s: None,
            debit: None,
            currency: None,
            note: None,
            from: Some(from.as_str().into()),
            refusal: None,
            refusal_of: None,
        };
        match state {
            AttemptState::Intended => {}
            AttemptState::Accepted(call) => row.call_id = Some(call.to_string()),
            AttemptState::Final { call, outcome, .. } => {
                row.call_id = call.as_ref().map(ToString::to_string);
                row.note = outcome.doubt();
                row.ended(outcome);
            }
            AttemptState::NotSent(why) => row.note = Some(why.clone()),
            AttemptState::Refused(refusal) => {
                row.note = Some(refusal.to_string());
                row.refusal = Some(refusal.code().to_string());
                row.refusal_of = Some(refusal.speaks_of.as_str().into());
            }
            AttemptState::Uncertain(uncertainty) => {
                let accepted = if uncertainty.accepted { ACCEPTED } else { "" };
                row.note = Some(format!("{accepted}{}", uncertainty.why));
            }
        }
        row
    }

    fn ended(&mut self, outcome: &Outcome) {
        self.result.clone_from(&outcome.result);
        self.reason.clone_from(&outcome.reason);
        self.duration_s = outcome.duration_s;
        self.debit = outcome.debit.as_ref().map(|debit| debit.amount.to_string());
        self.currency = currency(outcome);
    }

    /// This row, and then that one.
    fn then(self, later: Self) -> Self {
        Self {
            answered_at: self.answered_at.or(later.answered_at),
            call_id: later.call_id.or(self.call_id),
            note: later.note.or(self.note),
            refusal: later.refusal.or(self.refusal),
            refusal_of: later.refusal_of.or(self.refusal_of),
            from: self.from,
            ..later
        }
    }
}

/// Begins the note of an uncertain attempt that the platform took without telling the call's id.
pub(in crate::store::sqlite) const ACCEPTED: &str = "accepted, id unknown: ";

impl RecipientRow {
    fn moved(recipient: RecipientId, state: &'static str, was: Was) -> Self {
        Self {
            id: recipient.0,
            state: state.into(),
            disposition: None,
            due_at: None,
            reason: None,
            waiting_for: None,
            tried: None,
            was: Some(was),
        }
    }

    /// The row of a recipient on whom an attempt is made.
    fn dialled(intent: &Intent) -> Self {
        Self::moved(intent.recipient, "in flight", Was::ToCall)
    }

    /// The row of a recipient whom a fact moves.
    fn of(fact: &Fact) -> Option<Self> {
        match fact {
            Fact::Attempt { .. } | Fact::SecondCall { .. } | Fact::Leg { .. } => None,
            Fact::Due {
                recipient,
                from,
                at,
                waiting,
            } => {
                let state = if waiting.is_some() {
                    "waiting"
                } else {
                    "pending"
                };
                Some(Self {
                    due_at: Some(due_millis(*at)),
                    waiting_for: waiting.map(|w| w.reason.as_str().into()),
                    tried: waiting.map(|w| w.tried.pack()),
                    ..Self::moved(*recipient, state, *from)
                })
            }
            Fact::Done {
                recipient,
                from,
                disposition,
                reason,
            } => Some(Self {
                disposition: Some(disposition.as_str().into()),
                reason: reason.clone(),
                ..Self::moved(*recipient, "done", *from)
            }),
        }
    }

    /// This row, and then that one.
    fn then(self, later: Self) -> Self {
        Self {
            was: self.was,
            ..later
        }
    }
}

impl WaitRow {
    fn of(fact: &Fact) -> Option<Self> {
        let Fact::Due {
            recipient,
            at,
            waiting: Some(waiting),
            ..
        } = fact
        else {
            return None;
        };
        Some(Self {
            recipient: recipient.0,
            decided_at: millis(waiting.since),
            reason: waiting.reason.as_str().into(),
            until: (waiting.reason != WaitReason::Held).then(|| due_millis(*at)),
        })
    }
}

/// What stands in the column: the debit's currency or, without an amount, what was said of a debit that
/// cannot be read, which tells it from one that was not told.
pub(in crate::store::sqlite) fn currency(outcome: &Outcome) -> Option<String> {
    match &outcome.debit {
        Some(debit) => debit.currency.clone(),
        None => outcome.unread_debit.clone(),
    }
}

/// A due time as the tables hold it.
pub(super) fn due_millis(at: DueAt) -> i64 {
    match at {
        DueAt::At(at) => millis(at).min(HELD_UNTIL - 1),
        DueAt::Held => HELD_UNTIL,
    }
}

impl Serialize for IntentRow {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        (self.key, &self.id, self.recipient, self.at, &self.hold).serialize(to)
    }
}

impl Serialize for AttemptRow {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        (
            self.key,
            &self.stage,
            self.answered_at,
            self.ended_at,
            &self.call_id,
            &self.result,
            &self.reason,
            self.duration_s,
            &self.debit,
            &self.currency,
            &self.note,
            &self.from,
            &self.refusal,
            &self.refusal_of,
        )
            .serialize(to)
    }
}

impl Serialize for RecipientRow {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        (
            self.id,
            &self.state,
            &self.disposition,
            self.due_at,
            &self.reason,
            &self.waiting_for,
            self.tried,
            self.was,
        )
            .serialize(to)
    }
}

impl Serialize for WaitRow {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        (self.recipient, self.decided_at, &self.reason, self.until).serialize(to)
    }
}

/// An attempt's row read back; earlier versions end before `from`.
#[derive(Deserialize)]
struct AttemptLine(
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
    #[serde(default)] Option<String>,
    #[serde(default)] Option<String>,
    #[serde(default)] Option<String>,
);

impl From<AttemptLine> for AttemptRow {
    fn from(line: AttemptLine) -> Self {
        Self {
            key: line.0,
            stage: line.1.into(),
            answered_at: line.2,
            ended_at: line.3,
            call_id: line.4,
            result: line.5,
            reason: line.6,
            duration_s: line.7,
            debit: line.8,
            currency: line.9,
            note: line.10,
            from: line.11.map(Into::into),
            refusal: line.12,
            refusal_of: line.13,
        }
    }
}

/// A recipient's row read back; earlier versions end before `was`.
#[derive(Deserialize)]
struct RecipientLine(
    i64,
    String,
    Option<String>,
    Option<i64>,
    Option<String>,
    #[serde(default)] Option<String>,
    #[serde(default)] Option<i64>,
    #[serde(default)] Option<Was>,
);

impl From<RecipientLine> for RecipientRow {
    fn from(line: RecipientLine) -> Self {
        Self {
            id: line.0,
            state: line.1.into(),
            disposition: line.2.map(Into::into),
            due_at: line.3,
            reason: line.4,
            waiting_for: line.5,
            tried: line.6,
            was: line.7,
        }
    }
}

impl From<(i64, i64, String, Option<i64>)> for WaitRow {
    fn from(line: (i64, i64, String, Option<i64>)) -> Self {
        let (recipient, decided_at, reason, until) = line;
        Self {
            recipient,
            decided_at,
            reason,
            until,
        }
    }
}
