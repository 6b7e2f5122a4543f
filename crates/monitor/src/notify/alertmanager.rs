//! The Alertmanager channel: what fires goes into an Alertmanager, API v2, which then tells people in its own way. (Source:
//! Alertmanager's OpenAPI description, `postAlerts`.)
//!
//! Alertmanager resolves what its sender stops repeating. Belfry sends a page once and says when it is over, so alerts that
//! fire get an end that is far away.

use std::collections::BTreeMap;
use std::time::Duration;

use alerting::{Incident, Member};
use bytes::Bytes;
use http::header::HeaderMap;
use model::{Labels, Timestamp};
use plan::Plan;
use serde_json::{Value, json};
use world::World;

use super::PageContext;
use super::payload::{all_labels, annotations, service_of};
use super::post::{pieces, post};
use crate::time_text::rfc3339;

/// When an alert ends of which nobody says so: longer than any incident, and not for ever, should Belfry go away.
const FIRES_UNTIL: Duration = Duration::from_secs(30 * 24 * 3600);

/// The most alerts of one page; an incident holds no more than twice that.
const ALERTS_MAX: usize = 1_000;

/// Sends one page.
pub(super) async fn send(
    world: &World,
    url: &str,
    context: &PageContext<'_>,
) -> Result<String, String> {
    let address = format!("{}/api/v2/alerts", url.trim_end_matches('/'));
    let now = Timestamp::from(world.clock.now());
    let body = Bytes::from(alerts(context, now).to_string());
    let answer = post(world, &address, HeaderMap::new(), body, &pieces(url)).await?;
    answer.accepted("Alertmanager")
}

fn alerts(context: &PageContext<'_>, now: Timestamp) -> Value {
    let own = std::slice::from_ref(&context.detail.incident);
    let incidents = if context.is_summary() {
        context.summary_of
    } else {
        own
    };
    incidents
        .iter()
        .flat_map(|incident| alerts_of(context, incident, now))
        .take(ALERTS_MAX)
        .collect()
}

fn alerts_of(context: &PageContext<'_>, incident: &Incident, now: Timestamp) -> Vec<Value> {
    let plan = &context.setup.plan;
    let url = format!("{}/incidents/{}", context.external_url, incident.head.id);
    if incident.members.is_empty() {
        return vec![by_hand(plan, incident, &url, now)];
    }
    let alert = |(labels, member): (&Labels, &Member)| {
        // An incident that was ended by hand is over, whatever its alerts do.
        let over = member
            .resolved_at
            .or(incident.resolved.as_ref().map(|own| own.at));
        let mut labels_shown = all_labels(plan, labels);
        if incident.drill.is_some() {
            // A label and not only words, so that routes can tell drills apart.
            labels_shown.insert("drill".to_owned(), "true".to_owned());
        }
        json!({
            "labels": valid(labels_shown),
            "annotations": valid(annotations(plan, labels, member)),
            "startsAt": rfc3339(member.started_at),
            "endsAt": rfc3339(end(over, now)),
            "generatorURL": url,
        })
    };
    incident.members.iter().map(alert).collect()
}

/// An incident that somebody opened by hand has no alert: it becomes one.
fn by_hand(plan: &Plan, incident: &Incident, url: &str, now: Timestamp) -> Value {
    let head = &incident.head;
    let over = incident.resolved.as_ref().map(|own| own.at);
    json!({
        "labels": {
            "alertname": head.title,
            "severity": head.severity.as_str(),
            "service": service_of(plan, incident),
            "incident": head.id.to_string(),
        },
        "annotations": {"summary": head.title},
        "startsAt": rfc3339(head.opened_at),
        "endsAt": rfc3339(end(over, now)),
        "generatorURL": url,
    })
}

fn end(over: Option<Timestamp>, now: Timestamp) -> Timestamp {
    over.map_or(now + FIRES_UNTIL, |at| at.min(now))
}

/// Names as Alertmanager takes them (`[a-zA-Z_][a-zA-Z0-9_]*`); without empty values, which it takes for absent ones.
fn valid(named: BTreeMap<String, String>) -> BTreeMap<String, String> {
    named
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (valid_name(&name), value))
        .collect()
}

fn valid_name(name: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut valid: String = name
        .chars()
        .map(|c| if fits(c) { c } else { '_' })
        .collect();
    if valid.is_empty() || valid.starts_with(|c: char| c.is_ascii_digit()) {
        valid.insert(0, '_');
    }
    valid
}
