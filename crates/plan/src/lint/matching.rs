//! How the series of two sides find each other: whether they can at all, and whether one finds only one.

use promql::{Binary, BinaryOp, Cardinality, ExprKind, Matching};

use super::finding::Findings;
use super::infer::{Inferred, LabelSet};
use super::sites::Site;
use crate::Code;
use crate::diagnostics::{all, quote};

/// Labels of a scrape. A job has one instance here, so they split nothing.
const SCRAPED: [&str; 2] = ["job", "instance"];

pub(super) fn check(findings: &mut Findings<'_, '_>, site: &Site<'_>) {
    site.root.visit(&mut |part| {
        if let (ExprKind::Binary(binary), [left, right]) = (part.expr.kind(), part.parts.as_slice())
            && let Some(matching) = &binary.matching
            && binary.op != BinaryOp::Or
        {
            sides(findings, site, (part, binary, matching), (left, right));
        }
    });
}

fn sides(
    findings: &mut Findings<'_, '_>,
    site: &Site<'_>,
    (part, binary, matching): (&Inferred<'_>, &Binary, &Matching),
    (left, right): (&Inferred<'_>, &Inferred<'_>),
) {
    let (left, right) = (&left.facts.labels, &right.facts.labels);
    let filled = matching.fill_left.is_some() || matching.fill_right.is_some();
    let at = site.part(part.expr.span());
    if let Some(why) = apart(matching, left, right) {
        if !filled {
            let message = format!(
                "the two sides of `{}` never meet: {why}",
                binary.op.as_str()
            );
            let help = "say by which labels they meet: `on (…)` or `ignoring (…)`, or aggregate both by the same";
            findings.in_expression(Code::SidesNeverMatch, site.name, at, message, help);
        }
        return;
    }
    if binary.op.is_set() {
        return;
    }
    let (many, side, word) = match matching.cardinality {
        Cardinality::OneToOne => {
            let left_splits = splitting(matching, left);
            if left_splits.is_empty() {
                (splitting(matching, right), "right", "group_right")
            } else {
                (left_splits, "left", "group_left")
            }
        }
        // The side that gives one series must not be split either.
        Cardinality::ManyToOne => (splitting(matching, right), "right", "on"),
        Cardinality::OneToMany => (splitting(matching, left), "left", "on"),
        Cardinality::ManyToMany => return,
    };
    // `group_left (version) build_info`: the labels that are taken over are those of the one build that runs.
    let taken_over = |label: &&str| matching.include.iter().any(|own| own == label);
    if many.iter().all(taken_over) {
        return;
    }
    let message = format!(
        "several series of the {side} side meet in one: they are split by {}",
        all(&many)
    );
    let help = if word == "on" {
        "aggregate that side first, or match by these labels too".to_owned()
    } else {
        format!("aggregate that side first, or write `{word}` if each of them is meant")
    };
    findings.in_expression(Code::ManyToOne, site.name, at, message, help);
}

/// Whether series meet by the value of a label.
fn meets_by(matching: &Matching, label: &str) -> bool {
    matching.labels.iter().any(|own| own == label) == matching.on
}

/// Why no series of one side can meet one of the other.
fn apart(matching: &Matching, left: &LabelSet, right: &LabelSet) -> Option<String> {
    let one_sided = |has: &LabelSet, lacks: &LabelSet, side: &str| {
        has.sure()
            .find(|label| meets_by(matching, label) && !lacks.may_have(label))
            .map(|label| format!("the {side} side has no label {}", quote(label)))
    };
    let different = || {
        left.sure()
            .filter(|label| meets_by(matching, label))
            .find_map(|label| {
                let (own, other) = (left.fixed_value(label)?, right.fixed_value(label)?);
                (own != other).then(|| format!("{} is different", quote(label)))
            })
    };
    one_sided(left, right, "right")
        .or_else(|| one_sided(right, left, "left"))
        .or_else(different)
}

/// Labels that split a side without being asked for.
fn splitting<'l>(matching: &Matching, side: &'l LabelSet) -> Vec<&'l str> {
    side.splitting()
        .filter(|label| !meets_by(matching, label) && !SCRAPED.contains(label))
        .collect()
}
