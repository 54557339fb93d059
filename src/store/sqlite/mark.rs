//! The mark: what is known of a database outside of it, in a small file of two lines.
//!
//! The first line is the engine's: which database, the highest attempt that is committed, the highest
//! run that was imported. The second is of whoever changes suppression lists, under a lock on the file.
//! Both have a fixed size and are written in place, so that a kill leaves a line as it was or as it is.
//! A mark that is lower than its database is no fault; a database that is lower than its mark is an
//! older copy.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest as _, Sha256};

use super::file::{beside, fault_at, hand_over, is_at, private, remove};

/// Behind the database's name, where its mark is beside it.
pub(super) const SUFFIX: &str = "-mark";
/// Bytes of the first line, and so where the second begins.
const CALLS_BYTES: usize = 98;
/// Longer than both lines, and shorter than a sector of a disk.
const BYTES_MAX: usize = 256;
/// A mark waits no longer than this for the disk, in milliseconds, while groups are committed.
const SYNC_EVERY_MS: i64 = 100;

/// What a mark says, or what a database says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    /// The database's id, in hex.
    pub(super) id: String,
    /// The highest attempt; 0 where there is none.
    pub(super) key: i64,
    /// The highest run whose list was imported; 0 where there is none. One without a list may be
    /// forgotten, and its number be another's.
    pub(super) run: i64,
    /// The revision of the suppression lists.
    pub(super) revision: i64,
}

/// The mark of a database, written by its engine.
#[derive(Debug)]
pub(super) struct Mark {
    path: PathBuf,
    file: Arc<File>,
    calls: Mutex<Calls>,
}

/// What the first line says, and how far it is on the disk.
#[derive(Debug)]
struct Calls {
    told: Told,
    /// When it was synced last: milliseconds since 1970.
    synced_at: i64,
    unsynced: bool,
}

/// A mark that is there.
#[derive(Debug)]
pub(super) struct Found {
    path: PathBuf,
    file: File,
    /// What it says; none where it cannot be read.
    pub(super) told: Option<Told>,
}

/// Where the mark of the database in `file` is: beside it, or in a folder of this machine's state, by a
/// name that is made of the database's whole path.
pub(super) fn path_of(file: &Path, state: Option<&Path>) -> PathBuf {
    match state {
        None => beside(file, SUFFIX),
        Some(folder) => {
            let name = sum(file.as_os_str().as_encoded_bytes());
            folder.join(format!("mark-{name}"))
        }
    }
}

impl Found {
    /// Looks for a mark.
    pub(super) fn at(path: &Path) -> io::Result<Option<Self>> {
        if let Some(why) = fault_at(path) {
            return Err(io::Error::other(why));
        }
        let file = match private().read(true).write(true).open(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        Ok(Some(Self {
            path: path.to_owned(),
            told: read(&file)?,
            file,
        }))
    }

    /// Whether this is its place.
    pub(super) fn is_at(&self, path: &Path) -> bool {
        self.path == path
    }

    /// What it says, or what a database says of itself where that is more.
    pub(super) fn told_and(&self, own: &Told) -> Told {
        match &self.told {
            Some(told) if told.id == own.id => told.and(own),
            _ => own.clone(),
        }
    }

    /// Takes it over for the engine of the database that says `own` of itself: from now on it says no
    /// less than that.
    pub(super) fn take(mut self, own: &Told) -> io::Result<Mark> {
        // Whoever changes the lists just now is not written over.
        self.file.lock()?;
        self.told = read(&self.file)?;
        let told = self.told_and(own);
        let text = told.text();
        self.file.write_all_at(text.as_bytes(), 0)?;
        self.file.set_len(text.len() as u64)?;
        self.file.sync_all()?;
        self.file.unlock()?;
        Ok(Mark::new(self.path, self.file, told))
    }
}

impl Mark {
    fn new(path: PathBuf, file: File, told: Told) -> Self {
        Self {
            path,
            file: Arc::new(file),
            calls: Mutex::new(Calls {
                told,
                synced_at: 0,
                unsynced: false,
            }),
        }
    }

    /// Makes a mark that says `told`, whole and synced before it has its name.
    pub(super) fn make(path: &Path, told: Told, database: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            let mut private = std::fs::DirBuilder::new();
            private.recursive(true).mode(0o700).create(folder)?;
        }
        let unfinished = beside(path, "-new");
        remove(&unfinished)?;
        let mut file = private()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&unfinished)?;
        file.write_all(told.text().as_bytes())?;
        file.sync_all()?;
        hand_over(&unfinished, database)?;
        std::fs::rename(&unfinished, path)?;
        sync_folder(path)?;
        Ok(Self::new(path.to_owned(), file, told))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The database's id, in hex.
    pub(super) fn id(&self) -> String {
        self.calls().told.id.clone()
    }

    /// Says that an attempt is committed. Returns whether the disk is to be waited for, at a moment in
    /// milliseconds since 1970.
    pub(super) fn committed(&self, key: i64, at: i64) -> io::Result<bool> {
        let mut calls = self.calls();
        if key > calls.told.key {
            calls.told.key = key;
            self.write(&mut calls)?;
        }
        let due = (at - calls.synced_at).abs() >= SYNC_EVERY_MS;
        if due {
            calls.synced_at = at;
        }
        Ok(due && calls.unsynced)
    }

    /// Says that a run's list is imported.
    pub(super) fn imported(&self, run: i64) -> io::Result<()> {
        let mut calls = self.calls();
        calls.told.run = calls.told.run.max(run);
        self.write(&mut calls)
    }

    /// Whether something was said that may not be on the disk yet.
    pub(super) fn is_unsynced(&self) -> bool {
        self.calls().unsynced
    }

    /// Waits for the disk, in a thread where that keeps nobody from working.
    pub(super) async fn sync(&self) -> io::Result<()> {
        self.calls().unsynced = false;
        let file = Arc::clone(&self.file);
        let synced = tokio::task::spawn_blocking(move || file.sync_data()).await;
        let synced = synced.unwrap_or_else(|e| Err(io::Error::other(e)));
        if synced.is_err() {
            self.calls().unsynced = true;
        }
        synced
    }

    /// Whether it still has its name.
    pub(super) fn is_there(&self) -> bool {
        is_at(&self.file, &self.path)
    }

    fn write(&self, calls: &mut Calls) -> io::Result<()> {
        self.file
            .write_all_at(calls.told.calls_line().as_bytes(), 0)?;
        calls.unsynced = true;
        Ok(())
    }

    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A mark whose second line is ours for as long as this is held.
#[derive(Debug)]
pub(super) struct ListsLine {
    file: File,
    told: Told,
}

impl ListsLine {
    /// Waits until nobody else changes the lists; none where there is no mark, or it cannot be read.
    pub(super) fn hold(path: &Path) -> io::Result<Option<Self>> {
        let Some(found) = Found::at(path)? else {
            return Ok(None);
        };
        found.file.lock()?;
        Ok(read(&found.file)?.map(|told| Self {
            file: found.file,
            told,
        }))
    }

    /// Says that a change of the lists of database `id` made their revision one higher. Where the
    /// database lacked changes before, it lacks as many after.
    pub(super) fn revised(mut self, id: &str, revision: i64) -> io::Result<()> {
        if self.told.id != id {
            return Ok(());
        }
        self.told.revision = revision.max(self.told.revision + 1);
        let line = self.told.lists_line();
        self.file
            .write_all_at(line.as_bytes(), CALLS_BYTES as u64)?;
        self.file.sync_data()
    }
}

impl Told {
    /// This, or that where it is more.
    fn and(&self, other: &Self) -> Self {
        Self {
            id: self.id.clone(),
            key: self.key.max(other.key),
            run: self.run.max(other.run),
            revision: self.revision.max(other.revision),
        }
    }

    fn calls_line(&self) -> String {
        summed(format!(
            "calls {} {:020} {:020}",
            self.id, self.key, self.run
        ))
    }

    fn lists_line(&self) -> String {
        summed(format!("lists {} {:020}", self.id, self.revision))
    }

    fn text(&self) -> String {
        self.calls_line() + &self.lists_line()
    }

    /// What a mark's text says; none where it is not just what we write.
    fn read(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let words: Vec<&str> = text.split_whitespace().collect();
        let ["calls", id, key, run, _, "lists", _, revision, _] = words[..] else {
            return None;
        };
        let told = Self {
            id: id.to_owned(),
            key: key.parse().ok()?,
            run: run.parse().ok()?,
            revision: revision.parse().ok()?,
        };
        (told.text() == text).then_some(told)
    }
}

/// What a mark says; none where it cannot be read.
fn read(file: &File) -> io::Result<Option<Told>> {
    let mut text = [0; BYTES_MAX];
    let count = file.read_at(&mut text, 0)?;
    Ok(Told::read(&text[..count]))
}

/// A line with its checksum.
fn summed(line: String) -> String {
    let sum = sum(line.as_bytes());
    line + " " + &sum + "\n"
}

fn sum(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    let first = digest
        .iter()
        .take(8)
        .fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    format!("{first:016x}")
}

/// Makes a name durable.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told() -> Told {
        Told {
            id: "00112233445566778899aabbccddeeff".into(),
            key: 160,
            run: 3,
            revision: 7,
        }
    }

    #[test]
    fn a_mark_reads_back_and_no_changed_byte_goes_unnoticed() {
        let text = told().text();
        assert_eq!(Told::read(text.as_bytes()), Some(told()));
        assert_eq!(told().calls_line().len(), CALLS_BYTES);
        assert!(text.len() < BYTES_MAX);
        for nth in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[nth] ^= 1;
            assert_eq!(Told::read(&changed), None, "byte {nth}");
            assert_eq!(Told::read(&text.as_bytes()[..nth]), None, "{nth} bytes");
        }
    }

    #[test]
    fn lists_that_lacked_a_change_lack_it_after_the_next() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("d.db-mark");
        Mark::make(&path, told(), folder.path()).unwrap();
        let change = |revision| {
            let held = ListsLine::hold(&path).unwrap().unwrap();
            held.revised(&told().id, revision).unwrap();
            Found::at(&path).unwrap().unwrap().told.unwrap().revision
        };
        assert_eq!(change(8), 8);
        // A copy of revision 5 is changed: three were missing, and still are.
        assert_eq!((change(6), change(7)), (9, 10));
        assert_eq!(change(20), 20);
    }
}
