//! `callout schedule next`: when a campaign starts next, and what the clocks do to it.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::app::App;
use crate::app::plan::rule;
use crate::app::schedule::{self, json_of};
use crate::campaign::Campaign;
use crate::cli::args::ScheduleNextArgs;
use crate::cli::exit::{Exit, Failure};
use crate::domain::{Occurrence, Repeat, ZoneSet};
use crate::output;
use crate::report::moments;

pub(super) fn next(args: &ScheduleNextArgs, app: &App) -> Result<Exit, Failure> {
    let campaign = Campaign::load(&args.file)?;
    let schedule = schedule::of(&campaign)?;
    let from = match &args.from {
        Some(text) => moment(text, schedule.zone())?,
        None => app.clock.wall(),
    };
    let next: Vec<Occurrence> = schedule.after(from).take(args.count as usize).collect();
    if args.json {
        let occurrences: Vec<Value> = next.iter().map(json_of).collect();
        output::say_json(&json!({
            "campaign": campaign.name,
            "zone": schedule.zone().iana_name(),
            "repeat": schedule.repeat.as_ref().map(Repeat::as_str),
            "repeat_words": rule(schedule),
            "from": from.to_string(),
            "occurrences": occurrences,
        }));
        return Ok(Exit::Done);
    }
    output::say(&format!("{}: {}", campaign.name, rule(schedule)));
    if next.is_empty() {
        output::say("no further start");
        return Ok(Exit::Done);
    }
    let here = app.zone_here();
    let mut before = schedule.zone().to_offset(from);
    let rows = next.iter().map(|occurrence| {
        let offset = occurrence.at.offset();
        let remark = match occurrence.remark {
            Some(remark) => remark.to_string(),
            None if offset > before => "the clocks have gone forward since the last".into(),
            None if offset < before => "the clocks have gone back since the last".into(),
            None => String::new(),
        };
        before = offset;
        [
            moments::moment(&app.told(occurrence.at.clone())),
            here.dated(occurrence.at.timestamp()),
            remark,
        ]
    });
    output::say(&output::table(["start", "here", "remark"], rows));
    Ok(Exit::Done)
}

/// A moment as people give it: with a zone, with an offset, or local to the schedule.
fn moment(text: &str, zone: &TimeZone) -> Result<Timestamp, Failure> {
    if let Ok(zoned) = text.parse::<jiff::Zoned>() {
        if let Some(name) = zoned.time_zone().iana_name() {
            ZoneSet::one(name).map_err(|why| Failure::usage(format!("--from {text}: {why}")))?;
        }
        return Ok(zoned.timestamp());
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let local = text.parse::<DateTime>().ok();
    local
        .and_then(|local| zone.to_timestamp(local).ok())
        .ok_or_else(|| {
            Failure::usage(format!(
                "--from {text}: write a date, a local time such as 2026-12-01T09:00, or a moment \
                 such as 2026-12-01T08:00:00Z"
            ))
        })
}
