//! Requests to other machines: scrapes, probes, pages.
//!
//! One client for all of them, because limits (time, size, redirects) then hold for all. Proxies from the environment are
//! ignored: a monitor that silently measures a proxy is worse than one that fails. Some addresses are refused
//! ([`HttpError::Forbidden`]), those in the URL before and those that a name resolves to while it connects: a name that was
//! checked earlier may have been pointed elsewhere since.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, StatusCode};
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::BoxFuture;
use crate::address::{Refused, permit_url, permitted};

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

/// Why a request got no whole answer. All but [`HttpError::BadRequest`] and [`HttpError::Forbidden`] are worth a retry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpError {
    /// The address or a header is invalid: fix the plan.
    BadRequest(String),
    /// The address is one that nothing may reach (link-local, metadata services, multicast): which, and why. Fix the plan;
    /// where a name resolves to it, somebody may be trying something.
    Forbidden(String),
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
            HttpError::Forbidden(_) => "forbidden",
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
            HttpError::Forbidden(why) => write!(f, "forbidden address: {why}"),
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
            .dns_resolver(Arc::new(PermittedOnly))
            .user_agent(concat!("belfry/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| HttpError::Connect(chain(&error)))?;
        Ok(Network { client })
    }

    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let limit = request.response_max;
        let url = checked_url(&request.url)?;
        let mut response = self
            .client
            .request(request.method, url)
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

/// A URL whose host, where it is an address, may be reached. The resolver is not asked for those.
///
/// # Errors
/// [`HttpError::BadRequest`] or [`HttpError::Forbidden`]; neither repeats the URL, which may carry a token.
pub(crate) fn checked_url(url: &str) -> Result<Url, HttpError> {
    let url = Url::parse(url).map_err(|error| HttpError::BadRequest(error.to_string()))?;
    permit_url(&url).map_err(|refused| HttpError::Forbidden(refused.to_string()))?;
    Ok(url)
}

/// The machine's resolver, without the addresses that nothing may reach.
struct PermittedOnly;

impl Resolve for PermittedOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // The port is the client's affair; zero stands for "the URL's".
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let addresses = permitted(found)?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

fn classify(error: reqwest::Error) -> HttpError {
    // The address may carry a token; what happened is enough.
    let error = error.without_url();
    if let Some(refused) = cause::<Refused>(&error) {
        HttpError::Forbidden(refused.to_string())
    } else if error.is_builder() {
        HttpError::BadRequest(chain(&error))
    } else if error.is_connect() {
        HttpError::Connect(chain(&error))
    } else {
        HttpError::Broken(chain(&error))
    }
}

fn cause<E: std::error::Error + 'static>(error: &dyn std::error::Error) -> Option<&E> {
    let mut next = error.source();
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A resolver whose names all point at one address, as a name that was pointed elsewhere does.
    struct Rebound(&'static str);

    impl Resolve for Rebound {
        fn resolve(&self, _name: Name) -> Resolving {
            let address = std::net::SocketAddr::new(self.0.parse().unwrap(), 0);
            Box::pin(async move {
                let addresses = permitted(std::iter::once(address))?;
                Ok(Box::new(addresses.into_iter()) as Addrs)
            })
        }
    }

    fn get(url: &str) -> HttpRequest {
        HttpRequest::get(url, Duration::from_secs(5), 1024)
    }

    #[tokio::test]
    async fn a_forbidden_address_is_refused_with_a_reason_of_its_own() {
        let net = Network::new().unwrap();
        let refused = net.http(get("http://0251.0376.0251.0376/latest?token=x"));
        let error = refused.await.unwrap_err();
        assert_eq!(error.reason(), "forbidden");
        assert_eq!(
            error.to_string(),
            "forbidden address: 169.254.169.254 is link-local, where clouds keep credentials"
        );
    }

    #[tokio::test]
    async fn a_name_that_resolves_to_one_is_refused_too() {
        let mut net = Network::new().unwrap();
        net.client = reqwest::Client::builder()
            .no_proxy()
            .dns_resolver(Arc::new(Rebound("169.254.169.254")))
            .build()
            .unwrap();
        let error = net
            .http(get("http://harmless.test/?token=x"))
            .await
            .unwrap_err();
        assert!(matches!(error, HttpError::Forbidden(_)), "{error:?}");
        assert!(!error.to_string().contains("token"), "{error}");
    }

    #[tokio::test]
    async fn names_of_this_machine_still_resolve() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let answering = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            tokio::io::AsyncReadExt::read(&mut stream, &mut request)
                .await
                .unwrap();
            let answer = b"HTTP/1.1 204 No Content\r\n\r\n";
            tokio::io::AsyncWriteExt::write_all(&mut stream, answer)
                .await
                .unwrap();
        });
        let net = Network::new().unwrap();
        let answer = net.http(get(&format!("http://localhost:{port}/"))).await;
        assert_eq!(answer.unwrap().status, StatusCode::NO_CONTENT);
        answering.await.unwrap();
    }

    #[tokio::test]
    async fn the_simulated_network_refuses_the_same() {
        let net = crate::sim::SimNet::default();
        net.host("169.254.169.254:80", |_| unreachable!());
        let error = net.http(get("http://169.254.169.254:80/")).await;
        assert_eq!(error.unwrap_err().reason(), "forbidden");
    }
}
