//! Prometheus' rule file.

use model::format_duration;

use super::go_template::{annotation, literal};
use super::yaml::{Map, document, plain};
use super::{Export, listed, written_by_belfry_only};
use crate::{AlertRule, NoTraffic, Origin, Plan, Procedure, RuleGroup};

pub(super) fn export(plan: &Plan) -> Export {
    let mut export = Export::default();
    let groups: Vec<Map> = plan
        .rule_groups
        .iter()
        .map(|own| group(plan, own, &mut export))
        .collect();
    let head = format!(
        "Alert rules of {}, written by `belfry export prometheus`. Check them with `promtool check rules`.",
        plan.title
    );
    let map = Map::new().with("groups", groups);
    export.file("rules.yml", document(&head, map));
    export.note(
        "Prometheus ends an alert whose expression gives nothing, so an alert about a target that died recovers; Belfry keeps it as without data",
    );
    export
}

fn group(plan: &Plan, group: &RuleGroup, export: &mut Export) -> Map {
    let rules: Vec<Map> = group
        .rules
        .iter()
        .map(|own| rule(plan, own, export))
        .collect();
    Map::new()
        .with("name", group.name.as_str())
        .with("interval", plain(format_duration(group.interval)))
        .with("rules", rules)
}

fn rule(plan: &Plan, rule: &AlertRule, export: &mut Export) -> Map {
    let mut map = Map::new();
    let foreign = written_by_belfry_only(plan, &rule.expr);
    if !foreign.is_empty() {
        let names = listed(&foreign);
        map.comment(&format!(
            "Fires only where Prometheus reads {names} from Belfry."
        ));
        export.note(format!(
            "{} reads {names}, which only Belfry writes: without it the rule never fires",
            rule.name
        ));
    }
    if rule.origin == Origin::Lowered {
        map.comment("Follows from an objective's error budget.");
    }
    if rule.no_traffic == NoTraffic::Page {
        export.note(format!(
            "{} goes on paging without traffic (`no_traffic: page`), which Prometheus cannot",
            rule.name
        ));
    }
    map.put("alert", rule.name.as_str())
        .put("expr", rule.expr.text.trim_end());
    if !rule.hold.is_zero() {
        map.put("for", plain(format_duration(rule.hold)));
    }
    if !rule.keep_firing.is_zero() {
        map.put("keep_firing_for", plain(format_duration(rule.keep_firing)));
    }
    map.put("labels", labels(plan, rule))
        .put("annotations", annotations(plan, rule));
    map
}

/// What routes and inhibitions of the exported Alertmanager read: severity, service and the escalation policy.
fn labels(plan: &Plan, rule: &AlertRule) -> Map {
    let mut labels = Map::new();
    labels.put("severity", rule.severity.as_str());
    let has = |name: &str| rule.labels.iter().any(|(own, _)| own == name);
    if !has("service") {
        labels.put("service", plan.service.as_str());
    }
    if let Some(policy) = rule.escalation.as_ref().filter(|_| !has("escalation")) {
        labels.put("escalation", policy.as_str());
    }
    for (name, value) in &rule.labels {
        labels.put(name.as_str(), literal(value));
    }
    labels
}

fn annotations(plan: &Plan, rule: &AlertRule) -> Map {
    let mut map = Map::new();
    map.put("summary", annotation(&rule.summary));
    if !rule.description.is_empty() {
        map.put("description", annotation(rule.description.trim_end()));
    }
    let procedure = rule.procedure.as_ref().and_then(|id| plan.procedure(id));
    if let Some(procedure) = procedure {
        map.put("runbook", literal(&runbook(procedure)));
    }
    map
}

/// A procedure as text: its title and its steps.
fn runbook(procedure: &Procedure) -> String {
    let steps = procedure.steps.iter().enumerate();
    let steps = steps.map(|(index, step)| format!("{}. {}", index + 1, step.title.trim()));
    let lines: Vec<String> = [procedure.title.clone()].into_iter().chain(steps).collect();
    lines.join("\n")
}
