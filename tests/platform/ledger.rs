//! What the platform remembers, and that the same seed gives it the same memories.

use std::collections::BTreeMap;
use std::sync::Arc;

use callout::simulator::{Faults, LedgerRow, Options, Shape, Simulator};
use jiff::Timestamp;

use crate::harness::{NUMBER, Peer, conference, credentials, steady, tts};

#[tokio::test]
async fn the_ledger_counts_posts_rings_and_polls_of_an_attempt() {
    let peer = Peer::start(Options {
        time_scale: 0.0,
        ..steady()
    });
    let id = peer
        .post(&conference(NUMBER, "a1 hello, \"you\""))
        .await
        .call_id();
    peer.post(&conference(NUMBER, "a1 again")).await;
    peer.post(&conference("46", "a1 refused")).await;
    for _ in 0..3 {
        peer.get_call(&id).await;
    }
    let ledger = peer.simulator.ledger();
    assert_eq!(ledger.len(), 2);
    let row = &ledger[0];
    assert_eq!((row.attempt.as_str(), row.posts, row.rung), ("a1", 3, 2));
    assert_eq!((row.gets, row.final_served), (3, 3));
    assert_eq!((ledger[1].gets, ledger[1].final_served), (0, 0));
    assert_ne!(ledger[0].call_id, ledger[1].call_id);
}

#[tokio::test]
async fn the_ledger_is_served_as_csv_without_authorisation() {
    let mut peer = Peer::start(Options {
        time_scale: 0.0,
        ..steady()
    });
    let page = async |path: &str| {
        let url = format!("{}/simulator/{path}", peer.simulator.url());
        peer.client
            .get(url)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
    };
    let header = "attempt,destination,call_id,accepted_at,posts,result,reason,duration_s,debit,\
                  currency,fault,final_served,gets,managed,leg_of\n";
    assert_eq!(page("ledger").await, header);
    assert_eq!(
        page("posts").await,
        "arrived_us,attempt,status,fault,placed,against\n"
    );
    peer.advance(std::time::Duration::from_micros(1500));
    let id = peer.post(&conference(NUMBER, "a1")).await.call_id();
    let reason = peer.simulator.ledger()[0].reason;
    let line = format!(
        "a1,{NUMBER},{id},2026-11-21T05:00:00.001500Z,1,ANSWERED,{reason},30,0.0415,EUR,,0,0,0,\n"
    );
    assert_eq!(page("ledger").await, format!("{header}{line}"));
    assert!(page("posts").await.ends_with("1500,a1,200,,true,\n"));
    assert_eq!(page("ledger").await, peer.simulator.ledger_csv());
    assert_eq!(page("posts").await, peer.simulator.posts_csv());
    peer.simulator.stop().await;
    assert_eq!(peer.simulator.ledger().len(), 1);
    assert!(peer.client.get(peer.simulator.url()).send().await.is_err());
}

fn troubled(seed: u64) -> Options {
    Options {
        seed,
        shape: Shape::Mixed,
        faults: Faults {
            lost: 0.1,
            server_error: 0.2,
            garbage: 0.1,
            too_many: 0.1,
            ..Faults::default()
        },
        ..Options::default()
    }
}

/// What became of each endpoint, in the order of its own calls.
fn outcomes(ledger: Vec<LedgerRow>) -> BTreeMap<String, Vec<String>> {
    let mut outcomes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in ledger {
        let told = format!(
            "{} {} {} {} {} {:?}",
            row.call_id, row.result, row.reason, row.duration_s, row.debit, row.fault
        );
        outcomes.entry(row.destination).or_default().push(told);
    }
    outcomes
}

#[tokio::test]
async fn the_same_seed_gives_the_same_outcomes_in_any_order_of_arrival() {
    let run = async |seed: u64, order: Vec<u32>| {
        let peer = Peer::start(troubled(seed));
        for nth in order {
            // Lost answers are errors here, and part of the test.
            drop(
                peer.try_post(&tts(&format!("+467{:08}", nth % 40), "a"))
                    .await,
            );
        }
        outcomes(peer.simulator.ledger())
    };
    let there = run(7, (0..80).collect()).await;
    let back = run(7, (0..80).rev().collect()).await;
    assert_eq!(there, back);
    assert!(there.len() > 20);
    assert_ne!(there, run(8, (0..80).collect()).await);
}

#[tokio::test]
async fn a_fault_does_not_change_how_other_calls_end() {
    let run = async |lost: f64| {
        let faults = Faults {
            lost,
            ..Faults::default()
        };
        let peer = Peer::start(Options {
            faults,
            ..Options::default()
        });
        for nth in 0..30 {
            drop(peer.try_post(&tts(&format!("+467{nth:08}"), "a")).await);
        }
        peer.simulator
            .ledger()
            .into_iter()
            .map(|row| (row.call_id, row.result, row.duration_s))
            .collect::<Vec<_>>()
    };
    assert_eq!(run(0.0).await, run(0.5).await);
}

#[tokio::test]
async fn a_simulator_that_cannot_be_is_refused_at_the_start() {
    let start = |options: Options, address: &str| {
        let clock = Arc::new(|| Timestamp::UNIX_EPOCH);
        Simulator::start(options, credentials(), address.parse().unwrap(), clock).map(|_| ())
    };
    let refused = |options| start(options, "127.0.0.1:0").unwrap_err().kind();
    let invalid = std::io::ErrorKind::InvalidInput;
    assert!(start(Options::default(), "127.0.0.1:0").is_ok());
    assert_eq!(
        start(Options::default(), "0.0.0.0:0").unwrap_err().kind(),
        invalid
    );
    let share = |lost, hang| Faults {
        lost,
        hang,
        ..Faults::default()
    };
    for faults in [
        share(1.1, 0.0),
        share(f64::NAN, 0.0),
        share(-0.1, 0.0),
        share(0.6, 0.6),
    ] {
        assert_eq!(
            refused(Options {
                faults,
                ..Options::default()
            }),
            invalid
        );
    }
    assert_eq!(
        refused(Options {
            time_scale: -1.0,
            ..Options::default()
        }),
        invalid
    );
    #[expect(
        clippy::reversed_empty_ranges,
        reason = "the empty range is what is refused"
    )]
    let empty = 5..=4;
    assert_eq!(
        refused(Options {
            ring_s: empty,
            ..Options::default()
        }),
        invalid
    );
}
