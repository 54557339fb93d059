//! Where the platform is: regional bases for calls, one base for configuration, and how paths are
//! spelt (`FACTS` §1).
//!
//! A call belongs to the region that placed it, so one base serves a run's POSTs and GETs alike.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use reqwest::Url;

/// A region of the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Region {
    /// The platform chooses.
    #[default]
    Global,
    /// North America: `use1`.
    Use1,
    /// Europe: `euc1`.
    Euc1,
    /// South America: `sae1`.
    Sae1,
    /// South East Asia 1.
    Apse1,
    /// South East Asia 2.
    Apse2,
}

const REGIONS: [(&str, Region, &str); 6] = [
    ("global", Region::Global, "https://calling.api.sinch.com"),
    ("use1", Region::Use1, "https://calling-use1.api.sinch.com"),
    ("euc1", Region::Euc1, "https://calling-euc1.api.sinch.com"),
    ("sae1", Region::Sae1, "https://calling-sae1.api.sinch.com"),
    (
        "apse1",
        Region::Apse1,
        "https://calling-apse1.api.sinch.com",
    ),
    (
        "apse2",
        Region::Apse2,
        "https://calling-apse2.api.sinch.com",
    ),
];

/// The host for numbers, callback URLs and number queries, whatever the region.
const CONFIGURATION: &str = "https://callingapi.sinch.com";

impl FromStr for Region {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = REGIONS
            .iter()
            .find(|(name, ..)| text.eq_ignore_ascii_case(name));
        known.map(|(_, region, _)| *region).ok_or_else(|| {
            "the region is one of global, use1 (North America), euc1 (Europe), sae1 (South \
             America), apse1 and apse2 (South East Asia)"
                .into()
        })
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = REGIONS
            .iter()
            .find(|(_, region, _)| region == self)
            .map_or("", |r| r.0);
        f.write_str(name)
    }
}

/// Which spelling of the paths is sent. What is read does not depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Paths {
    /// Those of the official SDKs (`FACTS` §1, "Canonical").
    #[default]
    Current,
    /// Those in the examples of seeds 000 and 002: `/v1/…` without `/calling`, the singular
    /// `/call/id/` for managing a call, a slash after `numbers`. Their host is the configuration's.
    Older,
}

impl FromStr for Paths {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "current" => Ok(Self::Current),
            "older" => Ok(Self::Older),
            _ => Err("the paths are either `current` or `older`".into()),
        }
    }
}

impl Paths {
    /// The one that is in use.
    pub(super) fn pick(self, current: &'static str, older: &'static str) -> &'static str {
        match self {
            Self::Current => current,
            Self::Older => older,
        }
    }
}

/// The two base URLs that all requests start from.
#[derive(Debug, Clone)]
pub struct Bases {
    /// Callouts, calls, conferences, recordings.
    pub calling: Url,
    /// Numbers, callback URLs, number queries.
    pub configuration: Url,
    /// How paths are spelt on them.
    pub paths: Paths,
}

impl Bases {
    /// The platform's bases for a region, each replaced by the setting where there is one.
    pub fn new(
        region: Region,
        calling: Option<&str>,
        configuration: Option<&str>,
    ) -> Result<Self, BaseError> {
        let of_region = REGIONS
            .iter()
            .find(|(_, r, _)| *r == region)
            .map_or("", |r| r.2);
        Ok(Self {
            calling: base("SINCH_CALLING_URL", calling.unwrap_or(of_region))?,
            configuration: base(
                "SINCH_CONFIGURATION_URL",
                configuration.unwrap_or(CONFIGURATION),
            )?,
            paths: Paths::Current,
        })
    }

    /// The same bases with another spelling of the paths.
    #[must_use]
    pub fn with_paths(self, paths: Paths) -> Self {
        Self { paths, ..self }
    }
}

/// A base URL that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{setting} {fault}")]
pub struct BaseError {
    setting: &'static str,
    fault: &'static str,
}

fn base(setting: &'static str, text: &str) -> Result<Url, BaseError> {
    let fault = |fault| BaseError { setting, fault };
    let url = Url::parse(text.trim())
        .map_err(|_| fault("is not a URL: give scheme and host, such as http://127.0.0.1:8080"))?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    if !bare || !url.username().is_empty() || url.password().is_some() {
        return Err(fault(
            "takes scheme and host only: leave out the path, the query and any user",
        ));
    }
    match url.scheme() {
        "https" if url.has_host() => Ok(url),
        "http" if loopback(&url) => Ok(url),
        "http" => Err(fault(
            "is plain http, which is allowed to this machine only: use https",
        )),
        _ => Err(fault("is neither https nor http")),
    }
}

fn loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_only_and_a_base_has_no_path() {
        let calling = |text| Bases::new(Region::Global, Some(text), None).map(|b| b.calling);
        assert!(calling("http://127.0.0.1:8080").is_ok());
        assert!(calling("http://[::1]:8080").is_ok());
        assert!(calling("http://localhost:1").is_ok());
        assert!(calling("https://calling.example.com").is_ok());
        for bad in [
            "http://calling.example.com",
            "http://127.0.0.1.example.com",
            "https://example.com/v1",
            "https://user:pass@example.com",
            "ftp://127.0.0.1",
            "127.0.0.1:8080",
            "",
        ] {
            assert!(calling(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_region_has_its_own_host_for_calls() {
        let bases = Bases::new("EUC1".parse().unwrap(), None, None).unwrap();
        assert_eq!(
            bases.calling.as_str(),
            "https://calling-euc1.api.sinch.com/"
        );
        assert_eq!(
            bases.configuration.as_str(),
            "https://callingapi.sinch.com/"
        );
        assert!("mars".parse::<Region>().is_err());
    }
}
