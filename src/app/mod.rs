//! What can be done, without a terminal, a socket or arguments.
//!
//! A face makes an [`App`] and hands it down: the command line now, a served page later. Functions here
//! take plain values, tell what happens meanwhile as [`Notice`]s, and fail with an [`Error`] that is data;
//! words of commands, exit codes and colours belong to the face.

pub(crate) mod by_hand;
pub(crate) mod check;
mod copies;
pub(crate) mod database;
pub(crate) mod doctor;
mod error;
pub(crate) mod events;
pub(crate) mod files;
mod notices;
pub(crate) mod place;
pub(crate) mod plan;
mod platform;
mod privacy;
pub(crate) mod receive;
pub(crate) mod reconcile;
pub(crate) mod rehearse;
pub(crate) mod results;
pub(crate) mod runs;
pub(crate) mod schedule;
mod settings;
mod stop;
pub(crate) mod suppress;
mod zone;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::Clock;
use crate::domain::Count;
use crate::engine::Noes;
use crate::entropy::Entropy;
use crate::sinch::Client;
use crate::store::{self, Access, Store, StoreError};

pub(crate) use error::{Error, Refusal, UnreachedUnknown};
pub(crate) use notices::{
    Counting, Goal, NotTold, NotYet, Notice, Notices, SchedulerNotice, Watching,
};
pub(crate) use settings::{DEMO_KEY, DEMO_SECRET, PlatformSettings, Settings};
pub(crate) use stop::Stop;

/// The time and the randomness, which `main` makes and hands down.
#[derive(Debug)]
pub struct Sources {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The randomness.
    pub entropy: Entropy,
}

/// What the house works with, whatever it is asked.
#[derive(Debug)]
pub(crate) struct App {
    /// Where the database is, who asks, which platform is meant.
    pub(crate) settings: Settings,
    /// Who is told what happens meanwhile.
    pub(crate) notices: Arc<dyn Notices>,
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
    /// Who said in a call that they are never to be called again.
    pub(crate) noes: Arc<Noes>,
    entropy: Mutex<Entropy>,
}

/// Something that may take long, and is shown as long as this is there.
pub(crate) struct Counted {
    /// How much of it is done.
    pub(crate) done: Count,
    _shown: Box<dyn Send>,
}

impl App {
    /// Puts the house together.
    pub(crate) fn new(settings: Settings, sources: Sources, notices: Arc<dyn Notices>) -> Self {
        Self {
            settings,
            notices,
            clock: sources.clock,
            noes: Arc::default(),
            entropy: Mutex::new(sources.entropy),
        }
    }

    /// The same house on another clock and with other randomness, for a rehearsal in virtual time.
    pub(crate) fn on(&self, sources: Sources) -> Self {
        Self::new(self.settings.clone(), sources, Arc::clone(&self.notices))
    }

    /// Tells the face.
    pub(crate) fn tell(&self, notice: Notice) {
        self.notices.tell(notice);
    }

    /// Begins something that may take long: how far it is is shown until what is returned is dropped.
    pub(crate) fn counting(&self, what: &'static str, of: Option<u64>) -> Counted {
        let done = Count::default();
        let work = Counting {
            what,
            of,
            done: done.clone(),
        };
        Counted {
            done,
            _shown: self.notices.counting(work),
        }
    }

    /// The randomness; not to be held while something is waited for.
    pub(crate) fn entropy(&self) -> MutexGuard<'_, Entropy> {
        self.entropy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens the database, with its mark where the settings say.
    ///
    /// # Errors
    /// Whatever the store says of the file: no database, in use, foreign, newer.
    pub(crate) async fn open(&self, access: Access) -> Result<Arc<dyn Store>, StoreError> {
        store::open(&self.settings.database, access, self.state()).await
    }

    /// Opens the database beside whoever works on it, if there is one.
    ///
    /// # Errors
    /// As [`App::open`], but for a database that does not exist.
    pub(crate) async fn open_if_any(&self) -> Result<Option<Arc<dyn Store>>, Error> {
        match self.open(Access::Beside).await {
            Ok(store) => Ok(Some(store)),
            Err(StoreError::NoDatabase(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The folder of this machine's state, where one was named.
    pub(crate) fn state(&self) -> Option<&Path> {
        self.settings.state.as_deref()
    }

    /// A client for the real platform. What is missing is said before anything else happens.
    ///
    /// # Errors
    /// [`Refusal::Unset`] and [`Refusal::Setting`].
    pub(crate) fn client(&self) -> Result<Client, Error> {
        self.settings.platform.client(&self.clock)
    }
}
