//! Who leaves a wish for the engine is heard, even while an import holds up everybody who writes.
//!
//! Their lock on a side file says that a wish is on its way, from before they look at the run until it is
//! written; an import ends when there is none on its way any more, and only then may its engine dial.

use std::fs::TryLockError;
use std::path::Path;

use crate::store::sqlite::file::{Place, beside, hand_over, private};
use crate::store::sqlite::open::LOCK_TRIES_APART;
use crate::store::{BUSY_WAIT, StoreError, Wishing};

/// The side file. It stays: one that is deleted is not the one that the next process locks.
const SUFFIX: &str = "-wishes";

/// Says that a wish is on its way. The file is locked for as long as it is open; others may lock it so
/// as well.
pub(super) fn begin(database: &Path) -> Result<Wishing, StoreError> {
    let place = Place::look(database)?;
    let path = beside(&place.file, SUFFIX);
    let lock = || {
        let file = private()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)?;
        hand_over(&path, &place.file)?;
        file.lock_shared()?;
        Ok(file)
    };
    let shown = format!("{}{SUFFIX}", place.shown);
    match lock() {
        Ok(file) => Ok(Wishing::held_by(file)),
        Err(error) => Err(StoreError::unusable(&shown, "opened", &error)),
    }
}

/// Waits until no wish is on its way: for as long as one may have to wait for a write, and no longer.
pub(super) async fn hear(database: &Path) {
    let Ok(place) = Place::look(database) else {
        return;
    };
    // Where there is no file nobody ever wished for anything.
    let Ok(file) = private().write(true).open(beside(&place.file, SUFFIX)) else {
        return;
    };
    let heard = async {
        while let Err(TryLockError::WouldBlock) = file.try_lock() {
            tokio::time::sleep(LOCK_TRIES_APART).await;
        }
    };
    drop(tokio::time::timeout(BUSY_WAIT, heard).await);
}
