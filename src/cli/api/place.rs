//! `callout call place`: one callout by hand, through an intent in the database like every other.
//!
//! The options become a campaign, the number becomes its list.

use std::path::Path;

use super::{App, Exit, Failure, Global, or_dash};
use crate::app::Error;
use crate::app::place::{self, Described, Placed, Placing};
use crate::app::receive::Receiving;
use crate::app::runs::{Assurances, rate};
use crate::campaign::{Campaign, Fault, Faults};
use crate::cli::args::PlaceArgs;
use crate::cli::database;
use crate::domain::{AttemptRecord, Disposition, PauseReason, ResultRow, RunId};
use crate::engine::End;
use crate::output;
use crate::process;
use crate::store::Access;

/// What a person is told to be at fault when it is not a campaign's file.
const COMMAND_LINE: &str = "the command line";

pub(super) async fn place(args: &PlaceArgs, global: &Global, app: &App) -> Result<Exit, Failure> {
    let placing = placing(args)?;
    rate(&placing.campaign)?;
    let client = app.client()?;
    if args.api.dry_run {
        let preview = placing.preview(app, &client);
        super::show(args.api, &preview?);
        return Ok(Exit::Done);
    }
    for warning in placing.campaign.warnings() {
        let warning = of_option(warning, placing.campaign.source());
        output::tell(&format!("warning: {warning}"));
    }
    if let Some(file) = &args.campaign {
        database::may_dial(global, file, None)?;
    }
    let assured = Assurances {
        clock_is_right: args.clock.clock_is_right,
        unknown_calls: args.accept.accept_unknown_calls,
    };
    let stop = process::listen()?;
    let receiving = app.receiving(Access::BesideOrNew).await?;
    let placed = app.place(placing, client, assured, &stop).await?;
    Receiving::end(receiving).await?;
    match placed {
        Placed::Called(run, row) => tell(&run, &row, args.api.json),
        Placed::Nobody(end) => Err(Failure::failed(not_called(&end))),
    }
}

/// Why nobody was called, and what to do. Most refusals are answers to a callout that was sent.
fn not_called(end: &End) -> String {
    let End::Paused(why) = end else {
        return "nobody was called".into();
    };
    let advice = match why {
        PauseReason::EmptyAccount(_) => "top the account up in the dashboard",
        PauseReason::Signal | PauseReason::Asked => "place it again when you want to",
        _ => "`callout doctor` looks for the cause",
    };
    format!("nobody was called: {why}\n{advice}")
}

/// What the options want.
fn placing(args: &PlaceArgs) -> Result<Placing, Failure> {
    let campaign = if let Some(file) = &args.campaign {
        Campaign::load(file)?
    } else {
        let source = described(args)?.campaign(COMMAND_LINE);
        let parsed = Campaign::parse(&source, Path::new(COMMAND_LINE));
        parsed.map_err(|faults| of_options(faults, &source))?
    };
    if args.campaign.is_none() && !args.columns.is_empty() {
        return Err(Failure::usage("--set is for the columns of a --campaign"));
    }
    let mut columns: Vec<(&str, &str)> = Vec::new();
    for column in &args.columns {
        let (name, value) = pair(column, "--set", "COLUMN=VALUE")?;
        let known = *name == *campaign.recipients.number;
        if known || columns.iter().any(|(known, _)| *known == name) {
            let message = format!("--set {name}: the column has its value already");
            return Err(Failure::usage(message));
        }
        columns.push((name, value));
    }
    let from = Path::new(COMMAND_LINE);
    Placing::of(campaign, &args.number, &columns, from).map_err(|error| match error {
        Error::Faults(faults) => of_options(faults, ""),
        error => error.into(),
    })
}

/// Faults of the campaign that the options make.
fn of_options(faults: Faults, source: &str) -> Failure {
    let told = faults.into_iter().map(|fault| of_option(&fault, source));
    Failure::refused("faults", told.collect::<Vec<_>>().join("\n\n"))
}

/// A fault of the campaign that the options make is told of its option: nobody wrote the file.
fn of_option(fault: &Fault, source: &str) -> String {
    if fault.file != COMMAND_LINE {
        return fault.to_string();
    }
    let line = source.lines().nth(fault.line.saturating_sub(1));
    let key = line.and_then(|line| line.split_once('='));
    let option = key.map_or(String::new(), |(key, _)| option(key.trim()) + ": ");
    format!("{option}{}\n  help: {}", fault.message, fault.help)
}

/// The option behind a key of the campaign that the options make.
fn option(key: &str) -> String {
    let key = key.trim_matches('"');
    match key {
        "conference_id" => "--conference".into(),
        "moh_class" => "--moh".into(),
        "destination_type" => "--type".into(),
        "mode" => "--dtmf-mode".into(),
        "max_digits" => "--dtmf-digits".into(),
        "timeout_mills" => "--dtmf-timeout".into(),
        header if header.to_ascii_lowercase().starts_with("x-") => format!("--header {header}"),
        key => format!("--{}", key.replace('_', "-")),
    }
}

/// The options under the names that campaign files have for them.
fn described(args: &PlaceArgs) -> Result<Described<'_>, Failure> {
    let mut headers: Vec<(&str, &str)> = Vec::new();
    for header in &args.headers {
        let (name, value) = pair(header, "--header", "X-CB-NAME=VALUE")?;
        if headers.iter().any(|(known, _)| *known == name) {
            let message = format!("--header {name}: the header has its value already");
            return Err(Failure::usage(message));
        }
        headers.push((name, value));
    }
    let texts: [(&'static str, Option<&str>); 15] = [
        ("cli", args.cli.as_deref()),
        ("text", args.text.as_deref()),
        ("prompts", args.prompts.as_deref()),
        ("conference_id", args.conference.as_deref()),
        ("greeting", args.greeting.as_deref()),
        ("moh_class", args.moh.as_deref()),
        ("domain", args.domain.as_deref()),
        ("ice", args.ice.as_deref()),
        ("ace", args.ace.as_deref()),
        ("pie", args.pie.as_deref()),
        ("dice", args.dice.as_deref()),
        ("pop", args.pop.as_deref()),
        ("locale", args.locale.as_deref()),
        ("dtmf", args.dtmf.as_deref()),
        ("custom", args.custom.as_deref()),
    ];
    let flags = [
        args.enable_ace.then_some("enable_ace"),
        args.enable_dice.then_some("enable_dice"),
        args.enable_pie.then_some("enable_pie"),
    ];
    Ok(Described {
        kind: args.kind,
        texts: texts
            .into_iter()
            .filter_map(|(key, text)| Some((key, text?)))
            .collect(),
        max_duration: args.max_duration,
        flags: flags.into_iter().flatten().collect(),
        keys_mode: args.dtmf_mode.as_deref(),
        keys_numbers: [
            ("max_digits", args.dtmf_digits),
            ("timeout_mills", args.dtmf_timeout),
        ],
        headers,
    })
}

/// The two sides of an option like `--set COLUMN=VALUE`.
fn pair<'a>(given: &'a str, option: &str, form: &str) -> Result<(&'a str, &'a str), Failure> {
    given
        .split_once('=')
        .ok_or_else(|| Failure::usage(format!("{option} {given}: write {form}")))
}

/// Tells what became of the callout.
fn tell(run: &RunId, row: &ResultRow, as_json: bool) -> Result<Exit, Failure> {
    let last = row.attempts.last();
    if as_json {
        output::say_json(&place::json(run, row));
    } else {
        output::say(&text(run, row, last));
    }
    let why = match row.disposition {
        Some(Disposition::Reached | Disposition::Unreached) => return Ok(Exit::Done),
        Some(Disposition::Uncertain) => format!(
            "nobody told us whether the phone rang: `callout reconcile {run}` lists the attempt"
        ),
        Some(other) => format!("not called: {}", other.as_str()),
        None => format!("stopped before its end: `callout resume {run}` goes on"),
    };
    Err(Failure::failed(why).printed())
}

fn text(run: &RunId, row: &ResultRow, last: Option<&AttemptRecord>) -> String {
    let outcome = last.map(|a| a.outcome.clone()).unwrap_or_default();
    let took = outcome.duration_s.map(|s| format!("{s} s"));
    let debit = outcome.debit.as_ref().map(ToString::to_string);
    let facts = [
        ("run", Some(run.to_string())),
        ("call", last.and_then(|a| a.call_id.clone())),
        ("verdict", row.disposition.map(|d| d.as_str().to_owned())),
        ("result", outcome.result),
        ("reason", outcome.reason),
        ("duration", took),
        ("debit", debit),
        ("note", row.reason.clone().or_else(|| last?.note.clone())),
    ];
    let lines: Vec<String> = facts
        .into_iter()
        .filter_map(|(name, fact)| {
            let fact = output::printable(or_dash(Some(&fact?)));
            Some(format!("{name:<9} {fact}"))
        })
        .collect();
    lines.join("\n")
}
