//! `callout why`: the chain of decisions about a recipient, or why a run is not dialling faster.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::args::{ReadingArgs, WhyArgs};
use super::exit::{Exit, Failure};
use super::{output, suppress};
use crate::app::App;
use crate::app::runs::{Standing, find};
use crate::campaign::Campaign;
use crate::domain::{DestinationKind, Digits, NumberForm, RunState, Story, WaitReason};
use crate::report::story::{Line, Teller};
use crate::report::summary::{grouped, human};
use crate::store::{Access, Run, Store, Whom, Wish};

pub(super) async fn why(args: &WhyArgs, app: &App) -> Result<Exit, Failure> {
    let store = app.open(Access::Beside).await?;
    // A number alone is about the latest run.
    let (run, number) = match (&args.run, &args.number) {
        (Some(number), None) if number.starts_with('+') => (None, Some(number.as_str())),
        (run, number) => (run.as_deref(), number.as_deref()),
    };
    let run = find(store.as_ref(), run).await?;
    let whom = match (number, args.line) {
        (Some(text), _) => Some(Whom::Endpoint(endpoint(&run, text, &args.reading)?)),
        (None, Some(line)) => Some(Whom::Line(line)),
        (None, None) => None,
    };
    if let Some(whom) = whom {
        recipient(store.as_ref(), &run, &whom, args.json).await?;
    } else {
        let standing = app.standing(store.as_ref(), run).await?;
        let reasons = Reasons::of(&standing);
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
pub(super) struct Reasons<'a>(&'a Standing);

impl<'a> Reasons<'a> {
    /// Those that a run's standing has.
    pub(super) fn of(standing: &'a Standing) -> Self {
        Self(standing)
    }

    /// In one line.
    pub(super) fn short(&self) -> String {
        let summary = &self.0.summary;
        let short = match (summary.state, self.0.engine) {
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
            (RunState::Running, true) => self.0.telling.as_ref().map_or_else(
                || "its engine has just started".to_owned(),
                |told| told.why.clone(),
            ),
        };
        let wish = match self.0.run.wish {
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
        let waiting = self.0.backlog.iter().filter_map(|part| {
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
        match std::time::Duration::try_from(at.duration_since(self.0.now)) {
            Ok(wait) if !wait.is_zero() => format!("{at:.0} (in {})", human(wait)),
            _ => format!("{at:.0} (now)"),
        }
    }

    /// For people: every reason with its counts.
    fn text(&self) -> String {
        let summary = &self.0.summary;
        let mut lines = vec![
            format!(
                "{}   run {}   {}",
                summary.campaign, summary.run, summary.state
            ),
            format!("why not faster: {}", self.short()),
        ];
        let mut add = |what: &str, words: String| lines.push(format!("  {what:<12} {words}"));
        for part in &self.0.backlog {
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
        if let Some(told) = &self.0.telling {
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
        if let Some(at) = self.0.run.expires_at {
            add("expiry", format!("nobody is called after {at:.0}"));
        }
        lines.join("\n")
    }

    /// For programs.
    fn json(&self) -> Value {
        let backlog: Vec<Value> = self
            .0
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
        let told = self.0.telling.as_ref();
        json!({
            "run": self.0.summary.run.as_str(),
            "state": self.0.summary.state.as_str(),
            "engine_at_work": self.0.engine,
            "why_not_faster": self.short(),
            "backlog": backlog,
            "in_flight": self.0.summary.tally.in_flight,
            "rate": told.map(|told| told.rate),
            "slowed_down": told.map(|told| told.slowed_down),
            "uncertain_held": told.map(|told| told.uncertain_held),
            "money": self.0.summary.budget(),
            "expires_at": self.0.run.expires_at.map(|at| at.to_string()),
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
