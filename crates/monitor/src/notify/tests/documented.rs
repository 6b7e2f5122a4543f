//! Receivers that enforce what their documentation says: the webhook's signature and token, Slack's blocks, PagerDuty's
//! events.

use axum::http::StatusCode;
use hmac::{Hmac, KeyInit, Mac};
use plan::Channel;
use serde_json::{Value, json};
use sha2::Sha256;

use super::receiver::{Received, Receiver};
use super::{CANARY, Case, alert, from_environment, webhook};

/// What a receiver does that follows `docs/contacts.md`.
fn is_signed(received: &Received, key: &[u8]) -> bool {
    let header = received.header("x-belfry-signature");
    let Some((time, signature)) = header
        .strip_prefix("t=")
        .and_then(|rest| rest.split_once(",v1="))
    else {
        return false;
    };
    let mut hmac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    hmac.update(time.as_bytes());
    hmac.update(b".");
    hmac.update(&received.body);
    let expected: String = hmac
        .finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    expected == signature && time.parse::<u64>().is_ok_and(|time| time > 1_700_000_000)
}

#[tokio::test]
async fn a_webhook_is_signed_and_carries_its_token() {
    let receiver = Receiver::start(|received| {
        let known = received.header("authorization") == "Bearer canary-TOKEN";
        if known && is_signed(received, b"canary-KEY") {
            (StatusCode::OK, "taken".to_owned())
        } else {
            (StatusCode::UNAUTHORIZED, "who are you?".to_owned())
        }
    })
    .await;
    let case = Case::new().with_evidence();
    let receipt = case.send(&webhook(&receiver.url)).await;
    assert_eq!(receipt.unwrap(), "200 OK: taken");
    let received = &receiver.received()[0];
    assert_eq!(received.header("content-type"), "application/json");
    assert_eq!(received.header("idempotency-key"), "belfry-12-30");
    let page = received.json();
    assert_eq!(page["version"], "4");
    assert_eq!(page["incident"]["evidence"][0]["finding"], "stock = 0");
    assert!(!String::from_utf8_lossy(&received.body).contains(CANARY));
    assert!(!is_signed(received, b"another key"));
    let mut changed = received.clone();
    changed.body = changed.body.slice(1..);
    assert!(!is_signed(&changed, b"canary-KEY"));

    let unsigned = Channel::Webhook {
        url: receiver.url.clone(),
        token: None,
        signing_key: None,
    };
    let refused = case.send(&unsigned).await.unwrap_err();
    assert_eq!(
        refused,
        "the receiver answered 401 Unauthorized: who are you?"
    );
}

/// Slack's rules for a message, as its documentation of blocks and of formatting states them.
fn slack_refuses(received: &Received) -> Option<&'static str> {
    if received.header("content-type") != "application/json" {
        return Some("invalid_payload");
    }
    let message = received.json();
    if message["text"]
        .as_str()
        .is_none_or(|text| text.is_empty() || !is_escaped(text))
    {
        return Some("no_text");
    }
    let blocks = message["blocks"].as_array()?;
    if blocks.is_empty() || blocks.len() > 50 {
        return Some("invalid_blocks");
    }
    for block in blocks {
        let text = block["text"]["text"].as_str().unwrap_or("");
        let length = text.chars().count();
        let fits = match block["type"].as_str() {
            Some("header") => block["text"]["type"] == "plain_text" && (1..=150).contains(&length),
            Some("section") => {
                let is_verbatim = block["text"]["verbatim"] == true;
                is_verbatim && (1..=3_000).contains(&length) && is_escaped(text)
            }
            _ => false,
        };
        if !fits {
            return Some("invalid_blocks");
        }
    }
    None
}

/// Whether every `&` begins one of the three escapes and `<…>` is a link to us.
fn is_escaped(text: &str) -> bool {
    let escapes = ["&amp;", "&lt;", "&gt;"];
    let entities = text
        .match_indices('&')
        .all(|(at, _)| escapes.iter().any(|escape| text[at..].starts_with(escape)));
    let links = text
        .match_indices('<')
        .all(|(at, _)| text[at..].starts_with("<http://belfry.test:9765/incidents"));
    entities && links && text.matches('>').count() == text.matches('<').count()
}

async fn slack() -> Receiver {
    Receiver::start(|received| match slack_refuses(received) {
        None => (StatusCode::OK, "ok".to_owned()),
        Some(error) => (StatusCode::BAD_REQUEST, error.to_owned()),
    })
    .await
}

#[tokio::test]
async fn slack_takes_what_it_is_sent() {
    let receiver = slack().await;
    let channel = Channel::Slack {
        url: from_environment("HOOK"),
    };
    let url = format!("{}/services/T0/B0/{CANARY}", receiver.url);
    let mut many = Case::new().with_evidence();
    for index in 0..60 {
        let (labels, mut member) = alert(&format!("<!channel> & @here {index}"), 0.0);
        member.summary = "<http://evil.test|click> & \u{1f514} ".repeat(60);
        many.detail.incident.members.insert(labels, member);
    }
    many.detail.incident.head.title = "T & <T> ".repeat(100);
    for case in [
        Case::new(),
        Case::new().resolved(),
        Case::new().summarised(),
        many,
    ] {
        let receipt = case.send_with(&channel, "HOOK", &url).await;
        assert_eq!(receipt.unwrap(), "200 OK: ok");
    }
    let first = &receiver.received()[0];
    assert_eq!(first.path, format!("/services/T0/B0/{CANARY}"));
    let message = first.json();
    assert_eq!(
        message["text"],
        "[CRITICAL] NoStock: 0 boxes left at shop:1 (shop, incident 12)"
    );
    let link = "<http://belfry.test:9765/incidents/12|Open incident 12>";
    let blocks = message["blocks"].as_array().unwrap();
    assert_eq!(blocks.last().unwrap()["text"]["text"], link);
}

#[tokio::test]
async fn what_slack_refuses_is_told_without_its_address() {
    let receiver = Receiver::start(|received| {
        let text = format!("no_service at {}", received.path);
        (
            StatusCode::NOT_FOUND,
            text.replace("/services", "http://127.0.0.1/services"),
        )
    })
    .await;
    let url = format!("{}/services/{CANARY}", receiver.url);
    let channel = Channel::Slack {
        url: from_environment("HOOK"),
    };
    let error = Case::new()
        .send_with(&channel, "HOOK", &url)
        .await
        .unwrap_err();
    assert!(
        error.starts_with("Slack answered 404 Not Found: no_service"),
        "{error}"
    );
    assert!(!error.contains(CANARY), "{error}");
}

const ROUTING_KEY: &str = "canary7890123456789012345678901a";

/// PagerDuty's rules for an event, as its documentation of Events API v2 states them.
fn pagerduty_errors(event: &Value) -> Vec<&'static str> {
    let mut errors = Vec::new();
    let mut must = |holds: bool, error: &'static str| {
        if !holds {
            errors.push(error);
        }
    };
    let text = |value: &Value, length: std::ops::RangeInclusive<usize>| {
        value
            .as_str()
            .is_some_and(|text| length.contains(&text.chars().count()))
    };
    let known = |value: &Value, keys: &[&str]| {
        value
            .as_object()
            .is_some_and(|own| own.keys().all(|key| keys.contains(&key.as_str())))
    };
    let keys = [
        "routing_key",
        "event_action",
        "dedup_key",
        "payload",
        "images",
        "links",
        "client",
        "client_url",
    ];
    must(known(event, &keys), "unknown key");
    must(text(&event["routing_key"], 32..=32), "routing_key");
    must(text(&event["dedup_key"], 1..=255), "dedup_key");
    let action = event["event_action"].as_str().unwrap_or("");
    must(
        ["trigger", "acknowledge", "resolve"].contains(&action),
        "event_action",
    );
    must(event.to_string().len() <= 512 * 1024, "too large");
    if action == "trigger" {
        let payload = &event["payload"];
        let keys = [
            "summary",
            "source",
            "severity",
            "timestamp",
            "component",
            "group",
            "class",
            "custom_details",
        ];
        must(known(payload, &keys), "unknown key of payload");
        must(
            text(&payload["summary"], 1..=1024),
            "'payload.summary' is missing or blank",
        );
        must(
            text(&payload["source"], 1..=255),
            "'payload.source' is missing or blank",
        );
        let severity = payload["severity"].as_str().unwrap_or("");
        must(
            ["critical", "error", "warning", "info"].contains(&severity),
            "severity",
        );
        let time = payload["timestamp"]
            .as_str()
            .and_then(|text| text.parse::<jiff::Timestamp>().ok());
        must(time.is_some(), "timestamp");
        let links = event["links"].as_array();
        must(
            links.is_some_and(|links| links.iter().all(|link| text(&link["href"], 1..=2000))),
            "links",
        );
    }
    errors
}

async fn pagerduty() -> (Receiver, Channel) {
    let receiver = Receiver::start(|received| {
        let errors = pagerduty_errors(&received.json());
        if received.path != "/v2/enqueue" {
            (StatusCode::NOT_FOUND, String::new())
        } else if errors.is_empty() {
            let key = received.json()["dedup_key"].clone();
            let answer = json!({"status": "success", "message": "Event processed", "dedup_key": key});
            (StatusCode::ACCEPTED, answer.to_string())
        } else {
            let answer = json!({"status": "invalid event", "message": "Event object is invalid", "errors": errors});
            (StatusCode::BAD_REQUEST, answer.to_string())
        }
    })
    .await;
    let channel = Channel::PagerDuty {
        routing_key: from_environment("ROUTING"),
        url: format!("{}/v2/enqueue", receiver.url),
    };
    (receiver, channel)
}

#[tokio::test]
async fn pagerduty_takes_an_incident_from_trigger_to_resolve() {
    let (receiver, channel) = pagerduty().await;
    let mut long = Case::new();
    long.detail.incident.head.title = "x".repeat(5_000);
    let cases = [
        Case::new().with_evidence(),
        Case::new().resolved(),
        Case::new().summarised(),
        long,
    ];
    for case in cases {
        let receipt = case
            .send_with(&channel, "ROUTING", ROUTING_KEY)
            .await
            .unwrap();
        assert!(receipt.starts_with("202 Accepted: "), "{receipt}");
        assert!(
            receipt.contains("Event processed") && !receipt.contains(CANARY),
            "{receipt}"
        );
    }
    let events: Vec<Value> = receiver.received().iter().map(Received::json).collect();
    let trigger = &events[0];
    assert_eq!(trigger["event_action"], "trigger");
    assert_eq!(trigger["dedup_key"], "belfry-12-1795424400000");
    assert_eq!(trigger["payload"]["severity"], "critical");
    let details = &trigger["payload"]["custom_details"];
    assert_eq!(details["evidence"][0]["finding"], "stock = 0");
    assert_eq!(details["alerts"][0]["threshold"], "< 1");
    assert_eq!(events[1]["event_action"], "resolve");
    assert_eq!(events[1]["dedup_key"], trigger["dedup_key"]);
    assert_ne!(events[2]["dedup_key"], trigger["dedup_key"]);
    let carried = &events[2]["payload"]["custom_details"]["summary_of"];
    assert_eq!(carried.as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn what_pagerduty_refuses_is_told_without_the_key() {
    let (_receiver, channel) = pagerduty().await;
    let case = Case::new();
    // A key that is no key: 400, with the reason.
    let error = case
        .send_with(&channel, "ROUTING", "canary")
        .await
        .unwrap_err();
    assert!(
        error.starts_with("PagerDuty refused the event: "),
        "{error}"
    );
    assert!(
        error.contains("routing_key") && !error.contains(CANARY),
        "{error}"
    );
    for (status, said) in [
        (
            StatusCode::TOO_MANY_REQUESTS,
            "PagerDuty takes no more events for now (429)",
        ),
        (
            StatusCode::BAD_GATEWAY,
            "PagerDuty answered 502 Bad Gateway: key …",
        ),
        (StatusCode::OK, "PagerDuty answered 200 OK: key …"),
    ] {
        let answering = move |_: &Received| (status, format!("key {ROUTING_KEY}"));
        let receiver = Receiver::start(answering).await;
        let channel = Channel::PagerDuty {
            routing_key: from_environment("ROUTING"),
            url: receiver.url.clone(),
        };
        let error = case.send_with(&channel, "ROUTING", ROUTING_KEY).await;
        assert_eq!(error.unwrap_err(), said);
    }
}
