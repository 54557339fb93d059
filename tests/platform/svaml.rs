//! SVAML documents: nothing of them is lost, and what the platform would not take is found.

use std::path::Path;

use callout::domain::svaml::{ACTIONS, Event, Field, INSTRUCTIONS, Shape, Term};
use callout::sinch::svaml::{
    Action, ConnectPstn, Instruction, RecordingOptions, StorageCredentials, Svaml, SvamlError,
};
use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Map, Value, json};

fn sample(name: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/api");
    serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap()
}

fn parse(json: &Value) -> Svaml {
    Svaml::parse(json.to_string()).unwrap()
}

/// The problems of a document, each as one line.
fn problems(event: Event, json: &Value) -> Vec<String> {
    let problems = parse(json).check(event);
    problems.iter().map(ToString::to_string).collect()
}

fn with_action(action: &Value) -> Value {
    json!({ "action": action })
}

/// An object that has every documented field.
fn full(fields: &[Field]) -> Map<String, Value> {
    let value = |shape: &Shape| match shape {
        Shape::Text => json!("t"),
        Shape::Integer => json!(1),
        Shape::Flag => json!(true),
        Shape::Texts => json!(["t"]),
        Shape::Object(inner) => Value::Object(full(inner)),
        Shape::Objects(inner) => json!([full(inner)]),
    };
    fields
        .iter()
        .map(|field| (field.name.to_owned(), value(&field.shape)))
        .collect()
}

fn named(term: &Term) -> Value {
    let mut object = full(term.fields);
    object.insert("name".to_owned(), term.name.into());
    Value::Object(object)
}

/// Every field is typed: no struct keeps a field as unknown or waits for one that is not in the
/// vocabulary.
fn all_typed(shown: &str) -> bool {
    let extras = |word: &str| shown.matches(word).count();
    extras("extra: ") == extras("extra: {}") && !shown.contains("None") && !shown.contains("[]")
}

#[test]
fn every_word_of_the_vocabulary_is_a_typed_variant_with_typed_fields() {
    for term in &ACTIONS {
        let json = with_action(&named(term));
        let action = parse(&json).action.unwrap();
        assert!(!matches!(action, Action::Other(_)), "{}", term.name);
        assert_eq!(action.name(), Some(term.name));
        assert_eq!(action.term(), Some(term));
        assert!(all_typed(&format!("{action:?}")), "{action:?}");
        assert_eq!(parse(&json).to_json(), json);
    }
    for term in &INSTRUCTIONS {
        let json = json!({ "instructions": [named(term)] });
        let instruction = parse(&json).instructions.remove(0);
        assert!(
            !matches!(instruction, Instruction::Other(_)),
            "{}",
            term.name
        );
        assert_eq!(instruction.name(), Some(term.name));
        assert_eq!(instruction.term(), Some(term));
        assert!(all_typed(&format!("{instruction:?}")), "{instruction:?}");
        assert_eq!(parse(&json).to_json(), json);
    }
}

#[test]
fn the_documented_samples_are_read_and_written_whole() {
    for (name, event) in [
        ("ace.connectConf.response.json", Some(Event::Ace)),
        ("ace.continue.response.json", Some(Event::Ace)),
        ("dice.reportCallStatus.response.json", Some(Event::Dice)),
        ("patch.startRecording.request.json", None),
        ("call_update.request.json", None),
        ("call_manage_leg.request.json", None),
    ] {
        let json = sample(name);
        let svaml = parse(&json);
        assert!(
            !matches!(svaml.action, Some(Action::Other(_)) | None),
            "{name}"
        );
        let problems = event.map_or_else(|| svaml.check_managing(), |event| svaml.check(event));
        assert_eq!(problems, [], "{name}");
        if name.starts_with("dice") {
            assert_eq!(
                svaml.to_json()["instructions"][0]["name"],
                "reportCallStatus"
            );
        } else {
            assert_eq!(svaml.to_json(), json, "{name}");
        }
    }
    let callout = sample("callout_custom.request.json");
    for (hook, event) in [("ice", Event::Ice), ("ace", Event::Ace)] {
        let inline = callout["customCallout"][hook].as_str().unwrap();
        let svaml = Svaml::parse(inline).unwrap();
        assert_eq!(svaml.check(event), []);
        let again: Value = serde_json::from_str(&svaml.to_inline()).unwrap();
        assert_eq!(again, serde_json::from_str::<Value>(inline).unwrap());
    }
}

#[test]
fn what_a_command_line_asks_for_is_written_as_the_documents_show() {
    let options = RecordingOptions {
        destination_url: Some("s3://my-s3-bucket".to_owned()),
        credentials: Some(StorageCredentials(
            "xyz_access_key:wrt_secret_key:eu-central-1".to_owned(),
        )),
        format: Some("mp3".to_owned()),
        notification_events: Some(true),
        ..RecordingOptions::default()
    };
    let written = Svaml::start_recording_action(options.clone());
    assert_eq!(
        written.to_json(),
        sample("patch.startRecording.request.json")
    );
    assert!(!format!("{written:?}").contains("wrt_secret_key"));
    let goes_on = json!({ "name": "continue" });
    let cases = [
        (Svaml::hangup(), json!({"action": {"name": "hangup"}})),
        (
            Svaml::say("Hej \"du\"", Some("sv-SE".to_owned())),
            json!({"action": goes_on, "instructions":
                [{"name": "say", "text": "Hej \"du\"", "locale": "sv-SE"}]}),
        ),
        (
            Svaml::play(vec!["#tts[a]".to_owned()], None),
            json!({"action": goes_on, "instructions": [{"name": "playFiles", "ids": ["#tts[a]"]}]}),
        ),
        (
            Svaml::start_recording(options),
            json!({"action": goes_on, "instructions": [{"name": "startRecording",
                "options": sample("patch.startRecording.request.json")["action"]["recordingOptions"]}]}),
        ),
        (
            Svaml::stop_recording(),
            json!({"action": goes_on, "instructions": [{"name": "stopRecording"}]}),
        ),
        (
            Svaml::stop_recording_action(),
            json!({"action": {"name": "stopRecording"}}),
        ),
    ];
    for (svaml, expected) in cases {
        assert_eq!(svaml.to_json(), expected);
        assert_eq!(svaml.check_managing(), []);
        let encoded = serde_json::to_string(&svaml).unwrap();
        assert_eq!(serde_json::from_str::<Svaml>(&encoded).unwrap(), svaml);
    }
}

#[test]
fn an_inline_document_is_encoded_a_second_time_by_the_serializer() {
    let svaml = Svaml::say("\"]},{\"name\":\"hangup\"}\\ \n å", None);
    let callout = json!({ "ace": svaml.to_inline() }).to_string();
    let callout: Value = serde_json::from_str(&callout).unwrap();
    assert_eq!(
        Svaml::parse(callout["ace"].as_str().unwrap()).unwrap(),
        svaml
    );
}

#[test]
fn what_is_no_svaml_is_told_and_the_rest_is_read() {
    let error = |text: &str| Svaml::parse(text).unwrap_err();
    assert!(matches!(error(""), SvamlError::NotJson(_)));
    assert!(matches!(error("{\"action\":"), SvamlError::NotJson(_)));
    assert!(matches!(error("[]"), SvamlError::NotAnObject));
    assert!(matches!(error("\"hangup\""), SvamlError::NotAnObject));
    assert!(matches!(
        error(r#"{"action":"hangup"}"#),
        SvamlError::Action
    ));
    assert!(matches!(error(r#"{"action":[]}"#), SvamlError::Action));
    assert!(matches!(
        error(r#"{"instructions":{}}"#),
        SvamlError::Instructions
    ));
    assert!(matches!(
        error(r#"{"instructions":[{},5]}"#),
        SvamlError::Instruction(1)
    ));
    let odd = json!({"action": {"NAME": "SAY"}, "instructions": [{}, {"name": 5}], "more": null});
    assert_eq!(parse(&odd).to_json(), odd);
    let wrong =
        json!({"action": {"name": "connectPSTN", "maxDuration": "600"}, "instructions": []});
    let read = parse(&wrong);
    assert!(matches!(read.action, Some(Action::Other(_))));
    assert_eq!(read.to_json(), wrong);
}

#[test]
fn names_are_read_in_any_case_and_a_menu_key_may_be_a_number() {
    let svaml = parse(&json!({"Action": {"Name": "RUNMENU", "Menus": [
        {"ID": "main", "Options": [{"DTMF": 1, "Action": "Return(yes)"}]}
    ]}}));
    let Some(Action::RunMenu(run)) = &svaml.action else {
        panic!("it is a menu");
    };
    assert_eq!(run.menus[0].options[0].dtmf.as_ref().unwrap().0, "1");
    assert_eq!(svaml.check(Event::Ace), []);
    let written = json!({"action": {"name": "runMenu", "menus": [
        {"id": "main", "options": [{"dtmf": "1", "action": "Return(yes)"}]}
    ]}});
    assert_eq!(svaml.to_json(), written);
}

#[test]
fn what_was_kept_never_overwrites_a_field() {
    let json = json!({"action": {"name": "connectPstn", "cli": null, "CLI": "+461"}});
    let mut svaml = parse(&json);
    assert_eq!(svaml.to_json(), json);
    let Some(Action::ConnectPstn(pstn)) = &mut svaml.action else {
        panic!("it connects");
    };
    assert_eq!(pstn.cli, None);
    pstn.cli = Some("private".to_owned());
    assert_eq!(svaml.to_json()["action"]["cli"], "private");
    let pstn = ConnectPstn::default();
    assert_eq!(
        Svaml::with_action(pstn).to_inline(),
        r#"{"action":{"name":"connectPstn"}}"#
    );
}

#[test]
fn each_term_may_stand_where_the_vocabulary_says_and_nowhere_else() {
    for event in Event::ALL {
        for term in &ACTIONS {
            let refused = format!("`action` `{}` may not answer {event}", term.name);
            let found = problems(event, &with_action(&named(term)));
            assert_eq!(
                found.contains(&refused),
                !term.may_answer(event),
                "{found:?}"
            );
        }
        for term in &INSTRUCTIONS {
            let json = json!({ "instructions": [named(term)] });
            let refused = format!("`instructions[0]` `{}` may not answer {event}", term.name);
            let found = problems(event, &json);
            assert_eq!(
                found.contains(&refused),
                !term.may_answer(event),
                "{found:?}"
            );
        }
        let missing = !problems(event, &json!({})).is_empty();
        assert_eq!(missing, event.needs_action(), "{event}");
    }
}

#[test]
fn limits_are_kept_to_the_last_and_not_one_more() {
    let text = |length: usize| "å".repeat(length);
    let cookie =
        |length: usize| json!({"name": "setCookie", "key": "k", "value": "v".repeat(length)});
    let after =
        |instructions: Value| json!({"instructions": instructions, "action": {"name": "hangup"}});
    let say = |length| after(json!([{"name": "say", "text": text(length)}]));
    let pstn = |seconds: u32| with_action(&json!({"name": "connectPstn", "maxDuration": seconds}));
    let park = |seconds: u32| with_action(&json!({"name": "park", "maxDuration": seconds}));
    let conf = |n| with_action(&json!({"name": "connectConf", "conferenceId": text(n)}));
    let keys = |keys: &str| after(json!([{"name": "sendDtmf", "value": keys}]));
    let status = |value: &str, length| {
        json!({"instructions":
            [{"name": "reportCallStatus", "value": value, "details": text(length)}]})
    };
    let dtmf = |keys: &str| with_action(&json!({"name": "connectPstn", "dtmf": keys}));
    let tones = |code: &str| with_action(&json!({"name": "connectPstn", "indications": code}));
    let cases = [
        (Event::Ace, say(600), say(601), "instructions[0].text"),
        (Event::Ace, say(1), say(0), "instructions[0].text"),
        (Event::Ice, pstn(14_400), pstn(14_401), "action.maxDuration"),
        (Event::Ice, pstn(1), pstn(0), "action.maxDuration"),
        (Event::Ice, park(600), park(601), "action.maxDuration"),
        (Event::Ice, conf(64), conf(65), "action.conferenceId"),
        (Event::Ice, conf(1), conf(0), "action.conferenceId"),
        (
            Event::Ice,
            keys("09#w"),
            keys("1*"),
            "instructions[0].value",
        ),
        (Event::Ice, dtmf("1"), dtmf("a"), "action.dtmf"),
        (Event::Ice, tones("SE"), tones("xx"), "action.indications"),
        (
            Event::Dice,
            status("Success", 64),
            status("failure", 65),
            "instructions[0].details",
        ),
        (
            Event::Dice,
            status("failure", 1),
            status("maybe", 1),
            "instructions[0].value",
        ),
        (
            Event::Ace,
            after(json!([cookie(511), cookie(511)])),
            after(json!([cookie(511), cookie(512)])),
            "instructions",
        ),
        (
            Event::Ace,
            after(json!([{"name": "playFiles", "ids": ["a"]}])),
            after(json!([{"name": "playFiles", "ids": []}])),
            "instructions[0].ids",
        ),
        (
            Event::Ace,
            with_action(&json!({"name": "somethingNew"})),
            with_action(&json!({"type": "somethingNew"})),
            "action",
        ),
        (
            Event::Ace,
            with_action(&json!({"name": "hangup", "unknown": 1})),
            with_action(&json!({"name": "hangup", "hangupCause": "1"})),
            "action.hangupCause",
        ),
    ];
    for (event, right, wrong, at) in cases {
        assert_eq!(parse(&right).check(event), [], "{right}");
        let found = parse(&wrong).check(event);
        let places: Vec<&str> = found.iter().map(|problem| problem.at.as_str()).collect();
        assert_eq!(places, [at], "{wrong}");
    }
}

#[test]
fn a_menu_leads_only_where_there_is_one() {
    let menus = |main: Value, menus: Value| {
        let action = json!({"name": "runMenu", "mainMenu": main, "menus": menus});
        problems(Event::Ace, &with_action(&action))
    };
    let options =
        |action: Value| json!([{"id": "main", "options": [{"dtmf": "1", "action": action}]}]);
    let none: [&str; 0] = [];
    assert_eq!(menus(json!(null), options(json!("menu(main)"))), none);
    assert_eq!(menus(json!("a"), json!([{"id": "a"}])), none);
    let begin = "`action.menus` have none to begin with: one must have the id `main`";
    assert_eq!(menus(json!(null), json!([{"id": "a"}])), [begin]);
    assert_eq!(menus(json!("b"), json!([{"id": "a"}])), [begin]);
    assert_eq!(menus(json!(null), json!([])), ["`action.menus` is missing"]);
    assert_eq!(
        menus(json!(null), json!([{"id": "main"}, {}, {"id": "main"}])),
        [
            "`action.menus[0].id` is the id of another menu as well",
            "`action.menus[1].id` is missing",
            "`action.menus[2].id` is the id of another menu as well",
        ]
    );
    for (action, message) in [
        (json!("menu(other)"), "names a menu that is not there"),
        (json!("hangup"), "is neither `return(…)` nor `menu(…)`"),
        (json!(null), "is missing"),
    ] {
        let found = menus(json!(null), options(action));
        assert_eq!(
            found,
            [format!("`action.menus[0].options[0].action` {message}")]
        );
    }
}

#[test]
fn whoever_manages_a_call_may_use_every_action() {
    for term in ACTIONS.iter().filter(|term| term.name != "runMenu") {
        assert_eq!(parse(&with_action(&named(term))).check_managing().len(), {
            // The invented values break limits of their own.
            usize::from(term.name == "connectPstn") * 2
        });
    }
    assert_eq!(parse(&json!({})).check_managing().len(), 1);
}

/// A document as it comes and as it is written again; made at random from the vocabulary.
struct Made {
    wire: Value,
    written: Value,
}

struct Maker(StdRng);

impl Maker {
    fn one_in(&mut self, n: u32) -> bool {
        self.0.random_ratio(1, n)
    }

    fn any_case(&mut self, name: &str) -> String {
        if !self.one_in(3) {
            return name.to_owned();
        }
        let letters = name.chars().map(|c| {
            if self.0.random() {
                c.to_ascii_uppercase()
            } else {
                c.to_ascii_lowercase()
            }
        });
        letters.collect()
    }

    fn text(&mut self) -> String {
        let texts = [
            "",
            "main",
            "#tts[a]",
            "1#w",
            "return(x)",
            "\"\\\n\u{1}å𝄞",
            "null",
        ];
        (*texts.choose(&mut self.0).unwrap()).to_owned()
    }

    fn anything(&mut self, depth: u32) -> Value {
        match self.0.random_range(0..if depth == 0 { 5 } else { 7 }) {
            0 => Value::Null,
            1 => json!(self.0.random::<bool>()),
            2 => json!(self.0.random::<i64>()),
            3 => json!(f64::from(self.0.random::<i16>()) / 8.0),
            4 => json!(self.text()),
            5 => (0..self.0.random_range(0..3))
                .map(|_| self.anything(depth - 1))
                .collect(),
            _ => {
                let entries = 0..self.0.random_range(0..3);
                let entry = |i| (format!("{}{i}", self.text()), self.anything(depth - 1));
                Value::Object(entries.map(entry).collect())
            }
        }
    }

    /// A value of a shape; false where its type is another, so that nothing around it is typed.
    fn value(&mut self, field: &Field, inside: bool) -> (Made, bool) {
        let same = |json: Value| Made {
            wire: json.clone(),
            written: json,
        };
        if self.one_in(30) {
            let wrong = match field.shape {
                Shape::Text => json!(1.5),
                _ => json!("wrong"),
            };
            return (same(wrong), false);
        }
        let made = match field.shape {
            // The key of a menu, which may be a number; `connectPstn` has keys that may not.
            Shape::Text if inside && field.name == "dtmf" && self.one_in(3) => Made {
                wire: json!(5),
                written: json!("5"),
            },
            Shape::Text => same(json!(self.text())),
            Shape::Integer => same(json!(self.0.random::<u32>())),
            Shape::Flag => same(json!(self.0.random::<bool>())),
            Shape::Texts => {
                let texts: Vec<_> = (0..self.0.random_range(0..3))
                    .map(|_| self.text())
                    .collect();
                same(json!(texts))
            }
            Shape::Object(fields) => return self.object(fields, true),
            Shape::Objects(fields) => {
                let items = 0..self.0.random_range(1..3);
                let items: Vec<_> = items.map(|_| self.object(fields, true)).collect();
                let typed = items.iter().all(|item| item.1);
                let made = Made {
                    wire: items.iter().map(|item| item.0.wire.clone()).collect(),
                    written: items.into_iter().map(|item| item.0.written).collect(),
                };
                return (made, typed);
            }
        };
        (made, true)
    }

    fn object(&mut self, fields: &[Field], inside: bool) -> (Made, bool) {
        let (mut wire, mut written, mut typed) = (Map::new(), Map::new(), true);
        for field in fields {
            if self.one_in(2) {
                continue;
            }
            let key = self.any_case(field.name);
            if self.one_in(20) {
                wire.insert(key.clone(), Value::Null);
                written.insert(key, Value::Null);
                continue;
            }
            let (made, fits) = self.value(field, inside);
            typed &= fits;
            let kept = made.wire == json!([]);
            wire.insert(key.clone(), made.wire);
            written.insert(if kept { key } else { field.name.to_owned() }, made.written);
        }
        while self.one_in(3) {
            let (key, value) = (format!("x-{}", self.text()), self.anything(2));
            wire.insert(key.clone(), value.clone());
            written.insert(key, value);
        }
        let made = Made {
            wire: Value::Object(wire),
            written: Value::Object(written),
        };
        (made, typed)
    }

    fn named(&mut self, terms: &[Term]) -> Made {
        if self.one_in(10) {
            let name = if self.one_in(2) {
                self.anything(1)
            } else {
                json!("somethingNew")
            };
            let json = json!({"name": name, "field": self.anything(2)});
            return Made {
                wire: json.clone(),
                written: json,
            };
        }
        let term = terms.choose(&mut self.0).unwrap();
        let (mut made, typed) = self.object(term.fields, false);
        let (key, name) = (self.any_case("name"), self.any_case(term.name));
        made.wire[&key] = json!(name);
        if typed {
            made.written["name"] = json!(term.name);
        } else {
            made.written = made.wire.clone();
        }
        made
    }

    fn document(&mut self) -> Made {
        let (mut wire, mut written) = (json!({}), json!({}));
        if !self.one_in(5) {
            let made = self.named(&ACTIONS);
            wire[self.any_case("action")] = made.wire;
            written["action"] = made.written;
        }
        let items = 0..self.0.random_range(0..4);
        let items: Vec<_> = items.map(|_| self.named(&INSTRUCTIONS)).collect();
        if !items.is_empty() {
            wire[self.any_case("instructions")] = items.iter().map(|m| m.wire.clone()).collect();
            written["instructions"] = items.into_iter().map(|m| m.written).collect();
        }
        if self.one_in(3) {
            let rest = self.anything(2);
            wire["x-rest"] = rest.clone();
            written["x-rest"] = rest;
        }
        Made { wire, written }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_document_is_written_as_it_was_read_but_for_the_case_of_known_names(seed in any::<u64>()) {
        let made = Maker(StdRng::seed_from_u64(seed)).document();
        let svaml = parse(&made.wire);
        prop_assert_eq!(&svaml.to_json(), &made.written, "from {}", made.wire);
        for event in Event::ALL {
            drop(svaml.check(event));
        }
        let inline = svaml.to_inline();
        prop_assert_eq!(&Svaml::parse(&inline).unwrap(), &svaml);
        prop_assert_eq!(serde_json::from_str::<Svaml>(&inline).unwrap(), svaml);
    }

    #[test]
    fn any_json_is_svaml_or_told_why_not(seed in any::<u64>()) {
        let mut maker = Maker(StdRng::seed_from_u64(seed));
        let mut json = json!({"action": maker.anything(4), "instructions": maker.anything(4)});
        if maker.one_in(5) {
            json = maker.anything(5);
        }
        if let Ok(svaml) = Svaml::parse(json.to_string()) {
            prop_assert_eq!(svaml.to_json(), json);
            drop(svaml.check_managing());
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in any::<String>()) {
        drop(Svaml::parse(&bytes));
        drop(Svaml::parse(text));
    }
}

#[test]
fn a_tower_of_brackets_is_refused() {
    let tower = "[".repeat(100_000);
    assert!(Svaml::parse(&tower).is_err());
    assert!(Svaml::parse(format!("{{\"action\":{tower}")).is_err());
}
