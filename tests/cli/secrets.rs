//! Numbers, keys and names where nobody looks for them: a library's log, the words of the platform, what a
//! terminal is shown, and what is left of a process that dies.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

use crate::support::{Desk, KEY, Platform, SECRET, execute, people};
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, setrlimit};

#[test]
fn no_log_however_deep_has_a_number_a_name_or_a_secret() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let mut said = String::new();
    let everything = "trace,hyper=trace,sqlx=trace,rlibphonenumber=trace";
    for (auth, flags, log) in [
        ("signed", ["--log", "trace"], "error"),
        ("basic", ["--log-format", "json"], everything),
    ] {
        let mut desk = Desk::at(&platform);
        desk.tts(
            "name,phone\nAnnabelle,+46701740605\n",
            "calls_per_second = 100",
        );
        desk.set("SINCH_AUTH", auth);
        desk.set("CALLOUT_LOG", log);
        for command in [
            ["plan", "c.toml"].as_slice(),
            &["run", "c.toml", "--yes"],
            &["status"],
            &["suppress", "add", "+46701740606"],
            &["lookup", "+46701740605"],
        ] {
            said += &desk.run(&[command, &flags].concat()).stderr;
        }
    }
    assert!(platform.posted() > 0, "{said}");
    for secret in ["701740605", "701740606", "Annabelle", SECRET] {
        assert!(!said.contains(secret), "{secret} is in\n{said}");
    }
    // A Basic header is key and secret in base64.
    assert!(!said.to_lowercase().contains("authorization"), "{said}");
    assert!(!said.contains(&format!("{KEY}:")), "{said}");
}

#[test]
fn no_statement_is_in_the_log_that_is_written_unasked() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    desk.tts(&people(2), "calls_per_second = 100");
    desk.run(&["run", "c.toml", "--yes"]).ends(0);
    // A statement that takes longer than libraries like.
    execute(
        &desk.path("callout.db"),
        "create trigger slow after insert on suppression_acts begin
             select (with recursive n (i) as
                         (select 1 union all select i + 1 from n where i < 6000000)
                     select count(*) from n);
         end",
    );
    let said = desk
        .run(&["suppress", "add", "+46701740605"])
        .ends(0)
        .stderr;
    for word in ["select", "insert", "update", "BEGIN", "slow"] {
        assert!(!said.contains(word), "{said}");
    }
}

#[test]
fn a_terminal_does_not_get_what_it_would_obey_and_a_file_gets_every_byte() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    let name = "\u{1b}]0;owned\u{7}Anna\u{202e}";
    desk.tts(
        &format!("name,phone,note\nAnna,+46701740605,{name}\n"),
        "calls_per_second = 100",
    );
    desk.run(&["run", "c.toml", "--yes"]).ends(0);
    for raw in [[].as_slice(), &["--raw"]] {
        let args = [["export"].as_slice(), raw].concat();
        let piped = desk.run(&args).ends(0).stdout;
        assert!(piped.contains(name), "{piped:?}");
        let line = format!("{} {}", env!("CARGO_BIN_EXE_callout"), args.join(" "));
        let out = Command::new("script")
            .args(["-qec", &line, "/dev/null"])
            .current_dir(desk.path("."))
            .env("CALLOUT_DB", "callout.db")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let shown = String::from_utf8(out.stdout).unwrap();
        assert!(
            shown.contains("\u{fffd}]0;owned\u{fffd}Anna\u{fffd}"),
            "{shown:?}"
        );
        assert!(
            !shown.contains(['\u{1b}', '\u{7}', '\u{202e}']),
            "{shown:?}"
        );
    }
}

/// What the system lets a dying `callout` write, and whether it left its memory behind.
fn dies(allowed: Option<&str>) -> (String, bool) {
    let desk = Desk::empty();
    let mut command = Command::new(env!("CARGO_BIN_EXE_callout"));
    command
        .args(["simulate", "--listen", "127.0.0.1:0"])
        .current_dir(desk.path("."))
        .stdout(Stdio::piped());
    if let Some(allowed) = allowed {
        command.env("CALLOUT_CORE_DUMPS", allowed);
    }
    let mut child = command.spawn().unwrap();
    let mut first = String::new();
    let stdout = child.stdout.take().unwrap();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut first).unwrap();
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core"));
    let core = core.unwrap().split_whitespace().nth(4).unwrap().to_owned();
    kill_process(Pid::from_child(&child), Signal::ABORT).unwrap();
    (core, child.wait().unwrap().core_dumped())
}

#[test]
fn a_process_that_dies_leaves_no_memory_behind_unless_that_was_asked_for() {
    // Whatever the tests were started with.
    let most = getrlimit(Resource::Core).maximum;
    let limit = Rlimit {
        current: most,
        maximum: most,
    };
    setrlimit(Resource::Core, limit).unwrap();
    let (core, dumped) = dies(None);
    assert_eq!((core.as_str(), dumped), ("0", false));
    let (core, _) = dies(Some("allow"));
    assert_eq!(core == "0", most == Some(0));
}
