//! Calls that ask, as the simulated platform plays them: menus, keys, silence, hang-ups, and what is told of them.

use std::time::Duration;

use callout::simulator::{Delivery, Mix, Options, PlayedRow, World};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::application::{Application, in_time};
use crate::harness::{KEY, Peer};
use crate::stage::{
    BYE, CONTINUE, URL, begin, custom, menu, names, never, options, people, pressing, read, result,
    run, with, world,
};

#[test]
fn a_key_is_told_and_its_answer_played() {
    let mut world = world(options(pressing("1")), &custom(&json!({"ace": menu()})));
    let told = run(&mut world, with(BYE));
    assert_eq!(names(&told), ["pie", "dice"]);
    let expected =
        json!({"type": "return", "value": "yes", "menuId": "main", "inputMethod": "dtmf"});
    assert_eq!(*result(&told), expected);
    let row = &world.played()[0];
    assert_eq!(row.heard, ["Hello.", "Come?", "Goodbye."]);
    assert_eq!(
        (row.pressed[0].menu.as_str(), row.pressed[0].keys.as_str()),
        ("main", "1")
    );
    assert_eq!(row.answers[0].event, "pie");
    // The call is answered after 10 s, the key told when it is pressed, and the goodbye takes 572 ms.
    let (pie_at, dice_at) = (told[0].0, told[1].0);
    assert_eq!(
        pie_at,
        10_000 + i64::try_from(row.pressed[0].at_ms).unwrap()
    );
    assert_eq!(dice_at, pie_at + 572);
    let ledger = &world.ledger()[0];
    assert_eq!(
        (ledger.result, ledger.reason),
        ("ANSWERED", "MANAGERHANGUP")
    );
    let (_, dice) = &told[1];
    assert_eq!(dice["duration"], ledger.duration_s);
    let talked_ms = 1000 * i64::from(ledger.duration_s);
    assert!((talked_ms - 999..=talked_ms).contains(&(dice_at - 10_000)));
}

#[test]
fn a_key_leads_to_another_menu_and_digits_are_a_sequence() {
    let mut world = world(options(pressing("2")), &custom(&json!({"ace": menu()})));
    let told = run(&mut world, with(BYE));
    assert_eq!(names(&told), ["pie", "dice"]);
    let row = &world.played()[0];
    assert_eq!(row.heard, ["Hello.", "Come?", "When?", "Goodbye."]);
    assert_eq!(row.pressed[0].keys, "2");
    let digits = &row.pressed[1];
    let expected = json!({
        "type": "sequence", "value": digits.keys, "menuId": "when", "inputMethod": "dtmf",
    });
    assert_eq!(*result(&told), expected);
}

#[test]
fn silence_wrong_keys_and_whoever_hangs_up_are_told_as_such() {
    let heard = ["Hello.", "Come?", "Well?", "Goodbye."];
    for (people, kind, pressed) in [
        (people(0.0, 0.0, 0.0), "timeout", 0),
        (people(0.0, 1.0, 0.0), "invalidinput", 2),
    ] {
        let mut world = world(options(people), &custom(&json!({"ace": menu()})));
        let told = run(&mut world, with(BYE));
        assert_eq!(names(&told), ["pie", "dice"], "{kind}");
        assert_eq!(result(&told)["type"], kind);
        assert_eq!(result(&told)["menuId"], "main");
        let row = &world.played()[0];
        assert_eq!((row.heard.len(), row.pressed.len()), (heard.len(), pressed));
        assert_eq!(row.heard, heard);
    }
    let without = json!({"action": menu()["action"]});
    let mut world = world(
        options(people(0.0, 0.0, 1.0)),
        &custom(&json!({"ace": without})),
    );
    let told = run(&mut world, never);
    assert_eq!(names(&told), ["pie", "dice"]);
    assert_eq!(result(&told)["type"], "hangup");
    assert_eq!(world.ledger()[0].reason, "CALLEEHANGUP");
    assert_eq!(world.played()[0].heard, ["Come?"]);
}

#[test]
fn events_go_to_their_own_urls_and_else_to_the_application() {
    let urls = |fields: &Value, application: Option<&str>| {
        let options = Options {
            callback_url: application.map(str::to_owned),
            ..options(pressing("1"))
        };
        let mut world = world(options, &custom(fields));
        let mut urls = Vec::new();
        while let Some(now) = world.next_event_at() {
            for event in world.events_due(now, KEY) {
                let answer = match read(&event)["event"].as_str() {
                    Some("ace") => menu().to_string(),
                    _ => BYE.to_owned(),
                };
                let answer = (200, answer.as_bytes());
                world.event_answered(event.number, answer, Duration::ZERO, now);
                urls.push(format!(
                    "{} {}",
                    read(&event)["event"].as_str().unwrap(),
                    event.url
                ));
            }
        }
        urls
    };
    let own = json!({"ace": "http://127.0.0.1:9/a", "pie": "http://127.0.0.1:9/p", "dice": "http://127.0.0.1:9/d"});
    let each = [
        "ace http://127.0.0.1:9/a",
        "pie http://127.0.0.1:9/p",
        "dice http://127.0.0.1:9/d",
    ];
    assert_eq!(urls(&own, None), each);
    assert_eq!(urls(&own, Some(URL)), each);
    let all = ["ace", "pie", "dice"].map(|name| format!("{name} {URL}"));
    assert_eq!(urls(&json!({}), Some(URL)), all);
    assert_eq!(
        urls(&json!({"pie": BYE}), Some(URL)),
        [&all[0], &all[2]].map(Clone::clone)
    );
}

#[test]
fn a_call_waits_for_its_answer_and_its_clock_with_it() {
    let mut world = world(options(pressing("1")), &custom(&json!({"ace": menu()})));
    let asked_at = world.next_event_at().unwrap();
    let event = world.events_due(asked_at, KEY).remove(0);
    assert!(event.asks);
    assert_eq!(world.next_event_at(), None);
    let id = world.ledger()[0].call_id.clone();
    let now = asked_at + SignedDuration::from_secs(3);
    let Delivery::After(_, answer) = world.call(&id, now) else {
        panic!("an answer");
    };
    assert!(answer.body.windows(7).any(|part| part == b"ONGOING"));
    let answer = (200, BYE.as_bytes());
    world.event_answered(event.number, answer, Duration::from_secs(3), now);
    assert_eq!(
        world.next_event_at(),
        Some(now + SignedDuration::from_millis(572))
    );
    let row = &world.played()[0];
    assert_eq!(row.answers[0].took_ms, 3_000);
    // A second answer to the same event is nobody's.
    world.event_answered(event.number, (200, b"{}"), Duration::ZERO, now);
    assert_eq!(world.bad_answers().invalid, 0);
}

#[test]
fn a_call_whose_ace_is_not_answered_is_connected() {
    for (status, answer) in [(500, BYE), (204, ""), (404, CONTINUE)] {
        let mut world = world(options(pressing("1")), &custom(&json!({})));
        let told = run(&mut world, |_| (status, answer.to_owned()));
        assert_eq!(names(&told), ["ace", "dice"]);
        assert_eq!((told[0].0, told[1].0), (10_000, 40_000));
        assert_eq!(world.ledger()[0].result, "ANSWERED");
        assert_eq!(world.bad_answers().failed, 1);
    }
    let mut world = world(options(pressing("1")), &custom(&json!({})));
    let told = run(&mut world, with(CONTINUE));
    assert_eq!((told[0].0, told[1].0), (10_000, 40_000));
    assert_eq!(world.bad_answers().failed, 0);
}

#[test]
fn an_error_is_played_where_svaml_is_invalid_or_pie_is_not_answered() {
    let bad = r#"{"action":{"name":"park"}}"#;
    for (fields, status, answer, reason, code, events) in [
        (
            json!({"ace": menu()}),
            200,
            "",
            "INVALIDSVAMLACTION",
            40_001,
            3,
        ),
        (
            json!({"ace": menu()}),
            200,
            bad,
            "INVALIDSVAMLACTION",
            40_001,
            3,
        ),
        (json!({"ace": menu()}), 500, BYE, "CALLBACKERROR", 50_000, 3),
        (json!({}), 200, "{}", "INVALIDSVAMLACTION", 40_001, 3),
        (
            json!({"ace": {"action": {"name": "dance"}}}),
            200,
            BYE,
            "INVALIDSVAMLACTION",
            40_001,
            2,
        ),
    ] {
        let mut world = world(options(pressing("1")), &custom(&fields));
        let told = run(&mut world, |_| (status, answer.to_owned()));
        assert_eq!(told.len(), events, "{told:?}");
        let error = &told[events - 2].1;
        assert_eq!(
            (&error["event"], &error["type"]),
            (&json!("notify"), &json!("callingerror"))
        );
        assert_eq!(error["errorCode"], code);
        let row = &world.ledger()[0];
        assert_eq!((row.result, row.reason), ("FAILED", reason));
        assert_eq!(world.played()[0].errors, 1);
        let counts = world.bad_answers();
        assert_eq!(counts.invalid, u32::from(code == 40_001));
        assert_eq!(counts.failed, u32::from(code == 50_000));
    }
}

#[test]
fn a_call_is_cut_at_its_longest_time() {
    let mut long = menu();
    long["action"]["menus"][0]["repeats"] = 50.into();
    let mut world = world(
        options(people(0.0, 0.0, 0.0)),
        &custom(&json!({"ace": long})),
    );
    let told = run(&mut world, never);
    assert_eq!(names(&told), ["dice"]);
    assert_eq!(told[0].0, 70_000);
    let row = &world.ledger()[0];
    assert_eq!((row.duration_s, row.reason), (60, "MANAGERHANGUP"));
    assert_eq!(row.debit.to_string(), "0.0415");
}

#[test]
fn what_people_do_follows_from_the_seed_and_their_call() {
    let options = |seed| Options {
        seed,
        callback_url: Some(URL.to_owned()),
        ..Options::default()
    };
    let played = |seed, order: &mut dyn Iterator<Item = u32>| {
        let mut world = World::new(options(seed), begin());
        for nth in order {
            let mut callout = custom(&json!({"ace": menu()}));
            let ice = json!({"action": {
                "name": "connectPstn", "number": format!("+4670174{nth:04}"), "cli": "private",
            }});
            callout["customCallout"]["ice"] = ice.to_string().into();
            let order = World::read(callout.to_string().as_bytes(), false);
            world.post(order, begin());
        }
        run(&mut world, with(BYE));
        let mut rows = world.played();
        rows.sort_by(|a, b| a.destination.cmp(&b.destination));
        rows
    };
    let first = played(1, &mut (0..300));
    assert_eq!(first, played(1, &mut (0..300).rev()));
    assert_ne!(first, played(2, &mut (0..300)));
    let of = |keys: &str| {
        first
            .iter()
            .filter(|row| row.pressed.iter().any(|p| p.keys == keys))
            .count()
    };
    let machines = first.iter().filter(|row| row.machine).count();
    let silent = first.iter().filter(|row| row.pressed.is_empty()).count();
    assert!(of("1") > 50 && of("2") > 50, "{} {}", of("1"), of("2"));
    assert!((15..60).contains(&machines), "{machines}");
    assert!(silent > machines, "{silent}");
}

/// Menus over HTTP, until the end of each of so many calls is told; what was played, without how long answers took.
async fn over_http(calls: usize) -> (Peer, Vec<PlayedRow>) {
    let mut application = Application::answering(|event| match event["event"].as_str() {
        Some("ace") => (200, menu().to_string()),
        Some("pie") => (200, BYE.to_owned()),
        _ => (200, String::new()),
    })
    .await;
    let peer = Peer::start(Options {
        seed: 5,
        callback_url: Some(application.url.clone()),
        mix: Mix::ANSWERED,
        ..Options::default()
    });
    for nth in 0..calls {
        let mut callout = custom(&json!({}));
        let ice = json!({"action": {
            "name": "connectPstn", "number": format!("+4670174{nth:04}"), "maxDuration": 60,
        }});
        callout["customCallout"]["ice"] = ice.to_string().into();
        assert_eq!(peer.post(&callout).await.status, 200);
    }
    let mut over = 0;
    while over < calls {
        peer.advance(Duration::from_mins(1));
        let told = application.next().await.json();
        over += usize::from(told["event"] == "dice");
    }
    let mut rows = peer.simulator.played();
    for answer in rows.iter_mut().flat_map(|row| &mut row.answers) {
        answer.took_ms = 0;
    }
    (peer, rows)
}

#[tokio::test]
async fn menus_are_played_over_http_and_the_same_seed_plays_the_same() {
    let (peer, first) = over_http(40).await;
    let page = peer.get("/simulator/played").await.json();
    assert_eq!(
        (&page["invalid"], &page["late"], &page["failed"]),
        (&json!(0), &json!(0), &json!(0))
    );
    let told = page["calls"].as_array().unwrap();
    assert_eq!(told.len(), 40);
    for (told, row) in told.iter().zip(&first) {
        assert_eq!(told["heard"], json!(row.heard));
        assert_eq!(told["pressed"], json!(row.pressed));
        assert_eq!(
            (&told["machine"], &told["attempt"]),
            (&json!(row.machine), &json!("a1"))
        );
    }
    let (_, second) = over_http(40).await;
    assert_eq!(first, second);
}

#[tokio::test]
async fn an_application_that_is_not_there_does_not_answer() {
    let peer = Peer::start(options(pressing("1")));
    assert_eq!(peer.post(&custom(&json!({}))).await.status, 200);
    peer.advance(Duration::from_secs(11));
    in_time(async {
        while peer.simulator.bad_answers().failed == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(peer.simulator.ledger()[0].duration_s, 30, "it is connected");
}
