//! Settling attempts: what a person's word and the platform's records share.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::World;
use super::exit::Failure;
use crate::campaign::Campaign;
use crate::domain::{AttemptId, AttemptKey, CallId, Outcome, RecipientId, RetryPolicy, Stage};
use crate::entropy::Entropy;
use crate::store::{self, Access, Run, Settlement, Store, StoreError, Unsettled};

/// Attempts read at a time.
const PAGE: u32 = 1000;
/// Attempts that are settled in one transaction: no engine at work waits for longer.
const TOGETHER: usize = 200;

/// Hands over every attempt of a run of which something is still to be known, in the list's order.
pub(super) async fn each_unsettled(
    store: &dyn Store,
    run: &Run,
    mut each: impl FnMut(Unsettled),
) -> Result<(), Failure> {
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

/// Whether an engine at work on its run moves an attempt that stands there.
pub(super) fn in_hand(stage: Stage) -> bool {
    matches!(stage, Stage::Intended | Stage::Accepted)
}

/// What is known of an attempt.
pub(super) struct Known {
    pub(super) attempt: AttemptId,
    /// How its call ended; none where there was none.
    pub(super) called: Option<Outcome>,
    pub(super) call: Option<CallId>,
    pub(super) why: String,
    /// Whether an engine that works on the run moves it itself.
    pub(super) in_hand: bool,
}

/// Attempts that were not settled.
#[derive(Default)]
pub(super) struct Left {
    /// Nothing new was said of them, or they were moved meanwhile.
    pub(super) as_they_were: BTreeSet<AttemptId>,
    /// An engine has them in hand.
    pub(super) in_hand: BTreeSet<AttemptId>,
}

/// Somebody at work on the attempts of a run of which something is to be known.
pub(super) struct Settling<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) run: &'a Run,
    pub(super) now: Timestamp,
    /// The database's address.
    db: &'a str,
    who: String,
    retry: RetryPolicy,
    entropy: Entropy,
}

impl<'a> Settling<'a> {
    pub(super) fn new(
        (store, db): (&'a dyn Store, &'a str),
        run: &'a Run,
        who: String,
        world: World,
    ) -> Self {
        // A definition that was deleted with the people calls nobody again.
        let kept = run.blackout_file.as_deref();
        let campaign = Campaign::parse_kept(&run.definition, &run.definition_path, kept);
        Self {
            store,
            run,
            now: world.clock.wall(),
            db,
            who,
            retry: campaign.map(|campaign| campaign.retry).unwrap_or_default(),
            entropy: world.entropy,
        }
    }

    /// Whether an engine works on the run, or is about to.
    pub(super) async fn engine_at_work(&self) -> Result<bool, Failure> {
        let at_work = self.store.engine_at_work().await?;
        Ok(at_work.is_some_and(|id| id == self.run.id || id.as_str().is_empty()))
    }

    /// Settles attempts. Where no engine is at work none begins meanwhile; where one works on this run,
    /// what it has in hand is left to it.
    pub(super) async fn settle(
        &mut self,
        known: impl IntoIterator<Item = Known>,
    ) -> Result<Left, Failure> {
        let alone = match store::open(self.db, Access::EngineOfExisting, None).await {
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
    ) -> Result<(), Failure> {
        let one = |known: Known| Settlement {
            attempt: known.attempt,
            called: known.called,
            call: known.call,
            why: known.why,
            who: self.who.clone(),
            at: self.now,
            retry: self.retry.clone(),
            chance: self.entropy.fraction(),
        };
        let settlements: Vec<Settlement> = group.into_iter().map(one).collect();
        let untouched = store.settle(&self.run.id, &settlements).await?;
        left.as_they_were.extend(untouched);
        Ok(())
    }
}
