//! What people press in calls, and who answers them, by a platform whose people do as they please.

use std::str::FromStr as _;

use jiff::SignedDuration;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::office::Office;
use crate::support::wait_for;

/// Confirmed counts; whoever is put through or opts out is not called again, and machines and silence are.
const CONFIRM: &str = r#"
name = "c"
[recipients]
file = "list.csv"
number = "phone"
region = "SE"
[callout.tts]
cli = "+46100000000"
text = "Hello."
[pacing]
calls_per_second = 200
[retry]
max_attempts = 2
machine = "1s"
no_response = "1s"
[menu.main]
say = "Press 1 to confirm, 2 to cancel, 3 for us, 9 for never again."
timeout = "1s"
[menu.main.key.1]
response = "confirmed"
[menu.main.key.2]
response = "cancelled"
[menu.main.key.3]
response = "put through"
connect = "+46812345678"
longest = "1m"
[menu.main.key.9]
response = "opted out"
suppress = "opted-out"
[menu.main.otherwise]
say = "Goodbye."
[machine]
do = "hang up"
[reached]
responses = ["confirmed"]
[spend]
cap = "1000 EUR"
rates = { "+46" = "0.10 EUR" }
longest_call = "2m"
"#;

fn decimal(text: &str) -> Decimal {
    Decimal::from_str(text).unwrap()
}

/// What is to be shown of a call by what its people did.
fn responded(call: &Value) -> String {
    let pressed = call["pressed"].as_array().unwrap().iter();
    let offered = pressed.filter_map(|it| match it["keys"].as_str().unwrap() {
        "1" => Some("confirmed"),
        "2" => Some("cancelled"),
        "3" => Some("put through"),
        "9" => Some("opted out"),
        _ => None,
    });
    let offered: Vec<&str> = offered.collect();
    if offered.is_empty() && call["machine"] == true {
        return "machine".to_owned();
    }
    offered.join(" > ")
}

#[test]
fn dispositions_follow_what_was_pressed_and_who_answered() {
    let options = "--time-scale 0.002 --mix 1,0,0,0 --press 0.8 --machines 0.3 --keys 1=4,2=1,3=1,9=1 --events-doubled 0.2";
    let options: Vec<&str> = options.split(' ').collect();
    let (office, _receiver) = Office::open(&options);
    office.list(120);
    office.desk.write("c.toml", CONFIRM);
    let out = office.run(&[]).ends(0);
    let (results, played) = (office.desk.export("results"), office.platform.played());
    let ledger = office.platform.ledger();
    let debit_of = |call: &str| {
        let mut rows = ledger.rows.iter();
        let row = rows.find(|row| ledger.cell(row, "call_id") == call);
        decimal(ledger.cell(row.unwrap(), "debit"))
    };
    let calls = played["calls"].as_array().unwrap();
    let (mut legs, mut all) = (0, Decimal::ZERO);
    for row in &results.rows {
        let cell = |column| results.cell(row, column);
        let theirs = calls.iter().filter(|call| {
            let number = call["destination"].as_str().unwrap();
            call["leg_of"].is_null() && number.ends_with(&cell("phone")[5..])
        });
        let theirs: Vec<&Value> = theirs.collect();
        let heard: Vec<String> = theirs.iter().map(|call| responded(call)).collect();
        let last = heard.last().unwrap();
        assert_eq!(cell("call_response"), last, "{heard:?}");
        let reached = if last == "confirmed" {
            "reached"
        } else {
            "unreached"
        };
        assert_eq!(cell("call_disposition"), reached, "{heard:?}");
        // Machines and silence are called again once, and nobody else is.
        let again = |heard: &String| heard.is_empty() || heard == "machine";
        assert_eq!(again(&heard[0]), heard.len() == 2, "{heard:?}");
        let apart = theirs
            .iter()
            .flat_map(|call| call["legs"].as_array().unwrap());
        let apart: Vec<Decimal> = apart
            .map(|leg| decimal(leg["debit"].as_str().unwrap()))
            .collect();
        legs += apart.len();
        let own = theirs
            .iter()
            .map(|call| debit_of(call["call_id"].as_str().unwrap()));
        let cost: Decimal = own.chain(apart).sum();
        assert_eq!(decimal(cell("call_debit")), cost, "{heard:?}");
        all += cost;
    }
    assert!(legs > 0, "nobody was put through");
    let responses = results.counts("call_response");
    let status = office.status();
    let unreached = &status["unreached"];
    for (response, why) in [("opted out", "opted_out"), ("machine", "machine")] {
        let ours = responses.get(response).copied().unwrap_or(0);
        assert!(ours > 0, "{responses:?}");
        assert_eq!(unreached[why].as_u64().unwrap(), ours as u64, "{status}");
    }
    let budget = &status["budget"];
    assert_eq!(decimal(budget["billed"].as_str().unwrap()), all);
    assert_eq!(
        decimal(budget["held_without_price"].as_str().unwrap()),
        Decimal::ZERO
    );
    assert_eq!(status["second_calls"].as_array().unwrap().len(), 0);
    let pressed = status["responses"].as_array().unwrap();
    let confirmed = pressed.iter().find(|it| it["response"] == "confirmed");
    let confirmed = confirmed.unwrap()["calls"].as_u64().unwrap();
    assert_eq!(confirmed, responses["confirmed"] as u64);
    assert!(
        out.stdout
            .contains(&format!("pressed: confirmed {confirmed}")),
        "{}",
        out.stdout
    );
    assert!(
        out.stdout.contains("answered, not reached: machine"),
        "{}",
        out.stdout
    );
}

#[test]
fn who_is_put_through_counts_with_what_was_held_until_the_price_of_the_other_end_is_told() {
    let options = "--time-scale 0.002 --mix 1,0,0,0 --press 1 --press-wrong 0 --leave 0 --machines 0 --keys 3=1 --legs-within";
    let options: Vec<&str> = options.split(' ').collect();
    let (office, _receiver) = Office::open(&options);
    office.list(5);
    office.desk.write("c.toml", CONFIRM);
    office.run(&[]).ends(0);
    let status = office.status();
    let budget = &status["budget"];
    let amount = |name: &str| decimal(budget[name].as_str().unwrap());
    let attempts = office.desk.export("attempts");
    let holds = attempts.column("hold").into_iter().map(decimal);
    assert_eq!(amount("held_without_price"), holds.sum());
    assert_eq!(amount("billed"), Decimal::ZERO);
    assert_eq!(status["second_calls"].as_array().unwrap().len(), 0);
    let why = office.desk.run(&["why", "+46701740000"]).ends(0).stdout;
    assert!(
        why.contains("they pressed put through, they were put through"),
        "{why}"
    );
    assert!(
        why.contains("what they pressed does not count as reached"),
        "{why}"
    );
}

#[test]
fn what_is_told_once_the_run_is_over_changes_what_became_of_them() {
    let options =
        "--time-scale 0.002 --mix 1,0,0,0 --press 0 --press-wrong 0 --leave 0 --machines 0";
    let options: Vec<&str> = options.split(' ').collect();
    let (office, _receiver) = Office::open(&options);
    office.list(4);
    let once = CONFIRM.replace("max_attempts = 2", "max_attempts = 1");
    let once = once.replace("machine = \"1s\"\n", "");
    office
        .desk
        .write("c.toml", &once.replace("no_response = \"1s\"\n", ""));
    office.run(&[]).ends(0);
    let ledger = office.platform.ledger();
    let tell = |nth: usize, told: &Value| {
        let mut event = json!({
            "callid": ledger.column("call_id")[nth], "custom": ledger.column("attempt")[nth],
            "version": 1, "timestamp": "2026-01-01T00:00:00Z",
        });
        for (name, value) in told.as_object().unwrap() {
            event[name] = value.clone();
        }
        assert_eq!(office.tell(&event, SignedDuration::ZERO).0, "200");
    };
    let presses = |key: &str| json!({"event": "pie", "menuResult": {"menuId": "main", "type": "return", "value": key}});
    let machine = json!({"event": "ace", "amd": {"status": "machine", "reason": "longgreeting", "duration": 15}});
    // Twice, and the machine of somebody who had pressed a key.
    for _ in 0..2 {
        tell(0, &presses("1"));
        tell(0, &machine);
        tell(1, &machine);
        tell(2, &presses("9"));
    }
    let stands = |nth: usize| {
        let number = ledger.column("destination")[nth];
        let results = office.desk.export("results");
        let mut rows = results.rows.iter();
        let row = rows.find(|row| number.ends_with(&results.cell(row, "phone")[5..]));
        let cell = |column| results.cell(row.unwrap(), column).to_owned();
        (cell("call_disposition"), cell("call_response"))
    };
    let expected = [
        ("reached", "confirmed"),
        ("unreached", "machine"),
        ("unreached", "opted out"),
        ("unreached", ""),
    ];
    let expected = expected.map(|(is, pressed)| (is.to_owned(), pressed.to_owned()));
    wait_for("what was heard late", || {
        let unreached = &office.status()["unreached"];
        let whys = ["machine", "no_response", "opted_out"].map(|why| unreached[why].as_u64());
        let all = [0, 1, 2, 3].map(stands);
        (all == expected && whys == [Some(1); 3]).then_some(())
    });
    let why = |nth: usize| {
        let number = ledger.column("destination")[nth];
        office.desk.run(&["why", number]).ends(0).stdout
    };
    let words = [
        "reached: they pressed confirmed",
        "unreached: a machine answered",
        "unreached: they do not want to be called again",
        "unreached: they answered, and pressed no key that was offered",
    ];
    for (nth, words) in words.iter().enumerate() {
        let why = why(nth);
        assert!(why.contains(words), "{why}");
    }
}
