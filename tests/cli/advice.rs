//! Advice that fits: what is said helps whoever reads it where they are.

use crate::decisions::stopped_at_the_cap;
use crate::support::{Desk, Platform, number, people};

#[test]
fn a_run_at_its_cap_is_told_of_the_option_that_helps() {
    let platform = Platform::start(&["--time-scale", "0", "--mix", "1,0,0,0"]);
    let desk = stopped_at_the_cap(&platform, 2);
    let said = desk.run(&["resume"]).ends(4).stderr;
    assert!(said.contains("--cap"), "{said}");
    desk.run(&["resume", "--cap", "5 EUR"]).ends(0);
}

#[test]
fn files_of_other_programs_are_called_by_their_name() {
    let desk = Desk::empty();
    desk.tts("", "calls_per_second = 1");
    for (bytes, kind) in [
        (
            &b"PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0\xff\xfe"[..],
            "a spreadsheet",
        ),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", "a spreadsheet"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "a PDF"),
    ] {
        std::fs::write(desk.path("list.csv"), bytes).unwrap();
        for encoding in ["", "encoding = \"windows-1252\"\n"] {
            let campaign = String::from_utf8(desk.read("c.toml")).unwrap();
            let campaign = campaign.replace("region =", &format!("{encoding}region ="));
            desk.write("e.toml", &campaign);
            let said = desk.run(&["check", "e.toml"]).ends(2).stdout;
            assert!(said.contains(&format!("this is {kind}, not CSV")), "{said}");
            assert!(said.contains("save it as CSV (UTF-8)"), "{said}");
        }
        std::fs::write(desk.path("book.toml"), bytes).unwrap();
        let said = desk.run(&["plan", "book.toml"]).ends(2).stderr;
        assert!(
            said.contains(&format!("this is {kind}, not a campaign file")),
            "{said}"
        );
    }
}

#[test]
fn a_list_in_the_place_of_a_campaign_is_known() {
    let desk = Desk::empty();
    for (name, bytes) in [
        ("people.csv", people(2).into_bytes()),
        (
            "people.txt",
            b"namn;telefon\nJ\xf6rgen;+46701234567\n".to_vec(),
        ),
        ("numbers.csv", b"phone\n+46701234567\n".to_vec()),
    ] {
        std::fs::write(desk.path(name), bytes).unwrap();
        let said = desk.run(&["run", name]).ends(2).stderr;
        assert!(
            said.contains("this is a list, not a campaign file"),
            "{name}: {said}"
        );
        assert!(said.contains("in [recipients]"), "{said}");
    }
    desk.write("c.toml", "name = \"a, b\"\n");
    let said = desk.run(&["plan", "c.toml"]).ends(2).stderr;
    assert!(said.contains("the campaign needs `recipients`"), "{said}");
}

#[test]
fn faults_of_options_name_the_option() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    let place = |options: &[&str]| {
        let to = number(0);
        let args = [&["call", "place", to.as_str()], options].concat();
        desk.run(&args).ends(2).stderr
    };
    let cli = place(&["--text", "Hello", "--cli", "12"]);
    assert!(cli.contains("--cli: "), "{cli}");
    let mode = [
        "--conference",
        "a",
        "--cli",
        "+46100000000",
        "--dtmf-mode",
        "loud",
    ];
    let mode = place(&mode);
    assert!(mode.contains("--dtmf-mode: "), "{mode}");
    for said in [cli, mode] {
        assert!(!said.contains("the command line:"), "{said}");
    }
    // What is doubtful as well.
    let odd = [
        "call",
        "place",
        &number(0),
        "--text",
        "Hello",
        "--cli",
        "+46100000000",
        "--locale",
        "xx-YY",
    ];
    let said = desk.run(&odd).ends(0).stderr;
    assert!(said.contains("warning: --locale: no document"), "{said}");
}

#[test]
fn a_setting_that_is_not_known_is_told_with_its_value_and_those_that_are() {
    let mut desk = Desk::empty();
    desk.set("SINCH_APPLICATION_KEY", "key");
    desk.set("SINCH_APPLICATION_SECRET", "c2VjcmV0");
    desk.set("SINCH_REGION", "mars");
    let said = desk.run(&["number", "list"]).ends(2).stderr;
    assert!(said.contains("SINCH_REGION: `mars` is not known"), "{said}");
    assert!(said.contains("euc1 (Europe)"), "{said}");
}

#[test]
fn a_plain_path_names_a_database() {
    let mut desk = Desk::empty();
    desk.unset("CALLOUT_DB");
    let add = ["suppress", "add", &number(0), "--db", "callout.db"];
    desk.run(&add).ends(0);
    assert!(desk.path("callout.db").exists());
    let check = [
        "suppress",
        "check",
        &number(0),
        "--db",
        "sqlite:callout.db",
        "--json",
    ];
    assert_eq!(desk.run(&check).ends(0).json()["suppressed"], true);
}
