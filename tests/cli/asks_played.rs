//! A whole run of calls that ask, over HTTP: what people pressed is what the run says they pressed.

use std::collections::HashSet;

use serde_json::Value;

use crate::asks::ASKS;
use crate::office::Office;

const PEOPLE: usize = 150;

/// So many people, each with a name of their own.
fn list(people: usize) -> String {
    let row = |n: usize| format!("Ada{n}.,+46701740{n:03}\n");
    format!("name,phone\n{}", (0..people).map(row).collect::<String>())
}

/// The responses to what somebody pressed, those of no meaning left out.
fn responses(call: &Value) -> Vec<&'static str> {
    let pressed = call["pressed"].as_array().unwrap().iter();
    let response = |pressed: &Value| match (
        pressed["menu"].as_str().unwrap(),
        pressed["keys"].as_str().unwrap(),
    ) {
        ("main", "1") => Some("confirmed"),
        ("main", "2") => Some("2"),
        ("main", "9") => Some("opted out"),
        ("more-2", "1") => Some("call back"),
        _ => None,
    };
    pressed.filter_map(response).collect()
}

#[test]
fn what_people_pressed_is_what_the_run_says() {
    let options = [
        "--time-scale",
        "0.01",
        "--seed",
        "4",
        "--press-wrong",
        "0.15",
        "--press",
        "0.6",
    ];
    let (office, _receiver) = Office::open(&options);
    office.desk.write("list.csv", &list(PEOPLE));
    office.desk.write("c.toml", ASKS);
    office.run(&[]).ends(0);
    office.agrees();
    let page = office.platform.played();
    for bad in ["invalid", "late", "failed"] {
        assert_eq!(page[bad], 0, "{bad}");
    }
    let calls = page["calls"].as_array().unwrap();
    let results = office.desk.table("results.csv");
    let answered = results.counts("call_result")["ANSWERED"];
    assert_eq!(calls.len(), answered, "every answered call was played");
    let mut kinds = HashSet::new();
    for call in calls {
        let is_theirs = |row: &&Vec<String>| results.cell(row, "call_id") == call["call_id"];
        let row = results.rows.iter().find(is_theirs).unwrap();
        let pressed = responses(call);
        assert_eq!(
            results.cell(row, "call_response"),
            pressed.join(" > "),
            "{call}"
        );
        let is_reached = pressed
            .iter()
            .any(|key| ["confirmed", "call back"].contains(key));
        assert_eq!(
            results.cell(row, "call_disposition") == "reached",
            is_reached,
            "{call}"
        );
        let name = results.cell(row, "name");
        for text in call["heard"].as_array().unwrap() {
            let text = text.as_str().unwrap();
            assert!(text.contains(name), "somebody else's: {text}");
        }
        assert_eq!(call["errors"], 0);
        kinds.insert(pressed);
    }
    assert!(kinds.len() >= 5, "{kinds:?}");
}

#[test]
fn whoever_is_connected_makes_no_second_call_of_it() {
    let options = [
        "--time-scale",
        "0.01",
        "--seed",
        "4",
        "--keys",
        "1=1",
        "--press",
        "0.9",
        "--mix",
        "1,0,0,0",
    ];
    let (office, _receiver) = Office::open(&options);
    office.desk.write("list.csv", &list(40));
    let connects = ASKS.replace(
        "response = \"confirmed\"\nsay = \"Thank you, {{ name }}.\"",
        "response = \"confirmed\"\nconnect = \"+441134960999\"\nlongest = \"2m\"",
    );
    assert_ne!(connects, ASKS);
    office.desk.write("c.toml", &connects);
    office.run(&[]).ends(0);
    let ledger = office.platform.ledger();
    let legs = ledger
        .column("leg_of")
        .into_iter()
        .filter(|first| !first.is_empty());
    assert!(legs.count() > 10, "most were connected");
    assert_eq!(office.status()["second_calls"], serde_json::json!([]));
}
