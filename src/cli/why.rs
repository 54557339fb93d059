//! `callout why`: the chain of decisions about a recipient, or why a run is not dialling faster.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::args::{Global, ReadingArgs, WhyArgs};
use super::exit::{Exit, Failure};
use super::{World, output, runs, suppress};
use crate::campaign::Campaign;
use crate::domain::{Backlog, DestinationKind, Digits, NumberForm, RunState, Story, WaitReason};
use crate::report::Summary;
use crate::report::story::{Line, Teller};
use crate::report::summary::{grouped, human};
use crate::store::{self, Access, Run, Store, Telling, Whom, Wish};

pub(super) async fn why(args: &WhyArgs, global: &Global, world: &World) -> Result<Exit, Failure> {
    let store = store::open(&global.db, Access::Beside, None).await?;
    // A number alone is about the latest run.
    let (run, number) = match (&args.run, &args.number) {
        (Some(number), None) if number.starts_with('+') => (None, Some(number.as_str())),
        (run, number) => (run.as_deref(), number.as_deref()),
    };
    let run = runs::find(store.as_ref(), run).await?;
    let whom = match (number, args.line) {
        (Some(text), _) => Some(Whom::Endpoint(endpoint(&run, text, &args.reading)?)),
        (None, Some(line)) => Some(Whom::Line(line)),
        (None, None) => None,
    };
    if let Some(whom) = whom {
        recipient(store.as_ref(), &run, &whom, args.json).await?;
    } else {
        let reasons = Reasons::of(store.as_ref(), run, world.clock.wall()).await?;
        if args.json {
            output::say_json(&reasons.json());
        } else {
            output::say(&reasons.text());
        }
    }
    store.close().await?;
    Ok(Exit::Done)
}

/// The endpoint that a person means, read as the run's list was where they say nothing else.
fn endpoint(run: &Run, text: &str, reading: &ReadingArgs) -> Result<String, Failure> {
    if run.destination_kind != DestinationKind::Number {
        return Ok(text.trim().to_owned());
    }
    let kept = run.blackout_file.as_deref();
    let campaign = Campaign::parse_kept(&run.definition, &run.definition_path, kept).ok();
    let list = campaign.map(|campaign| campaign.recipients);
    let (region, form) = list.map_or((None, NumberForm::Any), |list| (list.region, list.numbers));
    let said = ReadingArgs {
        country: reading.country.clone().or(region),
        form: match reading.form {
            NumberForm::Any => form,
            said => said,
        },
    };
    Ok(suppress::number(text, suppress::numbers(&said)?)?.e164())
}

async fn recipient(
    store: &dyn Store,
    run: &Run,
    whom: &Whom,
    as_json: bool,
) -> Result<(), Failure> {
    let mut stories = store.stories(&run.id, whom).await?;
    if let Whom::Endpoint(endpoint) = whom
        && let Some(twin) = Digits::of(endpoint).and_then(Digits::twin)
    {
        let twins = Whom::Endpoint(twin.e164());
        stories.extend(store.stories(&run.id, &twins).await?);
    }
    if stories.is_empty() {
        let advice = match (&run.header, run.purged_at) {
            (None, _) => "its list is not imported yet",
            (_, Some(_)) => "its personal data was purged; --line finds a row all the same",
            _ => "a row that is no number is found by its line: --line N",
        };
        return Err(Failure::usage(format!(
            "run {} of {} has no such recipient: {advice}",
            run.id, run.campaign
        )));
    }
    let teller = Teller {
        imported_at: run.created_at,
        currency: run.spend.as_ref().map(|spend| spend.currency.as_str()),
        over: !run.state.unfinished(),
    };
    if as_json {
        let told: Vec<Value> = stories.iter().map(|story| teller.json(story)).collect();
        output::say_json(&json!({ "run": run.id.as_str(), "recipients": told }));
        return Ok(());
    }
    for story in &stories {
        output::say(&heading(run, story));
        for Line { at, words } in teller.lines(story) {
            let at = at.map_or("now".to_owned(), |at| format!("{at:.0}"));
            output::say(&format!("  {at:<20}  {words}"));
        }
    }
    Ok(())
}

fn heading(run: &Run, story: &Story) -> String {
    let who = story.row.destination.as_ref();
    let who = who.map_or("a row without a number".to_owned(), ToString::to_string);
    format!(
        "{who}   line {} of {}   run {}",
        story.row.line, run.campaign, run.id
    )
}

/// Why a run is not dialling faster.
pub(super) struct Reasons {
    run: Run,
    summary: Summary,
    /// Whether an engine works on it, and what it told last.
    engine: bool,
    telling: Option<Telling>,
    backlog: Vec<Backlog>,
    now: Timestamp,
}

impl Reasons {
    /// Reads them.
    pub(super) async fn of(store: &dyn Store, run: Run, now: Timestamp) -> Result<Self, Failure> {
        let summary = runs::summary(store, &run.id).await?;
        let engine = store.engine_at_work().await?.is_some_and(|id| id == run.id);
        let telling = run.telling.clone().filter(|_| engine);
        let backlog = store.backlog(&run.id).await?;
        Ok(Self {
            run,
            summary,
            engine,
            telling,
            backlog,
            now,
        })
    }

    /// The run's counts.
    pub(super) fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Whether an engine works on it.
    pub(super) fn engine(&self) -> bool {
        self.engine
    }

    /// What its engine told last.
    pub(super) fn telling(&self) -> Option<&Telling> {
        self.telling.as_ref()
    }

    /// In one line.
    pub(super) fn short(&self) -> String {
        let summary = &self.summary;
        let short = match (summary.state, self.engine) {
            (RunState::Completed | RunState::Cancelled | RunState::Expired, _) => {
                format!("it is {}", summary.state)
            }
            (RunState::Paused, _) => format!(
                "it is paused, {}: callout resume {}",
                summary.why.as_deref().unwrap_or("no reason was recorded"),
                summary.run
            ),
            (RunState::Planned | RunState::Running, false) => {
                format!("no engine works on it: callout resume {}", summary.run)
            }
            (RunState::Planned, true) => "its list is being imported".into(),
            (RunState::Running, true) => self.telling.as_ref().map_or_else(
                || "its engine has just started".to_owned(),
                |told| told.why.clone(),
            ),
        };
        let wish = match self.run.wish {
            Some(Wish::Pause) => "; `callout pause` was asked for",
            Some(Wish::Cancel) => "; `callout cancel` was asked for",
            None => "",
        };
        let waiting = if summary.state.unfinished() {
            self.waiting()
        } else {
            String::new()
        };
        format!("{short}{wish}{waiting}")
    }

    /// `; 812 wait for the window, the first until …`
    fn waiting(&self) -> String {
        let waiting = self.backlog.iter().filter_map(|part| {
            let what = group(part.waiting_for?);
            Some(match part.soonest {
                None => format!("{} {what}", grouped(part.recipients)),
                Some(soonest) => format!(
                    "{} {what}, the first until {}",
                    grouped(part.recipients),
                    self.moment(soonest)
                ),
            })
        });
        waiting.fold(String::new(), |all, words| format!("{all}; {words}"))
    }

    fn moment(&self, at: Timestamp) -> String {
        match std::time::Duration::try_from(at.duration_since(self.now)) {
            Ok(wait) if !wait.is_zero() => format!("{at:.0} (in {})", human(wait)),
            _ => format!("{at:.0} (now)"),
        }
    }

    /// For people: every reason with its counts.
    fn text(&self) -> String {
        let summary = &self.summary;
        let mut lines = vec![
            format!(
                "{}   run {}   {}",
                summary.campaign, summary.run, summary.state
            ),
            format!("why not faster: {}", self.short()),
        ];
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
        let tally = &summary.tally;
        if tally.in_flight > 0 {
            add(
                "in flight",
                format!("{} calls are not over", grouped(tally.in_flight)),
            );
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
        if let Some(budget) = summary.budget() {
            add("money", budget);
        }
        if let Some(at) = self.run.expires_at {
            add("expiry", format!("nobody is called after {at:.0}"));
        }
        lines.join("\n")
    }

    /// For programs.
    fn json(&self) -> Value {
        let backlog: Vec<Value> = self
            .backlog
            .iter()
            .map(|part| {
                json!({
                    "waiting_for": part.waiting_for.map_or("due", WaitReason::as_str),
                    "recipients": part.recipients,
                    "soonest": part.soonest.map(|at| at.to_string()),
                })
            })
            .collect();
        let told = self.telling.as_ref();
        json!({
            "run": self.summary.run.as_str(),
            "state": self.summary.state.as_str(),
            "engine_at_work": self.engine,
            "why_not_faster": self.short(),
            "backlog": backlog,
            "in_flight": self.summary.tally.in_flight,
            "rate": told.map(|told| told.rate),
            "slowed_down": told.map(|told| told.slowed_down),
            "uncertain_held": told.map(|told| told.uncertain_held),
            "money": self.summary.budget(),
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
