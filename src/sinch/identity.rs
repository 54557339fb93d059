//! Who a call is from or to, as answers and events name it.

use std::fmt;

use crate::domain::destination::mask;

/// A party of a call: `from`, `to` (seed 001, "Get Call Result" and "Callbacks"; `FACTS` §4, §7).
///
/// Some documents write an object with `type` and `endpoint`, others a bare string; both are read.
/// Numbers come with and without their `+`. `Debug` and `Display` are masked, so that an endpoint
/// never reaches a log by accident.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The `type` as it was written: `number`, `Number`, `username`, `sip`, `did` and others.
    pub kind: Option<String>,
    /// The number, name or address, in full; `private` where the platform hides it.
    pub endpoint: String,
}

impl Identity {
    /// Whether the `type` is this one; documents disagree about its case.
    pub fn is_kind(&self, kind: &str) -> bool {
        self.kind
            .as_deref()
            .is_some_and(|own| own.eq_ignore_ascii_case(kind))
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&mask(&self.endpoint))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind.as_deref().unwrap_or("unnamed");
        write!(f, "{kind}({})", mask(&self.endpoint))
    }
}
