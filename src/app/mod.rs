//! The application: what can be done, without a terminal, a socket or a command line's arguments.
//!
//! Whoever faces a person or a program (`cli`) calls what is here and makes words and codes of what comes
//! back.

pub mod platform;
