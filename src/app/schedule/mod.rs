//! Schedules: what a campaign's starts are, waiting for them, and what became of earlier ones.

mod calendar;
mod scheduler;
mod wait;

use crate::app::Error;
use crate::campaign::{Campaign, Fault, Faults};
use crate::domain::Schedule;

pub(crate) use calendar::{Scheduled, json_of};
pub(crate) use scheduler::Turned;
pub(crate) use wait::Slot;

/// The schedule of a campaign that must have one.
pub(crate) fn of(campaign: &Campaign) -> Result<&Schedule, Error> {
    campaign.schedule.as_ref().ok_or_else(|| {
        let help = "add [schedule] with start = \"2026-12-01T09:00:00[Europe/Stockholm]\"";
        let message = "the campaign has no [schedule]";
        Faults::from(Fault::new(campaign.path(), (1, 1), message, help)).into()
    })
}
