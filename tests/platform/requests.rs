//! What all methods around callouts share: authorisation, verbs, shapes, outages, and the record.

use std::collections::BTreeSet;

use callout::simulator::{Options, Shape};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{CALLOUTS, KEY, NUMBER, Peer, SECRET, conference, steady, tts};

const CALL: &str = "/calling/v1/calls/id/1ce0ffee-ca11-ca11-ca11-abcdef000003";

/// Every method around callouts: verb, path, a body that it takes, and the verbs of its path.
fn every() -> Vec<(Method, String, Value, &'static str)> {
    let hangup = json!({"action": {"name": "hangup"}});
    let urls = json!({"url": {"primary": "https://example.org/"}});
    let callbacks = format!("/v1/configuration/callbacks/applications/{KEY}");
    let numbers = "/v1/configuration/numbers".to_owned();
    let room = "/calling/v1/conferences/id/room".to_owned();
    let recording = "/calling/v1/recording".to_owned();
    vec![
        (
            Method::GET,
            numbers.clone(),
            Value::Null,
            "GET, POST, DELETE",
        ),
        (
            Method::POST,
            numbers.clone(),
            json!({"numbers": ["+46100000001"]}),
            "GET, POST, DELETE",
        ),
        (
            Method::DELETE,
            numbers,
            json!({"number": "+46100000001"}),
            "GET, POST, DELETE",
        ),
        (Method::GET, callbacks.clone(), Value::Null, "GET, POST"),
        (Method::POST, callbacks, urls, "GET, POST"),
        (
            Method::GET,
            "/v1/calling/query/number/+46730170101".to_owned(),
            Value::Null,
            "GET",
        ),
        (Method::PATCH, CALL.to_owned(), hangup.clone(), "GET, PATCH"),
        (Method::PATCH, format!("{CALL}/leg/both"), hangup, "PATCH"),
        (Method::GET, room.clone(), Value::Null, "GET, DELETE"),
        (Method::DELETE, room.clone(), Value::Null, "GET, DELETE"),
        (
            Method::PATCH,
            format!("{room}/x"),
            json!({"command": "mute"}),
            "PATCH, DELETE",
        ),
        (
            Method::DELETE,
            format!("{room}/x"),
            Value::Null,
            "PATCH, DELETE",
        ),
        (Method::GET, recording.clone(), Value::Null, "GET"),
        (
            Method::GET,
            format!("{recording}/x"),
            Value::Null,
            "GET, DELETE",
        ),
        (
            Method::DELETE,
            format!("{recording}/x"),
            Value::Null,
            "GET, DELETE",
        ),
    ]
}

#[tokio::test]
async fn every_method_demands_authorisation_and_takes_both_schemes() {
    let peer = Peer::start(Options::default());
    for (method, path, body, _) in every() {
        let url = format!("{}{path}", peer.simulator.url());
        let bare = || {
            let request = peer.client.request(method.clone(), &url);
            let body = if body.is_null() {
                String::new()
            } else {
                body.to_string()
            };
            request
                .header("content-type", "application/json")
                .body(body)
        };
        let got = peer.send(bare()).await;
        assert_eq!((got.status, got.code()), (401, 40100), "{method} {path}");
        let got = peer.send(bare().basic_auth(KEY, Some("wrong"))).await;
        assert_eq!((got.status, got.code()), (401, 40108), "{method} {path}");
        let got = peer.send(bare().header("authorization", "Bearer x")).await;
        assert_eq!((got.status, got.code()), (403, 40301), "{method} {path}");
        // A signature over another path.
        let (client, built) = peer
            .signed(method.clone(), &path, &body.to_string())
            .build_split();
        let mut built = built.unwrap();
        built.url_mut().set_path(&format!("{path}/"));
        let got = peer
            .send(reqwest::RequestBuilder::from_parts(client, built))
            .await;
        assert_eq!((got.status, got.code()), (401, 40102), "{method} {path}");

        let signed = peer.ask(method.clone(), &path, &body).await;
        assert_eq!(peer.against(), "", "{method} {path}");
        assert!([200, 204, 404].contains(&signed.status), "{method} {path}");
    }
    // Nothing was done for those without: by basic authorisation it all works, too.
    for (method, path, body, _) in every() {
        let request = peer
            .client
            .request(method.clone(), format!("{}{path}", peer.simulator.url()))
            .basic_auth(KEY, Some(SECRET))
            .header("content-type", "application/json; charset=utf-8")
            .body(body.to_string());
        let got = peer.send(request).await;
        assert!(
            [200, 204, 404].contains(&got.status),
            "{method} {path}: {}",
            got.text
        );
        assert_eq!(peer.against(), "", "{method} {path}");
    }
}

#[tokio::test]
async fn other_verbs_are_405_with_every_verb_that_is_there() {
    let peer = Peer::start(Options::default());
    for (_, path, _, allowed) in every() {
        for verb in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            if allowed.split(", ").any(|there| there == verb) {
                continue;
            }
            let got = peer.ask(verb.parse().unwrap(), &path, &json!({})).await;
            assert_eq!(got.status, 405, "{verb} {path}");
            assert_eq!(got.headers["allow"], allowed, "{verb} {path}");
            assert_eq!(peer.against(), format!("the path is for {allowed}"));
        }
    }
}

#[tokio::test]
async fn a_body_that_is_no_json_or_too_large_is_refused() {
    let peer = Peer::start(Options::default());
    for (method, path, body, _) in every()
        .into_iter()
        .filter(|(_, _, body, _)| !body.is_null())
    {
        let url = format!("{}{path}", peer.simulator.url());
        let request = peer.client.request(method.clone(), url);
        let request = request.basic_auth(KEY, Some(SECRET));
        let plain = request
            .header("content-type", "text/plain")
            .body(body.to_string());
        assert_eq!(peer.send(plain).await.status, 415, "{method} {path}");
        let large = json!("x".repeat(70_000));
        assert_eq!(peer.ask(method.clone(), &path, &large).await.status, 413);
        for broken in ["", "{", "[]", "null"] {
            let got = peer.send(peer.signed(method.clone(), &path, broken)).await;
            assert_eq!(
                (got.status, got.code()),
                (400, 40003),
                "{method} {path} {broken}"
            );
        }
    }
}

#[tokio::test]
async fn every_method_fails_as_documented_when_the_platform_does() {
    let peer = Peer::start(Options {
        other_server_error: 1.0,
        ..Options::default()
    });
    for (method, path, body, _) in every() {
        let documented = match (
            &method,
            path.contains("/callbacks/"),
            path.ends_with("/numbers"),
        ) {
            (&Method::GET, true, _) => "Unable to get configuration",
            (_, true, _) => "Unable to update configuration",
            (&Method::POST | &Method::DELETE, _, true) => "Unable to update number",
            _ => "Internal error",
        };
        let mut messages = BTreeSet::new();
        for _ in 0..20 {
            let got = peer.ask(method.clone(), &path, &body).await;
            assert!((500..=504).contains(&got.status));
            let told: Value = serde_json::from_str(&got.text).unwrap_or_default();
            if told["errorCode"] == 50000 {
                messages.insert(told["message"].as_str().unwrap().to_owned());
            }
        }
        assert!(
            messages.contains(documented),
            "{method} {path}: {messages:?}"
        );
    }
    assert_eq!(peer.post(&tts(NUMBER, "a1")).await.status, 200);
    let share = Options {
        other_server_error: 1.5,
        ..Options::default()
    };
    assert!(share.check().is_err());
}

/// How a 404 of a recording is told.
fn error_form(told: &Value) -> &'static str {
    let inner = &told["response"]["error"];
    match () {
        () if told["errorCode"] == 40400 => "a number",
        () if told["errorCode"] == "40400" => "a text",
        () if inner["errorCode"] == 40400 => "wrapped",
        () if inner["code"] == 40400 => "wrapped code",
        () => "nothing",
    }
}

#[tokio::test]
async fn the_mixed_shape_shows_every_deviation() {
    let peer = Peer::start(Options {
        shape: Shape::Mixed,
        talk_s: 3000..=3000,
        ..steady()
    });
    let mut seen = BTreeSet::new();
    let mut see = |what: &str| {
        seen.insert(what.to_owned());
    };
    peer.post(&conference(NUMBER, "a1")).await;
    peer.advance(std::time::Duration::from_secs(10));
    let callbacks = format!("/v1/configuration/callbacks/applications/{KEY}");
    let urls = json!({"url": {"primary": "https://example.org/"}});
    for _ in 0..40 {
        let told = peer
            .get("/v1/calling/query/number/+46730170101")
            .await
            .json();
        let key = if told["number"].is_object() {
            "number"
        } else {
            "numberItem"
        };
        see(key);
        for spelling in ["normalizedNumber", "normalizednumber"] {
            if told[key][spelling] == "+46730170101" {
                see(spelling);
            }
        }
        let told = peer.get("/v1/configuration/numbers").await.json();
        for spelling in ["applicationkey", "applicationKey"] {
            if told["numbers"][0][spelling] == KEY {
                see(spelling);
            }
        }
        see(&format!(
            "done {}",
            peer.ask(Method::POST, &callbacks, &urls).await.status
        ));
        let told = peer.get(&callbacks).await.json();
        see(if told["url"].is_array() {
            "list"
        } else {
            "object"
        });
        let told =
            peer.get("/calling/v1/conferences/id/room").await.json()["participants"][0].clone();
        see(if told["id"].is_string() {
            "id"
        } else {
            "callId"
        });
        see(if told["onhold"].is_boolean() {
            "hold"
        } else {
            "no hold"
        });
        let told = peer.get("/calling/v1/recording").await.json()[0]["createdOn"].clone();
        see(if told.as_str().unwrap().ends_with('Z') {
            "zone"
        } else {
            "no zone"
        });
        see(error_form(
            &peer.get("/calling/v1/recording/x").await.json(),
        ));
    }
    let seen: Vec<_> = seen.iter().map(String::as_str).collect();
    let expected = "a number, a text, applicationKey, applicationkey, callId, done 200, done 204, \
                    hold, id, list, no hold, no zone, normalizedNumber, normalizednumber, number, \
                    numberItem, object, wrapped, wrapped code, zone";
    assert_eq!(seen.join(", "), expected);
}

#[tokio::test]
async fn every_request_is_written_down_but_callouts_and_their_polls() {
    let peer = Peer::start(Options::default());
    let url = format!("{}/simulator/requests", peer.simulator.url());
    let page = async || {
        peer.client
            .get(&url)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
    };
    let header = "arrived_us,verb,path,query,status,against\n";
    assert_eq!(page().await, header);
    let id = peer.post(&tts(NUMBER, "a1")).await.call_id();
    peer.get_call(&id).await;
    peer.get(CALLOUTS).await;
    peer.advance(std::time::Duration::from_micros(1500));
    peer.get("/calling/v1/recording?page=1&pageSize=2").await;
    peer.get("/v1/configuration/numbers/").await;
    peer.get("/nowhere,\"x\"").await;
    let request = peer.signed(Method::GET, "/v1/configuration/numbers", "");
    let (client, built) = request.build_split();
    let mut built = built.unwrap();
    let sent = built.headers()["authorization"]
        .to_str()
        .unwrap()
        .to_owned();
    let lower = sent.replace("Application", "application");
    built
        .headers_mut()
        .insert("authorization", lower.parse().unwrap());
    let got = peer
        .send(reqwest::RequestBuilder::from_parts(client, built))
        .await;
    assert_eq!(got.status, 200);
    let lines = [
        "0,GET,/calling/v1/callouts,,405,the path is for POST",
        "1500,GET,/calling/v1/recording,page=1&pageSize=2,200,",
        "1500,GET,/v1/configuration/numbers/,,200,the path is /v1/configuration/numbers",
        "1500,GET,\"/nowhere,%22x%22\",,404,the path is in no document",
        "1500,GET,/v1/configuration/numbers,,200,`application` is spelled `Application`",
    ];
    assert_eq!(page().await, format!("{header}{}\n", lines.join("\n")));
    assert_eq!(page().await, peer.simulator.requests_csv());
    assert_eq!(peer.simulator.posts().len(), 1);
}

#[tokio::test]
async fn older_paths_of_callouts_and_their_results_are_answered() {
    let peer = Peer::start(steady());
    let body = tts(NUMBER, "a1");
    for path in ["/v1/callouts", "/v1/callouts/", "/calling/v1/callouts/"] {
        let id = peer.ask(Method::POST, path, &body).await.call_id();
        for path in [
            format!("/v1/calls/id/{id}"),
            format!("/v1/call/id/{id}"),
            format!("/calling/v1/call/id/{id}/"),
        ] {
            assert_eq!(peer.get(&path).await.json()["callId"], json!(id));
        }
    }
    assert_eq!(peer.simulator.ledger()[2].gets, 3);
}
