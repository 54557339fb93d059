//! SVAML inside a custom callout: a URL, or a JSON document in a string.
//!
//! Only what a callout needs of it is read: that it parses, that it has one named action, and for
//! ICE the `connectPstn` that says whom to call (seed 001, "Custom callouts"; `FACTS` §3, §6).

use serde_json::{Map, Value};

use super::answer::ApiError;
use super::endpoint::EndpointKind;
use super::fields::Fields;

/// What an `ice`, `ace`, `pie` or `dice` field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Svaml {
    /// Nothing: the application's callback URL is asked.
    Absent,
    /// A URL that is asked.
    Url(String),
    /// A document, parsed; it has an action with a name.
    Inline(Map<String, Value>),
}

/// The action of an inline ICE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Connect {
    /// Whom it connects to, where it says so.
    pub(super) to: Option<(EndpointKind, String)>,
    pub(super) cli: Option<String>,
    pub(super) dial_timeout_s: Option<u32>,
    pub(super) max_duration_s: Option<u32>,
    /// Whether it is found out who answers; and then, whether that is told later.
    pub(super) amd: Option<bool>,
    /// Whether neither ACE nor `DiCE` is told.
    pub(super) is_silent: bool,
}

/// Reads one of the four fields.
pub(super) fn read(name: &str, text: Option<&str>) -> Result<Svaml, ApiError> {
    let text = text.unwrap_or_default().trim();
    if text.is_empty() {
        return Ok(Svaml::Absent);
    }
    if text.starts_with("https://") || text.starts_with("http://") {
        return Ok(Svaml::Url(text.to_owned()));
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
    if let Some(instructions) = Fields(&document).get("instructions")
        && !matches!(instructions, Value::Array(_) | Value::Null)
    {
        return Err(ApiError::illegal(&format!("{name}.instructions")));
    }
    Ok(Svaml::Inline(document))
}

/// Whether the answer to an event ends the call: SVAML whose action is `hangup`.
pub(super) fn hangs_up(answer: &[u8]) -> bool {
    let Ok(Value::Object(document)) = serde_json::from_slice(answer) else {
        return false;
    };
    let name = action(&document).and_then(|action| Fields(action).get("name")?.as_str());
    name.is_some_and(|name| name.eq_ignore_ascii_case("hangup"))
}

/// Whom an inline ICE connects to. The oldest documents allow `connectPstn` alone; the SDKs build
/// `connectSip` and `connectMxp`, too. What connects to nobody makes no callout.
pub(super) fn connect(ice: &Map<String, Value>) -> Result<Connect, ApiError> {
    let action = action(ice).ok_or_else(|| ApiError::illegal("ice has no action"))?;
    let fields = Fields(action);
    let name = fields.text("name")?.unwrap_or_default();
    let owned = |text: Option<&str>| text.filter(|t| !t.is_empty()).map(str::to_owned);
    let to = match name.to_ascii_lowercase().as_str() {
        "connectpstn" => owned(fields.text("number")?).map(|number| (EndpointKind::Number, number)),
        "connectsip" => address(fields, EndpointKind::Sip)?,
        "connectmxp" => address(fields, EndpointKind::Username)?,
        _ => return Err(ApiError::illegal("ice takes the action connectPstn")),
    };
    Ok(Connect {
        to,
        cli: owned(fields.text("cli")?),
        dial_timeout_s: fields.whole("dialTimeout", 3600)?,
        max_duration_s: fields.whole("maxDuration", 14_400)?,
        amd: amd(fields)?,
        is_silent: fields.flag("suppressCallbacks")?,
    })
}

/// Who answers is found out where `amd` says `enabled`, or only `async`; and told later with `async`.
fn amd(action: Fields<'_>) -> Result<Option<bool>, ApiError> {
    let Some(amd) = action.get("amd").filter(|amd| !amd.is_null()) else {
        return Ok(None);
    };
    let amd = Fields(amd.as_object().ok_or_else(|| ApiError::illegal("amd"))?);
    let (is_async, is_named) = (amd.flag("async")?, amd.get("enabled").is_some());
    let is_enabled = amd.flag("enabled")? || (is_async && !is_named);
    Ok(is_enabled.then_some(is_async))
}

/// The `destination` of an action.
fn address(
    action: Fields<'_>,
    kind: EndpointKind,
) -> Result<Option<(EndpointKind, String)>, ApiError> {
    let Some(destination) = action.get("destination").and_then(Value::as_object) else {
        return Err(ApiError::missing("destination"));
    };
    let endpoint = Fields(destination).text("endpoint")?;
    let endpoint = endpoint.filter(|endpoint| !endpoint.is_empty());
    Ok(endpoint.map(|endpoint| (kind, endpoint.to_owned())))
}

fn action(document: &Map<String, Value>) -> Option<&Map<String, Value>> {
    Fields(document).get("action")?.as_object()
}
