//! The vocabulary of SVAML, the language in which the platform is told what to do with a call:
//! which actions and instructions there are, what they may say, and where they may stand.
//!
//! Data only. `sinch::svaml` reads and writes documents of it, `campaign` checks what campaigns say.
//! Written in the API's documents under "SVAML" and "Callback API" (`FACTS` §6); where they
//! disagree, the newest table is taken, and ACE takes `connectConf` as seed 001 shows.

use std::fmt;

/// Longest text that `say` speaks, in characters.
pub const SPEECH_CHARS_MAX: usize = 600;
/// Longest conference id, in characters; the stricter of the two documented numbers.
pub const CONFERENCE_ID_CHARS_MAX: usize = 64;
/// Longest call, in seconds.
pub const CALL_S_MAX: u32 = 14_400;
/// Longest time a call may be parked, in seconds.
pub const PARK_S_MAX: u32 = 600;
/// Longest `details` of a call's status, in characters.
pub const DETAILS_CHARS_MAX: usize = 64;
/// What all cookies of a call may take, keys and values, in bytes.
pub const COOKIES_BYTES_MAX: usize = 1024;
/// The menu that a call begins with, unless `mainMenu` names another.
pub const MAIN_MENU: &str = "main";

/// The countries whose ringing tones `indications` names.
pub const INDICATIONS: [&str; 39] = [
    "at", "au", "bg", "br", "be", "ch", "cl", "cn", "cz", "de", "dk", "ee", "es", "fi", "fr", "gr",
    "hu", "il", "in", "it", "lt", "jp", "mx", "my", "nl", "no", "nz", "ph", "pl", "pt", "ru", "se",
    "sg", "th", "uk", "us", "tw", "ve", "za",
];

/// Whether a character may be played as a key; `w` waits half a second.
pub fn is_dtmf(c: char) -> bool {
    c.is_ascii_digit() || c == '#' || c == 'w'
}

/// What the platform tells a backend about a call, and what SVAML may answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// Incoming call event: a call begins.
    Ice,
    /// Answered call event.
    Ace,
    /// Prompt input event: a menu has a result.
    Pie,
    /// Disconnected call event.
    Dice,
    /// Something else happened, such as a recording that is ready.
    Notify,
}

impl Event {
    /// All of them, in the order of a call.
    pub const ALL: [Self; 5] = [Self::Ice, Self::Ace, Self::Pie, Self::Dice, Self::Notify];

    /// The name on the wire and in campaign files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ice => "ice",
            Self::Ace => "ace",
            Self::Pie => "pie",
            Self::Dice => "dice",
            Self::Notify => "notify",
        }
    }

    /// The event of this name, in any case.
    pub fn parse(name: &str) -> Option<Self> {
        let same = |event: &Self| event.as_str().eq_ignore_ascii_case(name);
        Self::ALL.into_iter().find(same)
    }

    /// Whether SVAML that answers this event must have an action.
    pub fn needs_action(self) -> bool {
        matches!(self, Self::Ice | Self::Ace | Self::Pie)
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An action or an instruction.
#[derive(Debug, PartialEq, Eq)]
pub struct Term {
    /// The name as it is written; the platform reads it in any case.
    pub name: &'static str,
    /// The events that it may answer. None where only managing a call takes it.
    pub answers: &'static [Event],
    /// What it may say besides its `name`.
    pub fields: &'static [Field],
}

/// A field of an action, of an instruction or of an object in one.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    /// The name as it is written.
    pub name: &'static str,
    /// What may stand under it.
    pub shape: Shape,
}

/// What may stand under a name.
#[derive(Debug, PartialEq, Eq)]
pub enum Shape {
    /// A string.
    Text,
    /// A whole number, not negative.
    Integer,
    /// `true` or `false`.
    Flag,
    /// An array of strings.
    Texts,
    /// An object with these fields.
    Object(&'static [Field]),
    /// An array of such objects.
    Objects(&'static [Field]),
}

impl Shape {
    /// The fields of the object or objects; none where there are none.
    pub fn fields(&self) -> &'static [Field] {
        match self {
            Self::Object(fields) | Self::Objects(fields) => fields,
            Self::Text | Self::Integer | Self::Flag | Self::Texts => &[],
        }
    }
}

const fn field(name: &'static str, shape: Shape) -> Field {
    Field { name, shape }
}

const fn text(name: &'static str) -> Field {
    field(name, Shape::Text)
}

const fn integer(name: &'static str) -> Field {
    field(name, Shape::Integer)
}

const fn flag(name: &'static str) -> Field {
    field(name, Shape::Flag)
}

/// What a call may be connected to: `type` and `endpoint`.
const ENDPOINT: &[Field] = &[text("type"), text("endpoint")];
const HEADER: &[Field] = &[text("key"), text("value")];
const AMD: &[Field] = &[flag("enabled"), flag("async")];
const TRANSCRIPTION: &[Field] = &[flag("enabled"), text("locale")];
const RECORDING: &[Field] = &[
    text("destinationUrl"),
    // One example's spelling of the above.
    text("destination"),
    text("credentials"),
    text("format"),
    flag("notificationEvents"),
    field("transcriptionOptions", Shape::Object(TRANSCRIPTION)),
];
const CONFERENCE_DTMF: &[Field] = &[text("mode"), integer("maxDigits"), integer("timeoutMills")];
const STREAMING: &[Field] = &[integer("version"), integer("sampleRate")];
const OPTION: &[Field] = &[text("dtmf"), text("action")];
const MENU: &[Field] = &[
    text("id"),
    text("mainPrompt"),
    text("repeatPrompt"),
    integer("repeats"),
    integer("maxDigits"),
    integer("timeoutMills"),
    integer("maxTimeoutMills"),
    field("options", Shape::Objects(OPTION)),
];

const ICE: &[Event] = &[Event::Ice];
const ICE_ACE_PIE: &[Event] = &[Event::Ice, Event::Ace, Event::Pie];

/// All documented actions. Whoever manages a call (`PATCH`) may use every one: hanging up, going on
/// and parking, recording as seeds 000 and 001 write it, menus in conferences, and for a parked
/// call whatever could have answered its ICE.
pub const ACTIONS: [Term; 11] = [
    Term {
        name: "hangup",
        answers: &[Event::Ice, Event::Ace, Event::Pie, Event::Dice],
        fields: &[integer("hangupCause")],
    },
    Term {
        name: "continue",
        answers: &[Event::Ace, Event::Pie],
        // Both are how seed 002 begins a recording.
        fields: &[
            flag("record"),
            field("recordingOptions", Shape::Object(RECORDING)),
        ],
    },
    Term {
        name: "connectPstn",
        answers: &[Event::Ice, Event::Pie],
        fields: &[
            text("number"),
            text("locale"),
            integer("maxDuration"),
            integer("dialTimeout"),
            text("cli"),
            flag("suppressCallbacks"),
            text("dtmf"),
            text("indications"),
            field("amd", Shape::Object(AMD)),
            flag("record"),
            field("recordingOptions", Shape::Object(RECORDING)),
        ],
    },
    Term {
        name: "connectMxp",
        answers: ICE,
        fields: &[
            field("destination", Shape::Object(ENDPOINT)),
            field("callHeaders", Shape::Objects(HEADER)),
        ],
    },
    Term {
        name: "connectConf",
        answers: ICE_ACE_PIE,
        fields: &[
            text("conferenceId"),
            field("conferenceDtmfOptions", Shape::Object(CONFERENCE_DTMF)),
            text("moh"),
            flag("record"),
            field("recordingOptions", Shape::Object(RECORDING)),
        ],
    },
    Term {
        name: "connectSip",
        answers: &[Event::Ice, Event::Pie],
        fields: &[
            field("destination", Shape::Object(ENDPOINT)),
            integer("maxDuration"),
            text("cli"),
            text("transport"),
            flag("suppressCallbacks"),
            field("callHeaders", Shape::Objects(HEADER)),
            text("moh"),
        ],
    },
    Term {
        name: "connectStream",
        answers: ICE,
        fields: &[
            field("destination", Shape::Object(ENDPOINT)),
            field("streamingOptions", Shape::Object(STREAMING)),
            integer("maxDuration"),
            field("callHeaders", Shape::Objects(HEADER)),
        ],
    },
    Term {
        name: "runMenu",
        answers: ICE_ACE_PIE,
        fields: &[
            flag("barge"),
            text("locale"),
            text("mainMenu"),
            flag("enableVoice"),
            field("menus", Shape::Objects(MENU)),
        ],
    },
    Term {
        name: "park",
        answers: ICE,
        fields: &[
            text("locale"),
            text("introPrompt"),
            text("holdPrompt"),
            integer("maxDuration"),
        ],
    },
    Term {
        name: "startRecording",
        answers: &[],
        fields: &[field("recordingOptions", Shape::Object(RECORDING))],
    },
    Term {
        name: "stopRecording",
        answers: &[],
        fields: &[],
    },
];

/// All documented instructions.
pub const INSTRUCTIONS: [Term; 8] = [
    Term {
        name: "playFiles",
        answers: ICE_ACE_PIE,
        fields: &[field("ids", Shape::Texts), text("locale")],
    },
    Term {
        name: "say",
        answers: ICE_ACE_PIE,
        fields: &[text("text"), text("locale")],
    },
    Term {
        name: "sendDtmf",
        answers: &[Event::Ice, Event::Pie],
        fields: &[text("value")],
    },
    Term {
        name: "setCookie",
        answers: ICE_ACE_PIE,
        fields: &[text("key"), text("value")],
    },
    Term {
        name: "answer",
        answers: ICE,
        fields: &[],
    },
    Term {
        name: "startRecording",
        answers: ICE_ACE_PIE,
        fields: &[field("options", Shape::Object(RECORDING))],
    },
    Term {
        name: "stopRecording",
        answers: ICE_ACE_PIE,
        fields: &[],
    },
    Term {
        name: "reportCallStatus",
        answers: &[Event::Dice],
        fields: &[text("value"), text("details")],
    },
];

impl Term {
    /// Whether it may stand in an answer to this event.
    pub fn may_answer(&self, event: Event) -> bool {
        self.answers.contains(&event)
    }
}

/// The action of this name, in any case.
pub fn action(name: &str) -> Option<&'static Term> {
    find_term(&ACTIONS, name)
}

/// The instruction of this name, in any case.
pub fn instruction(name: &str) -> Option<&'static Term> {
    find_term(&INSTRUCTIONS, name)
}

/// The term of this name, in any case.
pub fn find_term(terms: &'static [Term], name: &str) -> Option<&'static Term> {
    terms
        .iter()
        .find(|term| term.name.eq_ignore_ascii_case(name))
}

/// The field of this name, in any case.
pub fn find_field(fields: &'static [Field], name: &str) -> Option<&'static Field> {
    fields
        .iter()
        .find(|field| field.name.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(terms: &'static [Term], event: Event) -> String {
        let may = terms.iter().filter(|term| term.may_answer(event));
        may.map(|term| term.name).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn each_event_takes_the_actions_that_the_newest_table_gives_it() {
        let expected = [
            "hangup connectPstn connectMxp connectConf connectSip connectStream runMenu park",
            "hangup continue connectConf runMenu",
            "hangup continue connectPstn connectConf connectSip runMenu",
            "hangup",
            "",
        ];
        for (event, expected) in Event::ALL.into_iter().zip(expected) {
            assert_eq!(names(&ACTIONS, event), expected, "{event}");
        }
    }

    #[test]
    fn answer_begins_a_call_and_a_status_ends_one() {
        let everywhere = "playFiles say setCookie startRecording stopRecording";
        assert_eq!(names(&INSTRUCTIONS, Event::Ace), everywhere);
        assert_eq!(names(&INSTRUCTIONS, Event::Dice), "reportCallStatus");
        assert!(instruction("ANSWER").is_some_and(|term| term.answers == ICE));
        assert!(instruction("senddtmf").is_some_and(|term| !term.may_answer(Event::Ace)));
    }

    #[test]
    fn names_are_found_in_any_case_and_differ_by_more_than_case() {
        assert!(action("ConnectPSTN").is_some() && action("say").is_none());
        assert_eq!(Event::parse("DiCE"), Some(Event::Dice));
        assert_eq!(Event::parse(""), None);
        let all = ACTIONS.iter().chain(&INSTRUCTIONS);
        for fields in all.map(|term| term.fields) {
            check(fields);
        }
    }

    fn check(fields: &'static [Field]) {
        for field in fields {
            assert_eq!(find_field(fields, &field.name.to_uppercase()), Some(field));
            check(field.shape.fields());
        }
    }
}
