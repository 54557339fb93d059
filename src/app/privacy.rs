//! Personal data: a person is forgotten, and runs that are over lose what they know of people.

use jiff::SignedDuration;

use super::runs::{find_head, unfinished};
use super::{App, Error, Refusal};
use crate::domain::suppression::ERASED;
use crate::domain::{Destination, Digits, RunState, Spellings, Suppression, Tally};
use crate::recipients::national_of;
use crate::report::moments::Zone;
use crate::store::{Access, Erasure, RunHead, Store, StoreError};

/// Runs that are over and may lose their personal data.
#[derive(Debug)]
pub(crate) struct Purgeable {
    store: std::sync::Arc<dyn Store>,
    /// Each with its counts, and the zone of its campaign.
    pub(crate) runs: Vec<(RunHead, Tally, Zone)>,
}

impl App {
    /// Forgets a person, who is not called either. The number is suppressed first, by its keyed hash, and
    /// that holds whatever comes after. Its rows are emptied only while no engine is at work: an engine
    /// has rows in hand.
    pub(crate) async fn erase(&self, number: Digits, why: Option<&str>) -> Result<Erasure, Error> {
        let masked = Destination::number(number.e164()).masked();
        let reason = Suppression {
            list: ERASED.into(),
            who: self.settings.who.clone(),
            at: self.clock.wall(),
            // Whoever says why may write the number, too.
            why: why.map(|why| {
                number.spellings().fold(why.to_owned(), |why, number| {
                    let number = Spellings::of(&number.e164(), &national_of(&number.e164()));
                    number.erased_from(&why).unwrap_or(why)
                })
            }),
            until: None,
        };
        let beside = self.open(Access::Beside).await?;
        let key = self.entropy().key();
        beside.suppress_erased(number, &reason, &key).await?;
        beside.close().await?;
        drop(beside);
        let store = match self.open(Access::EngineOfExisting).await {
            Ok(store) => store,
            Err(StoreError::InUse(_)) => return Err(Error::RowsLeft { masked, open: None }),
            Err(error) => return Err(error.into()),
        };
        self.forget(store.as_ref(), number, &reason, masked).await
    }

    async fn forget(
        &self,
        store: &dyn Store,
        number: Digits,
        reason: &Suppression,
        masked: String,
    ) -> Result<Erasure, Error> {
        for run in store.run_heads("").await? {
            if run.state == RunState::Running {
                // Its engine was killed: what it left is settled first, the side file included.
                store.recover(&run.id, self.clock.wall()).await?;
            }
        }
        let mut open = Vec::new();
        for number in number.spellings() {
            open.extend(store.open_calls_to(number).await?);
        }
        if let Some(call) = open.into_iter().next() {
            store.close().await?;
            let open = Some(call.run);
            return Err(Error::RowsLeft { masked, open });
        }
        let mut all = Erasure::default();
        for number in number.spellings() {
            let national = national_of(&number.e164());
            let shown = self.counting("looking through all runs", None);
            let erased = store.erase(number, &national, reason).await?;
            drop(shown);
            all.rows += erased.rows;
            all.runs += erased.runs;
            all.pending += erased.pending;
            all.texts += erased.texts;
            all.mentions += erased.mentions;
        }
        let _shown = self.counting("writing the database anew", None);
        store.vacuum().await?;
        Ok(all)
    }

    /// The runs that ended so long ago and still have their personal data; or the one that is named.
    pub(crate) async fn purgeable(
        &self,
        wanted: Option<&str>,
        after: SignedDuration,
    ) -> Result<Purgeable, Error> {
        let store = self.open(Access::EngineOfExisting).await?;
        let now = self.clock.wall();
        let due = |run: &RunHead| {
            let ended = run.ended_at;
            ended.is_some_and(|ended| now.duration_since(ended) >= after)
        };
        let chosen = if let Some(wanted) = wanted {
            let run = find_head(store.as_ref(), Some(wanted)).await?;
            let zone = self.zone_of(&store.run(&run.id).await?);
            if run.state.unfinished() {
                return Err(unfinished(run).into());
            }
            if let Some(at) = run.purged_at {
                let at = zone.at(at);
                return Err(Refusal::Purged { run: run.id, at }.into());
            }
            if !due(&run) {
                let ended = run.ended_at.map(|ended| zone.at(ended));
                let run = run.id;
                return Err(Refusal::TooEarly { run, ended }.into());
            }
            vec![run]
        } else {
            let over =
                |run: &RunHead| !run.state.unfinished() && run.purged_at.is_none() && due(run);
            store
                .run_heads("")
                .await?
                .into_iter()
                .filter(over)
                .collect()
        };
        let mut runs = Vec::new();
        for run in chosen {
            let tally = store.tally(&run.id).await?;
            let zone = self.zone_of(&store.run(&run.id).await?);
            runs.push((run, tally, zone));
        }
        Ok(Purgeable { store, runs })
    }

    /// Takes the personal data out of runs; their counts stay.
    pub(crate) async fn purge(&self, purgeable: &Purgeable) -> Result<(), Error> {
        let of = purgeable.runs.len() as u64;
        let counted = self.counting("runs purged", Some(of));
        for (run, ..) in &purgeable.runs {
            purgeable.store.purge(&run.id, self.clock.wall()).await?;
            counted.done.add(1);
        }
        drop(counted);
        let _shown = self.counting("writing the database anew", None);
        Ok(purgeable.store.vacuum().await?)
    }
}

impl Purgeable {
    /// Closes the database.
    pub(crate) async fn close(&self) -> Result<(), Error> {
        Ok(self.store.close().await?)
    }
}
