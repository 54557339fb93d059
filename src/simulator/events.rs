//! Which events are told, and when: planned when a call is placed, and again when it is hung up.
//!
//! Every draw follows from the seed and the call, so that two runs tell the same. Events due at the
//! same moment come in the order of their calls, and of a call in the order in which they happened,
//! unless a shuffle is asked for.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rand::Rng as _;
use rand::rngs::StdRng;

use super::call::Call;
use super::call_id::CallId;
use super::chance::{Purpose, draw};
use super::event::{EventFaults, EventKind, Mark, Marks, Told};
use super::options::Options;

/// Simulated time by which a shuffle delays even the last event of a call, on average.
const SHUFFLE: Duration = Duration::from_secs(1);
/// The longest that the answer to a POST is held back for an event.
const HELD_MAX: SignedDuration = SignedDuration::from_secs(5);
/// What an event that comes early has for its way.
const AHEAD: SignedDuration = SignedDuration::from_millis(100);

/// An event that will be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Planned {
    /// When it is sent.
    due: Timestamp,
    /// Decides between events due at the same moment, before all else; zero unless shuffled.
    rank: u32,
    /// The call's place.
    pub(super) call: usize,
    /// Its place among the call's events.
    nth: usize,
    pub(super) kind: EventKind,
    /// When it happened.
    pub(super) moment: Timestamp,
    pub(super) marks: Marks,
}

/// An event that was due, and what became of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    pub(super) call: usize,
    pub(super) kind: EventKind,
    pub(super) at: Timestamp,
    pub(super) marks: Marks,
    /// The status answered; zero where none was, or none yet.
    pub(super) status: u16,
    /// Why it was not sent.
    pub(super) unsent: &'static str,
}

/// What will be told, and what was.
#[derive(Debug, Default)]
pub(super) struct Events {
    planned: BinaryHeap<Reverse<Planned>>,
    pub(super) sent: Vec<Sent>,
}

/// What was drawn about one event: twice where it is sent twice.
struct Slip {
    lost: bool,
    doubled: bool,
    late: bool,
    shuffles: [(f64, u32); 2],
}

impl Slip {
    fn draw(faults: &EventFaults, rng: &mut StdRng) -> Self {
        // Every draw is made every time, so that one fault does not shift the others' chances.
        Self {
            lost: rng.random_bool(faults.lost),
            doubled: rng.random_bool(faults.doubled),
            late: rng.random_bool(faults.late),
            shuffles: rng.random(),
        }
    }

    /// How often the event is planned: a lost one is planned, too, and not sent when it is due.
    fn times(&self) -> usize {
        if self.doubled && !self.lost { 2 } else { 1 }
    }
}

impl Events {
    /// Plans the events of a call that has just been placed. The answer to its POST is held
    /// back where one of them comes early.
    pub(super) fn place(&mut self, index: usize, call: &mut Call, options: &Options) {
        let Some(told) = &call.told else {
            return;
        };
        let (early, mut planned) = plan(index, call, told, options);
        let first = planned
            .iter_mut()
            .filter(|event| !event.marks.has(Mark::Lost))
            .min();
        if let Some(first) = first.filter(|_| early)
            && let wait = first.due.duration_since(call.accepted_at)
            && wait <= HELD_MAX
            && let Some(told) = &mut call.told
        {
            first.marks.mark(Mark::Early, true);
            told.held = (wait + AHEAD).unsigned_abs();
        }
        self.planned.extend(planned.into_iter().map(Reverse));
    }

    /// Plans the end of a call anew that has just been hung up.
    pub(super) fn hang_up(&mut self, index: usize, call: &Call, options: &Options) {
        let Some(told) = &call.told else {
            return;
        };
        let (_, planned) = plan(index, call, told, options);
        let ends = planned
            .into_iter()
            .filter(|event| event.kind == EventKind::Dice);
        self.planned.extend(ends.map(Reverse));
    }

    /// When the next event is due, if any will be.
    pub(super) fn next_at(&mut self, calls: &[Call]) -> Option<Timestamp> {
        while let Some(Reverse(next)) = self.planned.peek() {
            if !calls[next.call].is_before_hang_up(next.moment) {
                self.planned.pop();
                continue;
            }
            return Some(next.due);
        }
        None
    }

    /// The next event that is due at `now`: it is written down as sent, and its place among those is
    /// returned with it.
    pub(super) fn pop(&mut self, calls: &[Call], now: Timestamp) -> Option<(usize, Planned)> {
        if self.next_at(calls)? > now {
            return None;
        }
        let Reverse(event) = self.planned.pop()?;
        self.sent.push(Sent {
            call: event.call,
            kind: event.kind,
            at: now,
            marks: event.marks,
            status: 0,
            unsent: "",
        });
        Some((self.sent.len() - 1, event))
    }
}

/// The id of the second call that is told with this one, if there is one, and what decides about its
/// events.
pub(super) fn second_call(options: &Options, endpoint: &str, nth: u64) -> Option<(CallId, StdRng)> {
    let mut rng = draw(options.seed, Purpose::SecondCall, endpoint, nth);
    let is_there = rng.random_bool(options.events.second_call);
    is_there.then(|| (CallId(rng.random()), rng))
}

/// The events of a call and of the second call that is told with it, and whether they come early.
fn plan(index: usize, call: &Call, told: &Told, options: &Options) -> (bool, Vec<Planned>) {
    let mut rng = draw(options.seed, Purpose::Event, &call.endpoint, told.nth);
    let early = rng.random_bool(options.events.early);
    let mut planned = Vec::new();
    plan_one(&mut planned, (index, call, told), options, &mut rng, false);
    if let Some((_, mut rng)) = second_call(options, &call.endpoint, told.nth) {
        plan_one(&mut planned, (index, call, told), options, &mut rng, true);
    }
    (early, planned)
}

fn plan_one(
    planned: &mut Vec<Planned>,
    (index, call, told): (usize, &Call, &Told),
    options: &Options,
    rng: &mut StdRng,
    is_second: bool,
) {
    let (faults, scale) = (&options.events, options.time_scale);
    let without_debit = rng.random_bool(faults.without_debit);
    for kind in EventKind::ALL {
        let slip = Slip::draw(faults, rng);
        let happens = told.url(kind).and_then(|_| call.moment(kind, scale));
        let Some(moment) = happens else {
            continue;
        };
        let left = call.end(scale).duration_since(moment);
        let left = left.unsigned_abs() + SHUFFLE.mul_f64(scale);
        let mut marks = Marks::default();
        marks.mark(Mark::Lost, slip.lost);
        marks.mark(Mark::Late, slip.late);
        marks.mark(Mark::SecondCall, is_second);
        let is_without = without_debit && kind == EventKind::Dice;
        marks.mark(Mark::WithoutDebit, is_without);
        for (time, (share, rank)) in slip.shuffles.into_iter().take(slip.times()).enumerate() {
            marks.mark(Mark::Doubled, time > 0);
            let (mut delay, mut order) = (Duration::ZERO, 0);
            if faults.shuffled {
                (delay, order) = (left.mul_f64(2.0 * share), rank);
            }
            if slip.late {
                delay = delay.saturating_add(faults.late_by);
            }
            planned.push(Planned {
                due: moment.saturating_add(delay).unwrap_or(Timestamp::MAX),
                rank: order,
                call: index,
                nth: planned.len(),
                kind,
                moment,
                marks,
            });
        }
    }
}
