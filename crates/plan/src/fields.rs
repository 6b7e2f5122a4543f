//! A map of the text, read key by key along its shape: what is missing, repeated or unknown is reported, and reading goes
//! on.

use std::ops::Range;

use crate::context::Context;
use crate::diagnostics::{all, quote};
use crate::grammar::Shape;
use crate::node::{Key, Node, Value};
use crate::suggest::did_you_mean;
use crate::{Code, Origin, values};

/// The key that marks what does not stand in the document that a plan was made from. Any map of a plan may have it.
pub(crate) const ADDED: &str = "added";

/// One map, with note of which keys were asked for.
pub(crate) struct Fields<'n> {
    entries: &'n [(Key, Node)],
    shape: &'static Shape,
    span: Range<usize>,
    /// Keys that were asked for, so that no key of the shape can be forgotten.
    asked: Vec<&'static str>,
    /// Keys that were looked for only to refuse them with better words than "unknown key".
    refused: Vec<&'static str>,
}

impl<'n> Fields<'n> {
    /// Opens a map; reports when the node is none and when a key is repeated.
    pub(crate) fn open(
        context: &mut Context<'_>,
        node: &'n Node,
        shape: &'static Shape,
    ) -> Option<Fields<'n>> {
        Some(Fields {
            entries: entries(context, node, shape.noun)?,
            shape,
            span: node.span.clone(),
            asked: Vec::new(),
            refused: Vec::new(),
        })
    }

    /// Goes on with the shape of a variant, once the word is read that decides it.
    pub(crate) fn narrow(&mut self, shape: &'static Shape) {
        self.shape = shape;
    }

    /// The first part of the map, for errors about the whole of it.
    pub(crate) fn span(&self) -> &Range<usize> {
        &self.span
    }

    /// The value of a key that may be absent. A key without a value counts as absent.
    pub(crate) fn optional(&mut self, key: &'static str) -> Option<&'n Node> {
        let declared = self.shape.key(key);
        let what = self.shape.noun;
        debug_assert!(
            declared.is_some_and(|declared| !declared.required),
            "`{key}` of {what} is optional in the converter, but not in the grammar"
        );
        self.value(key)
    }

    /// The value of a key that the caller refuses with words of its own.
    pub(crate) fn refused(&mut self, key: &'static str) -> Option<&'n Node> {
        self.refused.push(key);
        let (_, node) = self.entries.iter().find(|(own, _)| own.text == key)?;
        Some(node)
    }

    /// The value of a key that must be there; reports when it is not.
    pub(crate) fn required(
        &mut self,
        context: &mut Context<'_>,
        key: &'static str,
        help: &str,
    ) -> Option<&'n Node> {
        let declared = self.shape.key(key);
        let what = self.shape.noun;
        debug_assert!(
            declared.is_some_and(|declared| declared.required || self.shape.is_of_a_form(key)),
            "`{key}` of {what} is required in the converter, but not in the grammar"
        );
        let value = self.value(key);
        if value.is_none() {
            self.missing(context, key, help);
        }
        value
    }

    /// Reports a key that must be there and is not.
    pub(crate) fn missing(&self, context: &mut Context<'_>, key: &'static str, help: &str) {
        let what = self.shape.noun;
        let written = self.entries.iter().find(|(own, _)| own.text == key);
        match written {
            Some((own, _)) => {
                let message = format!("`{key}` of {what} has no value");
                context.error(Code::Empty, &own.span, message, "no value", help);
            }
            None => {
                let message = format!("{what} needs the key `{key}`");
                context.error(
                    Code::MissingKey,
                    &self.span,
                    message,
                    "it is missing here",
                    help,
                );
            }
        }
    }

    /// Reports every key that the shape does not have.
    pub(crate) fn finish(self, context: &mut Context<'_>) {
        self.check_all_asked();
        let names: Vec<&str> = self.shape.keys.iter().map(|key| key.name).collect();
        for (key, node) in self.entries {
            if key.text == ADDED && context.marks_added {
                self.check_added(context, node);
                continue;
            }
            let known = names.iter().chain(&self.refused);
            if known.into_iter().any(|own| *own == key.text) {
                continue;
            }
            let message = format!("{} has no key {}", self.shape.noun, quote(&key.text));
            let meant = did_you_mean(&key.text, names.iter().copied());
            let possible = format!("its keys are {}", all(&names));
            let help = if meant.is_empty() { possible } else { meant };
            context.error(Code::UnknownKey, &key.span, message, "unknown key", help);
        }
    }

    fn value(&mut self, key: &'static str) -> Option<&'n Node> {
        self.asked.push(key);
        let (_, node) = self.entries.iter().find(|(own, _)| own.text == key)?;
        (!matches!(node.value, Value::Null)).then_some(node)
    }

    /// A key that the grammar promises and no converter reads would be accepted and mean nothing.
    fn check_all_asked(&self) {
        for key in self.shape.keys {
            debug_assert!(
                self.asked.contains(&key.name) || self.refused.contains(&key.name),
                "the grammar gives {} the key `{}`, but the converter does not ask for it",
                self.shape.noun,
                key.name
            );
        }
    }
}

impl Fields<'_> {
    /// Whether the whole item is added (`added: true`). A list of added keys leaves the item the document's.
    pub(crate) fn origin(&self) -> Origin {
        let added = self.entries.iter().find(|(own, _)| own.text == ADDED);
        match added.map(|(_, node)| &node.value) {
            Some(Value::Text(text)) if text.trim() == "true" => Origin::Added,
            Some(_) | None => Origin::Document,
        }
    }

    /// `added` is `true` for the whole of a map, or names keys that stand in it.
    fn check_added(&self, context: &mut Context<'_>, node: &Node) {
        match &node.value {
            Value::Text(_) => {
                values::boolean(context, node);
            }
            Value::List(items) if !items.is_empty() => {
                for item in items {
                    self.check_added_key(context, item);
                }
            }
            Value::Null | Value::List(_) | Value::Map(_) => {
                let message = format!(
                    "`added` says what is added, but this is {}",
                    node.value.shape()
                );
                let help = "write `true` for the whole of this, or a list of its keys";
                context.error(Code::UnknownAddedKey, &node.span, message, "", help);
            }
        }
    }

    fn check_added_key(&self, context: &mut Context<'_>, item: &Node) {
        let Some(named) = values::text(context, item) else {
            return;
        };
        let keys = self.entries.iter().map(|(key, _)| key.text.as_str());
        let keys: Vec<&str> = keys.filter(|key| *key != ADDED).collect();
        if keys.contains(&named) {
            return;
        }
        let message = format!(
            "{} is marked as added, but {} has no such key here",
            quote(named),
            self.shape.noun
        );
        let meant = did_you_mean(named, keys.iter().copied());
        let help = match keys.as_slice() {
            [] => "write `added: true`, or take it away".to_owned(),
            keys if meant.is_empty() => format!("its keys are {}", all(keys)),
            _ => meant,
        };
        context.error(Code::UnknownAddedKey, &item.span, message, "", help);
    }
}

/// The entries of a map; reports when the node is none and when a key is repeated. `what` is "a target", "labels", …
pub(crate) fn entries<'n>(
    context: &mut Context<'_>,
    node: &'n Node,
    what: &str,
) -> Option<&'n [(Key, Node)]> {
    let Value::Map(entries) = &node.value else {
        let message = format!(
            "{what} is a map of keys, but this is {}",
            node.value.shape()
        );
        let help = "write `key: value` lines here";
        context.error(Code::WrongShape, &node.span, message, "not a map", help);
        return None;
    };
    report_repeated(context, entries);
    Some(entries)
}

/// Reports keys that stand twice in one map. The map of a plan's keys is joined from several files, so they may stand in two.
pub(crate) fn report_repeated(context: &mut Context<'_>, entries: &[(Key, Node)]) {
    let mut seen = std::collections::BTreeMap::new();
    for (key, _) in entries {
        let Some(first) = seen.insert(key.text.as_str(), key.span.start) else {
            continue;
        };
        let files = &context.report.files;
        let line = files.line_seen_from(first, key.span.start);
        if files.of(first) == files.of(key.span.start) {
            let message = format!("the key {} stands twice in one map", quote(&key.text));
            let help = format!("keep one; the other is on {line}");
            context.error(Code::DuplicateKey, &key.span, message, "again", help);
        } else {
            stands_in_two_files(context, key, &line);
        }
    }
}

/// Reports a key that another file has too; `line` says where.
pub(crate) fn stands_in_two_files(context: &mut Context<'_>, key: &Key, line: &str) {
    let message = format!(
        "the key {} stands in two files, and only lists are joined",
        quote(&key.text)
    );
    let help = format!("keep one; the other is on {line}");
    context.error(Code::StandsInTwoFiles, &key.span, message, "again", help);
}
