//! What cannot be taken back is asked for with its counts; who cannot be asked says so beforehand.

use crate::support::{Desk, Platform, Running, number, people, wait_for};
use serde_json::{Value, json};

/// A desk with a run of so many people whose cap has no room for one call.
pub(crate) fn stopped_at_the_cap(platform: &Platform, rows: usize) -> Desk {
    let desk = Desk::at(platform);
    let spend = "[spend]\ncap = \"0.02 EUR\"\nrate = \"0.05 EUR\"\nlongest_call = \"1m\"";
    desk.tts(&people(rows), &format!("calls_per_second = 50\n{spend}"));
    desk.run(&["run", "c.toml", "--yes"]).ends(4);
    desk
}

/// Answers the question that a command asks at a terminal; what stood there, and how it ended.
pub(crate) fn answered(desk: &Desk, args: &[&str], answer: &str) -> (String, Option<i32>) {
    let (command, terminal) = desk.start_at_terminal(args);
    let mut shown = String::new();
    wait_for("a question", || {
        shown.push_str(&terminal.read());
        shown.contains("[y/N]").then_some(())
    });
    terminal.type_line(answer);
    let end = wait_for_end(command, || shown.push_str(&terminal.read()));
    (shown, end)
}

/// A terminal that nobody reads from keeps a command waiting.
fn wait_for_end(mut command: Running, mut read: impl FnMut()) -> Option<i32> {
    wait_for("the command's end", || {
        read();
        (!command.going()).then_some(())
    });
    command.wait().code
}

#[test]
fn a_cancel_is_asked_for_with_its_counts() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = stopped_at_the_cap(&platform, 5);
    let run = desk.run(&["status", "--json"]).ends(0).json()["run"].clone();
    let question = format!(
        "Cancel run {} of c: 5 people are not called any more?",
        run.as_str().unwrap()
    );

    let nobody = desk.run(&["cancel"]).ends(2).stderr;
    assert!(nobody.contains(&question), "{nobody}");
    assert!(
        nobody.contains("nothing was cancelled: say --yes"),
        "{nobody}"
    );
    let error = desk.run(&["cancel", "--json"]).ends(2).json();
    assert_eq!(error["error"]["code"], "nobody_to_ask", "{error}");

    let (shown, end) = answered(&desk, &["cancel"], "n");
    assert!(shown.contains(&question), "{shown}");
    assert_eq!(end, Some(2), "{shown}");
    let status = desk.run(&["status", "--json"]).ends(0).json();
    assert_eq!(status["state"], "paused", "{status}");

    let (shown, end) = answered(&desk, &["cancel", "c"], "y");
    assert!(
        shown.contains("cancelled: 5 recipients are not called"),
        "{shown}"
    );
    assert_eq!(end, Some(0), "{shown}");
    let status = desk.run(&["status", "--json"]).ends(0).json();
    assert_eq!(status["state"], "cancelled", "{status}");
}

#[test]
fn what_a_cancel_and_a_pause_did_is_told_to_programs() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = stopped_at_the_cap(&platform, 3);
    let paused = desk.run(&["pause", "--json"]).ends(0).json();
    assert_eq!(paused["result"], "paused_already", "{paused}");
    let cancelled = desk.run(&["cancel", "--yes", "--json"]).ends(0).json();
    assert_eq!(
        cancelled,
        json!({
            "run": paused["run"], "campaign": "c", "result": "cancelled",
            "not_called": 3, "calls_without_result": 0,
        })
    );
    let error = desk.run(&["pause", "--json"]).ends(2).json();
    assert_eq!(error["error"]["code"], "over", "{error}");
}

#[test]
fn numbers_are_taken_off_lists_when_somebody_says_so() {
    let desk = Desk::empty();
    let (a, b) = (number(0), number(1));
    desk.run(&["suppress", "add", &a, &b]).ends(0);
    desk.run(&["suppress", "add", &a, "--list", "board"])
        .ends(0);
    let remove = ["suppress", "remove", &a, &b];
    let question = "Take 2 numbers off lists board (1), dnc (2)?";

    let nobody = desk.run(&remove).ends(2).stderr;
    assert!(nobody.contains(question), "{nobody}");
    assert!(
        nobody.contains("nothing was removed: say --yes"),
        "{nobody}"
    );
    let (shown, end) = answered(&desk, &remove, "n");
    assert!(shown.contains(question), "{shown}");
    assert_eq!(end, Some(2), "{shown}");
    let check = |number: &str| -> Value {
        desk.run(&["suppress", "check", number, "--json"])
            .ends(0)
            .json()
    };
    assert_eq!(check(&a)["suppressed"], true);

    let (shown, end) = answered(&desk, &remove, "yes");
    assert!(shown.contains("3 entries removed"), "{shown}");
    assert_eq!(end, Some(0), "{shown}");
    assert_eq!(check(&a)["suppressed"], false);
    // Nothing is left to be decided.
    let said = desk.run(&remove).ends(0).stdout;
    assert!(said.contains("0 entries removed"), "{said}");
}

#[test]
fn who_was_erased_is_called_again_for_a_reason_alone() {
    let desk = Desk::empty();
    let a = number(0);
    desk.run(&["suppress", "add", &a]).ends(0);
    desk.run(&["erase", &a, "--yes"]).ends(0);
    let remove = ["suppress", "remove", &a];
    let said = desk.run(&[&remove[..], &["--yes"]].concat()).ends(2).stderr;
    assert!(said.contains("1 of these numbers was erased"), "{said}");
    assert!(said.contains("--reason"), "{said}");
    let reason = [&remove[..], &["--reason", "wrote to us again"]].concat();
    let said = desk.run(&reason).ends(2).stderr;
    assert!(
        said.contains("1 number was erased, by people who wanted to be forgotten"),
        "{said}"
    );
    desk.run(&[&reason[..], &["--yes"]].concat()).ends(0);
    let check = desk
        .run(&["suppress", "check", &a, "--json"])
        .ends(0)
        .json();
    assert_eq!(check["suppressed"], false, "{check}");
}
