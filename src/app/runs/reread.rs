//! The numbers of a run that earlier rules read, read again before anybody else of it is dialled.
//!
//! Whose cell would be refused now, or read as another number, is not dialled: what was taken for
//! their number may be somebody else's. Done once for each run, at its first `resume`; those whose call
//! was not over then are looked at when they are dialled.

use crate::app::{App, Error, Notice, Refusal};
use crate::campaign::Campaign;
use crate::domain::destination::mask;
use crate::domain::{DestinationKind, Digits, READ_AGAIN_BUT, READER, RecipientId, RejectKind};
use crate::recipients::Numbers;
use crate::store::{RejectedRow, Run, Store};

/// Looks at a row's number once more when it is dialled.
#[derive(Debug, Clone)]
pub(crate) struct AtTheDial {
    column: usize,
    numbers: Numbers,
}

impl AtTheDial {
    /// Why a row is not dialled after all.
    pub(super) fn fault(&self, cells: &[String], endpoint: &str) -> Option<String> {
        let cell = cells.get(self.column)?;
        (cell != endpoint).then(|| otherwise(self.numbers, cell, endpoint))?
    }
}

/// Rows at a time.
const PAGE: u32 = 5_000;

/// Reads the numbers of a run again that earlier rules read.
pub(super) async fn numbers_of(
    app: &App,
    run: &Run,
    campaign: &Campaign,
    store: &dyn Store,
) -> Result<Option<AtTheDial>, Error> {
    let list = &campaign.recipients;
    let header = run.header.as_deref().unwrap_or_default();
    let column = header.iter().position(|name| *name == list.number);
    let Some(column) = column.filter(|_| run.reader < READER) else {
        return Ok(None);
    };
    if run.destination_kind == DestinationKind::Username {
        store.was_read_again(&run.id, true).await?;
        return Ok(None);
    }
    let numbers = Numbers::new(list.region.as_deref(), list.numbers)
        .map_err(|e| Refusal::input("numbers", e))?;
    let at_the_dial = AtTheDial { column, numbers };
    if run.reader == READ_AGAIN_BUT {
        return Ok(Some(at_the_dial));
    }
    let (mut after, mut rejected, mut called) = (RecipientId(0), 0_u64, 0_u64);
    loop {
        let rows = store
            .written_otherwise(&run.id, column, after, PAGE)
            .await?;
        let Some(last) = rows.last() else { break };
        after = last.recipient;
        let mut rejects = Vec::new();
        for row in rows {
            let Some(why) = otherwise(numbers, &row.cell, &row.endpoint) else {
                continue;
            };
            if row.called {
                called += 1;
                continue;
            }
            let reject = RejectedRow {
                kind: RejectKind::Invalid,
                reason: why,
                column: Some(list.number.clone()),
                value: Some(row.cell),
                endpoint: None,
            };
            rejects.push((row.recipient, reject));
        }
        rejected += rejects.len() as u64;
        if !rejects.is_empty() {
            store.reject(&rejects).await?;
        }
    }
    if rejected > 0 {
        app.tell(Notice::ReadOtherwise {
            run: run.id.clone(),
            rows: rejected,
        });
    }
    // Whose call is not over, or not settled, may be due again: they are looked at when they are dialled.
    store.was_read_again(&run.id, called == 0).await?;
    Ok((called > 0).then_some(at_the_dial))
}

/// Why a cell does not stand for the number any more that it was taken for.
fn otherwise(numbers: Numbers, cell: &str, endpoint: &str) -> Option<String> {
    let was = mask(endpoint);
    let before =
        format!("its number would be read differently now: an earlier version took it for {was}");
    match numbers.normalise(cell) {
        Ok(now) => {
            let person = |e164: &str| Digits::of(e164).map(Digits::person);
            let same = person(&now.e164) == person(endpoint);
            (!same).then(|| format!("{before}, and it is {}", mask(&now.e164)))
        }
        Err(why) => Some(format!("{before}; {why}")),
    }
}
