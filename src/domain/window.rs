//! Windows: when a recipient may be called.
//!
//! One rule decides, and all else follows from it: **at an instant a window is open in a zone if the
//! clock on the wall there reads a time within one of the window's spans, on a day that has it.** So
//! nobody is called while their clock says otherwise, whatever summer time does: an hour that is
//! skipped opens nothing, and one that comes twice is open (or closed) twice.
//!
//! - `from` is inside, `until` is not.
//! - A span whose `until` is earlier than its `from` goes on past midnight. All of it belongs to the
//!   day on which it began: 20:00–02:00 on Fridays ends on Saturday at 2, and a blackout of that Friday
//!   takes it away whole, Saturday's first hours included. The day before is the calendar's, even where
//!   a zone has left that date out.
//! - A recipient who may be in several zones can be called while the window is open in every one.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::zones::{ZoneSet, ZoneUnknown, Zones};

const DAY_S: i64 = 86_400;
/// [`DAY_S`], where seconds of one day are counted.
const MIDNIGHT: i32 = 86_400;
/// Before it, people sleep.
const MORNING: TimeOfDay = TimeOfDay(8 * 3600);
/// After it, people sleep.
const EVENING: TimeOfDay = TimeOfDay(21 * 3600);
/// How far ahead an opening or a closing is looked for: a year, and every day of it a holiday.
const HORIZON_S: i64 = 400 * DAY_S;

/// Days of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Days(u8);

impl Days {
    /// All seven days.
    pub const ALL: Self = Self(0x7f);
    /// The words for the days, Monday first.
    pub const WORDS: [&'static str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

    /// The days that these words mean; the first word that means none is returned.
    pub fn of<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Self, &'a str> {
        words.into_iter().try_fold(Self(0), |days, word| {
            let day = Self::WORDS.iter().position(|known| *known == word);
            day.map(|day| Self(days.0 | 1 << day)).ok_or(word)
        })
    }

    /// Whether no day is among them.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether a day is, counted from Monday.
    fn has(self, weekday: usize) -> bool {
        self.0 & (1 << weekday) != 0
    }
}

/// `mon-fri`, `sat, sun`.
impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut day, mut first) = (0, true);
        while day < 7 {
            if !self.has(day) {
                day += 1;
                continue;
            }
            let end = (day..7).take_while(|d| self.has(*d)).last().unwrap_or(day);
            let (from, until) = (Self::WORDS[day], Self::WORDS[end]);
            f.write_str(if first { "" } else { ", " })?;
            match end - day {
                0 => write!(f, "{from}")?,
                1 => write!(f, "{from}, {until}")?,
                _ => write!(f, "{from}-{until}")?,
            }
            (day, first) = (end + 1, false);
        }
        Ok(())
    }
}

/// A time on the clock, 00:00:00 to 24:00:00, in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeOfDay(i32);

/// What is not `HH:MM` or `HH:MM:SS`, or no time that a clock shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a time of day: two digits, a colon, two digits, as in 09:00")]
pub struct NotATime;

impl TimeOfDay {
    /// A time by its parts; 24:00:00 is one.
    pub fn new(hours: i32, minutes: i32, seconds: i32) -> Result<Self, NotATime> {
        let clock =
            (0..24).contains(&hours) && (0..60).contains(&minutes) && (0..60).contains(&seconds)
                || (hours, minutes, seconds) == (24, 0, 0);
        clock
            .then_some(Self(hours * 3600 + minutes * 60 + seconds))
            .ok_or(NotATime)
    }
}

impl FromStr for TimeOfDay {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, NotATime> {
        let two = |part: &str| {
            let digits = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
            let value = digits.then(|| part.parse().ok()).flatten();
            value.ok_or(NotATime)
        };
        let parts: Vec<&str> = text.split(':').collect();
        match parts.as_slice() {
            [hours, minutes] => Self::new(two(hours)?, two(minutes)?, 0),
            [hours, minutes, seconds] => Self::new(two(hours)?, two(minutes)?, two(seconds)?),
            _ => Err(NotATime),
        }
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 3600, self.0 / 60 % 60)?;
        if self.0 % 60 == 0 {
            return Ok(());
        }
        write!(f, ":{:02}", self.0 % 60)
    }
}

/// Why two times and some days are no span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotASpan {
    /// No day has it.
    #[error("a span needs a day")]
    NoDay,
    /// It ends when it begins: nothing, or everything?
    #[error("a span cannot end when it begins; the whole day is 00:00 until 24:00")]
    Empty,
    /// A day does not begin at its end.
    #[error("a span cannot begin at 24:00; write 00:00")]
    BeginsAtTheEnd,
}

/// Hours of some days of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    days: Days,
    from: TimeOfDay,
    until: TimeOfDay,
}

impl Span {
    /// From `from` until, not including, `until`, on these days; over midnight where `until` is earlier.
    pub fn new(days: Days, from: TimeOfDay, until: TimeOfDay) -> Result<Self, NotASpan> {
        if days.is_empty() {
            Err(NotASpan::NoDay)
        } else if from.0 == MIDNIGHT {
            Err(NotASpan::BeginsAtTheEnd)
        } else if from == until {
            Err(NotASpan::Empty)
        } else {
            Ok(Self { days, from, until })
        }
    }

    /// What is open on a day, as seconds of that day: what begins on it, and what is left of the day
    /// before.
    fn on(&self, weekday: usize, allowed: bool, allowed_before: bool) -> [Option<(i32, i32)>; 2] {
        let over = self.until < self.from;
        let end = if over { MIDNIGHT } else { self.until.0 };
        let begins = (allowed && self.days.has(weekday)).then_some((self.from.0, end));
        let before = (weekday + 6) % 7;
        let left = over && self.until.0 > 0 && allowed_before && self.days.has(before);
        [begins, left.then_some((0, self.until.0))]
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}–{}", self.days, self.from, self.until)
    }
}

/// Whose clock is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WindowZone {
    /// The recipient's own.
    Recipient,
    /// One for everybody.
    Fixed(ZoneSet),
}

/// What becomes of a recipient whose window closes before they were called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnClose {
    /// They wait for the next opening.
    Wait,
    /// They expire: nobody calls them later.
    Expire,
}

/// When recipients may be called. A window without spans never opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    spans: Vec<Span>,
    zone: WindowZone,
    blackout: BTreeSet<Date>,
    on_close: OnClose,
    week: Week,
}

/// Whether a window is open, and until when that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowState {
    /// It is open until this moment, which is the first outside. Where it does not close within 400
    /// days, that far and perhaps further.
    Open {
        /// The first moment at which it is closed.
        until: Timestamp,
    },
    /// It is closed.
    Closed {
        /// The first moment at which it is open; none within 400 days where there is none.
        next_opening: Option<Timestamp>,
    },
}

impl WindowState {
    /// Whether the window is open.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Open { .. })
    }
}

/// What a window says of a recipient who is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    /// They may be called before this moment.
    Dial {
        /// The first moment at which they may not.
        until: Timestamp,
    },
    /// They may be called from this moment on.
    Wait {
        /// The next opening.
        until: Timestamp,
    },
    /// The window has closed, and the campaign does not want them called any later.
    Expire,
    /// It does not open within 400 days: in some pair of zones it never does.
    Never,
}

impl Window {
    /// A window of these spans; no span begins on a day of `blackout`.
    pub fn new(
        spans: Vec<Span>,
        zone: WindowZone,
        blackout: impl IntoIterator<Item = Date>,
        on_close: OnClose,
    ) -> Self {
        let blackout: BTreeSet<Date> = blackout.into_iter().collect();
        let week = Week::new(&spans, &blackout);
        Self {
            spans,
            zone,
            blackout,
            on_close,
            week,
        }
    }

    /// Every day at the hours at which people are awake, by each recipient's own clock.
    pub fn daytime() -> Self {
        let day = Span {
            days: Days::ALL,
            from: MORNING,
            until: EVENING,
        };
        Self::new(vec![day], WindowZone::Recipient, [], OnClose::Wait)
    }

    /// Whether it is open at hours at which people sleep: before 08:00 or after 21:00.
    pub fn opens_at_night(&self) -> bool {
        let night =
            |span: &Span| span.until < span.from || span.from < MORNING || span.until > EVENING;
        self.spans.iter().any(night)
    }

    /// The spans, as given.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// Whose clock is read.
    pub fn zone(&self) -> &WindowZone {
        &self.zone
    }

    /// The dates on which no span begins.
    pub fn blackout(&self) -> impl Iterator<Item = Date> {
        self.blackout.iter().copied()
    }

    /// What becomes of those who were not called in time.
    pub fn on_close(&self) -> OnClose {
        self.on_close
    }

    /// The zones by which a recipient is judged: the window's own, or theirs.
    pub fn zones_of<'a>(&'a self, recipient: &'a Zones) -> Result<&'a ZoneSet, ZoneUnknown> {
        match (&self.zone, recipient) {
            (WindowZone::Fixed(zones), _) | (_, Zones::Known(zones)) => Ok(zones),
            (_, Zones::Unknown(why)) => Err(*why),
        }
    }

    /// Whether the window is open at `now` in every one of these zones, and when that ends.
    ///
    /// The zones are those of [`zones_of`](Self::zones_of). A microsecond or so a zone; who asks often
    /// keeps the answer in [`Openings`](super::openings::Openings).
    pub fn state(&self, now: Timestamp, zones: &ZoneSet) -> WindowState {
        let now = floor(now);
        let limit = now
            .saturating_add(HORIZON_S)
            .min(Timestamp::MAX.as_second());
        let (mut closes_at, mut opens_at) = (limit, None);
        for zone in zones.zones() {
            match self.week.stretch(zone, now, limit) {
                (true, until) => closes_at = closes_at.min(until),
                (false, until) => opens_at = opens_at.max(Some(until)),
            }
        }
        match opens_at {
            None => WindowState::Open {
                until: moment(closes_at),
            },
            Some(at) => WindowState::Closed {
                next_opening: self.opening(zones, at, limit).map(moment),
            },
        }
    }

    /// The first moment from `at` on, and before `limit`, at which all zones are open: from one zone's
    /// next opening to another's, until nobody objects.
    fn opening(&self, zones: &ZoneSet, mut at: i64, limit: i64) -> Option<i64> {
        while at < limit {
            let closed = zones
                .zones()
                .iter()
                .find(|zone| !self.week.is_open(zone, at));
            let Some(zone) = closed else {
                return Some(at);
            };
            (_, at) = self.week.stretch(zone, at, limit);
        }
        None
    }

    /// What to do at `now` about a recipient who could have been called since `since`.
    pub fn leave(&self, now: Timestamp, since: Timestamp, zones: &ZoneSet) -> Leave {
        match self.state(now, zones) {
            WindowState::Open { until } => Leave::Dial { until },
            WindowState::Closed { next_opening } => {
                if self.on_close == OnClose::Expire && self.was_open(since, now, zones) {
                    return Leave::Expire;
                }
                next_opening.map_or(Leave::Never, |until| Leave::Wait { until })
            }
        }
    }

    /// Whether there was an open moment from `since` on, before `now`.
    fn was_open(&self, since: Timestamp, now: Timestamp, zones: &ZoneSet) -> bool {
        since < now
            && match self.state(since, zones) {
                WindowState::Open { .. } => true,
                WindowState::Closed { next_opening } => next_opening.is_some_and(|at| at < now),
            }
    }
}

/// `mon-fri 09:00–20:00, sat 10:00–14:00, in the recipient's time, but for 2 days`.
impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for span in &self.spans {
            write!(f, "{span}, ")?;
        }
        match &self.zone {
            WindowZone::Recipient => f.write_str("in the recipient's time")?,
            WindowZone::Fixed(zones) => write!(f, "in {zones}")?,
        }
        match self.blackout.len() {
            0 => Ok(()),
            1 => f.write_str(", but for 1 day"),
            days => write!(f, ", but for {days} days"),
        }
    }
}

/// The spans laid out over the days on which they are open, apart from any zone. Local time is counted
/// in seconds that the wall's clock would show, from 1970-01-01T00:00:00 there.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Week {
    /// What is open on a day, as seconds of it, apart from each other and in order; by weekday, by
    /// whether it is free of blackout, and by whether the day before is.
    days: [Vec<(i32, i32)>; 28],
    /// Blackout dates as days since 1970-01-01, in order.
    blackout: Vec<i64>,
}

impl Week {
    fn new(spans: &[Span], blackout: &BTreeSet<Date>) -> Self {
        let day = |index: usize| {
            let (weekday, allowed, before) = (index / 4, index & 2 != 0, index & 1 != 0);
            let open = spans.iter().flat_map(|s| s.on(weekday, allowed, before));
            merged(open.flatten().collect())
        };
        let epoch = Date::constant(1970, 1, 1);
        let since_epoch = |date: &Date| date.duration_since(epoch).as_hours() / 24;
        Self {
            days: std::array::from_fn(day),
            blackout: blackout.iter().map(since_epoch).collect(),
        }
    }

    /// Whether the wall's clock reads an open time, and when it reads one for which that may differ.
    fn reading(&self, local: i64) -> (bool, i64) {
        let day = local.div_euclid(DAY_S);
        let second = i32::try_from(local.rem_euclid(DAY_S)).expect("a day has few seconds");
        let allowed =
            |day: i64| self.blackout.is_empty() || self.blackout.binary_search(&day).is_err();
        // The first of January 1970 was a Thursday.
        let weekday = usize::try_from((day + 3).rem_euclid(7)).expect("0 to 6");
        let index = weekday * 4 + usize::from(allowed(day)) * 2 + usize::from(allowed(day - 1));
        let next = self.days[index].iter().find(|(_, end)| second < *end);
        let (open, until) = match next {
            Some((from, end)) if *from <= second => (true, *end),
            Some((from, _)) => (false, *from),
            None => (false, MIDNIGHT),
        };
        let until = day * DAY_S + i64::from(until);
        debug_assert!(local < until, "a search goes forward");
        (open, until)
    }

    fn is_open(&self, zone: &TimeZone, at: i64) -> bool {
        self.reading(at + offset(zone, at)).0
    }

    /// Whether the window is open at `at`, and the first moment at which it is no longer so; `limit` at
    /// the latest. Between two changes of the zone's offset its clock runs evenly.
    fn stretch(&self, zone: &TimeZone, at: i64, limit: i64) -> (bool, i64) {
        let mut here = at;
        let mut state = None;
        loop {
            let offset = offset(zone, here);
            let change = zone.following(moment(here)).next();
            let change = change.map_or(limit, |c| c.timestamp().as_second().min(limit));
            loop {
                let (open, until) = self.reading(here + offset);
                if *state.get_or_insert(open) != open {
                    return (!open, here);
                }
                if here >= limit {
                    return (open, limit);
                }
                here = (until - offset).min(change);
                if here == change {
                    break;
                }
            }
        }
    }
}

/// Sorted, and those that touch joined.
fn merged(mut open: Vec<(i32, i32)>) -> Vec<(i32, i32)> {
    open.sort_unstable();
    let mut apart: Vec<(i32, i32)> = Vec::new();
    for (from, until) in open {
        match apart.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(until),
            _ => apart.push((from, until)),
        }
    }
    apart
}

/// The whole second that a moment is in: all that a window knows of begins on one.
fn floor(at: Timestamp) -> i64 {
    at.as_second() - i64::from(at.subsec_nanosecond() < 0)
}

fn moment(second: i64) -> Timestamp {
    let bounds = Timestamp::MIN.as_second()..=Timestamp::MAX.as_second();
    let second = second.clamp(*bounds.start(), *bounds.end());
    Timestamp::from_second(second).unwrap_or(Timestamp::MAX)
}

fn offset(zone: &TimeZone, at: i64) -> i64 {
    i64::from(zone.to_offset(moment(at)).seconds())
}

#[cfg(test)]
#[path = "window_tests.rs"]
mod tests;
