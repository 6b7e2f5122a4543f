//! Plan files in one form: `belfry fmt`. Keys in the grammar's order, two blanks of indentation, no needless quotes, PromQL
//! and lengths of time as Belfry itself would write them; comments stay with what they stand at.
//!
//! A formatter over lines and not over the tree, because a tree knows no comments. What the lines alone do not make plain
//! (anchors, tags, values over several lines) stays as it was written. And whatever the formatter does is checked against
//! the tree: a result that means anything else than the text is never given out.

mod flow;
mod lines;
mod outline;
mod same;
mod scalar;
mod write;

use std::fmt;

use crate::context::Context;
use crate::fields::ADDED;
use crate::grammar::{CONTACTS, PLAN, Shape, Type};
use crate::limits::NODES_MAX;
use crate::node::{Node, Value};
use crate::{Diagnostic, syntax};

/// Why a text was not formatted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FormatError {
    /// It is not YAML; what is wrong with it.
    Unreadable(Vec<Diagnostic>),
    /// Its lines are written in a way that the formatter does not know; the text is as good as before.
    Unfamiliar {
        /// The line that could not be taken in.
        line: usize,
    },
    /// The result would not mean the same, which is a mistake of the formatter.
    WouldChange,
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FormatError::Unreadable(found) => match found.first() {
                Some(first) => write!(f, "{first}"),
                None => f.write_str("this is not YAML"),
            },
            FormatError::Unfamiliar { line } => {
                write!(
                    f,
                    "line {line} is laid out in a way that cannot be formatted"
                )
            }
            FormatError::WouldChange => {
                f.write_str("formatting would change what this file means; it is left as it is")
            }
        }
    }
}

impl std::error::Error for FormatError {}

/// The text of a plan or a contacts file in the one form; `name` is what diagnostics call the file. Which of the two it is
/// shows in its keys.
pub fn format(name: &str, text: &str) -> Result<String, FormatError> {
    let before = read(name, text)?;
    let root = kind(&before);
    let (start, body) = start(text);
    let outline = outline::read(body).map_err(|line| FormatError::Unfamiliar {
        line: line + start.matches('\n').count(),
    })?;
    let formatted = start.to_owned() + &write::document(&outline, root);
    let after = read(name, &formatted).map_err(|_| FormatError::WouldChange)?;
    let same = same::trees(&before, &after, root)
        && same::comments(text, &formatted)
        && same::findings(text, &formatted, root);
    if same {
        Ok(formatted)
    } else {
        Err(FormatError::WouldChange)
    }
}

/// What begins a file and stays there: a byte order mark, and the sign before a document.
fn start(text: &str) -> (&str, &str) {
    let marked = text.len() - text.trim_start_matches('\u{feff}').len();
    let sign = if text[marked..].starts_with("---\n") {
        "---\n".len()
    } else {
        0
    };
    text.split_at(marked + sign)
}

fn read(name: &str, text: &str) -> Result<Node, FormatError> {
    let mut context = Context::new(name, text);
    match syntax::read(&mut context.report, 0, NODES_MAX) {
        Some(node) => Ok(node),
        None => Err(FormatError::Unreadable(context.report.finish(None::<()>).1)),
    }
}

/// The shape to which more of the top keys belong; a plan where that says nothing.
fn kind(root: &Node) -> &'static Shape {
    let Value::Map(entries) = &root.value else {
        return &PLAN;
    };
    let known = |shape: &Shape| {
        let keys = entries.iter();
        keys.filter(|(key, _)| shape.key(&key.text).is_some())
            .count()
    };
    if known(&CONTACTS) > known(&PLAN) {
        &CONTACTS
    } else {
        &PLAN
    }
}

/// The tree of a part of a text.
fn snippet(text: &str) -> Option<Node> {
    let mut context = Context::new("", text);
    syntax::read(&mut context.report, 0, NODES_MAX)
}

/// The shape of a map of this type; `word` gives the text of one of its keys, on which its variant depends.
fn shape<'w>(
    value: Option<&Type>,
    word: impl Fn(&str) -> Option<&'w str>,
) -> Option<&'static Shape> {
    match value {
        Some(Type::Map(shape)) => shape.variant(word),
        _ => None,
    }
}

/// The type of a list's items, or of the one item that stands for a list.
fn item_type(value: &Type) -> Option<&'static Type> {
    match value {
        Type::List(of, ..) | Type::OneOrMore(of, _) => Some(of),
        _ => None,
    }
}

/// The type of a key's value.
fn key_type(
    value: Option<&Type>,
    shape: Option<&'static Shape>,
    key: &str,
) -> Option<&'static Type> {
    match value {
        Some(Type::Labels) => Some(&Type::Text),
        _ => shape?.key(key).map(|key| &key.value),
    }
}

/// The order in which keys are written: the shape's, where it knows each and none stands twice.
fn sorted(names: &[&str], shape: Option<&'static Shape>) -> Vec<usize> {
    let mut order: Vec<usize> = (0..names.len()).collect();
    let Some(shape) = shape else {
        return order;
    };
    // `added` stands last in its map; but at the top of a plan, where the end is far away, behind the title.
    let place = |at: usize| {
        let of = |name: &str| shape.keys.iter().position(|key| key.name == name);
        match names[at] {
            ADDED if shape.noun == PLAN.noun => of("title").map(|place| 2 * place + 1),
            ADDED => Some(usize::MAX),
            name => of(name).map(|place| 2 * place),
        }
    };
    let mut places: Vec<Option<usize>> = order.iter().map(|at| place(*at)).collect();
    places.sort();
    let each_once = places.windows(2).all(|pair| pair[0] != pair[1]);
    if each_once && !places.contains(&None) {
        order.sort_by_key(|at| place(*at));
    }
    order
}
