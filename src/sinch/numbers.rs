//! Which numbers belong to which application (seed 001, "Get Numbers", "Update Numbers",
//! "Un-assign Number"; seed 004; `FACTS` §5).

use std::str::FromStr;

use reqwest::Method;
use serde::Serialize;
use serde_json::value::RawValue;

use super::lenient::Object;
use super::method::{ApiMethod, Host, LIST_BYTES_MAX, Plain};
use super::region::Paths;

/// So many numbers can be assigned at once (seed 004: "[ 1 .. 100 ] items").
pub const ASSIGNED_AT_ONCE_MAX: usize = 100;

fn path(paths: Paths) -> &'static str {
    paths.pick("/v1/configuration/numbers", "/v1/configuration/numbers/")
}

/// What a number can be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Capability {
    /// Calls, placed and taken.
    Voice,
    /// Text messages.
    Sms,
}

impl Capability {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Voice => "voice",
            Self::Sms => "sms",
        }
    }
}

impl FromStr for Capability {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "voice" => Ok(Self::Voice),
            "sms" => Ok(Self::Sms),
            _ => Err("a number's capability is `voice` or `sms`".into()),
        }
    }
}

/// `GET /v1/configuration/numbers`: the numbers that we own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListNumbers;

/// A number that we own (seed 001, `NumberItem`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnNumber {
    /// The number, E.164 with its plus.
    pub number: String,
    /// The application to which it is assigned, if any.
    pub application_key: Option<String>,
    /// `voice` or `sms`; a newer word is kept.
    pub capability: Option<String>,
}

impl ApiMethod for ListNumbers {
    type Answer = Vec<OwnNumber>;

    fn request(&self, paths: Paths) -> Plain {
        Plain::new(Method::GET, Host::Configuration, path(paths))
    }

    fn read(&self, body: &[u8]) -> Option<Vec<OwnNumber>> {
        let object = Object::parse(body)?;
        let Some(numbers) = object.raw(&["numbers"]) else {
            return Some(Vec::new());
        };
        let items: Vec<&RawValue> = serde_json::from_str(numbers.get()).ok()?;
        items.into_iter().map(own_number).collect()
    }

    fn answer_bytes_max(&self) -> usize {
        LIST_BYTES_MAX
    }
}

fn own_number(item: &RawValue) -> Option<OwnNumber> {
    let item = Object::parse(item.get().as_bytes())?;
    let filled = |text: String| (!text.is_empty()).then_some(text);
    Some(OwnNumber {
        number: item.text(&["number"])?,
        application_key: item.text(&["applicationkey"]).and_then(filled),
        capability: item.text(&["capability"]).and_then(filled),
    })
}

/// `POST /v1/configuration/numbers`: assigns 1 to 100 numbers to an application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AssignNumbers {
    /// E.164, 1 to [`ASSIGNED_AT_ONCE_MAX`] of them.
    pub numbers: Vec<String>,
    /// The application; none means the one that asks.
    #[serde(rename = "applicationkey", skip_serializing_if = "Option::is_none")]
    pub application_key: Option<String>,
    /// None leaves it to the platform.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capability: Option<Capability>,
}

impl ApiMethod for AssignNumbers {
    type Answer = ();

    fn request(&self, paths: Paths) -> Plain {
        Plain::new(Method::POST, Host::Configuration, path(paths)).json(self)
    }

    fn read(&self, _: &[u8]) -> Option<()> {
        Some(())
    }
}

/// `DELETE /v1/configuration/numbers`, with a body: takes a number from an application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnassignNumber {
    /// The number, E.164 with its plus.
    pub number: String,
    /// The application; none means the one that asks.
    #[serde(rename = "applicationkey", skip_serializing_if = "Option::is_none")]
    pub application_key: Option<String>,
    /// None leaves it to the platform.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capability: Option<Capability>,
}

impl ApiMethod for UnassignNumber {
    type Answer = ();

    fn request(&self, paths: Paths) -> Plain {
        Plain::new(Method::DELETE, Host::Configuration, path(paths)).json(self)
    }

    fn read(&self, _: &[u8]) -> Option<()> {
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_listed_whatever_their_keys_are_spelt_like() {
        let body = br#"{"numbers":[{"number":"+12012222222","capability":"voice"},
            {"number":"+1","applicationKey":"k","capability":null},{"Number":"+2","applicationkey":""}]}"#;
        let numbers = ListNumbers.read(body).unwrap();
        let told: Vec<_> = numbers
            .iter()
            .map(|n| {
                (
                    n.number.as_str(),
                    n.application_key.as_deref(),
                    n.capability.as_deref(),
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("+12012222222", None, Some("voice")),
                ("+1", Some("k"), None),
                ("+2", None, None)
            ]
        );
        assert_eq!(ListNumbers.read(b"{}"), Some(Vec::new()));
        assert_eq!(ListNumbers.read(b"<html>"), None);
        assert_eq!(ListNumbers.read(br#"{"numbers":[7]}"#), None);
    }
}
