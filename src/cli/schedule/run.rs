//! `callout schedule run`: waits for each start of a campaign and runs it, until somebody stops it.
//!
//! The database is open only while something is written or a run goes on, so that `resume`, `status`
//! and other campaigns can use it meanwhile. What is to be done is decided anew each time, from the
//! time and the database alone: a restart, or a second scheduler, comes to the same conclusion.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use jiff::{Timestamp, Zoned};

use super::wait::{Slot, Waited, until};
use super::{away, local, words};
use crate::campaign::Campaign;
use crate::cli::args::{Global, ScheduleRunArgs};
use crate::cli::exit::{Exit, Failure};
use crate::cli::stop::Stop;
use crate::cli::{World, clock, database, latest, output, run as run_command, settings};
use crate::domain::{Missed, Occurrence, Past, Schedule, Skip, SkipReason, Turn};
use crate::store::{self, Access, StoreError};

/// Why a start waits while the clock shows an earlier time than the database has seen.
const SET_BACK: &str = "this machine's clock was set back meanwhile, so nobody is dialled: set it \
                        right or, where it is right now, begin again with --clock-is-right";

/// What the scheduler works with.
struct Scheduler<'a> {
    file: Watched,
    global: &'a Global,
    world: World,
    stop: Stop,
    /// What was told last, so that it is not told each second.
    told: String,
}

/// The campaign file, and how it was when it was read.
struct Watched {
    path: PathBuf,
    stamp: Option<(SystemTime, u64)>,
    /// The campaign as it was last without faults.
    campaign: Campaign,
    schedule: Schedule,
}

/// What came of a start.
enum Started {
    /// A run, which ended so.
    Ran(Exit),
    /// The campaign was at fault: recorded.
    AtFault,
    /// It must be decided anew.
    Again,
}

pub(super) async fn run(
    args: &ScheduleRunArgs,
    global: &Global,
    mut world: World,
) -> Result<Exit, Failure> {
    let file = Watched::load(&args.file)?;
    // What would stop every run is said before anything is waited for.
    run_command::rate(&file.campaign)?;
    settings::client(global, &world.clock)?;
    database::may_dial(global, &args.file, Some("this command never asks"))?;
    make_database(args, global, &mut world).await?;
    output::tell(&database::line(&global.db));
    let stop = Stop::listen()?;
    let told = String::new();
    let mut scheduler = Scheduler {
        file,
        global,
        world,
        stop,
        told,
    };
    let mut exit = Exit::Done;
    while !scheduler.stop.is_asked() {
        scheduler.file.refresh()?;
        let now = scheduler.world.clock.wall();
        let past = scheduler.past(now).await?;
        let due = match scheduler.file.schedule.turn(now, &past) {
            Turn::Over => {
                output::tell(&format!("{} has no further start", args.file.display()));
                return Ok(exit);
            }
            Turn::Wait(next) => {
                scheduler.wait(&next, &past, now).await;
                continue;
            }
            Turn::Due(due) => due,
            Turn::Missed(missed) => {
                scheduler.record(&missed, now).await?;
                let Some(due) = missed.run else { continue };
                due
            }
        };
        match Box::pin(scheduler.start(&due)).await? {
            Started::Ran(ended) => {
                exit = ended;
                if args.once {
                    return Ok(exit);
                }
            }
            Started::AtFault if args.once => return Ok(Exit::Usage),
            Started::AtFault | Started::Again => {}
        }
    }
    Ok(exit)
}

/// Makes the database where there is none, so that what is skipped can be recorded. One that lacks what
/// was done is refused before anything is waited for.
async fn make_database(
    args: &ScheduleRunArgs,
    global: &Global,
    world: &mut World,
) -> Result<(), Failure> {
    match latest::open(global, Access::Engine).await {
        Ok(store) => {
            latest::be_sure(store.as_ref(), args.accept, world).await?;
            let right = args.clock.clock_is_right;
            clock::refuse_set_back(store.as_ref(), world.clock.as_ref(), right).await?;
            Ok(store.close().await?)
        }
        Err(StoreError::InUse(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

impl Scheduler<'_> {
    async fn past(&self, now: Timestamp) -> Result<Past, Failure> {
        let store = store::open(&self.global.db, Access::Beside, None).await?;
        let past = store.past(&self.file.campaign.name, now).await?;
        store.close().await?;
        Ok(past)
    }

    /// Waits for the next start, or until the file changes.
    async fn wait(&mut self, next: &Occurrence, past: &Past, now: Timestamp) {
        let at = next.at.timestamp();
        let remark = next.remark.map_or(String::new(), |r| format!(" ({r})"));
        let mut told = format!(
            "{}: next start {}{remark}, here {}, in {}",
            self.file.campaign.name,
            words(&next.at),
            local(&next.at),
            away(at, now)
        );
        if let Some(busy) = past.busy.as_ref().filter(|busy| busy.until.is_none()) {
            told = format!(
                "{told}\nrun {run} is not finished, and until it is, starts are skipped: callout \
                 resume {run}, or callout cancel {run}",
                run = busy.run
            );
        }
        self.tell(told);
        let clock = Arc::clone(&self.world.clock);
        let waited = until(at, clock.as_ref(), &self.stop, || self.file.has_changed()).await;
        if waited == Waited::Stopped {
            output::tell("stopped: nothing goes on, nothing more is started");
        }
    }

    fn tell(&mut self, words: String) {
        if self.told != words {
            output::tell(&words);
            self.told = words;
        }
    }

    async fn record(&self, missed: &Missed, now: Timestamp) -> Result<(), Failure> {
        if missed.skipped.is_empty() {
            return Ok(());
        }
        let store = store::open(&self.global.db, Access::Beside, None).await?;
        let name = &self.file.campaign.name;
        store.skip(name, &missed.skipped, now).await?;
        store.close().await?;
        let many = missed.skipped.len();
        if let [.., last] = missed.skipped.as_slice() {
            let at = words(&self.in_zone(last.at));
            let others = match (many, missed.more) {
                (1, _) => String::new(),
                (_, false) => format!(", and {} before it", many - 1),
                (_, true) => format!(", and more than {} before it", many - 1),
            };
            output::tell(&format!("{name}: skipped {at}{others}: {}", last.why));
        }
        Ok(())
    }

    fn in_zone(&self, at: Timestamp) -> Zoned {
        at.to_zoned(self.file.schedule.zone().clone())
    }

    /// Starts a run for an occurrence, with the file and the list as they are now.
    async fn start(&mut self, due: &Occurrence) -> Result<Started, Failure> {
        let at = due.at.timestamp();
        let campaign = match Campaign::load(&self.file.path) {
            Ok(campaign) => campaign,
            Err(faults) => return self.fault(at, faults.into()).await,
        };
        if campaign.name != self.file.campaign.name
            || campaign.schedule.as_ref() != Some(&self.file.schedule)
        {
            self.file.stamp = None;
            return Ok(Started::Again);
        }
        if let Err(failure) = run_command::rate(&campaign) {
            return self.fault(at, failure).await;
        }
        let store = match latest::open(self.global, Access::Engine).await {
            Ok(store) => {
                store.compare().await?;
                store
            }
            Err(error @ StoreError::InUse(_)) => {
                return Ok(self.again_soon(due, &error.to_string()).await);
            }
            Err(error) => return Err(error.into()),
        };
        let clock = Arc::clone(&self.world.clock);
        if clock::refuse_set_back(store.as_ref(), clock.as_ref(), false)
            .await
            .is_err()
        {
            store.close().await?;
            return Ok(self.again_soon(due, SET_BACK).await);
        }
        let client = settings::client(self.global, &self.world.clock)?;
        let mut new = run_command::new_run(&campaign, &mut self.world, client.platform(), false);
        Slot::of(&self.file.schedule, at).assign(&mut new);
        output::tell(&format!(
            "{}: starting for {}",
            campaign.name,
            words(&due.at)
        ));
        let results = PathBuf::from(format!(
            "{}-{}.csv",
            campaign.name,
            due.at.strftime("%Y-%m-%dT%H%M%S")
        ));
        let store_of_run = Arc::clone(&store);
        let begun =
            run_command::begin(store_of_run, &campaign, client, new, None, &self.world).await;
        let mut session = match begun {
            Ok(session) => session,
            Err(run_command::NotBegun::Taken(_)) => return Ok(Started::Again),
            Err(run_command::NotBegun::Failure(failure @ Failure::Failed(_))) => {
                return Err(failure);
            }
            Err(run_command::NotBegun::Failure(failure)) => {
                store.close().await?;
                drop(store);
                return self.fault(at, failure).await;
            }
        };
        session.output = Some((&results, false));
        let world = World {
            clock: Arc::clone(&self.world.clock),
            entropy: self.world.entropy.split(),
        };
        Ok(Started::Ran(session.work_until(world, &self.stop).await?))
    }

    /// Nothing can start just now: says why, and waits a moment.
    async fn again_soon(&mut self, due: &Occurrence, why: &str) -> Started {
        self.tell(format!("{} is due: {why}", words(&due.at)));
        let clock = self.world.clock.as_ref();
        let soon = clock.wall() + jiff::SignedDuration::from_secs(1);
        until(soon, clock, &self.stop, || false).await;
        Started::Again
    }

    /// Tells and records that the campaign was at fault when it was to start.
    async fn fault(&self, at: Timestamp, failure: Failure) -> Result<Started, Failure> {
        let said = failure.to_string();
        let first = said.lines().next().unwrap_or_default();
        let skip = Skip {
            at,
            why: SkipReason::Fault(first.to_owned()),
        };
        let store = store::open(&self.global.db, Access::Beside, None).await?;
        let name = &self.file.campaign.name;
        store.skip(name, &[skip], self.world.clock.wall()).await?;
        store.close().await?;
        output::tell(&format!(
            "{said}\n{name}: skipped {}: the campaign was at fault",
            words(&self.in_zone(at))
        ));
        Ok(Started::AtFault)
    }
}

impl Watched {
    fn load(path: &Path) -> Result<Self, Failure> {
        let stamp = stamp(path);
        let campaign = Campaign::load(path)?;
        let schedule = super::of(&campaign)?.clone();
        Ok(Self {
            path: path.to_owned(),
            stamp,
            campaign,
            schedule,
        })
    }

    fn has_changed(&self) -> bool {
        stamp(&self.path) != self.stamp
    }

    /// Reads the file again if it has changed. While it has faults, what it said before holds.
    fn refresh(&mut self) -> Result<(), Failure> {
        if !self.has_changed() {
            return Ok(());
        }
        let stamp = stamp(&self.path);
        match Campaign::load(&self.path) {
            Ok(campaign) => {
                self.schedule = super::of(&campaign)?.clone();
                self.campaign = campaign;
            }
            Err(faults) => output::tell(&format!(
                "{faults}\nthe schedule that it had before holds; a start that finds it so is skipped"
            )),
        }
        self.stamp = stamp;
        Ok(())
    }
}

fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let about = std::fs::metadata(path).ok()?;
    Some((about.modified().ok()?, about.len()))
}
