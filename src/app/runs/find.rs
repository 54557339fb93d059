//! Which run somebody speaks of.

use crate::app::{App, Error, Refusal};
use crate::campaign::fault::nearest;
use crate::domain::{BY_HAND, RunId};
use crate::report::Summary;
use crate::report::heard::Heard;
use crate::store::{InboxStanding, Run, RunHead, Store};

/// So many runs are named where one was not found.
const LATEST: usize = 3;

/// The runs of campaigns, latest first.
pub(crate) async fn of_campaigns(store: &dyn Store) -> Result<Vec<RunHead>, Error> {
    let mut runs = store.run_heads("").await?;
    runs.retain(|run| run.campaign != BY_HAND);
    Ok(runs)
}

/// The run whose id begins with what was written, or the latest of the campaign that has the name, which
/// is more than the beginning of an id; where nothing was written, the latest of any campaign.
pub(crate) async fn find_head(store: &dyn Store, wanted: Option<&str>) -> Result<RunHead, Error> {
    let Some(wanted) = wanted else {
        let latest = of_campaigns(store).await?.into_iter().next();
        return latest.ok_or_else(|| Refusal::NoRunYet.into());
    };
    let mut runs = store.run_heads(wanted).await?;
    if let [run] = runs.as_slice()
        && run.id.as_str() == wanted
    {
        return Ok(runs.swap_remove(0));
    }
    let named = |run: &RunHead| run.campaign == wanted;
    if let Some(latest) = of_campaigns(store).await?.into_iter().find(named) {
        return Ok(latest);
    }
    match runs.len() {
        1 => Ok(runs.swap_remove(0)),
        0 => Err(no_run(store, wanted).await?.into()),
        _ => Err(Refusal::SeveralRuns {
            wanted: wanted.to_owned(),
            runs: runs.into_iter().map(|run| run.id).collect(),
        }
        .into()),
    }
}

/// The same run, all of it.
pub(crate) async fn find(store: &dyn Store, wanted: Option<&str>) -> Result<Run, Error> {
    let head = find_head(store, wanted).await?;
    Ok(store.run(&head.id).await?)
}

/// What there is in the place of a run that nobody finds.
async fn no_run(store: &dyn Store, wanted: &str) -> Result<Refusal, Error> {
    let runs = of_campaigns(store).await?;
    let names = runs
        .iter()
        .flat_map(|r| [r.campaign.as_str(), r.id.as_str()]);
    Ok(Refusal::NoRun {
        wanted: wanted.to_owned(),
        near: nearest(wanted, names).map(str::to_owned),
        latest: runs
            .iter()
            .take(LATEST)
            .map(|run| (run.id.clone(), run.campaign.clone()))
            .collect(),
    })
}

impl App {
    /// A run with its counts.
    pub(crate) async fn summary(&self, store: &dyn Store, id: &RunId) -> Result<Summary, Error> {
        let standing = store.standing().await?;
        self.summary_beside(store, id, &standing).await
    }

    /// The same where it is known already what came to the database's inbox.
    pub(super) async fn summary_beside(
        &self,
        store: &dyn Store,
        id: &RunId,
        standing: &InboxStanding,
    ) -> Result<Summary, Error> {
        let run = store.run(id).await?;
        let tally = store.tally(id).await?;
        Ok(Summary {
            zone: self.zone_of(&run),
            run: run.id,
            campaign: run.campaign,
            state: run.state,
            why: run.why,
            rehearsal: run.rehearsal,
            purged_at: run.purged_at,
            tally,
            heard: heard(standing, store.ends_told(id).await?),
        })
    }
}

/// How the results of a run come, of whose calls so many were told.
fn heard(standing: &InboxStanding, told: u64) -> Heard {
    Heard {
        told,
        waiting: standing.pending,
        nobodys: standing.nobodys,
        strange_calls: standing.strange_calls,
        unknown_attempts: standing.unknown_attempts,
        refused: standing.refused.clone(),
    }
}
