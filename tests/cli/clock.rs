//! The machine's clock set back by days, as a database sees it: its moments lie ahead. Nobody is dialled
//! until a person says that the clock is right, that is kept, and the day's money is not spent again.

use callout::clock::{Clock as _, SystemClock};
use jiff::tz::TimeZone;
use rustix::process::Signal;

use crate::support::{Desk, Platform, execute, people, wait_for};

const DAY_MS: i64 = 86_400_000;

/// Room for two calls of 0.0415 a day: each holds twice as much.
fn desk(platform: &Platform, rows: usize) -> Desk {
    // Where it is about noon now, so that no day ends meanwhile.
    let hour = SystemClock::start().wall().to_zoned(TimeZone::UTC).hour();
    let zone = format!("Etc/GMT{:+}", i32::from(hour) - 12);
    let desk = Desk::at(platform);
    desk.tts(
        &people(rows),
        &format!(
            "calls_per_second = 200\n[spend]\nper_day = \"0.13 EUR\"\ntime_zone = \"{zone}\"\n\
             rate = \"0.0415 EUR\""
        ),
    );
    desk
}

fn platform() -> Platform {
    Platform::start(&["--time-scale", "0", "--mix", "1,0,0,0"])
}

/// The clock goes back by so much: everything in the database is that much later than it was.
fn set_back(desk: &Desk, ms: i64) {
    let database = desk.path("callout.db");
    for (table, columns) in [
        ("attempts", ["intended_at", "answered_at", "ended_at"]),
        ("runs", ["created_at", "started_at", "ended_at"]),
    ] {
        for column in columns {
            let sql = format!("update {table} set {column} = {column} + {ms}");
            execute(&database, &sql);
        }
    }
    execute(
        &database,
        &format!("update clock_acceptances set wall = wall + {ms}, newest = newest + {ms}"),
    );
}

/// Starts a command that comes to the day's cap, and stops it there.
fn comes_to_the_days_cap(desk: &Desk, command: &[&str]) {
    let run = desk.start(command);
    wait_for("the day's cap", || {
        let out = desk.run(&["why", "--json"]);
        let told: serde_json::Value = serde_json::from_str(&out.stdout).ok()?;
        let why = told["why_not_faster"].as_str()?.to_owned();
        (why.contains("left of per_day") && told["in_flight"] == 0).then_some(())
    });
    run.signal(Signal::TERM);
    run.wait().ends(3);
}

#[test]
fn a_clock_that_was_set_back_dials_nobody_until_it_is_said_to_be_right() {
    for days in 1..=3 {
        let platform = platform();
        let desk = desk(&platform, 2);
        desk.run(&["run", "c.toml", "--yes"]).ends(0);
        assert_eq!(platform.posted(), 2);
        set_back(&desk, days * DAY_MS);
        desk.write("list.csv", &people(9));
        for command in [
            ["run", "c.toml", "--yes"].as_slice(),
            &[
                "call",
                "place",
                "+46701740699",
                "--cli",
                "+46100000000",
                "--text",
                "x",
            ],
        ] {
            let out = desk.run(command).ends(2);
            assert!(
                out.stderr.contains("a later time") && out.stderr.contains(", run "),
                "{}",
                out.stderr
            );
        }
        assert_eq!(platform.posted(), 2);
        // The day's money is spent, whatever the clock shows, at each further start as well.
        comes_to_the_days_cap(&desk, &["run", "c.toml", "--yes", "--clock-is-right"]);
        comes_to_the_days_cap(&desk, &["resume"]);
        assert_eq!(platform.posted(), 2, "{days} days");
        // Back once more, behind what was accepted: asked again, and still nothing is left.
        set_back(&desk, DAY_MS);
        desk.run(&["resume"]).ends(2);
        comes_to_the_days_cap(&desk, &["resume", "--clock-is-right"]);
        // And forth again, to the day on which it was spent: it stays counted there.
        set_back(&desk, -(days + 1) * DAY_MS);
        comes_to_the_days_cap(&desk, &["resume"]);
        assert_eq!(platform.posted(), 2, "{days} days");
    }
}

#[test]
fn a_run_that_was_made_by_a_clock_ahead_counts_what_it_spends_today() {
    let platform = platform();
    let desk = desk(&platform, 9);
    let run = desk.start(&["run", "c.toml", "--yes"]);
    wait_for("a POST", || (platform.posted() > 0).then_some(()));
    assert!(run.kill());
    let before = platform.posted();
    set_back(&desk, 40 * DAY_MS);
    let out = desk.run(&["resume"]).ends(2);
    assert!(out.stderr.contains("--clock-is-right"), "{}", out.stderr);
    assert_eq!(platform.posted(), before);
    comes_to_the_days_cap(&desk, &["resume", "--clock-is-right"]);
    for _ in 0..3 {
        comes_to_the_days_cap(&desk, &["resume"]);
        // Three calls at the most, whoever knows of them.
        assert!(platform.posted() <= 3, "{} calls", platform.posted());
    }
}

#[test]
fn a_clock_that_is_off_by_a_minute_is_set_right_without_a_word() {
    let platform = platform();
    let desk = desk(&platform, 1);
    desk.run(&["run", "c.toml", "--yes"]).ends(0);
    set_back(&desk, 60_000);
    let out = desk
        .run(&["run", "c.toml", "--yes", "--again", "--clock-is-right"])
        .ends(0);
    assert!(!out.stderr.contains("clock"), "{}", out.stderr);
    assert_eq!(platform.posted(), 2);
}
