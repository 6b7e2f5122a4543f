//! Steps that reach outside: an HTTP call, a local program. Most of them change something.

use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use plan::{CommandStep, RequestStep};
use serde_json::{Value, json};
use world::{CommandRequest, HttpRequest, World};

use super::{Failure, Finding, Moment, one_line};
use crate::setup::{Environment, read_secret};

/// The most of an answer or of a program's output that is kept.
const ANSWER_BYTES_MAX: usize = 16 * 1024;
/// The most of an answer that is read: past it the step fails, because what it says is not known.
const ANSWER_READ_MAX: usize = 256 * 1024;

/// The HTTP call of a step.
pub(super) async fn request(
    world: &World,
    environment: &Environment,
    step: &RequestStep,
    timeout: Duration,
    moment: &Moment<'_>,
) -> Result<Finding, Failure> {
    let about = ("x-belfry-incident", moment.incident.id().0);
    call(world, environment, step, timeout, about).await
}

/// An HTTP call, with what it is about as a header. An answer other than 2xx is a failure; redirects are not followed, since
/// the plan names the address that is meant.
pub(super) async fn call(
    world: &World,
    environment: &Environment,
    step: &RequestStep,
    timeout: Duration,
    about: (&'static str, i64),
) -> Result<Finding, Failure> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(HeaderName::from_static(about.0), HeaderValue::from(about.1));
    if let Some(source) = &step.token {
        let secret = read_secret(source, &*world.disk, environment)?;
        let mut value = HeaderValue::from_str(&format!("Bearer {secret}"))
            .map_err(|_| "the token holds a character that a header cannot carry")?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    let method = step
        .method
        .parse()
        .map_err(|_| format!("{} is not a method", step.method))?;
    let response = world
        .net
        .http(HttpRequest {
            method,
            url: step.url.clone(),
            headers,
            body: Bytes::from(step.body.clone()),
            timeout,
            response_max: ANSWER_READ_MAX,
        })
        .await
        .map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&response.body);
    let status = response.status;
    let said = in_short(&text);
    if status.is_redirection() {
        return Err(format!(
            "{status}: redirects are not followed; write the address that is meant"
        ));
    }
    if !status.is_success() {
        return Err(one_line(&format!("{status}: {said}")));
    }
    Ok(Finding {
        summary: one_line(&format!("{status}: {said}")),
        detail: json!({
            "method": step.method,
            "url": step.url,
            "status": status.as_u16(),
            "answer": answer(&text),
        }),
    })
}

/// A local program. Any exit code but 0 is a failure; what it wrote to its standard error says why.
pub(super) async fn command(
    world: &World,
    step: &CommandStep,
    timeout: Duration,
    moment: &Moment<'_>,
) -> Result<Finding, Failure> {
    let head = &moment.incident.head;
    let environment = [
        ("BELFRY_INCIDENT", head.id.to_string()),
        ("BELFRY_ALERT", head.title.clone()),
        ("BELFRY_SEVERITY", head.severity.as_str().to_owned()),
    ];
    let output = world
        .commands
        .run(CommandRequest {
            argv: step.argv.clone(),
            stdin: Bytes::new(),
            environment: environment
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            timeout,
            output_max: ANSWER_BYTES_MAX,
        })
        .await
        .map_err(|error| error.to_string())?;
    let out = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    if !output.exit.is_success() {
        let why = first_line(&errors)
            .or(first_line(&out))
            .unwrap_or("no word why");
        return Err(one_line(&format!("{}: {why}", output.exit)));
    }
    Ok(Finding {
        summary: one_line(first_line(&out).unwrap_or("done, without a word")),
        detail: json!({"command": step.argv, "stdout": out, "stderr": errors}),
    })
}

fn first_line(text: &str) -> Option<&str> {
    text.lines().map(str::trim).find(|line| !line.is_empty())
}

/// What an answer says: the detail of problem details (RFC 9457), or its beginning.
fn in_short(text: &str) -> String {
    let parsed: Option<Value> = serde_json::from_str(text).ok();
    let detail = parsed.as_ref().and_then(|body| body["detail"].as_str());
    detail.unwrap_or(text).to_owned()
}

fn answer(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(body) if text.len() <= ANSWER_BYTES_MAX => body,
        Ok(_) | Err(_) => text
            .chars()
            .take(ANSWER_BYTES_MAX)
            .collect::<String>()
            .into(),
    }
}
