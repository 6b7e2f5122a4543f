//! `GET` and `POST /api/v1/qr`: a QR code.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use qr::{PayloadKind, RenderError};
use serde::Deserialize;
use std::collections::BTreeMap;

use super::observe::Context;
use super::problem::{self, Problem};
use crate::app::App;
use crate::cache::{Image, ImageKey};
use crate::generate::{Asked, CodeRequest, MakeError};
use crate::metrics::Feature;

/// How long a browser may keep an image: it never changes for one version of the service.
const KEEP_SECONDS: u32 = 86_400;

/// What `POST` takes. Numbers and texts are taken alike, because forms send texts.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CodeBody {
    r#type: Option<String>,
    data: Option<String>,
    #[serde(default)]
    fields: BTreeMap<String, Scalar>,
    format: Option<String>,
    size: Option<Scalar>,
    ec: Option<String>,
    quiet_zone: Option<Scalar>,
    dark: Option<String>,
    light: Option<String>,
    image_title: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Number(serde_json::Number),
    Bool(bool),
}

impl Scalar {
    fn into_text(self) -> String {
        match self {
            Scalar::Text(text) => text,
            Scalar::Number(number) => number.to_string(),
            Scalar::Bool(flag) => flag.to_string(),
        }
    }
}

impl From<CodeBody> for Asked {
    fn from(body: CodeBody) -> Asked {
        Asked {
            kind: body.r#type,
            data: body.data,
            fields: body
                .fields
                .into_iter()
                .map(|(name, value)| (name, value.into_text()))
                .collect(),
            format: body.format,
            size: body.size.map(Scalar::into_text),
            ec: body.ec,
            quiet_zone: body.quiet_zone.map(Scalar::into_text),
            dark: body.dark,
            light: body.light,
            image_title: body.image_title,
        }
    }
}

pub(crate) async fn get(
    State(app): State<App>,
    Extension(context): Extension<Context>,
    headers: HeaderMap,
    pairs: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(pairs) =
        pairs.map_err(|_| Problem::bad_request("the query string is not form-encoded"))?;
    let (request, image) = match look(&app, &context, Asked::from_pairs(pairs), &headers).await? {
        Found::Image(request, image) => (request, image),
        Found::Unchanged(request) => {
            app.metrics.count_feature(Feature::Conditional);
            let response = StatusCode::NOT_MODIFIED.into_response();
            return Ok(with_caching(response, &request));
        }
    };
    Ok(with_caching(image_response(&request, image), &request))
}

pub(crate) async fn post(
    State(app): State<App>,
    Extension(context): Extension<Context>,
    request: Request,
) -> Result<Response, Problem> {
    let body: CodeBody = super::body::json(request).await?;
    // What is posted is not a resource with an address: nothing may keep it, and nothing is compared.
    match look(&app, &context, body.into(), &HeaderMap::new()).await? {
        Found::Image(request, image) => {
            let mut response = image_response(&request, image);
            response.headers_mut().insert(header::ETAG, etag(&request));
            Ok(response)
        }
        Found::Unchanged(_) => Err(Problem::internal("a POST was compared with nothing")),
    }
}

enum Found {
    Image(CodeRequest, Image),
    /// The caller has it already.
    Unchanged(CodeRequest),
}

/// Checks what is asked, takes it from the cache or makes it, and counts it.
async fn look(
    app: &App,
    context: &Context,
    asked: Asked,
    headers: &HeaderMap,
) -> Result<Found, Problem> {
    let used = asked.clone();
    let request = asked.check()?;
    if matches_etag(headers, &etag(&request)) {
        return Ok(Found::Unchanged(request));
    }
    let start = app.world.clock.monotonic();
    let key = request.key();
    let (image, is_cached) = match from_cache(app, context, &key) {
        Some(image) => (image, true),
        None => (make(app, context, &request, key).await?, false),
    };
    app.metrics.count_generated(request.kind);
    for feature in used.features(request.format) {
        app.metrics.count_feature(feature);
    }
    let length = app.world.clock.monotonic().saturating_sub(start);
    app.logger
        .info("qr code generated")
        .request(&context.id)
        .field("type", request.kind.as_str())
        .field("format", request.format.as_str())
        .field("version", u32::from(image.version))
        .field("ec", image.ec_level)
        .field("bytes", image.bytes.len())
        .field("cached", is_cached)
        .field("duration_ms", length.as_secs_f64() * 1000.0)
        .emit();
    Ok(Found::Image(request, image))
}

fn from_cache(app: &App, context: &Context, key: &ImageKey) -> Option<Image> {
    let forget = app.faults.is_miss_due(&app.world);
    let found = app.cache.get(key, forget);
    let (level, message) = match &found {
        Ok(Some(_)) => (telemetry::log::Level::Debug, "cache hit"),
        Ok(None) => (telemetry::log::Level::Warn, "cache miss"),
        Err(_) => (telemetry::log::Level::Error, "the cache failed"),
    };
    app.logger
        .event(level, message)
        .request(&context.id)
        .field("operation", "get")
        .field("image", short(key))
        .emit();
    // A broken cache costs time, not the answer.
    found.ok().flatten()
}

async fn make(
    app: &App,
    context: &Context,
    request: &CodeRequest,
    key: ImageKey,
) -> Result<Image, Problem> {
    let turn = app.generations.turn().await;
    let start = app.world.clock.monotonic();
    let work = request.clone();
    let made = app
        .world
        .run_blocking(move || {
            // The turn is the work's, not the caller's: a caller who leaves does not end the work.
            let _turn = turn;
            work.make()
        })
        .await;
    let length = app.world.clock.monotonic().saturating_sub(start);
    let image = made.map_err(refusal)?;
    app.metrics.generation_seconds.observe_duration(length);
    let is_kept = app.cache.put(key, image.clone());
    app.logger
        .debug("image made")
        .request(&context.id)
        .field("operation", "put")
        .field("image", short(&key))
        .field("generation_ms", length.as_secs_f64() * 1000.0)
        .field("bytes", image.bytes.len())
        .field("kept", is_kept == Ok(true))
        .emit();
    Ok(image)
}

fn refusal(error: MakeError) -> Problem {
    match error {
        MakeError::TooLong(_) => Problem {
            kind: problem::TOO_LONG,
            title: "The data does not fit in a QR code",
            detail: error.to_string().into(),
            ..Problem::field("data", "")
        },
        MakeError::Encode(_) => Problem::field("data", &error.to_string()),
        MakeError::Render(cause) => {
            let field = match cause {
                RenderError::TooLarge { .. } | RenderError::TooSmall { .. } => "size",
                RenderError::QuietZone => "quiet_zone",
                RenderError::SameColour => "dark",
                RenderError::Title => "image_title",
            };
            Problem::field(field, &cause.to_string())
        }
    }
}

fn image_response(request: &CodeRequest, image: Image) -> Response {
    let name = format!(
        "inline; filename=\"qr-{}.{}\"",
        request.kind,
        request.format.as_str()
    );
    let mut response = image.bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(request.format.content_type()),
    );
    // Made of two closed sets of plain words.
    if let Ok(name) = HeaderValue::from_str(&name) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    response
}

fn with_caching(mut response: Response, request: &CodeRequest) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::ETAG, etag(request));
    // What may hold a secret or a person stays in the one browser.
    let scope = match request.kind {
        PayloadKind::Url | PayloadKind::Text | PayloadKind::Geo => "public",
        PayloadKind::Wifi
        | PayloadKind::Vcard
        | PayloadKind::Email
        | PayloadKind::Sms
        | PayloadKind::Phone
        | PayloadKind::Event => "private",
    };
    if let Ok(value) = HeaderValue::from_str(&format!("{scope}, max-age={KEEP_SECONDS}")) {
        headers.insert(header::CACHE_CONTROL, value);
    }
    response
}

fn etag(request: &CodeRequest) -> HeaderValue {
    let digest = &request.key().0[..16];
    let text: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    HeaderValue::from_str(&format!("\"{text}\""))
        .expect("hexadecimal digits in quotes are a header value")
}

fn matches_etag(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    let Ok(etag) = etag.to_str() else {
        return false;
    };
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .any(|known| known.trim().trim_start_matches("W/") == etag)
}

/// Enough of a key to find it again in the log; it tells nothing of the data.
fn short(key: &ImageKey) -> String {
    key.0[..6]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
