//! Whether a database is the latest: what it lacks is said before anybody is called.

use crate::app::{App, Error, Notice};
use crate::store::{Accepting, Store};

impl App {
    /// Refuses a database that lacks what was done, unless a person `accepts` that.
    pub(crate) async fn be_sure(&self, store: &dyn Store, accepts: bool) -> Result<(), Error> {
        if accepts {
            let accepting = Accepting {
                who: self.settings.who.clone(),
                at: self.clock.wall(),
                key: self.entropy().key(),
            };
            if let Some(accepted) = store.accept(&accepting).await? {
                self.tell(Notice::DatabaseAccepted(accepted));
            }
        }
        Ok(store.compare().await?)
    }
}
