//! Beginning a run: one way for a person, a schedule and a rehearsal.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::again::{is_asked, not_reached_by};
use super::import::{Terms, import};
use super::work::{Work, rate, rules};
use crate::app::plan::{Fingerprint, Plan};
use crate::app::{App, Error, Notice, Refusal};
use crate::campaign::Campaign;
use crate::domain::{NotReachedBy, RunId, Screen, Suppressions};
use crate::engine::{Pace, Predecessor, Time};
use crate::sinch::Client;
use crate::store::{Access, NewRun, Planned, RunHead, Store, StoreError};

/// What a person says before anything is dialled.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Assurances {
    /// The clock is right, though the database has seen a later time.
    pub(crate) clock_is_right: bool,
    /// Calls that the database does not know of are accepted.
    pub(crate) unknown_calls: bool,
}

/// How the list of a run is looked at before it begins.
pub(crate) struct Looking<'a> {
    pub(crate) app: &'a App,
    pub(crate) campaign: &'a Campaign,
    pub(crate) client: &'a Client,
    pub(crate) store: &'a dyn Store,
    /// Where only those are called whom an earlier run did not reach.
    pub(crate) only: Option<&'a NotReachedBy>,
    /// The plan that is run, where one was named.
    pub(crate) planned: Option<&'a Fingerprint>,
}

impl Looking<'_> {
    /// The plan that a person is shown, with prices of this moment.
    pub(crate) async fn shown(&self) -> Result<Plan, Error> {
        let mut plan = self.priced(&self.store.suppressions().await?).await?;
        plan.database = Some(self.app.settings.database.clone());
        Ok(plan)
    }

    /// What is looked at where nobody is asked: a run whose people were called lately is refused unless
    /// they are called `again` on purpose; starts of a schedule are not. None where nothing needs a look.
    pub(crate) async fn unasked(
        &self,
        again: bool,
        scheduled: bool,
    ) -> Result<Option<Plan>, Error> {
        let (name, now) = (&self.campaign.name, self.app.clock.wall());
        if self.planned.is_some() && scheduled {
            let lists = self.store.suppressions().await?;
            Ok(Some(self.priced(&lists).await?))
        } else if !again && !scheduled && is_asked(self.store, name, now).await? {
            let lists = self.store.suppressions().await?;
            let plan = self.plan(&lists).await?;
            match plan.again() {
                Some(again) => Err(again.refusal().into()),
                None => Ok(Some(plan)),
            }
        } else {
            Ok(None)
        }
    }

    /// The plan as it is now, compared with the earlier runs.
    async fn plan(&self, lists: &Suppressions) -> Result<Plan, Error> {
        let now = self.app.clock.wall();
        let screen = Screen {
            lists: Some(lists),
            now,
            only: self.only,
        };
        let mut plan = Plan::of(self.app, self.campaign, screen, now)?;
        plan.compare(self.store, self.only).await?;
        Ok(plan)
    }

    /// The same with prices of this moment; refused where it is not the one that was planned.
    async fn priced(&self, lists: &Suppressions) -> Result<Plan, Error> {
        let mut plan = self.plan(lists).await?;
        let anew = self.planned.is_some() || self.campaign.spend.is_some();
        plan.price(self.client, self.app, anew).await;
        if let Some(planned) = self.planned {
            let changed = planned.changed(&plan.fingerprint());
            if !changed.is_empty() {
                return Err(Refusal::NotAsPlanned(changed).into());
            }
        }
        Ok(plan)
    }
}

/// What a run notes of the plan that was looked at. A start that is waited for finds a new list; else it
/// is the list that was looked at.
pub(crate) fn noted(plan: Option<&Plan>, only_of: Option<RunId>, scheduled: bool) -> Planned {
    let plan = plan.filter(|_| !scheduled);
    Planned {
        only_of,
        list_sha256: plan.map(|plan| plan.list_sha256().to_owned()),
        ..Planned::default()
    }
}

/// Why a run did not begin.
#[derive(Debug)]
pub(crate) enum NotBegun {
    /// Another process was quicker: its occurrence is taken, or another run of the campaign goes on.
    Taken(Error),
    /// Something else.
    Error(Error),
}

impl From<StoreError> for NotBegun {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::OccurrenceTaken { .. } => Self::Taken(error.into()),
            StoreError::Unfinished {
                run,
                campaign,
                state,
            } => Self::Taken(
                Refusal::Unfinished {
                    run,
                    campaign,
                    state,
                }
                .into(),
            ),
            _ => Self::Error(error.into()),
        }
    }
}

impl From<Error> for NotBegun {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<NotBegun> for Error {
    fn from(why: NotBegun) -> Self {
        match why {
            NotBegun::Taken(error) | NotBegun::Error(error) => error,
        }
    }
}

impl App {
    /// Opens the database as its engine, sure that it is the latest and that the clock is right.
    pub(crate) async fn ready_to_dial(
        &self,
        access: Access,
        assured: Assurances,
    ) -> Result<Arc<dyn Store>, Error> {
        let store = self.open(access).await?;
        self.be_sure(store.as_ref(), assured.unknown_calls).await?;
        self.refuse_set_back(store.as_ref(), assured.clock_is_right)
            .await?;
        Ok(store)
    }

    /// The record of a run that begins.
    pub(crate) fn new_run(&self, campaign: &Campaign, platform: String, rehearsal: bool) -> NewRun {
        NewRun {
            id: self.entropy().run_id(),
            campaign: campaign.name.clone(),
            definition: campaign.source().to_owned(),
            definition_path: absolute(campaign.path()),
            blackout_file: campaign.blackout_file.clone(),
            rehearsal,
            platform,
            created_at: self.clock.wall(),
            scheduled_for: None,
            expires_at: None,
            spend: None,
            planned: Planned::default(),
        }
    }

    /// Writes a run down and imports its list. Where that cannot be done, the run is forgotten.
    pub(crate) async fn begin(
        &self,
        store: Arc<dyn Store>,
        campaign: &Campaign,
        client: Client,
        mut new: NewRun,
        planned: Option<&Fingerprint>,
    ) -> Result<Work<'_>, NotBegun> {
        let calls_per_second = rate(campaign)?;
        let lists = store.suppressions().await?;
        let only_of = new.planned.only_of.clone();
        let only = not_reached_by(store.as_ref(), only_of.as_ref().map(RunId::as_str)).await?;
        let asks_for_prices = campaign.spend.as_ref().is_some_and(|s| s.rates.is_none());
        new.spend.clone_from(&campaign.spend);
        if planned.is_some() || asks_for_prices {
            let looking = Looking {
                app: self,
                campaign,
                client: &client,
                store: store.as_ref(),
                only: only.as_ref(),
                planned,
            };
            let plan = looking.priced(&lists).await?;
            new.spend = plan.spend_for_run()?;
            if let Some(planned) = planned {
                new.planned.hash = Some(planned.to_string());
                new.planned.list_sha256 = Some(plan.list_sha256().to_owned());
            }
        }
        let hearing = self.hearing(&store, (&new.id, campaign), &client).await?;
        // Whoever finds the run finds its engine at work as well.
        store.take_run(&new.id).await?;
        store.create_run(&new).await?;
        let terms = Terms {
            lists,
            now: new.created_at,
            spend: new.spend.as_ref(),
            only,
            planned: new.planned.list_sha256.as_deref(),
        };
        let imported = import(self, store.as_ref(), &new.id, campaign, terms).await;
        let (list, script) = match imported {
            Ok(imported) => imported,
            Err(error) => {
                store.forget_planned(&new.id).await?;
                return Err(error.into());
            }
        };
        self.tell(Notice::Begun {
            run: new.id.clone(),
            list,
            only_of,
        });
        Ok(Work {
            app: self,
            store,
            platform: Arc::new(client),
            hearing,
            time: Time::Live(Arc::clone(&self.clock)),
            script,
            at_the_dial: None,
            kind: campaign.recipients.destination_kind,
            run: new.id,
            campaign: new.campaign,
            predecessor: Predecessor::Nobody,
            pace: Pace {
                calls_per_second,
                concurrent_calls: campaign.pacing.concurrent_calls,
            },
            rules: rules(campaign, new.created_at),
            talks: campaign.talks_at_most(),
            spend: new.spend,
            output: None,
        })
    }
}

/// Refuses a campaign of which a run is not over, before anything is asked or looked at. Two that begin at
/// once are told apart where the run is written down.
pub(crate) async fn refuse_second_run(store: &dyn Store, campaign: &Campaign) -> Result<(), Error> {
    match store.unfinished(&campaign.name).await?.into_iter().next() {
        Some(run) => Err(unfinished(run).into()),
        None => Ok(()),
    }
}

/// Says that a run is not over.
pub(crate) fn unfinished(run: RunHead) -> Refusal {
    Refusal::Unfinished {
        run: run.id,
        campaign: run.campaign,
        state: run.state,
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
