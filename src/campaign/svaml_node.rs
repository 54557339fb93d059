//! A SVAML document as a tree with places, from JSON in a string or from a TOML table.
//!
//! JSON's reader keeps no places, so a string's place is looked for in the text, in order; a TOML
//! table has exact ones. What the tree must look like is `svaml`'s business.

use std::ops::Range;

use serde_json::Value as Json;
use toml::Spanned;
use toml::de::DeValue;

use crate::domain::svaml_check::{Step, Way};

use super::place::{Place, SourceFile};
use super::table::Placed;

/// A document with its places.
#[derive(Debug)]
pub(super) enum Node {
    Fixed(Json, Place),
    Text(String, Place),
    Array(Vec<Node>, Place),
    Object(Vec<Entry>, Place),
}

/// What an object has under one name.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    /// Where the name stands.
    pub(super) at: Place,
    pub(super) value: Node,
}

impl Node {
    /// Where it stands.
    pub(super) fn place(&self) -> &Place {
        match self {
            Self::Fixed(_, place)
            | Self::Text(_, place)
            | Self::Array(_, place)
            | Self::Object(_, place) => place,
        }
    }

    /// What an object has under a name, in any case: so the platform reads it.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        let Self::Object(entries, _) = self else {
            return None;
        };
        entries
            .iter()
            .find(|entry| entry.key.eq_ignore_ascii_case(name))
            .map(|entry| &entry.value)
    }

    /// The document as JSON, with its texts as they were written.
    pub(super) fn json(&self) -> Json {
        match self {
            Self::Fixed(json, _) => json.clone(),
            Self::Text(text, _) => Json::from(text.as_str()),
            Self::Array(items, _) => items.iter().map(Self::json).collect(),
            Self::Object(entries, _) => {
                let entries = entries.iter();
                entries
                    .map(|entry| (entry.key.clone(), entry.value.json()))
                    .collect()
            }
        }
    }

    /// The node at the end of a way, or the last on it that there is.
    pub(super) fn follow(&self, way: &Way) -> &Self {
        let mut node = self;
        for step in &way.0 {
            let next = match (step, node) {
                (Step::Name(name), node) => node.get(name),
                (Step::Item(item), Self::Array(items, _)) => items.get(*item),
                (Step::Item(_), _) => None,
            };
            match next {
                Some(next) => node = next,
                None => break,
            }
        }
        node
    }

    /// A string's content.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text, _) => Some(text),
            _ => None,
        }
    }
}

/// The byte range of the character at a line and column of a text, both from 1.
pub(super) fn offset(text: &str, line: usize, column: usize) -> Range<usize> {
    let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1));
    let start = starts.take(line.max(1)).last().unwrap_or(0);
    let mut at = (start + column.saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let width = text[at..].chars().next().map_or(0, char::len_utf8);
    at..at + width
}

/// A parsed JSON document with the places of its strings, looked for from `cursor` on.
pub(super) fn of_json(json: Json, source: &Placed<&str>, cursor: &mut usize) -> Node {
    match json {
        Json::String(text) => {
            let place = json_place(&text, source, cursor);
            Node::Text(text, place)
        }
        Json::Array(items) => {
            let items = items.into_iter().map(|item| of_json(item, source, cursor));
            Node::Array(items.collect(), source.place.clone())
        }
        Json::Object(entries) => {
            let mut place = None;
            let entries = entries.into_iter().map(|(key, value)| {
                let at = json_place(&key, source, cursor);
                place.get_or_insert_with(|| at.clone());
                let value = match of_json(value, source, cursor) {
                    // Only strings have a place that can be looked for.
                    Node::Fixed(json, _) => Node::Fixed(json, at.clone()),
                    Node::Array(items, _) => Node::Array(items, at.clone()),
                    other => other,
                };
                Entry { key, at, value }
            });
            let entries = entries.collect();
            Node::Object(entries, place.unwrap_or_else(|| source.place.clone()))
        }
        other => Node::Fixed(other, source.place.clone()),
    }
}

/// Where a string of the document stands: the next place that spells it as plainly as JSON does.
fn json_place(text: &str, source: &Placed<&str>, cursor: &mut usize) -> Place {
    let spelled = Json::from(text).to_string();
    match source.value[*cursor..].find(&spelled) {
        Some(found) => {
            let start = *cursor + found + 1;
            *cursor = start + spelled.len() - 1;
            source.place.within(start..start + spelled.len() - 2)
        }
        None => source.place.clone(),
    }
}

/// A TOML value as JSON, with exact places.
pub(super) fn of_toml(file: &SourceFile<'_>, value: &Spanned<DeValue<'_>>) -> Node {
    let place = Place::of(value.span());
    match value.get_ref() {
        DeValue::String(text) => {
            let place = Place::of_string(value.span(), file.text, text);
            Node::Text(text.to_string(), place)
        }
        DeValue::Boolean(flag) => Node::Fixed(Json::from(*flag), place),
        DeValue::Integer(number) => {
            let number = i64::from_str_radix(number.as_str(), number.radix());
            Node::Fixed(number.map_or(Json::Null, Json::from), place)
        }
        DeValue::Float(number) => {
            let number = number.as_str().parse::<f64>();
            Node::Fixed(number.map_or(Json::Null, Json::from), place)
        }
        DeValue::Datetime(time) => {
            let message = "SVAML has no dates or times";
            file.fault(&place, message, format!("write it in quotes: \"{time}\""));
            Node::Fixed(Json::Null, place)
        }
        DeValue::Array(items) => Node::Array(
            items.iter().map(|item| of_toml(file, item)).collect(),
            place,
        ),
        DeValue::Table(entries) => {
            let entry = |(key, value): (&Spanned<_>, _)| Entry {
                key: String::from(key.get_ref() as &str),
                at: Place::of(key.span()),
                value: of_toml(file, value),
            };
            Node::Object(entries.iter().map(entry).collect(), place)
        }
    }
}
