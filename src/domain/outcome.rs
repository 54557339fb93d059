//! How a call ended, in the platform's own words.

use super::Money;

/// The platform's final word on a call. Everything is kept raw, and in bounds; what the platform did
/// not say is `None` (FACTS §4: `result`, `reason`, `duration`, `debit`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// `ANSWERED`, `BUSY`, `NOANSWER`, `FAILED`, `N/A`, or a word we do not know yet.
    pub result: Option<String>,
    /// `CALLEEHANGUP`, `TIMEOUT`, … open as well.
    pub reason: Option<String>,
    /// How long the call lasted, in whole seconds; none where the platform did not say.
    pub duration_s: Option<i64>,
    /// What the call cost.
    pub debit: Option<Money>,
    /// A duration that it said and that cannot be one, in its own words.
    pub unread_duration: Option<String>,
    /// A debit that it said and that cannot be read, in its own words: the call is billed, and nobody
    /// knows with how much.
    pub unread_debit: Option<String>,
}

impl Outcome {
    /// The outcome of a call that exists but whose result nobody could tell us.
    pub fn unknown() -> Self {
        Self::default()
    }

    /// This outcome with what it leaves open taken from a later word on the same call. What is known
    /// stays, and a word that contradicts it adds nothing.
    #[must_use]
    pub fn completed(self, later: Self) -> Self {
        let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
        match (&self.result, &later.result) {
            (Some(known), Some(told)) if !same(known, told) => self,
            _ => {
                let duration_s = self.duration_s.or(later.duration_s);
                let debit = self.debit.or(later.debit);
                Self {
                    result: self.result.or(later.result),
                    reason: self.reason.or(later.reason),
                    unread_duration: (self.unread_duration.or(later.unread_duration))
                        .filter(|_| duration_s.is_none()),
                    unread_debit: (self.unread_debit.or(later.unread_debit))
                        .filter(|_| debit.is_none()),
                    duration_s,
                    debit,
                }
            }
        }
    }

    /// Whether the recipient was reached: the call was answered.
    pub fn answered(&self) -> bool {
        self.result
            .as_deref()
            .is_some_and(|r| r.eq_ignore_ascii_case("ANSWERED"))
    }

    /// Whether its result or its price is still to be told. Who did not answer is not billed.
    pub fn leaves_open(&self) -> bool {
        self.result.is_none() || self.debit.is_none() && !self.unanswered()
    }

    /// Whether the platform may know a price that it did not tell by itself.
    pub fn lacks_price(&self) -> bool {
        self.leaves_open() || self.debit.is_none()
    }

    /// In words, what the platform said that is not believed; none where there is nothing of the kind.
    pub fn doubt(&self) -> Option<String> {
        let said = [
            ("duration", &self.unread_duration),
            ("debit", &self.unread_debit),
        ];
        let said: Vec<String> = said
            .into_iter()
            .filter_map(|(what, said)| Some(format!("{what} `{}`", said.as_ref()?)))
            .collect();
        (!said.is_empty()).then(|| {
            format!(
                "the platform said {}, which is not believed",
                said.join(" and ")
            )
        })
    }

    /// Whether the platform says that nobody answered: nothing is billed for such a call.
    pub fn unanswered(&self) -> bool {
        let result = self.result.as_deref().unwrap_or_default();
        let nobody = ["BUSY", "NOANSWER", "FAILED"]
            .iter()
            .any(|word| result.eq_ignore_ascii_case(word));
        nobody && self.duration_s.unwrap_or(0) <= 0 && self.unread_debit.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_believed_is_said_in_the_platform_s_words() {
        let outcome = Outcome {
            unread_duration: Some("9223372036854775808".into()),
            unread_debit: Some("NaN".into()),
            ..Outcome::default()
        };
        assert_eq!(
            outcome.doubt().unwrap(),
            "the platform said duration `9223372036854775808` and debit `NaN`, which is not believed"
        );
        assert_eq!(Outcome::default().doubt(), None);
    }
}
