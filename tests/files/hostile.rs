//! Files that nobody means well with: figures out of every range, pipes, other programs' files, and bytes
//! at random. Each is refused or read; nothing panics, hangs or grows.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

use callout::campaign::Campaign;
use callout::domain::svaml::Event;
use callout::domain::{AnsweredBy, CalloutBody, Destination, Screen};
use callout::recipients::{CheckError, CheckedRow, RowVerdict, check_list};
use callout::sinch::svaml::svaml;
use proptest::prelude::*;
use tempfile::TempDir;

const WHOLE: &str = "name = \"t\"
[recipients]
file = \"l.csv\"
number = \"phone\"
region = \"SE\"
[callout.tts]
cli = \"+46100000000\"
text = \"Hej {{ name }}\"
[pacing]
calls_per_second = 10
concurrent_calls = 5
[window]
days = [\"mon\"]
from = \"09:00\"
until = \"20:00\"
time_zone = \"recipient\"
blackout = [\"2026-12-24\"]
[retry]
max_attempts = 3
busy = \"10m\"
no_answer = [\"1h\", \"4h\"]
jitter = 0.1
[spend]
cap = \"150.00 EUR\"
longest_call = \"3m\"
[schedule]
start = \"2026-12-01T09:00:00[Europe/Stockholm]\"
repeat = \"0 9 * * mon-fri\"
expires_after = \"6h\"
";

/// Tables of a call that asks, for the end of the above.
const ASKS: &str = "[menu.main]
say = \"Press 1, {{ name }}.\"
repeat = 2
timeout = \"5s\"
[menu.main.key.1]
response = \"confirmed\"
say = \"Thank you.\"
suppress = \"no\"
[menu.main.key.2]
menu = \"pin\"
[menu.main.key.\"#\"]
connect = \"+46812345678\"
longest = \"10m\"
[menu.main.otherwise]
menu = \"pin\"
[menu.pin]
say = \"Your digits.\"
digits = 4
[menu.pin.then]
conference = \"team\"
longest = \"1m\"
[machine]
do = \"leave\"
say = \"Call us.\"
not_sure = \"person\"
counts_as = \"unreached\"
[reached]
responses = [\"confirmed\"]
";

fn check(source: &str) -> Result<(), String> {
    let campaign = Campaign::parse(source, Path::new("c.toml")).map_err(|f| f.to_string())?;
    let header = ["phone", "name"].map(String::from);
    let bound = campaign.bind(&header, Path::new("l.csv"));
    let script = bound.map_err(|faults| faults.to_string())?;
    let to = Destination::number("+46701740605");
    let callout = script.callout(&to, &["+46701740605", "Bo"]);
    if let CalloutBody::Flow(asks) = &callout.map_err(|fault| fault.reason)?.body {
        let step = asks.flow.answered(AnsweredBy::Person);
        let document = svaml(&asks.flow, &step, &asks.cli);
        assert_eq!(document.check(Event::Ace), [], "{source}");
    }
    Ok(())
}

/// The whole campaign with another value in the place of one line's.
fn with(line: usize, value: &str) -> String {
    put(WHOLE, line, value)
}

/// A campaign with another value in the place of one line's.
fn put(source: &str, line: usize, value: &str) -> String {
    let lines = source
        .lines()
        .enumerate()
        .map(|(nth, text)| match text.split_once(" = ") {
            Some((key, _)) if nth == line => format!("{key} = {value}"),
            _ => text.to_owned(),
        });
    lines.collect::<Vec<_>>().join("\n")
}

const ODD: [&str; 44] = [
    "0",
    "-1",
    "1",
    "0.0",
    "-0.0",
    "1e-25",
    "1e300",
    "1e-300",
    "1e400",
    "nan",
    "inf",
    "-inf",
    "4294967296",
    "4294967295",
    "9223372036854775807",
    "-9223372036854775808",
    "99999999999999999999",
    "true",
    "[]",
    "{}",
    "\"\"",
    "\" \"",
    "\"0\"",
    "\"-1s\"",
    "\"0s\"",
    "\"99999999999999999999h\"",
    "\"18446744073709551615s\"",
    "\"1e9d\"",
    "\"9999-12-31T23:59:60[UTC]\"",
    "\"9999-12-31T23:59:59[Europe/Stockholm]\"",
    "\"-009999-01-01T00:00:00[UTC]\"",
    "\"2016-12-31T23:59:60[UTC]\"",
    "\"24:00\"",
    "\"25:61\"",
    "9999-12-31",
    "9999-12-31T23:59:60Z",
    "\"79228162514264337593543950335 EUR\"",
    "\"-0.00 EUR\"",
    "\"1e999 EUR\"",
    "[\"9999-12-31\", \"0000-01-01\"]",
    "\"* * * * * * *\"",
    "\"0 0 31 2 *\"",
    "\"\\u0000\"",
    "\"\u{61c}\u{202e}\"",
];

#[test]
fn no_figure_is_too_odd_to_be_refused() {
    check(WHOLE).unwrap();
    for line in 0..WHOLE.lines().count() {
        for value in ODD {
            drop(check(&with(line, value)));
        }
    }
    for rate in ["1e-25", "0", "nan", "inf", "-1", "1e300"] {
        let told = check(&with(9, rate)).unwrap_err();
        assert!(
            told.contains("c.toml:10:20: `calls_per_second` is out of range"),
            "{told}"
        );
    }
    check(&with(9, "0.00001")).unwrap();
}

#[test]
fn abbreviations_are_no_zones_and_are_not_offered() {
    for zone in ["EST", "MST", "PST", "BST", "IST", "JST", "est"] {
        let start = format!("\"2026-12-01T09:00:00[{zone}]\"");
        let line = WHOLE
            .lines()
            .position(|line| line.starts_with("start"))
            .unwrap();
        let told = check(&with(line, &start)).unwrap_err();
        assert!(told.contains("zone"), "{told}");
        assert!(!told.contains("did you mean"), "{told}");
    }
}

#[test]
fn of_too_many_faults_the_first_are_told_and_how_many_more() {
    let mut one_line = String::from("name = \"t\"\nx = { ");
    for nth in 0..50_000 {
        write!(one_line, "k{nth} = 1, ").unwrap();
    }
    one_line.push_str("k = 1 }\n");
    let mut keys = String::from(WHOLE);
    keys.push_str("[callout.custom]\n");
    let mut many = String::from("[recipients]\n");
    for nth in 0..50_000 {
        writeln!(many, "k{nth} = 1").unwrap();
    }
    let told = Campaign::parse(&many, Path::new("c.toml")).unwrap_err();
    assert!(told.len() <= 1_001, "{}", told.len());
    assert!(told.to_string().contains(" more faults"));
    let flat = many.replace('\n', " ");
    for source in [one_line, keys, flat] {
        let told = Campaign::parse(&source, Path::new("c.toml")).unwrap_err();
        assert!(
            told.to_string().len() < 2_000_000,
            "{}",
            told.to_string().len()
        );
    }
}

/// A campaign beside a list of these bytes, checked.
fn check_bytes(list: &[u8]) -> Result<Vec<CheckedRow>, String> {
    let desk = TempDir::new().unwrap();
    std::fs::write(desk.path().join("l.csv"), list).unwrap();
    check_in(desk.path(), WHOLE)
}

fn check_in(desk: &Path, source: &str) -> Result<Vec<CheckedRow>, String> {
    let file = desk.join("c.toml");
    std::fs::write(&file, source).unwrap();
    let campaign = Campaign::load(&file).map_err(|faults| faults.to_string())?;
    let mut rows = Vec::new();
    let mut sink = |chunk: Vec<CheckedRow>| -> Result<(), Infallible> {
        rows.extend(chunk);
        Ok(())
    };
    match check_list(&campaign, 1, Screen::none(), &mut sink) {
        Ok(_) => Ok(rows),
        Err(CheckError::Faults(faults)) => Err(faults.to_string()),
        Err(CheckError::Sink(never)) => match never {},
    }
}

fn pipe(path: &Path) {
    let made = std::process::Command::new("mkfifo")
        .arg(path)
        .status()
        .unwrap();
    assert!(made.success() && path.metadata().unwrap().file_type().is_fifo());
}

#[test]
fn pipes_devices_and_folders_are_no_files() {
    let desk = TempDir::new().unwrap();
    pipe(&desk.path().join("l.csv"));
    let told = check_in(desk.path(), WHOLE).unwrap_err();
    assert!(told.contains("this is not a regular file"), "{told}");
    pipe(&desk.path().join("dates"));
    for (file, why) in [
        ("dates", "not a regular file"),
        ("/dev/zero", "not a regular file"),
        (".", "not a regular file"),
    ] {
        let dates = WHOLE.replace("[window]", &format!("[window]\nblackout_file = \"{file}\""));
        let told = check_in(desk.path(), &dates).unwrap_err();
        assert!(told.contains(why), "{told}");
    }
    pipe(&desk.path().join("p.toml"));
    assert!(
        Campaign::load(&desk.path().join("p.toml"))
            .unwrap_err()
            .to_string()
            .contains("not a file")
    );
}

#[test]
fn a_file_that_holds_no_dates_is_not_shown() {
    let desk = TempDir::new().unwrap();
    std::fs::write(desk.path().join("l.csv"), "phone,name\n0701740605,A\n").unwrap();
    let secret = "root:$6$saltsaltsalt$hashhashhash:19000:0:99999:7:::\n".repeat(3_000);
    std::fs::write(desk.path().join("dates"), secret).unwrap();
    let dates = WHOLE.replace("[window]", "[window]\nblackout_file = \"dates\"");
    let told = check_in(desk.path(), &dates).unwrap_err();
    assert!(told.contains("is not a date of the calendar"), "{told}");
    assert!(!told.contains("hashhash") && told.len() < 10_000, "{told}");
}

#[test]
fn what_is_no_csv_is_called_what_it_is() {
    let told = check_bytes(b"PK\x03\x04\x14\0\x06\0\x08\0[Content_Types].xml").unwrap_err();
    assert!(told.contains("this is a spreadsheet, not CSV"), "{told}");
    let wide = vec![b','; 20_000];
    let told = check_bytes(&wide).unwrap_err();
    assert!(told.contains("20001 columns"), "{told}");
}

#[test]
fn a_cell_is_no_longer_than_a_spreadsheets() {
    let digits = "7".repeat(100_000);
    let words = "å".repeat(100_000);
    let list = format!("phone,name\n{digits},A\n0701740605,{words}\n0701740606,B\n");
    let rows = check_bytes(list.as_bytes()).unwrap();
    let reasons: Vec<String> = rows
        .into_iter()
        .map(|row| match row.verdict {
            RowVerdict::Valid { .. } => "valid".to_owned(),
            RowVerdict::Reject { reason, .. } => reason,
        })
        .collect();
    assert!(reasons[0].contains("long"), "{reasons:?}");
    assert_eq!(reasons[1], "cell 2 has more than 131072 bytes");
    assert_eq!(reasons[2], "valid");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_mutation_of_a_campaign_fells_us(
        line in 0_usize..30,
        value in prop_oneof![
            prop::sample::select(&ODD[..]).prop_map(str::to_owned),
            any::<i64>().prop_map(|n| n.to_string()),
            any::<f64>().prop_map(|n| format!("{n:e}")),
            "\"[0-9]{0,22}[a-z]{0,4}\"",
            "\"[0-9TZ:+.-]{0,30}\\[[A-Za-z/_+0-9-]{0,20}\\]\"",
            "\"[0-9*,/LW# -]{0,30}\"",
            "[a-z0-9\\[\\]{}\"=,. ]{0,20}",
        ],
    ) {
        drop(check(&with(line, &value)));
    }

    #[test]
    fn no_mutation_of_a_call_that_asks_fells_us(
        line in 0_usize..27,
        value in prop_oneof![
            prop::sample::select(&ODD[..]).prop_map(str::to_owned),
            any::<i64>().prop_map(|n| n.to_string()),
            "\"[a-z0-9 #\\[\\];>{}+-]{0,20}\"",
            "[a-z0-9\\[\\]{}\"=,.# ]{0,20}",
            prop::sample::select(&["\"main\"", "\"pin\"", "\"confirmed\"", "\"1\"", "\"erased\""][..])
                .prop_map(str::to_owned),
        ],
        without in 0_usize..27,
    ) {
        prop_assert_eq!(check(&format!("{WHOLE}{ASKS}")), Ok(()));
        let lines = ASKS.lines().enumerate().filter(|(nth, _)| *nth != without);
        let fewer: Vec<&str> = lines.map(|(_, line)| line).collect();
        let fewer = fewer.join("\n");
        for asks in [ASKS, &fewer] {
            drop(check(&format!("{WHOLE}{}", put(asks, line, &value))));
        }
    }

    #[test]
    fn no_bytes_of_a_list_fell_us(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..300),
            prop::collection::vec(prop::sample::select(&b"phone,name\n\r\";\t|+0123456789\0\xff\xfeA"[..]), 0..300),
        ],
        headed in any::<bool>(),
    ) {
        let mut list = if headed { b"phone,name\n".to_vec() } else { Vec::new() };
        list.extend(bytes);
        drop(check_bytes(&list));
    }
}
