//! What rows say: column by column, or a row of a list or an attempt as one JSON text.
//!
//! What is read by the million is read as text. A value that leaves SQLite is copied and handed to another thread, which costs more than finding it; so
//! a row leaves as one, and a page of rows too. JSON has no line feed and no tab of its own: these stand
//! between rows, and between a row and its attempts.

use std::borrow::Cow;

use serde::Deserialize;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::moment;
use crate::domain::{
    AttemptId, AttemptRecord, Destination, DestinationKind, Disposition, InCall, Money, Outcome,
    RecipientId, RecipientState, ResultRow, Stage, told,
};
use crate::store::{RejectedRow, StoreError};

/// What was heard in the call of an attempt; null where nothing was.
macro_rules! heard_bits {
    () => {
        "(select max(makes & 1) | max(makes & 2) | max(makes & 4) | max(makes & 8) | max(makes & 16)
          from heard where heard.attempt = attempts.key)"
    };
}
pub(super) use heard_bits;

/// What the recipient of an attempt pressed in whatever call ([`InCall::stays`]); null where nothing.
macro_rules! pressed_bits {
    () => {
        "(select max(makes & 2) | max(makes & 4) | max(makes & 8)
          from attempts as theirs join heard on heard.attempt = theirs.key
          where theirs.recipient = attempts.recipient)"
    };
}
pub(super) use pressed_bits;

/// What was heard, as the two columns `heard` and `pressed` of a row have it.
pub(super) fn heard(row: &SqliteRow) -> InCall {
    let bits = |column| InCall::unpack(row.get::<Option<i64>, _>(column).unwrap_or(0));
    bits("heard").and(bits("pressed"))
}

/// What [`read_row`] reads.
macro_rules! row_json {
    () => {
        "json_array(recipients.id, recipients.line, recipients.cells, recipients.endpoint,
            recipients.disposition, recipients.reason, recipients.fault, runs.destination_kind)"
    };
}
pub(super) use row_json;

/// What [`read_attempt`] reads.
macro_rules! attempt_json {
    () => {
        "json_array(hex(attempts.id), attempts.state, attempts.intended_at, attempts.answered_at,
            attempts.ended_at, attempts.call_id, attempts.result, attempts.reason, attempts.duration_s,
            attempts.debit, attempts.currency, attempts.note, attempts.hold,
            (select (max(makes & 1) | max(makes & 2) | max(makes & 4) | max(makes & 8) | max(makes & 16))
                    || ' ' || ifnull(group_concat(value, ' > '), '') from (
                select value, makes from heard where heard.attempt = attempts.key
                order by nth, at, value)),
            (select json_group_array(json_array(legs.debit, legs.currency)) || '' from legs
             where legs.attempt = attempts.key having count(*) > 0))"
    };
}
pub(super) use attempt_json;

/// In front of each attempt behind its row.
pub(super) const ATTEMPT: char = '\t';

#[derive(Deserialize)]
struct Row<'a>(
    i64,
    i64,
    #[serde(borrow)] Cow<'a, str>,
    Option<String>,
    Option<&'a str>,
    Option<String>,
    Option<String>,
    Option<&'a str>,
);

#[derive(Deserialize)]
struct Attempt<'a>(
    &'a str,
    &'a str,
    i64,
    Option<i64>,
    Option<i64>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<i64>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
);

/// What is known of the prices of legs, from pairs of an amount and its currency.
pub(super) fn read_legs(text: &str) -> Vec<Option<Money>> {
    let pairs: Vec<(Option<String>, Option<String>)> =
        serde_json::from_str(text).unwrap_or_default();
    let price = |(amount, currency): (Option<String>, Option<String>)| {
        let amount = Money::parse_amount(amount.as_deref()?)?;
        Some(Money { amount, currency })
    };
    pairs.into_iter().map(price).collect()
}

/// Rows as a statement takes them.
pub(super) fn json(rows: &impl serde::Serialize) -> String {
    serde_json::to_string(rows).expect("rows of numbers and strings serialise")
}

/// Rows of a page, a line each, with the attempts that stand behind them.
pub(super) fn read_page(page: &str) -> Result<Vec<ResultRow>, StoreError> {
    let read = |line: &str| {
        let mut parts = line.split(ATTEMPT);
        let mut row = read_row(parts.next().unwrap_or_default())?;
        row.attempts = parts.map(read_attempt).collect::<Result<_, _>>()?;
        Ok(row)
    };
    let mut rows: Vec<ResultRow> = page.lines().map(read).collect::<Result<_, StoreError>>()?;
    // They are, but nothing says that SQLite must.
    rows.sort_by_key(|row| row.recipient);
    Ok(rows)
}

/// A row without its attempts.
pub(super) fn read_row(text: &str) -> Result<ResultRow, StoreError> {
    let Row(id, line, cells, endpoint, disposition, reason, fault, kind) = read(text)?;
    let fault = fault.and_then(|fault| serde_json::from_str::<RejectedRow>(&fault).ok());
    Ok(ResultRow {
        recipient: RecipientId(id),
        line: line.unsigned_abs(),
        cells: serde_json::from_str(&cells).unwrap_or_default(),
        destination: destination_of(endpoint, kind),
        disposition: disposition.and_then(Disposition::parse),
        reason,
        fault: fault.map(|fault| (fault.column, fault.value)),
        attempts: Vec::new(),
    })
}

pub(super) fn read_attempt(text: &str) -> Result<AttemptRecord, StoreError> {
    let Attempt(
        id,
        state,
        intended_at,
        answered_at,
        ended_at,
        call_id,
        result,
        reason,
        duration_s,
        debit,
        currency,
        note,
        hold,
        heard,
        legs,
    ) = read(text)?;
    let heard = heard.as_deref().and_then(|heard| heard.split_once(' '));
    let heard = heard.map(|(bits, response)| {
        let response = (!response.is_empty()).then(|| response.to_owned());
        (InCall::unpack(bits.parse().unwrap_or(0)), response)
    });
    let kept = Kept {
        result,
        duration_s,
        debit,
        currency,
    };
    let outcome = Outcome {
        reason,
        ..kept.outcome()
    };
    Ok(AttemptRecord {
        id: AttemptId::parse(id).ok_or_else(unreadable)?,
        stage: stage_of(state)?,
        intended_at: moment(intended_at),
        answered_at: answered_at.map(moment),
        ended_at: ended_at.map(moment),
        call_id,
        note: note.or_else(|| outcome.doubt()),
        outcome,
        hold: hold.and_then(|hold| hold.parse().ok()),
        response: heard.as_ref().and_then(|(_, response)| response.clone()),
        heard: heard.map_or(InCall::NOTHING, |(heard, _)| heard),
        legs: legs.as_deref().map(read_legs).unwrap_or_default(),
    })
}

fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, StoreError> {
    // What is in the row is nobody's to read in an error.
    serde_json::from_str(text).map_err(|_| unreadable())
}

fn unreadable() -> StoreError {
    StoreError::Diverged("a row cannot be read".into())
}

/// Whom a row is about.
pub(super) fn destination(row: &SqliteRow) -> Option<Destination> {
    destination_of(row.get("endpoint"), row.get("destination_kind"))
}

fn destination_of(endpoint: Option<String>, kind: Option<&str>) -> Option<Destination> {
    let kind = kind.and_then(|kind| kind.parse().ok());
    endpoint.map(|endpoint| Destination {
        kind: kind.unwrap_or(DestinationKind::Number),
        endpoint,
    })
}

/// The id of an attempt.
pub(super) fn attempt_id(bytes: &[u8]) -> Result<AttemptId, StoreError> {
    let id = <[u8; 16]>::try_from(bytes)
        .map_err(|_| StoreError::Diverged("an attempt's id is not 16 bytes".into()))?;
    Ok(AttemptId::from_bytes(id))
}

/// Where a recipient stands.
pub(super) fn recipient_state(row: &SqliteRow) -> Result<RecipientState, StoreError> {
    let (state, disposition): (&str, Option<&str>) = (row.get("state"), row.get("disposition"));
    RecipientState::parse(state, disposition)
        .ok_or_else(|| StoreError::Diverged(format!("a recipient is `{state}`")))
}

/// Where an attempt stands.
pub(super) fn stage(row: &SqliteRow) -> Result<Stage, StoreError> {
    stage_of(row.get("state"))
}

fn stage_of(word: &str) -> Result<Stage, StoreError> {
    Stage::parse(word).ok_or_else(|| StoreError::Diverged(format!("an attempt is `{word}`")))
}

/// How an attempt ended, but for the reason.
pub(super) fn outcome(row: &SqliteRow) -> Outcome {
    let kept = Kept {
        result: row.get("result"),
        duration_s: row.get("duration_s"),
        debit: row.get("debit"),
        currency: row.get("currency"),
    };
    kept.outcome()
}

/// What a row has of an outcome. What an earlier version kept and nobody can believe is unknown.
struct Kept {
    result: Option<String>,
    duration_s: Option<i64>,
    debit: Option<String>,
    currency: Option<String>,
}

impl Kept {
    fn outcome(self) -> Outcome {
        let duration_s = self.duration_s.and_then(told::duration_s);
        let unread_duration = self.duration_s.filter(|_| duration_s.is_none());
        let amount = self.debit.as_deref().and_then(Money::parse_amount);
        let (debit, unread_debit) = match amount {
            Some(amount) => {
                let currency = self.currency;
                (Some(Money { amount, currency }), None)
            }
            None => (None, self.debit.or(self.currency)),
        };
        Outcome {
            result: self.result,
            reason: None,
            duration_s,
            unread_duration: unread_duration.map(|seconds| seconds.to_string()),
            debit,
            unread_debit,
        }
    }
}
