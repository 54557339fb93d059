//! Whether a callback is the platform's: its signature and its age (`FACTS` §2.3), pinned by
//! `tests/fixtures/callback_vectors.json`.

use std::time::Duration;

use jiff::Timestamp;

use super::auth::{
    AuthError, Credentials, CredentialsError, ReceivedHeaders, Request, Scheme, check_age,
};

/// How far a callback's timestamp may be from our clock, to both sides. The documents name no
/// bound; one that is signed and older can only have been kept to be sent again.
pub const FRESHNESS: Duration = Duration::from_mins(5);

/// Checks callbacks of one application at one address.
#[derive(Debug, Clone)]
pub struct CallbackVerifier {
    credentials: Credentials,
    path: String,
}

/// Why callbacks cannot be checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifierError {
    /// The secret cannot be used for signatures.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The path is none.
    #[error("the callback path does not begin with `/`")]
    Path,
}

impl CallbackVerifier {
    /// For callbacks to `path`: that of the address which the platform was told, in its case and
    /// with its leading slash. Behind a proxy that is not always the path which arrives.
    pub fn new(credentials: Credentials, path: impl Into<String>) -> Result<Self, VerifierError> {
        credentials.check(Scheme::Signed)?;
        let path = path.into();
        if !path.starts_with('/') {
            return Err(VerifierError::Path);
        }
        Ok(Self { credentials, path })
    }

    /// Checks one callback: the body's bytes as they came, and the `Content-Type` header verbatim,
    /// empty where there is none. One that is too old or too new has a good signature. Basic authorisation proves nothing here: the platform signs.
    pub fn verify(
        &self,
        body: &[u8],
        content_type: &str,
        headers: &ReceivedHeaders<'_>,
        now: Timestamp,
    ) -> Result<(), AuthError> {
        let request = Request {
            method: "POST",
            path: &self.path,
            content_type,
            body,
        };
        // Only of what is signed by the right key it matters how old it is.
        let sent = self.credentials.verify_signature(&request, headers)?;
        check_age(sent, now, FRESHNESS)
    }
}
