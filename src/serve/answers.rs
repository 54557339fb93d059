//! Who knows what is said next in a call, as the receiver sees them.

use std::fmt::Debug;

use async_trait::async_trait;

use super::reply::Talk;
use crate::sinch::events::Event;

/// Who knows what is said next in a call: from the run's own copy of its campaign and of the recipient's row.
#[async_trait]
pub trait Answers: Debug + Send + Sync {
    /// What follows on an event.
    ///
    /// # Errors
    /// In words, where it cannot be found out.
    async fn find(&self, event: &Event) -> Result<Found, String>;

    /// Takes what was pressed into account, durably, before it is answered: the number is on its list.
    ///
    /// # Errors
    /// In words, where that cannot be done.
    async fn take(&self, event: &Event) -> Result<(), String>;

    /// An event is durable that nobody waits for the answer of.
    fn told(&self, event: &Event);
}

/// What follows on an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Its call has no flow.
    Plain,
    /// This is said next.
    Talk(Talk),
    /// The call is nobody's here, or its row is gone.
    Nobodys,
    /// The same, and what was pressed is taken into account all the same.
    Forgotten,
}
