//! When a rule comes round: a cron pattern on the wall clock of a zone.
//!
//! A pattern names local times, and every local time that it names is one occurrence. Where the
//! clocks go forward, a time in the gap does not exist: it falls on the moment right after the gap,
//! together with all others of that gap. Where they go back, a time happens twice: its first one
//! counts. So no occurrence is lost and none comes twice, and a rule for every hour has one hour
//! without an occurrence in the night in which the clocks go back.
//!
//! croner walks the calendar without a zone; the zone is brought in here, in one place.

use std::fmt;
use std::ops::Range;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, Zoned};

/// The fields of a pattern, in order.
const FIELDS: [&str; 5] = ["minute", "hour", "day of the month", "month", "weekday"];
/// Patterns that have a name.
const NAMED: [&str; 6] = [
    "@hourly",
    "@daily",
    "@weekly",
    "@monthly",
    "@yearly",
    "@annually",
];

/// A moment at which a schedule says to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// When, in the zone of the schedule.
    pub at: Zoned,
    /// What the clocks did to it.
    pub remark: Option<Remark>,
}

/// What a change of the clocks did to an occurrence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remark {
    /// The local time that the rule names does not exist that day: the occurrence is right after
    /// the gap.
    Gap(DateTime),
    /// The local time happens twice that day: the occurrence is the first one.
    Twice,
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gap(named) => write!(
                f,
                "{} does not exist that day (the clocks go forward): right after the gap",
                named.strftime("%H:%M")
            ),
            Self::Twice => {
                f.write_str("this time comes twice that day (the clocks go back): the first one")
            }
        }
    }
}

/// A checked cron pattern of five fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeat {
    cron: Cron,
    text: String,
}

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRepeat {
    /// The part of the text that is at fault, in bytes.
    pub part: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: String,
}

impl Repeat {
    /// Reads minute, hour, day of the month, month and weekday, or a name such as `@daily`.
    pub fn parse(text: &str) -> Result<Self, BadRepeat> {
        let whole = |message: String, help: String| BadRepeat {
            part: 0..text.len(),
            message,
            help,
        };
        let fields = fields_of(text);
        if text.trim_start().starts_with('@') {
            let name = text.trim().to_ascii_lowercase();
            if !NAMED.contains(&name.as_str()) {
                let message = format!("`{}` is not a name of a rule", text.trim());
                return Err(whole(message, format!("one of {}", NAMED.join(", "))));
            }
        } else if fields.len() != FIELDS.len() {
            let words: Vec<&str> = fields.iter().map(|at| &text[at.clone()]).collect();
            let message = match words.len() {
                1 => "a rule has five fields, this has one".to_owned(),
                n => format!("a rule has five fields, this has {n}"),
            };
            let help = if words.len() == 6 {
                format!(
                    "there is no field for seconds: minute, hour, day of the month, month, \
                     weekday, such as \"{}\"",
                    words[1..].join(" ")
                )
            } else {
                "minute, hour, day of the month, month, weekday: \"0 9 * * mon-fri\" is 09:00 on \
                 working days"
                    .to_owned()
            };
            return Err(whole(message, help));
        } else {
            for (nth, field) in fields.iter().enumerate() {
                check_field(text, nth, field.clone())?;
            }
        }
        match parser().parse(text) {
            Ok(cron) => Ok(Self {
                cron,
                text: text.trim().to_owned(),
            }),
            Err(error) => Err(whole(
                format!("the rule cannot be read: {error}"),
                "such as \"0 9 * * mon-fri\"".into(),
            )),
        }
    }

    /// The pattern, as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The pattern in words, without a full stop.
    pub fn words(&self) -> String {
        self.cron.describe().trim_end_matches('.').to_owned()
    }

    /// The first occurrence after a moment; none where the rule never comes round again.
    pub fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<Occurrence> {
        // Later local times are never earlier moments, so the walk may begin at the local time of
        // `after`; in the second half of a repeated hour it first passes over what was the first.
        let mut named = zone.to_datetime(after);
        loop {
            named = self.cron.find_next_occurrence(&named, false).ok()?;
            let at = resolve(named, zone)?;
            if at.at.timestamp() > after {
                return Some(self.without_idle_remark(at));
            }
        }
    }

    /// A gap matters only where the moment after it is not named by the rule itself.
    fn without_idle_remark(&self, mut occurrence: Occurrence) -> Occurrence {
        let own = self.cron.is_time_matching(&occurrence.at.datetime());
        if matches!(occurrence.remark, Some(Remark::Gap(_))) && own.unwrap_or(false) {
            occurrence.remark = None;
        }
        occurrence
    }
}

/// The moment at which a local time is taken to be.
fn resolve(named: DateTime, zone: &TimeZone) -> Option<Occurrence> {
    let local = zone.to_ambiguous_zoned(named);
    let (at, remark) = match local.offset() {
        AmbiguousOffset::Unambiguous { .. } => (local.unambiguous().ok()?, None),
        AmbiguousOffset::Fold { .. } => (local.earlier().ok()?, Some(Remark::Twice)),
        AmbiguousOffset::Gap { .. } => {
            // By the offset before the gap, the time lies behind the jump: at most as far as the
            // gap is long, so the jump is the change of the clocks before it.
            let behind = local.later().ok()?.timestamp();
            let from = behind.checked_add(SignedDuration::from_secs(1)).ok()?;
            let jump = zone.preceding(from).next()?.timestamp();
            (jump.to_zoned(zone.clone()), Some(Remark::Gap(named)))
        }
    };
    Some(Occurrence { at, remark })
}

fn parser() -> CronParser {
    CronParser::builder()
        .seconds(Seconds::Disallowed)
        .year(Year::Disallowed)
        .build()
}

/// Where the fields of a pattern stand.
fn fields_of(text: &str) -> Vec<Range<usize>> {
    let mut fields = Vec::new();
    let mut begun = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (c.is_whitespace(), begun) {
            (false, None) => begun = Some(at),
            (true, Some(start)) => {
                fields.push(start..at);
                begun = None;
            }
            _ => {}
        }
    }
    fields
}

/// One field among stars, so that a fault is found where it stands.
fn check_field(text: &str, nth: usize, at: Range<usize>) -> Result<(), BadRepeat> {
    const HELP: [&str; 5] = [
        "0 to 59, `*`, a list such as `0,30`, a range such as `0-29`, or a step such as `*/15`",
        "0 to 23, `*`, a list such as `9,17`, a range such as `9-17`, or a step such as `*/2`",
        "1 to 31, `*`, `L` for the last day, or `15W` for the working day nearest to the 15th",
        "1 to 12, or jan to dec",
        "0 to 7 (0 and 7 are Sunday), or sun to sat; `mon#1` is the first Monday, `fri#L` the last \
         Friday of a month",
    ];
    let mut pattern = ["*"; 5];
    pattern[nth] = &text[at.clone()];
    match parser().parse(&pattern.join(" ")) {
        Ok(_) => Ok(()),
        Err(_) => Err(BadRepeat {
            message: format!("`{}` is no {}", &text[at.clone()], FIELDS[nth]),
            part: at,
            help: HELP[nth].to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(rule: &str, zone: &str, from: &str, count: usize) -> Vec<String> {
        let zone = TimeZone::get(zone).unwrap();
        let rule = Repeat::parse(rule).unwrap();
        let mut at: Timestamp = from.parse().unwrap();
        let next = || {
            let next = rule.next(at, &zone)?;
            at = next.at.timestamp();
            let remark = next.remark.map_or("", |remark| match remark {
                Remark::Gap(_) => " gap",
                Remark::Twice => " twice",
            });
            Some(format!("{}{remark}", next.at.strftime("%m-%d %H:%M%:z")))
        };
        std::iter::repeat_with(next)
            .map_while(|next| next)
            .take(count)
            .collect()
    }

    #[test]
    fn a_time_in_a_gap_is_right_after_it_and_one_that_comes_twice_is_the_first() {
        let nights = after("30 2 * * *", "Europe/Stockholm", "2026-03-28T00:00:00Z", 3);
        assert_eq!(
            nights,
            [
                "03-28 02:30+01:00",
                "03-29 03:00+02:00 gap",
                "03-30 02:30+02:00"
            ]
        );
        let nights = after("30 2 * * *", "Europe/Stockholm", "2026-10-24T01:00:00Z", 3);
        assert_eq!(
            nights,
            [
                "10-25 02:30+02:00 twice",
                "10-26 02:30+01:00",
                "10-27 02:30+01:00"
            ]
        );
        // Half an hour, on Lord Howe.
        let nights = after(
            "15 2 * * *",
            "Australia/Lord_Howe",
            "2026-10-03T00:00:00Z",
            2,
        );
        assert_eq!(nights, ["10-04 02:30+11:00 gap", "10-05 02:15+11:00"]);
        let nights = after(
            "45 1 * * *",
            "Australia/Lord_Howe",
            "2026-04-04T00:00:00Z",
            2,
        );
        assert_eq!(nights, ["04-05 01:45+11:00 twice", "04-06 01:45+10:30"]);
    }

    #[test]
    fn several_times_in_one_gap_are_one_occurrence() {
        let hours = after(
            "*/30 * * * *",
            "Europe/Stockholm",
            "2026-03-29T00:29:00Z",
            3,
        );
        assert_eq!(
            hours,
            [
                "03-29 01:30+01:00",
                "03-29 03:00+02:00",
                "03-29 03:30+02:00"
            ]
        );
        // A day that Samoa left out.
        let days = after("0 9 * * *", "Pacific/Apia", "2011-12-29T12:00:00Z", 3);
        assert_eq!(
            days,
            [
                "12-29 09:00-10:00",
                "12-31 00:00+14:00 gap",
                "12-31 09:00+14:00"
            ]
        );
    }

    #[test]
    fn a_fault_of_a_pattern_names_its_field() {
        let fault = |text: &str| {
            let bad = Repeat::parse(text).unwrap_err();
            format!("{:?} {} ({})", &text[bad.part], bad.message, bad.help)
        };
        assert!(fault("0 25 * * *").starts_with("\"25\" `25` is no hour (0 to 23"));
        assert!(fault("0 9 * * monday").starts_with("\"monday\" `monday` is no weekday"));
        assert!(fault("x 9 * * *").starts_with("\"x\" `x` is no minute"));
        assert!(fault("0 0 9 * * mon-fri").contains("this has 6 (there is no field for seconds"));
        assert!(fault("0 0 9 * * mon-fri").ends_with("such as \"0 9 * * mon-fri\")"));
        assert!(fault("").contains("this has 0"));
        assert!(fault("@dayly").contains("@daily"));
        assert_eq!(Repeat::parse("@daily").unwrap().words(), "At 00:00");
    }
}
