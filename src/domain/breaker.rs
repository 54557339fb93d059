//! The breaker: it opens when too many of the latest callouts failed on the platform's side.

use std::collections::VecDeque;

/// How many of the latest callouts are looked at.
const LATEST: usize = 100;
/// Below this many nothing is concluded.
const AT_LEAST: usize = 50;

/// Watches the latest callouts. An open breaker pauses the run; a resume begins with a new one.
#[derive(Debug, Default)]
pub struct Breaker {
    failed: VecDeque<bool>,
    failures: usize,
}

impl Breaker {
    /// Notes a callout that failed on the platform's side.
    pub fn failed(&mut self) {
        self.note(true);
    }

    /// Notes a callout that the platform answered as it should, whatever it said.
    pub fn answered(&mut self) {
        self.note(false);
    }

    /// In words why the breaker is open, if it is.
    pub fn open(&self) -> Option<String> {
        let seen = self.failed.len();
        (seen >= AT_LEAST && self.failures * 2 >= seen).then(|| {
            format!(
                "{} of the latest {seen} callouts failed on the platform's side",
                self.failures
            )
        })
    }

    fn note(&mut self, failed: bool) {
        if self.failed.len() == LATEST && self.failed.pop_front() == Some(true) {
            self.failures -= 1;
        }
        self.failed.push_back(failed);
        self.failures += usize::from(failed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_at_half_of_the_latest_and_never_below_fifty() {
        let mut breaker = Breaker::default();
        (0..49).for_each(|_| breaker.failed());
        assert_eq!(breaker.open(), None);
        breaker.answered();
        assert!(breaker.open().unwrap().starts_with("49 of the latest 50"));
        (0..99).for_each(|_| breaker.answered());
        assert_eq!(breaker.open(), None);
    }
}
