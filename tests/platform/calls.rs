//! How calls go and how they are told: from ONGOING to FINAL, in both generations of the documents.

use std::time::Duration;

use callout::simulator::{CallResult, Mix, Options, Shape, Tariff, World};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::harness::{NUMBER, Peer, conference, steady, tts};

#[tokio::test]
async fn a_call_is_ongoing_until_ringing_and_talk_are_over() {
    let peer = Peer::start(steady());
    let id = peer.post(&conference(NUMBER, "a1 my text")).await.call_id();
    let told = async || {
        let call = peer.get_call(&id).await.json();
        let text = |field: &str| call[field].as_str().unwrap().to_owned();
        (
            text("status"),
            text("result"),
            text("reason"),
            call["duration"].as_u64().unwrap(),
        )
    };
    let row = |s: &str, r: &str, w: &str, d| (s.to_owned(), r.to_owned(), w.to_owned(), d);
    assert_eq!(told().await, row("ONGOING", "N/A", "N/A", 0));
    peer.advance(Duration::from_secs(15));
    assert_eq!(told().await, row("ONGOING", "ANSWERED", "N/A", 5));
    assert!(peer.get_call(&id).await.json().get("debit").is_none());
    peer.advance(Duration::from_micros(24_999_999));
    assert_eq!(told().await.0, "ONGOING");
    peer.advance(Duration::from_micros(1));
    let ledger = peer.simulator.ledger();
    assert_eq!(told().await, row("FINAL", "ANSWERED", ledger[0].reason, 30));
    peer.advance(Duration::from_hours(9000));
    assert_eq!(told().await.0, "FINAL");
}

#[tokio::test]
async fn the_time_scale_shortens_the_wait_and_not_the_duration() {
    let peer = Peer::start(Options {
        time_scale: 0.05,
        ..steady()
    });
    let id = peer.post(&conference(NUMBER, "a1")).await.call_id();
    peer.advance(Duration::from_millis(1999));
    assert_eq!(peer.get_call(&id).await.json()["status"], "ONGOING");
    peer.advance(Duration::from_millis(1));
    let call = peer.get_call(&id).await.json();
    assert_eq!(
        (&call["status"], &call["duration"]),
        (&json!("FINAL"), &json!(30))
    );
    let at_once = Peer::start(Options {
        time_scale: 0.0,
        ..steady()
    });
    let id = at_once.post(&conference(NUMBER, "a1")).await.call_id();
    assert_eq!(at_once.get_call(&id).await.json()["status"], "FINAL");
}

#[tokio::test]
async fn the_new_shape_has_objects_exact_numbers_and_no_zone() {
    let peer = Peer::start(steady());
    let id = peer.post(&conference(NUMBER, "a1 my text")).await.call_id();
    peer.advance(Duration::from_secs(40));
    let got = peer.get_call(&id).await;
    let call = got.json();
    assert_eq!(
        call["from"],
        json!({"type": "Number", "endpoint": "+46100000000"})
    );
    assert_eq!(call["to"], json!({"type": "Number", "endpoint": NUMBER}));
    assert_eq!(call["callId"], json!(id));
    assert_eq!(call["custom"], "a1 my text");
    assert_eq!(call["domain"], "pstn");
    assert_eq!(call["timestamp"], "2026-11-21T05:00:00");
    assert!(
        got.text
            .contains(r#""userRate":{"currencyId":"EUR","amount":0.0415}"#),
        "{}",
        got.text
    );
    assert!(
        got.text
            .contains(r#""debit":{"currencyId":"EUR","amount":0.0415}"#),
        "{}",
        got.text
    );
}

#[tokio::test]
async fn the_old_shape_has_text_where_the_new_one_has_objects() {
    let peer = Peer::start(Options {
        shape: Shape::Old,
        ..steady()
    });
    let accepted = peer.post(&conference(NUMBER, "a1")).await.json();
    let id = accepted["callid"].as_str().unwrap();
    let ongoing = peer.get_call(id).await.json();
    assert!(ongoing.get("debit").is_none());
    peer.advance(Duration::from_secs(40));
    let call = peer.get_call(id).await.json();
    assert_eq!(call["from"], "+46100000000");
    assert_eq!(call["to"], NUMBER);
    assert_eq!(call["callid"], json!(id));
    assert_eq!(call["timestamp"], "2026-11-21T05:00:00Z");
    assert!(call["custom"].is_object());
    assert_eq!(
        (&call["userRate"], &call["debit"]),
        (&json!("0.0415 EUR"), &json!("0.0415 EUR"))
    );
    assert_eq!(call["duration"], 30);
}

#[tokio::test]
async fn the_mixed_shape_shows_each_generation_and_deviation() {
    let peer = Peer::start(Options {
        shape: Shape::Mixed,
        time_scale: 0.0,
        ..steady()
    });
    let (mut texts, mut objects, mut without_from, mut without_plus) = (0, 0, 0, 0);
    let mut spellings = std::collections::BTreeSet::new();
    for nth in 0..40 {
        let accepted = peer
            .post(&conference(&format!("+4670174{nth:04}"), "a"))
            .await
            .json();
        let (key, id) = accepted.as_object().unwrap().iter().next().unwrap();
        spellings.insert(key.clone());
        let call = peer.get_call(id.as_str().unwrap()).await.json();
        let to = call["to"]
            .as_str()
            .or(call["to"]["endpoint"].as_str())
            .unwrap();
        texts += usize::from(call["to"].is_string());
        objects += usize::from(call["to"].is_object());
        without_from += usize::from(call["from"].is_null());
        without_plus += usize::from(!to.starts_with('+'));
    }
    assert_eq!(spellings.len(), 3);
    assert!(
        [texts, objects, without_from, without_plus]
            .iter()
            .all(|n| *n > 3)
    );
}

#[tokio::test]
async fn a_call_can_be_unknown_at_first_or_fail_to_be_told() {
    let peer = Peer::start(Options {
        get_not_found_first: 2,
        get_not_found_for: Duration::from_millis(500),
        ..steady()
    });
    let id = peer.post(&conference(NUMBER, "a1")).await.call_id();
    peer.advance(Duration::from_millis(500));
    for status in [404, 404, 200] {
        assert_eq!(peer.get_call(&id).await.status, status);
    }
    let id = peer.post(&conference(NUMBER, "a2")).await.call_id();
    for status in [404, 404, 404] {
        assert_eq!(peer.get_call(&id).await.status, status);
    }
    let failing = Peer::start(Options {
        get_server_error: 1.0,
        ..steady()
    });
    let id = failing.post(&conference(NUMBER, "a1")).await.call_id();
    assert!((500..=504).contains(&failing.get_call(&id).await.status));
}

#[tokio::test]
async fn a_poll_can_be_lost_and_a_debit_can_come_late() {
    let peer = Peer::start(Options {
        debit_after: 2,
        time_scale: 0.0,
        ..steady()
    });
    let id = peer.post(&conference(NUMBER, "a1")).await.call_id();
    for has_debit in [false, false, true, true] {
        let call = peer.get_call(&id).await.json();
        assert_eq!(call["status"], "FINAL");
        assert_eq!(call.get("debit").is_some(), has_debit);
    }
    let losing = Peer::start(Options {
        get_lost: 1.0,
        ..steady()
    });
    let id = losing.post(&conference(NUMBER, "a1")).await.call_id();
    let path = format!("/calling/v1/calls/id/{id}");
    let request = losing.signed(reqwest::Method::GET, &path, "");
    assert!(request.send().await.is_err());
}

fn order(number: &str) -> Vec<u8> {
    tts(number, "a").to_string().into_bytes()
}

fn numbers(count: u32) -> impl Iterator<Item = String> {
    (0..count).map(|nth| format!("+467{nth:08}"))
}

#[test]
fn results_come_in_the_proportions_of_the_mix() {
    let mut world = World::new(Options::default(), Timestamp::UNIX_EPOCH);
    for number in numbers(10_000) {
        world.post(World::read(&order(&number), true), Timestamp::UNIX_EPOCH);
    }
    let ledger = world.ledger();
    let share = |result: CallResult| {
        ledger
            .iter()
            .filter(|row| row.result == result.as_str())
            .count()
            / 100
    };
    assert!((68..=72).contains(&share(CallResult::Answered)));
    assert!((10..=14).contains(&share(CallResult::Busy)));
    assert!((12..=16).contains(&share(CallResult::NoAnswer)));
    assert!((2..=6).contains(&share(CallResult::Failed)));
    for row in &ledger {
        let answered = row.result == CallResult::Answered.as_str();
        assert_eq!(answered, row.duration_s > 0);
        assert_eq!(answered, row.debit > Decimal::ZERO);
    }
}

#[test]
fn a_mix_of_one_result_has_that_result_alone() {
    let mix = Mix {
        answered: 0,
        busy: 3,
        no_answer: 0,
        failed: 0,
    };
    let mut world = World::new(
        Options {
            mix,
            ..Options::default()
        },
        Timestamp::UNIX_EPOCH,
    );
    for number in numbers(50) {
        world.post(World::read(&order(&number), true), Timestamp::UNIX_EPOCH);
    }
    assert!(world.ledger().iter().all(|row| row.result == "BUSY"));
}

#[test]
fn a_longest_duration_ends_the_call_and_started_minutes_are_billed() {
    let options = Options {
        talk_s: 90..=90,
        ..steady()
    };
    let mut world = World::new(options, Timestamp::UNIX_EPOCH);
    let mut body = conference(NUMBER, "a");
    world.post(
        World::read(body.to_string().as_bytes(), true),
        Timestamp::UNIX_EPOCH,
    );
    body["conferenceCallout"]["maxDuration"] = Value::from(60);
    world.post(
        World::read(body.to_string().as_bytes(), true),
        Timestamp::UNIX_EPOCH,
    );
    let ledger = world.ledger();
    let rate = Tariff::default().rate(NUMBER);
    assert_eq!((ledger[0].duration_s, ledger[0].debit), (90, rate + rate));
    assert_eq!((ledger[1].duration_s, ledger[1].debit), (60, rate));
    assert_eq!(ledger[1].reason, "MANAGERHANGUP");
}
