//! `callout plan`: what a run would do. Dials nobody and writes nothing.

use std::convert::Infallible;
use std::time::Duration;

use serde_json::{Value, json};

use super::args::PlanArgs;
use super::exit::{Exit, Failure};
use super::{import, output};
use crate::campaign::{Campaign, Script};
use crate::domain::{Callout, CalloutBody, Destination};
use crate::recipients::{CheckError, CheckedRow, ListSummary, RowVerdict, check_list};
use crate::report::summary::{grouped, human};

/// Samples of the text are looked for among the first so many rows that can be called.
const SAMPLED: usize = 1_000;
/// Characters that a voice speaks in a second, about.
const CHARS_PER_SECOND: usize = 14;
/// Seconds until somebody answers, about.
const RINGING_S: f64 = 15.0;
/// Seconds of talk where no text tells, about.
const TALKING_S: f64 = 30.0;

/// A plan.
pub(super) struct Plan {
    campaign: Campaign,
    list: ListSummary,
    /// Shortest and longest text among the sampled rows, with the line and the masked number.
    samples: Vec<Sample>,
}

struct Sample {
    what: &'static str,
    line: u64,
    number: String,
    text: String,
}

pub(super) fn plan(args: &PlanArgs) -> Result<Exit, Failure> {
    let plan = Plan::of(&Campaign::load(&args.file)?)?;
    if args.json {
        output::say_json(&plan.json());
    } else {
        output::say(&plan.text());
    }
    Ok(Exit::Done)
}

impl Plan {
    /// Reads the campaign's list and plans.
    pub(super) fn of(campaign: &Campaign) -> Result<Self, Failure> {
        let mut sampled: Vec<(u64, Destination, Vec<String>)> = Vec::new();
        let mut sink = |chunk: Vec<CheckedRow>| {
            for row in chunk {
                if sampled.len() == SAMPLED {
                    break;
                }
                if let RowVerdict::Valid { destination, .. } = row.verdict {
                    sampled.push((row.line, destination, row.cells));
                }
            }
            Ok::<(), Infallible>(())
        };
        let list = match check_list(campaign, import::workers(), &mut sink) {
            Ok(list) => list,
            Err(CheckError::Faults(faults)) => return Err(faults.into()),
            Err(CheckError::Sink(never)) => match never {},
        };
        let samples = samples(&list.script, &sampled);
        Ok(Self {
            campaign: campaign.clone(),
            list: list.summary,
            samples,
        })
    }

    /// The plan for people.
    pub(super) fn text(&self) -> String {
        let list = &self.list;
        let mut lines = vec![
            format!("Plan of {}: nobody is dialled by this", self.campaign.name),
            format!(
                "rows {} -> valid {} -> unique {} -> eligible {}",
                grouped(list.rows),
                grouped(list.rows - list.invalid),
                grouped(list.valid),
                grouped(list.valid)
            ),
            format!(
                "  {} invalid and {} duplicate rows are reported and not called",
                grouped(list.invalid),
                grouped(list.duplicates)
            ),
        ];
        if list.unknown_numbers > 0 {
            lines.push(format!(
                "  {} numbers are not known to the numbering plan; they are dialled all the same",
                grouped(list.unknown_numbers)
            ));
        }
        for sample in &self.samples {
            lines.push(format!(
                "{} (line {}, {}, {} characters):\n  {}",
                sample.what,
                sample.line,
                sample.number,
                sample.text.chars().count(),
                sample.text
            ));
        }
        lines.push(self.time());
        lines.push("money: not known here; the platform's prices are not asked".into());
        for warning in self.campaign.warnings() {
            lines.push(format!("warning: {warning}"));
        }
        lines.join("\n")
    }

    fn json(&self) -> Value {
        let list = &self.list;
        let samples: Vec<Value> = self
            .samples
            .iter()
            .map(|s| json!({ "what": s.what, "line": s.line, "number": s.number, "text": s.text }))
            .collect();
        json!({
            "campaign": self.campaign.name,
            "rows": list.rows,
            "valid": list.rows - list.invalid,
            "unique": list.valid,
            "eligible": list.valid,
            "invalid": list.invalid,
            "duplicates": list.duplicates,
            "unknown_numbers": list.unknown_numbers,
            "list_sha256": list.sha256,
            "samples": samples,
            "calls_per_second": self.campaign.pacing.calls_per_second,
            "concurrent_calls": self.campaign.pacing.concurrent_calls,
            "seconds_to_dial": self.seconds().map(|(s, _)| s),
            "bottleneck": self.seconds().map(|(_, what)| what),
            "money": Value::Null,
            "warnings": self.campaign.warnings(),
        })
    }

    fn time(&self) -> String {
        match self.seconds() {
            Some((seconds, bottleneck)) => {
                let span = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
                format!(
                    "time: about {} to dial everybody; {bottleneck} decides",
                    human(span)
                )
            }
            None => "time: not known; `run` needs calls_per_second in [pacing]".into(),
        }
    }

    /// Seconds until everybody is dialled, and what decides it.
    fn seconds(&self) -> Option<(f64, &'static str)> {
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let calls = self.list.valid as f64;
        let by_rate = calls / self.campaign.pacing.calls_per_second?;
        let talk = self.samples.last().map_or(TALKING_S, |longest| {
            #[expect(clippy::cast_precision_loss, reason = "an estimate")]
            let s = (longest.text.chars().count() / CHARS_PER_SECOND) as f64;
            s
        });
        let by_cap = self.campaign.pacing.concurrent_calls.map_or(0.0, |cap| {
            // Only those beyond the cap wait for a place.
            let cap = f64::from(cap);
            (calls - cap).max(0.0) * (RINGING_S + talk) / cap
        });
        Some(if by_cap > by_rate {
            (by_cap, "concurrent_calls")
        } else {
            (by_rate, "calls_per_second")
        })
    }
}

fn samples(script: &Script, rows: &[(u64, Destination, Vec<String>)]) -> Vec<Sample> {
    let texts: Vec<(u64, String, String)> = rows
        .iter()
        .filter_map(|(line, to, cells)| {
            let text = spoken(&script.callout(to, cells).ok()?)?;
            // Inline SVAML names the number that it connects.
            let text = text.replace(&to.endpoint, &to.masked());
            Some((*line, to.masked(), text))
        })
        .collect();
    let length = |t: &&(u64, String, String)| t.2.chars().count();
    let shortest = texts
        .iter()
        .min_by_key(length)
        .map(|t| ("shortest text", t));
    let longest = texts.iter().max_by_key(length).map(|t| ("longest text", t));
    [shortest, longest]
        .into_iter()
        .flatten()
        .map(|(what, (line, number, text))| Sample {
            what,
            line: *line,
            number: number.clone(),
            text: text.clone(),
        })
        .collect()
}

/// What a recipient would hear, or what decides it.
fn spoken(callout: &Callout) -> Option<String> {
    match &callout.body {
        CalloutBody::Tts(tts) => tts.text.clone().or_else(|| tts.prompts.clone()),
        CalloutBody::Conference(conference) => conference.greeting.clone(),
        CalloutBody::Custom(custom) => custom.ace.clone().or_else(|| custom.ice.clone()),
    }
}
