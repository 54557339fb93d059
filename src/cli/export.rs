//! `callout export`: what became of a run, as CSV.

use serde_json::json;

use super::args::{ExportArgs, TableName};
use super::exit::{Exit, Failure};
use crate::app::runs::find;
use crate::app::{App, Counting, files, results};
use crate::domain::Count;
use crate::output;
use crate::output::progress::Counter;
use crate::report::Table;
use crate::store::Access;

pub(super) async fn export(args: &ExportArgs, app: &App) -> Result<Exit, Failure> {
    if let Some(path) = &args.output {
        files::refuse_to_replace(path, args.force)?;
    }
    let store = app.open(Access::Beside).await?;
    if let Some(path) = &args.output {
        files::refuse_inputs_of_runs(path, store.as_ref()).await?;
    }
    let run = find(store.as_ref(), args.run.as_deref()).await?;
    let table = match args.table {
        TableName::Results => Table::Results,
        TableName::Attempts => Table::Attempts,
        TableName::Rejects => Table::Rejects,
    };
    let (store, done) = (store.as_ref(), Count::default());
    // How many are rejects is not known, and no more than all.
    let rows = (table != Table::Rejects).then_some(run.rows);
    let counting = Counting {
        what: "rows written",
        of: rows,
        done: done.clone(),
    };
    if let Some(path) = &args.output {
        let file = (path.as_path(), args.force);
        let writing = results::write_file(store, &run, table, args.raw, file, &done);
        let shown = Counter::of(counting);
        let sha256 = writing.await?;
        drop(shown);
        if args.json {
            output::say_json(&json!({
                "run": run.id.as_str(), "campaign": run.campaign, "table": args.table.as_str(),
                "file": path.display().to_string(), "recipients": done.get(), "sha256": sha256,
            }));
        }
    } else {
        let sink = &mut output::pour;
        let writing = results::write_rows(store, &run, table, args.raw, sink, &done);
        let _shown = (!output::shows_facts()).then(|| Counter::of(counting));
        writing.await?;
    }
    store.close().await?;
    Ok(Exit::Done)
}
