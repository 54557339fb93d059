//! The only reader of time.
//!
//! `main` makes one [`Clock`] and hands it down; whoever decides takes the time as an argument, so
//! that a test owns it. Two times are told apart: the wall's, for records, windows and signatures,
//! and a monotonic one, for pacing, waits and ages.

use std::fmt::Debug;
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
    started: std::time::Instant,
}

impl SystemClock {
    /// A clock whose monotonic time begins now.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the clock"
    )]
    pub fn start() -> Self {
        Self {
            started: std::time::Instant::now(),
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
        self.started.elapsed()
    }
}
