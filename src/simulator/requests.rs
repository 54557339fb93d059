//! The record of every request around callouts, and of what it asked in another form than suggested.
//!
//! The API's documents disagree with each other (`FACTS` §12); the simulator takes what any of them
//! says, and notes where a request is not in the form that was chosen there. A client's tests can
//! then ask for a column that stays empty.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

/// One request other than a callout or a GET of a call, which are counted and not written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RequestRow {
    /// Microseconds from the simulator's start to the arrival of the request's head.
    pub arrived_us: i64,
    /// The HTTP verb.
    pub verb: String,
    /// The path as it was sent.
    pub path: String,
    /// The query as it was sent; empty where there was none.
    pub query: String,
    /// The status answered.
    pub status: u16,
    /// Where the request is not in the suggested form; empty where it is.
    pub against: String,
}

/// What is known of a request from its head.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head<'a> {
    pub(super) verb: &'a str,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    /// The `Host` header.
    pub(super) host: &'a str,
}

/// What a request has in another form than the suggested one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Notes(String);

impl Notes {
    pub(super) fn add(&mut self, note: impl AsRef<str>) {
        if !self.0.is_empty() {
            self.0.push_str("; ");
        }
        self.0.push_str(note.as_ref());
    }

    /// Notes the fields that the documents do not have, or have in another case.
    pub(super) fn strays(&mut self, object: &Map<String, Value>, known: &[&str]) {
        for name in object.keys().filter(|name| !known.contains(&name.as_str())) {
            match known.iter().find(|known| known.eq_ignore_ascii_case(name)) {
                Some(known) => self.spelling(name, known),
                None => self.add(format!("`{name}` is in no document")),
            }
        }
    }

    /// Adds other notes behind these.
    pub(super) fn append(&mut self, others: &Self) {
        if !others.0.is_empty() {
            self.add(&others.0);
        }
    }

    /// What was noted, `; ` between two notes; empty where nothing was.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Notes a word that is written in another case than the suggested one.
    pub(super) fn spelling(&mut self, sent: &str, suggested: &str) {
        if sent != suggested {
            self.add(format!("`{sent}` is spelled `{suggested}`"));
        }
    }
}

/// Every request so far.
#[derive(Debug)]
pub(super) struct Requests {
    started: Timestamp,
    rows: Vec<RequestRow>,
}

impl Requests {
    pub(super) fn new(started: Timestamp) -> Self {
        Self {
            started,
            rows: Vec::new(),
        }
    }

    pub(super) fn count(&self) -> u64 {
        u64::try_from(self.rows.len()).unwrap_or(u64::MAX)
    }

    pub(super) fn note(&mut self, head: Head<'_>, status: u16, against: Notes, now: Timestamp) {
        let arrived = now.duration_since(self.started).as_micros();
        self.rows.push(RequestRow {
            arrived_us: i64::try_from(arrived).unwrap_or(i64::MAX),
            verb: head.verb.to_owned(),
            path: head.path.to_owned(),
            query: head.query.to_owned(),
            status,
            against: against.0,
        });
    }

    pub(super) fn rows(&self) -> Vec<RequestRow> {
        self.rows.clone()
    }
}
