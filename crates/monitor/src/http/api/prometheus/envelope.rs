//! The envelope of every answer, and how parameters come in: as a query string, as a form, or both.

use axum::Json;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use model::Timestamp;
use serde_json::{Value, json};

use crate::metrics::BackendError;
use crate::time_text::parse_time;

/// An answer in Prometheus' envelope.
pub(super) enum Answer {
    /// What was asked for, with warnings and notes.
    Data {
        data: Value,
        warnings: Vec<String>,
        infos: Vec<String>,
    },
    /// What is wrong.
    Error {
        status: StatusCode,
        kind: &'static str,
        error: String,
    },
}

impl Answer {
    pub(super) fn data(data: Value) -> Answer {
        Answer::Data {
            data,
            warnings: Vec::new(),
            infos: Vec::new(),
        }
    }

    pub(super) fn bad_data(error: impl Into<String>) -> Answer {
        Answer::Error {
            status: StatusCode::BAD_REQUEST,
            kind: "bad_data",
            error: error.into(),
        }
    }
}

impl From<BackendError> for Answer {
    fn from(error: BackendError) -> Answer {
        let (status, kind) = match &error {
            BackendError::BadQuery(_) | BackendError::TooMuch(_) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "execution")
            }
            BackendError::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        };
        Answer::Error {
            status,
            kind,
            error: error.to_string(),
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        match self {
            Answer::Data {
                data,
                warnings,
                infos,
            } => {
                let mut body = json!({"status": "success", "data": data});
                if !warnings.is_empty() {
                    body["warnings"] = warnings.into();
                }
                if !infos.is_empty() {
                    body["infos"] = infos.into();
                }
                Json(body).into_response()
            }
            Answer::Error {
                status,
                kind,
                error,
            } => (
                status,
                Json(json!({"status": "error", "errorType": kind, "error": error})),
            )
                .into_response(),
        }
    }
}

/// The parameters of a request.
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads the query string and a form body. A POST's form comes first, as in Prometheus.
    pub(super) fn read(query: Option<String>, body: &Bytes) -> Result<Parameters, Answer> {
        let malformed = |_| Answer::bad_data("the parameters are not URL-encoded");
        let mut pairs: Vec<(String, String)> =
            serde_urlencoded::from_bytes(body).map_err(malformed)?;
        let from_query: Vec<(String, String)> =
            serde_urlencoded::from_str(query.as_deref().unwrap_or("")).map_err(malformed)?;
        pairs.extend(from_query);
        Ok(Parameters(pairs))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(own, _)| own == name)
            .map(|(_, value)| value.as_str())
    }

    pub(super) fn required(&self, name: &str) -> Result<&str, Answer> {
        self.get(name)
            .ok_or_else(|| Answer::bad_data(format!("the parameter `{name}` is missing")))
    }

    pub(super) fn time(&self, name: &str) -> Result<Option<Timestamp>, Answer> {
        let wrong = |text: &str| {
            Answer::bad_data(format!(
                "the parameter `{name}` is neither RFC 3339 nor Unix seconds: `{text}`"
            ))
        };
        self.get(name)
            .map(|text| parse_time(text).ok_or_else(|| wrong(text)))
            .transpose()
    }
}

/// A number as Prometheus writes it.
pub(super) fn number(value: f64) -> Value {
    let text = if value == f64::INFINITY {
        "+Inf".to_owned()
    } else if value == f64::NEG_INFINITY {
        "-Inf".to_owned()
    } else {
        value.to_string()
    };
    Value::from(text)
}

/// A time as Prometheus writes it: Unix seconds.
pub(super) fn seconds(at: Timestamp) -> Value {
    let millis = at.as_millis();
    if millis % 1000 == 0 {
        Value::from(millis / 1000)
    } else {
        Value::from(at.as_secs_f64())
    }
}
