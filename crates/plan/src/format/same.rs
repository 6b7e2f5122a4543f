//! Whether two texts say the same: what the formatter must never change.

use super::scalar::canonical;
use super::{item_type, key_type, shape};
use crate::Code;
use crate::grammar::{CONTACTS, Shape, Type};
use crate::node::{Node, Value, text_of};

/// A tree without what makes no difference: the order of keys, and the form of values that have one.
#[derive(PartialEq)]
enum Meaning {
    Nothing,
    Text(String),
    List(Vec<Meaning>),
    Map(Vec<(String, Meaning)>),
}

/// Whether two trees mean the same by the grammar.
pub(super) fn trees(one: &Node, other: &Node, root: &'static Shape) -> bool {
    let value = Type::Map(root);
    meaning(one, Some(&value)) == meaning(other, Some(&value))
}

fn meaning(node: &Node, value: Option<&Type>) -> Meaning {
    match &node.value {
        Value::Null => Meaning::Nothing,
        Value::Text(text) => {
            let best = value.and_then(|value| canonical(text, value));
            Meaning::Text(best.unwrap_or_else(|| text.clone()))
        }
        Value::List(items) => {
            let of = value.and_then(item_type);
            Meaning::List(items.iter().map(|item| meaning(item, of)).collect())
        }
        Value::Map(entries) => {
            let shape = shape(value, |key| text_of(entries, key));
            let entries = entries.iter().map(|(key, node)| {
                let value = key_type(value, shape, &key.text);
                (key.text.clone(), meaning(node, value))
            });
            let mut entries: Vec<(String, Meaning)> = entries.collect();
            entries.sort_by(|(one, _), (other, _)| one.cmp(other));
            Meaning::Map(entries)
        }
    }
}

/// Whether no comment was lost: whole lines by what they say, those behind values by their number.
pub(super) fn comments(one: &str, other: &str) -> bool {
    let signs = |text: &str| text.matches('#').count();
    let lines = |text: &str| {
        let lines = text.lines().map(str::trim);
        let mut lines: Vec<String> = lines
            .filter(|line| line.starts_with('#'))
            .map(str::to_owned)
            .collect();
        lines.sort();
        lines
    };
    signs(one) == signs(other) && lines(one) == lines(other)
}

/// Whether Belfry finds the same in both.
pub(super) fn findings(one: &str, other: &str, root: &'static Shape) -> bool {
    let codes = |text: &str| {
        let found = if root.noun == CONTACTS.noun {
            crate::parse_contacts("", text).1
        } else {
            crate::parse("", text).1
        };
        let mut codes: Vec<Code> = found.iter().map(|found| found.code).collect();
        codes.sort();
        codes
    };
    codes(one) == codes(other)
}
