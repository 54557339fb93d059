//! The question before a run: it has what a person decides on, and above it what speaks against it.

use crate::decisions::answered;
use crate::support::{Desk, Platform, people};
use callout::clock::{Clock as _, SystemClock};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, Unit};

/// The line with the question, and all that stood above it.
fn asked(desk: &Desk, args: &[&str]) -> (String, String) {
    let (shown, end) = answered(desk, args, "n");
    assert_eq!(end, Some(2), "{shown}");
    let lines: Vec<&str> = shown.lines().collect();
    let at = lines.iter().position(|line| line.contains("[y/N]"));
    let at = at.unwrap_or_else(|| panic!("{shown}"));
    (lines[at].to_owned(), lines[..at].join("\n"))
}

/// A window of the whole day, by one clock.
const ALL_DAY: &str =
    "[window]\nfrom = \"00:00\"\nuntil = \"24:00\"\ntime_zone = \"Europe/Stockholm\"\n";

fn now() -> Timestamp {
    SystemClock::start().wall()
}

#[test]
fn the_question_has_what_a_person_decides_on() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    let rest = "[retry]\nmax_attempts = 2\nbusy = \"10m\"\nno_answer = \"1h\"\n\
                [spend]\ncap = \"30 EUR\"\nrate = \"0.05 EUR\"\nlongest_call = \"1m\"\n";
    desk.tts(
        &people(300),
        &format!("calls_per_second = 10\n{ALL_DAY}{rest}"),
    );
    let plan = desk.run(&["plan", "c.toml", "--json"]).ends(0).json();
    let (question, above) = asked(&desk, &["run", "c.toml"]);
    let expected = plan["attempts_expected"].as_u64().unwrap();
    assert!((301..599).contains(&expected), "{plan}");
    let money = plan["cost"]["expected"]["EUR"].as_str().unwrap();
    let begins = format!(
        "Call 300 people now (about {expected}, at most 600 calls; expected {money} EUR, cap 30.00 \
         EUR; ends about "
    );
    assert!(question.contains(&begins), "{question}");
    // The end is the plan's, by the window's clock, and as exact as an estimate of an hour: to five minutes.
    let seconds = plan["seconds_expected"].as_f64().unwrap();
    let end = now() + std::time::Duration::from_secs_f64(seconds);
    let near = [-3, -2, -1, 0, 1, 2, 3].map(|minutes| {
        let end = (end + minutes.minutes()).round(Unit::Minute).unwrap();
        let end = end.to_zoned(TimeZone::get("Europe/Stockholm").unwrap());
        end.strftime("%a %H:%M Europe/Stockholm").to_string()
    });
    assert!(
        near.iter().any(|end| question.contains(end.as_str())),
        "{question}: {near:?}"
    );
    assert!(
        above.contains("warning: [window] is open before 08:00 or after 21:00"),
        "{above}"
    );
    assert_eq!(platform.posted(), 0);

    // Who cannot be asked reads the same.
    let said = desk.run(&["run", "c.toml"]).ends(2).stderr;
    assert!(
        said.contains(&begins) && said.contains("say --yes"),
        "{said}"
    );
    let daytime =
        "[window]\nfrom = \"08:00\"\nuntil = \"21:00\"\ntime_zone = \"Europe/Stockholm\"\n";
    desk.tts(&people(3), &format!("calls_per_second = 10\n{daytime}"));
    let (question, above) = asked(&desk, &["run", "c.toml"]);
    assert!(
        question.contains("Call 3 people now (3 calls; "),
        "{question}"
    );
    assert!(question.contains("no cap; ends about "), "{question}");
    assert!(!above.contains("before 08:00"), "{above}");
}

#[test]
fn who_is_called_at_night_without_a_window_is_asked_about() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    desk.tts(&people(3), "calls_per_second = 10\n");
    let (question, above) = asked(&desk, &["run", "c.toml"]);
    assert!(question.contains("Call 3 people now"), "{question}");
    let hour = now()
        .to_zoned(TimeZone::get("Europe/Stockholm").unwrap())
        .hour();
    let night = !(8..21).contains(&hour);
    assert_eq!(
        above.contains("the campaign has no [window]"),
        night,
        "at {hour}: {above}"
    );
}

#[test]
fn a_start_to_come_is_in_the_question_and_judged_as_the_time() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    let stockholm = TimeZone::get("Europe/Stockholm").unwrap();
    let day = now().to_zoned(stockholm).date() + 2.days();
    for (hour, night) in [(9, false), (23, true)] {
        let schedule = format!(
            "calls_per_second = 10\n[schedule]\nstart = \"{day}T{hour:02}:00:00[Europe/Stockholm]\"\n"
        );
        desk.tts(&people(3), &schedule);
        let (question, above) = asked(&desk, &["run", "c.toml"]);
        let at = day.strftime("%a");
        let when = format!("Call 3 people at {at} {hour:02}:00 Europe/Stockholm (3 calls; ");
        assert!(question.contains(&when), "{question}");
        let end = format!("ends about {at} {hour:02}:01 Europe/Stockholm");
        assert!(question.contains(&end), "{question}");
        assert_eq!(
            above.contains("the campaign has no [window]"),
            night,
            "{above}"
        );
    }
}
