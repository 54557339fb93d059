//! CSV exports: results (fixed by DESIGN, section 3), attempts and rejects.
//!
//! A cell that a spreadsheet would run as a formula gets a leading `'`; plain phone numbers and
//! amounts are left alone, and `raw` leaves every byte as it was.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use jiff::Timestamp;

use super::formula::guarded;
use crate::domain::{AttemptRecord, Purse, RESULT_COLUMNS, ResultRow};

/// What stands between cells.
const DELIMITER: char = ',';
const ATTEMPT_COLUMNS: [&str; 15] = [
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
];
const REJECT_COLUMNS: [&str; 5] = ["line", "kind", "reason", "column", "value"];

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
    /// What is written anew for each cell that is no text.
    text: String,
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
            text: String::new(),
        };
        let own = header.iter().map(String::as_str);
        match table {
            Table::Results => export.line(own.chain(RESULT_COLUMNS)),
            Table::Attempts => export.line(ATTEMPT_COLUMNS),
            Table::Rejects => export.line(REJECT_COLUMNS.into_iter().chain(own)),
        }
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
        // A ragged row keeps to the header here; the rejects have all of its cells.
        for column in 0..self.columns {
            self.cell(row.cells.get(column).map_or("", String::as_str));
        }
        let mut counted = row.attempts.iter().filter(|a| a.stage.counts());
        let first = counted.next();
        let last = counted.next_back().or(first);
        let count = match (first, &row.destination) {
            (Some(_), Some(_)) => row.attempts.iter().filter(|a| a.stage.counts()).count(),
            _ => 0,
        };
        self.cell(row.disposition.map_or("", |d| d.as_str()));
        self.shown(count);
        self.word(last.and_then(|a| a.outcome.result.as_ref()));
        self.word(last.and_then(|a| a.outcome.reason.as_ref()));
        self.word(last.and_then(|a| a.call_id.as_ref()));
        self.shown_or_empty(last.and_then(|a| a.outcome.duration_s));
        self.debits(row.attempts.iter().filter(|a| a.stage.counts()));
        self.time(first.map(|a| a.intended_at));
        self.time(last.map(|a| a.intended_at));
        self.cell(row.responded().unwrap_or_default());
        self.end();
    }

    fn add_attempt(&mut self, row: &ResultRow, attempt: &AttemptRecord) {
        let outcome = &attempt.outcome;
        self.shown(row.line);
        self.word(row.destination.as_ref().map(|d| &d.endpoint));
        self.shown(attempt.id);
        self.shown(attempt.stage);
        self.time(Some(attempt.intended_at));
        self.time(attempt.answered_at);
        self.time(attempt.ended_at);
        self.word(attempt.call_id.as_ref());
        self.word(outcome.result.as_ref());
        self.word(outcome.reason.as_ref());
        self.shown_or_empty(outcome.duration_s);
        self.debits(std::iter::once(attempt));
        self.shown_or_empty(attempt.hold);
        self.word(attempt.note.as_ref());
        self.end();
    }

    fn add_reject(&mut self, row: &ResultRow) {
        let (column, value) = row.fault.as_ref().map_or((None, None), |(column, value)| {
            (column.as_ref(), value.as_ref())
        });
        self.shown(row.line);
        self.cell(row.disposition.map_or("", |d| d.as_str()));
        self.word(row.reason.as_ref());
        self.word(column);
        self.word(value);
        self.line(row.cells.iter().map(String::as_str));
    }

    /// The sum over attempts, and its currency; empty where no attempt's price is known.
    fn debits<'a>(&mut self, attempts: impl Iterator<Item = &'a AttemptRecord>) {
        let mut purse = Purse::default();
        for attempt in attempts {
            let legs = attempt.legs.iter().flatten();
            for debit in attempt.outcome.debit.iter().chain(legs) {
                purse.add(debit);
            }
        }
        // Currencies are never added together: several stand side by side.
        let sums: Vec<_> = purse.sums().collect();
        let amounts = sums
            .iter()
            .map(|(_, sum)| sum.map(|sum| sum.to_string()).unwrap_or_default());
        let currencies: Vec<&str> = sums.iter().map(|(currency, _)| *currency).collect();
        self.cell(&amounts.collect::<Vec<_>>().join(";"));
        self.cell(&currencies.join(";"));
    }

    /// A moment in RFC 3339 in UTC, to the millisecond; an empty cell where there is none.
    fn time(&mut self, at: Option<Timestamp>) {
        match at {
            Some(at) => self.shown(format_args!("{at:.3}")),
            None => self.cell(""),
        }
    }

    fn word(&mut self, word: Option<&String>) {
        self.cell(word.map_or("", String::as_str));
    }

    fn shown_or_empty(&mut self, value: Option<impl fmt::Display>) {
        match value {
            Some(value) => self.shown(value),
            None => self.cell(""),
        }
    }

    fn shown(&mut self, value: impl fmt::Display) {
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        write!(text, "{value}").expect("a string takes all");
        self.cell(&text);
        self.text = text;
    }

    /// Writes cells, and ends the line.
    fn line<'a>(&mut self, cells: impl IntoIterator<Item = &'a str>) {
        for cell in cells {
            self.cell(cell);
        }
        self.end();
    }

    fn cell(&mut self, cell: &str) {
        let safe = if self.raw {
            Cow::Borrowed(cell)
        } else {
            guarded(cell, DELIMITER)
        };
        // Writing into memory cannot fail.
        drop(self.csv.write_field(safe.as_ref()));
    }

    fn end(&mut self) {
        // Nor can this.
        drop(self.csv.write_record(None::<&[u8]>));
    }
}
