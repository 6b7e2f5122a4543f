//! `query` and `query_range`.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use model::{Timestamp, parse_duration};
use promql::Expr;
use serde_json::{Value, json};

use super::envelope::{Answer, Parameters, number, seconds};
use crate::app::App;
use crate::http::api::labels_json;

/// The most points of one series in one answer: Prometheus' own bound.
const POINTS_MAX: u64 = 11_000;

pub(super) async fn instant(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Answer {
    answer_instant(&app, query, &body)
        .await
        .unwrap_or_else(|refusal| refusal)
}

pub(super) async fn range(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Answer {
    answer_range(&app, query, &body)
        .await
        .unwrap_or_else(|refusal| refusal)
}

async fn answer_instant(app: &App, query: Option<String>, body: &Bytes) -> Result<Answer, Answer> {
    let parameters = Parameters::read(query, body)?;
    let text = parameters.required("query")?;
    let expr = parse(text)?;
    let at = parameters.time("time")?.unwrap_or_else(|| app.now());
    let answer = app.metrics_backend.query(expr, at).await?;
    Ok(success(answer, at, text))
}

async fn answer_range(app: &App, query: Option<String>, body: &Bytes) -> Result<Answer, Answer> {
    let parameters = Parameters::read(query, body)?;
    let text = parameters.required("query")?;
    let expr = parse(text)?;
    let missing = |name: &str| Answer::bad_data(format!("the parameter `{name}` is missing"));
    let from = parameters.time("start")?.ok_or_else(|| missing("start"))?;
    let to = parameters.time("end")?.ok_or_else(|| missing("end"))?;
    if to < from {
        return Err(Answer::bad_data("`end` lies before `start`"));
    }
    let step = parse_step(parameters.required("step")?)?;
    if to.since(from).as_millis() / step.as_millis().max(1) >= u128::from(POINTS_MAX) {
        let why = format!(
            "more than {POINTS_MAX} points a series; use a longer `step` or a shorter range"
        );
        return Err(Answer::bad_data(why));
    }
    let answer = app
        .metrics_backend
        .query_range(expr, from, to, step)
        .await?;
    Ok(success(answer, to, text))
}

fn parse(text: &str) -> Result<Arc<Expr>, Answer> {
    promql::parse(text).map(Arc::new).map_err(|error| {
        Answer::bad_data(format!(
            "invalid parameter \"query\": {}: {error}",
            error.span.start + 1
        ))
    })
}

fn parse_step(text: &str) -> Result<Duration, Answer> {
    let by_seconds = text
        .parse::<f64>()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let step = by_seconds.or_else(|| parse_duration(text).ok());
    step.filter(|step| step.as_millis() > 0).ok_or_else(|| {
        Answer::bad_data("`step` must be a positive number of seconds or a duration such as `15s`")
    })
}

fn success(answer: promql::Answer, at: Timestamp, query: &str) -> Answer {
    let texts =
        |list: Vec<promql::Annotation>| list.iter().map(|note| note.with_position(query)).collect();
    Answer::Data {
        data: value(answer.value, at),
        warnings: texts(answer.warnings),
        infos: texts(answer.infos),
    }
}

fn value(value: promql::Value, at: Timestamp) -> Value {
    match value {
        promql::Value::Scalar(scalar) => {
            json!({"resultType": "scalar", "result": [seconds(at), number(scalar)]})
        }
        promql::Value::String(text) => {
            json!({"resultType": "string", "result": [seconds(at), text]})
        }
        promql::Value::Vector(samples) => {
            let result = samples.iter().map(|sample| {
                json!({"metric": labels_json(&sample.labels), "value": [seconds(sample.at), number(sample.value)]})
            });
            json!({"resultType": "vector", "result": result.collect::<Vec<_>>()})
        }
        promql::Value::Matrix(series) => {
            let result = series.iter().map(|series| {
                let points = series
                    .points
                    .iter()
                    .map(|(at, value)| json!([seconds(*at), number(*value)]));
                json!({"metric": labels_json(&series.labels), "values": points.collect::<Vec<_>>()})
            });
            json!({"resultType": "matrix", "result": result.collect::<Vec<_>>()})
        }
    }
}
