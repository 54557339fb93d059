//! What is durable: real database files, their locks, modes and faults.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stumbles")]

mod conformance;
mod counts;
#[path = "../support/memory/mod.rs"]
mod memory;
mod place;
mod sqlite;
#[expect(
    dead_code,
    reason = "what other test binaries share as well is not all needed here"
)]
#[path = "../support/mod.rs"]
mod support;
