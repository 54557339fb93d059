//! Where callouts go, as an engine sees it. The API's client is one such place (`app/platform.rs`), a
//! simulated world in virtual time another.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::domain::{AttemptId, CallId, Callout, Observation, Verdict};

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
