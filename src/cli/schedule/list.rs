//! `callout schedule list`: the campaigns that have a schedule, when each starts next, and how its
//! last run went.

use jiff::{Timestamp, Zoned};
use serde_json::{Value, json};

use crate::app::App;
use crate::app::plan::rule;
use crate::app::schedule::Scheduled;
use crate::cli::args::{Global, ScheduleListArgs};
use crate::cli::exit::{Exit, Failure};
use crate::output;
use crate::report::moments::{Zone, moment};
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
        let rows = campaigns.iter().map(|one| cells(one, now, app));
        output::say(&output::table(header, rows));
    }
    Ok(if campaigns.iter().any(|one| one.campaign.is_err()) {
        Exit::Usage
    } else {
        Exit::Done
    })
}

fn cells(row: &Scheduled, now: Timestamp, app: &App) -> [String; 5] {
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
    let of_next = |words: &dyn Fn(&Zoned) -> String, none: &str| {
        next.as_ref().map_or(none.to_owned(), |n| words(&n.at))
    };
    let here = app.zone_here();
    [
        format!("{} ({file})", campaign.name),
        of_next(&|at| moment(&app.told(at.clone())), "none any more"),
        of_next(&|at| here.dated(at.timestamp()), ""),
        rule(schedule),
        last(row, &app.zone_of_campaign(campaign)),
    ]
}

/// How the last run went; a start that was skipped after it is told as well.
fn last(row: &Scheduled, zone: &Zone) -> String {
    let run = row.last_run.as_ref();
    let ran = run.map_or("none".to_owned(), |run| {
        let began = zone.stamp(run.created_at);
        format!("{} {}, {began}", run.id, run.state)
    });
    match row.earlier.first() {
        Some(OccurrenceRecord {
            scheduled_for,
            fate: OccurrenceFate::Skipped { reason, .. },
            ..
        }) => {
            let at = zone.stamp(*scheduled_for);
            format!("{ran}; skipped {at}: {reason}")
        }
        _ => ran,
    }
}
