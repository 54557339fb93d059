//! What went wrong with a request by hand, as values, and in words that say the fact alone: what to do about
//! it is for whoever shows it.

use std::fmt;
use std::time::Duration;

/// Why a method of the API did not give what was asked of it. Callouts have verdicts instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// Proved that the platform did not get the request.
    #[error("nothing was sent: {why}")]
    NotSent {
        /// What kept it from being sent, in words.
        why: String,
    },
    /// The platform may have got the request; nobody told what became of it.
    #[error("sent, but no whole answer came: {why}")]
    Lost {
        /// What became of the connection, in words.
        why: String,
    },
    /// The platform said no.
    #[error("{0}")]
    Refused(Problem),
    /// The platform said yes in words that no document has.
    #[error("the platform answered HTTP {status}, and not as its documents say: {why}")]
    Unreadable {
        /// HTTP status of the answer.
        status: u16,
        /// What the answer was instead, in words.
        why: String,
    },
}

/// A refusal in the platform's words (seed 001, "Errors"; `FACTS` §8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// HTTP status of the answer.
    pub status: u16,
    /// `errorCode`; none where the body has none.
    pub code: Option<i64>,
    /// `message`, or the title and detail of a problem, shortened, without telephone numbers.
    pub message: String,
    /// `reference`, which Sinch's support asks for.
    pub reference: Option<String>,
    /// `Retry-After`; none without the header.
    pub retry_after: Option<Duration>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the platform answered HTTP {}", self.status)?;
        match self.code {
            Some(code) if self.message.is_empty() => write!(f, " ({code})")?,
            Some(code) => write!(f, " ({code} {})", self.message)?,
            None if self.message.is_empty() => {}
            None => write!(f, " ({})", self.message)?,
        }
        if let Some(reference) = &self.reference
            && !reference.is_empty()
        {
            write!(f, ", reference {reference}")?;
        }
        Ok(())
    }
}
