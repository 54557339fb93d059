//! How a run stands, and what keeps it from dialling faster.

use jiff::Timestamp;

use super::find::summary;
use crate::app::{App, Error};
use crate::domain::Backlog;
use crate::report::Summary;
use crate::store::{Run, Store, Telling};

/// How a run stands.
#[derive(Debug)]
pub(crate) struct Standing {
    /// The run.
    pub(crate) run: Run,
    /// Its counts.
    pub(crate) summary: Summary,
    /// Whether an engine works on it.
    pub(crate) engine: bool,
    /// What that engine told last.
    pub(crate) telling: Option<Telling>,
    /// Whom it has still to call, by what they wait for.
    pub(crate) backlog: Vec<Backlog>,
    /// When this was read.
    pub(crate) now: Timestamp,
}

impl App {
    /// Reads how a run stands.
    pub(crate) async fn standing(&self, store: &dyn Store, run: Run) -> Result<Standing, Error> {
        let summary = summary(store, &run.id).await?;
        let at_work = store.engine_at_work().await?;
        let engine = at_work.is_some_and(|id| id == run.id);
        let telling = run.telling.clone().filter(|_| engine);
        let backlog = store.backlog(&run.id).await?;
        Ok(Standing {
            run,
            summary,
            engine,
            telling,
            backlog,
            now: self.clock.wall(),
        })
    }
}
