//! What is told on the terminal while something is done.

use super::exit::Failure;
use super::schedule::local;
use super::{database, output, progress, suppress};
use crate::app::{Goal, NotYet, Notice, Notices, SchedulerNotice, Watching, seen};
use crate::domain::money::said;
use crate::domain::{ClockAccepted, RunId};
use crate::engine::Told;
use crate::recipients::ListSummary;
use crate::report::moments::{away, moment};
use crate::report::summary::{grouped, human};
use crate::store::{Accepted, Gap};

/// Tells on standard error.
#[derive(Debug)]
pub(super) struct Terminal;

impl Notices for Terminal {
    fn tell(&self, notice: Notice) {
        output::tell(&words(notice));
    }

    fn watch(&self, told: Told, goal: Goal) -> Watching {
        Box::pin(progress::show(told, goal))
    }
}

fn words(notice: Notice) -> String {
    match notice {
        Notice::DatabaseAccepted(accepted) => database_accepted(&accepted),
        Notice::ClockAccepted(ClockAccepted { who, wall, newest }) => format!(
            "the clock is taken to be right at {wall:.0}, though the database has seen {}; recorded \
             as said by {who}",
            seen(&newest)
        ),
        Notice::AskingPrices => "asking the platform what calls cost …".into(),
        Notice::Begun { run, list, only_of } => begun(&run, &list, only_of.as_ref()),
        Notice::Elsewhere { began, here } => format!(
            "warning: the run was started at {began}, and this is {here}: calls placed there are not \
             known here"
        ),
        Notice::CapChanged { run, cap, currency } => {
            let cap = said(cap, &currency);
            format!("run {run}: the cap is {cap} from now on")
        }
        Notice::RefusalsAccepted {
            run,
            recipients,
            code,
        } => format!(
            "run {run}: {recipients} recipients are refused with {code}, and it pauses the run no more"
        ),
        Notice::ImportingAgain => "the list's import was interrupted: importing it again".into(),
        Notice::ReadOtherwise { run, rows } => format!(
            "warning: {} rows are not dialled any more: an earlier version read their numbers \
             otherwise; `callout export --table rejects {run}` has them",
            grouped(rows)
        ),
        Notice::Stopping => {
            "stopping: nothing new is dialled, requests in flight finish (a minute at \
                             most); once more to leave at once"
                .into()
        }
        Notice::WaitingToAsk => {
            "the database is being written to; not asked yet, but waiting".into()
        }
        Notice::WaitingForStart { campaign, at, now } => format!(
            "waiting for the start of {campaign}: {}, in {}; Ctrl-C ends it, and nothing is dialled \
             before then",
            moment(&at),
            away(at.timestamp(), now)
        ),
        Notice::WaitingForDatabase(error) => format!(
            "it is time, but {}; this run begins after it",
            Failure::from(error).words()
        ),
        Notice::Placing { run, to } => {
            format!("run {run}: calling {to}, until the call is over; Ctrl-C stops waiting")
        }
        Notice::Scheduler(notice) => scheduler(notice),
        Notice::Rehearsing {
            campaign,
            rows,
            valid,
        } => format!(
            "rehearsing {campaign}: {rows} rows, {valid} to call, against the simulator (no phone rings)"
        ),
        Notice::Hurried => {
            "a rehearsal keeps no window, and waits a second at most before the next attempt".into()
        }
        Notice::VirtualTime(began) => {
            format!("virtual time begins at {began}; --at says another moment")
        }
        Notice::VirtualTimeEnded(at, after) => {
            format!("virtual time ended at {at:.0}, after {}", human(after))
        }
        Notice::Database(address) => database::line(&address),
    }
}

fn database_accepted(accepted: &Accepted) -> String {
    let mut told = format!(
        "going on with a database that {}; {} people whom it had still to call are uncertain now",
        accepted.gap,
        grouped(accepted.uncertain)
    );
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

fn begun(run: &RunId, list: &ListSummary, only_of: Option<&RunId>) -> String {
    // How many of the duplicates are left out for what an earlier run did.
    let left_out = only_of.map_or(String::new(), |run| {
        format!(
            " ({} of them left out: not among those whom run {run} did not reach)",
            grouped(list.left_out)
        )
    });
    format!(
        "run {run}: {} rows, {} to call, {} invalid, {} duplicates{left_out}{}",
        grouped(list.rows),
        grouped(list.valid),
        grouped(list.invalid),
        grouped(list.duplicates),
        suppress::and_suppressed(",", list.suppressed)
    )
}

fn scheduler(notice: SchedulerNotice) -> String {
    match notice {
        SchedulerNotice::Over(file) => format!("{} has no further start", file.display()),
        SchedulerNotice::Next {
            campaign,
            at,
            remark,
            now,
            busy,
        } => {
            let remark = remark.map_or(String::new(), |remark| format!(" ({remark})"));
            let busy = busy.map_or(String::new(), |run| {
                format!(
                    "\nrun {run} is not finished, and until it is, starts are skipped: callout resume \
                     {run}, or callout cancel {run}"
                )
            });
            format!(
                "{campaign}: next start {}{remark}, here {}, in {}{busy}",
                moment(&at),
                local(&at),
                away(at.timestamp(), now)
            )
        }
        SchedulerNotice::Skipped {
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
            format!("{campaign}: skipped {}{others}: {why}", moment(&at))
        }
        SchedulerNotice::AtFault { campaign, at, why } => format!(
            "{}\n{campaign}: skipped {}: the campaign was at fault",
            Failure::from(why),
            moment(&at)
        ),
        SchedulerNotice::Starting { campaign, at } => {
            format!("{campaign}: starting for {}", moment(&at))
        }
        SchedulerNotice::Due { at, why } => {
            let why = match why {
                NotYet::InUse(error) => Failure::from(error).words(),
                NotYet::SetBack => {
                    "this machine's clock was set back meanwhile, so nobody is dialled: \
                                    set it right or, where it is right now, begin again with \
                                    --clock-is-right"
                        .to_owned()
                }
            };
            format!("{} is due: {why}", moment(&at))
        }
        SchedulerNotice::FileFaulty(faults) => format!(
            "{faults}\nthe schedule that it had before holds; a start that finds it so is skipped"
        ),
        SchedulerNotice::Stopped => "stopped: nothing goes on, nothing more is started".into(),
    }
}
