//! What a silence would hide: alerts that fire, incidents that nobody would be told about any more, and rules of the plan.
//!
//! Of a rule only some labels are known before it fires: its name, its severity and its own. What a matcher asks of others
//! depends on the series, so such a rule is possible, neither in nor out.

use std::collections::BTreeMap;

use alerting::{Incident, IncidentId};
use model::{Labels, Matcher};
use plan::{AlertRule, Plan};
use serde_json::{Value, json};

use super::labels_json;
use crate::incident::ShownAlert;

/// The most alerts that a preview lists; all are counted.
const ALERTS_MAX: usize = 500;

/// Whether a rule's alerts would be hidden.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Covers {
    Never,
    Perhaps,
    Always,
}

pub(super) fn preview_json(
    plan: &Plan,
    matchers: &[Matcher],
    shown: &[ShownAlert],
    open: &[Incident],
) -> Value {
    let hidden: Vec<&ShownAlert> = shown
        .iter()
        .filter(|alert| selects(matchers, &alert.labels))
        .collect();
    let alerts = hidden.iter().take(ALERTS_MAX).map(|alert| {
        json!({
            "labels": labels_json(&alert.labels),
            "incident": alert.incident.0,
            "summary": alert.member.summary,
            "held_already": alert.hold.as_ref().map(super::incident_json::hold),
        })
    });
    let rules = |wanted: Covers| {
        let names = plan
            .rules()
            .map(|(_, rule)| rule)
            .filter(|rule| covers(matchers, rule) == wanted)
            .map(|rule| Value::from(rule.name.as_str()));
        names.collect::<Value>()
    };
    json!({
        "alerts": alerts.collect::<Vec<_>>(),
        "alerts_count": hidden.len(),
        "incidents": incidents(&hidden, shown, open),
        "rules": rules(Covers::Always),
        "rules_possible": rules(Covers::Perhaps),
        "hides_everything": matchers.iter().all(Matcher::matches_empty),
    })
}

/// Incidents with alerts that would be hidden. Pages about one stop when every alert of it is held back.
fn incidents(hidden: &[&ShownAlert], shown: &[ShownAlert], open: &[Incident]) -> Value {
    let mut counts: BTreeMap<IncidentId, (usize, usize)> = BTreeMap::new();
    for alert in hidden {
        counts.entry(alert.incident).or_default().0 += 1;
    }
    for alert in shown {
        let is_hidden = hidden.iter().any(|own| std::ptr::eq(*own, alert));
        if let Some((_, told)) = counts.get_mut(&alert.incident) {
            *told += usize::from(!is_hidden && alert.hold.is_none());
        }
    }
    let touched = open.iter().filter_map(|incident| {
        let (hidden, told) = counts.get(&incident.id())?;
        Some(json!({
            "id": incident.id().0,
            "title": incident.head.title,
            "severity": incident.head.severity.as_str(),
            "alerts_hidden": hidden,
            "alerts_told": told,
            "held_back": *told == 0,
        }))
    });
    touched.collect()
}

fn selects(matchers: &[Matcher], labels: &Labels) -> bool {
    matchers
        .iter()
        .all(|matcher| matcher.matches(labels.get(matcher.name()).unwrap_or("")))
}

fn covers(matchers: &[Matcher], rule: &AlertRule) -> Covers {
    let mut covers = Covers::Always;
    for matcher in matchers {
        match known(rule, matcher.name()) {
            Some(value) if !matcher.matches(value) => return Covers::Never,
            Some(_) => {}
            None => covers = Covers::Perhaps,
        }
    }
    covers
}

/// The value of a label that every alert of the rule has.
fn known<'a>(rule: &'a AlertRule, label: &str) -> Option<&'a str> {
    let own = || rule.labels.iter().find(|(name, _)| name == label);
    match label {
        "alertname" => Some(&rule.name),
        "severity" => Some(rule.severity.as_str()),
        _ => own().map(|(_, value)| value.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::api::matchers::parse_matcher;

    const PLAN: &str = "
format: 1
service: shop
title: The shop
rule_groups:
  - name: shop
    interval: 15s
    rules:
      - {alert: NoStock, expr: up < 1, severity: critical, labels: {team: boxes}, summary: none, escalation: all}
      - {alert: LowStock, expr: up < 3, severity: warning, summary: few}
escalation_policies:
  - {name: all, levels: [{after: 0, roles: [on-call]}]}
";

    #[test]
    fn rules_by_what_is_known_of_them() {
        let (plan, diagnostics) = plan::parse("plan.yaml", PLAN);
        let plan = plan.unwrap_or_else(|| panic!("{diagnostics:?}"));
        let check = |matchers: &[&str], always: &[&str], perhaps: &[&str]| {
            let matchers: Vec<Matcher> = matchers
                .iter()
                .map(|text| parse_matcher(text).unwrap())
                .collect();
            let found = preview_json(&plan, &matchers, &[], &[]);
            assert_eq!(found["rules"], json!(always), "{matchers:?}");
            assert_eq!(found["rules_possible"], json!(perhaps), "{matchers:?}");
        };
        check(&["alertname=NoStock"], &["NoStock"], &[]);
        check(&["alertname=~.*Stock"], &["NoStock", "LowStock"], &[]);
        check(&["severity!=critical"], &["LowStock"], &[]);
        check(&["team=boxes"], &["NoStock"], &["LowStock"]);
        check(&["team=pens"], &[], &["LowStock"]);
        check(&["alertname=NoStock", "instance=web1"], &[], &["NoStock"]);
        check(&["alertname=Other", "instance=web1"], &[], &[]);
    }
}
