//! Functions that rewrite labels or make them from a selector.

use std::collections::HashSet;

use model::{Labels, LabelsBuilder, METRIC_NAME, MatchOp, Matcher};
use regex::Regex;

use crate::ast::{Expr, ExprKind};
use crate::sample::InstantVector;

/// Sets `target` to the expansion of `replacement` wherever the whole value of `source` matches.
pub(super) fn replace(
    mut vector: InstantVector,
    target: &str,
    replacement: &str,
    source: &str,
    pattern: &Regex,
) -> InstantVector {
    for sample in &mut vector {
        let value = sample.labels.get(source).unwrap_or("");
        let Some(captures) = pattern.captures(value) else {
            continue;
        };
        let mut expanded = String::new();
        captures.expand(replacement, &mut expanded);
        sample.labels = sample.labels.with(target, &expanded);
        // The author chose this name, so it stays.
        sample.drop_name &= target != METRIC_NAME;
    }
    vector
}

/// Sets `target` to the values of `sources`, joined.
pub(super) fn join(
    mut vector: InstantVector,
    target: &str,
    separator: &str,
    sources: &[&str],
) -> InstantVector {
    for sample in &mut vector {
        let values: Vec<&str> = sources
            .iter()
            .map(|source| sample.labels.get(source).unwrap_or(""))
            .collect();
        sample.labels = sample.labels.with(target, &values.join(separator));
        sample.drop_name &= target != METRIC_NAME;
    }
    vector
}

/// Whether two series of a vector carry the same labels.
pub(super) fn has_duplicates(vector: &InstantVector) -> bool {
    let mut seen = HashSet::with_capacity(vector.len());
    !vector.iter().all(|sample| seen.insert(&sample.labels))
}

/// What is known of a series that is absent: the labels that the selector fixes exactly once.
pub(super) fn of_absent(expr: &Expr) -> Labels {
    let matchers: &[Matcher] = match &expr.without_parens().kind {
        ExprKind::Selector(selector) | ExprKind::Matrix(selector, _) => &selector.matchers,
        _ => &[],
    };
    let mut builder = LabelsBuilder::default();
    for matcher in matchers {
        let mentions = matchers
            .iter()
            .filter(|other| other.name() == matcher.name())
            .count();
        if mentions == 1 && matcher.op() == MatchOp::Equal && matcher.name() != METRIC_NAME {
            builder.set(matcher.name(), matcher.value());
        }
    }
    builder.build()
}
