//! What a number is: its country, its kind and its one true spelling.
//!
//! Seed 004, "Query number". The table of prefixes is a small one of our own: enough to answer with
//! something plausible, and never a reason to call or not to call a number.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::answer::ApiError;
use super::callout::check_number;
use super::requests::Notes;
use super::wording::Wording;

/// The kind of a number, in the API's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NumberType {
    Unknown,
    Fixed,
    Mobile,
    Other,
}

/// Prefix, country and kind; the longest prefix that fits decides.
const PREFIXES: &[(&str, &str, NumberType)] = &[
    ("+1", "US", NumberType::Fixed),
    ("+1800", "US", NumberType::Other),
    ("+27", "ZA", NumberType::Fixed),
    ("+31", "NL", NumberType::Fixed),
    ("+316", "NL", NumberType::Mobile),
    ("+32", "BE", NumberType::Fixed),
    ("+324", "BE", NumberType::Mobile),
    ("+33", "FR", NumberType::Fixed),
    ("+336", "FR", NumberType::Mobile),
    ("+337", "FR", NumberType::Mobile),
    ("+338", "FR", NumberType::Other),
    ("+34", "ES", NumberType::Fixed),
    ("+346", "ES", NumberType::Mobile),
    ("+347", "ES", NumberType::Mobile),
    ("+351", "PT", NumberType::Fixed),
    ("+3519", "PT", NumberType::Mobile),
    ("+353", "IE", NumberType::Fixed),
    ("+3538", "IE", NumberType::Mobile),
    ("+358", "FI", NumberType::Fixed),
    ("+3584", "FI", NumberType::Mobile),
    ("+3585", "FI", NumberType::Mobile),
    ("+39", "IT", NumberType::Fixed),
    ("+393", "IT", NumberType::Mobile),
    ("+41", "CH", NumberType::Fixed),
    ("+417", "CH", NumberType::Mobile),
    ("+43", "AT", NumberType::Fixed),
    ("+436", "AT", NumberType::Mobile),
    ("+44", "GB", NumberType::Fixed),
    ("+447", "GB", NumberType::Mobile),
    ("+44800", "GB", NumberType::Other),
    ("+45", "DK", NumberType::Fixed),
    ("+46", "SE", NumberType::Fixed),
    ("+467", "SE", NumberType::Mobile),
    ("+47", "NO", NumberType::Fixed),
    ("+474", "NO", NumberType::Mobile),
    ("+479", "NO", NumberType::Mobile),
    ("+48", "PL", NumberType::Fixed),
    ("+49", "DE", NumberType::Fixed),
    ("+4915", "DE", NumberType::Mobile),
    ("+4916", "DE", NumberType::Mobile),
    ("+4917", "DE", NumberType::Mobile),
    ("+52", "MX", NumberType::Fixed),
    ("+55", "BR", NumberType::Fixed),
    ("+61", "AU", NumberType::Fixed),
    ("+614", "AU", NumberType::Mobile),
    ("+64", "NZ", NumberType::Fixed),
    ("+642", "NZ", NumberType::Mobile),
    ("+65", "SG", NumberType::Fixed),
    ("+81", "JP", NumberType::Fixed),
    ("+8170", "JP", NumberType::Mobile),
    ("+8180", "JP", NumberType::Mobile),
    ("+8190", "JP", NumberType::Mobile),
    ("+82", "KR", NumberType::Fixed),
    ("+8210", "KR", NumberType::Mobile),
    ("+86", "CN", NumberType::Fixed),
    ("+861", "CN", NumberType::Mobile),
    ("+91", "IN", NumberType::Fixed),
];

/// What the platform has to say beside the number's own digits.
#[derive(Debug)]
pub(super) struct Standing<'a> {
    pub(super) restricted: bool,
    pub(super) rate: Decimal,
    pub(super) currency: &'a str,
}

/// The number that a path means: spaces, hyphens and parentheses are dropped, and the `(0)` of
/// seed 001's `+46(0)73-017-0101` with them.
pub(super) fn normalise(sent: &str, notes: &mut Notes) -> Result<String, ApiError> {
    let mut number = sent.replacen("(0)", "", 1);
    number.retain(|c| !matches!(c, ' ' | '-' | '(' | ')'));
    check_number("number", &number)
        .map_err(|_| ApiError::new(40001, "Invalid number specified"))?;
    if number != sent {
        notes.add("the number is not in E.164");
    }
    Ok(number)
}

/// `GET /v1/calling/query/number/{number}`; a country that the table does not know has no code.
pub(super) fn tell(number: &str, standing: &Standing<'_>, wording: &Wording) -> Value {
    let (country, kind) = PREFIXES
        .iter()
        .filter(|(prefix, ..)| number.starts_with(prefix))
        .max_by_key(|(prefix, ..)| prefix.len())
        .map_or(("", NumberType::Unknown), |(_, country, kind)| {
            (*country, *kind)
        });
    // Through text, so that 0.0415 stays 0.0415: its few decimals survive as a float.
    let rate: Value = serde_json::from_str(&standing.rate.to_string()).unwrap_or_default();
    let item = json!({
        "countryId": country,
        "numberType": kind.as_str(),
        wording.normalized_key: number,
        "restricted": standing.restricted,
        "rate": { "currencyId": standing.currency, "amount": rate },
    });
    if wording.number_method {
        json!({ "method": wording.number_key, wording.number_key: item })
    } else {
        json!({ wording.number_key: item })
    }
}

impl NumberType {
    fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "Unknown",
            Self::Fixed => "Fixed",
            Self::Mobile => "Mobile",
            Self::Other => "Other",
        }
    }
}
