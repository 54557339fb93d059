//! Importing a campaign's list into a run: the list is checked on threads of its own while the
//! store writes what is checked already.

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};

use crate::app::plan::rates;
use crate::app::{App, Error, Refusal};
use crate::campaign::{Campaign, Script};
use crate::domain::{NotReachedBy, RunId, Screen, Spend, Suppressions};
use crate::recipients::{CheckError, CheckedRow, ListSummary, RowVerdict, check_list};
use crate::store::{Imported, ImportedRow, RejectedRow, Store};

/// Chunks of checked rows that may wait for the store.
const CHUNKS_WAITING: usize = 1;

/// On what terms a list is imported.
pub(crate) struct Terms<'a> {
    /// The suppression lists that it is screened against.
    pub(crate) lists: Suppressions,
    /// As they are at that moment.
    pub(crate) now: Timestamp,
    /// What the run may cost: each recipient gets the worst case of a call.
    pub(crate) spend: Option<&'a Spend>,
    /// Where only those are called whom an earlier run did not reach.
    pub(crate) only: Option<NotReachedBy>,
    /// SHA-256 of the list that was planned with; another one is refused.
    pub(crate) planned: Option<&'a str>,
}

/// Checks the list, screens it, and imports it on these terms, all of it or nothing.
pub(crate) async fn import(
    app: &App,
    store: &dyn Store,
    run: &RunId,
    campaign: &Campaign,
    terms: Terms<'_>,
) -> Result<(ListSummary, Script), Error> {
    let (rows, rows_in) = mpsc::channel(CHUNKS_WAITING);
    let (imported, imported_in) = oneshot::channel();
    let counted = app.counting("rows imported", None);
    let checking = {
        let (campaign, spend) = (campaign.clone(), terms.spend.cloned());
        let (lists, now, only) = (terms.lists, terms.now, terms.only);
        let planned = terms.planned.map(str::to_owned);
        let (workers, done) = (workers(), counted.done.clone());
        std::thread::spawn(move || {
            let mut sink = |chunk: Vec<CheckedRow>| {
                let many = chunk.len() as u64;
                let chunk = chunk
                    .into_iter()
                    .map(|checked| row(checked, spend.as_ref(), &lists))
                    .collect::<Result<_, _>>()?;
                rows.blocking_send(chunk).map_err(|_| None)?;
                done.add(many);
                Ok(())
            };
            let screen = Screen {
                lists: Some(&lists),
                now,
                only: only.as_ref(),
            };
            let mut checked = check_list(&campaign, workers, screen, &mut sink);
            drop(rows);
            if let (Ok(list), Some(planned)) = (&checked, planned)
                && list.summary.sha256 != planned
            {
                checked = Err(CheckError::Sink(Some(
                    Refusal::NotAsPlanned(vec!["the list"]).into(),
                )));
            }
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
        .map_err(|_| Error::failed("reading the list ended unexpectedly; please report this"))?;
    match (checked, stored) {
        (Ok(list), Ok(())) => Ok((list.summary, list.script)),
        (Err(CheckError::Faults(faults)), _) => Err(faults.into()),
        (Err(CheckError::Sink(Some(failure))), _) => Err(failure),
        (Err(CheckError::Sink(None)), Ok(())) => Err(Error::failed("the import was given up")),
        (_, Err(error)) => Err(error.into()),
    }
}

/// Threads that check rows.
pub(crate) fn workers() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn row(
    row: CheckedRow,
    spend: Option<&Spend>,
    lists: &Suppressions,
) -> Result<ImportedRow, Option<Error>> {
    let mut cells = row.cells;
    let (mut zones, mut hold) = (None, None);
    let mut verdict = match row.verdict {
        RowVerdict::Valid {
            destination,
            zones: found,
            length,
            legs,
            ..
        } => {
            zones = found;
            if let Some(spend) = spend {
                let line = row.line;
                let unknown = |to| Some(Refusal::NoRate { line, to }.into());
                hold = Some(rates::hold(spend, &destination, length, &legs).map_err(unknown)?);
            }
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
    Ok(ImportedRow {
        line: row.line,
        cells,
        verdict,
        zones,
        hold,
    })
}
