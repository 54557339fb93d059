//! `callout purge`: the personal data of runs that are over is deleted; what became of them stays.

use serde_json::json;

use super::args::PurgeArgs;
use super::exit::{self, Exit, Failure};
use crate::app::App;
use crate::domain::{Disposition, Tally};
use crate::output;
use crate::report::moments::Zone;
use crate::report::summary::grouped;
use crate::store::RunHead;

pub(super) async fn purge(args: &PurgeArgs, app: &App) -> Result<Exit, Failure> {
    let purgeable = app.purgeable(args.run.as_deref(), args.after).await?;
    let chosen = &purgeable.runs;
    let rows: Vec<String> = chosen
        .iter()
        .map(|(run, tally, zone)| describe(run, tally, zone))
        .collect();
    if !args.dry_run && !chosen.is_empty() {
        sure(args, &rows)?;
        app.purge(&purgeable).await?;
    }
    purgeable.close().await?;
    if args.json {
        let runs: Vec<_> = chosen.iter().map(|(run, ..)| run.id.as_str()).collect();
        output::say_json(&json!({ "purged": !args.dry_run, "runs": runs }));
        return Ok(Exit::Done);
    }
    if chosen.is_empty() {
        output::say("no run ended that long ago and still has its personal data");
    } else if args.dry_run {
        output::say(&format!("would be purged:\n{}", rows.join("\n")));
    } else {
        output::say(&format!("purged:\n{}", rows.join("\n")));
        for (path, _) in chosen.iter().filter_map(|(run, ..)| run.results.as_ref()) {
            output::say(&format!(
                "{} was written by such a run: delete it yourself",
                path.display()
            ));
        }
    }
    Ok(Exit::Done)
}

fn describe(run: &RunHead, tally: &Tally, zone: &Zone) -> String {
    let ended = run.ended_at.map(|at| zone.stamp(at));
    let uncertain = match tally.of(Disposition::Uncertain) {
        0 => String::new(),
        n => format!(
            "; {} uncertain, which can then be settled but not called again",
            grouped(n)
        ),
    };
    format!(
        "  {}  {}  {} {}, {} rows{uncertain}",
        run.id,
        run.campaign,
        run.state,
        ended.unwrap_or_default(),
        grouped(tally.rows)
    )
}

fn sure(args: &PurgeArgs, rows: &[String]) -> Result<(), Failure> {
    if args.yes {
        return Ok(());
    }
    output::tell(&rows.join("\n"));
    exit::sure(
        "Delete the personal data of these runs? It cannot be taken back.",
        "nothing was deleted",
    )
}
