//! Refusals: the account's fall on nobody, the recipients' own stay theirs.

use std::collections::HashSet;

use crate::support::{Desk, Platform, people};

const EVERYBODY: &[&str] = &["--time-scale", "0", "--mix", "1,0,0,0"];

fn platform(options: &[&str]) -> Platform {
    Platform::start(&[EVERYBODY, options].concat())
}

/// Every phone that rang, none of them twice.
fn rung(platform: &Platform) -> HashSet<String> {
    let ledger = platform.ledger();
    let rung = ledger.column("destination");
    let once: HashSet<String> = rung.iter().map(|&number| number.to_owned()).collect();
    assert_eq!(once.len(), rung.len(), "a phone rang twice");
    once
}

#[test]
fn an_account_that_loses_its_rights_in_mid_run_writes_nobody_off() {
    for code in ["40302", "40303", "40003", "41899"] {
        let sick = platform(&["--refuse-with", code, "--refuse-after", "5"]);
        let desk = Desk::at(&sick);
        desk.tts(&people(500), "calls_per_second = 1000");
        let stopped = desk.run(&["run", "c.toml", "--yes"]).ends(3);
        assert!(stopped.stderr.contains("--refusals-are-theirs"), "{code}");
        assert!(sick.posted() <= 100, "{code}: {} POSTs", sick.posted());
        let mut before = rung(&sick);
        assert_eq!(before.len(), 5, "{code}");
        let told = desk.run(&["status", "--json"]).ends(0).json();
        assert_eq!(told["dispositions"]["refused"], 0, "{code}: {told}");
        assert_eq!(told["state"], "paused", "{code}");
        // Whoever resumes too early loses nobody either.
        desk.run(&["resume"]).ends(3);
        let well = sick.replace(EVERYBODY);
        desk.run(&["resume"]).ends(0);
        let after = rung(&well);
        assert!(before.is_disjoint(&after), "{code}: somebody rang twice");
        before.extend(after);
        assert_eq!(before.len(), 500, "{code}");
        let counts = desk.export("results");
        assert_eq!(counts.counts("call_disposition")["reached"], 500, "{code}");
    }
}

#[test]
fn one_refusal_in_ten_is_the_recipients_own_and_the_run_goes_on() {
    let platform = platform(&["--forbid", "+46701000"]);
    let desk = Desk::at(&platform);
    // Every tenth number is forbidden.
    let own = |nth: usize| nth.is_multiple_of(10);
    let list = (0..300).fold(String::from("name,phone\n"), |list, nth| {
        let prefix = if own(nth) { "+46701000" } else { "+46702000" };
        format!("{list}Person {nth},{prefix}{nth:03}\n")
    });
    desk.tts(&list, "calls_per_second = 1000");
    desk.run(&["run", "c.toml", "--yes"]).ends(0);
    let results = desk.export("results");
    let counts = results.counts("call_disposition");
    assert_eq!((counts["refused"], counts["reached"]), (30, 270));
    assert_eq!(rung(&platform).len(), 270);
}

#[test]
fn where_most_are_refused_as_their_own_fault_a_person_decides() {
    let platform = platform(&["--forbid", "+4670"]);
    let desk = Desk::at(&platform);
    desk.tts(&people(60), "calls_per_second = 1000");
    let stopped = desk.run(&["run", "c.toml", "--yes"]).ends(3);
    assert!(stopped.stderr.contains("403/40300"), "{}", stopped.stderr);
    let told = desk.run(&["status", "--json"]).ends(0).json();
    assert_eq!(told["dispositions"]["refused"], 0, "{told}");
    let posted = platform.posted();
    let theirs = desk.run(&["resume", "--refusals-are-theirs"]).ends(0);
    assert!(
        theirs.stderr.contains("refused with 403/40300"),
        "{}",
        theirs.stderr
    );
    // Those who were refused already are not asked for again.
    assert_eq!(platform.posted(), 60, "{posted} before");
    let counts = desk.export("results");
    assert_eq!(counts.counts("call_disposition")["refused"], 60);
    desk.run(&["resume", "--refusals-are-theirs"]).ends(0);
    assert!(rung(&platform).is_empty());
}

#[test]
fn calls_that_end_by_the_campaigns_own_fault_pause_it() {
    for (reason, code) in [("INVALIDSVAMLACTION", 3), ("NOCREDITPARTNER", 4)] {
        let options = ["--mix", "0,0,0,1", "--failed-reason", reason];
        let platform = Platform::start(&[&["--time-scale", "0"], &options[..]].concat());
        let desk = Desk::at(&platform);
        desk.tts(&people(300), "calls_per_second = 100");
        let stopped = desk.run(&["run", "c.toml", "--yes"]).ends(code);
        assert!(stopped.stdout.contains(reason), "{}", stopped.stdout);
        assert!(platform.posted() < 150, "{}", platform.posted());
    }
}
