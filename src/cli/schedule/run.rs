//! `callout schedule run`: waits for each start of a campaign and runs it, until somebody stops it.

use crate::app::App;
use crate::app::receive::Receiving;
use crate::app::runs::Assurances;
use crate::app::schedule::Turned;
use crate::cli::args::{Global, ScheduleRunArgs};
use crate::cli::database;
use crate::cli::events::Shown;
use crate::cli::exit::{Exit, Failure};
use crate::cli::run::tell_end;
use crate::output;
use crate::process;
use crate::store::Access;

pub(super) async fn run(
    args: &ScheduleRunArgs,
    global: &Global,
    app: &App,
) -> Result<Exit, Failure> {
    let stop = process::listen()?;
    let mut scheduler = app.scheduler(&args.file, stop)?;
    database::may_dial(global, &args.file, Some("this command never asks"))?;
    app.make_database(Assurances {
        clock_is_right: args.clock.clock_is_right,
        unknown_calls: args.accept.accept_unknown_calls,
    })
    .await?;
    output::tell(&database::line(&app.settings.database));
    let receiving = app.receiving(Access::Beside).await?;
    let shown = if args.json { Shown::Json } else { Shown::Text };
    let mut exit = Exit::Done;
    loop {
        match scheduler.turn().await? {
            Turned::Ran(ended) => exit = tell_end(&ended, shown),
            Turned::AtFault if args.once => exit = Exit::Usage,
            Turned::AtFault => {}
            Turned::Over => break,
        }
        if args.once {
            break;
        }
    }
    Receiving::end(receiving).await?;
    Ok(exit)
}
