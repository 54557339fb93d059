//! How a run stands and when it will be done, for whoever watches: what was so before, what the engine tells, and
//! the outlook that a plan would have from here on.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use super::progress::Progress;
use super::{Pace, Rules};
use crate::domain::forecast::EndCounts;
use crate::domain::{Ahead, Disposition, Flow, Outlook, Purse, Spend, Stage, Tally};

/// Seconds until somebody answers, about.
const RINGING: Duration = Duration::from_secs(15);
/// Seconds of talk until calls have told, and so many calls that they stand for.
const TALKING_S: u64 = 30;
const TALKING_CALLS: u64 = 20;
/// The campaign's rate counts for so many seconds of dialling, until there were more.
const RATE_SUPPOSED_FOR: Duration = Duration::from_secs(20);
/// The rate that counts for what is to come is that of the latest minutes of dialling.
const RATE_OVER: Duration = Duration::from_mins(5);
/// The rate that is shown is that of the latest seconds.
const SHOWN_OVER: SignedDuration = SignedDuration::from_secs(10);
/// The share of the rate at which callouts leave (see `domain::pacing`).
const KEPT: f64 = 0.992;

/// What is known of a run when an engine begins to work on it.
#[derive(Debug)]
pub struct Start {
    /// Its counts.
    pub tally: Tally,
    /// Whom it has still to call.
    pub ahead: Vec<Ahead>,
    /// How fast.
    pub pace: Pace,
    /// Who may be called when.
    pub rules: Rules,
    /// What it may cost; none: no cap of ours.
    pub spend: Option<Spend>,
    /// From when on nobody else is called.
    pub expires_at: Option<Timestamp>,
}

/// How a run stands, over all processes that worked on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Glance {
    /// When this was so.
    pub at: Timestamp,
    /// Recipients that were to be called: all rows but those that the import left out.
    pub to_call: u64,
    /// Of those, the recipients with a final verdict.
    pub finished: u64,
    /// Recipients with each verdict, without those that the import left out.
    pub dispositions: BTreeMap<Disposition, u64>,
    /// Attempts that are not over.
    pub in_flight: usize,
    /// Callouts that this process sent.
    pub posted: u64,
    /// Callouts a second, lately.
    pub per_second: f64,
    /// Callouts a second at most, now.
    pub rate: f64,
    /// The campaign's calls per second.
    pub ceiling: f64,
    /// 429s obeyed.
    pub slowed_down: u64,
    /// Whether the platform is expected to tell of every call.
    pub hears: bool,
    /// Events that told of calls.
    pub told: u64,
    /// What calls cost, as far as it was told.
    pub spent: Purse,
    /// What counts against the cap, billed and held; none where the run has no cap.
    pub committed: Option<Decimal>,
    /// The cap and its currency.
    pub cap: Option<(Decimal, String)>,
    /// Until when nobody is called, where everybody is due later.
    pub waits_until: Option<Timestamp>,
    /// Whether that is when the window opens.
    pub for_window: bool,
    /// When the run will be done; none where that is not in sight.
    pub done_at: Option<Timestamp>,
    /// In one word, what keeps the engine from dialling faster.
    pub slow: &'static str,
    /// The same in words.
    pub why_slow: String,
}

impl Glance {
    /// Recipients with this verdict.
    pub fn of(&self, disposition: Disposition) -> u64 {
        self.dispositions.get(&disposition).copied().unwrap_or(0)
    }
}

/// Watches a run from the start of an engine on.
#[derive(Debug)]
pub struct Watch {
    pace: Pace,
    cap: Option<(Decimal, String)>,
    expires_at: Option<Timestamp>,
    before: BTreeMap<Disposition, u64>,
    to_call: u64,
    /// People whom the store holds back; the outlook knows nothing of them.
    held: u64,
    /// What calls before this engine cost, how they ended, and their seconds of talk.
    spent: Purse,
    ends: EndCounts,
    talk_s: u64,
    ahead: Vec<Ahead>,
    rules: Rules,
    outlook: Option<Outlook>,
    /// Callouts that the outlook has taken in.
    taken_in: u64,
    /// What was told last.
    latest: Option<Progress>,
    /// The latest moments, for the rate that is shown.
    lately: VecDeque<(Timestamp, u64)>,
    /// The latest minutes of dialling, for the rate that counts.
    dialling: VecDeque<(Duration, u64)>,
}

impl Watch {
    /// Nothing was told yet.
    pub fn new(start: Start) -> Self {
        let Start { tally, ahead, .. } = start;
        let mut ends = EndCounts::default();
        for ((stage, result, reason), calls) in &tally.outcomes {
            if *stage == Stage::Final {
                ends.add(Some(result), Some(reason), *calls);
            }
        }
        let mut before = tally.dispositions.clone();
        before.retain(|disposition, _| {
            !matches!(
                disposition,
                Disposition::Invalid | Disposition::Duplicate | Disposition::Suppressed
            )
        });
        let known: u64 = ahead.iter().map(|part| part.people).sum();
        Self {
            pace: start.pace,
            cap: start
                .spend
                .and_then(|spend| Some((spend.cap?, spend.currency))),
            expires_at: start.expires_at,
            to_call: before.values().sum::<u64>() + tally.left(),
            before,
            held: (tally.pending + tally.waiting).saturating_sub(known),
            spent: tally.spent,
            ends,
            talk_s: tally.talk_s.unsigned_abs(),
            ahead,
            rules: start.rules,
            outlook: None,
            taken_in: 0,
            latest: None,
            lately: VecDeque::new(),
            dialling: VecDeque::new(),
        }
    }

    /// Takes in what the engine tells.
    pub fn see(&mut self, progress: Progress) {
        self.sample(&progress);
        let flow = self.flow(&progress);
        let outlook = self.outlook.get_or_insert_with(|| {
            Outlook::new(
                self.rules.retry.clone(),
                self.rules.window.clone(),
                self.rules.since,
                std::mem::take(&mut self.ahead),
                (progress.at, flow),
            )
        });
        let callouts = progress.posted.saturating_sub(self.taken_in);
        self.taken_in = self.taken_in.max(progress.posted);
        if callouts > 0 {
            outlook.called(progress.at, callouts, flow);
        }
        self.latest = Some(progress);
    }

    /// How the run stands by what the engine told last; none before it told anything. When it will be done is
    /// left out: that costs some milliseconds, and [`foreseen`](Self::foreseen) adds it.
    pub fn glance(&mut self) -> Option<Glance> {
        let progress = self.latest.clone()?;
        let mut dispositions = self.before.clone();
        for (disposition, count) in &progress.dispositions {
            *dispositions.entry(*disposition).or_default() += count;
        }
        let finished = dispositions.values().sum::<u64>().min(self.to_call);
        let opens_at = (self.outlook.as_mut())
            .filter(|_| progress.next_due.is_some())
            .and_then(|outlook| outlook.opens_at(progress.at));
        let mut spent = self.spent.clone();
        spent.add_all(&progress.spent);
        Some(Glance {
            at: progress.at,
            to_call: self.to_call,
            finished,
            dispositions,
            in_flight: progress.in_flight,
            posted: progress.posted,
            per_second: self.per_second(),
            rate: progress.rate,
            ceiling: progress.ceiling,
            slowed_down: progress.slowed_down,
            hears: progress.hears,
            told: progress.told,
            spent,
            committed: progress.committed,
            cap: self.cap.clone(),
            waits_until: progress.next_due,
            for_window: opens_at.is_some_and(|at| progress.next_due <= Some(at)),
            done_at: None,
            slow: progress.slow,
            why_slow: progress.why_slow.into_owned(),
        })
    }

    fn sample(&mut self, progress: &Progress) {
        self.lately.push_back((progress.at, progress.posted));
        while self.lately.len() > 2
            && self
                .lately
                .get(1)
                .is_some_and(|(at, _)| progress.at.duration_since(*at) >= SHOWN_OVER)
        {
            self.lately.pop_front();
        }
        // While money is short, people are there and are not called.
        if progress.slow == "spend" {
            self.dialling.clear();
            return;
        }
        let latest = progress.dialled_for;
        self.dialling.push_back((latest, progress.posted));
        while self.dialling.len() > 2
            && self
                .dialling
                .get(1)
                .is_some_and(|(at, _)| latest.saturating_sub(*at) >= RATE_OVER)
        {
            self.dialling.pop_front();
        }
    }

    /// Callouts a second in the latest seconds.
    fn per_second(&self) -> f64 {
        let (Some((from, before)), Some((until, after))) =
            (self.lately.front(), self.lately.back())
        else {
            return 0.0;
        };
        let s = until.duration_since(*from).as_secs_f64();
        if s <= 0.0 {
            return 0.0;
        }
        float(after.saturating_sub(*before)) / s
    }

    /// How calls go, by what was seen of them.
    fn flow(&self, progress: &Progress) -> Flow {
        let mut ends = self.ends;
        let seen = progress.ends;
        ends.answered += seen.answered;
        ends.busy += seen.busy;
        ends.no_answer += seen.no_answer;
        ends.other += seen.other;
        ends.fault += seen.fault;
        let talk_s = self.talk_s + progress.talk_s + TALKING_S * TALKING_CALLS;
        // Whoever does not answer talks for no time.
        let calls = ends.calls() + TALKING_CALLS;
        let call = RINGING + Duration::from_secs(talk_s / calls);
        let supposed = self.pace.calls_per_second * KEPT;
        let supposed = self.pace.concurrent_calls.map_or(supposed, |cap| {
            supposed.min(f64::from(cap) / call.as_secs_f64())
        });
        let (dialled, posted) = match (self.dialling.front(), self.dialling.back()) {
            (Some((from, before)), Some((until, after))) => {
                (until.saturating_sub(*from), after.saturating_sub(*before))
            }
            _ => (Duration::ZERO, 0),
        };
        let weight = RATE_SUPPOSED_FOR.as_secs_f64();
        let rate = (float(posted) + supposed * weight) / (dialled.as_secs_f64() + weight);
        Flow {
            rate: rate.max(f64::MIN_POSITIVE),
            call,
            ends: ends.shares(),
        }
    }

    /// The glance that was just made, with when the run will be done.
    #[must_use]
    pub fn foreseen(&mut self, glance: Glance) -> Glance {
        let now = glance.at;
        let Some((progress, mut outlook)) = self.latest.take().zip(self.outlook.take()) else {
            return glance;
        };
        let flow = self.flow(&progress);
        let left = self.to_call.saturating_sub(glance.finished + self.held);
        let in_flight = u64::try_from(glance.in_flight).unwrap_or(u64::MAX);
        outlook.left(left, in_flight, flow.ends);
        let done_at = if left == 0 {
            Some(now)
        } else {
            outlook.done_at(now, flow)
        };
        (self.latest, self.outlook) = (Some(progress), Some(outlook));
        let done_at = match (done_at, self.expires_at) {
            (Some(done), Some(expires)) => Some(done.min(expires.max(now))),
            (done, expires) => done.or(expires),
        };
        Glance { done_at, ..glance }
    }
}

#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn float(n: u64) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::window::{Days, OnClose, Span, Window, WindowZone};
    use crate::domain::{Known, RetryPolicy, Tried, ZoneSet};

    /// 100,000 people on a Friday at 09:00 in Stockholm, where a window is open from 9 to 17 on work days.
    fn watch(rows: u64, concurrent_calls: Option<u32>) -> Watch {
        let span = Span::new(
            Days::of(["mon", "tue", "wed", "thu", "fri"]).unwrap(),
            "09:00".parse().unwrap(),
            "17:00".parse().unwrap(),
        );
        let zone = WindowZone::Fixed(ZoneSet::one("Europe/Stockholm").unwrap());
        let now = at(0);
        Watch::new(Start {
            tally: Tally {
                rows: rows + 3,
                pending: rows,
                dispositions: BTreeMap::from([(Disposition::Duplicate, 3)]),
                ..Tally::default()
            },
            ahead: vec![Ahead {
                zones: None,
                tried: Tried::default(),
                due: now,
                people: rows,
            }],
            pace: Pace {
                calls_per_second: 10.0,
                concurrent_calls,
            },
            rules: Rules {
                retry: RetryPolicy::default(),
                flow: None,
                window: Some(Window::new(vec![span.unwrap()], zone, [], OnClose::Wait)),
                since: now,
                known: Known::default(),
            },
            spend: None,
            expires_at: None,
        })
    }

    fn at(s: i64) -> Timestamp {
        let begin: Timestamp = "2026-11-27T08:00:00Z".parse().unwrap();
        begin.checked_add(SignedDuration::from_secs(s)).unwrap()
    }

    fn progress(s: i64, posted: u64) -> Progress {
        Progress {
            at: at(s),
            dialled_for: Duration::from_secs(s.unsigned_abs()),
            posted,
            ..Progress::default()
        }
    }

    fn see(watch: &mut Watch, progress: Progress) -> Glance {
        watch.see(progress);
        let glance = watch.glance().unwrap();
        watch.foreseen(glance)
    }

    #[test]
    fn the_end_is_foreseen_through_nights_and_week_ends() {
        let mut watch = watch(1_000_000, None);
        see(&mut watch, progress(0, 0));
        let glance = see(&mut watch, progress(60, 595));
        assert_eq!((glance.to_call, glance.finished), (1_000_000, 0));
        assert!((glance.per_second - 9.92).abs() < 0.01, "{glance:?}");
        // 28,800 s a day at 9.92 a second: Friday, Monday and Tuesday, and half of Wednesday.
        let truth = at(5 * 86_400 + 14_440);
        let off = glance
            .done_at
            .unwrap()
            .duration_since(truth)
            .as_secs_f64()
            .abs();
        assert!(off < 600.0, "{:?} instead of {truth}", glance.done_at);
    }

    #[test]
    fn a_slower_pace_than_was_wanted_moves_the_end() {
        let mut watch = watch(100_000, None);
        see(&mut watch, progress(0, 0));
        let supposed = see(&mut watch, progress(1, 10)).done_at.unwrap();
        let seen = see(&mut watch, progress(600, 3_000)).done_at.unwrap();
        let rate = 97_000.0 / seen.duration_since(at(600)).as_secs_f64();
        assert!(supposed < at(11_000), "{supposed}");
        assert!((4.9..6.0).contains(&rate), "{rate} a second");
    }

    #[test]
    fn a_cap_of_calls_at_a_time_is_supposed_until_the_pace_is_seen() {
        // 45 s a call: 90 calls at a time are two a second.
        let mut watch = watch(5_000, Some(90));
        let done_at = see(&mut watch, progress(0, 0)).done_at.unwrap();
        let took = done_at.duration_since(at(0)).as_secs_f64();
        assert!((2_200.0..2_800.0).contains(&took), "{took} s");
    }

    #[test]
    fn whoever_waits_for_the_window_is_told_when_it_opens() {
        let mut watch = watch(100_000, None);
        see(&mut watch, progress(0, 0));
        // Friday at 17:00.
        let opens = at(3 * 86_400);
        let closed = Progress {
            next_due: Some(opens),
            dialled_for: Duration::from_hours(8),
            ..progress(28_800, 50_000)
        };
        let glance = see(&mut watch, closed);
        assert_eq!((glance.waits_until, glance.for_window), (Some(opens), true));
        assert!(glance.done_at > Some(opens), "{glance:?}");
        // Somebody is due again while the window is open.
        let retry = Progress {
            next_due: Some(at(4_000)),
            ..progress(3_600, 100_000)
        };
        let glance = see(&mut watch, retry);
        assert_eq!(
            (glance.waits_until, glance.for_window),
            (Some(at(4_000)), false)
        );
    }
}
