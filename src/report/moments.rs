//! Moments and spans in words, for people. Machine formats have RFC 3339 in UTC and seconds.

use std::fmt;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};

/// Within so much time a weekday names one day alone.
const WEEKDAY_IS_ENOUGH: SignedDuration = SignedDuration::from_hours(6 * 24);

/// The zone by whose clock people read moments: a campaign's own, this machine's, or UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// Moments as they read in this zone.
    pub fn new(zone: TimeZone) -> Self {
        Self(zone)
    }

    /// Moments in UTC.
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// A moment that may be long ago, with what tells it from every other: `2026-11-30 09:00 +01:00`. Seconds are
    /// told where there are any.
    pub fn stamp(&self, at: Timestamp) -> String {
        let there = at.to_zoned(self.0.clone());
        let offset = if matches!(self.0.iana_name(), Some("UTC" | "Etc/UTC")) {
            "UTC"
        } else {
            "%:z"
        };
        there
            .strftime(&format!("%Y-%m-%d {} {offset}", clock(&there)))
            .to_string()
    }

    /// The same as a value, for a fact that is put into words later.
    pub fn at(&self, at: Timestamp) -> Stamp {
        Stamp {
            at,
            zone: self.clone(),
        }
    }

    /// A moment by this zone's clock: `Mon 2026-11-30 09:00 Europe/Stockholm`.
    pub fn dated(&self, at: Timestamp) -> String {
        moment(&at.to_zoned(self.0.clone()))
    }

    /// Whether the clocks of both show the same time at a moment.
    pub fn agrees(&self, other: &TimeZone, at: Timestamp) -> bool {
        self.0.to_offset(at) == other.to_offset(at)
    }

    /// A moment near `now`, as people name it: `Mon 09:00 Europe/Stockholm`; with its date where a
    /// weekday could be another week's.
    pub fn moment(&self, at: Timestamp, now: Timestamp) -> String {
        let there = at.to_zoned(self.0.clone());
        if at.duration_since(now).abs() > WEEKDAY_IS_ENOUGH {
            return moment(&there);
        }
        there
            .strftime(&format!("%a {} %Q", clock(&there)))
            .to_string()
    }

    /// The same for a moment that is estimated, of what begins at `since`: as exact as an estimate of something
    /// that takes so long, to the minute, or to five or ten of them.
    pub fn about(&self, at: Timestamp, since: Timestamp, now: Timestamp) -> String {
        // What takes a moment ends after it began: the minute is rounded up.
        let (step, more) = match at.duration_since(since).as_secs() {
            ..3600 => (60, 59),
            3600..36_000 => (300, 150),
            _ => (600, 300),
        };
        let rounded = (at.as_second() + more).div_euclid(step) * step;
        self.moment(Timestamp::from_second(rounded).unwrap_or(at), now)
    }

    /// The same for a moment that is still to come, and how far off it is: `Mon 09:00
    /// Europe/Stockholm, in 1 d 12 h`.
    pub fn ahead(&self, at: Timestamp, now: Timestamp) -> String {
        let moment = self.moment(at, now);
        if at <= now {
            return format!("{moment}, now");
        }
        format!("{moment}, in {}", away(at, now))
    }
}

/// A moment, with the zone by whose clock it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    at: Timestamp,
    zone: Zone,
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.zone.stamp(self.at))
    }
}

/// A moment in its own zone: `Mon 2026-11-30 09:00 Europe/Stockholm`.
pub fn moment(at: &Zoned) -> String {
    at.strftime(&format!("%a %Y-%m-%d {} %Q", clock(at)))
        .to_string()
}

fn clock(at: &Zoned) -> &'static str {
    if at.second() == 0 {
        "%H:%M"
    } else {
        "%H:%M:%S"
    }
}

/// How far apart two moments are.
pub fn away(at: Timestamp, now: Timestamp) -> String {
    human(at.duration_since(now).unsigned_abs())
}

/// A span as people say it, by its two largest units: `8.4 s`, `52 min 3 s`, `1 h 10 min`, `1 d 12 h`.
pub fn human(span: Duration) -> String {
    let s = span.as_secs();
    let two = |large: u64, unit: &str, small: u64, part: &str| match small {
        0 => format!("{large} {unit}"),
        small => format!("{large} {unit} {small} {part}"),
    };
    match s {
        0..60 if span.subsec_millis() < 50 => format!("{s} s"),
        0..60 => format!("{:.1} s", span.as_secs_f64()),
        60..3600 => two(s / 60, "min", s % 60, "s"),
        3600..86_400 => two(s / 3600, "h", s % 3600 / 60, "min"),
        _ => two(s / 86_400, "d", s % 86_400 / 3600, "h"),
    }
}

/// A span of which nobody knows the last digit: rounded so that a figure that is told again and again does not
/// flicker: `under a minute`, `about 12 min`, `about 3 h 20 min`, `about 2 d 4 h`.
pub fn roughly(span: Duration) -> String {
    let s = span.as_secs();
    let to = |step: u64| Duration::from_secs(s.saturating_add(step / 2) / step * step);
    match s {
        0..60 => "under a minute".into(),
        60..3600 => format!("about {}", human(to(60))),
        3600..36_000 => format!("about {}", human(to(300))),
        36_000..86_400 => format!("about {}", human(to(600))),
        _ => format!("about {}", human(to(3600))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn stockholm() -> Zone {
        Zone::new(TimeZone::get("Europe/Stockholm").unwrap())
    }

    #[test]
    fn a_moment_to_come_says_where_and_how_far_off() {
        let (zone, now) = (stockholm(), at("2026-11-28T20:00:00Z"));
        let ahead = |text| zone.ahead(at(text), now);
        assert_eq!(
            ahead("2026-11-30T08:00:00Z"),
            "Mon 09:00 Europe/Stockholm, in 1 d 12 h"
        );
        assert_eq!(
            ahead("2026-12-07T08:00:30Z"),
            "Mon 2026-12-07 09:00:30 Europe/Stockholm, in 8 d 12 h"
        );
        assert_eq!(
            ahead("2026-11-28T19:59:00Z"),
            "Sat 20:59 Europe/Stockholm, now"
        );
        let utc = Zone::utc().ahead(at("2026-11-28T21:00:00Z"), now);
        assert_eq!(utc, "Sat 21:00 UTC, in 1 h");
    }

    #[test]
    fn a_moment_long_ago_has_its_date_and_offset() {
        let stamp = |text| stockholm().stamp(at(text));
        assert_eq!(stamp("2026-11-30T08:00:00Z"), "2026-11-30 09:00 +01:00");
        assert_eq!(
            stamp("2026-07-30T08:00:05.9Z"),
            "2026-07-30 10:00:05 +02:00"
        );
        assert_eq!(
            Zone::utc().stamp(at("2026-11-30T08:00:00Z")),
            "2026-11-30 08:00 UTC"
        );
    }

    #[test]
    fn spans_have_two_units_and_none_of_them_is_nothing() {
        let told = [
            0.0, 0.04, 8.44, 59.0, 60.0, 61.0, 3600.0, 4200.0, 86_400.0, 129_600.0,
        ];
        assert_eq!(
            told.map(|s| human(Duration::from_secs_f64(s))),
            [
                "0 s",
                "0 s",
                "8.4 s",
                "59 s",
                "1 min",
                "1 min 1 s",
                "1 h",
                "1 h 10 min",
                "1 d",
                "1 d 12 h"
            ]
        );
    }

    #[test]
    fn an_estimate_does_not_flicker() {
        let told = [20, 700, 12_010, 12_090, 40_200, 187_000];
        assert_eq!(
            told.map(|s| roughly(Duration::from_secs(s))),
            [
                "under a minute",
                "about 12 min",
                "about 3 h 20 min",
                "about 3 h 20 min",
                "about 11 h 10 min",
                "about 2 d 4 h"
            ]
        );
    }
}
