//! Which numbers a list has had already, in little memory; and where the first of them stood.
//!
//! Numbers are kept as a compressed bitmap of their digits: a few bytes each, no rows. That cannot
//! say *where* a number was first, so [`locate_duplicates`] reads the list again, and only for who
//! wants to tell a person.

use std::collections::{BTreeMap, HashSet};

use roaring::RoaringTreemap;

use crate::campaign::{Campaign, Faults, Script};
use crate::domain::{Destination, DestinationKind};

use super::reader::ListReader;
use super::verdict::{RowCheck, RowVerdict};

/// The destinations seen so far.
#[derive(Debug, Default)]
pub(super) struct Seen {
    numbers: RoaringTreemap,
    names: HashSet<String>,
}

impl Seen {
    /// Notes a destination; false where it was there.
    pub(super) fn insert(&mut self, destination: &Destination) -> bool {
        let endpoint = &destination.endpoint;
        let digits = match destination.kind {
            DestinationKind::Number => endpoint.trim_start_matches('+').parse().ok(),
            DestinationKind::Username => None,
        };
        match digits {
            // Country codes do not begin with 0, so the digits are the number.
            Some(digits) => self.numbers.insert(digits),
            None => self.names.insert(endpoint.clone()),
        }
    }
}

/// For duplicates, given as (line, content of the number's cell), the line of the row that came
/// first: a second pass over the list, in memory that grows with `duplicates` alone.
pub fn locate_duplicates(
    campaign: &Campaign,
    script: &Script,
    duplicates: &[(u64, String)],
) -> Result<BTreeMap<u64, u64>, Faults> {
    let mut list = ListReader::open(&campaign.recipients)?;
    let check = RowCheck::new(campaign, script.clone(), list.header())?;
    let mut wanted: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for (line, cell) in duplicates {
        if let Ok((destination, _)) = check.destination(cell) {
            wanted.entry(destination.endpoint).or_default().push(*line);
        }
    }
    let mut found = BTreeMap::new();
    while !wanted.is_empty() {
        let Some(row) = list.next_row()? else { break };
        // The row that came first is the first *valid* one with the number.
        if let RowVerdict::Valid { destination, .. } = check.verdict(&row.cells) {
            let later = wanted.remove(&destination.endpoint).unwrap_or_default();
            found.extend(later.into_iter().map(|line| (line, row.line)));
        }
    }
    Ok(found)
}
