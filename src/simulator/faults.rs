//! What can go wrong with a callout, one fault at a time, and what each looks like on the wire.
//!
//! The list follows `RELIABILITY` T4. Whether a call is placed under a fault is part of the fault:
//! the client cannot see it, the ledger can.

use std::time::Duration;

use rand::Rng as _;
use rand::rngs::StdRng;
use serde_json::json;

use super::answer::{Answer, ApiError, plain};

/// The faults and how often each strikes: a probability per valid POST. One draw decides between
/// them, so they exclude each other and add up to at most 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Faults {
    /// The call is placed, the connection is closed without an answer.
    pub lost: f64,
    /// The connection is reset before a call is placed.
    pub reset: f64,
    /// The call is placed, the answer does not come until the client gives up.
    pub hang: f64,
    /// How long a hanging answer keeps its connection at most.
    pub hang_for: Duration,
    /// The call is placed, the answer comes late.
    pub slow: f64,
    /// How late a slow answer comes.
    pub slow_by: Duration,
    /// 500, 502, 503 or 504, with HTML or JSON; the call is placed in one case out of two.
    pub server_error: f64,
    /// 408 or 409, which prove nothing; the call is placed in one case out of two.
    pub unclear: f64,
    /// The call is placed; a 5xx comes whose body tells the call's id all the same.
    pub error_with_id: f64,
    /// The call is placed; a 2xx comes that does not tell the call's id.
    pub garbage: f64,
    /// 429, and no call.
    pub too_many: f64,
    /// 307 to the same path, and no call: a client that follows it posts twice.
    pub redirect: f64,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            lost: 0.0,
            reset: 0.0,
            hang: 0.0,
            hang_for: Duration::from_mins(2),
            slow: 0.0,
            slow_by: Duration::from_secs(2),
            server_error: 0.0,
            unclear: 0.0,
            error_with_id: 0.0,
            garbage: 0.0,
            too_many: 0.0,
            redirect: 0.0,
        }
    }
}

/// A fault that struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// [`Faults::lost`].
    Lost,
    /// [`Faults::reset`].
    Reset,
    /// [`Faults::hang`].
    Hang,
    /// [`Faults::slow`].
    Slow,
    /// [`Faults::server_error`].
    ServerError,
    /// [`Faults::unclear`].
    Unclear,
    /// [`Faults::error_with_id`].
    ErrorWithId,
    /// [`Faults::garbage`].
    Garbage,
    /// [`Faults::too_many`].
    TooMany,
    /// [`Faults::redirect`].
    Redirect,
}

impl Fault {
    /// The word in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Reset => "reset",
            Self::Hang => "hang",
            Self::Slow => "slow",
            Self::ServerError => "server_error",
            Self::Unclear => "unclear",
            Self::ErrorWithId => "error_with_id",
            Self::Garbage => "garbage",
            Self::TooMany => "too_many",
            Self::Redirect => "redirect",
        }
    }
}

impl Faults {
    fn each(&self) -> [(Fault, f64); 10] {
        [
            (Fault::Lost, self.lost),
            (Fault::Reset, self.reset),
            (Fault::Hang, self.hang),
            (Fault::Slow, self.slow),
            (Fault::ServerError, self.server_error),
            (Fault::Unclear, self.unclear),
            (Fault::ErrorWithId, self.error_with_id),
            (Fault::Garbage, self.garbage),
            (Fault::TooMany, self.too_many),
            (Fault::Redirect, self.redirect),
        ]
    }

    pub(super) fn named(&self) -> impl Iterator<Item = (&'static str, f64)> {
        self.each()
            .into_iter()
            .map(|(fault, p)| (fault.as_str(), p))
    }

    /// The fault that a roll from 0 up to 1 hits, if any.
    pub(super) fn pick(&self, roll: f64) -> Option<Fault> {
        let mut upper = 0.0;
        self.each().into_iter().find_map(|(fault, p)| {
            upper += p;
            (roll < upper).then_some(fault)
        })
    }
}

/// A 5xx, as one of the machines on the way would word it.
pub(super) fn outage(rng: &mut StdRng, reference: &str) -> Answer {
    let status = [500, 502, 503, 504][rng.random_range(0..4)];
    match (status, rng.random_bool(0.5)) {
        (500, true) => ApiError::new(50000, "Internal error").answer(reference),
        (503, true) => ApiError::new(50300, "Temporary down").answer(reference),
        (_, true) => Answer::json(status, json!({ "message": "upstream error" }).to_string()),
        (_, false) => Answer::html(
            status,
            format!("<html><head><title>{status}</title></head><body>{status}</body></html>"),
        ),
    }
}

/// A status that neither refuses nor accepts.
pub(super) fn unclear(rng: &mut StdRng) -> Answer {
    if rng.random_bool(0.5) {
        plain(408, "Request timeout")
    } else {
        plain(409, "Conflict")
    }
}

/// A 5xx whose body tells the call's id: whoever reads it knows that the call exists.
pub(super) fn error_with_id(rng: &mut StdRng, call_id: &str) -> Answer {
    let status = [500, 502, 503, 504][rng.random_range(0..4)];
    let body = json!({ "callId": call_id, "message": "late" });
    Answer::json(status, body.to_string())
}

/// A 2xx that does not tell the call's id.
pub(super) fn garbage(rng: &mut StdRng, call_id: &str) -> Answer {
    let half = &call_id[..call_id.len() / 2];
    match rng.random_range(0..5) {
        0 => Answer::json(200, format!(r#"{{"callId":"{half}"#)),
        1 => Answer::html(200, "<html><body>OK</body></html>"),
        2 => Answer::json(200, "{}"),
        3 => Answer::json(200, ""),
        _ => Answer {
            cut_short: true,
            ..Answer::json(200, format!(r#"{{"callId":"{half}"#))
        },
    }
}

/// A 429, which the Calling API does not document; the registry's generic page speaks of Problem
/// JSON and of waiting (`FACTS` §8).
pub(super) fn too_many(retry_after_s: Option<u32>) -> Answer {
    let body = json!({ "title": "Too Many Requests", "status": 429 }).to_string();
    let answer = Answer::new(429, "application/problem+json", body);
    match retry_after_s {
        Some(seconds) => answer.with_header("retry-after", seconds.to_string()),
        None => answer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_roll_hits_at_most_one_fault() {
        let faults = Faults {
            lost: 0.25,
            hang: 0.25,
            ..Faults::default()
        };
        assert_eq!(faults.pick(0.0), Some(Fault::Lost));
        assert_eq!(faults.pick(0.25), Some(Fault::Hang));
        assert_eq!(faults.pick(0.5), None);
        assert_eq!(Faults::default().pick(0.0), None);
    }
}
