//! Uncertain attempts, settled by the platform's call detail records: what is in them was called, and
//! what is not in them only where they are complete.

use std::collections::HashSet;
use std::fmt::Write as _;

use crate::support::{Desk, Platform, Table, execute, people};
use callout::clock::{Clock as _, SystemClock};
use jiff::{Timestamp, tz::TimeZone};

const DAYS_AGO: i64 = 3;

/// A run of which a part is uncertain: some of it was placed, some not. It is moved to another day.
fn uncertain_run() -> (Platform, Desk, String) {
    let platform = Platform::start(&[
        "--time-scale",
        "0",
        "--lost",
        "0.2",
        "--reset",
        "0.2",
        "--seed",
        "5",
    ]);
    let desk = Desk::at(&platform);
    desk.tts(&people(60), "calls_per_second = 1000");
    desk.run(&["run", "c.toml", "--yes"]).ends(5);
    let shift = DAYS_AGO * 86_400_000;
    let columns = ["intended_at", "answered_at", "ended_at"];
    for column in columns {
        execute(
            &desk.path("callout.db"),
            &format!("update attempts set {column} = {column} - {shift}"),
        );
    }
    // Noon, so that no attempt lies close to another day.
    let day = i64::from(86_400_000);
    execute(
        &desk.path("callout.db"),
        &format!("update attempts set intended_at = intended_at / {day} * {day} + {day} / 2"),
    );
    let intended = &desk.export("attempts").column("intended_at")[0].to_owned();
    let date = intended
        .parse::<Timestamp>()
        .unwrap()
        .to_zoned(TimeZone::UTC)
        .date();
    (platform, desk, date.to_string())
}

/// The platform's records, as it exports them: all but the calls in `without`.
fn records(ledger: &Table, without: &HashSet<String>) -> String {
    let mut csv =
        String::from("CallId;CallTime;Result;Reason;Duration;From;To;Amount;Currency;Custom\n");
    for row in &ledger.rows {
        let cell = |name| ledger.cell(row, name);
        if without.contains(cell("attempt")) {
            continue;
        }
        let cells = [
            cell("call_id"),
            cell("accepted_at"),
            cell("result"),
            cell("reason"),
            cell("duration_s"),
            "",
            cell("destination"),
            cell("debit"),
            cell("currency"),
            cell("attempt"),
        ];
        writeln!(csv, "{}", cells.join(";")).unwrap();
    }
    csv
}

fn states(desk: &Desk) -> Vec<(String, String)> {
    let attempts = desk.export("attempts");
    let row = |row: &Vec<String>| {
        (
            attempts.cell(row, "attempt").to_owned(),
            attempts.cell(row, "state").to_owned(),
        )
    };
    attempts.rows.iter().map(row).collect()
}

fn ids(desk: &Desk, state: &str) -> HashSet<String> {
    let of = |(id, found): (String, String)| (found == state).then_some(id);
    states(desk).into_iter().filter_map(of).collect()
}

#[test]
fn what_is_in_the_records_was_called_and_what_is_not_stays_uncertain() {
    let (platform, desk, _) = uncertain_run();
    let ledger = platform.ledger();
    let placed: HashSet<String> = ledger
        .column("attempt")
        .into_iter()
        .map(str::to_owned)
        .collect();
    let before = ids(&desk, "uncertain");
    assert!(
        before.iter().any(|id| placed.contains(id)),
        "some were placed"
    );
    assert!(
        before.iter().any(|id| !placed.contains(id)),
        "some were not"
    );
    desk.write("cdr.csv", &records(&ledger, &HashSet::new()));
    let would = desk
        .run(&["reconcile", "--cdr", "cdr.csv", "--dry-run"])
        .ends(0);
    assert!(would.stdout.contains("would be"), "{}", would.stdout);
    assert_eq!(ids(&desk, "uncertain"), before, "a dry run settles nothing");
    let told = desk
        .run(&["reconcile", "--cdr", "cdr.csv", "--json"])
        .ends(0)
        .json();
    let after = ids(&desk, "uncertain");
    assert_eq!(after, &before - &placed);
    assert_eq!(told["left_uncertain"], after.len());
    // The account of those that were called is the platform's, call id, result and debit.
    let attempts = desk.export("attempts");
    for row in &attempts.rows {
        let id = attempts.cell(row, "attempt");
        let Some(call) = ledger.rows.iter().find(|r| ledger.cell(r, "attempt") == id) else {
            continue;
        };
        for (ours, theirs) in [
            ("call_id", "call_id"),
            ("result", "result"),
            ("debit", "debit"),
        ] {
            assert_eq!(
                attempts.cell(row, ours),
                ledger.cell(call, theirs),
                "{ours} of {id}"
            );
        }
    }
    desk.run(&["reconcile", "--cdr", "cdr.csv"]).ends(0);
    assert_eq!(ids(&desk, "uncertain"), after, "twice is once");
}

#[test]
fn absence_counts_only_in_a_complete_file_and_rings_nobody_twice() {
    let (platform, desk, day) = uncertain_run();
    let ledger = platform.ledger();
    let before = ids(&desk, "uncertain");
    let complete = ["reconcile", "--cdr", "cdr.csv", "--complete-day", &day];
    // A file that lacks a call which the run knows of is not believed.
    let known = ids(&desk, "final").into_iter().take(1).collect();
    desk.write("cdr.csv", &records(&ledger, &known));
    let refused = desk.run(&complete).ends(2);
    assert!(
        refused.stderr.contains("lacks 1 calls"),
        "{}",
        refused.stderr
    );
    assert_eq!(ids(&desk, "uncertain"), before);
    // A file that was cut off neither.
    let whole = records(&ledger, &HashSet::new());
    desk.write("cdr.csv", &whole[..whole.len() - 40]);
    desk.run(&complete).ends(2);
    assert_eq!(ids(&desk, "uncertain"), before);
    // A day that is not over, or another day, proves nothing.
    desk.write("cdr.csv", &whole);
    let today = SystemClock::start()
        .wall()
        .to_zoned(TimeZone::UTC)
        .date()
        .to_string();
    desk.run(&["reconcile", "--cdr", "cdr.csv", "--complete-day", &today])
        .ends(2);
    desk.run(&[
        "reconcile",
        "--cdr",
        "cdr.csv",
        "--complete-day",
        "2020-01-01",
    ])
    .ends(0);
    assert!(!ids(&desk, "uncertain").is_empty());
    let told = desk
        .run(&[&complete[..], &["--json"]].concat())
        .ends(0)
        .json();
    assert_eq!(told["left_uncertain"], 0);
    assert!(!told["not_called"].as_array().unwrap().is_empty());
    assert!(ids(&desk, "uncertain").is_empty());
    // Who was not called is called now; nobody twice.
    let resumed = desk.run(&["resume"]);
    assert!(matches!(resumed.code, Some(0 | 5)), "{}", resumed.stderr);
    assert!(platform.ledger().rows.len() > ledger.rows.len());
    let mut rung = HashSet::new();
    for number in platform.ledger().column("destination") {
        assert!(rung.insert(number.to_owned()), "{number} rang twice");
    }
}

#[test]
fn what_is_no_file_of_records_is_said() {
    let (_platform, desk, _) = uncertain_run();
    for (text, says) in [
        ("phone;name\n1;2\n", "no column `Custom`"),
        ("", "no column `Custom`"),
        ("CallId;Custom\nx\n", "cut off or changed"),
    ] {
        desk.write("cdr.csv", text);
        let out = desk.run(&["reconcile", "--cdr", "cdr.csv"]).ends(2);
        assert!(out.stderr.contains(says), "{}", out.stderr);
    }
    desk.run(&["reconcile", "--cdr", "missing.csv"]).ends(2);
}

#[test]
fn a_settled_busy_line_is_called_again_as_a_polled_one_is() {
    let platform = Platform::start(&["--time-scale", "0", "--lost", "1"]);
    let desk = Desk::at(&platform);
    let retry = "calls_per_second = 1000\n[retry]\nmax_attempts = 2\nbusy = \"1s\"";
    desk.tts(&people(4), retry);
    desk.run(&["run", "c.toml", "--yes"]).ends(5);
    let ledger = platform.ledger();
    let called: Vec<&str> = ledger.column("destination");
    assert_eq!(called.len(), 4, "each rang, and no answer came");
    // One by a person, one by the records; the third was busy for good, the fourth answered.
    let [by_hand, by_record, ..] = ledger.column("attempt")[..] else {
        panic!("{ledger:?}");
    };
    let busy = ["--called", "--result", "busy", "--reason", "asked them"];
    let hand = [&["reconcile", "--attempt", by_hand][..], &busy].concat();
    desk.run(&hand).ends(0);
    let header = "CallId;CallTime;Result;Reason;Duration;From;To;Amount;Currency;Custom";
    let at = ledger.column("accepted_at")[1];
    let record = format!(
        "{header}\ncall-x;{at};BUSY;N/A;0;;{};;;{by_record}\n",
        called[1]
    );
    desk.write("cdr.csv", &record);
    desk.run(&["reconcile", "--cdr", "cdr.csv"]).ends(0);
    let told = desk.run(&["status", "--json"]).ends(0).json();
    assert_eq!(told["state"], "paused", "{told}");
    assert_eq!(told["waiting"], 2, "{told}");
    let again = platform.replace(&["--time-scale", "0", "--mix", "1,0,0,0"]);
    desk.run(&["resume"]).ends(5);
    let rung = again.ledger();
    let rung: HashSet<&str> = rung.column("destination").into_iter().collect();
    assert_eq!(rung, called[..2].iter().copied().collect());
}
