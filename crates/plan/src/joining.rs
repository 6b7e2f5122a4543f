//! One map of several files' keys: lists are appended, everything else stands once.
//!
//! What a key may hold is not known here and need not be: two lists under one key are joined, whatever the key. A key that
//! stands in two files otherwise stays in the map twice, and whoever opens the map reports it.

use std::collections::BTreeMap;

use crate::node::{Key, Node, Value};

/// The section that is a map of lists: its lists are joined, and not the maps that hold them alone.
const LOGS: &str = "logs";

/// Adds the keys of another file.
pub(crate) fn join(into: &mut Vec<(Key, Node)>, more: Vec<(Key, Node)>) {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for (index, (key, _)) in into.iter().enumerate() {
        places.entry(key.text.clone()).or_insert(index);
    }
    for (key, node) in more {
        let known = places.get(&key.text).and_then(|index| into.get_mut(*index));
        let Some((known_key, known)) = known else {
            into.push((key, node));
            continue;
        };
        match (&mut known.value, node.value) {
            (Value::List(items), Value::List(more)) => items.extend(more),
            (Value::Map(entries), Value::Map(more)) if key.text == LOGS => join(entries, more),
            // A key without a value counts as absent.
            (_, Value::Null) => {}
            (Value::Null, value) => {
                let span = node.span;
                (*known_key, *known) = (key, Node { value, span });
            }
            (_, value) => {
                let span = node.span;
                into.push((key, Node { value, span }));
            }
        }
    }
}
