//! Conferences: who is in one, muted, on hold, and out of it again.

use std::time::Duration;

use callout::simulator::{Options, Shape};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{NUMBER, Peer, conference, steady};

const ROOM: &str = "/calling/v1/conferences/id/room";
const SECOND: &str = "+46701740606";
const NONE: &str = "No such ongoing conference 'room' in the application's context";

/// Two calls in a room: one is talking since 5 s, the other since 2 s.
async fn two(shape: Shape) -> (Peer, [String; 2]) {
    let peer = Peer::start(Options { shape, ..steady() });
    let id = async |number| {
        let accepted = peer.post(&conference(number, "a")).await.json();
        let (_, id) = accepted.as_object().unwrap().iter().next().unwrap();
        id.as_str().unwrap().to_owned()
    };
    let first = id(NUMBER).await;
    peer.advance(Duration::from_secs(3));
    let second = id(SECOND).await;
    peer.advance(Duration::from_secs(12));
    (peer, [first, second])
}

async fn participants(peer: &Peer) -> Value {
    let got = peer.get(ROOM).await;
    assert_eq!(got.status, 200, "{}", got.text);
    got.json()["participants"].clone()
}

#[tokio::test]
async fn a_conference_is_whoever_is_talking_in_it() {
    let peer = Peer::start(steady());
    let id = peer.post(&conference(NUMBER, "a1")).await.call_id();
    Peer::assert_refused(&peer.get(ROOM).await, 40400, NONE);
    peer.advance(Duration::from_secs(10));
    assert_eq!(
        participants(&peer).await,
        json!([{"cli": NUMBER, "id": id, "duration": 0, "muted": false, "onhold": false}])
    );
    assert_eq!(peer.against(), "");
    let got = peer.get("/calling/v1/conferences/id/other").await;
    assert_eq!((got.status, got.code()), (404, 40400));
    peer.advance(Duration::from_secs(30));
    Peer::assert_refused(&peer.get(ROOM).await, 40400, NONE);
}

#[tokio::test]
async fn a_conference_may_have_any_name() {
    let peer = Peer::start(steady());
    let mut body = conference(NUMBER, "a1");
    body["conferenceCallout"]["conferenceId"] = json!("room 7/ü");
    peer.post(&body).await;
    peer.advance(Duration::from_secs(10));
    let got = peer
        .get("/calling/v1/conferences/id/room%207%2F%C3%BC")
        .await;
    assert_eq!(got.status, 200, "{}", got.text);
}

#[tokio::test]
async fn participants_are_muted_and_put_on_hold_each_by_themselves() {
    let (peer, [first, second]) = two(Shape::New).await;
    let command = async |id: &str, body: Value| {
        let got = peer
            .ask(Method::PATCH, &format!("{ROOM}/{id}"), &body)
            .await;
        let told = r#"{"content":"Successful response"}"#;
        assert_eq!((got.status, got.text.as_str()), (200, told), "{body}");
        assert_eq!(peer.against(), "");
        let there = participants(&peer).await;
        let of = |nth: usize| {
            let flag = |name: &str| there[nth][name].as_bool().unwrap();
            (flag("muted"), flag("onhold"))
        };
        (of(0), of(1))
    };
    let (no, yes) = (false, true);
    let told = command(&first, json!({"command": "mute"})).await;
    assert_eq!(told, ((yes, no), (no, no)));
    let told = command(&second, json!({"command": "onhold", "moh": "music2"})).await;
    assert_eq!(told, ((yes, no), (no, yes)));
    let told = command(&first, json!({"command": "onhold"})).await;
    assert_eq!(told, ((yes, yes), (no, yes)));
    let told = command(&first, json!({"command": "unmute"})).await;
    assert_eq!(told, ((no, yes), (no, yes)));
    let told = command(&first, json!({"command": "resume"})).await;
    assert_eq!(told, ((no, no), (no, yes)));
    assert_eq!(peer.simulator.ledger()[0].managed, 4);
}

#[tokio::test]
async fn a_command_of_no_document_is_refused() {
    let (peer, [first, second]) = two(Shape::New).await;
    let path = format!("{ROOM}/{first}");
    for (code, body) in [
        (40001, json!({})),
        (40001, json!({"command": "shout"})),
        (40001, json!({"command": "Mute"})),
        (40001, json!({"command": 1})),
        (40001, json!({"command": "mute", "moh": "polka"})),
        (40001, json!({"command": "onhold", "moh": "polka"})),
        (40001, json!({"command": "onhold", "moh": 1})),
        (40003, json!("mute")),
    ] {
        let got = peer.ask(Method::PATCH, &path, &body).await;
        assert_eq!((got.status, got.code()), (400, code), "{body}");
    }
    let mute = json!({"command": "mute"});
    for path in [
        format!("{ROOM}/1ce0ffee-ca11-ca11-ca11-abcdef000003"),
        format!("{ROOM}/x"),
        format!("/calling/v1/conferences/id/other/{first}"),
    ] {
        for method in [Method::PATCH, Method::DELETE] {
            let got = peer.ask(method, &path, &mute).await;
            assert_eq!((got.status, got.code()), (404, 40400), "{path}");
        }
    }
    let there = participants(&peer).await;
    assert_eq!(
        (&there[0]["id"], &there[1]["id"]),
        (&json!(first), &json!(second))
    );
    assert_eq!(there[0]["muted"], false);
}

#[tokio::test]
async fn whoever_is_kicked_is_out_and_their_call_is_over() {
    let (peer, [first, second]) = two(Shape::New).await;
    let path = format!("{ROOM}/{first}");
    let got = peer.ask(Method::DELETE, &path, &Value::Null).await;
    let told = r#"{"content":"200 Successful response"}"#;
    assert_eq!((got.status, got.text.as_str()), (200, told));
    let there = participants(&peer).await;
    assert_eq!(there.as_array().unwrap().len(), 1);
    assert_eq!(there[0]["id"], json!(second));
    let call = peer.get_call(&first).await.json();
    let told = (&call["status"], &call["reason"], &call["duration"]);
    assert_eq!(told, (&json!("FINAL"), &json!("MANAGERHANGUP"), &json!(5)));
    assert!(call["debit"].is_object());
    assert_eq!(
        peer.ask(Method::DELETE, &path, &Value::Null).await.code(),
        40400
    );
    assert_eq!(peer.get_call(&second).await.json()["status"], "ONGOING");

    let got = peer.ask(Method::DELETE, ROOM, &Value::Null).await;
    assert_eq!((got.status, got.text.as_str()), (204, ""));
    assert_eq!(
        peer.get_call(&second).await.json()["reason"],
        "MANAGERHANGUP"
    );
    Peer::assert_refused(&peer.get(ROOM).await, 40400, NONE);
    let got = peer.ask(Method::DELETE, ROOM, &Value::Null).await;
    Peer::assert_refused(&got, 40400, NONE);
}

#[tokio::test]
async fn the_old_shape_does_not_know_hold_and_older_paths_are_taken() {
    let (peer, [first, _]) = two(Shape::Old).await;
    let told = participants(&peer).await[0].clone();
    let expected = json!({"cli": NUMBER, "id": first, "duration": 5, "muted": false});
    assert_eq!(told, expected);
    let older = "/v1/conferences/id/room";
    assert_eq!(peer.get(older).await.status, 200);
    assert_eq!(peer.against(), format!("the path is {ROOM}"));
    let path = format!("{older}/{first}");
    let mute = json!({"command": "mute"});
    assert_eq!(peer.ask(Method::PATCH, &path, &mute).await.status, 200);
    assert_eq!(participants(&peer).await[0]["muted"], true);
    assert_eq!(
        peer.ask(Method::DELETE, &path, &Value::Null).await.status,
        200
    );
    assert_eq!(
        peer.ask(Method::DELETE, older, &Value::Null).await.status,
        204
    );
}
