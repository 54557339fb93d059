//! The engine at work: carries the core's commands out, and feeds it what came of them.
//!
//! One loop owns the core. POSTs, GETs and commits run in tasks of their own that nobody cancels and
//! that report through one channel. What is recorded is committed in groups (`commits`); what people
//! wish for while it works is read each second (`wishes`).

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tracing::{debug, error, info, warn};

use super::assignment::Assignment;
use super::core::{Command, Core, End, Event};
use super::ear::{Hearing, Page};
use super::group::Group;
use super::progress::Listener;
use super::timeline::{Kind, Timeline};
use crate::domain::{AttemptKey, EventNumber, PauseReason, RecipientId, Suppressions, Verdict};
use crate::entropy::Entropy;
use crate::store::{
    DuePage, EngineStatus, Fact, Observed, OpenCall, Recovery, RunEnd, StoreError, Wish,
};

/// How often the wishes of other terminals are read, and what they suppressed.
const WISHES_EVERY: Duration = Duration::from_secs(1);
/// How often progress is told.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);
/// How often in virtual time, in which days go by in seconds.
const PROGRESS_EVERY_VIRTUAL: Duration = Duration::from_mins(1);
/// Why nobody is dialled whom nobody would answer.
const UNHEARD: &str = "nobody receives the platform's events any more: people who are asked something in a call would \
                       not be answered";
/// Open calls are read back in pages of this size.
const OPEN_PAGE: u32 = 2_000;

/// A word from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT or SIGTERM: take nothing new, let requests in flight finish.
    Stop,
    /// Nobody receives any more what people press in calls: take nothing new.
    NobodyAnswers,
}

/// How an engine's work ended.
#[derive(Debug)]
pub struct Ending {
    /// Why the engine stopped, and in which state it left the run.
    pub end: End,
    /// What the start found.
    pub recovery: Recovery,
}

/// What the tasks report.
pub(super) enum Report {
    Core(Event),
    Group {
        /// Which intents stand.
        result: Result<Vec<AttemptKey>, StoreError>,
        group: Group,
    },
    Page(Result<DuePage, StoreError>),
    /// Events that came.
    Heard(Result<Page, StoreError>),
    /// What became of an event whose attempt is not in hand, and its call where that goes on.
    Observed(
        EventNumber,
        Result<Vec<Observed>, StoreError>,
        Result<Vec<OpenCall>, StoreError>,
    ),
    /// Something is done that nobody waits for.
    Nothing,
    Wish(Option<Wish>),
    /// Whether the database is still the one that was opened.
    Watched(Result<(), StoreError>),
    /// The suppression lists, where they have changed.
    Suppressions(Result<Option<Suppressions>, StoreError>),
}

/// One engine at work.
pub struct Engine {
    pub(super) assignment: Assignment,
    pub(super) core: Core,
    /// The suppression lists as they were a second ago or so.
    pub(super) suppressions: Suppressions,
    pub(super) reading_suppressions: bool,
    /// What the platform tells by itself; none where nobody receives it.
    pub(super) hearing: Option<Hearing>,
    pub(super) timeline: Timeline<Report>,
    /// What waits for the next commit.
    pub(super) group: Group,
    /// When the first of it came.
    pub(super) group_since: Duration,
    pub(super) committing: bool,
    /// Once the store has failed: what it could not take.
    pub(super) aside: Option<Vec<Fact>>,
    pub(super) told: Option<EngineStatus>,
    pub(super) finish: Option<End>,
    /// Until the core was told: from when on nobody else is called.
    expires_at: Option<Timestamp>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("assignment", &self.assignment)
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// Recovers the run and works on it until it ends. Errors are those of the store before
    /// anything was dialled, and after everything was.
    pub async fn run(
        assignment: Assignment,
        mut entropy: Entropy,
        signals: mpsc::Receiver<Signal>,
        progress: Listener,
    ) -> Result<Ending, StoreError> {
        let now = assignment.time.now();
        let (store, run) = (Arc::clone(&assignment.store), &assignment.run);
        store.compare().await?;
        store.take_run(run).await?;
        let recovery = store.recover(run, now.wall).await?;
        let none = Suppressions::default();
        let suppressions = store.suppressions_since(none.revision()).await?;
        if recovery.became_uncertain > 0 {
            warn!(
                run.id = %run,
                uncertain = recovery.became_uncertain,
                "{} callouts were under way when the last engine stopped: uncertain, not redialled",
                recovery.became_uncertain
            );
        }
        let begun = store.begin_work(run, now.wall).await?;
        let budget = assignment.budget(&begun.campaign, now.wall).await?;
        let incoming = assignment.incoming.clone();
        let hearing = incoming.map(|incoming| Hearing::of(incoming, entropy.split()));
        let timeline = Timeline::of(&assignment.time);
        let core = assignment
            .core(recovery.next_key, entropy, now)
            .within(budget)
            .hearing(assignment.told)
            .talking(assignment.talks, hearing.is_some() && timeline.is_live());
        let mut engine = Self {
            assignment,
            core,
            suppressions: suppressions.unwrap_or(none),
            reading_suppressions: false,
            hearing,
            timeline,
            group: Group::default(),
            group_since: Duration::ZERO,
            committing: false,
            aside: None,
            told: None,
            finish: None,
            expires_at: begun.expires_at,
        };
        engine.step(Event::Latest(recovery.latest.clone()));
        engine.step(Event::Uncertain(recovery.uncertain_since.clone()));
        engine.load_open_calls().await?;
        // Left while the list was imported: it counts before anybody is dialled.
        engine.take(Report::Wish(begun.wish));
        let end = engine.work(signals, &progress).await;
        engine.write_all_done().await;
        let end = engine.end(end).await?;
        Ok(Ending { end, recovery })
    }

    async fn load_open_calls(&mut self) -> Result<(), StoreError> {
        let mut after = RecipientId(0);
        loop {
            let run = &self.assignment.run;
            let calls = self
                .assignment
                .store
                .open_calls(run, after, OPEN_PAGE)
                .await?;
            let Some(last) = calls.last() else {
                return Ok(());
            };
            after = last.recipient;
            self.step(Event::Opened(calls));
        }
    }

    /// Waits for reports, signals and time; the core decides after each, until it says how to end.
    async fn work(&mut self, mut signals: mpsc::Receiver<Signal>, progress: &Listener) -> End {
        let (mut wishes_at, mut progress_at) = (Duration::ZERO, Duration::ZERO);
        let mut listening = true;
        let progress_every = if self.timeline.is_live() {
            PROGRESS_EVERY
        } else {
            PROGRESS_EVERY_VIRTUAL
        };
        self.step(Event::Tick);
        loop {
            let now = self.assignment.time.monotonic();
            if now >= progress_at {
                progress_at = now + progress_every;
                progress
                    .tell(self.core.progress(self.assignment.time.now()))
                    .await;
            }
            if now >= wishes_at && self.timeline.is_live() {
                wishes_at = now + WISHES_EVERY;
                self.read_wishes();
            }
            self.listen(now);
            self.commit(now);
            self.flush_aside();
            if let Some(end) = self.finish.take() {
                let busy = self.committing || self.is_observing();
                if busy || !self.group.is_empty() && self.aside.is_none() {
                    self.finish = Some(end);
                } else {
                    progress
                        .tell(self.core.progress(self.assignment.time.now()))
                        .await;
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
                    Some(Signal::NobodyAnswers) => {
                        error!(run.id = %self.assignment.run, "{UNHEARD}");
                        self.step(Event::Stop(PauseReason::Configuration(UNHEARD.into())));
                    }
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
        let core = self.core.wake_at(self.assignment.time.now());
        let live = self.timeline.is_live();
        let heard = self.hearing.as_ref().and_then(|h| h.wake_at(live));
        [core, self.group_at(), heard]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(now + WISHES_EVERY)
    }

    fn take(&mut self, report: Report) {
        match report {
            Report::Core(event) => self.step(event),
            Report::Group { result, group } => self.group_committed(result, group),
            Report::Page(Ok(page)) => self.step(Event::Page(page)),
            Report::Page(Err(error)) => {
                self.store_failed(&error, Vec::new());
                // The core still waits for the page that it asked for.
                self.step(Event::Page(DuePage::default()));
            }
            Report::Wish(Some(Wish::Pause)) => self.step(Event::Stop(PauseReason::Asked)),
            Report::Wish(Some(Wish::Cancel)) => self.step(Event::Cancel),
            Report::Heard(page) => self.heard(page),
            Report::Observed(number, observed, opened) => self.observed(number, observed, opened),
            Report::Wish(None) | Report::Watched(Ok(())) | Report::Nothing => {}
            Report::Watched(Err(error)) => self.store_failed(&error, Vec::new()),
            Report::Suppressions(read) => {
                self.reading_suppressions = false;
                match read {
                    Ok(Some(changed)) => {
                        self.suppressions = changed;
                        self.assignment.noes.listed(&self.suppressions);
                    }
                    Ok(None) => {}
                    // Who must not be called is not known any more, so nobody is.
                    Err(error) => self.store_failed(&error, Vec::new()),
                }
            }
        }
    }

    /// The core's turn: one event, then its commands. Time is looked at before, so that no callout
    /// leaves after the run's end, however the clock came to be there.
    pub(super) fn step(&mut self, event: Event) {
        let wall = self.assignment.time.wall();
        if self.expires_at.is_some_and(|end| wall > end) {
            self.expires_at = None;
            self.step(Event::Expired);
        }
        let commands = self.core.step(event, self.assignment.time.now());
        for command in commands {
            self.carry_out(command);
        }
    }

    fn carry_out(&mut self, command: Command) {
        match command {
            Command::Intend(intent) => self.intend(intent),
            Command::Record(fact) => self.record(fact),
            Command::Post { key, id, due } => {
                let now = self.assignment.time.wall();
                let listed = self.suppressions.contains(&due.endpoint, now).cloned();
                if let Some(why) = listed.or_else(|| self.assignment.noes.of(&due.endpoint)) {
                    let event = Event::Answered(key, Verdict::suppressed(&why));
                    self.timeline.report(Report::Core(event));
                    return;
                }
                debug!(run.id = %self.assignment.run, attempt.id = %id, "a callout leaves");
                let (platform, render) = (
                    Arc::clone(&self.assignment.platform),
                    Arc::clone(&self.assignment.render),
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
                let platform = Arc::clone(&self.assignment.platform);
                self.timeline.start(Kind::Request, async move {
                    Report::Core(Event::Polled(key, platform.get(&call).await))
                });
            }
            Command::HangUp(key, call) => {
                let platform = Arc::clone(&self.assignment.platform);
                self.timeline.start(Kind::Request, async move {
                    Report::Core(Event::HungUp(key, platform.hang_up(&call).await))
                });
            }
            Command::Fetch(after, limit) => {
                let (store, run) = (
                    Arc::clone(&self.assignment.store),
                    self.assignment.run.clone(),
                );
                let now = self.assignment.time.wall();
                let rule = self.assignment.rules.retry.per_number;
                self.timeline.start(Kind::Look, async move {
                    Report::Page(store.due_page(&run, now, after.as_ref(), limit, rule).await)
                });
            }
            Command::Handled(number) => self.handled(number),
            Command::Observe(number) => self.observe_later(number),
            Command::Finish(end) => self.finish = Some(end),
        }
    }

    /// Writes down how the run ended.
    async fn end(&self, end: End) -> Result<End, StoreError> {
        let Assignment {
            store, run, time, ..
        } = &self.assignment;
        let how = match &end {
            End::Completed => RunEnd::Completed,
            End::Paused(why) => RunEnd::Paused(why.clone()),
            End::Cancelled => RunEnd::Cancelled,
            End::Expired => RunEnd::Expired,
            // What could not be committed is aside already.
            End::Failed(_) => return Ok(end),
        };
        if let End::Paused(why @ PauseReason::TwoCalls(_)) = &end {
            error!(run.id = %run, "{why}");
        }
        let left = store.end_run(run, &how, time.wall()).await?;
        if left > 0 {
            info!(run.id = %run, left, "{left} recipients are called no more");
        }
        Ok(end)
    }
}
