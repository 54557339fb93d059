//! The receiver: the platform's events over HTTP, durable before they are answered.
//!
//! It knows the inbox, the platform's signatures and events, and nothing of runs, engines or databases.
//! `refusal` has why a request is not taken, `door` what becomes of one (pure), `reply` what an event is answered
//! with (pure), `answers` who knows what its call is about, `desk` what all connections share, `seats` who is let in, `setup` what it works with, `receiver` the
//! thread that it lives on.

mod answers;
mod desk;
mod door;
mod receiver;
mod refusal;
mod reply;
mod seats;
mod setup;

pub use answers::{Answers, Found};
pub use door::{Door, Doors, Good, Headers, PATH};
pub use receiver::{Receiver, ReceiverError};
pub use refusal::{Reason, Refused};
pub use reply::{Talk, reply, reply_to_nobodys, talk};
pub use setup::Setup;
