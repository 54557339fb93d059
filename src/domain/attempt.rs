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
use super::{AttemptId, CallId, NotSent, Outcome, Uncertainty, Verdict};

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
        /// Who says so.
        word: Word,
    },
    /// Proved not sent. The recipient is due again under a new attempt.
    NotSent(String),
    /// The platform refused it for good.
    Refused(Refusal),
    /// Sent, and nobody told us whether a phone rang.
    Uncertain(Uncertainty),
}

/// Whose word it is that a call ended so. The platform's stands above a person's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Word {
    /// The platform's: a poll, an event, a record.
    Platform,
    /// A person's, who settled an attempt of which nobody had told.
    Person,
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
    /// A person knows that a phone rang, and how the call ended.
    SettledCalled(Outcome),
    /// A person knows that no phone rang.
    SettledNotCalled(String),
}

impl AttemptEvent {
    /// The call that it names.
    pub fn call(&self) -> Option<&CallId> {
        match self {
            Self::Answered(Verdict::Accepted(call)) | Self::Seen(call) => Some(call),
            Self::Ended(call, _) => call.as_ref(),
            _ => None,
        }
    }
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
    /// The state after an event. A repeat changes nothing, and what the platform tells may come in any
    /// order, before the answer to the POST as well. Of a final state nothing changes that the platform
    /// told, whatever comes late; its word that there is a call stands above an answer that was lost or
    /// said otherwise, and above a person's.
    ///
    /// An event of another call than the one that is known changes nothing: see [`second_call`](Self::second_call).
    pub fn after(self, event: AttemptEvent) -> Result<Self, IllegalStep> {
        use AttemptEvent as E;
        use AttemptState as S;
        if self.second_call(&event).is_some() {
            return Ok(self);
        }
        Ok(match (self, event) {
            (state, E::Seen(call))
            | (state @ S::Final { .. }, E::Answered(Verdict::Accepted(call))) => state.seen(call),
            (state, E::Ended(call, outcome)) => state.ended(call, outcome),
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
            (S::Intended | S::Uncertain(_), E::SettledCalled(outcome)) => S::Final {
                call: None,
                outcome,
                word: Word::Person,
            },
            (S::Refused(_), E::TakenBack(why))
            | (S::Intended, E::Kept(why))
            | (S::Intended | S::Uncertain(_), E::SettledNotCalled(why)) => S::NotSent(why),
            (S::NotSent(_), E::RefusalStands(refusal)) => S::Refused(refusal),
            // An event overtook the POST's answer, which says the same, was lost, or is not true of a
            // call that is there. Recovery looks at everything, again and again.
            (state @ (S::Accepted(_) | S::Final { .. }), E::Answered(_) | E::Recovered)
            | (state @ (S::NotSent(_) | S::Refused(_) | S::Uncertain(_)), E::Recovered) => state,
            (from, event) => {
                return Err(IllegalStep {
                    from: Box::new(from),
                    event: Box::new(event),
                });
            }
        })
    }

    /// The platform knows of a call: whatever was answered, lost or said, it is there.
    fn seen(self, named: CallId) -> Self {
        match self {
            Self::Final {
                call,
                outcome,
                word: Word::Platform,
            } => Self::Final {
                call: call.or(Some(named)),
                outcome,
                word: Word::Platform,
            },
            _ => Self::Accepted(named),
        }
    }

    /// The platform knows how a call ended.
    fn ended(self, named: Option<CallId>, told: Outcome) -> Self {
        let (call, outcome, word) = match self {
            Self::Accepted(call) => (Some(call), told, Word::Platform),
            // What nobody could tell when it ended, a later word may: its result, its price.
            Self::Final {
                call,
                outcome,
                word: Word::Platform,
            } => (call, outcome.completed(told), Word::Platform),
            Self::Final { call, outcome, .. } if told.result.is_none() => {
                (call, told.completed(outcome), Word::Person)
            }
            Self::Final { call, .. } => (call, told, Word::Platform),
            Self::Intended | Self::NotSent(_) | Self::Refused(_) | Self::Uncertain(_) => {
                (None, told, Word::Platform)
            }
        };
        Self::Final {
            call: call.or(named),
            outcome,
            word,
        }
    }

    /// The call that is known, where an event speaks of another one: one attempt made two calls, which is
    /// never to happen, and a person must look.
    pub fn second_call<'a>(&'a self, event: &'a AttemptEvent) -> Option<(&'a CallId, &'a CallId)> {
        let named = event.call()?;
        let known = match self {
            Self::Accepted(call) => call,
            Self::Final { call, .. } => call.as_ref()?,
            _ => return None,
        };
        (known != named).then_some((known, named))
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

/// In words, that one attempt has two calls: both are named, so that a person can look at them.
pub fn two_calls(attempt: AttemptId, known: &CallId, other: &CallId) -> String {
    format!("attempt {attempt} has call {known}, and call {other} as well")
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
            (0..4_u8).prop_map(|o| AttemptEvent::SettledCalled(outcome(o))),
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
                if let AttemptState::Final { call, outcome, word: Word::Platform } = before {
                    let AttemptState::Final { call: now, outcome: later, .. } = &state else {
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
        fn what_the_platform_tells_of_a_call_comes_to_the_same_in_whatever_order(
            told in proptest::collection::vec(0..3_u8, 1..8),
            answer in 0..3_u8,
            settled in 0..3_u8,
            places in proptest::collection::vec(any::<prop::sample::Index>(), 10),
        ) {
            // One call, as the platform has it; each word on it tells a part.
            let truth = outcome(0);
            let word = |part: &u8| match part {
                0 => AttemptEvent::Seen(call(0)),
                1 => AttemptEvent::Ended(Some(call(0)), truth.clone()),
                _ => AttemptEvent::Ended(Some(call(0)), Outcome { duration_s: None, ..truth.clone() }),
            };
            let mut events: Vec<AttemptEvent> = told.iter().map(word).collect();
            // Whatever was done with them in between.
            let mut between = vec![match answer {
                0 => AttemptEvent::Answered(Verdict::Accepted(call(0))),
                1 => AttemptEvent::Answered(Verdict::Uncertain(Uncertainty {
                    side: Side::Network, why: "reset".into(), accepted: false })),
                _ => AttemptEvent::Recovered,
            }];
            match settled {
                0 => {}
                1 => between.push(AttemptEvent::SettledNotCalled("asked them".into())),
                _ => between.push(AttemptEvent::SettledCalled(outcome(1))),
            }
            let play = |events: &[AttemptEvent]| {
                let mut state = AttemptState::Intended;
                for event in events {
                    state = state.after(event.clone()).unwrap_or_else(|illegal| *illegal.from);
                }
                state
            };
            events.splice(0..0, between);
            let in_order = play(&events);
            for (from, to) in places.iter().enumerate() {
                let (from, to) = (from % events.len(), to.index(events.len()));
                events.swap(from, to);
            }
            prop_assert_eq!(&play(&events), &in_order);
            match in_order {
                AttemptState::Final { outcome, word, .. } => {
                    prop_assert_eq!((outcome.result, word), (truth.result, Word::Platform));
                }
                state => {
                    prop_assert!(told.iter().all(|part| *part == 0));
                    prop_assert_eq!(state, AttemptState::Accepted(call(0)));
                }
            }
        }

        #[test]
        fn a_second_call_of_one_attempt_is_noticed_in_whatever_order(
            first in 0..2_u8, ended in any::<bool>(), other_ended in any::<bool>()
        ) {
            let word = |n, ended| if ended {
                AttemptEvent::Ended(Some(call(n)), outcome(0))
            } else {
                AttemptEvent::Seen(call(n))
            };
            let state = AttemptState::Intended.after(word(first, ended)).unwrap();
            let other = word(1 - first, other_ended);
            prop_assert_eq!(state.second_call(&other), Some((&call(first), &call(1 - first))));
            prop_assert_eq!(state.clone().after(other).unwrap(), state);
        }

        #[test]
        fn a_repeat_changes_nothing(event in any_event()) {
            let once = AttemptState::Intended.after(event.clone()).unwrap();
            let twice = once.clone().after(event).unwrap_or_else(|illegal| *illegal.from);
            prop_assert_eq!(once, twice);
        }
    }
}
