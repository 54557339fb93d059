//! No file knows, by whatever way round, a file of its folder that knows it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::imports::{Imports, imports};

#[test]
fn no_folder_has_a_circle() {
    let imports = imports();
    let mut told = String::new();
    for file in imports.keys() {
        let around: BTreeSet<&String> = reached(file, &imports)
            .into_iter()
            .filter(|other| reached(other, &imports).contains(file))
            .collect();
        if around.iter().any(|other| *other != file) {
            writeln!(told, "{file} is in a circle with {around:?}").unwrap();
        }
    }
    assert!(told.is_empty(), "{told}");
}

/// Every file of the same folder of `src` that `file` knows, directly or through others of it.
fn reached<'a>(file: &str, imports: &'a Imports) -> BTreeSet<&'a String> {
    let folder = |path: &str| path.split('/').nth(1).map(str::to_owned);
    let mut found = BTreeSet::new();
    let mut open: Vec<&String> = imports[file].iter().collect();
    while let Some(next) = open.pop() {
        if folder(next) == folder(file) && found.insert(next) {
            open.extend(&imports[next]);
        }
    }
    found
}
