//! The terminal: the only place that writes to it.
//!
//! Facts go to standard output, everything said meanwhile to standard error. A reader who leaves
//! early (`callout export | head`) is no error.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

/// Prints facts.
pub(super) fn say(text: &str) {
    let mut out = anstream::stdout().lock();
    drop(write_line(&mut out, text));
}

/// Tells how things go, or what went wrong.
pub(super) fn tell(text: &str) {
    let mut out = anstream::stderr().lock();
    drop(write_line(&mut out, text));
}

/// Prints a JSON document.
pub(super) fn say_json(value: &serde_json::Value) {
    say(&serde_json::to_string_pretty(value).unwrap_or_default());
}

/// Writes bytes to standard output; false once nobody reads any more.
pub(super) fn pour(bytes: &[u8]) -> io::Result<bool> {
    match io::stdout().lock().write_all(bytes) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(e) => Err(e),
    }
}

/// Whether somebody watches.
pub(super) fn watched() -> bool {
    io::stderr().is_terminal()
}

/// Asks a question that `y` or `yes` answers; none where nobody can answer.
pub(super) fn ask(question: &str) -> Option<bool> {
    if !io::stdin().is_terminal() {
        return None;
    }
    let mut out = anstream::stderr().lock();
    drop(write!(out, "{question} [y/N] "));
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

/// Facts in columns, for people.
pub(super) fn table<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(header);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.add_rows(rows.into_iter().map(|row| row.map(|cell| printable(&cell))));
    let lines: Vec<String> = table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect();
    lines.join("\n")
}

/// A text of somebody else's on one line, without what a terminal would obey.
pub(super) fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// The same for several lines.
pub(super) fn printable_lines(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(printable).collect();
    lines.join("\n")
}
