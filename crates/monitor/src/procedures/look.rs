//! Steps that look: metrics, logs, deployments, probes. They change nothing and run by themselves.

use std::time::Duration;

use model::{Labels, LogQuery, LogTime, METRIC_NAME, Timestamp};
use plan::{Expression, LOGS_BEFORE_INCIDENT, Probe};
use serde_json::{Value, json};
use world::{HttpRequest, World};

use super::{Failure, Finding, Moment, one_line};
use crate::incident::{Deployment, Desk};
use crate::logs::LogsBackend;
use crate::metrics::MetricsBackend;
use crate::probe::{ANSWER_BYTES_MAX, Verdict, read_answer};
use crate::rules::readable;
use crate::time_text::{rfc3339, rfc3339_nanos};

/// The most series of an answer that are kept.
const SERIES_MAX: usize = 20;
/// The most of them that the one-line summary names.
const SERIES_NAMED_MAX: usize = 3;
/// The most lines of a log search that are kept.
const LINES_MAX: usize = 20;
/// The longest line that is kept, in characters.
const LINE_CHARS_MAX: usize = 500;
/// The most deployments that are kept.
const DEPLOYMENTS_MAX: usize = 20;

/// The value of a query now.
pub(super) async fn query(
    backend: &dyn MetricsBackend,
    expr: &Expression,
    moment: &Moment<'_>,
) -> Result<Finding, Failure> {
    let samples = vector(backend, expr, moment.now).await?;
    let shown: Vec<String> = samples
        .iter()
        .take(SERIES_NAMED_MAX)
        .map(|(labels, value)| named(labels, &readable(*value)))
        .collect();
    let summary = match samples.len() {
        0 => "no value".to_owned(),
        count if count > SERIES_NAMED_MAX => {
            format!("{} and {} more", shown.join(", "), count - SERIES_NAMED_MAX)
        }
        _ => shown.join(", "),
    };
    Ok(Finding {
        summary: one_line(&summary),
        detail: json!({
            "expr": expr.text,
            "at": rfc3339(moment.now),
            "samples": samples.iter().take(SERIES_MAX).map(|(labels, value)| sample(labels, *value)).collect::<Vec<_>>(),
            "series": samples.len(),
        }),
    })
}

/// A query now against the same one a while before.
pub(super) async fn compare(
    backend: &dyn MetricsBackend,
    expr: &Expression,
    before: Duration,
    moment: &Moment<'_>,
) -> Result<Finding, Failure> {
    let now = vector(backend, expr, moment.now).await?;
    let then = vector(backend, expr, moment.now - before).await?;
    let ago = model::format_duration(before);
    let old_value = |labels: &Labels| {
        then.iter()
            .find(|(own, _)| own == labels)
            .map(|(_, value)| *value)
    };
    let rows: Vec<(Labels, Option<f64>, Option<f64>)> = now
        .iter()
        .map(|(labels, value)| (labels.clone(), Some(*value), old_value(labels)))
        .chain(
            then.iter()
                .filter(|(labels, _)| now.iter().all(|(own, _)| own != labels))
                .map(|(labels, value)| (labels.clone(), None, Some(*value))),
        )
        .take(SERIES_MAX)
        .collect();
    let shown: Vec<String> = rows
        .iter()
        .take(SERIES_NAMED_MAX)
        .map(|(labels, now, then)| named(labels, &change(*now, *then, &ago)))
        .collect();
    let summary = if rows.is_empty() {
        format!("no value, neither now nor {ago} before")
    } else {
        shown.join("; ")
    };
    let rows: Vec<Value> = rows
        .iter()
        .map(|(labels, now, then)| json!({"labels": labels_json(labels), "now": now, "before": then}))
        .collect();
    Ok(Finding {
        summary: one_line(&summary),
        detail: json!({"expr": expr.text, "before_seconds": before.as_secs_f64(), "rows": rows}),
    })
}

fn change(now: Option<f64>, then: Option<f64>, ago: &str) -> String {
    let word = |value: Option<f64>| value.map_or_else(|| "no value".to_owned(), readable);
    let factor = match (now, then) {
        (Some(now), Some(then)) if then > 0.0 && now.is_finite() && then.is_finite() => {
            format!(" (x {})", readable(now / then))
        }
        _ => String::new(),
    };
    format!("{} now, {} {ago} before{factor}", word(now), word(then))
}

/// The log lines around the beginning of the incident until now.
pub(super) async fn logs(
    backend: &dyn LogsBackend,
    search: &str,
    moment: &Moment<'_>,
) -> Result<Finding, Failure> {
    let from = moment.incident.head.opened_at - LOGS_BEFORE_INCIDENT;
    let mut query = LogQuery::range(LogTime::from(from), LogTime::from(moment.now));
    query.narrow(search)?;
    let whole = moment.now.since(from).max(Duration::from_secs(1));
    let counts = backend
        .count_by_level(query.clone(), whole, moment.now)
        .await
        .map_err(|error| error.to_string())?;
    let total: u64 = counts.iter().map(|count| count.lines).sum();
    let (lines, _) = backend
        .search(query, LINES_MAX)
        .await
        .map_err(|error| error.to_string())?;
    let since = rough(moment.now.since(from));
    let summary = match lines.first() {
        None => format!("no line in the last {since}"),
        Some(newest) => format!(
            "{total} line{} in the last {since}; the newest: {}",
            if total == 1 { "" } else { "s" },
            newest.entry.message
        ),
    };
    let lines: Vec<Value> = lines
        .iter()
        .map(|line| {
            let message: String = line.entry.message.chars().take(LINE_CHARS_MAX).collect();
            json!({
                "at": rfc3339_nanos(line.entry.at),
                "level": line.entry.level.as_str(),
                "category": line.entry.category,
                "message": message,
            })
        })
        .collect();
    Ok(Finding {
        summary: one_line(&summary),
        detail: json!({"search": search, "from": rfc3339(from), "to": rfc3339(moment.now), "total": total, "lines": lines}),
    })
}

/// What was deployed shortly before the incident, or since.
pub(super) async fn deployments(
    desk: &Desk,
    within: Duration,
    moment: &Moment<'_>,
) -> Result<Finding, Failure> {
    let opened_at = moment.incident.head.opened_at;
    let (from, until) = (opened_at - within, moment.now);
    let found = desk
        .with_store(move |store| store.deployments(from, until, DEPLOYMENTS_MAX))
        .await
        .map_err(|error| error.to_string())?;
    let shown: Vec<String> = found
        .iter()
        .take(SERIES_NAMED_MAX)
        .map(|deployment| deployed(deployment, opened_at))
        .collect();
    let summary = if found.is_empty() {
        format!(
            "no deployment in the {} before",
            model::format_duration(within)
        )
    } else {
        shown.join("; ")
    };
    let rows: Vec<Value> = found.iter().map(deployment_json).collect();
    Ok(Finding {
        summary: one_line(&summary),
        detail: json!({"from": rfc3339(from), "deployments": rows}),
    })
}

fn deployed(deployment: &Deployment, opened_at: Timestamp) -> String {
    let when = if deployment.at <= opened_at {
        format!("{} before", rough(opened_at.since(deployment.at)))
    } else {
        format!("{} after", rough(deployment.at.since(opened_at)))
    };
    let note = match deployment.note.as_str() {
        "" => String::new(),
        note => format!(" ({note})"),
    };
    format!(
        "{} {} {when} the incident opened{note}",
        deployment.service, deployment.version
    )
}

/// Whole minutes, or seconds below one.
fn rough(length: Duration) -> String {
    match length.as_secs() {
        seconds if seconds < 60 => format!("{seconds} s"),
        seconds => format!("{} min", seconds / 60),
    }
}

/// A deployment as the API shows it.
pub(crate) fn deployment_json(deployment: &Deployment) -> Value {
    json!({
        "at": rfc3339(deployment.at),
        "service": deployment.service,
        "instance": deployment.instance,
        "version": deployment.version,
        "by": deployment.by,
        "note": deployment.note,
    })
}

/// A probe, asked now.
pub(super) async fn check(
    world: &World,
    probe: &Probe,
    timeout: Duration,
) -> Result<Finding, Failure> {
    let request = HttpRequest::get(&probe.url, timeout.min(probe.timeout), ANSWER_BYTES_MAX);
    let started = world.clock.monotonic();
    let response = world
        .net
        .http(request)
        .await
        .map_err(|error| format!("{} does not answer: {error}", probe.name))?;
    let took = world.clock.monotonic().saturating_sub(started);
    let answer = read_answer(response.status.as_u16(), &response.body);
    let troubled: Vec<String> = answer
        .dependencies
        .iter()
        .filter(|own| own.verdict != Verdict::Pass)
        .map(|own| format!("{} {}: {}", own.name, own.verdict.as_str(), own.detail))
        .collect();
    let mut summary = format!(
        "{} says {} ({}, {} ms)",
        probe.name,
        answer.verdict.as_str(),
        response.status.as_u16(),
        took.as_millis()
    );
    for part in troubled
        .iter()
        .chain(Some(&answer.output).filter(|text| !text.is_empty()))
    {
        summary.push_str("; ");
        summary.push_str(part);
    }
    let dependencies: Vec<Value> = answer
        .dependencies
        .iter()
        .map(|own| json!({"name": own.name, "status": own.verdict.as_str(), "detail": own.detail}))
        .collect();
    Ok(Finding {
        summary: one_line(&summary),
        detail: json!({
            "probe": probe.name,
            "status": answer.verdict.as_str(),
            "http_status": response.status.as_u16(),
            "took_ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            "dependencies": dependencies,
        }),
    })
}

async fn vector(
    backend: &dyn MetricsBackend,
    expr: &Expression,
    at: Timestamp,
) -> Result<Vec<(Labels, f64)>, Failure> {
    let answer = backend
        .query(std::sync::Arc::new(expr.parsed.clone()), at)
        .await
        .map_err(|error| error.to_string())?;
    match answer.value {
        promql::Value::Vector(samples) => Ok(samples
            .into_iter()
            .map(|sample| (sample.labels, sample.value))
            .collect()),
        promql::Value::Scalar(value) => Ok(vec![(Labels::empty(), value)]),
        promql::Value::String(_) | promql::Value::Matrix(_) => {
            Err("the expression gives no instant vector".to_owned())
        }
    }
}

/// A value with what tells its series apart from others.
fn named(labels: &Labels, value: &str) -> String {
    let telling: Vec<String> = labels
        .iter()
        .filter(|(name, _)| !["job", "instance", METRIC_NAME].contains(name))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    if telling.is_empty() {
        value.to_owned()
    } else {
        format!("{value} ({})", telling.join(", "))
    }
}

fn sample(labels: &Labels, value: f64) -> Value {
    json!({"labels": labels_json(labels), "value": value})
}

fn labels_json(labels: &Labels) -> Value {
    labels
        .iter()
        .map(|(name, value)| (name.to_owned(), Value::from(value)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}
