//! Importing a campaign's list into a run: the list is checked on threads of its own while the
//! store writes what is checked already.

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};

use super::exit::Failure;
use crate::campaign::{Campaign, Script};
use crate::domain::{RunId, Screen, Suppressions};
use crate::recipients::{CheckError, CheckedRow, ListSummary, RowVerdict, check_list};
use crate::store::{Imported, ImportedRow, RejectedRow, Store};

/// Chunks of checked rows that may wait for the store.
const CHUNKS_WAITING: usize = 1;

/// Checks the list, screens it against the suppression lists as they are `now`, and imports it, all
/// of it or nothing.
pub(super) async fn import(
    store: &dyn Store,
    run: &RunId,
    campaign: &Campaign,
    (lists, now): (Suppressions, Timestamp),
) -> Result<(ListSummary, Script), Failure> {
    let (rows, rows_in) = mpsc::channel(CHUNKS_WAITING);
    let (imported, imported_in) = oneshot::channel();
    let checking = {
        let campaign = campaign.clone();
        let workers = workers();
        std::thread::spawn(move || {
            let mut sink = |chunk: Vec<CheckedRow>| {
                let chunk = chunk.into_iter().map(|checked| row(checked, &lists));
                rows.blocking_send(chunk.collect()).map_err(drop)
            };
            let screen = Screen {
                lists: Some(&lists),
                now,
            };
            let checked = check_list(&campaign, workers, screen, &mut sink);
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

fn row(row: CheckedRow, lists: &Suppressions) -> ImportedRow {
    let mut cells = row.cells;
    let mut zones = None;
    let mut verdict = match row.verdict {
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
    if let Err(reject) = &mut verdict
        && let Some(endpoint) = &mut reject.endpoint
        && lists.is_erased(endpoint)
    {
        // Who was erased is not stored again because a list still has them.
        endpoint.clear();
        cells.fill(String::new());
    }
    ImportedRow {
        line: row.line,
        cells,
        verdict,
        zones,
    }
}
