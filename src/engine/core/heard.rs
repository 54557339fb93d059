//! What the platform tells by itself: events, and words on attempts that are not in hand any more.
//!
//! An event may come before the answer to the POST that caused its call, and before the answer to a GET. The
//! request that was overtaken so is remembered until its answer is there.

use std::time::Duration;

use tracing::debug;

use super::dialling::UNCERTAIN_COUNTS;
use super::moves::{Step, Whom};
use super::{Command, Core, End, Flight, More, Now, Phase};
use crate::domain::attempt::two_calls;
use crate::domain::{
    AttemptId, AttemptKey, AttemptState, CallId, Disposition, EventNumber, Hold, InCall, News,
    Outcome, PauseReason, RecipientId, RecipientState, Says, Stage, Verdict,
};
use crate::store::{Fact, OpenCall, Taken, Was};

/// A call that is over by an event without a price is asked about so often, where the answer tells nothing.
const PRICE_BLANK_MAX: u32 = 3;
/// While calls are told, one that was not is asked about no sooner than this.
const LATE_FIRST: Duration = Duration::from_secs(30);
/// And so long after the longest call that was told was over.
const LATE_BY: Duration = Duration::from_secs(10);
/// One that is still not told is asked about again after so long at most.
const LATE_AGAIN_MAX: Duration = Duration::from_mins(1);
/// So long a phone rings, at most.
const RINGS_MAX: Duration = Duration::from_mins(2);

/// An event, and the attempt that it is about.
#[derive(Debug, Clone)]
pub struct Heard {
    /// Its place.
    pub number: EventNumber,
    /// The attempt.
    pub key: AttemptKey,
    /// The attempt's id.
    pub id: AttemptId,
    /// On whom.
    pub recipient: RecipientId,
    /// What it tells.
    pub news: News,
    /// What it makes of the call, by what was heard in it.
    pub makes: InCall,
}

/// What is known of the platform telling by itself.
#[derive(Debug, Default)]
pub(super) struct Telling {
    /// Whether it is expected to.
    pub(super) expected: bool,
    /// The age at which the longest call was told to be over.
    pub(super) longest: Duration,
}

impl Telling {
    /// The age at which a call of this age is asked about that should be told.
    pub(super) fn late(&self, age: Duration) -> Duration {
        let first = LATE_FIRST.max(self.longest + self.longest / 4 + LATE_BY);
        if age < first {
            return first;
        }
        age + (age / 2).clamp(LATE_BY, LATE_AGAIN_MAX)
    }
}

impl Telling {
    /// A call was told to be over at this age, which an event that waited for us makes too old.
    fn over(&mut self, age: Duration, outcome: &Outcome) {
        let talked = outcome.duration_s.and_then(|s| u64::try_from(s).ok());
        let lasted = Duration::from_secs(talked.unwrap_or(0)) + RINGS_MAX;
        self.longest = self.longest.max(age.min(lasted));
    }
}

/// A POST whose answer an event overtook: when it left, whether it hangs, and the call that was told.
#[derive(Debug)]
pub(super) struct Overtaken {
    left: Duration,
    hangs: bool,
    call: CallId,
    id: AttemptId,
}

impl Core {
    /// The same core, which expects to be told of calls, and asks late.
    #[must_use]
    pub fn hearing(mut self, expected: bool) -> Self {
        self.telling.expected = expected;
        self.progress.hears = expected;
        self
    }

    /// While calls are told, until when the platform may yet tell of an attempt that is uncertain; none where it
    /// is not waited for.
    pub(super) fn word_by(&self, now: Now) -> Option<Duration> {
        let until = self.uncertain.back().filter(|until| **until > now.mono);
        until
            .copied()
            .filter(|_| self.telling.expected || self.talks.asks())
    }

    /// Whether an attempt is the core's to move.
    pub fn has_in_hand(&self, key: AttemptKey) -> bool {
        self.flights.contains_key(&key)
    }

    pub(super) fn heard(&mut self, heard: Heard, now: Now, commands: &mut Vec<Command>) {
        let Heard {
            number,
            key,
            id,
            recipient,
            news,
            makes,
        } = heard;
        let flight = self.flights.get(&key);
        if matches!(flight, Some(Flight::Posted { .. } | Flight::Open(_))) {
            self.hear(recipient, makes);
            if makes.has(InCall::CONNECTED) {
                self.connected(key, None);
            }
        }
        if news.says == Says::Ask {
            if self.has_in_hand(key) {
                self.poll_soon(key, now.mono);
                commands.push(Command::Handled(number));
            } else {
                commands.push(Command::Observe(number));
            }
            return;
        }
        self.progress.told += 1;
        match self.flights.get(&key) {
            // It was never sent by us: what this means is for the next start to find out.
            Some(Flight::Intending(..) | Flight::Ready(..)) => {
                debug!(attempt.id = %id, "an event of a callout that has not left");
                return;
            }
            None => {
                if self.is_in_flight(recipient) {
                    // The attempt that is in hand may end before the store has looked at this.
                    self.hear(recipient, makes.stays());
                }
                commands.push(Command::Observe(number));
                return;
            }
            Some(Flight::Posted { .. }) => self.overtook(key, id, (number, news), now, commands),
            Some(Flight::Open(_)) => self.told(key, id, (number, news), now, commands),
        }
        if !self.is_priced_later(key, number) {
            commands.push(Command::Handled(number));
        }
    }

    /// An event came before the answer to its POST.
    fn overtook(
        &mut self,
        key: AttemptKey,
        id: AttemptId,
        (number, news): (EventNumber, News),
        now: Now,
        commands: &mut Vec<Command>,
    ) {
        let Some(call) = news.call.clone() else {
            return;
        };
        let Some(Flight::Posted {
            recipient,
            tried,
            hold,
            intended_at,
            at,
            hangs,
        }) = self.flights.remove(&key)
        else {
            return;
        };
        let overtaken = Overtaken {
            left: at,
            hangs,
            call: call.clone(),
            id,
        };
        self.posts_overtaken.insert(key, overtaken);
        self.placed();
        let whom = Whom {
            recipient,
            tried,
            was: Was::InFlight,
        };
        let unpriced = matches!(&news.says, Says::Ended(outcome) if outcome.lacks_price());
        if let (Says::Ended(outcome), false) = (&news.says, unpriced) {
            self.progress.ended(outcome);
        } else {
            let began = OpenCall {
                key,
                recipient,
                call,
                intended_at,
                accepted_at: now.wall,
                hold,
                tried,
                heard: InCall::NOTHING,
            };
            self.follow(began, at, now);
        }
        let mut first = news.clone();
        if unpriced {
            // Until its price was asked for it goes on.
            first.says = Says::GoesOn;
        }
        let Some(event) = first.event() else {
            return;
        };
        let step = Step {
            key,
            before: AttemptState::Intended,
            event,
            whom,
            wait: Duration::ZERO,
        };
        self.take(step, now, commands);
        if unpriced {
            self.told(key, id, (number, news), now, commands);
        }
    }

    /// An event tells of a call that goes on for all we know.
    fn told(
        &mut self,
        key: AttemptKey,
        id: AttemptId,
        (number, news): (EventNumber, News),
        now: Now,
        commands: &mut Vec<Command>,
    ) {
        let Some(Flight::Open(open)) = self.flights.get_mut(&key) else {
            return;
        };
        if let Some(other) = news.call.filter(|call| *call != open.call) {
            let (known, recipient) = (open.call.clone(), open.recipient);
            if self.heard_of(recipient).has(InCall::CONNECTED) {
                self.leg(key, other, &news.says, now, commands);
            } else {
                self.second_call((key, id), &known, other, now, commands);
            }
            return;
        }
        let Says::Ended(outcome) = news.says else {
            return;
        };
        let outcome = match open.told.take() {
            Some(told) => told.completed(outcome),
            None => outcome,
        };
        if outcome.lacks_price() {
            // Its price, where it has one, is asked for once more, however often it is told without.
            open.told = Some(outcome);
            open.told_by.push(number);
            self.poll_soon(key, now.mono);
            return;
        }
        self.over(key, outcome, now, commands);
    }

    /// A call is over by an event's word. A GET that is out is not waited for.
    fn over(&mut self, key: AttemptKey, outcome: Outcome, now: Now, commands: &mut Vec<Command>) {
        if let Some(Flight::Open(open)) = self.flights.get_mut(&key) {
            let age = open.age_at(now.mono);
            self.telling.over(age, &outcome);
            if let Some(asked) = open.asked.take() {
                self.gets_overtaken.insert(key, asked);
            }
        }
        self.ended(key, outcome, now, commands);
    }

    /// Whether an event's call waits for its price, so that the event is done with later.
    fn is_priced_later(&self, key: AttemptKey, number: EventNumber) -> bool {
        match self.flights.get(&key) {
            Some(Flight::Open(open)) => open.told_by.contains(&number),
            _ => false,
        }
    }

    /// Asked about a call that is over by an event's word, the platform told nothing new. Whether it is
    /// asked again.
    pub(super) fn asks_for_price(blank: u32) -> bool {
        blank < PRICE_BLANK_MAX
    }

    /// The answer to a POST that an event overtook. Returns whether it was one.
    pub(super) fn answer_was_overtaken(
        &mut self,
        key: AttemptKey,
        verdict: &Verdict,
        now: Now,
        commands: &mut Vec<Command>,
    ) -> bool {
        let Some(overtaken) = self.posts_overtaken.remove(&key) else {
            return false;
        };
        self.posts
            .answered(overtaken.left, overtaken.hangs, now.mono);
        match verdict {
            Verdict::Accepted(answered) if *answered != overtaken.call => {
                let (known, other) = (&overtaken.call, answered.clone());
                self.second_call((key, overtaken.id), known, other, now, commands);
            }
            // That its answer was lost, or says otherwise, is about the platform, not about the call.
            Verdict::Uncertain(_) => self.breaker.failed(),
            _ => {}
        }
        true
    }

    /// The answer to a GET that an event overtook.
    pub(super) fn get_was_overtaken(&mut self, key: AttemptKey, now: Now) {
        if let Some((left, hangs)) = self.gets_overtaken.remove(&key) {
            self.gets.answered(left, hangs, now.mono);
        }
    }

    /// One attempt has two calls: nobody else is called until a person has looked.
    fn second_call(
        &mut self,
        (key, id): (AttemptKey, AttemptId),
        known: &CallId,
        other: CallId,
        now: Now,
        commands: &mut Vec<Command>,
    ) {
        let why = two_calls(id, known, &other);
        commands.push(Command::Record(Fact::SecondCall {
            key,
            call: other,
            at: now.wall,
        }));
        self.drain(End::Paused(PauseReason::TwoCalls(why)));
    }

    /// The store is about to decide about somebody who may be due: until that is known they are not called.
    pub fn set_aside(&mut self, recipient: RecipientId) {
        let mut queue = self.queue.iter();
        let found = queue.position(|due| due.recipient == recipient);
        let due = found.and_then(|at| self.queue.remove(at));
        self.set_aside = Some((recipient, due));
    }

    /// Whether somebody is aside until then.
    pub(super) fn is_set_aside(&self, who: RecipientId) -> bool {
        self.set_aside.as_ref().is_some_and(|(it, _)| *it == who)
    }

    /// What the store decided about them is known. Who moved is as the store says; the others go on as they were.
    pub fn put_back(&mut self, moved: bool) {
        let Some((recipient, Some(due))) = self.set_aside.take() else {
            return;
        };
        if moved || self.phase != Phase::Running {
            self.held.remove(&recipient);
        } else {
            self.queue.push_back(due);
        }
    }

    /// Whether an attempt on them is in hand.
    fn is_in_flight(&self, recipient: RecipientId) -> bool {
        self.flights.values().any(|flight| match flight {
            Flight::Intending(_, due, _) | Flight::Ready(_, due) => due.recipient == recipient,
            Flight::Posted { recipient: on, .. } => *on == recipient,
            Flight::Open(open) => open.recipient == recipient,
        })
    }

    /// A word on an attempt that was not in hand is taken into account in the store.
    pub(super) fn observed_elsewhere(&mut self, taken: Taken, open: Vec<OpenCall>, now: Now) {
        self.opened(open, now);
        self.put_back(taken.moved.is_some());
        let was_uncertain = taken.before == Stage::Uncertain;
        let is_uncertain = taken.state.stage() == Stage::Uncertain;
        if was_uncertain && !is_uncertain {
            // Its place among the calls at once is free again, or its call's.
            let age = now.wall.duration_since(taken.intended_at);
            if age.unsigned_abs() < UNCERTAIN_COUNTS {
                self.uncertain.pop_front();
            }
            self.progress.undone(Disposition::Uncertain);
        }
        if let Some(budget) = &mut self.budget
            && taken.before.is_live()
            && !taken.state.stage().is_live()
        {
            let hold = taken.hold.map(|amount| Hold {
                amount,
                longest_s: 0,
            });
            budget.held(taken.key, hold, taken.intended_at);
        }
        if let AttemptState::Final { outcome, .. } = &taken.state
            && taken.before != Stage::Final
        {
            self.progress.ended(outcome);
        }
        self.charge(taken.key, &taken.state);
        match &taken.leg {
            Some((call, outcome)) => self.leg_costs(taken.key, call, outcome),
            None if taken.heard.has(InCall::CONNECTED) => {
                let over = (&taken.state, taken.hold, taken.intended_at);
                self.connected(taken.key, Some(over));
            }
            None => {}
        }
        match taken.was {
            RecipientState::Done(disposition)
                if taken.moved.is_some() && disposition != Disposition::Uncertain =>
            {
                self.progress.undone(disposition);
            }
            _ => {}
        }
        match taken.moved {
            Some(RecipientState::Done(disposition)) => {
                self.progress.done(disposition);
                self.forget(taken.recipient);
            }
            Some(RecipientState::InFlight) => self.forget(taken.recipient),
            Some(RecipientState::Pending | RecipientState::Waiting) => {
                self.more = More::Maybe;
                self.page_is_stale = true;
                if self.fetching {
                    // It was read before they were to wait.
                    self.overtaken.insert(taken.recipient);
                }
            }
            None if self.is_in_flight(taken.recipient) => {
                self.hear(taken.recipient, taken.heard.stays());
            }
            None => {}
        }
        if let Some(why) = taken.alarm {
            self.drain(End::Paused(PauseReason::TwoCalls(why)));
        }
        self.give_up_if_unreachable(now);
    }
}
