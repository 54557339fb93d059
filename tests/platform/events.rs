//! Callback events: every field in every shape, nothing lost, and only the platform believed.

use std::path::Path;

use callout::domain::svaml::Event as Kind;
use callout::domain::{AttemptId, Money};
use callout::sinch::auth::{AuthError, Credentials, CredentialsError, ReceivedHeaders};
use callout::sinch::events::{AmdResult, Event, EventError, MenuResult, Pair, attempt_of};
use callout::sinch::verify::{CallbackVerifier, VerifierError};
use callout::sinch::{Identity, lenient};
use jiff::Timestamp;
use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};

fn sample(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/api");
    std::fs::read(folder.join(name)).unwrap()
}

fn parse(json: &Value) -> Event {
    Event::parse(json.to_string().as_bytes()).unwrap()
}

/// What a field may hold.
#[derive(Clone, Copy)]
enum Shape {
    Text,
    Integer,
    Money,
    Party,
    Moment,
    Pairs,
    Amd,
    Menu,
}

/// A documented field: its name, its shape, and how it reads, as text.
type Row = (&'static str, Shape, fn(&Event) -> Option<String>);

fn shown<T: ToString>(value: Option<&T>) -> Option<String> {
    value.map(ToString::to_string)
}

/// An amount to the digit, as it was read.
fn plain(money: &Money) -> String {
    match &money.currency {
        Some(currency) => format!("{} {currency}", money.amount),
        None => money.amount.to_string(),
    }
}

fn party(party: Option<&Identity>) -> Option<String> {
    party.map(|p| format!("{:?} {}", p.kind, p.endpoint))
}

fn pairs(pairs: &[Pair]) -> Option<String> {
    let pairs = pairs
        .iter()
        .map(|pair| format!("{}={};", pair.key, pair.value));
    Some(pairs.collect()).filter(|all: &String| !all.is_empty())
}

fn amd(amd: Option<&AmdResult>) -> Option<String> {
    amd.map(|amd| format!("{:?} {:?} {:?}", amd.status, amd.reason, amd.duration))
}

fn menu(menu: Option<&MenuResult>) -> Option<String> {
    menu.map(|m| {
        format!(
            "{:?} {:?} {:?} {:?}",
            m.kind, m.value, m.menu_id, m.input_method
        )
    })
}

const COMMON: &[Row] = &[
    ("callid", Shape::Text, |e| shown(e.common().call.as_ref())),
    ("timestamp", Shape::Moment, |e| {
        shown(e.common().timestamp.as_ref())
    }),
    ("version", Shape::Integer, |e| {
        shown(e.common().version.as_ref())
    }),
    ("custom", Shape::Text, |e| e.common().custom.clone()),
    ("applicationKey", Shape::Text, |e| {
        e.common().application_key.clone()
    }),
    ("conferenceId", Shape::Text, |e| {
        e.common().conference_id.clone()
    }),
    ("cookies", Shape::Pairs, |e| pairs(&e.common().cookies)),
    ("callResourceUrl", Shape::Text, |e| {
        e.common().call_resource_url.clone()
    }),
    ("user", Shape::Party, |e| party(e.common().user.as_ref())),
];

/// A row of one event's own table.
macro_rules! own {
    ($kind:ident, $name:literal, $shape:ident, |$event:ident| $read:expr) => {
        ($name, Shape::$shape, |event| match event {
            Event::$kind($event) => $read,
            _ => None,
        })
    };
}

const ICE: &[Row] = &[
    own!(Ice, "userRate", Money, |e| e.user_rate.as_ref().map(plain)),
    own!(Ice, "cli", Party, |e| party(e.cli.as_ref())),
    own!(Ice, "to", Party, |e| party(e.to.as_ref())),
    own!(Ice, "domain", Text, |e| e.domain.clone()),
    own!(Ice, "originationType", Text, |e| e.origination_type.clone()),
    own!(Ice, "duration", Integer, |e| shown(e.duration_s.as_ref())),
    own!(Ice, "rdnis", Party, |e| party(e.rdnis.as_ref())),
    own!(Ice, "callHeaders", Pairs, |e| pairs(&e.call_headers)),
];
const ACE: &[Row] = &[own!(Ace, "amd", Amd, |e| amd(e.amd.as_ref()))];
const PIE: &[Row] = &[own!(Pie, "menuResult", Menu, |e| menu(e.menu.as_ref()))];
const DICE: &[Row] = &[
    own!(Dice, "reason", Text, |e| e.outcome.reason.clone()),
    own!(Dice, "result", Text, |e| e.outcome.result.clone()),
    own!(Dice, "duration", Integer, |e| shown(
        e.outcome.duration_s.as_ref()
    )),
    own!(Dice, "debit", Money, |e| e
        .outcome
        .debit
        .as_ref()
        .map(plain)),
    own!(Dice, "userRate", Money, |e| e.user_rate.as_ref().map(plain)),
    own!(Dice, "to", Party, |e| party(e.to.as_ref())),
    own!(Dice, "from", Party, |e| party(e.from.as_ref())),
    own!(Dice, "callHeaders", Pairs, |e| pairs(&e.call_headers)),
];
const NOTIFY: &[Row] = &[
    own!(Notify, "type", Text, |e| e.kind.clone()),
    own!(Notify, "destination", Text, |e| e.destination.clone()),
    own!(Notify, "amd", Amd, |e| amd(e.amd.as_ref())),
    own!(Notify, "errorCode", Integer, |e| shown(
        e.error_code.as_ref()
    )),
    own!(Notify, "errorMsg", Text, |e| e.error_message.clone()),
];

fn table(kind: Option<Kind>) -> &'static [Row] {
    match kind {
        Some(Kind::Ice) => ICE,
        Some(Kind::Ace) => ACE,
        Some(Kind::Pie) => PIE,
        Some(Kind::Dice) => DICE,
        Some(Kind::Notify) => NOTIFY,
        None => &[],
    }
}

struct Maker(StdRng);

impl Maker {
    fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        *items.choose(&mut self.0).unwrap()
    }

    fn any_case(&mut self, name: &str) -> String {
        let case = self.pick(&[str::to_owned, str::to_uppercase, str::to_lowercase]);
        case(name)
    }

    fn text(&mut self) -> String {
        let words = [
            "a",
            "ANSWERED",
            "+46701740101",
            "x y",
            "\"\\\u{1}å𝄞",
            "{}",
            "00ff",
        ];
        format!("{}-{}", self.pick(&words).trim(), self.0.random::<u16>())
    }

    fn integer(&mut self) -> (Value, Option<String>) {
        // What a call can last: other durations are not believed.
        let number = self.0.random_range(0..=604_800);
        let wires = [json!(number), json!(number.to_string())];
        let wire = self.pick(&wires.each_ref()).clone();
        (wire, Some(number.to_string()))
    }

    fn words(&mut self, names: &[&str]) -> (serde_json::Map<String, Value>, Vec<String>) {
        let (mut wire, mut read) = (serde_json::Map::new(), Vec::new());
        for name in names {
            if self.0.random() {
                let text = self.text();
                read.push(format!("{:?}", Some(&text)));
                wire.insert(self.any_case(name), text.into());
            } else {
                read.push("None".to_owned());
            }
        }
        (wire, read)
    }

    fn value(&mut self, shape: Shape) -> (Value, Option<String>) {
        match shape {
            Shape::Text => {
                let text = self.text().replace([' ', '\u{1}'], "");
                (json!(text), Some(text))
            }
            Shape::Integer => self.integer(),
            Shape::Money => self.money(),
            Shape::Party => self.party(),
            Shape::Moment => {
                let moment = Timestamp::from_second(self.0.random_range(0..4_000_000_000)).unwrap();
                let wire = moment.to_string();
                let wire = match self.0.random_range(0..3) {
                    0 => wire,
                    1 => wire.trim_end_matches('Z').to_owned(),
                    _ => wire.replace('Z', ".0000000+00:00"),
                };
                (json!(wire), Some(moment.to_string()))
            }
            Shape::Pairs => {
                let items = 0..self.0.random_range(1..4);
                let items: Vec<_> = items.map(|_| (self.text(), self.text())).collect();
                let read = items
                    .iter()
                    .map(|(key, value)| [key, "=", value, ";"].concat());
                let read = read.collect();
                let pair = |(key, value)| json!({"key": key, "Value": value});
                (items.into_iter().map(pair).collect(), Some(read))
            }
            Shape::Amd => {
                let (mut wire, mut read) = self.words(&["status", "reason"]);
                let (duration, number) = self.integer();
                wire.insert("duration".to_owned(), duration);
                read.push(format!("Some({})", number.unwrap()));
                (Value::Object(wire), Some(read.join(" ")))
            }
            Shape::Menu => {
                let (wire, read) = self.words(&["type", "value", "menuId", "inputMethod"]);
                (Value::Object(wire), Some(read.join(" ")))
            }
        }
    }

    fn money(&mut self) -> (Value, Option<String>) {
        let amount = f64::from(self.0.random_range(0..1_000_000)) / 10_000.0;
        let exact = Money::parse_amount(&json!(amount).to_string()).unwrap();
        match self.0.random_range(0..4) {
            0 => (
                json!({"currencyId": "EUR", "amount": amount}),
                Some(format!("{exact} EUR")),
            ),
            1 => (json!({"amount": amount.to_string(), "currencyId": null}), {
                let exact = Money::parse_amount(&amount.to_string()).unwrap();
                Some(exact.to_string())
            }),
            2 => (json!(amount), Some(exact.to_string())),
            _ => (json!("string"), None),
        }
    }

    fn party(&mut self) -> (Value, Option<String>) {
        let endpoint = self.text();
        match self.0.random_range(0..5) {
            0 => (json!(endpoint), Some(format!("None {endpoint}"))),
            1 => (json!(null), None),
            2 => (json!(""), None),
            3 => (
                json!({"endpoint": endpoint}),
                Some(format!("None {endpoint}")),
            ),
            _ => {
                let kind = self.pick(&["number", "Number", "Username", "did", "sip"]);
                let read = format!("{:?} {endpoint}", Some(kind));
                (
                    json!({"Type": kind, "endpoint": endpoint, "more": 1}),
                    Some(read),
                )
            }
        }
    }

    fn event(&mut self) -> (Value, Vec<(Row, Option<String>)>) {
        let kind = self.pick(&[None, Some(0), Some(1), Some(2), Some(3), Some(4)]);
        let kind = kind.map(|i| Kind::ALL[i]);
        let name = kind.map_or("somethingNew", Kind::as_str);
        let (key, name) = (self.any_case("event"), self.any_case(name));
        let mut wire = json!({ (key): name });
        let mut expected = Vec::new();
        for row in COMMON.iter().chain(table(kind)) {
            if self.0.random_ratio(1, 3) {
                expected.push((*row, None));
                continue;
            }
            let (value, read) = self.value(row.1);
            wire[self.any_case(row.0)] = value;
            expected.push((*row, read));
        }
        if self.0.random() {
            wire[format!("x-{}", self.text())] = json!([null, {"callid": self.text()}]);
        }
        (wire, expected)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn every_field_is_read_in_every_shape_and_the_event_is_kept(seed in any::<u64>()) {
        let (wire, expected) = Maker(StdRng::seed_from_u64(seed)).event();
        let event = parse(&wire);
        for ((name, _, read), value) in expected {
            prop_assert_eq!(read(&event), value, "{} of {}", name, wire);
        }
        let raw: Value = serde_json::from_str(event.raw().get()).unwrap();
        prop_assert_eq!(&raw, &wire);
        prop_assert_eq!(event.raw().get(), wire.to_string());
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in any::<String>()) {
        drop(Event::parse(&bytes));
        drop(Event::parse(text.as_bytes()));
        let about = json!({ "event": "dice", "custom": text, "to": text, "debit": text,
            "timestamp": text, "cookies": [text, {"key": text}], "callid": text });
        let event = parse(&about);
        prop_assert_eq!(event.common().custom.as_ref(), Some(&text));
    }

    #[test]
    fn any_value_under_any_name_is_an_event(seed in any::<u64>(), name in "[a-z]{3,6}") {
        let mut maker = Maker(StdRng::seed_from_u64(seed));
        let odd = [json!(null), json!(-1.5), json!([[]]), json!({"type": {}}), json!(true), json!("")];
        let kind = Kind::parse(&name).or(Some(Kind::ALL[usize::from(maker.0.random::<u8>() % 5)]));
        let mut wire = json!({ "event": kind.unwrap().as_str() });
        for (name, ..) in COMMON.iter().chain(table(kind)) {
            wire[*name] = maker.pick(&odd.each_ref()).clone();
        }
        let event = parse(&wire);
        prop_assert_eq!(event.kind(), kind);
        prop_assert_eq!(event.raw().get(), wire.to_string());
    }
}

#[test]
fn the_documented_samples_are_read() {
    let read = |name: &str| Event::parse(&sample(name)).unwrap();
    let Event::Ice(ice) = read("event_ice.json") else {
        panic!("it is ice");
    };
    assert_eq!(ice.cli.unwrap().endpoint, "12015555555");
    assert!(ice.to.unwrap().is_kind("DID") && ice.rdnis.is_none());
    assert_eq!(plain(&ice.user_rate.unwrap()), "0.0 USD");
    assert_eq!(
        ice.common.timestamp.unwrap().to_string(),
        "2024-06-06T17:20:14Z"
    );
    let Event::Ace(ace) = read("event_ace.json") else {
        panic!("it is ace");
    };
    let call = ace.common.call.unwrap();
    assert_eq!(call.as_str(), "1ce0ffee-ca11-ca11-ca11-abcdef000043");
    assert_eq!((ace.common.version, ace.amd), (Some(1), None));
    let Event::Pie(pie) = read("event_pie_return.json") else {
        panic!("it is pie");
    };
    assert_eq!(menu(pie.menu.as_ref()).unwrap(), {
        r#"Some("return") Some("cancel") Some("main") Some("dtmf")"#
    });
    let Event::Dice(dice) = read("event_dice.json") else {
        panic!("it is dice");
    };
    assert!(dice.outcome.answered() && dice.outcome.duration_s == Some(12));
    assert_eq!(plain(&dice.outcome.debit.unwrap()), "0.0095 EUR");
    assert_eq!(dice.from.unwrap().endpoint, "12015555555");
    for (name, kind) in [
        ("event_notify_recording_finished.json", "recording_finished"),
        (
            "event_notify_transcription_available.json",
            "transcription_available",
        ),
    ] {
        let Event::Notify(notify) = read(name) else {
            panic!("it notifies");
        };
        assert_eq!(notify.kind.as_deref(), Some(kind));
        assert_eq!(notify.common.timestamp, None);
        assert_eq!(notify.destination.is_some(), kind.starts_with("trans"));
    }
}

#[test]
fn an_event_is_kept_to_the_digit() {
    let body = br#" {"event" : "dice", "debit":{"amount":0.10000000000000000001}, "n":1e999} "#;
    let event = Event::parse(body).unwrap();
    assert_eq!(event.raw().get(), std::str::from_utf8(body).unwrap().trim());
    let Event::Dice(dice) = event else {
        panic!("it is dice");
    };
    assert_eq!(
        plain(&dice.outcome.debit.unwrap()),
        "0.10000000000000000001"
    );
}

#[test]
fn what_is_no_event_is_told() {
    let error = |body: &[u8]| Event::parse(body).unwrap_err();
    assert_eq!(error(b""), EventError::NotJson);
    assert_eq!(error(b"\xff{}"), EventError::NotJson);
    assert_eq!(error(br#"{"event":"ace"} x"#), EventError::NotJson);
    assert_eq!(error(b"[]"), EventError::NotAnObject);
    assert_eq!(error(b"{}"), EventError::NoName);
    assert_eq!(error(br#"{"event":{}}"#), EventError::NoName);
    assert_eq!(error("[".repeat(100_000).as_bytes()), EventError::NotJson);
    let tower = format!(
        "{{\"event\":\"ace\",\"amd\":{}1{}}}",
        "[".repeat(5_000),
        "]".repeat(5_000)
    );
    assert_eq!(
        Event::parse(tower.as_bytes()).unwrap().kind(),
        Some(Kind::Ace)
    );
}

#[test]
fn the_attempt_is_the_first_word_of_custom() {
    let id = "000102030405060708090a0b0c0d0eff";
    let attempt = AttemptId::parse(id);
    assert_eq!(attempt_of(id), attempt);
    assert_eq!(
        attempt_of(&format!("{} order 17", id.to_uppercase())),
        attempt
    );
    assert_eq!(
        parse(&json!({"event": "notify", "custom": format!("{id} å")})).attempt(),
        attempt
    );
    for custom in [
        "",
        " ",
        "order 17",
        &id[1..],
        &format!("x{id}"),
        &format!("a {id}"),
    ] {
        assert_eq!(attempt_of(custom), None, "{custom}");
    }
    assert_eq!(
        parse(&json!({"event": "ace", "custom": {"a": 1}})).attempt(),
        None
    );
}

#[test]
fn nobodys_number_is_shown() {
    for kind in Kind::ALL {
        let number = "+46701740101";
        let mut wire = json!({ "event": kind.as_str(), "custom": number });
        for (name, shape, _) in COMMON.iter().chain(table(Some(kind))) {
            wire[*name] = match shape {
                Shape::Party => json!({"type": "number", "endpoint": number}),
                Shape::Pairs => json!([{"key": "k", "value": number}]),
                Shape::Menu => json!({"value": number}),
                _ => continue,
            };
        }
        let shown = format!("{:?}", parse(&wire));
        assert!(!shown.contains("701740101"), "{shown}");
    }
}

fn vectors() -> Vec<Value> {
    let file = include_str!("../fixtures/callback_vectors.json");
    let file: Value = serde_json::from_str(file).unwrap();
    file["vectors"].as_array().unwrap().clone()
}

fn verifier(vector: &Value) -> CallbackVerifier {
    let text = |field: &str| vector[field].as_str().unwrap().to_owned();
    let secret = text("application_secret_base64");
    let credentials = Credentials::new(text("application_key"), secret).unwrap();
    CallbackVerifier::new(credentials, text("path")).unwrap()
}

#[test]
fn every_callback_vector_gets_its_verdict() {
    for vector in vectors() {
        let text = |field: &str| vector[field].as_str().unwrap();
        let headers = ReceivedHeaders {
            authorization: vector["authorization"].as_str(),
            x_timestamp: vector["x_timestamp"].as_str(),
        };
        let now = lenient::timestamp(text("now")).unwrap();
        let body = text("body").as_bytes();
        let verdict = verifier(&vector).verify(body, text("content_type"), &headers, now);
        let expected = match text("expected") {
            "ok" => Ok(()),
            "too_old" => Err(AuthError::TooOld),
            "too_new" => Err(AuthError::TooNew),
            "bad_signature" => Err(AuthError::BadSignature),
            "unknown_key" => Err(AuthError::UnknownKey),
            "wrong_scheme" => Err(AuthError::WrongScheme),
            "missing_authorization" => Err(AuthError::MissingAuthorization),
            "missing_timestamp" => Err(AuthError::MissingTimestamp),
            "bad_timestamp" => Err(AuthError::BadTimestamp),
            "malformed" => Err(AuthError::Malformed),
            other => panic!("{other} is no verdict"),
        };
        assert_eq!(verdict, expected, "{}: {}", text("id"), text("why"));
    }
}

#[test]
fn a_verifier_that_could_never_agree_is_not_made() {
    let made = |secret: &str, path: &str| {
        let credentials = Credentials::new("key", secret).unwrap();
        CallbackVerifier::new(credentials, path)
            .map(|_| ())
            .unwrap_err()
    };
    let not_base64 = VerifierError::Credentials(CredentialsError::SecretNotBase64);
    assert_eq!(made("not*base64", "/a"), not_base64);
    assert_eq!(made("AAAA", "a"), VerifierError::Path);
    assert_eq!(made("AAAA", "https://a.example/a"), VerifierError::Path);
}
