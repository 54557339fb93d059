//! What an answer to a callout does to the attempt, the recipient and the run.

use std::time::Duration;

use super::dialling::UNCERTAIN_COUNTS;
use super::moves::{Step, Whom};
use super::{Command, Core, End, Flight, Now};
use crate::domain::{
    AttemptEvent, AttemptKey, AttemptState, Disposition, InCall, NotSent, PauseReason, Reaction,
    Verdict, closed,
};
use crate::store::{OpenCall, Refused, Was};

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
        let whom = Whom {
            recipient,
            tried,
            was: Was::InFlight,
        };
        let mut step = Step {
            key,
            before: AttemptState::Intended,
            event: AttemptEvent::Answered(verdict.clone()),
            whom,
            wait: Duration::ZERO,
        };
        let mut refused = None;
        match verdict {
            Verdict::Accepted(call) => {
                self.placed();
                let began = OpenCall {
                    key,
                    recipient,
                    call,
                    intended_at,
                    accepted_at: now.wall,
                    hold,
                    tried,
                    heard: InCall::NOTHING,
                };
                self.follow(began, at, now);
            }
            Verdict::Refused(refusal) => {
                self.reachable();
                self.breaker.answered();
                refused = Some(Refused {
                    key,
                    recipient,
                    tried,
                    refusal,
                });
            }
            // Whoever pressed a key in an earlier call has their verdict by that.
            Verdict::NotSent(not_sent)
                if not_sent.reaction == Reaction::Suppressed && !self.has_pressed(recipient) =>
            {
                self.kept(step, Disposition::Suppressed, not_sent.why, now, commands);
                return;
            }
            Verdict::NotSent(not_sent) if not_sent.reaction == Reaction::Invalid => {
                let disposition = closed(tried, Disposition::Invalid);
                self.kept(step, disposition, not_sent.why, now, commands);
                return;
            }
            Verdict::NotSent(not_sent) => step.wait = self.not_sent(not_sent, at, now),
            Verdict::Uncertain(_) => {
                self.uncertain.push_back(now.mono + UNCERTAIN_COUNTS);
                self.breaker.failed();
            }
        }
        self.take(step, now, commands);
        if let Some(refused) = refused {
            self.refused(refused, now, commands);
        }
        if let Some(why) = self.breaker.open() {
            self.drain(End::Paused(PauseReason::Breaker(why)));
        }
    }

    /// The platform took a callout.
    pub(super) fn placed(&mut self) {
        self.reachable();
        self.breaker.answered();
        self.refusals.accepted();
    }

    /// Follows a call from its beginning, whose POST left then.
    pub(super) fn follow(&mut self, began: OpenCall, posted_at: Duration, now: Now) {
        let (key, hold) = (began.key, began.hold);
        self.begin_call(began, Duration::ZERO, now);
        self.plan_hang_up(key, hold, now.mono.saturating_sub(posted_at), now);
    }

    /// What a callout that was not sent says about the run. Returns how long its recipient waits.
    fn not_sent(&mut self, not_sent: NotSent, posted_at: Duration, now: Now) -> Duration {
        let why = not_sent.why;
        match not_sent.reaction {
            Reaction::Again | Reaction::Suppressed | Reaction::Invalid => {}
            Reaction::Later(later) => return later,
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
        }
        Duration::ZERO
    }

    /// The recipient turned out not to be called at all when their callout was about to leave.
    fn kept(
        &mut self,
        step: Step,
        disposition: Disposition,
        why: String,
        now: Now,
        commands: &mut Vec<Command>,
    ) {
        let whom = step.whom;
        if self.move_attempt(step, now, commands).is_some() {
            self.done(whom, disposition, Some(why), commands);
        }
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
