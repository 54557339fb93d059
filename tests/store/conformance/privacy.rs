//! Forgetting people: whoever is erased is in no row and no words, and the counts stay.

use callout::domain::{
    AttemptState, Digits, Disposition, RecipientId, RunId, RunState, Stage, Suppression, Tally,
};
use callout::store::{DueAt, Fact, NewRun, Store, Was};

use super::engine::{accepted, intend, lasting, moves};
use super::inbox::ended;
use super::suppression::on;
use super::{Files, Rig as _, a_row, a_run, import, now, number, rows};

/// The number of the first row, and its digits within its country.
fn first() -> (Digits, String) {
    let number = number(0);
    let national = number.strip_prefix("+46").unwrap().to_owned();
    (Digits::of(&number).unwrap(), national)
}

async fn tally(store: &dyn Store, run: &RunId) -> Tally {
    store.tally(run).await.unwrap()
}

/// Everything in words that a report may show of a run.
async fn words(store: &dyn Store, run: &RunId) -> String {
    let rows = store.results(run, RecipientId(0), 100).await.unwrap();
    let definition = store.run(run).await.unwrap().definition;
    format!("{rows:?} {definition}")
}

#[tokio::test]
async fn who_is_erased_is_in_no_row_and_no_words_and_the_counts_stay() {
    let rig = Files::new();
    let store = rig.engine().await;
    let (digits, national) = first();
    let run = NewRun {
        definition: format!("call nobody but {}", number(0)),
        ..a_run("0123456789ab", "c")
    };
    store.create_run(&run).await.unwrap();
    import(store.as_ref(), &run.id, rows(3)).await;
    let other = a_run("bbbbbbbbbbbb", "other");
    store.create_run(&other).await.unwrap();
    import(store.as_ref(), &other.id, vec![a_row(0, Ok(number(0)))]).await;
    let [over, done] = lasting(1);
    let facts = [accepted(1), over, done];
    store.intend(&run.id, &[intend(1)], &facts).await.unwrap();
    // What the platform and people say of somebody else may have it in words.
    let said = AttemptState::NotSent(format!("not {}, {national}", number(0)));
    let not_sent = moves(2, Stage::Intended, said);
    let due = Fact::Due {
        recipient: RecipientId(2),
        from: Was::InFlight,
        at: DueAt::At(now()),
        waiting: None,
    };
    store
        .intend(&run.id, &[intend(2)], &[not_sent, due])
        .await
        .unwrap();
    let listed = Suppression {
        why: Some(format!("as {} asked", number(0))),
        ..on("a", 1)
    };
    let one = std::iter::once(digits.value() + 1).collect();
    store.suppress(&listed, &one).await.unwrap();
    let before = tally(store.as_ref(), &run.id).await;
    assert!(words(store.as_ref(), &run.id).await.contains(&national));
    let erasure = store
        .erase(digits, &national, &on("erased", 1))
        .await
        .unwrap();
    assert_eq!((erasure.rows, erasure.runs, erasure.pending), (2, 2, 1));
    assert_eq!(erasure.texts, 3, "definition, note, reason: {erasure:?}");
    let lists = store.suppressions().await.unwrap();
    let reasons = format!("{:?}", lists.counts());
    assert!(
        reasons.contains("asked") && !reasons.contains(&national),
        "{reasons}"
    );
    for run in [&run.id, &other.id] {
        let words = words(store.as_ref(), run).await;
        assert!(!words.contains(&national), "{words}");
    }
    // Who was called counts as before; who was not is called no more.
    assert_eq!(tally(store.as_ref(), &run.id).await, before);
    let other = tally(store.as_ref(), &other.id).await;
    assert_eq!((other.pending, other.of(Disposition::Suppressed)), (0, 1));
    assert!(store.vacuum_owed().await.unwrap());
    store.vacuum().await.unwrap();
}

#[tokio::test]
async fn a_call_that_goes_on_is_told_and_its_row_left_alone() {
    let rig = Files::new();
    let (store, run) = rig.stocked(2).await;
    let (digits, national) = first();
    store
        .intend(&run, &[intend(1)], &[accepted(1)])
        .await
        .unwrap();
    let open = store.open_calls_to(digits).await.unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!(
        (&open[0].run, open[0].call.as_deref()),
        (&run, Some("call-1"))
    );
    let erasure = store
        .erase(digits, &national, &on("erased", 1))
        .await
        .unwrap();
    assert_eq!(erasure.rows, 0);
    store.record(&run, &lasting(1)).await.unwrap();
    assert_eq!(store.open_calls_to(digits).await.unwrap(), []);
    let erasure = store
        .erase(digits, &national, &on("erased", 1))
        .await
        .unwrap();
    assert_eq!(erasure.rows, 1);
}

#[tokio::test]
async fn a_purged_run_has_its_counts_and_nobody_s_data() {
    let rig = Files::new();
    let (store, run) = ended(&rig).await;
    let before = tally(store.as_ref(), &run).await;
    store.purge(&run, now()).await.unwrap();
    let after = tally(store.as_ref(), &run).await;
    assert_eq!(after, before);
    let purged = store.run(&run).await.unwrap();
    assert_eq!(purged.state, RunState::Cancelled);
    assert_eq!((purged.purged_at, purged.list_sha256), (Some(now()), None));
    let words = words(store.as_ref(), &run).await;
    for nth in 0..3 {
        assert!(!words.contains(&number(nth)), "{words}");
    }
    assert!(!words.contains("row 1"), "{words}");
}
