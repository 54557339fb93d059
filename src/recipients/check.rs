//! Every row of a list, judged: can it become a callout, and has its number been there before?
//!
//! One thread reads and, in the list's order, finds duplicates and hands rows on; others read
//! numbers and render callouts on trial. At most a few chunks are in flight, so memory does not
//! grow with the list. Every row comes out exactly once.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use crate::campaign::{Campaign, Fault, Faults, Script};
use crate::domain::{Endpoints, Screen};

use super::reader::{ListReader, Row};
use super::verdict::{RowCheck, RowVerdict, invalid};

/// Rows of a chunk: enough to make handing over cheap, few enough to stay in a cache.
const CHUNK_ROWS: usize = 1_000;
/// Bytes of cells after which a chunk is full, whatever its rows.
const CHUNK_BYTES: usize = 1 << 18;
/// Chunks in flight per worker: one at work, one waiting.
const CHUNKS_PER_WORKER: usize = 2;
/// A row with its verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedRow {
    /// The line it begins on, from 1.
    pub line: u64,
    /// Its cells, untouched.
    pub cells: Vec<String>,
    /// What becomes of it.
    pub verdict: RowVerdict,
}

/// A whole list in numbers: `rows = valid + invalid + duplicates + suppressed`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListSummary {
    /// All rows.
    pub rows: u64,
    /// Rows that become recipients.
    pub valid: u64,
    /// Rows that cannot.
    pub invalid: u64,
    /// Rows whose number an earlier valid row has.
    pub duplicates: u64,
    /// Those of the duplicates that are left out for what an earlier run did.
    pub left_out: u64,
    /// Rows whose number is on a suppression list.
    pub suppressed: u64,
    /// Valid rows whose number the numbering plan does not know.
    pub unknown_numbers: u64,
    /// SHA-256 of the file's bytes, in hexadecimal.
    pub sha256: String,
    /// The names of the columns.
    pub header: Vec<String>,
}

/// What checking a list yields: the figures, and the script that rendered it.
#[derive(Debug, Clone)]
pub struct CheckedList {
    /// The list in numbers.
    pub summary: ListSummary,
    /// Renders the callout of a valid row.
    pub script: Script,
}

/// Why a list was not checked to its end.
#[derive(Debug, thiserror::Error)]
pub enum CheckError<E> {
    /// The campaign or the list is at fault.
    #[error(transparent)]
    Faults(#[from] Faults),
    /// The receiver of the rows failed.
    #[error("failed to take the checked rows")]
    Sink(#[source] E),
}

/// Checks every row of the campaign's list with `workers` threads beside the caller's, screens
/// their numbers, and hands the rows to `sink` in the list's order, in chunks. A list of which no
/// row could ever be called is a fault; its rows have then been handed on all the same.
pub fn check_list<E>(
    campaign: &Campaign,
    workers: usize,
    screen: Screen<'_>,
    sink: &mut dyn FnMut(Vec<CheckedRow>) -> Result<(), E>,
) -> Result<CheckedList, CheckError<E>> {
    let mut list = ListReader::open(&campaign.recipients)?;
    let script = campaign.bind(list.header(), list.path())?;
    let check = RowCheck::new(campaign, script.clone(), list.header(), screen)?;
    let mut tally = Tally::new(&check, screen);
    let outcome = std::thread::scope(|scope| {
        let mut crew: Vec<Worker> = Vec::new();
        for _ in 0..workers.max(1) {
            let (jobs, todo) = sync_channel(CHUNKS_PER_WORKER);
            let (finished, done) = sync_channel(CHUNKS_PER_WORKER);
            let check = &check;
            scope.spawn(move || work(check, &todo, &finished));
            crew.push(Worker { jobs, done });
        }
        drive(&mut list, &crew, &mut tally, sink)
    });
    outcome?;
    let summary = tally.summary(&list);
    if summary.valid + summary.suppressed + summary.left_out == 0 {
        return Err(CheckError::Faults(nobody(&list, &tally).into()));
    }
    Ok(CheckedList { summary, script })
}

/// The two ends of a worker thread.
struct Worker {
    jobs: SyncSender<Vec<Row>>,
    done: Receiver<Vec<CheckedRow>>,
}

/// Judges chunks until there are no more; a closed channel is the sign to stop.
fn work(check: &RowCheck, todo: &Receiver<Vec<Row>>, finished: &SyncSender<Vec<CheckedRow>>) {
    for rows in todo {
        let judged = rows.into_iter().map(|row| CheckedRow {
            line: row.line,
            verdict: check.verdict(&row.cells),
            cells: row.cells,
        });
        if finished.send(judged.collect()).is_err() {
            return;
        }
    }
}

/// Feeds the workers in turn and takes back in the same turn, so that the order is the list's.
fn drive<E>(
    list: &mut ListReader,
    crew: &[Worker],
    tally: &mut Tally<'_>,
    sink: &mut dyn FnMut(Vec<CheckedRow>) -> Result<(), E>,
) -> Result<(), CheckError<E>> {
    let mut turns = (0..crew.len()).cycle();
    let mut in_flight = VecDeque::new();
    let mut more = true;
    loop {
        while more && in_flight.len() < crew.len() * CHUNKS_PER_WORKER {
            let chunk = read_chunk(list)?;
            more = !chunk.is_empty();
            let Some(turn) = turns.next().filter(|_| more) else {
                break;
            };
            crew[turn]
                .jobs
                .send(chunk)
                .expect("a worker ends only when its jobs end");
            in_flight.push_back(turn);
        }
        let Some(turn) = in_flight.pop_front() else {
            return Ok(());
        };
        let mut rows = crew[turn].done.recv().expect("a worker answers every job");
        for row in &mut rows {
            tally.take(row);
        }
        sink(rows).map_err(CheckError::Sink)?;
    }
}

/// The next rows; none at the end of the list.
fn read_chunk(list: &mut ListReader) -> Result<Vec<Row>, Faults> {
    let mut rows = Vec::new();
    let mut bytes = 0;
    while rows.len() < CHUNK_ROWS && bytes < CHUNK_BYTES {
        let Some(row) = list.next_row()? else { break };
        bytes += row.cells.iter().map(String::len).sum::<usize>();
        bytes += row.cells.len() * size_of::<String>();
        rows.push(row);
    }
    Ok(rows)
}

/// Counts rows and finds duplicates and suppressed numbers, in the list's order.
struct Tally<'a> {
    check: &'a RowCheck,
    screen: Screen<'a>,
    seen: Endpoints,
    rows: u64,
    valid: u64,
    invalid: u64,
    duplicates: u64,
    left_out: u64,
    suppressed: u64,
    unknown_numbers: u64,
    first_reason: Option<(u64, String)>,
}

impl<'a> Tally<'a> {
    fn new(check: &'a RowCheck, screen: Screen<'a>) -> Self {
        Self {
            check,
            screen,
            seen: Endpoints::default(),
            rows: 0,
            valid: 0,
            invalid: 0,
            duplicates: 0,
            left_out: 0,
            suppressed: 0,
            unknown_numbers: 0,
            first_reason: None,
        }
    }

    fn take(&mut self, row: &mut CheckedRow) {
        self.rows += 1;
        match &row.verdict {
            RowVerdict::Valid {
                destination,
                known_number,
                legs,
                ..
            } => {
                if !self.seen.insert(&destination.endpoint) {
                    self.duplicates += 1;
                    row.verdict = self.check.duplicate(destination.clone(), &row.cells, None);
                } else if let Some(why) = self.screen.against(destination) {
                    self.suppressed += 1;
                    let why = why.to_string();
                    row.verdict = self.check.suppressed(destination.clone(), &row.cells, why);
                } else if let Some(why) = self.screen.leaves_out(destination) {
                    self.duplicates += 1;
                    self.left_out += 1;
                    row.verdict = self
                        .check
                        .duplicate(destination.clone(), &row.cells, Some(why));
                } else if let Some(why) = legs.iter().find_map(|leg| self.screen.against(&leg.to)) {
                    let reason = format!("`connect` must not be called: it is {why}");
                    self.invalid += 1;
                    self.first_reason.get_or_insert((row.line, reason.clone()));
                    row.verdict = invalid(None, None, reason);
                } else {
                    self.valid += 1;
                    self.unknown_numbers += u64::from(!known_number);
                }
            }
            RowVerdict::Reject { reason, .. } => {
                self.invalid += 1;
                self.first_reason
                    .get_or_insert_with(|| (row.line, reason.clone()));
            }
        }
    }

    fn summary(&self, list: &ListReader) -> ListSummary {
        ListSummary {
            rows: self.rows,
            valid: self.valid,
            invalid: self.invalid,
            duplicates: self.duplicates,
            left_out: self.left_out,
            suppressed: self.suppressed,
            unknown_numbers: self.unknown_numbers,
            sha256: list.sha256(),
            header: list.header().to_vec(),
        }
    }
}

/// The fault of a list of which nobody can be called.
fn nobody(list: &ListReader, tally: &Tally<'_>) -> Fault {
    let message = format!("none of the list's {} rows can be called", tally.rows);
    let (line, reason) = tally
        .first_reason
        .clone()
        .unwrap_or((1, "no reason was kept".to_owned()));
    let line = usize::try_from(line).unwrap_or(usize::MAX);
    Fault::new(
        list.path(),
        (line, 1),
        message,
        format!("the first of them: {reason}"),
    )
}
