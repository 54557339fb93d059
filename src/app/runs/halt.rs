//! Pausing and cancelling a run: a wish for the engine that works on it or, where none does, done at once.

use std::sync::Arc;

use super::find::find;
use crate::app::{App, Error, Notice, Refusal};
use crate::domain::{PauseReason, RunState};
use crate::store::{Access, Run, RunEnd, Store, StoreError, Wish, Wishing};

/// Who works on a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AtWork {
    /// Another process, or one that has not said yet on which run it works: it reads wishes.
    OnIt,
    /// A process that works on another run.
    Elsewhere,
    /// Nobody: the database is ours for as long as it is open.
    Nobody,
}

/// A run that somebody wants to stop.
pub(crate) struct Halting<'a> {
    app: &'a App,
    store: Arc<dyn Store>,
    /// The run.
    pub(crate) run: Run,
    at_work: AtWork,
    /// Says that a wish is on its way, until it is dropped.
    wishing: Wishing,
}

/// What came of pausing a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Paused {
    /// It is being cancelled; nobody else is called anyway.
    BeingCancelled,
    /// Its engine was asked; its list is being imported, and it stops after that.
    AskedAfterImport,
    /// Its engine was asked, and stops within a minute.
    Asked,
    /// Its engine had ended already.
    Done,
    /// It has called nobody yet, and nothing works on it.
    NotBegun,
    /// It was paused before; why.
    Already(Option<String>),
}

/// What came of cancelling a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cancelled {
    /// Its engine was asked; its list is being imported, and it ends after that.
    AskedAfterImport,
    /// Its engine was asked, and follows the calls that go on.
    Asked,
    /// It had not begun, and is forgotten.
    Forgotten,
    /// So many recipients are not called, and so many calls have no result yet.
    Done {
        /// Recipients who are not called.
        recipients: u64,
        /// Calls that a resume has to follow to their end.
        open: u64,
    },
}

/// What cancelling a run would do, as it stands.
pub(crate) struct ToCancel {
    /// The run.
    pub(crate) run: Run,
    /// Recipients who would not be called.
    pub(crate) people: u64,
    /// Calls that would go on to their end.
    pub(crate) calls: u64,
}

impl Paused {
    /// A name for programs that never changes.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::BeingCancelled => "being_cancelled",
            Self::AskedAfterImport => "asked_after_import",
            Self::Asked => "asked",
            Self::Done => "paused",
            Self::NotBegun => "not_begun",
            Self::Already(_) => "paused_already",
        }
    }
}

impl Cancelled {
    /// A name for programs that never changes.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::AskedAfterImport => "asked_after_import",
            Self::Asked => "asked",
            Self::Forgotten => "forgotten",
            Self::Done { open: 0, .. } => "cancelled",
            Self::Done { .. } => "calls_left",
        }
    }
}

impl App {
    /// Counts what cancelling a run would do. A run that is over is refused. Nobody waits meanwhile.
    pub(crate) async fn to_cancel(&self, wanted: Option<&str>) -> Result<ToCancel, Error> {
        let store = self.open(Access::Beside).await?;
        let run = find_unfinished(store.as_ref(), wanted).await?;
        let tally = store.tally(&run.id).await?;
        store.close().await?;
        Ok(ToCancel {
            run,
            people: tally.pending + tally.waiting,
            calls: tally.in_flight,
        })
    }

    /// Opens the database as its engine where nobody is, and beside the engine otherwise. A run that is
    /// over is refused.
    pub(crate) async fn halting(&self, wanted: Option<&str>) -> Result<Halting<'_>, Error> {
        loop {
            let beside = self.open(Access::Beside).await?;
            let wishing = beside.wishing().await?;
            let run = find_unfinished(beside.as_ref(), wanted).await?;
            let (store, at_work) = match self.open(Access::Engine).await {
                Ok(store) => {
                    beside.close().await?;
                    (store, AtWork::Nobody)
                }
                Err(StoreError::InUse(_)) => match beside.engine_at_work().await? {
                    Some(id) if id == run.id || id.as_str().is_empty() => (beside, AtWork::OnIt),
                    Some(_) => (beside, AtWork::Elsewhere),
                    // It has just ended: what became of the run is read anew.
                    None => {
                        beside.close().await?;
                        continue;
                    }
                },
                Err(error) => return Err(error.into()),
            };
            return Ok(Halting {
                app: self,
                store,
                run,
                at_work,
                wishing,
            });
        }
    }
}

/// The run that was named, or the latest; one that is over is refused.
async fn find_unfinished(store: &dyn Store, wanted: Option<&str>) -> Result<Run, Error> {
    let run = find(store, wanted).await?;
    if run.state.unfinished() {
        return Ok(run);
    }
    let latest = wanted.is_none();
    let (run, state) = (run.id, run.state);
    Err(Refusal::Over { run, state, latest }.into())
}

impl Halting<'_> {
    /// Stops the run with work left.
    pub(crate) async fn pause(self) -> Result<Paused, Error> {
        let (run, state) = (&self.run, self.run.state);
        let paused = match (self.at_work, state) {
            (AtWork::OnIt, _) if run.wish == Some(Wish::Cancel) => Paused::BeingCancelled,
            (AtWork::OnIt, _) => {
                self.leave(Wish::Pause).await?;
                if run.header.is_none() {
                    Paused::AskedAfterImport
                } else {
                    Paused::Asked
                }
            }
            (_, RunState::Running) => {
                let end = RunEnd::Paused(PauseReason::Asked);
                let now = self.app.clock.wall();
                self.store.end_run(&run.id, &end, now).await?;
                Paused::Done
            }
            (_, RunState::Planned) => Paused::NotBegun,
            (_, _) => Paused::Already(run.why.clone()),
        };
        drop(self.wishing);
        self.store.close().await?;
        Ok(paused)
    }

    /// Ends the run: whoever was not called is not called any more.
    pub(crate) async fn cancel(self) -> Result<Cancelled, Error> {
        let cancelled = if self.at_work == AtWork::OnIt {
            self.leave(Wish::Cancel).await?;
            if self.run.header.is_none() {
                Cancelled::AskedAfterImport
            } else {
                Cancelled::Asked
            }
        } else if self.run.header.is_none() {
            self.store.forget_planned(&self.run.id).await?;
            Cancelled::Forgotten
        } else {
            self.cancel_at_rest().await?
        };
        drop(self.wishing);
        self.store.close().await?;
        Ok(cancelled)
    }

    /// Leaves a wish for the engine. An import writes for as long as it takes: the wish is not given up
    /// while an engine is at work.
    async fn leave(&self, wish: Wish) -> Result<(), Error> {
        let mut told = false;
        loop {
            match self.store.ask_engine(&self.run.id, Some(wish)).await {
                Err(StoreError::Busy(_)) if self.store.engine_at_work().await?.is_some() => {
                    if !told {
                        self.app.tell(Notice::WaitingToAsk);
                        told = true;
                    }
                }
                other => return Ok(other?),
            }
        }
    }

    /// Cancels a run that no engine works on.
    async fn cancel_at_rest(&self) -> Result<Cancelled, Error> {
        let (store, run, now) = (&self.store, &self.run, self.app.clock.wall());
        if run.state == RunState::Running {
            // Its engine was killed: what it left is settled first, by an engine.
            store.recover(&run.id, now).await?;
        }
        let at_rest = store.cancel_at_rest(&run.id, now).await?;
        Ok(Cancelled::Done {
            recipients: at_rest.cancelled,
            open: at_rest.open,
        })
    }
}
