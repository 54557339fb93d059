//! `callout resume`: goes on with a stopped run, from the database alone. It never asks.

use std::sync::Arc;

use jiff::Timestamp;

use super::args::{Global, ResumeArgs};
use super::exit::{Exit, Failure};
use super::session::{self, Session};
use super::stop::Stop;
use super::{
    World, again, clock, export, file, import, latest, output, reconcile, reread,
    run as run_command, runs, settings, spend,
};
use crate::campaign::{Campaign, Script};
use crate::domain::money::said;
use crate::domain::{Known, Raised, RunId};
use crate::engine::{Pace, Predecessor, Rules, Time};
use crate::store::{Access, Run, Store, Wish};

pub(super) async fn resume(
    args: &ResumeArgs,
    global: &Global,
    mut world: World,
) -> Result<Exit, Failure> {
    let store = latest::open(global, Access::EngineOfExisting).await?;
    latest::be_sure(store.as_ref(), args.accept, &mut world).await?;
    let mut run = choose(store.as_ref(), args.run.as_deref()).await?;
    if let Some(path) = &args.results.output {
        file::refuse_to_replace(path, args.results.force || export::is_own(path, &run))?;
        file::refuse_inputs_of_runs(path, store.as_ref()).await?;
    }
    if run.rehearsal {
        return Err(Failure::usage(format!(
            "run {} is a rehearsal, which begins anew each time: callout rehearse {}",
            run.id,
            run.definition_path.display()
        )));
    }
    if !run.state.unfinished() {
        if args.cap.is_some() {
            return Err(Failure::usage(format!(
                "run {} is {}: its cap does not matter any more",
                run.id, run.state
            )));
        }
        return as_it_ended(store.as_ref(), &run, args).await;
    }
    let right = args.clock.clock_is_right;
    clock::refuse_set_back(store.as_ref(), world.clock.as_ref(), right).await?;
    let dates = run.blackout_file.as_deref();
    let campaign = Campaign::parse_kept(&run.definition, &run.definition_path, dates)?;
    let client = settings::client(global, &world.clock)?;
    let calls_per_second = run_command::rate(&campaign)?;
    let elsewhere = is_elsewhere(&run, &client.platform());
    if let Some(cap) = &args.cap {
        raise_cap(store.as_ref(), &mut run, cap, world.clock.wall()).await?;
    }
    if args.refusals_are_theirs {
        accept_refusals(store.as_ref(), &mut run, world.clock.wall()).await?;
    }
    store.claim(&run.id)?;
    if run.wish == Some(Wish::Pause) {
        // Meant for an engine that is gone: to resume is to wish otherwise.
        store.wish(&run.id, None).await?;
    }
    let script = script(store.as_ref(), &run, &campaign, &world).await?;
    let at_the_dial = reread::numbers_of(&run, &campaign, store.as_ref()).await?;
    let session = Session {
        store: Arc::clone(&store),
        platform: Arc::new(client),
        time: Time::Live(Arc::clone(&world.clock)),
        script,
        at_the_dial,
        kind: campaign.recipients.destination_kind,
        run: run.id.clone(),
        predecessor: Predecessor::Process { elsewhere },
        pace: Pace {
            calls_per_second,
            concurrent_calls: campaign.pacing.concurrent_calls,
        },
        rules: Rules {
            known: Known {
                theirs: run.theirs.clone(),
                suspect: run.suspect,
            },
            ..session::rules(&campaign, run.created_at)
        },
        spend: run.spend.clone(),
        rows: 0,
        done: 0,
        output: args
            .results
            .output
            .as_deref()
            .map(|path| (path, args.results.force)),
        json: args.results.json,
    };
    // Whoever reads that it goes on may stop it at once.
    let stop = Stop::listen()?;
    output::tell(&format!("resuming run {} of {}", run.id, run.campaign));
    session.work_until(world, &stop).await
}

/// Whether the run's calls are known at another platform than this one, which is said.
fn is_elsewhere(run: &Run, platform: &str) -> bool {
    let elsewhere = run.platform != platform;
    if elsewhere {
        output::tell(&format!(
            "warning: the run was started at {}, and this is {platform}: calls placed there are not \
             known here",
            run.platform
        ));
    }
    elsewhere
}

/// Changes what a run may cost, for good; who did it and when is kept.
async fn raise_cap(
    store: &dyn Store,
    run: &mut Run,
    cap: &str,
    now: Timestamp,
) -> Result<(), Failure> {
    let Some(spend) = &mut run.spend else {
        return Err(Failure::usage(format!(
            "run {} has no [spend]: there is no cap to be changed",
            run.id
        )));
    };
    let amount = spend::amount(cap, &spend.currency)?;
    spend.raised.push(Raised {
        at: now,
        who: reconcile::who(),
        from: spend.cap,
    });
    spend.cap = Some(amount);
    store.set_spend(&run.id, spend).await?;
    output::tell(&format!(
        "run {}: the cap is {} from now on",
        run.id,
        said(amount, &spend.currency)
    ));
    Ok(())
}

/// Makes the refusals that the run is paused for final.
async fn accept_refusals(store: &dyn Store, run: &mut Run, now: Timestamp) -> Result<(), Failure> {
    let accepted = store.accept_refusals(&run.id, now).await?;
    let (Some(code), Some(recipients)) = (run.refused_with.take(), accepted) else {
        return Err(Failure::usage(format!(
            "run {} is not paused for refusals: leave --refusals-are-theirs out",
            run.id
        )));
    };
    run.theirs.insert(code);
    output::tell(&format!(
        "run {}: {recipients} recipients are refused with {code}, and it pauses the run no more",
        run.id
    ));
    Ok(())
}

/// The run that was named; else the latest unfinished one, else the latest.
async fn choose(store: &dyn Store, prefix: Option<&str>) -> Result<Run, Failure> {
    if prefix.is_none() {
        let runs = runs::of_campaigns(store).await?;
        if let Some(run) = runs.into_iter().find(|run| run.state.unfinished()) {
            return Ok(run);
        }
    }
    runs::find(store, prefix).await
}

/// Nothing to do: the command ends as the run ended.
async fn as_it_ended(store: &dyn Store, run: &Run, args: &ResumeArgs) -> Result<Exit, Failure> {
    let summary = runs::summary(store, &run.id).await?;
    if let Some(path) = &args.results.output {
        export::write_results(store, run, (path, args.results.force)).await?;
    }
    if args.results.json {
        output::say_json(&summary.json());
    } else {
        output::tell(&format!("run {} is {} already", run.id, run.state));
        output::say(&summary.text());
    }
    Ok(Exit::of_run(run.state, run.money, &summary.tally))
}

/// Binds the run's definition to its list; a list whose import was interrupted is imported now.
async fn script(
    store: &dyn Store,
    run: &Run,
    campaign: &Campaign,
    world: &World,
) -> Result<Script, Failure> {
    if let Some(header) = &run.header {
        Ok(campaign.bind(header, &campaign.recipients.file)?)
    } else {
        output::tell("the list's import was interrupted: importing it again");
        let only_of = run.planned.only_of.as_ref().map(RunId::as_str);
        let terms = import::Terms {
            lists: store.suppressions().await?,
            now: world.clock.wall(),
            spend: run.spend.as_ref(),
            only: again::not_reached_by(store, only_of).await?,
            planned: run.planned.list_sha256.as_deref(),
        };
        let (_, script) = import::import(store, &run.id, campaign, terms).await?;
        Ok(script)
    }
}
