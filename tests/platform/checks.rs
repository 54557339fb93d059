//! Who may speak, and which callouts are taken: every documented refusal with its code.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use callout::simulator::Options;
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{CALLOUTS, KEY, NUMBER, Peer, SECRET, credentials, tts};

#[tokio::test]
async fn both_schemes_of_authorisation_are_accepted() {
    let peer = Peer::start(Options::default());
    assert_eq!(peer.post(&tts(NUMBER, "a1")).await.status, 200);
    let basic = peer
        .client
        .post(format!("{}{CALLOUTS}/", peer.simulator.url()))
        .header("content-type", "application/json; charset=utf-8")
        .basic_auth(KEY, Some(SECRET))
        .body(tts(NUMBER, "a2").to_string());
    let got = peer.send(basic).await;
    assert_eq!(got.status, 200, "{}", got.text);
    assert_eq!(peer.simulator.ledger().len(), 2);
}

#[tokio::test]
async fn every_fault_of_authorisation_has_its_documented_code() {
    let peer = Peer::start(Options::default());
    let body = tts(NUMBER, "a1").to_string();
    let other = KEY.replace('6', "7");
    let stale = (peer.now() - SignedDuration::from_mins(6)).to_string();
    let basic =
        |key: &str, secret: &str| format!("Basic {}", STANDARD.encode(format!("{key}:{secret}")));
    // A signed request with one header replaced, or removed where there is no value.
    let cases = [
        (401, 40100, "authorization", None),
        (401, 40101, "x-timestamp", None),
        (401, 40101, "x-timestamp", Some("now".to_owned())),
        (401, 40101, "x-timestamp", Some(stale)),
        (
            401,
            40102,
            "authorization",
            Some(format!("Application {KEY}")),
        ),
        (
            401,
            40102,
            "authorization",
            Some(format!("Application {KEY}:AAAA")),
        ),
        (
            401,
            40102,
            "content-type",
            Some("application/json; charset=utf-8".to_owned()),
        ),
        (
            401,
            40108,
            "authorization",
            Some(format!("Application {other}:AAAA")),
        ),
        (401, 40108, "authorization", Some(basic(KEY, "AAAA"))),
        (401, 40108, "authorization", Some(basic(&other, SECRET))),
        (403, 40301, "authorization", Some("Bearer AAAA".to_owned())),
    ];
    for (status, code, name, value) in cases {
        let (client, built) = peer.signed(Method::POST, CALLOUTS, &body).build_split();
        let mut built = built.unwrap();
        match &value {
            Some(value) => drop(built.headers_mut().insert(name, value.parse().unwrap())),
            None => drop(built.headers_mut().remove(name)),
        }
        let got = peer
            .send(reqwest::RequestBuilder::from_parts(client, built))
            .await;
        assert_eq!(
            (got.status, got.code()),
            (status, code),
            "{name} {value:?}: {}",
            got.text
        );
    }
    assert!(peer.simulator.ledger().is_empty());
    let posts = peer.simulator.posts();
    assert!(
        posts
            .iter()
            .all(|post| post.attempt == "a1" && !post.placed)
    );
}

#[tokio::test]
async fn basic_authorisation_can_be_forbidden() {
    let peer = Peer::start(Options {
        accept_basic: false,
        ..Options::default()
    });
    let request = peer
        .client
        .get(format!("{}/calling/v1/calls/id/x", peer.simulator.url()))
        .basic_auth(KEY, Some(SECRET));
    let got = peer.send(request).await;
    assert_eq!((got.status, got.code()), (403, 40301));
    assert_eq!(credentials().key(), KEY);
}

/// The text-to-speech callout with one field changed; `null` removes it.
fn with(field: &str, value: Value) -> Value {
    changed(tts(NUMBER, "a1"), "ttsCallout", field, value)
}

fn changed(mut body: Value, method: &str, field: &str, value: Value) -> Value {
    let fields = body[method].as_object_mut().unwrap();
    if value.is_null() {
        fields.remove(field);
    } else {
        fields.insert(field.to_owned(), value);
    }
    body
}

fn conference(field: &str, value: Value) -> Value {
    let body = crate::harness::conference(NUMBER, "a1");
    changed(body, "conferenceCallout", field, value)
}

fn custom(fields: &Value) -> Value {
    json!({"method": "customCallout", "customCallout": fields})
}

fn ice(document: &Value) -> Value {
    custom(&json!({"ice": document.to_string(), "custom": "a1"}))
}

async fn assert_refused(peer: &Peer, cases: &[(u64, Value)]) {
    for (code, body) in cases {
        let got = peer.post(body).await;
        assert_eq!(
            (got.status, got.code()),
            (400, *code),
            "{body}: {}",
            got.text
        );
    }
    assert!(peer.simulator.ledger().is_empty());
}

#[tokio::test]
async fn every_documented_check_of_a_text_refuses_with_its_code() {
    let peer = Peer::start(Options::default());
    let to = |endpoint: &str| {
        with(
            "destination",
            json!({"type": "number", "endpoint": endpoint}),
        )
    };
    let cases = [
        (40003, json!([])),
        (40002, json!({})),
        (40001, json!({"method": 1})),
        (40001, json!({"method": "smsCallout", "smsCallout": {}})),
        (40002, json!({"method": "ttsCallout"})),
        (
            40002,
            json!({"method": "ttsCallout", "conferenceCallout": {}}),
        ),
        (40001, json!({"method": "ttsCallout", "ttsCallout": "x"})),
        (40002, with("text", Value::Null)),
        (40001, with("text", json!("é".repeat(601)))),
        (40001, with("text", json!(7))),
        (40001, with("prompts", json!("#tts[one;#tts[two]"))),
        (40001, with("prompts", json!("#tts[one; two]"))),
        (40001, with("prompts", json!("#sing[la]"))),
        (
            40001,
            with("prompts", json!(format!("#tts[{}]", "a".repeat(601)))),
        ),
        (40001, with("dtmf", json!("12*"))),
        (40001, with("custom", json!("x".repeat(1025)))),
        (40001, with("custom", json!({}))),
        (40001, with("cli", json!("4610000000x"))),
        (40002, with("destination", Value::Null)),
        (40001, with("destination", json!("+46701740605"))),
        (40002, with("destination", json!({"type": "number"}))),
        (40002, with("destination", json!({"endpoint": NUMBER}))),
        (
            40001,
            with("destination", json!({"type": "fax", "endpoint": NUMBER})),
        ),
        (40005, to("46701740605")),
        (40001, to("+4670174060x")),
        (40001, to("+123456")),
        (40001, to("+1234567890123456")),
        (40001, with("domain", json!("isdn"))),
        (40001, with("enableDice", json!("yes"))),
    ];
    assert_refused(&peer, &cases).await;
    let not_json = peer.signed(Method::POST, CALLOUTS, "{");
    assert_eq!(peer.send(not_json).await.code(), 40003);
}

#[tokio::test]
async fn every_documented_check_of_a_conference_or_svaml_refuses_with_its_code() {
    let peer = Peer::start(Options::default());
    let cases = [
        (40002, conference("conferenceId", Value::Null)),
        (40001, conference("conferenceId", json!("x".repeat(65)))),
        (40001, conference("mohClass", json!("polka"))),
        (40001, conference("maxDuration", json!(-1))),
        (40001, conference("maxDuration", json!("60s"))),
        (
            40001,
            conference("conferenceDtmfOptions", json!({"mode": "eat"})),
        ),
        (40001, custom(&json!({"ice": "{not json"}))),
        (
            40001,
            custom(&json!({"ice": {"action": {"name": "connectPstn"}}})),
        ),
        (40001, custom(&json!({"ice": "{\"instructions\":[]}"}))),
        (40001, ice(&json!({"action": {"name": "hangup"}}))),
        (40002, ice(&json!({"action": {"name": "connectPstn"}}))),
        (
            40001,
            ice(&json!({"action": {"name": "connectPstn", "number": "46701"}})),
        ),
        (40002, ice(&json!({"action": {"name": "connectSip"}}))),
    ];
    assert_refused(&peer, &cases).await;
}

#[tokio::test]
async fn every_callout_of_the_documents_is_accepted() {
    let peer = Peer::start(Options::default());
    let inline = json!({"action": {"name": "connectPSTN", "number": NUMBER, "dialTimeout": 30,
        "amd": {"enabled": true}}, "instructions": [{"name": "say", "text": "Hi"}]});
    let ace = json!({"action": {"name": "hangup"}, "instructions": []}).to_string();
    let cases = [
        with("text", json!("é".repeat(600))),
        with("cli", json!("private")),
        with("dtmf", json!("12w#")),
        with("custom", json!("x".repeat(1024))),
        with(
            "prompts",
            json!(
                "#tts[Hello];#href[https://example.org/a.mp3];welcome.wav;#ssml[<speak>x</speak>]"
            ),
        ),
        with(
            "destination",
            json!({"type": "Username", "endpoint": "anna"}),
        ),
        with("enabledice", json!(true)),
        with("enableAce", json!("true")),
        conference("maxDuration", json!(3600)),
        conference("maxDuration", json!("60")),
        conference(
            "conferenceDtmfOptions",
            json!({"mode": "detect", "maxDigits": 2}),
        ),
        custom(
            &json!({"cli": "+46100000000", "maxDuration": 60, "dtmf": "1",
            "destination": {"type": "number", "endpoint": NUMBER}}),
        ),
        custom(
            &json!({"cli": "+46100000000", "ice": "https://example.org/ice", "pie": "https://example.org/pie",
            "destination": {"type": "number", "endpoint": NUMBER}, "ace": ace}),
        ),
        ice(&inline),
    ];
    let count = cases.len();
    for body in cases {
        let got = peer.post(&body).await;
        assert_eq!(got.status, 200, "{body}: {}", got.text);
    }
    let ledger = peer.simulator.ledger();
    assert_eq!(ledger.len(), count);
    assert_eq!(ledger.last().unwrap().destination, NUMBER);
}

#[tokio::test]
async fn a_callout_without_cli_can_be_refused() {
    let peer = Peer::start(Options {
        cli_required: true,
        ..Options::default()
    });
    assert_refused(&peer, &[(40002, with("cli", Value::Null))]).await;
}

#[tokio::test]
async fn requests_outside_the_table_get_the_status_that_says_why() {
    let peer = Peer::start(Options::default());
    assert_eq!(peer.get("/").await.status, 404);
    assert_eq!(peer.get("/calling/v2/callouts").await.status, 404);
    let wrong_verb = peer.get(CALLOUTS).await;
    assert_eq!(wrong_verb.status, 405);
    assert_eq!(wrong_verb.headers["allow"], "POST");
    let unknown = peer.get_call("1ce0ffee-ca11-ca11-ca11-abcdef000003").await;
    assert_eq!((unknown.status, unknown.code()), (404, 40400));
    assert_eq!(unknown.json()["message"], "Call not found");
    assert!(unknown.json()["reference"].is_string());
    let text = peer
        .client
        .post(format!("{}{CALLOUTS}", peer.simulator.url()))
        .header("content-type", "text/plain")
        .basic_auth(KEY, Some(SECRET))
        .body(tts(NUMBER, "a1").to_string());
    assert_eq!(peer.send(text).await.status, 415);
    let large = with("greeting", json!("x".repeat(70_000)));
    assert_eq!(peer.post(&large).await.status, 413);
}

#[tokio::test]
async fn only_the_first_five_callback_headers_are_kept() {
    let peer = Peer::start(Options::default());
    let mut request = peer.signed(Method::POST, CALLOUTS, &tts(NUMBER, "a1").to_string());
    for nth in 0..7 {
        request = request.header(format!("X-CB-{nth}"), format!("v{nth}"));
    }
    assert_eq!(peer.send(request).await.status, 200);
    assert_eq!(peer.simulator.ledger()[0].headers.len(), 5);
}
