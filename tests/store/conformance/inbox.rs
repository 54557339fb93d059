//! What came from the platform: nothing that was acknowledged is lost, and a repeat is one event.

use std::sync::Arc;

use callout::domain::{AttemptId, CallId, EventNumber, RunId};
use callout::store::{Arrival, InboxStanding, Owner, Received, Store};
use jiff::{SignedDuration, Timestamp};

use super::{Files, Rig as _, now};

/// The nth event, of the nth attempt.
fn arrival(nth: u8) -> Arrival {
    Arrival {
        body: vec![b'{', nth, 0xff, 0, b'}'],
        signed_at: "2027-01-15T08:00:00.0000000Z".into(),
        at: now() + SignedDuration::from_secs(nth.into()),
        kind: if nth.is_multiple_of(2) { "dice" } else { "ace" }.into(),
        attempt: Some(AttemptId::from_bytes([nth; 16])),
        call: CallId::new(&format!("call-{nth}")),
    }
}

async fn keep(store: &dyn Store, nths: impl IntoIterator<Item = u8>) {
    for nth in nths {
        assert!(store.keep(arrival(nth)).await.unwrap(), "{nth} is new");
    }
}

async fn pending(store: &dyn Store) -> Vec<Received> {
    store.pending(EventNumber(0), 100).await.unwrap()
}

async fn handle(store: &dyn Store, owner: &Owner) -> Vec<EventNumber> {
    let events = pending(store).await;
    let handled: Vec<_> = events.iter().map(|e| (e.number, owner.clone())).collect();
    store.handled(&handled, now()).await.unwrap();
    handled.into_iter().map(|(number, _)| number).collect()
}

fn later(hours: i64) -> Timestamp {
    now() + SignedDuration::from_hours(hours)
}

#[tokio::test]
async fn events_are_there_as_they_came_for_every_process_and_after_it() {
    let rig = Files::new();
    let (engine, receiver) = (rig.engine().await, rig.beside().await);
    assert_eq!(engine.standing().await.unwrap(), InboxStanding::default());
    assert_eq!(pending(engine.as_ref()).await, []);
    keep(receiver.as_ref(), [1, 2]).await;
    keep(engine.as_ref(), [3]).await;
    let bare = Arrival {
        attempt: None,
        call: None,
        ..arrival(4)
    };
    assert!(receiver.keep(bare.clone()).await.unwrap());
    drop((engine, receiver));
    let store = rig.beside().await;
    let there = pending(store.as_ref()).await;
    let arrivals: Vec<_> = there.iter().map(|e| e.arrival.clone()).collect();
    assert_eq!(arrivals, [arrival(1), arrival(2), arrival(3), bare]);
    assert!(there.is_sorted_by(|a, b| a.number < b.number));
    let page = store.pending(there[0].number, 2).await.unwrap();
    assert_eq!(page, there[1..3]);
}

#[tokio::test]
async fn a_repeat_is_one_event_even_among_those_that_wait_for_the_disk_together() {
    let rig = Files::new();
    let (one, other) = (rig.engine().await, rig.beside().await);
    keep(one.as_ref(), [1]).await;
    assert!(!one.keep(arrival(1)).await.unwrap());
    assert!(!other.keep(arrival(1)).await.unwrap());
    let signed_anew = Arrival {
        signed_at: "2027-01-15T08:00:01.0000000Z".into(),
        ..arrival(1)
    };
    assert!(other.keep(signed_anew).await.unwrap());
    let tasks: Vec<_> = (0..200_u8)
        .map(|nth| {
            let store: Arc<dyn Store> = Arc::clone(if nth % 3 == 0 { &one } else { &other });
            tokio::spawn(async move { store.keep(arrival(2 + nth % 50)).await.unwrap() })
        })
        .collect();
    let mut new = 0;
    for task in tasks {
        new += u64::from(task.await.unwrap());
    }
    assert_eq!(new, 50);
    assert_eq!(pending(one.as_ref()).await.len(), 52);
    let standing = one.standing().await.unwrap();
    let taken: u64 = standing.taken.iter().map(|(_, count)| count).sum();
    assert_eq!((taken, standing.pending), (52, 52));
    // After it was handled it is a repeat still.
    handle(one.as_ref(), &Owner::Nobody).await;
    assert!(!one.keep(arrival(1)).await.unwrap());
}

#[tokio::test]
async fn what_is_handled_waits_no_more_and_is_counted_by_its_owner() {
    let rig = Files::new();
    let store = rig.engine().await;
    keep(store.as_ref(), 0..6).await;
    let there = pending(store.as_ref()).await;
    let owners = [
        Owner::Run(RunId::new("0123456789ab")),
        Owner::Nobody,
        Owner::UnknownAttempt,
    ];
    let mut handled: Vec<_> = there
        .iter()
        .map(|e| e.number)
        .zip(owners.iter().cloned())
        .collect();
    store.handled(&handled, now()).await.unwrap();
    // Twice is once, whatever it says the second time.
    handled[0].1 = Owner::Nobody;
    store.handled(&handled, now()).await.unwrap();
    assert_eq!(pending(store.as_ref()).await, there[3..]);
    let refused = [("bad signature", 2), ("too old", 1)];
    store.count_refused(&refused, now()).await.unwrap();
    store.count_refused(&refused[..1], now()).await.unwrap();
    let standing = store.standing().await.unwrap();
    let told = InboxStanding {
        taken: vec![("ace".into(), 3), ("dice".into(), 3)],
        pending: 3,
        nobodys: 1,
        unknown_attempts: 1,
        last_at: Some(arrival(5).at),
        refused: vec![("bad signature".into(), 4), ("too old".into(), 1)],
    };
    assert_eq!(standing, told);
}

#[tokio::test]
async fn nobodys_events_go_after_a_day_and_no_place_is_given_twice() {
    let rig = Files::new();
    let store = rig.engine().await;
    keep(store.as_ref(), [1, 2]).await;
    let nobodys = handle(store.as_ref(), &Owner::Nobody).await;
    keep(store.as_ref(), [3]).await;
    let unknown = handle(store.as_ref(), &Owner::UnknownAttempt).await;
    store.tidy(later(23)).await.unwrap();
    assert_eq!(store.standing().await.unwrap().nobodys, 2);
    store.tidy(later(25)).await.unwrap();
    store.tidy(later(10_000)).await.unwrap();
    let standing = store.standing().await.unwrap();
    assert_eq!((standing.nobodys, standing.unknown_attempts), (0, 1));
    assert_eq!(standing.taken.iter().map(|(_, n)| n).sum::<u64>(), 3);
    assert!(store.keep(arrival(1)).await.unwrap(), "it is forgotten");
    let again = pending(store.as_ref()).await;
    assert!(again[0].number > unknown[0] && again[0].number > nobodys[1]);
}

#[tokio::test]
async fn the_secret_is_there_from_the_start_and_the_one_before_is_good_for_a_day() {
    let rig = Files::new();
    let store = rig.beside().await;
    let first = store.callback_secrets(now()).await.unwrap();
    assert!(matches!(&first[..], [one] if one.len() == 32), "{first:?}");
    let elsewhere = Files::new();
    let other = elsewhere.beside().await;
    assert_ne!(other.callback_secrets(now()).await.unwrap(), first);
    store.change_callback_secret("second", now()).await.unwrap();
    drop(store);
    let store = rig.engine().await;
    let both = store.callback_secrets(later(23)).await.unwrap();
    assert_eq!(both, ["second", &first[0]]);
    assert_eq!(store.callback_secrets(later(25)).await.unwrap(), ["second"]);
    store
        .change_callback_secret("third", later(1))
        .await
        .unwrap();
    let three = store.callback_secrets(later(2)).await.unwrap();
    assert_eq!(three.len(), 3);
    assert_eq!(three[0], "third");
}
