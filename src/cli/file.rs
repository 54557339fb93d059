//! Files that commands write: under another name until they are whole, so that nobody ever reads half
//! a file, and nothing is replaced unless that was asked for.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::exit::Failure;

/// Says no to an output file that is there already.
pub(super) fn refuse_to_replace(path: &Path, force: bool) -> Result<(), Failure> {
    // A rename would put a file in the place of a device, a pipe or a link.
    if let Ok(there) = std::fs::symlink_metadata(path)
        && !there.is_file()
    {
        return Err(Failure::usage(format!(
            "{} is there and is no file: name a file, or leave --output out and redirect",
            path.display()
        )));
    }
    if !force && path.exists() {
        return Err(Failure::usage(format!(
            "{} is there already: name another file, or say --force to replace it",
            path.display()
        )));
    }
    // Better now than after the last call.
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if folder.is_some_and(|folder| !folder.is_dir()) {
        return Err(Failure::usage(format!(
            "the folder of {} does not exist: make it, or name another file",
            path.display()
        )));
    }
    Ok(())
}

/// A file that is being written. Dropped before its end, it is gone.
#[derive(Debug)]
pub(super) struct NewFile<'a> {
    path: &'a Path,
    partial: PathBuf,
    file: File,
}

impl<'a> NewFile<'a> {
    /// Begins a file that only its owner can read: it holds the numbers and names of people, or what
    /// they said.
    pub(super) fn begin(path: &'a Path) -> Result<Self, Failure> {
        let partial = partial_name(path);
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&partial)
            .map_err(|error| unwritable(path, &error))?;
        Ok(Self {
            path,
            partial,
            file,
        })
    }

    /// Writes what comes next.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    /// Gives the whole file its name; a file that has the name is replaced only where that was said.
    pub(super) fn finish(self, replace: bool) -> Result<(), Failure> {
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

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::failed(format!("{} cannot be written: {error}", path.display()))
}

fn partial_name(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.partial", std::process::id()));
    path.with_file_name(name)
}
