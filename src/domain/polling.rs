//! Polling: when to ask how a call ended.
//!
//! The platform does not say how long a call will last, so we learn it. A few calls are scouts:
//! polled at once, then after 50 ms, doubling, so that their ends are known closely. From the
//! scouts comes a distribution of lifetimes; every other call is polled when, given its age, the
//! chance that it has ended since is [`CHANCE`]. That costs some two and a half GETs a call. A platform that
//! ends calls at once is polled at once.

use std::time::Duration;

/// Chance that a poll finds the call ended: lower asks more often, higher later.
const CHANCE: f64 = 0.42;
/// The first so many calls are scouts.
const SCOUTS_FIRST: u64 = 16;
/// Afterwards one call in so many is a scout.
const SCOUT_EVERY: u64 = 80;
/// One call in so many while polls find more calls ended than they should: lifetimes have changed.
const SCOUT_EVERY_SURPRISED: u64 = 10;
/// Polls of which more than this share find the call ended are a surprise.
const SURPRISE: f64 = 0.75;
/// One scout in so many asks from the very beginning, in case calls have become much shorter.
const SCOUT_FROM_ZERO_EVERY: u64 = 4;
/// So many ends must be known before others follow what was learnt.
const KNOWN_AT_LEAST: f64 = 4.0;
/// A scout's first wait that is not zero.
const SCOUT_FIRST: Duration = Duration::from_millis(50);
/// Scouts double their age up to here; beyond, they grow by a quarter, or ends would be known too
/// loosely.
const SCOUT_DOUBLES_BELOW: Duration = Duration::from_secs(2);
/// While little is known, the others are polled at this age, and then as their age grows.
const BLIND: Duration = Duration::from_secs(20);
const BLIND_GROWTH: f64 = 1.7;
/// Two polls of one call are never closer than this.
const APART: Duration = Duration::from_millis(500);
/// Buckets of the histogram: each is 4 % wider than the one before, from 10 ms to some 7 hours.
const BUCKETS: usize = 380;
const FIRST_EDGE_S: f64 = 0.010;
const GROWTH: f64 = 1.04;
/// The histogram forgets: weights are halved whenever their sum reaches this.
const WEIGHT_MAX: f64 = 200.0;

/// What is known of how long calls last.
#[derive(Debug)]
pub struct Lifetimes {
    weights: Vec<f64>,
    total: f64,
    calls: u64,
    scouts: u64,
    /// Scouts whose calls go on, and how many of them are of the first ones.
    scouting: (f64, u64),
    /// Share of the latest first polls that found the call ended.
    found: f64,
}

/// How one call is polled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PollState {
    /// Whether this call is polled often, to learn from it.
    pub scout: bool,
    /// Whether a scout asks from the very beginning.
    pub from_zero: bool,
    /// Whether it is one of the first calls.
    pub first: bool,
    /// The call's age when it was last seen going on, if it was polled at all.
    pub seen_at: Option<Duration>,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            weights: vec![0.0; BUCKETS],
            total: 0.0,
            calls: 0,
            scouts: 0,
            scouting: (0.0, 0),
            found: CHANCE,
        }
    }
}

impl Lifetimes {
    /// Takes a new call in, and decides whether it is a scout.
    pub fn begin(&mut self) -> PollState {
        self.calls += 1;
        let every = if self.found > SURPRISE {
            SCOUT_EVERY_SURPRISED
        } else {
            SCOUT_EVERY
        };
        let scout = self.calls <= SCOUTS_FIRST || self.calls.is_multiple_of(every);
        let first = self.calls <= SCOUTS_FIRST;
        if scout {
            self.scouts += 1;
            self.scouting.0 += 1.0;
            self.scouting.1 += u64::from(first);
        }
        let from_zero = scout && self.scouts.is_multiple_of(SCOUT_FROM_ZERO_EVERY);
        PollState {
            scout,
            from_zero,
            first,
            seen_at: None,
        }
    }

    /// Whether enough ends are known for the others to follow.
    pub fn known(&self) -> bool {
        self.total >= KNOWN_AT_LEAST
    }

    /// How much is known: more after enough ends are known, and more again once the last of the first
    /// scouts has ended. Polls that were planned with less are worth planning anew.
    pub fn certainty(&self) -> u8 {
        u8::from(self.known()) + u8::from(self.known() && self.scouting.1 == 0)
    }

    /// The age at which a call of this age should be polled next.
    pub fn next_poll(&self, poll: PollState, age: Duration) -> Duration {
        if poll.scout {
            return self.scouts_next(poll, age);
        }
        if !self.known() {
            return if age < BLIND { BLIND } else { age + age / 2 };
        }
        match self.quantile_after(age, CHANCE) {
            Some(due) if poll.seen_at.is_none() => due,
            Some(due) => due.max(age + APART),
            // Older than all that was learnt: while that is little, wait longer.
            None if self.tail() > 0.0 => BLIND.max(age.mul_f64(BLIND_GROWTH)),
            None => age + (age / 8).max(APART),
        }
    }

    /// Notes that a call was polled and still goes on.
    pub fn goes_on(&mut self, poll: &mut PollState, age: Duration) {
        self.note_first_poll(*poll, false);
        poll.seen_at = Some(age);
    }

    /// Learns that a call ended between the age at which it was last seen going on and `found`.
    /// Only scouts teach: the others are polled where much is expected, and would confirm it.
    pub fn ended(&mut self, poll: PollState, found: Duration) {
        self.note_first_poll(poll, true);
        if poll.scout {
            self.scouting.0 -= 1.0;
            self.scouting.1 -= u64::from(poll.first);
        }
        let seen_at = poll.seen_at.unwrap_or_default();
        if !poll.scout {
            return;
        }
        let middle = (seen_at + found) / 2;
        // Found at the very first poll: for all we know it had ended at once.
        let lifetime = if poll.seen_at.is_none() {
            found / 4
        } else {
            middle
        };
        self.weights[bucket_of(lifetime)] += 1.0;
        self.total += 1.0;
        if self.total >= WEIGHT_MAX {
            self.weights.iter_mut().for_each(|w| *w /= 2.0);
            self.total /= 2.0;
        }
    }

    fn note_first_poll(&mut self, poll: PollState, ended: bool) {
        if !poll.scout && poll.seen_at.is_none() {
            self.found += (f64::from(u8::from(ended)) - self.found) * 0.02;
        }
    }

    fn scouts_next(&self, poll: PollState, age: Duration) -> Duration {
        if poll.seen_at.is_none() {
            // Once something is known a scout need not ask before the first calls end.
            let earliest = if self.known() && !poll.from_zero {
                self.quantile_after(age, 0.02)
            } else {
                None
            };
            return earliest.map_or(Duration::ZERO, |first| first.mul_f64(0.8));
        }
        if age < SCOUT_DOUBLES_BELOW {
            (age * 2).max(SCOUT_FIRST)
        } else {
            age + age / 4
        }
    }

    /// Calls that are known to live longer than any that ended. While the first scouts' calls go on,
    /// only the shortest have ended, and the others must not be taken for as short.
    fn tail(&self) -> f64 {
        if self.scouting.1 > 0 {
            self.scouting.0
        } else {
            0.0
        }
    }

    /// The age by which `chance` of the calls that live beyond `age` have ended.
    fn quantile_after(&self, age: Duration, chance: f64) -> Option<Duration> {
        let from = if age.is_zero() { 0 } else { bucket_of(age) + 1 };
        let beyond: f64 = self.weights[from..].iter().sum::<f64>() + self.tail();
        if beyond < 0.5 {
            return None;
        }
        let mut seen = 0.0;
        for (i, weight) in self.weights.iter().enumerate().skip(from) {
            seen += weight;
            if seen >= beyond * chance {
                return Some(upper_edge(i));
            }
        }
        None
    }
}

/// The bucket of a lifetime; the first holds everything that ended at once.
fn bucket_of(lifetime: Duration) -> usize {
    let s = lifetime.as_secs_f64();
    if s < FIRST_EDGE_S {
        return 0;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a small count"
    )]
    let above = ((s / FIRST_EDGE_S).ln() / GROWTH.ln()) as usize;
    (above + 1).min(BUCKETS - 1)
}

/// The longest lifetime of a bucket. The first bucket's is zero: what ends at once is polled at once.
fn upper_edge(bucket: usize) -> Duration {
    if bucket == 0 {
        return Duration::ZERO;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        reason = "below 380"
    )]
    let edge = FIRST_EDGE_S * GROWTH.powi(bucket as i32);
    Duration::from_secs_f64(edge)
}

#[cfg(test)]
#[expect(clippy::cast_precision_loss, reason = "small counts in a test")]
mod tests {
    use super::*;

    /// Polls calls of the given lifetimes, a rate of them a second, and counts GETs and lag.
    fn simulate(lifetimes: &[Duration], every: Duration) -> (f64, f64) {
        let mut learnt = Lifetimes::default();
        let mut heap = std::collections::BinaryHeap::new();
        let (mut gets, mut lag) = (0_u32, Duration::ZERO);
        let mut calls: Vec<(PollState, Duration)> = Vec::new();
        for i in 0..lifetimes.len() {
            heap.push((
                std::cmp::Reverse(every * u32::try_from(i).unwrap()),
                i,
                true,
            ));
        }
        while let Some((std::cmp::Reverse(at), i, new)) = heap.pop() {
            let born = every * u32::try_from(i).unwrap();
            let age = at.checked_sub(born).unwrap();
            if new {
                calls.push((learnt.begin(), Duration::ZERO));
            } else {
                gets += 1;
                if age >= lifetimes[i] {
                    learnt.ended(calls[i].0, age);
                    lag += age.checked_sub(lifetimes[i]).unwrap();
                    continue;
                }
                learnt.goes_on(&mut calls[i].0, age);
            }
            let next = learnt.next_poll(calls[i].0, age).max(age);
            heap.push((std::cmp::Reverse(born + next), i, false));
        }
        let n = lifetimes.len() as f64;
        (f64::from(gets) / n, lag.as_secs_f64() / n)
    }

    #[test]
    fn calls_of_ten_to_sixty_seconds_cost_under_three_gets_and_ten_seconds_of_lag() {
        for (calls, a_second) in [(5_000_u64, 50), (1_500, 25), (1_000, 100), (20_000, 100)] {
            let lifetimes: Vec<_> = (0..calls)
                .map(|i| Duration::from_millis(10_000 + i * 7_919 % 50_000))
                .collect();
            let (gets, lag) = simulate(&lifetimes, Duration::from_secs(1) / a_second);
            assert!(
                gets <= 3.0 && lag <= 10.0,
                "{calls} at {a_second}/s: {gets} GETs, {lag} s"
            );
        }
    }

    #[test]
    fn a_platform_that_ends_calls_at_once_is_polled_at_once() {
        let (gets, lag) = simulate(&vec![Duration::ZERO; 2_000], Duration::from_millis(1));
        assert!(gets <= 1.01 && lag <= 0.001, "{gets} GETs, {lag} s");
    }

    #[test]
    fn when_calls_become_shorter_the_polls_follow() {
        let mut lifetimes = vec![Duration::from_secs(40); 1_000];
        lifetimes.extend(vec![Duration::from_secs(2); 4_000]);
        let (gets, lag) = simulate(&lifetimes, Duration::from_millis(50));
        assert!(gets <= 3.0 && lag <= 20.0, "{gets} GETs, {lag} s");
    }
}
