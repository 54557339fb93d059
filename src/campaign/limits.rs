//! What the platform accepts in each field, as far as its documents say (`FACTS` §3, §6, §9).
//!
//! A [`Rule`] is checked for a literal when the file is loaded and for a template after every
//! rendering, so both give the same message. Lengths count Unicode characters (code points): the
//! documents do not say what 600 counts, and this is how people count.

use crate::domain::svaml::{CONFERENCE_ID_CHARS_MAX, SPEECH_CHARS_MAX, is_dtmf};

/// Longest value of an `X-CB-` header.
const HEADER_VALUE_CHARS_MAX: usize = 128;
/// Longest name of an `X-CB-` header, prefix included.
const HEADER_NAME_CHARS_MAX: usize = 32;
/// Longest `custom` on the wire.
const CUSTOM_BYTES_MAX: usize = 1024;
/// The attempt id and the space that `sinch` puts before the campaign's own `custom`.
const CUSTOM_BYTES_OURS: usize = 32 + 1;

/// Most headers of a callout; the platform drops further ones silently.
pub(super) const HEADERS_MAX: usize = 5;
/// Most prompts of one callout.
pub(super) const PROMPTS_MAX: usize = 64;

/// What a value must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// Words to be spoken.
    Speech,
    /// Words to be spoken within a prompt, whose end and separator they must not have.
    Words,
    /// One prompt: a directive with a text, a URL or a file id.
    Prompt,
    /// One prompt or several with `;` between them, as SVAML takes them.
    Prompts,
    /// A number to show, or `private` where that is allowed.
    Cli {
        /// Whether `private` is accepted.
        private: bool,
    },
    /// Keys to be played.
    Dtmf,
    /// The id of a conference.
    ConferenceId,
    /// The value of an `X-CB-` header.
    HeaderValue,
    /// The campaign's own part of `custom`.
    Custom,
    /// One word of a closed list.
    OneOf(&'static [&'static str]),
    /// A language or voice; doubtful ones are warned of elsewhere, never refused.
    Locale,
    /// The name of a place of the platform's.
    Pop,
    /// An http(s) address.
    Url,
    /// The number to be dialled, which is compared with the row's own.
    OwnNumber,
    /// The number of somebody else, whom a call is connected to.
    Connect,
    /// Anything.
    Free,
}

/// Why a value does not fit, and what would.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    /// What is wrong, beginning with the field's name.
    pub(super) message: String,
    /// What would be right.
    pub(super) help: String,
}

impl Problem {
    fn new(message: String, help: &str) -> Self {
        let help = help.to_owned();
        Self { message, help }
    }
}

impl Rule {
    /// Checks a value that stands under `key`.
    pub(super) fn check(self, key: &str, value: &str) -> Result<(), Problem> {
        match self {
            Self::Speech => speech(key, value),
            Self::Words => words(key, value),
            Self::Prompt => prompt(key, value),
            Self::Prompts => prompts(key, value),
            Self::Cli { private } => cli(key, value, private),
            Self::Connect => cli(key, &e164(value), false),
            Self::Dtmf => dtmf(key, value),
            Self::ConferenceId => bounded(key, value, CONFERENCE_ID_CHARS_MAX),
            Self::HeaderValue => header_value(key, value),
            Self::Custom => custom(key, value),
            Self::OneOf(words) => one_of(key, value, words),
            Self::Locale | Self::Pop => bounded(key, value, 64),
            Self::Url => url(key, value),
            Self::OwnNumber | Self::Free => Ok(()),
        }
    }
}

fn speech(key: &str, value: &str) -> Result<(), Problem> {
    if value.trim().is_empty() {
        let help = "give the words to be spoken";
        return Err(Problem::new(format!("`{key}` has nothing to say"), help));
    }
    bounded(key, value, SPEECH_CHARS_MAX)
}

/// Not empty and not longer than `max` characters.
fn bounded(key: &str, value: &str, max: usize) -> Result<(), Problem> {
    if value.trim().is_empty() {
        return Err(Problem::new(format!("`{key}` is empty"), "give it a value"));
    }
    let chars = value.chars().count();
    if chars > max {
        let message = format!("`{key}` has {chars} characters, the platform takes {max}");
        return Err(Problem::new(message, "shorten it"));
    }
    Ok(())
}

/// Brackets end a prompt, and a semicolon may begin the next.
fn words(key: &str, value: &str) -> Result<(), Problem> {
    if let Some(sign) = value.chars().find(|c| "[];".contains(*c)) {
        let message = format!("`{key}` has `{sign}`, which would end what is said");
        return Err(Problem::new(
            message,
            "put it otherwise: a comma, for example",
        ));
    }
    speech(key, value)
}

/// A number in E.164 without the spaces and signs between its digits, with which people write it.
pub(super) fn e164(value: &str) -> String {
    let between = |c: &char| !"-(). ".contains(*c);
    value.trim().chars().filter(between).collect()
}

/// The directives that wrap a prompt's text.
pub(super) const DIRECTIVES: [&str; 3] = ["#tts[", "#ssml[", "#href["];

fn prompt(key: &str, value: &str) -> Result<(), Problem> {
    const HELP: &str = "a prompt is `#tts[text]`, `#ssml[<speak>…</speak>]`, `#href[url]`, \
                        an http(s) address or the id of a file";
    let value = value.trim();
    let Some(directive) = DIRECTIVES.iter().find(|start| value.starts_with(**start)) else {
        if value.contains(['#', '[', ']', ';']) {
            let message = format!("`{key}` is not a prompt the platform knows");
            return Err(Problem::new(message, HELP));
        }
        return bounded(key, value, SPEECH_CHARS_MAX);
    };
    let inner = value[directive.len()..].strip_suffix(']');
    let Some(inner) = inner.filter(|inner| !inner.contains(['[', ']'])) else {
        let message = format!("`{key}` must end with its only `]`");
        return Err(Problem::new(message, HELP));
    };
    if *directive == "#href[" {
        return url(key, inner);
    }
    speech(key, inner)
}

fn prompts(key: &str, value: &str) -> Result<(), Problem> {
    let mut depth = 0_usize;
    value
        .split(|c| {
            match c {
                '[' => depth += 1,
                ']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            c == ';' && depth == 0
        })
        .try_for_each(|item| prompt(key, item))
}

fn cli(key: &str, value: &str, private: bool) -> Result<(), Problem> {
    if value == "private" {
        return if private {
            Ok(())
        } else {
            let message = format!("`{key} = \"private\"` is not documented for text-to-speech");
            let help = "give a number you own; `private` goes with conference and custom callouts";
            Err(Problem::new(message, help))
        };
    }
    let digits = value.strip_prefix('+').unwrap_or_default();
    let right = (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if right {
        return Ok(());
    }
    let help = if private {
        "write `+` and 7 to 15 digits, without spaces, or \"private\""
    } else {
        "write `+` and 7 to 15 digits, without spaces"
    };
    let message = format!("`{key}` is not a number in E.164");
    Err(Problem::new(message, help))
}

fn dtmf(key: &str, value: &str) -> Result<(), Problem> {
    match value.chars().find(|&c| !is_dtmf(c)) {
        Some(other) => Err(Problem::new(
            format!("`{key}` has `{}`, which is not a key", other.escape_debug()),
            "the keys are 0-9 and #; w waits half a second",
        )),
        None if value.is_empty() => Err(Problem::new(
            format!("`{key}` is empty"),
            "leave the key out where nothing is to be played",
        )),
        None => Ok(()),
    }
}

fn header_value(key: &str, value: &str) -> Result<(), Problem> {
    let help = "printable ASCII, at most 128 characters";
    if let Some(other) = value.chars().find(|c| !(' '..='~').contains(c)) {
        let message = format!("`{key}` has `{}`", other.escape_debug());
        return Err(Problem::new(message, help));
    }
    if value.len() > HEADER_VALUE_CHARS_MAX {
        let message = format!("`{key}` has {} characters", value.len());
        return Err(Problem::new(message, help));
    }
    Ok(())
}

/// Checks the name of an `X-CB-` header.
pub(super) fn header_name(name: &str) -> Result<(), Problem> {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    let prefixed = name
        .get(..5)
        .is_some_and(|start| start.eq_ignore_ascii_case("X-CB-"));
    let help = "a header is `X-CB-` and letters, digits or hyphens, at most 32 characters in all";
    if !prefixed || name.len() == 5 {
        let message = format!("header `{name}` does not begin with `X-CB-` and a name");
        return Err(Problem::new(message, help));
    }
    if name.len() > HEADER_NAME_CHARS_MAX || !name.bytes().all(token) {
        let message = format!("header `{name}` is too long or has a character HTTP does not allow");
        return Err(Problem::new(message, help));
    }
    Ok(())
}

fn custom(key: &str, value: &str) -> Result<(), Problem> {
    let room = CUSTOM_BYTES_MAX - CUSTOM_BYTES_OURS;
    if value.len() > room {
        let message = format!(
            "`{key}` has {} bytes, there is room for {room}",
            value.len()
        );
        let help = "shorten it: the platform takes 1024 bytes, 33 of them carry the attempt's id";
        return Err(Problem::new(message, help));
    }
    Ok(())
}

fn one_of(key: &str, value: &str, words: &[&str]) -> Result<(), Problem> {
    if words.contains(&value) {
        return Ok(());
    }
    let known = super::fault::listed(words.iter().copied());
    let message = format!("`{key}` cannot be `{}`", value.escape_debug());
    Err(Problem::new(message, &format!("it is one of {known}")))
}

fn url(key: &str, value: &str) -> Result<(), Problem> {
    let host = ["http://", "https://"]
        .iter()
        .find_map(|scheme| value.strip_prefix(scheme));
    let odd = |c: char| c.is_whitespace() || c.is_control();
    if host.is_some_and(|host| !host.is_empty() && !host.starts_with('/')) && !value.contains(odd) {
        return Ok(());
    }
    let message = format!("`{key}` is not a web address");
    Err(Problem::new(
        message,
        "it begins with https:// or http:// and has no spaces",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(rule: Rule, value: &str) -> bool {
        rule.check("k", value).is_ok()
    }

    #[test]
    fn six_hundred_characters_are_spoken_and_not_one_more() {
        assert!(fits(Rule::Speech, &"å".repeat(600)));
        assert!(!fits(Rule::Speech, &"å".repeat(601)));
        assert!(!fits(Rule::Speech, " \n"));
        assert!(fits(Rule::Prompt, &format!("#tts[{}]", "a".repeat(600))));
        assert!(!fits(Rule::Prompt, &format!("#tts[{}]", "a".repeat(601))));
    }

    #[test]
    fn a_prompt_is_a_whole_directive_an_address_or_a_file_id() {
        for right in [
            "#tts[a]",
            "#ssml[<speak>a</speak>]",
            "#href[https://a/b]",
            "welcome.wav",
        ] {
            assert!(fits(Rule::Prompt, right), "{right}");
        }
        for wrong in [
            "#say[a]",
            "#tts[a",
            "#tts[a]b]",
            "#tts[]",
            "#href[b]",
            "a#b",
            "",
        ] {
            assert!(!fits(Rule::Prompt, wrong), "{wrong}");
        }
    }

    #[test]
    fn a_cli_is_e164_or_private_where_the_api_allows_it() {
        let cli = |private| Rule::Cli { private };
        assert!(fits(cli(false), "+4610000") && fits(cli(true), "private"));
        for wrong in [
            "private",
            "46100000000",
            "+461000",
            "+1234567890123456",
            "+46 10000000",
        ] {
            assert!(!fits(cli(false), wrong), "{wrong}");
        }
    }

    #[test]
    fn the_other_fields_keep_the_documented_limits() {
        assert!(fits(Rule::Dtmf, "12#w") && !fits(Rule::Dtmf, "1*") && !fits(Rule::Dtmf, ""));
        assert!(fits(Rule::ConferenceId, &"a".repeat(64)));
        assert!(!fits(Rule::ConferenceId, &"a".repeat(65)));
        assert!(fits(Rule::Custom, &"å".repeat(495)) && !fits(Rule::Custom, &"å".repeat(496)));
        assert!(fits(Rule::HeaderValue, &"~".repeat(128)));
        assert!(!fits(Rule::HeaderValue, &"~".repeat(129)) && !fits(Rule::HeaderValue, "å"));
        assert!(header_name("x-cb-A").is_ok() && header_name(&"X-CB-67".repeat(5)).is_err());
        assert!(header_name("X-CB-").is_err() && header_name("X-CB-a b").is_err());
        assert!(header_name("Xå-CB").is_err());
    }
}
