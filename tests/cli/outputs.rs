//! Files that commands write: nobody else's business, made under names that nothing has, and never in
//! the place of a database, of a campaign's own files, or of anything that they did not make themselves.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Command;

use crate::support::{Desk, Platform, people};

fn mode(desk: &Desk, name: &str) -> u32 {
    let there = std::fs::symlink_metadata(desk.path(name)).unwrap();
    there.permissions().mode() & 0o777
}

/// A desk with a finished run of three.
fn finished(platform: &Platform) -> Desk {
    let desk = Desk::at(platform);
    desk.tts(&people(3), "calls_per_second = 100");
    desk.run(&["run", "c.toml", "--yes"]).ends(0);
    desk
}

#[test]
fn force_replaces_results_and_no_database_campaign_or_list() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = finished(&platform);
    desk.run(&["run", "c.toml", "--yes", "--db", "sqlite:other.db"])
        .ends(0);
    symlink("callout.db", desk.path("link.csv")).unwrap();
    std::fs::hard_link(desk.path("list.csv"), desk.path("same.csv")).unwrap();
    for name in [
        "callout.db",
        "callout.db-wal",
        "callout.db-shm",
        "callout.db-journal",
        "callout.db-lock",
        "callout.db-answers",
        "other.db",
        "other.db-wal",
        "./callout.db",
        "link.csv",
        "c.toml",
        "list.csv",
        "same.csv",
        "/dev/null",
    ] {
        let before = std::fs::read(desk.path(name)).ok();
        for command in [
            ["export"].as_slice(),
            &["resume"],
            &["run", "c.toml", "--yes"],
        ] {
            let args = [command, &["--output", name, "--force"]].concat();
            let said = desk.run(&args).ends(2).stderr;
            assert!(
                said.contains("nothing replaces it") || said.contains("is no file"),
                "{args:?}: {said}"
            );
        }
        assert_eq!(std::fs::read(desk.path(name)).ok(), before, "{name}");
    }
    desk.run(&["status"]).ends(0);
    // Results are replaced where that was said, and only then.
    desk.write("r.csv", "mine\n");
    desk.run(&["export", "--output", "r.csv"]).ends(2);
    desk.run(&["export", "--output", "r.csv", "--force"])
        .ends(0);
    assert_eq!((desk.table("r.csv").rows.len(), platform.posted()), (3, 6));
}

#[test]
fn what_is_written_follows_no_link_and_is_its_owners_alone() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = finished(&platform);
    desk.write("diary.txt", "dear diary\n");
    let at = ["--at", "2026-01-05T10:00:00Z", "--output", "v.csv"];
    let rehearse = ["rehearse", "c.toml", "--virtual", "--ledger", "ledger.csv"];
    // Whoever guesses what a file is called while it is written finds that it is not taken.
    let script = "for n in 0 1 2; do ln -s diary.txt r.csv.$$-$n.partial; done
        exec \"$CALLOUT\" export --output r.csv";
    let shell = Command::new("sh")
        .args(["-c", script])
        .current_dir(desk.path("."))
        .env("CALLOUT", env!("CARGO_BIN_EXE_callout"))
        .status();
    assert!(shell.unwrap().success());
    desk.run(&[rehearse.as_slice(), &at].concat()).ends(0);
    assert_eq!(desk.read("diary.txt"), b"dear diary\n");
    for name in ["r.csv", "ledger.csv", "v.csv"] {
        assert_eq!(mode(&desk, name), 0o600, "{name}");
        assert!(!desk.read(name).is_empty());
    }
    assert_eq!(mode(&desk, "callout-rehearsal.db"), 0o600);
    assert_eq!(mode(&desk, "callout-rehearsal.db-results"), 0o600);
    // A ledger is not written over what is there.
    desk.write("mine.csv", "mine\n");
    let said = desk.run(&["simulate", "--ledger", "mine.csv"]).ends(2);
    assert!(said.stderr.contains("is there already"), "{}", said.stderr);
    assert_eq!(desk.read("mine.csv"), b"mine\n");
}

#[test]
fn a_rehearsal_begins_anew_only_where_rehearsals_were() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = finished(&platform);
    let rehearse = ["rehearse", "c.toml", "--virtual"];
    // Somebody's real database, under a rehearsal's name.
    std::fs::rename(desk.path("callout.db"), desk.path("callout-rehearsal.db")).unwrap();
    let real = desk.read("callout-rehearsal.db");
    let said = desk.run(&rehearse).ends(2).stderr;
    assert!(said.contains("not made by rehearsals alone"), "{said}");
    assert!(said.contains("nothing was deleted"), "{said}");
    assert_eq!(desk.read("callout-rehearsal.db"), real);
    // One in which only suppression lists are.
    std::fs::remove_file(desk.path("callout-rehearsal.db")).unwrap();
    let db = ["--db", "sqlite:callout-rehearsal.db"];
    desk.run(&[["suppress", "add", "+46709000000"].as_slice(), &db].concat())
        .ends(0);
    desk.run(&rehearse).ends(2);
    let list = desk.run(&[["suppress", "list"].as_slice(), &db].concat());
    assert!(list.ends(0).stdout.contains('1'));
    // No database at all.
    for file in ["", "-answers"] {
        std::fs::remove_file(desk.path(&format!("callout-rehearsal.db{file}"))).ok();
    }
    desk.write("callout-rehearsal.db", "dear diary\n");
    desk.run(&rehearse).ends(1);
    assert_eq!(desk.read("callout-rehearsal.db"), b"dear diary\n");
    // What rehearsals made is theirs, also when somebody was erased from it.
    std::fs::remove_file(desk.path("callout-rehearsal.db")).unwrap();
    desk.run(&rehearse).ends(0);
    desk.run(&[["erase", "+46701000001", "--yes"].as_slice(), &db].concat())
        .ends(0);
    desk.run(&rehearse).ends(0);
    // Results that a rehearsal wrote are replaced, others not.
    desk.write("c-rehearsal.csv", "mine\n");
    let said = desk.run(&rehearse).ends(2).stderr;
    assert!(
        said.contains("not what an earlier rehearsal wrote"),
        "{said}"
    );
    assert_eq!(desk.read("c-rehearsal.csv"), b"mine\n");
}
