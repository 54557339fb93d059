//! `callout erase`: a person wants to be forgotten, and not called either.
//!
//! The number is suppressed first, by its keyed hash, and that holds whatever comes after. Its rows
//! are emptied only while no engine is at work: an engine has rows in hand.

use std::path::Path;

use serde_json::json;

use super::args::{EraseArgs, Global};
use super::exit::{Exit, Failure};
use super::{World, database, latest, output, reconcile, suppress};
use crate::domain::suppression::ERASED;
use crate::domain::{Destination, Digits, RunState, Spellings, Suppression};
use crate::recipients::national_of;
use crate::report::summary::grouped;
use crate::store::{self, Access, Erasure, Store, StoreError};

pub(super) async fn erase(
    args: &EraseArgs,
    global: &Global,
    mut world: World,
) -> Result<Exit, Failure> {
    let numbers = suppress::numbers(&args.reading)?;
    let number = suppress::number(&args.number, numbers)?;
    let masked = Destination::number(number.e164()).masked();
    sure(args, &masked)?;
    let reason = Suppression {
        list: ERASED.into(),
        who: reconcile::who(),
        at: world.clock.wall(),
        // Whoever says why may write the number, too.
        why: args.reason.as_ref().map(|why| {
            number.spellings().fold(why.clone(), |why, number| {
                let number = Spellings::of(&number.e164(), &national_of(&number.e164()));
                number.erased_from(&why).unwrap_or(why)
            })
        }),
        until: None,
    };
    let beside = latest::open(global, Access::Beside).await?;
    let key = world.entropy.key();
    beside.suppress_erased(number, &reason, &key).await?;
    beside.close().await?;
    drop(beside);
    let store = match store::open(&global.db, Access::EngineOfExisting, None).await {
        Ok(store) => store,
        Err(StoreError::InUse(_)) => {
            return Err(Failure::failed(format!(
                "{masked} is suppressed from now on, and its rows are still there: an engine is at \
                 work. Wait for its end, or stop it with `callout pause`; then erase again"
            )));
        }
        Err(error) => return Err(error.into()),
    };
    let erased = forget(store.as_ref(), number, &reason, &masked, &world).await?;
    if args.json {
        output::say_json(&json!({
            "rows": erased.rows, "runs": erased.runs, "pending": erased.pending,
            "texts": erased.texts, "mentions": erased.mentions,
        }));
    } else {
        say(&masked, erased, global);
    }
    Ok(Exit::Done)
}

async fn forget(
    store: &dyn Store,
    number: Digits,
    reason: &Suppression,
    masked: &str,
    world: &World,
) -> Result<Erasure, Failure> {
    for run in store.runs("").await? {
        if run.state == RunState::Running {
            // Its engine was killed: what it left is settled first, the side file included.
            store.recover(&run.id, world.clock.wall()).await?;
        }
    }
    let mut open = Vec::new();
    for number in number.spellings() {
        open.extend(store.open_calls_to(number).await?);
    }
    if let Some(call) = open.first() {
        store.close().await?;
        return Err(Failure::failed(format!(
            "{masked} is suppressed from now on, and its rows are still there: a call of run {} to \
             it has no result yet. `callout resume {}` collects it; then erase again",
            call.run, call.run
        )));
    }
    let mut all = Erasure::default();
    for number in number.spellings() {
        let national = national_of(&number.e164());
        let erased = store.erase(number, &national, reason).await?;
        all.rows += erased.rows;
        all.runs += erased.runs;
        all.pending += erased.pending;
        all.texts += erased.texts;
        all.mentions += erased.mentions;
    }
    store.scrub().await?;
    Ok(all)
}

fn say(masked: &str, erased: Erasure, global: &Global) {
    output::say(&format!(
        "{masked} is suppressed by its hash. {} rows of {} runs that had the number were emptied, {} of \
         them still to be called; it was taken out of {} texts that people or the platform wrote \
         (reasons, notes, words about a run, campaigns as runs keep them), however it was spelled",
        grouped(erased.rows),
        grouped(erased.runs),
        grouped(erased.pending),
        grouped(erased.texts)
    ));
    if erased.mentions > 0 {
        output::say(&format!(
            "{} rows of other numbers have these digits in one of their cells; they were left as \
             they are",
            grouped(erased.mentions)
        ));
    }
    let rehearsal = database::of_rehearsals(&global.db);
    if database::path_of(&rehearsal).is_some_and(|file| Path::new(file).exists()) {
        output::say(&format!(
            "the latest rehearsal may have it, too: callout erase --db {rehearsal} NUMBER"
        ));
    }
    output::say(
        "not looked at: names of lists, campaigns and files; exported files; copies of the database; the \
         platform's records",
    );
}

fn sure(args: &EraseArgs, masked: &str) -> Result<(), Failure> {
    if args.yes {
        return Ok(());
    }
    let question = format!("Delete {masked} from all runs? It cannot be taken back.");
    match output::ask(&question) {
        Some(true) => Ok(()),
        Some(false) => Err(Failure::usage("nothing was done")),
        None => Err(Failure::usage(format!(
            "{question} Nobody is there to be asked, so nothing was done: say --yes"
        ))),
    }
}
