//! Who must not be called is not: at import, between import and dial, on a list of millions or by a
//! hash alone. And who is forgotten is gone from every byte. From outside: the binary, a database
//! file, the simulator's ledger.

use std::time::Duration;

use crate::support::{Desk, Platform, WriteLock, execute, number, people, wait_for};
use rustix::process::Signal;
use serde_json::{Value, json};

/// A day that is far away.
const LATER: &str = "2999-12-31";

fn quick() -> Platform {
    Platform::start(&["--time-scale", "0"])
}

fn calls_to(platform: &Platform, number: &str) -> usize {
    let posts = platform.ledger();
    posts
        .column("destination")
        .iter()
        .filter(|to| **to == number)
        .count()
}

/// The dispositions of the latest run, in the list's order.
fn ends(desk: &Desk) -> Vec<String> {
    let results = desk.export("results");
    let ends = results.column("call_disposition").into_iter();
    ends.map(str::to_owned).collect()
}

fn check(desk: &Desk, number: &str) -> Value {
    desk.run(&["suppress", "check", number, "--json"])
        .ends(0)
        .json()
}

/// Whether any file of the desk's databases has these bytes.
fn anywhere(desk: &Desk, bytes: &[u8]) -> Option<String> {
    let files = std::fs::read_dir(desk.path(".")).unwrap();
    let names = files.map(|f| f.unwrap().file_name().into_string().unwrap());
    names
        .filter(|name| name.contains(".db"))
        .find(|name| desk.read(name).windows(bytes.len()).any(|w| w == bytes))
}

/// Every form in which a Swedish number could stand in a file.
fn forms(e164: &str) -> Vec<Vec<u8>> {
    let digits = &e164[1..];
    let national = &digits[2..];
    let (a, b) = national.split_at(2);
    let value: u64 = digits.parse().unwrap();
    vec![
        digits.into(),
        national.into(),
        format!("0{a}-{b}").into_bytes(),
        value.to_be_bytes()[2..].to_vec(),
        value.to_le_bytes()[..6].to_vec(),
    ]
}

#[track_caller]
fn assert_gone(desk: &Desk, e164: &str) {
    for form in forms(e164) {
        let shown = String::from_utf8_lossy(&form).into_owned();
        assert_eq!(anywhere(desk, &form), None, "{shown}");
    }
}

/// A campaign of seven rows, two of which are suppressed, one by each of two lists.
fn screened(platform: &Platform) -> Desk {
    let mut desk = Desk::at(platform);
    desk.set("USER", "ada");
    // A repeat of a suppressed number is a duplicate, as the repeat of any other.
    let list = people(5) + &format!("Again,{}\nNobody,12\n", number(2));
    desk.tts(&list, "calls_per_second = 100");
    let without = desk.run(&["plan", "c.toml", "--json"]).ends(0).json();
    assert_eq!(
        (&without["eligible"], &without["suppressed"]),
        (&json!(5), &json!(0))
    );
    assert!(!desk.path("callout.db").exists(), "plan made a database");
    let add = [
        "suppress",
        "add",
        &number(2),
        "--reason",
        "said so on the phone",
    ];
    desk.run(&add).ends(0);
    desk.run(&[
        "suppress",
        "add",
        "070-100 00 04",
        "--country",
        "se",
        "--list",
        "board",
    ])
    .ends(0);
    desk
}

#[test]
fn plan_and_check_count_suppressed_rows_and_fault_nobody_for_them() {
    let platform = quick();
    let desk = screened(&platform);
    let plan = desk.run(&["plan", "c.toml", "--json"]).ends(0).json();
    for (key, count) in [
        ("rows", 7),
        ("valid", 6),
        ("unique", 5),
        ("not_suppressed", 3),
        ("eligible", 3),
        ("invalid", 1),
        ("duplicates", 1),
        ("suppressed", 2),
    ] {
        assert_eq!(plan[key], count, "{key}");
    }
    let said = desk.run(&["plan", "c.toml"]).ends(0).stdout;
    let funnel = "rows 7 -> valid 6 -> unique 5 -> not suppressed 3 -> eligible 3";
    assert!(said.contains(funnel), "{said}");
    let checked = desk.run(&["check", "c.toml", "--json"]).ends(2).json();
    assert_eq!(checked["list"]["suppressed"], 2);
    assert_eq!(
        checked["row_faults"].as_array().unwrap().len(),
        2,
        "no fault of the list"
    );
    let said = desk.run(&["check", "c.toml"]).ends(2).stdout;
    assert!(
        said.contains("3 valid + 1 invalid + 1 duplicate + 2 suppressed"),
        "{said}"
    );
}

#[test]
fn a_suppressed_number_is_a_reject_counted_everywhere_and_never_called() {
    let platform = quick();
    let desk = screened(&platform);
    let out = desk.run(&["run", "c.toml", "--yes"]).ends(0);
    assert!(
        out.stderr
            .contains("3 to call, 1 invalid, 1 duplicate, 2 suppressed"),
        "{}",
        out.stderr
    );
    assert!(out.stdout.contains("2 suppressed") && out.stdout.contains("(it adds up)"));
    let report = desk.run(&["report", "--json"]).ends(0).json();
    assert_eq!(report["dispositions"]["suppressed"], 2);
    assert_eq!(report["adds_up"], true);
    let found = ends(&desk);
    assert_eq!((&*found[2], &*found[4]), ("suppressed", "suppressed"));
    let rejects = desk.export("rejects");
    assert_eq!(rejects.column("line"), ["4", "6", "7", "8"]);
    assert_eq!(
        rejects.column("kind"),
        ["suppressed", "suppressed", "duplicate", "invalid"]
    );
    let why = rejects.column("reason")[0];
    assert!(
        why.starts_with("on list dnc since ") && why.ends_with(": said so on the phone"),
        "{why}"
    );
    assert_eq!(rejects.column("reason")[2], "the same number as line 4");
    assert_eq!(platform.ledger().rows.len(), 3);
    assert_eq!(
        calls_to(&platform, &number(2)) + calls_to(&platform, &number(4)),
        0
    );
}

#[test]
fn a_callout_by_hand_to_a_suppressed_number_is_refused_and_a_rehearsal_shows_it() {
    let platform = quick();
    let desk = screened(&platform);
    // By hand it is refused before anything is written, and a rehearsal shows it.
    let place = [
        "call",
        "place",
        &number(2),
        "--cli",
        "+46100000000",
        "--text",
        "Hi",
        "--yes",
    ];
    let said = desk.run(&place[..7]).ends(2).stderr;
    assert!(said.contains("is not called: on list dnc"), "{said}");
    let told = desk
        .run(&["rehearse", "c.toml", "--time-scale", "0", "--json"])
        .ends(0)
        .json();
    assert_eq!(told["dispositions"]["suppressed"], 2);
    assert_eq!(platform.posted(), 0);
}

#[test]
fn a_run_of_which_all_are_suppressed_calls_nobody_and_adds_up() {
    let platform = quick();
    let desk = Desk::at(&platform);
    desk.tts(&people(2), "calls_per_second = 100");
    desk.run(&["suppress", "add", &number(0), &number(1)])
        .ends(0);
    let told = desk
        .run(&["run", "c.toml", "--yes", "--json"])
        .ends(0)
        .json();
    assert_eq!(
        (&told["adds_up"], &told["dispositions"]["suppressed"]),
        (&json!(true), &json!(2))
    );
    assert_eq!(platform.posted(), 0);
}

#[test]
fn a_number_added_while_a_run_goes_on_is_never_called() {
    let platform = quick();
    let desk = Desk::at(&platform);
    desk.tts(&people(80), "calls_per_second = 20");
    let engine = desk.start(&["run", "c.toml", "--yes"]);
    wait_for("calls", || (platform.posted() > 3).then_some(()));
    // One that is due in two seconds, and a whole file behind it.
    let soon = platform.posted() + 40;
    desk.run(&["suppress", "add", &number(soon), "--reason", "now"])
        .ends(0);
    let rest: String = (70..80).map(|nth| number(nth) + "\n").collect();
    desk.write("rest.txt", &rest);
    desk.run(&["suppress", "import", "rest.txt", "--list", "late"])
        .ends(0);
    let said = engine.wait().ends(0).stdout;
    assert!(
        said.contains("11 suppressed") && said.contains("(it adds up)"),
        "{said}"
    );
    assert_eq!(platform.ledger().rows.len(), 69);
    let found = ends(&desk);
    for nth in (70..80).chain([soon]) {
        assert_eq!(calls_to(&platform, &number(nth)), 0);
        assert_eq!(found[nth], "suppressed");
    }
    // The attempt says what happened, and counts for nothing.
    let attempts = desk.export("attempts");
    let states = attempts.counts("state");
    assert_eq!((states["not sent"], states["final"]), (11, 69));
    assert_eq!(desk.export("results").column("call_attempts")[soon], "0");
    let rejects = desk.export("rejects");
    assert_eq!(rejects.rows.len(), 11);
    assert!(
        rejects
            .column("reason")
            .iter()
            .any(|why| why.ends_with(": now"))
    );
}

#[test]
fn what_was_suppressed_while_nobody_worked_holds_at_the_resume() {
    let platform = quick();
    let desk = Desk::at(&platform);
    desk.tts(&people(60), "calls_per_second = 20");
    let engine = desk.start(&["run", "c.toml", "--yes"]);
    wait_for("calls", || (platform.posted() > 3).then_some(()));
    engine.signal(Signal::INT);
    engine.wait().ends(3);
    desk.run(&["suppress", "add", &number(50), &number(59)])
        .ends(0);
    desk.run(&["resume"]).ends(0);
    assert_eq!(platform.ledger().rows.len(), 58);
    assert_eq!(
        calls_to(&platform, &number(50)) + calls_to(&platform, &number(59)),
        0
    );
}

#[test]
fn an_entry_holds_until_its_last_day_is_over_and_then_no_more() {
    let platform = quick();
    let desk = Desk::at(&platform);
    desk.tts(&people(3), "calls_per_second = 100");
    desk.run(&["suppress", "add", &number(0), &number(1), "--until", LATER])
        .ends(0);
    let told = check(&desk, &number(0));
    assert_eq!(told["suppressed"], true);
    assert_eq!(told["lists"][0]["until"], "3000-01-01T00:00:00Z");
    let said = desk
        .run(&["suppress", "add", &number(2), "--until", "2001-01-01"])
        .ends(2);
    assert!(said.stderr.contains("that day is over"), "{}", said.stderr);
    // The day comes.
    execute(
        &desk.path("callout.db"),
        "update suppression_acts set until = 1000",
    );
    let told = check(&desk, &number(0));
    assert_eq!(
        (&told["suppressed"], &told["lists"][0]["expired"]),
        (&json!(false), &json!(true))
    );
    let lists = desk.run(&["suppress", "list", "--json"]).ends(0).json();
    assert_eq!(
        (&lists["lists"][0]["numbers"], &lists["lists"][0]["expired"]),
        (&json!(2), &json!(2))
    );
    // For good on another list: that one holds.
    desk.run(&["suppress", "add", &number(1), "--list", "other"])
        .ends(0);
    desk.run(&["run", "c.toml", "--yes"]).ends(0);
    assert_eq!(platform.ledger().rows.len(), 2);
    assert_eq!(calls_to(&platform, &number(1)), 0);
}

#[test]
fn a_number_that_is_removed_is_called_unless_another_list_has_it() {
    let platform = quick();
    let desk = Desk::at(&platform);
    desk.tts(&people(3), "calls_per_second = 100");
    let (a, b) = (number(0), number(1));
    desk.run(&["suppress", "add", &a, &b]).ends(0);
    desk.run(&["suppress", "add", &a, &b, "--list", "board"])
        .ends(0);
    let one = ["suppress", "remove", &a, "--list", "dnc", "--json", "--yes"];
    let told = desk.run(&one).ends(0).json();
    assert_eq!(told, json!({ "removed": 1, "still_suppressed": 1 }));
    let told = desk
        .run(&["suppress", "remove", &b, "--json", "--yes"])
        .ends(0)
        .json();
    assert_eq!(told, json!({ "removed": 2, "still_suppressed": 0 }));
    desk.run(&["run", "c.toml", "--yes"]).ends(0);
    assert_eq!(platform.ledger().rows.len(), 2);
    assert_eq!(calls_to(&platform, &a), 0);
    let told = desk
        .run(&["suppress", "remove", &b, "--json", "--yes"])
        .ends(0)
        .json();
    assert_eq!(told["removed"], 0);
}

#[test]
fn a_messy_file_is_imported_but_for_the_lines_that_it_names() {
    let mut desk = Desk::empty();
    desk.set("USER", "ada");
    let messy = "name;Telefon;\nAnna;070-100 00 05;x\nBo;;\nCy;+46 70 100 00 06;\nAnna;0701000005;\n\
                 D;+12025550100;\n\nE;abc;\nF;12;\nG\n";
    desk.write("messy.csv", messy);
    let import = |more: &[&str]| {
        let first = [
            "suppress",
            "import",
            "messy.csv",
            "--number",
            "Telefon",
            "--country",
            "SE",
        ];
        desk.run(&[&first, more].concat())
    };
    let said = import(&["--reason", "the authority's list"]).ends(2).stdout;
    assert!(
        said.contains("8 rows = 3 numbers + 1 repeated + 4 that are no numbers"),
        "{said}"
    );
    assert!(said.contains("3 numbers put on list dnc"), "{said}");
    for line in ["lines 3, 10", "line 8", "line 9"] {
        assert!(said.contains(line), "{line}: {said}");
    }
    let told = import(&["--json"]).ends(2).json();
    assert_eq!(
        (
            &told["new"],
            &told["renewed"],
            &told["faulty"],
            &told["rows"]
        ),
        (&json!(0), &json!(3), &json!(4), &json!(8))
    );
    assert_eq!(check(&desk, "+12025550100")["suppressed"], true);
    let told = check(&desk, "+46701000005");
    assert_eq!(
        (&told["suppressed"], &told["lists"][0]["who"]),
        (&json!(true), &json!("ada"))
    );
    assert_eq!(told["lists"].as_array().unwrap().len(), 1, "once on a list");
    assert_eq!(check(&desk, "+46701000007")["suppressed"], false);

    // One number a line, the first a right one, a wrong one, or a name.
    for (text, new, faulty, rows) in [
        ("+46701000010\n+46701000011\n", 2, 0, 2),
        ("+46701000012", 1, 0, 1),
        ("+4670\n+46701000013\n", 1, 1, 2),
        ("msisdn\n+46701000014\n", 1, 0, 1),
        ("number,x\n+46701000015,1\n", 1, 0, 1),
    ] {
        desk.write("plain.txt", text);
        let out = desk.run(&["suppress", "import", "plain.txt", "--json"]);
        let told = out.ends(if faulty > 0 { 2 } else { 0 }).json();
        let found = (
            told["new"].clone(),
            told["faulty"].clone(),
            told["rows"].clone(),
        );
        assert_eq!(found, (json!(new), json!(faulty), json!(rows)), "{text}");
    }
    desk.write("two.csv", "a,b\n1,2\n");
    let said = desk.run(&["suppress", "import", "two.csv"]).ends(2).stderr;
    assert!(
        said.contains("no column `number`") && said.contains("--number"),
        "{said}"
    );
    let said = desk.run(&["suppress", "import", "none.csv"]).ends(2).stderr;
    assert!(said.contains("none.csv cannot be read"), "{said}");
    // No region was said, and none is guessed; what to do is said in terms of this command.
    let said = desk.run(&["suppress", "add", "0701000005"]).ends(2).stderr;
    assert!(said.contains("--country"), "{said}");
    let said = desk
        .run(&["suppress", "add", "+46701000005", "--list", "erased"])
        .ends(2)
        .stderr;
    assert!(said.contains("callout erase"), "{said}");
}

#[test]
fn a_number_is_read_as_in_a_list_wherever_a_person_gives_one() {
    let desk = Desk::empty();
    let digits = "436641234567";
    for command in [
        &["suppress", "add", digits, "--country", "DE"][..],
        &["suppress", "check", digits, "--country", "DE"],
        &["suppress", "remove", digits, "--country", "DE", "--yes"],
        &["erase", "--yes", digits, "--country", "DE"],
    ] {
        let said = desk.run(command).ends(2).stderr;
        assert!(
            said.contains("+4366•••4567")
                && said.contains("+4943•••4567")
                && said.contains("--numbers"),
            "{command:?}: {said}"
        );
    }
    let form = |form| ["--country", "DE", "--numbers", form, "--json"];
    let add = ["suppress", "add", digits];
    let told = desk.run(&[&add[..], &form("international")].concat());
    assert_eq!(told.ends(0).json()["new"], 1);
    assert_eq!(check(&desk, "+436641234567")["suppressed"], true);
    assert_eq!(check(&desk, "+49436641234567")["suppressed"], false);
    let other = ["suppress", "check", digits];
    let told = desk.run(&[&other[..], &form("national")].concat());
    assert_eq!(told.ends(0).json()["suppressed"], false);
    let said = desk.run(&["suppress", "add", digits, "--numbers", "national"]);
    assert!(said.ends(2).stderr.contains("needs --country"));

    // In a file, faults of a kind are told together.
    desk.write("old.txt", "436641234567\n4915112345678\n015112345679\n");
    let import = ["suppress", "import", "old.txt"];
    let told = desk.run(&[&import[..], &["--country", "DE", "--json"]].concat());
    let told = told.ends(2).json();
    assert_eq!(told["faults"][0]["lines"], json!([1, 2]));
    assert!(
        told["faults"][0]["reason"]
            .as_str()
            .unwrap()
            .contains("--numbers")
    );
    desk.run(&[&import[..], &form("national")].concat()).ends(0);
    assert_eq!(check(&desk, "+494915112345678")["suppressed"], true);
}

#[test]
fn a_person_is_one_whichever_way_their_country_writes_the_number() {
    let platform = quick();
    let people = "name,phone\nAna,+54 9 11 2345 6789\nBia,+551187654321\nBia,+55 11 98765-4321\n\
                  Caio,+54 261 412 3456\nCaio,+5492614123456\n";
    let desk = Desk::at(&platform);
    desk.tts(people, "calls_per_second = 100");
    desk.run(&["suppress", "add", "+54 11 2345 6789"]).ends(0);
    assert_eq!(check(&desk, "+5491123456789")["suppressed"], true);
    desk.run(&["run", "c.toml", "--yes"]).ends(0);
    let ends = ends(&desk);
    assert_eq!(
        ends,
        [
            "suppressed",
            "unreached",
            "duplicate",
            "reached",
            "duplicate"
        ]
    );
    assert_eq!(calls_to(&platform, "+5491123456789"), 0);
    let told = desk.run(&["why", "+542614123456", "--json"]).ends(0).json();
    assert_eq!(told["recipients"].as_array().unwrap().len(), 2);
    let run = told["run"].as_str().unwrap();
    let why = [
        "why",
        run,
        "542614123456",
        "--numbers",
        "international",
        "--json",
    ];
    let told = desk.run(&why).ends(0).json();
    assert_eq!(told["recipients"].as_array().unwrap().len(), 2);
    let said = desk
        .run(&["lookup", "436641234567", "--country", "DE"])
        .ends(2);
    assert!(said.stderr.contains("+4943•••4567"), "{}", said.stderr);
    let national = ["lookup", "0664 1234567", "--country", "AT", "--json"];
    assert_eq!(
        desk.run(&national).ends(0).json()[0]["asked"],
        "+436641234567"
    );

    let told = desk
        .run(&["suppress", "add", "+5491123456789", "--json"])
        .ends(0)
        .json();
    assert_eq!((&told["new"], &told["renewed"]), (&json!(0), &json!(1)));
    let told = desk
        .run(&["suppress", "remove", "+541123456789", "--json", "--yes"])
        .ends(0)
        .json();
    assert_eq!(told["removed"], 1);
    assert_eq!(check(&desk, "+541123456789")["suppressed"], false);
    // Who is erased in one spelling is gone in the other, and stays suppressed in both.
    desk.run(&["erase", "--yes", "+5511987654321"]).ends(0);
    assert_gone(&desk, "+551187654321");
    assert_eq!(check(&desk, "+551187654321")["suppressed"], true);
}

#[test]
fn numbers_with_their_area_codes_in_a_column_of_their_own_are_read() {
    let desk = Desk::empty();
    let import = |text: &str, more: &[&str]| {
        desk.write("area.csv", text);
        desk.run(&[&["suppress", "import", "area.csv", "--json"], more].concat())
    };
    let told = import("202,5550101\n202,5550102\n", &[]).ends(0).json();
    assert_eq!((&told["rows"], &told["new"]), (&json!(2), &json!(2)));
    assert_eq!(check(&desk, "+12025550101")["suppressed"], true);
    let told = import(
        "Area Code,number\n212,5550101\n212,555010\n",
        &["--country", "US"],
    );
    let told = told.ends(2).json();
    assert_eq!((&told["new"], &told["faulty"]), (&json!(1), &json!(1)));
    assert_eq!(check(&desk, "+12125550101")["suppressed"], true);
    // In another country the two are one national number.
    import("number\n070,1740605\n", &["--country", "SE"]).ends(2);
    import("area,number\n070,1740605\n", &["--country", "SE"]).ends(0);
    assert_eq!(check(&desk, "+46701740605")["suppressed"], true);
}

#[test]
fn lists_are_shown_with_counts_and_entries_masked_unless_asked() {
    let mut desk = Desk::empty();
    desk.set("USER", "ada");
    let said = desk.run(&["suppress", "list"]).ends(2).stderr;
    assert!(said.contains("does not exist"), "{said}");
    let many: String = (0..1_000).map(|nth| number(nth) + "\n").collect();
    desk.write("many.txt", &many);
    desk.run(&["suppress", "import", "many.txt", "--list", "state"])
        .ends(0);
    desk.run(&["suppress", "add", &number(7), "--reason", "mail of 3 May"])
        .ends(0);
    let said = desk.run(&["suppress", "list"]).ends(0).stdout;
    let lines: Vec<Vec<&str>> = said
        .lines()
        .map(|l| l.split_whitespace().collect())
        .collect();
    assert_eq!(lines[1][..7], ["dnc", "1", "0", "add", "1", "by", "ada,"]);
    assert_eq!(lines[2][..5], ["state", "1,000", "0", "add", "1,000"]);
    let said = desk
        .run(&["suppress", "list", "--list", "dnc", "--entries"])
        .ends(0)
        .stdout;
    assert!(
        said.starts_with("+4670•••0007  ") && said.ends_with(": mail of 3 May\n"),
        "{said}"
    );
    let raw = ["suppress", "list", "--entries", "--raw", "--json"];
    let said = desk.run(&raw).ends(0).stdout;
    let entries: Vec<Value> = said
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(entries.len(), 1_001);
    assert_eq!(entries[7]["number"], number(7));
    assert_eq!(entries[8]["number"], number(7), "on two lists");
    assert!(!said.contains('•'));
    let said = desk.run(&["suppress", "check", &number(7)]).ends(0).stdout;
    assert!(said.starts_with("+4670•••0007 is suppressed\n"), "{said}");
    assert!(
        said.contains("list dnc, by ada") && said.contains("list state, by ada"),
        "{said}"
    );
}

#[test]
fn who_is_erased_is_in_no_byte_of_the_files_and_stays_suppressed() {
    let platform = quick();
    let desk = Desk::at(&platform);
    let gone = number(5);
    // As people write it, in a row that is no call, and in the same row as another number.
    let list = people(8)
        + &format!("Again,{gone}\nRagged,0{},x,y\n", &gone[3..])
        + &format!("Spaced,0{} {},z\n", &gone[3..5], &gone[5..]);
    desk.tts(&list, "calls_per_second = 100");
    desk.run(&[
        "suppress",
        "add",
        &number(7),
        &gone,
        "--list",
        "early",
        "--until",
        LATER,
    ])
    .ends(0);
    desk.run(&["run", "c.toml", "--yes"]).ends(0);
    desk.run(&["suppress", "remove", &gone, "--yes"]).ends(0);
    desk.run(&["run", "c.toml", "--yes", "--again"]).ends(0);
    let before = desk.run(&["report", "--json"]).ends(0).json();
    desk.run(&[
        "suppress",
        "add",
        &gone,
        "--reason",
        &format!("mail from {gone}"),
    ])
    .ends(0);
    assert!(anywhere(&desk, &forms(&gone)[0]).is_some());

    let said = desk.run(&["erase", &gone]).ends(2).stderr;
    assert!(said.contains("--yes") && !said.contains(&gone), "{said}");
    let told = desk
        .run(&["erase", &gone, "--yes", "--json"])
        .ends(0)
        .json();
    assert_eq!(
        told,
        json!({ "rows": 8, "runs": 2, "pending": 0, "texts": 0, "mentions": 0 })
    );
    assert_gone(&desk, &gone);
    let told = check(&desk, &gone);
    assert_eq!(
        (&told["suppressed"], &told["lists"][0]["list"]),
        (&json!(true), &json!("erased"))
    );
    assert_eq!(told["lists"].as_array().unwrap().len(), 1);
    assert_eq!(check(&desk, &number(6))["suppressed"], false);
    assert_eq!(check(&desk, &number(7))["suppressed"], true);
    // The account stays, the row is empty, its neighbours are whole.
    let after = desk.run(&["report", "--json"]).ends(0).json();
    assert_eq!(
        (&after["dispositions"], &after["outcomes"]),
        (&before["dispositions"], &before["outcomes"])
    );
    let results = desk.export("results");
    assert_eq!(results.column("phone")[5], "");
    assert_eq!(results.column("phone")[4], number(4));
    assert_ne!(results.column("call_id")[5], "");
}

#[test]
fn a_list_that_still_has_an_erased_number_neither_calls_nor_stores_it() {
    let platform = quick();
    let desk = Desk::at(&platform);
    let gone = number(5);
    desk.tts(&people(8), "calls_per_second = 100");
    desk.run(&["suppress", "add", &number(7)]).ends(0);
    desk.run(&["erase", &gone, "--yes"]).ends(0);
    let posted = platform.posted();
    let plan = desk.run(&["plan", "c.toml", "--json"]).ends(0).json();
    assert_eq!(plan["suppressed"], 2);
    desk.write("again.txt", &format!("{gone}\n{}\n", number(9)));
    let told = desk
        .run(&["suppress", "import", "again.txt", "--json"])
        .ends(0)
        .json();
    assert_eq!((&told["new"], &told["erased"]), (&json!(1), &json!(1)));
    desk.tts(&people(8), "calls_per_second = 100");
    desk.run(&["run", "c.toml", "--yes"]).ends(0);
    assert_eq!(platform.posted() - posted, 6);
    let rejects = desk.export("rejects");
    assert_eq!(rejects.column("line"), ["7", "9"]);
    assert!(rejects.column("reason")[0].starts_with("on list erased since "));
    let told = desk
        .run(&["erase", &gone, "--yes", "--json"])
        .ends(0)
        .json();
    assert_eq!(
        told["rows"], 0,
        "nothing was stored, so there is nothing to erase"
    );
    assert_gone(&desk, &gone);

    // Only a person takes it back.
    let remove = ["suppress", "remove", &gone, "--list", "erased", "--yes"];
    let error = desk
        .run(&[&remove[..], &["--json"]].concat())
        .ends(2)
        .json();
    assert_eq!(error["error"]["code"], "reason_needed", "{error}");
    desk.run(&[&remove[..], &["--reason", "their own wish"]].concat())
        .ends(0);
    desk.run(&["run", "c.toml", "--yes", "--again"]).ends(0);
    assert_eq!(platform.posted() - posted, 6 + 7);
}

#[test]
fn rows_of_others_that_mention_an_erased_number_are_told_and_left() {
    let platform = quick();
    let desk = Desk::at(&platform);
    let list = people(2) + &format!("Or call {},{}\n", number(0), number(2));
    desk.tts(&list, "calls_per_second = 100");
    desk.run(&["run", "c.toml", "--yes"]).ends(0);
    let said = desk.run(&["erase", &number(0), "--yes"]).ends(0).stdout;
    assert!(said.contains("1 rows of other numbers"), "{said}");
    let results = desk.export("results");
    assert_eq!(results.column("phone"), ["", &number(1), &number(2)]);
}

#[test]
fn an_erased_number_is_taken_out_of_all_words_in_every_spelling() {
    let platform = quick();
    let desk = Desk::at(&platform);
    let (gone, other) = (number(5), number(6));
    // +4670 100 00 05, as people and platforms write it; and the neighbour's, one digit further.
    let spelled = [
        "+46 70 100 00 05",
        "0046-70-100 00 05",
        "46701000005",
        "070-100 00 05",
        "(070) 100.00.05",
        "701000005",
        "+46 (0)70 1000005",
    ];
    let neighbour = "070-100 00 06";
    let words = format!("{} or {neighbour}", spelled.join(", "));
    desk.tts(&people(8), "calls_per_second = 100");
    desk.run(&["suppress", "add", &other, "--reason", &words])
        .ends(0);
    desk.run(&["run", "c.toml", "--yes"]).ends(0);
    for statement in [
        format!("update attempts set note = '{words}' where recipient = 2"),
        format!("insert into settlements (attempt, called, why, who, at)
                 select key, 1, '{words}', 'me', 0 from attempts limit 1"),
        format!("update runs set state = 'paused', why = '{words}',
                        telling = '{{\"why\":\"{words}\"}}', definition = definition || '# {words}'"),
        format!("insert into waits (recipient, at, reason) values (1, 0, '{words}')"),
        format!("insert into occurrences (campaign, scheduled_for, skipped, reason, at)
                 values ('a', 0, 'fault', '{words}', 0), ('b', 0, 'fault', '{words}', 0)"),
        format!("update recipients set reason = '{words}' where line = 3"),
        format!("update attempts set result = '{words}', reason = '{words}' where recipient = 3"),
    ] {
        execute(&desk.path("callout.db"), &statement);
    }
    let reason = format!("asked by {words}");
    let said = desk.run(&["erase", &gone, "--yes", "--reason", &reason]);
    let said = said.ends(0).stdout;
    for text in ["1 rows of 1 runs", "13 texts", "not looked at:"] {
        assert!(said.contains(text), "{said}");
    }
    for form in spelled {
        assert_eq!(anywhere(&desk, form.as_bytes()), None, "{form}");
    }
    assert_gone(&desk, &gone);
    // What is said of others stays.
    assert!(anywhere(&desk, neighbour.as_bytes()).is_some());
    let told = check(&desk, &gone);
    let why = told["lists"][0]["reason"].as_str().unwrap();
    assert!(why.starts_with("asked by [erased], [erased]"), "{why}");
}

#[test]
fn a_file_that_is_still_to_be_written_anew_is_known_and_written() {
    let platform = quick();
    let desk = Desk::at(&platform);
    desk.tts(&people(8), "calls_per_second = 100");
    desk.run(&["run", "c.toml", "--yes"]).ends(0);
    for (nth, command) in [["doctor"], ["resume"]].into_iter().enumerate() {
        let gone = number(nth);
        let reader = WriteLock::reading(&desk.path("callout.db"));
        let said = desk.run(&["erase", &gone, "--yes"]).ends(1).stderr;
        assert!(said.contains("their traces are not"), "{said}");
        assert!(anywhere(&desk, &forms(&gone)[0]).is_some());
        drop(reader);
        let out = desk.run(&command).ends(0);
        assert!(out.stderr.contains("is written anew now"), "{}", out.stderr);
        assert_gone(&desk, &gone);
        let out = desk.run(&["resume"]).ends(0);
        assert!(!out.stderr.contains("written anew"), "{}", out.stderr);
    }
    // A kill leaves the same: what is owed is written with what is deleted.
    let killed = number(5);
    desk.run(&["purge", "--all", "--after", "0s", "--yes"])
        .ends(0);
    execute(&desk.path("callout.db"), "update upkeep set scrub_owed = 1");
    let out = desk.run(&["resume"]).ends(0);
    assert!(out.stderr.contains("is written anew now"), "{}", out.stderr);
    assert_gone(&desk, &killed);
}

#[test]
fn who_is_erased_while_a_run_has_them_is_not_called_by_it() {
    let platform = quick();
    let desk = Desk::at(&platform);
    desk.tts(&people(60), "calls_per_second = 20");
    let engine = desk.start(&["run", "c.toml", "--yes"]);
    wait_for("calls", || (platform.posted() > 3).then_some(()));
    // An engine has rows in hand: suppressed at once, erased later.
    let said = desk.run(&["erase", &number(55), "--yes"]).ends(1).stderr;
    assert!(
        said.contains("suppressed from now on") && said.contains("callout pause"),
        "{said}"
    );
    engine.signal(Signal::INT);
    engine.wait().ends(3);
    for nth in [55, 58] {
        let told = desk
            .run(&["erase", &number(nth), "--yes", "--json"])
            .ends(0)
            .json();
        assert_eq!((&told["rows"], &told["pending"]), (&json!(1), &json!(1)));
        assert_gone(&desk, &number(nth));
    }
    let said = desk.run(&["resume"]).ends(0).stdout;
    assert!(
        said.contains("2 suppressed") && said.contains("(it adds up)"),
        "{said}"
    );
    assert_eq!(platform.ledger().rows.len(), 58);
    assert_eq!(
        calls_to(&platform, &number(55)) + calls_to(&platform, &number(58)),
        0
    );
}

#[test]
fn a_call_that_goes_on_is_ended_first_and_erased_then() {
    let platform = Platform::start(&[
        "--time-scale",
        "0.05",
        "--ring",
        "60-60",
        "--mix",
        "1,0,0,0",
    ]);
    let desk = Desk::at(&platform);
    desk.tts(&people(2), "calls_per_second = 100");
    let engine = desk.start(&["run", "c.toml", "--yes"]);
    wait_for("calls", || {
        let accepted = desk.run(&["export", "--table", "attempts"]);
        (accepted.stdout.matches(",accepted,").count() == 2).then_some(())
    });
    engine.kill();
    let said = desk.run(&["erase", &number(0), "--yes"]).ends(1).stderr;
    assert!(
        said.contains("suppressed from now on") && said.contains("callout resume"),
        "{said}"
    );
    desk.run(&["resume"]).ends(0);
    desk.run(&["erase", &number(0), "--yes"]).ends(0);
    assert_gone(&desk, &number(0));
    assert_eq!(ends(&desk), ["reached", "reached"]);
}

#[test]
fn a_kill_leaves_an_uncertain_attempt_that_can_be_erased_and_is_not_called_again() {
    let platform = Platform::start(&["--time-scale", "0", "--hang", "1"]);
    let desk = Desk::at(&platform);
    desk.tts(&people(2), "calls_per_second = 100");
    let engine = desk.start(&["run", "c.toml", "--yes"]);
    wait_for("posts", || (platform.posted() == 2).then_some(()));
    engine.kill();
    desk.run(&["erase", &number(0), "--yes"]).ends(0);
    assert_gone(&desk, &number(0));
    let settle = [
        "reconcile",
        "--all",
        "--not-called",
        "--reason",
        "asked them",
    ];
    desk.run(&settle).ends(0);
    assert_eq!(ends(&desk), ["suppressed", ""]);
    let posted = platform.posted();
    let engine = desk.start(&["resume"]);
    wait_for("the other one", || {
        (platform.posted() > posted).then_some(())
    });
    std::thread::sleep(Duration::from_millis(300));
    engine.kill();
    assert_eq!(platform.posted(), posted + 1);
}

#[test]
fn a_purged_run_has_its_account_and_nobodys_data() {
    let platform = Platform::start(&["--time-scale", "0", "--lost", "0.2", "--forbid", &number(3)]);
    let desk = Desk::at(&platform);
    let list = people(30) + &format!("Twice,{}\nMiller,bad {}\n", number(1), &number(31)[1..]);
    desk.tts(&list, "calls_per_second = 100");
    desk.run(&["suppress", "add", &number(2)]).ends(0);
    desk.run(&["run", "c.toml", "--yes", "--output", "out.csv"])
        .ends(5);
    let one = [
        "reconcile",
        "--all",
        "--called",
        "--reason",
        "Person 9 says so",
    ];
    desk.run(&one).ends(0);
    let before = desk.run(&["report", "--json"]).ends(0).json();
    let run = before["run"].as_str().unwrap().to_owned();
    age(&desk, 91);
    assert!(anywhere(&desk, number(17).as_bytes()).is_some());
    let said = desk
        .run(&["purge", &run, "--after", "12w", "--yes"])
        .ends(0)
        .stdout;
    assert!(said.contains("out.csv"), "{said}");
    for nth in (0..32).filter(|nth| *nth != 2) {
        assert_gone(&desk, &number(nth));
    }
    for text in ["Person", "Twice", "Miller"] {
        assert_eq!(anywhere(&desk, text.as_bytes()), None, "{text}");
    }
    let after = desk.run(&["report", "--json"]).ends(0).json();
    for key in [
        "rows",
        "dispositions",
        "outcomes",
        "spent",
        "adds_up",
        "talk_s",
        "not_sent",
    ] {
        assert_eq!(after[key], before[key], "{key}");
    }
    assert!(after["purged_at"].is_string());
    let said = desk.run(&["report"]).ends(0).stdout;
    assert!(
        said.contains("purged ") && said.contains("(it adds up)"),
        "{said}"
    );
    let results = desk.export("results");
    assert_eq!(results.rows.len(), 32);
    assert!(results.column("phone").iter().all(|cell| cell.is_empty()));
    assert_eq!(
        check(&desk, &number(2))["suppressed"],
        true,
        "lists are kept"
    );
}

/// The runs ended so many days earlier.
fn age(desk: &Desk, days: i64) {
    let then = format!(
        "update runs set ended_at = ended_at - {}",
        days * 86_400_000
    );
    execute(&desk.path("callout.db"), &then);
}

#[test]
fn a_purge_takes_what_is_old_enough_once_and_when_that_was_said() {
    let platform = quick();
    let desk = Desk::at(&platform);
    desk.tts(&people(3), "calls_per_second = 100");
    desk.run(&["run", "c.toml", "--yes"]).ends(0);
    let report = desk.run(&["report", "--json"]).ends(0).json();
    let run = report["run"].as_str().unwrap().to_owned();
    age(&desk, 30);
    let said = desk
        .run(&["purge", &run, "--after", "90d", "--yes"])
        .ends(2)
        .stderr;
    assert!(said.contains("less than --after ago"), "{said}");
    let told = desk
        .run(&["purge", "--all", "--after", "90d", "--yes", "--json"])
        .ends(0)
        .json();
    assert_eq!(told["runs"], json!([]));
    age(&desk, 61);
    let dry = desk
        .run(&["purge", "--all", "--after", "90d", "--dry-run"])
        .ends(0)
        .stdout;
    assert!(dry.contains(&run), "{dry}");
    desk.run(&["purge", "--all", "--after", "90d"]).ends(2);
    assert!(anywhere(&desk, number(1).as_bytes()).is_some());
    desk.run(&["purge", "--all", "--after", "90d", "--yes"])
        .ends(0);
    assert_gone(&desk, &number(1));
    let said = desk
        .run(&["purge", &run, "--after", "90d", "--yes"])
        .ends(2)
        .stderr;
    assert!(said.contains("already"), "{said}");
    let said = desk
        .run(&["purge", "--all", "--after", "soon"])
        .ends(2)
        .stderr;
    assert!(said.contains("90d"), "{said}");
}

#[test]
fn a_run_that_is_not_finished_is_not_purged_and_one_that_is_is_never_called_again() {
    let platform = Platform::start(&["--time-scale", "0", "--lost", "1"]);
    let desk = Desk::at(&platform);
    desk.tts(&people(60), "calls_per_second = 20");
    let engine = desk.start(&["run", "c.toml", "--yes"]);
    wait_for("calls", || (platform.posted() > 3).then_some(()));
    let said = desk
        .run(&["purge", "--all", "--after", "0d", "--yes"])
        .ends(1)
        .stderr;
    assert!(said.contains("in use"), "{said}");
    engine.signal(Signal::INT);
    engine.wait().ends(3);
    let run = desk.run(&["report", "--json"]).ends(0).json()["run"].clone();
    let run = run.as_str().unwrap();
    let said = desk
        .run(&["purge", run, "--after", "0d", "--yes"])
        .ends(2)
        .stderr;
    assert!(said.contains("is not finished"), "{said}");
    let told = desk
        .run(&["purge", "--all", "--after", "0d", "--yes", "--json"])
        .ends(0)
        .json();
    assert_eq!(told["runs"], json!([]));
    desk.run(&["cancel", "--yes"]).ends(0);
    desk.run(&["purge", run, "--after", "0d", "--yes"]).ends(0);
    let posted = platform.posted();
    desk.run(&["reconcile", "--all", "--not-called", "--reason", "asked"])
        .ends(0);
    desk.run(&["resume"]);
    assert_eq!(platform.posted(), posted);
    assert_eq!(
        desk.run(&["report", "--json"]).ends(0).json()["adds_up"],
        true
    );
}
