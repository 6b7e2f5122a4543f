//! Health endpoints: what each is asked for, and whether somebody hears of a dependency that is gone.

use model::MatchOp;

use super::finding::Findings;
use crate::context::Kind;
use crate::diagnostics::{all, quote};
use crate::{Code, Plan, Probe, ProbeKind};

pub(super) fn check(findings: &mut Findings<'_, '_>, plan: &Plan) {
    for probe in &plan.probes {
        if probe.kind == ProbeKind::Liveness {
            liveness(findings, plan, probe);
        }
        for dependency in &probe.dependencies {
            guarded(findings, plan, probe, dependency);
        }
    }
}

/// A process that is restarted because its database is gone is gone too.
fn liveness(findings: &mut Findings<'_, '_>, plan: &Plan, probe: &Probe) {
    let about = (Kind::Probe, probe.name.as_str());
    let others = || plan.probes.iter().filter(|other| other.url == probe.url);
    let detailed = others().find(|other| !other.dependencies.is_empty());
    if let Some(detailed) = detailed {
        let message = format!(
            "the liveness probe {} asks about dependencies ({}): a restart does not bring them back",
            quote(&probe.name),
            all(&detailed.dependencies)
        );
        let help = "ask an address that says only whether the process works";
        findings.about(Code::LivenessChecksDependencies, about, message, help);
    }
    let readiness = others().find(|other| other.kind == ProbeKind::Readiness);
    if let Some(readiness) = readiness {
        let message = format!(
            "the liveness probe {} and the readiness probe {} ask the same address",
            quote(&probe.name),
            quote(&readiness.name)
        );
        let help = "give each an address of its own: a process that starts is alive and not ready";
        findings.about(Code::ProbesShareAddress, about, message, help);
    }
}

/// Whether an alert reads whether a dependency is up.
fn guarded(findings: &mut Findings<'_, '_>, plan: &Plan, probe: &Probe, dependency: &str) {
    let labels = |label: &str| match label {
        "probe" => Some(probe.name.as_str()),
        "dependency" => Some(dependency),
        _ => None,
    };
    let read = plan.rules().any(|(_, rule)| {
        rule.expr.parsed.selectors().iter().any(|selector| {
            selector.name == Some("probe_dependency_up")
                && selector.matchers.iter().all(|matcher| {
                    let is_name = matcher.name() == model::METRIC_NAME;
                    is_name && matcher.op() == MatchOp::Equal
                        || labels(matcher.name()).is_none_or(|value| matcher.matches(value))
                })
        })
    });
    if read {
        return;
    }
    let message = format!(
        "no alert says when {} is gone, which the probe {} asks about",
        quote(dependency),
        quote(&probe.name)
    );
    let help = format!("add a rule: `probe_dependency_up{{dependency=\"{dependency}\"}} == 0`");
    let within = (Kind::Probe, probe.name.as_str());
    findings.about_within(
        Code::DependencyUnguarded,
        (dependency, within),
        message,
        help,
    );
}
