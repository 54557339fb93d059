//! Suppression lists: numbers are put on them and taken off.

use std::collections::BTreeMap;

use jiff::Timestamp;
use roaring::RoaringTreemap;
use serde_json::{Value, json};

use super::runs::workers;
use super::{App, Error, Refusal};
use crate::domain::suppression::ERASED;
use crate::domain::{Digits, Suppression, Suppressions};
use crate::recipients::{NumberList, NumbersRead, read_numbers};
use crate::report::moments::Zone;
use crate::report::summary::{counted, grouped};
use crate::store::{Access, Added, ListChange, Removal};

/// Why numbers must not be called, as somebody says it.
#[derive(Debug, Clone)]
pub(crate) struct Reason {
    /// The list.
    pub(crate) list: String,
    /// Why, in their words.
    pub(crate) why: Option<String>,
    /// Until when; none: for good.
    pub(crate) until: Option<Timestamp>,
}

/// What came of a file of numbers.
#[derive(Debug)]
pub(crate) struct Imported {
    /// The reason as it was written down.
    pub(crate) reason: Suppression,
    /// What the file has.
    pub(crate) read: NumbersRead,
    /// What of it is new.
    pub(crate) added: Added,
}

/// What came of taking numbers off.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Removed {
    /// So many entries were taken off lists.
    pub(crate) entries: u64,
    /// So many of the numbers are on another list.
    pub(crate) still_suppressed: usize,
}

/// What taking numbers off lists would do, as it stands.
#[derive(Debug, Default)]
pub(crate) struct Removable {
    /// So many of the numbers are on such a list.
    pub(crate) numbers: u64,
    /// So many of them are on each list.
    pub(crate) lists: BTreeMap<String, u64>,
}

impl Removable {
    fn of(lists: &Suppressions, numbers: &RoaringTreemap, list: Option<&str>) -> Self {
        let mut found = Self::default();
        for number in numbers {
            let reasons = lists.of(Digits::from_value(number));
            let names = reasons.into_iter().map(|reason| reason.list.as_str());
            let mut names: Vec<&str> = names
                .filter(|name| list.is_none_or(|list| list == *name))
                .collect();
            names.sort_unstable();
            names.dedup();
            found.numbers += u64::from(!names.is_empty());
            for name in names {
                *found.lists.entry(name.to_owned()).or_default() += 1;
            }
        }
        found
    }

    /// So many of the numbers were erased.
    pub(crate) fn erased(&self) -> u64 {
        self.lists.get(ERASED).copied().unwrap_or_default()
    }

    /// Who was erased asked for it: that they may be called again has a reason.
    fn refuse_without(&self, why: Option<&str>) -> Result<(), Error> {
        match (self.erased(), why.map(str::trim)) {
            (1.., None | Some("")) => Err(Refusal::ReasonNeeded(self.erased()).into()),
            _ => Ok(()),
        }
    }
}

impl App {
    /// The suppression lists of the database, if there is one.
    pub(crate) async fn suppressions_if_any(&self) -> Result<Suppressions, Error> {
        let Some(store) = self.open_if_any().await? else {
            return Ok(Suppressions::default());
        };
        let lists = store.suppressions().await?;
        store.close().await?;
        Ok(lists)
    }

    /// Puts numbers on a list.
    pub(crate) async fn suppress(
        &self,
        reason: Reason,
        numbers: &RoaringTreemap,
    ) -> Result<(Suppression, Added), Error> {
        let reason = self.reason(reason);
        let store = self.open(Access::BesideOrNew).await?;
        let added = store.suppress(&reason, numbers).await?;
        store.close().await?;
        Ok((reason, added))
    }

    /// Puts the numbers of a file on a list; those that are none are named and left out.
    pub(crate) async fn import_suppressed(
        &self,
        list: &NumberList,
        reason: Reason,
    ) -> Result<Imported, Error> {
        if let Err(error) = std::fs::metadata(&list.file) {
            let why = format!("{} cannot be read: {error}", list.file.display());
            return Err(Refusal::input("file", why).into());
        }
        let reason = self.reason(reason);
        // Read before the database is touched: whoever else works on it waits for the writing alone.
        let shown = self.counting("reading the numbers", None);
        let read = read_numbers(list, workers())?;
        let store = self.open(Access::BesideOrNew).await?;
        let added = if read.numbers.is_empty() {
            Added::default()
        } else {
            let added = store.suppress(&reason, &read.numbers).await?;
            store.imported_again(&reason.list).await?;
            added
        };
        store.close().await?;
        drop(shown);
        Ok(Imported {
            reason,
            read,
            added,
        })
    }

    /// Counts what [`App::unsuppress`] would do with these.
    pub(crate) async fn removable(
        &self,
        numbers: &RoaringTreemap,
        list: Option<&str>,
        why: Option<&str>,
    ) -> Result<Removable, Error> {
        let store = self.open(Access::Beside).await?;
        let lists = store.suppressions().await?;
        store.close().await?;
        let removable = Removable::of(&lists, numbers, list);
        removable.refuse_without(why)?;
        Ok(removable)
    }

    /// Takes numbers off one list or, without a name, off all. Erased ones are refused without a reason.
    pub(crate) async fn unsuppress(
        &self,
        numbers: &RoaringTreemap,
        list: Option<&str>,
        why: Option<String>,
    ) -> Result<Removed, Error> {
        let now = self.clock.wall();
        let store = self.open(Access::Beside).await?;
        let lists = store.suppressions().await?;
        Removable::of(&lists, numbers, list).refuse_without(why.as_deref())?;
        let removal = Removal {
            list: list.map(str::to_owned),
            who: self.settings.who.clone(),
            at: now,
            why,
        };
        let entries = store.unsuppress(numbers, &removal).await?;
        let lists = store.suppressions().await?;
        store.close().await?;
        let still = |number: &u64| {
            let e164 = Digits::from_value(*number).e164();
            lists.contains(&e164, now).is_some()
        };
        Ok(Removed {
            entries,
            still_suppressed: numbers.iter().filter(still).count(),
        })
    }

    fn reason(&self, reason: Reason) -> Suppression {
        Suppression {
            list: reason.list,
            who: self.settings.who.clone(),
            at: self.clock.wall(),
            why: reason.why,
            until: reason.until,
        }
    }
}

/// What came of putting numbers on a list, for people.
pub(crate) fn added_text(reason: &Suppression, added: Added) -> String {
    let numbers = counted(added.new, "number", "numbers");
    let new = format!("{numbers} put on list {}", reason.list);
    let renewed = match added.renewed {
        0 => String::new(),
        n => format!("; {} were on it already", grouped(n)),
    };
    let erased = match added.erased {
        0 => String::new(),
        n => format!(
            "; {} were erased: they are suppressed already, and not stored again",
            grouped(n)
        ),
    };
    new + &renewed + &erased
}

/// The same for programs.
pub(crate) fn added_json(reason: &Suppression, added: Added) -> Value {
    json!({
        "list": reason.list, "new": added.new, "renewed": added.renewed, "erased": added.erased,
        "until": reason.until.map(|until| until.to_string()),
    })
}

/// What stands on one suppression list.
#[derive(Debug)]
pub(crate) struct ListCounts<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// All numbers on it.
    pub(crate) numbers: u64,
    /// Those that it does not suppress any more.
    pub(crate) expired: u64,
    /// Whether earlier rules read its numbers.
    pub(crate) import_again: bool,
    /// Its latest change.
    pub(crate) change: Option<&'a ListChange>,
}

/// What stands on the lists, or on the one that is wanted.
pub(crate) fn counts<'a>(
    lists: &'a Suppressions,
    changes: &'a [ListChange],
    wanted: Option<&str>,
    now: Timestamp,
) -> Vec<ListCounts<'a>> {
    let mut counts: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for (reason, numbers) in lists.counts() {
        let (all, expired) = counts.entry(&reason.list).or_default();
        *all += numbers;
        if !reason.holds(now) {
            *expired += numbers;
        }
    }
    counts.retain(|name, _| wanted.is_none_or(|list| list == *name));
    let one = |(name, (numbers, expired))| ListCounts {
        name,
        numbers,
        expired,
        import_again: lists.read_earlier().any(|list| list == name),
        change: changes.iter().find(|c| c.list.as_deref() == Some(name)),
    };
    counts.into_iter().map(one).collect()
}

impl ListCounts<'_> {
    /// What was done to the list last, in words; empty where nobody knows.
    pub(crate) fn last_change(&self, zone: &Zone) -> String {
        self.change.map_or(String::new(), |change| {
            let (what, numbers) = (change.what.as_str(), grouped(change.numbers));
            let at = zone.stamp(change.at);
            format!("{what} {numbers} by {}, {at}", change.who)
        })
    }

    /// For programs.
    pub(crate) fn json(&self) -> Value {
        json!({
            "list": self.name, "numbers": self.numbers, "expired": self.expired,
            "import_again": self.import_again,
            "last_change": self.change.map(|c| json!({
                "what": c.what.as_str(), "numbers": c.numbers, "who": c.who, "at": c.at.to_string(),
            })),
        })
    }
}

/// Why and since when a number is suppressed, in words.
pub(crate) fn reason_words(reason: &Suppression, now: Timestamp, zone: &Zone) -> String {
    let until = match reason.until {
        None => String::new(),
        Some(until) if reason.holds(now) => format!(", until {}", zone.stamp(until)),
        Some(until) => format!(", EXPIRED {}", zone.stamp(until)),
    };
    let why = reason.why.as_ref().map(|why| format!(": {why}"));
    format!(
        "list {}, by {}, {}{until}{}",
        reason.list,
        reason.who,
        zone.stamp(reason.at),
        why.unwrap_or_default()
    )
}

/// The same for programs.
pub(crate) fn reason_json(reason: &Suppression, now: Timestamp) -> Value {
    json!({
        "list": reason.list, "who": reason.who, "at": reason.at.to_string(), "reason": reason.why,
        "until": reason.until.map(|until| until.to_string()), "expired": !reason.holds(now),
    })
}
