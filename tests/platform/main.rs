//! The platform's side, and the edge towards it: the simulator over real HTTP, signing, SVAML,
//! events, what strangers' samples look like, and sockets that break.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop where it is"
)]

mod answers;
mod application;
mod auth;
mod calls;
mod checks;
mod clients;
mod conferences;
mod configuration;
mod events;
mod events_sent;
mod faults;
mod harness;
mod hostile;
mod ledger;
mod machines;
mod manage;
mod played;
mod receiver;
mod recordings;
mod requests;
mod stage;
mod strangers;
mod svaml;
mod transport;
