//! The past over HTTP: a Belfry or a Prometheus, both by Prometheus' API.

use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, StatusCode};
use model::{Labels, Timestamp};
use promql::MatrixSeries;
use serde_json::Value;
use world::{BoxFuture, HttpError, HttpRequest, World};

use super::past::{Past, PastError};

/// Longer than a query may take there.
const TIMEOUT: Duration = Duration::from_secs(130);
/// Two thousand instants of a thousand series fit.
const ANSWER_BYTES_MAX: usize = 128 << 20;

/// A store of samples by its address.
pub struct HttpPast {
    world: World,
    address: String,
}

impl HttpPast {
    /// The store at an address, such as `http://127.0.0.1:9090`.
    pub fn new(world: World, address: &str) -> HttpPast {
        HttpPast {
            world,
            address: address.trim_end_matches('/').to_owned(),
        }
    }

    async fn ask(&self, path: &str, parameters: &[(&str, &str)]) -> Result<Value, PastError> {
        let broken = |why: String| PastError::Broken(format!("{}: {why}", self.address));
        let address = format!("{}/api/v1/{path}", self.address);
        let mut request = HttpRequest::get(&address, TIMEOUT, ANSWER_BYTES_MAX);
        request.method = Method::POST;
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers.insert(CONTENT_TYPE, form);
        let body = serde_urlencoded::to_string(parameters);
        request.body = body.map_err(|error| broken(error.to_string()))?.into();
        let response = match self.world.net.http(request).await {
            Ok(response) => response,
            Err(error @ (HttpError::TooLarge { .. } | HttpError::Timeout(_))) => {
                return Err(PastError::NoAnswer(error.to_string()));
            }
            Err(error) => return Err(broken(error.to_string())),
        };
        let answer: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let why = || {
            let said = answer["error"].as_str().or(answer["detail"].as_str());
            said.unwrap_or("the answer is not of Prometheus' API")
                .to_owned()
        };
        match response.status {
            StatusCode::OK if answer["status"] == "success" => Ok(answer["data"].clone()),
            StatusCode::UNPROCESSABLE_ENTITY => Err(PastError::NoAnswer(why())),
            status => Err(broken(format!("{status}: {}", why()))),
        }
    }

    async fn matrix(
        &self,
        path: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Vec<MatrixSeries>, PastError> {
        let data = self.ask(path, parameters).await?;
        let rows = data["result"].as_array().into_iter().flatten();
        rows.map(matrix_series)
            .collect::<Option<_>>()
            .ok_or_else(|| PastError::Broken(format!("{}: not a matrix", self.address)))
    }
}

impl Past for HttpPast {
    fn range<'a>(
        &'a self,
        expr: &'a str,
        from: Timestamp,
        to: Timestamp,
        step: Duration,
    ) -> BoxFuture<'a, Result<Vec<MatrixSeries>, PastError>> {
        Box::pin(async move {
            let (from, to) = (seconds(from), seconds(to));
            let step = step.as_secs_f64().to_string();
            let parameters = [
                ("query", expr),
                ("start", &from),
                ("end", &to),
                ("step", &step),
            ];
            self.matrix("query_range", &parameters).await
        })
    }

    fn samples<'a>(
        &'a self,
        selector: &'a str,
        until: Timestamp,
        span: Duration,
    ) -> BoxFuture<'a, Result<Vec<MatrixSeries>, PastError>> {
        Box::pin(async move {
            let query = format!("{selector}[{}]", model::format_duration(span));
            let until = seconds(until);
            let parameters = [("query", query.as_str()), ("time", &until)];
            self.matrix("query", &parameters).await
        })
    }

    fn series<'a>(
        &'a self,
        selector: &'a str,
        from: Timestamp,
        to: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Labels>, PastError>> {
        Box::pin(async move {
            let (from, to) = (seconds(from), seconds(to));
            let parameters = [("match[]", selector), ("start", &from), ("end", &to)];
            let data = self.ask("series", &parameters).await?;
            let rows = data.as_array().into_iter().flatten();
            Ok(rows.map(labels).collect())
        })
    }
}

fn seconds(at: Timestamp) -> String {
    format!("{:.3}", at.as_secs_f64())
}

fn labels(row: &Value) -> Labels {
    let pairs = row.as_object().into_iter().flatten();
    Labels::from_pairs(pairs.map(|(name, value)| (name.clone(), value.as_str().unwrap_or(""))))
}

fn matrix_series(row: &Value) -> Option<MatrixSeries> {
    let points = row["values"].as_array()?.iter().map(|point| {
        let at = Timestamp::from_secs_f64(point[0].as_f64()?);
        Some((at, number(point[1].as_str()?)?))
    });
    Some(MatrixSeries {
        labels: labels(&row["metric"]),
        points: points.collect::<Option<_>>()?,
    })
}

fn number(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "+Inf" => Some(f64::INFINITY),
        "-Inf" => Some(f64::NEG_INFINITY),
        _ => text.parse().ok(),
    }
}
