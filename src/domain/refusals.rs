//! Whose fault refusals are: by their code, and by what the latest callouts say together.
//!
//! A refusal whose code speaks of the account or of the whole request is the account's at once. One
//! whose code nobody knows is the account's when most of the latest callouts are refused so. Codes that
//! speak of the recipient are the recipients' own, one by one; where most of the latest callouts have
//! them, a person is asked. Refusals that turn out to be the account's are taken back: nothing rang.

use std::collections::{BTreeSet, VecDeque};

use super::{Outcome, Refusal, RefusalCode, SpeaksOf};

/// Begins the note of an attempt whose refusal was taken back.
pub const TAKEN_BACK: &str =
    "refused for the account's or the campaign's sake, not the recipient's";
/// How many of the latest callouts are looked at.
const LATEST: usize = 50;
/// With fewer refusals nothing is concluded: of codes that nobody knows, and of recipients' codes.
const AT_LEAST: usize = 10;
const AT_LEAST_OF_RECIPIENTS: usize = 20;
/// So many refusals in a row make the next callouts wait for each other's answers.
const SUSPICIOUS: usize = 5;
/// How many of the latest ended calls are looked at, and with how many nothing is concluded.
const ENDED_LATEST: usize = 20;
const ENDED_AT_LEAST: usize = 10;

/// Refusals that pause a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Whether their code speaks of recipients; else the account is meant.
    pub of_recipients: bool,
    /// The code of the one that decided.
    pub code: RefusalCode,
    /// The refusals in words, for the pause.
    pub why: String,
}

/// What becomes of a refusal.
#[derive(Debug, PartialEq, Eq)]
pub enum Ruling<W> {
    /// It stands: it is its recipient's own.
    Stands,
    /// It is taken back, with those of `others` before it; the first time, the run pauses for `trouble`.
    TakenBack {
        /// Why the run pauses; none where it does so already.
        trouble: Option<Trouble>,
        /// Earlier refusals that are taken back as well.
        others: Vec<W>,
    },
}

/// What was found out about codes before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Codes that a person called the recipients' own.
    pub theirs: BTreeSet<RefusalCode>,
    /// The code for which the run paused last: it is believed at once until the account seems well.
    pub suspect: Option<RefusalCode>,
}

/// Watches the latest answers to callouts. `W` says whom a refusal is about.
#[derive(Debug)]
pub struct Refusals<W> {
    known: Known,
    /// How many answers in a row were not the suspect.
    well: usize,
    /// None for a callout that was accepted, or refused as its recipient's own fault for certain.
    latest: VecDeque<Option<(SpeaksOf, W)>>,
    /// Once found, what is taken back from then on: recipients' codes or all others.
    found: Option<bool>,
}

impl<W> Refusals<W> {
    /// With what is known of codes, and the latest answers so far, oldest first.
    pub fn new(known: Known, latest: impl IntoIterator<Item = Option<(Refusal, W)>>) -> Self {
        let suspect = known.suspect;
        let mut refusals = Self {
            known,
            well: 0,
            latest: VecDeque::new(),
            found: None,
        };
        for answer in latest {
            let suspect = answer
                .filter(|(refusal, _)| !refusals.known.theirs.contains(&refusal.code()))
                .map(|(refusal, whom)| (refusal.speaks_of, whom));
            refusals.note(suspect);
        }
        // What was before this process does not say that the account is well by now.
        refusals.known.suspect = suspect;
        refusals.well = 0;
        refusals
    }

    /// Notes a callout that was accepted.
    pub fn accepted(&mut self) {
        self.note(None);
    }

    /// Notes a refusal, and says what becomes of it.
    pub fn refused(&mut self, refusal: &Refusal, whom: W) -> Ruling<W> {
        if self.known.theirs.contains(&refusal.code()) {
            self.note(None);
            return Ruling::Stands;
        }
        let of_recipients = refusal.speaks_of == SpeaksOf::Recipient;
        if let Some(found) = self.found {
            if found == of_recipients || refusal.speaks_of == SpeaksOf::Account {
                return Ruling::TakenBack {
                    trouble: None,
                    others: Vec::new(),
                };
            }
            return Ruling::Stands;
        }
        let same = |of: &SpeaksOf| (*of == SpeaksOf::Recipient) == of_recipients;
        let alike = self.latest.iter().flatten().filter(|(of, _)| same(of));
        let (refused, seen) = (alike.count() + 1, (self.latest.len() + 1).min(LATEST));
        let at_least = if of_recipients {
            AT_LEAST_OF_RECIPIENTS
        } else {
            AT_LEAST
        };
        let most = refused >= at_least && refused * 2 > seen;
        let suspect = !of_recipients && self.known.suspect == Some(refusal.code());
        if !most && !suspect && refusal.speaks_of != SpeaksOf::Account {
            self.note(Some((refusal.speaks_of, whom)));
            return Ruling::Stands;
        }
        self.found = Some(of_recipients);
        let others = self.latest.drain(..).flatten();
        let others = others.filter(|(of, _)| same(of)).map(|(_, whom)| whom);
        let why = if most {
            format!("{refused} of the latest {seen} callouts were refused, the last with {refusal}")
        } else {
            refusal.to_string()
        };
        Ruling::TakenBack {
            trouble: Some(Trouble {
                of_recipients,
                code: refusal.code(),
                why,
            }),
            others: others.collect(),
        }
    }

    /// At the end of a run: the refusals with which it would end, where nobody knows whose fault they
    /// are and nothing but them came in the end.
    pub fn at_the_end(&mut self) -> Vec<W> {
        let unknown =
            |answer: &&Option<(SpeaksOf, W)>| matches!(answer, Some((SpeaksOf::Unknown, _)));
        let in_a_row = self.latest.iter().rev().take_while(unknown).count();
        if in_a_row < SUSPICIOUS {
            return Vec::new();
        }
        self.found = Some(false);
        let from = self.latest.len() - in_a_row;
        let tail = self.latest.drain(from..).flatten();
        tail.map(|(_, whom)| whom).collect()
    }

    /// Whether so many callouts in a row were refused that the next should not leave many at a time.
    pub fn suspicious(&self) -> bool {
        let in_a_row = self
            .latest
            .iter()
            .rev()
            .take_while(|answer| answer.is_some());
        in_a_row.take(SUSPICIOUS).count() == SUSPICIOUS
    }

    fn note(&mut self, answer: Option<(SpeaksOf, W)>) {
        self.well = if answer.is_none() { self.well + 1 } else { 0 };
        if self.well >= LATEST {
            self.known.suspect = None;
        }
        if self.latest.len() == LATEST {
            self.latest.pop_front();
        }
        self.latest.push_back(answer);
    }
}

/// Whose fault the ends of calls are that are no recipient's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndsSpeakOf {
    /// The campaign: its call control, or the backend that it names.
    Campaign,
    /// The account's money.
    Money,
}

/// Watches how the latest calls ended.
#[derive(Debug, Default)]
pub struct Endings {
    latest: VecDeque<Option<EndsSpeakOf>>,
}

impl Endings {
    /// With how the latest calls ended before this process, oldest first.
    pub fn new<'a>(latest: impl IntoIterator<Item = &'a Outcome>) -> Self {
        let mut endings = Self::default();
        for outcome in latest {
            endings.ended(outcome);
        }
        endings
    }

    /// Notes how a call ended. Says whose fault it is where most of the latest calls ended so.
    pub fn ended(&mut self, outcome: &Outcome) -> Option<EndsSpeakOf> {
        let ours = speaks_of(outcome);
        if self.latest.len() == ENDED_LATEST {
            self.latest.pop_front();
        }
        self.latest.push_back(ours);
        let ours = ours?;
        let alike = self.latest.iter().filter(|end| **end == Some(ours)).count();
        (alike >= ENDED_AT_LEAST && alike * 2 > self.latest.len()).then_some(ours)
    }
}

/// What an end says that is no recipient's (`FACTS` §4, §7).
fn speaks_of(outcome: &Outcome) -> Option<EndsSpeakOf> {
    match outcome.reason.as_deref()?.to_ascii_uppercase().as_str() {
        "INVALIDSVAMLACTION" | "CALLBACKERROR" => Some(EndsSpeakOf::Campaign),
        "NOCREDITPARTNER" => Some(EndsSpeakOf::Money),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(code: i64, speaks_of: SpeaksOf) -> Refusal {
        Refusal {
            status: 403,
            code: Some(code),
            message: "no".into(),
            speaks_of,
        }
    }

    fn judge() -> Refusals<usize> {
        Refusals::new(Known::default(), [])
    }

    /// The ruling on the n-th of these refusals in a row that is not left standing.
    fn first_ruling(judge: &mut Refusals<usize>, with: &Refusal) -> (usize, Ruling<usize>) {
        (0..200)
            .map(|nth| (nth, judge.refused(with, nth)))
            .find(|(_, ruling)| *ruling != Ruling::Stands)
            .unwrap()
    }

    #[test]
    fn what_speaks_of_the_account_is_the_accounts_at_once() {
        let mut judge = judge();
        judge.accepted();
        let (nth, ruling) = first_ruling(&mut judge, &refusal(40302, SpeaksOf::Account));
        let Ruling::TakenBack { trouble, others } = ruling else {
            panic!("{ruling:?}");
        };
        assert_eq!((nth, others), (0, vec![]));
        let trouble = trouble.unwrap();
        assert!(!trouble.of_recipients, "{trouble:?}");
        assert_eq!(trouble.code.to_string(), "403/40302");
    }

    #[test]
    fn an_unknown_refusal_of_most_is_the_accounts_and_all_of_the_streak_are_taken_back() {
        let mut judge = judge();
        (0..5).for_each(|_| judge.accepted());
        let unknown = refusal(49_999, SpeaksOf::Unknown);
        let (nth, ruling) = first_ruling(&mut judge, &unknown);
        let Ruling::TakenBack { trouble, others } = ruling else {
            panic!("{ruling:?}");
        };
        assert_eq!((nth, others), (9, (0..9).collect::<Vec<_>>()));
        let trouble = trouble.unwrap();
        assert!(!trouble.of_recipients);
        // What was in flight meanwhile is taken back as well; a recipient's own refusal is not.
        let late = Ruling::TakenBack {
            trouble: None,
            others: vec![],
        };
        assert_eq!(judge.refused(&unknown, 99), late);
        let own = refusal(40300, SpeaksOf::Recipient);
        assert_eq!(judge.refused(&own, 99), Ruling::Stands);
        // Whoever resumes too early pauses at the first, until the account is well.
        let known = Known {
            suspect: Some(trouble.code),
            ..Known::default()
        };
        let mut judge = Refusals::new(known, (0..60).map(|_| None));
        (0..10).for_each(|_| judge.accepted());
        assert_eq!(first_ruling(&mut judge, &unknown).0, 0);
    }

    #[test]
    fn a_run_does_not_end_on_refusals_that_nobody_knows() {
        let mut judge = judge();
        (0..40).for_each(|_| judge.accepted());
        let unknown = refusal(49_999, SpeaksOf::Unknown);
        assert!((0..5).all(|nth| judge.refused(&unknown, nth) == Ruling::Stands));
        assert_eq!(judge.at_the_end(), [0, 1, 2, 3, 4]);
        judge.accepted();
        assert!(judge.at_the_end().is_empty());
    }

    #[test]
    fn recipients_own_refusals_go_on_until_most_are_refused_so_and_a_person_decides() {
        let own = refusal(40300, SpeaksOf::Recipient);
        let mut judge = judge();
        for nth in 0..1_000 {
            if nth % 10 == 0 {
                assert_eq!(judge.refused(&own, nth), Ruling::Stands);
            } else {
                judge.accepted();
            }
        }
        let (_, ruling) = first_ruling(&mut judge, &own);
        let Ruling::TakenBack { trouble, .. } = ruling else {
            panic!("{ruling:?}");
        };
        let trouble = trouble.unwrap();
        assert!(trouble.of_recipients);
        let known = Known {
            theirs: BTreeSet::from([trouble.code]),
            ..Known::default()
        };
        let mut told = Refusals::new(known, []);
        assert!((0..500).all(|nth| told.refused(&own, nth) == Ruling::Stands));
    }

    #[test]
    fn a_streak_that_an_earlier_process_saw_counts() {
        let unknown = refusal(49_999, SpeaksOf::Unknown);
        let seen = (0..9).map(|nth| Some((unknown.clone(), nth)));
        let mut judge = Refusals::new(Known::default(), seen);
        assert!(judge.suspicious());
        let (nth, _) = first_ruling(&mut judge, &unknown);
        assert_eq!(nth, 0);
    }

    #[test]
    fn codes_read_back() {
        for text in ["403/40300", "422"] {
            assert_eq!(RefusalCode::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(RefusalCode::parse("403/x"), None);
    }

    #[test]
    fn ends_that_are_no_recipients_are_noticed_when_most_are_so() {
        let end = |reason: &str| Outcome {
            result: Some("FAILED".into()),
            reason: Some(reason.into()),
            ..Outcome::default()
        };
        let mut endings = Endings::default();
        let svaml = end("INVALIDSVAMLACTION");
        let found: Vec<_> = (0..10).map(|_| endings.ended(&svaml)).collect();
        assert_eq!(found[8..], [None, Some(EndsSpeakOf::Campaign)]);
        let mut endings = Endings::default();
        for nth in 0..500 {
            let end = if nth % 3 == 0 {
                &svaml
            } else {
                &end("TIMEOUT")
            };
            assert_eq!(endings.ended(end), None);
        }
    }
}
