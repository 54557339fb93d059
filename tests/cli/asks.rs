//! Calls that ask: what is said next follows from the run's own copy of campaign and row, what was pressed is kept
//! before it is said, and a no is a no before the goodbye.

use jiff::SignedDuration;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::office::Office;
use crate::support::{Desk, Out, Running, WriteLock, wait_for};

/// A call that asks, with an answer for every key and a word of the row in every text.
pub(crate) const ASKS: &str = r#"
name = "c"
[recipients]
file = "list.csv"
number = "phone"
region = "SE"
[callout.tts]
cli = "+46100000000"
text = "Hello {{ name }}."
[pacing]
calls_per_second = 200
[menu.main]
say = "{{ name }}, press 1 to confirm, 2 for more, 9 for never again."
[menu.main.key.1]
response = "confirmed"
say = "Thank you, {{ name }}."
[menu.main.key.2]
menu = "more"
[menu.main.key.9]
response = "opted out"
suppress = "opted-out"
say = "Never again, {{ name }}."
[menu.main.otherwise]
say = "Goodbye, {{ name }}."
[menu.more]
say = "Press 1 to be called back, {{ name }}."
[menu.more.key.1]
response = "call back"
[reached]
responses = ["confirmed", "call back"]
"#;

/// Calls in which nothing happens but what a test does.
const STILL: [&str; 6] = [
    "--time-scale",
    "1000",
    "--events-lost",
    "1",
    "--mix",
    "1,0,0,0",
];

/// A run whose calls go on, each person of a name of their own.
fn calling(people: usize) -> (Office, Running, Running) {
    let (office, receiver) = Office::open(&STILL);
    let row = |n: usize| format!("Ada{n},+46701740{n:03}\n");
    let list: String = (0..people).map(row).collect();
    office
        .desk
        .write("list.csv", &format!("name,phone\n{list}"));
    office.desk.write("c.toml", ASKS);
    let run = office.desk.start(&["run", "c.toml", "--yes"]);
    wait_for("the calls", || {
        if office.platform.posted() < people {
            return None;
        }
        let attempts = office.desk.export("attempts");
        let accepted = attempts.counts("state").get("accepted").copied();
        (accepted == Some(people)).then_some(())
    });
    (office, receiver, run)
}

impl Office {
    /// The attempt and the call on the n-th person of the list.
    fn call_of(&self, n: usize) -> (String, String) {
        let ledger = self.platform.ledger();
        let number = format!("+46701740{n:03}");
        let row = ledger
            .rows
            .iter()
            .find(|row| ledger.cell(row, "destination") == number)
            .unwrap();
        let custom = ledger.cell(row, "attempt").to_owned();
        (custom, ledger.cell(row, "call_id").to_owned())
    }

    /// A menu of the n-th person's call has a result. Returns what is said next.
    fn menu(&self, n: usize, menu: &str, result: &Value) -> Value {
        let (custom, call) = self.call_of(n);
        let mut menu_result = json!({"menuId": menu});
        for (name, value) in result.as_object().unwrap() {
            menu_result[name] = value.clone();
        }
        let event = json!({
            "event": "pie", "callid": call, "custom": custom, "version": 1,
            "timestamp": "2026-01-01T00:00:00Z", "menuResult": menu_result,
        });
        let (status, body) = self.tell(&event, SignedDuration::ZERO);
        assert_eq!(status, "200", "{body}");
        serde_json::from_str(&body).unwrap()
    }

    fn presses(&self, n: usize, menu: &str, key: &str) -> Value {
        self.menu(n, menu, &json!({"type": "return", "value": key}))
    }

    /// The n-th person's call is over.
    fn hangs_up(&self, n: usize) {
        let (custom, call) = self.call_of(n);
        let event = json!({
            "event": "dice", "callid": call, "custom": custom, "version": 1,
            "timestamp": "2026-01-01T00:00:00Z", "result": "ANSWERED", "reason": "MANAGERHANGUP",
            "duration": 20, "debit": {"currencyId": "EUR", "amount": 0.02},
        });
        assert_eq!(self.tell(&event, SignedDuration::ZERO).0, "200");
    }

    fn result_of(&self, n: usize) -> (String, String) {
        let results = self.desk.export("results");
        let number = format!("+46701740{n:03}");
        let row = results
            .rows
            .iter()
            .find(|row| results.cell(row, "phone") == number)
            .unwrap();
        let cell = |column| results.cell(row, column).to_owned();
        (cell("call_disposition"), cell("call_response"))
    }
}

fn said(svaml: &Value) -> Vec<&str> {
    let instructions = svaml["instructions"].as_array();
    let texts = instructions.into_iter().flatten();
    texts.filter_map(|it| it["text"].as_str()).collect()
}

#[test]
fn what_is_said_next_is_the_rows_own_and_a_repeat_hears_the_same() {
    let (office, _receiver, run) = calling(3);
    let thanks = office.presses(0, "main", "1");
    assert_eq!(said(&thanks), ["Thank you, Ada0."]);
    assert_eq!(thanks["action"]["name"], "hangup");
    assert_eq!(office.presses(0, "main", "1"), thanks);
    let more = office.presses(1, "main", "2");
    assert_eq!(more["action"]["name"], "runMenu");
    let asked = more["action"]["mainMenu"].as_str().unwrap().to_owned();
    assert!(
        more.to_string()
            .contains("Press 1 to be called back, Ada1."),
        "{more}"
    );
    // The same key once more, within the same second: another menu, another answer.
    let back = office.presses(1, &asked, "1");
    assert_eq!(back["action"]["name"], "hangup");
    let nothing = office.menu(2, "main", &json!({"type": "timeout"}));
    assert_eq!(said(&nothing), ["Goodbye, Ada2."]);
    (0..3).for_each(|n| office.hangs_up(n));
    run.wait().ends(0);
    let is = |disposition: &str, response: &str| (disposition.to_owned(), response.to_owned());
    assert_eq!(office.result_of(0), is("reached", "confirmed"));
    assert_eq!(office.result_of(1), is("reached", "2 > call back"));
    assert_eq!(office.result_of(2).1, "");
}

#[test]
fn a_no_is_on_its_list_before_the_goodbye() {
    let (office, _receiver, run) = calling(1);
    let goodbye = office.presses(0, "main", "9");
    let listed = office.desk.run(&["suppress", "list"]).ends(0).stdout;
    assert!(listed.contains("opted-out"), "{listed}");
    assert_eq!(said(&goodbye), ["Never again, Ada0."]);
    office.hangs_up(0);
    run.wait().ends(0);
    // They were reached or not by what they said: they are over, and not suppressed.
    assert_eq!(office.result_of(0).1, "opted out");
    let again = office.desk.run(&["run", "c.toml", "--yes", "--again"]);
    assert!(again.ends(0).stdout.contains("suppressed"));
    assert_eq!(office.platform.posted(), 1);
}

#[test]
fn a_promise_that_cannot_be_kept_in_time_is_not_spoken_and_kept_all_the_same() {
    let (office, _receiver, run) = calling(1);
    let lock = WriteLock::take(&office.desk.path("callout.db"));
    let answer = office.presses(0, "main", "9");
    assert_eq!(answer, json!({"action": {"name": "hangup"}}));
    drop(lock);
    wait_for("the list", || {
        let listed = office.desk.run(&["suppress", "list"]).ends(0).stdout;
        listed.contains("opted-out").then_some(())
    });
    office.hangs_up(0);
    run.wait().ends(0);
    assert_eq!(office.result_of(0).1, "opted out");
}

#[test]
fn a_callout_by_hand_asks_and_tells_what_is_pressed() {
    let (office, _receiver) = Office::open(&STILL);
    office.desk.write("list.csv", "name,phone\n");
    office.desk.write("c.toml", ASKS);
    let words = "call place --campaign c.toml --set name=Ada0 +46701740000";
    let words: Vec<&str> = words.split(' ').collect();
    let placed = office.desk.start(&words);
    wait_for("the call", || (office.platform.posted() == 1).then_some(()));
    office.presses(0, "main", "2");
    wait_for("what was pressed", || {
        placed.said().contains("pressed: 2").then_some(())
    });
    office.presses(0, "more-2", "1");
    office.hangs_up(0);
    let said = placed.wait().ends(0).stderr;
    assert!(said.contains("pressed: call back"), "{said}");
}

#[test]
fn a_key_that_was_answered_is_there_after_a_kill() {
    let (office, receiver, run) = calling(2);
    assert_eq!(said(&office.presses(0, "main", "1")), ["Thank you, Ada0."]);
    assert_eq!(
        said(&office.presses(1, "main", "9")),
        ["Never again, Ada1."]
    );
    // Whoever heard it has no time to do anything about it.
    assert!(receiver.kill() && run.kill());
    let words = ["serve", "--no-dial", "--listen", &office.address];
    let _receiver = office.desk.start(&words);
    let resumed = office.desk.start(&["resume"]);
    wait_for("the receiver", || {
        std::net::TcpStream::connect(&office.address).ok().map(drop)
    });
    (0..2).for_each(|n| office.hangs_up(n));
    resumed.wait().ends(0);
    assert_eq!(office.result_of(0).1, "confirmed");
    assert_eq!(office.result_of(1).1, "opted out");
}

#[test]
fn whose_row_was_erased_hears_nothing_of_it() {
    let (office, _receiver, run) = calling(1);
    office.hangs_up(0);
    run.wait().ends(0);
    office.desk.run(&["erase", "+46701740000", "--yes"]).ends(0);
    let answer = office.presses(0, "main", "1");
    assert_eq!(answer, json!({"action": {"name": "hangup"}}));
}

#[test]
fn who_stops_answers_until_the_calls_are_over() {
    let (office, _receiver, mut run) = calling(2);
    run.signal(Signal::TERM);
    wait_for("the stop", || run.said().contains("stopping").then_some(()));
    let thanks = office.presses(0, "main", "1");
    assert_eq!(said(&thanks), ["Thank you, Ada0."]);
    assert!(run.going());
    (0..2).for_each(|n| office.hangs_up(n));
    run.wait().ends(3);
    assert_eq!(office.result_of(0).0, "reached");
    office.desk.run(&["resume"]).ends(0);
}

#[test]
fn whoever_receives_alone_answers_until_the_calls_are_over_as_well() {
    let (office, receiver, run) = calling(1);
    receiver.signal(Signal::TERM);
    wait_for("the stop", || {
        receiver.said().contains("stopping: 1 call").then_some(())
    });
    assert_eq!(said(&office.presses(0, "main", "1")), ["Thank you, Ada0."]);
    office.hangs_up(0);
    receiver.wait().ends(0);
    run.wait().ends(0);
    assert_eq!(office.result_of(0).1, "confirmed");
}

#[test]
fn nobody_is_dialled_any_more_once_nobody_receives() {
    let (office, receiver) = Office::open(&STILL);
    let row = |n: usize| format!("Ada{n},+46701740{n:03}\n");
    let list: String = (0..900).map(row).collect();
    office
        .desk
        .write("list.csv", &format!("name,phone\n{list}"));
    let slowly = ASKS.replace("calls_per_second = 200", "calls_per_second = 5");
    office.desk.write("c.toml", &slowly);
    let run = office.desk.start(&["run", "c.toml", "--yes"]);
    wait_for("a call", || (office.platform.posted() > 0).then_some(()));
    assert!(receiver.kill());
    wait_for("the stop", || {
        run.said().contains("nobody receives").then_some(())
    });
    assert!(office.platform.posted() < 900);
    assert!(run.kill());
}

#[test]
fn whom_nobody_may_call_is_not_connected_either() {
    let (office, _receiver) = Office::open(&STILL);
    office
        .desk
        .write("list.csv", "name,phone\nAda0,+46701740000\n");
    let connects =
        "[menu.main.key.5]\nconnect = \"+46812345678\"\nlongest = \"5m\"\n[menu.main.otherwise]";
    office
        .desk
        .write("c.toml", &ASKS.replace("[menu.main.otherwise]", connects));
    let run = office.desk.start(&["run", "c.toml", "--yes"]);
    wait_for("the call", || (office.platform.posted() == 1).then_some(()));
    let connected = office.presses(0, "main", "5");
    assert_eq!(connected["action"]["number"], "+46812345678");
    office
        .desk
        .run(&["suppress", "add", "+46812345678"])
        .ends(0);
    let instead = office.presses(0, "main", "5");
    assert_eq!(said(&instead), ["Goodbye, Ada0."]);
    assert_eq!(instead["action"]["name"], "hangup");
    office.hangs_up(0);
    run.wait();
}

#[test]
fn nobody_is_called_whom_nobody_would_answer() {
    let (office, receiver) = Office::open(&STILL);
    assert!(receiver.kill());
    office
        .desk
        .write("list.csv", "name,phone\nAda,+46701740000\n");
    office.desk.write("c.toml", ASKS);
    // Nobody has said for long enough that somebody receives.
    crate::support::execute(
        &office.desk.path("callout.db-inbox"),
        "update receiver set until = 0",
    );
    let refused = office.desk.run(&["run", "c.toml", "--yes"]).ends(2);
    assert!(
        refused.stderr.contains("--public-url"),
        "{}",
        refused.stderr
    );
    assert_eq!(office.platform.posted(), 0);
    let runs = office.desk.run(&["runs", "--json"]).ends(0).json();
    assert_eq!(runs["runs"], json!([]));
}

#[test]
fn a_run_with_such_calls_goes_on_with_somebody_who_answers() {
    let (office, receiver, run) = calling(1);
    assert!(run.kill() && receiver.kill());
    crate::support::execute(
        &office.desk.path("callout.db-inbox"),
        "update receiver set until = 0",
    );
    let refused: Out = office.desk.run(&["resume"]).ends(2);
    assert!(
        refused.stderr.contains("--public-url"),
        "{}",
        refused.stderr
    );
    let public = format!("http://{}", office.address);
    let words = [
        "resume",
        "--listen",
        &office.address,
        "--public-url",
        &public,
    ];
    let resumed = office.desk.start(&words);
    wait_for("the receiver", || {
        resumed.said().contains("events are received").then_some(())
    });
    assert_eq!(said(&office.presses(0, "main", "1")), ["Thank you, Ada0."]);
    office.hangs_up(0);
    resumed.wait().ends(0);
    assert_eq!(
        office.result_of(0),
        ("reached".to_owned(), "confirmed".to_owned())
    );
}

#[test]
fn a_rehearsal_asks_with_no_setup_and_begins_anew_with_the_same() {
    let desk = Desk::empty();
    let row = |n: usize| format!("Ada{n},+46701740{n:03}\n");
    let list: String = (0..200).map(row).collect();
    desk.write("list.csv", &format!("name,phone\n{list}"));
    desk.write("c.toml", ASKS);
    let rehearsed = |how: &[&str]| {
        desk.run(&[&["rehearse", "c.toml"], how].concat()).ends(0);
        desk.table("c-rehearsal.csv")
    };
    let results = rehearsed(&["--virtual"]);
    let responses = results.counts("call_response");
    for response in ["confirmed", "opted out", "2 > call back", ""] {
        assert!(responses.contains_key(response), "{responses:?}");
    }
    // Who opted out did so in the rehearsal's own database, which begins anew.
    assert_eq!(rehearsed(&["--virtual"]).rows, results.rows);
    let over_http = rehearsed(&["--time-scale", "0.01"]);
    let responses = over_http.counts("call_response");
    assert!(responses.contains_key("2 > call back"), "{responses:?}");
}
