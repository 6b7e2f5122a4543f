//! OpenSLO: services, indicators, objectives and their alerts, each a document.

use model::format_duration;

use super::yaml::{Map, documents, plain};
use super::{Export, dns_label, listed};
use crate::lower::rounded;
use crate::{BurnAlerts, BurnWindow, Events, Objective, Plan, Severity};

const VERSION: &str = "openslo/v1";

pub(super) fn export(plan: &Plan) -> Export {
    let mut export = Export::default();
    let with_budget: Vec<&Objective> = plan
        .objectives
        .iter()
        .filter(|own| own.budget.is_some())
        .collect();
    let without = plan.objectives.iter().filter(|own| own.budget.is_none());
    let without: Vec<String> = without.map(|own| own.id.clone()).collect();
    if !without.is_empty() {
        export.note(format!(
            "{} does not say how its events are counted (`events:`), so there is no indicator to write",
            listed(&without)
        ));
    }
    if with_budget.is_empty() {
        export.note("no objective of the plan counts events, so there is nothing to write");
        return export;
    }
    let mut all = vec![service(plan)];
    let mut told: Vec<&str> = Vec::new();
    for own in with_budget {
        all.extend(objective(plan, own, &mut export));
        if let Some(alerts) = &own.burn_alerts
            && !told.contains(&alerts.escalation.as_str())
        {
            told.push(&alerts.escalation);
            all.push(target(&alerts.escalation));
        }
    }
    let head = format!(
        "Objectives of {}, written by `belfry export openslo`.",
        plan.title
    );
    export.file("openslo.yaml", documents(&head, all));
    export
}

fn object(kind: &str, name: &str, title: &str, spec: Map) -> Map {
    let metadata = Map::new()
        .with("name", dns_label(name))
        .with("displayName", title);
    Map::new()
        .with("apiVersion", VERSION)
        .with("kind", kind)
        .with("metadata", metadata)
        .with("spec", spec)
}

fn service(plan: &Plan) -> Map {
    let spec = Map::new().with(
        "description",
        format!("What the monitoring plan of {} watches.", plan.service),
    );
    object("Service", &plan.service, &plan.title, spec)
}

/// The SLI, the SLO, and what tells about its budget.
fn objective(plan: &Plan, own: &Objective, export: &mut Export) -> Vec<Map> {
    let (Some(events), Some(budget)) = (&own.events, own.budget) else {
        return Vec::new();
    };
    let name = dns_label(&own.id);
    let mut all = vec![object(
        "SLI",
        &format!("{name}-events"),
        &own.title,
        indicator(events),
    )];
    let mut goal = Map::new();
    goal.put("displayName", own.title.as_str())
        .comment(
            &own.budget_in_words()
                .map(|words| format!("Error budget {words}."))
                .unwrap_or_default(),
        )
        .put("target", plain(rounded(1.0 - budget.share, 12)));
    let window = Map::new()
        .with("duration", plain(format_duration(own.window)))
        .with("isRolling", plain(true));
    let mut spec = Map::new()
        .with("service", dns_label(&plan.service))
        .with("indicatorRef", format!("{name}-events"))
        .with("timeWindow", vec![window])
        .with("budgetingMethod", "Occurrences")
        .with("objectives", vec![goal]);
    let policies = own
        .burn_alerts
        .iter()
        .flat_map(|alerts| policies(own, alerts, export));
    let policies: Vec<(String, Vec<Map>)> = policies.collect();
    if !policies.is_empty() {
        let names = policies
            .iter()
            .map(|(name, _)| name.as_str())
            .collect::<Vec<_>>();
        spec.put("alertPolicies", names);
    }
    all.push(object("SLO", &own.id, &own.title, spec));
    all.extend(policies.into_iter().flat_map(|(_, documents)| documents));
    all
}

fn indicator(events: &Events) -> Map {
    let source = |query: String| {
        let spec = Map::new().with("query", query);
        let source = Map::new().with("type", "Prometheus").with("spec", spec);
        Map::new().with("metricSource", source)
    };
    let sum = |text: String| format!("sum({text})");
    let ratio = Map::new();
    let ratio = match events {
        Events::BadOfTotal { bad, total } => ratio
            .with("counter", plain(true))
            .with("bad", source(sum(bad.series("", ""))))
            .with("total", source(sum(total.series("", "")))),
        Events::GoodOfTotal { good, total } => ratio
            .with("counter", plain(true))
            .with("good", source(sum(good.series("", ""))))
            .with("total", source(sum(total.series("", "")))),
        Events::GoodAndBad { good, bad } => {
            let (good, bad) = (sum(good.series("", "")), sum(bad.series("", "")));
            ratio
                .with("counter", plain(true))
                .with("good", source(good.clone()))
                .with("total", source(format!("{good} + {bad}")))
        }
        Events::Histogram { histogram, .. } => ratio
            .with("counter", plain(true))
            .with(
                "good",
                source(sum(events.good_observations().unwrap_or_default())),
            )
            .with("total", source(sum(histogram.series("_count", "")))),
        Events::Gauge { gauge } => ratio
            .with("counter", plain(false))
            .with("good", source(sum(gauge.series("", ""))))
            .with("total", source(format!("count({})", gauge.series("", "")))),
    };
    Map::new().with("ratioMetric", ratio)
}

/// Each window as a policy with its condition.
fn policies(own: &Objective, alerts: &BurnAlerts, export: &mut Export) -> Vec<(String, Vec<Map>)> {
    export.note(format!(
        "{}: OpenSLO knows one look-back a condition, so the short windows and `minimum_traffic` are left out",
        own.id
    ));
    if !alerts.unreachable.is_empty() {
        export.note(format!(
            "{}: the fastest standard alerts can never fire with this budget and are left out",
            own.id
        ));
    }
    alerts
        .windows
        .iter()
        .map(|window| policy(own, alerts, window))
        .collect()
}

fn policy(own: &Objective, alerts: &BurnAlerts, window: &BurnWindow) -> (String, Vec<Map>) {
    let long = format_duration(window.long);
    let name = dns_label(&format!("{}-burn-{long}", own.id));
    let title = format!(
        "{}: budget burns {} times as fast as it may",
        own.title, window.factor
    );
    let severity = match window.severity {
        Severity::Critical => "page",
        Severity::Warning => "ticket",
    };
    let condition = Map::new()
        .with("kind", "burnrate")
        .with("op", "gt")
        .with("threshold", plain(window.factor))
        .with("lookbackWindow", plain(&long))
        .with("alertAfter", plain("0m"));
    let spec = Map::new()
        .with("severity", severity)
        .with("condition", condition);
    let condition = object("AlertCondition", &name, &title, spec);
    let spec = Map::new()
        .with("description", title.as_str())
        .with("alertWhenBreaching", plain(true))
        .with("alertWhenResolved", plain(true))
        .with("alertWhenNoData", plain(false))
        .with(
            "conditions",
            vec![Map::new().with("conditionRef", name.as_str())],
        )
        .with(
            "notificationTargets",
            vec![Map::new().with("targetRef", dns_label(&alerts.escalation))],
        );
    let policy = object("AlertPolicy", &name, &title, spec);
    (name, vec![condition, policy])
}

fn target(policy: &str) -> Map {
    let spec = Map::new()
        .with(
            "description",
            format!("The escalation policy {policy} of the monitoring plan."),
        )
        .with("target", "escalation");
    object("AlertNotificationTarget", policy, policy, spec)
}
