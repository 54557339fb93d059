//! Runs: found by their ids, one unfinished a campaign, whole lists or none, and how they end.

use std::sync::Arc;

use callout::domain::{
    BY_HAND, Disposition, PauseReason, RecipientId, RejectKind, RunId, RunState, Spend, Trouble,
};
use callout::store::{
    AtRest, EngineStore as _, NewRun, RejectedRow, RunEnd, RunHead, RunStore as _, StoreError, Wish,
};

use super::engine::{accepted, intend, lasting, refusal, refused, taken_back};
use super::{Rig, Witness as _, a_row, a_run, at, import, now, number, rows, whole};

on_every_store!(
    a_run_is_found_by_its_id_and_by_the_beginning_of_it,
    a_campaign_has_one_unfinished_run_whoever_begins_at_once,
    another_run_begins_once_one_is_over_and_rehearsals_and_calls_by_hand_are_in_nobodys_way,
    a_list_is_imported_whole_or_not_at_all,
    rows_are_rejected_only_while_they_are_to_be_called,
    what_begins_and_ends_with_a_run_does_so_at_once,
    a_run_that_is_cancelled_at_rest_ends_once_no_call_is_open,
    what_a_run_may_cost_and_its_results_are_kept,
    refusals_that_a_person_accepts_are_final,
    numbers_that_are_written_otherwise_are_found,
);

fn ids(runs: &[RunHead]) -> Vec<&str> {
    runs.iter().map(|run| run.id.as_str()).collect()
}

async fn a_run_is_found_by_its_id_and_by_the_beginning_of_it<R: Rig>() {
    let rig = R::new();
    let store = rig.engine().await;
    for (id, campaign) in [
        ("aaaaaaaaaaa1", "c"),
        ("aaaaaaaaaaa2", "d"),
        ("baaaaaaaaaaa", "e"),
    ] {
        store.create_run(&a_run(id, campaign)).await.unwrap();
    }
    let run = store.run(&RunId::new("aaaaaaaaaaa1")).await.unwrap();
    assert_eq!(
        (run.campaign.as_str(), run.definition.as_str()),
        ("c", "the campaign")
    );
    assert_eq!((run.state, run.header), (RunState::Planned, None));
    // The beginning of an id is no id.
    for id in ["aaaaaaaaaaa", "", "%"] {
        let none = store.run(&RunId::new(id)).await.unwrap_err();
        assert!(matches!(none, StoreError::NoRun(_)), "{id}: {none}");
    }
    for (prefix, found) in [
        ("", vec!["baaaaaaaaaaa", "aaaaaaaaaaa2", "aaaaaaaaaaa1"]),
        ("aaa", vec!["aaaaaaaaaaa2", "aaaaaaaaaaa1"]),
        ("b", vec!["baaaaaaaaaaa"]),
        ("aaaaaaaaaaa1x", vec![]),
        ("%", vec![]),
        ("A", vec![]),
    ] {
        let heads = store.run_heads(prefix).await.unwrap();
        assert_eq!(ids(&heads), found, "{prefix}");
    }
}

async fn a_campaign_has_one_unfinished_run_whoever_begins_at_once<R: Rig>() {
    let rig = R::new();
    let (one, other) = (rig.engine().await, rig.beside().await);
    for round in 0..20 {
        let campaign = format!("c{round}");
        let begin = |store: Arc<R::Store>, letter: char| {
            let run = a_run(&format!("{letter}{round:011}"), &campaign);
            tokio::spawn(async move { (run.id.clone(), store.create_run(&run).await) })
        };
        let (one, other) = (begin(Arc::clone(&one), 'a'), begin(Arc::clone(&other), 'b'));
        let results = [one.await.unwrap(), other.await.unwrap()];
        let begun: Vec<&RunId> = results
            .iter()
            .filter(|r| r.1.is_ok())
            .map(|r| &r.0)
            .collect();
        assert_eq!(begun.len(), 1, "{results:?}");
        let refused = results.iter().find_map(|r| r.1.as_ref().err()).unwrap();
        match refused {
            StoreError::Unfinished {
                run,
                campaign: of,
                state,
            } => {
                assert_eq!((run, of, *state), (begun[0], &campaign, RunState::Planned));
            }
            other => panic!("{other}"),
        }
    }
}

async fn another_run_begins_once_one_is_over_and_rehearsals_and_calls_by_hand_are_in_nobodys_way<
    R: Rig,
>() {
    let rig = R::new();
    let (store, first) = rig.stocked(1).await;
    let begin = async |id: &str| store.create_run(&a_run(id, "c")).await;
    let refused = begin("bbbbbbbbbbbb").await.unwrap_err();
    assert!(
        matches!(refused, StoreError::Unfinished { .. }),
        "{refused}"
    );
    let rehearsal = NewRun {
        rehearsal: true,
        ..a_run("rrrrrrrrrrrr", "c")
    };
    store.create_run(&rehearsal).await.unwrap();
    for id in ["hhhhhhhhhhh1", "hhhhhhhhhhh2"] {
        store.create_run(&a_run(id, BY_HAND)).await.unwrap();
    }
    assert_eq!(ids(&store.unfinished("c").await.unwrap()), [first.as_str()]);
    store
        .end_run(&first, &RunEnd::Cancelled, now())
        .await
        .unwrap();
    assert!(store.unfinished("c").await.unwrap().is_empty());
    begin("cccccccccccc").await.unwrap();
    store
        .forget_planned(&RunId::new("cccccccccccc"))
        .await
        .unwrap();
    begin("dddddddddddd").await.unwrap();
}

async fn a_list_is_imported_whole_or_not_at_all<R: Rig>() {
    let rig = R::new();
    let store = rig.engine().await;
    let run = a_run("0123456789ab", "c");
    store.create_run(&run).await.unwrap();
    // Its sender gave up after many rows.
    let (send, receive) = tokio::sync::mpsc::channel(1);
    let (imported, imported_in) = tokio::sync::oneshot::channel();
    send.try_send(rows(1_000)).unwrap();
    drop((send, imported));
    let given_up = store
        .import(&run.id, receive, imported_in)
        .await
        .unwrap_err();
    assert!(matches!(given_up, StoreError::ImportGivenUp), "{given_up}");
    assert_eq!(store.run(&run.id).await.unwrap().header, None);
    assert_eq!(store.tally(&run.id).await.rows, 0);
    // Once whole it is there, and the run is none any more that never began.
    import(store.as_ref(), &run.id, rows(1_000)).await;
    store.forget_planned(&run.id).await.unwrap();
    let there = store.run(&run.id).await.unwrap();
    assert_eq!(there.header, Some(whole().header));
    let tally = store.tally(&run.id).await;
    assert_eq!((tally.rows, tally.pending), (1_000, 1_000));
}

async fn rows_are_rejected_only_while_they_are_to_be_called<R: Rig>() {
    let rig = R::new();
    let (store, run) = rig.stocked(3).await;
    store.intend(&run, &[intend(1)], &[]).await.unwrap();
    let reject = |recipient| {
        let why = RejectedRow {
            kind: RejectKind::Invalid,
            reason: "read differently now".into(),
            column: Some("phone".into()),
            value: None,
            endpoint: None,
        };
        (RecipientId(recipient), why)
    };
    store.reject(&[reject(1), reject(2)]).await.unwrap();
    let tally = store.tally(&run).await;
    assert_eq!(
        (
            tally.in_flight,
            tally.pending,
            tally.of(Disposition::Invalid)
        ),
        (1, 1, 1)
    );
}

async fn what_begins_and_ends_with_a_run_does_so_at_once<R: Rig>() {
    let rig = R::new();
    let (store, run) = rig.stocked(3).await;
    store.ask_engine(&run, Some(Wish::Pause)).await.unwrap();
    let begun = store.begin_work(&run, at(10)).await.unwrap();
    assert_eq!(
        (begun.campaign.as_str(), begun.wish),
        ("c", Some(Wish::Pause))
    );
    let asked = RunEnd::Paused(PauseReason::Asked);
    assert_eq!(store.end_run(&run, &asked, at(20)).await.unwrap(), 0);
    let paused = store.run(&run).await.unwrap();
    assert_eq!(
        (paused.state, paused.wish),
        (RunState::Paused, None),
        "granted"
    );
    assert_eq!(
        (paused.started_at, paused.ended_at),
        (Some(at(10)), Some(at(20)))
    );
    // Nobody says that a run is completed while somebody is to be called.
    store.begin_work(&run, at(30)).await.unwrap();
    store
        .end_run(&run, &RunEnd::Completed, at(40))
        .await
        .unwrap();
    assert_eq!(store.run(&run).await.unwrap().state, RunState::Paused);
    // An end takes everybody with it, and the wish.
    store.begin_work(&run, at(50)).await.unwrap();
    store.ask_engine(&run, Some(Wish::Cancel)).await.unwrap();
    assert_eq!(
        store.end_run(&run, &RunEnd::Expired, at(60)).await.unwrap(),
        3
    );
    let over = store.run(&run).await.unwrap();
    assert_eq!(
        (over.state, over.wish, over.started_at),
        (RunState::Expired, None, Some(at(10)))
    );
    let tally = store.tally(&run).await;
    assert_eq!((tally.pending, tally.of(Disposition::Expired)), (0, 3));
    // What is over stays over.
    let refused = store.begin_work(&run, at(70)).await.unwrap_err();
    assert!(matches!(refused, StoreError::Diverged(_)), "{refused}");
    assert_eq!(store.run(&run).await.unwrap().state, RunState::Expired);
}

async fn a_run_that_is_cancelled_at_rest_ends_once_no_call_is_open<R: Rig>() {
    let rig = R::new();
    let (store, run) = rig.stocked(3).await;
    store.begin_work(&run, now()).await.unwrap();
    store.intend(&run, &[intend(1)], &[]).await.unwrap();
    store.record(&run, &[accepted(1)]).await.unwrap();
    let cancel = async || store.cancel_at_rest(&run, now()).await.unwrap();
    assert_eq!(
        cancel().await,
        AtRest {
            cancelled: 2,
            open: 1
        }
    );
    let open = store.run(&run).await.unwrap();
    assert_eq!(
        (open.state, open.wish),
        (RunState::Running, Some(Wish::Cancel))
    );
    // Asked twice is asked once; and who asks for a pause does not take it back.
    assert_eq!(
        cancel().await,
        AtRest {
            cancelled: 0,
            open: 1
        }
    );
    store.ask_engine(&run, Some(Wish::Pause)).await.unwrap();
    assert_eq!(store.asked(&run).await.unwrap(), Some(Wish::Cancel));
    store.record(&run, &lasting(1)).await.unwrap();
    assert_eq!(
        cancel().await,
        AtRest {
            cancelled: 0,
            open: 0
        }
    );
    let over = store.run(&run).await.unwrap();
    assert_eq!((over.state, over.wish), (RunState::Cancelled, None));
}

async fn what_a_run_may_cost_and_its_results_are_kept<R: Rig>() {
    let rig = R::new();
    let store = rig.engine().await;
    let run = a_run("0123456789ab", "c");
    store.create_run(&run).await.unwrap();
    import(store.as_ref(), &run.id, vec![a_row(0, Ok(number(0)))]).await;
    assert_eq!(store.run(&run.id).await.unwrap().spend, None::<Spend>);
    let path = std::path::Path::new("/results.csv");
    store.results_written(&run.id, path, "0b").await.unwrap();
    let results = Some((path.to_owned(), "0b".to_owned()));
    assert_eq!(store.run(&run.id).await.unwrap().results, results);
    assert_eq!(store.run_heads("").await.unwrap()[0].results, results);
}

async fn refusals_that_a_person_accepts_are_final<R: Rig>() {
    let rig = R::new();
    let (store, run) = rig.stocked(3).await;
    let accept = async || store.accept_refusals(&run, now()).await.unwrap();
    store.begin_work(&run, now()).await.unwrap();
    assert_eq!(accept().await, None, "nothing paused it");
    for nth in [1, 2] {
        let intents = [intend(nth)];
        store.intend(&run, &intents, &refused(nth)).await.unwrap();
        store.record(&run, &taken_back(nth)).await.unwrap();
    }
    let trouble = Trouble {
        of_recipients: false,
        code: refusal().code(),
        why: "refused".into(),
    };
    let paused = RunEnd::Paused(PauseReason::Account(trouble));
    store.end_run(&run, &paused, now()).await.unwrap();
    let code = Some(refusal().code());
    let it = store.run(&run).await.unwrap();
    assert_eq!((it.refused_with, it.suspect), (code, code));
    assert_eq!(accept().await, Some(2));
    let it = store.run(&run).await.unwrap();
    assert_eq!((it.refused_with, it.suspect), (None, None));
    assert!(it.theirs.contains(&refusal().code()));
    let tally = store.tally(&run).await;
    assert_eq!((tally.of(Disposition::Refused), tally.pending), (2, 1));
    assert_eq!(accept().await, None, "once");
}

async fn numbers_that_are_written_otherwise_are_found<R: Rig>() {
    let rig = R::new();
    let store = rig.engine().await;
    let run = a_run("0123456789ab", "c");
    store.create_run(&run).await.unwrap();
    // The number stands in the first cell of all but the second and the last.
    let rows = (0..4).map(|nth| a_row(nth, Ok(number(if nth % 2 == 0 { nth } else { nth + 10 }))));
    import(store.as_ref(), &run.id, rows.collect()).await;
    store.intend(&run.id, &[intend(2)], &[]).await.unwrap();
    let found = async |after| {
        let found = store.written_otherwise(&run.id, 0, RecipientId(after), 10);
        let found = found.await.unwrap().into_iter();
        found
            .map(|row| (row.recipient.0, row.endpoint, row.cell, row.called))
            .collect::<Vec<_>>()
    };
    let (second, last) = (
        (2, number(11), number(1), true),
        (4, number(13), number(3), false),
    );
    assert_eq!(found(0).await, [second, last.clone()]);
    assert_eq!(found(2).await, [last]);
    store.was_read_again(&run.id, false).await.unwrap();
    assert_eq!(store.run(&run.id).await.unwrap().reader, 0);
}
