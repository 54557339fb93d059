//! `callout reconcile`: uncertain attempts, listed or settled by a person; calls without a result or a
//! price are counted, and left to the platform's records.

use serde_json::json;

use super::args::{Global, ReconcileArgs};
use super::exit::{Exit, Failure};
use super::settling::{Known, Settling, each_unsettled};
use super::{World, output, records, runs, settings};
use crate::domain::{AttemptId, Outcome, RunState, Stage};
use crate::report::summary::grouped;
use crate::store::{self, Access, Run, Store, Unsettled};

pub(super) async fn reconcile(
    args: &ReconcileArgs,
    global: &Global,
    world: World,
) -> Result<Exit, Failure> {
    let store = store::open(&global.db, Access::Beside, None).await?;
    let run = runs::find(store.as_ref(), args.run.as_deref()).await?;
    let mut settling = Settling::new((store.as_ref(), &global.db), &run, who(), world);
    if let Some(file) = &args.cdr {
        records::settle(&mut settling, file, args).await?;
    } else if args.called || args.not_called {
        let (uncertain, _) = not_known(store.as_ref(), &run).await?;
        settle(&mut settling, &uncertain, args).await?;
    } else if !args.attempt.is_empty() || args.all {
        return Err(Failure::usage("say --called or --not-called, and --reason"));
    } else {
        let (uncertain, others) = not_known(store.as_ref(), &run).await?;
        list(&run, &uncertain, others, args.json);
    }
    store.close().await?;
    Ok(Exit::Done)
}

/// The uncertain attempts of a run, and how many other calls have no result or no price.
async fn not_known(store: &dyn Store, run: &Run) -> Result<(Vec<Unsettled>, u64), Failure> {
    let (mut uncertain, mut others) = (Vec::new(), 0);
    each_unsettled(store, run, |unsettled| {
        let attempt = &unsettled.attempt;
        if attempt.stage == Stage::Uncertain {
            uncertain.push(unsettled);
        } else if attempt.outcome.leaves_open() {
            others += 1;
        }
    })
    .await?;
    Ok((uncertain, others))
}

fn list(run: &Run, uncertain: &[Unsettled], others: u64, as_json: bool) {
    let number = |row: &Unsettled| row.destination.as_ref().map(ToString::to_string);
    if as_json {
        let attempts: Vec<_> = uncertain
            .iter()
            .map(|row| {
                json!({
                    "attempt": row.attempt.id.to_string(),
                    "line": row.line,
                    "number": number(row),
                    "intended_at": row.attempt.intended_at.to_string(),
                    "note": row.attempt.note,
                })
            })
            .collect();
        output::say_json(&json!({
            "run": run.id.as_str(),
            "uncertain": attempts,
            "result_or_price_not_known": others,
        }));
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
            "  {}  line {:<6}  {:<14}  {:.0}  {}",
            row.attempt.id,
            row.line,
            number(row).unwrap_or_default(),
            row.attempt.intended_at,
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

async fn settle(
    settling: &mut Settling<'_>,
    uncertain: &[Unsettled],
    args: &ReconcileArgs,
) -> Result<(), Failure> {
    let chosen = chosen(uncertain, args)?;
    let outcome = Outcome {
        result: args.result.as_ref().map(|r| r.to_ascii_uppercase()),
        ..Outcome::unknown()
    };
    let known: Vec<Known> = chosen
        .into_iter()
        .map(|attempt| Known {
            attempt,
            called: args.called.then(|| outcome.clone()),
            call: None,
            why: args.reason.clone().unwrap_or_default(),
            in_hand: false,
        })
        .collect();
    let all = known.len();
    let settled = all - settling.settle(known).await?.as_they_were.len();
    let run = settling.run;
    let word = if args.called { "called" } else { "not called" };
    output::say(&format!("{settled} attempts settled as {word}"));
    let ended = matches!(run.state, RunState::Cancelled | RunState::Expired);
    if args.not_called && settled > 0 && !ended {
        output::say(&format!("callout resume {} calls them", run.id));
    }
    Ok(())
}

/// Who settles, for the record.
pub(super) fn who() -> String {
    settings::variable("USER").unwrap_or_else(|| "unknown".into())
}

/// The attempts that were named, each by an unambiguous beginning of its id.
fn chosen(uncertain: &[Unsettled], args: &ReconcileArgs) -> Result<Vec<AttemptId>, Failure> {
    if args.all {
        return Ok(uncertain.iter().map(|row| row.attempt.id).collect());
    }
    if args.attempt.is_empty() {
        return Err(Failure::usage(
            "name the attempts with --attempt, or say --all",
        ));
    }
    let one = |wanted: &String| {
        let wanted = wanted.to_ascii_lowercase();
        let ids = uncertain.iter().map(|row| row.attempt.id);
        let found: Vec<AttemptId> = ids
            .filter(|id| id.to_string().starts_with(&wanted))
            .collect();
        match found.as_slice() {
            [id] => Ok(*id),
            [] => Err(Failure::usage(format!(
                "no uncertain attempt begins with `{wanted}`"
            ))),
            _ => Err(Failure::usage(format!(
                "`{wanted}` begins several attempts"
            ))),
        }
    };
    args.attempt.iter().map(one).collect()
}
