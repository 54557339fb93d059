//! `callout simulate` tells calls by itself, with what was asked to go wrong.

use crate::support::{Desk, Platform, Table, wait_for};

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
