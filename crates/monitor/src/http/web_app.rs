//! The web app, embedded at build time. Every address that is not an API's or a file's gets the app's page: its own
//! router shows what the address names.

use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "ui/dist"]
#[allow_missing = true]
struct Assets;

/// What is shown where the app was not built: the one stub of this program.
const NOT_BUILT: &str = "<!doctype html><html lang=en><meta charset=utf-8><title>Belfry</title>\
<h1>Belfry runs; its web app is not in this build</h1>\
<p>This binary was built without Node. Build the app with <code>make ui</code>, then build Belfry again.</p>\
<p>The API works: <a href=/api/belfry/v1/overview>overview</a>, <a href=/api/v1/alerts>alerts</a>, <a href=/metrics>metrics</a>.</p>";

pub(super) async fn serve(uri: Uri) -> Response {
    let path = uri.path().trim_start_matches('/');
    if let Some(file) = Assets::get(path).filter(|_| path != "index.html") {
        let kind = HeaderValue::from_str(file.metadata.mimetype())
            .unwrap_or(HeaderValue::from_static("application/octet-stream"));
        // Names under assets/ hold a hash of their content.
        let caching = if path.starts_with("assets/") {
            "public, max-age=31536000, immutable"
        } else {
            "no-cache"
        };
        let headers = [
            (header::CONTENT_TYPE, kind),
            (header::CACHE_CONTROL, HeaderValue::from_static(caching)),
        ];
        return (headers, file.data).into_response();
    }
    if path.starts_with("assets/") {
        return StatusCode::NOT_FOUND.into_response();
    }
    let page = match Assets::get("index.html") {
        Some(page) => String::from_utf8_lossy(&page.data).into_owned(),
        None => NOT_BUILT.to_owned(),
    };
    ([(header::CACHE_CONTROL, "no-cache")], Html(page)).into_response()
}
