//! What a call costs: a rate per started minute by the number's prefix.
//!
//! The prices are made up and of a plausible size; what matters is that they are exact decimals.

use rust_decimal::Decimal;

/// Rates per started minute, in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tariff {
    /// The currency of all rates, as the API's `currencyId`.
    pub currency: String,
    /// Prefix with its `+`, and rate; the longest prefix that fits decides.
    pub rates: Vec<(String, Decimal)>,
    /// The rate of numbers that no prefix fits.
    pub otherwise: Decimal,
}

impl Default for Tariff {
    fn default() -> Self {
        let ten_thousandths = [
            ("+1", 110),
            ("+33", 195),
            ("+34", 240),
            ("+44", 180),
            ("+447", 310),
            ("+45", 265),
            ("+46", 240),
            ("+467", 415),
            ("+47", 330),
            ("+49", 210),
            ("+61", 280),
            ("+81", 620),
        ];
        Self {
            currency: "EUR".to_owned(),
            rates: ten_thousandths
                .into_iter()
                .map(|(prefix, rate)| (prefix.to_owned(), Decimal::new(rate, 4)))
                .collect(),
            otherwise: Decimal::new(1758, 4),
        }
    }
}

impl Tariff {
    /// The rate per minute of calling `endpoint`; users of the application are called for nothing.
    pub fn rate(&self, endpoint: &str) -> Decimal {
        if !endpoint.starts_with('+') {
            return Decimal::ZERO;
        }
        self.rates
            .iter()
            .filter(|(prefix, _)| endpoint.starts_with(prefix.as_str()))
            .max_by_key(|(prefix, _)| prefix.len())
            .map_or(self.otherwise, |(_, rate)| *rate)
    }

    /// What `talk_s` seconds cost at `rate`: started minutes, and nothing where nobody talked.
    pub fn debit(rate: Decimal, talk_s: u32) -> Decimal {
        rate * Decimal::from(talk_s.div_ceil(60))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_decides_and_started_minutes_count() {
        let tariff = Tariff::default();
        assert_eq!(tariff.rate("+46812345"), Decimal::new(240, 4));
        assert_eq!(tariff.rate("+46701740101"), Decimal::new(415, 4));
        assert_eq!(tariff.rate("+999"), Decimal::new(1758, 4));
        assert_eq!(tariff.rate("anna"), Decimal::ZERO);
        let rate = Decimal::new(415, 4);
        assert_eq!(Tariff::debit(rate, 0), Decimal::ZERO);
        assert_eq!(Tariff::debit(rate, 60).to_string(), "0.0415");
        assert_eq!(Tariff::debit(rate, 61).to_string(), "0.0830");
    }
}
