//! The same people again: whether an earlier run called most of a list lately, and lists of which only
//! those are called whom an earlier run did not reach.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::find::find_head;
use crate::app::{App, Error, Refusal, UnreachedUnknown};
use crate::domain::{Endpoints, NotReachedBy, Overlap, RunId, RunState, Suppressions};
use crate::report::summary::{grouped, human};
use crate::store::{RunHead, Store, StoreError};

/// For so long after its end a run counts as one that called the same list already.
const LATELY: Duration = Duration::from_hours(12);

/// An earlier run of a campaign that had mostly the same list.
#[derive(Debug, Clone)]
pub(crate) struct Again {
    run: RunId,
    state: RunState,
    /// How long ago it ended, or stopped; none while it goes on.
    ago: Option<Duration>,
    overlap: Overlap,
}

/// What a plan is compared with.
#[derive(Debug, Clone, Default)]
pub(crate) struct Earlier {
    /// The campaign's latest run; a plan that was made before it is not the same any more.
    pub(crate) latest: Option<RunId>,
    /// The run of whose recipients only those are called whom it did not reach.
    pub(crate) only_of: Option<RunId>,
    /// The latest run that had mostly the same list, where one called it lately.
    pub(crate) again: Option<Again>,
}

/// Compares a list, of which `endpoints` are to be called, with the earlier runs of its campaign.
pub(crate) async fn compare(
    store: &dyn Store,
    campaign: &str,
    endpoints: &Endpoints,
    only: Option<&NotReachedBy>,
    now: Timestamp,
) -> Result<Earlier, Error> {
    let all = store.run_heads("").await?;
    let settled = only.map_or_else(Vec::new, |only| chain(&all, &only.run));
    let runs = of_campaign(all, campaign);
    let mut found = Earlier {
        latest: runs.first().map(|run| run.id.clone()),
        only_of: only.map(|only| only.run.clone()),
        again: None,
    };
    for run in runs {
        if !lately(&run, now) || settled.contains(&run.id) {
            continue;
        }
        let overlap = store.endpoints(&run.id).await?.overlap(endpoints);
        if overlap.is_the_same_list() {
            found.again = Some(Again {
                ago: (run.state != RunState::Running).then(|| since(&run, now)),
                run: run.id,
                state: run.state,
                overlap,
            });
            break;
        }
    }
    Ok(found)
}

/// Whether there is any run with which a list must be compared before it is called unasked.
pub(crate) async fn is_asked(
    store: &dyn Store,
    campaign: &str,
    now: Timestamp,
) -> Result<bool, Error> {
    let runs = of_campaign(store.run_heads("").await?, campaign);
    Ok(runs.iter().any(|run| lately(run, now)))
}

/// The runs of a campaign that called real people, the latest first.
fn of_campaign(mut runs: Vec<RunHead>, campaign: &str) -> Vec<RunHead> {
    runs.retain(|run| run.campaign == campaign && !run.rehearsal);
    runs
}

/// A run, the one whose unreached it called, and so on: whom each of them reached is left out by the
/// next.
fn chain(runs: &[RunHead], last: &RunId) -> Vec<RunId> {
    let mut chain = vec![last.clone()];
    let before = |id: &RunId| {
        runs.iter()
            .find(|run| run.id == *id)?
            .planned
            .only_of
            .clone()
    };
    while let Some(id) = chain
        .last()
        .and_then(before)
        .filter(|id| !chain.contains(id))
    {
        chain.push(id);
    }
    chain
}

/// Whether a run is not over, or ended a short while ago.
fn lately(run: &RunHead, now: Timestamp) -> bool {
    run.state.unfinished() || since(run, now) < LATELY
}

fn since(run: &RunHead, now: Timestamp) -> Duration {
    let ended = run.ended_at.unwrap_or(run.created_at);
    Duration::try_from(now.duration_since(ended)).unwrap_or_default()
}

impl Again {
    /// What people are told of it.
    pub(crate) fn text(&self) -> String {
        let Overlap {
            of,
            within,
            called,
            reached,
        } = self.overlap;
        let when = self.ago.map_or("and it goes on".to_owned(), |ago| {
            format!("{} ago", human(ago))
        });
        let state = match self.state {
            RunState::Completed => String::new(),
            state => format!(" ({state})"),
        };
        let others = if within < of || called < within {
            format!(
                "; {} of them were in it, {} called",
                grouped(within),
                grouped(called)
            )
        } else {
            String::new()
        };
        format!(
            "called by run {}{state}, {when}, {} of these {} reached{others}",
            self.run,
            grouped(reached),
            grouped(of)
        )
    }

    /// For programs.
    pub(crate) fn json(&self) -> Value {
        json!({
            "run": self.run.as_str(),
            "state": self.state.as_str(),
            "seconds_ago": self.ago.map(|ago| ago.as_secs()),
            "of": self.overlap.of,
            "in_run": self.overlap.within,
            "called": self.overlap.called,
            "reached": self.overlap.reached,
        })
    }

    /// Why a run that nobody is asked about does not begin.
    pub(crate) fn refusal(&self) -> Refusal {
        Refusal::CalledLately {
            run: self.run.clone(),
            words: self.text(),
        }
    }
}

/// The database, if there is one, who must not be called, and whom an earlier run did not reach.
pub(crate) type KnownOfPeople = (Option<Arc<dyn Store>>, Suppressions, Option<NotReachedBy>);

impl App {
    /// What the database knows of people before anything is written; `of` is the run of whose recipients
    /// only those are called whom it did not reach.
    pub(crate) async fn known_of_people(&self, of: Option<&str>) -> Result<KnownOfPeople, Error> {
        match (self.open_if_any().await?, of) {
            (Some(store), of) => {
                let lists = store.suppressions().await?;
                let only = not_reached_by(store.as_ref(), of).await?;
                Ok((Some(store), lists, only))
            }
            (None, Some(run)) => Err(StoreError::NoRun(run.to_owned()).into()),
            (None, None) => Ok((None, Suppressions::default(), None)),
        }
    }
}

/// The list of which only those are called whom the run did not reach whose id begins so; none where
/// everybody is.
pub(crate) async fn not_reached_by(
    store: &dyn Store,
    prefix: Option<&str>,
) -> Result<Option<NotReachedBy>, Error> {
    let Some(prefix) = prefix else {
        return Ok(None);
    };
    let run = find_head(store, Some(prefix)).await?;
    let why = if run.rehearsal {
        Some(UnreachedUnknown::Rehearsal)
    } else if run.state.unfinished() {
        Some(UnreachedUnknown::Unfinished(run.state))
    } else {
        run.purged_at.map(|_| UnreachedUnknown::Purged)
    };
    if let Some(why) = why {
        return Err(Refusal::UnreachedOf {
            wanted: prefix.to_owned(),
            run: run.id,
            why,
        }
        .into());
    }
    let rows = store.endpoints(&run.id).await?;
    Ok(Some(NotReachedBy { run: run.id, rows }))
}

/// A plan is run once.
pub(crate) async fn refuse_spent(
    store: &dyn Store,
    hash: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let runs = store.run_heads("").await?;
    match runs
        .iter()
        .find(|run| run.planned.hash.as_deref() == Some(hash))
    {
        None => Ok(()),
        Some(run) => Err(Refusal::PlanSpent {
            plan: hash.to_owned(),
            run: run.id.clone(),
            state: run.state,
            ago: Duration::try_from(now.duration_since(run.created_at)).unwrap_or_default(),
        }
        .into()),
    }
}
