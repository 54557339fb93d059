//! What an engine is given before it begins, and what it reads of its run then.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::core::{Core, Now, Pace, Predecessor, Rules};
use super::incoming::Incoming;
use super::noes::Noes;
use super::platform::Platform;
use super::timeline::Time;
use crate::domain::{Budget, Callout, RunId, Spend, SpendAccount};
use crate::entropy::Entropy;
use crate::store::{Due, EngineStore, StoreError};

/// Makes the callout for a recipient from the run's own definition. An error is our fault.
pub type Render = Arc<dyn Fn(&Due) -> Result<Callout, String> + Send + Sync>;

/// What an engine is given: a run, and all that it needs to work on it.
pub struct Assignment {
    /// Where the run is kept; opened as the engine.
    pub store: Arc<dyn EngineStore>,
    /// Where callouts go.
    pub platform: Arc<dyn Platform>,
    /// How a callout is made.
    pub render: Render,
    /// The time, as it goes by or as the engine moves it on.
    pub time: Time,
    /// The id of the run.
    pub run: RunId,
    /// Who worked on it before.
    pub predecessor: Predecessor,
    /// The campaign's rate, and how many calls may go on at once.
    pub pace: Pace,
    /// Who may be called when.
    pub rules: Rules,
    /// Where it hears what the platform tells by itself; none where nobody receives that.
    pub incoming: Option<Arc<dyn Incoming>>,
    /// Whether the platform is expected to tell of every call.
    pub told: bool,
    /// How long a call lasts at most in which somebody is asked something; none: nobody is.
    pub talks: Option<Duration>,
    /// Who said to this process that they are never to be called again.
    pub noes: Arc<Noes>,
    /// What it may cost; none: no cap of ours.
    pub spend: Option<Spend>,
}

impl std::fmt::Debug for Assignment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Assignment")
            .field("run", &self.run)
            .field("pace", &self.pace)
            .finish_non_exhaustive()
    }
}

impl Assignment {
    /// A core for it, which begins with the attempt key `next_key`.
    pub(super) fn core(&self, next_key: i64, entropy: Entropy, now: Now) -> Core {
        let rules = self.rules.clone();
        Core::new(self.pace, rules, self.predecessor, next_key, entropy, now)
    }

    /// What may still be spent, by what the database says is billed and held in the run and, of
    /// days that matter, in all runs of its campaign.
    pub(super) async fn budget(
        &self,
        campaign: &str,
        now: Timestamp,
    ) -> Result<Option<Budget>, StoreError> {
        let Some(spend) = &self.spend else {
            return Ok(None);
        };
        let charges = self.store.charges(&self.run).await?;
        let committed = SpendAccount::of(spend, &charges).committed();
        let mut days = Vec::new();
        let wanted = Budget::days_that_matter(spend, now);
        if !wanted.is_empty() {
            let today = spend.zone().to_datetime(now).date();
            let mut end = now;
            for (day, from, until) in wanted {
                let within = self.store.charges_within(campaign, from, until);
                let mut charges = within.await?;
                if day == today {
                    charges.extend(self.store.charges_ahead(campaign, (from, until)).await?);
                }
                days.push((day, SpendAccount::of(spend, &charges).committed()));
                end = until;
            }
            // Days of a clock that was ahead: they stay counted when they come.
            while let Some(at) = self.store.intended_from(campaign, end).await?
                && let Some((day, from, until)) = Budget::day_of(spend, at)
            {
                let charges = self.store.charges_within(campaign, from, until).await?;
                days.push((day, SpendAccount::of(spend, &charges).committed()));
                end = until;
            }
        }
        Ok(Some(Budget::new(spend.clone(), committed, days, now)))
    }
}
