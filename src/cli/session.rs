//! What `run`, `resume` and `rehearse` share: an engine at work, watched, and its report.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::watch;

use super::exit::{Exit, Failure};
use super::reread::AtTheDial;
use super::stop::Stop;
use super::{World, export, output, progress, runs};
use crate::campaign::{Campaign, Script};
use crate::domain::{Callout, Destination, DestinationKind, Known, RunId, Spend};
#[cfg(debug_assertions)]
use crate::engine::sabotage::Sabotage;
use crate::engine::{
    Assignment, End, Engine, Pace, Platform, Predecessor, Progress, Render, Rules, Time,
};
use crate::store::{Due, Store};

/// A run that is ready to be worked on.
pub(super) struct Session<'a> {
    pub(super) store: Arc<dyn Store>,
    pub(super) platform: Arc<dyn Platform>,
    pub(super) time: Time,
    pub(super) script: Script,
    /// Where an earlier version read the numbers of some who may be dialled.
    pub(super) at_the_dial: Option<AtTheDial>,
    pub(super) kind: DestinationKind,
    pub(super) run: RunId,
    pub(super) predecessor: Predecessor,
    pub(super) pace: Pace,
    pub(super) rules: Rules,
    /// What it may cost.
    pub(super) spend: Option<Spend>,
    /// Rows of the list, for the progress.
    pub(super) rows: u64,
    /// Rows that have their disposition already.
    pub(super) done: u64,
    /// Where the results go, and whether a file that is there is replaced.
    pub(super) output: Option<(&'a Path, bool)>,
    pub(super) json: bool,
}

impl Session<'_> {
    /// Works on the run until it ends, then writes the results and prints the report.
    pub(super) async fn work(self, world: World) -> Result<Exit, Failure> {
        let stop = Stop::listen()?;
        self.work_until(world, &stop).await
    }

    /// The same, for a process that listens already.
    pub(super) async fn work_until(self, world: World, stop: &Stop) -> Result<Exit, Failure> {
        let (store, id) = (Arc::clone(&self.store), self.run.clone());
        let (results_file, json) = (self.output, self.json);
        let end = self.drive_until(world, stop).await?;
        let summary = runs::summary(store.as_ref(), &id).await?;
        let mut results = None;
        if let Some(file) = results_file {
            let run = runs::find(store.as_ref(), Some(id.as_str())).await?;
            results = Some(export::write_results(store.as_ref(), &run, file).await?);
        }
        store.close().await?;
        if json {
            output::say_json(&summary.json());
        } else {
            output::say(&summary.text());
            if let Some(path) = &results {
                output::say(&format!("\nresults: {}", path.display()));
            }
        }
        if let End::Paused(why) = &end
            && let Some(code) = why.refused_with()
        {
            output::tell(&format!(
                "callout resume {id} goes on once the cause is mended; where the refusals with {code} are \
                 the recipients' own, callout resume {id} --refusals-are-theirs makes them final"
            ));
        }
        if !summary.tally.adds_up() {
            return Err(Failure::failed(
                "the rows do not add up: please report this",
            ));
        }
        Ok(Exit::of_end(&end, &summary.tally))
    }

    /// Works on the run until it ends.
    pub(super) async fn drive(self, world: World) -> Result<End, Failure> {
        let stop = Stop::listen()?;
        self.drive_until(world, &stop).await
    }

    async fn drive_until(self, world: World, stop: &Stop) -> Result<End, Failure> {
        let store = Arc::clone(&self.store);
        let assignment = Assignment {
            store: self.store,
            platform: self.platform,
            time: self.time,
            render: render(self.script, self.kind, self.at_the_dial),
            run: self.run.clone(),
            predecessor: self.predecessor,
            pace: self.pace,
            rules: self.rules,
            spend: self.spend,
            #[cfg(debug_assertions)]
            sabotage: super::settings::variable("CALLOUT_SABOTAGE")
                .and_then(|name| Sabotage::parse(&name)),
        };
        let (telling, told) = watch::channel(Progress::default());
        let signals = stop.for_engine();
        let watching = tokio::spawn(progress::show(told, self.rows, self.done));
        let worked = Box::pin(Engine::run(assignment, world.entropy, signals, telling)).await;
        // The sender is gone, so the watcher ends by itself.
        drop(watching.await);
        let end = worked?.end;
        if let End::Failed(why) = &end {
            if store.watch().await.is_err() {
                return Err(Failure::failed(format!(
                    "{why}\nDialling has stopped, and nothing was written to what is there now. \
                     Answers that came in since are kept beside it. Put the database back that run \
                     {} was working with; any other is refused until you accept that it does not \
                     know these calls (docs/what-happens-if.md).",
                    self.run
                )));
            }
            return Err(Failure::failed(format!(
                "{why}\nDialling has stopped. What could not be recorded is kept beside the \
                 database and read back by `callout resume {}`.",
                self.run
            )));
        }
        Ok(end)
    }
}

/// What a campaign says of who may be called when, in a run that was made at that moment.
pub(super) fn rules(campaign: &Campaign, since: jiff::Timestamp) -> Rules {
    Rules {
        retry: campaign.retry.clone(),
        window: campaign.window.clone(),
        since,
        known: Known::default(),
    }
}

/// Makes a recipient's callout from the run's own definition and row.
fn render(script: Script, kind: DestinationKind, at_the_dial: Option<AtTheDial>) -> Render {
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
        script
            .callout(&destination, &cells)
            .map_err(|fault| fault.reason)
    })
}
