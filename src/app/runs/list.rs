//! The runs of a database.

use crate::app::{App, Error};
use crate::domain::BY_HAND;
use crate::report::listing::{Listed, id_chars};
use crate::store::{Access, RunHead};

/// Runs, and how their ids are cut.
#[derive(Debug)]
pub(crate) struct Runs {
    /// The runs that are listed, latest first.
    pub(crate) listed: Vec<Listed>,
    /// Characters of an id that name one run of the database alone.
    pub(crate) id_chars: usize,
    /// Runs by hand that are left out.
    pub(crate) by_hand: usize,
}

impl App {
    /// The runs of a campaign, or of all; those by hand where somebody wants `all`.
    pub(crate) async fn runs(&self, campaign: Option<&str>, all: bool) -> Result<Runs, Error> {
        let store = self.open(Access::Beside).await?;
        let at_work = store.engine_at_work().await?;
        let standing = store.standing().await?;
        let runs = store.run_heads("").await?;
        let id_chars = id_chars(runs.iter().map(|run| &run.id));
        let (mut listed, mut by_hand) = (Vec::new(), 0);
        let wanted = |run: &RunHead| campaign.is_none_or(|name| name == run.campaign);
        for run in runs.into_iter().filter(wanted) {
            if run.campaign == BY_HAND && !all {
                by_hand += 1;
                continue;
            }
            listed.push(Listed {
                began_at: run.created_at,
                ended_at: run.ended_at,
                engine: at_work.as_ref() == Some(&run.id),
                summary: self
                    .summary_beside(store.as_ref(), &run.id, &standing)
                    .await?,
            });
        }
        store.close().await?;
        Ok(Runs {
            listed,
            id_chars,
            by_hand,
        })
    }
}
