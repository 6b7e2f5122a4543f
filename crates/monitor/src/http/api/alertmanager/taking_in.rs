//! `POST /alerts`: alerts of other programs come in. Each alert stands for itself: those that are right are taken, and
//! durable before the answer, whatever is wrong with others; the answer then names what is wrong, as Alertmanager does.
//!
//! Labels name an alert, so one whose labels are too many or too long is refused. Annotations are words for people: they
//! are cut, since a page must not be lost because somebody wrote too much.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request, State};
use axum::http::StatusCode;
use model::{Labels, Timestamp, is_label_name};
use serde::Deserialize;
use serde_json::Value;

use super::refusal::Refusal;
use crate::app::App;
use crate::incident::ReceivedAlert;
use crate::time_text::parse_time;

/// The most alerts of one request. Prometheus sends 64 at most; a storm comes as many requests.
pub(super) const ALERTS_MAX: usize = 10_000;
/// The most labels of an alert: as many as Prometheus' usual limit for a series.
const LABELS_MAX: usize = 64;
/// The longest name of a label, in bytes.
const LABEL_NAME_BYTES_MAX: usize = 256;
/// The longest value of a label, in bytes.
const LABEL_VALUE_BYTES_MAX: usize = 4096;
/// The most annotations that are kept of an alert.
const ANNOTATIONS_MAX: usize = 64;
/// How much is kept of an annotation and of a link, in bytes. Prometheus' links hold the whole expression.
const TEXT_BYTES_MAX: usize = 8192;
/// How many mistakes one answer names.
const MISTAKES_MAX: usize = 10;
/// How long a request waits for its turn before its body is read. Senders such as Prometheus do not repeat a refused
/// request but come again a minute later, so a short wait is worth more than a refusal; they give up after 10 s.
const TURN_PATIENCE: Duration = Duration::from_secs(5);

/// Go's zero time, 0001-01-01T00:00:00Z: what Alertmanager's clients send for a time that they do not know, with and
/// without digits for the fraction.
const NO_TIME: Timestamp = Timestamp::from_millis(-62_135_596_800_000);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PostedAlert {
    labels: BTreeMap<String, String>,
    annotations: Option<BTreeMap<String, String>>,
    starts_at: Option<String>,
    ends_at: Option<String>,
    #[serde(rename = "generatorURL")]
    generator_url: Option<String>,
}

pub(super) async fn post(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<StatusCode, Refusal> {
    // Before the body is read: what waits must wait outside of our memory.
    let turn = world::timeout(TURN_PATIENCE, app.alert_turns.acquire()).await;
    let Ok(Ok(_turn)) = turn else {
        return Err(Refusal::unavailable(
            "too many requests with alerts at once; try again",
        ));
    };
    let body = Bytes::from_request(request, &())
        .await
        .map_err(|refusal| Refusal::bad_request(refusal.body_text()))?;
    let read = app.world.run_blocking(move || read(&body)).await?;
    app.desk.receive(&read.alerts, app.now()).await?;
    match read.complaint() {
        None => Ok(StatusCode::OK),
        Some(complaint) => Err(Refusal::bad_request(complaint)),
    }
}

/// What a body holds.
#[derive(Debug, Default)]
struct Read {
    alerts: Vec<ReceivedAlert>,
    /// What is wrong with the first of the others.
    mistakes: Vec<String>,
    mistakes_count: usize,
}

impl Read {
    fn complaint(&self) -> Option<String> {
        if self.mistakes_count == 0 {
            return None;
        }
        let mut complaint = self.mistakes.join("; ");
        let more = self.mistakes_count - self.mistakes.len();
        if more > 0 {
            complaint.push_str(&format!("; and {more} more"));
        }
        Some(complaint)
    }
}

fn read(body: &[u8]) -> Result<Read, Refusal> {
    let posted: Vec<Value> = serde_json::from_slice(body)
        .map_err(|error| Refusal::bad_request(format!("the body is no list of alerts: {error}")))?;
    if posted.len() > ALERTS_MAX {
        return Err(Refusal::bad_request(format!(
            "{} alerts in one request; at most {ALERTS_MAX} are taken, send them in several",
            posted.len()
        )));
    }
    let mut read = Read::default();
    for (index, value) in posted.into_iter().enumerate() {
        match alert(value) {
            Ok(alert) => read.alerts.push(alert),
            Err(mistake) => {
                read.mistakes_count += 1;
                if read.mistakes.len() < MISTAKES_MAX {
                    read.mistakes
                        .push(format!("alert {}: {mistake}", index + 1));
                }
            }
        }
    }
    Ok(read)
}

fn alert(value: Value) -> Result<ReceivedAlert, String> {
    let posted: PostedAlert = serde_json::from_value(value).map_err(|error| error.to_string())?;
    let starts_at = time("startsAt", posted.starts_at.as_deref())?;
    let ends_at = time("endsAt", posted.ends_at.as_deref())?;
    if let (Some(starts_at), Some(ends_at)) = (starts_at, ends_at)
        && starts_at > ends_at
    {
        return Err("it ends before it starts".to_owned());
    }
    Ok(ReceivedAlert {
        labels: labels(&posted.labels)?,
        annotations: annotations(posted.annotations.unwrap_or_default())?,
        ends_at,
        generator_url: cut(posted.generator_url.unwrap_or_default()),
    })
}

/// An empty value is the same as none.
fn labels(posted: &BTreeMap<String, String>) -> Result<Labels, String> {
    let kept = posted.iter().filter(|(_, value)| !value.is_empty());
    for (name, value) in kept.clone() {
        if !is_label_name(name) || name.len() > LABEL_NAME_BYTES_MAX {
            return Err(format!("{name:?} cannot be the name of a label"));
        }
        if value.len() > LABEL_VALUE_BYTES_MAX {
            return Err(format!(
                "the value of the label {name} is longer than {LABEL_VALUE_BYTES_MAX} bytes"
            ));
        }
    }
    match kept.clone().count() {
        0 => Err("it has no labels; at least one is needed to tell it from others".to_owned()),
        count if count > LABELS_MAX => Err(format!(
            "it has {count} labels; at most {LABELS_MAX} are taken"
        )),
        _ => Ok(Labels::from_pairs(kept)),
    }
}

fn annotations(posted: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, String> {
    let kept = posted.into_iter().take(ANNOTATIONS_MAX);
    kept.map(|(name, text)| {
        if is_label_name(&name) && name.len() <= LABEL_NAME_BYTES_MAX {
            Ok((name, cut(text)))
        } else {
            Err(format!("{name:?} cannot be the name of an annotation"))
        }
    })
    .collect()
}

fn cut(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
    text
}

fn time(name: &str, text: Option<&str>) -> Result<Option<Timestamp>, String> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    match parse_time(text) {
        Some(at) => Ok(Some(at).filter(|at| *at != NO_TIME)),
        None => Err(format!("`{name}` is no time of RFC 3339: {text:?}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_alert_stands_for_itself() {
        let check = |posted: Value, expect: &str| {
            let found = match alert(posted.clone()) {
                Ok(alert) => alert.labels.to_string(),
                Err(mistake) => mistake,
            };
            assert!(found.contains(expect), "{posted}: {found}");
        };
        check(
            json!({"labels": {"alertname": "A", "b": ""}}),
            r#"{alertname="A"}"#,
        );
        check(json!({"labels": {}}), "no labels");
        check(json!({"labels": {"a": ""}}), "no labels");
        check(json!({}), "missing field `labels`");
        check(json!({"labels": {"a": 1}}), "invalid type");
        check(
            json!({"labels": {"a-b": "x"}}),
            "cannot be the name of a label",
        );
        check(
            json!({"labels": {"": "x"}}),
            "cannot be the name of a label",
        );
        check(
            json!({"labels": {"x".repeat(257): "x"}}),
            "cannot be the name",
        );
        check(
            json!({"labels": {"a": "x".repeat(4097)}}),
            "longer than 4096",
        );
        let many: BTreeMap<String, &str> = (0..65).map(|n| (format!("l{n}"), "x")).collect();
        check(json!({"labels": many}), "65 labels");
        check(
            json!({"labels": {"a": "1"}, "annotations": {"a b": ""}}),
            "annotation",
        );
        check(
            json!({"labels": {"a": "1"}, "endsAt": "soon"}),
            "`endsAt` is no time",
        );
        let (early, late) = ("2026-11-23T09:00:00Z", "2026-11-23T09:00:01Z");
        check(
            json!({"labels": {"a": "1"}, "startsAt": late, "endsAt": early}),
            "ends before",
        );
        for none in ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z", ""] {
            let posted = json!({"labels": {"a": "1"}, "startsAt": late, "endsAt": none});
            assert_eq!(alert(posted).unwrap().ends_at, None, "{none}");
        }
    }

    #[test]
    fn words_for_people_are_cut_where_a_character_ends() {
        let long = format!("{}é", "x".repeat(TEXT_BYTES_MAX - 1));
        let posted = json!({"labels": {"a": "1"}, "annotations": {"summary": long}});
        let alert = alert(posted).unwrap();
        assert_eq!(alert.annotations["summary"].len(), TEXT_BYTES_MAX - 1);
    }

    #[test]
    fn mistakes_are_counted_and_the_first_are_named() {
        let body = json!([{"labels": {"a": "1"}}, {"labels": {}}]).to_string();
        let found = read(body.as_bytes()).unwrap();
        assert_eq!(found.alerts.len(), 1);
        assert!(
            found
                .complaint()
                .unwrap()
                .starts_with("alert 2: it has no labels")
        );
        let body = json!(vec![json!({"labels": {}}); 12]).to_string();
        assert!(
            read(body.as_bytes())
                .unwrap()
                .complaint()
                .unwrap()
                .ends_with("; and 2 more")
        );
        let body = json!(vec![json!({}); ALERTS_MAX + 1]).to_string();
        assert!(read(body.as_bytes()).is_err());
        assert!(read(b"{}").is_err());
    }
}
