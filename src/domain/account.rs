//! The account of a run: its counts, and its rows with what became of them.
//!
//! A store reads them, a report shows them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::call_flow::MACHINE;
use super::{
    Answered, AttemptId, Destination, Disposition, Hold, InCall, Money, Outcome, Purse,
    RecipientId, Spend, SpendAccount, Stage, WaitReason, Zones,
};

/// The counts of a run. Derived from its rows, never incremented.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rows of the list.
    pub rows: u64,
    /// Rows with each disposition.
    pub dispositions: BTreeMap<Disposition, u64>,
    /// Recipients never tried yet, or due again now.
    pub pending: u64,
    /// Recipients due later.
    pub waiting: u64,
    /// Recipients with an attempt that is not over.
    pub in_flight: u64,
    /// Attempts that count, by where they stand and the platform's own result and reason.
    pub outcomes: BTreeMap<(Stage, String, String), u64>,
    /// Attempts that were proved not sent, 429s included.
    pub not_sent: u64,
    /// Recipients who were not reached although a call was answered, by why.
    pub unreached: BTreeMap<Answered, u64>,
    /// What was pressed: how many calls have each response, the commonest first.
    pub responses: Vec<(String, u64)>,
    /// What the calls cost so far.
    pub spent: Purse,
    /// Calls that are over and whose price nobody told us.
    pub unpriced: u64,
    /// What the run may cost, and what counts against that; none where it has no cap.
    pub budget: Option<(Spend, SpendAccount)>,
    /// Calls beside the one that an attempt may make: that there is one is the alarm.
    pub second_calls: Vec<SecondCall>,
    /// Seconds of all calls that were answered.
    pub talk_s: i64,
    /// First and last intent.
    pub first_at: Option<Timestamp>,
    /// First and last intent.
    pub last_at: Option<Timestamp>,
}

/// A call beside the one that an attempt may make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondCall {
    /// The attempt.
    pub attempt: String,
    /// The call that it has; none where none was ever told.
    pub call: Option<String>,
    /// The other one.
    pub other: String,
}

impl Tally {
    /// Recipients with this disposition.
    pub fn of(&self, disposition: Disposition) -> u64 {
        self.dispositions.get(&disposition).copied().unwrap_or(0)
    }

    /// Whether every row is accounted for.
    pub fn adds_up(&self) -> bool {
        let done: u64 = self.dispositions.values().sum();
        done + self.pending + self.waiting + self.in_flight == self.rows
    }

    /// Recipients without a disposition.
    pub fn left(&self) -> u64 {
        self.pending + self.waiting + self.in_flight
    }
}

/// One attempt as a report shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRecord {
    /// The id that travelled with the callout.
    pub id: AttemptId,
    /// Where it stands.
    pub stage: Stage,
    /// When its intent was written.
    pub intended_at: Timestamp,
    /// When the platform answered.
    pub answered_at: Option<Timestamp>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// The platform's name for the call; none before it was told.
    pub call_id: Option<String>,
    /// How it ended, as far as that is known.
    pub outcome: Outcome,
    /// What was held for it, in the currency of the run's cap.
    pub hold: Option<Decimal>,
    /// Why uncertain, refused or not sent.
    pub note: Option<String>,
    /// What was pressed in the call, in order, with ` > ` between.
    pub response: Option<String>,
    /// What was heard in it.
    pub heard: InCall,
    /// The prices of the legs of whom it was connected to; none where one was not told.
    pub legs: Vec<Option<Money>>,
}

/// One row of the list and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultRow {
    /// Its key, unique in the whole database.
    pub recipient: RecipientId,
    /// Line of the list.
    pub line: u64,
    /// Its cells, as read.
    pub cells: Vec<String>,
    /// Whom it is about; none where the row is invalid.
    pub destination: Option<Destination>,
    /// The verdict; none while there is none.
    pub disposition: Option<Disposition>,
    /// Why invalid, duplicate or refused.
    pub reason: Option<String>,
    /// The column and the value at fault.
    pub fault: Option<(Option<String>, Option<String>)>,
    /// Its attempts, oldest first.
    pub attempts: Vec<AttemptRecord>,
}

impl ResultRow {
    /// What they pressed, in the last call in which they pressed anything; else, that a machine answered their last
    /// answered call.
    pub fn responded(&self) -> Option<&str> {
        let counted = || self.attempts.iter().rev().filter(|a| a.stage.counts());
        let pressed = counted().find_map(|attempt| attempt.response.as_deref());
        let is_answered = |a: &&AttemptRecord| a.outcome.answered() || a.heard != InCall::NOTHING;
        let machine = || {
            let last = counted().find(is_answered)?;
            last.heard.has(InCall::MACHINE).then_some(MACHINE)
        };
        pressed.or_else(machine)
    }
}

/// Why somebody was not called yet, as the engine decided it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// When that was decided.
    pub at: Timestamp,
    /// What the recipient waits for.
    pub reason: WaitReason,
    /// Until when; none where nothing comes by itself.
    pub until: Option<Timestamp>,
}

/// What a person said about an uncertain attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The attempt that was spoken of.
    pub attempt: AttemptId,
    /// Whether a phone rang.
    pub called: bool,
    /// How they know.
    pub why: String,
    /// Who said so.
    pub who: String,
    /// When it was said.
    pub at: Timestamp,
}

/// All that is known of one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    /// The row, its disposition and its attempts.
    pub row: ResultRow,
    /// When they are due, while they are to be called and do not wait for what never comes by itself.
    pub due_at: Option<Timestamp>,
    /// What they wait for now.
    pub waiting_for: Option<WaitReason>,
    /// The time zones in which they may be; none where no window asks.
    pub zones: Option<Zones>,
    /// The worst case of a call; none where the run has no cap.
    pub hold: Option<Hold>,
    /// Why they were not called yet, oldest first.
    pub waits: Vec<Wait>,
    /// What people said about their attempts, oldest first.
    pub said: Vec<Said>,
}

/// Recipients that stand alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backlog {
    /// What they wait for; none where they are due.
    pub waiting_for: Option<WaitReason>,
    /// How many of them there are.
    pub recipients: u64,
    /// When the first of them is due; none where that never comes by itself.
    pub soonest: Option<Timestamp>,
}
