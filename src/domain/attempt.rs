//! One attempt, as a state that carries its data and one pure transition function.
//!
//! ```text
//! intended → accepted(call id) → final(outcome)
//!          ↘ not sent        closed, counts for nothing
//!          ↘ refused         a final 4xx
//!          ↘ uncertain → accepted | final | settled by a person
//! ```
//!
//! Everything that moves an attempt goes through [`AttemptState::after`]: an answer, a poll, a
//! callback, a record, recovery, a person.

use std::fmt;

use super::verdict::Refusal;
use super::{CallId, NotSent, Outcome, Uncertainty, Verdict};

/// Where an attempt stands, without what is known of it: the word in the database and in CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// See [`AttemptState::Intended`].
    Intended,
    /// See [`AttemptState::Accepted`].
    Accepted,
    /// See [`AttemptState::Final`].
    Final,
    /// See [`AttemptState::NotSent`].
    NotSent,
    /// See [`AttemptState::Refused`].
    Refused,
    /// See [`AttemptState::Uncertain`].
    Uncertain,
}

impl Stage {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Intended,
        Self::Accepted,
        Self::Final,
        Self::NotSent,
        Self::Refused,
        Self::Uncertain,
    ];

    /// The word in the database and in CSV.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Intended => "intended",
            Self::Accepted => "accepted",
            Self::Final => "final",
            Self::NotSent => "not sent",
            Self::Refused => "refused",
            Self::Uncertain => "uncertain",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == word)
    }

    /// Whether the attempt counts in `call_attempts`: it reached the platform, and was not refused
    /// by 429.
    pub fn counts(self) -> bool {
        self != Self::NotSent
    }

    /// Whether more may still become known of the attempt.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Intended | Self::Accepted | Self::Uncertain)
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where an attempt stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptState {
    /// Written down; its POST may leave once, or may have left.
    Intended,
    /// The platform runs a call for it.
    Accepted(CallId),
    /// The call is over.
    Final {
        /// The call, where its id is known.
        call: Option<CallId>,
        /// How it ended.
        outcome: Outcome,
    },
    /// Proved not sent. The recipient is due again under a new attempt.
    NotSent(String),
    /// The platform refused it for good.
    Refused(Refusal),
    /// Sent, and nobody told us whether a phone rang.
    Uncertain(Uncertainty),
}

/// What can happen to an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptEvent {
    /// Its POST was answered, or was not.
    Answered(Verdict),
    /// A poll, a callback or a record named its call while that goes on.
    Seen(CallId),
    /// A poll, a callback or a record told how its call ended.
    Ended(Option<CallId>, Outcome),
    /// Its POST never left: the run stopped, or the window closed before.
    Kept(String),
    /// The refusal turned out to be the account's fault: nothing rang, and nobody is to pay for it.
    TakenBack(String),
    /// A person says that a refusal that was taken back is the recipient's own after all.
    RefusalStands(Refusal),
    /// The engine died after the intent, and nothing tells whether the POST had left.
    Recovered,
    /// A person knows that no phone rang.
    SettledNotCalled(String),
}

/// An event that cannot follow a state. A value, so that the caller decides what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an attempt that is {from:?} cannot take {event:?}")]
pub struct IllegalStep {
    /// The state, unchanged.
    pub from: Box<AttemptState>,
    /// The event, unused.
    pub event: Box<AttemptEvent>,
}

impl AttemptState {
    /// The state after an event. A repeat changes nothing; of a final state nothing changes that was
    /// known, whatever comes late.
    pub fn after(self, event: AttemptEvent) -> Result<Self, IllegalStep> {
        use AttemptEvent as E;
        use AttemptState as S;
        Ok(match (self, event) {
            (S::Intended, E::Answered(verdict)) => match verdict {
                Verdict::Accepted(call) => S::Accepted(call),
                Verdict::Refused(refusal) => S::Refused(refusal),
                Verdict::NotSent(NotSent { why, .. }) => S::NotSent(why),
                Verdict::Uncertain(uncertainty) => S::Uncertain(uncertainty),
            },
            (S::Intended, E::Recovered) => S::Uncertain(Uncertainty {
                side: super::Side::Ours,
                why: "the engine stopped before the answer was recorded".into(),
                accepted: false,
            }),
            (S::Intended | S::Uncertain(_), E::Seen(call)) => S::Accepted(call),
            (S::Intended | S::Uncertain(_), E::Ended(call, outcome)) => S::Final { call, outcome },
            (S::Accepted(call), E::Ended(_, outcome)) => S::Final {
                call: Some(call),
                outcome,
            },
            (S::Refused(_), E::TakenBack(why))
            | (S::Intended, E::Kept(why))
            | (S::Intended | S::Uncertain(_), E::SettledNotCalled(why)) => S::NotSent(why),
            (S::NotSent(_), E::RefusalStands(refusal)) => S::Refused(refusal),
            // The callback overtook the POST's answer, or said it again.
            (S::Accepted(call), E::Answered(Verdict::Accepted(again)) | E::Seen(again))
                if call == again =>
            {
                S::Accepted(call)
            }
            // A callback with our attempt id proved the call before the POST's answer was lost.
            (S::Accepted(call), E::Answered(Verdict::Uncertain(_)) | E::Recovered) => {
                S::Accepted(call)
            }
            // What nobody could tell when it ended, a record may: its result, its price.
            (S::Final { call, outcome }, E::Ended(named, later)) => S::Final {
                outcome: match (&call, &named) {
                    (Some(call), Some(named)) if call != named => outcome,
                    _ => outcome.completed(later),
                },
                call: call.or(named),
            },
            // What is over stays over, whatever comes late; recovery looks at everything, again and
            // again.
            (
                state @ S::Final { .. },
                E::Answered(Verdict::Accepted(_) | Verdict::Uncertain(_))
                | E::Seen(_)
                | E::Recovered,
            )
            | (state @ (S::NotSent(_) | S::Refused(_) | S::Uncertain(_)), E::Recovered) => state,
            (from, event) => {
                return Err(IllegalStep {
                    from: Box::new(from),
                    event: Box::new(event),
                });
            }
        })
    }

    /// Whether a phone may ring, or may have rung, for all we know.
    pub fn may_have_rung(&self) -> bool {
        !matches!(self, Self::NotSent(_) | Self::Refused(_))
    }

    /// The state without its data.
    pub fn stage(&self) -> Stage {
        match self {
            Self::Intended => Stage::Intended,
            Self::Accepted(_) => Stage::Accepted,
            Self::Final { .. } => Stage::Final,
            Self::NotSent(_) => Stage::NotSent,
            Self::Refused(_) => Stage::Refused,
            Self::Uncertain(_) => Stage::Uncertain,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::Side;

    fn call(n: u8) -> CallId {
        CallId::new(&format!("call-{n}")).unwrap()
    }

    /// Outcomes that contradict each other, and leave things open.
    fn outcome(n: u8) -> Outcome {
        Outcome {
            result: ["ANSWERED", "BUSY"].get(usize::from(n)).map(|&r| r.into()),
            reason: (n == 0).then(|| "CALLEEHANGUP".into()),
            duration_s: (n < 3).then(|| i64::from(n)),
            ..Outcome::default()
        }
    }

    /// Whether everything that was known still stands.
    fn keeps(before: &Outcome, after: &Outcome) -> bool {
        let [result, reason] = [
            (&before.result, &after.result),
            (&before.reason, &after.reason),
        ]
        .map(|(before, after)| before.is_none() || before == after);
        let duration = before.duration_s.is_none() || before.duration_s == after.duration_s;
        result && reason && duration
    }

    fn any_event() -> impl Strategy<Value = AttemptEvent> {
        let uncertain = Uncertainty {
            side: Side::Network,
            why: "reset".into(),
            accepted: false,
        };
        prop_oneof![
            (0..2_u8).prop_map(|n| AttemptEvent::Answered(Verdict::Accepted(call(n)))),
            Just(AttemptEvent::Answered(Verdict::Uncertain(uncertain))),
            (0..2_u8).prop_map(|n| AttemptEvent::Seen(call(n))),
            (0..2_u8, 0..4_u8).prop_map(|(n, o)| AttemptEvent::Ended(Some(call(n)), outcome(o))),
            (0..4_u8).prop_map(|o| AttemptEvent::Ended(None, outcome(o))),
            Just(AttemptEvent::Recovered),
            Just(AttemptEvent::SettledNotCalled("asked them".into())),
        ]
    }

    proptest! {
        #[test]
        fn what_is_known_of_a_final_call_stays_whatever_comes_late(
            events in proptest::collection::vec(any_event(), 0..12)
        ) {
            let mut state = AttemptState::Intended;
            for event in events {
                let before = state.clone();
                state = state.after(event).unwrap_or_else(|illegal| *illegal.from);
                if let AttemptState::Final { call, outcome } = before {
                    let AttemptState::Final { call: now, outcome: later } = &state else {
                        return Err(TestCaseError::fail("a final attempt moved"));
                    };
                    prop_assert!(call.is_none() || &call == now);
                    prop_assert!(keeps(&outcome, later), "{:?} {:?}", outcome, later);
                }
            }
        }

        #[test]
        fn an_attempt_that_may_have_rung_is_never_called_not_sent_without_a_person(
            events in proptest::collection::vec(any_event(), 0..12)
        ) {
            let mut state = AttemptState::Intended;
            for event in events {
                let person = matches!(event, AttemptEvent::SettledNotCalled(_));
                let before = state.may_have_rung();
                state = state.after(event).unwrap_or_else(|illegal| *illegal.from);
                prop_assert!(person || !before || state.may_have_rung());
            }
        }

        #[test]
        fn a_repeat_changes_nothing(event in any_event()) {
            let once = AttemptState::Intended.after(event.clone()).unwrap();
            let twice = once.clone().after(event).unwrap_or_else(|illegal| *illegal.from);
            prop_assert_eq!(once, twice);
        }
    }
}
