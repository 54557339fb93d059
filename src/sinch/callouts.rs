//! `POST /calling/v1/callouts`: the body we write and the answer we read (seed 001, "Callouts";
//! `FACTS` §3).
//!
//! The client sends what is written here; what an answer means is decided in `errors`.

use serde::Serialize;

use super::lenient::Object;
use crate::domain::{
    AttemptId, CallId, Callout, CalloutBody, ConferenceCallout, CustomCallout, Destination,
    TtsCallout,
};

/// Path of the method, on the calling base.
pub const PATH: &str = "/calling/v1/callouts";

/// The JSON body of a callout. `custom` carries the attempt id, then the campaign's own text.
pub fn body(callout: &Callout, attempt: AttemptId) -> Vec<u8> {
    let custom = match &callout.custom {
        Some(text) => format!("{attempt} {text}"),
        None => attempt.to_string(),
    };
    let body = match &callout.body {
        CalloutBody::Tts(tts) => Body::tts(tts, &custom),
        CalloutBody::Conference(conference) => Body::conference(conference, &custom),
        CalloutBody::Custom(own) => Body::custom(own, &custom),
    };
    serde_json::to_vec(&body).expect("strings and numbers serialise")
}

/// The call id in an answer, however it is spelt.
pub fn call_id(answer: &[u8]) -> Option<CallId> {
    let object = Object::parse(answer)?;
    CallId::new(&object.text(&["callId"])?)
}

#[derive(Serialize)]
struct Body<'a> {
    method: &'static str,
    #[serde(rename = "ttsCallout", skip_serializing_if = "Option::is_none")]
    tts: Option<Fields<'a>>,
    #[serde(rename = "conferenceCallout", skip_serializing_if = "Option::is_none")]
    conference: Option<Fields<'a>>,
    #[serde(rename = "customCallout", skip_serializing_if = "Option::is_none")]
    custom: Option<Fields<'a>>,
}

/// The fields of all three callouts; each kind fills its own.
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct Fields<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    cli: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination: Option<Endpoint<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<&'a str>,
    custom: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    locale: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompts: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    greeting: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    conference_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    conference_dtmf_options: Option<DtmfOptions<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    moh_class: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_duration: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dtmf: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enable_ace: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enable_dice: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enable_pie: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ice: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ace: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pie: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dice: Option<&'a str>,
}

#[derive(Serialize)]
struct Endpoint<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    endpoint: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DtmfOptions<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_digits: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout_mills: Option<u32>,
}

impl<'a> Body<'a> {
    fn tts(tts: &'a TtsCallout, custom: &'a str) -> Self {
        let fields = Fields {
            cli: Some(&tts.cli),
            destination: Some(endpoint(&tts.destination)),
            domain: tts.domain.as_deref(),
            custom,
            locale: tts.locale.as_deref(),
            text: tts.text.as_deref(),
            prompts: tts.prompts.as_deref(),
            dtmf: tts.dtmf.as_deref(),
            enable_ace: tts.enable_ace,
            enable_dice: tts.enable_dice,
            enable_pie: tts.enable_pie,
            ..Fields::default()
        };
        Self {
            method: "ttsCallout",
            tts: Some(fields),
            conference: None,
            custom: None,
        }
    }

    fn conference(conference: &'a ConferenceCallout, custom: &'a str) -> Self {
        let options = conference.conference_dtmf_options.as_ref();
        let fields = Fields {
            cli: Some(&conference.cli),
            destination: Some(endpoint(&conference.destination)),
            domain: conference.domain.as_deref(),
            custom,
            locale: conference.locale.as_deref(),
            greeting: conference.greeting.as_deref(),
            conference_id: Some(&conference.conference_id),
            conference_dtmf_options: options.map(|o| DtmfOptions {
                mode: o.mode.as_deref(),
                max_digits: o.max_digits,
                timeout_mills: o.timeout_ms,
            }),
            moh_class: conference.moh_class.as_deref(),
            max_duration: conference.max_duration_s,
            dtmf: conference.dtmf.as_deref(),
            enable_ace: conference.enable_ace,
            enable_dice: conference.enable_dice,
            enable_pie: conference.enable_pie,
            ..Fields::default()
        };
        Self {
            method: "conferenceCallout",
            tts: None,
            conference: Some(fields),
            custom: None,
        }
    }

    fn custom(own: &'a CustomCallout, custom: &'a str) -> Self {
        let fields = Fields {
            cli: own.cli.as_deref(),
            destination: own.destination.as_ref().map(endpoint),
            custom,
            max_duration: own.max_duration_s,
            dtmf: own.dtmf.as_deref(),
            ice: own.ice.as_deref(),
            ace: own.ace.as_deref(),
            pie: own.pie.as_deref(),
            dice: own.dice.as_deref(),
            ..Fields::default()
        };
        Self {
            method: "customCallout",
            tts: None,
            conference: None,
            custom: Some(fields),
        }
    }
}

fn endpoint(destination: &Destination) -> Endpoint<'_> {
    Endpoint {
        kind: destination.kind.as_str(),
        endpoint: &destination.endpoint,
    }
}
