//! A call that is managed: hung up, recorded or talked to, and what is told and charged for it then.

use std::time::Duration;

use callout::simulator::{Options, Shape};
use reqwest::Method;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::harness::{NUMBER, Peer, conference, steady};

fn call_path(id: &str) -> String {
    format!("/calling/v1/calls/id/{id}")
}

fn hangup() -> Value {
    json!({"action": {"name": "hangup"}})
}

/// A callout that was posted and is talking since 5 s, out of 100.
async fn talking() -> (Peer, String) {
    let peer = Peer::start(Options {
        talk_s: 100..=100,
        ..steady()
    });
    let id = peer.post(&conference(NUMBER, "a1")).await.call_id();
    peer.advance(Duration::from_secs(15));
    (peer, id)
}

#[tokio::test]
async fn a_call_that_is_hung_up_is_final_at_once_and_costs_what_was_talked() {
    let (peer, id) = talking().await;
    assert_eq!(peer.simulator.ledger()[0].debit, Decimal::new(830, 4));
    let got = peer.ask(Method::PATCH, &call_path(&id), &hangup()).await;
    assert_eq!((got.status, got.text.as_str()), (204, ""));
    assert_eq!(peer.against(), "");
    for _ in 0..2 {
        let call = peer.get_call(&id).await.json();
        let told = (&call["status"], &call["result"], &call["reason"]);
        assert_eq!(
            told,
            (&json!("FINAL"), &json!("ANSWERED"), &json!("MANAGERHANGUP"))
        );
        assert_eq!(call["duration"], 5);
        assert_eq!(
            call["debit"],
            json!({"currencyId": "EUR", "amount": 0.0415})
        );
        peer.advance(Duration::from_secs(500));
    }
    let row = &peer.simulator.ledger()[0];
    assert_eq!(
        (row.result, row.reason, row.duration_s),
        ("ANSWERED", "MANAGERHANGUP", 5)
    );
    assert_eq!((row.debit, row.managed), (Decimal::new(415, 4), 1));
    let got = peer.ask(Method::PATCH, &call_path(&id), &hangup()).await;
    Peer::assert_refused(&got, 40400, "Call not found");
}

#[tokio::test]
async fn a_call_that_is_hung_up_while_it_rings_was_never_answered() {
    let peer = Peer::start(Options {
        credit: Some(Decimal::new(415, 4)),
        ..steady()
    });
    let id = peer.post(&conference(NUMBER, "a1")).await.call_id();
    assert_eq!(peer.post(&conference(NUMBER, "a2")).await.code(), 40200);
    peer.advance(Duration::from_secs(9));
    let got = peer.ask(Method::PATCH, &call_path(&id), &hangup()).await;
    assert_eq!(got.status, 204);
    let call = peer.get_call(&id).await.json();
    let told = (
        &call["status"],
        &call["result"],
        &call["reason"],
        &call["duration"],
    );
    let expected = (
        &json!("FINAL"),
        &json!("NOANSWER"),
        &json!("MANAGERHANGUP"),
        &json!(0),
    );
    assert_eq!(told, expected);
    assert_eq!(peer.simulator.ledger()[0].debit, Decimal::ZERO);
    // What it did not cost can be spent.
    assert_eq!(peer.post(&conference(NUMBER, "a2")).await.status, 200);
}

#[tokio::test]
async fn a_call_goes_on_while_things_are_said() {
    let (peer, id) = talking().await;
    let said = json!({"instructions": [
        {"name": "say", "text": "Hello", "locale": "en-US"},
        {"name": "playFiles", "ids": ["welcome"], "locale": "en-US"},
        {"name": "sendDtmf", "value": "1w#"}, {"name": "setCookie", "key": "a", "value": "b"},
        {"name": "answer"}, {"name": "reportCallStatus", "value": "success"},
    ], "action": {"name": "continue"}});
    for leg in ["", "/leg/caller", "/leg/callee", "/leg/both"] {
        let path = call_path(&id) + leg;
        let got = peer.ask(Method::PATCH, &path, &said).await;
        assert_eq!(got.status, if leg.is_empty() { 204 } else { 200 });
        assert_eq!(peer.against(), "");
    }
    for name in [
        "connectPstn",
        "connectMxp",
        "connectConf",
        "connectSip",
        "connectStream",
        "runMenu",
        "park",
    ] {
        let body = json!({"action": {"name": name}});
        assert_eq!(
            peer.ask(Method::PATCH, &call_path(&id), &body).await.status,
            204
        );
    }
    let call = peer.get_call(&id).await.json();
    assert_eq!(
        (&call["status"], &call["duration"]),
        (&json!("ONGOING"), &json!(5))
    );
    assert_eq!(peer.simulator.ledger()[0].managed, 11);
}

#[tokio::test]
async fn what_is_no_svaml_is_40003() {
    let (peer, id) = talking().await;
    let with =
        |instruction: Value| json!({"instructions": [instruction], "action": {"name": "hangup"}});
    for body in [
        json!([]),
        json!({}),
        json!({"action": null}),
        json!({"action": "hangup"}),
        json!({"action": {}}),
        json!({"action": {"name": 1}}),
        json!({"action": {"name": "explode"}}),
        json!({"action": {"name": "say", "text": "x"}}),
        json!({"action": {"name": "continue", "record": "yes"}}),
        json!({"action": {"name": "startRecording", "recordingOptions": []}}),
        json!({"instructions": []}),
        json!({"instructions": {}, "action": {"name": "hangup"}}),
        with(json!("say")),
        with(json!({"text": "x"})),
        with(json!({"name": "hangup"})),
        with(json!({"name": "say"})),
        with(json!({"name": "say", "text": "x".repeat(601)})),
        with(json!({"name": "say", "text": "x", "locale": 1})),
        with(json!({"name": "playFiles", "ids": []})),
        with(json!({"name": "playFiles", "ids": [1]})),
        with(json!({"name": "sendDtmf", "value": "A"})),
        with(json!({"name": "setCookie", "key": "a"})),
        with(json!({"name": "startRecording", "options": {"destinationUrl": 1}})),
        with(json!({"name": "startRecording", "options": {"notificationEvents": "yes"}})),
    ] {
        let got = peer.ask(Method::PATCH, &call_path(&id), &body).await;
        assert_eq!(
            (got.status, got.code()),
            (400, 40003),
            "{body}: {}",
            got.text
        );
        assert!(
            got.json()["message"]
                .as_str()
                .unwrap()
                .starts_with("Invalid request")
        );
    }
    for leg in ["nobody", "Caller"] {
        let path = format!("{}/leg/{leg}", call_path(&id));
        assert_eq!(
            peer.ask(Method::PATCH, &path, &hangup()).await.code(),
            40003
        );
    }
    let not_json = peer.signed(Method::PATCH, &call_path(&id), "{");
    assert_eq!(peer.send(not_json).await.code(), 40003);
    assert_eq!(peer.get_call(&id).await.json()["status"], "ONGOING");
    assert_eq!(peer.simulator.ledger()[0].managed, 0);
}

#[tokio::test]
async fn calls_that_cannot_be_managed_say_so() {
    let (peer, id) = talking().await;
    for unknown in ["1ce0ffee-ca11-ca11-ca11-abcdef000003", "x", "%ff"] {
        for leg in ["", "/leg/both"] {
            let path = call_path(unknown) + leg;
            let got = peer.ask(Method::PATCH, &path, &hangup()).await;
            Peer::assert_refused(&got, 40400, "Call not found");
        }
    }
    peer.advance(Duration::from_secs(96));
    let got = peer.ask(Method::PATCH, &call_path(&id), &hangup()).await;
    Peer::assert_refused(&got, 40400, "Call not found");
    let row = &peer.simulator.ledger()[0];
    assert_eq!((row.duration_s, row.managed), (100, 0));
    let mut user = conference("anna", "a2");
    user["conferenceCallout"]["destination"] = json!({"type": "username", "endpoint": "anna"});
    let id = peer.post(&user).await.call_id();
    assert_eq!(
        peer.ask(Method::PATCH, &call_path(&id), &hangup())
            .await
            .code(),
        40003
    );
}

#[tokio::test]
async fn older_forms_of_managing_are_taken_and_noted() {
    let (peer, id) = talking().await;
    let suggested = format!("the path is {}", call_path(&id));
    let go_on = json!({"action": {"name": "continue"}});
    for path in [
        format!("/calling/v1/call/id/{id}"),
        format!("/v1/call/id/{id}"),
        format!("/v1/calls/id/{id}"),
        format!("/calling/v1/calls/id/{id}/"),
    ] {
        assert_eq!(peer.ask(Method::PATCH, &path, &go_on).await.status, 204);
        assert_eq!(peer.against(), suggested);
    }
    for (body, against) in [
        (
            json!({"action": {"name": "Continue"}}),
            "`Continue` is spelled `continue`",
        ),
        (
            json!({"action": {"name": "startRecording", "recordingOptions": {"destination": "s3://b"}}}),
            "`startRecording` is an instruction; `recordingOptions` is spelled `options`; \
             `destination` is spelled `destinationUrl`",
        ),
        (
            json!({"action": {"name": "stopRecording"}}),
            "`stopRecording` is an instruction",
        ),
        (
            json!({"action": {"name": "continue", "record": true}}),
            "`continue` with `record`: recording is an instruction",
        ),
        (
            json!({"action": {"name": "continue"}, "instruction": []}),
            "`instruction` is in no document",
        ),
    ] {
        assert_eq!(
            peer.ask(Method::PATCH, &call_path(&id), &body).await.status,
            204,
            "{body}"
        );
        assert_eq!(peer.against(), against);
    }
}

#[tokio::test]
async fn the_old_shape_confirms_in_words() {
    let peer = Peer::start(Options {
        shape: Shape::Old,
        ..steady()
    });
    let accepted = peer.post(&conference(NUMBER, "a1")).await.json();
    let path = call_path(accepted["callid"].as_str().unwrap());
    let got = peer.ask(Method::PATCH, &path, &hangup()).await;
    assert_eq!(
        (got.status, got.text.as_str()),
        (200, "200 Successful response")
    );
    let got = peer.ask(Method::PATCH, &path, &hangup()).await;
    assert_eq!(
        (got.status, &got.json()["errorCode"]),
        (404, &json!("40400"))
    );
}
