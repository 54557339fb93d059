//! Exit codes (DESIGN, section 3) and failures, which are the words a person reads before one.

use std::fmt;
use std::process::ExitCode;

use crate::campaign::Faults;
use crate::domain::{Disposition, RunState, Tally};
use crate::engine::End;
use crate::store::{Gap, StoreError};

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

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Address(_)
            | StoreError::NoRun(_)
            | StoreError::NoDatabase(_)
            | StoreError::NoRehearsal(_)
            | StoreError::OccurrenceTaken { .. } => Self::Usage(error.to_string()),
            StoreError::Foreign { .. } => {
                Self::Usage(format!("{error}; name another file with --db"))
            }
            StoreError::Gap { gap, .. } => Self::Usage(format!("{error}\n{}", advice(gap))),
            _ => Self::Failed(error.to_string()),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// What is said where a database lacks what was done, behind the fact.
fn advice(gap: Gap) -> String {
    let way_out = match gap {
        Gap::Unmarked { elsewhere: true } => {
            "Say --state with the folder of this machine's state (CALLOUT_STATE), or leave it out, \
             as it was when the database was last used"
        }
        Gap::Unmarked { elsewhere: false } => "Use the database where it was, with its mark",
        Gap::Older { .. } | Gap::Another { .. } | Gap::Unreadable => {
            "Put the latest database in its place, if it can be had"
        }
    };
    format!(
        "Phones could ring twice, so nothing was done. {way_out}.\nOtherwise --accept-unknown-calls \
         goes on with this one: everybody whom its runs have still to call becomes uncertain, \
         nobody of them is dialled, and `callout reconcile` settles them from the platform's call \
         detail records or by hand. docs/what-happens-if.md tells the whole of it."
    )
}
