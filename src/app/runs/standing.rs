//! How a run stands, and what keeps it from dialling faster.

use std::fmt;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::app::{App, Error};
use crate::domain::{Backlog, RunState, WaitReason};
use crate::report::Summary;
use crate::report::moments::away;
use crate::report::summary::grouped;
use crate::store::{EngineStatus, Run, Store, Wish};

/// How a run stands.
#[derive(Debug)]
pub(crate) struct Standing {
    /// The run.
    pub(crate) run: Run,
    /// Its counts.
    pub(crate) summary: Summary,
    /// Whether an engine works on it.
    pub(crate) engine: bool,
    /// What that engine told last.
    pub(crate) telling: Option<EngineStatus>,
    /// Whom it has still to call, by what they wait for.
    pub(crate) backlog: Vec<Backlog>,
    /// When this was read.
    pub(crate) now: Timestamp,
}

/// What keeps a run from dialling faster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Obstacle {
    /// It is over.
    Over(RunState),
    /// It is paused; why.
    Paused(Option<String>),
    /// It is not over, and no engine works on it.
    NoEngine,
    /// Its list is being imported.
    Importing,
    /// Its engine has said nothing yet.
    JustStarted,
    /// What its engine says.
    Told {
        /// In its words.
        words: String,
        /// In one word, for programs.
        code: String,
    },
}

impl Obstacle {
    /// A name for programs that never changes.
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::Over(_) => "over",
            Self::Paused(_) => "paused",
            Self::NoEngine => "no_engine",
            Self::Importing => "importing",
            Self::JustStarted => "just_started",
            Self::Told { code, .. } if code.is_empty() => "working",
            Self::Told { code, .. } => code,
        }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Over(state) => write!(f, "it is {state}"),
            Self::Paused(why) => {
                let why = why.as_deref().unwrap_or("no reason was recorded");
                write!(f, "it is paused, {why}")
            }
            Self::NoEngine => f.write_str("no engine works on it"),
            Self::Importing => f.write_str("its list is being imported"),
            Self::JustStarted => f.write_str("its engine has just started"),
            Self::Told { words, .. } => f.write_str(words),
        }
    }
}

impl App {
    /// Reads how a run stands.
    pub(crate) async fn standing(&self, store: &dyn Store, run: Run) -> Result<Standing, Error> {
        let summary = self.summary(store, &run.id).await?;
        let at_work = store.engine_at_work().await?;
        let engine = at_work.is_some_and(|id| id == run.id);
        let telling = run.telling.clone().filter(|_| engine);
        let backlog = store.backlog(&run.id).await?;
        Ok(Standing {
            run,
            summary,
            engine,
            telling,
            backlog,
            now: self.clock.wall(),
        })
    }
}

impl Standing {
    /// What keeps it from dialling faster.
    pub(crate) fn obstacle(&self) -> Obstacle {
        let summary = &self.summary;
        match (summary.state, self.engine) {
            (state @ (RunState::Completed | RunState::Cancelled | RunState::Expired), _) => {
                Obstacle::Over(state)
            }
            (RunState::Paused, _) => Obstacle::Paused(summary.why.clone()),
            (RunState::Planned | RunState::Running, false) => Obstacle::NoEngine,
            (RunState::Planned, true) => Obstacle::Importing,
            (RunState::Running, true) => match &self.telling {
                None => Obstacle::JustStarted,
                Some(told) => Obstacle::Told {
                    words: told.why.clone(),
                    code: told.slow.clone(),
                },
            },
        }
    }

    /// What was asked of its engine and what people wait for, `; 812 wait for their window, the first
    /// until …`; nothing where nobody waits.
    pub(crate) fn waiting(&self) -> String {
        let wish = match self.run.wish {
            Some(Wish::Pause) => "; a pause was asked for",
            Some(Wish::Cancel) => "; its end was asked for",
            None => "",
        };
        if !self.summary.state.unfinished() {
            return wish.to_owned();
        }
        let waiting = self.backlog.iter().filter_map(|part| {
            let (count, what) = (grouped(part.recipients), group(part.waiting_for?));
            let until = part.soonest.map_or(String::new(), |soonest| {
                format!(", the first until {}", self.moment(soonest))
            });
            Some(format!("; {count} {what}{until}"))
        });
        waiting.fold(wish.to_owned(), |words, more| words + &more)
    }

    fn moment(&self, at: Timestamp) -> String {
        let stamp = self.summary.zone.stamp(at);
        if at <= self.now {
            return format!("{stamp} (now)");
        }
        format!("{stamp} (in {})", away(at, self.now))
    }

    /// How its results come.
    pub(crate) fn results(&self) -> String {
        let hears = self.telling.as_ref().is_some_and(|telling| telling.hears);
        if hears && self.summary.heard.told == 0 {
            return "told by the platform as calls end".to_owned();
        }
        self.summary.results()
    }

    /// Every reason with its counts, a line each.
    pub(crate) fn reasons(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut add = |what: &str, words: String| lines.push(format!("  {what:<12} {words}"));
        for part in &self.backlog {
            let count = grouped(part.recipients);
            match (part.waiting_for, part.soonest) {
                (None, _) => add(
                    "due",
                    format!("{count} are due now, and wait for their turn"),
                ),
                (Some(reason), None) => add(
                    reason.as_str(),
                    format!(
                        "{count} for whom nothing comes by itself: their time zone is not known, \
                         or the window never opens"
                    ),
                ),
                (Some(reason), Some(soonest)) => add(
                    reason.as_str(),
                    format!(
                        "{count} {}, the first until {}",
                        group(reason),
                        self.moment(soonest)
                    ),
                ),
            }
        }
        let tally = &self.summary.tally;
        if tally.in_flight > 0 {
            let words = format!("{} calls are not over", grouped(tally.in_flight));
            add("in flight", words);
        }
        if let Some(told) = &self.telling {
            add(
                "pacing",
                format!(
                    "at most {:.1} callouts a second now; {} were refused with 429",
                    told.rate,
                    grouped(told.slowed_down)
                ),
            );
            add(
                "concurrency",
                format!(
                    "{} attempts are not over, and {} uncertain ones hold a place of \
                     concurrent_calls",
                    told.in_flight, told.uncertain_held
                ),
            );
        }
        add("results", self.results());
        for remark in self.summary.heard.remarks() {
            add("", remark);
        }
        if let Some(budget) = self.summary.budget() {
            add("money", budget);
        }
        if let Some(at) = self.run.expires_at {
            add(
                "expiry",
                format!("nobody is called after {}", self.summary.zone.stamp(at)),
            );
        }
        lines
    }

    /// For programs; `why` are the face's words for what keeps it from dialling faster.
    pub(crate) fn json(&self, why: &str) -> Value {
        let backlog: Vec<Value> = self
            .backlog
            .iter()
            .map(|part| {
                json!({
                    "waiting_for": part.waiting_for.map_or("due", WaitReason::as_str),
                    "recipients": part.recipients,
                    // Who is due has been so since before time was counted.
                    "soonest": part.soonest.filter(|_| part.waiting_for.is_some())
                        .map(|at| at.to_string()),
                })
            })
            .collect();
        let told = self.telling.as_ref();
        json!({
            "run": self.summary.run.as_str(),
            "state": self.summary.state.as_str(),
            "engine_at_work": self.engine,
            "obstacle": self.obstacle().code(),
            "why_not_faster": why,
            "backlog": backlog,
            "in_flight": self.summary.tally.in_flight,
            "rate": told.map(|told| told.rate),
            "slowed_down": told.map(|told| told.slowed_down),
            "uncertain_held": told.map(|told| told.uncertain_held),
            "money": self.summary.budget_json(),
            "expires_at": self.run.expires_at.map(|at| at.to_string()),
        })
    }
}

/// What several people wait for.
fn group(reason: WaitReason) -> &'static str {
    match reason {
        WaitReason::Retry => "wait for their next attempt",
        WaitReason::Fault => "wait after a fault of the platform",
        WaitReason::PerNumber => "rest, their number was called often enough",
        WaitReason::Window => "wait for their window",
        WaitReason::Held => "are held",
    }
}
