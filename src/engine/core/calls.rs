//! Following calls to their end: when to ask, and what the answer does.

use std::cmp::Reverse;
use std::time::Duration;

use super::moves::{Step, Whom};
use super::{Command, Core, End, Flight, Now, Predecessor};
use crate::domain::polling::PollState;
use crate::domain::{
    AttemptEvent, AttemptKey, AttemptState, CallId, EventNumber, InCall, Observation, Outcome,
    PauseReason, Reaction, RecipientId, Tried, wall,
};
use crate::store::{OpenCall, Was};

/// Polls that are later than this hold dialling back: calls that are over would pile up in memory,
/// and their results would come ever later.
const LAG_MAX: Duration = Duration::from_millis(250);
/// A call that the platform does not know for this long will never be known: its result is gone.
const UNKNOWN_MAX: Duration = Duration::from_mins(2);
/// No call lasts longer: the platform's longest duration is four hours.
const AGE_MAX: Duration = Duration::from_hours(5);
/// So many GETs in a row that told nothing, while the platform answered others, and no call goes on any
/// more: nobody will ever tell.
const BLANK_MAX: u32 = 20;
/// The first and the longest wait after a GET that told nothing.
const AGAIN_FIRST: Duration = Duration::from_millis(500);
const AGAIN_MAX: Duration = Duration::from_secs(30);
/// How long GETs pause after a 429 that names no time.
const HOLD_DEFAULT: Duration = Duration::from_secs(1);
/// GETs pause no longer than this, whatever the platform says.
const HOLD_MAX: Duration = Duration::from_mins(5);

/// Why a run is not finished at a platform that does not know its calls.
const ELSEWHERE: &str = "this platform does not know calls that the run placed at another base URL \
                         or application: resume with the settings that it was started with";

/// A call that goes on.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) recipient: RecipientId,
    tried: Tried,
    pub(super) call: CallId,
    /// Its age at `since`.
    age: Duration,
    since: Duration,
    poll: PollState,
    /// When it is polled next; none while a GET is out.
    poll_at: Option<Duration>,
    /// When the GET that is out left, and whether it hangs.
    pub(super) asked: Option<(Duration, bool)>,
    /// GETs in a row that told nothing.
    blank: u32,
    /// How it ended by an event's word, while its price is asked for, and those events.
    pub(super) told: Option<Outcome>,
    pub(super) told_by: Vec<EventNumber>,
    /// When the platform first said that it does not know the call.
    unknown_since: Option<Duration>,
}

impl Open {
    pub(super) fn age_at(&self, now: Duration) -> Duration {
        self.age + now.saturating_sub(self.since)
    }
}

impl Core {
    /// Calls that an earlier process left open.
    pub(super) fn opened(&mut self, calls: Vec<OpenCall>, now: Now) {
        for call in calls {
            if let Some(budget) = &mut self.budget {
                budget.held(call.key, call.hold, call.intended_at);
            }
            let (key, hold) = (call.key, call.hold);
            self.hear(call.recipient, call.heard);
            if call.heard.has(InCall::CONNECTED) {
                self.connected(call.key, None);
            }
            let ago = now.wall.duration_since(call.intended_at);
            let ago = if wall::is_ahead(call.intended_at, now.wall) {
                // The clock was set back: nobody knows how long the call has gone on.
                Duration::MAX
            } else {
                Duration::try_from(ago).unwrap_or(Duration::ZERO)
            };
            let age = now.wall.duration_since(call.accepted_at);
            let age = Duration::try_from(age).unwrap_or(Duration::ZERO);
            self.begin_call(call, age, now);
            self.plan_hang_up(key, hold, ago, now);
        }
    }

    pub(super) fn begin_call(&mut self, began: OpenCall, age: Duration, now: Now) {
        let poll = self.lifetimes.begin();
        self.talks.began(age, now.mono);
        let key = began.key;
        let open = Open {
            recipient: began.recipient,
            tried: began.tried,
            call: began.call,
            age,
            since: now.mono,
            poll,
            poll_at: None,
            asked: None,
            blank: 0,
            told: None,
            told_by: Vec::new(),
            unknown_since: None,
        };
        self.flights.insert(key, Flight::Open(open));
        self.plan_poll(key, now.mono);
    }

    /// Asks about the calls whose time has come.
    pub(super) fn get(&mut self, now: Now, commands: &mut Vec<Command>) {
        if now.mono < self.gets_hold_until {
            return;
        }
        let flights = &mut self.flights;
        self.gets
            .notice(now.mono, |key, left| match flights.get_mut(&key) {
                Some(Flight::Open(Open {
                    asked: Some((at, hangs)),
                    ..
                })) if *at == left => {
                    *hangs = true;
                    true
                }
                _ => false,
            });
        while self.gets.free(self.pacer.ceiling())
            && let Some(Reverse((at, key))) = self.polls.peek().copied()
            && at <= now.mono
        {
            self.polls.pop();
            if let Some(Flight::Open(open)) = self.flights.get_mut(&key)
                && open.poll_at == Some(at)
            {
                open.poll_at = None;
                open.asked = Some((now.mono, false));
                self.gets.leave(now.mono, key);
                commands.push(Command::Get(key, open.call.clone()));
            }
        }
    }

    /// Whether polls come so late that dialling should wait for them. While the platform keeps
    /// questions back, they are late by its own wish.
    pub(super) fn polls_lag(&self, now: Now) -> bool {
        now.mono >= self.gets_hold_until
            && !self.gets.free(self.pacer.ceiling())
            && self
                .polls
                .peek()
                .is_some_and(|Reverse((at, _))| *at + LAG_MAX < now.mono)
    }

    /// When the next GET may be due.
    pub(super) fn next_get(&self) -> Option<Duration> {
        if !self.gets.free(self.pacer.ceiling()) {
            return None;
        }
        let Reverse((at, _)) = self.polls.peek()?;
        Some((*at).max(self.gets_hold_until))
    }

    pub(super) fn observed(
        &mut self,
        key: AttemptKey,
        seen: Observation,
        now: Now,
        commands: &mut Vec<Command>,
    ) {
        let Some(Flight::Open(open)) = self.flights.get_mut(&key) else {
            self.get_was_overtaken(key, now);
            return;
        };
        let Some((left, hangs)) = open.asked.take() else {
            return;
        };
        self.gets.answered(left, hangs, now.mono);
        let age = open.age_at(now.mono);
        if let Some(told) = open.told.clone() {
            let outcome = match seen {
                Observation::Final(polled) => told.completed(polled),
                Observation::Again { wait, .. } if Self::asks_for_price(open.blank) => {
                    return self.ask_again(key, wait, now);
                }
                _ => told,
            };
            return self.ended(key, outcome, now, commands);
        }
        match seen {
            Observation::Final(outcome) => self.ended(key, outcome, now, commands),
            Observation::Ongoing if age > AGE_MAX => {
                self.ended(key, Outcome::unknown(), now, commands);
            }
            Observation::Ongoing => {
                (open.blank, open.unknown_since) = (0, None);
                let mut poll = open.poll;
                self.lifetimes.goes_on(&mut poll, age);
                if let Some(Flight::Open(open)) = self.flights.get_mut(&key) {
                    open.poll = poll;
                }
                self.reachable();
                self.plan_poll(key, now.mono);
            }
            Observation::NotFound => {
                let since = *open.unknown_since.get_or_insert(now.mono);
                let gone = now.mono.saturating_sub(since) > UNKNOWN_MAX;
                self.reachable();
                if gone && self.predecessor == (Predecessor::Process { elsewhere: true }) {
                    self.ask_again(key, None, now);
                    self.drain(End::Paused(PauseReason::Configuration(ELSEWHERE.into())));
                } else if gone {
                    self.ended(key, Outcome::unknown(), now, commands);
                } else {
                    self.ask_again(key, None, now);
                }
            }
            Observation::Again { .. } if age > AGE_MAX && open.blank >= BLANK_MAX => {
                self.ended(key, Outcome::unknown(), now, commands);
            }
            Observation::Again { why, wait } => {
                if let Some(wait) = wait {
                    self.gets_hold_until = now.mono + wait.clamp(HOLD_DEFAULT, HOLD_MAX);
                }
                self.failing(&why, now);
                self.ask_again(key, wait, now);
            }
            Observation::Refused { reaction, why } => {
                self.ask_again(key, None, now);
                self.drain(End::Paused(match reaction {
                    Reaction::EmptyAccount => PauseReason::EmptyAccount(why),
                    Reaction::Configuration => PauseReason::Configuration(why),
                    _ => PauseReason::Credentials(why),
                }));
            }
        }
    }

    pub(super) fn ended(
        &mut self,
        key: AttemptKey,
        outcome: Outcome,
        now: Now,
        commands: &mut Vec<Command>,
    ) {
        let Some(Flight::Open(open)) = self.flights.remove(&key) else {
            return;
        };
        let certainty = self.lifetimes.certainty();
        self.lifetimes.ended(open.poll, open.age_at(now.mono));
        self.reachable();
        self.progress.ended(&outcome);
        let pause = self.judge_end(&outcome);
        let step = Step {
            key,
            before: AttemptState::Accepted(open.call),
            event: AttemptEvent::Ended(None, outcome),
            whom: Whom {
                recipient: open.recipient,
                tried: open.tried,
                was: Was::InFlight,
            },
            wait: Duration::ZERO,
        };
        self.take(step, now, commands);
        let told_by = open.told_by.into_iter();
        commands.extend(told_by.map(Command::Handled));
        if let Some(why) = pause {
            self.hold_for(why);
        }
        if self.lifetimes.certainty() > certainty {
            self.plan_all(now.mono);
        }
    }

    /// After an answer that told nothing: the wait doubles with each in a row.
    fn ask_again(&mut self, key: AttemptKey, wait: Option<Duration>, now: Now) {
        let Some(Flight::Open(open)) = self.flights.get_mut(&key) else {
            return;
        };
        let doubled = AGAIN_FIRST * 2_u32.saturating_pow(open.blank.min(8));
        open.blank += 1;
        let at = now.mono + wait.unwrap_or(doubled).min(AGAIN_MAX);
        open.poll_at = Some(at);
        self.polls.push(Reverse((at, key)));
    }

    /// Asks about a call then, unless a question is out already.
    pub(super) fn poll_soon(&mut self, key: AttemptKey, at: Duration) {
        if let Some(Flight::Open(open)) = self.flights.get_mut(&key)
            && open.poll_at.is_some_and(|planned| planned > at)
        {
            open.poll_at = Some(at);
            self.polls.push(Reverse((at, key)));
        }
    }

    fn plan_poll(&mut self, key: AttemptKey, now: Duration) {
        let Some(Flight::Open(open)) = self.flights.get_mut(&key) else {
            return;
        };
        let age = open.age_at(now);
        let next = if self.telling.expected {
            self.telling.late(age)
        } else {
            self.lifetimes.next_poll(open.poll, age)
        };
        let wait = next.saturating_sub(age);
        open.poll_at = Some(now + wait);
        self.polls.push(Reverse((now + wait, key)));
    }

    /// Once more is known of how long calls last, those that wait with less are planned anew.
    fn plan_all(&mut self, now: Duration) {
        if self.telling.expected {
            // They wait for events, whatever is known of how long calls last.
            return;
        }
        self.polls.clear();
        let waiting: Vec<AttemptKey> = self
            .flights
            .iter()
            .filter(|(_, f)| matches!(f, Flight::Open(open) if open.poll_at.is_some()))
            .map(|(key, _)| *key)
            .collect();
        for key in waiting {
            self.plan_poll(key, now);
        }
    }
}
