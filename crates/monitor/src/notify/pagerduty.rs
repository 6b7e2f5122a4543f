//! The PagerDuty channel: Events API v2. (Source: PagerDuty's developer documentation, "Events API v2 Overview", "Send an
//! Alert Event".)
//!
//! An incident is one alert there: every page of it has the same `dedup_key`, the last one resolves it. Acknowledgements are
//! not sent: whoever has an incident in Belfry is not paged by it, and PagerDuty's own belong to PagerDuty.

use bytes::Bytes;
use http::StatusCode;
use http::header::HeaderMap;
use plan::SecretSource;
use serde_json::{Value, json};
use world::World;

use super::PageContext;
use super::message::{Facts, cut, message};
use super::post::post;
use crate::incident::PageKind;
use crate::setup::{Environment, read_secret};

/// The longest summary: PagerDuty's own bound, past which it refuses the event.
const SUMMARY_CHARS_MAX: usize = 1_024;

/// Sends one page.
pub(super) async fn send(
    world: &World,
    environment: &Environment,
    routing_key: &SecretSource,
    url: &str,
    context: &PageContext<'_>,
) -> Result<String, String> {
    let key = read_secret(routing_key, &*world.disk, environment)?;
    let body = Bytes::from(event(&key, context).to_string());
    let answer = post(world, url, HeaderMap::new(), body, &[&key]).await?;
    // 202 and nothing else: a proxy that answers 200 has accepted nothing.
    match answer.status {
        StatusCode::ACCEPTED => answer.accepted("PagerDuty"),
        StatusCode::BAD_REQUEST => Err(format!("PagerDuty refused the event: {}", answer.said)),
        StatusCode::TOO_MANY_REQUESTS => {
            Err("PagerDuty takes no more events for now (429)".to_owned())
        }
        status => Err(format!("PagerDuty answered {status}: {}", answer.said)),
    }
}

fn event(routing_key: &str, context: &PageContext<'_>) -> Value {
    match context.kind() {
        PageKind::Resolved => json!({
            "routing_key": routing_key,
            "event_action": "resolve",
            "dedup_key": dedup_key(context),
        }),
        PageKind::Firing => trigger(routing_key, context),
    }
}

fn trigger(routing_key: &str, context: &PageContext<'_>) -> Value {
    let words = message(context);
    let facts = Facts::of(context);
    let link = facts.links.incident.clone();
    json!({
        "routing_key": routing_key,
        "event_action": "trigger",
        "dedup_key": dedup_key(context),
        "client": "Belfry",
        "client_url": link,
        "links": [{"href": link, "text": format!("Incident {}", facts.incident.id)}],
        "payload": {
            "summary": cut(&words.subject, SUMMARY_CHARS_MAX),
            "source": facts.service,
            "severity": facts.severity,
            "timestamp": facts.incident.opened_at,
            "class": facts.title,
            "group": facts.service,
            "custom_details": {
                "text": words.body,
                "level": facts.level,
                "reason": facts.reason,
                "alerts": facts.alerts,
                "evidence": facts.evidence,
                "procedure": facts.procedure,
                "summary_of": facts.summary_of,
            },
        },
    })
}

/// At most 255 characters. A summary is an alert of its own, which somebody closes by hand.
fn dedup_key(context: &PageContext<'_>) -> String {
    let key = context.incident_key();
    if context.is_summary() {
        format!("belfry-summary-{key}-{}", context.page.root.0)
    } else {
        format!("belfry-{key}")
    }
}
