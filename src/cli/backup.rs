//! `callout backup` and `callout restore`: a copy of the database while it is in use, and a copy that
//! is put in its place again.

use serde_json::json;

use super::args::{BackupArgs, Global, RestoreArgs};
use super::exit::{Exit, Failure};
use super::{World, database, file, latest, output};
use crate::report::summary::grouped;
use crate::store::{self, Access, Copied};

pub(super) async fn backup(args: &BackupArgs, global: &Global) -> Result<Exit, Failure> {
    file::refuse_to_replace(&args.file, false)?;
    let store = latest::open(global, Access::Beside).await?;
    let copied = store.backup(&args.file).await?;
    let gap = store.gap().await?;
    store.close().await?;
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

pub(super) async fn restore(
    args: &RestoreArgs,
    global: &Global,
    mut world: World,
) -> Result<Exit, Failure> {
    let accepts = args.accept.accept_unknown_calls;
    let state = global.state.as_deref();
    let restored = store::restore(&global.db, &args.file, state, accepts).await?;
    let store = latest::open(global, Access::EngineOfExisting).await?;
    latest::be_sure(store.as_ref(), args.accept, &mut world).await?;
    store.close().await?;
    if args.json {
        output::say_json(&json!({
            "database": database::shown(&global.db),
            "runs": restored.copied.runs,
            "attempts": restored.copied.attempts,
            "replaced": restored.replaced.map(|path| path.display().to_string()),
        }));
        return Ok(Exit::Done);
    }
    output::say(&format!(
        "{} is {} now: {}",
        database::shown(&global.db),
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
