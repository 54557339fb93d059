//! How many requests of a kind may be in flight.
//!
//! As many as rate and latency ask for, between two limits. A request that hangs does not count
//! against the lower one: the others must not wait for it.

use std::collections::VecDeque;
use std::time::Duration;

use crate::domain::AttemptKey;

/// Requests in flight, at least and at most.
const AT_LEAST: usize = 64;
const AT_MOST: usize = 1024;
/// No process answers more a second: a rate without limit asks for no more requests than this one.
const RATE_MOST: f64 = 10_000.0;
/// Requests in flight for each that rate and the lowest latency ask for.
const HEADROOM: f64 = 2.0;
/// A request that takes longer than this hangs.
const HANGS: Duration = Duration::from_secs(1);

/// The requests of one kind.
#[derive(Debug, Default)]
pub(super) struct Slots {
    in_flight: usize,
    /// Those of them that hang.
    hanging: usize,
    /// The lowest latency seen, in seconds. It is that of the network and an idle platform; a mean
    /// would grow with the requests in flight, and they with it.
    best_s: Option<f64>,
    /// When each left, in order; those that are answered meanwhile are skipped.
    left: VecDeque<(Duration, AttemptKey)>,
}

impl Slots {
    /// Requests in flight.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Whether there is room for one more, at a rate a second.
    pub(super) fn free(&self, rate: f64) -> bool {
        let wanted = rate.min(RATE_MOST) * self.best_s.unwrap_or(0.0) * HEADROOM;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped"
        )]
        let wanted = wanted.clamp(0.0, 1e6) as usize;
        let allowed = (wanted.clamp(AT_LEAST, AT_MOST) + self.hanging).min(AT_MOST);
        self.in_flight < allowed
    }

    /// Notes a request that leaves.
    pub(super) fn leave(&mut self, now: Duration, key: AttemptKey) {
        self.in_flight += 1;
        self.left.push_back((now, key));
    }

    /// Notes an answer to a request that left at `left`.
    pub(super) fn answered(&mut self, left: Duration, hung: bool, now: Duration) {
        let latency = now.saturating_sub(left).as_secs_f64();
        self.best_s = Some(self.best_s.map_or(latency, |best| best.min(latency)));
        self.in_flight -= 1;
        self.hanging -= usize::from(hung);
    }

    /// Notes that a request was not made after all.
    pub(super) fn stayed(&mut self, hung: bool) {
        self.in_flight -= 1;
        self.hanging -= usize::from(hung);
    }

    /// Notices requests that have come to hang; `mark` tells whether one is still in flight, and
    /// remembers that it hangs.
    pub(super) fn notice(
        &mut self,
        now: Duration,
        mut mark: impl FnMut(AttemptKey, Duration) -> bool,
    ) {
        while let Some((left, key)) = self.left.front().copied() {
            if left + HANGS > now {
                break;
            }
            self.left.pop_front();
            self.hanging += usize::from(mark(key, left));
        }
    }
}
