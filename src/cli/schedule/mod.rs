//! `callout schedule`: what is scheduled, when it comes round, and a process that waits for it.

mod list;
mod next;
mod run;
mod wait;

use jiff::Zoned;
use serde_json::{Value, json};

use super::args::{Global, ScheduleCommand};
use super::exit::{Exit, Failure};
use super::{World, settings};
use crate::campaign::{Campaign, Fault, Faults};
use crate::domain::{Occurrence, Repeat, Schedule};
use crate::report::moments::away;
pub(super) use crate::report::moments::moment as words;

pub(super) use wait::{Slot, Start, open_when_free, start_of};

pub(super) async fn dispatch(
    command: ScheduleCommand,
    global: &Global,
    world: World,
) -> Result<Exit, Failure> {
    match command {
        ScheduleCommand::List(args) => list::list(&args, global, &world).await,
        ScheduleCommand::Next(args) => next::next(&args, &world),
        ScheduleCommand::Run(args) => run::run(&args, global, world).await,
    }
}

/// The schedule of a campaign that must have one.
fn of(campaign: &Campaign) -> Result<&Schedule, Failure> {
    campaign.schedule.as_ref().ok_or_else(|| {
        let help = "add [schedule] with start = \"2026-12-01T09:00:00[Europe/Stockholm]\"";
        let message = "the campaign has no [schedule]";
        Faults::from(Fault::new(campaign.path(), (1, 1), message, help)).into()
    })
}

/// A moment in this machine's own zone, for people.
fn local(at: &Zoned) -> String {
    let here = at.timestamp().to_zoned(settings::local_zone());
    here.strftime("%a %Y-%m-%d %H:%M %Z").to_string()
}

/// The rule of a schedule in words.
pub(super) fn rule(schedule: &Schedule) -> String {
    schedule
        .repeat
        .as_ref()
        .map_or_else(|| "once".to_owned(), Repeat::words)
}

/// An occurrence for programs.
fn json_of(occurrence: &Occurrence) -> Value {
    let at = &occurrence.at;
    json!({
        "at": at.to_string(),
        "utc": at.timestamp().to_string(),
        "local": at.timestamp().to_zoned(settings::local_zone()).to_string(),
        "remark": occurrence.remark.map(|remark| remark.to_string()),
    })
}
