//! Errors as problem details (RFC 9457): a short message for the caller; the log has the rest.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::incident::{ActionError, IncidentStoreError};
use crate::logs::LogsError;
use crate::metrics::BackendError;

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
            ActionError::Store(error) => Problem::from(error),
        }
    }
}

/// An API address that does not exist.
pub(super) async fn no_such_address() -> Problem {
    Problem::not_found("there is no such address; docs/http-api.md lists them")
}
