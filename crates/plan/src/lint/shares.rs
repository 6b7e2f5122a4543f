//! Shares and what is taken for one: 5 for 5 %, failures by the second under a name that promises a share of requests,
//! "500 %" on a telephone at night.

use promql::{BinaryOp, ExprKind};

use super::conditions::{Comparison, conditions};
use super::finding::Findings;
use super::infer::{Facts, Inferred, Nature, Share, Unit};
use super::sites::{Purpose, Site};
use crate::diagnostics::quote;
use crate::{AlertRule, Code, Objective, Plan};

/// From here on a number compared with what looks like a share by its names is meant as percent: shares above 1 happen (a
/// queue fills faster than it drains), shares above 2 are somebody's percent.
const LIKELY_PERCENT_MIN: f64 = 2.0;

/// Words that promise a share.
const SHARE_WORDS: [&str; 6] = ["percent", "percentage", "ratio", "share", "proportion", "%"];

/// Beginnings of names whose `Rate` people read as a share.
const FAILURE_RATES: [&str; 6] = [
    "errorrate",
    "failurerate",
    "successrate",
    "hitrate",
    "missrate",
    "rejectionrate",
];

pub(super) fn check(findings: &mut Findings<'_, '_>, plan: &Plan, site: &Site<'_>) {
    site.root
        .visit(&mut |part| as_absolute(findings, site, part));
    match site.purpose {
        Purpose::Alert(_, rule) => {
            under_a_name(findings, site, rule);
            humanized(findings, site, rule);
        }
        Purpose::Objective(objective) => promised(findings, site, objective),
        Purpose::Panel(..) => thresholds(findings, plan, site),
        Purpose::Step => {}
    }
}

/// Whether a number is out of what a share can be.
pub(super) fn is_percent_of_share(facts: &Facts, number: f64) -> bool {
    if !facts.unit.is_ratio() {
        return false;
    }
    match facts.share {
        Share::Surely => number > 1.0,
        Share::Likely => number >= LIKELY_PERCENT_MIN,
        Share::No => false,
    }
}

fn as_absolute(findings: &mut Findings<'_, '_>, site: &Site<'_>, part: &Inferred<'_>) {
    let Some(comparison) = Comparison::of(part) else {
        return;
    };
    let Some(number) = comparison.number else {
        return;
    };
    if !is_percent_of_share(&comparison.side.facts, number) {
        return;
    }
    let what = quote(site.text(comparison.side.expr.span()));
    let message = format!("{what} is a share from 0 to 1, compared with {number}");
    let help = as_share(number);
    let at = site.part(part.expr.span());
    findings.in_expression(Code::RatioAsAbsolute, site.name, at, message, help);
}

fn as_share(number: f64) -> String {
    if number <= 100.0 {
        format!("write `{}` for {number} %", number / 100.0)
    } else {
        "write the threshold as a share, from 0 to 1".to_owned()
    }
}

/// Lines across a panel of shares.
fn thresholds(findings: &mut Findings<'_, '_>, plan: &Plan, site: &Site<'_>) {
    let panels = plan.dashboards.iter().flat_map(|board| &board.panels);
    let first_of = panels.filter(|panel| {
        panel
            .queries
            .first()
            .is_some_and(|query| std::ptr::eq(&query.expr, site.expression))
    });
    for panel in first_of {
        for threshold in &panel.thresholds {
            if panel.unit == "ratio" && is_percent_of_share(&site.root.facts, threshold.value) {
                let number = threshold.value;
                let message = format!("the panel shows shares from 0 to 1, and a line at {number}");
                let about = (panel.title.as_str(), panel.at);
                findings.at(Code::RatioAsAbsolute, about, message, as_share(number));
            }
        }
    }
}

/// A rate by the second, compared under a name that says share.
fn under_a_name(findings: &mut Findings<'_, '_>, site: &Site<'_>, rule: &AlertRule) {
    for condition in conditions(&site.root) {
        let Some(comparison) = Comparison::of(condition) else {
            continue;
        };
        if !matches!(comparison.side.facts.unit, Unit::PerSecond(_)) {
            continue;
        }
        let looks_like_share = comparison
            .number
            .is_some_and(|number| number > 0.0 && number < 1.0);
        let Some(word) = promise_of_share(rule, looks_like_share) else {
            continue;
        };
        let unit = comparison.side.facts.unit.words();
        let message = format!("{word} speaks of a share, but this is {unit}");
        let help = "divide by all of them, as in `rate(errors[5m]) / rate(requests[5m])`, or say \"by the second\"";
        let at = site.part(condition.expr.span());
        findings.in_expression(Code::RateUnderShareName, site.name, at, message, help);
    }
}

/// What of a rule promises a share.
fn promise_of_share(rule: &AlertRule, looks_like_share: bool) -> Option<String> {
    let name = rule.name.to_ascii_lowercase();
    let named = SHARE_WORDS.iter().any(|word| name.contains(word))
        || (looks_like_share
            && FAILURE_RATES
                .iter()
                .any(|rate| name.replace('_', "").contains(rate)));
    if named {
        return Some(format!("the name {}", quote(&rule.name)));
    }
    let texts = [
        ("summary", &rule.summary),
        ("description", &rule.description),
    ];
    texts.into_iter().find_map(|(what, text)| {
        let after_value = text.contains("$value }}%") || text.contains("$value }} %");
        let says = after_value
            || text
                .to_ascii_lowercase()
                .split(|character: char| !character.is_ascii_alphabetic())
                .any(|word| SHARE_WORDS.contains(&word));
        says.then(|| format!("the {what}"))
    })
}

/// `humanizePercentage` multiplies by a hundred, which is right for shares alone.
fn humanized(findings: &mut Findings<'_, '_>, site: &Site<'_>, rule: &AlertRule) {
    let texts = [&rule.summary, &rule.description];
    if !texts.iter().any(|text| text.contains("humanizePercentage")) {
        return;
    }
    let facts = &site.root.facts;
    let known_otherwise = match &facts.unit {
        Unit::Unknown => false,
        // Processor seconds by the second are a share of one processor.
        Unit::PerSecond(unit) => unit != "seconds",
        Unit::Plain(_) => !facts.unit.is_ratio(),
    };
    // A gauge without a unit may well be a share; then the plan should say so.
    let bare_gauge = facts.nature == Nature::Gauge && facts.unit == Unit::count();
    let one_or_none = facts.values.low >= 0.0 && facts.values.high <= 1.0;
    if !known_otherwise || one_or_none && !bare_gauge {
        return;
    }
    let message = format!(
        "the texts show the value as a percentage, but it is {}",
        facts.unit.words()
    );
    let help = "write `{{ $value }}` with its unit, or declare `unit: ratio` if it is a share";
    let at = site.part(site.root.expr.span());
    findings.in_expression(Code::PercentageOfNonRatio, site.name, at, message, help);
}

/// An objective in shares over something by the second.
fn promised(findings: &mut Findings<'_, '_>, site: &Site<'_>, objective: &Objective) {
    if objective.unit != "ratio" || !matches!(site.root.facts.unit, Unit::PerSecond(_)) {
        return;
    }
    if matches!(site.root.bare().expr.kind(), ExprKind::Binary(binary) if binary.op == BinaryOp::Divide)
    {
        return;
    }
    let unit = site.root.facts.unit.words();
    let message = format!("the objective promises a share, but this is {unit}");
    let help = "divide by all of them, as in `increase(errors[30d]) / increase(requests[30d])`";
    let at = site.part(site.root.expr.span());
    findings.in_expression(Code::RateUnderShareName, site.name, at, message, help);
}
