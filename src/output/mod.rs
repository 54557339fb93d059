//! How things look, on a terminal and where there is none: facts, tables, colours, a bar. The only place that
//! writes to standard output and standard error.
//!
//! Facts go to standard output, everything said meanwhile to standard error. A reader who leaves
//! early (`callout export | head`) is no error.

pub(crate) mod progress;
mod stream;

use std::fmt::Write as _;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::sync::{Mutex, PoisonError};

use anstream::{AutoStream, ColorChoice};
use anstyle::AnsiColor;
use indicatif::ProgressBar;
use rustix::fs::FileType;
use rustix::io::Errno;
use unicode_width::UnicodeWidthStr as _;

use crate::domain::told;

pub(crate) use stream::Stream;

/// Why facts could not be printed; the command then fails at its end, whatever it did.
static UNPRINTED: Mutex<Option<String>> = Mutex::new(None);

/// Columns of a table are so far apart.
const GAP: usize = 2;

/// The bar that is shown; whatever is printed goes above it.
static BAR: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// A bar on the terminal, which is gone when this is.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    /// Shows it.
    pub(crate) fn show(bar: ProgressBar) -> Self {
        *BAR.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar.clone());
        Self(bar)
    }

    /// Draws so much of a whole, and facts below.
    pub(crate) fn shows(&self, (part, whole): (u64, u64), facts: &[String]) {
        self.0.set_length(whole);
        self.0.set_position(part);
        self.0.set_message(flow(facts, width().unwrap_or(80)));
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        *BAR.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.0.finish_and_clear();
    }
}

/// Does what writes to the terminal while no bar is in the way.
fn aside<T>(write: impl FnOnce() -> T) -> T {
    let bar = BAR.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match bar {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// Where the log goes: to standard error, above a bar.
pub(crate) struct Log;

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        aside(|| io::stderr().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Prints facts.
pub(crate) fn say(text: &str) {
    let said = aside(|| {
        let mut out = io::stdout().lock();
        write_line(&mut out, &dressed(text, &io::stdout())).and_then(|()| out.flush())
    });
    remember(said);
}

/// Prints what programs read, whatever it is printed on: nothing is broken or coloured.
pub(crate) fn say_plain(text: &str) {
    let said = aside(|| {
        let mut out = io::stdout().lock();
        write_line(&mut out, &printable_lines(text)).and_then(|()| out.flush())
    });
    remember(said);
}

fn remember(said: io::Result<()>) {
    if let Err(error) = said
        && !nobody_reads(&error)
        && let Ok(mut unprinted) = UNPRINTED.lock()
    {
        unprinted.get_or_insert_with(|| error.to_string());
    }
}

/// Why something that was said did not reach standard output; none where all of it did, or where
/// nobody read any more.
pub(crate) fn unprinted() -> Option<String> {
    UNPRINTED.lock().ok()?.clone()
}

/// Tells how things go, or what went wrong.
pub(crate) fn tell(text: &str) {
    let text = dressed(text, &io::stderr());
    aside(|| drop(write_line(&mut io::stderr().lock(), &text)));
}

/// Prints a JSON document.
pub(crate) fn say_json(value: &serde_json::Value) {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    let escaped = text.chars().fold(String::new(), |mut escaped, c| {
        if c != '\n' && unprintable(c) {
            // Only strings have such characters, and all of them are within 16 bits.
            write!(escaped, "\\u{:04x}", u32::from(c)).expect("a string takes all");
        } else {
            escaped.push(c);
        }
        escaped
    });
    say_plain(&escaped);
}

/// Writes bytes to standard output; false once nobody reads any more. A terminal is shown what it would
/// obey, and does not get it.
pub(crate) fn pour(bytes: &[u8]) -> io::Result<bool> {
    let mut out = io::stdout().lock();
    let written = if io::stdout().is_terminal() {
        out.write_all(shown(&String::from_utf8_lossy(bytes)).as_bytes())
    } else {
        out.write_all(bytes)
    };
    match written {
        Ok(()) => Ok(true),
        Err(e) if nobody_reads(&e) => Ok(false),
        Err(e) => Err(e),
    }
}

/// Whether standard output fails since its reader has left, or its terminal was closed.
fn nobody_reads(error: &io::Error) -> bool {
    let closed = || {
        let kind = rustix::fs::fstat(io::stdout()).map(|stat| stat.st_mode);
        kind.is_ok_and(|mode| FileType::from_raw_mode(mode) == FileType::CharacterDevice)
    };
    error.kind() == io::ErrorKind::BrokenPipe
        || (error.raw_os_error() == Some(Errno::IO.raw_os_error()) && closed())
}

/// Whether facts go to a terminal, where nothing else may stand between them.
pub(crate) fn shows_facts() -> bool {
    io::stdout().is_terminal()
}

/// Whether somebody watches.
pub(crate) fn watched() -> bool {
    io::stderr().is_terminal()
}

/// How many columns the terminal has at which somebody watches; none where there is no terminal.
pub(crate) fn width() -> Option<usize> {
    columns(io::stderr())
}

fn columns(stream: impl rustix::fd::AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(stream).ok()?;
    // A terminal that does not know its size is as wide as they used to be.
    Some(if size.ws_col == 0 {
        80
    } else {
        size.ws_col.into()
    })
}

/// Lines as a stream shows them: without what a terminal would obey; on a terminal broken between words at its
/// width, and with the colours that their first words stand for.
fn dressed<S>(text: &str, stream: &S) -> String
where
    S: anstream::stream::RawStream + rustix::fd::AsFd,
{
    let width = columns(stream);
    let coloured = !matches!(AutoStream::choice(stream), ColorChoice::Never);
    let line = |line: &str| {
        let mut lines = match width {
            Some(width) if line.width() > width => wrap(line, width),
            _ => vec![line.to_owned()],
        };
        if coloured && let Some(first) = lines.first_mut() {
            *first = painted(first);
        }
        lines.join("\n")
    };
    let lines: Vec<String> = printable_lines(text).lines().map(line).collect();
    lines.join("\n")
}

/// What words mean that are coloured: red is wrong, yellow wants attention, green is well. The words say so alone
/// as well.
const MEANINGS: [(&str, AnsiColor); 5] = [
    ("error:", AnsiColor::Red),
    ("IT DOES NOT ADD UP", AnsiColor::Red),
    ("warning:", AnsiColor::Yellow),
    ("REHEARSAL:", AnsiColor::Yellow),
    ("it adds up", AnsiColor::Green),
];

/// A line with the words coloured that mean something.
fn painted(line: &str) -> String {
    for (words, colour) in MEANINGS {
        let begins = words.ends_with(':');
        let found = if begins {
            line.starts_with(words).then_some(0)
        } else {
            line.find(words)
        };
        if let Some(at) = found {
            let style = colour.on_default().bold();
            let (before, rest) = line.split_at(at);
            let (_, after) = rest.split_at(words.len());
            return format!("{before}{style}{words}{style:#}{after}");
        }
    }
    line.to_owned()
}

/// Short facts one after the other, as many on a line as fit; one that is longer than a line is broken between
/// words.
pub(crate) fn flow(facts: &[String], width: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    for fact in facts {
        match lines.last_mut() {
            Some(line) if line.width() + 3 + fact.width() <= width => {
                line.push_str("   ");
                line.push_str(fact);
            }
            _ => lines.extend(wrap(fact, width)),
        }
    }
    lines.join("\n")
}

/// A paragraph in lines of at most this width, broken between words alone.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let own = text.len() - text.trim_start_matches(' ').len();
    let (own, hang) = (
        " ".repeat(own.min(width / 2)),
        " ".repeat(hang(text, width)),
    );
    // A figure and its unit are one word.
    let text = text.trim_start_matches(' ').replace(" %", "\u{a0}%");
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let indent = if lines.is_empty() { &own } else { &hang };
        match lines.last_mut() {
            Some(line) if line.width() + 1 + word.width() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(format!("{indent}{word}")),
        }
    }
    for line in &mut lines {
        *line = line.trim_end().replace('\u{a0}', " ");
    }
    lines
}

/// How far lines are indented that go on with a text: as far as its last column begins, or as it does itself.
fn hang(text: &str, width: usize) -> usize {
    let indent = text.len() - text.trim_start_matches(' ').len();
    let gaps = text.match_indices("  ");
    let columns = gaps
        .map(|(at, _)| text[..at].width() + text[at..].width() - text[at..].trim_start().width());
    let last = columns.take_while(|column| *column <= width / 2).last();
    last.unwrap_or(indent).max(indent).min(width / 2)
}

/// Whether facts go to a terminal.
pub(crate) fn is_read_by_a_person() -> bool {
    io::stdout().is_terminal()
}

/// Asks a question that `y` or `yes` answers; none where nobody can answer.
pub(crate) fn ask(question: &str) -> Option<bool> {
    if !io::stdin().is_terminal() {
        return None;
    }
    let mut out = io::stderr().lock();
    drop(write!(out, "{} [y/N] ", printable(question)));
    drop(out.flush());
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).ok()?;
    Some(matches!(
        answer.trim().to_ascii_lowercase().as_str(),
        "y" | "yes"
    ))
}

fn write_line(out: &mut impl io::Write, text: &str) -> io::Result<()> {
    writeln!(out, "{}", text.trim_end_matches('\n'))
}

/// Facts in columns, for people. On a terminal they fit its width, and cells are broken between words alone; where
/// even that is too wide, each row is told line by line.
pub(crate) fn table<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let rows: Vec<[String; N]> = rows
        .into_iter()
        .map(|row| row.map(|cell| printable(&cell)))
        .collect();
    table_within(header, &rows, columns(io::stdout()))
}

fn table_within<const N: usize>(
    header: [&str; N],
    rows: &[[String; N]],
    width: Option<usize>,
) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(header);
    if let Some(width) = width {
        let words = |nth: usize| {
            let cells = rows.iter().map(|row| row[nth].as_str());
            let words = cells.chain([header[nth]]).flat_map(str::split_whitespace);
            words.map(str::width).max().unwrap_or(0) + GAP
        };
        let least: Vec<usize> = (0..N).map(words).collect();
        if least.iter().sum::<usize>() > width {
            return records(header, rows, width);
        }
        table.set_content_arrangement(comfy_table::ContentArrangement::Dynamic);
        table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
        table.set_constraints(least.into_iter().map(|least| {
            let least = u16::try_from(least).unwrap_or(u16::MAX);
            comfy_table::ColumnConstraint::LowerBoundary(comfy_table::Width::Fixed(least))
        }));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.add_rows(rows.iter().cloned());
    let lines: Vec<String> = table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect();
    lines.join("\n")
}

/// Rows one below the other, each cell behind its column's name.
fn records<const N: usize>(header: [&str; N], rows: &[[String; N]], width: usize) -> String {
    let names = header.iter().map(|name| name.width()).max().unwrap_or(0) + GAP;
    let record = |row: &[String; N]| -> Vec<String> {
        let cells = header.iter().zip(row).filter(|(_, cell)| !cell.is_empty());
        cells
            .flat_map(|(name, cell)| {
                let lines = wrap(cell, width.saturating_sub(names).max(1));
                lines.into_iter().enumerate().map(move |(nth, line)| {
                    let name = if nth == 0 { name } else { "" };
                    let gap = " ".repeat(names - name.width());
                    format!("{name}{gap}{line}")
                })
            })
            .collect()
    };
    let records: Vec<String> = rows.iter().map(|row| record(row).join("\n")).collect();
    records.join("\n\n")
}

/// A text of somebody else's on one line, without what a terminal would obey.
pub(crate) fn printable(text: &str) -> String {
    text.chars().filter(|c| !unprintable(*c)).collect()
}

/// Whether a terminal would obey the character, or show what follows in another order.
fn unprintable(c: char) -> bool {
    c.is_control() || told::reorders(c) || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Several lines of somebody else's with a mark in the place of everything that a terminal would obey.
fn shown(text: &str) -> String {
    let mark = |c: char| match c {
        '\n' | '\t' => c,
        c if unprintable(c) => '\u{fffd}',
        c => c,
    };
    text.replace("\r\n", "\n").chars().map(mark).collect()
}

/// The same for several lines.
fn printable_lines(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(printable).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> [[String; 4]; 2] {
        [
            [
                "clinic-reminders.toml",
                "at 09:00 on Monday, Tuesday, Wednesday, Thursday and Friday",
                "Mon 2026-11-30 09:00 Europe/Stockholm",
                "2f8c1d completed, 2026-11-27 09:00 +01:00",
            ],
            [
                "b.toml",
                "once",
                "never again",
                "skipped: it was missed by more than an hour",
            ],
        ]
        .map(|row| row.map(str::to_owned))
    }

    const HEADER: [&str; 4] = ["campaign", "rule", "next start", "last"];

    #[test]
    fn tables_fit_and_no_word_is_broken() {
        let words = |text: &str| {
            let mut words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
            words.sort();
            words
        };
        let wide = table_within(HEADER, &rows(), None);
        assert_eq!(wide.lines().count(), 3, "{wide}");
        for width in [80, 120, 200] {
            let table = table_within(HEADER, &rows(), Some(width));
            assert!(table.lines().all(|line| line.width() <= width), "{table}");
            assert_eq!(words(&table), words(&wide), "{table}");
        }
        // Too narrow for columns: a line for each cell.
        let narrow = table_within(HEADER, &rows(), Some(40));
        assert!(
            narrow.starts_with("campaign    clinic-reminders.toml\nrule "),
            "{narrow}"
        );
        assert!(narrow.lines().all(|line| line.width() <= 40), "{narrow}");
    }

    #[test]
    fn lines_are_broken_between_words_and_keep_their_indent() {
        assert_eq!(wrap("  a bc def", 8), ["  a bc", "  def"]);
        assert_eq!(wrap("a  b", 80), ["a  b"]);
        assert_eq!(
            wrap("  09:00  read from it", 20),
            ["  09:00  read from", "         it"]
        );
        assert_eq!(wrap("that 70 % are", 8), ["that", "70 % are"]);
        let address = "https://example.org/a/very/long/one";
        assert_eq!(
            wrap(&format!("see {address} now"), 10),
            ["see", address, "now"]
        );
    }

    #[test]
    fn colours_mean_something_and_stand_on_words_that_say_it() {
        assert_eq!(
            painted("error: no"),
            "\u{1b}[1m\u{1b}[31merror:\u{1b}[0m no"
        );
        assert!(
            painted("3 rows = 3 reached   (it adds up)").contains("\u{1b}[32mit adds up\u{1b}[0m")
        );
        for plain in ["an error: no", "warnings", ""] {
            assert_eq!(painted(plain), plain);
        }
    }
}
