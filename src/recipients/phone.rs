//! Telephone numbers: what people write, and the E.164 number it stands for.
//!
//! The only file that knows `rlibphonenumber`. Two rules stand above all others. What is dialled has
//! the digits that were written, but for a prefix that this file knows (`+`, an international prefix,
//! the country code, a trunk prefix such as 0). And no stranger is dialled: digits without a `+` are
//! read in every way that makes sense,
//!
//! - as a national number of the list's region, with or without its trunk prefix,
//! - as a number of any country that begins with its country code,
//! - behind an international prefix, `00` or the region's own, as the same,
//!
//! and the readings that can be dialled are weighed. Where the numbering plan knows exactly one of
//! them, it is that one; where it knows none, and one alone is possible, it is that one, unknown.
//! Otherwise the cell is refused, and both readings are shown. So a spelling that has one meaning is
//! never refused for another that no plan knows, and a number that a plan knows is never taken for
//! somebody else's, whichever way it was meant. A `(0)` behind a country code says that it is one. Where
//! the campaign says how its numbers are written ([`NumberForm`]) the other readings are not looked at.

use std::fmt;

use rlibphonenumber::{
    NumberLengthType, PHONE_NUMBER_UTIL, ParseError, PhoneNumber, PhoneNumberType, PhoneNumberUtil,
    Region, ValidationError,
};

use crate::domain::NumberForm;
use crate::domain::destination::mask;

use super::spelling::{Spelling, spelling};

/// Most digits of an E.164 number.
const E164_DIGITS_MAX: usize = 15;

/// What is dialled in front of a country code where `+` is not written. The first is read everywhere,
/// the others in the regions that have them.
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

/// Why a cell is not a number that can be dialled; for people, without the cell's content: readings
/// of an ambiguous one are masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    why: String,
    readings: Option<[String; 2]>,
}

impl Unreadable {
    fn new(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            readings: None,
        }
    }

    fn two(a: &Parsed, b: &Parsed) -> Self {
        Self {
            why: WHICH.into(),
            readings: Some([mask(&a.e164), mask(&b.e164)]),
        }
    }

    /// The reason without anything of this very cell, so that cells can be counted by it.
    pub fn in_general(&self) -> String {
        match self.readings {
            None => self.why.clone(),
            Some(_) => format!("it can be read as two numbers: {}", self.why),
        }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some([a, b]) = &self.readings {
            write!(f, "it can be read as {a} or as {b}: ")?;
        }
        f.write_str(&self.why)
    }
}

impl std::error::Error for Unreadable {}

/// The name of a region that the library does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a region with telephone numbers")]
pub struct UnknownRegion(pub String);

/// Reads numbers as they are written in one region, or in E.164 only.
#[derive(Debug, Clone, Copy)]
pub struct Numbers {
    home: Option<Home>,
    form: NumberForm,
}

/// The region of a list.
#[derive(Debug, Clone, Copy)]
struct Home {
    /// Its country code.
    code: i32,
    /// Which of the international prefixes are read there, a bit each.
    prefixes: u8,
    /// Whether 8 is its trunk prefix, which is no country code but begins some.
    trunk_is_8: bool,
}

/// The readings of one cell.
#[derive(Default)]
struct Readings {
    can_be: Vec<Parsed>,
    /// Why the first of those that cannot be dialled cannot.
    fault: Option<Unreadable>,
}

impl Numbers {
    /// A reader for a region (`SE`), or for E.164 alone. The first number ever read loads the
    /// library's data, which takes a moment.
    pub fn new(region: Option<&str>, form: NumberForm) -> Result<Self, UnknownRegion> {
        let home = |name: &str| Home::of(name).ok_or_else(|| UnknownRegion(name.to_owned()));
        Ok(Self {
            home: region.map(home).transpose()?,
            form,
        })
    }

    /// Whether nothing speaks against numbers of North America that are written without country code.
    pub(super) fn may_be_north_american(&self) -> bool {
        self.home.is_none_or(|home| home.code == 1)
    }

    /// The number that a cell stands for.
    pub fn normalise(&self, raw: &str) -> Result<Parsed, Unreadable> {
        let spelling = spelling(raw).map_err(Unreadable::new)?;
        let read = self.read(&spelling);
        if spelling.tail == 0 {
            return read;
        }
        // A short last group may be a neighbour's number or an extension. It is neither where the plan
        // knows the whole, and what is in front of it is no mobile number.
        let (before, last) = spelling
            .digits
            .split_at(spelling.digits.len() - spelling.tail);
        let digits = before.to_owned();
        let more = last.len();
        let before = self.read(&Spelling {
            digits,
            tail: 0,
            ..spelling
        });
        let whole = read.as_ref().is_ok_and(|whole| whole.known);
        let mobile = |number: &Parsed| number.known && place_of(&number.e164).1 == "mobile";
        if before.is_ok_and(|number| !whole || mobile(&number)) {
            return Err(Unreadable::new(format!(
                "there is a whole number, and {} behind it: a second number, or an extension",
                if more == 1 {
                    "one more digit"
                } else {
                    "two more digits"
                }
            )));
        }
        read
    }

    /// The number that digits stand for, whatever was written around them.
    fn read(self, spelling: &Spelling) -> Result<Parsed, Unreadable> {
        let digits = spelling.digits.as_str();
        let mut readings = Readings::default();
        if spelling.plus {
            readings.abroad(digits, spelling.bracketed_zero);
        } else if self.home.is_none() && self.form == NumberForm::Any {
            return Err(Unreadable::new(without_a_region(digits)));
        } else if let Some((abroad, before)) = self.behind_a_country_code(spelling) {
            readings.abroad(abroad, Some(before));
        } else {
            self.without_a_plus(spelling, &mut readings);
        }
        readings.decide()
    }

    /// The digits from the country code on, and how long it is, where a `(0)` says that there is one.
    fn behind_a_country_code(self, spelling: &Spelling) -> Option<(&str, usize)> {
        let before = spelling.bracketed_zero?;
        let is_code = |digits: &str| {
            let code = digits.parse().ok().filter(|_| !digits.starts_with('0'));
            code.and_then(|code| util().get_region_for_country_code(code))
                .is_some()
        };
        let digits = spelling.digits.as_str();
        let dialled = self.prefixes().filter(|prefix| digits.starts_with(prefix));
        let cut = [0].into_iter().chain(dialled.map(str::len));
        cut.filter(|cut| *cut < before)
            .find(|cut| is_code(&digits[*cut..before]))
            .map(|cut| (&digits[cut..], before - cut))
    }

    fn without_a_plus(self, spelling: &Spelling, readings: &mut Readings) {
        let digits = spelling.digits.as_str();
        let national = self.home.filter(|_| self.form != NumberForm::International);
        if let Some(home) = national {
            readings.add(&format!("{}{digits}", home.code));
        }
        // `8 495 …`: 8 alone is no country code, so it stands for what is dialled within the country.
        let trunk = spelling.first_group == 1
            && digits.starts_with('8')
            && national.is_some_and(|home| home.trunk_is_8);
        let first = digits.as_bytes().first().copied();
        if self.form != NumberForm::National && first != Some(b'0') && !trunk {
            readings.add(digits);
        }
        // All international prefixes begin so.
        if matches!(first, Some(b'0' | b'1' | b'8')) {
            for prefix in self.prefixes() {
                if let Some(abroad) = digits.strip_prefix(prefix) {
                    readings.add(abroad);
                }
            }
        }
        if self.form == NumberForm::International && readings.nothing() {
            readings.fault.get_or_insert_with(|| {
                Unreadable::new("it begins with 0, which no country code does")
            });
        }
    }

    /// What may be dialled in front of a country code.
    fn prefixes(self) -> impl Iterator<Item = &'static str> {
        let own = self.home.map_or(1, |home| home.prefixes);
        let all = INTERNATIONAL_PREFIXES.into_iter().enumerate();
        all.filter(move |(i, _)| own & 1 << i != 0).map(|(_, p)| p)
    }
}

impl Home {
    fn of(name: &str) -> Option<Self> {
        let region = Region::try_from(name).ok()?;
        let code = util().get_country_code_for_region(region)?;
        // Which prefixes a region has is a pattern that the library keeps to itself; it is asked with
        // numbers of two countries, of which one is not its own.
        let is_read = |prefix: &str| {
            ["12025550101", "46701740605"].iter().any(|number| {
                let read = PHONE_NUMBER_UTIL.parse(format!("{prefix}{number}"), Some(region));
                read.is_ok_and(|read| {
                    read.country_code != code
                        && format!("{}{}", read.country_code, read.national_number) == *number
                })
            })
        };
        let mut prefixes = 1;
        for (i, prefix) in INTERNATIONAL_PREFIXES.iter().enumerate() {
            prefixes |= u8::from(is_read(prefix)) << i;
        }
        Some(Self {
            code,
            prefixes,
            trunk_is_8: is_trunk(&code.to_string(), "8"),
        })
    }
}

impl Readings {
    /// Whether nothing was looked at.
    fn nothing(&self) -> bool {
        self.can_be.is_empty() && self.fault.is_none()
    }

    /// Digits from a country code on. A bracketed 0 behind the code is part of some numbers and none of
    /// others, so both are looked at.
    fn abroad(&mut self, digits: &str, bracketed_zero: Option<usize>) {
        self.add(digits);
        if let Some(before) = bracketed_zero
            && let Some((code, rest)) = digits.split_at_checked(before)
            && let Some(rest) = rest.strip_prefix('0')
        {
            self.add(&format!("{code}{rest}"));
        }
    }

    /// One more way to read the cell: digits from the country code on.
    fn add(&mut self, digits: &str) {
        // Where the plan knows one reading, it is no matter whether others are possible.
        let known_already = self.can_be.iter().any(|reading| reading.known);
        match international(digits, known_already) {
            Ok(reading) if self.can_be.contains(&reading) => {}
            Ok(reading) => self.can_be.push(reading),
            Err(why) => {
                self.fault.get_or_insert_with(|| Unreadable::new(why));
            }
        }
    }

    /// What the cell means: the only one that the plan knows, or the only one at all.
    fn decide(mut self) -> Result<Parsed, Unreadable> {
        if self.can_be.iter().any(|reading| reading.known) {
            self.can_be.retain(|reading| reading.known);
        }
        match self.can_be.as_slice() {
            [a, b, ..] => Err(Unreadable::two(a, b)),
            _ => self
                .can_be
                .pop()
                .ok_or_else(|| self.fault.unwrap_or_else(|| Unreadable::new(MANY_WAYS))),
        }
    }
}

fn without_a_region(digits: &str) -> &'static str {
    if digits.starts_with("00") {
        "it begins with 00: write + instead, or give `region` in [recipients]"
    } else {
        "it has no country code: write it with +, or give `region` in [recipients]"
    }
}

/// Reads digits that begin with a country code; where `known_only`, a number that no plan knows is
/// refused at once.
fn international(digits: &str, known_only: bool) -> Result<Parsed, &'static str> {
    // Until 2019 a 1 stood between Mexico's code and the number of a mobile telephone.
    let mexican = digits.strip_prefix("521").filter(|rest| rest.len() == 10);
    let without_1 = mexican.map(|rest| format!("52{rest}"));
    let digits = without_1.as_deref().unwrap_or(digits);
    let parsed = PHONE_NUMBER_UTIL.parse(format!("+{digits}"), None);
    let number = parsed.map_err(|error| match error {
        ParseError::InvalidCountryCode => "it has no country code that exists",
        ParseError::TooShortAfterIdd | ParseError::TooShortNsn => "it is too short",
        ParseError::TooLongNsn => "it is too long",
        ParseError::NotANumber(_) => "it is not a telephone number",
    })?;
    possible(&number)?;
    let known = number.is_valid();
    if known_only && !known {
        return Err("no numbering plan knows it");
    }
    let code = number.country_code.to_string();
    let national = number.get_national_significant_number();
    if !same_digits(digits, &code, &national) {
        return Err(MANY_WAYS);
    }
    if code.len() + national.len() > E164_DIGITS_MAX {
        return Err("it has more than 15 digits");
    }
    if !known && national.starts_with('0') && !ZERO_STAYS.contains(&number.country_code) {
        // The library keeps the trunk prefix when too little would be left without it.
        return Err("it is too short for a number that begins with 0");
    }
    if !known && !is_settled(&number, &code, &national) {
        return Err(MANY_WAYS);
    }
    Ok(Parsed {
        e164: format!("+{code}{national}"),
        known,
    })
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
/// What to do about a cell with two readings.
const WHICH: &str = "write it with + and country code, or say how numbers are written with `numbers` in [recipients]";

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

/// Whether the number can be dialled at all: its length, in its region.
fn possible(number: &PhoneNumber) -> Result<(), &'static str> {
    match util().is_possible_number_with_reason(number) {
        Ok(NumberLengthType::IsPossible) => Ok(()),
        Ok(NumberLengthType::IsPossibleLocalOnly) => {
            Err("it is a local number: the area code is missing")
        }
        Err(ValidationError::TooShort) => Err("it is too short"),
        Err(ValidationError::TooLong) => Err("it is too long"),
        Err(ValidationError::InvalidCountryCode) => Err("it has no country code that exists"),
        Err(_) => Err("no number of its country has that many digits"),
    }
}

/// Whether digits are those of the number but for a trunk prefix behind the country code.
fn same_digits(digits: &str, code: &str, national: &str) -> bool {
    let prefix = digits.strip_suffix(national);
    let trunk = prefix.and_then(|prefix| prefix.strip_prefix(code));
    trunk.is_some_and(|trunk| trunk.is_empty() || is_trunk(code, trunk))
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

#[cfg(test)]
#[path = "phone_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "phone_strangers_tests.rs"]
mod strangers;
