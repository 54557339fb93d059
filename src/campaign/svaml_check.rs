//! Whether a SVAML document can be what a campaign means, before any row.
//!
//! Which actions, instructions and fields there are, and where they may stand, is `domain::svaml`'s
//! business. What the documents do not name is warned of: the platform may know newer things.

use serde_json::Value as Json;

use crate::domain::svaml::{self, ACTIONS, CALL_S_MAX, Event, Field, INSTRUCTIONS, Term};
use crate::domain::svaml_check::{self, Step};

use super::fault::{listed, nearest};
use super::place::SourceFile;
use super::svaml_node::{Entry, Node};
use super::tokens::is_template;

/// What a document has.
const TOP: [&str; 2] = ["action", "instructions"];

/// Notes what the platform would not take of a document whose shape is right, by the check that the API's
/// client has. What a row will fill is looked at when it has, and what was noted already is not again.
pub(super) fn check_rules(file: &SourceFile<'_>, hook: &str, node: &Node) {
    if !file.is_new() {
        return;
    }
    for flaw in svaml_check::check(&node.json(), Event::parse(hook), is_template) {
        let place = node.follow(&flaw.way).place();
        let of_term = match flaw.way.0.as_slice() {
            [Step::Name(name)] => name == "action",
            [Step::Name(_), Step::Item(_)] => true,
            _ => false,
        };
        // Terms themselves are checked with better words below.
        if file.is_faulty(place) || of_term {
            continue;
        }
        let message = format!("`{hook}`: `{}` {}", flaw.way, flaw.message);
        let help = "the platform would not take it, and would end the call";
        file.fault(place, message, help);
    }
}

/// Notes what is wrong with a document.
pub(super) fn check_shape(file: &SourceFile<'_>, hook: &str, node: &Node) {
    let Node::Object(entries, place) = node else {
        let help = "SVAML is an object with one `action` and, where needed, `instructions`";
        file.fault(node.place(), format!("`{hook}` is not an object"), help);
        return;
    };
    for Entry { key, value, .. } in entries {
        if !TOP.iter().any(|name| key.eq_ignore_ascii_case(name)) {
            let help = nearest(key, TOP).map_or_else(
                || "SVAML has `action` and `instructions`".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            file.fault(
                value.place(),
                format!("`{hook}` has an unknown `{key}`"),
                help,
            );
        }
    }
    said_once(file, hook, node);
    match node.get("action") {
        None => {
            let help = "SVAML has exactly one action, such as {\"name\": \"hangup\"}";
            file.fault(place, format!("`{hook}` has no `action`"), help);
        }
        Some(action) => check_action(file, hook, action),
    }
    match node.get("instructions") {
        None => {}
        Some(Node::Array(items, _)) => {
            for item in items {
                if let Some(name) = named(file, hook, "an instruction", item) {
                    check_term(file, hook, item, name, &INSTRUCTIONS);
                }
            }
        }
        Some(other) => {
            let message = format!("`{hook}` has `instructions` that are not an array");
            file.fault(other.place(), message, "write them in brackets: [{…}, {…}]");
        }
    }
}

fn check_action(file: &SourceFile<'_>, hook: &str, action: &Node) {
    let Some(name) = named(file, hook, "`action`", action) else {
        return;
    };
    if hook != "ice" {
        check_term(file, hook, action, name, &ACTIONS);
        return;
    }
    if !name.eq_ignore_ascii_case("connectPstn") {
        let message = format!("`ice` of a callout cannot be answered with `{name}`");
        let help = "the platform allows `connectPstn` only";
        file.fault(action.place(), message, help);
    } else if action.get("number").and_then(Node::text).is_none() {
        let message = "`connectPstn` has no `number` in quotes";
        let help = "write the column with the number: \"number\": \"{{ phone }}\"";
        file.fault(action.place(), message, help);
    }
    if let Some(term) = svaml::find_term(&ACTIONS, name) {
        check_fields(file, action, term.name, true, term.fields);
    }
    if let Some(Node::Fixed(Json::Number(seconds), place)) = action.get("maxDuration")
        && !seconds
            .as_u64()
            .is_some_and(|s| (1..=u64::from(CALL_S_MAX)).contains(&s))
    {
        let help = format!("a whole number of seconds from 1 to {CALL_S_MAX}");
        file.fault(place, "`maxDuration` is out of range", help);
    }
}

/// The fixed name of an action or instruction.
fn named<'n>(file: &SourceFile<'_>, hook: &str, what: &str, node: &'n Node) -> Option<&'n str> {
    let name = node.get("name").and_then(Node::text);
    if name.is_none() {
        let message = format!("{what} in `{hook}` has no `name` in quotes");
        file.fault(node.place(), message, "such as {\"name\": \"hangup\"}");
    }
    let name = name?;
    if is_template(name) {
        let message = format!("{what} in `{hook}` takes its `name` from a row");
        file.fault(
            node.place(),
            message,
            "a row may fill texts, not choose what is done",
        );
        return None;
    }
    Some(name)
}

/// Whether an action or instruction may stand where it does. A name that the documents do not have
/// is warned of only: the platform may know newer ones.
fn check_term(file: &SourceFile<'_>, hook: &str, node: &Node, name: &str, terms: &'static [Term]) {
    let event = Event::parse(hook);
    let may = |term: &&Term| event.is_none_or(|event| term.may_answer(event));
    let allowed = || listed(terms.iter().filter(may).map(|term| term.name));
    let Some(term) = svaml::find_term(terms, name) else {
        let help = nearest(name, terms.iter().map(|term| term.name)).map_or_else(
            || format!("known are {}", allowed()),
            |near| format!("did you mean `{near}`?"),
        );
        let message = format!("`{hook}` has `{name}`, which the documents do not name");
        file.warn(node.place(), message, help);
        return;
    };
    if !may(&term) {
        let message = format!("`{hook}` cannot be answered with `{name}`");
        file.fault(
            node.place(),
            message,
            format!("there may stand {}", allowed()),
        );
    }
    check_fields(file, node, term.name, true, term.fields);
}

/// Warns of fields that the documents do not have, in an object and in those below it. Only
/// actions and instructions themselves are `named`.
fn check_fields(
    file: &SourceFile<'_>,
    node: &Node,
    owner: &str,
    named: bool,
    fields: &'static [Field],
) {
    match node {
        Node::Array(items, _) => {
            for item in items {
                check_fields(file, item, owner, named, fields);
            }
        }
        Node::Object(entries, _) => {
            for Entry { key, at, value } in entries {
                if named && key.eq_ignore_ascii_case("name") {
                    continue;
                }
                if let Some(field) = svaml::find_field(fields, key) {
                    let below = field.shape.fields();
                    if !below.is_empty() {
                        check_fields(file, value, field.name, false, below);
                    }
                } else {
                    let known = || fields.iter().map(|field| field.name);
                    let help = nearest(key, known()).map_or_else(
                        || format!("`{owner}` has {}", listed(known())),
                        |near| format!("did you mean `{near}`?"),
                    );
                    let message = format!("`{owner}` has no `{key}` in the documents");
                    file.warn(at, message, help);
                }
            }
        }
        Node::Fixed(..) | Node::Text(..) => {}
    }
}

/// Notes a name that an object has twice in different cases: nobody knows which the platform takes.
fn said_once(file: &SourceFile<'_>, hook: &str, node: &Node) {
    match node {
        Node::Array(items, _) => items.iter().for_each(|item| said_once(file, hook, item)),
        Node::Object(entries, _) => {
            for (i, Entry { key, at, value }) in entries.iter().enumerate() {
                let mut before = entries[..i].iter();
                if before.any(|other| other.key.eq_ignore_ascii_case(key)) {
                    let message = format!("`{hook}` has `{key}` twice in one object");
                    file.fault(at, message, "names in SVAML do not differ by case");
                }
                said_once(file, hook, value);
            }
        }
        Node::Fixed(..) | Node::Text(..) => {}
    }
}
