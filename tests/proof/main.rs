//! The promises under fire: seeds of the core's world, and kill -9.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stumbles")]

mod checkers;
mod core_world;
mod kill;
#[expect(dead_code, reason = "nobody stands beside the core's world")]
#[path = "../support/memory/mod.rs"]
mod memory;
mod nature;
mod planted;
mod platform;
mod sabotage;
mod simulation;
#[expect(
    dead_code,
    reason = "what other test binaries share as well is not all needed here"
)]
#[path = "../support/mod.rs"]
mod support;
