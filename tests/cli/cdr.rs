//! Attempts settled by the platform's call detail records: what is in them was called, its result and its
//! price fill what was not told, and what is not in them was not called only where the file proves it.

use std::collections::HashSet;

use crate::support::{Desk, KEY, Out, Platform, Table, execute, number, people, wait_for};
use callout::clock::{Clock as _, SystemClock};
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};

const DAYS_AGO: i64 = 3;
const DAY_MS: i64 = 86_400_000;

/// A run of which a part is uncertain: some of it was placed, some not. It is moved to another day.
fn uncertain_run() -> (Platform, Desk, String) {
    let flags = [
        "--time-scale",
        "0",
        "--lost",
        "0.2",
        "--reset",
        "0.2",
        "--seed",
        "5",
    ];
    let platform = Platform::start(&flags);
    let desk = Desk::at(&platform);
    desk.tts(&people(60), "calls_per_second = 1000");
    desk.run(&["run", "c.toml", "--yes"]).ends(5);
    let day = moved(&desk);
    (platform, desk, day)
}

/// A run of which all is uncertain, and every phone rang. It is moved to another day.
fn lost_run(rows: usize) -> (Platform, Desk, String) {
    let platform = Platform::start(&["--time-scale", "0", "--lost", "1"]);
    let desk = Desk::at(&platform);
    desk.tts(&people(rows), "calls_per_second = 1000");
    desk.run(&["run", "c.toml", "--yes"]).ends(5);
    let day = moved(&desk);
    (platform, desk, day)
}

/// Moves all attempts to noon of a day that is over, so that none lies close to another day.
fn moved(desk: &Desk) -> String {
    let now = SystemClock::start().wall();
    let day = now.as_millisecond().div_euclid(DAY_MS) - DAYS_AGO;
    let noon = day * DAY_MS + DAY_MS / 2;
    execute(
        &desk.path("callout.db"),
        &format!(
            "update attempts set intended_at = {noon}, answered_at = {noon} + (answered_at - answered_at),
             ended_at = {noon} + (ended_at - ended_at)"
        ),
    );
    let noon = Timestamp::from_millisecond(noon).unwrap();
    noon.to_zoned(TimeZone::UTC).date().to_string()
}

/// A record, as the platform exports it.
#[derive(Debug, Clone)]
struct Row {
    attempt: String,
    call: String,
    at: String,
    result: String,
    reason: String,
    duration: String,
    to: String,
    amount: String,
    currency: String,
    custom: String,
    application: String,
}

/// The platform's records of a day, all at a second past noon.
fn rows(ledger: &Table, day: &str) -> Vec<Row> {
    let row = |row: &Vec<String>| {
        let cell = |name| ledger.cell(row, name).to_owned();
        Row {
            attempt: cell("attempt"),
            call: cell("call_id"),
            at: format!("{day}T12:00:01"),
            result: cell("result"),
            reason: cell("reason"),
            duration: cell("duration_s"),
            to: cell("destination"),
            amount: cell("debit"),
            currency: cell("currency"),
            custom: cell("attempt"),
            application: KEY.to_owned(),
        }
    };
    ledger.rows.iter().map(row).collect()
}

const HEADER: &str =
    "CallId;CallTime;Result;Reason;Duration;To;Amount;Currency;Custom;ApplicationKey\n";

fn csv(rows: &[Row]) -> String {
    let line = |row: &Row| {
        [
            &row.call,
            &row.at,
            &row.result,
            &row.reason,
            &row.duration,
            &row.to,
            &row.amount,
            &row.currency,
            &row.custom,
            &row.application,
        ]
        .map(String::as_str)
        .join(";")
            + "\n"
    };
    HEADER.to_owned() + &rows.iter().map(line).collect::<String>()
}

/// A file without some of its columns.
fn without(csv: &str, columns: &[&str]) -> String {
    let kept: Vec<bool> = HEADER
        .trim()
        .split(';')
        .map(|name| !columns.contains(&name))
        .collect();
    let line = |line: &str| {
        let cells = line.split(';').zip(&kept).filter(|(_, kept)| **kept);
        cells.map(|(cell, _)| cell).collect::<Vec<_>>().join(";") + "\n"
    };
    csv.lines().map(line).collect()
}

fn complete(desk: &Desk, days: &[&str]) -> Out {
    let mut args = vec!["reconcile", "--cdr", "cdr.csv", "--json"];
    for day in days {
        args.extend(["--complete-day", day]);
    }
    desk.run(&args)
}

/// Resumes, and shows that no phone rang twice.
fn resumes_and_rings_nobody_twice(desk: &Desk, platform: &Platform) -> Out {
    let resumed = desk.run(&["resume"]);
    let ledger = platform.ledger();
    let mut rung = HashSet::new();
    for number in ledger.column("destination") {
        assert!(rung.insert(number), "{number} rang twice");
    }
    resumed
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
    let (platform, desk, day) = uncertain_run();
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
    desk.write("cdr.csv", &csv(&rows(&ledger, &day)));
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
    let all = rows(&ledger, &day);
    // A file that lacks a call which the run knows of is not believed.
    let known = ids(&desk, "final").into_iter().next().unwrap();
    let lacking: Vec<Row> = all.iter().filter(|r| r.attempt != known).cloned().collect();
    desk.write("cdr.csv", &csv(&lacking));
    let refused = complete(&desk, &[&day]).ends(2);
    assert!(
        refused.stderr.contains("lacks 1 calls"),
        "{}",
        refused.stderr
    );
    // A file that was cut off neither.
    let whole = csv(&all);
    desk.write("cdr.csv", &whole[..whole.len() - 30]);
    complete(&desk, &[&day]).ends(2);
    // A day that is not over, or another day, proves nothing.
    desk.write("cdr.csv", &whole);
    let today = SystemClock::start().wall().to_zoned(TimeZone::UTC).date();
    complete(&desk, &[&today.to_string()]).ends(2);
    let other = complete(&desk, &["2020-01-01"]).ends(2);
    assert!(
        other.stderr.contains("has no call of 2020-01-01"),
        "{}",
        other.stderr
    );
    assert_eq!(ids(&desk, "uncertain"), before);
    // Nor does it need to say whose it is: its calls do.
    desk.write("cdr.csv", &without(&whole, &["ApplicationKey"]));
    let told = complete(&desk, &[&day]).ends(0).json();
    assert_eq!(told["left_uncertain"], 0);
    assert!(!told["not_called"].as_array().unwrap().is_empty());
    assert!(ids(&desk, "uncertain").is_empty());
    // Who was not called is called now; nobody twice.
    let resumed = resumes_and_rings_nobody_twice(&desk, &platform);
    assert!(matches!(resumed.code, Some(0 | 5)), "{}", resumed.stderr);
    assert!(platform.ledger().rows.len() > ledger.rows.len());
}

#[test]
fn a_file_that_does_not_prove_itself_proves_nothing_and_says_why() {
    let (platform, desk, day) = lost_run(6);
    let all = rows(&platform.ledger(), &day);
    let with = |change: &dyn Fn(&mut Row)| {
        let mut rows = all.clone();
        rows.iter_mut().for_each(change);
        csv(&rows)
    };
    let strangers = with(&|row| {
        row.custom = "somebody else".into();
        row.to = "46709999999".into();
    });
    for (file, says) in [
        (HEADER.to_owned(), "has no call of"),
        (
            with(&|row| row.at = "2020-01-01T12:00:01".into()),
            "has no call of",
        ),
        (with(&|row| row.at = "noon".into()), "has no call of"),
        (
            with(&|row| {
                row.application = "another".into();
                row.custom.clear();
            }),
            "another application's",
        ),
        (
            without(&strangers, &["ApplicationKey"]),
            "nothing shows that they are of this run's",
        ),
        (without(&strangers, &["CallTime"]), "no column `CallTime`"),
        (without(&strangers, &["To"]), "no column `To`"),
        (
            with(&|row| row.custom = format!("\"a\n{}\"", row.custom)),
            "records may be hidden",
        ),
    ] {
        desk.write("cdr.csv", &file);
        let out = complete(&desk, &[&day]).ends(2);
        assert!(out.stderr.contains(says), "{says}: {}", out.stderr);
        assert_eq!(ids(&desk, "uncertain").len(), 6, "{says}");
        resumes_and_rings_nobody_twice(&desk, &platform);
    }
}

#[test]
fn a_record_of_the_attempt_s_minutes_to_its_very_number_may_be_its_call() {
    type Change = fn(&mut Row);
    // Whatever stands in `Custom`, and however the number is written.
    let changes: [Change; 6] = [
        |row| row.custom.clear(),
        |row| row.custom = "clinic".into(),
        |row| row.custom = "00000000000000000000000000000000".into(),
        |row| row.custom.truncate(20),
        |row| {
            row.custom.clear();
            row.to = row.to.replace('+', "");
        },
        |row| {
            row.custom.clear();
            row.to.clear();
        },
    ];
    for change in changes {
        let (platform, desk, day) = lost_run(4);
        let mut all = rows(&platform.ledger(), &day);
        all.iter_mut().for_each(change);
        desk.write("cdr.csv", &csv(&all));
        let told = complete(&desk, &[&day]).ends(0).json();
        assert_eq!(told["doubted"].as_array().unwrap().len(), 4, "{told}");
        assert_eq!(told["left_uncertain"], 4, "{told}");
        let words = desk.run(&["reconcile", "--cdr", "cdr.csv", "--complete-day", &day]);
        assert!(
            words
                .ends(0)
                .stdout
                .contains("4 of those left uncertain may have been called"),
        );
        assert_eq!(ids(&desk, "uncertain").len(), 4);
        resumes_and_rings_nobody_twice(&desk, &platform);
    }
}

#[test]
fn a_record_of_another_attempt_or_of_other_minutes_is_not_its_call() {
    type Change = fn(&mut Row, &Row);
    let changes: [(Change, &str); 4] = [
        (
            |row, other| row.custom.clone_from(&other.attempt),
            "not_called",
        ),
        (|row, other| row.call.clone_from(&other.call), "not_called"),
        (|row, _| row.at = row.at.replace("T12", "T16"), "not_called"),
        (|_, _| {}, "doubted"),
    ];
    for (change, becomes) in changes {
        let (platform, desk, day) = uncertain_run();
        let ledger = platform.ledger();
        let mut all = rows(&ledger, &day);
        let finals = ids(&desk, "final");
        let known = all.iter().find(|row| finals.contains(&row.attempt));
        let known = known.unwrap().clone();
        // Somebody who was not called, and a record to their number.
        let called: HashSet<&str> = ledger.column("destination").into_iter().collect();
        let attempts = desk.export("attempts");
        let mut somebody = attempts.rows.iter();
        let somebody = somebody
            .find(|row| !called.contains(attempts.cell(row, "number")))
            .unwrap();
        let mut row = known.clone();
        row.custom = "clinic".into();
        row.call = "another-call".into();
        attempts.cell(somebody, "number").clone_into(&mut row.to);
        change(&mut row, &known);
        all.push(row);
        desk.write("cdr.csv", &csv(&all));
        let told = complete(&desk, &[&day]).ends(0).json();
        let attempt = attempts.cell(somebody, "attempt");
        let found = told[becomes].as_array().unwrap();
        assert!(found.iter().any(|id| id == attempt), "{becomes}: {told}");
        resumes_and_rings_nobody_twice(&desk, &platform);
    }
}

#[test]
fn every_call_that_any_run_of_the_database_knows_of_must_be_in_the_file() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    desk.tts(&people(3), "calls_per_second = 1000");
    desk.run(&["run", "c.toml", "--yes"]).ends(0);
    let earlier = platform.ledger();
    let platform = platform.replace(&["--time-scale", "0", "--lost", "1", "--seed", "9"]);
    let list = format!("name,phone\na,{}\nb,{}\n", number(70), number(71));
    desk.tts(&list, "calls_per_second = 1000");
    desk.run(&["run", "c.toml", "--yes"]).ends(5);
    let day = moved(&desk);
    let own = rows(&platform.ledger(), &day);
    // One of the run's own was placed on a number of its own, the other's record is not there.
    let mut all = own[..1].to_vec();
    desk.write("cdr.csv", &csv(&all));
    let refused = complete(&desk, &[&day]).ends(2);
    assert!(
        refused.stderr.contains("lacks 3 calls"),
        "{}",
        refused.stderr
    );
    // By their call ids alone they are known as well.
    let mut others = rows(&earlier, &day);
    for row in &mut others {
        row.custom.clear();
    }
    all.extend(others);
    desk.write("cdr.csv", &csv(&all));
    let told = complete(&desk, &[&day]).ends(0).json();
    assert_eq!(told["not_called"].as_array().unwrap().len(), 1, "{told}");
}

#[test]
fn who_may_have_been_called_on_two_days_needs_both() {
    let (platform, desk, day) = lost_run(2);
    let next = day.parse::<jiff::civil::Date>().unwrap() + 1.day();
    let next = next.to_string();
    execute(
        &desk.path("callout.db"),
        &format!("update attempts set answered_at = intended_at + {DAY_MS}"),
    );
    let mut all = rows(&platform.ledger(), &day);
    for (row, at) in all.iter_mut().zip([&day, &next]) {
        row.custom = "clinic".into();
        row.to = number(90);
        row.at = format!("{at}T11:00:00");
    }
    desk.write("cdr.csv", &csv(&all));
    for one in [&day, &next] {
        let told = complete(&desk, &[one]).ends(0).json();
        assert_eq!(told["left_uncertain"], 2, "{told}");
    }
    // All the time until it was given up counts.
    let mut theirs = all.clone();
    theirs[1].to = number(0);
    desk.write("cdr.csv", &csv(&theirs));
    let told = complete(&desk, &[&day, &next]).ends(0).json();
    assert_eq!(told["doubted"].as_array().unwrap().len(), 1, "{told}");
    assert_eq!(told["not_called"].as_array().unwrap().len(), 1, "{told}");
}

#[test]
fn of_several_legs_the_recipient_s_own_counts_and_a_row_twice_counts_once() {
    let (platform, desk, day) = lost_run(1);
    let own = rows(&platform.ledger(), &day).remove(0);
    let mut own = Row {
        result: "ANSWERED".into(),
        amount: "0.0200".into(),
        ..own
    };
    let leg = Row {
        call: "a-leg".into(),
        at: format!("{day}T12:00:00"),
        to: "46709999999".into(),
        result: "BUSY".into(),
        amount: "0.5".into(),
        ..own.clone()
    };
    let twice = own.clone();
    // What one row leaves open the other tells.
    own.amount.clear();
    desk.write(
        "cdr.csv",
        &csv(&[leg.clone(), own.clone(), twice.clone(), twice, leg]),
    );
    let told = complete(&desk, &[]).ends(0).json();
    assert_eq!(told["called"].as_array().unwrap().len(), 1, "{told}");
    let attempts = desk.export("attempts");
    assert_eq!(attempts.column("call_id"), [&own.call]);
    assert_eq!(attempts.column("result"), ["ANSWERED"]);
    assert_eq!(attempts.column("debit"), ["0.0200"]);
    let results = desk.export("results");
    assert_eq!(results.column("call_debit"), ["0.0200"]);
    // Later files change nothing of what is known.
    let again = complete(&desk, &[]).ends(0).json();
    assert_eq!(again["filled"].as_array().unwrap().len(), 0, "{again}");
}

#[test]
fn a_price_that_nobody_told_is_told_by_the_records_and_its_hold_is_released() {
    let flags = [
        "--time-scale",
        "0",
        "--mix",
        "1,0,0,0",
        "--odd",
        "debit=null",
    ];
    let platform = Platform::start(&flags);
    let desk = Desk::at(&platform);
    let spend = "calls_per_second = 1000\n[spend]\ncap = \"9 EUR\"\nrate = \"0.05 EUR\"";
    desk.tts(&people(3), spend);
    desk.run(&["run", "c.toml", "--yes"]).ends(0);
    let listed = desk.run(&["reconcile"]).ends(0);
    assert!(
        listed
            .stdout
            .contains("3 calls whose result or price is not known"),
        "{}",
        listed.stdout
    );
    let told = desk.run(&["reconcile", "--json"]).ends(0).json();
    assert_eq!(told["result_or_price_not_known"], 3, "{told}");
    let budget = |key: &str| {
        let report = desk.run(&["report", "--json"]).ends(0).json();
        let amount = report["budget"][key].as_str().map(str::to_owned);
        amount.unwrap_or_else(|| panic!("{report}"))
    };
    assert_eq!(budget("held_without_price"), "0.30");
    // Known by their call ids; one row does not tell its price.
    let mut all = rows(&platform.ledger(), "2026-01-05");
    for row in &mut all {
        row.custom.clear();
        row.amount = "0,0210".into();
        row.currency = "EUR".into();
    }
    all[2].amount.clear();
    // A call that one of them placed carries its attempt, and is not it.
    let leg = Row {
        call: "a-leg".into(),
        amount: "7".into(),
        custom: all[0].attempt.clone(),
        ..all[0].clone()
    };
    all.insert(0, leg);
    desk.write("cdr.csv", &csv(&all));
    let dry = ["reconcile", "--cdr", "cdr.csv", "--dry-run", "--json"];
    let would = desk.run(&dry).ends(0).json();
    assert_eq!(would["filled"].as_array().unwrap().len(), 2, "{would}");
    assert_eq!(budget("held_without_price"), "0.30");
    let told = complete(&desk, &[]).ends(0).json();
    assert_eq!(told["filled"], would["filled"]);
    assert_eq!(told["result_or_price_not_known"], 1, "{told}");
    assert_eq!(budget("held_without_price"), "0.10");
    assert_eq!(budget("billed"), "0.0420");
    let results = desk.export("results");
    assert_eq!(results.column("call_debit"), ["0.0210", "0.0210", ""]);
}

#[test]
fn a_call_that_was_given_up_is_settled_by_its_record_and_asks_retry() {
    let platform = Platform::start(&["--time-scale", "0", "--mix", "1,0,0,0"]);
    let desk = Desk::at(&platform);
    let retry = "calls_per_second = 1000\n[retry]\nmax_attempts = 2\nbusy = \"1s\"";
    desk.tts(&people(2), retry);
    desk.run(&["run", "c.toml", "--yes"]).ends(0);
    // As an engine leaves calls of which nobody could tell the result.
    let file = desk.path("callout.db");
    execute(
        &file,
        "update attempts set result = null, reason = null, duration_s = null, debit = null,
                currency = null, note = 'result unknown'",
    );
    execute(&file, "update recipients set disposition = 'unreached'");
    let mut all = rows(&platform.ledger(), "2026-01-05");
    all[0].result = "BUSY".into();
    all[0].amount.clear();
    desk.write("cdr.csv", &csv(&all));
    let told = complete(&desk, &[]).ends(0).json();
    assert_eq!(told["filled"].as_array().unwrap().len(), 2, "{told}");
    let status = desk.run(&["status", "--json"]).ends(0).json();
    assert_eq!(status["waiting"], 1, "{status}");
    let results = desk.export("results");
    assert_eq!(results.column("call_disposition")[1], "reached");
}

#[test]
fn what_an_engine_has_in_hand_is_left_to_it_and_settled_once_it_is_gone() {
    let flags = ["--time-scale", "1", "--mix", "1,0,0,0", "--ring", "600-600"];
    let platform = Platform::start(&flags);
    let desk = Desk::at(&platform);
    desk.tts(&people(2), "calls_per_second = 1000");
    let run = desk.start(&["run", "c.toml", "--yes"]);
    wait_for("calls that go on", || {
        let going = platform.posted() == 2 && ids(&desk, "accepted").len() == 2;
        going.then_some(())
    });
    let all = rows(&platform.ledger(), "2026-01-05");
    desk.write("cdr.csv", &csv(&all));
    let told = complete(&desk, &[]).ends(0).json();
    assert_eq!(
        told["left_to_engine"].as_array().unwrap().len(),
        2,
        "{told}"
    );
    assert_eq!(told["filled"].as_array().unwrap().len(), 0, "{told}");
    let words = desk.run(&["reconcile", "--cdr", "cdr.csv", "--dry-run"]);
    let words = words.ends(0).stdout;
    assert!(
        words.contains("2 calls are in the hands of the engine"),
        "{words}"
    );
    assert_eq!(ids(&desk, "accepted").len(), 2);
    assert!(run.kill(), "it went on");
    let told = complete(&desk, &[]).ends(0).json();
    assert_eq!(told["filled"].as_array().unwrap().len(), 2, "{told}");
    assert_eq!(ids(&desk, "final").len(), 2);
    // Nothing is left to do, and the resumed run sees it.
    let resumed = resumes_and_rings_nobody_twice(&desk, &platform);
    assert_eq!(resumed.code, Some(0), "{}", resumed.stderr);
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
