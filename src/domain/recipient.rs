//! Where a recipient stands, what follows for them on what became of an attempt, and why a row of the
//! list could not become a call.
//!
//! What follows is decided here for everybody: for the engine that polls, for a record, for a person
//! who settles, and for a run that closes.

use std::fmt;
use std::time::Duration;

use super::retry::Next;
use super::{Answered, AttemptState, InCall, RetryPolicy, Tried, Wanted};

/// Where a recipient stands (DESIGN, section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecipientState {
    /// To be called as soon as may be.
    Pending,
    /// To be called later.
    Waiting,
    /// An attempt on them is not over.
    InFlight,
    /// The verdict is there.
    Done(Disposition),
}

impl RecipientState {
    /// The word in the database, to which a disposition belongs where it is `done`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Waiting => "waiting",
            Self::InFlight => "in flight",
            Self::Done(_) => "done",
        }
    }

    /// Reads the words back; none where they say nothing that can be.
    pub fn parse(word: &str, disposition: Option<&str>) -> Option<Self> {
        match (word, disposition) {
            ("pending", None) => Some(Self::Pending),
            ("waiting", None) => Some(Self::Waiting),
            ("in flight", None) => Some(Self::InFlight),
            ("done", Some(disposition)) => Disposition::parse(disposition).map(Self::Done),
            _ => None,
        }
    }
}

/// What follows for a recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Follow {
    /// Their attempt goes on.
    InFlight,
    /// They are due again, and nothing was used up.
    Due,
    /// They are due again after a wait.
    Waits {
        /// How long, from now.
        wait: Duration,
        /// What they wait for.
        reason: WaitReason,
        /// How they were tried until now.
        tried: Tried,
    },
    /// They have their verdict.
    Done {
        /// The verdict, which is final.
        disposition: Disposition,
        /// Why, where the disposition alone does not say it.
        reason: Option<String>,
    },
}

/// What decides beside the attempt.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// Who is called again.
    pub retry: &'a RetryPolicy,
    /// What a call must bring beside its answer.
    pub wanted: Wanted,
    /// What was heard in the call, and what they pressed in the calls before it ([`InCall::stays`]).
    pub heard: InCall,
    /// Where the run calls nobody any more: what becomes of whoever was never tried.
    pub closing: Option<Disposition>,
    /// Drawn from 0 to 1, for the jitter of waits.
    pub chance: f64,
}

/// What follows for a recipient who was tried so before, once the latest attempt stands so.
pub fn after_attempt(attempt: &AttemptState, tried: Tried, terms: Terms<'_>) -> Follow {
    let done = |disposition, reason| Follow::Done {
        disposition,
        reason,
    };
    let heard = terms.heard;
    match attempt {
        AttemptState::Intended | AttemptState::Accepted(_) => Follow::InFlight,
        AttemptState::Uncertain(uncertainty) => {
            done(Disposition::Uncertain, Some(uncertainty.why.clone()))
        }
        // Whoever pressed a key has answered for good, whatever became of a call after that.
        _ if heard.has(InCall::PRESSED) => answered(tried, terms),
        AttemptState::Final { outcome, .. }
            if outcome.answered() || outcome.result.is_none() && heard.has(InCall::MACHINE) =>
        {
            answered(tried, terms)
        }
        AttemptState::Final { outcome, .. } => {
            let next = terms.retry.after(outcome, tried, terms.chance);
            again(next, terms).unwrap_or_else(|| done(Disposition::Unreached, None))
        }
        AttemptState::NotSent(_) => match terms.closing {
            Some(closing) => done(closed(tried, closing), None),
            None => Follow::Due,
        },
        AttemptState::Refused(refusal) => done(Disposition::Refused, Some(refusal.to_string())),
    }
}

/// How a recipient stands of whom something is heard late.
#[derive(Debug, Clone, Copy)]
pub struct Stands<'a> {
    /// Where they stand.
    pub state: RecipientState,
    /// Why, where their verdict has a reason.
    pub reason: Option<&'a str>,
    /// How they were tried until now.
    pub tried: Tried,
    /// How they were tried before the latest attempt after which they wait.
    pub tried_before: Tried,
    /// Whether the attempt that it was heard in is the latest on them.
    pub latest: bool,
    /// Whether another attempt on them is not over, or it is not known whether it was called.
    pub called: bool,
}

/// What follows for a recipient of what was heard in a call once that was over, as if it had been heard in time; none
/// where nothing does. An attempt that was made since is not taken back, but a key that was pressed before it
/// counts. A machine takes nothing back but what followed from its not being known.
pub fn heard_late(attempt: &AttemptState, stands: Stands<'_>, terms: Terms<'_>) -> Option<Follow> {
    use RecipientState as S;
    let pressed = terms.heard.has(InCall::PRESSED);
    let over = matches!(attempt, AttemptState::Final { .. });
    let decides = if pressed {
        !stands.called && !attempt.stage().is_live()
    } else {
        terms.heard.has(InCall::MACHINE) && stands.latest && over
    };
    let silent = stands.reason == Answered::NoResponse.why();
    let (open, before) = match stands.state {
        S::Pending | S::Waiting => (true, stands.tried_before),
        S::Done(Disposition::Reached) => (true, stands.tried),
        S::Done(Disposition::Unreached) => (pressed || silent, stands.tried),
        S::Done(
            Disposition::Suppressed
            | Disposition::Expired
            | Disposition::Cancelled
            | Disposition::Refused,
        ) => (pressed, stands.tried),
        S::InFlight | S::Done(_) => return None,
    };
    if !decides || !open {
        return None;
    }
    let follow = after_attempt(attempt, before, terms);
    let stays = match (&follow, stands.state) {
        (
            Follow::Done {
                disposition,
                reason,
            },
            S::Done(stands_so),
        ) => {
            let reached = *disposition == Disposition::Reached;
            *disposition == stands_so && (reached || reason.as_deref() == stands.reason)
        }
        (Follow::Waits { tried, .. }, S::Waiting) => *tried == stands.tried,
        _ => false,
    };
    (!stays).then_some(follow)
}

/// What follows a call that was answered.
fn answered(tried: Tried, terms: Terms<'_>) -> Follow {
    let worth = terms.wanted.of(terms.heard);
    let next = terms.retry.after_answer(worth, tried, terms.chance);
    again(next, terms).unwrap_or_else(|| Follow::Done {
        disposition: match worth {
            Answered::Reached => Disposition::Reached,
            _ => Disposition::Unreached,
        },
        reason: worth.why().map(str::to_owned),
    })
}

/// The wait for another attempt; none where none follows.
fn again(next: Next, terms: Terms<'_>) -> Option<Follow> {
    match next {
        Next::Again { wait, tried, fault } if terms.closing.is_none() => Some(Follow::Waits {
            wait,
            reason: if fault {
                WaitReason::Fault
            } else {
                WaitReason::Retry
            },
            tried,
        }),
        _ => None,
    }
}

/// The verdict on somebody who is called no more: whoever was called before was not reached.
pub fn closed(tried: Tried, closing: Disposition) -> Disposition {
    if tried == Tried::default() {
        closing
    } else {
        Disposition::Unreached
    }
}

/// The final verdict on one row of the list (DESIGN, section 5). While a recipient is still to be
/// called, waiting or in flight there is no disposition yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Disposition {
    /// A call was answered.
    Reached,
    /// Attempts used up on any other final result, known or not.
    Unreached,
    /// The platform refused the callout for good.
    Refused,
    /// The row cannot become a call.
    Invalid,
    /// An earlier row has the same number.
    Duplicate,
    /// The number is on a suppression list.
    Suppressed,
    /// A callout was sent and nobody told us whether a phone rang.
    Uncertain,
    /// The campaign ended before the recipient could be called.
    Expired,
    /// The run was cancelled before the recipient was called.
    Cancelled,
}

impl Disposition {
    /// All of them, in the order of the report.
    pub const ALL: [Self; 9] = [
        Self::Reached,
        Self::Unreached,
        Self::Refused,
        Self::Uncertain,
        Self::Invalid,
        Self::Duplicate,
        Self::Suppressed,
        Self::Expired,
        Self::Cancelled,
    ];

    /// The word in the database, in CSV and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reached => "reached",
            Self::Unreached => "unreached",
            Self::Refused => "refused",
            Self::Invalid => "invalid",
            Self::Duplicate => "duplicate",
            Self::Suppressed => "suppressed",
            Self::Uncertain => "uncertain",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|d| d.as_str() == word)
    }
}

impl fmt::Display for Disposition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a recipient waits for who is to be called later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WaitReason {
    /// The next attempt, after a call that did not reach them.
    Retry,
    /// The next attempt, after a fault of the platform.
    Fault,
    /// Their number was called often enough lately, by whatever run.
    PerNumber,
    /// The window's next opening.
    Window,
    /// Nothing that will come by itself: their time zone is not known, or the window never opens.
    Held,
}

impl WaitReason {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Retry,
        Self::Fault,
        Self::PerNumber,
        Self::Window,
        Self::Held,
    ];

    /// The word in the database and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Fault => "fault",
            Self::PerNumber => "per number",
            Self::Window => "window",
            Self::Held => "held",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }
}

/// Why a row became a reject: the dispositions that an import decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RejectKind {
    /// The row cannot become a call.
    Invalid,
    /// An earlier row has the same number.
    Duplicate,
    /// The number is on a suppression list.
    Suppressed,
}

impl From<RejectKind> for Disposition {
    fn from(kind: RejectKind) -> Self {
        match kind {
            RejectKind::Invalid => Self::Invalid,
            RejectKind::Duplicate => Self::Duplicate,
            RejectKind::Suppressed => Self::Suppressed,
        }
    }
}

/// What results.csv adds to the list's own columns (DESIGN, section 3). A list may not have a column
/// of one of these names.
pub const RESULT_COLUMNS: [&str; 11] = [
    "call_disposition",
    "call_attempts",
    "call_result",
    "call_reason",
    "call_id",
    "call_duration_s",
    "call_debit",
    "call_currency",
    "call_first_at",
    "call_last_at",
    "call_response",
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::retry::Waits;
    use crate::domain::{Outcome, Refusal, Side, SpeaksOf, Uncertainty, Word};

    fn terms(retry: &RetryPolicy, closing: Option<Disposition>) -> Terms<'_> {
        Terms {
            retry,
            wanted: Wanted::default(),
            heard: InCall::NOTHING,
            closing,
            chance: 0.5,
        }
    }

    fn ended(result: &str) -> AttemptState {
        AttemptState::Final {
            call: None,
            outcome: Outcome {
                result: Some(result.into()),
                ..Outcome::default()
            },
            word: Word::Platform,
        }
    }

    #[test]
    fn the_verdict_follows_from_the_attempt_whoever_tells_of_it() {
        let retry = RetryPolicy {
            max_attempts: 2,
            busy: Waits::After(vec![Duration::from_mins(10)]),
            ..RetryPolicy::default()
        };
        let never = Tried::default();
        let once = Tried {
            used: 1,
            busy: 1,
            ..never
        };
        let follow = |state: &AttemptState, tried, closing| {
            after_attempt(state, tried, terms(&retry, closing))
        };
        let done = |disposition| Follow::Done {
            disposition,
            reason: None,
        };
        assert_eq!(
            follow(&ended("ANSWERED"), never, None),
            done(Disposition::Reached)
        );
        let again = Follow::Waits {
            wait: Duration::from_mins(10),
            reason: WaitReason::Retry,
            tried: once,
        };
        assert_eq!(follow(&ended("BUSY"), never, None), again);
        assert_eq!(
            follow(&ended("BUSY"), once, None),
            done(Disposition::Unreached)
        );
        let cancelled = Some(Disposition::Cancelled);
        assert_eq!(
            follow(&ended("BUSY"), never, cancelled),
            done(Disposition::Unreached)
        );
        let kept = AttemptState::NotSent("stopped".into());
        assert_eq!(follow(&kept, never, None), Follow::Due);
        assert_eq!(
            follow(&kept, never, cancelled),
            done(Disposition::Cancelled)
        );
        assert_eq!(follow(&kept, once, cancelled), done(Disposition::Unreached));
        let uncertain = AttemptState::Uncertain(Uncertainty {
            side: Side::Network,
            why: "reset".into(),
            accepted: false,
        });
        let refused = AttemptState::Refused(Refusal {
            status: 403,
            code: Some(40300),
            message: "forbidden".into(),
            speaks_of: SpeaksOf::Recipient,
        });
        for (state, disposition, reason) in [
            (uncertain, Disposition::Uncertain, "reset"),
            (refused, Disposition::Refused, "40300 forbidden"),
        ] {
            let reason = Some(reason.to_owned());
            let expected = Follow::Done {
                disposition,
                reason,
            };
            assert_eq!(follow(&state, never, cancelled), expected);
        }
    }

    /// A person as they stand while things are heard of a call on them.
    #[derive(Debug, Clone, PartialEq)]
    struct Person {
        attempt: AttemptState,
        state: RecipientState,
        reason: Option<String>,
        tried: Tried,
        tried_before: Tried,
        heard: InCall,
    }

    /// What can be heard of a call.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Told {
        Over,
        Heard(InCall),
    }

    impl Person {
        fn called() -> Self {
            Self {
                attempt: AttemptState::Intended,
                state: RecipientState::InFlight,
                reason: None,
                tried: Tried::default(),
                tried_before: Tried::default(),
                heard: InCall::NOTHING,
            }
        }

        fn hears(&mut self, word: Told, retry: &RetryPolicy, wanted: Wanted) {
            if let Told::Heard(heard) = word {
                self.heard = self.heard.and(heard);
            }
            let terms = Terms {
                wanted,
                heard: self.heard,
                ..terms(retry, None)
            };
            let stands = Stands {
                state: self.state,
                reason: self.reason.as_deref(),
                tried: self.tried,
                tried_before: self.tried_before,
                latest: true,
                called: false,
            };
            let (follow, before) = match (&self.attempt, word) {
                (AttemptState::Intended, Told::Heard(_)) => return,
                (AttemptState::Intended, Told::Over) => {
                    self.attempt = ended("ANSWERED");
                    let follow = after_attempt(&self.attempt, self.tried, terms);
                    (follow, self.tried)
                }
                _ => match heard_late(&self.attempt, stands, terms) {
                    Some(follow) if self.state == RecipientState::Waiting => {
                        (follow, self.tried_before)
                    }
                    Some(follow) => (follow, self.tried),
                    None => return,
                },
            };
            self.tried = before;
            match follow {
                Follow::Waits { tried, .. } => {
                    (self.tried, self.tried_before) = (tried, before);
                    (self.state, self.reason) = (RecipientState::Waiting, None);
                }
                Follow::Done {
                    disposition,
                    reason,
                } => {
                    self.tried_before = Tried::default();
                    (self.state, self.reason) = (RecipientState::Done(disposition), reason);
                }
                Follow::InFlight | Follow::Due => panic!("{follow:?}"),
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_heard_of_a_call_says_the_same_in_whatever_order_and_however_often(
            heard in proptest::collection::vec(0..4_usize, 0..4),
            order in proptest::collection::vec(0..16_usize, 0..12),
            (machine_waits, silence_waits, wanted, counts) in any::<(bool, bool, bool, bool)>(),
        ) {
            let waits = |on| if on { Waits::After(vec![Duration::from_mins(1)]) } else { Waits::Never };
            let retry = RetryPolicy {
                max_attempts: 3,
                machine: waits(machine_waits),
                no_response: waits(silence_waits),
                ..RetryPolicy::default()
            };
            let wanted = Wanted { response: wanted, machine_counts: counts };
            let bits = [
                InCall::MACHINE,
                InCall::PRESSED,
                InCall::PRESSED.and(InCall::COUNTS),
                InCall::PRESSED.and(InCall::OPTED_OUT),
            ];
            let mut words = vec![Told::Over];
            words.extend(heard.iter().map(|nth| Told::Heard(bits[*nth])));
            let told = |words: &mut dyn Iterator<Item = Told>| {
                let mut person = Person::called();
                words.for_each(|word| person.hears(word, &retry, wanted));
                person
            };
            // In time: the end comes last.
            let in_time = told(&mut words.iter().rev().copied());
            // Each at least once, and some again.
            let again = order.iter().map(|nth| words[nth % words.len()]);
            let mut shuffled: Vec<_> = again.collect();
            for (nth, word) in words.iter().enumerate() {
                let at = order.get(nth).map_or(0, |at| at % (shuffled.len() + 1));
                shuffled.insert(at, *word);
            }
            prop_assert_eq!(told(&mut shuffled.into_iter()), in_time);
        }
    }

    #[test]
    fn what_is_heard_late_takes_back_what_is_no_attempt_yet_and_nothing_else() {
        let retry = RetryPolicy {
            max_attempts: 3,
            machine: Waits::After(vec![Duration::from_mins(1)]),
            ..RetryPolicy::default()
        };
        let stands = Stands {
            state: RecipientState::Done(Disposition::Reached),
            reason: None,
            tried: Tried::default(),
            tried_before: Tried::default(),
            latest: true,
            called: false,
        };
        let late = |stands, heard, closing| {
            let terms = Terms {
                heard,
                ..terms(&retry, closing)
            };
            heard_late(&ended("ANSWERED"), stands, terms)
        };
        let again = late(stands, InCall::MACHINE, None);
        assert!(matches!(again, Some(Follow::Waits { .. })), "{again:?}");
        let over = late(stands, InCall::MACHINE, Some(Disposition::Unreached));
        let unreached = Follow::Done {
            disposition: Disposition::Unreached,
            reason: Some("machine".into()),
        };
        assert_eq!(over, Some(unreached));
        let dialled = Stands {
            latest: false,
            called: true,
            ..stands
        };
        for heard in [InCall::MACHINE, InCall::PRESSED] {
            assert_eq!(late(dialled, heard, None), None, "{heard:?}");
        }
        // Whoever the window left behind is not called again for a machine that is told twice.
        let left_behind = Stands {
            state: RecipientState::Done(Disposition::Unreached),
            ..stands
        };
        assert_eq!(late(left_behind, InCall::MACHINE, None), None);
        let silent = Stands {
            reason: Answered::NoResponse.why(),
            ..left_behind
        };
        let again = late(silent, InCall::MACHINE, None);
        assert!(matches!(again, Some(Follow::Waits { .. })), "{again:?}");
        // A list that stopped the next call does not hide what was pressed before it.
        let suppressed = Stands {
            state: RecipientState::Done(Disposition::Suppressed),
            latest: false,
            ..stands
        };
        let pressed = late(suppressed, InCall::PRESSED, None);
        assert!(matches!(
            pressed,
            Some(Follow::Done {
                disposition: Disposition::Reached,
                ..
            })
        ));
    }
}
