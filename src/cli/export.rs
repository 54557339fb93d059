//! `callout export`: what became of a run, as CSV.

use serde_json::json;

use super::args::{ExportArgs, TableName};
use super::exit::{Exit, Failure};
use crate::app::runs::find;
use crate::app::{App, files, results};
use crate::output;
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
    let store = store.as_ref();
    // How many are rejects is not known, and no more than all.
    let rows = (table != Table::Rejects).then_some(run.rows);
    let counted = || app.counting("rows written", rows);
    if let Some(path) = &args.output {
        let file = (path.as_path(), args.force);
        let counted = counted();
        let done = counted.done.clone();
        let sha256 = results::write_file(store, &run, table, args.raw, file, &done).await?;
        drop(counted);
        if args.json {
            output::say_json(&json!({
                "run": run.id.as_str(), "campaign": run.campaign, "table": args.table.as_str(),
                "file": path.display().to_string(), "recipients": done.get(), "sha256": sha256,
            }));
        }
    } else {
        let sink = &mut output::pour;
        let counted = (!output::shows_facts()).then(counted);
        let done = counted.as_ref().map(|counted| counted.done.clone());
        let done = done.unwrap_or_default();
        results::write_rows(store, &run, table, args.raw, sink, &done).await?;
    }
    store.close().await?;
    Ok(Exit::Done)
}
