//! The course of one answered call in which something is played: its clock, what it waits for, and what was heard.
//!
//! Its times are simulated milliseconds since it was answered. While it waits for an answer its clock stands still,
//! so that what happens in it, how long it takes and what it costs never depend on how fast a backend is; an answer
//! that does not come takes [`ANSWER_WAIT_MS`].

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde_json::Value;

use super::event::EventKind;
use super::ledger::{AnswerRow, PressedRow};
use super::people::Person;
use super::play::{MenuResult, Pressed};
use super::script::Dial;

/// How long the platform waits for an answer to ACE and PIE. The period of this API is not published; that of its
/// successor is five seconds.
pub(super) const ANSWER_WAIT_MS: u64 = 5_000;
/// How long the error takes that is played when there is nothing else to play.
pub(super) const ERROR_MS: u64 = 3_000;

/// What goes on in a call.
#[derive(Debug)]
pub(super) struct Course {
    /// What is needed as long as it goes on.
    pub(super) live: Option<Box<Live>>,
    /// A moment, and the call's clock at it.
    pub(super) since: (Timestamp, u64),
    /// Where its clock stops: what is planned goes no further.
    pub(super) until_ms: u64,
    /// What ACE tells, where the platform told it of this course.
    pub(super) ace: Option<Ace>,
    /// When it ends, once that is known.
    pub(super) end_ms: Option<u64>,
    /// What its menu results and notifications say, in order.
    pub(super) items: Vec<Item>,
    /// What was heard in it.
    pub(super) record: Record,
    /// The call that it is the second leg of, and the other call's clock when this one was answered.
    pub(super) leg_of: Option<(usize, u64)>,
    /// Its own second leg that goes on.
    pub(super) leg: Option<usize>,
}

/// What a call that goes on needs.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) person: Person,
    /// It is cut there.
    pub(super) longest_ms: u64,
    /// The answer to PIE that stands in the callout.
    pub(super) pie: Option<Value>,
    /// What it waits for.
    pub(super) ask: Option<Ask>,
    /// What the platform does by itself, and when; the latest one counts.
    pub(super) step: Option<Step>,
    /// Steps so far.
    pub(super) steps: u32,
    /// How long the call would go on without a script, in seconds, and why it would end then.
    pub(super) alone: (u32, &'static str),
    /// Since when it goes on so.
    pub(super) alone_since_ms: Option<u64>,
    /// When an asynchronous detection says who answered.
    pub(super) detection: Option<Timestamp>,
}

/// What ACE tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ace {
    /// The call's clock at it.
    pub(super) at_ms: u64,
    /// Who answered, where that was asked for.
    pub(super) amd: Option<Detection>,
}

/// An event that waits for its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ask {
    pub(super) kind: EventKind,
    /// The call's clock at it.
    pub(super) at_ms: u64,
    /// Its place among the call's items; zero for ACE.
    pub(super) item: u32,
    /// Its place among the events sent, once it was sent.
    pub(super) number: Option<usize>,
}

/// Something that the platform does by itself.
#[derive(Debug)]
pub(super) enum Step {
    /// It waits for an answer no longer.
    GiveUp,
    /// It calls somebody else.
    Dial(Dial),
}

/// What a menu result or a notification says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    Menu(MenuResult),
    /// The same, of a menu that was broken off before.
    Void,
    Amd(&'static str, Detection),
    Error(u32, &'static str),
}

/// Who answered, as the platform tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Detection {
    pub(super) status: &'static str,
    pub(super) reason: &'static str,
    pub(super) duration_s: u64,
}

/// What was heard in a call.
#[derive(Debug, Default)]
pub(super) struct Record {
    pub(super) is_machine: bool,
    pub(super) heard: Vec<(u64, String)>,
    pub(super) pressed: Vec<Pressed>,
    /// How often an error was played.
    pub(super) errors: u32,
    /// Answers, and the milliseconds that each took.
    pub(super) answers: Vec<(EventKind, u64)>,
    /// Second legs that have a call id of their own.
    pub(super) legs: Vec<usize>,
    /// What second legs cost that have none.
    pub(super) legs_within: Vec<Decimal>,
}

impl From<&Pressed> for PressedRow {
    fn from(pressed: &Pressed) -> Self {
        Self {
            menu: pressed.menu.clone(),
            keys: pressed.keys.clone(),
            at_ms: pressed.at_ms,
        }
    }
}

impl From<&(EventKind, u64)> for AnswerRow {
    fn from((kind, took_ms): &(EventKind, u64)) -> Self {
        Self {
            event: kind.as_str(),
            took_ms: *took_ms,
        }
    }
}

impl Course {
    /// The course of a call that is answered at this moment.
    pub(super) fn new(
        person: Person,
        answered: Timestamp,
        longest_ms: u64,
        alone: (u32, &'static str),
    ) -> Self {
        let record = Record {
            is_machine: person.machine.is_some(),
            ..Record::default()
        };
        Self {
            live: Some(Box::new(Live {
                person,
                longest_ms,
                pie: None,
                ask: None,
                step: None,
                steps: 0,
                alone,
                alone_since_ms: None,
                detection: None,
            })),
            since: (answered, 0),
            until_ms: longest_ms,
            ace: None,
            end_ms: None,
            items: Vec::new(),
            record,
            leg_of: None,
            leg: None,
        }
    }

    /// The moment at which the call's clock says so much, as far as it is planned.
    pub(super) fn moment(&self, ms: u64, time_scale: f64) -> Timestamp {
        let (since, since_ms) = self.since;
        let wall = scaled_ms(ms.saturating_sub(since_ms), time_scale);
        since.checked_add(wall).unwrap_or(Timestamp::MAX)
    }

    /// What the call's clock says at a moment.
    pub(super) fn clock(&self, now: Timestamp, time_scale: f64) -> u64 {
        let (since, since_ms) = self.since;
        let wall = now.duration_since(since).as_secs_f64().max(0.0);
        let ms = wall * 1000.0 / time_scale;
        if !ms.is_finite() {
            return self.until_ms.max(since_ms);
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a cast from float saturates, and the minimum with the plan is taken"
        )]
        let ms = ms.round() as u64;
        since_ms.saturating_add(ms).min(self.until_ms.max(since_ms))
    }

    /// When it ends, once that is known.
    pub(super) fn end(&self, time_scale: f64) -> Option<Timestamp> {
        self.end_ms.map(|end_ms| self.moment(end_ms, time_scale))
    }

    /// Breaks off what is planned from a moment on: what would have been heard and pressed was not.
    pub(super) fn break_off(&mut self, now: Timestamp, time_scale: f64) -> u64 {
        let now_ms = self.clock(now, time_scale);
        self.since = (now, now_ms);
        self.record.heard.retain(|(at_ms, _)| *at_ms <= now_ms);
        self.record
            .pressed
            .retain(|pressed| pressed.at_ms <= now_ms);
        if let Some(live) = &mut self.live {
            if let Some(ask) = live.ask.take()
                && ask.number.is_none()
                && ask.kind == EventKind::Pie
                && let Some(item) = usize::try_from(ask.item)
                    .ok()
                    .and_then(|i| self.items.get_mut(i))
            {
                *item = Item::Void;
            }
            live.step = None;
        }
        now_ms
    }

    /// Adds what an event will say; its place.
    pub(super) fn item(&mut self, item: Item) -> u32 {
        self.items.push(item);
        u32::try_from(self.items.len() - 1).unwrap_or(u32::MAX)
    }

    /// What an event says.
    pub(super) fn said(&self, item: u32) -> Option<&Item> {
        self.items.get(usize::try_from(item).ok()?)
    }

    /// Plans a step; its number.
    pub(super) fn step(&mut self, step: Step) -> u32 {
        let Some(live) = &mut self.live else {
            return 0;
        };
        live.steps += 1;
        live.step = Some(step);
        live.steps
    }

    /// Whether this is the step that counts.
    pub(super) fn awaits_step(&self, step: u32) -> bool {
        let live = self.live.as_ref();
        live.is_some_and(|live| live.step.is_some() && live.steps == step)
    }
}

/// Wall time of so many simulated milliseconds.
pub(super) fn scaled_ms(ms: u64, time_scale: f64) -> SignedDuration {
    let wall = std::time::Duration::from_millis(ms).mul_f64(time_scale);
    SignedDuration::try_from(wall).unwrap_or(SignedDuration::MAX)
}
