//! How an objective's events are counted, and the budget that follows.

use promql::ExprKind;

use super::objectives::Promise;
use crate::check::metric_of;
use crate::context::{Context, SeriesRead};
use crate::diagnostics::{gist, quote};
use crate::fields::Fields;
use crate::limits::{EVENT_MATCHERS_MAX, EVENT_SELECTOR_BYTES_MAX};
use crate::lower::{bounds_as_written, rounded};
use crate::node::Node;
use crate::scalar_map::place;
use crate::series::{Writer, writer};
use crate::{
    Budget, BudgetOrigin, Code, EventSelector, Events, Expression, MetricType, grammar, values,
};

/// What can be counted in a place.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Countable {
    Counter,
    Gauge,
    Histogram,
}

/// `events:`.
pub(super) fn events(
    context: &mut Context<'_>,
    node: &Node,
    promise: Option<&Promise>,
) -> Option<Events> {
    let mut fields = Fields::open(context, node, &grammar::EVENTS)?;
    let mut read = |key, countable| {
        let node = fields.optional(key)?;
        Some(selector(context, node, countable))
    };
    let bad = read("bad", Countable::Counter);
    let good = read("good", Countable::Counter);
    let total = read("total", Countable::Counter);
    let histogram = read("histogram", Countable::Histogram);
    let gauge = read("gauge", Countable::Gauge);
    let above = fields.optional("above");
    let bound = match (&histogram, above) {
        (Some(_), above) => bound(context, &fields, above, promise),
        (None, Some(above)) => {
            let message = "`above` is a bound for the observations of a histogram";
            let help = "take it away, or name the `histogram`";
            context.error(Code::OneOf, &above.span, message, "", help);
            None
        }
        (None, None) => None,
    };
    let span = fields.span().clone();
    fields.finish(context);
    match (bad, good, total, histogram, gauge) {
        (Some(bad), None, Some(total), None, None) => Some(Events::BadOfTotal {
            bad: bad?,
            total: total?,
        }),
        (None, Some(good), Some(total), None, None) => Some(Events::GoodOfTotal {
            good: good?,
            total: total?,
        }),
        (Some(bad), Some(good), None, None, None) => Some(Events::GoodAndBad {
            good: good?,
            bad: bad?,
        }),
        (None, None, None, Some(histogram), None) => Some(Events::Histogram {
            histogram: histogram?,
            bounds: bounds_as_written(bound?),
        }),
        (None, None, None, None, Some(gauge)) => Some(Events::Gauge { gauge: gauge? }),
        _ => {
            let message = "events are counted in one way";
            let help =
                "write two of `bad`, `good` and `total`, or a `histogram`, or a `gauge` of 0 and 1";
            context.error(Code::OneOf, &span, message, "", help);
            None
        }
    }
}

/// The bound past which an observation is bad: written, or the target in seconds.
fn bound(
    context: &mut Context<'_>,
    fields: &Fields<'_>,
    above: Option<&Node>,
    promise: Option<&Promise>,
) -> Option<f64> {
    if let Some(node) = above {
        let written = values::text(context, node)?;
        let length = || {
            model::parse_duration(written)
                .ok()
                .map(|length| length.as_secs_f64())
        };
        let bound = values::finite(written)
            .or_else(length)
            .filter(|bound| *bound > 0.0);
        if bound.is_none() {
            let message = format!("{} is not a bound", quote(written));
            let help = "write a length of time such as `500ms`, or a number above zero";
            context.error(Code::InvalidNumber, &node.span, message, "", help);
        }
        return bound;
    }
    let promise = promise?;
    if promise.below && promise.unit != "ratio" {
        return Some(promise.target);
    }
    let message = "which observations are bad does not follow from this target";
    let help = "write `above:` with the largest good value, as in `above: 500ms`";
    context.error(Code::MissingKey, fields.span(), message, "", help);
    None
}

/// A metric's name, or a selector without a range.
fn selector(context: &mut Context<'_>, node: &Node, countable: Countable) -> Option<EventSelector> {
    let text = values::text_up_to(context, node, "a selector", EVENT_SELECTOR_BYTES_MAX)?;
    let parsed = match promql::parse(text) {
        Ok(parsed) => parsed,
        Err(error) => {
            let at = place(context, node, text, error.span.start..error.span.end);
            let message = format!("this selects no series: {}", gist(&error.message));
            context.error(Code::EventSelector, &at, message, "", "");
            return None;
        }
    };
    let name = match parsed.kind() {
        ExprKind::Selector(selector) if (selector.offset_ms, selector.at) == (0, None) => {
            few_matchers(context, node, selector.matchers.len() - 1)?;
            selector
                .name
                .clone()
                .filter(|name| model::is_metric_name(name))
        }
        _ => None,
    };
    let Some(name) = name else {
        let message = format!("{} does not select the series of one metric", quote(text));
        let help = "write a metric's name, or a selector such as `requests_total{status=~\"5..\"}`, without a range and without a function";
        context.error(Code::EventSelector, &node.span, message, "", help);
        return None;
    };
    check_type(context, node, &name, countable)?;
    let read = match countable {
        Countable::Histogram => format!("{name}_bucket"),
        Countable::Counter | Countable::Gauge => name.clone(),
    };
    let span = node.span.clone();
    context.reads.push(SeriesRead { name: read, span });
    // As it prints, so that a comment or a line break inside cannot swallow what is added to it.
    let printed = parsed.to_string();
    let matchers = printed.strip_prefix(name.as_str()).unwrap_or("");
    let matchers = matchers
        .trim_start_matches('{')
        .trim_end_matches('}')
        .to_owned();
    Some(EventSelector { name, matchers })
}

/// `count` is of those beside the name.
fn few_matchers(context: &mut Context<'_>, node: &Node, count: usize) -> Option<()> {
    if count <= EVENT_MATCHERS_MAX {
        return Some(());
    }
    let message = format!("{count} matchers are too many");
    let help = format!("write at most {EVENT_MATCHERS_MAX} beside the name");
    context.error(Code::TooMany, &node.span, message, "", help);
    None
}

fn check_type(
    context: &mut Context<'_>,
    node: &Node,
    name: &str,
    countable: Countable,
) -> Option<()> {
    let declared = context.metric_types.iter().find(|(own, _)| own == name);
    let fits = match (declared, countable) {
        // What has no readable type, or is declared nowhere, is reported for that.
        (Some((_, None)), _) => true,
        (Some((_, Some(own))), Countable::Counter) => *own == MetricType::Counter,
        (Some((_, Some(own))), Countable::Gauge) => *own == MetricType::Gauge,
        (Some((_, Some(own))), Countable::Histogram) => *own == MetricType::Histogram,
        (None, _) if metric_of(name, &context.metric_types).is_some() => {
            countable == Countable::Counter && !name.ends_with("_sum")
        }
        (None, Countable::Histogram) => writer(name) == Writer::Target,
        (None, Countable::Counter) => writer(name) == Writer::Target || name.ends_with("_total"),
        (None, Countable::Gauge) => writer(name) == Writer::Target || !name.ends_with("_total"),
    };
    if fits {
        return Some(());
    }
    let (wanted, help) = match countable {
        Countable::Counter => (
            "a counter",
            "name a counter of events; samples of 0 and 1 are counted with `gauge:`, observations with `histogram:`",
        ),
        Countable::Gauge => (
            "a gauge of 0 and 1",
            "name a gauge such as `probe_success`; counters are counted with `bad:`, `good:` and `total:`",
        ),
        Countable::Histogram => (
            "a histogram",
            "name a histogram without `_bucket`, `_sum` or `_count`",
        ),
    };
    let message = format!("{} is not {wanted}", quote(name));
    context.error(Code::EventType, &node.span, message, "", help);
    None
}

/// The budget: given, or what the target leaves over. `at` is where `events` stands.
pub(super) fn budget(
    context: &mut Context<'_>,
    given: Option<&Node>,
    promise: &Promise,
    expr: &Expression,
    events: &Events,
    at: &Node,
) -> Option<Budget> {
    let (budget, node) = match given {
        Some(node) => {
            let share = values::share(context, node)?;
            (
                Budget {
                    share,
                    origin: BudgetOrigin::Given,
                },
                node,
            )
        }
        None => (derived(context, promise, expr, events, at)?, at),
    };
    if budget.share > 0.0 && budget.share < 1.0 {
        return Some(budget);
    }
    let (message, help) = if budget.share <= 0.0 {
        (
            "this promises that no event is ever bad, so there is no budget to spend",
            "promise less than everything, as in `> 99.99%`",
        )
    } else {
        (
            "this lets every event be bad, so there is no budget to watch",
            "promise something, as in `> 99%`",
        )
    };
    context.error(Code::EmptyBudget, &node.span, message, "", help);
    None
}

fn derived(
    context: &mut Context<'_>,
    promise: &Promise,
    expr: &Expression,
    events: &Events,
    at: &Node,
) -> Option<Budget> {
    if promise.unit == "ratio" {
        let share = if promise.below {
            promise.target
        } else {
            rounded(1.0 - promise.target, 12)
        };
        return Some(Budget {
            share,
            origin: BudgetOrigin::Target,
        });
    }
    if matches!(events, Events::Histogram { .. })
        && let Some(quantile) = quantile(expr)
    {
        let (share, origin) = (
            rounded(1.0 - quantile, 12),
            BudgetOrigin::Quantile(quantile),
        );
        return Some(Budget { share, origin });
    }
    let message = format!(
        "how many events may be bad does not follow from a target in {}",
        quote(&promise.unit)
    );
    let help = "write `budget:` with the share that may be bad, as in `budget: 1%`; a quantile of a histogram gives it by itself";
    context.error(Code::NoBudget, &at.span, message, "", help);
    None
}

/// The quantile that an expression takes of a histogram, where it takes one.
fn quantile(expr: &Expression) -> Option<f64> {
    let mut found = None;
    expr.parsed.visit(&mut |part| {
        if let ExprKind::Call(call) = part.kind()
            && call.function.name == "histogram_quantile"
            && let Some(ExprKind::Number(number)) = call
                .arguments
                .first()
                .map(|first| first.without_parens().kind())
        {
            found = found.or(Some(number.0));
        }
    });
    found
}
