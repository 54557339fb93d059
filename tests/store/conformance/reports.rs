//! Reports: pages of rows in the list's order, and counts that add up to them.

use callout::domain::{Disposition, RecipientId, RejectKind, ResultRow, RunId, Stage};
use callout::store::{DueAt, RecipientQuery, RejectedRow, Store};

use super::engine::{accepted, due_again, intend, lasting};
use super::{Files, Rig as _, a_row, a_run, at, import, now, number};

/// A run with two rejects among seven rows: one was reached, one is in flight, one waits, two are due.
async fn stocked(rig: &Files) -> (std::sync::Arc<dyn Store>, RunId) {
    let store = rig.engine().await;
    // Rows of another run are nobody's business here.
    let other = a_run("bbbbbbbbbbbb", "other");
    store.create_run(&other).await.unwrap();
    import(store.as_ref(), &other.id, vec![a_row(0, Ok(number(0)))]).await;
    let run = a_run("0123456789ab", "c");
    store.create_run(&run).await.unwrap();
    let reject = |kind, endpoint| RejectedRow {
        kind,
        reason: "not this one".into(),
        column: Some("phone".into()),
        value: None,
        endpoint,
    };
    let rows = (0..7).map(|nth| match nth {
        2 => a_row(nth, Err(reject(RejectKind::Invalid, None))),
        5 => a_row(nth, Err(reject(RejectKind::Duplicate, Some(number(0))))),
        _ => a_row(nth, Ok(number(nth))),
    });
    import(store.as_ref(), &run.id, rows.collect()).await;
    let later = DueAt::At(at(now().as_second() + 60));
    let facts = [&[accepted(2)][..], &lasting(2), &[due_again(6, later)]].concat();
    let intents = [intend(2), intend(3)];
    store.intend(&run.id, &intents, &facts).await.unwrap();
    (store, run.id)
}

fn lines(rows: &[ResultRow]) -> Vec<u64> {
    rows.iter().map(|row| row.line).collect()
}

#[tokio::test]
async fn rows_come_in_the_list_s_order_page_by_page_and_whole() {
    let rig = Files::new();
    let (store, run) = stocked(&rig).await;
    let (mut rows, mut after) = (Vec::new(), RecipientId(0));
    loop {
        let page = store.results(&run, after, 3).await.unwrap();
        assert!(page.len() <= 3);
        let Some(last) = page.last() else { break };
        after = last.recipient;
        rows.extend(page);
    }
    assert_eq!(lines(&rows), [2, 3, 4, 5, 6, 7, 8], "each once");
    // A row comes with its cells, whatever became of it, and all its attempts.
    assert_eq!(rows[2].cells, [number(2), "row 2".into()]);
    let whose: Vec<usize> = rows.iter().map(|row| row.attempts.len()).collect();
    assert_eq!(whose, [1, 1, 0, 0, 0, 0, 0]);
    assert_eq!(rows[0].disposition, Some(Disposition::Reached));
    assert_eq!(rows[0].attempts[0].stage, Stage::Final);
    assert_eq!(rows[1].disposition, None);
    // Rejects alone are those rows, behind whom is asked for.
    let rejects = store.rejects(&run, RecipientId(0), 10).await.unwrap();
    assert_eq!(lines(&rejects), [4, 7]);
    let behind = store.rejects(&run, rejects[0].recipient, 10).await.unwrap();
    assert_eq!(behind, rejects[1..]);
    assert_eq!(
        rejects[1].reason.as_deref(),
        Some("the same number as line 2")
    );
}

#[tokio::test]
async fn a_tally_adds_up_to_the_rows() {
    let rig = Files::new();
    let (store, run) = stocked(&rig).await;
    let tally = store.tally(&run).await.unwrap();
    let rows = store.results(&run, RecipientId(0), 100).await.unwrap();
    assert_eq!(tally.rows, u64::try_from(rows.len()).unwrap());
    assert!(tally.adds_up(), "{tally:?}");
    for disposition in [
        Disposition::Reached,
        Disposition::Invalid,
        Disposition::Duplicate,
        Disposition::Unreached,
    ] {
        let of = rows
            .iter()
            .filter(|row| row.disposition == Some(disposition));
        let of = u64::try_from(of.count()).unwrap();
        assert_eq!(tally.of(disposition), of, "{disposition}");
    }
    assert_eq!((tally.in_flight, tally.waiting, tally.pending), (1, 1, 2));
    // Whom the run has still to call are those who wait and those who are due.
    let backlog = store.backlog(&run).await.unwrap();
    let left: u64 = backlog.iter().map(|alike| alike.recipients).sum();
    assert_eq!(left, tally.waiting + tally.pending);
}

#[tokio::test]
async fn a_recipient_is_found_with_their_duplicates() {
    let rig = Files::new();
    let (store, run) = stocked(&rig).await;
    let found = async |whom| {
        let stories = store.stories(&run, &whom).await.unwrap();
        let lines = stories.iter().map(|story| story.row.line);
        lines.collect::<Vec<_>>()
    };
    assert_eq!(found(RecipientQuery::Endpoint(number(0))).await, [2, 7]);
    assert_eq!(found(RecipientQuery::Line(4)).await, [4]);
    assert_eq!(found(RecipientQuery::Line(99)).await, [0; 0]);
    let stories = store.stories(&run, &RecipientQuery::Line(6)).await.unwrap();
    assert_eq!(stories[0].waits.len(), 1, "{stories:?}");
}
