//! What every channel over HTTP does: one POST of JSON, bounded in time and size, its answer in a few words.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Method, StatusCode};
use world::{HttpRequest, World};

use super::ATTEMPT_TIMEOUT;
use super::message::one_line;

/// The most of a receiver's answer that is read. All that is wanted of it is a sentence.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// The most of it that is passed on, in characters: a line of a delivery log.
const SAID_CHARS_MAX: usize = 200;

/// The shortest piece of an address that is kept out of what is told. Shorter ones (`api`, `hook`) are no secrets.
const SECRET_PIECE_CHARS_MIN: usize = 6;

/// A receiver's answer.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// Its body as one short line.
    pub(super) said: String,
}

/// Posts JSON. Neither the answer nor an error holds one of the `secrets`, even where the receiver repeats them.
///
/// # Errors
/// A sentence, when there was no whole answer.
pub(super) async fn post(
    world: &World,
    url: &str,
    mut headers: HeaderMap,
    body: Bytes,
    secrets: &[&str],
) -> Result<Answer, String> {
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let request = HttpRequest {
        method: Method::POST,
        url: url.to_owned(),
        headers,
        body,
        timeout: ATTEMPT_TIMEOUT,
        response_max: ANSWER_BYTES_MAX,
    };
    let response = world.net.http(request).await;
    let response = response.map_err(|error| without(&error.to_string(), secrets))?;
    let text = String::from_utf8_lossy(&response.body);
    Ok(Answer {
        status: response.status,
        said: one_line(&without(&text, secrets), SAID_CHARS_MAX),
    })
}

impl Answer {
    /// A receipt for a 2xx answer.
    ///
    /// # Errors
    /// A sentence for every other one: a redirect is not followed, since the page would go to who knows whom.
    pub(super) fn accepted(self, receiver: &str) -> Result<String, String> {
        let words = [self.status.to_string(), self.said];
        let words: Vec<&str> = words
            .iter()
            .map(String::as_str)
            .filter(|text| !text.is_empty())
            .collect();
        let words = words.join(": ");
        if self.status.is_success() {
            Ok(words)
        } else {
            Err(format!("{receiver} answered {words}"))
        }
    }
}

/// The pieces of an address that may be secrets: a token stands in a path or a query, and a receiver that repeats it need
/// not repeat the rest. The longest come first, so that none is cut by a shorter one.
pub(super) fn pieces(url: &str) -> Vec<&str> {
    let after_host = url
        .split_once("://")
        .and_then(|(_, rest)| rest.find(['/', '?']).map(|at| &rest[at..]))
        .unwrap_or("");
    let mut pieces: Vec<&str> = after_host.split(['/', '?', '&', '=', '#']).collect();
    pieces.retain(|piece| piece.chars().count() >= SECRET_PIECE_CHARS_MIN);
    pieces.extend([url, after_host].into_iter().filter(|own| own.len() > 1));
    pieces.sort_by_key(|piece| std::cmp::Reverse(piece.len()));
    pieces
}

/// A text without secrets.
pub(super) fn without(text: &str, secrets: &[&str]) -> String {
    let mut clean = text.to_owned();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        clean = clean.replace(secret, "…");
    }
    clean
}
