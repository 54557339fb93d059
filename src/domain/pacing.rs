//! Pacing: when the next callout may leave.
//!
//! Three layers, all told the time by the caller. A token bucket (governor) at 99.2 % of the rate
//! with a little catch-up keeps the mean; a guard over the sends of the last second keeps every
//! rolling second at or below the rate; and a 429 holds everything back, after which the rate is
//! lowered and grows again. The missing 0.8 % is what a send may be delayed on its way without two
//! seconds running into each other at the platform.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use governor::clock::Clock as GovernorClock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

/// The part of the rate that the token bucket releases.
const SHARE: f64 = 0.992;
/// How long a window the guard looks at: a second, and some of the jitter that `SHARE` pays for.
const GUARD: Duration = Duration::from_millis(1_006);
/// After a stall this much may be caught up at once, and two calls at least: with less, every late
/// timer would be lost for good.
const CATCH_UP_S: f64 = 0.05;
const CATCH_UP_AT_LEAST: u32 = 2;
/// How long nothing leaves after a 429 that names no time.
const HOLD_DEFAULT: Duration = Duration::from_secs(1);
/// The longest `Retry-After` that is obeyed as it stands.
pub const HOLD_MAX: Duration = Duration::from_hours(1);
/// What is left of the rate after a 429.
const CUT: f64 = 0.7;
/// The lowest the rate falls to, as a part of the campaign's.
const FLOOR: f64 = 0.1;
/// What a clean second gives back, as a part of the campaign's rate.
const REGAIN: f64 = 0.05;

/// governor's clock, set by hand from the time that the caller gives.
#[derive(Debug, Clone, Default)]
struct Hand(Arc<AtomicU64>);

impl Hand {
    fn set(&self, now: Duration) {
        self.0.store(
            u64::try_from(now.as_nanos()).unwrap_or(u64::MAX),
            Ordering::Relaxed,
        );
    }
}

impl GovernorClock for Hand {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }
}

type Bucket = RateLimiter<NotKeyed, InMemoryState, Hand, NoOpMiddleware<Duration>>;

/// Gives permits: leave to POST one callout now.
#[derive(Debug)]
pub struct Pacer {
    /// The campaign's rate, calls per second.
    ceiling: f64,
    /// The rate now, between a tenth of the ceiling and the ceiling.
    rate: f64,
    bucket: Bucket,
    hand: Hand,
    /// When the sends of the last [`GUARD`] left.
    recent: VecDeque<Duration>,
    hold_until: Duration,
    /// When the rate was last cut; a 429 to an older POST does not cut it again.
    cut_at: Option<Duration>,
    regain_at: Duration,
}

impl Pacer {
    /// A pacer for a campaign's rate. After a restart nothing leaves for a full second, because the
    /// last second of the process before is not known.
    pub fn new(calls_per_second: f64, now: Duration, restarted: bool) -> Self {
        let hold_until = if restarted { now + GUARD } else { now };
        let hand = Hand::default();
        hand.set(now);
        Self {
            ceiling: calls_per_second,
            rate: calls_per_second,
            bucket: bucket(calls_per_second, hand.clone()),
            hand,
            recent: VecDeque::new(),
            hold_until,
            cut_at: None,
            regain_at: Duration::ZERO,
        }
    }

    /// A permit, or when to ask again.
    pub fn permit(&mut self, now: Duration) -> Result<(), Duration> {
        if now < self.hold_until {
            return Err(self.hold_until);
        }
        self.regain(now);
        self.forget(now);
        if let Some(free_at) = self.guard_opens_at() {
            return Err(free_at);
        }
        self.hand.set(now);
        match self.bucket.check() {
            Ok(()) => {
                self.recent.push_back(now);
                Ok(())
            }
            Err(not_until) => Err(now + not_until.wait_time_from(now).max(Duration::from_nanos(1))),
        }
    }

    /// About when a callout could leave behind `ahead` others; a guess to prepare it in time.
    pub fn about_when(&self, now: Duration, ahead: usize) -> Duration {
        let interval = 1.0 / (self.rate * SHARE);
        let next = self
            .recent
            .back()
            .map_or(now, |last| *last + wait(interval, 1));
        next.max(self.hold_until).max(now) + wait(interval, ahead)
    }

    /// Obeys a 429 to a POST that left at `sent_at`. Refusals that arrive while nothing may leave,
    /// or that answer what left before the last cut, count once.
    pub fn refused(&mut self, now: Duration, sent_at: Duration, retry_after: Option<Duration>) {
        let hold = retry_after.unwrap_or(HOLD_DEFAULT).min(HOLD_MAX);
        let counted = now < self.hold_until || self.cut_at.is_some_and(|cut| sent_at <= cut);
        self.hold_until = self.hold_until.max(now + hold);
        if !counted {
            self.cut_at = Some(now);
            self.set_rate((self.rate * CUT).max(self.ceiling * FLOOR), self.hold_until);
        }
        self.regain_at = self.hold_until + Duration::from_secs(1);
    }

    /// Keeps everything back for a while without lowering the rate.
    pub fn hold(&mut self, until: Duration) {
        self.hold_until = self.hold_until.max(until);
    }

    /// Calls per second that leave at present, at most.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// The campaign's rate.
    pub fn ceiling(&self) -> f64 {
        self.ceiling
    }

    fn regain(&mut self, now: Duration) {
        if self.rate < self.ceiling && now >= self.regain_at {
            // One step for each clean second that has gone by.
            let clean = 1 + now.saturating_sub(self.regain_at).as_secs();
            #[expect(clippy::cast_precision_loss, reason = "a count of seconds")]
            let gained = self.ceiling * REGAIN * clean as f64;
            self.regain_at += Duration::from_secs(clean);
            self.set_rate((self.rate + gained).min(self.ceiling), now);
        }
    }

    fn set_rate(&mut self, rate: f64, now: Duration) {
        self.rate = rate;
        self.hand.set(now);
        self.bucket = bucket(rate, self.hand.clone());
    }

    fn forget(&mut self, now: Duration) {
        while self.recent.front().is_some_and(|sent| *sent + GUARD <= now) {
            self.recent.pop_front();
        }
    }

    /// When the guard lets the next one through, if it does not now. A rate that is no whole number
    /// is rounded up: no second can hold a part of a call.
    fn guard_opens_at(&self) -> Option<Duration> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "1 to 1e6"
        )]
        let most = self.rate.ceil() as usize;
        let over = (self.recent.len() + 1).checked_sub(most.max(1))?;
        (over > 0).then(|| self.recent[over - 1] + GUARD)
    }
}

fn wait(interval_s: f64, sends: usize) -> Duration {
    #[expect(clippy::cast_precision_loss, reason = "a guess")]
    let seconds = interval_s * sends as f64;
    Duration::from_secs_f64(seconds.min(1e6))
}

/// An empty bucket that fills at `rate`.
fn bucket(rate: f64, hand: Hand) -> Bucket {
    let period = Duration::from_secs_f64(1.0 / (rate * SHARE)).max(Duration::from_nanos(1));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0 to 20,000"
    )]
    let burst =
        NonZeroU32::MIN.saturating_add(((rate * CATCH_UP_S) as u32).max(CATCH_UP_AT_LEAST) - 1);
    let quota = Quota::with_period(period)
        .expect("a period of a nanosecond or more is not zero")
        .allow_burst(burst);
    let bucket = RateLimiter::direct_with_clock(quota, hand);
    // Full buckets would let a burst through at every start: this one keeps a single token.
    if let Some(surplus) = NonZeroU32::new(burst.get() - 1) {
        let emptied = bucket.check_n(surplus);
        debug_assert!(
            matches!(emptied, Ok(Ok(()))),
            "a fresh bucket holds its burst"
        );
    }
    bucket
}

#[cfg(test)]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "small counts in a test"
)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn most_in_any_second(sends: &[Duration]) -> usize {
        let second = Duration::from_secs(1);
        (0..sends.len())
            .map(|i| {
                sends[i..]
                    .iter()
                    .take_while(|s| **s < sends[i] + second)
                    .count()
            })
            .max()
            .unwrap_or(0)
    }

    /// Sends whenever the pacer lets it, waking late by what `late_us` draws.
    fn run(pacer: &mut Pacer, from: Duration, until: Duration, late_us: &[u64]) -> Vec<Duration> {
        let (mut now, mut sends, mut late) = (from, Vec::new(), late_us.iter().cycle());
        while now < until {
            match pacer.permit(now) {
                Ok(()) => sends.push(now),
                Err(at) => now = at.max(now) + Duration::from_micros(*late.next().unwrap()),
            }
        }
        sends
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_rolling_second_is_above_the_rate(
            rate in prop_oneof![Just(1.0), Just(5.0), Just(7.5), Just(100.0), 1.0..800.0_f64],
            late in proptest::collection::vec(0..40_000_u64, 1..50),
        ) {
            let mut pacer = Pacer::new(rate, Duration::ZERO, false);
            let sends = run(&mut pacer, Duration::ZERO, Duration::from_secs(6), &late);
            prop_assert!(most_in_any_second(&sends) <= rate.ceil() as usize);
        }

        #[test]
        fn the_mean_stays_at_99_percent_when_timers_are_a_few_milliseconds_late(
            rate in prop_oneof![Just(5.0), Just(100.0), Just(1000.0)],
            late in proptest::collection::vec(0..4_000_u64, 50),
        ) {
            let mut pacer = Pacer::new(rate, Duration::ZERO, false);
            let sends = run(&mut pacer, Duration::ZERO, Duration::from_secs(20), &late);
            let first_to_last = sends[sends.len() - 1].checked_sub(sends[0]).unwrap().as_secs_f64();
            prop_assert!((sends.len() - 1) as f64 / first_to_last >= rate * 0.99);
        }

        #[test]
        fn a_restart_never_doubles_a_second(stop_ms in 500..3_000_u64, gap_ms in 0..900_u64) {
            let (stop, gap) = (Duration::from_millis(stop_ms), Duration::from_millis(gap_ms));
            let mut sends = run(&mut Pacer::new(50.0, Duration::ZERO, false), Duration::ZERO, stop, &[0]);
            let again = stop + gap;
            let mut pacer = Pacer::new(50.0, again, true);
            sends.extend(run(&mut pacer, again, again + Duration::from_secs(3), &[0]));
            prop_assert!(most_in_any_second(&sends) <= 50);
        }
    }

    #[test]
    fn a_429_holds_everything_cuts_the_rate_once_and_grows_back() {
        let ms = Duration::from_millis;
        let mut pacer = Pacer::new(100.0, Duration::ZERO, false);
        pacer.refused(ms(500), ms(400), None);
        pacer.refused(ms(600), ms(450), None);
        assert!((pacer.rate() - 70.0).abs() < 1e-9);
        assert_eq!(pacer.permit(ms(1_599)), Err(ms(1_600)));
        assert_eq!(pacer.permit(ms(1_600)), Ok(()));
        assert!((pacer.rate() - 70.0).abs() < 1e-9);
        let sends = run(&mut pacer, ms(1_600), ms(9_000), &[0]);
        assert!(!sends.is_empty());
        assert!(
            (pacer.rate() - 100.0).abs() < 1e-9,
            "six clean seconds give 30 back"
        );
    }

    #[test]
    fn the_rate_never_falls_below_a_tenth() {
        let mut pacer = Pacer::new(100.0, Duration::ZERO, false);
        for second in 0..50 {
            let now = Duration::from_millis(second * 1_500);
            pacer.refused(now, now, Some(Duration::from_millis(100)));
        }
        assert!(pacer.rate() >= 10.0);
    }

    #[test]
    fn retry_after_is_obeyed() {
        let mut pacer = Pacer::new(100.0, Duration::ZERO, false);
        pacer.refused(
            Duration::ZERO,
            Duration::ZERO,
            Some(Duration::from_secs(30)),
        );
        assert_eq!(
            pacer.permit(Duration::from_secs(29)),
            Err(Duration::from_secs(30))
        );
    }
}
