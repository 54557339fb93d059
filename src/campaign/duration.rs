//! Durations as people write them: `90s`, `10m`, `6h`, `2d`, or several units together, the larger
//! first, as in `1h30m`.
//!
//! The one reader of them: every key of a campaign file that holds a time span reads it with
//! [`read`], or with [`parse`] where it stands in a list. A day is 24 hours whatever the clocks do;
//! who means the calendar's day means a schedule or a window. What is not written this way is
//! refused and told the nearest form that is: `6 hours` is told `6h`, `1.5h` is told `1h30m`.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::place::Place;
use super::table::{Placed, Table};

/// The units, the larger first, with their seconds and the words that are told the right letter.
const UNITS: [(char, u64, &[&str]); 4] = [
    ('d', 86_400, &["day", "days"]),
    ('h', 3_600, &["hr", "hrs", "hour", "hours"]),
    ('m', 60, &["min", "mins", "minute", "minutes"]),
    ('s', 1, &["sec", "secs", "second", "seconds"]),
];
/// Seconds of a week, which has no unit of its own.
const WEEK: u64 = 7 * 86_400;
/// The shortest and the longest duration that a key can hold unless it says otherwise.
pub(super) const ANY: RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_hours(3_650 * 24);

/// Why a text is no duration, and what would be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BadDuration {
    /// What is wrong.
    pub(super) message: String,
    /// What would be right: the nearest good form, where the text lets one be guessed.
    pub(super) help: String,
}

/// The duration under a key of a table; a fault is noted where it is none, or out of bounds.
pub(super) fn read(
    table: &Table<'_, '_>,
    name: &str,
    bounds: RangeInclusive<Duration>,
) -> Option<Placed<Duration>> {
    let value = table.entry(name)?;
    if value.get_ref().as_str().is_none() {
        let help = match value.get_ref().as_integer() {
            Some(number) => units_of(number.as_str()),
            None => "a duration in quotes, such as \"90s\", \"10m\", \"6h\" or \"2d\"".to_owned(),
        };
        table.wrong_type(name, value, &help);
        return None;
    }
    let Placed { value: text, place } = table.string(name)?;
    match parse(text) {
        Ok(value) if bounds.contains(&value) => Some(Placed { value, place }),
        Ok(_) => {
            let (least, most) = (written(*bounds.start()), written(*bounds.end()));
            let help = format!("from \"{least}\" to \"{most}\"");
            fault(table, &place, format!("`{name}` is out of range"), help);
            None
        }
        Err(bad) => {
            fault(
                table,
                &place,
                format!("`{name}`: {}", bad.message),
                bad.help,
            );
            None
        }
    }
}

fn fault(table: &Table<'_, '_>, place: &Place, message: String, help: String) {
    table.file.fault(place, message, help);
}

/// Reads a duration: whole numbers with a unit each, the larger first, without spaces.
pub(super) fn parse(text: &str) -> Result<Duration, BadDuration> {
    let mut rest = text;
    let mut seconds = Some(0_u64);
    let mut units = UNITS.iter();
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, behind) = rest.split_at(digits);
        let unit = behind
            .chars()
            .next()
            .and_then(|letter| units.find(|(unit, ..)| *unit == letter));
        let Some((unit, each, _)) = unit.filter(|_| digits > 0) else {
            return Err(bad(text));
        };
        seconds = number
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(*each))
            .zip(seconds)
            .and_then(|(more, seconds)| seconds.checked_add(more));
        rest = &behind[unit.len_utf8()..];
    }
    match seconds {
        Some(seconds) if !text.is_empty() => Ok(Duration::from_secs(seconds)),
        _ => Err(bad(text)),
    }
}

/// A duration as this module reads it.
pub(super) fn written(duration: Duration) -> String {
    let mut left = duration.as_secs();
    let mut text = String::new();
    for (unit, each, _) in UNITS {
        if left >= each {
            text.push_str(&(left / each).to_string());
            text.push(unit);
            left %= each;
        }
    }
    if text.is_empty() { "0s".into() } else { text }
}

/// The fault of a text that is none, with the nearest form that would be one.
fn bad(text: &str) -> BadDuration {
    let text = text.trim();
    let message = format!("`{}` is no duration", text.escape_debug());
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let help = if plain {
        units_of(text)
    } else if let Some(near) = nearest(text) {
        format!("did you mean \"{near}\"?")
    } else {
        "write it as \"90s\", \"10m\", \"6h\", \"2d\", or together as in \"1h30m\"".to_owned()
    };
    BadDuration { message, help }
}

/// A number that lacks its unit, with each of them.
fn units_of(number: &str) -> String {
    format!(
        "a duration with its unit, in quotes: \"{number}s\", \"{number}m\", \"{number}h\" or \"{number}d\""
    )
}

/// What was probably meant, however it was written.
fn nearest(text: &str) -> Option<String> {
    let text: String = text.to_lowercase().replace([' ', ',', '_'], "");
    let mut rest = text.as_str();
    let mut parts: Vec<(f64, u64, char)> = Vec::new();
    while !rest.is_empty() {
        let number = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .filter(|at| *at > 0)?;
        let word = rest[number..]
            .find(|c: char| !c.is_alphabetic())
            .map_or(rest.len(), |at| number + at);
        let (each, unit) = unit(&rest[number..word])?;
        parts.push((rest[..number].parse().ok()?, each, unit));
        rest = &rest[word..];
    }
    #[expect(clippy::cast_precision_loss, reason = "seconds of a week are few")]
    let seconds: f64 = parts.iter().map(|(n, each, _)| n * *each as f64).sum();
    let near = Duration::try_from_secs_f64(seconds.round()).ok()?;
    if !ANY.contains(&near) {
        return None;
    }
    let whole = parts.iter().all(|(number, ..)| number.fract() == 0.0);
    let ordered = parts.windows(2).all(|pair| pair[0].1 > pair[1].1);
    let weeks = parts.iter().any(|(_, each, _)| *each == WEEK);
    Some(if whole && ordered && !weeks {
        // As it was written, where that is only a matter of spelling: `90 s` stays 90 seconds.
        let spelt = parts.iter().map(|(n, _, unit)| format!("{n}{unit}"));
        spelt.collect()
    } else {
        written(near)
    })
}

/// The unit behind a word: its seconds and its letter.
fn unit(word: &str) -> Option<(u64, char)> {
    if ["w", "week", "weeks"].contains(&word) {
        return Some((WEEK, 'd'));
    }
    UNITS
        .iter()
        .find(|(letter, _, words)| word.chars().eq([*letter]) || words.contains(&word))
        .map(|(letter, each, _)| (*each, *letter))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn secs(text: &str) -> Option<u64> {
        parse(text).ok().map(|duration| duration.as_secs())
    }

    #[test]
    fn what_people_write_is_read() {
        for (text, expected) in [
            ("90s", 90),
            ("10m", 600),
            ("6h", 21_600),
            ("2d", 172_800),
            ("1h30m", 5_400),
            ("1d12h0m5s", 129_605),
            ("0s", 0),
        ] {
            assert_eq!(secs(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_written_otherwise_is_told_the_nearest_good_form() {
        for (text, told) in [
            ("6 h", "\"6h\"?"),
            ("6H", "\"6h\"?"),
            ("6 hours", "\"6h\"?"),
            ("90sec", "\"90s\"?"),
            ("10min", "\"10m\"?"),
            ("1.5h", "\"1h30m\"?"),
            ("30m1h", "\"1h30m\"?"),
            ("1 hour, 30 minutes", "\"1h30m\"?"),
            ("1w", "\"7d\"?"),
            ("6", "\"6s\", \"6m\", \"6h\" or \"6d\""),
            ("", "or together as in"),
            ("-6h", "or together as in"),
            ("soon", "or together as in"),
            ("6x", "or together as in"),
            ("h6", "or together as in"),
            ("99999999999999999999d", "or together as in"),
            ("6h5", "or together as in"),
            ("½h", "or together as in"),
        ] {
            let bad = parse(text).unwrap_err();
            assert!(bad.help.contains(told), "{text}: {}", bad.help);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_here_is_read_back(seconds in 0..400_000_000_u64) {
            let duration = Duration::from_secs(seconds);
            prop_assert_eq!(parse(&written(duration)), Ok(duration));
        }

        #[test]
        fn the_nearest_form_is_a_good_one(text in "[0-9.]{1,4} ?[a-zA-Z]{1,7}( [0-9]{1,3}[smhd])?") {
            if let Some(near) = nearest(&text) {
                prop_assert!(parse(&near).is_ok(), "{}", near);
            }
        }

        #[test]
        fn no_text_is_too_odd(text in "\\PC*") {
            drop(parse(&text));
        }
    }
}
