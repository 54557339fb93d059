//! Who a request is from: application-signed and basic authorisation, both ways.
//!
//! Pure functions over bytes: the time is handed in, nothing is sent. `client` signs requests with
//! it, `serve` and the simulator check what they receive with it. Written in the API's documents
//! under "Application signed request" and "Callback request signing" (`FACTS` §2), pinned by the
//! vectors in `tests/fixtures/auth_vectors.json`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use md5::{Digest as _, Md5};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

/// Secrets are printed padded, but tools on the way lose the padding; both spellings are one secret.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// How a request proves whom it is from (`FACTS` §2.1, §2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scheme {
    /// `Authorization: Application key:signature`, with an `x-timestamp`.
    #[default]
    Signed,
    /// `Authorization: Basic base64(key:secret)`.
    Basic,
}

impl Scheme {
    /// The word in flags and settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Signed => "signed",
            Self::Basic => "basic",
        }
    }
}

impl FromStr for Scheme {
    type Err = UnknownScheme;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "signed" => Ok(Self::Signed),
            "basic" => Ok(Self::Basic),
            _ => Err(UnknownScheme),
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The setting names no scheme we know. The text is not repeated: people paste secrets into the
/// wrong variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the authorisation scheme is neither `signed` nor `basic`")]
pub struct UnknownScheme;

/// Why a key or a secret cannot be used. No variant carries either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// There is no application key.
    #[error("the application key is empty")]
    EmptyKey,
    /// The key could not stand in an `Authorization` header.
    #[error("the application key has a space, a colon or a character that no header can carry")]
    UnusableKey,
    /// There is no application secret.
    #[error("the application secret is empty")]
    EmptySecret,
    /// The secret has white space or control characters, which a copy and paste left there.
    #[error("the application secret has a space, a line break or a character outside ASCII")]
    UnusableSecret,
    /// Signing needs the bytes behind the base64 text of the dashboard.
    #[error("the application secret is not base64, which signed requests need: copy it whole")]
    SecretNotBase64,
}

/// An application's key and secret, ready to sign and to check.
///
/// The keyed HMAC is prepared once; a signature then costs two small hashes.
#[derive(Clone)]
pub struct Credentials {
    key: String,
    secret: SecretString,
    /// Absent where the secret is not base64: such credentials can do basic authorisation only.
    mac: Option<Hmac<Sha256>>,
}

impl Credentials {
    /// Takes the key and the secret as the dashboard prints them.
    pub fn new(
        key: impl Into<String>,
        secret: impl Into<SecretString>,
    ) -> Result<Self, CredentialsError> {
        let (key, secret) = (key.into(), secret.into());
        if key.is_empty() {
            return Err(CredentialsError::EmptyKey);
        }
        if key.bytes().any(|b| !b.is_ascii_graphic() || b == b':') {
            return Err(CredentialsError::UnusableKey);
        }
        let text = secret.expose_secret();
        if text.is_empty() {
            return Err(CredentialsError::EmptySecret);
        }
        if text.bytes().any(|b| !b.is_ascii_graphic()) {
            return Err(CredentialsError::UnusableSecret);
        }
        let mac = decode_secret(text).map(|bytes| keyed(&bytes));
        Ok(Self { key, secret, mac })
    }

    /// The application key, which is no secret.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether these credentials can be used with `scheme`; ask once, before the first request.
    pub fn check(&self, scheme: Scheme) -> Result<(), CredentialsError> {
        match scheme {
            Scheme::Basic => Ok(()),
            Scheme::Signed => self.mac().map(|_| ()),
        }
    }

    /// The headers that authorise `request`, made for the moment at which it is sent.
    pub fn authorization(
        &self,
        scheme: Scheme,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<Authorization, CredentialsError> {
        match scheme {
            Scheme::Basic => Ok(Authorization {
                authorization: self.basic(),
                x_timestamp: None,
            }),
            Scheme::Signed => {
                let x_timestamp = format_timestamp(now);
                let signature = self.sign(&request.string_to_sign(&x_timestamp))?;
                Ok(Authorization {
                    authorization: format!("Application {}:{signature}", self.key),
                    x_timestamp: Some(x_timestamp),
                })
            }
        }
    }

    /// The signature of a string to sign, in base64 (`FACTS` §2.2).
    pub fn sign(&self, string_to_sign: &str) -> Result<String, CredentialsError> {
        let mut mac = self.mac()?.clone();
        mac.update(string_to_sign.as_bytes());
        Ok(STANDARD.encode(mac.finalize().into_bytes()))
    }

    /// Checks a signed request that we received: a callback, or a callout at the simulator
    /// (`FACTS` §2.3). `tolerance` bounds the age of its timestamp, to both sides of `now`: one that is wrong is
    /// said before a bad signature is.
    pub fn verify(
        &self,
        request: &Request<'_>,
        headers: &ReceivedHeaders<'_>,
        now: Timestamp,
        tolerance: Duration,
    ) -> Result<(), AuthError> {
        match self.verify_signature(request, headers) {
            Ok(sent) => check_age(sent, now, tolerance),
            Err(AuthError::BadSignature) => {
                check_age(sent_at(headers)?, now, tolerance)?;
                Err(AuthError::BadSignature)
            }
            Err(error) => Err(error),
        }
    }

    /// Checks the signature alone, whatever its age. Returns the moment that was signed.
    pub fn verify_signature(
        &self,
        request: &Request<'_>,
        headers: &ReceivedHeaders<'_>,
    ) -> Result<Timestamp, AuthError> {
        let rest = parameters(headers.authorization, "application")?;
        let (key, signature) = rest.split_once(':').ok_or(AuthError::Malformed)?;
        if key != self.key {
            return Err(AuthError::UnknownKey);
        }
        let stamp = headers.x_timestamp.ok_or(AuthError::MissingTimestamp)?;
        let sent = sent_at(headers)?;
        let signature = STANDARD
            .decode(signature)
            .map_err(|_| AuthError::Malformed)?;
        let mut mac = self.mac().map_err(|_| AuthError::BadSignature)?.clone();
        mac.update(request.string_to_sign(stamp).as_bytes());
        mac.verify_slice(&signature)
            .map_err(|_| AuthError::BadSignature)?;
        Ok(sent)
    }

    /// Checks basic authorisation that we received. The secret is compared in constant time.
    pub fn verify_basic(&self, authorization: Option<&str>) -> Result<(), AuthError> {
        let rest = parameters(authorization, "basic")?;
        let pair = STANDARD.decode(rest).map_err(|_| AuthError::Malformed)?;
        let colon = pair
            .iter()
            .position(|b| *b == b':')
            .ok_or(AuthError::Malformed)?;
        let (key, secret) = (&pair[..colon], &pair[colon + 1..]);
        if key != self.key.as_bytes() {
            return Err(AuthError::UnknownKey);
        }
        // Comparing two MACs under one key takes the same time wherever the secrets differ.
        let digest = |bytes: &[u8]| keyed(self.key.as_bytes()).chain_update(bytes).finalize();
        if digest(secret) == digest(self.secret.expose_secret().as_bytes()) {
            Ok(())
        } else {
            Err(AuthError::BadSignature)
        }
    }

    fn basic(&self) -> String {
        let pair = format!("{}:{}", self.key, self.secret.expose_secret());
        format!("Basic {}", STANDARD.encode(pair))
    }

    fn mac(&self) -> Result<&Hmac<Sha256>, CredentialsError> {
        self.mac.as_ref().ok_or(CredentialsError::SecretNotBase64)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("key", &self.key)
            .field("secret", &"hidden")
            .finish_non_exhaustive()
    }
}

/// The parts of a request that a signature covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request<'a> {
    /// The verb in upper case.
    pub method: &'a str,
    /// The path as it is sent: leading slash, not decoded, without query.
    pub path: &'a str,
    /// The `Content-Type` header verbatim, parameters included; empty where there is none.
    pub content_type: &'a str,
    /// The body's bytes exactly as they are sent.
    pub body: &'a [u8],
}

impl Request<'_> {
    /// The string to sign for this request at `timestamp`.
    pub fn string_to_sign(&self, timestamp: &str) -> String {
        string_to_sign(
            self.method,
            self.body,
            self.content_type,
            timestamp,
            self.path,
        )
    }
}

/// What goes out with a request.
#[derive(Clone, PartialEq, Eq)]
pub struct Authorization {
    /// Value of the `Authorization` header.
    pub authorization: String,
    /// Value of the `x-timestamp` header; signed requests only.
    pub x_timestamp: Option<String>,
}

impl fmt::Debug for Authorization {
    /// Basic authorisation holds the secret, so the value is never shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorization")
            .field("authorization", &"hidden")
            .field("x_timestamp", &self.x_timestamp)
            .finish()
    }
}

/// What came in with a request.
#[derive(Clone, Copy)]
pub struct ReceivedHeaders<'a> {
    /// The `Authorization` header.
    pub authorization: Option<&'a str>,
    /// The `x-timestamp` header.
    pub x_timestamp: Option<&'a str>,
}

impl fmt::Debug for ReceivedHeaders<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceivedHeaders")
            .field("authorization", &self.authorization.map(|_| "hidden"))
            .field("x_timestamp", &self.x_timestamp)
            .finish()
    }
}

/// Why a received request is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// No `Authorization` header.
    #[error("the authorization header is missing")]
    MissingAuthorization,
    /// The header names another scheme.
    #[error("the authorization scheme is not the one expected")]
    WrongScheme,
    /// The header's value is not `key:signature` or not base64.
    #[error("the authorization header cannot be read")]
    Malformed,
    /// The key is not ours.
    #[error("the application key is unknown")]
    UnknownKey,
    /// No `x-timestamp` header.
    #[error("the timestamp header is missing")]
    MissingTimestamp,
    /// The timestamp is no moment in time.
    #[error("the timestamp header cannot be read")]
    BadTimestamp,
    /// The request was signed too long ago.
    #[error("the timestamp is too old")]
    TooOld,
    /// The request was signed in the future: a clock is wrong.
    #[error("the timestamp lies in the future")]
    TooNew,
    /// Signature or secret do not match.
    #[error("the signature does not match")]
    BadSignature,
}

/// The five lines that are signed (`FACTS` §2.2). The line of the body's MD5 is empty where there is
/// no body; only one old SDK hashes an empty one.
pub fn string_to_sign(
    method: &str,
    body: &[u8],
    content_type: &str,
    timestamp: &str,
    path: &str,
) -> String {
    let content_md5 = if body.is_empty() {
        String::new()
    } else {
        STANDARD.encode(Md5::digest(body))
    };
    format!("{method}\n{content_md5}\n{content_type}\nx-timestamp:{timestamp}\n{path}")
}

/// `YYYY-MM-DDTHH:MM:SS.mmmZ`, the form that every receiver is known to read (`FACTS` §2.2).
fn format_timestamp(now: Timestamp) -> String {
    format!("{now:.3}")
}

/// The scheme's parameters, where the header has the scheme expected, in any case.
fn parameters<'a>(header: Option<&'a str>, scheme: &str) -> Result<&'a str, AuthError> {
    let header = header.ok_or(AuthError::MissingAuthorization)?;
    let (word, rest) = header.split_once(' ').ok_or(AuthError::WrongScheme)?;
    if word.eq_ignore_ascii_case(scheme) {
        Ok(rest.trim_matches(' '))
    } else {
        Err(AuthError::WrongScheme)
    }
}

fn sent_at(headers: &ReceivedHeaders<'_>) -> Result<Timestamp, AuthError> {
    let stamp = headers.x_timestamp.ok_or(AuthError::MissingTimestamp)?;
    stamp.parse().map_err(|_| AuthError::BadTimestamp)
}

/// Whether a moment is near enough to now.
pub(super) fn check_age(
    sent: Timestamp,
    now: Timestamp,
    tolerance: Duration,
) -> Result<(), AuthError> {
    let age = now.duration_since(sent);
    if age.unsigned_abs() <= tolerance {
        Ok(())
    } else if age.is_negative() {
        Err(AuthError::TooNew)
    } else {
        Err(AuthError::TooOld)
    }
}

fn decode_secret(text: &str) -> Option<Vec<u8>> {
    let standard = text.replace('-', "+").replace('_', "/");
    LENIENT
        .decode(standard)
        .ok()
        .filter(|bytes| !bytes.is_empty())
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}
