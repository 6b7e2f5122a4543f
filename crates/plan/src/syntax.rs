//! The edge to YAML: text to tree, through serde-saphyr. Nothing else in this crate knows serde.
//!
//! Why a tree and not derived structs: serde stops at the first unknown key, missing field or wrong type, and a plan
//! is to be refused with all its errors at once. Through a tree every field is looked at on its own. Only text that is
//! not YAML at all ends at its first error, because nothing after it can be trusted.

use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{Options, Spanned};

use crate::Code;
use crate::diagnostics::{Finding, Report};
use crate::limits::{ALIASES_MAX, DEPTH_MAX, TEXT_BYTES_MAX};
use crate::node::{Key, Node, Value};

/// The tree of one of the report's files, or a diagnostic that says why there is none. It has at most so many nodes.
pub(crate) fn read(report: &mut Report<'_>, file: usize, nodes_max: usize) -> Option<Node> {
    let (text, base) = (report.files.text(file), report.files.base(file));
    if text.len() > TEXT_BYTES_MAX {
        let message = format!("the file holds more than {TEXT_BYTES_MAX} bytes");
        let help = "split what is not part of the plan from it".to_owned();
        let code = Code::TextTooLarge;
        report.error(
            &(base..base),
            Finding {
                code,
                message,
                label: String::new(),
                help,
            },
        );
        return None;
    }
    match serde_saphyr::from_str_with_options::<Spanned<Tree>>(text, options(nodes_max)) {
        Ok(tree) => Some(node(tree, text, base)),
        Err(error) => {
            broken(report, file, &error);
            None
        }
    }
}

fn options(nodes_max: usize) -> Options {
    serde_saphyr::options! {
        strict_booleans: true,
        // Repeated keys reach the tree, so that they are reported together with everything else.
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        // `.nan` is as much text as anything else.
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        reject_unsupported_tags: true,
        with_snippet: false,
        budget: serde_saphyr::budget! {
            max_depth: DEPTH_MAX,
            max_nodes: nodes_max,
            max_events: 3 * nodes_max,
            max_aliases: ALIASES_MAX,
            max_anchors: ALIASES_MAX,
            max_documents: 1,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: nodes_max,
            max_replay_stack_depth: DEPTH_MAX,
        },
    }
}

fn broken(report: &mut Report<'_>, file: usize, error: &serde_saphyr::Error) {
    let place = error.location();
    let (line, column) = place.map_or((1, 1), |at| (at.line() as usize, at.column() as usize));
    let start = report.files.byte(file, line, column);
    let written = error.without_snippet().to_string();
    // The place is said by the diagnostic already.
    let complaint = written.split(" at line ").next().unwrap_or(&written).trim();
    let (message, mut help) = in_our_words(complaint);
    let marked = report.files.text(file).lines().nth(line.saturating_sub(1));
    if complaint.contains("flow") && marked.is_some_and(|marked| marked.contains("${")) {
        help = "between brackets `${NAME}` must be quoted: its braces would be a map";
    }
    let code = Code::BrokenYaml;
    let help = help.to_owned();
    report.error(
        &(start..start + 1),
        Finding {
            code,
            message,
            label: String::new(),
            help,
        },
    );
}

/// The parser's commonest complaints, said for somebody who writes a plan rather than a parser; others as they are.
fn in_our_words(complaint: &str) -> (String, &'static str) {
    let about = |part: &str| complaint.contains(part);
    if about("Documents") || about("multiple YAML documents") {
        let message = "the file holds more than one YAML document".to_owned();
        return (
            message,
            "take out the `---` and what does not belong to this one",
        );
    }
    if about("Depth") || about("nesting") || about("recursion limit") {
        let message = format!("lists and maps are nested more than {DEPTH_MAX} deep");
        return (
            message,
            "no part of the format is that deep; check brackets and indentation",
        );
    }
    if about("budget") || about("limit exceeded") || about("recursive references") {
        let message = "the file grows beyond bounds through its aliases or its size".to_owned();
        return (
            message,
            "write the parts out instead of repeating them through aliases",
        );
    }
    if about("unsupported tag") {
        return (
            format!("{complaint} (YAML tags mean nothing here)"),
            "leave the tag out",
        );
    }
    let help = if about("mapping values") || about("':'") {
        "check the indentation; text that holds `: ` must be quoted"
    } else if about("tabs") {
        "indent with blanks"
    } else if about("unknown anchor") {
        "text that begins with `*` must be quoted; an alias needs its `&anchor` before it"
    } else {
        "check indentation, quotes and brackets at this place and just before it"
    };
    (
        format!("this is not YAML that can be read: {complaint}"),
        help,
    )
}

/// The tree as serde builds it, with places in serde-saphyr's terms.
enum Tree {
    Null,
    Text(String),
    /// A scalar that YAML would read as a number or a boolean; its text is taken from the source.
    AsWritten,
    List(Vec<Spanned<Tree>>),
    Map(Vec<(Spanned<String>, Spanned<Tree>)>),
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Tree, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text, a list or a map")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Tree, E> {
        Ok(Tree::AsWritten)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Tree, E> {
        Ok(Tree::AsWritten)
    }

    fn visit_i128<E>(self, _: i128) -> Result<Tree, E> {
        Ok(Tree::AsWritten)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Tree, E> {
        Ok(Tree::AsWritten)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Tree, E> {
        Ok(Tree::AsWritten)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Tree, E> {
        Ok(Tree::AsWritten)
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_none<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_str<E>(self, text: &str) -> Result<Tree, E> {
        Ok(Tree::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Tree::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Tree, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Tree::Map(entries))
    }
}

/// The tree in our own terms, with spans that count from the file's base. Recursion is bounded: the parser refused anything deeper than [`DEPTH_MAX`].
fn node(tree: Spanned<Tree>, text: &str, base: usize) -> Node {
    let written = bytes(&tree.defined, text);
    let span = base + written.start..base + written.end;
    match tree.value {
        Tree::Null => Node {
            value: Value::Null,
            span,
        },
        Tree::Text(value) => Node {
            value: Value::Text(value),
            span,
        },
        Tree::AsWritten => {
            let written = text.get(written).unwrap_or("").trim();
            Node {
                value: Value::Text(unquoted(written).to_owned()),
                span,
            }
        }
        Tree::List(items) => {
            let items: Vec<Node> = items
                .into_iter()
                .map(|item| node(item, text, base))
                .collect();
            Node {
                value: Value::List(items),
                span,
            }
        }
        Tree::Map(entries) => {
            let entries: Vec<(Key, Node)> = entries
                .into_iter()
                .map(|(key, value)| {
                    let written = bytes(&key.defined, text);
                    let key = Key {
                        text: key.value,
                        span: base + written.start..base + written.end,
                    };
                    (key, node(value, text, base))
                })
                .collect();
            let first = entries.first().map(|(key, _)| key.span.clone());
            Node {
                value: Value::Map(entries),
                span: first.unwrap_or(span),
            }
        }
    }
}

/// A tagged scalar (`!!int "5"`) is written with quotes that are not part of it.
fn unquoted(written: &str) -> &str {
    let without = |quote| {
        written
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote))
    };
    without('"').or_else(|| without('\'')).unwrap_or(written)
}

/// The bytes that a location marks, without the white space that ends a block scalar.
fn bytes(location: &serde_saphyr::Location, text: &str) -> Range<usize> {
    let span = location.span();
    let start = text.floor_char_boundary(span.byte_offset().unwrap_or(0) as usize);
    let length = span.byte_len().unwrap_or(0) as usize;
    let end = text.floor_char_boundary(start.saturating_add(length).min(text.len()));
    let marked = text.get(start..end).unwrap_or("").trim_end();
    start..start + marked.len()
}
