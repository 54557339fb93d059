//! One callout, rendered for one recipient: what we ask the platform to do, in plain data.
//!
//! `campaign` makes these from templates, `sinch` turns them into the API's JSON. The fields are
//! those of the API's "Callouts" documents (seed 001, "Callouts"; `FACTS` §3).

use super::spoken::{BEYOND_TEXT_S, chars, spoken_prompts, to_speak_s};
use super::svaml::CALL_S_MAX;
use super::{CallFlow, Destination, Leg, Speech, Way};

/// A callout for one recipient, without the attempt id that `sinch` puts in front of `custom`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callout {
    /// What kind of callout, with its own fields.
    pub body: CalloutBody,
    /// The campaign's own text for `custom`, which follows the attempt id after a space.
    pub custom: Option<String>,
    /// `X-CB-` headers, forwarded by the platform to the callback receiver.
    pub headers: Vec<HttpHeader>,
}

/// How long a call may be, as far as its callout says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallLength {
    /// Characters that a voice speaks; none where what is played is not known here.
    pub spoken_chars: Option<u32>,
    /// Seconds after which the platform ends it.
    pub longest_s: Option<u32>,
}

impl CallLength {
    /// Seconds that a voice takes to speak its text, about.
    pub fn speech_s(&self) -> Option<u32> {
        self.spoken_chars.map(to_speak_s)
    }

    /// Seconds that it lasts at worst: until the platform ends it, else the time to speak its text,
    /// twice, and a minute. None where nothing says.
    pub fn worst_s(&self) -> Option<u32> {
        let of_text = |speech_s: u32| speech_s.saturating_mul(2).saturating_add(BEYOND_TEXT_S);
        self.longest_s.or(self.speech_s().map(of_text))
    }
}

impl Callout {
    /// How long its call may be.
    pub fn length(&self) -> CallLength {
        match &self.body {
            CalloutBody::Tts(tts) => CallLength {
                spoken_chars: match (&tts.text, &tts.prompts) {
                    (Some(text), _) => Some(chars(text)),
                    (None, Some(prompts)) => spoken_prompts(prompts).then(|| chars(prompts)),
                    (None, None) => None,
                },
                longest_s: None,
            },
            CalloutBody::Conference(conference) => CallLength {
                spoken_chars: None,
                longest_s: conference.max_duration_s,
            },
            CalloutBody::Custom(custom) => CallLength {
                spoken_chars: None,
                // What inline SVAML says of its call stands above the callout.
                longest_s: inline_duration(custom.ice.as_deref()).or(custom.max_duration_s),
            },
            CalloutBody::Flow(flow) => flow.length(),
        }
    }

    /// Whom else its call can be connected to: one of them at most.
    pub fn legs(&self) -> Vec<Leg> {
        match &self.body {
            CalloutBody::Flow(flow) => flow.flow.legs(),
            CalloutBody::Tts(_) | CalloutBody::Conference(_) | CalloutBody::Custom(_) => Vec::new(),
        }
    }

    /// How long its call takes, where it asks; none where it asks nothing.
    pub fn way(&self) -> Option<Way> {
        match &self.body {
            CalloutBody::Flow(flow) => Some(flow.flow.way()),
            CalloutBody::Tts(_) | CalloutBody::Conference(_) | CalloutBody::Custom(_) => None,
        }
    }

    /// Has a backend asked at this address, where the call wants an answer while it goes on.
    pub fn answer_at(&mut self, url: &str) {
        if let CalloutBody::Flow(flow) = &mut self.body {
            flow.answer_at = Some(url.to_owned());
        }
    }

    /// Has the platform tell the application's callback URL when the call is over, unless it was said that it is
    /// not to, or whom else it is to tell (`enableDice`, `FACTS` §3).
    pub fn tell_of_end(&mut self) {
        let dice = match &mut self.body {
            CalloutBody::Tts(tts) => &mut tts.enable_dice,
            CalloutBody::Conference(conference) => &mut conference.enable_dice,
            CalloutBody::Custom(custom) if custom.dice.is_some() => return,
            CalloutBody::Custom(custom) => &mut custom.enable_dice,
            CalloutBody::Flow(flow) => &mut flow.enable_dice,
        };
        dice.get_or_insert(true);
    }

    /// Has the platform itself end the call after so many seconds, where the API allows it
    /// (`maxDuration`; text-to-speech has none, `FACTS` §3). A call that asks has what its longest way takes
    /// until then, and the campaign's word stands above that.
    pub fn end_after(&mut self, longest_s: u32) {
        let duration = match &mut self.body {
            CalloutBody::Tts(_) => return,
            CalloutBody::Conference(conference) => &mut conference.max_duration_s,
            CalloutBody::Custom(custom) => {
                if let Some(ice) = custom
                    .ice
                    .as_deref()
                    .and_then(|ice| limited(ice, longest_s))
                {
                    custom.ice = Some(ice);
                }
                &mut custom.max_duration_s
            }
            CalloutBody::Flow(flow) => {
                flow.longest_s = longest_s;
                return;
            }
        };
        *duration = Some(duration.map_or(longest_s, |theirs| theirs.min(longest_s)));
    }
}

/// `maxDuration` of the action of inline SVAML.
fn inline_duration(ice: Option<&str>) -> Option<u32> {
    let ice: serde_json::Value = serde_json::from_str(ice?).ok()?;
    let seconds = ice.get("action")?.get("maxDuration")?.as_u64()?;
    Some(u32::try_from(seconds).unwrap_or(u32::MAX))
}

/// The same SVAML with a `maxDuration` of so many seconds; none where it has none that is longer.
fn limited(ice: &str, longest_s: u32) -> Option<String> {
    let mut ice: serde_json::Value = serde_json::from_str(ice).ok()?;
    let duration = ice.get_mut("action")?.get_mut("maxDuration")?;
    if duration.as_u64()? <= u64::from(longest_s) {
        return None;
    }
    *duration = longest_s.into();
    Some(ice.to_string())
}

/// One HTTP header of a callout: an `X-CB-` name and a value of printable ASCII.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpHeader {
    /// The name, at most 32 characters, beginning with `X-CB-`.
    pub name: String,
    /// The value, at most 128 characters from 0x20 to 0x7e.
    pub value: String,
}

/// The kinds of callout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CalloutBody {
    /// `ttsCallout`: speak a text and hang up.
    Tts(TtsCallout),
    /// `conferenceCallout`: connect the recipient to a conference.
    Conference(ConferenceCallout),
    /// `customCallout`: run SVAML, inline or from the backend.
    Custom(CustomCallout),
    /// A call that asks: a `customCallout` too, whose SVAML is made of what happens in it.
    Flow(FlowCallout),
}

/// A call that asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowCallout {
    /// Number shown to the recipient, E.164.
    pub cli: String,
    /// Whom to call.
    pub destination: Destination,
    /// Keys played to the recipient after the answer.
    pub dtmf: Option<String>,
    /// Seconds after which the platform ends the call, ringing included.
    pub longest_s: u32,
    /// What happens in it, in the words of the row.
    pub flow: CallFlow<String>,
    /// Where a backend is asked while the call goes on; none: at the application's callback URL.
    pub answer_at: Option<String>,
    /// Ask for a DiCE callback.
    pub enable_dice: Option<bool>,
}

impl FlowCallout {
    /// A call in which this happens, as long as its longest way.
    pub fn new(cli: String, destination: Destination, flow: CallFlow<String>) -> Self {
        Self {
            cli,
            destination,
            dtmf: None,
            longest_s: flow.most_s().unwrap_or(CALL_S_MAX).min(CALL_S_MAX),
            flow,
            answer_at: None,
            enable_dice: None,
        }
    }

    /// What most people hear of it is its greeting and the first question; it ends by itself at the latest when
    /// the platform ends it.
    fn length(&self) -> CallLength {
        let greeting = match &self.flow.greeting {
            Speech::Text(text) => Some(chars(text)),
            Speech::Prompts(items) => items.iter().try_fold(0_u32, |all, item| {
                spoken_prompts(item).then(|| all.saturating_add(chars(item)))
            }),
        };
        let question = self.flow.menus.first().map_or(0, |menu| chars(&menu.say));
        CallLength {
            spoken_chars: greeting.map(|greeting| greeting.saturating_add(question)),
            longest_s: Some(self.longest_s),
        }
    }
}

/// `ttsCallout`. Exactly one of `text` and `prompts` is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TtsCallout {
    /// Number shown to the recipient, E.164 or `private`.
    pub cli: String,
    /// Whom to call.
    pub destination: Destination,
    /// `pstn` or `mxp`.
    pub domain: Option<String>,
    /// Language or voice.
    pub locale: Option<String>,
    /// The text to speak, at most 600 characters.
    pub text: Option<String>,
    /// `;`-separated prompts, each at most 600 characters.
    pub prompts: Option<String>,
    /// Keys played to the recipient after the answer.
    pub dtmf: Option<String>,
    /// Ask for an ACE callback.
    pub enable_ace: Option<bool>,
    /// Ask for a DiCE callback.
    pub enable_dice: Option<bool>,
    /// Ask for PIE callbacks (documented by the SDKs only).
    pub enable_pie: Option<bool>,
}

/// `conferenceCallout`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConferenceCallout {
    /// Number shown to the recipient, E.164 or `private`.
    pub cli: String,
    /// Whom to call.
    pub destination: Destination,
    /// The conference, at most 64 characters.
    pub conference_id: String,
    /// `pstn` or `mxp`.
    pub domain: Option<String>,
    /// Language of the greeting.
    pub locale: Option<String>,
    /// Text spoken before the recipient joins.
    pub greeting: Option<String>,
    /// What happens to keys pressed in the conference.
    pub conference_dtmf_options: Option<ConferenceDtmf>,
    /// Music on hold: `ring`, `music1`, `music2` or `music3`.
    pub moh_class: Option<String>,
    /// Longest duration in seconds.
    pub max_duration_s: Option<u32>,
    /// Keys played to the recipient after the answer.
    pub dtmf: Option<String>,
    /// Ask for an ACE callback.
    pub enable_ace: Option<bool>,
    /// Ask for a DiCE callback.
    pub enable_dice: Option<bool>,
    /// Ask for PIE callbacks.
    pub enable_pie: Option<bool>,
}

/// `conferenceDtmfOptions` of a conference callout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConferenceDtmf {
    /// `ignore`, `forward` or `detect`.
    pub mode: Option<String>,
    /// Keys collected before a PIE is sent.
    pub max_digits: Option<u32>,
    /// Pause that ends a sequence, in milliseconds.
    pub timeout_ms: Option<u32>,
}

/// `customCallout`. With inline ICE neither `cli` nor `destination` is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomCallout {
    /// Number shown to the recipient.
    pub cli: Option<String>,
    /// Whom to call.
    pub destination: Option<Destination>,
    /// Longest duration in seconds.
    pub max_duration_s: Option<u32>,
    /// Keys played to the recipient after the answer.
    pub dtmf: Option<String>,
    /// URL, or SVAML already serialised to a JSON document.
    pub ice: Option<String>,
    /// URL, or SVAML already serialised to a JSON document.
    pub ace: Option<String>,
    /// URL, or SVAML already serialised to a JSON document.
    pub pie: Option<String>,
    /// URL, or SVAML already serialised to a JSON document (seed 001 only).
    pub dice: Option<String>,
    /// Ask for an ACE callback (a sample of OAS 1.0.1).
    pub enable_ace: Option<bool>,
    /// Ask for a DiCE callback (a sample of OAS 1.0.1).
    pub enable_dice: Option<bool>,
    /// The place of the platform's that makes the call, such as `eu-central` (a sample of OAS 1.0.1).
    pub pop: Option<String>,
}
