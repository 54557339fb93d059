//! Names of things, each its own type, so that one is never taken for another.

use std::fmt;

/// A run's id: twelve hex digits. People may give the beginning of one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RunId(String);

impl RunId {
    /// Wraps an id that was drawn at random, or read back.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A recipient's place in the store. Within a run they rise in the list's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecipientId(pub i64);

/// An attempt's place in the store, for the updates that follow its intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttemptKey(pub i64);

/// An attempt's id, which travels in the callout's `custom`: 128 random bits, 32 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttemptId([u8; 16]);

impl AttemptId {
    /// From its bits.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Reads 32 hex digits of either case.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 32 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        u128::from_str_radix(text, 16)
            .ok()
            .map(|bits| Self(bits.to_be_bytes()))
    }
}

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The platform's name for a call. Opaque: a uuid, 32 hex digits, `…_257` and `hex@ip` all occur, and
/// the official SDKs' samples have words with spaces.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CallId(Box<str>);

impl CallId {
    /// Longest id that is believed, in bytes.
    pub const BYTES_MAX: usize = 256;

    /// Wraps what the platform called it. Empty, endless or unprintable names are none, nor are
    /// those that begin or end with a space, nor dots alone, which would name another place in a
    /// path.
    pub fn new(id: &str) -> Option<Self> {
        let usable = !matches!(id, "" | "." | "..")
            && id.len() <= Self::BYTES_MAX
            && id.trim() == id
            && id
                .chars()
                .all(|c| c == ' ' || !c.is_control() && !c.is_whitespace());
        usable.then(|| Self(id.into()))
    }

    /// The id as the platform wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_id_is_any_printable_name() {
        for id in [
            "a call id",
            "8cf8_257",
            "241b8ab3@193.45.63.102",
            "å",
            "...",
        ] {
            assert_eq!(CallId::new(id).unwrap().as_str(), id);
        }
        let endless = "a".repeat(CallId::BYTES_MAX + 1);
        for none in [
            "", " ", " a", "a ", "a\tb", "a\u{a0}b", "a\n", ".", "..", &endless,
        ] {
            assert_eq!(CallId::new(none), None, "{none:?}");
        }
    }

    #[test]
    fn an_attempt_id_is_32_hex_digits_and_reads_back() {
        let id = AttemptId::from_bytes([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255]);
        assert_eq!(id.to_string(), "000102030405060708090a0b0c0d0eff");
        assert_eq!(AttemptId::parse(&id.to_string()), Some(id));
        assert_eq!(AttemptId::parse("+00102030405060708090a0b0c0d0eff"), None);
    }
}
