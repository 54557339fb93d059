//! Why something could not be done: data, which a face turns into words, advice and codes.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::campaign::Faults;
use crate::domain::{Newest, RunId, RunState};
use crate::report::moments::{Stamp, Zone};
use crate::report::summary::{counted, grouped, human};
use crate::sinch::problem::ApiError;
use crate::store::StoreError;

/// Why something could not be done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A campaign file or a list is at fault: what, where, what to do.
    #[error(transparent)]
    Faults(#[from] Faults),
    /// Somebody has to decide or write something else first; nothing was done.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store says so.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The platform says so.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// An engine could not go on. Dialling has stopped.
    #[error("{why}")]
    Engine {
        /// Its run.
        run: RunId,
        /// Why.
        why: String,
        /// Whether the database is not the one any more that was opened; otherwise what could not be
        /// recorded is kept beside it.
        gone: bool,
    },
    /// A person is suppressed, and their rows could not be emptied.
    #[error("{masked} is suppressed from now on, and its rows are still there: {}", rows_left(open.as_ref()))]
    RowsLeft {
        /// The masked number.
        masked: String,
        /// The run that has a call to them without a result; none: an engine is at work.
        open: Option<RunId>,
    },
    /// It was begun and could not be ended.
    #[error("{0}")]
    Failed(String),
}

fn rows_left(open: Option<&RunId>) -> String {
    match open {
        None => "an engine is at work".into(),
        Some(run) => format!("a call of run {run} to it has no result yet"),
    }
}

impl Error {
    /// Whether what was given is at fault, not what was done with it.
    pub(crate) fn is_input(&self) -> bool {
        match self {
            Self::Faults(_) => true,
            // To wait is all that helps.
            Self::Refused(refusal) => !matches!(refusal, Refusal::AtWork { .. }),
            Self::Store(error) => matches!(
                error,
                StoreError::Address(_)
                    | StoreError::NoRun(_)
                    | StoreError::NoDatabase(_)
                    | StoreError::NoRehearsal(_)
                    | StoreError::OccurrenceTaken { .. }
                    | StoreError::Unfinished { .. }
                    | StoreError::Foreign { .. }
                    | StoreError::Gap { .. }
            ),
            Self::Api(_) | Self::Engine { .. } | Self::RowsLeft { .. } | Self::Failed(_) => false,
        }
    }

    /// A name for programs that never changes.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Faults(_) => "faults",
            Self::Refused(refusal) => refusal.code(),
            Self::Store(error) => error.code(),
            Self::Api(_) => "platform",
            Self::Engine { .. } => "engine",
            Self::RowsLeft { .. } => "rows_left",
            Self::Failed(_) => "failed",
        }
    }

    /// It was begun and could not be ended.
    pub(crate) fn failed(words: impl fmt::Display) -> Self {
        Self::Failed(words.to_string())
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::failed(error)
    }
}

/// What stands in the way until somebody decides otherwise. Its words are the fact; what to do about it is
/// the face's to say.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// Credentials that are not set, by the names of their variables.
    Unset(Vec<&'static str>),
    /// A setting that cannot be used.
    Setting {
        /// The variable's name.
        name: &'static str,
        /// What is wrong with its value.
        why: String,
    },
    /// The database has no run of a campaign.
    NoRunYet,
    /// No run has what was written as the beginning of its id, or as its campaign's name.
    NoRun {
        /// What was written.
        wanted: String,
        /// The id or name that is nearest to it, where one is near.
        near: Option<String>,
        /// The latest runs with their campaigns, a few; empty where there is none.
        latest: Vec<(RunId, String)>,
    },
    /// The beginning of several runs.
    SeveralRuns {
        /// What was written.
        wanted: String,
        /// Their ids.
        runs: Vec<RunId>,
    },
    /// An engine works on the database, which has one at a time.
    AtWork {
        /// On this run.
        run: RunId,
        /// Of this campaign.
        campaign: String,
        /// Another run that was to go on; none where it is the same.
        waits: Option<RunId>,
    },
    /// A run is not over.
    Unfinished {
        /// Which.
        run: RunId,
        /// Of which campaign.
        campaign: String,
        /// How it stands.
        state: RunState,
    },
    /// A run is over.
    Over {
        /// Which.
        run: RunId,
        /// How it ended.
        state: RunState,
        /// Whether nobody named it: it is the latest.
        latest: bool,
    },
    /// A cap is to be changed of a run that is over.
    CapOfOver {
        /// Which.
        run: RunId,
        /// How it ended.
        state: RunState,
    },
    /// A rehearsal was to go on.
    Rehearsal {
        /// Its run.
        run: RunId,
        /// The campaign file.
        file: PathBuf,
    },
    /// A cap is to be changed of a run that has none.
    NoSpend(RunId),
    /// Refusals are to be accepted of a run that they do not pause.
    NotRefused(RunId),
    /// The clock shows an earlier time than the database has seen.
    ClockSetBack {
        /// What it shows.
        now: Stamp,
        /// What the database has seen.
        newest: String,
    },
    /// A plan was run already.
    PlanSpent {
        /// Its hash.
        plan: String,
        /// The run of it.
        run: RunId,
        /// How that stands.
        state: RunState,
        /// How long ago it began.
        ago: Duration,
    },
    /// A plan does not hold any more: what changed.
    NotAsPlanned(Vec<&'static str>),
    /// Most of the list was called lately.
    CalledLately {
        /// By which run.
        run: RunId,
        /// What became of it, behind "this list was".
        words: String,
    },
    /// A run whose unreached cannot be told.
    UnreachedOf {
        /// What was written.
        wanted: String,
        /// The run.
        run: RunId,
        /// Why not.
        why: UnreachedUnknown,
    },
    /// Nobody says what calling a row costs, so a cap cannot be kept.
    NoRate {
        /// The line of the list.
        line: u64,
        /// The masked number.
        to: String,
    },
    /// It is not known what calls cost, so a cap cannot be kept.
    NoPrices {
        /// What is not known.
        why: String,
        /// The currency of the cap.
        currency: String,
    },
    /// People are asked something in a campaign's calls, and nobody would hear what they press.
    NobodyAnswers,
    /// A campaign waits for the beeps of machines, of which the platform tells another address.
    NoNotifications,
    /// A list that was never imported has no results.
    NotImported(RunId),
    /// The start of a campaign has gone by, or is taken.
    StartGone(String),
    /// Something is there already under the name of an output file.
    FileThere(PathBuf),
    /// What is there is no file.
    NoFile(PathBuf),
    /// A run was purged before.
    Purged {
        /// Which.
        run: RunId,
        /// When.
        at: Stamp,
    },
    /// A run ended too short a while ago to be purged.
    TooEarly {
        /// Which.
        run: RunId,
        /// When it ended.
        ended: Option<Stamp>,
    },
    /// Call detail records do not prove what they were said to.
    NotComplete(String),
    /// What is there was not written by an earlier rehearsal.
    NotARehearsals(PathBuf),
    /// So many numbers were erased, and are to be taken off their list without a reason.
    ReasonNeeded(u64),
    /// Input of another kind: a fact that nobody treats in a way of its own.
    Input {
        /// For programs.
        code: &'static str,
        /// For people.
        words: String,
    },
}

const NOBODY_ANSWERS: &str = "people are asked something in this campaign's calls, or machines are looked for, and \
                              nobody would hear the answers. Nobody is dialled";
const NO_NOTIFICATIONS: &str = "messages are left after the beep of a machine, of which the platform tells the \
                                application's callback URL alone, and that is not this database's. Nobody is \
                                dialled";

/// Why it is not known whom a run did not reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnreachedUnknown {
    /// It called nobody.
    Rehearsal,
    /// It goes on, or may.
    Unfinished(RunState),
    /// It was purged.
    Purged,
}

impl Refusal {
    /// Input that is at fault in a way of its own.
    pub(crate) fn input(code: &'static str, words: impl fmt::Display) -> Self {
        let words = words.to_string();
        Self::Input { code, words }
    }

    /// A name for programs that never changes.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Unset(_) => "unset",
            Self::Setting { .. } => "setting",
            Self::NoRunYet => "no_run_yet",
            Self::NoRun { .. } => "no_run",
            Self::SeveralRuns { .. } => "several_runs",
            Self::AtWork { waits: None, .. } => "goes_on",
            Self::AtWork { .. } => "in_use",
            Self::Unfinished { .. } => "unfinished",
            Self::Over { .. } | Self::CapOfOver { .. } => "over",
            Self::Rehearsal { .. } => "rehearsal",
            Self::NoSpend(_) => "no_spend",
            Self::NotRefused(_) => "not_refused",
            Self::ClockSetBack { .. } => "clock_set_back",
            Self::PlanSpent { .. } => "plan_spent",
            Self::NotAsPlanned(_) => "not_as_planned",
            Self::CalledLately { .. } => "called_lately",
            Self::UnreachedOf { .. } => "unreached_unknown",
            Self::NoRate { .. } | Self::NoPrices { .. } => "no_rate",
            Self::NobodyAnswers => "nobody_answers",
            Self::NoNotifications => "no_notifications",
            Self::NotImported(_) => "not_imported",
            Self::StartGone(_) => "start_gone",
            Self::FileThere(_) => "file_there",
            Self::NoFile(_) => "no_file",
            Self::Purged { .. } => "purged",
            Self::TooEarly { .. } => "too_early",
            Self::NotComplete(_) => "not_complete",
            Self::NotARehearsals(_) => "not_a_rehearsals",
            Self::ReasonNeeded(_) => "reason_needed",
            Self::Input { code, .. } => code,
        }
    }
}

impl std::error::Error for Refusal {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unset(names) => {
                let are = if names.len() == 1 { "is" } else { "are" };
                write!(f, "{} {are} not set", names.join(" and "))
            }
            Self::Setting { name, why } => write!(f, "{name}: {why}"),
            Self::NoRunYet => f.write_str("there is no run yet"),
            Self::NoRun { wanted, .. } => write!(f, "no run `{wanted}` in this database"),
            Self::SeveralRuns { wanted, runs } => {
                let ids: Vec<&str> = runs.iter().map(RunId::as_str).collect();
                let (many, ids) = (runs.len(), ids.join(", "));
                write!(f, "`{wanted}` is the beginning of {many} runs: {ids}")
            }
            Self::AtWork {
                run,
                campaign,
                waits,
            } => at_work(f, run, campaign, waits.as_ref()),
            Self::Unfinished {
                run,
                campaign,
                state,
            } => write!(f, "run {run} of {campaign} is not finished ({state})"),
            Self::Over { run, state, .. } => write!(f, "run {run} is {state} already"),
            Self::CapOfOver { run, state } => {
                write!(f, "run {run} is {state}: its cap does not matter any more")
            }
            Self::Rehearsal { run, .. } => {
                write!(f, "run {run} is a rehearsal, which begins anew each time")
            }
            Self::NoSpend(run) => {
                write!(f, "run {run} has no [spend]: there is no cap to be changed")
            }
            Self::NotRefused(run) => write!(f, "run {run} is not paused for refusals"),
            Self::ClockSetBack { now, newest } => write!(
                f,
                "this machine's clock shows {now}, and the database has seen a later time: {newest}. \
                 Nobody is dialled: people could be called at night, and a day's money be spent twice"
            ),
            Self::PlanSpent {
                plan,
                run,
                state,
                ago,
            } => plan_spent(f, plan, (run, *state), *ago),
            Self::NotAsPlanned(changed) => not_as_planned(f, changed),
            Self::CalledLately { words, .. } => {
                write!(f, "this list was {words}. Nothing was dialled")
            }
            Self::UnreachedOf { run, why, .. } => unreached(f, run, *why),
            Self::NoRate { line, to } => write!(
                f,
                "the cap of [spend] cannot be kept: nobody says what calling line {} of the list \
                 costs ({to})",
                grouped(*line)
            ),
            Self::NoPrices { why, .. } => write!(
                f,
                "the cap of [spend] cannot be kept, because it is not known what calls cost: {why}"
            ),
            Self::NobodyAnswers => f.write_str(NOBODY_ANSWERS),
            Self::NoNotifications => f.write_str(NO_NOTIFICATIONS),
            Self::NotImported(run) => write!(f, "the list of run {run} was never imported"),
            Self::StartGone(words) | Self::NotComplete(words) | Self::Input { words, .. } => {
                f.write_str(words)
            }
            Self::Purged { run, at } => write!(f, "run {run} was purged {at} already"),
            Self::TooEarly { run, ended } => {
                let ended = ended.as_ref().map_or(String::new(), |at| format!(" {at}"));
                write!(f, "run {run} ended{ended}")
            }
            Self::FileThere(path) => write!(f, "{} is there already", path.display()),
            Self::NoFile(path) => write!(f, "{} is there and is no file", path.display()),
            Self::ReasonNeeded(numbers) => reason_needed(f, *numbers),
            Self::NotARehearsals(path) => write!(
                f,
                "{} is there and is not what an earlier rehearsal wrote",
                path.display()
            ),
        }
    }
}

fn at_work(
    f: &mut fmt::Formatter<'_>,
    run: &RunId,
    campaign: &str,
    waits: Option<&RunId>,
) -> fmt::Result {
    match waits {
        None => write!(
            f,
            "run {run} of {campaign} goes on already, in another process"
        ),
        Some(waits) => write!(
            f,
            "run {waits} has to wait: another process works on run {run} of {campaign}, and a database \
             has one at a time"
        ),
    }
}

fn plan_spent(
    f: &mut fmt::Formatter<'_>,
    plan: &str,
    (run, state): (&RunId, RunState),
    ago: Duration,
) -> fmt::Result {
    write!(
        f,
        "plan {plan} was run already: run {run} ({state}) spent it {} ago, and a plan is run once. \
         Nothing was dialled",
        human(ago)
    )
}

fn reason_needed(f: &mut fmt::Formatter<'_>, numbers: u64) -> fmt::Result {
    let erased = counted(numbers, "of these numbers was", "of these numbers were");
    write!(
        f,
        "{erased} erased: who wanted to be forgotten is not called either, until somebody says why they \
         may be"
    )
}

fn not_as_planned(f: &mut fmt::Formatter<'_>, changed: &[&str]) -> fmt::Result {
    let changed = changed.join(", and ");
    write!(
        f,
        "this is not what was planned any more: {changed} changed since. Nothing was dialled"
    )
}

fn unreached(f: &mut fmt::Formatter<'_>, run: &RunId, why: UnreachedUnknown) -> fmt::Result {
    match why {
        UnreachedUnknown::Rehearsal => {
            write!(f, "run {run} is a rehearsal, and called nobody")
        }
        UnreachedUnknown::Unfinished(state) => write!(f, "run {run} is not over ({state})"),
        UnreachedUnknown::Purged => write!(
            f,
            "run {run} was purged: nobody knows any more whom it called"
        ),
    }
}

/// What a database has seen, for people.
pub(crate) fn seen(newest: &Newest, zone: &Zone) -> String {
    let of = newest.run.as_ref();
    let of = of.map_or(String::new(), |run| format!(", run {run}"));
    format!("{} in {}{of}", zone.stamp(newest.at), newest.table)
}
