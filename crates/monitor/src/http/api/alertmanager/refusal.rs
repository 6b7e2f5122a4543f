//! Refusals in the form that Alertmanager's clients read: a JSON string. Problem details, as everywhere else, would show as
//! "no consumer" in `amtool`.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::http::api::parameters::BadParameter;
use crate::incident::{ActionError, IncidentStoreError};

/// Why a request was not done.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    why: String,
}

impl Refusal {
    pub(super) fn bad_request(why: impl Into<String>) -> Refusal {
        Refusal {
            status: StatusCode::BAD_REQUEST,
            why: why.into(),
        }
    }

    pub(super) fn not_found(why: impl Into<String>) -> Refusal {
        Refusal {
            status: StatusCode::NOT_FOUND,
            why: why.into(),
        }
    }

    /// No room, or the store failed: the sender tries again.
    pub(super) fn unavailable(why: impl Into<String>) -> Refusal {
        Refusal {
            status: StatusCode::SERVICE_UNAVAILABLE,
            why: why.into(),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(self.why)).into_response()
    }
}

impl From<BadParameter> for Refusal {
    fn from(bad: BadParameter) -> Refusal {
        Refusal::bad_request(bad.0)
    }
}

impl From<IncidentStoreError> for Refusal {
    fn from(error: IncidentStoreError) -> Refusal {
        Refusal::unavailable(error.to_string())
    }
}

impl From<ActionError> for Refusal {
    fn from(error: ActionError) -> Refusal {
        match error {
            ActionError::NotFound => Refusal::not_found(error.to_string()),
            ActionError::Resolved | ActionError::Refused(_) => {
                Refusal::bad_request(error.to_string())
            }
            ActionError::Full(_) | ActionError::Store(_) => Refusal::unavailable(error.to_string()),
        }
    }
}
