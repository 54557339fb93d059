//! Runs: one begins, goes on, is worked on and is stopped.

mod again;
mod begin;
mod clock;
mod find;
mod halt;
mod import;
mod latest;
mod list;
mod reread;
mod resume;
mod standing;
mod work;

pub(crate) use again::{Again, Earlier, compare, not_reached_by, refuse_spent};
pub(crate) use begin::{Assurances, Looking, NotBegun, noted, refuse_second_run, unfinished};
pub(crate) use find::{find, find_head};
pub(crate) use halt::{Cancelled, Paused, ToCancel};
pub(crate) use import::{Terms, import, workers};
pub(crate) use resume::{Resume, Resumed};
pub(crate) use standing::{Obstacle, Standing};
pub(crate) use work::{Ended, Work, rate, rules};
