//! The rest of the Calling API by hand: what is checked before a request is made, and its facts for
//! programs.

use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::{Error, Refusal};
use crate::domain::Money;
use crate::sinch::calls::CallInfo;
use crate::sinch::conferences::Participant;
use crate::sinch::identity::Identity;
use crate::sinch::numbers::OwnNumber;
use crate::sinch::query::NumberInfo;
use crate::sinch::recordings::Recording;

/// A number as the API's documents want it, with what people write between digits taken out.
pub(crate) fn e164(text: &str) -> Result<String, Error> {
    let separator = |c: char| c.is_whitespace() || matches!(c, '-' | '.' | '(' | ')' | '/');
    let number: String = text.chars().filter(|c| !separator(*c)).collect();
    let digits = number.strip_prefix('+').unwrap_or_default();
    if (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) {
        Ok(number)
    } else {
        Err(Refusal::input(
            "number",
            format!("`{text}` is no number: write + and 7 to 15 digits, such as +46701234567"),
        )
        .into())
    }
}

/// What the conference's id must be (`FACTS` §6: at most 64 characters).
pub(crate) fn conference_id(text: &str) -> Result<String, Error> {
    if text.chars().count() > 64 {
        return Err(
            Refusal::input("conference_id", "a conference's id has 1 to 64 characters").into(),
        );
    }
    name(text, "a conference's id")
}

/// A name that stands in a path: anything but nothing, dots alone, and control characters.
pub(crate) fn name(text: &str, what: &str) -> Result<String, Error> {
    if matches!(text, "" | "." | "..") || text.chars().any(char::is_control) {
        return Err(Refusal::input("number", format!("`{text}` cannot be {what}")).into());
    }
    Ok(text.to_owned())
}

/// Money for programs: the amount as text, so that no reader makes a float of it.
pub(crate) fn money(money: Option<&Money>) -> Value {
    money.map_or(
        Value::Null,
        |money| json!({ "amount": money.amount.to_string(), "currency": money.currency }),
    )
}

/// A call, for programs.
pub(crate) fn call_json(call: &str, info: &CallInfo) -> Value {
    let party = |party: &Option<Identity>| {
        party.as_ref().map_or(
            Value::Null,
            |p| json!({ "type": p.kind, "endpoint": p.endpoint }),
        )
    };
    json!({
        "call_id": info.call.as_ref().map_or(call, |c| c.as_str()),
        "status": info.status,
        "result": info.outcome.result,
        "reason": info.outcome.reason,
        "from": party(&info.from),
        "to": party(&info.to),
        "domain": info.domain,
        "timestamp": info.timestamp.map(|t| t.to_string()),
        "duration_s": info.outcome.duration_s,
        "rate": money(info.user_rate.as_ref()),
        "debit": money(info.outcome.debit.as_ref()),
        "debit_minutes": info.debit_minutes,
        "custom": info.custom,
        "note": info.outcome.doubt(),
    })
}

/// The participants of a conference, for programs.
pub(crate) fn participants_json(participants: &[Participant]) -> Value {
    let participants: Vec<_> = participants
        .iter()
        .map(|p| {
            json!({
                "call_id": p.id,
                "number": p.cli,
                "duration_s": p.duration_s,
                "muted": p.muted,
                "on_hold": p.onhold,
            })
        })
        .collect();
    json!({ "participants": participants })
}

/// Our numbers, for programs.
pub(crate) fn numbers_json(numbers: &[OwnNumber]) -> Value {
    let numbers: Vec<_> = numbers
        .iter()
        .map(|n| {
            json!({
                "number": n.number,
                "capability": n.capability,
                "application_key": n.application_key,
            })
        })
        .collect();
    json!({ "numbers": numbers })
}

/// Recordings, for programs.
pub(crate) fn recordings_json(recordings: &[Recording]) -> Value {
    let recordings: Vec<_> = recordings
        .iter()
        .map(|r| {
            json!({
                "key": r.key,
                "url": r.url,
                "created_on": r.created_on,
                "expires_on": r.expires_on,
                "headers": r.headers,
            })
        })
        .collect();
    json!({ "recordings": recordings })
}

/// What is known of a number, for programs.
pub(crate) fn lookup_json((asked, info): &(&str, NumberInfo)) -> Value {
    json!({
        "asked": asked,
        "number": info.normalized_number,
        "country": info.country_id,
        "type": info.number_type,
        "restricted": info.restricted,
        "rate": money(info.rate.as_ref()),
    })
}

/// A moment, or midnight of a date in UTC.
pub(crate) fn time(text: &str) -> Result<Timestamp, Error> {
    let date = |text: &str| text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok();
    let moment = text.parse::<Timestamp>().ok();
    moment
        .or_else(|| Some(date(text)?.timestamp()))
        .ok_or_else(|| {
            let words = format!(
                "`{text}` is neither a date such as 2026-11-21 nor a moment such as \
                 2026-11-21T08:00:00Z"
            );
            Refusal::input("time", words).into()
        })
}

/// A file of this folder, named after a key: whatever it says, no other folder is meant.
pub(crate) fn file_of_key(key: &str) -> Result<PathBuf, Error> {
    let usable = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let name: String = key
        .chars()
        .map(|c| if usable(c) { c } else { '_' })
        .collect();
    if name.chars().all(|c| c == '.') {
        return Err(Refusal::input("file_name", "no file can have that name").into());
    }
    Ok(PathBuf::from(name))
}
