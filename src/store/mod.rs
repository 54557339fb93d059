//! What is durable: ports in the domain's words, one for each kind of asker.
//!
//! A port's file has its trait and what travels through it; [`Store`] is all of them. SQL lives in the
//! modules of the databases ([`sqlite`]) and nowhere else.

mod access;
mod attempts;
mod calendar;
mod engine;
mod error;
mod gap;
mod inbox;
mod privacy;
mod reports;
mod runs;
mod sqlite;
mod suppression;
mod upkeep;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub use access::Access;
pub use attempts::{AttemptStore, Called, Made, Resolution, Unsettled};
pub use calendar::{Calendar, OccurrenceFate, OccurrenceRecord};
pub use engine::{
    Begun, Cursor, Due, DueAt, DuePage, EngineStore, Fact, Heard, Intent, Latest, Observed,
    OpenCall, Press, Recovery, Refused, Taken, Waiting, Was, Whose,
};
pub use error::StoreError;
pub use gap::Gap;
pub use inbox::{Arrival, Inbox, InboxStanding, LATE, Owner, Received};
pub use privacy::{Erasure, PrivacyStore, StillOpen};
pub use reports::{RecipientQuery, ReportStore};
pub use runs::{
    AtRest, EngineStatus, Imported, ImportedRow, NewRun, Planned, RejectedRow, Rows, Run, RunEnd,
    RunHead, RunStore, Wish, Wishing, WrittenOtherwise,
};
pub use sqlite::belongs_to_a_database;
pub use suppression::{Added, ListAct, ListChange, Removal, SuppressionStore};
pub use upkeep::{Accepted, Accepting, Copied, Restored, Upkeep};

/// Everything that a store can do: whoever may do anything holds one, and hands the ports on.
pub trait Store:
    EngineStore
    + RunStore
    + ReportStore
    + AttemptStore
    + Calendar
    + SuppressionStore
    + PrivacyStore
    + Inbox
    + Upkeep
{
}

impl<T> Store for T where
    T: EngineStore
        + RunStore
        + ReportStore
        + AttemptStore
        + Calendar
        + SuppressionStore
        + PrivacyStore
        + Inbox
        + Upkeep
{
}

/// Opens the database at an address such as `sqlite:callout.db`. What is known of it outside of it is
/// beside it or, where one is named, in a folder of this machine's state.
pub async fn open(
    address: &str,
    access: Access,
    state: Option<&Path>,
) -> Result<Arc<dyn Store>, StoreError> {
    Ok(Arc::new(sqlite::open(address, access, state).await?))
}

/// Deletes the rehearsals' database at an address, unless an engine works on it, or anything is in it
/// that no rehearsal wrote.
pub async fn begin_anew(address: &str) -> Result<(), StoreError> {
    sqlite::begin_anew(address).await
}

/// Puts the copy `from` in the place of the database at an address, which is kept beside it. One
/// that lacks something that was done since is refused with [`StoreError::Gap`], unless that is
/// accepted; nothing of the people in it changes by that yet.
pub async fn restore(
    address: &str,
    from: &Path,
    state: Option<&Path>,
    accept: bool,
) -> Result<Restored, StoreError> {
    sqlite::restore(address, from, state, accept).await
}

/// How long a commit waits for another process's short write.
pub(crate) const BUSY_WAIT: Duration = Duration::from_secs(10);
