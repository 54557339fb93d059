//! `callout plan`: what a run would do. Dials nobody and writes nothing.
//!
//! [`Plan::of`] reads the list once and gathers what the rest needs: `samples` shows callouts, `eligible`
//! windows, `estimate` attempts, money and time, `prices` what the platform says calls cost,
//! `fingerprint` what a run of the plan must find as it was, `gate` the conditions of a CI; `show` prints.

mod eligible;
mod estimate;
mod fingerprint;
pub(super) mod gate;
mod prices;
mod samples;
mod show;

use std::collections::BTreeSet;
use std::convert::Infallible;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::again::{self, Again, Earlier};
use super::args::{Global, PlanArgs};
use super::exit::{Exit, Failure};
use super::export::hex;
use super::{World, database, import, output, settings, suppress};
use crate::campaign::Campaign;
use crate::clock::Clock;
use crate::domain::{
    Callout, Destination, DestinationKind, Endpoints, NotReachedBy, Screen, Spend, Suppressions,
};
use crate::recipients::{CheckError, CheckedRow, ListSummary, RowVerdict, check_list};
use crate::sinch::Client;
use crate::store::{Store, StoreError};

use eligible::Eligible;
use estimate::{Minutes, Span, Work};
pub(super) use fingerprint::Fingerprint;
use prices::{Prefixes, Prices};
use samples::Sample;

/// Callouts are looked at, for what they show and need, of the first so many rows that can be called.
const SAMPLED: usize = 1_000;

/// A plan.
pub(super) struct Plan {
    campaign: Campaign,
    list: ListSummary,
    /// When it was made.
    at: Timestamp,
    /// Shortest and longest text, with the line and the masked number.
    samples: Vec<Sample>,
    /// The numbers that the sampled callouts show.
    clis: BTreeSet<String>,
    /// What in the sampled callouts needs the application's callback URL.
    callback_need: Option<&'static str>,
    /// The recipients by how their numbers begin.
    prefixes: Prefixes,
    /// What the platform says calls cost; none where it was not asked.
    prices: Option<Prices>,
    /// When the window opens for them; none where there is no window.
    eligible: Option<Eligible>,
    /// What is to be spoken, and what that costs at the campaign's own rates.
    work: Work,
    /// How long it takes; none without a rate.
    span: Option<Span>,
    /// Digest of who is suppressed.
    suppressed: String,
    /// The address of the database that it was made with.
    pub(super) database: Option<String>,
    /// Whom it would call.
    endpoints: Endpoints,
    /// The earlier runs that it was compared with.
    earlier: Earlier,
    /// Why another database may be meant.
    doubt: Option<String>,
    /// What to do about suppression lists that earlier rules read.
    import_again: Vec<String>,
}

pub(super) async fn plan(args: &PlanArgs, global: &Global, world: &World) -> Result<Exit, Failure> {
    let campaign = Campaign::load(&args.file)?;
    let (mut lists, mut only) = (Suppressions::default(), None);
    let store = suppress::store_if_any(global).await?;
    if let Some(store) = &store {
        lists = store.suppressions().await?;
        only = again::not_reached_by(store.as_ref(), args.only.of()).await?;
    } else if let Some(run) = args.only.of() {
        return Err(StoreError::NoRun(run.to_owned()).into());
    }
    let now = world.clock.wall();
    let screen = Screen {
        lists: Some(&lists),
        now,
        only: only.as_ref(),
    };
    let mut plan = Plan::of(&campaign, screen, now)?;
    if let Some(store) = &store {
        plan.compare(store.as_ref(), only.as_ref()).await?;
        store.close().await?;
    }
    plan.database = Some(global.db.clone());
    plan.doubt = database::another_than_of(global, &args.file);
    if settings::has_credentials() {
        let client = settings::client(global, &world.clock)?;
        plan.price(&client, world.clock.as_ref(), false).await;
    }
    let met: Vec<String> = args
        .fail_if
        .iter()
        .filter_map(|condition| condition.met(|figure| plan.figure(figure)))
        .collect();
    if args.json {
        output::say_json(&plan.json(&met));
    } else {
        output::say(&plan.text());
    }
    if met.is_empty() {
        return Ok(Exit::Done);
    }
    Err(Failure::failed(format!(
        "the plan meets --fail-if {}",
        met.join("; ")
    )))
}

impl Plan {
    /// Reads the campaign's list, screens it, and plans.
    pub(super) fn of(
        campaign: &Campaign,
        screen: Screen<'_>,
        now: Timestamp,
    ) -> Result<Self, Failure> {
        let mut gathered = Gathered::new(campaign, now);
        let mut sink = |chunk: Vec<CheckedRow>| {
            for row in chunk {
                gathered.add(row);
            }
            Ok::<(), Infallible>(())
        };
        let list = match check_list(campaign, import::workers(), screen, &mut sink) {
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
            prefixes: gathered.prefixes,
            prices: None,
            eligible,
            work: gathered.work,
            span,
            suppressed: hex(&suppressed.finalize()),
            endpoints: gathered.endpoints,
            earlier: Earlier::default(),
            database: None,
            doubt: None,
            import_again: screen.lists.map_or_else(Vec::new, |lists| {
                lists.read_earlier().map(suppress::import_again).collect()
            }),
        })
    }

    /// Compares it with the earlier runs of its campaign. `only` is whom it leaves out.
    pub(super) async fn compare(
        &mut self,
        store: &dyn Store,
        only: Option<&NotReachedBy>,
    ) -> Result<(), Failure> {
        let (name, endpoints) = (&self.campaign.name, &self.endpoints);
        self.earlier = again::compare(store, name, endpoints, only, self.at).await?;
        Ok(())
    }

    /// The earlier run that had mostly the same list, where one called it lately.
    pub(super) fn again(&self) -> Option<&Again> {
        self.earlier.again.as_ref()
    }

    /// Asks the platform what the calls would cost, and which numbers are ours; `anew`, whatever it
    /// said lately.
    pub(super) async fn price(&mut self, client: &Client, clock: &dyn Clock, anew: bool) {
        self.prices = Some(Prices::ask(&self.prefixes, client, clock, anew).await);
    }

    /// What a run of it may cost, at the prices that the platform told.
    pub(super) fn spend_for_run(&self) -> Result<Option<Spend>, Failure> {
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
            return Err(Failure::usage(format!(
                "the cap of [spend] cannot be kept, because it is not known what calls cost: \
                 {unknown}.\nState it in [spend], as rate = \"0.05 {0}\" or rates = {{ \"+46\" = \
                 \"0.024 {0}\" }}",
                spend.currency
            )));
        }
        Ok(Some(spend))
    }

    /// The numbers that the sampled callouts show.
    pub(super) fn clis(&self) -> &BTreeSet<String> {
        &self.clis
    }

    /// What in the campaign needs the application's callback URL.
    pub(super) fn callback_need(&self) -> Option<&'static str> {
        self.callback_need
    }

    /// What a run of this plan must find as it is now.
    pub(super) fn fingerprint(&self) -> Fingerprint {
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
    pub(super) fn list_sha256(&self) -> &str {
        &self.list.sha256
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
        let lists = self.import_again.iter().cloned();
        of_file
            .chain(strangers)
            .chain(self.doubt.clone())
            .chain(lists)
            .collect()
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
            ..
        } = row.verdict
        else {
            return;
        };
        self.endpoints.insert(&destination.endpoint);
        if let Some(eligible) = &mut self.eligible {
            eligible.add(zones.as_ref(), self.now);
        }
        let minutes = Minutes::of(length, self.campaign.spend.as_ref());
        self.work.add(&destination.endpoint, length, minutes);
        if destination.kind == DestinationKind::Number {
            self.prefixes.add(&destination.endpoint, minutes);
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

    fn extremes(&mut self) -> Vec<Candidate> {
        [self.shortest.take(), self.longest.take()]
            .into_iter()
            .flatten()
            .map(|(_, row)| row)
            .collect()
    }
}
