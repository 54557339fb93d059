//! What a run would do. Dials nobody and writes nothing.
//!
//! [`Plan::of`] reads the list once and gathers what the rest needs: `samples` shows callouts, `eligible`
//! windows, `estimate` attempts, money and time, `prices` what the platform says calls cost (`price_memory`
//! what it said lately), `fingerprint` what a run of the plan must find as it was, `condition` what a CI
//! refuses; `json` is a plan for programs, `text` one for people, `question` what a person decides on.

mod condition;
mod eligible;
mod estimate;
mod fingerprint;
mod json;
mod price;
mod price_memory;
mod prices;
mod question;
pub(crate) mod rates;
mod samples;
mod text;

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fmt;

use jiff::{Timestamp, Zoned};
use sha2::{Digest as _, Sha256};

use super::runs::{Again, Earlier, compare, workers};
use super::{App, Error, Refusal};
use crate::campaign::Campaign;
use crate::digest::hex;
use crate::domain::svaml::Event;
use crate::domain::{
    Callout, Destination, DestinationKind, Endpoints, NotReachedBy, Screen, Spend, Way, Zones,
};
use crate::recipients::{
    CheckError, CheckedRow, ListSummary, RowVerdict, check_list, zones_of_number,
};
use crate::report::moments::Zone;
use crate::sinch::Client;
use crate::store::Store;

pub(crate) use condition::Condition;
pub(crate) use eligible::Eligible;
pub(crate) use fingerprint::Fingerprint;
pub(crate) use json::rule;
pub(crate) use price::Price;
pub(crate) use prices::Prices;
pub(crate) use samples::Sample;

use estimate::{Minutes, Span, Work};
use prices::Prefixes;

/// Callouts are looked at, for what they show and need, of the first so many rows that can be called.
const SAMPLED: usize = 1_000;

/// A plan.
#[derive(Debug)]
pub(crate) struct Plan {
    /// What is planned.
    pub(crate) campaign: Campaign,
    /// Its list in numbers.
    pub(crate) list: ListSummary,
    /// When it was made.
    at: Timestamp,
    /// By whose clock it tells moments to people.
    zone: Zone,
    /// When its schedule begins, as people are told; none where it has none.
    start: Option<Zoned>,
    /// Shortest and longest text, with the line and the masked number.
    pub(crate) samples: Vec<Sample>,
    /// The numbers that the sampled callouts show.
    clis: BTreeSet<String>,
    /// How long its calls take, where they ask; none where they ask nothing.
    way: Option<Way>,
    /// What in the sampled callouts needs the application's callback URL.
    callback_need: Option<&'static str>,
    /// The recipients by how their numbers begin.
    prefixes: Prefixes,
    /// What the platform says calls cost; none where it was not asked.
    pub(crate) prices: Option<Prices>,
    /// When the window opens for them; none where there is no window.
    pub(crate) eligible: Option<Eligible>,
    /// What is to be spoken, and what that costs at the campaign's own rates.
    work: Work,
    /// How long it takes; none without a rate.
    pub(crate) span: Option<Span>,
    /// Digest of who is suppressed.
    suppressed: String,
    /// The address of the database that it was made with.
    pub(crate) database: Option<String>,
    /// Whom it would call.
    endpoints: Endpoints,
    /// Where the first of them may be; none where a window asks for everybody's.
    zones: Vec<Zones>,
    /// The earlier runs that it was compared with.
    pub(crate) earlier: Earlier,
    /// The suppression lists whose numbers earlier rules read.
    read_earlier: Vec<String>,
    /// Why another database may be meant, where the face knows a reason.
    pub(crate) doubt: Option<String>,
}

impl Plan {
    /// Reads the campaign's list, screens it, and plans.
    ///
    /// # Errors
    /// Faults of the list.
    pub(crate) fn of(
        app: &App,
        campaign: &Campaign,
        screen: Screen<'_>,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let mut gathered = Gathered::new(campaign, now);
        let counted = app.counting("rows read", None);
        let mut sink = |chunk: Vec<CheckedRow>| {
            counted.done.add(chunk.len() as u64);
            for row in chunk {
                gathered.add(row);
            }
            Ok::<(), Infallible>(())
        };
        let list = match check_list(campaign, workers(), screen, &mut sink) {
            Ok(list) => list,
            Err(CheckError::Faults(faults)) => return Err(faults.into()),
            Err(CheckError::Sink(never)) => match never {},
        };
        let render = |rows: Vec<Candidate>| -> Vec<_> {
            rows.into_iter()
                .filter_map(|(line, to, cells)| {
                    let callout = list.script.callout(&to, &cells).ok()?;
                    Some((line, to, callout))
                })
                .collect()
        };
        let extremes = render(gathered.extremes());
        let zones = match campaign.window {
            Some(_) => Vec::new(),
            None => gathered.zones(),
        };
        let callouts: Vec<(u64, Destination, Callout)> = render(gathered.sampled);
        let mut suppressed = Sha256::new();
        if let Some(lists) = screen.lists {
            lists.each_that_holds(now, |part| suppressed.update(part));
        }
        let mut eligible = gathered.eligible;
        let valid = list.summary.valid;
        let span = Span::of(campaign, valid, &gathered.work, eligible.as_mut(), now);
        Ok(Self {
            campaign: campaign.clone(),
            list: list.summary,
            at: now,
            zone: app.zone_of_campaign(campaign),
            start: (campaign.schedule.as_ref()).map(|schedule| app.told(schedule.start.clone())),
            samples: if extremes.is_empty() {
                samples::extremes(&callouts)
            } else {
                samples::extremes(&extremes)
            },
            clis: callouts
                .iter()
                .filter_map(|(.., c)| samples::shown(c))
                .collect(),
            callback_need: callouts
                .iter()
                .find_map(|(.., c)| samples::callback_need(c)),
            way: gathered.way,
            prefixes: gathered.prefixes,
            prices: None,
            eligible,
            work: gathered.work,
            span,
            suppressed: hex(&suppressed.finalize()),
            endpoints: gathered.endpoints,
            zones,
            earlier: Earlier::default(),
            database: None,
            doubt: None,
            read_earlier: screen.lists.map_or_else(Vec::new, |lists| {
                lists.read_earlier().map(ToString::to_string).collect()
            }),
        })
    }

    /// Compares it with the earlier runs of its campaign. `only` is whom it leaves out.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn compare(
        &mut self,
        store: &dyn Store,
        only: Option<&NotReachedBy>,
    ) -> Result<(), Error> {
        let (name, endpoints) = (&self.campaign.name, &self.endpoints);
        self.earlier = compare(store, name, endpoints, only, self.at).await?;
        Ok(())
    }

    /// The earlier run that had mostly the same list, where one called it lately.
    pub(crate) fn again(&self) -> Option<&Again> {
        self.earlier.again.as_ref()
    }

    /// Asks the platform what the calls would cost, and which numbers are ours; `anew`, whatever it
    /// said lately.
    pub(crate) async fn price(&mut self, client: &Client, app: &App, anew: bool) {
        self.prices = Some(Prices::ask(&self.prefixes, client, app, anew).await);
    }

    /// What a run of it may cost, at the prices that the platform told.
    ///
    /// # Errors
    /// [`Refusal::NoPrices`] where a cap cannot be kept.
    pub(crate) fn spend_for_run(&self) -> Result<Option<Spend>, Error> {
        let Some(mut spend) = self.campaign.spend.clone() else {
            return Ok(None);
        };
        if spend.rates.is_none() {
            let told = self.prices.as_ref().map(|p| p.rates(&spend.currency));
            let unknown = match told {
                Some(Ok(rates)) => {
                    spend.rates = Some(rates);
                    return Ok(Some(spend));
                }
                Some(Err(unknown)) => unknown,
                None => "the platform was not asked".to_owned(),
            };
            let currency = spend.currency;
            return Err(Refusal::NoPrices {
                why: unknown,
                currency,
            }
            .into());
        }
        Ok(Some(spend))
    }

    /// The numbers that the sampled callouts show.
    pub(crate) fn clis(&self) -> &BTreeSet<String> {
        &self.clis
    }

    /// Events of a call that somebody must answer or act on while it goes on.
    pub(crate) fn callbacks(&self) -> Vec<Event> {
        self.campaign
            .outline()
            .map_or_else(Vec::new, |flow| flow.callbacks())
    }

    /// What in the campaign needs the application's callback URL.
    pub(crate) fn callback_need(&self) -> Option<&'static str> {
        self.callback_need
    }

    /// What a run of this plan must find as it is now.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        let prices = self.prices.as_ref().map(Prices::record);
        Fingerprint::of(
            &self.campaign,
            &self.list.sha256,
            &self.suppressed,
            prices.as_ref(),
            [self.earlier.latest.as_ref(), self.earlier.only_of.as_ref()],
        )
    }

    /// SHA-256 of the list as it was read.
    pub(crate) fn list_sha256(&self) -> &str {
        &self.list.sha256
    }

    /// How many numbers are in which country, the most first.
    pub(crate) fn countries(&self) -> Vec<(String, u64)> {
        self.prefixes.countries()
    }

    /// Started minutes that the longest text takes.
    pub(crate) fn minutes(&self) -> u32 {
        let longest = self.samples.last().and_then(|s| s.speech_s);
        longest.unwrap_or(0).div_ceil(60).max(1)
    }

    /// What a person should look at before it is run.
    pub(crate) fn warnings(&self) -> Vec<Warning> {
        let owns = |cli: &&String| {
            let prices = self.prices.as_ref();
            prices.and_then(|prices| prices.owns(cli)) == Some(false)
        };
        let of_file = self.campaign.warnings().iter();
        let strangers = self.clis.iter().filter(owns).cloned();
        let lists = self.read_earlier.iter().cloned();
        of_file
            .map(|warning| Warning::Campaign(warning.to_string()))
            .chain(strangers.map(Warning::CliNotOurs))
            .chain(self.doubt.clone().map(Warning::Database))
            .chain(lists.map(Warning::ListReadEarlier))
            .collect()
    }
}

/// What a person should look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Warning {
    /// Something in the campaign file.
    Campaign(String),
    /// A number to be shown that is not among the account's.
    CliNotOurs(String),
    /// Why another database may be meant.
    Database(String),
    /// A suppression list whose numbers earlier rules read: it is to be imported again.
    ListReadEarlier(String),
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Campaign(words) | Self::Database(words) => f.write_str(words),
            Self::CliNotOurs(cli) => write!(
                f,
                "cli {cli} is not among the account's numbers: the platform may refuse it or show \
                 another"
            ),
            Self::ListReadEarlier(list) => write!(
                f,
                "list {list} was read by an earlier version, which took some numbers without + for \
                 other people's"
            ),
        }
    }
}

impl App {
    /// What a run of a campaign would do, with the prices that the platform tells where credentials are
    /// set. `of` is the run of whose recipients only those are called whom it did not reach.
    ///
    /// # Errors
    /// Faults of the list, an unknown run, the store's.
    pub(crate) async fn plan(&self, campaign: &Campaign, of: Option<&str>) -> Result<Plan, Error> {
        let (store, lists, only) = self.known_of_people(of).await?;
        let now = self.clock.wall();
        let screen = Screen {
            lists: Some(&lists),
            now,
            only: only.as_ref(),
        };
        let mut plan = Plan::of(self, campaign, screen, now)?;
        if let Some(store) = &store {
            plan.compare(store.as_ref(), only.as_ref()).await?;
            store.close().await?;
        }
        plan.database = Some(self.settings.database.clone());
        if self.settings.platform.has_credentials() {
            plan.price(&self.client()?, self, false).await;
        }
        Ok(plan)
    }
}

/// A row that can be called: its line, whom, and its cells.
type Candidate = (u64, Destination, Vec<String>);

/// What one pass over the list leaves.
struct Gathered<'a> {
    campaign: &'a Campaign,
    now: Timestamp,
    sampled: Vec<Candidate>,
    /// The rows with the shortest and the longest spoken text, and their characters.
    shortest: Option<(u32, Candidate)>,
    longest: Option<(u32, Candidate)>,
    prefixes: Prefixes,
    way: Option<Way>,
    eligible: Option<Eligible>,
    work: Work,
    endpoints: Endpoints,
}

impl<'a> Gathered<'a> {
    fn new(campaign: &'a Campaign, now: Timestamp) -> Self {
        Self {
            campaign,
            now,
            sampled: Vec::new(),
            shortest: None,
            longest: None,
            prefixes: Prefixes::default(),
            way: None,
            eligible: campaign.window.clone().map(Eligible::new),
            work: Work::new(campaign.spend.as_ref()),
            endpoints: Endpoints::default(),
        }
    }

    fn add(&mut self, row: CheckedRow) {
        let RowVerdict::Valid {
            destination,
            zones,
            length,
            legs,
            way,
            ..
        } = row.verdict
        else {
            return;
        };
        self.endpoints.insert(&destination.endpoint);
        if let Some(eligible) = &mut self.eligible {
            eligible.add(zones.as_ref(), self.now);
        }
        if let Some(way) = way {
            self.way = Some(self.way.map_or(way, |all| all.or(way)));
        }
        let minutes = Minutes::of(length, self.campaign.spend.as_ref());
        self.work
            .add(&destination.endpoint, (length, &legs), minutes);
        if destination.kind == DestinationKind::Number {
            self.prefixes.add(&destination.endpoint, minutes);
            self.prefixes.connects(&legs);
        }
        if let Some(chars) = length.spoken_chars {
            let row = || (chars, (row.line, destination.clone(), row.cells.clone()));
            if self
                .shortest
                .as_ref()
                .is_none_or(|(least, _)| chars < *least)
            {
                self.shortest = Some(row());
            }
            if self.longest.as_ref().is_none_or(|(most, _)| chars > *most) {
                self.longest = Some(row());
            }
        }
        if self.sampled.len() < SAMPLED {
            self.sampled.push((row.line, destination, row.cells));
        }
    }

    /// Where the sampled rows may be, as far as their numbers say.
    fn zones(&self) -> Vec<Zones> {
        let numbers = self.sampled.iter().map(|(_, to, _)| to);
        numbers
            .filter(|to| to.kind == DestinationKind::Number)
            .map(|to| zones_of_number(&to.endpoint))
            .collect()
    }

    fn extremes(&mut self) -> Vec<Candidate> {
        [self.shortest.take(), self.longest.take()]
            .into_iter()
            .flatten()
            .map(|(_, row)| row)
            .collect()
    }
}
