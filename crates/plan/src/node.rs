//! A text as a tree: every scalar as the text that was written, every part with its place.
//!
//! Scalars stay text because the plan decides what a value is, not YAML: `for: 5` is a duration without a unit, not the
//! number five, and `name: no` is a name.

use std::ops::Range;

/// A value and where it stands.
pub(crate) struct Node {
    pub(crate) value: Value,
    /// Bytes in the row of all files (`files`). A block map or list is marked by its first line's first part, since marking all of it marks nothing.
    pub(crate) span: Range<usize>,
}

pub(crate) enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// A scalar.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order of the text, with repeated keys.
    Map(Vec<(Key, Node)>),
}

/// A map's key.
pub(crate) struct Key {
    pub(crate) text: String,
    pub(crate) span: Range<usize>,
}

impl Node {
    /// How many scalars, lists and maps it holds, itself among them.
    pub(crate) fn count(&self) -> usize {
        1 + match &self.value {
            Value::Null | Value::Text(_) => 0,
            Value::List(items) => items.iter().map(Node::count).sum::<usize>(),
            Value::Map(entries) => entries.iter().map(|(_, value)| 1 + value.count()).sum(),
        }
    }
}

impl Value {
    /// What it is, for messages.
    pub(crate) fn shape(&self) -> &'static str {
        match self {
            Value::Null => "nothing",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }
}

/// The text under a key of a map, where it is one.
pub(crate) fn text_of<'n>(entries: &'n [(Key, Node)], key: &str) -> Option<&'n str> {
    let (_, node) = entries.iter().find(|(own, _)| own.text == key)?;
    match &node.value {
        Value::Text(text) => Some(text),
        Value::Null | Value::List(_) | Value::Map(_) => None,
    }
}
