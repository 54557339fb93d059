//! Copies of a database: an older one, another one, a part of one. Whoever may have been called since is
//! not called again on a guess. Who was rung is counted by the platform.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::{Desk, Out, Platform, execute, people, wait_for};

const RUN: &[&str] = &["run", "c.toml", "--yes", "--again"];
const ACCEPT: &str = "--accept-unknown-calls";

/// A desk at a platform that ends every call at once, with a campaign of so many people.
fn desk_of(rows: usize, rate: usize) -> (Platform, Desk) {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    desk.tts(&people(rows), &format!("calls_per_second = {rate}"));
    (platform, desk)
}

/// Starts a run and kills it after so many POSTs; in between, after `first` of them, does something.
fn killed_after(
    platform: &Platform,
    desk: &Desk,
    first: usize,
    between: impl FnOnce(),
    posts: usize,
) {
    let engine = desk.start(RUN);
    wait_for("some calls", || (platform.posted() >= first).then_some(()));
    between();
    wait_for("more calls", || (platform.posted() >= posts).then_some(()));
    assert!(engine.kill(), "it was at work");
}

/// Puts a file in the place of the database as a person does who knows of no other file.
fn put_back(desk: &Desk, copy: &str) {
    fs::copy(desk.path(copy), desk.path("callout.db")).unwrap();
    for suffix in ["-wal", "-shm"] {
        drop(fs::remove_file(desk.path(&format!("callout.db{suffix}"))));
    }
}

/// How often each number rang.
fn rung(platform: &Platform) -> HashMap<String, usize> {
    let mut rung = HashMap::new();
    for number in platform.ledger().column("destination") {
        *rung.entry(number.to_owned()).or_default() += 1;
    }
    rung
}

#[track_caller]
fn assert_nobody_twice(platform: &Platform) {
    let twice: Vec<_> = rung(platform).into_iter().filter(|(_, n)| *n > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
}

/// Asserts that a command was refused with these words, and that nobody was called.
#[track_caller]
fn refused(platform: &Platform, out: Out, words: &str) -> String {
    let posted = platform.posted();
    let said = out.ends(2).stderr;
    assert!(said.contains(words) && said.contains(ACCEPT), "{said}");
    assert_eq!(platform.posted(), posted);
    said
}

#[test]
fn an_older_copy_is_refused_and_whoever_goes_on_with_it_rings_nobody_twice() {
    let (platform, desk) = desk_of(300, 100);
    let back_up = || {
        let made = desk.run(&["backup", "copy.db", "--json"]).ends(0).json();
        assert_eq!(made["runs"], 1);
    };
    killed_after(&platform, &desk, 60, back_up, 160);
    let called = rung(&platform).len();
    put_back(&desk, "copy.db");
    let known = desk.export("attempts").rows.len();
    let said = refused(
        &platform,
        desk.run(&["resume"]),
        "is an older copy: it lacks",
    );
    let lacks = said.split("it lacks ").nth(1).unwrap();
    let lacks: usize = lacks.split(' ').next().unwrap().parse().unwrap();
    // Intents that were never POSTed when it was killed are counted as well.
    assert!(
        known + lacks >= called && known + lacks <= called + 60,
        "{said}"
    );
    refused(&platform, desk.run(RUN), "is an older copy");
    let call = [
        "call",
        "place",
        "+46709999999",
        "--cli",
        "+46100000000",
        "--text",
        "x",
    ];
    refused(&platform, desk.run(&call), "is an older copy");

    let posted = platform.posted();
    desk.run(&["resume", ACCEPT]).ends(5);
    assert_eq!(platform.posted(), posted, "nobody is dialled on a guess");
    assert_nobody_twice(&platform);
    let attempts = desk.export("attempts");
    let uncertain: Vec<&Vec<String>> = attempts
        .rows
        .iter()
        .filter(|row| attempts.cell(row, "state") == "uncertain")
        .collect();
    assert!(
        uncertain.len() >= 300 - known,
        "{} of {known}",
        uncertain.len()
    );
    assert_eq!(desk.export("results").rows.len(), 300);

    // Settled by what the platform knows, everybody is called once.
    let rang: HashSet<String> = rung(&platform).into_keys().collect();
    for (happened, word) in [(true, "--called"), (false, "--not-called")] {
        let mut settle = vec!["reconcile", word, "--reason", "the platform's records"];
        for row in &uncertain {
            if rang.contains(attempts.cell(row, "number")) == happened {
                settle.extend(["--attempt", attempts.cell(row, "attempt")]);
            }
        }
        desk.run(&settle).ends(0);
    }
    desk.run(&["resume"]).ends(0);
    assert_nobody_twice(&platform);
    assert_eq!(rung(&platform).len(), 300);
}

#[test]
fn a_database_that_is_removed_under_a_run_stops_it_and_a_new_one_is_refused() {
    let (platform, desk) = desk_of(600, 50);
    let engine = desk.start(RUN);
    wait_for("some calls", || (platform.posted() >= 30).then_some(()));
    fs::remove_file(desk.path("callout.db")).unwrap();
    let said = engine.wait().ends(1).stderr;
    assert!(
        said.contains("callout.db was removed while a run"),
        "{said}"
    );
    assert!(platform.posted() < 600, "it went on");
    let said = refused(&platform, desk.run(RUN), "is another database");
    assert!(said.contains("attempts have been made"), "{said}");
    assert_nobody_twice(&platform);
    // A person may begin anew, and does so knowingly; once is enough.
    desk.write("list.csv", &people(3));
    desk.run(&[RUN, &[ACCEPT]].concat()).ends(0);
    desk.run(RUN).ends(0);
}

#[test]
fn a_database_that_is_replaced_under_a_run_stops_it() {
    let (platform, desk) = desk_of(600, 50);
    desk.run(&["suppress", "add", "+46709999999"]).ends(0);
    fs::copy(desk.path("callout.db"), desk.path("other.db")).unwrap();
    let engine = desk.start(RUN);
    wait_for("some calls", || (platform.posted() >= 30).then_some(()));
    fs::rename(desk.path("other.db"), desk.path("callout.db")).unwrap();
    let said = engine.wait().ends(1).stderr;
    assert!(
        said.contains("callout.db was replaced while a run"),
        "{said}"
    );
    assert!(platform.posted() < 600, "it went on");
    assert_nobody_twice(&platform);
}

#[test]
fn a_log_that_is_removed_after_a_kill_makes_an_older_copy() {
    let (platform, desk) = desk_of(10, 100);
    desk.run(RUN).ends(0);
    desk.tts(&people(200), "calls_per_second = 100");
    // The first ten were called in the run that is over.
    let platform = platform.replace(&["--time-scale", "0"]);
    killed_after(&platform, &desk, 10, || {}, 60);
    fs::remove_file(desk.path("callout.db-wal")).unwrap();
    drop(fs::remove_file(desk.path("callout.db-shm")));
    for command in [RUN, &["resume"]] {
        let said = refused(&platform, desk.run(command), "is an older copy: it lacks");
        assert!(said.contains("and 1 run made since"), "{said}");
    }
    assert_nobody_twice(&platform);
}

#[test]
fn what_a_kill_leaves_is_no_older_copy() {
    let (platform, desk) = desk_of(400, 200);
    killed_after(&platform, &desk, 3, || {}, 5);
    for posts in [40, 90, 140] {
        let engine = desk.start(&["resume"]);
        wait_for("calls", || (platform.posted() >= posts).then_some(()));
        assert!(engine.kill());
        let said = desk.run(&["doctor"]).stdout;
        assert!(said.contains("ok       mark"), "{said}");
    }
    let end = desk.run(&["resume"]);
    assert!(matches!(end.code, Some(0 | 5)), "{end:?}");
    assert_nobody_twice(&platform);
}

#[test]
fn answers_of_another_database_are_kept_told_and_not_applied() {
    let (platform, desk) = desk_of(40, 20);
    let engine = desk.start(RUN);
    wait_for("some calls", || (platform.posted() >= 5).then_some(()));
    desk.run(&["pause"]).ends(0);
    engine.wait().ends(3);
    let run = desk.run(&["status", "--json"]).ends(0).json()["run"].clone();
    let reached = |database: &str, run: &str, key: i64, recipient: usize| {
        format!(
            "{{{database}\"run\":\"{run}\",\"attempts\":[[{key},\"final\",1,1,\"c\",\"ANSWERED\",null,\
             1,null,null,null,\"accepted\"]],\"recipients\":[[{recipient},\"done\",\"reached\",null,\
             null,null,null,\"in-flight\"]],\"waits\":[]}}"
        )
    };
    let other = format!("\"database\":\"{}\",", "0".repeat(32));
    let lines = [
        // Of an earlier version, of a run that is not here.
        reached("", "aaaaaaaaaaaa", 1, 1),
        // Of another database, whatever run it names.
        reached(&other, run.as_str().unwrap(), 1, 1),
        // Of attempts that this database does not know.
        reached("", run.as_str().unwrap(), 4_000, 31),
        // Broken off.
        "{\"run\":\"".to_owned(),
    ];
    desk.write("callout.db-answers", &lines.join("\n"));
    let ended = desk.run(&["resume"]).ends(0);
    assert!(
        ended.stderr.contains("answers-foreign-1"),
        "{}",
        ended.stderr
    );
    assert_eq!(rung(&platform).len(), 40, "everybody was called");
    assert_nobody_twice(&platform);
    let kept = desk.read("callout.db-answers-foreign-1");
    assert_eq!(String::from_utf8(kept).unwrap(), lines.join("\n") + "\n");
    let told = desk.run(&["doctor"]).stdout;
    assert!(told.contains("warning  answers"), "{told}");
}

#[test]
fn a_database_of_an_earlier_version_gets_its_mark_at_the_first_start() {
    let (platform, desk) = desk_of(5, 100);
    desk.run(RUN).ends(0);
    fs::remove_file(desk.path("callout.db-mark")).unwrap();
    execute(&desk.path("callout.db"), "update identity set marked = 0");
    desk.run(RUN).ends(0);
    let mark = desk.path("callout.db-mark").metadata().unwrap();
    assert_eq!(mark.permissions().mode() & 0o777, 0o600);
    // From then on it has to be there, and be its own.
    let whole = desk.read("callout.db-mark");
    fs::write(desk.path("callout.db-mark"), &whole[..20]).unwrap();
    refused(&platform, desk.run(RUN), "mark that cannot be read");
    fs::remove_file(desk.path("callout.db-mark")).unwrap();
    refused(&platform, desk.run(RUN), "is a copy or was moved");
    fs::write(desk.path("callout.db-mark"), &whole).unwrap();
    desk.run(RUN).ends(0);
}

#[test]
fn a_backup_that_is_the_latest_is_restored_without_a_question() {
    let (platform, desk) = desk_of(5, 100);
    desk.run(RUN).ends(0);
    let said = desk.run(&["backup", "copy.db"]).ends(0).stdout;
    assert!(said.contains("1 runs with 5 attempts"), "{said}");
    let mode = desk
        .path("copy.db")
        .metadata()
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let said = desk.run(&["backup", "copy.db"]).ends(2).stderr;
    assert!(said.contains("copy.db is a database"), "{said}");
    let (results, copy) = (desk.export("results").rows, desk.read("copy.db"));
    fs::write(desk.path("callout.db"), "broken").unwrap();
    desk.run(&["status"]).ends(1);
    let said = desk.run(&["restore", "copy.db"]).ends(0).stdout;
    assert!(said.contains("callout.db-replaced-1"), "{said}");
    assert_eq!(desk.read("callout.db-replaced-1"), b"broken");
    assert_eq!(desk.export("results").rows, results);
    assert_eq!(desk.read("copy.db"), copy, "a backup stays as it is");
    fs::remove_file(desk.path("callout.db")).unwrap();
    desk.run(&["--db", "callout.db", "restore", "copy.db"])
        .ends(0);
    desk.run(RUN).ends(0);
    assert_eq!(platform.ledger().rows.len(), 10);
    for (file, code) in [("list.csv", 1), ("missing.db", 2), ("callout.db", 2)] {
        let before = desk.export("results").rows;
        desk.run(&["restore", file]).ends(code);
        assert_eq!(desk.export("results").rows, before, "{file}");
    }
}

#[test]
fn a_backup_that_lacks_calls_is_restored_by_whoever_accepts_that() {
    let (platform, desk) = desk_of(100, 20);
    let engine = desk.start(RUN);
    wait_for("some calls", || (platform.posted() >= 10).then_some(()));
    desk.run(&["backup", "copy.db"]).ends(0);
    let said = desk.run(&["restore", "copy.db"]).ends(1).stderr;
    assert!(said.contains("in use"), "{said}");
    wait_for("more calls", || (platform.posted() >= 30).then_some(()));
    desk.run(&["pause"]).ends(0);
    engine.wait().ends(3);
    let before = desk.export("attempts").rows;
    refused(
        &platform,
        desk.run(&["restore", "copy.db"]),
        "is an older copy",
    );
    assert_eq!(desk.export("attempts").rows, before);
    let restored = desk.run(&["restore", "copy.db", ACCEPT]).ends(0);
    assert!(
        restored.stderr.contains("are uncertain now"),
        "{}",
        restored.stderr
    );
    desk.run(&["resume"]).ends(5);
    assert_nobody_twice(&platform);
    // What was replaced goes on where it was, if it was the right one after all.
    let kept = "callout.db-replaced-1";
    refused(
        &platform,
        desk.run(&["restore", kept]),
        "is another database",
    );
}

#[test]
fn a_copy_that_lacks_a_no_is_refused() {
    let (platform, desk) = desk_of(5, 100);
    desk.run(RUN).ends(0);
    desk.run(&["backup", "copy.db"]).ends(0);
    desk.run(&["suppress", "add", "+46701000001"]).ends(0);
    desk.run(&["suppress", "add", "+46701000002"]).ends(0);
    put_back(&desk, "copy.db");
    // Another no does not hide those that are missing.
    desk.run(&["suppress", "add", "+46701000003"]).ends(0);
    desk.run(&["suppress", "add", "+46701000004"]).ends(0);
    let said = refused(
        &platform,
        desk.run(RUN),
        "it lacks 2 changes of the suppression lists",
    );
    assert!(!said.contains("attempts made"), "{said}");
    let went_on = desk.run(&[RUN, &[ACCEPT]].concat()).ends(0).stderr;
    assert!(went_on.contains(" 0 people"), "{went_on}");
}

/// Copies the files of a folder into another.
fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

#[test]
fn a_mark_that_is_kept_elsewhere_tells_a_copy_of_the_whole_folder() {
    let (platform, mut desk) = desk_of(60, 20);
    // It begins beside the database, and moves.
    desk.run(&[RUN, &["--now"]].concat()).ends(0);
    desk.set("CALLOUT_STATE", "state");
    let engine = desk.start(RUN);
    wait_for("some calls", || (platform.posted() >= 70).then_some(()));
    assert!(engine.kill());
    assert!(!desk.path("callout.db-mark").exists());
    copy_folder(&desk.path("."), &desk.path("copy"));
    let engine = desk.start(&["resume"]);
    wait_for("more calls", || (platform.posted() >= 90).then_some(()));
    assert!(engine.kill());
    // The copy where it was made, and in the place of the folder.
    desk.set("CALLOUT_STATE", "../state");
    refused(
        &platform,
        desk.run_in("copy", &["resume"]),
        "is a copy or was moved",
    );
    desk.set("CALLOUT_STATE", "state");
    put_back(&desk, "copy/callout.db");
    copy_folder(&desk.path("copy"), &desk.path("."));
    refused(
        &platform,
        desk.run(&["resume"]),
        "is an older copy: it lacks",
    );
    // Without the folder nobody can tell.
    desk.unset("CALLOUT_STATE");
    let said = refused(&platform, desk.run(&["resume"]), "mark in another place");
    assert!(said.contains("--state"), "{said}");
}

#[test]
fn where_the_mark_cannot_be_written_nobody_is_dialled() {
    let (platform, mut desk) = desk_of(5, 100);
    desk.write("state", "a file");
    desk.set("CALLOUT_STATE", "state");
    let said = desk.run(RUN).ends(1).stderr;
    assert!(said.contains("state/mark-"), "{said}");
    assert_eq!(platform.posted(), 0);
    desk.set("CALLOUT_STATE", "folder");
    desk.run(RUN).ends(0);
    let mode = desk.path("folder").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}
