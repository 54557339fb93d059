//! Importing a campaign's list into a run: the list is checked on threads of its own while the
//! store writes what is checked already.

use tokio::sync::{mpsc, oneshot};

use super::exit::Failure;
use crate::campaign::{Campaign, Script};
use crate::domain::RunId;
use crate::recipients::{CheckError, CheckedRow, ListSummary, RowVerdict, check_list};
use crate::store::{Imported, ImportedRow, RejectedRow, Store};

/// Chunks of checked rows that may wait for the store.
const CHUNKS_WAITING: usize = 1;

/// Checks the list and imports it, all of it or nothing.
pub(super) async fn import(
    store: &dyn Store,
    run: &RunId,
    campaign: &Campaign,
) -> Result<(ListSummary, Script), Failure> {
    let (rows, rows_in) = mpsc::channel(CHUNKS_WAITING);
    let (imported, imported_in) = oneshot::channel();
    let checking = {
        let campaign = campaign.clone();
        let workers = workers();
        std::thread::spawn(move || {
            let mut sink = |chunk: Vec<CheckedRow>| {
                rows.blocking_send(chunk.into_iter().map(row).collect())
                    .map_err(drop)
            };
            let checked = check_list(&campaign, workers, &mut sink);
            drop(rows);
            if let Ok(list) = &checked {
                let end = Imported {
                    header: list.summary.header.clone(),
                    destination_kind: campaign.recipients.destination_kind,
                    sha256: list.summary.sha256.clone(),
                };
                // A store that is gone says so itself.
                drop(imported.send(end));
            }
            checked
        })
    };
    let stored = store.import(run, rows_in, imported_in).await;
    let checked = checking
        .join()
        .map_err(|_| Failure::failed("reading the list ended unexpectedly; please report this"))?;
    match (checked, stored) {
        (Ok(list), Ok(())) => Ok((list.summary, list.script)),
        (Err(CheckError::Faults(faults)), _) => Err(faults.into()),
        (Err(CheckError::Sink(())), Ok(())) => Err(Failure::failed("the import was given up")),
        (_, Err(error)) => Err(error.into()),
    }
}

/// Threads that check rows.
pub(super) fn workers() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn row(row: CheckedRow) -> ImportedRow {
    let mut zones = None;
    let verdict = match row.verdict {
        RowVerdict::Valid {
            destination,
            zones: found,
            ..
        } => {
            zones = found;
            Ok(destination.endpoint)
        }
        RowVerdict::Reject {
            kind,
            column,
            value,
            destination,
            reason,
        } => Err(RejectedRow {
            kind,
            reason,
            column,
            value,
            endpoint: destination.map(|d| d.endpoint),
        }),
    };
    ImportedRow {
        line: row.line,
        cells: row.cells,
        verdict,
        zones,
    }
}
