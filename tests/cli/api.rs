//! The rest of the Calling API by hand: every command against the simulated platform over HTTP.
//!
//! The platform notes each request that is not as the documents say; the last line of a test's story
//! is that there was none.

use std::fmt::Write as _;

use crate::support::{Desk, Out, Platform, Running, Table, wait_for};
use serde_json::{Value, json};

/// A platform on which everybody answers at once and talks long.
const PATIENT: [&str; 8] = [
    "--time-scale",
    "1",
    "--ring",
    "0-0",
    "--talk",
    "600-600",
    "--mix",
    "100,0,0,0",
];

struct Story {
    platform: Platform,
    desk: Desk,
}

impl Story {
    fn begin(auth: &str, shape: &str) -> Self {
        let options = [&PATIENT[..], &["--shape", shape]].concat();
        let platform = Platform::start(&options);
        let mut desk = Desk::at(&platform);
        desk.set("SINCH_AUTH", auth);
        Self { platform, desk }
    }

    fn run(&self, line: &str) -> Out {
        let words: Vec<&str> = line.split(' ').collect();
        self.desk.run(&words)
    }

    fn says(&self, line: &str) -> String {
        self.run(line).ends(0).stdout
    }

    fn json(&self, line: &str) -> Value {
        self.run(&format!("{line} --json")).ends(0).json()
    }

    /// Somebody is called into a conference, by `call place`, which goes on until the call is over.
    fn call_in(&self, number: &str, conference: &str) -> (Running, String) {
        let db = format!("sqlite:{}.db", number.trim_start_matches('+'));
        let words = [
            "call",
            "place",
            number,
            "--cli",
            "+46100000000",
            "--conference",
            conference,
            "--json",
            "--db",
            &db,
        ];
        let placing = self.desk.start(&words);
        let show = ["conference", "show", conference, "--json"];
        let id = wait_for("somebody in the conference", || {
            let out = self.desk.run(&show);
            let shown: Value = serde_json::from_str(&out.stdout).ok()?;
            let all = shown["participants"].as_array()?;
            let one = all.iter().find(|p| p["number"] == number)?;
            Some(one["call_id"].as_str()?.to_owned())
        });
        (placing, id)
    }

    /// No request was other than the documents say.
    fn ends_well(self) {
        let requests = self.platform.requests();
        assert!(!requests.rows.is_empty());
        for row in &requests.rows {
            assert_eq!(requests.cell(row, "against"), "", "{row:?}");
        }
        let posts = self.platform.posts();
        for row in &posts.rows {
            assert_eq!(posts.cell(row, "against"), "", "{row:?}");
        }
    }
}

/// What differs from one run of the tests to the next.
fn still() -> insta::internals::SettingsBindDropGuard {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.add_filter(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "[time]");
    settings.add_filter(r"127\.0\.0\.1:\d+", "[platform]");
    settings.add_filter(r"\b[0-9a-f]{32}\b", "[attempt]");
    settings.add_filter(r"reference [0-9a-f-]{36}", "reference [reference]");
    settings.add_filter(r"\d+ s behind", "[seconds] behind");
    // Which rules of time zones are the newest depends on the machine.
    settings.add_filter(r"(ok|warning) +time zones .*\n( +-> .*\n)?", "");
    settings.add_filter(r#"(?s)    \{\n      "what": "time zones".*?\},\n"#, "");
    // As wide as the seconds that a call has lasted.
    settings.add_filter(r"FOR +MUTED", "FOR  MUTED");
    settings.add_filter(r#"run( +|": ")[0-9a-f]{12}"#, "run${1}[run]");
    settings.add_filter(r"\b\d+(\.\d)? s\b", "[seconds]");
    settings.add_filter(r#""duration_s": \d+"#, r#""duration_s": [seconds]"#);
    settings.bind_to_scope()
}

/// Every way to be authorised, and every generation of answers.
const WAYS: [(&str, &str); 4] = [
    ("signed", "new"),
    ("basic", "new"),
    ("signed", "old"),
    ("basic", "mixed"),
];

#[test]
fn a_number_that_is_assigned_is_listed_so_and_can_be_taken_back() {
    for (auth, shape) in WAYS {
        let story = Story::begin(auth, shape);
        let assigned = || {
            let listed = story.json("number list");
            let numbers = listed["numbers"].as_array().unwrap().clone();
            let one = numbers.iter().find(|n| n["number"] == "+46100000001");
            one.unwrap()["application_key"].clone()
        };
        assert_eq!(assigned(), Value::Null);
        story.says("number assign +46(0)10-0000001 +12025550101 --dry-run");
        assert_eq!(assigned(), Value::Null, "a dry run sends nothing");
        story.says("number assign +46-100000001 +12025550101 --capability voice");
        assert_eq!(assigned(), "rehearsal");
        let asked = story.run("number unassign +46100000001").ends(2);
        assert!(asked.stderr.contains("say --yes"), "{}", asked.stderr);
        assert_eq!(assigned(), "rehearsal", "nobody said yes");
        story.says("number unassign +46100000001 --yes");
        assert_eq!(assigned(), Value::Null);
        let other = "number assign +46100000001 --application 11983f76-12c8-1111-9515-4785c7b49ca8";
        story.says(other);
        assert_eq!(assigned(), "11983f76-12c8-1111-9515-4785c7b49ca8");
        story.ends_well();
    }
}

#[test]
fn callbacks_go_where_they_were_told() {
    for (auth, shape) in WAYS {
        let story = Story::begin(auth, shape);
        let none = json!({ "primary": null, "fallback": null });
        assert_eq!(story.json("callback get"), none);
        story.says("callback set https://example.com/cb --fallback https://example.org/cb");
        let both =
            json!({ "primary": "https://example.com/cb", "fallback": "https://example.org/cb" });
        assert_eq!(story.json("callback get"), both);
        let wrong = story.run("callback set example.com").ends(2);
        assert!(wrong.stderr.contains("whole URL"), "{}", wrong.stderr);
        let unknown = story.run("callback get --application nobody").ends(1);
        assert!(unknown.stderr.contains("40003"), "{}", unknown.stderr);
        story.ends_well();
    }
}

#[test]
fn a_number_is_looked_up_as_people_write_it() {
    for (auth, shape) in WAYS {
        let story = Story::begin(auth, shape);
        let told = story
            .desk
            .run(&["lookup", "+46(0)70-174 06 05", "+1 202 555 0123", "--json"]);
        let told = told.ends(0).json();
        assert_eq!(told[0]["number"], "+46701740605");
        assert_eq!(told[0]["country"], "SE");
        assert_eq!(told[1]["country"], "US");
        assert!(told[0]["rate"]["amount"].is_string(), "{told}");
        story.run("lookup anna").ends(2);
        story.ends_well();
    }
}

#[test]
fn a_participant_is_muted_held_and_kicked() {
    for (auth, shape) in WAYS {
        let story = Story::begin(auth, shape);
        let (first, call) = story.call_in("+46701740605", "team");
        let (second, other) = story.call_in("+46701740606", "team");
        let shown = |what: &str| {
            let told = story.json("conference show team");
            let all = told["participants"].as_array().unwrap().clone();
            all.iter().find(|p| p["call_id"] == *call).unwrap()[what].clone()
        };
        story.says(&format!("conference mute team {call}"));
        assert_eq!(shown("muted"), true);
        story.says(&format!("conference unmute team {call}"));
        assert_eq!(shown("muted"), false);
        story.says(&format!("conference hold team {call} --music music2"));
        if shape == "new" {
            assert_eq!(shown("on_hold"), true);
        }
        story.says(&format!("conference resume team {call}"));
        story.run(&format!("conference kick team {call}")).ends(2);
        story.says(&format!("conference kick team {call} --yes"));
        let ended = first.wait().ends(0).json();
        assert_eq!(ended["reason"], "MANAGERHANGUP");
        assert_eq!(ended["call_id"], *call);
        story.run("conference kick-all team").ends(2);
        story.says("conference kick-all team --yes");
        let ended = second.wait().ends(0).json();
        assert_eq!(ended["call_id"], *other);
        let gone = story.run("conference show team").ends(1);
        assert!(gone.stderr.contains("40400"), "{}", gone.stderr);
        story.run("conference kick team ..").ends(2);
        story.ends_well();
    }
}

#[test]
fn a_call_is_shown_talked_into_recorded_and_ended() {
    for (auth, shape) in WAYS {
        let story = Story::begin(auth, shape);
        let (placing, call) = story.call_in("+46701740605", "team");
        let on = story.json(&format!("call show {call}"));
        assert_eq!(on["status"], "ONGOING");
        assert_eq!(on["debit"], Value::Null);
        story
            .desk
            .run(&["call", "say", &call, "You are being recorded."])
            .ends(0);
        story.says(&format!(
            "call play {call} https://example.com/a.mp3 --leg both"
        ));
        story.says(&format!("call record {call} --to s3://bucket --format mp3"));
        story.says(&format!("call stop-recording {call} --leg callee"));
        story.run(&format!("call hangup {call}")).ends(2);
        story
            .desk
            .run(&["call", "hangup", &call, "--say", "Good bye.", "--yes"])
            .ends(0);
        let ended = placing.wait().ends(0).json();
        assert_eq!(ended["disposition"], "reached");
        let over = story.json(&format!("call show {call}"));
        assert_eq!(over["status"], "FINAL");
        assert_eq!(over["reason"], "MANAGERHANGUP");
        assert_eq!(over["debit"], ended["debit"]);
        let ledger = story.platform.ledger();
        assert_eq!(
            ledger.column("attempt"),
            [ended["attempt"].as_str().unwrap()]
        );
        let gone = story.run(&format!("call hangup {call} --yes")).ends(1);
        assert!(gone.stderr.contains("40400"), "{}", gone.stderr);
        story.ends_well();
    }
}

#[test]
fn svaml_of_ones_own_and_the_oldest_forms_reach_the_platform() {
    let story = Story::begin("signed", "old");
    let (placing, call) = story.call_in("+46701740605", "team");
    story.says(&format!("call record {call} --as-action"));
    story.says(&format!("call stop-recording {call} --as-action"));
    story.desk.write(
        "say.json",
        r#"{"instructions":[{"name":"say","text":"x"}],"action":{"name":"continue"}}"#,
    );
    story.says(&format!("call manage {call} say.json"));
    story
        .desk
        .write("end.json", r#"{"action":{"name":"Hangup"}}"#);
    story.run(&format!("call manage {call} end.json")).ends(2);
    story.desk.write("no.json", "[]");
    let wrong = story.run(&format!("call manage {call} no.json")).ends(2);
    assert!(
        wrong.stderr.contains("not a JSON object"),
        "{}",
        wrong.stderr
    );
    story.says("conference show team --paths older");
    story.says(&format!("call show {call} --paths older"));
    story.says("number list --paths older");
    story.says(&format!("call manage {call} end.json --yes --paths older"));
    placing.wait().ends(0);
    let requests = story.platform.requests();
    let deviations = requests.column("against");
    let count = |word: &str| deviations.iter().filter(|d| d.contains(word)).count();
    assert_eq!(count("path"), 3, "{deviations:?}");
    assert_eq!(count("ction"), 2, "{deviations:?}");
}

#[test]
fn a_recording_is_listed_fetched_whole_and_deleted() {
    for (auth, shape) in WAYS {
        let story = Story::begin(auth, shape);
        let listed = story.json("recording list");
        let keys: Vec<String> = listed["recordings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|r| r["key"].as_str().unwrap().to_owned())
            .collect();
        assert!(keys.len() > 1);
        let paged = story.json("recording list --page 2 --page-size 1");
        assert_eq!(paged["recordings"][0]["key"], *keys[1]);
        let none = story.json("recording list --from 2020-01-01 --to 2020-02-01T00:00:00Z");
        assert_eq!(none, json!({ "recordings": [] }));
        story
            .run("recording list --from 2020-02-01 --to 2020-01-01")
            .ends(2);
        story.run("recording list --page 0").ends(2);
        let key = &keys[0];
        let told = story.json(&format!("recording download {key} --output a.wav"));
        let bytes = story.desk.read("a.wav");
        assert_eq!(told["bytes"], bytes.len());
        assert!(bytes.starts_with(b"RIFF"));
        story
            .run(&format!("recording download {key} --output a.wav"))
            .ends(2);
        story.says(&format!("recording download {key} --output a.wav --force"));
        story.run(&format!("recording delete {key}")).ends(2);
        story.says(&format!("recording delete {key} --yes"));
        let gone = story
            .run(&format!("recording download {key} --output b.wav"))
            .ends(1);
        assert!(gone.stderr.contains("40400"), "{}", gone.stderr);
        assert!(!story.desk.path("b.wav").exists());
        story.ends_well();
    }
}

#[test]
fn a_recording_that_breaks_off_leaves_no_file() {
    // A platform that announces more than it sends.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        let (mut peer, _) = listener.accept().unwrap();
        let mut head = [0; 2048];
        assert!(peer.read(&mut head).unwrap() > 0);
        peer.write_all(
            b"HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\ncontent-length: 900\r\n\r\nID3",
        )
        .unwrap();
    });
    let mut desk = Desk::empty();
    desk.set("SINCH_APPLICATION_KEY", crate::support::KEY);
    desk.set("SINCH_APPLICATION_SECRET", crate::support::SECRET);
    desk.set("SINCH_CALLING_URL", &url);
    let out = desk.run(&["recording", "download", "k"]).ends(1);
    assert!(
        out.stderr.contains("no whole answer came"),
        "{}",
        out.stderr
    );
    server.join().unwrap();
    let left: Vec<_> = std::fs::read_dir(desk.path(".")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_callout_by_hand_is_a_run_of_one_row() {
    let story = Story::begin("signed", "new");
    let lost = Platform::start(&["--time-scale", "0", "--lost", "1"]);
    let desk = Desk::at(&lost);
    let words = |db| {
        let text = [
            "--text",
            "{{ not a template }}",
            "--custom",
            "by hand",
            "--db",
            db,
        ];
        let place = ["call", "place", "+46701740605", "--cli", "+46100000000"];
        [&place[..], &text[..]].concat()
    };
    let out = desk.run(&words("sqlite:callout.db")).ends(1);
    assert!(out.stderr.contains("callout reconcile"), "{}", out.stderr);
    assert!(!out.stderr.contains("1740605"), "masked: {}", out.stderr);
    assert_eq!(
        lost.posted(),
        1,
        "an answer that was lost is not asked for again"
    );
    let runs = desk.run(&["resume"]).ends(2);
    assert!(
        runs.stderr.contains("no run yet"),
        "a call by hand is named: {}",
        runs.stderr
    );
    let run = out
        .stderr
        .split("reconcile ")
        .nth(1)
        .unwrap()
        .split('`')
        .next()
        .unwrap();
    desk.run(&["resume", run]).ends(5);
    assert_eq!(lost.posted(), 1);
    assert_eq!(
        Table::read(desk.run(&["export", run]).ends(0).stdout.as_bytes())
            .column("call_disposition"),
        ["uncertain"]
    );
    // The same against a platform that answers, once the answer is written down.
    let (placing, call) = story.call_in("+46701740607", "solo");
    let db = "sqlite:46701740607.db";
    let said = placing.said();
    let run = said
        .strip_prefix("run ")
        .unwrap()
        .split(':')
        .next()
        .unwrap();
    wait_for("the call's id in the database", || {
        let export = ["export", run, "--table", "attempts", "--db", db];
        story.desk.run(&export).stdout.contains(&call).then_some(())
    });
    assert!(placing.kill());
    let resumed = story.desk.start(&["resume", run, "--db", db, "--json"]);
    story.says(&format!("call hangup {call} --yes"));
    assert_eq!(resumed.wait().ends(0).json()["dispositions"]["reached"], 1);
    let rung = story.platform.ledger().rows.len();
    assert_eq!(rung, 1, "a kill -9 and a resume ring no phone again");
}

#[test]
fn a_callout_of_each_kind_can_be_placed_by_hand() {
    for (auth, shape) in WAYS {
        let platform =
            Platform::start(&["--time-scale", "0", "--mix", "100,0,0,0", "--shape", shape]);
        let mut desk = Desk::at(&platform);
        desk.set("SINCH_AUTH", auth);
        let ice =
            r#"{"action":{"name":"connectPstn","number":"+46701740605","cli":"+46100000000"}}"#;
        let ace = r#"{"instructions":[{"name":"say","text":"hello"}],"action":{"name":"hangup"}}"#;
        let kinds: [&[&str]; 6] = [
            &[
                "--cli",
                "+46100000000",
                "--text",
                "hello",
                "--locale",
                "sv-SE",
                "--dtmf",
                "w1",
            ],
            &[
                "--cli",
                "+46100000000",
                "--prompts",
                "#tts[hello];welcome",
                "--enable-ace",
            ],
            &[
                "--cli",
                "+46100000000",
                "--conference",
                "team",
                "--max-duration",
                "60",
            ],
            &["--ice", ice, "--ace", ace, "--custom", "mine"],
            &[
                "--cli",
                "+46100000000",
                "--ace",
                ace,
                "--max-duration",
                "60",
            ],
            &["--cli", "+46100000000", "--ice", "https://example.com/ice"],
        ];
        for kind in kinds {
            let words = [&["call", "place", "+46701740605", "--json"], kind].concat();
            let told = desk.run(&words).ends(0).json();
            let ledger = platform.ledger();
            let last = ledger.rows.last().unwrap();
            for (ours, theirs) in [
                ("attempt", "attempt"),
                ("call_id", "call_id"),
                ("result", "result"),
            ] {
                assert_eq!(told[ours], ledger.cell(last, theirs), "{kind:?}");
            }
            let debit = told["debit"]["amount"].as_str().unwrap();
            assert_eq!(debit, ledger.cell(last, "debit"), "{kind:?}");
        }
        assert_eq!(platform.ledger().rows.len(), kinds.len());
        let posts = platform.posts();
        assert_eq!(posts.column("against"), vec![""; kinds.len()]);
    }
}

#[test]
fn users_and_sip_addresses_are_called_by_hand_and_by_a_campaign() {
    let platform = Platform::start(&["--time-scale", "0", "--mix", "100,0,0,0"]);
    let desk = Desk::at(&platform);
    let kind_of = |call: &str| {
        let shown = desk.run(&["call", "show", call, "--json"]).ends(0).json();
        shown["to"].clone()
    };
    for (kind, to, told) in [
        ("username", "anna", "Username"),
        ("sip", "desk@sip.example.com", "Sip"),
    ] {
        let place = format!("call place {to} --type {kind} --cli +46100000000 --text x --json");
        let words: Vec<&str> = place.split(' ').collect();
        let placed = desk.run(&words).ends(0).json();
        let call = placed["call_id"].as_str().unwrap();
        assert_eq!(kind_of(call), json!({ "type": told, "endpoint": to }));

        desk.write("list.csv", &format!("who\n{to}\n{to}\n@\n"));
        desk.write(
            "c.toml",
            &format!(
                "name = \"{kind}\"\n[recipients]\nfile = \"list.csv\"\nnumber = \"who\"\n\
                 destination_type = \"{kind}\"\n[callout.tts]\ncli = \"+46100000000\"\n\
                 text = \"x\"\n[pacing]\ncalls_per_second = 50\n"
            ),
        );
        let run = [
            "run",
            "c.toml",
            "--yes",
            "--db",
            &format!("sqlite:{kind}.db"),
        ];
        desk.run(&run).ends(0);
        let export = ["export", "--db", run[4]];
        let results = Table::read(desk.run(&export).ends(0).stdout.as_bytes());
        let ends = results.column("call_disposition");
        // A user may be called `@`; a SIP address is somebody somewhere.
        let odd = if kind == "sip" { "invalid" } else { "reached" };
        assert_eq!(ends, ["reached", "duplicate", odd]);
        let call = results.column("call_id")[0];
        assert_eq!(kind_of(call), json!({ "type": told, "endpoint": to }));
    }
    assert!(
        platform
            .posts()
            .column("against")
            .iter()
            .all(|a| a.is_empty())
    );
}

#[test]
fn svaml_that_the_documents_show_and_forbid_is_sent_with_a_warning() {
    let story = Story::begin("signed", "new");
    let (placing, call) = story.call_in("+46701740605", "team");
    for (svaml, warning) in [
        (
            r#"{"instructions":[{"name":"say","text":"x"}]}"#,
            "warning: the platform may not take this: `action` is missing\n",
        ),
        (
            r#"{"instructions":[{"name":"say","text":"x"}],"action":{"name":"park","maxDuration":900}}"#,
            "warning: the platform may not take this: `action.maxDuration` is not from 1 to 600 seconds\n",
        ),
    ] {
        story.desk.write("own.json", svaml);
        let out = story.run(&format!("call manage {call} own.json")).ends(0);
        assert_eq!(out.stderr, warning, "{svaml}");
        assert_eq!(out.stdout, "the call has its SVAML\n");
    }
    story.desk.write("own.json", "{}");
    let nothing = story.run(&format!("call manage {call} own.json")).ends(2);
    assert!(nothing.stderr.contains("neither"), "{}", nothing.stderr);
    assert!(placing.kill());
}

#[test]
fn a_callout_that_was_answered_is_not_said_to_be_unsent() {
    for (status, told) in [
        (404, "HTTP 404 (Not Found: no route)"),
        (405, "HTTP 405 (Not Found: no route)"),
    ] {
        let body = r#"{"title":"Not Found","status":404,"detail":"no route"}"#;
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-type: application/problem+json\r\n\
             content-length: {length}\r\n\r\n{body}"
        );
        let mut desk = Desk::empty();
        desk.set("SINCH_APPLICATION_KEY", crate::support::KEY);
        desk.set("SINCH_APPLICATION_SECRET", crate::support::SECRET);
        desk.set("SINCH_CALLING_URL", &always(answer.leak()));
        let place = "call place +46701740605 --cli +46100000000 --text x";
        let words: Vec<&str> = place.split(' ').collect();
        let out = desk.run(&words).ends(1);
        assert!(out.stderr.contains(told), "{}", out.stderr);
        assert!(out.stderr.contains("nobody was called"), "{}", out.stderr);
        assert!(!out.stderr.contains("nothing was sent"), "{}", out.stderr);
    }
}

#[test]
fn what_was_not_sent_is_over_and_no_resume_sends_it() {
    let platform = Platform::start(&["--time-scale", "0", "--credit", "0"]);
    let mut desk = Desk::at(&platform);
    let place = [
        "call",
        "place",
        "+46701740605",
        "--cli",
        "+46100000000",
        "--text",
        "x",
    ];
    let out = desk.run(&place).ends(1);
    assert!(out.stderr.contains("top the account up"), "{}", out.stderr);
    desk.set("SINCH_APPLICATION_SECRET", "d3Jvbmctc2VjcmV0");
    let out = desk.run(&place).ends(1);
    assert!(out.stderr.contains("callout doctor"), "{}", out.stderr);
    let richer = Platform::start(&["--time-scale", "0"]);
    let mut desk_again = desk;
    desk_again.set("SINCH_APPLICATION_SECRET", crate::support::SECRET);
    desk_again.set("SINCH_CALLING_URL", &richer.url);
    desk_again.run(&["resume"]).ends(2);
    assert_eq!(
        richer.posted(),
        0,
        "nobody is called by a resume of something else"
    );
}

#[test]
fn a_platform_that_sends_escapes_does_not_get_to_the_terminal() {
    let esc = "\u{1b}]0;pwned\u{7}\u{9b}31m\u{202e}";
    let body = json!({ "url": { "primary": format!("https://x/{esc}\nok  clock") } }).to_string();
    let answer = format!(
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let error = json!({ "errorCode": 40001, "message": esc, "reference": esc }).to_string();
    let refusal = format!(
        "HTTP/1.1 400 x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{error}",
        error.len()
    );
    let mut desk = Desk::empty();
    desk.set("SINCH_APPLICATION_KEY", crate::support::KEY);
    desk.set("SINCH_APPLICATION_SECRET", crate::support::SECRET);
    for answer in [answer, refusal] {
        desk.set("SINCH_CONFIGURATION_URL", &always(answer.leak()));
        for words in [&["callback", "get"][..], &["callback", "get", "--json"]] {
            let out = desk.run(words);
            let said = format!("{}{}", out.stdout, out.stderr);
            let unsafe_ = |c: char| c != '\n' && c.is_control() || c == '\u{202e}';
            assert!(!said.contains(unsafe_), "{said:?}");
            assert!(!said.contains("\nok  clock"), "{said:?}");
        }
    }
}

#[test]
fn facts_that_cannot_be_printed_are_a_failure() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    for words in [
        &["number", "list", "--json"][..],
        &["doctor"],
        &["callback", "get"],
    ] {
        let out = desk.run_into(words, "/dev/full").ends(1);
        assert!(out.stderr.contains("standard output"), "{}", out.stderr);
    }
}

#[test]
fn what_is_no_file_is_never_replaced() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    let key =
        desk.run(&["recording", "list", "--json"]).ends(0).json()["recordings"][0]["key"].clone();
    let key = key.as_str().unwrap();
    std::os::unix::fs::symlink("elsewhere", desk.path("link")).unwrap();
    std::fs::create_dir(desk.path("folder")).unwrap();
    for name in ["link", "folder"] {
        let out = desk
            .run(&["recording", "download", key, "--output", name, "--force"])
            .ends(2);
        assert!(out.stderr.contains("is no file"), "{}", out.stderr);
    }
    assert!(desk.path("link").is_symlink());
    let out = desk.run(&["recording", "delete", "a\nb", "--yes"]).ends(2);
    assert!(out.stderr.contains("cannot be"), "{}", out.stderr);
}

#[test]
fn what_the_platform_would_not_take_is_not_sent() {
    let mut desk = Desk::empty();
    desk.set("SINCH_APPLICATION_KEY", crate::support::KEY);
    desk.set("SINCH_APPLICATION_SECRET", crate::support::SECRET);
    desk.set("SINCH_CALLING_URL", "http://127.0.0.1:1");
    desk.set("SINCH_CONFIGURATION_URL", "http://127.0.0.1:1");
    let long = format!("#tts[{}]", "x".repeat(601));
    let text = "x".repeat(601);
    for words in [
        &["call", "play", "c", "#tts[x"][..],
        &["call", "play", "c", &long],
        &["call", "play", "c", ""],
        &["call", "say", "c", ""],
        &["call", "say", "c", &text],
        &["call", "say", "c", "x", "--locale", ""],
        &["call", "say", "..", "x"],
        &["call", "record", "c", "--to", "ftp://x"],
        &["number", "assign", "12"],
        &["number", "assign", "+46100000001", "+46-100000001"],
        &["conference", "show", ".."],
        &["conference", "hold", "team", "c", "--music", "jazz"],
        &["callback", "get", "--application", ".."],
        &["recording", "download", ".."],
        &["call", "place", "+46701740605", "--text", "x"],
        &[
            "call",
            "place",
            "+46701740605",
            "--cli",
            "+46100000000",
            "--text",
            "x",
            "--set",
            "a=b",
        ],
    ] {
        desk.run(words).ends(2);
    }
    for options in [
        "--type sip",
        "--type fax",
        "--moh music1",
        "--dtmf-mode detect",
        "--dice https://x.example",
        "--pop eu",
        "--header X-CB-A",
        "--header Y=1",
        "--header X-CB-A=1 --header X-CB-A=2",
        "--domain isdn",
    ] {
        let line = format!("call place +46701740605 --cli +46100000000 --text x {options}");
        let words: Vec<&str> = line.split(' ').collect();
        desk.run(&words).ends(2);
    }
}

#[test]
fn what_is_no_recording_is_not_kept() {
    for answer in [
        "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n",
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: text/html\r\ncontent-length: 4\r\n\r\n<a/>",
    ] {
        let mut desk = Desk::empty();
        desk.set("SINCH_APPLICATION_KEY", crate::support::KEY);
        desk.set("SINCH_APPLICATION_SECRET", crate::support::SECRET);
        desk.set("SINCH_CALLING_URL", &always(answer));
        desk.write("good", "good");
        desk.run(&["recording", "download", "k", "--output", "good", "--force"])
            .ends(1);
        assert_eq!(desk.read("good"), b"good", "{answer}");
    }
}

#[test]
fn a_callout_by_hand_can_be_a_campaigns() {
    let platform = Platform::start(&["--time-scale", "0", "--mix", "100,0,0,0"]);
    let desk = Desk::at(&platform);
    desk.tts("", "calls_per_second = 7");
    let place = ["call", "place", "070-174 06 05", "--campaign", "c.toml"];
    let missing = desk.run(&place).ends(2);
    assert!(
        missing.stderr.contains("no column `name`"),
        "{}",
        missing.stderr
    );
    let dry = [&place[..], &["--set", "name=Åsa", "--dry-run"]].concat();
    let shown = desk.run(&dry).ends(0).stdout;
    assert!(shown.contains("\"text\":\"Hello Åsa.\""), "{shown}");
    assert!(shown.contains("+46701740605"), "{shown}");
    assert_eq!(platform.posted(), 0);
    let real = [&place[..], &["--set", "name=Åsa", "--json"]].concat();
    let told = desk.run(&real).ends(0).json();
    assert_eq!(told["disposition"], "reached");
    let ledger = platform.ledger();
    assert_eq!(ledger.column("destination"), ["+46701740605"]);
    assert_eq!(
        ledger.column("call_id"),
        [told["call_id"].as_str().unwrap()]
    );
    desk.run(&[
        "call",
        "place",
        "12",
        "--campaign",
        "c.toml",
        "--set",
        "name=x",
    ])
    .ends(2);
    desk.run(&["call", "place", "+46701740605"]).ends(2);
}

/// A platform that gives one answer to everything; it ends when it is dropped with the test.
fn always(answer: &'static str) -> String {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for peer in listener.incoming() {
            let mut peer = peer.unwrap();
            let mut head = [0; 4096];
            let _read = peer.read(&mut head).unwrap();
            peer.write_all(answer.as_bytes()).ok();
        }
    });
    url
}

#[test]
fn every_documented_error_says_what_to_do() {
    let _still = still();
    let codes = [
        (400, 40001, "Illegal parameters"),
        (400, 40002, "Missing parameter"),
        (400, 40003, "Invalid request"),
        (400, 40004, "Invalid application key"),
        (400, 40005, "number is missing leading plus"),
        (401, 40100, "Authorization required"),
        (401, 40101, "Timestamp header"),
        (401, 40102, "Invalid signature"),
        (401, 40108, "Invalid credentials"),
        (402, 40200, "Not enough credit"),
        (403, 40300, "Destination is forbidden"),
        (
            403,
            40301,
            "Invalid authorization scheme for calling the method",
        ),
        (404, 40400, "Call not found"),
        (500, 50000, "Internal error"),
        (503, 50300, "Temporary down"),
        (429, 0, ""),
        (405, 0, ""),
        (307, 0, ""),
        (200, 0, "<html>"),
    ];
    let mut told = String::new();
    for (status, code, message) in codes {
        let body = match code {
            0 => message.to_owned(),
            code => json!({ "errorCode": code, "message": message, "reference": "r" }).to_string(),
        };
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        let mut desk = Desk::empty();
        desk.set("SINCH_APPLICATION_KEY", crate::support::KEY);
        desk.set("SINCH_APPLICATION_SECRET", crate::support::SECRET);
        desk.set("SINCH_CONFIGURATION_URL", &always(answer.leak()));
        told += &desk.run(&["number", "list"]).ends(1).stderr;
    }
    insta::assert_snapshot!("errors", told);
}

#[test]
fn the_doctor_says_what_is_wrong_and_what_to_do() {
    let _still = still();
    let platform = Platform::start(&["--time-scale", "0"]);
    let good = Desk::at(&platform);
    let mut told = String::new();
    let mut tell = |what: &str, desk: &Desk, words: &[&str], code: i32| {
        write!(told, "# {what}\n{}\n", desk.run(words).ends(code).stdout).unwrap();
    };
    good.write("list.csv", "phone\n+46701740605\n");
    let campaign = |cli: &str, more: &str| {
        format!(
            "name = \"c\"\n[recipients]\nfile = \"list.csv\"\nnumber = \"phone\"\n\
             [callout.tts]\ncli = \"{cli}\"\ntext = \"x\"\n{more}"
        )
    };
    good.write("ours.toml", &campaign("+46100000000", ""));
    good.write(
        "theirs.toml",
        &campaign("+46100009999", "enable_dice = true\n"),
    );
    tell("all is well", &good, &["doctor", "ours.toml"], 0);
    tell(
        "a stranger's cli, no callback URL",
        &good,
        &["doctor", "theirs.toml"],
        1,
    );
    tell("nothing is set", &Desk::empty(), &["doctor"], 1);
    let mut wrong = Desk::at(&platform);
    wrong.set("SINCH_APPLICATION_SECRET", "d3Jvbmctc2VjcmV0");
    tell("a wrong secret", &wrong, &["doctor"], 1);
    let mut nobody = Desk::at(&platform);
    nobody.set("SINCH_CALLING_URL", "http://127.0.0.1:1");
    nobody.set("SINCH_CONFIGURATION_URL", "http://127.0.0.1:1");
    tell("nobody answers", &nobody, &["doctor"], 1);
    let late = "HTTP/1.1 404 x\r\nconnection: close\r\ndate: Sat, 01 Jan 2050 00:00:00 GMT\r\ncontent-length: 0\r\n\r\n";
    let mut clock = Desk::at(&platform);
    clock.set("SINCH_CALLING_URL", &always(late));
    tell("a clock that is behind", &clock, &["doctor"], 1);
    let broken = Desk::at(&platform);
    broken.write(
        "callout.db",
        "this is no database, but it is long enough to be taken for one",
    );
    tell("a broken database", &broken, &["doctor"], 1);
    insta::assert_snapshot!("doctor", told);
}

#[test]
fn a_plan_asks_for_a_few_prices_and_remembers_them() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let mut desk = Desk::at(&platform);
    let cache = desk.path("cache");
    desk.set("XDG_CACHE_HOME", cache.to_str().unwrap());
    let mut list = String::from("name,phone\n");
    for i in 0..500 {
        write!(list, "A,+4670174{i:04}\nB,+4687112{i:03}\n").unwrap();
    }
    for i in 0..100 {
        writeln!(list, "C,+1202555{:04}", 100 + i).unwrap();
    }
    desk.tts(&list, "calls_per_second = 5");
    let plan = desk.run(&["plan", "c.toml", "--json"]).ends(0).json();
    let groups = plan["money"]["a_minute"].as_array().unwrap();
    let counted: u64 = groups.iter().map(|g| g["numbers"].as_u64().unwrap()).sum();
    assert_eq!(counted, plan["eligible"].as_u64().unwrap());
    assert!(groups.iter().all(|g| g["lowest"].is_string()), "{plan}");
    let asked = platform.requests().rows.len();
    assert!((3..=20).contains(&asked), "{asked} questions");
    let again = desk.run(&["plan", "c.toml", "--json"]).ends(0).json();
    assert_eq!(again["money"], plan["money"]);
    let queries = platform.requests();
    let queries = queries
        .column("path")
        .iter()
        .filter(|p| p.contains("query"))
        .count();
    assert_eq!(
        queries + 2,
        platform.requests().rows.len(),
        "only the numbers are listed again"
    );
    let kept = std::fs::read_dir(cache.join("callout"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    let kept = std::fs::read_to_string(kept.path()).unwrap();
    assert!(!kept.contains("70174"), "no number is kept: {kept}");
    assert_eq!(plan["warnings"], json!([]));
    assert_eq!(platform.posted(), 0);
    // Without credentials it does not know, and says so.
    let bare = Desk::empty();
    bare.tts(&list, "calls_per_second = 5");
    let text = bare.run(&["plan", "c.toml"]).ends(0).stdout;
    assert!(text.contains("money: not known"), "{text}");
    // A cli that is not ours is a warning.
    desk.write(
        "c.toml",
        &String::from_utf8(desk.read("c.toml"))
            .unwrap()
            .replace("+46100000000", "+46100009999"),
    );
    let text = desk.run(&["plan", "c.toml"]).ends(0).stdout;
    assert!(text.contains("not among the account's numbers"), "{text}");
}

#[test]
fn what_people_read_is_as_it_was() {
    let _still = still();
    let story = Story::begin("signed", "new");
    let (placing, call) = story.call_in("+46701740605", "team");
    let lines = [
        "number list",
        "number list --json",
        "number assign +46100000001",
        "number unassign +46100000001 --yes",
        "callback get",
        "callback set https://example.com/cb --fallback https://example.org/cb",
        "callback get --json",
        "lookup +46701740605 +12025550123",
        "lookup +46701740605 --json",
        "conference show team",
        "conference show team --json",
        &format!("conference mute team {call}"),
        &format!("conference unmute team {call}"),
        &format!("conference hold team {call}"),
        &format!("conference resume team {call}"),
        &format!("call show {call}"),
        &format!("call show {call} --json"),
        &format!("call say {call} hello"),
        &format!("call play {call} welcome"),
        &format!("call record {call}"),
        &format!("call stop-recording {call}"),
        &format!("call hangup {call} --yes"),
        "recording list",
        "recording list --json",
        "recording delete nothing --yes",
        "conference kick-all team --yes",
        "doctor",
        "doctor --json",
    ];
    let mut told = String::new();
    for line in lines {
        let out = story.run(line);
        write!(told, "$ callout {line}\n{}{}", out.stdout, out.stderr).unwrap();
        write!(told, "-> {}\n\n", out.code.unwrap()).unwrap();
    }
    placing.wait().ends(0);
    insta::assert_snapshot!("commands", told);
}

#[test]
fn a_dry_run_prints_each_request_without_its_secret() {
    let _still = still();
    let mut desk = Desk::empty();
    desk.set("SINCH_APPLICATION_KEY", crate::support::KEY);
    desk.set("SINCH_APPLICATION_SECRET", crate::support::SECRET);
    desk.set("CALLOUT_RECORDING_CREDENTIALS", "my-storage-secret");
    let lines = [
        "number list --dry-run",
        "number assign +46100000001 +46100000002 --capability sms --application k --dry-run",
        "number unassign +46100000001 --dry-run",
        "callback get --dry-run",
        "callback set https://example.com --application a/b --dry-run",
        "lookup +46(0)73-017-0101 --dry-run",
        "call show id@1.2.3.4 --dry-run",
        "call say c hello --locale sv-SE --leg both --dry-run",
        "call play c https://example.com/a.mp3 #tts[hi] --dry-run",
        "call hangup c --say bye --dry-run",
        "call record c --to s3://b --transcribe en-US --quiet --dry-run",
        "call record c --to s3://b --as-action --dry-run",
        "call stop-recording c --dry-run",
        "call stop-recording c --as-action --dry-run",
        "conference show team --dry-run",
        "conference mute team c --dry-run",
        "conference unmute team c --dry-run",
        "conference hold team c --music ring --dry-run",
        "conference resume team c --dry-run",
        "conference kick team c --dry-run",
        "conference kick-all team --dry-run",
        "recording list --from 2026-11-01 --to 2026-11-02 --page 2 --page-size 10 --dry-run",
        "recording download k --dry-run",
        "recording delete k --dry-run",
        "call place +46701740605 --cli +46100000000 --text {{x}} --locale en-US --enable-dice --dry-run",
        "call place +46701740605 --cli private --conference team --greeting hi --dry-run",
        "call place +46701740605 --cli +46100000000 --ace {\"action\":{\"name\":\"hangup\"}} --dry-run",
        "call place anna --type username --cli +46100000000 --text hi --domain mxp --enable-pie --dry-run",
        "call place desk@sip.example.com --type sip --cli private --conference team --moh music2 \
         --dtmf-mode detect --dtmf-digits 4 --dtmf-timeout 2500 --header X-CB-Team=blue=1 --dry-run",
        "call place +46701740605 --ice https://example.com/ice --dice https://example.com/dice \
         --pop eu-central --enable-ace --enable-dice --dry-run",
        "number list --dry-run --auth basic --region euc1",
        "number list --dry-run --json",
        "number list --dry-run --paths older",
        "call hangup c --dry-run --paths older",
        "conference show team --dry-run --paths older --region apse2",
    ];
    let mut told = String::new();
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        let out = desk.run(&words).ends(0);
        assert_eq!(out.stderr, "", "{line}");
        write!(told, "$ callout {line}\n{}\n", out.stdout).unwrap();
    }
    for secret in [crate::support::SECRET, "my-storage-secret", "cmVoZWFyc2Fs"] {
        assert!(!told.contains(secret), "{told}");
    }
    insta::assert_snapshot!("dry_runs", told);
}
