//! `callout reconcile --cdr`: uncertain attempts, settled by the platform's call detail records.
//!
//! What is in the records was called. What is not in them proves nothing, unless a person says that
//! the file is complete for a day; and then the file must have every call of that day which the run
//! knows of, or it is not believed: a phone would ring twice.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::json;

use super::args::ReconcileArgs;
use super::exit::Failure;
use super::output;
use super::reconcile::Settling;
use crate::domain::{AttemptId, AttemptRecord, RecipientId, ResultRow, RunState};
use crate::sinch::cdr::{CdrReader, Record};
use crate::sinch::client::REQUEST_MAX;
use crate::store::sqlite::SqliteStore;
use crate::store::{Run, Store as _};

/// Attempts read at a time.
const PAGE: u32 = 500;
/// A POST that nobody answered may have made its call this long after its intent was written.
const CALL_LATER_MAX: Duration = REQUEST_MAX.saturating_add(Duration::from_mins(4));

/// What the records say of the uncertain attempts.
#[derive(Default)]
struct Findings {
    called: Vec<(AttemptId, Record)>,
    not_called: Vec<AttemptId>,
    left: usize,
}

pub(super) async fn settle(
    settling: &mut Settling<'_>,
    uncertain: &[(&ResultRow, &AttemptRecord)],
    (file, args): (&Path, &ReconcileArgs),
) -> Result<(), Failure> {
    let (store, run) = (settling.store, settling.run);
    let days: BTreeSet<Date> = args.complete_day.iter().copied().collect();
    let today = settling.now.to_zoned(TimeZone::UTC).date();
    if let Some(day) = days.iter().find(|day| **day >= today) {
        return Err(Failure::usage(format!(
            "{day} is not over in UTC: its records cannot be complete"
        )));
    }
    let mut known = if days.is_empty() {
        BTreeSet::new()
    } else {
        placed(store, run, &days).await?
    };
    let mut records = HashMap::new();
    let wanted: BTreeSet<AttemptId> = uncertain.iter().map(|(_, attempt)| attempt.id).collect();
    read(file, |record| {
        let Some(attempt) = record.attempt else {
            return;
        };
        known.remove(&attempt);
        if wanted.contains(&attempt) {
            // A call of several legs has several records; the first is its own.
            records.entry(attempt).or_insert(record);
        }
    })?;
    if !known.is_empty() {
        return Err(Failure::usage(format!(
            "{} lacks {} calls that run {} knows the platform placed on those days: it is not \
             complete, so nothing was settled. Get it again, or leave out --complete-day",
            file.display(),
            known.len(),
            run.id
        )));
    }
    let mut findings = Findings::default();
    for (_, attempt) in uncertain {
        if let Some(record) = records.remove(&attempt.id) {
            findings.called.push((attempt.id, record));
        } else if covered(attempt, &days) {
            findings.not_called.push(attempt.id);
        } else {
            findings.left += 1;
        }
    }
    if !args.dry_run {
        findings.settle(settling, file).await?;
    }
    findings.tell(run, args);
    Ok(())
}

fn read(file: &Path, mut each: impl FnMut(Record)) -> Result<(), Failure> {
    let at_fault = |e: &dyn std::fmt::Display| Failure::usage(format!("{}: {e}", file.display()));
    let opened = File::open(file).map_err(|e| at_fault(&e))?;
    let records = CdrReader::new(BufReader::new(opened)).map_err(|e| at_fault(&e))?;
    for record in records {
        each(record.map_err(|e| at_fault(&e))?);
    }
    Ok(())
}

/// The attempts of the run which the platform is known to have placed well within those days.
async fn placed(
    store: &SqliteStore,
    run: &Run,
    days: &BTreeSet<Date>,
) -> Result<BTreeSet<AttemptId>, Failure> {
    let mut known = BTreeSet::new();
    let mut after = RecipientId(0);
    loop {
        let rows = store.results(&run.id, after, PAGE).await?;
        let Some(last) = rows.last() else {
            return Ok(known);
        };
        after = last.recipient;
        let attempts = rows.iter().flat_map(|row| &row.attempts);
        let placed = attempts.filter(|a| a.call_id.is_some() && covered(a, days));
        known.extend(placed.map(|attempt| attempt.id));
    }
}

/// Whether a call of this attempt can only have begun on one of these days. The calls of one that stands
/// for those which nobody knows have other ids, so their absence is never seen.
fn covered(attempt: &AttemptRecord, days: &BTreeSet<Date>) -> bool {
    if attempt.stands_for_unknown() {
        return false;
    }
    let day = |at: jiff::Timestamp| at.to_zoned(TimeZone::UTC).date();
    let latest = attempt.intended_at.checked_add(CALL_LATER_MAX);
    days.contains(&day(attempt.intended_at)) && latest.is_ok_and(|at| days.contains(&day(at)))
}

impl Findings {
    async fn settle(&self, settling: &mut Settling<'_>, file: &Path) -> Result<(), Failure> {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        for (attempt, record) in &self.called {
            let why = format!("call detail records, {name} line {}", record.line);
            let (outcome, call) = (record.outcome.clone(), record.call.clone());
            settling.settle(*attempt, Some(outcome), call, why).await?;
        }
        for attempt in &self.not_called {
            let why = format!("not in the call detail records of its whole day, {name}");
            settling.settle(*attempt, None, None, why).await?;
        }
        Ok(())
    }

    fn tell(&self, run: &Run, args: &ReconcileArgs) {
        if args.json {
            output::say_json(&json!({
                "run": run.id.as_str(),
                "settled": !args.dry_run,
                "called": self.called.iter().map(|(id, _)| id.to_string()).collect::<Vec<_>>(),
                "not_called": self.not_called.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "left_uncertain": self.left,
            }));
            return;
        }
        let would = if args.dry_run { "would be " } else { "" };
        output::say(&format!(
            "{} attempts {would}settled as called, {} {would}settled as not called, {} left \
             uncertain",
            self.called.len(),
            self.not_called.len(),
            self.left
        ));
        if self.left > 0 && args.complete_day.is_empty() {
            output::say(
                "absence proves nothing by itself: --complete-day DATE says that the file has every \
                 call of that day",
            );
        }
        if !self.not_called.is_empty() && !args.dry_run && run.state != RunState::Cancelled {
            output::say(&format!("callout resume {} calls them", run.id));
        }
    }
}
