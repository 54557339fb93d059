//! Inline SVAML: read once as JSON or as a TOML table, then rendered leaf by leaf.
//!
//! The document's shape is fixed when the campaign is loaded; a row only ever fills strings, which
//! are encoded as JSON on the way out. A row can therefore not add an instruction. What the
//! platform allows in which place is in `FACTS` §6.

use serde_json::Value as Json;
use toml::Spanned;
use toml::de::DeValue;

use super::fault::{listed, nearest};
use super::guard::Guard;
use super::limits::{CALL_S_MAX, Rule};
use super::place::{Place, SourceFile};
use super::prompts;
use super::svaml_node::{Node, of_json, of_toml, offset};
use super::table::{Placed, type_name};
use super::template::{Text, TextId};
use super::tokens::is_template;

const ACTIONS: [&str; 8] = [
    "hangup",
    "continue",
    "connectPstn",
    "connectMxp",
    "connectConf",
    "connectSip",
    "runMenu",
    "park",
];
const INSTRUCTIONS: [&str; 8] = [
    "playFiles",
    "say",
    "sendDtmf",
    "setCookie",
    "answer",
    "startRecording",
    "stopRecording",
    "reportCallStatus",
];
/// Keys whose strings the platform reads as prompts.
const PROMPT_KEYS: [&str; 5] = [
    "ids",
    "mainprompt",
    "repeatprompt",
    "introprompt",
    "holdprompt",
];

/// A document as it will be written: fixed JSON with rendered strings in between.
#[derive(Debug, Clone)]
pub(super) enum Piece {
    /// JSON that no row changes.
    Fixed(String),
    /// A string that is rendered and encoded.
    Leaf(TextId),
}

/// Reads SVAML written as a JSON document in a string.
pub(super) fn from_json(
    file: &SourceFile<'_>,
    hook: &str,
    source: &Placed<&str>,
    texts: &mut Vec<Text>,
) -> Option<Vec<Piece>> {
    let json: Json = match serde_json::from_str(source.value) {
        Ok(json) => json,
        Err(error) => {
            let at = offset(source.value, error.line(), error.column());
            let message = format!("`{hook}` is not a JSON document: {error}");
            let help = "give a web address, or SVAML as JSON: {\"action\": {\"name\": …}}";
            file.fault(&source.place.within(at), message, help);
            return None;
        }
    };
    let mut cursor = 0;
    let node = of_json(json, source, &mut cursor);
    Some(document(file, hook, &node, texts))
}

/// Reads SVAML written as a TOML table.
pub(super) fn from_toml(
    file: &SourceFile<'_>,
    hook: &str,
    value: &Spanned<DeValue<'_>>,
    texts: &mut Vec<Text>,
) -> Vec<Piece> {
    let node = of_toml(file, value);
    document(file, hook, &node, texts)
}

/// Checks a document's shape and flattens it.
fn document(file: &SourceFile<'_>, hook: &str, node: &Node, texts: &mut Vec<Text>) -> Vec<Piece> {
    check_shape(file, hook, node);
    let mut flat = Flat {
        file,
        hook,
        texts,
        pieces: vec![Piece::Fixed(String::new())],
    };
    flat.node(node, "", hook, "");
    flat.pieces
}

fn check_shape(file: &SourceFile<'_>, hook: &str, node: &Node) {
    let Node::Object(entries, place) = node else {
        let help = "SVAML is an object with one `action` and, where needed, `instructions`";
        file.fault(node.place(), format!("`{hook}` is not an object"), help);
        return;
    };
    for (key, value) in entries {
        if key != "action" && key != "instructions" {
            let help = nearest(key, ["action", "instructions"]).map_or_else(
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
                    doubt(file, hook, item, name, &INSTRUCTIONS);
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
        doubt(file, hook, action, name, &ACTIONS);
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

/// Warns of a name that the documents do not have; the platform may know newer ones.
fn doubt(file: &SourceFile<'_>, hook: &str, node: &Node, name: &str, known: &[&str]) {
    if !known.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        let help = nearest(name, known.iter().copied()).map_or_else(
            || format!("known are {}", listed(known.iter().copied())),
            |near| format!("did you mean `{near}`?"),
        );
        let message = format!("`{hook}` has `{name}`, which the documents do not name");
        file.warn(node.place(), message, help);
    }
}

/// Writes a document as pieces and collects its texts.
struct Flat<'a, 'f> {
    file: &'a SourceFile<'f>,
    hook: &'a str,
    texts: &'a mut Vec<Text>,
    pieces: Vec<Piece>,
}

impl Flat<'_, '_> {
    fn fixed(&mut self, json: &str) {
        match self.pieces.last_mut() {
            Some(Piece::Fixed(text)) => text.push_str(json),
            _ => self.pieces.push(Piece::Fixed(json.to_owned())),
        }
    }

    /// `owner` is the `name` of the object the node belongs to, `key` what it stands under.
    fn node(&mut self, node: &Node, owner: &str, path: &str, key: &str) {
        match node {
            Node::Fixed(json, _) => self.fixed(&json.to_string()),
            Node::Text(text, place) => self.leaf(text, place, owner, path, key),
            Node::Array(items, _) => {
                self.fixed("[");
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        self.fixed(",");
                    }
                    self.node(item, owner, &format!("{path}[{i}]"), key);
                }
                self.fixed("]");
            }
            Node::Object(entries, _) => {
                let owner = node.get("name").and_then(Node::text).unwrap_or(owner);
                self.fixed("{");
                for (i, (key, value)) in entries.iter().enumerate() {
                    if i > 0 {
                        self.fixed(",");
                    }
                    self.fixed(&Json::from(key.as_str()).to_string());
                    self.fixed(":");
                    self.node(value, owner, &format!("{path}.{key}"), key);
                }
                self.fixed("}");
            }
        }
    }

    fn leaf(&mut self, source: &str, place: &Place, owner: &str, path: &str, key: &str) {
        let (rule, guard) = leaf_rule(self.hook, source, owner, path, key);
        let text = Text {
            key: path.to_owned(),
            source: source.to_owned(),
            place: place.clone(),
            rule,
            guard,
        };
        text.check(self.file);
        if text.is_template() || rule == Rule::OwnNumber {
            self.pieces.push(Piece::Leaf(TextId(self.texts.len())));
            self.texts.push(text);
        } else {
            self.fixed(&Json::from(source).to_string());
        }
    }
}

/// What a string of the document must be, by where it stands.
fn leaf_rule(hook: &str, source: &str, owner: &str, path: &str, key: &str) -> (Rule, Guard) {
    let (owner, key) = (owner.to_ascii_lowercase(), key.to_ascii_lowercase());
    if prompts::has_directive(source) || PROMPT_KEYS.contains(&key.as_str()) {
        return (Rule::Prompts, prompts::guard(source));
    }
    let rule = match (owner.as_str(), key.as_str()) {
        ("say", "text") => return (Rule::Speech, Guard::Spoken),
        ("connectpstn", "number") if hook == "ice" && path == "ice.action.number" => {
            Rule::OwnNumber
        }
        ("connectpstn", "cli") => Rule::Cli { private: true },
        ("connectpstn", "dtmf") | ("senddtmf", "value") => Rule::Dtmf,
        ("connectconf", "conferenceid") => Rule::ConferenceId,
        (_, "locale") => Rule::Locale,
        _ => Rule::Free,
    };
    (rule, Guard::Line)
}

/// What a hook's value is when it is neither a string nor a table.
pub(super) fn wrong_value(file: &SourceFile<'_>, hook: &str, value: &Spanned<DeValue<'_>>) {
    let message = format!("`{hook}` is {}", type_name(value.get_ref()));
    let help = "give a web address, SVAML as JSON in quotes, or SVAML as a table";
    file.fault(&Place::of(value.span()), message, help);
}
