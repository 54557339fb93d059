//! `callout pause` and `callout cancel`: stopping a run from another terminal.

use serde_json::json;

use super::args::{CancelArgs, FactsArgs};
use super::exit::{self, Exit, Failure};
use crate::app::App;
use crate::app::runs::{Cancelled, Paused, ToCancel};
use crate::output;
use crate::report::summary::counted;

pub(super) async fn pause(args: &FactsArgs, app: &App) -> Result<Exit, Failure> {
    let halting = app.halting(args.run.as_deref()).await?;
    let (id, campaign) = (halting.run.id.clone(), halting.run.campaign.clone());
    let paused = halting.pause().await?;
    if args.json {
        let why = match &paused {
            Paused::Already(why) => why.as_deref(),
            _ => None,
        };
        output::say_json(&json!({
            "run": id.as_str(), "campaign": campaign, "result": paused.code(), "why": why,
        }));
        return Ok(Exit::Done);
    }
    let goes_on = format!("callout resume {id} goes on");
    output::say(&match paused {
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

pub(super) async fn cancel(args: &CancelArgs, app: &App) -> Result<Exit, Failure> {
    let mut wanted = args.run.clone();
    if !args.yes {
        // Looked at first: nothing is held while a person thinks.
        let to_cancel = app.to_cancel(args.run.as_deref()).await?;
        exit::sure(&question(&to_cancel), "nothing was cancelled")?;
        wanted = Some(to_cancel.run.id.to_string());
    }
    let halting = app.halting(wanted.as_deref()).await?;
    let (id, campaign) = (halting.run.id.clone(), halting.run.campaign.clone());
    let cancelled = halting.cancel().await?;
    if args.json {
        let (recipients, open) = match cancelled {
            Cancelled::Done { recipients, open } => (Some(recipients), Some(open)),
            _ => (None, None),
        };
        output::say_json(&json!({
            "run": id.as_str(), "campaign": campaign, "result": cancelled.code(),
            "not_called": recipients, "calls_without_result": open,
        }));
        return Ok(Exit::Done);
    }
    output::say(&match cancelled {
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
        } => format!("cancelled: {}", not_called(recipients)),
        Cancelled::Done { recipients, open } => format!(
            "{}; {} no result yet: callout resume {id} collects {} and ends the run",
            not_called(recipients),
            counted(open, "call has", "calls have"),
            if open == 1 { "it" } else { "them" },
        ),
    });
    Ok(Exit::Done)
}

fn not_called(recipients: u64) -> String {
    counted(
        recipients,
        "recipient is not called",
        "recipients are not called",
    )
}

/// What a person decides on.
fn question(ToCancel { run, people, calls }: &ToCancel) -> String {
    let go_on = match calls {
        0 => String::new(),
        n => format!(", {} on", counted(*n, "call goes", "calls go")),
    };
    let what = if run.header.is_none() {
        "nobody of its list was called".to_owned()
    } else {
        let people = counted(*people, "person is", "people are");
        format!("{people} not called any more{go_on}")
    };
    format!("Cancel run {} of {}: {what}?", run.id, run.campaign)
}
