//! A SVAML document as it will be written: a tree whose shape no row changes.
//!
//! A row's texts go in while the tree is serialised, by the same serialiser that writes the rest:
//! nothing is put together from pieces of JSON, and nothing is parsed again for a row.

use serde::ser::{SerializeMap as _, SerializeSeq as _};
use serde::{Serialize, Serializer};
use serde_json::Value as Json;

use super::template::TextId;

/// A document, and the texts that its leaves stand for.
#[derive(Debug, Clone)]
pub(super) struct Document {
    pub(super) tree: Tree,
    /// The texts, in the order of the leaves.
    pub(super) leaves: Vec<TextId>,
}

/// A part of a document.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tree {
    /// What no row changes.
    Fixed(Json),
    /// A text of the row: its place among the document's leaves.
    Leaf(usize),
    Array(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

impl Tree {
    fn fixed(&self) -> Option<&Json> {
        match self {
            Self::Fixed(json) => Some(json),
            Self::Leaf(_) | Self::Array(_) | Self::Object(_) => None,
        }
    }

    /// An array; fixed where all its items are.
    pub(super) fn array(items: Vec<Self>) -> Self {
        let fixed: Option<Vec<Json>> = items.iter().map(|item| item.fixed().cloned()).collect();
        fixed.map_or(Self::Array(items), |items| Self::Fixed(Json::Array(items)))
    }

    /// An object; fixed where all its values are.
    pub(super) fn object(entries: Vec<(String, Self)>) -> Self {
        let entry = |(key, value): &(String, Self)| Some((key.clone(), value.fixed()?.clone()));
        let fixed: Option<serde_json::Map<_, _>> = entries.iter().map(entry).collect();
        fixed.map_or(Self::Object(entries), |fixed| {
            Self::Fixed(Json::Object(fixed))
        })
    }
}

impl Document {
    /// The document as JSON text, with a row's texts in the order of `leaves`.
    pub(super) fn json(&self, texts: &[String]) -> String {
        let filled = Filled {
            tree: &self.tree,
            texts,
        };
        serde_json::to_string(&filled).expect("a tree of strings serialises")
    }
}

/// A tree with the texts of its leaves.
struct Filled<'a> {
    tree: &'a Tree,
    texts: &'a [String],
}

impl Serialize for Filled<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let below = |tree| Filled {
            tree,
            texts: self.texts,
        };
        match self.tree {
            Tree::Fixed(json) => json.serialize(serializer),
            Tree::Leaf(leaf) => serializer.serialize_str(&self.texts[*leaf]),
            Tree::Array(items) => {
                let mut array = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    array.serialize_element(&below(item))?;
                }
                array.end()
            }
            Tree::Object(entries) => {
                let mut object = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    object.serialize_entry(key, &below(value))?;
                }
                object.end()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_row_changes_is_one_part_and_texts_are_encoded() {
        let word = |text: &str| Tree::Fixed(Json::from(text));
        let fixed = Tree::array(vec![word("a"), Tree::object(vec![("b".into(), word("c"))])]);
        assert_eq!(fixed, Tree::Fixed(serde_json::json!(["a", {"b": "c"}])));
        let tree = Tree::object(vec![
            ("z\"".into(), Tree::array(vec![word("a"), Tree::Leaf(1)])),
            ("a".into(), Tree::Leaf(0)),
        ]);
        let leaves = vec![TextId(0), TextId(1)];
        let json = Document { tree, leaves }.json(&["\"},{\"".into(), "\\\n".into()]);
        assert_eq!(json, r#"{"z\"":["a","\\\n"],"a":"\"},{\""}"#);
    }
}
