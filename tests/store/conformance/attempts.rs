//! Attempts: what is still to be known of them, and what a person or a record says.

use std::sync::Arc;

use callout::domain::{
    AttemptEvent, AttemptId, AttemptKey, Digits, Disposition, InCall, Money, Outcome, RecipientId,
    RecipientState, RetryPolicy, RunId, RunState, Stage, Suppression, Wanted, Word,
};
use callout::store::{Access, Heard, Observed, Press, Removal, Resolution, RunEnd, Store, Taken};

use super::engine::{accepted, call, intend, lasting};
use super::suppression::on;
use super::{Files, Rig as _, at, now, number};

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
        wanted: Wanted::default(),
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

/// The platform's word on an attempt.
fn hears(nth: u8, event: AttemptEvent) -> Heard {
    Heard {
        attempt: id(nth),
        event: Some(event),
        at: now(),
        retry: RetryPolicy::default(),
        wanted: Wanted::default(),
        chance: 0.5,
    }
}

fn answered(call_of: u8) -> AttemptEvent {
    let outcome = Outcome {
        result: Some("ANSWERED".into()),
        ..Outcome::unknown()
    };
    AttemptEvent::Ended(Some(call(call_of)), outcome)
}

async fn observe(store: &dyn Store, run: &RunId, heard: Heard) -> Taken {
    let observed = store.observe(run, &[heard]).await.unwrap();
    match observed.into_iter().next() {
        Some(Observed::Taken(taken)) => *taken,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_event_finds_its_attempt_by_id_or_by_call() {
    let rig = Files::new();
    let (store, run) = stocked(&rig).await;
    let named = [
        (Some(id(3)), None),
        (None, Some(call(2))),
        (Some(id(9)), Some(call(2))),
        (Some(id(9)), None),
        (None, None),
    ];
    let whose = store.whose(&named).await.unwrap();
    let found = whose.into_iter().map(|whose| {
        let whose = whose?;
        assert_eq!(whose.run, run);
        Some((whose.key.0, whose.attempt))
    });
    let found: Vec<_> = found.collect();
    let second = Some((2, id(2)));
    assert_eq!(found, [Some((3, id(3))), second, second, None, None]);
}

#[tokio::test]
async fn the_platform_s_word_resolves_what_is_uncertain_once() {
    let rig = Files::new();
    let (store, run) = stocked(&rig).await;
    let goes_on = hears(3, AttemptEvent::Seen(call(3)));
    let taken = observe(store.as_ref(), &run, goes_on).await;
    assert_eq!(taken.before, Stage::Uncertain);
    assert_eq!(taken.moved, Some(RecipientState::InFlight));
    let open = store.open_calls(&run, RecipientId(2), 1).await.unwrap();
    assert_eq!(open[0].call, call(3));
    let over = observe(store.as_ref(), &run, hears(3, answered(3))).await;
    let reached = RecipientState::Done(Disposition::Reached);
    assert_eq!((over.moved, over.alarm), (Some(reached), None));
    let again = observe(store.as_ref(), &run, hears(3, answered(3))).await;
    assert_eq!((again.moved, again.state), (None, over.state));
    let late = hears(3, AttemptEvent::Seen(call(3)));
    assert_eq!(observe(store.as_ref(), &run, late).await.moved, None);
}

#[tokio::test]
async fn the_platform_s_word_stands_above_a_person_s() {
    let rig = Files::new();
    let (store, run) = stocked(&rig).await;
    store.resolve(&run, &[says(3, false)]).await.unwrap();
    let due = async || {
        let page = store.due_page(&run, now(), None, 10, None).await.unwrap();
        page.due.iter().any(|due| due.recipient == RecipientId(3))
    };
    assert!(due().await, "nobody was called, a person says");
    let taken = observe(store.as_ref(), &run, hears(3, answered(3))).await;
    let reached = RecipientState::Done(Disposition::Reached);
    assert_eq!((taken.before, taken.moved), (Stage::NotSent, Some(reached)));
    assert!(!due().await, "they were, the platform says");
}

#[tokio::test]
async fn two_calls_of_one_attempt_are_an_alarm_that_changes_nothing_else() {
    let rig = Files::new();
    let (store, run) = stocked(&rig).await;
    let taken = observe(store.as_ref(), &run, hears(2, answered(7))).await;
    let alarm = taken.alarm.unwrap();
    for named in [id(2).to_string(), call(2).to_string(), call(7).to_string()] {
        assert!(alarm.contains(&named), "{alarm}");
    }
    assert_eq!(taken.state.stage(), Stage::Accepted);
    assert_eq!(taken.moved, None);
}

#[tokio::test]
async fn what_an_engine_has_in_hand_is_left_to_it() {
    let rig = Files::new();
    let (store, run) = stocked(&rig).await;
    store.take_run(&run).await.unwrap();
    let beside = rig.open(Access::Beside).await;
    let heard = [hears(3, answered(3))];
    let observed = beside.observe(&run, &heard).await.unwrap();
    assert_eq!(observed, [Observed::InHand]);
    store.close().await.unwrap();
    drop(store);
    let observed = beside.observe(&run, &heard).await.unwrap();
    assert!(matches!(observed.as_slice(), [Observed::Taken(_)]));
}

#[tokio::test]
async fn what_was_pressed_stands_in_its_order_however_often_and_late_it_is_told() {
    let rig = Files::new();
    let (store, run) = stocked(&rig).await;
    let press = |seconds, value: &str| Press {
        at: at(now().as_second() + seconds),
        value: Some(value.into()),
        nth: None,
        ..pressed(1, 1)
    };
    assert_eq!(response(store.as_ref(), &run).await, None);
    let strangers = Press {
        attempt: id(9),
        ..press(0, "9")
    };
    store.pressed(&[press(2, "2"), strangers]).await.unwrap();
    store
        .pressed(&[press(1, "1"), press(2, "2")])
        .await
        .unwrap();
    let told = response(store.as_ref(), &run).await;
    assert_eq!(told.as_deref(), Some("1 > 2"));
    store.purge(&run, now()).await.unwrap();
    assert_eq!(response(store.as_ref(), &run).await, None);
}

/// What was pressed in the first call.
async fn response(store: &dyn Store, run: &RunId) -> Option<String> {
    let rows = store.results(run, RecipientId(0), 1).await.unwrap();
    rows[0].attempts[0].response.clone()
}

/// A key of a flow was pressed in a menu of an attempt's call.
fn pressed(attempt: u8, nth: u32) -> Press {
    Press {
        attempt: id(attempt),
        at: now(),
        nth: Some(nth),
        value: Some("confirmed".into()),
        makes: InCall::PRESSED,
        suppress: None,
    }
}

/// By a key of theirs the recipient of an attempt opts out.
fn opts_out(attempt: u8) -> Press {
    Press {
        value: Some("opted out".into()),
        makes: InCall::PRESSED.and(InCall::OPTED_OUT),
        suppress: Some("opted-out".into()),
        ..pressed(attempt, 1)
    }
}

#[tokio::test]
async fn in_a_flow_each_menu_of_a_call_has_one_result_whatever_the_moment() {
    let rig = Files::new();
    let (store, run) = stocked(&rig).await;
    let later = Press {
        at: at(now().as_second() + 7),
        value: Some("another".into()),
        ..pressed(1, 2)
    };
    let machine = Press {
        nth: None,
        value: None,
        makes: InCall::MACHINE,
        ..pressed(1, 1)
    };
    let all = [pressed(1, 2), pressed(1, 1), later, machine];
    for heard in all.iter().chain(&all) {
        store.pressed(std::slice::from_ref(heard)).await.unwrap();
    }
    // The same key in two menus of one moment is two results.
    let told = response(store.as_ref(), &run).await;
    assert_eq!(told.as_deref(), Some("confirmed > confirmed"));
    // What of it is a person's goes with their row, and comes in no more.
    store.purge(&run, now()).await.unwrap();
    store.pressed(&[pressed(1, 3)]).await.unwrap();
    assert_eq!(response(store.as_ref(), &run).await, None);
}

#[tokio::test]
async fn who_opts_out_in_a_call_is_on_the_list_for_good_once_it_is_kept() {
    let rig = Files::new();
    let (store, run) = stocked(&rig).await;
    let beside = rig.beside().await;
    let revision = async || store.suppressions().await.unwrap().revision();
    let before = revision().await;
    store
        .pressed(&[pressed(1, 1), pressed(2, 1)])
        .await
        .unwrap();
    assert_eq!(revision().await, before, "nobody opted out");
    let both = [
        Press {
            nth: Some(2),
            ..opts_out(1)
        },
        opts_out(3),
    ];
    store.pressed(&both).await.unwrap();
    assert_eq!(revision().await, before + 1);
    let lists = beside.suppressions().await.unwrap();
    for nth in [1_u8, 3] {
        let number = Digits::of(&number(usize::from(nth) - 1)).unwrap();
        let found = lists.of(number);
        let [found] = found.as_slice() else {
            panic!("{found:?}");
        };
        let why = format!("run {run}, attempt {}, pressed in the call", id(nth));
        assert_eq!((found.list.as_str(), found.until), ("opted-out", None));
        assert_eq!(found.why.as_deref(), Some(why.as_str()));
    }
    // Told again it changes nothing: who was taken off since stays off.
    let third = Digits::of(&number(2)).unwrap().value();
    let removal = Removal {
        list: None,
        who: "ada".into(),
        at: now(),
        why: None,
    };
    let one = [third].into_iter().collect();
    assert_eq!(store.unsuppress(&one, &removal).await.unwrap(), 1);
    store.pressed(&both).await.unwrap();
    assert_eq!(revision().await, before + 2);
}

#[tokio::test]
async fn who_opts_out_is_not_on_a_list_for_a_time_alone() {
    let rig = Files::new();
    let (store, _) = stocked(&rig).await;
    let listed = |until| Suppression {
        list: "opted-out".into(),
        until,
        ..on("opted-out", 1)
    };
    let [first, third] = [0, 2].map(|nth| Digits::of(&number(nth)).unwrap());
    let one = |number: Digits| [number.value()].into_iter().collect();
    store.suppress(&listed(None), &one(first)).await.unwrap();
    store
        .suppress(&listed(Some(at(9))), &one(third))
        .await
        .unwrap();
    store.pressed(&[opts_out(1), opts_out(3)]).await.unwrap();
    let lists = store.suppressions().await.unwrap();
    let why = |number| lists.of(number)[0].why.as_deref();
    assert_eq!(why(first), listed(None).why.as_deref(), "that stands");
    assert!(why(third).unwrap().contains("pressed in the call"));
    assert_eq!(lists.of(third)[0].until, None);
}

#[tokio::test]
async fn of_who_is_erased_an_opt_out_changes_no_list_and_is_no_error() {
    let rig = Files::new();
    let (store, _) = stocked(&rig).await;
    let first = Digits::of(&number(0)).unwrap();
    store.erase(first, "", &on("erased", 1)).await.unwrap();
    let revision = store.suppressions().await.unwrap().revision();
    store.pressed(&[opts_out(1)]).await.unwrap();
    let lists = store.suppressions().await.unwrap();
    assert_eq!(lists.revision(), revision);
}

#[tokio::test]
async fn a_call_that_was_connected_has_legs_which_are_no_alarm_and_count_with_it() {
    let rig = Files::new();
    let (store, run) = stocked(&rig).await;
    let put_through = Press {
        makes: InCall::PRESSED.and(InCall::CONNECTED),
        ..pressed(2, 1)
    };
    store.pressed(&[put_through]).await.unwrap();
    let told = |amount: Option<&str>| {
        let debit = amount.map(|amount| Money {
            amount: amount.parse().unwrap(),
            currency: Some("EUR".into()),
        });
        let outcome = Outcome {
            debit,
            ..Outcome::unknown()
        };
        AttemptEvent::Ended(Some(call(7)), outcome)
    };
    let legs = async || {
        let rows = store.results(&run, RecipientId(1), 1).await.unwrap();
        rows[0].attempts[0].legs.clone()
    };
    // In any order, and twice: a price that was told stays told.
    for (amount, known) in [
        (None, None),
        (Some("0.5"), Some("0.5")),
        (None, Some("0.5")),
    ] {
        let taken = observe(store.as_ref(), &run, hears(2, told(amount))).await;
        assert_eq!((taken.alarm, taken.moved), (None, None));
        assert_eq!(taken.leg.map(|(leg, _)| leg), Some(call(7)));
        let prices: Vec<_> = legs().await.into_iter().collect();
        let prices = prices
            .iter()
            .map(|leg| leg.as_ref().map(|leg| leg.amount.to_string()));
        assert_eq!(prices.collect::<Vec<_>>(), [known.map(str::to_owned)]);
    }
    let tally = store.tally(&run).await.unwrap();
    assert_eq!(tally.second_calls, []);
    assert_eq!(tally.spent.to_string(), "0.50 EUR");
    // Of a call that was not connected it is the alarm still.
    let taken = observe(store.as_ref(), &run, hears(1, told(None))).await;
    assert!(taken.alarm.is_some());
}
