//! `[callout.tts]`, `[callout.conference]` and `[callout.custom]`: what is asked of the platform.
//!
//! The keys are those of the API in snake case (`FACTS` §3). A key that holds text is kept as a
//! [`TextId`] into the campaign's texts, for `script` to render; the rest is read to its final type.

use toml::de::DeValue;

use crate::domain::svaml::CALL_S_MAX;
use crate::domain::{ConferenceDtmf, DestinationKind, Speech};

use super::form::{Body, Conference, Custom, Enable, Form, Hook, Keys, Tts};
use super::guard::Guard;
use super::limits::{HEADERS_MAX, Rule, header_name};
use super::place::{Place, SourceFile};
use super::prompts;
use super::svaml;
use super::table::{Placed, Table};
use super::template::{Text, TextId};

const KINDS: [&str; 3] = ["tts", "conference", "custom"];
const TTS: [&str; 11] = [
    "cli",
    "domain",
    "custom",
    "locale",
    "text",
    "prompts",
    "dtmf",
    "enable_ace",
    "enable_dice",
    "enable_pie",
    "headers",
];
const CONFERENCE: [&str; 14] = [
    "cli",
    "conference_id",
    "domain",
    "custom",
    "locale",
    "greeting",
    "conference_dtmf_options",
    "moh_class",
    "max_duration",
    "dtmf",
    "enable_ace",
    "enable_dice",
    "enable_pie",
    "headers",
];
const CUSTOM: [&str; 12] = [
    "cli",
    "custom",
    "max_duration",
    "dtmf",
    "ice",
    "ace",
    "pie",
    "dice",
    "enable_ace",
    "enable_dice",
    "pop",
    "headers",
];
const DOMAINS: &[&str] = &["pstn", "mxp"];
const MUSIC: &[&str] = &["ring", "music1", "music2", "music3"];
const MODES: &[&str] = &["ignore", "forward", "detect"];

const CLI_HELP: &str =
    "the platform accepts a callout without `cli`, and no phone rings: cli = \"+46100000000\"";

/// Reads `[callout]`: the form, and the texts it points at.
pub(super) fn read(root: &Table<'_, '_>, kind: DestinationKind) -> Option<(Form, Vec<Text>)> {
    if !root.has("callout") {
        root.missing(
            "callout",
            "add [callout.tts], [callout.conference] or [callout.custom]",
        );
        return None;
    }
    let table = root.table("callout", "[callout]", &KINDS)?;
    let mut given = KINDS.into_iter().filter(|name| table.has(name));
    let (name, second) = (given.next(), given.next());
    let help = "exactly one of [callout.tts], [callout.conference] and [callout.custom]";
    if let Some(second) = second {
        root.file.fault(
            &table.key_place(second),
            "a campaign has one kind of callout",
            help,
        );
        return None;
    }
    let Some(name) = name else {
        root.file
            .fault(&table.place(), "[callout] says no kind of callout", help);
        return None;
    };
    let mut texts = Vec::new();
    let form = match name {
        "tts" => tts(&table.table(name, "[callout.tts]", &TTS)?, &mut texts)?,
        "conference" => {
            let table = table.table(name, "[callout.conference]", &CONFERENCE)?;
            conference(&table, &mut texts)?
        }
        _ => {
            let table = table.table(name, "[callout.custom]", &CUSTOM)?;
            custom(&table, kind, &mut texts)
        }
    };
    Some((form, texts))
}

/// A text under a key, checked as far as that goes without a list.
fn text(
    table: &Table<'_, '_>,
    key: &str,
    rule: Rule,
    guard: Guard,
    texts: &mut Vec<Text>,
) -> Option<TextId> {
    let text = unchecked(table, key, rule, guard)?;
    Some(keep(table.file, text, texts))
}

/// The same, before it is checked and has its place among the texts.
pub(super) fn unchecked(
    table: &Table<'_, '_>,
    key: &str,
    rule: Rule,
    guard: Guard,
) -> Option<Text> {
    let Placed { value, place } = table.string(key)?;
    Some(Text {
        key: key.to_owned(),
        source: value.to_owned(),
        place,
        rule,
        guard,
    })
}

pub(super) fn keep(file: &SourceFile<'_>, text: Text, texts: &mut Vec<Text>) -> TextId {
    text.check(file);
    texts.push(text);
    TextId(texts.len() - 1)
}

/// A text of one line.
fn line(table: &Table<'_, '_>, key: &str, rule: Rule, texts: &mut Vec<Text>) -> Option<TextId> {
    text(table, key, rule, Guard::Line, texts)
}

fn enable(table: &Table<'_, '_>) -> Enable {
    Enable {
        ace: table.boolean("enable_ace"),
        dice: table.boolean("enable_dice"),
        pie: table.boolean("enable_pie"),
    }
}

fn form(table: &Table<'_, '_>, body: Body, texts: &mut Vec<Text>) -> Form {
    Form {
        body,
        custom: line(table, "custom", Rule::Custom, texts),
        headers: headers(table, texts),
    }
}

fn tts(table: &Table<'_, '_>, texts: &mut Vec<Text>) -> Option<Form> {
    if !table.has("cli") {
        table.missing("cli", CLI_HELP);
    }
    let cli = line(table, "cli", Rule::Cli { private: false }, texts);
    let speech = speech(table, texts);
    let said = speech.is_some();
    let body = Tts {
        cli: cli.unwrap_or(TextId(0)),
        domain: line(table, "domain", Rule::OneOf(DOMAINS), texts),
        locale: line(table, "locale", Rule::Locale, texts),
        speech: speech.unwrap_or(Speech::Text(TextId(0))),
        dtmf: line(table, "dtmf", Rule::Dtmf, texts),
        enable: enable(table),
    };
    let form = form(table, Body::Tts(body), texts);
    // Without either the form is not used: the fault is noted.
    (cli.is_some() && said).then_some(form)
}

fn speech(table: &Table<'_, '_>, texts: &mut Vec<Text>) -> Option<Speech<TextId>> {
    match (table.has("text"), table.has("prompts")) {
        (true, true) => {
            let place = table.key_place("prompts");
            let help = "give `text`, or `prompts`, not both";
            table
                .file
                .fault(&place, "`text` and `prompts` exclude each other", help);
            None
        }
        (false, false) => {
            table.missing("text", "give `text` (words to speak) or `prompts`");
            None
        }
        (true, false) => text(table, "text", Rule::Speech, Guard::Spoken, texts).map(Speech::Text),
        (false, true) => {
            let value = table.string("prompts")?;
            let items = prompts::split(table.file, &value);
            let ids = items.into_iter().map(|item| keep(table.file, item, texts));
            Some(Speech::Prompts(ids.collect()))
        }
    }
}

fn conference(table: &Table<'_, '_>, texts: &mut Vec<Text>) -> Option<Form> {
    if !table.has("cli") {
        table.missing("cli", CLI_HELP);
    }
    if !table.has("conference_id") {
        table.missing(
            "conference_id",
            "name the conference: conference_id = \"team\"",
        );
    }
    let cli = line(table, "cli", Rule::Cli { private: true }, texts);
    let conference_id = line(table, "conference_id", Rule::ConferenceId, texts);
    let body = Conference {
        cli: cli.unwrap_or(TextId(0)),
        id: conference_id.unwrap_or(TextId(0)),
        domain: line(table, "domain", Rule::OneOf(DOMAINS), texts),
        locale: line(table, "locale", Rule::Locale, texts),
        greeting: text(table, "greeting", Rule::Speech, Guard::Spoken, texts),
        keys: keys(table, texts),
        moh_class: line(table, "moh_class", Rule::OneOf(MUSIC), texts),
        max_duration_s: table.integer("max_duration", 1..=CALL_S_MAX),
        dtmf: line(table, "dtmf", Rule::Dtmf, texts),
        enable: enable(table),
    };
    let form = form(table, Body::Conference(body), texts);
    // Without either the form is not used: the fault is noted.
    (cli.is_some() && conference_id.is_some()).then_some(form)
}

fn keys(table: &Table<'_, '_>, texts: &mut Vec<Text>) -> Option<Keys> {
    let title = "[callout.conference.conference_dtmf_options]";
    let known = ["mode", "max_digits", "timeout_mills"];
    let options = table.table("conference_dtmf_options", title, &known)?;
    let mode = line(&options, "mode", Rule::OneOf(MODES), texts);
    let fixed = ConferenceDtmf {
        mode: None,
        max_digits: options.integer("max_digits", 1..=u32::MAX),
        timeout_ms: options.integer("timeout_mills", 1..=u32::MAX),
    };
    Some(Keys { mode, fixed })
}

fn custom(table: &Table<'_, '_>, kind: DestinationKind, texts: &mut Vec<Text>) -> Form {
    let body = Custom {
        cli: line(table, "cli", Rule::Cli { private: true }, texts),
        max_duration_s: table.integer("max_duration", 1..=CALL_S_MAX),
        dtmf: line(table, "dtmf", Rule::Dtmf, texts),
        ice: hook(table, "ice", texts),
        ace: hook(table, "ace", texts),
        pie: hook(table, "pie", texts),
        dice: hook(table, "dice", texts),
        enable_ace: table.boolean("enable_ace"),
        enable_dice: table.boolean("enable_dice"),
        pop: line(table, "pop", Rule::Pop, texts),
    };
    if body.has_inline_ice() {
        if table.has("cli") {
            let help = "put it inside the action: \"connectPstn\" has its own `cli`";
            table.file.fault(
                &table.key_place("cli"),
                "inline `ice` takes no `cli` beside it",
                help,
            );
        }
        let others = match kind {
            DestinationKind::Number => None,
            DestinationKind::Username => Some(("users", "user names")),
            DestinationKind::Sip => Some(("them", "SIP addresses")),
        };
        if let Some((them, names)) = others {
            let help = format!("use an address as `ice`, or none, to call {them}");
            let message = format!("inline `ice` dials numbers, the list has {names}");
            table.file.fault(&table.key_place("ice"), message, help);
        }
    } else if body.ice.is_none() && !table.has("ice") && !table.has("cli") {
        let message = "[callout.custom] has neither `cli` nor `ice`";
        table.file.warn(
            &table.place(),
            message,
            "without a `cli` the phone may never ring",
        );
    }
    form(table, Body::Custom(body), texts)
}

fn hook(table: &Table<'_, '_>, name: &str, texts: &mut Vec<Text>) -> Option<Hook> {
    let inline = |document| Hook::Svaml(Box::new(document));
    let value = table.entry(name)?;
    match value.get_ref() {
        DeValue::Table(_) => Some(inline(svaml::from_toml(table.file, name, value, texts))),
        DeValue::String(source) => {
            let trimmed = source.trim_start();
            let code = ["{{", "{%", "{#"]
                .iter()
                .any(|open| trimmed.starts_with(open));
            if trimmed.starts_with('{') && !code {
                let source = table.string(name)?;
                return svaml::from_json(table.file, name, &source, texts).map(inline);
            }
            if ["http://", "https://"]
                .iter()
                .any(|start| source.starts_with(start))
            {
                return text(table, name, Rule::Url, Guard::Address, texts).map(Hook::Url);
            }
            let place = Place::of(value.span());
            let help = "begin it with https://, http:// or, for SVAML as JSON, with {";
            table.file.fault(
                &place,
                format!("`{name}` is neither an address nor SVAML"),
                help,
            );
            None
        }
        _ => {
            svaml::wrong_value(table.file, name, value);
            None
        }
    }
}

fn headers(table: &Table<'_, '_>, texts: &mut Vec<Text>) -> Vec<(String, TextId)> {
    let Some(value) = table.entry("headers") else {
        return Vec::new();
    };
    let DeValue::Table(entries) = value.get_ref() else {
        table.wrong_type(
            "headers",
            value,
            "a table: headers = { \"X-CB-Team\" = \"blue\" }",
        );
        return Vec::new();
    };
    let names: Vec<&str> = entries.keys().map(|key| key.get_ref().as_ref()).collect();
    let entries = Table::new(table.file, "[headers]", value.span(), entries, &names);
    let mut read = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for (i, (name, _)) in entries.iter().enumerate() {
        let place = entries.key_place(name);
        if let Err(problem) = header_name(name) {
            table.file.fault(&place, problem.message, problem.help);
        } else if !seen.insert(name.to_ascii_lowercase()) {
            let help = "names of headers do not differ by case";
            table
                .file
                .fault(&place, format!("header `{name}` is given twice"), help);
        }
        if i == HEADERS_MAX {
            let message = format!("more than {HEADERS_MAX} headers");
            table.file.fault(
                &place,
                message,
                "the platform takes five and drops the rest",
            );
        }
        if let Some(id) = line(&entries, name, Rule::HeaderValue, texts) {
            read.push((name.to_owned(), id));
        }
    }
    read
}
