//! Spellings that people use, and what must never be dialled.

use proptest::prelude::*;

use super::*;

fn read(region: &str, raw: &str) -> Result<String, String> {
    let region = (!region.is_empty()).then_some(region);
    let numbers = Numbers::new(region).unwrap();
    let parsed = numbers.normalise(raw);
    parsed.map(|parsed| parsed.e164).map_err(|why| why.0)
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
        ("0701740605 0701740606", "it is too long"),
        ("+99970174060", "it has no country code that exists"),
        ("*100#", "it has keys (* or #) that no number has"),
        (
            "=HYPERLINK(\"http://x\")",
            "there are words or signs where a number should be",
        ),
        ("07017406½5", "it has digits of another kind"),
        ("070174060\u{0}5", "it has signs that no number has"),
    ] {
        let got = read("SE", raw).unwrap_err();
        assert!(got.contains(why), "{raw:?}: {got}");
    }
    assert!(read("US", "555-0123").unwrap_err().contains("area code"));
    assert!(Numbers::new(Some("XX")).is_err());
}

#[test]
fn what_the_plan_does_not_know_is_dialled_and_counted() {
    let numbers = Numbers::new(None).unwrap();
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
        let Ok(numbers) = Numbers::new((!region.is_empty()).then_some(region)) else {
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
            let again = Numbers::new(None).unwrap().normalise(&parsed.e164);
            prop_assert_eq!(again, Ok(parsed));
        }
    }

    #[test]
    fn any_text_at_all_is_a_number_or_a_reason(raw in any::<String>()) {
        let numbers = Numbers::new(Some("SE")).unwrap();
        if let Err(why) = numbers.normalise(&raw) {
            prop_assert!(!why.0.is_empty());
        }
    }
}
