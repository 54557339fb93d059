//! What a run comes to, as far as that can be said beforehand: attempts, money and time, in the mean and
//! at worst.

use std::time::Duration;

use jiff::Timestamp;
use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive as _;

use super::Plan;
use super::eligible::Eligible;
use super::rates;
use crate::campaign::Campaign;
use crate::domain::forecast::{Ends, Forecast};
use crate::domain::{Ahead, CallLength, Flow, Leg, Money, Outlook, Purse, Spend, Tried};

/// Seconds until somebody answers, about.
const RINGING_S: f64 = 15.0;
/// Seconds of talk where no text tells, about.
const TALKING_S: u32 = 30;

/// Started minutes of one call.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Minutes {
    /// If somebody answers and hears the text once.
    pub(crate) expected: u64,
    /// If it lasts as long as it can; none where nothing says how long that is.
    pub(crate) worst: Option<u64>,
}

impl Minutes {
    pub(crate) fn of(length: CallLength, spend: Option<&Spend>) -> Self {
        let longest_s = match spend {
            Some(spend) => spend.held_s(length),
            None => length.worst_s(),
        };
        let started = |seconds: u32| u64::from(seconds.div_ceil(60).max(1));
        Self {
            expected: started(talk_s(length)),
            worst: longest_s.map(started),
        }
    }
}

/// Seconds that somebody who answers listens.
fn talk_s(length: CallLength) -> u32 {
    let talk = length.speech_s().unwrap_or(TALKING_S);
    length.longest_s.map_or(talk, |longest| talk.min(longest))
}

/// What is to be spoken, and what it costs at the campaign's own rates.
#[derive(Debug)]
pub(crate) struct Work {
    spend: Option<Spend>,
    calls: u64,
    talk_s: u64,
    /// Of everybody once: in the mean if all answer, and at worst.
    stated: (Decimal, Decimal),
    /// Recipients of whom the campaign's rates say nothing.
    unstated: u64,
}

impl Work {
    pub(crate) fn new(spend: Option<&Spend>) -> Self {
        Self {
            spend: spend.filter(|spend| spend.rates.is_some()).cloned(),
            calls: 0,
            talk_s: 0,
            stated: Default::default(),
            unstated: 0,
        }
    }

    pub(crate) fn add(
        &mut self,
        endpoint: &str,
        (length, legs): (CallLength, &[Leg]),
        minutes: Minutes,
    ) {
        self.calls += 1;
        self.talk_s += u64::from(talk_s(length));
        let Some(spend) = &self.spend else { return };
        let beside = rates::dearest(spend, legs);
        match (rates::rate(spend, endpoint), minutes.worst, beside) {
            (Some(rate), Some(worst), Ok(beside)) => {
                self.stated.0 += rate * Decimal::from(minutes.expected);
                self.stated.1 += rate * Decimal::from(worst) + beside;
            }
            _ => self.unstated += 1,
        }
    }

    /// Mean seconds of talk.
    fn talking_s(&self) -> f64 {
        if self.calls == 0 {
            return f64::from(TALKING_S);
        }
        float(self.talk_s) / float(self.calls)
    }
}

/// What everybody's calls cost.
#[derive(Debug)]
pub(crate) struct Costs {
    /// In the mean.
    pub(crate) expected: Purse,
    /// At most; none where nothing says how long a call can be.
    pub(crate) worst: Option<Purse>,
    /// Recipients whose price is not known; they are in no sum.
    pub(crate) unknown: u64,
}

impl Plan {
    /// What becomes of one recipient.
    pub(crate) fn forecast(&self) -> Forecast {
        Forecast::of(&self.campaign.retry, Ends::default())
    }

    /// Attempts in the mean and at most, faults of the platform apart.
    pub(crate) fn attempts(&self) -> (u64, u64) {
        let forecast = self.forecast();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a small count, rounded"
        )]
        let expected = (float(self.list.valid) * forecast.attempts).round() as u64;
        let most = self.list.valid * u64::from(forecast.attempts_most);
        (expected, most)
    }

    /// What they cost; none where no price is known.
    pub(crate) fn costs(&self) -> Option<Costs> {
        let forecast = self.forecast();
        let answered = Decimal::from_f64(forecast.answered).unwrap_or_default();
        let most = Decimal::from(forecast.attempts_most);
        let (once, worst, unknown) = match (&self.work.spend, &self.prices) {
            (Some(spend), _) => {
                let purse = |amount: Decimal| {
                    let mut purse = Purse::default();
                    purse.add(&Money {
                        amount,
                        currency: Some(spend.currency.clone()),
                    });
                    purse
                };
                let (once, worst) = self.work.stated;
                (purse(once), Some(purse(worst)), self.work.unstated)
            }
            (None, Some(prices)) => {
                let (once, worst, unknown) = prices.sums();
                // Whoever is called by a name has no price.
                let named = self.list.valid.saturating_sub(prices.numbers());
                (once, worst, unknown + named)
            }
            (None, None) => return None,
        };
        if once.is_empty() {
            return None;
        }
        Some(Costs {
            expected: once.times(answered).rounded(),
            worst: worst.map(|worst| worst.times(most)),
            unknown,
        })
    }

    /// A figure that a condition names; none where it is not known.
    pub(crate) fn figure(&self, name: &str) -> Option<Decimal> {
        let list = &self.list;
        let window = self.eligible.as_ref();
        let money = |purse: &Purse| {
            let mut sums = purse.sums();
            match (sums.next(), sums.next()) {
                (Some((_, sum)), None) => sum,
                _ => None,
            }
        };
        let costs = || self.costs().filter(|costs| costs.unknown == 0);
        Some(match name {
            "rows" => list.rows.into(),
            "invalid" => list.invalid.into(),
            "duplicates" => list.duplicates.into(),
            "suppressed" => list.suppressed.into(),
            "eligible" => list.valid.into(),
            "eligible_now" => window.map_or(list.valid, |w| w.now).into(),
            "eligible_later" => window.map_or(0, |w| w.later).into(),
            "held" => window.map_or(0, |w| w.held).into(),
            "unknown_numbers" => list.unknown_numbers.into(),
            "warnings" => self.warnings().len().into(),
            "attempts_expected" => self.attempts().0.into(),
            "attempts_worst" => self.attempts().1.into(),
            "money_expected" => money(&costs()?.expected)?,
            "money_worst" => money(&costs()?.worst?)?,
            "hours" => {
                let latest = self.span.as_ref()?.latest?;
                Decimal::from(latest.as_secs()) / Decimal::from(3600)
            }
            _ => return None,
        })
    }
}

/// How long a run takes, from its start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    /// When it starts.
    pub(crate) from: Timestamp,
    /// Dialling alone, everybody once.
    pub(crate) dialling: Duration,
    /// If everybody answers at once; none where windows let nobody be called.
    pub(crate) soonest: Option<Duration>,
    /// As calls usually end; none where no end is in sight.
    pub(crate) expected: Option<Duration>,
    /// If everybody is called as often as the campaign says.
    pub(crate) latest: Option<Duration>,
    /// What decides how fast.
    pub(crate) bottleneck: &'static str,
}

impl Span {
    pub(crate) fn of(
        campaign: &Campaign,
        calls: u64,
        work: &Work,
        eligible: Option<&mut Eligible>,
        now: Timestamp,
    ) -> Option<Self> {
        let rate = campaign.pacing.calls_per_second?;
        let forecast = Forecast::of(&campaign.retry, Ends::default());
        let most = calls * u64::from(forecast.attempts_most);
        let each_s = RINGING_S + work.talking_s();
        let by_cap = |calls: u64| {
            campaign.pacing.concurrent_calls.map_or(0.0, |cap| {
                // Only those beyond the cap wait for a place.
                let cap = f64::from(cap);
                (float(calls) - cap).max(0.0) * each_s / cap
            })
        };
        let by_rate = |calls: u64| float(calls) / rate;
        let seconds = |calls: u64| {
            let s = by_rate(calls).max(by_cap(calls));
            Duration::try_from_secs_f64(s).unwrap_or(Duration::MAX)
        };
        let bottleneck = if by_cap(calls) > by_rate(calls) {
            "concurrent_calls"
        } else {
            "calls_per_second"
        };
        let from = campaign
            .schedule
            .as_ref()
            .map_or(now, |schedule| schedule.start.timestamp().max(now));
        let since = |at: Timestamp| Duration::try_from(at.duration_since(from)).ok();
        let flow = flow(rate, each_s, campaign.pacing.concurrent_calls);
        let ahead = eligible.as_ref().map_or_else(
            || {
                let everybody = Ahead {
                    zones: None,
                    tried: Tried::default(),
                    due: from,
                    people: calls,
                };
                vec![everybody]
            },
            |eligible| eligible.ahead(from),
        );
        let (retry, window) = (campaign.retry.clone(), campaign.window.clone());
        let expected = Outlook::new(retry, window, from, ahead, (from, flow)).done_at(from, flow);
        let waits = forecast.longest_wait.mul_f64(1.0 + campaign.retry.jitter);
        let (soonest, latest) = match eligible {
            None => (
                Some(seconds(calls)),
                Some(seconds(most).saturating_add(waits)),
            ),
            Some(windows) => {
                let soonest = windows.done_by(from, seconds(calls));
                let latest = windows
                    .done_by(from, seconds(most))
                    .and_then(|at| at.checked_add(waits).ok())
                    .and_then(|at| windows.done_by(at, Duration::ZERO));
                (soonest.and_then(since), latest.and_then(since))
            }
        };
        Some(Self {
            from,
            dialling: seconds(calls),
            soonest,
            expected: expected.and_then(since),
            latest,
            bottleneck,
        })
    }
}

/// How calls go that take so long, at a campaign's rate and within its cap of calls at a time.
fn flow(rate: f64, each_s: f64, concurrent: Option<u32>) -> Flow {
    let capped = concurrent.map_or(f64::INFINITY, |cap| f64::from(cap) / each_s);
    Flow {
        rate: rate.min(capped),
        call: Duration::try_from_secs_f64(each_s).unwrap_or(Duration::MAX),
        ends: Ends::default(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn float(n: u64) -> f64 {
    n as f64
}
