//! Reading JSON as the platform's documents disagree about it (`FACTS` §12).
//!
//! Names in any case, numbers or strings, objects or strings, missing or null. Numbers keep their
//! digits: an amount of money never passes through a float.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::value::RawValue;

use crate::domain::Money;

/// A JSON object whose names are looked up without regard to case.
#[derive(Debug, Default)]
pub struct Object<'a>(HashMap<Cow<'a, str>, &'a RawValue>);

impl<'a> Object<'a> {
    /// Reads an object; anything else is none.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok().map(Self)
    }

    fn of(raw: &'a RawValue) -> Option<Self> {
        serde_json::from_str(raw.get()).ok().map(Self)
    }

    /// The value of the first of these names that is there and not null.
    pub fn raw(&self, names: &[&str]) -> Option<&'a RawValue> {
        let found = names.iter().find_map(|name| {
            let exact = self.0.get(*name);
            exact.or_else(|| {
                self.0
                    .iter()
                    .find(|(k, _)| k.eq_ignore_ascii_case(name))
                    .map(|e| e.1)
            })
        });
        found.copied().filter(|raw| raw.get() != "null")
    }

    /// A nested object.
    pub fn object(&self, names: &[&str]) -> Option<Object<'a>> {
        self.raw(names).and_then(Object::of)
    }

    /// A string; a number or a boolean gives its digits or its name.
    pub fn text(&self, names: &[&str]) -> Option<String> {
        self.raw(names).and_then(text_of)
    }

    /// A whole number, written as a number or as a string; fractions are cut off.
    pub fn integer(&self, names: &[&str]) -> Option<i64> {
        let text = self.text(names)?;
        let amount = Money::parse_amount(&text)?;
        i64::try_from(amount.trunc().mantissa()).ok()
    }

    /// Money as `{currencyId, amount}`, as a number, or as text with a currency on either side.
    pub fn money(&self, names: &[&str]) -> Option<Money> {
        let raw = self.raw(names)?;
        if raw.get().starts_with('{') {
            let object = Object::of(raw)?;
            let amount = Money::parse_amount(&object.text(&["amount"])?)?;
            let currency = object.text(&["currencyId", "currency"]);
            return Some(Money {
                amount,
                currency: currency.and_then(|c| Money::parse_currency(&c)),
            });
        }
        let text = text_of(raw)?;
        let words: Vec<&str> = text.split_whitespace().collect();
        let amount = words.iter().find_map(|w| Money::parse_amount(w))?;
        Some(Money {
            amount,
            currency: words.iter().find_map(|w| Money::parse_currency(w)),
        })
    }
}

fn text_of(raw: &RawValue) -> Option<String> {
    match raw.get().as_bytes().first()? {
        b'"' => serde_json::from_str(raw.get()).ok(),
        b'{' | b'[' => None,
        _ => Some(raw.get().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(json: &str) -> Option<String> {
        Object::parse(json.as_bytes())
            .unwrap()
            .money(&["debit"])
            .map(|m| m.to_string())
    }

    #[test]
    fn money_is_read_in_every_shape_and_exactly() {
        let read = [
            (
                r#"{"debit":{"currencyId":"EUR","amount":0.1758}}"#,
                Some("0.1758 EUR"),
            ),
            (
                r#"{"Debit":{"CurrencyId":"eur","amount":"0.50"}}"#,
                Some("0.50 EUR"),
            ),
            (
                r#"{"debit":{"currencyId":null,"amount":1e-3}}"#,
                Some("0.001"),
            ),
            (r#"{"debit":"0.50 EUR"}"#, Some("0.50 EUR")),
            (r#"{"debit":"USD 12"}"#, Some("12 USD")),
            (r#"{"debit":0.1}"#, Some("0.1")),
            (r#"{"debit":"string"}"#, None),
            (r#"{"debit":null}"#, None),
            (r#"{"debit":{"amount":"NaN"}}"#, None),
            (r#"{"debit":1e999}"#, None),
            (r"{}", None),
        ];
        for (json, expected) in read {
            assert_eq!(money(json).as_deref(), expected, "{json}");
        }
    }

    #[test]
    fn names_are_found_in_any_case_and_numbers_in_any_dress() {
        let object = Object::parse(br#"{"callid":"x","duration":"14.9","n":-3}"#).unwrap();
        assert_eq!(object.text(&["callId"]).as_deref(), Some("x"));
        assert_eq!(object.integer(&["duration"]), Some(14));
        assert_eq!(object.integer(&["n"]), Some(-3));
        assert!(Object::parse(b"[1]").is_none());
    }
}
