//! The platform's call detail records: daily CSV files from the dashboard (`FACTS` §7, "Other data
//! sources").
//!
//! Read as a stream, since a day can have millions of calls. Columns are found by name, in any case;
//! times are UTC.

use std::io::Read;

use jiff::Timestamp;

use super::lenient;
use crate::domain::{AttemptId, CallId, Callee, Money, Outcome, told};

/// Separators that such a file may have; the platform's own is the first.
const SEPARATORS: [u8; 3] = [b';', b',', b'\t'];
/// No header that we know is longer, in bytes.
const HEADER_BYTES_MAX: usize = 64 * 1024;

/// Longest record, in bytes: beyond it, a quote was never closed.
const RECORD_BYTES_MAX: usize = 1 << 20;

/// Serves no more than a record's worth in one go.
struct Bounded<R> {
    inner: R,
    left: usize,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        if self.left == 0 {
            let why = format!("a record is longer than {RECORD_BYTES_MAX} bytes");
            return Err(std::io::Error::other(why));
        }
        let room = buf.len().min(self.left);
        let read = self.inner.read(&mut buf[..room])?;
        self.left -= read;
        Ok(read)
    }
}

/// What the platform recorded of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Line of the file on which it begins.
    pub line: u64,
    /// `CallId`.
    pub call: Option<CallId>,
    /// `CallTime`.
    pub at: Option<Timestamp>,
    /// The attempt that `Custom` begins with.
    pub attempt: Option<AttemptId>,
    /// Whom it went to: `To`.
    pub callee: Callee,
    /// `ApplicationKey`.
    pub application: Option<String>,
    /// Whether a cell goes on in the next line: what looks like one record may be several.
    pub torn: bool,
    /// `Result`, `Reason`, `Duration`, and `Amount` with `Currency`.
    pub outcome: Outcome,
}

/// Why a file is no file of call detail records.
#[derive(Debug, thiserror::Error)]
pub enum CdrError {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Read(String),
    /// A column is missing.
    #[error("it has no column `{0}`: these are not the platform's call detail records")]
    Column(&'static str),
    /// A line has more or fewer cells than the header: the file was cut off, or changed.
    #[error("line {line} is not like the header: the file was cut off or changed, get it again")]
    Line {
        /// Its number, from 1 at the header.
        line: u64,
    },
    /// A cell goes on in the next line.
    #[error(
        "line {line} has a cell that goes on in the next line: records may be hidden in it, so \
         nothing is proved by what the file lacks"
    )]
    Torn {
        /// The number of the line where the cell begins, from 1 at the header.
        line: u64,
    },
}

/// Reads a file of call detail records.
pub struct CdrReader<R: Read> {
    rows: csv::ByteRecordsIntoIter<Bounded<std::io::Chain<std::io::Cursor<Vec<u8>>, R>>>,
    columns: Columns,
}

impl<R: Read> std::fmt::Debug for CdrReader<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CdrReader").finish_non_exhaustive()
    }
}

/// Where the columns stand.
#[derive(Debug)]
struct Columns {
    custom: usize,
    call: Option<usize>,
    at: Option<usize>,
    callee: Option<usize>,
    application: Option<usize>,
    result: Option<usize>,
    reason: Option<usize>,
    duration: Option<usize>,
    amount: Option<usize>,
    currency: Option<usize>,
}

impl<R: Read> CdrReader<R> {
    /// Reads the header.
    pub fn new(mut file: R) -> Result<Self, CdrError> {
        let head = first_line(&mut file)?;
        let count = |separator: &u8| head.split(|b| b == separator).count();
        // Of equals the last is taken, so the platform's own comes last.
        let separator = SEPARATORS.into_iter().rev().max_by_key(count);
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(separator.unwrap_or(SEPARATORS[0]))
            .from_reader(Bounded {
                inner: std::io::Cursor::new(head).chain(file),
                left: RECORD_BYTES_MAX,
            });
        let header = reader.byte_headers().map_err(|e| failed(&e))?.clone();
        let named = |wanted: &str| {
            header.iter().position(|name| {
                let name = String::from_utf8_lossy(name);
                let name = name.trim_start_matches('\u{feff}').trim();
                let plain: String = name.chars().filter(|c| c.is_alphanumeric()).collect();
                plain.eq_ignore_ascii_case(wanted)
            })
        };
        let columns = Columns {
            custom: named("Custom").ok_or(CdrError::Column("Custom"))?,
            call: named("CallId"),
            at: named("CallTime"),
            callee: named("To"),
            application: named("ApplicationKey"),
            result: named("Result"),
            reason: named("Reason"),
            duration: named("Duration"),
            amount: named("Amount"),
            currency: named("Currency"),
        };
        Ok(Self {
            rows: reader.into_byte_records(),
            columns,
        })
    }

    /// Whether it has what is asked of records that are to prove what is not in them.
    pub fn can_prove_absence(&self) -> Result<(), CdrError> {
        let needed = [("CallTime", self.columns.at), ("To", self.columns.callee)];
        match needed.into_iter().find(|(_, column)| column.is_none()) {
            Some((name, _)) => Err(CdrError::Column(name)),
            None => Ok(()),
        }
    }
}

impl<R: Read> Iterator for CdrReader<R> {
    type Item = Result<Record, CdrError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rows.reader_mut().get_mut().left = RECORD_BYTES_MAX;
        let row = self.rows.next()?;
        Some(match row {
            Ok(row) => Ok(self.columns.record(&row)),
            Err(error) => Err(failed(&error)),
        })
    }
}

impl Columns {
    fn record(&self, row: &csv::ByteRecord) -> Record {
        let cell = |column: Option<usize>| {
            let text = String::from_utf8_lossy(row.get(column?)?).trim().to_owned();
            (!text.is_empty()).then_some(text)
        };
        let custom = cell(Some(self.custom)).unwrap_or_default();
        let word = |column| cell(column).as_deref().and_then(told::word);
        let duration = cell(self.duration);
        let seconds = duration.as_deref().and_then(seconds);
        let currency = cell(self.currency).and_then(|said| Money::currency_as_told(&said));
        let debit = match cell(self.amount) {
            None => Ok(None),
            Some(said) => match amount(&said) {
                Some(amount) => Ok(Some(Money { amount, currency })),
                None => Err(told::word(&said).unwrap_or_default()),
            },
        };
        Record {
            line: row.position().map_or(0, csv::Position::line),
            call: cell(self.call).and_then(|id| CallId::new(&id)),
            at: cell(self.at).and_then(|text| lenient::timestamp(&text)),
            callee: Callee::told(&cell(self.callee).unwrap_or_default()),
            application: cell(self.application),
            torn: row.iter().any(|cell| cell.contains(&b'\n')),
            attempt: custom.split_whitespace().next().and_then(AttemptId::parse),
            outcome: lenient::outcome(
                (word(self.result), word(self.reason)),
                (duration, seconds),
                debit,
            ),
        }
    }
}

/// The beginning of the file, up to the end of its first line.
fn first_line(file: &mut impl Read) -> Result<Vec<u8>, CdrError> {
    let mut head = Vec::new();
    let mut byte = [0];
    while head.len() < HEADER_BYTES_MAX {
        match file.read(&mut byte) {
            Ok(0) => break,
            Ok(_) => head.push(byte[0]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(CdrError::Read(error.to_string())),
        }
        if byte[0] == b'\n' {
            break;
        }
    }
    Ok(head)
}

/// An amount; files made for countries that write a comma have one.
fn amount(text: &str) -> Option<rust_decimal::Decimal> {
    Money::parse_amount(text).or_else(|| {
        let one_comma = text.matches(',').count() == 1 && !text.contains('.');
        one_comma.then(|| Money::parse_amount(&text.replace(',', ".")))?
    })
}

/// Whole seconds, or `hh:mm:ss`.
fn seconds(text: &str) -> Option<i64> {
    let mut total = 0_i64;
    for part in text.split(':') {
        let part: i64 = amount(part)?.trunc().try_into().ok()?;
        total = total.checked_mul(60)?.checked_add(part)?;
    }
    Some(total)
}

fn failed(error: &csv::Error) -> CdrError {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { pos, .. } => CdrError::Line {
            line: pos.as_ref().map_or(0, csv::Position::line),
        },
        _ => CdrError::Read(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "000102030405060708090a0b0c0d0eff";

    fn read(text: &str) -> Result<Vec<Record>, CdrError> {
        CdrReader::new(text.as_bytes())?.collect()
    }

    #[test]
    fn columns_are_found_by_name_in_any_order_and_dialect() {
        for text in [
            format!(
                "\u{feff}CallId;CallTime;Result;Reason;Duration;Amount;Currency;Custom\n\
                 x;2026-11-20T23:59:59;ANSWERED;CALLEEHANGUP;14;0,0095;EUR;{ID} clinic\n"
            ),
            format!(
                "custom,currency,AMOUNT,duration,reason,result,call time,call id\r\n\
                 {ID},eur,0.0095,00:00:14,CALLEEHANGUP,ANSWERED,2026-11-20 23:59:59Z,x\r\n"
            ),
        ] {
            let record = read(&text).unwrap().remove(0);
            assert_eq!(record.attempt, AttemptId::parse(ID), "{text}");
            assert_eq!(record.call, CallId::new("x"));
            assert_eq!(record.at.unwrap().to_string(), "2026-11-20T23:59:59Z");
            assert_eq!(record.outcome.duration_s, Some(14));
            assert_eq!(record.outcome.debit.unwrap().to_string(), "0.0095 EUR");
        }
    }

    #[test]
    fn what_is_no_such_file_is_said() {
        assert!(matches!(read(""), Err(CdrError::Column("Custom"))));
        assert!(matches!(
            read("phone;name\n1;2\n"),
            Err(CdrError::Column(_))
        ));
        let cut = format!("CallId;Custom\nx;{ID}\ny");
        assert!(matches!(read(&cut), Err(CdrError::Line { line: 3 })));
        assert!(read("CallId;Custom\n").unwrap().is_empty());
    }
}
