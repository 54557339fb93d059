//! `callout run`: the real thing.

use jiff::Zoned;

use super::args::{Global, RunArgs};
use super::events::Shown;
use super::exit::{self, Exit, Failure};
use super::{advice, database, plan};
use crate::app::plan::Plan;
use crate::app::receive::Receiving;
use crate::app::runs::{
    Assurances, Ended, Looking, not_reached_by, noted, rate, refuse_second_run, refuse_spent,
};
use crate::app::schedule::Slot;
use crate::app::{App, files};
use crate::campaign::Campaign;
use crate::domain::PauseReason;
use crate::engine::End;
use crate::output;
use crate::process;
use crate::store::{Access, Planned};

pub(super) async fn run(args: &RunArgs, global: &Global, app: &App) -> Result<Exit, Failure> {
    let campaign = Campaign::load(&args.file)?;
    rate(&campaign)?;
    let client = app.client()?;
    if let Some(path) = &args.results.output {
        files::refuse_to_replace(path, args.results.force)?;
        files::refuse_inputs(path, &campaign)?;
    }
    let never_asks = args.yes.then_some("--yes makes none");
    database::may_dial(global, &args.file, never_asks)?;
    let assured = Assurances {
        clock_is_right: args.clock.clock_is_right,
        unknown_calls: args.accept.accept_unknown_calls,
    };
    let mut store = app.ready_to_dial(Access::Engine, assured).await?;
    refuse_second_run(store.as_ref(), &campaign).await?;
    let planned = args.plan.as_ref();
    if let Some(planned) = planned {
        refuse_spent(store.as_ref(), &planned.to_string(), app.clock.wall()).await?;
    }
    let schedule = campaign.schedule.as_ref().filter(|_| !args.now);
    let start = match schedule {
        None => None,
        // A start that cannot be is refused before anything is asked.
        Some(schedule) => app
            .start_of(&campaign.name, schedule, store.as_ref())
            .await?
            .later(),
    };
    let only = not_reached_by(store.as_ref(), args.only.of()).await?;
    let looking = Looking {
        app,
        campaign: &campaign,
        client: &client,
        store: store.as_ref(),
        only: only.as_ref(),
        planned,
    };
    let noted = before_run(&looking, args, (schedule.is_some(), start.as_ref())).await?;
    let stop = process::listen()?;
    let receiving = app.receiving(Access::Beside).await?;
    let mut slot: Option<Slot> = None;
    if let Some(schedule) = schedule {
        let name = &campaign.name;
        let Some(waited) = app.wait_for_start(name, schedule, store, &stop).await? else {
            output::tell("stopped before the start: nothing was dialled");
            return Ok(Exit::WorkLeft);
        };
        (store, slot) = (waited.0, Some(waited.1));
        app.refuse_set_back(store.as_ref(), assured.clock_is_right)
            .await?;
    }
    let mut new = app.new_run(&campaign, client.platform(), false);
    new.planned = noted;
    if let Some(slot) = slot {
        slot.assign(&mut new);
    }
    output::tell(&database::line(&app.settings.database));
    let begun = app.begin(store, &campaign, client, new, planned).await;
    let mut work = begun.map_err(crate::app::Error::from)?;
    work.output = args
        .results
        .file()
        .map(|(path, replace)| (path.to_owned(), replace));
    let ended = work.until(&stop).await?;
    Receiving::end(receiving).await?;
    Ok(tell_end(&ended, args.results.shown()))
}

/// Shows the plan and asks; unasked, what nobody would have said yes to is refused.
async fn before_run(
    looking: &Looking<'_>,
    args: &RunArgs,
    (scheduled, start): (bool, Option<&Zoned>),
) -> Result<Planned, Failure> {
    let plan = if args.yes {
        looking.unasked(args.again, scheduled).await?
    } else {
        let plan = looking.shown().await?;
        ask(&plan, start, args.results.shown() != Shown::Text)?;
        Some(plan)
    };
    let only_of = looking.only.map(|only| only.run.clone());
    Ok(noted(plan.as_ref(), only_of, scheduled))
}

/// Shows the plan and what speaks against it, and asks whether to go on.
fn ask(plan: &Plan, start: Option<&Zoned>, aside: bool) -> Result<(), Failure> {
    let text = plan::text(plan);
    if aside {
        output::tell(&text);
    } else {
        output::say(&text);
    }
    for caution in plan.cautions(start) {
        output::tell(&format!("warning: {caution}"));
    }
    exit::sure(&plan.question(start), "nothing was dialled")
}

/// Prints the report of a run that ended or stopped, and gives the exit code of that.
pub(super) fn tell_end(ended: &Ended, shown: Shown) -> Exit {
    let summary = &ended.summary;
    match shown {
        Shown::Nothing => {}
        Shown::Json => output::say_json(&summary.json()),
        Shown::Text => {
            output::say(&advice::report(summary));
            if let Some(path) = &ended.results {
                output::say(&format!("\nresults: {}", path.display()));
            }
        }
    }
    let id = &summary.run;
    if let End::Paused(PauseReason::SpendCap(_)) = &ended.end {
        output::tell(&format!(
            "callout resume {id} --cap \"AMOUNT CURRENCY\" goes on with another cap; without it, it \
             stops there again"
        ));
    }
    if let End::Paused(why) = &ended.end
        && let Some(code) = why.refused_with()
    {
        output::tell(&format!(
            "callout resume {id} goes on once the cause is mended; where the refusals with {code} are \
             the recipients' own, callout resume {id} --refusals-are-theirs makes them final"
        ));
    }
    Exit::of_end(&ended.end, &summary.tally)
}
