//! Whether the machine's clock can be believed: nobody is dialled while the database has seen a later
//! time, unless a person says that the clock is right. What they said is kept.

use super::exit::Failure;
use super::{output, reconcile};
use crate::clock::Clock;
use crate::domain::{ClockAccepted, Newest, wall};
use crate::store::Store;

/// Refuses where the clock shows an earlier time than the database has seen; accepts it for good where
/// it is said to be `right`.
pub(super) async fn refuse_set_back(
    store: &dyn Store,
    clock: &dyn Clock,
    right: bool,
) -> Result<(), Failure> {
    let now = clock.wall();
    let newest = store.newest().await?;
    let Some(newest) = newest.filter(|newest| wall::is_ahead(newest.at, now)) else {
        return Ok(());
    };
    let found = format!(
        "{:.0} in {}{}",
        newest.at,
        newest.table,
        of_run(&newest).unwrap_or_default()
    );
    if !right {
        return Err(Failure::usage(format!(
            "this machine's clock shows {now:.0}, and the database has seen a later time: {found}. \
             Nobody is dialled: people could be called at night, and a day's money be spent twice.\n\
             Set the clock right. Where it is right now, and was wrong then, say --clock-is-right: \
             that is kept with your name"
        )));
    }
    let who = reconcile::who();
    output::tell(&format!(
        "the clock is taken to be right at {now:.0}, though the database has seen {found}; recorded \
         as said by {who}"
    ));
    let accepted = ClockAccepted {
        who,
        wall: now,
        newest,
    };
    Ok(store.accept_clock(&accepted).await?)
}

fn of_run(newest: &Newest) -> Option<String> {
    Some(format!(", run {}", newest.run.as_ref()?))
}
