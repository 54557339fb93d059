//! The binary as people use it: one file a story, against the simulator as a process of its own.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stumbles")]

mod account;
mod advice;
mod again;
mod api;
mod asks;
mod asks_played;
mod calling_windows;
mod cdr;
mod clock;
mod copies;
mod databases;
mod decisions;
mod earlier;
mod end_to_end;
mod events;
mod flow_shown;
mod heard;
mod in_calls;
mod listing;
mod moments;
mod money;
mod office;
mod outputs;
mod plans;
mod programs;
mod proxies;
mod questions;
mod remarks;
mod retries;
mod schedule;
mod secrets;
mod spend;
mod stops;
#[expect(
    dead_code,
    reason = "what other test binaries share as well is not all needed here"
)]
#[path = "../support/mod.rs"]
mod support;
mod suppression;
mod told;
mod virtual_time;
mod why;
mod wishes;
