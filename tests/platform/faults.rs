//! Every fault behaves as it is named, at the level of the socket, and the ledger knows the truth.

use std::io::ErrorKind;
use std::time::Duration;

use callout::simulator::{Fault, Faults, Options};
use rust_decimal::Decimal;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::harness::{NUMBER, Peer, conference, steady, tts};

fn with(faults: Faults) -> Options {
    Options {
        faults,
        ..Options::default()
    }
}

fn number(nth: u32) -> String {
    format!("+467{nth:08}")
}

#[tokio::test]
async fn a_lost_answer_rings_and_closes_without_a_byte() {
    let peer = Peer::start(with(Faults {
        lost: 1.0,
        ..Faults::default()
    }));
    let answer = peer.raw(&peer.raw_post(&tts(NUMBER, "a1"))).await.unwrap();
    assert!(answer.is_empty());
    let ledger = peer.simulator.ledger();
    assert_eq!((ledger.len(), ledger[0].fault), (1, Some(Fault::Lost)));
    assert_eq!(ledger[0].attempt, "a1");
    assert_eq!(peer.simulator.posts()[0].status, 0);
}

#[tokio::test]
async fn a_reset_rings_nobody_and_resets_the_socket() {
    let peer = Peer::start(with(Faults {
        reset: 1.0,
        ..Faults::default()
    }));
    let error = peer
        .raw(&peer.raw_post(&tts(NUMBER, "a1")))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert!(peer.simulator.ledger().is_empty());
    let post = &peer.simulator.posts()[0];
    assert_eq!(
        (post.fault, post.placed, post.attempt.as_str()),
        (Some(Fault::Reset), false, "a1")
    );
}

/// Posts on a bare socket and waits until the platform has it; nothing may have come back.
async fn post_and_hear_nothing(peer: &Peer) -> TcpStream {
    let mut stream = peer.connect().await;
    stream
        .write_all(&peer.raw_post(&tts(NUMBER, "a1")))
        .await
        .unwrap();
    while peer.simulator.posts().is_empty() {
        tokio::task::yield_now().await;
    }
    let nothing = tokio::time::timeout(Duration::from_millis(50), stream.readable()).await;
    assert!(nothing.is_err());
    stream
}

#[tokio::test]
async fn a_hanging_answer_rings_and_never_comes() {
    let hang = |hang_for| Faults {
        hang: 1.0,
        hang_for,
        ..Faults::default()
    };
    let peer = Peer::start(with(hang(Duration::from_hours(1))));
    drop(post_and_hear_nothing(&peer).await);
    assert_eq!(peer.simulator.ledger()[0].fault, Some(Fault::Hang));
    let peer = Peer::start(with(hang(Duration::from_millis(20))));
    let answer = peer.raw(&peer.raw_post(&tts(NUMBER, "a1"))).await.unwrap();
    assert!(answer.is_empty());
}

#[tokio::test]
async fn a_slow_answer_rings_and_comes_late() {
    let slow = |slow_by| Faults {
        slow: 1.0,
        slow_by,
        ..Faults::default()
    };
    let peer = Peer::start(with(slow(Duration::from_millis(20))));
    let id = peer.post(&tts(NUMBER, "a1")).await.call_id();
    let row = &peer.simulator.ledger()[0];
    assert_eq!((&row.call_id, row.fault), (&id, Some(Fault::Slow)));
    let peer = Peer::start(with(slow(Duration::from_hours(1))));
    drop(post_and_hear_nothing(&peer).await);
    assert_eq!(peer.simulator.ledger().len(), 1);
}

#[tokio::test]
async fn a_server_error_rings_in_some_cases_and_not_in_others() {
    let peer = Peer::start(with(Faults {
        server_error: 1.0,
        ..Faults::default()
    }));
    let mut bodies = (0, 0);
    for nth in 0..60 {
        let got = peer.post(&tts(&number(nth), &format!("a{nth}"))).await;
        assert!([500, 502, 503, 504].contains(&got.status));
        let json = got.text.starts_with('{');
        bodies.0 += usize::from(json);
        bodies.1 += usize::from(!json);
    }
    assert!(bodies.0 > 10 && bodies.1 > 10, "{bodies:?}");
    let placed = peer
        .simulator
        .posts()
        .iter()
        .filter(|post| post.placed)
        .count();
    assert_eq!(placed, peer.simulator.ledger().len());
    assert!((15..=45).contains(&placed), "{placed}");
}

#[tokio::test]
async fn a_408_or_409_proves_nothing() {
    let unclear = Faults {
        unclear: 1.0,
        ..Faults::default()
    };
    let peer = Peer::start(with(unclear));
    let mut seen = std::collections::BTreeSet::new();
    for nth in 0..40 {
        seen.insert(peer.post(&tts(&number(nth), "a")).await.status);
    }
    assert_eq!(seen, [408, 409].into());
    assert!((8..=32).contains(&peer.simulator.ledger().len()));
}

#[tokio::test]
async fn an_error_with_an_id_tells_the_call_that_was_placed() {
    let told = Faults {
        error_with_id: 1.0,
        ..Faults::default()
    };
    let peer = Peer::start(with(told));
    let got = peer.post(&tts(NUMBER, "a")).await;
    assert!((500..=504).contains(&got.status));
    assert_eq!(got.call_id(), peer.simulator.ledger()[0].call_id);
}

#[tokio::test]
async fn garbage_rings_and_never_tells_the_id() {
    let peer = Peer::start(with(Faults {
        garbage: 1.0,
        ..Faults::default()
    }));
    let (mut cut, mut json, mut other) = (0, 0, 0);
    for nth in 0..40 {
        let (status, text) = peer.try_post(&tts(&number(nth), "a")).await.unwrap();
        assert_eq!(status, 200);
        let Some(text) = text else {
            cut += 1;
            continue;
        };
        let parsed = serde_json::from_str::<serde_json::Value>(&text);
        assert!(parsed.as_ref().map_or(true, |v| v.get("callId").is_none()));
        json += usize::from(parsed.is_ok());
        other += usize::from(parsed.is_err());
        let ledger = peer.simulator.ledger();
        assert!(ledger.iter().all(|row| !text.contains(&row.call_id)));
    }
    assert!(cut > 0 && json > 0 && other > 0, "{cut} {json} {other}");
    assert_eq!(peer.simulator.ledger().len(), 40);
}

#[tokio::test]
async fn a_body_cut_short_announces_more_than_it_sends() {
    let peer = Peer::start(with(Faults {
        garbage: 1.0,
        ..Faults::default()
    }));
    let mut seen = false;
    for nth in 0..40 {
        let mut raw = peer.raw_post(&tts(&number(nth), "a"));
        let head_end = raw.windows(2).position(|pair| pair == b"\r\n").unwrap();
        raw.splice(head_end..head_end, b"\r\nconnection: close".iter().copied());
        let answer = String::from_utf8(peer.raw(&raw).await.unwrap()).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .unwrap();
        seen |= length.parse::<usize>().unwrap() > body.len();
    }
    assert!(seen);
}

#[tokio::test]
async fn a_429_and_a_redirect_ring_nobody() {
    let peer = Peer::start(with(Faults {
        too_many: 1.0,
        ..Faults::default()
    }));
    let mut with_wait = 0;
    for nth in 0..30 {
        let got = peer.post(&tts(&number(nth), "a")).await;
        assert_eq!(got.status, 429);
        with_wait += usize::from(got.headers.contains_key("retry-after"));
    }
    assert!((5..=25).contains(&with_wait));
    assert!(peer.simulator.ledger().is_empty());
    let peer = Peer::start(with(Faults {
        redirect: 1.0,
        ..Faults::default()
    }));
    let got = peer.post(&tts(NUMBER, "a")).await;
    assert_eq!(
        (got.status, &got.headers["location"]),
        (307, &"/calling/v1/callouts".parse().unwrap())
    );
    assert!(peer.simulator.ledger().is_empty());
}

#[tokio::test]
async fn no_rolling_second_takes_more_than_the_limit() {
    let peer = Peer::start(Options {
        refuse_above: Some(3),
        retry_after_share: 1.0,
        retry_after_s: 7,
        ..Options::default()
    });
    let post = async |nth| peer.post(&tts(&number(nth), "a")).await.status;
    assert_eq!(post(0).await, 200);
    peer.advance(Duration::from_millis(400));
    assert_eq!(
        (post(1).await, post(2).await, post(3).await),
        (200, 200, 429)
    );
    peer.advance(Duration::from_millis(599));
    assert_eq!(post(4).await, 429);
    peer.advance(Duration::from_millis(1));
    assert_eq!((post(5).await, post(6).await), (200, 429));
    let got = peer.post(&tts(NUMBER, "a")).await;
    assert_eq!(got.headers["retry-after"], "7");
    assert_eq!(peer.simulator.ledger().len(), 4);
}

#[tokio::test]
async fn an_empty_account_is_told_with_40200() {
    let peer = Peer::start(Options {
        credit: Some(Decimal::new(830, 4)),
        ..steady()
    });
    for (nth, status) in [(0, 200), (1, 200), (2, 402)] {
        assert_eq!(
            peer.post(&conference(&number(nth), "a")).await.status,
            status
        );
    }
    assert_eq!(peer.post(&conference(NUMBER, "a")).await.code(), 40200);
    assert_eq!(peer.simulator.ledger().len(), 2);
}

#[tokio::test]
async fn a_forbidden_destination_stays_forbidden() {
    let peer = Peer::start(Options {
        forbidden_share: 0.5,
        forbidden_prefixes: vec!["+4479".to_owned()],
        ..Options::default()
    });
    let got = peer.post(&tts("+447900000000", "a")).await;
    assert_eq!((got.status, got.code()), (403, 40300));
    let mut forbidden = 0;
    for nth in 0..30 {
        let first = peer.post(&tts(&number(nth), "a")).await.status;
        assert_eq!(first, peer.post(&tts(&number(nth), "a")).await.status);
        forbidden += usize::from(first == 403);
    }
    assert!((5..=25).contains(&forbidden));
}
