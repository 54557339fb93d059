//! Databases of earlier versions: a run that stopped half-way goes on, and what the version of then
//! read otherwise is not dialled.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Desk, Platform, execute};

/// Copies a fixture into the desk's folder.
fn copy(desk: &Desk, fixture: &str) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/databases")
        .join(fixture);
    for file in ["callout.db", "clinic.toml", "list.csv", "dnc.txt"] {
        std::fs::copy(from.join(file), desk.path(file)).unwrap();
    }
}

fn import_again(desk: &Desk, list: &str) -> Value {
    let told = desk.run(&["suppress", "list", "--json"]).ends(0).json();
    let lists = told["lists"].as_array().unwrap();
    let found = lists.iter().find(|l| l["list"] == list).unwrap();
    found["import_again"].clone()
}

#[test]
fn a_run_of_an_earlier_version_goes_on_without_those_whom_it_took_for_others() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    copy(&desk, "before-readers");
    let out = desk.run(&["resume", "--json"]).ends(0);
    assert!(
        out.stderr.contains("6 rows are not dialled any more"),
        "{}",
        out.stderr
    );

    let ledger = platform.ledger();
    let dialled = ledger.column("destination");
    assert_eq!(dialled.len(), 20, "{dialled:?}");
    for stranger in [
        "+494915112345678",
        "+4915112345678",
        "+4949030113722",
        "+4946701740605",
        "+494915212345679",
        "+4366412345670",
        "+49151123456796",
    ] {
        assert!(!dialled.contains(&stranger), "{stranger}");
    }
    let rejects = desk.export("rejects");
    let reasons = rejects.column("reason");
    let otherwise: Vec<_> = reasons
        .iter()
        .filter(|why| why.contains("read differently now"))
        .collect();
    assert_eq!(otherwise.len(), 6, "{reasons:?}");
    let told = |part: &str| otherwise.iter().filter(|why| why.contains(part)).count();
    assert_eq!(told("it is +4930•••3722"), 1, "{otherwise:?}");
    assert_eq!(told("it is +4366•••4567"), 1, "{otherwise:?}");
    assert_eq!(told("or as +4915•••5678"), 1, "{otherwise:?}");
    let report = desk.run(&["report"]).ends(0).stdout;
    assert!(
        report.contains("46 rows") && report.contains("(it adds up)"),
        "{report}"
    );
    assert!(report.contains("7 invalid"), "{report}");
    // It is over, and a second look finds nothing to be done.
    let out = desk.run(&["resume"]).ends(0);
    assert!(out.stderr.contains("completed already"), "{}", out.stderr);
}

#[test]
fn lists_that_an_earlier_version_read_are_asked_for_until_they_are_imported_again() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    copy(&desk, "before-readers");
    assert_eq!(import_again(&desk, "dnc"), true);
    let ask = "suppress import FILE --list dnc";
    let doctor = desk.run(&["doctor"]);
    for said in [
        desk.run(&["suppress", "list"]).ends(0).stdout,
        desk.run(&["plan", "clinic.toml"]).ends(0).stdout,
        doctor.stdout,
    ] {
        assert!(said.contains(ask), "{said}");
    }
    // A number that is added by hand is no import.
    desk.run(&["suppress", "add", "+4915112340009"]).ends(0);
    assert_eq!(import_again(&desk, "dnc"), true);
    let import = ["suppress", "import", "dnc.txt", "--country", "DE"];
    desk.run(&import).ends(2);
    let international = [&import[..], &["--numbers", "international"]].concat();
    desk.run(&international).ends(2);
    assert_eq!(import_again(&desk, "dnc"), false);
    assert_eq!(import_again(&desk, "board"), true);
    let check = ["suppress", "check", "+436641234567", "--json"];
    assert_eq!(desk.run(&check).ends(0).json()["suppressed"], json!(true));
    let said = desk.run(&["plan", "clinic.toml"]).ends(0).stdout;
    assert!(!said.contains(ask), "{said}");
}

#[test]
fn two_unfinished_runs_of_an_earlier_version_stay_and_are_named_and_no_third_begins() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    copy(&desk, "before-readers");
    let second =
        "insert into runs (id, campaign, definition, definition_path, platform, rehearsal, state,
                                    created_at)
                  select 'twotwotwotwo', campaign, definition, definition_path, platform, rehearsal,
                         'planned', created_at + 1
                  from runs";
    execute(&desk.path("callout.db"), second);
    // Whoever only looks sees both.
    let doctor = desk.run(&["doctor"]).stdout;
    for said in [
        "clinic has 2 unfinished runs",
        "`callout cancel twotwotwotwo`",
        "`callout cancel 2099ff6aeff2`",
    ] {
        assert!(doctor.contains(said), "{doctor}");
    }
    let refused = desk.run(&["run", "clinic.toml", "--yes"]).ends(2).stderr;
    assert!(
        refused.contains("run twotwotwotwo of clinic is not finished (planned): go on with"),
        "{refused}"
    );
    desk.run(&["cancel", "twotwotwotwo", "--yes"]).ends(0);
    let doctor = desk.run(&["doctor"]).stdout;
    assert!(!doctor.contains("unfinished runs"), "{doctor}");
    let refused = desk.run(&["run", "clinic.toml", "--yes"]).ends(2).stderr;
    assert!(refused.contains("run 2099ff6aeff2 of clinic"), "{refused}");
    desk.run(&["resume"]).ends(0);
    assert_eq!(platform.ledger().rows.len(), 20);
}
