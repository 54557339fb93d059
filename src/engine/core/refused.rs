//! Refusals: whose fault they are, and taking them back where they are nobody's whom we call.

use std::time::Duration;

use super::moves::{Step, Whom};
use super::{Command, Core, End, More, Now, Phase};
use crate::domain::refusals::TAKEN_BACK;
use crate::domain::{
    AttemptEvent, AttemptState, Disposition, Endings, EndsSpeakOf, Outcome, PauseReason, Refusals,
    Ruling, Trouble,
};
use crate::store::{Latest, Refused, Was};

/// Callouts in flight, at most, while the latest were all refused.
const SUSPICIOUS_MAX: usize = 8;

impl Core {
    /// What an earlier process saw last.
    pub(super) fn remember(&mut self, answers: Latest) {
        let (answers, ends) = (answers.answers.into_iter(), answers.ends);
        self.endings = Endings::new(&ends);
        let answers = answers.map(|answer| answer.map(|r| (r.refusal.clone(), r)));
        self.refusals = Refusals::new(self.known.clone(), answers);
    }

    /// A callout was refused, which is recorded already.
    pub(super) fn refused(&mut self, refused: Refused, now: Now, commands: &mut Vec<Command>) {
        let ruling = self.refusals.refused(&refused.refusal, refused.clone());
        let Ruling::TakenBack { trouble, others } = ruling else {
            return;
        };
        for refused in others.into_iter().chain([refused]) {
            self.take_back(refused, now, commands);
        }
        if let Some(trouble) = trouble {
            self.drain(End::Paused(if trouble.of_recipients {
                PauseReason::Refusals(trouble)
            } else {
                PauseReason::Account(trouble)
            }));
        }
    }

    fn take_back(&mut self, refused: Refused, now: Now, commands: &mut Vec<Command>) {
        self.progress.undone(Disposition::Refused);
        let why = format!("{TAKEN_BACK}: {}", refused.refusal);
        let step = Step {
            key: refused.key,
            before: AttemptState::Refused(refused.refusal),
            event: AttemptEvent::TakenBack(why),
            whom: Whom {
                recipient: refused.recipient,
                tried: refused.tried,
                was: Was::Refused,
            },
            wait: Duration::ZERO,
        };
        self.take(step, now, commands);
    }

    /// Takes back what the run would end on, where nobody knows whose fault those refusals are. Returns
    /// whether it pauses for them.
    pub(super) fn ends_on_refusals(&mut self, now: Now, commands: &mut Vec<Command>) -> bool {
        let last = self.refusals.at_the_end();
        let Some(Refused { refusal, .. }) = last.last().cloned() else {
            return false;
        };
        let why = format!(
            "the last {} callouts were refused, with {refusal}",
            last.len()
        );
        for refused in last {
            self.take_back(refused, now, commands);
        }
        self.drain(End::Paused(PauseReason::Account(Trouble {
            of_recipients: false,
            code: refusal.code(),
            why,
        })));
        true
    }

    /// Whether one more callout may leave for all that refusals say.
    pub(super) fn unsuspicious(&self, leaving: usize) -> bool {
        leaving < SUSPICIOUS_MAX || !self.refusals.suspicious()
    }

    /// Nobody new is called; calls that go on are followed to their end, and then the run pauses.
    pub(super) fn hold_for(&mut self, why: PauseReason) {
        let nobody_left = self.queue.is_empty()
            && self.ready.is_empty()
            && self.intending + self.dues == 0
            && matches!(self.more, More::No | More::Held);
        if self.phase == Phase::Running && !nobody_left {
            self.phase = Phase::Holding(why);
            self.queue.clear();
            self.held.clear();
        }
    }

    /// Why the run pauses where most of the latest calls ended for a reason that is no recipient's.
    pub(super) fn judge_end(&mut self, outcome: &Outcome) -> Option<PauseReason> {
        let speaks_of = self.endings.ended(outcome)?;
        let reason = outcome.reason.as_deref().unwrap_or_default();
        let why = format!("most of the latest calls ended with {reason}");
        Some(match speaks_of {
            EndsSpeakOf::Campaign => PauseReason::Configuration(why),
            EndsSpeakOf::Money => PauseReason::EmptyAccount(why),
        })
    }
}
