//! What is posted: a callout's body, read and checked as the documents say the platform does.
//!
//! Pure: bytes in, an [`Order`] or the platform's refusal out (seed 001, "Callouts"; `FACTS` §3).
//! It reads JSON on its own, without `sinch`'s wire types. Inline SVAML is `svaml`'s.

use serde_json::{Map, Value};

use super::answer::ApiError;
use super::svaml::{self, Svaml};

/// Characters in a spoken text, and in each prompt.
const TEXT_CHARS_MAX: usize = 600;
/// Bytes in `custom`.
const CUSTOM_BYTES_MAX: usize = 1024;
/// Characters in a conference's id.
const CONFERENCE_CHARS_MAX: usize = 64;
/// Seconds that a call may be limited to.
const MAX_DURATION_S: u64 = 14_400;

/// Which of the three callouts it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `ttsCallout`.
    Tts,
    /// `conferenceCallout`.
    Conference,
    /// `customCallout`.
    Custom,
}

/// What a destination's endpoint is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndpointKind {
    /// A telephone number in E.164.
    Number,
    /// A user of the application.
    Username,
    /// A SIP address (documented by the SDKs only).
    Sip,
}

/// A callout that passed the platform's checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Which callout it is.
    pub kind: Kind,
    /// Whom it calls.
    pub endpoint: String,
    /// What the endpoint is.
    pub endpoint_kind: EndpointKind,
    /// The number shown; `private` is kept as it is.
    pub cli: Option<String>,
    /// The text handed back with the result; empty where there is none.
    pub custom: String,
    /// Characters to speak; zero where nothing is spoken.
    pub spoken_chars: u32,
    /// The conference that whoever answers joins.
    pub conference: Option<String>,
    /// The longest call, in seconds.
    pub max_duration_s: Option<u32>,
    /// The longest ringing, in seconds.
    pub dial_timeout_s: Option<u32>,
    /// Taken, but it will never ring: there is no `cli`.
    pub never_rings: bool,
    /// The `X-CB-` headers, the first five of them.
    pub headers: Vec<(String, String)>,
}

/// A callout that the platform refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The answer.
    pub error: ApiError,
    /// What could be read of `custom`, so that the refusal can be counted under its attempt.
    pub custom: String,
}

/// Reads and checks the body of `POST /calling/v1/callouts`.
pub(super) fn read(body: &[u8], cli_required: bool) -> Result<Order, Rejected> {
    let body: Value = serde_json::from_slice(body).map_err(|_| Rejected {
        error: ApiError::invalid("the body is not JSON"),
        custom: String::new(),
    })?;
    check(&body, cli_required).map_err(|error| Rejected {
        error,
        custom: custom_of(&body).unwrap_or_default().to_owned(),
    })
}

/// `custom` of whichever callout the body has, checked or not.
fn custom_of(body: &Value) -> Option<&str> {
    let callout = body.get(body.get("method")?.as_str()?)?;
    callout.get("custom")?.as_str()
}

fn check(body: &Value, cli_required: bool) -> Result<Order, ApiError> {
    let Value::Object(body) = body else {
        return Err(ApiError::invalid("the body is not an object"));
    };
    let method = Fields(body)
        .text("method")?
        .ok_or_else(|| ApiError::missing("method"))?;
    let (kind, name) = match method {
        "ttsCallout" => (Kind::Tts, "TTS callout information"),
        "conferenceCallout" => (Kind::Conference, "Conference callout information"),
        "customCallout" => (Kind::Custom, "Custom callout information"),
        _ => return Err(ApiError::illegal("method")),
    };
    let fields = match body.get(method) {
        Some(Value::Object(fields)) => Fields(fields),
        None | Some(Value::Null) => return Err(ApiError::missing(name)),
        Some(_) => return Err(ApiError::illegal(method)),
    };
    let mut order = common(kind, fields)?;
    match kind {
        Kind::Tts => tts(fields, &mut order)?,
        Kind::Conference => conference(fields, &mut order)?,
        Kind::Custom => custom(fields, &mut order)?,
    }
    if order.endpoint.is_empty() {
        return Err(ApiError::missing("destination"));
    }
    if order.cli.is_none() {
        if cli_required {
            return Err(ApiError::missing("cli"));
        }
        order.never_rings = true;
    }
    Ok(order)
}

/// What all three callouts have.
fn common(kind: Kind, fields: Fields<'_>) -> Result<Order, ApiError> {
    let custom = fields.text("custom")?.unwrap_or_default();
    if custom.len() > CUSTOM_BYTES_MAX {
        return Err(ApiError::illegal("custom is longer than 1024 bytes"));
    }
    let cli = fields.text("cli")?.filter(|cli| !cli.is_empty());
    if let Some(cli) = cli.filter(|cli| *cli != "private") {
        check_number("cli", cli)?;
    }
    fields.one_of("domain", &["pstn", "mxp"])?;
    fields.text("locale")?;
    if let Some(keys) = fields.text("dtmf")?
        && !keys
            .bytes()
            .all(|key| matches!(key, b'0'..=b'9' | b'#' | b'w'))
    {
        return Err(ApiError::illegal("dtmf takes 0-9, # and w"));
    }
    for flag in ["enableAce", "enableDice", "enablePie"] {
        fields.flag(flag)?;
    }
    let (endpoint_kind, endpoint) = destination(fields)?;
    Ok(Order {
        kind,
        endpoint,
        endpoint_kind,
        cli: cli.map(str::to_owned),
        custom: custom.to_owned(),
        spoken_chars: 0,
        conference: None,
        max_duration_s: None,
        dial_timeout_s: None,
        never_rings: false,
        headers: Vec::new(),
    })
}

/// The destination; an empty endpoint where there is none, which a custom callout may cure.
fn destination(fields: Fields<'_>) -> Result<(EndpointKind, String), ApiError> {
    let destination = match fields.0.get("destination") {
        None | Some(Value::Null) => return Ok((EndpointKind::Number, String::new())),
        Some(Value::Object(destination)) => Fields(destination),
        Some(_) => return Err(ApiError::illegal("destination")),
    };
    let word = destination
        .text("type")?
        .ok_or_else(|| ApiError::missing("destination.type"))?;
    let kind = match word.to_ascii_lowercase().as_str() {
        "number" => EndpointKind::Number,
        "username" => EndpointKind::Username,
        "sip" => EndpointKind::Sip,
        _ => return Err(ApiError::illegal("destination.type")),
    };
    let endpoint = destination
        .text("endpoint")?
        .filter(|endpoint| !endpoint.is_empty())
        .ok_or_else(|| ApiError::missing("destination.endpoint"))?;
    if kind == EndpointKind::Number {
        check_number("destination", endpoint)?;
    }
    Ok((kind, endpoint.to_owned()))
}

fn tts(fields: Fields<'_>, order: &mut Order) -> Result<(), ApiError> {
    let text = fields.text("text")?.filter(|text| !text.is_empty());
    let prompts = fields.text("prompts")?.filter(|text| !text.is_empty());
    let spoken = match (text, prompts) {
        (None, None) => return Err(ApiError::missing("TTS information")),
        (Some(text), _) => count_chars("text", text)?,
        (None, Some(_)) => 0,
    };
    let mut prompted = 0;
    for prompt in prompts.into_iter().flat_map(|list| list.split(';')) {
        prompted += count_chars("a prompt", check_prompt(prompt)?)?;
    }
    order.spoken_chars = spoken.max(prompted);
    Ok(())
}

/// One item of `prompts`: `#tts[…]`, `#ssml[…]`, `#href[…]`, a URL or a file's id (`FACTS` §9). No
/// escape is documented, so a `;` inside a bracket leaves a bracket that does not close.
fn check_prompt(prompt: &str) -> Result<&str, ApiError> {
    let prompt = prompt.trim();
    let inner = ["#tts[", "#ssml[", "#href["]
        .iter()
        .find_map(|open| prompt.strip_prefix(open));
    match inner {
        Some(inner) => inner
            .strip_suffix(']')
            .filter(|inner| !inner.is_empty() && !inner.contains(']'))
            .ok_or_else(|| ApiError::illegal("a prompt's bracket")),
        None if prompt.is_empty() || prompt.starts_with('#') || prompt.contains(['[', ']']) => {
            Err(ApiError::illegal("a prompt"))
        }
        None => Ok(prompt),
    }
}

fn conference(fields: Fields<'_>, order: &mut Order) -> Result<(), ApiError> {
    let id = fields
        .text("conferenceId")?
        .filter(|id| !id.is_empty())
        .ok_or_else(|| ApiError::missing("conferenceId"))?;
    if id.chars().count() > CONFERENCE_CHARS_MAX {
        return Err(ApiError::illegal("conferenceId is longer than 64"));
    }
    order.conference = Some(id.to_owned());
    if let Some(greeting) = fields.text("greeting")? {
        count_chars("greeting", greeting)?;
    }
    fields.one_of("mohClass", &["ring", "music1", "music2", "music3"])?;
    if let Some(options) = fields
        .0
        .get("conferenceDtmfOptions")
        .filter(|v| !v.is_null())
    {
        let Value::Object(options) = options else {
            return Err(ApiError::illegal("conferenceDtmfOptions"));
        };
        let options = Fields(options);
        options.one_of("mode", &["ignore", "forward", "detect"])?;
        options.whole("maxDigits", u64::from(u32::MAX))?;
        options.whole("timeoutMills", u64::from(u32::MAX))?;
    }
    order.max_duration_s = fields.whole("maxDuration", MAX_DURATION_S)?;
    Ok(())
}

/// With inline ICE its `connectPstn` says whom to call; otherwise the callout itself must.
fn custom(fields: Fields<'_>, order: &mut Order) -> Result<(), ApiError> {
    order.max_duration_s = fields.whole("maxDuration", MAX_DURATION_S)?;
    for name in ["ace", "pie", "dice"] {
        svaml::read(name, fields.text(name)?)?;
    }
    let Svaml::Inline(ice) = svaml::read("ice", fields.text("ice")?)? else {
        return Ok(());
    };
    let connect = svaml::connect_pstn(&ice)?;
    if let Some(number) = connect.number {
        check_number("connectPstn.number", &number)?;
        order.endpoint_kind = EndpointKind::Number;
        order.endpoint = number;
    }
    if let Some(cli) = connect.cli {
        if cli != "private" {
            check_number("connectPstn.cli", &cli)?;
        }
        order.cli = Some(cli);
    }
    // Inline ICE without a cli shows the application's default number.
    order.cli.get_or_insert_with(|| "private".to_owned());
    order.dial_timeout_s = connect.dial_timeout_s;
    order.max_duration_s = connect.max_duration_s.or(order.max_duration_s);
    Ok(())
}

/// E.164 with its plus: the missing plus has a code of its own (40005).
pub(super) fn check_number(name: &str, number: &str) -> Result<(), ApiError> {
    let Some(digits) = number.strip_prefix('+') else {
        let message = format!("Invalid parameters: {name} is missing leading plus");
        return Err(ApiError::new(40005, message));
    };
    let fits = (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if fits && !digits.starts_with('0') {
        Ok(())
    } else {
        Err(ApiError::illegal(name))
    }
}

fn count_chars(name: &str, text: &str) -> Result<u32, ApiError> {
    let chars = text.chars().count();
    match u32::try_from(chars) {
        Ok(count) if chars <= TEXT_CHARS_MAX => Ok(count),
        _ => Err(ApiError::illegal(&format!("{name} is longer than 600"))),
    }
}

/// One JSON object whose fields are asked for by name and type; `null` counts as absent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a>(pub(super) &'a Map<String, Value>);

impl<'a> Fields<'a> {
    pub(super) fn text(self, name: &str) -> Result<Option<&'a str>, ApiError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(ApiError::illegal(name)),
        }
    }

    /// A whole number from 1 to `max`.
    pub(super) fn whole(self, name: &str, max: u64) -> Result<Option<u32>, ApiError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value
                .as_u64()
                .filter(|number| (1..=max).contains(number))
                .and_then(|number| u32::try_from(number).ok())
                .map(Some)
                .ok_or_else(|| ApiError::illegal(name)),
        }
    }

    pub(super) fn flag(self, name: &str) -> Result<(), ApiError> {
        match self.0.get(name) {
            None | Some(Value::Null | Value::Bool(_)) => Ok(()),
            Some(_) => Err(ApiError::illegal(name)),
        }
    }

    fn one_of(self, name: &str, words: &[&str]) -> Result<(), ApiError> {
        match self.text(name)? {
            Some(word) if !words.iter().any(|known| known.eq_ignore_ascii_case(word)) => {
                Err(ApiError::illegal(name))
            }
            _ => Ok(()),
        }
    }
}
