//! `callout export`, and the results that other commands write at their end.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::args::{ExportArgs, Global, TableName};
use super::exit::{Exit, Failure};
use super::file::{NewFile, refuse_inputs_of_runs, refuse_to_replace};
use super::{output, runs};
use crate::domain::RecipientId;
use crate::report::{Export, Table};
use crate::store::{self, Access, Run, Store};

/// Rows read at a time.
const PAGE: u32 = 500;

pub(super) async fn export(args: &ExportArgs, global: &Global) -> Result<Exit, Failure> {
    if let Some(path) = &args.output {
        refuse_to_replace(path, args.force)?;
    }
    let store = store::open(&global.db, Access::Beside, None).await?;
    if let Some(path) = &args.output {
        refuse_inputs_of_runs(path, store.as_ref()).await?;
    }
    let run = runs::find(store.as_ref(), args.run.as_deref()).await?;
    let table = match args.table {
        TableName::Results => Table::Results,
        TableName::Attempts => Table::Attempts,
        TableName::Rejects => Table::Rejects,
    };
    match &args.output {
        Some(path) => {
            write_file(store.as_ref(), &run, table, args.raw, (path, args.force)).await?;
        }
        None => write_rows(store.as_ref(), &run, table, args.raw, &mut output::pour).await?,
    }
    store.close().await?;
    Ok(Exit::Done)
}

/// Writes a run's results, and remembers the file, so that a resume may replace it. Where another
/// file has taken the name meanwhile, the run's id goes into the name. Returns the name.
pub(super) async fn write_results(
    store: &dyn Store,
    run: &Run,
    (path, replace): (&Path, bool),
) -> Result<PathBuf, Failure> {
    let replace = replace || is_own(path, run);
    let taken = !replace && path.exists();
    let path = if taken {
        with_id(path, run)
    } else {
        path.to_owned()
    };
    let sha256 = write_file(store, run, Table::Results, false, (&path, replace)).await?;
    let absolute = std::path::absolute(&path).unwrap_or_else(|_| path.clone());
    store.results_written(&run.id, &absolute, &sha256).await?;
    Ok(path)
}

fn with_id(path: &Path, run: &Run) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{stem}-{}.csv", run.id))
}

/// Whether this very run wrote the file, and nobody has changed it since.
pub(super) fn is_own(path: &Path, run: &Run) -> bool {
    run.results.as_ref().is_some_and(|(written, sha256)| {
        let same = std::path::absolute(path).is_ok_and(|path| path == *written);
        same && sha256_of(path).is_ok_and(|found| found == *sha256)
    })
}

/// Writes a table to a file, whole or not at all. Returns the SHA-256 of its bytes.
pub(super) async fn write_file(
    store: &dyn Store,
    run: &Run,
    table: Table,
    raw: bool,
    (path, replace): (&Path, bool),
) -> Result<String, Failure> {
    let mut file = NewFile::begin(path)?;
    let mut sha256 = Sha256::new();
    let mut sink = |bytes: &[u8]| {
        sha256.update(bytes);
        file.write(bytes).map(|()| true)
    };
    write_rows(store, run, table, raw, &mut sink).await?;
    file.finish(replace)?;
    Ok(hex(&sha256.finalize()))
}

/// The SHA-256 of a file, in hex.
pub(super) fn sha256_of(path: &Path) -> io::Result<String> {
    let mut file = BufReader::new(File::open(path)?);
    let mut sha256 = Sha256::new();
    loop {
        let bytes = file.fill_buf()?;
        if bytes.is_empty() {
            return Ok(hex(&sha256.finalize()));
        }
        sha256.update(bytes);
        let read = bytes.len();
        file.consume(read);
    }
}

/// The SHA-256 of some bytes, in hex.
pub(super) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes in hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes all");
        text
    })
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
