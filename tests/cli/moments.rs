//! By whose clock people are told the time: the campaign's, this machine's, or UTC; programs always get UTC.

use crate::support::{Desk, people};

const REHEARSAL: [&str; 2] = ["--db", "sqlite:callout-rehearsal.db"];

/// A rehearsal in virtual time, from nine in Stockholm on a Monday, on a machine in New York.
fn rehearsed(more: &str) -> Desk {
    let mut desk = Desk::empty();
    desk.set("TZ", "America/New_York");
    desk.tts(&people(3), &format!("calls_per_second = 1\n{more}"));
    desk.run(&["rehearse", "c.toml", "--virtual", "--mix", "1,0,0,0"])
        .ends(0);
    desk
}

fn of(desk: &Desk, args: &[&str]) -> String {
    desk.run(&[args, &REHEARSAL].concat()).ends(0).stdout
}

/// Every screen with moments has the one, and nothing of the clocks that it is not told by.
fn all_read(desk: &Desk, more: &[&str], moment: &str) {
    for command in [
        vec!["report"],
        vec!["why", "", "--line", "2"],
        vec!["purge", "--all", "--after", "0h", "--dry-run"],
    ] {
        let text = of(desk, &[command.as_slice(), more].concat());
        assert!(text.contains(moment), "{moment}: {text}");
        assert!(!text.contains("T08:0"), "{text}");
    }
}

#[test]
fn a_campaign_with_a_zone_is_told_by_its_clock_and_one_without_by_the_machines() {
    let here = rehearsed("");
    all_read(&here, &[], "2026-01-05 03:00");
    assert!(of(&here, &["report"]).contains("-05:00"));
    let zone = "[window]\nfrom = \"08:00\"\nuntil = \"20:00\"\ntime_zone = \"Europe/Stockholm\"";
    let there = rehearsed(zone);
    all_read(&there, &[], "2026-01-05 09:00");
    assert!(
        of(&there, &["report"]).contains("dialled 2026-01-05 09:00 +01:00 to 2026-01-05 09:00")
    );
    for desk in [&here, &there] {
        all_read(desk, &["--utc"], "2026-01-05 08:00");
        assert!(of(desk, &["runs"]).contains("2026-01-05 03:00"));
        assert!(of(desk, &["runs", "--utc"]).contains("2026-01-05 08:00"));
        assert!(of(desk, &["report", "--utc"]).contains("dialled 2026-01-05 08:00 UTC to"));
        let told = desk.run(&["report", "--json", REHEARSAL[0], REHEARSAL[1]]);
        let first = told.ends(0).json()["first_at"].to_string();
        assert!(first.starts_with("\"2026-01-05T08:00:00"), "{first}");
        assert!(first.ends_with("Z\""), "{first}");
    }
}

#[test]
fn lists_of_numbers_and_starts_are_told_by_the_machines_clock_or_in_utc() {
    let mut desk = Desk::empty();
    desk.set("TZ", "America/New_York");
    desk.run(&["suppress", "add", "+46701000003", "--reason", "said so"])
        .ends(0);
    for (more, zone) in [(vec![], "America/New_York"), (vec!["--utc"], "UTC")] {
        let offset = if more.is_empty() { " -0" } else { " UTC" };
        for command in [
            vec!["suppress", "list"],
            vec!["suppress", "list", "--entries"],
            vec!["suppress", "check", "+46701000003"],
        ] {
            let text = desk.run(&[command, more.clone()].concat()).stdout;
            assert!(text.contains(offset), "{text}");
        }
        let start = "[schedule]\nstart = \"2090-01-02T09:00:00[Europe/Stockholm]\"";
        desk.tts(&people(1), &format!("calls_per_second = 1\n{start}"));
        let next = desk.run(&[vec!["schedule", "next", "c.toml"], more].concat());
        let next = next.ends(0).stdout;
        assert!(next.contains(zone), "{next}");
        assert_eq!(
            next.contains("09:00 Europe/Stockholm"),
            zone != "UTC",
            "{next}"
        );
    }
}

#[test]
fn a_plan_says_when_it_ends() {
    let desk = Desk::empty();
    desk.tts(&people(3), "calls_per_second = 1");
    let plan = desk.run(&["plan", "c.toml"]).ends(0).stdout;
    assert!(plan.contains("time: begun now, it ends about "), "{plan}");
    assert!(
        plan.contains(" UTC, as calls usually end; about 3 s to dial"),
        "{plan}"
    );
}
