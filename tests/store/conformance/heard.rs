//! What is heard in calls, in time and late: an engine's port.

use std::time::Duration;

use callout::domain::retry::Waits;
use callout::domain::{
    AttemptEvent, AttemptKey, AttemptState, Disposition, InCall, Outcome, RecipientId,
    RecipientState, RetryPolicy, RunId, Stage, Tried, WaitReason, Wanted, Word,
};
use callout::store::{
    DueAt, EngineStore, Fact, Heard, Observed, Press, RunEnd, Taken, Waiting, Was,
};

use super::engine::{accepted, call, intend, moves};
use super::{Rig, Witness as _, at, now};

on_every_store!(
    what_is_pressed_late_takes_a_retry_back_once,
    a_machine_that_is_heard_late_is_tried_again_as_one,
    in_a_run_that_is_over_nobody_is_called_again_for_what_is_heard_late,
    a_retry_that_is_an_attempt_stands_and_knows_what_was_pressed_before_it,
);

const RETRY_AFTER: Duration = Duration::from_hours(1);

/// What was heard in the call of an attempt.
fn heard_in(nth: u8, makes: InCall) -> Press {
    let machine = makes.has(InCall::MACHINE);
    Press {
        attempt: intend(nth).id,
        at: now(),
        nth: (!machine).then_some(1),
        value: (!machine).then(|| "key".to_owned()),
        makes,
        suppress: None,
    }
}

/// What was heard is kept, and taken into account.
async fn hear<S: EngineStore + ?Sized>(store: &S, run: &RunId, nth: u8, makes: InCall) -> Taken {
    store.pressed(&[heard_in(nth, makes)]).await.unwrap();
    let waits = Waits::After(vec![RETRY_AFTER]);
    let heard = Heard {
        attempt: intend(nth).id,
        event: Some(AttemptEvent::Seen(call(nth))),
        at: now(),
        retry: RetryPolicy {
            max_attempts: 3,
            machine: waits.clone(),
            no_response: waits,
            ..RetryPolicy::default()
        },
        wanted: Wanted {
            response: true,
            machine_counts: false,
        },
        chance: 0.5,
    };
    let observed = store.observe(run, &[heard]).await.unwrap();
    match observed.into_iter().next() {
        Some(Observed::Taken(taken)) => *taken,
        other => panic!("{other:?}"),
    }
}

/// The call of an attempt was answered, and is over.
fn over(nth: u8) -> Fact {
    let outcome = Outcome {
        result: Some("ANSWERED".into()),
        ..Outcome::unknown()
    };
    let state = AttemptState::Final {
        call: Some(call(nth)),
        outcome,
        word: Word::Platform,
    };
    moves(nth, Stage::Accepted, state)
}

fn silent() -> Tried {
    Tried {
        used: 1,
        no_response: 1,
        ..Tried::default()
    }
}

/// The first is called again for their silence.
fn waits() -> Fact {
    Fact::Due {
        recipient: RecipientId(1),
        from: Was::InFlight,
        at: DueAt::At(at(now().as_second() + 60)),
        waiting: Some(Waiting {
            reason: WaitReason::Retry,
            since: now(),
            tried: silent(),
        }),
    }
}

/// A run that is worked on, whose first recipient said nothing in their call.
async fn silence<R: Rig>(rig: &R) -> (std::sync::Arc<R::Store>, RunId) {
    let (store, run) = rig.stocked(2).await;
    store.begin_work(&run, now()).await.unwrap();
    let facts = [accepted(1), over(1), waits()];
    store.intend(&run, &[intend(1)], &facts).await.unwrap();
    (store, run)
}

/// Those who are due within a day, and how they were tried.
async fn due<S: EngineStore + ?Sized>(store: &S, run: &RunId) -> Vec<(i64, Tried)> {
    let tomorrow = at(now().as_second() + 86_400);
    let page = store.due_page(run, tomorrow, None, 10, None).await.unwrap();
    let due = page.due.into_iter();
    due.map(|due| (due.recipient.0, due.tried)).collect()
}

async fn what_is_pressed_late_takes_a_retry_back_once<R: Rig>() {
    let rig = R::new();
    let (store, run) = silence(&rig).await;
    let counts = InCall::PRESSED.and(InCall::COUNTS);
    let taken = hear(store.as_ref(), &run, 1, counts).await;
    let reached = RecipientState::Done(Disposition::Reached);
    assert_eq!(taken.was, RecipientState::Waiting);
    assert_eq!((taken.moved, taken.heard), (Some(reached), counts));
    let never = Tried::default();
    assert_eq!(due(store.as_ref(), &run).await, [(2, never)]);
    for _ in 0..2 {
        assert_eq!(hear(store.as_ref(), &run, 1, counts).await.moved, None);
    }
    // Who answered does not change what was pressed.
    let machine = hear(store.as_ref(), &run, 1, InCall::MACHINE).await;
    assert_eq!(machine.moved, None);
    assert_eq!(store.tally(&run).await.of(Disposition::Reached), 1);
}

async fn a_machine_that_is_heard_late_is_tried_again_as_one<R: Rig>() {
    let rig = R::new();
    let (store, run) = silence(&rig).await;
    let machine = Tried {
        used: 1,
        machine: 1,
        ..Tried::default()
    };
    let taken = hear(store.as_ref(), &run, 1, InCall::MACHINE).await;
    assert_eq!(taken.moved, Some(RecipientState::Waiting));
    let never = Tried::default();
    let all = due(store.as_ref(), &run).await;
    assert_eq!(all, [(2, never), (1, machine)]);
    let again = hear(store.as_ref(), &run, 1, InCall::MACHINE).await;
    assert_eq!(again.moved, None);
    assert_eq!(due(store.as_ref(), &run).await, all);
    let opts_out = InCall::PRESSED.and(InCall::OPTED_OUT);
    let over = hear(store.as_ref(), &run, 1, opts_out).await;
    let unreached = RecipientState::Done(Disposition::Unreached);
    assert_eq!(over.moved, Some(unreached));
}

async fn in_a_run_that_is_over_nobody_is_called_again_for_what_is_heard_late<R: Rig>() {
    let rig = R::new();
    let (store, run) = rig.stocked(1).await;
    store.begin_work(&run, now()).await.unwrap();
    let reached = Fact::Done {
        recipient: RecipientId(1),
        from: Was::InFlight,
        disposition: Disposition::Reached,
        reason: None,
    };
    let facts = [accepted(1), over(1), reached];
    store.intend(&run, &[intend(1)], &facts).await.unwrap();
    store
        .end_run(&run, &RunEnd::Completed, now())
        .await
        .unwrap();
    let taken = hear(store.as_ref(), &run, 1, InCall::MACHINE).await;
    let unreached = RecipientState::Done(Disposition::Unreached);
    assert_eq!(taken.moved, Some(unreached));
    assert_eq!(due(store.as_ref(), &run).await, []);
}

async fn a_retry_that_is_an_attempt_stands_and_knows_what_was_pressed_before_it<R: Rig>() {
    let rig = R::new();
    let (store, run) = silence(&rig).await;
    let mut second = intend(2);
    second.recipient = RecipientId(1);
    store.intend(&run, &[second], &[accepted(2)]).await.unwrap();
    let machine = hear(store.as_ref(), &run, 1, InCall::MACHINE).await;
    assert_eq!(machine.moved, None);
    let counts = InCall::PRESSED.and(InCall::COUNTS);
    assert_eq!(hear(store.as_ref(), &run, 1, counts).await.moved, None);
    let open = store.open_calls(&run, RecipientId(0), 9).await.unwrap();
    assert_eq!((open.len(), open[0].key), (1, AttemptKey(2)));
    assert_eq!((open[0].tried, open[0].heard), (silent(), counts));
}
