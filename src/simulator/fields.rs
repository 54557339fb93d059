//! A JSON object of a request, read by name and type.

use serde_json::{Map, Value};

use super::answer::ApiError;
use super::requests::Notes;

/// Fields that are true or false.
const FLAGS: [&str; 3] = ["enableAce", "enableDice", "enablePie"];
/// Fields that are whole numbers.
const NUMBERS: [&str; 3] = ["maxDuration", "maxDigits", "timeoutMills"];

/// One JSON object whose fields are asked for by name and type; `null` counts as absent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a>(pub(super) &'a Map<String, Value>);

impl<'a> Fields<'a> {
    /// The value under a name, in any case: the documents' samples write `enabledice` and `RunMenu`
    /// as well. The very spelling goes before others.
    pub(super) fn get(self, name: &str) -> Option<&'a Value> {
        self.0.get(name).or_else(|| {
            let mut same = self.0.iter().filter(|(k, _)| k.eq_ignore_ascii_case(name));
            same.next().map(|(_, value)| value)
        })
    }

    pub(super) fn text(self, name: &str) -> Result<Option<&'a str>, ApiError> {
        match self.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(ApiError::illegal(name)),
        }
    }

    /// A whole number from 1 to `max`; its digits in quotes are one, too, since one generation of the
    /// documents types them as text.
    pub(super) fn whole(self, name: &str, max: u64) -> Result<Option<u32>, ApiError> {
        let number = match self.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(digits)) => digits.parse().ok(),
            Some(value) => value.as_u64(),
        };
        number
            .filter(|number| (1..=max).contains(number))
            .and_then(|number| u32::try_from(number).ok())
            .map(Some)
            .ok_or_else(|| ApiError::illegal(name))
    }

    /// Whether a flag is set; the words in quotes are taken, too.
    pub(super) fn flag(self, name: &str) -> Result<bool, ApiError> {
        match self.get(name) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(is_set)) => Ok(*is_set),
            Some(Value::String(word)) if matches!(word.as_str(), "true" | "false") => {
                Ok(word == "true")
            }
            Some(_) => Err(ApiError::illegal(name)),
        }
    }

    pub(super) fn one_of(self, name: &str, words: &[&str]) -> Result<(), ApiError> {
        match self.text(name)? {
            Some(word) if !words.iter().any(|known| known.eq_ignore_ascii_case(word)) => {
                Err(ApiError::illegal(name))
            }
            _ => Ok(()),
        }
    }

    /// Notes the fields that the documents do not have, and the numbers and flags that stand in quotes.
    pub(super) fn note(self, known: &[&str], notes: &mut Notes) {
        notes.strays(self.0, known);
        for (name, value) in self.0 {
            let quoted = |list: &[&str]| list.iter().any(|known| known.eq_ignore_ascii_case(name));
            if value.is_string() && (quoted(&FLAGS) || quoted(&NUMBERS)) {
                notes.add(format!("`{name}` stands in quotes"));
            }
        }
    }
}
