//! `[retry]` from outside: who is called again, how often and when, and across runs.

use std::collections::HashMap;

use crate::support::{Desk, Platform, people};
use jiff::Timestamp;

fn campaign(desk: &Desk, count: usize, retry: &str) {
    desk.tts(&people(count), "calls_per_second = 200");
    let text = String::from_utf8(desk.read("c.toml")).unwrap();
    desk.write("c.toml", &format!("{text}\n[retry]\n{retry}\n"));
}

/// When each number was called.
fn calls(platform: &Platform) -> HashMap<String, Vec<Timestamp>> {
    let ledger = platform.ledger();
    let mut calls: HashMap<String, Vec<Timestamp>> = HashMap::new();
    for row in &ledger.rows {
        let at = ledger.cell(row, "accepted_at").parse().unwrap();
        calls
            .entry(ledger.cell(row, "destination").to_owned())
            .or_default()
            .push(at);
    }
    calls
}

#[test]
fn whoever_is_busy_is_called_again_after_the_wait_and_no_more_than_asked() {
    let platform = Platform::start(&["--time-scale", "0", "--mix", "0,1,0,0"]);
    let desk = Desk::at(&platform);
    campaign(
        &desk,
        20,
        "max_attempts = 3\nbusy = [\"1s\", \"2s\"]\njitter = 0",
    );
    let report = desk
        .run(&["run", "c.toml", "--yes", "--json", "--output", "r.csv"])
        .ends(0)
        .json();
    assert_eq!(report["dispositions"]["unreached"], 20);
    let calls = calls(&platform);
    assert_eq!(calls.len(), 20);
    for (number, at) in &calls {
        assert_eq!(at.len(), 3, "{number}");
        let waits: Vec<f64> = at
            .windows(2)
            .map(|w| w[1].duration_since(w[0]).as_secs_f64())
            .collect();
        assert!(waits[0] >= 1.0 && waits[1] >= 2.0, "{number}: {waits:?}");
    }
    let results = desk.table("r.csv");
    assert!(results.column("call_attempts").iter().all(|n| *n == "3"));
}

#[test]
fn only_what_was_asked_for_is_tried_again_and_the_last_call_is_the_result() {
    let platform = Platform::start(&["--time-scale", "0", "--mix", "40,20,40,0", "--seed", "9"]);
    let desk = Desk::at(&platform);
    campaign(
        &desk,
        60,
        "max_attempts = 4\nno_answer = \"1s\"\njitter = 0",
    );
    desk.run(&["run", "c.toml", "--yes", "--output", "r.csv"])
        .ends(0);
    let (results, ledger) = (desk.table("r.csv"), platform.ledger());
    let mut again = 0;
    for row in &results.rows {
        let number = results.cell(row, "phone");
        let calls: Vec<&Vec<String>> = ledger
            .rows
            .iter()
            .filter(|call| ledger.cell(call, "destination") == number)
            .collect();
        assert_eq!(results.cell(row, "call_attempts"), calls.len().to_string());
        let (last, before) = calls.split_last().unwrap();
        assert_eq!(results.cell(row, "call_id"), ledger.cell(last, "call_id"));
        assert_eq!(
            results.cell(row, "call_result"),
            ledger.cell(last, "result")
        );
        assert!(
            before
                .iter()
                .all(|call| ledger.cell(call, "result") == "NOANSWER")
        );
        if ledger.cell(last, "result") == "NOANSWER" {
            assert_eq!(calls.len(), 4, "{number}");
        }
        again += before.len();
    }
    assert!(again > 5, "some were called again");
}

#[test]
fn a_number_rests_whatever_run_called_it() {
    let platform = Platform::start(&["--time-scale", "0", "--mix", "1,0,0,0"]);
    let desk = Desk::at(&platform);
    campaign(
        &desk,
        5,
        "max_attempts = 1\nper_number = { calls = 1, within = \"3s\" }",
    );
    desk.run(&["run", "c.toml", "--yes"]).ends(0);
    desk.run(&["run", "c.toml", "--yes", "--again"]).ends(0);
    let calls = calls(&platform);
    assert_eq!(calls.len(), 5);
    for (number, at) in &calls {
        assert_eq!(at.len(), 2, "{number}");
        let rested = at[1].duration_since(at[0]).as_secs_f64();
        assert!(rested >= 2.99, "{number}: {rested}");
    }
}

#[test]
fn what_retry_cannot_mean_is_a_fault_with_its_place() {
    let desk = Desk::empty();
    for (retry, says) in [
        ("busy = \"10m\"", "needs `max_attempts`"),
        ("max_attempts = 0", "max_attempts"),
        ("max_attempts = 2\nbusy = \"soon\"", "c.toml:14:8: `busy`"),
        ("max_attempts = 2\nbusy = []", "no waits"),
        (
            "max_attempts = 2\nbusy = [\"1h\", \"never\"]",
            "no duration",
        ),
        ("max_attempts = 2\nbusy = 5", "`busy`"),
        ("max_attempts = 2\njitter = 2", "out of range"),
        (
            "max_attempts = 2\nno_anser = \"1h\"",
            "did you mean `no_answer`",
        ),
        (
            "max_attempts = 2\nreasons = { TIMEOUT = \"x\" }",
            "`TIMEOUT`",
        ),
        ("max_attempts = 2\nper_number = { calls = 1 }", "`within`"),
        (
            "max_attempts = 2\nper_number = { calls = 1, within = \"x\" }",
            "no duration",
        ),
    ] {
        campaign(&desk, 1, retry);
        let out = desk.run(&["check", "c.toml"]).ends(2);
        assert!(
            out.stdout.contains(says) || out.stderr.contains(says),
            "{retry}: {out:?}"
        );
    }
    campaign(&desk, 1, "max_attempts = 2");
    let out = desk.run(&["check", "c.toml"]).ends(0);
    assert!(format!("{out:?}").contains("no wait"), "{out:?}");
}
