//! The webhook channel: an HTTP POST in Alertmanager's format, version 4, so that every receiver written for
//! Alertmanager understands it. (Source: Alertmanager, "Webhook receiver".)

use std::collections::BTreeMap;
use std::time::Duration;

use alerting::Member;
use bytes::Bytes;
use http::Method;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use model::Labels;
use plan::SecretSource;
use serde_json::{Value, json};
use world::{HttpRequest, World};

use crate::fnv::fnv1a;
use crate::incident::{IncidentDetail, Page, PageKind};
use crate::setup::{Environment, Setup, read_secret};
use crate::time_text::rfc3339;

/// How long one attempt may take. A receiver that hangs is tried again; a longer wait would only delay the retry.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

/// The most of a receiver's answer that is read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// The most alerts in one payload; the rest is counted in `truncatedAlerts`.
const ALERTS_MAX: usize = 100;

/// What a payload is made of.
pub struct WebhookContext<'a> {
    /// The plan and contacts in force.
    pub setup: &'a Setup,
    /// The incident.
    pub detail: &'a IncidentDetail,
    /// The page.
    pub page: &'a Page,
    /// Belfry's own address.
    pub external_url: &'a str,
}

/// Sends one page. Anything but a 2xx answer is a failure, described without the address (it may carry a token).
pub(super) async fn send(
    world: &World,
    environment: &Environment,
    url: &str,
    token: Option<&SecretSource>,
    context: &WebhookContext<'_>,
) -> Result<(), String> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let key = format!("belfry-{}-{}", context.page.incident, context.page.id.0);
    headers.insert(
        HeaderName::from_static("idempotency-key"),
        HeaderValue::from_str(&key).map_err(|_| "the idempotency key is not a header value")?,
    );
    if let Some(source) = token {
        let secret = read_secret(source, &*world.disk, environment)?;
        let mut value = HeaderValue::from_str(&format!("Bearer {secret}"))
            .map_err(|_| "the token holds a character that a header cannot carry")?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    let request = HttpRequest {
        method: Method::POST,
        url: url.to_owned(),
        headers,
        body: Bytes::from(payload(context).to_string()),
        timeout: ATTEMPT_TIMEOUT,
        response_max: ANSWER_BYTES_MAX,
    };
    match world.net.http(request).await {
        Ok(response) if response.status.is_success() => Ok(()),
        Ok(response) => Err(format!("the receiver answered {}", response.status)),
        Err(error) => Err(error.to_string()),
    }
}

/// The payload of a page.
pub fn payload(context: &WebhookContext<'_>) -> Value {
    let incident = &context.detail.incident;
    let rule = context
        .setup
        .plan
        .rules()
        .map(|(_, rule)| rule)
        .find(|rule| rule.name == incident.alert);
    let group_labels = json!({"alertname": incident.alert, "service": context.setup.plan.service});
    let alerts: Vec<Value> = incident
        .members
        .iter()
        .take(ALERTS_MAX)
        .map(|(labels, member)| {
            json!({
                "status": if member.resolved_at.is_some() { "resolved" } else { "firing" },
                "labels": alert_labels(context, labels),
                "annotations": {
                    "summary": member.summary,
                    "description": rule.map_or("", |rule| rule.description.as_str()),
                    "procedure": rule.and_then(|rule| rule.procedure.as_deref()).unwrap_or(""),
                },
                "startsAt": rfc3339(member.started_at),
                "endsAt": member.resolved_at.map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), rfc3339),
                "generatorURL": format!("{}/alerts", context.external_url),
                "fingerprint": fingerprint(&incident.alert, labels),
            })
        })
        .collect();
    let status = match context.page.kind {
        PageKind::Firing => "firing",
        PageKind::Resolved => "resolved",
    };
    json!({
        "version": "4",
        "groupKey": format!("belfry:{}:{}", incident.alert, incident.id),
        "truncatedAlerts": incident.members.len().saturating_sub(ALERTS_MAX),
        "status": status,
        "receiver": context.page.person,
        "groupLabels": group_labels,
        "commonLabels": common_labels(context),
        "commonAnnotations": common_annotations(incident.members.values()),
        "externalURL": context.external_url,
        "alerts": alerts,
        "incident": {
            "id": incident.id.0,
            "url": format!("{}/incidents/{}", context.external_url, incident.id),
            "level": context.page.level,
            "openedAt": rfc3339(incident.opened_at),
        },
    })
}

fn alert_labels<'a>(
    context: &'a WebhookContext<'_>,
    labels: &'a Labels,
) -> BTreeMap<&'a str, &'a str> {
    let incident = &context.detail.incident;
    let mut all: BTreeMap<&str, &str> = labels.iter().collect();
    all.insert("alertname", &incident.alert);
    all.insert("severity", incident.severity.as_str());
    all.insert("service", &context.setup.plan.service);
    all
}

fn common_labels(context: &WebhookContext<'_>) -> BTreeMap<String, String> {
    let mut members = context
        .detail
        .incident
        .members
        .keys()
        .map(|labels| alert_labels(context, labels));
    let Some(mut common) = members.next() else {
        return BTreeMap::new();
    };
    for labels in members {
        common.retain(|name, value| labels.get(name) == Some(value));
    }
    common
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
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

/// A stable hash of what names the alert.
fn fingerprint(alert: &str, labels: &Labels) -> String {
    format!("{:016x}", fnv1a(format!("{alert}{labels}").as_bytes()))
}
