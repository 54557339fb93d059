//! Why a request is not taken.

use crate::sinch::auth::AuthError;
use crate::store::Arrival;

/// Why a request is not taken. Each has a name that is kept with the count of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Its path is not that of the callbacks.
    Path,
    /// It is not a POST.
    Method,
    /// It has a query, which no signature covers.
    Query,
    /// A header that the signature needs is there twice, or cannot be read.
    Header,
    /// It is not signed.
    Unsigned,
    /// It is authorised by another scheme, such as Basic.
    Scheme,
    /// Its authorization is no key with a signature.
    Malformed,
    /// It is signed by another application.
    Key,
    /// It has no timestamp, or one that cannot be read.
    Timestamp,
    /// Its signature is not that of these bytes at this path.
    Signature,
    /// Its signature is good and too old: our clock is wrong, or it was kept and is sent again.
    Old,
    /// Its signature is good and of the future: a clock is wrong.
    Future,
    /// It is signed and no event.
    NoEvent,
    /// Its body is too long.
    TooLong,
    /// Its body did not come in time.
    TooSlow,
    /// The inbox could not keep it.
    NotKept,
}

impl Reason {
    /// Its name, which never changes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Method => "method",
            Self::Query => "query",
            Self::Header => "header",
            Self::Unsigned => "unsigned",
            Self::Scheme => "scheme",
            Self::Malformed => "malformed",
            Self::Key => "key",
            Self::Timestamp => "timestamp",
            Self::Signature => "signature",
            Self::Old => "old",
            Self::Future => "future",
            Self::NoEvent => "no event",
            Self::TooLong => "too long",
            Self::TooSlow => "too slow",
            Self::NotKept => "not kept",
        }
    }

    /// The status that it is answered with.
    pub fn status(self) -> u16 {
        match self {
            Self::Path => 404,
            Self::Method => 405,
            Self::Query | Self::Header | Self::NoEvent => 400,
            Self::Unsigned | Self::Scheme | Self::Malformed | Self::Key | Self::Timestamp => 401,
            Self::Signature | Self::Old | Self::Future => 403,
            Self::TooLong => 413,
            Self::TooSlow => 408,
            Self::NotKept => 503,
        }
    }
}

impl From<AuthError> for Reason {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::MissingAuthorization => Self::Unsigned,
            AuthError::WrongScheme => Self::Scheme,
            AuthError::Malformed => Self::Malformed,
            AuthError::UnknownKey => Self::Key,
            AuthError::MissingTimestamp | AuthError::BadTimestamp => Self::Timestamp,
            AuthError::BadSignature => Self::Signature,
            AuthError::TooOld => Self::Old,
            AuthError::TooNew => Self::Future,
        }
    }
}

/// A request that is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub reason: Reason,
    /// What is kept of it where the signature is good and the age alone is against it: its call is worth asking
    /// about at once.
    pub late: Option<Box<Arrival>>,
}

impl From<Reason> for Refused {
    fn from(reason: Reason) -> Self {
        Self { reason, late: None }
    }
}
