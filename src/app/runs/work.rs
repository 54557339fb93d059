//! An engine at work on a run, watched, and what it leaves: the run's counts and its results.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tracing::warn;

use super::reread::AtTheDial;
use crate::app::receive::Hearing;
use crate::app::{App, Error, Goal, Notice, Stop, results};
use crate::campaign::{Campaign, Fault, Faults, Script};
use crate::clock::Clock;
use crate::domain::{Callout, Destination, DestinationKind, Known, RunId, Spend};
use crate::engine::{
    self, Assignment, End, Engine, Pace, Platform, Predecessor, Render, Rules, Signal, Start, Time,
    Watch,
};
use crate::report::Summary;
use crate::store::{Due, Store};

/// A run that is ready to be worked on.
pub(crate) struct Work<'a> {
    pub(crate) app: &'a App,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) platform: Arc<dyn Platform>,
    pub(crate) hearing: Hearing,
    pub(crate) time: Time,
    pub(crate) script: Script,
    /// Where an earlier version read the numbers of some who may be dialled.
    pub(crate) at_the_dial: Option<AtTheDial>,
    pub(crate) kind: DestinationKind,
    pub(crate) run: RunId,
    /// The campaign's name.
    pub(crate) campaign: String,
    pub(crate) predecessor: Predecessor,
    pub(crate) pace: Pace,
    pub(crate) rules: Rules,
    /// How long a call lasts at most in which somebody is asked something; none: nobody is.
    pub(crate) talks: Option<Duration>,
    /// What it may cost.
    pub(crate) spend: Option<Spend>,
    /// Where the results go, and whether a file that is there is replaced.
    pub(crate) output: Option<(PathBuf, bool)>,
}

/// How the work on a run ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Why the engine stopped.
    pub(crate) end: End,
    /// The run's counts.
    pub(crate) summary: Summary,
    /// The file that has its results, where one was wanted.
    pub(crate) results: Option<PathBuf>,
}

impl Work<'_> {
    /// Works on the run until it ends or somebody asks to stop, and writes its results.
    pub(crate) async fn until(self, stop: &Stop) -> Result<Ended, Error> {
        let (app, store, id) = (self.app, Arc::clone(&self.store), self.run.clone());
        let output = self.output.clone();
        let end = self.drive(stop).await?;
        let summary = app.summary(store.as_ref(), &id).await?;
        let mut results = None;
        if let Some((path, replace)) = output {
            let run = store.run(&id).await?;
            let file: (&Path, bool) = (&path, replace);
            results = Some(results::write_results(app, store.as_ref(), &run, file).await?);
        }
        if let Err(error) = store.tidy(app.clock.wall()).await {
            tracing::warn!(%error, "what is kept of the platform's events could not be tidied");
        }
        store.close().await?;
        if !summary.tally.adds_up() {
            return Err(Error::failed("the rows do not add up: please report this"));
        }
        app.notices.ended(&end, &summary);
        Ok(Ended {
            end,
            summary,
            results,
        })
    }

    /// The run as it stands before its engine begins.
    async fn goal(&self) -> Result<Goal, Error> {
        let store = self.store.as_ref();
        let run = store.run(&self.run).await?;
        let start = Start {
            tally: store.tally(&run.id).await?,
            ahead: store.ahead(&run.id).await?,
            pace: self.pace,
            rules: self.rules.clone(),
            spend: self.spend.clone(),
            expires_at: run.expires_at,
        };
        Ok(Goal {
            zone: self.app.zone_of(&run),
            run: run.id,
            campaign: run.campaign,
            watch: Box::new(Watch::new(start)),
        })
    }

    /// Works on the run until it ends or somebody asks to stop.
    pub(crate) async fn drive(self, stop: &Stop) -> Result<End, Error> {
        let (app, store) = (self.app, Arc::clone(&self.store));
        let goal = Box::pin(self.goal()).await?;
        let assignment = Assignment {
            store: self.store,
            platform: self.platform,
            time: self.time,
            render: render(self.script, self.kind, self.at_the_dial, &self.hearing),
            run: self.run.clone(),
            predecessor: self.predecessor,
            pace: self.pace,
            rules: self.rules,
            incoming: self.hearing.incoming,
            told: self.hearing.told,
            talks: self.talks,
            noes: Arc::clone(&app.noes),
            spend: self.spend,
        };
        let (telling, told) = engine::telling(assignment.time.is_virtual());
        let notices = Arc::clone(&app.notices);
        let (word, signals) = stop.for_engine(move || notices.tell(Notice::Stopping));
        if assignment.talks.is_some() && !assignment.time.is_virtual() {
            tokio::spawn(answered(Arc::clone(&store), Arc::clone(&app.clock), word));
        }
        let watching = tokio::spawn(app.notices.watch(told, goal));
        let entropy = app.entropy().split();
        let worked = Box::pin(Engine::run(assignment, entropy, signals, telling)).await;
        // The sender is gone, so the watcher ends by itself.
        drop(watching.await);
        let end = worked?.end;
        if let End::Failed(why) = &end {
            let (why, run) = (why.clone(), self.run);
            let gone = store.watch().await.is_err();
            return Err(Error::Engine { run, why, gone });
        }
        Ok(end)
    }
}

/// A run needs a rate that a person decided on.
pub(crate) fn rate(campaign: &Campaign) -> Result<f64, Error> {
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

/// What a campaign says of who may be called when, in a run that was made at that moment.
pub(crate) fn rules(campaign: &Campaign, since: jiff::Timestamp) -> Rules {
    Rules {
        retry: campaign.retry.clone(),
        flow: campaign.outline().map(Arc::new),
        window: campaign.window.clone(),
        since,
        known: Known::default(),
    }
}

/// How often it is looked whether somebody still answers.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Stops an engine when nobody receives any more what is pressed in its calls.
async fn answered(store: Arc<dyn Store>, clock: Arc<dyn Clock>, engine: mpsc::Sender<Signal>) {
    loop {
        tokio::select! {
            () = engine.closed() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        match store.is_received(clock.wall()).await {
            Ok(true) => {}
            Ok(false) => {
                engine.try_send(Signal::NobodyAnswers).ok();
                return;
            }
            Err(error) => warn!(%error, "it is not known whether calls are answered"),
        }
    }
}

/// Makes a recipient's callout from the run's own definition and row.
fn render(
    script: Script,
    kind: DestinationKind,
    at_the_dial: Option<AtTheDial>,
    hearing: &Hearing,
) -> Render {
    let (told, answer_at) = (hearing.told, hearing.answer_at.clone());
    Arc::new(move |due: &Due| -> Result<Callout, String> {
        let cells: Vec<String> =
            serde_json::from_str(&due.cells).map_err(|e| format!("the stored row: {e}"))?;
        if let Some(why) = at_the_dial
            .as_ref()
            .and_then(|look| look.fault(&cells, &due.endpoint))
        {
            return Err(why);
        }
        let destination = Destination {
            kind,
            endpoint: due.endpoint.clone(),
        };
        let callout = script.callout(&destination, &cells);
        let mut callout = callout.map_err(|fault| fault.reason)?;
        if told {
            callout.tell_of_end();
        }
        if let Some(url) = &answer_at {
            callout.answer_at(url);
        }
        Ok(callout)
    })
}
