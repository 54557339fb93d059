//! Refusals: the account's fall on nobody, the recipients' own stay theirs.

use std::collections::HashSet;

use crate::support::{Desk, Platform, number, people, wait_for};
use rustix::process::Signal;

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
    let attempts = desk.export("attempts");
    for row in &attempts.rows {
        if attempts.cell(row, "state") == "refused" {
            assert_eq!(attempts.cell(row, "note"), "40300 Destination is forbidden");
        }
    }
    desk.run(&["resume", "--refusals-are-theirs"]).ends(0);
    assert!(rung(&platform).is_empty());
}

#[test]
fn whoever_resumes_too_early_asks_once_and_a_pause_of_another_kind_makes_no_refusal_final() {
    let sick = platform(&["--refuse-with", "49999", "--refuse-after", "70"]);
    let desk = Desk::at(&sick);
    desk.tts(&people(200), "calls_per_second = 50");
    desk.run(&["run", "c.toml", "--yes"]).ends(3);
    let before = sick.posted();
    desk.run(&["resume"]).ends(3);
    assert!(
        sick.posted() <= before + 8,
        "{} more",
        sick.posted() - before
    );
    let well = sick.replace(EVERYBODY);
    let going = desk.start(&["resume"]);
    wait_for("calls", || (well.posted() > 0).then_some(()));
    going.signal(Signal::INT);
    going.wait().ends(3);
    // What paused it now is a signal, and nobody is written off for what was mended.
    let refused = desk.run(&["resume", "--refusals-are-theirs"]).ends(2);
    assert!(refused.stderr.contains("not paused for refusals"));
    desk.run(&["resume"]).ends(0);
    let counts = desk.export("results");
    assert_eq!(counts.counts("call_disposition")["reached"], 200);
}

#[test]
fn who_was_erased_is_not_called_for_a_refusal_that_is_taken_back() {
    let sick = platform(&["--refuse-with", "49999"]);
    let desk = Desk::at(&sick);
    desk.tts(&people(40), "calls_per_second = 4");
    let going = desk.start(&["run", "c.toml", "--yes"]);
    wait_for("refusals", || (sick.posted() > 3).then_some(()));
    going.signal(Signal::INT);
    going.wait().ends(3);
    desk.run(&["erase", &number(0), "--yes"]).ends(0);
    // What the first process saw counts, and all of it but theirs is taken back.
    desk.run(&["resume"]).ends(3);
    let well = sick.replace(EVERYBODY);
    desk.run(&["resume"]).ends(0);
    assert!(!rung(&well).contains(&number(0)));
    let told = desk.run(&["status", "--json"]).ends(0).json();
    assert_eq!(told["dispositions"]["reached"], 39, "{told}");
}

#[test]
fn who_asked_for_the_end_is_not_made_to_wait_by_who_asks_for_a_pause() {
    let slow = [
        "--time-scale",
        "1",
        "--ring",
        "3-4",
        "--talk",
        "1-1",
        "--mix",
        "1,0,0,0",
    ];
    let platform = Platform::start(&slow);
    let desk = Desk::at(&platform);
    desk.tts(&people(200), "calls_per_second = 20");
    let going = desk.start(&["run", "c.toml", "--yes"]);
    wait_for("calls", || (platform.posted() > 5).then_some(()));
    let said = desk.run(&["cancel", "--yes"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let said = desk.run(&["pause"]).ends(0);
    assert!(said.stdout.contains("being cancelled"), "{}", said.stdout);
    going.wait().ends(3);
    let told = desk.run(&["status", "--json"]).ends(0).json();
    assert_eq!(told["state"], "cancelled", "{told}");
}

#[test]
fn calls_that_end_by_the_campaigns_own_fault_are_followed_to_their_end_and_then_it_pauses() {
    let options = [
        "--mix",
        "0,0,0,1",
        "--failed-reason",
        "INVALIDSVAMLACTION",
        "--ring",
        "8-12",
    ];
    let platform = Platform::start(&[&["--time-scale", "0.1"], &options[..]].concat());
    let desk = Desk::at(&platform);
    desk.tts(&people(300), "calls_per_second = 100");
    desk.run(&["run", "c.toml", "--yes"]).ends(3);
    let told = desk.run(&["status", "--json"]).ends(0).json();
    assert_eq!(told["in_flight"], 0, "{told}");
    // It is believed at once at the next start: nobody is dialled in hundreds again.
    let before = platform.posted();
    desk.run(&["resume"]).ends(3);
    assert!(
        platform.posted() < before + 120,
        "{} more",
        platform.posted() - before
    );
    desk.run(&["cancel", "--yes"]).ends(0);
    let told = desk.run(&["status", "--json"]).ends(0).json();
    assert_eq!(told["state"], "cancelled", "{told}");
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
