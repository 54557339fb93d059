//! SVAML as something to be played: what is spoken, and what follows.
//!
//! Strict: what the domain's check finds fault with, and an action or instruction that no document has, is no
//! script. Where the documents leave it open: a menu without `repeats` is asked once, one without `repeatPrompt`
//! is asked again in the same words, and in a menu with `options` one key is pressed, whatever `maxDigits` says.

use serde_json::{Map, Value};

use super::fields::Fields;
use crate::domain::svaml::{self, Event, MAIN_MENU, PARK_S_MAX};
use crate::domain::svaml_check;

/// Speech, at an unhurried pace.
const CHARS_PER_SECOND: u64 = 14;
/// How long a file takes whose length nobody knows.
const FILE_MS: u64 = 5_000;
/// How long a menu waits for a key, unless it says so.
const TIMEOUT_MS: u32 = 5_000;

/// An answer to an event, or what manages a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Script {
    /// What is played first, in order.
    pub(super) said: Vec<Sound>,
    /// And then; none where only managing a call leaves it out.
    pub(super) then: Option<Action>,
}

/// Something that is played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sound {
    /// The words, or what names the file.
    pub(super) text: String,
    /// Milliseconds that it takes.
    pub(super) ms: u64,
}

/// What follows on what was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    HangUp,
    Continue,
    Menu(RunMenu),
    Connect(Dial),
    Conference(String),
    /// Held for so many seconds at most.
    Park(Vec<Sound>, u32),
    /// Something that is not played: users of the application and streams are not connected here, and recordings
    /// are made elsewhere.
    Other,
}

/// Whom a call is connected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dial {
    /// A number, or an address of SIP.
    pub(super) endpoint: String,
    pub(super) is_sip: bool,
    /// The number shown, where it says so.
    pub(super) cli: Option<String>,
    pub(super) timeout_s: Option<u32>,
    pub(super) max_duration_s: Option<u32>,
    /// Whether nothing is told of it.
    pub(super) is_silent: bool,
}

/// The action `runMenu`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RunMenu {
    /// Whether a key counts while a prompt is played.
    pub(super) barge: bool,
    /// The id of the menu to begin with.
    pub(super) main: String,
    pub(super) menus: Vec<Menu>,
}

/// One menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Menu {
    pub(super) id: String,
    pub(super) prompt: Sound,
    pub(super) repeat_prompt: Sound,
    /// How often it is asked once more.
    pub(super) repeats: u32,
    /// Digits that it asks for, where it has no options.
    pub(super) digits: u32,
    pub(super) timeout_ms: u64,
    /// Keys, and where they lead.
    pub(super) options: Vec<(String, Target)>,
}

/// Where a key leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// Out of the menus, with this value.
    Return(String),
    /// To the menu with this id.
    Menu(String),
}

impl Sound {
    /// What `say` speaks.
    fn words(text: &str) -> Self {
        let chars = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
        Self {
            text: text.to_owned(),
            ms: (chars.saturating_mul(1000)).div_ceil(CHARS_PER_SECOND),
        }
    }

    /// What `playFiles` and prompts name: words in `#tts[…]` or `#ssml[…]`, or a file.
    fn file(id: &str) -> Self {
        let inner = |open| id.strip_prefix(open)?.strip_suffix(']');
        if id.is_empty() {
            Self::words("")
        } else if let Some(words) = inner("#tts[").or_else(|| inner("#ssml[")) {
            Self::words(words)
        } else {
            Self {
                text: id.to_owned(),
                ms: FILE_MS,
            }
        }
    }
}

/// Reads an answer to an event; nothing where it is no valid SVAML for it.
pub(super) fn answer(bytes: &[u8], event: Event) -> Option<Script> {
    let document: Value = serde_json::from_slice(bytes).ok()?;
    script(&document, Some(event))
}

/// Reads a document that is parsed already; nothing where it is no valid SVAML for the event, or, without one,
/// nothing that can be played into a running call.
pub(super) fn script(document: &Value, event: Option<Event>) -> Option<Script> {
    let object = document.as_object()?;
    if event.is_some() && !svaml_check::check(document, event, |_| false).is_empty() {
        return None;
    }
    let fields = Fields(object);
    let mut said = Vec::new();
    match fields.get("instructions") {
        None | Some(Value::Null) => {}
        Some(Value::Array(instructions)) => {
            for instruction in instructions {
                sounds(instruction.as_object()?, &mut said)?;
            }
        }
        Some(_) => return None,
    }
    let then = match fields.get("action") {
        None | Some(Value::Null) if event.is_none() => None,
        action => Some(read_action(action?.as_object()?)?),
    };
    Some(Script { said, then })
}

/// What an instruction plays; nothing where it is none.
fn sounds(instruction: &Map<String, Value>, said: &mut Vec<Sound>) -> Option<()> {
    let fields = Fields(instruction);
    match svaml::instruction(text(fields, "name")?)?.name {
        "say" => said.push(Sound::words(text(fields, "text")?)),
        "playFiles" => {
            let ids = fields.get("ids")?.as_array()?.iter();
            said.extend(ids.filter_map(Value::as_str).map(Sound::file));
        }
        _ => {}
    }
    Some(())
}

fn read_action(action: &Map<String, Value>) -> Option<Action> {
    let fields = Fields(action);
    Some(match svaml::action(text(fields, "name")?)?.name {
        "hangup" => Action::HangUp,
        "runMenu" => Action::Menu(run_menu(fields)?),
        "connectConf" => Action::Conference(text(fields, "conferenceId")?.to_owned()),
        "connectPstn" => Action::Connect(dial(fields, text(fields, "number"), false)?),
        "connectSip" => {
            let destination = fields.get("destination")?.as_object()?;
            let endpoint = text(Fields(destination), "endpoint");
            Action::Connect(dial(fields, endpoint, true)?)
        }
        "park" => {
            let prompts = ["introPrompt", "holdPrompt"];
            let said = prompts.iter().filter_map(|name| text(fields, name));
            let longest_s = number(fields, "maxDuration").unwrap_or(PARK_S_MAX);
            Action::Park(said.map(Sound::file).collect(), longest_s)
        }
        "continue" => Action::Continue,
        _ => Action::Other,
    })
}

fn dial(fields: Fields<'_>, endpoint: Option<&str>, is_sip: bool) -> Option<Dial> {
    let endpoint = endpoint.filter(|endpoint| !endpoint.is_empty())?;
    let endpoint = if is_sip || endpoint.starts_with('+') {
        endpoint.to_owned()
    } else {
        format!("+{endpoint}")
    };
    if !is_sip && super::callout::check_number("number", &endpoint).is_err() {
        return None;
    }
    Some(Dial {
        endpoint,
        is_sip,
        cli: text(fields, "cli").map(str::to_owned),
        timeout_s: number(fields, "dialTimeout"),
        max_duration_s: number(fields, "maxDuration"),
        is_silent: fields.get("suppressCallbacks").and_then(Value::as_bool) == Some(true),
    })
}

fn run_menu(fields: Fields<'_>) -> Option<RunMenu> {
    let menus = fields.get("menus")?.as_array()?.iter();
    Some(RunMenu {
        barge: fields.get("barge").and_then(Value::as_bool).unwrap_or(true),
        main: text(fields, "mainMenu").unwrap_or(MAIN_MENU).to_owned(),
        menus: menus
            .map(|menu| read_menu(Fields(menu.as_object()?)))
            .collect::<Option<_>>()?,
    })
}

fn read_menu(fields: Fields<'_>) -> Option<Menu> {
    let prompt = text(fields, "mainPrompt").unwrap_or_default();
    let repeat_prompt = text(fields, "repeatPrompt").unwrap_or(prompt);
    let options = match fields.get("options") {
        None | Some(Value::Null) => &[],
        Some(Value::Array(options)) => options.as_slice(),
        Some(_) => return None,
    };
    let options = options.iter().map(|option| {
        let fields = Fields(option.as_object()?);
        let key = match fields.get("dtmf")? {
            Value::String(key) => key.clone(),
            Value::Number(key) => key.to_string(),
            _ => return None,
        };
        Some((key, target(text(fields, "action")?)?))
    });
    Some(Menu {
        id: text(fields, "id")?.to_owned(),
        prompt: Sound::file(prompt),
        repeat_prompt: Sound::file(repeat_prompt),
        repeats: number(fields, "repeats").unwrap_or(0),
        digits: number(fields, "maxDigits").unwrap_or(0),
        timeout_ms: number(fields, "timeoutMills").unwrap_or(TIMEOUT_MS).into(),
        options: options.collect::<Option<_>>()?,
    })
}

/// `return(…)` or `menu(…)`, in any case.
fn target(action: &str) -> Option<Target> {
    let (word, inner) = action.trim().strip_suffix(')')?.split_once('(')?;
    let (word, inner) = (word.trim(), inner.trim().to_owned());
    if word.eq_ignore_ascii_case("return") {
        Some(Target::Return(inner))
    } else if word.eq_ignore_ascii_case("menu") {
        Some(Target::Menu(inner))
    } else {
        None
    }
}

fn text<'a>(fields: Fields<'a>, name: &str) -> Option<&'a str> {
    fields.get(name).and_then(Value::as_str)
}

fn number(fields: Fields<'_>, name: &str) -> Option<u32> {
    let number = fields.get(name).and_then(Value::as_u64)?;
    u32::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_menu_is_read_with_what_it_leaves_out() {
        let document = json!({
            "instructions": [
                {"name": "Say", "text": "Good morning.", "locale": "en-US"},
                {"name": "setCookie", "key": "a", "value": "b"},
                {"name": "playFiles", "ids": ["#tts[A]", "welcome"], "locale": "en-US"},
            ],
            "action": {"name": "RunMenu", "locale": "en-US", "menus": [
                {"id": "main", "mainPrompt": "#tts[Press 1.]",
                 "options": [{"dtmf": "1", "action": "return(yes)"}, {"dtmf": 2, "action": "Menu(pin)"}]},
                {"id": "pin", "maxDigits": 4, "repeats": 2},
            ]},
        });
        let script = script(&document, Some(Event::Ace)).unwrap();
        let said: Vec<_> = script
            .said
            .iter()
            .map(|s| (s.text.as_str(), s.ms))
            .collect();
        assert_eq!(
            said,
            [("Good morning.", 929), ("A", 72), ("welcome", FILE_MS)]
        );
        let Some(Action::Menu(menu)) = script.then else {
            panic!("a menu");
        };
        assert!(menu.barge);
        let (main, pin) = (&menu.menus[0], &menu.menus[1]);
        assert_eq!(menu.main, main.id);
        assert_eq!((main.repeats, main.timeout_ms), (0, 5_000));
        assert_eq!(main.repeat_prompt, main.prompt);
        let (yes, pin_key) = (&main.options[0], &main.options[1]);
        assert_eq!(yes, &("1".to_owned(), Target::Return("yes".to_owned())));
        assert_eq!(pin_key, &("2".to_owned(), Target::Menu("pin".to_owned())));
        assert_eq!((pin.digits, pin.repeats, pin.prompt.ms), (4, 2, 0));
    }

    #[test]
    fn what_is_no_valid_answer_is_no_script() {
        let continues = br#"{"action":{"name":"continue"}}"#;
        assert!(answer(continues, Event::Ace).is_some());
        for (wrong, event) in [
            ("", Event::Ace),
            ("{}", Event::Ace),
            ("[]", Event::Pie),
            (r#"{"action":{"name":"dance"}}"#, Event::Ace),
            (r#"{"action":{"name":"park"}}"#, Event::Pie),
            (
                r#"{"action":{"name":"connectPstn","number":"+46701740605"}}"#,
                Event::Ace,
            ),
            (r#"{"action":{"name":"connectPstn"}}"#, Event::Pie),
            (
                r#"{"instructions":[{"name":"shout"}],"action":{"name":"hangup"}}"#,
                Event::Pie,
            ),
            (
                r#"{"instructions":{},"action":{"name":"hangup"}}"#,
                Event::Pie,
            ),
        ] {
            assert_eq!(answer(wrong.as_bytes(), event), None, "{event} {wrong}");
        }
    }
}
