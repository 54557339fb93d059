//! The audit: what the platform saw beside what the engine wrote down.
//!
//! It holds for any campaign whose list names each number once, whatever was killed and whatever
//! went wrong on the way. It returns what is violated, so that a test can also demand that
//! something is: an audit that accepts planted bugs proves nothing.

use std::collections::{HashMap, HashSet};

use super::{Desk, Platform, Table};

/// The attempt's note after a restart that found no answer.
pub(crate) const KILLED: &str = "the engine stopped before the answer was recorded";

/// What the two sides say, and where they disagree.
#[derive(Debug)]
pub(crate) struct Audit {
    pub(crate) posts: Table,
    pub(crate) ledger: Table,
    pub(crate) attempts: Table,
    pub(crate) results: Table,
    pub(crate) violations: Vec<String>,
}

impl Audit {
    /// Audits the latest run of a desk, its list being `list.csv`.
    pub(crate) fn of(desk: &Desk, platform: &Platform) -> Self {
        let mut audit = Self {
            posts: platform.posts(),
            ledger: platform.ledger(),
            attempts: desk.export("attempts"),
            results: desk.export("results"),
            violations: Vec::new(),
        };
        // Whom a call was connected to is nobody of the list.
        let ledger = audit.ledger.clone();
        audit
            .ledger
            .rows
            .retain(|row| ledger.cell(row, "leg_of").is_empty());
        audit.posts_are_as_documented();
        audit.posts_are_single_and_intended();
        audit.phones_ring_once();
        audit.answers_agree();
        audit.every_row_has_its_end(&desk.table("list.csv"));
        audit
    }

    /// Uncertain attempts of each restart that found any.
    pub(crate) fn lost_in_kills(&self) -> Vec<usize> {
        let mut found: HashMap<&str, usize> = HashMap::new();
        for row in &self.attempts.rows {
            if self.attempts.cell(row, "note") == KILLED {
                let at = self.attempts.cell(row, "answered_at");
                *found.entry(at).or_default() += 1;
            }
        }
        found.into_values().collect()
    }

    fn posts_are_as_documented(&mut self) {
        for (note, count) in self.posts.counts("against") {
            if !note.is_empty() {
                self.violations.push(format!("{count} POSTs: {note}"));
            }
        }
    }

    fn posts_are_single_and_intended(&mut self) {
        let known: HashSet<&str> = self.attempts.column("attempt").into_iter().collect();
        for (attempt, count) in self.posts.counts("attempt") {
            if count > 1 {
                let text = format!("attempt {attempt} was POSTed {count} times");
                self.violations.push(text);
            }
            if !known.contains(attempt) {
                let text = format!("{attempt} was POSTed and never intended");
                self.violations.push(text);
            }
        }
    }

    fn phones_ring_once(&mut self) {
        for (phone, count) in self.ledger.counts("destination") {
            if count > 1 {
                self.violations.push(format!("{phone} rang {count} times"));
            }
        }
    }

    /// What the engine says of an attempt is what the platform did, or that it does not know.
    fn answers_agree(&mut self) {
        let (posts, ledger) = (self.posts.clone(), self.ledger.clone());
        let by_attempt = |table: &Table| -> HashMap<String, Vec<String>> {
            let rows = table.rows.iter();
            rows.map(|row| (table.cell(row, "attempt").to_owned(), row.clone()))
                .collect()
        };
        let (posted, placed) = (by_attempt(&posts), by_attempt(&ledger));
        for row in &self.attempts.rows {
            let cell = |name| self.attempts.cell(row, name);
            let (id, state) = (cell("attempt"), cell("state"));
            let call = placed.get(id).map(|row| ledger.cell(row, "call_id"));
            let post = posted.get(id);
            let answered = post.is_some_and(|row| posts.cell(row, "status") == "200");
            let faulty = post.is_some_and(|row| !posts.cell(row, "fault").is_empty());
            let agrees = match state {
                "final" => call == Some(cell("call_id")),
                // A phone may have rung, or the POST never left; a POST that arrived in good health
                // and rang nobody was refused, which is a certainty.
                "uncertain" => post.is_none() || call.is_some() || faulty,
                "not sent" | "refused" => call.is_none() && !answered,
                _ => false,
            };
            if !agrees {
                self.violations.push(format!(
                    "attempt {id} is {state}, the platform's call {call:?}"
                ));
            }
        }
    }

    fn every_row_has_its_end(&mut self, list: &Table) {
        let width = list.header.len();
        if self.results.header[..width] != list.header || self.results.rows.len() != list.rows.len()
        {
            self.violations.push("rows or columns were lost".into());
            return;
        }
        for (result, listed) in self.results.rows.iter().zip(&list.rows) {
            if result[..width] != listed[..] {
                self.violations.push(format!("{listed:?} was touched"));
            }
            let end = self.results.cell(result, "call_disposition");
            let known = [
                "reached",
                "unreached",
                "refused",
                "uncertain",
                "invalid",
                "duplicate",
            ];
            if !known.contains(&end) {
                self.violations.push(format!("{listed:?} ended as `{end}`"));
            }
        }
    }
}
