//! The spend cap from outside: the binary against a platform that bills, killed at random. What phones cost
//! by the platform's own ledger never passes the cap, and every hold comes to an end.

use crate::support::audit::Audit;
use crate::support::{Desk, Out, Platform, people, wait_for};
use callout::clock::{Clock as _, SystemClock};
use callout::entropy::Entropy;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use rustix::process::Signal;

const PACING: &str = "calls_per_second = 300";

/// A desk with a campaign of so many people and a `[spend]`.
fn desk(platform: &Platform, rows: usize, spend: &str) -> Desk {
    let desk = Desk::at(platform);
    desk.tts(&people(rows), &format!("{PACING}\n[spend]\n{spend}"));
    desk
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// What all phones cost, whoever knows of it.
fn billed(platform: &Platform) -> Decimal {
    let ledger = platform.ledger();
    ledger
        .column("debit")
        .iter()
        .map(|debit| decimal(debit))
        .sum()
}

fn budget(out: &Out, what: &str) -> Decimal {
    decimal(out.json()["budget"][what].as_str().unwrap())
}

#[test]
fn kill_9_at_random_and_no_phone_costs_more_than_the_cap() {
    for seed in 0..3 {
        let mut entropy = Entropy::seeded(seed);
        let faults = [
            "--time-scale",
            "0",
            "--answer-after",
            "20",
            "--lost",
            "0.05",
            "--reset",
            "0.03",
            "--server-error",
            "0.05",
            "--garbage",
            "0.02",
        ];
        let platform = Platform::start(&faults);
        // A call costs 0.0415 at most twice: room for some 200 of 600.
        let cap = Decimal::new(1_200 + i64::try_from(entropy.seed() % 600).unwrap(), 2);
        let desk = desk(
            &platform,
            600,
            &format!("cap = \"{cap} EUR\"\nrate = \"0.0415 EUR\""),
        );
        let mut engine = desk.start(&["run", "c.toml", "--yes"]);
        for _ in 0..5 {
            let more = platform.posted() + 10 + usize::try_from(entropy.seed() % 50).unwrap();
            wait_for("POSTs, or an end", || {
                (platform.posted() >= more || !engine.going()).then_some(())
            });
            engine.kill();
            assert!(billed(&platform) <= cap, "seed {seed}");
            engine = desk.start(&["resume"]);
        }
        let out = engine.wait().ends(4);
        assert!(
            out.stdout.contains("the spend cap is reached"),
            "{}",
            out.stdout
        );
        let told = desk.run(&["report", "--json"]).ends(0);
        let (settled, held) = (budget(&told, "billed"), budget(&told, "held"));
        assert!(
            billed(&platform) <= settled + held && settled + held <= cap,
            "seed {seed}"
        );
        // What is held is held for uncertain attempts, and for nobody else.
        let attempts = desk.export("attempts");
        let uncertain = attempts
            .rows
            .iter()
            .filter(|row| attempts.cell(row, "state") == "uncertain");
        let holds: Vec<Decimal> = uncertain
            .map(|row| decimal(attempts.cell(row, "hold")))
            .collect();
        assert!(
            !holds.is_empty(),
            "seed {seed}: kills that lost nothing prove nothing"
        );
        assert_eq!(held, holds.iter().sum::<Decimal>(), "seed {seed}");
        assert_eq!(budget(&told, "held_without_price"), Decimal::ZERO);
        // Again it does nothing; with more money it goes on to the end.
        let before = platform.posted();
        desk.run(&["resume"]).ends(4);
        assert_eq!(platform.posted(), before, "seed {seed}");
        let out = desk.run(&["resume", "--cap", "100 EUR"]).ends(5);
        assert!(
            out.stdout.contains("of the cap of 100.00 EUR"),
            "{}",
            out.stdout
        );
        let audit = Audit::of(&desk, &platform);
        assert_eq!(audit.violations, Vec::<String>::new(), "seed {seed}");
    }
}

#[test]
fn prices_come_from_the_platform_or_the_cap_is_refused() {
    let platform = Platform::start(&["--time-scale", "0", "--currency", "SEK"]);
    let mut desk = desk(&platform, 20, "cap = \"1 EUR\"");
    let cache = desk.path("cache");
    desk.set("XDG_CACHE_HOME", cache.to_str().unwrap());
    let out = desk.run(&["run", "c.toml", "--yes"]).ends(2);
    assert!(
        out.stderr.contains("SE mobile is priced in SEK"),
        "{}",
        out.stderr
    );
    assert!(out.stderr.contains("rate = \"0.05 EUR\""), "{}", out.stderr);
    assert_eq!(platform.posted(), 0);
    desk.run(&["status"]).ends(2);
    // With prices in its own currency it is kept, at the highest of each country and kind.
    let platform = platform.replace(&["--time-scale", "0", "--price", "+467=0.20"]);
    let out = desk.run(&["run", "c.toml", "--yes", "--json"]).ends(4);
    assert_eq!(out.json()["budget"]["cap"], "1");
    assert!(billed(&platform) <= decimal("1"));
    let attempts = desk.export("attempts");
    assert!(
        attempts
            .column("hold")
            .iter()
            .all(|hold| decimal(hold) == decimal("0.40"))
    );
    // Numbers that the campaign's own rates leave out are refused as well.
    desk.set("CALLOUT_DB", "sqlite:other.db");
    desk.tts(
        &people(3),
        "calls_per_second = 9\n[spend]\ncap = \"5 EUR\"\nrates = { \"+47\" = \"1 EUR\" }",
    );
    let out = desk.run(&["run", "c.toml", "--yes"]).ends(2);
    assert!(out.stderr.contains("line 2 of the list"), "{}", out.stderr);
    let runs = desk.run(&["status"]).ends(2);
    assert!(runs.stderr.contains("no run yet"), "{}", runs.stderr);
}

#[test]
fn a_debit_in_another_currency_or_above_its_hold_stops_the_run() {
    let platform = Platform::start(&["--time-scale", "0", "--currency", "SEK", "--mix", "1,0,0,0"]);
    let desk = desk(&platform, 200, "cap = \"500 EUR\"\nrate = \"0.05 EUR\"");
    let out = desk.run(&["run", "c.toml", "--yes"]).ends(4);
    assert!(
        out.stdout.contains("currencies are never added"),
        "{}",
        out.stdout
    );
    let told = desk.run(&["report", "--json"]).ends(0);
    assert_eq!(budget(&told, "billed"), Decimal::ZERO);
    assert!(budget(&told, "held_without_price") > Decimal::ZERO);
    assert!(platform.ledger().rows.len() < 200);

    let platform = platform.replace(&[
        "--time-scale",
        "0",
        "--price",
        "+467=0.90",
        "--mix",
        "1,0,0,0",
    ]);
    let desk = self::desk(&platform, 200, "cap = \"500 EUR\"\nrate = \"0.05 EUR\"");
    let out = desk.run(&["run", "c.toml", "--yes"]).ends(4);
    assert!(
        out.stdout.contains("more than the 0.10 EUR that were held"),
        "{}",
        out.stdout
    );
    assert!(
        out.stdout.contains("calls cost more than was held"),
        "{}",
        out.stdout
    );
    assert!(platform.ledger().rows.len() < 200);
}

#[test]
fn who_raises_a_cap_is_kept_and_must_speak_its_currency() {
    let platform = Platform::start(&["--time-scale", "0", "--mix", "1,0,0,0"]);
    let mut desk = desk(&platform, 9, "cap = \"0.10 EUR\"\nrate = \"0.0415 EUR\"");
    desk.set("USER", "eva");
    desk.run(&["run", "c.toml", "--yes"]).ends(4);
    for (cap, words) in [
        ("5", "no amount"),
        ("5 SEK", "not in SEK"),
        ("-5 EUR", "no amount"),
    ] {
        let arg = format!("--cap={cap}");
        let out = desk.run(&["resume", &arg]).ends(2);
        assert!(out.stderr.contains(words), "{}", out.stderr);
    }
    // Less than what is spent already is no more than nothing.
    let before = platform.posted();
    desk.run(&["resume", "--cap", "0.01 EUR"]).ends(4);
    assert_eq!(platform.posted(), before);
    let out = desk.run(&["resume", "--cap", "5 EUR"]).ends(0);
    assert!(out.stdout.contains("9 rows = 9 reached"), "{}", out.stdout);
    let status = desk.run(&["status"]).ends(0);
    assert!(
        status
            .stdout
            .contains("0.3735 of the cap of 5.00 EUR billed"),
        "{}",
        status.stdout
    );
    let over = desk.run(&["resume", "--cap", "9 EUR"]).ends(2);
    assert!(over.stderr.contains("is completed"), "{}", over.stderr);
    desk.tts(&people(2), "calls_per_second = 0.5");
    let posted = platform.posted();
    let run = desk.start(&["run", "c.toml", "--yes", "--again"]);
    wait_for("a POST", || (platform.posted() > posted).then_some(()));
    run.kill();
    let out = desk.run(&["resume", "--cap", "5 EUR"]).ends(2);
    assert!(out.stderr.contains("has no [spend]"), "{}", out.stderr);
}

#[test]
fn a_call_that_outlasted_its_engine_is_hung_up_by_the_next() {
    let platform = Platform::start(&[
        "--time-scale",
        "1",
        "--mix",
        "1,0,0,0",
        "--ring",
        "1-1",
        "--talk",
        "600-600",
    ]);
    let desk = Desk::at(&platform);
    desk.write("list.csv", &people(1));
    desk.write(
        "c.toml",
        "name = \"c\"\n[recipients]\nfile = \"list.csv\"\nnumber = \"phone\"\n\
         [callout.conference]\ncli = \"+46100000000\"\nconference_id = \"team\"\n\
         [pacing]\ncalls_per_second = 5\n\
         [spend]\ncap = \"5 EUR\"\nrate = \"0.0415 EUR\"\nlongest_call = \"1m\"\n",
    );
    let run = desk.start(&["run", "c.toml", "--yes"]);
    wait_for("a call", || {
        let attempts = desk.run(&["export", "--table", "attempts"]);
        attempts.stdout.contains("accepted").then_some(())
    });
    assert!(run.kill());
    // A minute goes by without an engine.
    crate::support::execute(
        &desk.path("callout.db"),
        "update attempts set intended_at = intended_at - 60000",
    );
    let out = desk.run(&["resume"]).ends(0);
    assert!(out.stdout.contains("MANAGERHANGUP"), "{}", out.stdout);
    let requests = platform.requests();
    assert_eq!(requests.column("verb"), ["PATCH"]);
    assert_eq!(requests.column("against"), [""]);
    let ledger = platform.ledger();
    assert_eq!(ledger.column("reason"), ["MANAGERHANGUP"]);
    assert!(billed(&platform) <= decimal("0.0415"));
}

#[test]
fn a_day_is_for_all_runs_of_a_campaign() {
    // Where it is about noon now, so that no day ends meanwhile.
    let hour = SystemClock::start().wall().to_zoned(TimeZone::UTC).hour();
    let zone = format!("Etc/GMT{:+}", i32::from(hour) - 12);
    let platform = Platform::start(&["--time-scale", "0", "--mix", "1,0,0,0"]);
    let spend = format!("per_day = \"0.25 EUR\"\ntime_zone = \"{zone}\"\nrate = \"0.0415 EUR\"");
    let desk = desk(&platform, 2, &spend);
    desk.run(&["run", "c.toml", "--yes"]).ends(0);
    assert_eq!(billed(&platform), decimal("0.0830"));
    // 0.1670 are left: room for a hold of 0.0830 three times, each settled at half of it.
    desk.write("list.csv", &people(9));
    let run = desk.start(&["run", "c.toml", "--yes"]);
    let told = wait_for("the day's cap", || {
        let out = desk.run(&["why", "--json"]);
        let told: serde_json::Value = serde_json::from_str(&out.stdout).ok()?;
        let why = told["why_not_faster"].as_str()?.to_owned();
        (why.contains("left of per_day") && told["in_flight"] == 0).then_some(why)
    });
    assert!(told.contains("the next day begins at"), "{told}");
    assert_eq!(billed(&platform), decimal("0.2075"));
    run.signal(Signal::TERM);
    run.wait().ends(3);
}
