//! Why a recipient was called or not, and why a run is not dialling faster.

use crate::support::{Desk, Platform, number, people, wait_for};
use rustix::process::Signal;

const REHEARSAL: [&str; 2] = ["--db", "sqlite:callout-rehearsal.db"];

/// What the chain of a rehearsal's recipient says, a line each, without times.
fn chain(desk: &Desk, run: &[&str]) -> Vec<String> {
    let mut args = vec!["why"];
    args.extend(run);
    args.extend(REHEARSAL);
    args.push("--json");
    let told = desk.run(&args).ends(0).json();
    let lines = told["recipients"][0]["chain"].as_array().unwrap();
    lines
        .iter()
        .map(|line| line["what"].as_str().unwrap().to_owned())
        .collect()
}

/// A rehearsal in virtual time that begins before the window opens; nobody answers.
fn rehearsed() -> Desk {
    let desk = Desk::empty();
    let list = "phone,name,zone\n+46701000000,Ann,Europe/Stockholm\n+46701000000,Ann,\n\
                nobody,Bo,\n+46701000002,Cid,Nowhere\n+46701000003,Dan,\n";
    desk.write("list.csv", list);
    desk.write(
        "c.toml",
        "name = \"c\"\n[recipients]\nfile = \"list.csv\"\nnumber = \"phone\"\nregion = \"SE\"\n\
         time_zone = \"zone\"\n[callout.tts]\ncli = \"+46100000000\"\ntext = \"Hello {{ name }}.\"\n\
         [pacing]\ncalls_per_second = 5\n[window]\nfrom = \"10:00\"\nuntil = \"20:00\"\n\
         [retry]\nmax_attempts = 2\nbusy = \"10m\"\njitter = 0.0\n\
         [spend]\ncap = \"5 EUR\"\nrate = \"0.05 EUR\"\n",
    );
    desk.run(&["suppress", "add", "+46701000003", "--reason", "said so"])
        .ends(0);
    // Eight in the morning in UTC is nine in Stockholm.
    let options = ["rehearse", "c.toml", "--virtual", "--mix", "0,1,0,0"];
    desk.run(&options).ends(3);
    desk
}

#[test]
fn the_chain_goes_from_the_import_to_now() {
    let desk = rehearsed();
    let told = chain(&desk, &["+46701000000"]);
    for (line, words) in [
        (
            0,
            "read from line 2 of the list; time zone Europe/Stockholm; a call may cost 0.10 EUR",
        ),
        (
            1,
            "waits for the window, until 2026-01-05 09:00 UTC (Mon 2026-01-05 10:00 there)",
        ),
        (2, "attempt 1 ("),
        (2, "written down, 0.10 EUR held"),
        (3, "attempt 1: the platform took it, call "),
        (4, "attempt 1: over, busy (BUSY)"),
        (5, "waits for the next attempt, until 2026-01-05 09:10"),
        (6, "attempt 2 ("),
        (8, "attempt 2: over, busy (BUSY)"),
        (
            9,
            "unreached: no attempt that the campaign allows reached them",
        ),
    ] {
        assert!(told[line].contains(words), "{line}: {words}: {told:#?}");
    }
    assert_eq!(told.len(), 10, "{told:#?}");
}

#[test]
fn who_was_not_called_has_a_chain_as_well() {
    let desk = rehearsed();
    // A national number means the same; its duplicate tells its own story.
    let text = desk
        .run(&["why", "", "070-100 00 00", REHEARSAL[0], REHEARSAL[1]])
        .ends(0)
        .stdout;
    assert!(text.contains("+4670•••0000   line 2 of c"), "{text}");
    assert!(
        text.contains("duplicate, the same number as line 2"),
        "{text}"
    );
    assert!(
        text.contains("2026-01-05 08:00 UTC        read from line 2"),
        "{text}"
    );
    let invalid = chain(&desk, &["--line", "4"]);
    assert!(
        invalid[0].contains("read from line 4 of the list: invalid"),
        "{invalid:?}"
    );
    let held = chain(&desk, &["+46701000002"]);
    assert!(
        held[1].starts_with("held: their time zone is not known"),
        "{held:?}"
    );
    let suppressed = chain(&desk, &["+46701000003"]);
    assert!(
        suppressed[0].contains("suppressed, on list dnc"),
        "{suppressed:?}"
    );
    let wrong = desk
        .run(&["why", "", "somebody", REHEARSAL[0], REHEARSAL[1]])
        .ends(2);
    assert!(
        wrong.stderr.contains("`somebody` is no number"),
        "{}",
        wrong.stderr
    );
    let nobody = desk
        .run(&["why", "+46701000009", REHEARSAL[0], REHEARSAL[1]])
        .ends(2);
    assert!(
        nobody.stderr.contains("no such recipient"),
        "{}",
        nobody.stderr
    );
    let text = desk
        .run(&["why", REHEARSAL[0], REHEARSAL[1]])
        .ends(0)
        .stdout;
    assert!(
        text.contains("it is paused, everybody left is held"),
        "{text}"
    );
    assert!(
        text.contains("held         1 for whom nothing comes by itself"),
        "{text}"
    );
}

#[test]
fn a_run_says_why_it_is_not_faster_with_counts() {
    let platform = Platform::start(&["--time-scale", "0", "--mix", "0,1,0,0"]);
    let desk = Desk::at(&platform);
    desk.tts(
        &people(8),
        "calls_per_second = 50\n[retry]\nmax_attempts = 2\nbusy = \"1h\"",
    );
    let run = desk.start(&["run", "c.toml", "--yes"]);
    let told = wait_for("everybody to wait", || {
        let out = desk.run(&["why", "--json"]);
        let told: serde_json::Value = serde_json::from_str(&out.stdout).ok()?;
        let later = told["why_not_faster"].as_str()?.contains("due later");
        (later && told["backlog"][0]["recipients"] == 8).then_some(told)
    });
    assert_eq!(told["backlog"][0]["waiting_for"], "retry");
    let why = told["why_not_faster"].as_str().unwrap();
    assert!(
        why.contains("8 wait for their next attempt, the first until"),
        "{why}"
    );
    let status = desk.run(&["status"]).ends(0).stdout;
    assert!(status.contains("8 wait for their next attempt"), "{status}");
    let text = desk.run(&["why"]).ends(0).stdout;
    assert!(
        text.contains("retry        8 wait for their next attempt"),
        "{text}"
    );
    assert!(
        text.contains("pacing       at most 50.0 callouts a second"),
        "{text}"
    );
    run.signal(Signal::TERM);
    run.wait().ends(3);
    let text = desk.run(&["why"]).ends(0).stdout;
    assert!(
        text.contains("it is paused, stopped by a signal: callout resume"),
        "{text}"
    );
}

#[test]
fn what_a_person_said_is_part_of_the_chain() {
    let platform = Platform::start(&["--time-scale", "0", "--lost", "1"]);
    let mut desk = Desk::at(&platform);
    desk.set("USER", "eva");
    desk.tts(&people(1), "calls_per_second = 5");
    desk.run(&["run", "c.toml", "--yes"]).ends(5);
    desk.run(&["reconcile", "--all", "--called", "--reason", "asked them"])
        .ends(0);
    let text = desk.run(&["why", &number(0)]).ends(0).stdout;
    assert!(text.contains("eva said of attempt"), "{text}");
    assert!(text.contains("they were called: asked them"), "{text}");
}
