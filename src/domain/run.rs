//! A run's states, and why it pauses.

use std::fmt;

use super::{Disposition, RefusalCode, Trouble};

/// The campaign of runs that a person makes by hand, a call each: a name that no campaign can have.
pub const BY_HAND: &str = "call/place";

/// planned → running ⇄ paused(why) → completed | cancelled | expired
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    /// Written down, its list not yet imported in full. Nothing was dialled.
    Planned,
    /// An engine works on it, or was killed while it did.
    Running,
    /// Stopped with work left.
    Paused,
    /// Every recipient has a disposition.
    Completed,
    /// Ended by a person before every recipient was called.
    Cancelled,
    /// Ended by its own schedule.
    Expired,
}

impl RunState {
    /// The word in the database and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        [
            Self::Planned,
            Self::Running,
            Self::Paused,
            Self::Completed,
            Self::Cancelled,
            Self::Expired,
        ]
        .into_iter()
        .find(|s| s.as_str() == word)
    }

    /// Whether `resume` has something to do.
    pub fn unfinished(self) -> bool {
        matches!(self, Self::Planned | Self::Running | Self::Paused)
    }
}

/// What can happen to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunEvent {
    /// An engine begins to work on it.
    Begun,
    /// It stops with work left.
    Paused,
    /// Every recipient has a disposition.
    Completed,
    /// A person ends it.
    Cancelled,
    /// Its schedule ends it.
    Expired,
    /// Somebody who had a disposition is to be called again.
    Reopened,
}

/// An event that cannot follow a run's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a run that is {from} cannot be {event:?}")]
pub struct IllegalRun {
    /// The state, unchanged.
    pub from: RunState,
    /// The event, without effect.
    pub event: RunEvent,
}

impl RunState {
    /// The state after an event. What is over stays over, but that a completed run can be opened again.
    pub fn after(self, event: RunEvent) -> Result<Self, IllegalRun> {
        use RunEvent as E;
        match (self, event) {
            (Self::Planned | Self::Running | Self::Paused, E::Begun) => Ok(Self::Running),
            (Self::Planned | Self::Running | Self::Paused, E::Paused)
            | (Self::Completed, E::Reopened) => Ok(Self::Paused),
            (Self::Running | Self::Completed, E::Completed) => Ok(Self::Completed),
            (Self::Planned | Self::Running | Self::Paused | Self::Cancelled, E::Cancelled) => {
                Ok(Self::Cancelled)
            }
            (Self::Planned | Self::Running | Self::Paused | Self::Expired, E::Expired) => {
                Ok(Self::Expired)
            }
            (state, E::Reopened) => Ok(state),
            (from, event) => Err(IllegalRun { from, event }),
        }
    }

    /// What becomes of whoever was never tried in a run that is over; none while it is not.
    pub fn closing(self) -> Option<Disposition> {
        match self {
            Self::Cancelled => Some(Disposition::Cancelled),
            Self::Expired => Some(Disposition::Expired),
            Self::Planned | Self::Running | Self::Paused | Self::Completed => None,
        }
    }
}

impl fmt::Display for RunState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a run stopped with work left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PauseReason {
    /// SIGINT or SIGTERM.
    Signal,
    /// A person asked for it, from another terminal.
    Asked,
    /// The platform does not accept our credentials, or our clock.
    Credentials(String),
    /// The account is empty (402).
    EmptyAccount(String),
    /// The platform's answers say that our configuration is wrong (a redirect, 404, 405, …).
    Configuration(String),
    /// The platform refuses the account, the application or every request.
    Account(Trouble),
    /// Most of the latest callouts are refused with a code that speaks of their recipients.
    Refusals(Trouble),
    /// Too many of the latest callouts failed on the platform's side.
    Breaker(String),
    /// The platform could not be reached for too long.
    Unreachable(String),
    /// The next call does not fit under the run's cap.
    SpendCap(String),
    /// A call was billed otherwise than the cap supposes.
    Price(String),
    /// One attempt made two calls, or somebody was called again although there was a call: which.
    TwoCalls(String),
    /// The machine's clock jumped while the run went on.
    Clock(String),
    /// Nobody is left but those who are held: their time zone is not known, or the window never opens
    /// for them.
    Held,
}

/// How the words of each reason begin, and its name for programs.
const BEGINNINGS: [(&str, &str); 15] = [
    ("stopped by a signal", "signal"),
    ("a person asked for it", "asked"),
    // As earlier versions wrote it.
    ("paused with", "asked"),
    ("the platform refused our credentials", "credentials"),
    ("the account is empty", "empty_account"),
    ("the platform says our set-up is wrong", "configuration"),
    ("the platform refuses the account", "account"),
    ("most callouts are refused", "refusals"),
    ("the breaker opened", "breaker"),
    ("the platform cannot be reached", "unreachable"),
    ("the spend cap is reached", "spend_cap"),
    ("look at the prices", "price"),
    ("one attempt made two calls", "two_calls"),
    ("the machine's clock jumped", "clock"),
    ("everybody left is held", "held"),
];

impl PauseReason {
    /// A word for programs, which stays the same when the sentence is put otherwise.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Signal => "signal",
            Self::Asked => "asked",
            Self::Credentials(_) => "credentials",
            Self::EmptyAccount(_) => "empty_account",
            Self::Configuration(_) => "configuration",
            Self::Account(_) => "account",
            Self::Refusals(_) => "refusals",
            Self::Breaker(_) => "breaker",
            Self::Unreachable(_) => "unreachable",
            Self::SpendCap(_) => "spend_cap",
            Self::Price(_) => "price",
            Self::TwoCalls(_) => "two_calls",
            Self::Clock(_) => "clock",
            Self::Held => "held",
        }
    }

    /// The name for programs of the reason with these words, which are all that a database keeps; none where
    /// no reason of today has such.
    pub fn code_of(words: &str) -> Option<&'static str> {
        let known = BEGINNINGS
            .iter()
            .find(|(start, _)| words.starts_with(start));
        known.map(|(_, code)| *code)
    }

    /// The code of the refusals that pause the run, where it is refusals that do.
    pub fn refused_with(&self) -> Option<RefusalCode> {
        match self {
            Self::Account(trouble) | Self::Refusals(trouble) => Some(trouble.code),
            _ => None,
        }
    }

    /// Whether the exit code is 4: no money, rather than 3.
    pub fn is_money(&self) -> bool {
        matches!(
            self,
            Self::EmptyAccount(_) | Self::SpendCap(_) | Self::Price(_)
        )
    }
}

impl fmt::Display for PauseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signal => f.write_str("stopped by a signal"),
            Self::Asked => f.write_str("a person asked for it"),
            Self::Credentials(what) => write!(f, "the platform refused our credentials: {what}"),
            Self::EmptyAccount(what) => write!(f, "the account is empty: {what}"),
            Self::Configuration(what) => write!(f, "the platform says our set-up is wrong: {what}"),
            Self::Account(trouble) => write!(
                f,
                "the platform refuses the account or the whole request, not the recipients: {}; \
                 nobody counts as refused for it",
                trouble.why
            ),
            Self::Refusals(trouble) => write!(
                f,
                "most callouts are refused as if by their recipients' own fault: {}; nobody counts \
                 as refused yet",
                trouble.why
            ),
            Self::Breaker(what) => write!(f, "the breaker opened: {what}"),
            Self::Unreachable(what) => write!(f, "the platform cannot be reached: {what}"),
            Self::SpendCap(what) => write!(f, "the spend cap is reached: {what}"),
            Self::Price(what) => write!(f, "look at the prices: {what}"),
            Self::TwoCalls(what) => write!(
                f,
                "one attempt made two calls: {what}; a person must look before anybody else is called"
            ),
            Self::Clock(what) => write!(f, "the machine's clock jumped: {what}"),
            Self::Held => f.write_str(
                "everybody left is held: their time zone is not known, or the window never opens \
                 for them",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_reason_tell_its_code() {
        let trouble = || Trouble {
            of_recipients: true,
            code: RefusalCode::parse("40302").unwrap(),
            why: "x".into(),
        };
        let what = || "x".to_owned();
        for reason in [
            PauseReason::Signal,
            PauseReason::Asked,
            PauseReason::Credentials(what()),
            PauseReason::EmptyAccount(what()),
            PauseReason::Configuration(what()),
            PauseReason::Account(trouble()),
            PauseReason::Refusals(trouble()),
            PauseReason::Breaker(what()),
            PauseReason::Unreachable(what()),
            PauseReason::SpendCap(what()),
            PauseReason::Price(what()),
            PauseReason::TwoCalls(what()),
            PauseReason::Clock(what()),
            PauseReason::Held,
        ] {
            let told = PauseReason::code_of(&reason.to_string());
            assert_eq!(told, Some(reason.code()), "{reason}");
        }
        let earlier = PauseReason::code_of("paused with `callout pause`");
        assert_eq!(earlier, Some("asked"));
        assert_eq!(PauseReason::code_of("the moon was full"), None);
    }

    #[test]
    fn what_is_over_stays_over_unless_somebody_is_to_be_called_again() {
        use RunEvent as E;
        let events = [E::Begun, E::Paused, E::Completed, E::Cancelled, E::Expired];
        for (over, own) in [
            (RunState::Completed, E::Completed),
            (RunState::Cancelled, E::Cancelled),
            (RunState::Expired, E::Expired),
        ] {
            for event in events {
                assert_eq!(over.after(event).is_ok(), event == own, "{over} {event:?}");
            }
        }
        assert_eq!(RunState::Completed.after(E::Reopened), Ok(RunState::Paused));
        for other in [RunState::Running, RunState::Cancelled, RunState::Expired] {
            assert_eq!(other.after(E::Reopened), Ok(other));
        }
        assert!(RunState::Planned.after(E::Completed).is_err());
    }
}
