//! What every store promises, a file a port: each rule is asked of whatever store a rig opens, and knows
//! nothing of files or statements.

mod calendar;
mod engine;
mod runs;

use std::sync::Arc;

use callout::domain::{DestinationKind, RunId};
use callout::store::{self, Access, Imported, ImportedRow, NewRun, Planned, RejectedRow, Store};
use jiff::Timestamp;
use tempfile::TempDir;

pub(super) use crate::support::number;

/// A place for one database, which can be opened again.
pub(super) struct Rig {
    folder: TempDir,
}

impl Rig {
    pub(super) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        Self { folder }
    }

    async fn open(&self, access: Access) -> Arc<dyn Store> {
        let file = self.folder.path().join("s.db");
        let address = format!("sqlite:{}", file.display());
        store::open(&address, access, None).await.unwrap()
    }

    /// As the engine, ready to commit.
    pub(super) async fn engine(&self) -> Arc<dyn Store> {
        let store = self.open(Access::Engine).await;
        store.compare().await.unwrap();
        store
    }

    /// As another process, beside whoever is the engine.
    pub(super) async fn beside(&self) -> Arc<dyn Store> {
        self.open(Access::BesideOrNew).await
    }

    /// A store with one run of the campaign `c` and so many recipients, all due.
    pub(super) async fn stocked(&self, recipients: usize) -> (Arc<dyn Store>, RunId) {
        let store = self.engine().await;
        let run = a_run("0123456789ab", "c");
        store.create_run(&run).await.unwrap();
        import(store.as_ref(), &run.id, rows(recipients)).await;
        (store, run.id)
    }
}

/// The moment at which everything happens, unless a rule is about time.
pub(super) fn now() -> Timestamp {
    at(1_800_000_000)
}

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// A run that begins.
pub(super) fn a_run(id: &str, campaign: &str) -> NewRun {
    NewRun {
        blackout_file: None,
        id: RunId::new(id),
        campaign: campaign.into(),
        definition: "the campaign".into(),
        definition_path: "/c.toml".into(),
        rehearsal: false,
        platform: "https://platform key".into(),
        created_at: now(),
        scheduled_for: None,
        expires_at: None,
        spend: None,
        planned: Planned::default(),
    }
}

/// Rows of a list, the first on line 2, each with a number of its own.
pub(super) fn rows(count: usize) -> Vec<ImportedRow> {
    (0..count).map(|nth| a_row(nth, Ok(number(nth)))).collect()
}

pub(super) fn a_row(nth: usize, verdict: Result<String, RejectedRow>) -> ImportedRow {
    ImportedRow {
        zones: None,
        hold: None,
        line: u64::try_from(nth).unwrap() + 2,
        cells: vec![number(nth), format!("row {nth}")],
        verdict,
    }
}

/// Imports a run's list.
pub(super) async fn import(store: &dyn Store, run: &RunId, rows: Vec<ImportedRow>) {
    let (send, receive) = tokio::sync::mpsc::channel(1);
    let (imported, imported_in) = tokio::sync::oneshot::channel();
    send.try_send(rows).unwrap();
    drop(send);
    imported.send(whole()).unwrap();
    store.import(run, receive, imported_in).await.unwrap();
}

/// The end of a list that was read to its end.
pub(super) fn whole() -> Imported {
    Imported {
        header: vec!["phone".into(), "note".into()],
        destination_kind: DestinationKind::Number,
        sha256: "0a".into(),
    }
}
