//! The same people again: whom an earlier run has reached, and how many of a new list it had.

use std::collections::{BTreeMap, HashSet};

use roaring::RoaringTreemap;

use super::{Digits, Disposition, RunId};

/// Those who are called though an earlier run had them, where only whom it did not reach are called:
/// nobody else was called and answered, or may have been.
const NOT_REACHED: [Disposition; 4] = [
    Disposition::Unreached,
    Disposition::Refused,
    Disposition::Expired,
    Disposition::Cancelled,
];

/// Endpoints in little memory: numbers are a compressed bitmap of their digits, some bytes each.
#[derive(Debug, Clone, Default)]
pub struct Endpoints {
    numbers: RoaringTreemap,
    names: HashSet<String>,
}

impl Endpoints {
    /// Adds an endpoint; false where it, or the same person's in another spelling, was there.
    pub fn insert(&mut self, endpoint: &str) -> bool {
        match person(endpoint) {
            Some(digits) => self.numbers.insert(digits.value()),
            None => self.names.insert(endpoint.to_owned()),
        }
    }

    /// Whether an endpoint is among them.
    pub fn contains(&self, endpoint: &str) -> bool {
        match person(endpoint) {
            Some(digits) => self.numbers.contains(digits.value()),
            None => self.names.contains(endpoint),
        }
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.numbers.len() + self.names.len() as u64
    }

    /// How many of them are among others as well.
    fn common(&self, others: &Self) -> u64 {
        self.numbers.intersection_len(&others.numbers)
            + self.names.intersection(&others.names).count() as u64
    }
}

/// A number, the same for all ways to write it; none where it is a name.
fn person(endpoint: &str) -> Option<Digits> {
    Digits::of(endpoint).map(Digits::person)
}

/// The endpoints of a run's rows by what became of them; none: nothing yet.
#[derive(Debug, Clone, Default)]
pub struct RunEndpoints(BTreeMap<Option<Disposition>, Endpoints>);

impl RunEndpoints {
    /// Adds a row.
    pub fn add(&mut self, endpoint: &str, became: Option<Disposition>) {
        self.0.entry(became).or_default().insert(endpoint);
    }

    /// What became of an endpoint. A row that was called counts before one that was a duplicate of it.
    fn fate(&self, endpoint: &str) -> EarlierCall {
        let mut fate = EarlierCall::NotThere;
        for (became, rows) in &self.0 {
            if !rows.contains(endpoint) {
                continue;
            }
            match became {
                None => return EarlierCall::StillToCall,
                Some(reject) if is_reject(*reject) => fate = EarlierCall::Became(*reject),
                Some(end) => return EarlierCall::Became(*end),
            }
        }
        fate
    }

    /// How many of a list's endpoints the run had, and what became of them.
    pub fn overlap(&self, list: &Endpoints) -> Overlap {
        let mut overlap = Overlap {
            of: list.count(),
            ..Overlap::default()
        };
        for (became, rows) in &self.0 {
            let common = match became {
                Some(reject) if is_reject(*reject) => continue,
                _ => list.common(rows),
            };
            overlap.within += common;
            if !matches!(became, Some(Disposition::Expired | Disposition::Cancelled)) {
                overlap.called += common;
            }
            if *became == Some(Disposition::Reached) {
                overlap.reached += common;
            }
        }
        overlap
    }
}

/// What became of an endpoint in a run.
enum EarlierCall {
    NotThere,
    StillToCall,
    Became(Disposition),
}

/// Whether such a row was never to be called.
fn is_reject(disposition: Disposition) -> bool {
    matches!(
        disposition,
        Disposition::Invalid | Disposition::Duplicate | Disposition::Suppressed
    )
}

/// A list compared with an earlier run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Overlap {
    /// Endpoints of the list.
    pub of: u64,
    /// Those whom the run was to call.
    pub within: u64,
    /// Those of them whom it called, or may still call.
    pub called: u64,
    /// Those of them whom it reached.
    pub reached: u64,
}

impl Overlap {
    /// Whether the list is mostly the run's, and the run has called somebody of it or may still do so.
    pub fn is_the_same_list(&self) -> bool {
        self.of > 0 && self.within >= self.of.div_ceil(2) && self.called > 0
    }
}

/// Of a list only those are called whom an earlier run was to call and did not reach.
#[derive(Debug, Clone)]
pub struct NotReachedBy {
    /// The earlier run.
    pub run: RunId,
    /// The rows of that run, by what became of them.
    pub rows: RunEndpoints,
}

impl NotReachedBy {
    /// Why somebody is left out; none where they are called.
    pub fn against(&self, endpoint: &str) -> Option<String> {
        let run = &self.run;
        match self.rows.fate(endpoint) {
            EarlierCall::Became(end) if NOT_REACHED.contains(&end) => None,
            EarlierCall::Became(Disposition::Reached) => Some(format!("reached by run {run}")),
            EarlierCall::Became(Disposition::Uncertain) => {
                Some(format!("uncertain in run {run}: the phone may have rung"))
            }
            EarlierCall::Became(reject) => Some(format!("{reject} in run {run}")),
            EarlierCall::StillToCall => Some(format!("run {run} is still to call them")),
            EarlierCall::NotThere => Some(format!("not in run {run}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(all: &[(&str, Option<Disposition>)]) -> RunEndpoints {
        let mut rows = RunEndpoints::default();
        for (endpoint, became) in all {
            rows.add(endpoint, *became);
        }
        rows
    }

    fn list(endpoints: &[&str]) -> Endpoints {
        let mut list = Endpoints::default();
        for endpoint in endpoints {
            list.insert(endpoint);
        }
        list
    }

    #[test]
    fn a_list_is_the_same_from_half_of_it_on_if_somebody_was_called() {
        use Disposition::{Cancelled, Duplicate, Reached, Uncertain};
        let run = rows(&[
            ("+461", Some(Reached)),
            ("+462", Some(Cancelled)),
            ("+463", Some(Duplicate)),
            ("anna", Some(Uncertain)),
            ("bo", None),
        ]);
        let overlap = run.overlap(&list(&["+461", "+462", "+463", "+464"]));
        let expected = Overlap {
            of: 4,
            within: 2,
            called: 1,
            reached: 1,
        };
        assert_eq!(overlap, expected);
        assert!(overlap.is_the_same_list());
        let less = run.overlap(&list(&["+461", "+462", "+463", "+464", "+465"]));
        assert!(!less.is_the_same_list(), "2 of 5 are not half");
        let nobody = run.overlap(&list(&["+462"]));
        assert!(!nobody.is_the_same_list(), "nobody was called");
        let names = run.overlap(&list(&["anna", "bo"]));
        assert_eq!((names.within, names.called), (2, 2));
        assert!(!run.overlap(&Endpoints::default()).is_the_same_list());
    }

    #[test]
    fn only_those_are_called_whom_nobody_can_have_answered_for() {
        use Disposition as D;
        let all: Vec<(String, Option<D>)> = D::ALL
            .into_iter()
            .map(Some)
            .chain([None])
            .enumerate()
            .map(|(nth, became)| (format!("+46{nth}1"), became))
            .collect();
        let mut run = RunEndpoints::default();
        for (endpoint, became) in &all {
            run.add(endpoint, *became);
        }
        // A later row with the same number does not hide what became of the first.
        run.add("+4611", Some(D::Duplicate));
        let only = NotReachedBy {
            run: RunId::new("0123456789ab"),
            rows: run,
        };
        for (endpoint, became) in all {
            let called = matches!(
                became,
                Some(D::Unreached | D::Refused | D::Expired | D::Cancelled)
            );
            assert_eq!(only.against(&endpoint).is_none(), called, "{became:?}");
        }
        assert!(only.against("+4699").is_some());
    }
}
