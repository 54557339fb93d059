//! `callout plan`: what a run would do. Dials nobody and writes nothing.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;

use jiff::Timestamp;

use serde_json::{Value, json};

use super::args::{Global, PlanArgs};
use super::exit::{Exit, Failure};
use super::prices::{Prefixes, Prices};
use super::{World, import, output, schedule, settings, suppress};
use crate::campaign::Campaign;
use crate::clock::Clock;
use crate::domain::openings::Openings;
use crate::domain::window::{Window, WindowState};
use crate::domain::{Callout, CalloutBody, Destination, DestinationKind, Screen, Zones};
use crate::recipients::{CheckError, CheckedRow, ListSummary, RowVerdict, check_list};
use crate::report::summary::{grouped, human};
use crate::sinch::Client;

/// Samples of the text are looked for among the first so many rows that can be called.
const SAMPLED: usize = 1_000;
/// Characters that a voice speaks in a second, about.
const CHARS_PER_SECOND: usize = 14;
/// Seconds until somebody answers, about.
const RINGING_S: f64 = 15.0;
/// Seconds of talk where no text tells, about.
const TALKING_S: f64 = 30.0;

/// A plan.
pub(super) struct Plan {
    campaign: Campaign,
    list: ListSummary,
    /// Shortest and longest text among the sampled rows, with the line and the masked number.
    samples: Vec<Sample>,
    /// The numbers that the sampled callouts show.
    clis: BTreeSet<String>,
    /// What in the sampled callouts needs the application's callback URL.
    callback_need: Option<&'static str>,
    /// How the numbers of the list begin, until prices were asked for.
    prefixes: Prefixes,
    /// What the platform says calls cost; none where it was not asked.
    prices: Option<Prices>,
    /// When the window opens for them; none where there is no window.
    eligible: Option<Eligible>,
}

/// How many may be called now, later, or not at all.
struct Eligible {
    openings: Openings,
    now: u64,
    later: u64,
    next: Option<Timestamp>,
    held: u64,
}

impl Eligible {
    fn new(window: Window) -> Self {
        Self {
            openings: Openings::new(window),
            now: 0,
            later: 0,
            next: None,
            held: 0,
        }
    }

    fn add(&mut self, zones: Option<&Zones>, now: Timestamp) {
        let state = self
            .openings
            .id_of(zones)
            .map(|id| self.openings.state(id, now));
        match state {
            Ok(WindowState::Open { .. }) => self.now += 1,
            Ok(WindowState::Closed {
                next_opening: Some(at),
            }) => {
                self.later += 1;
                self.next = Some(self.next.map_or(at, |next| next.min(at)));
            }
            Ok(WindowState::Closed { next_opening: None }) | Err(_) => self.held += 1,
        }
    }

    fn text(&self) -> String {
        let next = self
            .next
            .map_or(String::new(), |at| format!(", the first from {at} on"));
        let held = if self.held == 0 {
            String::new()
        } else {
            format!(
                "; {} are held: their time zone is not known, a `time_zone` column would say it",
                grouped(self.held)
            )
        };
        format!(
            "window: {}\n  {} may be called now, {} later{next}{held}",
            self.openings.window(),
            grouped(self.now),
            grouped(self.later)
        )
    }

    fn json(&self) -> Value {
        json!({
            "window": self.openings.window().to_string(),
            "now": self.now,
            "later": self.later,
            "next_opening": self.next.map(|at| at.to_string()),
            "held": self.held,
        })
    }
}

struct Sample {
    what: &'static str,
    line: u64,
    number: String,
    text: String,
}

pub(super) async fn plan(args: &PlanArgs, global: &Global, world: &World) -> Result<Exit, Failure> {
    let campaign = Campaign::load(&args.file)?;
    let lists = suppress::lists_if_any(global).await?;
    let now = world.clock.wall();
    let screen = Screen {
        lists: Some(&lists),
        now,
    };
    let mut plan = Plan::of(&campaign, screen, now)?;
    if settings::has_credentials() {
        let client = settings::client(global, &world.clock)?;
        plan.price(&client, world.clock.as_ref()).await;
    }
    if args.json {
        output::say_json(&plan.json());
    } else {
        output::say(&plan.text());
    }
    Ok(Exit::Done)
}

impl Plan {
    /// Reads the campaign's list, screens it, and plans.
    pub(super) fn of(
        campaign: &Campaign,
        screen: Screen<'_>,
        now: Timestamp,
    ) -> Result<Self, Failure> {
        let mut sampled: Vec<(u64, Destination, Vec<String>)> = Vec::new();
        let mut prefixes = Prefixes::default();
        let mut eligible = campaign.window.clone().map(Eligible::new);
        let mut sink = |chunk: Vec<CheckedRow>| {
            for row in chunk {
                if let RowVerdict::Valid {
                    destination, zones, ..
                } = row.verdict
                {
                    if let Some(eligible) = &mut eligible {
                        eligible.add(zones.as_ref(), now);
                    }
                    if destination.kind == DestinationKind::Number {
                        prefixes.add(&destination.endpoint);
                    }
                    if sampled.len() < SAMPLED {
                        sampled.push((row.line, destination, row.cells));
                    }
                }
            }
            Ok::<(), Infallible>(())
        };
        let list = match check_list(campaign, import::workers(), screen, &mut sink) {
            Ok(list) => list,
            Err(CheckError::Faults(faults)) => return Err(faults.into()),
            Err(CheckError::Sink(never)) => match never {},
        };
        let callouts: Vec<_> = sampled
            .iter()
            .filter_map(|(line, to, cells)| Some((*line, to, list.script.callout(to, cells).ok()?)))
            .collect();
        Ok(Self {
            campaign: campaign.clone(),
            list: list.summary,
            samples: samples(&callouts),
            clis: callouts.iter().filter_map(|(.., c)| shown(c)).collect(),
            callback_need: callouts.iter().find_map(|(.., c)| callback_need(c)),
            prefixes,
            prices: None,
            eligible,
        })
    }

    /// Asks the platform what the calls would cost, and which numbers are ours.
    pub(super) async fn price(&mut self, client: &Client, clock: &dyn Clock) {
        let prefixes = std::mem::take(&mut self.prefixes);
        self.prices = Some(Prices::ask(prefixes, client, clock).await);
    }

    /// The numbers that the sampled callouts show.
    pub(super) fn clis(&self) -> &BTreeSet<String> {
        &self.clis
    }

    /// What in the campaign needs the application's callback URL.
    pub(super) fn callback_need(&self) -> Option<&'static str> {
        self.callback_need
    }

    /// Started minutes that the longest sampled text takes.
    fn minutes(&self) -> u32 {
        let chars = self.samples.last().map_or(0, |s| s.text.chars().count());
        let minutes = (chars / CHARS_PER_SECOND).div_ceil(60).max(1);
        u32::try_from(minutes).unwrap_or(u32::MAX)
    }

    fn warnings(&self) -> Vec<String> {
        let owns = |cli: &&String| {
            let prices = self.prices.as_ref();
            prices.and_then(|prices| prices.owns(cli)) == Some(false)
        };
        let strangers = self.clis.iter().filter(owns).map(|cli| {
            format!(
                "cli {cli} is not among the account's numbers: the platform may refuse it or show \
                 another; `callout number list` has yours"
            )
        });
        let of_file = self.campaign.warnings().iter().map(ToString::to_string);
        of_file.chain(strangers).collect()
    }

    /// The plan for people.
    pub(super) fn text(&self) -> String {
        let list = &self.list;
        let mut lines = vec![
            format!("Plan of {}: nobody is dialled by this", self.campaign.name),
            format!(
                "rows {} -> valid {} -> unique {} -> not suppressed {} -> eligible {}",
                grouped(list.rows),
                grouped(list.rows - list.invalid),
                grouped(list.valid + list.suppressed),
                grouped(list.valid),
                grouped(list.valid)
            ),
            format!(
                "  {} invalid and {} duplicate rows are reported and not called",
                grouped(list.invalid),
                grouped(list.duplicates)
            ),
        ];
        if list.suppressed > 0 {
            lines.push(format!(
                "  {} rows are on a suppression list and are not called",
                grouped(list.suppressed)
            ));
        }
        if list.unknown_numbers > 0 {
            lines.push(format!(
                "  {} numbers are not known to the numbering plan; they are dialled all the same",
                grouped(list.unknown_numbers)
            ));
        }
        for sample in &self.samples {
            lines.push(format!(
                "{} (line {}, {}, {} characters):\n  {}",
                sample.what,
                sample.line,
                sample.number,
                sample.text.chars().count(),
                sample.text
            ));
        }
        lines.extend(self.eligible.as_ref().map(Eligible::text));
        let attempts = self.campaign.retry.max_attempts;
        if attempts > 1 {
            lines.push(format!("attempts: {attempts} at most for each"));
        }
        lines.extend(self.start());
        lines.push(self.time());
        lines.push(match &self.prices {
            Some(prices) => prices.text(self.minutes()),
            None => "money: not known; the platform tells what calls cost when \
                     SINCH_APPLICATION_KEY and SINCH_APPLICATION_SECRET are set"
                .into(),
        });
        for warning in self.warnings() {
            lines.push(format!("warning: {warning}"));
        }
        lines.join("\n")
    }

    fn json(&self) -> Value {
        let list = &self.list;
        let samples: Vec<Value> = self
            .samples
            .iter()
            .map(|s| json!({ "what": s.what, "line": s.line, "number": s.number, "text": s.text }))
            .collect();
        json!({
            "campaign": self.campaign.name,
            "rows": list.rows,
            "valid": list.rows - list.invalid,
            "unique": list.valid + list.suppressed,
            "not_suppressed": list.valid,
            "eligible": list.valid,
            "invalid": list.invalid,
            "duplicates": list.duplicates,
            "suppressed": list.suppressed,
            "unknown_numbers": list.unknown_numbers,
            "list_sha256": list.sha256,
            "samples": samples,
            "start": self.campaign.schedule.as_ref().map(|s| s.start.to_string()),
            "repeat": self.campaign.schedule.as_ref().map(schedule::rule),
            "calls_per_second": self.campaign.pacing.calls_per_second,
            "concurrent_calls": self.campaign.pacing.concurrent_calls,
            "seconds_to_dial": self.seconds().map(|(s, _)| s),
            "bottleneck": self.seconds().map(|(_, what)| what),
            "window": self.eligible.as_ref().map(Eligible::json),
            "max_attempts": self.campaign.retry.max_attempts,
            "money": self.prices.as_ref().map(|prices| prices.json(self.minutes())),
            "clis": self.clis,
            "callback_need": self.callback_need,
            "warnings": self.warnings(),
        })
    }

    /// When a `run` of it starts, where the campaign says so.
    fn start(&self) -> Option<String> {
        let schedule = self.campaign.schedule.as_ref()?;
        let first = schedule::words(&schedule.start);
        let expiry = schedule.expires_after.map_or(String::new(), |after| {
            format!("; nobody is called later than {} after it", human(after))
        });
        Some(match &schedule.repeat {
            Some(repeat) => format!("start: {}, from {first} on{expiry}", repeat.words()),
            None => format!("start: {first}, once{expiry}"),
        })
    }

    fn time(&self) -> String {
        match self.seconds() {
            Some((seconds, bottleneck)) => {
                let span = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
                format!(
                    "time: about {} to dial everybody; {bottleneck} decides",
                    human(span)
                )
            }
            None => "time: not known; `run` needs calls_per_second in [pacing]".into(),
        }
    }

    /// Seconds until everybody is dialled, and what decides it.
    fn seconds(&self) -> Option<(f64, &'static str)> {
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let calls = self.list.valid as f64;
        let by_rate = calls / self.campaign.pacing.calls_per_second?;
        let talk = self.samples.last().map_or(TALKING_S, |longest| {
            #[expect(clippy::cast_precision_loss, reason = "an estimate")]
            let s = (longest.text.chars().count() / CHARS_PER_SECOND) as f64;
            s
        });
        let by_cap = self.campaign.pacing.concurrent_calls.map_or(0.0, |cap| {
            // Only those beyond the cap wait for a place.
            let cap = f64::from(cap);
            (calls - cap).max(0.0) * (RINGING_S + talk) / cap
        });
        Some(if by_cap > by_rate {
            (by_cap, "concurrent_calls")
        } else {
            (by_rate, "calls_per_second")
        })
    }
}

fn samples(callouts: &[(u64, &Destination, Callout)]) -> Vec<Sample> {
    let texts: Vec<(u64, String, String)> = callouts
        .iter()
        .filter_map(|(line, to, callout)| {
            // Inline SVAML names the number that it connects.
            let text = spoken(callout)?.replace(&to.endpoint, &to.masked());
            Some((*line, to.masked(), text))
        })
        .collect();
    let length = |t: &&(u64, String, String)| t.2.chars().count();
    let shortest = texts
        .iter()
        .min_by_key(length)
        .map(|t| ("shortest text", t));
    let longest = texts.iter().max_by_key(length).map(|t| ("longest text", t));
    [shortest, longest]
        .into_iter()
        .flatten()
        .map(|(what, (line, number, text))| Sample {
            what,
            line: *line,
            number: number.clone(),
            text: text.clone(),
        })
        .collect()
}

/// What a recipient would hear, or what decides it.
fn spoken(callout: &Callout) -> Option<String> {
    match &callout.body {
        CalloutBody::Tts(tts) => tts.text.clone().or_else(|| tts.prompts.clone()),
        CalloutBody::Conference(conference) => conference.greeting.clone(),
        CalloutBody::Custom(custom) => custom.ace.clone().or_else(|| custom.ice.clone()),
    }
}

/// The number that a callout shows, unless it is hidden.
fn shown(callout: &Callout) -> Option<String> {
    let cli = match &callout.body {
        CalloutBody::Tts(tts) => Some(tts.cli.clone()),
        CalloutBody::Conference(conference) => Some(conference.cli.clone()),
        CalloutBody::Custom(custom) => custom.cli.clone().or_else(|| {
            let ice: Value = serde_json::from_str(custom.ice.as_deref()?).ok()?;
            Some(ice.get("action")?.get("cli")?.as_str()?.to_owned())
        }),
    };
    cli.filter(|cli| cli != "private")
}

/// What in a callout does nothing unless the application has a callback URL (`FACTS` §3).
fn callback_need(callout: &Callout) -> Option<&'static str> {
    let asked = |ace, dice, pie| {
        let asked = [
            (ace, "enable_ace"),
            (dice, "enable_dice"),
            (pie, "enable_pie"),
        ];
        asked
            .into_iter()
            .find(|(flag, _)| *flag == Some(true))
            .map(|(_, name)| name)
    };
    match &callout.body {
        CalloutBody::Tts(tts) => asked(tts.enable_ace, tts.enable_dice, tts.enable_pie),
        CalloutBody::Conference(conference) => {
            let detects = conference
                .conference_dtmf_options
                .as_ref()
                .is_some_and(|options| options.mode.as_deref() == Some("detect"));
            asked(
                conference.enable_ace,
                conference.enable_dice,
                conference.enable_pie,
            )
            .or_else(|| detects.then_some("conference_dtmf_options with mode `detect`"))
        }
        CalloutBody::Custom(custom) if custom.ice.is_none() && custom.destination.is_none() => {
            Some("no `ice`")
        }
        CalloutBody::Custom(custom) => custom.ace.is_none().then_some("no `ace`"),
    }
}
