//! The grammar of `callout backup` and `callout restore`, and of going on with what they cannot bring
//! back.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Clone, Copy, Args)]
pub(in crate::cli) struct AcceptArgs {
    /// Go on with a database that is an older copy or another one: calls that it does not know may
    /// have been placed, so everybody whom its unfinished runs have still to call becomes uncertain,
    /// and is called only where `reconcile` settles that they were not. Whom runs have called that are
    /// not in it nobody knows
    #[arg(long)]
    pub(in crate::cli) accept_unknown_calls: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "The copy is whole and of one moment, while a run goes on as well. It has phone \
                  numbers in it, and is readable by you alone.\n\nCopy the database in no other \
                  way while a run goes on: without its log a copy is an older one."
)]
pub(in crate::cli) struct BackupArgs {
    /// The file that is made
    pub(in crate::cli) file: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "The database that is replaced is kept beside it, as NAME-replaced-1. A copy that \
                  lacks calls which are known to have been placed since is refused: the latest \
                  database is the one to go on with, if it can be had."
)]
pub(in crate::cli) struct RestoreArgs {
    /// A file that `callout backup` made
    pub(in crate::cli) file: PathBuf,
    #[command(flatten)]
    pub(in crate::cli) accept: AcceptArgs,
    /// Print JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
}
