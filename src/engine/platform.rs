//! Where callouts go: the platform behind the API's client, or a world in virtual time.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::domain::{AttemptId, CallId, Callout, Observation, Verdict};
use crate::sinch::Client;

/// What an engine asks of the platform.
#[async_trait]
pub trait Platform: Debug + Send + Sync {
    /// `POST`s a callout, once.
    async fn post(&self, callout: &Callout, id: AttemptId) -> Verdict;

    /// Asks how a call stands.
    async fn get(&self, call: &CallId) -> Observation;

    /// Hangs a call up. Returns whether the platform says that it did.
    async fn hang_up(&self, call: &CallId) -> bool;
}

#[async_trait]
impl Platform for Client {
    async fn post(&self, callout: &Callout, id: AttemptId) -> Verdict {
        self.post_callout(callout, id).await
    }

    async fn get(&self, call: &CallId) -> Observation {
        self.get_call(call).await
    }

    async fn hang_up(&self, call: &CallId) -> bool {
        match self.hang_up_call(call).await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(call.id = %call, %error, "a call that lasts too long goes on");
                false
            }
        }
    }
}
