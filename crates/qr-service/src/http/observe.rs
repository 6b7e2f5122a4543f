//! What surrounds every request: its id, its measurement, its log line, time-out, panic, security headers.
//!
//! One layer instead of a stack of them, because the parts need each other: the log line needs the id and the status, a
//! problem's body needs the id, and a request that its client left must be counted too.

use std::net::{IpAddr, Ipv4Addr};
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use telemetry::log::Level;
use world::inbound::PeerAddr;
use world::random_hex;

use super::admit::{self, Admitted};
use super::problem::{self, Problem};
use crate::app::App;
use crate::metrics::FailureReason;
use crate::routes::Route;

const REQUEST_ID_BYTES: usize = 8;
/// An id that a caller chose is taken over if it is plain and of reasonable length.
const FOREIGN_ID_CHARS: std::ops::RangeInclusive<usize> = 8..=64;
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Every answer's security headers; the page brings a policy of its own.
const SECURITY_HEADERS: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=()",
    ),
];
const POLICY_FOR_DATA: &str = "default-src 'none'; frame-ancestors 'none'; sandbox";

/// What is known of a request before its handler runs.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    pub(crate) id: String,
    pub(crate) peer: IpAddr,
    pub(crate) route: Route,
}

pub(crate) async fn observe(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let context = Context {
        id: request_id(&app, request.headers()),
        peer: peer(&request),
        route: route(&request),
    };
    let recording = Recording::start(&app, &request, &context);
    request.extensions_mut().insert(context.clone());
    let (mut response, admitted) = answer(&app, &context, request, next).await;
    if let Some(admitted) = &admitted {
        admitted.add_headers(response.headers_mut());
    }
    let problem = take_problem(&mut response);
    if let Some(problem) = &problem
        && recording.method != Method::HEAD
    {
        *response.body_mut() = Body::from(problem.body(&context.id));
    }
    add_headers(&context, response.headers_mut());
    recording.finish(response.status(), problem.as_ref());
    response
}

async fn answer(
    app: &App,
    context: &Context,
    request: Request,
    next: Next,
) -> (Response, Option<Admitted>) {
    let (head, body) = request.into_parts();
    let admitted = match admit::admit(app, context, &head).await {
        Ok(admitted) => admitted,
        Err(refusal) => {
            let (problem, admitted) = *refusal;
            return (problem.into_response(), admitted);
        }
    };
    let mut request = Request::from_parts(head, body);
    request.extensions_mut().insert(admitted.identity.clone());
    let work = async {
        if context.route.is_api() {
            if let Some(delay) = app.faults.delay(&app.world) {
                app.world.clock.sleep(delay).await;
            }
            if app.faults.is_error_due(&app.world) {
                return Problem::internal("the fault switch asked for it").into_response();
            }
        }
        next.run(request).await
    };
    let bound = app.config.request_timeout;
    let response = match AssertUnwindSafe(world::timeout(bound, work))
        .catch_unwind()
        .await
    {
        Ok(Ok(response)) => response,
        Ok(Err(world::Elapsed)) => timed_out(bound).into_response(),
        Err(_) => {
            app.metrics.panics.inc();
            // The panic's own words are on the standard error stream.
            Problem::internal("a handler panicked").into_response()
        }
    };
    (response, Some(admitted))
}

fn timed_out(bound: Duration) -> Problem {
    let mut problem = Problem::unavailable(format!("no answer within {} ms", bound.as_millis()));
    problem.kind = "timeout";
    problem.title = "The request took too long";
    problem
}

/// A request being measured. Dropped before its end, it counts as left by its client.
struct Recording {
    app: App,
    context: Context,
    method: Method,
    started: Duration,
    is_finished: bool,
}

impl Recording {
    fn start(app: &App, request: &Request, context: &Context) -> Recording {
        app.metrics.in_flight.inc();
        Recording {
            app: app.clone(),
            context: context.clone(),
            method: request.method().clone(),
            started: app.world.clock.monotonic(),
            is_finished: false,
        }
    }

    fn finish(mut self, status: StatusCode, problem: Option<&Problem>) {
        self.is_finished = true;
        let length = self.count(status);
        self.count_code_failure(status, problem);
        self.log(status, length, problem);
    }

    fn count(&self, status: StatusCode) -> Duration {
        let length = self
            .app
            .world
            .clock
            .monotonic()
            .saturating_sub(self.started);
        self.app
            .metrics
            .count_request(&self.method, self.context.route, status, length);
        length
    }

    /// Counts a code that was asked for and not delivered. Here rather than in the handler, so that time-outs, panics and
    /// drills count like any other failure; who was not let in never got as far as asking.
    fn count_code_failure(&self, status: StatusCode, problem: Option<&Problem>) {
        let is_method_wrong = status == StatusCode::METHOD_NOT_ALLOWED;
        if self.context.route != Route::Qr || is_method_wrong {
            return;
        }
        let reason = match problem {
            Some(problem) if problem.status.is_server_error() => FailureReason::Internal,
            Some(problem) if problem.kind == problem::TOO_LONG => FailureReason::TooLong,
            Some(problem) if is_validation(problem.status) => FailureReason::Invalid,
            Some(_) | None => return,
        };
        self.app.metrics.count_generation_failure(reason);
    }

    fn log(&self, status: StatusCode, length: Duration, problem: Option<&Problem>) {
        let (level, message) = match problem {
            None => (Level::Debug, "request handled"),
            Some(_) if status.is_server_error() && self.context.route == Route::Qr => {
                (Level::Error, "qr generation failed")
            }
            Some(_) if status.is_server_error() => (Level::Error, "request failed"),
            Some(_) if is_validation(status) => (Level::Warn, "request not valid"),
            Some(_) if status == StatusCode::TOO_MANY_REQUESTS => (Level::Warn, "request limited"),
            Some(_) => (Level::Debug, "request refused"),
        };
        self.app
            .logger
            .event(level, message)
            .request(&self.context.id)
            .field(
                "method",
                crate::routes::METHODS[crate::routes::method_index(&self.method)],
            )
            .field("route", self.context.route.template())
            .field("status", status.as_u16())
            .field("duration_ms", length.as_secs_f64() * 1000.0)
            .field("peer", self.context.peer.to_string())
            .maybe("problem", problem.map(|problem| problem.kind))
            .maybe(
                "field",
                problem.and_then(|problem| problem.field.as_deref()),
            )
            .maybe(
                "cause",
                problem.and_then(|problem| problem.cause.as_deref()),
            )
            .emit();
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        self.app.metrics.in_flight.dec();
        if !self.is_finished {
            let left = StatusCode::from_u16(499).expect("499 is in the range of statuses");
            let length = self.count(left);
            self.log(left, length, None);
        }
    }
}

fn is_validation(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::BAD_REQUEST
            | StatusCode::REQUEST_TIMEOUT
            | StatusCode::PAYLOAD_TOO_LARGE
            | StatusCode::URI_TOO_LONG
            | StatusCode::UNSUPPORTED_MEDIA_TYPE
            | StatusCode::UNPROCESSABLE_ENTITY
            | StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
    )
}

fn request_id(app: &App, headers: &HeaderMap) -> String {
    headers
        .get(REQUEST_ID)
        .and_then(|id| id.to_str().ok())
        .filter(|id| {
            FOREIGN_ID_CHARS.contains(&id.len())
                && id
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        })
        .map_or_else(
            || random_hex(app.world.entropy.as_ref(), REQUEST_ID_BYTES),
            str::to_owned,
        )
}

/// The connection's address. Without a socket (a test, a simulation) the caller is this machine. X-Forwarded-For is
/// ignored: anyone can write it.
fn peer(request: &Request) -> IpAddr {
    request
        .extensions()
        .get::<PeerAddr>()
        .map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| {
            peer.0.ip().to_canonical()
        })
}

fn route(request: &Request) -> Route {
    request
        .extensions()
        .get::<MatchedPath>()
        .map_or(Route::Unmatched, |path| Route::of_template(path.as_str()))
}

/// The problem of an answer, also where the framework refused without saying why.
fn take_problem(response: &mut Response) -> Option<Problem> {
    let status = response.status();
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        return Some(problem);
    }
    let has_words = response.headers().contains_key(header::CONTENT_TYPE);
    if !(status.is_client_error() || status.is_server_error()) || has_words {
        return None;
    }
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    response.headers_mut().remove(header::CONTENT_LENGTH);
    Some(Problem::of_status(status))
}

fn add_headers(context: &Context, headers: &mut HeaderMap) {
    if let Ok(id) = HeaderValue::from_str(&context.id) {
        headers.insert(REQUEST_ID, id);
    }
    for (name, value) in SECURITY_HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static(POLICY_FOR_DATA));
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
}
