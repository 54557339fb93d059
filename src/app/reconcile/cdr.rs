//! Attempts settled by the platform's call detail records.
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
use serde_json::{Value, json};

use super::{Known, Left, Settling, each_unsettled, in_hand};
use crate::app::{Error, Refusal};
use crate::domain::absence::day;
use crate::domain::{
    Absence, AttemptId, AttemptKey, Began, CallId, Callee, Count, Ours, Outcome, RunId, Seen,
    Stage, Word,
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

/// Records to settle by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Records<'a> {
    /// The file of call detail records.
    pub(crate) file: &'a Path,
    /// Days, in UTC, of which the file has every call.
    pub(crate) complete_days: &'a [Date],
    /// Whether it is only said what would be settled.
    pub(crate) dry_run: bool,
}

impl Settling<'_> {
    /// Settles what the records tell. Returns what they say, and what was left to an engine that works on
    /// the run.
    pub(crate) async fn by_records(&mut self, records: Records<'_>) -> Result<Findings, Error> {
        let days: BTreeSet<Date> = records.complete_days.iter().copied().collect();
        let today = day(self.now);
        if let Some(day) = days.iter().find(|day| **day >= today) {
            let why = format!("{day} is not over in UTC: its records cannot be complete");
            return Err(Refusal::input("day_not_over", why).into());
        }
        let mut search = Search {
            application: Client::application_of(&self.run.platform).map(str::to_owned),
            ..Search::default()
        };
        if let (Some(first), Some(last)) = (days.first(), days.last()) {
            let within = around(*first, *last);
            search.absence = Some(absence(self, days, within).await?);
        }
        each_unsettled(self.store, self.run, |unsettled| {
            search.want(unsettled);
        })
        .await?;
        let counted = self.app.counting("records read", None);
        search.read(records.file, &counted.done)?;
        drop(counted);
        if let Some(Err(unproved)) = search.absence.as_ref().map(Absence::proves) {
            let words = format!(
                "{} {unproved}; so nothing was settled",
                records.file.display()
            );
            return Err(Refusal::NotComplete(words).into());
        }
        let mut findings = search.findings();
        let left = if !records.dry_run {
            self.settle(findings.known(records.file)).await?
        } else if self.engine_at_work().await? {
            findings.of_an_engine()
        } else {
            Left::default()
        };
        findings.leave(&left);
        findings.left_to_engine = left.in_hand;
        Ok(findings)
    }
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
) -> Result<Absence, Error> {
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

    fn read(&mut self, file: &Path, done: &Count) -> Result<(), Error> {
        let at_fault = |e: &dyn std::fmt::Display| {
            Error::from(Refusal::input(
                "records",
                format!("{}: {e}", file.display()),
            ))
        };
        let opened = File::open(file).map_err(|e| at_fault(&e))?;
        let records = CdrReader::new(BufReader::new(opened)).map_err(|e| at_fault(&e))?;
        if self.absence.is_some() {
            records.can_prove_absence().map_err(|e| at_fault(&e))?;
        }
        for record in records {
            let record = record.map_err(|e| at_fault(&e))?;
            done.add(1);
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
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// Uncertain ones that were called.
    pub(crate) called: Vec<(AttemptId, Box<Record>)>,
    /// Calls whose result or price is told now, and whether an engine may have them in hand.
    pub(crate) filled: Vec<(AttemptId, Box<Record>, bool)>,
    /// Uncertain ones that were not called.
    pub(crate) not_called: Vec<AttemptId>,
    /// Not in the records, and some record may be theirs.
    pub(crate) doubted: Vec<AttemptId>,
    /// Other uncertain ones that are not in the records.
    pub(crate) left: usize,
    /// Calls of which nothing new is told.
    pub(crate) open: usize,
    /// Calls that an engine which works on the run has in hand.
    pub(crate) left_to_engine: BTreeSet<AttemptId>,
}

impl Findings {
    /// For programs.
    pub(crate) fn json(&self, run: &RunId, dry_run: bool) -> Value {
        let ids = |of: &mut dyn Iterator<Item = AttemptId>| {
            of.map(|id| id.to_string()).collect::<Vec<_>>()
        };
        json!({
            "run": run.as_str(),
            "settled": !dry_run,
            "called": ids(&mut self.called.iter().map(|(id, _)| *id)),
            "not_called": ids(&mut self.not_called.iter().copied()),
            "left_uncertain": self.left + self.doubted.len(),
            "doubted": ids(&mut self.doubted.iter().copied()),
            "filled": ids(&mut self.filled.iter().map(|(id, ..)| *id)),
            "result_or_price_not_known": self.open + self.left_to_engine.len(),
            "left_to_engine": ids(&mut self.left_to_engine.iter().copied()),
        })
    }

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
                word: Word::Platform,
                why: format!("call detail records, {by_line} line {}", record.line),
                in_hand,
            });
        let absent = self.not_called.iter().map(move |attempt| Known {
            attempt: *attempt,
            called: None,
            call: None,
            word: Word::Platform,
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
}
