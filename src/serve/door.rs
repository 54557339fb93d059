//! What becomes of a request: from its bytes to an event that is kept, or to why it is not taken.
//!
//! Pure: the time is handed in, nothing is written.

use jiff::Timestamp;

use super::refusal::{Reason, Refused};
use crate::domain::svaml::Event as Kind;
use crate::sinch::auth::{AuthError, Credentials, ReceivedHeaders};
use crate::sinch::events::Event;
use crate::sinch::verify::{CallbackVerifier, VerifierError};
use crate::store::{Arrival, LATE};

/// What stands before the secret at the end of a callback path.
pub const PATH: &str = "/sinch/";

/// The paths at which callbacks are taken: one for each secret that is good.
#[derive(Debug, Clone, Default)]
pub struct Doors(Vec<Door>);

/// The path of one secret.
#[derive(Clone)]
pub struct Door {
    secret: String,
    verifier: CallbackVerifier,
}

impl std::fmt::Debug for Door {
    /// The path has the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Door").finish_non_exhaustive()
    }
}

/// The headers that a signature needs, as they came.
#[derive(Debug, Clone, Copy)]
pub struct Headers<'a> {
    /// `Content-Type`; empty where there is none.
    pub content_type: &'a str,
    /// `Authorization` and `x-timestamp`.
    pub signed: ReceivedHeaders<'a>,
}

/// An event that is taken.
#[derive(Debug, Clone)]
pub struct Good {
    /// What is kept of it.
    pub arrival: Arrival,
    /// The same, read.
    pub event: Event,
}

impl Doors {
    /// Those of `secrets`, at an address with this path: the public one, without a slash at its end.
    ///
    /// # Errors
    /// Where the credentials cannot check a signature, or the path has no leading slash.
    pub fn new(
        credentials: &Credentials,
        public_path: &str,
        secrets: &[String],
    ) -> Result<Self, VerifierError> {
        let door = |secret: &String| {
            let path = format!("{public_path}{PATH}{secret}");
            Ok(Door {
                secret: secret.clone(),
                verifier: CallbackVerifier::new(credentials.clone(), path)?,
            })
        };
        secrets.iter().map(door).collect::<Result<_, _>>().map(Self)
    }

    /// The door to which a request came. A proxy may have put anything before the end of the path, or taken it
    /// away.
    ///
    /// # Errors
    /// Where there is none, or it is not taken whatever its body is.
    pub fn find(&self, method: &str, path: &str, query: Option<&str>) -> Result<&Door, Reason> {
        let (_, secret) = path.rsplit_once(PATH).ok_or(Reason::Path)?;
        let door = self.0.iter().find(|door| door.secret == secret);
        let door = door.ok_or(Reason::Path)?;
        if method != "POST" {
            return Err(Reason::Method);
        }
        match query {
            Some(_) => Err(Reason::Query),
            None => Ok(door),
        }
    }
}

impl Door {
    /// Checks what came to this door.
    ///
    /// # Errors
    /// Why it is not taken.
    pub fn judge(
        &self,
        headers: &Headers<'_>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Good, Refused> {
        let signed = &headers.signed;
        match self
            .verifier
            .verify(body, headers.content_type, signed, now)
        {
            Ok(()) => {}
            Err(age @ (AuthError::TooOld | AuthError::TooNew)) => {
                let event = Event::parse(body).ok();
                return Err(Refused {
                    reason: age.into(),
                    late: event.map(|event| Box::new(arrival(&event, LATE, body, signed, now))),
                });
            }
            Err(error) => return Err(Reason::from(error).into()),
        }
        let event = Event::parse(body).map_err(|_| Reason::NoEvent)?;
        let kind = event.kind();
        let word = kind.map_or("other", Kind::as_str);
        let arrival = arrival(&event, word, body, signed, now);
        Ok(Good { arrival, event })
    }
}

/// What is kept of an event.
fn arrival(
    event: &Event,
    kind: &str,
    body: &[u8],
    signed: &ReceivedHeaders<'_>,
    at: Timestamp,
) -> Arrival {
    Arrival {
        body: body.to_vec(),
        signed_at: signed.x_timestamp.unwrap_or_default().to_owned(),
        at,
        kind: kind.to_owned(),
        attempt: event.attempt(),
        call: event.common().call.clone(),
    }
}
