//! The grammar of the command line. Names are fixed by DESIGN, section 3.

mod api;
mod backup;
mod people;
mod receive;
mod schedule;
mod suppress;
mod told;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::events::{EventsArgs, Shown};
use crate::app::plan::{Condition, Fingerprint};
use crate::domain::ZoneSet;
use crate::simulator::FAILED_REASONS;

pub(super) use api::*;
pub(super) use backup::*;
pub(super) use people::*;
pub(super) use receive::*;
pub(super) use schedule::*;
pub(super) use suppress::*;
pub(super) use told::*;

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "callout",
    version,
    about = "Places the callouts of a campaign, and accounts for every row of its list",
    long_about = "Places text-to-speech, conference or custom callouts for every row of a CSV list \
                  through the Sinch Calling API: under a rate limit, each attempt written down \
                  before it is dialled, each result polled, every row accounted for.",
    after_help = "Begin with `callout rehearse FILE`: the whole run against the built-in \
                  simulator, without credentials and without phones.\n\nExit codes: 0 all done, \
                  1 failed, 2 bad input or usage, 3 stopped with work left, 4 stopped by the \
                  spend cap or an empty account, 5 done but uncertain attempts remain.\n\nWith --json a failure is printed on \
                  standard output as well: {\"error\": {\"code\", \"words\", \"advice\"}}.\n\nRUN is a run's id, a \
                  campaign's name for its latest run, or the beginning of an id; without one, the latest run.",
    subcommand_required = true,
    arg_required_else_help = true
)]
pub struct Cli {
    #[command(flatten)]
    pub(in crate::cli) global: Global,
    #[command(subcommand)]
    pub(in crate::cli) command: Command,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Settings")]
pub(in crate::cli) struct Global {
    /// The database, a file; else the nearest callout.db from the campaign's folder upwards, or from
    /// the current folder for commands without a campaign
    #[arg(long = "db", global = true, env = "CALLOUT_DB", value_name = "FILE")]
    pub(in crate::cli) named_db: Option<String>,
    /// The folder of this machine's state, where the database's mark is kept: an older copy is told by
    /// it, one of the whole folder as well if this is elsewhere. Else it is beside the database
    #[arg(long, global = true, env = "CALLOUT_STATE", value_name = "FOLDER")]
    pub(in crate::cli) state: Option<PathBuf>,
    /// How requests are authorised: signed or basic
    #[arg(
        long,
        global = true,
        env = "SINCH_AUTH",
        default_value = "signed",
        value_name = "SCHEME"
    )]
    pub(in crate::cli) auth: String,
    /// The platform's region: global, use1, euc1, sae1, apse1 or apse2
    #[arg(long, global = true, env = "SINCH_REGION", default_value = "global")]
    pub(in crate::cli) region: String,
    /// How paths are spelt: current, or older (as in the oldest documents)
    #[arg(
        long,
        global = true,
        env = "SINCH_PATHS",
        default_value = "current",
        value_name = "WHICH"
    )]
    pub(in crate::cli) paths: String,
    /// Tell people every moment in UTC, instead of the campaign's zone or this machine's. JSON and CSV
    /// always have UTC
    #[arg(long, global = true)]
    pub(in crate::cli) utc: bool,
    /// What is logged to standard error: error, warn, info, debug, or a filter
    #[arg(
        long,
        global = true,
        env = "CALLOUT_LOG",
        default_value = "warn",
        value_name = "FILTER"
    )]
    pub(in crate::cli) log: String,
    /// How the log is written
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text, value_name = "FORMAT")]
    pub(in crate::cli) log_format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// Read a campaign and its list; every fault with file, line and column
    Check(CheckArgs),
    /// Say what a run would do; dials nobody
    Plan(PlanArgs),
    /// The whole run against the built-in simulator: no credentials, no phones
    Rehearse(RehearseArgs),
    /// The real thing; shows the plan and asks, unless --yes
    Run(RunArgs),
    /// Go on with a stopped run; never asks
    Resume(ResumeArgs),
    /// The runs of this database, latest first
    Runs(RunsArgs),
    /// Where a run stands, and why it is not going faster
    Status(FactsArgs),
    /// Why a run is not dialling faster, or why a recipient was called or not
    Why(WhyArgs),
    /// The summary a person reads
    Report(FactsArgs),
    /// Stop a run from another terminal, with work left for `resume`
    Pause(FactsArgs),
    /// End a run from another terminal: whoever was not called is cancelled. Asks, unless --yes
    Cancel(CancelArgs),
    /// Results, attempts or rejects as CSV
    Export(ExportArgs),
    /// Uncertain attempts: list them, or settle them by hand
    Reconcile(ReconcileArgs),
    /// Numbers never to be called: add, remove, list, import, check
    #[command(subcommand)]
    Suppress(SuppressCommand),
    /// Delete the personal data of runs that are over; their counts stay
    Purge(PurgeArgs),
    /// Delete a number from all runs; it stays suppressed without being stored
    Erase(EraseArgs),
    /// Copy the database, while it is in use as well
    Backup(BackupArgs),
    /// Put a copy of the database back; what it replaces is kept
    Restore(RestoreArgs),
    /// Whether all is well: platform, clock, credentials, numbers, callback URL; places no call
    Doctor(DoctorArgs),
    /// What the platform knows of a number, its price included
    Lookup(LookupArgs),
    /// The numbers that you own
    #[command(subcommand)]
    Number(NumberCommand),
    /// Where an application's callbacks go
    #[command(subcommand)]
    Callback(CallbackCommand),
    /// Place a callout by hand, look at a call, manage it
    #[command(subcommand)]
    Call(CallCommand),
    /// Who is in a conference, and what is done with them
    #[command(subcommand)]
    Conference(ConferenceCommand),
    /// Recordings in the platform's own storage
    #[command(subcommand)]
    Recording(RecordingCommand),
    /// What is scheduled, when it comes round, and a process that waits for it
    #[command(subcommand)]
    Schedule(ScheduleCommand),
    /// Receive the platform's events; with --no-dial, which is all there is yet
    Serve(ServeArgs),
    /// The simulator alone, for any client of the API
    Simulate(SimulateArgs),
}

#[derive(Debug, Args)]
#[command(
    after_help = "Ends with 2 where the campaign or any row is at fault, so that a script stops before a run \
                  that would leave people out; `run` counts such rows and calls the others. With --json, \
                  `campaign_faults` and `row_faults` say which of the two it was."
)]
pub(in crate::cli) struct CheckArgs {
    /// The campaign file
    pub(in crate::cli) file: PathBuf,
    /// Print the faults as JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "The last lines have the plan's hash: `callout run FILE --plan HASH` refuses where \
                  the campaign, its list, who is suppressed, the prices or the rules have changed.\n\n\
                  --fail-if takes a figure, a comparison (> >= < <= ==) and a number, or a share of \
                  all rows in percent; the command then ends with 1. Figures: rows, invalid, \
                  duplicates, suppressed, eligible, eligible_now, eligible_later, held, \
                  unknown_numbers, warnings, attempts_expected, attempts_worst, money_expected, \
                  money_worst, hours. One that is not known meets every condition."
)]
pub(in crate::cli) struct PlanArgs {
    /// The campaign file
    pub(in crate::cli) file: PathBuf,
    /// Fail where the plan meets this, as in "invalid > 1%"; repeatable
    #[arg(long, value_name = "CONDITION")]
    pub(in crate::cli) fail_if: Vec<Condition>,
    #[command(flatten)]
    pub(in crate::cli) only: OnlyArgs,
    /// Print the plan as JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

/// Which of a list are called.
#[derive(Debug, Args)]
pub(in crate::cli) struct OnlyArgs {
    /// Call only those of the list who were in the run of --of and whom it did not reach: unreached,
    /// refused, expired or cancelled there. Not the uncertain, whose phone may have rung
    #[arg(long, value_enum, requires = "of", value_name = "WHOM")]
    pub(in crate::cli) only: Option<Only>,
    /// The earlier run of --only: its id, or the beginning of it
    #[arg(long, requires = "only", value_name = "RUN")]
    of: Option<String>,
}

impl OnlyArgs {
    /// The run of whose recipients only those are called whom it did not reach.
    pub(in crate::cli) fn of(&self) -> Option<&str> {
        self.only.and(self.of.as_deref())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Only {
    Unreached,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ResultsArgs {
    /// Write the results to this CSV file at the end
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,
    /// Replace the output file if it is there
    #[arg(long, requires = "output")]
    pub(in crate::cli) force: bool,
    /// Print the report as JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
    #[command(flatten)]
    pub(in crate::cli) events: EventsArgs,
}

impl ResultsArgs {
    /// What is printed of the report.
    pub(in crate::cli) fn shown(&self) -> Shown {
        self.events.shown(self.json)
    }

    /// Where the results go, and whether a file that is there is replaced.
    pub(in crate::cli) fn file(&self) -> Option<(&std::path::Path, bool)> {
        self.output.as_deref().map(|path| (path, self.force))
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RunArgs {
    /// The campaign file
    pub(in crate::cli) file: PathBuf,
    /// Do not show the plan and do not ask
    #[arg(long, short)]
    pub(in crate::cli) yes: bool,
    /// Call the same people again though an earlier run called them within 12 hours
    #[arg(long)]
    pub(in crate::cli) again: bool,
    #[command(flatten)]
    pub(in crate::cli) only: OnlyArgs,
    /// Run this plan, once, by its hash from `callout plan`; refused if anything of it has changed
    #[arg(long, value_name = "HASH", value_parser = hash_of_plan)]
    pub(in crate::cli) plan: Option<Fingerprint>,
    /// Dial now, whatever [schedule] says; without it, the run waits for its start
    #[arg(long)]
    pub(in crate::cli) now: bool,
    #[command(flatten)]
    pub(in crate::cli) clock: ClockArgs,
    #[command(flatten)]
    pub(in crate::cli) accept: AcceptArgs,
    #[command(flatten)]
    pub(in crate::cli) receive: ReceiveArgs,
    #[command(flatten)]
    pub(in crate::cli) results: ResultsArgs,
}

/// What a person says of the machine's clock.
#[derive(Debug, Args)]
pub(in crate::cli) struct ClockArgs {
    /// The machine's clock is right, though the database has seen a later time; kept with your name
    #[arg(long)]
    pub(in crate::cli) clock_is_right: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ResumeArgs {
    /// The run; without it, the latest unfinished one
    pub(in crate::cli) run: Option<String>,
    /// Change the run's spend cap, as in "200.00 EUR"; who did it and when is kept
    #[arg(long, value_name = "AMOUNT")]
    pub(in crate::cli) cap: Option<String>,
    /// The refusals that the run is paused for are the recipients' own: they become final, and their code
    /// pauses the run no more
    #[arg(long)]
    pub(in crate::cli) refusals_are_theirs: bool,
    #[command(flatten)]
    pub(in crate::cli) clock: ClockArgs,
    #[command(flatten)]
    pub(in crate::cli) accept: AcceptArgs,
    #[command(flatten)]
    pub(in crate::cli) receive: ReceiveArgs,
    #[command(flatten)]
    pub(in crate::cli) results: ResultsArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RehearseArgs {
    /// The campaign file
    pub(in crate::cli) file: PathBuf,
    /// On a clock that jumps to whatever is next: days go by in seconds, windows and waits are kept
    #[arg(long = "virtual", conflicts_with = "time_scale")]
    pub(in crate::cli) virtual_time: bool,
    /// With --virtual: when it begins, as in 2026-12-01T09:00:00[Europe/Stockholm]; else at the start
    /// of [schedule], or on Monday, 2026-01-05, at 08:00 UTC
    #[arg(long, value_name = "MOMENT", requires = "virtual_time", value_parser = moment)]
    pub(in crate::cli) at: Option<jiff::Timestamp>,
    /// With --virtual: write every call that the simulator placed to this CSV file
    #[arg(long, value_name = "FILE", requires = "virtual_time")]
    pub(in crate::cli) ledger: Option<PathBuf>,
    /// Where the results go, instead of NAME-rehearsal.csv in this folder
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,
    /// Print the report as JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
    #[command(flatten)]
    pub(in crate::cli) events: EventsArgs,
    #[command(flatten)]
    pub(in crate::cli) only: OnlyArgs,
    #[command(flatten)]
    pub(in crate::cli) platform: PlatformArgs,
}

/// The hash of a plan.
fn hash_of_plan(text: &str) -> Result<Fingerprint, String> {
    let plan: Result<Fingerprint, String> = text.parse();
    plan.map_err(|why| format!("it is in the last line of `callout plan`: {why}"))
}

/// A moment with its zone or offset.
fn moment(text: &str) -> Result<jiff::Timestamp, String> {
    let zoned = text.parse::<jiff::Zoned>().ok();
    if let Some(zoned) = &zoned
        && let Some(name) = zoned.time_zone().iana_name()
    {
        ZoneSet::one(name).map_err(|why| why.to_string())?;
    }
    let zoned = zoned.map(|at| at.timestamp());
    zoned.map_or_else(|| text.parse(), Ok).map_err(|_| {
        "write a moment as 2026-12-01T09:00:00[Europe/Stockholm] or 2026-12-01T08:00:00Z".to_owned()
    })
}

#[derive(Debug, Args)]
#[command(
    after_help = "The `run` or `resume` that works on it ends with 3: not everybody was called, though nothing \
                  is left to resume."
)]
pub(in crate::cli) struct CancelArgs {
    /// The run; without it, the latest
    pub(in crate::cli) run: Option<String>,
    /// Do not ask
    #[arg(long, short)]
    pub(in crate::cli) yes: bool,
    /// Print JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct FactsArgs {
    /// The run; without it, the latest
    pub(in crate::cli) run: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "An id is cut to what tells it from every other run, and can be written so. TO CALL counts \
                  calls that go on as well."
)]
pub(in crate::cli) struct RunsArgs {
    /// Those of this campaign alone
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) campaign: Option<String>,
    /// Callouts placed by hand as well
    #[arg(long)]
    pub(in crate::cli) all: bool,
    /// Print JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct WhyArgs {
    /// The run; without it, the latest
    pub(in crate::cli) run: Option<String>,
    /// The recipient's number, or user name; without it, the whole run
    pub(in crate::cli) number: Option<String>,
    /// The recipient on this line of the list
    #[arg(long, value_name = "N", conflicts_with = "number")]
    pub(in crate::cli) line: Option<u64>,
    /// The number is read as the run's list was, but for what these say
    #[command(flatten)]
    pub(in crate::cli) reading: ReadingArgs,
    /// Print JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ExportArgs {
    /// The run; without it, the latest
    pub(in crate::cli) run: Option<String>,
    /// Which table
    #[arg(long, value_enum, default_value_t = TableName::Results)]
    pub(in crate::cli) table: TableName,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,
    /// Print what was written as JSON
    #[arg(long, requires = "output")]
    pub(in crate::cli) json: bool,
    /// Replace the output file if it is there
    #[arg(long, requires = "output")]
    pub(in crate::cli) force: bool,
    /// Leave cells as they are that a spreadsheet would run as formulas
    #[arg(long)]
    pub(in crate::cli) raw: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum TableName {
    Results,
    Attempts,
    Rejects,
}

impl TableName {
    /// The word on the command line and in JSON.
    pub(in crate::cli) fn as_str(self) -> &'static str {
        match self {
            Self::Results => "results",
            Self::Attempts => "attempts",
            Self::Rejects => "rejects",
        }
    }
}

#[derive(Debug, Args)]
#[command(
    after_help = "Without --cdr, --called or --not-called the uncertain attempts are listed. What \
                  you settle is recorded with your user name and reason. A recipient settled as \
                  not called is due again: `callout resume` calls them.\n\nAn attempt that is in \
                  the records was called; calls whose result or price is not known get it from \
                  them as well. What an engine at work has in hand is left to it: pause the run \
                  first.\n\nAn attempt that is not in the records is left alone, unless you say with \
                  --complete-day that the file has every call of its day, and the file proves it: \
                  it has calls of that day, of the run's application, and every call of that day \
                  that this database knows of. A record of the attempt's minutes to its very number \
                  that is no other attempt's leaves it uncertain. Attempts of around midnight need \
                  both days."
)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of its own on the command line"
)]
pub(in crate::cli) struct ReconcileArgs {
    /// The run; without it, the latest
    pub(in crate::cli) run: Option<String>,
    /// Settle what the platform's call detail records know: a CSV file from the dashboard
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["attempt", "all", "called", "not_called", "result", "reason"]
    )]
    pub(in crate::cli) cdr: Option<PathBuf>,
    /// With --cdr: the file has every call of this day (UTC), so who is not in it was not called;
    /// repeatable
    #[arg(long, value_name = "DATE", requires = "cdr")]
    pub(in crate::cli) complete_day: Vec<jiff::civil::Date>,
    /// With --cdr: say what would be settled, and settle nothing
    #[arg(long, requires = "cdr")]
    pub(in crate::cli) dry_run: bool,
    /// Settle this attempt (its id, or an unambiguous beginning of it)
    #[arg(long, value_name = "ATTEMPT", conflicts_with = "all")]
    pub(in crate::cli) attempt: Vec<String>,
    /// Settle every uncertain attempt of the run
    #[arg(long)]
    pub(in crate::cli) all: bool,
    /// A phone rang
    #[arg(long, conflicts_with = "not_called", requires = "reason")]
    pub(in crate::cli) called: bool,
    /// No phone rang: the recipient is due again
    #[arg(long, requires = "reason")]
    pub(in crate::cli) not_called: bool,
    /// How the call ended, with --called; without it the recipient counts as unreached
    #[arg(
        long,
        requires = "called",
        value_name = "RESULT",
        ignore_case = true,
        value_parser = ["ANSWERED", "BUSY", "NOANSWER", "FAILED"]
    )]
    pub(in crate::cli) result: Option<String>,
    /// How you know; kept with the attempt
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) reason: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Point a client at it with both variables, SINCH_CALLING_URL and \
                  SINCH_CONFIGURATION_URL; the first lines of output say them with the address, \
                  and with a key and a secret where none are set. Every method of the API is \
                  answered. `--time-scale 1 --talk 600-600 --mix 1,0,0,0` leaves time to manage a \
                  conference callout by hand; `--own +4670...` owns your number, too.\n\nIts own \
                  pages are CSV, for this machine alone: /simulator/ledger (calls), \
                  /simulator/posts (callouts), /simulator/events (what was told), \
                  /simulator/requests (everything else); /simulator/played is JSON (what was \
                  heard and pressed).\n\nCallouts with enableAce and \
                  enableDice are told to the application's callback URL, signed, by plain HTTP and \
                  on this machine alone."
)]
pub(in crate::cli) struct SimulateArgs {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    pub(in crate::cli) listen: SocketAddr,
    /// Where the application is called back, until `callout callback set` says otherwise
    #[arg(long, value_name = "URL")]
    pub(in crate::cli) callback_url: Option<String>,
    /// Write the ledger of all calls to this CSV file at the end
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) ledger: Option<PathBuf>,
    /// A number that the account owns besides the usual ones, for voice and not assigned; repeatable
    #[arg(long, value_name = "NUMBER")]
    pub(in crate::cli) own: Vec<String>,
    /// What a minute costs for numbers that begin so, as in +46=0.05; 0 and less are told as well;
    /// repeatable
    #[arg(long, value_name = "PREFIX=AMOUNT", value_parser = price)]
    pub(in crate::cli) price: Vec<(String, rust_decimal::Decimal)>,
    /// The currency of all prices
    #[arg(long, default_value = "EUR", value_name = "CODE")]
    pub(in crate::cli) currency: String,
    /// A field that the first answer after the end of each call tells so, as JSON, whatever is true:
    /// duration=9223372036854775808, debit="12 Kronor", callId="another"; repeatable
    #[arg(long, value_name = "FIELD=JSON", value_parser = odd)]
    pub(in crate::cli) odd: Vec<(String, String)>,
    /// Recordings that are there from the start
    #[arg(long, default_value_t = 3, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(..=10_000))]
    pub(in crate::cli) recordings: u32,
    /// Share of requests around callouts answered with a 5xx: numbers, calls managed, and their like
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    pub(in crate::cli) other_server_error: f64,
    #[command(flatten)]
    pub(in crate::cli) platform: PlatformArgs,
}

/// A prefix and a price.
fn price(text: &str) -> Result<(String, rust_decimal::Decimal), String> {
    text.split_once('=')
        .filter(|(prefix, _)| prefix.starts_with('+'))
        .and_then(|(prefix, amount)| Some((prefix.to_owned(), amount.parse().ok()?)))
        .ok_or_else(|| "write a price as +46=0.05".to_owned())
}

/// A field of an answer and its value.
fn odd(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .filter(|(name, value)| {
            !name.is_empty() && serde_json::from_str::<&serde_json::value::RawValue>(value).is_ok()
        })
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .ok_or_else(|| "write a field and JSON, as duration=-1 or result=\"A\"".to_owned())
}

/// How the simulated platform behaves. Shares are between 0 and 1, and are drawn from the seed.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "The simulated platform")]
pub(in crate::cli) struct PlatformArgs {
    /// The same seed gives the same outcomes
    #[arg(long, default_value_t = 1)]
    pub(in crate::cli) seed: u64,
    /// Seconds that a simulated second takes; 0 ends every call at once
    #[arg(long, default_value_t = 0.1, value_name = "FACTOR")]
    pub(in crate::cli) time_scale: f64,
    /// Weights of ANSWERED, BUSY, NOANSWER and FAILED
    #[arg(long, default_value = "70,12,14,4", value_name = "A,B,N,F")]
    pub(in crate::cli) mix: String,
    /// Seconds until somebody answers
    #[arg(long, default_value = "3-25", value_name = "FROM-TO")]
    pub(in crate::cli) ring: String,
    /// Seconds of talk, for callouts without a text
    #[arg(long, default_value = "8-40", value_name = "FROM-TO")]
    pub(in crate::cli) talk: String,
    /// Shape of the answers: new, old or mixed
    #[arg(long, default_value = "new")]
    pub(in crate::cli) shape: String,
    /// Share of callouts that are placed and never answered: the connection closes
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    pub(in crate::cli) lost: f64,
    /// Share of callouts whose connection breaks before they are placed
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    pub(in crate::cli) reset: f64,
    /// Share of callouts that are placed and whose answer never comes
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    pub(in crate::cli) hang: f64,
    /// Share of callouts that are answered late
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    pub(in crate::cli) slow: f64,
    /// Share of callouts answered with a 5xx, placed or not
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    pub(in crate::cli) server_error: f64,
    /// Share of callouts that are placed and answered with garbage
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    pub(in crate::cli) garbage: f64,
    /// Share of callouts refused with 429
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    pub(in crate::cli) too_many: f64,
    /// Callouts a second beyond which the platform answers 429
    #[arg(long, value_name = "RATE")]
    pub(in crate::cli) refuse_above: Option<u32>,
    /// Money in the account; beyond it the platform answers 402
    #[arg(long, value_name = "AMOUNT")]
    pub(in crate::cli) credit: Option<rust_decimal::Decimal>,
    /// Numbers that begin so are forbidden; repeatable
    #[arg(long, value_name = "PREFIX")]
    pub(in crate::cli) forbid: Vec<String>,
    /// Refuse every callout with this error code, such as 40302, once --refuse-after were taken
    #[arg(long, value_name = "CODE", value_parser = clap::value_parser!(u32).range(40_000..50_000))]
    pub(in crate::cli) refuse_with: Option<u32>,
    /// Callouts that are taken before --refuse-with
    #[arg(
        long,
        default_value_t = 0,
        value_name = "COUNT",
        requires = "refuse_with"
    )]
    pub(in crate::cli) refuse_after: usize,
    /// The reason with which calls fail, such as INVALIDSVAMLACTION; else one that depends on the call
    #[arg(long, value_name = "REASON", value_parser = FAILED_REASONS)]
    pub(in crate::cli) failed_reason: Option<String>,
    /// Milliseconds before every answer
    #[arg(long, default_value_t = 0, value_name = "MS")]
    pub(in crate::cli) answer_after: u64,
    #[command(flatten)]
    pub(in crate::cli) told: ToldArgs,
    #[command(flatten)]
    pub(in crate::cli) people: PeopleArgs,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Cli;

    #[test]
    fn the_grammar_is_sound() {
        Cli::command().debug_assert();
    }
}
