//! Exit codes (DESIGN, section 3) and failures, which are the words a person reads before one.

use std::fmt;
use std::process::ExitCode;

use super::advice;
use crate::app::{Error, Refusal};
use crate::campaign::Faults;
use crate::domain::{Disposition, RunState, Tally};
use crate::engine::End;
use crate::store::StoreError;

/// How a command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All done.
    Done,
    /// Failed.
    Failed,
    /// Bad input or usage.
    Usage,
    /// Stopped with work left.
    WorkLeft,
    /// Stopped by the spend cap or an empty account.
    Money,
    /// Done, but uncertain attempts remain.
    Uncertain,
}

impl Exit {
    /// How a run's state ends the command that ran it: 4 before 3 before 5.
    pub fn of_run(state: RunState, money: bool, tally: &Tally) -> Self {
        match state {
            _ if money => Self::Money,
            RunState::Completed | RunState::Expired if tally.of(Disposition::Uncertain) > 0 => {
                Self::Uncertain
            }
            RunState::Completed | RunState::Expired => Self::Done,
            RunState::Planned | RunState::Running | RunState::Paused | RunState::Cancelled => {
                Self::WorkLeft
            }
        }
    }

    /// How an engine's end ends the command.
    pub fn of_end(end: &End, tally: &Tally) -> Self {
        match end {
            End::Completed => Self::of_run(RunState::Completed, false, tally),
            End::Paused(why) => Self::of_run(RunState::Paused, why.is_money(), tally),
            End::Cancelled => Self::of_run(RunState::Cancelled, false, tally),
            End::Expired => Self::of_run(RunState::Expired, false, tally),
            End::Failed(_) => Self::Failed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::WorkLeft => 3,
            Exit::Money => 4,
            Exit::Uncertain => 5,
        })
    }
}

/// Why a command could not do what it was asked.
#[derive(Debug)]
pub enum Failure {
    /// The input is at fault: what, where, what to do.
    Faults(Faults),
    /// The command line or a setting is at fault.
    Usage(String),
    /// Something failed.
    Failed(String),
}

impl Failure {
    /// The command line or a setting is at fault.
    pub fn usage(words: impl Into<String>) -> Self {
        Self::Usage(words.into())
    }

    /// Something failed.
    pub fn failed(words: impl Into<String>) -> Self {
        Self::Failed(words.into())
    }

    /// Its words, without `error:` before them.
    pub(super) fn words(self) -> String {
        match self {
            Self::Faults(faults) => faults.to_string(),
            Self::Usage(words) | Self::Failed(words) => words,
        }
    }

    /// The exit code that goes with it.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Faults(_) | Self::Usage(_) => Exit::Usage,
            Self::Failed(_) => Exit::Failed,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Faults(faults) => write!(f, "{faults}"),
            Self::Usage(words) | Self::Failed(words) => write!(f, "error: {words}"),
        }
    }
}

impl From<Faults> for Failure {
    fn from(faults: Faults) -> Self {
        Self::Faults(faults)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let input = error.is_input();
        let fact = error.to_string();
        let words = match error {
            Error::Faults(faults) => return Self::Faults(faults),
            Error::Refused(refusal) => {
                tracing::debug!(code = refusal.code(), "refused");
                advice::refusal(&refusal)
            }
            Error::Store(error) => advice::store(&error),
            Error::Engine { run, why, gone } => advice::engine(&run, &why, gone),
            Error::RowsLeft { open, .. } => advice::rows_left(&fact, open.as_ref()),
            Error::Api(error) => advice::with_advice(&error),
            Error::Failed(_) => fact,
        };
        if input {
            Self::Usage(words)
        } else {
            Self::Failed(words)
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Error::from(error).into()
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Error::from(refusal).into()
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}
