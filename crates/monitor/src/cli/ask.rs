//! One request to a running Belfry, for the commands that show an answer: JSON that they lay out, or text as it is.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method};
use serde_json::Value;
use world::{HttpRequest, World};

/// Longer than any query's own bounds.
const TIMEOUT: Duration = Duration::from_secs(130);
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// Asks `path` of the Belfry at `url` and shows the answer.
pub(super) fn ask_and_show(
    url: &str,
    path: &str,
    parameters: &[(&str, &str)],
    show: impl FnOnce(&Value),
) -> anyhow::Result<ExitCode> {
    show(&ask(url, path, parameters)?);
    Ok(ExitCode::SUCCESS)
}

/// Asks `path` of the Belfry at `url`; its answer.
pub(super) fn ask(url: &str, path: &str, parameters: &[(&str, &str)]) -> anyhow::Result<Value> {
    json(&ask_for_text(url, path, parameters)?)
}

/// Asks `path` of the Belfry at `url`; its answer as it is.
pub(super) fn ask_for_text(
    url: &str,
    path: &str,
    parameters: &[(&str, &str)],
) -> anyhow::Result<String> {
    let address = format!(
        "{}{path}?{}",
        url.trim_end_matches('/'),
        serde_urlencoded::to_string(parameters)?
    );
    answer(url, HttpRequest::get(&address, TIMEOUT, ANSWER_BYTES_MAX))
}

/// Posts JSON to `path` of the Belfry at `url`; its answer.
pub(super) fn post(url: &str, path: &str, body: &Value) -> anyhow::Result<Value> {
    let address = format!("{}{path}", url.trim_end_matches('/'));
    let mut request = HttpRequest::get(&address, TIMEOUT, ANSWER_BYTES_MAX);
    request.method = Method::POST;
    request
        .headers
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    request.body = body.to_string().into();
    json(&answer(url, request)?)
}

fn json(text: &str) -> anyhow::Result<Value> {
    serde_json::from_str(text).context("the answer is not JSON")
}

fn answer(url: &str, request: HttpRequest) -> anyhow::Result<String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let response = runtime.block_on(async {
        let world = World::real().context("cannot set up the network")?;
        let sent = world.net.http(request).await;
        sent.with_context(|| format!("is Belfry running at {url}?"))
    })?;
    if !response.status.is_success() {
        let answer: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let why = answer["detail"].as_str().or(answer["error"].as_str());
        bail!("{}", why.unwrap_or("Belfry refused the request"));
    }
    String::from_utf8(response.body.to_vec()).context("the answer is not text")
}
