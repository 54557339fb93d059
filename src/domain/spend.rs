//! Spend: what a run may cost at most, what a call may cost, and what it is charged with meanwhile.
//!
//! Before each dial the worst case is held: the rate times the longest call, in started minutes. A hold
//! is settled by the debit, released where nothing is billed, and kept where nobody knows. What counts
//! against a cap is what is settled and what is held, so that it cannot be passed by calls that are
//! still going on. Money is decimal, in one currency: another one is never added to it.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{AttemptState, CallLength, Money, Outcome};

/// What a run may cost, as its campaign says; the run keeps it as it was when it began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spend {
    /// The currency of everything here: ISO 4217, upper case.
    pub currency: String,
    /// What the run may cost; none: only the day has a cap.
    pub cap: Option<Decimal>,
    /// What all runs of the campaign together may cost in a calendar day; none: no cap of that kind.
    pub per_day: Option<Decimal>,
    /// Whose calendar days: a name of the IANA database.
    pub time_zone: String,
    /// What a minute costs at most; none: the platform is asked, before anything is dialled.
    pub rates: Option<Rates>,
    /// What a hold assumes, in seconds: a call that goes on for longer is hung up. None: it follows
    /// from the callout.
    pub longest_call_s: Option<u32>,
    /// Every change of the cap by a person since the run began.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub raised: Vec<Raised>,
}

/// A person changed the cap of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raised {
    /// When that was.
    pub at: jiff::Timestamp,
    /// The person's name, as this machine knows it.
    pub who: String,
    /// What it was.
    pub from: Option<Decimal>,
}

/// What a minute costs at most.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rates {
    /// By how an E.164 number begins, with its `+`; the longest beginning that fits decides.
    #[serde(default)]
    pub prefixes: BTreeMap<String, Decimal>,
    /// By country and kind of a number, as the platform told: `SE mobile`.
    #[serde(default)]
    pub places: BTreeMap<String, Decimal>,
    /// Of every other endpoint.
    #[serde(default)]
    pub otherwise: Option<Decimal>,
}

impl Rates {
    /// One rate for every endpoint.
    pub fn flat(rate: Decimal) -> Self {
        Self {
            otherwise: Some(rate),
            ..Self::default()
        }
    }

    /// The key of a country and kind of number.
    pub fn place(country: &str, kind: &str) -> String {
        format!("{country} {kind}")
    }

    /// What a minute of calling an endpoint costs at most; none where nobody said so. `place` is its
    /// country and kind, which is asked for only where that matters.
    pub fn of(&self, endpoint: &str, place: impl FnOnce() -> String) -> Option<Decimal> {
        let by_prefix = (1..=endpoint.len())
            .rev()
            .filter_map(|end| endpoint.get(..end))
            .find_map(|prefix| self.prefixes.get(prefix));
        let by_place = || {
            let known = !self.places.is_empty();
            known.then(|| self.places.get(&place())).flatten()
        };
        by_prefix.or_else(by_place).copied().or(self.otherwise)
    }
}

/// What is held for an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// The worst case, in the currency of the run's [`Spend`].
    pub amount: Decimal,
    /// Seconds after which the call is hung up.
    pub longest_s: u32,
}

impl Spend {
    /// Seconds that the longest call may last; none where neither the campaign nor the callout says.
    pub fn longest_s(&self, length: CallLength) -> Option<u32> {
        self.longest_call_s.or(length.worst_s())
    }

    /// Seconds that are held for. A text that is spoken ends by itself and is ended by nobody but us: where
    /// it takes longer than `longest_call`, its time is held, because a hang-up needs an engine at work and
    /// a call whose id is known.
    pub fn held_s(&self, length: CallLength) -> Option<u32> {
        let longest_s = self.longest_s(length)?;
        let speech_s = match length.longest_s {
            Some(_) => 0,
            None => length.speech_s().unwrap_or(0),
        };
        Some(longest_s.max(speech_s.saturating_mul(2)))
    }

    /// The worst case of calling somebody: none where the rate or the length is not known. A rate of
    /// nothing, or less, is none: a hold is always above zero.
    pub fn hold(&self, rate: Option<Decimal>, length: CallLength) -> Option<Hold> {
        let longest_s = self.longest_s(length)?;
        let minutes = Decimal::from(self.held_s(length)?.div_ceil(60).max(1));
        let rate = rate.filter(|rate| Money::is_price(*rate))?;
        Some(Hold {
            amount: rate.checked_mul(minutes)?,
            longest_s,
        })
    }

    /// The zone whose days count.
    pub fn zone(&self) -> TimeZone {
        // The name was checked when the campaign was read.
        TimeZone::get(&self.time_zone).unwrap_or(TimeZone::UTC)
    }

    /// What an attempt counts against the cap. A debit in a currency that cannot be read is one in
    /// another currency, and a debit below zero is no price: money back makes no room for further calls.
    pub fn charge(&self, standing: &Standing, hold: Option<Decimal>, legs: &Legs) -> Charge {
        let hold = hold.unwrap_or_default().max(Decimal::ZERO);
        let own = self.own_charge(standing, hold);
        match (legs, own) {
            (Legs::None, own) | (_, own @ (Charge::Held(_) | Charge::Foreign(_))) => own,
            (legs, Charge::Settled(amount)) => match self.price_of(legs) {
                Some(price) => Charge::Settled(amount.saturating_add(price)),
                None => Charge::Unpriced(hold.max(amount)),
            },
            (legs, Charge::Unpriced(amount)) => {
                Charge::Unpriced(amount.max(self.price_of(legs).unwrap_or_default()))
            }
            // Of a call that was connected it is not believed that nobody answered.
            (_, Charge::Released) => Charge::Unpriced(hold),
        }
    }

    /// What the legs of a call cost together; none where that is not known in this currency.
    fn price_of(&self, legs: &Legs) -> Option<Decimal> {
        let Legs::Told(legs) = legs else {
            return None;
        };
        let price = |leg: &Option<Money>| {
            let leg = leg.as_ref()?;
            let ours = leg.currency.as_ref().is_none_or(|c| *c == self.currency);
            (ours && !leg.amount.is_sign_negative()).then_some(leg.amount)
        };
        let prices: Option<Vec<Decimal>> = legs.iter().map(price).collect();
        let prices = prices.filter(|prices| !prices.is_empty())?;
        let sum = prices.into_iter();
        Some(sum.fold(Decimal::ZERO, Decimal::saturating_add))
    }

    fn own_charge(&self, standing: &Standing, hold: Decimal) -> Charge {
        match standing {
            Standing::Open => Charge::Held(hold),
            Standing::Dropped => Charge::Released,
            Standing::Over(outcome) => match &outcome.debit {
                Some(Money { amount, currency }) => match currency {
                    Some(currency) if *currency != self.currency => Charge::Foreign(hold),
                    _ if amount.is_sign_negative() && !amount.is_zero() => Charge::Unpriced(hold),
                    _ => Charge::Settled(*amount),
                },
                None if outcome.unanswered() => Charge::Released,
                None => Charge::Unpriced(hold),
            },
        }
    }
}

/// What is known of the legs of a call: of whom it was connected to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Legs {
    /// It was not connected.
    #[default]
    None,
    /// It was, by these legs that were told, each with its price where that was.
    Told(Vec<Option<Money>>),
}

/// Where an attempt stands, as far as money is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// A phone may ring, or may have rung: intended, accepted or uncertain.
    Open,
    /// Not sent, or refused: nothing is billed.
    Dropped,
    /// The call is over.
    Over(Outcome),
}

impl From<&AttemptState> for Standing {
    fn from(state: &AttemptState) -> Self {
        match state {
            AttemptState::Intended | AttemptState::Accepted(_) | AttemptState::Uncertain(_) => {
                Self::Open
            }
            AttemptState::NotSent(_) | AttemptState::Refused(_) => Self::Dropped,
            AttemptState::Final { outcome, .. } => Self::Over(outcome.clone()),
        }
    }
}

/// What an attempt counts against the cap, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charge {
    /// Nothing: it was not sent, or nobody answered.
    Released,
    /// What it was billed with.
    Settled(Decimal),
    /// What is held, because it is not over, or because nobody knows whether a phone rang.
    Held(Decimal),
    /// What is held still, because nobody told its price.
    Unpriced(Decimal),
    /// What is held still, because it was billed in another currency.
    Foreign(Decimal),
}

impl Charge {
    /// The amount that counts.
    pub fn amount(self) -> Decimal {
        match self {
            Self::Released => Decimal::ZERO,
            Self::Settled(amount)
            | Self::Held(amount)
            | Self::Unpriced(amount)
            | Self::Foreign(amount) => amount,
        }
    }
}

/// Attempts that are alike, as a store reads them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charges {
    /// Where they stand.
    pub standing: Standing,
    /// What is held for each.
    pub hold: Option<Decimal>,
    /// What is known of the legs of each.
    pub legs: Legs,
    /// How many attempts there are.
    pub attempts: u64,
}

/// What a run was billed with, and what is held for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpendAccount {
    /// What was billed, in the run's currency.
    pub settled: Decimal,
    /// What is held for calls that are not over, and for uncertain attempts.
    pub held: Decimal,
    /// What stays held for calls that are over, because nobody told a price that counts.
    pub unpriced: Decimal,
    /// How many calls those are.
    pub unpriced_calls: u64,
    /// Calls that were billed with more than was held for them.
    pub above_hold: u64,
}

impl SpendAccount {
    /// Adds attempts that are alike up.
    pub fn add(&mut self, spend: &Spend, charges: &Charges) {
        let each = spend.charge(&charges.standing, charges.hold, &charges.legs);
        let amount = each
            .amount()
            .checked_mul(Decimal::from(charges.attempts))
            .unwrap_or(Decimal::MAX);
        let sum = match each {
            Charge::Released => return,
            Charge::Settled(debit) => {
                if charges.hold.is_some_and(|hold| debit > hold) {
                    self.above_hold += charges.attempts;
                }
                &mut self.settled
            }
            Charge::Held(_) => &mut self.held,
            Charge::Unpriced(_) | Charge::Foreign(_) => {
                self.unpriced_calls += charges.attempts;
                &mut self.unpriced
            }
        };
        *sum = sum.saturating_add(amount);
    }

    /// The account of many attempts.
    pub fn of(spend: &Spend, charges: &[Charges]) -> Self {
        let mut account = Self::default();
        for charge in charges {
            account.add(spend, charge);
        }
        account
    }

    /// What counts against a cap.
    pub fn committed(&self) -> Decimal {
        self.settled
            .saturating_add(self.held)
            .saturating_add(self.unpriced)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn spend() -> Spend {
        Spend {
            currency: "EUR".into(),
            cap: Some(decimal("10")),
            per_day: None,
            time_zone: "UTC".into(),
            rates: None,
            longest_call_s: None,
            raised: Vec::new(),
        }
    }

    fn over(result: Option<&str>, debit: Option<(&str, Option<&str>)>) -> Standing {
        Standing::Over(Outcome {
            result: result.map(Into::into),
            debit: debit.map(|(amount, currency)| Money {
                amount: decimal(amount),
                currency: currency.map(Into::into),
            }),
            ..Outcome::default()
        })
    }

    #[test]
    fn a_connected_call_counts_with_its_legs_and_with_its_hold_until_their_price_is_told() {
        let spend = spend();
        let over = |debit: &str| {
            Standing::Over(Outcome {
                result: Some("ANSWERED".into()),
                debit: Some(Money {
                    amount: decimal(debit),
                    currency: None,
                }),
                ..Outcome::default()
            })
        };
        let leg = |amount: &str, currency: &str| {
            Some(Money {
                amount: decimal(amount),
                currency: Some(currency.into()),
            })
        };
        let ours = spend.currency.as_str();
        let hold = Some(decimal("2"));
        let charge = |debit, legs| spend.charge(&over(debit), hold, &Legs::Told(legs));
        let unpriced = |amount| Charge::Unpriced(decimal(amount));
        assert_eq!(charge("0.5", vec![]), unpriced("2"));
        assert_eq!(charge("3", vec![None]), unpriced("3"));
        assert_eq!(charge("0.5", vec![leg("1", ours), None]), unpriced("2"));
        assert_eq!(charge("0.5", vec![leg("1", "XXX")]), unpriced("2"));
        let both = charge("0.5", vec![leg("1", ours)]);
        assert_eq!(both, Charge::Settled(decimal("1.5")));
        let open = spend.charge(&Standing::Open, hold, &Legs::Told(vec![leg("1", ours)]));
        assert_eq!(open, Charge::Held(decimal("2")));
    }

    #[test]
    fn the_worst_case_is_the_rate_times_the_longest_call_in_started_minutes() {
        let text = CallLength {
            spoken_chars: Some(431),
            longest_s: None,
        };
        let hold = spend().hold(Some(decimal("0.0415")), text).unwrap();
        assert_eq!(
            (hold.longest_s, hold.amount.to_string()),
            (122, "0.1245".into())
        );
        let mut said = spend();
        said.longest_call_s = Some(60);
        // Twice its 31 seconds are more than a minute, and only a call that is known can be hung up.
        let held = |length| said.hold(Some(decimal("1")), length).unwrap();
        assert_eq!(
            (held(text).amount, held(text).longest_s),
            (decimal("2"), 60)
        );
        let ended_by_the_platform = CallLength {
            longest_s: Some(60),
            ..text
        };
        assert_eq!(held(ended_by_the_platform).amount, decimal("1"));
        let unknown = CallLength::default();
        assert_eq!(spend().hold(Some(decimal("1")), unknown), None);
        assert_eq!(spend().hold(None, text), None);
    }

    #[test]
    fn the_longest_beginning_of_a_number_decides_its_rate() {
        let rates = Rates {
            prefixes: [("+46", "0.024"), ("+467", "0.0415")]
                .map(|(prefix, rate)| (prefix.to_owned(), decimal(rate)))
                .into(),
            places: [("NO mobile".to_owned(), decimal("0.033"))].into(),
            otherwise: None,
        };
        let of = |number| rates.of(number, || "NO mobile".into());
        assert_eq!(of("+46701740101"), Some(decimal("0.0415")));
        assert_eq!(of("+4681234"), Some(decimal("0.024")));
        assert_eq!(of("+4799"), Some(decimal("0.033")));
        assert_eq!(rates.of("+1202", || "US fixed".into()), None);
        let flat = Rates::flat(decimal("0.05"));
        assert_eq!(
            flat.of("anna", || unreachable!("nobody asks")),
            Some(decimal("0.05"))
        );
    }

    #[test]
    fn a_hold_is_settled_by_a_debit_in_its_currency_alone() {
        let hold = Some(decimal("0.5"));
        let charge = |standing| spend().charge(&standing, hold, &Legs::None);
        let half = decimal("0.5");
        assert_eq!(charge(Standing::Open), Charge::Held(half));
        assert_eq!(charge(Standing::Dropped), Charge::Released);
        let billed = |currency| over(Some("ANSWERED"), Some(("0.2", currency)));
        assert_eq!(charge(billed(Some("EUR"))), Charge::Settled(decimal("0.2")));
        assert_eq!(charge(billed(None)), Charge::Settled(decimal("0.2")));
        assert_eq!(charge(billed(Some("SEK"))), Charge::Foreign(half));
        assert_eq!(charge(over(Some("BUSY"), None)), Charge::Released);
        assert_eq!(charge(over(Some("ANSWERED"), None)), Charge::Unpriced(half));
        assert_eq!(charge(over(None, None)), Charge::Unpriced(half));
        for told in ["Kronor", "US$", "EURO"] {
            assert_eq!(charge(billed(Some(told))), Charge::Foreign(half), "{told}");
        }
        let refund = over(Some("ANSWERED"), Some(("-3", Some("EUR"))));
        assert_eq!(charge(refund), Charge::Unpriced(half));
        let free = over(Some("ANSWERED"), Some(("-0", None)));
        assert_eq!(charge(free), Charge::Settled(Decimal::ZERO));
        // Billed, and nobody knows with how much: also where nobody answered.
        let unread = Standing::Over(Outcome {
            result: Some("BUSY".into()),
            unread_debit: Some("1e400".into()),
            ..Outcome::default()
        });
        assert_eq!(charge(unread), Charge::Unpriced(half));
    }

    #[test]
    fn a_price_of_nothing_or_less_is_none_and_no_hold_is() {
        let text = CallLength {
            spoken_chars: Some(40),
            longest_s: None,
        };
        for rate in ["0", "0.0000", "-0", "-0.0415"] {
            assert_eq!(spend().hold(Some(decimal(rate)), text), None, "{rate}");
        }
        let open = spend().charge(&Standing::Open, Some(decimal("-9")), &Legs::None);
        assert_eq!(open, Charge::Held(Decimal::ZERO));
    }
}
