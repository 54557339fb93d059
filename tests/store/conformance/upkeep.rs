//! The database as a whole: its copies, what doubles, and its clock.

use callout::domain::{ClockAccepted, RecipientId};
use callout::store::{self, Access, Copied};

use super::engine::{accepted, intend};
use super::{Files, Rig as _, a_run, at, now};

#[tokio::test]
async fn a_backup_is_whole_and_stays_what_it_was() {
    let rig = Files::new();
    let (store, run) = rig.stocked(3).await;
    store
        .intend(&run, &[intend(1)], &[accepted(1)])
        .await
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("copy.db");
    let copied = store.backup(&to).await.unwrap();
    let expected = Copied {
        runs: 1,
        attempts: 1,
    };
    assert_eq!(copied, expected);
    // What is there already is not written over.
    store.backup(&to).await.unwrap_err();
    let rows = store.results(&run, RecipientId(0), 10).await.unwrap();
    let tally = store.tally(&run).await.unwrap();
    // What happens from then on is not in it.
    store.intend(&run, &[intend(2)], &[]).await.unwrap();
    let address = format!("sqlite:{}", to.display());
    let copy = store::open(&address, Access::Beside, None).await.unwrap();
    copy.check().await.unwrap();
    assert_eq!(copy.tally(&run).await.unwrap(), tally);
    assert_eq!(copy.results(&run, RecipientId(0), 10).await.unwrap(), rows);
}

#[tokio::test]
async fn of_a_sound_database_nothing_is_lacking_and_nothing_doubled() {
    let rig = Files::new();
    let (store, run) = rig.stocked(2).await;
    store.intend(&run, &[intend(1)], &[]).await.unwrap();
    for id in ["hhhhhhhhhhh1", "hhhhhhhhhhh2"] {
        let by_hand = a_run(id, callout::domain::BY_HAND);
        store.create_run(&by_hand).await.unwrap();
    }
    store.check().await.unwrap();
    assert_eq!(store.gap().await.unwrap(), None);
    assert_eq!(store.doubled_runs().await.unwrap(), []);
    assert!(store.foreign_answers().is_empty());
    assert!(!store.vacuum_owed().await.unwrap());
    store.close().await.unwrap();
    drop(store);
    let again = rig.engine().await;
    assert_eq!(again.tally(&run).await.unwrap().in_flight, 1);
}

#[tokio::test]
async fn the_newest_moment_is_known_until_somebody_accepts_the_clock() {
    let rig = Files::new();
    let store = rig.engine().await;
    assert_eq!(store.newest().await.unwrap(), None);
    drop(store);
    let (store, run) = rig.stocked(1).await;
    let later = at(now().as_second() + 100);
    store.begin_work(&run, now()).await.unwrap();
    let intent = store::Intent {
        at: later,
        ..intend(1)
    };
    store.intend(&run, &[intent], &[]).await.unwrap();
    let newest = store.newest().await.unwrap().unwrap();
    assert_eq!((newest.at, newest.run.as_ref()), (later, Some(&run)));
    let accepted = ClockAccepted {
        who: "ada".into(),
        wall: now(),
        newest,
    };
    store.accept_clock(&accepted).await.unwrap();
    let newest = store.newest().await.unwrap();
    assert!(newest.is_none_or(|newest| newest.at <= now()), "told once");
}
