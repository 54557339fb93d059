//! What an engine makes durable together.

use crate::domain::{AttemptKey, RunId};
use crate::store::{EngineStore, Fact, Intent, StoreError};

/// What is made durable together.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) intents: Vec<Intent>,
    pub(super) facts: Vec<Fact>,
}

impl Group {
    pub(super) fn is_empty(&self) -> bool {
        self.intents.is_empty() && self.facts.is_empty()
    }

    /// Makes it durable; where it has no intent, only facts are. Returns which intents stand.
    pub(super) async fn commit(
        &self,
        store: &dyn EngineStore,
        run: &RunId,
    ) -> Result<Vec<AttemptKey>, StoreError> {
        if self.intents.is_empty() {
            store.record(run, &self.facts).await?;
            return Ok(Vec::new());
        }
        store.intend(run, &self.intents, &self.facts).await
    }
}
