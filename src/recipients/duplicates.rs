//! Where the number of a duplicate stood first.
//!
//! Which numbers a list has had already is kept as a compressed bitmap of their digits: a few bytes
//! each, no rows. That cannot say *where* a number was first, so [`locate_duplicates`] reads the list
//! again, and only for who wants to tell a person.

use std::collections::BTreeMap;

use crate::campaign::{Campaign, Faults, Script};
use crate::domain::{Destination, DestinationKind, Digits, Screen};

use super::reader::ListReader;
use super::verdict::{RowCheck, RowVerdict};

/// The number of a destination, the same for all ways to write it; none where it is a name.
fn person(destination: &Destination) -> Option<Digits> {
    let number = destination.kind == DestinationKind::Number;
    let digits = number.then(|| Digits::of(&destination.endpoint)).flatten();
    digits.map(Digits::person)
}

/// What duplicates have in common.
fn key(destination: Destination) -> String {
    person(&destination).map_or(destination.endpoint, Digits::e164)
}

/// For duplicates, given as (line, content of the number's cell), the line of the row that came
/// first: a second pass over the list, in memory that grows with `duplicates` alone.
pub fn locate_duplicates(
    campaign: &Campaign,
    script: &Script,
    duplicates: &[(u64, String)],
) -> Result<BTreeMap<u64, u64>, Faults> {
    let mut list = ListReader::open(&campaign.recipients)?;
    let check = RowCheck::new(campaign, script.clone(), list.header(), Screen::none())?;
    let mut wanted: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for (line, cell) in duplicates {
        if let Ok((destination, _)) = check.destination(cell) {
            wanted.entry(key(destination)).or_default().push(*line);
        }
    }
    let mut found = BTreeMap::new();
    while !wanted.is_empty() {
        let Some(row) = list.next_row()? else { break };
        // The row that came first is the first *valid* one with the number.
        if let RowVerdict::Valid { destination, .. } = check.verdict(&row.cells) {
            let later = wanted.remove(&key(destination)).unwrap_or_default();
            found.extend(later.into_iter().map(|line| (line, row.line)));
        }
    }
    Ok(found)
}
