//! The database when things go wrong with it: newer than us, broken, in use, not writable, full.
//! Nothing is changed that is not ours, what is said names the file and the way out, and no answer
//! is lost.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use crate::support::audit::Audit;
use crate::support::{Desk, Platform, execute, people, wait_for};
use rustix::process::geteuid;
use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;

/// Somebody who is not root: permissions hold for them.
const NOBODY: u32 = 65_534;

/// A desk whose database has a finished run of three.
fn finished(platform: &Platform) -> Desk {
    let desk = Desk::at(platform);
    desk.tts(&people(3), "calls_per_second = 100");
    desk.run(&["run", "c.toml", "--yes"]).ends(0);
    desk
}

#[tokio::test]
async fn a_database_that_is_newer_than_us_is_left_alone() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = finished(&platform);
    let options = SqliteConnectOptions::new().filename(desk.path("callout.db"));
    let mut connection = options.connect().await.unwrap();
    let newer = "insert into _sqlx_migrations \
                 (version, description, success, checksum, execution_time) \
                 values (99990101000000, 'later', 1, x'00', 0)";
    sqlx::query(newer).execute(&mut connection).await.unwrap();
    sqlx::query("pragma wal_checkpoint(truncate)")
        .execute(&mut connection)
        .await
        .unwrap();
    drop(connection);
    let before = desk.read("callout.db");
    for command in [
        ["run", "c.toml", "--yes"].as_slice(),
        &["resume"],
        &["status"],
        &["export"],
    ] {
        let said = desk.run(command).ends(1).stderr;
        assert!(
            said.contains("callout.db") && said.contains("newer version"),
            "{said}"
        );
    }
    assert_eq!((desk.read("callout.db"), platform.posted()), (before, 3));
}

#[test]
fn a_file_that_is_no_database_is_left_alone() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = finished(&platform);
    let whole = desk.read("callout.db");
    let mut broken = whole.clone();
    broken[..100].fill(b'x');
    for bytes in [
        b"dear diary ".repeat(400),
        broken,
        whole[..whole.len() / 2].to_vec(),
    ] {
        std::fs::write(desk.path("callout.db"), &bytes).unwrap();
        let said = desk.run(&["run", "c.toml", "--yes"]).ends(1).stderr;
        assert!(
            said.contains("callout.db is not a usable database"),
            "{said}"
        );
        assert_eq!((desk.read("callout.db"), platform.posted()), (bytes, 3));
    }
}

#[test]
fn two_engines_never_work_on_one_database() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    desk.tts(&people(60), "calls_per_second = 20");
    let engine = desk.start(&["run", "c.toml", "--yes"]);
    wait_for("calls", || (platform.posted() > 2).then_some(()));
    for (command, fact) in [
        (["run", "c.toml", "--yes"].as_slice(), "in use"),
        (&["resume"], "goes on already"),
    ] {
        let said = desk.run(command).ends(1).stderr;
        assert!(
            said.contains(fact) && said.contains("callout pause"),
            "{said}"
        );
    }
    // Everybody may read meanwhile.
    desk.run(&["status"]).ends(0);
    desk.run(&["export"]).ends(0);
    engine.wait().ends(0);
    assert_eq!(platform.ledger().rows.len(), 60);
}

#[test]
fn a_folder_that_cannot_be_written_is_named_and_nobody_is_called() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    desk.tts(&people(2), "calls_per_second = 100");
    let folder = desk.path("locked");
    std::fs::create_dir(&folder).unwrap();
    // Root may write everywhere, so whoever runs the tests as root becomes somebody else here.
    let root = geteuid().is_root();
    let binary = folder.join("callout");
    std::fs::copy(env!("CARGO_BIN_EXE_callout"), &binary).unwrap();
    for file in ["c.toml", "list.csv"] {
        std::fs::copy(desk.path(file), folder.join(file)).unwrap();
    }
    for path in [desk.path("."), folder.clone()] {
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o555)).unwrap();
    }
    let mut command = Command::new(&binary);
    command
        .args(["run", "c.toml", "--yes"])
        .current_dir(&folder)
        .env("SINCH_APPLICATION_KEY", crate::support::KEY)
        .env("SINCH_APPLICATION_SECRET", crate::support::SECRET)
        .env("SINCH_CALLING_URL", &platform.url)
        .env("CALLOUT_DB", "callout.db");
    if root {
        command.uid(NOBODY).gid(NOBODY);
    }
    let out = command.output().unwrap();
    for path in [desk.path("."), folder] {
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o700)).unwrap();
    }
    let said = String::from_utf8(out.stderr).unwrap();
    assert_eq!(out.status.code(), Some(1), "{said}");
    assert!(said.contains("callout.db cannot be opened"), "{said}");
    assert_eq!(platform.posted(), 0);
}

#[test]
fn a_full_disk_stops_the_run_and_costs_no_answer() {
    let platform = Platform::start(&["--time-scale", "0", "--answer-after", "20"]);
    let desk = Desk::at(&platform);
    desk.tts(&people(1_500), "calls_per_second = 500");
    // A disk of its own in a mount namespace of its own: it is gone with the script.
    let script = "set -e
        mkdir disk; mount -t tmpfs -o size=3m none disk; cp c.toml list.csv disk; cd disk
        code=0; \"$CALLOUT\" run c.toml --yes >../out 2>../err || code=$?
        echo $code >../code; ls -la >../files
        mount -o remount,size=200m none .
        code=0; \"$CALLOUT\" resume >../out2 2>../err2 || code=$?
        echo $code >../code2; cp callout.db ..";
    desk.run_with_disks(script);
    let text = |name| String::from_utf8(desk.read(name)).unwrap();
    assert_eq!(text("code").trim(), "1", "{}{}", text("err"), text("files"));
    assert!(text("err").contains("the disk is full"), "{}", text("err"));
    assert!(text("err").contains("callout resume"), "{}", text("err"));
    assert_eq!(
        text("code2").trim(),
        "0",
        "{}{}",
        text("out2"),
        text("err2")
    );
    let audit = Audit::of(&desk, &platform);
    assert_eq!(audit.violations, Vec::<String>::new());
    assert_eq!(audit.ledger.rows.len(), 1_500);
}

#[test]
fn the_database_is_its_owners_alone() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    desk.tts(&people(40), "calls_per_second = 20");
    // Even where a file was there already, readable by everybody.
    desk.write("callout.db", "");
    std::fs::set_permissions(desk.path("callout.db"), PermissionsExt::from_mode(0o644)).unwrap();
    let engine = desk.start(&["run", "c.toml", "--yes"]);
    wait_for("calls", || (platform.posted() > 2).then_some(()));
    for file in ["", "-wal", "-shm", "-lock", "-answers"] {
        let name = format!("callout.db{file}");
        let mode = desk.path(&name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    drop(engine);
}

#[test]
fn figures_that_nobody_wrote_are_an_error_and_no_panic() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = Desk::at(&platform);
    desk.tts(&people(40), "calls_per_second = 20");
    let engine = desk.start(&["run", "c.toml", "--yes"]);
    wait_for("calls", || (platform.posted() > 2).then_some(()));
    assert!(engine.kill());
    let file = desk.path("callout.db");
    for odd in ["-1", "9223372036854775807", "281474976710656"] {
        execute(&file, &format!("update recipients set tried = {odd}"));
        let end = desk.run(&["resume"]);
        assert_eq!(end.code, Some(1), "{odd}: {}", end.stderr);
        assert!(
            end.stderr.contains(&format!("`tried` is {odd}")),
            "{}",
            end.stderr
        );
        assert!(!end.stderr.contains("panicked"), "{}", end.stderr);
    }
    let posted = platform.posted();
    execute(&file, "update recipients set tried = 0");
    desk.run(&["resume"]);
    assert!(platform.posted() > posted);
}
