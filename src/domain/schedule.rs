//! When a campaign is to start: its occurrences, and what to do about them now.
//!
//! [`Schedule::turn`] is the whole of it: from the time, and from what became of earlier
//! occurrences, it says what is due, how long to wait, and what was missed. It holds no clock;
//! whoever waits asks it again and again, so a clock that jumps or a machine that slept changes
//! only the answer to the next question.
//!
//! - With `repeat`, the occurrences are the moments of the rule that are not before `start` (which is
//!   one of them only if the rule names it) and not after `until`. Without it, `start` alone.
//! - An occurrence is stale once more than `expires_after` has gone by since. It never runs then.
//! - Whoever asks later than [`ON_TIME`] after an occurrence has missed it. `misfire` says whether
//!   the latest missed one runs all the same; the others never do.
//! - While a run of the campaign is unfinished, its occurrences are skipped: there is never a second
//!   run.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};

use super::RunId;
use super::repeat::{Occurrence, Repeat};

/// Whoever asks within this long of an occurrence is on time.
pub const ON_TIME: Duration = Duration::from_mins(1);
/// Missed occurrences that are named one by one; of more, the latest are.
pub const MISSED_MAX: usize = 1_000;
/// The first look back for missed occurrences; the next ones go further.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(6);

/// What becomes of an occurrence that nobody waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Misfire {
    /// The latest of them runs as soon as somebody looks, unless it is stale.
    #[default]
    Run,
    /// It does not run.
    Skip,
}

/// When a campaign starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// The first moment; its zone is that of `repeat`.
    pub start: Zoned,
    /// How it goes on after that.
    pub repeat: Option<Repeat>,
    /// What becomes of missed occurrences.
    pub misfire: Misfire,
    /// How long after an occurrence its run may start, and may call people.
    pub expires_after: Option<Duration>,
    /// No occurrence is after this moment.
    pub until: Option<Zoned>,
}

/// What is known of earlier occurrences.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Past {
    /// The latest occurrence, up to now, of which something has become.
    pub handled: Option<Timestamp>,
    /// The latest run of the campaign.
    pub busy: Option<Busy>,
}

/// A run of the campaign, as far as it stands in the way of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Busy {
    /// The run's id.
    pub run: RunId,
    /// When it was made.
    pub from: Timestamp,
    /// Until when; none while it is unfinished.
    pub until: Option<Timestamp>,
}

/// What to do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// Start a run for this occurrence.
    Due(Occurrence),
    /// Nothing, until this occurrence.
    Wait(Occurrence),
    /// Record what was missed, and start a run where one is named.
    Missed(Missed),
    /// There is no occurrence any more.
    Over,
}

/// What a person who says "run it" gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ByHand {
    /// A run for this occurrence, the latest that is still good, late or not.
    Now(Occurrence),
    /// Patience until this one.
    Wait(Occurrence),
    /// Nothing: its `expires_after` has gone by, and no other comes.
    Stale(Occurrence),
    /// Nothing: something has become of every occurrence.
    Over,
}

/// Occurrences that went by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missed {
    /// Those that do not run, in order; the latest [`MISSED_MAX`] of them.
    pub skipped: Vec<Skip>,
    /// Whether there were more before those.
    pub more: bool,
    /// The one that runs now: on time, or missed and made up for.
    pub run: Option<Occurrence>,
}

/// An occurrence that does not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skip {
    /// When it was to begin.
    pub at: Timestamp,
    /// The reason, as the calendar shows it.
    pub why: SkipReason,
}

/// Why an occurrence does not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SkipReason {
    /// Nobody waited for it, and the campaign says `misfire = "skip"`.
    Missed,
    /// Nobody waited for it, and a later one came.
    Superseded(Timestamp),
    /// Its `expires_after` has gone by.
    Stale(Duration),
    /// A run of the campaign was not finished.
    Overlap(RunId),
    /// The campaign or its list was at fault.
    Fault(String),
}

impl SkipReason {
    /// The reason without its data.
    pub fn kind(&self) -> SkipKind {
        match self {
            Self::Missed => SkipKind::Missed,
            Self::Superseded(_) => SkipKind::Superseded,
            Self::Stale(_) => SkipKind::Stale,
            Self::Overlap(_) => SkipKind::Overlap,
            Self::Fault(_) => SkipKind::Fault,
        }
    }
}

/// A [`SkipReason`] without its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SkipKind {
    /// Nobody waited for it.
    Missed,
    /// A later one came.
    Superseded,
    /// It had expired.
    Stale,
    /// A run of the campaign was not finished.
    Overlap,
    /// The campaign or its list was at fault.
    Fault,
}

impl SkipKind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Missed,
        Self::Superseded,
        Self::Stale,
        Self::Overlap,
        Self::Fault,
    ];

    /// The word in the database and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missed => "missed",
            Self::Superseded => "superseded",
            Self::Stale => "stale",
            Self::Overlap => "overlap",
            Self::Fault => "fault",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missed => f.write_str("nobody waited for it, and misfire is \"skip\""),
            Self::Superseded(later) => {
                write!(f, "nobody waited for it, and a later start came: {later}")
            }
            Self::Stale(after) => {
                let span = SignedDuration::try_from(*after).unwrap_or(SignedDuration::MAX);
                write!(f, "it is past its expires_after of {span:#}")
            }
            Self::Overlap(run) => write!(f, "run {run} was not finished"),
            Self::Fault(what) => write!(f, "the campaign was at fault: {what}"),
        }
    }
}

impl Schedule {
    /// The zone in which the campaign's times are meant.
    pub fn zone(&self) -> &TimeZone {
        self.start.time_zone()
    }

    /// The first occurrence after a moment.
    pub fn next(&self, after: Timestamp) -> Option<Occurrence> {
        let start = self.start.timestamp();
        let next = match &self.repeat {
            Some(repeat) => {
                let before = start.checked_sub(SignedDuration::from_nanos(1)).ok()?;
                repeat.next(after.max(before), self.zone())?
            }
            None if after < start => Occurrence {
                at: self.start.clone(),
                remark: None,
            },
            None => return None,
        };
        let ended = |until: &Zoned| next.at.timestamp() > until.timestamp();
        (!self.until.as_ref().is_some_and(ended)).then_some(next)
    }

    /// The occurrences after a moment, in order.
    pub fn after(&self, after: Timestamp) -> impl Iterator<Item = Occurrence> {
        std::iter::successors(self.next(after), |last| self.next(last.at.timestamp()))
    }

    /// From when on a run for an occurrence calls nobody any more.
    pub fn expires_at(&self, occurrence: Timestamp) -> Option<Timestamp> {
        // A moment beyond the calendar is never reached.
        occurrence.checked_add(self.expires_after?).ok()
    }

    /// Whether it is too late for an occurrence.
    pub fn is_stale(&self, occurrence: Timestamp, now: Timestamp) -> bool {
        self.expires_at(occurrence).is_some_and(|end| now > end)
    }

    /// What to do now.
    pub fn turn(&self, now: Timestamp, past: &Past) -> Turn {
        let (mut pending, more) = self.pending(now, past.handled);
        let Some(latest) = pending.pop_back() else {
            let after = past.handled.map_or(now, |handled| handled.max(now));
            return self.next(after).map_or(Turn::Over, Turn::Wait);
        };
        let at = latest.at.timestamp();
        let on_time = now.duration_since(at).unsigned_abs() <= ON_TIME;
        let why = if let Some(run) = overlap(at, past) {
            Some(SkipReason::Overlap(run))
        } else if let Some(after) = self.expires_after.filter(|_| self.is_stale(at, now)) {
            Some(SkipReason::Stale(after))
        } else if !on_time && self.misfire == Misfire::Skip {
            Some(SkipReason::Missed)
        } else {
            None
        };
        if why.is_none() && on_time && pending.is_empty() {
            return Turn::Due(latest);
        }
        let mut skipped: Vec<Skip> = pending
            .into_iter()
            .map(|earlier| self.skip(earlier.at.timestamp(), at, now, past))
            .collect();
        let run = match why {
            Some(why) => {
                skipped.push(Skip { at, why });
                None
            }
            None => Some(latest),
        };
        Turn::Missed(Missed { skipped, more, run })
    }

    /// What a person gets who asks for a run now: `misfire` is for when nobody is there.
    pub fn by_hand(&self, now: Timestamp, handled: Option<Timestamp>) -> ByHand {
        let latest = self.pending(now, handled).0.pop_back();
        let next = || self.next(handled.map_or(now, |handled| handled.max(now)));
        match latest {
            Some(latest) if !self.is_stale(latest.at.timestamp(), now) => ByHand::Now(latest),
            Some(latest) => next().map_or(ByHand::Stale(latest), ByHand::Wait),
            None => next().map_or(ByHand::Over, ByHand::Wait),
        }
    }

    /// Why an occurrence does not run after which there was a later one.
    fn skip(&self, at: Timestamp, later: Timestamp, now: Timestamp, past: &Past) -> Skip {
        let why = match (overlap(at, past), self.expires_after) {
            (Some(run), _) => SkipReason::Overlap(run),
            (None, Some(after)) if self.is_stale(at, now) => SkipReason::Stale(after),
            (None, _) if self.misfire == Misfire::Skip => SkipReason::Missed,
            (None, _) => SkipReason::Superseded(later),
        };
        Skip { at, why }
    }

    /// The latest occurrences up to now of which nothing has become yet, and whether there are more
    /// before them.
    fn pending(&self, now: Timestamp, handled: Option<Timestamp>) -> (VecDeque<Occurrence>, bool) {
        let first = self.start.timestamp() - SignedDuration::from_nanos(1);
        let after = handled.map_or(first, |handled| handled.max(first));
        let mut look_back = LOOK_BACK;
        loop {
            let from = now.checked_sub(look_back).unwrap_or(after).max(after);
            let mut found = VecDeque::new();
            let mut dropped = false;
            for occurrence in self.after(from) {
                if occurrence.at.timestamp() > now {
                    break;
                }
                if found.len() == MISSED_MAX {
                    found.pop_front();
                    dropped = true;
                }
                found.push_back(occurrence);
            }
            if found.len() == MISSED_MAX || from == after {
                let earliest = found.front().map(|o| o.at.timestamp());
                let unseen = self.next(after).map(|o| o.at.timestamp()) < earliest;
                return (found, dropped || unseen);
            }
            look_back = look_back.checked_mul(4).unwrap_or(SignedDuration::MAX);
        }
    }
}

/// The run that stood in the way of an occurrence.
fn overlap(at: Timestamp, past: &Past) -> Option<RunId> {
    let busy = past.busy.as_ref()?;
    let stood = match busy.until {
        // Whenever the occurrence was: to start it now would be a second run.
        None => true,
        Some(until) => busy.from <= at && at < until,
    };
    stood.then(|| busy.run.clone())
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
