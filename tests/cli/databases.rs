//! Which database a command takes: that of the campaign's folder, never another in silence, and none is
//! made unasked. Who was rung is counted by the platform.

use std::os::unix::fs::symlink;

use crate::support::{Desk, Platform, number, people};

/// A desk that names no database, with a campaign in the folder `clinic` and an empty folder `desk`.
fn desk(platform: &Platform) -> Desk {
    let mut desk = Desk::at(platform);
    desk.unset("CALLOUT_DB");
    for folder in ["clinic", "desk"] {
        std::fs::create_dir(desk.path(folder)).unwrap();
    }
    desk.tts(&people(5), "calls_per_second = 100");
    for file in ["c.toml", "list.csv"] {
        std::fs::rename(desk.path(file), desk.path("clinic").join(file)).unwrap();
    }
    desk
}

/// The path of a database as it is named to people.
fn named(desk: &Desk, folder: &str) -> String {
    let folder = std::fs::canonicalize(desk.path(folder)).unwrap();
    folder.join("callout.db").display().to_string()
}

fn made(desk: &Desk, folder: &str) -> bool {
    desk.path(folder).join("callout.db").exists()
}

fn suppress(desk: &Desk, folder: &str) {
    let add = ["suppress", "add", &number(1), "--db", "callout.db"];
    desk.run_in(folder, &add).ends(0);
}

#[test]
fn a_campaign_has_the_database_of_its_folder_wherever_one_stands() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = desk(&platform);
    suppress(&desk, "clinic");
    let database = named(&desk, "clinic");
    symlink(desk.path("clinic"), desk.path("link")).unwrap();
    for file in ["../clinic/c.toml", "../link/c.toml"] {
        let plan = desk.run_in("desk", &["plan", file]).ends(0).stdout;
        assert!(plan.contains(&format!("database: {database}\n")), "{plan}");
        assert!(plan.contains("1 row is on a suppression list"), "{plan}");
        let json = desk
            .run_in("desk", &["plan", file, "--json"])
            .ends(0)
            .json();
        assert_eq!(json["database"], database);
        let said = desk.run_in("desk", &["check", file]).ends(0);
        assert!(said.stdout.contains("suppressed"), "{}", said.stdout);
    }
    let out = desk
        .run_in("desk", &["run", "../clinic/c.toml", "--yes"])
        .ends(0);
    assert!(
        out.stderr.contains(&format!("database: {database}\n")),
        "{}",
        out.stderr
    );
    assert!(!made(&desk, "desk"), "another database was made");
    let rung = platform.ledger();
    assert_eq!(rung.rows.len(), 4);
    assert!(
        !rung.column("destination").contains(&number(1).as_str()),
        "{rung:?}"
    );
    let status = desk.run_in("clinic", &["status"]).ends(0).stdout;
    assert!(
        status.contains(&format!("database: {database}\n")),
        "{status}"
    );
    let json = desk.run_in("clinic", &["status", "--json"]).ends(0).json();
    assert_eq!(json["database"], database);
}

#[test]
fn a_database_above_the_campaign_is_its_own() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = desk(&platform);
    suppress(&desk, ".");
    std::fs::create_dir(desk.path("clinic/deep")).unwrap();
    for (folder, file) in [(".", "clinic/c.toml"), ("clinic/deep", "../c.toml")] {
        let plan = desk.run_in(folder, &["plan", file]).ends(0).stdout;
        assert!(
            plan.contains(&format!("database: {}\n", named(&desk, "."))),
            "{plan}"
        );
    }
    // A command without a campaign looks from the current folder upwards.
    let lists = desk
        .run_in("clinic/deep", &["suppress", "list"])
        .ends(0)
        .stdout;
    assert!(lists.contains("dnc"), "{lists}");
    desk.run_in(".", &["run", "clinic/c.toml", "--yes"]).ends(0);
    assert_eq!(platform.ledger().rows.len(), 4);
    assert!(!made(&desk, "clinic"));
}

#[test]
fn where_the_current_folder_leads_to_another_database_nobody_is_dialled() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = desk(&platform);
    suppress(&desk, "desk");
    let (clinic, here) = (named(&desk, "clinic"), named(&desk, "desk"));
    let file = "../clinic/c.toml";
    let place = [
        "call",
        "place",
        &number(3),
        "--campaign",
        file,
        "--set",
        "name=Bo",
    ];
    let live: [&[&str]; 4] = [
        &["run", file, "--yes"],
        &["run", file],
        &["schedule", "run", file],
        &place,
    ];
    let toml = desk.path("clinic/c.toml");
    let campaign = std::fs::read_to_string(&toml).unwrap();
    let scheduled = format!("{campaign}[schedule]\nstart = \"2020-01-01T00:00:00[UTC]\"\n");
    // First the campaign has no database of its own, as after an update; then it has one.
    for own in [false, true] {
        if own {
            suppress(&desk, "clinic");
        }
        for args in live {
            let wanted = if args[0] == "schedule" {
                &scheduled
            } else {
                &campaign
            };
            std::fs::write(&toml, wanted).unwrap();
            let said = desk.run_in("desk", args).ends(2).stderr;
            assert!(
                said.contains(&clinic) && said.contains(&here),
                "{args:?}: {said}"
            );
            assert!(said.contains("--db"), "{said}");
        }
        std::fs::write(&toml, &campaign).unwrap();
        let plan = desk.run_in("desk", &["plan", file]).ends(0).stdout;
        assert!(plan.contains("warning: which database?"), "{plan}");
        assert_eq!(made(&desk, "clinic"), own);
        assert_eq!(platform.posted(), 0);
    }
    // The same file by another name is no other database.
    std::fs::remove_file(desk.path("desk/callout.db")).unwrap();
    symlink(desk.path("clinic/callout.db"), desk.path("desk/callout.db")).unwrap();
    let plan = desk.run_in("desk", &["plan", file]).ends(0).stdout;
    assert!(!plan.contains("warning"), "{plan}");
    std::fs::remove_file(desk.path("desk/callout.db")).unwrap();
    // What is named is meant.
    let named = ["run", file, "--yes", "--db", "../desk/named.db"];
    desk.run_in("desk", &named).ends(0);
    assert_eq!(platform.ledger().rows.len(), 5);
}

#[test]
fn no_database_is_made_unasked() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = desk(&platform);
    let file = "../clinic/c.toml";
    let makes = format!("--db {} makes one", named(&desk, "clinic"));
    for args in [&["run", file, "--yes"][..], &["run", file]] {
        let said = desk.run_in("desk", args).ends(2).stderr;
        assert!(said.contains("there is no callout.db in"), "{said}");
        assert!(said.contains(&makes), "{said}");
    }
    let plan = desk.run_in("desk", &["plan", file]).ends(0).stdout;
    assert!(plan.contains("which is not there yet"), "{plan}");
    for args in [
        &["status"][..],
        &["resume"],
        &["pause"],
        &["export"],
        &["suppress", "add", &number(1)],
        &["suppress", "list"],
        &[
            "call",
            "place",
            &number(1),
            "--cli",
            "private",
            "--text",
            "hello",
        ],
    ] {
        let said = desk.run_in("desk", args).ends(2).stderr;
        assert!(
            said.contains("there is no callout.db in this folder"),
            "{args:?}: {said}"
        );
        assert!(said.contains("--db"), "{said}");
    }
    assert!(!made(&desk, "clinic") && !made(&desk, "desk"));
    assert_eq!(platform.posted(), 0);
    // Where it is named it is made: a plain path will do.
    let database = named(&desk, "clinic");
    desk.run_in("desk", &["run", file, "--yes", "--db", &database])
        .ends(0);
    assert_eq!(platform.ledger().rows.len(), 5);
    // From now on it is found.
    let status = desk.run_in("clinic", &["status"]).ends(0).stdout;
    assert!(
        status.contains(&format!("database: {database}\n")),
        "{status}"
    );
}

#[test]
fn a_rehearsal_is_kept_beside_the_real_database_and_screened_against_it() {
    let platform = Platform::start(&["--time-scale", "0"]);
    let desk = desk(&platform);
    suppress(&desk, ".");
    let rehearse = ["rehearse", "../clinic/c.toml", "--virtual"];
    let said = desk.run_in("desk", &rehearse).ends(0);
    assert!(said.stdout.contains("1 suppressed"), "{}", said.stdout);
    assert!(desk.path("callout-rehearsal.db").exists());
    assert!(!desk.path("desk/callout-rehearsal.db").exists());
    assert!(!desk.path("clinic/callout-rehearsal.db").exists());
    // Where there is none yet it lies where the real one would be.
    std::fs::remove_file(desk.path("callout.db")).unwrap();
    let elsewhere = [&rehearse[..], &["--output", "other.csv"]].concat();
    desk.run_in("desk", &elsewhere).ends(0);
    assert!(desk.path("clinic/callout-rehearsal.db").exists());
    assert!(!made(&desk, "clinic"));
}
