//! Reading JSON bodies, bounded.

use std::error::Error;
use std::time::Duration;

use axum::body::{Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{StatusCode, header};
use http_body_util::LengthLimitError;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::problem::Problem;

/// The largest payload of a QR code has 2,953 bytes; a contact as JSON with its names is not ten times that.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// A client that takes longer is at fault itself: shorter than a request's bound, which would blame the service.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// Reads a request's body as JSON of one form.
pub(crate) async fn json<T: DeserializeOwned>(request: Request) -> Result<T, Problem> {
    check_media_type(&request)?;
    let bytes = read(request).await?;
    parse(&bytes)
}

/// Reads the body of a request that needs none: nothing, or an empty object. It must be called JSON all the same, because
/// another site's page cannot do that without being asked first.
pub(crate) async fn nothing(request: Request) -> Result<(), Problem> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Nothing {}

    check_media_type(&request)?;
    let bytes = read(request).await?;
    match bytes.is_empty() {
        true => Ok(()),
        false => parse(&bytes).map(|Nothing {}| ()),
    }
}

fn check_media_type(request: &Request) -> Result<(), Problem> {
    let media_type = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map(str::trim);
    if media_type.is_some_and(|media_type| media_type.eq_ignore_ascii_case("application/json")) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "not-json",
        "The body must be JSON",
        "send Content-Type: application/json",
    ))
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|error| {
        // The parser's words name places and field names, never values: a password may stand there.
        let words = match error.classify() {
            serde_json::error::Category::Data => shape_words(&error),
            serde_json::error::Category::Io
            | serde_json::error::Category::Syntax
            | serde_json::error::Category::Eof => "it is not JSON".to_owned(),
        };
        Problem::bad_request(format!(
            "line {}, column {}: {words}",
            error.line(),
            error.column()
        ))
    })
}

async fn read(request: Request) -> Result<Bytes, Problem> {
    let reading = to_bytes(request.into_body(), BODY_BYTES_MAX);
    let Ok(read) = world::timeout(BODY_TIMEOUT, reading).await else {
        return Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "body-too-slow",
            "The request's body did not arrive",
            format!("send it within {} s", BODY_TIMEOUT.as_secs()),
        ));
    };
    read.map_err(|error| {
        let is_too_long = error
            .source()
            .is_some_and(|cause| cause.is::<LengthLimitError>());
        match is_too_long {
            true => Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body-too-large",
                "The request's body is too large",
                format!("at most {BODY_BYTES_MAX} bytes"),
            ),
            false => Problem::bad_request("the body broke off"),
        }
    })
}

/// What is wrong with the shape. "invalid type" and "invalid value" quote what they found, so those are put plainly.
fn shape_words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    if text.starts_with("unknown field")
        || text.starts_with("missing field")
        || text.starts_with("duplicate field")
    {
        text.chars().take(300).collect()
    } else {
        "a value has the wrong type".to_owned()
    }
}
