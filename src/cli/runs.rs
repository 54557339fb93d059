//! Which run a command speaks of.

use super::exit::Failure;
use crate::domain::RunId;
use crate::report::Summary;
use crate::store::{Run, Store, StoreError};

/// The campaign of runs that `call place` makes: a name that no campaign can have. Who names no run
/// means a campaign's.
pub(super) const BY_HAND: &str = "call/place";

/// The runs of campaigns, latest first.
pub(super) async fn of_campaigns(store: &dyn Store) -> Result<Vec<Run>, Failure> {
    let mut runs = store.runs("").await?;
    runs.retain(|run| run.campaign != BY_HAND);
    Ok(runs)
}

/// The run whose id begins with `prefix`; without one, the latest of a campaign.
pub(super) async fn find(store: &dyn Store, prefix: Option<&str>) -> Result<Run, Failure> {
    let wanted = prefix.unwrap_or_default();
    let mut runs = match prefix {
        Some(prefix) => store.runs(prefix).await?,
        None => of_campaigns(store).await?,
    };
    match (prefix, runs.len()) {
        (None, 0) => Err(Failure::usage(
            "there is no run yet: start one with `callout run FILE`",
        )),
        (Some(_), 0) => Err(StoreError::NoRun(wanted.into()).into()),
        (Some(_), 2..) => Err(Failure::usage(format!(
            "`{wanted}` is the beginning of {} runs: {}",
            runs.len(),
            runs.iter()
                .map(|r| r.id.as_str())
                .collect::<Vec<_>>()
                .join(", ")
        ))),
        _ => Ok(runs.swap_remove(0)),
    }
}

/// A run with its counts.
pub(super) async fn summary(store: &dyn Store, id: &RunId) -> Result<Summary, Failure> {
    let run = find(store, Some(id.as_str())).await?;
    let tally = store.tally(id).await?;
    Ok(Summary {
        run: run.id,
        campaign: run.campaign,
        state: run.state,
        why: run.why,
        rehearsal: run.rehearsal,
        purged_at: run.purged_at,
        tally,
    })
}
