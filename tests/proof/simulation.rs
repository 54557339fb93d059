//! The core in its world: time that jumps to what is next, a store in memory, a platform, crashes and stops;
//! and the checkers, who see everything.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use callout::domain::{
    AttemptId, AttemptKey, Budget, CallId, DestinationKind, Disposition, EventNumber, InCall, News,
    Observation, PauseReason, RecipientId, RecipientState, RefusalCode, RunId, Says, Signal, Spend,
    SpendAccount, Verdict,
};
use callout::engine::{Command, Core, End, Event, Heard, Predecessor, press};
use callout::entropy::Entropy;
use callout::store::{
    Cursor, DuePage, EngineStore, Fact, Imported, ImportedRow, Intent, NewRun, Observed, Planned,
    RunEnd, RunStore, Taken, Whose,
};
use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::checkers::{self, Checker, Post, Scene, Violations};
use crate::memory::Memory;
use crate::nature::{Nature, SECOND, hold_of, now_at, zones_of};
use crate::planted::Bug;
use crate::platform::Platform;

/// Virtual time after which a run that is not done has stalled.
const STALLED: Duration = Duration::from_hours(6);
/// An engine's longest sleep.
const LOOK_UP: Duration = Duration::from_millis(200);
/// Steps at one moment after which time is not going to go on.
const SPINNING: u32 = 20_000;

/// What happens later.
#[derive(Debug)]
enum Later {
    Committed {
        failed: bool,
    },
    Page(Box<DuePage>),
    /// A page whose rows are read only when it arrives.
    FreshPage(Option<Cursor>, u32),
    Answer(AttemptKey, Verdict),
    Seen(AttemptKey, Observation),
    HungUp(AttemptKey, bool),
    Crash,
    Stop,
    Cancel,
    Tick,
    /// An event comes: of an attempt's call, and what it tells.
    Told(AttemptId, Tells),
}

/// What an event tells of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tells {
    GoesOn,
    /// What was heard in it.
    Heard,
    Over,
}

/// One world.
#[expect(
    clippy::struct_excessive_bools,
    reason = "a world is in several states at once"
)]
pub(crate) struct Simulation {
    nature: Nature,
    bug: Bug,
    now: Duration,
    core: Core,
    store: Memory,
    run: RunId,
    platform: Platform,
    checkers: Vec<Box<dyn Checker>>,
    broken: Violations,
    /// Happens later: when, in which order, in which process's life.
    heap: BinaryHeap<Reverse<(Duration, u64, u64)>>,
    later: HashMap<u64, Later>,
    order: u64,
    /// Processes so far: what an earlier one waited for never arrives.
    life: u64,
    group: Group,
    group_since: Duration,
    committing: Option<Group>,
    failed: bool,
    /// What came in since the store failed, a step each: on its way to be kept aside.
    aside: Vec<Vec<Fact>>,
    fetching: bool,
    cancelled: bool,
    over: bool,
    /// What the run may cost by now: whoever resumes it at its cap doubles that.
    spend: Option<Spend>,
    /// How often it stopped at its cap, and for a price.
    stopped: (u64, u64),
    /// How often it paused for refusals, and with which the last time.
    refused: u64,
    suspect: Option<RefusalCode>,
    restarts: u64,
    /// Events that are not done with, and how many came.
    inbox: BTreeMap<EventNumber, (AttemptId, News)>,
    told: i64,
    /// Whose the calls are of which the platform may tell.
    whose: HashMap<AttemptId, Whose>,
    /// Attempts whose call is known to be over, be the POST answered or not.
    known_over: HashSet<AttemptKey>,
}

/// What a world came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) violations: Vec<String>,
    pub(crate) dispositions: BTreeMap<i64, Disposition>,
    pub(crate) posts: u64,
    pub(crate) restarts: u64,
    /// How often the run stopped at its cap, and for a price.
    pub(crate) stopped: (u64, u64),
    /// How often it paused for refusals.
    pub(crate) refused: u64,
    pub(crate) hung_up: u64,
    /// Virtual time at the end.
    pub(crate) ended: Duration,
}

impl Simulation {
    /// Lives through a world, with a bug planted in it.
    pub(crate) fn run(nature: Nature, bug: Bug) -> Report {
        let began = now_at(Duration::ZERO);
        let (store, run) = imported(nature.recipients, began.wall);
        at_once(store.begin_work(&run, began.wall)).unwrap();
        let core = Core::new(
            nature.pace,
            nature.rules(),
            Predecessor::Nobody,
            1,
            Entropy::seeded(nature.seed),
            began,
        );
        let mut world = Self {
            bug,
            now: Duration::ZERO,
            core: core
                .within(budget(&store, &run, nature.spend.as_ref(), began.wall))
                .hearing(nature.events.is_some()),
            store,
            run,
            platform: Platform::of(&nature),
            checkers: checkers::all(),
            broken: Violations::new(),
            heap: BinaryHeap::new(),
            later: HashMap::new(),
            order: 0,
            life: 0,
            group: Group::default(),
            group_since: Duration::ZERO,
            committing: None,
            failed: false,
            aside: Vec::new(),
            fetching: false,
            cancelled: false,
            over: false,
            spend: nature.spend.clone(),
            stopped: (0, 0),
            refused: 0,
            suspect: None,
            restarts: 0,
            inbox: BTreeMap::new(),
            told: 0,
            whose: HashMap::new(),
            known_over: HashSet::new(),
            nature,
        };
        for at in world.nature.crashes.clone() {
            world.in_every_life(at, Later::Crash);
        }
        for at in world.nature.stops.clone() {
            world.in_every_life(at, Later::Stop);
        }
        if let Some(at) = world.nature.cancel_at {
            world.in_every_life(at, Later::Cancel);
        }
        world.step(Event::Tick);
        world.live();
        world.hear_the_rest();
        world.report()
    }

    /// Goes on until the run is over, or something is wrong.
    fn live(&mut self) {
        let (mut spun, mut before) = (0, Duration::ZERO);
        while self.broken.is_empty() {
            let commit = (self.committing.is_none() && !self.group.is_empty() && !self.failed)
                .then(|| self.group_since + self.nature.gather);
            if commit.is_some_and(|at| at <= self.now) {
                self.commit();
            }
            if self.over {
                return;
            }
            let next = self.heap.peek().map(|Reverse((at, ..))| *at);
            let wake = self.core.wake_at(now_at(self.now));
            // An engine looks up so often whatever happens.
            let look_up = Some(self.now + LOOK_UP);
            let at = [next, wake, commit, look_up].into_iter().flatten().min();
            let at = at.unwrap_or(self.now);
            self.now = self.now.max(at);
            spun = if self.now == before { spun + 1 } else { 0 };
            before = self.now;
            if spun > SPINNING {
                self.broken
                    .push(format!("time stands still at {:?}", self.now));
            }
            if self.now > STALLED {
                self.broken.push("the run never ends".into());
            }
            if next.is_some_and(|next| next <= self.now) {
                let Reverse((_, order, life)) = self.heap.pop().unwrap();
                let later = self.later.remove(&order).unwrap();
                if life == u64::MAX || life == self.life {
                    self.happen(later);
                }
            } else {
                self.step(Event::Tick);
            }
        }
    }

    fn happen(&mut self, later: Later) {
        match later {
            Later::Committed { failed } => self.committed(failed),
            Later::Page(page) => {
                self.fetching = false;
                self.step(Event::Page(*page));
            }
            Later::FreshPage(cursor, limit) => {
                self.fetching = false;
                let page = self.page(cursor.as_ref(), limit);
                self.step(Event::Page(page));
            }
            Later::Answer(key, verdict) => {
                if !self.known_over.contains(&key) {
                    self.check(|checker, scene, _| checker.answered(key, &verdict, scene));
                }
                self.step(Event::Answered(key, verdict));
            }
            Later::Seen(key, seen) => {
                if let Observation::Final(outcome) = &seen {
                    self.known_over.insert(key);
                    self.check(|checker, scene, _| checker.ended(key, outcome, scene));
                }
                self.step(Event::Polled(key, seen));
            }
            Later::HungUp(key, done) => self.step(Event::HungUp(key, done)),
            Later::Crash => self.crash(),
            Later::Stop => self.step(Event::Stop(PauseReason::Signal)),
            Later::Cancel => {
                self.cancelled = true;
                self.step(self.closing());
            }
            Later::Tick => self.step(Event::Tick),
            Later::Told(attempt, tells) => self.event(attempt, tells),
        }
    }

    /// The platform will tell of a call: that it is there, and how it ended.
    fn will_tell(&mut self, attempt: AttemptId, ends: Duration) {
        let Some((lost, doubled)) = self.nature.events else {
            return;
        };
        for tells in [Tells::GoesOn, Tells::Over] {
            let over = tells == Tells::Over;
            self.order += 1;
            let mut draw = self.nature.draw("an event", self.order, u64::from(over));
            let copies = match draw.fraction() {
                roll if roll < lost => 0,
                roll if roll < lost + doubled => 2,
                _ => 1,
            };
            for _ in 0..copies {
                let late = if over { SECOND * 3 } else { SECOND / 10 };
                let since = if over { ends } else { self.now };
                let at = since + late.mul_f64(draw.fraction());
                self.in_every_life(at, Later::Told(attempt, tells));
            }
        }
        if self.platform.heard(attempt).is_none() {
            return;
        }
        // None of these is lost: what must follow from them is known.
        self.order += 1;
        let mut draw = self.nature.draw("what is heard", self.order, 0);
        let copies = 1 + u32::from(draw.fraction() < doubled);
        for _ in 0..copies {
            let late = ends.saturating_sub(self.now)
                + SECOND * [1, 4, 30][usize::try_from(draw.seed() % 3).unwrap()];
            let at = self.now + late.mul_f64(draw.fraction());
            self.in_every_life(at, Later::Told(attempt, Tells::Heard));
        }
    }

    /// The run is over: what comes now is taken into account by whoever receives.
    fn hear_the_rest(&mut self) {
        if !self.over {
            return;
        }
        let mut left: Vec<EventNumber> = self.inbox.keys().copied().collect();
        while let Some(Reverse((_, order, _))) = self.heap.pop() {
            if let Some(Later::Told(attempt, tells)) = self.later.remove(&order) {
                left.push(self.arrives(attempt, tells));
            }
        }
        for number in left {
            let observed = self.observe_in_store(number);
            self.broken.extend(observed.and_then(|taken| taken.alarm));
        }
    }

    /// An event comes, and stays until what it tells is durable.
    fn event(&mut self, attempt: AttemptId, tells: Tells) {
        let number = self.arrives(attempt, tells);
        self.hear(number);
    }

    fn arrives(&mut self, attempt: AttemptId, tells: Tells) -> EventNumber {
        self.told += 1;
        let number = EventNumber(self.told);
        let key = self.key_of(attempt);
        let call = CallId::new(&format!("call-{attempt}")).unwrap();
        let says = if tells == Tells::Over {
            Says::Ended(self.platform.told(key, &call))
        } else {
            Says::GoesOn
        };
        let what = self.platform.heard(attempt);
        let what = what.filter(|_| tells == Tells::Heard);
        let signal = what.map(|what| Signal { at: None, what });
        let news = News {
            attempt: Some(attempt),
            call: Some(call),
            says,
            signal,
        };
        self.inbox.insert(number, (attempt, news));
        number
    }

    fn key_of(&self, attempt: AttemptId) -> AttemptKey {
        self.whose(attempt).key
    }

    fn whose(&self, attempt: AttemptId) -> &Whose {
        &self.whose[&attempt]
    }

    /// What an event makes of a call, once that is kept.
    fn kept(&self, number: EventNumber) -> InCall {
        let (attempt, news) = &self.inbox[&number];
        let wall = now_at(self.now).wall;
        let pressed = press(news, *attempt, self.nature.flow.as_deref(), wall);
        let Some(mut pressed) = pressed else {
            return InCall::NOTHING;
        };
        self.bug.hears(&mut pressed.makes);
        at_once(self.store.pressed(std::slice::from_ref(&pressed))).unwrap();
        pressed.makes
    }

    fn heard(&self, number: EventNumber) -> Heard {
        let (id, news) = self.inbox[&number].clone();
        let Whose { key, recipient, .. } = *self.whose(id);
        Heard {
            number,
            key,
            id,
            recipient,
            makes: self.kept(number),
            news,
        }
    }

    fn hear(&mut self, number: EventNumber) {
        let heard = self.heard(number);
        let key = heard.key;
        if let Says::Ended(outcome) = &heard.news.says {
            self.known_over.insert(key);
            self.check(|checker, scene, _| checker.ended(key, outcome, scene));
        }
        self.step(Event::Heard(heard));
    }

    /// An event about an attempt that is not in hand goes through the store.
    fn observe(&mut self, number: EventNumber) {
        if self.failed {
            return;
        }
        let heard = self.heard(number);
        let (key, recipient) = (heard.key, heard.recipient);
        if self.core.has_in_hand(key) {
            return self.step(Event::Heard(heard));
        }
        let is_it = |fact: &Fact| match fact {
            Fact::Attempt { key: of, .. } => *of == key,
            _ => fact.moved() == Some(recipient),
        };
        let mut intents = self.group.intents.iter();
        let intended = intents.any(|intent| intent.recipient == recipient);
        if intended || self.group.facts.iter().any(is_it) {
            // What the core recorded of it meanwhile comes first.
            self.group_begins();
            return self.group.observes.push(number);
        }
        self.core.set_aside(recipient);
        let Some(taken) = self.observe_in_store(number) else {
            self.core.put_back(false);
            return self.handled(number);
        };
        if let Some(why) = &taken.alarm {
            self.broken.push(why.clone());
        }
        let opened = match taken.moved {
            Some(RecipientState::InFlight) => {
                let before = RecipientId(taken.recipient.0 - 1);
                at_once(self.store.open_calls(&self.run, before, 1)).unwrap()
            }
            _ => Vec::new(),
        };
        self.step(Event::Observed(taken, opened));
        self.handled(number);
    }

    /// None where it is dropped by the bug.
    fn observe_in_store(&self, number: EventNumber) -> Option<Taken> {
        let makes = self.kept(number);
        let (attempt, news) = self.inbox[&number].clone();
        if makes.has(InCall::PRESSED) && self.bug == Bug::DropLateKeys {
            return None;
        }
        let heard = callout::store::Heard {
            attempt,
            event: news.event(),
            at: now_at(self.now).wall,
            retry: self.nature.retry.clone(),
            wanted: self.nature.wanted(),
            chance: 0.5,
        };
        let observed = at_once(self.store.observe(&self.run, &[heard])).unwrap();
        match observed.into_iter().next() {
            Some(Observed::Taken(taken)) => Some(*taken),
            observed => panic!("{observed:?}"),
        }
    }

    fn handled(&mut self, number: EventNumber) {
        if !self.failed {
            self.group_begins();
            self.group.events.push(number);
        }
    }

    fn step(&mut self, event: Event) {
        if self.failed && !matches!(event, Event::StoreFailed(_)) {
            self.aside.push(Vec::new());
        }
        let commands = self.core.step(event, now_at(self.now));
        for command in commands {
            self.carry_out(command);
        }
    }

    /// Lets every checker see something.
    fn check(&mut self, mut see: impl FnMut(&mut dyn Checker, &Scene<'_>, &mut Violations)) {
        let tables = self.store.tables();
        let scene = Scene {
            nature: &self.nature,
            now: self.now,
            disk: &tables,
            platform: &self.platform,
            spend: self.spend.as_ref(),
            closed_as: self.cancelled.then(|| self.closed_as()),
            over: self.over,
            inbox: &self.inbox,
        };
        for checker in &mut self.checkers {
            see(checker.as_mut(), &scene, &mut self.broken);
        }
    }

    fn carry_out(&mut self, command: Command) {
        match command {
            Command::Intend(intent) => self.intend(intent),
            Command::Record(fact) => self.record(fact),
            Command::Post { key, id, due } => {
                let recipient = due.recipient;
                self.post(Post { key, id, recipient });
            }
            Command::Get(key, call) => {
                let (seen, after) = self.platform.get(key, &call, self.now);
                self.after(after, Later::Seen(key, seen));
            }
            Command::HangUp(key, call) => self.hang_up(key, &call),
            Command::Fetch(cursor, limit) => self.fetch(cursor, limit),
            Command::Handled(number) => self.handled(number),
            Command::Observe(number) if !self.failed => {
                self.group_begins();
                self.group.observes.push(number);
            }
            Command::Observe(_) => {}
            Command::Finish(end) => self.finish(&end),
        }
    }

    fn intend(&mut self, intent: Intent) {
        if self.failed {
            return;
        }
        self.group_begins();
        let early = self.bug.reports_early().then(|| Group {
            intents: vec![intent.clone()],
            ..Group::default()
        });
        self.group.intents.push(intent);
        if let Some(early) = early {
            self.step(early.committed());
        }
    }

    fn record(&mut self, fact: Fact) {
        if self.failed {
            self.aside.last_mut().unwrap().push(fact);
            return;
        }
        self.group_begins();
        self.group.facts.push(fact);
    }

    fn group_begins(&mut self) {
        if self.group.is_empty() {
            self.group_since = self.now;
        }
    }

    fn fetch(&mut self, cursor: Option<Cursor>, limit: u32) {
        assert!(!self.fetching, "one page at a time");
        self.fetching = true;
        self.order += 1;
        let mut draw = self.nature.draw("page", self.order, 0);
        let takes = Duration::from_micros(draw.seed() % 60_000);
        let later = if draw.fraction() < 0.5 {
            Later::FreshPage(cursor, limit)
        } else {
            Later::Page(Box::new(self.page(cursor.as_ref(), limit)))
        };
        self.after(takes, later);
    }

    fn page(&self, cursor: Option<&Cursor>, limit: u32) -> DuePage {
        let now = now_at(self.now).wall;
        let page = self.store.due_page(&self.run, now, cursor, limit, None);
        at_once(page).unwrap()
    }

    fn post(&mut self, post: Post) {
        self.check(|checker, scene, broken| checker.posted(post, scene, broken));
        let answered = self.platform.post(post.id, post.recipient, self.now);
        if answered.rings {
            self.check(|checker, scene, broken| checker.rang(scene, broken));
        }
        if answered.rings {
            let call = format!("call-{}", post.id);
            let ends = self.platform.calls[&call].ends;
            let whose = at_once(self.store.whose(&[(Some(post.id), None)])).unwrap();
            self.whose
                .extend(whose.into_iter().flatten().map(|w| (w.attempt, w)));
            self.will_tell(post.id, ends);
        }
        let later = Later::Answer(post.key, answered.verdict);
        self.after(answered.after, later);
    }

    fn hang_up(&mut self, key: AttemptKey, call: &CallId) {
        let done = self.platform.hang_up(call, self.now);
        self.after(Duration::from_millis(20), Later::HungUp(key, done));
    }

    fn commit(&mut self) {
        self.order += 1;
        let mut draw = self.nature.draw("commit", self.order, 0);
        let failed =
            draw.fraction() < self.nature.commit_failing && self.now < self.nature.faults_end;
        self.committing = Some(std::mem::take(&mut self.group));
        let takes = self.nature.commit_takes.mul_f64(0.5 + draw.fraction());
        self.after(takes, Later::Committed { failed });
    }

    fn committed(&mut self, failed: bool) {
        let group = self.committing.take().unwrap();
        if failed {
            self.order += 1;
            // A failed commit is not known to have failed.
            if self.nature.draw("unknown", self.order, 0).fraction() < 0.5 {
                self.write(&group);
            }
            self.failed = true;
            let waiting = std::mem::take(&mut self.group);
            let facts = group.facts.into_iter().chain(waiting.facts);
            self.aside = vec![facts.collect()];
            self.step(Event::StoreFailed("planted".into()));
            return;
        }
        self.write(&group);
        for number in &group.observes {
            self.observe(*number);
        }
        self.step(group.committed());
    }

    fn write(&mut self, group: &Group) {
        let (run, intents, facts) = (&self.run, &group.intents, &group.facts);
        let written = if intents.is_empty() {
            at_once(self.store.record(run, facts))
        } else {
            at_once(self.store.intend(run, intents, facts)).map(drop)
        };
        for event in &group.events {
            self.inbox.remove(event);
        }
        let astray = written.err().map(|error| error.to_string());
        self.broken.extend(astray);
    }

    fn finish(&mut self, end: &End) {
        // What is recorded is flushed, unless the store has failed.
        if let Some(group) = self.committing.take()
            && !self.failed
        {
            self.write(&group);
        }
        let group = std::mem::take(&mut self.group);
        self.write(&group);
        self.keep_aside(usize::MAX);
        match end {
            End::Completed => {
                self.end(&RunEnd::Completed);
                self.over = true;
            }
            End::Cancelled | End::Expired => {
                let expired = *end == End::Expired;
                assert_eq!(expired, self.closed_as() == Disposition::Expired);
                self.end(if expired {
                    &RunEnd::Expired
                } else {
                    &RunEnd::Cancelled
                });
                self.over = true;
            }
            End::Paused(why) => {
                self.end(&RunEnd::Paused(why.clone()));
                match why {
                    PauseReason::SpendCap(_) => self.raise_the_cap(),
                    PauseReason::Price(_) => self.stopped.1 += 1,
                    PauseReason::Account(trouble) => {
                        self.refused += 1;
                        self.suspect = Some(trouble.code);
                    }
                    _ => {}
                }
                self.restart();
            }
            End::Failed(_) => self.restart(),
        }
    }

    /// What came in since the store failed is kept aside: so many steps of it, and the rest is gone.
    fn keep_aside(&mut self, steps: usize) {
        for facts in self.aside.drain(..).take(steps) {
            if !facts.is_empty() {
                self.store.keep_aside(&self.run, &facts).unwrap();
            }
        }
    }

    /// Writes down how the run ended.
    fn end(&mut self, how: &RunEnd) {
        let now = now_at(self.now).wall;
        at_once(self.store.end_run(&self.run, how, now)).unwrap();
    }

    fn raise_the_cap(&mut self) {
        self.stopped.0 += 1;
        self.check(|checker, scene, broken| checker.stopped_at_the_cap(scene, broken));
        let spend = self.spend.as_mut().unwrap();
        let cap = spend.cap.unwrap();
        spend.cap = Some(cap * Decimal::TWO + Decimal::ONE);
    }

    /// kill -9: what is recorded is gone, the group on its way is there or not, and of what is kept aside the
    /// beginning may be there.
    fn crash(&mut self) {
        self.group = Group::default();
        if let Some(changes) = self.committing.take() {
            self.order += 1;
            if self.nature.draw("crash", self.order, 0).fraction() < 0.5 {
                self.write(&changes);
            }
        }
        let mut draw = self.nature.draw("aside", self.order, 0);
        let steps = usize::try_from(draw.seed()).unwrap() % (self.aside.len() + 1);
        self.keep_aside(steps);
        self.restart();
    }

    fn restart(&mut self) {
        self.life += 1;
        self.restarts += 1;
        (self.failed, self.fetching) = (false, false);
        self.order += 1;
        let mut draw = self.nature.draw("restart", self.order, 0);
        self.now += Duration::from_millis(draw.seed() % 2_000);
        let now = now_at(self.now);
        let mut recovery = at_once(self.store.recover(&self.run, now.wall)).unwrap();
        if self.bug.recovers(&mut self.store.tables()) {
            // Recovering twice is recovering once: this is what the store says with the bug in it.
            recovery = at_once(self.store.recover(&self.run, now.wall)).unwrap();
        }
        at_once(self.store.begin_work(&self.run, now.wall)).unwrap();
        self.check(|checker, scene, _| checker.restarted(scene));
        let before = Predecessor::Process { elsewhere: false };
        let entropy = Entropy::seeded(self.nature.seed ^ self.life.rotate_left(40));
        let budget = budget(&self.store, &self.run, self.spend.as_ref(), now.wall);
        let mut rules = self.nature.rules();
        rules.known.suspect = self.suspect;
        let (pace, next_key) = (self.nature.pace, recovery.next_key);
        self.core = Core::new(pace, rules, before, next_key, entropy, now)
            .within(budget)
            .hearing(self.nature.events.is_some());
        self.step(Event::Latest(recovery.latest));
        self.step(Event::Uncertain(recovery.uncertain_since));
        self.open_calls();
        for number in self.inbox.keys().copied().collect::<Vec<_>>() {
            self.hear(number);
        }
        self.step(Event::Tick);
        if self.cancelled {
            self.step(self.closing());
        }
    }

    fn open_calls(&mut self) {
        let mut after = RecipientId(0);
        loop {
            let page = at_once(self.store.open_calls(&self.run, after, 50)).unwrap();
            let Some(last) = page.last() else { return };
            after = last.recipient;
            self.step(Event::Opened(page));
        }
    }

    /// What ends the run early: a person, or its own schedule.
    fn closing(&self) -> Event {
        if self.nature.expires {
            Event::Expired
        } else {
            Event::Cancel
        }
    }

    fn closed_as(&self) -> Disposition {
        if self.nature.expires {
            Disposition::Expired
        } else {
            Disposition::Cancelled
        }
    }

    fn after(&mut self, wait: Duration, later: Later) {
        let life = self.life;
        self.push(self.now + wait, life, later);
        if self.nature.extra_ticks {
            let mut draw = self.nature.draw("ticks", self.order, 0);
            for _ in 0..draw.seed() % 3 {
                let at = self.now + wait.mul_f64(draw.fraction());
                self.push(at, life, Later::Tick);
            }
        }
    }

    fn in_every_life(&mut self, at: Duration, later: Later) {
        self.push(at, u64::MAX, later);
    }

    fn push(&mut self, at: Duration, life: u64, later: Later) {
        self.order += 1;
        self.heap.push(Reverse((at, self.order, life)));
        self.later.insert(self.order, later);
    }

    fn report(mut self) -> Report {
        self.check(|checker, scene, broken| checker.at_the_end(scene, broken));
        let tables = self.store.tables();
        let people = tables.recipients.iter();
        let dispositions = people.filter_map(|(id, who)| match who.state {
            RecipientState::Done(disposition) => Some((*id, disposition)),
            _ => None,
        });
        let dispositions = dispositions.collect();
        drop(tables);
        Report {
            dispositions,
            posts: self.platform.posts(),
            restarts: self.restarts,
            stopped: self.stopped,
            refused: self.refused,
            hung_up: self.platform.hung_up,
            ended: self.now,
            violations: self.broken,
        }
    }
}

/// What is made durable together.
#[derive(Debug, Default)]
struct Group {
    intents: Vec<Intent>,
    facts: Vec<Fact>,
    events: Vec<EventNumber>,
    observes: Vec<EventNumber>,
}

impl Group {
    fn is_empty(&self) -> bool {
        self.intents.is_empty()
            && self.facts.is_empty()
            && self.events.is_empty()
            && self.observes.is_empty()
    }

    /// What the core hears once it is durable.
    fn committed(&self) -> Event {
        let dues = self.facts.iter().filter_map(|fact| match fact {
            Fact::Due { at, .. } => Some(*at),
            _ => None,
        });
        Event::Committed {
            intents: self.intents.iter().map(|intent| intent.key).collect(),
            dues: dues.clone().count(),
            next_due: dues.min(),
            moved: self.facts.iter().filter_map(Fact::moved).collect(),
        }
    }
}

/// A store with a run whose list has so many people, who are all due; opened as the engine.
fn imported(recipients: i64, now: Timestamp) -> (Memory, RunId) {
    let store = Memory::empty().engine().unwrap();
    let run = RunId::new("0123456789ab");
    let begins = NewRun {
        id: run.clone(),
        campaign: "c".into(),
        definition: String::new(),
        definition_path: "c.toml".into(),
        blackout_file: None,
        rehearsal: false,
        platform: String::new(),
        created_at: now,
        scheduled_for: None,
        expires_at: None,
        spend: None,
        planned: Planned::default(),
    };
    at_once(store.create_run(&begins)).unwrap();
    let row = |id: i64| ImportedRow {
        line: u64::try_from(id).unwrap() + 1,
        cells: Vec::new(),
        verdict: Ok(format!("+{id}")),
        zones: Some(zones_of(id)),
        hold: Some(hold_of(id)),
    };
    let (send, rows) = tokio::sync::mpsc::channel(1);
    send.try_send((1..=recipients).map(row).collect()).unwrap();
    drop(send);
    let (send, whole) = tokio::sync::oneshot::channel();
    let list = Imported {
        header: Vec::new(),
        destination_kind: DestinationKind::Number,
        sha256: String::new(),
    };
    send.send(list).unwrap();
    at_once(store.import(&run, rows, whole)).unwrap();
    (store, run)
}

/// What may still be spent: as an engine reads it from the store.
fn budget(store: &Memory, run: &RunId, spend: Option<&Spend>, now: Timestamp) -> Option<Budget> {
    let spend = spend?;
    let charges = at_once(store.charges(run)).unwrap();
    let committed = SpendAccount::of(spend, &charges).committed();
    let days = Budget::days_that_matter(spend, now);
    let days = days.into_iter().map(|(day, from, until)| {
        let charges = at_once(store.charges_within("c", from, until)).unwrap();
        (day, SpendAccount::of(spend, &charges).committed())
    });
    Some(Budget::new(spend.clone(), committed, days, now))
}

/// What comes of asking a store that answers at once.
fn at_once<T>(answer: impl Future<Output = T>) -> T {
    match pin!(answer).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("a store in memory waits for nothing"),
    }
}
