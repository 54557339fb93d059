//! Which database a command uses.
//!
//! The one that is named; else, for a command with a campaign file, the nearest `callout.db` from that
//! file's folder upwards, and for one without, the nearest from the current folder upwards. A database
//! holds who must not be called and who was called already, so a live run never takes another one in
//! silence: where the current folder leads to a different one it is refused, and none is made unasked.

use std::path::Path;

use super::args::{CallCommand, CallbackCommand, Command, Global, ScheduleCommand};
use super::exit::Failure;
use crate::app::database::{
    Database, NAME, absolute, another, folder_of, is_there, path_of, shown,
};
use crate::output;

/// The address of the database that a command works with. Commands that speak of runs or of people who
/// must not be called are refused where there is none, those with a campaign file are not.
pub(super) fn of_command(command: &Command, global: &Global) -> Result<String, Failure> {
    let file = campaign_file(command);
    let database = Database::of(global.named_db.as_deref(), file);
    if matches!(database, Database::Missing(_)) && file.is_none() && needs_one(command) {
        return Err(Failure::usage(format!(
            "there is no {NAME} in this folder nor in any above it: go to the folder of the \
             campaign, or name the database with --db (--db {NAME} is one in this folder). A \
             rehearsal is kept beside it, as callout-rehearsal.db"
        )));
    }
    Ok(database.address())
}

/// The campaign file that a command is given.
fn campaign_file(command: &Command) -> Option<&Path> {
    match command {
        Command::Check(args) => Some(&args.file),
        Command::Plan(args) => Some(&args.file),
        Command::Rehearse(args) => Some(&args.file),
        Command::Run(args) => Some(&args.file),
        Command::Schedule(ScheduleCommand::Run(args)) => Some(&args.file),
        Command::Doctor(args) => args.file.as_deref(),
        Command::Call(CallCommand::Place(args)) => args.campaign.as_deref(),
        _ => None,
    }
}

/// Whether a command without a campaign file can do nothing without a database.
fn needs_one(command: &Command) -> bool {
    match command {
        Command::Call(CallCommand::Place(args)) => !args.api.dry_run,
        Command::Callback(CallbackCommand::Get(args)) => args.show,
        Command::Callback(CallbackCommand::Set(args)) => args.primary.is_none(),
        Command::Serve(_)
        | Command::Resume(_)
        | Command::Runs(_)
        | Command::Status(_)
        | Command::Why(_)
        | Command::Report(_)
        | Command::Pause(_)
        | Command::Cancel(_)
        | Command::Export(_)
        | Command::Reconcile(_)
        | Command::Suppress(_)
        | Command::Purge(_)
        | Command::Backup(_)
        | Command::Restore(_)
        | Command::Erase(_) => true,
        _ => false,
    }
}

/// Whether a live run of the campaign in `file` may use the database that was found for it. Where there
/// is none yet a person is asked whether one is made; `never_asks` is why nobody can be.
pub(super) fn may_dial(
    global: &Global,
    file: &Path,
    never_asks: Option<&str>,
) -> Result<(), Failure> {
    let database = Database::of(global.named_db.as_deref(), Some(file));
    if let Some(why) = another_than_of(global, file) {
        return Err(Failure::usage(format!("{why}. Nothing was dialled")));
    }
    let Database::Missing(path) = &database else {
        return Ok(());
    };
    let (path, folder) = (absolute(path), folder_of(file));
    let missing = format!(
        "there is no {NAME} in {} nor in any folder above it, and so nobody who must not be called, \
         and no earlier run",
        absolute(&folder).display()
    );
    let say = format!("--db {} makes one", path.display());
    if let Some(never_asks) = never_asks {
        return Err(Failure::usage(format!(
            "{missing}: {never_asks}, and {say}"
        )));
    }
    output::tell(&missing);
    match output::ask(&format!("Make {}?", path.display())) {
        Some(true) => Ok(()),
        Some(false) => Err(Failure::usage("nothing was made, and nothing was dialled")),
        None => Err(Failure::usage(format!(
            "nobody is there to be asked, so nothing was made and nothing was dialled: {say}"
        ))),
    }
}

/// Why another database than that of the campaign in `file` may be meant, and what to say.
pub(super) fn another_than_of(global: &Global, file: &Path) -> Option<String> {
    let named = global.named_db.as_deref();
    let why = another(&Database::of(named, Some(file)), named)?;
    Some(format!("{why}: say --db with one of them"))
}

/// A line for people that names the database, and says where there is none yet.
pub(super) fn line(address: &str) -> String {
    let there = path_of(address).is_none_or(|path| is_there(Path::new(path)));
    let remark = if there {
        ""
    } else {
        ", which is not there yet: nobody is suppressed in it, and no earlier run is known"
    };
    format!("database: {}{remark}", shown(address))
}
