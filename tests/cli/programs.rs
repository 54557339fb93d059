//! What programs read: one document a command, with codes beside sentences.

use crate::decisions::stopped_at_the_cap;
use crate::support::{Desk, Platform, number, people};
use serde_json::json;

#[test]
fn a_failure_is_told_to_programs_with_its_code() {
    let desk = Desk::empty();
    let error = |args: &[&str], code: i32| {
        let out = desk.run(args).ends(code);
        assert!(!out.stderr.is_empty(), "the words are for people as well");
        out.json()["error"].clone()
    };
    assert_eq!(error(&["status", "--json"], 2)["code"], "no_database");
    desk.run(&["suppress", "add", &number(0)]).ends(0);
    let no_run = error(&["status", "--json"], 2);
    assert_eq!(
        no_run,
        json!({
            "code": "no_run_yet", "words": "there is no run yet",
            "advice": "start one with `callout run FILE`",
        })
    );
    desk.write("c.toml", "name = \"c\"\nnmae = 1\n");
    let faults = error(&["plan", "c.toml", "--json"], 2);
    assert_eq!(faults["code"], "faults", "{faults}");
    assert_eq!(faults["faults"][2]["line"], 2, "{faults}");
    assert_eq!(error(&["status", "--jsn", "--json"], 2)["code"], "usage");
    // Without it, standard output is left alone.
    assert_eq!(desk.run(&["status"]).ends(2).stdout, "");
}

#[test]
fn facts_as_json_are_one_document_whatever_comes_of_them() {
    let desk = Desk::empty();
    desk.tts(&people(2), "calls_per_second = 1");
    let plan = ["plan", "c.toml", "--json", "--fail-if", "rows > 1"];
    let plan = desk.run(&plan).ends(1);
    assert_eq!(plan.json()["rows"], 2);
    assert!(plan.stderr.contains("--fail-if"), "{}", plan.stderr);
}

#[test]
fn an_export_to_a_file_says_what_it_wrote() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    desk.tts(&people(7), "calls_per_second = 200");
    let report = desk
        .run(&["run", "c.toml", "--yes", "--json"])
        .ends(0)
        .json();
    let export = ["export", "--output", "out.csv", "--json"];
    let told = desk.run(&export).ends(0).json();
    assert_eq!(
        told,
        json!({
            "run": report["run"], "campaign": "c", "table": "results", "file": "out.csv",
            "recipients": 7, "sha256": told["sha256"],
        })
    );
    assert_eq!(told["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(desk.table("out.csv").rows.len(), 7);
    let error = desk.run(&export).ends(2).json();
    assert_eq!(error["error"]["code"], "file_there");
    assert!(
        error["error"]["advice"]
            .as_str()
            .unwrap()
            .contains("--force")
    );
}

#[test]
fn a_schedule_prints_the_report_of_each_run() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    let soon = "[schedule]\nstart = \"2026-01-05T09:00:00[Europe/Stockholm]\"\nrepeat = \"* * * * *\"\n\
                misfire = \"run\"\n";
    desk.tts(&people(3), &format!("calls_per_second = 200\n{soon}"));
    let run = ["schedule", "run", "c.toml", "--once", "--json"];
    let report = desk.run(&run).ends(0).json();
    assert_eq!(report["state"], "completed", "{report}");
    assert_eq!(report["rows"], 3);
}

#[test]
fn codes_stand_beside_sentences_and_amounts_in_the_place_of_words() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = stopped_at_the_cap(&platform, 3);
    let status = desk.run(&["status", "--json"]).ends(0).json();
    assert_eq!(status["why_code"], "spend_cap", "{status}");
    assert_eq!(status["obstacle"], "paused", "{status}");
    let why = desk.run(&["why", "--json"]).ends(0).json();
    assert_eq!(why["money"]["cap"], "0.02", "{why}");
    assert_eq!(
        why["backlog"],
        json!([{ "waiting_for": "due", "recipients": 3, "soonest": null }])
    );
}
