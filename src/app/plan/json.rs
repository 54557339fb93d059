//! A plan for programs.

use serde_json::{Map, Value, json};

use super::{Eligible, Plan};
use crate::app::database;
use crate::app::runs::Again;
use crate::domain::svaml::Event;
use crate::domain::{Purse, Repeat, RunId, Schedule};
use crate::report::flow;

impl Plan {
    /// The plan for programs; `met` are the conditions of `--fail-if` that it meets.
    pub(crate) fn json(&self, met: &[String]) -> Value {
        let list = &self.list;
        let samples: Vec<Value> = self
            .samples
            .iter()
            .map(|s| {
                json!({
                    "what": s.what,
                    "line": s.line,
                    "number": s.number,
                    "text": s.text,
                    "speech_s": s.speech_s,
                    "call_flow": s.flow.as_ref().map(flow::json),
                })
            })
            .collect();
        let (expected, worst) = self.attempts();
        let span = self.span.as_ref();
        let countries: Map<String, Value> = self
            .prefixes
            .countries()
            .into_iter()
            .map(|(country, numbers)| (country, json!(numbers)))
            .collect();
        json!({
            "campaign": self.campaign.name,
            "plan": self.fingerprint().to_string(),
            "at": self.at.to_string(),
            "rows": list.rows,
            "valid": list.rows - list.invalid,
            "unique": list.valid + list.suppressed,
            "not_suppressed": list.valid,
            "eligible": list.valid,
            "invalid": list.invalid,
            "duplicates": list.duplicates,
            "left_out": list.left_out,
            "only_unreached_of": self.earlier.only_of.as_ref().map(RunId::as_str),
            "again": self.again().map(Again::json),
            "suppressed": list.suppressed,
            "unknown_numbers": list.unknown_numbers,
            "countries": countries,
            "list_sha256": list.sha256,
            "samples": samples,
            "start": self.campaign.schedule.as_ref().map(|s| s.start.to_string()),
            "repeat": self.campaign.schedule.as_ref().map(rule),
            "calls_per_second": self.campaign.pacing.calls_per_second,
            "concurrent_calls": self.campaign.pacing.concurrent_calls,
            "seconds_to_dial": span.map(|span| span.dialling.as_secs_f64()),
            "seconds_soonest": span.and_then(|span| span.soonest).map(|s| s.as_secs_f64()),
            "seconds_expected": span.and_then(|span| span.expected).map(|s| s.as_secs_f64()),
            "seconds_latest": span.and_then(|span| span.latest).map(|s| s.as_secs_f64()),
            "bottleneck": span.map(|span| span.bottleneck),
            "window": self.eligible.as_ref().map(Eligible::json),
            "max_attempts": self.campaign.retry.max_attempts,
            "attempts_expected": expected,
            "attempts_worst": worst,
            "spend": self.campaign.spend.as_ref().map(|spend| json!({
                "cap": spend.cap.map(|cap| cap.to_string()),
                "per_day": spend.per_day.map(|cap| cap.to_string()),
                "currency": spend.currency,
            })),
            "cost": self.costs().map(|costs| json!({
                "expected": sums(&costs.expected),
                "worst": costs.worst.as_ref().map(sums),
                "without_price": costs.unknown,
            })),
            "money": self.prices.as_ref().map(|prices| prices.json(self.minutes())),
            "clis": self.clis,
            "callback_need": self.callback_need,
            "call": self.call_json(),
            "database": self.database.as_deref().map(database::shown),
            "warnings": self.warnings().iter().map(ToString::to_string).collect::<Vec<_>>(),
            "fail_if": met,
        })
    }

    /// What a call that asks takes; nothing where it asks nothing.
    fn call_json(&self) -> Value {
        let Some(way) = self.way else {
            return Value::Null;
        };
        let callbacks = self.callbacks().into_iter().map(Event::as_str);
        json!({
            "callbacks": callbacks.collect::<Vec<_>>(),
            "seconds_least": way.least_s,
            "seconds_most": way.most_s,
            "longest_call_s": self.campaign.spend.as_ref().and_then(|spend| spend.longest_call_s),
        })
    }
}

/// The rule of a schedule in words.
pub(crate) fn rule(schedule: &Schedule) -> String {
    schedule
        .repeat
        .as_ref()
        .map_or_else(|| "once".to_owned(), Repeat::words)
}

/// Sums by currency.
pub(crate) fn sums(purse: &Purse) -> Value {
    let sums = purse
        .sums()
        .map(|(c, sum)| (c.to_owned(), json!(sum.map(|sum| sum.to_string()))));
    Value::Object(sums.collect())
}
