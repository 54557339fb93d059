//! How long a voice takes to speak, about.

/// Characters that a voice speaks in a second, about.
const CHARS_PER_SECOND: u32 = 14;

/// Beyond its text, spoken twice, a call is given this long: to be answered, and to be ended.
pub(super) const BEYOND_TEXT_S: u32 = 60;

/// Characters of a text.
pub(super) fn chars(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
}

/// Seconds that a voice takes to speak a text, about.
pub(super) fn spoken_s(text: &str) -> u32 {
    to_speak_s(chars(text))
}

/// Seconds that a voice takes to speak so many characters, about.
pub(super) fn to_speak_s(chars: u32) -> u32 {
    chars.div_ceil(CHARS_PER_SECOND)
}

/// Whether all prompts are words, so that their length says how long they take; their brackets count as
/// if they were spoken. Markup can pause for as long as it likes.
pub(super) fn spoken_prompts(prompts: &str) -> bool {
    // A `;` within a prompt makes a further item of its rest, which is not a directive: not known.
    prompts
        .split(';')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .all(|item| item.starts_with("#tts["))
}
