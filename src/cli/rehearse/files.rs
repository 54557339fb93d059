//! What a rehearsal leaves on disk: a database beside the real one, which begins anew each time, and its
//! results, which replace only an earlier rehearsal's.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::campaign::Campaign;
use crate::cli::args::RehearseArgs;
use crate::cli::exit::Failure;
use crate::cli::{database, export, file};
use crate::store::{self, Access, Store};

/// Opens the rehearsal's database, empty. The lock is taken before anything is deleted, so that a
/// rehearsal that is going on is left alone.
pub(super) async fn begin_anew(address: &str, access: Access) -> Result<Arc<dyn Store>, Failure> {
    store::begin_anew(address).await?;
    Ok(store::open(address, access, None).await?)
}

/// Where the results go, and whether a file that is there is replaced: only what an earlier rehearsal
/// wrote, and nobody has changed since.
pub(super) fn results_file(
    args: &RehearseArgs,
    campaign: &Campaign,
    earlier: &Earlier,
) -> Result<(PathBuf, bool), Failure> {
    let named = args.output.clone();
    let path = named.unwrap_or_else(|| PathBuf::from(format!("{}-rehearsal.csv", campaign.name)));
    let own = path.exists() && earlier.wrote(&path);
    if path.exists() && !own {
        return Err(Failure::usage(format!(
            "{} is there and is not what an earlier rehearsal wrote: move it, or name another \
             file with --output",
            path.display()
        )));
    }
    file::refuse_to_replace(&path, own)?;
    file::refuse_inputs(&path, campaign)?;
    Ok((path, own))
}

/// What earlier rehearsals wrote, in a file beside their database, which begins anew each time: a
/// line of SHA-256 and path each.
pub(super) struct Earlier(PathBuf);

impl Earlier {
    pub(super) fn of(address: &str) -> Self {
        let path = database::path_of(address).unwrap_or(address);
        Self(PathBuf::from(format!("{path}-results")))
    }

    fn line(path: &Path) -> std::io::Result<String> {
        let sha256 = export::sha256_of(path)?;
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
    pub(super) fn remember(&self, path: &Path) -> Result<(), Failure> {
        let line = Self::line(path)?;
        let (_, name) = line.split_at(64);
        let known = std::fs::read_to_string(&self.0).unwrap_or_default();
        let mut lines: Vec<&str> = known
            .lines()
            .filter(|known| !known.ends_with(name))
            .collect();
        lines.push(&line);
        file::write_private(&self.0, (lines.join("\n") + "\n").as_bytes(), true)
    }
}
