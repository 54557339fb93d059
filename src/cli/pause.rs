//! `callout pause` and `callout cancel`: a wish for the engine of another terminal, or, where none is
//! at work, done at once.

use std::sync::Arc;

use super::args::{Global, OneRunArgs};
use super::exit::{Exit, Failure};
use super::{World, output, runs};
use crate::domain::{PauseReason, RunState};
use crate::report::summary::grouped;
use crate::store::{self, Access, Run, RunEnd, Store, StoreError, Wish, Wishing};

/// Who works on a run.
enum Engine {
    /// Another process, or one that has not said yet on which run it works: it reads wishes.
    AtWork,
    /// A process that works on another run.
    Elsewhere,
    /// Nobody: the database is ours for as long as it is open.
    None,
}

pub(super) async fn pause(
    args: &OneRunArgs,
    global: &Global,
    world: &World,
) -> Result<Exit, Failure> {
    let (store, run, engine, wishing) = open(args, global).await?;
    let id = &run.id;
    let said = match (engine, run.state) {
        (Engine::AtWork, _) if run.wish == Some(Wish::Cancel) => format!(
            "run {id} is being cancelled: nobody else is called, and it ends when the calls that go on \
             are over"
        ),
        (Engine::AtWork, _) => {
            leave(store.as_ref(), &run, Wish::Pause).await?;
            let when = if run.header.is_none() {
                "the list is being imported; nobody is called, and the run stops after it"
            } else {
                "the engine takes nothing new and stops within a minute"
            };
            format!("asked: {when}\ncallout resume {id} goes on")
        }
        (_, RunState::Running) => {
            let end = RunEnd::Paused(PauseReason::Asked);
            store.set_run(id, &end, world.clock.wall()).await?;
            format!("run {id} is paused; its engine had ended already\ncallout resume {id} goes on")
        }
        (_, RunState::Planned) => format!(
            "run {id} has called nobody yet, and nothing works on it: nothing to stop\n\
             callout resume {id} begins, callout cancel {id} ends it"
        ),
        (_, _) => format!(
            "run {id} is paused already ({}): nothing to stop\ncallout resume {id} goes on",
            run.why.as_deref().unwrap_or("no reason was kept")
        ),
    };
    drop(wishing);
    output::say(&said);
    store.close().await?;
    Ok(Exit::Done)
}

pub(super) async fn cancel(
    args: &OneRunArgs,
    global: &Global,
    world: &World,
) -> Result<Exit, Failure> {
    let (store, run, engine, wishing) = open(args, global).await?;
    if matches!(engine, Engine::AtWork) {
        leave(store.as_ref(), &run, Wish::Cancel).await?;
        output::say(if run.header.is_none() {
            "asked: the list is being imported; nobody is called, and the run ends after it"
        } else {
            "asked: nobody else is called; calls that go on are followed to their end"
        });
    } else if run.header.is_none() {
        store.forget_planned(&run.id).await?;
        output::say("the run had not begun: it is forgotten");
    } else {
        cancel_at_rest(store.as_ref(), &run, world).await?;
    }
    drop(wishing);
    store.close().await?;
    Ok(Exit::Done)
}

/// Leaves a wish for the engine. An import writes for as long as it takes: the wish is not given up
/// while an engine is at work.
async fn leave(store: &dyn Store, run: &Run, wish: Wish) -> Result<(), Failure> {
    let mut told = false;
    loop {
        match store.wish(&run.id, Some(wish)).await {
            Err(StoreError::Busy(_)) if store.engine_at_work().await?.is_some() => {
                if !told {
                    output::tell("the database is being written to; not asked yet, but waiting");
                    told = true;
                }
            }
            other => return Ok(other?),
        }
    }
}

/// Cancels a run that no engine works on.
async fn cancel_at_rest(store: &dyn Store, run: &Run, world: &World) -> Result<(), Failure> {
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

/// Opens the database as its engine where nobody is, and beside the engine otherwise. What is returned
/// last says that a wish is on its way, until it is dropped. A run that is over is refused.
async fn open(
    args: &OneRunArgs,
    global: &Global,
) -> Result<(Arc<dyn Store>, Run, Engine, Wishing), Failure> {
    loop {
        let beside = store::open(&global.db, Access::Beside, None).await?;
        let wishing = beside.wishing().await?;
        let run = runs::find(beside.as_ref(), args.run.as_deref()).await?;
        if !run.state.unfinished() {
            return Err(over(&run, args.run.is_none()));
        }
        match store::open(&global.db, Access::Engine, None).await {
            Ok(store) => {
                beside.close().await?;
                return Ok((store, run, Engine::None, wishing));
            }
            Err(StoreError::InUse(_)) => match beside.engine_at_work().await? {
                Some(id) if id == run.id || id.as_str().is_empty() => {
                    return Ok((beside, run, Engine::AtWork, wishing));
                }
                Some(_) => return Ok((beside, run, Engine::Elsewhere, wishing)),
                // It has just ended: what became of the run is read anew.
                None => beside.close().await?,
            },
            Err(error) => return Err(error.into()),
        }
    }
}

fn over(run: &Run, latest: bool) -> Failure {
    let waiting = if latest {
        ". What waits for its start has no run yet: Ctrl-C in its terminal ends it"
    } else {
        ""
    };
    Failure::usage(format!("run {} is {} already{waiting}", run.id, run.state))
}
