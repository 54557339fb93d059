//! `callout status` and `callout report`: where a run stands, and what became of it.

use serde_json::json;

use super::args::FactsArgs;
use super::exit::{Exit, Failure};
use super::why::short;
use super::{advice, database};
use crate::app::App;
use crate::app::database::shown;
use crate::app::runs::find;
use crate::domain::Disposition;
use crate::output;
use crate::report::summary::grouped;
use crate::store::Access;

pub(super) async fn status(args: &FactsArgs, app: &App) -> Result<Exit, Failure> {
    let store = app.open(Access::Beside).await?;
    let run = find(store.as_ref(), args.run.as_deref()).await?;
    let (scheduled_for, expires_at) = (run.scheduled_for, run.expires_at);
    let standing = app.standing(store.as_ref(), run).await?;
    let why = short(&standing);
    let summary = &standing.summary;
    if args.json {
        let mut value = summary.json();
        if let Some(object) = value.as_object_mut() {
            object.insert("database".into(), json!(shown(&app.settings.database)));
            object.insert("engine_at_work".into(), json!(standing.engine));
            object.insert("obstacle".into(), json!(standing.obstacle().code()));
            object.insert("why_not_faster".into(), json!(why));
            let moment = |at: Option<jiff::Timestamp>| json!(at.map(|at| at.to_string()));
            object.insert("scheduled_for".into(), moment(scheduled_for));
            object.insert("expires_at".into(), moment(expires_at));
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
        if let Some(alarm) = summary.alarm() {
            output::say(&alarm);
        }
        if let Some(budget) = summary.budget() {
            output::say(&format!("money: {budget}"));
        }
        output::say(&format!("results: {}", standing.results()));
        for remark in summary.heard.remarks() {
            output::say(&format!("  {remark}"));
        }
        if let Some(at) = scheduled_for {
            let zone = &summary.zone;
            let end = expires_at.map_or(String::new(), |end| {
                format!("; from {} on nobody else is called", zone.stamp(end))
            });
            output::say(&format!("started for {}{end}", zone.stamp(at)));
        }
        output::say(&database::line(&app.settings.database));
        if let Some(telling) = &standing.telling {
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

pub(super) async fn report(args: &FactsArgs, app: &App) -> Result<Exit, Failure> {
    let store = app.open(Access::Beside).await?;
    let run = find(store.as_ref(), args.run.as_deref()).await?;
    let summary = app.summary(store.as_ref(), &run.id).await?;
    if args.json {
        output::say_json(&summary.json());
    } else {
        output::say(&advice::report(&summary));
    }
    store.close().await?;
    Ok(Exit::Done)
}
