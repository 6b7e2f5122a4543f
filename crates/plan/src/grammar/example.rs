//! Examples: two whole files in which every key stands. What people and editors are shown is cut from them, so an
//! example that is wrong is one that a test refuses.

use super::{CONTACTS, PLAN, Shape};
use crate::context::Context;
use crate::node::{Node, Value, text_of};
use crate::syntax;

/// An example plan with every key.
pub(crate) const EXAMPLE_PLAN: &str = include_str!("example-plan.yaml");

/// An example contacts file with every key.
pub(crate) const EXAMPLE_CONTACTS: &str = include_str!("example-contacts.yaml");

/// The first value that each key of each shape has in the examples.
pub(super) struct Examples {
    found: Vec<(&'static str, &'static str, Node)>,
}

impl Examples {
    /// Those of the two files.
    pub(super) fn read() -> Examples {
        let mut examples = Examples { found: Vec::new() };
        examples.collect(tree(EXAMPLE_PLAN), &PLAN);
        examples.collect(tree(EXAMPLE_CONTACTS), &CONTACTS);
        examples
    }

    /// The example of a key.
    pub(super) fn of(&self, shape: &Shape, key: &str) -> Option<&Node> {
        let found = self
            .found
            .iter()
            .find(|(noun, name, _)| *noun == shape.noun && *name == key);
        found.map(|(.., node)| node)
    }

    fn collect(&mut self, node: Node, shape: &'static Shape) {
        let Value::Map(entries) = node.value else {
            return;
        };
        let word = |key: &str| text_of(&entries, key);
        let shape = shape.variant(word).unwrap_or(shape);
        for (key, value) in entries {
            let Some(declared) = shape.key(&key.text) else {
                continue;
            };
            if let Some(inner) = declared.value.shape() {
                self.collect_items(value, inner);
                self.note(shape, declared.name, empty());
            } else {
                self.note(shape, declared.name, value);
            }
        }
    }

    fn collect_items(&mut self, node: Node, shape: &'static Shape) {
        match node.value {
            Value::List(items) => {
                for item in items {
                    self.collect(item, shape);
                }
            }
            Value::Map(_) | Value::Text(_) | Value::Null => self.collect(node, shape),
        }
    }

    fn note(&mut self, shape: &'static Shape, key: &'static str, node: Node) {
        if self.of(shape, key).is_none() {
            self.found.push((shape.noun, key, node));
        }
    }
}

/// The lines of an example from a top-level key to the next.
pub(super) fn section(text: &'static str, key: &str) -> &'static str {
    let begins = format!("\n{key}:");
    let Some(start) = text.find(&begins).map(|at| at + 1) else {
        return "";
    };
    let rest = &text[start..];
    let is_next = |(at, _): &(usize, &str)| {
        let after = &rest[at + 1..];
        after.starts_with(|first: char| first.is_ascii_lowercase())
    };
    let end = rest.match_indices('\n').find(is_next);
    rest[..end.map_or(rest.len(), |(at, _)| at)].trim_end()
}

fn tree(text: &str) -> Node {
    let mut context = Context::new("example", text);
    syntax::read(&mut context.report, 0, crate::limits::NODES_MAX)
        .expect("the examples are YAML, which a test sees to")
}

/// What stands for a map or a list of maps: its keys have examples of their own.
fn empty() -> Node {
    Node {
        value: Value::Null,
        span: 0..0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grammar::{Rule, WAIVER, reached};

    #[test]
    fn every_key_stands_in_an_example() {
        let examples = Examples::read();
        let shapes = [&PLAN, &CONTACTS].into_iter().flat_map(reached);
        // The key that decides on a variant is a key of each variant.
        for shape in shapes.filter(|shape| shape.variants.is_none()) {
            for key in shape.keys {
                // A waiver names a code of lint, and what finds those is not part of reading.
                let waiver = shape.noun == WAIVER.noun || key.name == "waivers";
                // The examples are one file each.
                let without = waiver || key.name == "include";
                let shown = examples.of(shape, key.name).is_some();
                let shown =
                    shown || choices(shape, key.name).any(|own| examples.of(shape, own).is_some());
                assert!(without || shown, "{} lacks `{}`", shape.noun, key.name);
            }
        }
    }

    /// The keys of which one map has only one.
    fn choices(shape: &Shape, key: &str) -> impl Iterator<Item = &'static str> {
        let choice = shape.rules.iter().find_map(|rule| match rule {
            Rule::OneOf(keys) | Rule::AtMostOneOf(keys) => keys.contains(&key).then_some(*keys),
            Rule::Only(..) | Rule::Needs(..) | Rule::Forms(..) => None,
        });
        choice.into_iter().flatten().copied()
    }

    #[test]
    fn the_examples_are_accepted() {
        assert_eq!(crate::parse("example-plan.yaml", EXAMPLE_PLAN).1, []);
        let found = crate::parse_contacts("example-contacts.yaml", EXAMPLE_CONTACTS).1;
        assert_eq!(found, []);
    }

    #[test]
    fn a_section_ends_before_the_next() {
        assert_eq!(section(EXAMPLE_PLAN, "host"), "host:\n  interval: 15s");
        assert_eq!(section(EXAMPLE_PLAN, "nothing"), "");
    }
}
