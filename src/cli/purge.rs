//! `callout purge`: the personal data of runs that are over is deleted; what became of them stays.

use serde_json::json;

use super::args::{Global, PurgeArgs};
use super::exit::{Exit, Failure};
use super::{World, output, runs};
use crate::domain::Disposition;
use crate::report::summary::grouped;
use crate::store::{self, Access, Run, Store};

pub(super) async fn purge(
    args: &PurgeArgs,
    global: &Global,
    world: &World,
) -> Result<Exit, Failure> {
    let store = store::open(&global.db, Access::EngineOfExisting, None).await?;
    let now = world.clock.wall();
    let due = |run: &Run| {
        run.ended_at
            .is_some_and(|ended| now.duration_since(ended) >= args.after)
    };
    let chosen = if let Some(prefix) = &args.run {
        vec![one(store.as_ref(), prefix, &due).await?]
    } else {
        let over = |run: &Run| !run.state.unfinished() && run.purged_at.is_none() && due(run);
        store.runs("").await?.into_iter().filter(over).collect()
    };
    let mut rows = Vec::new();
    for run in &chosen {
        rows.push(describe(store.as_ref(), run).await?);
    }
    if !args.dry_run && !chosen.is_empty() {
        sure(args, &rows)?;
        for run in &chosen {
            store.purge(&run.id, now).await?;
        }
        store.scrub().await?;
    }
    store.close().await?;
    if args.json {
        let runs: Vec<_> = chosen.iter().map(|run| run.id.as_str()).collect();
        output::say_json(&json!({ "purged": !args.dry_run, "runs": runs }));
        return Ok(Exit::Done);
    }
    if chosen.is_empty() {
        output::say("no run ended that long ago and still has its personal data");
    } else if args.dry_run {
        output::say(&format!("would be purged:\n{}", rows.join("\n")));
    } else {
        output::say(&format!("purged:\n{}", rows.join("\n")));
        for (path, _) in chosen.iter().filter_map(|run| run.results.as_ref()) {
            output::say(&format!(
                "{} was written by such a run: delete it yourself",
                path.display()
            ));
        }
    }
    Ok(Exit::Done)
}

/// The run that was named, if it can be purged.
async fn one(
    store: &dyn Store,
    prefix: &str,
    due: &(dyn Fn(&Run) -> bool + Sync),
) -> Result<Run, Failure> {
    let run = runs::find(store, Some(prefix)).await?;
    let no = if run.state.unfinished() {
        format!(
            "run {id} is not finished ({}): go on with `callout resume {id}`, or end it with \
             `callout cancel {id}`",
            run.state,
            id = run.id
        )
    } else if let Some(at) = run.purged_at {
        format!("run {} was purged {at:.0} already", run.id)
    } else if due(&run) {
        return Ok(run);
    } else {
        let ended = run.ended_at.map(|at| format!(" {at:.0}"));
        format!(
            "run {} ended{}: that is less than --after ago, so nothing was deleted",
            run.id,
            ended.unwrap_or_default()
        )
    };
    Err(Failure::usage(no))
}

async fn describe(store: &dyn Store, run: &Run) -> Result<String, Failure> {
    let tally = store.tally(&run.id).await?;
    let ended = run.ended_at.map(|at| format!("{at:.0}"));
    let uncertain = match tally.of(Disposition::Uncertain) {
        0 => String::new(),
        n => format!(
            "; {} uncertain, which can then be settled but not called again",
            grouped(n)
        ),
    };
    Ok(format!(
        "  {}  {}  {} {}, {} rows{uncertain}",
        run.id,
        run.campaign,
        run.state,
        ended.unwrap_or_default(),
        grouped(tally.rows)
    ))
}

fn sure(args: &PurgeArgs, rows: &[String]) -> Result<(), Failure> {
    if args.yes {
        return Ok(());
    }
    output::tell(&rows.join("\n"));
    match output::ask("Delete the personal data of these runs? It cannot be taken back.") {
        Some(true) => Ok(()),
        Some(false) => Err(Failure::usage("nothing was deleted")),
        None => Err(Failure::usage(
            "nobody is there to be asked, so nothing was deleted: say --yes",
        )),
    }
}
