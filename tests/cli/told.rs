//! `callout simulate` tells calls by itself, with what was asked to go wrong, and a run hears it.

use std::collections::BTreeMap;
use std::net::TcpListener;

use crate::support::{Desk, Out, Platform, Table, people, wait_for};
use rust_decimal::Decimal;

/// Places one callout that asks to be told of its end, and returns what was told then.
fn placed(options: &[&str], count: usize) -> Table {
    // Nobody listens there: what is told gets no answer, and is on the page all the same.
    let common = ["--time-scale", "0", "--callback-url", "http://127.0.0.1:9/"];
    let platform = Platform::start(&[&common[..], options].concat());
    let desk = Desk::at(&platform);
    let line = "call place +46701740605 --cli +46100000000 --text x --enable-dice";
    let words: Vec<&str> = line.split(' ').collect();
    desk.run(&words).ends(0);
    let events = wait_for("the events", || {
        Some(platform.events()).filter(|events| events.rows.len() >= count)
    });
    assert_eq!(events.rows.len(), count);
    events
}

#[test]
fn events_go_wrong_as_the_command_line_says() {
    for (options, faults) in [
        (&[][..], &[""][..]),
        (&["--events-lost", "1"], &["lost"]),
        (&["--events-doubled", "1"], &["", "doubled"]),
        (&["--events-early", "1"], &["early"]),
        (&["--dice-without-debit", "1"], &["without_debit"]),
        (&["--second-call", "1"], &["", "second_call"]),
        (&["--events-late", "1", "--events-late-by", "0s"], &["late"]),
    ] {
        let events = placed(options, faults.len());
        assert_eq!(events.column("fault"), faults, "{options:?}");
        assert_eq!(events.column("event"), vec!["dice"; faults.len()]);
    }
}

#[test]
fn what_makes_no_sense_of_events_is_refused() {
    let desk = Desk::empty();
    for (flag, value, said) in [
        (
            "--events-lost",
            "2",
            "the share of lost events is not a number",
        ),
        ("--events-late-by", "soon", "such as 30s"),
        ("--callback-url", "example.org", "no URL with http://"),
    ] {
        let words = ["simulate", "--listen", "127.0.0.1:0", flag, value];
        let out = desk.run(&words).ends(2);
        assert!(out.stderr.contains(said), "{flag}: {}", out.stderr);
    }
}

/// A run of thirty people at a desk whose application is called back at the run itself.
fn heard(options: &[&str], code: i32) -> (Platform, Desk, Out) {
    let common = ["--time-scale", "0.01", "--mix", "70,10,10,10"];
    let platform = Platform::start(&[&common[..], options].concat());
    let mut desk = Desk::at(&platform);
    // Free a moment ago: the public URL has to name it before the run has it.
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    desk.set("CALLOUT_LISTEN", &address);
    desk.set("CALLOUT_PUBLIC_URL", &format!("http://{address}"));
    desk.tts(&people(30), "calls_per_second = 500");
    desk.run(&["callback", "set", "--yes"]).ends(0);
    let out = desk.run(&["run", "c.toml", "--yes"]).ends(code);
    (platform, desk, out)
}

/// Every result is what the ledger has.
#[track_caller]
fn assert_same(results: &Table, ledger: &Table) {
    let calls: BTreeMap<&str, &Vec<String>> = ledger
        .rows
        .iter()
        .map(|row| (ledger.cell(row, "call_id"), row))
        .collect();
    assert_eq!((results.rows.len(), calls.len()), (30, 30));
    for row in &results.rows {
        let call = calls[results.cell(row, "call_id")];
        for name in ["result", "reason", "duration_s"] {
            let heard = results.cell(row, &format!("call_{name}"));
            assert_eq!(heard, ledger.cell(call, name));
        }
        let debit: Decimal = results.cell(row, "call_debit").parse().unwrap();
        assert_eq!(debit, ledger.cell(call, "debit").parse().unwrap());
    }
}

#[test]
fn a_run_has_the_ledgers_results_from_what_it_was_told() {
    let (platform, desk, _) = heard(&["--events-doubled", "0.3", "--events-shuffled"], 0);
    assert_same(&desk.export("results"), &platform.ledger());
    let events = platform.events();
    assert!(events.column("status").contains(&"200"), "{events:?}");
}

#[test]
fn a_rehearsal_asks_for_what_it_was_not_told() {
    for faults in [
        "--events-lost 0.3 --events-doubled 0.3 --events-late 0.3 --events-shuffled",
        // An event that says once more that no price is known is not the price that was asked for.
        "--events-doubled 1 --dice-without-debit 1",
    ] {
        let desk = Desk::empty();
        desk.tts(&people(30), "calls_per_second = 10");
        let line =
            format!("rehearse c.toml --virtual --ledger ledger.csv --output results.csv {faults}");
        let words: Vec<&str> = line.split(' ').collect();
        desk.run(&words).ends(0);
        assert_same(&desk.table("results.csv"), &desk.table("ledger.csv"));
    }
}

#[test]
fn a_second_call_that_is_told_raises_the_alarm() {
    let (platform, _, out) = heard(&["--second-call", "1"], 1);
    assert!(out.stdout.contains("ALARM"), "{}", out.stdout);
    let ledger = platform.ledger();
    assert!(ledger.column("posts").iter().all(|posts| *posts == "1"));
}
