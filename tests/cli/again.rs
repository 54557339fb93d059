//! The same people again: a list that was called lately is not called again unasked, a plan is run once,
//! and of a list only those can be called whom an earlier run did not reach. Who was rung how often is
//! counted by the platform.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::{Desk, Out, Platform, Table, execute, number, people, wait_for};

/// How often each phone rang.
fn rung(platform: &Platform) -> BTreeMap<String, usize> {
    let mut calls = BTreeMap::new();
    for destination in platform.ledger().column("destination") {
        *calls.entry(destination.to_owned()).or_default() += 1;
    }
    calls
}

fn rung_twice(platform: &Platform) -> usize {
    rung(platform).values().filter(|n| **n > 1).count()
}

fn run(desk: &Desk, more: &[&str]) -> Out {
    desk.run(&[&["run", "c.toml", "--yes"], more].concat())
}

/// The latest run's id.
fn latest(desk: &Desk) -> String {
    let status = desk.run(&["status", "--json"]).ends(0).json();
    status["run"].as_str().unwrap().to_owned()
}

/// The numbers with a disposition in a table of results.
fn with(results: &Table, disposition: &str) -> BTreeSet<String> {
    let rows = results.rows.iter();
    let found = rows.filter(|row| results.cell(row, "call_disposition") == disposition);
    found
        .map(|row| results.cell(row, "phone").to_owned())
        .collect()
}

/// Moves all that is recorded of runs into the past.
fn age(desk: &Desk, hours: u32) {
    let by = u64::from(hours) * 3_600_000;
    execute(
        &desk.path("callout.db"),
        &format!("update runs set created_at = created_at - {by}, ended_at = ended_at - {by}"),
    );
}

#[test]
fn a_list_that_was_called_lately_is_not_called_again_unasked() {
    let platform = Platform::start(&["--time-scale", "0", "--mix", "1,0,0,0"]);
    let desk = Desk::at(&platform);
    desk.tts(&people(12), "calls_per_second = 200");
    let plan = desk.run(&["plan", "c.toml", "--json"]).ends(0).json();
    assert_eq!(plan["again"], serde_json::Value::Null);
    run(&desk, &[]).ends(0);
    let first = latest(&desk);
    let said = run(&desk, &[]).ends(2).stderr;
    let words = format!("called by run {first}, ");
    assert!(
        said.contains(&words) && said.contains("12 of these 12 reached"),
        "{said}"
    );
    assert!(
        said.contains("--again") && said.contains(&format!("--of {first}")),
        "{said}"
    );
    assert_eq!((platform.posted(), rung_twice(&platform)), (12, 0));
    let plan = desk.run(&["plan", "c.toml"]).ends(0).stdout;
    assert!(plan.contains(&format!("again: {words}")), "{plan}");
    let plan = desk.run(&["plan", "c.toml", "--json"]).ends(0).json();
    assert_eq!(plan["again"]["run"], first);
    assert_eq!(plan["again"]["reached"], 12);
    // Where a person can be asked, they are told.
    let shown = desk.run(&["run", "c.toml"]).ends(2).stdout;
    assert!(shown.contains(&words), "{shown}");
    // Half of them are enough, other people are no reason.
    desk.write("list.csv", &people(24));
    run(&desk, &[]).ends(2);
    desk.write("list.csv", &people(25));
    run(&desk, &["--json"]).ends(0);
    assert_eq!((platform.posted(), rung_twice(&platform)), (37, 12));
    run(&desk, &[]).ends(2);
    run(&desk, &["--again"]).ends(0);
    assert_eq!(platform.posted(), 62);
    age(&desk, 13);
    run(&desk, &[]).ends(0);
    assert_eq!(platform.posted(), 87);
}

#[test]
fn a_run_that_called_nobody_and_a_rehearsal_are_no_reason() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    desk.tts(&people(6), "calls_per_second = 200");
    desk.run(&["suppress", "add", "+46709999999"]).ends(0);
    desk.run(&["rehearse", "c.toml", "--virtual"]).ends(0);
    let database = desk.path("callout.db");
    execute(
        &database,
        "create trigger wishes after insert on runs begin
         update runs set wish = 'cancel' where id = new.id; end",
    );
    run(&desk, &[]).ends(3);
    execute(&database, "drop trigger wishes");
    run(&desk, &[]).ends(0);
    assert_eq!((rung(&platform).len(), rung_twice(&platform)), (6, 0));
}

#[test]
fn a_start_of_a_schedule_is_not_asked() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    let schedule = "calls_per_second = 200\n[schedule]\nstart = \"2020-01-01T00:00:00[UTC]\"\n\
                    repeat = \"* * * * *\"\n";
    desk.tts(&people(4), schedule);
    run(&desk, &["--now"]).ends(0);
    run(&desk, &["--now"]).ends(2);
    assert_eq!(platform.posted(), 4);
    desk.run(&["schedule", "run", "c.toml", "--once"]).ends(0);
    assert_eq!(platform.posted(), 8);
}

#[test]
fn only_those_whom_a_run_did_not_reach_are_called() {
    let platform = Platform::start(&["--time-scale", "0", "--mix", "50,20,20,10"]);
    let desk = Desk::at(&platform);
    desk.tts(&people(60), "calls_per_second = 500");
    run(&desk, &[]).ends(0);
    let first = latest(&desk);
    let results = desk.export("results");
    let (reached, unreached) = (with(&results, "reached"), with(&results, "unreached"));
    assert!(reached.len() > 5 && unreached.len() > 5, "{reached:?}");
    // The list has somebody new, and one more row of an old number.
    let more = format!("{}Again,{}\nNew,{}\n", people(60), number(0), number(70));
    desk.write("list.csv", &more);
    let only = ["--only", "unreached", "--of", &first[..4]];
    let plan = [&["plan", "c.toml", "--json"][..], &only].concat();
    let plan = desk.run(&plan).ends(0).json();
    assert_eq!(plan["eligible"], unreached.len());
    assert_eq!(plan["left_out"], 61 - unreached.len());
    assert_eq!(
        (&plan["only_unreached_of"], &plan["again"]),
        (&first.clone().into(), &().into())
    );
    let rehearsal = [&["rehearse", "c.toml", "--virtual", "--json"][..], &only].concat();
    let rehearsed = desk.run(&rehearsal).ends(0).json();
    assert_eq!(rehearsed["dispositions"]["duplicate"], 62 - unreached.len());
    let report = run(&desk, &only).ends(0);
    assert!(report.stdout.contains("(it adds up)"), "{}", report.stdout);
    let twice: BTreeSet<String> = rung(&platform)
        .into_iter()
        .filter_map(|(phone, n)| (n == 2).then_some(phone))
        .collect();
    assert_eq!(
        twice, unreached,
        "who was not reached is rung again, nobody else"
    );
    assert_eq!(platform.posted(), 60 + unreached.len());
    let rejects = desk.export("rejects");
    let reason = |phone: &str| {
        let row = rejects
            .rows
            .iter()
            .find(|row| rejects.cell(row, "phone") == phone);
        rejects.cell(row.unwrap(), "reason").to_owned()
    };
    let someone = reached.first().unwrap();
    assert_eq!(reason(someone), format!("reached by run {first}"));
    assert_eq!(reason(&number(70)), format!("not in run {first}"));
    // Once more is asked: that run called them.
    let second = latest(&desk);
    let said = run(&desk, &only).ends(2).stderr;
    assert!(said.contains(&format!("called by run {second}")), "{said}");
    // Of the second, whom neither reached.
    let left = with(&desk.export("results"), "unreached");
    run(&desk, &["--only", "unreached", "--of", &second]).ends(0);
    let calls = rung(&platform);
    assert!(reached.iter().all(|phone| calls[phone] == 1));
    assert!(left.iter().all(|phone| calls[phone] == 3));
    assert_eq!(platform.posted(), 60 + unreached.len() + left.len());
}

#[test]
fn whose_phone_may_have_rung_is_not_called_again() {
    let platform = Platform::start(&["--time-scale", "0", "--mix", "0,1,0,0", "--lost", "0.4"]);
    let desk = Desk::at(&platform);
    desk.tts(&people(30), "calls_per_second = 500");
    run(&desk, &[]).ends(5);
    let first = latest(&desk);
    let uncertain = with(&desk.export("results"), "uncertain");
    assert!(!uncertain.is_empty());
    let platform = platform.replace(&["--time-scale", "0"]);
    run(&desk, &["--only", "unreached", "--of", &first]).ends(0);
    let calls = rung(&platform);
    assert_eq!(calls.len(), 30 - uncertain.len());
    assert!(uncertain.iter().all(|phone| !calls.contains_key(phone)));
}

#[test]
fn a_run_of_which_nobody_knows_whom_it_reached_is_refused() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    desk.tts(&people(8), "calls_per_second = 4");
    let only =
        |run: &str| desk.run(&["run", "c.toml", "--yes", "--only", "unreached", "--of", run]);
    desk.run(&["plan", "c.toml", "--only", "unreached", "--of", "abc"])
        .ends(2);
    desk.run(&["run", "c.toml", "--yes", "--only", "unreached"])
        .ends(2);
    let going = desk.start(&["run", "c.toml", "--yes"]);
    wait_for("calls", || (platform.posted() > 1).then_some(()));
    let id = latest(&desk);
    let plan = ["plan", "c.toml", "--only", "unreached", "--of", &id];
    let said = desk.run(&plan).ends(2).stderr;
    assert!(said.contains("is not over"), "{said}");
    going.wait().ends(0);
    let said = only("zzz").ends(2).stderr;
    assert!(said.contains("no run"), "{said}");
    desk.run(&["purge", &id, "--after", "0d", "--yes"]).ends(0);
    let said = only(&id).ends(2).stderr;
    assert!(said.contains("was purged"), "{said}");
    assert_eq!(platform.posted(), 8);
}

fn hash(desk: &Desk) -> String {
    let plan = desk.run(&["plan", "c.toml", "--json"]).ends(0).json();
    plan["plan"].as_str().unwrap().to_owned()
}

#[test]
fn a_plan_is_run_once() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    desk.tts(&people(10), "calls_per_second = 200");
    let first = hash(&desk);
    run(&desk, &["--plan", &first]).ends(0);
    let id = latest(&desk);
    for more in [&["--plan", &first][..], &["--plan", &first, "--again"]] {
        let said = run(&desk, more).ends(2).stderr;
        assert!(
            said.contains(&format!("run {id}")) && said.contains("run once"),
            "{said}"
        );
    }
    assert_eq!((platform.posted(), rung_twice(&platform)), (10, 0));
    // A plan of the same is another one now, and says who was called.
    let second = hash(&desk);
    assert_ne!(first, second);
    run(&desk, &["--plan", &second]).ends(2);
    run(&desk, &["--plan", &second, "--again"]).ends(0);
    assert_eq!(platform.posted(), 20);
    // One that was made before others ran is not the same any more.
    let third = hash(&desk);
    run(&desk, &["--again"]).ends(0);
    let said = run(&desk, &["--plan", &third, "--again"]).ends(2).stderr;
    assert!(said.contains("the earlier runs of the campaign"), "{said}");
    // Nor is one that calls fewer.
    let only = ["--only", "unreached", "--of", &id];
    let plan = [&["plan", "c.toml", "--json"][..], &only].concat();
    let planned = desk.run(&plan).ends(0).json();
    let planned = planned["plan"].as_str().unwrap();
    run(&desk, &["--plan", planned, "--again"]).ends(2);
    assert_eq!(platform.posted(), 30);
}

#[test]
fn a_plan_whose_import_was_killed_is_resumed_with_its_own_list_or_not_at_all() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    let list = people(20);
    desk.tts(&list, "calls_per_second = 200");
    desk.run(&["suppress", "add", "+46709999999"]).ends(0);
    let hash = hash(&desk);
    let database = desk.path("callout.db");
    execute(
        &database,
        "create trigger wishes after insert on runs begin
         update runs set wish = 'pause' where id = new.id; end",
    );
    run(&desk, &["--plan", &hash]).ends(3);
    // What a kill within the import leaves: the run, and nothing of its list.
    execute(&database, "delete from recipients");
    execute(
        &database,
        "update runs set state = 'planned', why = null, header = null, first_recipient = null,
                last_recipient = null, list_sha256 = null, started_at = null, ended_at = null",
    );
    execute(&database, "drop trigger wishes");
    // An import that was killed was never told outside of the database.
    execute(&database, "update identity set marked = 0");
    std::fs::remove_file(desk.path("callout.db-mark")).unwrap();
    desk.write("list.csv", &people(5));
    let said = desk.run(&["resume"]).ends(2).stderr;
    assert!(said.contains("the list changed"), "{said}");
    let said = run(&desk, &["--plan", &hash]).ends(2).stderr;
    assert!(said.contains("is not finished"), "{said}");
    // It called nobody: once it is ended the plan is not spent.
    desk.run(&["cancel", "--yes"]).ends(0);
    let said = run(&desk, &["--plan", &hash]).ends(2).stderr;
    assert!(said.contains("the list changed"), "{said}");
    assert_eq!(platform.posted(), 0);
    desk.write("list.csv", &list);
    run(&desk, &["--plan", &hash]).ends(0);
    assert_eq!((rung(&platform).len(), rung_twice(&platform)), (20, 0));
}
