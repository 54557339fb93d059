//! One callout by hand, through an intent in the database like every other.
//!
//! It is a run of one row. Whatever can be done with a run can be done with it, going on after a kill
//! included.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use super::by_hand::money;
use super::runs::{Assurances, Work, rate, rules};
use super::{App, Error, Notice, Refusal, Stop};
use crate::campaign::{Campaign, Script};
use crate::digest::sha256;
use crate::domain::{
    BY_HAND, Callout, Destination, DestinationKind, Disposition, RecipientId, ResultRow,
    RetryPolicy, RunId, Screen,
};
use crate::engine::{End, Pace, Predecessor, Rules, Time};
use crate::recipients::{Numbers, ZoneOf, address};
use crate::sinch::{Client, Preview};
use crate::store::{Access, Imported, ImportedRow, NewRun, RunEnd, Store};

/// The name of the campaign that a description makes.
const NAME: &str = "call-place";

/// Everything that makes the callout.
pub(crate) struct Placing {
    /// The campaign that it is of.
    pub(crate) campaign: Campaign,
    script: Script,
    header: Vec<String>,
    cells: Vec<String>,
    destination: Destination,
    callout: Callout,
}

/// What came of it.
pub(crate) enum Placed {
    /// Somebody was called, or may have been.
    Called(RunId, Box<ResultRow>),
    /// Nobody was, and nobody will be.
    Nobody(End),
}

impl Placing {
    /// A callout of a campaign to one endpoint, with values for the columns that its texts name. `from` is
    /// what is at fault where one is missing.
    pub(crate) fn of(
        campaign: Campaign,
        to: &str,
        columns: &[(&str, &str)],
        from: &Path,
    ) -> Result<Self, Error> {
        let spec = &campaign.recipients;
        let (mut header, mut cells) = (vec![spec.number.clone()], vec![to.to_owned()]);
        for (name, value) in columns {
            header.push((*name).to_owned());
            cells.push((*value).to_owned());
        }
        let destination = Destination {
            kind: spec.destination_kind,
            endpoint: endpoint(&campaign, to)?,
        };
        let script = campaign.bind(&header, from)?;
        let callout = script
            .callout(&destination, &cells)
            .map_err(|fault| Refusal::input("row", fault.reason))?;
        Ok(Self {
            campaign,
            script,
            header,
            cells,
            destination,
            callout,
        })
    }

    /// The request that would be sent.
    pub(crate) fn preview(&self, app: &App, client: &Client) -> Result<Preview, Error> {
        let attempt = app.entropy().attempt_id();
        let preview = client.preview_callout(&self.callout, attempt);
        preview.map_err(Error::failed)
    }

    /// Writes the one row down.
    async fn import(&self, store: &dyn Store, run: &RunId) -> Result<(), Error> {
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
            sha256: sha256(format!("{:?}{:?}", self.header, self.cells).as_bytes()),
        };
        // Both have room for what is sent.
        drop(rows.try_send(vec![row]));
        drop(rows);
        drop(imported.send(end));
        Ok(store.import(run, rows_in, imported_in).await?)
    }
}

impl App {
    /// Places a callout, and follows it to its end or until somebody asks to stop.
    pub(crate) async fn place(
        &self,
        placing: Placing,
        client: Client,
        assured: Assurances,
        stop: &Stop,
    ) -> Result<Placed, Error> {
        let calls_per_second = rate(&placing.campaign)?;
        let store = self.ready_to_dial(Access::Engine, assured).await?;
        let lists = store.suppressions().await?;
        let screen = Screen {
            lists: Some(&lists),
            now: self.clock.wall(),
            only: None,
        };
        let masked = placing.destination.masked();
        if let Some(why) = screen.against(&placing.destination) {
            let words = format!("{masked} is not called: {why}");
            return Err(Refusal::input("suppressed", words).into());
        }
        let new = NewRun {
            campaign: BY_HAND.to_owned(),
            ..self.new_run(&placing.campaign, client.platform(), false)
        };
        let campaign = &placing.campaign;
        let hearing = self.hearing(&store, (&new.id, campaign), &client).await?;
        store.take_run(&new.id).await?;
        store.create_run(&new).await?;
        placing.import(store.as_ref(), &new.id).await?;
        self.tell(Notice::Placing {
            run: new.id.clone(),
            to: masked,
        });
        let work = Work {
            app: self,
            store: Arc::clone(&store),
            platform: Arc::new(client),
            hearing,
            time: Time::Live(Arc::clone(&self.clock)),
            script: placing.script,
            at_the_dial: None,
            kind: placing.destination.kind,
            run: new.id.clone(),
            campaign: new.campaign,
            predecessor: Predecessor::Nobody,
            pace: Pace {
                calls_per_second,
                concurrent_calls: None,
            },
            rules: Rules {
                // One callout, whatever becomes of it.
                retry: RetryPolicy::default(),
                ..rules(&placing.campaign, new.created_at)
            },
            talks: placing.campaign.talks_at_most(),
            // One call by a person's hand, who knows that it costs something.
            spend: None,
            output: None,
        };
        let end = self.drive_and_tell(work, stop).await?;
        let row = placed_row(store.as_ref(), &new.id).await?;
        let unsent = row.attempts.iter().all(|attempt| !attempt.stage.counts());
        let nobody = row.disposition.is_none() && unsent;
        if nobody {
            // Nothing is left to go on with, which would call after all.
            let now = self.clock.wall();
            store.end_run(&new.id, &RunEnd::Cancelled, now).await?;
        }
        store.close().await?;
        Ok(if nobody {
            Placed::Nobody(end)
        } else {
            Placed::Called(new.id, Box::new(row))
        })
    }
}

/// How often it is looked what was pressed.
const LOOK_EVERY: Duration = Duration::from_millis(300);

impl App {
    /// Follows the one call to its end, and tells what is pressed in it meanwhile.
    async fn drive_and_tell(&self, work: Work<'_>, stop: &Stop) -> Result<End, Error> {
        let (store, run, asks) = (
            Arc::clone(&work.store),
            work.run.clone(),
            work.talks.is_some(),
        );
        let mut driven = Box::pin(work.drive(stop));
        let mut told = 0;
        loop {
            let end = tokio::select! {
                end = driven.as_mut() => Some(end?),
                () = tokio::time::sleep(LOOK_EVERY), if asks => None,
            };
            let row = placed_row(store.as_ref(), &run).await?;
            let response = row
                .attempts
                .last()
                .and_then(|attempt| attempt.response.as_deref());
            let responses: Vec<&str> = response.map_or(Vec::new(), |r| r.split(" > ").collect());
            for pressed in responses.iter().skip(told) {
                self.tell(Notice::Pressed((*pressed).to_owned()));
            }
            told = told.max(responses.len());
            if let Some(end) = end {
                return Ok(end);
            }
        }
    }
}

/// The one row of a callout by hand.
async fn placed_row(store: &dyn Store, run: &RunId) -> Result<ResultRow, Error> {
    let rows = store.results(run, RecipientId(0), 1).await?;
    rows.into_iter()
        .next()
        .ok_or_else(|| Error::failed("the callout is not in the database: please report this"))
}

/// Whom a person means, as the campaign's list would be read.
fn endpoint(campaign: &Campaign, to: &str) -> Result<String, Error> {
    let spec = &campaign.recipients;
    match spec.destination_kind {
        kind @ (DestinationKind::Username | DestinationKind::Sip) => {
            let address = address(kind, to).map_err(|why| Refusal::input("address", why))?;
            Ok(address.to_owned())
        }
        DestinationKind::Number => {
            let numbers = Numbers::new(spec.region.as_deref(), spec.numbers)
                .map_err(|why| Refusal::input("numbers", why))?;
            let number = numbers.normalise(to).map_err(|why| {
                Refusal::input("number", format!("the number cannot be dialled: {why}"))
            })?;
            Ok(number.e164)
        }
    }
}

/// A callout as somebody describes it, under the names that campaign files have for its parts.
#[derive(Debug, Default)]
pub(crate) struct Described<'a> {
    /// Whom a number, a name or an address stands for.
    pub(crate) kind: Option<DestinationKind>,
    /// Texts; what looks like a template in them is none.
    pub(crate) texts: Vec<(&'static str, &'a str)>,
    /// Seconds after which the platform ends the call.
    pub(crate) max_duration: Option<u32>,
    /// What is switched on.
    pub(crate) flags: Vec<&'static str>,
    /// What becomes of keys that are pressed in a conference.
    pub(crate) keys_mode: Option<&'a str>,
    /// Its numbers.
    pub(crate) keys_numbers: [(&'static str, Option<u32>); 2],
    /// Headers and their values.
    pub(crate) headers: Vec<(&'a str, &'a str)>,
}

impl Described<'_> {
    /// The source of a campaign that makes the callout; `file` stands in the place of its list's file.
    pub(crate) fn campaign(&self, file: &str) -> String {
        let has = |key| self.texts.iter().any(|(known, _)| *known == key);
        let kind = if has("conference_id") {
            "conference"
        } else if has("text") || has("prompts") {
            "tts"
        } else {
            "custom"
        };
        let mut list = toml::Table::from_iter([("file".into(), toml::Value::from(file))]);
        if let Some(kind) = self.kind {
            list.insert("destination_type".into(), kind.as_str().into());
        }
        let callout = toml::Table::from_iter([(kind.into(), self.callout().into())]);
        let pacing = toml::Table::from_iter([("calls_per_second".into(), toml::Value::from(1))]);
        let campaign: toml::Table = [
            ("name".into(), NAME.into()),
            ("recipients".into(), list.into()),
            ("callout".into(), callout.into()),
            ("pacing".into(), pacing.into()),
        ]
        .into_iter()
        .collect();
        campaign.to_string()
    }

    fn callout(&self) -> toml::Table {
        let mut callout = toml::Table::new();
        for (key, text) in &self.texts {
            callout.insert((*key).into(), literal(key, text).into());
        }
        if let Some(seconds) = self.max_duration {
            callout.insert("max_duration".into(), i64::from(seconds).into());
        }
        for flag in &self.flags {
            callout.insert((*flag).into(), true.into());
        }
        let mut keys = toml::Table::new();
        if let Some(mode) = self.keys_mode {
            keys.insert("mode".into(), literal("mode", mode).into());
        }
        for (key, number) in self.keys_numbers {
            if let Some(number) = number {
                keys.insert(key.into(), i64::from(number).into());
            }
        }
        if !keys.is_empty() {
            callout.insert("conference_dtmf_options".into(), keys.into());
        }
        let headers = self.headers.iter();
        let headers: toml::Table = headers
            .map(|(name, value)| ((*name).to_owned(), literal(name, value).into()))
            .collect();
        if !headers.is_empty() {
            callout.insert("headers".into(), headers.into());
        }
        callout
    }
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

/// What became of a callout, for programs.
pub(crate) fn json(run: &RunId, row: &ResultRow) -> Value {
    let last = row.attempts.last();
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
