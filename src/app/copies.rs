//! Copies of the database: one is made while it is in use, and one is put in its place again.

use std::path::Path;

use super::{App, Error, files};
use crate::store::{self, Access, Copied, Gap, Restored};

impl App {
    /// Copies the database to a file. Says what the database lacked, if it lacked something.
    pub(crate) async fn backup(&self, file: &Path) -> Result<(Copied, Option<Gap>), Error> {
        files::refuse_to_replace(file, false)?;
        let store = self.open(Access::Beside).await?;
        let shown = self.counting("copying the database", None);
        let copied = store.backup(file).await?;
        drop(shown);
        let gap = store.gap().await?;
        store.close().await?;
        Ok((copied, gap))
    }

    /// Puts a copy in the place of the database. One that lacks what was done is refused unless a person
    /// `accepts` that.
    pub(crate) async fn restore(&self, file: &Path, accepts: bool) -> Result<Restored, Error> {
        let address = &self.settings.database;
        let shown = self.counting("copying the database", None);
        let restored = store::restore(address, file, self.state(), accepts).await?;
        drop(shown);
        let store = self.open(Access::EngineOfExisting).await?;
        self.be_sure(store.as_ref(), accepts).await?;
        store.close().await?;
        Ok(restored)
    }
}
