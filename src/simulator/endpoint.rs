//! Whom a callout calls, by kind.

/// What a destination's endpoint is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndpointKind {
    /// A telephone number in E.164.
    Number,
    /// A user of the application.
    Username,
    /// A SIP address (documented by the SDKs only).
    Sip,
}
