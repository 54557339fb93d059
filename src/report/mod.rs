//! What became of a run, as bytes: CSV exports, the summary a person reads, and one recipient's story.
//!
//! Exporters are pure: rows in, bytes out. Reading the store and writing the file is `cli`'s part.

pub mod export;
pub mod flow;
mod formula;
pub mod heard;
pub mod listing;
pub mod moments;
pub mod story;
pub mod summary;
pub mod words;

pub use export::{Export, Table};
pub use summary::Summary;
