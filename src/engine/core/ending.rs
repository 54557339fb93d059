//! The ways in which an engine ends: it drains (requests finish), or closes (calls are followed to their end
//! as well), and is then finished.

use std::time::Duration;

use super::moves::Step;
use super::{Command, Core, End, Flight, More, Now, Phase};
use crate::domain::{AttemptEvent, AttemptKey, AttemptState, Disposition, PauseReason};

/// The note of an attempt whose POST never left.
const STOPPED: &str = "the run stopped before it was sent";

impl Core {
    /// Takes nothing new; requests in flight finish. It takes the place of closing and holding. Among drains
    /// the first reason stands, except that a failed store outweighs it.
    pub(super) fn drain(&mut self, end: End) {
        let outweighs = matches!(end, End::Failed(_));
        match self.phase {
            Phase::Running | Phase::Closing(_) | Phase::Holding(_) => {
                self.phase = Phase::Draining(end);
            }
            Phase::Draining(End::Failed(_)) | Phase::Finished => {}
            Phase::Draining(_) if outweighs => self.phase = Phase::Draining(end),
            Phase::Draining(_) => {}
        }
    }

    /// Calls nobody else; whoever is left gets the disposition. A second time changes nothing.
    pub(super) fn close(&mut self, disposition: Disposition) {
        if matches!(self.phase, Phase::Running | Phase::Holding(_)) {
            self.phase = Phase::Closing(disposition);
            self.queue.clear();
            self.held.clear();
        }
    }

    /// Closes every attempt whose POST will not leave as *not sent*. Where the store has failed, also those
    /// whose intent may not be durable: that goes to the side file.
    pub(super) fn give_back(&mut self, now: Now, commands: &mut Vec<Command>) {
        let failed = matches!(self.phase, Phase::Draining(End::Failed(_)));
        let mut unsent: Vec<AttemptKey> = self.ready.drain(..).collect();
        if failed && self.intending > 0 {
            let intending = self
                .flights
                .iter()
                .filter(|(_, f)| matches!(f, Flight::Intending(..)));
            unsent.extend(intending.map(|(key, _)| *key));
            self.intending = 0;
        }
        for key in unsent {
            let Some(whom) = self.unsent_on(key) else {
                continue;
            };
            self.flights.remove(&key);
            let step = Step {
                key,
                before: AttemptState::Intended,
                event: AttemptEvent::Kept(STOPPED.into()),
                whom,
                wait: Duration::ZERO,
            };
            self.take(step, now, commands);
        }
    }

    /// Ends, if nothing is left that we must wait for.
    pub(super) fn finish(&mut self, now: Now, commands: &mut Vec<Command>) {
        // Hang-ups are not waited for: they may be cut off, and repeated.
        let requests = self.posts.in_flight() + self.gets.in_flight() + usize::from(self.fetching);
        let awaits_word = self.word_by(now).is_some();
        let end = match &self.phase {
            Phase::Holding(why) if requests == 0 && self.flights.is_empty() => {
                End::Paused(why.clone())
            }
            Phase::Draining(end)
                if requests == 0 && self.intending == 0 && self.talks_until(now).is_none() =>
            {
                end.clone()
            }
            Phase::Closing(disposition)
                if requests == 0 && self.flights.is_empty() && !awaits_word =>
            {
                match disposition {
                    Disposition::Expired => End::Expired,
                    _ => End::Cancelled,
                }
            }
            Phase::Running
                if requests == 0
                    && self.flights.is_empty()
                    && self.queue.is_empty()
                    && self.dues == 0
                    && self.more == More::No
                    && self.set_aside.is_none()
                    && self.looked_again
                    && self.talks.all_is_heard()
                    && !awaits_word =>
            {
                End::Completed
            }
            Phase::Running
                if requests == 0
                    && self.flights.is_empty()
                    && self.queue.is_empty()
                    && self.dues == 0
                    && self.more == More::Held =>
            {
                End::Paused(PauseReason::Held)
            }
            _ => return,
        };
        if end == End::Completed && self.ends_on_refusals(now, commands) {
            // It drains now, and nothing is in flight.
            return self.finish(now, commands);
        }
        self.phase = Phase::Finished;
        commands.push(Command::Finish(end));
    }
}
