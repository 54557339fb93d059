//! The command line: one file a command, output, exit codes.
//!
//! Arguments in, words and exit codes out. It alone reads the environment and writes to the terminal, and
//! what it decides is how something is said. `args` is the grammar, `settings` the environment, `advice`
//! what to do about what stands in the way, `notices` what is told meanwhile.

mod advice;
mod api;
mod args;
mod backup;
mod check;
mod database;
mod doctor;
mod erase;
mod events;
mod exit;
mod export;
mod notices;
mod pause;
mod plan;
mod purge;
mod reconcile;
mod rehearse;
mod resume;
mod run;
mod runs;
mod schedule;
mod serve;
mod settings;
mod simulate;
mod status;
mod suppress;
mod why;

use std::process::ExitCode;
use std::sync::Arc;

use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _};

use crate::app::{App, Sources};
use crate::output;
use crate::process;

pub use args::Cli;
pub use exit::{Exit, Failure};

use args::Command;

/// Parses the command line, carries the command out, and gives its exit code.
pub fn main(sources: Sources) -> ExitCode {
    let (cli, as_json) = parse();
    if !settings::allows_core_dumps() {
        process::keep_memory_to_ourselves();
    }
    process::raise_file_limit();
    settings::start_log(&cli.global);
    let outcome = match process::runtime() {
        Ok(runtime) => {
            let outcome = runtime.block_on(async {
                process::outlive_file_size_limit()?;
                Box::pin(dispatch(cli, sources)).await
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
            if as_json && let Some(document) = failure.json() {
                output::say_json(&document);
            }
            output::tell(&failure.to_string());
            failure.exit().into()
        }
    }
}

/// Parses the command line; and whether it asks for facts as JSON, which holds for a failure as well.
fn parse() -> (Cli, bool) {
    let matches = Cli::command().try_get_matches().unwrap_or_else(|error| {
        let json = std::env::args_os().any(|arg| arg == "--json");
        if json && error.use_stderr() {
            let words = error.to_string();
            output::say_json(&Failure::usage(words.trim_end()).json().unwrap_or_default());
        }
        error.exit()
    });
    let as_json = wants_json(&matches);
    match Cli::from_arg_matches(&matches) {
        Ok(cli) => (cli, as_json),
        Err(error) => error.exit(),
    }
}

/// Whether the command has an option `--json`, and it was given.
fn wants_json(matches: &ArgMatches) -> bool {
    let given = matches.try_get_one::<bool>("json").ok().flatten();
    given == Some(&true) || matches.subcommand().is_some_and(|(_, m)| wants_json(m))
}

async fn dispatch(cli: Cli, sources: Sources) -> Result<Exit, Failure> {
    let global = cli.global;
    let database = database::of_command(&cli.command, &global)?;
    let settings = settings::of(&global, &cli.command, database);
    let events = match &cli.command {
        Command::Run(args) => args.results.events.open()?,
        Command::Resume(args) => args.results.events.open()?,
        Command::Rehearse(args) => args.events.open()?,
        _ => None,
    };
    let events = events.map(Arc::new);
    let app = &App::new(settings, sources, Arc::new(notices::Terminal { events }));
    match cli.command {
        Command::Check(args) => check::check(&args, app).await,
        Command::Plan(args) => plan::plan(&args, &global, app).await,
        Command::Rehearse(args) => rehearse::rehearse(&args, app).await,
        Command::Run(args) => run::run(&args, &global, app).await,
        Command::Resume(args) => resume::resume(&args, app).await,
        Command::Runs(args) => runs::runs(&args, app).await,
        Command::Status(args) => status::status(&args, app).await,
        Command::Why(args) => why::why(&args, app).await,
        Command::Report(args) => status::report(&args, app).await,
        Command::Pause(args) => pause::pause(&args, app).await,
        Command::Cancel(args) => pause::cancel(&args, app).await,
        Command::Export(args) => export::export(&args, app).await,
        Command::Reconcile(args) => reconcile::reconcile(&args, app).await,
        Command::Schedule(command) => schedule::dispatch(command, &global, app).await,
        Command::Suppress(command) => suppress::suppress(command, app).await,
        Command::Purge(args) => purge::purge(&args, app).await,
        Command::Erase(args) => erase::erase(&args, app).await,
        Command::Backup(args) => backup::backup(&args, app).await,
        Command::Restore(args) => backup::restore(&args, app).await,
        Command::Serve(args) => serve::serve(&args, app).await,
        Command::Simulate(args) => simulate::simulate(&args, app).await,
        Command::Doctor(args) => doctor::doctor(&args, &global, app).await,
        command => api::dispatch(command, &global, app).await,
    }
}
