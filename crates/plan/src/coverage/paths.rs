//! Critical paths: each needs an alert that is whole - a procedure, an escalation policy, and a drill that is young.

use std::time::Duration;

use super::observed::{LastDrill, Observed};
use super::report::{DrillState, Hole, HoleKind, PathAlert, PathReport, Report, Share};
use crate::{CriticalPath, Plan};

/// "All critical paths monitored".
const TARGET: f64 = 1.0;

pub(super) fn add(plan: &Plan, observed: &Observed, report: &mut Report) {
    for path in &plan.critical_paths {
        let alerts: Vec<PathAlert> = path
            .alerts
            .iter()
            .filter_map(|name| alert(plan, observed, name))
            .collect();
        let covered = alerts.iter().any(PathAlert::is_whole);
        if !covered {
            report
                .holes
                .push(uncovered(path, &alerts, plan.drills.every));
        }
        report.paths.push(PathReport {
            name: path.name.clone(),
            at: path.at,
            covered,
            alerts,
        });
    }
    let monitored = report
        .paths
        .iter()
        .map(|path| path.alerts.iter().any(PathAlert::is_answered));
    let monitored = Share::of("alerts", "answered", Some(TARGET), monitored.map(Some));
    let drilled = report
        .paths
        .iter()
        .map(|path| path.alerts.iter().any(PathAlert::is_proven));
    let drilled = Share::of("alerts", "drilled", Some(TARGET), drilled.map(Some));
    report.shares.extend([monitored, drilled]);
}

fn alert(plan: &Plan, observed: &Observed, name: &str) -> Option<PathAlert> {
    let (_, rule) = plan.rules().find(|(_, rule)| rule.name == name)?;
    Some(PathAlert {
        name: name.to_owned(),
        has_procedure: rule.procedure.is_some(),
        has_escalation: rule.escalation.is_some(),
        drill: drill_state(plan.drills.every, observed, name),
    })
}

fn drill_state(every: Duration, observed: &Observed, name: &str) -> DrillState {
    match observed.drills.get(name) {
        None => DrillState::Never,
        Some(LastDrill { at, passed: false }) => DrillState::Failed(*at),
        Some(LastDrill { at, .. }) if observed.now.since(*at) > every => DrillState::Old(*at),
        Some(LastDrill { at, .. }) => DrillState::Proven(*at),
    }
}

impl PathAlert {
    /// Whether somebody is told and knows what to do.
    fn is_answered(&self) -> bool {
        self.has_procedure && self.has_escalation
    }

    /// Whether a young drill has shown that it works.
    fn is_proven(&self) -> bool {
        matches!(self.drill, DrillState::Proven(_))
    }

    /// Whether it is both.
    fn is_whole(&self) -> bool {
        self.is_answered() && self.is_proven()
    }

    fn lacks(&self) -> String {
        let drill = match self.drill {
            DrillState::Proven(_) => None,
            DrillState::Never => Some("a drill"),
            DrillState::Failed(_) => Some("a drill that passes"),
            DrillState::Old(_) => Some("a younger drill"),
        };
        let procedure = (!self.has_procedure).then_some("a procedure");
        let escalation = (!self.has_escalation).then_some("an escalation policy");
        let lacks: Vec<&str> = [procedure, escalation, drill]
            .into_iter()
            .flatten()
            .collect();
        format!("{} lacks {}", self.name, lacks.join(" and "))
    }
}

fn uncovered(path: &CriticalPath, alerts: &[PathAlert], every: Duration) -> Hole {
    let lacks: Vec<String> = alerts.iter().map(PathAlert::lacks).collect();
    let every = model::format_duration(every);
    Hole {
        kind: HoleKind::PathUncovered,
        about: path.name.clone(),
        place: String::new(),
        what: format!("no alert of this path is whole: {}", lacks.join("; ")),
        to_do: format!("give one of them what it lacks; a drill must have passed within {every}"),
        since: None,
        at: Some(path.at),
    }
}
