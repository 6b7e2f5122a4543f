//! A map of the text, read key by key: what is missing, repeated or unknown is reported, and reading goes on.

use std::ops::Range;

use crate::context::Context;
use crate::diagnostics::{all, quote};
use crate::node::{Key, Node, Value};
use crate::suggest::did_you_mean;
use crate::{Code, values};

/// The key that marks what does not stand in the document that a plan was made from. Any map of a plan may have it.
const ADDED: &str = "added";

/// One map, with note of which keys were asked for.
pub(crate) struct Fields<'n> {
    entries: &'n [(Key, Node)],
    what: &'static str,
    span: Range<usize>,
    known: Vec<&'static str>,
    /// Keys that were looked for only to refuse them: they are not offered as possible ones.
    refused: Vec<&'static str>,
}

impl<'n> Fields<'n> {
    /// Opens a map; reports when the node is none and when a key is repeated. `what` is "a target", "a rule", …
    pub(crate) fn open(
        context: &mut Context<'_>,
        node: &'n Node,
        what: &'static str,
    ) -> Option<Fields<'n>> {
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
        Some(Fields {
            entries,
            what,
            span: node.span.clone(),
            known: Vec::new(),
            refused: Vec::new(),
        })
    }

    /// The first part of the map, for errors about the whole of it.
    pub(crate) fn span(&self) -> &Range<usize> {
        &self.span
    }

    /// The value of a key that may be absent. A key without a value counts as absent.
    pub(crate) fn optional(&mut self, key: &'static str) -> Option<&'n Node> {
        self.known.push(key);
        let (_, node) = self.entries.iter().find(|(own, _)| own.text == key)?;
        (!matches!(node.value, Value::Null)).then_some(node)
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
        let value = self.optional(key);
        if value.is_some() {
            return value;
        }
        let written = self.entries.iter().find(|(own, _)| own.text == key);
        let what = self.what;
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
        None
    }

    /// Reports every key that nothing asked for.
    pub(crate) fn finish(self, context: &mut Context<'_>) {
        for (key, node) in self.entries {
            if key.text == ADDED && context.marks_added {
                self.check_added(context, node);
                continue;
            }
            let asked_for = self.known.iter().chain(&self.refused);
            if asked_for.into_iter().any(|own| *own == key.text) {
                continue;
            }
            let message = format!("{} has no key {}", self.what, quote(&key.text));
            let meant = did_you_mean(&key.text, self.known.iter().copied());
            let possible = format!("its keys are {}", all(&self.known));
            let help = if meant.is_empty() { possible } else { meant };
            context.error(Code::UnknownKey, &key.span, message, "unknown key", help);
        }
    }
}

impl Fields<'_> {
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
            self.what
        );
        let meant = did_you_mean(named, keys.iter().copied());
        let help = if meant.is_empty() {
            format!("its keys are {}", all(&keys))
        } else {
            meant
        };
        context.error(Code::UnknownAddedKey, &item.span, message, "", help);
    }
}

fn report_repeated(context: &mut Context<'_>, entries: &[(Key, Node)]) {
    let mut seen = std::collections::BTreeMap::new();
    for (key, _) in entries {
        let Some(first) = seen.insert(key.text.as_str(), key.span.start) else {
            continue;
        };
        let line = context.report.location(first).line;
        let message = format!("the key {} stands twice in one map", quote(&key.text));
        let help = format!("keep one; the other is on line {line}");
        context.error(Code::DuplicateKey, &key.span, message, "again", help);
    }
}
