//! A world in which calls are played, and whoever answers what it asks.

use std::time::Duration;

use callout::simulator::{Delivery, Options, OutgoingEvent, People, World};
use callout::sinch::events::Event;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::harness::{KEY, NUMBER, steady};

pub(crate) const URL: &str = "http://127.0.0.1:9/sinch";
pub(crate) const CONTINUE: &str = r#"{"action":{"name":"continue"}}"#;
pub(crate) const BYE: &str =
    r#"{"instructions":[{"name":"say","text":"Goodbye."}],"action":{"name":"hangup"}}"#;

pub(crate) fn begin() -> Timestamp {
    "2026-11-21T05:00:00Z".parse().unwrap()
}

/// Milliseconds since the callout.
pub(crate) fn ms(moment: Timestamp) -> i64 {
    moment.as_millisecond() - begin().as_millisecond()
}

/// People who all do the same.
pub(crate) fn people(press: f64, press_wrong: f64, leave: f64) -> People {
    People {
        press,
        press_wrong,
        leave,
        quick: 0.0,
        machines: 0.0,
        unsure: 0.0,
        no_beep: 0.0,
        ..People::default()
    }
}

pub(crate) fn pressing(key: &str) -> People {
    People {
        keys: vec![(key.to_owned(), 1.0)],
        ..people(1.0, 0.0, 0.0)
    }
}

pub(crate) fn options(people: People) -> Options {
    Options {
        people,
        callback_url: Some(URL.to_owned()),
        ..steady()
    }
}

/// A menu that confirms, opts out, or asks for a number.
pub(crate) fn menu() -> Value {
    json!({
        "instructions": [{"name": "say", "text": "Hello.", "locale": "en-US"}],
        "action": {"name": "runMenu", "locale": "en-US", "menus": [
            {"id": "main", "mainPrompt": "#tts[Come?]", "repeatPrompt": "#tts[Well?]", "repeats": 1, "options": [
                {"dtmf": "1", "action": "return(yes)"}, {"dtmf": "2", "action": "menu(when)"}]},
            {"id": "when", "mainPrompt": "#tts[When?]", "maxDigits": 4},
        ]},
    })
}

/// A custom callout with inline ICE, and whatever else it has.
pub(crate) fn custom(fields: &Value) -> Value {
    let ice = json!({"action": {
        "name": "connectPstn", "number": NUMBER, "cli": "+46100000000", "maxDuration": 60,
    }});
    let mut callout = json!({"method": "customCallout", "customCallout": {
        "custom": "a1", "ice": ice.to_string(), "enableDice": true,
    }});
    for (name, value) in fields.as_object().unwrap() {
        callout["customCallout"][name] = match value {
            Value::Object(_) => value.to_string().into(),
            _ => value.clone(),
        };
    }
    callout
}

pub(crate) fn world(options: Options, callout: &Value) -> World {
    let mut world = World::new(options, begin());
    let order = World::read(callout.to_string().as_bytes(), false);
    let delivery = world.post(order, begin());
    assert!(matches!(delivery, Delivery::After(_, answer) if answer.status == 200));
    world
}

pub(crate) fn read(event: &OutgoingEvent) -> Value {
    assert!(Event::parse(&event.body).is_ok());
    serde_json::from_slice(&event.body).unwrap()
}

/// Everything that is told, with its moment in milliseconds since the callout; what asks is answered by `answer`, at once.
pub(crate) fn run(
    world: &mut World,
    mut answer: impl FnMut(&Value) -> (u16, String),
) -> Vec<(i64, Value)> {
    let mut told = Vec::new();
    while let Some(now) = world.next_event_at() {
        for event in world.events_due(now, KEY) {
            let body = read(&event);
            if event.asks {
                let (status, answer) = answer(&body);
                let answer = (status, answer.as_bytes());
                world.event_answered(event.number, answer, Duration::ZERO, now);
            }
            told.push((ms(now), body));
        }
    }
    told
}

pub(crate) fn names(told: &[(i64, Value)]) -> Vec<&str> {
    told.iter()
        .map(|told| told.1["event"].as_str().unwrap())
        .collect()
}

pub(crate) fn never(event: &Value) -> (u16, String) {
    panic!("nothing asks: {event}");
}

pub(crate) fn with(answer: &'static str) -> impl FnMut(&Value) -> (u16, String) {
    move |_| (200, answer.to_owned())
}

pub(crate) fn result(told: &[(i64, Value)]) -> &Value {
    let pie = told.iter().find(|(_, event)| event["event"] == "pie");
    &pie.unwrap().1["menuResult"]
}
