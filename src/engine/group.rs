//! What an engine makes durable together.

use crate::domain::{AttemptKey, EventNumber, RecipientId, RunId};
use crate::store::{EngineStore, Fact, Intent, StoreError};

/// What is made durable together.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) intents: Vec<Intent>,
    pub(super) facts: Vec<Fact>,
    /// Events that are done with when this is durable.
    pub(super) events: Vec<EventNumber>,
    /// Events that the store takes into account when this is durable: what the core recorded of their
    /// attempts comes first.
    pub(super) observes: Vec<EventNumber>,
}

impl Group {
    pub(super) fn is_empty(&self) -> bool {
        self.intents.is_empty()
            && self.facts.is_empty()
            && self.events.is_empty()
            && self.observes.is_empty()
    }

    /// Whether something of that attempt or its recipient is recorded in it.
    pub(super) fn is_about(&self, attempt: AttemptKey, recipient: RecipientId) -> bool {
        let is_it = |fact: &Fact| match fact {
            Fact::Attempt { key, .. } => *key == attempt,
            _ => fact.moved() == Some(recipient),
        };
        let intended = |intent: &Intent| intent.recipient == recipient;
        self.facts.iter().any(is_it) || self.intents.iter().any(intended)
    }

    /// Makes it durable; where it has no intent, only facts are. Returns which intents stand.
    pub(super) async fn commit(
        &self,
        store: &dyn EngineStore,
        run: &RunId,
    ) -> Result<Vec<AttemptKey>, StoreError> {
        if self.intents.is_empty() && self.facts.is_empty() {
            return Ok(Vec::new());
        }
        if self.intents.is_empty() {
            store.record(run, &self.facts).await?;
            return Ok(Vec::new());
        }
        store.intend(run, &self.intents, &self.facts).await
    }
}
