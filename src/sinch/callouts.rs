//! `POST /calling/v1/callouts`: the body we write and the answer we read (seed 001, "Conference and
//! Text-To-Speech Callouts", "Custom Callout"; `FACTS` §3).
//!
//! A campaign's callouts are [`crate::domain::Callout`]s, which [`CalloutRequest::new`] turns into the
//! wire's form. What an answer means is decided in `answer`.

use std::borrow::Cow;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::lenient::Object;
use super::region::Paths;
use super::svaml::{self, compile};
use crate::domain::{
    AttemptId, CallId, Callout, CalloutBody, ConferenceCallout, CustomCallout, Destination,
    FlowCallout, TtsCallout,
};

pub(super) fn path(paths: Paths) -> &'static str {
    paths.pick("/calling/v1/callouts", "/v1/callouts")
}

/// The call id in an answer, however it is spelt.
pub fn call_id(answer: &[u8]) -> Option<CallId> {
    let object = Object::parse(answer)?;
    CallId::new(&object.text(&["callId"])?)
}

/// Whether an answer names a call at all, be it by an id that nobody can use.
pub(super) fn names_call(answer: &[u8]) -> bool {
    let id = Object::parse(answer).and_then(|answer| answer.text_or_json(&["callId"]));
    id.is_some_and(|id| !id.trim().is_empty())
}

/// The body of a callout (seed 001, `CalloutRequest`). Reads and prints any documented one without
/// loss. Names are read in any case, as seed 001's own `enabledice` needs, and written as the schema
/// has them; what we do not know, is null or is of another type than documented stays in `extra`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct CalloutRequest<'a> {
    /// `ttsCallout`, `conferenceCallout` or `customCallout`.
    pub method: Cow<'a, str>,
    /// Where the call is made (a sample of OAS 1.0.1, with a custom callout).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pop: Option<Cow<'a, str>>,
    /// Speak a text.
    #[serde(rename = "ttsCallout", skip_serializing_if = "Option::is_none")]
    pub tts: Option<CalloutFields<'a>>,
    /// Connect to a conference.
    #[serde(rename = "conferenceCallout", skip_serializing_if = "Option::is_none")]
    pub conference: Option<CalloutFields<'a>>,
    /// Run SVAML, or ask a URL for it.
    #[serde(rename = "customCallout", skip_serializing_if = "Option::is_none")]
    pub custom: Option<CalloutFields<'a>>,
    /// What no document names.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The fields of all three callouts (seed 001, `TtsCalloutRequest`, `ConferenceCalloutRequest`,
/// `CustomCalloutRequest`; `FACTS` §3 says which has which).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CalloutFields<'a> {
    /// The number shown: E.164 or `private`. All three.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cli: Option<Cow<'a, str>>,
    /// Whom to call. All three.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination: Option<Endpoint<'a>>,
    /// `pstn` or `mxp`. Text-to-speech and conference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<Cow<'a, str>>,
    /// Comes back with the result and in callbacks. All three.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom: Option<Cow<'a, str>>,
    /// Language or voice. Text-to-speech and conference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<Cow<'a, str>>,
    /// The text to speak, 600 characters. Text-to-speech.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Cow<'a, str>>,
    /// Prompts with `;` between them. Text-to-speech.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompts: Option<Cow<'a, str>>,
    /// Spoken before the conference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub greeting: Option<Cow<'a, str>>,
    /// The conference, 64 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conference_id: Option<Cow<'a, str>>,
    /// What becomes of keys pressed in a conference (SDKs only).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conference_dtmf_options: Option<DtmfOptions<'a>>,
    /// Music on hold, for conferences.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moh_class: Option<Cow<'a, str>>,
    /// Longest call in seconds. Conference and custom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_duration: Option<u32>,
    /// Keys played after the answer. All three.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dtmf: Option<Cow<'a, str>>,
    /// Ask for an ACE callback. Text-to-speech and conference; custom in a sample of OAS 1.0.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_ace: Option<bool>,
    /// Ask for a DiCE callback. Text-to-speech and conference; custom in a sample of OAS 1.0.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_dice: Option<bool>,
    /// Ask for PIE callbacks. Conference; text-to-speech in the SDKs only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_pie: Option<bool>,
    /// URL, or SVAML as a JSON document. Custom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ice: Option<Cow<'a, str>>,
    /// URL, or SVAML as a JSON document. Custom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ace: Option<Cow<'a, str>>,
    /// URL, or SVAML as a JSON document. Custom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pie: Option<Cow<'a, str>>,
    /// URL, or SVAML as a JSON document. Custom, seed 001 only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dice: Option<Cow<'a, str>>,
    /// Whether to find out if a machine has answered. Custom, Java SDK only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amd: Option<Detection>,
    /// What no document names.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `destination`: what kind of address, and the address (seed 001, `Identity`).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Endpoint<'a> {
    /// `number`, `username` or (SDKs only) `sip`.
    #[serde(rename = "type")]
    pub kind: Cow<'a, str>,
    /// The number, E.164, or the user's name.
    pub endpoint: Cow<'a, str>,
    /// What no document names.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `conferenceDtmfOptions` (SDKs only).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DtmfOptions<'a> {
    /// `ignore`, `forward` or `detect`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Cow<'a, str>>,
    /// Keys collected before a PIE is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_digits: Option<u32>,
    /// The pause that ends a sequence, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_mills: Option<u32>,
    /// What no document names.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `amd` of a custom callout (Java SDK only; elsewhere it stands in inline ICE).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Detection {
    /// Whether at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Whether the call goes on meanwhile.
    #[serde(rename = "async", skip_serializing_if = "Option::is_none")]
    pub asynchronous: Option<bool>,
    /// What no document names.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Reads a struct field by field out of an object, and keeps the rest.
macro_rules! read {
    ($($name:ty { $($field:ident: $key:literal),* } optional { $($option:ident: $name_of:literal),* })*) => {$(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let mut object = Map::deserialize(deserializer)?;
                Ok(Self {
                    $($field: take(&mut object, $key)
                        .ok_or_else(|| D::Error::missing_field($key))?,)*
                    $($option: take(&mut object, $name_of),)*
                    extra: object,
                })
            }
        }
    )*};
}

read! {
    CalloutRequest<'_> { method: "method" }
    optional { pop: "pop", tts: "ttsCallout", conference: "conferenceCallout", custom: "customCallout" }

    CalloutFields<'_> {}
    optional {
        cli: "cli", destination: "destination", domain: "domain", custom: "custom",
        locale: "locale", text: "text", prompts: "prompts", greeting: "greeting",
        conference_id: "conferenceId", conference_dtmf_options: "conferenceDtmfOptions",
        moh_class: "mohClass", max_duration: "maxDuration", dtmf: "dtmf",
        enable_ace: "enableAce", enable_dice: "enableDice", enable_pie: "enablePie",
        ice: "ice", ace: "ace", pie: "pie", dice: "dice", amd: "amd"
    }

    Endpoint<'_> { kind: "type", endpoint: "endpoint" }
    optional {}

    DtmfOptions<'_> {}
    optional { mode: "mode", max_digits: "maxDigits", timeout_mills: "timeoutMills" }

    Detection {}
    optional { enabled: "enabled", asynchronous: "async" }
}

/// Takes a field out of an object. What is null or of another type stays.
fn take<T: DeserializeOwned>(object: &mut Map<String, Value>, name: &str) -> Option<T> {
    let key = svaml::key(object, name)?;
    let value = Option::deserialize(&object[&key]).ok()??;
    object.shift_remove(&key);
    Some(value)
}

impl<'a> CalloutRequest<'a> {
    /// A recipient's callout. `custom` carries the attempt id, then the campaign's own text.
    pub fn new(callout: &'a Callout, attempt: AttemptId) -> Self {
        let custom = match &callout.custom {
            Some(text) => format!("{attempt} {text}"),
            None => attempt.to_string(),
        };
        let fields = |fields: CalloutFields<'a>| {
            Some(CalloutFields {
                custom: Some(custom.into()),
                ..fields
            })
        };
        let named = |method: &'static str| Self {
            method: method.into(),
            ..Self::default()
        };
        match &callout.body {
            CalloutBody::Tts(body) => Self {
                tts: fields(tts(body)),
                ..named("ttsCallout")
            },
            CalloutBody::Conference(body) => Self {
                conference: fields(conference(body)),
                ..named("conferenceCallout")
            },
            CalloutBody::Custom(body) => Self {
                custom: fields(own(body)),
                pop: given(body.pop.as_ref()),
                ..named("customCallout")
            },
            CalloutBody::Flow(body) => Self {
                custom: fields(flow(body)),
                ..named("customCallout")
            },
        }
    }
}

fn given(text: Option<&String>) -> Option<Cow<'_, str>> {
    text.map(|text| Cow::Borrowed(text.as_str()))
}

fn tts(tts: &TtsCallout) -> CalloutFields<'_> {
    CalloutFields {
        cli: given(Some(&tts.cli)),
        destination: Some(endpoint(&tts.destination)),
        domain: given(tts.domain.as_ref()),
        locale: given(tts.locale.as_ref()),
        text: given(tts.text.as_ref()),
        prompts: given(tts.prompts.as_ref()),
        dtmf: given(tts.dtmf.as_ref()),
        enable_ace: tts.enable_ace,
        enable_dice: tts.enable_dice,
        enable_pie: tts.enable_pie,
        ..CalloutFields::default()
    }
}

fn conference(conference: &ConferenceCallout) -> CalloutFields<'_> {
    let options = conference.conference_dtmf_options.as_ref();
    CalloutFields {
        cli: given(Some(&conference.cli)),
        destination: Some(endpoint(&conference.destination)),
        domain: given(conference.domain.as_ref()),
        locale: given(conference.locale.as_ref()),
        greeting: given(conference.greeting.as_ref()),
        conference_id: given(Some(&conference.conference_id)),
        conference_dtmf_options: options.map(|o| DtmfOptions {
            mode: given(o.mode.as_ref()),
            max_digits: o.max_digits,
            timeout_mills: o.timeout_ms,
            ..DtmfOptions::default()
        }),
        moh_class: given(conference.moh_class.as_ref()),
        max_duration: conference.max_duration_s,
        dtmf: given(conference.dtmf.as_ref()),
        enable_ace: conference.enable_ace,
        enable_dice: conference.enable_dice,
        enable_pie: conference.enable_pie,
        ..CalloutFields::default()
    }
}

fn own(own: &CustomCallout) -> CalloutFields<'_> {
    CalloutFields {
        cli: given(own.cli.as_ref()),
        destination: own.destination.as_ref().map(endpoint),
        max_duration: own.max_duration_s,
        dtmf: given(own.dtmf.as_ref()),
        ice: given(own.ice.as_ref()),
        ace: given(own.ace.as_ref()),
        pie: given(own.pie.as_ref()),
        dice: given(own.dice.as_ref()),
        enable_ace: own.enable_ace,
        enable_dice: own.enable_dice,
        ..CalloutFields::default()
    }
}

/// A call that asks. All that follows on the same thing for everybody is said here; for the rest a backend is
/// asked, where it is known at its own address.
fn flow(callout: &FlowCallout) -> CalloutFields<'_> {
    let ace = compile::ace(callout);
    let asks_at = || given(callout.answer_at.as_ref());
    let menus = !callout.flow.menus.is_empty();
    CalloutFields {
        ice: Some(compile::ice(callout).to_inline().into()),
        enable_ace: (ace.is_none() && callout.answer_at.is_none()).then_some(true),
        ace: match ace {
            Some(svaml) => Some(svaml.to_inline().into()),
            None => asks_at(),
        },
        pie: if menus { asks_at() } else { None },
        enable_dice: callout.enable_dice,
        ..CalloutFields::default()
    }
}

fn endpoint(destination: &Destination) -> Endpoint<'_> {
    Endpoint {
        kind: destination.kind.as_str().into(),
        endpoint: destination.endpoint.as_str().into(),
        extra: Map::new(),
    }
}
