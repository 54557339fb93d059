//! `callout schedule`: what is scheduled, when it comes round, and a process that waits for it.

mod list;
mod next;
mod run;

use jiff::Zoned;

use super::args::{Global, ScheduleCommand};
use super::exit::{Exit, Failure};
use crate::app::App;
use crate::output;

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

/// A moment in this machine's own zone, for people.
pub(super) fn local(at: &Zoned) -> String {
    let here = at.timestamp().to_zoned(output::local_zone());
    here.strftime("%a %Y-%m-%d %H:%M %Z").to_string()
}
