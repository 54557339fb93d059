//! Money: a decimal amount and, where it is known, its currency. Never a float, and currencies are
//! never added together.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;

/// An amount of money as the platform wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Money {
    /// The amount, exact.
    pub amount: Decimal,
    /// ISO 4217 code in upper case; the platform may leave it out.
    pub currency: Option<String>,
}

impl Money {
    /// Reads a plain or scientific decimal, exactly: `0.1758`, `5e-3`.
    pub fn parse_amount(text: &str) -> Option<Decimal> {
        let text = text.trim();
        Decimal::from_str(text)
            .ok()
            .or_else(|| Decimal::from_scientific(text).ok())
    }

    /// Reads an amount above zero with its currency, as people write it: `150.00 EUR`. No thousands
    /// are set apart, because a point and a comma mean opposite things in different places.
    pub fn parse_positive(text: &str) -> Option<(Decimal, String)> {
        let (amount, currency) = text.trim().split_once(' ')?;
        // Beyond what anybody spends, and far from where sums overflow.
        let most = Decimal::from(1_000_000_000_000_u64);
        let plain = amount.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let amount = Decimal::from_str(amount)
            .ok()
            .filter(|amount| plain && *amount > Decimal::ZERO && *amount <= most)?;
        Some((amount, Self::parse_currency(currency)?))
    }

    /// Reads a currency: three letters, made upper case.
    pub fn parse_currency(text: &str) -> Option<String> {
        let text = text.trim();
        (text.len() == 3 && text.bytes().all(|b| b.is_ascii_alphabetic()))
            .then(|| text.to_ascii_uppercase())
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.currency {
            Some(currency) => write!(f, "{} {currency}", self.amount),
            None => write!(f, "{}", self.amount),
        }
    }
}

/// Sums of money, one for each currency.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Purse(BTreeMap<String, Decimal>);

impl Purse {
    /// Adds an amount to the sum of its own currency. Returns whether it could be added: a sum
    /// beyond what a decimal holds is left as it was.
    pub fn add(&mut self, money: &Money) -> bool {
        let sum = self
            .0
            .entry(money.currency.clone().unwrap_or_default())
            .or_default();
        match sum.checked_add(money.amount) {
            Some(total) => {
                *sum = total;
                true
            }
            None => false,
        }
    }

    /// So many times as much of each.
    #[must_use]
    pub fn times(&self, factor: Decimal) -> Self {
        let product = |sum: &Decimal| sum.checked_mul(factor).unwrap_or(Decimal::MAX);
        Self(
            self.0
                .iter()
                .map(|(currency, sum)| (currency.clone(), product(sum)))
                .collect(),
        )
    }

    /// Each to the hundredth, for an estimate that is no more exact than that.
    #[must_use]
    pub fn rounded(&self) -> Self {
        Self(
            self.0
                .iter()
                .map(|(currency, sum)| (currency.clone(), sum.round_dp(2)))
                .collect(),
        )
    }

    /// The sums by currency; an empty currency is one that the platform did not name.
    pub fn sums(&self) -> impl Iterator<Item = (&str, Decimal)> {
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
            return f.write_str("0");
        }
        for (i, (currency, sum)) in self.0.iter().enumerate() {
            let separator = if i == 0 { "" } else { " + " };
            let space = if currency.is_empty() { "" } else { " " };
            write!(f, "{separator}{sum}{space}{currency}")?;
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
        assert_eq!(purse.to_string(), "1.0 EUR + 0.002 SEK");
    }
}
