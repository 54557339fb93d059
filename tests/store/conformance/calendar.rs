//! The calendar: each occurrence has one fate.

use callout::domain::{Busy, RunId, Skip, SkipReason};
use callout::store::{NewRun, OccurrenceFate, RunEnd, Store, StoreError};
use jiff::{SignedDuration, Timestamp};

use super::{Files, Rig as _, a_run, at, import, rows};

/// A run of the campaign `c` that is for an occurrence.
fn starting(id: &str, scheduled_for: i64) -> NewRun {
    NewRun {
        scheduled_for: Some(at(scheduled_for)),
        expires_at: Some(at(scheduled_for + 60)),
        created_at: at(100),
        ..a_run(id, "c")
    }
}

async fn is_taken(store: &dyn Store, run: &NewRun) {
    let result = store.create_run(run).await;
    let taken = matches!(result, Err(StoreError::OccurrenceTaken { .. }));
    assert!(taken, "{result:?}");
}

/// Makes the first start of `c` at 50, a run that has ended.
async fn ended(store: &dyn Store) -> RunId {
    let run = starting("aaaaaaaaaaaa", 50);
    store.create_run(&run).await.unwrap();
    import(store, &run.id, rows(1)).await;
    let end = RunEnd::Expired;
    store.end_run(&run.id, &end, at(99)).await.unwrap();
    run.id
}

fn skips(seconds: &[i64]) -> Vec<Skip> {
    let why = SkipReason::Overlap(RunId::new("aaaaaaaaaaaa"));
    let skip = |second: &i64| Skip {
        at: at(*second),
        why: why.clone(),
    };
    seconds.iter().map(skip).collect()
}

async fn handled(store: &dyn Store, by: i64) -> Option<Timestamp> {
    store.occurrences_until("c", at(by)).await.unwrap().handled
}

#[tokio::test]
async fn an_occurrence_is_run_once_or_skipped() {
    let rig = Files::new();
    let store = rig.engine().await;
    let first = ended(store.as_ref()).await;
    is_taken(store.as_ref(), &starting("bbbbbbbbbbbb", 50)).await;
    let runs = store.run_heads("").await.unwrap();
    assert_eq!(runs.len(), 1, "all of it or nothing");
    // A skip changes nothing about it, and what is skipped does not run.
    let skips = skips(&[50, 60, 70]);
    assert_eq!(store.record_skips("c", &skips, at(100)).await.unwrap(), 2);
    assert_eq!(store.record_skips("c", &skips, at(101)).await.unwrap(), 0);
    is_taken(store.as_ref(), &starting("cccccccccccc", 60)).await;
    // Another campaign has its own.
    let other = NewRun {
        campaign: "other".into(),
        ..starting("eeeeeeeeeeee", 50)
    };
    store.create_run(&other).await.unwrap();
    let records = store.occurrences("c", 10).await.unwrap();
    let told: Vec<(i64, bool)> = records
        .iter()
        .map(|r| {
            (
                r.scheduled_for.as_second(),
                matches!(r.fate, OccurrenceFate::Run(_)),
            )
        })
        .collect();
    assert_eq!(told, [(70, false), (60, false), (50, true)]);
    let latest = store.occurrences("c", 1).await.unwrap();
    assert_eq!(latest, records[..1]);
    let run = store.run(&first).await.unwrap();
    let end = at(50).checked_add(SignedDuration::from_mins(1)).unwrap();
    assert_eq!(
        (run.scheduled_for, run.expires_at),
        (Some(at(50)), Some(end))
    );
}

#[tokio::test]
async fn what_is_known_depends_on_the_time_that_is_asked_about() {
    let rig = Files::new();
    let store = rig.engine().await;
    ended(store.as_ref()).await;
    store
        .record_skips("c", &skips(&[60, 70]), at(100))
        .await
        .unwrap();
    for (by, known) in [(49, None), (65, Some(60)), (1_000, Some(70))] {
        assert_eq!(handled(store.as_ref(), by).await, known.map(at), "{by}");
    }
}

#[tokio::test]
async fn a_run_that_never_began_frees_its_start() {
    let rig = Files::new();
    let store = rig.engine().await;
    let first = ended(store.as_ref()).await;
    let busy = async || store.occurrences_until("c", at(100)).await.unwrap().busy;
    let is_over = Busy {
        run: first,
        from: at(100),
        until: Some(at(99)),
    };
    for _ in 0..2 {
        let second = starting("ffffffffffff", 80);
        store.create_run(&second).await.unwrap();
        assert_eq!(handled(store.as_ref(), 90).await, Some(at(80)));
        let goes_on = Busy {
            run: second.id.clone(),
            from: at(100),
            until: None,
        };
        assert_eq!(
            busy().await,
            Some(goes_on),
            "the one that is not over is in the way"
        );
        store.forget_planned(&second.id).await.unwrap();
        assert_eq!(handled(store.as_ref(), 90).await, Some(at(50)));
        assert_eq!(busy().await, Some(is_over.clone()));
    }
}
