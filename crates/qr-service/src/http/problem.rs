//! How a request is refused: problem details (RFC 9457) with the request's id.
//!
//! A handler returns a [`Problem`]; the body is written once, by the layer that knows the request's id. The cause goes to
//! the log alone.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::database::DatabaseError;
use crate::generate::InvalidField;
use crate::passwords::Busy;

/// Seconds after which a request may be tried again when the service itself is short of something.
const RETRY_AFTER_S: u64 = 5;

/// Why a request was refused or failed. Boxed texts keep it small enough to be an ordinary error.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    /// Names the kind of problem; part of the API.
    pub(crate) kind: &'static str,
    pub(crate) title: &'static str,
    /// For the user; holds nothing that the user did not send.
    pub(crate) detail: Box<str>,
    /// The field that is wrong, where one is.
    pub(crate) field: Option<Box<str>>,
    pub(crate) retry_after_s: Option<u64>,
    /// How the caller may show who it is (`WWW-Authenticate`).
    pub(crate) challenge: Option<&'static str>,
    /// For the log only.
    pub(crate) cause: Option<Box<str>>,
}

pub(crate) const TOO_LONG: &str = "data-too-long";

impl Problem {
    pub(crate) fn new(
        status: StatusCode,
        kind: &'static str,
        title: &'static str,
        detail: impl Into<Box<str>>,
    ) -> Problem {
        Problem {
            status,
            kind,
            title,
            detail: detail.into(),
            field: None,
            retry_after_s: None,
            challenge: None,
            cause: None,
        }
    }

    pub(crate) fn bad_request(detail: impl Into<Box<str>>) -> Problem {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "malformed-request",
            "The request cannot be read",
            detail,
        )
    }

    pub(crate) fn field(field: impl Into<Box<str>>, rule: &str) -> Problem {
        let field = field.into();
        let mut problem = Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid-field",
            "A field cannot be used",
            format!("{field}: {rule}"),
        );
        problem.field = Some(field);
        problem
    }

    pub(crate) fn not_signed_in() -> Problem {
        Problem::new(
            StatusCode::UNAUTHORIZED,
            "not-signed-in",
            "You are not signed in",
            "sign in with POST /api/v1/sessions first",
        )
    }

    pub(crate) fn internal(cause: impl Into<Box<str>>) -> Problem {
        let mut problem = Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "The service failed",
            "this is not your fault; give the request id when you report it",
        );
        problem.cause = Some(cause.into());
        problem
    }

    pub(crate) fn unavailable(cause: impl Into<Box<str>>) -> Problem {
        let mut problem = Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "The service cannot do this now",
            "try again in a few seconds",
        );
        problem.retry_after_s = Some(RETRY_AFTER_S);
        problem.cause = Some(cause.into());
        problem
    }

    /// The body, with the request's id.
    pub(crate) fn body(&self, request_id: &str) -> String {
        let mut body = json!({
            "type": format!("urn:qr-service:problem:{}", self.kind),
            "title": self.title,
            "status": self.status.as_u16(),
            "detail": self.detail,
            "request_id": request_id,
        });
        if let Some(field) = &self.field {
            body["field"] = json!(field);
        }
        body.to_string()
    }

    /// What stands for a refusal that the framework made.
    pub(crate) fn of_status(status: StatusCode) -> Problem {
        match status {
            StatusCode::NOT_FOUND => Problem::new(
                status,
                "not-found",
                "There is nothing here",
                "no such path; the API begins with /api/v1/",
            ),
            StatusCode::METHOD_NOT_ALLOWED => Problem::new(
                status,
                "method-not-allowed",
                "This path takes other methods",
                "see the Allow header",
            ),
            StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
                status,
                "body-too-large",
                "The request's body is too large",
                "send less",
            ),
            _ => Problem::new(
                status,
                "refused",
                "The request was refused",
                status.canonical_reason().unwrap_or("refused"),
            ),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status;
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(seconds) = self.retry_after_s {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(challenge) = self.challenge {
            response.headers_mut().insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static(challenge),
            );
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<InvalidField> for Problem {
    fn from(error: InvalidField) -> Problem {
        Problem::field(error.field, &error.rule)
    }
}

impl From<DatabaseError> for Problem {
    fn from(error: DatabaseError) -> Problem {
        Problem::unavailable(error.whole())
    }
}

impl From<Busy> for Problem {
    fn from(_: Busy) -> Problem {
        Problem::unavailable("too many sign-ins wait for their turn")
    }
}

pub(crate) async fn no_such_route() -> Problem {
    Problem::of_status(StatusCode::NOT_FOUND)
}
