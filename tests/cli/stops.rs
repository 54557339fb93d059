//! How a run is stopped from outside: terminals that close, and limits of the system. Whatever it is, the
//! calls that are in flight are heard out, and `resume` goes on.

use rustix::process::Signal;

use crate::support::audit::Audit;
use crate::support::{Desk, Platform, people, wait_for};

/// A campaign whose answers take their time, so that several are in flight.
fn slow_platform() -> Platform {
    Platform::start(&["--time-scale", "0", "--answer-after", "200"])
}

fn desk(platform: &Platform, rows: usize) -> Desk {
    let desk = Desk::at(platform);
    desk.tts(&people(rows), "calls_per_second = 50");
    desk
}

/// Nobody's call is unknown, somebody is left, and a resume calls everybody once.
#[track_caller]
fn assert_drained(desk: &Desk, platform: &Platform, rows: usize) {
    let status = desk.run(&["status", "--json"]).ends(0).json();
    assert_eq!(status["state"], "paused", "{status}");
    assert_eq!(status["uncertain"], 0, "what was in flight has finished");
    assert!(status["pending"].as_u64().unwrap() > 0);
    desk.run(&["resume"]).ends(0);
    let audit = Audit::of(desk, platform);
    assert_eq!(audit.violations, Vec::<String>::new());
    assert_eq!(audit.ledger.rows.len(), rows);
}

fn wait_for_calls(platform: &Platform) {
    wait_for("calls", || (platform.posted() >= 20).then_some(()));
}

#[test]
fn a_terminal_that_closes_stops_the_run_and_loses_no_call() {
    let platform = slow_platform();
    let desk = desk(&platform, 120);
    let (engine, terminal) = desk.start_at_terminal(&["run", "c.toml", "--yes", "--log", "debug"]);
    wait_for("calls", || {
        terminal.read();
        (platform.posted() >= 20).then_some(())
    });
    // Everything that is said from here on fails, and there is a lot: the log is verbose.
    drop(terminal);
    engine.wait().ends(3);
    assert_drained(&desk, &platform, 120);
}

#[test]
fn a_hangup_without_a_terminal_drains_however_often_it_comes() {
    let platform = slow_platform();
    let desk = desk(&platform, 120);
    let engine = desk.start(&["run", "c.toml", "--yes"]);
    wait_for_calls(&platform);
    engine.signal(Signal::HUP);
    wait_for("a word of it", || {
        engine.said().contains("stopping: ").then_some(())
    });
    engine.signal(Signal::HUP);
    engine.wait().ends(3);
    assert_drained(&desk, &platform, 120);
}

#[test]
fn who_ignores_hangups_outlives_the_terminal() {
    let platform = slow_platform();
    let desk = desk(&platform, 60);
    let engine = desk.start_by("trap '' HUP; exec \"$@\"", &["run", "c.toml", "--yes"]);
    wait_for_calls(&platform);
    engine.signal(Signal::HUP);
    engine.wait().ends(0);
    assert_eq!(platform.ledger().rows.len(), 60);
}

#[test]
fn a_limit_on_the_size_of_files_is_an_error_and_costs_no_answer() {
    let platform = slow_platform();
    let desk = desk(&platform, 120);
    let engine = desk.start(&["run", "c.toml", "--yes"]);
    wait_for_calls(&platform);
    engine.limit_files(8_192);
    let end = engine.wait().ends(1);
    assert!(end.stderr.contains("callout resume"), "{}", end.stderr);
    desk.run(&["resume"]).ends(0);
    let audit = Audit::of(&desk, &platform);
    assert_eq!(audit.violations, Vec::<String>::new());
    assert_eq!(audit.ledger.rows.len(), 120);
}
