//! `callout runs`: the runs of a database.

use serde_json::{Value, json};

use super::args::RunsArgs;
use super::database;
use super::exit::{Exit, Failure};
use crate::app::App;
use crate::output;
use crate::report::listing::{HEADER, Listed};
use crate::report::summary::counted;

pub(super) async fn runs(args: &RunsArgs, app: &App) -> Result<Exit, Failure> {
    let runs = app.runs(args.campaign.as_deref(), args.all).await?;
    if args.json {
        let listed: Vec<Value> = runs.listed.iter().map(Listed::json).collect();
        output::say_json(&json!({ "runs": listed, "by_hand_left_out": runs.by_hand }));
        return Ok(Exit::Done);
    }
    if runs.listed.is_empty() {
        output::say(&args.campaign.as_ref().map_or_else(
            || "no run yet".to_owned(),
            |name| format!("no run of a campaign {name}"),
        ));
    } else {
        let zone = app.zone_here();
        let cells = |run: &Listed| run.cells(&zone, runs.id_chars);
        let rows = runs.listed.iter().map(cells);
        output::say(&output::table(HEADER, rows));
        let whose = if app.settings.utc {
            "UTC"
        } else {
            "this machine's time zone"
        };
        output::tell(&format!("times are by the clock of {whose}"));
    }
    if let Some(killed) = runs.listed.iter().find(|run| run.was_killed()) {
        let id = &killed.summary.run;
        output::say(&format!(
            "nothing works on run {id}, which was not ended: callout resume {id}"
        ));
    }
    if runs.by_hand > 0 {
        let left_out = counted(
            runs.by_hand as u64,
            "callout by hand is",
            "callouts by hand are",
        );
        output::say(&format!("{left_out} not listed: --all does"));
    }
    output::tell(&database::line(&app.settings.database));
    Ok(Exit::Done)
}
