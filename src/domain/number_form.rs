//! How numbers without a `+` are written in a list, as far as a person says so.

use std::fmt;
use std::str::FromStr;

/// The version of the rules by which cells are read as numbers. It grows whenever a cell may be read
/// as another number than before; what was read by earlier rules is known by it.
pub const READER: u32 = 2;
/// In the place of a version: read again, but for those whose call was not over, who are looked at when
/// they are dialled.
pub const READ_AGAIN_BUT: u32 = 0;

/// What digits without a `+` begin with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum NumberForm {
    /// Nobody says: what could be two numbers is refused.
    #[default]
    Any,
    /// With the country code.
    International,
    /// With an area code or a trunk prefix, as they are dialled within the region.
    National,
}

impl NumberForm {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Any, Self::International, Self::National];

    /// The word in a campaign file and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::International => "international",
            Self::National => "national",
        }
    }
}

impl fmt::Display for NumberForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for NumberForm {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|form| form.as_str() == word);
        known.ok_or_else(|| format!("`{}` is not a way to write numbers", word.escape_debug()))
    }
}
