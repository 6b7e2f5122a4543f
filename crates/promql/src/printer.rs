//! Writes a tree as text. The text parses back to an equal tree; parentheses stand where the author put them, since the
//! tree keeps them.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use model::{Matcher, is_label_name, is_metric_name};

use crate::ast::{
    Aggregate, At, Binary, Cardinality, Expr, ExprKind, Grouping, Matching, Subquery,
    VectorSelector,
};
use crate::float::format_float;
use crate::operators::UnaryOp;

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExprKind::Number(number) => f.write_str(&format_float(number.0)),
            ExprKind::String(text) => f.write_str(&quoted(text)),
            ExprKind::Paren(inner) => write!(f, "({inner})"),
            ExprKind::Unary(UnaryOp::Minus, operand) => write!(f, "-{operand}"),
            ExprKind::Unary(UnaryOp::Plus, operand) => write!(f, "+{operand}"),
            ExprKind::Binary(binary) => write_binary(f, binary),
            ExprKind::Selector(selector) => {
                write_matchers(f, selector)?;
                write_modifiers(f, selector.offset_ms, selector.at)
            }
            ExprKind::Matrix(selector, range) => {
                write_matchers(f, selector)?;
                write!(f, "[{}]", duration(*range))?;
                write_modifiers(f, selector.offset_ms, selector.at)
            }
            ExprKind::Subquery(subquery) => write_subquery(f, subquery),
            ExprKind::Aggregate(aggregate) => write_aggregate(f, aggregate),
            ExprKind::Call(call) => {
                write!(f, "{}(", call.function.name)?;
                write_list(f, call.arguments.iter())?;
                f.write_str(")")
            }
        }
    }
}

fn write_binary(f: &mut Formatter<'_>, binary: &Binary) -> fmt::Result {
    write!(f, "{} {}", binary.left, binary.op.as_str())?;
    if binary.returns_bool {
        f.write_str(" bool")?;
    }
    if let Some(matching) = &binary.matching {
        write_matching(f, matching)?;
    }
    write!(f, " {}", binary.right)
}

fn write_matching(f: &mut Formatter<'_>, matching: &Matching) -> fmt::Result {
    if matching.on || !matching.labels.is_empty() || needs_clause(matching.cardinality) {
        f.write_str(if matching.on { " on (" } else { " ignoring (" })?;
        write_list(f, matching.labels.iter().map(|label| label_name(label)))?;
        f.write_str(")")?;
    }
    let group = match matching.cardinality {
        Cardinality::ManyToOne => Some("group_left"),
        Cardinality::OneToMany => Some("group_right"),
        Cardinality::OneToOne | Cardinality::ManyToMany => None,
    };
    if let Some(group) = group {
        write!(f, " {group} (")?;
        write_list(f, matching.include.iter().map(|label| label_name(label)))?;
        f.write_str(")")?;
    }
    if let Some(value) = matching.fill_left {
        write!(f, " fill_left({})", format_float(value.0))?;
    }
    if let Some(value) = matching.fill_right {
        write!(f, " fill_right({})", format_float(value.0))?;
    }
    Ok(())
}

/// A group modifier may only follow `on` or `ignoring`.
fn needs_clause(cardinality: Cardinality) -> bool {
    matches!(cardinality, Cardinality::ManyToOne | Cardinality::OneToMany)
}

fn write_matchers(f: &mut Formatter<'_>, selector: &VectorSelector) -> fmt::Result {
    let name = selector.name.as_deref();
    // Some words are never names at the start of an expression: quote them inside the braces.
    let bare = name.filter(|name| is_metric_name(name) && !is_reserved(name));
    if let Some(name) = bare {
        f.write_str(name)?;
    }
    let rest = &selector.matchers[usize::from(name.is_some())..];
    if rest.is_empty() && bare.is_some() {
        return Ok(());
    }
    f.write_str("{")?;
    let quoted_name = name.filter(|_| bare.is_none()).map(quoted);
    write_list(f, quoted_name.into_iter().chain(rest.iter().map(matcher)))?;
    f.write_str("}")
}

/// Words that would be read as something else than a metric somewhere.
const RESERVED: [&str; 10] = [
    "bool",
    "fill",
    "fill_left",
    "fill_right",
    "group_left",
    "group_right",
    "ignoring",
    "inf",
    "nan",
    "on",
];

fn is_reserved(name: &str) -> bool {
    let mut words = RESERVED.iter();
    words.any(|word| word.eq_ignore_ascii_case(name))
}

fn matcher(matcher: &Matcher) -> String {
    format!(
        "{}{}{}",
        label_name(matcher.name()),
        matcher.op().as_str(),
        quoted(matcher.value())
    )
}

fn write_modifiers(f: &mut Formatter<'_>, offset_ms: i64, at: Option<At>) -> fmt::Result {
    match at {
        Some(At::Start) => f.write_str(" @ start()")?,
        Some(At::End) => f.write_str(" @ end()")?,
        Some(At::Millis(millis)) => {
            write!(f, " @ {}", model::Timestamp::from_millis(millis))?;
        }
        None => {}
    }
    if offset_ms != 0 {
        let sign = if offset_ms < 0 { "-" } else { "" };
        let length = Duration::from_millis(offset_ms.unsigned_abs());
        write!(f, " offset {sign}{}", duration(length))?;
    }
    Ok(())
}

fn write_subquery(f: &mut Formatter<'_>, subquery: &Subquery) -> fmt::Result {
    let step = subquery.step.map(duration).unwrap_or_default();
    write!(f, "{}[{}:{step}]", subquery.expr, duration(subquery.range))?;
    write_modifiers(f, subquery.offset_ms, subquery.at)
}

fn write_aggregate(f: &mut Formatter<'_>, aggregate: &Aggregate) -> fmt::Result {
    f.write_str(aggregate.op.as_str())?;
    let (word, labels) = match &aggregate.grouping {
        Grouping::By(labels) => ("by", labels),
        Grouping::Without(labels) => ("without", labels),
    };
    if !labels.is_empty() || word == "without" {
        write!(f, " {word} (")?;
        write_list(f, labels.iter().map(|label| label_name(label)))?;
        f.write_str(") ")?;
    }
    f.write_str("(")?;
    write_list(f, aggregate.parameter.iter().chain([&aggregate.expr]))?;
    f.write_str(")")
}

fn write_list(f: &mut Formatter<'_>, items: impl Iterator<Item = impl Display>) -> fmt::Result {
    for (index, item) in items.enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        write!(f, "{separator}{item}")?;
    }
    Ok(())
}

fn duration(length: Duration) -> String {
    model::format_duration(length)
}

fn label_name(name: &str) -> String {
    if is_label_name(name) {
        name.to_owned()
    } else {
        quoted(name)
    }
}

/// A string literal that the lexer reads back: only escapes that PromQL knows.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            letter if letter.is_control() => out.push_str(&format!("\\U{:08x}", letter as u32)),
            letter => out.push(letter),
        }
    }
    out.push('"');
    out
}
