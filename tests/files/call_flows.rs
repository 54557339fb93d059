//! Calls that ask: what their tables may say, and what becomes of them for a row.

use std::path::Path;

use callout::campaign::{Campaign, RowFault, Script};
use callout::domain::svaml::Event;
use callout::domain::{
    AttemptId, CallFlow, Callout, CalloutBody, Destination, FlowCallout, Keyed, Step, Visit,
};
use callout::sinch::callouts::CalloutRequest;
use callout::sinch::svaml::{Svaml, svaml};
use serde_json::{Value, json};

/// What a person writes who knows all the keys. The tables begin on line 7.
const CLINIC: &str = r##"
[menu.main]
say = "Press 1 to confirm, {{ name }}."
repeat = 2
timeout = "4s"
[menu.main.key.1]
response = "confirmed"
say = "Thank you, {{ name }}."
[menu.main.key.2]
menu = "pin"
[menu.main.key.3]
connect = "{{ desk }}"
longest = "10m"
[menu.main.key."#"]
menu = "main"
[menu.main.key."*"]
conference = "{{ name }}"
longest = "90s"
[menu.main.key.9]
response = "opted out"
suppress = "opted-out"
say = "You will not be called again."
[menu.main.otherwise]
say = "Goodbye."
[menu.pin]
say = "Enter your four digits."
digits = 4
[menu.pin.then]
say = "Thank you."

[machine]
say = "This is the clinic, {{ name }}."

[reached]
responses = ["confirmed", "2"]
"##;

const TTS: &str = "name = \"t\"\n[recipients]\nfile = \"l.csv\"\n[callout.tts]\n\
                   cli = \"+46100000000\"\ntext = \"Hello {{ name }}.\"\n";

/// A campaign with these tables, which begin on line 7.
fn asking(tables: &str) -> String {
    format!("{TTS}{}", tables.strip_prefix('\n').unwrap_or(tables))
}

fn parse(source: &str) -> Campaign {
    Campaign::parse(source, Path::new("c.toml")).unwrap_or_else(|faults| panic!("{faults}"))
}

fn bind(source: &str) -> Script {
    let header = ["number", "name", "desk"].map(String::from);
    let bound = parse(source).bind(&header, Path::new("l.csv"));
    bound.unwrap_or_else(|faults| panic!("{faults}"))
}

/// The callout of a row whose number is +46701740605.
fn render(source: &str, name: &str, desk: &str) -> Result<Callout, RowFault> {
    let row = ["+46701740605", name, desk];
    bind(source).callout(&Destination::number("+46701740605"), &row)
}

fn flow(source: &str) -> FlowCallout {
    match render(source, "Bo", "+46 8 123 456 78").unwrap().body {
        CalloutBody::Flow(flow) => flow,
        other => panic!("{other:?}"),
    }
}

/// The body of the request, with the documents in it as JSON.
fn wire(callout: &Callout) -> Value {
    let id = AttemptId::parse(&"0123456789abcdef".repeat(2)).unwrap();
    let mut body = serde_json::to_value(CalloutRequest::new(callout, id)).unwrap();
    for (event, name) in [
        (Event::Ice, "ice"),
        (Event::Ace, "ace"),
        (Event::Pie, "pie"),
    ] {
        let text = body["customCallout"].get(name).and_then(Value::as_str);
        let Some(text) = text.filter(|text| text.starts_with('{')) else {
            continue;
        };
        assert_eq!(Svaml::parse(text).unwrap().check(event), [], "{text}");
        let document: Value = serde_json::from_str(text).unwrap();
        body["customCallout"][name] = document;
    }
    body
}

fn pressed(flow: &CallFlow<String>, at: Visit, keys: &str) -> Value {
    document(flow, &flow.after(at, &Keyed::Pressed(keys.into())))
}

fn document(flow: &CallFlow<String>, step: &Step<'_, String>) -> Value {
    let svaml = svaml(flow, step, "+46100000000");
    assert_eq!(svaml.check(Event::Pie), []);
    svaml.to_json()
}

const FIRST: Visit = Visit { menu: 0, nth: 1 };

#[test]
fn a_machine_is_looked_for_before_anything_is_said_and_a_backend_answers() {
    let mut callout = render(&asking(CLINIC), "Bo", "+46812345678").unwrap();
    callout.tell_of_end();
    callout.end_after(240);
    assert_eq!(
        wire(&callout),
        json!({
            "method": "customCallout",
            "customCallout": {
                "custom": "0123456789abcdef0123456789abcdef",
                "enableAce": true,
                "enableDice": true,
                "ice": { "action": {
                    "name": "connectPstn", "number": "+46701740605", "maxDuration": 240,
                    "cli": "+46100000000", "amd": { "enabled": true, "async": false },
                } },
            },
        })
    );
    callout.answer_at("https://desk.example/cb/x");
    let body = wire(&callout);
    let custom = &body["customCallout"];
    assert_eq!(custom["ace"], "https://desk.example/cb/x");
    assert_eq!(custom["pie"], "https://desk.example/cb/x");
    assert_eq!(custom.get("enableAce"), None);
}

#[test]
fn what_follows_on_the_answer_goes_with_the_callout_where_nobody_is_looked_for() {
    let menu = "[menu.main]\nsay = \"Press 1.\"\n[menu.main.key.1]\n";
    let mut callout = render(&asking(menu), "Bo", "").unwrap();
    callout.answer_at("https://desk.example/cb/x");
    let menu = json!({
        "instructions": [{ "name": "say", "text": "Hello Bo." }],
        "action": {
            "name": "runMenu", "locale": "en-US", "mainMenu": "main",
            "menus": [{
                "id": "main", "mainPrompt": "#tts[Press 1.]", "repeatPrompt": "#tts[Press 1.]",
                "repeats": 1, "timeoutMills": 5000,
                "options": [{ "dtmf": "1", "action": "return(1)" }],
            }],
        },
    });
    let custom = &wire(&callout)["customCallout"];
    assert_eq!(custom["ace"], menu);
    assert_eq!(custom["pie"], "https://desk.example/cb/x");
    assert_eq!(custom["ice"]["action"].get("amd"), None);

    let later = "[machine]\ndo = \"leave after beep\"\nsay = \"Call us.\"\n";
    let custom = &wire(&render(&asking(later), "Bo", "").unwrap())["customCallout"];
    let hello = json!([{ "name": "say", "text": "Hello Bo." }]);
    assert_eq!(custom["ace"]["instructions"], hello);
    assert_eq!(custom["ace"]["action"]["name"], "hangup");
    assert_eq!(
        custom["ice"]["action"]["amd"],
        json!({ "enabled": true, "async": true })
    );
    assert_eq!(custom.get("pie"), None, "nothing is asked");
}

#[test]
fn each_choice_is_said_and_done_as_the_campaign_has_it() {
    let callout = flow(&asking(CLINIC));
    let flow = &callout.flow;
    let thanks = json!({
        "instructions": [{ "name": "say", "text": "Thank you, Bo." }],
        "action": { "name": "hangup" },
    });
    assert_eq!(pressed(flow, FIRST, "1"), thanks);
    let desk = json!({ "action": {
        "name": "connectPstn", "number": "+46812345678", "maxDuration": 600, "cli": "+46100000000",
    } });
    assert_eq!(pressed(flow, FIRST, "3"), desk);
    let room = json!({ "action": { "name": "connectConf", "conferenceId": "Bo" } });
    assert_eq!(pressed(flow, FIRST, "star"), room);
    let pin = pressed(flow, FIRST, "2");
    let ids = |menus: &Value| -> Vec<String> {
        let menus = menus["action"]["menus"].as_array().unwrap();
        menus
            .iter()
            .map(|menu| menu["id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(pin["action"]["mainMenu"], "pin-2");
    assert_eq!(ids(&pin), ["pin-2", "main"], "one must be called main");
    assert_eq!(pin["action"]["menus"][0]["maxDigits"], 4);
    assert_eq!(pin["action"]["menus"][0].get("options"), None);
    let again = pressed(flow, FIRST, "hash");
    assert_eq!(ids(&again), ["main-2", "main"]);
    let word = &again["action"]["menus"][0]["options"][3];
    assert_eq!(*word, json!({ "dtmf": "#", "action": "return(hash)" }));
    let goodbye = document(flow, &flow.otherwise(FIRST));
    assert_eq!(goodbye["instructions"][0]["text"], "Goodbye.");
    assert_eq!(pressed(flow, FIRST, "7"), goodbye);
}
