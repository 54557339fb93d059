//! `callout plan`: what a run would do, for people and for programs.

use super::args::{Global, PlanArgs};
use super::exit::{Exit, Failure};
use super::{database, suppress};
use crate::app::App;
use crate::app::plan::{Plan, Warning};
use crate::campaign::Campaign;
use crate::output;

pub(super) async fn plan(args: &PlanArgs, global: &Global, app: &App) -> Result<Exit, Failure> {
    let campaign = Campaign::load(&args.file)?;
    let mut plan = app.plan(&campaign, args.only.of()).await?;
    plan.doubt = database::another_than_of(global, &args.file);
    let met: Vec<String> = args
        .fail_if
        .iter()
        .filter_map(|condition| condition.met(|figure| plan.figure(figure)))
        .collect();
    if args.json {
        output::say_json(&plan.json(&met));
    } else {
        output::say(&text(&plan));
    }
    if met.is_empty() {
        return Ok(Exit::Done);
    }
    Err(Failure::failed(format!("the plan meets --fail-if {}", met.join("; "))).printed())
}

/// The plan for people.
pub(super) fn text(plan: &Plan) -> String {
    let mut lines = plan.lines();
    if plan.span.is_some_and(|span| span.soonest != span.latest) {
        lines.push("  `callout rehearse FILE --virtual` plays it through".to_owned());
    }
    lines.extend(plan.database.as_deref().map(database::line));
    if let Some(again) = plan.again() {
        lines.push(format!("again: {}", again.text()));
    }
    for warning in plan.warnings() {
        lines.push(format!("warning: {}", warning_text(&warning)));
    }
    let hash = plan.fingerprint();
    lines.push(format!(
        "plan {hash}\n  `callout run {} --plan {hash}` refuses if anything of this has changed",
        plan.campaign.path().display()
    ));
    lines.join("\n")
}

/// A warning, and the command that helps.
fn warning_text(warning: &Warning) -> String {
    match warning {
        Warning::CliNotOurs(_) => format!("{warning}; `callout number list` has yours"),
        Warning::ListReadEarlier(list) => suppress::import_again(list),
        Warning::Campaign(_) | Warning::Database(_) => warning.to_string(),
    }
}
