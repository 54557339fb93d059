//! Faults in files: what is wrong, where exactly, and what would be right.
//!
//! A [`Fault`] is one place in a campaign file or in a list; [`Faults`] is the non-empty collection
//! that a reader returns, in file order, so that a person mends everything in one go. `recipients`
//! uses the same type, and its faults are rendered in the same way.

use std::fmt;
use std::path::Path;

use serde::Serialize;

/// Longest part of a source line shown under a message, in characters; generated files may have
/// lines of megabytes.
const EXCERPT_CHARS_MAX: usize = 160;

/// Most faults of a file that are kept.
pub(super) const FAULTS_MAX: usize = 1_000;
/// Longest offending text, message or help that is kept, in characters.
const WORDS_CHARS_MAX: usize = 1_000;
/// Longest word that a nearest known one is looked for.
const NEAREST_CHARS_MAX: usize = 64;

/// One fault in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The file, as the person named it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters; in a list, the number of the cell.
    pub column: usize,
    /// The offending text; empty where something is missing or where it is personal data.
    pub text: String,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: String,
    /// The source line, for the rendering with a caret.
    #[serde(skip)]
    pub(crate) excerpt: Option<Excerpt>,
}

/// What is shown of a source line: all of it, or what is around the fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Excerpt {
    shown: String,
    /// Characters in front of the fault.
    before: usize,
}

impl Excerpt {
    fn of(line: &str, column: usize) -> Self {
        let at = column.max(1) - 1;
        // A long line is cut so that the fault stays in sight.
        let from = if at < EXCERPT_CHARS_MAX { 0 } else { at - 40 };
        let shown: String = line.chars().skip(from).take(EXCERPT_CHARS_MAX).collect();
        let before = (at - from).min(shown.chars().count());
        Self { shown, before }
    }
}

/// A text cut where it is too long to be told.
fn short(text: String) -> String {
    match text.char_indices().nth(WORDS_CHARS_MAX) {
        None => text,
        Some((at, _)) => format!("{}…", &text[..at]),
    }
}

impl Fault {
    /// A fault without an excerpt: about a file as a whole, or a place whose surroundings are
    /// personal data.
    pub fn new(
        file: &Path,
        (line, column): (usize, usize),
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self {
            file: file.display().to_string(),
            line,
            column,
            text: String::new(),
            message: short(message.into()),
            help: short(help.into()),
            excerpt: None,
        }
    }

    /// The same fault with its offending text and the line it stands on.
    #[must_use]
    pub fn showing(mut self, text: &str, line: &str) -> Self {
        self.text = short(text.chars().take(WORDS_CHARS_MAX + 1).collect());
        self.excerpt = Some(Excerpt::of(line, self.column));
        self
    }

    /// The source line and a caret under the offending text; nothing where the line is unknown.
    fn write_excerpt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(Excerpt { shown, before }) = &self.excerpt else {
            return Ok(());
        };
        let chars: Vec<char> = shown.chars().collect();
        let shown: String = chars.iter().map(|&c| printable(c)).collect();
        let width = self
            .text
            .lines()
            .next()
            .map_or(0, |first| first.chars().count())
            .clamp(1, (chars.len() - before).max(1));
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        writeln!(f, "  {number} | {shown}")?;
        let indent: String = chars[..*before]
            .iter()
            .map(|&c| if c == '\t' { '\t' } else { ' ' })
            .collect();
        writeln!(f, "  {margin} | {indent}{}", "^".repeat(width))
    }
}

/// Control characters would let a file write to the terminal.
fn printable(c: char) -> char {
    if c.is_control() && c != '\t' {
        '\u{fffd}'
    } else {
        c
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message: String = self.message.chars().map(printable).collect();
        let help: String = self.help.chars().map(printable).collect();
        writeln!(f, "{}:{}:{}: {message}", self.file, self.line, self.column)?;
        self.write_excerpt(f)?;
        write!(f, "  help: {help}")
    }
}

/// All faults found in a file or in a campaign with its list: never empty, in file order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// The faults in order of file (as first met), line and column; `None` where there are none.
    pub fn collect(faults: impl IntoIterator<Item = Fault>) -> Option<Self> {
        let mut all: Vec<Fault> = faults.into_iter().collect();
        let mut files: Vec<String> = Vec::new();
        for fault in &all {
            if !files.contains(&fault.file) {
                files.push(fault.file.clone());
            }
        }
        let rank = |fault: &Fault| files.iter().position(|file| *file == fault.file);
        all.sort_by_cached_key(|fault| (rank(fault), fault.line, fault.column));
        (!all.is_empty()).then_some(Self(all))
    }

    /// The same, with what would be right put otherwise.
    pub(crate) fn with_help(mut self, words: impl Fn(&str) -> String) -> Self {
        for fault in &mut self.0 {
            fault.help = words(&fault.help);
        }
        self
    }

    /// The faults, in order.
    pub fn as_slice(&self) -> &[Fault] {
        &self.0
    }

    /// How many there are; at least one.
    #[expect(
        clippy::len_without_is_empty,
        reason = "the type exists to be non-empty"
    )]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self(vec![fault])
    }
}

impl IntoIterator for Faults {
    type Item = Fault;
    type IntoIter = std::vec::IntoIter<Fault>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

/// The known word nearest to a mistyped one, where one is near enough to be meant.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.chars().count() > NEAREST_CHARS_MAX {
        return None;
    }
    let lower = word.to_lowercase();
    known
        .into_iter()
        .map(|candidate| {
            let distance = strsim::damerau_levenshtein(&lower, &candidate.to_lowercase());
            (distance, candidate)
        })
        .filter(|(distance, candidate)| {
            *distance <= (word.chars().count().max(candidate.chars().count()) / 3).max(1)
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `a`, `b` and `c`, for help texts.
pub(crate) fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match words.as_slice() {
        [] => "none".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_shows_its_line_with_a_caret_under_the_text() {
        let fault = Fault::new(
            Path::new("a.toml"),
            (12, 8),
            "no such key",
            "did you mean `x`?",
        )
        .showing("ö2", "  åäö = ö2 # z");
        insta::assert_snapshot!(fault, @r"
        a.toml:12:8: no such key
          12 |   åäö = ö2 # z
             |        ^^
          help: did you mean `x`?
        ");
    }

    #[test]
    fn faults_come_in_file_order_and_are_never_empty() {
        let at = |file: &str, line| Fault::new(Path::new(file), (line, 1), "m", "h");
        let faults = Faults::collect([at("b", 9), at("a", 2), at("b", 3)]).unwrap();
        let lines: Vec<_> = faults.into_iter().map(|f| (f.file, f.line)).collect();
        assert_eq!(lines, [("b".into(), 3), ("b".into(), 9), ("a".into(), 2)]);
        assert!(Faults::collect([]).is_none());
    }

    #[test]
    fn the_nearest_word_is_named_only_when_it_is_near() {
        assert_eq!(nearest("txet", ["text", "prompts"]), Some("text"));
        assert_eq!(nearest("colour", ["text", "prompts"]), None);
    }

    #[test]
    fn a_file_cannot_write_to_the_terminal() {
        let fault = Fault::new(Path::new("a"), (1, 1), "\u{1b}[31m", "h").showing("x", "\u{7}x");
        assert!(!fault.to_string().contains(['\u{1b}', '\u{7}']));
    }
}
