//! Leaving nothing behind in the files of what was deleted.

use sqlx::SqliteConnection;
use tracing::warn;

use super::connecting::empty_log;
use super::fault::fault;
use super::inbox::InboxFile;
use crate::store::StoreError;

pub(super) const OWED: &str = "-- scrub: is one owed
    select scrub_owed from upkeep";

/// From this transaction on the file is to be written anew, whatever becomes of the process.
pub(super) const OWE: &str = "-- scrub: one is owed
    update upkeep set scrub_owed = 1";

/// A scrub that a kill or a full disk kept from being done is done now, and that is said. Where it
/// cannot be, the work goes on, and the next start tries again.
pub(super) async fn if_owed(
    writer: &mut SqliteConnection,
    path: &str,
    inbox: &InboxFile,
) -> Result<(), StoreError> {
    let owed: bool = sqlx::query_scalar(OWED)
        .fetch_one(&mut *writer)
        .await
        .map_err(|e| fault(path, &e))?;
    if !owed {
        return Ok(());
    }
    let scrubbed = async {
        inbox.scrub().await?;
        rewrite(writer, path).await
    };
    match scrubbed.await {
        Ok(()) => warn!(
            "people were deleted, and the file was not written anew after that, so old copies of \
             their rows were left in it: it is written anew now"
        ),
        Err(error) => warn!(
            %error,
            "people were deleted, and the file is still to be written anew: old copies of their rows \
             are left in it"
        ),
    }
    Ok(())
}

/// `secure_delete` overwrites what is deleted; a page that was rebuilt may still have an old copy in
/// its gaps, so the file is written anew, and the log is emptied.
pub(super) async fn rewrite(writer: &mut SqliteConnection, path: &str) -> Result<(), StoreError> {
    let fault = |e: sqlx::Error| fault(path, &e);
    sqlx::query("vacuum")
        .execute(&mut *writer)
        .await
        .map_err(fault)?;
    empty_log(writer, path).await?;
    sqlx::query(
        "-- scrub: nothing is owed
         update upkeep set scrub_owed = 0",
    )
    .execute(writer)
    .await
    .map(drop)
    .map_err(fault)
}
