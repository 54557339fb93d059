//! The campaign's definition: from a TOML file to a checked value, and from a row to a callout.
//!
//! Reading order: [`definition`] walks the file and yields a [`Campaign`]; [`callout`] and
//! [`svaml`] read what is to be played; [`Campaign::bind`] (in [`script`]) joins it with the header
//! of a list and yields a [`Script`], which renders one callout per row. Every fault of a file is
//! collected with its position ([`fault`]) and all of them are reported at once.
//!
//! This module knows `domain` only. Lists are read by `recipients`, which knows this one.

pub mod fault;
pub mod script;

mod blackout;
mod bounds;
mod call_flow;
mod call_flow_check;
mod callout;
mod cells;
mod definition;
mod duration;
mod file;
mod form;
mod guard;
mod limits;
mod list_spec;
mod locale;
mod place;
mod program;
mod prompts;
mod retry;
mod row_fault;
mod schedule;
mod spend;
mod svaml;
mod svaml_check;
mod svaml_node;
mod svaml_tree;
mod table;
mod template;
mod tokens;
mod window;
mod zone_name;

pub use definition::{Campaign, Pacing};
pub use fault::{Fault, Faults};
pub use file::{foreign_kind, open_regular};
pub use list_spec::ListSpec;
pub use row_fault::RowFault;
pub use schedule::is_scheduled;
pub use script::Script;
