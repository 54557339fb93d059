//! Attempts of which something is still to be known: what a person's word ([`Settling::by_hand`]) and the
//! platform's records (`cdr`) share.

mod cdr;

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::runs::rules;
use super::{App, Error, Refusal};
use crate::campaign::Campaign;
use crate::domain::{
    AttemptId, AttemptKey, CallFlow, CallId, Outcome, RecipientId, RetryPolicy, RunId, Stage,
    Wanted, Word,
};
use crate::store::{Access, Resolution, Run, Store, StoreError, Unsettled};

pub(crate) use cdr::{Findings, Records};

/// Attempts read at a time.
const PAGE: u32 = 1000;
/// Attempts that are settled in one transaction: no engine at work waits for longer.
const TOGETHER: usize = 200;

/// Hands over every attempt of a run of which something is still to be known, in the list's order.
pub(crate) async fn each_unsettled(
    store: &dyn Store,
    run: &Run,
    mut each: impl FnMut(Unsettled),
) -> Result<(), Error> {
    let mut after = (RecipientId(0), AttemptKey(0));
    loop {
        let page = store.unsettled(&run.id, after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = (last.recipient, last.key);
        page.into_iter().for_each(&mut each);
    }
}

/// What a run's own definition says of calls that are over.
#[derive(Clone, Default)]
pub(crate) struct KeptRules {
    /// Who is called again.
    pub(crate) retry: RetryPolicy,
    /// What happens in a call; none where nothing is asked in it.
    pub(crate) flow: Option<Arc<CallFlow<()>>>,
}

impl KeptRules {
    /// What a call must bring beside its answer.
    pub(crate) fn wanted(&self) -> Wanted {
        let wanted = self.flow.as_ref().map(|flow| flow.wanted());
        wanted.unwrap_or_default()
    }

    /// The rules of a run. A definition that was deleted with the people calls nobody again.
    pub(crate) fn of(run: &Run) -> Self {
        let dates = run.blackout_file.as_deref();
        let campaign = Campaign::parse_kept(&run.definition, &run.definition_path, dates);
        campaign
            .map(|campaign| {
                let rules = rules(&campaign, run.created_at);
                Self {
                    retry: rules.retry,
                    flow: rules.flow,
                }
            })
            .unwrap_or_default()
    }
}

/// Whether an engine at work on its run moves an attempt that stands there.
pub(crate) fn in_hand(stage: Stage) -> bool {
    matches!(stage, Stage::Intended | Stage::Accepted)
}

/// What is known of an attempt.
pub(crate) struct Known {
    pub(crate) attempt: AttemptId,
    /// How its call ended; none where there was none.
    pub(crate) called: Option<Outcome>,
    pub(crate) call: Option<CallId>,
    pub(crate) word: Word,
    pub(crate) why: String,
    /// Whether an engine that works on the run moves it itself.
    pub(crate) in_hand: bool,
}

/// Attempts that were not settled.
#[derive(Default)]
pub(crate) struct Left {
    /// Nothing new was said of them, or they were moved meanwhile.
    pub(crate) as_they_were: BTreeSet<AttemptId>,
    /// An engine has them in hand.
    pub(crate) in_hand: BTreeSet<AttemptId>,
}

/// Somebody at work on the attempts of a run of which something is to be known.
pub(crate) struct Settling<'a> {
    app: &'a App,
    pub(crate) store: &'a dyn Store,
    pub(crate) run: &'a Run,
    pub(crate) now: Timestamp,
    rules: KeptRules,
}

/// Attempts of a run that are not known.
pub(crate) struct NotKnown {
    /// The uncertain ones.
    pub(crate) uncertain: Vec<Unsettled>,
    /// Other calls that have no result or no price.
    pub(crate) others: u64,
}

impl NotKnown {
    /// For programs.
    pub(crate) fn json(&self, run: &RunId) -> Value {
        let attempt = |row: &Unsettled| {
            json!({
                "attempt": row.attempt.id.to_string(),
                "line": row.line,
                "number": row.destination.as_ref().map(ToString::to_string),
                "intended_at": row.attempt.intended_at.to_string(),
                "note": row.attempt.note,
            })
        };
        json!({
            "run": run.as_str(),
            "uncertain": self.uncertain.iter().map(attempt).collect::<Vec<_>>(),
            "result_or_price_not_known": self.others,
        })
    }
}

impl<'a> Settling<'a> {
    pub(crate) fn new(app: &'a App, store: &'a dyn Store, run: &'a Run) -> Self {
        Self {
            app,
            store,
            run,
            now: app.clock.wall(),
            rules: KeptRules::of(run),
        }
    }

    /// The attempts of the run that are not known.
    pub(crate) async fn not_known(&self) -> Result<NotKnown, Error> {
        let (mut uncertain, mut others) = (Vec::new(), 0);
        each_unsettled(self.store, self.run, |unsettled| {
            let attempt = &unsettled.attempt;
            if attempt.stage == Stage::Uncertain {
                uncertain.push(unsettled);
            } else if attempt.outcome.leaves_open() {
                others += 1;
            }
        })
        .await?;
        Ok(NotKnown { uncertain, others })
    }

    /// A person settles attempts: as called with this result, or as not called. Returns how many were.
    pub(crate) async fn by_hand(
        &mut self,
        chosen: Vec<AttemptId>,
        called: Option<Outcome>,
        why: &str,
    ) -> Result<usize, Error> {
        let known: Vec<Known> = chosen
            .into_iter()
            .map(|attempt| Known {
                attempt,
                called: called.clone(),
                call: None,
                word: Word::Person,
                why: why.to_owned(),
                in_hand: false,
            })
            .collect();
        let all = known.len();
        Ok(all - self.settle(known).await?.as_they_were.len())
    }

    /// Whether an engine works on the run, or is about to.
    pub(crate) async fn engine_at_work(&self) -> Result<bool, Error> {
        Ok(self.store.is_worked_on(&self.run.id).await?)
    }

    /// Settles attempts. Where no engine is at work none begins meanwhile; where one works on this run,
    /// what it has in hand is left to it.
    pub(crate) async fn settle(
        &mut self,
        known: impl IntoIterator<Item = Known>,
    ) -> Result<Left, Error> {
        let alone = match self.app.open(Access::EngineOfExisting).await {
            Ok(store) => Some(store),
            Err(StoreError::InUse(_)) => None,
            Err(error) => return Err(error.into()),
        };
        let mut left = Left::default();
        let mut known = known.into_iter().peekable();
        while known.peek().is_some() {
            let mut group: Vec<Known> = known.by_ref().take(TOGETHER).collect();
            let store: &dyn Store = match &alone {
                Some(store) => store.as_ref(),
                None => self.store,
            };
            if alone.is_none()
                && group.iter().any(|known| known.in_hand)
                && self.engine_at_work().await?
            {
                let theirs = group.extract_if(.., |known| known.in_hand);
                left.in_hand.extend(theirs.map(|known| known.attempt));
            }
            self.settle_group(store, group, &mut left).await?;
        }
        if let Some(store) = alone {
            store.close().await?;
        }
        Ok(left)
    }

    async fn settle_group(
        &mut self,
        store: &dyn Store,
        group: Vec<Known>,
        left: &mut Left,
    ) -> Result<(), Error> {
        let (who, chance) = (&self.app.settings.who, || self.app.entropy().fraction());
        let one = |known: Known| Resolution {
            attempt: known.attempt,
            called: known.called,
            call: known.call,
            word: known.word,
            why: known.why,
            who: who.clone(),
            at: self.now,
            retry: self.rules.retry.clone(),
            wanted: self.rules.wanted(),
            chance: chance(),
        };
        let settlements: Vec<Resolution> = group.into_iter().map(one).collect();
        let untouched = store.resolve(&self.run.id, &settlements).await?;
        left.as_they_were.extend(untouched);
        Ok(())
    }
}

/// Those of the uncertain attempts that were named, each by an unambiguous beginning of its id.
pub(crate) fn chosen(uncertain: &[Unsettled], named: &[String]) -> Result<Vec<AttemptId>, Error> {
    let one = |wanted: &String| {
        let wanted = wanted.to_ascii_lowercase();
        let ids = uncertain.iter().map(|row| row.attempt.id);
        let found: Vec<AttemptId> = ids
            .filter(|id| id.to_string().starts_with(&wanted))
            .collect();
        let why = match found.as_slice() {
            [id] => return Ok(*id),
            [] => format!("no uncertain attempt begins with `{wanted}`"),
            _ => format!("`{wanted}` begins several attempts"),
        };
        Err(Refusal::input("attempt", why).into())
    };
    named.iter().map(one).collect()
}
