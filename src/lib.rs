//! `callout`: a batch callout campaign engine for the Sinch Calling API.
//!
//! See `ARCHITECTURE.md` for the map.

pub mod campaign;
pub mod domain;
pub mod recipients;
