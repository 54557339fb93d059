//! A store in memory: what an engine asks of one, and what is done with runs, without a file. It keeps every
//! promise of the suite in `tests/store/conformance`, and the core's world lives on it.

mod engine;
mod group;
mod runs;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use callout::domain::{
    AttemptId, AttemptKey, AttemptState, Charges, Hold, InCall, Legs, RecipientId, RecipientState,
    Refusal, RunId, Standing, Tally, Tried, Zones,
};
use callout::store::{Fact, Run, StoreError};
use jiff::Timestamp;
use rust_decimal::Decimal;

/// The due time of whoever is held: after everybody else.
const HELD: i64 = i64::MAX;

/// A row of a list, as it was imported.
#[derive(Debug)]
struct Listed {
    run: RunId,
    line: u64,
    /// The cells, as a JSON array.
    cells: String,
    endpoint: Option<String>,
    zones: Option<Zones>,
    hold: Option<Hold>,
}

/// A recipient as they stand.
#[derive(Debug, Clone)]
pub(crate) struct Recipient {
    listed: Arc<Listed>,
    pub(crate) state: RecipientState,
    /// From when on they are to be called, in milliseconds, where they are.
    pub(crate) due_at: i64,
    pub(crate) tried: Tried,
    /// The same before the attempt after which they wait.
    tried_before: Tried,
    /// Why they are done, where their disposition does not say it.
    reason: Option<String>,
    /// The latest attempt on them: only that can be one that is not over.
    attempt: Option<AttemptKey>,
}

impl Recipient {
    /// Whether they are still to be called, now or later.
    pub(crate) fn is_to_call(&self) -> bool {
        use RecipientState as S;
        matches!(self.state, S::Pending | S::Waiting)
    }
}

/// An attempt as it stands.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    pub(crate) id: AttemptId,
    pub(crate) recipient: RecipientId,
    pub(crate) hold: Option<Decimal>,
    pub(crate) state: AttemptState,
    pub(crate) intended_at: Timestamp,
    /// When it was answered first, or given up.
    pub(crate) answered_at: Option<Timestamp>,
    /// Its refusal, which stays known once that is taken back.
    refusal: Option<Refusal>,
}

/// All that is stored.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    pub(crate) recipients: BTreeMap<i64, Recipient>,
    pub(crate) attempts: BTreeMap<i64, Attempt>,
    /// What was heard in calls: of which attempt, in which menu, or 0 for who answered; and on whom.
    pub(crate) heard: BTreeMap<(i64, u32), (RecipientId, InCall)>,
    /// Oldest first.
    runs: Vec<Run>,
    /// The runs that were started for occurrences of campaigns.
    occurrences: BTreeMap<(String, Timestamp), RunId>,
    /// What was kept aside, each time for a run.
    aside: Vec<(RunId, Vec<Fact>)>,
    /// The run that an engine works on: an empty id where it has not said so yet.
    at_work: Option<RunId>,
}

impl Tables {
    fn run(&self, id: &RunId) -> Result<&Run, StoreError> {
        let run = self.runs.iter().find(|run| run.id == *id);
        run.ok_or_else(|| StoreError::NoRun(id.to_string()))
    }

    fn run_mut(&mut self, id: &RunId) -> Result<&mut Run, StoreError> {
        let run = self.runs.iter_mut().find(|run| run.id == *id);
        run.ok_or_else(|| StoreError::NoRun(id.to_string()))
    }

    fn recipients_of(&self, run: &RunId) -> impl DoubleEndedIterator<Item = (i64, &Recipient)> {
        let all = self.recipients.iter().map(|(id, who)| (*id, who));
        all.filter(move |(_, who)| who.listed.run == *run)
    }

    /// The attempts of a run with those on whom they are made, oldest first.
    fn attempts_of(
        &self,
        run: &RunId,
    ) -> impl DoubleEndedIterator<Item = (AttemptKey, &Attempt, &Recipient)> {
        let all = self.attempts.iter().map(|(key, attempt)| {
            let who = &self.recipients[&attempt.recipient.0];
            (AttemptKey(*key), attempt, who)
        });
        all.filter(move |(_, _, who)| who.listed.run == *run)
    }

    /// What attempts count against a cap.
    fn charges<'a>(attempts: impl Iterator<Item = &'a Attempt>) -> Vec<Charges> {
        let charges = attempts.map(|attempt| Charges {
            standing: Standing::from(&attempt.state),
            hold: attempt.hold,
            legs: Legs::None,
            attempts: 1,
        });
        charges.collect()
    }

    /// The counts of a run's rows and attempts; what they cost is left out.
    fn tally(&self, run: &RunId) -> Tally {
        let mut tally = Tally::default();
        for (_, who) in self.recipients_of(run) {
            tally.rows += 1;
            match who.state {
                RecipientState::Pending => tally.pending += 1,
                RecipientState::Waiting => tally.waiting += 1,
                RecipientState::InFlight => tally.in_flight += 1,
                RecipientState::Done(disposition) => {
                    *tally.dispositions.entry(disposition).or_default() += 1;
                }
            }
        }
        for (_, attempt, _) in self.attempts_of(run) {
            let stage = attempt.state.stage();
            tally.first_at = tally.first_at.or(Some(attempt.intended_at));
            tally.last_at = tally.last_at.max(Some(attempt.intended_at));
            if !stage.counts() {
                tally.not_sent += 1;
                continue;
            }
            let (result, reason) = match &attempt.state {
                AttemptState::Final { outcome, .. } => (&outcome.result, &outcome.reason),
                _ => (&None, &None),
            };
            let [result, reason] = [result, reason].map(|said| said.clone().unwrap_or_default());
            *tally.outcomes.entry((stage, result, reason)).or_default() += 1;
        }
        tally
    }
}

/// Who has a store in memory open. What is stored is gone with the last of them.
#[derive(Debug)]
pub(crate) struct Memory {
    tables: Arc<Mutex<Tables>>,
    /// Whether this is its one engine.
    is_engine: bool,
}

impl Memory {
    /// A store with nothing in it, for whoever stands beside its engine.
    pub(crate) fn empty() -> Self {
        Self {
            tables: Arc::default(),
            is_engine: false,
        }
    }

    /// The same store, for another who stands beside its engine.
    pub(crate) fn beside(&self) -> Self {
        Self {
            tables: Arc::clone(&self.tables),
            is_engine: false,
        }
    }

    /// The same store, for its one engine.
    pub(crate) fn engine(&self) -> Result<Self, StoreError> {
        let mut tables = self.tables();
        if tables.at_work.is_some() {
            return Err(StoreError::InUse("memory".into()));
        }
        tables.at_work = Some(RunId::new(""));
        Ok(Self {
            tables: Arc::clone(&self.tables),
            is_engine: true,
        })
    }

    /// All that is stored, while nobody else looks at it.
    pub(crate) fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The run that an engine works on: an empty id where it has not said so yet, none where no engine
    /// is at work.
    pub(crate) fn at_work(&self) -> Option<RunId> {
        self.tables().at_work.clone()
    }

    /// The counts of a run, from its rows; what they cost is left out.
    pub(crate) fn tally(&self, run: &RunId) -> Tally {
        self.tables().tally(run)
    }

    /// Refuses whoever is not the engine.
    fn as_engine(&self) -> Result<MutexGuard<'_, Tables>, StoreError> {
        if self.is_engine {
            Ok(self.tables())
        } else {
            let only = "only the engine keeps answers aside, and reads them back";
            Err(StoreError::Database(only.into()))
        }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        if self.is_engine {
            self.tables().at_work = None;
        }
    }
}
