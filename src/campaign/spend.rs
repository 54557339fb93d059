//! `[spend]`: what a run may cost at most.
//!
//! ```toml
//! [spend]
//! cap = "150.00 EUR"                # of one run
//! per_day = "60.00 EUR"             # of all runs of this campaign in a calendar day
//! time_zone = "Europe/Stockholm"    # whose days; absent: UTC
//! rate = "0.05 EUR"                 # a minute, at most; absent: the platform is asked
//! rates = { "+46" = "0.024 EUR", "+467" = "0.0415 EUR" }   # by how a number begins; `rate` is for the others
//! longest_call = "3m"               # what a hold assumes; a call still going then is hung up
//! ```

use std::collections::BTreeMap;
use std::time::Duration;

use rust_decimal::Decimal;
use toml::de::DeValue;

use super::duration;
use super::form::{Body, Form};
use super::place::Place;
use super::table::{Placed, Table};
use super::template::{Text, TextId};
use crate::domain::svaml::CALL_S_MAX;
use crate::domain::{Money, Rates, Speech, Spend, ZoneSet};

const SPEND: [&str; 6] = [
    "cap",
    "per_day",
    "time_zone",
    "rate",
    "rates",
    "longest_call",
];
const CAP_HELP: &str = "cap = \"150.00 EUR\": an amount and its currency, in quotes";
/// The time begins with the callout: a shorter call would be hung up while it rings.
const LONGEST_AT_LEAST: Duration = Duration::from_mins(1);

/// An amount with its currency.
type Amount = Placed<(Decimal, String)>;

/// Reads `[spend]`; `None` where there is none, and after a fault.
pub(super) fn read(root: &Table<'_, '_>, played: Option<&(Form, Vec<Text>)>) -> Option<Spend> {
    let table = root.table("spend", "[spend]", &SPEND)?;
    if !table.has("cap") && !table.has("per_day") {
        table.missing("cap", CAP_HELP);
    }
    let cap = amount(&table, "cap", CAP_HELP);
    let per_day = amount(&table, "per_day", "per_day = \"60.00 EUR\"");
    let rate = amount(&table, "rate", "rate = \"0.05 EUR\", what a minute costs");
    let prefixes = prefixes(&table);
    let longest = duration::read(
        &table,
        "longest_call",
        LONGEST_AT_LEAST..=Duration::from_secs(CALL_S_MAX.into()),
    );
    if !table.has("longest_call") && played.is_some_and(|(form, texts)| !says_length(form, texts)) {
        table.missing(
            "longest_call",
            "nothing else says how long a call can be: longest_call = \"3m\", for example; a call \
             that goes on then is hung up",
        );
    }
    let zone = zone(&table);
    let first = cap.as_ref().or(per_day.as_ref())?;
    let currency = first.value.1.clone();
    let others = [&per_day, &rate].into_iter().flatten();
    for other in others.chain(prefixes.iter().map(|(_, amount)| amount)) {
        if other.value.1 != currency {
            let message = format!(
                "{} beside {currency}: currencies are never added together",
                other.value.1
            );
            let help = format!("write every amount of [spend] in {currency}");
            table.file.fault(&other.place, message, help);
        }
    }
    let stated = table.has("rate") || table.has("rates");
    Some(Spend {
        currency,
        cap: cap.map(|cap| cap.value.0),
        per_day: per_day.map(|cap| cap.value.0),
        time_zone: zone,
        rates: stated.then(|| Rates {
            prefixes: prefixes
                .into_iter()
                .map(|(prefix, amount)| (prefix, amount.value.0))
                .collect::<BTreeMap<_, _>>(),
            places: BTreeMap::new(),
            otherwise: rate.map(|rate| rate.value.0),
        }),
        longest_call_s: longest
            .map(|longest| u32::try_from(longest.value.as_secs()).unwrap_or(u32::MAX)),
        raised: Vec::new(),
    })
}

/// `"150.00 EUR"`.
fn amount(table: &Table<'_, '_>, name: &str, help: &str) -> Option<Amount> {
    let value = table.entry(name)?;
    if value.get_ref().as_str().is_none() {
        table.wrong_type(
            name,
            value,
            "an amount and its currency in quotes, such as \"150.00 EUR\"",
        );
        return None;
    }
    let Placed { value, place } = table.string(name)?;
    checked(table, name, value, place, help)
}

fn checked(
    table: &Table<'_, '_>,
    name: &str,
    text: &str,
    place: Place,
    help: &str,
) -> Option<Amount> {
    if let Some(value) = Money::parse_positive(text) {
        return Some(Placed { value, place });
    }
    let message = format!(
        "`{name}` is `{}`, which is no amount with its currency",
        text.escape_debug()
    );
    table.file.fault(&place, message, help);
    None
}

/// `rates = { "+46" = "0.024 EUR" }`.
fn prefixes(table: &Table<'_, '_>) -> Vec<(String, Amount)> {
    const HELP: &str = "rates = { \"+46\" = \"0.024 EUR\" }";
    let Some(value) = table.entry("rates") else {
        return Vec::new();
    };
    let DeValue::Table(entries) = value.get_ref() else {
        table.wrong_type("rates", value, &format!("a table: {HELP}"));
        return Vec::new();
    };
    let mut read = Vec::new();
    for (prefix, value) in entries {
        let digits = prefix.get_ref().strip_prefix('+').unwrap_or_default();
        if digits.is_empty() || digits.len() > 15 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            let message = format!(
                "`{}` is not how an E.164 number begins",
                prefix.get_ref().escape_debug()
            );
            let help = "a plus and digits, the country code first: \"+46\", \"+4670\"";
            table.file.fault(&Place::of(prefix.span()), message, help);
            continue;
        }
        let Some(text) = value.get_ref().as_str() else {
            table.wrong_type("rates", value, &format!("amounts in quotes: {HELP}"));
            continue;
        };
        let place = Place::of(value.span());
        if let Some(amount) = checked(table, "rates", text, place, HELP) {
            read.push((prefix.get_ref().to_string(), amount));
        }
    }
    read
}

fn zone(table: &Table<'_, '_>) -> String {
    let Some(zone) = table.string("time_zone") else {
        return "UTC".into();
    };
    if ZoneSet::one(zone.value).is_err() {
        let message = format!("`{}` is not a time zone", zone.value.escape_debug());
        let help = "a name of the IANA database, as in \"Europe/Stockholm\": the day's cap is for a \
                    calendar day there";
        table.file.fault(&zone.place, message, help);
    }
    zone.value.to_owned()
}

fn speech_says_length(speech: &Speech<TextId>, texts: &[Text]) -> bool {
    match speech {
        Speech::Text(_) => true,
        Speech::Prompts(items) => items.iter().all(|id| {
            let source = texts.get(id.0).map_or("", |text| text.source.trim_start());
            source.starts_with("#tts[")
        }),
    }
}

/// Whether the callout itself says how long its call can be.
fn says_length(form: &Form, texts: &[Text]) -> bool {
    match &form.body {
        Body::Tts(tts) => speech_says_length(&tts.speech, texts),
        Body::Flow(form) => speech_says_length(&form.flow.greeting, texts),
        Body::Conference(conference) => conference.max_duration_s.is_some(),
        Body::Custom(custom) => custom.max_duration_s.is_some(),
    }
}
