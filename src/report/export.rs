//! CSV exports: results (fixed by DESIGN, section 3), attempts and rejects.
//!
//! A cell that a spreadsheet would run as a formula gets a leading `'`; plain phone numbers and
//! amounts are left alone, and `raw` leaves every byte as it was.

use jiff::Timestamp;

use super::formula::guarded;
use crate::domain::{AttemptRecord, Purse, RESULT_COLUMNS, ResultRow};

/// What stands between cells.
const DELIMITER: char = ',';

/// Which table is exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// One line for every row of the list.
    Results,
    /// One line for every attempt.
    Attempts,
    /// One line for every row that could not become a call.
    Rejects,
}

/// Turns rows into CSV.
#[derive(Debug)]
pub struct Export {
    table: Table,
    columns: usize,
    raw: bool,
    csv: csv::Writer<Vec<u8>>,
}

impl Export {
    /// An export of a list with this header. The first bytes are the header's line.
    pub fn new(table: Table, header: &[String], raw: bool) -> Self {
        let csv = csv::WriterBuilder::new()
            .flexible(true)
            .from_writer(Vec::new());
        let mut export = Self {
            table,
            columns: header.len(),
            raw,
            csv,
        };
        let own = header.iter().map(String::as_str);
        let line: Vec<&str> = match table {
            Table::Results => own.chain(RESULT_COLUMNS).collect(),
            Table::Attempts => vec![
                "line",
                "number",
                "attempt",
                "state",
                "intended_at",
                "answered_at",
                "ended_at",
                "call_id",
                "result",
                "reason",
                "duration_s",
                "debit",
                "currency",
                "hold",
                "note",
            ],
            Table::Rejects => ["line", "kind", "reason", "column", "value"]
                .into_iter()
                .chain(own)
                .collect(),
        };
        export.write(line.into_iter().map(str::to_owned));
        export
    }

    /// Adds a row.
    pub fn add(&mut self, row: &ResultRow) {
        match self.table {
            Table::Results => self.add_result(row),
            Table::Attempts => row.attempts.iter().for_each(|a| self.add_attempt(row, a)),
            Table::Rejects => self.add_reject(row),
        }
    }

    /// The bytes since the last time.
    pub fn take(&mut self) -> Vec<u8> {
        let fresh = csv::WriterBuilder::new()
            .flexible(true)
            .from_writer(Vec::new());
        // Writing into memory cannot fail.
        std::mem::replace(&mut self.csv, fresh)
            .into_inner()
            .unwrap_or_default()
    }

    fn add_result(&mut self, row: &ResultRow) {
        let counted: Vec<&AttemptRecord> =
            row.attempts.iter().filter(|a| a.stage.counts()).collect();
        let (first, last) = (counted.first(), counted.last());
        let outcome = last.map(|a| a.outcome.clone()).unwrap_or_default();
        let (debit, currency) = debits(&counted);
        let count = if row.destination.is_none() {
            0
        } else {
            counted.len()
        };
        let own = [
            row.disposition
                .map(|d| d.as_str().to_owned())
                .unwrap_or_default(),
            count.to_string(),
            outcome.result.unwrap_or_default(),
            outcome.reason.unwrap_or_default(),
            last.and_then(|a| a.call_id.clone()).unwrap_or_default(),
            outcome
                .duration_s
                .map(|d| d.to_string())
                .unwrap_or_default(),
            debit,
            currency,
            first.map(|a| time(a.intended_at)).unwrap_or_default(),
            last.map(|a| time(a.intended_at)).unwrap_or_default(),
            String::new(),
        ];
        // A ragged row keeps to the header here; the rejects have all of its cells.
        let mut cells = row.cells.clone();
        cells.resize(self.columns, String::new());
        self.write(cells.into_iter().chain(own));
    }

    fn add_attempt(&mut self, row: &ResultRow, attempt: &AttemptRecord) {
        let outcome = &attempt.outcome;
        let (debit, currency) = debits(&[attempt]);
        let line = [
            row.line.to_string(),
            row.destination
                .as_ref()
                .map(|d| d.endpoint.clone())
                .unwrap_or_default(),
            attempt.id.to_string(),
            attempt.stage.to_string(),
            time(attempt.intended_at),
            attempt.answered_at.map(time).unwrap_or_default(),
            attempt.ended_at.map(time).unwrap_or_default(),
            attempt.call_id.clone().unwrap_or_default(),
            outcome.result.clone().unwrap_or_default(),
            outcome.reason.clone().unwrap_or_default(),
            outcome
                .duration_s
                .map(|d| d.to_string())
                .unwrap_or_default(),
            debit,
            currency,
            attempt.hold.map(|h| h.to_string()).unwrap_or_default(),
            attempt.note.clone().unwrap_or_default(),
        ];
        self.write(line.into_iter());
    }

    fn add_reject(&mut self, row: &ResultRow) {
        let (column, value) = row.fault.clone().unwrap_or_default();
        let why = [
            row.line.to_string(),
            row.disposition
                .map(|d| d.as_str().to_owned())
                .unwrap_or_default(),
            row.reason.clone().unwrap_or_default(),
            column.unwrap_or_default(),
            value.unwrap_or_default(),
        ];
        self.write(why.into_iter().chain(row.cells.iter().cloned()));
    }

    fn write(&mut self, cells: impl Iterator<Item = String>) {
        let raw = self.raw;
        let safe = cells.map(|cell| if raw { cell } else { guarded(cell, DELIMITER) });
        // Writing into memory cannot fail.
        drop(self.csv.write_record(safe));
    }
}

/// The sum over attempts, and its currency; empty where no attempt's price is known.
fn debits(attempts: &[&AttemptRecord]) -> (String, String) {
    let mut purse = Purse::default();
    for attempt in attempts {
        if let Some(debit) = &attempt.outcome.debit {
            purse.add(debit);
        }
    }
    // Currencies are never added together: several stand side by side.
    let sums: Vec<_> = purse.sums().collect();
    let amounts = sums
        .iter()
        .map(|(_, sum)| sum.map(|sum| sum.to_string()).unwrap_or_default());
    let currencies = sums.iter().map(|(currency, _)| (*currency).to_owned());
    (
        amounts.collect::<Vec<_>>().join(";"),
        currencies.collect::<Vec<_>>().join(";"),
    )
}

/// RFC 3339 in UTC, to the millisecond.
fn time(at: Timestamp) -> String {
    format!("{at:.3}")
}
