//! The database when things go wrong with it: newer than us, broken, in use, not writable, full.
//! Nothing is changed that is not ours, what is said names the file and the way out, and no answer
//! is lost. And the store's own word: a group is whole or not there, and recovery can be repeated.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::sync::Arc;

use crate::support::audit::Audit;
use crate::support::{Desk, Platform, execute, people, wait_for};
use callout::domain::{
    AttemptId, AttemptKey, AttemptState, CallId, DestinationKind, Disposition, Outcome,
    RecipientId, RunId, Stage, Tally,
};
use callout::store::{
    self, Access, Change, Imported, ImportedRow, NewRun, Planned, Store, StoreError, Was,
};
use jiff::Timestamp;
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
    for command in [["run", "c.toml", "--yes"].as_slice(), &["resume"]] {
        let said = desk.run(command).ends(1).stderr;
        assert!(
            said.contains("in use") && said.contains("callout pause"),
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

/// A store with one run and so many recipients, all due.
async fn stocked(desk: &Desk, recipients: usize) -> (Arc<dyn Store>, RunId) {
    let address = format!("sqlite:{}", desk.path("s.db").display());
    let store = store::open(&address, Access::Engine, None).await.unwrap();
    store.compare().await.unwrap();
    let run = RunId::new("0123456789ab");
    let new = NewRun {
        blackout_file: None,
        platform: String::new(),
        id: run.clone(),
        campaign: "c".into(),
        definition: String::new(),
        definition_path: "c.toml".into(),
        rehearsal: false,
        created_at: now(),
        scheduled_for: None,
        expires_at: None,
        spend: None,
        planned: Planned::default(),
    };
    store.create_run(&new).await.unwrap();
    let (rows, rows_in) = tokio::sync::mpsc::channel(1);
    let (imported, imported_in) = tokio::sync::oneshot::channel();
    let row = |nth| ImportedRow {
        zones: None,
        hold: None,
        line: u64::try_from(nth).unwrap() + 2,
        cells: vec![crate::support::number(nth)],
        verdict: Ok(crate::support::number(nth)),
    };
    rows.try_send((0..recipients).map(row).collect()).unwrap();
    drop(rows);
    let end = Imported {
        header: vec!["phone".into()],
        destination_kind: DestinationKind::Number,
        sha256: String::new(),
    };
    imported.send(end).unwrap();
    store.import(&run, rows_in, imported_in).await.unwrap();
    (store, run)
}

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn intend(nth: u8) -> Change {
    Change::Intend {
        key: AttemptKey(nth.into()),
        id: AttemptId::from_bytes([nth; 16]),
        recipient: RecipientId(nth.into()),
        hold: None,
        at: now(),
    }
}

fn accepted(nth: u8) -> Change {
    let state = AttemptState::Accepted(CallId::new(&format!("call-{nth}")).unwrap());
    Change::Attempt {
        key: AttemptKey(nth.into()),
        from: Stage::Intended,
        state,
        at: now(),
    }
}

fn ended(nth: u8) -> [Change; 2] {
    let outcome = Outcome {
        result: Some("ANSWERED".into()),
        ..Outcome::unknown()
    };
    let call = CallId::new(&format!("call-{nth}"));
    let state = AttemptState::Final { call, outcome };
    let recipient = RecipientId(nth.into());
    let disposition = Disposition::Reached;
    [
        Change::Attempt {
            key: AttemptKey(nth.into()),
            from: Stage::Intended,
            state,
            at: now(),
        },
        Change::Done {
            recipient,
            from: Was::InFlight,
            disposition,
            reason: None,
        },
    ]
}

#[tokio::test]
async fn a_group_is_whole_or_not_there() {
    let desk = Desk::empty();
    let (store, run) = stocked(&desk, 5).await;
    store.commit(&run, &[intend(1), intend(2)]).await.unwrap();
    let before = store.tally(&run).await.unwrap();
    // The first two changes are right; the third is about an attempt that nobody intended.
    let group = [intend(3), accepted(1), accepted(4)];
    let refusal = store.commit(&run, &group).await.unwrap_err();
    assert!(matches!(refusal, StoreError::Diverged(_)), "{refusal}");
    assert_eq!(store.tally(&run).await.unwrap(), before);
    // A second attempt on somebody whose first is not over is refused by the tables themselves.
    let second = Change::Intend {
        key: AttemptKey(9),
        id: AttemptId::from_bytes([9; 16]),
        recipient: RecipientId(1),
        hold: None,
        at: now(),
    };
    store.commit(&run, &[intend(3), second]).await.unwrap_err();
    assert_eq!(store.tally(&run).await.unwrap(), before);
    store.commit(&run, &[intend(3), accepted(1)]).await.unwrap();
    assert_eq!(store.tally(&run).await.unwrap().in_flight, 3);
}

async fn tally(store: &dyn Store, run: &RunId) -> Tally {
    store.tally(run).await.unwrap()
}

#[tokio::test]
async fn recovering_twice_is_recovering_once() {
    let desk = Desk::empty();
    let (store, run) = stocked(&desk, 5).await;
    store
        .commit(&run, &[intend(1), intend(2), intend(3)])
        .await
        .unwrap();
    store.commit(&run, &[accepted(1)]).await.unwrap();
    let first = store.recover(&run, now()).await.unwrap();
    assert_eq!((first.became_uncertain, first.next_key), (2, 4));
    let after = tally(store.as_ref(), &run).await;
    assert_eq!(
        (
            after.of(Disposition::Uncertain),
            after.in_flight,
            after.pending
        ),
        (2, 1, 2)
    );
    let second = store.recover(&run, now()).await.unwrap();
    assert_eq!((second.became_uncertain, second.next_key), (0, 4));
    assert_eq!(second.uncertain_since, first.uncertain_since);
    assert_eq!(tally(store.as_ref(), &run).await, after);
    let open = store.open_calls(&run, RecipientId(0), 10).await.unwrap();
    assert_eq!(open.len(), 1);
    let due = store.due(&run, now(), None, 10, None).await.unwrap();
    let due: Vec<i64> = due.due.iter().map(|due| due.recipient.0).collect();
    assert_eq!(due, [4, 5], "whoever is uncertain is not due");
}

#[tokio::test]
async fn an_answer_kept_aside_is_read_back_once() {
    let desk = Desk::empty();
    let (store, run) = stocked(&desk, 3).await;
    store.commit(&run, &[intend(1), intend(2)]).await.unwrap();
    // Two answers that could not be committed; the second process reads them.
    let end = ended(2);
    store.keep_aside(&run, &[accepted(1)]).unwrap();
    store.keep_aside(&run, &end).unwrap();
    drop(store);
    let address = format!("sqlite:{}", desk.path("s.db").display());
    let store = store::open(&address, Access::Engine, None).await.unwrap();
    let recovery = store.recover(&run, now()).await.unwrap();
    assert_eq!((recovery.read_back, recovery.became_uncertain), (2, 0));
    let after = tally(store.as_ref(), &run).await;
    assert_eq!(
        (
            after.of(Disposition::Reached),
            after.in_flight,
            after.pending
        ),
        (1, 1, 1)
    );
    let again = store.recover(&run, now()).await.unwrap();
    assert_eq!((again.read_back, again.became_uncertain), (0, 0));
    assert_eq!(tally(store.as_ref(), &run).await, after);
}

#[tokio::test]
async fn what_a_commit_left_behind_is_not_written_over_by_the_side_file() {
    let desk = Desk::empty();
    let (store, run) = stocked(&desk, 3).await;
    store.commit(&run, &[intend(1)]).await.unwrap();
    // The commit failed in the engine's eyes and was durable all the same; then the call ended.
    store.commit(&run, &ended(1)).await.unwrap();
    store.keep_aside(&run, &[accepted(1)]).unwrap();
    store.recover(&run, now()).await.unwrap();
    let after = tally(store.as_ref(), &run).await;
    assert_eq!((after.of(Disposition::Reached), after.in_flight), (1, 0));
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
    for odd in ["-1", "9223372036854775807", "4294967296"] {
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
