//! Bugs, planted into the seeded world from outside: a store that lies to the engine. Each must be noticed by the
//! checker whose promise it breaks.

use callout::domain::{AttemptState, InCall, RecipientState};

use crate::memory::Tables;

/// A bug around the core.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bug {
    None,
    /// Recovery makes whoever is uncertain due again.
    RedialUncertain,
    /// What is recorded is reported as committed at once.
    RecordedIsCommitted,
    /// What is held for uncertain attempts is forgotten at a restart.
    ForgetHolds,
    /// A machine is taken for a person who pressed the key that counts.
    MachineIsAPerson,
    /// A key that is heard once its call is over is dropped.
    DropLateKeys,
}

impl Bug {
    /// What else a recovery does to this store. Says whether it did anything.
    pub(crate) fn recovers(self, tables: &mut Tables) -> bool {
        let uncertain = tables.attempts.values_mut();
        let uncertain = uncertain.filter(|a| matches!(a.state, AttemptState::Uncertain(_)));
        for attempt in uncertain {
            match self {
                Self::RedialUncertain => {
                    attempt.state = AttemptState::NotSent("planted".into());
                    let who = tables.recipients.get_mut(&attempt.recipient.0).unwrap();
                    (who.state, who.due_at) = (RecipientState::Pending, 0);
                }
                Self::ForgetHolds => attempt.hold = None,
                _ => return false,
            }
        }
        true
    }

    /// What is heard in a call, with the bug in it.
    pub(crate) fn hears(self, makes: &mut InCall) {
        if self == Self::MachineIsAPerson && makes.has(InCall::MACHINE) {
            *makes = InCall::PRESSED.and(InCall::COUNTS);
        }
    }

    /// Whether an intent is reported as durable when it only waits to be.
    pub(crate) fn reports_early(self) -> bool {
        self == Self::RecordedIsCommitted
    }
}
