//! What differs between two plans, in what it means: an alert that fires at other times or reaches other people, a metric that
//! nothing guards any more, logs that would be deleted. How the text is laid out does not count, nor does the order of items.
//!
//! Each part of a plan is described as properties with readable texts (`described`); two plans are compared property by
//! property. `coverage` says what the difference does to coverage.

mod coverage;
mod described;

use std::collections::BTreeMap;

pub use coverage::{CoverageEffect, Guarded};

use crate::Plan;
use described::{Described, PAGED, described};

/// What differs between two plans.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanDiff {
    /// What was added, removed and changed, part by part in the order of [`Part::ALL`], by name within.
    pub changes: Vec<Change>,
    /// What that does to coverage.
    pub coverage: CoverageEffect,
}

impl PlanDiff {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

/// One thing that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What kind of thing.
    pub part: Part,
    /// Its name; empty for the plan itself.
    pub name: String,
    /// What happened to it.
    pub kind: ChangeKind,
}

/// What happened to a thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is new; its properties.
    Added(Vec<(&'static str, String)>),
    /// It is gone.
    Removed,
    /// Properties of it changed.
    Changed(Vec<PropertyChange>),
}

/// A property that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PropertyChange {
    /// Which.
    pub property: &'static str,
    /// What it was; empty for nothing.
    pub old: String,
    /// What it is; empty for nothing.
    pub new: String,
    /// What follows from that, where it is not plain; empty for nothing.
    pub consequence: String,
}

/// The parts of a plan.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are the plan's own")]
pub enum Part {
    Plan,
    Alert,
    Metric,
    Target,
    Probe,
    LogClass,
    LogCategory,
    EscalationPolicy,
    Inhibition,
    MaintenanceWindow,
    Heartbeat,
    Procedure,
    Objective,
    CriticalPath,
    Dashboard,
}

impl Part {
    /// All parts, those first that decide who is woken.
    pub const ALL: [Part; 15] = [
        Part::Plan,
        Part::Alert,
        Part::Metric,
        Part::Target,
        Part::Probe,
        Part::LogClass,
        Part::LogCategory,
        Part::EscalationPolicy,
        Part::Inhibition,
        Part::MaintenanceWindow,
        Part::Heartbeat,
        Part::Procedure,
        Part::Objective,
        Part::CriticalPath,
        Part::Dashboard,
    ];

    /// What people call it.
    pub fn noun(self) -> &'static str {
        match self {
            Part::Plan => "plan",
            Part::Alert => "alert",
            Part::Metric => "metric",
            Part::Target => "target",
            Part::Probe => "probe",
            Part::LogClass => "log class",
            Part::LogCategory => "log category",
            Part::EscalationPolicy => "escalation policy",
            Part::Inhibition => "inhibition",
            Part::MaintenanceWindow => "maintenance window",
            Part::Heartbeat => "heartbeat",
            Part::Procedure => "procedure",
            Part::Objective => "objective",
            Part::CriticalPath => "critical path",
            Part::Dashboard => "dashboard",
        }
    }
}

/// Compares two plans.
pub fn diff(old: &Plan, new: &Plan) -> PlanDiff {
    let by_name = |plan: &Plan| -> BTreeMap<(Part, String), Described> {
        let all = described(plan).into_iter();
        all.map(|own| ((own.part, own.name.clone()), own)).collect()
    };
    let (mut before, after) = (by_name(old), by_name(new));
    let mut changes = Vec::new();
    for ((part, name), described) in after {
        let kind = match before.remove(&(part, name.clone())) {
            None => ChangeKind::Added(described.properties),
            Some(was) => {
                let mut changed = properties(was, described);
                if part == Part::Alert {
                    changed.retain(|own| !follows_from_policy(own, old, new, &name));
                }
                if part == Part::EscalationPolicy {
                    say_who_is_reached(&mut changed, new, &name);
                }
                if changed.is_empty() {
                    continue;
                }
                ChangeKind::Changed(changed)
            }
        };
        changes.push(Change { part, name, kind });
    }
    changes.extend(before.into_keys().map(|(part, name)| Change {
        part,
        name,
        kind: ChangeKind::Removed,
    }));
    changes.sort_by(|a, b| (a.part, &a.name).cmp(&(b.part, &b.name)));
    PlanDiff {
        changes,
        coverage: coverage::effect(old, new),
    }
}

/// Whether an alert reaches others only because its policy changed, which is said of the policy.
fn follows_from_policy(changed: &PropertyChange, old: &Plan, new: &Plan, alert: &str) -> bool {
    let of_plan = |plan: &Plan| {
        let mut rules = plan.rules().map(|(_, rule)| rule);
        let rule = rules.find(|rule| rule.name == alert)?;
        Some((rule.escalation.clone()?, rule.severity))
    };
    changed.property == PAGED && of_plan(old) == of_plan(new)
}

/// Says of a policy's change which alerts it reaches.
fn say_who_is_reached(changed: &mut [PropertyChange], plan: &Plan, policy: &str) {
    let rules = plan.rules().map(|(_, rule)| rule);
    let reached = rules.filter(|rule| rule.escalation.as_deref() == Some(policy));
    let names: Vec<&str> = reached.map(|rule| &*rule.name).collect();
    for own in changed {
        own.consequence = match names.as_slice() {
            [] => "no alert uses it".to_owned(),
            names => format!("for {}", names.join(", ")),
        };
    }
}

fn properties(old: Described, new: Described) -> Vec<PropertyChange> {
    let mut before: BTreeMap<&'static str, String> = old.properties.into_iter().collect();
    let mut changed = Vec::new();
    let mut push = |property, was: String, is: String| {
        if was != is {
            let both = old.lengths.get(property).zip(new.lengths.get(property));
            let consequence = both.map_or(String::new(), |(old, new)| kept(*old, *new));
            changed.push(PropertyChange {
                property,
                old: was,
                new: is,
                consequence,
            });
        }
    };
    for (property, text) in new.properties {
        push(property, before.remove(property).unwrap_or_default(), text);
    }
    for (property, text) in before {
        push(property, text, String::new());
    }
    changed
}

/// What another retention does to what is there.
fn kept(old: std::time::Duration, new: std::time::Duration) -> String {
    let length = model::format_duration;
    if new < old {
        let (old, new) = (length(old), length(new));
        format!("what is between {new} and {old} old is deleted")
    } else {
        "what was deleted before stays deleted".to_owned()
    }
}
