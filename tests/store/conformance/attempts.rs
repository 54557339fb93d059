//! Attempts: what is still to be known of them, and what a person or a record says.

use std::sync::Arc;

use callout::domain::{
    AttemptId, AttemptKey, Disposition, Outcome, RecipientId, RetryPolicy, RunId, RunState, Word,
};
use callout::store::{Resolution, RunEnd, Store};

use super::engine::{accepted, intend, lasting};
use super::{Files, Rig as _, at, now};

/// A run of four whose engine died: the first was reached, a call to the second goes on, whether the
/// third was called is not known; the fourth is due.
async fn stocked(rig: &Files) -> (Arc<dyn Store>, RunId) {
    let (store, run) = rig.stocked(4).await;
    store.begin_work(&run, now()).await.unwrap();
    let intents = [intend(1), intend(2), intend(3)];
    let [over, done] = lasting(1);
    let facts = [accepted(1), over, done, accepted(2)];
    store.intend(&run, &intents, &facts).await.unwrap();
    store.recover(&run, now()).await.unwrap();
    (store, run)
}

fn id(nth: u8) -> AttemptId {
    intend(nth).id
}

/// What a person says of an attempt: it was answered, or nobody was called.
fn says(nth: u8, answered: bool) -> Resolution {
    let outcome = Outcome {
        result: Some("ANSWERED".into()),
        ..Outcome::unknown()
    };
    Resolution {
        attempt: id(nth),
        called: answered.then_some(outcome),
        call: None,
        word: Word::Person,
        why: "asked them".into(),
        who: "ada".into(),
        at: now(),
        retry: RetryPolicy::default(),
        chance: 0.5,
    }
}

#[tokio::test]
async fn what_is_not_settled_comes_in_pages_each_once() {
    let rig = Files::new();
    let (store, run) = stocked(&rig).await;
    let (mut found, mut after) = (Vec::new(), (RecipientId(0), AttemptKey(0)));
    loop {
        let page = store.unsettled(&run, after, 1).await.unwrap();
        let Some(last) = page.last() else { break };
        after = (last.recipient, last.key);
        found.extend(page.into_iter().map(|unsettled| unsettled.key.0));
    }
    // The first has a result, and no price.
    assert_eq!(found, [1, 2, 3]);
}

#[tokio::test]
async fn what_is_said_moves_attempt_and_recipient_and_says_nothing_new_twice() {
    let rig = Files::new();
    let (store, run) = stocked(&rig).await;
    let untouched = store.resolve(&run, &[says(3, true)]).await.unwrap();
    assert_eq!(untouched, []);
    let tally = store.tally(&run).await.unwrap();
    let reached = tally.of(Disposition::Reached);
    assert_eq!((reached, tally.of(Disposition::Uncertain)), (2, 0));
    // Said again it is nothing new; nobody takes an answer back, and nobody knows of the last one.
    let said = [says(3, true), says(1, false), says(9, true)];
    let untouched = store.resolve(&run, &said).await.unwrap();
    assert_eq!(untouched, [id(3), id(1), id(9)]);
    // Of another run's attempts nobody says anything here.
    let other = RunId::new("bbbbbbbbbbbb");
    let untouched = store.resolve(&other, &[says(2, true)]).await.unwrap();
    assert_eq!(untouched, [id(2)]);
    assert_eq!(store.tally(&run).await.unwrap(), tally);
}

#[tokio::test]
async fn who_was_not_called_is_due_again_in_a_run_that_is_opened_for_them() {
    let rig = Files::new();
    let (store, run) = stocked(&rig).await;
    store.record(&run, &lasting(2)).await.unwrap();
    let fourth = [intend(4)];
    let [over, done] = lasting(4);
    let facts = [accepted(4), over, done];
    store.intend(&run, &fourth, &facts).await.unwrap();
    let end = RunEnd::Completed;
    store
        .end_run(&run, &end, at(now().as_second() + 1))
        .await
        .unwrap();
    let state = async || store.run(&run).await.unwrap().state;
    assert_eq!(state().await, RunState::Completed);
    store.resolve(&run, &[says(3, false)]).await.unwrap();
    assert_eq!(state().await, RunState::Paused);
    let due = store.due_page(&run, now(), None, 10, None).await.unwrap();
    let due: Vec<_> = due.due.iter().map(|due| due.recipient).collect();
    assert_eq!(due, [RecipientId(3)]);
}

#[tokio::test]
async fn what_was_made_on_a_platform_is_known_by_its_moment() {
    let rig = Files::new();
    let (store, _) = stocked(&rig).await;
    let made = async |platform, from, until, after| {
        let (from, until) = (now().as_second() + from, now().as_second() + until);
        let made = store.made_within(platform, (at(from), at(until)), AttemptKey(after), 2);
        let made = made.await.unwrap().into_iter();
        made.map(|made| made.key.0).collect::<Vec<_>>()
    };
    let ours = "https://platform key";
    assert_eq!(made(ours, 0, 1, 0).await, [1, 2]);
    assert_eq!(made(ours, 0, 1, 2).await, [3]);
    assert_eq!(made(ours, -1, 0, 0).await, [0; 0], "until is not within");
    assert_eq!(made("another", 0, 1, 0).await, [0; 0]);
}
