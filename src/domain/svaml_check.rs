//! What the platform would not take of a SVAML document, as far as its documents say (`FACTS` §6): one
//! check for what the API's client sends and for what a campaign file says.
//!
//! Names and fields that the documents do not have are no flaws: the platform may know them. Strings that
//! are not known yet, since a row will fill them, are *open*: that they are there counts, not what they say.

use std::fmt;

use serde_json::{Map, Value};

use super::svaml::{
    ACTIONS, CALL_S_MAX, CONFERENCE_ID_CHARS_MAX, COOKIES_BYTES_MAX, DETAILS_CHARS_MAX, Event,
    Field, INDICATIONS, INSTRUCTIONS, MAIN_MENU, PARK_S_MAX, SPEECH_CHARS_MAX, Shape, Term,
    find_field, find_term, is_dtmf,
};

/// Most flaws that are told of one document.
const FLAWS_MAX: usize = 1_000;

/// A step on the way into a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// What an object has under this name, in any case.
    Name(String),
    /// An array's item, from 0.
    Item(usize),
}

/// The way to a place in a document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Way(pub Vec<Step>);

impl Way {
    fn to(&self, name: &str) -> Self {
        let mut steps = self.0.clone();
        steps.push(Step::Name(name.to_owned()));
        Self(steps)
    }

    fn at(&self, item: usize) -> Self {
        let mut steps = self.0.clone();
        steps.push(Step::Item(item));
        Self(steps)
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, step) in self.0.iter().enumerate() {
            match step {
                Step::Name(name) if nth == 0 => f.write_str(name)?,
                Step::Name(name) => write!(f, ".{name}")?,
                Step::Item(item) => write!(f, "[{item}]")?,
            }
        }
        Ok(())
    }
}

/// Something that the platform would not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// Where it stands, or is missing.
    pub way: Way,
    /// What is wrong; does not repeat texts or numbers of people.
    pub message: String,
}

/// What is wrong with a document as an answer to an event, or, where none is given, as what manages a call
/// (every documented action and instruction may stand there). `open` tells of a string whether a row will
/// fill it.
pub fn check(document: &Value, event: Option<Event>, open: fn(&str) -> bool) -> Vec<Flaw> {
    let mut checker = Checker {
        event,
        open,
        flaws: Vec::new(),
    };
    checker.document(document);
    checker.flaws
}

struct Checker {
    event: Option<Event>,
    open: fn(&str) -> bool,
    flaws: Vec<Flaw>,
}

type Object = Map<String, Value>;

/// What an object has under a name, in any case; what is null is not there.
fn get<'v>(object: &'v Object, name: &str) -> Option<&'v Value> {
    let exact = object.get(name);
    let value = exact.or_else(|| {
        let same = |(key, _): &(&String, &Value)| key.eq_ignore_ascii_case(name);
        object.iter().find(same).map(|(_, value)| value)
    });
    value.filter(|value| !value.is_null())
}

fn text<'v>(object: &'v Object, name: &str) -> Option<&'v str> {
    get(object, name).and_then(Value::as_str)
}

fn items<'v>(object: &'v Object, name: &str) -> &'v [Value] {
    get(object, name)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// What a key of a menu does.
#[derive(Debug, PartialEq, Eq)]
enum Target<'a> {
    Return,
    Menu(&'a str),
}

impl<'a> Target<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (word, inner) = text.trim().strip_suffix(')')?.split_once('(')?;
        let word = word.trim();
        if word.eq_ignore_ascii_case("return") {
            Some(Self::Return)
        } else if word.eq_ignore_ascii_case("menu") {
            Some(Self::Menu(inner.trim()))
        } else {
            None
        }
    }
}

impl Checker {
    /// Notes the first flaw of a place: what has the wrong type is not also missing.
    fn note(&mut self, way: &Way, message: impl Into<String>) {
        if self.flaws.len() >= FLAWS_MAX || self.flaws.iter().any(|flaw| flaw.way == *way) {
            return;
        }
        self.flaws.push(Flaw {
            way: way.clone(),
            message: message.into(),
        });
    }

    fn document(&mut self, document: &Value) {
        let Some(document) = document.as_object() else {
            return;
        };
        let root = Way::default();
        let mut cookies = 0;
        for (i, instruction) in items(document, "instructions").iter().enumerate() {
            let way = root.to("instructions").at(i);
            if let Some(fields) = instruction.as_object() {
                cookies += self.instruction(&way, fields);
            }
        }
        let way = root.to("action");
        match get(document, "action") {
            Some(action) => {
                if let Some(fields) = action.as_object() {
                    self.action(&way, fields);
                }
            }
            None if self.event.is_none_or(Event::needs_action) => self.note(&way, "is missing"),
            None => {}
        }
        if cookies > COOKIES_BYTES_MAX {
            let message =
                format!("set cookies of {cookies} bytes, the platform takes {COOKIES_BYTES_MAX}");
            self.note(&root.to("instructions"), message);
        }
    }

    /// What an action or instruction is; whether it may stand here, and whether its fields have the types
    /// documented.
    fn term(
        &mut self,
        way: &Way,
        fields: &Object,
        terms: &'static [Term],
    ) -> Option<&'static Term> {
        let Some(name) = text(fields, "name") else {
            self.note(way, "has no `name`");
            return None;
        };
        let term = find_term(terms, name)?;
        if let Some(event) = self.event
            && !term.may_answer(event)
        {
            self.note(way, format!("`{}` may not answer {event}", term.name));
        }
        self.types(way, fields, term.fields);
        Some(term)
    }

    fn types(&mut self, way: &Way, object: &Object, known: &'static [Field]) {
        for (key, value) in object {
            if let Some(field) = find_field(known, key).filter(|_| !value.is_null()) {
                self.type_of(&way.to(field.name), value, field);
            }
        }
    }

    fn type_of(&mut self, way: &Way, value: &Value, field: &'static Field) {
        // One document writes the key of a menu as a number.
        let key = field.name == "dtmf" && value.is_u64();
        let wrong = match field.shape {
            Shape::Text if value.is_string() || key => return,
            Shape::Text => "is not a text in quotes",
            Shape::Integer if value.as_u64().is_some_and(|n| u32::try_from(n).is_ok()) => return,
            Shape::Integer => "is not a whole number without quotes",
            Shape::Flag if value.is_boolean() => return,
            Shape::Flag => "is neither `true` nor `false`, without quotes",
            Shape::Texts => match value.as_array() {
                Some(texts) if texts.iter().all(Value::is_string) => return,
                _ => "is not a list of texts",
            },
            Shape::Object(fields) => match value.as_object() {
                Some(object) => return self.types(way, object, fields),
                None => "is not an object",
            },
            Shape::Objects(fields) => match value.as_array() {
                Some(list) if list.iter().all(Value::is_object) => {
                    let objects = list.iter().filter_map(Value::as_object);
                    for (i, object) in objects.enumerate() {
                        self.types(&way.at(i), object, fields);
                    }
                    return;
                }
                _ => "is not a list of objects",
            },
        };
        self.note(way, wrong);
    }

    fn missing(&mut self, way: &Way, name: &str, is_missing: bool) {
        if is_missing {
            self.note(&way.to(name), "is missing");
        }
    }

    /// A text that is known already.
    fn known<'v>(&self, object: &'v Object, name: &str) -> Option<&'v str> {
        text(object, name).filter(|text| !(self.open)(text))
    }

    fn chars(&mut self, way: &Way, object: &Object, name: &str, max: usize) {
        let chars = self
            .known(object, name)
            .map_or(0, |text| text.chars().count());
        if chars > max {
            let message = format!("has {chars} characters, the platform takes {max}");
            self.note(&way.to(name), message);
        }
    }

    fn seconds(&mut self, way: &Way, object: &Object, name: &str, max: u32) {
        let seconds = get(object, name).and_then(Value::as_u64);
        if seconds.is_some_and(|seconds| seconds == 0 || seconds > u64::from(max)) {
            let message = format!("is not from 1 to {max} seconds");
            self.note(&way.to(name), message);
        }
    }

    fn keys(&mut self, way: &Way, object: &Object, name: &str) {
        let known = self.known(object, name);
        if known.is_some_and(|keys| keys.is_empty() || !keys.chars().all(is_dtmf)) {
            self.note(&way.to(name), "is not made of 0-9, # and w");
        }
    }

    /// Words that the platform speaks are spoken in some language.
    fn language(&mut self, way: &Way, object: &Object, speaks: bool) {
        let named = text(object, "locale").is_some_and(|locale| !locale.trim().is_empty());
        if speaks && !named {
            self.note(
                &way.to("locale"),
                "is missing: what is said with `#tts[`, or is listened to, has a language",
            );
        }
    }

    /// Checks an instruction; the bytes that it takes of the call's cookies.
    fn instruction(&mut self, way: &Way, fields: &Object) -> usize {
        let Some(term) = self.term(way, fields, &INSTRUCTIONS) else {
            return 0;
        };
        match term.name {
            "playFiles" => {
                let ids = items(fields, "ids");
                self.missing(way, "ids", ids.is_empty());
                for id in ids.iter().filter_map(Value::as_str) {
                    self.sound(&way.to("ids"), id);
                }
                // In a call that is managed the language may be that which was spoken before.
                let speaks =
                    self.event.is_some() && ids.iter().filter_map(Value::as_str).any(speaks);
                self.language(way, fields, speaks);
            }
            "say" => {
                let said = text(fields, "text").filter(|text| !text.trim().is_empty());
                self.missing(way, "text", said.is_none());
                self.chars(way, fields, "text", SPEECH_CHARS_MAX);
            }
            "sendDtmf" => {
                self.missing(way, "value", text(fields, "value").is_none());
                self.keys(way, fields, "value");
            }
            "setCookie" => {
                let (key, value) = (text(fields, "key"), text(fields, "value"));
                self.missing(way, "key", key.is_none());
                self.missing(way, "value", value.is_none());
                return key.map_or(0, str::len) + self.known(fields, "value").map_or(0, str::len);
            }
            "reportCallStatus" => self.status(way, fields),
            _ => {}
        }
        0
    }

    /// A file's id, a URL, or words to speak: `#tts[…]`, `#ssml[…]`, `#href[…]`.
    fn sound(&mut self, way: &Way, id: &str) {
        if id.trim().is_empty() {
            self.note(way, "has an empty name");
            return;
        }
        if (self.open)(id) {
            return;
        }
        for directive in ["#tts[", "#ssml[", "#href["] {
            let Some(rest) = id.strip_prefix(directive) else {
                continue;
            };
            match rest.strip_suffix(']') {
                None => self.note(way, format!("has a `{directive}` without its `]`")),
                Some(said) if said.chars().count() > SPEECH_CHARS_MAX => {
                    let message = format!("has more than {SPEECH_CHARS_MAX} characters to speak");
                    self.note(way, message);
                }
                Some(_) => {}
            }
        }
    }

    fn status(&mut self, way: &Way, fields: &Object) {
        self.missing(way, "value", text(fields, "value").is_none());
        let known = |word: &str| ["success", "failure"].contains(&&*word.to_ascii_lowercase());
        if self.known(fields, "value").is_some_and(|word| !known(word)) {
            self.note(&way.to("value"), "is neither `success` nor `failure`");
        }
        self.chars(way, fields, "details", DETAILS_CHARS_MAX);
    }

    fn action(&mut self, way: &Way, fields: &Object) {
        let Some(term) = self.term(way, fields, &ACTIONS) else {
            return;
        };
        match term.name {
            "connectPstn" => {
                self.seconds(way, fields, "maxDuration", CALL_S_MAX);
                self.keys(way, fields, "dtmf");
                let known = |code: &str| INDICATIONS.contains(&&*code.to_ascii_lowercase());
                if self
                    .known(fields, "indications")
                    .is_some_and(|code| !known(code))
                {
                    let message = "is no country whose tones the documents name";
                    self.note(&way.to("indications"), message);
                }
            }
            "connectMxp" => self.missing(way, "destination", get(fields, "destination").is_none()),
            "connectConf" => {
                let id = text(fields, "conferenceId").filter(|id| !id.is_empty());
                self.missing(way, "conferenceId", id.is_none());
                self.chars(way, fields, "conferenceId", CONFERENCE_ID_CHARS_MAX);
            }
            "connectSip" | "connectStream" => {
                self.missing(way, "destination", get(fields, "destination").is_none());
                self.seconds(way, fields, "maxDuration", CALL_S_MAX);
            }
            "runMenu" => self.run_menu(way, fields),
            "park" => {
                self.seconds(way, fields, "maxDuration", PARK_S_MAX);
                let prompts = ["introPrompt", "holdPrompt"];
                let said = prompts
                    .iter()
                    .filter_map(|name| text(fields, name))
                    .any(speaks);
                self.language(way, fields, said);
            }
            _ => {}
        }
    }

    fn run_menu(&mut self, way: &Way, fields: &Object) {
        let menus: Vec<&Object> = items(fields, "menus")
            .iter()
            .filter_map(Value::as_object)
            .collect();
        self.missing(way, "menus", menus.is_empty());
        let count = |id: &str| {
            let ids = menus.iter().filter_map(|menu| text(menu, "id"));
            ids.filter(|known| *known == id).count()
        };
        let first = text(fields, "mainMenu").unwrap_or(MAIN_MENU);
        if !menus.is_empty() && count(first) == 0 {
            self.note(
                &way.to("menus"),
                "have none to begin with: one must have the id `main`",
            );
        }
        for (i, menu) in menus.iter().enumerate() {
            let way = way.to("menus").at(i);
            match text(menu, "id") {
                None => self.note(&way.to("id"), "is missing"),
                Some(id) if count(id) > 1 => {
                    self.note(&way.to("id"), "is the id of another menu as well");
                }
                Some(_) => {}
            }
            self.options(&way, menu, |id| count(id) > 0);
        }
        let listens = get(fields, "enableVoice").and_then(Value::as_bool) == Some(true);
        let prompts = menus.iter().flat_map(|menu| {
            let prompts = ["mainPrompt", "repeatPrompt"];
            prompts.into_iter().filter_map(|name| text(menu, name))
        });
        let said = prompts.into_iter().any(speaks);
        self.language(way, fields, listens || said);
    }

    fn options(&mut self, way: &Way, menu: &Object, exists: impl Fn(&str) -> bool) {
        for (i, option) in items(menu, "options").iter().enumerate() {
            let Some(option) = option.as_object() else {
                continue;
            };
            let way = way.to("options").at(i);
            let key = get(option, "dtmf").filter(|key| key.as_str() != Some(""));
            self.missing(&way, "dtmf", key.is_none());
            let action = text(option, "action");
            if action.is_some_and(self.open) {
                continue;
            }
            let message = match action.map(Target::parse) {
                None => "is missing",
                Some(None) => "is neither `return(…)` nor `menu(…)`",
                Some(Some(Target::Menu(id))) if !exists(id) => "names a menu that is not there",
                Some(Some(_)) => continue,
            };
            self.note(&way.to("action"), message);
        }
    }
}

/// Whether a sound is words that the platform speaks.
fn speaks(sound: &str) -> bool {
    sound.contains("#tts[")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_returns_or_opens_a_menu_and_nothing_else() {
        assert_eq!(Target::parse("return(a)"), Some(Target::Return));
        assert_eq!(Target::parse(" Return( ) "), Some(Target::Return));
        assert_eq!(Target::parse("menu(b)"), Some(Target::Menu("b")));
        for wrong in ["", "return", "menu(b", "b)", "goto(b)", "menu b)"] {
            assert_eq!(Target::parse(wrong), None, "{wrong}");
        }
    }
}
