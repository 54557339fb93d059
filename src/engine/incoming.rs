//! Where an engine hears what the platform tells by itself. The store's inbox is one such place, a simulated
//! world in virtual time another.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;

use crate::domain::{EventNumber, News};
use crate::store::StoreError;

/// What an engine asks of the place to which events come.
#[async_trait]
pub trait Incoming: Debug + Send + Sync {
    /// Events that nobody has taken into account yet, in order: those behind a place.
    async fn read(&self, after: EventNumber) -> Result<Vec<(EventNumber, News)>, StoreError>;

    /// What these tell is durable: they are not to be read again by whoever begins anew. Twice is once.
    async fn handled(&self, events: Vec<EventNumber>) -> Result<(), StoreError>;

    /// In virtual time, when the next event comes, by the monotonic clock; none where none is to come.
    fn next_at(&self) -> Option<Duration> {
        None
    }
}
