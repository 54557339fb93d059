//! Telephone numbers: what people write, and the E.164 number it stands for.
//!
//! The only file that knows `rlibphonenumber`. The rule above all others: what is dialled has the
//! digits that were written. After the library has read a number, its digits must be those of the
//! cell but for a prefix that this file knows (`+`, an international prefix, the country code, a
//! trunk prefix such as 0); anything else is refused, however plausible.

use rlibphonenumber::{
    NumberLengthType, PHONE_NUMBER_UTIL, ParseError, PhoneNumber, PhoneNumberType, PhoneNumberUtil,
    Region, ValidationError,
};

/// Fewest digits worth reading: the shortest international numbers (Niue, Saint Helena) have more.
const DIGITS_MIN: usize = 4;
/// Most digits worth reading: E.164's 15 with the longest prefixes in front.
const DIGITS_MAX: usize = 22;
/// Most digits of an E.164 number.
const E164_DIGITS_MAX: usize = 15;
/// Digits on both sides that make a separator stand between two numbers.
const SECOND_NUMBER_DIGITS_MIN: usize = 6;

/// What is dialled in front of a country code where `+` is not written.
const INTERNATIONAL_PREFIXES: [&str; 8] = ["00", "011", "0011", "010", "001", "009", "119", "810"];

/// Country codes whose numbers may begin with 0 after the code: Italy, San Marino, the Vatican,
/// Ivory Coast, Congo and Gabon. Everywhere else such a 0 is a trunk prefix.
const ZERO_STAYS: [i32; 6] = [39, 378, 379, 225, 242, 241];

/// A number as it will be dialled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// The number in E.164, with its `+`.
    pub e164: String,
    /// Whether the numbering plan knows it. An unknown one is dialled and counted.
    pub known: bool,
}

/// Why a cell is not a number that can be dialled; for people, without the cell's content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub String);

/// The name of a region that the library does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a region with telephone numbers")]
pub struct UnknownRegion(pub String);

/// Reads numbers as they are written in one region, or in E.164 only.
#[derive(Debug, Clone, Copy)]
pub struct Numbers {
    region: Option<Region>,
}

/// A cell taken apart, before anything is known of numbering plans.
#[derive(Debug, PartialEq, Eq)]
struct Spelling {
    plus: bool,
    digits: String,
}

impl Numbers {
    /// A reader for a region (`SE`), or for E.164 alone. The first number ever read loads the
    /// library's data, which takes a moment.
    pub fn new(region: Option<&str>) -> Result<Self, UnknownRegion> {
        let region = region.map(|name| {
            let known = Region::try_from(name).ok();
            known
                .filter(|region| util().get_country_code_for_region(*region).is_some())
                .ok_or_else(|| UnknownRegion(name.to_owned()))
        });
        Ok(Self {
            region: region.transpose()?,
        })
    }

    /// The number that a cell stands for.
    pub fn normalise(&self, raw: &str) -> Result<Parsed, Unreadable> {
        let spelling = spelling(raw).map_err(|why| Unreadable(why.to_owned()))?;
        let number = self.parse(&spelling)?;
        possible(&number)?;
        let code = number.country_code.to_string();
        let national = number.get_national_significant_number();
        if !same_digits(&spelling, &code, &national) {
            return refuse(MANY_WAYS);
        }
        if code.len() + national.len() > E164_DIGITS_MAX {
            return refuse("it has more than 15 digits");
        }
        let known = number.is_valid();
        if !known && national.starts_with('0') && !ZERO_STAYS.contains(&number.country_code) {
            // The library keeps the trunk prefix when too little would be left without it.
            return refuse("it is too short for a number that begins with 0");
        }
        if !known && !is_settled(&number, &code, &national) {
            return refuse(MANY_WAYS);
        }
        Ok(Parsed {
            e164: format!("+{code}{national}"),
            known,
        })
    }

    fn parse(self, spelling: &Spelling) -> Result<PhoneNumber, Unreadable> {
        let parsed = if spelling.plus {
            PHONE_NUMBER_UTIL.parse(format!("+{}", spelling.digits), None)
        } else if let Some(region) = self.region {
            PHONE_NUMBER_UTIL.parse(&spelling.digits, Some(region))
        } else if spelling.digits.starts_with("00") {
            return refuse("it begins with 00: write + instead, or give `region` in [recipients]");
        } else {
            return refuse(
                "it has no country code: write it with +, or give `region` in [recipients]",
            );
        };
        parsed.map_err(|error| {
            Unreadable(String::from(match error {
                ParseError::InvalidCountryCode => "it has no country code that exists",
                ParseError::TooShortAfterIdd | ParseError::TooShortNsn => "it is too short",
                ParseError::TooLongNsn => "it is too long",
                ParseError::NotANumber(_) => "it is not a telephone number",
            }))
        })
    }
}

/// Where a number in E.164 belongs and what kind it is: `("SE", "mobile")`. `ZZ` and `other` where the
/// numbering plans do not say.
pub fn place_of(e164: &str) -> (String, &'static str) {
    let Ok(number) = PHONE_NUMBER_UTIL.parse(e164, None) else {
        return ("ZZ".into(), "other");
    };
    let kind = match number.get_type() {
        PhoneNumberType::FixedLine => "fixed",
        PhoneNumberType::Mobile => "mobile",
        PhoneNumberType::FixedLineOrMobile => "fixed or mobile",
        _ => "other",
    };
    let region = number.get_region_code();
    (region.map_or("ZZ".into(), |r| r.to_string()), kind)
}

/// How closely the digits of a number say where it belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// They name an area.
    Area,
    /// They name a country alone, in so many digits.
    Country(usize),
    /// They name nothing.
    Nowhere,
}

/// How closely a number in E.164 says where it belongs. Mobile numbers name an area in few countries,
/// and one that the plan does not know names none, whatever it looks like.
pub(super) fn reach_of(e164: &str) -> Reach {
    let Ok(number) = PHONE_NUMBER_UTIL.parse(e164, None) else {
        return Reach::Nowhere;
    };
    // Below +1 all countries share one plan, in which mobile numbers have area codes as well.
    let mobile = || number.get_type() == PhoneNumberType::Mobile;
    if number.is_geographical() || number.country_code == 1 && mobile() {
        return Reach::Area;
    }
    Reach::Country(number.country_code.to_string().len())
}

/// The digits of a number in E.164 without its country code; all of them where that is not known.
pub fn national_of(e164: &str) -> String {
    match PHONE_NUMBER_UTIL.parse(e164, None) {
        Ok(number) => number.get_national_significant_number(),
        Err(_) => e164.trim_start_matches('+').to_owned(),
    }
}

/// Whether what follows the country code begins with a digit that its country also dials in front of
/// national numbers, so that such a number may stand for a shorter one.
pub(super) fn begins_like_a_trunk_prefix(e164: &str) -> bool {
    PHONE_NUMBER_UTIL.parse(e164, None).map_or(true, |number| {
        let national = number.get_national_significant_number();
        let first = national.get(..1).unwrap_or_default();
        is_trunk(&number.country_code.to_string(), first)
    })
}

const MANY_WAYS: &str = "it could be read in more than one way: write it with + and country code";

/// Whether a number that no plan knows stays what it is when it is read again: one that begins with
/// a trunk prefix would lose it, here or at the platform, and ring somebody else.
fn is_settled(number: &PhoneNumber, code: &str, national: &str) -> bool {
    let again = PHONE_NUMBER_UTIL.parse(format!("+{code}{national}"), None);
    again.is_ok_and(|again| {
        again.country_code == number.country_code
            && again.get_national_significant_number() == national
    })
}

fn util() -> &'static PhoneNumberUtil {
    &PHONE_NUMBER_UTIL
}

fn refuse<T>(why: &str) -> Result<T, Unreadable> {
    Err(Unreadable(why.to_owned()))
}

/// Whether the number can be dialled at all: its length, in its region.
fn possible(number: &PhoneNumber) -> Result<(), Unreadable> {
    match util().is_possible_number_with_reason(number) {
        Ok(NumberLengthType::IsPossible) => Ok(()),
        Ok(NumberLengthType::IsPossibleLocalOnly) => {
            refuse("it is a local number: the area code is missing")
        }
        Err(ValidationError::TooShort) => refuse("it is too short"),
        Err(ValidationError::TooLong) => refuse("it is too long"),
        Err(ValidationError::InvalidCountryCode) => refuse("it has no country code that exists"),
        Err(_) => refuse("no number of its country has that many digits"),
    }
}

/// Whether the digits typed are those of the number but for a prefix that may be changed.
fn same_digits(spelling: &Spelling, code: &str, national: &str) -> bool {
    let Some(prefix) = spelling.digits.strip_suffix(national) else {
        return false;
    };
    let international = |prefix: &str| {
        let trunk = prefix.strip_prefix(code);
        trunk.is_some_and(|trunk| trunk.is_empty() || is_trunk(code, trunk))
    };
    if spelling.plus {
        return international(prefix);
    }
    let dialled = |idd: &&str| prefix.strip_prefix(*idd).is_some_and(international);
    prefix.is_empty()
        || is_trunk(code, prefix)
        || international(prefix)
        || INTERNATIONAL_PREFIXES.iter().any(dialled)
}

/// Whether a prefix is the one that a country dials in front of national numbers.
fn is_trunk(code: &str, prefix: &str) -> bool {
    match prefix {
        "0" => true,
        "1" => code == "1",
        "8" => matches!(code, "7" | "370" | "375" | "992" | "993" | "998"),
        "06" => code == "36",
        _ => false,
    }
}

/// Takes a cell apart, and says in plain words what is not a number.
fn spelling(raw: &str) -> Result<Spelling, &'static str> {
    let text: String = raw
        .chars()
        .filter(|&c| !is_invisible(c))
        .map(plain)
        .collect();
    let text = text.trim();
    // A spreadsheet marks a cell as text with an apostrophe, which some exports keep.
    let text = text.strip_prefix('\'').unwrap_or(text).trim();
    if text.is_empty() {
        return Err("there is no number");
    }
    if is_scientific(text) {
        return Err("a spreadsheet has rounded the number: its last digits are lost");
    }
    check_characters(text)?;
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let plus = text.trim_start_matches('(').starts_with('+');
    if digits.len() < DIGITS_MIN {
        return Err("it is too short");
    }
    if digits.len() > DIGITS_MAX {
        return Err("it is too long");
    }
    Ok(Spelling { plus, digits })
}

/// Marks without width that copying from a web page or a telephone's contacts leaves behind.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'
        | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{ad}')
}

/// Digits of other scripts and typographic signs as their plain equals.
fn plain(c: char) -> char {
    let digit =
        |zero: u32| char::from_digit(u32::from(c) - zero, 10).expect("the range has ten digits");
    match c {
        '\u{ff10}'..='\u{ff19}' => digit(0xff10),
        '\u{660}'..='\u{669}' => digit(0x660),
        '\u{6f0}'..='\u{6f9}' => digit(0x6f0),
        '\u{ff0b}' => '+',
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{ff0d}' => '-',
        '\u{ff08}' => '(',
        '\u{ff09}' => ')',
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

fn check_characters(text: &str) -> Result<(), &'static str> {
    let digits_in = |part: &str| part.chars().filter(char::is_ascii_digit).count();
    let long = |part: &str| digits_in(part) >= SECOND_NUMBER_DIGITS_MIN;
    if digits_in(text) == 0 {
        return Err("there are words or signs where a number should be");
    }
    for (at, c) in text.char_indices() {
        let (before, after) = (&text[..at], &text[at + c.len_utf8()..]);
        let two = long(before) && long(after);
        match c {
            '0'..='9' | ' ' | '-' | '.' | '(' | ')' => {}
            '+' if before.chars().all(|c| c == '(') => {}
            '+' if two => return Err("there are two numbers in one cell"),
            '+' => return Err("it has a + in the middle"),
            '/' if !two => {}
            '/' | ',' | ';' | '|' | '&' | '\n' | '\r' if two => {
                return Err("there are two numbers in one cell");
            }
            c if two && c.is_alphabetic() => return Err("there are two numbers in one cell"),
            // A letter glued between digits is a slip (O for 0); a word behind a number is not.
            c if (matches!(c, '#' | 'x' | 'X') || (c.is_alphabetic() && before.ends_with(' ')))
                && long(before)
                && digits_in(after) > 0 =>
            {
                return Err("it has an extension, which cannot be dialled");
            }
            '#' | '*' => return Err("it has keys (* or #) that no number has"),
            c if c.is_alphabetic() => return Err("it has letters"),
            c if c.is_numeric() => return Err("it has digits of another kind"),
            _ => return Err("it has signs that no number has"),
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "phone_tests.rs"]
mod tests;
