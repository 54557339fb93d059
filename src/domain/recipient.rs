//! Where a recipient stands, what follows for them on what became of an attempt, and why a row of the
//! list could not become a call.
//!
//! What follows is decided here for everybody: for the engine that polls, for a record, for a person
//! who settles, and for a run that closes.

use std::fmt;
use std::time::Duration;

use super::retry::Next;
use super::{AttemptState, RetryPolicy, Tried};

/// Where a recipient stands (DESIGN, section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecipientState {
    /// To be called as soon as may be.
    Pending,
    /// To be called later.
    Waiting,
    /// An attempt on them is not over.
    InFlight,
    /// The verdict is there.
    Done(Disposition),
}

impl RecipientState {
    /// The word in the database, to which a disposition belongs where it is `done`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Waiting => "waiting",
            Self::InFlight => "in flight",
            Self::Done(_) => "done",
        }
    }

    /// Reads the words back; none where they say nothing that can be.
    pub fn parse(word: &str, disposition: Option<&str>) -> Option<Self> {
        match (word, disposition) {
            ("pending", None) => Some(Self::Pending),
            ("waiting", None) => Some(Self::Waiting),
            ("in flight", None) => Some(Self::InFlight),
            ("done", Some(disposition)) => Disposition::parse(disposition).map(Self::Done),
            _ => None,
        }
    }
}

/// What follows for a recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Follow {
    /// Their attempt goes on.
    InFlight,
    /// They are due again, and nothing was used up.
    Due,
    /// They are due again after a wait.
    Waits {
        /// How long, from now.
        wait: Duration,
        /// What they wait for.
        reason: WaitReason,
        /// How they were tried until now.
        tried: Tried,
    },
    /// They have their verdict.
    Done {
        /// The verdict, which is final.
        disposition: Disposition,
        /// Why, where the disposition alone does not say it.
        reason: Option<String>,
    },
}

/// What decides beside the attempt.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// Who is called again.
    pub retry: &'a RetryPolicy,
    /// Where the run calls nobody any more: what becomes of whoever was never tried.
    pub closing: Option<Disposition>,
    /// Drawn from 0 to 1, for the jitter of waits.
    pub chance: f64,
}

/// What follows for a recipient who was tried so before, once the latest attempt stands so.
pub fn after_attempt(attempt: &AttemptState, tried: Tried, terms: Terms<'_>) -> Follow {
    let done = |disposition, reason| Follow::Done {
        disposition,
        reason,
    };
    match attempt {
        AttemptState::Intended | AttemptState::Accepted(_) => Follow::InFlight,
        AttemptState::Final { outcome, .. } if outcome.answered() => {
            done(Disposition::Reached, None)
        }
        AttemptState::Final { outcome, .. } => {
            match terms.retry.after(outcome, tried, terms.chance) {
                Next::Again { wait, tried, fault } if terms.closing.is_none() => Follow::Waits {
                    wait,
                    reason: if fault {
                        WaitReason::Fault
                    } else {
                        WaitReason::Retry
                    },
                    tried,
                },
                _ => done(Disposition::Unreached, None),
            }
        }
        AttemptState::NotSent(_) => match terms.closing {
            Some(closing) => done(closed(tried, closing), None),
            None => Follow::Due,
        },
        AttemptState::Refused(refusal) => done(Disposition::Refused, Some(refusal.to_string())),
        AttemptState::Uncertain(uncertainty) => {
            done(Disposition::Uncertain, Some(uncertainty.why.clone()))
        }
    }
}

/// The verdict on somebody who is called no more: whoever was called before was not reached.
pub fn closed(tried: Tried, closing: Disposition) -> Disposition {
    if tried == Tried::default() {
        closing
    } else {
        Disposition::Unreached
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::retry::Waits;
    use crate::domain::{Outcome, Refusal, Side, SpeaksOf, Uncertainty, Word};

    fn terms(retry: &RetryPolicy, closing: Option<Disposition>) -> Terms<'_> {
        Terms {
            retry,
            closing,
            chance: 0.5,
        }
    }

    fn ended(result: &str) -> AttemptState {
        AttemptState::Final {
            call: None,
            outcome: Outcome {
                result: Some(result.into()),
                ..Outcome::default()
            },
            word: Word::Platform,
        }
    }

    #[test]
    fn the_verdict_follows_from_the_attempt_whoever_tells_of_it() {
        let retry = RetryPolicy {
            max_attempts: 2,
            busy: Waits::After(vec![Duration::from_mins(10)]),
            ..RetryPolicy::default()
        };
        let never = Tried::default();
        let once = Tried {
            used: 1,
            busy: 1,
            ..never
        };
        let follow = |state: &AttemptState, tried, closing| {
            after_attempt(state, tried, terms(&retry, closing))
        };
        let done = |disposition| Follow::Done {
            disposition,
            reason: None,
        };
        assert_eq!(
            follow(&ended("ANSWERED"), never, None),
            done(Disposition::Reached)
        );
        let again = Follow::Waits {
            wait: Duration::from_mins(10),
            reason: WaitReason::Retry,
            tried: once,
        };
        assert_eq!(follow(&ended("BUSY"), never, None), again);
        assert_eq!(
            follow(&ended("BUSY"), once, None),
            done(Disposition::Unreached)
        );
        let cancelled = Some(Disposition::Cancelled);
        assert_eq!(
            follow(&ended("BUSY"), never, cancelled),
            done(Disposition::Unreached)
        );
        let kept = AttemptState::NotSent("stopped".into());
        assert_eq!(follow(&kept, never, None), Follow::Due);
        assert_eq!(
            follow(&kept, never, cancelled),
            done(Disposition::Cancelled)
        );
        assert_eq!(follow(&kept, once, cancelled), done(Disposition::Unreached));
        let uncertain = AttemptState::Uncertain(Uncertainty {
            side: Side::Network,
            why: "reset".into(),
            accepted: false,
        });
        let refused = AttemptState::Refused(Refusal {
            status: 403,
            code: Some(40300),
            message: "forbidden".into(),
            speaks_of: SpeaksOf::Recipient,
        });
        for (state, disposition, reason) in [
            (uncertain, Disposition::Uncertain, "reset"),
            (refused, Disposition::Refused, "40300 forbidden"),
        ] {
            let reason = Some(reason.to_owned());
            let expected = Follow::Done {
                disposition,
                reason,
            };
            assert_eq!(follow(&state, never, cancelled), expected);
        }
    }
}
