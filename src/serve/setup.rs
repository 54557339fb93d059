//! What a receiver works with.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use super::answers::Answers;
use crate::clock::Clock;
use crate::sinch::auth::Credentials;
use crate::store::Inbox;

/// What a receiver works with.
#[derive(Clone)]
pub struct Setup {
    /// Where it listens. Port 0 takes any free port.
    pub address: SocketAddr,
    /// The application's key and secret.
    pub credentials: Credentials,
    /// The path of the public address, without a slash at its end; empty where that has none.
    pub public_path: String,
    /// Where events are kept.
    pub inbox: Arc<dyn Inbox>,
    /// Who knows what is said next in a call.
    pub answers: Arc<dyn Answers>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
