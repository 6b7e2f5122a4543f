//! Who may ask: requests whose `Host` names this server and whose `Origin`, if any, is the server's own.
//!
//! Without this a web page anywhere could let a visitor's browser talk to a Belfry on the visitor's own machine
//! (DNS rebinding, cross-site requests). There is no sign-in on loopback, so this is the door.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::error::Problem;

/// What every answer says about what a browser may do with it.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The `Host` values that name this server.
#[derive(Clone, Debug)]
pub struct AllowedHosts(Vec<String>);

impl AllowedHosts {
    /// The names under which a loopback address is reached.
    pub fn of(listen: SocketAddr) -> AllowedHosts {
        let port = listen.port();
        let mut hosts: Vec<String> = [listen.to_string()].into();
        for name in ["localhost", "127.0.0.1", "[::1]"] {
            hosts.push(format!("{name}:{port}"));
        }
        AllowedHosts(hosts)
    }

    fn allows_host(&self, host: &str) -> bool {
        self.0
            .iter()
            .any(|allowed| allowed.eq_ignore_ascii_case(host))
    }

    fn allows_origin(&self, origin: &str) -> bool {
        origin
            .strip_prefix("http://")
            .is_some_and(|host| self.allows_host(host))
    }
}

pub(super) async fn guard(
    State(hosts): State<Arc<AllowedHosts>>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = match refuse(&hosts, &request) {
        Some(problem) => problem.into_response(),
        None => next.run(request).await,
    };
    harden(response.headers_mut());
    response
}

fn refuse(hosts: &AllowedHosts, request: &Request) -> Option<Problem> {
    let header = |name| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let host = header(header::HOST).or_else(|| {
        request
            .uri()
            .authority()
            .map(|authority| authority.as_str())
    });
    if !host.is_some_and(|host| hosts.allows_host(host)) {
        return Some(Problem::new(
            StatusCode::FORBIDDEN,
            "this server is not known under the name in `Host`",
        ));
    }
    let reads_only = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    match header(header::ORIGIN) {
        Some(origin) if !reads_only && !hosts.allows_origin(origin) => Some(Problem::new(
            StatusCode::FORBIDDEN,
            "requests from pages of another origin are refused",
        )),
        _ => None,
    }
}

fn harden(headers: &mut HeaderMap) {
    let pairs = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    for (name, value) in pairs {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn judges_host_and_origin() {
        let hosts = AllowedHosts::of("127.0.0.1:9765".parse().unwrap());
        let check = |method: Method, host: &str, origin: Option<&str>, allowed: bool| {
            let mut request = Request::builder()
                .method(method.clone())
                .uri("/")
                .header("host", host);
            if let Some(origin) = origin {
                request = request.header("origin", origin);
            }
            let request = request.body(axum::body::Body::empty()).unwrap();
            assert_eq!(
                refuse(&hosts, &request).is_none(),
                allowed,
                "{method} {host} {origin:?}"
            );
        };
        check(Method::GET, "127.0.0.1:9765", None, true);
        check(Method::GET, "LOCALHOST:9765", None, true);
        check(Method::GET, "evil.example:9765", None, false);
        check(Method::GET, "127.0.0.1:80", None, false);
        check(Method::POST, "127.0.0.1:9765", None, true);
        check(
            Method::POST,
            "127.0.0.1:9765",
            Some("http://localhost:9765"),
            true,
        );
        check(
            Method::POST,
            "127.0.0.1:9765",
            Some("http://evil.example"),
            false,
        );
        check(Method::POST, "127.0.0.1:9765", Some("null"), false);
        check(
            Method::GET,
            "127.0.0.1:9765",
            Some("http://evil.example"),
            true,
        );
    }
}
