//! Whom a callout is addressed to, and how that is shown without giving the person away.

use std::fmt;

/// How the platform should read an endpoint. Written in the API's documents as
/// `destination.type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DestinationKind {
    /// A telephone number in E.164, with its `+`.
    Number,
    /// The name of a user of the application (data calling).
    Username,
    /// A SIP address, such as `desk@sip.example.com` (documented by the SDKs only).
    Sip,
}

impl DestinationKind {
    /// The name in campaign files, in the database and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Username => "username",
            Self::Sip => "sip",
        }
    }
}

impl std::str::FromStr for DestinationKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "number" => Ok(Self::Number),
            "username" => Ok(Self::Username),
            "sip" => Ok(Self::Sip),
            other => Err(format!(
                "destination type `{other}` is neither `number`, `username` nor `sip`"
            )),
        }
    }
}

/// One address that can be called: a number in E.164, a user name or a SIP address.
///
/// `Debug` and `Display` are masked, so that an endpoint never reaches a log by accident.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Destination {
    /// How the platform should read [`endpoint`](Self::endpoint).
    pub kind: DestinationKind,
    /// The E.164 number with its `+`, the user name or the SIP address, in full.
    pub endpoint: String,
}

impl Destination {
    /// A telephone number, already in E.164.
    pub fn number(e164: impl Into<String>) -> Self {
        Self {
            kind: DestinationKind::Number,
            endpoint: e164.into(),
        }
    }

    /// A user of the application.
    pub fn username(name: impl Into<String>) -> Self {
        Self {
            kind: DestinationKind::Username,
            endpoint: name.into(),
        }
    }

    /// The endpoint as it may be shown: `+4670•••0101`.
    pub fn masked(&self) -> String {
        mask(&self.endpoint)
    }
}

/// Hides the middle of an endpoint: the first five and the last four characters stay where the
/// text is long enough, otherwise only the first.
pub fn mask(endpoint: &str) -> String {
    let chars: Vec<char> = endpoint.chars().collect();
    let (head, tail) = if chars.len() >= 11 {
        (5, 4)
    } else {
        (1.min(chars.len()), 0)
    };
    let mut shown: String = chars[..head].iter().collect();
    shown.push_str("•••");
    shown.extend(&chars[chars.len() - tail..]);
    shown
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.kind.as_str(), self.masked())
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_masked_wherever_it_is_printed() {
        let to = Destination::number("+46701740101");
        assert_eq!(to.to_string(), "+4670•••0101");
        assert_eq!(format!("{to:?}"), "number(+4670•••0101)");
        assert_eq!(mask("anna"), "a•••");
        assert_eq!(mask(""), "•••");
    }
}
