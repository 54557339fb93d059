//! The database's inbox as an engine reads it.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::clock::Clock;
use crate::domain::{EventNumber, News, RunId, Says};
use crate::engine::Incoming;
use crate::sinch::events::Event;
use crate::store::{LATE, Owner, Received, Store, StoreError};

/// Events read at a time.
const PAGE: u32 = 500;

/// The inbox, as the engine of one run reads it.
pub(super) struct InboxEar {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    run: RunId,
}

impl InboxEar {
    pub(super) fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, run: RunId) -> Self {
        Self { store, clock, run }
    }
}

impl fmt::Debug for InboxEar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboxEar")
            .field("run", &self.run)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Incoming for InboxEar {
    async fn read(&self, after: EventNumber) -> Result<Vec<(EventNumber, News)>, StoreError> {
        let page = self.store.pending(after, PAGE).await?;
        Ok(page
            .into_iter()
            .map(|received| (received.number, news(received)))
            .collect())
    }

    async fn handled(&self, events: Vec<EventNumber>) -> Result<(), StoreError> {
        let owner = Owner::Run(self.run.clone());
        let events: Vec<_> = events
            .into_iter()
            .map(|number| (number, owner.clone()))
            .collect();
        self.store.handled(&events, self.clock.wall()).await
    }
}

/// What an event that was kept tells.
pub(super) fn news(received: Received) -> News {
    let arrival = received.arrival;
    let read = Event::parse(&arrival.body);
    match read {
        Ok(event) if arrival.kind != LATE => event.news(),
        // Whatever was kept was read as an event before.
        read => News {
            attempt: arrival.attempt,
            call: arrival.call,
            says: if read.is_ok() {
                Says::Ask
            } else {
                Says::GoesOn
            },
            signal: None,
        },
    }
}
