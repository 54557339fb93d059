//! `callout check`: reads a campaign and its list and names every fault.

use super::args::CheckArgs;
use super::exit::{Exit, Failure};
use crate::app::App;
use crate::output;

/// Rows at fault that a terminal shows; a file or a program gets all.
const ROWS_SHOWN: usize = 100;

pub(super) async fn check(args: &CheckArgs, app: &App) -> Result<Exit, Failure> {
    let checked = app.check(&args.file).await?;
    if args.json {
        output::say_json(&checked.json());
    } else {
        let rows_max = if output::is_read_by_a_person() {
            ROWS_SHOWN
        } else {
            usize::MAX
        };
        for line in checked.lines(rows_max) {
            output::say(&line);
        }
    }
    Ok(if checked.is_good() {
        Exit::Done
    } else {
        Exit::Usage
    })
}
