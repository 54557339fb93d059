//! The grammar of `suppress`, `purge` and `erase`.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, Subcommand};

use crate::domain::NumberForm;
use crate::domain::suppression::{BadListName, check_list_name};

/// The list that is meant where none is named.
const LIST_DEFAULT: &str = "dnc";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum SuppressCommand {
    /// Put numbers on a list: they are called no more, by runs that are going on within a second
    Add(SuppressAddArgs),
    /// Take numbers off a list, or off all. Asks, unless --yes
    Remove(SuppressRemoveArgs),
    /// The lists with their counts; with --entries, every number
    List(SuppressListArgs),
    /// Put all numbers of a file on a list: a CSV, or one number a line
    Import(SuppressImportArgs),
    /// Whether a number is suppressed, and by whom, when, why and until when
    Check(SuppressCheckArgs),
}

/// How numbers are read that have no `+`: as `[recipients]` says it for a list.
#[derive(Debug, Args)]
pub(in crate::cli) struct ReadingArgs {
    /// Read national numbers as those of this country (SE, US, …)
    #[arg(long, value_name = "XX")]
    pub(in crate::cli) country: Option<String>,
    /// What numbers without + begin with: their country code (international), or not (national); what
    /// could be both is refused where nobody says
    #[arg(long = "numbers", value_name = "FORM", default_value = "any", value_parser = number_form())]
    pub(in crate::cli) form: NumberForm,
}

/// What is recorded with numbers that are put on a list.
#[derive(Debug, Args)]
pub(in crate::cli) struct ReasonArgs {
    /// The list
    #[arg(long, value_name = "NAME", default_value = LIST_DEFAULT, value_parser = list_name)]
    pub(in crate::cli) list: String,
    /// Why; recorded with your user name and the time
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) reason: Option<String>,
    /// The last day (UTC) on which they are not called; without it, for good
    #[arg(long, value_name = "DATE")]
    pub(in crate::cli) until: Option<jiff::civil::Date>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct SuppressAddArgs {
    /// The numbers, in E.164 unless --country says how to read them
    #[arg(required = true, value_name = "NUMBER")]
    pub(in crate::cli) numbers: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) reason: ReasonArgs,
    #[command(flatten)]
    pub(in crate::cli) reading: ReadingArgs,
    /// Print JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct SuppressRemoveArgs {
    /// The numbers, in E.164 unless --country says how to read them
    #[arg(required = true, value_name = "NUMBER")]
    pub(in crate::cli) numbers: Vec<String>,
    /// Off this list alone; without it, off all
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) list: Option<String>,
    /// Why; recorded with your user name and the time. Required for numbers that were erased
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) reason: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) reading: ReadingArgs,
    /// Do not ask
    #[arg(long, short)]
    pub(in crate::cli) yes: bool,
    /// Print JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct SuppressListArgs {
    /// This list alone
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) list: Option<String>,
    /// Every number with who, when, why and until when
    #[arg(long)]
    pub(in crate::cli) entries: bool,
    /// With --entries: numbers in full
    #[arg(long, requires = "entries")]
    pub(in crate::cli) raw: bool,
    /// Print JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "A CSV has its numbers in the column `number`, or in the one that --number names; a \
                  file with one number a line needs no header, nor has one with area code and number \
                  of North America in two columns, as the FTC gives it. Numbers are read by the \
                  rules of a campaign's list. Rows that are no numbers are counted and named by their lines, \
                  and the rest is imported; the command then ends with 2."
)]
pub(in crate::cli) struct SuppressImportArgs {
    /// The file
    pub(in crate::cli) file: PathBuf,
    #[command(flatten)]
    pub(in crate::cli) reason: ReasonArgs,
    /// The column that has the numbers
    #[arg(long, value_name = "COLUMN")]
    pub(in crate::cli) number: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) reading: ReadingArgs,
    /// Print JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct SuppressCheckArgs {
    /// The number, in E.164 unless --country says how to read it
    pub(in crate::cli) number: String,
    #[command(flatten)]
    pub(in crate::cli) reading: ReadingArgs,
    /// Print JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "What goes: the cells of the list, numbers, faulty values, reasons and notes in \
                  words, and the definition of a callout placed by hand. What stays: dispositions, \
                  outcomes, prices, times and call ids, so that `report` still adds up. Files that \
                  were exported, and copies of the database, are yours to delete."
)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of its own on the command line"
)]
pub(in crate::cli) struct PurgeArgs {
    /// The run
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub(in crate::cli) run: Option<String>,
    /// Every run that ended that long ago
    #[arg(long)]
    pub(in crate::cli) all: bool,
    /// Only what ended longer ago than this: 90d, 12w, 36h
    #[arg(long, value_name = "SPAN", value_parser = span)]
    pub(in crate::cli) after: jiff::SignedDuration,
    /// Say what would be deleted, and delete nothing
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
    /// Do not ask
    #[arg(long, short)]
    pub(in crate::cli) yes: bool,
    /// Print JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "The number is suppressed first, by a keyed hash; whoever has the database, which \
                  holds the key, can find out whether a number that they guess was erased, and \
                  nothing else. Then its rows are emptied in all runs of this database. Results \
                  that were exported, copies of the database and the platform's own records are \
                  not touched."
)]
pub(in crate::cli) struct EraseArgs {
    /// The number, in E.164 unless --country says how to read it
    pub(in crate::cli) number: String,
    /// Why; recorded with your user name and the time
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) reason: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) reading: ReadingArgs,
    /// Do not ask
    #[arg(long, short)]
    pub(in crate::cli) yes: bool,
    /// Print JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

fn number_form() -> impl clap::builder::TypedValueParser<Value = NumberForm> {
    PossibleValuesParser::new(NumberForm::ALL.map(NumberForm::as_str))
        .try_map(|word| word.parse::<NumberForm>())
}

fn list_name(name: &str) -> Result<String, String> {
    match check_list_name(name) {
        Ok(()) => Ok(name.to_owned()),
        Err(BadListName::Erased) => Err("that list is for `callout erase`".into()),
        Err(BadListName::Length) => Err("a list's name has 1 to 64 characters".into()),
    }
}

/// A span of days, weeks, hours, minutes or seconds; a day is 24 hours.
fn span(text: &str) -> Result<jiff::SignedDuration, String> {
    let help = || "write a number and d, w or h, such as 90d".to_owned();
    let span: jiff::Span = text.parse().map_err(|_| help())?;
    let days = jiff::SpanRelativeTo::days_are_24_hours();
    let duration = span.to_duration(days).map_err(|_| help())?;
    if duration.is_negative() {
        return Err(help());
    }
    Ok(duration)
}
