//! The results of a run, as CSV.

use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::files::NewFile;
use super::{App, Error, Refusal};
use crate::digest::{hex, sha256_of};
use crate::domain::{Count, RecipientId};
use crate::report::{Export, Table};
use crate::store::{Run, Store};

/// Rows read at a time.
const PAGE: u32 = 500;

/// Writes a run's results, and remembers the file, so that a resume may replace it. Where another
/// file has taken the name meanwhile, the run's id goes into the name. Returns the name.
pub(crate) async fn write_results(
    app: &App,
    store: &dyn Store,
    run: &Run,
    (path, replace): (&Path, bool),
) -> Result<PathBuf, Error> {
    let replace = replace || is_own(path, run);
    let taken = !replace && path.exists();
    let path = if taken {
        with_id(path, run)
    } else {
        path.to_owned()
    };
    let file = (path.as_path(), replace);
    let counted = app.counting("rows written", Some(run.rows));
    let sha256 = write_file(store, run, Table::Results, false, file, &counted.done).await?;
    drop(counted);
    let absolute = std::path::absolute(&path).unwrap_or_else(|_| path.clone());
    store.results_written(&run.id, &absolute, &sha256).await?;
    Ok(path)
}

fn with_id(path: &Path, run: &Run) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{stem}-{}.csv", run.id))
}

/// Whether this very run wrote the file, and nobody has changed it since.
pub(crate) fn is_own(path: &Path, run: &Run) -> bool {
    run.results.as_ref().is_some_and(|(written, sha256)| {
        let same = std::path::absolute(path).is_ok_and(|path| path == *written);
        same && sha256_of(path).is_ok_and(|found| found == *sha256)
    })
}

/// Writes a table to a file, whole or not at all, and counts its rows. Returns the SHA-256 of its bytes.
pub(crate) async fn write_file(
    store: &dyn Store,
    run: &Run,
    table: Table,
    raw: bool,
    (path, replace): (&Path, bool),
    done: &Count,
) -> Result<String, Error> {
    let mut file = NewFile::begin(path)?;
    let mut sha256 = Sha256::new();
    let mut sink = |bytes: &[u8]| {
        sha256.update(bytes);
        file.write(bytes).map(|()| true)
    };
    write_rows(store, run, table, raw, &mut sink, done).await?;
    file.finish(replace)?;
    Ok(hex(&sha256.finalize()))
}

/// Writes a table, in the list's order, until the sink says that nobody reads any more. Counts the rows
/// that were written.
///
/// Every page is a short question of its own: one that took as long as the export would keep the log of a
/// run at work from being folded into the file.
pub(crate) async fn write_rows(
    store: &dyn Store,
    run: &Run,
    table: Table,
    raw: bool,
    sink: &mut (dyn FnMut(&[u8]) -> io::Result<bool> + Send),
    done: &Count,
) -> Result<(), Error> {
    let Some(header) = &run.header else {
        return Err(Refusal::NotImported(run.id.clone()).into());
    };
    let page = async |after| match table {
        Table::Rejects => store.rejects(&run.id, after, PAGE).await,
        Table::Results | Table::Attempts => store.results(&run.id, after, PAGE).await,
    };
    let mut export = Export::new(table, header, raw);
    let mut rows = page(RecipientId(0)).await?;
    // A page is read while the one before is put into words, and the words of the one before that are
    // written.
    while let Some(last) = rows.last() {
        let (after, words) = (last.recipient, export.take());
        let wording = tokio::task::spawn_blocking(move || {
            for row in &rows {
                export.add(row);
            }
            (export, rows)
        });
        let (next, goes_on, worded) =
            tokio::join!(biased; page(after), async { sink(&words) }, wording);
        if !goes_on? {
            return Ok(());
        }
        let (worded, read) = worded.map_err(io::Error::other)?;
        done.add(read.len() as u64);
        // Here and not there: memory goes back to the thread that took it, or both wait for each other.
        drop(read);
        (export, rows) = (worded, next?);
    }
    sink(&export.take())?;
    Ok(())
}
