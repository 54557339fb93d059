//! `callout reconcile`: uncertain attempts, listed or settled by a person; calls without a result or a
//! price are counted, and left to the platform's records.

use super::args::ReconcileArgs;
use super::exit::{Exit, Failure};
use crate::app::App;
use crate::app::reconcile::{Findings, NotKnown, Records, Settling, chosen};
use crate::app::runs::find;
use crate::domain::{AttemptId, Outcome, RunState};
use crate::output;
use crate::report::moments::Zone;
use crate::report::summary::grouped;
use crate::store::{Access, Run, Unsettled};

pub(super) async fn reconcile(args: &ReconcileArgs, app: &App) -> Result<Exit, Failure> {
    let store = app.open(Access::Beside).await?;
    let run = find(store.as_ref(), args.run.as_deref()).await?;
    let mut settling = Settling::new(app, store.as_ref(), &run);
    if let Some(file) = &args.cdr {
        let records = Records {
            file,
            complete_days: &args.complete_day,
            dry_run: args.dry_run,
        };
        tell(&settling.by_records(records).await?, &run, args);
    } else if args.called || args.not_called {
        settle(&mut settling, args).await?;
    } else if !args.attempt.is_empty() || args.all {
        return Err(Failure::usage("say --called or --not-called, and --reason"));
    } else {
        let zone = app.zone_of(&run);
        list(&run, &settling.not_known().await?, &zone, args.json);
    }
    store.close().await?;
    Ok(Exit::Done)
}

fn list(run: &Run, not_known: &NotKnown, zone: &Zone, as_json: bool) {
    let (uncertain, others) = (&not_known.uncertain, not_known.others);
    let number = |row: &Unsettled| row.destination.as_ref().map(ToString::to_string);
    if as_json {
        output::say_json(&not_known.json(&run.id));
        return;
    }
    if uncertain.is_empty() {
        output::say(&format!("run {} has no uncertain attempts", run.id));
    } else {
        output::say(&format!(
            "{} uncertain attempts of run {}: sent, and nobody told us whether a phone rang",
            uncertain.len(),
            run.id
        ));
    }
    for row in uncertain {
        output::say(&format!(
            "  {}  line {:<6}  {:<14}  {}  {}",
            row.attempt.id,
            row.line,
            number(row).unwrap_or_default(),
            zone.stamp(row.attempt.intended_at),
            row.attempt.note.as_deref().unwrap_or_default()
        ));
    }
    if others > 0 {
        output::say(&format!(
            "{} calls whose result or price is not known",
            grouped(others)
        ));
    }
    let records = format!(
        "\nget the platform's call detail records of those days from the dashboard, then\n\
         \x20 callout reconcile {run} --cdr FILE",
        run = run.id
    );
    if uncertain.is_empty() {
        if others > 0 {
            output::say(&records);
        }
        return;
    }
    output::say(&format!(
        "{records}\n\
         or look for the attempt ids yourself, then\n\
         \x20 callout reconcile {run} --attempt ID --called --result ANSWERED --reason \"…\"\n\
         \x20 callout reconcile {run} --attempt ID --not-called --reason \"…\"",
        run = run.id
    ));
}

async fn settle(settling: &mut Settling<'_>, args: &ReconcileArgs) -> Result<(), Failure> {
    let uncertain = settling.not_known().await?.uncertain;
    let chosen: Vec<AttemptId> = if args.all {
        uncertain.iter().map(|row| row.attempt.id).collect()
    } else if args.attempt.is_empty() {
        return Err(Failure::usage(
            "name the attempts with --attempt, or say --all",
        ));
    } else {
        chosen(&uncertain, &args.attempt)?
    };
    let outcome = Outcome {
        result: args.result.as_ref().map(|r| r.to_ascii_uppercase()),
        ..Outcome::unknown()
    };
    let called = args.called.then_some(outcome);
    let why = args.reason.as_deref().unwrap_or_default();
    let settled = settling.by_hand(chosen, called, why).await?;
    let run = settling.run;
    let word = if args.called { "called" } else { "not called" };
    output::say(&format!("{settled} attempts settled as {word}"));
    if args.not_called && settled > 0 {
        say_who_calls(run);
    }
    Ok(())
}

/// Says what calls those who were not called after all; a run that is cancelled or expired does not.
fn say_who_calls(run: &Run) {
    if !matches!(run.state, RunState::Cancelled | RunState::Expired) {
        output::say(&format!("callout resume {} calls them", run.id));
    }
}

/// Tells what the records say.
fn tell(findings: &Findings, run: &Run, args: &ReconcileArgs) {
    let uncertain = findings.left + findings.doubted.len();
    if args.json {
        output::say_json(&findings.json(&run.id, args.dry_run));
        return;
    }
    let would = if args.dry_run { "would be " } else { "" };
    output::say(&format!(
        "{} attempts {would}settled as called, {} {would}settled as not called, {uncertain} left \
             uncertain",
        findings.called.len(),
        findings.not_called.len(),
    ));
    if findings.filled.len() + findings.open > 0 {
        output::say(&format!(
            "{} other calls {would}given the result or price that was not known, {} still have \
                 none",
            findings.filled.len(),
            findings.open
        ));
    }
    if !findings.left_to_engine.is_empty() {
        output::say(&format!(
            "{} calls are in the hands of the engine that works on the run, and were left to it: \
                 callout pause {} first",
            findings.left_to_engine.len(),
            run.id
        ));
    }
    if !findings.doubted.is_empty() {
        output::say(&format!(
            "{} of those left uncertain may have been called: a record of their minutes, to their \
                 very number or to nobody knows whom, names no attempt of ours. Look at it, then \
                 settle them with --attempt",
            findings.doubted.len()
        ));
    }
    if findings.left > 0 && args.complete_day.is_empty() {
        output::say(
            "absence proves nothing by itself: --complete-day DATE says that the file has every \
                 call of that day",
        );
    } else if findings.left > 0 {
        output::say(&format!(
            "{} of those left uncertain may have been called on a day that was not said to be \
                 complete, or around midnight: each day needs its --complete-day",
            findings.left
        ));
    }
    if !findings.not_called.is_empty() && !args.dry_run {
        say_who_calls(run);
    }
}
