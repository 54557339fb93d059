//! Durations as people write them: `90s`, `10m`, `6h`, `2d`, `1h30m`.

use std::time::Duration;

use jiff::SignedDuration;

/// Longest duration that makes sense in a campaign.
const LONGEST: Duration = Duration::from_hours(24 * 366);

/// What is said about a text that is none.
pub(super) const HELP: &str = "write 90s, 10m, 6h or 2d";

/// Reads a duration above zero, a year at most.
pub(super) fn parse(text: &str) -> Option<Duration> {
    let text = text.trim();
    let days = text
        .strip_suffix('d')
        .and_then(|days| days.trim().parse::<u64>().ok());
    let duration = match days {
        Some(days) => Duration::from_hours(days.checked_mul(24)?),
        None if text.starts_with(|c: char| c.is_ascii_digit()) => {
            Duration::try_from(text.parse::<SignedDuration>().ok()?).ok()?
        }
        None => return None,
    };
    (duration > Duration::ZERO && duration <= LONGEST).then_some(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, seconds) in [
            ("90s", 90),
            ("10m", 600),
            (" 6h ", 21_600),
            ("2d", 172_800),
            ("1h30m", 5_400),
            ("1h 30m", 5_400),
        ] {
            assert_eq!(parse(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for text in [
            "",
            "10",
            "-5m",
            "0s",
            "m",
            "5x",
            "1e9h",
            "9999999999999999999d",
            "400d",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
