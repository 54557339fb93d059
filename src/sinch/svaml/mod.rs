//! SVAML: what the platform is told to do with a call (seed 001, "Callback API" and "Manage Call";
//! `FACTS` §6).
//!
//! Any document that is SVAML at all can be read, and nothing of it is lost: unknown fields are kept
//! in `extra`, unknown actions and instructions as `Other`, and so are known ones whose fields have
//! unexpected types. Names are read in any case and written as the documents suggest; a menu's key
//! that is a number becomes a string, and a fraction, which no documented field has, keeps some
//! fifteen digits. [`Svaml::check`] tells what the platform would not take.

mod action;
mod check;
pub mod compile;
mod instruction;
mod object;
mod parts;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

pub use action::{
    Action, ConnectConf, ConnectMxp, ConnectPstn, ConnectSip, ConnectStream, Continue, Hangup,
    Park, RunMenu, StartRecording as StartRecordingAction, StopRecording as StopRecordingAction,
};
pub use check::Problem;
pub use compile::svaml;
pub use instruction::{
    Answer, Instruction, PlayFiles, ReportCallStatus, Say, SendDtmf, SetCookie, StartRecording,
    StopRecording,
};
pub use object::Extra;
pub(super) use object::key;
pub use parts::{
    Amd, CallHeader, ConferenceDtmfOptions, Dtmf, Endpoint, Menu, MenuOption, RecordingOptions,
    StorageCredentials, StreamingOptions, TranscriptionOptions,
};

/// One document: instructions, carried out in order, and then an action.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Svaml {
    /// What is done first.
    pub instructions: Vec<Instruction>,
    /// What becomes of the call; only an answer to DiCE or to a notification goes without.
    pub action: Option<Action>,
    /// What the documents do not name, as it came.
    pub extra: Extra,
}

/// Why a text is no SVAML at all.
#[derive(Debug, thiserror::Error)]
pub enum SvamlError {
    /// It is not JSON.
    #[error("SVAML is not a JSON document")]
    NotJson(#[source] serde_json::Error),
    /// It is JSON, but no object.
    #[error("SVAML is not a JSON object")]
    NotAnObject,
    /// What stands under `action` is no object.
    #[error("the `action` of SVAML is not an object")]
    Action,
    /// What stands under `instructions` is no array.
    #[error("the `instructions` of SVAML are not an array")]
    Instructions,
    /// One of the instructions, counted from 0, is no object.
    #[error("instruction {0} of SVAML is not an object")]
    Instruction(usize),
}

impl Svaml {
    /// Reads a JSON document.
    pub fn parse(document: impl AsRef<[u8]>) -> Result<Self, SvamlError> {
        let json = serde_json::from_slice(document.as_ref()).map_err(SvamlError::NotJson)?;
        Self::from_json(json)
    }

    /// Reads JSON that is parsed already.
    pub fn from_json(json: Value) -> Result<Self, SvamlError> {
        let Value::Object(mut object) = json else {
            return Err(SvamlError::NotAnObject);
        };
        let instructions = match taken(&mut object, "instructions") {
            None => Vec::new(),
            Some((key, Value::Array(items))) if items.is_empty() => {
                object.insert(key, Value::Array(items));
                Vec::new()
            }
            Some((_, Value::Array(items))) => {
                let items = items.iter().enumerate().map(|(i, item)| match item {
                    Value::Object(fields) => Ok(Instruction::read(fields)),
                    _ => Err(SvamlError::Instruction(i)),
                });
                items.collect::<Result<_, _>>()?
            }
            Some(_) => return Err(SvamlError::Instructions),
        };
        let action = match taken(&mut object, "action") {
            None => None,
            Some((_, Value::Object(fields))) => Some(Action::read(&fields)),
            Some(_) => return Err(SvamlError::Action),
        };
        Ok(Self {
            instructions,
            action,
            extra: object,
        })
    }

    /// The document as JSON.
    pub fn to_json(&self) -> Value {
        let mut object = Extra::new();
        if !self.instructions.is_empty() {
            let items = self.instructions.iter().map(Instruction::print);
            object.insert("instructions".to_owned(), items.collect());
        }
        if let Some(action) = &self.action {
            object.insert("action".to_owned(), action.print());
        }
        object::put_rest(&mut object, &self.extra);
        Value::Object(object)
    }

    /// The document as text, for `ice`, `ace` or `pie` of a callout: a string in the callout's own
    /// JSON, where it is encoded a second time.
    pub fn to_inline(&self) -> String {
        self.to_json().to_string()
    }

    /// A document with this action alone.
    pub fn with_action(action: impl Into<Action>) -> Self {
        Self {
            action: Some(action.into()),
            ..Self::default()
        }
    }

    /// The same document with one more instruction.
    #[must_use]
    pub fn and(mut self, instruction: impl Into<Instruction>) -> Self {
        self.instructions.push(instruction.into());
        self
    }

    /// Hang up.
    pub fn hangup() -> Self {
        Self::with_action(Hangup::default())
    }

    /// Speak a text and go on.
    pub fn say(text: impl Into<String>, locale: Option<String>) -> Self {
        Self::with_action(Continue::default()).and(Say {
            text: Some(text.into()),
            locale,
            ..Say::default()
        })
    }

    /// Play prompts and go on.
    pub fn play(ids: Vec<String>, locale: Option<String>) -> Self {
        Self::with_action(Continue::default()).and(PlayFiles {
            ids,
            locale,
            ..PlayFiles::default()
        })
    }

    /// Begin to record and go on.
    pub fn start_recording(options: RecordingOptions) -> Self {
        Self::with_action(Continue::default()).and(StartRecording {
            options: Some(options),
            ..StartRecording::default()
        })
    }

    /// Begin to record, as seeds 000 and 001 write it: an action with `recordingOptions`.
    pub fn start_recording_action(options: RecordingOptions) -> Self {
        Self::with_action(StartRecordingAction {
            recording_options: Some(options),
            ..StartRecordingAction::default()
        })
    }

    /// End the recording and go on.
    pub fn stop_recording() -> Self {
        Self::with_action(Continue::default()).and(StopRecording::default())
    }

    /// End the recording, as seeds 000 and 001 write it: an action.
    pub fn stop_recording_action() -> Self {
        Self::with_action(StopRecordingAction::default())
    }
}

/// Takes a value out of a document, with its name as it stands there. What is null stays.
fn taken(object: &mut Extra, name: &str) -> Option<(String, Value)> {
    let key = key(object, name)?;
    if object[&key].is_null() {
        return None;
    }
    object.shift_remove_entry(&key)
}

impl Serialize for Svaml {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Svaml {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Value::deserialize(deserializer)?;
        Self::from_json(json).map_err(D::Error::custom)
    }
}
