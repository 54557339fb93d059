//! Schedules with the binary: waiting, missing, expiring, and that no start ever makes two runs. The
//! rules themselves are proved in `domain`; here they meet clock, files, database and platform.

use std::path::PathBuf;
use std::time::Duration;

use crate::support::{Desk, Platform, people, wait_for};
use callout::clock::{Clock as _, SystemClock};
use jiff::{SignedDuration, Timestamp};
use rustix::process::Signal;
use serde_json::Value;

fn now() -> Timestamp {
    SystemClock::start().wall()
}

fn seconds(count: i64) -> SignedDuration {
    SignedDuration::from_secs(count)
}

/// A moment as a campaign file has it.
fn written(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S[UTC]").to_string()
}

/// A campaign `c.toml` for so many people, with a schedule.
fn campaign(desk: &Desk, recipients: usize, rate: u32, schedule: &str) {
    let pacing = format!("calls_per_second = {rate}\n[schedule]\n{schedule}");
    desk.tts(&people(recipients), &pacing);
}

/// A rule for every hour whose latest moment was ten minutes ago: missed, and the next far away.
fn ten_minutes_ago() -> String {
    let minute = (now() - seconds(600)).strftime("%-M").to_string();
    let start = written(now() - seconds(3 * 3600 + 1800));
    format!("start = \"{start}\"\nrepeat = \"{minute} * * * *\"\n")
}

fn listed(desk: &Desk) -> Value {
    let list = desk.run(&["schedule", "list", "--json"]).ends(0).json();
    list["campaigns"][0].clone()
}

/// What became of the latest occurrences: `run`, or why not.
fn fates(desk: &Desk) -> Vec<String> {
    let earlier = listed(desk)["earlier"].clone();
    let fate = |record: &Value| match record["skipped"].as_str() {
        Some(why) => why.to_owned(),
        None => "run".to_owned(),
    };
    earlier.as_array().unwrap().iter().map(fate).collect()
}

#[test]
fn a_run_waits_for_its_start_and_a_start_is_used_once() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    let start = now() + seconds(3);
    campaign(&desk, 5, 100, &format!("start = \"{}\"", written(start)));
    let run = desk.start(&["run", "c.toml", "--yes"]);
    // Nothing is dialled before, and the database is free for others.
    wait_for("the database", || {
        desk.path("callout.db").exists().then_some(())
    });
    assert_eq!(platform.posted(), 0);
    let end = run.wait().ends(0);
    assert!(now() >= start.round(jiff::Unit::Second).unwrap() - seconds(1));
    assert!(
        end.stderr.contains("waiting for the start of c"),
        "{}",
        end.stderr
    );
    assert_eq!(platform.ledger().rows.len(), 5);
    let status = desk.run(&["status", "--json"]).ends(0).json();
    let scheduled: Timestamp = status["scheduled_for"].as_str().unwrap().parse().unwrap();
    assert_eq!(written(scheduled), written(start));
    assert_eq!(status["expires_at"], Value::Null);
    // That start has been.
    let refusal = desk.run(&["run", "c.toml", "--yes"]).ends(2).stderr;
    assert!(
        refusal.contains("was started for it") && refusal.contains("--now"),
        "{refusal}"
    );
    desk.run(&["schedule", "run", "c.toml"]).ends(0);
    assert_eq!(platform.ledger().rows.len(), 5);
    desk.run(&["run", "c.toml", "--yes", "--now", "--again"])
        .ends(0);
    assert_eq!(platform.ledger().rows.len(), 10);
    let status = desk.run(&["status", "--json"]).ends(0).json();
    assert_eq!(status["scheduled_for"], Value::Null);
}

#[test]
fn a_start_that_is_too_late_is_refused_and_one_that_is_not_runs_late() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    let hour_ago = written(now() - seconds(3600));
    campaign(
        &desk,
        3,
        100,
        &format!("start = \"{hour_ago}\"\nexpires_after = \"30m\""),
    );
    let refusal = desk.run(&["run", "c.toml", "--yes"]).ends(2).stderr;
    let told = ["expires_after has gone by", "Nothing was dialled", "--now"];
    assert!(told.iter().all(|t| refusal.contains(t)), "{refusal}");
    assert_eq!(platform.posted(), 0);
    campaign(
        &desk,
        3,
        100,
        &format!("start = \"{hour_ago}\"\nexpires_after = \"2h\""),
    );
    desk.run(&["run", "c.toml", "--yes"]).ends(0);
    assert_eq!(platform.ledger().rows.len(), 3);
}

#[test]
fn a_signal_while_waiting_ends_with_nothing_dialled() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    let later = written(now() + seconds(3600));
    campaign(&desk, 3, 100, &format!("start = \"{later}\""));
    for (args, code) in [
        (["run", "c.toml", "--yes"].as_slice(), 3),
        (&["schedule", "run", "c.toml"], 0),
    ] {
        let waiting = desk.start(args);
        wait_for("the wait", || {
            let told = std::fs::read_dir(desk.path("")).unwrap().any(|entry| {
                let path: PathBuf = entry.unwrap().path();
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                name.starts_with(".stderr")
                    && std::fs::read_to_string(&path).unwrap().contains("start")
            });
            told.then_some(())
        });
        std::thread::sleep(Duration::from_millis(200));
        waiting.signal(Signal::INT);
        let end = waiting.wait().ends(code);
        assert!(end.stderr.contains("stopped"), "{}", end.stderr);
        for entry in std::fs::read_dir(desk.path("")).unwrap() {
            let path = entry.unwrap().path();
            if path.to_string_lossy().contains(".stderr") {
                std::fs::remove_file(path).unwrap();
            }
        }
    }
    assert_eq!(platform.posted(), 0);
    desk.run(&["status"]).ends(2);
}

#[test]
fn a_run_that_expires_stops_dialling_and_accounts_for_everybody() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    let start = now() - seconds(1);
    let schedule = format!("start = \"{}\"\nexpires_after = \"4s\"", written(start));
    campaign(&desk, 200, 10, &schedule);
    let args = ["run", "c.toml", "--yes", "--output", "out.csv"];
    let end = desk.run(&args).ends(0);
    assert!(end.stdout.contains("expired"), "{}", end.stdout);
    let rung = platform.ledger().rows.len();
    let results = desk.table("out.csv");
    let expired = results.counts("call_disposition")["expired"];
    assert_eq!(rung + expired, 200);
    assert!(rung > 5 && expired > 100, "{rung} rang, {expired} expired");
    let status = desk.run(&["status", "--json"]).ends(0).json();
    assert_eq!(
        (&status["state"], &status["adds_up"]),
        (&"expired".into(), &true.into())
    );
    let end: Timestamp = status["expires_at"].as_str().unwrap().parse().unwrap();
    assert_eq!(written(end), written(start + seconds(4)));
    let attempts = desk.export("attempts");
    for at in attempts.column("intended_at") {
        assert!(at.parse::<Timestamp>().unwrap() <= end, "{at}");
    }
    // It is over.
    desk.run(&["resume"]).ends(0);
    desk.run(&["cancel", "--yes"]).ends(2);
    assert_eq!(platform.ledger().rows.len(), rung);
}

#[test]
fn a_resume_after_the_end_calls_nobody_else() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    let start = written(now());
    campaign(
        &desk,
        100,
        10,
        &format!("start = \"{start}\"\nexpires_after = \"5s\""),
    );
    let run = desk.start(&["run", "c.toml", "--yes"]);
    wait_for("calls", || (platform.posted() > 5).then_some(()));
    run.signal(Signal::INT);
    run.wait().ends(3);
    let rung = platform.ledger().rows.len();
    let end: Timestamp = {
        let status = desk.run(&["status", "--json"]).ends(0).json();
        status["expires_at"].as_str().unwrap().parse().unwrap()
    };
    wait_for("the end", || (now() > end).then_some(()));
    desk.run(&["resume"]).ends(0);
    assert_eq!(platform.ledger().rows.len(), rung);
    let results = desk.export("results");
    assert_eq!(results.counts("call_disposition")["expired"], 100 - rung);
}

#[test]
fn two_schedulers_make_one_run_and_its_results_have_the_starts_name() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    let start = now() + seconds(3);
    campaign(&desk, 20, 50, &format!("start = \"{}\"", written(start)));
    let both = [(); 2].map(|()| desk.start(&["schedule", "run", "c.toml"]));
    for scheduler in both {
        let end = scheduler.wait().ends(0);
        assert!(end.stderr.contains("no further start"), "{}", end.stderr);
    }
    assert_eq!(platform.ledger().rows.len(), 20);
    let name = start.strftime("c-%Y-%m-%dT%H%M%S.csv").to_string();
    assert_eq!(
        desk.table(&name)
            .counts("call_disposition")
            .values()
            .sum::<usize>(),
        20
    );
    assert_eq!(fates(&desk), ["run"]);
    assert_eq!(listed(&desk)["last_run"]["state"], "completed");
}

#[test]
fn several_missed_starts_are_one_run_or_none() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    campaign(&desk, 4, 100, &ten_minutes_ago());
    let args = ["schedule", "run", "c.toml", "--once"];
    let said = desk.run(&args).ends(0).stderr;
    assert!(
        said.contains("and 2 before it") || said.contains("and 1 before it"),
        "{said}"
    );
    assert_eq!(platform.ledger().rows.len(), 4);
    let became = fates(&desk);
    assert_eq!(became[0], "run");
    assert!(
        became.len() > 2 && became[1..].iter().all(|fate| fate == "superseded"),
        "{became:?}"
    );
    // Where late starts are not wanted, or too late, nobody is called.
    for policy in ["misfire = \"skip\"", "expires_after = \"5m\""] {
        let desk = Desk::at(&platform);
        campaign(&desk, 4, 100, &format!("{}{policy}", ten_minutes_ago()));
        let waiting = desk.start(&args);
        wait_for("what was missed", || (fates_now(&desk)? > 2).then_some(()));
        waiting.signal(Signal::TERM);
        waiting.wait().ends(0);
        let why = if policy.starts_with('m') {
            "missed"
        } else {
            "stale"
        };
        assert!(
            fates(&desk).iter().all(|fate| fate == why),
            "{:?}",
            fates(&desk)
        );
    }
    assert_eq!(platform.ledger().rows.len(), 4);
}

fn fates_now(desk: &Desk) -> Option<usize> {
    let out = desk.run(&["schedule", "list", "--json"]);
    let list: Value = serde_json::from_str(&out.stdout).ok()?;
    Some(list["campaigns"][0]["earlier"].as_array()?.len())
}

#[test]
fn a_campaign_at_fault_is_skipped_and_recorded_and_it_goes_on() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    campaign(&desk, 4, 100, &ten_minutes_ago());
    std::fs::remove_file(desk.path("list.csv")).unwrap();
    let scheduler = desk.start(&["schedule", "run", "c.toml"]);
    wait_for("the fault", || {
        (fates_now(&desk)? > 2 && fates(&desk)[0] == "fault").then_some(())
    });
    let reason = listed(&desk)["earlier"][0]["reason"].clone();
    assert!(reason.as_str().unwrap().contains("list.csv"), "{reason}");
    // A file that is changed while it waits holds from then on, and each start reads its list anew.
    let soon = written(now() + seconds(3));
    campaign(&desk, 6, 100, &format!("start = \"{soon}\""));
    let end = scheduler.wait().ends(0);
    assert!(
        end.stderr.contains("the campaign was at fault"),
        "{}",
        end.stderr
    );
    assert_eq!(platform.ledger().rows.len(), 6);
    assert_eq!(fates(&desk)[..2], ["run", "fault"]);
}

#[test]
fn a_start_that_comes_while_a_run_is_unfinished_is_skipped() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    desk.tts(&people(80), "calls_per_second = 20");
    let run = desk.start(&["run", "c.toml", "--yes"]);
    wait_for("calls", || (platform.posted() > 2).then_some(()));
    run.signal(Signal::INT);
    run.wait().ends(3);
    let rung = platform.ledger().rows.len();
    campaign(
        &desk,
        80,
        20,
        &format!("start = \"{}\"", written(now() + seconds(2))),
    );
    let said = desk.run(&["schedule", "run", "c.toml"]).ends(0).stderr;
    assert!(said.contains("until it is, starts are skipped"), "{said}");
    assert_eq!(fates(&desk), ["overlap"]);
    assert_eq!(platform.ledger().rows.len(), rung);
    // The run that was in the way goes on; the start that was skipped stays skipped.
    desk.run(&["resume"]).ends(0);
    desk.run(&["schedule", "run", "c.toml"]).ends(0);
    desk.run(&["run", "c.toml", "--yes"]).ends(2);
    assert_eq!(platform.ledger().rows.len(), 80);
}

#[test]
fn a_scheduler_that_was_killed_starts_nothing_again() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    let start = written(now());
    campaign(&desk, 60, 20, &format!("start = \"{start}\""));
    let scheduler = desk.start(&["schedule", "run", "c.toml"]);
    wait_for("calls", || (platform.posted() > 2).then_some(()));
    assert!(scheduler.kill());
    desk.run(&["schedule", "run", "c.toml"]).ends(0);
    assert_eq!(
        listed(&desk)["last_run"]["state"],
        "running",
        "as it was left"
    );
    assert_eq!(fates(&desk), ["run"]);
    let end = desk.run(&["resume"]);
    assert!([Some(0), Some(5)].contains(&end.code), "{}", end.stderr);
    let ledger = platform.ledger();
    assert_eq!(ledger.counts("destination").len(), ledger.rows.len());
}

#[test]
fn next_tells_what_the_clocks_do() {
    let desk = Desk::empty();
    let start = "start = \"2026-01-01T00:00[Europe/Stockholm]\"\nrepeat = \"30 2 * * *\"";
    campaign(&desk, 1, 1, start);
    let next = |from: &str| {
        let args = ["schedule", "next", "c.toml", "--count", "3", "--from", from];
        let told = desk
            .run(&[args.as_slice(), &["--json"]].concat())
            .ends(0)
            .json();
        let text = desk.run(&args).ends(0).stdout;
        (told["occurrences"].clone(), text)
    };
    let (told, text) = next("2026-03-28");
    let at = |nth: usize| told[nth]["at"].as_str().unwrap();
    assert_eq!(at(0), "2026-03-28T02:30:00+01:00[Europe/Stockholm]");
    assert_eq!(at(1), "2026-03-29T03:00:00+02:00[Europe/Stockholm]");
    assert_eq!(told[1]["utc"], "2026-03-29T01:00:00Z");
    assert!(text.contains("02:30 does not exist that day"), "{text}");
    let (told, text) = next("2026-10-24T12:00");
    assert_eq!(told[0]["at"], "2026-10-25T02:30:00+02:00[Europe/Stockholm]");
    assert!(
        text.contains("comes twice that day") && text.contains("gone back"),
        "{text}"
    );
    desk.run(&["schedule", "next", "c.toml", "--from", "soon"])
        .ends(2);
    desk.tts(&people(1), "calls_per_second = 1");
    let said = desk.run(&["schedule", "next", "c.toml"]).ends(2).stderr;
    assert!(said.contains("no [schedule]"), "{said}");
}

#[test]
fn list_shows_campaigns_with_a_schedule_and_nothing_else() {
    let desk = Desk::empty();
    let said = desk.run(&["schedule", "list"]).ends(0).stdout;
    assert!(said.contains("no campaign with a [schedule]"), "{said}");
    let rule = "start = \"2090-01-01T00:00[Asia/Tokyo]\"\nrepeat = \"0 9 * * mon-fri\"";
    campaign(&desk, 1, 1, rule);
    desk.write("Cargo.toml", "[package]\nname = \"x\"\n");
    let said = desk.run(&["schedule", "list"]).ends(0).stdout;
    assert!(
        said.contains("c (c.toml)") && said.contains("2090-01-02 09:00 Asia/Tokyo"),
        "{said}"
    );
    assert!(
        said.contains("At 09:00, on Monday") && !said.contains("Cargo"),
        "{said}"
    );
    assert_eq!(listed(&desk)["next"]["utc"], "2090-01-02T00:00:00Z");
    let plan = desk.run(&["plan", "c.toml"]).ends(0).stdout;
    assert!(plan.contains("start: At 09:00, on Monday"), "{plan}");
    // A campaign that is to start some day and has a fault should not go unnoticed.
    desk.write("bad.toml", "name = \"b\"\n[schedule]\nstart = \"soon\"\n");
    let said = desk.run(&["schedule", "list"]).ends(2).stdout;
    assert!(said.contains("callout check bad.toml"), "{said}");
    desk.run(&["schedule", "list", "c.toml"]).ends(0);
    desk.run(&["schedule", "list", "none.toml"]).ends(2);
    assert!(!desk.path("callout.db").exists(), "to look makes nothing");
}
