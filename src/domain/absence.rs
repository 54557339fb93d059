//! When a call that is not in the platform's records was never made.
//!
//! Absence counts only where the records prove themselves: they have calls of each day that is said to
//! be complete, of the application that placed them, and every call of ours of that day whose id was
//! told. Even then a record to the very number, in the minutes in which the call may have begun, may be
//! that call, unless it is known to be another one of ours.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{AttemptId, CallId, Destination, DestinationKind, Digits};

/// Between the platform's clock and ours, and between a request and its call, lies no more than this.
const SLACK: Duration = Duration::from_mins(4);

/// When the call of an attempt may have begun, by the platform's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Began {
    from: Timestamp,
    until: Timestamp,
}

impl Began {
    /// From the intent to the answer, or to when it was given up, whichever the database has, and
    /// beyond it for as long as a request may take.
    pub fn of(intended: Timestamp, answered: Option<Timestamp>, request_max: Duration) -> Self {
        let last = answered.map_or(intended, |answered| answered.max(intended));
        let later = request_max.saturating_add(SLACK);
        Self {
            from: intended.checked_sub(SLACK).unwrap_or(Timestamp::MIN),
            until: last.checked_add(later).unwrap_or(Timestamp::MAX),
        }
    }

    /// Whether every day that it touches, in UTC, is one of these.
    pub fn within(self, days: &BTreeSet<Date>) -> bool {
        let last = day(self.until);
        let mut next = Some(day(self.from));
        while let Some(day) = next.filter(|day| *day <= last) {
            if !days.contains(&day) {
                return false;
            }
            next = day.tomorrow().ok();
        }
        true
    }

    /// Whether a call of that time may be it; one whose time is not known may.
    pub fn may_be(self, at: Option<Timestamp>) -> bool {
        at.is_none_or(|at| (self.from..=self.until).contains(&at))
    }
}

/// The day of a moment, in UTC, as the platform's files are cut.
pub fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// Whom a record says that a call went to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Callee {
    /// A number, the same for every spelling of one person's.
    Number(Digits),
    /// A user, in lower case.
    Name(String),
    /// Nothing that can be read: whoever.
    Unreadable,
}

impl Callee {
    /// Reads what a record says: numbers come with a plus, with zeros in its place, or bare.
    pub fn told(text: &str) -> Self {
        let text = text.trim();
        if text.chars().any(char::is_alphabetic) {
            // A number at a host, or named as one, is that number.
            let bare = text.split('@').next().unwrap_or_default();
            let bare = bare.rsplit(':').next().unwrap_or_default();
            return match Self::number(bare) {
                Some(number) if !bare.is_empty() => number,
                _ if text.contains(['*', '•']) => Self::Unreadable,
                _ => Self::Name(text.to_lowercase()),
            };
        }
        Self::number(text).unwrap_or(Self::Unreadable)
    }

    /// Whom an attempt was to call. An endpoint that was erased is nobody any more.
    pub fn of(destination: &Destination) -> Option<Self> {
        let endpoint = &destination.endpoint;
        if endpoint.is_empty() {
            return None;
        }
        if destination.kind == DestinationKind::Number {
            return Some(Self::number(endpoint).unwrap_or(Self::Unreadable));
        }
        Some(Self::told(endpoint))
    }

    fn number(text: &str) -> Option<Self> {
        let between = |c: char| c.is_whitespace() || "+-().".contains(c);
        if !text.chars().all(|c| c.is_ascii_digit() || between(c)) {
            return None;
        }
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let number = Digits::of(&format!("+{}", digits.trim_start_matches('0')))?;
        Some(Self::Number(number.person()))
    }
}

/// A call of ours that was made, or may have been, on those days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ours {
    /// The attempt that placed it.
    pub attempt: AttemptId,
    /// Its id, where the platform told it.
    pub call: Option<CallId>,
    /// When it may have begun.
    pub began: Began,
}

/// A call that a record tells of, as far as absence is concerned.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The attempt that it names.
    pub attempt: Option<AttemptId>,
    /// The platform's id of it; none where the record has no such cell.
    pub call: Option<&'a CallId>,
    /// When it began.
    pub at: Option<Timestamp>,
    /// Whom it went to.
    pub callee: &'a Callee,
    /// Whether it is of the application in question; none where the records do not say.
    pub application: Option<bool>,
}

/// Why records prove nothing by what is not in them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unproved {
    /// They have nothing of that day.
    #[error("has no call of {0}: it is another day's, or empty")]
    OtherDay(Date),
    /// What they have of that day is not the application's.
    #[error("has calls of {0}, but none of this run's application: it is another application's")]
    OtherApplication(Date),
    /// Nothing in them shows whose they are.
    #[error(
        "does not say (`ApplicationKey`) of which application its calls of {0} are, and this database \
         knows none of them: nothing shows that they are of this run's"
    )]
    Anybodys(Date),
    /// They lack calls that were placed.
    #[error("lacks {0} calls that this database knows the platform placed on those days")]
    Incomplete(usize),
}

/// An attempt that may turn out not to have been called.
#[derive(Debug)]
struct Missing {
    began: Began,
    /// Whether some record may be its call.
    doubted: bool,
}

/// What records of whole days prove by what is not in them.
#[derive(Debug, Default)]
pub struct Absence {
    days: BTreeSet<Date>,
    /// Of each day that has calls: whether any is known to be the application's, and whether the
    /// records say whose they are.
    had: BTreeMap<Date, (bool, bool)>,
    /// Calls that must be in the records, and whether they were.
    known: Vec<bool>,
    /// Every attempt of those days: its place in `known`, where its call must be there.
    by_attempt: HashMap<AttemptId, Option<u32>>,
    by_call: HashMap<CallId, (AttemptId, Option<u32>)>,
    missing: HashMap<AttemptId, Missing>,
    by_callee: HashMap<Callee, Vec<AttemptId>>,
    /// Minutes in which a call went to whoever.
    to_whoever: BTreeSet<i64>,
    whoever_at_any_time: bool,
}

impl Absence {
    /// Nothing is seen yet of these days, which are said to be complete.
    pub fn of(days: BTreeSet<Date>) -> Self {
        Self {
            days,
            ..Self::default()
        }
    }

    /// A call of ours that is known of.
    pub fn knows(&mut self, ours: Ours) {
        let must = ours.call.is_some() && ours.began.within(&self.days);
        let place = must.then(|| {
            self.known.push(false);
            u32::try_from(self.known.len() - 1).unwrap_or(u32::MAX)
        });
        self.by_attempt.insert(ours.attempt, place);
        if let Some(call) = ours.call {
            self.by_call.insert(call, (ours.attempt, place));
        }
    }

    /// Asks of an attempt whether it is proved not to have been called. Not asked where some day on
    /// which it may have been is not complete.
    pub fn ask(&mut self, attempt: AttemptId, callee: Option<Callee>, began: Began) {
        if !began.within(&self.days) {
            return;
        }
        let doubted = callee == Some(Callee::Unreadable);
        self.missing.insert(attempt, Missing { began, doubted });
        if let Some(callee) = callee {
            self.by_callee.entry(callee).or_default().push(attempt);
        }
    }

    /// Looks at one record.
    pub fn sees(&mut self, seen: Seen<'_>) {
        let named = seen.attempt.filter(|id| self.by_attempt.contains_key(id));
        let place = named.and_then(|id| self.by_attempt[&id]);
        let by_call = seen.call.and_then(|call| self.by_call.get(call)).copied();
        for place in [place, by_call.and_then(|(_, place)| place)] {
            if let Some(known) = place.and_then(|n| self.known.get_mut(n as usize)) {
                *known = true;
            }
        }
        let owner = by_call.map(|(attempt, _)| attempt).or(named);
        if let Some(at) = seen.at.filter(|at| self.days.contains(&day(*at))) {
            let had = self.had.entry(day(at)).or_default();
            had.0 |= seen.application.unwrap_or(owner.is_some());
            had.1 |= seen.application.is_some();
        }
        if owner.is_none() {
            self.doubt(seen);
        }
    }

    /// Nobody knows whose call that is: it may be that of everybody whom it may have gone to.
    fn doubt(&mut self, seen: Seen<'_>) {
        if *seen.callee == Callee::Unreadable {
            match seen.at {
                Some(at) if self.days.contains(&day(at)) => {
                    self.to_whoever.insert(minute(at));
                }
                Some(_) => {}
                None => self.whoever_at_any_time = true,
            }
            return;
        }
        for attempt in self.by_callee.get(seen.callee).into_iter().flatten() {
            if let Some(missing) = self.missing.get_mut(attempt) {
                missing.doubted |= missing.began.may_be(seen.at);
            }
        }
    }

    /// Whether all that was seen proves the absence of what was not.
    pub fn proves(&self) -> Result<(), Unproved> {
        for day in &self.days {
            match self.had.get(day) {
                None => return Err(Unproved::OtherDay(*day)),
                Some((false, true)) => return Err(Unproved::OtherApplication(*day)),
                Some((false, false)) => return Err(Unproved::Anybodys(*day)),
                Some((true, _)) => {}
            }
        }
        match self.known.iter().filter(|seen| !**seen).count() {
            0 => Ok(()),
            lacking => Err(Unproved::Incomplete(lacking)),
        }
    }

    /// Whether an attempt that no record is about was not called: none where it was not asked, false
    /// where some record may be its call after all.
    pub fn absent(&self, attempt: AttemptId) -> Option<bool> {
        let missing = self.missing.get(&attempt)?;
        let minutes = minute(missing.began.from)..=minute(missing.began.until);
        let whoever = self.whoever_at_any_time || self.to_whoever.range(minutes).next().is_some();
        Some(!missing.doubted && !whoever)
    }
}

fn minute(at: Timestamp) -> i64 {
    at.as_second().div_euclid(60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn days(of: &[&str]) -> BTreeSet<Date> {
        of.iter().map(|day| day.parse().unwrap()).collect()
    }

    #[test]
    fn a_call_may_have_begun_on_every_day_between_its_intent_and_its_answer() {
        let minute = Duration::from_mins(1);
        let began = |from, until: Option<&str>| Began::of(at(from), until.map(at), minute);
        let noon = began("2026-01-05T12:00:00Z", None);
        assert!(noon.within(&days(&["2026-01-05"])));
        let late = began("2026-01-05T23:56:00Z", None);
        assert!(!late.within(&days(&["2026-01-05"])), "it may be tomorrow's");
        assert!(late.within(&days(&["2026-01-05", "2026-01-06"])));
        let early = began("2026-01-05T00:01:00Z", None);
        assert!(!early.within(&days(&["2026-01-05"])), "clocks differ");
        // What was given up days later may have begun on every day between.
        let long = began("2026-01-05T12:00:00Z", Some("2026-01-07T12:00:00Z"));
        assert!(!long.within(&days(&["2026-01-05", "2026-01-07"])));
        assert!(long.within(&days(&["2026-01-05", "2026-01-06", "2026-01-07"])));
        assert!(long.may_be(Some(at("2026-01-06T03:00:00Z"))));
        // An answer before its intent is a clock that was set back.
        let back = began("2026-01-05T12:00:00Z", Some("2026-01-04T12:00:00Z"));
        assert!(back.within(&days(&["2026-01-05"])));
        assert!(began("9999-12-30T22:00:00Z", None).may_be(None));
    }

    #[test]
    fn numbers_are_compared_by_their_digits_and_by_who_they_are() {
        let number = Callee::told("+46701740605");
        for same in [
            "46701740605",
            "0046701740605",
            "+46 70-174 06 05",
            "tel:+46701740605",
            "sip:46701740605@example.net",
        ] {
            assert_eq!(Callee::told(same), number, "{same}");
        }
        assert_eq!(
            Callee::of(&Destination::number("+46701740605")),
            Some(number)
        );
        assert_eq!(Callee::told("5491123456789"), Callee::told("+541123456789"));
        assert_eq!(Callee::told("Alice"), Callee::Name("alice".into()));
        for whoever in ["", "*", "4670•••0605", "4670***0605"] {
            assert_eq!(Callee::told(whoever), Callee::Unreadable, "{whoever}");
        }
        assert_eq!(Callee::of(&Destination::number("")), None, "erased");
    }
}
