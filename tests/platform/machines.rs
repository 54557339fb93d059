//! Machines and who finds them out, calls that are managed while something is played, second legs, and answers that
//! never come.

use std::time::Duration;

use callout::simulator::{Delivery, EventFaults, Legs, Options, People, World};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::harness::{KEY, NUMBER};
use crate::stage::{
    BYE, CONTINUE, begin, custom, menu, ms, names, never, options, people, pressing, read, run,
    with, world,
};

const AGENT: &str = "+441134960999";

fn machines() -> People {
    People {
        machines: 1.0,
        ..people(1.0, 0.0, 0.0)
    }
}

/// A callout that asks who answered.
fn detecting(is_async: bool, fields: &Value) -> Value {
    let mut callout = custom(fields);
    let ice = json!({"action": {
        "name": "connectPstn", "number": NUMBER, "cli": "private", "maxDuration": 300,
        "amd": {"enabled": true, "async": is_async},
    }});
    callout["customCallout"]["ice"] = ice.to_string().into();
    callout
}

fn amd(told: &[(i64, Value)], nth: usize) -> (&str, &str) {
    let amd = &told[nth].1["amd"];
    (
        amd["status"].as_str().unwrap(),
        amd["reason"].as_str().unwrap(),
    )
}

/// What is told until a moment, answered with `continue` where it asks.
fn until(world: &mut World, end: Timestamp) -> Vec<(i64, Value)> {
    let mut told = Vec::new();
    while let Some(now) = world.next_event_at().filter(|now| *now <= end) {
        for event in world.events_due(now, KEY) {
            told.push((ms(now), read(&event)));
            let answer = (200, CONTINUE.as_bytes());
            world.event_answered(event.number, answer, Duration::ZERO, now);
        }
    }
    told
}

fn after(seconds: i64) -> Timestamp {
    begin() + SignedDuration::from_secs(seconds)
}

#[test]
fn a_detection_that_is_waited_for_comes_with_ace() {
    let unsure = People {
        unsure: 1.0,
        ..machines()
    };
    for (people, expected) in [
        (machines(), ("machine", "longgreeting")),
        (people(1.0, 0.0, 0.0), ("human", "greeting")),
        (unsure, ("notsure", "initialsilence")),
    ] {
        let is_machine = people.machines > 0.0;
        let mut world = world(options(people), &detecting(false, &json!({})));
        let told = run(&mut world, with(BYE));
        assert_eq!(names(&told), ["ace", "dice"]);
        assert_eq!(amd(&told, 0), expected);
        assert!((10_001..=15_000).contains(&told[0].0), "{}", told[0].0);
        assert_eq!(world.played()[0].machine, is_machine);
        assert_eq!(world.played()[0].heard, ["Goodbye."]);
    }
    // Whoever hangs up before is told as such, and nobody waits for the answer.
    let mut world = world(
        options(people(0.0, 0.0, 1.0)),
        &detecting(false, &json!({})),
    );
    let told = run(&mut world, never);
    assert_eq!(names(&told), ["ace", "dice"]);
    assert_eq!(amd(&told, 0), ("hangup", "n/a"));
    assert_eq!(world.ledger()[0].reason, "CALLEEHANGUP");
}

#[test]
fn a_later_detection_and_the_beep_are_notified_while_the_menu_is_played() {
    let mut world = world(options(machines()), &detecting(true, &json!({})));
    let mut answer = |event: &Value| {
        let answer = match event["event"].as_str() {
            Some("ace") => menu().to_string(),
            _ => CONTINUE.to_owned(),
        };
        (200, answer)
    };
    let told = run(&mut world, &mut answer);
    let (ace_at, ace) = &told[0];
    assert_eq!(
        (*ace_at, &ace["amd"]["status"]),
        (10_000, &json!("inprogress"))
    );
    let notified = |kind| {
        told.iter()
            .find(|(_, event)| event["type"] == kind)
            .unwrap()
    };
    let (found_at, found) = notified("amd");
    assert!((10_001..=15_000).contains(found_at));
    assert_eq!(found["amd"]["status"], "machine");
    assert!(found.get("timestamp").is_none());
    let (beep_at, beep) = notified("amd_beep");
    assert!((14_000..=24_000).contains(beep_at));
    assert_eq!(beep["amd"]["reason"], "beep");
    // Nothing is pressed, and after `continue` it goes on recording until its own limit.
    let row = &world.played()[0];
    assert!(row.machine && row.pressed.is_empty());
    let ledger = &world.ledger()[0];
    assert_eq!(ledger.reason, "CALLEEHANGUP");
    assert!(
        (49..=194).contains(&ledger.duration_s),
        "{}",
        ledger.duration_s
    );

    let silent = People {
        no_beep: 1.0,
        ..machines()
    };
    let mut world = self::world(options(silent), &detecting(true, &json!({})));
    let told = run(&mut world, with(CONTINUE));
    assert_eq!(names(&told), ["ace", "notify", "dice"]);
}

#[test]
fn whoever_hangs_up_before_the_later_detection_is_told_as_gone() {
    let mut world = world(options(people(1.0, 0.0, 0.0)), &detecting(true, &json!({})));
    let told = run(&mut world, |_| {
        (200, r#"{"action":{"name":"hangup"}}"#.to_owned())
    });
    assert_eq!(names(&told), ["ace", "notify", "dice"]);
    assert_eq!(amd(&told, 1), ("hangup", "n/a"));
    assert_eq!(told[1].0, 10_000);
}

#[test]
fn a_machine_that_nobody_looks_for_presses_nothing() {
    let mut world = world(options(machines()), &custom(&json!({"ace": menu()})));
    let told = run(&mut world, with(BYE));
    assert_eq!(names(&told), ["pie", "dice"]);
    assert_eq!(told[0].1["menuResult"]["type"], "timeout");
    assert!(world.played()[0].pressed.is_empty());
}

#[test]
fn what_manages_a_call_breaks_its_menu_off_and_is_played_at_once() {
    let fields = json!({"ace": menu()});
    let mut world = world(options(machines()), &detecting(true, &fields));
    // "Hello." takes 429 ms, then the menu is asked.
    let id = world.ledger()[0].call_id.clone();
    until(&mut world, after(12));
    let park = br#"{"action":{"name":"park","maxDuration":600}}"#;
    assert!(world.manage(&id, park, after(12)));
    let told = until(&mut world, after(40));
    let kinds: Vec<_> = told.iter().map(|(_, event)| &event["type"]).collect();
    assert!(kinds.contains(&&json!("amd_beep")), "{kinds:?}");
    assert!(!names(&told).contains(&"pie"), "the menu was broken off");
    let message =
        br#"{"instructions":[{"name":"say","text":"We called."}],"action":{"name":"hangup"}}"#;
    assert!(world.manage(&id, message, after(40)));
    let told = until(&mut world, after(400));
    // Ten characters take 715 ms.
    assert_eq!((names(&told), told[0].0), (vec!["dice"], 40_715));
    assert_eq!(world.played()[0].heard, ["Hello.", "Come?", "We called."]);
    let row = &world.ledger()[0];
    assert_eq!(
        (row.result, row.reason, row.duration_s),
        ("ANSWERED", "MANAGERHANGUP", 31)
    );
    assert!(!world.manage(&id, park, after(41)), "it is over");
}

#[test]
fn a_call_goes_on_alone_after_continue_and_ends_at_once_with_hangup() {
    let fields = json!({"ace": menu()});
    for (body, end_ms) in [
        (r#"{"action":{"name":"continue"}}"#, 41_000),
        (
            r#"{"instructions":[{"name":"playFiles","ids":["tune"]}],"action":{"name":"continue"}}"#,
            46_000,
        ),
        (r#"{"action":{"name":"hangup"}}"#, 11_000),
    ] {
        let mut world = world(options(people(0.0, 0.0, 0.0)), &custom(&fields));
        let id = world.ledger()[0].call_id.clone();
        assert!(world.manage(&id, body.as_bytes(), after(11)));
        let told = run(&mut world, never);
        assert_eq!((names(&told), told[0].0), (vec!["dice"], end_ms), "{body}");
        assert_eq!(&world.played()[0].heard[..2], ["Hello.", "Come?"]);
    }
}

#[test]
fn an_answer_that_comes_after_the_call_was_managed_is_nobodys() {
    let mut world = world(options(pressing("1")), &custom(&json!({"ace": menu()})));
    let id = world.ledger()[0].call_id.clone();
    let now = world.next_event_at().unwrap();
    let pie = world.events_due(now, KEY).remove(0);
    assert!(world.manage(&id, BYE.as_bytes(), now));
    let answer = (200, menu().to_string());
    world.event_answered(
        pie.number,
        (answer.0, answer.1.as_bytes()),
        Duration::ZERO,
        now,
    );
    run(&mut world, never);
    assert_eq!(world.played()[0].heard, ["Hello.", "Come?", "Goodbye."]);
}

/// A call whose key connects it to somebody else.
fn connected(options: Options, more: &Value) -> (World, Vec<(i64, Value)>) {
    let mut connect = json!({"action": {"name": "connectPstn", "number": AGENT, "cli": "private"}});
    for (name, value) in more.as_object().unwrap() {
        connect["action"][name] = value.clone();
    }
    let mut world = world(options, &custom(&json!({"ace": menu()})));
    let told = run(&mut world, |event| match event["event"].as_str() {
        Some("pie") => (200, connect.to_string()),
        _ => (200, CONTINUE.to_owned()),
    });
    (world, told)
}

#[test]
fn a_second_leg_is_a_call_of_its_own_under_the_same_custom() {
    let (mut world, told) = connected(options(pressing("1")), &json!({"maxDuration": 20}));
    assert_eq!(names(&told), ["pie", "ace", "dice", "dice"]);
    let rows = world.ledger();
    let (first, leg) = (&rows[0], &rows[1]);
    assert_eq!(
        (leg.destination.as_str(), &leg.leg_of),
        (AGENT, &first.call_id)
    );
    assert_eq!(
        (first.rung, leg.rung),
        (1, 1),
        "one phone rang for the attempt"
    );
    assert!(told.iter().all(|(_, event)| event["custom"] == "a1"));
    assert_eq!((&told[1].1["callid"]), &json!(leg.call_id));
    // It rings for 10 s and is cut after 20 s; both sides end together.
    let pressed_at = told[0].0;
    assert_eq!(told[1].0, pressed_at + 10_000);
    assert_eq!(
        (told[2].0, told[3].0),
        (pressed_at + 30_000, pressed_at + 30_000)
    );
    assert_eq!((leg.duration_s, leg.reason), (20, "MANAGERHANGUP"));
    assert_eq!(leg.debit, Decimal::new(180, 4));
    assert_eq!(first.debit, Decimal::new(415, 4));
    let legs = &world.played()[0].legs;
    assert_eq!(legs.len(), 1);
    assert_eq!(legs[0].call_id.as_ref(), Some(&leg.call_id));
    let id = leg.call_id.clone();
    assert!(
        matches!(world.call(&id, after(200)), Delivery::After(_, answer) if answer.status == 200)
    );
}

#[test]
fn a_second_leg_may_be_a_part_of_the_first_bill() {
    let within = Options {
        legs: Legs::Within,
        ..options(pressing("1"))
    };
    let (world, told) = connected(within, &json!({}));
    assert_eq!(names(&told), ["pie", "dice"]);
    let rows = world.ledger();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].debit, Decimal::new(415 + 180, 4));
    assert_eq!(world.played()[0].legs[0].debit, Decimal::new(180, 4));
}

#[test]
fn a_second_leg_that_nobody_answers_ends_the_first_call() {
    let (world, told) = connected(options(pressing("1")), &json!({"dialTimeout": 5}));
    assert_eq!(names(&told), ["pie", "dice", "dice"]);
    assert_eq!(told[1].0, told[0].0 + 5_000);
    let rows = world.ledger();
    assert_eq!((rows[0].result, rows[1].result), ("ANSWERED", "NOANSWER"));
    assert_eq!(rows[1].debit, Decimal::ZERO);
}

#[test]
fn the_longest_time_of_the_first_call_bounds_its_second_leg() {
    let long = Options {
        talk_s: 500..=500,
        ..options(pressing("1"))
    };
    let (world, told) = connected(long, &json!({"maxDuration": 400}));
    let rows = world.ledger();
    assert!(rows[0].duration_s <= 60, "{}", rows[0].duration_s);
    assert!(rows[1].duration_s < 60);
    assert_eq!(told[2].0, told[3].0);
}

#[test]
fn whoever_hangs_one_leg_up_ends_both() {
    for nth in [0, 1] {
        let mut world = world(options(pressing("1")), &custom(&json!({"ace": menu()})));
        let connect = format!(r#"{{"action":{{"name":"connectPstn","number":"{AGENT}"}}}}"#);
        let mut now = begin();
        // Until the second leg was answered.
        for _ in 0..2 {
            now = world.next_event_at().unwrap();
            for event in world.events_due(now, KEY) {
                let pie = read(&event)["event"] == "pie";
                let answer = if pie { connect.as_str() } else { CONTINUE };
                world.event_answered(event.number, (200, answer.as_bytes()), Duration::ZERO, now);
            }
        }
        while world.ledger().len() < 2 {
            now = world.next_event_at().unwrap();
            until(&mut world, now);
        }
        let hung_up = now + SignedDuration::from_secs(12);
        until(&mut world, hung_up);
        let id = world.ledger()[nth].call_id.clone();
        assert!(world.hang_up_by_id(&id, hung_up));
        let told = until(&mut world, after(600));
        assert_eq!(names(&told), ["dice", "dice"]);
        assert!(
            told.iter()
                .all(|(at, event)| *at == ms(hung_up) && event["reason"] == "MANAGERHANGUP")
        );
    }
}

#[test]
fn what_is_lost_is_not_answered() {
    let lost = Options {
        events: EventFaults {
            lost: 1.0,
            ..EventFaults::default()
        },
        ..options(pressing("1"))
    };
    let mut connected = world(lost.clone(), &custom(&json!({})));
    run(&mut connected, never);
    let row = &connected.ledger()[0];
    assert_eq!(
        (row.result, row.duration_s),
        ("ANSWERED", 35),
        "after 5 s, 30 s"
    );
    let mut failed = world(lost, &custom(&json!({"ace": menu()})));
    run(&mut failed, never);
    let (row, played) = (&failed.ledger()[0], &failed.played()[0]);
    assert_eq!((row.result, row.reason), ("FAILED", "CALLBACKERROR"));
    let talked_ms = played.pressed[0].at_ms + 5_000 + 3_000;
    assert_eq!(u64::from(row.duration_s), talked_ms.div_ceil(1000));
    assert_eq!(
        (connected.bad_answers().late, failed.bad_answers().late),
        (1, 1)
    );
}

#[test]
fn what_is_too_late_is_told_and_its_answer_ignored() {
    let late = |seconds| Options {
        events: EventFaults {
            late: 1.0,
            late_by: Duration::from_secs(seconds),
            ..EventFaults::default()
        },
        ..options(pressing("1"))
    };
    let mut world = world(late(9), &custom(&json!({})));
    let told = run(&mut world, never);
    assert_eq!((names(&told), told[0].0), (vec!["ace", "dice"], 19_000));
    assert_eq!(world.ledger()[0].duration_s, 35);
    let mut world = self::world(late(2), &custom(&json!({})));
    let told = run(&mut world, with(BYE));
    assert_eq!(told[0].0, 12_000);
    assert_eq!(world.played()[0].heard, ["Goodbye."]);
    assert_eq!(world.bad_answers().late, 0);
}

#[test]
fn people_without_sense_are_refused() {
    let bad = |people: People| options(people).check().unwrap_err().to_string();
    assert_eq!(
        bad(people(0.5, 0.3, 0.3)),
        "the shares of people who press, press wrongly and leave add up to more than 1"
    );
    let machines = People {
        machines: -0.1,
        ..People::default()
    };
    assert_eq!(
        bad(machines),
        "the share of machines is not a number from 0 to 1"
    );
}
