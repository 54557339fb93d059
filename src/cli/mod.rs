//! The command line: one file a command, output, exit codes.
//!
//! The only module that knows all others, reads the environment and writes to the terminal. `args`
//! is the grammar, `settings` the environment, `session` what `run`, `resume` and `rehearse` share.

mod again;
mod api;
mod args;
mod backup;
mod check;
mod clock;
mod database;
mod erase;
mod exit;
mod export;
mod file;
mod import;
mod latest;
mod output;
mod pause;
mod plan;
mod progress;
mod purge;
mod reconcile;
mod records;
mod rehearse;
mod reread;
mod resume;
mod run;
mod runs;
mod schedule;
mod session;
mod settings;
mod settling;
mod simulate;
mod spend;
mod status;
mod stop;
mod suppress;
mod why;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;

use crate::clock::Clock;
use crate::entropy::Entropy;

pub use args::Cli;
pub use exit::{Exit, Failure};

use args::Command;

/// What `main` makes and hands down.
#[derive(Debug)]
pub struct World {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The randomness.
    pub entropy: Entropy,
}

/// Parses the command line, carries the command out, and gives its exit code.
pub fn main(world: World) -> ExitCode {
    let cli = Cli::parse();
    settings::keep_memory_to_ourselves();
    settings::raise_file_limit();
    settings::start_log(&cli.global);
    let outcome = match settings::runtime() {
        Ok(runtime) => {
            let outcome = runtime.block_on(async {
                stop::outlive_file_size_limit()?;
                Box::pin(dispatch(cli, world)).await
            });
            // Tasks that nobody waits for any more, a blocked standard input among them.
            runtime.shutdown_background();
            outcome
        }
        Err(error) => Err(Failure::failed(format!("start the runtime: {error}"))),
    };
    match outcome {
        Ok(_) if let Some(why) = output::unprinted() => {
            output::tell(&format!("error: standard output: {why}"));
            Exit::Failed.into()
        }
        Ok(exit) => exit.into(),
        Err(failure) => {
            output::tell(&failure.to_string());
            failure.exit().into()
        }
    }
}

async fn dispatch(cli: Cli, world: World) -> Result<Exit, Failure> {
    let mut global = cli.global;
    global.db = database::of_command(&cli.command, &global)?;
    match cli.command {
        Command::Check(args) => check::check(&args, &global, &world).await,
        Command::Plan(args) => plan::plan(&args, &global, &world).await,
        Command::Rehearse(args) => rehearse::rehearse(&args, &global, world).await,
        Command::Run(args) => run::run(&args, &global, world).await,
        Command::Resume(args) => resume::resume(&args, &global, world).await,
        Command::Status(args) => status::status(&args, &global, &world).await,
        Command::Why(args) => why::why(&args, &global, &world).await,
        Command::Report(args) => status::report(&args, &global).await,
        Command::Pause(args) => pause::pause(&args, &global, &world).await,
        Command::Cancel(args) => pause::cancel(&args, &global, &world).await,
        Command::Export(args) => export::export(&args, &global).await,
        Command::Reconcile(args) => reconcile::reconcile(&args, &global, world).await,
        Command::Schedule(command) => schedule::dispatch(command, &global, world).await,
        Command::Suppress(command) => suppress::suppress(command, &global, &world).await,
        Command::Purge(args) => purge::purge(&args, &global, &world).await,
        Command::Erase(args) => erase::erase(&args, &global, world).await,
        Command::Backup(args) => backup::backup(&args, &global).await,
        Command::Restore(args) => backup::restore(&args, &global, world).await,
        Command::Simulate(args) => simulate::simulate(&args, &world).await,
        Command::Doctor(args) => api::doctor::doctor(&args, &global, &world).await,
        command => api::dispatch(command, &global, world).await,
    }
}
