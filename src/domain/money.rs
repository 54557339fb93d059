//! Money: a decimal amount and, where it is known, its currency. Never a float, and currencies are
//! never added together.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;

use super::told;

/// A million million: beyond what anybody spends, and far from where sums overflow. No amount is
/// believed that is further from zero.
const MOST: Decimal = Decimal::from_parts(0xd4a5_1000, 0xe8, 0, false, 0);

/// An amount of money as the platform wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Money {
    /// How much, in whole units of the currency and their fractions.
    pub amount: Decimal,
    /// ISO 4217 code in upper case, or what the platform wrote in its place; it may leave it out.
    pub currency: Option<String>,
}

impl Money {
    /// The amount and its currency exactly as the platform wrote them, to quote it.
    pub fn as_told(&self) -> String {
        match &self.currency {
            Some(currency) => format!("{} {currency}", self.amount),
            None => self.amount.to_string(),
        }
    }

    /// Reads a plain or scientific decimal, exactly up to 28 decimals: `0.1758`, `5e-3`. An amount that
    /// nobody can have meant is none.
    pub fn parse_amount(text: &str) -> Option<Decimal> {
        let text = text.trim();
        Decimal::from_str(text)
            .ok()
            .or_else(|| Decimal::from_scientific(text).ok())
            .filter(|amount| amount.abs() <= MOST)
    }

    /// Reads what the platform gives for a currency: a code, or else its own words, so that they are
    /// never taken for a currency that was left out. None where it says nothing.
    pub fn currency_as_told(text: &str) -> Option<String> {
        Self::parse_currency(text).or_else(|| told::word(text))
    }

    /// Whether this can be a price: one of nothing, or less, is none.
    pub fn is_price(amount: Decimal) -> bool {
        amount > Decimal::ZERO
    }

    /// Reads an amount above zero with its currency, as people write it: `150.00 EUR`. No thousands
    /// are set apart, because a point and a comma mean opposite things in different places.
    pub fn parse_positive(text: &str) -> Option<(Decimal, String)> {
        let (amount, currency) = text.trim().split_once(' ')?;
        let plain = amount.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let amount = Decimal::from_str(amount)
            .ok()
            .filter(|amount| plain && Self::is_price(*amount) && *amount <= MOST)?;
        Some((amount, Self::parse_currency(currency)?))
    }

    /// Reads a currency: three letters, made upper case.
    pub fn parse_currency(text: &str) -> Option<String> {
        let text = text.trim();
        (text.len() == 3 && text.bytes().all(|b| b.is_ascii_alphabetic()))
            .then(|| text.to_ascii_uppercase())
    }
}

/// An amount as people read it: two decimals, more where it has more: `30.00`, `0.0042`. Programs are given the
/// decimal itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount(pub Decimal);

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = self.0.normalize();
        match plain.scale() {
            0 | 1 => write!(f, "{plain:.2}"),
            _ => write!(f, "{plain}"),
        }
    }
}

/// An amount with its currency as people read it: `30.00 EUR`.
pub fn said(amount: Decimal, currency: &str) -> String {
    match currency {
        "" => format!("{} of a currency that was not told", Amount(amount)),
        currency => format!("{} {currency}", Amount(amount)),
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&said(
            self.amount,
            self.currency.as_deref().unwrap_or_default(),
        ))
    }
}

/// Sums of money, one for each currency. A sum beyond what a decimal holds is told as such, and never
/// as an amount.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Purse(BTreeMap<String, Option<Decimal>>);

impl Purse {
    /// Adds an amount to the sum of its own currency.
    pub fn add(&mut self, money: &Money) {
        self.add_times(money, Decimal::ONE);
    }

    /// Adds so many times an amount to the sum of its own currency.
    pub fn add_times(&mut self, money: &Money, times: Decimal) {
        let sum = self
            .0
            .entry(money.currency.clone().unwrap_or_default())
            .or_insert(Some(Decimal::ZERO));
        let amount = money.amount.checked_mul(times);
        *sum = sum
            .zip(amount)
            .and_then(|(sum, more)| sum.checked_add(more));
    }

    /// Adds the sums of another purse.
    pub fn add_all(&mut self, other: &Self) {
        for (currency, more) in &other.0 {
            let sum = self
                .0
                .entry(currency.clone())
                .or_insert(Some(Decimal::ZERO));
            *sum = sum.zip(*more).and_then(|(sum, more)| sum.checked_add(more));
        }
    }

    /// So many times as much of each.
    #[must_use]
    pub fn times(&self, factor: Decimal) -> Self {
        self.map(|sum| sum.checked_mul(factor))
    }

    /// Each to the hundredth, for an estimate that is no more exact than that.
    #[must_use]
    pub fn rounded(&self) -> Self {
        self.map(|sum| Some(sum.round_dp(2)))
    }

    fn map(&self, change: impl Fn(Decimal) -> Option<Decimal>) -> Self {
        let sums = self.0.iter();
        Self(
            sums.map(|(currency, sum)| (currency.clone(), sum.and_then(&change)))
                .collect(),
        )
    }

    /// The sums by currency; an empty currency is one that the platform did not name, and none a sum
    /// that is too large to be added up.
    pub fn sums(&self) -> impl Iterator<Item = (&str, Option<Decimal>)> {
        self.0
            .iter()
            .map(|(currency, sum)| (currency.as_str(), *sum))
    }

    /// Whether nothing was ever added.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Purse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("nothing");
        }
        for (i, (currency, sum)) in self.0.iter().enumerate() {
            let separator = if i == 0 { "" } else { " + " };
            let space = if currency.is_empty() { "" } else { " " };
            match sum {
                Some(sum) => write!(f, "{separator}{}", said(*sum, currency))?,
                None => write!(f, "{separator}more than can be added up{space}{currency}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn currencies_are_never_added_together_and_no_cent_is_lost() {
        let mut purse = Purse::default();
        for _ in 0..10 {
            let amount = Money::parse_amount("0.1").unwrap();
            purse.add(&Money {
                amount,
                currency: Some("EUR".into()),
            });
        }
        let amount = Money::parse_amount("2E-3").unwrap();
        purse.add(&Money {
            amount,
            currency: Some("SEK".into()),
        });
        assert_eq!(purse.to_string(), "1.00 EUR + 0.002 SEK");
    }

    #[test]
    fn people_read_two_decimals_and_more_where_there_are_more() {
        let read = |text: &str| said(Money::parse_amount(text).unwrap(), "EUR");
        for (amount, words) in [
            ("12.4500", "12.45 EUR"),
            ("9.4", "9.40 EUR"),
            ("0", "0.00 EUR"),
            ("-0.0", "0.00 EUR"),
            ("1", "1.00 EUR"),
            ("0.0042", "0.0042 EUR"),
            ("1e12", "1000000000000.00 EUR"),
        ] {
            assert_eq!(read(amount), words);
        }
        assert_eq!(Purse::default().to_string(), "nothing");
        let unnamed = Money {
            amount: Decimal::ONE,
            currency: None,
        };
        assert_eq!(unnamed.to_string(), "1.00 of a currency that was not told");
    }

    #[test]
    fn amounts_that_nobody_can_mean_are_none() {
        let endless = "7".repeat(40);
        for none in [
            "NaN", "inf", "-inf", "1e400", "1e-400", "1e13", "-1e13", "0x10", "", "1 000", "1,5",
            &endless,
        ] {
            assert_eq!(Money::parse_amount(none), None, "{none}");
        }
        for (text, amount) in [
            ("1e12", "1000000000000"),
            ("-0.5", "-0.5"),
            (
                "0.1000000000000000055511151231257827",
                "0.1000000000000000055511151231",
            ),
        ] {
            let read = Money::parse_amount(text);
            assert_eq!(read, Some(amount.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn a_currency_that_cannot_be_read_is_not_one_that_was_left_out() {
        let told = |text: &str| Money::currency_as_told(text);
        assert_eq!(told(" eur "), Some("EUR".into()));
        assert_eq!(told("Kronor"), Some("Kronor".into()));
        assert_eq!(told("US$"), Some("US$".into()));
        assert_eq!(told("E\u{0}UR"), Some("E\u{fffd}UR".into()));
        assert_eq!(told(&"K".repeat(1024)).unwrap().chars().count(), 65);
        assert_eq!([told(""), told(" ")], [None, None]);
    }

    #[test]
    fn a_sum_that_is_too_large_says_so_and_is_no_amount() {
        let money = Money {
            amount: MOST,
            currency: Some("EUR".into()),
        };
        let mut purse = Purse::default();
        purse.add_times(&money, Decimal::from(u64::MAX));
        assert_eq!(purse.to_string(), "more than can be added up EUR");
        // However much is taken away again.
        purse.add_times(&money, Decimal::NEGATIVE_ONE);
        assert_eq!(purse.sums().collect::<Vec<_>>(), [("EUR", None)]);
        let mut purse = Purse::default();
        purse.add(&money);
        let times = purse.times(Decimal::MAX);
        assert_eq!(times.rounded().to_string(), "more than can be added up EUR");
    }
}
