//! `callout erase`: a person wants to be forgotten, and not called either.

use std::path::Path;

use serde_json::json;

use super::args::EraseArgs;
use super::exit::{self, Exit, Failure};
use super::suppress;
use crate::app::App;
use crate::app::database::{of_rehearsals, path_of};
use crate::domain::Destination;
use crate::output;
use crate::report::summary::grouped;
use crate::store::Erasure;

pub(super) async fn erase(args: &EraseArgs, app: &App) -> Result<Exit, Failure> {
    let numbers = suppress::numbers(&args.reading)?;
    let number = suppress::number(&args.number, numbers)?;
    let masked = Destination::number(number.e164()).masked();
    sure(args, &masked)?;
    let erased = app.erase(number, args.reason.as_deref()).await?;
    if args.json {
        output::say_json(&json!({
            "rows": erased.rows, "runs": erased.runs, "pending": erased.pending,
            "texts": erased.texts, "mentions": erased.mentions,
        }));
    } else {
        say(&masked, erased, &app.settings.database);
    }
    Ok(Exit::Done)
}

fn say(masked: &str, erased: Erasure, database: &str) {
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
    let rehearsal = of_rehearsals(database);
    if path_of(&rehearsal).is_some_and(|file| Path::new(file).exists()) {
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
    exit::sure(&question, "nothing was done")
}
