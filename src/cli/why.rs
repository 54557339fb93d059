//! `callout why`: the chain of decisions about a recipient, or why a run is not dialling faster.

use serde_json::{Value, json};

use super::args::{ReadingArgs, WhyArgs};
use super::exit::{Exit, Failure};
use super::suppress;
use crate::app::App;
use crate::app::runs::{Obstacle, Standing, find};
use crate::campaign::Campaign;
use crate::domain::{DestinationKind, Digits, Disposition, NumberForm, Story};
use crate::output;
use crate::report::moments::Zone;
use crate::report::story::{Line, Teller};
use crate::store::{Access, RecipientQuery, Run, Store};

pub(super) async fn why(args: &WhyArgs, app: &App) -> Result<Exit, Failure> {
    let store = app.open(Access::Beside).await?;
    // A number alone is about the latest run.
    let (run, number) = match (&args.run, &args.number) {
        (Some(number), None) if number.starts_with('+') => (None, Some(number.as_str())),
        (run, number) => (run.as_deref(), number.as_deref()),
    };
    let run = find(store.as_ref(), run).await?;
    let whom = match (number, args.line) {
        (Some(text), _) => Some(RecipientQuery::Endpoint(endpoint(
            &run,
            text,
            &args.reading,
        )?)),
        (None, Some(line)) => Some(RecipientQuery::Line(line)),
        (None, None) => None,
    };
    if let Some(whom) = whom {
        let zone = app.zone_of(&run);
        recipient(store.as_ref(), &run, &whom, (&zone, args.json)).await?;
    } else {
        let standing = app.standing(store.as_ref(), run).await?;
        if args.json {
            output::say_json(&standing.json(&short(&standing)));
        } else {
            output::say(&text(&standing));
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
    whom: &RecipientQuery,
    (zone, as_json): (&Zone, bool),
) -> Result<(), Failure> {
    let mut stories = store.stories(&run.id, whom).await?;
    if let RecipientQuery::Endpoint(endpoint) = whom
        && let Some(twin) = Digits::of(endpoint).and_then(Digits::twin)
    {
        let twins = RecipientQuery::Endpoint(twin.e164());
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
        zone,
    };
    if as_json {
        let told: Vec<Value> = stories.iter().map(|story| teller.json(story)).collect();
        output::say_json(&json!({ "run": run.id.as_str(), "recipients": told }));
        return Ok(());
    }
    for story in &stories {
        output::say(&heading(run, story));
        for Line { at, words } in teller.lines(story) {
            let reconcile = match (at, story.row.disposition) {
                (None, Some(Disposition::Uncertain)) => ": callout reconcile",
                _ => "",
            };
            let at = at.map_or("now".to_owned(), |at| zone.stamp(at));
            output::say(&format!("  {at:<26}  {words}{reconcile}"));
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

/// Why a run is not dialling faster, in one line, with the command that helps.
pub(super) fn short(standing: &Standing) -> String {
    let obstacle = standing.obstacle();
    let advice = match obstacle {
        Obstacle::Paused(_) | Obstacle::NoEngine => {
            format!(": callout resume {}", standing.summary.run)
        }
        _ => String::new(),
    };
    format!("{obstacle}{advice}{}", standing.waiting())
}

/// The same for people, every reason with its counts.
fn text(standing: &Standing) -> String {
    let summary = &standing.summary;
    let mut lines = vec![
        format!(
            "{}   run {}   {}",
            summary.campaign, summary.run, summary.state
        ),
        format!("why not faster: {}", short(standing)),
    ];
    lines.extend(standing.reasons());
    lines.join("\n")
}
