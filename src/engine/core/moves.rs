//! What is recorded when an attempt or a recipient moves. What follows from what is the domain's to say.

use std::time::Duration;

use super::{Command, Core, Now, Phase};
use crate::domain::{
    AttemptEvent, AttemptKey, AttemptState, Disposition, Follow, InCall, RecipientId, Terms, Tried,
    WaitReason, after_attempt,
};
use crate::store::{DueAt, Fact, Waiting, Was};

/// A recipient about whom something is decided.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whom {
    pub(super) recipient: RecipientId,
    /// How they were tried before.
    pub(super) tried: Tried,
    /// Where they stand in the store.
    pub(super) was: Was,
}

/// Something that happens to an attempt.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) key: AttemptKey,
    pub(super) before: AttemptState,
    pub(super) event: AttemptEvent,
    pub(super) whom: Whom,
    /// How long its recipient waits who is due again.
    pub(super) wait: Duration,
}

impl Core {
    /// Moves an attempt and, by what follows, its recipient.
    pub(super) fn take(&mut self, step: Step, now: Now, commands: &mut Vec<Command>) {
        let (whom, wait) = (step.whom, step.wait);
        let ended = matches!(step.event, AttemptEvent::Ended(..));
        let Some(state) = self.move_attempt(step, now, commands) else {
            return;
        };
        let closing = match self.phase {
            Phase::Closing(disposition) => Some(disposition),
            _ => None,
        };
        let chance = if ended && closing.is_none() {
            self.entropy.fraction()
        } else {
            0.0
        };
        let terms = Terms {
            retry: &self.retry,
            wanted: self.wanted,
            heard: self.heard_of(whom.recipient),
            closing,
            chance,
        };
        match after_attempt(&state, whom.tried, terms) {
            Follow::InFlight => {}
            Follow::Due => {
                let at = now.wall.checked_add(wait).unwrap_or(now.wall);
                self.due(whom, DueAt::At(at), None, commands);
            }
            Follow::Waits {
                wait,
                reason,
                tried,
            } => {
                let at = now.wall.checked_add(wait).unwrap_or(now.wall);
                let whom = Whom { tried, ..whom };
                self.waits(whom, DueAt::At(at), reason, now, commands);
            }
            Follow::Done {
                disposition,
                reason,
            } => self.done(whom, disposition, reason, commands),
        }
    }

    /// What was heard in the call of somebody in flight, and what they pressed in the calls before.
    pub(super) fn heard_of(&self, recipient: RecipientId) -> InCall {
        self.heard.get(&recipient).copied().unwrap_or_default()
    }

    /// Whether they pressed a key, by which they have their verdict whatever becomes of the attempt in hand.
    pub(super) fn has_pressed(&self, recipient: RecipientId) -> bool {
        self.heard_of(recipient).has(InCall::PRESSED)
    }

    /// Notes what was heard in the call of somebody in flight.
    pub(super) fn hear(&mut self, recipient: RecipientId, heard: InCall) {
        if heard != InCall::NOTHING {
            let all = self.heard.entry(recipient).or_default();
            *all = all.and(heard);
        }
    }

    /// Moves an attempt alone. None where the event cannot follow its state.
    pub(super) fn move_attempt(
        &mut self,
        step: Step,
        now: Now,
        commands: &mut Vec<Command>,
    ) -> Option<AttemptState> {
        let from = step.before.stage();
        let state = step.before.after(step.event).ok()?;
        commands.push(Command::Record(Fact::Attempt {
            key: step.key,
            from,
            state: state.clone(),
            at: now.wall,
        }));
        self.charge(step.key, &state);
        Some(state)
    }

    /// The recipient waits until then.
    pub(super) fn waits(
        &mut self,
        whom: Whom,
        at: DueAt,
        reason: WaitReason,
        now: Now,
        commands: &mut Vec<Command>,
    ) {
        let waiting = Waiting {
            reason,
            since: now.wall,
            tried: whom.tried,
        };
        self.due(whom, at, Some(waiting), commands);
    }

    fn due(
        &mut self,
        whom: Whom,
        at: DueAt,
        waiting: Option<Waiting>,
        commands: &mut Vec<Command>,
    ) {
        self.heard.remove(&whom.recipient);
        self.dues += 1;
        commands.push(Command::Record(Fact::Due {
            recipient: whom.recipient,
            from: whom.was,
            at,
            waiting,
        }));
    }

    /// The recipient's final verdict.
    pub(super) fn done(
        &mut self,
        whom: Whom,
        disposition: Disposition,
        reason: Option<String>,
        commands: &mut Vec<Command>,
    ) {
        self.heard.remove(&whom.recipient);
        self.progress.done(disposition);
        commands.push(Command::Record(Fact::Done {
            recipient: whom.recipient,
            from: whom.was,
            disposition,
            reason,
        }));
    }
}
