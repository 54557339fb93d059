//! The grammar of `callout schedule`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::backup::AcceptArgs;
use super::receive::ReceiveArgs;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ScheduleCommand {
    /// Campaigns with a schedule: the next start, the rule in words, how the last run went
    List(ScheduleListArgs),
    /// The next starts of a campaign, and what the clocks do to them
    Next(ScheduleNextArgs),
    /// Wait for each start and run it, until SIGINT
    Run(ScheduleRunArgs),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ScheduleListArgs {
    /// Campaign files, or folders with them; without any, the *.toml of this folder
    #[arg(value_name = "FILE|FOLDER")]
    pub(in crate::cli) files: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ScheduleNextArgs {
    /// The campaign file
    pub(in crate::cli) file: PathBuf,
    /// How many
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(in crate::cli) count: u32,
    /// Those after this moment instead of now: a date, a local time, or a moment with its zone
    #[arg(long, value_name = "MOMENT")]
    pub(in crate::cli) from: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Each start reads the campaign file and its list anew and runs as `callout run \
                  --yes` does; results go to NAME-START.csv in this folder. It never asks. A start \
                  that comes while a run of the campaign is unfinished is skipped, and so is one \
                  whose campaign is at fault; `callout schedule list --json` has the reasons.\n\n\
                  It ends as the last run that it started ended (0 where it started none)."
)]
pub(in crate::cli) struct ScheduleRunArgs {
    /// The campaign file
    pub(in crate::cli) file: PathBuf,
    /// End after one run
    #[arg(long)]
    pub(in crate::cli) once: bool,
    /// Print the report of each run as JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
    #[command(flatten)]
    pub(in crate::cli) clock: super::ClockArgs,
    #[command(flatten)]
    pub(in crate::cli) accept: AcceptArgs,
    #[command(flatten)]
    pub(in crate::cli) receive: ReceiveArgs,
}
