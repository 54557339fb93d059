//! The house: ARCHITECTURE.md against the sources. What is wrong today stands here as a list that may
//! only shrink.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stumbles")]

mod arrows;
mod circles;
mod documents;
mod imports;
mod words;

use std::path::Path;

/// A source file, by its path below the project's root.
#[derive(Debug)]
struct Source {
    path: String,
    text: String,
}

/// Every source below a folder of the project, in order of their paths.
fn sources(folder: &str) -> Vec<Source> {
    let mut found = Vec::new();
    collect(&root().join(folder), &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(!found.is_empty(), "{folder} has sources");
    found
}

fn collect(folder: &Path, found: &mut Vec<Source>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(Source {
                text: std::fs::read_to_string(&path).unwrap(),
                path: path.strip_prefix(root()).unwrap().display().to_string(),
            });
        }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}
