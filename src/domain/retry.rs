//! Who is called again, and when: the rules of `[retry]`.
//!
//! Pure: what was tried comes in packed with the recipient, chance is a fraction that is handed in. An
//! attempt is used up by what became of the recipient (busy, no answer, a failure of theirs); faults
//! of the platform or of the account use none up, and have waits of their own.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Answered, Outcome};

/// Attempts that a recipient may use, at most.
pub const ATTEMPTS_MAX: u32 = 100;
/// The first wait after a fault of the platform; it doubles with each in a row.
const FAULT_FIRST: Duration = Duration::from_mins(1);
/// The longest wait after a fault of the platform.
const FAULT_MAX: Duration = Duration::from_hours(1);
/// So many faults of the platform on one recipient, and it is given up: it would go on for ever.
const FAULTS_MAX: u8 = 10;
/// Reasons of a failed call that are the platform's, the network's or the account's fault (`FACTS` §7).
/// `GENERALERROR` says nothing about whose it was, and counts.
const FAULTS: [&str; 4] = [
    "CONGESTION",
    "CLIENTNETWORK",
    "CALLBACKERROR",
    "NOCREDITPARTNER",
];

/// Whether a reason of a failed call is not the recipient's.
pub(super) fn is_fault(reason: &str) -> bool {
    FAULTS
        .iter()
        .any(|fault| reason.eq_ignore_ascii_case(fault))
}

/// How the calls on one recipient ended so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tried {
    /// Attempts used up.
    pub used: u8,
    /// Of those, calls that met a busy line.
    pub busy: u8,
    /// Of those, calls that nobody answered.
    pub no_answer: u8,
    /// Faults of the platform, which use nothing up.
    pub faults: u8,
    /// Of those used up, calls that a machine answered which does not count.
    pub machine: u8,
    /// Of those used up, answered calls in which nothing was pressed that is offered.
    pub no_response: u8,
}

impl Tried {
    /// One number, for a store.
    pub fn pack(self) -> i64 {
        let [used, busy, no_answer, faults] = [self.used, self.busy, self.no_answer, self.faults];
        // The first four bytes are what they were before anybody asked what was heard in a call.
        let bytes = [
            0,
            0,
            self.machine,
            self.no_response,
            used,
            busy,
            no_answer,
            faults,
        ];
        i64::from_be_bytes(bytes)
    }

    /// The number read back; none where it is not one that [`pack`](Self::pack) makes.
    pub fn unpack(packed: i64) -> Option<Self> {
        let bytes = packed.to_be_bytes();
        let [0, 0, machine, no_response, used, busy, no_answer, faults] = bytes else {
            return None;
        };
        Some(Self {
            used,
            busy,
            no_answer,
            faults,
            machine,
            no_response,
        })
    }

    fn failed(self) -> u8 {
        self.used
            .saturating_sub(self.busy)
            .saturating_sub(self.no_answer)
            .saturating_sub(self.machine)
            .saturating_sub(self.no_response)
    }
}

/// What may follow one kind of end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Waits {
    /// Nothing.
    #[default]
    Never,
    /// Another attempt after the first wait, the next after the second; the last stands for all
    /// that follow. Never empty.
    After(Vec<Duration>),
}

impl Waits {
    fn at_most(&self, most: Duration) -> Self {
        match self {
            Self::Never => Self::Never,
            Self::After(waits) => Self::After(waits.iter().map(|w| (*w).min(most)).collect()),
        }
    }

    /// The wait after the n-th of its kind, from 1.
    fn nth(&self, nth: u8) -> Option<Duration> {
        let Self::After(waits) = self else {
            return None;
        };
        let last = waits.len().checked_sub(1)?;
        waits.get(usize::from(nth.max(1) - 1).min(last)).copied()
    }
}

/// `[retry]` of a campaign. The default calls everybody once.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryPolicy {
    /// Attempts that a recipient may use, faults of the platform apart.
    pub max_attempts: u32,
    /// After a busy line.
    pub busy: Waits,
    /// After nobody answered.
    pub no_answer: Waits,
    /// After any other failure.
    pub failed: Waits,
    /// After an answering machine that does not count.
    pub machine: Waits,
    /// After an answered call in which nothing was pressed that is offered, where something is wanted.
    pub no_response: Waits,
    /// By the platform's reason, upper case; stands above the three.
    pub reasons: BTreeMap<String, Waits>,
    /// Waits are drawn this much shorter or longer, as a share of them: recipients who failed
    /// together should not be called together.
    pub jitter: f64,
    /// Calls on one number, whatever the campaign.
    pub per_number: Option<PerNumber>,
}

/// At most so many calls on one number within a time, across all runs of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PerNumber {
    /// The most calls that one number gets.
    pub calls: u32,
    /// Within how long.
    pub within: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 1,
            busy: Waits::Never,
            no_answer: Waits::Never,
            failed: Waits::Never,
            machine: Waits::Never,
            no_response: Waits::Never,
            reasons: BTreeMap::new(),
            jitter: 0.0,
            per_number: None,
        }
    }
}

/// What follows the end of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The recipient has their final verdict.
    Over,
    /// Another attempt after this long.
    Again {
        /// From the end of the call to the next attempt.
        wait: Duration,
        /// What was tried until then.
        tried: Tried,
        /// Whether it was the platform's fault.
        fault: bool,
    },
}

impl RetryPolicy {
    /// The same with no wait longer than this and no rest for numbers: for rehearsals, in which no phone
    /// rings and a person waits.
    #[must_use]
    pub fn hurried(&self, most: Duration) -> Self {
        let reasons = self.reasons.iter();
        Self {
            max_attempts: self.max_attempts,
            busy: self.busy.at_most(most),
            no_answer: self.no_answer.at_most(most),
            failed: self.failed.at_most(most),
            machine: self.machine.at_most(most),
            no_response: self.no_response.at_most(most),
            reasons: reasons
                .map(|(reason, w)| (reason.clone(), w.at_most(most)))
                .collect(),
            jitter: self.jitter,
            per_number: None,
        }
    }

    /// What follows a call that ended so. `fraction` is drawn from 0 to 1.
    pub fn after(&self, outcome: &Outcome, mut tried: Tried, fraction: f64) -> Next {
        let is = |word: &str, text: &Option<String>| {
            text.as_deref()
                .is_some_and(|t| t.eq_ignore_ascii_case(word))
        };
        if outcome.answered() || outcome.result.is_none() {
            // What nobody could tell may have rung; it is not repeated on a guess.
            return Next::Over;
        }
        let reason = outcome
            .reason
            .as_deref()
            .unwrap_or_default()
            .to_ascii_uppercase();
        let busy = is("BUSY", &outcome.result);
        let no_answer = is("NOANSWER", &outcome.result);
        let named = self.reasons.get(&reason);
        // Whoever was spoken to was called, whoseever fault it was that the call broke off.
        let talked = outcome.duration_s.is_some_and(|seconds| seconds > 0);
        let fault = !busy && !no_answer && !talked && named.is_none() && is_fault(&reason);
        if fault && self.max_attempts > 1 {
            tried.faults = tried.faults.saturating_add(1);
            if tried.faults > FAULTS_MAX {
                return Next::Over;
            }
            let doubled = FAULT_FIRST * 2_u32.pow(u32::from(tried.faults - 1));
            return Next::Again {
                wait: self.jittered(doubled.min(FAULT_MAX), fraction),
                tried,
                fault: true,
            };
        }
        tried.used = tried.used.saturating_add(1);
        let (waits, nth) = if busy {
            tried.busy = tried.busy.saturating_add(1);
            (&self.busy, tried.busy)
        } else if no_answer {
            tried.no_answer = tried.no_answer.saturating_add(1);
            (&self.no_answer, tried.no_answer)
        } else {
            (&self.failed, tried.failed())
        };
        let (waits, nth) = named.map_or((waits, nth), |waits| (waits, tried.used));
        self.again(waits.nth(nth), tried, fraction)
    }

    /// What follows a call that was answered and is worth so much. `fraction` is drawn from 0 to 1.
    pub fn after_answer(&self, worth: Answered, mut tried: Tried, fraction: f64) -> Next {
        let (waits, count) = match worth {
            Answered::Machine => (&self.machine, &mut tried.machine),
            Answered::NoResponse => (&self.no_response, &mut tried.no_response),
            Answered::Reached | Answered::OtherResponse | Answered::OptedOut => return Next::Over,
        };
        *count = count.saturating_add(1);
        let wait = waits.nth(*count);
        tried.used = tried.used.saturating_add(1);
        self.again(wait, tried, fraction)
    }

    /// Another attempt after this wait, where there is one and an attempt is left.
    fn again(&self, wait: Option<Duration>, tried: Tried, fraction: f64) -> Next {
        match wait {
            Some(wait) if u32::from(tried.used) < self.max_attempts => Next::Again {
                wait: self.jittered(wait, fraction),
                tried,
                fault: false,
            },
            _ => Next::Over,
        }
    }

    fn jittered(&self, wait: Duration, fraction: f64) -> Duration {
        let spread = self.jitter.clamp(0.0, 1.0) * (2.0 * fraction.clamp(0.0, 1.0) - 1.0);
        wait.mul_f64((1.0 + spread).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ended(result: &str, reason: &str) -> Outcome {
        Outcome {
            result: Some(result.into()),
            reason: Some(reason.into()),
            ..Outcome::default()
        }
    }

    fn minutes(minutes: &[u64]) -> Waits {
        Waits::After(minutes.iter().map(|m| Duration::from_mins(*m)).collect())
    }

    fn policy() -> RetryPolicy {
        RetryPolicy {
            max_attempts: 4,
            busy: minutes(&[10]),
            no_answer: minutes(&[60, 240]),
            reasons: BTreeMap::from([
                ("BLOCKED".to_owned(), Waits::Never),
                ("TIMEOUT".to_owned(), minutes(&[5])),
            ]),
            ..RetryPolicy::default()
        }
    }

    /// The waits in minutes that follow these ends, one after the other.
    fn story(policy: &RetryPolicy, ends: &[(&str, &str)]) -> Vec<Option<u64>> {
        let mut tried = Tried::default();
        ends.iter()
            .map(|(result, reason)| {
                let next = policy.after(&ended(result, reason), tried, 0.5);
                waits(next, &mut tried)
            })
            .collect()
    }

    /// The wait in minutes, where another attempt follows, with what was tried then as a store keeps it.
    fn waits(next: Next, tried: &mut Tried) -> Option<u64> {
        let Next::Again {
            wait, tried: now, ..
        } = next
        else {
            return None;
        };
        *tried = Tried::unpack(now.pack()).unwrap();
        Some(wait.as_secs() / 60)
    }

    #[test]
    fn each_kind_of_end_has_its_own_waits_and_the_last_stands_for_all_that_follow() {
        let (busy, silence) = (("BUSY", "N/A"), ("NOANSWER", "N/A"));
        assert_eq!(
            story(&policy(), &[silence, busy, silence, busy]),
            [Some(60), Some(10), Some(240), None]
        );
        assert_eq!(
            story(&policy(), &[busy, busy, busy, busy]),
            [Some(10), Some(10), Some(10), None]
        );
        assert_eq!(
            story(&policy(), &[("FAILED", "N/A")]),
            [None],
            "not asked for"
        );
        assert_eq!(story(&policy(), &[("ANSWERED", "CALLEEHANGUP")]), [None]);
        assert_eq!(
            story(&policy(), &[("BUSY", "BLOCKED")]),
            [None],
            "a reason stands above"
        );
        assert_eq!(story(&policy(), &[("noanswer", "timeout")]), [Some(5)]);
        assert_eq!(story(&RetryPolicy::default(), &[busy]), [None]);
    }

    #[test]
    fn machines_and_silence_have_waits_of_their_own_and_use_attempts_up() {
        let policy = RetryPolicy {
            machine: minutes(&[240, 300]),
            no_response: minutes(&[120]),
            ..policy()
        };
        let mut tried = Tried::default();
        let mut then = |worth| waits(policy.after_answer(worth, tried, 0.5), &mut tried);
        for over in [
            Answered::Reached,
            Answered::OtherResponse,
            Answered::OptedOut,
        ] {
            assert_eq!(then(over), None, "{over:?}");
        }
        let (machine, silence) = (Answered::Machine, Answered::NoResponse);
        let waits = [machine, silence, machine, silence].map(then);
        assert_eq!(waits, [Some(240), Some(120), Some(300), None]);
        let never = RetryPolicy::default();
        assert_eq!(
            never.after_answer(machine, Tried::default(), 0.5),
            Next::Over
        );
    }

    #[test]
    fn what_was_packed_before_machines_were_counted_reads_the_same() {
        let tried = Tried {
            used: 200,
            busy: 3,
            no_answer: 2,
            faults: 1,
            ..Tried::default()
        };
        assert_eq!(tried.pack(), i64::from(u32::from_be_bytes([200, 3, 2, 1])));
        assert_eq!(Tried::unpack(tried.pack()), Some(tried));
        assert_eq!((Tried::unpack(-1), Tried::unpack(1 << 48)), (None, None));
    }

    #[test]
    fn faults_of_the_platform_use_no_attempt_up_and_do_not_go_on_for_ever() {
        let fault = ("FAILED", "CONGESTION");
        let mut ends = vec![fault; 11];
        let waits = story(&policy(), &ends);
        assert_eq!(waits[..4], [Some(1), Some(2), Some(4), Some(8)]);
        assert_eq!(waits[9..], [Some(60), None]);
        ends.truncate(3);
        ends.extend([("BUSY", "N/A"); 4]);
        assert_eq!(
            story(&policy(), &ends)[3..],
            [Some(10), Some(10), Some(10), None]
        );
        let unknown = Outcome::unknown();
        assert_eq!(policy().after(&unknown, Tried::default(), 0.5), Next::Over);
    }

    proptest! {
        #[test]
        fn nobody_is_called_more_often_than_the_campaign_says(
            ends in proptest::collection::vec((0..4_usize, 0..5_usize), 1..60),
            max in 1..6_u32,
            jitter in 0.0..1.0_f64,
        ) {
            let results = ["BUSY", "NOANSWER", "FAILED", "SOMETHING"];
            let reasons = ["N/A", "CONGESTION", "TIMEOUT", "BLOCKED", "NEW"];
            let policy = RetryPolicy {
                max_attempts: max,
                failed: minutes(&[1, 2]),
                jitter,
                ..policy()
            };
            let (mut tried, mut calls, mut faults) = (Tried::default(), 0, 0);
            for (result, reason) in ends {
                calls += 1;
                match policy.after(&ended(results[result], reasons[reason]), tried, 0.9) {
                    Next::Over => break,
                    Next::Again { wait, tried: now, fault } => {
                        prop_assert!(wait <= Duration::from_hours(8));
                        faults += u32::from(fault);
                        tried = now;
                    }
                }
            }
            prop_assert!(calls <= max + faults, "{} calls, {} faults", calls, faults);
        }
    }
}
