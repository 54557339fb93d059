//! Places in a campaign file: byte spans of the TOML source turned into lines, columns and faults.
//!
//! A value's text is not always its source (quotes, escapes, a first line break that TOML drops), so
//! [`Place::within`] maps an offset inside a string back to the file where that can be done exactly.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::path::Path;

use super::fault::{FAULTS_MAX, Fault};

/// A span of the source that faults can point at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    span: Range<usize>,
    /// Where the value's first byte stands in the source, when source and value are the same text.
    content: Option<usize>,
}

impl Place {
    /// A span without inner structure: a key, a number, a table's header.
    pub(super) fn of(span: Range<usize>) -> Self {
        Self {
            span,
            content: None,
        }
    }

    /// The span of a string with its quotes.
    pub(super) fn of_string(span: Range<usize>, source: &str, value: &str) -> Self {
        let raw = source.get(span.clone()).unwrap_or_default();
        let quotes = if raw.starts_with("\"\"\"") || raw.starts_with("'''") {
            3
        } else {
            1
        };
        let after = raw.get(quotes..).unwrap_or_default();
        let dropped = match after.as_bytes() {
            [b'\r', b'\n', ..] if quotes == 3 => 2,
            [b'\n', ..] if quotes == 3 => 1,
            _ => 0,
        };
        let same = after
            .get(dropped..)
            .is_some_and(|text| text.starts_with(value));
        let content = same.then_some(span.start + quotes + dropped);
        Self { span, content }
    }

    /// The place of a part of a string's value; the whole string where that is not known.
    pub(super) fn within(&self, part: Range<usize>) -> Self {
        match self.content {
            Some(start) => Self {
                span: start + part.start..start + part.end,
                content: Some(start + part.start),
            },
            None => self.clone(),
        }
    }
}

/// The campaign file while it is read: its text, and what has been found wrong with it so far.
#[derive(Debug)]
pub(super) struct SourceFile<'a> {
    /// The TOML text.
    pub(super) text: &'a str,
    /// The file, as the person named it.
    pub(super) path: &'a Path,
    /// Whether a run that began with it goes on: it was checked by the rules of its own day.
    kept: bool,
    faults: RefCell<Vec<Fault>>,
    warnings: RefCell<Vec<Fault>>,
    /// Faults beyond those that are kept.
    more: Cell<usize>,
}

impl<'a> SourceFile<'a> {
    /// A file without faults yet.
    pub(super) fn new(text: &'a str, path: &'a Path) -> Self {
        Self {
            text,
            path,
            kept: false,
            faults: RefCell::default(),
            warnings: RefCell::default(),
            more: Cell::new(0),
        }
    }

    /// The file of a run that goes on, without faults yet.
    pub(super) fn kept(text: &'a str, path: &'a Path) -> Self {
        Self {
            kept: true,
            ..Self::new(text, path)
        }
    }

    /// Whether it is to begin a run, and is held to what runs may not do any more.
    pub(super) fn is_new(&self) -> bool {
        !self.kept
    }

    /// Notes a fault.
    pub(super) fn fault(&self, place: &Place, message: impl Into<String>, help: impl Into<String>) {
        if self.faults.borrow().len() >= FAULTS_MAX {
            self.more.set(self.more.get() + 1);
            return;
        }
        let fault = self.at(place, message, help);
        self.faults.borrow_mut().push(fault);
    }

    /// Whether a fault was noted at this very place.
    pub(super) fn is_faulty(&self, place: &Place) -> bool {
        let new = self.at(place, "", "");
        let there = |fault: &Fault| (fault.line, fault.column) == (new.line, new.column);
        self.faults.borrow().iter().any(there)
    }

    /// Notes a fault of another file, which this one names.
    pub(super) fn note(&self, fault: Fault) {
        self.faults.borrow_mut().push(fault);
    }

    /// Notes something doubtful that stops nobody.
    pub(super) fn warn(&self, place: &Place, message: impl Into<String>, help: impl Into<String>) {
        if self.warnings.borrow().len() < FAULTS_MAX {
            let fault = self.at(place, message, help);
            self.warnings.borrow_mut().push(fault);
        }
    }

    /// A fault at a place of this file.
    pub(super) fn at(
        &self,
        place: &Place,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Fault {
        let start = floor(self.text, place.span.start);
        let end = floor(self.text, place.span.end).max(start);
        let before = &self.text[..start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let rest = &self.text[line_start..];
        let line = rest.find('\n').map_or(rest, |at| &rest[..at]);
        let position = (
            before.matches('\n').count() + 1,
            self.text[line_start..start].chars().count() + 1,
        );
        Fault::new(self.path, position, message, help)
            .showing(&self.text[start..end], line.trim_end_matches('\r'))
    }

    /// All that was noted: faults and warnings.
    pub(super) fn into_findings(self) -> (Vec<Fault>, Vec<Fault>) {
        let mut faults = self.faults.into_inner();
        let more = self.more.get();
        if let Some(last) = faults.iter().map(|fault| (fault.line, fault.column)).max()
            && more > 0
        {
            let message = format!("and {more} more faults");
            faults.push(Fault::new(
                self.path,
                last,
                message,
                "mend those above first",
            ));
        }
        (faults, self.warnings.into_inner())
    }
}

/// The last character boundary at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inside(source: &str, span: Range<usize>, value: &str, part: Range<usize>) -> String {
        let place = Place::of_string(span, source, value).within(part);
        let file = SourceFile::new(source, Path::new("x.toml"));
        let fault = file.at(&place, "m", "h");
        format!("{}:{} {}", fault.line, fault.column, fault.text)
    }

    #[test]
    fn a_part_of_a_string_is_found_behind_its_quotes() {
        assert_eq!(inside("a = 'åb c'", 4..11, "åb c", 4..5), "1:9 c");
        let multi = "a = \"\"\"\nxy\nz\"\"\"";
        assert_eq!(inside(multi, 4..15, "xy\nz", 3..4), "3:1 z");
    }

    #[test]
    fn a_string_with_escapes_is_pointed_at_as_a_whole() {
        let source = r#"a = "x\ty""#;
        assert_eq!(inside(source, 4..10, "x\ty", 2..3), r#"1:5 "x\ty""#);
    }
}
