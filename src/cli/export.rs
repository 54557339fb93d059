//! `callout export`: what became of a run, as CSV.

use super::args::{ExportArgs, TableName};
use super::exit::{Exit, Failure};
use super::output;
use crate::app::runs::find;
use crate::app::{App, files, results};
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
    if let Some(path) = &args.output {
        let file = (path.as_path(), args.force);
        results::write_file(store.as_ref(), &run, table, args.raw, file).await?;
    } else {
        let sink = &mut output::pour;
        results::write_rows(store.as_ref(), &run, table, args.raw, sink).await?;
    }
    store.close().await?;
    Ok(Exit::Done)
}
