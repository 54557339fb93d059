//! How a call is told in JSON: the two generations of the API's documents, and a mix of both.
//!
//! `new` is what the SDKs' fixtures show, `old` is seed 003 (`FACTS` §4 and §12, rows 5 to 9 and 34).
//! A client should read either.

use std::collections::BTreeMap;
use std::str::FromStr;

use jiff::Timestamp;
use rand::Rng as _;
use rand::rngs::StdRng;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::endpoint::EndpointKind;

/// Which generation of the documents the answers follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shape {
    /// Objects for addresses and money, `callId`, a timestamp without zone, `custom` as text.
    #[default]
    New,
    /// Text for addresses and money, `callid`, `custom` as object.
    Old,
    /// Drawn for each call, with the deviations that have been seen.
    Mixed,
}

impl FromStr for Shape {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "new" => Ok(Self::New),
            "old" => Ok(Self::Old),
            "mixed" => Ok(Self::Mixed),
            _ => Err(format!(
                "shape `{text}` is neither `new`, `old` nor `mixed`"
            )),
        }
    }
}

/// How one call is told, drawn when it is placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Telling {
    old: bool,
    /// Spelling of the id in the answer to the POST.
    id_key: &'static str,
    without_from: bool,
    without_plus: bool,
}

/// What is told of a call.
#[derive(Debug, Clone)]
pub(super) struct CallView<'a> {
    pub(super) call_id: &'a str,
    pub(super) endpoint: &'a str,
    pub(super) endpoint_kind: EndpointKind,
    pub(super) cli: Option<&'a str>,
    pub(super) custom: &'a str,
    pub(super) accepted_at: Timestamp,
    pub(super) is_final: bool,
    pub(super) status: &'static str,
    pub(super) result: &'static str,
    pub(super) reason: &'static str,
    pub(super) duration_s: u32,
    pub(super) currency: &'a str,
    pub(super) rate: Decimal,
    /// Absent before the call is over.
    pub(super) debit: Option<Decimal>,
}

impl Telling {
    pub(super) fn draw(shape: Shape, rng: &mut StdRng) -> Self {
        let new = Self {
            old: false,
            id_key: "callId",
            without_from: false,
            without_plus: false,
        };
        match shape {
            Shape::New => new,
            Shape::Old => Self {
                old: true,
                id_key: "callid",
                ..new
            },
            Shape::Mixed => Self {
                old: rng.random_bool(0.5),
                id_key: ["callId", "callid", "CallId"][rng.random_range(0..3)],
                without_from: rng.random_bool(0.3),
                without_plus: rng.random_bool(0.3),
            },
        }
    }

    /// The answer to the POST that placed the call.
    pub(super) fn accepted(self, call_id: &str) -> String {
        json!({ self.id_key: call_id }).to_string()
    }

    /// The answer to a GET.
    pub(super) fn call(self, view: &CallView<'_>) -> String {
        let told = if self.old {
            serde_json::to_string(&self.old_call(view))
        } else {
            serde_json::to_string(&self.new_call(view))
        };
        told.expect("text, whole numbers and decimals can always be written as JSON")
    }

    fn new_call<'a>(self, view: &CallView<'a>) -> NewCall<'a> {
        let kind = match view.endpoint_kind {
            EndpointKind::Number => "Number",
            EndpointKind::Username => "Username",
            EndpointKind::Sip => "Sip",
        };
        let shown = view
            .cli
            .filter(|cli| *cli != "private" && !self.without_from);
        NewCall {
            from: shown.map(|cli| json!({ "type": "Number", "endpoint": cli })),
            // Where no phone rings, nobody may have said whom to call.
            to: (!view.endpoint.is_empty())
                .then(|| json!({ "type": kind, "endpoint": self.endpoint(view) })),
            domain: domain(view.endpoint_kind),
            call_id: view.call_id,
            duration: view.duration_s,
            status: view.status,
            result: view.result,
            reason: view.reason,
            // The SDKs' fixtures have no zone here; it is UTC.
            timestamp: view.accepted_at.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
            custom: view.custom,
            user_rate: money(view.rate, view.currency),
            debit: view.debit.map(|debit| money(debit, view.currency)),
        }
    }

    fn old_call<'a>(self, view: &CallView<'a>) -> OldCall<'a> {
        // Seed 003 has an object here: the text where it is one, otherwise wrapped.
        let custom = match serde_json::from_str(view.custom) {
            Ok(Value::Object(object)) => Value::Object(object),
            _ if view.custom.is_empty() => json!({}),
            _ => json!({ "value": view.custom }),
        };
        OldCall {
            from: view.cli.filter(|_| !self.without_from),
            to: Some(self.endpoint(view)).filter(|to| !to.is_empty()),
            domain: domain(view.endpoint_kind),
            callid: view.call_id,
            duration: view.duration_s,
            status: view.status,
            result: view.result,
            reason: view.reason,
            timestamp: view.accepted_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            custom,
            user_rate: format!("{} {}", view.rate, view.currency),
            debit: view.debit.map(|debit| format!("{debit} {}", view.currency)),
        }
    }

    fn endpoint<'a>(self, view: &CallView<'a>) -> &'a str {
        match view.endpoint.strip_prefix('+') {
            Some(digits) if self.without_plus => digits,
            _ => view.endpoint,
        }
    }
}

/// The same answer, with other values in the place of some of its fields.
pub(super) fn told_otherwise(body: &str, odd: &[(String, String)]) -> String {
    let mut fields: BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(body).unwrap_or_default();
    for (name, value) in odd {
        if let Ok(value) = RawValue::from_string(value.clone()) {
            fields.retain(|known, _| !known.eq_ignore_ascii_case(name));
            fields.insert(name.clone(), value);
        }
    }
    serde_json::to_string(&fields).unwrap_or_default()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewCall<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<Value>,
    domain: &'static str,
    call_id: &'a str,
    duration: u32,
    status: &'static str,
    result: &'static str,
    reason: &'static str,
    timestamp: String,
    custom: &'a str,
    user_rate: Money<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    debit: Option<Money<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OldCall<'a> {
    from: Option<&'a str>,
    to: Option<&'a str>,
    domain: &'static str,
    callid: &'a str,
    duration: u32,
    status: &'static str,
    result: &'static str,
    reason: &'static str,
    timestamp: String,
    custom: Value,
    user_rate: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    debit: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Money<'a> {
    currency_id: &'a str,
    amount: Box<RawValue>,
}

/// Money as the API writes it: a JSON number, here with every decimal it has and never a float.
pub(super) fn money(amount: Decimal, currency: &str) -> Money<'_> {
    Money {
        currency_id: currency,
        amount: RawValue::from_string(amount.to_string())
            .expect("a decimal prints as a JSON number"),
    }
}

pub(super) fn domain(kind: EndpointKind) -> &'static str {
    match kind {
        EndpointKind::Number | EndpointKind::Sip => "pstn",
        EndpointKind::Username => "mxp",
    }
}
