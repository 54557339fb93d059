//! The binary from a campaign file to results.csv, against a simulated platform in a process of its
//! own: every row is compared with the platform's ledger, every exit code has its reason, and no
//! personal data is logged.

use std::collections::HashMap;
use std::path::Path;

use crate::support::{Desk, KEY, Platform, SECRET, Table, number, people, wait_for};
use rust_decimal::Decimal;
use rustix::process::Signal;

const SAMPLES: [&str; 4] = [
    "appointment-reminder",
    "conference-bridge",
    "custom-press-one",
    "outage-prompts",
];

/// Copies a sample campaign and its list, at a rate that a test has time for.
fn sample(desk: &Desk, name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("campaigns");
    for file in [format!("{name}.toml"), format!("{name}.csv")] {
        let text = std::fs::read_to_string(folder.join(&file)).unwrap();
        let faster = text.lines().map(|line| {
            if line.starts_with("calls_per_second") {
                "calls_per_second = 500"
            } else {
                line
            }
        });
        let lines: Vec<&str> = faster.collect();
        desk.write(&file, &(lines.join("\n") + "\n"));
    }
}

fn money(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// Compares results with the list and with the platform's ledger, row by row.
#[track_caller]
fn assert_results_match(results: &Table, list: &Table, platform: &Platform) {
    let ledger = platform.ledger();
    let calls: HashMap<&str, &Vec<String>> = ledger
        .rows
        .iter()
        .map(|row| (ledger.cell(row, "call_id"), row))
        .collect();
    let width = list.header.len();
    assert_eq!(results.header[..width], list.header);
    assert_eq!(results.rows.len(), list.rows.len());
    let mut called = 0;
    for (row, listed) in results.rows.iter().zip(&list.rows) {
        assert_eq!(row[..width], listed[..], "the list's columns are untouched");
        let cell = |name| results.cell(row, name);
        let end = cell("call_disposition");
        if ["invalid", "duplicate"].contains(&end) {
            assert_eq!(cell("call_attempts"), "0");
            assert_eq!(cell("call_id"), "");
            continue;
        }
        called += 1;
        let call = calls[cell("call_id")];
        let told = |name| ledger.cell(call, name);
        assert_eq!(cell("call_result"), told("result"));
        assert_eq!(cell("call_reason"), told("reason"));
        assert_eq!(cell("call_duration_s"), told("duration_s"));
        assert_eq!(money(cell("call_debit")), money(told("debit")));
        assert_eq!(cell("call_currency"), told("currency"));
        assert_eq!(cell("call_attempts"), "1");
        let reached = if told("result") == "ANSWERED" {
            "reached"
        } else {
            "unreached"
        };
        assert_eq!(end, reached);
    }
    assert_eq!(
        called,
        ledger.rows.len(),
        "every phone that rang is in the results"
    );
}

#[test]
fn results_are_the_platforms_ledger_for_every_kind_scheme_and_shape() {
    let ways = [("signed", "new"), ("basic", "old"), ("signed", "mixed")];
    for (nth, name) in SAMPLES.iter().enumerate() {
        let (auth, shape) = ways[nth % ways.len()];
        let platform = Platform::start(&["--time-scale", "0", "--shape", shape]);
        let desk = Desk::at(&platform);
        sample(&desk, name);
        let file = format!("{name}.toml");
        let args = [
            "run",
            &file,
            "--yes",
            "--auth",
            auth,
            "--output",
            "results.csv",
            "--json",
        ];
        let told = desk.run(&args).ends(0).json();
        let list = desk.table(&format!("{name}.csv"));
        assert_results_match(&desk.table("results.csv"), &list, &platform);
        assert_eq!(told["adds_up"], true);
        assert_eq!(told["rows"], list.rows.len());
        let debits = platform.ledger();
        let sum: Decimal = debits.column("debit").into_iter().map(money).sum();
        assert_eq!(money(told["spent"]["EUR"].as_str().unwrap()), sum, "{name}");
    }
}

#[test]
fn rejects_are_in_the_results_and_every_row_is_accounted_for() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    let list = format!(
        "name,phone,note\nAnna,{a},=1+1\nBo,nonsense,x\nAgain,{a},+cmd\n\"C, D\",{b},\"two\nlines\"\n\
         ,{c},no name\n",
        a = number(1),
        b = number(2),
        c = number(3)
    );
    desk.tts(&list, "calls_per_second = 100");
    let report = desk.run(&["run", "c.toml", "--yes"]).ends(0).stdout;
    assert!(
        report.contains("5 rows = ") && report.contains("(it adds up)"),
        "{report}"
    );
    assert_results_match(&desk.export("results"), &desk.table("list.csv"), &platform);
    let ends = desk.export("results");
    let expected = ["", "invalid", "duplicate", "", "invalid"];
    for (end, expected) in ends.column("call_disposition").iter().zip(expected) {
        assert!(expected.is_empty() || *end == expected, "{end} {expected}");
    }
    let rejects = desk.export("rejects");
    assert_eq!(rejects.column("line"), ["3", "4", "7"]);
    assert_eq!(rejects.column("kind"), ["invalid", "duplicate", "invalid"]);
    assert_eq!(rejects.column("reason")[1], "the same number as line 2");
    // What a spreadsheet would run is made safe, unless every byte is asked for.
    let safe = Table::read(desk.run(&["export"]).ends(0).stdout.as_bytes());
    assert_eq!(safe.column("note")[..3], ["'=1+1", "x", "'+cmd"]);
    assert_eq!(ends.column("note")[..3], ["=1+1", "x", "+cmd"]);
    assert_eq!(safe.column("phone"), ends.column("phone"));
    let attempts = desk.export("attempts");
    let told = platform.ledger();
    assert_eq!(attempts.column("attempt"), told.column("attempt"));
    assert_eq!(attempts.column("number"), told.column("destination"));
}

#[test]
fn an_output_file_is_never_replaced_unless_that_is_said() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    desk.tts(&people(3), "calls_per_second = 100");
    desk.write("out.csv", "precious");
    let run = ["run", "c.toml", "--yes", "--output", "out.csv"];
    let refusal = desk.run(&run).ends(2).stderr;
    assert!(refusal.contains("--force"), "{refusal}");
    assert_eq!(
        (desk.read("out.csv").as_slice(), platform.posted()),
        (&b"precious"[..], 0)
    );
    desk.run(&[run.as_slice(), &["--force"]].concat()).ends(0);
    assert_eq!(desk.table("out.csv").rows.len(), 3);
    desk.write("out.csv", "precious");
    desk.run(&["export", "--output", "out.csv"]).ends(2);
    desk.run(&["resume", "--output", "out.csv"]).ends(2);
    assert_eq!(desk.read("out.csv"), b"precious");
    desk.run(&["export", "--output", "out.csv", "--force"])
        .ends(0);
    assert_eq!(desk.table("out.csv").rows.len(), 3);
}

#[test]
fn bad_input_and_missing_settings_end_with_2_and_say_what_to_do() {
    let mut desk = Desk::empty();
    assert!(
        desk.run(&["run", "none.toml", "--yes"])
            .ends(2)
            .stderr
            .contains("none.toml")
    );
    desk.tts(&people(2), "calls_per_second = 10");
    let said = desk.run(&["run", "c.toml", "--yes"]).ends(2).stderr;
    assert!(
        said.contains("SINCH_APPLICATION_KEY") && said.contains("rehearse"),
        "{said}"
    );
    assert!(!desk.path("callout.db").exists(), "nothing is left behind");
    desk.set("SINCH_APPLICATION_KEY", KEY);
    desk.set("SINCH_APPLICATION_SECRET", SECRET);
    desk.set("SINCH_CALLING_URL", "http://example.com");
    desk.run(&["run", "c.toml", "--yes"]).ends(2);
    desk.set("SINCH_CALLING_URL", "http://127.0.0.1:1");
    // Nobody is there to be asked.
    assert!(
        desk.run(&["run", "c.toml"])
            .ends(2)
            .stderr
            .contains("--yes")
    );
    desk.write("bad.toml", "name = \"x\"\n[callout.tts]\ntxt = \"x\"\n");
    let said = desk.run(&["run", "bad.toml", "--yes"]).ends(2).stderr;
    assert!(said.contains("bad.toml:3:1"), "{said}");
    desk.run(&["run"]).ends(2);
    desk.run(&["resume"]).ends(2);
}

/// A run that is in the middle of its list, at a rate at which it stays there for a while.
fn midway(platform: &Platform, rows: usize) -> (Desk, crate::support::Running) {
    let desk = Desk::at(platform);
    desk.tts(&people(rows), "calls_per_second = 25");
    let engine = desk.start(&["run", "c.toml", "--yes"]);
    wait_for("calls", || {
        (platform.ledger().rows.len() >= 5).then_some(())
    });
    (desk, engine)
}

/// Resumes to the end, and everybody was called once.
fn assert_resumes(desk: &Desk, platform: &Platform, rows: usize) {
    desk.run(&["resume"]).ends(0);
    let ledger = platform.ledger();
    assert_eq!(
        (ledger.counts("destination").len(), ledger.rows.len()),
        (rows, rows)
    );
    assert_results_match(&desk.export("results"), &desk.table("list.csv"), platform);
    // Where nothing is left, it ends as the run ended.
    desk.run(&["resume"]).ends(0);
    assert_eq!(platform.ledger().rows.len(), rows);
}

#[test]
fn a_signal_drains_and_resume_goes_on() {
    for signal in [Signal::INT, Signal::TERM] {
        let platform = Platform::start(&["--time-scale", "0", "--answer-after", "30"]);
        let (desk, engine) = midway(&platform, 70);
        engine.signal(signal);
        let end = engine.wait().ends(3);
        assert!(end.stdout.contains("stopped by a signal"), "{}", end.stdout);
        let status = desk.run(&["status", "--json"]).ends(0).json();
        assert_eq!(status["state"], "paused");
        assert_eq!(status["uncertain"], 0, "what was in flight has finished");
        assert!(status["pending"].as_u64().unwrap() > 0);
        let again = desk.run(&["run", "c.toml", "--yes"]).ends(2).stderr;
        assert!(again.contains("resume"), "{again}");
        assert_resumes(&desk, &platform, 70);
    }
}

#[test]
fn results_are_replaced_by_a_resume_of_their_own_run_and_by_nobody_else() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    desk.tts(&people(60), "calls_per_second = 25");
    let args = ["run", "c.toml", "--yes", "--output", "out.csv"];
    let engine = desk.start(&args);
    wait_for("calls", || {
        (platform.ledger().rows.len() >= 5).then_some(())
    });
    engine.signal(Signal::INT);
    engine.wait().ends(3);
    assert_eq!(desk.table("out.csv").rows.len(), 60);
    // The run's own results, untouched: a resume goes on with them. Somebody else's file that takes
    // the name meanwhile stays as it is, and the results get another name.
    let engine = desk.start(&["resume", "--output", "out.csv"]);
    wait_for("more calls", || {
        (platform.ledger().rows.len() >= 20).then_some(())
    });
    desk.write("out.csv", "precious");
    let said = engine.wait().ends(0).stdout;
    assert_eq!(desk.read("out.csv"), b"precious");
    let name = said
        .lines()
        .find_map(|line| line.strip_prefix("results: "))
        .unwrap();
    assert_ne!(name, "out.csv");
    assert_eq!(
        desk.table(name)
            .counts("call_disposition")
            .values()
            .sum::<usize>(),
        60
    );
}

#[test]
fn a_pause_that_nobody_heard_does_not_stop_the_next_resume() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let (desk, engine) = midway(&platform, 60);
    desk.run(&["pause"]).ends(0);
    engine.kill();
    let code = desk.run(&["resume"]);
    assert!([Some(0), Some(5)].contains(&code.code), "{}", code.stderr);
}

#[test]
fn a_pause_from_another_terminal_stops_and_resume_goes_on() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let (desk, engine) = midway(&platform, 90);
    let status = desk.run(&["status", "--json"]).ends(0).json();
    assert_eq!(
        (&status["state"], &status["engine_at_work"]),
        (&"running".into(), &true.into())
    );
    let run = status["run"].as_str().unwrap();
    desk.run(&["pause", &run[..4]]).ends(0);
    engine.wait().ends(3);
    assert!(platform.ledger().rows.len() < 90);
    assert_resumes(&desk, &platform, 90);
    // A run that is over cannot be paused.
    desk.run(&["pause"]).ends(2);
}

#[test]
fn a_cancelled_run_calls_nobody_else_and_accounts_for_everybody() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let (desk, engine) = midway(&platform, 90);
    desk.run(&["cancel", "--yes"]).ends(0);
    engine.wait().ends(3);
    let rung = platform.ledger().rows.len();
    let results = desk.export("results");
    let cancelled = results.counts("call_disposition")["cancelled"];
    assert_eq!(cancelled + rung, 90);
    desk.run(&["resume"]).ends(3);
    assert_eq!(platform.ledger().rows.len(), rung);
    let report = desk.run(&["report"]).ends(0).stdout;
    assert!(
        report.contains("it adds up") && report.contains("cancelled"),
        "{report}"
    );
}

#[test]
fn a_refused_secret_stops_with_3_and_costs_nobody_a_call() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let mut desk = Desk::at(&platform);
    desk.set("SINCH_APPLICATION_SECRET", "d3Jvbmc=");
    desk.tts(&people(20), "calls_per_second = 100");
    let end = desk.run(&["run", "c.toml", "--yes"]).ends(3);
    assert!(end.stdout.contains("credentials"), "{}", end.stdout);
    assert_eq!(platform.ledger().rows.len(), 0);
    desk.set("SINCH_APPLICATION_SECRET", SECRET);
    assert_resumes(&desk, &platform, 20);
}

#[test]
fn an_empty_account_stops_with_4() {
    let platform = Platform::start(&["--time-scale", "0", "--credit", "0.2"]);
    let desk = Desk::at(&platform);
    desk.tts(&people(60), "calls_per_second = 100");
    let end = desk.run(&["run", "c.toml", "--yes"]).ends(4);
    assert!(end.stdout.contains("account is empty"), "{}", end.stdout);
    let rung = platform.ledger().rows.len();
    assert!((1..60).contains(&rung), "{rung}");
    // Facts about it end with 0; another try ends as before, and nobody is rung by it.
    desk.run(&["status"]).ends(0);
    desk.run(&["resume"]).ends(4);
    assert_eq!(platform.ledger().rows.len(), rung);
    let results = desk.export("results");
    assert_eq!(results.counts("call_disposition")[""], 60 - rung);
}

#[test]
fn lost_answers_end_with_5_and_are_dialled_again_only_when_a_person_says_so() {
    let losing = ["--time-scale", "0", "--lost", "0.3", "--seed", "7"];
    let platform = Platform::start(&losing);
    let mut desk = Desk::at(&platform);
    desk.tts(&people(40), "calls_per_second = 200");
    desk.run(&["run", "c.toml", "--yes"]).ends(5);
    desk.run(&["resume"]).ends(5);
    let ledger = platform.ledger();
    assert_eq!(ledger.counts("destination").len(), 40);
    assert_eq!(
        ledger.rows.len(),
        40,
        "a lost answer is never dialled again"
    );
    let lost: Vec<&str> = ledger
        .rows
        .iter()
        .filter(|row| ledger.cell(row, "fault") == "lost")
        .map(|row| ledger.cell(row, "attempt"))
        .collect();
    assert!(lost.len() > 4);
    let listed = desk.run(&["reconcile", "--json"]).ends(0).json();
    let listed: Vec<&str> = listed["uncertain"]
        .as_array()
        .unwrap()
        .iter()
        .map(|attempt| attempt["attempt"].as_str().unwrap())
        .collect();
    assert_eq!(listed.len(), lost.len());
    assert!(lost.iter().all(|id| listed.contains(id)));
    desk.run(&["reconcile", "--all"]).ends(2);
    desk.run(&["reconcile", "--all", "--not-called"]).ends(2);
    let called = [
        "reconcile",
        "--attempt",
        &listed[0][..12],
        "--called",
        "--result",
        "ANSWERED",
    ];
    desk.run(&[called.as_slice(), &["--reason", "in the records"]].concat())
        .ends(0);
    desk.run(&["resume"]).ends(5);
    assert_eq!(platform.ledger().rows.len(), 40);
    // The rest is said not to have been called, and is called by a platform in good health.
    desk.run(&[
        "reconcile",
        "--all",
        "--not-called",
        "--reason",
        "not in the records",
    ])
    .ends(0);
    let healthy = Platform::start(&["--time-scale", "0"]);
    desk.set("SINCH_CALLING_URL", &healthy.url);
    desk.run(&["resume"]).ends(0);
    assert_eq!(healthy.ledger().rows.len(), lost.len() - 1);
    let results = desk.export("results");
    assert!(!results.counts("call_disposition").contains_key("uncertain"));
    let states = desk.export("attempts");
    assert_eq!(states.counts("state")["not sent"], lost.len() - 1);
}

#[test]
fn every_sample_can_be_rehearsed_in_an_empty_folder() {
    let desk = Desk::empty();
    for name in SAMPLES {
        sample(&desk, name);
        let (file, results) = (format!("{name}.toml"), format!("{name}-rehearsal.csv"));
        let args = ["rehearse", &file, "--time-scale", "0"];
        let said = desk.run(&args).ends(0).stdout;
        assert!(
            said.contains("REHEARSAL") && said.contains("it adds up"),
            "{said}"
        );
        let first = desk.table(&results);
        assert_eq!(
            first.rows.len(),
            desk.table(&format!("{name}.csv")).rows.len()
        );
        // An earlier rehearsal's results are replaced, and nothing else is.
        desk.run(&args).ends(0);
        desk.write(&results, "mine\n");
        let refusal = desk.run(&args).ends(2).stderr;
        assert!(refusal.contains(&results), "{refusal}");
        assert_eq!(desk.read(&results), b"mine\n");
    }
    // Others were rehearsed since; what they wrote is still theirs to replace.
    let first = SAMPLES[0];
    std::fs::remove_file(desk.path(&format!("{first}-rehearsal.csv"))).unwrap();
    for name in [first, SAMPLES[1], first] {
        let (file, results) = (format!("{name}.toml"), format!("{name}-rehearsal.csv"));
        if desk.path(&results).exists() && desk.read(&results) == b"mine\n" {
            std::fs::remove_file(desk.path(&results)).unwrap();
        }
        desk.run(&["rehearse", &file, "--time-scale", "0"]).ends(0);
    }
    assert!(desk.path("callout-rehearsal.db").exists());
    assert!(!desk.path("callout.db").exists());
}

#[test]
fn no_personal_data_and_no_secret_is_logged() {
    let faults = ["--lost", "0.1", "--server-error", "0.1", "--reset", "0.1"];
    let options = ["--time-scale", "0", "--mix", "50,20,20,10"];
    let platform = Platform::start(&[options.as_slice(), &faults].concat());
    let mut list = String::from("name,phone\n");
    for nth in 0..40 {
        list.push_str("Canaryname,");
        list.push_str(&number(nth));
        list.push('\n');
    }
    list.push_str("Canaryname,0700badcanary\n");
    for auth in ["signed", "basic"] {
        let desk = Desk::at(&platform);
        desk.tts(&list, "calls_per_second = 200");
        let run = ["run", "c.toml", "--yes", "--log", "debug", "--auth", auth];
        let end = desk.run(&run).ends(5);
        assert!(end.stderr.contains("DEBUG"), "{}", end.stderr);
        let said = end.stdout + &end.stderr;
        let secret = SECRET.trim_end_matches('=');
        for canary in [
            "Canaryname",
            "Hello",
            "canary",
            secret,
            "Authorization: ",
            "Basic ",
        ] {
            assert!(!said.contains(canary), "{canary} in\n{said}");
        }
        for nth in 0..40 {
            let full = number(nth);
            assert!(!said.contains(&full[1..]), "{full} in\n{said}");
        }
    }
}
