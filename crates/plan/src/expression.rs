//! PromQL inside the plan: parsed, typed, and its errors placed in the file rather than in the expression.

use promql::{Expr, ValueType};

use crate::context::{Context, SeriesRead};
use crate::diagnostics::gist;
use crate::node::Node;
use crate::scalar_map::place;
use crate::{Code, Expression, values};

/// Which types of expression may stand in a place.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Allowed {
    /// An alert needs the labels of a vector.
    Vector,
    /// A panel or an objective may also draw one number.
    VectorOrScalar,
}

/// Reads an expression; reports where it does not parse or has the wrong type.
pub(crate) fn read(
    context: &mut Context<'_>,
    node: &Node,
    what: &str,
    allowed: Allowed,
) -> Option<Expression> {
    let text = values::text(context, node)?;
    let parsed = match promql::parse(text) {
        Ok(parsed) => parsed,
        Err(error) => {
            let at = place(context, node, text, error.span.start..error.span.end);
            let message = format!("this is not PromQL: {}", gist(&error.message));
            // What would be right is in the parser's own words already.
            context.error(Code::ExpressionSyntax, &at, message, "", "");
            return None;
        }
    };
    check_type(context, node, what, allowed, parsed.value_type())?;
    note_reads(context, node, text, &parsed);
    Some(Expression {
        text: text.to_owned(),
        parsed,
        span: node.span.clone(),
    })
}

fn check_type(
    context: &mut Context<'_>,
    node: &Node,
    what: &str,
    allowed: Allowed,
    found: ValueType,
) -> Option<()> {
    let fits = found == ValueType::Vector
        || (found == ValueType::Scalar && allowed == Allowed::VectorOrScalar);
    if fits {
        return Some(());
    }
    let message = format!("{what} needs an instant vector, but this gives {found}");
    let help = match found {
        ValueType::Matrix => "apply a function to the range, such as `rate(…[5m])`",
        ValueType::Scalar => "compare a metric with the number, or write `vector(…)`",
        ValueType::String | ValueType::Vector => "write an expression that reads metrics",
    };
    context.error(
        Code::ExpressionType,
        &node.span,
        message,
        found.to_string(),
        help,
    );
    None
}

/// Notes the names that an expression reads, for the check against declared metrics.
fn note_reads(context: &mut Context<'_>, node: &Node, text: &str, parsed: &Expr) {
    for selector in parsed.selectors() {
        if let Some(name) = selector.name {
            let whole = text
                .get(selector.span.start..selector.span.end)
                .unwrap_or("");
            let start = selector.span.start + whole.find(name).unwrap_or(0);
            let span = place(context, node, text, start..start + name.len());
            context.reads.push(SeriesRead {
                name: name.to_owned(),
                span,
            });
        }
    }
}

/// The metric names that an expression reads; `None` stands for a selector that fixes no name.
pub(crate) fn names_read(expression: &Expression) -> Vec<Option<String>> {
    let selectors = expression.parsed.selectors();
    selectors
        .iter()
        .map(|selector| selector.name.map(str::to_owned))
        .collect()
}
