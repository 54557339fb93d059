//! How a call stands, and what is done with it (seed 000 and 001, "Get Call Result", "Manage Call";
//! seed 003; `FACTS` §4, §5).
//!
//! Every documented shape is read; what we do not know is kept as it came.

use std::str::FromStr;

use jiff::Timestamp;
use reqwest::Method;

use super::identity::Identity;
use super::lenient::Object;
use super::method::{ApiMethod, Host, Plain};
use super::region::Paths;
use super::svaml::Svaml;
use crate::domain::{CallId, Money, Outcome};

/// `GET /calling/v1/calls/id/{callId}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetCall {
    /// The id of the call that is asked about.
    pub call: CallId,
}

/// What the platform says of a call (seed 001, `GetCallResultResponse`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallInfo {
    /// `ONGOING` or `FINAL`; a newer word is kept, and a node SDK's sample has none.
    pub status: Option<String>,
    /// Result, reason, duration and debit as they stand.
    pub outcome: Outcome,
    /// The id in the answer, where there is one.
    pub call: Option<CallId>,
    /// The side that called; none where the platform does not say.
    pub from: Option<Identity>,
    /// Who was called.
    pub to: Option<Identity>,
    /// `pstn` or `mxp`.
    pub domain: Option<String>,
    /// When; an answer without a zone is in UTC.
    pub timestamp: Option<Timestamp>,
    /// The `custom` of the callout: its text or, where the platform gives an object, its JSON.
    pub custom: Option<String>,
    /// What a minute costs.
    pub user_rate: Option<Money>,
    /// Minutes paid for, a decimal (seed 002 only).
    pub debit_minutes: Option<String>,
}

impl CallInfo {
    /// Whether the call is over.
    pub fn is_final(&self) -> bool {
        let status = self.status.as_deref();
        status.is_some_and(|status| status.eq_ignore_ascii_case("FINAL"))
    }
}

impl ApiMethod for GetCall {
    type Answer = CallInfo;

    fn request(&self, paths: Paths) -> Plain {
        let path = paths.pick("/calling/v1/calls/id", "/v1/calls/id");
        Plain::new(Method::GET, Host::Calling, path).segment(self.call.as_str())
    }

    fn read(&self, body: &[u8]) -> Option<CallInfo> {
        let object = Object::parse(body)?;
        let status = object.text(&["status"]);
        let call = object.text(&["callId"]).and_then(|id| CallId::new(&id));
        if status.is_none() && call.is_none() || is_about_another(&object, &self.call) {
            return None;
        }
        Some(CallInfo {
            status,
            outcome: object.outcome(),
            call,
            from: object.identity(&["from"]),
            to: object.identity(&["to"]),
            domain: object.text(&["domain"]),
            timestamp: object.timestamp(&["timestamp"]),
            custom: object.text_or_json(&["custom"]),
            user_rate: object.money(&["userRate"]),
            debit_minutes: object.text(&["debitMinutes"]),
        })
    }
}

/// How a call stands, and no more than an engine needs of it.
pub(super) enum Standing {
    /// It goes on.
    Ongoing,
    /// It ended so.
    Over(Outcome),
    /// The answer is about another call.
    Other,
}

/// Reads how a call stands. `None` where the answer is no JSON object with a `status`.
pub(super) fn standing(call: &CallId, body: &[u8]) -> Option<Standing> {
    let object = Object::parse(body)?;
    let status = object.text(&["status"])?;
    if is_about_another(&object, call) {
        return Some(Standing::Other);
    }
    Some(if status.eq_ignore_ascii_case("FINAL") {
        Standing::Over(object.outcome())
    } else {
        Standing::Ongoing
    })
}

/// Whether an answer names another call than the one that was asked about.
fn is_about_another(answer: &Object<'_>, call: &CallId) -> bool {
    let named = answer.text(&["callId"]).filter(|id| !id.is_empty());
    named.is_some_and(|id| !id.eq_ignore_ascii_case(call.as_str()))
}

/// Which side of a call hears what is played. Ignored by the platform for conferences and for calls
/// that began as callouts (seed 001, "Manage Call").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leg {
    /// The side that called.
    Caller,
    /// The side that was called.
    Callee,
    /// Both sides.
    Both,
}

impl Leg {
    fn as_str(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Callee => "callee",
            Self::Both => "both",
        }
    }
}

impl FromStr for Leg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "caller" => Ok(Self::Caller),
            "callee" => Ok(Self::Callee),
            "both" => Ok(Self::Both),
            _ => Err("a call's leg is caller, callee or both".into()),
        }
    }
}

/// `PATCH /calling/v1/calls/id/{callId}`, or `…/leg/{callLeg}`: manages a call that goes on.
#[derive(Debug, Clone, PartialEq)]
pub struct ManageCall {
    /// The id of the call, which must go on.
    pub call: CallId,
    /// Who hears what is played; none leaves it to the platform.
    pub leg: Option<Leg>,
    /// What to do.
    pub svaml: Svaml,
}

impl ApiMethod for ManageCall {
    type Answer = ();

    fn request(&self, paths: Paths) -> Plain {
        let path = paths.pick("/calling/v1/calls/id", "/v1/call/id");
        let plain = Plain::new(Method::PATCH, Host::Calling, path).segment(self.call.as_str());
        let plain = match self.leg {
            Some(leg) => plain.segment("leg").segment(leg.as_str()),
            None => plain,
        };
        plain.json(&self.svaml)
    }

    fn read(&self, _: &[u8]) -> Option<()> {
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_as(id: &str, body: &str) -> Option<CallInfo> {
        let call = CallId::new(id).unwrap();
        GetCall { call }.read(body.as_bytes())
    }

    fn read(body: &str) -> Option<CallInfo> {
        read_as("c", body)
    }

    #[test]
    fn an_answer_about_another_call_is_not_believed() {
        let body = r#"{"callId":"X","status":"FINAL","result":"ANSWERED"}"#;
        let standing = |id| standing(&CallId::new(id).unwrap(), body.as_bytes());
        assert!(matches!(standing("y"), Some(Standing::Other)));
        assert!(matches!(standing("x"), Some(Standing::Over(_))));
        assert_eq!(read_as("y", body), None);
        assert!(read_as("x", body).unwrap().is_final());
        let endless = format!(r#"{{"callId":"{}","status":"FINAL"}}"#, "x".repeat(10_000));
        assert_eq!(read_as("x", &endless), None);
    }

    #[test]
    fn a_final_answer_gives_its_outcome_whatever_else_is_missing() {
        let call = read(r#"{"status":"final","Result":"BUSY","duration":null}"#).unwrap();
        assert!(call.is_final());
        assert_eq!(call.outcome.result.as_deref(), Some("BUSY"));
        assert_eq!(call.outcome.duration_s, None);
        assert!(read("{}").is_none());
        assert!(read("<html>").is_none());
        assert!(!read(r#"{"status":"SOMETHING NEW"}"#).unwrap().is_final());
    }

    #[test]
    fn both_generations_of_answers_are_read_whole() {
        let new = read_as(
            "x",
            r#"{"from":{"type":"Username","endpoint":"anna"},"to":{"type":"Number","endpoint":"+33123456789"},
            "domain":"pstn","callId":"x","duration":138,"status":"FINAL","result":"ANSWERED","reason":"CALLEEHANGUP",
            "timestamp":"2024-01-08T09:48:12","custom":"{}","userRate":{"currencyId":"EUR","amount":0.1758},
            "debit":{"currencyId":"EUR","amount":0.5274}}"#,
        )
        .unwrap();
        assert_eq!(new.from.unwrap().endpoint, "anna");
        assert_eq!(new.timestamp.unwrap().to_string(), "2024-01-08T09:48:12Z");
        assert_eq!(new.custom.as_deref(), Some("{}"));
        assert_eq!(new.user_rate.unwrap().to_string(), "0.1758 EUR");
        let old = read_as(
            "y",
            r#"{"from":null,"to":"33123456789","callid":"y","status":"ONGOING","timestamp":"2019-08-24T14:15:22Z",
            "custom":{"a":1},"userRate":"0.1758 EUR","debit":"string","debitMinutes":1.5}"#,
        )
        .unwrap();
        assert_eq!(old.to.unwrap().endpoint, "33123456789");
        assert_eq!(old.call, CallId::new("y"));
        assert_eq!(old.custom.as_deref(), Some(r#"{"a":1}"#));
        assert_eq!(old.debit_minutes.as_deref(), Some("1.5"));
        assert_eq!(old.outcome.debit, None);
    }
}
