//! The only reader of time.
//!
//! `main` makes one [`Clock`] and hands it down; whoever decides takes the time as an argument, so
//! that a test owns it. Two times are told apart: the wall's, for records, windows and signatures,
//! and a monotonic one, for pacing, waits and ages.

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

/// Where time comes from.
pub trait Clock: Debug + Send + Sync {
    /// The wall's time, which may jump.
    fn wall(&self) -> Timestamp;

    /// Time since some fixed moment, which never goes back.
    fn monotonic(&self) -> Duration;
}

/// The machine's own clock.
#[derive(Debug)]
pub struct SystemClock {
    started: Duration,
}

impl SystemClock {
    /// A clock whose monotonic time begins now.
    pub fn start() -> Self {
        Self {
            started: since_boot(),
        }
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the clock"
    )]
    fn wall(&self) -> Timestamp {
        Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        since_boot().saturating_sub(self.started)
    }
}

/// Time since the machine was started. What it slept through counts, so that waking up is no jump of the
/// wall's clock.
#[cfg(target_os = "linux")]
fn since_boot() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::try_from(time).unwrap_or_default()
}

/// Time since this was first asked, without what the machine slept through.
#[cfg(not(target_os = "linux"))]
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the clock"
)]
fn since_boot() -> Duration {
    static FIRST: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    FIRST.get_or_init(std::time::Instant::now).elapsed()
}

/// A clock that stands still until somebody moves it on: for rehearsals in virtual time.
#[derive(Debug)]
pub struct VirtualClock {
    began: Timestamp,
    gone_by_ns: AtomicU64,
}

impl VirtualClock {
    /// A clock that shows this moment.
    pub fn at(began: Timestamp) -> Self {
        Self {
            began,
            gone_by_ns: AtomicU64::new(0),
        }
    }

    /// Moves it on; it never goes back.
    pub fn advance_to(&self, monotonic: Duration) {
        let ns = u64::try_from(monotonic.as_nanos()).unwrap_or(u64::MAX);
        self.gone_by_ns.fetch_max(ns, Ordering::Relaxed);
    }
}

impl Clock for VirtualClock {
    fn wall(&self) -> Timestamp {
        let at = self.began.checked_add(self.monotonic());
        at.unwrap_or(Timestamp::MAX)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_nanos(self.gone_by_ns.load(Ordering::Relaxed))
    }
}
