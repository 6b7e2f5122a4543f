//! The webhook channel: an HTTP POST in Alertmanager's format, version 4, so that every receiver written for
//! Alertmanager understands it. (Source: Alertmanager, "Webhook receiver".)
//!
//! It may be signed: `x-belfry-signature: t=<unix seconds>,v1=<hex>`, where `v1` is the HMAC-SHA256 of `<t>.<body>` with the
//! shared key. The time is signed too, so that a receiver can refuse what somebody recorded and plays again.

use std::fmt::Write;

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use model::Timestamp;
use plan::SecretSource;
use sha2::Sha256;
use world::World;

use super::post::{pieces, post};
use super::{PageContext, payload};
use crate::setup::{Environment, read_secret};

/// The header of the signature.
const SIGNATURE: &str = "x-belfry-signature";

/// Where the secrets of a webhook come from.
pub(super) struct Secrets<'a> {
    pub(super) token: Option<&'a SecretSource>,
    pub(super) signing_key: Option<&'a SecretSource>,
}

/// Sends one page. Anything but a 2xx answer is a failure, described without the address (it may carry a token).
pub(super) async fn send(
    world: &World,
    environment: &Environment,
    url: &str,
    sources: Secrets<'_>,
    context: &PageContext<'_>,
) -> Result<String, String> {
    let body = Bytes::from(payload(context).to_string());
    let mut headers = HeaderMap::new();
    let key = context.page.idempotency_key();
    headers.insert(
        HeaderName::from_static("idempotency-key"),
        HeaderValue::from_str(&key).map_err(|_| "the idempotency key is not a header value")?,
    );
    let mut secrets: Vec<String> = pieces(url).into_iter().map(str::to_owned).collect();
    if let Some(source) = sources.token {
        let token = read_secret(source, &*world.disk, environment)?;
        let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
            .map_err(|_| "the token holds a character that a header cannot carry")?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
        secrets.push(token);
    }
    if let Some(source) = sources.signing_key {
        let key = read_secret(source, &*world.disk, environment)?;
        let now = Timestamp::from(world.clock.now()).as_millis() / 1_000;
        let value = signature(&key, now, &body)?;
        let value = HeaderValue::from_str(&value).map_err(|_| "the signature is no header")?;
        headers.insert(HeaderName::from_static(SIGNATURE), value);
        secrets.push(key);
    }
    let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
    let answer = post(world, url, headers, body, &secrets).await?;
    answer.accepted("the receiver")
}

/// The value of the signature's header.
fn signature(key: &str, unix_seconds: i64, body: &[u8]) -> Result<String, String> {
    if key.is_empty() {
        return Err("the signing key is empty".to_owned());
    }
    let mut hmac = Hmac::<Sha256>::new_from_slice(key.as_bytes())
        .map_err(|_| "the signing key cannot be used")?;
    hmac.update(format!("{unix_seconds}.").as_bytes());
    hmac.update(body);
    let mut value = format!("t={unix_seconds},v1=");
    for byte in hmac.finalize().into_bytes() {
        let _ = write!(value, "{byte:02x}");
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of `docs/contacts.md`, made there with Python's `hmac`.
    #[test]
    fn the_documented_vector() {
        let body = br#"{"version":"4","status":"firing"}"#;
        assert_eq!(
            signature("a shared key", 1_795_424_400, body).unwrap(),
            "t=1795424400,v1=382c9c09168a2f17151e8fcb644d672c6f84dddd58ff4ccbac5f9184107bc709"
        );
        assert!(signature("", 1, body).is_err());
    }
}
