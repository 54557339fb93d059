//! `callout reconcile`: uncertain attempts, listed or settled by a person.

use jiff::Timestamp;
use serde_json::json;

use super::args::{Global, ReconcileArgs};
use super::exit::{Exit, Failure};
use super::{World, output, records, runs, settings};
use crate::campaign::Campaign;
use crate::domain::{
    AttemptId, AttemptRecord, CallId, Outcome, ResultRow, RetryPolicy, RunState, Stage,
};
use crate::entropy::Entropy;
use crate::store::sqlite::{Access, SqliteStore};
use crate::store::{Run, Settlement, Store};

pub(super) async fn reconcile(
    args: &ReconcileArgs,
    global: &Global,
    world: World,
) -> Result<Exit, Failure> {
    let store = SqliteStore::open(&global.db, Access::Beside).await?;
    let run = runs::find(&store, args.run.as_deref()).await?;
    let mut settling = Settling::new(&store, &run, world);
    let rows = store.uncertain(&run.id).await?;
    let uncertain: Vec<(&ResultRow, &AttemptRecord)> = rows
        .iter()
        .flat_map(|row| row.attempts.iter().map(move |attempt| (row, attempt)))
        .filter(|(_, attempt)| attempt.stage == Stage::Uncertain)
        .collect();
    if let Some(file) = &args.cdr {
        records::settle(&mut settling, &uncertain, (file, args)).await?;
    } else if args.called || args.not_called {
        settle(&mut settling, &uncertain, args).await?;
    } else if !args.attempt.is_empty() || args.all {
        return Err(Failure::usage("say --called or --not-called, and --reason"));
    } else {
        list(&run, &uncertain, args.json);
    }
    store.close().await?;
    Ok(Exit::Done)
}

fn list(run: &Run, uncertain: &[(&ResultRow, &AttemptRecord)], as_json: bool) {
    if as_json {
        let attempts: Vec<_> = uncertain
            .iter()
            .map(|(row, attempt)| {
                json!({
                    "attempt": attempt.id.to_string(),
                    "line": row.line,
                    "number": row.destination.as_ref().map(ToString::to_string),
                    "intended_at": attempt.intended_at.to_string(),
                    "note": attempt.note,
                })
            })
            .collect();
        output::say_json(&json!({ "run": run.id.as_str(), "uncertain": attempts }));
        return;
    }
    if uncertain.is_empty() {
        output::say(&format!("run {} has no uncertain attempts", run.id));
        return;
    }
    output::say(&format!(
        "{} uncertain attempts of run {}: sent, and nobody told us whether a phone rang",
        uncertain.len(),
        run.id
    ));
    for (row, attempt) in uncertain {
        let number = row
            .destination
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        output::say(&format!(
            "  {}  line {:<6}  {number:<14}  {:.0}  {}",
            attempt.id,
            row.line,
            attempt.intended_at,
            attempt.note.as_deref().unwrap_or_default()
        ));
    }
    output::say(&format!(
        "\nget the platform's call detail records of those days from the dashboard, then\n\
         \x20 callout reconcile {run} --cdr FILE\n\
         or look for the attempt ids yourself, then\n\
         \x20 callout reconcile {run} --attempt ID --called --result ANSWERED --reason \"…\"\n\
         \x20 callout reconcile {run} --attempt ID --not-called --reason \"…\"",
        run = run.id
    ));
}

/// A person at work on the attempts of a run of which something is to be known.
pub(super) struct Settling<'a> {
    pub(super) store: &'a SqliteStore,
    pub(super) run: &'a Run,
    pub(super) now: Timestamp,
    retry: RetryPolicy,
    entropy: Entropy,
}

impl<'a> Settling<'a> {
    fn new(store: &'a SqliteStore, run: &'a Run, world: World) -> Self {
        // A definition that was deleted with the people calls nobody again.
        let kept = run.blackout_file.as_deref();
        let campaign = Campaign::parse_kept(&run.definition, &run.definition_path, kept);
        Self {
            store,
            run,
            now: world.clock.wall(),
            retry: campaign.map(|campaign| campaign.retry).unwrap_or_default(),
            entropy: world.entropy,
        }
    }

    /// Settles one attempt. Returns false where nothing new was said.
    pub(super) async fn settle(
        &mut self,
        attempt: AttemptId,
        called: Option<Outcome>,
        call: Option<CallId>,
        why: String,
    ) -> Result<bool, Failure> {
        let settlement = Settlement {
            called,
            call,
            why,
            who: who(),
            at: self.now,
            retry: self.retry.clone(),
            chance: self.entropy.fraction(),
        };
        let settled = self.store.settle(&self.run.id, attempt, &settlement);
        Ok(settled.await?)
    }
}

async fn settle(
    settling: &mut Settling<'_>,
    uncertain: &[(&ResultRow, &AttemptRecord)],
    args: &ReconcileArgs,
) -> Result<(), Failure> {
    let chosen = chosen(uncertain, args)?;
    let outcome = Outcome {
        result: args.result.as_ref().map(|r| r.to_ascii_uppercase()),
        ..Outcome::unknown()
    };
    let why = args.reason.clone().unwrap_or_default();
    let mut settled = 0;
    for attempt in chosen {
        let called = args.called.then(|| outcome.clone());
        let new = settling.settle(attempt, called, None, why.clone()).await?;
        settled += u32::from(new);
    }
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
fn chosen(
    uncertain: &[(&ResultRow, &AttemptRecord)],
    args: &ReconcileArgs,
) -> Result<Vec<AttemptId>, Failure> {
    if args.all {
        return Ok(uncertain.iter().map(|(_, attempt)| attempt.id).collect());
    }
    if args.attempt.is_empty() {
        return Err(Failure::usage(
            "name the attempts with --attempt, or say --all",
        ));
    }
    let one = |wanted: &String| {
        let wanted = wanted.to_ascii_lowercase();
        let ids = uncertain.iter().map(|(_, a)| a.id);
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
