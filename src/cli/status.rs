//! `callout status` and `callout report`: where a run stands, and what became of it.

use serde_json::json;

use super::args::{FactsArgs, Global};
use super::exit::{Exit, Failure};
use super::{output, runs};
use crate::domain::{Disposition, RunState};
use crate::report::Summary;
use crate::report::summary::grouped;
use crate::store::sqlite::{Access, SqliteStore};
use crate::store::{Telling, Wish};

pub(super) async fn status(args: &FactsArgs, global: &Global) -> Result<Exit, Failure> {
    let store = SqliteStore::open(&global.db, Access::Beside).await?;
    let run = runs::find(&store, args.run.as_deref()).await?;
    let summary = runs::summary(&store, &run.id).await?;
    let engine = SqliteStore::engine_at_work(&global.db)?.is_some_and(|id| id == run.id);
    let telling = run.telling.as_ref().filter(|_| engine);
    let mut why = why(&summary, engine, telling);
    if let Some(wish) = run.wish {
        let word = match wish {
            Wish::Pause => "pause",
            Wish::Cancel => "cancel",
        };
        why = format!("{why}; `callout {word}` was asked for");
    }
    if args.json {
        let mut value = summary.json();
        if let Some(object) = value.as_object_mut() {
            object.insert("engine_at_work".into(), json!(engine));
            object.insert("why_not_faster".into(), json!(why));
            let moment = |at: Option<jiff::Timestamp>| json!(at.map(|at| at.to_string()));
            object.insert("scheduled_for".into(), moment(run.scheduled_for));
            object.insert("expires_at".into(), moment(run.expires_at));
            object.insert(
                "uncertain".into(),
                json!(summary.tally.of(Disposition::Uncertain)),
            );
        }
        output::say_json(&value);
    } else {
        let tally = &summary.tally;
        output::say(&format!(
            "{}   run {}   {}\n{}\n{} to call, {} in flight, {} uncertain\nwhy not faster: {why}",
            summary.campaign,
            summary.run,
            summary.state,
            summary.account(),
            grouped(tally.pending + tally.waiting),
            grouped(tally.in_flight),
            grouped(tally.of(Disposition::Uncertain)),
        ));
        if let Some(at) = run.scheduled_for {
            let end = run.expires_at.map_or(String::new(), |end| {
                format!("; from {end:.0} on nobody else is called")
            });
            output::say(&format!("started for {at:.0}{end}"));
        }
        if let Some(telling) = telling {
            output::say(&format!(
                "rate at most {:.1} a second; {} refused with 429; {} uncertain attempts hold a \
                 place of concurrent_calls",
                telling.rate,
                grouped(telling.slowed_down),
                telling.uncertain_held
            ));
        }
    }
    store.close().await?;
    Ok(Exit::Done)
}

pub(super) async fn report(args: &FactsArgs, global: &Global) -> Result<Exit, Failure> {
    let store = SqliteStore::open(&global.db, Access::Beside).await?;
    let run = runs::find(&store, args.run.as_deref()).await?;
    let summary = runs::summary(&store, &run.id).await?;
    if args.json {
        output::say_json(&summary.json());
    } else {
        output::say(&summary.text());
    }
    store.close().await?;
    Ok(Exit::Done)
}

/// Why a run is not going faster, as its engine told last.
fn why(summary: &Summary, engine: bool, telling: Option<&Telling>) -> String {
    match (summary.state, engine) {
        (RunState::Completed | RunState::Cancelled | RunState::Expired, _) => {
            format!("it is {}", summary.state)
        }
        (RunState::Paused, _) => format!(
            "it is paused, {}: callout resume {}",
            summary.why.as_deref().unwrap_or("no reason was recorded"),
            summary.run
        ),
        (RunState::Planned | RunState::Running, false) => {
            format!("no engine works on it: callout resume {}", summary.run)
        }
        (RunState::Planned, true) => "its list is being imported".into(),
        (RunState::Running, true) => telling.map_or_else(
            || "its engine has just started".to_owned(),
            |told| told.why.clone(),
        ),
    }
}
