//! Suppression lists: sets, whatever is done to them, and who was erased stays suppressed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use callout::domain::suppression::ERASED;
use callout::domain::{Digits, Suppression};
use callout::store::{Added, ListAct, Removal, Store};
use jiff::Timestamp;
use proptest::prelude::*;
use roaring::RoaringTreemap;

use super::{Files, Rig as _, at, number};

/// What a person does to the lists.
#[derive(Debug, Clone)]
enum Act {
    Add(&'static str, BTreeSet<u64>),
    Remove(Option<&'static str>, BTreeSet<u64>),
    Erase(u64),
}

fn number_in(part: u64, low: u64) -> u64 {
    // Around the end of a row and of a bitmap.
    [(1 << 34) - 20, (1 << 34) + (1 << 24) - 20, (5 << 32) + 7][usize::try_from(part).unwrap()]
        + low
}

fn any_act() -> impl Strategy<Value = Act> {
    // Few enough to meet again.
    let number = (0..3_u64, 0..40_u64).prop_map(|(part, low)| number_in(part, low));
    let numbers = proptest::collection::btree_set(number.clone(), 1..50);
    let list = prop_oneof![Just("a"), Just("b")];
    prop_oneof![
        4 => (list.clone(), numbers.clone()).prop_map(|(list, n)| Act::Add(list, n)),
        3 => (proptest::option::of(list), numbers).prop_map(|(list, n)| Act::Remove(list, n)),
        1 => number.prop_map(Act::Erase),
    ]
}

/// The plainest lists that could be: names and sets.
type Model = BTreeMap<&'static str, BTreeSet<u64>>;

async fn apply(store: &dyn Store, model: &mut Model, act: &Act, at: Timestamp) {
    let reason = |list: &str| Suppression {
        list: list.into(),
        who: "ada".into(),
        at,
        why: None,
        until: None,
    };
    match act {
        Act::Add(list, numbers) => {
            let erased: BTreeSet<u64> = numbers & &model[ERASED];
            let kept = numbers - &erased;
            let renewed = (&kept & &model[list]).len() as u64;
            let expected = Added {
                new: kept.len() as u64 - renewed,
                renewed,
                erased: erased.len() as u64,
            };
            model.get_mut(list).unwrap().extend(&kept);
            let added = store
                .suppress(&reason(list), &numbers.iter().collect())
                .await;
            assert_eq!(added.unwrap(), expected);
        }
        Act::Remove(list, numbers) => {
            let mut expected = 0;
            for (_, set) in model
                .iter_mut()
                .filter(|(name, _)| list.is_none_or(|l| l == **name))
            {
                expected += (&*set & numbers).len() as u64;
                *set = &*set - numbers;
            }
            let removal = Removal {
                list: list.map(str::to_owned),
                who: "ada".into(),
                at,
                why: None,
            };
            let removed = store.unsuppress(&numbers.iter().collect(), &removal).await;
            assert_eq!(removed.unwrap(), expected);
        }
        Act::Erase(number) => {
            for set in model.values_mut() {
                set.retain(|n| n != number);
            }
            model.get_mut(ERASED).unwrap().insert(*number);
            let number = Digits::from_value(*number);
            store
                .suppress_erased(number, &reason(ERASED), &[7; 32])
                .await
                .unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn lists_are_sets_whatever_is_done_to_them(
        acts in proptest::collection::vec(any_act(), 1..25)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let rig = Files::new();
            let store = rig.beside().await;
            let mut model: Model = ["a", "b", ERASED].map(|name| (name, BTreeSet::new())).into();
            let mut at = Timestamp::UNIX_EPOCH;
            let mut known = store.suppressions().await.unwrap();
            for act in &acts {
                at += Duration::from_secs(1);
                apply(store.as_ref(), &mut model, act, at).await;
                if let Some(changed) = store.suppressions_since(known.revision()).await.unwrap() {
                    known = changed;
                }
                let seen: BTreeSet<u64> = model.values().flatten().copied().collect();
                let all = (0..3_u64).flat_map(|part| (0..40).map(move |low| (part, low)));
                for number in all.map(|(part, low)| number_in(part, low)) {
                    let digits = Digits::from_value(number);
                    let found = known.of(digits);
                    let mut lists: Vec<&str> = found.iter().map(|r| r.list.as_str()).collect();
                    lists.sort_unstable();
                    let expected: Vec<&str> = model
                        .iter()
                        .filter(|(_, set)| set.contains(&number))
                        .map(|(name, _)| *name)
                        .collect();
                    assert_eq!(lists, expected);
                    let why = known.contains(&digits.e164(), at);
                    assert_eq!(why.is_some(), seen.contains(&number));
                }
            }
        });
    }
}

fn digits(nth: usize) -> Digits {
    Digits::of(&number(nth)).unwrap()
}

/// A reason that ada had.
pub(super) fn on(list: &str, second: i64) -> Suppression {
    Suppression {
        list: list.into(),
        who: "ada".into(),
        at: at(second),
        why: None,
        until: None,
    }
}

#[tokio::test]
async fn who_was_erased_stays_suppressed_and_is_not_stored_again() {
    let rig = Files::new();
    let store = rig.engine().await;
    let both: RoaringTreemap = [digits(1), digits(2)]
        .map(Digits::value)
        .into_iter()
        .collect();
    let added = store.suppress(&on("a", 1), &both).await.unwrap();
    assert_eq!((added.new, added.renewed, added.erased), (2, 0, 0));
    let erased = on(ERASED, 2);
    store
        .suppress_erased(digits(1), &erased, &[7; 32])
        .await
        .unwrap();
    let added = store.suppress(&on("b", 3), &both).await.unwrap();
    assert_eq!((added.new, added.renewed, added.erased), (1, 0, 1));
    let lists = store.suppressions().await.unwrap();
    let clear: Vec<u64> = lists.entries().map(|(number, _)| number.value()).collect();
    assert_eq!(
        clear,
        [digits(2).value(); 2],
        "on both lists, the other on none"
    );
    assert!(lists.contains(&number(1), at(9)).is_some());
    assert!(lists.is_erased(&number(1)) && !lists.is_erased(&number(2)));
    let changes = store.list_changes().await.unwrap();
    let acts: BTreeSet<_> = changes
        .iter()
        .map(|change| (change.list.clone().unwrap(), change.what.as_str()))
        .collect();
    let add = ListAct::Add.as_str();
    assert!(acts.contains(&("b".to_owned(), add)), "{acts:?}");
}

#[tokio::test]
async fn a_change_is_seen_by_its_revision() {
    let rig = Files::new();
    let (store, beside) = (rig.engine().await, rig.beside().await);
    let before = store.suppressions().await.unwrap().revision();
    assert!(store.suppressions_since(before).await.unwrap().is_none());
    let one: RoaringTreemap = std::iter::once(digits(1).value()).collect();
    beside.suppress(&on("a", 1), &one).await.unwrap();
    let changed = store.suppressions_since(before).await.unwrap().unwrap();
    assert!(changed.contains(&number(1), at(9)).is_some());
    let now = changed.revision();
    assert!(store.suppressions_since(now).await.unwrap().is_none());
}
