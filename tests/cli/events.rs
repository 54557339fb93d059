//! `--events`: a line of JSON for each thing that goes on, and the forecast in it held against what came true.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::support::{Desk, people};

fn events(text: &str) -> Vec<Value> {
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect()
}

fn named<'a>(events: &'a [Value], name: &str) -> Vec<&'a Value> {
    events.iter().filter(|e| e["event"] == name).collect()
}

fn at(event: &Value, field: &str) -> Timestamp {
    event[field].as_str().unwrap().parse().unwrap()
}

#[test]
fn the_end_is_foreseen_through_windows() {
    let desk = Desk::empty();
    let rule = "calls_per_second = 10\n\
                [window]\nfrom = \"09:00\"\nuntil = \"09:01\"\ntime_zone = \"Europe/Stockholm\"";
    desk.tts(&people(3_300), rule);
    let rehearse = [
        "rehearse",
        "c.toml",
        "--virtual",
        "--events",
        "--at",
        "2026-01-05T09:00:00[Europe/Stockholm]",
    ];
    let out = desk.run(&rehearse).ends(0);
    let events = events(&out.stdout);
    let ended = events.last().unwrap();
    assert_eq!(ended["event"], "ended");
    assert_eq!(ended["report"]["rows"], 3_300);
    let truth = at(&ended["report"], "last_at");
    let began = at(&events[0], "at");
    let whole = truth.duration_since(began).as_secs_f64();
    // Days with a minute each.
    assert!(whole > 3.0 * 86_400.0, "{whole} s");
    let mut off_by_minute = BTreeMap::new();
    for progress in named(&events, "progress") {
        let (now, foreseen) = (at(progress, "at"), at(progress, "done_at"));
        let left = truth.duration_since(now).as_secs_f64();
        // At the very end what is left is the length of a call.
        if left > whole / 10.0 {
            let off = (foreseen.duration_since(now).as_secs_f64() - left).abs() / left;
            let minute = now.duration_since(began).as_mins();
            off_by_minute.insert(minute, (off * 100.0).round());
        }
    }
    assert!(off_by_minute.len() > 8, "{off_by_minute:?}");
    let wrong = off_by_minute
        .iter()
        .filter(|(m, off)| **m >= 1 && **off > 20.0);
    assert_eq!(wrong.count(), 0, "percent off by minute: {off_by_minute:?}");
}

#[test]
fn each_thing_that_goes_on_is_a_line_with_its_code() {
    let desk = Desk::empty();
    let rule = "calls_per_second = 10\n\
                [window]\nfrom = \"09:00\"\nuntil = \"09:10\"\ntime_zone = \"Europe/Stockholm\"\n\
                [spend]\ncap = \"1 EUR\"\nrate = \"0.05 EUR\"";
    desk.tts(&people(100), rule);
    let at_seven = "2026-01-05T07:00:00[Europe/Stockholm]";
    let options = ["--virtual", "--at", at_seven, "--events=out.jsonl"];
    let out = desk
        .run(&[&["rehearse", "c.toml"][..], &options].concat())
        .ends(4);
    // The report is for people as ever; the events are in their file.
    assert!(out.stdout.contains("REHEARSAL"), "{}", out.stdout);
    let events = events(&std::fs::read_to_string(desk.path("out.jsonl")).unwrap());
    let started = &events[0];
    assert_eq!(
        (&started["event"], &started["to_call"]),
        (&"started".into(), &100.into())
    );
    let waiting = named(&events, "waiting")[0];
    assert_eq!(waiting["for"], "window");
    assert_eq!(waiting["until"], "2026-01-05T08:00:00Z");
    assert_eq!(named(&events, "resumed").len(), 1, "{events:?}");
    let paused = named(&events, "paused")[0];
    assert_eq!(paused["code"], "spend_cap");
    assert!(
        paused["why"].as_str().unwrap().contains("cap of 1.00 EUR"),
        "{paused}"
    );
    let ended = events.last().unwrap();
    assert_eq!(
        (&ended["event"], &ended["state"]),
        (&"ended".into(), &"paused".into())
    );
    let run = &started["run"];
    assert!(
        events.iter().all(|event| event["run"] == *run),
        "{events:?}"
    );
}
