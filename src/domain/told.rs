//! What the platform says, in bounds: whatever it sends, what is kept of it is short, fit to be shown,
//! and can be added up.

/// No call lasts longer, in seconds: the platform's own limit is four hours, and what is far beyond it
/// is no duration. So short that sums of them never overflow.
pub const DURATION_S_MAX: i64 = 7 * 24 * 3600;
/// Longest word that is kept, in characters.
const WORD_CHARS_MAX: usize = 64;

/// A duration in seconds, where it can be one.
pub fn duration_s(seconds: i64) -> Option<i64> {
    (0..=DURATION_S_MAX).contains(&seconds).then_some(seconds)
}

/// Whether a character may stand in what the platform says: nothing that a terminal obeys, that begins a
/// line, that shows what follows in another order, or that nobody can see.
pub fn is_fit(c: char) -> bool {
    let unseen = matches!(c, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}' | '\u{feff}');
    !(c.is_control() || is_line(c) || reorders(c) || unseen)
}

/// Whether a character ends a line without being a control character.
fn is_line(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

/// Whether a character shows what is around it in another order.
pub fn reorders(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A word of the platform, fit to be kept and shown: without space around it, on one line, and no
/// longer than a word is. None where nothing is left.
pub fn word(text: &str) -> Option<String> {
    let mut chars = text.trim().chars();
    let mut word: String = chars
        .by_ref()
        .take(WORD_CHARS_MAX)
        // In its place, so that nothing becomes a word that was none.
        .map(|c| if is_fit(c) { c } else { '\u{fffd}' })
        .collect();
    if chars.next().is_some() {
        word.push('…');
    }
    (!word.is_empty()).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_short_and_on_one_line_and_never_becomes_another() {
        assert_eq!(word(" ANSWERED\n").as_deref(), Some("ANSWERED"));
        assert_eq!(word("ANS\0WERED").as_deref(), Some("ANS\u{fffd}WERED"));
        assert_eq!(word(" \t "), None);
        for odd in [
            "A\u{202e}B",
            "A\u{61c}B",
            "A\u{2028}B",
            "A\u{200b}B",
            "A\nB",
            "A\u{9b}B",
        ] {
            assert_eq!(word(odd).as_deref(), Some("A\u{fffd}B"), "{odd:?}");
        }
        let endless = word(&"å".repeat(1_000_000)).unwrap();
        assert_eq!(endless.chars().count(), WORD_CHARS_MAX + 1);
    }

    #[test]
    fn a_duration_is_one_that_a_call_can_have() {
        assert_eq!([duration_s(-1), duration_s(i64::MAX)], [None, None]);
        assert_eq!(duration_s(14_400), Some(14_400));
    }
}
