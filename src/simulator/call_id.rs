//! A call's id.

use std::fmt;

/// A call's id: 128 drawn bits, in the form of a UUID wherever it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct CallId(pub(super) u128);

impl CallId {
    /// Reads an id back; only the very spelling that was told is known.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let hex: String = text.split('-').collect();
        let id = Self(u128::from_str_radix(&hex, 16).ok()?);
        (id.to_string() == text).then_some(id)
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = format!("{:032x}", self.0);
        let [first, second, third] = [&hex[..8], &hex[8..12], &hex[12..16]];
        write!(
            f,
            "{first}-{second}-{third}-{}-{}",
            &hex[16..20],
            &hex[20..]
        )
    }
}
