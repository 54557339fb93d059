//! Recordings: made, listed by page and time, downloaded as the sound that they are, deleted.

use std::time::Duration;

use callout::simulator::Options;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{NUMBER, Peer, conference, steady};

const RECORDINGS: &str = "/calling/v1/recording";

async fn listed(peer: &Peer, query: &str) -> Vec<Value> {
    let got = peer.get(&format!("{RECORDINGS}{query}")).await;
    assert_eq!(got.status, 200, "{}", got.text);
    got.json().as_array().unwrap().clone()
}

/// The bytes of a download, and what was said of them.
async fn download(peer: &Peer, key: &str) -> (u16, String, Vec<u8>) {
    let request = peer.signed(Method::GET, &format!("{RECORDINGS}/{key}"), "");
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let kind = response.headers()["content-type"]
        .to_str()
        .unwrap()
        .to_owned();
    let length = response.content_length();
    let bytes = response.bytes().await.unwrap().to_vec();
    assert_eq!(length, u64::try_from(bytes.len()).ok());
    (status, kind, bytes)
}

fn without_stored() -> Options {
    Options {
        recordings: 0,
        talk_s: 100..=100,
        ..steady()
    }
}

fn start() -> Value {
    let options = json!({"destinationUrl": "s3://bucket", "credentials": "a:secret:b",
        "format": "mp3", "notificationEvents": true});
    json!({"instructions": [{"name": "startRecording", "options": options}],
        "action": {"name": "continue"}})
}

fn stop() -> Value {
    json!({"instructions": [{"name": "stopRecording"}], "action": {"name": "continue"}})
}

#[tokio::test]
async fn a_recording_is_made_listed_downloaded_and_deleted() {
    let peer = Peer::start(without_stored());
    let id = peer.post(&conference(NUMBER, "a1")).await.call_id();
    let path = format!("/calling/v1/calls/id/{id}");
    peer.advance(Duration::from_secs(15));
    assert_eq!(peer.ask(Method::PATCH, &path, &start()).await.status, 204);
    assert_eq!(peer.against(), "");
    peer.advance(Duration::from_secs(4));
    // While it runs there is nothing, and a second start does not make a second one.
    assert_eq!(peer.ask(Method::PATCH, &path, &start()).await.status, 204);
    peer.advance(Duration::from_secs(3));
    assert!(listed(&peer, "").await.is_empty());
    assert_eq!(peer.ask(Method::PATCH, &path, &stop()).await.status, 204);
    let list = listed(&peer, "").await;
    let [item] = list.as_slice() else {
        panic!("{list:?}");
    };
    let key = item["key"].as_str().unwrap();
    let url = format!("{}{RECORDINGS}/{key}", peer.simulator.url());
    assert_eq!(
        *item,
        json!({"key": key, "url": url, "createdOn": "2026-11-21T05:00:22Z",
            "expiresOn": "2026-12-21T05:00:22Z",
            "headers": {"callId": id, "destinationUrl": "s3://bucket"}})
    );
    let (status, kind, sound) = download(&peer, key).await;
    assert_eq!((status, kind.as_str()), (200, "audio/wav"));
    assert_eq!(
        (&sound[..4], sound.len()),
        (b"RIFF".as_slice(), 44 + 7 * 1000)
    );
    assert_eq!(download(&peer, key).await.2, sound);

    let path = format!("{RECORDINGS}/{key}");
    let got = peer.ask(Method::DELETE, &path, &Value::Null).await;
    assert_eq!((got.status, got.text.as_str()), (204, ""));
    assert!(listed(&peer, "").await.is_empty());
    for method in [Method::GET, Method::DELETE] {
        let got = peer.ask(method, &path, &Value::Null).await;
        Peer::assert_refused(&got, 40400, "Recording not found");
    }
}

#[tokio::test]
async fn a_recording_ends_with_its_call_and_holds_what_was_talked() {
    let peer = Peer::start(without_stored());
    let mut paths = Vec::new();
    for nth in 0..3 {
        let accepted = peer
            .post(&conference(&format!("+4670174060{nth}"), "a"))
            .await;
        paths.push(format!("/calling/v1/calls/id/{}", accepted.call_id()));
    }
    // As an action, as in seeds 000 and 001, while it rings: what is recorded begins with the talk.
    let action = json!({"action": {"name": "startRecording", "recordingOptions": {}}});
    for path in &paths {
        assert_eq!(peer.ask(Method::PATCH, path, &action).await.status, 204);
    }
    let hangup = json!({"action": {"name": "hangup"}});
    assert_eq!(
        peer.ask(Method::PATCH, &paths[0], &hangup).await.status,
        204
    );
    peer.advance(Duration::from_secs(30));
    assert_eq!(
        peer.ask(Method::PATCH, &paths[1], &hangup).await.status,
        204
    );
    peer.advance(Duration::from_secs(79));
    assert_eq!(listed(&peer, "").await.len(), 1);
    peer.advance(Duration::from_secs(1));
    let list = listed(&peer, "").await;
    let mut lengths = Vec::new();
    for item in &list {
        lengths.push(download(&peer, item["key"].as_str().unwrap()).await.2.len());
    }
    // The first was never answered; the second talked 20 s, the third all of its time.
    assert_eq!(lengths, [44 + 20_000, 44 + 100_000]);
    assert_eq!(list[1]["createdOn"], "2026-11-21T05:01:50Z");
    peer.advance(Duration::from_hours(30 * 24));
    assert!(listed(&peer, "").await.is_empty(), "they expire");
}

#[tokio::test]
async fn ringing_is_not_recorded_and_a_call_can_be_recorded_twice() {
    let peer = Peer::start(without_stored());
    let id = peer.post(&conference(NUMBER, "a1")).await.call_id();
    let path = format!("/calling/v1/calls/id/{id}");
    for _ in 0..2 {
        assert_eq!(peer.ask(Method::PATCH, &path, &start()).await.status, 204);
        peer.advance(Duration::from_secs(15));
        assert_eq!(peer.ask(Method::PATCH, &path, &stop()).await.status, 204);
    }
    let list = listed(&peer, "").await;
    assert_ne!(list[0]["key"], list[1]["key"]);
    let mut lengths = Vec::new();
    for item in &list {
        lengths.push(download(&peer, item["key"].as_str().unwrap()).await.2.len());
    }
    assert_eq!(lengths, [44 + 5000, 44 + 15_000]);
}

#[tokio::test]
async fn some_recordings_are_there_from_the_start() {
    let peer = Peer::start(Options::default());
    let list = listed(&peer, "").await;
    assert_eq!(list.len(), 3);
    assert_eq!(list[2]["createdOn"], "2026-11-21T04:00:00Z");
    let mut sounds = Vec::new();
    for item in &list {
        let (status, _, sound) = download(&peer, item["key"].as_str().unwrap()).await;
        assert_eq!(status, 200);
        sounds.push(sound);
    }
    sounds.dedup();
    assert_eq!(sounds.len(), 3);
    let again = Peer::start(Options::default());
    let keys = |list: &[Value]| list.iter().map(|i| i["key"].clone()).collect::<Vec<_>>();
    assert_eq!(
        keys(&listed(&again, "").await),
        keys(&list),
        "the same seed"
    );
}

#[tokio::test]
async fn a_list_is_told_by_page_and_time() {
    let peer = Peer::start(Options {
        recordings: 25,
        ..Options::default()
    });
    // One an hour, the latest at 04:00.
    for (query, count) in [
        ("", 20),
        ("?page=2", 5),
        ("?page=3", 0),
        (
            "?page=18446744073709551615&pageSize=18446744073709551615",
            0,
        ),
        ("?pageSize=7&page=4", 4),
        ("?pageSize=100", 25),
        ("?from=2026-11-21T02:00:00Z", 3),
        ("?from=2026-11-21T03:00:00%2B01:00", 3),
        ("?from=2026-11-21T02:00:00", 3),
        ("?from=2026-11-21", 5),
        ("?to=2026-11-20T06:00:00Z", 3),
        ("?from=2026-11-21T01:30:00Z&to=2026-11-21T03:30:00Z", 2),
    ] {
        assert_eq!(listed(&peer, query).await.len(), count, "{query}");
        assert_eq!(peer.against(), "", "{query}");
    }
    let first = listed(&peer, "?pageSize=1").await;
    let second = listed(&peer, "?pageSize=1&page=2").await;
    assert_ne!(first[0]["key"], second[0]["key"]);
    assert_eq!(listed(&peer, "?pageNumber=2").await.len(), 5);
    assert_eq!(peer.against(), "`pageNumber` is spelled `page`");
    listed(&peer, "?order=asc").await;
    assert_eq!(peer.against(), "`order` is in no document");
}

#[tokio::test]
async fn a_list_is_refused_in_the_documents_words() {
    let peer = Peer::start(Options::default());
    let page = "'pageNumber' must be greater than 0";
    let size = "'pageSize' must be a positive integer";
    let order = "'to' must be greater than 'from'";
    for (query, message) in [
        ("?page=0", page),
        ("?page=-1", page),
        ("?page=x", page),
        ("?page", page),
        ("?pageSize=0", size),
        ("?pageSize=1.5", size),
        ("?pageSize=", size),
        ("?from=2026-11-21T02:00:00Z&to=2026-11-21T02:00:00Z", order),
        ("?to=2026-11-21T01:00:00Z&from=2026-11-21T02:00:00Z", order),
        (
            "?from=yesterday",
            "Invalid parameters: 'from' is no timestamp",
        ),
        ("?to=", "Invalid parameters: 'to' is no timestamp"),
    ] {
        let got = peer.get(&format!("{RECORDINGS}{query}")).await;
        Peer::assert_refused(&got, 40001, message);
    }
}

#[tokio::test]
async fn a_recording_without_a_key_or_with_an_unknown_one_is_refused() {
    let peer = Peer::start(Options::default());
    for method in [Method::GET, Method::DELETE] {
        let got = peer
            .ask(method.clone(), &format!("{RECORDINGS}/"), &Value::Null)
            .await;
        Peer::assert_refused(&got, 40002, "No key specified");
        let got = peer
            .ask(method, &format!("{RECORDINGS}/unknown"), &Value::Null)
            .await;
        Peer::assert_refused(&got, 40400, "Recording not found");
    }
}
