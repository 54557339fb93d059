//! `callout export`, and the results that other commands write at their end.
//!
//! A file is written under another name and renamed when it is whole: nobody ever reads half a file,
//! and nothing is replaced unless that was asked for.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::args::{ExportArgs, Global, TableName};
use super::exit::{Exit, Failure};
use super::{output, runs};
use crate::domain::RecipientId;
use crate::report::{Export, Table};
use crate::store::sqlite::{Access, SqliteStore};
use crate::store::{Run, Store};

/// Rows read at a time.
const PAGE: u32 = 500;

pub(super) async fn export(args: &ExportArgs, global: &Global) -> Result<Exit, Failure> {
    if let Some(path) = &args.output {
        refuse_to_replace(path, args.force)?;
    }
    let store = SqliteStore::open(&global.db, Access::Beside).await?;
    let run = runs::find(&store, args.run.as_deref()).await?;
    let table = match args.table {
        TableName::Results => Table::Results,
        TableName::Attempts => Table::Attempts,
        TableName::Rejects => Table::Rejects,
    };
    match &args.output {
        Some(path) => write_file(&store, &run, table, args.raw, path).await?,
        None => write_rows(&store, &run, table, args.raw, &mut output::pour).await?,
    }
    store.close().await?;
    Ok(Exit::Done)
}

/// Says no to an output file that is there already.
pub(super) fn refuse_to_replace(path: &Path, force: bool) -> Result<(), Failure> {
    if !force && path.exists() {
        return Err(Failure::usage(format!(
            "{} is there already: name another file, or say --force to replace it",
            path.display()
        )));
    }
    Ok(())
}

/// Writes a table to a file, whole or not at all.
pub(super) async fn write_file(
    store: &dyn Store,
    run: &Run,
    table: Table,
    raw: bool,
    path: &Path,
) -> Result<(), Failure> {
    let unwritable =
        |e: io::Error| Failure::failed(format!("{} cannot be written: {e}", path.display()));
    let partial = partial_name(path);
    let mut file = File::create(&partial).map_err(unwritable)?;
    let mut sink = |bytes: &[u8]| file.write_all(bytes).map(|()| true);
    let written = write_rows(store, run, table, raw, &mut sink).await;
    let finished = written.and_then(|()| {
        file.sync_all()
            .and_then(|()| std::fs::rename(&partial, path))
            .map_err(unwritable)
    });
    if finished.is_err() {
        // What is half written helps nobody; the error is already on its way.
        drop(std::fs::remove_file(&partial));
    }
    finished
}

async fn write_rows(
    store: &dyn Store,
    run: &Run,
    table: Table,
    raw: bool,
    sink: &mut (dyn FnMut(&[u8]) -> io::Result<bool> + Send),
) -> Result<(), Failure> {
    let Some(header) = &run.header else {
        return Err(Failure::usage(format!(
            "the list of run {} was never imported",
            run.id
        )));
    };
    let mut export = Export::new(table, header, raw);
    let mut after = RecipientId(0);
    loop {
        let rows = match table {
            Table::Rejects => store.rejects(&run.id, after, PAGE).await?,
            Table::Results | Table::Attempts => store.results(&run.id, after, PAGE).await?,
        };
        for row in &rows {
            export.add(row);
        }
        if !sink(&export.take())? {
            return Ok(());
        }
        let Some(last) = rows.last() else {
            return Ok(());
        };
        after = last.recipient;
    }
}

fn partial_name(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.partial", std::process::id()));
    path.with_file_name(name)
}
