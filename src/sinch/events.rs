//! Callback events: what the platform tells a backend about a call (seed 001, "Callback API";
//! `FACTS` §7).
//!
//! Every documented field is read in every shape that the documents show, words stay as they came,
//! and [`Event::raw`] has the whole event: what we do not know is not lost. An event that lacks a
//! field is an event; what is missing is `None`. Who sent it is `verify`'s business.

use std::fmt;

use jiff::Timestamp;
use serde_json::value::RawValue;

use super::identity::Identity;
use super::lenient::Object;
use crate::domain::svaml::Event as Kind;
use crate::domain::{
    AnsweredBy, AttemptId, CallId, Keyed, Money, News, Outcome, Says, Signal, Signalled,
};

/// Characters that are kept of what somebody pressed.
const PRESSED_CHARS_MAX: usize = 64;

/// One event, as read.
#[derive(Debug, Clone)]
pub enum Event {
    /// A call begins; wants SVAML.
    Ice(IceEvent),
    /// A call was answered; wants SVAML.
    Ace(AceEvent),
    /// A menu has a result; wants SVAML.
    Pie(PieEvent),
    /// A call is over.
    Dice(DiceEvent),
    /// Something else happened.
    Notify(NotifyEvent),
    /// An event that the documents do not have.
    Other(OtherEvent),
}

/// Why bytes are no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// They are not JSON in UTF-8.
    #[error("the event is not a JSON document")]
    NotJson,
    /// They are JSON, but no object.
    #[error("the event is not a JSON object")]
    NotAnObject,
    /// The object does not say which event it is.
    #[error("the event has no `event`")]
    NoName,
}

/// What every event may have.
#[derive(Clone)]
pub struct Common {
    /// `callid`, in any spelling.
    pub call: Option<CallId>,
    /// `timestamp`; notifications have none.
    pub timestamp: Option<Timestamp>,
    /// `version`.
    pub version: Option<i64>,
    /// `custom` of the callout: its text or, where the platform gives an object, its JSON.
    pub custom: Option<String>,
    /// `applicationKey`.
    pub application_key: Option<String>,
    /// `cookies` that SVAML set earlier in the call.
    pub cookies: Vec<Pair>,
    /// `conferenceId`, where the call is in a conference.
    pub conference_id: Option<String>,
    /// `callResourceUrl`: where this call can be managed. Seeds have it in ICE, newer documents in
    /// ACE and DiCE as well.
    pub call_resource_url: Option<String>,
    /// `user`: who called, in an old form.
    pub user: Option<Identity>,
    raw: Box<RawValue>,
}

/// A name with a value: a cookie, a header of a call. `Debug` never shows the value.
#[derive(Clone, PartialEq, Eq)]
pub struct Pair {
    /// `key`.
    pub key: String,
    /// `value`; empty where it is missing.
    pub value: String,
}

/// `ice`: incoming call event.
#[derive(Debug, Clone)]
pub struct IceEvent {
    /// What every event may have.
    pub common: Common,
    /// `userRate`: the price of a minute.
    pub user_rate: Option<Money>,
    /// `cli`: the number of the caller, or `private`.
    pub cli: Option<Identity>,
    /// `to`: whom the call is for.
    pub to: Option<Identity>,
    /// `domain`: `pstn`, `mxp`, `conference` or another.
    pub domain: Option<String>,
    /// `originationType`: `PSTN`, `MXP`, `SERVER`, `SIP` or another, in a case that varies.
    pub origination_type: Option<String>,
    /// `duration`, in seconds.
    pub duration_s: Option<i64>,
    /// `rdnis`: the number that forwarded the call.
    pub rdnis: Option<Identity>,
    /// `callHeaders`.
    pub call_headers: Vec<Pair>,
}

/// `ace`: answered call event.
#[derive(Debug, Clone)]
pub struct AceEvent {
    /// What every event may have.
    pub common: Common,
    /// `amd`: who or what answered, where that was asked for.
    pub amd: Option<AmdResult>,
}

/// `pie`: prompt input event.
#[derive(Debug, Clone)]
pub struct PieEvent {
    /// What every event may have.
    pub common: Common,
    /// `menuResult`.
    pub menu: Option<MenuResult>,
}

/// `dice`: disconnected call event.
#[derive(Debug, Clone)]
pub struct DiceEvent {
    /// What every event may have.
    pub common: Common,
    /// `result`, `reason`, `duration` and `debit`, as a finished call has them.
    pub outcome: Outcome,
    /// `userRate`: the price of a minute.
    pub user_rate: Option<Money>,
    /// `to`: who was called.
    pub to: Option<Identity>,
    /// `from`: the number shown, or `private`.
    pub from: Option<Identity>,
    /// `callHeaders`.
    pub call_headers: Vec<Pair>,
}

/// `notify`.
#[derive(Debug, Clone)]
pub struct NotifyEvent {
    /// What every event may have.
    pub common: Common,
    /// `type`: `recording_finished`, `recording_available`, `transcription_available`, `amd`,
    /// `amd_beep`, `callingerror` or another.
    pub kind: Option<String>,
    /// `destination`: where a recording or a transcript lies.
    pub destination: Option<String>,
    /// `amd`: who or what answered, found out while the call went on.
    pub amd: Option<AmdResult>,
    /// `errorCode`, a number or a string.
    pub error_code: Option<i64>,
    /// `errorMsg`.
    pub error_message: Option<String>,
}

/// An event of a name that we do not know.
#[derive(Debug, Clone)]
pub struct OtherEvent {
    /// What every event may have.
    pub common: Common,
    /// Its name, as it came.
    pub name: String,
}

/// What came of a menu. `Debug` never shows the value, which may be somebody's PIN.
#[derive(Clone, PartialEq, Eq)]
pub struct MenuResult {
    /// `type`: `return`, `sequence`, `timeout`, `hangup`, `error`, `invalidinput` or another, in a
    /// case that varies.
    pub kind: Option<String>,
    /// `value`: what was returned, or the keys that were pressed.
    pub value: Option<String>,
    /// `menuId`; a conference's id for keys pressed in one.
    pub menu_id: Option<String>,
    /// `inputMethod`: `dtmf` or `voice`.
    pub input_method: Option<String>,
}

/// What the answering machine detection found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AmdResult {
    /// `status`: `machine`, `human`, `notsure`, `hangup`, `inprogress` or another.
    pub status: Option<String>,
    /// `reason`: `longgreeting`, `initialsilence`, `beep` or another.
    pub reason: Option<String>,
    /// `duration`; the documents disagree about its unit.
    pub duration: Option<i64>,
}

impl Event {
    /// Reads the body of a callback.
    pub fn parse(body: &[u8]) -> Result<Self, EventError> {
        let raw: Box<RawValue> = serde_json::from_slice(body).map_err(|_| EventError::NotJson)?;
        let object = Object::parse(body).ok_or(EventError::NotAnObject)?;
        let name = object.text(&["event"]).ok_or(EventError::NoName)?;
        let common = Common::read(&object, raw);
        Ok(match Kind::parse(&name) {
            Some(Kind::Ice) => Self::Ice(IceEvent::read(&object, common)),
            Some(Kind::Ace) => Self::Ace(AceEvent {
                amd: AmdResult::read(&object),
                common,
            }),
            Some(Kind::Pie) => Self::Pie(PieEvent {
                menu: MenuResult::read(&object),
                common,
            }),
            Some(Kind::Dice) => Self::Dice(DiceEvent::read(&object, common)),
            Some(Kind::Notify) => Self::Notify(NotifyEvent::read(&object, common)),
            None => Self::Other(OtherEvent { common, name }),
        })
    }

    /// What every event may have.
    pub fn common(&self) -> &Common {
        match self {
            Self::Ice(event) => &event.common,
            Self::Ace(event) => &event.common,
            Self::Pie(event) => &event.common,
            Self::Dice(event) => &event.common,
            Self::Notify(event) => &event.common,
            Self::Other(event) => &event.common,
        }
    }

    /// Which event it is; none where the documents do not have it.
    pub fn kind(&self) -> Option<Kind> {
        match self {
            Self::Ice(_) => Some(Kind::Ice),
            Self::Ace(_) => Some(Kind::Ace),
            Self::Pie(_) => Some(Kind::Pie),
            Self::Dice(_) => Some(Kind::Dice),
            Self::Notify(_) => Some(Kind::Notify),
            Self::Other(_) => None,
        }
    }

    /// The whole event as it came, to the digit.
    pub fn raw(&self) -> &RawValue {
        &self.common().raw
    }

    /// What it tells of its call, as far as that moves an attempt.
    pub fn news(&self) -> News {
        News {
            attempt: self.attempt(),
            call: self.common().call.clone(),
            says: match self {
                Self::Dice(dice) => Says::Ended(dice.outcome.clone()),
                _ => Says::GoesOn,
            },
            signal: self.signal(),
        }
    }

    /// What was heard in its call.
    pub fn signal(&self) -> Option<Signal> {
        let what = match self {
            Self::Ace(ace) => ace.answered_by().map(Signalled::AnsweredBy),
            Self::Notify(notify) => notify.of_machine(),
            Self::Pie(pie) => Some(Signalled::Menu {
                id: pie.menu.as_ref().and_then(|menu| menu.menu_id.clone()),
                keyed: pie.keyed(),
            }),
            _ => None,
        };
        what.map(|what| Signal {
            at: self.common().timestamp,
            what,
        })
    }

    /// The attempt that this call is, where it is one of ours.
    pub fn attempt(&self) -> Option<AttemptId> {
        attempt_of(self.common().custom.as_deref()?)
    }
}

/// The attempt's id in a `custom` of ours: its first word.
pub fn attempt_of(custom: &str) -> Option<AttemptId> {
    custom.split_whitespace().next().and_then(AttemptId::parse)
}

impl fmt::Debug for Common {
    /// The whole event has numbers of people, and `custom` may: they are never shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Common")
            .field("call", &self.call)
            .field("timestamp", &self.timestamp)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pair")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for MenuResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MenuResult")
            .field("kind", &self.kind)
            .field("menu_id", &self.menu_id)
            .field("input_method", &self.input_method)
            .finish_non_exhaustive()
    }
}

impl Common {
    fn read(object: &Object<'_>, raw: Box<RawValue>) -> Self {
        Self {
            call: object.text(&["callId"]).and_then(|id| CallId::new(&id)),
            timestamp: object.timestamp(&["timestamp"]),
            version: object.integer(&["version"]),
            custom: object.text_or_json(&["custom"]),
            application_key: object.text(&["applicationKey"]),
            cookies: Pair::list(object, "cookies"),
            conference_id: object.text(&["conferenceId"]),
            call_resource_url: object.text(&["callResourceUrl"]),
            user: object.identity(&["user"]),
            raw,
        }
    }
}

impl Pair {
    fn list(object: &Object<'_>, name: &str) -> Vec<Self> {
        let pairs = object.objects(&[name]).into_iter();
        let pair = |pair: Object<'_>| {
            Some(Self {
                key: pair.text(&["key"])?,
                value: pair.text(&["value"]).unwrap_or_default(),
            })
        };
        pairs.filter_map(pair).collect()
    }
}

impl IceEvent {
    fn read(object: &Object<'_>, common: Common) -> Self {
        Self {
            user_rate: object.money(&["userRate"]),
            cli: object.identity(&["cli"]),
            to: object.identity(&["to"]),
            domain: object.text(&["domain"]),
            origination_type: object.text(&["originationType"]),
            duration_s: object.integer(&["duration"]),
            rdnis: object.identity(&["rdnis"]),
            call_headers: Pair::list(object, "callHeaders"),
            common,
        }
    }
}

impl DiceEvent {
    fn read(object: &Object<'_>, common: Common) -> Self {
        Self {
            outcome: object.outcome(),
            user_rate: object.money(&["userRate"]),
            to: object.identity(&["to"]),
            from: object.identity(&["from"]),
            call_headers: Pair::list(object, "callHeaders"),
            common,
        }
    }
}

impl NotifyEvent {
    fn read(object: &Object<'_>, common: Common) -> Self {
        Self {
            kind: object.text(&["type"]),
            destination: object.text(&["destination"]),
            amd: AmdResult::read(object),
            error_code: object.integer(&["errorCode"]),
            error_message: object.text(&["errorMsg"]),
            common,
        }
    }
}

impl AceEvent {
    /// Who answered, where that was looked for.
    fn answered_by(&self) -> Option<AnsweredBy> {
        self.amd.as_ref().map(AmdResult::answered_by)
    }
}

impl PieEvent {
    /// What the menu resulted in, as far as that was told.
    fn keyed(&self) -> Keyed {
        let Some(menu) = &self.menu else {
            return Keyed::Nothing;
        };
        let kind = menu.kind.as_deref().unwrap_or_default();
        let is = |word: &str| kind.eq_ignore_ascii_case(word);
        if is("hangup") {
            return Keyed::Gone;
        }
        let value = menu.value.as_deref().unwrap_or_default();
        // Responses stand side by side with this between them.
        let value = value.replace(" > ", " ").trim().to_owned();
        let value: String = value.chars().take(PRESSED_CHARS_MAX).collect();
        if value.is_empty() || is("timeout") || is("invalidinput") || is("error") {
            return Keyed::Nothing;
        }
        Keyed::Pressed(value)
    }
}

impl NotifyEvent {
    /// What it tells of a machine.
    fn of_machine(&self) -> Option<Signalled> {
        let kind = self.kind.as_deref()?;
        if kind.eq_ignore_ascii_case("amd_beep") {
            return Some(Signalled::Beep);
        }
        let amd = self
            .amd
            .as_ref()
            .filter(|_| kind.eq_ignore_ascii_case("amd"));
        amd.map(|amd| Signalled::AnsweredBy(amd.answered_by()))
    }
}

impl MenuResult {
    fn read(event: &Object<'_>) -> Option<Self> {
        let object = event.object(&["menuResult"])?;
        Some(Self {
            kind: object.text(&["type"]),
            value: object.text(&["value"]),
            menu_id: object.text(&["menuId"]),
            input_method: object.text(&["inputMethod"]),
        })
    }
}

impl AmdResult {
    /// Who answered, by the platform's word (`FACTS` §6). A word that is not known is nobody's.
    fn answered_by(&self) -> AnsweredBy {
        let status = self.status.as_deref().unwrap_or_default();
        let is = |word: &str| status.eq_ignore_ascii_case(word);
        if is("machine") {
            AnsweredBy::Machine
        } else if is("human") {
            AnsweredBy::Person
        } else if is("hangup") {
            AnsweredBy::Gone
        } else if is("inprogress") {
            AnsweredBy::NotYetKnown
        } else {
            AnsweredBy::NotSure
        }
    }

    fn read(event: &Object<'_>) -> Option<Self> {
        let object = event.object(&["amd"])?;
        Some(Self {
            status: object.text(&["status"]),
            reason: object.text(&["reason"]),
            duration: object.integer(&["duration"]),
        })
    }
}
