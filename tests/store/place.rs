//! What `--db` leads to is looked at before it is touched, whatever the command: a file that is no
//! database of ours keeps its bytes and its mode, and nothing is left beside it.

use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use crate::support::{Desk, Platform, execute, people, wait_for};
use rustix::fs::{CWD, FileType, Mode, mknodat};

/// Every command that opens a database, as far as it comes.
const COMMANDS: [&[&str]; 16] = [
    &["run", "c.toml", "--yes"],
    &["resume"],
    &["status"],
    &["report"],
    &["why", "", "+46701000000"],
    &["pause"],
    &["cancel"],
    &["export"],
    &["reconcile"],
    &["purge", "--all", "--after", "90d", "--yes"],
    &["erase", "+46709000000", "--yes"],
    &["suppress", "add", "+46709000000"],
    &["suppress", "list"],
    &["check", "c.toml"],
    &["plan", "c.toml"],
    &[
        "call",
        "place",
        "+46709000000",
        "--cli",
        "+46100000000",
        "--text",
        "hello",
    ],
];

fn mode(path: &Path) -> u32 {
    std::fs::symlink_metadata(path)
        .unwrap()
        .permissions()
        .mode()
}

/// Every name in a folder with its kind, mode and, for files, bytes.
fn everything(folder: &Path) -> BTreeMap<String, (u32, Vec<u8>)> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let there = std::fs::symlink_metadata(&path).unwrap();
        let bytes = if there.is_file() {
            std::fs::read(&path).unwrap()
        } else {
            Vec::new()
        };
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        found.insert(name, (mode(&path), bytes));
    }
    found
}

/// A database of another program, in its own way of keeping a journal.
fn somebody_elses(desk: &Desk, name: &str) {
    desk.write(name, "");
    execute(&desk.path(name), "create table bookmarks (url text)");
}

#[test]
fn what_is_no_database_of_ours_is_refused_by_every_command_and_left_as_it_was() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    desk.tts(&people(2), "calls_per_second = 100");
    std::fs::create_dir(desk.path("there")).unwrap();
    desk.write("there/notes.txt", "dear diary, nobody calls me any more\n");
    desk.write("there/long.txt", &"dear diary ".repeat(1000));
    somebody_elses(&desk, "there/bookmarks.db");
    std::fs::create_dir(desk.path("there/folder")).unwrap();
    symlink("/dev/zero", desk.path("there/link")).unwrap();
    symlink("nowhere", desk.path("there/dangling")).unwrap();
    mknodat(
        CWD,
        desk.path("there/pipe"),
        FileType::Fifo,
        Mode::from_raw_mode(0o644),
        0,
    )
    .unwrap();
    let before = everything(&desk.path("there"));
    let device = mode(Path::new("/dev/null"));
    for (file, why) in [
        ("there/notes.txt", "does not begin as a database does"),
        ("there/long.txt", "does not begin as a database does"),
        ("there/bookmarks.db", "is a database of another program"),
        ("there/folder", "is a folder"),
        ("there/link", "is a device"),
        ("there/dangling", "is a link to nothing"),
        ("there/pipe", "is a pipe"),
        ("/dev/null", "is a device"),
    ] {
        for command in COMMANDS {
            let address = format!("sqlite:{file}");
            let out = desk.run(&[command, &["--db", &address]].concat());
            let said = format!("{command:?} {file}: {}{}", out.stderr, out.stdout);
            assert!(matches!(out.code, Some(1 | 2)), "{said}");
            assert!(
                said.contains(why) && said.contains("nothing was changed"),
                "{said}"
            );
            assert_eq!(everything(&desk.path("there")), before, "{said}");
        }
    }
    assert_eq!(mode(Path::new("/dev/null")), device);
    assert_eq!(platform.posted(), 0);
}

#[test]
fn a_link_or_a_second_name_beside_the_database_is_refused_and_not_followed() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    desk.tts(&people(2), "calls_per_second = 100");
    desk.run(&["run", "c.toml", "--yes"]).ends(0);
    desk.write("diary.txt", "dear diary\n");
    std::fs::set_permissions(desk.path("diary.txt"), PermissionsExt::from_mode(0o644)).unwrap();
    for suffix in [
        "-wal", "-shm", "-journal", "-lock", "-answers", "-wishes", "-mark", "-inbox",
    ] {
        let name = format!("callout.db{suffix}");
        for hard in [false, true] {
            let kept = std::fs::read(desk.path(&name)).ok();
            drop(std::fs::remove_file(desk.path(&name)));
            if hard {
                std::fs::hard_link(desk.path("diary.txt"), desk.path(&name)).unwrap();
            } else {
                symlink("diary.txt", desk.path(&name)).unwrap();
            }
            // That no command goes another way is seen with one kind of link.
            let commands = if hard { &COMMANDS[..3] } else { &COMMANDS };
            for command in commands {
                let out = desk.run(command);
                let said = format!("{command:?} {name}: {}{}", out.stderr, out.stdout);
                assert!(matches!(out.code, Some(1 | 2)), "{said}");
                assert!(said.contains(&name) && said.contains("link"), "{said}");
            }
            assert_eq!(desk.read("diary.txt"), b"dear diary\n", "{name}");
            assert_eq!(mode(&desk.path("diary.txt")) & 0o777, 0o644, "{name}");
            std::fs::remove_file(desk.path(&name)).unwrap();
            if let Some(kept) = kept {
                std::fs::write(desk.path(&name), kept).unwrap();
            }
        }
    }
    assert_eq!(platform.posted(), 2);
    desk.run(&["status"]).ends(0);
}

#[test]
fn every_command_takes_the_database_from_everybody_but_its_owner() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    desk.tts(&people(2), "calls_per_second = 100");
    desk.run(&["run", "c.toml", "--yes"]).ends(0);
    for command in COMMANDS.iter().filter(|command| command[0] != "run") {
        for name in ["callout.db", "callout.db-lock", "callout.db-answers"] {
            std::fs::set_permissions(desk.path(name), PermissionsExt::from_mode(0o666)).unwrap();
        }
        desk.run(command);
        for name in ["callout.db", "callout.db-lock", "callout.db-answers"] {
            assert_eq!(mode(&desk.path(name)) & 0o777, 0o600, "{command:?} {name}");
        }
    }
}

#[test]
fn whatever_the_name_two_engines_meet_at_one_lock() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    desk.tts(&people(60), "calls_per_second = 20");
    std::fs::create_dir(desk.path("elsewhere")).unwrap();
    symlink("../callout.db", desk.path("elsewhere/same.db")).unwrap();
    symlink(desk.path("."), desk.path("elsewhere/folder")).unwrap();
    let engine = desk.start(&["run", "c.toml", "--yes"]);
    wait_for("calls", || (platform.posted() > 2).then_some(()));
    let whole = desk.path("callout.db").display().to_string();
    for name in [
        "elsewhere/same.db",
        "elsewhere/folder/callout.db",
        "./elsewhere/../callout.db",
        &whole,
    ] {
        let address = format!("sqlite:{name}");
        let said = desk.run(&["resume", "--db", &address]).ends(1).stderr;
        assert!(said.contains("goes on already"), "{name}: {said}");
        desk.run(&["status", "--db", &address]).ends(0);
    }
    // A second name of the file itself would have a log of its own.
    std::fs::hard_link(desk.path("callout.db"), desk.path("second.db")).unwrap();
    for command in [["resume"], ["status"]] {
        let out = desk.run(&[command.as_slice(), &["--db", "sqlite:second.db"]].concat());
        let said = out.ends(2).stderr;
        assert!(said.contains("several names"), "{said}");
    }
    std::fs::remove_file(desk.path("second.db")).unwrap();
    engine.wait().ends(0);
    assert_eq!(platform.ledger().rows.len(), 60);
    let beside = everything(&desk.path("elsewhere"));
    assert_eq!(beside.keys().collect::<Vec<_>>(), ["folder", "same.db"]);
}

#[test]
fn somebody_elses_database_is_left_to_them() {
    if !rustix::process::geteuid().is_root() {
        // Only root can give a file away.
        return;
    }
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    desk.tts(&people(2), "calls_per_second = 100");
    desk.run(&["run", "c.toml", "--yes"]).ends(0);
    let binary = desk.path("callout");
    std::fs::copy(env!("CARGO_BIN_EXE_callout"), &binary).unwrap();
    for name in [".", "callout.db"] {
        std::fs::set_permissions(desk.path(name), PermissionsExt::from_mode(0o777)).unwrap();
    }
    let out = Command::new(&binary)
        .arg("status")
        .current_dir(desk.path("."))
        .uid(65_534)
        .gid(65_534)
        .output()
        .unwrap();
    let said = String::from_utf8(out.stderr).unwrap();
    assert_eq!(out.status.code(), Some(2), "{said}");
    assert!(said.contains("belongs to another user"), "{said}");
}

#[test]
fn a_database_that_does_not_say_whose_it_is_is_known_by_its_tables() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    desk.tts(&people(2), "calls_per_second = 100");
    desk.run(&["run", "c.toml", "--yes"]).ends(0);
    // As versions before this one left it.
    execute(&desk.path("callout.db"), "pragma application_id = 0");
    for command in [["status"].as_slice(), &["resume"], &["export"]] {
        desk.run(command).ends(0);
    }
    // A start that was killed before its first table was made.
    let begun = desk.path("begun.db");
    desk.write("begun.db", "");
    execute(&begun, "pragma journal_mode = wal");
    desk.run(&["run", "c.toml", "--yes", "--db", "sqlite:begun.db"])
        .ends(0);
    // Nothing is in an empty file, and reading makes no database of it.
    desk.write("empty.db", "");
    desk.run(&["status", "--db", "sqlite:empty.db"]).ends(2);
    assert_eq!(desk.read("empty.db"), b"");
    assert_eq!(platform.posted(), 4);
}

#[test]
fn a_disk_that_is_full_from_the_start_is_called_full() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    desk.tts(&people(2), "calls_per_second = 100");
    let script = "set -e; mkdir disk
        for kilobytes in 12 40 120 400 1100 1300; do
            mount -t tmpfs -o size=${kilobytes}k none disk; cp c.toml list.csv disk; cd disk
            code=0; \"$CALLOUT\" run c.toml --yes >>../out 2>&1 || code=$?
            echo \"with $kilobytes ended $code\" >>../out
            cd ..; umount disk
        done";
    desk.run_with_disks(script);
    let said = String::from_utf8(desk.read("out")).unwrap();
    assert_eq!(said.matches("ended 1").count(), 6, "{said}");
    assert_eq!(said.matches("the disk is full").count(), 6, "{said}");
    assert!(!said.contains("usable database"), "{said}");
    assert_eq!(platform.posted(), 0);
}
