//! `callout status` and `callout report`: where a run stands, and what became of it.

use serde_json::json;

use super::args::{FactsArgs, Global};
use super::exit::{Exit, Failure};
use super::{output, runs};
use crate::domain::{Disposition, RunState};
use crate::report::Summary;
use crate::report::summary::grouped;
use crate::store::sqlite::{Access, SqliteStore};

pub(super) async fn status(args: &FactsArgs, global: &Global) -> Result<Exit, Failure> {
    let store = SqliteStore::open(&global.db, Access::Beside).await?;
    let run = runs::find(&store, args.run.as_deref()).await?;
    let summary = runs::summary(&store, &run.id).await?;
    let engine = SqliteStore::engine_at_work(&global.db)?;
    let why = why(&summary, engine);
    if args.json {
        let mut value = summary.json();
        if let Some(object) = value.as_object_mut() {
            object.insert("engine_at_work".into(), json!(engine));
            object.insert("why_not_faster".into(), json!(why));
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

/// Why a run is not going faster, as far as the database tells.
fn why(summary: &Summary, engine: bool) -> String {
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
        (RunState::Running, true) if summary.tally.pending + summary.tally.waiting == 0 => {
            "everybody is called: waiting for calls to end".into()
        }
        (RunState::Running, true) => {
            "an engine works on it at its pacing; its own terminal says what holds it".into()
        }
    }
}
