//! What goes on while an engine works, as events for programs: one JSON object each. A command line writes them as
//! lines, a served page sends them on.
//!
//! Sentences stand beside their codes; codes stay when sentences are put otherwise.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::domain::{Disposition, RunId};
use crate::engine::{End, Glance, Watch};
use crate::report::Summary;

/// Between two events that tell progress there is as much time at least.
const PROGRESS_EVERY: SignedDuration = SignedDuration::from_secs(1);

/// Turns glances at a run into events.
#[derive(Debug)]
pub(crate) struct Events {
    run: RunId,
    campaign: String,
    before: Option<Glance>,
    told_at: Option<Timestamp>,
}

impl Events {
    /// Nothing was seen yet.
    pub(crate) fn new(run: RunId, campaign: String) -> Self {
        Self {
            run,
            campaign,
            before: None,
            told_at: None,
        }
    }

    /// What happened since the glance before.
    pub(crate) fn seen(&mut self, watch: &mut Watch) -> Vec<Value> {
        let Some(mut glance) = watch.glance() else {
            return Vec::new();
        };
        let mut events = Vec::new();
        let uncertain = |glance: &Glance| glance.of(Disposition::Uncertain);
        match &self.before {
            None => events.push(self.event(
                "started",
                &glance,
                json!({
                    "campaign": self.campaign,
                    "to_call": glance.to_call,
                    "done": glance.finished,
                    "calls_per_second": glance.ceiling,
                }),
            )),
            Some(before) => {
                if uncertain(&glance) > uncertain(before) {
                    let more = uncertain(&glance) - uncertain(before);
                    let what = json!({ "recipients": uncertain(&glance), "more": more });
                    events.push(self.event("uncertain", &glance, what));
                }
                if before.waits_until.is_some() && glance.waits_until.is_none() {
                    events.push(self.event("resumed", &glance, json!({})));
                }
            }
        }
        let waited = self.before.as_ref().and_then(|before| before.waits_until);
        if let Some(until) = glance.waits_until.filter(|until| waited != Some(*until)) {
            let what = if glance.for_window { "window" } else { "due" };
            let waits = json!({ "for": what, "until": until.to_string() });
            events.push(self.event("waiting", &glance, waits));
        }
        if self.is_news(&glance) {
            self.told_at = Some(glance.at);
            glance = watch.foreseen(glance);
            events.push(self.event("progress", &glance, progress(&glance)));
        }
        self.before = Some(glance);
        events
    }

    fn is_news(&self, glance: &Glance) -> bool {
        let same = |before: &Glance| {
            (
                before.finished,
                before.in_flight,
                before.posted,
                before.slow,
            ) == (
                glance.finished,
                glance.in_flight,
                glance.posted,
                glance.slow,
            )
        };
        let soon = |at: Timestamp| glance.at.duration_since(at) < PROGRESS_EVERY;
        !self.told_at.is_some_and(soon) && !self.before.as_ref().is_some_and(same)
    }

    fn event(&self, name: &str, glance: &Glance, what: Value) -> Value {
        event(name, &self.run, Some(glance.at), what)
    }
}

/// How the work on a run ended: that it is paused, where it is, and its report.
pub(crate) fn ended(end: &End, summary: &Summary) -> Vec<Value> {
    let mut events = Vec::new();
    let run = &summary.run;
    if let End::Paused(why) = end {
        let what = json!({ "code": why.code(), "why": why.to_string() });
        events.push(event("paused", run, None, what));
    }
    let what = json!({ "state": summary.state.as_str(), "report": summary.json() });
    events.push(event("ended", run, None, what));
    events
}

fn event(name: &str, run: &RunId, at: Option<Timestamp>, what: Value) -> Value {
    let mut event = json!({ "event": name, "run": run.as_str() });
    if let (Some(event), Value::Object(what)) = (event.as_object_mut(), what) {
        if let Some(at) = at {
            event.insert("at".into(), json!(at.to_string()));
        }
        event.extend(what);
    }
    event
}

fn progress(glance: &Glance) -> Value {
    let spent: serde_json::Map<String, Value> = glance
        .spent
        .sums()
        .map(|(currency, sum)| (currency.to_owned(), json!(sum.map(|sum| sum.to_string()))))
        .collect();
    let dispositions: serde_json::Map<String, Value> = glance
        .dispositions
        .iter()
        .map(|(disposition, count)| (disposition.as_str().to_owned(), json!(count)))
        .collect();
    json!({
        "to_call": glance.to_call,
        "done": glance.finished,
        "dispositions": dispositions,
        "in_flight": glance.in_flight,
        "posted": glance.posted,
        "per_second": glance.per_second,
        "per_second_at_most": glance.rate,
        "slowed_down": glance.slowed_down,
        "hears": glance.hears,
        "events_heard": glance.told,
        "spent": spent,
        "committed": glance.committed.map(|amount| amount.to_string()),
        "cap": glance.cap.as_ref().map(|(cap, _)| cap.to_string()),
        "currency": glance.cap.as_ref().map(|(_, currency)| currency),
        "done_at": glance.done_at.map(|at| at.to_string()),
        "why_code": glance.slow,
        "why": glance.why_slow,
    })
}
