//! Figures that cannot be believed, from outside: prices of nothing, debits and durations that no call
//! can have, answers about other calls. The cap holds by the platform's own ledger, and every command
//! goes on working, also on a database that an earlier version wrote.

use crate::support::{Desk, Out, Platform, execute, people, wait_for};
use rust_decimal::Decimal;

const PLATFORM: [&str; 4] = ["--time-scale", "0", "--mix", "1,0,0,0"];

fn platform(more: &[&str]) -> Platform {
    Platform::start(&[&PLATFORM, more].concat())
}

/// A desk with a campaign of so many people and a `[spend]`.
fn desk(platform: &Platform, rows: usize, spend: &str) -> Desk {
    let desk = Desk::at(platform);
    let rest = format!("calls_per_second = 200\n{spend}");
    desk.tts(&people(rows), &rest);
    desk
}

fn budget(out: &Out, what: &str) -> Decimal {
    out.json()["budget"][what]
        .as_str()
        .unwrap()
        .parse()
        .unwrap()
}

#[test]
fn a_price_of_nothing_or_less_is_no_price() {
    for price in ["+467=0", "+467=0.0000", "+467=-0.0415"] {
        let platform = platform(&["--price", price]);
        let desk = desk(&platform, 20, "[spend]\ncap = \"0.10 EUR\"");
        let out = desk.run(&["run", "c.toml", "--yes"]).ends(2);
        assert!(
            out.stderr.contains("SE mobile has no price"),
            "{}",
            out.stderr
        );
        let plan = desk.run(&["plan", "c.toml"]).ends(0);
        assert!(plan.stdout.contains("not known"), "{}", plan.stdout);
        assert_eq!(platform.posted(), 0, "{price}");
    }
    // A campaign says nothing of the kind either.
    let platform = platform(&[]);
    for spend in [
        "cap = \"0 EUR\"",
        "cap = \"-1 EUR\"",
        "cap = \"0.00 EUR\"",
        "per_day = \"0 EUR\"",
        "cap = \"1 EUR\"\nrate = \"0 EUR\"",
        "cap = \"1 EUR\"\nrate = \"-0.05 EUR\"",
        "cap = \"1 EUR\"\nrates = { \"+46\" = \"0 EUR\" }",
    ] {
        let desk = desk(&platform, 2, &format!("[spend]\n{spend}"));
        let out = desk.run(&["run", "c.toml", "--yes"]).ends(2);
        assert!(out.stderr.contains("no amount"), "{spend}: {}", out.stderr);
    }
    assert_eq!(platform.posted(), 0);
}

#[test]
fn a_run_that_began_with_holds_of_nothing_calls_nobody_more() {
    let platform = platform(&["--answer-after", "20"]);
    let desk = desk(
        &platform,
        300,
        "[spend]\ncap = \"100 EUR\"\nrate = \"0.05 EUR\"",
    );
    let run = desk.start(&["run", "c.toml", "--yes"]);
    wait_for("calls", || (platform.posted() > 5).then_some(()));
    assert!(run.kill());
    for hold in ["0.00", "-0.05"] {
        let sql = format!("update recipients set hold = '{hold}' where hold is not null");
        execute(&desk.path("callout.db"), &sql);
        let before = platform.posted();
        let out = desk.run(&["resume"]).ends(4);
        assert!(
            out.stdout
                .contains("nobody says what the next call may cost"),
            "{}",
            out.stdout
        );
        assert_eq!(platform.posted(), before);
    }
}

#[test]
fn a_debit_that_is_no_price_in_the_currency_of_the_cap_stops_the_run_and_gives_nothing_back() {
    for (odd, words, currency) in [
        (r#"debit="0.05 Kronor""#, "billed 0.05 Kronor", "Kronor"),
        (
            r#"debit={"currencyId":"US$","amount":0.01}"#,
            "billed 0.01 US$",
            "US$",
        ),
        (r#"debit="1 000,50 EUR""#, "billed `1 000,50 EUR`", ""),
        ("debit=1e400", "billed `1e400`", ""),
        (
            r#"debit={"currencyId":"EUR","amount":-3}"#,
            "billed `-3 EUR`",
            "EUR",
        ),
    ] {
        let platform = platform(&["--odd", odd]);
        let desk = desk(
            &platform,
            200,
            "[spend]\ncap = \"500 EUR\"\nrate = \"0.05 EUR\"",
        );
        let out = desk.run(&["run", "c.toml", "--yes"]).ends(4);
        assert!(out.stdout.contains(words), "{odd}: {}", out.stdout);
        let told = desk.run(&["report", "--json"]).ends(0);
        assert_eq!(budget(&told, "billed"), Decimal::ZERO, "{odd}");
        let calls = platform.ledger().rows.len();
        assert!(calls < 200, "{odd}");
        // Each keeps its hold in the account: two started minutes at the campaign's rate.
        let kept = budget(&told, "held_without_price") + budget(&told, "held");
        assert_eq!(kept, Decimal::new(10, 2) * Decimal::from(calls), "{odd}");
        let results = desk.export("results");
        let told = results.column("call_currency");
        assert!(told.contains(&currency), "{odd}: {told:?}");
    }
}

#[test]
fn the_cap_holds_while_no_debit_can_be_read_however_often_the_run_is_resumed() {
    for odd in [r#"debit="0.05 Kronor""#, "debit=-3", "debit=1e400"] {
        let platform = platform(&["--odd", odd]);
        let desk = desk(
            &platform,
            60,
            "[spend]\ncap = \"0.50 EUR\"\nrate = \"0.05 EUR\"",
        );
        desk.run(&["run", "c.toml", "--yes"]).ends(4);
        for _ in 0..8 {
            desk.run(&["resume"]).ends(4);
        }
        // Room for five holds of 0.10 each, and none is given back.
        assert_eq!(platform.posted(), 5, "{odd}");
        let status = desk.run(&["status"]).ends(0);
        assert!(
            status.stdout.contains("spend cap is reached"),
            "{}",
            status.stdout
        );
    }
}

/// Every command that adds up what is stored.
fn all_work(desk: &Desk) {
    desk.run(&["report"]).ends(0);
    desk.run(&["report", "--json"]).ends(0);
    desk.run(&["status"]).ends(0);
    desk.run(&["resume"]).ends(0);
    desk.run(&["export", "--table", "attempts"]).ends(0);
    let number = desk.export("results").column("phone")[0].to_owned();
    desk.run(&["why", "--line", "2"]).ends(0);
    assert!(!number.is_empty());
}

#[test]
fn a_duration_that_no_call_can_have_is_unknown_and_kept_as_it_was_said() {
    let endless = format!(r#"result="{}""#, "A".repeat(100_000));
    for odd in [
        "duration=9223372036854775807",
        "duration=9223372036854775808",
        "duration=-1",
        "duration=1e400",
        "debit=7777777777777777777777777777777777777777",
        r#"timestamp="99999-01-01T00:00:00""#,
        endless.as_str(),
    ] {
        let platform = platform(&["--odd", odd]);
        let desk = desk(&platform, 3, "");
        desk.run(&["run", "c.toml", "--yes"]).ends(0);
        all_work(&desk);
        let attempts = desk.export("attempts");
        let (field, said) = odd.split_once('=').unwrap();
        if field == "duration" {
            assert_eq!(attempts.column("duration_s"), [""; 3], "{odd}");
        }
        if field == "duration" || field == "debit" {
            let note = attempts.column("note")[0];
            assert!(note.contains(said), "{odd}: {note}");
        }
        assert!(attempts.column("result")[0].len() < 100);
        desk.run(&["purge", "--all", "--after", "0s", "--yes"])
            .ends(0);
    }
}

#[test]
fn a_database_that_holds_what_cannot_be_believed_is_read_again() {
    let platform = platform(&[]);
    let desk = desk(
        &platform,
        3,
        "[spend]\ncap = \"500 EUR\"\nrate = \"0.05 EUR\"",
    );
    desk.run(&["run", "c.toml", "--yes"]).ends(0);
    for change in [
        "duration_s = 9223372036854775807",
        "duration_s = -9223372036854775807",
        "debit = '79228162514264337593543950335'",
        "debit = 'NaN'",
        "intended_at = 9223372036854775807, ended_at = -9223372036854775808",
        "hold = '-79228162514264337593543950335'",
        "currency = 'Kronor', debit = null",
    ] {
        execute(
            &desk.path("callout.db"),
            &format!("update attempts set {change}"),
        );
        all_work(&desk);
        let told = desk.run(&["report", "--json"]).ends(0);
        assert!(budget(&told, "billed") <= Decimal::ONE, "{change}");
    }
    desk.run(&["purge", "--all", "--after", "0s", "--yes"])
        .ends(0);
}

#[test]
fn an_answer_about_another_call_is_not_believed_and_asked_again() {
    let platform = platform(&["--odd", r#"callId="another""#, "--odd", r#"result="BUSY""#]);
    let desk = desk(&platform, 5, "");
    let out = desk.run(&["run", "c.toml", "--yes"]).ends(0);
    assert!(out.stdout.contains("5 rows = 5 reached"), "{}", out.stdout);
    assert!(out.stderr.contains("id of another call"), "{}", out.stderr);
    let served = platform.ledger();
    assert_eq!(served.column("final_served"), ["2"; 5]);
}
