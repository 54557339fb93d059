//! `blackout` and `blackout_file` in `[window]`: the days on which nobody is called.
//!
//! A file has one date a line. Behind the date may stand a name for people; a `#` begins a comment.

use std::io;
use std::path::Path;

use jiff::civil::Date;
use toml::Spanned;
use toml::de::DeValue;

use super::fault::Fault;
use super::file::{self, Unfit};
use super::place::Place;
use super::table::{Table, type_name};

/// Reads the file of that path; handed in, so that a test and a run's own copy need no disk.
pub(super) type ReadFile<'a> = &'a dyn Fn(&Path) -> io::Result<Vec<u8>>;

/// Largest file of dates; a century of Sundays has a tenth of it.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Most lines that are told to be wrong: a file with more is another one.
const WRONG_LINES_MAX: usize = 20;
/// Longest word of such a line that is shown, in characters: whose file it is, nobody knows.
const WORD_CHARS_MAX: usize = 12;
const HELP: &str = "year, month and day with hyphens, as in \"2026-12-24\"";

/// Reads a file of dates from the disk.
pub(super) fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    file::read(path, FILE_BYTES_MAX).map_err(|unfit| match unfit {
        Unfit::Unreadable(error) => error,
        other => io::Error::other(other.to_string()),
    })
}

/// The dates of both keys; `None` after a fault.
pub(super) fn read(table: &Table<'_, '_>, file: ReadFile<'_>) -> Option<Vec<Date>> {
    let listed = listed(table);
    let filed = filed(table, file);
    Some([listed?, filed?].concat())
}

fn listed(table: &Table<'_, '_>) -> Option<Vec<Date>> {
    let Some(value) = table.entry("blackout") else {
        return Some(Vec::new());
    };
    let DeValue::Array(items) = value.get_ref() else {
        table.wrong_type("blackout", value, "a list of dates, as in [\"2026-12-24\"]");
        return None;
    };
    // Collected first: every wrong date is told.
    let dates: Vec<Option<Date>> = items.iter().map(|item| element(table, item)).collect();
    dates.into_iter().collect()
}

/// A date in quotes, or one as TOML has them.
fn element(table: &Table<'_, '_>, item: &Spanned<DeValue<'_>>) -> Option<Date> {
    let date = match item.get_ref() {
        DeValue::String(text) => date(text),
        DeValue::Datetime(moment) => moment.date.and_then(|date| {
            let year = i16::try_from(date.year).ok()?;
            let (month, day) = (i8::try_from(date.month).ok()?, i8::try_from(date.day).ok()?);
            let date = Date::new(year, month, day).ok()?;
            moment.time.is_none().then_some(date)
        }),
        other => {
            let message = format!("a date in `blackout` is {}", type_name(other));
            table.file.fault(&Place::of(item.span()), message, HELP);
            return None;
        }
    };
    if date.is_none() {
        let text = &table.file.text[item.span()];
        let message = format!("{text} is not a date of the calendar");
        table.file.fault(&Place::of(item.span()), message, HELP);
    }
    date
}

/// `YYYY-MM-DD` and nothing else.
fn date(text: &str) -> Option<Date> {
    let shape = text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    shape.then(|| text.parse().ok()).flatten()
}

fn filed(table: &Table<'_, '_>, file: ReadFile<'_>) -> Option<Vec<Date>> {
    if !table.has("blackout_file") {
        return Some(Vec::new());
    }
    let name = table.string("blackout_file")?;
    let folder = table.file.path.parent().unwrap_or(Path::new(""));
    let path = folder.join(name.value);
    let text = match file(&path)
        .map_err(|error| error.to_string())
        .and_then(text)
    {
        Ok(text) => text,
        Err(why) => {
            let message = format!("cannot read the file of blackout dates: {why}");
            let help = "give its path relative to this file; it has one date a line";
            table.file.fault(&name.place, message, help);
            return None;
        }
    };
    let dates = match lines(&path, &text) {
        Ok(dates) => dates,
        Err(faults) => {
            for fault in faults {
                table.file.note(fault);
            }
            return None;
        }
    };
    if dates.is_empty() {
        let message = format!("`{}` has no date", name.value.escape_debug());
        table
            .file
            .warn(&name.place, message, "one date a line, as in 2026-12-24");
    }
    Some(dates)
}

fn text(bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}

fn lines(path: &Path, text: &str) -> Result<Vec<Date>, Vec<Fault>> {
    let (mut dates, mut faults) = (Vec::new(), Vec::new());
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (index, line) in text.lines().enumerate() {
        if faults.len() == WRONG_LINES_MAX {
            break;
        }
        let said = line.split('#').next().unwrap_or("").trim_start();
        let first = said.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';'));
        let Some(word) = first.into_iter().next().filter(|word| !word.is_empty()) else {
            if !said.trim().is_empty() {
                faults.push(wrong(path, index, line, said.trim()));
            }
            continue;
        };
        match date(word) {
            Some(date) => dates.push(date),
            None => faults.push(wrong(path, index, line, word)),
        }
    }
    if faults.is_empty() {
        Ok(dates)
    } else {
        Err(faults)
    }
}

fn wrong(path: &Path, index: usize, line: &str, word: &str) -> Fault {
    let before = line.find(word).map_or("", |at| &line[..at]);
    let position = (index + 1, before.chars().count() + 1);
    let more = if word.chars().count() > WORD_CHARS_MAX {
        "…"
    } else {
        ""
    };
    let word: String = word.chars().take(WORD_CHARS_MAX).collect();
    let message = format!(
        "`{}{more}` is not a date of the calendar",
        word.escape_debug()
    );
    let help =
        "a line is a date, as in 2026-12-24, and what you like behind it; # begins a comment";
    Fault::new(path, position, message, help)
}
