//! Settings as values. A face reads them from wherever it has them.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::receive::ReceiveSettings;
use super::{Error, Refusal};
use crate::clock::Clock;
use crate::sinch::auth::{Credentials, Scheme};
use crate::sinch::{Bases, Client, Paths, Region};

/// What `simulate` and rehearsals call the application, unless told otherwise.
pub(crate) const DEMO_KEY: &str = "rehearsal";
/// Its secret.
pub(crate) const DEMO_SECRET: &str = "cmVoZWFyc2FsLXNlY3JldA==";

/// Everything that is set and not asked for each time.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The database's address.
    pub(crate) database: String,
    /// The folder of this machine's state; none: beside the database.
    pub(crate) state: Option<PathBuf>,
    /// Who asks, for the record.
    pub(crate) who: String,
    /// The user's folder for what may be lost; none where there is none.
    pub(crate) cache: Option<PathBuf>,
    /// This machine's time zone.
    pub(crate) local: TimeZone,
    /// Whether people are told every moment in UTC.
    pub(crate) utc: bool,
    /// Which platform is meant.
    pub(crate) platform: PlatformSettings,
    /// Where events are received.
    pub(crate) receive: ReceiveSettings,
}

/// Which platform is meant, as somebody wrote it down.
#[derive(Clone, Default)]
pub(crate) struct PlatformSettings {
    /// The application's key.
    pub(crate) key: Option<String>,
    /// The application's secret, in base64.
    pub(crate) secret: Option<String>,
    /// `signed` or `basic`.
    pub(crate) auth: String,
    /// The region's name.
    pub(crate) region: String,
    /// How paths are spelt: `current` or `older`.
    pub(crate) paths: String,
    /// The base of the Calling API, where it is not the region's.
    pub(crate) calling: Option<String>,
    /// The base of the configuration API, where it is not the region's.
    pub(crate) configuration: Option<String>,
}

impl std::fmt::Debug for PlatformSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PlatformSettings")
            .field("auth", &self.auth)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

impl PlatformSettings {
    /// Whether somebody has set credentials.
    pub(crate) fn has_credentials(&self) -> bool {
        self.key.is_some() && self.secret.is_some()
    }

    /// How requests are authorised.
    ///
    /// # Errors
    /// [`Refusal::Setting`] where it is none of the schemes.
    pub(crate) fn scheme(&self) -> Result<Scheme, Error> {
        let scheme = self.auth.parse();
        scheme.map_err(|why| setting("SINCH_AUTH", &self.auth, &why))
    }

    /// The application's key and secret.
    ///
    /// # Errors
    /// [`Refusal::Unset`] where one is missing, [`Refusal::Input`] where one cannot be used.
    pub(crate) fn credentials(&self) -> Result<Credentials, Error> {
        let (Some(key), Some(secret)) = (&self.key, &self.secret) else {
            let missing = [
                (self.key.is_none()).then_some("SINCH_APPLICATION_KEY"),
                (self.secret.is_none()).then_some("SINCH_APPLICATION_SECRET"),
            ];
            return Err(Refusal::Unset(missing.into_iter().flatten().collect()).into());
        };
        Credentials::new(key.trim(), secret.trim().to_owned()).map_err(|why| unusable(&why))
    }

    /// A client for the platform.
    ///
    /// # Errors
    /// [`Refusal::Unset`] where credentials are missing, [`Refusal::Setting`] where one cannot be used.
    pub(crate) fn client(&self, clock: &Arc<dyn Clock>) -> Result<Client, Error> {
        let credentials = self.credentials()?;
        let region: Region = self
            .region
            .parse()
            .map_err(|why| setting("SINCH_REGION", &self.region, &why))?;
        let paths: Paths = self
            .paths
            .parse()
            .map_err(|why| setting("SINCH_PATHS", &self.paths, &why))?;
        let bases = Bases::new(
            region,
            self.calling.as_deref(),
            self.configuration.as_deref(),
        )
        .map_err(|why| unusable(&why))?
        .with_paths(paths);
        Client::new(bases, credentials, self.scheme()?, Arc::clone(clock))
            .map_err(|why| unusable(&why))
    }
}

fn unusable(why: &dyn std::fmt::Display) -> Error {
    Refusal::input("setting", why).into()
}

fn setting(name: &'static str, value: &str, why: &dyn std::fmt::Display) -> Error {
    let why = format!("`{value}` is not known; {why}");
    Refusal::Setting { name, why }.into()
}
