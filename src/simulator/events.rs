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
use super::course::{ANSWER_WAIT_MS, Step, scaled_ms};
use super::event::{EventFaults, EventKind, Mark, Marks, Planned, Told};
use super::options::Options;

/// Simulated time by which a shuffle delays even the last event of a call, on average.
const SHUFFLE: Duration = Duration::from_secs(1);
/// The longest that the answer to a POST is held back for an event.
const HELD_MAX: SignedDuration = SignedDuration::from_secs(5);
/// Where a call's menu results and notifications begin among its events, and where its end does.
const ITEM: usize = 1 << 8;
const END: usize = 1 << 40;
/// What an event that comes early has for its way.
const AHEAD: SignedDuration = SignedDuration::from_millis(100);

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
#[derive(Debug)]
pub(super) struct Events {
    time_scale: f64,
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

    /// Whether the event comes while its answer is waited for.
    fn is_in_time(&self, options: &Options) -> bool {
        let wait = scaled_ms(ANSWER_WAIT_MS, options.time_scale).unsigned_abs();
        let is_too_late = self.late && options.events.late_by > wait;
        !(self.lost || is_too_late)
    }

    /// How often the event is planned: a lost one is planned, too, and not sent when it is due.
    fn times(&self) -> usize {
        if self.doubled && !self.lost { 2 } else { 1 }
    }
}

impl Events {
    /// Nothing yet, at so much wall time for simulated time.
    pub(super) fn new(time_scale: f64) -> Self {
        Self {
            time_scale,
            planned: BinaryHeap::new(),
            sent: Vec::new(),
        }
    }

    /// Plans the events of a call that has just been placed. The answer to its POST is held
    /// back where one of them comes early.
    pub(super) fn place(&mut self, index: usize, call: &mut Call, options: &Options) {
        let Some(told) = &call.told else {
            return;
        };
        let (early, mut planned) = plan(index, call, told, options);
        if let Some((ask_ms, asked_at)) = call.asks_at_its_answer(options.time_scale)
            && let Some(course) = &mut call.course
            && !planned.iter().any(|event| {
                let is_late = event.marks.has(Mark::Late) && event.due > asked_at;
                event.kind == EventKind::Ace
                    && !event.marks.has(Mark::SecondCall)
                    && !event.marks.has(Mark::Lost)
                    && !is_late
            })
        {
            let step = course.step(Step::GiveUp);
            let at = course.moment(ask_ms + ANSWER_WAIT_MS, options.time_scale);
            self.step(index, step, at);
        }
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

    /// Plans the end of a call, now that it is known: anew where it was known before.
    pub(super) fn end(&mut self, index: usize, call: &Call, options: &Options) {
        let Some(told) = &call.told else {
            return;
        };
        let (_, planned) = plan(index, call, told, options);
        let ends = planned
            .into_iter()
            .filter(|event| event.kind == EventKind::Dice)
            .map(|event| Planned {
                nth: END + event.nth,
                ..event
            });
        self.planned.extend(ends.map(Reverse));
    }

    /// Plans a menu result or a notification; whether it comes while its answer is waited for.
    pub(super) fn tell(
        &mut self,
        (index, call): (usize, &Call),
        (kind, item): (EventKind, u32),
        moment: Timestamp,
        options: &Options,
    ) -> bool {
        let Some(told) = &call.told else {
            return false;
        };
        let nth = (told.nth << 16) ^ u64::from(item);
        let mut rng = draw(options.seed, Purpose::Told, &call.endpoint, nth);
        let slip = Slip::draw(&options.events, &mut rng);
        for time in 0..slip.times() {
            let mut marks = Marks::default();
            marks.mark(Mark::Lost, slip.lost);
            marks.mark(Mark::Late, slip.late);
            marks.mark(Mark::Doubled, time > 0);
            let late_by = if slip.late {
                options.events.late_by
            } else {
                Duration::ZERO
            };
            self.planned.push(Reverse(Planned {
                due: moment.saturating_add(late_by).unwrap_or(Timestamp::MAX),
                rank: 0,
                call: index,
                nth: ITEM + usize::try_from(item).unwrap_or(0),
                kind,
                item,
                moment,
                marks,
            }));
        }
        slip.is_in_time(options)
    }

    /// Plans what the platform does by itself.
    pub(super) fn step(&mut self, call: usize, step: u32, at: Timestamp) {
        self.planned.push(Reverse(Planned {
            due: at,
            rank: 0,
            call,
            nth: ITEM,
            kind: EventKind::Step,
            item: step,
            moment: at,
            marks: Marks::default(),
        }));
    }

    /// When the next event is due, if any will be.
    pub(super) fn next_at(&mut self, calls: &[Call]) -> Option<Timestamp> {
        while let Some(Reverse(next)) = self.planned.peek() {
            if !calls[next.call].is_current(next, self.time_scale) {
                self.planned.pop();
                continue;
            }
            return Some(next.due);
        }
        None
    }

    /// The next event that is due at `now`: it is written down as sent, and its place among those is
    /// returned with it. A step is not written down.
    pub(super) fn pop(&mut self, calls: &[Call], now: Timestamp) -> Option<(usize, Planned)> {
        if self.next_at(calls)? > now {
            return None;
        }
        let Reverse(event) = self.planned.pop()?;
        if event.kind == EventKind::Step {
            return Some((usize::MAX, event));
        }
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
    for kind in EventKind::EVERY_CALL {
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
            // What waits for an answer keeps its order.
            if faults.shuffled && !(kind == EventKind::Ace && call.course.is_some()) {
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
                item: 0,
                moment,
                marks,
            });
        }
    }
}
