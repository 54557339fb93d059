//! What the database's own errors mean, in our words.

use crate::store::StoreError;

/// The log's index cannot grow: SQLite's word for a full disk where it is mapped into memory.
const IOERR_SHMSIZE: i32 = 4874;

/// The database's error in our words.
pub(super) fn fault(path: &str, error: &sqlx::Error) -> StoreError {
    let code = match error {
        sqlx::Error::Database(e) => e.code().and_then(|c| c.parse::<i32>().ok()),
        _ => None,
    };
    let path = path.to_owned();
    let why = error.to_string();
    let unusable = |what, why: &str| StoreError::Unusable {
        path: path.clone(),
        what,
        why: why.to_owned(),
    };
    match (code.map(|code| code & 0xff), code) {
        (Some(11 | 26), _) => StoreError::Corrupt { path, why },
        (Some(13), _) | (_, Some(IOERR_SHMSIZE)) => StoreError::Full(path),
        (Some(8), _) => unusable("written", "it is read-only"),
        (Some(5 | 6), _) => StoreError::Busy(path),
        (Some(10), _) => unusable(
            "written",
            "the disk reported an error, or a limit on the size of files was met; mend it, then resume",
        ),
        (Some(14), _) => unusable("opened", "the file or its folder cannot be opened"),
        _ => StoreError::Database(why),
    }
}
