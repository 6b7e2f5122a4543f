//! Labels that are asked for and are not there, and matchers that choose nothing or everything.

use std::collections::BTreeSet;

use model::{METRIC_NAME, MatchOp, Matcher};
use promql::{ExprKind, Grouping, Matching, VectorSelector};

use super::finding::Findings;
use super::infer::{Inferred, LabelSet, name_of, series};
use super::sites::Site;
use crate::diagnostics::{all, quote};
use crate::suggest::did_you_mean;
use crate::{Code, Plan};

/// Labels that are taken away or ignored by habit, whether they are there or not.
const HABITUAL: [&str; 2] = ["job", "instance"];

pub(super) fn check(findings: &mut Findings<'_, '_>, plan: &Plan, site: &Site<'_>) {
    site.root.visit(&mut |part| match part.expr.kind() {
        ExprKind::Selector(selector) | ExprKind::Matrix(selector, _) => {
            let read = Read {
                site,
                part,
                selector,
            };
            matched_labels(findings, plan, &read);
            patterns(findings, &read);
            values(findings, plan, &read);
        }
        ExprKind::Aggregate(aggregate) => {
            if let Some(inner) = part.parts.last() {
                grouped(findings, site, (part, inner), &aggregate.grouping);
            }
        }
        ExprKind::Binary(binary) => {
            if let Some(matching) = &binary.matching {
                joined(findings, site, part, matching);
            }
        }
        _ => {}
    });
}

/// A selector where it stands.
struct Read<'a, 'p> {
    site: &'a Site<'p>,
    part: &'a Inferred<'p>,
    selector: &'a VectorSelector,
}

impl Read<'_, '_> {
    fn name(&self) -> &str {
        name_of(self.selector).unwrap_or("the series")
    }

    fn add(
        &self,
        findings: &mut Findings<'_, '_>,
        code: Code,
        message: String,
        help: impl Into<String>,
    ) {
        let at = self.site.part(self.part.expr.span());
        findings.in_expression(code, self.site.name, at, message, help);
    }

    /// The matchers on labels.
    fn matchers(&self) -> impl Iterator<Item = &Matcher> {
        let on_labels = |matcher: &&Matcher| matcher.name() != METRIC_NAME;
        self.selector.matchers.iter().filter(on_labels)
    }
}

fn matched_labels(findings: &mut Findings<'_, '_>, plan: &Plan, read: &Read<'_, '_>) {
    let Some(name) = name_of(read.selector) else {
        return;
    };
    let labels = series(plan, name).labels;
    for matcher in read.matchers() {
        let label = matcher.name();
        if labels.may_have(label) {
            continue;
        }
        let message = format!("{} has no label {}", quote(name), quote(label));
        read.add(
            findings,
            Code::UnknownLabel,
            message,
            known_labels(&labels, label),
        );
    }
}

fn known_labels(labels: &LabelSet, wrong: &str) -> String {
    let known: Vec<&str> = labels.possible().collect();
    let meant = did_you_mean(wrong, known.iter().copied());
    if !meant.is_empty() {
        meant
    } else if known.is_empty() {
        "it has no labels; declare them under the metric's `labels` if it does".to_owned()
    } else {
        format!(
            "it has {}; declare further ones under `labels`",
            all(&known)
        )
    }
}

/// Labels of an aggregation.
fn grouped(
    findings: &mut Findings<'_, '_>,
    site: &Site<'_>,
    (part, inner): (&Inferred<'_>, &Inferred<'_>),
    grouping: &Grouping,
) {
    let (names, word) = match grouping {
        Grouping::By(names) => (names, "by"),
        Grouping::Without(names) => (names, "without"),
    };
    let labels = &inner.facts.labels;
    for name in names {
        let habitual = word == "without" && HABITUAL.contains(&name.as_str());
        // A quantile without `le` has a finding of its own.
        if labels.may_have(name) || habitual || name == "le" {
            continue;
        }
        let message = format!("`{word}` names {}, which nothing in here has", quote(name));
        let at = site.part(part.expr.span());
        let help = known_labels(labels, name);
        findings.in_expression(Code::UnknownLabel, site.name, at, message, help);
    }
}

/// Labels of `on`, `ignoring`, `group_left` and `group_right`.
fn joined(
    findings: &mut Findings<'_, '_>,
    site: &Site<'_>,
    part: &Inferred<'_>,
    matching: &Matching,
) {
    let [left, right] = part.parts.as_slice() else {
        return;
    };
    // What `ignoring` names may have been aggregated away already; what `on` names must be there.
    let has = |name: &str| {
        let mut has = false;
        part.visit(&mut |below| {
            let counts =
                !matching.on || [left.expr.span(), right.expr.span()].contains(&below.expr.span());
            has |= counts && below.facts.labels.may_have(name);
        });
        has
    };
    let word = if matching.on { "on" } else { "ignoring" };
    for name in &matching.labels {
        let habitual = !matching.on && HABITUAL.contains(&name.as_str());
        if has(name) || habitual {
            continue;
        }
        let message = format!("`{word}` names {}, which neither side has", quote(name));
        let help = "name a label that both sides have";
        let at = site.part(part.expr.span());
        findings.in_expression(Code::UnknownLabel, site.name, at, message, help);
    }
    let from = match matching.cardinality {
        promql::Cardinality::ManyToOne => &right.facts.labels,
        promql::Cardinality::OneToMany => &left.facts.labels,
        promql::Cardinality::OneToOne | promql::Cardinality::ManyToMany => return,
    };
    for name in &matching.include {
        if from.may_have(name) {
            continue;
        }
        let message = format!(
            "{} is to be taken from the other side, which does not have it",
            quote(name)
        );
        let at = site.part(part.expr.span());
        let help = known_labels(from, name);
        findings.in_expression(Code::UnknownLabel, site.name, at, message, help);
    }
}

/// Regular expressions that are none, and matchers that choose everything or nothing.
fn patterns(findings: &mut Findings<'_, '_>, read: &Read<'_, '_>) {
    for matcher in read.matchers() {
        let is_regex = matches!(matcher.op(), MatchOp::Regex | MatchOp::NotRegex);
        if !is_regex {
            continue;
        }
        let (label, pattern) = (matcher.name(), matcher.value());
        let everything = matches!(pattern, ".*" | "(.*)" | "^.*$" | ".*.*");
        if everything {
            let (verb, help) = if matcher.op() == MatchOp::Regex {
                (
                    "every series has",
                    "leave the matcher out, or write `=~\".+\"` for series with the label",
                )
            } else {
                ("no series can have", "write what is to be left out")
            };
            let message = format!("{verb} a {} that this matches", quote(label));
            read.add(findings, Code::IdleMatcher, message, help);
        } else if !pattern.is_empty() && is_plain(pattern) {
            let sign = if matcher.op() == MatchOp::Regex {
                "="
            } else {
                "!="
            };
            let message = format!(
                "{} is plain text, and a regular expression must match the whole value anyway",
                quote(pattern)
            );
            let help = format!(
                "write `{label}{sign}\"{pattern}\"`, or `.*{pattern}.*` if a part of the value is meant"
            );
            read.add(findings, Code::RegexIsPlainText, message, help);
        }
    }
    contradictions(findings, read);
}

fn is_plain(pattern: &str) -> bool {
    !pattern.contains([
        '.', '*', '+', '?', '|', '(', ')', '[', ']', '{', '}', '^', '$', '\\',
    ])
}

/// Two matchers that no value satisfies.
fn contradictions(findings: &mut Findings<'_, '_>, read: &Read<'_, '_>) {
    let contradicted = read.matchers().find(|matcher| {
        matcher.op() == MatchOp::Equal
            && read
                .matchers()
                .any(|other| other.name() == matcher.name() && !other.matches(matcher.value()))
    });
    if let Some(matcher) = contradicted {
        let message = format!(
            "no value of {} satisfies all of these matchers",
            quote(matcher.name())
        );
        let help = "take one of them away, or write `=~\"a|b\"` for either";
        read.add(findings, Code::IdleMatcher, message, help);
    }
}

/// Values that the plan itself gives: jobs, probes, dependencies, heartbeats, metrics.
fn values(findings: &mut Findings<'_, '_>, plan: &Plan, read: &Read<'_, '_>) {
    for matcher in read.matchers() {
        let Some(possible) = possible_values(plan, read.name(), matcher.name()) else {
            continue;
        };
        let chooses = |value: &&str| matcher.matches(value);
        if possible.is_empty() || possible.iter().any(|value| chooses(&&**value)) {
            continue;
        }
        let words: Vec<&str> = possible.iter().map(String::as_str).collect();
        let message = format!(
            "no series has a {} that this matches",
            quote(matcher.name())
        );
        let meant = did_you_mean(matcher.value(), words.iter().copied());
        let help = if meant.is_empty() {
            format!("the plan has {}", all(&words))
        } else {
            meant
        };
        read.add(findings, Code::IdleMatcher, message, help);
    }
}

/// The values of a label that the plan declares; `None` where they come from elsewhere.
fn possible_values(plan: &Plan, series: &str, label: &str) -> Option<BTreeSet<String>> {
    let own = |prefix: &str| series.starts_with(prefix);
    let source = super::infer::metric_of(plan, series).and_then(|metric| metric.source.as_deref());
    let scraped = source.is_some() || series == "up" || own("scrape_");
    let targets = || {
        let of_source = |job: &str| source.is_none_or(|source| source == job);
        plan.targets
            .iter()
            .filter(move |target| of_source(&target.job))
    };
    let probes = || plan.probes.iter();
    let owned = |names: &mut dyn Iterator<Item = &str>| Some(names.map(str::to_owned).collect());
    match label {
        "job" if scraped => owned(&mut targets().map(|target| target.job.as_str())),
        "instance" if scraped => owned(&mut targets().map(|target| target.instance.as_str())),
        "probe" if own("probe_") => owned(&mut probes().map(|probe| probe.name.as_str())),
        "kind" if own("probe_") => owned(&mut probes().map(|probe| probe.kind.as_str())),
        "dependency" if own("probe_") => {
            let names = probes().flat_map(|probe| &probe.dependencies);
            owned(&mut names.map(String::as_str))
        }
        "heartbeat" if own("belfry_heartbeat_") => owned(
            &mut plan
                .heartbeats
                .iter()
                .map(|heartbeat| heartbeat.name.as_str()),
        ),
        "metric" if own(crate::series::PLAN_METRIC_PRESENT) => {
            owned(&mut plan.metrics.iter().map(|metric| metric.name.as_str()))
        }
        "alertname" if own("ALERTS") => {
            owned(&mut plan.rules().map(|(_, rule)| rule.name.as_str()))
        }
        _ => None,
    }
}
