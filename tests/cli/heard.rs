//! The platform tells of calls, and somebody listens: results come by themselves, uncertain attempts are
//! resolved, a second call for one attempt is the alarm.

use jiff::SignedDuration;

use crate::office::Office;
use crate::support::wait_for;

/// Events in any order, some twice, some before the answer to their POST, some without a price.
const STRANGE: [&str; 9] = [
    "--time-scale",
    "0.02",
    "--events-shuffled",
    "--events-doubled",
    "0.1",
    "--events-early",
    "0.1",
    "--dice-without-debit",
    "0.1",
];

#[test]
fn results_are_told_and_hardly_asked_for() {
    let (office, _receiver) = Office::open(&STRANGE);
    office.list(200);
    let out = office.run(&[]).ends(0);
    assert!(
        out.stdout.contains("results told by the platform"),
        "{}",
        out.stdout
    );
    office.agrees();
    let gets = office.gets();
    assert!((1..=60).contains(&gets), "{gets} GETs of 200 calls");
    let asked = office.platform.posts();
    let status = office.status();
    assert_eq!(status["heard"]["told"], asked.rows.len());
    // The second copy of an event may come when the run is over: then the receiver takes it in.
    wait_for("the last events", || {
        let waiting = &office.status()["heard"]["waiting"];
        (*waiting == 0).then_some(())
    });
}

#[test]
fn a_file_that_wants_no_events_is_asked_about() {
    let (office, _receiver) = Office::open(&["--time-scale", "0"]);
    office.list(5);
    let campaign = String::from_utf8(office.desk.read("c.toml")).unwrap();
    let campaign = campaign.replace("[callout.tts]", "[callout.tts]\nenable_dice = false");
    office.desk.write("c.toml", &campaign);
    let out = office.run(&[]).ends(0);
    assert!(!out.stdout.contains("told by"), "{}", out.stdout);
    assert_eq!(office.platform.events().rows.len(), 0);
}

#[test]
fn a_run_receives_for_itself() {
    let options = "--time-scale 0.02 --lost 0.3 --dice-without-debit 0.5";
    let options: Vec<&str> = options.split(' ').collect();
    let (office, receiver) = Office::open(&options);
    drop(receiver);
    office.list(60);
    let public = format!("http://{}", office.address);
    let out = office.run(&["--listen", &office.address, "--public-url", &public]);
    // Whoever's answer was lost is known by their events.
    out.ends(0);
    office.agrees();
    assert_eq!(office.status()["uncertain"], 0);
}

#[test]
fn while_no_engine_works_the_receiver_knows_who_was_called() {
    let options = ["--time-scale", "0.05", "--answer-after", "300"];
    let (office, _receiver) = Office::open(&options);
    office.list(60);
    let run = office.desk.start(&["run", "c.toml", "--yes"]);
    wait_for("callouts", || {
        (office.platform.posted() >= 20).then_some(())
    });
    assert!(run.kill());
    // Answers that came to nobody are made good by events: every call that was placed is known with its end.
    wait_for("the events of all calls", || {
        let attempts = office.desk.export("attempts");
        let known = attempts.counts("state").get("final").copied();
        (known == Some(office.platform.ledger().rows.len())).then_some(())
    });
    office.agrees_so_far();
    office
        .desk
        .run(&["resume", "--output", "results.csv"])
        .ends(0);
    office.agrees();
    assert_eq!(office.platform.ledger().rows.len(), 60);
}

#[test]
fn a_second_call_for_one_attempt_is_the_alarm() {
    let (office, _receiver) = Office::open(&["--time-scale", "0.02", "--second-call", "0.02"]);
    office.list(200);
    let out = office.run(&[]).ends(1);
    let said = format!("{}{}", out.stdout, out.stderr);
    assert!(said.contains("ALARM"), "{said}");
    let status = office.status();
    assert_eq!(status["state"], "paused");
    assert_eq!(status["why_code"], "two_calls");
    let other = status["second_calls"][0]["other"].as_str().unwrap();
    assert!(out.stdout.contains(other), "{}", out.stdout);
    let events = office.platform.events();
    let second = events.rows.iter().filter(|row| {
        let fault = events.cell(row, "fault");
        fault.contains("second_call")
    });
    let why = status["why"].as_str().unwrap();
    let mut seconds = second.map(|row| events.cell(row, "call_id"));
    assert!(seconds.any(|id| why.contains(id)), "{why}");
    let ledger = office.platform.ledger();
    let firsts = ledger.column("call_id");
    assert!(firsts.iter().any(|id| why.contains(id)), "{why}");
}

#[test]
fn an_event_that_is_too_old_tells_nothing_and_its_call_is_asked_about_at_once() {
    let (office, _receiver) = Office::open(&["--time-scale", "0", "--events-lost", "1"]);
    office.list(1);
    let run = office.desk.start(&["run", "c.toml", "--yes"]);
    let state = || office.desk.export("attempts").column("state").concat();
    wait_for("the callout", || {
        (office.platform.posted() == 1).then_some(())
    });
    wait_for("the call", || (state() == "accepted").then_some(()));
    // Nobody asks any more.
    assert!(run.kill());
    let ledger = office.platform.ledger();
    let lie = serde_json::json!({
        "event": "dice", "callid": ledger.column("call_id")[0], "custom": ledger.column("attempt")[0],
        "result": "FAILED", "reason": "BLOCKED", "timestamp": "2026-01-01T00:00:00Z",
    });
    assert_eq!(office.tell(&lie, SignedDuration::from_mins(10)).0, "403");
    wait_for("the answer", || (state() == "final").then_some(()));
    office.agrees_so_far();
}

#[test]
fn what_was_pressed_stands_in_the_results() {
    let (office, _receiver) = Office::open(&["--time-scale", "0", "--mix", "1,0,0,0"]);
    office.list(2);
    office.run(&[]).ends(0);
    let ledger = office.platform.ledger();
    let pressed = |value: &str, at: &str| {
        let event = serde_json::json!({
            "event": "pie", "callid": ledger.column("call_id")[0], "timestamp": at,
            "menuResult": {"menuId": "main", "type": "return", "value": value},
        });
        assert_eq!(office.tell(&event, SignedDuration::ZERO).0, "200");
    };
    pressed("no", "2026-01-01T00:00:09Z");
    pressed("yes", "2026-01-01T00:00:05Z");
    let number = ledger.column("destination")[0];
    wait_for("what was pressed", || {
        let results = office.desk.export("results");
        let responses = results.rows.iter().map(|row| {
            let last = number.ends_with(&results.cell(row, "phone")[5..]);
            (last, results.cell(row, "call_response").to_owned())
        });
        let (theirs, others): (Vec<_>, Vec<_>) = responses.partition(|(theirs, _)| *theirs);
        assert_eq!(others[0].1, "");
        (theirs[0].1 == "yes > no").then_some(())
    });
}

#[test]
fn a_receiver_whose_database_is_replaced_ends_and_the_next_one_reads_what_came() {
    let (office, receiver) = Office::open(&["--time-scale", "0.02"]);
    office.list(20);
    office.run(&[]).ends(0);
    office.desk.run(&["backup", "copy.db"]).ends(0);
    let restore = ["restore", "copy.db", "--accept-unknown-calls"];
    office.desk.run(&restore).ends(0);
    let said = receiver.wait().ends(1).stderr;
    assert!(said.contains("replaced"), "{said}");
    let words = ["serve", "--no-dial", "--listen", &office.address];
    let _receiver = office.desk.start(&words);
    // All that came is read once more, by whoever has the right database.
    wait_for("the events", || {
        let status = office.status();
        (status["heard"]["waiting"] == 0 && status["heard"]["told"] == 20).then_some(())
    });
    office.agrees_so_far();
}
