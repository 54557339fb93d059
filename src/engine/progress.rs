//! How a run stands while it goes on, for people: counts since this engine started.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use rust_decimal::Decimal;
use tokio::sync::{mpsc, watch};

use crate::domain::forecast::EndCounts;
use crate::domain::{Disposition, Outcome, Purse};

/// A glance at the engine.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    /// When this was so, by the wall's clock.
    pub at: Timestamp,
    /// Callouts `POSTed`.
    pub posted: u64,
    /// Recipients that got their disposition, by disposition.
    pub dispositions: BTreeMap<Disposition, u64>,
    /// Attempts that are not over.
    pub in_flight: usize,
    /// Callouts that wait for their answer.
    pub dialling: usize,
    /// Recipients read and not yet intended.
    pub queued: usize,
    /// Calls per second at most, now.
    pub rate: f64,
    /// The campaign's calls per second.
    pub ceiling: f64,
    /// How often the platform asked to slow down (429).
    pub slowed_down: u64,
    /// What the calls that ended cost.
    pub spent: Purse,
    /// Uncertain attempts that hold a place of `concurrent_calls`.
    pub uncertain_held: usize,
    /// What counts against the run's cap: billed and held; none where it has none.
    pub committed: Option<Decimal>,
    /// Whether the platform is expected to tell of every call.
    pub hears: bool,
    /// Events that told of calls.
    pub told: u64,
    /// Calls that were hung up because they lasted too long.
    pub hung_up: u64,
    /// Hang-ups that failed; they are tried again.
    pub hang_ups_failed: u64,
    /// How long somebody was there to be called, so that the pace can be told from the waiting.
    pub dialled_for: Duration,
    /// When whoever is left is due, where everybody is due later.
    pub next_due: Option<Timestamp>,
    /// How the calls ended.
    pub ends: EndCounts,
    /// Seconds of the calls that were answered.
    pub talk_s: u64,
    /// In words, what keeps the engine from dialling faster.
    pub why_slow: Cow<'static, str>,
    /// The same in one word, for programs.
    pub slow: &'static str,
}

/// Where an engine tells how it goes on.
#[derive(Debug)]
pub enum Listener {
    /// To somebody who looks now and then: what was told before is written over. An engine never waits for them.
    Latest(watch::Sender<Progress>),
    /// To somebody who hears everything: time that is virtual waits for them.
    Each(mpsc::Sender<Progress>),
}

/// What an engine tells.
#[derive(Debug)]
pub enum Told {
    /// What was told last.
    Latest(watch::Receiver<Progress>),
    /// Everything, in order.
    Each(mpsc::Receiver<Progress>),
}

/// The two ends between an engine at work and whoever watches it.
pub fn telling(time_is_virtual: bool) -> (Listener, Told) {
    if time_is_virtual {
        let (telling, told) = mpsc::channel(1);
        (Listener::Each(telling), Told::Each(told))
    } else {
        let (telling, told) = watch::channel(Progress::default());
        (Listener::Latest(telling), Told::Latest(told))
    }
}

impl Listener {
    /// Tells how things stand. That nobody listens any more is no trouble.
    pub(super) async fn tell(&self, progress: Progress) {
        match self {
            Self::Latest(telling) => drop(telling.send_replace(progress)),
            Self::Each(telling) => drop(telling.send(progress).await),
        }
    }
}

impl Told {
    /// The next that is told; none when the engine has ended.
    pub async fn next(&mut self) -> Option<Progress> {
        match self {
            Self::Latest(told) => {
                told.changed().await.ok()?;
                Some(told.borrow_and_update().clone())
            }
            Self::Each(told) => told.recv().await,
        }
    }
}

impl Progress {
    /// Counts a disposition.
    pub(crate) fn done(&mut self, disposition: Disposition) {
        *self.dispositions.entry(disposition).or_default() += 1;
    }

    /// Takes a disposition back.
    pub(crate) fn undone(&mut self, disposition: Disposition) {
        if let Some(count) = self.dispositions.get_mut(&disposition) {
            *count = count.saturating_sub(1);
        }
    }

    /// Counts the end of a call.
    pub(crate) fn ended(&mut self, outcome: &Outcome) {
        if let Some(debit) = &outcome.debit {
            self.spent.add(debit);
        }
        self.ends
            .add(outcome.result.as_deref(), outcome.reason.as_deref(), 1);
        if outcome.answered() {
            let s = outcome.duration_s.unwrap_or(0).max(0).unsigned_abs();
            self.talk_s = self.talk_s.saturating_add(s);
        }
    }

    /// Recipients that got their disposition.
    pub fn finished(&self) -> u64 {
        self.dispositions.values().sum()
    }

    /// Recipients with this disposition.
    pub fn of(&self, disposition: Disposition) -> u64 {
        self.dispositions.get(&disposition).copied().unwrap_or(0)
    }
}
