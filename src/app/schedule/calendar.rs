//! What became of a campaign's earlier starts.

use crate::app::Error;
use crate::store::{self, Access, OccurrenceRecord, RunHead, StoreError};

/// Earlier starts that are read.
const EARLIER: u32 = 5;

/// What is known of a campaign's past.
#[derive(Debug, Default)]
pub(crate) struct EarlierStarts {
    /// Its latest run.
    pub(crate) last_run: Option<RunHead>,
    /// Its latest starts, latest first.
    pub(crate) starts: Vec<OccurrenceRecord>,
}

/// Reads a campaign's past from the database at an address; nothing where there is no database.
pub(crate) async fn earlier_starts(address: &str, campaign: &str) -> Result<EarlierStarts, Error> {
    let store = match store::open(address, Access::Beside, None).await {
        Ok(store) => store,
        Err(StoreError::NoDatabase(_)) => return Ok(EarlierStarts::default()),
        Err(error) => return Err(error.into()),
    };
    let own = |run: &RunHead| run.campaign == campaign && !run.rehearsal;
    let last_run = store.run_heads("").await?.into_iter().find(own);
    let starts = store.occurrences(campaign, EARLIER).await?;
    store.close().await?;
    Ok(EarlierStarts { last_run, starts })
}
