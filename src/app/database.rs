//! Which database is meant, and how databases are addressed.
//!
//! The one that is named; else, for a campaign, the nearest `callout.db` from its file's folder upwards,
//! and without one, the nearest from the current folder upwards.

use std::path::{Path, PathBuf};

/// How the address of a database in a file begins.
const SCHEME: &str = "sqlite:";
/// What a database is called where nobody names one.
pub(crate) const NAME: &str = "callout.db";

/// A database, and how it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Database {
    /// Its address was given, by `--db` or `CALLOUT_DB`.
    Named(String),
    /// It is the nearest one, in this file.
    Found(PathBuf),
    /// There is none yet; this is where one belongs.
    Missing(PathBuf),
}

impl Database {
    /// The database of a campaign in `file`; without one, that of the current folder.
    pub(crate) fn of(named: Option<&str>, file: Option<&Path>) -> Self {
        if let Some(named) = named {
            return Self::Named(address(named));
        }
        let folder = file.map_or_else(|| PathBuf::from("."), folder_of);
        let here = std::fs::canonicalize(".").ok();
        let Ok(folder) = std::fs::canonicalize(&folder) else {
            // Whoever reads the file says what is wrong with it.
            return Self::Missing(folder.join(NAME));
        };
        // A file of the current folder is known by its name alone.
        let short = |folder: &Path| match &here {
            Some(here) if here == folder => PathBuf::from(NAME),
            _ => folder.join(NAME),
        };
        match folder.ancestors().find(|f| is_there(&f.join(NAME))) {
            Some(nearest) => Self::Found(short(nearest)),
            None => Self::Missing(short(&folder)),
        }
    }

    /// Its address, as the store takes it.
    pub(crate) fn address(&self) -> String {
        match self {
            Self::Named(address) => address.clone(),
            Self::Found(file) | Self::Missing(file) => format!("{SCHEME}{}", file.display()),
        }
    }
}

/// Why the database of a campaign may not be the one that is meant: the current folder leads to another
/// one. None where it does not, and where one was named.
pub(crate) fn another(database: &Database, named: Option<&str>) -> Option<String> {
    let Database::Found(here) = Database::of(named, None) else {
        return None;
    };
    let (words, place) = match database {
        Database::Named(_) => return None,
        Database::Found(place) => ("the campaign's folder leads to", place),
        Database::Missing(place) => ("the campaign's folder has none yet and would get", place),
    };
    let same = std::fs::canonicalize(&here).ok() == std::fs::canonicalize(place).ok();
    (!same).then(|| {
        format!(
            "which database? {words} {}, and the current folder to {}, with suppression lists and \
             runs of its own",
            absolute(place).display(),
            absolute(&here).display()
        )
    })
}

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
fn address(given: &str) -> String {
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
