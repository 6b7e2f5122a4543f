//! What a page holds for programs: Alertmanager's webhook payload, version 4 (source: Alertmanager, "Webhook receiver"), so
//! that every receiver written for Alertmanager understands it, with what Belfry knows beside it under `incident`.

use std::collections::BTreeMap;

use alerting::{Incident, Member};
use model::Labels;
use plan::{AlertRule, Plan};
use serde_json::{Value, json};

use super::PageContext;
use crate::fnv::fnv1a;
use crate::incident::{RunState, StepRun};
use crate::time_text::rfc3339;

/// The most alerts in one payload; the rest is counted in `truncatedAlerts`.
const ALERTS_MAX: usize = 100;
/// The most incidents that a summary lists; the rest is counted.
const SUMMARY_MAX: usize = 200;

/// Alertmanager's word for an end that is not known.
const NO_END: &str = "0001-01-01T00:00:00Z";

/// The payload of a page.
pub fn payload(context: &PageContext<'_>) -> Value {
    let incident = &context.detail.incident;
    let head = &incident.head;
    let plan = &context.setup.plan;
    let url = format!("{}/incidents/{}", context.external_url, head.id);
    let alerts: Vec<Value> = incident
        .members
        .iter()
        .take(ALERTS_MAX)
        .map(|(labels, member)| alert(plan, context.external_url, labels, member))
        .collect();
    let truncated = incident.members.len().saturating_sub(ALERTS_MAX) as u64 + incident.left_out;
    let mut body = json!({
        "version": "4",
        "groupKey": format!("belfry:{}:{}", head.title, head.id),
        "truncatedAlerts": truncated,
        "status": context.kind().as_str(),
        "receiver": context.page.person,
        "groupLabels": {"alertname": head.title, "service": service_of(plan, incident)},
        "commonLabels": common_labels(plan, incident),
        "commonAnnotations": common_annotations(incident.members.values()),
        "externalURL": context.external_url,
        "alerts": alerts,
        "incident": {
            "id": head.id.0,
            "title": head.title,
            "severity": head.severity.as_str(),
            "state": incident.state().as_str(),
            "url": url,
            "level": context.page.level,
            "reason": context.page.reason.as_str(),
            "openedAt": rfc3339(head.opened_at),
            "drill": context.is_drill(),
            "procedure": head.procedure,
            "evidence": evidence(&context.detail.runs),
        },
    });
    if !context.summary_of.is_empty() {
        body["incident"]["summaryOf"] = context
            .summary_of
            .iter()
            .take(SUMMARY_MAX)
            .map(|incident| line_of_summary(context.external_url, incident))
            .collect();
        body["incident"]["summaryCount"] = context.summary_of.len().into();
    }
    body
}

/// What the steps of the procedure found, those that ended.
pub(super) fn evidence(runs: &[StepRun]) -> Vec<Value> {
    let has_said = |run: &&StepRun| matches!(run.state, RunState::Done | RunState::Failed);
    runs.iter()
        .filter(has_said)
        .map(|run| {
            json!({"step": run.step + 1, "title": run.title, "state": run.state.as_str(), "finding": run.summary})
        })
        .collect()
}

/// The service that an incident is about: where the plan holds several, the one that all its alerts name; else the plan's own.
pub(super) fn service_of<'p>(plan: &'p Plan, incident: &Incident) -> &'p str {
    let services = plan.services.iter().map(|own| own.name.as_str());
    let is_of_all = |service: &&str| {
        let mut alerts = incident.members.keys();
        !incident.members.is_empty()
            && alerts.all(|labels| labels.get("service").unwrap_or(&plan.service) == *service)
    };
    services
        .into_iter()
        .find(is_of_all)
        .unwrap_or(&plan.service)
}

/// All labels of an alert, the service among them.
pub(crate) fn all_labels(plan: &Plan, labels: &Labels) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = labels
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    all.entry("service".to_owned())
        .or_insert_with(|| plan.service.clone());
    all
}

/// The annotations of an alert: its sender's, or what its rule says of it.
pub(crate) fn annotations(
    plan: &Plan,
    labels: &Labels,
    member: &Member,
) -> BTreeMap<String, String> {
    if let Some(foreign) = &member.foreign {
        return foreign.annotations.clone();
    }
    let rule = rule_of(plan, labels);
    let description = rule.map_or("", |rule| rule.description.as_str());
    let procedure = rule
        .and_then(|rule| rule.procedure.as_deref())
        .unwrap_or("");
    [
        ("summary", member.summary.as_str()),
        ("description", description),
        ("procedure", procedure),
    ]
    .into_iter()
    .map(|(name, text)| (name.to_owned(), text.to_owned()))
    .collect()
}

/// A stable hash of what names an alert.
pub(crate) fn fingerprint(labels: &Labels) -> String {
    format!("{:016x}", fnv1a(labels.to_string().as_bytes()))
}

/// The rule of an alert, if it is one of the plan's.
pub(super) fn rule_of<'a>(plan: &'a Plan, labels: &Labels) -> Option<&'a AlertRule> {
    let name = labels.get("alertname")?;
    plan.rules()
        .map(|(_, rule)| rule)
        .find(|rule| rule.name == name)
}

fn alert(plan: &Plan, external_url: &str, labels: &Labels, member: &Member) -> Value {
    let own_url = format!("{external_url}/alerts");
    let generator = member
        .foreign
        .as_ref()
        .map_or(own_url.as_str(), |foreign| &foreign.generator_url);
    json!({
        "status": if member.resolved_at.is_some() { "resolved" } else { "firing" },
        "labels": all_labels(plan, labels),
        "annotations": annotations(plan, labels, member),
        "startsAt": rfc3339(member.started_at),
        "endsAt": member.resolved_at.map_or_else(|| NO_END.to_owned(), rfc3339),
        "generatorURL": generator,
        "fingerprint": fingerprint(labels),
    })
}

fn common_labels(plan: &Plan, incident: &Incident) -> BTreeMap<String, String> {
    let mut members = incident
        .members
        .keys()
        .map(|labels| all_labels(plan, labels));
    let Some(mut common) = members.next() else {
        return BTreeMap::new();
    };
    for labels in members {
        common.retain(|name, value| labels.get(name) == Some(value));
    }
    common
}

fn common_annotations<'a>(mut members: impl Iterator<Item = &'a Member>) -> Value {
    let first = members
        .next()
        .map(|member| member.summary.as_str())
        .unwrap_or_default();
    if members.all(|member| member.summary == first) {
        json!({"summary": first})
    } else {
        json!({})
    }
}

fn line_of_summary(external_url: &str, incident: &Incident) -> Value {
    let head = &incident.head;
    let summary = incident
        .members
        .values()
        .next()
        .map_or("", |member| member.summary.as_str());
    json!({
        "id": head.id.0,
        "title": head.title,
        "severity": head.severity.as_str(),
        "state": incident.state().as_str(),
        "summary": summary,
        "url": format!("{external_url}/incidents/{}", head.id),
    })
}
