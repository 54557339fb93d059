//! A list as a stream of rows: decoded, split into cells, with true line numbers.
//!
//! Faults of the list as a whole (it cannot be read, is not the text it claims to be, has an unfit
//! header or a quote left open) come as [`Faults`]; they name a line and, as column, the number of
//! the cell. They never quote a cell's content, which is personal data. Rows are not judged here.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use csv::ByteRecord;
use encoding_rs::Encoding;
use encoding_rs_io::DecodeReaderBytesBuilder;

use crate::campaign::{Fault, Faults, ListSpec, foreign_kind, open_regular};

use super::bytes::{Hashing, LineStart, LineTap, RecordTooLong, SharedDigest};
use super::header;

/// How much of a list is looked at to find its separator: more than any header.
const PEEK_BYTES: u64 = 64 << 10;
/// The CSV reader's buffer.
const BUFFER_BYTES: usize = 64 << 10;

/// One row of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The line it begins on, from 1.
    pub line: u64,
    /// Its cells, untouched.
    pub cells: Vec<String>,
}

/// A list, opened and past its header.
pub struct ListReader {
    csv: csv::Reader<LineTap<Box<dyn Read + Send>>>,
    path: PathBuf,
    header: Vec<String>,
    header_line: u64,
    delimiter: u8,
    decoded: Option<&'static Encoding>,
    digest: SharedDigest,
    record: ByteRecord,
    rows: u64,
}

impl std::fmt::Debug for ListReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ListReader")
            .field("path", &self.path)
            .field("header", &self.header)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

impl ListReader {
    /// Opens the list and reads its header.
    pub fn open(spec: &ListSpec) -> Result<Self, Faults> {
        let path = &spec.file;
        let file = open_file(path)?;
        refuse_foreign(path, &file)?;
        let digest = SharedDigest::default();
        let bytes = Hashing {
            inner: file,
            digest: digest.clone(),
        };
        let unreadable = |error: io::Error| Faults::from(io_fault(path, 1, &error));
        let (mut text, decoded) = decode(bytes, spec.encoding.as_deref()).map_err(unreadable)?;
        let mut beginning = Vec::new();
        let mut peeked = (&mut text).take(PEEK_BYTES);
        peeked.read_to_end(&mut beginning).map_err(unreadable)?;
        let delimiter = spec
            .delimiter
            .unwrap_or_else(|| header::detect_delimiter(&beginning));
        let whole: Box<dyn Read + Send> = Box::new(Cursor::new(beginning).chain(text));
        let csv = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .buffer_capacity(BUFFER_BYTES)
            .from_reader(LineTap::new(whole));
        let mut reader = Self {
            csv,
            path: path.clone(),
            header: Vec::new(),
            header_line: 1,
            delimiter,
            decoded,
            digest,
            record: ByteRecord::new(),
            rows: 0,
        };
        reader.read_header()?;
        Ok(reader)
    }

    fn read_header(&mut self) -> Result<(), Faults> {
        let Some(row) = self.read()? else {
            let help = "the first line names the columns, each further line is a recipient";
            return Err(self.fault(1, 1, "the list is empty", help).into());
        };
        let line = usize::try_from(row.line).unwrap_or(usize::MAX);
        if let Some(faults) = Faults::collect(header::check(&self.path, line, &row.cells)) {
            return Err(faults);
        }
        self.header = row.cells;
        self.header_line = row.line;
        Ok(())
    }

    /// The names of the columns, as they stand.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// What separates cells, given or found.
    pub fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// The list's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The SHA-256 of the file's bytes in hexadecimal; of the whole file once
    /// [`next_row`](Self::next_row) has returned `None`.
    pub fn sha256(&self) -> String {
        self.digest.hex()
    }

    /// The line of the header.
    pub fn header_line(&self) -> u64 {
        self.header_line
    }

    /// The next row, if there is one.
    pub fn row_or_end(&mut self) -> Result<Option<Row>, Faults> {
        let row = self.read()?;
        self.rows += u64::from(row.is_some());
        Ok(row)
    }

    /// The next row; a list without any is a fault.
    pub fn next_row(&mut self) -> Result<Option<Row>, Faults> {
        let row = self.read()?;
        if row.is_none() && self.rows == 0 {
            let help = "each line after the first is a recipient";
            return Err(self
                .fault(
                    self.header_line,
                    1,
                    "the list has a header and no rows",
                    help,
                )
                .into());
        }
        self.rows += u64::from(row.is_some());
        Ok(row)
    }

    fn read(&mut self) -> Result<Option<Row>, Faults> {
        self.csv.get_mut().allow_record();
        let from = self.csv.position().byte();
        let mut record = std::mem::take(&mut self.record);
        let read = self.csv.read_byte_record(&mut record);
        let start = self.csv.get_mut().line_at(from).unwrap_or(LineStart {
            offset: from,
            line: 1,
            quotes: 0,
        });
        let row = match read {
            Ok(true) => self.row(&record, start).map(Some),
            Ok(false) => Ok(None),
            Err(error) => Err(self.read_fault(error, start.line).into()),
        };
        self.record = record;
        row
    }

    fn row(&self, record: &ByteRecord, start: LineStart) -> Result<Row, Faults> {
        let tap = self.csv.get_ref();
        let mut cells = Vec::with_capacity(record.len());
        for (i, bytes) in record.iter().enumerate() {
            let text = std::str::from_utf8(bytes)
                .map_err(|error| self.not_utf8(start.line, i, bytes[error.valid_up_to()]))
                .map_err(Faults::from)?;
            if self.decoded.is_some() && text.contains('\u{fffd}') {
                return Err(self.not_decodable(start.line, i).into());
            }
            cells.push(text.to_owned());
        }
        // A quote left open swallows the rest of the list into its last record.
        let quotes = tap.quotes() - start.quotes;
        if tap.ended() && quotes % 2 == 1 && tap.line() > start.line + 1 {
            return Err(self.open_quote(start.line).into());
        }
        Ok(Row {
            line: start.line,
            cells,
        })
    }

    fn column_name(&self, cell: usize) -> String {
        match self.header.get(cell) {
            Some(name) => format!("column `{name}`"),
            None => format!("cell {}", cell + 1),
        }
    }

    fn not_utf8(&self, line: u64, cell: usize, byte: u8) -> Fault {
        let message = format!(
            "{} has the byte 0x{byte:02x}, which is not UTF-8",
            self.column_name(cell)
        );
        let help = "spreadsheets often write Windows-1252: add encoding = \"windows-1252\" to \
                    [recipients], or save the list as UTF-8";
        self.fault(line, cell + 1, &message, help)
    }

    fn not_decodable(&self, line: u64, cell: usize) -> Fault {
        let name = self.decoded.map_or("UTF-8", Encoding::name);
        let message = format!("{} has bytes that are not {name}", self.column_name(cell));
        self.fault(
            line,
            cell + 1,
            &message,
            "is `encoding` in [recipients] the right one?",
        )
    }

    fn open_quote(&self, line: u64) -> Fault {
        let message = format!("a record does not end: is a quote left open at line {line}?");
        let help = "close the quote; a quote inside a quoted cell is written twice";
        self.fault(line, 1, &message, help)
    }

    fn read_fault(&self, error: csv::Error, line: u64) -> Fault {
        match error.into_kind() {
            csv::ErrorKind::Io(error) => {
                let too_long = error
                    .get_ref()
                    .is_some_and(<dyn std::error::Error + Send + Sync>::is::<RecordTooLong>);
                if too_long {
                    return self.open_quote(line);
                }
                io_fault(
                    &self.path,
                    usize::try_from(line).unwrap_or(usize::MAX),
                    &error,
                )
            }
            other => self.fault(
                line,
                1,
                &format!("the list cannot be read: {other:?}"),
                "is it CSV?",
            ),
        }
    }

    fn fault(&self, line: u64, cell: usize, message: &str, help: &str) -> Fault {
        let line = usize::try_from(line).unwrap_or(usize::MAX);
        Fault::new(&self.path, (line, cell), message, help)
    }
}

/// Opens a regular file; a folder, pipe or device would fail later and less clearly, or hang.
fn open_file(path: &Path) -> Result<File, Faults> {
    let file = open_regular(path).map_err(|error| Faults::from(io_fault(path, 1, &error)))?;
    file.ok_or_else(|| {
        let what = if path.is_dir() {
            "this is a folder, not a list"
        } else {
            "this is not a regular file"
        };
        Fault::new(path, (1, 1), what, "name a CSV file in [recipients] file").into()
    })
}

/// Refuses what other programs keep their tables in, whatever encoding the campaign names.
fn refuse_foreign(path: &Path, file: &File) -> Result<(), Faults> {
    let mut beginning = [0; 8];
    let length = file.read_at(&mut beginning, 0);
    let length = length.map_err(|error| Faults::from(io_fault(path, 1, &error)))?;
    match foreign_kind(&beginning[..length]) {
        None => Ok(()),
        Some(kind) => {
            let help = "save it as CSV (UTF-8), and name that file";
            Err(Fault::new(path, (1, 1), format!("this is {kind}, not CSV"), help).into())
        }
    }
}

fn io_fault(path: &Path, line: usize, error: &io::Error) -> Fault {
    let help = match error.kind() {
        io::ErrorKind::NotFound => {
            "check `file` in [recipients]; it is relative to the campaign file"
        }
        io::ErrorKind::PermissionDenied => "let your user read the list",
        _ => "check the disk, and that the path names a file",
    };
    Fault::new(
        path,
        (line, 1),
        format!("cannot read the list: {error}"),
        help,
    )
}

/// What is left of a file after its byte order mark, as bytes that should be UTF-8; and the
/// encoding it was decoded from, where it was.
type Decoded = (Box<dyn Read + Send>, Option<&'static Encoding>);

/// Decodes a file: by its byte order mark, else by the name given, else not at all.
fn decode(mut bytes: impl Read + Send + 'static, label: Option<&str>) -> io::Result<Decoded> {
    let mut beginning = Vec::with_capacity(3);
    (&mut bytes).take(3).read_to_end(&mut beginning)?;
    let marked = Encoding::for_bom(&beginning);
    let named = label.and_then(|label| Encoding::for_label_no_replacement(label.as_bytes()));
    let skipped = marked.map_or(0, |(_, length)| length);
    let rest = Cursor::new(beginning.split_off(skipped)).chain(bytes);
    let encoding = marked.map(|(encoding, _)| encoding).or(named);
    Ok(match encoding {
        Some(encoding) if encoding != encoding_rs::UTF_8 => {
            let text = DecodeReaderBytesBuilder::new()
                .encoding(Some(encoding))
                .build(rest);
            (Box::new(text), Some(encoding))
        }
        _ => (Box::new(rest), None),
    })
}
