//! An engine's port: who is due, what is durable when, and what a start reads back.

use std::time::Duration;

use callout::domain::retry::PerNumber;
use callout::domain::{
    AttemptId, AttemptKey, AttemptState, CallId, Charges, Disposition, Outcome, RecipientId,
    Refusal, RunId, SpeaksOf, Spend, SpendAccount, Stage, Tally, Tried, WaitReason, Word,
};
use callout::store::{
    DueAt, DuePage, EngineStore, Fact, Intent, RunStore as _, StoreError, Waiting, Was,
};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use super::{Rig, Witness, a_row, a_run, at, import, now, number};

on_every_store!(
    what_is_intended_stands_and_nobody_of_them_is_due_any_more,
    intents_and_facts_are_together_whole_or_not_there,
    what_was_moved_meanwhile_is_not_written_over,
    what_happens_to_one_twice_in_a_group_is_what_happened_last,
    due_pages_are_in_order_and_behind_their_cursor,
    a_number_rests_for_the_sake_of_all_runs,
    recovering_twice_is_recovering_once,
    what_was_kept_aside_is_read_back_once,
    what_a_commit_left_behind_is_not_written_over_by_what_was_kept_aside,
    what_was_kept_aside_moves_nobody_but_with_their_attempt,
    a_start_hears_what_came_back_last,
    what_attempts_count_for_is_read_from_them,
    who_works_on_which_run_is_known_to_others,
);

pub(super) fn intend(nth: u8) -> Intent {
    intend_on(nth, nth.into())
}

fn intend_on(nth: u8, recipient: i64) -> Intent {
    Intent {
        key: AttemptKey(nth.into()),
        id: AttemptId::from_bytes([nth; 16]),
        recipient: RecipientId(recipient),
        hold: None,
        at: now(),
    }
}

pub(super) fn moves(nth: u8, from: Stage, state: AttemptState) -> Fact {
    Fact::Attempt {
        key: AttemptKey(nth.into()),
        from,
        state,
        at: now(),
    }
}

pub(super) fn call(nth: u8) -> CallId {
    CallId::new(&format!("call-{nth}")).unwrap()
}

pub(super) fn accepted(nth: u8) -> Fact {
    moves(nth, Stage::Intended, AttemptState::Accepted(call(nth)))
}

/// The call of an attempt that stands there is over, and its recipient was reached.
fn ended(nth: u8, from: Stage) -> [Fact; 2] {
    let outcome = Outcome {
        result: Some("ANSWERED".into()),
        ..Outcome::unknown()
    };
    let call = Some(call(nth));
    [
        moves(
            nth,
            from,
            AttemptState::Final {
                call,
                outcome,
                word: Word::Platform,
            },
        ),
        Fact::Done {
            recipient: RecipientId(nth.into()),
            from: Was::InFlight,
            disposition: Disposition::Reached,
            reason: None,
        },
    ]
}

/// The same of a call that was accepted.
pub(super) fn lasting(nth: u8) -> [Fact; 2] {
    ended(nth, Stage::Accepted)
}

pub(super) fn due_again(recipient: i64, at: DueAt) -> Fact {
    let tried = Tried {
        used: 1,
        ..Tried::default()
    };
    Fact::Due {
        recipient: RecipientId(recipient),
        from: Was::ToCall,
        at,
        waiting: Some(Waiting {
            reason: WaitReason::Window,
            since: now(),
            tried,
        }),
    }
}

async fn tally(store: &(impl Witness + ?Sized), run: &RunId) -> Tally {
    store.tally(run).await
}

fn diverged<T: std::fmt::Debug>(result: &Result<T, StoreError>) {
    let refused = matches!(result, Err(StoreError::Diverged(_)));
    assert!(refused, "{result:?}");
}

async fn what_is_intended_stands_and_nobody_of_them_is_due_any_more<R: Rig>() {
    let rig = R::new();
    let (store, run) = rig.stocked(3).await;
    let stand = store
        .intend(&run, &[intend(1), intend(3)], &[])
        .await
        .unwrap();
    assert_eq!(stand, [AttemptKey(1), AttemptKey(3)]);
    assert_eq!(ids(&page(store.as_ref(), &run, None, 10).await), [2]);
    // Another process sees it at once.
    let tally = tally(rig.beside().await.as_ref(), &run).await;
    assert_eq!((tally.in_flight, tally.pending), (2, 1));
}

async fn intents_and_facts_are_together_whole_or_not_there<R: Rig>() {
    let rig = R::new();
    let (store, run) = rig.stocked(5).await;
    store
        .intend(&run, &[intend(1), intend(2)], &[])
        .await
        .unwrap();
    let before = tally(store.as_ref(), &run).await;
    // The intent and the first fact are right; the second is about an attempt that nobody intended.
    let wrong = store
        .intend(&run, &[intend(3)], &[accepted(1), accepted(4)])
        .await;
    diverged(&wrong);
    diverged(&store.record(&run, &[accepted(1), accepted(4)]).await);
    assert_eq!(tally(store.as_ref(), &run).await, before);
    // A second attempt on somebody whose first is not over is refused.
    let second = [intend(3), intend_on(9, 1)];
    store.intend(&run, &second, &[]).await.unwrap_err();
    assert_eq!(tally(store.as_ref(), &run).await, before);
    store
        .intend(&run, &[intend(3)], &[accepted(1)])
        .await
        .unwrap();
    assert_eq!(tally(store.as_ref(), &run).await.in_flight, 3);
    let open = store.open_calls(&run, RecipientId(0), 10).await.unwrap();
    assert_eq!(open.len(), 1);
}

async fn what_was_moved_meanwhile_is_not_written_over<R: Rig>() {
    let rig = R::new();
    let (store, run) = rig.stocked(3).await;
    store.intend(&run, &[intend(1)], &[]).await.unwrap();
    store.record(&run, &[accepted(1)]).await.unwrap();
    let before = tally(store.as_ref(), &run).await;
    // The attempt is accepted, not intended; the first recipient is in flight, the second is to be called.
    diverged(&store.record(&run, &[accepted(1)]).await);
    diverged(&store.record(&run, &[due_again(1, DueAt::Held)]).await);
    let [_, done] = ended(2, Stage::Accepted);
    diverged(&store.record(&run, &[done]).await);
    assert_eq!(tally(store.as_ref(), &run).await, before);
    store.record(&run, &lasting(1)).await.unwrap();
    assert_eq!(
        tally(store.as_ref(), &run).await.of(Disposition::Reached),
        1
    );
}

async fn what_happens_to_one_twice_in_a_group_is_what_happened_last<R: Rig>() {
    let rig = R::new();
    let (store, run) = rig.stocked(1).await;
    let [over, done] = lasting(1);
    let facts = [accepted(1), over, done];
    store.intend(&run, &[intend(1)], &facts).await.unwrap();
    let tally = tally(store.as_ref(), &run).await;
    assert_eq!((tally.in_flight, tally.of(Disposition::Reached)), (0, 1));
}

async fn page(
    store: &(impl EngineStore + ?Sized),
    run: &RunId,
    behind: Option<&DuePage>,
    limit: u32,
) -> DuePage {
    let cursor = behind.and_then(|page| page.end.as_ref());
    let page = store.due_page(run, now(), cursor, limit, None).await;
    page.unwrap()
}

fn ids(page: &DuePage) -> Vec<i64> {
    page.due.iter().map(|due| due.recipient.0).collect()
}

async fn due_pages_are_in_order_and_behind_their_cursor<R: Rig>() {
    let rig = R::new();
    let (store, run) = rig.stocked(7).await;
    let before = |seconds| {
        let wait = SignedDuration::from_secs(seconds);
        DueAt::At(now().checked_sub(wait).unwrap())
    };
    let later = |seconds| DueAt::At(at(now().as_second() + seconds));
    // Two due since a moment, the latter of them first; one later, one never by itself.
    let facts = [
        due_again(2, before(5)),
        due_again(6, before(9)),
        due_again(4, later(60)),
        due_again(5, DueAt::Held),
    ];
    store.record(&run, &facts).await.unwrap();
    let first = page(store.as_ref(), &run, None, 2).await;
    assert_eq!(ids(&first), [1, 3]);
    assert!(
        matches!(first.next_due, Some(DueAt::At(at)) if at <= now()),
        "{first:?}"
    );
    let second = page(store.as_ref(), &run, Some(&first), 2).await;
    assert_eq!(ids(&second), [7, 6]);
    let third = page(store.as_ref(), &run, Some(&second), 2).await;
    assert_eq!((ids(&third), third.next_due), (vec![2], Some(later(60))));
    let fourth = page(store.as_ref(), &run, Some(&third), 2).await;
    assert_eq!((ids(&fourth), fourth.next_due), (vec![], Some(later(60))));
    assert_eq!(fourth.end, None);
    // How often they were tried comes along.
    assert_eq!(third.due[0].tried.used, 1);
    assert_eq!(first.due[0].tried, Tried::default());
    // Once the one who is due later is called, nobody is left but who is held.
    store.intend(&run, &[intend_on(1, 4)], &[]).await.unwrap();
    let last = page(store.as_ref(), &run, Some(&third), 2).await;
    assert_eq!((ids(&last), last.next_due), (vec![], Some(DueAt::Held)));
    store.intend(&run, &[intend_on(2, 5)], &[]).await.unwrap();
    assert_eq!(
        page(store.as_ref(), &run, Some(&third), 2).await.next_due,
        None
    );
}

async fn a_number_rests_for_the_sake_of_all_runs<R: Rig>() {
    let rig = R::new();
    let (store, run) = rig.stocked(2).await;
    store.intend(&run, &[intend(1)], &[]).await.unwrap();
    store.record(&run, &[accepted(1)]).await.unwrap();
    let other = a_run("bbbbbbbbbbbb", "other");
    store.create_run(&other).await.unwrap();
    let rows = (0..2).map(|nth| a_row(nth, Ok(number(nth)))).collect();
    import(store.as_ref(), &other.id, rows).await;
    let rule = PerNumber {
        calls: 1,
        within: Duration::from_hours(1),
    };
    let due = |moment: Timestamp| store.due_page(&other.id, moment, None, 10, Some(rule));
    let rests = due(now()).await.unwrap();
    let until: Vec<_> = rests.due.iter().map(|due| due.rests_until).collect();
    let hour = at(now().as_second() + 3_600);
    assert_eq!(until, [Some(hour), None]);
    let over = due(hour).await.unwrap();
    assert!(
        over.due.iter().all(|due| due.rests_until.is_none()),
        "{over:?}"
    );
}

async fn recovering_twice_is_recovering_once<R: Rig>() {
    let rig = R::new();
    let (store, run) = rig.stocked(5).await;
    let intents = [intend(1), intend(2), intend(3)];
    store.intend(&run, &intents, &[]).await.unwrap();
    store.record(&run, &[accepted(1)]).await.unwrap();
    let first = store.recover(&run, now()).await.unwrap();
    assert_eq!((first.became_uncertain, first.next_key), (2, 4));
    let after = tally(store.as_ref(), &run).await;
    let counts = (
        after.of(Disposition::Uncertain),
        after.in_flight,
        after.pending,
    );
    assert_eq!(counts, (2, 1, 2));
    let second = store.recover(&run, now()).await.unwrap();
    assert_eq!((second.became_uncertain, second.next_key), (0, 4));
    assert_eq!(second.uncertain_since, first.uncertain_since);
    assert_eq!(tally(store.as_ref(), &run).await, after);
    let open = store.open_calls(&run, RecipientId(0), 10).await.unwrap();
    assert_eq!(open.len(), 1);
    let due = page(store.as_ref(), &run, None, 10).await;
    assert_eq!(ids(&due), [4, 5], "whoever is uncertain is not due");
}

async fn what_was_kept_aside_is_read_back_once<R: Rig>() {
    let rig = R::new();
    let (store, run) = rig.stocked(3).await;
    store
        .intend(&run, &[intend(1), intend(2)], &[])
        .await
        .unwrap();
    // Two answers that could not be committed; the second process reads them.
    store.keep_aside(&run, &[accepted(1)]).unwrap();
    store.keep_aside(&run, &ended(2, Stage::Intended)).unwrap();
    drop(store);
    let store = rig.engine().await;
    let recovery = store.recover(&run, now()).await.unwrap();
    assert_eq!((recovery.read_back, recovery.became_uncertain), (2, 0));
    let after = tally(store.as_ref(), &run).await;
    let counts = (
        after.of(Disposition::Reached),
        after.in_flight,
        after.pending,
    );
    assert_eq!(counts, (1, 1, 1));
    let again = store.recover(&run, now()).await.unwrap();
    assert_eq!((again.read_back, again.became_uncertain), (0, 0));
    assert_eq!(tally(store.as_ref(), &run).await, after);
}

async fn what_a_commit_left_behind_is_not_written_over_by_what_was_kept_aside<R: Rig>() {
    let rig = R::new();
    let (store, run) = rig.stocked(3).await;
    store.intend(&run, &[intend(1)], &[]).await.unwrap();
    // The commit failed in the engine's eyes and was durable all the same; then the call ended.
    store
        .record(&run, &ended(1, Stage::Intended))
        .await
        .unwrap();
    store.keep_aside(&run, &[accepted(1)]).unwrap();
    store.recover(&run, now()).await.unwrap();
    let after = tally(store.as_ref(), &run).await;
    assert_eq!((after.of(Disposition::Reached), after.in_flight), (1, 0));
}

/// An attempt is refused, and so is its recipient.
pub(super) fn refused(nth: u8) -> [Fact; 2] {
    let refusal = refusal();
    let done = Fact::Done {
        recipient: RecipientId(nth.into()),
        from: Was::InFlight,
        disposition: Disposition::Refused,
        reason: Some(refusal.to_string()),
    };
    let refused = AttemptState::Refused(refusal);
    [moves(nth, Stage::Intended, refused), done]
}

pub(super) fn refusal() -> Refusal {
    Refusal {
        status: 403,
        code: Some(40302),
        message: "no such right".into(),
        speaks_of: SpeaksOf::Account,
    }
}

/// The refusal is taken back, and they are due again.
pub(super) fn taken_back(nth: u8) -> [Fact; 2] {
    let not_sent = AttemptState::NotSent("the account's fault".into());
    let due = Fact::Due {
        recipient: RecipientId(nth.into()),
        from: Was::Refused,
        at: DueAt::At(now()),
        waiting: None,
    };
    [moves(nth, Stage::Refused, not_sent), due]
}

async fn what_was_kept_aside_moves_nobody_but_with_their_attempt<R: Rig>() {
    let rig = R::new();
    let (store, run) = rig.stocked(3).await;
    store.intend(&run, &[intend(1)], &refused(1)).await.unwrap();
    let before = tally(store.as_ref(), &run).await;
    // What was decided of somebody without an attempt is decided again, and so is what is over.
    store
        .keep_aside(&run, &[due_again(2, DueAt::Held)])
        .unwrap();
    store.keep_aside(&run, &taken_back(1)).unwrap();
    store.recover(&run, now()).await.unwrap();
    assert_eq!(tally(store.as_ref(), &run).await, before);
    let due = page(store.as_ref(), &run, None, 10).await;
    assert_eq!((ids(&due), due.next_due), (vec![2, 3], None));
}

async fn a_start_hears_what_came_back_last<R: Rig>() {
    let rig = R::new();
    let (store, run) = rig.stocked(5).await;
    let intents: Vec<Intent> = (1..=5).map(intend).collect();
    store.intend(&run, &intents, &[]).await.unwrap();
    store.record(&run, &[accepted(1)]).await.unwrap();
    store.record(&run, &refused(2)).await.unwrap();
    store.record(&run, &refused(3)).await.unwrap();
    store.record(&run, &taken_back(3)).await.unwrap();
    let ended = ended(4, Stage::Intended);
    store.record(&run, &ended).await.unwrap();
    let latest = store.recover(&run, now()).await.unwrap().latest;
    // Accepted, refused, over; what was taken back or is uncertain is no answer.
    let answers: Vec<_> = latest
        .answers
        .iter()
        .map(|answer| answer.as_ref().map(|refused| refused.key))
        .collect();
    assert_eq!(answers, [None, Some(AttemptKey(2)), None]);
    let told = latest.answers[1].as_ref().unwrap();
    assert_eq!(
        (told.recipient, &told.refusal),
        (RecipientId(2), &refusal())
    );
    assert_eq!(latest.ends.len(), 1);
}

async fn what_attempts_count_for_is_read_from_them<R: Rig>() {
    let rig = R::new();
    let (store, run) = rig.stocked(4).await;
    let at = |second: i64| at(now().as_second() + second);
    let dear = |nth: u8, second: i64| Intent {
        hold: Some(Decimal::new(nth.into(), 0)),
        at: at(second),
        ..intend(nth)
    };
    let intents = [dear(1, 100), dear(2, 200), dear(3, 300)];
    store.intend(&run, &intents, &refused(3)).await.unwrap();
    let sum = |charges: Vec<Charges>| {
        let spend = Spend {
            currency: "EUR".into(),
            cap: Some(Decimal::TEN),
            per_day: None,
            time_zone: "UTC".into(),
            rates: None,
            longest_call_s: None,
            raised: Vec::new(),
        };
        SpendAccount::of(&spend, &charges).committed()
    };
    let all = store.charges(&run).await.unwrap();
    assert_eq!(
        sum(all),
        Decimal::new(3, 0),
        "nothing is held for a refusal"
    );
    for (from, until, held) in [(100, 200, 1), (101, 301, 2), (201, 301, 0)] {
        let within = store.charges_within("c", at(from), at(until)).await;
        assert_eq!(sum(within.unwrap()), Decimal::new(held, 0), "{from}");
    }
    let other = store.charges_within("other", at(0), at(1_000)).await;
    assert_eq!(other.unwrap(), []);
    let ahead = store.charges_ahead("c", (at(0), at(200))).await;
    assert_eq!(sum(ahead.unwrap()), Decimal::TWO);
    for (from, first) in [(0, Some(100)), (101, Some(200)), (301, None)] {
        let found = store.intended_from("c", at(from)).await.unwrap();
        assert_eq!(found, first.map(at));
    }
}

async fn who_works_on_which_run_is_known_to_others<R: Rig>() {
    let rig = R::new();
    let (store, run) = rig.stocked(1).await;
    let beside = rig.beside().await;
    assert_eq!(beside.at_work().await, Some(RunId::new("")));
    store.take_run(&run).await.unwrap();
    assert_eq!(beside.at_work().await, Some(run));
    drop(store);
    assert_eq!(beside.at_work().await, None);
}
