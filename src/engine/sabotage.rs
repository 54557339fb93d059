//! Planted bugs, for the test of the tests. Debug builds only: a release has none of this.
//!
//! A torture test that would not notice these proves nothing, so it is run with each of them and
//! must fail.

use jiff::Timestamp;

use crate::domain::{AttemptKey, RecipientId, RetryPolicy, RunId, Stage};
use crate::store::{Settlement, Store, StoreError};

/// A bug to plant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// After a restart, what is uncertain is dialled again.
    RedialOnRestart,
    /// The POST leaves before its intent is durable.
    PostBeforeCommit,
}

impl Sabotage {
    /// Reads the name that a test gives in the environment.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "redial-on-restart" => Some(Self::RedialOnRestart),
            "post-before-commit" => Some(Self::PostBeforeCommit),
            _ => None,
        }
    }
}

/// After a restart: settles what is uncertain as not called.
pub(super) async fn redial(
    store: &dyn Store,
    run: &RunId,
    at: Timestamp,
) -> Result<(), StoreError> {
    let start = (RecipientId(0), AttemptKey(0));
    for unsettled in store.unsettled(run, start, u32::MAX).await? {
        if unsettled.attempt.stage == Stage::Uncertain {
            let settlement = Settlement {
                attempt: unsettled.attempt.id,
                call: None,
                called: None,
                why: "planted bug".into(),
                who: "sabotage".into(),
                at,
                retry: RetryPolicy::default(),
                chance: 0.0,
            };
            store.settle(run, &[settlement]).await?;
        }
    }
    Ok(())
}
