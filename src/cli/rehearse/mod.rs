//! `callout rehearse`: the whole run against the simulator, in one process: over real HTTP, or in virtual
//! time (`--virtual`), where the simulator's world stands in the place of HTTP and days go by in seconds.

mod files;
mod in_process;
mod served;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::args::{Global, RehearseArgs};
use super::exit::{Exit, Failure};
use super::import::Terms;
use super::session::{self, Session};
use super::{World, again, database, file, import, output, run, settings, simulate, suppress};
use crate::campaign::Campaign;
use crate::clock::{Clock, VirtualClock};
use crate::domain::{Rates, Spend, Suppressions};
use crate::engine::{Pace, Platform, Predecessor, Rules, Time};
use crate::entropy::Entropy;
use crate::report::summary::human;
use crate::simulator::{Options, Tariff};
use crate::sinch::auth::Credentials;
use crate::sinch::{Bases, Client, Region};
use crate::store::{Access, NewRun, Store, StoreError};

use files::Earlier;
use in_process::InProcess;

/// Longest wait before another attempt.
const WAIT_MAX: Duration = Duration::from_secs(1);
/// Calls per second where the campaign names none.
const RATE_DEFAULT: f64 = 10.0;
/// When virtual time begins where nobody says: Monday, 2026-01-05, 08:00 UTC. A fixed moment, so that the
/// same seed gives the same results on any day.
const VIRTUAL_START: Timestamp = Timestamp::constant(1_767_600_000, 0);

pub(super) async fn rehearse(
    args: &RehearseArgs,
    global: &Global,
    world: World,
) -> Result<Exit, Failure> {
    let campaign = Campaign::load(&args.file)?;
    let mut options = simulate::options(&args.platform)?;
    let spend = priced_by(&campaign, &mut options.tariff);
    let address = database::of_rehearsals(&global.db);
    let earlier = Earlier::of(&address);
    let (results, replace) = files::results_file(args, &campaign, &earlier)?;
    let rehearsal = Rehearsal {
        args,
        global,
        campaign: &campaign,
        spend,
        results: (&results, replace),
    };
    let exit = if args.virtual_time {
        rehearsal.in_virtual_time(options, &address).await?
    } else {
        rehearsal.over_http(options, &address, world).await?
    };
    earlier.remember(&results)?;
    Ok(exit)
}

/// One rehearsal.
struct Rehearsal<'a> {
    args: &'a RehearseArgs,
    global: &'a Global,
    campaign: &'a Campaign,
    /// What it may cost, at the simulator's prices.
    spend: Option<Spend>,
    results: (&'a Path, bool),
}

impl Rehearsal<'_> {
    async fn over_http(
        self,
        options: Options,
        address: &str,
        mut world: World,
    ) -> Result<Exit, Failure> {
        let scheme = settings::scheme(self.global)?;
        let store = files::begin_anew(address, Access::Engine).await?;
        let served = served::Platform::start(options, Arc::clone(&world.clock))?;
        let bases = Bases::new(Region::Global, Some(&served.url), Some(&served.url))
            .map_err(|e| Failure::failed(e.to_string()))?;
        let client = Client::new(bases, credentials()?, scheme, Arc::clone(&world.clock))
            .map_err(|e| Failure::failed(e.to_string()))?;
        let new = self.new_run(&mut world, client.platform());
        let rules = hurried(self.campaign, new.created_at);
        let time = Time::Live(Arc::clone(&world.clock));
        let session = self
            .session(store, new, rules, Arc::new(client), time)
            .await?;
        session.work(world).await
    }

    /// The same engine and store, on a clock that jumps to whatever is next.
    async fn in_virtual_time(self, options: Options, address: &str) -> Result<Exit, Failure> {
        if let Some(ledger) = &self.args.ledger {
            file::refuse_to_replace(ledger, false)?;
        }
        let schedule = self.campaign.schedule.as_ref();
        let began = self.args.at.unwrap_or_else(|| {
            schedule.map_or(VIRTUAL_START, |schedule| schedule.start.timestamp())
        });
        let clock = Arc::new(VirtualClock::at(began));
        let mut world = World {
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            entropy: Entropy::seeded(options.seed),
        };
        let options = Options {
            time_scale: 1.0,
            ..options
        };
        let platform = Arc::new(InProcess::new(options, Arc::clone(&clock)));
        let store = files::begin_anew(address, Access::Scratch).await?;
        let expires = schedule.and_then(|schedule| schedule.expires_after);
        let new = NewRun {
            expires_at: expires.and_then(|after| began.checked_add(after).ok()),
            ..self.new_run(&mut world, "the simulator in virtual time".into())
        };
        output::tell(&format!(
            "virtual time begins at {began}; --at says another moment"
        ));
        let rules = session::rules(self.campaign, new.created_at);
        let ledger = self.args.ledger.clone();
        let called = Arc::clone(&platform);
        let time = Time::Virtual(Arc::clone(&clock));
        let session = self.session(store, new, rules, platform, time).await?;
        let exit = session.work(world).await?;
        output::tell(&format!(
            "virtual time ended at {:.0}, after {}",
            clock.wall(),
            human(clock.monotonic())
        ));
        if let Some(path) = ledger {
            file::write_private(&path, called.ledger_csv().as_bytes(), false)?;
        }
        Ok(exit)
    }

    fn new_run(&self, world: &mut World, platform: String) -> NewRun {
        NewRun {
            spend: self.spend.clone(),
            ..run::new_run(self.campaign, world, platform, true)
        }
    }

    /// Writes the run down and imports its list.
    async fn session(
        &self,
        store: Arc<dyn Store>,
        new: NewRun,
        rules: Rules,
        platform: Arc<dyn Platform>,
        time: Time,
    ) -> Result<Session<'_>, Failure> {
        let campaign = self.campaign;
        store.create_run(&new).await?;
        // The rehearsal's own database begins anew; who is suppressed, and whom an earlier run reached, is
        // known to the real one.
        let (mut lists, mut only) = (Suppressions::default(), None);
        if let Some(real) = suppress::store_if_any(self.global).await? {
            lists = real.suppressions().await?;
            only = again::not_reached_by(real.as_ref(), self.args.only.of()).await?;
            real.close().await?;
        } else if let Some(run) = self.args.only.of() {
            return Err(StoreError::NoRun(run.to_owned()).into());
        }
        let terms = Terms {
            lists,
            only,
            now: new.created_at,
            spend: new.spend.as_ref(),
            planned: None,
        };
        output::tell(&database::line(&database::of_rehearsals(&self.global.db)));
        let (list, script) = import::import(store.as_ref(), &new.id, campaign, terms).await?;
        output::tell(&format!(
            "rehearsing {}: {} rows, {} to call, against the simulator (no phone rings)",
            campaign.name, list.rows, list.valid
        ));
        Ok(Session {
            store,
            platform,
            time,
            script,
            at_the_dial: None,
            kind: campaign.recipients.destination_kind,
            run: new.id,
            predecessor: Predecessor::Nobody,
            pace: Pace {
                calls_per_second: campaign.pacing.calls_per_second.unwrap_or(RATE_DEFAULT),
                concurrent_calls: campaign.pacing.concurrent_calls,
            },
            rules,
            spend: new.spend,
            rows: list.rows,
            done: list.rows - list.valid,
            output: Some(self.results),
            json: self.args.json,
        })
    }
}

/// A rehearsal waits for nobody's morning: no phone rings.
fn hurried(campaign: &Campaign, since: Timestamp) -> Rules {
    let rules = session::rules(campaign, since);
    if rules.window.is_some() || rules.retry.max_attempts > 1 {
        output::tell(
            "a rehearsal keeps no window, and waits a second at most before the next attempt",
        );
    }
    Rules {
        retry: rules.retry.hurried(WAIT_MAX),
        window: None,
        ..rules
    }
}

/// What the rehearsal may cost: calls cost what the campaign says that they do, and where it says
/// nothing, what the simulator asks. Either way both sides speak of the same prices.
fn priced_by(campaign: &Campaign, tariff: &mut Tariff) -> Option<Spend> {
    let mut spend = campaign.spend.clone()?;
    tariff.currency.clone_from(&spend.currency);
    match &spend.rates {
        Some(rates) => {
            tariff.rates = rates.prefixes.clone().into_iter().collect();
            tariff.otherwise = rates.otherwise.unwrap_or(tariff.otherwise);
        }
        None => {
            spend.rates = Some(Rates {
                prefixes: tariff.rates.iter().cloned().collect(),
                otherwise: Some(tariff.otherwise),
                ..Rates::default()
            });
        }
    }
    Some(spend)
}

fn credentials() -> Result<Credentials, Failure> {
    Credentials::new(settings::DEMO_KEY, settings::DEMO_SECRET.to_owned())
        .map_err(|e| Failure::failed(e.to_string()))
}
