//! The simulator over real HTTP: what it accepts, refuses, breaks and records.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop where it is"
)]

mod calls;
mod checks;
mod conferences;
mod configuration;
mod faults;
mod harness;
mod hostile;
mod ledger;
mod manage;
mod recordings;
mod requests;
