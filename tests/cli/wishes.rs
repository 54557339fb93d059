//! `pause` and `cancel` from another terminal, in every state of a run: what is acknowledged happens.
//! Who was rung is counted by the platform.

use std::collections::HashMap;

use callout::clock::{Clock as _, SystemClock};
use jiff::ToSpan as _;
use jiff::tz::TimeZone;

use crate::support::{Desk, Platform, execute, number, people, wait_for};

/// A desk whose database is there, and asks for something as soon as a run is written down: before its
/// list is imported.
fn desk_that_wishes(platform: &Platform, wish: &str, rows: usize) -> Desk {
    let desk = Desk::at(platform);
    desk.tts(&people(rows), "calls_per_second = 200");
    desk.run(&["suppress", "add", "+46709999999"]).ends(0);
    let trigger = format!(
        "create trigger wishes after insert on runs begin \
         update runs set wish = '{wish}' where id = new.id; end"
    );
    execute(&desk.path("callout.db"), &trigger);
    desk
}

/// Asserts that so many phones rang, each once.
#[track_caller]
fn assert_rung_once(platform: &Platform, phones: usize) {
    let ledger = platform.ledger();
    let mut calls: HashMap<&str, usize> = HashMap::new();
    for destination in ledger.column("destination") {
        *calls.entry(destination).or_default() += 1;
    }
    assert_eq!(calls.len(), phones);
    assert!(
        calls.values().all(|n| *n == 1),
        "a phone rang twice: {calls:?}"
    );
}

#[test]
fn a_pause_during_the_import_stops_the_run_before_it_dials() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = desk_that_wishes(&platform, "pause", 30);
    let report = desk.run(&["run", "c.toml", "--yes"]).ends(3).stdout;
    assert!(report.contains("paused"), "{report}");
    assert_eq!(platform.posted(), 0);
    let status = desk.run(&["status", "--json"]).ends(0).json();
    assert_eq!(
        (&status["state"], &status["pending"]),
        (&"paused".into(), &30.into())
    );
    // A later resume takes it back.
    desk.run(&["resume"]).ends(0);
    assert_rung_once(&platform, 30);
}

#[test]
fn a_pause_command_during_a_long_import_is_kept() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    desk.tts(&people(30_000), "calls_per_second = 1000");
    let run = desk.start(&["run", "c.toml", "--yes"]);
    // As soon as there is a run that can be paused.
    let said = wait_for("a run", || {
        let out = desk.run(&["pause"]);
        (out.code == Some(0)).then_some(out.stdout)
    });
    assert!(said.contains("the list is being imported"), "{said}");
    run.wait().ends(3);
    assert_eq!(platform.posted(), 0);
}

#[test]
fn a_cancel_during_the_import_ends_the_run_before_it_dials() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = desk_that_wishes(&platform, "cancel", 30);
    let report = desk.run(&["run", "c.toml", "--yes"]).ends(3).stdout;
    assert!(
        report.contains("30 cancelled") && report.contains("(it adds up)"),
        "{report}"
    );
    assert_eq!(platform.posted(), 0);
    let said = desk.run(&["cancel", "--yes"]).ends(2).stderr;
    assert!(said.contains("is cancelled already"), "{said}");
}

#[test]
fn a_run_that_waits_for_its_window_is_paused() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    // A day that is neither today nor tomorrow.
    let today = SystemClock::start().wall().to_zoned(TimeZone::UTC);
    let closed = today.date() + 3.days();
    let window = format!(
        "calls_per_second = 50\n[window]\ndays = [\"{}\"]\nfrom = \"09:00\"\nuntil = \"20:00\"\n\
         time_zone = \"UTC\"\n",
        closed.strftime("%a").to_string().to_lowercase()
    );
    desk.tts(&people(5), &window);
    let run = desk.start(&["run", "c.toml", "--yes"]);
    wait_for("the engine", || {
        let status = desk.run(&["status", "--json"]);
        (status.code == Some(0) && status.json()["state"] == "running").then_some(())
    });
    let said = desk.run(&["pause"]).ends(0).stdout;
    assert!(said.starts_with("asked"), "{said}");
    run.wait().ends(3);
    let said = desk.run(&["pause"]).ends(0).stdout;
    assert!(said.contains("is paused already"), "{said}");
    assert_eq!(platform.posted(), 0);
    let said = desk.run(&["cancel", "--yes"]).ends(0).stdout;
    assert!(said.contains("5 recipients are not called"), "{said}");
}

#[test]
fn a_pause_where_nothing_goes_on_says_how_the_run_stands() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    desk.tts(&people(40), "calls_per_second = 10");
    let run = desk.start(&["run", "c.toml", "--yes"]);
    wait_for("calls", || (platform.posted() > 2).then_some(()));
    assert!(run.kill());
    let said = desk.run(&["pause"]).ends(0).stdout;
    assert!(said.contains("its engine had ended already"), "{said}");
    let said = desk.run(&["pause"]).ends(0).stdout;
    assert!(said.contains("is paused already"), "{said}");
    // As a kill within the import leaves a run.
    let database = desk.path("callout.db");
    desk.run(&["cancel", "--yes"]).ends(0);
    let id = desk.run(&["status", "--json"]).ends(0).json()["run"].clone();
    desk.run(&["resume", id.as_str().unwrap()]).ends(3);
    execute(
        &database,
        "insert into runs (id, campaign, definition, definition_path, platform, rehearsal, state, created_at)
         select 'zzzzzzzzzzzz', 'other', definition, definition_path, platform, 0, 'planned', created_at
         from runs",
    );
    let said = desk.run(&["pause", "zzzz"]).ends(0).stdout;
    assert!(said.contains("has called nobody yet"), "{said}");
    let said = desk.run(&["cancel", "zzzz", "--yes"]).ends(0).stdout;
    assert!(said.contains("it is forgotten"), "{said}");
    let said = desk.run(&["pause"]).ends(2).stderr;
    assert!(
        said.contains("What waits for its start has no run yet"),
        "{said}"
    );
    assert_eq!(
        platform.ledger().column("destination").len(),
        platform.posted()
    );
    assert!(
        platform
            .ledger()
            .column("destination")
            .contains(&number(0).as_str())
    );
}
