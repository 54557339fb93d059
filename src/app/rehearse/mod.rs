//! The whole run against the simulator, in one process: over real HTTP, or in virtual time, where the
//! simulator's world stands in the place of HTTP and days go by in seconds.

mod files;
mod in_process;
mod served;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::database::of_rehearsals;
use super::files::{refuse_to_replace, write_private};
use super::receive::Hearing;
use super::runs::{Ended, Terms, Work, import, rules};
use super::{App, DEMO_KEY, DEMO_SECRET, Error, Notice, Sources, Stop};
use crate::campaign::Campaign;
use crate::clock::{Clock, VirtualClock};
use crate::domain::{Rates, Spend};
use crate::engine::{Incoming, Pace, Platform, Predecessor, Rules, Time};
use crate::entropy::Entropy;
use crate::simulator::{Options, Tariff};
use crate::sinch::auth::Credentials;
use crate::sinch::{Bases, Client, Region};
use crate::store::{self, Access, NewRun, Store};

use files::Earlier;
use in_process::InProcess;
use served::ServedSimulator;

/// Longest wait before another attempt.
const WAIT_MAX: Duration = Duration::from_secs(1);
/// Calls per second where the campaign names none.
const RATE_DEFAULT: f64 = 10.0;
/// When virtual time begins where nobody says: Monday, 2026-01-05, 08:00 UTC. A fixed moment, so that the
/// same seed gives the same results on any day.
const VIRTUAL_START: Timestamp = Timestamp::constant(1_767_600_000, 0);

/// In virtual time events are steps of the same clock, and no request goes there.
const NOBODYS_URL: &str = "http://callbacks.invalid/";

/// What is wanted of a rehearsal.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    /// Whether time is virtual.
    pub(crate) virtual_time: bool,
    /// When virtual time begins, where somebody says.
    pub(crate) at: Option<Timestamp>,
    /// Where the calls that the simulator placed in virtual time are written.
    pub(crate) ledger: Option<PathBuf>,
    /// Where the results go; else to a file of the campaign's name.
    pub(crate) output: Option<PathBuf>,
    /// The run of whose recipients only those are called whom it did not reach.
    pub(crate) only_of: Option<String>,
}

impl App {
    /// Rehearses a campaign.
    pub(crate) async fn rehearse(
        &self,
        campaign: &Campaign,
        mut options: Options,
        wanted: Wanted,
        stop: &Stop,
    ) -> Result<Ended, Error> {
        let spend = priced_by(campaign, &mut options.tariff);
        let address = of_rehearsals(&self.settings.database);
        let earlier = Earlier::of(&address);
        let results = files::results_file(wanted.output.as_deref(), campaign, &earlier)?;
        let rehearsal = Rehearsal {
            app: self,
            wanted,
            campaign,
            spend,
            results: results.clone(),
            address,
        };
        let ended = if rehearsal.wanted.virtual_time {
            rehearsal.in_virtual_time(options, stop).await?
        } else {
            rehearsal.over_http(options, stop).await?
        };
        earlier.remember(&results.0)?;
        Ok(ended)
    }
}

/// One rehearsal.
struct Rehearsal<'a> {
    app: &'a App,
    wanted: Wanted,
    campaign: &'a Campaign,
    /// What it may cost, at the simulator's prices.
    spend: Option<Spend>,
    /// Where the results go, and whether a file that is there is replaced.
    results: (PathBuf, bool),
    /// Its own database.
    address: String,
}

impl Rehearsal<'_> {
    async fn over_http(self, options: Options, stop: &Stop) -> Result<Ended, Error> {
        let app = self.app;
        let scheme = app.settings.platform.scheme()?;
        let store = self.begin_anew(Access::Engine).await?;
        let received = app.receiver_of_rehearsal(&store, credentials()?).await?;
        let options = Options {
            callback_url: Some(received.url.clone()),
            ..options
        };
        let served = ServedSimulator::start(options, Arc::clone(&app.clock))?;
        let bases = Bases::new(Region::Global, Some(&served.url), Some(&served.url))
            .map_err(Error::failed)?;
        let client = Client::new(bases, credentials()?, scheme, Arc::clone(&app.clock))
            .map_err(Error::failed)?;
        let client = Arc::new(client);
        received.speaks_through(&client);
        let new = self.new_run(app, client.platform());
        let rules = hurried(app, self.campaign, new.created_at);
        let time = Time::Live(Arc::clone(&app.clock));
        let hearing = Hearing {
            incoming: Some(app.ear(&store, &new.id)),
            told: self.campaign.may_be_told(),
            answer_at: Some(received.url.clone()),
        };
        let calling = (client as Arc<dyn Platform>, time, hearing);
        let work = self.work(app, store, new, rules, calling).await?;
        let ended = work.until(stop).await?;
        received.receiver.stop().await;
        Ok(ended)
    }

    /// The same engine and store, on a clock that jumps to whatever is next.
    async fn in_virtual_time(self, options: Options, stop: &Stop) -> Result<Ended, Error> {
        if let Some(ledger) = &self.wanted.ledger {
            refuse_to_replace(ledger, false)?;
        }
        let schedule = self.campaign.schedule.as_ref();
        let began = self.wanted.at.unwrap_or_else(|| {
            schedule.map_or(VIRTUAL_START, |schedule| schedule.start.timestamp())
        });
        let clock = Arc::new(VirtualClock::at(began));
        let app = &self.app.on(Sources {
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            entropy: Entropy::seeded(options.seed),
        });
        let options = Options {
            time_scale: 1.0,
            callback_url: Some(NOBODYS_URL.to_owned()),
            ..options
        };
        let platform = Arc::new(InProcess::new(
            options,
            Arc::clone(&clock),
            Arc::clone(&app.noes),
        ));
        let store = self.begin_anew(Access::Scratch).await?;
        let expires = schedule.and_then(|schedule| schedule.expires_after);
        let new = NewRun {
            expires_at: expires.and_then(|after| began.checked_add(after).ok()),
            ..self.new_run(app, "the simulator in virtual time".into())
        };
        let zone = app.zone_of_campaign(self.campaign);
        app.tell(Notice::VirtualTime(zone.at(began)));
        let rules = rules(self.campaign, new.created_at);
        let called = Arc::clone(&platform);
        let hearing = Hearing {
            incoming: Some(Arc::clone(&platform) as Arc<dyn Incoming>),
            told: self.campaign.may_be_told(),
            answer_at: Some(NOBODYS_URL.to_owned()),
        };
        let calling = (
            platform as Arc<dyn Platform>,
            Time::Virtual(Arc::clone(&clock)),
            hearing,
        );
        let work = self.work(app, store, new, rules, calling).await?;
        let ended = work.until(stop).await?;
        let at = zone.at(clock.wall());
        app.tell(Notice::VirtualTimeEnded(at, clock.monotonic()));
        if let Some(path) = &self.wanted.ledger {
            write_private(path, called.ledger_csv().as_bytes(), false)?;
        }
        Ok(ended)
    }

    /// Opens the rehearsal's database, empty. The lock is taken before anything is deleted, so that a
    /// rehearsal that is going on is left alone.
    async fn begin_anew(&self, access: Access) -> Result<Arc<dyn Store>, Error> {
        store::begin_anew(&self.address).await?;
        Ok(store::open(&self.address, access, None).await?)
    }

    fn new_run(&self, app: &App, platform: String) -> NewRun {
        NewRun {
            spend: self.spend.clone(),
            ..app.new_run(self.campaign, platform, true)
        }
    }

    /// Writes the run down and imports its list.
    async fn work<'a>(
        &self,
        app: &'a App,
        store: Arc<dyn Store>,
        new: NewRun,
        rules: Rules,
        (platform, time, hearing): (Arc<dyn Platform>, Time, Hearing),
    ) -> Result<Work<'a>, Error> {
        let campaign = self.campaign;
        store.create_run(&new).await?;
        // The rehearsal's own database begins anew; who is suppressed, and whom an earlier run reached, is
        // known to the real one.
        let of = self.wanted.only_of.as_deref();
        let (real, lists, only) = self.app.known_of_people(of).await?;
        if let Some(real) = real {
            real.close().await?;
        }
        let terms = Terms {
            lists,
            only,
            now: new.created_at,
            spend: new.spend.as_ref(),
            planned: None,
        };
        app.tell(Notice::Database(self.address.clone()));
        let (list, script) = import(app, store.as_ref(), &new.id, campaign, terms).await?;
        let rate = campaign.pacing.calls_per_second.unwrap_or(RATE_DEFAULT);
        app.tell(Notice::Rehearsing {
            campaign: campaign.name.clone(),
            rows: list.rows,
            valid: list.valid,
            takes: matches!(time, Time::Live(_)).then(|| dialling(list.valid, rate)),
        });
        Ok(Work {
            app,
            store,
            platform,
            hearing,
            time,
            script,
            at_the_dial: None,
            kind: campaign.recipients.destination_kind,
            run: new.id,
            campaign: new.campaign,
            predecessor: Predecessor::Nobody,
            pace: Pace {
                calls_per_second: rate,
                concurrent_calls: campaign.pacing.concurrent_calls,
            },
            rules,
            talks: campaign.talks_at_most(),
            spend: new.spend,
            output: Some(self.results.clone()),
        })
    }
}

/// How long so many callouts take at a rate.
#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn dialling(calls: u64, rate: f64) -> Duration {
    Duration::try_from_secs_f64((calls as f64 / rate).ceil()).unwrap_or(Duration::MAX)
}

/// A rehearsal waits for nobody's morning: no phone rings.
fn hurried(app: &App, campaign: &Campaign, since: Timestamp) -> Rules {
    let rules = rules(campaign, since);
    if rules.window.is_some() || rules.retry.max_attempts > 1 {
        app.tell(Notice::Hurried);
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

fn credentials() -> Result<Credentials, Error> {
    Credentials::new(DEMO_KEY, DEMO_SECRET.to_owned()).map_err(Error::failed)
}
