//! Files that a person names: regular ones, up to a size. A pipe would wait for ever, and a device never
//! end.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::OFlags;

/// Why a file is not read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unfit {
    /// It is a folder, a pipe, a device.
    #[error("it is not a regular file")]
    NotAFile,
    /// It has more than so many bytes.
    #[error("it has {0} bytes, which is too much")]
    TooLong(u64),
    /// The system does not let us.
    #[error(transparent)]
    Unreadable(#[from] io::Error),
}

/// Opens a regular file; of anything else it says so at once.
pub fn open_regular(path: &Path) -> io::Result<Option<File>> {
    // A pipe that nobody writes to is opened without waiting, and then seen to be one.
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)?;
    Ok(file.metadata()?.is_file().then_some(file))
}

/// All of a regular file, where it has no more than `bytes_max`.
pub(super) fn read(path: &Path, bytes_max: u64) -> Result<Vec<u8>, Unfit> {
    let file = open_regular(path)?.ok_or(Unfit::NotAFile)?;
    let length = file.metadata()?.len();
    let mut bytes = Vec::new();
    let read = file.take(bytes_max + 1).read_to_end(&mut bytes)?;
    if read as u64 > bytes_max {
        return Err(Unfit::TooLong(length.max(read as u64)));
    }
    Ok(bytes)
}
