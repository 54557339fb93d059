//! The bare outline of a template: which parts are text, which are `{{ … }}`, `{% … %}` or `{# … #}`.
//!
//! `minijinja` reads templates; this file only finds *where* things stand, which its error type
//! does not tell: the columns a template names, and the `;` between prompts.

use std::ops::Range;

/// What a part of a template is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text that is taken as it stands.
    Text,
    /// `{{ … }}` or `{% … %}`: code.
    Code,
    /// `{# … #}`.
    Comment,
}

/// Whether a string is a template at all.
pub(super) fn is_template(source: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|open| source.contains(open))
}

/// The parts of a template, in order, covering all of it.
pub(super) fn segments(source: &str) -> Vec<(Kind, Range<usize>)> {
    let mut parts = Vec::new();
    let mut at = 0;
    let mut text_from = 0;
    while at < source.len() {
        let rest = &source.as_bytes()[at..];
        let (kind, end) = match rest {
            [b'{', b'{', ..] => (Kind::Code, code_end(source, at + 2, "}}")),
            [b'{', b'%', ..] => (Kind::Code, code_end(source, at + 2, "%}")),
            [b'{', b'#', ..] => {
                let end = source[at..].find("#}").map_or(source.len(), |i| at + i + 2);
                (Kind::Comment, end)
            }
            _ => {
                at += 1;
                continue;
            }
        };
        if text_from < at {
            parts.push((Kind::Text, text_from..at));
        }
        parts.push((kind, at..end));
        at = end;
        text_from = end;
    }
    if text_from < source.len() {
        parts.push((Kind::Text, text_from..source.len()));
    }
    parts
}

/// The end of a piece of code: its closing mark outside quotes.
fn code_end(source: &str, from: usize, close: &str) -> usize {
    let mut at = from;
    while at < source.len() {
        match source.as_bytes()[at] {
            quote @ (b'"' | b'\'') => at = string_end(source, at + 1, quote),
            _ if source.as_bytes()[at..].starts_with(close.as_bytes()) => return at + close.len(),
            _ => at += 1,
        }
    }
    source.len()
}

/// The place behind a string's closing quote.
fn string_end(source: &str, from: usize, quote: u8) -> usize {
    let bytes = source.as_bytes();
    let mut at = from;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b if b == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// One token inside code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A name.
    Word(&'a str),
    /// A string without escapes, without its quotes.
    Quoted(&'a str),
    /// Anything else: one character.
    Other(char),
}

/// The tokens of all code in a template, with their places.
pub(super) fn tokens(source: &str) -> Vec<(Token<'_>, Range<usize>)> {
    let mut found = Vec::new();
    for (kind, range) in segments(source) {
        if kind != Kind::Code {
            continue;
        }
        let mut at = range.start;
        while let Some(c) = source[at..range.end].chars().next() {
            let (token, end) = match c {
                '"' | '\'' => {
                    let end = string_end(source, at + 1, c as u8).min(range.end);
                    let inner = source.get(at + 1..end - 1).unwrap_or_default();
                    (Token::Quoted(inner), end)
                }
                c if c == '_' || c.is_alphabetic() => {
                    let tail =
                        source[at..range.end].find(|c: char| c != '_' && !c.is_alphanumeric());
                    let end = tail.map_or(range.end, |i| at + i);
                    (Token::Word(&source[at..end]), end)
                }
                c => (Token::Other(c), at + c.len_utf8()),
            };
            if !matches!(token, Token::Other(c) if c.is_whitespace()) {
                found.push((token, at..end));
            }
            at = end;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_closing_mark_inside_quotes_closes_nothing() {
        let source = "a {{ x | default(\"}};\") }} b";
        let parts: Vec<&str> = segments(source)
            .into_iter()
            .map(|(_, r)| &source[r])
            .collect();
        assert_eq!(parts, ["a ", "{{ x | default(\"}};\") }}", " b"]);
    }

    proptest! {
        #[test]
        fn the_outline_covers_any_text_without_a_gap(
            source in "([{}%#\"'\\\\;\\[\\]a-zå ]|row){0,40}"
        ) {
            let joined: String = segments(&source).into_iter().map(|(_, r)| &source[r]).collect();
            prop_assert_eq!(&joined, &source);
            for (_, range) in tokens(&source) {
                prop_assert!(source.get(range).is_some());
            }
        }
    }
}
