//! Who may come in: bounds of the head, the request's origin, the session, the rate limits.

use axum::http::request::Parts as Head;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use telemetry::Counter;
use telemetry::log::Level;

use super::admin;
use super::observe::Context;
use super::problem::Problem;
use crate::app::App;
use crate::rate_limit::{Verdict, network};
use crate::routes::Route;
use crate::sessions::{self, Session, Token};

/// A query string holds a whole contact with room to spare; longer data goes into a body.
const URI_BYTES_MAX: usize = 8 * 1024;
const HEADER_BYTES_MAX: usize = 16 * 1024;
pub(crate) const COOKIE: &str = "qr_session";
pub(crate) const SECURITY: &str = "security";

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Who asks.
#[derive(Clone, Debug)]
pub(crate) enum Identity {
    Anonymous,
    User(Session),
    /// There is a cookie, and the database cannot be asked. Public things go on as for anyone.
    Unknown(String),
}

impl Identity {
    /// The session that this request needs.
    pub(crate) fn session(&self) -> Result<&Session, Problem> {
        match self {
            Identity::User(session) => Ok(session),
            Identity::Anonymous => Err(Problem::not_signed_in()),
            Identity::Unknown(why) => Err(Problem::unavailable(why.as_str())),
        }
    }
}

/// A request that came in.
pub(crate) struct Admitted {
    pub(crate) identity: Identity,
    limit: Option<(&'static str, Verdict)>,
}

/// A refusal, with what is known of the limit. Boxed, because it is rare and large.
pub(crate) type Refusal = Box<(Problem, Option<Admitted>)>;

impl Admitted {
    /// Tells the caller how much is left (draft-ietf-httpapi-ratelimit-headers).
    pub(crate) fn add_headers(&self, headers: &mut HeaderMap) {
        let Some((scope, verdict)) = &self.limit else {
            return;
        };
        let rate = verdict.rate;
        let window = (f64::from(rate.burst) / rate.per_second).ceil().max(1.0);
        let policy = format!("\"{scope}\";q={};w={window}", rate.burst);
        let state = format!(
            "\"{scope}\";r={};t={}",
            verdict.remaining, verdict.retry_after_s
        );
        for (name, value) in [(RATE_LIMIT_POLICY, policy), (RATE_LIMIT, state)] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
    }
}

pub(crate) async fn admit(app: &App, context: &Context, head: &Head) -> Result<Admitted, Refusal> {
    let refuse = |problem| Err(Box::new((problem, None)));
    if let Some(problem) = head_problem(head) {
        return refuse(problem);
    }
    if is_from_elsewhere(head, context.route) {
        log_refusal(app, context, "request from another site");
        return refuse(Problem::new(
            StatusCode::FORBIDDEN,
            "cross-site",
            "The request comes from another site",
            "requests that change something must come from the service's own page, or from a program",
        ));
    }
    if context.route.is_admin()
        && let Err(problem) = admin::authorise(app, context, head)
    {
        return refuse(problem);
    }
    if !context.route.is_limited() {
        return Ok(Admitted {
            identity: Identity::Anonymous,
            limit: None,
        });
    }
    let identity = identify(app, &head.headers).await;
    let admitted = limit(app, context, head, identity);
    match &admitted.limit {
        Some((scope, verdict)) if !verdict.is_allowed => {
            let problem = too_many(verdict);
            count_and_log_limit(app, context, scope);
            Err(Box::new((problem, Some(admitted))))
        }
        Some(_) | None => Ok(admitted),
    }
}

fn head_problem(head: &Head) -> Option<Problem> {
    let uri_bytes = head
        .uri
        .path_and_query()
        .map_or(0, |path| path.as_str().len());
    if uri_bytes > URI_BYTES_MAX {
        return Some(Problem::new(
            StatusCode::URI_TOO_LONG,
            "uri-too-long",
            "The address is too long",
            format!("at most {URI_BYTES_MAX} bytes; send long data with POST"),
        ));
    }
    let header_bytes: usize = head
        .headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    (header_bytes > HEADER_BYTES_MAX).then(|| {
        Problem::new(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "headers-too-large",
            "The headers are too large",
            format!("at most {HEADER_BYTES_MAX} bytes together"),
        )
    })
}

/// Whether a browser says that another site's page sends a request that changes something. The cookie is SameSite=Strict;
/// this holds where a browser is too old for that. What is for operators no other site's page has any reason to ask at
/// all: those routes are held to it for every method.
fn is_from_elsewhere(head: &Head, route: Route) -> bool {
    let is_reading = matches!(head.method, Method::GET | Method::HEAD | Method::OPTIONS);
    if is_reading && !route.is_admin() {
        return false;
    }
    let text = |name: HeaderName| head.headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text(FETCH_SITE) {
        return !matches!(site, "same-origin" | "none");
    }
    match (text(header::ORIGIN), text(header::HOST)) {
        (Some(origin), Some(host)) => origin
            .split_once("://")
            .is_none_or(|(_, authority)| !authority.eq_ignore_ascii_case(host)),
        (Some(_), None) => true,
        (None, _) => false,
    }
}

async fn identify(app: &App, headers: &HeaderMap) -> Identity {
    let Some(token) = token(headers) else {
        return Identity::Anonymous;
    };
    let found = sessions::find(&app.database, &token, app.now_ms(), app.session_length_ms()).await;
    match found {
        Ok(Some(session)) => {
            app.active_users
                .note(session.account_id, app.world.clock.monotonic());
            Identity::User(session)
        }
        Ok(None) => Identity::Anonymous,
        Err(error) => Identity::Unknown(error.whole()),
    }
}

/// The session token of a request's cookies.
pub(crate) fn token(headers: &HeaderMap) -> Option<Token> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .and_then(|(_, value)| Token::parse(value))
}

fn limit(app: &App, context: &Context, head: &Head, identity: Identity) -> Admitted {
    let now = app.world.clock.monotonic();
    let is_sign_in =
        head.method == Method::POST && matches!(context.route, Route::Accounts | Route::Sessions);
    let address = network(context.peer);
    let (scope, verdict) = match &identity {
        _ if is_sign_in => ("sign_in", app.limit_sign_in.take(address, now)),
        Identity::User(session) => (
            "session",
            app.limit_session.take(session.public_id.clone(), now),
        ),
        Identity::Anonymous | Identity::Unknown(_) => {
            ("address", app.limit_address.take(address, now))
        }
    };
    Admitted {
        identity,
        limit: verdict.map(|verdict| (scope, verdict)),
    }
}

fn too_many(verdict: &Verdict) -> Problem {
    let mut problem = Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "rate-limited",
        "Too many requests",
        format!("try again in {} s", verdict.retry_after_s),
    );
    problem.retry_after_s = Some(verdict.retry_after_s);
    problem
}

fn count_and_log_limit(app: &App, context: &Context, scope: &'static str) {
    let metrics = &app.metrics;
    let counter: &Counter = match scope {
        "session" => &metrics.limited_session,
        "sign_in" => &metrics.limited_sign_in,
        _ => &metrics.limited_address,
    };
    counter.inc();
    app.logger
        .event_of(Level::Warn, SECURITY, "rate limit reached")
        .request(&context.id)
        .field("scope", scope)
        .field("peer", context.peer.to_string())
        .field("route", context.route.template())
        .emit();
}

/// Logs that someone was refused for who they are or where they come from.
pub(crate) fn log_refusal(app: &App, context: &Context, reason: &str) {
    app.logger
        .event_of(Level::Warn, SECURITY, "authorisation refused")
        .request(&context.id)
        .field("reason", reason)
        .field("peer", context.peer.to_string())
        .field("route", context.route.template())
        .emit();
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    #[test]
    fn origins() {
        let check = |method: &str, headers: &[(&str, &str)], expect: bool| {
            let mut request = Request::builder().method(method).uri("/");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let (head, ()) = request.body(()).unwrap().into_parts();
            let is_refused = is_from_elsewhere(&head, Route::Qr);
            assert_eq!(is_refused, expect, "{method} {headers:?}");
        };
        let host = ("host", "127.0.0.1:8765");
        check("POST", &[host], false);
        check("POST", &[host, ("origin", "http://127.0.0.1:8765")], false);
        check("POST", &[host, ("origin", "http://evil.example")], true);
        check("POST", &[host, ("origin", "null")], true);
        check("DELETE", &[host, ("sec-fetch-site", "cross-site")], true);
        check("DELETE", &[host, ("sec-fetch-site", "same-site")], true);
        check("DELETE", &[host, ("sec-fetch-site", "same-origin")], false);
        check("GET", &[host, ("origin", "http://evil.example")], false);
    }

    #[test]
    fn operators_routes_are_not_even_read_from_elsewhere() {
        let check = |name: &str, value: &str, expect: bool| {
            let request = Request::builder().header("host", "127.0.0.1:8765");
            let (head, ()) = request.header(name, value).body(()).unwrap().into_parts();
            let is_refused = is_from_elsewhere(&head, Route::AdminDatabase);
            assert_eq!(is_refused, expect, "{name}: {value}");
        };
        check("origin", "http://evil.example", true);
        check("sec-fetch-site", "cross-site", true);
        check("sec-fetch-site", "same-site", true);
        check("sec-fetch-site", "none", false);
        check("accept", "*/*", false);
    }

    #[test]
    fn cookies() {
        let hex = "ab".repeat(32);
        let found = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, text.parse().unwrap());
            token(&headers).is_some()
        };
        assert!(found(&format!("{COOKIE}={hex}")));
        assert!(found(&format!("a=b; {COOKIE}={hex}; c=d")));
        assert!(!found(&format!("x{COOKIE}={hex}")));
        assert!(!found(&format!("{COOKIE}=short")));
        assert!(!found(&format!("{COOKIE}={}", "zz".repeat(32))));
    }
}
