//! The Calling API as we speak it: signing, wire types, answers turned into verdicts, and one client.
//!
//! It knows the domain's words and nothing of stores, engines or terminals. What is written to the
//! platform is the API's suggested form; what is read is every form that its documents show
//! (`FACTS` §12).

pub mod answer;
pub mod auth;
pub mod callback_urls;
pub mod callouts;
pub mod calls;
pub mod cdr;
pub mod client;
pub mod conferences;
pub mod events;
pub mod identity;
pub mod lenient;
pub mod method;
pub mod numbers;
pub mod preview;
pub mod problem;
pub mod query;
pub mod recordings;
pub mod region;
pub mod svaml;
pub mod verify;

pub use client::{Client, ClientError};
pub use identity::Identity;
pub use method::ApiMethod;
pub use preview::Preview;
pub use region::{Bases, Paths, Region};
pub use svaml::Svaml;
pub use verify::CallbackVerifier;
