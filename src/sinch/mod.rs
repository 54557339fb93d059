//! The Calling API as we speak it: signing, wire types, one client, errors turned into verdicts.
//!
//! It knows the domain's words and nothing of stores, engines or terminals.

pub mod auth;
