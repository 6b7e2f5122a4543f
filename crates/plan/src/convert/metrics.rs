//! The metrics that must or may exist.

use super::targets::SOURCE_BELFRY;
use super::{at, origin, text_or_empty};
use crate::context::{Context, Kind};
use crate::diagnostics::quote;
use crate::fields::Fields;
use crate::node::Node;
use crate::{Code, Metric, MetricGroup, MetricType, values};

const TYPES: [(&str, MetricType); 4] = [
    ("counter", MetricType::Counter),
    ("gauge", MetricType::Gauge),
    ("histogram", MetricType::Histogram),
    ("summary", MetricType::Summary),
];

const GROUPS: [(&str, MetricGroup); 3] = [
    ("application", MetricGroup::Application),
    ("infrastructure", MetricGroup::Infrastructure),
    ("business", MetricGroup::Business),
];

/// Labels that Belfry or the type itself sets; a metric cannot be split by them in its own right.
const LABELS_RESERVED: [&str; 5] = ["job", "instance", "le", "quantile", "__name__"];

pub(super) fn metric(context: &mut Context<'_>, node: &Node, jobs: &[String]) -> Option<Metric> {
    let mut fields = Fields::open(context, node, "a metric")?;
    let name = fields.required(context, "name", "write its name, exactly as it is exposed");
    let name = name.and_then(|node| values::metric_like(context, Kind::Metric, node));
    let help = "write `counter`, `gauge`, `histogram` or `summary`";
    let metric_type = fields.required(context, "type", help);
    let metric_type =
        metric_type.and_then(|node| values::word(context, node, "a metric's type", &TYPES));
    if let Some(name) = &name {
        context.metric_types.push((name.clone(), metric_type));
    }
    let unit = text_or_empty(context, &mut fields, "unit");
    let meaning = text_or_empty(context, &mut fields, "meaning");
    let help = "write `application`, `infrastructure` or `business`";
    let group = fields.required(context, "group", help);
    let group = group.and_then(|node| values::word(context, node, "a metric group", &GROUPS));
    let required = fields
        .optional("required")
        .and_then(|node| values::boolean(context, node));
    let labels = super::section(context, &mut fields, "labels", label);
    let source = source(context, &mut fields, jobs);
    let origin = origin(context, &mut fields);
    let at = at(context, &fields);
    fields.finish(context);
    Some(Metric {
        name: name?,
        metric_type: metric_type?,
        unit,
        meaning,
        group: group?,
        // Declaring a metric means expecting it, unless the plan says otherwise.
        required: required.unwrap_or(true),
        labels,
        source: source?,
        origin,
        at,
    })
}

fn label(context: &mut Context<'_>, node: &Node) -> Option<String> {
    let label = values::text(context, node)?;
    let reserved = LABELS_RESERVED.contains(&label);
    if model::is_label_name(label) && !reserved {
        return Some(label.to_owned());
    }
    let message = format!("{} cannot be a metric's own label", quote(label));
    let help = if reserved {
        "leave it out: it is set by the scrape or by the metric's type"
    } else {
        "use A-Z, a-z, 0-9 and `_`, not starting with a digit"
    };
    context.error(Code::InvalidName, &node.span, message, "", help);
    None
}

/// The job that exposes a metric. With one target there is no need to say it.
fn source(
    context: &mut Context<'_>,
    fields: &mut Fields<'_>,
    jobs: &[String],
) -> Option<Option<String>> {
    if let Some(node) = fields.optional("source") {
        if values::text(context, node)? == SOURCE_BELFRY {
            return Some(None);
        }
        return values::reference(context, Kind::Job, node).map(Some);
    }
    if let [only] = jobs {
        return Some(Some(only.clone()));
    }
    let help = match jobs {
        [] => {
            "declare a target, or write `source: belfry` for what Belfry writes itself".to_owned()
        }
        _ => format!("write `source:` with {}", crate::diagnostics::either(jobs)),
    };
    let message = "it is not clear which target exposes this metric";
    let span = fields.span().clone();
    context.error(
        Code::MissingKey,
        &span,
        message,
        "`source` is missing here",
        help,
    );
    None
}
