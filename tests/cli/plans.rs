//! A plan and the run of it: what changed between the two refuses the run, and is named; a CI can guard a
//! plan's figures.

use crate::support::{Desk, Out, Platform, people};

/// A desk of its own cache, and the hash of its plan.
fn planned(platform: &Platform) -> (Desk, String) {
    let mut desk = Desk::at(platform);
    let cache = desk.path("cache");
    desk.set("XDG_CACHE_HOME", cache.to_str().unwrap());
    desk.tts(&people(12), "calls_per_second = 100");
    // So that there is a database in which somebody can be suppressed.
    desk.run(&["suppress", "add", "+46709999999"]).ends(0);
    let hash = hash(&desk);
    (desk, hash)
}

fn hash(desk: &Desk) -> String {
    let plan = desk.run(&["plan", "c.toml", "--json"]).ends(0).json();
    plan["plan"].as_str().unwrap().to_owned()
}

fn run(desk: &Desk, hash: &str) -> Out {
    desk.run(&["run", "c.toml", "--yes", "--plan", hash])
}

/// Runs the plan, which is refused with these words alone.
fn refused(desk: &Desk, hash: &str, words: &str) {
    let all = [
        "the campaign file",
        "the list",
        "the suppression lists",
        "the prices",
        "the rules",
    ];
    let out = run(desk, hash).ends(2);
    for part in all {
        let named = out.stderr.contains(part);
        assert_eq!(named, part == words, "{part}: {}", out.stderr);
    }
    assert!(out.stderr.contains("Nothing was dialled"), "{}", out.stderr);
}

#[test]
fn whatever_changes_between_plan_and_run_refuses_it_by_name() {
    let platform = Platform::start(&["--time-scale", "0", "--mix", "1,0,0,0"]);
    let (desk, hash) = planned(&platform);
    assert_eq!(self::hash(&desk), hash, "a plan of the same is the same");
    let (list, campaign) = (desk.read("list.csv"), desk.read("c.toml"));
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();

    desk.write("list.csv", &text(&list).replace("Person 3", "Person 4"));
    refused(&desk, &hash, "the list");
    desk.write("list.csv", &text(&list));

    desk.write("c.toml", &text(&campaign).replace("Hello", "Hi"));
    refused(&desk, &hash, "the campaign file");
    desk.write("c.toml", &text(&campaign));

    desk.run(&["suppress", "add", "+46701000003"]).ends(0);
    refused(&desk, &hash, "the suppression lists");
    desk.run(&["suppress", "remove", "+46701000003", "--yes"])
        .ends(0);

    let platform = platform.replace(&["--time-scale", "0", "--price", "+467=0.99"]);
    refused(&desk, &hash, "the prices");
    assert_eq!(platform.posted(), 0);
    let platform = platform.replace(&["--time-scale", "0", "--mix", "1,0,0,0"]);
    run(&desk, &hash).ends(0);
    assert_eq!(platform.posted(), 12);
}

#[test]
fn a_plan_without_credentials_promises_no_prices() {
    let platform = Platform::start(&["--time-scale", "0", "--mix", "1,0,0,0"]);
    let (mut desk, _) = planned(&platform);
    desk.set("SINCH_APPLICATION_KEY", "");
    let hash = hash(&desk);
    desk.set("SINCH_APPLICATION_KEY", crate::support::KEY);
    run(&desk, &hash).ends(0);
    for wrong in ["", "abc", "0-0-0-0-0"] {
        let out = run(&desk, wrong).ends(2);
        assert!(
            out.stderr.contains("last line of `callout plan`"),
            "{}",
            out.stderr
        );
    }
}

#[test]
fn a_plan_says_whom_how_often_how_long_and_for_how_much() {
    let desk = Desk::empty();
    let rule = "calls_per_second = 2\n[retry]\nmax_attempts = 3\nbusy = \"10m\"\n\
                [spend]\ncap = \"1 EUR\"\nrates = { \"+46\" = \"0.05 EUR\" }";
    desk.tts(&people(100), rule);
    let plan = desk.run(&["plan", "c.toml", "--json"]).ends(0).json();
    assert_eq!(plan["countries"]["SE"], 100);
    // 12 of 100 are busy, and 12 of those again.
    assert_eq!(
        (&plan["attempts_expected"], &plan["attempts_worst"]),
        (&113.into(), &300.into())
    );
    assert_eq!(
        plan["cost"]["worst"]["EUR"], "30.00",
        "three calls of two started minutes each"
    );
    assert_eq!(plan["bottleneck"], "calls_per_second");
    assert_eq!(plan["seconds_soonest"], 50.0);
    assert_eq!(plan["seconds_latest"], 150.0 + 1200.0 * 1.1);
    let text = desk.run(&["plan", "c.toml"]).ends(0).stdout;
    assert!(text.contains("by country: SE 100"), "{text}");
    assert!(
        text.contains("the cap of 1.00 EUR is below the worst case"),
        "{text}"
    );
    // The shortest and the longest text are looked for in the whole list.
    let mut list = people(3_000);
    list.push_str("A,+46709999998\n");
    desk.tts(&list, rule);
    let plan = desk.run(&["plan", "c.toml", "--json"]).ends(0).json();
    assert_eq!(plan["samples"][0]["text"], "Hello A.");
    assert_eq!(plan["samples"][0]["line"], 3_002);
}

#[test]
fn a_ci_can_guard_a_plan() {
    let desk = Desk::empty();
    desk.tts(
        &(people(98) + "A,nobody\nB,+46701000003\n"),
        "calls_per_second = 10",
    );
    let plan = |conditions: &[&str]| {
        let mut args = vec!["plan", "c.toml"];
        args.extend(
            conditions
                .iter()
                .flat_map(|condition| ["--fail-if", condition]),
        );
        desk.run(&args)
    };
    plan(&[
        "invalid > 1",
        "duplicates > 1%",
        "eligible < 98",
        "hours > 1",
    ])
    .ends(0);
    let out = plan(&["invalid >= 1%", "duplicates > 10"]).ends(1);
    assert!(
        out.stderr.contains("invalid >= 1%: invalid is 1"),
        "{}",
        out.stderr
    );
    assert!(!out.stderr.contains("duplicates"), "{}", out.stderr);
    // Without prices nobody knows what it costs, so the gate is shut.
    let out = plan(&["money_worst > 1000"]).ends(1);
    assert!(
        out.stderr.contains("money_worst is not known"),
        "{}",
        out.stderr
    );
    let out = plan(&["people > 3"]).ends(2);
    assert!(
        out.stderr.contains("a plan has no figure `people`"),
        "{}",
        out.stderr
    );
}
