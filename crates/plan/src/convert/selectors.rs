//! Which alerts are meant: an alert's name, or matchers between braces as PromQL writes them.

use promql::ExprKind;

use crate::context::{Context, Kind};
use crate::diagnostics::{gist, quote};
use crate::limits::SELECTORS_MAX;
use crate::node::{Node, Value};
use crate::scalar_map::place;
use crate::{AlertSelector, Code, values};

/// What stands before the braces while they are parsed: PromQL refuses braces that every series could satisfy, but an
/// alert always has a name, so `{severity!="critical"}` is as good as any.
const NAME_BEFORE: &str = "a";

/// A list of selectors with their places; at least one. `what` is "an inhibition needs at least one …".
pub(super) fn selectors<'n>(
    context: &mut Context<'_>,
    node: &'n Node,
    what: &str,
) -> Vec<(AlertSelector, &'n Node)> {
    super::needs_one(context, node, what);
    let nodes = super::nodes_up_to(context, node, (SELECTORS_MAX, "selectors"));
    nodes
        .iter()
        .filter_map(|node| Some((selector(context, node)?, node)))
        .collect()
}

fn selector(context: &mut Context<'_>, node: &Node) -> Option<AlertSelector> {
    if matches!(node.value, Value::Map(_)) {
        let message = "a selector is text, but this is a map";
        let help = "put matchers between quotes, as in '{severity=\"warning\"}': YAML reads bare braces as a map";
        context.error(Code::WrongShape, &node.span, message, "not text", help);
        return None;
    }
    let text = values::text(context, node)?;
    if text.starts_with('{') {
        return matchers(context, node, text);
    }
    if model::is_metric_name(text) {
        context.refer(Kind::Alert, text, node);
        return Some(AlertSelector::of_alert(text));
    }
    let message = format!("{} selects no alerts", quote(text));
    let help =
        "write an alert's name, or matchers such as '{severity=\"warning\", job=~\"api.*\"}'";
    context.error(Code::InvalidSelector, &node.span, message, "", help);
    None
}

fn matchers(context: &mut Context<'_>, node: &Node, text: &str) -> Option<AlertSelector> {
    let whole = format!("{NAME_BEFORE}{text}");
    let parsed = match promql::parse(&whole) {
        Ok(parsed) => parsed,
        Err(error) => {
            let before = NAME_BEFORE.len();
            let part =
                error.span.start.saturating_sub(before)..error.span.end.saturating_sub(before);
            let at = place(context, node, text, part);
            let message = format!("these are not matchers: {}", gist(&error.message));
            context.error(Code::InvalidSelector, &at, message, "", "");
            return None;
        }
    };
    if let ExprKind::Selector(selector) = parsed.kind()
        && (selector.offset_ms, selector.at) == (0, None)
    {
        // The first is that of the name before the braces.
        let matchers = selector.matchers.get(1..).unwrap_or(&[]).to_vec();
        if !matchers.is_empty() {
            let text = text.to_owned();
            return Some(AlertSelector { text, matchers });
        }
        let message = "these braces hold no matcher, so they would select every alert";
        let help = "write at least one matcher; '{alertname!=\"\"}' says that every alert is meant";
        context.error(Code::InvalidSelector, &node.span, message, "", help);
        return None;
    }
    let message = "something stands beside the matchers";
    let help = "write the braces alone; an alert has no range, no offset and no operators";
    context.error(Code::InvalidSelector, &node.span, message, "", help);
    None
}
