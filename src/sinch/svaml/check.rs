//! What the platform would not take of a document, as far as its documents say (`FACTS` §6).
//!
//! Names and fields that we do not know are no problems: the platform may know them.

use std::fmt;

use super::action::{Action, ConnectPstn, Park, RunMenu};
use super::instruction::{Instruction, ReportCallStatus};
use super::parts::Menu;
use super::{Extra, Svaml};
use crate::domain::svaml::{
    self, CALL_S_MAX, CONFERENCE_ID_CHARS_MAX, COOKIES_BYTES_MAX, DETAILS_CHARS_MAX, Event,
    INDICATIONS, MAIN_MENU, PARK_S_MAX, SPEECH_CHARS_MAX, Term,
};

/// Something that the platform would not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it stands: `action.maxDuration`.
    pub at: String,
    /// What is wrong; does not repeat texts or numbers of people.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.at, self.message)
    }
}

impl Svaml {
    /// What is wrong with the document as an answer to an event.
    pub fn check(&self, event: Event) -> Vec<Problem> {
        self.problems(Some(event))
    }

    /// What is wrong with the document as the body of a `PATCH`, which manages a call (seed 001,
    /// "Manage Call"): every documented action and instruction may stand there.
    pub fn check_managing(&self) -> Vec<Problem> {
        self.problems(None)
    }

    fn problems(&self, event: Option<Event>) -> Vec<Problem> {
        let mut checker = Checker {
            event,
            problems: Vec::new(),
        };
        for (i, instruction) in self.instructions.iter().enumerate() {
            checker.instruction(&format!("instructions[{i}]"), instruction);
        }
        match &self.action {
            Some(action) => checker.action(action),
            None if event.is_none_or(Event::needs_action) => {
                checker.note("action", "is missing");
            }
            None => {}
        }
        let cookies: usize = self.instructions.iter().map(cookie_bytes).sum();
        if cookies > COOKIES_BYTES_MAX {
            let message =
                format!("set cookies of {cookies} bytes, the platform takes {COOKIES_BYTES_MAX}");
            checker.note("instructions", message);
        }
        checker.problems
    }
}

fn cookie_bytes(instruction: &Instruction) -> usize {
    let Instruction::SetCookie(cookie) = instruction else {
        return 0;
    };
    let bytes = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    bytes(&cookie.key) + bytes(&cookie.value)
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

struct Checker {
    /// What is answered; none where a call is managed.
    event: Option<Event>,
    problems: Vec<Problem>,
}

impl Checker {
    fn note(&mut self, at: &str, message: impl Into<String>) {
        self.problems.push(Problem {
            at: at.to_owned(),
            message: message.into(),
        });
    }

    /// Whether a term may stand here, and has fields of the types documented.
    fn place(&mut self, at: &str, term: Option<&Term>, other: Option<&Extra>) {
        let Some(term) = term else {
            if let Some(other) = other
                && super::object::key(other, "name").is_none_or(|key| !other[&key].is_string())
            {
                self.note(at, "has no `name`");
            }
            return;
        };
        if let Some(event) = self.event
            && !term.may_answer(event)
        {
            self.note(at, format!("`{}` may not answer {event}", term.name));
        }
        if other.is_some() {
            self.note(
                at,
                format!("`{}` has a field of an unexpected type", term.name),
            );
        }
    }

    fn required<T>(&mut self, at: &str, field: &str, value: Option<&T>) {
        if value.is_none() {
            self.note(&format!("{at}.{field}"), "is missing");
        }
    }

    fn chars(&mut self, at: &str, field: &str, value: Option<&String>, max: usize) {
        let chars = value.map_or(0, |text| text.chars().count());
        if chars > max {
            let message = format!("has {chars} characters, the platform takes {max}");
            self.note(&format!("{at}.{field}"), message);
        }
    }

    fn seconds(&mut self, at: &str, field: &str, value: Option<u32>, max: u32) {
        if value.is_some_and(|seconds| seconds == 0 || seconds > max) {
            let message = format!("is not from 1 to {max} seconds");
            self.note(&format!("{at}.{field}"), message);
        }
    }

    fn keys(&mut self, at: &str, field: &str, value: Option<&String>) {
        if value.is_some_and(|keys| keys.is_empty() || !keys.chars().all(svaml::is_dtmf)) {
            self.note(&format!("{at}.{field}"), "is not made of 0-9, # and w");
        }
    }

    fn instruction(&mut self, at: &str, instruction: &Instruction) {
        let other = match instruction {
            Instruction::Other(other) => Some(other),
            _ => None,
        };
        self.place(at, instruction.term(), other);
        match instruction {
            Instruction::PlayFiles(play) => {
                self.required(at, "ids", play.ids.first());
                for id in &play.ids {
                    self.sound(&format!("{at}.ids"), id);
                }
            }
            Instruction::Say(say) => {
                let said = say.text.as_ref().filter(|text| !text.trim().is_empty());
                self.required(at, "text", said);
                self.chars(at, "text", say.text.as_ref(), SPEECH_CHARS_MAX);
            }
            Instruction::SendDtmf(send) => {
                self.required(at, "value", send.value.as_ref());
                self.keys(at, "value", send.value.as_ref());
            }
            Instruction::SetCookie(cookie) => {
                self.required(at, "key", cookie.key.as_ref());
                self.required(at, "value", cookie.value.as_ref());
            }
            Instruction::ReportCallStatus(status) => self.status(at, status),
            Instruction::Answer(_)
            | Instruction::StartRecording(_)
            | Instruction::StopRecording(_)
            | Instruction::Other(_) => {}
        }
    }

    /// A file's id, a URL, or words to speak: `#tts[…]`, `#ssml[…]`, `#href[…]`.
    fn sound(&mut self, at: &str, id: &str) {
        if id.trim().is_empty() {
            self.note(at, "has an empty name");
            return;
        }
        for directive in ["#tts[", "#ssml[", "#href["] {
            let Some(rest) = id.strip_prefix(directive) else {
                continue;
            };
            match rest.strip_suffix(']') {
                None => self.note(at, format!("has a `{directive}` without its `]`")),
                Some(said) if said.chars().count() > SPEECH_CHARS_MAX => {
                    let message = format!("has more than {SPEECH_CHARS_MAX} characters to speak");
                    self.note(at, message);
                }
                Some(_) => {}
            }
        }
    }

    fn status(&mut self, at: &str, status: &ReportCallStatus) {
        self.required(at, "value", status.value.as_ref());
        let known = |word: &str| ["success", "failure"].contains(&&*word.to_ascii_lowercase());
        if status.value.as_deref().is_some_and(|word| !known(word)) {
            self.note(&format!("{at}.value"), "is neither `success` nor `failure`");
        }
        self.chars(at, "details", status.details.as_ref(), DETAILS_CHARS_MAX);
    }

    fn action(&mut self, action: &Action) {
        let at = "action";
        let other = match action {
            Action::Other(other) => Some(other),
            _ => None,
        };
        self.place(at, action.term(), other);
        match action {
            Action::ConnectPstn(pstn) => self.pstn(at, pstn),
            Action::ConnectMxp(mxp) => self.required(at, "destination", mxp.destination.as_ref()),
            Action::ConnectConf(conf) => {
                let id = conf.conference_id.as_ref().filter(|id| !id.is_empty());
                self.required(at, "conferenceId", id);
                self.chars(at, "conferenceId", id, CONFERENCE_ID_CHARS_MAX);
            }
            Action::ConnectSip(sip) => {
                self.required(at, "destination", sip.destination.as_ref());
                self.seconds(at, "maxDuration", sip.max_duration_s, CALL_S_MAX);
            }
            Action::ConnectStream(stream) => {
                self.required(at, "destination", stream.destination.as_ref());
                self.seconds(at, "maxDuration", stream.max_duration_s, CALL_S_MAX);
            }
            Action::RunMenu(run) => self.run_menu(at, run),
            Action::Park(park) => self.park(at, park),
            Action::Hangup(_)
            | Action::Continue(_)
            | Action::StartRecording(_)
            | Action::StopRecording(_)
            | Action::Other(_) => {}
        }
    }

    fn pstn(&mut self, at: &str, pstn: &ConnectPstn) {
        self.seconds(at, "maxDuration", pstn.max_duration_s, CALL_S_MAX);
        self.keys(at, "dtmf", pstn.dtmf.as_ref());
        let known = |code: &str| INDICATIONS.contains(&&*code.to_ascii_lowercase());
        if pstn.indications.as_deref().is_some_and(|code| !known(code)) {
            let message = "is no country whose tones the documents name";
            self.note(&format!("{at}.indications"), message);
        }
    }

    fn park(&mut self, at: &str, park: &Park) {
        self.seconds(at, "maxDuration", park.max_duration_s, PARK_S_MAX);
    }

    fn run_menu(&mut self, at: &str, run: &RunMenu) {
        self.required(at, "menus", run.menus.first());
        let count = |id: &str| {
            let menus = run.menus.iter();
            menus.filter(|menu| menu.id.as_deref() == Some(id)).count()
        };
        let first = run.main_menu.as_deref().unwrap_or(MAIN_MENU);
        if !run.menus.is_empty() && count(first) == 0 {
            self.note(
                &format!("{at}.menus"),
                "have none to begin with: one must have the id `main`",
            );
        }
        for (i, menu) in run.menus.iter().enumerate() {
            let at = format!("{at}.menus[{i}]");
            match menu.id.as_deref() {
                None => self.note(&format!("{at}.id"), "is missing"),
                Some(id) if count(id) > 1 => {
                    self.note(&format!("{at}.id"), "is the id of another menu as well");
                }
                Some(_) => {}
            }
            self.options(&at, menu, |id| count(id) > 0);
        }
    }

    fn options(&mut self, at: &str, menu: &Menu, exists: impl Fn(&str) -> bool) {
        for (i, option) in menu.options.iter().enumerate() {
            let at = format!("{at}.options[{i}]");
            let key = option.dtmf.as_ref().filter(|key| !key.0.is_empty());
            self.required(&at, "dtmf", key);
            let message = match option.action.as_deref().map(Target::parse) {
                None => "is missing",
                Some(None) => "is neither `return(…)` nor `menu(…)`",
                Some(Some(Target::Menu(id))) if !exists(id) => "names a menu that is not there",
                Some(Some(_)) => continue,
            };
            self.note(&format!("{at}.action"), message);
        }
    }
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
