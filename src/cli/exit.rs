//! Exit codes (DESIGN, section 3) and failures, which are the words a person reads before one.

use std::fmt;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::advice;
use crate::app::{Error, Refusal};
use crate::campaign::Faults;
use crate::domain::{Disposition, RunState, Tally};
use crate::engine::End;
use crate::output;
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
    /// How a run's state ends the command that ran it: 1 where a phone may have rung twice, before 4 before 3
    /// before 5.
    pub fn of_run(state: RunState, money: bool, tally: &Tally) -> Self {
        match state {
            _ if !tally.second_calls.is_empty() => Self::Failed,
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
    Usage(Said),
    /// Something failed.
    Failed(Said),
}

/// What a failure says.
#[derive(Debug)]
pub struct Said {
    /// Its name for programs, which never changes.
    code: &'static str,
    /// What is so.
    fact: String,
    /// What to do about it, with what joins it to the fact; empty where nothing is advised.
    advice: String,
    /// Whether the command has printed its facts: as JSON they are one document, and nothing follows it.
    printed: bool,
}

impl Said {
    /// A fact that says all.
    fn fact(code: &'static str, words: impl Into<String>) -> Self {
        Self {
            code,
            fact: words.into(),
            advice: String::new(),
            printed: false,
        }
    }
}

impl Failure {
    /// The command line or a setting is at fault.
    pub fn usage(words: impl Into<String>) -> Self {
        Self::Usage(Said::fact("usage", words))
    }

    /// A person has to decide or say something else first.
    pub fn refused(code: &'static str, words: impl Into<String>) -> Self {
        Self::Usage(Said::fact(code, words))
    }

    /// Something failed.
    pub fn failed(words: impl Into<String>) -> Self {
        Self::Failed(Said::fact("failed", words))
    }

    /// The same of a command that has printed its facts.
    #[must_use]
    pub(super) fn printed(mut self) -> Self {
        if let Self::Usage(said) | Self::Failed(said) = &mut self {
            said.printed = true;
        }
        self
    }

    /// Its words, without `error:` before them.
    pub(super) fn words(self) -> String {
        match self {
            Self::Faults(faults) => faults.to_string(),
            Self::Usage(said) | Self::Failed(said) => said.fact + &said.advice,
        }
    }

    /// The exit code that goes with it.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Faults(_) | Self::Usage(_) => Exit::Usage,
            Self::Failed(_) => Exit::Failed,
        }
    }

    /// The failure for programs; none where the facts of the command were printed before it.
    pub(super) fn json(&self) -> Option<Value> {
        let error = match self {
            Self::Faults(faults) => json!({
                "code": "faults", "words": faults.to_string(), "advice": null,
                "faults": faults.as_slice(),
            }),
            Self::Usage(said) | Self::Failed(said) if said.printed => return None,
            Self::Usage(said) | Self::Failed(said) => {
                let joint = |c: char| c.is_whitespace() || matches!(c, ':' | ';' | '.' | ',');
                let advice = said.advice.trim_start_matches(joint);
                json!({
                    "code": said.code, "words": said.fact,
                    "advice": (!advice.is_empty()).then_some(advice),
                })
            }
        };
        Some(json!({ "error": error }))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Faults(faults) => write!(f, "{faults}"),
            Self::Usage(said) | Self::Failed(said) => {
                write!(f, "error: {}{}", said.fact, said.advice)
            }
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
        let (input, code) = (error.is_input(), error.code());
        if matches!(error, Error::Refused(_)) {
            tracing::debug!(code, "refused");
        }
        let (fact, advice) = advice::of(&error);
        if let Error::Faults(faults) = error {
            return Self::Faults(faults);
        }
        let said = Said {
            advice,
            ..Said::fact(code, fact)
        };
        if input {
            Self::Usage(said)
        } else {
            Self::Failed(said)
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
        Self::failed(error.to_string())
    }
}

/// Asks before what cannot be taken back. A no, and nobody who could say yes, end the command: `undone` says
/// that nothing was done.
pub(super) fn sure(question: &str, undone: &str) -> Result<(), Failure> {
    match output::ask(question) {
        Some(true) => Ok(()),
        Some(false) => Err(Failure::refused("declined", undone)),
        None => Err(Failure::refused(
            "nobody_to_ask",
            format!("{question} Nobody is there to be asked, so {undone}: say --yes"),
        )),
    }
}
