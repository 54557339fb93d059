//! What came from the platform: nothing that was acknowledged is lost, and a repeat is one event.

use std::sync::Arc;

use callout::domain::{AttemptId, CallId, Digits, EventNumber, RunId};
use callout::store::{self, Arrival, InboxStanding, Owner, Received, RunEnd, Store};
use jiff::{SignedDuration, Timestamp};

use super::engine::{accepted, intend, lasting};
use super::suppression::on;
use super::{Files, Rig as _, now, number};

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
    // It is one whenever it comes.
    let later = Arrival {
        at: later(1),
        ..arrival(1)
    };
    assert!(!one.keep(later).await.unwrap());
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
    let strange = Arrival {
        kind: "ice".into(),
        ..arrival(9)
    };
    store.keep(strange).await.unwrap();
    let strange = pending(store.as_ref()).await.pop().unwrap();
    let nobodys = [(strange.number, Owner::Nobody)];
    store.handled(&nobodys, now()).await.unwrap();
    let refused = [("bad signature", 2), ("too old", 1)];
    store.count_refused(&refused, now()).await.unwrap();
    store.count_refused(&refused[..1], now()).await.unwrap();
    let standing = store.standing().await.unwrap();
    let told = InboxStanding {
        taken: vec![("ace".into(), 3), ("dice".into(), 3), ("ice".into(), 1)],
        pending: 3,
        nobodys: 2,
        strange_calls: 1,
        unknown_attempts: 1,
        last_at: Some(arrival(9).at),
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
    let left = async |hours| {
        store.tidy(later(hours)).await.unwrap();
        let standing = store.standing().await.unwrap();
        (standing.nobodys, standing.unknown_attempts)
    };
    assert_eq!(left(25).await, (0, 1));
    // Of attempts that nobody knows they are kept for a week.
    assert_eq!(left(7 * 24).await, (0, 1));
    assert_eq!(left(7 * 24 + 1).await, (0, 0));
    let standing = store.standing().await.unwrap();
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

/// An event whose body has these words.
fn saying(nth: u8, words: &str) -> Arrival {
    Arrival {
        body: format!(
            "{{\"nth\":{nth},\"said\":\"{words}\",\"to\":\"{}\"}}",
            "x".repeat(700)
        )
        .into(),
        ..arrival(nth)
    }
}

/// Whether some file of the folder has these bytes.
fn somewhere(rig: &Files, words: &str) -> bool {
    let files = std::fs::read_dir(rig.folder.path()).unwrap();
    files.into_iter().any(|file| {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        bytes.windows(words.len()).any(|w| w == words.as_bytes())
    })
}

/// A run of three whose first recipient was called, and which ended now.
pub(super) async fn ended(rig: &Files) -> (Arc<dyn Store>, RunId) {
    let (store, run) = rig.stocked(3).await;
    let [over, done] = lasting(1);
    let facts = [accepted(1), over, done];
    store.intend(&run, &[intend(1)], &facts).await.unwrap();
    store
        .end_run(&run, &RunEnd::Cancelled, now())
        .await
        .unwrap();
    (store, run)
}

#[tokio::test]
async fn bodies_go_a_week_after_their_run_ended_and_what_was_read_stays() {
    let rig = Files::new();
    let (store, run) = ended(&rig).await;
    for nth in 0..250 {
        let kept = store.keep(saying(nth, "bye-bye")).await.unwrap();
        assert!(kept, "{nth}");
    }
    while !handle(store.as_ref(), &Owner::Run(run.clone()))
        .await
        .is_empty()
    {}
    assert!(store.keep(saying(251, "not yet")).await.unwrap());
    handle(store.as_ref(), &Owner::Run(RunId::new("unknown-run-"))).await;
    store.tidy(later(7 * 24 - 1)).await.unwrap();
    assert!(somewhere(&rig, "bye-bye"));
    store.tidy(later(7 * 24 + 1)).await.unwrap();
    store.vacuum().await.unwrap();
    assert!(!somewhere(&rig, "bye-bye"));
    assert!(somewhere(&rig, "not yet"));
    assert!(!store.keep(saying(7, "bye-bye")).await.unwrap(), "a repeat");
    assert!(!somewhere(&rig, "bye-bye"));
}

#[tokio::test]
async fn who_is_erased_is_in_no_byte_of_the_inbox_and_others_are() {
    let rig = Files::new();
    let (store, _) = ended(&rig).await;
    let digits = Digits::of(&number(0)).unwrap();
    let national = number(0).strip_prefix("+46").unwrap().to_owned();
    for nth in 10..60 {
        assert!(store.keep(saying(nth, "somebody else")).await.unwrap());
    }
    // By the attempt, by the call, and by the digits alone.
    let by_call = Arrival {
        attempt: None,
        call: CallId::new("call-1"),
        ..saying(2, "erased-b")
    };
    let by_digits = Arrival {
        attempt: None,
        call: None,
        ..saying(3, &format!("erased-c {}", &number(0)[1..]))
    };
    for arrival in [saying(1, "erased-a"), by_call, by_digits] {
        assert!(store.keep(arrival).await.unwrap());
    }
    handle(store.as_ref(), &Owner::Nobody).await;
    assert!(store.keep(saying(60, "somebody else")).await.unwrap());
    for nth in 61..90 {
        assert!(store.keep(saying(nth, "somebody else")).await.unwrap());
    }
    let by_attempt = Arrival {
        attempt: Some(AttemptId::from_bytes([1; 16])),
        ..saying(4, "erased-d")
    };
    assert!(store.keep(by_attempt.clone()).await.unwrap());
    assert!(somewhere(&rig, "erased-a") && somewhere(&rig, "erased-d"));
    store
        .erase(digits, &national, &on("erased", 1))
        .await
        .unwrap();
    store.vacuum().await.unwrap();
    assert!(!somewhere(&rig, "erased-"));
    assert!(somewhere(&rig, "somebody else"));
    let there = pending(store.as_ref()).await;
    assert_eq!(there.len(), 30, "nobody reads what was erased");
    assert!(!store.keep(by_attempt).await.unwrap(), "it came already");
    assert!(!somewhere(&rig, "erased-"));
}

#[tokio::test]
async fn a_purge_takes_the_bodies_of_its_run_read_or_not() {
    let rig = Files::new();
    let (store, run) = ended(&rig).await;
    assert!(store.keep(saying(2, "purged-a")).await.unwrap());
    handle(store.as_ref(), &Owner::Run(run.clone())).await;
    let by_call = Arrival {
        attempt: None,
        call: CallId::new("call-1"),
        ..saying(3, "purged-b")
    };
    for arrival in [by_call, saying(1, "purged-c"), saying(9, "another's")] {
        assert!(store.keep(arrival).await.unwrap());
    }
    store.purge(&run, now()).await.unwrap();
    store.vacuum().await.unwrap();
    assert!(!somewhere(&rig, "purged-"));
    assert!(somewhere(&rig, "another's"));
    assert_eq!(pending(store.as_ref()).await.len(), 1);
}

#[tokio::test]
async fn a_copy_takes_the_inbox_along_and_what_came_since_outlives_its_return() {
    let rig = Files::new();
    let (store, run) = ended(&rig).await;
    assert!(store.keep(saying(1, "before")).await.unwrap());
    handle(store.as_ref(), &Owner::Run(run.clone())).await;
    let copy = rig.folder.path().join("copy.db");
    store.backup(&copy).await.unwrap();
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(rig.folder.path().join("copy.db-inbox"))
            .unwrap()
            .permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
    assert!(store.keep(saying(2, "since")).await.unwrap());
    handle(store.as_ref(), &Owner::Run(run)).await;
    store.close().await.unwrap();
    drop(store);
    // A receiver that goes on meanwhile loses nothing either.
    let receiver = rig.beside().await;
    assert!(receiver.keep(saying(3, "meanwhile")).await.unwrap());
    let address = format!("sqlite:{}", rig.folder.path().join("s.db").display());
    store::restore(&address, &copy, None, true).await.unwrap();
    assert!(receiver.keep(saying(4, "after")).await.unwrap());
    let store = rig.beside().await;
    let there = pending(store.as_ref()).await;
    let bodies: Vec<_> = there.into_iter().map(|e| e.arrival.body).collect();
    let all = [(1, "before"), (2, "since"), (3, "meanwhile"), (4, "after")];
    assert_eq!(bodies, all.map(|(nth, words)| saying(nth, words).body));
    // On another machine there is the copy alone.
    let elsewhere = Files::new();
    let address = format!("sqlite:{}", elsewhere.folder.path().join("s.db").display());
    store::restore(&address, &copy, None, true).await.unwrap();
    let store = elsewhere.beside().await;
    let there = pending(store.as_ref()).await;
    assert_eq!(there.len(), 1);
    assert_eq!(there[0].arrival, saying(1, "before"));
    assert_eq!(store.standing().await.unwrap().taken.len(), 1);
    store.check().await.unwrap();
}

#[tokio::test]
async fn a_database_that_begins_anew_has_no_events_and_none_is_kept_where_nobody_finds_it() {
    let rig = Files::new();
    let store = rig.engine().await;
    keep(store.as_ref(), [1]).await;
    let receiver = rig.beside().await;
    keep(receiver.as_ref(), [2]).await;
    drop(store);
    let address = format!("sqlite:{}", rig.folder.path().join("s.db").display());
    store::begin_anew(&address).await.unwrap();
    assert!(receiver.keep(arrival(3)).await.is_err());
    let store = rig.engine().await;
    assert_eq!(pending(store.as_ref()).await, []);
    assert!(store.keep(arrival(1)).await.unwrap());
}
