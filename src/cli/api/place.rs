//! `callout call place`: one callout by hand, through an intent in the database like every other.
//!
//! It is a run of one row: the options become a campaign, the number becomes its list. Whatever can
//! be done with a run can be done with it, a `resume` after a kill -9 included.

use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use tokio::sync::{mpsc, oneshot};

use super::{Exit, Failure, Global, World, money, or_dash};
use crate::campaign::{Campaign, Script};
use crate::cli::args::PlaceArgs;
use crate::cli::runs::BY_HAND;
use crate::cli::session::{self, Session};
use crate::cli::{clock, database, export, latest, output, run, settings};
use crate::domain::{
    AttemptRecord, Callout, Destination, DestinationKind, Disposition, PauseReason, RecipientId,
    ResultRow, RunId, Screen,
};
use crate::engine::{End, Pace, Predecessor, Time};
use crate::recipients::{Numbers, ZoneOf, address};
use crate::store::{Access, Imported, ImportedRow, NewRun, RunEnd, Store};

/// The name of the campaign that options make.
const NAME: &str = "call-place";
/// What a person is told to be at fault when it is not a campaign's file.
const COMMAND_LINE: &str = "the command line";

/// Everything that makes the callout.
struct Placing {
    campaign: Campaign,
    script: Script,
    header: Vec<String>,
    cells: Vec<String>,
    destination: Destination,
    callout: Callout,
}

pub(super) async fn place(
    args: &PlaceArgs,
    global: &Global,
    mut world: World,
) -> Result<Exit, Failure> {
    let placing = Placing::of(args)?;
    let calls_per_second = run::rate(&placing.campaign)?;
    let client = settings::client(global, &world.clock)?;
    if args.api.dry_run {
        let attempt = world.entropy.attempt_id();
        let preview = client.preview_callout(&placing.callout, attempt);
        super::show(args.api, &preview.map_err(Failure::failed)?);
        return Ok(Exit::Done);
    }
    for warning in placing.campaign.warnings() {
        output::tell(&format!("warning: {warning}"));
    }
    if let Some(file) = &args.campaign {
        database::may_dial(global, file, None)?;
    }
    let store = latest::open(global, Access::Engine).await?;
    latest::be_sure(store.as_ref(), args.accept, &mut world).await?;
    let right = args.clock.clock_is_right;
    clock::refuse_set_back(store.as_ref(), world.clock.as_ref(), right).await?;
    let lists = store.suppressions().await?;
    let screen = Screen {
        lists: Some(&lists),
        now: world.clock.wall(),
        only: None,
    };
    if let Some(why) = screen.against(&placing.destination) {
        let masked = placing.destination.masked();
        return Err(Failure::usage(format!("{masked} is not called: {why}")));
    }
    let new = NewRun {
        campaign: BY_HAND.to_owned(),
        ..run::new_run(&placing.campaign, &mut world, client.platform(), false)
    };
    store.claim(&new.id)?;
    store.create_run(&new).await?;
    placing.import(store.as_ref(), &new.id).await?;
    output::tell(&format!(
        "run {}: calling {}, until the call is over; Ctrl-C stops waiting",
        new.id,
        placing.destination.masked()
    ));
    let session = Session {
        store: Arc::clone(&store),
        platform: Arc::new(client),
        time: Time::Live(Arc::clone(&world.clock)),
        script: placing.script,
        at_the_dial: None,
        kind: placing.destination.kind,
        run: new.id.clone(),
        predecessor: Predecessor::Nobody,
        pace: Pace {
            calls_per_second,
            concurrent_calls: None,
        },
        rules: session::rules(&placing.campaign, new.created_at),
        // One call by a person's hand, who knows that it costs something.
        spend: None,
        rows: 1,
        done: 0,
        output: None,
        json: args.api.json,
    };
    let clock = Arc::clone(&world.clock);
    let end = session.drive(world).await?;
    let row = row(store.as_ref(), &new.id).await?;
    let unsent = row.attempts.iter().all(|attempt| !attempt.stage.counts());
    if row.disposition.is_none() && unsent {
        // Nothing left here, and nobody should be surprised by a `resume` that calls after all.
        store.cancel_pending(&new.id).await?;
        let now = clock.wall();
        store.set_run(&new.id, &RunEnd::Cancelled, now).await?;
        store.close().await?;
        return Err(Failure::failed(not_called(&end)));
    }
    store.close().await?;
    tell(&new.id, &row, args.api.json)
}

async fn row(store: &dyn Store, run: &RunId) -> Result<ResultRow, Failure> {
    let rows = store.results(run, RecipientId(0), 1).await?;
    rows.into_iter()
        .next()
        .ok_or_else(|| Failure::failed("the callout is not in the database: please report this"))
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

impl Placing {
    fn of(args: &PlaceArgs) -> Result<Self, Failure> {
        let campaign = match &args.campaign {
            Some(file) => Campaign::load(file)?,
            None => Campaign::parse(&definition(args)?, Path::new(COMMAND_LINE))?,
        };
        let spec = &campaign.recipients;
        let (mut header, mut cells) = (vec![spec.number.clone()], vec![args.number.clone()]);
        if args.campaign.is_none() && !args.columns.is_empty() {
            return Err(Failure::usage("--set is for the columns of a --campaign"));
        }
        for column in &args.columns {
            let (name, value) = pair(column, "--set", "COLUMN=VALUE")?;
            if header.iter().any(|known| known == name) {
                let message = format!("--set {name}: the column has its value already");
                return Err(Failure::usage(message));
            }
            header.push(name.to_owned());
            cells.push(value.to_owned());
        }
        let endpoint = match spec.destination_kind {
            kind @ (DestinationKind::Username | DestinationKind::Sip) => {
                address(kind, &args.number)
                    .map_err(Failure::usage)?
                    .to_owned()
            }
            DestinationKind::Number => {
                let numbers = Numbers::new(spec.region.as_deref(), spec.numbers)
                    .map_err(|e| Failure::usage(e.to_string()))?;
                let parsed = numbers.normalise(&args.number);
                parsed
                    .map_err(|e| Failure::usage(format!("the number cannot be dialled: {e}")))?
                    .e164
            }
        };
        let destination = Destination {
            kind: spec.destination_kind,
            endpoint,
        };
        let script = campaign.bind(&header, Path::new(COMMAND_LINE))?;
        let callout = script
            .callout(&destination, &cells)
            .map_err(|fault| Failure::usage(fault.reason))?;
        Ok(Self {
            campaign,
            script,
            header,
            cells,
            destination,
            callout,
        })
    }

    /// Writes the one row down.
    async fn import(&self, store: &dyn Store, run: &RunId) -> Result<(), Failure> {
        let (rows, rows_in) = mpsc::channel(1);
        let (imported, imported_in) = oneshot::channel();
        let row = ImportedRow {
            line: 2,
            cells: self.cells.clone(),
            verdict: Ok(self.destination.endpoint.clone()),
            zones: self.campaign.asks_for_zones().then(|| {
                let zone_of = ZoneOf::new(&self.campaign.recipients, &self.header);
                zone_of.zones(&self.cells, &self.destination)
            }),
            hold: None,
        };
        let end = Imported {
            header: self.header.clone(),
            destination_kind: self.destination.kind,
            sha256: export::sha256(format!("{:?}{:?}", self.header, self.cells).as_bytes()),
        };
        // Both have room for what is sent.
        drop(rows.try_send(vec![row]));
        drop(rows);
        drop(imported.send(end));
        Ok(store.import(run, rows_in, imported_in).await?)
    }
}

/// The options as a campaign file.
fn definition(args: &PlaceArgs) -> Result<String, Failure> {
    let kind = if args.conference.is_some() {
        "conference"
    } else if args.text.is_some() || args.prompts.is_some() {
        "tts"
    } else {
        "custom"
    };
    let mut list = toml::Table::from_iter([("file".into(), toml::Value::from(COMMAND_LINE))]);
    if let Some(kind) = args.kind {
        list.insert("destination_type".into(), kind.as_str().into());
    }
    let callout = toml::Table::from_iter([(kind.into(), callout(args)?.into())]);
    let pacing = toml::Table::from_iter([("calls_per_second".into(), toml::Value::from(1))]);
    let campaign: toml::Table = [
        ("name".into(), NAME.into()),
        ("recipients".into(), list.into()),
        ("callout".into(), callout.into()),
        ("pacing".into(), pacing.into()),
    ]
    .into_iter()
    .collect();
    Ok(campaign.to_string())
}

/// The options of the callout, under the names that campaign files have for them.
fn callout(args: &PlaceArgs) -> Result<toml::Table, Failure> {
    let mut callout = toml::Table::new();
    for (key, value) in [
        ("cli", &args.cli),
        ("text", &args.text),
        ("prompts", &args.prompts),
        ("conference_id", &args.conference),
        ("greeting", &args.greeting),
        ("moh_class", &args.moh),
        ("domain", &args.domain),
        ("ice", &args.ice),
        ("ace", &args.ace),
        ("pie", &args.pie),
        ("dice", &args.dice),
        ("pop", &args.pop),
        ("locale", &args.locale),
        ("dtmf", &args.dtmf),
        ("custom", &args.custom),
    ] {
        if let Some(value) = value {
            callout.insert(key.into(), literal(key, value).into());
        }
    }
    if let Some(seconds) = args.max_duration {
        callout.insert("max_duration".into(), i64::from(seconds).into());
    }
    for (key, flag) in [
        ("enable_ace", args.enable_ace),
        ("enable_dice", args.enable_dice),
        ("enable_pie", args.enable_pie),
    ] {
        if flag {
            callout.insert(key.into(), true.into());
        }
    }
    let keys = keys(args);
    if !keys.is_empty() {
        callout.insert("conference_dtmf_options".into(), keys.into());
    }
    let mut headers = toml::Table::new();
    for header in &args.headers {
        let (name, value) = pair(header, "--header", "X-CB-NAME=VALUE")?;
        if headers
            .insert(name.into(), literal(name, value).into())
            .is_some()
        {
            let message = format!("--header {name}: the header has its value already");
            return Err(Failure::usage(message));
        }
    }
    if !headers.is_empty() {
        callout.insert("headers".into(), headers.into());
    }
    Ok(callout)
}

/// What becomes of keys that are pressed in a conference.
fn keys(args: &PlaceArgs) -> toml::Table {
    let number = |number: Option<u32>| number.map(|n| toml::Value::from(i64::from(n)));
    let mode = args.dtmf_mode.as_ref();
    [
        ("mode", mode.map(|mode| literal("mode", mode).into())),
        ("max_digits", number(args.dtmf_digits)),
        ("timeout_mills", number(args.dtmf_timeout)),
    ]
    .into_iter()
    .filter_map(|(key, value)| Some((key.to_owned(), value?)))
    .collect()
}

/// The two sides of an option like `--set COLUMN=VALUE`.
fn pair<'a>(given: &'a str, option: &str, form: &str) -> Result<(&'a str, &'a str), Failure> {
    given
        .split_once('=')
        .ok_or_else(|| Failure::usage(format!("{option} {given}: write {form}")))
}

/// A text that means itself: what looks like a template in it is none. SVAML needs no such care, and
/// could not have it: JSON is full of braces.
fn literal(key: &str, text: &str) -> String {
    let template = ["{{", "{%", "{#"].iter().any(|open| text.contains(open));
    if template && !matches!(key, "ice" | "ace" | "pie" | "dice") && !text.contains("endraw") {
        format!("{{% raw %}}{text}{{% endraw %}}")
    } else {
        text.to_owned()
    }
}

/// Tells what became of the callout.
fn tell(run: &RunId, row: &ResultRow, as_json: bool) -> Result<Exit, Failure> {
    let last = row.attempts.last();
    if as_json {
        output::say_json(&json(run, row, last));
    } else {
        output::say(&text(run, row, last));
    }
    match row.disposition {
        Some(Disposition::Reached | Disposition::Unreached) => Ok(Exit::Done),
        Some(Disposition::Uncertain) => Err(Failure::failed(format!(
            "nobody told us whether the phone rang: `callout reconcile {run}` lists the attempt"
        ))),
        Some(other) => Err(Failure::failed(format!("not called: {}", other.as_str()))),
        None => Err(Failure::failed(format!(
            "stopped before its end: `callout resume {run}` goes on"
        ))),
    }
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

fn json(run: &RunId, row: &ResultRow, last: Option<&AttemptRecord>) -> serde_json::Value {
    let outcome = last.map(|a| a.outcome.clone()).unwrap_or_default();
    json!({
        "run": run.as_str(),
        "attempt": last.map(|a| a.id.to_string()),
        "call_id": last.and_then(|a| a.call_id.clone()),
        "disposition": row.disposition.map(Disposition::as_str),
        "result": outcome.result,
        "reason": outcome.reason,
        "duration_s": outcome.duration_s,
        "debit": money(outcome.debit.as_ref()),
        "note": row.reason.clone().or_else(|| last?.note.clone()),
    })
}
