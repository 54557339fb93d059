//! What goes back over the wire, as data: an answer, or none, and when.
//!
//! `world` returns these, `http` performs them. The error body is the API's own (`FACTS` §8).

use std::time::Duration;

use serde_json::json;

/// One HTTP answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The `Content-Type` header; empty where there is none.
    pub content_type: &'static str,
    /// The body, which for a recording is no text.
    pub body: Vec<u8>,
    /// One more header: `Retry-After`, `Allow` or `Location`.
    pub header: Option<(&'static str, String)>,
    /// Announce more bytes than follow, then cut the connection.
    pub cut_short: bool,
}

impl Answer {
    /// An answer with a JSON body.
    pub fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::new(status, "application/json; charset=utf-8", body)
    }

    /// An answer from some machine in front of the platform, which speaks HTML.
    pub fn html(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::new(status, "text/html", body)
    }

    /// An answer without a body, and so without a type.
    pub fn empty(status: u16) -> Self {
        Self::new(status, "", "")
    }

    pub(super) fn new(status: u16, content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            content_type,
            body: body.into(),
            header: None,
            cut_short: false,
        }
    }

    /// The same answer with one more header.
    #[must_use]
    pub fn with_header(self, name: &'static str, value: impl Into<String>) -> Self {
        Self {
            header: Some((name, value.into())),
            ..self
        }
    }
}

/// What the connection does with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// Answer after some wall time, zero in good health.
    After(Duration, Answer),
    /// Say nothing for this long, then close: the client is expected to give up first.
    Hang(Duration),
    /// Close the connection without an answer (the peer reads end of file).
    Close,
    /// Reset the connection (the peer gets `ECONNRESET`).
    Reset,
}

impl From<Answer> for Delivery {
    fn from(answer: Answer) -> Self {
        Self::After(Duration::ZERO, answer)
    }
}

/// An error in the API's own words: `errorCode` and `message` (`FACTS` §8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// The code; its first three digits are the HTTP status.
    pub code: u32,
    /// The message.
    pub message: String,
}

impl ApiError {
    /// An error with one of the documented codes.
    pub fn new(code: u32, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// 40001: a parameter has a value that the documents do not allow.
    pub fn illegal(what: &str) -> Self {
        Self::new(40001, format!("Invalid parameters: {what}"))
    }

    /// 40002: something that the documents require is not there.
    pub fn missing(what: &str) -> Self {
        Self::new(40002, format!("Bad request: {what} missing"))
    }

    /// 40003: not a request of this API at all.
    pub fn invalid(what: &str) -> Self {
        Self::new(40003, format!("Invalid request: {what}"))
    }

    /// The HTTP status that goes with the code.
    pub fn status(&self) -> u16 {
        u16::try_from(self.code / 100).unwrap_or(500)
    }

    /// The answer, with the reference that support would ask for.
    pub fn answer(&self, reference: &str) -> Answer {
        let body = json!({
            "errorCode": self.code,
            "message": self.message,
            "reference": reference,
        });
        Answer::json(self.status(), body.to_string())
    }
}

/// An HTTP status that the API's documents give no code: 405, 413, 415 and their like.
pub(super) fn plain(status: u16, message: &str) -> Answer {
    Answer::json(status, json!({ "message": message }).to_string())
}
