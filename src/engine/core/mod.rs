//! The core: which recipient is next, whether they may be dialled, when to poll, what an answer
//! means, when to pause or stop.
//!
//! [`Core::step`] takes one event and the time, and returns commands. Its state is bounded by what is
//! in flight and one page of recipients. `dialling` brings recipients to their POST, `answers` reads
//! what comes of it, `refused` what refusals say together, `moves` records what follows, `calls` follows
//! calls to their end, `heard` hears what the platform tells by itself, `spending` holds money and hangs up what lasts too long, `ending` stops and
//! finishes, `talking` goes on answering meanwhile, `clock` notices a clock that jumps.
//!
//! # Why nobody is taken twice
//!
//! The store shows a recipient as due until their intent, or whatever else was decided of them, is
//! durable. A page is read at one moment and arrives at a later one. So one recipient R can be on three
//! kinds of pages:
//!
//! ```text
//! R      taken ───────── held ─────────┬─ overtaken while a page is on its way ─▶
//! disk   R is due                      │ R is in flight, due later, or done
//!                                   durable
//! page A    asked ── read ── arrives   │                          R is held: skipped
//! page B          asked ── read ───────┼──────── arrives          R is overtaken: skipped
//! page C                       asked ──┼── read ── arrives        as the disk says
//! ```
//!
//! `held` keeps A from taking R again: whoever is read, or kept back at the POST, enters it, and leaves it
//! when what was recorded of them is durable. `overtaken` does that for B, which was read before that
//! moment and arrives after it: only one page is on its way at a time, so the set is filled while
//! `fetching` and emptied by the page. C was read afterwards and needs neither. If R became due again
//! while B was on its way, B is stale: the next page is read from the start.

mod answers;
mod calls;
mod clock;
mod dialling;
mod ending;
mod heard;
mod moves;
mod refused;
mod slots;
mod spending;
mod talking;
mod windows;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::domain::openings::Openings;
use crate::domain::pacing::Pacer;
use crate::domain::polling::Lifetimes;
use crate::domain::window::Window;
use crate::domain::{
    AttemptId, AttemptKey, Breaker, Budget, CallFlow, CallId, Disposition, Endings, EventNumber,
    Hold, InCall, Known, Observation, PauseReason, RecipientId, Refusals, RetryPolicy, Tried,
    Verdict, Wanted,
};
use crate::engine::progress::Progress;
use crate::entropy::Entropy;
use crate::store::{
    Cursor, Due, DueAt, DuePage, Fact, Intent, Latest, OpenCall, Refused, Taken, Was,
};

use calls::Open;
use dialling::Backoff;
use heard::{Overtaken, Telling};
use moves::Whom;
use slots::Slots;
use talking::Talks;

pub use heard::Heard;

/// The time, both kinds of it.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// The wall's, for records and due times.
    pub wall: Timestamp,
    /// Monotonic, for pacing and ages.
    pub mono: Duration,
}

impl Now {
    /// The monotonic time at which the wall's will be `at`, unless that jumps.
    fn until(self, at: Timestamp) -> Duration {
        let wait = at.duration_since(self.wall);
        self.mono + Duration::try_from(wait).unwrap_or_default()
    }
}

/// How fast, from the campaign.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// Calls per second.
    pub calls_per_second: f64,
    /// Calls not known to be over, at most; none: no cap of ours.
    pub concurrent_calls: Option<u32>,
}

/// Who worked on a run before this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Predecessor {
    /// The run is new.
    Nobody,
    /// An earlier process, which may have `POSTed` within the last second.
    Process {
        /// Whether that process spoke to another platform or application. Calls that this one does not
        /// know are not given up then: they may be known there.
        elsewhere: bool,
    },
}

/// Who may be called when, from the campaign.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Who is called again, and when.
    pub retry: RetryPolicy,
    /// What happens in a call; none where the campaign brings its own, or asks nothing.
    pub flow: Option<Arc<CallFlow<()>>>,
    /// When people may be called; none: at any time.
    pub window: Option<Window>,
    /// When the run was made: whoever was not called in a window since may have missed it.
    pub since: Timestamp,
    /// What is known of codes of refusals.
    pub known: Known,
}

/// What happened outside, for the core to decide about.
#[derive(Debug)]
pub enum Event {
    /// Calls that an earlier process left open.
    Opened(Vec<OpenCall>),
    /// Attempts that have become uncertain lately, before this process: since when.
    Uncertain(Vec<Timestamp>),
    /// The latest answers to callouts before this process, oldest first: refusals, and none for calls.
    Latest(Latest),
    /// A page of due recipients came.
    Page(DuePage),
    /// A group is durable: these intents, and so many recipients due again.
    Committed {
        /// Attempts whose POST may leave now.
        intents: Vec<AttemptKey>,
        /// How many `Fact::Due` the group held.
        dues: usize,
        /// The soonest of them.
        next_due: Option<DueAt>,
        /// Recipients of whom the group held anything but an intent.
        moved: Vec<RecipientId>,
    },
    /// The store failed; what is on disk is not known.
    StoreFailed(String),
    /// A POST was answered, or was not.
    Answered(AttemptKey, Verdict),
    /// A GET was answered, or was not.
    Polled(AttemptKey, Observation),
    /// The platform told of a call by itself.
    Heard(Heard),
    /// A word on an attempt that is not in hand is durable; its call, where that goes on, is followed.
    Observed(Taken, Vec<OpenCall>),
    /// At that moment nothing was there to be heard that is not taken into account.
    Quiet(Duration),
    /// A hang-up was carried out by the platform, or was not.
    HungUp(AttemptKey, bool),
    /// Stop with work left.
    Stop(PauseReason),
    /// Call nobody else, and end when the calls that go on are over.
    Cancel,
    /// The run's `expires_at` has gone by: like `Cancel`, and whoever was not called is expired.
    Expired,
    /// Time went by.
    Tick,
}

/// What to do.
#[derive(Debug)]
pub enum Command {
    /// Read a page of due recipients, this many at most, behind a cursor.
    Fetch(Option<Cursor>, u32),
    /// Make an attempt durable, in a group with others. Until it stands it is not `POSTed`.
    Intend(Intent),
    /// Make a fact durable, in a group with others.
    Record(Fact),
    /// POST one callout, once.
    Post {
        /// The key of its attempt, by which its answer is known.
        key: AttemptKey,
        /// The id that travels with it.
        id: AttemptId,
        /// The recipient, with the row that the callout is rendered from.
        due: Due,
    },
    /// Ask how a call stands.
    Get(AttemptKey, CallId),
    /// Hang a call up that lasts too long. Harmless to repeat.
    HangUp(AttemptKey, CallId),
    /// What an event told is taken into account, and is done with as soon as what was recorded before is durable.
    Handled(EventNumber),
    /// What an event told is about an attempt that is not in hand: the store takes it into account.
    Observe(EventNumber),
    /// Flush what is recorded, and end.
    Finish(End),
}

/// How an engine's work ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Every recipient has a disposition.
    Completed,
    /// Stopped with work left.
    Paused(PauseReason),
    /// Whoever was still to be called is cancelled.
    Cancelled,
    /// Whoever was still to be called is expired.
    Expired,
    /// The store failed.
    Failed(String),
}

/// Where the engine stands.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase {
    /// Recipients are called.
    Running,
    /// Nobody new is called; calls that go on are followed to their end. Whoever was still to be
    /// called is cancelled or expired.
    Closing(Disposition),
    /// Nobody new is called; calls that go on are followed to their end, and then the run pauses.
    Holding(PauseReason),
    /// Requests in flight are waited for, nothing else.
    Draining(End),
    /// `Finish` was given.
    Finished,
}

/// Whether the store has more recipients for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum More {
    /// It may have: a page is to be fetched.
    Maybe,
    /// Not before then.
    At(Timestamp),
    /// Only people who wait for what never comes by itself.
    Held,
    /// Nobody is waiting.
    No,
}

/// An attempt that is not over.
#[derive(Debug)]
enum Flight {
    /// Its intent was recorded at that moment and is not yet durable.
    Intending(AttemptId, Due, Duration),
    /// Its intent is durable; its POST waits for a permit.
    Ready(AttemptId, Due),
    /// Its POST has left.
    Posted {
        recipient: RecipientId,
        tried: Tried,
        hold: Option<Hold>,
        intended_at: Timestamp,
        at: Duration,
        hangs: bool,
    },
    /// Its call goes on.
    Open(Open),
}

/// The state machine. See the module.
#[derive(Debug)]
pub struct Core {
    pace: Pace,
    predecessor: Predecessor,
    retry: RetryPolicy,
    /// What a call must bring beside its answer.
    wanted: Wanted,
    openings: Option<Openings>,
    /// Since when people could have been called, if the window was open.
    since: Timestamp,
    /// The time when it began: the wall's clock is held against it.
    began: Now,
    entropy: Entropy,
    next_key: i64,
    phase: Phase,
    more: More,
    fetching: bool,
    /// Where the last page ended. Whoever becomes due before it is found by beginning again.
    cursor: Option<Cursor>,
    /// Whether the store was asked once more after everything seemed done.
    looked_again: bool,
    queue: VecDeque<Due>,
    /// Recipients whom the store still shows as due, although the core has taken them already: they are
    /// queued, or what was recorded of them is not yet durable.
    held: HashSet<RecipientId>,
    /// Recipients who left `held` while a page was on its way: that page may still show them as due.
    overtaken: HashSet<RecipientId>,
    /// Whether somebody became due while a page was on its way.
    page_is_stale: bool,
    flights: HashMap<AttemptKey, Flight>,
    /// What was heard in the calls of those in flight, and what they pressed in the calls before.
    heard: HashMap<RecipientId, InCall>,
    /// Whom the store is deciding about, who may be due; and their row, where they were read or come on a page
    /// meanwhile.
    set_aside: Option<(RecipientId, Option<Due>)>,
    ready: VecDeque<AttemptKey>,
    intending: usize,
    /// How long it takes lately until an intent is durable.
    commit_takes: Duration,
    posts: Slots,
    gets: Slots,
    /// Recipients recorded as due again, and not yet durable.
    dues: usize,
    backoff: Backoff,
    pacer: Pacer,
    /// When the pacer may give the next permit.
    permit_at: Duration,
    breaker: Breaker,
    /// What was known of codes of refusals when this process began.
    known: Known,
    refusals: Refusals<Refused>,
    endings: Endings,
    lifetimes: Lifetimes,
    telling: Telling,
    talks: Talks,
    /// POSTs whose answers an event overtook, and GETs: when they left, and whether they hang.
    posts_overtaken: HashMap<AttemptKey, Overtaken>,
    gets_overtaken: HashMap<AttemptKey, (Duration, bool)>,
    /// Next polls: when, and which attempt.
    polls: BinaryHeap<Reverse<(Duration, AttemptKey)>>,
    /// What may still be spent; none: no cap of ours.
    budget: Option<Budget>,
    /// When calls are hung up.
    hang_ups: BinaryHeap<Reverse<(Duration, AttemptKey)>>,
    gets_hold_until: Duration,
    /// Until when uncertain attempts count as calls.
    uncertain: VecDeque<Duration>,
    /// Until when it is counted how long somebody was there to be called.
    counted_until: Duration,
    /// Since when nothing but failures came back, and the first of them.
    failing_since: Option<(Duration, String)>,
    progress: Progress,
}

impl Core {
    /// A core for one run. `next_key` is the first attempt key that is free.
    pub fn new(
        pace: Pace,
        rules: Rules,
        predecessor: Predecessor,
        next_key: i64,
        entropy: Entropy,
        now: Now,
    ) -> Self {
        let restarted = predecessor != Predecessor::Nobody;
        Self {
            pace,
            predecessor,
            retry: rules.retry,
            wanted: rules.flow.map(|flow| flow.wanted()).unwrap_or_default(),
            openings: rules.window.map(Openings::new),
            since: rules.since,
            began: now,
            entropy,
            next_key,
            phase: Phase::Running,
            more: More::Maybe,
            fetching: false,
            cursor: None,
            looked_again: false,
            queue: VecDeque::new(),
            held: HashSet::new(),
            overtaken: HashSet::new(),
            page_is_stale: false,
            flights: HashMap::new(),
            heard: HashMap::new(),
            set_aside: None,
            ready: VecDeque::new(),
            intending: 0,
            commit_takes: Duration::ZERO,
            posts: Slots::default(),
            gets: Slots::default(),
            dues: 0,
            backoff: Backoff::default(),
            pacer: Pacer::new(pace.calls_per_second, now.mono, restarted),
            permit_at: Duration::ZERO,
            breaker: Breaker::default(),
            refusals: Refusals::new(rules.known.clone(), []),
            known: rules.known,
            endings: Endings::default(),
            lifetimes: Lifetimes::default(),
            telling: Telling::default(),
            talks: Talks::default(),
            posts_overtaken: HashMap::new(),
            gets_overtaken: HashMap::new(),
            polls: BinaryHeap::new(),
            budget: None,
            hang_ups: BinaryHeap::new(),
            gets_hold_until: Duration::ZERO,
            uncertain: VecDeque::new(),
            counted_until: now.mono,
            failing_since: None,
            progress: Progress::default(),
        }
    }

    /// The same core, which spends no more than this.
    #[must_use]
    pub fn within(mut self, budget: Option<Budget>) -> Self {
        self.budget = budget;
        self
    }

    /// Takes one event and returns what to do about it.
    pub fn step(&mut self, event: Event, now: Now) -> Vec<Command> {
        let mut commands = Vec::new();
        let now = self.believed(now);
        self.count_dialling(now);
        if !matches!(event, Event::Tick | Event::Page(_) | Event::Quiet(_)) {
            self.talks.stirred(now.mono);
        }
        match event {
            Event::Quiet(at) => self.talks.quiet(at),
            Event::Opened(calls) => self.opened(calls, now),
            Event::Uncertain(since) => self.still_uncertain(since, now),
            Event::Latest(answers) => self.remember(answers),
            Event::Page(page) => self.page(page, now, &mut commands),
            Event::Committed {
                intents,
                dues,
                next_due,
                moved,
            } => {
                self.committed(&intents, now);
                self.moved(&moved, dues, next_due, now);
            }
            Event::StoreFailed(why) => self.drain(End::Failed(why)),
            Event::Answered(key, verdict) => {
                if !self.answer_was_overtaken(key, &verdict, now, &mut commands) {
                    self.answered(key, verdict, now, &mut commands);
                }
            }
            Event::Polled(key, seen) => self.observed(key, seen, now, &mut commands),
            Event::Heard(heard) => self.heard(heard, now, &mut commands),
            Event::Observed(taken, open) => self.observed_elsewhere(taken, open, now),
            Event::HungUp(key, done) => self.hung_up(key, done, now),
            // Who asked for the end is not made to wait by who asks for a pause.
            Event::Stop(PauseReason::Asked) if matches!(self.phase, Phase::Closing(_)) => {}
            Event::Stop(why) => self.drain(End::Paused(why)),
            Event::Cancel => self.close(Disposition::Cancelled),
            Event::Expired => self.close(Disposition::Expired),
            Event::Tick => self.give_up_if_unreachable(now),
        }
        self.advance(now, &mut commands);
        commands
    }

    /// When the core wants to be woken though nothing happens; none where only events matter.
    pub fn wake_at(&self, now: Now) -> Option<Duration> {
        let dialling = self.next_dial(now);
        // A core that drains asks nothing more: a poll that is due must not keep it awake. Unless people are
        // in calls that are answered.
        let talks = self.talks_until(now);
        let follows = talks.is_some()
            || matches!(
                self.phase,
                Phase::Running | Phase::Closing(_) | Phase::Holding(_)
            );
        let poll = follows.then(|| self.next_get()).flatten();
        let hang_up = match self.phase {
            Phase::Finished => None,
            _ => self.next_hang_up(),
        };
        let word = follows.then(|| self.word_by(now)).flatten();
        [dialling, poll, hang_up, word, talks]
            .into_iter()
            .flatten()
            .min()
    }

    /// How things stand, for people.
    pub fn progress(&self, now: Now) -> Progress {
        let (slow, why_slow) = self.why_slow(now);
        Progress {
            in_flight: self.flights.len(),
            dialling: self.posts.in_flight(),
            rate: self.pacer.rate(),
            ceiling: self.pacer.ceiling(),
            at: now.wall,
            slow,
            why_slow,
            next_due: match self.more {
                More::At(at) if self.nobody_is_due() => Some(at),
                _ => None,
            },
            committed: self.budget.as_ref().map(Budget::committed),
            uncertain_held: self.uncertain.len(),
            ..self.progress.clone()
        }
    }

    /// Everything that time alone allows.
    fn advance(&mut self, now: Now, commands: &mut Vec<Command>) {
        match self.phase {
            Phase::Running => {
                self.post(now, commands);
                self.intend(now, commands);
                self.stop_at_the_cap(now);
                self.fetch(now, commands);
                self.get(now, commands);
                self.hang_up(now, commands);
            }
            Phase::Closing(_) | Phase::Holding(_) => {
                self.give_back(now, commands);
                self.get(now, commands);
                self.hang_up(now, commands);
            }
            Phase::Draining(_) => {
                self.give_back(now, commands);
                if self.talks_until(now).is_some() {
                    self.get(now, commands);
                }
                // Waiting for the last answers can take a minute, which a call should not.
                self.hang_up(now, commands);
            }
            Phase::Finished => return,
        }
        self.finish(now, commands);
    }

    /// Whom an attempt is on whose POST has not left, and how they were tried before.
    fn unsent_on(&self, key: AttemptKey) -> Option<Whom> {
        match self.flights.get(&key)? {
            Flight::Intending(_, due, _) | Flight::Ready(_, due) => Some(Whom {
                recipient: due.recipient,
                tried: due.tried,
                was: Was::InFlight,
            }),
            Flight::Posted { .. } | Flight::Open(_) => None,
        }
    }
}
