//! What people hand us: campaign files, lists, and windows against a rule written apart.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stumbles")]

mod call_flows;
mod campaign_files;
mod flows_played;
mod hostile;
mod lists;
mod svaml;
mod templates;
mod windows;
