//! One callout by hand, through an intent in the database like every other.
//!
//! It is a run of one row. Whatever can be done with a run can be done with it, going on after a kill
//! included.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::runs::{Assurances, Work, rate, rules};
use super::{App, Error, Notice, Refusal, Stop};
use crate::campaign::{Campaign, Script};
use crate::digest::sha256;
use crate::domain::{
    BY_HAND, Callout, Destination, DestinationKind, RecipientId, ResultRow, RunId, Screen,
};
use crate::engine::{End, Pace, Predecessor, Time};
use crate::recipients::{Numbers, ZoneOf, address};
use crate::sinch::{Client, Preview};
use crate::store::{Access, Imported, ImportedRow, NewRun, RunEnd, Store};

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
            rules: rules(&placing.campaign, new.created_at),
            // One call by a person's hand, who knows that it costs something.
            spend: None,
            output: None,
        };
        let end = work.drive(stop).await?;
        let rows = store.results(&new.id, RecipientId(0), 1).await?;
        let row = rows.into_iter().next().ok_or_else(|| {
            Error::failed("the callout is not in the database: please report this")
        })?;
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
