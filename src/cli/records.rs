//! `callout reconcile --cdr`: attempts settled by the platform's call detail records.
//!
//! What is in the records was called, and its result and price fill what was not told. What is not in
//! them proves nothing, unless a person says that the file is complete for a day and the file proves it
//! (`domain/absence.rs`): otherwise a phone would ring twice. The file is read once, as a stream; kept
//! is what is wanted of it.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::args::ReconcileArgs;
use super::exit::Failure;
use super::output;
use super::settling::{Known, Left, Settling, each_unsettled, in_hand};
use crate::domain::absence::day;
use crate::domain::{
    Absence, AttemptId, AttemptKey, Began, CallId, Callee, Ours, Outcome, RunState, Seen, Stage,
};
use crate::sinch::cdr::{CdrError, CdrReader, Record};
use crate::sinch::client::{Client, REQUEST_MAX};
use crate::store::Unsettled;

/// Attempts of whatever run read at a time.
const PAGE: u32 = 5000;
/// Before and after the days that are said to be complete, attempts of this long are known as well: a
/// record near midnight may be theirs.
const AROUND: SignedDuration = SignedDuration::from_hours(24);

/// An attempt of which something is to be known, and the record that tells it.
struct Wanted {
    stage: Stage,
    call: Option<CallId>,
    callee: Option<Callee>,
    /// What is known of a call that is over.
    outcome: Option<Box<Outcome>>,
    record: Option<Box<Record>>,
}

/// What is looked for in a file.
#[derive(Default)]
struct Search {
    order: Vec<AttemptId>,
    wanted: HashMap<AttemptId, Wanted>,
    by_call: HashMap<CallId, AttemptId>,
    /// Where whole days are complete: what that proves.
    absence: Option<Absence>,
    application: Option<String>,
}

pub(super) async fn settle(
    settling: &mut Settling<'_>,
    file: &Path,
    args: &ReconcileArgs,
) -> Result<(), Failure> {
    let days: BTreeSet<Date> = args.complete_day.iter().copied().collect();
    let today = day(settling.now);
    if let Some(day) = days.iter().find(|day| **day >= today) {
        return Err(Failure::usage(format!(
            "{day} is not over in UTC: its records cannot be complete"
        )));
    }
    let mut search = Search {
        application: Client::application_of(&settling.run.platform).map(str::to_owned),
        ..Search::default()
    };
    if let (Some(first), Some(last)) = (days.first(), days.last()) {
        let within = around(*first, *last);
        search.absence = Some(absence(settling, days, within).await?);
    }
    each_unsettled(settling.store, settling.run, |unsettled| {
        search.want(unsettled);
    })
    .await?;
    search.read(file)?;
    if let Some(Err(unproved)) = search.absence.as_ref().map(Absence::proves) {
        return Err(Failure::usage(format!(
            "{} {unproved}; so nothing was settled. Get it again, or leave out --complete-day",
            file.display()
        )));
    }
    let mut findings = search.findings();
    let left = if !args.dry_run {
        settling.settle(findings.known(file)).await?
    } else if settling.engine_at_work().await? {
        findings.of_an_engine()
    } else {
        Left::default()
    };
    findings.leave(&left);
    findings.tell(settling, &left, args);
    Ok(())
}

/// From well before the first of these days until well after the last.
fn around(first: Date, last: Date) -> (Timestamp, Timestamp) {
    let start = |day: Date| day.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp());
    let from = start(first).and_then(|at| at.checked_sub(AROUND).ok());
    let until = start(last).and_then(|at| at.checked_add(AROUND + AROUND).ok());
    (
        from.unwrap_or(Timestamp::MIN),
        until.unwrap_or(Timestamp::MAX),
    )
}

/// All that whatever run on the same platform knows of those days.
async fn absence(
    settling: &Settling<'_>,
    days: BTreeSet<Date>,
    within: (Timestamp, Timestamp),
) -> Result<Absence, Failure> {
    let mut absence = Absence::of(days);
    let (mut after, platform) = (AttemptKey(0), &settling.run.platform);
    loop {
        let made = settling.store.made_within(platform, within, after, PAGE);
        let made = made.await?;
        let Some(last) = made.last() else {
            return Ok(absence);
        };
        after = last.key;
        for made in made {
            absence.knows(Ours {
                attempt: made.id,
                call: made.call,
                began: Began::of(made.intended_at, made.answered_at, REQUEST_MAX),
            });
        }
    }
}

impl Search {
    fn want(&mut self, unsettled: Unsettled) {
        let Unsettled {
            attempt,
            destination,
            ..
        } = unsettled;
        if attempt.stage == Stage::Final && !attempt.outcome.leaves_open() {
            return;
        }
        let callee = destination.as_ref().and_then(Callee::of);
        if let Some(absence) = (self.absence.as_mut()).filter(|_| attempt.stage == Stage::Uncertain)
        {
            let began = Began::of(attempt.intended_at, attempt.answered_at, REQUEST_MAX);
            absence.ask(attempt.id, callee.clone(), began);
        }
        let call = attempt.call_id.as_deref().and_then(CallId::new);
        if let Some(call) = &call {
            self.by_call.insert(call.clone(), attempt.id);
        }
        let over = attempt.stage == Stage::Final;
        let wanted = Wanted {
            stage: attempt.stage,
            call,
            callee,
            outcome: over.then(|| Box::new(attempt.outcome)),
            record: None,
        };
        self.order.push(attempt.id);
        self.wanted.insert(attempt.id, wanted);
    }

    fn read(&mut self, file: &Path) -> Result<(), Failure> {
        let at_fault =
            |e: &dyn std::fmt::Display| Failure::usage(format!("{}: {e}", file.display()));
        let opened = File::open(file).map_err(|e| at_fault(&e))?;
        let records = CdrReader::new(BufReader::new(opened)).map_err(|e| at_fault(&e))?;
        if self.absence.is_some() {
            records.can_prove_absence().map_err(|e| at_fault(&e))?;
        }
        for record in records {
            let record = record.map_err(|e| at_fault(&e))?;
            if let Some(absence) = &mut self.absence {
                if record.torn {
                    return Err(at_fault(&CdrError::Torn { line: record.line }));
                }
                let key = record.application.as_ref();
                let ours = |key: &String| {
                    let ours = self.application.as_ref();
                    ours.is_some_and(|ours| ours.eq_ignore_ascii_case(key))
                };
                absence.sees(Seen {
                    attempt: record.attempt,
                    call: record.call.as_ref(),
                    at: record.at,
                    callee: &record.callee,
                    application: key.map(ours),
                });
            }
            self.take(record);
        }
        Ok(())
    }

    /// Keeps a record that tells of an attempt more than what was found before.
    fn take(&mut self, record: Record) {
        let by_call = record.call.as_ref().and_then(|call| self.by_call.get(call));
        let Some(attempt) = by_call.copied().or(record.attempt) else {
            return;
        };
        let Some(wanted) = self.wanted.get_mut(&attempt) else {
            return;
        };
        let other = |call: &Option<CallId>| {
            (call.as_ref().zip(record.call.as_ref())).is_some_and(|(known, told)| known != told)
        };
        // A call that its own call placed, which carries its words.
        if other(&wanted.call) {
            return;
        }
        match &mut wanted.record {
            None => wanted.record = Some(Box::new(record)),
            // The same call once more: it may tell what the other row leaves open.
            Some(found) if !other(&found.call) => {
                found.outcome = std::mem::take(&mut found.outcome).completed(record.outcome);
            }
            Some(found) => {
                let rank = |record: &Record| {
                    let theirs = wanted.callee.as_ref() == Some(&record.callee);
                    (!theirs, record.at.unwrap_or(Timestamp::MAX))
                };
                if rank(&record) < rank(found) {
                    **found = record;
                }
            }
        }
    }

    fn findings(mut self) -> Findings {
        let mut findings = Findings::default();
        for attempt in std::mem::take(&mut self.order) {
            let Some(wanted) = self.wanted.remove(&attempt) else {
                continue;
            };
            let uncertain = wanted.stage == Stage::Uncertain;
            let absent = (self.absence.as_ref()).and_then(|absence| absence.absent(attempt));
            match (wanted.record, absent) {
                (Some(record), _) if uncertain => findings.called.push((attempt, record)),
                (Some(record), _) if says_more(wanted.outcome.as_deref(), &record) => {
                    let in_hand = in_hand(wanted.stage);
                    findings.filled.push((attempt, record, in_hand));
                }
                (None, Some(true)) => findings.not_called.push(attempt),
                (None, Some(false)) => findings.doubted.push(attempt),
                (None, None) if uncertain => findings.left += 1,
                (Some(_) | None, _) => findings.open += 1,
            }
        }
        findings
    }
}

/// Whether a record tells of a call what is not known. Of one that goes on nothing is.
fn says_more(known: Option<&Outcome>, record: &Record) -> bool {
    known.is_none_or(|known| known.clone().completed(record.outcome.clone()) != *known)
}

/// What the records say of the attempts of which something is to be known.
#[derive(Default)]
struct Findings {
    /// Uncertain ones that were called.
    called: Vec<(AttemptId, Box<Record>)>,
    /// Calls whose result or price is told now, and whether an engine may have them in hand.
    filled: Vec<(AttemptId, Box<Record>, bool)>,
    not_called: Vec<AttemptId>,
    /// Not in the records, and some record may be theirs.
    doubted: Vec<AttemptId>,
    /// Other uncertain ones that are not in the records.
    left: usize,
    /// Calls of which nothing new is told.
    open: usize,
}

impl Findings {
    fn known(&self, file: &Path) -> impl Iterator<Item = Known> {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let called = self.called.iter().map(|(id, record)| (*id, record, false));
        let filled = self.filled.iter().map(|(id, record, h)| (*id, record, *h));
        let by_line = name.clone();
        let called = called
            .chain(filled)
            .map(move |(attempt, record, in_hand)| Known {
                attempt,
                called: Some(record.outcome.clone()),
                call: record.call.clone(),
                why: format!("call detail records, {by_line} line {}", record.line),
                in_hand,
            });
        let absent = self.not_called.iter().map(move |attempt| Known {
            attempt: *attempt,
            called: None,
            call: None,
            why: format!("not in the call detail records of its whole day, {name}"),
            in_hand: false,
        });
        called.chain(absent)
    }

    /// What would be left to an engine that works on the run.
    fn of_an_engine(&self) -> Left {
        let theirs = self.filled.iter().filter(|(_, _, in_hand)| *in_hand);
        Left {
            in_hand: theirs.map(|(attempt, ..)| *attempt).collect(),
            ..Left::default()
        }
    }

    /// Drops what was not settled after all.
    fn leave(&mut self, left: &Left) {
        let settled =
            |id: &AttemptId| !left.in_hand.contains(id) && !left.as_they_were.contains(id);
        self.called.retain(|(id, _)| settled(id));
        self.filled.retain(|(id, ..)| settled(id));
        self.not_called.retain(settled);
    }

    fn tell(&self, settling: &Settling<'_>, engine: &Left, args: &ReconcileArgs) {
        let run = settling.run;
        let uncertain = self.left + self.doubted.len();
        if args.json {
            let ids = |of: &mut dyn Iterator<Item = AttemptId>| {
                of.map(|id| id.to_string()).collect::<Vec<_>>()
            };
            output::say_json(&json!({
                "run": run.id.as_str(),
                "settled": !args.dry_run,
                "called": ids(&mut self.called.iter().map(|(id, _)| *id)),
                "not_called": ids(&mut self.not_called.iter().copied()),
                "left_uncertain": uncertain,
                "doubted": ids(&mut self.doubted.iter().copied()),
                "filled": ids(&mut self.filled.iter().map(|(id, ..)| *id)),
                "result_or_price_not_known": self.open + engine.in_hand.len(),
                "left_to_engine": ids(&mut engine.in_hand.iter().copied()),
            }));
            return;
        }
        let would = if args.dry_run { "would be " } else { "" };
        output::say(&format!(
            "{} attempts {would}settled as called, {} {would}settled as not called, {uncertain} left \
             uncertain",
            self.called.len(),
            self.not_called.len(),
        ));
        if self.filled.len() + self.open > 0 {
            output::say(&format!(
                "{} other calls {would}given the result or price that was not known, {} still have \
                 none",
                self.filled.len(),
                self.open
            ));
        }
        if !engine.in_hand.is_empty() {
            output::say(&format!(
                "{} calls are in the hands of the engine that works on the run, and were left to it: \
                 callout pause {} first",
                engine.in_hand.len(),
                run.id
            ));
        }
        if !self.doubted.is_empty() {
            output::say(&format!(
                "{} of those left uncertain may have been called: a record of their minutes, to their \
                 very number or to nobody knows whom, names no attempt of ours. Look at it, then \
                 settle them with --attempt",
                self.doubted.len()
            ));
        }
        if self.left > 0 && args.complete_day.is_empty() {
            output::say(
                "absence proves nothing by itself: --complete-day DATE says that the file has every \
                 call of that day",
            );
        } else if self.left > 0 {
            output::say(&format!(
                "{} of those left uncertain may have been called on a day that was not said to be \
                 complete, or around midnight: each day needs its --complete-day",
                self.left
            ));
        }
        let ended = matches!(run.state, RunState::Cancelled | RunState::Expired);
        if !self.not_called.is_empty() && !args.dry_run && !ended {
            output::say(&format!("callout resume {} calls them", run.id));
        }
    }
}
