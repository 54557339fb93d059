//! What an event of the platform tells of a call, as far as it moves an attempt.

use jiff::Timestamp;

use super::{AnsweredBy, AttemptEvent, AttemptId, CallId, Keyed, Outcome};

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
    /// What was heard in it.
    pub signal: Option<Signal>,
}

/// What was heard in a call that goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal {
    /// When, by the platform's clock; none where it did not say.
    pub at: Option<Timestamp>,
    /// What.
    pub what: Signalled,
}

/// What can be heard in a call that goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signalled {
    /// Who or what answered.
    AnsweredBy(AnsweredBy),
    /// The beep of a machine.
    Beep,
    /// What a menu resulted in.
    Menu {
        /// Its id; none where that was not told.
        id: Option<String>,
        /// What.
        keyed: Keyed,
    },
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
