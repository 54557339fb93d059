//! A file of numbers that is no campaign's list: one number a line, or a CSV with a column of them.
//!
//! Read as a stream, numbers by the same rules as those of a list, on several threads; what comes of
//! it is a bitmap and, for whatever is no number, its line.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};

use roaring::RoaringTreemap;

use crate::campaign::{Fault, Faults, ListSpec};
use crate::domain::{DestinationKind, Digits, NumberForm};

use super::phone::{Numbers, begins_like_a_trunk_prefix};
use super::reader::ListReader;

/// Cells of a chunk.
const CHUNK: usize = 4_000;
/// Chunks that wait between two threads.
const CHUNKS_WAITING: usize = 4;
/// First digits of a number that make its shape: the longest country code and two more.
const SHAPE_DIGITS: usize = 5;
/// The column with the number where none is named.
const COLUMN: &str = "number";
/// What the column is called that has the area code of North American numbers, in lower case.
const AREA_COLUMNS: [&str; 4] = ["area", "area code", "area_code", "areacode"];

/// Where numbers are, and how to read them.
#[derive(Debug, Clone)]
pub struct NumberList {
    /// The file.
    pub file: PathBuf,
    /// The column with the number; `number`, or the only one, where absent.
    pub column: Option<String>,
    /// How national numbers are read.
    pub numbers: Numbers,
}

/// What a file of numbers has: `rows = numbers + repeated + faults`.
#[derive(Debug, Default)]
pub struct NumbersRead {
    /// All rows.
    pub rows: u64,
    /// The numbers.
    pub numbers: RoaringTreemap,
    /// Rows whose number another row has.
    pub repeated: u64,
    /// Rows that are no number: the lines for each reason.
    pub faults: BTreeMap<String, Vec<u64>>,
}

impl NumbersRead {
    /// The lines of each fault, `3, 8, 12-15`.
    pub fn faults_in_words(&self) -> String {
        let fault = |(why, lines): (&String, &Vec<u64>)| {
            let mut spans: Vec<(u64, u64)> = Vec::new();
            for line in lines {
                match spans.last_mut() {
                    Some((_, to)) if *to + 1 == *line => *to = *line,
                    _ => spans.push((*line, *line)),
                }
            }
            let spans = spans.iter().map(|(from, to)| {
                if from == to {
                    from.to_string()
                } else {
                    format!("{from}-{to}")
                }
            });
            let spans: Vec<String> = spans.collect();
            let word = if lines.len() == 1 { "line" } else { "lines" };
            format!("  {}: {word} {}", why, spans.join(", "))
        };
        let faults: Vec<String> = self.faults.iter().map(fault).collect();
        faults.join("\n")
    }

    /// How many rows are no number.
    pub fn faulty(&self) -> u64 {
        self.faults.values().map(|lines| lines.len() as u64).sum()
    }

    fn take(&mut self, judged: Vec<Judged>) {
        for cell in judged {
            self.rows += 1;
            match cell {
                Ok(digits) => self.repeated += u64::from(!self.numbers.insert(digits.value())),
                Err((line, why)) => self.faults.entry(why).or_default().push(line),
            }
        }
    }
}

/// Reads a file of numbers with `workers` threads beside the caller's.
pub fn read_numbers(list: &NumberList, workers: usize) -> Result<NumbersRead, Faults> {
    let mut reader = ListReader::open(&ListSpec {
        file: list.file.clone(),
        number: COLUMN.into(),
        region: None,
        numbers: NumberForm::Any,
        delimiter: None,
        encoding: None,
        time_zone: None,
        id: None,
        destination_kind: DestinationKind::Number,
    })?;
    let column = column(&reader, list)?;
    let (chunks, todo) = sync_channel(CHUNKS_WAITING);
    let (judge, judged) = sync_channel(CHUNKS_WAITING);
    let todo = Mutex::new(todo);
    let numbers = list.numbers;
    let mut read = NumbersRead::default();
    std::thread::scope(|scope| {
        for _ in 0..workers.max(1) {
            let (judge, todo) = (judge.clone(), &todo);
            scope.spawn(move || work(numbers, todo, &judge));
        }
        drop(judge);
        let feeding = scope.spawn(move || feed(&mut reader, column, numbers, &chunks));
        // All numbers come together here, so that there is one bitmap of them.
        for chunk in judged {
            read.take(chunk);
        }
        feeding.join().expect("reading a list does not panic")
    })?;
    read.faults
        .values_mut()
        .for_each(|lines| lines.sort_unstable());
    Ok(read)
}

/// Cells with the lines they stand on.
type Chunk = Vec<(u64, String)>;
/// A cell's number, or its line and what is wrong with it.
type Judged = Result<Digits, (u64, String)>;

fn work(numbers: Numbers, todo: &Mutex<Receiver<Chunk>>, judge: &SyncSender<Vec<Judged>>) {
    let mut shapes = Shapes::default();
    loop {
        let next = todo.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(chunk) = next else { return };
        let judged = chunk
            .into_iter()
            .map(|(line, cell)| shapes.read(numbers, &cell).map_err(|why| (line, why)));
        if judge.send(judged.collect()).is_err() {
            return;
        }
    }
}

/// How numbers begin that are written `+` and digits, and that were read as those very digits; with
/// their length. Reading a number takes longer than all else that is done with it, and millions of
/// them begin alike: another one of the same shape has the same country code, no trunk prefix and a
/// length that can be dialled, so its digits are its number as well.
#[derive(Debug, Default)]
struct Shapes(HashSet<(u64, usize)>);

impl Shapes {
    fn read(&mut self, numbers: Numbers, cell: &str) -> Result<Digits, String> {
        let written = Digits::of(cell).filter(|_| cell.len() > SHAPE_DIGITS);
        let shape = written
            .and_then(|_| cell[1..=SHAPE_DIGITS].parse().ok())
            .map(|beginning| (beginning, cell.len()));
        if let Some(digits) = written
            && shape.is_some_and(|shape| self.0.contains(&shape))
        {
            return Ok(digits);
        }
        let read = numbers.normalise(cell).map_err(|why| why.in_general())?;
        if let Some(shape) = shape
            && read.e164 == cell
            && !begins_like_a_trunk_prefix(cell)
        {
            self.0.insert(shape);
        }
        Digits::of(&read.e164).ok_or_else(|| "it has more than 15 digits".to_owned())
    }
}

/// Which cell has the number, and whether the first line is a row like the others.
#[derive(Clone, Copy)]
struct Column {
    at: usize,
    /// Where the area code is, if it has a column of its own in front of the rest: the form in which
    /// the FTC hands out its list of numbers in North America.
    area: Option<usize>,
    headless: bool,
}

impl Column {
    /// The number of a row. One that is too short has none there, which is its fault.
    fn cell(self, mut cells: Vec<String>, numbers: Numbers) -> String {
        let number = cells
            .get_mut(self.at)
            .map(std::mem::take)
            .unwrap_or_default();
        let Some(area) = self.area.and_then(|at| cells.get(at)) else {
            return number;
        };
        let plus = if numbers.may_be_north_american() && is_area(area) && is_local(&number) {
            "+1"
        } else {
            ""
        };
        format!("{plus}{}{}", area.trim(), number.trim())
    }
}

fn is_area(cell: &str) -> bool {
    cell.len() == 3 && cell.bytes().all(|b| b.is_ascii_digit()) && !cell.starts_with(['0', '1'])
}

fn is_local(cell: &str) -> bool {
    cell.len() == 7 && cell.bytes().all(|b| b.is_ascii_digit())
}

fn feed(
    reader: &mut ListReader,
    column: Column,
    numbers: Numbers,
    chunks: &SyncSender<Chunk>,
) -> Result<(), Faults> {
    let mut chunk = Chunk::with_capacity(CHUNK);
    if column.headless {
        let first = column.cell(reader.header().to_vec(), numbers);
        chunk.push((reader.header_line(), first));
    }
    while let Some(row) = reader.row_or_end()? {
        chunk.push((row.line, column.cell(row.cells, numbers)));
        if chunk.len() == CHUNK {
            let full = std::mem::replace(&mut chunk, Chunk::with_capacity(CHUNK));
            chunks.send(full).expect("workers end only when chunks end");
        }
    }
    chunks
        .send(chunk)
        .expect("workers end only when chunks end");
    Ok(())
}

fn column(reader: &ListReader, list: &NumberList) -> Result<Column, Faults> {
    let header = reader.header();
    let named = |name: &str| header.iter().position(|column| column == name);
    let wanted = list.column.as_deref();
    let with_area = match (wanted, header) {
        (None, [area, number]) => {
            let named = AREA_COLUMNS.contains(&area.to_lowercase().as_str()) && number == COLUMN;
            (named || is_area(area) && is_local(number)).then_some(!named)
        }
        _ => None,
    };
    if let Some(headless) = with_area {
        let (at, area) = (1, Some(0));
        return Ok(Column { at, area, headless });
    }
    let area = None;
    if let Some(at) = named(wanted.unwrap_or(COLUMN)) {
        let headless = false;
        return Ok(Column { at, area, headless });
    }
    if let (None, [only]) = (wanted, header) {
        // A name has no digits; what has some was meant as a number, be it a right one or not.
        let headless = only.chars().any(char::is_numeric);
        return Ok(Column {
            at: 0,
            area,
            headless,
        });
    }
    Err(no_column(reader.path(), reader.header_line(), wanted).into())
}

fn no_column(path: &Path, line: u64, wanted: Option<&str>) -> Fault {
    let line = usize::try_from(line).unwrap_or(usize::MAX);
    let name = wanted.unwrap_or(COLUMN);
    Fault::new(
        path,
        (line, 1),
        format!("there is no column `{name}`"),
        "name the column that has the numbers, or give one number a line",
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The short way gives the number that the long way gives; it may take one that the long way
        /// refuses, which then suppresses nobody.
        #[test]
        fn a_shape_gives_the_number_that_reading_gives(
            cells in proptest::collection::vec(
                "\\+(46[0-9]{7,10}|1[0-9]{9,11}|39[0-9]{8,11}|7[0-9]{9,11}|52[0-9]{10,11}|\
                 44[0-9]{9,11}|36[0-9]{8,10}|54[0-9]{10,11}|225[0-9]{8,10})", 1..300)
        ) {
            let numbers = Numbers::new(None, NumberForm::Any).unwrap();
            let mut shapes = Shapes::default();
            for cell in &cells {
                let short = shapes.read(numbers, cell);
                if let Ok(long) = numbers.normalise(cell) {
                    prop_assert_eq!(short.map(Digits::e164), Ok(long.e164));
                }
            }
        }
    }
}
