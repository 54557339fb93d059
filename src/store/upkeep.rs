//! What is told of copies of a database.

use std::path::PathBuf;

use super::Gap;

/// What is in a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// Its runs.
    pub runs: u64,
    /// Its attempts.
    pub attempts: u64,
}

/// What came of a copy that was put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What is in the database now.
    pub copied: Copied,
    /// Where the file is kept that was replaced; none where there was none.
    pub replaced: Option<PathBuf>,
    /// What was done that is not in it, and was accepted.
    pub gap: Option<Gap>,
}
