//! `callout check`: reads a campaign and its list and names every fault.

use super::args::CheckArgs;
use super::exit::{Exit, Failure};
use super::output;
use crate::app::App;

pub(super) async fn check(args: &CheckArgs, app: &App) -> Result<Exit, Failure> {
    let checked = app.check(&args.file).await?;
    if args.json {
        output::say_json(&checked.json());
    } else {
        for line in checked.lines() {
            output::say(&line);
        }
    }
    Ok(if checked.is_good() {
        Exit::Done
    } else {
        Exit::Usage
    })
}
