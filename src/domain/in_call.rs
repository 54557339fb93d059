//! What was heard in a call, as far as it decides what follows for the recipient.

/// A set of what was heard in a call. What comes late is added; nothing is ever taken away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct InCall(u8);

impl InCall {
    /// Nothing.
    pub const NOTHING: Self = Self(0);
    /// A machine answered.
    pub const MACHINE: Self = Self(1);
    /// A key was pressed that was offered.
    pub const PRESSED: Self = Self(2);
    /// One that counts as reached.
    pub const COUNTS: Self = Self(4);
    /// One by which somebody is never called again.
    pub const OPTED_OUT: Self = Self(8);
    /// One that connected the call to somebody else: a further call of the attempt is its other leg.
    pub const CONNECTED: Self = Self(16);

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of the other was heard.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// What of it stays true of the person in whatever call comes after it: what they pressed.
    #[must_use]
    pub fn stays(self) -> Self {
        let theirs = Self::PRESSED.and(Self::COUNTS).and(Self::OPTED_OUT);
        Self(self.0 & theirs.0)
    }

    /// One number, for a store.
    pub fn pack(self) -> u8 {
        self.0
    }

    /// The number read back. Bits that mean nothing are dropped.
    pub fn unpack(packed: i64) -> Self {
        Self(u8::try_from(packed & 31).unwrap_or(0))
    }
}

/// What a call must bring beside its answer, for its recipient to be reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wanted {
    /// One of the responses that count.
    pub response: bool,
    /// Whether a machine counts.
    pub machine_counts: bool,
}

/// What an answered call is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answered {
    /// Its recipient is reached.
    Reached,
    /// A machine answered, and does not count.
    Machine,
    /// Nothing was pressed that is offered, where something is wanted.
    NoResponse,
    /// Something else was pressed than what counts.
    OtherResponse,
    /// They do not want to be called again, and that does not count.
    OptedOut,
}

impl Wanted {
    /// What an answered call is worth in which this was heard.
    pub fn of(self, heard: InCall) -> Answered {
        if heard.has(InCall::COUNTS) {
            return Answered::Reached;
        }
        if heard.has(InCall::OPTED_OUT) && self.response {
            return Answered::OptedOut;
        }
        if heard.has(InCall::PRESSED) {
            return if self.response {
                Answered::OtherResponse
            } else {
                Answered::Reached
            };
        }
        if heard.has(InCall::MACHINE) {
            return if self.machine_counts {
                Answered::Reached
            } else {
                Answered::Machine
            };
        }
        if self.response {
            Answered::NoResponse
        } else {
            Answered::Reached
        }
    }
}

impl Answered {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Reached,
        Self::Machine,
        Self::NoResponse,
        Self::OtherResponse,
        Self::OptedOut,
    ];

    /// Reads the reason of an unreached recipient back; none where it is another.
    pub fn parse(why: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|worth| worth.why() == Some(why))
    }

    /// Why the recipient is not reached, in one or two words; none where they are.
    pub fn why(self) -> Option<&'static str> {
        match self {
            Self::Reached => None,
            Self::Machine => Some("machine"),
            Self::NoResponse => Some("no response"),
            Self::OtherResponse => Some("other response"),
            Self::OptedOut => Some("opted out"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answered_call_is_worth_what_was_pressed_in_it_and_else_who_answered() {
        let any = Wanted::default();
        let pressed = Wanted {
            response: true,
            machine_counts: false,
        };
        let (machine, other) = (InCall::MACHINE, InCall::PRESSED);
        let counts = other.and(InCall::COUNTS);
        let opted_out = other.and(InCall::OPTED_OUT);
        for (wanted, heard, worth) in [
            (any, InCall::NOTHING, Answered::Reached),
            (any, machine, Answered::Machine),
            (any, machine.and(other), Answered::Reached),
            (any, opted_out, Answered::Reached),
            (pressed, InCall::NOTHING, Answered::NoResponse),
            (pressed, machine, Answered::Machine),
            (pressed, other, Answered::OtherResponse),
            (pressed, counts, Answered::Reached),
            (pressed, machine.and(counts), Answered::Reached),
            (pressed, opted_out, Answered::OptedOut),
            (pressed, opted_out.and(counts), Answered::Reached),
            (
                Wanted {
                    machine_counts: true,
                    ..pressed
                },
                machine,
                Answered::Reached,
            ),
        ] {
            assert_eq!(wanted.of(heard), worth, "{wanted:?} {heard:?}");
        }
    }
}
