//! What goes wrong with the events of the simulated platform.

use std::time::Duration;

use clap::Args;

use crate::simulator::EventFaults;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "The events of the simulated platform")]
pub(in crate::cli) struct ToldArgs {
    /// Share of events that never come
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    events_lost: f64,
    /// Share of events that come twice
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    events_doubled: f64,
    /// Share of events that come late
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    events_late: f64,
    /// How late those come
    #[arg(long, default_value = "30s", value_name = "DURATION", value_parser = wait)]
    events_late_by: Duration,
    /// Events come in another order than they happened
    #[arg(long)]
    events_shuffled: bool,
    /// Share of calls whose first event comes before the answer to the callout, if within 5 s
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    events_early: f64,
    /// Share of calls whose DiCE has no debit
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    dice_without_debit: f64,
    /// Share of calls of which a second one is told, too, as if a phone had rung twice
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    second_call: f64,
}

impl ToldArgs {
    pub(in crate::cli) fn faults(&self) -> EventFaults {
        EventFaults {
            lost: self.events_lost,
            doubled: self.events_doubled,
            late: self.events_late,
            late_by: self.events_late_by,
            shuffled: self.events_shuffled,
            early: self.events_early,
            without_debit: self.dice_without_debit,
            second_call: self.second_call,
        }
    }
}

fn wait(text: &str) -> Result<Duration, String> {
    let wait: Option<jiff::SignedDuration> = text.parse().ok();
    wait.and_then(|wait| Duration::try_from(wait).ok())
        .ok_or_else(|| "write a number and s, m or h, such as 30s".to_owned())
}
