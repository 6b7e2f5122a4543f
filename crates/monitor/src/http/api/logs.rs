//! Log ingest, search, counts and the proof of retention.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, RawQuery, Request, State};
use axum::response::{IntoResponse, Response};
use model::{Level, LogEntry, LogQuery, LogTime, StoredEntry, Timestamp};
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::http::error::Problem;
use crate::logs::decode_json_line;
use crate::time_text::{parse_time, rfc3339, rfc3339_nanos};

/// What a search covers when it names no time.
const DEFAULT_RANGE: Duration = Duration::from_secs(3600);
/// How many lines a search returns when it names no number.
const DEFAULT_LIMIT: usize = 200;
/// The most lines of one ingest request.
const INGEST_LINES_MAX: usize = 100_000;

/// `POST /api/v1/logs`: JSON lines. Answers once the lines survive kill -9.
pub(in crate::http) async fn ingest(State(app): State<Arc<App>>, request: Request) -> Response {
    // Before the body is read: what waits must wait outside of our memory.
    let Ok(_turn) = app.ingest_turns.try_acquire() else {
        return Problem::busy("too many log requests at once; try again").into_response();
    };
    let body = match Bytes::from_request(request, &()).await {
        Ok(body) => body,
        Err(refusal) => return refusal.into_response(),
    };
    take_in(&app, body).await.into_response()
}

/// The lines of one body.
struct Decoded {
    entries: Vec<LogEntry>,
    malformed: u64,
    first_error: Option<String>,
}

async fn take_in(app: &App, body: Bytes) -> Result<Json<Value>, Problem> {
    let now = LogTime::from(app.now());
    let service = app.setup.get().plan.service.clone();
    let decoded = app
        .world
        .run_blocking(move || decode(&body, &service, now))
        .await?;
    if decoded.entries.is_empty()
        && let Some(error) = decoded.first_error
    {
        app.metrics
            .log_lines_dropped("malformed", decoded.malformed);
        return Err(Problem::bad_request(error));
    }
    let taken = app.intake.take(decoded.entries, decoded.malformed).await;
    if let Some((error, _)) = taken.refused.into_iter().next() {
        return Err(Problem::from(error));
    }
    let report = taken.report;
    Ok(Json(json!({
        "accepted": report.accepted,
        "rejected": report.rejected,
        "first_error": decoded.first_error,
    })))
}

fn decode(body: &[u8], service: &str, now: LogTime) -> Result<Decoded, Problem> {
    let text =
        std::str::from_utf8(body).map_err(|_| Problem::bad_request("the body is not UTF-8"))?;
    let mut decoded = Decoded {
        entries: Vec::new(),
        malformed: 0,
        first_error: None,
    };
    for (index, line) in text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        if decoded.entries.len() >= INGEST_LINES_MAX {
            let advice =
                format!("more than {INGEST_LINES_MAX} lines in one request; send smaller batches");
            return Err(Problem::bad_request(advice));
        }
        match decode_json_line(line, service, now) {
            Ok(entry) => decoded.entries.push(entry),
            Err(error) => {
                decoded.malformed += 1;
                decoded
                    .first_error
                    .get_or_insert_with(|| format!("line {}: {error}", index + 1));
            }
        }
    }
    Ok(decoded)
}

pub(super) async fn search(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let asked = Asked::read(query.as_deref().unwrap_or(""), app.now())?;
    let (entries, truncated) = app.logs.search(asked.query, asked.limit).await?;
    Ok(Json(
        json!({"entries": entries.iter().map(entry).collect::<Vec<_>>(), "truncated": truncated}),
    ))
}

pub(super) async fn histogram(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Problem> {
    let asked = Asked::read(query.as_deref().unwrap_or(""), app.now())?;
    let counts = app
        .logs
        .count_by_level(asked.query, asked.step, app.now())
        .await?;
    let mut steps: Vec<(LogTime, Map<String, Value>)> = Vec::new();
    for count in counts {
        if steps.last().is_none_or(|(at, _)| *at != count.at) {
            let zeros = Level::ALL
                .iter()
                .map(|level| (level.as_str().to_owned(), Value::from(0)));
            steps.push((count.at, zeros.collect()));
        }
        if let Some((_, levels)) = steps.last_mut() {
            levels.insert(count.level.as_str().to_owned(), Value::from(count.lines));
        }
    }
    Ok(Json(
        steps
            .into_iter()
            .map(|(at, counts)| json!({"at": rfc3339_nanos(at), "counts": counts}))
            .collect(),
    ))
}

pub(super) async fn retention(State(app): State<Arc<App>>) -> Json<Value> {
    let classes = app.logs.figures().into_iter().map(|class| {
        json!({
            "class": class.class,
            "keep_seconds": class.keep.map(|keep| keep.as_secs()),
            "files": class.files,
            "lines": class.lines,
            "bytes": class.bytes,
            "oldest": class.oldest.map(rfc3339_nanos),
            "newest": class.newest.map(rfc3339_nanos),
            "next_deletion": class.next_deletion.map(rfc3339),
        })
    });
    Json(classes.collect())
}

fn entry(stored: &StoredEntry) -> Value {
    let entry = &stored.entry;
    let fields: Map<String, Value> = entry
        .fields
        .iter()
        .map(|(name, value)| (name.clone(), Value::from(value.as_str())))
        .collect();
    json!({
        "at": rfc3339_nanos(entry.at),
        "level": entry.level.as_str(),
        "category": entry.category,
        "class": stored.class,
        "service": entry.service,
        "message": entry.message,
        "fields": fields,
    })
}

/// What a request asks for. Parameters may repeat (`level=ERROR&level=WARN`), so they are read one by one.
struct Asked {
    query: LogQuery,
    limit: usize,
    step: Duration,
}

impl Asked {
    fn read(parameters: &str, now: Timestamp) -> Result<Asked, Problem> {
        let (mut from, mut to) = (now - DEFAULT_RANGE, now);
        let mut asked = Asked {
            query: LogQuery::range(LogTime::from(from), LogTime::from(to)),
            limit: DEFAULT_LIMIT,
            step: Duration::from_secs(60),
        };
        let time = |name: &str, text: &str| {
            parse_time(text).ok_or_else(|| {
                Problem::bad_request(format!("`{name}` is neither RFC 3339 nor Unix seconds"))
            })
        };
        for (name, value) in form_urlencoded(parameters) {
            match name.as_str() {
                "from" => from = time(&name, &value)?,
                "to" => to = time(&name, &value)?,
                "level" if !value.is_empty() => {
                    let level = value
                        .parse()
                        .map_err(|()| Problem::bad_request(format!("`{value}` is not a level")))?;
                    asked.query.levels.push(level);
                }
                "category" if !value.is_empty() => asked.query.categories.push(value),
                "service" if !value.is_empty() => asked.query.services.push(value),
                "q" => {
                    asked.query.narrow(&value).map_err(Problem::bad_request)?;
                }
                "limit" => {
                    asked.limit = value
                        .parse()
                        .map_err(|_| Problem::bad_request("`limit` is not a number"))?;
                }
                "step" => {
                    let seconds: f64 = value
                        .parse()
                        .map_err(|_| Problem::bad_request("`step` is not a number of seconds"))?;
                    asked.step = Duration::try_from_secs_f64(seconds)
                        .map_err(|_| Problem::bad_request("`step` must be positive"))?;
                }
                _ => {}
            }
        }
        if to < from {
            return Err(Problem::bad_request("`to` lies before `from`"));
        }
        asked.query.from = LogTime::from(from);
        // `to` is a whole millisecond; lines within it belong to the range that a person means.
        asked.query.to = LogTime::from(to + Duration::from_millis(1));
        Ok(asked)
    }
}

/// Names and values of a query string, in order.
fn form_urlencoded(text: &str) -> Vec<(String, String)> {
    serde_urlencoded::from_str(text).unwrap_or_default()
}
