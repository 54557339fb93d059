//! `callout schedule list`: the campaigns that have a schedule, when each starts next, and how its
//! last run went.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::local;
use crate::app::App;
use crate::app::plan::rule;
use crate::app::schedule::Scheduled;
use crate::cli::args::{Global, ScheduleListArgs};
use crate::cli::exit::{Exit, Failure};
use crate::output;
use crate::report::moments::moment;
use crate::store::{OccurrenceFate, OccurrenceRecord};

pub(super) async fn list(
    args: &ScheduleListArgs,
    global: &Global,
    app: &App,
) -> Result<Exit, Failure> {
    let calendar = app
        .calendar(&args.files, global.named_db.as_deref())
        .await?;
    for file in &calendar.others {
        output::tell(&format!("{} has no [schedule]", file.display()));
    }
    let (now, campaigns) = (app.clock.wall(), &calendar.campaigns);
    if args.json {
        let campaigns: Vec<Value> = campaigns.iter().map(|one| one.json(now)).collect();
        output::say_json(&json!({ "campaigns": campaigns }));
    } else if campaigns.is_empty() {
        output::say("no campaign with a [schedule] here");
    } else {
        let header = ["campaign", "next start", "here", "repeat", "last run"];
        let rows = campaigns.iter().map(|one| cells(one, now));
        output::say(&output::table(header, rows));
    }
    Ok(if campaigns.iter().any(|one| one.campaign.is_err()) {
        Exit::Usage
    } else {
        Exit::Done
    })
}

fn cells(row: &Scheduled, now: Timestamp) -> [String; 5] {
    let file = row.file.display();
    let Ok(campaign) = &row.campaign else {
        let wrong = format!("has faults: callout check {file}");
        let [a, b, c] = [(); 3].map(|()| String::new());
        return [file.to_string(), wrong, a, b, c];
    };
    let Some(schedule) = &campaign.schedule else {
        return [(); 5].map(|()| String::new());
    };
    let next = schedule.next(now);
    let of_next = |word: fn(&jiff::Zoned) -> String, none: &str| {
        next.as_ref().map_or(none.to_owned(), |n| word(&n.at))
    };
    [
        format!("{} ({file})", campaign.name),
        of_next(moment, "none any more"),
        of_next(local, ""),
        rule(schedule),
        last(row),
    ]
}

/// How the last run went; a start that was skipped after it is told as well.
fn last(row: &Scheduled) -> String {
    let run = row.last_run.as_ref();
    let ran = run.map_or("none".to_owned(), |run| {
        format!("{} {}, {:.0}", run.id, run.state, run.created_at)
    });
    match row.earlier.first() {
        Some(OccurrenceRecord {
            scheduled_for,
            fate: OccurrenceFate::Skipped { reason, .. },
            ..
        }) => format!("{ran}; skipped {scheduled_for:.0}: {reason}"),
        _ => ran,
    }
}
