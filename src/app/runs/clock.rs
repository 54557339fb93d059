//! Whether the machine's clock can be believed: nobody is dialled while the database has seen a later
//! time, unless a person says that the clock is right. What they said is kept.

use crate::app::error::seen;
use crate::app::{App, Error, Notice, Refusal};
use crate::domain::{ClockAccepted, wall};
use crate::store::Store;

impl App {
    /// Refuses where the clock shows an earlier time than the database has seen; accepts it for good where
    /// it is said to be `right`.
    pub(crate) async fn refuse_set_back(
        &self,
        store: &dyn Store,
        right: bool,
    ) -> Result<(), Error> {
        let now = self.clock.wall();
        let newest = store.newest().await?;
        let Some(newest) = newest.filter(|newest| wall::is_ahead(newest.at, now)) else {
            return Ok(());
        };
        let zone = self.zone_here();
        if !right {
            return Err(Refusal::ClockSetBack {
                now: zone.at(now),
                newest: seen(&newest, &zone),
            }
            .into());
        }
        let accepted = ClockAccepted {
            who: self.settings.who.clone(),
            wall: now,
            newest,
        };
        self.tell(Notice::ClockAccepted {
            who: accepted.who.clone(),
            now: zone.at(now),
            newest: seen(&accepted.newest, &zone),
        });
        Ok(store.accept_clock(&accepted).await?)
    }
}
