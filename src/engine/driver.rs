//! The driver: carries the core's commands out, and tells it what came of them.
//!
//! One loop owns the core. POSTs, GETs and commits run in tasks of their own that nobody cancels and
//! that report through one channel. One commit is under way at a time; what is recorded meanwhile
//! waits together for the next, which is how a sync serves many attempts.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tracing::{debug, error, info, warn};

use super::core::{Command, Core, End, Event, Now, Pace, Rules};
use super::platform::Platform;
use super::progress::Progress;
#[cfg(debug_assertions)]
use super::sabotage::Sabotage;
use super::timeline::{Kind, Timeline};
use crate::clock::{Clock, VirtualClock};
use crate::domain::{
    AttemptKey, Budget, Callout, PauseReason, RecipientId, RunId, Spend, SpendAccount,
    Suppressions, Verdict,
};
use crate::entropy::Entropy;
use crate::store::{Change, Due, DuePage, Recovery, RunEnd, Store, StoreError, Telling, Wish};

/// How often the wishes of other terminals are read, and what they suppressed.
const WISHES_EVERY: Duration = Duration::from_secs(1);
/// How often progress is told.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);
/// How often in virtual time, in which days go by in seconds.
const PROGRESS_EVERY_VIRTUAL: Duration = Duration::from_mins(10);
/// Below this rate a group waits a moment for more, which costs a third of the syncs and wake-ups;
/// above it groups fill by themselves.
const GATHER_BELOW_RATE: f64 = 2_000.0;
/// How long a group gathers; well below the lead of an intent before its POST.
const GATHER: Duration = Duration::from_millis(5);
/// How long a group without an intent gathers in virtual time, where nobody waits for it: a commit costs
/// as much there as anywhere.
const GATHER_VIRTUAL: Duration = Duration::from_secs(5);
/// Open calls are read back in pages of this size.
const OPEN_PAGE: u32 = 2_000;

/// Makes the callout for a recipient from the run's own definition. An error is our fault.
pub type Render = Arc<dyn Fn(&Due) -> Result<Callout, String> + Send + Sync>;

/// What an engine works with.
pub struct Engine {
    /// Where the run is kept; opened as the engine.
    pub store: Arc<dyn Store>,
    /// Where callouts go.
    pub platform: Arc<dyn Platform>,
    /// How a callout is made.
    pub render: Render,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where time is virtual: the same clock, to be moved on.
    pub virtual_time: Option<Arc<VirtualClock>>,
    /// The run.
    pub run: RunId,
    /// How fast.
    pub pace: Pace,
    /// Who may be called when.
    pub rules: Rules,
    /// What it may cost; none: no cap of ours.
    pub spend: Option<Spend>,
    /// A bug that a test planted.
    #[cfg(debug_assertions)]
    pub sabotage: Option<Sabotage>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("run", &self.run)
            .field("pace", &self.pace)
            .finish_non_exhaustive()
    }
}

/// A word from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT or SIGTERM: take nothing new, let requests in flight finish.
    Stop,
}

/// How an engine's work ended.
#[derive(Debug)]
pub struct Ending {
    /// How.
    pub end: End,
    /// What the start found.
    pub recovery: Recovery,
}

/// What the tasks report.
enum Report {
    Core(Event),
    Group {
        result: Result<(), StoreError>,
        changes: Vec<Change>,
    },
    Page(Result<DuePage, StoreError>),
    Wish(Option<Wish>),
    /// Whether the database is still the one that was opened.
    Watched(Result<(), StoreError>),
    /// The suppression lists, where they have changed.
    Suppressions(Result<Option<Suppressions>, StoreError>),
}

/// One engine at work.
pub struct Driver {
    engine: Engine,
    core: Core,
    /// The suppression lists as they were a second ago or so.
    suppressions: Suppressions,
    reading_suppressions: bool,
    timeline: Timeline<Report>,
    /// Changes that wait for the next group.
    group: Vec<Change>,
    /// When the first of them came.
    group_since: Duration,
    committing: bool,
    /// Once the store has failed: what it could not take.
    aside: Option<Vec<Change>>,
    told: Option<Telling>,
    finish: Option<End>,
    /// Until the core was told: from when on nobody else is called.
    expires_at: Option<Timestamp>,
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driver")
            .field("engine", &self.engine)
            .finish_non_exhaustive()
    }
}

impl Driver {
    /// Recovers the run and works on it until it ends. Errors are those of the store before
    /// anything was dialled, and after everything was.
    pub async fn run(
        engine: Engine,
        entropy: Entropy,
        signals: mpsc::Receiver<Signal>,
        progress: watch::Sender<Progress>,
    ) -> Result<Ending, StoreError> {
        let now = engine.now();
        engine.store.compare().await?;
        engine.store.claim(&engine.run)?;
        let recovery = engine.store.recover(&engine.run, now.wall).await?;
        #[cfg(debug_assertions)]
        engine.plant_redial().await?;
        let suppressions = engine.store.suppressions().await?;
        if recovery.became_uncertain > 0 {
            warn!(
                run.id = %engine.run,
                uncertain = recovery.became_uncertain,
                "{} callouts were under way when the last engine stopped: uncertain, not redialled",
                recovery.became_uncertain
            );
        }
        // Left while the list was imported: it counts before anybody is dialled.
        let wish = engine.store.wished(&engine.run).await?;
        engine
            .store
            .set_run(&engine.run, &RunEnd::Running, now.wall)
            .await?;
        let rules = engine.rules.clone();
        let expires_at = engine.expires_at().await?;
        let budget = engine.budget(now.wall).await?;
        let core = Core::new(engine.pace, rules, recovery.next_key, entropy, now).within(budget);
        let timeline = match &engine.virtual_time {
            Some(clock) => Timeline::of(Arc::clone(clock)),
            None => Timeline::live(Arc::clone(&engine.clock)),
        };
        let mut driver = Self {
            engine,
            core,
            suppressions,
            reading_suppressions: false,
            timeline,
            group: Vec::new(),
            group_since: Duration::ZERO,
            committing: false,
            aside: None,
            told: None,
            finish: None,
            expires_at,
        };
        driver.step(Event::Latest(recovery.latest.clone()));
        driver.step(Event::Uncertain(recovery.uncertain_since.clone()));
        driver.load_open_calls().await?;
        driver.take(Report::Wish(wish));
        let end = driver.work(signals, &progress).await;
        let end = driver.end(end).await?;
        Ok(Ending { end, recovery })
    }

    async fn load_open_calls(&mut self) -> Result<(), StoreError> {
        let mut after = RecipientId(0);
        loop {
            let run = &self.engine.run;
            let calls = self.engine.store.open_calls(run, after, OPEN_PAGE).await?;
            let Some(last) = calls.last() else {
                return Ok(());
            };
            after = last.recipient;
            self.step(Event::Opened(calls));
        }
    }

    /// The loop.
    async fn work(
        &mut self,
        mut signals: mpsc::Receiver<Signal>,
        progress: &watch::Sender<Progress>,
    ) -> End {
        let (mut wishes_at, mut progress_at) = (Duration::ZERO, Duration::ZERO);
        let mut listening = true;
        let progress_every = if self.timeline.is_live() {
            PROGRESS_EVERY
        } else {
            PROGRESS_EVERY_VIRTUAL
        };
        self.step(Event::Tick);
        loop {
            let now = self.engine.clock.monotonic();
            if now >= progress_at {
                progress_at = now + progress_every;
                progress.send_replace(self.core.progress(self.engine.now()));
            }
            if now >= wishes_at && self.timeline.is_live() {
                wishes_at = now + WISHES_EVERY;
                self.read_wishes();
            }
            self.commit(now);
            self.flush_aside();
            if let Some(end) = self.finish.take() {
                if self.committing || !self.group.is_empty() && self.aside.is_none() {
                    self.finish = Some(end);
                } else {
                    progress.send_replace(self.core.progress(self.engine.now()));
                    return end;
                }
            }
            let mut wake = self.wake_at(now).min(progress_at);
            if self.timeline.is_live() {
                wake = wake.min(wishes_at);
            }
            tokio::select! {
                biased;
                signal = signals.recv(), if listening => match signal {
                    Some(Signal::Stop) => self.step(Event::Stop(PauseReason::Signal)),
                    None => listening = false,
                },
                report = self.timeline.next(wake) => match report {
                    Some(report) => {
                        self.take(report);
                        // Whatever else is there already shares the next group.
                        while let Some(report) = self.timeline.ready() {
                            self.take(report);
                        }
                    }
                    None => self.step(Event::Tick),
                },
            }
        }
    }

    /// When something is to be done though nothing happens.
    fn wake_at(&self, now: Duration) -> Duration {
        let core = self.core.wake_at(self.engine.now());
        let group =
            (!self.committing && !self.group.is_empty()).then(|| self.group_since + self.gather());
        [core, group]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(now + WISHES_EVERY)
    }

    fn gather(&self) -> Duration {
        let waited_for = |change: &Change| matches!(change, Change::Intend { .. });
        if !self.timeline.is_live() && self.finish.is_none() && !self.group.iter().any(waited_for) {
            return GATHER_VIRTUAL;
        }
        let slow = self.engine.pace.calls_per_second < GATHER_BELOW_RATE;
        if slow && self.finish.is_none() {
            GATHER
        } else {
            Duration::ZERO
        }
    }

    fn take(&mut self, report: Report) {
        match report {
            Report::Core(event) => self.step(event),
            Report::Group {
                result: Ok(()),
                changes,
            } => {
                self.committing = false;
                let dues = changes.iter().filter_map(|change| match change {
                    Change::Due { at, .. } => Some(*at),
                    _ => None,
                });
                self.step(Event::Committed {
                    intents: intents(&changes),
                    dues: dues.clone().count(),
                    next_due: dues.min(),
                    moved: changes.iter().filter_map(Change::moved).collect(),
                });
            }
            Report::Group {
                result: Err(error),
                changes,
            } => {
                self.committing = false;
                self.store_failed(&error, changes);
            }
            Report::Page(Ok(page)) => self.step(Event::Page(page)),
            Report::Page(Err(error)) => {
                self.store_failed(&error, Vec::new());
                // The core still waits for the page that it asked for.
                self.step(Event::Page(DuePage::default()));
            }
            Report::Wish(Some(Wish::Pause)) => self.step(Event::Stop(PauseReason::Asked)),
            Report::Wish(Some(Wish::Cancel)) => self.step(Event::Cancel),
            Report::Wish(None) | Report::Watched(Ok(())) => {}
            Report::Watched(Err(error)) => self.store_failed(&error, Vec::new()),
            Report::Suppressions(read) => {
                self.reading_suppressions = false;
                match read {
                    Ok(Some(changed)) => self.suppressions = changed,
                    Ok(None) => {}
                    // Who must not be called is not known any more, so nobody is.
                    Err(error) => self.store_failed(&error, Vec::new()),
                }
            }
        }
    }

    /// The core's turn: one event, then its commands. Time is looked at before, so that no callout
    /// leaves after the run's end, however the clock came to be there.
    fn step(&mut self, event: Event) {
        let wall = self.engine.clock.wall();
        if self.expires_at.is_some_and(|end| wall > end) {
            self.expires_at = None;
            self.step(Event::Expired);
        }
        let commands = self.core.step(event, self.engine.now());
        for command in commands {
            self.carry_out(command);
        }
    }

    fn carry_out(&mut self, command: Command) {
        match command {
            Command::Record(change) => self.record(change),
            Command::Post { key, id, due } => {
                let now = self.engine.clock.wall();
                if let Some(why) = self.suppressions.contains(&due.endpoint, now) {
                    let event = Event::Answered(key, Verdict::suppressed(why));
                    self.timeline.report(Report::Core(event));
                    return;
                }
                debug!(run.id = %self.engine.run, attempt.id = %id, "a callout leaves");
                let (platform, render) = (
                    Arc::clone(&self.engine.platform),
                    Arc::clone(&self.engine.render),
                );
                self.timeline.start(Kind::Request, async move {
                    let verdict = match render(&due) {
                        Ok(callout) => platform.post(&callout, id).await,
                        Err(why) => Verdict::no_callout(why),
                    };
                    Report::Core(Event::Answered(key, verdict))
                });
            }
            Command::Get(key, call) => {
                let platform = Arc::clone(&self.engine.platform);
                self.timeline.start(Kind::Request, async move {
                    Report::Core(Event::Observed(key, platform.get(&call).await))
                });
            }
            Command::HangUp(key, call) => {
                let platform = Arc::clone(&self.engine.platform);
                self.timeline.start(Kind::Request, async move {
                    Report::Core(Event::HungUp(key, platform.hang_up(&call).await))
                });
            }
            Command::Fetch(after, limit) => {
                let (store, run) = (Arc::clone(&self.engine.store), self.engine.run.clone());
                let now = self.engine.clock.wall();
                let rule = self.engine.rules.retry.per_number;
                self.timeline.start(Kind::Look, async move {
                    Report::Page(store.due(&run, now, after, limit, rule).await)
                });
            }
            Command::Finish(end) => self.finish = Some(end),
        }
    }

    fn record(&mut self, change: Change) {
        if let Some(aside) = &mut self.aside {
            aside.push(change);
            return;
        }
        if self.group.is_empty() {
            self.group_since = self.engine.clock.monotonic();
        }
        #[cfg(debug_assertions)]
        if self.engine.sabotage == Some(Sabotage::PostBeforeCommit)
            && let Change::Intend { key, .. } = &change
        {
            let event = Event::Committed {
                intents: vec![*key],
                dues: 0,
                next_due: None,
                moved: Vec::new(),
            };
            self.timeline.report(Report::Core(event));
        }
        self.group.push(change);
    }

    /// Starts the next commit, if none is under way and the group has gathered.
    fn commit(&mut self, now: Duration) {
        let gathered = now >= self.group_since + self.gather();
        if self.committing || self.group.is_empty() || self.aside.is_some() || !gathered {
            return;
        }
        self.committing = true;
        let changes = std::mem::take(&mut self.group);
        let (store, run) = (Arc::clone(&self.engine.store), self.engine.run.clone());
        self.timeline.start(Kind::Commit, async move {
            let result = store.commit(&run, &changes).await;
            Report::Group { result, changes }
        });
    }

    /// From here on nothing is dialled and nothing is committed; what comes in is kept aside.
    fn store_failed(&mut self, error: &StoreError, changes: Vec<Change>) {
        let mut aside = self.aside.take().unwrap_or_default();
        // An intent of a failed group was never POSTed: the core proves it not sent.
        aside.extend(
            changes
                .into_iter()
                .filter(|c| !matches!(c, Change::Intend { .. })),
        );
        aside.extend(
            self.group
                .drain(..)
                .filter(|c| !matches!(c, Change::Intend { .. })),
        );
        self.aside = Some(aside);
        self.step(Event::StoreFailed(error.to_string()));
    }

    /// Keeps aside what came in since the store failed, at once: a second signal may follow.
    fn flush_aside(&mut self) {
        let Some(aside) = &mut self.aside else { return };
        if aside.is_empty() {
            return;
        }
        if let Err(error) = self.engine.store.keep_aside(&self.engine.run, aside) {
            error!(run.id = %self.engine.run, "{error}: what came in last stays uncertain");
        }
        aside.clear();
    }

    /// Tells other terminals how things stand, and reads what they wish.
    fn read_wishes(&mut self) {
        let (store, run) = (Arc::clone(&self.engine.store), self.engine.run.clone());
        let progress = self.core.progress(self.engine.now());
        let telling = Telling {
            why: progress.why_slow.into_owned(),
            rate: progress.rate,
            in_flight: progress.in_flight,
            uncertain_held: progress.uncertain_held,
            slowed_down: progress.slowed_down,
        };
        if self.aside.is_none() && self.told.as_ref() != Some(&telling) {
            self.told = Some(telling.clone());
            let (store, run) = (Arc::clone(&store), run.clone());
            // Telling is a courtesy: a store that fails says so at the next commit.
            tokio::spawn(async move { drop(store.tell(&run, &telling).await) });
        }
        let (wishes, revision) = (Arc::clone(&store), self.suppressions.revision());
        self.timeline.start(Kind::Look, async move {
            Report::Wish(wishes.wished(&run).await.unwrap_or(None))
        });
        if self.aside.is_none() {
            let watched = Arc::clone(&store);
            self.timeline.start(
                Kind::Look,
                async move { Report::Watched(watched.watch().await) },
            );
        }
        if !self.reading_suppressions && self.aside.is_none() {
            self.reading_suppressions = true;
            self.timeline.start(Kind::Look, async move {
                Report::Suppressions(store.suppressions_since(revision).await)
            });
        }
    }

    /// Writes down how the run ended.
    async fn end(&self, end: End) -> Result<End, StoreError> {
        let Engine {
            store, run, clock, ..
        } = &self.engine;
        let now = clock.wall();
        match &end {
            End::Completed => store.set_run(run, &RunEnd::Completed, now).await?,
            End::Paused(why) => {
                store
                    .set_run(run, &RunEnd::Paused(why.clone()), now)
                    .await?;
                if *why == PauseReason::Asked {
                    store.wish(run, None).await?;
                }
            }
            End::Cancelled => {
                let cancelled = store.cancel_pending(run).await?;
                store.set_run(run, &RunEnd::Cancelled, now).await?;
                store.wish(run, None).await?;
                info!(run.id = %run, cancelled, "{cancelled} recipients are called no more");
            }
            End::Expired => {
                let expired = store.expire_pending(run).await?;
                store.set_run(run, &RunEnd::Expired, now).await?;
                store.wish(run, None).await?;
                info!(run.id = %run, expired, "{expired} recipients are called no more");
            }
            // What could not be committed is aside already.
            End::Failed(_) => {}
        }
        Ok(end)
    }
}

impl Engine {
    fn now(&self) -> Now {
        Now {
            wall: self.clock.wall(),
            mono: self.clock.monotonic(),
        }
    }

    /// From when on the run calls nobody any more.
    async fn expires_at(&self) -> Result<Option<Timestamp>, StoreError> {
        let mut runs = self.store.runs(self.run.as_str()).await?;
        Ok(runs.pop().and_then(|run| run.expires_at))
    }

    /// What may still be spent, by what the database says is billed and held.
    async fn budget(&self, now: Timestamp) -> Result<Option<Budget>, StoreError> {
        let Some(spend) = &self.spend else {
            return Ok(None);
        };
        let charges = self.store.charges(&self.run).await?;
        let committed = SpendAccount::of(spend, &charges).committed();
        let mut days = Vec::new();
        let wanted = Budget::days_that_matter(spend, now);
        if !wanted.is_empty()
            && let Some(run) = self.store.runs(self.run.as_str()).await?.pop()
        {
            let today = spend.zone().to_datetime(now).date();
            let mut end = now;
            for (day, from, until) in wanted {
                let within = self.store.charges_within(&run.campaign, from, until);
                let mut charges = within.await?;
                if day == today {
                    charges.extend(
                        self.store
                            .charges_ahead(&run.campaign, (from, until))
                            .await?,
                    );
                }
                days.push((day, SpendAccount::of(spend, &charges).committed()));
                end = until;
            }
            // Days of a clock that was ahead: they stay counted when they come.
            while let Some(at) = self.store.intended_from(&run.campaign, end).await?
                && let Some((day, from, until)) = Budget::day_of(spend, at)
            {
                let charges = self
                    .store
                    .charges_within(&run.campaign, from, until)
                    .await?;
                days.push((day, SpendAccount::of(spend, &charges).committed()));
                end = until;
            }
        }
        Ok(Some(Budget::new(spend.clone(), committed, days, now)))
    }

    #[cfg(debug_assertions)]
    async fn plant_redial(&self) -> Result<(), StoreError> {
        if self.sabotage != Some(Sabotage::RedialOnRestart) {
            return Ok(());
        }
        let start = (RecipientId(0), AttemptKey(0));
        for unsettled in self.store.unsettled(&self.run, start, u32::MAX).await? {
            use crate::domain::Stage;
            if unsettled.attempt.stage == Stage::Uncertain {
                let settlement = crate::store::Settlement {
                    attempt: unsettled.attempt.id,
                    call: None,
                    called: None,
                    why: "planted bug".into(),
                    who: "sabotage".into(),
                    at: self.clock.wall(),
                    retry: crate::domain::RetryPolicy::default(),
                    chance: 0.0,
                };
                self.store.settle(&self.run, &[settlement]).await?;
            }
        }
        Ok(())
    }
}

fn intents(changes: &[Change]) -> Vec<AttemptKey> {
    let key = |change: &Change| match change {
        Change::Intend { key, .. } => Some(*key),
        _ => None,
    };
    changes.iter().filter_map(key).collect()
}
