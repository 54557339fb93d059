//! A method of the API as a value: what it asks, and how its answer is read.
//!
//! Each group of methods has its own file ([`super::numbers`], [`super::conferences`], …) with one
//! type a method. [`super::Client::send`] sends any of them, [`super::Client::preview`] shows what
//! would be sent. Callouts are apart ([`super::callouts`]): what their answers mean decides whether a
//! phone may ring again.

use super::region::Paths;

/// Longest answer about one thing, in bytes: hundreds of times what any has. A run has thousands of
/// requests in flight, and each may be answered with as much.
pub(super) const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Longest answer that lists things, or is a recording, in bytes.
pub(super) const LIST_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A method of the API, with its parameters.
pub trait ApiMethod {
    /// What the platform answers.
    type Answer;

    /// The request, under the paths that the client was told to use.
    fn request(&self, paths: Paths) -> Plain;

    /// Reads the body of a 2xx answer; `None` where it is not what the documents say.
    fn read(&self, body: &[u8]) -> Option<Self::Answer>;

    /// Longest answer that is worth reading, in bytes.
    fn answer_bytes_max(&self) -> usize {
        ANSWER_BYTES_MAX
    }
}

/// Which of the two bases a method is on (`FACTS` §1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host {
    /// The regional host of calls, conferences and recordings.
    Calling,
    /// The global host of numbers, callback URLs and number queries.
    Configuration,
}

/// A request before it has a host and a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plain {
    /// The HTTP method.
    pub verb: reqwest::Method,
    /// The base under which the path lies.
    pub host: Host,
    /// The fixed beginning of the path.
    pub path: &'static str,
    /// Segments that follow it, not yet encoded.
    pub segments: Vec<String>,
    /// Parameters after the question mark, not yet encoded.
    pub query: Vec<(&'static str, String)>,
    /// The JSON body; empty where there is none.
    pub body: Vec<u8>,
}

impl Plain {
    /// A request without parameters and body.
    pub(super) fn new(verb: reqwest::Method, host: Host, path: &'static str) -> Self {
        Self {
            verb,
            host,
            path,
            segments: Vec::new(),
            query: Vec::new(),
            body: Vec::new(),
        }
    }

    /// The same with one more segment of the path.
    pub(super) fn segment(mut self, segment: impl Into<String>) -> Self {
        self.segments.push(segment.into());
        self
    }

    /// The same with a JSON body.
    pub(super) fn json(mut self, body: &impl serde::Serialize) -> Self {
        self.body = serde_json::to_vec(body).expect("strings, numbers and maps serialise");
        self
    }

    /// A segment that would name another resource: nothing, a step up, or characters that a URL loses
    /// on its way. Without this check kicking the participant `..` would kick everybody.
    pub(super) fn misleading_segment(&self) -> Option<&str> {
        let misleads =
            |s: &&String| matches!(s.as_str(), "" | "." | "..") || s.chars().any(char::is_control);
        self.segments.iter().find(misleads).map(String::as_str)
    }
}
