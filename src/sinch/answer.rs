//! An HTTP answer and what it means: status and error code → verdict, observation or problem.
//!
//! The rules are promise 1 of DESIGN and the tables in ARCHITECTURE.md. One rule stands above them:
//! a body that carries a call id means that the call exists, whatever the status.

use std::time::Duration;

use jiff::Timestamp;

use super::calls::Standing;
use super::method::ApiMethod;
use super::problem::{ApiError, Problem};
use super::{callouts, calls, lenient::Object};
use crate::domain::{
    CallId, NotSent, Observation, Reaction, Refusal, Side, SpeaksOf, Uncertainty, Verdict, told,
    without_numbers,
};

/// Longest message of the platform that is kept, in characters.
const MESSAGE_CHARS_MAX: usize = 300;
/// How long a recipient waits after 425 Too Early.
const TOO_EARLY_WAIT: Duration = Duration::from_secs(5);
/// `Invalid application key`.
const INVALID_APPLICATION_KEY: i64 = 40004;
/// `Not found`: a call, a conference, a recording, a user.
const NOT_FOUND: i64 = 40400;
/// `Invalid authorization scheme for calling the method`.
const INVALID_SCHEME: i64 = 40301;

/// An HTTP answer, as much of it as came.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status, be it one that any document names or not.
    pub status: u16,
    /// `Retry-After`, read.
    pub retry_after: Option<Duration>,
    /// `Date`, read: the platform's clock.
    pub date: Option<Timestamp>,
    /// The body, or what came of it.
    pub body: Vec<u8>,
    /// Why the body is not whole, if it is not.
    pub cut: Option<String>,
}

impl Answer {
    /// What this answer to a callout means.
    pub fn verdict(&self) -> Verdict {
        if let Some(call) = callouts::call_id(&self.body) {
            return Verdict::Accepted(call);
        }
        let odd = callouts::names_call(&self.body);
        let uncertain = |accepted| {
            let why = match (&self.cut, accepted) {
                (Some(cut), _) => format!("HTTP {}, then the answer broke off: {cut}", self.status),
                (None, true) if odd => format!("HTTP {} with a call id that is none", self.status),
                (None, true) => format!("HTTP {} without a call id", self.status),
                (None, false) => format!("the platform answered {}", self.words()),
            };
            Verdict::Uncertain(Uncertainty {
                side: Side::Platform,
                why,
                accepted,
            })
        };
        let not_sent = |side, reaction| {
            let why = format!("the platform answered {}", self.words());
            Verdict::NotSent(NotSent {
                side,
                why,
                reaction,
            })
        };
        match (self.status, self.code()) {
            _ if odd => uncertain(true),
            (200..=299, _) => uncertain(true),
            (401, _) | (400, Some(INVALID_APPLICATION_KEY)) | (403, Some(INVALID_SCHEME)) => {
                not_sent(Side::Ours, Reaction::Credentials)
            }
            (402, _) => not_sent(Side::Ours, Reaction::EmptyAccount),
            (404, Some(NOT_FOUND)) if self.names_user() => self.refused(),
            (425, _) => not_sent(Side::Platform, Reaction::Later(TOO_EARLY_WAIT)),
            (429, _) => not_sent(Side::Platform, Reaction::SlowDown(self.retry_after)),
            (
                300..=399
                | 404
                | 405
                | 407
                | 410
                | 411
                | 413
                | 414
                | 415
                | 417
                | 421
                | 426
                | 431
                | 501
                | 505,
                _,
            ) => not_sent(Side::Ours, Reaction::Configuration),
            (408 | 409, _) => uncertain(false),
            (400..=499, _) => self.refused(),
            _ => uncertain(false),
        }
    }

    fn refused(&self) -> Verdict {
        let code = self.code();
        Verdict::Refused(Refusal {
            status: self.status,
            code,
            message: self.message(),
            speaks_of: speaks_of(self.status, code),
        })
    }

    /// Whether a 404 says that there is no such user, rather than no such address ("Unable to get
    /// user", seed 001, "Errors").
    fn names_user(&self) -> bool {
        self.message().to_ascii_lowercase().contains("user")
    }

    /// What this answer to a question about a call means. One about another call is not believed.
    pub fn observation(&self, call: &CallId) -> Observation {
        match (self.status, self.code()) {
            (200..=299, _) => match calls::standing(call, &self.body) {
                Some(Standing::Over(outcome)) => Observation::Final(outcome),
                Some(Standing::Ongoing) => Observation::Ongoing,
                Some(Standing::Other) => {
                    let why = format!("HTTP {} with the id of another call", self.status);
                    tracing::warn!(call = %call, "{why}: asked again");
                    Observation::Again { why, wait: None }
                }
                None => Observation::Again {
                    why: format!("HTTP {} without a status of the call", self.status),
                    wait: None,
                },
            },
            (404, _) => Observation::NotFound,
            (401, _) | (400, Some(INVALID_APPLICATION_KEY)) | (403, Some(INVALID_SCHEME)) => {
                Observation::Refused {
                    reaction: Reaction::Credentials,
                    why: self.words(),
                }
            }
            (402, _) => Observation::Refused {
                reaction: Reaction::EmptyAccount,
                why: self.words(),
            },
            (300..=399 | 405 | 407, _) => Observation::Refused {
                reaction: Reaction::Configuration,
                why: self.words(),
            },
            _ => Observation::Again {
                why: self.words(),
                wait: self.retry_after,
            },
        }
    }

    /// What this answer to any other method means.
    pub fn of_method<M: ApiMethod>(&self, method: &M) -> Result<M::Answer, ApiError> {
        if let Some(why) = &self.cut {
            return Err(ApiError::Lost { why: why.clone() });
        }
        if !matches!(self.status, 200..=299) {
            return Err(ApiError::Refused(self.problem()));
        }
        method.read(&self.body).ok_or_else(|| ApiError::Unreadable {
            status: self.status,
            why: format!("{} bytes that are not the answer", self.body.len()),
        })
    }

    /// What an answer that is no success says went wrong.
    pub(super) fn problem(&self) -> Problem {
        Problem {
            status: self.status,
            code: self.code(),
            message: self.message(),
            reference: self
                .error(|error| error.text(&["reference"]))
                .map(|text| printable(&without_numbers(&text))),
            retry_after: self.retry_after,
        }
    }

    /// The API's error code: a number or a string, `errorCode` or `code`, wrapped or not.
    fn code(&self) -> Option<i64> {
        self.error(|error| error.integer(&["errorCode", "code"]))
    }

    /// The API's own `message`, or what `application/problem+json` has in its place.
    fn message(&self) -> String {
        let message = self.error(|error| {
            let problem = || match (error.text(&["title"]), error.text(&["detail"])) {
                (Some(title), Some(detail)) if title != detail => {
                    Some(format!("{title}: {detail}"))
                }
                (title, detail) => detail.or(title),
            };
            error.text(&["message"]).or_else(problem)
        });
        printable(&without_numbers(&message.unwrap_or_default()))
    }

    fn error<T>(&self, read: impl Fn(&Object<'_>) -> Option<T>) -> Option<T> {
        let object = Object::parse(&self.body)?;
        let inner = object
            .object(&["response"])
            .and_then(|r| r.object(&["error"]));
        inner
            .or_else(|| object.object(&["error"]))
            .and_then(|e| read(&e))
            .or_else(|| read(&object))
    }

    fn words(&self) -> String {
        let (code, message) = (self.code(), self.message());
        match code {
            Some(code) => format!("HTTP {} ({code} {message})", self.status),
            None if message.is_empty() => format!("HTTP {}", self.status),
            None => format!("HTTP {} ({message})", self.status),
        }
    }
}

/// Whom a refusal speaks of (`FACTS` §8). What is not in the table is unknown, and judged by how many are
/// refused so.
fn speaks_of(status: u16, code: Option<i64>) -> SpeaksOf {
    match (status, code) {
        // Missing parameter; invalid request; insufficient privileges; restricted action.
        (400, Some(40002 | 40003)) | (403, Some(40302 | 40303)) => SpeaksOf::Account,
        // Illegal parameters; missing plus; forbidden destination; no such user.
        (400, Some(40001 | 40005)) | (403, Some(40300)) | (404, _) => SpeaksOf::Recipient,
        _ => SpeaksOf::Unknown,
    }
}

/// The beginning of a text, without control characters.
fn printable(text: &str) -> String {
    let printable = text.chars().filter(|c| told::is_fit(*c));
    printable.take(MESSAGE_CHARS_MAX).collect()
}

/// Reads `Retry-After`: seconds, or a date that is compared with `now`. Anything else is none.
pub fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = http_date(value)?;
    Duration::try_from(date.duration_since(now))
        .ok()
        .or(Some(Duration::ZERO))
}

/// Reads an HTTP date.
pub fn http_date(value: &str) -> Option<Timestamp> {
    Some(jiff::fmt::rfc2822::parse(value.trim()).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(status: u16, body: &str) -> Verdict {
        Answer {
            status,
            retry_after: None,
            date: None,
            body: body.into(),
            cut: None,
        }
        .verdict()
    }

    fn name(verdict: &Verdict) -> String {
        match verdict {
            Verdict::Accepted(call) => format!("accepted {call}"),
            Verdict::Refused(refusal) => format!("refused {refusal}"),
            Verdict::NotSent(not_sent) => format!("not sent {:?}", not_sent.reaction),
            Verdict::Uncertain(uncertain) => format!("uncertain accepted={}", uncertain.accepted),
        }
    }

    #[test]
    fn a_call_that_is_named_exists_though_nobody_can_use_its_name() {
        let endless = format!(r#"{{"callId":"{}"}}"#, "x".repeat(10_000));
        for body in [endless.as_str(), r#"{"CALLID":" a\n"}"#, r#"{"callid":{}}"#] {
            for status in [200, 400, 429, 500] {
                let name = name(&verdict(status, body));
                assert_eq!(name, "uncertain accepted=true", "{status}");
            }
        }
        // An empty name is none.
        let verdict = verdict(429, r#"{"callId":"","message":"slow down"}"#);
        assert!(name(&verdict).starts_with("not sent SlowDown"));
    }

    #[test]
    fn a_refusal_says_whom_it_speaks_of() {
        let table = [
            (
                SpeaksOf::Account,
                &[(400, 40002), (400, 40003), (403, 40302), (403, 40303)][..],
            ),
            (
                SpeaksOf::Recipient,
                &[(400, 40001), (400, 40005), (403, 40300)],
            ),
            (
                SpeaksOf::Unknown,
                &[(400, 49999), (403, 40399), (422, 42200), (418, 0)],
            ),
        ];
        for (expected, refusals) in table {
            for (status, code) in refusals {
                let body = format!(r#"{{"errorCode":{code},"message":"no"}}"#);
                let Verdict::Refused(refusal) = verdict(*status, &body) else {
                    panic!("{status} {code}");
                };
                assert_eq!(refusal.speaks_of, expected, "{status} {code}");
            }
        }
        // A 404 about a user is that user's; any other says that we are at a wrong address.
        let user = r#"{"errorCode":40400,"message":"Unable to get user"}"#;
        let Verdict::Refused(refusal) = verdict(404, user) else {
            panic!("{user}");
        };
        assert_eq!(refusal.speaks_of, SpeaksOf::Recipient);
        for body in ["", r#"{"errorCode":40400,"message":"Not found"}"#] {
            assert_eq!(
                name(&verdict(404, body)),
                "not sent Configuration",
                "{body}"
            );
        }
    }

    #[test]
    fn every_status_has_the_meaning_of_the_table() {
        let table = [
            ("uncertain accepted=true", vec![200, 201, 202, 204]),
            (
                "not sent Configuration",
                vec![300, 301, 302, 303, 307, 308, 399],
            ),
            (
                "not sent Configuration",
                vec![404, 405, 410, 411, 413, 414, 415, 417, 421, 426, 431],
            ),
            ("not sent Configuration", vec![501, 505]),
            ("refused HTTP", vec![400, 403, 406, 422, 418, 499]),
            ("not sent Credentials", vec![401]),
            ("not sent EmptyAccount", vec![402]),
            ("uncertain accepted=false", vec![408, 409]),
            ("not sent Later", vec![425]),
            ("not sent SlowDown", vec![429]),
            (
                "uncertain accepted=false",
                vec![500, 502, 503, 504, 507, 520, 521, 522, 523, 524],
            ),
            ("uncertain accepted=false", vec![101, 600, 999]),
        ];
        for (meaning, statuses) in table {
            for status in statuses {
                for body in [
                    "",
                    "<html>gone</html>",
                    "{}",
                    "{\"callId\":null}",
                    "{\"callId\":\"\"}",
                ] {
                    let verdict = name(&verdict(status, body));
                    assert!(verdict.starts_with(meaning), "{status} {body}: {verdict}");
                }
            }
        }
    }

    #[test]
    fn a_call_id_in_any_body_means_the_call_exists() {
        for status in [200, 202, 302, 400, 401, 402, 404, 429, 500, 503] {
            for body in [
                "{\"callId\":\"x-1\"}",
                "{\"callid\":\"x-1\"}",
                "{\"CallId\":\"x-1\"}",
            ] {
                assert_eq!(
                    name(&verdict(status, body)),
                    "accepted x-1",
                    "{status} {body}"
                );
            }
        }
    }

    #[test]
    fn error_codes_are_read_as_number_or_string_bare_or_wrapped() {
        for body in [
            r#"{"errorCode":40004,"message":"Invalid application key"}"#,
            r#"{"errorCode":"40004"}"#,
            r#"{"code":40004}"#,
            r#"{"response":{"error":{"errorCode":"40004"}}}"#,
        ] {
            assert_eq!(name(&verdict(400, body)), "not sent Credentials", "{body}");
        }
        let refused = verdict(
            400,
            r#"{"errorCode":40001,"message":"Invalid\u0007 parameters"}"#,
        );
        assert_eq!(name(&refused), "refused 40001 Invalid parameters");
        assert_eq!(
            name(&verdict(403, r#"{"errorCode":40301}"#)),
            "not sent Credentials"
        );
        assert_eq!(
            name(&verdict(403, r#"{"errorCode":40300}"#)),
            "refused 40300 "
        );
    }

    #[test]
    fn a_problem_is_told_by_its_title_and_its_detail() {
        for (body, told) in [
            (
                r#"{"type":"about:blank","title":"Unprocessable Entity","status":422,"detail":"cli +46100000000 is not verified"}"#,
                "Unprocessable Entity: cli +••• is not verified",
            ),
            (
                r#"{"title":"Unprocessable Entity","status":422}"#,
                "Unprocessable Entity",
            ),
            (
                r#"{"detail":"no such voice","title":null}"#,
                "no such voice",
            ),
            (r#"{"title":"same","detail":"same"}"#, "same"),
            (r#"{"message":"theirs","title":"t","detail":"d"}"#, "theirs"),
        ] {
            assert_eq!(
                name(&verdict(422, body)),
                format!("refused HTTP 422 {told}")
            );
        }
        // A problem that is the account's is told in the pause, too.
        let Verdict::NotSent(not_sent) = verdict(405, r#"{"title":"Method Not Allowed"}"#) else {
            panic!("405 was sent");
        };
        assert_eq!(
            not_sent.why,
            "the platform answered HTTP 405 (Method Not Allowed)"
        );
    }

    #[test]
    fn a_number_in_the_platforms_message_is_not_repeated() {
        let body = r#"{"errorCode":40001,"message":"Invalid parameters: +46701740605 (3 of 120)"}"#;
        assert_eq!(
            name(&verdict(400, body)),
            "refused 40001 Invalid parameters: +••• (3 of 120)"
        );
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now: Timestamp = "2026-11-21T08:00:00Z".parse().unwrap();
        assert_eq!(retry_after("7", now), Some(Duration::from_secs(7)));
        let date = "Sat, 21 Nov 2026 08:00:30 GMT";
        assert_eq!(retry_after(date, now), Some(Duration::from_secs(30)));
        let past = "Sat, 21 Nov 2026 07:00:30 GMT";
        assert_eq!(retry_after(past, now), Some(Duration::ZERO));
        assert_eq!(retry_after("soon", now), None);
        assert_eq!(retry_after("-1", now), None);
    }
}
