//! The side file: answers that the database could not take, one line each.
//!
//! It is made in full size beforehand, so that a full disk cannot keep an answer from being written.
//! The engine appends to it only when a commit failed; recovery reads it and empties it. A line that
//! broke off stays a line of its own, and zeros are no text, wherever they stand.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::group::Group;
use crate::store::sqlite::file::{is_at, private};

/// Room for the answers of everything that can be in flight, some 200 bytes each.
const BYTES: u64 = 1024 * 1024;

#[derive(Debug)]
pub(in crate::store::sqlite) struct Aside {
    path: PathBuf,
    open: Mutex<Open>,
}

#[derive(Debug)]
struct Open {
    file: File,
    /// Where the next line goes.
    end: u64,
    /// Whether the last line there is whole.
    whole: bool,
}

/// A line that was kept.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) bytes: Vec<u8>,
    /// What it says; none where it cannot be read.
    pub(super) group: Option<Group>,
}

impl Aside {
    /// Opens the side file, or makes it in full size.
    pub(in crate::store::sqlite) fn make(path: PathBuf) -> io::Result<Self> {
        let open = Mutex::new(Open::at(&path)?);
        Ok(Self { path, open })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Appends a group as one line, and waits for the disk. Where somebody took the file away, its name
    /// leads to one again.
    pub(super) fn append(&self, group: &Group) -> io::Result<()> {
        let mut line = serde_json::to_vec(group)?;
        line.push(b'\n');
        let mut open = self.lock();
        if !is_at(&open.file, &self.path) {
            *open = Open::at(&self.path)?;
        }
        if !open.whole {
            line.insert(0, b'\n');
        }
        let end = open.end;
        open.file.seek(SeekFrom::Start(end))?;
        // Until all of it is written the next one begins on a line of its own, behind what was.
        open.whole = false;
        let written = open.file.write_all(&line);
        open.end = open.file.stream_position()?;
        written?;
        open.whole = true;
        open.file.sync_data()
    }

    /// The lines that were kept.
    pub(super) fn read(&self) -> io::Result<Vec<Line>> {
        let mut open = self.lock();
        let bytes = all(&mut open.file)?;
        let lines = bytes.split(|byte| matches!(byte, b'\n' | 0));
        let lines = lines.filter(|line| !line.is_empty()).map(|line| Line {
            bytes: line.to_owned(),
            group: serde_json::from_slice(line).ok(),
        });
        Ok(lines.collect())
    }

    /// Forgets what was kept, once it is in the database.
    pub(super) fn empty(&self) -> io::Result<()> {
        let mut open = self.lock();
        let used = usize::try_from(open.end).unwrap_or(0);
        open.file.seek(SeekFrom::Start(0))?;
        open.file.write_all(&vec![0; used])?;
        (open.end, open.whole) = (0, true);
        open.file.sync_data()
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn at(path: &Path) -> io::Result<Self> {
        let mut file = private()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        if file.metadata()?.len() < BYTES {
            // Zeros on disk, not a hole: a hole would need room when it is written.
            let from = file.seek(SeekFrom::End(0))?;
            let missing = usize::try_from(BYTES - from).unwrap_or(0);
            file.write_all(&vec![0; missing])?;
            file.sync_all()?;
        }
        let bytes = all(&mut file)?;
        let end = bytes.iter().rposition(|byte| *byte != 0);
        Ok(Self {
            file,
            end: end.map_or(0, |last| last as u64 + 1),
            whole: end.is_none_or(|last| bytes[last] == b'\n'),
        })
    }
}

fn all(file: &mut File) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(0))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(run: &str) -> Group {
        Group {
            run: run.into(),
            ..Group::default()
        }
    }

    #[test]
    fn a_line_that_broke_off_spoils_none_before_or_behind_it() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("answers");
        let runs = |aside: &Aside| -> Vec<Option<String>> {
            let lines = aside.read().unwrap();
            lines.into_iter().map(|l| l.group.map(|g| g.run)).collect()
        };
        let (first, last) = (Some("first".to_owned()), Some("last".to_owned()));
        let aside = Aside::make(path.clone()).unwrap();
        aside.append(&group("first")).unwrap();
        // Killed in the middle of a line; of another one the disk kept the end alone.
        let end = aside.lock().end;
        let mut torn = std::fs::read(&path).unwrap();
        let at = usize::try_from(end).unwrap();
        torn[at..at + 7].copy_from_slice(b"{\"run\":");
        torn[at + 40..at + 44].copy_from_slice(b"\"]}\n");
        for cut in [at + 7, at + 44] {
            let mut bytes = torn.clone();
            bytes[cut..].fill(0);
            std::fs::write(&path, &bytes).unwrap();
            let aside = Aside::make(path.clone()).unwrap();
            aside.append(&group("last")).unwrap();
            let read = runs(&aside);
            assert_eq!((read.first(), read.last()), (Some(&first), Some(&last)));
            assert!(read[1..read.len() - 1].iter().all(Option::is_none));
            assert!(read.len() > 2, "what broke off is kept");
            aside.empty().unwrap();
            assert_eq!(runs(&Aside::make(path.clone()).unwrap()), []);
        }
        // Somebody took it away: what comes next is kept all the same.
        std::fs::remove_file(&path).unwrap();
        aside.append(&group("last")).unwrap();
        assert_eq!(runs(&Aside::make(path).unwrap()), [last]);
    }
}
