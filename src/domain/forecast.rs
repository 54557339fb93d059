//! What a retry policy makes of one recipient, before anybody is called: attempts, answers and waits, in
//! the mean and at worst.

use std::collections::HashMap;
use std::time::Duration;

use super::retry::{Next, RetryPolicy, Tried, is_fault};
use super::{Answered, Outcome};

/// Of the calls that are answered, those that a machine answers, where that matters.
pub const MACHINES_USUAL: f64 = 0.2;
/// Of the calls that are answered, those in which nothing is pressed that is offered, where that matters.
pub const SILENCE_USUAL: f64 = 0.15;

/// How calls end, as shares of all calls. What a list's people do is not known before they are called;
/// these are about what campaigns of reminders see, and what the simulator draws.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ends {
    /// Calls that a person or a machine answers.
    pub answered: f64,
    /// The line is busy.
    pub busy: f64,
    /// Calls that ring until the platform gives up.
    pub no_answer: f64,
    /// The call fails.
    pub failed: f64,
    /// The platform or the network fails, which uses up no attempt. Nobody supposes that beforehand.
    pub fault: f64,
}

impl Default for Ends {
    fn default() -> Self {
        Self {
            answered: 0.70,
            busy: 0.12,
            no_answer: 0.14,
            failed: 0.04,
            fault: 0.0,
        }
    }
}

impl Ends {
    /// What follows, for somebody who was tried so, on each of the ends after which they may be called again,
    /// with its share of all calls. Half of the jitter's range is none of it.
    pub fn follows(self, policy: &RetryPolicy, tried: Tried) -> [(Next, f64); 6] {
        let ended = |result: &str, reason: &str| {
            let outcome = Outcome {
                result: Some(result.into()),
                reason: Some(reason.into()),
                ..Outcome::default()
            };
            policy.after(&outcome, tried, 0.5)
        };
        let answered = |worth| policy.after_answer(worth, tried, 0.5);
        [
            (ended("FAILED", "CONGESTION"), self.fault),
            (ended("BUSY", "N/A"), self.busy),
            (ended("NOANSWER", "TIMEOUT"), self.no_answer),
            (ended("FAILED", "GENERALERROR"), self.failed),
            (answered(Answered::Machine), self.answered * MACHINES_USUAL),
            (
                answered(Answered::NoResponse),
                self.answered * SILENCE_USUAL,
            ),
        ]
    }
}

/// So many calls count for what is usual, until more were made.
const USUAL: f64 = 100.0;

/// How calls ended that were made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EndCounts {
    /// Somebody answered.
    pub answered: u64,
    /// The line was busy.
    pub busy: u64,
    /// Nobody answered.
    pub no_answer: u64,
    /// The platform or the network failed.
    pub fault: u64,
    /// Anything else, or nobody told.
    pub other: u64,
}

impl EndCounts {
    /// All of them.
    pub fn calls(&self) -> u64 {
        self.answered + self.busy + self.no_answer + self.fault + self.other
    }

    /// Counts so many calls that ended with a result and a reason.
    pub fn add(&mut self, result: Option<&str>, reason: Option<&str>, calls: u64) {
        let is = |word: &str| result.is_some_and(|result| result.eq_ignore_ascii_case(word));
        let count = if is("ANSWERED") {
            &mut self.answered
        } else if is("BUSY") {
            &mut self.busy
        } else if is("NOANSWER") {
            &mut self.no_answer
        } else if reason.is_some_and(is_fault) {
            &mut self.fault
        } else {
            &mut self.other
        };
        *count = count.saturating_add(calls);
    }

    /// How calls end by these and, while they are few, by what is usual.
    pub fn shares(self) -> Ends {
        let counts = [
            self.answered,
            self.busy,
            self.no_answer,
            self.other,
            self.fault,
        ]
        .map(float);
        let usual = Ends::default();
        let all = counts.iter().sum::<f64>() + USUAL;
        let share = |count: f64, usual: f64| (count + usual * USUAL) / all;
        Ends {
            answered: share(counts[0], usual.answered),
            busy: share(counts[1], usual.busy),
            no_answer: share(counts[2], usual.no_answer),
            failed: share(counts[3], usual.failed),
            fault: share(counts[4], usual.fault),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn float(n: u64) -> f64 {
    n as f64
}

/// What becomes of one recipient.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Forecast {
    /// Attempts in the mean.
    pub attempts: f64,
    /// Attempts at most, faults of the platform apart.
    pub attempts_most: u32,
    /// Answered calls in the mean, which is the chance to reach somebody.
    pub answered: f64,
    /// The longest time between the first attempt's end and the last attempt, waits as the campaign
    /// has them; jitter and windows come on top.
    pub longest_wait: Duration,
}

impl Forecast {
    /// By a policy, where calls end so.
    pub fn of(policy: &RetryPolicy, ends: Ends) -> Self {
        let mut known = HashMap::new();
        from(policy, ends, Tried::default(), &mut known)
    }
}

/// From a recipient who was tried so on. What follows depends on nothing else, so each is worked out
/// once.
fn from(
    policy: &RetryPolicy,
    ends: Ends,
    tried: Tried,
    known: &mut HashMap<Tried, Forecast>,
) -> Forecast {
    if let Some(known) = known.get(&tried) {
        return *known;
    }
    let mut forecast = Forecast {
        attempts: 1.0,
        attempts_most: 1,
        answered: ends.answered,
        longest_wait: Duration::ZERO,
    };
    for (next, share) in ends.follows(policy, tried) {
        // A fault of the platform uses nothing up, so it would go round and round.
        if let Next::Again {
            wait,
            tried,
            fault: false,
        } = next
        {
            let next = from(policy, ends, tried, known);
            forecast.attempts += share * next.attempts;
            forecast.answered += share * next.answered;
            forecast.attempts_most = forecast.attempts_most.max(1 + next.attempts_most);
            forecast.longest_wait = forecast.longest_wait.max(wait + next.longest_wait);
        }
    }
    known.insert(tried, forecast);
    forecast
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::retry::Waits;

    #[test]
    fn what_is_usual_counts_until_more_calls_were_made() {
        let mut counts = EndCounts::default();
        assert_eq!(counts.shares(), Ends::default());
        for (result, calls) in [("busy", 400), ("ANSWERED", 400), ("N/A", 99)] {
            counts.add(Some(result), None, calls);
        }
        counts.add(None, None, 1);
        let ends = counts.shares();
        assert!((ends.busy - 412.0 / 1000.0).abs() < 1e-9, "{ends:?}");
        assert!((ends.answered - 470.0 / 1000.0).abs() < 1e-9, "{ends:?}");
        let sum = ends.answered + ends.busy + ends.no_answer + ends.failed;
        assert!((sum - 1.0).abs() < 1e-9, "{ends:?}");
    }

    #[test]
    fn attempts_and_waits_follow_the_policy() {
        let once = Forecast::of(&RetryPolicy::default(), Ends::default());
        assert_eq!((once.attempts, once.attempts_most), (1.0, 1));
        let policy = RetryPolicy {
            max_attempts: 3,
            busy: Waits::After(vec![Duration::from_mins(10)]),
            no_answer: Waits::After(vec![Duration::from_hours(1), Duration::from_hours(4)]),
            ..RetryPolicy::default()
        };
        let forecast = Forecast::of(&policy, Ends::default());
        // 1 + 0.26 × (1 + 0.26)
        assert!((forecast.attempts - 1.3276).abs() < 1e-9, "{forecast:?}");
        assert_eq!(forecast.attempts_most, 3);
        assert_eq!(forecast.longest_wait, Duration::from_hours(5));
        assert!((forecast.answered - 0.7 * 1.3276).abs() < 1e-9);
    }

    #[test]
    fn whom_a_machine_answered_is_called_again_where_the_policy_says_so() {
        let waits = || Waits::After(vec![Duration::from_hours(2)]);
        let machines = RetryPolicy {
            max_attempts: 3,
            machine: waits(),
            ..RetryPolicy::default()
        };
        let forecast = Forecast::of(&machines, Ends::default());
        // 0.7 × 0.2 of all calls.
        let attempts = 1.0 + 0.14 * (1.0 + 0.14);
        assert!((forecast.attempts - attempts).abs() < 1e-9, "{forecast:?}");
        assert_eq!(forecast.attempts_most, 3);
        assert_eq!(forecast.longest_wait, Duration::from_hours(4));
        let silence = RetryPolicy {
            no_response: waits(),
            ..machines
        };
        let more = Forecast::of(&silence, Ends::default()).attempts;
        assert!(more > forecast.attempts, "{more}");
    }
}
