//! The Calling API as we speak it: signing, wire types, one client, errors turned into verdicts.
//!
//! It knows the domain's words and nothing of stores, engines or terminals. What is written to the
//! platform is the API's suggested form; what is read is every form that its documents show
//! (`FACTS` §12).

pub mod auth;
pub mod callouts;
pub mod calls;
pub mod client;
pub mod errors;
pub mod identity;
pub mod lenient;
pub mod region;
pub mod svaml;

pub use client::{Client, ClientError};
pub use identity::Identity;
pub use region::{Bases, Region};
pub use svaml::Svaml;
