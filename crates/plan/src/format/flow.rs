//! Collections in brackets: `[a, b]`, `{key: value}`. They stay in brackets, since that is their author's choice.

use super::scalar;
use super::{item_type, key_type, snippet, sorted};
use crate::grammar::Type;
use crate::literal::Place;
use crate::node::{Node, Value, text_of};

/// A collection of one line as it shall be written; `raw` is how it is.
pub(super) fn formatted(raw: &str, value: Option<&Type>) -> String {
    let plain = !has_references(raw);
    let tree = snippet(raw).filter(|_| plain);
    let formatted = tree.and_then(|tree| collection(raw, &tree, value));
    formatted.unwrap_or_else(|| raw.to_owned())
}

/// Anchors, aliases and tags would be lost with the tree; what only looks like them (`!=`) stands in texts that stay.
fn has_references(raw: &str) -> bool {
    let signs = |(at, sign): (usize, char)| {
        "&*!".contains(sign) && raw[..at].ends_with([' ', '[', '{', ',', ':'])
    };
    raw.char_indices().any(signs)
}

fn collection(raw: &str, node: &Node, value: Option<&Type>) -> Option<String> {
    match &node.value {
        Value::Null => None,
        Value::Text(_) => {
            let written = raw.get(node.span.clone())?;
            Some(scalar::formatted(written, value, Place::Flow))
        }
        Value::List(items) => {
            let of = value.and_then(item_type);
            let items = items.iter().map(|item| collection(raw, item, of));
            let items: Option<Vec<String>> = items.collect();
            Some(format!("[{}]", items?.join(", ")))
        }
        Value::Map(entries) => {
            let names: Vec<&str> = entries.iter().map(|(key, _)| &*key.text).collect();
            let shape = super::shape(value, |key| text_of(entries, key));
            let entries = sorted(&names, shape).into_iter().map(|at| {
                let (key, node) = &entries[at];
                let value = collection(raw, node, key_type(value, shape, &key.text))?;
                let name = raw.get(key.span.clone())?;
                Some(format!("{name}: {value}"))
            });
            let entries: Option<Vec<String>> = entries.collect();
            Some(format!("{{{}}}", entries?.join(", ")))
        }
    }
}
