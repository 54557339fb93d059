//! What a list is screened against when it is read: who must not be called, and whom an earlier run
//! reached.

use jiff::Timestamp;

use super::{Destination, DestinationKind, NotReachedBy, Suppression, Suppressions};

/// What a list is screened against: the suppression lists as they are at a moment.
#[derive(Debug, Clone, Copy)]
pub struct Screen<'a> {
    /// The lists; none where nobody is screened.
    pub lists: Option<&'a Suppressions>,
    /// The moment at which entries of the lists may have expired.
    pub now: Timestamp,
    /// Where only those are called whom an earlier run did not reach.
    pub only: Option<&'a NotReachedBy>,
}

impl<'a> Screen<'a> {
    /// A screen that lets everybody through.
    pub fn none() -> Self {
        Self {
            lists: None,
            now: Timestamp::UNIX_EPOCH,
            only: None,
        }
    }

    /// Why somebody is left out for what an earlier run did.
    pub fn leaves_out(&self, to: &Destination) -> Option<String> {
        self.only?.against(&to.endpoint)
    }

    /// Why somebody must not be called.
    pub fn against(&self, to: &Destination) -> Option<&'a Suppression> {
        match to.kind {
            DestinationKind::Number => self.lists?.contains(&to.endpoint, self.now),
            DestinationKind::Username | DestinationKind::Sip => None,
        }
    }
}
