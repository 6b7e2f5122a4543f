//! One request to a running Belfry, for the commands that show an answer.

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
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let answer = runtime.block_on(ask(url, path, parameters))?;
    show(&answer);
    Ok(ExitCode::SUCCESS)
}

/// Posts JSON to `path` of the Belfry at `url`; its answer.
pub(super) fn post(url: &str, path: &str, body: &Value) -> anyhow::Result<Value> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let address = format!("{}{path}", url.trim_end_matches('/'));
    let mut request = HttpRequest::get(&address, TIMEOUT, ANSWER_BYTES_MAX);
    request.method = Method::POST;
    request
        .headers
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    request.body = body.to_string().into();
    runtime.block_on(answer(url, request))
}

async fn ask(url: &str, path: &str, parameters: &[(&str, &str)]) -> anyhow::Result<Value> {
    let address = format!(
        "{}{path}?{}",
        url.trim_end_matches('/'),
        serde_urlencoded::to_string(parameters)?
    );
    answer(url, HttpRequest::get(&address, TIMEOUT, ANSWER_BYTES_MAX)).await
}

async fn answer(url: &str, request: HttpRequest) -> anyhow::Result<Value> {
    let world = World::real().context("cannot set up the network")?;
    let response = world
        .net
        .http(request)
        .await
        .with_context(|| format!("is Belfry running at {url}?"))?;
    let answer: Value = serde_json::from_slice(&response.body).context("the answer is not JSON")?;
    if !response.status.is_success() {
        let why = answer["detail"].as_str().or(answer["error"].as_str());
        bail!("{}", why.unwrap_or("Belfry refused the request"));
    }
    Ok(answer)
}
