//! Bugs, planted into the seeded world from outside: a disk that lies to the engine. Each must be noticed by the
//! checker whose promise it breaks.

use callout::store::Recovery;
use jiff::Timestamp;

use crate::disk::Disk;

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
    /// What a start finds on this disk.
    pub(crate) fn recover(self, disk: &mut Disk, now: Timestamp) -> Recovery {
        let recovery = disk.recover(now);
        match self {
            Self::RedialUncertain => disk.make_uncertain_due(),
            Self::ForgetHolds => disk.forget_holds(),
            Self::None | Self::RecordedIsCommitted => return recovery,
        }
        // Recovering twice is recovering once: this is what the disk says with the bug in it.
        disk.recover(now)
    }

    /// Whether an intent is reported as durable when it only waits to be.
    pub(crate) fn reports_early(self) -> bool {
        self == Self::RecordedIsCommitted
    }
}
