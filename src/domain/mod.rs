//! What a callout campaign is made of, in the words of the house.
//!
//! Everything here is pure: no I/O, no async, no clock and no randomness of its own. A function that
//! needs the time takes it as an argument. The domain knows nobody; every other module knows it.

pub mod callout;
pub mod destination;
pub mod recipient;

pub use callout::{
    Callout, CalloutBody, ConferenceCallout, ConferenceDtmf, CustomCallout, HttpHeader, TtsCallout,
};
pub use destination::{Destination, DestinationKind};
pub use recipient::{Disposition, RejectKind};
