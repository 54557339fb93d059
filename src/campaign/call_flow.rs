//! `[menu.*]`, `[machine]` and `[reached]`: what happens in a call that asks.
//!
//! With them `[callout.tts]` is what is said first. Each table is read here; whether they fit together is looked at
//! in [`super::call_flow_check`], once they are all known.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use toml::Spanned;
use toml::de::DeValue;

use crate::domain::call_flow::{FIRST_MENU, MACHINE};
use crate::domain::suppression::{BadListName, check_list_name};
use crate::domain::svaml::CALL_S_MAX;
use crate::domain::{
    Asks, CallFlow, Choice, DestinationKind, Key, Machine, MachineDoes, Menu, Next,
};

use super::call_flow_check as check;
use super::callout::{keep, unchecked};
use super::duration;
use super::fault::{listed, nearest};
use super::form::{Body, FlowForm, Form};
use super::guard::Guard;
use super::limits::Rule;
use super::place::Place;
use super::table::{Placed, Table};
use super::template::{Text, TextId};
use super::tokens::is_template;

/// The tables that make a call one that asks.
const TABLES: [&str; 3] = ["menu", "machine", "reached"];
const MENU: [&str; 7] = [
    "say",
    "repeat",
    "timeout",
    "key",
    "digits",
    "then",
    "otherwise",
];
const CHOICE: [&str; 6] = [
    "response",
    "say",
    "suppress",
    "menu",
    "connect",
    "conference",
];
/// What a choice has beside those.
const LONGEST: &str = "longest";
/// What may follow where nothing was pressed.
const OTHERWISE: [&str; 2] = ["say", "menu"];

/// Most menus of a campaign.
const MENUS_MAX: usize = 100;
/// Longest name of a menu: the platform takes 64 characters, and a visit is counted behind it.
const MENU_ID_CHARS_MAX: usize = 60;
/// Longest response.
const RESPONSE_CHARS_MAX: usize = 64;
/// What stands between the responses of a call where they are shown.
const BETWEEN_RESPONSES: &str = " > ";
/// How often a menu is asked once more, unless the campaign says.
const REPEAT: u32 = 1;
/// How long a key is waited for, unless the campaign says.
const TIMEOUT: Duration = Duration::from_secs(5);
const TIMEOUTS: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_mins(1);
const LONGESTS: RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(CALL_S_MAX as u64);

const KEY_HELP: &str =
    "a key is 0 to 9, \"*\" or \"#\", the latter two in quotes: [menu.main.key.\"#\"]";
const LONGEST_HELP: &str =
    "longest = \"10m\": the platform ends it then, and so much is held for it";

/// Whether a campaign has a call that asks.
pub(super) fn is_there(root: &Table<'_, '_>) -> bool {
    TABLES.into_iter().any(|name| root.has(name))
}

/// Makes a callout of a text one that asks, where the campaign has the tables; none after a fault.
pub(super) fn read(
    root: &Table<'_, '_>,
    kind: DestinationKind,
    (form, texts): (Form, &mut Vec<Text>),
) -> Option<(Form, Heard)> {
    if !is_there(root) {
        return Some((form, Heard::default()));
    }
    let menus = menus(root, texts);
    let machine = machine(root, texts);
    let reached = reached(root);
    let Body::Tts(tts) = form.body else {
        let table = TABLES.into_iter().find(|name| root.has(name))?;
        let message = format!("[{table}] goes with [callout.tts]");
        let help = "what is said first is its `text` or `prompts`";
        root.file.fault(&root.key_place(table), message, help);
        return None;
    };
    let flow = CallFlow {
        locale: tts.locale,
        greeting: tts.speech,
        menus: menus?,
        machine: machine?,
        reached: reached.as_ref()?.as_ref().map(|reached| {
            let names = reached.iter().map(|name| name.value.clone());
            names.collect::<BTreeSet<_>>()
        }),
    };
    check::callout(root, kind);
    check::flow(
        root,
        &flow,
        reached.flatten().as_deref().unwrap_or_default(),
    );
    let heard = Heard {
        machines: flow.looks_for_machines(),
        machine_counts: flow.machine.as_ref().is_some_and(|machine| machine.counts),
        wants_response: flow.reached.is_some(),
    };
    let body = Body::Flow(FlowForm {
        cli: tts.cli,
        dtmf: tts.dtmf,
        enable_dice: tts.enable.dice,
        flow,
    });
    Some((Form { body, ..form }, heard))
}

/// What can be heard in the calls of a campaign, for what may follow on it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Heard {
    /// Whether machines are looked for.
    pub(super) machines: bool,
    /// Whether they count as reached.
    pub(super) machine_counts: bool,
    /// Whether a response is wanted.
    pub(super) wants_response: bool,
}

/// A text that is called by the way to it: `menu.main.key.1.say`.
fn said(table: &Table<'_, '_>, way: &str, guard: Guard, texts: &mut Vec<Text>) -> Option<TextId> {
    let rule = if guard == Guard::Prompt {
        Rule::Words
    } else {
        Rule::Speech
    };
    under(table, way, "say", (rule, guard), texts)
}

fn under(
    table: &Table<'_, '_>,
    way: &str,
    key: &str,
    (rule, guard): (Rule, Guard),
    texts: &mut Vec<Text>,
) -> Option<TextId> {
    let mut text = unchecked(table, key, rule, guard)?;
    text.key = format!("{way}.{key}");
    Some(keep(table.file, text, texts))
}

/// The menus, the first of them in front; none after a fault.
fn menus(root: &Table<'_, '_>, texts: &mut Vec<Text>) -> Option<Vec<Menu<TextId>>> {
    let Some(value) = root.entry("menu") else {
        return Some(Vec::new());
    };
    let DeValue::Table(entries) = value.get_ref() else {
        root.wrong_type("menu", value, "tables: [menu.main]");
        return None;
    };
    if entries.len() > MENUS_MAX {
        let message = format!("a campaign has {} menus", entries.len());
        let help = format!("at most {MENUS_MAX}: a call asks ten of them");
        root.file.fault(&root.key_place("menu"), message, help);
        return None;
    }
    let mut names: Vec<&str> = entries.keys().map(|key| key.get_ref().as_ref()).collect();
    let table = Table::new(root.file, "[menu]", value.span(), entries, &names);
    for name in &names {
        check_id(&table, name);
    }
    if !names.contains(&FIRST_MENU) {
        let place = names
            .first()
            .map_or_else(|| table.place(), |name| table.key_place(name));
        let help = "the menu that is asked first is [menu.main]";
        root.file.fault(&place, "no menu is called `main`", help);
        return None;
    }
    // In the order of the file, but the first one first.
    names.sort_by_key(|name| *name != FIRST_MENU);
    let read = names.iter().map(|name| menu(&table, name, &names, texts));
    let read: Vec<Option<Menu<TextId>>> = read.collect();
    read.into_iter().collect()
}

fn check_id(table: &Table<'_, '_>, id: &str) {
    let right = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let chars = id.chars().count();
    if (1..=MENU_ID_CHARS_MAX).contains(&chars) && id.chars().all(right) {
        return;
    }
    let message = format!("`{}` cannot be the name of a menu", id.escape_debug());
    let help = format!("letters a to z, digits, `_` and `-`, at most {MENU_ID_CHARS_MAX} of them");
    table.file.fault(&table.key_place(id), message, help);
}

fn menu(
    menus: &Table<'_, '_>,
    id: &str,
    names: &[&str],
    texts: &mut Vec<Text>,
) -> Option<Menu<TextId>> {
    let way = format!("menu.{id}");
    let title = format!("[{way}]");
    let table = menus.table(id, &title, &MENU)?;
    if !table.has("say") {
        table.missing("say", "say = \"Press 1 to confirm.\"");
    }
    let say = said(&table, &way, Guard::Prompt, texts);
    let repeat = table.integer("repeat", 0..=9).unwrap_or(REPEAT);
    let timeout = duration::read(&table, "timeout", TIMEOUTS);
    let timeout = timeout.map_or(TIMEOUT, |timeout| timeout.value);
    let asks = asks(&table, &way, names, texts);
    let otherwise = if table.has("otherwise") {
        choice(&table, "otherwise", &way, (&OTHERWISE, names), texts)
    } else {
        Some(goodbye())
    };
    Some(Menu {
        id: id.to_owned(),
        say: say?,
        repeat,
        timeout_ms: u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX),
        asks: asks?,
        otherwise: otherwise?,
    })
}

/// The call ends without a word.
fn goodbye() -> Choice<TextId> {
    Choice {
        response: None,
        say: None,
        suppress: None,
        next: Next::End,
    }
}

fn asks(
    table: &Table<'_, '_>,
    way: &str,
    names: &[&str],
    texts: &mut Vec<Text>,
) -> Option<Asks<TextId>> {
    let known = [&CHOICE[..], &[LONGEST]].concat();
    match (table.has("key"), table.has("digits")) {
        (true, true) => {
            let help = "keys that lead somewhere, or digits that are kept: not both";
            let message = "`key` and `digits` exclude each other";
            table.file.fault(&table.key_place("digits"), message, help);
            None
        }
        (false, false) => {
            let message = format!("{} offers nothing to press", table.title);
            let help = format!("add [{way}.key.1], or digits = 4");
            table.file.fault(&table.place(), message, help);
            None
        }
        (true, false) => {
            if table.has("then") {
                let help = "what follows on a key stands in the key's table";
                let message = "`then` goes with `digits`";
                table.file.fault(&table.key_place("then"), message, help);
            }
            keys(table, &format!("{way}.key"), (&known, names), texts).map(Asks::Keys)
        }
        (false, true) => {
            let count = table.integer("digits", 1..=32);
            let then = if table.has("then") {
                choice(table, "then", way, (&known, names), texts)
            } else {
                Some(goodbye())
            };
            Some(Asks::Digits {
                count: count?,
                then: then?,
            })
        }
    }
}

/// What may stand in the table of a choice, and the names of the menus.
type Known<'a> = (&'a [&'a str], &'a [&'a str]);

fn keys(
    table: &Table<'_, '_>,
    way: &str,
    known: Known<'_>,
    texts: &mut Vec<Text>,
) -> Option<Vec<(Key, Choice<TextId>)>> {
    let value = table.entry("key")?;
    let DeValue::Table(entries) = value.get_ref() else {
        table.wrong_type("key", value, &format!("tables: [{way}.1]"));
        return None;
    };
    let names: Vec<&str> = entries.keys().map(|key| key.get_ref().as_ref()).collect();
    let title = format!("[{way}]");
    let keys = Table::new(table.file, &title, value.span(), entries, &names);
    if names.is_empty() {
        let help = format!("add [{way}.1]");
        table
            .file
            .fault(&keys.place(), format!("{title} has no keys"), help);
        return None;
    }
    let mut read = Vec::new();
    let mut whole = true;
    for name in names {
        let place = keys.key_place(name);
        let choice = choice(&keys, name, way, known, texts);
        match (Key::parse(name), choice) {
            (None, _) => {
                let message = format!("`{}` is no key of a telephone", name.escape_debug());
                table.file.fault(&place, message, KEY_HELP);
                whole = false;
            }
            (Some(key), _) if read.iter().any(|(other, _)| *other == key) => {
                let message = format!("key `{}` is there twice", key.as_char());
                table.file.fault(&place, message, "give it one table");
                whole = false;
            }
            (Some(key), Some(choice)) => read.push((key, choice)),
            (Some(_), None) => whole = false,
        }
    }
    whole.then_some(read)
}

fn choice(
    parent: &Table<'_, '_>,
    name: &str,
    way: &str,
    (known, menus): Known<'_>,
    texts: &mut Vec<Text>,
) -> Option<Choice<TextId>> {
    let written = if name.chars().all(|c| c.is_ascii_alphanumeric()) {
        name.to_owned()
    } else {
        format!("\"{}\"", name.escape_debug())
    };
    let way = format!("{way}.{written}");
    let title = format!("[{way}]");
    let table = parent.table(name, &title, known)?;
    let response = response(&table);
    let say = said(&table, &way, Guard::Spoken, texts);
    let suppress = suppress(&table);
    let next = next(&table, &way, menus, texts);
    let whole = say.is_some() == table.has("say")
        && response.is_some() == table.has("response")
        && suppress.is_some() == table.has("suppress");
    Some(Choice {
        response,
        say,
        suppress,
        next: next.filter(|_| whole)?,
    })
}

fn response(table: &Table<'_, '_>) -> Option<String> {
    let Placed { value, place } = table.string("response")?;
    let chars = value.chars().count();
    let (message, help) = if is_template(value) {
        let help = "what is shown as pressed is the same for all rows";
        ("`response` cannot use a column", help)
    } else if value == MACHINE {
        let help = "that is what is shown of an answering machine: choose another word";
        ("`response` cannot be `machine`", help)
    } else if !(1..=RESPONSE_CHARS_MAX).contains(&chars)
        || value.trim() != value
        || value.chars().any(char::is_control)
    {
        let help = "1 to 64 characters on one line, none of them a space at an end";
        ("`response` cannot be shown", help)
    } else if value.contains(BETWEEN_RESPONSES) {
        let help = "that stands between the responses of a call where several were pressed";
        ("`response` has ` > `", help)
    } else {
        return Some(value.to_owned());
    };
    table.file.fault(&place, message, help);
    None
}

fn suppress(table: &Table<'_, '_>) -> Option<String> {
    let Placed { value, place } = table.string("suppress")?;
    let help = match check_list_name(value) {
        Ok(()) => return Some(value.to_owned()),
        Err(BadListName::Erased) => "that list is for people who were erased: name another",
        Err(BadListName::Length) => "a list's name has 1 to 64 characters",
    };
    let message = "`suppress` does not name a suppression list that numbers can be put on";
    table.file.fault(&place, message, help);
    None
}

/// What a choice leads to; none after a fault.
fn next(
    table: &Table<'_, '_>,
    way: &str,
    menus: &[&str],
    texts: &mut Vec<Text>,
) -> Option<Next<TextId>> {
    let mut given = ["menu", "connect", "conference"]
        .into_iter()
        .filter(|name| table.has(name));
    let (first, second) = (given.next(), given.next());
    if let (Some(first), Some(second)) = (first, second) {
        let message = format!("`{first}` and `{second}` exclude each other");
        let help = "a call goes one way";
        table.file.fault(&table.key_place(second), message, help);
        return None;
    }
    let longest = duration::read(table, LONGEST, LONGESTS);
    let goes_on = matches!(first, Some("connect" | "conference"));
    if goes_on && !table.has(LONGEST) {
        table.missing(LONGEST, LONGEST_HELP);
    } else if !goes_on && table.has(LONGEST) {
        let help = "it says how long that may last";
        let message = "`longest` goes with `connect` or `conference`";
        table.file.fault(&table.key_place(LONGEST), message, help);
        return None;
    }
    let seconds = longest.map(|it| u32::try_from(it.value.as_secs()).unwrap_or(CALL_S_MAX));
    match first {
        Some("menu") => target(table, menus).map(Next::Menu),
        Some("connect") => {
            let number = under(table, way, "connect", (Rule::Connect, Guard::Line), texts);
            Some(Next::Connect {
                number: number?,
                longest_s: seconds?,
            })
        }
        Some(_) => {
            let rule = (Rule::ConferenceId, Guard::Line);
            let id = under(table, way, "conference", rule, texts);
            Some(Next::Conference {
                id: id?,
                longest_s: seconds?,
            })
        }
        None => Some(Next::End),
    }
}

/// The place of the menu that a choice names.
fn target(table: &Table<'_, '_>, menus: &[&str]) -> Option<usize> {
    let Placed { value, place } = table.string("menu")?;
    let at = menus.iter().position(|name| *name == value);
    if at.is_none() {
        let names = || menus.iter().copied();
        let help = nearest(value, names()).map_or_else(
            || format!("the menus are {}", listed(names())),
            |near| format!("did you mean `{near}`?"),
        );
        let message = format!("there is no menu `{}`", value.escape_debug());
        table.file.fault(&place, message, help);
    }
    at
}

/// `[machine]`; the outer option is none after a fault.
#[expect(clippy::option_option, reason = "a fault, no table, a table")]
fn machine(root: &Table<'_, '_>, texts: &mut Vec<Text>) -> Option<Option<Machine<TextId>>> {
    if !root.has("machine") {
        return Some(None);
    }
    let known = ["do", "say", "not_sure", "counts_as"];
    let table = root.table("machine", "[machine]", &known)?;
    let does = one_of(
        &table,
        "do",
        &["leave", "leave after beep", "hang up", "ignore"],
    );
    let not_sure = one_of(&table, "not_sure", &["person", "machine"]);
    let counts = one_of(&table, "counts_as", &["unreached", "reached"]);
    let say = said(&table, "machine", Guard::Spoken, texts);
    let does = match (does?, say) {
        ("leave", Some(say)) => MachineDoes::Leave(say),
        ("leave after beep", Some(say)) => MachineDoes::LeaveAfterBeep(say),
        ("hang up", None) if !table.has("say") => MachineDoes::HangUp,
        ("ignore", None) if !table.has("say") => MachineDoes::Ignore,
        (_, None) => {
            if !table.has("say") {
                table.missing("say", "say = \"This is the clinic. Please call us back.\"");
            }
            return None;
        }
        (does, Some(_)) => {
            let message = format!("nothing is said to a machine with do = \"{does}\"");
            let help = "leave `say` out, or do = \"leave\"";
            root.file.fault(&table.key_place("say"), message, help);
            return None;
        }
    };
    Some(Some(Machine {
        does,
        not_sure_is_machine: not_sure? == "machine",
        counts: counts? == "reached",
    }))
}

/// One of some words, the first where nothing is said; none after a fault.
fn one_of<'w>(table: &Table<'_, '_>, key: &str, words: &[&'w str]) -> Option<&'w str> {
    if !table.has(key) {
        return words.first().copied();
    }
    let Placed { value, place } = table.string(key)?;
    let found = words.iter().find(|word| **word == value).copied();
    if found.is_none() {
        let help = nearest(value, words.iter().copied()).map_or_else(
            || format!("it is one of {}", listed(words.iter().copied())),
            |near| format!("did you mean \"{near}\"?"),
        );
        let message = format!("`{key}` cannot be `{}`", value.escape_debug());
        table.file.fault(&place, message, help);
    }
    found
}

/// `[reached]`; the outer option is none after a fault.
#[expect(clippy::option_option, reason = "a fault, no table, a table")]
fn reached(root: &Table<'_, '_>) -> Option<Option<Vec<Placed<String>>>> {
    const HELP: &str = "responses = [\"confirmed\", \"cancelled\"]";
    if !root.has("reached") {
        return Some(None);
    }
    let table = root.table("reached", "[reached]", &["responses"])?;
    if !table.has("responses") {
        table.missing("responses", HELP);
    }
    let value = table.entry("responses")?;
    let text = |item: &Spanned<DeValue<'_>>| {
        let value = item.get_ref().as_str()?.to_owned();
        let place = Place::of_string(item.span(), root.file.text, &value);
        Some(Placed { value, place })
    };
    let items = match value.get_ref() {
        DeValue::Array(items) => items.iter().map(text).collect::<Option<Vec<_>>>(),
        _ => None,
    };
    let Some(items) = items else {
        table.wrong_type("responses", value, &format!("a list of texts: {HELP}"));
        return None;
    };
    if items.is_empty() {
        let message = "nothing counts as reached: `responses` is empty";
        root.file.fault(&Place::of(value.span()), message, HELP);
        return None;
    }
    Some(Some(items))
}
