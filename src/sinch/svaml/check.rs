//! What the platform would not take of a document; the rules are `domain::svaml_check`'s.

use std::fmt;

use super::Svaml;
use crate::domain::svaml::Event;
use crate::domain::svaml_check;

/// Something that the platform would not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it stands: `action.maxDuration`.
    pub at: String,
    /// What is wrong; does not repeat texts or numbers of people.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.at, self.message)
    }
}

impl Svaml {
    /// What is wrong with the document as an answer to an event.
    pub fn check(&self, event: Event) -> Vec<Problem> {
        self.problems(Some(event))
    }

    /// What is wrong with the document as the body of a `PATCH`, which manages a call (seed 001,
    /// "Manage Call"): every documented action and instruction may stand there.
    pub fn check_managing(&self) -> Vec<Problem> {
        self.problems(None)
    }

    fn problems(&self, event: Option<Event>) -> Vec<Problem> {
        let flaws = svaml_check::check(&self.to_json(), event, |_| false);
        let problems = flaws.into_iter().map(|flaw| Problem {
            at: flaw.way.to_string(),
            message: flaw.message,
        });
        problems.collect()
    }
}
