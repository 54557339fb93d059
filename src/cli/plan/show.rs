//! A plan for people and for programs.

use serde_json::{Map, Value, json};

use super::Plan;
use super::eligible::Eligible;
use crate::cli::again::Again;
use crate::cli::{database, schedule};
use crate::domain::money::said;
use crate::domain::{Purse, RunId};
use crate::report::summary::{grouped, human};

/// Countries that are named one by one.
const COUNTRIES: usize = 8;

impl Plan {
    /// The plan for people.
    pub(in crate::cli) fn text(&self) -> String {
        let list = &self.list;
        let mut lines = vec![
            format!("Plan of {}: nobody is dialled by this", self.campaign.name),
            format!(
                "rows {} -> valid {} -> unique {} -> not suppressed {} -> eligible {}",
                grouped(list.rows),
                grouped(list.rows - list.invalid),
                grouped(list.valid + list.suppressed),
                grouped(list.valid),
                grouped(list.valid)
            ),
            format!(
                "  {} invalid and {} duplicate rows are reported and not called",
                grouped(list.invalid),
                grouped(list.duplicates)
            ),
        ];
        if let Some(run) = &self.earlier.only_of {
            lines.push(format!(
                "  {} of the duplicates are left out: of run {run} only those are called whom it did \
                 not reach",
                grouped(list.left_out)
            ));
        }
        if list.suppressed > 0 {
            lines.push(format!(
                "  {} rows are on a suppression list and are not called",
                grouped(list.suppressed)
            ));
        }
        if list.unknown_numbers > 0 {
            lines.push(format!(
                "  {} numbers are not known to the numbering plan; they are dialled all the same",
                grouped(list.unknown_numbers)
            ));
        }
        lines.extend(self.countries());
        for sample in &self.samples {
            lines.push(format!(
                "{} (line {}, {}, {} characters{}):\n  {}",
                sample.what,
                sample.line,
                sample.number,
                sample.text.chars().count(),
                sample
                    .speech_s
                    .map_or(String::new(), |s| format!(", about {s} s")),
                sample.text
            ));
        }
        lines.extend(self.eligible.as_ref().map(Eligible::text));
        lines.push(self.attempts_text());
        lines.extend(self.start());
        lines.push(self.time());
        lines.extend(self.money());
        lines.extend(self.database.as_deref().map(database::line));
        if let Some(again) = self.again() {
            lines.push(format!("again: {}", again.text()));
        }
        for warning in self.warnings() {
            lines.push(format!("warning: {warning}"));
        }
        let hash = self.fingerprint();
        lines.push(format!(
            "plan {hash}\n  `callout run {} --plan {hash}` refuses if anything of this has changed",
            self.campaign.path().display()
        ));
        lines.join("\n")
    }

    /// The plan for programs; `met` are the conditions of `--fail-if` that it meets.
    pub(super) fn json(&self, met: &[String]) -> Value {
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
            "repeat": self.campaign.schedule.as_ref().map(schedule::rule),
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
            "database": self.database.as_deref().map(database::shown),
            "warnings": self.warnings(),
            "fail_if": met,
        })
    }

    /// How many numbers are in which country.
    fn countries(&self) -> Option<String> {
        let countries = self.prefixes.countries();
        let named = |(country, numbers): &(String, u64)| format!("{country} {}", grouped(*numbers));
        let first: Vec<String> = countries.iter().take(COUNTRIES).map(named).collect();
        let others = match countries.len().saturating_sub(COUNTRIES) {
            0 => String::new(),
            more => format!(", {more} others"),
        };
        (!first.is_empty()).then(|| format!("by country: {}{others}", first.join(", ")))
    }

    fn attempts_text(&self) -> String {
        let (expected, worst) = self.attempts();
        if expected == worst {
            return format!("attempts: {}, one each", grouped(worst));
        }
        format!(
            "attempts: about {} expected, {} at worst ({} at most for each); supposed that 70 % of \
             calls are answered",
            grouped(expected),
            grouped(worst),
            self.campaign.retry.max_attempts
        )
    }

    /// Started minutes that the longest text takes.
    fn minutes(&self) -> u32 {
        let longest = self.samples.last().and_then(|s| s.speech_s);
        longest.unwrap_or(0).div_ceil(60).max(1)
    }

    fn money(&self) -> Vec<String> {
        let mut lines = Vec::new();
        match &self.prices {
            Some(prices) => lines.push(prices.text(self.minutes())),
            None if self.costs().is_some() => lines.push("money: at the rates of [spend]".into()),
            None => lines.push(
                "money: not known; the platform tells what calls cost when SINCH_APPLICATION_KEY \
                 and SINCH_APPLICATION_SECRET are set"
                    .into(),
            ),
        }
        if let Some(costs) = self.costs() {
            let worst = match &costs.worst {
                Some(worst) => format!("{worst} at worst"),
                None => "the worst case is not known: nothing says how long a call can be".into(),
            };
            let unknown = match costs.unknown {
                0 => String::new(),
                n => format!("; the price of {} recipients is not known", grouped(n)),
            };
            lines.push(format!(
                "  about {} expected, {worst}{unknown}",
                costs.expected
            ));
            if let (Some(spend), Some(worst)) = (&self.campaign.spend, &costs.worst) {
                let sum = worst.sums().find(|(c, _)| *c == spend.currency);
                if let (Some(cap), Some((_, sum)), 0) = (spend.cap, sum, costs.unknown) {
                    // A sum that is too large to be added up is above every cap.
                    lines.push(if sum.is_none_or(|sum| sum > cap) {
                        format!(
                            "  the cap of {} is below the worst case: the run may stop at it, with \
                             work left",
                            said(cap, &spend.currency)
                        )
                    } else {
                        let cap = said(cap, &spend.currency);
                        format!("  the cap of {cap} covers the worst case")
                    });
                }
                if let Some(per_day) = spend.per_day {
                    lines.push(format!(
                        "  {} a calendar day ({}): what does not fit waits for the next",
                        said(per_day, &spend.currency),
                        spend.time_zone
                    ));
                }
            }
        } else if let Some(spend) = &self.campaign.spend {
            lines.push(format!(
                "  the cap needs prices in {}: without them `run` is refused",
                spend.currency
            ));
        }
        lines
    }

    /// When a `run` of it starts, where the campaign says so.
    fn start(&self) -> Option<String> {
        let schedule = self.campaign.schedule.as_ref()?;
        let first = schedule::words(&schedule.start);
        let expiry = schedule.expires_after.map_or(String::new(), |after| {
            format!("; nobody is called later than {} after it", human(after))
        });
        Some(match &schedule.repeat {
            Some(repeat) => format!("start: {}, from {first} on{expiry}", repeat.words()),
            None => format!("start: {first}, once{expiry}"),
        })
    }

    fn time(&self) -> String {
        let Some(span) = &self.span else {
            return "time: not known; `run` needs calls_per_second in [pacing]".into();
        };
        let windows = if self.eligible.is_some() {
            ", while windows are open"
        } else {
            ""
        };
        match (span.soonest, span.latest) {
            (Some(soonest), Some(latest)) if soonest == latest => format!(
                "time: about {} to dial everybody{windows}; {} decides",
                human(soonest),
                span.bottleneck
            ),
            (Some(soonest), Some(latest)) => format!(
                "time: about {} to dial everybody, {} if everybody is called as often as they may \
                 be{windows}; {} decides. `callout rehearse --virtual` plays it through",
                human(soonest),
                human(latest),
                span.bottleneck
            ),
            _ => format!(
                "time: {} of dialling, but windows do not open for long enough; {} decides",
                human(span.dialling),
                span.bottleneck
            ),
        }
    }
}

/// Sums by currency.
pub(super) fn sums(purse: &Purse) -> Value {
    let sums = purse
        .sums()
        .map(|(c, sum)| (c.to_owned(), json!(sum.map(|sum| sum.to_string()))));
    Value::Object(sums.collect())
}
