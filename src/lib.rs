//! `callout`: a batch callout campaign engine for the Sinch Calling API.
//!
//! See `ARCHITECTURE.md` for the map.

pub mod domain;
pub mod simulator;
pub mod sinch;
