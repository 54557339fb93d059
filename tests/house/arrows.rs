//! Who may know whom.

use crate::sources;

/// A module and the modules of this crate that it may name.
const ARROWS: [(&str, &[&str]); 12] = [
    ("domain", &["domain"]),
    ("campaign", &["campaign", "domain"]),
    ("recipients", &["recipients", "campaign", "domain"]),
    ("sinch", &["sinch", "domain", "clock"]),
    ("store", &["store", "domain", "digest"]),
    ("report", &["report", "domain"]),
    ("engine", &["engine", "store", "domain", "clock", "entropy"]),
    ("simulator", &["simulator", "sinch::auth", "domain"]),
    (
        "serve",
        &[
            "serve",
            "store",
            "sinch::auth",
            "sinch::verify",
            "sinch::events",
            "sinch::identity",
            "sinch::svaml",
            "domain",
            "clock",
        ],
    ),
    (
        "app",
        &[
            "app",
            "campaign",
            "recipients",
            "domain",
            "sinch",
            "store",
            "engine",
            "report",
            "simulator",
            "serve",
            "clock",
            "entropy",
            "digest",
        ],
    ),
    ("output", &["output", "app", "engine", "report", "domain"]),
    (
        "cli",
        &[
            "output",
            "process",
            "cli",
            "app",
            "campaign",
            "recipients",
            "domain",
            "sinch",
            "store",
            "engine",
            "report",
            "simulator",
        ],
    ),
];

#[test]
fn arrows_point_one_way() {
    for (module, allowed) in ARROWS {
        for source in sources(&format!("src/{module}")) {
            for named in source.text.split("crate::").skip(1) {
                let ok = allowed.iter().any(|a| named.starts_with(a));
                let named: String = named.chars().take(30).collect();
                assert!(
                    ok,
                    "{} names crate::{named}… but may know {allowed:?} only",
                    source.path
                );
            }
        }
    }
}

#[test]
fn sql_lives_in_the_store_alone() {
    for source in sources("src") {
        if !source.path.starts_with("src/store/sqlite/") {
            let (path, text) = (source.path, source.text);
            assert!(!text.contains("sqlx::query"), "{path} has SQL");
        }
    }
}
