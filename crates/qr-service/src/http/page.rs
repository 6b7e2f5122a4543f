//! The page, and the list of types that its form is made from.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use qr::PayloadKind;
use serde_json::{Value, json};

use crate::app::App;
use crate::metrics::Feature;

/// Nothing from elsewhere, nothing inline; images that the script made itself.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(crate) async fn index(State(app): State<App>) -> Response {
    app.metrics.count_feature(Feature::Page);
    let mut response = text(
        include_str!("../../ui/index.html"),
        "text/html; charset=utf-8",
    );
    response.headers_mut().insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(POLICY),
    );
    response
}

pub(crate) async fn style() -> Response {
    text(include_str!("../../ui/app.css"), "text/css; charset=utf-8")
}

pub(crate) async fn script() -> Response {
    text(
        include_str!("../../ui/app.js"),
        "text/javascript; charset=utf-8",
    )
}

/// The types with their fields, as the `qr` crate knows them.
pub(crate) async fn types() -> Json<Value> {
    let types: Vec<Value> = PayloadKind::ALL
        .into_iter()
        .map(|kind| {
            let fields: Vec<Value> = qr::payload::fields(kind)
                .iter()
                .map(|field| json!({ "name": field.name, "required": field.required, "hint": field.hint }))
                .collect();
            json!({ "type": kind.as_str(), "fields": fields })
        })
        .collect();
    Json(json!({ "types": types }))
}

fn text(content: &'static str, content_type: &'static str) -> Response {
    let mut response = content.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    // Part of the program: asked again after every deployment.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}
