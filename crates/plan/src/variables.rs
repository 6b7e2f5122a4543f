//! Values from the environment: `${NAME}` and `${NAME:-default}` in the scalars of a plan.
//!
//! They are filled in after YAML was read, so that a value is a value whatever it holds: no quote, colon or line break of it
//! can become a key. What only looks alike stays: `$1`, `${1}` and `${Name}` are groups of a regular expression.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::context::Context;
use crate::diagnostics::quote;
use crate::filled::FilledScalar;
use crate::limits::{FILLED_BYTES_MAX, VARIABLE_BYTES_MAX, VARIABLES_MAX};
use crate::node::{Node, Value};
use crate::scalar_map::place;
use crate::{Code, Sources};

/// What begins a variable.
const OPENING: &str = "${";

/// How many mistakes of one scalar are reported. Finding the place of one costs the scalar's length.
const MISTAKES_MAX: usize = 4;

/// Fills in the values that one plan asks for.
#[derive(Default)]
pub(crate) struct Filler {
    /// What each variable held when it was first asked for: one plan sees one value.
    values: BTreeMap<String, Option<String>>,
    /// The bytes that were filled in.
    bytes: usize,
}

impl Filler {
    /// Fills in every scalar of a tree. Its depth is bounded, since it was read with a bound.
    pub(crate) fn fill(
        &mut self,
        context: &mut Context<'_>,
        node: &mut Node,
        sources: &mut dyn Sources,
    ) {
        match &mut node.value {
            Value::Null => {}
            Value::Text(text) if text.contains(OPENING) => self.fill_scalar(context, node, sources),
            Value::Text(_) => {}
            Value::List(items) => {
                for item in items {
                    self.fill(context, item, sources);
                }
            }
            Value::Map(entries) => {
                for (_, value) in entries {
                    self.fill(context, value, sources);
                }
            }
        }
    }

    fn fill_scalar(
        &mut self,
        context: &mut Context<'_>,
        node: &mut Node,
        sources: &mut dyn Sources,
    ) {
        let Value::Text(written) = &node.value else {
            return;
        };
        // An alias repeats a scalar that was filled in already.
        let known = context.report.filled.scalar(&node.span);
        let filled = known.map(|known| known.value.clone());
        let filled = filled.unwrap_or_else(|| {
            let scalar = self.filled(context, node, written, sources);
            let value = scalar.value.clone();
            context.report.filled.note(scalar);
            value
        });
        self.bytes = self.bytes.saturating_add(filled.len());
        if self.bytes <= FILLED_BYTES_MAX {
            node.value = Value::Text(filled);
            return;
        }
        let message = "the values from the environment make the plan too long";
        let help = format!("scalars that hold some may have {FILLED_BYTES_MAX} bytes in all");
        context.error(Code::TooMany, &node.span, message, "", help);
    }

    /// A scalar with its values. One with a mistake keeps its text, and nothing more is said about it.
    fn filled(
        &mut self,
        context: &mut Context<'_>,
        node: &Node,
        written: &str,
        sources: &mut dyn Sources,
    ) -> FilledScalar {
        let mut scalar = FilledScalar::new(node.span.clone(), written);
        let mut mistakes = Vec::new();
        for part in parts(written) {
            let (text, variable) = match &part.kind {
                PartKind::Text => (written[part.at.clone()].to_owned(), None),
                PartKind::Escape => (OPENING.to_owned(), None),
                PartKind::Variable { name, default } => {
                    match self.value(context, name, default.as_deref(), sources) {
                        Ok((text, true)) => (text, Some(name.clone())),
                        Ok((text, false)) => (text, None),
                        Err(mistake) => {
                            mistakes.push((part.at, mistake));
                            continue;
                        }
                    }
                }
                PartKind::Broken => {
                    let mistake = broken(&written[part.at.clone()]);
                    mistakes.push((part.at, mistake));
                    continue;
                }
            };
            scalar.push(part.at, &text, variable);
        }
        for (at, mistake) in mistakes.iter().take(MISTAKES_MAX) {
            let at = place(context, node, written, at.clone());
            let Mistake {
                code,
                message,
                help,
            } = mistake;
            context.error(*code, &at, message, "", help);
        }
        if mistakes.is_empty() {
            scalar
        } else {
            FilledScalar::given_up(node.span.clone(), written)
        }
    }

    /// The text for a variable, and whether it comes from the environment. As in a shell, a default stands in for an empty
    /// value too.
    fn value(
        &mut self,
        context: &mut Context<'_>,
        name: &str,
        default: Option<&str>,
        sources: &mut dyn Sources,
    ) -> Result<(String, bool), Mistake> {
        if !self.values.contains_key(name) {
            if self.values.len() == VARIABLES_MAX {
                return Err(too_many());
            }
            let value = sources.variable(name);
            if let Some(value) = &value {
                context.report.filled.keep_secret(name, value);
            }
            self.values.insert(name.to_owned(), value);
        }
        let value = self.values.get(name).and_then(Option::as_deref);
        match (value, default) {
            (Some(value), _) if value.len() > VARIABLE_BYTES_MAX => Err(too_long(name)),
            (None | Some(""), Some(default)) => Ok((default.to_owned(), false)),
            (Some(value), _) => Ok((value.to_owned(), true)),
            (None, None) => Err(unset(name)),
        }
    }
}

/// Whether a text asks for a value from the environment, or begins to.
pub(crate) fn has_any(text: &str) -> bool {
    let asks = |part: &Part| matches!(part.kind, PartKind::Variable { .. } | PartKind::Broken);
    parts(text).iter().any(asks)
}

/// What is wrong with one variable.
struct Mistake {
    code: Code,
    message: String,
    help: String,
}

fn unset(name: &str) -> Mistake {
    Mistake {
        code: Code::UnsetVariable,
        message: format!("the environment variable `{name}` is not set"),
        help: format!(
            "set it where Belfry is started, or write `${{{name}:-default}}` with what to take without it"
        ),
    }
}

fn too_long(name: &str) -> Mistake {
    Mistake {
        code: Code::TooMany,
        message: format!("the environment variable `{name}` holds more than Belfry reads here"),
        help: format!("at most {VARIABLE_BYTES_MAX} bytes; a long text belongs into the plan"),
    }
}

fn too_many() -> Mistake {
    Mistake {
        code: Code::TooMany,
        message: format!("the plan asks for more than {VARIABLES_MAX} environment variables"),
        help: "write into the plan what is the same everywhere".to_owned(),
    }
}

fn broken(text: &str) -> Mistake {
    Mistake {
        code: Code::VariableSyntax,
        message: format!(
            "{} begins a value from the environment and does not end as one",
            quote(text)
        ),
        help: "write `${NAME}` or `${NAME:-default}`, and `$${` where `${` itself is meant"
            .to_owned(),
    }
}

/// A part of a scalar's text.
#[derive(Debug, PartialEq)]
struct Part {
    at: Range<usize>,
    kind: PartKind,
}

#[derive(Debug, PartialEq)]
enum PartKind {
    /// As it stands.
    Text,
    /// `$${`, which stands for `${`.
    Escape,
    /// A variable.
    Variable {
        name: String,
        default: Option<String>,
    },
    /// What begins like a variable and is none.
    Broken,
}

/// A scalar's text in parts, without a gap.
fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let (mut done, mut from) = (0, 0);
    while let Some(opening) = text[from..].find(OPENING).map(|at| from + at) {
        let is_escaped = opening > done && text.as_bytes()[opening - 1] == b'$';
        let (start, kind, length) = if is_escaped {
            (opening - 1, PartKind::Escape, 1 + OPENING.len())
        } else {
            match variable(&text[opening..]) {
                Some((kind, length)) => (opening, kind, length),
                None => {
                    from = opening + OPENING.len();
                    continue;
                }
            }
        };
        if start > done {
            let (at, kind) = (done..start, PartKind::Text);
            parts.push(Part { at, kind });
        }
        done = start + length;
        from = done;
        let at = start..done;
        parts.push(Part { at, kind });
    }
    if done < text.len() {
        let (at, kind) = (done..text.len(), PartKind::Text);
        parts.push(Part { at, kind });
    }
    parts
}

/// The variable that a text beginning with `${` holds, and its length. `None`: it is none.
fn variable(text: &str) -> Option<(PartKind, usize)> {
    let inner = &text[OPENING.len()..];
    let allowed = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
    let length = inner.bytes().take_while(|byte| allowed(byte)).count();
    let (name, rest) = inner.split_at(length);
    if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    // `${Name}` is a group of a regular expression.
    if rest.starts_with(|next: char| next.is_ascii_lowercase()) {
        return None;
    }
    let name = name.to_owned();
    let before = OPENING.len() + length;
    if rest.starts_with('}') {
        let default = None;
        return Some((PartKind::Variable { name, default }, before + 1));
    }
    let default = rest.strip_prefix(":-").and_then(|rest| {
        let end = rest.find('}')?;
        // A default is text: a variable within it would end at the first brace.
        let default = &rest[..end];
        (!default.contains(OPENING)).then(|| default.to_owned())
    });
    match default {
        Some(default) => {
            let length = before + ":-".len() + default.len() + 1;
            let default = Some(default);
            Some((PartKind::Variable { name, default }, length))
        }
        None => Some((PartKind::Broken, before)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_variables() {
        let check = |text: &str, expect: &[&str]| {
            let shown = parts(text).into_iter().map(|part| {
                let written = &text[part.at];
                match part.kind {
                    PartKind::Text => format!("text {written}"),
                    PartKind::Escape => format!("escape {written}"),
                    PartKind::Variable { name, default } => format!("{name} {default:?}"),
                    PartKind::Broken => format!("broken {written}"),
                }
            });
            assert_eq!(shown.collect::<Vec<_>>(), expect, "{text}");
        };
        check("", &[]);
        check(
            "plain $1 ${1} ${Name} ${name}",
            &["text plain $1 ${1} ${Name} ${name}"],
        );
        check(
            "{{ $value }} ${{ a }} ${",
            &["text {{ $value }} ${{ a }} ${"],
        );
        check("${A}", &["A None"]);
        check(
            "a${A_1}ö${_B:-}c",
            &["text a", "A_1 None", "text ö", "_B Some(\"\")", "text c"],
        );
        check("${A:-http://x:1/$b c}", &["A Some(\"http://x:1/$b c\")"]);
        check("$${A}", &["escape $${", "text A}"]);
        check("$$${A}", &["text $", "escape $${", "text A}"]);
        check("${A}${B}", &["A None", "B None"]);
        check("${A}$${", &["A None", "escape $${"]);
        check("${A", &["broken ${A"]);
        check("${A:x}", &["broken ${A", "text :x}"]);
        check("${A-x}", &["broken ${A", "text -x}"]);
        check("${A:-x", &["broken ${A", "text :-x"]);
    }
}
