//! What is told on the terminal while something is done: the facts, and the commands and keys that help.

use std::sync::Arc;
use std::time::Duration;

use super::database;
use super::exit::Failure;
use crate::app::{
    Counting, Goal, NotTold, NotYet, Notice, Notices, SchedulerNotice, Watching, events,
};
use crate::engine::{End, Told};
use crate::output;
use crate::output::progress::Counter;
use crate::output::{Stream, progress};
use crate::report::Summary;
use crate::report::moments::{away, moment};
use crate::store::{Accepted, Gap};

/// A rehearsal that takes longer is better played in virtual time.
const LONG: Duration = Duration::from_mins(1);

/// Tells on standard error.
#[derive(Debug)]
pub(super) struct Terminal {
    /// Where events go; none where nobody wants them.
    pub(super) events: Option<Arc<Stream>>,
}

impl Notices for Terminal {
    fn tell(&self, notice: Notice) {
        output::tell(&words(notice));
    }

    fn counting(&self, work: Counting) -> Box<dyn Send> {
        Box::new(Counter::of(work))
    }

    fn watch(&self, told: Told, goal: Goal) -> Watching {
        Box::pin(progress::show(told, goal, self.events.clone()))
    }

    fn ended(&self, end: &End, summary: &Summary) {
        if let Some(stream) = &self.events {
            stream.write(&events::ended(end, summary));
        }
    }
}

fn words(notice: Notice) -> String {
    let fact = notice.to_string();
    match notice {
        Notice::DatabaseAccepted(accepted) => database_accepted(&fact, &accepted),
        Notice::ReadOtherwise { run, .. } => {
            format!("warning: {fact}; `callout export --table rejects {run}` has them")
        }
        Notice::Elsewhere { .. } | Notice::NotTold(NotTold::Unknown(_)) => {
            format!("warning: {fact}")
        }
        Notice::NotTold(_) => format!(
            "warning: {fact}; `callout callback set --public-url URL` has the platform tell this database"
        ),
        Notice::Stopping => format!("{fact}; once more to leave at once"),
        Notice::WaitingForStart { .. } => {
            format!("{fact}; Ctrl-C ends it, and nothing is dialled before then")
        }
        Notice::WaitingForDatabase(error) => format!(
            "it is time, but {}; this run begins after it",
            Failure::from(error).words()
        ),
        Notice::Placing { .. } => {
            format!("{fact}, until the call is over; Ctrl-C stops waiting")
        }
        Notice::Rehearsing {
            takes: Some(takes), ..
        } if takes >= LONG => {
            format!("{fact}. --virtual plays it through in moments, windows and waits included")
        }
        Notice::VirtualTime(_) => format!("{fact}; --at says another moment"),
        Notice::Database(address) => database::line(&address),
        Notice::Scheduler(notice) => scheduler(&fact, notice),
        _ => fact,
    }
}

fn database_accepted(fact: &str, accepted: &Accepted) -> String {
    let mut told = fact.to_owned();
    if accepted.uncertain > 0 {
        told.push_str(
            ": `callout reconcile` settles them, from the platform's call detail records or by hand",
        );
    }
    if accepted.forgotten > 0 {
        told.push_str("; a run whose list was not imported is forgotten");
    }
    if !matches!(accepted.gap, Gap::Older { attempts: 0, .. }) {
        told.push_str(
            "\nwhom runs have called that are not in it, nobody knows here: look before a list is \
             called again",
        );
    }
    told
}

fn scheduler(fact: &str, notice: SchedulerNotice) -> String {
    match notice {
        SchedulerNotice::Next {
            at,
            here,
            now,
            busy,
            ..
        } => {
            let busy = busy.map_or(String::new(), |run| {
                format!(
                    "\nrun {run} is not finished, and until it is, starts are skipped: callout resume \
                     {run}, or callout cancel {run}"
                )
            });
            let away = away(at.timestamp(), now);
            format!("{fact}, here {here}, in {away}{busy}")
        }
        SchedulerNotice::AtFault { campaign, at, why } => format!(
            "{}\n{campaign}: skipped {}: the campaign was at fault",
            Failure::from(why),
            moment(&at)
        ),
        SchedulerNotice::Due {
            at,
            why: NotYet::InUse(error),
        } => format!("{} is due: {}", moment(&at), Failure::from(error).words()),
        SchedulerNotice::Due {
            why: NotYet::SetBack,
            ..
        } => format!(
            "{fact}: set it right or, where it is right now, begin again with --clock-is-right"
        ),
        _ => fact.to_owned(),
    }
}
