//! A run's states, and why it pauses.

use std::fmt;

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
    /// `callout pause`.
    Asked,
    /// The platform does not accept our credentials, or our clock.
    Credentials(String),
    /// The account is empty (402).
    EmptyAccount(String),
    /// The platform's answers say that our configuration is wrong (a redirect, 404, 405, …).
    Configuration(String),
    /// Too many of the latest callouts failed on the platform's side.
    Breaker(String),
    /// The platform could not be reached for too long.
    Unreachable(String),
    /// The next call does not fit under the run's cap.
    SpendCap(String),
    /// A call was billed otherwise than the cap supposes.
    Price(String),
    /// Nobody is left but those who are held: their time zone is not known, or the window never opens
    /// for them.
    Held,
}

impl PauseReason {
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
            Self::Asked => f.write_str("paused with `callout pause`"),
            Self::Credentials(what) => write!(f, "the platform refused our credentials: {what}"),
            Self::EmptyAccount(what) => write!(f, "the account is empty: {what}"),
            Self::Configuration(what) => write!(f, "the platform says our set-up is wrong: {what}"),
            Self::Breaker(what) => write!(f, "the breaker opened: {what}"),
            Self::Unreachable(what) => write!(f, "the platform cannot be reached: {what}"),
            Self::SpendCap(what) => write!(f, "the spend cap is reached: {what}"),
            Self::Price(what) => write!(f, "look at the prices: {what}"),
            Self::Held => f.write_str(
                "everybody left is held: their time zone is not known, or the window never opens \
                 for them",
            ),
        }
    }
}
