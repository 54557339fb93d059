//! Waiting for a start, and the start for which a run that a person began is.
//!
//! The wall is looked at once a second at least, whatever was asked to sleep: a clock that is set and
//! a machine that was asleep are noticed then.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp, Zoned};

use crate::app::{App, Error, Notice, Refusal, Stop};
use crate::clock::Clock;
use crate::domain::{ByHand, Schedule};
use crate::report::moments::moment;
use crate::store::{Access, NewRun, OccurrenceFate, Store, StoreError};

/// Between two looks at the wall's clock.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waited {
    /// The moment is there.
    Came,
    /// Somebody asked us to stop.
    Stopped,
    /// What we wait by has changed.
    Changed,
}

/// Waits until the wall says `moment`.
pub(crate) async fn until(
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

/// The occurrence for which a run is, and when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) scheduled_for: Timestamp,
    pub(crate) expires_at: Option<Timestamp>,
}

impl Slot {
    pub(crate) fn of(schedule: &Schedule, occurrence: Timestamp) -> Self {
        Self {
            scheduled_for: occurrence,
            expires_at: schedule.expires_at(occurrence),
        }
    }

    /// Writes it down with the run.
    pub(crate) fn assign(self, run: &mut NewRun) {
        run.scheduled_for = Some(self.scheduled_for);
        run.expires_at = self.expires_at;
    }
}

impl App {
    /// The start for which a run that a person begins is: now, or something to wait for. A start that is
    /// too late, or that has been, is refused.
    pub(crate) async fn start_of(
        &self,
        campaign: &str,
        schedule: &Schedule,
        store: &dyn Store,
    ) -> Result<Start, Error> {
        let now = self.clock.wall();
        let past = store.occurrences_until(campaign, now).await?;
        let gone = |why: String| Error::from(Refusal::StartGone(why));
        match schedule.by_hand(now, past.handled) {
            ByHand::Now(at) => Ok(Start::Now(Slot::of(schedule, at.at.timestamp()))),
            ByHand::Wait(at) => Ok(Start::Later(at.at)),
            ByHand::Stale(at) => Err(gone(format!(
                "the start of {campaign} was {}, and its expires_after has gone by",
                moment(&self.told(at.at))
            ))),
            ByHand::Over => {
                let last = store.occurrences(campaign, 1).await?;
                Err(gone(match last.first() {
                    Some(last) => {
                        let became = match &last.fate {
                            OccurrenceFate::Run(run) => format!("run {run} was started for it"),
                            OccurrenceFate::Skipped { reason, .. } => {
                                format!("it was skipped: {reason}")
                            }
                        };
                        let at = self.told(last.scheduled_for.to_zoned(schedule.zone().clone()));
                        format!("the last start of {campaign} was {}: {became}", moment(&at))
                    }
                    None => format!("the schedule of {campaign} has ended"),
                }))
            }
        }
    }

    /// Waits until a campaign may start, without holding the database meanwhile; none where somebody
    /// asked to stop.
    pub(crate) async fn wait_for_start(
        &self,
        campaign: &str,
        schedule: &Schedule,
        mut store: Arc<dyn Store>,
        stop: &Stop,
    ) -> Result<Option<(Arc<dyn Store>, Slot)>, Error> {
        let clock = self.clock.as_ref();
        loop {
            let at = match self.start_of(campaign, schedule, store.as_ref()).await? {
                Start::Now(slot) => return Ok(Some((store, slot))),
                Start::Later(at) => at,
            };
            store.close().await?;
            drop(store);
            let (moment, now) = (at.timestamp(), clock.wall());
            let at = self.told(at);
            let campaign = campaign.to_owned();
            self.tell(Notice::WaitingForStart { campaign, at, now });
            if until(moment, clock, stop, || false).await != Waited::Came {
                return Ok(None);
            }
            let Some(free) = self.open_when_free(stop).await? else {
                return Ok(None);
            };
            store = free;
        }
    }

    /// Opens the database as its engine, as soon as no other engine works on it; none where somebody
    /// asked to stop before.
    async fn open_when_free(&self, stop: &Stop) -> Result<Option<Arc<dyn Store>>, Error> {
        let (mut told, clock) = (false, self.clock.as_ref());
        while !stop.is_asked() {
            match self.open(Access::Engine).await {
                Ok(store) => {
                    store.compare().await?;
                    return Ok(Some(store));
                }
                Err(error @ StoreError::InUse(_)) if !told => {
                    self.tell(Notice::WaitingForDatabase(error));
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
}

/// What [`App::start_of`] found.
#[derive(Debug)]
pub(crate) enum Start {
    /// The run may begin.
    Now(Slot),
    /// Not before then.
    Later(Zoned),
}

impl Start {
    /// The moment that is waited for; none where the run may begin.
    pub(crate) fn later(self) -> Option<Zoned> {
        match self {
            Self::Now(_) => None,
            Self::Later(at) => Some(at),
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
        let (wall, (_asking, stop)) = (Wall(AtomicI64::new(1_000)), Stop::new());
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
