//! What a PATCH of a call asks for: SVAML, read and checked as far as the documents go.
//!
//! Seed 003, "Update a call in progress" and "Manage Call with `callLeg`"; the names are those of
//! `FACTS` §6. What is said, `hangup`, `continue` and `park` are played into a call that somebody has answered, in
//! the place of what goes on in it (`conduct`); the documents allow no other actions, and those are taken and
//! change nothing.

use serde_json::{Map, Value};

use super::answer::ApiError;
use super::fields::Fields;
use super::requests::Notes;

/// Characters that one `say` speaks.
const SAY_CHARS_MAX: usize = 600;

const ACTIONS: [&str; 11] = [
    "hangup",
    "continue",
    "connectPstn",
    "connectMxp",
    "connectConf",
    "connectSip",
    "connectStream",
    "runMenu",
    "park",
    // Actions in seeds 000 and 001, instructions everywhere else (`FACTS` §12, row 14).
    "startRecording",
    "stopRecording",
];

const INSTRUCTIONS: [&str; 8] = [
    "playFiles",
    "say",
    "sendDtmf",
    "setCookie",
    "answer",
    "startRecording",
    "stopRecording",
    "reportCallStatus",
];

/// Something that SVAML asks of a call and that the simulator does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wish {
    HangUp,
    /// Where it should be stored, which is only told.
    StartRecording(Option<String>),
    StopRecording,
}

/// Whether a leg is one of the three of seed 003; it changes nothing for callouts.
pub(super) fn check_leg(leg: &str) -> Result<(), ApiError> {
    if ["caller", "callee", "both"].contains(&leg) {
        Ok(())
    } else {
        Err(ApiError::invalid("callLeg is caller, callee or both"))
    }
}

/// Reads the body: what it asks for, the instructions first.
pub(super) fn read(body: &Map<String, Value>, notes: &mut Notes) -> Result<Vec<Wish>, ApiError> {
    // Every fault of a PATCH is a 40003 in the documents.
    wishes(body, notes).map_err(|fault| ApiError::invalid(&fault))
}

fn wishes(body: &Map<String, Value>, notes: &mut Notes) -> Result<Vec<Wish>, String> {
    notes.strays(body, &["instructions", "action"]);
    let body = Fields(body);
    let instructions = match body.get("instructions") {
        None | Some(Value::Null) => &[],
        Some(Value::Array(instructions)) => instructions.as_slice(),
        Some(_) => return Err("instructions is no list".to_owned()),
    };
    let mut wishes = Vec::new();
    for value in instructions {
        let (name, fields) = named(value, &INSTRUCTIONS, "instruction", notes)?;
        wishes.extend(instruction(name, fields, notes)?);
    }
    match body.get("action").filter(|action| !action.is_null()) {
        Some(value) => {
            let (name, fields) = named(value, &ACTIONS, "action", notes)?;
            wishes.extend(action(name, fields, notes)?);
        }
        None if instructions.is_empty() => return Err("there is nothing to do".to_owned()),
        // So do seven of the ten samples of the API's OpenAPI document.
        None => notes.add("there is no action"),
    }
    Ok(wishes)
}

/// The object and its name, in the suggested case whatever was sent.
fn named<'a>(
    value: &'a Value,
    known: &[&'static str],
    what: &str,
    notes: &mut Notes,
) -> Result<(&'static str, &'a Map<String, Value>), String> {
    let Value::Object(fields) = value else {
        return Err(format!("the {what} is no object"));
    };
    let sent = text(fields, "name")?.ok_or_else(|| format!("the {what} has no name"))?;
    let name = known
        .iter()
        .find(|name| name.eq_ignore_ascii_case(sent))
        .ok_or_else(|| format!("the {what} is unknown"))?;
    notes.spelling(sent, name);
    Ok((name, fields))
}

fn instruction(
    name: &str,
    fields: &Map<String, Value>,
    notes: &mut Notes,
) -> Result<Option<Wish>, String> {
    let known: &[&str] = match name {
        "playFiles" => &["name", "ids", "locale"],
        "say" => &["name", "text", "locale"],
        "sendDtmf" => &["name", "value"],
        "setCookie" => &["name", "key", "value"],
        "startRecording" => &["name", "options", "recordingOptions"],
        "reportCallStatus" => &["name", "value", "details"],
        _ => &["name"],
    };
    notes.strays(fields, known);
    text(fields, "locale")?;
    match name {
        "playFiles" => match Fields(fields).get("ids") {
            Some(Value::Array(ids)) if !ids.is_empty() && ids.iter().all(Value::is_string) => {}
            _ => return Err("playFiles has no ids".to_owned()),
        },
        "say" => {
            let said = text(fields, "text")?.unwrap_or_default();
            if said.is_empty() || said.chars().count() > SAY_CHARS_MAX {
                return Err("say has no text, or more than 600 characters".to_owned());
            }
        }
        "sendDtmf" => {
            let keys = text(fields, "value")?.unwrap_or_default();
            let is_key = |key| matches!(key, b'0'..=b'9' | b'#' | b'w');
            if keys.is_empty() || !keys.bytes().all(is_key) {
                return Err("sendDtmf takes 0-9, # and w".to_owned());
            }
        }
        "setCookie" if text(fields, "key")?.is_none() || text(fields, "value")?.is_none() => {
            return Err("setCookie has no key or no value".to_owned());
        }
        "startRecording" => return start(fields, notes).map(Some),
        "stopRecording" => return Ok(Some(Wish::StopRecording)),
        _ => {}
    }
    Ok(None)
}

fn action(
    name: &str,
    fields: &Map<String, Value>,
    notes: &mut Notes,
) -> Result<Option<Wish>, String> {
    Ok(match name {
        "hangup" => {
            notes.strays(fields, &["name"]);
            Some(Wish::HangUp)
        }
        // Seed 002 starts a recording so.
        "continue" => match Fields(fields).get("record") {
            None | Some(Value::Null) => {
                notes.strays(fields, &["name"]);
                None
            }
            Some(Value::Bool(record)) => {
                notes.add("`continue` with `record`: recording is an instruction");
                record.then(|| start(fields, notes)).transpose()?
            }
            Some(_) => return Err("record is true or false".to_owned()),
        },
        "startRecording" => {
            notes.add("`startRecording` is an instruction");
            Some(start(fields, notes)?)
        }
        "stopRecording" => {
            notes.add("`stopRecording` is an instruction");
            Some(Wish::StopRecording)
        }
        _ => None,
    })
}

/// The options of a recording, under either name (`FACTS` §12, row 14). The credentials in them are
/// never kept.
fn start(fields: &Map<String, Value>, notes: &mut Notes) -> Result<Wish, String> {
    let fields = Fields(fields);
    let other_spelling = fields.get("recordingOptions");
    if other_spelling.is_some() {
        notes.spelling("recordingOptions", "options");
    }
    let options = match fields.get("options").or(other_spelling) {
        None | Some(Value::Null) => return Ok(Wish::StartRecording(None)),
        Some(Value::Object(options)) => options,
        Some(_) => return Err("the options of a recording are no object".to_owned()),
    };
    let known = [
        "destinationUrl",
        "destination",
        "credentials",
        "format",
        "notificationEvents",
        "transcriptionOptions",
    ];
    notes.strays(options, &known);
    for name in ["credentials", "format"] {
        text(options, name)?;
    }
    Fields(options)
        .flag("notificationEvents")
        .map_err(|_| "notificationEvents is true or false")?;
    let other_spelling = text(options, "destination")?;
    if other_spelling.is_some() {
        notes.spelling("destination", "destinationUrl");
    }
    let destination = text(options, "destinationUrl")?.or(other_spelling);
    Ok(Wish::StartRecording(destination.map(str::to_owned)))
}

fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, String> {
    Fields(fields)
        .text(name)
        .map_err(|_| format!("{name} is no text"))
}
