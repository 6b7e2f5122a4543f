//! Labels that texts name: what an expression has dropped, or never had, gives an empty place on a telephone at night.

use super::finding::Findings;
use super::infer::{Inferred, LabelSet};
use super::sites::{Purpose, Site};
use crate::Code;
use crate::diagnostics::{all, quote};
use crate::suggest::did_you_mean;

pub(super) fn check(findings: &mut Findings<'_, '_>, site: &Site<'_>) {
    match site.purpose {
        Purpose::Alert(_, rule) => {
            for (what, text) in [
                ("summary", &rule.summary),
                ("description", &rule.description),
            ] {
                for label in named_in_text(text) {
                    named(findings, site, what, label);
                }
            }
        }
        Purpose::Panel(_, query) => {
            for label in named_in_legend(&query.legend) {
                named(findings, site, "legend", label);
            }
        }
        Purpose::Objective(_) | Purpose::Step => {}
    }
}

fn named(findings: &mut Findings<'_, '_>, site: &Site<'_>, what: &str, label: &str) {
    let labels = &site.root.facts.labels;
    if labels.may_have(label) || label == "__name__" {
        return;
    }
    let at = site.part(site.root.expr.span());
    if is_below(&site.root, label) {
        let message = format!(
            "the {what} names {}, which this expression drops",
            quote(label)
        );
        let help =
            format!("keep the label, as in `sum by ({label}) (…)`, or leave it out of the {what}");
        findings.in_expression(Code::TemplateLabelDropped, site.name, at, message, help);
    } else {
        let message = format!(
            "the {what} names {}, which nothing in this expression has",
            quote(label)
        );
        let help = remaining(labels, label);
        findings.in_expression(Code::TemplateLabelMissing, site.name, at, message, help);
    }
}

fn remaining(labels: &LabelSet, wrong: &str) -> String {
    let known: Vec<&str> = labels.possible().collect();
    let meant = did_you_mean(wrong, known.iter().copied());
    if !meant.is_empty() {
        meant
    } else if known.is_empty() {
        "the answer has no labels; leave it out".to_owned()
    } else {
        format!("the answer has {}", all(&known))
    }
}

/// Whether some part of an expression has a label.
fn is_below(root: &Inferred<'_>, label: &str) -> bool {
    let mut found = false;
    root.visit(&mut |part| {
        let labels = &part.facts.labels;
        found |= labels.is_closed() && labels.may_have(label);
    });
    found
}

/// The labels that `{{ $labels.x }}` names.
fn named_in_text(text: &str) -> Vec<&str> {
    text.split("{{")
        .skip(1)
        .filter_map(|rest| rest.split_once("}}"))
        .filter_map(|(inside, _)| inside.trim().strip_prefix("$labels."))
        .filter(|label| model::is_label_name(label))
        .collect()
}

/// The labels that `{{x}}` of a legend names.
fn named_in_legend(text: &str) -> Vec<&str> {
    text.split("{{")
        .skip(1)
        .filter_map(|rest| rest.split_once("}}"))
        .map(|(inside, _)| inside.trim())
        .filter(|label| model::is_label_name(label))
        .collect()
}
