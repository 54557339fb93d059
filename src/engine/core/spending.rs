//! Money: what is held before each dial, what becomes of it, and calls that go on for too long.
//!
//! A call that lasts as long as its hold assumes is hung up. That is asked for a little early, so that
//! it is over before the next minute is begun, and again until the call is over.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::time::Duration;

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::{Command, Core, End, Flight, Now};
use crate::domain::money::said;
use crate::domain::{
    AttemptKey, AttemptState, CallId, Headroom, Hold, Outcome, PauseReason, PriceSurprise, Says,
};
use crate::store::Fact;

/// A call is hung up so long before the end of the time that its hold is for.
const HANG_UP_AHEAD: Duration = Duration::from_secs(5);
/// A hang-up that failed is tried again after this long.
const HANG_UP_AGAIN: Duration = Duration::from_secs(5);
/// A call that goes on although it was hung up is hung up again after this long.
const HUNG_UP_STILL: Duration = Duration::from_secs(30);
/// The call is asked about this long after it was hung up.
const HUNG_UP_POLL: Duration = Duration::from_secs(1);

impl Core {
    /// What was held for an attempt follows where that stands now.
    pub(super) fn charge(&mut self, key: AttemptKey, state: &AttemptState) {
        let surprise = self
            .budget
            .as_mut()
            .and_then(|budget| budget.moved(key, state));
        self.look_at(surprise);
    }

    /// A further call of an attempt is the leg of whom its call was connected to.
    pub(super) fn leg(
        &mut self,
        key: AttemptKey,
        call: CallId,
        says: &Says,
        now: Now,
        commands: &mut Vec<Command>,
    ) {
        let outcome = match says {
            Says::Ended(outcome) => outcome.clone(),
            Says::GoesOn | Says::Ask => Outcome::unknown(),
        };
        self.leg_costs(key, &call, &outcome);
        commands.push(Command::Record(Fact::Leg {
            key,
            call,
            outcome,
            at: now.wall,
        }));
    }

    /// What a leg costs counts with its attempt.
    pub(super) fn leg_costs(&mut self, key: AttemptKey, call: &CallId, outcome: &Outcome) {
        let surprise = self
            .budget
            .as_mut()
            .and_then(|budget| budget.leg(key, call, outcome.debit.as_ref()));
        self.look_at(surprise);
    }

    /// The call of an attempt was connected: it counts with what is held for both ends from now on.
    pub(super) fn connected(
        &mut self,
        key: AttemptKey,
        over: Option<(&AttemptState, Option<Decimal>, Timestamp)>,
    ) {
        if let Some(budget) = &mut self.budget {
            budget.connected(key, over);
        }
    }

    /// A price that is none, or more than was held, stops the run: a person must look.
    fn look_at(&mut self, surprise: Option<PriceSurprise>) {
        let Some((surprise, budget)) = surprise.zip(self.budget.as_ref()) else {
            return;
        };
        let currency = &budget.spend().currency;
        let why = match surprise {
            PriceSurprise::Foreign(debit) => format!(
                "a call was billed {debit}, and the cap is in {currency}: its hold is kept, and \
                 currencies are never added together"
            ),
            PriceSurprise::AboveHold { debit, hold } => format!(
                "a call cost {}, more than the {} that were held as its worst case: calls cost more \
                 than [spend] says, or one could not be hung up",
                said(debit, currency),
                said(hold, currency)
            ),
            PriceSurprise::NoPrice(told) => {
                format!("a call was billed `{told}`, which is no price: its hold is kept")
            }
        };
        self.drain(End::Paused(PauseReason::Price(why)));
    }

    /// Whether there is room under the caps for whoever is next.
    pub(super) fn room_for_next(&self, now: Now) -> Headroom {
        match (&self.budget, self.queue.front()) {
            (Some(budget), Some(due)) => budget.room(due.hold, now.wall),
            _ => Headroom::Enough,
        }
    }

    /// Holds the worst case of an attempt whose intent is about to be written.
    pub(super) fn hold(&mut self, key: AttemptKey, hold: Option<Hold>, now: Now) {
        if let Some(budget) = &mut self.budget {
            budget.hold(key, hold, now.wall);
        }
    }

    /// Pauses the run when the next call does not fit under its cap and nothing is left in flight
    /// whose hold could be released.
    pub(super) fn stop_at_the_cap(&mut self, now: Now) {
        if self.flights.is_empty()
            && matches!(
                self.room_for_next(now),
                Headroom::OverCap { .. } | Headroom::NoPrice
            )
            && let Some(why) = self.short_of_money(now)
        {
            self.drain(End::Paused(PauseReason::SpendCap(why.into_owned())));
        }
    }

    /// In words, what is missing for the next call.
    pub(super) fn short_of_money(&self, now: Now) -> Option<Cow<'static, str>> {
        let spend = self.budget.as_ref()?.spend();
        let currency = &spend.currency;
        let wanted = self.queue.front()?.hold.map(|hold| hold.amount);
        let wanted = said(wanted.unwrap_or_default(), currency);
        match self.room_for_next(now) {
            Headroom::Enough => None,
            Headroom::NoPrice => Some(
                "nobody says what the next call may cost: its price was nothing or less when the \
                 run began, and a cap cannot be kept without one"
                    .into(),
            ),
            Headroom::OverCap { left } => Some(
                format!(
                    "the next call may cost {wanted}, and {} are left of the cap of {}",
                    said(left, currency),
                    said(spend.cap.or(spend.per_day).unwrap_or_default(), currency)
                )
                .into(),
            ),
            Headroom::OverDay { left, until } => Some(
                format!(
                    "the next call may cost {wanted}, and {} are left of per_day, {}; the next day \
                     begins at {}",
                    said(left, currency),
                    said(spend.per_day.unwrap_or_default(), currency),
                    (until.to_zoned(spend.zone())).strftime("%Y-%m-%d %H:%M %:z")
                )
                .into(),
            ),
        }
    }

    /// Plans when a call is hung up that began `ago`.
    pub(super) fn plan_hang_up(
        &mut self,
        key: AttemptKey,
        hold: Option<Hold>,
        ago: Duration,
        now: Now,
    ) {
        if let Some(hold) = hold.filter(|_| self.budget.is_some()) {
            let longest = Duration::from_secs(hold.longest_s.into());
            let left = longest.saturating_sub(HANG_UP_AHEAD).saturating_sub(ago);
            self.hang_ups.push(Reverse((now.mono + left, key)));
        }
    }

    /// Hangs up the calls whose time is over.
    pub(super) fn hang_up(&mut self, now: Now, commands: &mut Vec<Command>) {
        while let Some(Reverse((at, key))) = self.hang_ups.peek().copied()
            && at <= now.mono
        {
            self.hang_ups.pop();
            if let Some(Flight::Open(open)) = self.flights.get(&key) {
                commands.push(Command::HangUp(key, open.call.clone()));
            }
        }
    }

    /// A hang-up was answered, or was not.
    pub(super) fn hung_up(&mut self, key: AttemptKey, done: bool, now: Now) {
        if !matches!(self.flights.get(&key), Some(Flight::Open(_))) {
            return;
        }
        let again = if done {
            self.progress.hung_up += 1;
            self.poll_soon(key, now.mono + HUNG_UP_POLL);
            HUNG_UP_STILL
        } else {
            self.progress.hang_ups_failed += 1;
            HANG_UP_AGAIN
        };
        self.hang_ups.push(Reverse((now.mono + again, key)));
    }

    /// When the next call is to be hung up.
    pub(super) fn next_hang_up(&self) -> Option<Duration> {
        self.hang_ups.peek().map(|Reverse((at, _))| *at)
    }
}
