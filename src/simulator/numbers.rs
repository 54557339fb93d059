//! The account's numbers: which there are, and which application answers for each.
//!
//! Seed 004, "Get Numbers", "Update Numbers" and "Un-assign number"; the other seeds have the same
//! with a slash at the end of the path, and spell `applicationKey` when a number is taken away.

use serde_json::{Map, Value, json};

use super::answer::ApiError;
use super::callout::check_number;
use super::fields::Fields;
use super::requests::Notes;
use super::wording::Wording;

/// Numbers that one request may assign.
const NUMBERS_MAX: usize = 100;

/// A number of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedNumber {
    /// The number, in E.164.
    pub number: String,
    /// What it can do.
    pub capability: Capability,
    /// Which application it is assigned to.
    pub holder: Holder,
}

/// What a number can do: one thing each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capability {
    /// `voice`.
    Voice,
    /// `sms`.
    Sms,
}

/// The application that a number is assigned to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Holder {
    /// None.
    Nobody,
    /// The one whose key and secret the simulator knows.
    Ours,
    /// Another application of the account, by its key.
    Other(String),
}

impl OwnedNumber {
    /// A number for voice that `holder` has.
    pub fn voice(number: impl Into<String>, holder: Holder) -> Self {
        Self {
            number: number.into(),
            capability: Capability::Voice,
            holder,
        }
    }
}

impl Capability {
    fn as_str(self) -> &'static str {
        match self {
            Self::Voice => "voice",
            Self::Sms => "sms",
        }
    }

    fn read(fields: Fields<'_>) -> Result<Option<Self>, ApiError> {
        match fields.text("capability").map_err(|_| not_updated())? {
            None | Some("") => Ok(None),
            Some("voice") => Ok(Some(Self::Voice)),
            Some("sms") => Ok(Some(Self::Sms)),
            Some(_) => Err(not_updated()),
        }
    }
}

/// The applications of the account: the one that signs, and the others.
#[derive(Debug, Clone, Copy)]
pub(super) struct Applications<'a> {
    pub(super) ours: &'a str,
    pub(super) others: &'a [String],
}

impl Applications<'_> {
    /// Who that is; no key means the one that signs.
    pub(super) fn find(self, key: &str) -> Result<Holder, ApiError> {
        if key.is_empty() || key == self.ours {
            Ok(Holder::Ours)
        } else if self.others.iter().any(|other| other == key) {
            Ok(Holder::Other(key.to_owned()))
        } else {
            Err(ApiError::new(40003, "Invalid Application Key"))
        }
    }

    /// The application that a body names, in either spelling (`FACTS` §12, row 26).
    fn named(self, body: &Map<String, Value>, notes: &mut Notes) -> Result<Holder, ApiError> {
        let fields = Fields(body);
        let unreadable = |_| ApiError::new(40003, "Invalid Application Key");
        let other_spelling = fields.text("applicationKey").map_err(unreadable)?;
        if body.contains_key("applicationKey") {
            notes.spelling("applicationKey", "applicationkey");
        }
        let key = fields.text("applicationkey").map_err(unreadable)?;
        self.find(key.or(other_spelling).unwrap_or_default())
    }
}

/// The numbers and who has them.
#[derive(Debug)]
pub(super) struct Numbers(Vec<OwnedNumber>);

impl Numbers {
    pub(super) fn new(owned: Vec<OwnedNumber>) -> Self {
        Self(owned)
    }

    /// `GET /v1/configuration/numbers`: a number that nobody has is told without a key.
    pub(super) fn list(&self, applications: Applications<'_>, wording: &Wording) -> Value {
        let told = |owned: &OwnedNumber| {
            let mut item = json!({ "number": owned.number });
            match &owned.holder {
                Holder::Nobody => {}
                Holder::Ours => item[wording.application_key] = applications.ours.into(),
                Holder::Other(key) => item[wording.application_key] = key.as_str().into(),
            }
            item["capability"] = owned.capability.as_str().into();
            item
        };
        json!({ "numbers": self.0.iter().map(told).collect::<Vec<_>>() })
    }

    /// `POST /v1/configuration/numbers`: all of them, or none.
    pub(super) fn assign(
        &mut self,
        body: &Map<String, Value>,
        applications: Applications<'_>,
        notes: &mut Notes,
    ) -> Result<(), ApiError> {
        let known = ["numbers", "applicationkey", "applicationKey", "capability"];
        notes.strays(body, &known);
        let wanted = texts(Fields(body).get("numbers"), notes)?;
        if wanted.is_empty() || wanted.len() > NUMBERS_MAX {
            return Err(not_updated());
        }
        let holder = applications.named(body, notes)?;
        let capability = Capability::read(Fields(body))?;
        let places = wanted
            .into_iter()
            .map(|number| self.position(number, capability))
            .collect::<Result<Vec<_>, _>>()?;
        for place in places {
            self.0[place].holder = holder.clone();
        }
        Ok(())
    }

    /// `DELETE /v1/configuration/numbers`: taken from the application that has it.
    pub(super) fn unassign(
        &mut self,
        body: &Map<String, Value>,
        applications: Applications<'_>,
        notes: &mut Notes,
    ) -> Result<(), ApiError> {
        let known = [
            "number",
            "numbers",
            "applicationkey",
            "applicationKey",
            "capability",
        ];
        notes.strays(body, &known);
        // The sample of seed 004 has `numbers` here, too.
        if body.contains_key("numbers") {
            notes.spelling("numbers", "number");
        }
        let number = body
            .get("number")
            .or(body.get("numbers"))
            .and_then(Value::as_str)
            .ok_or_else(not_updated)?;
        let holder = applications.named(body, notes)?;
        let place = self.position(number, Capability::read(Fields(body))?)?;
        if self.0[place].holder != holder {
            return Err(not_updated());
        }
        self.0[place].holder = Holder::Nobody;
        Ok(())
    }

    fn position(&self, number: &str, capability: Option<Capability>) -> Result<usize, ApiError> {
        check_number("number", number).map_err(|_| not_updated())?;
        self.0
            .iter()
            .position(|owned| {
                owned.number == number && capability.is_none_or(|c| c == owned.capability)
            })
            .ok_or_else(not_updated)
    }
}

/// A list of texts, or the bare text of seed 004's sample.
fn texts<'a>(value: Option<&'a Value>, notes: &mut Notes) -> Result<Vec<&'a str>, ApiError> {
    match value {
        Some(Value::String(text)) => {
            notes.add("`numbers` is a text, not a list");
            Ok(vec![text])
        }
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| item.as_str().ok_or_else(not_updated))
            .collect(),
        _ => Err(not_updated()),
    }
}

fn not_updated() -> ApiError {
    ApiError::new(40001, "Unable to update numbers")
}
