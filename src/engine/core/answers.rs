//! What an answer to a callout does to the attempt, the recipient and the run.

use std::time::Duration;

use jiff::Timestamp;

use super::dialling::UNCERTAIN_COUNTS;
use super::{Command, Core, End, Flight, Now, Phase};
use crate::domain::{
    AttemptEvent, AttemptKey, AttemptState, Disposition, NotSent, PauseReason, Reaction,
    RecipientId, Tried, Verdict, WaitReason,
};
use crate::store::{Change, OpenCall, Waiting};

/// Nothing but failures for this long: the platform cannot be reached, and the run pauses.
const FAILING_MAX: Duration = Duration::from_mins(1);

impl Core {
    pub(super) fn answered(
        &mut self,
        key: AttemptKey,
        verdict: Verdict,
        now: Now,
        commands: &mut Vec<Command>,
    ) {
        let Some(Flight::Posted {
            recipient,
            tried,
            hold,
            intended_at,
            at,
            hangs,
        }) = self.flights.remove(&key)
        else {
            return;
        };
        if verdict.was_kept() {
            // Nothing left, so there is no latency to learn from.
            self.posts.stayed(hangs);
            self.progress.posted -= 1;
        } else {
            self.posts.answered(at, hangs, now.mono);
        }
        let Ok(state) = AttemptState::Intended.after(AttemptEvent::Answered(verdict.clone()))
        else {
            return;
        };
        self.attempt_is(key, state, now, commands);
        match verdict {
            Verdict::Accepted(call) => {
                self.reachable();
                self.breaker.accepted();
                let began = OpenCall {
                    key,
                    recipient,
                    call,
                    intended_at,
                    accepted_at: now.wall,
                    hold,
                    tried,
                };
                self.begin_call(began, Duration::ZERO, now);
                self.plan_hang_up(key, hold, now.mono.saturating_sub(at), now);
            }
            Verdict::Refused(refusal) => {
                self.reachable();
                self.done(
                    recipient,
                    Disposition::Refused,
                    Some(refusal.to_string()),
                    commands,
                );
                if self.breaker.refused() {
                    let why = format!("every callout was refused so far, the last with {refusal}");
                    self.drain(End::Paused(PauseReason::Configuration(why)));
                }
            }
            Verdict::NotSent(not_sent) => {
                self.not_sent((recipient, tried), not_sent, at, now, commands);
            }
            Verdict::Uncertain(uncertainty) => {
                self.uncertain.push_back(now.mono + UNCERTAIN_COUNTS);
                self.breaker.failed();
                self.done(
                    recipient,
                    Disposition::Uncertain,
                    Some(uncertainty.why),
                    commands,
                );
            }
        }
        if let Some(why) = self.breaker.open() {
            self.drain(End::Paused(PauseReason::Breaker(why)));
        }
    }

    fn not_sent(
        &mut self,
        who: (RecipientId, Tried),
        not_sent: NotSent,
        posted_at: Duration,
        now: Now,
        commands: &mut Vec<Command>,
    ) {
        let mut wait = Duration::ZERO;
        let why = not_sent.why;
        match not_sent.reaction {
            Reaction::Again => {}
            Reaction::Later(later) => wait = later,
            Reaction::SlowDown(retry_after) => {
                self.reachable();
                self.progress.slowed_down += 1;
                self.pacer.refused(now.mono, posted_at, retry_after);
            }
            Reaction::BackOff => {
                let until = self.backoff.failed(now.mono);
                self.pacer.hold(until);
                self.failing(&why, now);
            }
            Reaction::Credentials => self.drain(End::Paused(PauseReason::Credentials(why))),
            Reaction::EmptyAccount => self.drain(End::Paused(PauseReason::EmptyAccount(why))),
            Reaction::Configuration => self.drain(End::Paused(PauseReason::Configuration(why))),
            Reaction::Suppressed => {
                self.done(who.0, Disposition::Suppressed, Some(why), commands);
                return;
            }
        }
        self.due_again(who, wait, now, commands);
    }

    /// The recipient is to be called again; in a run that calls nobody else, no more.
    pub(super) fn due_again(
        &mut self,
        (recipient, tried): (RecipientId, Tried),
        wait: Duration,
        now: Now,
        commands: &mut Vec<Command>,
    ) {
        if let Phase::Closing(disposition) = self.phase {
            // Whoever was called before was not reached.
            let disposition = if tried == Tried::default() {
                disposition
            } else {
                Disposition::Unreached
            };
            self.done(recipient, disposition, None, commands);
            return;
        }
        self.dues += 1;
        let at = now.wall.checked_add(wait).unwrap_or(now.wall);
        commands.push(Command::Record(Change::Due {
            recipient,
            at,
            waiting: None,
        }));
    }

    /// The recipient waits until then.
    pub(super) fn waits(
        &mut self,
        recipient: RecipientId,
        (at, since): (Timestamp, Now),
        reason: WaitReason,
        tried: Tried,
        commands: &mut Vec<Command>,
    ) {
        self.dues += 1;
        commands.push(Command::Record(Change::Due {
            recipient,
            at,
            waiting: Some(Waiting {
                reason,
                since: since.wall,
                tried,
            }),
        }));
    }

    /// The recipient's final verdict.
    pub(super) fn done(
        &mut self,
        recipient: RecipientId,
        disposition: Disposition,
        reason: Option<String>,
        commands: &mut Vec<Command>,
    ) {
        self.progress.done(disposition);
        commands.push(Command::Record(Change::Done {
            recipient,
            disposition,
            reason,
        }));
    }

    /// Something useful came back.
    pub(super) fn reachable(&mut self) {
        self.failing_since = None;
        self.backoff.over();
    }

    /// Nothing useful came back; for too long, and the run pauses.
    pub(super) fn failing(&mut self, why: &str, now: Now) {
        self.failing_since
            .get_or_insert_with(|| (now.mono, why.to_owned()));
        self.give_up_if_unreachable(now);
    }

    /// Pauses the run once nothing useful has come back for too long.
    pub(super) fn give_up_if_unreachable(&mut self, now: Now) {
        if let Some((since, why)) = &self.failing_since
            && now.mono.saturating_sub(*since) >= FAILING_MAX
        {
            let why = why.clone();
            self.drain(End::Paused(PauseReason::Unreachable(why)));
        }
    }
}
