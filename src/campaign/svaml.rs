//! Inline SVAML: read once as JSON or as a TOML table, then rendered leaf by leaf.
//!
//! The document's shape is fixed when the campaign is loaded; a row only ever fills strings, which
//! are encoded as JSON on the way out. A row can therefore not add an instruction. What may stand
//! in which place is in `svaml_check`.

use serde_json::Value as Json;
use toml::Spanned;
use toml::de::DeValue;

use super::guard::Guard;
use super::limits::Rule;
use super::place::{Place, SourceFile};
use super::prompts;
use super::svaml_check::{check_rules, check_shape};
use super::svaml_node::{Entry, Node, of_json, of_toml, offset};
use super::svaml_tree::{Document, Tree};
use super::table::{Placed, type_name};
use super::template::{Text, TextId};

/// Keys whose strings the platform reads as prompts.
const PROMPT_KEYS: [&str; 5] = [
    "ids",
    "mainprompt",
    "repeatprompt",
    "introprompt",
    "holdprompt",
];

/// Reads SVAML written as a JSON document in a string.
pub(super) fn from_json(
    file: &SourceFile<'_>,
    hook: &str,
    source: &Placed<&str>,
    texts: &mut Vec<Text>,
) -> Option<Document> {
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
) -> Document {
    let node = of_toml(file, value);
    document(file, hook, &node, texts)
}

/// Checks a document's shape and sets its texts apart.
fn document(file: &SourceFile<'_>, hook: &str, node: &Node, texts: &mut Vec<Text>) -> Document {
    check_shape(file, hook, node);
    let mut texts = Texts {
        file,
        known: texts,
        leaves: Vec::new(),
    };
    let tree = texts.node(node, "", hook, "");
    let leaves = texts.leaves;
    check_rules(file, hook, node);
    Document { tree, leaves }
}

/// Sets the texts of a document apart from what no row changes.
struct Texts<'a, 'f> {
    file: &'a SourceFile<'f>,
    known: &'a mut Vec<Text>,
    leaves: Vec<TextId>,
}

impl Texts<'_, '_> {
    /// `owner` is the `name` of the object the node belongs to, `key` what it stands under.
    fn node(&mut self, node: &Node, owner: &str, path: &str, key: &str) -> Tree {
        match node {
            Node::Fixed(json, _) => Tree::Fixed(json.clone()),
            Node::Text(text, place) => self.leaf(text, place, owner, path, key),
            Node::Array(items, _) => {
                let items = items.iter().enumerate();
                let items =
                    items.map(|(i, item)| self.node(item, owner, &format!("{path}[{i}]"), key));
                Tree::array(items.collect())
            }
            Node::Object(entries, _) => {
                let owner = node.get("name").and_then(Node::text).unwrap_or(owner);
                let entries = entries.iter().map(|Entry { key, value, .. }| {
                    let value = self.node(value, owner, &format!("{path}.{key}"), key);
                    (key.clone(), value)
                });
                Tree::object(entries.collect())
            }
        }
    }

    fn leaf(&mut self, source: &str, place: &Place, owner: &str, path: &str, key: &str) -> Tree {
        let (rule, guard) = leaf_rule(source, owner, path, key);
        let text = Text {
            key: path.to_owned(),
            source: source.to_owned(),
            place: place.clone(),
            rule,
            guard,
        };
        text.check(self.file);
        if text.is_template() || rule == Rule::OwnNumber {
            self.leaves.push(TextId(self.known.len()));
            self.known.push(text);
            Tree::Leaf(self.leaves.len() - 1)
        } else {
            Tree::Fixed(Json::from(source))
        }
    }
}

/// What a string of the document must be, by where it stands.
fn leaf_rule(source: &str, owner: &str, path: &str, key: &str) -> (Rule, Guard) {
    let (owner, key) = (owner.to_ascii_lowercase(), key.to_ascii_lowercase());
    if prompts::has_directive(source) || PROMPT_KEYS.contains(&key.as_str()) {
        return (Rule::Prompts, prompts::guard(source));
    }
    let rule = match (owner.as_str(), key.as_str()) {
        ("say", "text") => return (Rule::Speech, Guard::Spoken),
        ("connectpstn", "number") if path.eq_ignore_ascii_case("ice.action.number") => {
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
