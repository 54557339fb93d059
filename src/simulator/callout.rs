//! What is posted: a callout's body, read and checked as the documents say the platform does.
//!
//! Pure: bytes in, an [`Order`] or the platform's refusal out (seed 001, "Callouts"; `FACTS` §3).
//! It reads JSON on its own, without `sinch`'s wire types. Inline SVAML is `svaml`'s.

use serde_json::Value;

use super::answer::ApiError;
use super::endpoint::EndpointKind;
use super::event::{EventKind, Sink, Wanted};
use super::fields::Fields;
use super::requests::Notes;
use super::svaml::{self, Svaml};

/// Characters in a spoken text, and in each prompt.
const TEXT_CHARS_MAX: usize = 600;
/// Bytes in `custom`.
const CUSTOM_BYTES_MAX: usize = 1024;
/// Characters in a conference's id.
const CONFERENCE_CHARS_MAX: usize = 64;
/// Seconds that a call may be limited to.
const MAX_DURATION_S: u64 = 14_400;
/// The three callouts: the word for it, and what is missing where it is not there.
const KINDS: [(&str, Kind, &str); 3] = [
    ("ttsCallout", Kind::Tts, "TTS callout information"),
    (
        "conferenceCallout",
        Kind::Conference,
        "Conference callout information",
    ),
    ("customCallout", Kind::Custom, "Custom callout information"),
];
/// Fields of all three callouts.
const COMMON: [&str; 7] = [
    "cli",
    "destination",
    "custom",
    "dtmf",
    "enableAce",
    "enableDice",
    "enablePie",
];

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

/// A callout that passed the platform's checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Which callout it is.
    pub kind: Kind,
    /// Whom it calls; empty where only a callback URL could say.
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
    /// Taken, but it will never ring: there is no `cli`, or nobody who says whom to call.
    pub never_rings: bool,
    /// The `X-CB-` headers, the first five of them.
    pub headers: Vec<(String, String)>,
    /// What is played once somebody answers; nothing of spoken and conference callouts.
    pub(super) plays: Option<Box<Plays>>,
    /// Which events it wants to be told; most want none.
    pub(super) wanted: Option<Box<Wanted>>,
    /// What it has in another form than the documents suggest.
    pub(super) notes: Notes,
}

/// What a custom callout has played, as far as it says so itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Plays {
    /// The answer to ACE.
    pub(super) ace: Option<Value>,
    /// The answer to PIE.
    pub(super) pie: Option<Value>,
    /// Whether it is found out who answered; and then, whether that is told later.
    pub(super) amd: Option<bool>,
    /// The longest call, in seconds.
    pub(super) longest_s: Option<u32>,
    /// The call that it is the second leg of, and the other call's clock when this one is answered.
    pub(super) leg_of: Option<(usize, u64)>,
}

/// A callout that the platform refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The answer.
    pub error: ApiError,
    /// What could be read of `custom`, so that the refusal can be counted under its attempt.
    pub custom: String,
    /// What it has in another form than the documents suggest, as far as it was read.
    pub(super) notes: Notes,
}

/// Reads and checks the body of `POST /calling/v1/callouts`.
pub(super) fn read(body: &[u8], cli_required: bool) -> Result<Order, Rejected> {
    let mut notes = Notes::default();
    let body: Value = serde_json::from_slice(body).map_err(|_| Rejected {
        error: ApiError::invalid("the body is not JSON"),
        custom: String::new(),
        notes: Notes::default(),
    })?;
    match check(&body, cli_required, &mut notes) {
        Ok(order) => Ok(Order { notes, ..order }),
        Err(error) => Err(Rejected {
            error,
            custom: custom_of(&body).unwrap_or_default().to_owned(),
            notes,
        }),
    }
}

/// `custom` of whichever callout the body has, checked or not.
fn custom_of(body: &Value) -> Option<&str> {
    let body = Fields(body.as_object()?);
    let callout = body.get(body.get("method")?.as_str()?)?;
    Fields(callout.as_object()?).get("custom")?.as_str()
}

fn check(body: &Value, cli_required: bool, notes: &mut Notes) -> Result<Order, ApiError> {
    let Value::Object(body) = body else {
        return Err(ApiError::invalid("the body is not an object"));
    };
    let body = Fields(body);
    let method = body
        .text("method")?
        .ok_or_else(|| ApiError::missing("method"))?;
    let (name, kind, what) = KINDS
        .into_iter()
        .find(|(name, ..)| name.eq_ignore_ascii_case(method))
        .ok_or_else(|| ApiError::illegal("method"))?;
    notes.spelling(method, name);
    notes.strays(body.0, &["method", name, "pop"]);
    body.text("pop")?;
    let fields = match body.get(name) {
        Some(Value::Object(fields)) => Fields(fields),
        None | Some(Value::Null) => return Err(ApiError::missing(what)),
        Some(_) => return Err(ApiError::illegal(name)),
    };
    let mut order = common(kind, fields, notes)?;
    let asked = match kind {
        Kind::Tts => tts(fields, &mut order, notes)?,
        Kind::Conference => conference(fields, &mut order, notes)?,
        Kind::Custom => custom(fields, &mut order, notes)?,
    };
    rings(&mut order, asked, cli_required, notes)?;
    if order.endpoint_kind == EndpointKind::Username {
        // Calls to users of the application tell nothing, and in data calls no menu is played.
        order.wanted = None;
        order.plays = None;
    }
    if let Some(wanted) = order
        .wanted
        .as_deref_mut()
        .filter(|wanted| wanted.has(EventKind::Ace))
    {
        // Whatever answers ACE may be a menu.
        let has_pie = order
            .plays
            .as_ref()
            .is_some_and(|plays| plays.pie.is_some());
        if !has_pie && !wanted.has(EventKind::Pie) {
            wanted.set(EventKind::Pie, Sink::Application);
        }
        wanted.set(EventKind::Notify, Sink::Application);
    }
    Ok(order)
}

/// Who says whom a callout calls, and from which number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// The callout itself.
    Nobody,
    /// Inline ICE, which has said it.
    Inline,
    /// The application's callback URL, as far as the callout does not say it.
    Application,
    /// The URL in `ice`; it is supposed to say the destination that the callout names, if it does.
    Url,
}

/// Whether a phone rings. A callout without `cli` is taken and reaches nobody. What a callback URL
/// answers does not change whom it calls: that the simulator does not play.
fn rings(
    order: &mut Order,
    asked: Asked,
    cli_required: bool,
    notes: &mut Notes,
) -> Result<(), ApiError> {
    if order.endpoint.is_empty() {
        if matches!(asked, Asked::Nobody | Asked::Inline) {
            return Err(ApiError::missing("destination"));
        }
        order.never_rings = true;
    } else if order.cli.is_none() && asked == Asked::Url {
        order.cli = Some("private".to_owned());
    } else if order.cli.is_none() {
        if cli_required {
            return Err(ApiError::missing("cli"));
        }
        notes.add("there is no `cli`, so nothing rings");
        order.never_rings = true;
    }
    Ok(())
}

/// What all three callouts have.
fn common(kind: Kind, fields: Fields<'_>, notes: &mut Notes) -> Result<Order, ApiError> {
    let custom = fields.text("custom")?.unwrap_or_default();
    if custom.len() > CUSTOM_BYTES_MAX {
        return Err(ApiError::illegal("custom is longer than 1024 bytes"));
    }
    let cli = fields.text("cli")?.filter(|cli| !cli.is_empty());
    let cli = cli.map(|cli| shown("cli", cli, notes)).transpose()?;
    fields.one_of("domain", &["pstn", "mxp"])?;
    fields.text("locale")?;
    if let Some(keys) = fields.text("dtmf")?
        && !keys
            .bytes()
            .all(|key| matches!(key, b'0'..=b'9' | b'#' | b'w'))
    {
        return Err(ApiError::illegal("dtmf takes 0-9, # and w"));
    }
    fields.flag("enablePie")?;
    let mut wanted = Wanted::default();
    for (flag, event) in [
        ("enableAce", EventKind::Ace),
        ("enableDice", EventKind::Dice),
    ] {
        if fields.flag(flag)? {
            wanted.set(event, Sink::Application);
        }
    }
    let (endpoint_kind, endpoint) = destination(fields)?;
    Ok(Order {
        kind,
        endpoint,
        endpoint_kind,
        cli,
        custom: custom.to_owned(),
        spoken_chars: 0,
        conference: None,
        max_duration_s: None,
        dial_timeout_s: None,
        never_rings: false,
        headers: Vec::new(),
        plays: None,
        wanted: wanted.is_any().then(|| wanted.into()),
        notes: Notes::default(),
    })
}

/// The destination; an empty endpoint where there is none, which a custom callout may cure.
fn destination(fields: Fields<'_>) -> Result<(EndpointKind, String), ApiError> {
    let destination = match fields.get("destination") {
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

fn tts(fields: Fields<'_>, order: &mut Order, notes: &mut Notes) -> Result<Asked, ApiError> {
    let own = ["domain", "locale", "text", "prompts"];
    fields.note(&[&COMMON[..], &own].concat(), notes);
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
    Ok(Asked::Nobody)
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

fn conference(fields: Fields<'_>, order: &mut Order, notes: &mut Notes) -> Result<Asked, ApiError> {
    let own = [
        "domain",
        "locale",
        "greeting",
        "conferenceId",
        "conferenceDtmfOptions",
        "mohClass",
        "maxDuration",
    ];
    fields.note(&[&COMMON[..], &own].concat(), notes);
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
    if let Some(options) = fields.get("conferenceDtmfOptions").filter(|v| !v.is_null()) {
        let Value::Object(options) = options else {
            return Err(ApiError::illegal("conferenceDtmfOptions"));
        };
        let options = Fields(options);
        options.note(&["mode", "maxDigits", "timeoutMills"], notes);
        options.one_of("mode", &["ignore", "forward", "detect"])?;
        options.whole("maxDigits", u64::from(u32::MAX))?;
        options.whole("timeoutMills", u64::from(u32::MAX))?;
    }
    order.max_duration_s = fields.whole("maxDuration", MAX_DURATION_S)?;
    Ok(Asked::Nobody)
}

/// With inline ICE its action says whom to call, with a URL that does, and with neither the callout
/// itself or the application's callback URL.
fn custom(fields: Fields<'_>, order: &mut Order, notes: &mut Notes) -> Result<Asked, ApiError> {
    let own = ["maxDuration", "ice", "ace", "pie", "dice"];
    fields.note(&[&COMMON[..], &own].concat(), notes);
    order.max_duration_s = fields.whole("maxDuration", MAX_DURATION_S)?;
    let mut plays = Plays::default();
    for (name, event) in [
        ("ace", EventKind::Ace),
        ("pie", EventKind::Pie),
        ("dice", EventKind::Dice),
    ] {
        let sink = match svaml::read(name, fields.text(name)?)? {
            // Whoever says nothing of it leaves it to the application, but for what is told by a flag alone.
            Svaml::Absent if event == EventKind::Dice => continue,
            Svaml::Absent if event == EventKind::Ace && fields.get("enableAce").is_some() => {
                continue;
            }
            Svaml::Absent => Sink::Application,
            Svaml::Url(url) => Sink::Url(url),
            Svaml::Inline(document) => {
                match event {
                    EventKind::Ace => plays.ace = Some(Value::Object(document)),
                    EventKind::Pie => plays.pie = Some(Value::Object(document)),
                    _ => {}
                }
                Sink::Nowhere
            }
        };
        want(order, event, sink);
    }
    want(order, EventKind::Notify, Sink::Application);
    let asked = ice_of(fields, order, &mut plays, notes)?;
    plays.longest_s = order.max_duration_s;
    order.plays = Some(plays.into());
    Ok(asked)
}

/// Who says whom a custom callout calls, and what its inline ICE says about that.
fn ice_of(
    fields: Fields<'_>,
    order: &mut Order,
    plays: &mut Plays,
    notes: &mut Notes,
) -> Result<Asked, ApiError> {
    let ice = match svaml::read("ice", fields.text("ice")?)? {
        Svaml::Absent => {
            want(order, EventKind::Ice, Sink::Application);
            return Ok(Asked::Application);
        }
        Svaml::Url(url) => {
            want(order, EventKind::Ice, Sink::Url(url));
            return Ok(Asked::Url);
        }
        Svaml::Inline(ice) => ice,
    };
    for (name, given) in [
        ("cli", order.cli.is_some()),
        ("destination", !order.endpoint.is_empty()),
    ] {
        if given {
            notes.add(format!("`{name}` stands beside inline `ice`"));
        }
    }
    let connect = svaml::connect(&ice)?;
    if let Some((kind, endpoint)) = connect.to {
        order.endpoint = match kind {
            EndpointKind::Number => with_plus("connectPstn.number", &endpoint, notes)?,
            EndpointKind::Username | EndpointKind::Sip => endpoint,
        };
        order.endpoint_kind = kind;
    }
    if let Some(cli) = connect.cli {
        order.cli = Some(shown("connectPstn.cli", &cli, notes)?);
    }
    // Inline ICE without a cli shows the application's default number.
    order.cli.get_or_insert_with(|| "private".to_owned());
    order.dial_timeout_s = connect.dial_timeout_s;
    plays.amd = connect.amd;
    if connect.is_silent {
        want(order, EventKind::Ace, Sink::Nowhere);
        want(order, EventKind::Dice, Sink::Nowhere);
    }
    order.max_duration_s = connect.max_duration_s.or(order.max_duration_s);
    Ok(Asked::Inline)
}

fn want(order: &mut Order, event: EventKind, sink: Sink) {
    order.wanted.get_or_insert_default().set(event, sink);
}

/// A number that is shown: `private` or one in E.164.
fn shown(name: &str, cli: &str, notes: &mut Notes) -> Result<String, ApiError> {
    match cli {
        "private" => Ok(cli.to_owned()),
        number => with_plus(name, number, notes),
    }
}

/// A number where the documents' own samples leave the plus out.
fn with_plus(name: &str, number: &str, notes: &mut Notes) -> Result<String, ApiError> {
    if number.starts_with('+') {
        check_number(name, number)?;
        return Ok(number.to_owned());
    }
    let number = format!("+{number}");
    check_number(name, &number)?;
    notes.add(format!("`{name}` has no leading plus"));
    Ok(number)
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
