//! Files that are written for people: under another name until they are whole, so that nobody ever reads half
//! a file, and nothing is replaced unless that was asked for.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::{Error, Refusal};
use crate::campaign::Campaign;
use crate::store::{Store, belongs_to_a_database};

/// So many names are tried for a file that is being written.
const PARTIALS_MAX: u32 = 99;

/// Says no to an output file that is there already.
pub(crate) fn refuse_to_replace(path: &Path, force: bool) -> Result<(), Error> {
    // A rename would put a file in the place of a device, a pipe or a link.
    if let Ok(there) = std::fs::symlink_metadata(path)
        && !there.is_file()
    {
        return Err(Refusal::NoFile(path.to_owned()).into());
    }
    if belongs_to_a_database(path) {
        return Err(Refusal::input(
            "belongs_to_database",
            format!(
                "{} is a database, or belongs to one: nothing replaces it, name another file",
                path.display()
            ),
        )
        .into());
    }
    if !force && path.exists() {
        return Err(Refusal::FileThere(path.to_owned()).into());
    }
    // Better now than after the last call.
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if folder.is_some_and(|folder| !folder.is_dir()) {
        return Err(Refusal::input(
            "no_folder",
            format!(
                "the folder of {} does not exist: make it, or name another file",
                path.display()
            ),
        )
        .into());
    }
    Ok(())
}

/// Says no to an output file that is one of a campaign's own: `--force` is meant for results.
pub(crate) fn refuse_inputs(path: &Path, campaign: &Campaign) -> Result<(), Error> {
    for input in [campaign.path(), &campaign.recipients.file] {
        if is_same(path, input) {
            return Err(Refusal::input(
                "is_an_input",
                format!(
                    "{} is what campaign {} is read from: nothing replaces it, name another file",
                    path.display(),
                    campaign.name
                ),
            )
            .into());
        }
    }
    Ok(())
}

/// The same for everything that any run of a database was read from.
pub(crate) async fn refuse_inputs_of_runs(path: &Path, store: &dyn Store) -> Result<(), Error> {
    if !path.exists() {
        return Ok(());
    }
    for head in store.run_heads("").await? {
        let run = store.run(&head.id).await?;
        let dates = run.blackout_file.as_deref();
        if let Ok(campaign) = Campaign::parse_kept(&run.definition, &run.definition_path, dates) {
            refuse_inputs(path, &campaign)?;
        }
    }
    Ok(())
}

/// Whether two names lead to one file that is there.
fn is_same(one: &Path, other: &Path) -> bool {
    let inode = |path: &Path| {
        let there = std::fs::metadata(path).ok()?;
        Some((there.dev(), there.ino()))
    };
    inode(one).is_some_and(|one| inode(other) == Some(one))
}

/// A file that is being written. Dropped before its end, it is gone.
#[derive(Debug)]
pub(crate) struct NewFile<'a> {
    path: &'a Path,
    partial: PathBuf,
    file: File,
}

impl<'a> NewFile<'a> {
    /// Begins a file that only its owner can read: it holds the numbers and names of people, or what
    /// they said. It is made under a name that nothing has yet, be it a link.
    pub(crate) fn begin(path: &'a Path) -> Result<Self, Error> {
        let mut nth = 0;
        loop {
            let partial = partial_name(path, nth);
            let made = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&partial);
            match made {
                Ok(file) => {
                    return Ok(Self {
                        path,
                        partial,
                        file,
                    });
                }
                // Left behind by a process that was killed, or put there by somebody.
                Err(error)
                    if error.kind() == io::ErrorKind::AlreadyExists && nth < PARTIALS_MAX =>
                {
                    nth += 1;
                }
                Err(error) => return Err(unwritable(path, &error)),
            }
        }
    }

    /// Writes what comes next.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    /// Gives the whole file its name; a file that has the name is replaced only where that was said.
    pub(crate) fn finish(self, replace: bool) -> Result<(), Error> {
        let taken = self.file.sync_all().and_then(|()| {
            let file = std::fs::symlink_metadata(self.path).map_or(true, |there| there.is_file());
            if replace && file {
                std::fs::rename(&self.partial, self.path)
            } else {
                std::fs::hard_link(&self.partial, self.path)
            }
        });
        taken.map_err(|error| unwritable(self.path, &error))
    }
}

impl Drop for NewFile<'_> {
    fn drop(&mut self) {
        // Half a file helps nobody; after a rename it is not there any more.
        drop(std::fs::remove_file(&self.partial));
    }
}

/// Writes a file that only its owner can read, whole or not at all.
pub(crate) fn write_private(path: &Path, bytes: &[u8], replace: bool) -> Result<(), Error> {
    let mut file = NewFile::begin(path)?;
    file.write(bytes)
        .map_err(|error| unwritable(path, &error))?;
    file.finish(replace)
}

fn unwritable(path: &Path, error: &io::Error) -> Error {
    Error::failed(format!("{} cannot be written: {error}", path.display()))
}

fn partial_name(path: &Path, nth: u32) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}-{nth}.partial", std::process::id()));
    path.with_file_name(name)
}
