//! How a run stands while it goes on, for people: counts since this engine started.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::domain::{Disposition, Outcome, Purse};

/// A glance at the engine.
#[derive(Debug, Clone, Default)]
pub struct Progress {
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
    /// 429s obeyed.
    pub slowed_down: u64,
    /// What the calls that ended cost.
    pub spent: Purse,
    /// Uncertain attempts that hold a place of `concurrent_calls`.
    pub uncertain_held: usize,
    /// What counts against the run's cap: billed and held; none where it has none.
    pub committed: Option<Decimal>,
    /// Calls that were hung up because they lasted too long.
    pub hung_up: u64,
    /// Hang-ups that failed; they are tried again.
    pub hang_ups_failed: u64,
    /// In words, what keeps the engine from dialling faster.
    pub why_slow: Cow<'static, str>,
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
