//! Going on with a stopped run, from the database alone.

use std::sync::Arc;

use super::again::not_reached_by;
use super::begin::Assurances;
use super::find::{find, of_campaigns};
use super::import::{Terms, import};
use super::reread::numbers_of;
use super::work::{Work, rate, rules};
use crate::app::plan::rates;
use crate::app::{App, Error, Notice, Refusal, files, results};
use crate::campaign::{Campaign, Script};
use crate::domain::{BY_HAND, Known, Raised, RetryPolicy, RunId};
use crate::engine::{Pace, Predecessor, Rules, Time};
use crate::report::Summary;
use crate::store::{Access, Run, Store, StoreError, Wish};

/// What is wanted of a run that goes on.
#[derive(Debug, Default)]
pub(crate) struct Resume<'a> {
    /// The run; else the latest unfinished one.
    pub(crate) run: Option<&'a str>,
    /// Another cap, with its currency.
    pub(crate) cap: Option<&'a str>,
    /// The refusals that pause the run are the recipients' own.
    pub(crate) refusals_are_theirs: bool,
    /// What a person says of the clock and the database.
    pub(crate) assured: Assurances,
    /// Where the results go, and whether a file that is there is replaced.
    pub(crate) output: Option<(&'a std::path::Path, bool)>,
}

/// What [`App::resume`] found.
pub(crate) enum Resumed<'a> {
    /// A run that goes on.
    Work(Box<Work<'a>>),
    /// A run that is over: how it ended, its results written where they were wanted.
    Over(Box<(Run, Summary)>),
}

impl App {
    /// Goes on with a run. One that is over is left as it is.
    pub(crate) async fn resume(&self, wanted: Resume<'_>) -> Result<Resumed<'_>, Error> {
        let store = match self.open(Access::EngineOfExisting).await {
            Err(error @ StoreError::InUse(_)) => {
                return Err(self.busy(wanted.run).await?.unwrap_or(error.into()));
            }
            opened => opened?,
        };
        self.be_sure(store.as_ref(), wanted.assured.unknown_calls)
            .await?;
        let run = choose(store.as_ref(), wanted.run).await?;
        if let Some((path, replace)) = wanted.output {
            files::refuse_to_replace(path, replace || results::is_own(path, &run))?;
            files::refuse_inputs_of_runs(path, store.as_ref()).await?;
        }
        if run.rehearsal {
            return Err(Refusal::Rehearsal {
                run: run.id,
                file: run.definition_path,
            }
            .into());
        }
        if !run.state.unfinished() {
            if wanted.cap.is_some() {
                return Err(Refusal::CapOfOver {
                    run: run.id,
                    state: run.state,
                }
                .into());
            }
            let summary = self.summary(store.as_ref(), &run.id).await?;
            if let Some(file) = wanted.output {
                results::write_results(self, store.as_ref(), &run, file).await?;
            }
            return Ok(Resumed::Over(Box::new((run, summary))));
        }
        self.refuse_set_back(store.as_ref(), wanted.assured.clock_is_right)
            .await?;
        let work = self.go_on(store, run, wanted).await?;
        Ok(Resumed::Work(Box::new(work)))
    }

    /// Which run another engine works on; none where that has not said so yet.
    async fn busy(&self, wanted: Option<&str>) -> Result<Option<Error>, Error> {
        let store = self.open(Access::Beside).await?;
        let run = choose(store.as_ref(), wanted).await?;
        let busy = match store.engine_at_work().await? {
            Some(id) if !id.as_str().is_empty() => {
                find(store.as_ref(), Some(id.as_str())).await.ok()
            }
            _ => None,
        };
        store.close().await?;
        Ok(busy.map(|busy| {
            let waits = (busy.id != run.id).then_some(run.id);
            let (run, campaign) = (busy.id, busy.campaign);
            Refusal::AtWork {
                run,
                campaign,
                waits,
            }
            .into()
        }))
    }

    /// Makes a run that is not over ready to be worked on.
    async fn go_on(
        &self,
        store: Arc<dyn Store>,
        mut run: Run,
        wanted: Resume<'_>,
    ) -> Result<Work<'_>, Error> {
        let dates = run.blackout_file.as_deref();
        let campaign = Campaign::parse_kept(&run.definition, &run.definition_path, dates)?;
        let client = self.client()?;
        let calls_per_second = rate(&campaign)?;
        let here = client.platform();
        let elsewhere = run.platform != here;
        if elsewhere {
            let began = run.platform.clone();
            self.tell(Notice::Elsewhere { began, here });
        }
        if let Some(cap) = wanted.cap {
            self.change_cap(store.as_ref(), &mut run, cap).await?;
        }
        if wanted.refusals_are_theirs {
            self.accept_refusals(store.as_ref(), &mut run).await?;
        }
        store.take_run(&run.id).await?;
        if run.wish == Some(Wish::Pause) {
            // Meant for an engine that is gone: to resume is to wish otherwise.
            store.ask_engine(&run.id, None).await?;
        }
        let script = self.script(store.as_ref(), &run, &campaign).await?;
        let at_the_dial = numbers_of(self, &run, &campaign, store.as_ref()).await?;
        let hearing = self.hearing(&store, (&run.id, &campaign), &client).await?;
        let mut rules = rules(&campaign, run.created_at);
        if run.campaign == BY_HAND {
            rules.retry = RetryPolicy::default();
        }
        Ok(Work {
            app: self,
            store,
            platform: Arc::new(client),
            hearing,
            time: Time::Live(Arc::clone(&self.clock)),
            script,
            at_the_dial,
            kind: campaign.recipients.destination_kind,
            pace: Pace {
                calls_per_second,
                concurrent_calls: campaign.pacing.concurrent_calls,
            },
            rules: Rules {
                known: Known {
                    theirs: run.theirs,
                    suspect: run.suspect,
                },
                ..rules
            },
            run: run.id,
            campaign: run.campaign,
            predecessor: Predecessor::Process { elsewhere },
            talks: campaign.talks_at_most(),
            spend: run.spend,
            output: wanted
                .output
                .map(|(path, replace)| (path.to_owned(), replace)),
        })
    }

    /// Changes what a run may cost, for good; who did it and when is kept.
    async fn change_cap(&self, store: &dyn Store, run: &mut Run, cap: &str) -> Result<(), Error> {
        let Some(spend) = &mut run.spend else {
            return Err(Refusal::NoSpend(run.id.clone()).into());
        };
        let cap = rates::amount(cap, &spend.currency)?;
        spend.raised.push(Raised {
            at: self.clock.wall(),
            who: self.settings.who.clone(),
            from: spend.cap,
        });
        spend.cap = Some(cap);
        store.set_spend(&run.id, spend).await?;
        self.tell(Notice::CapChanged {
            run: run.id.clone(),
            cap,
            currency: spend.currency.clone(),
        });
        Ok(())
    }

    /// Makes the refusals that the run is paused for final.
    async fn accept_refusals(&self, store: &dyn Store, run: &mut Run) -> Result<(), Error> {
        let accepted = store.accept_refusals(&run.id, self.clock.wall()).await?;
        let (Some(code), Some(recipients)) = (run.refused_with.take(), accepted) else {
            return Err(Refusal::NotRefused(run.id.clone()).into());
        };
        self.tell(Notice::RefusalsAccepted {
            run: run.id.clone(),
            recipients,
            code: code.to_string(),
        });
        run.theirs.insert(code);
        Ok(())
    }

    /// Binds the run's definition to its list; a list whose import was interrupted is imported now.
    async fn script(
        &self,
        store: &dyn Store,
        run: &Run,
        campaign: &Campaign,
    ) -> Result<Script, Error> {
        if let Some(header) = &run.header {
            return Ok(campaign.bind(header, &campaign.recipients.file)?);
        }
        self.tell(Notice::ImportingAgain);
        let only_of = run.planned.only_of.as_ref().map(RunId::as_str);
        let terms = Terms {
            lists: store.suppressions().await?,
            now: self.clock.wall(),
            spend: run.spend.as_ref(),
            only: not_reached_by(store, only_of).await?,
            planned: run.planned.list_sha256.as_deref(),
        };
        let (_, script) = import(self, store, &run.id, campaign, terms).await?;
        Ok(script)
    }
}

/// The run that was named; else the latest unfinished one, else the latest.
async fn choose(store: &dyn Store, wanted: Option<&str>) -> Result<Run, Error> {
    if wanted.is_none() {
        let runs = of_campaigns(store).await?;
        if let Some(run) = runs.iter().find(|run| run.state.unfinished()) {
            return Ok(store.run(&run.id).await?);
        }
    }
    find(store, wanted).await
}
