//! What an answer to a callout means. An API's answer is data, not an error.
//!
//! `sinch` reads the answer and gives a [`Verdict`]; the engine acts on it and nothing else. The
//! rules are those of DESIGN, promise 1, and of the tables that ARCHITECTURE.md repeats.

use std::fmt;
use std::time::Duration;

use super::{CallId, Outcome, Suppression};

/// What became of one POST of a callout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The call exists and has an id.
    Accepted(CallId),
    /// Refused for good: the same callout would be refused again.
    Refused(Refusal),
    /// Proved that no phone can ring for it; the recipient is due again.
    NotSent(NotSent),
    /// Sent, and nobody told us whether a phone rang. Never redialled on a guess.
    Uncertain(Uncertainty),
}

impl Verdict {
    /// The number turned out to be suppressed, so its callout was not `POSTed`.
    pub fn suppressed(why: &Suppression) -> Self {
        Self::NotSent(NotSent {
            side: Side::Ours,
            why: why.to_string(),
            reaction: Reaction::Suppressed,
        })
    }

    /// The row cannot become a callout after all, so nothing was `POSTed`.
    pub fn no_callout(why: String) -> Self {
        Self::NotSent(NotSent {
            side: Side::Ours,
            why,
            reaction: Reaction::Invalid,
        })
    }

    /// Whether the callout never went as far as the network.
    pub fn was_kept(&self) -> bool {
        matches!(
            self,
            Self::NotSent(NotSent {
                reaction: Reaction::Suppressed | Reaction::Invalid,
                ..
            })
        )
    }
}

/// A refusal in the platform's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status of the answer.
    pub status: u16,
    /// The API's `errorCode`, where it gave one.
    pub code: Option<i64>,
    /// The API's message, shortened, without the recipient's endpoint.
    pub message: String,
    /// Whom its code speaks of.
    pub speaks_of: SpeaksOf,
}

impl Refusal {
    /// What tells it from other kinds of refusal.
    pub fn code(&self) -> RefusalCode {
        RefusalCode {
            status: self.status,
            code: self.code,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "{code} {}", self.message),
            None => write!(f, "HTTP {} {}", self.status, self.message),
        }
    }
}

/// What a refusal speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpeaksOf {
    /// The account, the application, or the whole request: everybody would be refused.
    Account,
    /// The recipient alone: others may be taken.
    Recipient,
    /// It is not known which: judged by how many are refused so.
    Unknown,
}

impl SpeaksOf {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Account, Self::Recipient, Self::Unknown];

    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Recipient => "recipient",
            Self::Unknown => "unknown",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|of| of.as_str() == word)
    }
}

/// What tells one kind of refusal from another: `403/40300`, or `422` where the API gave no code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RefusalCode {
    /// HTTP status of the answer.
    pub status: u16,
    /// The API's `errorCode`.
    pub code: Option<i64>,
}

impl RefusalCode {
    /// Reads the text back.
    pub fn parse(text: &str) -> Option<Self> {
        let (status, code) = match text.split_once('/') {
            Some((status, code)) => (status, Some(code.parse().ok()?)),
            None => (text, None),
        };
        Some(Self {
            status: status.parse().ok()?,
            code,
        })
    }
}

impl fmt::Display for RefusalCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "{}/{code}", self.status),
            None => write!(f, "{}", self.status),
        }
    }
}

/// Whose fault it was, which decides whether a recipient pays for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The platform's: it failed, or asked us to slow down.
    Platform,
    /// The network's between us and the platform.
    Network,
    /// Ours: credentials, money, configuration, a stop.
    Ours,
}

/// Why nothing was sent, and what the run should do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotSent {
    /// Whose fault it was.
    pub side: Side,
    /// In words, for the record.
    pub why: String,
    /// What the run should do.
    pub reaction: Reaction,
}

/// What the whole run does when a callout was not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reaction {
    /// Nothing beyond trying the recipient again.
    Again,
    /// Try the recipient again after a while.
    Later(Duration),
    /// The platform said 429: nothing leaves for this long (1 s where it named no time).
    SlowDown(Option<Duration>),
    /// The platform cannot be reached: probe with growing waits.
    BackOff,
    /// Our credentials, clock or application key are not accepted: pause.
    Credentials,
    /// The account is empty: pause.
    EmptyAccount,
    /// Our configuration is wrong, a base URL for example: pause.
    Configuration,
    /// The number is on a suppression list by now: the recipient is not called at all.
    Suppressed,
    /// The row cannot become a callout: the recipient is not called at all.
    Invalid,
}

/// Why an attempt is uncertain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uncertainty {
    /// Whose fault it was.
    pub side: Side,
    /// In words, for the record.
    pub why: String,
    /// The platform accepted the callout, and its id could not be read.
    pub accepted: bool,
}

/// What a question about a call told us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation {
    /// The call goes on.
    Ongoing,
    /// The call is over.
    Final(Outcome),
    /// The platform does not know the call, or not yet.
    NotFound,
    /// No answer that tells anything; ask again, after this long where the platform said so.
    Again {
        /// In words, for the log.
        why: String,
        /// The platform's `Retry-After`.
        wait: Option<Duration>,
    },
    /// Our credentials or our configuration are not accepted: pause.
    Refused {
        /// What the run should do.
        reaction: Reaction,
        /// The platform's words.
        why: String,
    },
}
