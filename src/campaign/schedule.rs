//! `[schedule]`: when the campaign starts, and how it goes on.
//!
//! A start names its zone, because an offset says nothing about the summer. A local time that does
//! not exist, or that comes twice, is a fault rather than a guess. What the schedule then means is
//! the domain's business ([`Schedule`]).

use std::time::Duration;

use jiff::civil::DateTime;
use jiff::fmt::temporal::{Pieces, PiecesOffset, TimeZoneAnnotationKind};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use jiff::{Timestamp, Zoned};
use toml::de::DeTable;

use crate::domain::{Misfire, Repeat, Schedule, ZoneSet, ZoneUnknown};

use super::duration;
use super::fault::nearest;
use super::table::{Placed, Table};
use super::zone_name;

const SCHEDULE: [&str; 5] = ["start", "repeat", "misfire", "expires_after", "until"];
/// How a moment is written.
const EXAMPLE: &str = "\"2026-12-01T09:00:00[Europe/Stockholm]\"";
/// Occurrences that are looked at to see how far apart they are.
const SAMPLED: usize = 60;

/// Why a text is no moment in a zone, and what would be one.
struct BadMoment {
    message: String,
    help: String,
}

/// Whether a file that may be full of faults says when it starts: it is a campaign that somebody
/// wants scheduled.
pub fn is_scheduled(source: &str) -> bool {
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    let (root, _) = DeTable::parse_recoverable(source);
    root.get_ref().keys().any(|key| key.get_ref() == "schedule")
}

/// Reads `[schedule]`, where it is there.
pub(super) fn read(root: &Table<'_, '_>) -> Option<Schedule> {
    let table = root.table("schedule", "[schedule]", &SCHEDULE)?;
    if !table.has("start") {
        table.missing("start", &format!("start = {EXAMPLE}"));
    }
    let start = moment(&table, "start");
    let repeat = repeat(&table);
    let misfire = misfire(&table);
    let expires_after = duration::read(&table, "expires_after", duration::ANY);
    let until = moment(&table, "until");
    if until.is_some() && !table.has("repeat") {
        table.file.fault(
            &table.key_place("until"),
            "`until` ends nothing without `repeat`",
            "take it out, or say how the schedule repeats: repeat = \"0 9 * * mon-fri\"",
        );
    }
    let start = start?;
    let late = |until: &&Placed<Zoned>| until.value < start.value;
    if let Some(until) = until.as_ref().filter(late) {
        let help = "the last moment at which it may start again, after `start`";
        table
            .file
            .fault(&until.place, "`until` is before `start`", help);
        return None;
    }
    let schedule = Schedule {
        start: start.value.clone(),
        repeat: repeat.as_ref().map(|repeat| repeat.value.clone()),
        misfire,
        expires_after: expires_after.as_ref().map(|after| after.value),
        until: until.map(|until| until.value),
    };
    if let Some(repeat) = &repeat {
        occurs(&table, &schedule, &start, repeat, expires_after.as_ref())?;
    }
    Some(schedule)
}

/// Whether the rule ever comes round, and what is doubtful about when it does.
fn occurs(
    table: &Table<'_, '_>,
    schedule: &Schedule,
    start: &Placed<Zoned>,
    repeat: &Placed<Repeat>,
    expires_after: Option<&Placed<Duration>>,
) -> Option<()> {
    let sampled: Vec<Zoned> = schedule
        .after(Timestamp::MIN)
        .take(SAMPLED)
        .map(|occurrence| occurrence.at)
        .collect();
    let Some(first) = sampled.first() else {
        let (message, help) = if schedule.until.is_some() {
            (
                "`repeat` names no moment between `start` and `until`",
                "a later `until`, or another rule",
            )
        } else {
            (
                "`repeat` never comes round",
                "the day does not exist in that month: \"0 9 L * *\" is the last day of each month",
            )
        };
        table.file.fault(&repeat.place, message, help);
        return None;
    };
    if *first != start.value {
        table.file.warn(
            &start.place,
            format!("`repeat` does not name this moment: the first start is {first}"),
            "with `repeat`, `start` says from when on the rule holds",
        );
    }
    let apart = sampled
        .windows(2)
        .filter_map(|pair| Duration::try_from(pair[1].duration_since(&pair[0])).ok())
        .min();
    if let (Some(apart), Some(after)) = (apart, expires_after)
        && after.value > apart
    {
        let apart = duration::written(apart);
        table.file.warn(
            &after.place,
            format!("`expires_after` is longer than {apart}, after which the next start comes"),
            format!(
                "a start that comes while a run goes on is skipped; \"{apart}\" or less ends each \
                 run before the next"
            ),
        );
    }
    Some(())
}

fn repeat(table: &Table<'_, '_>) -> Option<Placed<Repeat>> {
    let Placed { value: text, place } = table.string("repeat")?;
    match Repeat::parse(text) {
        Ok(value) => Some(Placed { value, place }),
        Err(bad) => {
            let part = if bad.part == (0..text.len()) {
                place
            } else {
                place.within(bad.part)
            };
            table
                .file
                .fault(&part, format!("`repeat`: {}", bad.message), bad.help);
            None
        }
    }
}

fn misfire(table: &Table<'_, '_>) -> Misfire {
    let Some(word) = table.string("misfire") else {
        return Misfire::default();
    };
    match word.value {
        "run" => Misfire::Run,
        "skip" => Misfire::Skip,
        other => {
            let message = format!("`misfire` cannot be `{}`", other.escape_debug());
            let help = nearest(other, ["run", "skip"]).map_or_else(
                || {
                    "\"run\" makes up for the latest start that was missed, \"skip\" waits for \
                     the next"
                        .to_owned()
                },
                |near| format!("did you mean \"{near}\"?"),
            );
            table.file.fault(&word.place, message, help);
            Misfire::default()
        }
    }
}

/// The moment under a key.
fn moment(table: &Table<'_, '_>, name: &str) -> Option<Placed<Zoned>> {
    let value = table.entry(name)?;
    if value.get_ref().as_str().is_none() {
        let right = format!("a moment with its zone, in quotes: {EXAMPLE}");
        table.wrong_type(name, value, &right);
        return None;
    }
    let Placed { value: text, place } = table.string(name)?;
    match parse(text, !table.file.is_new()) {
        Ok(value) => Some(Placed { value, place }),
        Err(bad) => {
            table
                .file
                .fault(&place, format!("`{name}` {}", bad.message), bad.help);
            None
        }
    }
}

/// Reads a local time with its zone, `2026-12-01T09:00:00[Europe/Stockholm]`.
fn parse(text: &str, kept: bool) -> Result<Zoned, BadMoment> {
    let bad = |message: String, help: String| BadMoment { message, help };
    let shown = text.escape_debug();
    let Ok(pieces) = Pieces::parse(text) else {
        let message = format!("cannot be read: `{shown}` is no date and time");
        return Err(bad(message, format!("such as {EXAMPLE}")));
    };
    let Some(time) = pieces.time() else {
        let help = text.find('[').map_or_else(
            || format!("such as {EXAMPLE}"),
            |at| format!("\"{}T09:00{}\"", &text[..at], &text[at..]),
        );
        return Err(bad("has no time of day".into(), help));
    };
    let Some(zone) = pieces.time_zone_annotation() else {
        let local = text.trim_end_matches(['Z', 'z']);
        let message = match pieces.offset() {
            Some(_) => "has an offset and no zone: an offset knows no summer time",
            None => "has no zone, so nobody knows whose clock is meant",
        };
        let zone = if local.len() < text.len() {
            "UTC"
        } else {
            "Europe/Stockholm"
        };
        let help = format!("put the zone behind it, as in \"{local}[{zone}]\"");
        return Err(bad(message.into(), help));
    };
    let TimeZoneAnnotationKind::Named(name) = zone.kind() else {
        let message = "names an offset in the place of its zone".to_owned();
        let help = "a zone of the IANA list, such as [Europe/Stockholm] or [UTC]";
        return Err(bad(message, help.into()));
    };
    let zone = name.as_str();
    let zone = match ZoneSet::one(zone) {
        Ok(set) => set.zones()[0].clone(),
        Err(why) => match TimeZone::get(zone) {
            // A run that began with such a name means what it meant then.
            Ok(zone) if kept => zone,
            _ => return Err(wrong_zone(zone, why)),
        },
    };
    let offset = match pieces.offset() {
        None => None,
        Some(PiecesOffset::Numeric(numeric)) => Some(numeric.offset()),
        Some(_) => Some(Offset::UTC),
    };
    local(pieces.date().to_datetime(time), offset, &zone).map_err(|(message, help)| {
        let text = text.find('[').map_or("", |at| &text[at..]);
        bad(message, help.replace("[]", text))
    })
}

fn wrong_zone(zone: &str, why: ZoneUnknown) -> BadMoment {
    let shown = zone.escape_debug();
    if why == ZoneUnknown::Mistakable {
        return BadMoment {
            message: format!("names `{shown}`, which is not the time zone it seems to be"),
            help: why.to_string(),
        };
    }
    BadMoment {
        message: format!("names a zone that does not exist: `{shown}`"),
        help: zone_name::meant(zone).map_or_else(
            || "a name of the IANA list, such as Europe/Stockholm, or UTC".to_owned(),
            |near| format!("did you mean [{near}]?"),
        ),
    }
}

/// The moment of a local time. Messages are followed by help, in which `[]` stands for the zone.
fn local(
    named: DateTime,
    offset: Option<Offset>,
    zone: &TimeZone,
) -> Result<Zoned, (String, String)> {
    let ambiguous = zone.to_ambiguous_zoned(named);
    let out_of_calendar = |_| {
        (
            "is out of the calendar".to_owned(),
            format!("such as {EXAMPLE}"),
        )
    };
    let wrong_offset = |right: String| {
        let message = "has an offset that the zone does not have then".to_owned();
        (
            message,
            format!("it is {right} there: \"{named}{right}[]\""),
        )
    };
    match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { offset: right } => match offset {
            Some(offset) if offset != right => {
                let right = ambiguous.unambiguous().map_err(out_of_calendar)?;
                Err(wrong_offset(right.strftime("%:z").to_string()))
            }
            _ => ambiguous.unambiguous().map_err(out_of_calendar),
        },
        AmbiguousOffset::Gap { .. } => {
            let after = ambiguous.later().map_err(out_of_calendar)?.datetime();
            Err((
                format!(
                    "does not exist: the clocks go forward over {}",
                    named.time()
                ),
                format!("a time that exists that day, such as \"{after}[]\""),
            ))
        }
        AmbiguousOffset::Fold { before, after } => {
            let first = ambiguous.clone().earlier().map_err(out_of_calendar)?;
            let second = ambiguous.later().map_err(out_of_calendar)?;
            match offset {
                Some(offset) if offset == before => Ok(first),
                Some(offset) if offset == after => Ok(second),
                _ => Err((
                    "comes twice: the clocks go back that day".to_owned(),
                    format!(
                        "say which with the offset: \"{named}{}[]\" is the first, \"{named}{}[]\" \
                         the second",
                        first.strftime("%:z"),
                        second.strftime("%:z")
                    ),
                )),
            }
        }
    }
}
