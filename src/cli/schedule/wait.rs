//! Waiting for a start, and the start for which a run that a person began is.
//!
//! The wall is looked at once a second at least, whatever was asked to sleep: a clock that is set and
//! a machine that was asleep are noticed then.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{away, words};
use crate::cli::args::Global;
use crate::cli::exit::Failure;
use crate::cli::stop::Stop;
use crate::cli::{latest, output};
use crate::clock::Clock;
use crate::domain::{ByHand, Schedule};
use crate::store::{Access, Fate, NewRun, Store, StoreError};

/// Between two looks at the wall's clock.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waited {
    /// The moment is there.
    Came,
    /// Somebody asked us to stop.
    Stopped,
    /// What we wait by has changed.
    Changed,
}

/// Waits until the wall says `moment`.
pub(super) async fn until(
    moment: Timestamp,
    clock: &dyn Clock,
    stop: &Stop,
    changed: impl Fn() -> bool,
) -> Waited {
    loop {
        if stop.is_asked() {
            return Waited::Stopped;
        }
        let left = moment.duration_since(clock.wall());
        if !left.is_positive() {
            return Waited::Came;
        }
        if changed() {
            return Waited::Changed;
        }
        tokio::select! {
            () = stop.asked() => {}
            () = tokio::time::sleep(left.unsigned_abs().min(LOOK_EVERY)) => {}
        }
    }
}

/// Opens the database as its engine, as soon as no other engine works on it; none where somebody
/// asked us to stop before.
pub(in crate::cli) async fn open_when_free(
    global: &Global,
    clock: &dyn Clock,
    stop: &Stop,
) -> Result<Option<Arc<dyn Store>>, Failure> {
    let mut told = false;
    while !stop.is_asked() {
        match latest::open(global, Access::Engine).await {
            Ok(store) => {
                store.compare().await?;
                return Ok(Some(store));
            }
            Err(error @ StoreError::InUse(_)) if !told => {
                output::tell(&format!(
                    "it is time, but {error}; this run begins after it"
                ));
                told = true;
            }
            Err(StoreError::InUse(_)) => {
                let soon = clock.wall() + SignedDuration::from_secs(1);
                until(soon, clock, stop, || false).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(None)
}

/// The occurrence for which a run is, and when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) struct Slot {
    pub(super) scheduled_for: Timestamp,
    pub(super) expires_at: Option<Timestamp>,
}

impl Slot {
    pub(super) fn of(schedule: &Schedule, occurrence: Timestamp) -> Self {
        Self {
            scheduled_for: occurrence,
            expires_at: schedule.expires_at(occurrence),
        }
    }

    /// Writes it down with the run.
    pub(in crate::cli) fn assign(self, run: &mut NewRun) {
        run.scheduled_for = Some(self.scheduled_for);
        run.expires_at = self.expires_at;
    }
}

/// The start for which `callout run` is: now, or something to wait for. A start that is too late, or
/// that has been, is refused.
pub(in crate::cli) async fn start_of(
    campaign: &str,
    schedule: &Schedule,
    store: &dyn Store,
    now: Timestamp,
) -> Result<Start, Failure> {
    let past = store.past(campaign, now).await?;
    let refuse = |why: String| {
        Failure::usage(format!(
            "{why}\nNothing was dialled. Give [schedule] a later start, or say --now to dial now, \
             whatever the schedule says."
        ))
    };
    match schedule.by_hand(now, past.handled) {
        ByHand::Now(at) => Ok(Start::Now(Slot::of(schedule, at.at.timestamp()))),
        ByHand::Wait(at) => {
            let told = format!(
                "waiting for the start of {campaign}: {}, in {}; Ctrl-C ends it, and nothing is \
                 dialled before then",
                words(&at.at),
                away(at.at.timestamp(), now)
            );
            Ok(Start::Later(at.at.timestamp(), told))
        }
        ByHand::Stale(at) => Err(refuse(format!(
            "the start of {campaign} was {}, and its expires_after has gone by",
            words(&at.at)
        ))),
        ByHand::Over => {
            let last = store.occurrences(campaign, 1).await?;
            Err(refuse(match last.first() {
                Some(last) => {
                    let became = match &last.fate {
                        Fate::Run(run) => format!("run {run} was started for it"),
                        Fate::Skipped { reason, .. } => format!("it was skipped: {reason}"),
                    };
                    let at = last.scheduled_for.to_zoned(schedule.zone().clone());
                    format!("the last start of {campaign} was {}: {became}", words(&at))
                }
                None => format!("the schedule of {campaign} has ended"),
            }))
        }
    }
}

/// What [`start_of`] found.
#[derive(Debug)]
pub(in crate::cli) enum Start {
    /// The run may begin.
    Now(Slot),
    /// Not before then; and how to say so.
    Later(Timestamp, String),
}

impl Start {
    /// Waits for the moment, and says so. False where somebody asked us to stop.
    pub(in crate::cli) async fn wait(&self, clock: &dyn Clock, stop: &Stop) -> bool {
        match self {
            Self::Now(_) => true,
            Self::Later(moment, told) => {
                output::tell(told);
                until(*moment, clock, stop, || false).await == Waited::Came
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    /// A wall that stands still until somebody sets it.
    #[derive(Debug)]
    struct Wall(AtomicI64);

    impl Clock for Wall {
        fn wall(&self) -> Timestamp {
            Timestamp::from_second(self.0.load(Ordering::Relaxed)).unwrap()
        }

        fn monotonic(&self) -> Duration {
            Duration::ZERO
        }
    }

    #[tokio::test]
    async fn a_clock_that_is_set_is_noticed_within_a_second() {
        let (wall, stop) = (Wall(AtomicI64::new(1_000)), Stop::listen().unwrap());
        let moment = Timestamp::from_second(90_000).unwrap();
        let wait = until(moment, &wall, &stop, || false);
        let set = async {
            tokio::task::yield_now().await;
            // Back first, as far as it may go: it is no reason to begin.
            wall.0.store(-90_000, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(10)).await;
            wall.0.store(90_001, Ordering::Relaxed);
        };
        let both = async { tokio::join!(wait, set).0 };
        let waited = tokio::time::timeout(Duration::from_secs(5), both).await;
        assert_eq!(waited, Ok(Waited::Came));
        assert_eq!(until(moment, &wall, &stop, || true).await, Waited::Came);
        wall.0.store(0, Ordering::Relaxed);
        assert_eq!(until(moment, &wall, &stop, || true).await, Waited::Changed);
    }
}
