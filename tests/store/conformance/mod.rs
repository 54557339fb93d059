//! What every store promises, a file a port: each rule is asked of whatever store a rig opens, and knows
//! nothing of files or statements. What an engine asks, and what is done with runs, is asked of the store in
//! memory as well, on which the core is proved.

/// Makes two tests of each rule.
macro_rules! on_every_store {
    ($($rule:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test]
            async fn $rule() {
                super::$rule::<crate::conformance::Files>().await;
            })*
        }
        mod in_memory {
            $(#[tokio::test]
            async fn $rule() {
                super::$rule::<crate::memory::Memory>().await;
            })*
        }
    };
}

mod attempts;
mod calendar;
mod engine;
mod heard;
mod inbox;
mod privacy;
mod reports;
mod runs;
mod suppression;
mod upkeep;

use std::sync::Arc;

use callout::domain::{DestinationKind, RunId, Tally};
use callout::store::{
    self, Access, EngineStore, Imported, ImportedRow, NewRun, Planned, RejectedRow, RunStore, Store,
};
use jiff::Timestamp;
use tempfile::TempDir;

use crate::memory::Memory;
pub(super) use crate::support::number;

/// What shows, beside an engine's port and that for runs, what was written.
pub(super) trait Witness {
    /// The counts of a run, from its rows.
    async fn tally(&self, run: &RunId) -> Tally;

    /// The run that an engine works on, as others see it.
    async fn at_work(&self) -> Option<RunId>;
}

impl Witness for dyn Store {
    async fn tally(&self, run: &RunId) -> Tally {
        store::ReportStore::tally(self, run).await.unwrap()
    }

    async fn at_work(&self) -> Option<RunId> {
        self.engine_at_work().await.unwrap()
    }
}

impl Witness for Memory {
    async fn tally(&self, run: &RunId) -> Tally {
        self.tally(run)
    }

    async fn at_work(&self) -> Option<RunId> {
        self.at_work()
    }
}

/// A place for one store, which can be opened again.
pub(super) trait Rig {
    type Store: EngineStore + RunStore + Witness + ?Sized + 'static;

    fn new() -> Self;

    /// Opens it as the engine, ready to commit.
    async fn engine(&self) -> Arc<Self::Store>;

    /// Opens it as another process, beside whoever is the engine.
    async fn beside(&self) -> Arc<Self::Store>;

    /// A store with one run of the campaign `c` and so many recipients, all due.
    async fn stocked(&self, recipients: usize) -> (Arc<Self::Store>, RunId) {
        let store = self.engine().await;
        let run = a_run("0123456789ab", "c");
        store.create_run(&run).await.unwrap();
        import(store.as_ref(), &run.id, rows(recipients)).await;
        (store, run.id)
    }
}

/// A folder for a database.
pub(super) struct Files {
    folder: TempDir,
}

impl Files {
    async fn open(&self, access: Access) -> Arc<dyn Store> {
        let file = self.folder.path().join("s.db");
        let address = format!("sqlite:{}", file.display());
        store::open(&address, access, None).await.unwrap()
    }
}

impl Rig for Files {
    type Store = dyn Store;

    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        Self { folder }
    }

    async fn engine(&self) -> Arc<dyn Store> {
        let store = self.open(Access::Engine).await;
        store.compare().await.unwrap();
        store
    }

    async fn beside(&self) -> Arc<dyn Store> {
        self.open(Access::BesideOrNew).await
    }
}

impl Rig for Memory {
    type Store = Memory;

    fn new() -> Self {
        Self::empty()
    }

    async fn engine(&self) -> Arc<Memory> {
        Arc::new(Memory::engine(self).unwrap())
    }

    async fn beside(&self) -> Arc<Memory> {
        Arc::new(Memory::beside(self))
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
pub(super) async fn import(store: &(impl RunStore + ?Sized), run: &RunId, rows: Vec<ImportedRow>) {
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
