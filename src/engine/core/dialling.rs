//! From a due recipient to the POST: page, intent, permit.
//!
//! An intent is recorded shortly before its permit is expected, so that little is intended ahead;
//! the permit is asked for when the intent is durable and the POST is about to leave.

use std::borrow::Cow;
use std::time::Duration;

use jiff::Timestamp;

use super::moves::{Step, Whom};
use super::{Command, Core, Flight, More, Now, Phase};
use crate::domain::{
    AttemptEvent, AttemptKey, AttemptState, Disposition, Headroom, RecipientId, WaitReason,
};
use crate::store::{Due, DueAt, DuePage, Intent, Was};

/// Recipients read at a time.
const PAGE: usize = 512;
/// An intent is recorded as long before its POST is expected to leave as commits take lately, and
/// half as much again; within these bounds. Earlier would only be more that nobody can tell about
/// after a crash.
const LEAD_MIN: Duration = Duration::from_millis(10);
const LEAD_MAX: Duration = Duration::from_millis(60);
/// Intents that are not `POSTed` yet, at most: one commit group. More would only be more that nobody
/// can tell about after a crash.
const UNSENT_MAX: usize = 64;
/// The note of an attempt whose window closed before it could leave.
const CLOSED: &str = "the window closed before it was sent";
/// The note of an attempt on somebody who turned out to have pressed a key in the call before it.
const PRESSED: &str = "a key was pressed in an earlier call";
/// An uncertain attempt counts as a call for this long.
pub(super) const UNCERTAIN_COUNTS: Duration = Duration::from_mins(1);
/// The first and the longest wait between probes of a platform that cannot be reached.
const BACKOFF_FIRST: Duration = Duration::from_secs(1);
const BACKOFF_MAX: Duration = Duration::from_secs(15);

/// A platform that cannot be reached is probed with growing waits, one callout at a time.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    wait: Option<Duration>,
    until: Duration,
}

impl Backoff {
    /// Notes a failure, and says until when nothing should leave. Failures that arrive meanwhile
    /// count once.
    pub(super) fn failed(&mut self, now: Duration) -> Duration {
        if now >= self.until {
            let next = self
                .wait
                .map_or(BACKOFF_FIRST, |wait| (wait * 2).min(BACKOFF_MAX));
            self.wait = Some(next);
            self.until = now + next;
        }
        self.until
    }

    pub(super) fn over(&mut self) {
        *self = Self::default();
    }

    pub(super) fn probing(&self) -> bool {
        self.wait.is_some()
    }
}

/// An attempt is not sent after all, for this reason.
fn kept(key: AttemptKey, due: &Due, why: &str) -> Step {
    Step {
        key,
        before: AttemptState::Intended,
        event: AttemptEvent::Kept(why.into()),
        whom: Whom {
            recipient: due.recipient,
            tried: due.tried,
            was: Was::InFlight,
        },
        wait: Duration::ZERO,
    }
}

impl Core {
    pub(super) fn page(&mut self, page: DuePage, now: Now, commands: &mut Vec<Command>) {
        self.fetching = false;
        let overtaken = std::mem::take(&mut self.overtaken);
        if self.phase != Phase::Running {
            return;
        }
        // A moment that has passed already means that there is another page.
        self.more = match page.next_due {
            Some(DueAt::At(at)) => More::At(at),
            Some(DueAt::Held) => More::Held,
            None => More::No,
        };
        if page.end.is_some() {
            self.cursor = page.end;
        }
        if std::mem::take(&mut self.page_is_stale) {
            self.look_from_the_start();
        }
        let mut read_again = false;
        for due in page.due {
            if overtaken.contains(&due.recipient) || !self.held.insert(due.recipient) {
                continue;
            }
            if self.is_set_aside(due.recipient) {
                // They are read again, and judged, once it is known what was decided about them.
                self.held.remove(&due.recipient);
                read_again = true;
                continue;
            }
            self.looked_again = false;
            if let Some(until) = due.rests_until.filter(|until| *until > now.wall) {
                let whom = Whom {
                    recipient: due.recipient,
                    tried: due.tried,
                    was: Was::ToCall,
                };
                let until = DueAt::At(until);
                self.waits(whom, until, WaitReason::PerNumber, now, commands);
            } else if self.may_call(&due, Was::ToCall, now, commands) {
                self.queue.push_back(due);
            }
        }
        if read_again {
            self.look_from_the_start();
        }
        self.progress.queued = self.queue.len();
    }

    pub(super) fn committed(&mut self, intents: &[AttemptKey], now: Now) {
        let mut took = Duration::ZERO;
        for key in intents {
            if let Some(flight) = self.flights.get_mut(key)
                && let Flight::Intending(id, due, since) = flight
            {
                took = took.max(now.mono.saturating_sub(*since));
                self.held.remove(&due.recipient);
                if self.fetching {
                    self.overtaken.insert(due.recipient);
                }
                *flight = Flight::Ready(*id, due.clone());
                self.intending -= 1;
                self.ready.push_back(*key);
            }
        }
        // A slow commit counts at once, and is forgotten by a twentieth with each that is quicker. An
        // intent that is too early costs little, one that is too late holds its POST back.
        if !intents.is_empty() {
            self.commit_takes = took.max(self.commit_takes.mul_f64(0.95));
        }
    }

    /// A group is durable. It moved these recipients; `dues` of them are due again, the first at
    /// `next_due`.
    pub(super) fn moved(
        &mut self,
        moved: &[RecipientId],
        dues: usize,
        next_due: Option<DueAt>,
        now: Now,
    ) {
        for recipient in moved {
            self.held.remove(recipient);
            if self.fetching {
                self.overtaken.insert(*recipient);
            }
        }
        self.dues -= dues.min(self.dues);
        if dues == 0 {
            return;
        }
        self.page_is_stale |= self.fetching;
        match (next_due, self.more) {
            (Some(DueAt::Held), More::No) => self.more = More::Held,
            (Some(DueAt::Held), _) => {}
            // Later than everybody we have read: found behind the cursor when its time comes.
            (Some(DueAt::At(at)), More::No | More::Held) if at > now.wall => {
                self.more = More::At(at);
            }
            (Some(DueAt::At(at)), More::At(sooner)) if at > now.wall => {
                self.more = More::At(at.min(sooner));
            }
            (Some(DueAt::At(at)), More::Maybe) if at > now.wall => {}
            _ => self.look_from_the_start(),
        }
    }

    /// Somebody turned out to be called already: they are not dialled again.
    pub(super) fn forget(&mut self, recipient: RecipientId) {
        let before = self.queue.len();
        self.queue.retain(|due| due.recipient != recipient);
        if self.queue.len() < before {
            self.held.remove(&recipient);
        }
        if self.fetching {
            self.overtaken.insert(recipient);
        }
    }

    /// Attempts of an earlier process that count as calls for what is left of their minute.
    pub(super) fn still_uncertain(&mut self, mut since: Vec<Timestamp>, now: Now) {
        since.sort_unstable();
        for at in since {
            let age = Duration::try_from(now.wall.duration_since(at)).unwrap_or(Duration::ZERO);
            let left = UNCERTAIN_COUNTS.saturating_sub(age);
            self.uncertain.push_back(now.mono + left);
        }
    }

    /// POSTs what is durable and has a permit.
    pub(super) fn post(&mut self, now: Now, commands: &mut Vec<Command>) {
        let flights = &mut self.flights;
        self.posts
            .notice(now.mono, |key, left| match flights.get_mut(&key) {
                Some(Flight::Posted { at, hangs, .. }) if *at == left => {
                    *hangs = true;
                    true
                }
                _ => false,
            });
        while let Some(key) = self.ready.front().copied() {
            if !self.may_post() {
                break;
            }
            if let Err(at) = self.pacer.permit(now.mono) {
                self.permit_at = at;
                break;
            }
            self.ready.pop_front();
            let Some(Flight::Ready(id, due)) = self.flights.remove(&key) else {
                continue;
            };
            if self.has_pressed(due.recipient) {
                self.held.insert(due.recipient);
                self.take(kept(key, &due, PRESSED), now, commands);
                continue;
            }
            if !self.may_call(&due, Was::InFlight, now, commands) {
                self.held.insert(due.recipient);
                self.move_attempt(kept(key, &due, CLOSED), now, commands);
                continue;
            }
            let posted = Flight::Posted {
                recipient: due.recipient,
                tried: due.tried,
                hold: due.hold,
                intended_at: now.wall,
                at: now.mono,
                hangs: false,
            };
            self.flights.insert(key, posted);
            self.posts.leave(now.mono, key);
            self.progress.posted += 1;
            commands.push(Command::Post { key, id, due });
        }
    }

    /// Records intents for those whose permit is near.
    pub(super) fn intend(&mut self, now: Now, commands: &mut Vec<Command>) {
        while self
            .uncertain
            .front()
            .is_some_and(|until| *until <= now.mono)
        {
            self.uncertain.pop_front();
        }
        while self.may_intend(now)
            && self.pacer.about_when(now.mono, self.unsent()) <= now.mono + self.lead()
            && self.room_for_next(now) == Headroom::Enough
        {
            let Some(due) = self.queue.pop_front() else {
                break;
            };
            if !self.may_call(&due, Was::ToCall, now, commands) {
                continue;
            }
            let key = AttemptKey(self.next_key);
            self.next_key += 1;
            let id = self.entropy.attempt_id();
            let (recipient, hold) = (due.recipient, due.hold);
            self.hold(key, hold, now);
            self.flights
                .insert(key, Flight::Intending(id, due, now.mono));
            self.intending += 1;
            commands.push(Command::Intend(Intent {
                key,
                id,
                recipient,
                hold: hold
                    .filter(|_| self.budget.is_some())
                    .map(|hold| hold.amount),
                at: now.wall,
            }));
        }
        self.progress.queued = self.queue.len();
    }

    /// Asks for the next page while the queue is low.
    pub(super) fn fetch(&mut self, now: Now, commands: &mut Vec<Command>) {
        if let More::At(at) = self.more
            && at <= now.wall
        {
            self.more = More::Maybe;
        }
        let idle = self.queue.is_empty() && self.flights.is_empty() && self.dues == 0;
        if idle && matches!(self.more, More::No | More::Held) && !self.looked_again {
            // A person may have settled somebody as not called meanwhile.
            self.looked_again = true;
            self.look_from_the_start();
        }
        if !self.fetching && self.more == More::Maybe && self.queue.len() < PAGE / 2 {
            self.fetching = true;
            // A page from the start shows those again whom we hold already.
            let held = if self.cursor.is_none() {
                self.held.len()
            } else {
                0
            };
            let limit = u32::try_from(PAGE + held).unwrap_or(u32::MAX);
            commands.push(Command::Fetch(self.cursor.clone(), limit));
        }
    }

    fn look_from_the_start(&mut self) {
        self.more = More::Maybe;
        self.cursor = None;
    }

    /// When the next intent or POST may be due.
    pub(super) fn next_dial(&self, now: Now) -> Option<Duration> {
        if self.phase != Phase::Running {
            return None;
        }
        let may_post = !self.ready.is_empty() && self.may_post();
        let post = may_post.then_some(self.permit_at);
        let soon = || {
            self.pacer
                .about_when(now.mono, self.unsent())
                .saturating_sub(self.lead())
        };
        let intend = if self.queue.is_empty() || !self.may_intend(now) {
            None
        } else {
            match self.room_for_next(now) {
                Headroom::Enough => Some(soon()),
                Headroom::OverCap { .. } | Headroom::NoPrice => None,
                Headroom::OverDay { until, .. } => Some(now.until(until)),
            }
        };
        let fetch = match self.more {
            More::At(at) if !self.fetching => Some(now.until(at)),
            _ => None,
        };
        let soonest = [post, intend, fetch].into_iter().flatten().min()?;
        Some(soonest.max(now.mono + Duration::from_micros(100)))
    }

    /// Whether nobody is there who could be called now.
    pub(super) fn nobody_is_due(&self) -> bool {
        self.queue.is_empty() && self.ready.is_empty() && self.intending == 0
    }

    /// Counts the time that went by while somebody was there to be called.
    pub(super) fn count_dialling(&mut self, now: Now) {
        let went_by = now.mono.saturating_sub(self.counted_until);
        self.counted_until = now.mono;
        if self.phase == Phase::Running && !self.nobody_is_due() {
            self.progress.dialled_for += went_by;
        }
    }

    /// In one word and in words, what keeps the engine from dialling faster.
    pub(super) fn why_slow(&self, now: Now) -> (&'static str, Cow<'static, str>) {
        let short = || self.short_of_money(now);
        let running = self.phase == Phase::Running && !self.backoff.probing();
        if let Some(words) = self.why_talking(now) {
            return ("stopping", words);
        }
        match running.then(short).flatten() {
            Some(short) if self.unsent() == 0 => ("spend", format!("spend: {short}").into()),
            _ => {
                let (word, words) = self.what_decides(now);
                (word, words.into())
            }
        }
    }

    fn what_decides(&self, now: Now) -> (&'static str, &'static str) {
        match self.phase {
            Phase::Closing(Disposition::Expired) => {
                return (
                    "expiry",
                    "its schedule ends it: calls that go on are followed to their end",
                );
            }
            Phase::Holding(_) => {
                return (
                    "endings",
                    "most calls end by the campaign's or the account's fault: calls that go on are \
                     followed to their end",
                );
            }
            Phase::Closing(_) => {
                return (
                    "cancelling",
                    "cancelling: calls that go on are followed to their end",
                );
            }
            Phase::Draining(_) | Phase::Finished => {
                return ("stopping", "stopping: requests in flight finish");
            }
            Phase::Running => {}
        }
        let capped = !self.under_cap();
        if self.backoff.probing() {
            ("unreachable", "the platform cannot be reached: probing")
        } else if self.nobody_is_due() {
            match self.more {
                More::At(_) | More::Held => ("later", "everybody left is due later"),
                _ if self.flights.is_empty() && self.word_by(now).is_some() => (
                    "uncertain",
                    "everybody is called: the platform may yet tell of uncertain attempts",
                ),
                _ if self.flights.is_empty() => ("nobody", "nobody is left to call"),
                _ => ("calls_end", "everybody is called: waiting for calls to end"),
            }
        } else if capped {
            (
                "concurrent_calls",
                "concurrent_calls: as many calls go on as the campaign allows",
            )
        } else if self.pacer.rate() < self.pacer.ceiling() {
            ("slowed_down", "the platform asked us to slow down (429)")
        } else if self.polls_lag(now) {
            (
                "results",
                "results: the platform's answers about calls come slower than calls end",
            )
        } else if !self.unsuspicious(self.posts.in_flight()) {
            (
                "refusals",
                "refusals: the latest callouts were all refused, so the next leave a few at a time",
            )
        } else if !self.posts.free(self.pacer.rate()) {
            (
                "latency",
                "the platform's answers: as many callouts are in flight as its latency deserves",
            )
        } else if self.pacer.about_when(now.mono, self.unsent()) > now.mono {
            (
                "calls_per_second",
                "calls_per_second: at the campaign's rate",
            )
        } else {
            ("machine", "nothing: going as fast as this machine does")
        }
    }

    fn lead(&self) -> Duration {
        self.commit_takes.mul_f64(1.5).clamp(LEAD_MIN, LEAD_MAX)
    }

    fn unsent(&self) -> usize {
        self.intending + self.ready.len()
    }

    fn under_cap(&self) -> bool {
        self.pace.concurrent_calls.is_none_or(|cap| {
            self.flights.len() + self.uncertain.len() < usize::try_from(cap).unwrap_or(usize::MAX)
        })
    }

    fn may_intend(&self, now: Now) -> bool {
        let unsent = self.unsent();
        let free = if self.backoff.probing() {
            self.posts.in_flight() + unsent == 0
        } else {
            unsent < UNSENT_MAX
        };
        let leaving = self.posts.in_flight() + unsent;
        free && self.under_cap() && !self.polls_lag(now) && self.unsuspicious(leaving)
    }

    fn may_post(&self) -> bool {
        self.posts.free(self.pacer.rate()) && self.unsuspicious(self.posts.in_flight())
    }
}
