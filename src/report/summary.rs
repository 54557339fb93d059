//! The summary a person reads: the account of every row, outcomes, money, time, and what is left to
//! do.

use std::fmt::{self, Write as _};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::heard::Heard;
use super::moments::Zone;
pub use super::moments::human;
pub use super::words::{counted, grouped};
use super::words::{ending, percent};
use crate::domain::money::{Amount, said};
use crate::domain::{
    Answered, Disposition, PauseReason, RunId, RunState, SecondCall, Stage, Tally,
};

/// Second calls that are named in a report; all of them are in its JSON.
const ALARMS_SHOWN: usize = 20;

/// Responses that are named in a report; all of them are in its JSON.
const RESPONSES_SHOWN: usize = 12;

/// A run and its counts.
#[derive(Debug, Clone)]
pub struct Summary {
    /// The run.
    pub run: RunId,
    /// Its campaign.
    pub campaign: String,
    /// Where it stands.
    pub state: RunState,
    /// Why it is paused.
    pub why: Option<String>,
    /// Whether it ran against the simulator.
    pub rehearsal: bool,
    /// When its personal data was deleted.
    pub purged_at: Option<Timestamp>,
    /// By whose clock its moments are told to people.
    pub zone: Zone,
    /// Its counts.
    pub tally: Tally,
    /// How its results come.
    pub heard: Heard,
}

impl Summary {
    /// `12,480 rows = 9,204 reached + …`, and whether that is so.
    pub fn account(&self) -> String {
        let tally = &self.tally;
        let done = Disposition::ALL
            .into_iter()
            .map(|d| (tally.of(d), d.as_str()));
        let left = [
            (tally.pending, "pending"),
            (tally.waiting, "waiting"),
            (tally.in_flight, "in flight"),
        ];
        let parts: Vec<String> = done
            .chain(left)
            .filter(|(n, _)| *n > 0)
            .map(|(n, word)| format!("{} {word}", grouped(n)))
            .collect();
        let sum = if parts.is_empty() {
            "0".to_owned()
        } else {
            parts.join(" + ")
        };
        let verdict = if tally.adds_up() {
            "it adds up"
        } else {
            "IT DOES NOT ADD UP: please report this"
        };
        format!("{} rows = {sum}   ({verdict})", grouped(tally.rows))
    }

    /// The whole summary as text.
    pub fn text(&self) -> String {
        let mut out = String::new();
        if self.rehearsal {
            line(
                &mut out,
                "REHEARSAL: the simulator answered, no phone rang, nothing was paid",
            );
        }
        let why = self
            .why
            .as_ref()
            .map(|why| format!(": {why}"))
            .unwrap_or_default();
        line(
            &mut out,
            &format!("{}   run {}   {}{why}", self.campaign, self.run, self.state),
        );
        line(&mut out, &self.account());
        if let Some(alarm) = self.alarm() {
            line(&mut out, &alarm);
        }
        if let Some(at) = self.purged_at {
            let purged = format!(
                "purged {}: numbers, cells and reasons are deleted",
                self.zone.stamp(at)
            );
            line(&mut out, &purged);
        }
        self.write_outcomes(&mut out);
        self.write_in_calls(&mut out);
        self.write_money(&mut out);
        self.write_time(&mut out);
        self.write_heard(&mut out);
        out
    }

    /// That a phone rang twice for one attempt, where it did.
    pub fn alarm(&self) -> Option<String> {
        let second = &self.tally.second_calls;
        let calls = u64::try_from(second.len()).unwrap_or(u64::MAX);
        let calls = counted(calls, "call was", "calls were");
        let mut alarm = format!(
            "ALARM: {calls} made that no attempt of ours may make: a phone may have rung twice"
        );
        for SecondCall {
            attempt,
            call,
            other,
        } in second.iter().take(ALARMS_SHOWN)
        {
            let call = call.as_deref().unwrap_or("no call that is known");
            write!(alarm, "\n  attempt {attempt}: {call}, and {other} as well")
                .expect("a string takes all");
        }
        (!second.is_empty()).then_some(alarm)
    }

    /// How its results come.
    pub fn results(&self) -> String {
        let outcomes = self.tally.outcomes.iter();
        let over = outcomes.filter(|((stage, ..), _)| *stage == Stage::Final);
        self.heard.way(over.map(|(_, n)| n).sum())
    }

    fn write_heard(&self, out: &mut String) {
        if self.heard == Heard::default() {
            return;
        }
        line(out, "");
        line(out, &format!("results {}", self.results()));
        for remark in self.heard.remarks() {
            line(out, &format!("        {remark}"));
        }
    }

    /// The whole summary for programs.
    pub fn json(&self) -> Value {
        let tally = &self.tally;
        let dispositions: serde_json::Map<String, Value> = Disposition::ALL
            .into_iter()
            .map(|d| (d.as_str().to_owned(), json!(tally.of(d))))
            .collect();
        let outcomes: Vec<Value> = tally
            .outcomes
            .iter()
            .map(|((state, result, reason), n)| {
                json!({ "state": state.as_str(), "result": result, "reason": reason, "attempts": n })
            })
            .collect();
        let unreached: serde_json::Map<String, Value> = Answered::ALL
            .into_iter()
            .filter_map(|worth| {
                let n = tally.unreached.get(&worth).copied().unwrap_or(0);
                Some((worth.why()?.replace(' ', "_"), json!(n)))
            })
            .collect();
        let spent: serde_json::Map<String, Value> = tally
            .spent
            .sums()
            .map(|(c, sum)| (c.to_owned(), json!(sum.map(|sum| sum.to_string()))))
            .collect();
        json!({
            "run": self.run.as_str(),
            "campaign": self.campaign,
            "state": self.state.as_str(),
            "why": self.why,
            "why_code": self.why.as_deref().and_then(PauseReason::code_of),
            "rehearsal": self.rehearsal,
            "purged_at": self.purged_at.map(|at| at.to_string()),
            "rows": tally.rows,
            "dispositions": dispositions,
            "pending": tally.pending,
            "waiting": tally.waiting,
            "in_flight": tally.in_flight,
            "adds_up": tally.adds_up(),
            "outcomes": outcomes,
            "responses": tally.responses.iter().map(|(response, n)| json!({
                "response": response, "calls": n,
            })).collect::<Vec<_>>(),
            "unreached": unreached,
            "not_sent": tally.not_sent,
            "spent": spent,
            "calls_without_price": tally.unpriced,
            "budget": self.budget_json(),
            "second_calls": tally.second_calls.iter().map(|second| json!({
                "attempt": second.attempt, "call": second.call, "other": second.other,
            })).collect::<Vec<_>>(),
            "heard": self.heard.json(),
            "talk_s": tally.talk_s,
            "first_at": tally.first_at.map(|t| t.to_string()),
            "last_at": tally.last_at.map(|t| t.to_string()),
        })
    }

    /// What is billed and held, and the cap it counts against, for programs; none where the run has no cap.
    pub fn budget_json(&self) -> Option<Value> {
        let (spend, account) = self.tally.budget.as_ref()?;
        Some(json!({
            "currency": spend.currency,
            "cap": spend.cap.map(|cap| cap.to_string()),
            "per_day": spend.per_day.map(|cap| cap.to_string()),
            "billed": account.settled.to_string(),
            "held": account.held.to_string(),
            "held_without_price": account.unpriced.to_string(),
            "calls_above_their_hold": account.above_hold,
        }))
    }

    fn write_outcomes(&self, out: &mut String) {
        let attempts: u64 = self.tally.outcomes.values().sum();
        if attempts == 0 {
            return;
        }
        line(out, "");
        line(out, &counted(attempts, "attempt", "attempts"));
        let mut rows: Vec<_> = self.tally.outcomes.iter().collect();
        rows.sort_by_key(|((state, ..), n)| (*state != Stage::Final, std::cmp::Reverse(**n)));
        for ((state, result, reason), n) in rows {
            let what = match (state, result) {
                (Stage::Final, _) => ending(Some(result.as_str()), Some(reason.as_str())),
                (state, _) => state.to_string(),
            };
            line(
                out,
                &format!(
                    "  {:>10}  {:>5}  {what}",
                    grouped(*n),
                    percent(*n, attempts)
                ),
            );
        }
        if self.tally.not_sent > 0 {
            let n = grouped(self.tally.not_sent);
            line(
                out,
                &format!("  {n:>10}         not sent and tried again; they count for nothing"),
            );
        }
    }

    /// What was pressed, and whom answered calls did not reach.
    fn write_in_calls(&self, out: &mut String) {
        let part = |(n, word): (u64, &str)| format!("{word} {}", grouped(n));
        let joined = |parts: Vec<String>| parts.join(" · ");
        let pressed = self.tally.responses.iter().take(RESPONSES_SHOWN);
        let mut pressed: Vec<String> = pressed.map(|(word, n)| part((*n, word))).collect();
        let others = self.tally.responses.iter().skip(RESPONSES_SHOWN);
        let others: u64 = others.map(|(_, n)| n).sum();
        pressed.extend((others > 0).then(|| part((others, "others"))));
        let unreached = self.tally.unreached.iter();
        let unreached = unreached.filter_map(|(worth, n)| Some(part((*n, worth.why()?))));
        let unreached: Vec<String> = unreached.collect();
        for (head, parts) in [("pressed", pressed), ("answered, not reached", unreached)] {
            if !parts.is_empty() {
                line(out, &format!("{head}: {}", joined(parts)));
            }
        }
    }

    fn write_money(&self, out: &mut String) {
        let tally = &self.tally;
        if tally.spent.is_empty() && tally.unpriced == 0 && tally.budget.is_none() {
            return;
        }
        line(out, "");
        let mut text = format!("money   {}", tally.spent);
        let reached = tally.of(Disposition::Reached);
        let sums: Vec<_> = tally.spent.sums().collect();
        if let ([(currency, Some(sum))], 1..) = (sums.as_slice(), reached) {
            let each = (sum / rust_decimal::Decimal::from(reached)).round_dp(4);
            write!(
                text,
                ", {} for each recipient reached",
                said(each, currency)
            )
            .expect("a string takes all");
        }
        if tally.unpriced > 0 {
            let calls = counted(tally.unpriced, "call", "calls");
            write!(text, "; the price of {calls} is not known").expect("a string takes all");
        }
        line(out, &text);
        if let Some(budget) = self.budget() {
            line(out, &format!("        {budget}"));
        }
    }

    /// What is held, and the cap it counts against; none where the run has no cap.
    pub fn budget(&self) -> Option<String> {
        let (spend, account) = self.tally.budget.as_ref()?;
        let currency = &spend.currency;
        let (billed, held) = (Amount(account.settled), Amount(account.held));
        let mut text = match spend.cap {
            Some(cap) => {
                let cap = said(cap, currency);
                format!("{billed} of the cap of {cap} billed, {held} held")
            }
            None => format!("{billed} {currency} billed, {held} held"),
        };
        if let Some(per_day) = spend.per_day {
            let (per_day, zone) = (said(per_day, currency), &spend.time_zone);
            write!(text, "; {per_day} a day ({zone})").expect("a string takes all");
        }
        if account.unpriced_calls > 0 {
            let calls = counted(account.unpriced_calls, "call", "calls");
            let amount = Amount(account.unpriced);
            write!(
                text,
                "; {amount} held still for {calls} without a price in {currency}"
            )
            .expect("a string takes all");
        }
        if account.above_hold > 0 {
            let calls = counted(account.above_hold, "call", "calls");
            write!(text, "; {calls} cost more than was held").expect("a string takes all");
        }
        Some(text)
    }

    fn write_time(&self, out: &mut String) {
        let (Some(first), Some(last)) = (self.tally.first_at, self.tally.last_at) else {
            return;
        };
        let span = Duration::try_from(last.duration_since(first)).unwrap_or_default();
        line(
            out,
            &format!(
                "dialled {} to {}, {}",
                self.zone.stamp(first),
                self.zone.stamp(last),
                human(span)
            ),
        );
    }

    /// What a person has still to do about the run, where there is anything.
    pub fn loose_ends(&self) -> Vec<LooseEnd> {
        let uncertain = self.tally.of(Disposition::Uncertain);
        let left = self.state.unfinished() && !self.rehearsal;
        [
            (uncertain > 0).then_some(LooseEnd::Uncertain(uncertain)),
            left.then(|| LooseEnd::Left(self.tally.left())),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// Something about a run that a person has still to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LooseEnd {
    /// So many recipients are uncertain: their attempts are to be settled.
    Uncertain(u64),
    /// So many recipients are left of a run that is not over.
    Left(u64),
}

impl fmt::Display for LooseEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uncertain(n) => write!(
                f,
                "{} uncertain: sent, and nobody told us whether a phone rang. They are not redialled",
                grouped(*n)
            ),
            Self::Left(1) => f.write_str("1 recipient is left"),
            Self::Left(n) => write!(f, "{} recipients are left", grouped(*n)),
        }
    }
}

fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}

/// A count of suppressed rows to go behind others, if there are any.
pub(crate) fn and_suppressed(joint: &str, count: u64) -> String {
    match count {
        0 => String::new(),
        count => format!("{joint} {} suppressed", grouped(count)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_names_every_bucket_and_says_when_it_does_not_add_up() {
        let mut tally = Tally {
            rows: 12_480,
            ..Tally::default()
        };
        tally.dispositions.insert(Disposition::Reached, 9_204);
        tally.dispositions.insert(Disposition::Unreached, 3_276);
        let mut summary = Summary {
            run: RunId::new("0123456789ab"),
            campaign: "x".into(),
            state: RunState::Completed,
            why: None,
            rehearsal: false,
            purged_at: None,
            zone: Zone::utc(),
            tally,
            heard: Heard::default(),
        };
        let account = "12,480 rows = 9,204 reached + 3,276 unreached   (it adds up)";
        assert_eq!(summary.account(), account);
        summary.tally.rows += 1;
        assert!(summary.account().contains("IT DOES NOT ADD UP"));
    }
}
