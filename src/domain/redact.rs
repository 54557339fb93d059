//! Telephone numbers within text that a person or the platform wrote: found however they are spelled,
//! and taken out.

/// So many digits may be a telephone number.
const NUMBER_DIGITS_MIN: usize = 7;
/// So many signs may stand between two digits of one number: `) -`.
const BETWEEN_MAX: usize = 3;
/// An opening bracket within a number stands among its first digits: `+46 (0)70`.
const BRACKET_DIGITS_MAX: usize = 5;
/// Fewer digits without a country code are anything, not a number.
const NATIONAL_DIGITS_MIN: usize = 6;
/// What people dial in front of a country code, and in front of a national number.
const ABROAD: [&str; 3] = ["", "00", "011"];
const TRUNK: [&str; 4] = ["", "0", "8", "06"];
/// The zeros of the digits that people write: ASCII, Arabic, Persian, Devanagari, full-width.
const ZEROS: [char; 5] = ['0', '\u{660}', '\u{6f0}', '\u{966}', '\u{ff10}'];

/// A digit within a text.
#[derive(Debug, Clone, Copy)]
struct Digit {
    /// Where it begins and ends, in bytes.
    from: usize,
    until: usize,
    value: u8,
    /// Whether it follows the digit before it with nothing between.
    joined: bool,
}

/// The text with everything taken out that may be a telephone number: messages are shown and logged, and
/// platforms like to repeat what was wrong in them. Ids in the form of a UUID stay.
pub fn without_numbers(text: &str) -> String {
    let numbers = runs(text).into_iter().filter(|run| {
        run.len() >= NUMBER_DIGITS_MIN && !in_uuid(text, run[0].from, run[run.len() - 1].until)
    });
    let spans = numbers.map(|run| (run[0].from, run[run.len() - 1].until));
    replaced(text, spans, "•••")
}

/// One number, to be found in whatever spelling: with blanks, dashes and brackets, with `+`, `00`, `011`
/// or nothing in front of its country code, or as it is dialled at home.
#[derive(Debug)]
pub struct Spellings {
    code: String,
    national: String,
}

/// What stands in the place of a number that was erased.
pub const ERASED_TEXT: &str = "[erased]";

impl Spellings {
    /// Of a number in E.164, `national` being its digits without the country code.
    pub fn of(e164: &str, national: &str) -> Self {
        let digits = e164.trim_start_matches('+');
        Self {
            code: digits.strip_suffix(national).unwrap_or_default().to_owned(),
            national: national.to_owned(),
        }
    }

    /// The text without the number; none where it is not in it.
    pub fn erased_from(&self, text: &str) -> Option<String> {
        let runs = runs(text);
        let mut spans: Vec<(usize, usize)> = Vec::new();
        for run in &runs {
            let mut at = 0;
            while at < run.len() {
                if let Some((first, last)) = self.at(run, at) {
                    spans.push((run[first].from, run[last].until));
                    at = last;
                }
                at += 1;
            }
        }
        if spans.is_empty() {
            return None;
        }
        // The plus of a number goes with it.
        let spans = spans.into_iter().map(|(from, until)| {
            let before = text[..from].trim_end_matches(['+', '＋']);
            (before.len(), until)
        });
        Some(replaced(text, spans, ERASED_TEXT))
    }

    /// The first and last digit of the number where its national digits begin at `at`.
    fn at(&self, run: &[Digit], at: usize) -> Option<(usize, usize)> {
        let last = at.checked_add(self.national.len())?.checked_sub(1)?;
        let ends = run.get(last + 1).is_none_or(|next| !next.joined);
        if !ends || !digits(run.get(at..=last)?).eq(self.national.bytes()) {
            return None;
        }
        let mut fronts: Vec<String> = TRUNK.iter().map(|trunk| (*trunk).to_owned()).collect();
        if !self.code.is_empty() {
            for abroad in ABROAD {
                fronts.extend(["", "0"].map(|trunk| format!("{abroad}{}{trunk}", self.code)));
            }
        }
        if self.national.len() < NATIONAL_DIGITS_MIN {
            fronts.retain(|front| front.contains(&self.code) && !self.code.is_empty());
        }
        fronts.sort_by_key(|front| std::cmp::Reverse(front.len()));
        let first = fronts.iter().find_map(|front| {
            let first = at.checked_sub(front.len())?;
            let begins = first == 0 || !run[first].joined;
            (begins && digits(&run[first..at]).eq(front.bytes())).then_some(first)
        })?;
        Some((first, last))
    }
}

fn digits(run: &[Digit]) -> impl Iterator<Item = u8> {
    run.iter().map(|digit| b'0' + digit.value)
}

/// The digits of a text, those together that may be of one number.
fn runs(text: &str) -> Vec<Vec<Digit>> {
    let mut runs: Vec<Vec<Digit>> = Vec::new();
    let (mut between, mut open) = (0, false);
    for (from, c) in text.char_indices() {
        let Some(value) = digit(c) else {
            between += 1;
            let digits = runs.last().map_or(0, Vec::len);
            let bracket = c == '(' && digits > BRACKET_DIGITS_MAX;
            open = open && is_between(c) && !bracket && between <= BETWEEN_MAX;
            continue;
        };
        let digit = Digit {
            from,
            until: from + c.len_utf8(),
            value,
            joined: open && between == 0,
        };
        match runs.last_mut() {
            Some(run) if open => run.push(digit),
            _ => runs.push(vec![digit]),
        }
        (between, open) = (0, true);
    }
    runs
}

fn digit(c: char) -> Option<u8> {
    ZEROS.iter().find_map(|zero| {
        let value = u32::from(c).checked_sub(u32::from(*zero))?;
        u8::try_from(value).ok().filter(|value| *value < 10)
    })
}

/// Whether people write it between the digits of one number.
fn is_between(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '-' | '.' | '/' | '(' | ')' | '+' | '~' | '\u{ad}' | '−' | '－'
        )
        || matches!(c, '\u{2010}'..='\u{2015}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

/// Whether a part of a text lies within an id of the form 8-4-4-4-12.
fn in_uuid(text: &str, from: usize, until: usize) -> bool {
    let of_id = |c: char| c.is_ascii_hexdigit() || c == '-';
    let before = text[..from].trim_end_matches(of_id).len();
    let after = text[until..].len() - text[until..].trim_start_matches(of_id).len();
    let groups = text[before..until + after].split('-').map(str::len);
    text[from..until].chars().all(of_id) && groups.eq([8, 4, 4, 4, 12])
}

/// A text with other words in the place of some of its parts, which are in order.
fn replaced(text: &str, spans: impl Iterator<Item = (usize, usize)>, with: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut kept = 0;
    for (from, until) in spans {
        out.push_str(&text[kept..from]);
        out.push_str(with);
        kept = until;
    }
    out.push_str(&text[kept..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_number_is_taken_out_however_it_is_written() {
        for (text, left) in [
            (
                "Invalid parameters: +46701740605 (3 of 120)",
                "Invalid parameters: +••• (3 of 120)",
            ),
            ("to +46 70 123 45 67 failed", "to +••• failed"),
            ("(070) 123-45-67: no", "(•••: no"),
            ("+46 (0)70 123 45 67", "+•••"),
            ("070\u{a0}123\u{202f}45–67", "•••"),
            ("070.123.45.67/8", "•••"),
            ("٠٧٠١٢٣٤٥٦٧ and ＋４６７０１２３４５６７", "••• and ＋•••"),
            ("+4670•••0101 is 123456", "+4670•••0101 is 123456"),
            (
                "reference 8a1c1f08-4b5d-4a8e-9a37-123456789012 of 0701234567",
                "reference 8a1c1f08-4b5d-4a8e-9a37-123456789012 of •••",
            ),
            (
                "HTTP 400 after 30 s, 3 of 120",
                "HTTP 400 after 30 s, 3 of 120",
            ),
            ("", ""),
        ] {
            assert_eq!(without_numbers(text), left);
        }
    }

    #[test]
    fn a_number_is_found_in_every_spelling_and_nobody_elses() {
        let number = Spellings::of("+46701740605", "701740605");
        for spelled in [
            "+46701740605",
            "46701740605",
            "0046701740605",
            "01146701740605",
            "0701740605",
            "701740605",
            "+46 70 174 06 05",
            "+46 (0)70-174 06 05",
            "0046-70-174-06-05",
            "070/174.06.05",
            "(070) 174 06 05",
            "＋４６７０１７４０６０５",
            "070\u{a0}174\u{2011}06\u{200b}05",
        ] {
            let text = format!("mail from {spelled}, twice: {spelled}");
            assert_eq!(
                number
                    .erased_from(&text)
                    .map(|t| t.replace('(', ""))
                    .as_deref(),
                Some("mail from [erased], twice: [erased]"),
                "{spelled}"
            );
        }
        for other in [
            "+467017406051",
            "+46701740606",
            "1701740605",
            "+49701740605",
            "70174 0605 1",
            "",
            "no number",
        ] {
            let erased = number.erased_from(other);
            let stays = other == "70174 0605 1";
            assert_eq!(erased.is_some(), stays, "{other}: {erased:?}");
        }
        assert_eq!(
            number.erased_from("rang 0701740605 2 times").as_deref(),
            Some("rang [erased] 2 times")
        );
        let short = Spellings::of("+3545551", "5551");
        assert_eq!(short.erased_from("room 5551"), None);
        assert!(short.erased_from("call +354 5551").is_some());
    }
}
