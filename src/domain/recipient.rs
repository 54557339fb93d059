//! A recipient's final verdict, what they wait for until then, and why a row of the list could not become a call.

use std::fmt;

/// The final verdict on one row of the list (DESIGN, section 5). While a recipient is still to be
/// called, waiting or in flight there is no disposition yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Disposition {
    /// A call was answered.
    Reached,
    /// Attempts used up on any other final result, known or not.
    Unreached,
    /// The platform refused the callout for good.
    Refused,
    /// The row cannot become a call.
    Invalid,
    /// An earlier row has the same number.
    Duplicate,
    /// The number is on a suppression list.
    Suppressed,
    /// A callout was sent and nobody told us whether a phone rang.
    Uncertain,
    /// The campaign ended before the recipient could be called.
    Expired,
    /// The run was cancelled before the recipient was called.
    Cancelled,
}

impl Disposition {
    /// All of them, in the order of the report.
    pub const ALL: [Self; 9] = [
        Self::Reached,
        Self::Unreached,
        Self::Refused,
        Self::Uncertain,
        Self::Invalid,
        Self::Duplicate,
        Self::Suppressed,
        Self::Expired,
        Self::Cancelled,
    ];

    /// The word in the database, in CSV and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reached => "reached",
            Self::Unreached => "unreached",
            Self::Refused => "refused",
            Self::Invalid => "invalid",
            Self::Duplicate => "duplicate",
            Self::Suppressed => "suppressed",
            Self::Uncertain => "uncertain",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|d| d.as_str() == word)
    }
}

impl fmt::Display for Disposition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a recipient waits for who is to be called later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WaitReason {
    /// The next attempt, after a call that did not reach them.
    Retry,
    /// The next attempt, after a fault of the platform.
    Fault,
    /// Their number was called often enough lately, by whatever run.
    PerNumber,
    /// The window's next opening.
    Window,
    /// Nothing that will come by itself: their time zone is not known, or the window never opens.
    Held,
}

impl WaitReason {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Retry,
        Self::Fault,
        Self::PerNumber,
        Self::Window,
        Self::Held,
    ];

    /// The word in the database and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Fault => "fault",
            Self::PerNumber => "per number",
            Self::Window => "window",
            Self::Held => "held",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }
}

/// Why a row became a reject: the dispositions that an import decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RejectKind {
    /// The row cannot become a call.
    Invalid,
    /// An earlier row has the same number.
    Duplicate,
    /// The number is on a suppression list.
    Suppressed,
}

impl From<RejectKind> for Disposition {
    fn from(kind: RejectKind) -> Self {
        match kind {
            RejectKind::Invalid => Self::Invalid,
            RejectKind::Duplicate => Self::Duplicate,
            RejectKind::Suppressed => Self::Suppressed,
        }
    }
}

/// What results.csv adds to the list's own columns (DESIGN, section 3). A list may not have a column
/// of one of these names.
pub const RESULT_COLUMNS: [&str; 11] = [
    "call_disposition",
    "call_attempts",
    "call_result",
    "call_reason",
    "call_id",
    "call_duration_s",
    "call_debit",
    "call_currency",
    "call_first_at",
    "call_last_at",
    "call_response",
];
