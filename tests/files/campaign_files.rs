//! Campaign files: every fault with its place, the samples, and what a row can and cannot do to a
//! callout. Everything goes through the public way in.

use std::convert::Infallible;
use std::path::Path;

use callout::campaign::{Campaign, RowFault, Script};
use callout::domain::{
    AttemptId, Callout, CalloutBody, Destination, DestinationKind, Misfire, Screen,
};
use callout::recipients::{CheckedRow, ListSummary, RowVerdict, check_list};
use callout::sinch::callouts::CalloutRequest;
use proptest::prelude::*;
use serde_json::json;

fn sample(name: &str) -> (Campaign, ListSummary, Vec<CheckedRow>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("campaigns")
        .join(name);
    let campaign = Campaign::load(&path).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(campaign.warnings(), []);
    let mut rows = Vec::new();
    let mut sink = |chunk: Vec<CheckedRow>| -> Result<(), Infallible> {
        rows.extend(chunk);
        Ok(())
    };
    let list = check_list(&campaign, 2, Screen::none(), &mut sink)
        .unwrap_or_else(|error| panic!("{error}"));
    (campaign, list.summary, rows)
}

/// A campaign around a `[callout…]` part; the part begins on line 4.
fn around(callout: &str) -> String {
    format!("name = \"t\"\n[recipients]\nfile = \"l.csv\"\n{callout}")
}

/// A text-to-speech campaign with further lines, which begin on line 7.
fn tts(lines: &str) -> String {
    around(&format!(
        "[callout.tts]\ncli = \"+46100000000\"\ntext = \"Hello\"\n{lines}"
    ))
}

/// Each fault as `line:column text: message`.
fn faults(source: &str) -> Vec<String> {
    match Campaign::parse(source, Path::new("c.toml")) {
        Ok(_) => Vec::new(),
        Err(faults) => faults
            .into_iter()
            .map(|f| format!("{}:{} {}: {}", f.line, f.column, f.text, f.message))
            .collect(),
    }
}

fn parse(source: &str) -> Campaign {
    Campaign::parse(source, Path::new("c.toml")).unwrap_or_else(|faults| panic!("{faults}"))
}

const HEADER: [&str; 4] = ["number", "name", "due date", "Läkare"];

fn bind(source: &str) -> Script {
    let header = HEADER.map(String::from);
    let bound = parse(source).bind(&header, Path::new("l.csv"));
    bound.unwrap_or_else(|faults| panic!("{faults}"))
}

fn bind_faults(source: &str) -> Vec<String> {
    let header = HEADER.map(String::from);
    let Err(faults) = parse(source).bind(&header, Path::new("l.csv")) else {
        return Vec::new();
    };
    faults
        .into_iter()
        .map(|f| {
            format!(
                "{}:{} {}: {} ({})",
                f.line, f.column, f.text, f.message, f.help
            )
        })
        .collect()
}

/// The callout of a row whose number is +46701740605.
fn render(script: &Script, cells: [&str; 3]) -> Result<Callout, RowFault> {
    let row = ["070-174 06 05", cells[0], cells[1], cells[2]];
    script.callout(&Destination::number("+46701740605"), &row)
}

fn text_of(source: &str, cells: [&str; 3]) -> Result<String, RowFault> {
    match render(&bind(source), cells)?.body {
        CalloutBody::Tts(tts) => Ok(tts.text.or(tts.prompts).expect("it says something")),
        other => panic!("{other:?}"),
    }
}

fn said(text: &str) -> String {
    around(&format!(
        "[callout.tts]\ncli = \"+46100000000\"\ntext = '{text}'\n"
    ))
}

fn prompted(prompts: &str) -> String {
    around(&format!(
        "[callout.tts]\ncli = \"+46100000000\"\nprompts = '''{prompts}'''\n"
    ))
}

#[test]
fn the_samples_are_sound_and_their_lists_come_out_as_told() {
    let figures = |name: &str| {
        let (_, list, _) = sample(name);
        [list.rows, list.valid, list.invalid, list.duplicates]
    };
    assert_eq!(figures("appointment-confirm.toml"), [40, 38, 2, 0]);
    assert_eq!(figures("appointment-reminder.toml"), [200, 192, 6, 2]);
    assert_eq!(figures("clinic-week.toml"), [200, 192, 6, 2]);
    assert_eq!(figures("conference-bridge.toml"), [6, 6, 0, 0]);
    assert_eq!(figures("custom-press-one.toml"), [4, 4, 0, 0]);
    assert_eq!(figures("on-call.toml"), [4, 4, 0, 0]);
    assert_eq!(figures("outage-prompts.toml"), [6, 5, 1, 0]);
}

#[test]
fn the_sample_reads_as_it_is_written() {
    let (campaign, list, rows) = sample("appointment-reminder.toml");
    assert_eq!(campaign.name, "appointment-reminder");
    assert!(
        campaign
            .recipients
            .file
            .ends_with("campaigns/appointment-reminder.csv")
    );
    assert_eq!(campaign.recipients.region.as_deref(), Some("SE"));
    assert_eq!(campaign.pacing.calls_per_second, Some(10.0));
    assert_eq!(campaign.pacing.concurrent_calls, Some(120));
    let script = campaign.bind(&list.header, Path::new("l.csv")).unwrap();
    let RowVerdict::Valid { destination, .. } = &rows[0].verdict else {
        panic!("the first row is valid");
    };
    let CalloutBody::Tts(tts) = script.callout(destination, &rows[0].cells).unwrap().body else {
        panic!("it is spoken");
    };
    let expected = "Hello Anna. You have an appointment on 2026-12-01 at 08:00.";
    assert_eq!(tts.text.as_deref(), Some(expected));
    assert_eq!(tts.destination, *destination);
}

#[test]
fn all_faults_of_a_file_are_told_at_once_in_its_order() {
    let source = "nmae = \"t\"\n\n[recipients]\nfile = 7\nregion = \"se\"\ndelimiter = \"x\"\n\
        encoding = \"latin\"\ndestination_type = \"phone\"\n\n[callout.tts]\ncli = \"46100000000\"\n\
        txt = \"Hello\"\ntext = \"Hello {{ name \"\ndtmf = \"1*\"\ndomain = \"PSTN\"\n\
        enable_ace = \"yes\"\n\n[pacing]\ncalls_per_second = 0\nconcurrent_calls = 0\n\n\
        [spend]\ncap = 3\n";
    insta::assert_snapshot!(faults(source).join("\n"), @r#"
    1:1 nmae: unknown key `nmae` in the campaign
    1:1 : the campaign needs `name`
    4:8 7: `file` is a whole number
    5:10 "se": `se` is not a region
    6:13 "x": `x` cannot separate cells
    7:12 "latin": `latin` is not an encoding
    8:20 "phone": destination type `phone` is neither `number`, `username` nor `sip`
    11:7 "46100000000": `cli` is not a number in E.164
    12:1 txt: unknown key `txt` in [callout.tts]
    13:18 name: template of `text`: unexpected end of input, expected end of variable block
    14:8 "1*": `dtmf` has `*`, which is not a key
    15:10 "PSTN": `domain` cannot be `PSTN`
    16:14 "yes": `enable_ace` is a string
    19:20 0: `calls_per_second` is out of range
    20:20 0: `concurrent_calls` is out of range
    23:7 3: `cap` is a whole number
    "#);
    let shown = Campaign::parse(source, Path::new("c.toml"))
        .unwrap_err()
        .to_string();
    insta::assert_snapshot!(shown.split("\n\n").nth(2).unwrap(), @r"
    c.toml:4:8: `file` is a whole number
      4 | file = 7
        |        ^
      help: `file` must be a string in quotes
    ");
    let json = Campaign::parse(source, Path::new("c.toml")).unwrap_err();
    let json = serde_json::to_value(&json).unwrap();
    let keys: Vec<&String> = json[0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["file", "line", "column", "text", "message", "help"]);
}

#[test]
fn what_a_run_may_cost_is_read_with_its_currency_or_refused() {
    let spend = |text: &str| tts(&format!("[spend]\n{text}\n"));
    let read = |text: &str| Campaign::parse(&spend(text), Path::new("c.toml")).unwrap();
    let campaign = read(
        "cap = \"150.00 eur\"\nper_day = \"60 EUR\"\ntime_zone = \"Europe/Stockholm\"\n\
         rate = \"0.05 EUR\"\nrates = { \"+46\" = \"0.024 EUR\" }\nlongest_call = \"3m\"",
    );
    let said = campaign.spend.unwrap();
    assert_eq!(
        (said.currency.as_str(), said.longest_call_s),
        ("EUR", Some(180))
    );
    assert_eq!(said.cap.unwrap().to_string(), "150.00");
    let rates = said.rates.unwrap();
    assert_eq!(
        rates.of("+4687112000", String::new).unwrap().to_string(),
        "0.024"
    );
    assert_eq!(
        rates.of("+12025550123", String::new).unwrap().to_string(),
        "0.05"
    );
    assert!(read("cap = \"5 EUR\"").spend.unwrap().rates.is_none());
    let wrong = [
        "rate = \"0.05 EUR\"",
        "cap = 150",
        "cap = \"150\"",
        "cap = \"-5 EUR\"",
        "cap = \"1,000 EUR\"",
        "cap = \"5 EUR\"\nrate = \"0.05 SEK\"",
        "cap = \"5 EUR\"\nrates = { \"46\" = \"0.02 EUR\" }",
        "cap = \"5 EUR\"\nrates = { \"+46\" = 0.02 }",
        "cap = \"5 EUR\"\nlongest_call = \"3 minutes\"",
        "cap = \"5 EUR\"\nlongest_call = \"5s\"",
        "per_day = \"5 EUR\"\ntime_zone = \"Stockholm\"",
        "cap = \"5 EUR\"\ncapp = \"6 EUR\"",
    ];
    let told: Vec<String> = wrong.iter().flat_map(|text| faults(&spend(text))).collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    7:1 [spend]: [spend] needs `cap`
    8:7 150: `cap` is a whole number
    8:7 "150": `cap` is `150`, which is no amount with its currency
    8:7 "-5 EUR": `cap` is `-5 EUR`, which is no amount with its currency
    8:7 "1,000 EUR": `cap` is `1,000 EUR`, which is no amount with its currency
    9:8 "0.05 SEK": SEK beside EUR: currencies are never added together
    9:11 "46": `46` is not how an E.164 number begins
    9:19 0.02: `rates` is a number with a fraction
    9:16 "3 minutes": `longest_call`: `3 minutes` is no duration
    9:16 "5s": `longest_call` is out of range
    9:13 "Stockholm": `Stockholm` is not a time zone
    9:1 capp: unknown key `capp` in [spend]
    "#);
    // Nothing but `longest_call`, or the platform's own limit, says how long a conference goes on.
    let conference = "[callout.conference]\ncli = \"private\"\nconference_id = \"a\"\n";
    let list = "name = \"t\"\n[recipients]\nfile = \"l.csv\"\n";
    let cap = "[spend]\ncap = \"5 EUR\"\n";
    let found = faults(&format!("{list}{conference}{cap}"));
    assert_eq!(found, ["7:1 [spend]: [spend] needs `longest_call`"]);
    let limited = format!("{list}{conference}max_duration = 60\n{cap}");
    assert_eq!(faults(&limited), Vec::<String>::new());
    let said = format!("{list}{conference}{cap}longest_call = \"2m\"\n");
    let campaign = Campaign::parse(&said, Path::new("c.toml")).unwrap();
    let script = campaign
        .bind(&["number".into()], Path::new("l.csv"))
        .unwrap();
    let callout = script.callout(&Destination::number("+46701740605"), &["+46701740605"]);
    let CalloutBody::Conference(conference) = callout.unwrap().body else {
        panic!("a conference");
    };
    assert_eq!(
        conference.max_duration_s,
        Some(120),
        "the platform itself ends what lasts too long"
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn each_fault_is_found_where_it_stands() {
    let conference = "[callout.conference]\ncli = \"private\"\nconference_id = \"a\"\n";
    let cases: &[(String, &str)] = &[
        (String::new(), "1:1 : the campaign needs `name`"),
        (
            tts("")
                .replace("[recipients]\n", "")
                .replace("file = \"l.csv\"\n", ""),
            "1:1 : the campaign needs `recipients`",
        ),
        (around(""), "1:1 : the campaign needs `callout`"),
        (
            tts("").replace("name = \"t\"", "name = \"a/b\""),
            "1:8 \"a/b\": the name cannot be part of a file name",
        ),
        (
            tts("").replace("name = \"t\"", "name = \" \""),
            "1:8 \" \": the name is empty",
        ),
        (
            tts("[pacing]\ncalls_per_second = 1000001\n"),
            "8:20 1000001: `calls_per_second` is out of range",
        ),
        (
            tts("[pacing]\ncalls_per_second = nan\n"),
            "8:20 nan: `calls_per_second` is out of range",
        ),
        (
            tts("[pacing]\ncalls_per_second = -1.5\n"),
            "8:20 -1.5: `calls_per_second` is out of range",
        ),
        (
            tts("[pacing]\ncalls_per_second = \"10\"\n"),
            "8:20 \"10\": `calls_per_second` is a string",
        ),
        (
            tts("[pacing]\nconcurrent_calls = 1.5\n"),
            "8:20 1.5: `concurrent_calls` is a number with a fraction",
        ),
        (tts("x = = 1\n"), "7:5 "),
        (tts("text = \"b\"\n"), "7:1 text: duplicate key"),
        (
            tts("prompts = \"#tts[a]\"\n"),
            "7:1 prompts: `text` and `prompts` exclude each other",
        ),
        (
            tts("[callout.conference]\n"),
            "7:10 conference: a campaign has one kind of callout",
        ),
        (
            around("[callout]\n"),
            "4:1 [callout]: [callout] says no kind of callout",
        ),
        (
            around("[callout.tts]\ntext = \"a\"\n"),
            "4:1 [callout.tts]: [callout.tts] needs `cli`",
        ),
        (
            around("[callout.tts]\ncli = \"+46100000000\"\n"),
            "4:1 [callout.tts]: [callout.tts] needs `text`",
        ),
        (said(&"a".repeat(601)), "6:8 "),
        (
            tts("").replace("+46100000000", "private"),
            "5:7 \"private\": `cli = \"private\"` is not documented for text-to-speech",
        ),
        (
            prompted("#tts[a];#sml[b]"),
            "6:22 #sml[b]: `prompts item 2` is not a prompt the platform knows",
        ),
        (prompted(&"a;".repeat(65)), "6:11 "),
        (
            tts("headers = { \"X-CB-A\" = \"å\" }\n"),
            "7:24 \"å\": `X-CB-A` has `å`",
        ),
        (
            tts("headers = { \"Y\" = \"b\" }\n"),
            "7:13 \"Y\": header `Y` does not begin with `X-CB-` and a name",
        ),
        (tts(&format!("custom = \"{}\"\n", "å".repeat(496))), "7:10 "),
        (
            around("[callout.conference]\ncli = \"private\"\n"),
            "4:1 [callout.conference]: [callout.conference] needs `conference_id`",
        ),
        (
            around(&format!("{conference}moh_class = \"jazz\"\n")),
            "7:13 \"jazz\": `moh_class` cannot be `jazz`",
        ),
        (
            around(&format!("{conference}max_duration = 14401\n")),
            "7:16 14401: `max_duration` is out of range",
        ),
        (
            around(&format!(
                "{conference}conference_dtmf_options = {{ mod = \"x\" }}\n"
            )),
            "7:29 mod: unknown key `mod` in [callout.conference.conference_dtmf_options]",
        ),
        (
            around("[callout.custom]\nice = \"ftp://x\"\n"),
            "5:7 \"ftp://x\": `ice` is neither an address nor SVAML",
        ),
        (
            around("[callout.custom]\nice = 5\n"),
            "5:7 5: `ice` is a whole number",
        ),
        (
            around("[callout.custom]\nice = '{\"action\": }'\n"),
            "5:19 }: `ice` is not a JSON document: expected value at line 1 column 12",
        ),
        (
            around("[callout.custom]\nice = '{\"action\":{\"name\":\"hangup\"}}'\n"),
            "5:20 name: `ice` of a callout cannot be answered with `hangup`",
        ),
        (
            around("[callout.custom]\nice = '{\"action\":{\"name\":\"connectPstn\"}}'\n"),
            "5:20 name: `connectPstn` has no `number` in quotes",
        ),
        (
            around("[callout.custom]\nace = '{\"actoin\":{\"name\":\"hangup\"}}'\n"),
            "5:10 actoin: `ace` has no `action`",
        ),
        (
            around(
                "[callout.custom]\nace = '{\"action\":{\"name\":\"hangup\"},\"instructions\":[{\"name\":\"say\",\"text\":\" \"}]}'\n",
            ),
            "5:74  : `ace.instructions[0].text` has nothing to say",
        ),
        (
            around("[callout.custom]\nace = { action = { name = \"{{ name }}\" } }\n"),
            "5:18 { name = \"{{ name }}\" }: `action` in `ace` takes its `name` from a row",
        ),
        (
            around("[callout.custom]\nace = { action = { name = \"connectPstn\" } }\n"),
            "5:18 { name = \"connectPstn\" }: `ace` cannot be answered with `connectPstn`",
        ),
        (
            around("[callout.custom]\nace = { action = { name = \"stopRecording\" } }\n"),
            "5:18 { name = \"stopRecording\" }: `ace` cannot be answered with `stopRecording`",
        ),
        (
            around(
                "[callout.custom]\nace = '{\"instructions\":[{\"name\":\"SendDTMF\",\"value\":\"1\"}],\"action\":{\"name\":\"hangup\"}}'\n",
            ),
            "5:27 name: `ace` cannot be answered with `SendDTMF`",
        ),
        (
            around(
                "[callout.custom]\nice = { action = { name = \"connectPstn\", number = \"{{ number }}\", Number = \"1\" } }\n",
            ),
            "5:67 Number: `ice` has `Number` twice in one object",
        ),
        (
            around(
                "[callout.custom]\ncli = \"private\"\nice = '{\"action\":{\"name\":\"connectPstn\",\"number\":\"{{ number }}\"}}'\n",
            ),
            "5:1 cli: inline `ice` takes no `cli` beside it",
        ),
    ];
    for (source, expected) in cases {
        let found = faults(source);
        let fits = |fault: &String| {
            fault == expected || (expected.ends_with(' ') && fault.starts_with(expected))
        };
        assert!(
            found.iter().any(fits),
            "expected {expected}\nfound {found:#?}"
        );
    }
}

/// The faults or warnings of a `[schedule]`, which begins on line 7, with their help.
fn scheduled(lines: &str) -> Vec<String> {
    let source = tts(&format!("[schedule]\n{lines}\n"));
    let found = match Campaign::parse(&source, Path::new("c.toml")) {
        Ok(campaign) => campaign.warnings().to_vec(),
        Err(faults) => faults.as_slice().to_vec(),
    };
    let shown = found.into_iter().map(|f| {
        format!(
            "{}:{} {}: {} ({})",
            f.line, f.column, f.text, f.message, f.help
        )
    });
    shown.collect()
}

#[test]
fn a_schedule_reads_as_it_is_written() {
    let source = tts(
        "[schedule]\nstart = \"2026-12-01T09:00:00[Europe/Stockholm]\"\n\
         repeat = \"0 9 * * mon-fri\"\nmisfire = \"skip\"\nexpires_after = \"6h\"\n\
         until = \"2027-01-31T23:59[Europe/Stockholm]\"\n",
    );
    let campaign = parse(&source);
    assert_eq!(campaign.warnings(), []);
    let schedule = campaign.schedule.expect("it has one");
    assert_eq!(
        schedule.start.to_string(),
        "2026-12-01T09:00:00+01:00[Europe/Stockholm]"
    );
    let repeat = schedule.repeat.as_ref().expect("it repeats");
    assert_eq!(repeat.as_str(), "0 9 * * mon-fri");
    assert_eq!(
        repeat.words(),
        "At 09:00, on Monday, Tuesday, Wednesday, Thursday, and Friday"
    );
    assert_eq!(schedule.misfire, Misfire::Skip);
    assert_eq!(
        schedule.expires_after,
        Some(std::time::Duration::from_hours(6))
    );
    assert_eq!(schedule.after(jiff::Timestamp::MIN).count(), 44);
    assert_eq!(parse(&tts("")).schedule, None);
    // Either of two moments can be meant, when it is said which.
    for (offset, utc) in [("+02:00", "00:30"), ("+01:00", "01:30")] {
        let start = format!("start = \"2026-10-25T02:30:00{offset}[Europe/Stockholm]\"");
        let campaign = parse(&tts(&format!("[schedule]\n{start}\n")));
        let start = campaign.schedule.expect("it has one").start.timestamp();
        assert_eq!(start.to_string(), format!("2026-10-25T{utc}:00Z"));
    }
}

#[test]
fn each_fault_of_a_schedule_says_what_to_do() {
    let start = "start = \"2026-12-01T09:00[Europe/Stockholm]\"\n";
    let with = |line: &str| format!("{start}{line}");
    let cases = [
        "misfire = \"run\"".to_owned(),
        "start = 2026-12-01T09:00:00+01:00".into(),
        "start = \"tomorrow\"".into(),
        "start = \"2026-12-01[Europe/Stockholm]\"".into(),
        "start = \"2026-12-01T09:00:00\"".into(),
        "start = \"2026-12-01T09:00:00+01:00\"".into(),
        "start = \"2026-12-01T09:00:00Z\"".into(),
        "start = \"2026-12-01T09:00:00[+01:00]\"".into(),
        "start = \"2026-12-01T09:00:00[Europe/Stokholm]\"".into(),
        "start = \"2026-12-01T09:00:00+02:00[Europe/Stockholm]\"".into(),
        "start = \"2026-03-29T02:30:00[Europe/Stockholm]\"".into(),
        "start = \"2026-10-25T02:30:00[Europe/Stockholm]\"".into(),
        "start = \"2026-10-25T02:30:00+05:00[Europe/Stockholm]\"".into(),
        with("repeat = \"0 0 9 * * mon-fri\""),
        with("repeat = \"0 9 * * mon-fry\""),
        with("repeat = \"0 9 30 2 *\""),
        with("repeat = 9"),
        with("repeat = \"0 9 * * *\"\nuntil = \"2026-11-01T09:00[Europe/Stockholm]\""),
        with("repeat = \"0 9 * * sun\"\nuntil = \"2026-12-02T09:00[Europe/Stockholm]\""),
        with("until = \"2026-12-02T09:00[Europe/Stockholm]\""),
        with("misfire = \"skipp\""),
        with("misfire = \"wait\""),
        with("expires_after = \"6 hours\""),
        with("expires_after = 6"),
        with("expires_after = \"0s\""),
        with("repat = \"0 9 * * *\""),
        // Doubtful, and no more than that.
        with("repeat = \"0 9 * * sun\""),
        with("repeat = \"0 9,10 * * *\"\nexpires_after = \"90m\""),
    ];
    let found: Vec<String> = cases.iter().flat_map(|case| scheduled(case)).collect();
    assert_eq!(found.len(), cases.len(), "one each");
    insta::assert_snapshot!(found.join("\n"), @r##"
    7:1 [schedule]: [schedule] needs `start` (start = "2026-12-01T09:00:00[Europe/Stockholm]")
    8:9 2026-12-01T09:00:00+01:00: `start` is a date or time (`start` must be a moment with its zone, in quotes: "2026-12-01T09:00:00[Europe/Stockholm]")
    8:9 "tomorrow": `start` cannot be read: `tomorrow` is no date and time (such as "2026-12-01T09:00:00[Europe/Stockholm]")
    8:9 "2026-12-01[Europe/Stockholm]": `start` has no time of day ("2026-12-01T09:00[Europe/Stockholm]")
    8:9 "2026-12-01T09:00:00": `start` has no zone, so nobody knows whose clock is meant (put the zone behind it, as in "2026-12-01T09:00:00[Europe/Stockholm]")
    8:9 "2026-12-01T09:00:00+01:00": `start` has an offset and no zone: an offset knows no summer time (put the zone behind it, as in "2026-12-01T09:00:00+01:00[Europe/Stockholm]")
    8:9 "2026-12-01T09:00:00Z": `start` has an offset and no zone: an offset knows no summer time (put the zone behind it, as in "2026-12-01T09:00:00[UTC]")
    8:9 "2026-12-01T09:00:00[+01:00]": `start` names an offset in the place of its zone (a zone of the IANA list, such as [Europe/Stockholm] or [UTC])
    8:9 "2026-12-01T09:00:00[Europe/Stokholm]": `start` names a zone that does not exist: `Europe/Stokholm` (did you mean [Europe/Stockholm]?)
    8:9 "2026-12-01T09:00:00+02:00[Europe/Stockholm]": `start` has an offset that the zone does not have then (it is +01:00 there: "2026-12-01T09:00:00+01:00[Europe/Stockholm]")
    8:9 "2026-03-29T02:30:00[Europe/Stockholm]": `start` does not exist: the clocks go forward over 02:30:00 (a time that exists that day, such as "2026-03-29T03:30:00[Europe/Stockholm]")
    8:9 "2026-10-25T02:30:00[Europe/Stockholm]": `start` comes twice: the clocks go back that day (say which with the offset: "2026-10-25T02:30:00+02:00[Europe/Stockholm]" is the first, "2026-10-25T02:30:00+01:00[Europe/Stockholm]" the second)
    8:9 "2026-10-25T02:30:00+05:00[Europe/Stockholm]": `start` comes twice: the clocks go back that day (say which with the offset: "2026-10-25T02:30:00+02:00[Europe/Stockholm]" is the first, "2026-10-25T02:30:00+01:00[Europe/Stockholm]" the second)
    9:10 "0 0 9 * * mon-fri": `repeat`: a rule has five fields, this has 6 (there is no field for seconds: minute, hour, day of the month, month, weekday, such as "0 9 * * mon-fri")
    9:19 mon-fry: `repeat`: `mon-fry` is no weekday (0 to 7 (0 and 7 are Sunday), or sun to sat; `mon#1` is the first Monday, `fri#L` the last Friday of a month)
    9:10 "0 9 30 2 *": `repeat` never comes round (the day does not exist in that month: "0 9 L * *" is the last day of each month)
    9:10 9: `repeat` is a whole number (`repeat` must be a string in quotes)
    10:9 "2026-11-01T09:00[Europe/Stockholm]": `until` is before `start` (the last moment at which it may start again, after `start`)
    9:10 "0 9 * * sun": `repeat` names no moment between `start` and `until` (a later `until`, or another rule)
    9:1 until: `until` ends nothing without `repeat` (take it out, or say how the schedule repeats: repeat = "0 9 * * mon-fri")
    9:11 "skipp": `misfire` cannot be `skipp` (did you mean "skip"?)
    9:11 "wait": `misfire` cannot be `wait` ("run" makes up for the latest start that was missed, "skip" waits for the next)
    9:17 "6 hours": `expires_after`: `6 hours` is no duration (did you mean "6h"?)
    9:17 6: `expires_after` is a whole number (`expires_after` must be a duration with its unit, in quotes: "6s", "6m", "6h" or "6d")
    9:17 "0s": `expires_after` is out of range (from "1s" to "3650d")
    9:1 repat: unknown key `repat` in [schedule] (did you mean `repeat`?)
    8:9 "2026-12-01T09:00[Europe/Stockholm]": `repeat` does not name this moment: the first start is 2026-12-06T09:00:00+01:00[Europe/Stockholm] (with `repeat`, `start` says from when on the rule holds)
    10:17 "90m": `expires_after` is longer than 1h, after which the next start comes (a start that comes while a run goes on is skipped; "1h" or less ends each run before the next)
    "##);
}

#[test]
fn an_unknown_key_is_told_its_nearest_or_all() {
    let help = |line: &str| {
        let faults = Campaign::parse(&tts(line), Path::new("c.toml")).unwrap_err();
        faults.as_slice()[0].help.clone()
    };
    assert_eq!(help("enableAce = true\n"), "did you mean `enable_ace`?");
    assert!(help("colour = 1\n").starts_with("[callout.tts] knows `cli`, `domain`"));
    let form = |line: &str| {
        let file = "file = \"l.csv\"\n";
        let source = tts("").replace(file, &format!("{file}{line}\n"));
        let faults = Campaign::parse(&source, Path::new("c.toml")).unwrap_err();
        let fault = &faults.as_slice()[0];
        (fault.message.clone(), fault.help.clone())
    };
    let (message, help) = form("numbers = \"internatonal\"");
    assert_eq!(message, "`internatonal` is not a way to write numbers");
    assert!(
        help.starts_with("did you mean \"international\"?"),
        "{help}"
    );
    assert!(form("number = 1\nnumbers = true").0.contains("`number`"));
    let (message, help) = form("numbers = \"national\"");
    assert_eq!(message, "`numbers = \"national\"` needs a region");
    assert!(help.contains("region"), "{help}");
}

#[test]
fn a_doubtful_language_is_a_warning() {
    let campaign = parse(&tts("locale = \"sv-SV\"\n"));
    let warning = &campaign.warnings()[0];
    assert_eq!((warning.line, warning.column), (7, 10));
    assert_eq!(warning.help, "did you mean `sv-SE`?");
}

#[test]
fn a_file_that_cannot_be_read_is_a_fault_too() {
    let load = |path: &Path| Campaign::load(path).unwrap_err().to_string();
    assert!(load(Path::new("/none/x.toml")).starts_with("/none/x.toml:1:1: cannot read"));
    let folder = tempfile::tempdir().unwrap();
    assert!(load(folder.path()).contains("this is not a file"));
    let path = folder.path().join("x.toml");
    std::fs::write(&path, b"name = \"a\"\nx = \"\xff\"\n").unwrap();
    assert!(load(&path).contains("x.toml:2:6: byte 0xff is not UTF-8"));
}

#[test]
fn a_column_the_list_does_not_have_is_found_where_it_is_named() {
    let found = bind_faults(&said("Hej {{ naem }}, {{ x.y }} {{ row[\"due dat\"] }}"));
    insta::assert_snapshot!(found.join("\n"), @r"
    6:16 naem: `l.csv` has no column `naem` (did you mean `name`? the list has `number`, `name`, `due date` and `Läkare`)
    6:28 x: `l.csv` has no column `x` (the list has `number`, `name`, `due date` and `Läkare`)
    6:43 due dat: `l.csv` has no column `due dat` (did you mean `due date`? the list has `number`, `name`, `due date` and `Läkare`)
    ");
    insta::assert_snapshot!(faults(&said("Hej {{ name | frob }}")).join("\n"), @"6:23 frob: template of `text`: filter frob is unknown");
    insta::assert_snapshot!(faults(&said("Hej {{ Läkare }}")).join("\n"), @"6:17 : template of `text`: unexpected character");
    // What a template declares itself is no column.
    let own = said("{% set x = name %}{{ x }}{% for c in name %}{{ loop.index }}{% endfor %}");
    assert_eq!(bind_faults(&own), Vec::<String>::new());
}

#[test]
fn any_column_can_be_reached_and_an_empty_one_refuses_the_row() {
    let said_by = |text: &str, cells| text_of(&said(text), cells).map_err(|fault| fault.reason);
    let ok = |text: &str| Ok::<_, String>(text.to_owned());
    let all = "{{ row[\"due date\"] }} {{ row.name }} {{ row[\"Läkare\"] }}";
    assert_eq!(said_by(all, ["a", "b", "c"]), ok("b a c"));
    assert_eq!(
        said_by("{{ name }} & <b>", ["\"Ö\" & <i>", "", ""]),
        ok("\"Ö\" & <i> & <b>")
    );
    assert_eq!(said_by("{{ name }}", [" a ", "", ""]), ok(" a "));
    let empty = Err("column `name` is empty, `text` needs it".to_owned());
    assert_eq!(said_by("Hej {{ name }}", [" \u{a0}", "", ""]), empty);
    assert_eq!(said_by("Hej {{ name | upper }}", ["", "", ""]), empty);
    assert_eq!(
        said_by("Hej {{ name | default(\"you\") }}", ["", "", ""]),
        ok("Hej you")
    );
    assert_eq!(
        said_by("Hej{% if name %} {{ name }}{% endif %}", ["", "", ""]),
        ok("Hej")
    );
    let names = "{% for k in row %}{{ k }};{% endfor %}";
    assert_eq!(
        said_by(names, ["", "", ""]),
        ok("number;name;due date;Läkare;")
    );
}

#[test]
fn a_rendered_text_keeps_the_limits_of_a_literal_one() {
    let long = "x".repeat(600);
    assert!(text_of(&said("{{ name }}"), [&long, "", ""]).is_ok());
    let fault = text_of(&said("{{ name }}!"), [&long, "", ""]).unwrap_err();
    assert_eq!(
        fault.reason,
        "`text` has 601 characters, the platform takes 600"
    );
    let fault = text_of(&said("{{ name }}"), ["a\u{7}", "", ""]).unwrap_err();
    assert_eq!(fault.column.as_deref(), Some("name"));
    assert!(fault.reason.contains("control character"), "{fault}");
    assert!(text_of(&said("{{ name }}"), ["a\r\n\tb", "", ""]).is_ok());
    let endless = "{% for a in range(9000) %}{% for b in range(9000) %}x{% endfor %}{% endfor %}";
    let fault = text_of(&said(endless), ["", "", ""]).unwrap_err();
    assert!(fault.reason.contains("too long to render"), "{fault}");
    let header = tts("headers = { \"X-CB-A\" = \"{{ name }}\" }\n");
    let fault = render(&bind(&header), ["å", "", ""]).unwrap_err();
    assert!(fault.reason.starts_with("`X-CB-A` has `å`"), "{fault}");
}

#[test]
fn a_cell_cannot_change_the_prompts_around_it() {
    let source = prompted("#tts[Hi {{ name }}];#ssml[<speak>{{ row[\"Läkare\"] }}</speak>]");
    let good = text_of(&source, ["A, b", "", "c 'd'"]).unwrap();
    assert_eq!(good, "#tts[Hi A, b];#ssml[<speak>c 'd'</speak>]");
    for bad in ["a]", "[a", "a;b", "#a"] {
        let fault = text_of(&source, [bad, "", "c"]).unwrap_err();
        assert_eq!(
            (fault.column.as_deref(), fault.value.as_deref()),
            (Some("name"), Some(bad))
        );
    }
    for bad in ["<a", "a>", "a&b", "a\"b"] {
        assert!(text_of(&source, [bad, "", "c"]).is_ok());
        let fault = text_of(&source, ["a", "", bad]).unwrap_err();
        assert_eq!(fault.column.as_deref(), Some("Läkare"));
    }
    for bad in ["a]", "[a", "a;b", "#a"] {
        assert!(text_of(&source, ["a", "", bad]).is_err(), "{bad}");
    }
    // Not even through a filter, a variable, or a template's own mark that it is safe.
    for text in [
        "{{ name | safe }}",
        "{{ name ~ 1 }}",
        "{% set x = name %}{{ x }}",
        "{{ [name] | join }}",
    ] {
        let source = prompted(&format!("#tts[{text}]"));
        assert!(
            text_of(&source, ["a];#href[http://evil/", "", ""]).is_err(),
            "{text}"
        );
    }
    let attribute = prompted("#ssml[<speak><prosody rate='{{ name }}'>a</prosody></speak>]");
    assert!(text_of(&attribute, ["x' y='z", "", ""]).is_err());
}

const PRESS_ONE: &str = r#"[callout.custom]
ice = '''{"action":{"name":"connectPstn","number":"{{ number }}","cli":"private"}}'''
ace = { instructions = [{ name = "say", text = "Hi {{ name }}" }], action = { name = "hangup" } }
"#;

#[test]
fn inline_ice_dials_the_rows_own_number_and_no_other() {
    let script = bind(&around(PRESS_ONE));
    let callout = render(&script, ["Bo", "", ""]).unwrap();
    let CalloutBody::Custom(custom) = callout.body else {
        panic!("it is custom");
    };
    assert_eq!((custom.cli, custom.destination), (None, None));
    let ice: serde_json::Value = serde_json::from_str(&custom.ice.unwrap()).unwrap();
    assert_eq!(ice["action"]["number"], "+46701740605");
    for (number, right) in [
        ("+46 70 174 06 05", true),
        ("46701740605", true),
        ("+46701740606", false),
        ("+46{{ number }}", false),
        ("{{ name }}", false),
        ("", false),
    ] {
        let source = around(&PRESS_ONE.replace("{{ number }}", number));
        let rendered = render(&bind(&source), ["+46701740699", "", ""]);
        assert_eq!(rendered.is_ok(), right, "{number}");
    }
}

#[test]
fn with_an_address_as_ice_the_destination_is_sent() {
    let source = around(
        "[callout.custom]\ncli = \"+46100000000\"\nice = \"https://a.example/ice?id={{ name }}\"\n",
    );
    let CalloutBody::Custom(custom) = render(&bind(&source), ["A-17", "", ""]).unwrap().body else {
        panic!("it is custom");
    };
    assert_eq!(custom.ice.as_deref(), Some("https://a.example/ice?id=A-17"));
    assert_eq!(
        custom.destination,
        Some(Destination::number("+46701740605"))
    );
    assert!(render(&bind(&source), ["a&b=c", "", ""]).is_err());
}

/// Each warning of a campaign as `line:column text: message; help`.
#[test]
fn every_documented_field_of_each_kind_can_be_set_and_has_the_apis_own_spelling() {
    let callout = |lines: &str| {
        let script = bind(&around(&format!("destination_type = \"sip\"\n{lines}")));
        let destination = Destination {
            kind: DestinationKind::Sip,
            endpoint: "desk@sip.example.com".to_owned(),
        };
        let row = ["desk@sip.example.com", "Anna", "x", "y"];
        let rendered = script.callout(&destination, &row).unwrap();
        let request = CalloutRequest::new(&rendered, AttemptId::from_bytes([0; 16]));
        serde_json::to_value(request).unwrap()
    };
    let custom = format!("{} mine", "0".repeat(32));
    let to = json!({ "type": "sip", "endpoint": "desk@sip.example.com" });
    let common = "cli = \"+46100000000\"\ncustom = \"mine\"\ndtmf = \"w1#\"\n\
                  enable_ace = true\nenable_dice = false\n";
    assert_eq!(
        callout(&format!(
            "[callout.tts]\n{common}enable_pie = true\ndomain = \"mxp\"\nlocale = \"Emma\"\n\
             prompts = \"#tts[Hello]\"\n"
        )),
        json!({ "method": "ttsCallout", "ttsCallout": {
            "cli": "+46100000000", "destination": to, "domain": "mxp", "custom": custom,
            "locale": "Emma", "prompts": "#tts[Hello]", "dtmf": "w1#",
            "enableAce": true, "enableDice": false, "enablePie": true,
        }})
    );
    assert_eq!(
        callout(&format!(
            "[callout.conference]\n{common}enable_pie = true\ndomain = \"pstn\"\n\
             locale = \"en-US/male\"\ngreeting = \"Hello {{{{ name }}}}\"\nconference_id = \"team\"\n\
             moh_class = \"music3\"\nmax_duration = 60\n\
             conference_dtmf_options = {{ mode = \"detect\", max_digits = 4, timeout_mills = 2500 }}\n"
        )),
        json!({ "method": "conferenceCallout", "conferenceCallout": {
            "cli": "+46100000000", "destination": to, "domain": "pstn", "custom": custom,
            "locale": "en-US/male", "greeting": "Hello Anna", "conferenceId": "team",
            "conferenceDtmfOptions": { "mode": "detect", "maxDigits": 4, "timeoutMills": 2500 },
            "mohClass": "music3", "maxDuration": 60, "dtmf": "w1#",
            "enableAce": true, "enableDice": false, "enablePie": true,
        }})
    );
    let url = |name: &str| format!("{name} = \"https://example.com/{name}\"\n");
    let urls: String = ["ice", "ace", "pie", "dice"].map(url).concat();
    assert_eq!(
        callout(&format!(
            "[callout.custom]\n{common}max_duration = 60\npop = \"eu-central\"\n{urls}"
        )),
        json!({ "method": "customCallout", "pop": "eu-central", "customCallout": {
            "cli": "+46100000000", "destination": to, "custom": custom,
            "maxDuration": 60, "dtmf": "w1#", "enableAce": true, "enableDice": false,
            "ice": "https://example.com/ice", "ace": "https://example.com/ace",
            "pie": "https://example.com/pie", "dice": "https://example.com/dice",
        }})
    );
}

fn warnings(source: &str) -> Vec<String> {
    let campaign = Campaign::parse(source, Path::new("c.toml"));
    let campaign = campaign.unwrap_or_else(|faults| panic!("{faults}"));
    let show = |w: &callout::campaign::Fault| {
        format!(
            "{}:{} {}: {}; {}",
            w.line, w.column, w.text, w.message, w.help
        )
    };
    campaign.warnings().iter().map(show).collect()
}

#[test]
fn what_svaml_has_beyond_the_documents_is_warned_of_and_sent() {
    let ace = |ace: &str| {
        around(&format!(
            "[callout.custom]\ncli = \"private\"\nace = {ace}\n"
        ))
    };
    let none: [&str; 0] = [];
    let cases = [
        (
            r#"{ action = { Name = "hangup" }, instructions = [{ name = "SAY", txet = "a", text = "a" }] }"#,
            "6:71 txet: `say` has no `txet` in the documents; did you mean `text`?",
        ),
        (
            r#"{ action = { name = "runMenu", menus = [{ id = "main", options = [{ key = "1", dtmf = "1", action = "return(a)" }] }] } }"#,
            "6:75 key: `options` has no `key` in the documents; `options` has `dtmf` and `action`",
        ),
        (
            r#"'{"action": {"name": "hangup", "now": 1}}'"#,
            "6:39 now: `hangup` has no `now` in the documents; `hangup` has `hangupCause`",
        ),
        (
            r#"{ action = { name = "hangUpp" } }"#,
            "6:18 { name = \"hangUpp\" }: `ace` has `hangUpp`, which the documents do not name; \
             did you mean `hangup`?",
        ),
        (
            r#"{ action = { name = "transfer" } }"#,
            "6:18 { name = \"transfer\" }: `ace` has `transfer`, which the documents do not name; \
             known are `hangup`, `continue`, `connectConf` and `runMenu`",
        ),
    ];
    for (source, expected) in cases {
        assert_eq!(warnings(&ace(source)), [expected]);
    }
    assert_eq!(
        warnings(&ace(
            r#"{ action = { NAME = "RunMENU", BARGE = true, menus = [{ id = "main" }] } }"#
        )),
        none
    );
    let ice = PRESS_ONE.replace("\"cli\"", "\"clip\"");
    let expected = "`connectPstn` has no `clip` in the documents; did you mean `cli`?";
    assert!(warnings(&around(&ice))[0].ends_with(expected));
}

#[test]
fn each_text_of_a_document_stands_where_it_was_written() {
    let ace = r##"{ action = { name = "runMenu", enableVoice = false, menus = [
        { id = "{{ row['due date'] }}", mainPrompt = "#tts[{{ name }}]", repeats = 2 },
        { id = "main", mainPrompt = "#tts[{{ row['due date'] }} {{ name }}]" },
    ], locale = "{{ row['Läkare'] }}" } }"##
        .replace('\n', " ");
    let source = around(&format!(
        "[callout.custom]\ncli = \"private\"\nace = {ace}\n"
    ));
    let CalloutBody::Custom(custom) = render(&bind(&source), ["Bo", "7", "sv-SE"]).unwrap().body
    else {
        panic!("it is custom");
    };
    let expected = r##"{"action":{"name":"runMenu","enableVoice":false,"menus":[{"id":"7","mainPrompt":"#tts[Bo]","repeats":2},{"id":"main","mainPrompt":"#tts[7 Bo]"}],"locale":"sv-SE"}}"##;
    assert_eq!(custom.ace.as_deref(), Some(expected));
}

#[test]
fn what_may_not_answer_an_event_is_told_what_may() {
    let help = |hook: &str, svaml: &str| {
        let source = around(&format!(
            "[callout.custom]\ncli = \"private\"\n{hook} = {svaml}\n"
        ));
        let faults = Campaign::parse(&source, Path::new("c.toml")).unwrap_err();
        faults.as_slice()[0].help.clone()
    };
    assert_eq!(
        help("ace", r#"{ action = { name = "park" } }"#),
        "there may stand `hangup`, `continue`, `connectConf` and `runMenu`"
    );
    assert_eq!(
        help("dice", r#"{ action = { name = "continue" } }"#),
        "there may stand `hangup`"
    );
    let answer = r#"{ action = { name = "hangup" }, instructions = [{ name = "answer" }] }"#;
    assert_eq!(
        help("pie", answer),
        "there may stand `playFiles`, `say`, `sendDtmf`, `setCookie`, `startRecording` and \
         `stopRecording`"
    );
}

/// A JSON document with every string that is not a key replaced: its structure.
fn structure(json: &serde_json::Value) -> serde_json::Value {
    match json {
        serde_json::Value::String(_) => "s".into(),
        serde_json::Value::Array(items) => items.iter().map(structure).collect(),
        serde_json::Value::Object(entries) => entries
            .iter()
            .map(|(key, value)| (key.clone(), structure(value)))
            .collect(),
        other => other.clone(),
    }
}

fn check_any(source: &str) {
    match Campaign::parse(source, Path::new("c.toml")) {
        Ok(campaign) => {
            let header = HEADER.map(String::from);
            if let Ok(script) = campaign.bind(&header, Path::new("l.csv")) {
                drop(render(&script, ["a", "", "#;]"]));
            }
        }
        Err(faults) => {
            assert!(faults.len() > 0 && !faults.to_string().is_empty());
            for fault in faults {
                assert!(fault.line > 0 && fault.column > 0 && !fault.help.is_empty());
            }
        }
    }
}

/// Lines that are nearly right, to be put together at random.
const LINES: &[&str] = &[
    "name = \"t\"",
    "[recipients]",
    "file = \"l.csv\"",
    "region = \"SE\"",
    "[callout.tts]",
    "cli = \"+46100000000\"",
    "text = \"Hej {{ name }} {{ row[\\\"å\\\"] }}\"",
    "prompts = '''#tts[{% if x %};{{ \"]\" }}{% endif %}];#ssml[å'''",
    "[callout.custom]",
    "ice = '{\"action\":{\"name\":\"connectPstn\",\"number\":\"{{ number }}\"}}'",
    "ice = '{å'",
    "ace = { instructions = [{ name = \"say\" }, 5], action = 1979-05-27 }",
    "[callout.conference]",
    "conference_id = \"{{ row.x }}\"",
    "headers = { \"X-CB-å\" = \"{{\" }",
    "[pacing]",
    "calls_per_second = 1e400",
    "concurrent_calls = 0xffffffffffffffffff",
    "max_duration = -0",
    "custom = \"{{ row[name] }}{{ '\\u00e5\\\\' }}\"",
    "[[callout]]",
    "callout.tts = 5",
    "greeting = \"{# #}\"",
];

proptest! {
    #[test]
    fn no_row_adds_an_instruction_to_svaml(name in "[\"\\\\{}\\[\\],:;# a-z\n\u{1}å]{1,40}") {
        let script = bind(&around(PRESS_ONE));
        let ace = |name: &str| -> Option<serde_json::Value> {
            let CalloutBody::Custom(custom) = render(&script, [name, "", ""]).ok()?.body else {
                return None;
            };
            Some(serde_json::from_str(&custom.ace.unwrap()).unwrap())
        };
        if let Some(rendered) = ace(&name) {
            prop_assert_eq!(structure(&rendered), structure(&ace("Bo").unwrap()));
            prop_assert_eq!(&rendered["instructions"][0]["text"], &format!("Hi {name}"));
        }
    }

    #[test]
    fn no_row_adds_a_prompt(name in "[\\[\\];#<>&\"'a-zå ]{1,12}") {
        let source = prompted("#tts[Hi {{ name }}]; #ssml[<speak>{{ name }}</speak>];x.wav");
        if let Ok(prompts) = text_of(&source, [&name, "", ""]) {
            let items: Vec<&str> = prompts.split(';').collect();
            prop_assert_eq!(items.len(), 3);
            prop_assert_eq!(items[0], format!("#tts[Hi {name}]"));
            prop_assert_eq!(items[1], format!("#ssml[<speak>{name}</speak>]"));
            prop_assert_eq!(items[1].matches('<').count(), 2);
        }
    }

    #[test]
    fn any_text_is_a_campaign_or_faults(source in any::<String>()) {
        check_any(&source);
    }

    #[test]
    fn any_near_campaign_is_a_campaign_or_faults(
        lines in prop::collection::vec(prop::sample::select(LINES.to_vec()), 0..14),
        cut in 0_usize..400,
        noise in "[\"'{}\\[\\]=%#\n.å]{0,3}",
    ) {
        let mut source = lines.join("\n");
        let at = (0..=cut.min(source.len())).rev().find(|&at| source.is_char_boundary(at));
        source.insert_str(at.unwrap_or(0), &noise);
        check_any(&source);
    }
}
