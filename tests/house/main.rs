//! Who may know whom: the arrows of ARCHITECTURE.md, read off the sources.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stumbles")]

use std::path::Path;

/// A module and the modules of this crate that it may name.
const ARROWS: [(&str, &[&str]); 8] = [
    ("domain", &["domain"]),
    ("campaign", &["campaign", "domain"]),
    ("recipients", &["recipients", "campaign", "domain"]),
    ("sinch", &["sinch", "domain", "clock"]),
    ("store", &["store", "domain"]),
    ("report", &["report", "domain"]),
    (
        "engine",
        &["engine", "sinch", "store", "domain", "clock", "entropy"],
    ),
    ("simulator", &["simulator", "sinch::auth", "domain"]),
];

#[test]
fn arrows_point_one_way() {
    for (module, allowed) in ARROWS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("src")
            .join(module);
        let mut files = 0;
        for (path, source) in sources(&folder) {
            files += 1;
            for named in source.split("crate::").skip(1) {
                let ok = allowed.iter().any(|a| named.starts_with(a));
                let named: String = named.chars().take(30).collect();
                assert!(
                    ok,
                    "{path} names crate::{named}… but may know {allowed:?} only"
                );
            }
        }
        assert!(files > 0, "{module} has sources");
    }
}

#[test]
fn every_file_opens_with_what_it_is_for() {
    for (path, source) in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        assert!(source.starts_with("//! "), "{path} opens without a `//!`");
    }
}

#[test]
fn sql_lives_in_the_store_alone() {
    for (path, source) in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        if !path.contains("/store/sqlite/") {
            assert!(!source.contains("sqlx::query"), "{path} has SQL");
        }
    }
}

fn sources(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            let source = std::fs::read_to_string(&path).unwrap();
            found.push((path.display().to_string(), source));
        }
    }
    found
}

#[test]
fn every_method_has_a_client_a_command_and_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| std::fs::read_to_string(root.join(name)).unwrap();
    let (table, tests) = (read("docs/calling-api.md"), read("tests/cli/api.rs"));
    let methods = table.lines().filter(|line| {
        ["GET", "POST", "PATCH", "DELETE"]
            .iter()
            .any(|verb| line.starts_with(&format!("| `{verb} ")))
    });
    let mut count = 0;
    for line in methods {
        count += 1;
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [_, client, command, test] = cells.as_slice() else {
            panic!("{line}");
        };
        assert!(!command.is_empty(), "{line}");
        let (module, name) = client.trim_matches('`').split_once("::").unwrap();
        let source = read(&format!("src/sinch/{module}.rs"));
        let there = ["struct", "enum"].map(|what| format!("pub {what} {name}"));
        assert!(there.iter().any(|there| source.contains(there)), "{line}");
        let test = format!("fn {}()", test.trim_matches('`'));
        assert!(tests.contains(&test), "{line}");
    }
    assert_eq!(count, 19, "methods in the seeds, the three callouts apart");
}
