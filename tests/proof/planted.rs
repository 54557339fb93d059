//! Bugs, planted into the seeded world from outside: a store that lies to the engine. Each must be noticed by the
//! checker whose promise it breaks.

use callout::domain::{AttemptState, RecipientState};

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
                Self::None | Self::RecordedIsCommitted => return false,
            }
        }
        true
    }

    /// Whether an intent is reported as durable when it only waits to be.
    pub(crate) fn reports_early(self) -> bool {
        self == Self::RecordedIsCommitted
    }
}
