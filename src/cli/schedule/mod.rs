//! `callout schedule`: what is scheduled, when it comes round, and a process that waits for it.

mod list;
mod next;
mod run;

use super::args::{Global, ScheduleCommand};
use super::exit::{Exit, Failure};
use crate::app::App;

pub(super) async fn dispatch(
    command: ScheduleCommand,
    global: &Global,
    app: &App,
) -> Result<Exit, Failure> {
    match command {
        ScheduleCommand::List(args) => list::list(&args, global, app).await,
        ScheduleCommand::Next(args) => next::next(&args, app),
        ScheduleCommand::Run(args) => run::run(&args, global, app).await,
    }
}
