//! Events as lines of JSON.

use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use super::say_plain;

/// What events are written to.
#[derive(Debug)]
pub(crate) enum Stream {
    /// Standard output.
    Output,
    /// The end of a file.
    File(Mutex<std::fs::File>),
}

impl Stream {
    /// Writes events; whoever does not read them does not stop a run.
    pub(crate) fn write(&self, events: &[Value]) {
        for event in events {
            match self {
                Self::Output => say_plain(&event.to_string()),
                Self::File(file) => {
                    let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                    if let Err(error) = writeln!(file, "{event}") {
                        tracing::warn!("events are not written: {error}");
                    }
                }
            }
        }
    }
}
