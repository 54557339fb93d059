//! SVAML inside a custom callout: a URL, or a JSON document in a string.
//!
//! Only what a callout needs of it is read: that it parses, that it has one named action, and for
//! ICE the `connectPstn` that says whom to call (seed 001, "Custom callouts"; `FACTS` §3, §6).

use serde_json::{Map, Value};

use super::answer::ApiError;
use super::callout::Fields;

/// What an `ice`, `ace`, `pie` or `dice` field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Svaml {
    /// Nothing: the application's callback URL is asked.
    Absent,
    /// A URL that is asked.
    Url,
    /// A document, parsed; it has an action with a name.
    Inline(Map<String, Value>),
}

/// The action of an inline ICE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ConnectPstn {
    pub(super) number: Option<String>,
    pub(super) cli: Option<String>,
    pub(super) dial_timeout_s: Option<u32>,
    pub(super) max_duration_s: Option<u32>,
}

/// Reads one of the four fields.
pub(super) fn read(name: &str, text: Option<&str>) -> Result<Svaml, ApiError> {
    let text = text.unwrap_or_default().trim();
    if text.is_empty() {
        return Ok(Svaml::Absent);
    }
    if text.starts_with("https://") || text.starts_with("http://") {
        return Ok(Svaml::Url);
    }
    let Ok(Value::Object(document)) = serde_json::from_str(text) else {
        return Err(ApiError::illegal(&format!(
            "{name} is neither a URL nor SVAML"
        )));
    };
    action(&document)
        .and_then(|action| Fields(action).text("name").ok().flatten())
        .filter(|action| !action.is_empty())
        .ok_or_else(|| ApiError::illegal(&format!("{name} has no action")))?;
    if let Some(instructions) = document.get("instructions")
        && !instructions.is_array()
    {
        return Err(ApiError::illegal(&format!("{name}.instructions")));
    }
    Ok(Svaml::Inline(document))
}

/// The `connectPstn` of an inline ICE: "as of now, only the action connectPstn is allowed".
pub(super) fn connect_pstn(ice: &Map<String, Value>) -> Result<ConnectPstn, ApiError> {
    let action = action(ice).ok_or_else(|| ApiError::illegal("ice has no action"))?;
    let fields = Fields(action);
    let name = fields.text("name")?.unwrap_or_default();
    if !name.eq_ignore_ascii_case("connectPstn") {
        return Err(ApiError::illegal("ice takes the action connectPstn"));
    }
    let owned = |text: Option<&str>| text.filter(|t| !t.is_empty()).map(str::to_owned);
    Ok(ConnectPstn {
        number: owned(fields.text("number")?),
        cli: owned(fields.text("cli")?),
        dial_timeout_s: fields.whole("dialTimeout", 3600)?,
        max_duration_s: fields.whole("maxDuration", 14_400)?,
    })
}

fn action(document: &Map<String, Value>) -> Option<&Map<String, Value>> {
    document.get("action")?.as_object()
}
