//! How a run goes on: a bar with its facts on a terminal, a line every ten seconds elsewhere.

use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::MissedTickBehavior;

use super::{Bar, Stream, tell, watched};
use crate::app::events::Events;
use crate::app::{Counting, Goal};
use crate::domain::Disposition;
use crate::domain::money::{Amount, said};
use crate::engine::{Glance, Told};
use crate::report::moments::{Zone, roughly};
use crate::report::words::{counted, grouped};

/// How often a line is written where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// How often a bar is drawn anew.
const BAR_EVERY: Duration = Duration::from_millis(250);
/// What takes no longer is not worth a sign of life.
const SHOWN_AFTER: Duration = Duration::from_secs(1);

/// Shows how a run goes on until its engine is gone.
pub(crate) async fn show(mut told: Told, goal: Goal, stream: Option<Arc<Stream>>) {
    let mut events = Events::new(goal.run, goal.campaign);
    let zone = goal.zone;
    let mut watch = goal.watch;
    let bar = watched().then(|| Bar::show(bar()));
    let mut every = tokio::time::interval(bar.as_ref().map_or(LINE_EVERY, |_| BAR_EVERY));
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    if bar.is_none() {
        every.tick().await;
    }
    loop {
        tokio::select! {
            _ = every.tick() => {
                let Some(glance) = watch.glance() else { continue };
                let glance = watch.foreseen(glance);
                let facts = facts(&glance, &zone);
                match &bar {
                    Some(bar) => bar.shows((glance.finished, glance.to_call), &facts),
                    None => tell(&facts.join("; ")),
                }
            }
            next = told.next() => match next {
                Some(progress) => {
                    watch.see(progress);
                    if let Some(stream) = &stream {
                        stream.write(&events.seen(&mut watch));
                    }
                }
                None => return,
            },
        }
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(5));
    if let Ok(style) = ProgressStyle::with_template("{wide_bar:.cyan/blue} {percent:>3} %\n{msg}") {
        bar.set_style(style);
    }
    bar
}

/// What there is to say, the most wanted first; each fits on a line of its own.
fn facts(glance: &Glance, zone: &Zone) -> Vec<String> {
    let mut facts = vec![format!(
        "{} of {} done",
        grouped(glance.finished),
        counted(glance.to_call, "person", "people")
    )];
    facts.extend(waits(glance, zone));
    facts.extend(end(glance, zone));
    for disposition in [Disposition::Reached, Disposition::Unreached] {
        facts.push(format!("{} {disposition}", grouped(glance.of(disposition))));
    }
    let seldom = [
        Disposition::Refused,
        Disposition::Uncertain,
        Disposition::Suppressed,
        Disposition::Expired,
        Disposition::Cancelled,
    ];
    for (disposition, count) in seldom.map(|d| (d, glance.of(d))) {
        if count > 0 || disposition == Disposition::Uncertain {
            facts.push(format!("{} {disposition}", grouped(count)));
        }
    }
    facts.push(format!("{} in flight", glance.in_flight));
    facts.push(format!(
        "{:.1} calls a second of at most {:.1}",
        glance.per_second, glance.rate
    ));
    if glance.slowed_down > 0 {
        facts.push(format!("{} refused with 429", grouped(glance.slowed_down)));
    }
    if glance.hears {
        facts.push(counted(glance.told, "event heard", "events heard"));
    }
    facts.push(money(glance));
    if glance.waits_until.is_none() {
        facts.push(glance.why_slow.clone());
    }
    facts
}

/// Until when nobody is called.
fn waits(glance: &Glance, zone: &Zone) -> Option<String> {
    let until = zone.ahead(glance.waits_until?, glance.at);
    Some(if glance.for_window {
        format!("window opens {until}")
    } else {
        format!("the next is due {until}")
    })
}

/// When all of it is done.
fn end(glance: &Glance, zone: &Zone) -> Option<String> {
    if glance.finished >= glance.to_call {
        return None;
    }
    let Some(done_at) = glance.done_at else {
        return Some("no end is in sight".into());
    };
    let left = Duration::try_from(done_at.duration_since(glance.at)).unwrap_or_default();
    Some(format!(
        "{} left, until {}",
        roughly(left),
        zone.about(done_at, glance.at, glance.at)
    ))
}

/// What was spent, and what may be.
fn money(glance: &Glance) -> String {
    let spent = format!("spent {}", glance.spent);
    let Some(committed) = glance.committed else {
        return spent;
    };
    let Some((cap, currency)) = &glance.cap else {
        return format!("{spent}, {} billed or held", Amount(committed));
    };
    let billed = glance.spent.sums().find(|(c, _)| c == currency);
    let billed = billed.and_then(|(_, sum)| sum).unwrap_or_default();
    let held = Amount((committed - billed).max(rust_decimal::Decimal::ZERO));
    format!("{spent}, {held} held, cap {}", said(*cap, currency))
}

/// Shows how far something is that takes more than a moment, for as long as it is there.
pub(crate) struct Counter {
    ending: Option<mpsc::Sender<()>>,
    showing: Option<JoinHandle<()>>,
}

impl Counter {
    /// Begins to show. It has a thread of its own: the work may leave no room for others on this one.
    pub(crate) fn of(work: Counting) -> Self {
        let (ending, ended) = mpsc::channel();
        let showing = std::thread::spawn(move || count(&work, &ended));
        Self {
            ending: Some(ending),
            showing: Some(showing),
        }
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        drop(self.ending.take());
        if let Some(showing) = self.showing.take() {
            // It says nothing when it ends, and a bar is gone with it.
            drop(showing.join());
        }
    }
}

fn count(work: &Counting, ended: &mpsc::Receiver<()>) {
    let waits = |time| ended.recv_timeout(time) == Err(mpsc::RecvTimeoutError::Timeout);
    if !waits(SHOWN_AFTER) {
        return;
    }
    let bar = watched().then(|| {
        let bar = counting(work.what, work.of);
        (Bar::show(bar.clone()), bar)
    });
    loop {
        let done = work.done.get();
        if let Some((_, bar)) = &bar {
            bar.set_position(done);
        } else if done == 0 {
            tell(&format!("{} …", work.what));
        } else {
            let of = work
                .of
                .map_or(String::new(), |of| format!(" of {}", grouped(of)));
            tell(&format!("{}{of} {}", grouped(done), work.what));
        }
        if !waits(if bar.is_some() { BAR_EVERY } else { LINE_EVERY }) {
            return;
        }
    }
}

fn counting(what: &str, of: Option<u64>) -> ProgressBar {
    let shape = if of.is_some() {
        "{wide_bar:.cyan/blue} {human_pos} of {human_len} {msg}, {eta} left"
    } else {
        "{spinner} {human_pos} {msg}"
    };
    let bar = ProgressBar::with_draw_target(of, ProgressDrawTarget::stderr_with_hz(5));
    if let Ok(style) = ProgressStyle::with_template(shape) {
        bar.set_style(style);
    }
    bar.with_message(what.to_owned())
}

/// How far a download is.
pub(crate) fn bytes(length: Option<u64>) -> ProgressBar {
    let target = if watched() {
        ProgressDrawTarget::stderr_with_hz(5)
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(length, target);
    let shape = match length {
        Some(_) => "{wide_bar:.cyan/blue} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left",
        None => "{spinner} {bytes}, {bytes_per_sec}",
    };
    if let Ok(style) = ProgressStyle::with_template(shape) {
        bar.set_style(style);
    }
    bar
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::tz::TimeZone;

    use super::*;
    use crate::domain::{Money, Purse};

    fn glance() -> Glance {
        let mut spent = Purse::default();
        spent.add(&Money {
            amount: "123.4".parse().unwrap(),
            currency: Some("EUR".into()),
        });
        let at = "2026-11-28T20:00:00Z".parse().unwrap();
        Glance {
            at,
            to_call: 1_000_000,
            finished: 412_480,
            dispositions: BTreeMap::from([
                (Disposition::Reached, 309_204),
                (Disposition::Unreached, 103_274),
                (Disposition::Uncertain, 2),
            ]),
            in_flight: 431,
            posted: 500_000,
            per_second: 9.93,
            rate: 10.0,
            ceiling: 10.0,
            slowed_down: 0,
            hears: false,
            told: 0,
            spent,
            committed: Some("127.6".parse().unwrap()),
            cap: Some(("500".parse().unwrap(), "EUR".into())),
            waits_until: None,
            for_window: false,
            done_at: Some("2026-11-30T10:42:31Z".parse().unwrap()),
            slow: "calls_per_second",
            why_slow: "calls_per_second: at the campaign's rate".into(),
        }
    }

    fn shown(glance: &Glance, width: usize) -> String {
        let zone = Zone::new(TimeZone::get("Europe/Stockholm").unwrap());
        crate::output::flow(&facts(glance, &zone), width)
    }

    #[test]
    fn the_facts_fit_terminals_of_every_width() {
        assert_eq!(
            shown(&glance(), 80),
            "412,480 of 1,000,000 people done\n\
             about 1 d 15 h left, until Mon 11:40 Europe/Stockholm   309,204 reached\n\
             103,274 unreached   2 uncertain   431 in flight\n\
             9.9 calls a second of at most 10.0   spent 123.40 EUR, 4.20 held, cap 500.00 EUR\n\
             calls_per_second: at the campaign's rate"
        );
        for width in [80, 120, 200] {
            let text = shown(&glance(), width);
            assert!(
                text.lines().all(|line| line.chars().count() <= width),
                "{text}"
            );
        }
        assert_eq!(shown(&glance(), 200).lines().count(), 2);
    }

    #[test]
    fn a_closed_window_says_when_it_opens() {
        let waiting = Glance {
            waits_until: Some("2026-11-30T08:00:00Z".parse().unwrap()),
            for_window: true,
            slow: "later",
            why_slow: "everybody left is due later".into(),
            ..glance()
        };
        let text = shown(&waiting, 80);
        assert!(
            text.contains("window opens Mon 09:00 Europe/Stockholm, in 1 d 12 h"),
            "{text}"
        );
        assert!(!text.contains("due later"), "{text}");
    }

    #[test]
    fn what_is_long_is_broken_between_words_alone() {
        let long = Glance {
            why_slow:
                "spend: the next call may cost 0.0415 EUR, and 0.03 EUR are left of per_day, \
                       150.00 EUR; the next day begins at 2026-11-29T23:00:00Z"
                    .into(),
            ..glance()
        };
        let text = shown(&long, 80);
        assert!(
            text.lines().all(|line| line.chars().count() <= 80),
            "{text}"
        );
        let words = |text: &str| {
            text.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(words(&text), words(&shown(&long, 10_000)));
    }
}
