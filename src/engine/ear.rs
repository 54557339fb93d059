//! What an engine keeps of the events that it hears.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::core::Heard;
use super::incoming::Incoming;
use crate::domain::{EventNumber, News};
use crate::entropy::Entropy;
use crate::store::Whose;

/// Events, and whose they are.
pub(super) type Page = Vec<(EventNumber, News, Option<Whose>)>;

/// The events that an engine has heard and is not done with.
pub(super) struct Hearing {
    pub(super) incoming: Arc<dyn Incoming>,
    pub(super) entropy: Entropy,
    pub(super) after: EventNumber,
    pub(super) reading: bool,
    /// When it was looked last.
    pub(super) looked_at: Duration,
    pub(super) look_at: Duration,
    /// Events of the run that are not done with.
    pub(super) open: HashMap<EventNumber, Heard>,
    /// Those that the store is to take into account, one after the other: what one changes decides whose the
    /// next one is.
    pub(super) waiting: VecDeque<EventNumber>,
    /// Whether it does so now.
    pub(super) observing: bool,
    /// Those of which what they told is durable, which is to be written down by and by.
    pub(super) done: Vec<EventNumber>,
    pub(super) write_done_at: Duration,
}

impl Hearing {
    pub(super) fn of(incoming: Arc<dyn Incoming>, entropy: Entropy) -> Self {
        Self {
            incoming,
            entropy,
            after: EventNumber(0),
            reading: false,
            looked_at: Duration::ZERO,
            look_at: Duration::ZERO,
            open: HashMap::new(),
            waiting: VecDeque::new(),
            observing: false,
            done: Vec::new(),
            write_done_at: Duration::ZERO,
        }
    }

    /// When it is looked next whether anything came.
    pub(super) fn wake_at(&self, live: bool) -> Option<Duration> {
        match (self.reading, live) {
            (true, _) => None,
            (false, true) => Some(self.look_at),
            (false, false) => self.incoming.next_at(),
        }
    }
}
