//! The core alone in a world made from a seed: a store that forgets what was not committed, a
//! platform that loses answers, refuses and is late, crashes and stops at random, and virtual time.
//! After every step the promises are checked; bugs planted in the world show that they would fail.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet, VecDeque};
use std::time::Duration;

use callout::domain::retry::Waits;
use callout::domain::window::{Days, OnClose, Span, TimeOfDay, Window, WindowZone};
use callout::domain::{
    AttemptId, AttemptKey, AttemptState, Budget, CallId, Charges, Disposition, Hold, Known, Money,
    NotSent, Observation, Outcome, PauseReason, Reaction, RecipientId, Refusal, RefusalCode,
    RetryPolicy, Side, SpeaksOf, Spend, SpendAccount, Standing, Tried, Uncertainty, Verdict, Zones,
};
use callout::engine::{Command, Core, End, Event, Now, Pace, Predecessor, Rules};
use callout::entropy::Entropy;
use callout::store::{Change, Cursor, Due, DueAt, DuePage, Latest, OpenCall, Refused, Was};
use jiff::Timestamp;
use rust_decimal::Decimal;

const SECOND: Duration = Duration::from_secs(1);
/// The length of a call that is held for.
const MINUTE_S: u32 = 60;
/// An uncertain attempt counts as a call for so long (DESIGN, section 3).
const UNCERTAIN_COUNTS: Duration = Duration::from_mins(1);
/// Faults, crashes and stops end here; from then on everything must finish.
const FAULTS_END: Duration = Duration::from_secs(30);
/// What the platform says while the account is unwell.
const UNWELL: &str = "unwell";
/// The due time of whoever is held: after everybody else.
const HELD: i64 = i64::MAX;
/// Virtual time after which a run that is not done has stalled.
const STALLED: Duration = Duration::from_hours(6);
/// An engine's longest sleep.
const LOOK_UP: Duration = Duration::from_millis(200);
/// Steps at one moment after which time is not going to go on.
const SPINNING: u32 = 20_000;

/// A bug planted in the world around the core.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bug {
    None,
    /// Recovery makes whoever is uncertain due again.
    RedialUncertain,
    /// What is recorded is reported as committed at once.
    RecordedIsCommitted,
    /// What is held for uncertain attempts is forgotten at a restart.
    ForgetHolds,
}

/// What the seed decides: each world has a random subset of the faults.
#[expect(clippy::struct_excessive_bools, reason = "each is a fault of its own")]
#[derive(Debug, Clone)]
struct Nature {
    seed: u64,
    recipients: i64,
    pace: Pace,
    /// Shares of POSTs.
    lost: f64,
    too_many: f64,
    server_error: f64,
    unreachable: f64,
    too_early: f64,
    refused: f64,
    credentials: f64,
    /// GETs of a call that are answered with 404 at first.
    unknown_first: u64,
    get_failing: f64,
    longest_call: Duration,
    commit_takes: Duration,
    gather: Duration,
    crashes: Vec<Duration>,
    stops: Vec<Duration>,
    commit_failing: f64,
    cancel_at: Option<Duration>,
    retry: RetryPolicy,
    window: Option<Window>,
    /// What the run may cost; calls last for minutes then, unless they are hung up.
    spend: Option<Spend>,
    /// Whether hang-ups fail.
    deaf: bool,
    /// Whether some debits are no price in the currency of the cap.
    odd_prices: bool,
    /// Whether it is its schedule that ends it then, rather than a person.
    expires: bool,
    /// From when until when the account is unwell: every callout is refused with a code that speaks of
    /// this.
    unwell: Option<(Duration, Duration, SpeaksOf)>,
    extra_ticks: bool,
    /// Faults end then; from then on everything must finish.
    faults_end: Duration,
}

impl Nature {
    fn of(seed: u64) -> Self {
        let mut draw = Entropy::seeded(seed);
        let mut sometimes = |share: f64| {
            let on = draw.fraction() < 0.5;
            let much = draw.fraction();
            if on { share * much } else { 0.0 }
        };
        let [
            lost,
            too_many,
            server_error,
            unreachable,
            refused,
            credentials,
            get_failing,
        ] = [0.2, 0.1, 0.2, 0.1, 0.1, 0.01, 0.3].map(&mut sometimes);
        let (commit_failing, too_early) = (sometimes(0.05), sometimes(0.1));
        let mut pick = |from: &[u64]| {
            let nth = draw.seed() % u64::try_from(from.len()).unwrap();
            from[usize::try_from(nth).unwrap()]
        };
        let rate = pick(&[1, 3, 20, 100, 700]);
        let cap = u32::try_from(pick(&[0, 0, 1, 7, 40])).unwrap();
        let mut moments = |most: u64| -> Vec<Duration> {
            let count = pick(&[0, 1, most]);
            let mut at: Vec<_> = (0..count)
                .map(|_| Duration::from_millis(pick(&(0..30_000).step_by(7).collect::<Vec<_>>())))
                .collect();
            at.sort();
            at
        };
        let (crashes, stops) = (moments(8), moments(4));
        // More than a page of them in a few worlds.
        let most = if rate == 700 && pick(&[0, 0, 1]) == 1 {
            1_500
        } else {
            240
        };
        let many = (rate * 12).min(if cap > 0 {
            u64::from(cap) * 30
        } else {
            u64::MAX
        });
        let calls = f64::from(u32::try_from(rate).unwrap());
        Self {
            seed,
            recipients: i64::try_from(many.clamp(12, most)).unwrap(),
            pace: Pace {
                calls_per_second: if rate == 3 { 0.7 } else { calls },
                concurrent_calls: (cap > 0).then_some(cap),
            },
            lost,
            too_many,
            server_error,
            unreachable,
            too_early,
            refused,
            credentials,
            unknown_first: pick(&[0, 0, 1, 3]),
            get_failing,
            longest_call: Duration::from_secs(pick(&[0, 2, 30])),
            commit_takes: Duration::from_micros(pick(&[100, 3_000, 40_000])),
            gather: Duration::from_millis(pick(&[0, 5])),
            crashes,
            stops,
            commit_failing,
            cancel_at: None,
            retry: RetryPolicy::default(),
            window: None,
            spend: None,
            deaf: false,
            odd_prices: false,
            expires: false,
            unwell: None,
            extra_ticks: false,
            faults_end: FAULTS_END,
        }
    }

    /// The same people and the same answers whenever they are called, and nothing that stops the
    /// engine.
    fn calm(mut self) -> Self {
        self.crashes.clear();
        self.stops.clear();
        (self.commit_failing, self.credentials) = (0.0, 0.0);
        self.faults_end = Duration::MAX;
        self
    }

    /// Whoever is busy is called again, up to three times, after waits that differ.
    fn retrying(mut self) -> Self {
        self.retry = RetryPolicy {
            max_attempts: 3,
            busy: Waits::After(vec![SECOND * 2, SECOND * 5]),
            jitter: 0.1,
            ..RetryPolicy::default()
        };
        self
    }

    /// People may be called in the first twenty seconds of every even minute by their own clock.
    fn windowed(mut self) -> Self {
        let spans = (0..24 * 30).map(|n| {
            let (hours, minutes) = (n / 30, n % 30 * 2);
            let time = |seconds| TimeOfDay::new(hours, minutes, seconds).unwrap();
            Span::new(Days::ALL, time(0), time(20)).unwrap()
        });
        let zone = WindowZone::Recipient;
        self.window = Some(Window::new(spans.collect(), zone, [], OnClose::Wait));
        self
    }

    /// The run may cost a share of what is held for everybody together; calls go on for up to five
    /// minutes unless they are hung up.
    fn capped(mut self) -> Self {
        let all: Decimal = (1..=self.recipients).map(|id| hold_of(id).amount).sum();
        let share = self.draw("cap", 0, 0).seed() % 120;
        self.longest_call = self.longest_call.max(Duration::from_mins(5));
        self.spend = Some(Spend {
            currency: "EUR".into(),
            cap: Some(all * Decimal::new(i64::try_from(share).unwrap(), 2)),
            per_day: None,
            time_zone: "Pacific/Auckland".into(),
            rates: None,
            longest_call_s: None,
            raised: Vec::new(),
        });
        self
    }

    /// All of it in two calendar days, the first of which is over after three hours.
    fn in_days(self) -> Self {
        let mut nature = self.capped();
        let all: Decimal = (1..=nature.recipients).map(|id| hold_of(id).amount).sum();
        let spend = nature.spend.as_mut().unwrap();
        spend.cap = None;
        spend.per_day = Some(all * Decimal::new(60, 2));
        nature
    }

    fn window_expires(&self) -> bool {
        let window = self.window.as_ref();
        window.is_some_and(|window| window.on_close() == OnClose::Expire)
    }

    fn rules(&self) -> Rules {
        Rules {
            retry: self.retry.clone(),
            window: self.window.clone(),
            since: now_at(Duration::ZERO).wall,
            known: Known::default(),
        }
    }

    /// For a while every callout is refused, from the start or from some moment on. There are people
    /// enough for a while of refusals.
    fn unwell(mut self) -> Self {
        let mut draw = self.draw("unwell", 0, 0);
        let of = [SpeaksOf::Account, SpeaksOf::Unknown][usize::try_from(draw.seed() % 2).unwrap()];
        let from =
            Duration::from_millis([0, draw.seed() % 6_000][usize::from(draw.fraction() < 0.7)]);
        let until = from + SECOND * 6 + SECOND.mul_f64(draw.fraction() * 9.0);
        self.unwell = Some((from, until, of));
        self.pace.calls_per_second = self.pace.calls_per_second.max(20.0);
        self.recipients = self.recipients.max(200);
        self
    }

    /// A draw that depends on whom it is about and not on when it is made.
    fn draw(&self, about: &str, whom: u64, nth: u64) -> Entropy {
        let mut seed = self.seed;
        for word in [u64::try_from(about.len()).unwrap(), whom, nth] {
            seed = Entropy::seeded(seed ^ word.wrapping_mul(0x9e37_79b9_7f4a_7c15)).seed();
        }
        Entropy::seeded(seed)
    }
}

/// Where a recipient stands on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Row {
    Due(i64),
    InFlight,
    Done(Disposition),
}

/// An attempt on disk.
#[derive(Debug, Clone)]
struct Kept {
    id: AttemptId,
    recipient: RecipientId,
    hold: Option<Decimal>,
    state: AttemptState,
    intended_at: Timestamp,
    since: Timestamp,
}

/// What is on disk.
#[derive(Debug, Clone, Default)]
struct Disk {
    rows: BTreeMap<i64, Row>,
    tried: HashMap<i64, Tried>,
    attempts: BTreeMap<i64, Kept>,
    /// Recipients with an attempt that is not over.
    live: HashSet<RecipientId>,
    /// The side file.
    aside: Vec<Change>,
}

impl Disk {
    fn is_live(state: &AttemptState) -> bool {
        use AttemptState as S;
        matches!(state, S::Intended | S::Accepted(_) | S::Uncertain(_))
    }

    /// Applies a change as the store does; an error where a row is not where it was left.
    fn apply(&mut self, change: &Change) -> Result<(), String> {
        match change {
            Change::Intend {
                key,
                id,
                recipient,
                hold,
                at,
            } => {
                if !self.live.insert(*recipient) || self.attempts.contains_key(&key.0) {
                    return Err(format!("a second attempt on {recipient:?}"));
                }
                let kept = Kept {
                    id: *id,
                    recipient: *recipient,
                    hold: *hold,
                    state: AttemptState::Intended,
                    intended_at: *at,
                    since: *at,
                };
                self.attempts.insert(key.0, kept);
                self.move_row(*recipient, Was::ToCall, Row::InFlight)
            }
            Change::Attempt {
                key,
                from,
                state,
                at,
            } => match self.attempts.get_mut(&key.0) {
                Some(kept) if kept.state.stage() == *from => {
                    if !Self::is_live(state) {
                        self.live.remove(&kept.recipient);
                    }
                    (kept.state, kept.since) = (state.clone(), *at);
                    Ok(())
                }
                _ => Err(format!(
                    "attempt {key:?} is not {from} and moves to {state:?}"
                )),
            },
            Change::Due {
                recipient,
                from,
                at,
                waiting,
            } => {
                if let Some(waiting) = waiting {
                    self.tried.insert(recipient.0, waiting.tried);
                }
                let at = match at {
                    DueAt::At(at) => at.as_millisecond(),
                    DueAt::Held => HELD,
                };
                self.move_row(*recipient, *from, Row::Due(at))
            }
            Change::Done {
                recipient,
                from,
                disposition,
                ..
            } => self.move_row(*recipient, *from, Row::Done(*disposition)),
        }
    }

    fn move_row(&mut self, recipient: RecipientId, was: Was, to: Row) -> Result<(), String> {
        let row = self.rows.get_mut(&recipient.0).unwrap();
        let as_left = match was {
            Was::ToCall => matches!(row, Row::Due(_)),
            Was::InFlight => matches!(row, Row::InFlight),
            Was::Refused => matches!(row, Row::Done(Disposition::Refused)),
        };
        if !as_left {
            return Err(format!("{recipient:?} is {row:?} and moves to {to:?}"));
        }
        *row = to;
        Ok(())
    }

    fn page(&self, now: Timestamp, after: Option<Cursor>, limit: u32) -> DuePage {
        let mut due: Vec<(i64, i64)> = self
            .rows
            .iter()
            .filter_map(|(id, row)| match row {
                Row::Due(at) => Some((*at, *id)),
                _ => None,
            })
            .collect();
        due.sort_unstable();
        let behind = after.map_or((i64::MIN, 0), |cursor| {
            (cursor.due_at.as_millisecond(), cursor.recipient.0)
        });
        due.retain(|place| *place > behind);
        let limit = usize::try_from(limit).unwrap();
        let ready = |(at, _): &&(i64, i64)| *at <= now.as_millisecond();
        let count = due.iter().take(limit).take_while(ready).count();
        let next = due.get(count).map(|(at, _)| match *at {
            HELD => DueAt::Held,
            at => DueAt::At(Timestamp::from_millisecond(at).unwrap()),
        });
        due.truncate(count);
        let end = due.last().map(|(at, id)| Cursor {
            due_at: Timestamp::from_millisecond(*at).unwrap(),
            recipient: RecipientId(*id),
        });
        let due = due.into_iter().map(|(_, id)| Due {
            recipient: RecipientId(id),
            endpoint: format!("+{id}"),
            cells: "[]".into(),
            zones: Some(zones_of(id)),
            hold: Some(hold_of(id)),
            tried: self.tried.get(&id).copied().unwrap_or_default(),
            rests_until: None,
        });
        DuePage {
            due: due.collect(),
            next_due: next,
            end,
        }
    }

    /// The latest answers to callouts, as the store's `recover` finds them.
    fn latest(&self) -> Vec<Option<Refused>> {
        let answer = |(key, kept): (&i64, &Kept)| match &kept.state {
            AttemptState::Accepted(_) | AttemptState::Final { .. } => Some(None),
            AttemptState::Refused(refusal) => Some(Some(Refused {
                key: AttemptKey(*key),
                recipient: kept.recipient,
                tried: self
                    .tried
                    .get(&kept.recipient.0)
                    .copied()
                    .unwrap_or_default(),
                refusal: refusal.clone(),
            })),
            _ => None,
        };
        let mut latest: Vec<_> = self
            .attempts
            .iter()
            .rev()
            .filter_map(answer)
            .take(50)
            .collect();
        latest.reverse();
        latest
    }

    fn charges(&self, day: Option<(Timestamp, Timestamp)>) -> Vec<Charges> {
        let within = |kept: &&Kept| {
            day.is_none_or(|(from, until)| (from..until).contains(&kept.intended_at))
        };
        let charge = |kept: &Kept| Charges {
            standing: Standing::from(&kept.state),
            hold: kept.hold,
            attempts: 1,
        };
        self.attempts.values().filter(within).map(charge).collect()
    }

    fn committed(&self, spend: Option<&Spend>) -> Decimal {
        spend.map_or(Decimal::ZERO, |spend| {
            SpendAccount::of(spend, &self.charges(None)).committed()
        })
    }

    /// What may still be spent: as an engine reads it from the store.
    fn budget(&self, spend: Option<&Spend>, now: Timestamp) -> Option<Budget> {
        let spend = spend?;
        let days = Budget::days_that_matter(spend, now);
        let days = days.into_iter().map(|(day, from, until)| {
            let charges = self.charges(Some((from, until)));
            (day, SpendAccount::of(spend, &charges).committed())
        });
        let committed = self.committed(Some(spend));
        Some(Budget::new(spend.clone(), committed, days, now))
    }

    /// What a start finds: as the store's `recover`.
    fn recover(&mut self, now: Timestamp, bug: Bug) {
        for change in std::mem::take(&mut self.aside) {
            // What is there already is not there to be moved.
            drop(self.apply(&change));
        }
        for kept in self.attempts.values_mut() {
            if kept.state == AttemptState::Intended {
                kept.state = AttemptState::Uncertain(uncertainty());
                kept.since = now;
                let row = match bug {
                    Bug::RedialUncertain => Row::Due(0),
                    _ => Row::Done(Disposition::Uncertain),
                };
                self.rows.insert(kept.recipient.0, row);
            }
            if bug == Bug::ForgetHolds && matches!(kept.state, AttemptState::Uncertain(_)) {
                kept.hold = None;
            }
            if bug == Bug::RedialUncertain && matches!(kept.state, AttemptState::Uncertain(_)) {
                kept.state = AttemptState::NotSent("planted".into());
                self.live.remove(&kept.recipient);
            }
        }
    }
}

/// What is held for a call to somebody: one minute, at prices that differ.
fn hold_of(recipient: i64) -> Hold {
    Hold {
        amount: Decimal::new(10 + recipient % 5 * 7, 2),
        longest_s: MINUTE_S,
    }
}

/// Zones at odd distances from each other, and some that nobody knows.
const ZONES: [&str; 6] = [
    "Europe/Stockholm",
    "Asia/Kathmandu",
    "Pacific/Chatham",
    "Australia/Lord_Howe",
    "America/New_York,Europe/Stockholm",
    "America/St_Johns",
];

fn zones_of(recipient: i64) -> Zones {
    let nth = usize::try_from(recipient).unwrap() % ZONES.len();
    Zones::read(ZONES[nth])
}

/// The world's own reading of the rule: the second of an even minute, by every clock.
fn may_be_called(recipient: i64, at: Timestamp) -> bool {
    let nth = usize::try_from(recipient).unwrap() % ZONES.len();
    ZONES[nth].split(',').all(|zone| {
        let clock = at.in_tz(zone).unwrap();
        clock.minute() % 2 == 0 && clock.second() < 20
    })
}

/// A debit in a currency that is none, one below zero, and one that cannot be read.
fn tell_oddly(outcome: &mut Outcome, told: u64) {
    match (told, &mut outcome.debit) {
        (2, Some(debit)) => debit.currency = Some("Kronor".into()),
        (3, Some(debit)) => debit.amount = -debit.amount - Decimal::ONE,
        (4, debit) => (*debit, outcome.unread_debit) = (None, Some("NaN".into())),
        _ => {}
    }
}

fn uncertainty() -> Uncertainty {
    Uncertainty {
        side: Side::Network,
        why: "lost".into(),
        accepted: false,
    }
}

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
}

/// A call that the platform runs.
#[derive(Debug, Clone)]
struct Call {
    recipient: RecipientId,
    began: Duration,
    ends: Duration,
    outcome: Outcome,
    gets: u64,
}

impl Call {
    /// What it costs, in started minutes of its recipient's price; nothing where nobody answers.
    fn cost(&self) -> Decimal {
        if self.outcome.result.as_deref() != Some("ANSWERED") {
            return Decimal::ZERO;
        }
        let seconds = self.ends.saturating_sub(self.began).as_secs_f64().ceil();
        let minutes = (seconds / f64::from(MINUTE_S)).ceil().max(1.0);
        hold_of(self.recipient.0).amount * Decimal::from_f64_retain(minutes).unwrap()
    }
}

/// One world, and what was seen in it.
#[expect(
    clippy::struct_excessive_bools,
    reason = "a world is in several states at once"
)]
struct World {
    nature: Nature,
    bug: Bug,
    now: Duration,
    core: Core,
    disk: Disk,
    /// Happens later: when, in which order, in which process's life.
    heap: BinaryHeap<Reverse<(Duration, u64, u64)>>,
    later: HashMap<u64, Later>,
    order: u64,
    /// Processes so far: what an earlier one waited for never arrives.
    life: u64,
    group: Vec<Change>,
    group_since: Duration,
    committing: Option<Vec<Change>>,
    failed: bool,
    fetching: bool,
    cancelled: bool,
    over: bool,
    /// POSTs for each recipient: how many, and how many that may have rung.
    posts: HashMap<RecipientId, (u64, u64)>,
    /// Calls on each recipient that ended, and when the last did.
    ended: HashMap<RecipientId, (HashSet<AttemptKey>, Duration)>,
    sent: HashMap<AttemptId, RecipientId>,
    sends: VecDeque<Duration>,
    /// Whom the POSTs in flight of this process are for.
    in_flight: HashMap<AttemptKey, RecipientId>,
    calls: HashMap<String, Call>,
    /// What the run may cost by now: whoever resumes it at its cap doubles that.
    spend: Option<Spend>,
    /// How often it stopped at its cap, and for a price.
    stopped: (u64, u64),
    /// How often it paused for refusals, and with which the last time.
    refused: u64,
    suspect: Option<RefusalCode>,
    hung_up: u64,
    /// Attempts that count as calls: until when, where that is known.
    counted: HashMap<AttemptKey, Option<Duration>>,
    violations: Vec<String>,
    restarts: u64,
}

/// What a world came to.
#[derive(Debug, PartialEq, Eq)]
struct Report {
    violations: Vec<String>,
    dispositions: BTreeMap<i64, Disposition>,
    posts: u64,
    restarts: u64,
    /// How often the run stopped at its cap, and for a price.
    stopped: (u64, u64),
    /// How often it paused for refusals.
    refused: u64,
    hung_up: u64,
    /// Virtual time at the end.
    ended: Duration,
}

impl World {
    fn run(nature: Nature, bug: Bug) -> Report {
        let disk = Disk {
            rows: (1..=nature.recipients)
                .map(|id| (id, Row::Due(0)))
                .collect(),
            ..Disk::default()
        };
        let core = Core::new(
            nature.pace,
            nature.rules(),
            Predecessor::Nobody,
            1,
            Entropy::seeded(nature.seed),
            now_at(Duration::ZERO),
        );
        let core = core.within(disk.budget(nature.spend.as_ref(), now_at(Duration::ZERO).wall));
        let mut world = Self {
            bug,
            now: Duration::ZERO,
            core,
            disk,
            heap: BinaryHeap::new(),
            later: HashMap::new(),
            order: 0,
            life: 0,
            group: Vec::new(),
            group_since: Duration::ZERO,
            committing: None,
            failed: false,
            fetching: false,
            cancelled: false,
            over: false,
            posts: HashMap::new(),
            ended: HashMap::new(),
            sent: HashMap::new(),
            sends: VecDeque::new(),
            in_flight: HashMap::new(),
            calls: HashMap::new(),
            spend: nature.spend.clone(),
            stopped: (0, 0),
            refused: 0,
            suspect: None,
            hung_up: 0,
            counted: HashMap::new(),
            violations: Vec::new(),
            restarts: 0,
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
        world.report()
    }

    /// Goes on until the run is over, or something is wrong.
    fn live(&mut self) {
        let (mut spun, mut before) = (0, Duration::ZERO);
        while self.violations.is_empty() {
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
                self.violations
                    .push(format!("time stands still at {:?}", self.now));
            }
            if self.now > STALLED {
                self.violations.push("the run never ends".into());
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
                let page = self.disk.page(now_at(self.now).wall, cursor, limit);
                self.step(Event::Page(page));
            }
            Later::Answer(key, verdict) => {
                self.note_answer(key, &verdict);
                self.step(Event::Answered(key, verdict));
            }
            Later::Seen(key, seen) => {
                if let Observation::Final(outcome) = &seen {
                    self.counted.remove(&key);
                    let recipient = self.disk.attempts[&key.0].recipient;
                    let ended = self.ended.entry(recipient).or_default();
                    ended.0.insert(key);
                    ended.1 = self.now;
                    let again =
                        u32::try_from(ended.0.len()).unwrap() < self.nature.retry.max_attempts;
                    if again && !outcome.answered() {
                        self.posts.get_mut(&recipient).unwrap().1 = 0;
                    }
                }
                self.step(Event::Observed(key, seen));
            }
            Later::HungUp(key, done) => self.step(Event::HungUp(key, done)),
            Later::Crash => self.crash(),
            Later::Stop => self.step(Event::Stop(PauseReason::Signal)),
            Later::Cancel => {
                self.cancelled = true;
                self.step(self.closing());
            }
            Later::Tick => self.step(Event::Tick),
        }
    }

    fn step(&mut self, event: Event) {
        let commands = self.core.step(event, now_at(self.now));
        for command in commands {
            self.carry_out(command);
        }
    }

    fn carry_out(&mut self, command: Command) {
        match command {
            Command::Record(change) => {
                if self.failed {
                    self.disk.aside.push(change);
                    return;
                }
                if self.group.is_empty() {
                    self.group_since = self.now;
                }
                let early = match (&change, self.bug) {
                    (Change::Intend { key, .. }, Bug::RecordedIsCommitted) => Some(*key),
                    _ => None,
                };
                self.group.push(change);
                if let Some(key) = early {
                    self.step(Event::Committed {
                        intents: vec![key],
                        dues: 0,
                        next_due: None,
                        moved: Vec::new(),
                    });
                }
            }
            Command::Post { key, id, due } => self.post(key, id, &due),
            Command::Get(key, call) => self.get(key, &call),
            Command::HangUp(key, call) => self.hang_up(key, &call),
            Command::Fetch(cursor, limit) => {
                assert!(!self.fetching, "one page at a time");
                self.fetching = true;
                self.order += 1;
                let mut draw = self.nature.draw("page", self.order, 0);
                let takes = Duration::from_micros(draw.seed() % 60_000);
                let later = if draw.fraction() < 0.5 {
                    Later::FreshPage(cursor, limit)
                } else {
                    Later::Page(Box::new(self.disk.page(
                        now_at(self.now).wall,
                        cursor,
                        limit,
                    )))
                };
                self.after(takes, later);
            }
            Command::Finish(end) => self.finish(&end),
        }
    }

    fn post(&mut self, key: AttemptKey, id: AttemptId, due: &Due) {
        let durable = self.disk.attempts.get(&key.0);
        if !durable.is_some_and(|a| a.id == id && a.state == AttemptState::Intended) {
            self.violations
                .push(format!("{key:?} was POSTed and its intent is not durable"));
        }
        if self.sent.insert(id, due.recipient).is_some() {
            self.violations.push(format!("{id} was POSTed twice"));
        }
        self.in_flight.insert(key, due.recipient);
        let nature = self.nature.clone();
        let whom = u64::try_from(due.recipient.0).unwrap();
        let (nth, may_have_rung) = *self.posts.entry(due.recipient).or_default();
        if may_have_rung > 0 {
            self.violations.push(format!(
                "{:?} was called again and may have rung",
                due.recipient
            ));
        }
        if let Some((ended, at)) = self.ended.get(&due.recipient) {
            let waited = self.now.saturating_sub(*at);
            let least = (SECOND * if ended.len() == 1 { 2 } else { 5 }).mul_f64(0.899);
            if waited < least {
                let text = format!("{:?} was called again after {waited:?}", due.recipient);
                self.violations.push(text);
            }
        }
        if nature.window.is_some() && !may_be_called(due.recipient.0, now_at(self.now).wall) {
            let text = format!("{:?} was called outside their window", due.recipient);
            self.violations.push(text);
        }
        self.pace_holds(key);
        let mut draw = nature.draw("post", whom, nth);
        let latency = Duration::from_micros(1_000 + draw.seed() % 80_000);
        let verdict = self.answer(&mut draw);
        let rings = !matches!(verdict, Verdict::NotSent(_) | Verdict::Refused(_));
        // Until its answer is known, an attempt may have rung, whatever the answer will be.
        let count = self.posts.get_mut(&due.recipient).unwrap();
        (count.0, count.1) = (nth + 1, 1);
        let lost = matches!(verdict, Verdict::Uncertain(_));
        if rings {
            // What nobody can hang up ends by itself in time.
            let longest = if lost {
                nature
                    .longest_call
                    .min(Duration::from_secs(u64::from(MINUTE_S) - 1))
            } else {
                nature.longest_call
            };
            let call = Call {
                recipient: due.recipient,
                began: self.now,
                ends: self.now + longest.mul_f64(draw.fraction()),
                outcome: Outcome {
                    result: Some(
                        if draw.fraction() < 0.7 {
                            "ANSWERED"
                        } else {
                            "BUSY"
                        }
                        .into(),
                    ),
                    ..Outcome::default()
                },
                gets: 0,
            };
            self.calls.insert(format!("call-{id}"), call);
            self.caps_hold();
        }
        let verdict = match verdict {
            Verdict::Accepted(_) => Verdict::Accepted(CallId::new(&format!("call-{id}")).unwrap()),
            other => other,
        };
        let slow = if lost && draw.fraction() < 0.1 {
            SECOND * 50
        } else {
            latency
        };
        self.after(slow, Later::Answer(key, verdict));
    }

    /// Ends a call, now.
    fn hang_up(&mut self, key: AttemptKey, call: &CallId) {
        let done = !self.nature.deaf;
        if done {
            self.hung_up += 1;
            let call = self.calls.get_mut(call.as_str()).unwrap();
            call.ends = call.ends.min(self.now);
        }
        self.after(Duration::from_millis(20), Later::HungUp(key, done));
    }

    /// What all calls cost so far: those that go on, as much as is held for them.
    fn billed(&self) -> Decimal {
        let cost = |call: &Call| {
            if call.ends <= self.now {
                call.cost()
            } else {
                hold_of(call.recipient.0).amount
            }
        };
        self.calls.values().map(cost).sum()
    }

    /// The caps, at the moment of a POST and at the end.
    fn caps_hold(&mut self) {
        let Some(spend) = self.spend.clone().filter(|_| !self.nature.deaf) else {
            return;
        };
        let billed = self.billed();
        if spend.cap.is_some_and(|cap| billed > cap) {
            let text = format!("{billed} of a cap of {:?} is spent", spend.cap);
            self.violations.push(text);
        }
        if let Some(per_day) = spend.per_day {
            let mut days: BTreeMap<_, Decimal> = BTreeMap::new();
            for call in self.calls.values() {
                let day = spend.zone().to_datetime(now_at(call.began).wall).date();
                *days.entry(day).or_default() += call.cost().min(hold_of(call.recipient.0).amount);
            }
            if days.values().any(|billed| *billed > per_day) {
                let text = format!("{days:?} at {per_day} a day");
                self.violations.push(text);
            }
        }
    }

    /// The rate and the cap, at the moment of a POST.
    fn pace_holds(&mut self, key: AttemptKey) {
        while self
            .sends
            .front()
            .is_some_and(|at| *at + SECOND <= self.now)
        {
            self.sends.pop_front();
        }
        self.sends.push_back(self.now);
        let pace = self.nature.pace;
        let within = self.sends.len();
        if f64::from(u32::try_from(within).unwrap()) > pace.calls_per_second.ceil() {
            let text = format!("{within} POSTs in a second at {}/s", pace.calls_per_second);
            self.violations.push(text);
        }
        let now = self.now;
        self.counted
            .retain(|_, until| until.is_none_or(|until| until > now));
        self.counted.insert(key, None);
        if let Some(cap) = pace.concurrent_calls
            && self.counted.len() > usize::try_from(cap).unwrap()
        {
            let text = format!("{} calls at once, {cap} are allowed", self.counted.len());
            self.violations.push(text);
        }
    }

    fn answer(&self, draw: &mut Entropy) -> Verdict {
        let nature = &self.nature;
        let roll = draw.fraction();
        let not_sent = |side, reaction| {
            Verdict::NotSent(NotSent {
                side,
                why: "no".into(),
                reaction,
            })
        };
        if let Some((from, until, speaks_of)) = nature.unwell
            && (from..until).contains(&self.now)
        {
            return Verdict::Refused(Refusal {
                status: 418,
                code: None,
                message: UNWELL.into(),
                speaks_of,
            });
        }
        let calm = self.now > nature.faults_end;
        let kinds = [
            (nature.lost, Verdict::Uncertain(uncertainty())),
            (nature.server_error, Verdict::Uncertain(uncertainty())),
            (
                nature.too_many,
                not_sent(Side::Platform, Reaction::SlowDown(None)),
            ),
            (
                nature.unreachable,
                not_sent(Side::Network, Reaction::BackOff),
            ),
            (
                nature.too_early,
                not_sent(Side::Platform, Reaction::Later(SECOND * 5)),
            ),
            (
                nature.credentials,
                not_sent(Side::Ours, Reaction::Credentials),
            ),
            (
                nature.refused,
                Verdict::Refused(Refusal {
                    status: 403,
                    code: Some(40300),
                    message: "no".into(),
                    speaks_of: SpeaksOf::Recipient,
                }),
            ),
        ];
        let mut upper = 0.0;
        for (share, verdict) in kinds {
            upper += share;
            if !calm && roll < upper {
                return verdict;
            }
        }
        Verdict::Accepted(CallId::new("later").unwrap())
    }

    fn note_answer(&mut self, key: AttemptKey, verdict: &Verdict) {
        let until = match verdict {
            Verdict::Accepted(_) => None,
            Verdict::Uncertain(_) => Some(self.now + UNCERTAIN_COUNTS),
            Verdict::NotSent(_) | Verdict::Refused(_) => {
                self.counted.remove(&key);
                let recipient = self.in_flight[&key];
                self.posts.get_mut(&recipient).unwrap().1 = 0;
                return;
            }
        };
        self.counted.insert(key, until);
    }

    fn get(&mut self, key: AttemptKey, call: &CallId) {
        let nature = self.nature.clone();
        let now = self.now;
        let whom = u64::try_from(key.0).unwrap();
        let call = self.calls.get_mut(call.as_str()).unwrap();
        let mut draw = nature.draw("a get", whom, call.gets);
        call.gets += 1;
        let seen = if call.gets <= nature.unknown_first {
            Observation::NotFound
        } else if draw.fraction() < nature.get_failing && now < nature.faults_end {
            Observation::Again {
                why: "no".into(),
                wait: None,
            }
        } else if now < call.ends {
            Observation::Ongoing
        } else {
            let mut outcome = call.outcome.clone();
            if nature.spend.is_some() {
                // A price is told with its currency, without it, or not at all.
                let told = nature.draw("a price", whom, 0).seed() % 8;
                outcome.debit = (told > 0).then(|| Money {
                    amount: call.cost(),
                    currency: (told > 1).then(|| "EUR".into()),
                });
                if nature.odd_prices {
                    tell_oddly(&mut outcome, told);
                }
            }
            Observation::Final(outcome)
        };
        self.after(
            Duration::from_micros(500 + draw.seed() % 30_000),
            Later::Seen(key, seen),
        );
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
        let changes = self.committing.take().unwrap();
        if failed {
            self.order += 1;
            // A failed commit is not known to have failed.
            if self.nature.draw("unknown", self.order, 0).fraction() < 0.5 {
                self.write(&changes);
            }
            self.failed = true;
            let rest = changes.into_iter().chain(std::mem::take(&mut self.group));
            let kept = rest.filter(|c| !matches!(c, Change::Intend { .. }));
            self.disk.aside.extend(kept);
            self.step(Event::StoreFailed("planted".into()));
            return;
        }
        self.write(&changes);
        let intents = changes.iter().filter_map(|change| match change {
            Change::Intend { key, .. } => Some(*key),
            _ => None,
        });
        let dues = changes.iter().filter_map(|change| match change {
            Change::Due { at, .. } => Some(*at),
            _ => None,
        });
        let event = Event::Committed {
            intents: intents.collect(),
            dues: dues.clone().count(),
            next_due: dues.min(),
            moved: changes.iter().filter_map(Change::moved).collect(),
        };
        self.step(event);
    }

    fn write(&mut self, changes: &[Change]) {
        for change in changes {
            if let Err(astray) = self.disk.apply(change) {
                self.violations.push(astray);
            }
        }
    }

    fn finish(&mut self, end: &End) {
        // What is recorded is flushed, unless the store has failed.
        if let Some(changes) = self.committing.take()
            && !self.failed
        {
            self.write(&changes);
        }
        let group = std::mem::take(&mut self.group);
        self.write(&group);
        match end {
            End::Completed => self.over = true,
            End::Cancelled | End::Expired => {
                let disposition = self.closed_as();
                assert_eq!(*end == End::Expired, disposition == Disposition::Expired);
                for (id, row) in &mut self.disk.rows {
                    if matches!(row, Row::Due(_)) {
                        let tried = self.disk.tried.contains_key(id);
                        let unreached = Disposition::Unreached;
                        *row = Row::Done(if tried { unreached } else { disposition });
                    }
                }
                self.over = true;
            }
            End::Paused(why) => {
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

    /// The run has stopped at its cap: nothing is on its way, and nobody fits.
    fn raise_the_cap(&mut self) {
        self.stopped.0 += 1;
        let committed = self.disk.committed(self.spend.as_ref());
        let spend = self.spend.as_mut().unwrap();
        let cap = spend.cap.unwrap();
        let next = self.disk.rows.iter().filter_map(|(id, row)| match row {
            Row::Due(_) => Some(hold_of(*id).amount),
            _ => None,
        });
        if next.max().is_none_or(|dearest| committed + dearest <= cap) {
            let text = format!("stopped at {committed} of {cap} with room for everybody");
            self.violations.push(text);
        }
        if self
            .disk
            .attempts
            .values()
            .any(|a| matches!(a.state, AttemptState::Accepted(_)))
        {
            self.violations.push("stopped while calls go on".into());
        }
        spend.cap = Some(cap * Decimal::TWO + Decimal::ONE);
    }

    /// kill -9: what is recorded is gone, and the group on its way is there or not.
    fn crash(&mut self) {
        self.group.clear();
        if let Some(changes) = self.committing.take() {
            self.order += 1;
            if self.nature.draw("crash", self.order, 0).fraction() < 0.5 {
                self.write(&changes);
            }
        }
        // The side file is written at the very end of a process that goes in good order.
        if self.failed {
            self.disk.aside.clear();
        }
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
        self.disk.recover(now.wall, self.bug);
        // What the disk says now is what counts as a call.
        self.counted.clear();
        self.in_flight.clear();
        let (mut open, mut uncertain) = (Vec::new(), Vec::new());
        for (key, kept) in &self.disk.attempts {
            let key = AttemptKey(*key);
            match &kept.state {
                AttemptState::Accepted(call) => {
                    self.counted.insert(key, None);
                    open.push(OpenCall {
                        key,
                        recipient: kept.recipient,
                        call: call.clone(),
                        intended_at: kept.intended_at,
                        accepted_at: kept.since,
                        hold: Some(hold_of(kept.recipient.0)),
                        tried: self
                            .disk
                            .tried
                            .get(&kept.recipient.0)
                            .copied()
                            .unwrap_or_default(),
                    });
                }
                AttemptState::Uncertain(_) => {
                    let age = now.wall.duration_since(kept.since).unsigned_abs();
                    if let Some(left) = UNCERTAIN_COUNTS.checked_sub(age) {
                        uncertain.push(kept.since);
                        self.counted.insert(key, Some(self.now + left));
                    }
                }
                _ => {}
            }
        }
        let next_key = self.disk.attempts.keys().max().map_or(1, |key| key + 1);
        let before = Predecessor::Process { elsewhere: false };
        let entropy = Entropy::seeded(self.nature.seed ^ self.life.rotate_left(40));
        let budget = self.disk.budget(self.spend.as_ref(), now.wall);
        let mut rules = self.nature.rules();
        rules.known.suspect = self.suspect;
        self.core =
            Core::new(self.nature.pace, rules, before, next_key, entropy, now).within(budget);
        self.step(Event::Latest(Latest {
            answers: self.disk.latest(),
            ends: Vec::new(),
        }));
        self.step(Event::Uncertain(uncertain));
        for page in open.chunks(50) {
            self.step(Event::Opened(page.to_vec()));
        }
        self.step(Event::Tick);
        if self.cancelled {
            self.step(self.closing());
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

    /// At the end every recipient has one disposition, and their attempts bear it out.
    fn account(&mut self) {
        use AttemptState as S;
        for (id, row) in &self.disk.rows {
            let attempts = self.disk.attempts.values().filter(|a| a.recipient.0 == *id);
            let counted: Vec<&AttemptState> = attempts
                .map(|a| &a.state)
                .filter(|state| !matches!(state, S::NotSent(_)))
                .collect();
            let borne_out = match (row, counted.as_slice()) {
                (Row::Done(Disposition::Reached), [.., S::Final { outcome, .. }]) => {
                    outcome.answered()
                }
                (Row::Done(Disposition::Unreached), [.., S::Final { outcome, .. }]) => {
                    let all = usize::try_from(self.nature.retry.max_attempts).unwrap();
                    let ended = self.cancelled || self.nature.window_expires();
                    !outcome.answered() && (ended || counted.len() == all)
                }
                (Row::Done(Disposition::Refused), [.., S::Refused(_)])
                | (Row::Done(Disposition::Uncertain), [.., S::Uncertain(_)]) => true,
                (Row::Done(Disposition::Expired), []) if self.nature.window_expires() => true,
                (Row::Done(disposition @ (Disposition::Cancelled | Disposition::Expired)), []) => {
                    self.cancelled && *disposition == self.closed_as()
                }
                _ => false,
            };
            // Nothing follows an answer, a refusal or what nobody knows.
            let before = counted.split_last().map_or(&[][..], |(_, before)| before);
            let borne_out = borne_out
                && before
                    .iter()
                    .all(|state| matches!(state, S::Final { outcome, .. } if !outcome.answered()));
            if !borne_out {
                self.violations
                    .push(format!("recipient {id} ends {row:?} after {counted:?}"));
            }
        }
    }

    fn report(mut self) -> Report {
        if self.over {
            self.account();
            self.caps_hold();
        }
        let off = self.disk.attempts.values().filter(|kept| {
            matches!(&kept.state, AttemptState::Refused(refusal) if refusal.message == UNWELL)
        });
        for kept in off {
            let text = format!("{:?} was written off for the account", kept.recipient);
            self.violations.push(text);
        }
        let rows = self.disk.rows.iter();
        let dispositions = rows.filter_map(|(id, row)| match row {
            Row::Done(disposition) => Some((*id, *disposition)),
            _ => None,
        });
        Report {
            dispositions: dispositions.collect(),
            posts: self.posts.values().map(|(count, _)| count).sum(),
            restarts: self.restarts,
            stopped: self.stopped,
            refused: self.refused,
            hung_up: self.hung_up,
            ended: self.now,
            violations: self.violations,
        }
    }
}

fn now_at(mono: Duration) -> Now {
    let wall = Timestamp::from_second(1_800_000_000).unwrap();
    Now {
        wall: wall + mono,
        mono,
    }
}

fn assert_no_violations(seeds: impl Iterator<Item = u64>, change: fn(Nature) -> Nature) {
    let (mut posts, mut restarts) = (0, 0);
    for seed in seeds {
        let nature = change(Nature::of(seed));
        let report = World::run(nature.clone(), Bug::None);
        assert_eq!(report.violations, Vec::<String>::new(), "seed {seed}");
        let everybody = usize::try_from(nature.recipients).unwrap();
        assert_eq!(report.dispositions.len(), everybody, "seed {seed}");
        posts += report.posts;
        restarts += report.restarts;
    }
    // Worlds in which nothing happens would prove nothing.
    assert!(posts > 1_000, "{posts} POSTs, {restarts} restarts");
}

#[test]
fn whatever_a_world_does_the_promises_hold() {
    assert_no_violations(0..140, |nature| nature);
}

#[test]
fn whoever_is_busy_is_called_again_as_often_as_the_campaign_says_and_no_sooner() {
    assert_no_violations(3_000..3_100, Nature::retrying);
    assert_no_violations(4_000..4_040, |nature| Nature {
        cancel_at: Some(SECOND * 6),
        ..nature.retrying()
    });
}

#[test]
fn nobody_is_called_outside_their_window() {
    assert_no_violations(5_000..5_060, Nature::windowed);
    assert_no_violations(6_000..6_040, |nature| nature.windowed().retrying());
}

#[test]
fn whom_the_window_leaves_behind_is_expired_once() {
    assert_no_violations(7_000..7_060, |nature| {
        let nature = nature.windowed().retrying();
        let window = nature.window.unwrap();
        let spans = window.spans().to_vec();
        let window = Window::new(spans, WindowZone::Recipient, [], OnClose::Expire);
        Nature {
            window: Some(window),
            ..nature
        }
    });
}

#[test]
fn the_cap_is_never_passed_whatever_is_lost_and_whoever_dies() {
    let (mut stopped, mut hung_up) = (0, 0);
    assert_no_violations(9_100..9_120, |nature| nature.capped().retrying());
    for seed in 9_000..9_040 {
        let report = World::run(Nature::of(seed).capped(), Bug::None);
        stopped += report.stopped.0;
        hung_up += report.hung_up;
        assert_eq!(report.violations, Vec::<String>::new(), "seed {seed}");
        assert_eq!(
            report.stopped.1, 0,
            "seed {seed}: no call cost more than was held"
        );
    }
    // Worlds that never come near their cap, and calls that end by themselves, would prove nothing.
    assert!(
        stopped > 20 && hung_up > 200,
        "{stopped} stops, {hung_up} hang-ups"
    );
}

#[test]
fn what_does_not_fit_into_a_day_waits_for_the_next() {
    let mut waited = 0;
    for seed in 9_200..9_220 {
        let report = World::run(Nature::of(seed).in_days(), Bug::None);
        assert_eq!(report.violations, Vec::<String>::new(), "seed {seed}");
        waited += u32::from(report.ended > SECOND * 3_600);
    }
    assert!(waited > 10, "{waited} of 20 worlds went on for another day");
}

#[test]
fn a_call_that_cannot_be_hung_up_stops_the_run_once_its_price_is_known() {
    let mut stopped = 0;
    for seed in 9_300..9_320 {
        let nature = Nature {
            deaf: true,
            ..Nature::of(seed).capped()
        };
        let report = World::run(nature, Bug::None);
        assert_eq!(report.violations, Vec::<String>::new(), "seed {seed}");
        stopped += report.stopped.1;
    }
    assert!(stopped > 20, "{stopped} stops");
}

#[test]
fn debits_that_are_no_price_give_nothing_of_the_cap_back() {
    let mut stopped = 0;
    for seed in 9_500..9_520 {
        let nature = Nature {
            odd_prices: true,
            ..Nature::of(seed).capped()
        };
        let report = World::run(nature, Bug::None);
        assert_eq!(report.violations, Vec::<String>::new(), "seed {seed}");
        stopped += report.stopped.1;
    }
    assert!(stopped > 20, "{stopped} stops");
}

#[test]
fn an_uncertain_attempt_without_its_hold_is_noticed() {
    let showing = (9_400..9_420).filter(|seed| {
        let nature = Nature {
            lost: 0.2,
            crashes: (1..9).map(|nth| SECOND * 3 * nth).collect(),
            ..Nature::of(*seed).capped()
        };
        let report = World::run(nature, Bug::ForgetHolds);
        report.violations.iter().any(|v| v.contains("is spent"))
    });
    let worlds = showing.count();
    assert!(worlds >= 5, "{worlds} of 20 worlds");
}

#[test]
fn a_page_that_an_intent_overtook_names_nobody_twice() {
    // Seeds in which a page read before a commit arrived after it, and its recipients were
    // intended again.
    assert_no_violations([17, 29, 36, 232].into_iter(), |nature| nature);
}

#[test]
fn what_is_uncertain_after_a_kill_counts_as_a_call_for_its_minute() {
    // Seeds in which a restart allowed more calls at once than the campaign.
    assert_no_violations([1, 45, 1_000, 1_005].into_iter(), |nature| nature);
}

#[test]
fn a_cancelled_run_ends_and_everybody_has_a_disposition() {
    assert_no_violations(1_000..1_080, |nature| Nature {
        cancel_at: Some(SECOND * 4),
        ..nature
    });
}

#[test]
fn an_expired_run_ends_and_everybody_has_a_disposition() {
    assert_no_violations(1_000..1_080, |nature| Nature {
        cancel_at: Some(SECOND * 4),
        expires: true,
        ..nature
    });
}

#[test]
fn ticks_more_or_less_change_nothing_about_the_end() {
    for seed in 2_000..2_060 {
        let calm = Nature::of(seed).calm();
        let ticking = Nature {
            extra_ticks: true,
            ..calm.clone()
        };
        let (plain, ticked) = (World::run(calm, Bug::None), World::run(ticking, Bug::None));
        assert_eq!(plain.violations, Vec::<String>::new(), "seed {seed}");
        assert_eq!(ticked.violations, Vec::<String>::new(), "seed {seed}");
        assert_eq!(plain.dispositions, ticked.dispositions, "seed {seed}");
    }
}

#[test]
fn a_platform_that_ends_calls_at_once_holds_no_run_up() {
    for seed in 8_000..8_010 {
        let nature = Nature {
            recipients: 1_400,
            pace: Pace {
                calls_per_second: 700.0,
                concurrent_calls: None,
            },
            longest_call: Duration::ZERO,
            unknown_first: 0,
            ..Nature::of(seed).calm()
        };
        let healthy = Nature {
            lost: 0.0,
            too_many: 0.0,
            server_error: 0.0,
            unreachable: 0.0,
            too_early: 0.0,
            refused: 0.0,
            get_failing: 0.0,
            ..nature
        };
        let report = World::run(healthy, Bug::None);
        assert_eq!(report.violations, Vec::<String>::new(), "seed {seed}");
        // Two seconds of dialling, and little more.
        assert!(report.ended < SECOND * 4, "seed {seed}: {:?}", report.ended);
    }
}

/// How many of so many worlds show a planted bug, and in which words.
fn noticed(bug: Bug, words: &str) -> usize {
    let reports = (0..40).map(|seed| World::run(Nature::of(seed), bug));
    let showing = reports.filter(|r| r.violations.iter().any(|v| v.contains(words)));
    showing.count()
}

#[test]
fn a_store_that_redials_what_is_uncertain_is_noticed() {
    let worlds = noticed(Bug::RedialUncertain, "may have rung");
    assert!(worlds >= 5, "{worlds} of 40 worlds");
}

#[test]
fn an_intent_that_is_recorded_and_not_committed_is_noticed() {
    let worlds = noticed(Bug::RecordedIsCommitted, "not durable");
    assert!(worlds >= 30, "{worlds} of 40 worlds");
}

#[test]
fn an_account_that_loses_its_rights_costs_nobody_and_the_run_goes_on_when_it_is_well() {
    let mut paused = 0;
    for seed in 0..60 {
        let nature = Nature::of(seed).unwell();
        let report = World::run(nature.clone(), Bug::None);
        assert_eq!(report.violations, Vec::<String>::new(), "seed {seed}");
        let everybody = usize::try_from(nature.recipients).unwrap();
        assert_eq!(report.dispositions.len(), everybody, "seed {seed}");
        paused += report.refused;
    }
    assert!(paused >= 60, "{paused} pauses");
}
