//! Errors as problem details (RFC 9457): a short message for the caller; the log has the rest.

use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::incident::{ActionError, IncidentStoreError};
use crate::logs::LogsError;
use crate::metrics::BackendError;

/// The most that is read of a refusal that the framework wrote: a sentence.
const REFUSAL_BYTES_MAX: usize = 4096;

/// An error answer.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    detail: String,
    retry_after_seconds: Option<u32>,
}

impl Problem {
    /// An answer with a status and a sentence that says what to do.
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Problem {
        Problem {
            status,
            detail: detail.into(),
            retry_after_seconds: None,
        }
    }

    /// The request is wrong.
    pub(super) fn bad_request(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, detail)
    }

    /// There is no such thing.
    pub(super) fn not_found(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::NOT_FOUND, detail)
    }

    /// It is there already, or was done already.
    pub(super) fn conflict(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::CONFLICT, detail)
    }

    /// No room now.
    pub(in crate::http) fn busy(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::TOO_MANY_REQUESTS, detail).retry_after(1)
    }

    fn retry_after(self, seconds: u32) -> Problem {
        Problem {
            retry_after_seconds: Some(seconds),
            ..self
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        let mut response = (
            self.status,
            [(header::CONTENT_TYPE, "application/problem+json")],
            body.to_string(),
        )
            .into_response();
        if let Some(seconds) = self.retry_after_seconds {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl From<BackendError> for Problem {
    fn from(error: BackendError) -> Problem {
        let status = match &error {
            BackendError::BadQuery(_) | BackendError::TooMuch(_) => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            BackendError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        Problem::new(status, error.to_string())
    }
}

impl From<LogsError> for Problem {
    fn from(error: LogsError) -> Problem {
        match &error {
            LogsError::BadRequest(_) => Problem::bad_request(error.to_string()),
            LogsError::Full(_) => {
                Problem::new(StatusCode::TOO_MANY_REQUESTS, error.to_string()).retry_after(10)
            }
            LogsError::Unavailable(_) => {
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()).retry_after(5)
            }
        }
    }
}

impl From<IncidentStoreError> for Problem {
    fn from(error: IncidentStoreError) -> Problem {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()).retry_after(5)
    }
}

impl From<ActionError> for Problem {
    fn from(error: ActionError) -> Problem {
        match error {
            ActionError::NotFound => Problem::not_found(error.to_string()),
            ActionError::Resolved => Problem::new(StatusCode::CONFLICT, error.to_string()),
            ActionError::Refused(why) => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, why),
            ActionError::Full(why) => Problem::busy(why),
            ActionError::Store(error) => Problem::from(error),
        }
    }
}

/// How long one request may take, its body included: a query's own bounds end before this, a client that sends a byte a
/// minute does not.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(120);

/// Bounds the time of every request.
pub(super) async fn in_bounded_time(request: Request, next: Next) -> Response {
    match world::timeout(REQUEST_TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(world::Elapsed) => Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "the request was not complete in time; send less at once",
        )
        .into_response(),
    }
}

/// Gives the framework's own refusals (a body that is no JSON, a wrong method, too large a body) the form of all others.
pub(super) async fn in_one_form(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    let is_json = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().ends_with(b"json"));
    if is_json || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (head, body) = response.into_parts();
    let text = to_bytes(body, REFUSAL_BYTES_MAX).await.unwrap_or_default();
    let detail = match String::from_utf8_lossy(&text) {
        text if text.is_empty() => status.canonical_reason().unwrap_or("refused").to_owned(),
        text => text.into_owned(),
    };
    let mut response = Problem::new(status, detail).into_response();
    if let Some(methods) = head.headers.get(header::ALLOW) {
        response
            .headers_mut()
            .insert(header::ALLOW, methods.clone());
    }
    response
}

/// An API address that does not exist.
pub(super) async fn no_such_address() -> Problem {
    Problem::not_found("there is no such address; docs/http-api.md lists them")
}
