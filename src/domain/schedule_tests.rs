//! Schedules against an oracle that looks at every minute, and against a life with outages.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use jiff::civil::{DateTime, Weekday};
use jiff::{SignedDuration, ToSpan as _};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;

use super::super::Remark;
use super::*;

/// Both directions, whole and half and double hours, at midnight, across a left-out day, and zones
/// whose clocks stand still.
const ZONES: [(&str, &str); 13] = [
    ("Europe/Stockholm", "2026-01-01T00:00:00Z"),
    ("Europe/Dublin", "2026-01-01T00:00:00Z"),
    ("America/New_York", "2026-01-01T00:00:00Z"),
    ("America/St_Johns", "2009-01-01T00:00:00Z"),
    ("America/Sao_Paulo", "2017-06-01T00:00:00Z"),
    ("Africa/Casablanca", "2026-01-01T00:00:00Z"),
    ("Australia/Lord_Howe", "2026-01-01T00:00:00Z"),
    ("Pacific/Chatham", "2026-01-01T00:00:00Z"),
    ("Pacific/Apia", "2011-06-01T00:00:00Z"),
    ("Antarctica/Troll", "2026-01-01T00:00:00Z"),
    ("Asia/Kolkata", "2026-01-01T00:00:00Z"),
    ("America/Havana", "2026-01-01T00:00:00Z"),
    ("Europe/Stockholm", "2060-01-01T00:00:00Z"),
];

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn schedule(start: &str, repeat: Option<&str>) -> Schedule {
    Schedule {
        start: start.parse().unwrap(),
        repeat: repeat.map(|rule| Repeat::parse(rule).unwrap()),
        misfire: Misfire::Run,
        expires_after: None,
        until: None,
    }
}

/// A rule as sets, which the oracle understands without reading a pattern.
#[derive(Debug, Clone)]
struct Rule {
    minutes: BTreeSet<i8>,
    hours: BTreeSet<i8>,
    weekdays: Option<BTreeSet<i8>>,
}

impl Rule {
    fn names(&self, local: DateTime) -> bool {
        let weekday = local.weekday().to_sunday_zero_offset();
        self.minutes.contains(&local.minute())
            && self.hours.contains(&local.hour())
            && self
                .weekdays
                .as_ref()
                .is_none_or(|days| days.contains(&weekday))
    }

    fn pattern(&self) -> String {
        let list = |set: &BTreeSet<i8>| {
            let words: Vec<String> = set.iter().map(ToString::to_string).collect();
            words.join(",")
        };
        let days = self.weekdays.as_ref().map_or("*".into(), list);
        format!("{} {} * * {days}", list(&self.minutes), list(&self.hours))
    }
}

fn any_rule() -> impl Strategy<Value = Rule> {
    let minutes = proptest::collection::btree_set(0..60_i8, 1..5);
    // Most clocks change at night.
    let hours = proptest::collection::btree_set(prop_oneof![0..5_i8, 0..24_i8], 1..6);
    let all = Just((0..24).collect::<BTreeSet<i8>>());
    let hours = prop_oneof![3 => hours, 1 => all];
    let weekdays = proptest::option::of(proptest::collection::btree_set(0..7_i8, 1..6));
    (minutes, hours, weekdays).prop_map(|(minutes, hours, weekdays)| Rule {
        minutes,
        hours,
        weekdays,
    })
}

/// Some days around each change of the clocks, every minute of them: moment and local time.
struct Days {
    zone: TimeZone,
    minutes: Vec<(Timestamp, DateTime)>,
}

fn days() -> Vec<Days> {
    let mut all = Vec::new();
    for (name, from) in ZONES {
        let zone = TimeZone::get(name).unwrap();
        let from = at(from);
        let mut changes: Vec<Timestamp> = (0..2 * 366 * 24)
            .map(|hour| from + SignedDuration::from_hours(hour))
            .filter(|at| zone.to_offset(*at) != zone.to_offset(*at + SignedDuration::from_hours(1)))
            .collect();
        // Where the clocks stand still, any days will do.
        changes.push(from + SignedDuration::from_hours(5_000));
        for change in changes {
            let begin = change - SignedDuration::from_hours(30);
            let minutes = (0..3 * 24 * 60)
                .map(|minute| begin + SignedDuration::from_mins(minute))
                .map(|at| (at, zone.to_datetime(at)));
            let minutes = minutes.collect();
            let zone = zone.clone();
            all.push(Days { zone, minutes });
        }
    }
    all
}

/// The occurrences of the days, found by looking at each minute; those of the first minute are left
/// out, because nothing is known of what was before it.
fn oracle(days: &Days, rule: &Rule) -> Vec<Timestamp> {
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    let mut before = days.minutes[0].1;
    seen.insert(before);
    for (moment, local) in &days.minutes[1..] {
        let mut due = seen.insert(*local) && rule.names(*local);
        let mut left_out = before + 1.minute();
        while left_out < *local {
            due |= rule.names(left_out);
            seen.insert(left_out);
            left_out += 1.minute();
        }
        if due {
            found.push(*moment);
        }
        before = *local;
    }
    found
}

#[test]
fn occurrences_are_those_that_a_look_at_every_minute_finds() {
    let all = days();
    assert!(all.len() > 40, "{} changes of the clocks", all.len());
    let (mut occurrences, mut gaps, mut folds) = (0, 0, 0);
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for days in &all {
        for _ in 0..12 {
            let rule = any_rule().new_tree(&mut runner).unwrap().current();
            let begin = days.minutes[0].0;
            let end = days.minutes.last().unwrap().0;
            let schedule = Schedule {
                start: begin.to_zoned(days.zone.clone()),
                ..schedule("2026-01-01T00:00[UTC]", Some(&rule.pattern()))
            };
            let found: Vec<Occurrence> = schedule
                .after(begin)
                .take_while(|o| o.at.timestamp() <= end)
                .collect();
            let moments: Vec<Timestamp> = found.iter().map(|o| o.at.timestamp()).collect();
            assert_eq!(
                moments,
                oracle(days, &rule),
                "{} in {:?} from {begin}",
                rule.pattern(),
                days.zone
            );
            occurrences += found.len();
            for occurrence in &found {
                match occurrence.remark {
                    Some(Remark::Gap(_)) => gaps += 1,
                    Some(Remark::Twice) => folds += 1,
                    None => {}
                }
            }
            // From any moment on it is the same.
            for (moment, _) in days.minutes.iter().step_by(251) {
                let next = schedule.next(*moment).map(|o| o.at.timestamp());
                let expected = moments.iter().find(|at| *at > moment);
                assert!(expected.is_none() || next.as_ref() == expected);
            }
        }
    }
    assert!(
        occurrences > 10_000 && gaps > 50 && folds > 150,
        "{occurrences} {gaps} {folds}"
    );
}

#[test]
fn start_and_until_are_the_ends() {
    let mut weekly = schedule("2026-12-01T00:00[Europe/Stockholm]", Some("0 9 * * fri"));
    weekly.until = Some("2026-12-18T09:00[Europe/Stockholm]".parse().unwrap());
    let days: Vec<String> = weekly
        .after(at("2020-01-01T00:00Z"))
        .map(|o| o.at.strftime("%a %d %H:%M").to_string())
        .collect();
    assert_eq!(days, ["Fri 04 09:00", "Fri 11 09:00", "Fri 18 09:00"]);
    assert_eq!(
        weekly.turn(at("2026-12-18T09:00Z"), &handled("2026-12-18T08:00Z")),
        Turn::Over
    );
    // Start itself is an occurrence where the rule names it.
    let daily = schedule("2026-12-01T09:00[Europe/Stockholm]", Some("0 9 * * *"));
    let first = daily.next(Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(first.at, daily.start);
    assert_eq!(first.at.weekday(), Weekday::Tuesday);
    let once = schedule("2026-12-01T09:00:30[Europe/Stockholm]", None);
    assert_eq!(once.after(Timestamp::UNIX_EPOCH).count(), 1);
    assert_eq!(once.next(once.start.timestamp()), None);
}

fn handled(moment: &str) -> Past {
    Past {
        handled: Some(at(moment)),
        busy: None,
    }
}

/// A turn in short: `due 08:00`, `wait 09:00`, or `skip 06:00 stale, 07:00 superseded; run 08:00`.
fn told(turn: &Turn) -> String {
    let time = |at: Timestamp| at.strftime("%H:%M").to_string();
    match turn {
        Turn::Due(occurrence) => format!("due {}", time(occurrence.at.timestamp())),
        Turn::Wait(occurrence) => format!("wait {}", time(occurrence.at.timestamp())),
        Turn::Over => "over".into(),
        Turn::Missed(missed) => {
            let skipped = missed
                .skipped
                .iter()
                .map(|skip| format!("{} {}", time(skip.at), skip.why.kind().as_str()));
            let skipped: Vec<String> = skipped.collect();
            let run = missed.run.as_ref().map_or(String::new(), |run| {
                format!("; run {}", time(run.at.timestamp()))
            });
            format!("skip {}{run}", skipped.join(", "))
        }
    }
}

#[test]
fn the_turn_is_told_by_policy_expiry_and_overlap() {
    let mut hourly = schedule("2026-12-01T06:00[UTC]", Some("0 * * * *"));
    let day = |time: &str| at(&format!("2026-12-01T{time}Z"));
    let turn = |s: &Schedule, now: &str, past: &Past| told(&s.turn(day(now), past));
    let new = Past::default();
    assert_eq!(turn(&hourly, "05:10:00", &new), "wait 06:00");
    assert_eq!(turn(&hourly, "06:00:00", &new), "due 06:00");
    assert_eq!(turn(&hourly, "06:01:00", &new), "due 06:00");
    assert_eq!(turn(&hourly, "06:01:01", &new), "skip ; run 06:00");
    assert_eq!(
        turn(&hourly, "06:00:00", &handled("2026-12-01T06:00Z")),
        "wait 07:00"
    );
    // Several missed ones give one run.
    let missed = "skip 06:00 superseded, 07:00 superseded; run 08:00";
    assert_eq!(turn(&hourly, "08:30:00", &new), missed);
    assert_eq!(turn(&hourly, "08:00:30", &new), missed);
    hourly.expires_after = Some(Duration::from_mins(20));
    let stale = "skip 06:00 stale, 07:00 stale, 08:00 stale";
    assert_eq!(turn(&hourly, "08:20:01", &new), stale);
    assert_eq!(
        turn(&hourly, "08:20:00", &new),
        "skip 06:00 stale, 07:00 stale; run 08:00"
    );
    hourly.misfire = Misfire::Skip;
    assert_eq!(
        turn(&hourly, "08:19:00", &new),
        "skip 06:00 stale, 07:00 stale, 08:00 missed"
    );
    // On time is on time.
    assert_eq!(
        turn(&hourly, "08:00:59", &new),
        "skip 06:00 stale, 07:00 stale; run 08:00"
    );
    assert_eq!(
        turn(&hourly, "08:00:59", &handled("2026-12-01T07:00Z")),
        "due 08:00"
    );
    let busy = |from: &str, until: Option<&str>| Past {
        handled: Some(day("06:00")),
        busy: Some(Busy {
            run: RunId::new("r"),
            from: day(from),
            until: until.map(day),
        }),
    };
    hourly.misfire = Misfire::Run;
    hourly.expires_after = None;
    assert_eq!(
        turn(&hourly, "08:00:00", &busy("06:01", None)),
        "skip 07:00 overlap, 08:00 overlap"
    );
    let done = busy("06:01", Some("07:30"));
    assert_eq!(
        turn(&hourly, "08:00:00", &done),
        "skip 07:00 overlap; run 08:00"
    );
    assert_eq!(turn(&hourly, "07:40:00", &done), "skip 07:00 overlap");
    // A run that a person started at 07:30 does not stand in the way of 07:00, which was missed.
    let other = busy("07:30", Some("07:40"));
    assert_eq!(turn(&hourly, "07:50:00", &other), "skip ; run 07:00");
}

#[test]
fn a_long_absence_names_the_latest_and_says_that_there_were_more() {
    let minutely = schedule("2020-01-01T00:00[UTC]", Some("* * * * *"));
    let Turn::Missed(missed) = minutely.turn(at("2026-01-01T00:00:30Z"), &Past::default()) else {
        panic!("it was missed");
    };
    assert_eq!(missed.skipped.len(), MISSED_MAX - 1);
    assert!(missed.more);
    assert_eq!(missed.run.unwrap().at.timestamp(), at("2026-01-01T00:00Z"));
    let yearly = schedule("1990-01-01T00:00[UTC]", Some("0 0 1 1 *"));
    let Turn::Missed(missed) = yearly.turn(at("2026-06-01T00:00Z"), &Past::default()) else {
        panic!("it was missed");
    };
    assert_eq!((missed.skipped.len(), missed.more), (36, false));
}

/// What a scheduler meets: an outage, a run that takes its time, a clock that is set back.
#[derive(Debug, Clone)]
enum Life {
    Away(i64),
    Back(i64),
    RunsTake(i64),
}

fn any_life() -> impl Strategy<Value = Vec<Life>> {
    let one = prop_oneof![
        (1..40_000_i64).prop_map(Life::Away),
        (1..4_000_i64).prop_map(Life::Back),
        (1..9_000_i64).prop_map(Life::RunsTake),
    ];
    proptest::collection::vec(one, 1..12)
}

proptest! {
    #[test]
    fn every_occurrence_has_one_fate_and_none_runs_twice_stale_or_beside_another(
        life in any_life(),
        expires in proptest::option::of(30..8_000_u64),
        skip in any::<bool>(),
        every in prop_oneof![Just("*/10"), Just("0"), Just("15,45")],
    ) {
        let mut schedule = schedule("2026-10-24T20:00[Europe/Stockholm]", Some(&format!("{every} * * * *")));
        schedule.expires_after = expires.map(Duration::from_secs);
        schedule.misfire = if skip { Misfire::Skip } else { Misfire::Run };
        let begin = at("2026-10-24T17:59:00Z");
        let (mut now, mut latest) = (begin, begin);
        let mut fates: BTreeMap<Timestamp, bool> = BTreeMap::new();
        let mut runs: Vec<(Timestamp, Timestamp)> = Vec::new();
        let mut takes = 60;
        for event in life {
            match event {
                Life::Away(s) => now += SignedDuration::from_secs(s),
                Life::Back(s) => now -= SignedDuration::from_secs(s),
                Life::RunsTake(s) => { takes = s; continue }
            }
            // As a scheduler does: ask, act, ask again, until there is only waiting.
            for turns in 0.. {
                prop_assert!(turns < 10, "it comes to rest");
                latest = latest.max(now);
                let past = Past {
                    handled: fates.keys().rfind(|at| **at <= now).copied(),
                    busy: runs.last().map(|(from, until)| Busy {
                        run: RunId::new("r"), from: *from, until: Some(*until),
                    }),
                };
                let run = match schedule.turn(now, &past) {
                    Turn::Wait(next) => {
                        prop_assert!(next.at.timestamp() > now);
                        break;
                    }
                    Turn::Over => { prop_assert!(false, "it goes on for ever"); None }
                    Turn::Due(run) => Some(run),
                    Turn::Missed(missed) => {
                        for skip in missed.skipped {
                            prop_assert!(fates.insert(skip.at, false).is_none());
                        }
                        missed.run
                    }
                };
                if let Some(run) = run {
                    let at = run.at.timestamp();
                    prop_assert!(at <= now && !schedule.is_stale(at, now));
                    prop_assert!(fates.insert(at, true).is_none(), "{at} again");
                    let until = now + SignedDuration::from_secs(takes);
                    runs.push((now, until));
                    now = until;
                }
            }
        }
        let all: Vec<Timestamp> = schedule.after(begin).map(|o| o.at.timestamp())
            .take_while(|at| *at <= latest).collect();
        prop_assert_eq!(fates.into_keys().collect::<Vec<_>>(), all);
    }
}
