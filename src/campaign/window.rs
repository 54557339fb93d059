//! `[window]`: when recipients may be called.
//!
//! ```toml
//! [window]
//! days = ["mon", "tue", "wed", "thu", "fri"]   # absent: every day
//! from = "09:00"                               # HH:MM or HH:MM:SS
//! until = "20:00"                              # not included; up to "24:00"; earlier than `from`: past midnight
//! time_zone = "recipient"                      # or an IANA name, for everybody; absent: "recipient"
//! blackout = ["2026-12-24", "2026-12-25"]      # no span begins on these dates
//! blackout_file = "holidays.txt"               # one date a line, relative to this file
//! on_close = "wait"                            # or "expire": who was not called when it closes
//!
//! [[window.also]]                              # further hours, as many as there are
//! days = ["sat"]                               # absent: the window's days
//! from = "10:00"
//! until = "14:00"
//! ```

use toml::Spanned;
use toml::de::DeValue;

use crate::domain::window::NotASpan;
use crate::domain::{Days, OnClose, Span, TimeOfDay, Window, WindowZone, ZoneSet, ZoneUnknown};

use super::blackout::{self, ReadFile};
use super::fault::nearest;
use super::place::Place;
use super::table::{Placed, Table};
use super::zone_name;

const WINDOW: [&str; 8] = [
    "days",
    "from",
    "until",
    "time_zone",
    "blackout",
    "blackout_file",
    "on_close",
    "also",
];
const ALSO: [&str; 3] = ["days", "from", "until"];
const ALSO_HELP: &str = "tables with two brackets: [[window.also]]";
const DAYS_HELP: &str = r#"the days are "mon", "tue", "wed", "thu", "fri", "sat" and "sun""#;
const ZONE_HELP: &str =
    "it is \"recipient\" or a name of the IANA database, as in \"Europe/Stockholm\"";
const TIME_HELP: &str = "two digits, a colon, two digits, in quotes, as in \"09:00\"";

/// Reads `[window]`; `None` where there is none, and after a fault. `file` reads its file of dates.
pub(super) fn read(root: &Table<'_, '_>, file: ReadFile<'_>) -> Option<Window> {
    let table = root.table("window", "[window]", &WINDOW)?;
    // All parts are read even when one has a fault, so that each fault is found.
    let days = days(&table, Some(Days::ALL));
    let first = span(&table, days);
    let others = others(&table, days);
    let zone = zone(&table, root);
    let blackout = blackout::read(&table, file);
    let on_close = on_close(&table);
    let mut spans = vec![first?];
    spans.extend(others?);
    Some(Window::new(spans, zone?, blackout?, on_close?))
}

/// `days`; `absent` where the key is not there.
fn days(table: &Table<'_, '_>, absent: Option<Days>) -> Option<Days> {
    let Some(value) = table.entry("days") else {
        return absent;
    };
    let DeValue::Array(items) = value.get_ref() else {
        table.wrong_type("days", value, "a list of days, as in [\"mon\", \"tue\"]");
        return None;
    };
    // Collected first: every wrong word is told.
    let words: Vec<Option<&str>> = items.iter().map(|item| day(table, item)).collect();
    if items.is_empty() {
        let help = "name the days on which to call, or leave `days` out for every day";
        let place = Place::of(value.span());
        table
            .file
            .fault(&place, "`days` has no day: nobody would be called", help);
        return None;
    }
    Days::of(words.into_iter().collect::<Option<Vec<&str>>>()?).ok()
}

/// The word for a day.
fn day<'s>(table: &Table<'_, '_>, item: &'s Spanned<DeValue<'_>>) -> Option<&'s str> {
    let word = item.get_ref().as_str();
    let known = word.filter(|word| Days::WORDS.contains(word));
    if known.is_none() {
        let text = &table.file.text[item.span()];
        let message = format!("{text} is not a day of the week");
        let help = word.and_then(meant_day).map_or_else(
            || DAYS_HELP.to_owned(),
            |day| format!("did you mean `{day}`?"),
        );
        table.file.fault(&Place::of(item.span()), message, help);
    }
    known
}

/// `Monday` → `mon`.
fn meant_day(word: &str) -> Option<&'static str> {
    let start: String = word.trim().chars().take(3).collect();
    nearest(&start, Days::WORDS)
}

/// `from` and `until` of a table.
fn span(table: &Table<'_, '_>, days: Option<Days>) -> Option<Span> {
    let from = time(table, "from", "from = \"09:00\"");
    let until = time(table, "until", "until = \"20:00\"");
    let (from, until) = (from?, until?);
    match Span::new(days?, from.value, until.value) {
        Ok(span) => Some(span),
        Err(NotASpan::BeginsAtTheEnd) => {
            let help = "write \"00:00\" for the beginning of a day";
            table
                .file
                .fault(&from.place, "`from` is the end of a day", help);
            None
        }
        Err(NotASpan::Empty | NotASpan::NoDay) => {
            let help = "`until` is not included; the whole day is from \"00:00\" until \"24:00\"";
            table
                .file
                .fault(&until.place, "`until` is the same as `from`", help);
            None
        }
    }
}

/// A time in quotes, or one as TOML has them.
fn time(table: &Table<'_, '_>, name: &str, missing: &str) -> Option<Placed<TimeOfDay>> {
    let Some(value) = table.entry(name) else {
        table.missing(name, missing);
        return None;
    };
    let place = Place::of(value.span());
    let read = match value.get_ref() {
        DeValue::String(text) => text.parse().ok(),
        DeValue::Datetime(moment) if moment.date.is_none() => moment
            .time
            .filter(|time| time.nanosecond.unwrap_or(0) == 0)
            .and_then(|time| {
                let seconds = i32::from(time.second.unwrap_or(0));
                TimeOfDay::new(i32::from(time.hour), i32::from(time.minute), seconds).ok()
            }),
        _ => {
            table.wrong_type(name, value, "a time in quotes, as in \"09:00\"");
            return None;
        }
    };
    if read.is_none() {
        let text = &table.file.text[value.span()];
        let message = format!("`{name}` is {text}, which is no time of day");
        table.file.fault(&place, message, TIME_HELP);
    }
    read.map(|value| Placed { value, place })
}

/// The spans of `[[window.also]]`.
fn others(table: &Table<'_, '_>, days_of_window: Option<Days>) -> Option<Vec<Span>> {
    let Some(value) = table.entry("also") else {
        return Some(Vec::new());
    };
    let DeValue::Array(items) = value.get_ref() else {
        table.wrong_type("also", value, ALSO_HELP);
        return None;
    };
    let spans: Vec<Option<Span>> = items
        .iter()
        .map(|item| {
            let DeValue::Table(entries) = item.get_ref() else {
                table.wrong_type("also", item, ALSO_HELP);
                return None;
            };
            let also = Table::new(table.file, "[[window.also]]", item.span(), entries, &ALSO);
            span(&also, days(&also, days_of_window))
        })
        .collect();
    spans.into_iter().collect()
}

fn zone(table: &Table<'_, '_>, root: &Table<'_, '_>) -> Option<WindowZone> {
    let zone = table.string("time_zone");
    if zone.is_none() && table.has("time_zone") {
        return None;
    }
    let Some(zone) = zone.filter(|zone| zone.value != "recipient") else {
        return users_have_zones(table, root).then_some(WindowZone::Recipient);
    };
    let why = match ZoneSet::one(zone.value) {
        Ok(known) => return Some(WindowZone::Fixed(known)),
        Err(why) => why,
    };
    let name = zone.value.escape_debug();
    let (message, help) = match why {
        ZoneUnknown::Mistakable => (
            format!("`{name}` is not the time zone it seems to be"),
            why.to_string(),
        ),
        _ => (
            format!("`{name}` is not a time zone"),
            zone_name::meant(zone.value).map_or_else(
                || ZONE_HELP.to_owned(),
                |near| format!("did you mean `{near}`?"),
            ),
        ),
    };
    table.file.fault(&zone.place, message, help);
    None
}

/// A user name lies nowhere: without a column, everybody would be held.
fn users_have_zones(table: &Table<'_, '_>, root: &Table<'_, '_>) -> bool {
    let Some(DeValue::Table(list)) = root.entry("recipients").map(Spanned::get_ref) else {
        return true;
    };
    let said = |key: &str| {
        let entry = list.iter().find(|(name, _)| name.get_ref() == key);
        entry.map(|(_, value)| value.get_ref())
    };
    let users = said("destination_type").and_then(|kind| kind.as_str()) == Some("username");
    let held = users && said("time_zone").is_none();
    if held {
        let message = "user names have no time zone of their own";
        let help =
            "name the list's column with `time_zone` in [recipients], or one zone for all here";
        table
            .file
            .fault(&table.key_place("time_zone"), message, help);
    }
    !held
}

fn on_close(table: &Table<'_, '_>) -> Option<OnClose> {
    if !table.has("on_close") {
        return Some(OnClose::Wait);
    }
    let word = table.string("on_close")?;
    match word.value {
        "wait" => Some(OnClose::Wait),
        "expire" => Some(OnClose::Expire),
        other => {
            let message = format!("`on_close` cannot be `{}`", other.escape_debug());
            let help = "it is \"wait\" (the default), for the next opening, or \"expire\"";
            table.file.fault(&word.place, message, help);
            None
        }
    }
}

#[cfg(test)]
#[path = "window_tests.rs"]
mod tests;
