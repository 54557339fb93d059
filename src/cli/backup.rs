//! `callout backup` and `callout restore`: a copy of the database while it is in use, and a copy that
//! is put in its place again.

use serde_json::json;

use super::args::{BackupArgs, RestoreArgs};
use super::exit::{Exit, Failure};
use crate::app::App;
use crate::app::database::shown;
use crate::output;
use crate::report::summary::grouped;
use crate::store::Copied;

pub(super) async fn backup(args: &BackupArgs, app: &App) -> Result<Exit, Failure> {
    let (copied, gap) = app.backup(&args.file).await?;
    if let Some(gap) = gap {
        output::tell(&format!("warning: the database that was copied {gap}"));
    }
    if args.json {
        output::say_json(&json!({
            "file": args.file.display().to_string(),
            "runs": copied.runs,
            "attempts": copied.attempts,
        }));
    } else {
        output::say(&format!(
            "{}: {}, whole; `callout restore` puts it back",
            args.file.display(),
            counted(copied)
        ));
    }
    Ok(Exit::Done)
}

pub(super) async fn restore(args: &RestoreArgs, app: &App) -> Result<Exit, Failure> {
    let accepts = args.accept.accept_unknown_calls;
    let restored = app.restore(&args.file, accepts).await?;
    let database = shown(&app.settings.database);
    if args.json {
        output::say_json(&json!({
            "database": database,
            "runs": restored.copied.runs,
            "attempts": restored.copied.attempts,
            "replaced": restored.replaced.map(|path| path.display().to_string()),
        }));
        return Ok(Exit::Done);
    }
    output::say(&format!(
        "{} is {} now: {}",
        database,
        args.file.display(),
        counted(restored.copied)
    ));
    if let Some(path) = restored.replaced {
        output::say(&format!(
            "what was there is kept as {}, with everybody's numbers in it",
            path.display()
        ));
    }
    Ok(Exit::Done)
}

fn counted(copied: Copied) -> String {
    format!(
        "{} runs with {} attempts",
        grouped(copied.runs),
        grouped(copied.attempts)
    )
}
