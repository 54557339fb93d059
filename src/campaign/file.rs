//! Files that a person names: regular ones, up to a size. A pipe would wait for ever, and a device never
//! end.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::OFlags;

/// How files of other programs begin, and what they are: XLSX and ODS, XLS, PDF.
const FOREIGN: [(&[u8], &str); 3] = [
    (b"PK\x03\x04", "a spreadsheet"),
    (b"\xd0\xcf\x11\xe0", "a spreadsheet"),
    (b"%PDF", "a PDF"),
];

/// What a file is that begins so and is no text; none where it may be one.
pub fn foreign_kind(beginning: &[u8]) -> Option<&'static str> {
    let kind = FOREIGN
        .iter()
        .find(|(start, _)| beginning.starts_with(start));
    kind.map(|(_, kind)| *kind)
}

/// Whether a file looks like a list and not like a campaign: its first line has cells, or its name says so,
/// and nothing that a campaign file begins with.
pub(super) fn looks_like_list(path: &Path, bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(LOOK_BYTES)]);
    let text = text.trim_start_matches('\u{feff}');
    let Some(first) = text.lines().map(str::trim).find(|line| !line.is_empty()) else {
        return false;
    };
    let toml = first.starts_with(['#', '[']) || first.contains('=');
    let named = path.extension().is_some_and(|name| {
        ["csv", "tsv"]
            .iter()
            .any(|list| name.eq_ignore_ascii_case(list))
    });
    !toml && (named || first.contains([',', ';', '\t', '|']))
}

/// So much of a file is looked at to tell what it is.
const LOOK_BYTES: usize = 64 << 10;

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
