//! What the simulated platform tells by itself: which events, in which order, how they are signed, and
//! what goes wrong with them on purpose.

use std::collections::BTreeMap;
use std::time::Duration;

use callout::simulator::{Delivery, EventFaults, Mix, Options, OutgoingEvent, Simulator, World};
use callout::sinch::auth::ReceivedHeaders;
use callout::sinch::events::Event;
use callout::sinch::verify::CallbackVerifier;
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use crate::application::{Application, in_time};
use crate::harness::{KEY, NUMBER, Peer, conference, credentials, steady, tts};

const URL: &str = "http://127.0.0.1:9/sinch";
const HANG_UP: &str = r#"{"action":{"name":"hangup"}}"#;

fn begin() -> Timestamp {
    "2026-11-21T05:00:00Z".parse().unwrap()
}

/// The same callout, told at its answer and at its end.
fn told(mut callout: Value) -> Value {
    let name = callout["method"].as_str().unwrap().to_owned();
    callout[&name]["enableAce"] = true.into();
    callout[&name]["enableDice"] = true.into();
    callout
}

fn number(index: usize) -> String {
    format!("+467017406{index:04}")
}

fn world(options: Options) -> World {
    let options = Options {
        callback_url: Some(URL.to_owned()),
        ..options
    };
    World::new(options, begin())
}

fn post(world: &mut World, callout: &Value, now: Timestamp) -> Delivery {
    world.post(World::read(callout.to_string().as_bytes(), false), now)
}

/// A world with so many told calls of a conference, placed in this order.
fn called(options: Options, indices: impl IntoIterator<Item = usize>) -> World {
    let mut world = world(options);
    for index in indices {
        let callout = told(conference(&number(index), &format!("a{index}")));
        post(&mut world, &callout, begin());
    }
    world
}

fn read(event: &OutgoingEvent) -> Value {
    serde_json::from_slice(&event.body).unwrap()
}

/// All events with the moments at which they are due, in order.
fn run(world: &mut World) -> Vec<(Timestamp, Value)> {
    let mut all = Vec::new();
    while let Some(next) = world.next_event_at() {
        let due = world.events_due(next, KEY);
        assert!(world.next_event_at().is_none_or(|then| then > next));
        all.extend(due.iter().map(|event| (next, read(event))));
    }
    all
}

fn values(world: &mut World) -> Vec<Value> {
    run(world).into_iter().map(|(_, event)| event).collect()
}

fn names(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .map(|e| e["event"].as_str().unwrap())
        .collect()
}

fn amount(event: &Value) -> Decimal {
    event["debit"]["amount"].to_string().parse().unwrap()
}

fn faults(events: EventFaults) -> Options {
    Options {
        events,
        ..Options::default()
    }
}

#[test]
fn a_call_tells_its_answer_and_its_end() {
    let mut world = called(steady(), [1]);
    let events = run(&mut world);
    let id = world.ledger()[0].call_id.clone();
    let ace = json!({
        "event": "ace", "callid": id, "timestamp": "2026-11-21T05:00:10Z", "version": 1,
        "custom": "a1", "applicationKey": KEY,
    });
    let dice = json!({
        "event": "dice", "callid": id, "timestamp": "2026-11-21T05:00:40Z",
        "reason": world.ledger()[0].reason, "result": "ANSWERED", "version": 1, "custom": "a1",
        "debit": {"currencyId": "EUR", "amount": 0.0415},
        "userRate": {"currencyId": "EUR", "amount": 0.0415},
        "to": {"type": "number", "endpoint": "4670174060001"},
        "applicationKey": KEY, "duration": 30, "from": "46100000000",
    });
    let at = |seconds| begin() + SignedDuration::from_secs(seconds);
    assert_eq!(events, [(at(10), ace), (at(40), dice)]);
    for (_, event) in &events {
        // Our own reader understands every field.
        let event = Event::parse(event.to_string().as_bytes()).unwrap();
        assert!(matches!(event, Event::Ace(_) | Event::Dice(_)));
    }
}

#[test]
fn every_call_of_the_ledger_is_told_with_its_own_debit() {
    let mut world = called(Options::default(), 0..300);
    let mut told: BTreeMap<String, Value> = BTreeMap::new();
    let mut answers = 0;
    for event in values(&mut world) {
        let id = event["callid"].as_str().unwrap().to_owned();
        if event["event"] == "ace" {
            answers += 1;
        } else {
            assert!(told.insert(id, event).is_none(), "an end is told once");
        }
    }
    let ledger = world.ledger();
    assert_eq!((ledger.len(), told.len()), (300, 300));
    for row in &ledger {
        let event = &told[&row.call_id];
        assert_eq!(amount(event), row.debit);
        assert_eq!(event["result"], row.result);
        assert_eq!(event["reason"], row.reason);
        assert_eq!(event["duration"], row.duration_s);
        assert_eq!(event["custom"], row.attempt);
    }
    let answered = ledger.iter().filter(|row| row.result == "ANSWERED");
    assert_eq!(answers, answered.count());
}

#[test]
fn nothing_is_told_that_nobody_asked_for_or_that_has_nowhere_to_go() {
    let plain = conference(NUMBER, "a1");
    let mut off = told(plain.clone());
    off["conferenceCallout"]["enableAce"] = "false".into();
    off["conferenceCallout"]["enableDice"] = false.into();
    let mut user = told(plain.clone());
    user["conferenceCallout"]["destination"] = json!({"type": "username", "endpoint": "anna"});
    for callout in [plain.clone(), off, user] {
        let mut world = world(steady());
        post(&mut world, &callout, begin());
        assert_eq!(world.ledger().len(), 1);
        assert_eq!(world.next_event_at(), None, "{callout}");
    }
    let mut without = World::new(steady(), begin());
    post(&mut without, &told(plain.clone()), begin());
    assert_eq!(without.next_event_at(), None);
    let mut spelled = plain;
    spelled["conferenceCallout"]["enabledice"] = "true".into();
    let mut world = world(steady());
    post(&mut world, &spelled, begin());
    assert_eq!(names(&values(&mut world)), ["dice"]);
}

#[test]
fn a_custom_callout_says_where_its_events_go() {
    let ice = json!({"action": {"name": "connectPstn", "number": NUMBER, "cli": "private"}});
    let go_on = json!({"action": {"name": "continue"}}).to_string();
    let custom = |fields: Value| {
        let mut callout = json!({"method": "customCallout", "customCallout": fields});
        callout["customCallout"]["custom"] = "a1".into();
        callout
    };
    let urls = |callout: &Value, application: Option<&str>| {
        let options = Options {
            callback_url: application.map(str::to_owned),
            ..steady()
        };
        let mut world = World::new(options, begin());
        post(&mut world, callout, begin());
        let mut all = Vec::new();
        while let Some(next) = world.next_event_at() {
            for event in world.events_due(next, KEY) {
                let name = read(&event)["event"].as_str().unwrap().to_owned();
                all.push((name, event.url.to_string()));
                let answer = (200, go_on.as_bytes());
                world.event_answered(event.number, answer, Duration::ZERO, next);
            }
        }
        all
    };
    let pair = |name: &str, url: &str| (name.to_owned(), url.to_owned());
    let own = custom(json!({
        "ice": ice.to_string(), "ace": "http://127.0.0.1:9/ace", "dice": "http://127.0.0.1:9/dice",
    }));
    let expected = [
        pair("ace", "http://127.0.0.1:9/ace"),
        pair("dice", "http://127.0.0.1:9/dice"),
    ];
    assert_eq!(urls(&own, None), expected);
    // An answer in the callout goes before the application's URL.
    let inline = custom(json!({
        "ice": ice.to_string(), "ace": go_on, "enableAce": true, "enableDice": true,
    }));
    assert_eq!(urls(&inline, Some(URL)), [pair("dice", URL)]);
    let asks = custom(json!({
        "cli": "+46100000000", "destination": {"type": "number", "endpoint": NUMBER},
    }));
    let asked = [pair("ice", URL), pair("ace", URL)];
    assert_eq!(urls(&asks, Some(URL)), asked);
    assert_eq!(urls(&asks, None), []);
}

#[test]
fn the_same_seed_tells_the_same_whatever_order_calls_came_in() {
    let options = |seed| Options {
        seed,
        events: EventFaults {
            lost: 0.2,
            doubled: 0.2,
            late: 0.2,
            shuffled: true,
            early: 0.2,
            without_debit: 0.2,
            second_call: 0.2,
            ..EventFaults::default()
        },
        ..Options::default()
    };
    let first = run(&mut called(options(7), 0..200));
    assert_eq!(first, run(&mut called(options(7), 0..200)));
    assert_ne!(first, run(&mut called(options(8), 0..200)));
    let sorted = |mut events: Vec<(Timestamp, Value)>| {
        events.sort_by_key(|(at, event)| (*at, event.to_string()));
        events
    };
    let backwards = run(&mut called(options(7), (0..200).rev()));
    assert_eq!(sorted(first), sorted(backwards));
}

#[test]
fn what_goes_wrong_with_events_does_not_change_how_calls_end() {
    let broken = EventFaults {
        lost: 0.5,
        second_call: 0.5,
        shuffled: true,
        ..EventFaults::default()
    };
    let broken = called(faults(broken), 0..50).ledger();
    assert_eq!(broken, called(Options::default(), 0..50).ledger());
}

/// A thousand calls that are all answered, and two thousand events of theirs.
fn thousand(events: EventFaults) -> (World, Vec<(Timestamp, Value)>) {
    let options = Options {
        mix: Mix::ANSWERED,
        ..faults(events)
    };
    let mut world = called(options, 0..1000);
    let events = run(&mut world);
    (world, events)
}

fn with_fault(world: &World, fault: &str) -> usize {
    let rows = world.events();
    rows.iter().filter(|row| row.fault == fault).count()
}

#[test]
fn shares_of_events_are_lost_doubled_late_and_without_debit() {
    let (world, events) = thousand(EventFaults {
        lost: 0.25,
        ..EventFaults::default()
    });
    let lost = with_fault(&world, "lost");
    assert!((420..580).contains(&lost), "{lost}");
    assert_eq!(events.len() + lost, 2000);

    let (world, events) = thousand(EventFaults {
        doubled: 0.25,
        ..EventFaults::default()
    });
    let doubled = with_fault(&world, "doubled");
    assert!((420..580).contains(&doubled), "{doubled}");
    assert_eq!(events.len(), 2000 + doubled);
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for (_, event) in &events {
        *times.entry(event.to_string()).or_default() += 1;
    }
    let twice = times.values().filter(|times| **times == 2).count();
    assert_eq!(
        (times.len(), twice),
        (2000, doubled),
        "told alike both times"
    );

    let (world, events) = thousand(EventFaults {
        late: 0.25,
        late_by: Duration::from_mins(10),
        ..EventFaults::default()
    });
    let late = with_fault(&world, "late");
    assert!((420..580).contains(&late), "{late}");
    let is_late = |(at, event): &&(Timestamp, Value)| {
        let happened: Timestamp = event["timestamp"].as_str().unwrap().parse().unwrap();
        at.duration_since(happened) == SignedDuration::from_mins(10)
    };
    assert_eq!(events.iter().filter(is_late).count(), late);

    let (world, events) = thousand(EventFaults {
        without_debit: 0.25,
        ..EventFaults::default()
    });
    let without = with_fault(&world, "without_debit");
    assert!((200..300).contains(&without), "{without}");
    let ends = events.iter().filter(|(_, event)| event["event"] == "dice");
    let absent = ends.filter(|(_, event)| event.get("debit").is_none());
    assert_eq!(absent.count(), without);
}

#[test]
fn a_shuffle_changes_the_order_even_where_all_is_at_once() {
    for time_scale in [1.0, 0.0] {
        let options = Options {
            time_scale,
            mix: Mix::ANSWERED,
            ..faults(EventFaults {
                shuffled: true,
                ..EventFaults::default()
            })
        };
        let events = values(&mut called(options, 0..200));
        assert_eq!(events.len(), 400);
        let mut over = Vec::new();
        let mut answered_after = 0;
        for event in &events {
            let id = &event["callid"];
            match event["event"].as_str().unwrap() {
                "dice" => over.push(id),
                _ => answered_after += usize::from(over.contains(&id)),
            }
        }
        assert!((40..160).contains(&answered_after), "{answered_after}");
    }
    // Without it, what happens at one moment is told call after call.
    let at_once = Options {
        time_scale: 0.0,
        ..steady()
    };
    let events = values(&mut called(at_once, 0..3));
    assert_eq!(
        names(&events),
        ["ace", "dice", "ace", "dice", "ace", "dice"]
    );
}

#[test]
fn the_answer_to_a_post_is_held_back_for_an_event_that_comes_early() {
    let early = |time_scale| Options {
        time_scale,
        ..Options {
            events: EventFaults {
                early: 1.0,
                ..EventFaults::default()
            },
            ..steady()
        }
    };
    let held = |options, callout: &Value| match post(&mut world(options), callout, begin()) {
        Delivery::After(held, answer) => (held, answer.status),
        other => panic!("{other:?}"),
    };
    let callout = told(tts(NUMBER, "a1"));
    assert_eq!(
        held(early(0.0), &callout),
        (Duration::from_millis(100), 200)
    );
    assert_eq!(
        held(early(0.1), &callout),
        (Duration::from_millis(1100), 200)
    );
    // Nobody waits that long, and without events there is nothing to wait for.
    assert_eq!(held(early(1.0), &callout), (Duration::ZERO, 200));
    assert_eq!(held(early(0.0), &tts(NUMBER, "a1")), (Duration::ZERO, 200));
}

#[test]
fn a_second_call_is_told_and_is_in_no_ledger() {
    let second = EventFaults {
        second_call: 1.0,
        ..EventFaults::default()
    };
    let mut world = called(
        Options {
            events: second,
            ..steady()
        },
        [1],
    );
    let events = values(&mut world);
    assert_eq!(names(&events), ["ace", "ace", "dice", "dice"]);
    let own = world.ledger()[0].call_id.clone();
    assert_eq!(world.ledger().len(), 1);
    assert_eq!(events[0]["callid"], own);
    let other = events[1]["callid"].as_str().unwrap();
    assert_ne!(other, own);
    for event in &events {
        assert_eq!(event["custom"], "a1");
    }
    match world.call(other, begin()) {
        Delivery::After(_, answer) => assert_eq!(answer.status, 404),
        delivery => panic!("{delivery:?}"),
    }
    let told: Vec<String> = world.events().into_iter().map(|row| row.fault).collect();
    assert_eq!(told, ["", "second_call", "", "second_call"]);
}

#[test]
fn a_hang_up_brings_the_end_forward_and_its_debit_down() {
    let options = Options {
        talk_s: 100..=100,
        events: EventFaults {
            second_call: 1.0,
            ..EventFaults::default()
        },
        ..steady()
    };
    let at = |seconds| begin() + SignedDuration::from_secs(seconds);
    for (hung_up, expected) in [(3, &["dice"; 2][..]), (15, &["ace", "ace", "dice", "dice"])] {
        let mut world = called(options.clone(), [1]);
        let id = world.ledger()[0].call_id.clone();
        let before = world.events_due(at(hung_up), KEY);
        assert_eq!(before.len(), expected.len() - 2);
        assert!(world.hang_up_by_id(&id, at(hung_up)));
        assert_eq!(world.next_event_at(), Some(at(hung_up)));
        let ends = run(&mut world);
        assert_eq!(ends.len(), 2, "the end that was planned before is not told");
        for (due, end) in ends {
            assert_eq!((due, end["event"].as_str()), (at(hung_up), Some("dice")));
            assert_eq!(end["reason"], "MANAGERHANGUP");
            assert_eq!(amount(&end), world.ledger()[0].debit);
            assert_eq!(end["duration"], (hung_up - 10).max(0));
        }
        let debit = [Decimal::ZERO, Decimal::new(415, 4)][usize::from(hung_up > 10)];
        assert_eq!(world.ledger()[0].debit, debit);
    }
}

#[test]
fn an_answer_with_hangup_ends_the_call_and_every_other_lets_it_go_on() {
    let go_on = r#"{"action":{"name":"continue"}}"#;
    let told_twice = EventFaults {
        second_call: 1.0,
        ..EventFaults::default()
    };
    for (nth, status, answer, is_over) in [
        (0, 200, HANG_UP, true),
        (0, 200, go_on, false),
        (0, 200, "<html>", false),
        (0, 500, HANG_UP, false),
        (1, 200, HANG_UP, false),
    ] {
        let options = Options {
            events: told_twice,
            ..steady()
        };
        let mut world = called(options, [1]);
        let now = begin() + SignedDuration::from_secs(10);
        let due = world.events_due(now, KEY);
        world.event_answered(
            due[nth].number,
            (status, answer.as_bytes()),
            Duration::ZERO,
            now,
        );
        world.event_answered(usize::MAX, (status, answer.as_bytes()), Duration::ZERO, now);
        assert_eq!(world.events()[nth].status, status);
        assert_eq!(
            world.next_event_at() == Some(now),
            is_over,
            "{nth} {answer}"
        );
        let reason = world.ledger()[0].reason;
        assert_eq!(reason == "MANAGERHANGUP", is_over, "{nth} {answer}");
    }
}

#[test]
fn options_without_sense_are_refused() {
    let bad = |options: Options| options.check().unwrap_err().to_string();
    let share = EventFaults {
        second_call: 1.1,
        ..EventFaults::default()
    };
    assert_eq!(
        bad(faults(share)),
        "the share of second calls is not a number from 0 to 1"
    );
    let url = Options {
        callback_url: Some("ftp://example.org".to_owned()),
        ..Options::default()
    };
    assert_eq!(
        bad(url),
        "the callback URL is no URL with http:// or https://"
    );
}

#[tokio::test]
async fn events_arrive_signed_in_order_and_are_on_a_page() {
    let mut application = Application::start(200, "{}").await;
    let peer = Peer::start(Options {
        callback_url: Some(application.url.clone()),
        ..steady()
    });
    let id = peer.post(&told(conference(NUMBER, "a1"))).await.call_id();
    let verifier = CallbackVerifier::new(credentials(), "/told/here").unwrap();
    for (wait, name) in [(10, "ace"), (30, "dice")] {
        peer.advance(Duration::from_secs(wait));
        let received = application.next().await;
        assert!(received.head.starts_with("POST /told/here HTTP/1.1\r\n"));
        let headers = ReceivedHeaders {
            authorization: received.header("authorization"),
            x_timestamp: received.header("x-timestamp"),
        };
        assert_eq!(received.header("content-type"), Some("application/json"));
        let verdict = verifier.verify(&received.body, "application/json", &headers, peer.now());
        assert_eq!(verdict, Ok(()));
        let told = received.json();
        assert_eq!(
            (&told["event"], &told["callid"]),
            (&json!(name), &json!(id))
        );
        assert_eq!(told["applicationKey"], KEY);
    }
    // The answer is written down once it is read.
    let page = in_time(async {
        loop {
            let page = peer.get("/simulator/events").await.text;
            if !page.contains(",0,") {
                return page;
            }
        }
    })
    .await;
    let expected = format!(
        "call_id,attempt,event,sent_at,status,fault,unsent\n\
         {id},a1,ace,2026-11-21T05:00:10.000000Z,200,,\n\
         {id},a1,dice,2026-11-21T05:00:40.000000Z,200,,\n"
    );
    assert_eq!(page, expected);
    assert_eq!(peer.simulator.events_csv(), expected);
}

#[tokio::test]
async fn a_hang_up_over_http_is_told_at_once_where_the_application_said_it_is_called_back() {
    let mut application = Application::start(500, "no").await;
    let peer = Peer::start(Options {
        talk_s: 100..=100,
        ..steady()
    });
    let path = format!("/v1/configuration/callbacks/applications/{KEY}");
    let urls = json!({"url": {"primary": application.url}});
    assert_eq!(peer.ask(Method::POST, &path, &urls).await.status, 204);
    let id = peer.post(&told(conference(NUMBER, "a1"))).await.call_id();
    peer.advance(Duration::from_secs(15));
    assert_eq!(application.next().await.json()["event"], "ace");
    let path = format!("/calling/v1/calls/id/{id}");
    let hang_up = serde_json::from_str(HANG_UP).unwrap();
    assert_eq!(peer.ask(Method::PATCH, &path, &hang_up).await.status, 204);
    let end = application.next().await.json();
    assert_eq!(end["duration"], 5);
    assert_eq!(amount(&end), peer.simulator.ledger()[0].debit);
    assert_eq!(amount(&end), Decimal::new(415, 4), "not the whole 100 s");
}

#[tokio::test]
async fn an_answer_with_hangup_is_heard_over_http() {
    let mut application = Application::start(200, HANG_UP).await;
    let peer = Peer::start(Options {
        callback_url: Some(application.url.clone()),
        ..steady()
    });
    peer.post(&told(conference(NUMBER, "a1"))).await;
    peer.advance(Duration::from_secs(12));
    assert_eq!(application.next().await.json()["event"], "ace");
    let end = application.next().await.json();
    assert_eq!(
        (&end["reason"], &end["duration"]),
        (&json!("MANAGERHANGUP"), &json!(2))
    );
}

#[tokio::test]
async fn an_early_event_comes_before_the_answer_to_its_post() {
    let mut application = Application::start(200, "").await;
    let peer = Peer::start(Options {
        time_scale: 0.0,
        callback_url: Some(application.url.clone()),
        events: EventFaults {
            early: 1.0,
            ..EventFaults::default()
        },
        // Longer than the test waits: the events are not waiting for it.
        answer_after: Duration::from_mins(10),
        ..steady()
    });
    let mut stream = peer.connect().await;
    let callout = told(conference(NUMBER, "a1"));
    stream.write_all(&peer.raw_post(&callout)).await.unwrap();
    assert_eq!(application.next().await.json()["event"], "ace");
    assert_eq!(application.next().await.json()["event"], "dice");
}

#[tokio::test]
async fn only_plain_http_to_this_machine_is_called() {
    for (url, why) in [
        ("https://127.0.0.1:9/x", "the URL is not http"),
        ("http://example.org/x", "the URL is not on this machine"),
    ] {
        let peer = Peer::start(Options {
            time_scale: 0.0,
            callback_url: Some(url.to_owned()),
            ..steady()
        });
        peer.post(&told(conference(NUMBER, "a1"))).await;
        let told = in_time(unsent(&peer.simulator)).await;
        assert_eq!(told, [why; 2]);
    }
}

/// Why nothing was sent, once both events of a call were due.
async fn unsent(simulator: &Simulator) -> Vec<&'static str> {
    loop {
        let rows = simulator.events();
        if rows.len() == 2 && rows.iter().all(|row| !row.unsent.is_empty()) {
            return rows.iter().map(|row| row.unsent).collect();
        }
        tokio::task::yield_now().await;
    }
}
