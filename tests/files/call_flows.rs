//! Calls that ask: what their tables may say, and what becomes of them for a row.

use std::path::Path;

use callout::campaign::{Campaign, RowFault, Script};
use callout::domain::svaml::Event;
use callout::domain::{
    AnsweredBy, Asks, AttemptId, CallFlow, Callout, CalloutBody, Choice, Destination, FlowCallout,
    Key, Keyed, Machine, MachineDoes, Menu, Next, Speech, Step, Then, Visit,
};
use callout::sinch::callouts::CalloutRequest;
use callout::sinch::svaml::{Svaml, svaml};
use proptest::prelude::*;
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

/// Each fault of a file with these tables as `line text: message (help)`. The tables begin on line 7.
fn faults(tables: &str) -> Vec<String> {
    let source = asking(tables);
    let Err(faults) = Campaign::parse(&source, Path::new("c.toml")) else {
        return Vec::new();
    };
    let said = faults.into_iter().map(|fault| {
        format!(
            "{}:{} {}: {} ({})",
            fault.line, fault.column, fault.text, fault.message, fault.help
        )
    });
    said.collect()
}

/// That each of these files has its fault.
fn told(cases: &[(String, &str)]) {
    let missed = cases.iter().filter_map(|(tables, told)| {
        let found = faults(tables);
        (!found.iter().any(|fault| fault.contains(told))).then_some((told, found))
    });
    assert_eq!(missed.collect::<Vec<_>>(), []);
}

/// A menu with these lines in it, which begin on line 9, and a key.
fn menu(lines: &str) -> String {
    format!("[menu.main]\nsay = \"Press 1.\"\n{lines}\n[menu.main.key.1]\n")
}

/// A key with these lines in its table, which begin on line 10.
fn key(lines: &str) -> String {
    format!("[menu.main]\nsay = \"Press 1.\"\n[menu.main.key.1]\n{lines}\n")
}

#[test]
fn what_does_not_make_a_menu_is_told_where_it_stands() {
    let long = "a".repeat(601);
    told(&[
        (
            "[menu.main]\n[menu.main.key.1]\n".to_owned(),
            "7:1 [menu.main]: [menu.main] needs `say`",
        ),
        (
            menu(&format!("x = \"{long}\"")),
            "9:1 x: unknown key `x` in [menu.main]",
        ),
        (
            format!("[menu.main]\nsay = \"{long}\"\n[menu.main.key.1]"),
            "`menu.main.say` has 601 characters, the platform takes 600 (shorten it)",
        ),
        (
            "[menu.main]\nsay = \"One [1]\"\n[menu.main.key.1]".to_owned(),
            "`menu.main.say` has `[`, which would end what is said",
        ),
        (
            "[menu.main]\nsay = \"One; two\"\n[menu.main.key.1]".to_owned(),
            "`menu.main.say` has `;`, which would end what is said",
        ),
        (
            "[menu.main]\nsay = \"One\"\n".to_owned(),
            "7:1 [menu.main]: [menu.main] offers nothing to press (add [menu.main.key.1], or digits = 4)",
        ),
        (
            menu("repeat = 10"),
            "`repeat` is out of range (a whole number from 0 to 9)",
        ),
        (
            menu("timeout = \"61s\""),
            "`timeout` is out of range (from \"1s\" to \"1m\")",
        ),
        (
            menu("digits = 4"),
            "9:1 digits: `key` and `digits` exclude each other",
        ),
        (
            "[menu.main]\nsay = \"Pin\"\ndigits = 33".to_owned(),
            "`digits` is out of range (a whole number from 1 to 32)",
        ),
    ]);
}

#[test]
fn menus_are_called_and_reached_as_they_should() {
    let name = "m".repeat(61);
    let many = |n: usize| format!("[menu.m{n}]\nsay = \"One\"\n[menu.m{n}.key.1]\n");
    let many: String = (0..101).map(many).collect();
    told(&[
        (
            many,
            "a campaign has 101 menus (at most 100: a call asks ten of them)",
        ),
        (
            "[menu.hello]\nsay = \"One\"\n[menu.hello.key.1]".to_owned(),
            "7:7 hello: no menu is called `main` (the menu that is asked first is [menu.main])",
        ),
        (
            format!(
                "{}[menu.\"a b\"]\nsay = \"One\"\n[menu.\"a b\".key.1]",
                menu("")
            ),
            "`a b` cannot be the name of a menu (letters a to z, digits, `_` and `-`, at most 60 of them)",
        ),
        (
            format!(
                "{}[menu.{name}]\nsay = \"One\"\n[menu.{name}.key.1]",
                menu("")
            ),
            "cannot be the name of a menu",
        ),
        (
            format!("{}[menu.more]\nsay = \"One\"\n[menu.more.key.1]", menu("")),
            "11:7 more: no key leads to menu `more` (name it in another menu: menu = \"more\")",
        ),
        (
            format!(
                "{}[menu.more]\nsay = \"One\"\n[menu.more.key.1]",
                key("menu = \"mroe\"")
            ),
            "10:8 \"mroe\": there is no menu `mroe` (did you mean `more`?)",
        ),
        (
            key("menu = \"\""),
            "10:8 \"\": there is no menu `` (the menus are `main`)",
        ),
    ]);
}

#[test]
fn what_does_not_make_a_choice_is_told_where_it_stands() {
    let far = "longest = \"4h1s\"\nconnect = \"+46812345678\"";
    let response = "r".repeat(65);
    told(&[
        (
            key("response = \"\""),
            "10:12 \"\": `response` cannot be shown (1 to 64 characters",
        ),
        (
            key(&format!("response = \"{response}\"")),
            "`response` cannot be shown",
        ),
        (key("response = \"a > b\""), "`response` has ` > `"),
        (
            key("response = \"machine\""),
            "`response` cannot be `machine`",
        ),
        (
            key("response = \"{{ name }}\""),
            "`response` cannot use a column",
        ),
        (
            key("suppress = \"erased\""),
            "10:12 \"erased\": `suppress` does not name a suppression list",
        ),
        (
            key("suppress = \"\""),
            "a list's name has 1 to 64 characters",
        ),
        (
            key("say = \"\""),
            "`menu.main.key.1.say` has nothing to say",
        ),
        (
            key("menu = \"main\"\nconnect = \"+46812345678\""),
            "11:1 connect: `menu` and `connect` exclude",
        ),
        (
            key("connect = \"+46812345678\""),
            "9:1 [menu.main.key.1]: [menu.main.key.1] needs `longest`",
        ),
        (
            key("conference = \"team\""),
            "[menu.main.key.1] needs `longest`",
        ),
        (
            key("longest = \"10m\""),
            "10:1 longest: `longest` goes with `connect` or `conference`",
        ),
        (
            key(far),
            "`longest` is out of range (from \"1s\" to \"4h\")",
        ),
        (
            key("connect = \"08-123\"\nlongest = \"10m\""),
            "`menu.main.key.1.connect` is not a number in E.164",
        ),
        (
            key("conference = \"\"\nlongest = \"10m\""),
            "`menu.main.key.1.conference` is empty",
        ),
    ]);
}

#[test]
fn keys_and_ways_are_those_that_there_are() {
    told(&[
        (
            key("[menu.main.key.10]"),
            "10:16 10: `10` is no key of a telephone (a key is 0 to 9, \"*\" or \"#\"",
        ),
        (
            key("[menu.main.key.star]\n[menu.main.key.\"*\"]"),
            "key `*` is there twice",
        ),
        (
            key("[menu.main.key.#]"),
            "(`#` begins a comment: write the key in quotes, [menu.main.key.\"#\"])",
        ),
        (
            key("[menu.main.key.*]"),
            "(write the key in quotes: [menu.main.key.\"*\"])",
        ),
        (
            key("[menu.main.then]"),
            "10:12 then: `then` goes with `digits`",
        ),
        (
            key("[menu.main.otherwise]\nresponse = \"no\""),
            "unknown key `response` in [menu.main.otherwise]",
        ),
        (
            key("[menu.main.otherwise]\nsuppress = \"no\""),
            "unknown key `suppress` in [menu.main.otherwise]",
        ),
        (
            key("[menu.main.otherwise]\nconnect = \"+46812345678\""),
            "unknown key `connect` in",
        ),
        (
            key("[menu.main.otherwise]\nmenu = \"main\""),
            "11:1 menu: `otherwise` goes back: from there a way leads to menu `main`",
        ),
        (
            key(
                "[menu.main.otherwise]\nmenu = \"b\"\n[menu.b]\nsay = \"B\"\n[menu.b.key.1]\nmenu = \"main\"",
            ),
            "`otherwise` goes back",
        ),
    ]);
    let back = "menu = \"b\"\n[menu.b]\nsay = \"B\"\n[menu.b.key.1]\nmenu = \"main\"\n";
    assert_eq!(faults(&key(back)), [""; 0], "a key may go back");
    let on = "[menu.main.otherwise]\nmenu = \"b\"\n[menu.b]\nsay = \"B\"\n[menu.b.key.1]\n";
    assert_eq!(faults(&key(on)), [""; 0], "a way may go on");
}

#[test]
fn what_is_done_about_machines_is_one_of_a_few_things() {
    told(&[
        (
            "[machine]\n".to_owned(),
            "7:1 [machine]: [machine] needs `say`",
        ),
        (
            "[machine]\ndo = \"leave it\"".to_owned(),
            "`do` cannot be `leave it` (it is one of `leave`",
        ),
        (
            "[machine]\ndo = \"hang up\"\nsay = \"x\"".to_owned(),
            "9:1 say: nothing is said to a machine with do = \"hang up\"",
        ),
        (
            "[machine]\ndo = \"ignore\"\nsay = \"x\"".to_owned(),
            "nothing is said to a machine with do = \"ignore\"",
        ),
        (
            "[machine]\nsay = \"x\"\nnot_sure = \"maybe\"".to_owned(),
            "`not_sure` cannot be `maybe` (it is one of `person` and `machine`)",
        ),
        (
            "[machine]\nsay = \"x\"\ncounts_as = \"no\"".to_owned(),
            "`counts_as` cannot be `no`",
        ),
        (
            format!("[machine]\nsay = \"{}\"", "a".repeat(601)),
            "`machine.say` has 601 characters",
        ),
    ]);
}

#[test]
fn what_counts_fits_to_what_is_asked() {
    let one = menu("");
    told(&[
        (format!("{one}[reached]\n"), "[reached] needs `responses`"),
        (
            format!("{one}[reached]\nresponses = []"),
            "12:13 []: nothing counts as reached: `responses` is empty",
        ),
        (
            format!("{one}[reached]\nresponses = [1]"),
            "`responses` must be a list of texts",
        ),
        (
            format!(
                "{}[reached]\nresponses = [\"confirmd\"]",
                key("response = \"confirmed\"")
            ),
            "12:14 \"confirmd\": no key has the response `confirmd` (did you mean \"confirmed\"?)",
        ),
        (
            format!("{one}[reached]\nresponses = [\"yes\"]"),
            "no key has the response `yes` (the responses are `1`)",
        ),
        (
            "[reached]\nresponses = [\"yes\"]".to_owned(),
            "(no key is offered at all: add [menu.main])",
        ),
    ]);
    let digits = "[menu.main]\nsay = \"Pin\"\ndigits = 4\n[reached]\nresponses = [\"1234\"]\n";
    assert_eq!(
        faults(digits),
        [""; 0],
        "digits are shown as they were pressed"
    );
    assert!(faults(&digits.replace("1234", "123"))[0].contains("no key has"));
}

#[test]
fn what_is_waited_after_and_asked_for_follows_from_the_flow() {
    let one = menu("");
    told(&[
        (
            format!(
                "{one}[machine]\nsay = \"x\"\ncounts_as = \"reached\"\n[retry]\nmax_attempts = 2\nmachine = \"1h\""
            ),
            "16:1 machine: `machine` waits after what counts as reached",
        ),
        (
            format!("{one}[retry]\nmax_attempts = 2\nmachine = \"1h\""),
            "`machine` needs [machine]: they are not looked for",
        ),
        (
            format!("{one}[machine]\ndo = \"ignore\"\n[retry]\nmax_attempts = 2\nmachine = \"1h\""),
            "`machine` needs [machine]",
        ),
        (
            "[retry]\nmax_attempts = 2\nno_response = \"1h\"".to_owned(),
            "`no_response` needs [reached]",
        ),
        (
            format!("enable_ace = true\n{one}"),
            "7:1 enable_ace: `enable_ace` does not go with a call that asks",
        ),
        (
            format!("enable_pie = false\n{one}"),
            "`enable_pie` does not go with a call that asks",
        ),
        (
            format!("domain = \"pstn\"\n{one}"),
            "`domain` does not go with a call that asks",
        ),
    ]);
    let waits = "[retry]\nmax_attempts = 3\nmachine = \"4h\"\nno_response = [\"1h\", \"2h\"]\n";
    assert_eq!(faults(&format!("{CLINIC}{waits}")), [""; 0]);
}

#[test]
fn only_a_text_to_numbers_can_ask() {
    for (callout, told) in [
        (
            "[callout.conference]\ncli = \"+46100000000\"\nconference_id = \"a\"\n",
            "[menu] goes with [callout.tts]",
        ),
        (
            "[callout.custom]\ncli = \"+46100000000\"\n",
            "[menu] goes with [callout.tts]",
        ),
    ] {
        let source = format!(
            "name = \"t\"\n[recipients]\nfile = \"l.csv\"\n{callout}{}",
            menu("")
        );
        let faults = Campaign::parse(&source, Path::new("c.toml")).unwrap_err();
        assert!(faults.to_string().contains(told), "{faults}");
    }
    for (kind, told) in [("username", "user names"), ("sip", "SIP addresses")] {
        let list = format!("file = \"l.csv\"\ndestination_type = \"{kind}\"\n");
        let source = asking(&menu("")).replace("file = \"l.csv\"\n", &list);
        let faults = Campaign::parse(&source, Path::new("c.toml")).unwrap_err();
        let told = format!("a call that asks goes to telephone numbers, the list has {told}");
        assert!(faults.to_string().contains(&told), "{faults}");
    }
}

#[test]
fn a_cell_adds_neither_an_instruction_nor_a_prompt() {
    for (name, sign) in [("Bo] x", ']'), ("Bo;x", ';'), ("#tts[x", '#'), ("[", '[')] {
        let fault = render(&asking(CLINIC), name, "+46812345678").unwrap_err();
        let told = format!(
            "the value has `{sign}`, which would change the prompt around it (`menu.main.say`)"
        );
        assert_eq!(fault.reason, told);
        assert_eq!(fault.column.as_deref(), Some("name"));
    }
    let fault = render(&asking(CLINIC), "", "+46812345678").unwrap_err();
    assert!(
        fault.reason.starts_with("column `name` is empty, `"),
        "{fault}"
    );
    let long = "a".repeat(600);
    let fault = render(&asking(CLINIC), &long, "+46812345678").unwrap_err();
    assert!(
        fault.reason.contains(" characters, the platform takes 600"),
        "{fault}"
    );
    let fault = render(&asking(CLINIC), "Bo", "08-12 34 56").unwrap_err();
    assert_eq!(
        fault.reason,
        "`menu.main.key.3.connect` is not a number in E.164"
    );
}

/// A choice that leads somewhere among so many menus.
fn any_choice(menus: usize) -> impl Strategy<Value = Choice<String>> {
    let next = prop_oneof![
        2 => Just(Next::End),
        3 => (0..menus).prop_map(Next::Menu),
        1 => (1..900_u32).prop_map(|longest_s| Next::Connect {
            number: "+46812345678".to_owned(),
            longest_s,
        }),
        1 => (1..900_u32).prop_map(|longest_s| Next::Conference { id: "team".to_owned(), longest_s }),
    ];
    let say = proptest::option::of("[a-zå ,.#]{0,60}x");
    (proptest::option::of("[a-z]{1,8}"), say, next).prop_map(|(response, say, next)| Choice {
        response,
        say,
        suppress: None,
        next,
    })
}

fn any_menu(menus: usize) -> impl Strategy<Value = Menu<String>> {
    const NAMES: [&str; 12] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "#"];
    let keys = (1..4_usize).prop_flat_map(move |count| {
        let names = proptest::sample::subsequence(&NAMES[..], count);
        let choices = proptest::collection::vec(any_choice(menus), count);
        (names, choices).prop_map(|(names, choices)| {
            let keys = names.iter().map(|name| Key::parse(name).unwrap());
            Asks::Keys(keys.zip(choices).collect())
        })
    });
    let digits = (1..=32_u32, any_choice(menus));
    let asks = prop_oneof![
        4 => keys,
        1 => digits.prop_map(|(count, then)| Asks::Digits { count, then }),
    ];
    let otherwise = any_choice(menus).prop_map(|choice| Choice {
        next: Next::End,
        ..choice
    });
    ("[a-zå ,.#]{0,60}x", 0..3_u32, 1..60_u32, asks, otherwise).prop_map(
        |(say, repeat, timeout_s, asks, otherwise)| Menu {
            id: String::new(),
            say,
            repeat,
            timeout_ms: timeout_s * 1000,
            asks,
            otherwise,
        },
    )
}

/// A flow of up to three menus, whose names look like one another's visits.
pub(crate) fn any_flow() -> impl Strategy<Value = CallFlow<String>> {
    (1..4_usize).prop_flat_map(|count| {
        let menus = proptest::collection::vec(any_menu(count), count);
        let machine = prop_oneof![
            Just(None),
            Just(Some(MachineDoes::HangUp)),
            "[a-z ]{1,40}x".prop_map(|say| Some(MachineDoes::Leave(say))),
            "[a-z ]{1,40}x".prop_map(|say| Some(MachineDoes::LeaveAfterBeep(say))),
        ];
        ("[a-zå ,.]{0,60}x", menus, machine).prop_map(|(greeting, mut menus, machine)| {
            for (menu, id) in menus.iter_mut().zip(["main", "main-2", "m"]) {
                id.clone_into(&mut menu.id);
            }
            CallFlow {
                locale: None,
                greeting: Speech::Text(greeting),
                menus,
                machine: machine.map(|does| Machine {
                    does,
                    not_sure_is_machine: false,
                    counts: false,
                }),
                reached: None,
            }
        })
    })
}

/// The menu that a document begins with: its id, and what the platform returns for what is pressed.
fn asked(document: &Value) -> (String, Vec<(String, String)>) {
    let action = &document["action"];
    let id = action["mainMenu"].as_str().unwrap().to_owned();
    let menus = action["menus"].as_array().unwrap();
    assert!(menus.iter().any(|menu| menu["id"] == "main"), "{action}");
    let menu = menus.iter().find(|menu| menu["id"] == *id).unwrap();
    let options = menu.get("options").and_then(Value::as_array);
    let word = |option: &Value| {
        let action = option["action"].as_str().unwrap();
        let word = action
            .strip_prefix("return(")
            .unwrap()
            .strip_suffix(')')
            .unwrap();
        (option["dtmf"].as_str().unwrap().to_owned(), word.to_owned())
    };
    (id, options.into_iter().flatten().map(word).collect())
}

/// Seconds of the longest way on from a menu, by trying all of them.
fn longest(flow: &CallFlow<String>, at: Visit) -> u32 {
    let spoken = |text: &str| u32::try_from(text.chars().count().div_ceil(14) * 2).unwrap();
    let menu = &flow.menus[at.menu];
    let asked = (spoken(&menu.say) + menu.timeout_ms / 1000) * (menu.repeat + 1);
    let on = |choice: &Choice<String>| {
        let said = choice.say.as_deref().map_or(0, spoken);
        said + match choice.next {
            Next::End => 0,
            Next::Menu(_) if at.nth == 10 => 0,
            Next::Menu(menu) => longest(
                flow,
                Visit {
                    menu,
                    nth: at.nth + 1,
                },
            ),
            Next::Connect { longest_s, .. } | Next::Conference { longest_s, .. } => longest_s,
        }
    };
    asked + menu.choices().map(on).max().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_the_platform_returns_leads_back_to_the_same_choice(
        flow in any_flow(),
        picks in proptest::collection::vec(0..4_usize, 12),
    ) {
        let by = AnsweredBy::NotYetKnown;
        let first = svaml(&flow, &flow.answered(by), "+46100000000");
        prop_assert_eq!(first.check(Event::Ace), []);
        let (mut at, mut document) = (FIRST, first.to_json());
        for pick in picks {
            let (id, words) = asked(&document);
            prop_assert_eq!(flow.visit(&id), Some(at));
            let keyed = match &flow.menus[at.menu].asks {
                Asks::Keys(keys) => {
                    let sign = |(key, _): &(Key, Choice<String>)| key.as_char().to_string();
                    let signs: Vec<String> = keys.iter().map(sign).collect();
                    let offered: Vec<String> = words.iter().map(|(key, _)| key.clone()).collect();
                    prop_assert_eq!(&offered, &signs);
                    for ((_, word), (_, choice)) in words.iter().zip(keys) {
                        let found = flow.choice(at, &Keyed::Pressed(word.clone()));
                        prop_assert!(found.is_some_and(|found| std::ptr::eq(found, choice)));
                    }
                    words.get(pick).map_or(Keyed::Nothing, |(_, word)| Keyed::Pressed(word.clone()))
                }
                Asks::Digits { count, .. } => Keyed::Pressed("7".repeat(*count as usize)),
            };
            let step = flow.after(at, &keyed);
            let answer = svaml(&flow, &step, "+46100000000");
            prop_assert_eq!(answer.check(Event::Pie), []);
            let said = flow.choice(at, &keyed).and_then(|choice| choice.say.clone());
            let said = said.map(|text| json!([{ "name": "say", "text": text }]));
            document = answer.to_json();
            prop_assert_eq!(document.get("instructions"), said.as_ref());
            let Then::Ask(next) = step.then else { break };
            prop_assert_eq!(next.nth, at.nth + 1);
            at = next;
        }
    }

    #[test]
    fn the_longest_way_is_the_longest_of_all(flow in any_flow()) {
        let flow = CallFlow { machine: None, ..flow };
        let Speech::Text(greeting) = &flow.greeting else { unreachable!() };
        let greeting = u32::try_from(greeting.chars().count().div_ceil(14) * 2).unwrap();
        prop_assert_eq!(flow.way().most_s, Some(60 + greeting + longest(&flow, FIRST)));
        prop_assert!(flow.way().least_s <= flow.way().most_s);
    }
}
