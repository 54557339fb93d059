//! `callout resume`: goes on with a stopped run, from the database alone. It never asks.

use super::advice;
use super::args::ResumeArgs;
use super::exit::{Exit, Failure};
use super::run::tell_end;
use crate::app::App;
use crate::app::receive::Receiving;
use crate::app::runs::{Assurances, Resume, Resumed};
use crate::output;
use crate::process;
use crate::store::Access;

pub(super) async fn resume(args: &ResumeArgs, app: &App) -> Result<Exit, Failure> {
    let wanted = Resume {
        run: args.run.as_deref(),
        cap: args.cap.as_deref(),
        refusals_are_theirs: args.refusals_are_theirs,
        assured: Assurances {
            clock_is_right: args.clock.clock_is_right,
            unknown_calls: args.accept.accept_unknown_calls,
        },
        output: args.results.file(),
    };
    let receiving = app.receiving(Access::Beside).await?;
    let exit = match app.resume(wanted).await? {
        Resumed::Work(work) => {
            // Whoever reads that it goes on may stop it at once.
            let stop = process::listen()?;
            output::tell(&format!("resuming run {} of {}", work.run, work.campaign));
            tell_end(&work.until(&stop).await?, args.results.shown())
        }
        Resumed::Over(over) => {
            let (run, summary) = *over;
            if args.results.json {
                output::say_json(&summary.json());
            } else {
                output::tell(&format!("run {} is {} already", run.id, run.state));
                output::say(&advice::report(&summary));
            }
            Exit::of_run(run.state, run.money, &summary.tally)
        }
    };
    Receiving::end(receiving).await?;
    Ok(exit)
}
