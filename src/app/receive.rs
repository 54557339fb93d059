//! Hearing of calls from the platform: where this process listens, and by which address the platform finds it.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use super::{App, Error, Refusal};
use crate::digest::hex;
use crate::serve::{Late, Receiver, ReceiverError, Setup};
use crate::store::{Inbox, Store};

/// Where a receiver listens, unless told otherwise.
pub(crate) const LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 7700);

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
    match url.rsplit_once("/sinch/") {
        Some((before, _)) => format!("{before}/sinch/********"),
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
    pub(crate) async fn receiver(&self, store: &Arc<dyn Store>) -> Result<Option<Receiver>, Error> {
        self.receiver_with(store, Arc::new(|_| {})).await
    }

    /// The same; `on_late` is told of events that are refused for their age although their signature is good:
    /// their calls are worth asking about at once. It is called on another thread and must not block.
    pub(crate) async fn receiver_with(
        &self,
        store: &Arc<dyn Store>,
        on_late: Arc<dyn Fn(Late) + Send + Sync>,
    ) -> Result<Option<Receiver>, Error> {
        let ReceiveSettings { listen, public_url } = &self.settings.receive;
        if listen.is_none() && public_url.is_none() {
            return Ok(None);
        }
        let inbox: Arc<dyn Inbox> = Arc::<dyn Store>::clone(store);
        let setup = Setup {
            address: listen.unwrap_or(LISTEN),
            credentials: self.settings.platform.credentials()?,
            public_path: public_url
                .as_ref()
                .map_or_else(String::new, |url| url.path.clone()),
            inbox,
            clock: Arc::clone(&self.clock),
            on_late,
        };
        match Receiver::start(setup).await {
            Ok(receiver) => Ok(Some(receiver)),
            Err(ReceiverError::Store(error)) => Err(error.into()),
            Err(error @ ReceiverError::Thread(_)) => Err(Error::failed(error)),
            Err(error @ ReceiverError::Listen { .. }) => {
                Err(Refusal::input("listen", error).into())
            }
            Err(error @ ReceiverError::Verifier(_)) => Err(Refusal::input("setting", error).into()),
        }
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
        let secrets = inbox.callback_secrets(self.clock.wall()).await?;
        let secret = secrets.into_iter().next();
        let secret = secret.ok_or_else(|| Error::failed("the database has no callback secret"))?;
        let before = format!("{}/sinch/", public.text);
        Ok(Some(CallbackUrl { before, secret }))
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
