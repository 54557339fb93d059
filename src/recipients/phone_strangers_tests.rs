//! Numbers of every region, in every spelling that people and spreadsheets use: read as meant, or
//! refused, and never as somebody else's.

use std::collections::BTreeMap;

use rlibphonenumber::PhoneNumberFormat;

use super::*;

/// Numbers drawn for each region and kind.
const DRAWS: usize = 3;
/// Of a hundred spellings that have one meaning for a person, so many may be refused at most.
const REFUSED_PERCENT_MAX: usize = 5;

/// A stream of numbers that is the same each time (xorshift).
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(end).unwrap()).unwrap()
    }
}

/// Somebody's number.
struct Meant {
    code: String,
    national: String,
    /// As the library writes it within the country.
    formatted: String,
}

impl Meant {
    fn e164(&self) -> String {
        format!("+{}{}", self.code, self.national)
    }

    /// The trunk prefix in the national format, where that is a 0.
    fn has_trunk_0(&self) -> bool {
        let digits = digits(&self.formatted);
        digits.strip_prefix('0') == Some(&self.national)
    }
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// A number like an example of the library, that the plan knows.
fn variation(example: &PhoneNumber, draw: &mut Draw) -> Option<Meant> {
    let national = example.get_national_significant_number();
    for _ in 0..40 {
        let from = draw.below(national.len());
        let drawn: String = national
            .char_indices()
            .map(|(i, c)| match draw.below(10) {
                digit if i >= from => char::from_digit(u32::try_from(digit).unwrap(), 10).unwrap(),
                _ => c,
            })
            .collect();
        let e164 = format!("+{}{drawn}", example.country_code);
        let Ok(number) = PHONE_NUMBER_UTIL.parse(&e164, None) else {
            continue;
        };
        if number.is_valid()
            && number.get_national_significant_number() == drawn
            && number.get_type() == example.get_type()
        {
            return Some(Meant {
                code: number.country_code.to_string(),
                formatted: number.format_as(PhoneNumberFormat::National).into_owned(),
                national: drawn,
            });
        }
    }
    None
}

fn full_width(text: &str) -> String {
    let wide = |c: char| match c {
        '!'..='~' => char::from_u32(u32::from(c) + 0xfee0).unwrap(),
        c => c,
    };
    text.chars().map(wide).collect()
}

/// Groups of three with a sign between.
fn grouped(digits: &str, sign: char) -> String {
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && i % 3 == 0 {
            text.push(sign);
        }
        text.push(digit);
    }
    text
}

/// How the number is written where its country code is part of it, whatever the region of the list.
fn with_code(meant: &Meant, home: Home) -> Vec<(&'static str, String)> {
    let Meant { code, national, .. } = meant;
    let bare = format!("{code}{national}");
    let mut all = vec![
        ("no plus", bare.clone()),
        (
            "no plus, blanks",
            format!("{code} {}", grouped(national, '\u{a0}')),
        ),
        (
            "no plus, hyphens",
            format!("{code}-{}", grouped(national, '-')),
        ),
        ("no plus .0", format!("{bare}.0")),
        ("no plus .00", format!("{bare}.00")),
        ("no plus ,00", format!("{bare},00")),
        ("plus", format!("+{bare}")),
        (
            "plus, full-width",
            full_width(&format!("+{code}-{}", grouped(national, '-'))),
        ),
        ("plus .0", format!("+{bare}.0")),
        ("00", format!("00{bare}")),
        (
            "00, blanks",
            format!("00 {code} {}", grouped(national, ' ')),
        ),
    ];
    for (i, prefix) in INTERNATIONAL_PREFIXES.into_iter().enumerate() {
        if home.prefixes & 1 << i != 0 {
            all.push(("own prefix", format!("{prefix}{bare}")));
            all.push(("own prefix, hyphens", format!("{prefix}-{code}-{national}")));
        }
    }
    if home.trunk_is_8 {
        all.push(("own prefix, hyphens", format!("8~10 {code} {national}")));
    }
    if meant.has_trunk_0() {
        all.push(("plus (0)", format!("+{code} (0){}", grouped(national, ' '))));
        all.push(("plus (0)", format!("+{code}(0){national}")));
        all.push(("no plus (0)", format!("{code}(0){national}")));
        all.push(("no plus (0)", format!("00{code}(0){national}")));
    }
    all
}

/// How it is written within its country.
fn within(meant: &Meant) -> Vec<(&'static str, String)> {
    let formatted = meant.formatted.as_str();
    let signs = |sign: &str| formatted.replace([' ', '-', '/'], sign);
    vec![
        ("national", formatted.to_owned()),
        ("national, digits", digits(formatted)),
        ("national, hyphens", signs("-")),
        ("national, dots", signs(".")),
        ("national, slashes", formatted.replacen([' ', '-'], "/", 1)),
        ("national, NBSP", signs("\u{a0}")),
        ("national, full-width", full_width(&signs("ー"))),
        ("trunk lost", meant.national.clone()),
        ("trunk lost .0", format!("{}.0", meant.national)),
    ]
}

/// How often each spelling was read right and refused, and what was read as somebody else's.
#[derive(Default)]
struct Counts {
    of: BTreeMap<&'static str, [usize; 2]>,
    strangers: Vec<String>,
}

impl Counts {
    fn take(
        &mut self,
        region: Region,
        numbers: Numbers,
        meant: &Meant,
        written: Vec<(&'static str, String)>,
    ) {
        for (kind, text) in written {
            let read = numbers.normalise(&text);
            let counts = self.of.entry(kind).or_default();
            match read {
                Ok(read) if read.e164 == meant.e164() => counts[0] += 1,
                Ok(read) => {
                    let meant = meant.e164();
                    let stranger =
                        format!("{kind} in {region}: {text} is {meant}, not {}", read.e164);
                    self.strangers.push(stranger);
                }
                Err(_) => counts[1] += 1,
            }
        }
    }

    /// Of the spellings whose names begin so: refused and all.
    fn of(&self, name: &str) -> (usize, usize) {
        let these = self.of.iter().filter(|(kind, _)| kind.starts_with(name));
        these.fold((0, 0), |sum, (_, c)| (sum.0 + c[1], sum.1 + c[0] + c[1]))
    }
}

#[test]
fn no_spelling_of_a_number_is_read_as_a_strangers() {
    let mut draw = Draw(0x9e37_79b9_7f4a_7c15);
    let mut regions: Vec<Region> = util().get_supported_regions().collect();
    regions.sort_unstable_by_key(ToString::to_string);
    let reader = |region: Region| Numbers::new(Some(&region.to_string()), NumberForm::Any).unwrap();
    let readers: Vec<Numbers> = regions.iter().map(|region| reader(*region)).collect();
    let mut counts = Counts::default();
    for (i, region) in regions.iter().enumerate() {
        for kind in [PhoneNumberType::Mobile, PhoneNumberType::FixedLine] {
            let example = util().get_example_number_for_type_and_region(*region, kind);
            let Ok(example) = example else { continue };
            for _ in 0..DRAWS {
                let Some(meant) = variation(&example, &mut draw) else {
                    continue;
                };
                let home = readers[i].home.unwrap();
                counts.take(*region, readers[i], &meant, with_code(&meant, home));
                counts.take(*region, readers[i], &meant, within(&meant));
                // A list has numbers of other countries as well.
                let elsewhere = draw.below(regions.len());
                let home = readers[elsewhere].home.unwrap();
                let written = with_code(&meant, home);
                counts.take(regions[elsewhere], readers[elsewhere], &meant, written);
            }
        }
    }
    println!("{:#?}", counts.of);
    assert!(
        counts.strangers.is_empty(),
        "{}",
        counts.strangers.join("\n")
    );
    for name in ["national", "plus", "00"] {
        let (refused, all) = counts.of(name);
        assert!(
            refused * 100 <= all * REFUSED_PERCENT_MAX,
            "{name}: {refused} of {all} refused"
        );
    }
}
