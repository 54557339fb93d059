//! The side file: answers that the database could not take, one line each.
//!
//! It is made in full size beforehand, so that a full disk cannot keep an answer from being written.
//! The engine appends to it only when a commit failed; recovery reads it and empties it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::file::private;
use super::group::Group;

/// Room for the answers of everything that can be in flight, some 200 bytes each.
const BYTES: u64 = 1024 * 1024;

#[derive(Debug)]
pub(super) struct Aside {
    path: PathBuf,
    /// The file and where its next line goes.
    file: Mutex<(File, u64)>,
}

impl Aside {
    /// Opens the side file, or makes it in full size.
    pub(super) fn make(path: PathBuf) -> io::Result<Self> {
        let mut file = private()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)?;
        if file.metadata()?.len() < BYTES {
            // Zeros on disk, not a hole: a hole would need room when it is written.
            let from = file.seek(SeekFrom::End(0))?;
            let missing = usize::try_from(BYTES - from).unwrap_or(0);
            file.write_all(&vec![0; missing])?;
            file.sync_all()?;
        }
        let end = u64::try_from(text(&mut file)?.len()).unwrap_or(u64::MAX);
        Ok(Self {
            path,
            file: Mutex::new((file, end)),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Appends a group as one line, and waits for the disk.
    pub(super) fn append(&self, group: &Group) -> io::Result<()> {
        let mut line = serde_json::to_vec(group)?;
        line.push(b'\n');
        let mut guard = self.lock();
        let (file, end) = &mut *guard;
        file.seek(SeekFrom::Start(*end))?;
        file.write_all(&line)?;
        *end += u64::try_from(line.len()).unwrap_or(0);
        file.sync_data()
    }

    /// The groups that were kept. A last line that broke off is left out.
    pub(super) fn read(&self) -> io::Result<Vec<Group>> {
        let mut guard = self.lock();
        let lines = text(&mut guard.0)?;
        let groups = lines.split(|b| *b == b'\n').filter(|line| !line.is_empty());
        Ok(groups
            .filter_map(|line| serde_json::from_slice(line).ok())
            .collect())
    }

    /// Forgets what was kept, once it is in the database.
    pub(super) fn empty(&self) -> io::Result<()> {
        let mut guard = self.lock();
        let (file, end) = &mut *guard;
        let used = usize::try_from(*end).unwrap_or(0);
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&vec![0; used])?;
        *end = 0;
        file.sync_data()
    }

    fn lock(&self) -> MutexGuard<'_, (File, u64)> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is written: everything before the first zero byte.
fn text(file: &mut File) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(0))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    bytes.truncate(end);
    Ok(bytes)
}
