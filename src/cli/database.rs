//! Which database a command uses.
//!
//! The one that is named; else, for a command with a campaign file, the nearest `callout.db` from that
//! file's folder upwards, and for one without, the nearest from the current folder upwards. A database
//! holds who must not be called and who was called already, so a live run never takes another one in
//! silence: where the current folder leads to a different one it is refused, and none is made unasked.

use std::path::{Path, PathBuf};

use super::args::{CallCommand, Command, Global, ScheduleCommand};
use super::exit::Failure;
use super::output;
use crate::app::database::{SCHEME, absolute, address, folder_of, is_there, path_of, shown};

/// What a database is called where nobody names one.
const NAME: &str = "callout.db";

/// A database, and how it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Database {
    /// Its address was given, by `--db` or `CALLOUT_DB`.
    Named(String),
    /// It is the nearest one, in this file.
    Found(PathBuf),
    /// There is none yet; this is where one belongs.
    Missing(PathBuf),
}

impl Database {
    /// The database of a campaign in `file`; without one, that of the current folder.
    pub(super) fn of(named: Option<&str>, file: Option<&Path>) -> Self {
        if let Some(named) = named {
            return Self::Named(address(named));
        }
        let folder = file.map_or_else(|| PathBuf::from("."), folder_of);
        let here = std::fs::canonicalize(".").ok();
        let Ok(folder) = std::fs::canonicalize(&folder) else {
            // Whoever reads the file says what is wrong with it.
            return Self::Missing(folder.join(NAME));
        };
        // A file of the current folder is known by its name alone.
        let short = |folder: &Path| match &here {
            Some(here) if here == folder => PathBuf::from(NAME),
            _ => folder.join(NAME),
        };
        match folder.ancestors().find(|f| is_there(&f.join(NAME))) {
            Some(nearest) => Self::Found(short(nearest)),
            None => Self::Missing(short(&folder)),
        }
    }

    /// Its address, as the store takes it.
    pub(super) fn address(&self) -> String {
        match self {
            Self::Named(address) => address.clone(),
            Self::Found(file) | Self::Missing(file) => format!("{SCHEME}{}", file.display()),
        }
    }
}

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
        Command::Resume(_)
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
    if let Some(why) = another(&database, global) {
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

/// Why the database of a campaign may not be the one that is meant: the current folder leads to another
/// one. None where it does not, and where one was named.
pub(super) fn another(database: &Database, global: &Global) -> Option<String> {
    let Database::Found(here) = Database::of(global.named_db.as_deref(), None) else {
        return None;
    };
    let (words, place) = match database {
        Database::Named(_) => return None,
        Database::Found(place) => ("the campaign's folder leads to", place),
        Database::Missing(place) => ("the campaign's folder has none yet and would get", place),
    };
    let same = std::fs::canonicalize(&here).ok() == std::fs::canonicalize(place).ok();
    (!same).then(|| {
        format!(
            "which database? {words} {}, and the current folder to {}, with suppression lists and \
             runs of its own: say --db with one of them",
            absolute(place).display(),
            absolute(&here).display()
        )
    })
}

/// The same for a campaign that is only looked at.
pub(super) fn another_than_of(global: &Global, file: &Path) -> Option<String> {
    another(
        &Database::of(global.named_db.as_deref(), Some(file)),
        global,
    )
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
