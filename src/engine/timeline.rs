//! How time goes by around the engine's loop, and when the work that it started reports.
//!
//! Live, work runs in tasks that nobody cancels, and reports when it is done. In virtual time it is
//! carried out at once, one piece after the other, and its report is due after a delay that depends on
//! nothing but its kind; whenever nothing is left to carry out, time jumps to what is due next. Two runs
//! of the same work are therefore the same, event for event.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;

use super::core::Now;
use crate::clock::{Clock, VirtualClock};

/// A piece of work that reports when it is done.
type Work<R> = Pin<Box<dyn Future<Output = R> + Send>>;

/// Where an engine's time comes from.
#[derive(Debug, Clone)]
pub enum Time {
    /// It goes by by itself.
    Live(Arc<dyn Clock>),
    /// It stands still while anything is left to do, and is then moved on to what is due next.
    Virtual(Arc<VirtualClock>),
}

impl Time {
    /// Whether days may go by in a moment.
    pub fn is_virtual(&self) -> bool {
        matches!(self, Self::Virtual(_))
    }

    fn clock(&self) -> &dyn Clock {
        match self {
            Self::Live(clock) => clock.as_ref(),
            Self::Virtual(clock) => clock.as_ref(),
        }
    }

    pub(super) fn wall(&self) -> Timestamp {
        self.clock().wall()
    }

    pub(super) fn monotonic(&self) -> Duration {
        self.clock().monotonic()
    }

    pub(super) fn now(&self) -> Now {
        Now {
            wall: self.wall(),
            mono: self.monotonic(),
        }
    }
}

/// What work is about, which decides how long it takes in virtual time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A request to the platform.
    Request,
    /// A commit of a group.
    Commit,
    /// A look into the store.
    Look,
}

impl Kind {
    /// How long it takes in virtual time: as on a good day.
    fn takes(self) -> Duration {
        match self {
            Self::Request => Duration::from_millis(40),
            Self::Commit => Duration::from_millis(2),
            Self::Look => Duration::from_millis(1),
        }
    }
}

/// Time, and the reports in it.
pub(super) enum Timeline<R> {
    Live {
        clock: Arc<dyn Clock>,
        reports: mpsc::UnboundedReceiver<R>,
        reporter: mpsc::UnboundedSender<R>,
    },
    Virtual(Virtual<R>),
}

/// Virtual time: work that is carried out in order, and reports that are due.
pub(super) struct Virtual<R> {
    clock: Arc<VirtualClock>,
    /// Work to be carried out, in order.
    work: VecDeque<(Kind, Work<R>)>,
    /// Reports by when they are due, and in the order in which they were made.
    due: BinaryHeap<Reverse<(Duration, u64)>>,
    reports: HashMap<u64, R>,
    order: u64,
}

impl<R: Send + 'static> Timeline<R> {
    /// A timeline on which nothing is under way.
    pub(super) fn of(time: &Time) -> Self {
        match time {
            Time::Live(clock) => {
                let (reporter, reports) = mpsc::unbounded_channel();
                Self::Live {
                    clock: Arc::clone(clock),
                    reports,
                    reporter,
                }
            }
            Time::Virtual(clock) => Self::Virtual(Virtual {
                clock: Arc::clone(clock),
                work: VecDeque::new(),
                due: BinaryHeap::new(),
                reports: HashMap::new(),
                order: 0,
            }),
        }
    }

    /// Whether there is a world outside, with people in it who may want something.
    pub(super) fn is_live(&self) -> bool {
        matches!(self, Self::Live { .. })
    }

    /// Starts work whose report [`Timeline::next`] will give.
    pub(super) fn start(&mut self, kind: Kind, work: impl Future<Output = R> + Send + 'static) {
        match self {
            Self::Live { reporter, .. } => {
                let reporter = reporter.clone();
                // The loop ends before its tasks only when none is left that matters.
                tokio::spawn(async move { drop(reporter.send(work.await)) });
            }
            Self::Virtual(time) => time.work.push_back((kind, Box::pin(work))),
        }
    }

    /// Reports what needs no work.
    pub(super) fn report(&mut self, report: R) {
        match self {
            Self::Live { reporter, .. } => drop(reporter.send(report)),
            Self::Virtual(time) => time.report(Duration::ZERO, report),
        }
    }

    /// The next report; none if the monotonic time `until` comes before it.
    pub(super) async fn next(&mut self, until: Duration) -> Option<R> {
        match self {
            Self::Live { clock, reports, .. } => {
                let wait = until.saturating_sub(clock.monotonic());
                tokio::select! {
                    biased;
                    report = reports.recv() => report,
                    () = tokio::time::sleep(wait) => None,
                }
            }
            Self::Virtual(time) => time.next(until).await,
        }
    }

    /// Another report, if one is there already.
    pub(super) fn ready(&mut self) -> Option<R> {
        match self {
            Self::Live { reports, .. } => reports.try_recv().ok(),
            Self::Virtual(time) if time.work.is_empty() => time.due_by(time.clock.monotonic()),
            Self::Virtual(_) => None,
        }
    }
}

impl<R> Virtual<R> {
    fn report(&mut self, after: Duration, report: R) {
        self.order += 1;
        let at = self.clock.monotonic() + after;
        self.due.push(Reverse((at, self.order)));
        self.reports.insert(self.order, report);
    }

    async fn next(&mut self, until: Duration) -> Option<R> {
        // A signal is heard between two pieces of work, however many there are.
        tokio::task::yield_now().await;
        // A caller that drops this future half-way loses nothing: work leaves the queue when it is done.
        while let Some((kind, work)) = self.work.front_mut() {
            let (kind, report) = (*kind, work.as_mut().await);
            self.work.pop_front();
            self.report(kind.takes(), report);
        }
        let report = self.due_by(until);
        if report.is_none() {
            self.clock.advance_to(until);
        }
        report
    }

    /// The first report that is due by then, at its time.
    fn due_by(&mut self, until: Duration) -> Option<R> {
        let Reverse((at, order)) = self
            .due
            .peek()
            .copied()
            .filter(|Reverse((at, _))| *at <= until)?;
        self.due.pop();
        self.clock.advance_to(at);
        self.reports.remove(&order)
    }
}
