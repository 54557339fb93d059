//! The one client of the Calling API.
//!
//! It sends a request once: it never resends, follows no redirect, obeys no proxy variable and
//! speaks HTTP/1.1 only, because HTTP/2 libraries repeat what a server refuses to have seen. A test
//! over real sockets pins each of these. What an answer means is decided in `errors`.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{
    AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER,
};
use reqwest::{Method, Url};

use super::auth::{Credentials, CredentialsError, Request, Scheme};
use super::errors::{self, Answer};
use super::{Bases, callouts, calls};
use crate::clock::Clock;
use crate::domain::{
    AttemptId, CallId, Callout, NotSent, Observation, Reaction, Side, Uncertainty, Verdict,
};

/// Longest wait for a connection, part of [`REQUEST_MAX`]. Shorter than that by far, or a wait for
/// a connection could not be told from a wait for an answer.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// Longest wait for a whole answer.
pub const REQUEST_MAX: Duration = Duration::from_mins(1);
/// Idle connections are dropped before servers drop theirs (two seconds is the shortest habit): a POST
/// that meets a closing connection is uncertain.
const IDLE_MAX: Duration = Duration::from_millis(1_500);
/// No answer that we know is longer, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// The content type that is sent and signed.
const JSON: &str = "application/json; charset=utf-8";

/// A client for one application in one region.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    /// Where callouts are `POSTed`.
    callouts: Url,
    /// Where calls are, without an id.
    calls: Url,
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
        let (mut callouts, mut calls) = (bases.calling.clone(), bases.calling);
        callouts.set_path(callouts::PATH);
        calls.set_path(calls::PATH);
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
            callouts,
            calls,
            credentials,
            scheme,
            clock,
        })
    }

    /// Which platform and which application this client speaks to. Calls are known there alone.
    pub fn platform(&self) -> String {
        let base = self.callouts.origin().ascii_serialization();
        format!("{base}, application {}", self.credentials.key())
    }

    /// POSTs one callout, once. Never cancel it half-way: a request that was cut off may have made
    /// a phone ring.
    pub async fn post_callout(&self, callout: &Callout, attempt: AttemptId) -> Verdict {
        let url = self.callouts.clone();
        let body = callouts::body(callout, attempt);
        let request = match self.request(Method::POST, url, body, callout) {
            Ok(request) => request,
            Err(why) => {
                let reaction = Reaction::Configuration;
                return Verdict::NotSent(NotSent {
                    side: Side::Ours,
                    why,
                    reaction,
                });
            }
        };
        match self.http.execute(request).await {
            Ok(response) => self.read(response).await.verdict(),
            Err(error) => lost(&error),
        }
    }

    /// Asks how a call stands. Harmless to repeat.
    pub async fn get_call(&self, call: &CallId) -> Observation {
        let mut url = self.calls.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push(call.as_str());
        }
        let request = match self.bare_request(Method::GET, url, Vec::new()) {
            Ok(request) => request,
            Err(why) => {
                return Observation::Refused {
                    reaction: Reaction::Configuration,
                    why,
                };
            }
        };
        match self.http.execute(request).await {
            Ok(response) => {
                let answer = self.read(response).await;
                match answer.cut {
                    Some(why) => Observation::Again { why, wait: None },
                    None => answer.observation(),
                }
            }
            Err(error) => Observation::Again {
                why: words(&error),
                wait: None,
            },
        }
    }

    fn request(
        &self,
        method: Method,
        url: Url,
        body: Vec<u8>,
        callout: &Callout,
    ) -> Result<reqwest::Request, String> {
        let mut request = self.bare_request(method, url, body)?;
        for header in &callout.headers {
            let name = HeaderName::from_bytes(header.name.as_bytes());
            let value = HeaderValue::from_str(&header.value);
            let (Ok(name), Ok(value)) = (name, value) else {
                return Err(format!("the header {} cannot be sent", header.name));
            };
            request.headers_mut().append(name, value);
        }
        Ok(request)
    }

    /// A request with its authorisation, signed for this very moment.
    fn bare_request(
        &self,
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
            .authorization(self.scheme, &parts, self.clock.wall())
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

    /// Reads an answer, as much of it as comes.
    async fn read(&self, mut response: reqwest::Response) -> Answer {
        let status = response.status().as_u16();
        let retry_after = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| errors::retry_after(value, self.clock.wall()));
        let (mut body, mut cut) = (Vec::new(), None);
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > ANSWER_BYTES_MAX => {
                    cut = Some(format!(
                        "the answer is longer than {ANSWER_BYTES_MAX} bytes"
                    ));
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

/// What a callout without an answer means: only a connection that never came about proves that
/// nothing was sent.
fn lost(error: &reqwest::Error) -> Verdict {
    let why = words(error);
    if error.is_builder() {
        let reaction = Reaction::Configuration;
        Verdict::NotSent(NotSent {
            side: Side::Ours,
            why,
            reaction,
        })
    } else if error.is_connect() {
        let reaction = Reaction::BackOff;
        Verdict::NotSent(NotSent {
            side: Side::Network,
            why,
            reaction,
        })
    } else {
        Verdict::Uncertain(Uncertainty {
            side: Side::Network,
            why,
            accepted: false,
        })
    }
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
