//! The chain of decisions about one recipient, from the import to now, in words with times.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::moments::Zone;
use super::words::ending;
use crate::domain::call_flow::MACHINE;
use crate::domain::money::said;
use crate::domain::{
    Answered, AttemptRecord, Disposition, InCall, Stage, Story, WaitReason, Zones,
};

/// One thing that happened or was decided, and when; none: it is so now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When.
    pub at: Option<Timestamp>,
    /// What.
    pub words: String,
}

/// What the story is told from.
#[derive(Debug, Clone, Copy)]
pub struct Teller<'a> {
    /// When the run was made, and its list was read.
    pub imported_at: Timestamp,
    /// The currency of what is held.
    pub currency: Option<&'a str>,
    /// Whether the run is over.
    pub over: bool,
    /// By whose clock moments are told.
    pub zone: &'a Zone,
}

impl Teller<'_> {
    /// The chain of decisions, in the order of time.
    pub fn lines(&self, story: &Story) -> Vec<Line> {
        let mut lines = vec![(self.imported_at, 0, self.import(story))];
        for (nth, attempt) in (1..).zip(&story.row.attempts) {
            lines.extend(attempt_lines(nth, attempt, self.currency));
        }
        for wait in &story.waits {
            let until = wait
                .until
                .map(|until| self.when(until, story.zones.as_ref()));
            let words = match (wait.reason, until) {
                (WaitReason::Held, _) | (_, None) => format!("held: {}", held_why(story)),
                (reason, Some(until)) => format!("{}, until {until}", waits_for(reason)),
            };
            // What was decided because of an end comes behind it, at the same moment.
            lines.push((wait.at, 3, words));
        }
        for said in &story.said {
            let word = if said.called { "called" } else { "not called" };
            let words = format!(
                "{} said of attempt {} that they were {word}: {}",
                said.who, said.attempt, said.why
            );
            lines.push((said.at, 2, words));
        }
        lines.sort_by_key(|(at, order, _)| (*at, *order));
        let then = lines.into_iter().map(|(at, _, words)| Line {
            at: Some(at),
            words,
        });
        let now = Line {
            at: None,
            words: self.now(story),
        };
        then.chain([now]).collect()
    }

    /// The same for programs.
    pub fn json(&self, story: &Story) -> Value {
        let lines: Vec<Value> = self
            .lines(story)
            .iter()
            .map(|line| json!({ "at": line.at.map(|at| at.to_string()), "what": line.words }))
            .collect();
        json!({
            "line": story.row.line,
            "number": story.row.destination.as_ref().map(ToString::to_string),
            "disposition": story.row.disposition.map(Disposition::as_str),
            "waiting_for": story.waiting_for.map(WaitReason::as_str),
            "due_at": story.due_at.map(|at| at.to_string()),
            "chain": lines,
        })
    }

    fn import(&self, story: &Story) -> String {
        let row = &story.row;
        let mut words = format!("read from line {} of the list", row.line);
        let rejected = matches!(
            row.disposition,
            Some(Disposition::Invalid | Disposition::Duplicate)
        ) || row.disposition == Some(Disposition::Suppressed)
            && row.attempts.is_empty();
        if let (true, Some(disposition)) = (rejected, row.disposition) {
            let why = row.reason.as_deref().unwrap_or("no reason was kept");
            words = format!("{words}: {disposition}, {why}");
        }
        match &story.zones {
            Some(Zones::Known(zones)) => {
                words = format!("{words}; time zone {}", zones.as_str().replace(',', " or "));
            }
            Some(Zones::Unknown(why)) => words = format!("{words}; time zone not known: {why}"),
            None => {}
        }
        if let (Some(hold), Some(currency)) = (story.hold, self.currency) {
            words = format!(
                "{words}; a call may cost {}, {} s at most",
                said(hold.amount, currency),
                hold.longest_s
            );
        }
        words
    }

    fn now(&self, story: &Story) -> String {
        let row = &story.row;
        if let Some(disposition) = row.disposition {
            let why = match disposition {
                Disposition::Reached => match row.responded() {
                    Some(MACHINE) => "a machine answered, which counts".to_owned(),
                    Some(response) => format!("they pressed {response}"),
                    None => "a call was answered".to_owned(),
                },
                Disposition::Unreached => match &row.reason {
                    Some(reason) => Answered::parse(reason)
                        .and_then(in_vain)
                        .map_or_else(|| reason.clone(), str::to_owned),
                    None => "no attempt that the campaign allows reached them".into(),
                },
                Disposition::Uncertain => {
                    "a phone may have rung, so they are not called again on a guess".into()
                }
                Disposition::Expired => row
                    .reason
                    .clone()
                    .unwrap_or_else(|| "the run's time was over".into()),
                Disposition::Cancelled => "the run was cancelled before they were called".into(),
                _ => row.reason.clone().unwrap_or_default(),
            };
            return format!("{disposition}: {why}");
        }
        if self.over {
            return "the run is over".into();
        }
        let due = story
            .due_at
            .map(|at| self.when(at, story.zones.as_ref()))
            .unwrap_or_default();
        match story.waiting_for {
            Some(WaitReason::Held) => format!("held: {}", held_why(story)),
            Some(reason) => format!("{}, until {due}", waits_for(reason)),
            None if story.due_at.is_some() => "due: they are called when their turn comes".into(),
            None => "in flight: a call goes on, or its answer is awaited".into(),
        }
    }

    /// A moment and, where one other zone is known to be the recipient's, by their clock as well.
    fn when(&self, at: Timestamp, zones: Option<&Zones>) -> String {
        let stamp = self.zone.stamp(at);
        let theirs = match zones {
            Some(Zones::Known(zones)) => zones.zones(),
            _ => &[],
        };
        match theirs {
            [theirs] if !self.zone.agrees(theirs, at) => {
                let there = at.to_zoned(theirs.clone());
                format!("{stamp} ({} there)", there.strftime("%a %Y-%m-%d %H:%M"))
            }
            _ => stamp,
        }
    }
}

fn attempt_lines(
    nth: usize,
    attempt: &AttemptRecord,
    currency: Option<&str>,
) -> Vec<(Timestamp, u8, String)> {
    let hold = match (attempt.hold, currency) {
        (Some(hold), Some(currency)) => format!(", {} held", said(hold, currency)),
        _ => String::new(),
    };
    let mut lines = vec![(
        attempt.intended_at,
        0,
        format!("attempt {nth} ({}) written down{hold}", attempt.id),
    )];
    let note = attempt.note.as_deref().unwrap_or("no reason was kept");
    if let (Some(at), Some(call)) = (attempt.answered_at, &attempt.call_id) {
        let words = format!("attempt {nth}: the platform took it, call {call}");
        lines.push((at, 1, words));
    }
    let ended = attempt.ended_at.or(attempt.answered_at);
    let outcome = &attempt.outcome;
    let words = match attempt.stage {
        Stage::Final => {
            let seconds = outcome
                .duration_s
                .map_or(String::new(), |s| format!(", {s} s"));
            let debit = match (&outcome.debit, &outcome.unread_debit) {
                (Some(debit), _) => format!(", {debit}"),
                (None, Some(_)) => ", its price cannot be read".into(),
                (None, None) => ", its price was not told".into(),
            };
            format!(
                "attempt {nth}: over, {}{seconds}{debit}",
                ending(outcome.result.as_deref(), outcome.reason.as_deref())
            )
        }
        Stage::NotSent => format!("attempt {nth}: not sent, which counts for nothing: {note}"),
        Stage::Refused => format!("attempt {nth}: refused: {note}"),
        Stage::Uncertain => format!("attempt {nth}: uncertain whether a phone rang: {note}"),
        Stage::Intended | Stage::Accepted => return lines,
    };
    lines.extend(ended.map(|at| (at, 2, words)));
    lines.extend(
        heard_line(nth, attempt)
            .zip(ended)
            .map(|(words, at)| (at, 2, words)),
    );
    lines
}

/// What was heard in a call.
fn heard_line(nth: usize, attempt: &AttemptRecord) -> Option<String> {
    let machine = attempt.heard.has(InCall::MACHINE);
    let machine = machine.then(|| "a machine answered".to_owned());
    let pressed = attempt.response.as_ref();
    let pressed = pressed.map(|response| format!("they pressed {response}"));
    let connected = attempt.heard.has(InCall::CONNECTED);
    let connected = connected.then(|| "they were put through".to_owned());
    let heard: Vec<String> = [machine, pressed, connected]
        .into_iter()
        .flatten()
        .collect();
    (!heard.is_empty()).then(|| format!("attempt {nth}: {}", heard.join(", ")))
}

/// What an answered call was worth that did not reach its recipient, in words; none where it did.
pub fn in_vain(worth: Answered) -> Option<&'static str> {
    Some(match worth {
        Answered::Reached => return None,
        Answered::Machine => "a machine answered",
        Answered::NoResponse => "they answered, and pressed no key that was offered",
        Answered::OtherResponse => "what they pressed does not count as reached",
        Answered::OptedOut => "they do not want to be called again",
    })
}

/// What somebody waits for, in words.
pub fn waits_for(reason: WaitReason) -> &'static str {
    match reason {
        WaitReason::Retry => "waits for the next attempt",
        WaitReason::Fault => "waits after a fault of the platform, which uses up no attempt",
        WaitReason::PerNumber => {
            "rests: the number was called as often as [retry.per_number] allows"
        }
        WaitReason::Window => "waits for the window",
        WaitReason::Held => "is held",
    }
}

fn held_why(story: &Story) -> String {
    match &story.zones {
        Some(Zones::Unknown(why)) => format!("their time zone is not known ({why})"),
        _ => "the window never opens for them".into(),
    }
}
