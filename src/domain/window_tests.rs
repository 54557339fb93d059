//! What a window says at the moments that matter. That it is right at all others is shown from outside,
//! against a rule written apart (`tests/files/windows.rs`).

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn zones(names: &str) -> ZoneSet {
    names.parse().unwrap()
}

fn span(days: &str, from: &str, until: &str) -> Span {
    let days = if days.is_empty() {
        Days::ALL
    } else {
        Days::of(days.split(' ')).unwrap()
    };
    Span::new(days, from.parse().unwrap(), until.parse().unwrap()).unwrap()
}

fn window(spans: &[Span], blackout: &[&str]) -> Window {
    let blackout = blackout.iter().map(|date| date.parse().unwrap());
    Window::new(
        spans.to_vec(),
        WindowZone::Recipient,
        blackout,
        OnClose::Wait,
    )
}

/// `open until …` or `closed until …`.
fn told(window: &Window, now: &str, names: &str) -> String {
    match window.state(at(now), &zones(names)) {
        WindowState::Open { until } => format!("open until {until}"),
        WindowState::Closed {
            next_opening: Some(next),
        } => format!("closed until {next}"),
        WindowState::Closed { next_opening: None } => "closed for good".into(),
    }
}

#[test]
fn from_is_inside_and_until_is_not() {
    let window = window(&[span("mon tue wed thu fri", "09:00", "20:00")], &[]);
    let stockholm = |now| told(&window, now, "Europe/Stockholm");
    assert_eq!(
        stockholm("2026-11-20T07:59:59.999Z"),
        "closed until 2026-11-20T08:00:00Z"
    );
    assert_eq!(
        stockholm("2026-11-20T08:00:00Z"),
        "open until 2026-11-20T19:00:00Z"
    );
    assert_eq!(
        stockholm("2026-11-20T18:59:59.999999999Z"),
        "open until 2026-11-20T19:00:00Z"
    );
    assert_eq!(
        stockholm("2026-11-20T19:00:00Z"),
        "closed until 2026-11-23T08:00:00Z"
    );
}

#[test]
fn an_hour_that_is_skipped_opens_nothing_and_one_that_comes_twice_is_open_twice() {
    let night = window(&[span("", "02:30", "02:45")], &[]);
    // On 29 March 2026 the clock goes from 2 to 3: the quarter does not exist that day.
    assert_eq!(
        told(&night, "2026-03-29T00:00:00Z", "Europe/Stockholm"),
        "closed until 2026-03-30T00:30:00Z"
    );
    // A span that begins in the gap opens at the first instant after it.
    let morning = window(&[span("", "02:30", "05:00")], &[]);
    assert_eq!(
        told(&morning, "2026-03-29T00:00:00Z", "Europe/Stockholm"),
        "closed until 2026-03-29T01:00:00Z"
    );
    // On 25 October it goes from 3 back to 2.
    assert_eq!(
        told(&night, "2026-10-25T00:30:00Z", "Europe/Stockholm"),
        "open until 2026-10-25T00:45:00Z"
    );
    assert_eq!(
        told(&night, "2026-10-25T00:45:00Z", "Europe/Stockholm"),
        "closed until 2026-10-25T01:30:00Z"
    );
    // Lord Howe's clock goes back by half an hour, from 2 to 1:30.
    let half = window(&[span("", "01:45", "02:00")], &[]);
    assert_eq!(
        told(&half, "2026-04-04T14:45:00Z", "Australia/Lord_Howe"),
        "open until 2026-04-04T15:00:00Z"
    );
    assert_eq!(
        told(&half, "2026-04-04T15:00:00Z", "Australia/Lord_Howe"),
        "closed until 2026-04-04T15:15:00Z"
    );
    // Two spans' edges meet at the change: open throughout.
    let joined = window(
        &[span("", "01:00", "02:00"), span("", "03:00", "04:00")],
        &[],
    );
    assert_eq!(
        told(&joined, "2026-03-29T00:30:00Z", "Europe/Stockholm"),
        "open until 2026-03-29T02:00:00Z"
    );
}

#[test]
fn a_night_belongs_to_the_day_on_which_it_began() {
    let friday = [span("fri", "20:00", "02:00")];
    let nights = window(&friday, &[]);
    assert_eq!(
        told(&nights, "2026-11-20T12:00:00Z", "UTC"),
        "closed until 2026-11-20T20:00:00Z"
    );
    assert_eq!(
        told(&nights, "2026-11-20T23:00:00Z", "UTC"),
        "open until 2026-11-21T02:00:00Z"
    );
    let without_friday = window(&friday, &["2026-11-20"]);
    assert_eq!(
        told(&without_friday, "2026-11-21T01:00:00Z", "UTC"),
        "closed until 2026-11-27T20:00:00Z"
    );
    let without_saturday = window(&friday, &["2026-11-21"]);
    assert_eq!(
        told(&without_saturday, "2026-11-21T01:00:00Z", "UTC"),
        "open until 2026-11-21T02:00:00Z"
    );
}

#[test]
fn a_zone_that_leaves_a_day_out_has_that_day_in_no_window() {
    // Samoa went from 29 to 31 December 2011: its Friday never was.
    let friday = window(&[span("fri", "09:00", "10:00")], &[]);
    assert_eq!(
        told(&friday, "2011-12-30T09:59:00Z", "Pacific/Apia"),
        "closed until 2012-01-05T19:00:00Z"
    );
    let whole = window(&[span("thu sat", "00:00", "24:00")], &[]);
    assert_eq!(
        told(&whole, "2011-12-29T12:00:00Z", "Pacific/Apia"),
        "open until 2011-12-31T10:00:00Z"
    );
}

#[test]
fn all_zones_must_be_open_at_once() {
    let window = window(&[span("", "09:00", "20:00")], &[]);
    let coasts = "America/New_York,America/Los_Angeles";
    assert_eq!(
        told(&window, "2026-11-20T15:00:00Z", coasts),
        "closed until 2026-11-20T17:00:00Z"
    );
    assert_eq!(
        told(&window, "2026-11-20T17:00:00Z", coasts),
        "open until 2026-11-21T01:00:00Z"
    );
    let apart = "UTC,Etc/GMT+12";
    assert_eq!(
        told(&window, "2026-11-20T15:00:00Z", apart),
        "closed for good"
    );
}

#[test]
fn touching_hours_are_one_and_a_year_of_them_has_no_end_in_sight() {
    let all = window(
        &[span("", "00:00", "12:00"), span("", "12:00", "24:00")],
        &[],
    );
    assert_eq!(
        told(&all, "2026-01-01T00:00:00Z", "UTC"),
        "open until 2027-02-05T00:00:00Z"
    );
    let nights = window(
        &[span("", "06:00", "00:00"), span("", "23:00", "06:00")],
        &[],
    );
    assert!(told(&nights, "2026-01-01T00:00:00Z", "UTC").starts_with("open until 2027"));
    assert_eq!(
        told(&window(&[], &[]), "2026-01-01T00:00:00Z", "UTC"),
        "closed for good"
    );
}

#[test]
fn the_ends_of_time_are_closed_or_open_but_not_a_panic() {
    let window = window(&[span("", "09:00", "20:00")], &["2026-12-24"]);
    for now in [Timestamp::MIN, Timestamp::MAX, Timestamp::UNIX_EPOCH] {
        for names in ["Europe/Stockholm", "Pacific/Kiritimati,America/Adak"] {
            let zones = zones(names);
            let state = window.state(now, &zones);
            assert_eq!(state, window.state(now, &zones));
        }
    }
}

#[test]
fn who_was_not_called_before_the_close_waits_or_expires_as_the_campaign_says() {
    let one = |on_close| {
        let spans = vec![span("", "09:00", "20:00")];
        Window::new(spans, WindowZone::Recipient, [], on_close)
    };
    let leave = |on_close, since, now| one(on_close).leave(at(now), at(since), &zones("UTC"));
    let next = Leave::Wait {
        until: at("2026-11-21T09:00:00Z"),
    };
    let (noon, night) = ("2026-11-20T12:00:00Z", "2026-11-20T21:00:00Z");
    assert_eq!(leave(OnClose::Wait, noon, night), next);
    assert_eq!(leave(OnClose::Expire, noon, night), Leave::Expire);
    assert_eq!(
        leave(OnClose::Expire, "2026-11-20T06:00:00Z", night),
        Leave::Expire
    );
    // Due in the evening: the window has not been open for them yet.
    assert_eq!(leave(OnClose::Expire, "2026-11-20T20:30:00Z", night), next);
    // The clock went back.
    assert_eq!(leave(OnClose::Expire, "2026-11-21T12:00:00Z", night), next);
    let until = at("2026-11-20T20:00:00Z");
    assert_eq!(leave(OnClose::Expire, noon, noon), Leave::Dial { until });
    let never = Window::new(Vec::new(), WindowZone::Recipient, [], OnClose::Wait);
    assert_eq!(never.leave(at(noon), at(noon), &zones("UTC")), Leave::Never);
}

#[test]
fn times_and_days_read_as_they_are_shown() {
    for text in ["00:00", "09:05", "23:59:59", "24:00"] {
        assert_eq!(text.parse::<TimeOfDay>().unwrap().to_string(), text);
    }
    for wrong in [
        "",
        "9:00",
        "09",
        "24:01",
        "24:00:01",
        "09:60",
        "09:00:60",
        "+9:00",
        "09:00:00.5",
        "0９:00",
    ] {
        assert_eq!(wrong.parse::<TimeOfDay>(), Err(NotATime), "{wrong}");
    }
    let shown = |words: &str| Days::of(words.split(' ')).unwrap().to_string();
    assert_eq!(shown("fri mon tue wed thu"), "mon-fri");
    assert_eq!(shown("sun sat mon"), "mon, sat, sun");
    assert_eq!(Days::of(["mon", "Tuesday"]), Err("Tuesday"));
    let window = window(&[span("mon tue wed", "09:00", "20:00")], &["2026-12-24"]);
    assert_eq!(
        window.to_string(),
        "mon-wed 09:00–20:00, in the recipient's time, but for 1 day"
    );
}

#[test]
fn what_is_no_span_is_refused() {
    let time = |text: &str| text.parse().unwrap();
    let made = |days, from, until| Span::new(days, time(from), time(until)).unwrap_err();
    assert_eq!(made(Days(0), "09:00", "10:00"), NotASpan::NoDay);
    assert_eq!(made(Days::ALL, "09:00", "09:00"), NotASpan::Empty);
    assert_eq!(made(Days::ALL, "24:00", "09:00"), NotASpan::BeginsAtTheEnd);
}
