//! Whatever comes in over the socket, the simulator goes on.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use callout::simulator::{Options, Shape};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::harness::{CALLOUTS, KEY, NUMBER, Peer, SECRET, tts};

static PANICS: AtomicUsize = AtomicUsize::new(0);

/// A panic in a connection's task would go unnoticed; this notices. The tasks of a test run on the
/// test's own thread, so another test's failure does not count here.
fn watch_for_panics() {
    let before = std::panic::take_hook();
    let ours = std::thread::current().id();
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().id() == ours {
            PANICS.fetch_add(1, Ordering::SeqCst);
        }
        before(info);
    }));
}

/// Sends bytes, says that no more will come, and reads whatever is answered.
async fn throw(peer: &Peer, bytes: &[u8]) {
    let mut stream = peer.connect().await;
    // Either may fail once the simulator has had enough.
    drop(stream.write_all(bytes).await);
    drop(stream.shutdown().await);
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await;
    assert!(
        read.is_ok(),
        "the connection stayed open after {:?}",
        &bytes[..bytes.len().min(80)]
    );
}

#[tokio::test]
async fn hostile_bytes_never_bring_it_down() {
    watch_for_panics();
    let peer = Peer::start(Options::default());
    let request = |head: &str, body: &str| format!("{head}\r\n\r\n{body}").into_bytes();
    let fixed = [
        Vec::new(),
        b"\r\n\r\n\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        vec![0; 100_000],
        b"GET / HTTP/1.1\r\nhost: x\r\nx: "
            .iter()
            .copied()
            .chain(vec![b'a'; 200_000])
            .collect(),
        request("GET /\u{e9} HTTP/1.1\r\nhost: x", ""),
        request("GET /%ff%00/../../etc/passwd HTTP/1.1\r\nhost: x", ""),
        request("OPTIONS * HTTP/1.1\r\nhost: x", ""),
        request("CONNECT x:80 HTTP/1.1\r\nhost: x", ""),
        request(
            &format!("POST {CALLOUTS} HTTP/1.1\r\nhost: x\r\ncontent-length: 99"),
            "{",
        ),
        request(
            &format!("POST {CALLOUTS} HTTP/1.1\r\nhost: x\r\ncontent-length: -1"),
            "{",
        ),
        request(
            &format!("POST {CALLOUTS} HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999"),
            "{",
        ),
        request(
            &format!(
                "POST {CALLOUTS} HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ntransfer-encoding: chunked"
            ),
            "{}",
        ),
        request(
            &format!("POST {CALLOUTS} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked"),
            "fffffffff\r\nx",
        ),
        request(
            &format!("POST {CALLOUTS} HTTP/1.1\r\nhost: x\r\nauthorization: Application :"),
            "",
        ),
        request(
            &format!("GET {CALLOUTS} HTTP/1.1\r\nhost: x\r\nexpect: 100-continue"),
            "",
        ),
    ];
    for bytes in fixed {
        throw(&peer, &bytes).await;
    }
    let mut rng = StdRng::seed_from_u64(1);
    let valid = peer.raw_post(&tts(NUMBER, "a1"));
    for _ in 0..150 {
        let mut bytes = valid.clone();
        for _ in 0..rng.random_range(1..6) {
            let at = rng.random_range(0..bytes.len());
            bytes[at] = rng.random();
        }
        bytes.truncate(rng.random_range(0..=bytes.len()));
        throw(&peer, &bytes).await;
    }
    assert_eq!(peer.post(&tts(NUMBER, "last")).await.status, 200);
    assert_eq!(PANICS.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn hostile_bodies_are_refused_in_the_apis_own_words() {
    let peer = Peer::start(Options::default());
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let nested = json!({"method": "customCallout", "customCallout": {"ice": deep}}).to_string();
    for body in [
        "",
        "null",
        "\"x\"",
        "1e999",
        "[",
        &deep,
        &nested,
        "{\"method\":\"ttsCallout\",\"ttsCallout\":null}",
        "{\"method\":\"method\",\"custom\":\"x\"}",
        "{\"method\":\"ttsCallout\",\"ttsCallout\":{\"custom\":\"\\u0000\"}}",
    ] {
        let request = peer
            .client
            .post(format!("{}{CALLOUTS}", peer.simulator.url()))
            .header("content-type", "application/json")
            .basic_auth(KEY, Some(SECRET))
            .body(body.to_owned());
        let got = peer.send(request).await;
        assert_eq!(got.status, 400, "{body:.60}");
        assert!((40001..=40005).contains(&got.code()));
    }
    assert!(peer.simulator.ledger().is_empty());
}

#[tokio::test]
async fn hostile_requests_around_callouts_never_bring_it_down() {
    watch_for_panics();
    let peer = Peer::start(Options {
        shape: Shape::Mixed,
        ..Options::default()
    });
    let deep = format!("{{\"url\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let bodies = [
        "",
        "null",
        "{}",
        "1e999",
        &deep,
        r#"{"action":{"name":"\u0000"},"instructions":[[]]}"#,
        r#"{"action":{"name":"hangup"},"instructions":[{"name":"playFiles","ids":{}}]}"#,
        r#"{"numbers":["\u0000"],"number":"","applicationkey":{},"applicationKey":[]}"#,
        r#"{"command":{},"moh":[]}"#,
        r#"{"url":[[]]}"#,
    ];
    let names = [
        "%",
        "%00",
        "%ff%fe",
        "%2F..%2F",
        "+(0)(0)",
        ",",
        "\u{e9}",
        "-",
        "x?page=%&from=%00&to=&&=",
    ];
    let paths = [
        "/calling/v1/calls/id/",
        "/calling/v1/calls/id/x/leg/",
        "/calling/v1/conferences/id/",
        "/calling/v1/conferences/id/x/",
        "/calling/v1/recording/",
        "/calling/v1/recording?page=",
        "/v1/configuration/numbers?",
        "/v1/configuration/callbacks/applications/",
        "/v1/calling/query/number/",
    ];
    let long = "9".repeat(8_000);
    let mut rng = StdRng::seed_from_u64(2);
    for path in paths {
        for name in names.into_iter().chain([long.as_str()]) {
            for method in ["GET", "POST", "PATCH", "DELETE"] {
                let body = bodies[rng.random_range(0..bodies.len())];
                let request = peer
                    .client
                    .request(
                        method.parse().unwrap(),
                        format!("{}{path}{name}", peer.simulator.url()),
                    )
                    .header("content-type", "application/json")
                    .basic_auth(KEY, Some(SECRET))
                    .body(body.to_owned());
                let got = peer.send(request).await;
                assert!(
                    [200, 204, 400, 404, 405].contains(&got.status),
                    "{method} {path}{name} {body:.60}: {}",
                    got.status
                );
            }
        }
    }
    assert!(peer.simulator.requests_csv().len() > 10_000);
    assert_eq!(PANICS.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn requests_on_one_connection_are_answered_in_their_order() {
    let peer = Peer::start(Options::default());
    let mut raw = peer.raw_post(&tts(NUMBER, "a1"));
    raw.extend(peer.raw_post(&tts(NUMBER, "a2")));
    raw.extend(b"GET /nowhere HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    let answer = String::from_utf8(peer.raw(&raw).await.unwrap()).unwrap();
    // A body ends without a line break, so the next answer follows on its line.
    let statuses: Vec<&str> = answer
        .split("HTTP/1.1 ")
        .skip(1)
        .map(|rest| &rest[..3])
        .collect();
    assert_eq!(statuses, ["200", "200", "404"]);
}

#[tokio::test]
async fn its_own_pages_answer_to_a_name_of_this_machine_alone() {
    let peer = Peer::start(Options::default());
    let status = async |host: &str, path: &str| {
        let mut stream = peer.connect().await;
        let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer.split(' ').nth(1).unwrap().to_owned()
    };
    for page in [
        "/simulator/ledger",
        "/simulator/posts",
        "/simulator/requests",
    ] {
        for host in [
            "localhost:8080",
            "LOCALHOST",
            "127.0.0.1:1",
            "127.1.2.3",
            "[::1]:80",
        ] {
            assert_eq!(status(host, page).await, "200", "{host}");
        }
        for host in [
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost.evil.example:80",
            "10.0.0.1",
            "[::2]",
        ] {
            assert_eq!(status(host, page).await, "403", "{host}");
        }
    }
    // The API itself is asked by whatever name a client knows it.
    assert_eq!(
        status("calling.api.sinch.com", "/calling/v1/calls/id/x").await,
        "401"
    );
}
