//! `[window]` as people write it, rightly and wrongly.

use std::io;
use std::path::Path;

use toml::de::DeTable;

use super::super::place::SourceFile;
use super::*;

/// Stands in for the disk.
fn file(path: &Path) -> io::Result<Vec<u8>> {
    match path.to_str() {
        Some("folder/holidays.txt") => Ok(concat!(
            "# Sweden\n\n2026-12-24\tJulafton\n2026-12-25, Juldagen # red\n",
            "  2026-12-26\r\n"
        )
        .into()),
        Some("folder/wrong.txt") => {
            Ok("2026-12-24\nJulafton 2026-12-24\n2026-02-29\n, x\n20261224".into())
        }
        Some("folder/none.txt") => Ok("# nothing yet\n".into()),
        Some("folder/latin.txt") => Ok(b"2026-12-24 Juldag p\xe5 svenska".to_vec()),
        _ => Err(io::Error::new(io::ErrorKind::NotFound, "no such file")),
    }
}

/// What a file's `[window]` says, and each fault and warning as `line:column text: message (help)`.
fn read(source: &str) -> (Option<Window>, String) {
    let root = DeTable::parse(source).unwrap();
    let path = Path::new("folder/c.toml");
    let file_read = SourceFile::new(source, path);
    let known = ["window", "recipients"];
    let table = Table::new(&file_read, "the campaign", 0..0, root.get_ref(), &known);
    let window = super::read(&table, &file);
    let (faults, warnings) = file_read.into_findings();
    let told = faults.iter().chain(&warnings).map(|fault| {
        let other = if fault.file == "folder/c.toml" {
            ""
        } else {
            &fault.file
        };
        format!(
            "{other}{}:{} {}: {} ({})",
            fault.line, fault.column, fault.text, fault.message, fault.help
        )
    });
    (window, told.collect::<Vec<_>>().join("\n"))
}

fn right(source: &str) -> Window {
    let (window, told) = read(source);
    assert_eq!(told, "");
    window.expect("it has no fault")
}

fn wrong(source: &str) -> String {
    let (window, told) = read(source);
    assert_eq!(window, None);
    told
}

#[test]
fn a_window_reads_as_it_is_written() {
    let window = right(
        "[window]\ndays = [\"mon\", \"fri\"]\nfrom = \"09:00\"\nuntil = \"20:00:30\"\n\
         time_zone = \"europe/stockholm\"\nblackout = [\"2026-12-31\", 2027-01-01]\n\
         blackout_file = \"holidays.txt\"\non_close = \"expire\"\n\
         [[window.also]]\ndays = [\"sat\"]\nfrom = 22:00:00\nuntil = \"02:00\"\n\
         [[window.also]]\nfrom = \"21:00\"\nuntil = \"24:00\"\n",
    );
    assert_eq!(
        window.to_string(),
        "mon, fri 09:00–20:00:30, sat 22:00–02:00, mon, fri 21:00–24:00, \
         in Europe/Stockholm, but for 5 days"
    );
    assert_eq!(window.on_close(), OnClose::Expire);
    let dates: Vec<String> = window.blackout().map(|date| date.to_string()).collect();
    assert_eq!(dates[..2], ["2026-12-24", "2026-12-25"]);
}

#[test]
fn what_is_left_out_is_every_day_the_recipients_zone_and_waiting() {
    let window = right("[window]\nfrom = \"00:00\"\nuntil = \"24:00\"\n");
    assert_eq!(
        window.to_string(),
        "mon-sun 00:00–24:00, in the recipient's time"
    );
    assert_eq!(window.on_close(), OnClose::Wait);
    assert_eq!(read("").0, None);
    let same = right("[window]\nfrom = \"00:00\"\nuntil = \"24:00\"\ntime_zone = \"recipient\"\n");
    assert_eq!(same, window);
}

#[test]
fn a_file_of_dates_is_looked_for_beside_the_campaign() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("d.txt"), "\u{feff}2026-12-24").unwrap();
    let source = "[window]\nfrom = \"09:00\"\nuntil = \"20:00\"\nblackout_file = \"d.txt\"\n";
    let root = DeTable::parse(source).unwrap();
    let path = folder.path().join("c.toml");
    let file = SourceFile::new(source, &path);
    let table = Table::new(&file, "the campaign", 0..0, root.get_ref(), &["window"]);
    let window = super::read(&table, &|path| std::fs::read(path)).unwrap();
    assert_eq!(window.blackout().count(), 1);
}

#[test]
fn every_fault_is_told_with_its_place() {
    let told = wrong(
        "[window]\ndays = [\"Monday\", \"mon\", 7, \"someday\"]\nfrom = \"9:00\"\n\
         untill = \"20:00\"\ntime_zone = \"Stockholm\"\nblackout = [\"24/12/2026\", \"2026-02-30\", 5]\n\
         blackout_file = \"wrong.txt\"\non_close = \"stop\"\n",
    );
    insta::assert_snapshot!(told, @r#"
    4:1 untill: unknown key `untill` in [window] (did you mean `until`?)
    2:9 "Monday": "Monday" is not a day of the week (did you mean `mon`?)
    2:26 7: 7 is not a day of the week (the days are "mon", "tue", "wed", "thu", "fri", "sat" and "sun")
    2:29 "someday": "someday" is not a day of the week (the days are "mon", "tue", "wed", "thu", "fri", "sat" and "sun")
    3:8 "9:00": `from` is "9:00", which is no time of day (two digits, a colon, two digits, in quotes, as in "09:00")
    1:1 [window]: [window] needs `until` (until = "20:00")
    5:13 "Stockholm": `Stockholm` is not a time zone (did you mean `Europe/Stockholm`?)
    6:13 "24/12/2026": "24/12/2026" is not a date of the calendar (year, month and day with hyphens, as in "2026-12-24")
    6:27 "2026-02-30": "2026-02-30" is not a date of the calendar (year, month and day with hyphens, as in "2026-12-24")
    6:41 5: a date in `blackout` is a whole number (year, month and day with hyphens, as in "2026-12-24")
    folder/wrong.txt2:1 : `Julafton` is not a date of the calendar (a line is a date, as in 2026-12-24, and what you like behind it; # begins a comment)
    folder/wrong.txt3:1 : `2026-02-29` is not a date of the calendar (a line is a date, as in 2026-12-24, and what you like behind it; # begins a comment)
    folder/wrong.txt4:1 : `, x` is not a date of the calendar (a line is a date, as in 2026-12-24, and what you like behind it; # begins a comment)
    folder/wrong.txt5:1 : `20261224` is not a date of the calendar (a line is a date, as in 2026-12-24, and what you like behind it; # begins a comment)
    8:12 "stop": `on_close` cannot be `stop` (it is "wait" (the default), for the next opening, or "expire")
    "#);
}

#[test]
fn times_that_make_no_span_are_faults() {
    let hours =
        |from: &str, until: &str| wrong(&format!("[window]\nfrom = {from}\nuntil = {until}\n"));
    insta::assert_snapshot!(hours("\"09:00\"", "\"09:00\""), @r#"3:9 "09:00": `until` is the same as `from` (`until` is not included; the whole day is from "00:00" until "24:00")"#);
    insta::assert_snapshot!(hours("\"24:00\"", "\"09:00\""), @r#"2:8 "24:00": `from` is the end of a day (write "00:00" for the beginning of a day)"#);
    insta::assert_snapshot!(hours("9", "\"24:30\""), @r#"
    2:8 9: `from` is a whole number (`from` must be a time in quotes, as in "09:00")
    3:9 "24:30": `until` is "24:30", which is no time of day (two digits, a colon, two digits, in quotes, as in "09:00")
    "#);
    insta::assert_snapshot!(hours("09:00:00.5", "2026-12-24"), @r#"
    2:8 09:00:00.5: `from` is 09:00:00.5, which is no time of day (two digits, a colon, two digits, in quotes, as in "09:00")
    3:9 2026-12-24: `until` is a date or time (`until` must be a time in quotes, as in "09:00")
    "#);
    insta::assert_snapshot!(wrong("[window]\n"), @r#"
    1:1 [window]: [window] needs `from` (from = "09:00")
    1:1 [window]: [window] needs `until` (until = "20:00")
    "#);
    insta::assert_snapshot!(wrong("window = 1\n"), @r#"1:10 1: `window` is a whole number (`window` must be a table: [window])"#);
}

#[test]
fn days_zones_and_further_hours_have_faults_of_their_own() {
    let with = |lines: &str| {
        wrong(&format!(
            "[window]\nfrom = \"09:00\"\nuntil = \"20:00\"\n{lines}"
        ))
    };
    insta::assert_snapshot!(with("days = []"), @r#"4:8 []: `days` has no day: nobody would be called (name the days on which to call, or leave `days` out for every day)"#);
    insta::assert_snapshot!(with("days = \"mon\""), @r#"4:8 "mon": `days` is a string (`days` must be a list of days, as in ["mon", "tue"])"#);
    insta::assert_snapshot!(with("time_zone = \"EST\""), @r#"4:13 "EST": `EST` is not the time zone it seems to be (`EST` and `MST` have no summer time: name a place, as in America/New_York)"#);
    insta::assert_snapshot!(with("time_zone = \"recipent\""), @r#"4:13 "recipent": `recipent` is not a time zone (did you mean `recipient`?)"#);
    insta::assert_snapshot!(with("time_zone = \"UTC+25:00 or so\""), @r#"4:13 "UTC+25:00 or so": `UTC+25:00 or so` is not a time zone (it is "recipient" or a name of the IANA database, as in "Europe/Stockholm")"#);
    insta::assert_snapshot!(with("time_zone = 1"), @r#"4:13 1: `time_zone` is a whole number (`time_zone` must be a string in quotes)"#);
    insta::assert_snapshot!(with("on_close = true"), @r#"4:12 true: `on_close` is a boolean (`on_close` must be a string in quotes)"#);
    insta::assert_snapshot!(with("also = 1"), @r#"4:8 1: `also` is a whole number (`also` must be tables with two brackets: [[window.also]])"#);
    insta::assert_snapshot!(with("also = [1]"), @r#"4:9 1: `also` is a whole number (`also` must be tables with two brackets: [[window.also]])"#);
    insta::assert_snapshot!(with("[[window.also]]\nday = [\"sat\"]\nfrom = \"21:00\"\n"), @r#"
    5:1 day: unknown key `day` in [[window.also]] (did you mean `days`?)
    4:1 [[window.also]]: [[window.also]] needs `until` (until = "20:00")
    "#);
}

#[test]
fn blackout_dates_have_faults_where_they_stand() {
    let with = |lines: &str| {
        read(&format!(
            "[window]\nfrom = \"09:00\"\nuntil = \"20:00\"\n{lines}"
        ))
    };
    insta::assert_snapshot!(with("blackout = \"2026-12-24\"").1, @r#"4:12 "2026-12-24": `blackout` is a string (`blackout` must be a list of dates, as in ["2026-12-24"])"#);
    insta::assert_snapshot!(with("blackout = [2026-12-24T09:00:00]").1, @r#"4:13 2026-12-24T09:00:00: 2026-12-24T09:00:00 is not a date of the calendar (year, month and day with hyphens, as in "2026-12-24")"#);
    insta::assert_snapshot!(with("blackout_file = \"missing.txt\"").1, @r#"4:17 "missing.txt": cannot read the file of blackout dates: no such file (give its path relative to this file; it has one date a line)"#);
    insta::assert_snapshot!(with("blackout_file = \"latin.txt\"").1, @r#"4:17 "latin.txt": cannot read the file of blackout dates: it is not UTF-8 (give its path relative to this file; it has one date a line)"#);
    insta::assert_snapshot!(with("blackout_file = 1").1, @r#"4:17 1: `blackout_file` is a whole number (`blackout_file` must be a string in quotes)"#);
    let (window, warned) = with("blackout_file = \"none.txt\"");
    assert!(window.is_some());
    insta::assert_snapshot!(warned, @r#"4:17 "none.txt": `none.txt` has no date (one date a line, as in 2026-12-24)"#);
}

#[test]
fn user_names_need_a_column_or_one_zone_for_all() {
    let hours = "[window]\nfrom = \"09:00\"\nuntil = \"20:00\"\n";
    let users = "[recipients]\ndestination_type = \"username\"\n";
    insta::assert_snapshot!(wrong(&format!("{users}{hours}")), @r#"3:1 [window]: user names have no time zone of their own (name the list's column with `time_zone` in [recipients], or one zone for all here)"#);
    right(&format!("{users}{hours}time_zone = \"UTC\"\n"));
    right(&format!("{users}time_zone = \"tz\"\n{hours}"));
}
