//! What a simulated platform is told to be like: its seed, its people, its prices and its faults.
//!
//! Plain data with sensible defaults, all faults off; `cli` builds it from flags. Nothing here acts:
//! `world` and `http` read it.

use std::ops::RangeInclusive;
use std::time::Duration;

use rust_decimal::Decimal;

use super::callbacks::is_url;
use super::callout::check_number;
use super::event::EventFaults;
use super::faults::Faults;
use super::numbers::{Capability, Holder, OwnedNumber};
use super::people::People;
use super::shape::Shape;
use super::tariff::Tariff;

/// The key of another application, as seed 001 prints it.
const OTHER_APPLICATION: &str = "11983f76-12c8-1111-9515-4785c7b49ca8";

/// How the simulated platform behaves. The default is a platform in good health, in real time.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Everything that is drawn follows from it: same seed, same calls.
    pub seed: u64,
    /// Wall time per simulated time: at 0.05 a call of 30 s is over after 1.5 s and still reports
    /// 30 s; at 0 every call is over at once.
    pub time_scale: f64,
    /// How calls end.
    pub mix: Mix,
    /// Seconds until somebody answers, for calls that are answered.
    pub ring_s: RangeInclusive<u32>,
    /// Seconds of talk; for text-to-speech the text's length decides instead.
    pub talk_s: RangeInclusive<u32>,
    /// What a minute costs, by the number's prefix.
    pub tariff: Tariff,
    /// Which generation of the API's documents the answers follow.
    pub shape: Shape,
    /// What goes wrong, and how often.
    pub faults: Faults,
    /// What people do in calls that ask.
    pub people: People,
    /// How the second leg of a call is told and billed.
    pub legs: Legs,
    /// What goes wrong with events, and how often.
    pub events: EventFaults,
    /// Where the application of the simulator's credentials is called back from the start. Without a URL it
    /// is told nothing until it sets one.
    pub callback_url: Option<String>,
    /// Callouts taken per rolling second; what arrives beyond is answered with 429.
    pub refuse_above: Option<u32>,
    /// The number of seconds in a `Retry-After` of a 429.
    pub retry_after_s: u32,
    /// The share of 429 answers that have a `Retry-After` at all.
    pub retry_after_share: f64,
    /// Once calls have cost this much, 402 with 40200 is answered.
    pub credit: Option<Decimal>,
    /// The share of destinations that are forbidden for good (403 with 40300).
    pub forbidden_share: f64,
    /// Numbers that begin with one of these are forbidden, too.
    pub forbidden_prefixes: Vec<String>,
    /// With this code every callout is refused once `refuse_after` were taken.
    pub refuse_with: Option<u32>,
    /// Callouts that are taken before.
    pub refuse_after: usize,
    /// The reason with which calls fail; else one that depends on the call.
    pub failed_reason: Option<&'static str>,
    /// Whether a callout without `cli` is refused with 40002. The platform takes it, gives a call id,
    /// and no phone rings (`FACTS` §3, §14).
    pub cli_required: bool,
    /// The first so many GETs of each call are answered with 404.
    pub get_not_found_first: u32,
    /// GETs of a call within this wall time after its POST are answered with 404.
    pub get_not_found_for: Duration,
    /// The share of GETs of a call that are answered with a 5xx.
    pub get_server_error: f64,
    /// The share of GETs of a call whose connection is closed without an answer.
    pub get_lost: f64,
    /// The first so many `FINAL` answers of each call have no debit yet.
    pub debit_after: u32,
    /// Fields of the first `FINAL` answer of each call that are told otherwise than they are: by name,
    /// as JSON. The ledger keeps to the truth.
    pub odd: Vec<(String, String)>,
    /// The share of requests around callouts, those that are neither a POST of a callout nor a GET of
    /// a call, that are answered with a 5xx and not carried out.
    pub other_server_error: f64,
    /// The numbers of the account at the start.
    pub numbers: Vec<OwnedNumber>,
    /// The keys of the account's other applications.
    pub other_applications: Vec<String>,
    /// Recordings that are there from the start.
    pub recordings: u32,
    /// Wall time before every answer, in good health.
    pub answer_after: Duration,
    /// How far a signed request's timestamp may be off, to both sides. The platform's own figure is
    /// not published.
    pub timestamp_tolerance: Duration,
    /// Whether basic authorisation is accepted; otherwise it is answered with 403 and 40301.
    pub accept_basic: bool,
    /// Allows an address that is not loopback. The ledger then answers loopback peers alone.
    pub allow_remote: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 0,
            time_scale: 1.0,
            mix: Mix::default(),
            ring_s: 3..=25,
            talk_s: 8..=40,
            tariff: Tariff::default(),
            shape: Shape::New,
            faults: Faults::default(),
            people: People::default(),
            legs: Legs::Apart,
            events: EventFaults::default(),
            callback_url: None,
            refuse_above: None,
            retry_after_s: 1,
            retry_after_share: 0.5,
            credit: None,
            forbidden_share: 0.0,
            forbidden_prefixes: Vec::new(),
            refuse_with: None,
            refuse_after: 0,
            failed_reason: None,
            cli_required: false,
            get_not_found_first: 0,
            get_not_found_for: Duration::ZERO,
            get_server_error: 0.0,
            get_lost: 0.0,
            debit_after: 0,
            odd: Vec::new(),
            other_server_error: 0.0,
            numbers: default_numbers(),
            other_applications: vec![OTHER_APPLICATION.to_owned()],
            recordings: 3,
            answer_after: Duration::ZERO,
            timestamp_tolerance: Duration::from_mins(5),
            accept_basic: true,
            allow_remote: false,
        }
    }
}

/// What the sample campaigns call from, and one number of every other standing.
fn default_numbers() -> Vec<OwnedNumber> {
    let ours = |number| OwnedNumber::voice(number, Holder::Ours);
    let free = |number| OwnedNumber::voice(number, Holder::Nobody);
    vec![
        ours("+46100000000"),
        ours("+441134960000"),
        ours("+12025550100"),
        free("+46100000001"),
        free("+441134960001"),
        free("+12025550101"),
        OwnedNumber::voice("+46100000002", Holder::Other(OTHER_APPLICATION.to_owned())),
        OwnedNumber {
            number: "+46100000003".to_owned(),
            capability: Capability::Sms,
            holder: Holder::Nobody,
        },
    ]
}

/// How the second leg of a call is told and billed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Legs {
    /// It has a call id, events and a bill of its own.
    Apart,
    /// It is a part of the first call's bill.
    Within,
}

/// Weights of the four results; only their proportions count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mix {
    /// `ANSWERED`.
    pub answered: u32,
    /// `BUSY`.
    pub busy: u32,
    /// `NOANSWER`.
    pub no_answer: u32,
    /// `FAILED`.
    pub failed: u32,
}

impl Default for Mix {
    fn default() -> Self {
        Self {
            answered: 70,
            busy: 12,
            no_answer: 14,
            failed: 4,
        }
    }
}

impl Mix {
    /// Everybody answers.
    pub const ANSWERED: Self = Self {
        answered: 1,
        busy: 0,
        no_answer: 0,
        failed: 0,
    };

    fn total(self) -> u64 {
        [self.answered, self.busy, self.no_answer, self.failed]
            .into_iter()
            .map(u64::from)
            .sum()
    }
}

/// Options that describe no platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    /// A share or probability is no number from 0 to 1.
    #[error("{0} is not a number from 0 to 1")]
    NotAShare(&'static str),
    /// Faults exclude each other, so their probabilities share one draw.
    #[error("the probabilities of the faults add up to more than 1")]
    TooManyFaults,
    /// Whoever presses an offered key does not press another one, and does not hang up.
    #[error("the shares of people who press, press wrongly and leave add up to more than 1")]
    TooManyDeeds,
    /// The time scale is negative or no number.
    #[error("the time scale is not a number from 0 to 1000")]
    TimeScale,
    /// All weights are zero.
    #[error("the mix of results has no weight above 0")]
    EmptyMix,
    /// A range of seconds has no second in it.
    #[error("the range of {0} seconds is empty or longer than an hour")]
    BadRange(&'static str),
    /// A number of the account is not in E.164.
    #[error("`{0}` is no number in E.164, such as +46100000000")]
    BadNumber(String),
    /// The address where the application is called back is none.
    #[error("the callback URL is no URL with http:// or https://")]
    BadUrl,
}

impl Options {
    /// Whether these options describe a platform.
    pub fn check(&self) -> Result<(), OptionsError> {
        let shares = [
            ("the share of forbidden destinations", self.forbidden_share),
            ("the share of failing GETs", self.get_server_error),
            ("the share of lost GETs", self.get_lost),
            ("the share of Retry-After", self.retry_after_share),
            ("the share of other failures", self.other_server_error),
        ];
        for (name, share) in shares
            .into_iter()
            .chain(self.events.named())
            .chain(self.people.named())
            .chain(self.faults.named())
        {
            if !(0.0..=1.0).contains(&share) {
                return Err(OptionsError::NotAShare(name));
            }
        }
        if !self.people.fits() {
            return Err(OptionsError::TooManyDeeds);
        }
        // A hair above 1 is what ten times 0.1 makes.
        if self.faults.named().map(|(_, share)| share).sum::<f64>() > 1.0 + 1e-9 {
            return Err(OptionsError::TooManyFaults);
        }
        if !(0.0..=1000.0).contains(&self.time_scale) {
            return Err(OptionsError::TimeScale);
        }
        if self.mix.total() == 0 {
            return Err(OptionsError::EmptyMix);
        }
        for (name, range) in [("ringing", &self.ring_s), ("talking", &self.talk_s)] {
            if range.is_empty() || *range.end() > 3600 {
                return Err(OptionsError::BadRange(name));
            }
        }
        for owned in &self.numbers {
            if check_number("number", &owned.number).is_err() {
                return Err(OptionsError::BadNumber(owned.number.clone()));
            }
        }
        if self.callback_url.as_deref().is_some_and(|url| !is_url(url)) {
            return Err(OptionsError::BadUrl);
        }
        Ok(())
    }
}
