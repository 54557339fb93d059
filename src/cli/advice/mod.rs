//! What to do about what stands in the way, in the command line's words: behind each fact the command
//! that helps.

mod platform;

use crate::app::{Error, Refusal, UnreachedUnknown};
use crate::domain::RunId;
use crate::report::Summary;
use crate::report::summary::LooseEnd;
use crate::store::{Gap, StoreError};

pub(super) use platform::of_platform;

use platform::behind;

/// Where credentials come from, and what goes without.
const CREDENTIALS: &str = "copy the application's key and secret from the Sinch dashboard into the \
                           environment.\nWithout them, `callout rehearse FILE` runs the campaign \
                           against the built-in simulator.";

/// What to do about a setting.
pub(super) fn to_set(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Unset(_) => CREDENTIALS.to_owned(),
        _ => "correct the setting".to_owned(),
    }
}

/// What is so, and what to do about it with what joins it to the fact; empty where nothing is advised.
pub(super) fn of(error: &Error) -> (String, String) {
    let advice = match error {
        Error::Refused(refusal @ Refusal::UnreachedOf { wanted, run, why }) => {
            return (unreached(refusal, wanted, run, *why), String::new());
        }
        Error::Store(StoreError::InUse(path)) => return (in_use(path), String::new()),
        Error::Refused(refusal) => of_refusal(refusal),
        Error::Store(error) => of_store(error),
        Error::Engine { run, gone, .. } => of_engine(run, *gone),
        Error::RowsLeft { open, .. } => rows_left(open.as_ref()),
        Error::Api(error) => behind(error),
        Error::Faults(_) | Error::Failed(_) => String::new(),
    };
    (error.to_string(), advice)
}

fn in_use(path: &str) -> String {
    format!(
        "{path} is in use by another `callout` that is running a campaign: wait for it, or stop it with \
         `callout pause`"
    )
}

/// Why it is not known whom a run did not reach, by the option that asked for it.
fn unreached(refusal: &Refusal, wanted: &str, run: &RunId, why: UnreachedUnknown) -> String {
    let end = match why {
        UnreachedUnknown::Unfinished(_) => {
            format!(
                "{}; then it is known whom it did not reach",
                go_on_or_end(run)
            )
        }
        UnreachedUnknown::Rehearsal | UnreachedUnknown::Purged => String::new(),
    };
    format!("--of {wanted}: {refusal}{end}")
}

fn of_refusal(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Unset(_) => format!(": {CREDENTIALS}"),
        Refusal::NoRunYet => ": start one with `callout run FILE`".to_owned(),
        Refusal::NoRun { near, latest, .. } => nearest_runs(near.as_deref(), latest),
        Refusal::AtWork { run, .. } => format!(
            ". `callout status {run}` shows how it goes, `callout pause {run}` stops it"
        ),
        Refusal::Unfinished { run, .. } => go_on_or_end(run),
        Refusal::Over { latest: true, .. } => {
            ". What waits for its start has no run yet: Ctrl-C in its terminal ends it".to_owned()
        }
        Refusal::Rehearsal { file, .. } => format!(": callout rehearse {}", file.display()),
        Refusal::NotRefused(_) => ": leave --refusals-are-theirs out".to_owned(),
        Refusal::ClockSetBack { .. } => {
            ".\nSet the clock right. Where it is right now, and was wrong then, say \
             --clock-is-right: that is kept with your name"
                .to_owned()
        }
        Refusal::PlanSpent { .. } => "; `callout plan` makes another".to_owned(),
        Refusal::NotAsPlanned(_) => "; look at `callout plan` again".to_owned(),
        Refusal::CalledLately { run, .. } => format!(
            ": --again calls all of them again, `--only unreached --of {run}` only whom it did not \
             reach"
        ),
        Refusal::NoRate { .. } => {
            ".\nState it in [spend], as rate = \"0.05 EUR\" or rates = { \"+46\" = \"0.024 EUR\" }"
                .to_owned()
        }
        Refusal::NoPrices { currency, .. } => format!(
            ".\nState it in [spend], as rate = \"0.05 {currency}\" or rates = {{ \"+46\" = \"0.024 \
             {currency}\" }}"
        ),
        Refusal::NobodyAnswers => {
            ".\nSay --public-url with the address by which the platform reaches this machine (and --listen where \
             it is not 127.0.0.1:7700), or let `callout serve` receive and set its address with \
             `callout callback set`. docs/callbacks.md tells the whole of it"
                .to_owned()
        }
        Refusal::NoNotifications => {
            ": `callout callback set` with --public-url makes it so".to_owned()
        }
        Refusal::StartGone(_) => {
            "\nNothing was dialled. Give [schedule] a later start, or say --now to dial now, whatever \
             the schedule says."
                .to_owned()
        }
        Refusal::FileThere(_) => ": name another file, or say --force to replace it".to_owned(),
        Refusal::ReasonNeeded(_) => {
            ": say it with --reason, which is kept with your name".to_owned()
        }
        Refusal::TooEarly { .. } => {
            ": that is less than --after ago, so nothing was deleted".to_owned()
        }
        Refusal::NotComplete(_) => ". Get it again, or leave out --complete-day".to_owned(),
        Refusal::NotARehearsals(_) => {
            ": move it, or name another file with --output".to_owned()
        }
        Refusal::NoFile(_) => ": name a file, or leave --output out and redirect".to_owned(),
        Refusal::Setting { .. }
        | Refusal::SeveralRuns { .. }
        | Refusal::Over { .. }
        | Refusal::CapOfOver { .. }
        | Refusal::NoSpend(_)
        | Refusal::NotImported(_)
        | Refusal::Purged { .. }
        | Refusal::UnreachedOf { .. }
        | Refusal::Input { .. } => String::new(),
    }
}

/// What may have been meant in the place of a run that there is not.
fn nearest_runs(near: Option<&str>, latest: &[(RunId, String)]) -> String {
    let latest: Vec<String> = latest
        .iter()
        .map(|(id, of)| format!("{id} of {of}"))
        .collect();
    match (near, latest.is_empty()) {
        (Some(near), _) => format!(": did you mean `{near}`? `callout runs` lists all"),
        (None, false) => format!(
            ", nor one of a campaign of that name; the latest: {}. `callout runs` lists all",
            latest.join(", ")
        ),
        (None, true) => ": there is none yet, start one with `callout run FILE`".to_owned(),
    }
}

fn go_on_or_end(run: &RunId) -> String {
    format!(": go on with `callout resume {run}`, or end it with `callout cancel {run}`")
}

fn of_store(error: &StoreError) -> String {
    match error {
        StoreError::NoDatabase(_) => {
            ": `callout run` makes it, or name another with --db; a rehearsal is kept beside it \
             (--db sqlite:callout-rehearsal.db)"
        }
        StoreError::Corrupt { .. } => "; restore a copy, or name another file with --db",
        StoreError::Foreign { .. } => "; name another file with --db",
        StoreError::Unfinished { run, .. } => return go_on_or_end(run),
        StoreError::Gap { gap, .. } => return format!("\n{}", lacking(*gap)),
        _ => "",
    }
    .to_owned()
}

/// The report of a run, and what to do about what is left.
pub(super) fn report(summary: &Summary) -> String {
    let (mut text, run) = (summary.text(), &summary.run);
    for end in summary.loose_ends() {
        let command = match end {
            LooseEnd::Uncertain(_) => format!(".\n  callout reconcile {run}"),
            LooseEnd::Left(_) => format!(": callout resume {run}"),
        };
        text = format!("{text}\n{end}{command}\n");
    }
    text
}

/// What to do where a person is suppressed and their rows are still there.
fn rows_left(open: Option<&RunId>) -> String {
    match open {
        None => ". Wait for its end, or stop it with `callout pause`; then erase again".to_owned(),
        Some(run) => format!(". `callout resume {run}` collects it; then erase again"),
    }
}

/// What to do where an engine could not go on.
fn of_engine(run: &RunId, gone: bool) -> String {
    if gone {
        format!(
            "\nDialling has stopped, and nothing was written to what is there now. Answers that \
             came in since are kept beside it. Put the database back that run {run} was working with; \
             any other is refused until you accept that it does not know these calls \
             (docs/what-happens-if.md)."
        )
    } else {
        format!(
            "\nDialling has stopped. What could not be recorded is kept beside the database and \
             read back by `callout resume {run}`."
        )
    }
}

/// What is said where a database lacks what was done, behind the fact.
fn lacking(gap: Gap) -> String {
    let way_out = match gap {
        Gap::Unmarked { elsewhere: true } => {
            "Say --state with the folder of this machine's state (CALLOUT_STATE), or leave it out, \
             as it was when the database was last used"
        }
        Gap::Unmarked { elsewhere: false } => "Use the database where it was, with its mark",
        Gap::Older { .. } | Gap::Another { .. } | Gap::Unreadable => {
            "Put the latest database in its place, if it can be had"
        }
    };
    format!(
        "Phones could ring twice, so nothing was done. {way_out}.\nOtherwise --accept-unknown-calls \
         goes on with this one: everybody whom its runs have still to call becomes uncertain, \
         nobody of them is dialled, and `callout reconcile` settles them from the platform's call \
         detail records or by hand. docs/what-happens-if.md tells the whole of it."
    )
}
