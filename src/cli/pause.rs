//! `callout pause` and `callout cancel`: a wish for the engine of another terminal, or, where none is
//! at work, done at once.

use super::args::{Global, OneRunArgs};
use super::exit::{Exit, Failure};
use super::{World, output, runs};
use crate::domain::{PauseReason, RunState};
use crate::report::summary::grouped;
use crate::store::sqlite::{Access, SqliteStore};
use crate::store::{Run, RunEnd, Store, StoreError, Wish};

pub(super) async fn pause(
    args: &OneRunArgs,
    global: &Global,
    world: &World,
) -> Result<Exit, Failure> {
    let (store, run, engine) = open(args, global).await?;
    if engine {
        store.wish(&run.id, Some(Wish::Pause)).await?;
        output::say(&format!(
            "asked: the engine takes nothing new and stops within a minute\n\
             callout resume {} goes on",
            run.id
        ));
    } else {
        if run.state == RunState::Running {
            let end = RunEnd::Paused(PauseReason::Asked);
            store.set_run(&run.id, &end, world.clock.wall()).await?;
        }
        output::say(&format!("run {} is not going on: nothing to stop", run.id));
    }
    store.close().await?;
    Ok(Exit::Done)
}

pub(super) async fn cancel(
    args: &OneRunArgs,
    global: &Global,
    world: &World,
) -> Result<Exit, Failure> {
    let (store, run, engine) = open(args, global).await?;
    if engine {
        store.wish(&run.id, Some(Wish::Cancel)).await?;
        output::say("asked: nobody else is called; calls that go on are followed to their end");
    } else if run.header.is_none() {
        store.forget_planned(&run.id).await?;
        output::say("the run had not begun: it is forgotten");
    } else {
        cancel_at_rest(&store, &run, world).await?;
    }
    store.close().await?;
    Ok(Exit::Done)
}

/// Cancels a run that no engine works on.
async fn cancel_at_rest(store: &SqliteStore, run: &Run, world: &World) -> Result<(), Failure> {
    let now = world.clock.wall();
    store.wish(&run.id, Some(Wish::Cancel)).await?;
    if run.state == RunState::Running {
        // Its engine was killed: what it left is settled first, by an engine.
        store.recover(&run.id, now).await?;
    }
    let cancelled = store.cancel_pending(&run.id).await?;
    let open = store.tally(&run.id).await?.in_flight;
    if open == 0 {
        store.set_run(&run.id, &RunEnd::Cancelled, now).await?;
        store.wish(&run.id, None).await?;
        output::say(&format!(
            "cancelled: {} recipients are not called",
            grouped(cancelled)
        ));
    } else {
        output::say(&format!(
            "{} recipients are not called; {} calls have no result yet: callout resume {} \
             collects them and ends the run",
            grouped(cancelled),
            grouped(open),
            run.id
        ));
    }
    Ok(())
}

/// Opens the database as its engine where nobody is, and beside the engine otherwise. Says whether
/// an engine works on this very run. A run that is over is refused.
async fn open(args: &OneRunArgs, global: &Global) -> Result<(SqliteStore, Run, bool), Failure> {
    let beside = SqliteStore::open(&global.db, Access::Beside).await?;
    let run = runs::find(&beside, args.run.as_deref()).await?;
    if !run.state.unfinished() {
        return Err(Failure::usage(format!(
            "run {} is {} already",
            run.id, run.state
        )));
    }
    match SqliteStore::open(&global.db, Access::Engine).await {
        Ok(store) => {
            beside.close().await?;
            Ok((store, run, false))
        }
        Err(StoreError::InUse(_)) => {
            let at_work = SqliteStore::engine_at_work(&global.db)?;
            let on_this = at_work.is_some_and(|id| id == run.id);
            Ok((beside, run, on_this))
        }
        Err(error) => Err(error.into()),
    }
}
