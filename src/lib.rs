//! `callout`: a batch callout campaign engine for the Sinch Calling API.
//!
//! See `ARCHITECTURE.md` for the map.

pub mod app;
pub mod campaign;
pub mod cli;
pub mod clock;
mod digest;
pub mod domain;
pub mod engine;
pub mod entropy;
mod output;
mod process;
pub mod recipients;
pub mod report;
pub mod serve;
pub mod simulator;
pub mod sinch;
pub mod store;
