//! How a call ended, in the platform's own words.

use super::Money;

/// The platform's final word on a call. Everything is kept raw; what the platform did not say is
/// `None` (FACTS §4: `result`, `reason`, `duration`, `debit`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// `ANSWERED`, `BUSY`, `NOANSWER`, `FAILED`, `N/A`, or a word we do not know yet.
    pub result: Option<String>,
    /// `CALLEEHANGUP`, `TIMEOUT`, … open as well.
    pub reason: Option<String>,
    /// Whole seconds.
    pub duration_s: Option<i64>,
    /// What the call cost.
    pub debit: Option<Money>,
}

impl Outcome {
    /// The outcome of a call that exists but whose result nobody could tell us.
    pub fn unknown() -> Self {
        Self::default()
    }

    /// Whether the recipient was reached: the call was answered.
    pub fn answered(&self) -> bool {
        self.result
            .as_deref()
            .is_some_and(|r| r.eq_ignore_ascii_case("ANSWERED"))
    }

    /// Whether the platform says that nobody answered: nothing is billed for such a call.
    pub fn unanswered(&self) -> bool {
        let result = self.result.as_deref().unwrap_or_default();
        let nobody = ["BUSY", "NOANSWER", "FAILED"]
            .iter()
            .any(|word| result.eq_ignore_ascii_case(word));
        nobody && self.duration_s.unwrap_or(0) <= 0
    }
}
