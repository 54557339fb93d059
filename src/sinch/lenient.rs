//! Reading JSON as the platform's documents disagree about it (`FACTS` §12).
//!
//! Names in any case, numbers or strings, objects or strings, missing or null. Numbers keep their
//! digits: an amount of money never passes through a float.

use std::borrow::Cow;
use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::value::RawValue;

use super::identity::Identity;
use crate::domain::{Money, Outcome, told};

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
                let same = self.0.iter().filter(|(k, _)| k.eq_ignore_ascii_case(name));
                // Where a name comes in several cases, every reading must take the same one.
                same.min_by_key(|e| e.0).map(|e| e.1)
            })
        });
        found.copied().filter(|raw| raw.get() != "null")
    }

    /// The items of an array; none where it is missing or no array.
    pub fn items(&self, names: &[&str]) -> Vec<&'a RawValue> {
        self.raw(names)
            .and_then(|raw| serde_json::from_str(raw.get()).ok())
            .unwrap_or_default()
    }

    /// The objects of an array, without what else stands in it.
    pub fn objects(&self, names: &[&str]) -> Vec<Object<'a>> {
        let items = self.items(names).into_iter();
        items.filter_map(Object::of).collect()
    }

    /// A nested object.
    pub fn object(&self, names: &[&str]) -> Option<Object<'a>> {
        self.raw(names).and_then(Object::of)
    }

    /// A string; a number or a boolean gives its digits or its name.
    pub fn text(&self, names: &[&str]) -> Option<String> {
        self.raw(names).and_then(text_of)
    }

    /// A string, as [`Object::text`] has it; of an object or an array its JSON.
    pub fn text_or_json(&self, names: &[&str]) -> Option<String> {
        let raw = self.raw(names)?;
        text_of(raw).or_else(|| Some(raw.get().to_owned()))
    }

    /// A whole number, written as a number or as a string; fractions are cut off.
    pub fn integer(&self, names: &[&str]) -> Option<i64> {
        let text = self.text(names)?;
        let amount = Money::parse_amount(&text)?;
        i64::try_from(amount.trunc().mantissa()).ok()
    }

    /// `true` or `false`, in quotes or not.
    pub fn boolean(&self, names: &[&str]) -> Option<bool> {
        self.text(names)?.to_ascii_lowercase().parse().ok()
    }

    /// A moment; see [`timestamp`].
    pub fn timestamp(&self, names: &[&str]) -> Option<Timestamp> {
        timestamp(&self.text(names)?)
    }

    /// A party of a call: an object with `type` and `endpoint`, or a string.
    pub fn identity(&self, names: &[&str]) -> Option<Identity> {
        let raw = self.raw(names)?;
        let (kind, endpoint) = match Object::of(raw) {
            // One document writes `number` for `endpoint`.
            Some(object) => (object.text(&["type"]), object.text(&["endpoint", "number"])),
            None => (None, text_of(raw)),
        };
        let endpoint = endpoint.filter(|endpoint| !endpoint.is_empty())?;
        Some(Identity { kind, endpoint })
    }

    /// A word of the platform, in bounds; see [`told::word`].
    pub fn word(&self, names: &[&str]) -> Option<String> {
        self.text(names).as_deref().and_then(told::word)
    }

    /// Money as `{currencyId, amount}`, as a number, or as text with a currency on either side; none
    /// where it is missing or cannot be read.
    pub fn money(&self, names: &[&str]) -> Option<Money> {
        self.money_told(names).ok().flatten()
    }

    /// The same, telling apart what is missing and what cannot be read: an error is what was said.
    pub fn money_told(&self, names: &[&str]) -> Result<Option<Money>, String> {
        let Some(raw) = self.raw(names) else {
            return Ok(None);
        };
        let unread = |said: &str| told::word(said).unwrap_or_else(|| "\u{fffd}".to_owned());
        if let Some(object) = Object::of(raw) {
            let said = object.text_or_json(&["amount"]);
            let Some(said) = said.filter(|said| !said.trim().is_empty()) else {
                return Ok(None);
            };
            let currency = object.text_or_json(&["currencyId", "currency"]);
            let currency = currency.and_then(|said| Money::currency_as_told(&said));
            return match Money::parse_amount(&said) {
                Some(amount) => Ok(Some(Money { amount, currency })),
                None => Err(unread(&format!("{said} {}", currency.unwrap_or_default()))),
            };
        }
        let said = text_of(raw).unwrap_or_else(|| raw.get().to_owned());
        if said.trim().is_empty() {
            return Ok(None);
        }
        amount_and_currency(&said)
            .map(Some)
            .ok_or_else(|| unread(&said))
    }

    /// How a call ended. What cannot be believed is kept as it was said.
    pub fn outcome(&self) -> Outcome {
        let duration = self.text_or_json(&["duration"]);
        let seconds = self.integer(&["duration"]);
        outcome(
            (self.word(&["result"]), self.word(&["reason"])),
            (duration, seconds),
            self.money_told(&["debit"]),
        )
    }
}

/// How a call ended, of what was said of it: result and reason, the duration as it was said and in
/// seconds, and the debit.
pub(super) fn outcome(
    (result, reason): (Option<String>, Option<String>),
    (duration, seconds): (Option<String>, Option<i64>),
    debit: Result<Option<Money>, String>,
) -> Outcome {
    let duration_s = seconds.and_then(told::duration_s);
    let unread_duration = duration
        .filter(|_| duration_s.is_none())
        .and_then(|said| told::word(&said));
    let (debit, unread_debit) = match debit {
        Ok(debit) => (debit, None),
        Err(said) => (None, Some(said)),
    };
    Outcome {
        result,
        reason,
        duration_s,
        debit,
        unread_duration,
        unread_debit,
    }
}

/// `12`, `0.50 EUR`, `USD 12`. What is no amount is a currency, unless it has digits: what people put
/// between thousands is not guessed at.
fn amount_and_currency(text: &str) -> Option<Money> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (first, last) = (words.first()?, words.last()?);
    let (amount, others) = match (Money::parse_amount(first), Money::parse_amount(last)) {
        (Some(amount), _) => (amount, &words[1..]),
        (None, Some(amount)) => (amount, &words[..words.len() - 1]),
        (None, None) => return None,
    };
    let currency = others.join(" ");
    let plain = !currency.bytes().any(|b| b.is_ascii_digit());
    plain.then(|| Money {
        amount,
        currency: Money::currency_as_told(&currency),
    })
}

/// A moment in ISO 8601. Answers leave the zone out, which then is UTC (`FACTS` §12, 34).
pub fn timestamp(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    text.parse().ok().or_else(|| {
        let civil: DateTime = text.parse().ok()?;
        let zoned = TimeZone::UTC.to_timestamp(civil);
        zoned.ok()
    })
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
            .map(|m| m.as_told())
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
            (r#"{"debit":"9.50 Kronor"}"#, Some("9.50 Kronor")),
            (r#"{"debit":"US$ 9.50"}"#, Some("9.50 US$")),
            (r#"{"debit":"0.50 US dollars"}"#, Some("0.50 US dollars")),
            (r#"{"debit":{"currencyId":978,"amount":1}}"#, Some("1 978")),
            (
                r#"{"debit":{"currencyId":["EUR"],"amount":1}}"#,
                Some(r#"1 ["EUR"]"#),
            ),
            (r#"{"debit":"1 000,50 SEK"}"#, None),
            (r#"{"debit":"1 000 SEK"}"#, None),
            (r"{}", None),
        ];
        for (json, expected) in read {
            assert_eq!(money(json).as_deref(), expected, "{json}");
        }
    }

    #[test]
    fn a_debit_that_cannot_be_read_is_not_one_that_is_missing() {
        let outcome = |json: &str| Object::parse(json.as_bytes()).unwrap().outcome();
        for json in [
            r"{}",
            r#"{"debit":null}"#,
            r#"{"debit":{}}"#,
            r#"{"debit":{"currencyId":"EUR","amount":null}}"#,
            r#"{"debit":" "}"#,
        ] {
            assert_eq!(outcome(json), Outcome::default(), "{json}");
        }
        let long = "7".repeat(40);
        for said in [
            "NaN".to_owned(),
            "1e400".into(),
            format!("{long} EUR"),
            "[1]".into(),
            "EUR0.50".into(),
        ] {
            let json = format!(r#"{{"debit":{}}}"#, serde_json::to_string(&said).unwrap());
            let outcome = outcome(&json);
            assert_eq!((outcome.debit, outcome.unread_debit), (None, Some(said)));
        }
        let object = format!(r#"{{"debit":{{"currencyId":"EUR","amount":{long}}}}}"#);
        assert!(outcome(&object).unread_debit.unwrap().contains(&long));
    }

    #[test]
    fn what_no_call_can_have_is_kept_as_it_was_said() {
        let outcome = |json: &str| Object::parse(json.as_bytes()).unwrap().outcome();
        for said in [
            "9223372036854775807",
            "9223372036854775808",
            "1e400",
            "-1",
            "604801",
            "soon",
        ] {
            let read = outcome(&format!(r#"{{"duration":"{said}"}}"#));
            assert_eq!(read.duration_s, None, "{said}");
            assert_eq!(read.unread_duration.as_deref(), Some(said));
        }
        let read = outcome(r#"{"duration":"14400","result":"ANSWERED"}"#);
        assert_eq!(
            (read.duration_s, read.unread_duration),
            (Some(14_400), None)
        );
        let endless = "A".repeat(1_000_000);
        let read = outcome(&format!(r#"{{"result":"{endless}","reason":"{endless}"}}"#));
        assert!(read.result.unwrap().len() < 100 && read.reason.unwrap().len() < 100);
    }

    #[test]
    fn names_are_found_in_any_case_and_numbers_in_any_dress() {
        let object = Object::parse(br#"{"callid":"x","duration":"14.9","n":-3}"#).unwrap();
        assert_eq!(object.text(&["callId"]).as_deref(), Some("x"));
        assert_eq!(object.integer(&["duration"]), Some(14));
        assert_eq!(object.integer(&["n"]), Some(-3));
        assert!(Object::parse(b"[1]").is_none());
    }

    #[test]
    fn a_moment_without_a_zone_is_utc() {
        for (text, expected) in [
            ("2024-06-06T17:36:00", Some("2024-06-06T17:36:00Z")),
            ("2024-06-06T17:36:00Z", Some("2024-06-06T17:36:00Z")),
            (
                "2024-06-06T17:36:00.123+02:00",
                Some("2024-06-06T15:36:00.123Z"),
            ),
            (" 2024-06-06 17:36:00 ", Some("2024-06-06T17:36:00Z")),
            ("0001-01-01T00:00:00", Some("0001-01-01T00:00:00Z")),
            ("2024-06-31T17:36:00", None),
            ("soon", None),
            ("", None),
        ] {
            let read = timestamp(text).map(|moment| moment.to_string());
            assert_eq!(read.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_party_is_read_from_an_object_or_a_string_and_never_shown() {
        let json = br#"{"from":"+46701740101","to":{"Type":"Number","Endpoint":"+46701740102"},
            "a":null,"b":{"type":"number"},"c":{"type":"sip","endpoint":7},"d":"","e":[1]}"#;
        let object = Object::parse(json).unwrap();
        let from = object.identity(&["from"]).unwrap();
        assert_eq!(
            (from.kind.as_deref(), &*from.endpoint),
            (None, "+46701740101")
        );
        let to = object.identity(&["to"]).unwrap();
        assert!(to.is_kind("number") && to.endpoint == "+46701740102");
        assert_eq!(
            format!("{from} {to:?}"),
            "+4670•••0101 Number(+4670•••0102)"
        );
        assert_eq!(object.identity(&["c"]).unwrap().endpoint, "7");
        for name in ["a", "b", "d", "e", "f"] {
            assert_eq!(object.identity(&[name]), None, "{name}");
        }
    }

    #[test]
    fn flags_and_lists_are_read_and_what_is_none_is_left_out() {
        let object = Object::parse(br#"{"a":true,"b":"False","c":1,"d":[{"k":1},2,{}]}"#).unwrap();
        assert_eq!(object.boolean(&["a"]), Some(true));
        assert_eq!(object.boolean(&["b"]), Some(false));
        assert_eq!(object.boolean(&["c"]), None);
        assert_eq!(object.items(&["d"]).len(), 3);
        assert_eq!(object.objects(&["d"]).len(), 2);
        assert!(object.items(&["a"]).is_empty());
    }

    #[test]
    fn of_a_name_in_several_cases_always_the_same_one_is_read() {
        let json = br#"{"CALLID":"a","callid":"b","Callid":"c"}"#;
        for _ in 0..20 {
            let object = Object::parse(json).unwrap();
            assert_eq!(object.text(&["callId"]).as_deref(), Some("a"));
            assert_eq!(object.text(&["callid"]).as_deref(), Some("b"));
        }
    }
}
