//! Addresses of databases.

use std::path::{Path, PathBuf};

/// How the address of a database in a file begins.
pub(crate) const SCHEME: &str = "sqlite:";

/// A database's address for people: the whole path of its file.
pub(crate) fn shown(address: &str) -> String {
    match path_of(address) {
        Some(path) => absolute(Path::new(path)).display().to_string(),
        None => address.to_owned(),
    }
}

/// The path in a file's address.
pub(crate) fn path_of(address: &str) -> Option<&str> {
    let path = address.strip_prefix(SCHEME)?;
    Some(path.strip_prefix("//").unwrap_or(path))
}

/// The address of a rehearsal's own database, beside the real one.
pub(crate) fn of_rehearsals(address: &str) -> String {
    let stem = address.strip_suffix(".db").unwrap_or(address);
    format!("{stem}-rehearsal.db")
}

/// An address as it was given: one with a scheme as it is, anything else is a file.
pub(crate) fn address(given: &str) -> String {
    if given.starts_with(SCHEME) || given.contains("://") {
        given.to_owned()
    } else {
        format!("{SCHEME}{given}")
    }
}

/// The folder that a file is in.
pub(crate) fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Whether something has the name; what it is, whoever opens it finds out.
pub(crate) fn is_there(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|about| !about.is_dir())
}

/// The path from the root, links resolved where that can be done.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    let name = path.file_name().filter(|_| !path.is_dir());
    let folder = name.map_or_else(|| path.to_owned(), |_| folder_of(path));
    match (std::fs::canonicalize(folder), name) {
        (Ok(folder), Some(name)) => folder.join(name),
        (Ok(folder), None) => folder,
        (Err(_), _) => std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_scheme_whatever_was_given() {
        for (given, kept) in [
            ("callout.db", "sqlite:callout.db"),
            ("sqlite:callout.db", "sqlite:callout.db"),
            ("/a/b.db", "sqlite:/a/b.db"),
            ("sqlite:///a/b.db", "sqlite:///a/b.db"),
            ("postgres://host/name", "postgres://host/name"),
            (":memory:", "sqlite::memory:"),
        ] {
            assert_eq!(address(given), kept);
        }
        assert_eq!(path_of("sqlite:///a/b.db"), Some("/a/b.db"));
        assert_eq!(
            of_rehearsals("sqlite:a/callout.db"),
            "sqlite:a/callout-rehearsal.db"
        );
        assert_eq!(
            of_rehearsals("sqlite:campaigns"),
            "sqlite:campaigns-rehearsal.db"
        );
    }
}
