//! What to do about what stands in the way, in the command line's words: behind each fact the command
//! that helps.

mod platform;

use crate::app::{Refusal, UnreachedUnknown};
use crate::domain::RunId;
use crate::report::Summary;
use crate::report::summary::LooseEnd;
use crate::store::{Gap, StoreError};

pub(super) use platform::{of_platform, with_advice};

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

/// A refusal, and what to do.
pub(super) fn refusal(refusal: &Refusal) -> String {
    let advice = match refusal {
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
        Refusal::UnreachedOf { wanted, run, why } => {
            let words = refusal.to_string();
            return match why {
                UnreachedUnknown::Unfinished(_) => format!(
                    "--of {wanted}: {words}{}; then it is known whom it did not reach",
                    go_on_or_end(run)
                ),
                UnreachedUnknown::Rehearsal | UnreachedUnknown::Purged => {
                    format!("--of {wanted}: {words}")
                }
            };
        }
        Refusal::NoRate { .. } => {
            ".\nState it in [spend], as rate = \"0.05 EUR\" or rates = { \"+46\" = \"0.024 EUR\" }"
                .to_owned()
        }
        Refusal::NoPrices { currency, .. } => format!(
            ".\nState it in [spend], as rate = \"0.05 {currency}\" or rates = {{ \"+46\" = \"0.024 \
             {currency}\" }}"
        ),
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
        | Refusal::Input { .. } => String::new(),
    };
    format!("{refusal}{advice}")
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

/// What a store says, and what to do.
pub(super) fn store(error: &StoreError) -> String {
    let advice = match error {
        StoreError::NoDatabase(_) => {
            ": `callout run` makes it, or name another with --db; a rehearsal is kept beside it \
             (--db sqlite:callout-rehearsal.db)"
        }
        StoreError::InUse(path) => {
            return format!(
                "{path} is in use by another `callout` that is running a campaign: wait for it, or \
                 stop it with `callout pause`"
            );
        }
        StoreError::Corrupt { .. } => "; restore a copy, or name another file with --db",
        StoreError::Foreign { .. } => "; name another file with --db",
        StoreError::Unfinished { run, .. } => return format!("{error}{}", go_on_or_end(run)),
        StoreError::Gap { gap, .. } => return format!("{error}\n{}", lacking(*gap)),
        _ => "",
    };
    format!("{error}{advice}")
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

/// A person who is suppressed and whose rows are still there, and what to do.
pub(super) fn rows_left(fact: &str, open: Option<&RunId>) -> String {
    match open {
        None => {
            format!("{fact}. Wait for its end, or stop it with `callout pause`; then erase again")
        }
        Some(run) => format!("{fact}. `callout resume {run}` collects it; then erase again"),
    }
}

/// An engine that could not go on, and what to do.
pub(super) fn engine(run: &RunId, why: &str, gone: bool) -> String {
    if gone {
        format!(
            "{why}\nDialling has stopped, and nothing was written to what is there now. Answers that \
             came in since are kept beside it. Put the database back that run {run} was working with; \
             any other is refused until you accept that it does not know these calls \
             (docs/what-happens-if.md)."
        )
    } else {
        format!(
            "{why}\nDialling has stopped. What could not be recorded is kept beside the database and \
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
