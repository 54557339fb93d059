//! What a seed decides: how many people there are, how fast they are called, and which faults their world has.

use std::sync::Arc;
use std::time::Duration;

use callout::domain::retry::Waits;
use callout::domain::window::{Days, OnClose, Span, TimeOfDay, Window, WindowZone};
use callout::domain::{
    Asks, CallFlow, Choice, Hold, Key, Known, Machine, MachineDoes, Menu, Next, RetryPolicy,
    SpeaksOf, Speech, Spend, Wanted, Zones,
};
use callout::engine::{Now, Pace, Rules};
use callout::entropy::Entropy;
use jiff::Timestamp;
use rust_decimal::Decimal;

pub(crate) const SECOND: Duration = Duration::from_secs(1);
/// The length of a call that is held for.
pub(crate) const MINUTE_S: u32 = 60;
/// An uncertain attempt counts as a call for so long (DESIGN, section 3).
pub(crate) const UNCERTAIN_COUNTS: Duration = Duration::from_mins(1);
/// Faults, crashes and stops end here; from then on everything must finish.
const FAULTS_END: Duration = Duration::from_secs(30);

/// What the seed decides: each world has a random subset of the faults.
#[expect(clippy::struct_excessive_bools, reason = "each is a fault of its own")]
#[derive(Debug, Clone)]
pub(crate) struct Nature {
    pub(crate) seed: u64,
    pub(crate) recipients: i64,
    pub(crate) pace: Pace,
    /// Shares of POSTs.
    pub(crate) lost: f64,
    pub(crate) too_many: f64,
    pub(crate) server_error: f64,
    pub(crate) unreachable: f64,
    pub(crate) too_early: f64,
    pub(crate) refused: f64,
    pub(crate) credentials: f64,
    /// GETs of a call that are answered with 404 at first.
    pub(crate) unknown_first: u64,
    pub(crate) get_failing: f64,
    pub(crate) longest_call: Duration,
    pub(crate) commit_takes: Duration,
    pub(crate) gather: Duration,
    pub(crate) crashes: Vec<Duration>,
    pub(crate) stops: Vec<Duration>,
    pub(crate) commit_failing: f64,
    pub(crate) cancel_at: Option<Duration>,
    pub(crate) retry: RetryPolicy,
    pub(crate) window: Option<Window>,
    /// What the run may cost; calls last for minutes then, unless they are hung up.
    pub(crate) spend: Option<Spend>,
    /// Whether hang-ups fail.
    pub(crate) deaf: bool,
    /// Whether some debits are no price in the currency of the cap.
    pub(crate) odd_prices: bool,
    /// Whether it is its schedule that ends it then, rather than a person.
    pub(crate) expires: bool,
    /// From when until when the account is unwell: every callout is refused with a code that speaks of
    /// this.
    pub(crate) unwell: Option<(Duration, Duration, SpeaksOf)>,
    pub(crate) extra_ticks: bool,
    /// Shares of events that are lost and doubled; none where the platform tells nothing by itself.
    pub(crate) events: Option<(f64, f64)>,
    /// What is asked in a call; none where nothing is.
    pub(crate) flow: Option<Arc<CallFlow<()>>>,
    /// Faults end then; from then on everything must finish.
    pub(crate) faults_end: Duration,
}

impl Nature {
    pub(crate) fn of(seed: u64) -> Self {
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
            events: None,
            flow: None,
            faults_end: FAULTS_END,
        }
    }

    /// The same people and the same answers whenever they are called, and nothing that stops the
    /// engine.
    pub(crate) fn calm(mut self) -> Self {
        self.crashes.clear();
        self.stops.clear();
        (self.commit_failing, self.credentials) = (0.0, 0.0);
        self.faults_end = Duration::MAX;
        self
    }

    /// The platform tells of calls by itself: some events are lost or doubled, and all come late and in
    /// any order, before the answer to the POST as well.
    pub(crate) fn telling(mut self) -> Self {
        let mut draw = self.draw("telling", 0, 0);
        self.events = Some((draw.fraction() * 0.3, draw.fraction() * 0.5));
        self
    }

    /// People are asked for a key; whoever presses none is called again, and machines are.
    pub(crate) fn asking(self) -> Self {
        let mut nature = self.telling().retrying();
        nature.retry.machine = Waits::After(vec![SECOND * 2, SECOND * 5]);
        nature.retry.no_response = nature.retry.machine.clone();
        nature.flow = Some(Arc::new(flow()));
        nature
    }

    /// What a call must bring beside its answer.
    pub(crate) fn wanted(&self) -> Wanted {
        let wanted = self.flow.as_ref().map(|flow| flow.wanted());
        wanted.unwrap_or_default()
    }

    /// Whoever is busy is called again, up to three times, after waits that differ.
    pub(crate) fn retrying(mut self) -> Self {
        self.retry = RetryPolicy {
            max_attempts: 3,
            busy: Waits::After(vec![SECOND * 2, SECOND * 5]),
            jitter: 0.1,
            ..RetryPolicy::default()
        };
        self
    }

    /// People may be called in the first twenty seconds of every even minute by their own clock.
    pub(crate) fn windowed(mut self) -> Self {
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
    pub(crate) fn capped(mut self) -> Self {
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
    pub(crate) fn in_days(self) -> Self {
        let mut nature = self.capped();
        let all: Decimal = (1..=nature.recipients).map(|id| hold_of(id).amount).sum();
        let spend = nature.spend.as_mut().unwrap();
        spend.cap = None;
        spend.per_day = Some(all * Decimal::new(60, 2));
        nature
    }

    pub(crate) fn window_expires(&self) -> bool {
        let window = self.window.as_ref();
        window.is_some_and(|window| window.on_close() == OnClose::Expire)
    }

    pub(crate) fn rules(&self) -> Rules {
        Rules {
            retry: self.retry.clone(),
            flow: self.flow.clone(),
            window: self.window.clone(),
            since: now_at(Duration::ZERO).wall,
            known: Known::default(),
        }
    }

    /// For a while every callout is refused, from the start or from some moment on. There are people
    /// enough for a while of refusals.
    pub(crate) fn unwell(mut self) -> Self {
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
    pub(crate) fn draw(&self, about: &str, whom: u64, nth: u64) -> Entropy {
        let mut seed = self.seed;
        for word in [u64::try_from(about.len()).unwrap(), whom, nth] {
            seed = Entropy::seeded(seed ^ word.wrapping_mul(0x9e37_79b9_7f4a_7c15)).seed();
        }
        Entropy::seeded(seed)
    }
}

/// Keys: 1 counts, 2 does not, 9 opts out.
fn flow() -> CallFlow<()> {
    let choice = |response: &str, suppress: Option<&str>| Choice {
        response: Some(response.into()),
        say: None,
        suppress: suppress.map(str::to_owned),
        next: Next::End,
    };
    let key = |name, choice| (Key::parse(name).unwrap(), choice);
    let main = Menu {
        id: "main".into(),
        say: (),
        repeat: 0,
        timeout_ms: 5_000,
        asks: Asks::Keys(vec![
            key("1", choice("confirmed", None)),
            key("2", choice("cancelled", None)),
            key("9", choice("opted out", Some("opted-out"))),
        ]),
        otherwise: choice("", None),
    };
    CallFlow {
        locale: None,
        greeting: Speech::Text(()),
        menus: vec![main],
        machine: Some(Machine {
            does: MachineDoes::HangUp,
            not_sure_is_machine: false,
            counts: false,
        }),
        reached: Some(["confirmed".to_owned()].into()),
    }
}

/// What is held for a call to somebody: one minute, at prices that differ.
pub(crate) fn hold_of(recipient: i64) -> Hold {
    Hold {
        amount: Decimal::new(10 + recipient % 5 * 7, 2),
        longest_s: MINUTE_S,
    }
}

/// Zones at odd distances from each other, and some that nobody knows.
pub(crate) const ZONES: [&str; 6] = [
    "Europe/Stockholm",
    "Asia/Kathmandu",
    "Pacific/Chatham",
    "Australia/Lord_Howe",
    "America/New_York,Europe/Stockholm",
    "America/St_Johns",
];

pub(crate) fn zones_of(recipient: i64) -> Zones {
    let nth = usize::try_from(recipient).unwrap() % ZONES.len();
    Zones::read(ZONES[nth])
}

/// Both times, so long after a world began.
pub(crate) fn now_at(mono: Duration) -> Now {
    let wall = Timestamp::from_second(1_800_000_000).unwrap();
    Now {
        wall: wall + mono,
        mono,
    }
}
