//! The budget of an engine at work: what is committed, what is held for whom, and whether there is room
//! for one more call.
//!
//! The sums begin with what the database says and follow every hold, settlement and release from there.
//! A day is that of the attempt's intent: a call across midnight is charged to the day it began on.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use rust_decimal::Decimal;

use super::spend::{Charge, Hold, Legs, Spend, Standing};
use super::{AttemptKey, AttemptState, CallId, Money};

/// Whether there is room for a hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Headroom {
    /// There is.
    Enough,
    /// Not under the run's cap.
    OverCap {
        /// What is left of it.
        left: Decimal,
    },
    /// Not on this day.
    OverDay {
        /// What is left of it.
        left: Decimal,
        /// When the next day begins.
        until: Timestamp,
    },
    /// Nothing is to be held, which cannot be: nobody says what the call may cost.
    NoPrice,
}

/// Something about a debit that a person must look at before more is spent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PriceSurprise {
    /// It is in another currency than the cap.
    Foreign(Money),
    /// It is higher than the worst case.
    AboveHold {
        /// What was billed.
        debit: Decimal,
        /// What was held.
        hold: Decimal,
    },
    /// It cannot be read, or it is below zero: what was said, in the platform's own words.
    NoPrice(String),
}

/// What may still be spent.
#[derive(Debug, Clone)]
pub struct Budget {
    spend: Spend,
    zone: TimeZone,
    committed: Decimal,
    /// By day, of those from `since` on.
    days: BTreeMap<Date, Decimal>,
    /// What was committed on earlier days is not known.
    since: Date,
    /// Of attempts that are not over: the hold, and its day.
    holds: HashMap<AttemptKey, (Decimal, Date)>,
    /// Attempts whose call was connected to somebody else.
    connected: HashMap<AttemptKey, Connected>,
}

/// What is known of an attempt whose call was connected.
#[derive(Debug, Clone, Default)]
struct Connected {
    /// Its legs that were told, and their prices.
    legs: HashMap<CallId, Option<Money>>,
    /// Once its own call is over: how that stands, its hold, its day, and what it counts.
    over: Option<(Standing, Decimal, Date, Decimal)>,
}

impl Connected {
    fn legs(&self) -> Legs {
        Legs::Told(self.legs.values().cloned().collect())
    }
}

impl Budget {
    /// A budget of which so much is committed: by the run, and by its campaign on each of the days
    /// from [`days_that_matter`](Self::days_that_matter).
    pub fn new(
        spend: Spend,
        committed: Decimal,
        days: impl IntoIterator<Item = (Date, Decimal)>,
        now: Timestamp,
    ) -> Self {
        let zone = spend.zone();
        let days: BTreeMap<Date, Decimal> = days.into_iter().collect();
        let today = zone.to_datetime(now).date();
        let since = days.keys().next().copied().unwrap_or(today);
        Self {
            spend,
            zone,
            committed,
            days,
            since,
            holds: HashMap::new(),
            connected: HashMap::new(),
        }
    }

    /// The days around now of which a budget must know what is committed, each with its first moment
    /// and that of the next.
    pub fn days_that_matter(spend: &Spend, now: Timestamp) -> Vec<(Date, Timestamp, Timestamp)> {
        if spend.per_day.is_none() {
            return Vec::new();
        }
        let zone = spend.zone();
        let today = zone.to_datetime(now).date();
        [-1, 0, 1]
            .iter()
            .filter_map(|offset| {
                let day = today.checked_add(offset.days()).ok()?;
                let (from, until) = bounds(day, &zone)?;
                Some((day, from, until))
            })
            .collect()
    }

    /// The day of a moment, with its first moment and that of the next.
    pub fn day_of(spend: &Spend, at: Timestamp) -> Option<(Date, Timestamp, Timestamp)> {
        let zone = spend.zone();
        let day = zone.to_datetime(at).date();
        let (from, until) = bounds(day, &zone)?;
        Some((day, from, until))
    }

    /// What the campaign says.
    pub fn spend(&self) -> &Spend {
        &self.spend
    }

    /// What the run is billed with and what is held for it.
    pub fn committed(&self) -> Decimal {
        self.committed
    }

    /// Whether there is room for a hold now.
    pub fn room(&self, hold: Option<Hold>, now: Timestamp) -> Headroom {
        let Some(amount) = amount(hold) else {
            return Headroom::NoPrice;
        };
        if let Some(cap) = self.spend.cap
            && self.committed.saturating_add(amount) > cap
        {
            let left = (cap - self.committed).max(Decimal::ZERO);
            return Headroom::OverCap { left };
        }
        if let Some(cap) = self.spend.per_day {
            if amount > cap {
                // No day has room for it.
                return Headroom::OverCap { left: cap };
            }
            let day = self.day(now);
            let committed = self.days.get(&day).copied().unwrap_or_default();
            // A clock that was set back beyond what is known: nothing more is spent.
            let known = day >= self.since;
            if !known || committed.saturating_add(amount) > cap {
                let next = bounds(day, &self.zone).map_or(Timestamp::MAX, |(_, until)| until);
                return Headroom::OverDay {
                    left: if known {
                        (cap - committed).max(Decimal::ZERO)
                    } else {
                        Decimal::ZERO
                    },
                    until: next,
                };
            }
        }
        Headroom::Enough
    }

    /// Holds an amount for an attempt whose intent is about to be written.
    pub fn hold(&mut self, key: AttemptKey, hold: Option<Hold>, now: Timestamp) {
        let amount = amount(hold).unwrap_or_default();
        let day = self.day(now);
        self.holds.insert(key, (amount, day));
        self.change(day, amount);
    }

    /// Takes over what is held already for an attempt of an earlier process.
    pub fn held(&mut self, key: AttemptKey, hold: Option<Hold>, intended_at: Timestamp) {
        let amount = amount(hold).unwrap_or_default();
        self.holds.insert(key, (amount, self.day(intended_at)));
    }

    /// Notes that an attempt moved on: its hold is kept, settled or released.
    pub fn moved(&mut self, key: AttemptKey, state: &AttemptState) -> Option<PriceSurprise> {
        if matches!(state, AttemptState::Intended | AttemptState::Accepted(_)) {
            return None;
        }
        let (hold, day) = self.holds.remove(&key)?;
        let standing = Standing::from(state);
        let legs = self.connected.get(&key).map(Connected::legs);
        let legs = legs.unwrap_or_default();
        let charge = self.spend.charge(&standing, Some(hold), &legs);
        self.change(day, charge.amount() - hold);
        if let (Some(connected), Standing::Over(_)) = (self.connected.get_mut(&key), &standing) {
            connected.over = Some((standing.clone(), hold, day, charge.amount()));
        }
        // A call that counts with its hold for the sake of its legs is not at fault itself.
        let own = match charge {
            Charge::Settled(_) => charge,
            _ => self.spend.charge(&standing, Some(hold), &Legs::None),
        };
        match (own, standing) {
            (Charge::Foreign(_), Standing::Over(outcome)) => {
                outcome.debit.map(PriceSurprise::Foreign)
            }
            (Charge::Unpriced(_), Standing::Over(outcome)) => {
                let below_zero = outcome.debit.map(|debit| debit.as_told());
                outcome
                    .unread_debit
                    .or(below_zero)
                    .map(PriceSurprise::NoPrice)
            }
            (Charge::Settled(debit), _) if debit > hold => {
                Some(PriceSurprise::AboveHold { debit, hold })
            }
            _ => None,
        }
    }

    /// Notes that the call of an attempt was connected to somebody else: it counts with what is held for both until
    /// the price of the other leg is told. `over` is how it stands where it is over already, with its hold and the
    /// moment of its intent.
    pub fn connected(
        &mut self,
        key: AttemptKey,
        over: Option<(&AttemptState, Option<Decimal>, Timestamp)>,
    ) {
        if self.connected.contains_key(&key) {
            return;
        }
        let mut connected = Connected::default();
        if let Some((state @ AttemptState::Final { .. }, hold, intended_at)) = over {
            let (standing, day) = (Standing::from(state), self.day(intended_at));
            let before = self.spend.charge(&standing, hold, &Legs::None).amount();
            let now = self
                .spend
                .charge(&standing, hold, &connected.legs())
                .amount();
            self.change(day, now - before);
            connected.over = Some((standing, hold.unwrap_or_default(), day, now));
        }
        self.connected.insert(key, connected);
    }

    /// Notes what is told of a leg of a call that was connected. Of others nothing is noted.
    pub fn leg(
        &mut self,
        key: AttemptKey,
        call: &CallId,
        debit: Option<&Money>,
    ) -> Option<PriceSurprise> {
        let connected = self.connected.get_mut(&key)?;
        let leg = connected.legs.entry(call.clone()).or_default();
        if let Some(debit) = debit {
            *leg = Some(debit.clone());
        }
        let legs = connected.legs();
        let ours = |debit: &Money| {
            let currency = debit.currency.as_ref();
            currency.is_none_or(|currency| *currency == self.spend.currency)
        };
        let foreign = debit.filter(|debit| !ours(debit)).cloned();
        let mut surprise = foreign.map(PriceSurprise::Foreign);
        if let Some((standing, hold, day, counts)) = &mut connected.over {
            let charge = self.spend.charge(standing, Some(*hold), &legs);
            let (by, day, hold) = (charge.amount() - *counts, *day, *hold);
            *counts = charge.amount();
            self.change(day, by);
            if let Charge::Settled(debit) = charge
                && debit > hold
            {
                surprise = surprise.or(Some(PriceSurprise::AboveHold { debit, hold }));
            }
        }
        surprise
    }

    fn change(&mut self, day: Date, by: Decimal) {
        self.committed = self.committed.saturating_add(by);
        let sum = self.days.entry(day).or_default();
        *sum = sum.saturating_add(by);
    }

    fn day(&self, at: Timestamp) -> Date {
        self.zone.to_datetime(at).date()
    }
}

/// What is held, where something is.
fn amount(hold: Option<Hold>) -> Option<Decimal> {
    let amount = hold.map(|hold| hold.amount);
    amount.filter(|amount| Money::is_price(*amount))
}

/// When a day begins in a zone, and when the next one does.
fn bounds(day: Date, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
    let begins = |day: Date| Some(day.to_zoned(zone.clone()).ok()?.timestamp());
    Some((begins(day)?, begins(day.tomorrow().ok()?)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{CallId, Outcome, Side, Uncertainty, Word};

    fn spend(cap: &str, per_day: Option<&str>) -> Spend {
        Spend {
            currency: "EUR".into(),
            cap: Some(cap.parse().unwrap()),
            per_day: per_day.map(|cap| cap.parse().unwrap()),
            time_zone: "Europe/Stockholm".into(),
            rates: None,
            longest_call_s: None,
            raised: Vec::new(),
        }
    }

    fn hold(amount: &str) -> Hold {
        Hold {
            amount: amount.parse().unwrap(),
            longest_s: 60,
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_has_its_own_cap_and_begins_at_midnight_there() {
        let now = at("2026-11-28T22:30:00Z");
        let mut budget = Budget::new(spend("9", Some("1.0")), Decimal::ZERO, [], now);
        budget.hold(AttemptKey(1), Some(hold("0.8")), now);
        let until = at("2026-11-28T23:00:00Z");
        let left = "0.2".parse().unwrap();
        assert_eq!(
            budget.room(Some(hold("0.3")), now),
            Headroom::OverDay { left, until }
        );
        assert_eq!(budget.room(Some(hold("0.3")), until), Headroom::Enough);
        // What no day has room for is not waited for.
        assert!(matches!(
            budget.room(Some(hold("1.1")), until),
            Headroom::OverCap { .. }
        ));
        // What is not known of a day long gone is nothing to spend.
        let before = at("2026-11-20T12:00:00Z");
        assert!(matches!(
            budget.room(Some(hold("0.1")), before),
            Headroom::OverDay { .. }
        ));
    }

    #[test]
    fn there_is_no_room_for_what_nobody_prices_and_a_debit_below_zero_gives_nothing_back() {
        let now = Timestamp::UNIX_EPOCH;
        let mut budget = Budget::new(spend("9", None), Decimal::ZERO, [], now);
        for hold in [None, Some(hold("0")), Some(hold("-0.01"))] {
            assert_eq!(budget.room(hold, now), Headroom::NoPrice);
            budget.hold(AttemptKey(1), hold, now);
            assert_eq!(budget.committed(), Decimal::ZERO);
        }
        budget.hold(AttemptKey(2), Some(hold("4")), now);
        let outcome = Outcome {
            debit: Some(Money {
                amount: "-3".parse().unwrap(),
                currency: Some("EUR".into()),
            }),
            ..Outcome::default()
        };
        let over = AttemptState::Final {
            call: None,
            outcome,
            word: Word::Platform,
        };
        let surprise = budget.moved(AttemptKey(2), &over);
        assert_eq!(surprise, Some(PriceSurprise::NoPrice("-3 EUR".into())));
        assert_eq!(budget.committed(), Decimal::from(4));
    }

    #[test]
    fn what_earlier_processes_hold_is_settled_on_its_own_day() {
        let spend = spend("9", Some("1.0"));
        let now = at("2026-11-28T12:00:00Z");
        let yesterday = at("2026-11-27T12:00:00Z");
        let days = Budget::days_that_matter(&spend, now);
        assert_eq!(days.len(), 3);
        let committed: Decimal = "0.9".parse().unwrap();
        let mut budget = Budget::new(
            spend,
            committed,
            [(days[0].0, committed), (days[1].0, Decimal::ZERO)],
            now,
        );
        budget.held(AttemptKey(7), Some(hold("0.9")), yesterday);
        assert_eq!(budget.room(Some(hold("1.0")), now), Headroom::Enough);
        budget.moved(AttemptKey(7), &AttemptState::NotSent("no".into()));
        assert_eq!(budget.committed(), Decimal::ZERO);
        assert_eq!(budget.room(Some(hold("1.0")), yesterday), Headroom::Enough);
    }

    proptest! {
        #[test]
        fn what_is_billed_never_passes_the_cap_while_no_debit_passes_its_hold(
            calls in proptest::collection::vec((1..200_u32, 0..=100_u32, 0..5_u8), 1..80),
            cap in 1..2_000_u32,
        ) {
            let now = Timestamp::UNIX_EPOCH;
            let cents = |n: u32| Decimal::new(i64::from(n), 2);
            let mut spend = spend("0", None);
            spend.cap = Some(cents(cap));
            let mut budget = Budget::new(spend, Decimal::ZERO, [], now);
            let mut billed = Decimal::ZERO;
            let mut open = Vec::new();
            for (key, (hold, share, end)) in (1..).zip(calls) {
                let amount = cents(hold);
                let wanted = Some(Hold { amount, longest_s: 60 });
                if budget.room(wanted, now) != Headroom::Enough {
                    continue;
                }
                let key = AttemptKey(key);
                budget.hold(key, wanted, now);
                let debit = amount * Decimal::new(i64::from(share), 2);
                let outcome = Outcome {
                    result: Some("ANSWERED".into()),
                    debit: Some(Money { amount: debit, currency: None }),
                    ..Outcome::default()
                };
                let call = CallId::new("c").unwrap();
                match end {
                    0 => drop(budget.moved(key, &AttemptState::NotSent("no".into()))),
                    1 => {
                        // It rang for all that anybody knows, and is billed in full.
                        let uncertain = Uncertainty { side: Side::Network, why: "lost".into(), accepted: false };
                        budget.moved(key, &AttemptState::Uncertain(uncertain));
                        billed += amount;
                    }
                    2 => {
                        budget.moved(key, &AttemptState::Accepted(call));
                        billed += debit;
                        open.push((key, outcome));
                    }
                    _ => {
                        billed += debit;
                        let over = AttemptState::Final { call: Some(call), outcome, word: Word::Platform };
                        prop_assert_eq!(budget.moved(key, &over), None);
                    }
                }
                prop_assert!(billed <= budget.committed());
                prop_assert!(budget.committed() <= cents(cap));
            }
            for (key, outcome) in open {
                let over = AttemptState::Final { call: CallId::new("c"), outcome, word: Word::Platform };
                budget.moved(key, &over);
            }
            prop_assert_eq!(billed, budget.committed());
        }
    }
}
