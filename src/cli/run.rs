//! `callout run`: the real thing.

use std::path::Path;
use std::sync::Arc;

use super::args::{Global, RunArgs};
use super::exit::{Exit, Failure};
use super::import::{Terms, not_as_planned};
use super::plan::{Fingerprint, Plan};
use super::schedule::{self, Slot, Start};
use super::session::{self, Session};
use super::stop::Stop;
use super::{
    World, again, clock, database, file, import, latest, output, runs, settings, suppress,
};
use crate::campaign::{Campaign, Fault, Faults};
use crate::domain::{NotReachedBy, RunId, Schedule, Screen, Suppressions};
use crate::engine::{Pace, Predecessor, Time};
use crate::recipients::ListSummary;
use crate::report::summary::grouped;
use crate::sinch::Client;
use crate::store::{Access, NewRun, Planned, Run, Store, StoreError};

pub(super) async fn run(
    args: &RunArgs,
    global: &Global,
    mut world: World,
) -> Result<Exit, Failure> {
    let campaign = Campaign::load(&args.file)?;
    rate(&campaign)?;
    let client = settings::client(global, &world.clock)?;
    if let Some(path) = &args.results.output {
        file::refuse_to_replace(path, args.results.force)?;
        file::refuse_inputs(path, &campaign)?;
    }
    let never_asks = args.yes.then_some("--yes makes none");
    database::may_dial(global, &args.file, never_asks)?;
    let mut store = latest::open(global, Access::Engine).await?;
    latest::be_sure(store.as_ref(), args.accept, &mut world).await?;
    let right = args.clock.clock_is_right;
    clock::refuse_set_back(store.as_ref(), world.clock.as_ref(), right).await?;
    refuse_second_run(store.as_ref(), &campaign).await?;
    let planned = args.plan.as_ref();
    if let Some(planned) = planned {
        again::refuse_spent(store.as_ref(), &planned.to_string(), world.clock.wall()).await?;
    }
    let schedule = campaign.schedule.as_ref().filter(|_| !args.now);
    if let Some(schedule) = schedule {
        // A start that cannot be is refused before anything is asked.
        let now = world.clock.wall();
        schedule::start_of(&campaign.name, schedule, store.as_ref(), now).await?;
    }
    let looking = Looking {
        campaign: &campaign,
        client: &client,
        store: store.as_ref(),
        world: &world,
    };
    let noted = looking
        .before_run(args, &global.db, schedule.is_some())
        .await?;
    let stop = Stop::listen()?;
    let mut slot = None;
    if let Some(schedule) = schedule {
        let waited = wait_for_start(&campaign.name, schedule, store, global, &world, &stop).await?;
        let Some(waited) = waited else {
            output::tell("stopped before the start: nothing was dialled");
            return Ok(Exit::WorkLeft);
        };
        (store, slot) = (waited.0, Some(waited.1));
        clock::refuse_set_back(store.as_ref(), world.clock.as_ref(), right).await?;
    }
    let mut new = new_run(&campaign, &mut world, client.platform(), false);
    new.planned = noted;
    if let Some(slot) = slot {
        slot.assign(&mut new);
    }
    output::tell(&database::line(&global.db));
    let mut session = begin(store, &campaign, client, new, planned, &world).await?;
    session.output = args
        .results
        .output
        .as_deref()
        .map(|path| (path, args.results.force));
    session.json = args.results.json;
    session.work_until(world, &stop).await
}

/// What is looked at before a run begins.
struct Looking<'a> {
    campaign: &'a Campaign,
    client: &'a Client,
    store: &'a dyn Store,
    world: &'a World,
}

impl Looking<'_> {
    /// Shows the plan and asks. Unasked, a run whose people were called lately is refused; starts of a
    /// schedule are not.
    async fn before_run(
        &self,
        args: &RunArgs,
        database: &str,
        scheduled: bool,
    ) -> Result<Planned, Failure> {
        let only = again::not_reached_by(self.store, args.only.of()).await?;
        let mut noted = Planned {
            only_of: only.as_ref().map(|only| only.run.clone()),
            ..Planned::default()
        };
        let lists = self.store.suppressions().await?;
        let (name, now) = (&self.campaign.name, self.world.clock.wall());
        let plan = if !args.yes || args.plan.is_some() && scheduled {
            let planned = args.plan.as_ref();
            let mut plan = self.priced(&lists, only.as_ref(), planned).await?;
            plan.database = Some(database.to_owned());
            if !args.yes {
                ask(&plan, args.results.json)?;
            }
            plan
        } else if !args.again && !scheduled && again::is_asked(self.store, name, now).await? {
            let plan = self.plan(&lists, only.as_ref()).await?;
            if let Some(again) = plan.again() {
                return Err(again.refusal());
            }
            plan
        } else {
            return Ok(noted);
        };
        // A start that is waited for finds a new list; else it is the list that was looked at.
        noted.list_sha256 = (!scheduled).then(|| plan.list_sha256().to_owned());
        Ok(noted)
    }

    /// The plan as it is now, compared with the earlier runs.
    async fn plan(
        &self,
        lists: &Suppressions,
        only: Option<&NotReachedBy>,
    ) -> Result<Plan, Failure> {
        let now = self.world.clock.wall();
        let screen = Screen {
            lists: Some(lists),
            now,
            only,
        };
        let mut plan = Plan::of(self.campaign, screen, now)?;
        plan.compare(self.store, only).await?;
        Ok(plan)
    }

    /// The same with prices of this moment; refused where it is not the one that was planned.
    async fn priced(
        &self,
        lists: &Suppressions,
        only: Option<&NotReachedBy>,
        planned: Option<&Fingerprint>,
    ) -> Result<Plan, Failure> {
        let mut plan = self.plan(lists, only).await?;
        let anew = planned.is_some() || self.campaign.spend.is_some();
        plan.price(self.client, self.world.clock.as_ref(), anew)
            .await;
        if let Some(planned) = planned {
            let changed = planned.changed(&plan.fingerprint());
            if !changed.is_empty() {
                return Err(not_as_planned(&changed));
            }
        }
        Ok(plan)
    }
}

/// Waits until the campaign may start, without holding the database meanwhile; none where somebody
/// asked us to stop.
async fn wait_for_start(
    campaign: &str,
    schedule: &Schedule,
    mut store: Arc<dyn Store>,
    global: &Global,
    world: &World,
    stop: &Stop,
) -> Result<Option<(Arc<dyn Store>, Slot)>, Failure> {
    let clock = world.clock.as_ref();
    loop {
        let start = schedule::start_of(campaign, schedule, store.as_ref(), clock.wall()).await?;
        if let Start::Now(slot) = start {
            return Ok(Some((store, slot)));
        }
        store.close().await?;
        drop(store);
        if !start.wait(clock, stop).await {
            return Ok(None);
        }
        let Some(free) = schedule::open_when_free(global, clock, stop).await? else {
            return Ok(None);
        };
        store = free;
    }
}

/// Shows the plan and asks whether to go on.
fn ask(plan: &Plan, json: bool) -> Result<(), Failure> {
    let text = plan.text();
    if json {
        output::tell(&text);
    } else {
        output::say(&text);
    }
    let question = match plan.again() {
        None => "Place these callouts now?".to_owned(),
        Some(again) => format!(
            "This list was {}. Place these callouts now, again?",
            again.text()
        ),
    };
    match output::ask(&question) {
        Some(true) => Ok(()),
        Some(false) => Err(Failure::usage("nothing was dialled")),
        None => Err(Failure::usage(
            "nobody is there to be asked, so nothing was dialled: say --yes",
        )),
    }
}

/// Why a run did not begin.
pub(super) enum NotBegun {
    /// Another process was quicker: its occurrence is taken, or another run of the campaign goes on.
    Taken(Failure),
    /// Something else.
    Failure(Failure),
}

impl From<StoreError> for NotBegun {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::OccurrenceTaken { .. } => Self::Taken(error.into()),
            _ => Self::Failure(error.into()),
        }
    }
}

impl From<NotBegun> for Failure {
    fn from(why: NotBegun) -> Self {
        match why {
            NotBegun::Taken(failure) | NotBegun::Failure(failure) => failure,
        }
    }
}

/// Writes a run down and imports its list. Where that cannot be done, the run is forgotten.
pub(super) async fn begin<'a>(
    store: Arc<dyn Store>,
    campaign: &Campaign,
    client: Client,
    mut new: NewRun,
    planned: Option<&Fingerprint>,
    world: &World,
) -> Result<Session<'a>, NotBegun> {
    let calls_per_second = rate(campaign).map_err(NotBegun::Failure)?;
    refuse_second_run(store.as_ref(), campaign)
        .await
        .map_err(NotBegun::Taken)?;
    let lists = store.suppressions().await?;
    let only_of = new.planned.only_of.as_ref().map(RunId::as_str);
    let only = again::not_reached_by(store.as_ref(), only_of)
        .await
        .map_err(NotBegun::Failure)?;
    let asks_for_prices = campaign.spend.as_ref().is_some_and(|s| s.rates.is_none());
    new.spend.clone_from(&campaign.spend);
    if planned.is_some() || asks_for_prices {
        let looking = Looking {
            campaign,
            client: &client,
            store: store.as_ref(),
            world,
        };
        let plan = looking.priced(&lists, only.as_ref(), planned).await;
        let plan = plan.map_err(NotBegun::Failure)?;
        new.spend = plan.spend_for_run().map_err(NotBegun::Failure)?;
        if let Some(planned) = planned {
            new.planned.hash = Some(planned.to_string());
            new.planned.list_sha256 = Some(plan.list_sha256().to_owned());
        }
    }
    // Whoever finds the run finds its engine at work as well.
    store.claim(&new.id)?;
    store.create_run(&new).await?;
    let terms = Terms {
        lists,
        now: new.created_at,
        spend: new.spend.as_ref(),
        only,
        planned: new.planned.list_sha256.as_deref(),
    };
    let imported = import::import(store.as_ref(), &new.id, campaign, terms).await;
    let (list, script) = match imported {
        Ok(imported) => imported,
        Err(failure) => {
            store.forget_planned(&new.id).await?;
            return Err(NotBegun::Failure(failure));
        }
    };
    output::tell(&format!(
        "run {}: {} rows, {} to call, {} invalid, {} duplicates{}{}",
        new.id,
        grouped(list.rows),
        grouped(list.valid),
        grouped(list.invalid),
        grouped(list.duplicates),
        left_out(&list, new.planned.only_of.as_ref()),
        suppress::and_suppressed(",", list.suppressed)
    ));
    Ok(Session {
        store,
        platform: Arc::new(client),
        time: Time::Live(Arc::clone(&world.clock)),
        script,
        at_the_dial: None,
        kind: campaign.recipients.destination_kind,
        run: new.id,
        predecessor: Predecessor::Nobody,
        pace: Pace {
            calls_per_second,
            concurrent_calls: campaign.pacing.concurrent_calls,
        },
        rules: session::rules(campaign, new.created_at),
        spend: new.spend,
        rows: list.rows,
        done: list.rows - list.valid,
        output: None,
        json: false,
    })
}

/// How many of the duplicates are left out for what an earlier run did, to go behind their count.
fn left_out(list: &ListSummary, only_of: Option<&RunId>) -> String {
    only_of.map_or(String::new(), |run| {
        format!(
            " ({} of them left out: not among those whom run {run} did not reach)",
            grouped(list.left_out)
        )
    })
}

/// A run needs a rate that a person decided on.
pub(super) fn rate(campaign: &Campaign) -> Result<f64, Failure> {
    campaign.pacing.calls_per_second.ok_or_else(|| {
        Faults::from(Fault::new(
            campaign.path(),
            (1, 1),
            "`run` needs `calls_per_second` in `[pacing]`",
            "the platform publishes no limit, so a person decides: ask Sinch for your account's, \
             or begin with 1",
        ))
        .into()
    })
}

/// The record of a run that begins.
pub(super) fn new_run(
    campaign: &Campaign,
    world: &mut World,
    platform: String,
    rehearsal: bool,
) -> NewRun {
    NewRun {
        id: world.entropy.run_id(),
        campaign: campaign.name.clone(),
        definition: campaign.source().to_owned(),
        definition_path: absolute(campaign.path()),
        blackout_file: campaign.blackout_file.clone(),
        rehearsal,
        platform,
        created_at: world.clock.wall(),
        scheduled_for: None,
        expires_at: None,
        spend: None,
        planned: Planned::default(),
    }
}

fn absolute(path: &Path) -> std::path::PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

async fn refuse_second_run(store: &dyn Store, campaign: &Campaign) -> Result<(), Failure> {
    let runs = runs::of_campaigns(store).await?;
    let same = |run: &&Run| run.campaign == campaign.name && run.state.unfinished();
    match runs.iter().find(same) {
        Some(run) => Err(Failure::usage(format!(
            "run {} of {} is not finished ({}): go on with `callout resume {}`, or end it with \
             `callout cancel {}`",
            run.id, run.campaign, run.state, run.id, run.id
        ))),
        None => Ok(()),
    }
}
