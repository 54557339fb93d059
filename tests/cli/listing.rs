//! Runs in a list, and how one is named: by its id, the beginning of it, or its campaign.

use crate::decisions::stopped_at_the_cap;
use crate::support::{Desk, Platform, number, people, wait_for};
use serde_json::json;

/// A desk with a run of `c` that is over, then one of `reminder` that is not, then a callout by hand.
fn three_runs(platform: &Platform) -> Desk {
    let desk = stopped_at_the_cap(platform, 4);
    let campaign = String::from_utf8(desk.read("c.toml")).unwrap();
    desk.write("r.toml", &campaign.replace("\"c\"", "\"reminder\""));
    desk.run(&["cancel", "--yes"]).ends(0);
    desk.run(&["run", "r.toml", "--yes"]).ends(4);
    let by_hand = [
        "call",
        "place",
        &number(0),
        "--text",
        "Hello",
        "--cli",
        "+46100000000",
    ];
    desk.run(&by_hand).ends(0);
    desk
}

#[test]
fn runs_are_listed_with_what_became_of_them() {
    let platform = Platform::start(&["--time-scale", "0", "--mix", "1,0,0,0"]);
    let desk = three_runs(&platform);
    let runs = desk.run(&["runs", "--json"]).ends(0).json();
    let told = |n: usize, what: &str| runs["runs"][n][what].clone();
    assert_eq!(runs["by_hand_left_out"], 1);
    assert_eq!(runs["runs"].as_array().unwrap().len(), 2);
    for (n, campaign, state, to_call, cancelled) in
        [(0, "reminder", "paused", 4, 0), (1, "c", "cancelled", 0, 4)]
    {
        assert_eq!(told(n, "campaign"), campaign, "the latest is first");
        assert_eq!(told(n, "state"), state);
        assert_eq!(told(n, "rows"), 4);
        assert_eq!(told(n, "to_call"), to_call);
        assert_eq!(told(n, "dispositions")["cancelled"], cancelled);
        assert_eq!(told(n, "engine_at_work"), false);
        assert!(told(n, "began_at").is_string());
    }
    let all = desk.run(&["runs", "--json", "--all"]).ends(0).json();
    assert_eq!(all["runs"].as_array().unwrap().len(), 3);
    assert_eq!(all["runs"][0]["dispositions"]["reached"], 1);
    let one = ["runs", "--campaign", "c", "--json"];
    let one = desk.run(&one).ends(0).json();
    assert_eq!(one["runs"][0]["run"], told(1, "run"));
    assert_eq!(one["runs"].as_array().unwrap().len(), 1);

    let said = desk.run(&["runs"]).ends(0).stdout;
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].starts_with("RUN"), "{said}");
    assert!(
        lines[1].contains("reminder") && lines[1].contains("not over"),
        "{said}"
    );
    assert!(lines[2].contains("cancelled"), "{said}");
    assert!(
        lines[3].contains("1 callout by hand is not listed"),
        "{said}"
    );
    // What stands there names the run.
    let short = lines[1].split(' ').next().unwrap();
    let status = desk.run(&["status", short, "--json"]).ends(0).json();
    assert_eq!(status["run"], told(0, "run"));
}

#[test]
fn a_run_is_found_by_its_campaign_and_one_that_is_not_there_has_neighbours() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = three_runs(&platform);
    for (named, campaign) in [("c", "c"), ("reminder", "reminder")] {
        let report = desk.run(&["report", named, "--json"]).ends(0).json();
        assert_eq!(report["campaign"], campaign);
    }
    // A name is more than the beginning of an id.
    let other = desk.run(&["status", "c", "--json"]).ends(0).json()["run"].clone();
    let short: String = other.as_str().unwrap().chars().take(4).collect();
    let campaign = String::from_utf8(desk.read("r.toml")).unwrap();
    desk.run(&["cancel", "reminder", "--yes"]).ends(0);
    desk.write(
        "s.toml",
        &campaign.replace("\"reminder\"", &format!("\"{short}\"")),
    );
    desk.run(&["run", "s.toml", "--yes"]).ends(4);
    let named = desk.run(&["status", &short, "--json"]).ends(0).json();
    assert_eq!(named["campaign"], short);
    let whole = desk
        .run(&["status", other.as_str().unwrap(), "--json"])
        .ends(0)
        .json();
    assert_eq!(whole["campaign"], "c");
    let error = |wanted: &str| {
        let out = desk.run(&["status", wanted, "--json"]).ends(2);
        out.json()["error"].clone()
    };
    let near = error("remindr");
    assert_eq!(near["code"], "no_run", "{near}");
    assert_eq!(
        near["advice"],
        "did you mean `reminder`? `callout runs` lists all"
    );
    let far = error("Weihnachtsfeier");
    let advice = far["advice"].as_str().unwrap();
    assert!(
        advice.contains(" of reminder, ") && advice.contains(" of c. "),
        "{advice}"
    );
}

#[test]
fn an_empty_list_says_so() {
    let desk = Desk::empty();
    desk.run(&["suppress", "add", &number(0)]).ends(0);
    assert_eq!(desk.run(&["runs"]).ends(0).stdout, "no run yet\n");
    let none = desk.run(&["runs", "--json"]).ends(0).json();
    assert_eq!(none, json!({ "runs": [], "by_hand_left_out": 0 }));
    let error = desk.run(&["report", "abc"]).ends(2).stderr;
    assert!(error.contains("there is none yet"), "{error}");
}

#[test]
fn who_resumes_a_run_that_goes_on_is_told_so() {
    // Nobody hangs up, so the run goes on until it is stopped.
    let platform = Platform::start(&[
        "--time-scale",
        "1",
        "--talk",
        "600-600",
        "--ring",
        "600-600",
    ]);
    let desk = Desk::at(&platform);
    desk.tts(&people(3), "calls_per_second = 50\nconcurrent_calls = 1");
    let going = desk.start(&["run", "c.toml", "--yes"]);
    wait_for("a call", || (platform.posted() > 0).then_some(()));
    let run = desk.run(&["runs", "--json"]).ends(0).json()["runs"][0].clone();
    assert_eq!(run["engine_at_work"], true, "{run}");
    wait_for("what decides its pace", || {
        let status = desk.run(&["status", "--json"]).ends(0).json();
        (status["obstacle"] == "concurrent_calls").then_some(())
    });
    let said = desk.run(&["resume"]).ends(1).stderr;
    let id = run["run"].as_str().unwrap();
    assert!(
        said.contains(&format!("run {id} of c goes on already")),
        "{said}"
    );
    assert!(said.contains(&format!("callout pause {id}")), "{said}");
    let error = desk.run(&["resume", "c", "--json"]).ends(1).json();
    assert_eq!(error["error"]["code"], "goes_on", "{error}");
    assert!(going.kill());
    let said = desk.run(&["runs"]).ends(0).stdout;
    assert!(said.contains(&format!("callout resume {id}")), "{said}");
}
