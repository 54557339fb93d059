//! What is told while something is done. The command line prints it, a served page shows it, a test
//! collects it.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use rust_decimal::Decimal;

use super::Error;
use crate::campaign::Faults;
use crate::domain::{ClockAccepted, RunId};
use crate::engine::{Told, Watch};
use crate::recipients::ListSummary;
use crate::store::{Accepted, StoreError};

/// Somebody who is told.
pub(crate) trait Notices: std::fmt::Debug + Send + Sync {
    /// Something happened.
    fn tell(&self, notice: Notice);

    /// An engine works: shows how it goes on until the sender is gone.
    fn watch(&self, told: Told, goal: Goal) -> Watching;
}

/// Showing how an engine goes on.
pub(crate) type Watching = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The run that an engine works on, for whoever watches.
#[derive(Debug)]
pub(crate) struct Goal {
    /// The zone of the campaign's own clock; none where it names none.
    pub(crate) zone: Option<TimeZone>,
    /// How it stood before, and what its engine tells is to be held against.
    pub(crate) watch: Box<Watch>,
}

/// Something that happened.
#[derive(Debug)]
pub(crate) enum Notice {
    /// A person accepted a database that lacks something.
    DatabaseAccepted(Accepted),
    /// A person said that the clock is right.
    ClockAccepted(ClockAccepted),
    /// The platform is being asked what calls cost.
    AskingPrices,
    /// A run was written down and its list imported.
    Begun {
        /// The run.
        run: RunId,
        /// Its list.
        list: ListSummary,
        /// The run of whose recipients only those are called whom it did not reach.
        only_of: Option<RunId>,
    },
    /// A run goes on at another platform than it was begun at: calls placed there are not known here.
    Elsewhere {
        /// Where it was begun.
        began: String,
        /// Where it goes on.
        here: String,
    },
    /// A run may cost something else from now on.
    CapChanged {
        /// The run.
        run: RunId,
        /// What it may cost.
        cap: Decimal,
        /// In which currency.
        currency: String,
    },
    /// The refusals that paused a run are final.
    RefusalsAccepted {
        /// The run.
        run: RunId,
        /// How many recipients they are.
        recipients: u64,
        /// The platform's code.
        code: String,
    },
    /// A list whose import was interrupted is imported now.
    ImportingAgain,
    /// Rows are not dialled any more since an earlier version read their numbers otherwise.
    ReadOtherwise {
        /// The run.
        run: RunId,
        /// How many.
        rows: u64,
    },
    /// Somebody asked to stop: requests in flight finish.
    Stopping,
    /// The database is being written to by somebody else; the wish is not left yet.
    WaitingToAsk,
    /// The start of a campaign lies ahead, and is waited for.
    WaitingForStart {
        /// The campaign.
        campaign: String,
        /// When.
        at: Zoned,
        /// The time now.
        now: Timestamp,
    },
    /// It is time, but another engine works on the database.
    WaitingForDatabase(StoreError),
    /// A callout by hand is placed, and followed to its end.
    Placing {
        /// Its run.
        run: RunId,
        /// The masked number.
        to: String,
    },
    /// A process waits for the starts of a campaign.
    Scheduler(SchedulerNotice),
    /// A rehearsal begins: rows, and those to be called.
    Rehearsing {
        /// The campaign.
        campaign: String,
        /// Rows of the list.
        rows: u64,
        /// Those to be called.
        valid: u64,
    },
    /// A rehearsal keeps no window and waits a second at most before another attempt.
    Hurried,
    /// Virtual time begins.
    VirtualTime(Timestamp),
    /// Virtual time has ended, after so long.
    VirtualTimeEnded(Timestamp, std::time::Duration),
    /// The database that is used, which may not be there yet.
    Database(String),
}

/// What a process that waits for starts tells.
#[derive(Debug)]
pub(crate) enum SchedulerNotice {
    /// The schedule has no further start.
    Over(PathBuf),
    /// The next start is waited for.
    Next {
        /// The campaign.
        campaign: String,
        /// When.
        at: Zoned,
        /// How that moment came about, where it was not as written.
        remark: Option<String>,
        /// The time now.
        now: Timestamp,
        /// A run that is not finished, because of which starts are skipped.
        busy: Option<RunId>,
    },
    /// Starts were skipped.
    Skipped {
        /// The campaign.
        campaign: String,
        /// The last of them.
        at: Zoned,
        /// How many there were before it, at least.
        before: usize,
        /// Whether there were more than were counted.
        more: bool,
        /// Why, for the last.
        why: String,
    },
    /// The campaign was at fault when it was to start.
    AtFault {
        /// The campaign.
        campaign: String,
        /// Which start.
        at: Zoned,
        /// The fault.
        why: Error,
    },
    /// A run begins for a start.
    Starting {
        /// The campaign.
        campaign: String,
        /// Which start.
        at: Zoned,
    },
    /// A start is due and cannot be made yet.
    Due {
        /// Which start.
        at: Zoned,
        /// Why not yet.
        why: NotYet,
    },
    /// The changed file has faults; what it said before holds.
    FileFaulty(Faults),
    /// Nothing goes on, and nothing more is started.
    Stopped,
}

/// Why a start that is due is not made yet.
#[derive(Debug)]
pub(crate) enum NotYet {
    /// Another engine works on the database.
    InUse(StoreError),
    /// The clock was set back.
    SetBack,
}
