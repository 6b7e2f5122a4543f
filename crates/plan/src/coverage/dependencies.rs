//! Dependencies, in both directions: what the plan says a service depends on, and what its health answer names.

use std::collections::BTreeSet;

use super::observed::Observed;
use super::report::{Covered, Hole, HoleKind, Report, Share};
use crate::{Plan, Probe};

pub(super) fn add(plan: &Plan, observed: &Observed, report: &mut Report) {
    let declared: BTreeSet<&str> = plan
        .probes
        .iter()
        .flat_map(|probe| &probe.dependencies)
        .map(String::as_str)
        .collect();
    let (mut answered, mut in_plan): (Vec<Covered>, Vec<Covered>) = Default::default();
    for probe in &plan.probes {
        let seen = observed.probes.get(&probe.name);
        let Some(seen) = seen.filter(|seen| seen.answered) else {
            answered.extend(probe.dependencies.iter().map(|_| None));
            if let Some(seen) = seen.filter(|seen| seen.asked) {
                report.holes.push(unanswered_probe(probe, &seen.output));
            }
            continue;
        };
        for dependency in &probe.dependencies {
            let named = seen.dependencies.contains(dependency);
            answered.push(Some(named));
            if !named {
                report.holes.push(not_answered(probe, dependency));
            }
        }
        for dependency in &seen.dependencies {
            let known = declared.contains(dependency.as_str());
            in_plan.push(Some(known));
            if !known {
                report.holes.push(not_declared(probe, dependency));
            }
        }
    }
    report.shares.extend([
        Share::of("dependencies", "answered", None, answered.into_iter()),
        Share::of("dependencies", "in_plan", None, in_plan.into_iter()),
    ]);
}

fn unanswered_probe(probe: &Probe, output: &str) -> Hole {
    let dependencies = probe.dependencies.len();
    let known = match dependencies {
        0 => String::new(),
        count => format!("; nothing is known about its {count} dependencies"),
    };
    Hole {
        kind: HoleKind::ProbeUnanswered,
        what: format!("the probe {} gets no answer ({output}){known}", probe.name),
        to_do: "start what it asks, or correct its address in the plan".to_owned(),
        ..hole_of(probe, &probe.name)
    }
}

fn not_answered(probe: &Probe, dependency: &str) -> Hole {
    Hole {
        kind: HoleKind::DependencyUnanswered,
        place: probe.name.clone(),
        what: format!(
            "the plan names the dependency {dependency}, the answer to the probe {} does not",
            probe.name
        ),
        to_do: "let the health endpoint check it, or take it out of `dependencies`".to_owned(),
        ..hole_of(probe, dependency)
    }
}

fn not_declared(probe: &Probe, dependency: &str) -> Hole {
    Hole {
        kind: HoleKind::DependencyUndeclared,
        place: probe.name.clone(),
        what: format!(
            "the answer to the probe {} names {dependency}, the plan does not",
            probe.name
        ),
        to_do: format!("add {dependency} to the probe's `dependencies`"),
        ..hole_of(probe, dependency)
    }
}

fn hole_of(probe: &Probe, about: &str) -> Hole {
    Hole {
        kind: HoleKind::ProbeUnanswered,
        about: about.to_owned(),
        place: String::new(),
        what: String::new(),
        to_do: String::new(),
        since: None,
        at: Some(probe.at),
    }
}
