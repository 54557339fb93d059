//! What is told while something is done. The command line prints it, a served page shows it, a test
//! collects it.

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

use jiff::{Timestamp, Zoned};
use rust_decimal::Decimal;

use super::Error;
use crate::campaign::Faults;
use crate::domain::money::said;
use crate::domain::{Count, RunId};
use crate::engine::{End, Told, Watch};
use crate::recipients::ListSummary;
use crate::report::Summary;
use crate::report::moments::{Stamp, Zone, away, moment};
use crate::report::summary::{and_suppressed, counted, grouped, human};
use crate::store::{Accepted, StoreError};

/// Somebody who is told.
pub(crate) trait Notices: fmt::Debug + Send + Sync {
    /// Something happened.
    fn tell(&self, notice: Notice);

    /// Something goes on that may take long: shows how far it is until what is returned is dropped.
    fn counting(&self, work: Counting) -> Box<dyn Send>;

    /// An engine works: shows how it goes on until the sender is gone.
    fn watch(&self, told: Told, goal: Goal) -> Watching;

    /// The work on a run ended, and this is what it comes to.
    fn ended(&self, end: &End, summary: &Summary);
}

/// Work that may take long.
#[derive(Debug, Clone)]
pub(crate) struct Counting {
    /// What is counted or, where nothing is, what goes on.
    pub(crate) what: &'static str,
    /// How many there are; none where that is not known.
    pub(crate) of: Option<u64>,
    /// How many are done.
    pub(crate) done: Count,
}

/// Showing how an engine goes on.
pub(crate) type Watching = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The run that an engine works on, for whoever watches.
#[derive(Debug)]
pub(crate) struct Goal {
    /// The run.
    pub(crate) run: RunId,
    /// Its campaign.
    pub(crate) campaign: String,
    /// The zone of the campaign's own clock; none where it names none.
    pub(crate) zone: Zone,
    /// How it stood before, and what its engine tells is to be held against.
    pub(crate) watch: Box<Watch>,
}

/// Something that happened.
#[derive(Debug)]
pub(crate) enum Notice {
    /// A person accepted a database that lacks something.
    DatabaseAccepted(Accepted),
    /// A person said that the clock is right.
    ClockAccepted {
        /// Who said so.
        who: String,
        /// What it shows.
        now: Stamp,
        /// What the database has seen.
        newest: String,
    },
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
    /// The platform's events are received.
    Receiving {
        /// Where this process listens.
        at: SocketAddr,
        /// By which address the platform finds it, masked; none where nobody said.
        url: Option<String>,
    },
    /// Somebody receives, and results are asked for all the same.
    NotTold(NotTold),
    /// Something was pressed in a call by hand: a key, or the response that it stands for.
    Pressed(String),
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
        /// How long it takes to dial them all, at the campaign's rate; none in virtual time.
        takes: Option<Duration>,
    },
    /// A rehearsal keeps no window and waits a second at most before another attempt.
    Hurried,
    /// Virtual time begins.
    VirtualTime(Stamp),
    /// Virtual time has ended, after so long.
    VirtualTimeEnded(Stamp, Duration),
    /// The database that is used, which may not be there yet.
    Database(String),
}

/// Why calls are asked about though somebody receives.
#[derive(Debug)]
pub(crate) enum NotTold {
    /// The application has no callback URL.
    Unset,
    /// It has another one, which is masked.
    Another(String),
    /// Which one it has could not be asked; why.
    Unknown(String),
}

impl fmt::Display for NotTold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unset => f.write_str("the application has no callback URL"),
            Self::Another(url) => {
                write!(f, "the application's callback URL is another one, {url}")
            }
            Self::Unknown(why) => write!(
                f,
                "the application's callback URL could not be asked: {why}"
            ),
        }
    }
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
        /// The same by this machine's clock.
        here: String,
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

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DatabaseAccepted(accepted) => write!(
                f,
                "going on with a database that {}; {} people whom it had still to call are uncertain \
                 now",
                accepted.gap,
                grouped(accepted.uncertain)
            ),
            Self::ClockAccepted { who, now, newest } => write!(
                f,
                "the clock is taken to be right at {now}, though the database has seen {newest}; recorded \
                 as said by {who}"
            ),
            Self::AskingPrices => f.write_str("asking the platform what calls cost …"),
            Self::Begun { run, list, only_of } => begun(f, run, list, only_of.as_ref()),
            Self::Elsewhere { began, here } => write!(
                f,
                "the run was started at {began}, and this is {here}: calls placed there are not known \
                 here"
            ),
            Self::CapChanged { run, cap, currency } => {
                let cap = said(*cap, currency);
                write!(f, "run {run}: the cap is {cap} from now on")
            }
            Self::RefusalsAccepted {
                run,
                recipients,
                code,
            } => write!(
                f,
                "run {run}: {recipients} recipients are refused with {code}, and it pauses the run no \
                 more"
            ),
            Self::ImportingAgain => {
                f.write_str("the list's import was interrupted: importing it again")
            }
            Self::ReadOtherwise { rows, .. } => write!(
                f,
                "{} rows are not dialled any more: an earlier version read their numbers otherwise",
                grouped(*rows)
            ),
            Self::Stopping => f.write_str(
                "stopping: nothing new is dialled, requests in flight finish (a minute at most)",
            ),
            Self::WaitingToAsk => {
                f.write_str("the database is being written to; not asked yet, but waiting")
            }
            Self::WaitingForStart { campaign, at, now } => {
                let (at, in_) = (moment(at), away(at.timestamp(), *now));
                write!(f, "waiting for the start of {campaign}: {at}, in {in_}")
            }
            Self::WaitingForDatabase(error) => write!(f, "it is time, but {error}"),
            Self::Receiving { at, url } => {
                write!(f, "events are received at {at}")?;
                match url {
                    Some(url) => write!(f, ", reached by {url}"),
                    None => Ok(()),
                }
            }
            Self::NotTold(why) => write!(f, "{why}: results are asked for"),
            Self::Pressed(response) => write!(f, "pressed: {response}"),
            Self::Placing { run, to } => write!(f, "run {run}: calling {to}"),
            Self::Scheduler(notice) => write!(f, "{notice}"),
            Self::Rehearsing {
                campaign,
                rows,
                valid,
                takes,
            } => rehearsing(f, campaign, (*rows, *valid), *takes),
            Self::Hurried => f.write_str(
                "a rehearsal keeps no window, and waits a second at most before the next attempt",
            ),
            Self::VirtualTime(began) => write!(f, "virtual time begins at {began}"),
            Self::VirtualTimeEnded(at, after) => {
                write!(f, "virtual time ended at {at}, after {}", human(*after))
            }
            Self::Database(address) => f.write_str(address),
        }
    }
}

fn rehearsing(
    f: &mut fmt::Formatter<'_>,
    campaign: &str,
    (rows, valid): (u64, u64),
    takes: Option<Duration>,
) -> fmt::Result {
    let takes = takes.map_or(String::new(), |takes| {
        format!("; about {} at the campaign's rate", human(takes))
    });
    write!(
        f,
        "rehearsing {campaign}: {} rows, {} to call, against the simulator (no phone rings){takes}",
        grouped(rows),
        grouped(valid)
    )
}

fn begun(
    f: &mut fmt::Formatter<'_>,
    run: &RunId,
    list: &ListSummary,
    only_of: Option<&RunId>,
) -> fmt::Result {
    // How many of the duplicates are left out for what an earlier run did.
    let left_out = only_of.map_or(String::new(), |run| {
        format!(
            " ({} of them left out: not among those whom run {run} did not reach)",
            grouped(list.left_out)
        )
    });
    write!(
        f,
        "run {run}: {}, {} to call, {} invalid, {}{left_out}{}",
        counted(list.rows, "row", "rows"),
        grouped(list.valid),
        grouped(list.invalid),
        counted(list.duplicates, "duplicate", "duplicates"),
        and_suppressed(",", list.suppressed)
    )
}

impl fmt::Display for SchedulerNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Over(file) => write!(f, "{} has no further start", file.display()),
            Self::Next {
                campaign,
                at,
                remark,
                ..
            } => {
                let remark = remark.as_ref();
                let remark = remark.map_or(String::new(), |remark| format!(" ({remark})"));
                write!(f, "{campaign}: next start {}{remark}", moment(at))
            }
            Self::Skipped {
                campaign,
                at,
                before,
                more,
                why,
            } => {
                let others = match (before, more) {
                    (0, _) => String::new(),
                    (before, false) => format!(", and {before} before it"),
                    (before, true) => format!(", and more than {before} before it"),
                };
                write!(f, "{campaign}: skipped {}{others}: {why}", moment(at))
            }
            Self::AtFault { campaign, at, why } => {
                let at = moment(at);
                write!(
                    f,
                    "{campaign}: skipped {at}: the campaign was at fault: {why}"
                )
            }
            Self::Starting { campaign, at } => {
                write!(f, "{campaign}: starting for {}", moment(at))
            }
            Self::Due { at, why } => write!(f, "{} is due: {why}", moment(at)),
            Self::FileFaulty(faults) => write!(
                f,
                "{faults}\nthe schedule that it had before holds; a start that finds it so is skipped"
            ),
            Self::Stopped => f.write_str("stopped: nothing goes on, nothing more is started"),
        }
    }
}

impl fmt::Display for NotYet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse(error) => write!(f, "{error}"),
            Self::SetBack => {
                f.write_str("this machine's clock was set back meanwhile, so nobody is dialled")
            }
        }
    }
}
