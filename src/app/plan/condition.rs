//! `--fail-if`: conditions on a plan's figures under which the command fails, for a CI that guards a
//! campaign.

use std::str::FromStr;

use rust_decimal::Decimal;

/// The figures that a condition can name.
const FIGURES: [&str; 15] = [
    "rows",
    "invalid",
    "duplicates",
    "suppressed",
    "eligible",
    "eligible_now",
    "eligible_later",
    "held",
    "unknown_numbers",
    "warnings",
    "attempts_expected",
    "attempts_worst",
    "money_expected",
    "money_worst",
    "hours",
];

/// One condition: `invalid > 10`, `invalid > 1%`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition {
    text: String,
    figure: &'static str,
    compare: Compare,
    limit: Decimal,
    /// Whether the limit is a share of all rows, in percent.
    percent: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compare {
    Above,
    AtLeast,
    Below,
    AtMost,
    Equal,
}

const COMPARISONS: [(&str, Compare); 5] = [
    (">=", Compare::AtLeast),
    ("<=", Compare::AtMost),
    ("==", Compare::Equal),
    (">", Compare::Above),
    ("<", Compare::Below),
];

impl FromStr for Condition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (at, (sign, compare)) = COMPARISONS
            .iter()
            .filter_map(|comparison| Some((text.find(comparison.0)?, comparison)))
            .min_by_key(|(at, (sign, _))| (*at, std::cmp::Reverse(sign.len())))
            .ok_or("a condition is a figure, a comparison and a number, as in \"invalid > 10\"")?;
        let name = text[..at].trim();
        let figure = FIGURES
            .into_iter()
            .find(|known| *known == name)
            .ok_or_else(|| {
                format!(
                    "a plan has no figure `{name}`; it has {}",
                    FIGURES.join(", ")
                )
            })?;
        let number = text[at + sign.len()..].trim();
        let percent = number.ends_with('%');
        let limit = Decimal::from_str(number.trim_end_matches('%').trim())
            .map_err(|_| format!("`{number}` is no number; write it as 10, 0.5 or 1%"))?;
        Ok(Self {
            text: text.trim().to_owned(),
            figure,
            compare: *compare,
            limit,
            percent,
        })
    }
}

impl Condition {
    /// In words why the condition is met, if it is. A figure that is not known meets every condition: a
    /// gate that cannot see lets nobody through.
    pub(crate) fn met(&self, figure: impl Fn(&str) -> Option<Decimal>) -> Option<String> {
        let Some(value) = figure(self.figure) else {
            return Some(format!("{}: {} is not known", self.text, self.figure));
        };
        let limit = if self.percent {
            let rows = figure("rows").unwrap_or_default();
            self.limit * rows / Decimal::ONE_HUNDRED
        } else {
            self.limit
        };
        let met = match self.compare {
            Compare::Above => value > limit,
            Compare::AtLeast => value >= limit,
            Compare::Below => value < limit,
            Compare::AtMost => value <= limit,
            Compare::Equal => value == limit,
        };
        met.then(|| format!("{}: {} is {value}", self.text, self.figure))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(condition: &str, value: Option<&str>) -> bool {
        let figure = |name: &str| {
            let value = if name == "rows" { Some("200") } else { value };
            value.map(|value| value.parse().unwrap())
        };
        condition
            .parse::<Condition>()
            .unwrap()
            .met(figure)
            .is_some()
    }

    #[test]
    fn a_condition_compares_a_figure_and_an_unknown_figure_meets_it() {
        assert!(met("invalid > 2", Some("3")));
        assert!(!met("invalid>2", Some("2")));
        assert!(met("invalid >= 2", Some("2")));
        assert!(met("eligible < 100", Some("99")));
        assert!(met("invalid > 1%", Some("3")) && !met("invalid > 1%", Some("2")));
        assert!(met("money_worst > 10.50", None));
        for wrong in ["", "invalid", "invalid > many", "nobody > 3", "> 3"] {
            assert!(wrong.parse::<Condition>().is_err(), "{wrong}");
        }
    }
}
