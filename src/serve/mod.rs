//! The receiver: the platform's events over HTTP, durable before they are answered.
//!
//! It knows the inbox, the platform's signatures and events, and nothing of runs, engines or databases.
//! `refusal` has why a request is not taken, `door` what becomes of one (pure), `reply` what an event is answered
//! with, `desk` what all connections share, `seats` who is let in, `setup` what it works with, `receiver` the
//! thread that it lives on.

mod desk;
mod door;
mod receiver;
mod refusal;
mod reply;
mod seats;
mod setup;

pub use door::{Door, Doors, Good, Headers, PATH};
pub use receiver::{Receiver, ReceiverError};
pub use refusal::{Reason, Refused};
pub use reply::reply;
pub use setup::Setup;
