//! Rehearsals in virtual time: one campaign file per rule in `tests/rules`, played through by the binary
//! on a clock that jumps, and judged by the simulator's own ledger.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use crate::support::{Desk, Out, Table};
use jiff::civil::{Date, Weekday, date};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

/// What came of a rehearsal of a rule.
struct Rehearsed {
    out: Out,
    results: Table,
    /// Every phone that rang.
    ledger: Table,
}

impl Rehearsed {
    fn of(rule: &str, options: &[&str]) -> Self {
        let desk = Desk::empty();
        Self::at(&desk, rule, options)
    }

    fn at(desk: &Desk, rule: &str, options: &[&str]) -> Self {
        let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules");
        for file in [
            &format!("{rule}.toml"),
            "people.csv",
            "people-somewhere.csv",
        ] {
            std::fs::copy(rules.join(file), desk.path(file)).unwrap();
        }
        drop(std::fs::remove_file(desk.path("ledger.csv")));
        let file = format!("{rule}.toml");
        let mut args = vec!["rehearse", &file, "--virtual", "--ledger", "ledger.csv"];
        args.extend(options);
        let out = desk.run(&args);
        Self {
            results: desk.table(&format!("{rule}-rehearsal.csv")),
            ledger: desk.table("ledger.csv"),
            out,
        }
    }

    fn dispositions(&self) -> HashMap<&str, usize> {
        self.results.counts("call_disposition")
    }

    /// When each phone rang, in order, with the reason of each call.
    fn rings(&self) -> BTreeMap<&str, Vec<(Timestamp, &str)>> {
        let mut rings = BTreeMap::<&str, Vec<_>>::new();
        for row in &self.ledger.rows {
            let at = self.ledger.cell(row, "accepted_at").parse().unwrap();
            let reason = self.ledger.cell(row, "reason");
            let phone = self.ledger.cell(row, "destination");
            rings.entry(phone).or_default().push((at, reason));
        }
        rings
    }

    /// The column of the list's row that a phone is in.
    fn listed(&self, column: &str) -> HashMap<&str, &str> {
        let rows = self.results.rows.iter();
        rows.map(|row| {
            (
                self.results.cell(row, "phone"),
                self.results.cell(row, column),
            )
        })
        .collect()
    }

    fn debits(&self) -> Decimal {
        let debits = self.ledger.column("debit");
        debits
            .iter()
            .map(|debit| debit.parse::<Decimal>().unwrap())
            .sum()
    }
}

fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

#[test]
fn everybody_is_called_on_working_days_in_their_own_morning() {
    // The clocks change within these days in Europe; the 30th is a holiday.
    let at = ["--at", "2026-03-27T00:00:00Z"];
    let told = Rehearsed::of("window-days", &at);
    told.out.clone().ends(0);
    let zones = told.listed("zone");
    let rings = told.rings();
    assert_eq!(rings.len(), 120);
    let mut days = BTreeMap::<Date, usize>::new();
    for (phone, rang) in &rings {
        for (at, _) in rang {
            let clock = at.in_tz(zones[phone]).unwrap();
            let weekend = [Weekday::Saturday, Weekday::Sunday].contains(&clock.weekday());
            let minute = i32::from(clock.hour()) * 60 + i32::from(clock.minute());
            assert!(!weekend && (540..560).contains(&minute), "{clock}");
            assert_ne!(clock.date(), date(2026, 3, 30));
            *days.entry(clock.date()).or_default() += 1;
        }
    }
    // Twenty minutes at one call in two seconds are enough for all, wherever they are.
    assert_eq!(days.keys().next(), Some(&date(2026, 3, 27)));
}

#[test]
fn whoever_was_not_called_in_their_window_is_expired() {
    let told = Rehearsed::of("window-expires", &["--mix", "0,1,0,0"]);
    told.out.clone().ends(0);
    let dispositions = told.dispositions();
    // Ten people share a clock, and five minutes have room for seven calls at one in fifty seconds.
    assert!(
        dispositions["expired"] > 0 && dispositions["unreached"] > 0,
        "{dispositions:?}"
    );
    assert_eq!(dispositions["expired"] + dispositions["unreached"], 120);
    let zones = told.listed("zone");
    for (phone, rang) in told.rings() {
        for (at, _) in rang {
            let clock = at.in_tz(zones[phone]).unwrap();
            assert!(clock.hour() == 9 && clock.minute() < 5, "{clock}");
        }
    }
}

#[test]
fn nobody_of_whom_no_time_zone_is_known_is_called() {
    let told = Rehearsed::of("window-unknown", &[]);
    let out = told.out.clone().ends(3);
    assert!(
        out.stdout.contains("everybody left is held"),
        "{}",
        out.stdout
    );
    let rings = told.rings();
    assert_eq!(rings.len(), 90);
    let zones = told.listed("zone");
    let unknown = ["Europe/Stokholm", "UTC+2", "Nowhere"];
    assert!(rings.keys().all(|phone| !unknown.contains(&zones[phone])));
}

#[test]
fn each_end_waits_as_long_as_it_says() {
    let bounds = |wait: i64| (minutes(wait) * 9 / 10, minutes(wait) * 11 / 10 + minutes(2));
    for (mix, waits) in [("0,1,0,0", vec![10, 10]), ("0,0,1,0", vec![60, 240])] {
        let told = Rehearsed::of("retry-waits", &["--mix", mix]);
        told.out.clone().ends(0);
        assert_eq!(told.dispositions()["unreached"], 120);
        for rang in told.rings().values() {
            assert_eq!(rang.len(), 3, "{mix}");
            for (pair, wait) in rang.windows(2).zip(&waits) {
                let (least, most) = bounds(*wait);
                let waited = pair[1].0.duration_since(pair[0].0);
                assert!(waited >= least && waited <= most, "{mix}: {waited}");
            }
        }
    }
    let failed = Rehearsed::of("retry-waits", &["--mix", "0,0,0,1"]);
    let again: Vec<&str> = failed
        .rings()
        .values()
        .filter(|rang| rang.len() > 1)
        .map(|rang| rang[0].1)
        .collect();
    // A fault of the platform uses nothing up; any other failure is final.
    assert!(
        !again.is_empty() && again.iter().all(|reason| *reason == "CONGESTION"),
        "{again:?}"
    );
}

#[test]
fn a_reason_stands_above_the_kind_of_end() {
    let told = Rehearsed::of("retry-reasons", &["--mix", "0,0,1,0"]);
    told.out.clone().ends(0);
    for rang in told.rings().values() {
        let (last, before) = rang.split_last().unwrap();
        assert!(
            before.iter().all(|(_, reason)| *reason == "TIMEOUT"),
            "{rang:?}"
        );
        assert!(last.1 == "CANCEL" || rang.len() == 4, "{rang:?}");
        for pair in rang.windows(2) {
            let waited = pair[1].0.duration_since(pair[0].0);
            assert!(waited >= minutes(30) && waited < minutes(33), "{waited}");
        }
    }
}

#[test]
fn a_number_is_called_twice_a_day_at_most() {
    let told = Rehearsed::of("per-number", &["--mix", "0,1,0,0"]);
    told.out.clone().ends(0);
    for rang in told.rings().values() {
        assert_eq!(rang.len(), 4);
        let day = SignedDuration::from_hours(24);
        assert!(
            rang.windows(3)
                .all(|three| three[2].0.duration_since(three[0].0) >= day)
        );
    }
}

#[test]
fn a_run_stops_at_its_cap_with_work_left() {
    let told = Rehearsed::of("spend-cap", &["--json"]);
    let report = told.out.clone().ends(4).json();
    let debits = told.debits();
    let cap: Decimal = "3.00".parse().unwrap();
    // Nobody else fits, and nothing is held for nobody.
    assert!(
        debits <= cap && debits > cap - "0.10".parse::<Decimal>().unwrap(),
        "{debits}"
    );
    assert_eq!(report["budget"]["billed"], debits.to_string());
    assert_eq!(report["budget"]["held"], "0");
    assert!(report["pending"].as_u64().unwrap() > 20, "{report}");
}

#[test]
fn a_day_costs_no_more_than_it_may_by_its_own_calendar() {
    let told = Rehearsed::of("spend-per-day", &["--mix", "1,0,0,0"]);
    told.out.clone().ends(0);
    let mut days = BTreeMap::<Date, Decimal>::new();
    for row in &told.ledger.rows {
        let at: Timestamp = told.ledger.cell(row, "accepted_at").parse().unwrap();
        let day = at.in_tz("Pacific/Auckland").unwrap().date();
        let debit: Decimal = told.ledger.cell(row, "debit").parse().unwrap();
        *days.entry(day).or_default() += debit;
    }
    let two = Decimal::TWO;
    assert_eq!(days.into_values().collect::<Vec<_>>(), [two, two, two]);
    assert_eq!(told.dispositions()["reached"], 120);
}

#[test]
fn a_call_that_lasts_too_long_is_hung_up_before_it_costs_more() {
    let told = Rehearsed::of("longest-call", &["--mix", "1,0,0,0"]);
    told.out.clone().ends(0);
    let reasons = told.ledger.counts("reason");
    assert!(reasons["MANAGERHANGUP"] > 10, "{reasons:?}");
    let debits = told.ledger.counts("debit");
    assert_eq!(
        debits.get("0.05"),
        Some(&120),
        "one started minute each: {debits:?}"
    );
}

#[test]
fn what_is_stale_is_not_said_any_more() {
    let told = Rehearsed::of("schedule-expires", &[]);
    told.out.clone().ends(0);
    assert_eq!(told.dispositions()["expired"], 60);
    let end: Timestamp = "2026-06-01T07:10:00Z".parse().unwrap();
    assert!(told.rings().values().flatten().all(|(at, _)| *at <= end));
}

#[test]
fn who_must_not_be_called_is_not_called_in_a_rehearsal_either() {
    let desk = Desk::empty();
    let phones = ["+46701000003", "+46701000077"];
    for phone in phones {
        desk.run(&["suppress", "add", phone, "--reason", "said so"])
            .ends(0);
    }
    let told = Rehearsed::at(&desk, "retry-waits", &[]);
    told.out.clone().ends(0);
    assert_eq!(told.dispositions()["suppressed"], 2);
    assert!(phones.iter().all(|phone| !told.rings().contains_key(phone)));
}

#[test]
fn a_moment_needs_its_zone() {
    let desk = Desk::empty();
    let args = [
        "rehearse",
        "c.toml",
        "--virtual",
        "--at",
        "2026-12-01T09:00",
    ];
    let out = desk.run(&args).ends(2);
    assert!(
        out.stderr.contains("2026-12-01T09:00:00[Europe/Stockholm]"),
        "{}",
        out.stderr
    );
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_one_does_not() {
    let bytes = |seed: &str| {
        let desk = Desk::empty();
        let faults = [
            "--seed",
            seed,
            "--lost",
            "0.05",
            "--too-many",
            "0.05",
            "--server-error",
            "0.05",
        ];
        let told = Rehearsed::at(&desk, "retry-waits", &faults);
        told.out.ends(5);
        let results = desk.read("retry-waits-rehearsal.csv");
        (results, desk.read("ledger.csv"))
    };
    let first = bytes("7");
    assert!(first == bytes("7"), "the same seed, other bytes");
    assert!(first != bytes("8"), "another seed, the same bytes");
}

/// The waits between calls on the same phone, in minutes.
fn waits(told: &Rehearsed) -> Vec<i64> {
    let rings = told.rings();
    let pairs = rings.values().flat_map(|rings| rings.windows(2));
    pairs
        .map(|two| two[0].0.duration_until(two[1].0).as_mins())
        .collect()
}

#[test]
fn machines_and_the_silent_are_called_again_each_after_its_own_wait() {
    let everybody = ["--mix", "1,0,0,0", "--unsure", "0", "--leave", "0"];
    for (options, wait, why) in [
        (["--machines", "1", "--press", "1"], 216..=266, "machine"),
        (
            ["--machines", "0", "--press", "0"],
            108..=134,
            "no response",
        ),
    ] {
        let told = Rehearsed::of(
            "asks",
            &[&everybody[..], &options, &["--press-wrong", "0"]].concat(),
        );
        told.out.clone().ends(0);
        let people = told.results.rows.len();
        assert_eq!(told.dispositions()["unreached"], people, "{why}");
        assert_eq!(
            told.ledger.rows.len(),
            3 * people,
            "{why}: three attempts each"
        );
        let waits = waits(&told);
        assert!(
            waits.iter().all(|minutes| wait.contains(minutes)),
            "{why}: {waits:?}"
        );
    }
}

#[test]
fn who_opts_out_is_called_once_and_who_presses_what_counts_is_reached() {
    let everybody = [
        "--mix",
        "1,0,0,0",
        "--machines",
        "0",
        "--press",
        "1",
        "--press-wrong",
        "0",
        "--leave",
        "0",
    ];
    for (key, response, end) in [
        ("9=1", "opted out", "unreached"),
        ("1=1", "confirmed", "reached"),
    ] {
        let told = Rehearsed::of("asks", &[&everybody[..], &["--keys", key]].concat());
        told.out.clone().ends(0);
        let people = told.results.rows.len();
        assert_eq!(told.ledger.rows.len(), people, "{response}");
        assert_eq!(told.dispositions()[end], people, "{response}");
        assert_eq!(told.results.counts("call_response")[response], people);
    }
}

/// A desk with files of the samples.
fn with_samples(files: &[&str]) -> Desk {
    let desk = Desk::empty();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("campaigns");
    for file in files {
        std::fs::copy(folder.join(file), desk.path(file)).unwrap();
    }
    desk
}

#[test]
fn the_sample_that_asks_plays_through() {
    let desk = with_samples(&["appointment-confirm.toml", "appointment-confirm.csv"]);
    let args = [
        "rehearse",
        "appointment-confirm.toml",
        "--virtual",
        "--machines",
        "0.3",
    ];
    desk.run(&args).ends(0);
    let results = desk.table("appointment-confirm-rehearsal.csv");
    let known = [
        "",
        "confirmed",
        "cancelled",
        "opted out",
        "cancelled > another time",
        "machine",
    ];
    let found = results.counts("call_response");
    assert!(
        found.keys().all(|response| known.contains(response)),
        "{found:?}"
    );
    for pressed in ["confirmed", "opted out", "cancelled > another time"] {
        assert!(found.contains_key(pressed), "{found:?}");
    }
    for row in &results.rows {
        let cell = |name| results.cell(row, name);
        if cell("call_response").starts_with('c') {
            assert_eq!(cell("call_disposition"), "reached", "{row:?}");
        }
    }
}

#[test]
fn the_sample_that_connects_plays_through() {
    let desk = with_samples(&["on-call.toml", "on-call.csv"]);
    let args = "rehearse on-call.toml --virtual --ledger ledger.csv --mix 1,0,0,0 --machines 0 --unsure 0 \
                --press 1 --press-wrong 0 --leave 0 --keys 1=1";
    desk.run(&args.split_whitespace().collect::<Vec<_>>())
        .ends(0);
    let results = desk.table("on-call-rehearsal.csv");
    assert_eq!(results.counts("call_response")["taken"], 4);
    assert_eq!(results.counts("call_disposition")["reached"], 4);
    let ledger = desk.table("ledger.csv");
    let legs = ledger.column("leg_of");
    let legs = legs.iter().filter(|of| !of.is_empty());
    assert_eq!(legs.count(), 4, "each is connected once");
}

#[test]
fn the_sample_of_an_operators_campaign_plays_through() {
    let desk = with_samples(&["clinic-week.toml", "appointment-reminder.csv"]);
    let out = desk
        .run(&["rehearse", "clinic-week.toml", "--virtual"])
        .ends(0);
    assert!(out.stdout.contains("200 rows = "), "{}", out.stdout);
    let again = desk.run(&[
        "rehearse",
        "clinic-week.toml",
        "--virtual",
        "--at",
        "2026-12-24T09:00:00Z",
    ]);
    let again = again.ends(0);
    assert!(
        again.stdout.contains("dialled 2026-12-28 "),
        "after the holidays: {}",
        again.stdout
    );
}

#[test]
fn calls_that_nobody_can_hang_up_do_not_pass_the_cap_either() {
    let lost = ["--lost", "0.3", "--mix", "1,0,0,0", "--talk", "500-600"];
    for (rule, cap) in [("long-text", "4.00"), ("custom-duration", "2.00")] {
        let told = Rehearsed::of(rule, &lost);
        told.out.clone().ends(4);
        let debits = told.debits();
        assert!(
            debits > Decimal::ONE && debits <= cap.parse().unwrap(),
            "{rule}: {debits}"
        );
    }
}
