//! The wall's clock: whether it can be believed.
//!
//! Windows, days and waits are judged by it, so a clock that was set back would let people be called at
//! night, and a day's money be spent twice. It is compared with the newest moment in the database before
//! anybody is dialled, and with monotonic time meanwhile.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::RunId;

/// A clock may be off by so much: what is set right every now and then moves by less.
const OFF_MAX: Duration = Duration::from_mins(2);
/// A clock that is being set right gradually gains or loses less than one part in so many.
const DRIFT_PARTS: u32 = 1_000;

/// The newest moment in a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newest {
    /// The moment itself, by the wall's clock.
    pub at: Timestamp,
    /// The table that has it.
    pub table: String,
    /// The run that it is about, if it is about one.
    pub run: Option<RunId>,
}

/// A person said that a clock is right which shows an earlier time than the database has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockAccepted {
    /// The person's name, as this machine knows it.
    pub who: String,
    /// What the clock showed.
    pub wall: Timestamp,
    /// What lay ahead of it.
    pub newest: Newest,
}

/// Whether a moment that was recorded lies so far ahead of the clock that one of the two is wrong.
pub fn is_ahead(recorded: Timestamp, wall: Timestamp) -> bool {
    let ahead = recorded.duration_since(wall);
    ahead.is_positive() && ahead.unsigned_abs() > OFF_MAX
}

/// By how much the clock has jumped while so much time went by; none where it has not.
pub fn jump(from: Timestamp, to: Timestamp, went_by: Duration) -> Option<SignedDuration> {
    let allowed = OFF_MAX + went_by / DRIFT_PARTS;
    let went_by = SignedDuration::try_from(went_by).unwrap_or(SignedDuration::MAX);
    let off = to.duration_since(from).saturating_sub(went_by);
    (off.unsigned_abs() > allowed).then_some(off)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn minutes_ahead_of_the_clock_are_too_many() {
        let wall = at("2026-11-28T12:00:00Z");
        assert!(!is_ahead(at("2026-11-28T12:02:00Z"), wall));
        assert!(is_ahead(at("2026-11-28T12:02:01Z"), wall));
        assert!(!is_ahead(at("2026-11-20T12:00:00Z"), wall));
        assert!(is_ahead(Timestamp::MAX, Timestamp::MIN));
    }

    #[test]
    fn a_jump_either_way_is_told_from_time_that_went_by() {
        let from = at("2026-11-28T12:00:00Z");
        let hour = Duration::from_hours(1);
        for (to, off_s) in [
            ("2026-11-28T13:00:00Z", None),
            ("2026-11-28T13:02:00Z", None),
            ("2026-11-28T12:58:00Z", None),
            ("2026-11-28T13:03:00Z", Some(180)),
            ("2026-11-27T13:00:00Z", Some(-86_400)),
            ("2026-12-01T13:00:00Z", Some(3 * 86_400)),
        ] {
            let off = jump(from, at(to), hour).map(|off| off.as_secs());
            assert_eq!(off, off_s, "{to}");
        }
        // A week in which the clock is set right gradually.
        let week = Duration::from_hours(7 * 24);
        assert_eq!(jump(from, at("2026-12-05T12:05:00Z"), week), None);
        assert!(jump(Timestamp::MIN, Timestamp::MAX, Duration::ZERO).is_some());
        assert!(jump(Timestamp::MAX, Timestamp::MIN, Duration::MAX).is_some());
    }
}
