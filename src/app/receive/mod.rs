//! Hearing of calls from the platform: where this process listens, and by which address the platform finds it.

mod beeps;
mod ear;
mod talks;
mod unattended;

use std::collections::HashMap;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::task::JoinHandle;

use super::{App, Error, NotTold, Notice, Refusal};
use crate::campaign::Campaign;
use crate::digest::hex;
use crate::domain::{CallFlow, RecipientId, RunId};
use crate::engine::Incoming;
use crate::serve::{PATH, Receiver, ReceiverError, Setup};
use crate::sinch::Client;
use crate::sinch::auth::Credentials;
use crate::sinch::callback_urls::GetCallbackUrls;
use crate::store::{Access, Store, StoreError};

use ear::InboxEar;
use talks::{Shared, Talks};

pub(crate) use beeps::{BEEP_WAIT_MAX, hold, message};
use unattended::Unattended;

/// Where a receiver listens, unless told otherwise.
pub(crate) const LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 7700);

/// Calls of a run that are looked at when somebody stops: more are answered as long.
const OPEN_MAX: u32 = 10_000;

/// Events are received as long as this is there.
#[derive(Debug)]
pub(crate) struct Receiving {
    receiver: Receiver,
    unattended: JoinHandle<StoreError>,
    store: Arc<dyn Store>,
}

impl Receiving {
    /// Goes on until the database is not in its place any more, and says why.
    pub(crate) async fn gone(&mut self) -> Error {
        match (&mut self.unattended).await {
            Ok(gone) => gone.into(),
            Err(error) => Error::failed(error),
        }
    }

    /// How many calls go on that began before a moment and in which people are asked something, and until when the
    /// last of them lasts at most; none where there is none.
    ///
    /// # Errors
    /// What the store says.
    pub(crate) async fn in_talk(
        &self,
        before: Timestamp,
        now: Timestamp,
    ) -> Result<Option<(usize, Timestamp)>, Error> {
        let mut found: Option<(usize, Timestamp)> = None;
        for head in self.store.run_heads("").await? {
            if !head.state.unfinished() {
                continue;
            }
            let run = self.store.run(&head.id).await?;
            let dates = run.blackout_file.as_deref();
            let campaign = Campaign::parse_kept(&run.definition, &run.definition_path, dates);
            let Some(at_most) = campaign.ok().and_then(|it| it.talks_at_most()) else {
                continue;
            };
            let open = self
                .store
                .open_calls(&run.id, RecipientId(0), OPEN_MAX)
                .await?;
            for call in open {
                let until = call.accepted_at.checked_add(at_most).unwrap_or(now);
                if call.accepted_at <= before && until > now {
                    let (calls, last) = found.unwrap_or((0, until));
                    found = Some((calls + 1, last.max(until)));
                }
            }
        }
        Ok(found)
    }

    /// Stops, where anything is received. What is in hand is still kept and answered.
    pub(crate) async fn end(receiving: Option<Self>) -> Result<(), Error> {
        let Some(receiving) = receiving else {
            return Ok(());
        };
        receiving.receiver.stop().await;
        receiving.unattended.abort();
        Ok(receiving.store.close().await?)
    }
}

/// Events of a rehearsal are received as long as this is there.
#[derive(Debug)]
pub(crate) struct RehearsalReceiver {
    pub(crate) receiver: Receiver,
    /// The URL at which it does.
    pub(crate) url: String,
    talks: Shared,
}

impl RehearsalReceiver {
    /// Speaks into calls through this client from now on.
    pub(crate) fn speaks_through(&self, client: &Arc<Client>) {
        self.talks.0.beeps.through(Arc::<Client>::clone(client));
    }
}

/// How an engine hears of its calls.
#[derive(Debug, Default)]
pub(crate) struct Hearing {
    /// Where what the platform tells by itself comes to; none where nobody receives that.
    pub(crate) incoming: Option<Arc<dyn Incoming>>,
    /// Whether the platform is asked to tell of every call, and expected to.
    pub(crate) told: bool,
    /// The address at which the platform asks what is said next in a call; none: the application's own.
    pub(crate) answer_at: Option<String>,
}

/// Where events are received.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReceiveSettings {
    /// The address to listen on; with neither, nothing is received.
    pub(crate) listen: Option<SocketAddr>,
    /// The address by which the platform reaches this one.
    pub(crate) public_url: Option<PublicUrl>,
}

/// An address by which the platform reaches a receiver: http or https, without a query, a fragment, a name or
/// a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PublicUrl {
    /// Without a slash at its end.
    text: String,
    /// Its path alone; empty where it has none.
    path: String,
}

impl FromStr for PublicUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXAMPLE: &str = "write it as https://example.com or https://example.com/callout";
        let url = reqwest::Url::parse(text).map_err(|_| EXAMPLE)?;
        let plain = url.query().is_none() && url.fragment().is_none();
        let nobody = url.username().is_empty() && url.password().is_none();
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !plain || !nobody {
            return Err(EXAMPLE);
        }
        Ok(Self {
            text: url.as_str().trim_end_matches('/').to_owned(),
            path: url.path().trim_end_matches('/').to_owned(),
        })
    }
}

/// The address at which the platform is to call back: one of a database.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct CallbackUrl {
    before: String,
    secret: String,
}

impl CallbackUrl {
    /// The whole address, with its secret.
    pub(crate) fn shown(&self) -> String {
        format!("{}{}", self.before, self.secret)
    }

    /// The address for people and logs: the secret is not in it.
    pub(crate) fn masked(&self) -> String {
        masked(&self.shown())
    }
}

/// A callback address for people and logs: what has the form of a secret of ours is not in it.
pub(crate) fn masked(url: &str) -> String {
    match url.rsplit_once(PATH) {
        Some((before, _)) => format!("{before}{PATH}********"),
        None => url.to_owned(),
    }
}

impl fmt::Debug for CallbackUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl App {
    /// Starts to receive, where the settings ask for it.
    ///
    /// # Errors
    /// An address that cannot be listened on, credentials that are missing or cannot check a signature, and
    /// what the store says.
    pub(crate) async fn receiving(&self, access: Access) -> Result<Option<Receiving>, Error> {
        let ReceiveSettings { listen, public_url } = &self.settings.receive;
        if listen.is_none() && public_url.is_none() {
            return Ok(None);
        }
        let client = Arc::new(self.client()?);
        let store = self.open(access).await?;
        let talks = self.talks(&store);
        talks.0.beeps.through(Arc::<Client>::clone(&client));
        let receiver = receiver(Setup {
            address: listen.unwrap_or(LISTEN),
            credentials: self.settings.platform.credentials()?,
            public_path: public_url
                .as_ref()
                .map_or_else(String::new, |url| url.path.clone()),
            inbox: Arc::<dyn Store>::clone(&store),
            answers: Arc::new(talks),
            clock: Arc::clone(&self.clock),
        })
        .await?;
        let unattended = Unattended {
            store: Arc::clone(&store),
            platform: client,
            clock: Arc::clone(&self.clock),
            entropy: self.entropy().split(),
            rules: HashMap::new(),
        };
        let url = self.callback_url(store.as_ref()).await?;
        self.tell(Notice::Receiving {
            at: receiver.address(),
            url: url.map(|url| url.masked()),
        });
        Ok(Some(Receiving {
            receiver,
            unattended: tokio::spawn(unattended.work()),
            store,
        }))
    }

    /// Whoever knows what is said next in the calls of a database.
    fn talks(&self, store: &Arc<dyn Store>) -> Shared {
        let (store, clock) = (Arc::clone(store), Arc::clone(&self.clock));
        Shared(Arc::new(Talks::new(store, clock, Arc::clone(&self.noes))))
    }

    /// Receives for a rehearsal, on any free port of this machine.
    pub(crate) async fn receiver_of_rehearsal(
        &self,
        store: &Arc<dyn Store>,
        credentials: Credentials,
    ) -> Result<RehearsalReceiver, Error> {
        let talks = self.talks(store);
        let receiver = receiver(Setup {
            address: SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0),
            credentials,
            public_path: String::new(),
            inbox: Arc::<dyn Store>::clone(store),
            answers: Arc::new(talks.clone()),
            clock: Arc::clone(&self.clock),
        })
        .await?;
        let before = format!("http://{}{PATH}", receiver.address());
        let url = self.url_behind(before, store.as_ref()).await?.shown();
        Ok(RehearsalReceiver {
            receiver,
            url,
            talks,
        })
    }

    /// The inbox of a database, as the engine of a run hears it.
    pub(crate) fn ear(&self, store: &Arc<dyn Store>, run: &RunId) -> Arc<dyn Incoming> {
        let (store, clock) = (Arc::clone(store), Arc::clone(&self.clock));
        Arc::new(InboxEar::new(store, clock, run.clone()))
    }

    /// How an engine hears of the calls of a run: from whoever receives for this database, be it this process or
    /// another.
    pub(crate) async fn hearing(
        &self,
        store: &Arc<dyn Store>,
        (run, campaign): (&RunId, &Campaign),
        client: &Client,
    ) -> Result<Hearing, Error> {
        let asks = campaign.outline();
        let wanted = campaign.may_be_told() || asks.is_some();
        let told = wanted && self.is_told(store.as_ref(), client).await?;
        let answer_at = match asks.filter(CallFlow::needs_receiver) {
            Some(flow) => self.answer_at(store.as_ref(), &flow, told).await?,
            None => None,
        };
        Ok(Hearing {
            incoming: Some(self.ear(store, run)),
            told: told && campaign.may_be_told(),
            answer_at,
        })
    }

    /// Where the platform is to ask what is said next in calls; none: at the application's callback URL, which is
    /// this database's. Refused where nobody would hear it.
    async fn answer_at(
        &self,
        store: &dyn Store,
        flow: &CallFlow<()>,
        told: bool,
    ) -> Result<Option<String>, Error> {
        let here = self.settings.receive.public_url.is_some();
        let received = here || store.is_received(self.clock.wall()).await?;
        if !received || !here && !told {
            return Err(Refusal::NobodyAnswers.into());
        }
        if flow.waits_for_beep() && !told {
            // What it is told of machines that it waits for goes to the application's URL alone.
            return Err(Refusal::NoNotifications.into());
        }
        let url = self.callback_url(store).await?;
        Ok(url.map(|url| url.shown()))
    }

    /// Whether the platform tells this database of calls: somebody receives, and the application's callback URL
    /// is this database's.
    async fn is_told(&self, store: &dyn Store, client: &Client) -> Result<bool, Error> {
        let now = self.clock.wall();
        if !store.is_received(now).await? {
            return Ok(false);
        }
        let asked = GetCallbackUrls {
            application_key: client.application_key().to_owned(),
        };
        let urls = match client.send(&asked).await {
            Ok(urls) => urls,
            Err(why) => {
                self.tell(Notice::NotTold(NotTold::Unknown(why.to_string())));
                return Ok(false);
            }
        };
        let told = match urls.primary.as_deref() {
            Some(url) => self.is_ours(store, url).await?,
            None => false,
        };
        if !told {
            let why = urls
                .primary
                .map_or(NotTold::Unset, |url| NotTold::Another(masked(&url)));
            self.tell(Notice::NotTold(why));
        }
        Ok(told)
    }

    /// Whether a callback URL is this database's: its secret is and, where the public address is set, that is.
    ///
    /// # Errors
    /// What the store says.
    pub(crate) async fn is_ours(&self, inbox: &dyn Store, url: &str) -> Result<bool, Error> {
        let Some((before, secret)) = url.rsplit_once(PATH) else {
            return Ok(false);
        };
        let secrets = inbox.callback_secrets(self.clock.wall()).await?;
        let public = self.settings.receive.public_url.as_ref();
        Ok(secrets.iter().any(|ours| ours == secret)
            && public.is_none_or(|public| public.text == before))
    }

    /// The address at which the platform is to call back for this database; none where the public address is
    /// not set.
    ///
    /// # Errors
    /// What the store says.
    pub(crate) async fn callback_url(
        &self,
        inbox: &dyn Store,
    ) -> Result<Option<CallbackUrl>, Error> {
        let Some(public) = &self.settings.receive.public_url else {
            return Ok(None);
        };
        let before = format!("{}{PATH}", public.text);
        Ok(Some(self.url_behind(before, inbox).await?))
    }

    /// The address that begins so, with the database's secret.
    async fn url_behind(&self, before: String, inbox: &dyn Store) -> Result<CallbackUrl, Error> {
        let secrets = inbox.callback_secrets(self.clock.wall()).await?;
        let secret = secrets.into_iter().next();
        let secret = secret.ok_or_else(|| Error::failed("the database has no callback secret"))?;
        Ok(CallbackUrl { before, secret })
    }

    /// Gives the database another secret. The one before is taken for a day more.
    ///
    /// # Errors
    /// What the store says.
    pub(crate) async fn renew_callback_secret(&self, inbox: &dyn Store) -> Result<(), Error> {
        let secret = hex(&self.entropy().key()[..16]);
        let now = self.clock.wall();
        Ok(inbox.change_callback_secret(&secret, now).await?)
    }
}

async fn receiver(setup: Setup) -> Result<Receiver, Error> {
    match Receiver::start(setup).await {
        Ok(receiver) => Ok(receiver),
        Err(ReceiverError::Store(error)) => Err(error.into()),
        Err(error @ ReceiverError::Thread(_)) => Err(Error::failed(error)),
        Err(error @ ReceiverError::Listen { .. }) => Err(Refusal::input("listen", error).into()),
        Err(error @ ReceiverError::Verifier(_)) => Err(Refusal::input("setting", error).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_address_is_read_without_its_last_slash() {
        let read = |text: &str| text.parse::<PublicUrl>().map(|url| (url.text, url.path));
        let is = |text: &str, path: &str| Ok((text.to_owned(), path.to_owned()));
        assert_eq!(read("https://a.b"), is("https://a.b", ""));
        assert_eq!(read("https://a.b/"), is("https://a.b", ""));
        assert_eq!(read("http://a.b:8/c/d/"), is("http://a.b:8/c/d", "/c/d"));
        for bad in [
            "",
            "a.b",
            "ftp://a.b",
            "https://a.b/?x",
            "https://a.b/#x",
            "https://u:p@a.b",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
