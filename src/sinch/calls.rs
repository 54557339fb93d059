//! `GET /calling/v1/calls/id/{callId}`: how a call stands (seed 000 and 001, "Get Call Result";
//! `FACTS` §4).
//!
//! Every documented shape is read; what we do not know is kept as it came.

use super::lenient::Object;
use crate::domain::{CallId, Outcome};

/// Path of the method without the call id, on the calling base.
pub const PATH: &str = "/calling/v1/calls/id/";

/// What the platform says of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallResult {
    /// Whether the call is over: `status` is `FINAL`.
    pub is_final: bool,
    /// Result, reason, duration and debit as they stand.
    pub outcome: Outcome,
    /// The id in the answer, where there is one.
    pub call: Option<CallId>,
    /// The `custom` of the callout, where it is a string.
    pub custom: Option<String>,
}

/// Reads an answer. `None` where it is no JSON object with a `status`.
pub fn parse(answer: &[u8]) -> Option<CallResult> {
    let object = Object::parse(answer)?;
    let status = object.text(&["status"])?;
    Some(CallResult {
        is_final: status.eq_ignore_ascii_case("FINAL"),
        outcome: Outcome {
            result: object.text(&["result"]),
            reason: object.text(&["reason"]),
            duration_s: object.integer(&["duration"]),
            debit: object.money(&["debit"]),
        },
        call: object.text(&["callId"]).and_then(|id| CallId::new(&id)),
        custom: object.text(&["custom"]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_final_answer_gives_its_outcome_whatever_else_is_missing() {
        let read = parse(br#"{"status":"final","Result":"BUSY","duration":null}"#).unwrap();
        assert!(read.is_final);
        assert_eq!(read.outcome.result.as_deref(), Some("BUSY"));
        assert_eq!(read.outcome.duration_s, None);
        assert!(parse(b"{}").is_none());
        assert!(parse(b"<html>").is_none());
        assert!(!parse(br#"{"status":"SOMETHING NEW"}"#).unwrap().is_final);
    }
}
