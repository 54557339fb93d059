//! The file behind a database's address, looked at before anything is touched.
//!
//! A database is a regular file with one name, of the user who runs us, that begins as SQLite's files
//! do; what stands beside it under its name is a regular file with one name as well. Whoever gives us
//! anything else is told so, and nothing was changed.

use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{
    FileExt as _, FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::fs::OFlags;
use rustix::process::geteuid;

use crate::store::StoreError;

/// What stands beside a database under its name.
pub(super) const SIDE_FILES: [&str; 11] = [
    "-wal",
    "-shm",
    "-journal",
    "-lock",
    "-answers",
    "-wishes",
    "-mark",
    "-inbox",
    "-inbox-wal",
    "-inbox-shm",
    "-inbox-journal",
];
/// How every SQLite file begins.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// Bytes of a file that say what it is.
const HEADER_BYTES: usize = 100;
/// Where the header has the application's id, and which is ours: "call".
const APPLICATION_ID: std::ops::Range<usize> = 68..72;
const OUR_ID: [u8; 4] = *b"call";
/// Where the header says whether the file has a write-ahead log, and what it says then.
const READ_VERSION: usize = 19;
const WITH_LOG: u8 = 2;

/// Databases that were looked into, by device and inode. They stay open for as long as the process
/// lives: closing one would take away the locks that SQLite has on the same file.
static LOOKED_INTO: Mutex<Vec<(Inode, File)>> = Mutex::new(Vec::new());

pub(super) type Inode = (u64, u64);

/// A place where a database is, or can be.
#[derive(Debug)]
pub(super) struct Place {
    /// The file, by the one name that it has whatever links lead to it.
    pub(super) file: PathBuf,
    /// As people know it.
    pub(super) shown: String,
    pub(super) standing: Standing,
}

/// What is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Absent,
    Empty,
    /// An SQLite file.
    Database {
        /// It says that it is ours.
        ours: bool,
        /// It has a write-ahead log.
        with_log: bool,
    },
}

impl Place {
    /// Looks at the file and at what stands beside it.
    pub(super) fn look(path: &Path) -> Result<Self, StoreError> {
        let shown = path.display().to_string();
        let unusable = |e: &io::Error| StoreError::unusable(&shown, "opened", e);
        let foreign = |why: &str| StoreError::Foreign {
            path: shown.clone(),
            why: why.to_owned(),
        };
        let (file, standing) = match std::fs::symlink_metadata(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => (absent(path), Standing::Absent),
            Err(e) => return Err(unusable(&e)),
            Ok(_) => {
                let file = path
                    .canonicalize()
                    .map_err(|_| foreign("is a link to nothing"))?;
                let there = std::fs::symlink_metadata(&file).map_err(|e| unusable(&e))?;
                if let Some(why) = fault_of(&there) {
                    return Err(foreign(why));
                }
                let standing = standing(&file, &there).map_err(|e| unusable(&e))?;
                let standing = standing.ok_or_else(|| StoreError::Corrupt {
                    path: shown.clone(),
                    why: "it does not begin as a database does".into(),
                })?;
                (file, standing)
            }
        };
        for suffix in SIDE_FILES {
            let beside = beside(&file, suffix);
            if let Some(why) = fault_at(&beside) {
                return Err(StoreError::Foreign {
                    path: format!("{shown}{suffix}"),
                    why: why.to_owned(),
                });
            }
        }
        Ok(Self {
            file,
            shown,
            standing,
        })
    }

    /// Makes the file where there is none, readable by its owner alone.
    pub(super) fn make(&self) -> io::Result<()> {
        if self.standing == Standing::Absent {
            let made = private().create_new(true).write(true).open(&self.file);
            // Another process may have been quicker.
            if let Err(error) = made
                && error.kind() != io::ErrorKind::AlreadyExists
            {
                return Err(error);
            }
        }
        Ok(())
    }

    /// Takes it from everybody but its owner, and what stands beside it too.
    pub(super) fn tighten(&self) -> io::Result<()> {
        let beside = SIDE_FILES.map(|suffix| beside(&self.file, suffix));
        for file in [&self.file].into_iter().chain(&beside) {
            let Ok(there) = std::fs::symlink_metadata(file) else {
                continue;
            };
            if there.is_file() && there.permissions().mode() & 0o077 != 0 {
                std::fs::set_permissions(file, Permissions::from_mode(0o600))?;
            }
        }
        Ok(())
    }
}

/// Whether a file is an SQLite database, or has a name that stands beside one: nothing else may be
/// written there.
pub fn belongs_to_a_database(path: &Path) -> bool {
    let is_database = |path: &Path| {
        let file = path.canonicalize().ok();
        file.is_some_and(|file| {
            let there = std::fs::symlink_metadata(&file).ok();
            let regular = there.filter(Metadata::is_file);
            let found = regular.and_then(|there| standing(&file, &there).ok().flatten());
            matches!(found, Some(Standing::Database { .. }))
        })
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    is_database(path)
        || SIDE_FILES.iter().any(|suffix| {
            name.strip_suffix(suffix)
                .is_some_and(|stem| !stem.is_empty() && is_database(&path.with_file_name(stem)))
        })
}

/// How files are opened that are ours alone: no link is followed, nobody else can read what is made, and
/// a pipe that took the name meanwhile keeps nobody waiting.
pub(super) fn private() -> OpenOptions {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mut options = OpenOptions::new();
    options.mode(0o600).custom_flags(flags.bits().cast_signed());
    options
}

/// Gives a file that root made to the database's owner, who would be kept out by it.
pub(super) fn hand_over(made: &Path, database: &Path) -> io::Result<()> {
    if !geteuid().is_root() {
        return Ok(());
    }
    let owner = std::fs::symlink_metadata(database)?;
    std::os::unix::fs::lchown(made, Some(owner.uid()), Some(owner.gid()))
}

/// The database's file name with `suffix` behind it.
pub(super) fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The one name of a file that is not there yet.
fn absent(path: &Path) -> PathBuf {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new(".")).canonicalize();
    match (folder, path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

/// Deletes a file, where there is one.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Which file has a name; none where nothing has it, or that cannot be seen.
pub(super) fn inode_at(path: &Path) -> Option<Inode> {
    let there = std::fs::symlink_metadata(path).ok()?;
    Some((there.dev(), there.ino()))
}

/// Whether a name still leads to an open file.
pub(super) fn is_at(file: &File, path: &Path) -> bool {
    let ours = file.metadata().ok();
    ours.is_some_and(|ours| Some((ours.dev(), ours.ino())) == inode_at(path))
}

/// Why what has a name is no file that we work with; none where nothing has it.
pub(super) fn fault_at(path: &Path) -> Option<&'static str> {
    let there = std::fs::symlink_metadata(path).ok()?;
    fault_of(&there)
}

/// Why a file is none that we work with.
fn fault_of(there: &Metadata) -> Option<&'static str> {
    let kind = there.file_type();
    let user = geteuid();
    if kind.is_symlink() {
        Some("is a link to another file")
    } else if kind.is_dir() {
        Some("is a folder")
    } else if kind.is_fifo() || kind.is_socket() {
        Some("is a pipe")
    } else if !kind.is_file() {
        Some("is a device")
    } else if there.nlink() > 1 {
        Some("has several names (hard links), so that its log and its lock have several, too")
    } else if !user.is_root() && there.uid() != user.as_raw() {
        Some("belongs to another user")
    } else {
        None
    }
}

/// What a regular file says of itself; none where it is no SQLite file.
fn standing(file: &Path, there: &Metadata) -> io::Result<Option<Standing>> {
    if there.len() == 0 {
        return Ok(Some(Standing::Empty));
    }
    let mut header = [0; HEADER_BYTES];
    let inode = (there.dev(), there.ino());
    let mut known = LOOKED_INTO.lock().unwrap_or_else(PoisonError::into_inner);
    let read = if let Some((_, file)) = known.iter().find(|(known, _)| *known == inode) {
        file.read_exact_at(&mut header, 0)
    } else {
        let opened = private().read(true).open(file)?;
        let read = opened.read_exact_at(&mut header, 0);
        if header.starts_with(MAGIC) {
            known.push((inode, opened));
        }
        read
    };
    match read {
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let database = header.starts_with(MAGIC).then(|| Standing::Database {
        ours: header[APPLICATION_ID] == OUR_ID,
        with_log: header[READ_VERSION] == WITH_LOG,
    });
    Ok(database)
}
