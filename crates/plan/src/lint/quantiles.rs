//! Quantiles: of what, over which groups, and which one.

use promql::{Aggregate, AggregateOp, ExprKind};

use super::finding::Findings;
use super::infer::{Inferred, Nature};
use super::sites::{Purpose, Site};
use crate::Code;
use crate::diagnostics::all;

/// How many labels may split a quantile besides those of the scrape: one is meant (a quantile by route), two leave hardly
/// anything in each part.
const SPLITTING_MAX: usize = 1;

pub(super) fn check(findings: &mut Findings<'_, '_>, site: &Site<'_>) {
    site.root.visit(&mut |part| match part.expr.kind() {
        ExprKind::Call(call) => match (call.function.name, part.parts.as_slice()) {
            ("histogram_quantile", [rank, buckets]) => {
                out_of_range(findings, site, rank);
                of_buckets(findings, site, part, buckets);
            }
            ("histogram_fraction", [_, _, buckets]) => of_buckets(findings, site, part, buckets),
            ("quantile_over_time", [rank, _]) => out_of_range(findings, site, rank),
            _ => {}
        },
        ExprKind::Aggregate(aggregate) => of_quantiles(findings, site, part, aggregate),
        _ => {}
    });
}

fn out_of_range(findings: &mut Findings<'_, '_>, site: &Site<'_>, rank: &Inferred<'_>) {
    let Some(number) = rank.number().filter(|rank| !(0.0..=1.0).contains(rank)) else {
        return;
    };
    let message = format!("a quantile is a number from 0 to 1, and {number} always gives infinity");
    let help = if number > 1.0 && number <= 100.0 {
        format!("write `{}`", number / 100.0)
    } else {
        "write it as a share, such as `0.95`".to_owned()
    };
    let at = site.part(rank.expr.span());
    findings.in_expression(Code::QuantileOutOfRange, site.name, at, message, help);
}

/// `histogram_quantile` and `histogram_fraction` need the growth of buckets, added up, with their bounds.
fn of_buckets(
    findings: &mut Findings<'_, '_>,
    site: &Site<'_>,
    call: &Inferred<'_>,
    buckets: &Inferred<'_>,
) {
    let at = site.part(buckets.expr.span());
    let facts = &buckets.facts;
    let of_buckets = matches!(facts.nature, Nature::Buckets | Nature::BucketGrowth);
    if facts.nature == Nature::Unknown || (facts.nature == Nature::Computed && !of_buckets) {
        return;
    }
    if !of_buckets {
        let message = "these are no buckets, so there is nothing to take a quantile of";
        let help = "read the series that ends with `_bucket`, as in `rate(x_bucket[5m])`";
        findings.in_expression(Code::QuantileOfNoHistogram, site.name, at, message, help);
        return;
    }
    if !facts.labels.may_have("le") {
        let message = "the bounds of the buckets (`le`) are gone, so there is no quantile";
        let help = "keep them: `sum by (le, …) (…)`";
        findings.in_expression(Code::QuantileWithoutLe, site.name, at, message, help);
        return;
    }
    if facts.nature == Nature::Buckets {
        let message = "without `rate` this is a quantile of everything since the last restart";
        let help = "take what was observed lately: `rate(x_bucket[5m])`";
        findings.in_expression(Code::QuantileOfLifetime, site.name, at, message, help);
        return;
    }
    badly_added(findings, site, buckets);
    of_each_part(findings, site, call);
}

/// Buckets of several series are added; the mean or greatest of them is no histogram.
fn badly_added(findings: &mut Findings<'_, '_>, site: &Site<'_>, buckets: &Inferred<'_>) {
    let ExprKind::Aggregate(aggregate) = buckets.bare().expr.kind() else {
        return;
    };
    if aggregate.op == AggregateOp::Sum {
        return;
    }
    let message = format!(
        "`{}` of buckets is not a histogram any more",
        aggregate.op.as_str()
    );
    let help = "add them: `sum by (le, …) (…)`";
    let at = site.part(buckets.expr.span());
    findings.in_expression(Code::QuantileAggregated, site.name, at, message, help);
}

fn of_each_part(findings: &mut Findings<'_, '_>, site: &Site<'_>, call: &Inferred<'_>) {
    if !matches!(site.purpose, Purpose::Alert(..) | Purpose::Objective(_)) {
        return;
    }
    let scraped = ["job", "instance"];
    let splitting: Vec<&str> = call
        .facts
        .labels
        .splitting()
        .filter(|label| !scraped.contains(label))
        .collect();
    let on_purpose = matches!(
        call.parts.get(1).map(|buckets| buckets.bare().expr.kind()),
        Some(ExprKind::Aggregate(_))
    );
    if splitting.len() <= SPLITTING_MAX || on_purpose {
        return;
    }
    let message = format!(
        "this takes a quantile for each combination of {}, most of which see next to nothing",
        all(&splitting)
    );
    let help = "say by what: `sum by (le) (…)`, or `sum by (le, route) (…)`";
    let at = site.part(call.expr.span());
    findings.in_expression(Code::QuantileOfEachPart, site.name, at, message, help);
}

/// The mean of quantiles is a quantile of nothing.
fn of_quantiles(
    findings: &mut Findings<'_, '_>,
    site: &Site<'_>,
    part: &Inferred<'_>,
    aggregate: &Aggregate,
) {
    if aggregate.op == AggregateOp::Quantile
        && let Some(rank) = part.parts.first()
    {
        out_of_range(findings, site, rank);
    }
    let adds = matches!(aggregate.op, AggregateOp::Avg | AggregateOp::Sum);
    let of_quantiles = part
        .parts
        .last()
        .is_some_and(|inner| inner.facts.nature == Nature::Quantile);
    if !adds || !of_quantiles {
        return;
    }
    let message = format!(
        "`{}` of quantiles is no quantile of the whole",
        aggregate.op.as_str()
    );
    let help = "add the buckets first and take the quantile of the sum, or take `max`";
    let at = site.part(part.expr.span());
    findings.in_expression(Code::QuantileAggregated, site.name, at, message, help);
}
