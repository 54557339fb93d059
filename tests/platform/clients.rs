//! What the platform's own clients send, byte by byte, and what they need of an answer.
//!
//! The fixtures are requests as `@sinch/voice` 1.4.0 (Node) and `sinch` 1.1.4 (Python) sent them, each method of
//! theirs with its documented shapes: a line with the status that is due and what is noted against the
//! request, its head without the host, its body. `{call 2}` stands for the call that the second callout of
//! the file placed. Clients that are not at hand are written by hand, after their sources.

use std::time::Duration;

use callout::simulator::{Mix, Options};
use callout::sinch::auth::string_to_sign;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{CALLOUTS, KEY, NUMBER, Peer, SECRET, conference, credentials, steady, tts};

/// Everybody answers at once and talks long, and old signatures are believed.
fn patient() -> Options {
    Options {
        mix: Mix::ANSWERED,
        ring_s: 0..=0,
        talk_s: 600..=600,
        timestamp_tolerance: Duration::from_hours(24 * 3650),
        ..Options::default()
    }
}

/// One recorded request.
struct Recorded {
    status: u16,
    against: String,
    /// The verb and the target, encoded as it was sent.
    line: (String, String),
    headers: Vec<(String, String)>,
    body: String,
}

impl Recorded {
    fn all(file: &str) -> Vec<Self> {
        let blocks = file.split("### ").skip(1);
        blocks.map(Self::read).collect()
    }

    fn read(block: &str) -> Self {
        let (due, rest) = block.split_once('\n').unwrap();
        let (status, against) = due.split_once(' ').unwrap_or((due, ""));
        let (head, body) = rest.split_once("\n\n").unwrap_or((rest.trim_end(), ""));
        let mut lines = head.lines();
        let mut words = lines.next().unwrap().split(' ');
        let mut line = String::new();
        let verb = words.next().unwrap().to_owned();
        for word in words.take_while(|word| *word != "HTTP/1.1") {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        let headers = lines.map(|line| line.split_once(": ").unwrap());
        Self {
            status: status.parse().unwrap(),
            against: against.to_owned(),
            line: (verb, line),
            headers: headers.map(|(n, v)| (n.to_owned(), v.to_owned())).collect(),
            body: body.trim_end().to_owned(),
        }
    }

    fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(n, _)| n == name);
        &found.unwrap_or_else(|| panic!("no {name}")).1
    }

    /// The bytes, with the ids of the calls that were placed meanwhile. Where there is one, its signature is made
    /// anew, over the path as these clients sign it: before it is encoded.
    fn bytes(&self, calls: &[String]) -> Vec<u8> {
        let (verb, mut target) = self.line.clone();
        for (nth, id) in calls.iter().enumerate() {
            target = target.replace(&format!("{{call {}}}", nth + 1), id);
        }
        let signature = self.signature(&target);
        let recorded = self.header("Authorization");
        let authorization = format!("Application {KEY}:{signature}");
        if target == self.line.1 {
            assert_eq!(authorization, recorded, "{verb} {target}");
        }
        let mut bytes = format!("{verb} {target} HTTP/1.1\r\nHost: localhost\r\n");
        for (name, value) in &self.headers {
            let value = match name.as_str() {
                "Connection" => "close",
                "Authorization" => &authorization,
                _ => value,
            };
            bytes.extend([name.as_str(), ": ", value, "\r\n"]);
        }
        bytes.push_str("\r\n");
        bytes.push_str(&self.body);
        bytes.into_bytes()
    }

    fn signature(&self, target: &str) -> String {
        let path = target.replace("%20", " ").replace("%C3%A9", "é");
        let stamp = self.header("x-timestamp");
        let content_type = self.header("Content-Type");
        let text = string_to_sign(
            &self.line.0,
            self.body.as_bytes(),
            content_type,
            stamp,
            &path,
        );
        credentials().sign(&text).unwrap()
    }
}

/// Status, content type and body of an answer.
fn read_answer(bytes: Vec<u8>) -> (u16, String, String) {
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let kind = head
        .lines()
        .find_map(|line| line.strip_prefix("content-type: "));
    (status, kind.unwrap_or_default().to_owned(), body.to_owned())
}

/// Sends a client's story from its beginning to its end.
async fn replay(file: &str) -> Peer {
    let peer = Peer::start(patient());
    let mut calls = Vec::new();
    for recorded in Recorded::all(file) {
        let (verb, target) = &recorded.line;
        let what = format!("{verb} {target} {}", recorded.body);
        let bytes = recorded.bytes(&calls);
        let (status, kind, body) = read_answer(peer.raw(&bytes).await.unwrap());
        assert_eq!(status, recorded.status, "{what}: {body}");
        // Both clients throw on a body that is no JSON, whatever the status.
        if !body.is_empty() {
            assert!(kind.starts_with("application/json"), "{what}: {kind}");
            serde_json::from_str::<Value>(&body).unwrap();
        }
        let against = if target == CALLOUTS {
            let told: Value = serde_json::from_str(&body).unwrap();
            calls.push(told["callId"].as_str().unwrap().to_owned());
            peer.simulator.posts().pop().unwrap().against
        } else if verb == "GET" && target.contains("/calls/id/") {
            String::new()
        } else {
            peer.against()
        };
        assert_eq!(against, recorded.against, "{what}");
    }
    peer
}

#[tokio::test]
async fn every_method_of_the_node_client_is_answered() {
    let peer = replay(include_str!("../fixtures/clients/node.http")).await;
    let posts = peer.simulator.posts();
    let silent = posts.iter().filter(|post| !post.placed).count();
    assert_eq!((posts.len(), silent), (15, 3));
    assert_eq!(peer.simulator.ledger().len(), 12);
}

#[tokio::test]
async fn every_method_of_the_python_client_is_answered() {
    let peer = replay(include_str!("../fixtures/clients/python.http")).await;
    let posts = peer.simulator.posts();
    let silent = posts.iter().filter(|post| !post.placed).count();
    assert_eq!((posts.len(), silent), (9, 3));
}

/// A request as some client writes it, signed in its own way.
struct Written<'a> {
    scheme: &'a str,
    content_type: &'a str,
    stamp: &'a str,
    sent: &'a str,
    signed: &'a str,
}

impl Written<'_> {
    async fn ask(&self, peer: &Peer, verb: &str, body: &str) -> (u16, String, String) {
        let text = string_to_sign(
            verb,
            body.as_bytes(),
            self.content_type,
            self.stamp,
            self.signed,
        );
        let signature = credentials().sign(&text).unwrap();
        let length = body.len();
        let request = format!(
            "{verb} {} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: {}\r\n\
             authorization: {} {KEY}:{signature}\r\nx-timestamp: {}\r\n\
             content-length: {length}\r\n\r\n{body}",
            self.sent, self.content_type, self.scheme, self.stamp
        );
        read_answer(peer.raw(request.as_bytes()).await.unwrap())
    }
}

#[tokio::test]
async fn clients_of_other_languages_sign_in_their_own_ways() {
    let peer = Peer::start(patient());
    let mut joined = conference(NUMBER, "a1");
    joined["conferenceCallout"]["conferenceId"] = json!("room 7/é");
    let php = Written {
        scheme: "application",
        content_type: "application/json; charset=utf-8",
        stamp: "2026-11-21T07:00:00+02:00",
        sent: "/calling/v1/callouts/",
        signed: "/calling/v1/callouts/",
    };
    assert_eq!(php.ask(&peer, "POST", &joined.to_string()).await.0, 200);
    assert_eq!(
        peer.simulator.posts()[0].against,
        "`application` is spelled `Application`; the path is /calling/v1/callouts"
    );
    let sent = "/calling/v1/conferences/id/room%207%2F%C3%A9";
    let decoded = "/calling/v1/conferences/id/room 7/é";
    for (scheme, stamp, signed, against) in [
        // Java: Instant, and the decoded path.
        (
            "Application",
            "2026-11-21T05:00:00.123456Z",
            decoded,
            "the path is signed as it was before encoding",
        ),
        // .NET: seven digits, and the path as it is sent.
        (
            "application",
            "2026-11-21T05:00:00.1234567Z",
            sent,
            "`application` is spelled `Application`",
        ),
        // PHP's DATE_ISO8601.
        ("Application", "2026-11-21T07:00:00+0200", sent, ""),
    ] {
        let client = Written {
            scheme,
            content_type: "application/json",
            stamp,
            sent,
            signed,
        };
        let (status, _, body) = client.ask(&peer, "GET", "").await;
        assert_eq!(status, 200, "{stamp}: {body}");
        assert_eq!(peer.against(), against, "{stamp}");
    }
    // What was signed is another room's path.
    let other = Written {
        signed: "/calling/v1/conferences/id/room 8/é",
        sent,
        ..php
    };
    assert_eq!(other.ask(&peer, "GET", "").await.0, 401);
}

#[tokio::test]
async fn the_sample_of_the_overview_calls_with_basic_authorisation() {
    let peer = Peer::start(steady());
    let body = json!({"method": "ttsCallout", "ttsCallout": {
        "cli": "14155552223333", "destination": {"type": "number", "endpoint": "+14045555000"},
        "domain": "pstn", "custom": "customData", "locale": "en-US",
        "prompts": "This is a phone call from Sinch",
    }});
    let request = peer
        .client
        .post(format!("{}{CALLOUTS}/", peer.simulator.url()))
        .header("content-type", "application/json")
        .basic_auth(KEY, Some(SECRET))
        .body(body.to_string());
    let got = peer.send(request).await;
    assert_eq!(got.status, 200, "{}", got.text);
    assert_eq!(
        peer.simulator.posts()[0].against,
        "the path is /calling/v1/callouts; `cli` has no leading plus"
    );
    let call = peer.get_call(&got.call_id()).await.json();
    assert_eq!(call["from"]["endpoint"], "+14155552223333");
}

#[tokio::test]
async fn names_are_read_in_any_case_and_noted() {
    let peer = Peer::start(patient());
    let body = json!({"Method": "TTSCallout", "TTSCallout": {
        "CLI": "+46100000000", "Destination": {"Type": "Number", "Endpoint": NUMBER},
        "Text": "Hello.", "enabledice": true, "Custom": "a1",
    }});
    let got = peer.post(&body).await;
    assert_eq!(got.status, 200, "{}", got.text);
    let post = peer.simulator.posts().pop().unwrap();
    assert_eq!(post.attempt, "a1");
    assert_eq!(
        post.against,
        "`TTSCallout` is spelled `ttsCallout`; `Method` is spelled `method`; \
         `TTSCallout` is spelled `ttsCallout`; `CLI` is spelled `cli`; \
         `Destination` is spelled `destination`; `Text` is spelled `text`; \
         `enabledice` is spelled `enableDice`; `Custom` is spelled `custom`"
    );
    let id = peer.post(&conference(NUMBER, "a2")).await.call_id();
    let body = json!({
        "Instructions": [{"Name": "Say", "Text": "Bye"}], "Action": {"Name": "Hangup"},
    });
    let path = format!("/calling/v1/calls/id/{id}");
    assert_eq!(peer.ask(Method::PATCH, &path, &body).await.status, 204);
    assert!(peer.against().contains("`Action` is spelled `action`"));
    // It is said first.
    peer.advance(Duration::from_secs(1));
    assert_eq!(peer.get_call(&id).await.json()["reason"], "MANAGERHANGUP");
}

#[tokio::test]
async fn the_documents_samples_of_svaml_without_action_are_taken() {
    let peer = Peer::start(patient());
    let id = peer.post(&conference(NUMBER, "a1")).await.call_id();
    for instruction in [
        json!({"name": "playFiles", "ids": ["#tts[Welcome]"], "locale": "en-US"}),
        json!({"name": "say", "text": "Hello, this is a text-to-speech message.", "locale": "en-US"}),
        json!({"name": "sendDtmf", "value": "1234#"}),
        json!({"name": "setCookie", "key": "cookie_name", "value": "cookie_value"}),
        json!({"name": "answer"}),
        json!({"name": "startRecording", "options": {"destinationUrl": "s3://b", "format": "mp3"}}),
        json!({"name": "stopRecording"}),
    ] {
        for (action, leg, status, told) in [
            (json!({}), "", 204, ""),
            (
                json!({"action": null}),
                "/leg/both",
                200,
                r#"{"content":"200 Successful response"}"#,
            ),
        ] {
            let mut body = action;
            body["instructions"] = json!([instruction]);
            let path = format!("/calling/v1/calls/id/{id}{leg}");
            let got = peer.ask(Method::PATCH, &path, &body).await;
            assert_eq!((got.status, got.text.as_str()), (status, told), "{body}");
            assert_eq!(peer.against(), "there is no action");
        }
    }
}

#[tokio::test]
async fn a_callout_that_reaches_nobody_is_taken_and_rings_no_phone() {
    let peer = Peer::start(patient());
    let mut no_cli = tts(NUMBER, "a1");
    no_cli["ttsCallout"].as_object_mut().unwrap().remove("cli");
    let custom = |fields: Value| json!({"method": "customCallout", "customCallout": fields});
    for (body, to) in [
        (no_cli, json!({"type": "Number", "endpoint": NUMBER})),
        (custom(json!({"custom": "a2"})), Value::Null),
        (
            custom(json!({"ice": "https://example.org/ice", "custom": "a3"})),
            Value::Null,
        ),
        (
            custom(json!({"destination": {"type": "number", "endpoint": NUMBER}, "custom": "a4"})),
            json!({"type": "Number", "endpoint": NUMBER}),
        ),
    ] {
        let got = peer.post(&body).await;
        assert_eq!(got.status, 200, "{body}: {}", got.text);
        let call = peer.get_call(&got.call_id()).await.json();
        let told = (&call["status"], &call["result"], &call["reason"]);
        let failed = (&json!("FINAL"), &json!("FAILED"), &json!("GENERALERROR"));
        assert_eq!(told, failed, "{body}");
        assert_eq!((&call["to"], &call["duration"]), (&to, &json!(0)), "{body}");
        assert_eq!(call["debit"]["amount"], json!(0), "{body}");
    }
    assert!(peer.simulator.ledger().is_empty());
    assert!(peer.simulator.posts().iter().all(|post| !post.placed));
    // An ICE URL is supposed to connect to the destination that stands beside it.
    let beside = json!({"ice": "https://example.org/ice", "custom": "a5",
        "destination": {"type": "number", "endpoint": NUMBER}});
    assert_eq!(peer.post(&custom(beside)).await.status, 200);
    assert_eq!(peer.simulator.ledger().len(), 1);
}
