//! `prompts`: the campaign's list of things to play, split before any row is merged into it.
//!
//! The platform documents no escape for `;`, `]` or `#`, so a cell that could bring one would
//! rewrite what is played. The list is therefore split where the *author* wrote a `;`, each item is
//! a template of its own, and the guard of [`super::template`] keeps such characters out of cells.

use std::ops::Range;

use super::guard::Guard;
use super::limits::{DIRECTIVES, PROMPTS_MAX, Rule};
use super::place::SourceFile;
use super::table::Placed;
use super::template::Text;
use super::tokens::{Kind, segments};

/// Splits a `prompts` value into one text per item; faults go to the file.
pub(super) fn split(file: &SourceFile<'_>, prompts: &Placed<&str>) -> Vec<Text> {
    let (mut items, inside) = items(prompts.value);
    if items.len() > 1 && items.last().is_some_and(Range::is_empty) {
        // A list may end with its separator.
        items.pop();
    }
    if items.len() > PROMPTS_MAX {
        let message = format!("`prompts` has {} items", items.len());
        let help = format!("at most {PROMPTS_MAX} are sent in one callout");
        file.fault(&prompts.place, message, help);
    }
    if let Some(at) = inside {
        let help = "no escape is documented: the platform may end the prompt there";
        let place = prompts.place.within(at..at + 1);
        file.warn(&place, "`;` stands inside a prompt", help);
    }
    let text = |(i, range): (usize, Range<usize>)| {
        let source = &prompts.value[range.clone()];
        let key = format!("prompts item {}", i + 1);
        Text {
            key,
            source: source.to_owned(),
            place: prompts.place.within(range),
            rule: Rule::Prompt,
            guard: guard(source),
        }
    };
    items.into_iter().enumerate().map(text).collect()
}

/// What cells may bring into a prompt of this source.
pub(super) fn guard(source: &str) -> Guard {
    if source.contains("#ssml[") {
        let single_quotes = source.contains('\'');
        return Guard::Markup { single_quotes };
    }
    Guard::Prompt
}

/// Whether a string is a prompt with a directive.
pub(super) fn has_directive(source: &str) -> bool {
    DIRECTIVES
        .iter()
        .any(|start| source.trim_start().starts_with(start))
}

/// The items' trimmed ranges, and the first `;` that stands inside brackets.
fn items(source: &str) -> (Vec<Range<usize>>, Option<usize>) {
    let mut ranges = Vec::new();
    let mut inside = None;
    let (mut from, mut depth) = (0, 0_usize);
    for (kind, range) in segments(source) {
        if kind != Kind::Text {
            continue;
        }
        for (i, b) in source[range.clone()].bytes().enumerate() {
            let at = range.start + i;
            match b {
                b'[' => depth += 1,
                b']' => depth = depth.saturating_sub(1),
                b';' if depth == 0 => {
                    ranges.push(trimmed(source, from..at));
                    from = at + 1;
                }
                b';' => inside = inside.or(Some(at)),
                _ => {}
            }
        }
    }
    ranges.push(trimmed(source, from..source.len()));
    (ranges, inside)
}

fn trimmed(source: &str, range: Range<usize>) -> Range<usize> {
    let text = &source[range.clone()];
    let start = range.start + (text.len() - text.trim_start().len());
    start..start + text.trim().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_separator_the_author_wrote_splits() {
        let source = " #tts[a {{ x | default(\"b;c\") }}] ;#href[https://a/b]; c.wav";
        let (ranges, inside) = items(source);
        let texts: Vec<&str> = ranges.into_iter().map(|range| &source[range]).collect();
        assert_eq!(
            texts,
            [
                "#tts[a {{ x | default(\"b;c\") }}]",
                "#href[https://a/b]",
                "c.wav"
            ]
        );
        assert_eq!(inside, None);
        assert_eq!(items("#tts[a;b]").1, Some(6));
    }

    #[test]
    fn markup_is_guarded_more_strictly_than_plain_prompts() {
        assert_eq!(guard("#tts[{{ a }}]"), Guard::Prompt);
        let quoted = "#ssml[<prosody rate='{{ a }}'/>]";
        assert_eq!(
            guard(quoted),
            Guard::Markup {
                single_quotes: true
            }
        );
    }
}
