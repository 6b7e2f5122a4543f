//! Requests to other machines: scrapes, probes, pages.
//!
//! One client for all of them, because limits (time, size, redirects) then hold for all. Proxies from the environment are
//! ignored: a monitor that silently measures a proxy is worse than one that fails.

use std::fmt;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, StatusCode};

use crate::BoxFuture;

/// One request.
#[derive(Clone, Debug)]
pub struct HttpRequest {
    /// The method.
    pub method: Method,
    /// The absolute `http` or `https` address.
    pub url: String,
    /// Headers beside those that the client sets itself.
    pub headers: HeaderMap,
    /// The body; empty for none.
    pub body: Bytes,
    /// The bound for the whole exchange.
    pub timeout: Duration,
    /// The largest answer that is read, after decompression, in bytes.
    pub response_max: usize,
}

impl HttpRequest {
    /// A GET.
    pub fn get(url: &str, timeout: Duration, response_max: usize) -> HttpRequest {
        HttpRequest {
            method: Method::GET,
            url: url.to_owned(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            timeout,
            response_max,
        }
    }
}

/// One answer, read whole.
#[derive(Clone, Debug)]
pub struct HttpResponse {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, decompressed.
    pub body: Bytes,
}

/// Why a request got no whole answer. All but [`HttpError::BadRequest`] are worth a retry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpError {
    /// The address or a header is invalid: fix the plan.
    BadRequest(String),
    /// No connection: refused, unreachable, name not found, TLS.
    Connect(String),
    /// The time bound passed.
    Timeout(Duration),
    /// The answer passed its size bound.
    TooLarge {
        /// The bound, in bytes.
        limit: usize,
    },
    /// The connection broke or the peer does not speak HTTP.
    Broken(String),
}

impl HttpError {
    /// A short fixed word for metrics labels.
    pub fn reason(&self) -> &'static str {
        match self {
            HttpError::BadRequest(_) => "bad_request",
            HttpError::Connect(_) => "connect",
            HttpError::Timeout(_) => "timeout",
            HttpError::TooLarge { .. } => "too_large",
            HttpError::Broken(_) => "broken",
        }
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HttpError::BadRequest(why) => write!(f, "invalid request: {why}"),
            HttpError::Connect(why) => write!(f, "cannot connect: {why}"),
            HttpError::Timeout(bound) => write!(f, "no answer within {} ms", bound.as_millis()),
            HttpError::TooLarge { limit } => write!(f, "the answer is larger than {limit} bytes"),
            HttpError::Broken(why) => write!(f, "the connection broke: {why}"),
        }
    }
}

impl std::error::Error for HttpError {}

/// Requests to other machines.
pub trait Outbound: Send + Sync {
    /// Sends one request and reads its answer. Redirects are not followed: they come back as the answer.
    fn http(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>>;
}

/// The machine's network.
pub struct Network {
    client: reqwest::Client,
}

impl Network {
    /// A client with its own connection pool.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new() -> Result<Network, HttpError> {
        // Fails only when a provider is already installed, and then there is one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .user_agent(concat!("belfry/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| HttpError::Connect(chain(&error)))?;
        Ok(Network { client })
    }

    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let limit = request.response_max;
        let mut response = self
            .client
            .request(request.method, &request.url)
            .headers(request.headers)
            .body(request.body)
            .send()
            .await
            .map_err(classify)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(classify)? {
            if body.len() + chunk.len() > limit {
                return Err(HttpError::TooLarge { limit });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(HttpResponse {
            status,
            headers,
            body: body.freeze(),
        })
    }
}

impl Outbound for Network {
    fn http(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        Box::pin(async move {
            let bound = request.timeout;
            match crate::timeout(bound, self.exchange(request)).await {
                Ok(result) => result,
                Err(crate::Elapsed) => Err(HttpError::Timeout(bound)),
            }
        })
    }
}

fn classify(error: reqwest::Error) -> HttpError {
    // The address may carry a token; what happened is enough.
    let error = error.without_url();
    if error.is_builder() {
        HttpError::BadRequest(chain(&error))
    } else if error.is_connect() {
        HttpError::Connect(chain(&error))
    } else {
        HttpError::Broken(chain(&error))
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
