//! `[window]` from outside: when the platform's own ledger says that a phone rang.

use std::fmt::Write as _;

use crate::support::{Desk, Platform, number, people, wait_for};
use callout::clock::{Clock as _, SystemClock};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rustix::process::Signal;

fn now() -> Timestamp {
    SystemClock::start().wall()
}

/// The time of day in UTC, so much from now.
fn clock(ahead: SignedDuration) -> String {
    let at = now().checked_add(ahead).unwrap().to_zoned(TimeZone::UTC);
    at.strftime("%H:%M:%S").to_string()
}

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

fn campaign(desk: &Desk, list: &str, rate: &str, window: &str) {
    desk.tts(list, rate);
    let text = String::from_utf8(desk.read("c.toml")).unwrap();
    desk.write("c.toml", &format!("{text}\n[window]\n{window}\n"));
}

/// When phones rang.
fn rung(platform: &Platform) -> Vec<Timestamp> {
    let ledger = platform.ledger();
    let times = ledger.column("accepted_at").into_iter();
    times.map(|at| at.parse().unwrap()).collect()
}

#[test]
fn nobody_is_called_while_the_window_is_closed_and_everybody_when_it_opens() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    let opens = now().checked_add(SignedDuration::from_secs(4)).unwrap();
    let from = clock(SignedDuration::from_secs(4));
    let window = format!(
        "from = \"{from}\"\nuntil = \"{}\"\ntime_zone = \"UTC\"",
        clock(hours(3))
    );
    campaign(&desk, &people(20), "calls_per_second = 100", &window);
    desk.run(&["run", "c.toml", "--yes", "--output", "r.csv"])
        .ends(0);
    let rung = rung(&platform);
    assert_eq!(rung.len(), 20);
    // The clock is cut to whole seconds in the campaign.
    let opens = opens.checked_sub(SignedDuration::from_secs(1)).unwrap();
    assert!(rung.iter().all(|at| *at >= opens), "{opens}: {rung:?}");
}

#[test]
fn a_window_that_closes_leaves_the_rest_waiting_or_expired() {
    for (on_close, word, code) in [("wait", "", None), ("expire", "expired", Some(0))] {
        let platform = Platform::start(&["--time-scale", "0"]);
        let desk = Desk::at(&platform);
        let closes = now().checked_add(SignedDuration::from_secs(6)).unwrap();
        let until = clock(SignedDuration::from_secs(6));
        let window = format!(
            "from = \"{}\"\nuntil = \"{until}\"\ntime_zone = \"UTC\"\non_close = \"{on_close}\"",
            clock(hours(-2))
        );
        campaign(&desk, &people(100), "calls_per_second = 5", &window);
        let run = desk.start(&["run", "c.toml", "--yes", "--output", "r.csv"]);
        let out = if code.is_some() {
            run.wait().ends(0)
        } else {
            wait_for("the window to close", || {
                let status = desk.run(&["status", "--json"]);
                let told: serde_json::Value = serde_json::from_str(&status.stdout).ok()?;
                (told["waiting"].as_u64()? > 40).then_some(())
            });
            run.signal(Signal::TERM);
            run.wait().ends(3)
        };
        let rung = rung(&platform);
        assert!((1..100).contains(&rung.len()), "{} of 100", rung.len());
        assert!(rung.iter().all(|at| *at <= closes), "{closes}: {rung:?}");
        let results = desk.table("r.csv");
        let left = results.counts("call_disposition").get(word).copied();
        assert_eq!(left, Some(100 - rung.len()), "{}", out.stdout);
    }
}

#[test]
fn each_is_judged_by_their_own_clock_and_who_has_none_is_held() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    let zones = ["Etc/UTC", "Etc/GMT+12", "Etc/GMT-1", "Mars/Base", "EST"];
    let mut list = String::from("phone,name,zone\n");
    for (nth, zone) in zones.iter().enumerate() {
        writeln!(list, "{},A,{zone}", number(nth)).unwrap();
    }
    let window = format!(
        "from = \"{}\"\nuntil = \"{}\"",
        clock(hours(-2)),
        clock(hours(2))
    );
    campaign(&desk, &list, "calls_per_second = 50", &window);
    let text = String::from_utf8(desk.read("c.toml")).unwrap();
    desk.write(
        "c.toml",
        &text.replace("[callout.tts]", "time_zone = \"zone\"\n[callout.tts]"),
    );
    let run = desk.start(&["run", "c.toml", "--yes"]);
    wait_for("those who may be called", || {
        (platform.posted() == 2).then_some(())
    });
    wait_for("the others to wait", || {
        let status = desk.run(&["status", "--json"]);
        let told: serde_json::Value = serde_json::from_str(&status.stdout).ok()?;
        (told["waiting"] == 3).then_some(())
    });
    run.signal(Signal::TERM);
    run.wait().ends(3);
    let ledger = platform.ledger();
    let mut called = ledger.column("destination");
    called.sort_unstable();
    assert_eq!(called, [number(0), number(2)]);
}

#[test]
fn a_run_of_whom_nobody_knows_the_time_ends_with_work_left_and_calls_nobody() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    let list = format!("phone,name,zone\n{},A,Nowhere\n", number(1));
    campaign(
        &desk,
        &list,
        "calls_per_second = 50",
        "from = \"00:00\"\nuntil = \"24:00\"",
    );
    let text = String::from_utf8(desk.read("c.toml")).unwrap();
    desk.write(
        "c.toml",
        &text.replace("[callout.tts]", "time_zone = \"zone\"\n[callout.tts]"),
    );
    let out = desk.run(&["run", "c.toml", "--yes"]).ends(3);
    assert!(
        out.stdout.contains("time zone is not known"),
        "{}",
        out.stdout
    );
    desk.run(&["resume"]).ends(3);
    assert_eq!(platform.posted(), 0);
}

#[test]
fn a_run_keeps_the_dates_it_began_with() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    let today = now().to_zoned(TimeZone::UTC).date();
    let days = [today.yesterday().unwrap(), today, today.tomorrow().unwrap()];
    desk.write(
        "holidays.txt",
        &days.map(|day| format!("{day}  a holiday\n")).concat(),
    );
    let window = "from = \"00:00\"\nuntil = \"24:00\"\ntime_zone = \"UTC\"\nblackout_file = \"holidays.txt\"";
    campaign(&desk, &people(3), "calls_per_second = 50", window);
    let run = desk.start(&["run", "c.toml", "--yes"]);
    let waiting = || {
        let status = desk.run(&["status", "--json"]);
        let told: serde_json::Value = serde_json::from_str(&status.stdout).ok()?;
        (told["waiting"] == 3).then_some(())
    };
    wait_for("everybody to wait", waiting);
    assert!(run.kill());
    std::fs::remove_file(desk.path("holidays.txt")).unwrap();
    let run = desk.start(&["resume"]);
    wait_for("the run to go on", || {
        run.said().contains("resuming").then_some(())
    });
    run.signal(Signal::TERM);
    run.wait().ends(3);
    assert_eq!(
        platform.posted(),
        0,
        "a holiday is one though its file is gone"
    );
}

#[test]
fn a_plan_says_who_may_be_called_when_and_a_rehearsal_waits_for_nobody() {
    let desk = Desk::empty();
    let mut list = String::from("phone,name,zone\n");
    for (nth, zone) in ["Etc/UTC", "Etc/GMT+12", "Nowhere", ""].iter().enumerate() {
        writeln!(list, "{},A,{zone}", number(nth)).unwrap();
    }
    let window = format!(
        "from = \"{}\"\nuntil = \"{}\"\n[retry]\nmax_attempts = 2\nbusy = \"3h\"",
        clock(hours(-4)),
        clock(hours(4))
    );
    campaign(&desk, &list, "calls_per_second = 50", &window);
    let text = String::from_utf8(desk.read("c.toml")).unwrap();
    desk.write(
        "c.toml",
        &text.replace("[callout.tts]", "time_zone = \"zone\"\n[callout.tts]"),
    );
    let plan = desk.run(&["plan", "c.toml", "--json"]).ends(0).json();
    assert_eq!(plan["window"]["held"], 1, "{plan}");
    assert_eq!(plan["window"]["later"], 1, "{plan}");
    assert_eq!(
        plan["window"]["now"], 2,
        "an empty cell leaves it to the number: {plan}"
    );
    let out = desk.run(&["plan", "c.toml"]).ends(0).stdout;
    assert!(out.contains("1 are held"), "{out}");
    let busy = [
        "rehearse",
        "c.toml",
        "--time-scale",
        "0",
        "--mix",
        "0,1,0,0",
        "--json",
    ];
    let out = desk.run(&busy).ends(0);
    assert!(out.stderr.contains("keeps no window"), "{}", out.stderr);
    assert_eq!(out.json()["dispositions"]["unreached"], 4);
    let results = desk.table("c-rehearsal.csv");
    assert_eq!(results.counts("call_attempts").get("2"), Some(&4));
}
