//! The webhook channel: an HTTP POST in Alertmanager's format, version 4, so that every receiver written for
//! Alertmanager understands it. (Source: Alertmanager, "Webhook receiver".)

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use plan::SecretSource;
use world::{HttpRequest, World};

use super::{PageContext, payload};
use crate::setup::{Environment, read_secret};

/// How long one attempt may take. A receiver that hangs is tried again; a longer wait would only delay the retry.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

/// The most of a receiver's answer that is read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Sends one page. Anything but a 2xx answer is a failure, described without the address (it may carry a token).
pub(super) async fn send(
    world: &World,
    environment: &Environment,
    url: &str,
    token: Option<&SecretSource>,
    context: &PageContext<'_>,
) -> Result<String, String> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let key = context.page.idempotency_key();
    headers.insert(
        HeaderName::from_static("idempotency-key"),
        HeaderValue::from_str(&key).map_err(|_| "the idempotency key is not a header value")?,
    );
    if let Some(source) = token {
        let secret = read_secret(source, &*world.disk, environment)?;
        let mut value = HeaderValue::from_str(&format!("Bearer {secret}"))
            .map_err(|_| "the token holds a character that a header cannot carry")?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    let request = HttpRequest {
        method: Method::POST,
        url: url.to_owned(),
        headers,
        body: Bytes::from(payload(context).to_string()),
        timeout: ATTEMPT_TIMEOUT,
        response_max: ANSWER_BYTES_MAX,
    };
    match world.net.http(request).await {
        Ok(response) if response.status.is_success() => Ok(response.status.to_string()),
        Ok(response) => Err(format!("the receiver answered {}", response.status)),
        Err(error) => Err(error.to_string()),
    }
}
