//! Waits for each start of a campaign and runs it, until somebody asks to stop.
//!
//! The database is open only while something is written or a run goes on, so that other commands and
//! campaigns can use it meanwhile. What is to be done is decided anew each time, from the time and the
//! database alone: a restart, or a second scheduler, comes to the same conclusion.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::{Timestamp, Zoned};

use super::wait::{Slot, Waited, until};
use crate::app::runs::{Assurances, Ended, NotBegun, rate};
use crate::app::{App, Error, NotYet, Notice, SchedulerNotice, Stop};
use crate::campaign::Campaign;
use crate::domain::{Missed, Occurrence, Past, Schedule, Skip, SkipReason, Turn};
use crate::store::{Access, StoreError};

/// How often a database is looked at that another process makes, and the time between two looks.
const LOOKS_AT_ANOTHER: u32 = 100;
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// What a scheduler came to.
#[derive(Debug)]
pub(crate) enum Turned {
    /// A run ended so.
    Ran(Box<Ended>),
    /// A start was skipped since the campaign was at fault.
    AtFault,
    /// There is no further start, or somebody asked to stop.
    Over,
}

/// What a scheduler works with.
pub(crate) struct Scheduler<'a> {
    app: &'a App,
    file: Watched,
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
    Ran(Box<Ended>),
    /// The campaign was at fault: recorded.
    AtFault,
    /// It must be decided anew.
    Again,
}

impl App {
    /// A scheduler of the campaign in a file. What would stop every run is said before anything is waited
    /// for.
    pub(crate) fn scheduler(&self, file: &Path, stop: Stop) -> Result<Scheduler<'_>, Error> {
        let file = Watched::load(file)?;
        rate(&file.campaign)?;
        self.client()?;
        Ok(Scheduler {
            app: self,
            file,
            stop,
            told: String::new(),
        })
    }

    /// Makes the database where there is none, so that what is skipped can be recorded. One that lacks
    /// what was done is refused.
    pub(crate) async fn make_database(&self, assured: Assurances) -> Result<(), Error> {
        match self.ready_to_dial(Access::Engine, assured).await {
            Ok(store) => Ok(store.close().await?),
            Err(Error::Store(StoreError::InUse(_))) => self.made_by_another().await,
            Err(error) => Err(error),
        }
    }

    /// Waits until whoever makes the database just now, or brings it up to date, has done so.
    async fn made_by_another(&self) -> Result<(), Error> {
        let mut left = LOOKS_AT_ANOTHER;
        loop {
            match self.open(Access::Beside).await {
                Ok(store) => return Ok(store.close().await?),
                Err(StoreError::InUse(_)) if left > 0 => {
                    left -= 1;
                    tokio::time::sleep(BETWEEN_LOOKS).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Scheduler<'_> {
    /// Waits for what comes next, and does it.
    pub(crate) async fn turn(&mut self) -> Result<Turned, Error> {
        while !self.stop.is_asked() {
            self.file.refresh(self.app)?;
            let now = self.app.clock.wall();
            let past = self.past(now).await?;
            let due = match self.file.schedule.turn(now, &past) {
                Turn::Over => {
                    self.notice(SchedulerNotice::Over(self.file.path.clone()));
                    return Ok(Turned::Over);
                }
                Turn::Wait(next) => {
                    self.wait(&next, &past, now).await;
                    continue;
                }
                Turn::Due(due) => due,
                Turn::Missed(missed) => {
                    self.record(&missed, now).await?;
                    let Some(due) = missed.run else { continue };
                    due
                }
            };
            match Box::pin(self.start(&due)).await? {
                Started::Ran(ended) => return Ok(Turned::Ran(ended)),
                Started::AtFault => return Ok(Turned::AtFault),
                Started::Again => {}
            }
        }
        Ok(Turned::Over)
    }

    fn notice(&self, notice: SchedulerNotice) {
        self.app.tell(Notice::Scheduler(notice));
    }

    /// Tells what was not told last.
    fn tell_once(&mut self, told: String, notice: SchedulerNotice) {
        if self.told != told {
            self.told = told;
            self.notice(notice);
        }
    }

    async fn past(&self, now: Timestamp) -> Result<Past, Error> {
        let store = self.app.open(Access::Beside).await?;
        let past = store
            .occurrences_until(&self.file.campaign.name, now)
            .await?;
        store.close().await?;
        Ok(past)
    }

    /// Waits for the next start, or until the file changes.
    async fn wait(&mut self, next: &Occurrence, past: &Past, now: Timestamp) {
        let busy = past.busy.as_ref().filter(|busy| busy.until.is_none());
        let busy = busy.map(|busy| busy.run.clone());
        let told = format!("{} {busy:?}", next.at);
        let notice = SchedulerNotice::Next {
            campaign: self.file.campaign.name.clone(),
            at: self.app.told(next.at.clone()),
            here: self.app.zone_here().dated(next.at.timestamp()),
            remark: next.remark.map(|remark| remark.to_string()),
            now,
            busy,
        };
        self.tell_once(told, notice);
        let (at, clock) = (next.at.timestamp(), self.app.clock.as_ref());
        let waited = until(at, clock, &self.stop, || self.file.has_changed()).await;
        if waited == Waited::Stopped {
            self.notice(SchedulerNotice::Stopped);
        }
    }

    async fn record(&self, missed: &Missed, now: Timestamp) -> Result<(), Error> {
        if missed.skipped.is_empty() {
            return Ok(());
        }
        let store = self.app.open(Access::Beside).await?;
        let name = &self.file.campaign.name;
        store.record_skips(name, &missed.skipped, now).await?;
        store.close().await?;
        if let Some(last) = missed.skipped.last() {
            self.notice(SchedulerNotice::Skipped {
                campaign: name.clone(),
                at: self.in_zone(last.at),
                before: missed.skipped.len() - 1,
                more: missed.more,
                why: last.why.to_string(),
            });
        }
        Ok(())
    }

    fn in_zone(&self, at: Timestamp) -> Zoned {
        let there = at.to_zoned(self.file.schedule.zone().clone());
        self.app.told(there)
    }

    /// Starts a run for an occurrence, with the file and the list as they are now.
    async fn start(&mut self, due: &Occurrence) -> Result<Started, Error> {
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
        if let Err(error) = rate(&campaign) {
            return self.fault(at, error).await;
        }
        let store = match self.app.open(Access::Engine).await {
            Ok(store) => store,
            Err(error @ StoreError::InUse(_)) => {
                return Ok(self.again_soon(due, NotYet::InUse(error)).await);
            }
            Err(error) => return Err(error.into()),
        };
        store.compare().await?;
        if self
            .app
            .refuse_set_back(store.as_ref(), false)
            .await
            .is_err()
        {
            store.close().await?;
            return Ok(self.again_soon(due, NotYet::SetBack).await);
        }
        let client = self.app.client()?;
        let mut new = self.app.new_run(&campaign, client.platform(), false);
        Slot::of(&self.file.schedule, at).assign(&mut new);
        self.notice(SchedulerNotice::Starting {
            campaign: campaign.name.clone(),
            at: self.app.told(due.at.clone()),
        });
        let results = PathBuf::from(format!(
            "{}-{}.csv",
            campaign.name,
            due.at.strftime("%Y-%m-%dT%H%M%S")
        ));
        let begun = self
            .app
            .begin(Arc::clone(&store), &campaign, client, new, None)
            .await;
        let mut work = match begun {
            Ok(work) => work,
            Err(NotBegun::Taken(_)) => return Ok(Started::Again),
            Err(NotBegun::Error(error)) if !error.is_input() => return Err(error),
            Err(NotBegun::Error(error)) => {
                store.close().await?;
                drop(store);
                return self.fault(at, error).await;
            }
        };
        drop(store);
        work.output = Some((results, false));
        Ok(Started::Ran(Box::new(work.until(&self.stop).await?)))
    }

    /// Nothing can start just now: says why, and waits a moment.
    async fn again_soon(&mut self, due: &Occurrence, why: NotYet) -> Started {
        let at = self.app.told(due.at.clone());
        self.tell_once(format!("{at} {why:?}"), SchedulerNotice::Due { at, why });
        let clock = self.app.clock.as_ref();
        let soon = clock.wall() + jiff::SignedDuration::from_secs(1);
        until(soon, clock, &self.stop, || false).await;
        Started::Again
    }

    /// Tells and records that the campaign was at fault when it was to start.
    async fn fault(&self, at: Timestamp, why: Error) -> Result<Started, Error> {
        let said = why.to_string();
        let first = said.lines().next().unwrap_or_default();
        let skip = Skip {
            at,
            why: SkipReason::Fault(first.to_owned()),
        };
        let store = self.app.open(Access::Beside).await?;
        let name = &self.file.campaign.name;
        store
            .record_skips(name, &[skip], self.app.clock.wall())
            .await?;
        store.close().await?;
        self.notice(SchedulerNotice::AtFault {
            campaign: name.clone(),
            at: self.in_zone(at),
            why,
        });
        Ok(Started::AtFault)
    }
}

impl Watched {
    fn load(path: &Path) -> Result<Self, Error> {
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
    fn refresh(&mut self, app: &App) -> Result<(), Error> {
        if !self.has_changed() {
            return Ok(());
        }
        let stamp = stamp(&self.path);
        match Campaign::load(&self.path) {
            Ok(campaign) => {
                self.schedule = super::of(&campaign)?.clone();
                self.campaign = campaign;
            }
            Err(faults) => app.tell(Notice::Scheduler(SchedulerNotice::FileFaulty(faults))),
        }
        self.stamp = stamp;
        Ok(())
    }
}

fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let about = std::fs::metadata(path).ok()?;
    Some((about.modified().ok()?, about.len()))
}
