//! Whether a database is the latest: it is opened to dial, and what it lacks is said before anybody is
//! called.

use std::sync::Arc;

use super::args::{AcceptArgs, Global};
use super::exit::Failure;
use super::{World, output, reconcile};
use crate::report::summary::grouped;
use crate::store::{self, Accepted, Accepting, Access, Gap, Store, StoreError};

/// Opens the database that a command works with, with its mark where the settings say.
pub(super) async fn open(global: &Global, access: Access) -> Result<Arc<dyn Store>, StoreError> {
    store::open(&global.db, access, global.state.as_deref()).await
}

/// Refuses a database that lacks what was done, unless a person accepts that.
pub(super) async fn be_sure(
    store: &dyn Store,
    accept: AcceptArgs,
    world: &mut World,
) -> Result<(), Failure> {
    if accept.accept_unknown_calls {
        let accepting = Accepting {
            who: reconcile::who(),
            at: world.clock.wall(),
            key: world.entropy.key(),
        };
        if let Some(accepted) = store.accept(&accepting).await? {
            output::tell(&told(&accepted));
        }
    }
    Ok(store.compare().await?)
}

fn told(accepted: &Accepted) -> String {
    let mut told = format!(
        "going on with a database that {}; {} people whom it had still to call are uncertain now",
        accepted.gap,
        grouped(accepted.uncertain)
    );
    if accepted.uncertain > 0 {
        told.push_str(
            ": `callout reconcile` settles them, from the platform's call detail records or by hand",
        );
    }
    if accepted.forgotten > 0 {
        told.push_str("; a run whose list was not imported is forgotten");
    }
    if !matches!(accepted.gap, Gap::Older { attempts: 0, .. }) {
        told.push_str(
            "\nwhom runs have called that are not in it, nobody knows here: look before a list is \
             called again",
        );
    }
    told
}
