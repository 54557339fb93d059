//! `--events`: what goes on while a run goes on, a line of JSON each.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use clap::Args;

use super::exit::Failure;
use crate::output::Stream;

/// Where events go.
#[derive(Debug, Args)]
pub(in crate::cli) struct EventsArgs {
    /// Write what goes on as JSON, a line an event: to standard output, in the place of the report, or
    /// with =FILE to the end of that file
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = "-")]
    events: Option<PathBuf>,
}

/// What is printed of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Shown {
    /// Words for people.
    Text,
    /// The JSON document.
    Json,
    /// Nothing: it is in the last event.
    Nothing,
}

impl EventsArgs {
    /// What is printed of the report, beside events.
    pub(super) fn shown(&self, json: bool) -> Shown {
        match (self.have_standard_output(), json) {
            (true, _) => Shown::Nothing,
            (false, true) => Shown::Json,
            (false, false) => Shown::Text,
        }
    }

    /// Whether standard output is theirs.
    pub(super) fn have_standard_output(&self) -> bool {
        self.events.as_deref() == Some(Path::new("-"))
    }

    /// Opens what they are written to.
    pub(super) fn open(&self) -> Result<Option<Stream>, Failure> {
        let Some(path) = &self.events else {
            return Ok(None);
        };
        if self.have_standard_output() {
            return Ok(Some(Stream::Output));
        }
        let file = OpenOptions::new().create(true).append(true).open(path);
        let file = file.map_err(|e| Failure::usage(format!("{}: {e}", path.display())))?;
        Ok(Some(Stream::File(Mutex::new(file))))
    }
}
