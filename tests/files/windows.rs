//! Windows against a rule written apart: is it, minute by minute, open where the clock on the wall
//! says so, and does every change come when the window said it would?
//!
//! What is shared with the program is the time zone database and nothing else. The oracle knows no
//! transitions and no intervals: it reads each minute's local date and time and asks the rule.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "its numbers are small"
)]

use callout::domain::window::{Days, OnClose, Span, Window, WindowState, WindowZone};
use callout::domain::{Openings, ZoneSet, Zones};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use proptest::prelude::*;

const MINUTE: i64 = 60;
const DAY: i64 = 86_400;

/// A span as a campaign writes it: days, from, until.
type Hours = (&'static str, &'static str, &'static str);

/// A window as both sides read it.
#[derive(Debug, Clone)]
struct Spec {
    /// Days from Monday, and seconds of the day.
    spans: Vec<([bool; 7], i32, i32)>,
    blackout: Vec<Date>,
}

const WORDS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

fn spec(hours: &[Hours], blackout: &[&str]) -> Spec {
    let second = |text: &str| {
        let parts: Vec<i32> = text.split(':').map(|part| part.parse().unwrap()).collect();
        parts[0] * 3600 + parts[1] * 60
    };
    Spec {
        spans: hours
            .iter()
            .map(|(days, from, until)| {
                let on = WORDS.map(|word| days.is_empty() || days.contains(word));
                (on, second(from), second(until))
            })
            .collect(),
        blackout: blackout.iter().map(|date| date.parse().unwrap()).collect(),
    }
}

impl Spec {
    /// The rule: may somebody be called whose calendar and clock read this?
    fn open(&self, date: Date, second: i32) -> bool {
        let on = |days: &[bool; 7], date: Date| {
            let weekday = date.weekday().to_monday_zero_offset() as usize;
            days[weekday] && !self.blackout.contains(&date)
        };
        self.spans.iter().any(|(days, from, until)| {
            if from < until {
                on(days, date) && (*from..*until).contains(&second)
            } else {
                // Past midnight: the evening of this day, or what is left of the day before.
                on(days, date) && second >= *from
                    || second < *until && on(days, date.checked_sub(1.day()).unwrap())
            }
        })
    }

    fn open_everywhere(&self, zones: &[TimeZone], at: i64) -> bool {
        zones.iter().all(|zone| {
            let local = zone.to_datetime(Timestamp::from_second(at).unwrap());
            let time = local.time();
            let second = i32::from(time.hour()) * 3600
                + i32::from(time.minute()) * 60
                + i32::from(time.second());
            self.open(local.date(), second)
        })
    }

    fn window(&self) -> Window {
        let time = |second: i32| {
            let (hour, minute) = (second / 3600, second / 60 % 60);
            format!("{hour:02}:{minute:02}:{:02}", second % 60)
                .parse()
                .unwrap()
        };
        let spans = self.spans.iter().map(|(days, from, until)| {
            let words = WORDS.iter().zip(days).filter(|(_, on)| **on);
            let days = Days::of(words.map(|(word, _)| *word)).unwrap();
            Span::new(days, time(*from), time(*until)).unwrap()
        });
        Window::new(
            spans.collect(),
            WindowZone::Recipient,
            self.blackout.iter().copied(),
            OnClose::Wait,
        )
    }
}

/// Both directions of summer time, halves and quarters of hours, changes at midnight, two hours at
/// once, backwards summer time, pauses in Ramadan, and those who never change.
const ZONES: [&str; 44] = [
    "Africa/Cairo",
    "Africa/Casablanca",
    "Africa/Johannesburg",
    "America/Adak",
    "America/Asuncion",
    "America/Chicago",
    "America/Denver",
    "America/Halifax",
    "America/Havana",
    "America/Los_Angeles",
    "America/Mexico_City",
    "America/Miquelon",
    "America/New_York",
    "America/Nuuk",
    "America/Phoenix",
    "America/Santiago",
    "America/Sao_Paulo",
    "America/Scoresbysund",
    "America/St_Johns",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Asia/Gaza",
    "Asia/Jerusalem",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Asia/Tehran",
    "Asia/Tokyo",
    "Asia/Yangon",
    "Atlantic/Azores",
    "Australia/Adelaide",
    "Australia/Eucla",
    "Australia/Lord_Howe",
    "Australia/Sydney",
    "Europe/Dublin",
    "Europe/London",
    "Europe/Moscow",
    "Europe/Stockholm",
    "Pacific/Apia",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "Pacific/Easter",
    "Pacific/Kiritimati",
    "Pacific/Marquesas",
    "UTC",
];

const TOGETHER: [&str; 10] = [
    "America/New_York,America/Chicago,America/Denver,America/Los_Angeles",
    "Europe/London,Europe/Stockholm",
    "Australia/Adelaide,Australia/Sydney,Australia/Lord_Howe,Australia/Eucla",
    "America/Santiago,Pacific/Easter",
    "Europe/Stockholm,Asia/Kolkata,America/New_York",
    "Asia/Kathmandu,Asia/Kolkata,Asia/Yangon",
    "Pacific/Apia,Pacific/Kiritimati,Pacific/Auckland,Pacific/Chatham",
    "America/Halifax,America/St_Johns,America/Miquelon",
    "Africa/Casablanca,Atlantic/Azores,Europe/Dublin",
    "America/Adak,Asia/Tokyo,UTC,America/Sao_Paulo,Africa/Johannesburg",
];

fn specs() -> [Spec; 8] {
    let holidays = [
        "2026-01-01",
        "2026-03-29",
        "2026-04-05",
        "2026-11-01",
        "2026-12-24",
        "2026-12-25",
        "2027-03-14",
        "2027-10-31",
    ];
    [
        spec(&[("mon tue wed thu fri", "09:00", "20:00")], &[]),
        // Right through the hours that are skipped and repeated.
        spec(&[("", "01:15", "02:45")], &holidays),
        spec(&[("", "20:00", "02:00")], &holidays),
        spec(&[("fri sat sun", "22:30", "02:30")], &[]),
        spec(
            &[
                ("", "09:00", "12:00"),
                ("mon wed fri", "13:30", "24:00"),
                ("sun", "23:45", "00:15"),
            ],
            &holidays,
        ),
        spec(&[("", "00:00", "24:00")], &holidays),
        spec(
            &[("sun", "02:00", "03:00"), ("sat sun", "23:00", "00:00")],
            &[],
        ),
        spec(&[("", "02:30", "02:00")], &[]),
    ]
}

/// What the windows say to each minute that a calendar and a clock can read around some time, bit by
/// bit: the rule, asked once a minute.
struct Readings {
    first_day: i64,
    bits: Vec<u8>,
}

impl Readings {
    fn new(specs: &[Spec], from: i64, until: i64) -> Self {
        let first_day = from.div_euclid(DAY) - 2;
        let epoch = Date::constant(1970, 1, 1);
        let mut bits = Vec::new();
        for day in first_day..until.div_euclid(DAY) + 3 {
            let date = epoch.checked_add(day.days()).unwrap();
            bits.extend((0..1440).map(|minute| {
                let specs = specs.iter().enumerate();
                specs.fold(0_u8, |bits, (i, spec)| {
                    bits | u8::from(spec.open(date, minute * 60)) << i
                })
            }));
        }
        Self { first_day, bits }
    }

    /// For each minute from `from` on, which of the windows are open in a zone.
    fn minutes(&self, zone: &TimeZone, from: i64, until: i64) -> Vec<u8> {
        let offset = |at: i64| {
            let at = Timestamp::from_second(at).unwrap();
            i64::from(zone.to_offset(at).seconds())
        };
        let mut open = Vec::new();
        let mut here = offset(from);
        for at in (from..until).step_by(900) {
            // Nothing changes its offset twice within a quarter of an hour.
            let next = offset(at + 900);
            open.extend((at..at + 900).step_by(60).map(|minute| {
                let offset = if here == next { here } else { offset(minute) };
                let local = minute + offset - self.first_day * DAY;
                self.bits[(local / MINUTE) as usize]
            }));
            here = next;
        }
        open
    }
}

fn end_of(state: WindowState) -> Option<Timestamp> {
    match state {
        WindowState::Open { until } => Some(until),
        WindowState::Closed { next_opening } => next_opening,
    }
}

/// Follows the library from change to change, and sees the oracle agree on each minute between them.
///
/// `edges` are the minutes at which any of the oracle's bits changes.
fn walk(
    window: &Window,
    zones: &ZoneSet,
    (oracle, edges): (&[u8], &[usize]),
    bit: usize,
    from: i64,
) -> usize {
    let mut edges = edges.iter().copied();
    let is_open = |minute: usize| oracle[minute] >> bit & 1 == 1;
    let told = |minute: usize| {
        let at = Timestamp::from_second(from + minute as i64 * MINUTE).unwrap();
        (at, window.state(at, zones))
    };
    let (mut minute, mut changes) = (0, 0);
    while minute < oracle.len() {
        let (at, state) = told(minute);
        let open = is_open(minute);
        assert_eq!(state.is_open(), open, "{window} in {zones} at {at}");
        let next = edges.find(|m| is_open(*m) != open);
        let end = end_of(state);
        let Some(next) = next else {
            let last = from + oracle.len() as i64 * MINUTE;
            let far = at.as_second() + 400 * DAY;
            let ok = end.is_none_or(|end| end.as_second() >= last.min(far));
            assert!(
                ok,
                "{window} in {zones} from {at}: {state:?}, but nothing changes"
            );
            break;
        };
        let due = Timestamp::from_second(from + next as i64 * MINUTE).unwrap();
        if let Some(end) = end.filter(|end| *end <= at.checked_add(9_599.hours()).unwrap()) {
            assert_eq!(end, due, "{window} in {zones} from {at}: {state:?}");
        } else {
            let far = due.duration_since(at).as_hours() >= 9_599;
            assert!(far, "{window} in {zones} from {at}: {state:?}, not {due}");
        }
        // Any moment between says the same, to the last.
        for between in [usize::midpoint(minute, next), next - 1] {
            let at = Timestamp::from_second(from + between as i64 * MINUTE + 59).unwrap();
            let state = window.state(at, zones);
            assert_eq!(state.is_open(), open, "{window} in {zones} at {at}");
        }
        (minute, changes) = (next, changes + 1);
    }
    changes
}

/// Walks all windows in all of these sets; `names` are those of the zones that `open` has minutes of.
fn walk_all(sets: &[&str], names: &[&str], open: &[Vec<u8>], specs: &[Spec], from: i64) -> usize {
    let windows: Vec<Window> = specs.iter().map(Spec::window).collect();
    sets.iter()
        .map(|set| {
            let zones: ZoneSet = set.parse().unwrap();
            let of = |name: &str| &open[names.iter().position(|n| *n == name).unwrap()];
            let mut parts = set.split(',').map(of);
            let mut together = parts.next().unwrap().clone();
            for part in parts {
                together.iter_mut().zip(part).for_each(|(a, b)| *a &= b);
            }
            let edges: Vec<usize> = together
                .windows(2)
                .enumerate()
                .filter(|(_, pair)| pair[0] != pair[1])
                .map(|(minute, _)| minute + 1)
                .collect();
            let walks = windows.iter().enumerate();
            walks
                .map(|(bit, window)| walk(window, &zones, (&together, &edges), bit, from))
                .sum::<usize>()
        })
        .sum()
}

fn second(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_second()
}

#[test]
fn every_minute_of_two_years_in_all_zones() {
    let specs = specs();
    let (from, until) = (second("2026-01-01T00:00Z"), second("2028-01-01T00:00Z"));
    let zone = |name: &&str| TimeZone::get(name).unwrap();
    let readings = Readings::new(&specs, from, until);
    let (left, right) = ZONES.split_at(ZONES.len() / 2);
    let minutes_of = |names: &[&str]| -> Vec<Vec<u8>> {
        let zones = names.iter().map(zone);
        zones
            .map(|zone| readings.minutes(&zone, from, until))
            .collect()
    };
    let mut open = Vec::new();
    std::thread::scope(|scope| {
        let other = scope.spawn(|| minutes_of(right));
        open = minutes_of(left);
        open.extend(other.join().unwrap());
    });
    let walked = std::thread::scope(|scope| {
        let other = scope.spawn(|| {
            walk_all(right, &ZONES, &open, &specs, from)
                + walk_all(&TOGETHER[5..], &ZONES, &open, &specs, from)
        });
        walk_all(left, &ZONES, &open, &specs, from)
            + walk_all(&TOGETHER[..5], &ZONES, &open, &specs, from)
            + other.join().unwrap()
    });
    assert!(walked > 400_000, "{walked} changes");
}

/// Days that were left out or came twice, and clocks that were set for good: a fortnight around each.
#[test]
fn every_minute_around_what_happens_once() {
    let specs = specs();
    for (name, day) in [
        ("Pacific/Apia", "2011-12-30"),
        ("Pacific/Fakaofo", "2011-12-30"),
        ("Pacific/Kwajalein", "1993-08-21"),
        ("Pacific/Kwajalein", "1969-10-01"),
        ("Pacific/Kiritimati", "1995-01-01"),
        ("Asia/Manila", "1844-12-31"),
        ("America/Juneau", "1867-10-18"),
        ("America/Caracas", "2007-12-09"),
        ("America/Caracas", "2016-05-01"),
        ("Asia/Pyongyang", "2015-08-15"),
        ("Asia/Pyongyang", "2018-05-05"),
        ("Europe/Samara", "2010-03-28"),
        ("Europe/Istanbul", "2016-09-07"),
        ("Asia/Almaty", "2024-03-01"),
        ("Africa/Juba", "2021-02-01"),
        ("Antarctica/Casey", "2020-10-04"),
    ] {
        let middle = second(&format!("{day}T00:00Z"));
        let (from, until) = (middle - 7 * DAY, middle + 7 * DAY);
        let zone = TimeZone::get(name).unwrap();
        let whole = |at: i64| {
            let at = Timestamp::from_second(at).unwrap();
            zone.to_offset(at).seconds() % 60 == 0
        };
        // Clocks of long ago were set by the second, which a minute's grid cannot see.
        if !whole(from) || !whole(until) {
            check_by_seconds(&specs, name, from, until);
            continue;
        }
        let readings = Readings::new(&specs, from, until);
        let open = [readings.minutes(&zone, from, until)];
        let name = [zone.iana_name().unwrap()];
        assert!(walk_all(&name, &name, &open, &specs, from) > 20);
    }
}

/// The same for zones whose offsets are not whole minutes: each change, to the second.
fn check_by_seconds(specs: &[Spec], name: &str, from: i64, until: i64) {
    let zones: ZoneSet = name.parse().unwrap();
    for spec in specs {
        let window = spec.window();
        let mut at = from;
        while at < until {
            at = check_moment(spec, &window, &zones, at, &[100, 500, 900]);
        }
    }
}

/// Compares a state with the rule at `at`, within the time that it is said to hold, at its last
/// second and at the first after it, which is returned.
fn check_moment(spec: &Spec, window: &Window, zones: &ZoneSet, at: i64, permille: &[i64]) -> i64 {
    let now = Timestamp::from_second(at).unwrap();
    let state = window.state(now, zones);
    let open = spec.open_everywhere(zones.zones(), at);
    let said = format!("{window} in {zones} at {now}: {state:?}");
    assert_eq!(state.is_open(), open, "{said}");
    let limit = at + 400 * DAY;
    let end = end_of(state).map_or(limit, Timestamp::as_second);
    assert!(at < end && end <= limit, "{said}");
    let inside = permille
        .iter()
        .map(|permille| at + (end - at) * permille / 1000);
    for moment in inside.chain([end - 1]) {
        let same = spec.open_everywhere(zones.zones(), moment) == open;
        let moment = Timestamp::from_second(moment).unwrap();
        assert!(same, "{said}, but at {moment} it is not so");
    }
    if end < limit {
        let changed = spec.open_everywhere(zones.zones(), end) != open;
        assert!(changed, "{said}, but nothing changes then");
    }
    end
}

fn any_spec() -> impl Strategy<Value = Spec> {
    let days = proptest::array::uniform7(proptest::bool::weighted(0.7))
        .prop_filter("a day", |days| days.contains(&true));
    // Whole hours, whole minutes, and any second at all.
    let second = prop_oneof![
        (0..24_i32).prop_map(|h| h * 3600),
        (0..1440_i32).prop_map(|m| m * 60),
        0..86_400_i32,
    ];
    let until = prop_oneof![9 => second.clone(), 1 => Just(86_400_i32)];
    let span = (days, second, until).prop_filter("not empty", |(_, from, until)| from != until);
    let epoch = Date::constant(1970, 1, 1);
    let date = (7_300..23_000_i64).prop_map(move |day| epoch.checked_add(day.days()).unwrap());
    let spans = proptest::collection::vec(span, 1..4);
    (spans, proptest::collection::vec(date, 0..400))
        .prop_map(|(spans, blackout)| Spec { spans, blackout })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_window_in_any_zones_holds_as_long_as_it_says(
        spec in any_spec(),
        names in proptest::collection::vec(proptest::sample::select(&ZONES[..]), 1..4),
        // 1990 to 2040; the blackout dates are of that time.
        at in 631_152_000..2_208_988_800_i64,
        permille in proptest::collection::vec(0..1000_i64, 12),
    ) {
        let window = spec.window();
        let zones = ZoneSet::all(names).unwrap();
        let mut at = at;
        for _ in 0..6 {
            at = check_moment(&spec, &window, &zones, at, &permille);
        }
    }

    #[test]
    fn openings_say_what_the_window_says_however_the_clock_jumps(
        spec in any_spec(),
        start in 1_700_000_000..1_900_000_000_i64,
        jumps in proptest::collection::vec((0..3_usize, -200_000..300_000_i64), 60),
    ) {
        let window = spec.window();
        let mut openings = Openings::new(spec.window());
        let sets = ["Europe/Stockholm", "Australia/Lord_Howe", TOGETHER[0]];
        let ids = sets.map(|set| openings.id(&Zones::read(set)).unwrap());
        let mut at = start;
        for (which, jump) in jumps {
            at += jump;
            let now = Timestamp::from_second(at).unwrap();
            let zones = openings.zones(ids[which]).clone();
            let (kept, fresh) = (openings.state(ids[which], now), window.state(now, &zones));
            prop_assert_eq!(kept.is_open(), fresh.is_open());
            // An end far away is the end of what was looked at when the state was found.
            let far = now.checked_add(3_600.hours()).unwrap();
            let (kept, fresh) = (end_of(kept).unwrap_or(far), end_of(fresh).unwrap_or(far));
            prop_assert_eq!(kept.min(far), fresh.min(far));
        }
    }
}
