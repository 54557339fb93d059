//! What a rehearsal leaves on disk: a database beside the real one, which begins anew each time, and its
//! results, which replace only an earlier rehearsal's.

use std::path::{Path, PathBuf};

use crate::app::database::path_of;
use crate::app::{Error, Refusal, files};
use crate::campaign::Campaign;
use crate::digest::sha256_of;

/// Where the results go, and whether a file that is there is replaced: only what an earlier rehearsal
/// wrote, and nobody has changed since.
pub(super) fn results_file(
    named: Option<&Path>,
    campaign: &Campaign,
    earlier: &Earlier,
) -> Result<(PathBuf, bool), Error> {
    let path = named.map_or_else(
        || PathBuf::from(format!("{}-rehearsal.csv", campaign.name)),
        Path::to_owned,
    );
    let own = path.exists() && earlier.wrote(&path);
    if path.exists() && !own {
        return Err(Refusal::NotARehearsals(path).into());
    }
    files::refuse_to_replace(&path, own)?;
    files::refuse_inputs(&path, campaign)?;
    Ok((path, own))
}

/// What earlier rehearsals wrote, in a file beside their database, which begins anew each time: a
/// line of SHA-256 and path each.
pub(super) struct Earlier(PathBuf);

impl Earlier {
    pub(super) fn of(address: &str) -> Self {
        let path = path_of(address).unwrap_or(address);
        Self(PathBuf::from(format!("{path}-results")))
    }

    fn line(path: &Path) -> std::io::Result<String> {
        let sha256 = sha256_of(path)?;
        Ok(format!(
            "{sha256}  {}",
            std::path::absolute(path)?.display()
        ))
    }

    /// Whether a rehearsal wrote the file as it is now.
    fn wrote(&self, path: &Path) -> bool {
        let known = std::fs::read_to_string(&self.0).unwrap_or_default();
        Self::line(path).is_ok_and(|line| known.lines().any(|known| known == line))
    }

    /// Remembers what was written, in the place of what was written under that name before.
    pub(super) fn remember(&self, path: &Path) -> Result<(), Error> {
        let line = Self::line(path)?;
        let (_, name) = line.split_at(64);
        let known = std::fs::read_to_string(&self.0).unwrap_or_default();
        let mut lines: Vec<&str> = known
            .lines()
            .filter(|known| !known.ends_with(name))
            .collect();
        lines.push(&line);
        files::write_private(&self.0, (lines.join("\n") + "\n").as_bytes(), true)
    }
}
