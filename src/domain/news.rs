//! What an event of the platform tells of a call, as far as it moves an attempt.

use std::fmt;

use jiff::Timestamp;

use super::{AttemptEvent, AttemptId, CallId, Outcome};

/// The place of an event in the order in which events came to this database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventNumber(pub i64);

/// What one event tells: of which call, and how that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// The attempt that `custom` names; none where it names none of our form.
    pub attempt: Option<AttemptId>,
    /// The platform's name for the call.
    pub call: Option<CallId>,
    /// How it stands.
    pub says: Says,
    /// What was pressed in it.
    pub pressed: Option<Pressed>,
}

/// What somebody pressed in a call.
#[derive(Clone, PartialEq, Eq)]
pub struct Pressed {
    /// When, by the platform's clock; none where it did not say.
    pub at: Option<Timestamp>,
    /// The keys, or what a menu makes of them: 1 to 64 characters.
    pub value: String,
}

impl fmt::Debug for Pressed {
    /// What people press may be a number of theirs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pressed")
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

/// How a call stands by an event's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Says {
    /// It is there: an event that no call could have caused which was never placed.
    GoesOn,
    /// It is over.
    Ended(Outcome),
    /// Nothing that is taken for true: what was told is too old. The call is worth asking about at once.
    Ask,
}

impl News {
    /// What happens to an attempt by it; none where it says nothing of any call.
    pub fn event(self) -> Option<AttemptEvent> {
        match self.says {
            Says::GoesOn => self.call.map(AttemptEvent::Seen),
            Says::Ended(outcome) => Some(AttemptEvent::Ended(self.call, outcome)),
            Says::Ask => None,
        }
    }
}
