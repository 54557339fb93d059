//! Why a row of the list cannot become a callout.

use std::fmt;

/// Why one row cannot become a callout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFault {
    /// The column at fault, where one is.
    pub column: Option<String>,
    /// What stands there: personal data, to be shown only to the list's owner.
    pub value: Option<String>,
    /// What is wrong; does not repeat the value.
    pub reason: String,
}

impl fmt::Display for RowFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for RowFault {}
