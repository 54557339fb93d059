//! Spellings that people use, and what must never be dialled.

use proptest::prelude::*;

use super::*;

fn read(region: &str, raw: &str) -> Result<String, String> {
    let region = (!region.is_empty()).then_some(region);
    let numbers = Numbers::new(region, NumberForm::Any).unwrap();
    let parsed = numbers.normalise(raw);
    parsed
        .map(|parsed| parsed.e164)
        .map_err(|why| why.to_string())
}

#[test]
fn one_number_is_the_same_in_every_spelling() {
    for raw in [
        "070-174 06 05",
        "0701740605",
        "+46 (0)70-1740605",
        "(+46) 70 174 06 05",
        "0046 70 1740605",
        "46701740605",
        " 070.174.06.05\u{a0}",
        "'0701740605",
        "\u{202a}+46701740605\u{202c}",
        "０７０１７４０６０５",
        "٠٧٠١٧٤٠٦٠٥",
        "070–174 06 05",
        "070/1740605",
    ] {
        assert_eq!(read("SE", raw).as_deref(), Ok("+46701740605"), "{raw}");
    }
    assert_eq!(
        read("US", "1 (202) 555-0101").as_deref(),
        Ok("+12025550101")
    );
    assert_eq!(read("RU", "8 800 555 35 35").as_deref(), Ok("+78005553535"));
    assert_eq!(read("IT", "06 1234 5678").as_deref(), Ok("+390612345678"));
    assert_eq!(read("SE", "+1 202 555 0101").as_deref(), Ok("+12025550101"));
}

#[test]
fn without_a_region_nothing_is_guessed() {
    assert_eq!(
        read("", "+46 (70) 174-06-05").as_deref(),
        Ok("+46701740605")
    );
    assert!(
        read("", "0046701740605")
            .unwrap_err()
            .contains("begins with 00")
    );
    assert!(
        read("", "46701740605")
            .unwrap_err()
            .contains("no country code")
    );
    assert!(
        read("", "0701740605")
            .unwrap_err()
            .contains("no country code")
    );
}

#[test]
fn what_is_no_number_is_refused_in_words_a_person_understands() {
    for (raw, why) in [
        ("", "there is no number"),
        (" \u{200b} ", "there is no number"),
        (
            "ring mig",
            "there are words or signs where a number should be",
        ),
        ("070174O605", "it has letters"),
        ("0800 FLOWERS", "it has letters"),
        (
            "0701740605 / 0701740606",
            "there are two numbers in one cell",
        ),
        (
            "0701740605, 0701740606",
            "there are two numbers in one cell",
        ),
        (
            "0701740605:::0701740606",
            "there are two numbers in one cell",
        ),
        ("0701740605;6", "it has a sign that no number has (`;`)"),
        ("0701740605\n6", "it has a line break"),
        (
            "+46701740605+46701740606",
            "there are two numbers in one cell",
        ),
        (
            "0701740605\n0701740606",
            "there are two numbers in one cell",
        ),
        (
            "0701740605 eller 0701740606",
            "there are two numbers in one cell",
        ),
        (
            "08-123 456 78 x 12",
            "it has an extension, which cannot be dialled",
        ),
        (
            "0701740605#12",
            "it has an extension, which cannot be dialled",
        ),
        (
            "4,67017E+10",
            "a spreadsheet has rounded the number: its last digits are lost",
        ),
        (
            "4.67e10",
            "a spreadsheet has rounded the number: its last digits are lost",
        ),
        ("0701", "it is too short"),
        ("070174", "it is too short"),
        ("07017406051234", "it is too long"),
        ("0701740605 0701740606", "there are two numbers in one cell"),
        ("+99970174060", "it has no country code that exists"),
        ("*100#", "it has keys (* or #) that no number has"),
        (
            "=HYPERLINK(\"http://x\")",
            "there are words or signs where a number should be",
        ),
        ("07017406½5", "it has digits of another kind"),
        (
            "070174060\u{0}5",
            "it has a sign that no number has (U+0000)",
        ),
    ] {
        let got = read("SE", raw).unwrap_err();
        assert!(got.contains(why), "{raw:?}: {got}");
    }
    assert!(read("US", "555-0123").unwrap_err().contains("area code"));
    let endless = "1 ".repeat(100_000);
    assert_eq!(read("SE", &endless).unwrap_err(), "it is too long");
    assert!(Numbers::new(Some("XX"), NumberForm::Any).is_err());
}

fn read_as(region: &str, form: NumberForm, raw: &str) -> Result<String, String> {
    let region = (!region.is_empty()).then_some(region);
    let read = Numbers::new(region, form).unwrap().normalise(raw);
    read.map(|read| read.e164).map_err(|why| why.to_string())
}

#[test]
fn digits_that_are_two_numbers_are_refused_with_both_unless_somebody_says_which() {
    for (region, raw, national, international) in [
        ("DE", "4915112345678", "+494915112345678", "+4915112345678"),
        ("DE", "436641234567", "+49436641234567", "+436641234567"),
        ("DE", "46701740605.0", "+4946701740605", "+46701740605"),
        ("US", "2399812345", "+12399812345", "+2399812345"),
        ("RU", "84951234567", "+74951234567", "+84951234567"),
    ] {
        let both = read(region, raw).unwrap_err();
        for reading in [national, international] {
            assert!(both.contains(&mask(reading)), "{region} {raw}: {both}");
            assert!(!both.contains(reading), "{both}");
        }
        let said = |form| read_as(region, form, raw);
        assert_eq!(said(NumberForm::National).as_deref(), Ok(national));
        assert_eq!(
            said(NumberForm::International).as_deref(),
            Ok(international)
        );
    }
    // What one of them alone can be is that one.
    for (region, raw, number) in [
        ("SE", "436641234567", "+436641234567"),
        ("AT", "436641234567", "+436641234567"),
        ("IT", "393331234567", "+393331234567"),
        ("FI", "358401234567", "+358401234567"),
        ("ZA", "27821234567", "+27821234567"),
        ("US", "2025550101", "+12025550101"),
        ("US", "0046701740605", "+46701740605"),
        ("SE", "701740605", "+46701740605"),
        ("RU", "8 (495) 123-45-67", "+74951234567"),
        ("RU", "8~10 46 70 174 06 05", "+46701740605"),
    ] {
        assert_eq!(read(region, raw).as_deref(), Ok(number), "{region} {raw}");
    }
}

#[test]
fn where_somebody_says_how_numbers_are_written_they_are_read_so_and_not_otherwise() {
    let abroad = |raw| read_as("SE", NumberForm::International, raw);
    assert_eq!(abroad("46701740605").as_deref(), Ok("+46701740605"));
    assert_eq!(abroad("0046701740605").as_deref(), Ok("+46701740605"));
    assert!(abroad("0701740605").unwrap_err().contains("begins with 0"));
    let nowhere = |raw| read_as("", NumberForm::International, raw);
    assert_eq!(nowhere("46 70 174 06 05").as_deref(), Ok("+46701740605"));
    assert!(
        nowhere("99970174060")
            .unwrap_err()
            .contains("no country code")
    );
    let at_home = |raw| read_as("SE", NumberForm::National, raw);
    assert_eq!(at_home("0701740605").as_deref(), Ok("+46701740605"));
    assert_eq!(at_home("+436641234567").as_deref(), Ok("+436641234567"));
    assert!(at_home("43664123456789").is_err());
}

#[test]
fn a_bracketed_0_says_where_the_country_code_ends() {
    for raw in [
        "49(0)30113722",
        "+49 (0)30 113722",
        "0049 (0) 30-113722".replace(" (0) ", "(0)").as_str(),
    ] {
        for region in ["DE", "SE", "US"] {
            assert_eq!(read(region, raw).as_deref(), Ok("+4930113722"), "{raw}");
        }
    }
    // In Italy it may be one of the digits or none.
    let both = read("IT", "+39 (0)331 234567").unwrap_err();
    assert!(both.contains("two") || both.contains("as +39"), "{both}");
}

#[test]
fn what_a_spreadsheet_adds_to_a_number_is_dropped_and_what_it_took_is_told() {
    for raw in [
        "46701740605.0",
        "+46701740605.00",
        "46701740605,00",
        "46 701 740 605,00",
        "46.701.740.605,00",
        "46,701,740,605.00",
        "=\"0701740605\"",
        "＝＂０７０ー１７４０６０５＂",
    ] {
        assert_eq!(read("SE", raw).as_deref(), Ok("+46701740605"), "{raw}");
    }
    assert_eq!(read("SE", "070.174.06.00").as_deref(), Ok("+46701740600"));
    assert_eq!(read("SE", "070.1740605").as_deref(), Ok("+46701740605"));
    for raw in ["46701740605.5", "46701740605,25", "+46701740605.1"] {
        let why = read("SE", raw).unwrap_err();
        assert!(why.contains("decimals"), "{raw}: {why}");
    }
}

#[test]
fn a_digit_behind_a_whole_number_is_not_dialled_with_it() {
    for raw in [
        "0701740605-6",
        "0701740605/06",
        "+46701740605-6",
        "070-1740605-6",
    ] {
        let why = read("SE", raw).unwrap_err();
        assert!(why.contains("behind it"), "{raw}: {why}");
    }
    // Whole numbers that are written so.
    assert_eq!(read("DE", "030 123456-0").as_deref(), Ok("+49301234560"));
    assert_eq!(read("SE", "070-174-06-05").as_deref(), Ok("+46701740605"));
    assert_eq!(read("AT", "0664-123-45-67").as_deref(), Ok("+436641234567"));
}

#[test]
fn a_mexican_mobile_is_one_number_with_and_without_its_old_1() {
    for raw in ["+52 1 55 1234 5678", "+525512345678"] {
        assert_eq!(read("", raw).as_deref(), Ok("+525512345678"));
    }
}

#[test]
fn what_the_plan_does_not_know_is_dialled_and_counted() {
    let numbers = Numbers::new(None, NumberForm::Any).unwrap();
    let stale = numbers.normalise("+447700900123").unwrap();
    assert_eq!((stale.e164.as_str(), stale.known), ("+447700900123", false));
    assert!(numbers.normalise("+46701740605").unwrap().known);
}

#[test]
fn nothing_is_dialled_that_was_not_written() {
    // The library turns an Argentine mobile number into one with other digits.
    let read = read("AR", "011 15 1234-5678");
    assert!(read.is_err(), "{read:?}");
}

proptest! {
    #[test]
    fn the_digits_dialled_end_as_the_digits_typed_and_nothing_panics(
        raw in "[+(]{0,2}[0-9]{0,3}[ ()./-]{0,2}[0-9]{1,14}[ ex#;,*]{0,1}[0-9]{0,7}",
        region in prop::sample::select(vec![
            "SE", "US", "GB", "IT", "RU", "HU", "AR", "BR", "MX", "DE", "CN", "SM", "AQ", "", "TA",
        ]),
    ) {
        let Ok(numbers) = Numbers::new((!region.is_empty()).then_some(region), NumberForm::Any) else {
            return Ok(());
        };
        if let Ok(parsed) = numbers.normalise(&raw) {
            let digits = parsed.e164.strip_prefix('+').unwrap();
            prop_assert!(digits.len() <= 15 && digits.bytes().all(|b| b.is_ascii_digit()));
            let typed: String = raw.chars().filter(char::is_ascii_digit).collect();
            // All that was typed is there, but for a prefix of at most IDD, code and trunk.
            let shared = typed.bytes().rev().zip(digits.bytes().rev());
            let shared = shared.take_while(|(a, b)| a == b).count();
            prop_assert!(typed.len() - shared <= 4 + 3 + 2, "{} {}", raw, parsed.e164);
            prop_assert!(shared >= digits.len() - 3, "{} {}", raw, parsed.e164);
            // Reading the result again changes nothing.
            let again = Numbers::new(None, NumberForm::Any).unwrap().normalise(&parsed.e164);
            prop_assert_eq!(again, Ok(parsed));
        }
    }

    #[test]
    fn any_text_at_all_is_a_number_or_a_reason(raw in any::<String>()) {
        let numbers = Numbers::new(Some("SE"), NumberForm::Any).unwrap();
        if let Err(why) = numbers.normalise(&raw) {
            prop_assert!(!why.to_string().is_empty());
        }
    }
}
