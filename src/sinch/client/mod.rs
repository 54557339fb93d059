//! The one client of the Calling API.
//!
//! It sends a request once: it never resends, follows no redirect, obeys no proxy variable and
//! speaks HTTP/1.1 only, because HTTP/2 libraries repeat what a server refuses to have seen. A test
//! over real sockets pins each of these. What an answer means is decided in `answer`.

mod callouts;
mod calls;
mod probe;
mod recordings;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Method, Url};

pub use self::recordings::Download;
use super::Bases;
use super::answer::{self, Answer};
use super::auth::{Credentials, CredentialsError, Request, Scheme};
use super::method::{ApiMethod, Host, Plain};
use super::preview::Preview;
use super::problem::ApiError;
use super::region::Paths;
use crate::clock::Clock;

/// Longest wait for a connection, part of [`REQUEST_MAX`]. Shorter than that by far, or a wait for
/// a connection could not be told from a wait for an answer.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// Longest wait for a whole answer.
pub const REQUEST_MAX: Duration = Duration::from_mins(1);
/// Idle connections are dropped before servers drop theirs (two seconds is the shortest habit): a POST
/// that meets a closing connection is uncertain.
const IDLE_MAX: Duration = Duration::from_millis(1_500);
/// Between the address of a platform and the key of an application, where both are named.
const APPLICATION: &str = ", application ";
/// The content type that is sent and signed.
const JSON: &str = "application/json; charset=utf-8";

/// A client for one application in one region.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    bases: Bases,
    /// Where callouts are `POSTed`.
    callouts: Url,
    credentials: Credentials,
    scheme: Scheme,
    clock: Arc<dyn Clock>,
}

/// Why there can be no client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The credentials do not fit the scheme.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The HTTP or TLS library could not be set up.
    #[error("set up the HTTP client: {0}")]
    Http(String),
}

impl Client {
    /// A client that authorises every request with these credentials.
    pub fn new(
        bases: Bases,
        credentials: Credentials,
        scheme: Scheme,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ClientError> {
        credentials.check(scheme)?;
        let mut callouts = bases.calling.clone();
        callouts.set_path(super::callouts::path(bases.paths));
        // An error means that a provider is installed already, which serves as well.
        drop(rustls::crypto::ring::default_provider().install_default());
        let http = builder().build().or_else(|_| {
            // A machine without certificate store: the roots that Mozilla trusts.
            let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS
                .iter()
                .filter_map(|der| reqwest::Certificate::from_der(der).ok());
            builder().tls_certs_only(roots).build()
        });
        let http = http.map_err(|e| ClientError::Http(words(&e)))?;
        Ok(Self {
            http,
            bases,
            callouts,
            credentials,
            scheme,
            clock,
        })
    }

    /// Which platform and which application this client speaks to. Calls are known there alone.
    pub fn platform(&self) -> String {
        let base = self.callouts.origin().ascii_serialization();
        format!("{base}{APPLICATION}{}", self.credentials.key())
    }

    /// The application of a platform, as [`Client::platform`] names them both.
    pub fn application_of(platform: &str) -> Option<&str> {
        platform.split_once(APPLICATION).map(|(_, key)| key)
    }

    /// The spelling of paths that is sent.
    pub fn paths(&self) -> Paths {
        self.bases.paths
    }

    /// The application key that requests are made with.
    pub fn application_key(&self) -> &str {
        self.credentials.key()
    }

    /// The clock that requests are signed by.
    pub fn now(&self) -> Timestamp {
        self.clock.wall()
    }

    /// The host that a method is asked of.
    pub fn host(&self, method: &impl ApiMethod) -> &str {
        let base = match method.request(self.bases.paths).host {
            Host::Calling => &self.bases.calling,
            Host::Configuration => &self.bases.configuration,
        };
        base.host_str().unwrap_or_default()
    }

    /// Sends a request of any method but a callout's, once, and reads the answer.
    pub async fn send<M: ApiMethod>(&self, method: &M) -> Result<M::Answer, ApiError> {
        let answer = self.ask(method).await?;
        answer.of_method(method)
    }

    /// Sends a request and gives the answer as it came.
    pub async fn ask(&self, method: &impl ApiMethod) -> Result<Answer, ApiError> {
        let request = self.request(method.request(self.bases.paths))?;
        let response = self.execute(request).await?;
        Ok(self.read(response, method.answer_bytes_max()).await)
    }

    /// What [`Client::send`] would send now, with the secret taken out.
    pub fn preview(&self, method: &impl ApiMethod) -> Result<Preview, ApiError> {
        let request = self.request(method.request(self.bases.paths))?;
        Ok(Preview::of(&request))
    }

    async fn execute(&self, request: reqwest::Request) -> Result<reqwest::Response, ApiError> {
        self.http.execute(request).await.map_err(|error| {
            let why = words(&error);
            if error.is_builder() || error.is_connect() {
                ApiError::NotSent { why }
            } else {
                ApiError::Lost { why }
            }
        })
    }

    /// The URL of a method, and a request for it.
    fn request(&self, plain: Plain) -> Result<reqwest::Request, ApiError> {
        let not_sent = |why| ApiError::NotSent { why };
        if let Some(segment) = plain.misleading_segment() {
            let why = format!("`{segment}` names nothing that could be asked for");
            return Err(not_sent(why));
        }
        let base = match plain.host {
            Host::Calling => &self.bases.calling,
            Host::Configuration => &self.bases.configuration,
        };
        let mut url = base.clone();
        url.set_path(plain.path);
        if let (false, Ok(mut path)) = (plain.segments.is_empty(), url.path_segments_mut()) {
            path.pop_if_empty().extend(&plain.segments);
        }
        if !plain.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&plain.query);
        }
        self.signed(self.scheme, plain.verb, url, plain.body)
            .map_err(not_sent)
    }

    /// A request with its authorisation, signed for this very moment.
    fn signed(
        &self,
        scheme: Scheme,
        method: Method,
        url: Url,
        body: Vec<u8>,
    ) -> Result<reqwest::Request, String> {
        let content_type = if body.is_empty() { "" } else { JSON };
        let parts = Request {
            method: method.as_str(),
            path: url.path(),
            content_type,
            body: &body,
        };
        let authorization = self
            .credentials
            .authorization(scheme, &parts, self.clock.wall())
            .map_err(|e| e.to_string())?;
        let mut headers = HeaderMap::with_capacity(4);
        let mut secret = HeaderValue::from_str(&authorization.authorization)
            .map_err(|_| "the credentials cannot stand in a header".to_owned())?;
        secret.set_sensitive(true);
        headers.insert(AUTHORIZATION, secret);
        if let Some(stamp) = authorization.x_timestamp {
            let stamp = HeaderValue::from_str(&stamp).map_err(|e| e.to_string())?;
            headers.insert("x-timestamp", stamp);
        }
        if !body.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
        }
        let mut request = reqwest::Request::new(method, url);
        *request.headers_mut() = headers;
        if !body.is_empty() {
            *request.body_mut() = Some(body.into());
        }
        Ok(request)
    }

    /// Reads an answer, as much of it as comes and is worth it.
    async fn read(&self, mut response: reqwest::Response, bytes_max: usize) -> Answer {
        let status = response.status().as_u16();
        let retry_after = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| answer::retry_after(value, self.clock.wall()));
        let date = response
            .headers()
            .get(DATE)
            .and_then(|value| answer::http_date(value.to_str().ok()?));
        let (mut body, mut cut) = (Vec::new(), None);
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > bytes_max => {
                    cut = Some(format!("the answer is longer than {bytes_max} bytes"));
                    break;
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break,
                Err(error) => {
                    cut = Some(words(&error));
                    break;
                }
            }
        }
        Answer {
            status,
            retry_after,
            date,
            body,
            cut,
        }
    }
}

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .http1_only()
        .retry(reqwest::retry::never())
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .referer(false)
        .connect_timeout(CONNECT_MAX)
        .timeout(REQUEST_MAX)
        .pool_idle_timeout(IDLE_MAX)
        .tcp_nodelay(true)
        .tcp_keepalive(Duration::from_secs(30))
        .user_agent(concat!("callout/", env!("CARGO_PKG_VERSION")))
}

/// An error with its causes, without the URL, which can name a call.
fn words(error: &reqwest::Error) -> String {
    let mut words = Vec::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        words.push(error.to_string());
        cause = error.source();
    }
    match (words.is_empty(), error.is_timeout()) {
        (_, true) => "timed out".into(),
        (true, false) => "the request failed".into(),
        (false, false) => words.join(": "),
    }
}
