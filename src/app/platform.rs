//! The API's client as the platform that an engine calls through.

use async_trait::async_trait;

use crate::domain::{AttemptId, CallId, Callout, Observation, Verdict};
use crate::engine::Platform;
use crate::sinch::Client;

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
