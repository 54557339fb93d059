//! A cell with a number, taken apart before anything is known of numbering plans.
//!
//! What people and spreadsheets write around digits is dropped where it says nothing (blanks, hyphens,
//! `="…"`, the `.0` of a spreadsheet's number), noted where it says something (a bracketed 0, a short
//! last group), and refused by name otherwise.

use std::borrow::Cow;

/// Fewest digits worth reading: the shortest international numbers (Niue, Saint Helena) have more.
const DIGITS_MIN: usize = 4;
/// Most digits worth reading: E.164's 15 with the longest prefixes in front.
const DIGITS_MAX: usize = 22;
/// Longest cell worth looking at, in bytes.
const CELL_BYTES_MAX: usize = 1_000;
/// Digits on both sides that make a separator stand between two numbers.
const SECOND_NUMBER_DIGITS_MIN: usize = 6;
/// Digits that are too many for one number with all its prefixes, where a separator stands among them.
const TWO_NUMBERS_DIGITS_MIN: usize = 19;
/// Fewest digits in front of a spreadsheet's `.0` or `.00`.
const WHOLE_DIGITS_MIN: usize = 4;
/// Fewest digits in front of decimals that are refused; in front of fewer, a point separates groups.
const DECIMAL_DIGITS_MIN: usize = 7;
/// Most digits of a last group that may be somebody else's, or an extension.
const TAIL_DIGITS_MAX: usize = 2;
/// Fewest digits of the group in front of it.
const BEFORE_TAIL_DIGITS_MIN: usize = 5;

const TWO_NUMBERS: &str = "there are two numbers in one cell";
const TOO_LONG: &str = "it is too long";

/// What a cell has.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Spelling {
    /// Whether a `+` stands in front.
    pub(super) plus: bool,
    /// All digits.
    pub(super) digits: String,
    /// How many digits stand in front of a `(0)`, where there is one behind others.
    pub(super) bracketed_zero: Option<usize>,
    /// How many digits stand in front of the first sign or blank; all of them where there is none.
    pub(super) first_group: usize,
    /// A group of one or two digits that is set off by a hyphen or slash behind a long one: how many.
    pub(super) tail: usize,
}

/// Takes a cell apart, and says in plain words what is not a number.
pub(super) fn spelling(raw: &str) -> Result<Spelling, String> {
    if let Some(spelling) = plain_digits(raw) {
        return Ok(spelling);
    }
    if raw.len() > CELL_BYTES_MAX {
        return Err(TOO_LONG.into());
    }
    let text: String = raw
        .chars()
        .filter(|&c| !is_invisible(c))
        .map(plain)
        .collect();
    let text = bare(&text);
    if text.is_empty() {
        return Err("there is no number".into());
    }
    if is_scientific(text) {
        return Err("a spreadsheet has rounded the number: its last digits are lost".into());
    }
    let text = &*without_decimals(text)?;
    check_characters(text)?;
    let spelling = taken_apart(text);
    let digits = spelling.digits.len();
    if digits < DIGITS_MIN {
        Err("it is too short".into())
    } else if digits >= TWO_NUMBERS_DIGITS_MIN && is_two_by_a_separator(text) {
        Err(TWO_NUMBERS.into())
    } else if digits > DIGITS_MAX {
        Err(TOO_LONG.into())
    } else {
        Ok(spelling)
    }
}

/// Most cells of most lists: digits alone, or behind a `+`.
fn plain_digits(raw: &str) -> Option<Spelling> {
    let digits = raw.strip_prefix('+').unwrap_or(raw);
    let right = (DIGITS_MIN..TWO_NUMBERS_DIGITS_MIN).contains(&digits.len())
        && digits.bytes().all(|b| b.is_ascii_digit());
    right.then(|| Spelling {
        plus: digits.len() < raw.len(),
        digits: digits.to_owned(),
        bracketed_zero: None,
        first_group: digits.len(),
        tail: 0,
    })
}

/// The text without what marks it as text: an apostrophe in front, or a formula of one string, `="…"`.
fn bare(text: &str) -> &str {
    let text = text.trim();
    let text = text.strip_prefix('\'').unwrap_or(text).trim();
    let text = text.strip_prefix('=').unwrap_or(text).trim();
    let quoted = text.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
    quoted.unwrap_or(text).trim()
}

fn taken_apart(text: &str) -> Spelling {
    let digits_in = |part: &str| part.bytes().filter(u8::is_ascii_digit).count();
    let bracketed = text.find("(0)").map(|at| digits_in(&text[..at]));
    let begun = text.trim_start_matches(['+', '(', ' ']);
    let first = begun.find(|c: char| !c.is_ascii_digit());
    Spelling {
        plus: text.trim_start_matches('(').starts_with('+'),
        digits: text.chars().filter(char::is_ascii_digit).collect(),
        bracketed_zero: bracketed.filter(|before| *before > 0),
        first_group: first.unwrap_or(begun.len()),
        tail: tail(text),
    }
}

/// How many digits a last group has that may be no part of the number: `0701740605-6`.
fn tail(text: &str) -> usize {
    let Some((before, last)) = text.rsplit_once(['-', '/']) else {
        return 0;
    };
    let last = last.trim();
    let before = before.trim_end();
    let group = before.bytes().rev().take_while(u8::is_ascii_digit).count();
    let short = (1..=TAIL_DIGITS_MAX).contains(&last.len())
        && last.bytes().all(|b| b.is_ascii_digit())
        && group >= BEFORE_TAIL_DIGITS_MIN;
    if short { last.len() } else { 0 }
}

/// Whether a sign or blank has a number's digits on both sides.
fn is_two_by_a_separator(text: &str) -> bool {
    let all = text.bytes().filter(u8::is_ascii_digit).count();
    let mut before = 0;
    text.chars().any(|c| {
        before += usize::from(c.is_ascii_digit());
        let long = |digits: usize| digits >= SECOND_NUMBER_DIGITS_MIN;
        !c.is_ascii_digit() && c != '(' && c != ')' && long(before) && long(all - before)
    })
}

/// A spreadsheet's number without the decimals that say nothing: `46701740605.0`, `46 701 740 605,00`.
/// Decimals that say something are refused.
fn without_decimals(text: &str) -> Result<Cow<'_, str>, String> {
    let Some((whole, decimals)) = text.rsplit_once(['.', ',']) else {
        return Ok(text.into());
    };
    let comma = text[whole.len()..].starts_with(',');
    let decimals = decimals.trim_end();
    let digits = whole.bytes().filter(u8::is_ascii_digit).count();
    let right = !decimals.is_empty()
        && decimals.bytes().all(|b| b.is_ascii_digit())
        && is_whole(whole.trim_start_matches(['+', '-']), comma);
    if right && matches!(decimals, "0" | "00") && digits >= WHOLE_DIGITS_MIN {
        return Ok(whole.replace([',', '\''], " ").into());
    }
    let some = decimals.len() <= 2 || comma && decimals.len() < SECOND_NUMBER_DIGITS_MIN;
    if right && some && digits >= DECIMAL_DIGITS_MIN {
        let sign = if comma { ',' } else { '.' };
        return Err(format!(
            "it has decimals (behind the `{sign}`), which no number has"
        ));
    }
    Ok(text.into())
}

/// Whether a text is a whole number as a spreadsheet writes it: digits alone, or in threes.
fn is_whole(text: &str, comma: bool) -> bool {
    let sign = text.chars().find(|c| !c.is_ascii_digit());
    let Some(sign) = sign else {
        return !text.is_empty();
    };
    let allowed = sign == ' ' || sign == '\'' || sign == if comma { '.' } else { ',' };
    let mut groups = text.split(sign);
    let first = groups.next().unwrap_or_default();
    let digits = |group: &str| group.bytes().all(|b| b.is_ascii_digit());
    allowed
        && (1..=3).contains(&first.len())
        && groups.all(|group| group.len() == 3 && digits(group))
}

/// Marks without width that copying from a web page or a telephone's contacts leaves behind.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'
        | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{ad}')
}

/// Digits of other scripts, full-width signs and typographic ones as their plain equals.
fn plain(c: char) -> char {
    let digit =
        |zero: u32| char::from_digit(u32::from(c) - zero, 10).expect("the range has ten digits");
    match c {
        // Full-width forms are ASCII in its own order.
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{660}'..='\u{669}' => digit(0x660),
        '\u{6f0}'..='\u{6f9}' => digit(0x6f0),
        // The sign for a long vowel is typed for a hyphen on a Japanese keyboard.
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe63}' | '\u{30fc}' | '\u{ff70}' => '-',
        '\u{201c}'..='\u{201f}' => '"',
        '\u{2018}' | '\u{2019}' => '\'',
        c if c.is_whitespace() && c != '\n' && c != '\r' => ' ',
        c => c,
    }
}

/// `4,67017E+10`.
fn is_scientific(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else {
        return false;
    };
    let exponent = exponent.trim_start_matches(['+', '-']);
    let mantissa = mantissa.trim_start_matches('+');
    let number = |text: &str, also: &[char]| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_ascii_digit() || also.contains(&c))
    };
    number(mantissa, &['.', ',']) && number(exponent, &[])
}

fn check_characters(text: &str) -> Result<(), String> {
    let all = text.bytes().filter(u8::is_ascii_digit).count();
    if all == 0 {
        return Err("there are words or signs where a number should be".into());
    }
    let mut before = 0;
    for (at, c) in text.char_indices() {
        if c.is_ascii_digit() {
            before += 1;
            continue;
        }
        if let Some(why) = fault(c, &text[..at], before, all - before) {
            return Err(why);
        }
    }
    Ok(())
}

/// What is wrong with a sign that has so many digits before and after it.
fn fault(c: char, text: &str, before: usize, after: usize) -> Option<String> {
    let long = before >= SECOND_NUMBER_DIGITS_MIN;
    let two = long && after >= SECOND_NUMBER_DIGITS_MIN;
    let why = match c {
        ' ' | '-' | '.' | '(' | ')' => return None,
        // How Russia's international prefix is written: 8, a tone, 10.
        '~' if text == "8" => return None,
        '+' if text.chars().all(|c| c == '(') => return None,
        '/' if !two => return None,
        '+' if !two => "it has a + in the middle",
        _ if two => TWO_NUMBERS,
        // A letter glued between digits is a slip (O for 0); a word behind a number is not.
        c if (matches!(c, '#' | 'x' | 'X') || (c.is_alphabetic() && text.ends_with(' ')))
            && long
            && after > 0 =>
        {
            "it has an extension, which cannot be dialled"
        }
        '#' | '*' => "it has keys (* or #) that no number has",
        c if c.is_alphabetic() => "it has letters",
        c if c.is_numeric() => "it has digits of another kind",
        '\n' | '\r' => "it has a line break",
        c if c.is_control() => {
            return Some(format!(
                "it has a sign that no number has (U+{:04X})",
                u32::from(c)
            ));
        }
        c => return Some(format!("it has a sign that no number has (`{c}`)")),
    };
    Some(why.into())
}
