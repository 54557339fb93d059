//! `callout pause` and `callout cancel`: stopping a run from another terminal.

use super::args::OneRunArgs;
use super::exit::{Exit, Failure};
use super::output;
use crate::app::App;
use crate::app::runs::{Cancelled, Paused};
use crate::report::summary::grouped;

pub(super) async fn pause(args: &OneRunArgs, app: &App) -> Result<Exit, Failure> {
    let halting = app.halting(args.run.as_deref()).await?;
    let id = halting.run.id.clone();
    let goes_on = format!("callout resume {id} goes on");
    output::say(&match halting.pause().await? {
        Paused::BeingCancelled => format!(
            "run {id} is being cancelled: nobody else is called, and it ends when the calls that go on \
             are over"
        ),
        Paused::AskedAfterImport => format!(
            "asked: the list is being imported; nobody is called, and the run stops after it\n{goes_on}"
        ),
        Paused::Asked => {
            format!("asked: the engine takes nothing new and stops within a minute\n{goes_on}")
        }
        Paused::Done => {
            format!("run {id} is paused; its engine had ended already\n{goes_on}")
        }
        Paused::NotBegun => format!(
            "run {id} has called nobody yet, and nothing works on it: nothing to stop\n\
             callout resume {id} begins, callout cancel {id} ends it"
        ),
        Paused::Already(why) => format!(
            "run {id} is paused already ({}): nothing to stop\n{goes_on}",
            why.as_deref().unwrap_or("no reason was kept")
        ),
    });
    Ok(Exit::Done)
}

pub(super) async fn cancel(args: &OneRunArgs, app: &App) -> Result<Exit, Failure> {
    let halting = app.halting(args.run.as_deref()).await?;
    let id = halting.run.id.clone();
    output::say(&match halting.cancel().await? {
        Cancelled::AskedAfterImport => {
            "asked: the list is being imported; nobody is called, and the run ends after it"
                .to_owned()
        }
        Cancelled::Asked => {
            "asked: nobody else is called; calls that go on are followed to their end".to_owned()
        }
        Cancelled::Forgotten => "the run had not begun: it is forgotten".to_owned(),
        Cancelled::Done {
            recipients,
            open: 0,
        } => format!(
            "cancelled: {} recipients are not called",
            grouped(recipients)
        ),
        Cancelled::Done { recipients, open } => format!(
            "{} recipients are not called; {} calls have no result yet: callout resume {id} \
             collects them and ends the run",
            grouped(recipients),
            grouped(open),
        ),
    });
    Ok(Exit::Done)
}
