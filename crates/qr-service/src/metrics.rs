//! Every metric of the service, declared in one place. Names and types are those of the monitoring plan, word for word;
//! what the plan's rules read has no labels, and splits stand beside it under names of their own.

use std::array;
use std::sync::OnceLock;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use qr::PayloadKind;
use telemetry::{Children, Counter, Family, Gauge, Histogram, Registry};

use crate::routes::{METHODS, Route, STATUSES, method_index, status_index};

/// Answer times, around the plan's thresholds (0.5 s for the target, 2 s for the alert).
const REQUEST_BOUNDS: &[f64] = &[
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0,
];
/// The same for each route: coarser, because it is multiplied by routes, methods and statuses.
const ROUTE_BOUNDS: &[f64] = &[0.001, 0.01, 0.05, 0.1, 0.5, 1.0, 2.0, 5.0];
/// Matrix and rendering: tens of microseconds for a small SVG, tens of milliseconds for the largest PNG.
const GENERATION_BOUNDS: &[f64] = &[
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.0,
];
/// Cache look-ups take a fraction of a microsecond.
const CACHE_BOUNDS: &[f64] = &[
    0.000_000_25,
    0.000_000_5,
    0.000_001,
    0.000_002_5,
    0.000_005,
    0.000_01,
    0.000_05,
    0.000_1,
    0.001,
    0.01,
];
/// From a minute to a month.
const SESSION_BOUNDS: &[f64] = &[
    60.0,
    300.0,
    900.0,
    1800.0,
    3600.0,
    7200.0,
    14_400.0,
    28_800.0,
    86_400.0,
    604_800.0,
    2_592_000.0,
];
/// A statement with its wait for the connection.
const DATABASE_BOUNDS: &[f64] = &[
    0.000_025, 0.000_1, 0.000_25, 0.001, 0.002_5, 0.01, 0.05, 0.25, 1.0, 5.0,
];

/// Label sets of one HTTP metric: far more than a real mix of routes, methods and statuses shows, far fewer than all.
const ROUTE_CHILDREN_MAX: usize = 400;

/// What users can do beside asking for a plain code.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Feature {
    Svg,
    Png,
    Size,
    ErrorCorrection,
    Colours,
    QuietZone,
    Title,
    Conditional,
    Page,
    Registration,
    SignIn,
}

impl Feature {
    const ALL: [(Feature, &'static str); 11] = [
        (Feature::Svg, "svg"),
        (Feature::Png, "png"),
        (Feature::Size, "size"),
        (Feature::ErrorCorrection, "error_correction"),
        (Feature::Colours, "colours"),
        (Feature::QuietZone, "quiet_zone"),
        (Feature::Title, "title"),
        (Feature::Conditional, "conditional_request"),
        (Feature::Page, "page"),
        (Feature::Registration, "registration"),
        (Feature::SignIn, "sign_in"),
    ];
}

/// Why a code was not delivered.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum FailureReason {
    /// A field, an option or the request itself is wrong.
    Invalid,
    /// The data does not fit in any symbol.
    TooLong,
    /// The service's own failure.
    Internal,
}

/// What is done with the cache.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum CacheOperation {
    Get,
    Put,
    Probe,
}

/// The handles.
pub(crate) struct Metrics {
    requests: Counter,
    request_seconds: Histogram,
    errors: Counter,
    pub(crate) in_flight: Gauge,
    pub(crate) panics: Counter,
    route_requests: Family<Counter>,
    route_seconds: Family<Histogram>,
    route_handles: RouteHandles,
    endpoints: [Counter; Route::ALL.len()],

    pub(crate) generated: Counter,
    generation_errors: Counter,
    generation_failures: [Counter; 3],
    pub(crate) generation_seconds: Histogram,
    types: [Counter; PayloadKind::ALL.len()],
    features: [Counter; Feature::ALL.len()],

    pub(crate) cache: CacheMetrics,

    pub(crate) session_seconds: Histogram,
    pub(crate) sign_ins_accepted: Counter,
    pub(crate) sign_ins_refused: Counter,
    pub(crate) suspicious: Counter,
    pub(crate) limited_address: Counter,
    pub(crate) limited_session: Counter,
    pub(crate) limited_sign_in: Counter,

    pub(crate) database_seconds: Histogram,
    pub(crate) database_errors: Counter,

    loops: LoopFamilies,
}

/// What the cache itself updates.
pub(crate) struct CacheMetrics {
    pub(crate) hits: Counter,
    pub(crate) misses: Counter,
    pub(crate) errors: Counter,
    pub(crate) evictions: Counter,
    pub(crate) evicted_capacity: Counter,
    pub(crate) evicted_fault: Counter,
    pub(crate) restarts: Counter,
    seconds: [Histogram; 3],
}

impl CacheMetrics {
    pub(crate) fn observe(&self, operation: CacheOperation, length: Duration) {
        self.seconds[operation as usize].observe_duration(length);
    }
}

/// Handles resolved at the first use of a route, method and status; from then on without a lock or a look-up by text.
type RouteHandles =
    [[[OnceLock<(Counter, Histogram)>; STATUSES.len()]; METHODS.len()]; Route::ALL.len()];

struct LoopFamilies {
    iterations: Family<Counter>,
    missed: Family<Counter>,
    failures: Family<Counter>,
    last_seconds: Family<Gauge>,
    last_success: Family<Gauge>,
}

/// What a loop tells about itself.
pub(crate) struct LoopMetrics {
    pub(crate) iterations: Counter,
    pub(crate) missed: Counter,
    pub(crate) failures: Counter,
    pub(crate) last_seconds: Gauge,
    pub(crate) last_success: Gauge,
}

impl Metrics {
    pub(crate) fn declare(registry: &Registry) -> Metrics {
        registry.info(
            "app_build_info",
            "Version and revision of the running program.",
            &[
                ("version", env!("CARGO_PKG_VERSION")),
                ("revision", env!("BUILD_REVISION")),
            ],
        );
        let endpoints: Vec<[&str; 1]> = Route::ALL
            .into_iter()
            .filter(|route| route.is_api())
            .map(|route| [route.template()])
            .collect();
        let endpoints = closed(
            registry,
            "api_endpoint_usage",
            "API requests, by endpoint.",
            &["endpoint"],
            &endpoints,
        );
        let types = closed(
            registry,
            "qr_types_generated",
            "QR codes delivered, by type of payload.",
            &["type"],
            &PayloadKind::ALL.map(|kind| [kind.as_str()]),
        );
        let features = closed(
            registry,
            "feature_usage_total",
            "Uses of a feature.",
            &["feature"],
            &Feature::ALL.map(|(_, name)| [name]),
        );
        let failures = closed(
            registry,
            "qr_generation_failures_total",
            "QR codes that were asked for and not delivered, by reason.",
            &["reason"],
            &[["invalid"], ["too_long"], ["internal"]],
        );
        let sign_ins = closed(
            registry,
            "auth_sign_ins_total",
            "Attempts to sign in, by result.",
            &["result"],
            &[["accepted"], ["refused"]],
        );
        let limited = closed(
            registry,
            "rate_limited_requests_total",
            "Requests refused by a rate limit, by what was limited.",
            &["scope"],
            &[["address"], ["session"], ["sign_in"]],
        );
        Metrics {
            requests: registry.counter("http_requests_total", "HTTP requests, all of them."),
            request_seconds: registry.histogram(
                "http_request_duration_seconds",
                "Time from a request's head to its answer's head.",
                REQUEST_BOUNDS,
            ),
            errors: registry.counter(
                "http_errors_total",
                "HTTP requests answered with 5xx: the service's own failures.",
            ),
            in_flight: registry.gauge("http_requests_in_flight", "HTTP requests being answered."),
            panics: registry.counter(
                "http_panics_total",
                "Requests whose handler panicked: each is a bug.",
            ),
            route_requests: registry.counter_family(
                "http_route_requests_total",
                "HTTP requests, by method, route template and status.",
                &["method", "route", "status"],
                Children::AtMost(ROUTE_CHILDREN_MAX),
            ),
            route_seconds: registry.histogram_family(
                "http_route_duration_seconds",
                "Answer times, by method, route template and status.",
                &["method", "route", "status"],
                Children::AtMost(ROUTE_CHILDREN_MAX),
                ROUTE_BOUNDS,
            ),
            route_handles: array::from_fn(|_| {
                array::from_fn(|_| array::from_fn(|_| OnceLock::new()))
            }),
            endpoints: Route::ALL.map(|route| match route.is_api() {
                true => endpoints.handle(&[route.template()]),
                false => Counter::detached(),
            }),
            generated: registry.counter(
                "qr_codes_generated_total",
                "QR codes delivered, from the cache or made anew.",
            ),
            generation_errors: registry.counter(
                "qr_generation_errors_total",
                "QR codes that were asked for and not delivered.",
            ),
            generation_failures: ["invalid", "too_long", "internal"]
                .map(|reason| failures.handle(&[reason])),
            generation_seconds: registry.histogram(
                "qr_generation_duration_seconds",
                "Time to make a code that was not in the cache: matrix and rendering.",
                GENERATION_BOUNDS,
            ),
            types: PayloadKind::ALL.map(|kind| types.handle(&[kind.as_str()])),
            features: Feature::ALL.map(|(_, name)| features.handle(&[name])),
            cache: cache_metrics(registry),
            session_seconds: registry.histogram(
                "user_sessions_duration",
                "Seconds from sign-in to the end of a session, by sign-out or expiry.",
                SESSION_BOUNDS,
            ),
            sign_ins_accepted: sign_ins.handle(&["accepted"]),
            sign_ins_refused: sign_ins.handle(&["refused"]),
            suspicious: registry.counter(
                "auth_suspicious_bursts_total",
                "Bursts of refused sign-ins from one address or for one account.",
            ),
            limited_address: limited.handle(&["address"]),
            limited_session: limited.handle(&["session"]),
            limited_sign_in: limited.handle(&["sign_in"]),
            database_seconds: registry.histogram(
                "database_operation_duration_seconds",
                "Time of one database operation, with its wait for the connection.",
                DATABASE_BOUNDS,
            ),
            database_errors: registry
                .counter("database_errors_total", "Database operations that failed."),
            loops: LoopFamilies::declare(registry),
        }
    }

    /// Counts a request that was answered, or that the client left.
    pub(crate) fn count_request(
        &self,
        method: &Method,
        route: Route,
        status: StatusCode,
        length: Duration,
    ) {
        self.requests.inc();
        self.request_seconds.observe_duration(length);
        if status.is_server_error() {
            self.errors.inc();
        }
        let (method, status) = (method_index(method), status_index(status));
        let (requests, seconds) =
            self.route_handles[route as usize][method][status].get_or_init(|| {
                let labels = [METHODS[method], route.template(), STATUSES[status]];
                (
                    self.route_requests.handle(&labels),
                    self.route_seconds.handle(&labels),
                )
            });
        requests.inc();
        seconds.observe_duration(length);
        self.endpoints[route as usize].inc();
    }

    pub(crate) fn count_generated(&self, kind: PayloadKind) {
        self.generated.inc();
        self.types[kind as usize].inc();
    }

    pub(crate) fn count_generation_failure(&self, reason: FailureReason) {
        self.generation_errors.inc();
        self.generation_failures[reason as usize].inc();
    }

    pub(crate) fn count_feature(&self, feature: Feature) {
        self.features[feature as usize].inc();
    }

    /// The metrics of the loop of this name.
    pub(crate) fn of_loop(&self, name: &'static str) -> LoopMetrics {
        LoopMetrics {
            iterations: self.loops.iterations.handle(&[name]),
            missed: self.loops.missed.handle(&[name]),
            failures: self.loops.failures.handle(&[name]),
            last_seconds: self.loops.last_seconds.handle(&[name]),
            last_success: self.loops.last_success.handle(&[name]),
        }
    }
}

impl LoopFamilies {
    fn declare(registry: &Registry) -> LoopFamilies {
        /// More loops than the service has.
        const LOOPS_MAX: usize = 8;
        let counters = |name, help| {
            registry.counter_family(name, help, &["loop"], Children::AtMost(LOOPS_MAX))
        };
        let gauges =
            |name, help| registry.gauge_family(name, help, &["loop"], Children::AtMost(LOOPS_MAX));
        LoopFamilies {
            iterations: counters("loop_iterations_total", "Rounds of a background loop."),
            missed: counters(
                "loop_missed_ticks_total",
                "Rounds of a background loop that were due and did not happen.",
            ),
            failures: counters(
                "loop_failures_total",
                "Rounds of a background loop that failed.",
            ),
            last_seconds: gauges(
                "loop_last_duration_seconds",
                "Length of a background loop's last round.",
            ),
            last_success: gauges(
                "loop_last_success_timestamp_seconds",
                "When a background loop's last good round ended.",
            ),
        }
    }
}

fn cache_metrics(registry: &Registry) -> CacheMetrics {
    let operations = ["get", "put", "probe"];
    let seconds = registry.histogram_family(
        "cache_operation_duration_seconds",
        "Time of one operation on the image cache.",
        &["operation"],
        Children::Closed(&[&["get"], &["put"], &["probe"]]),
        CACHE_BOUNDS,
    );
    let reasons = closed(
        registry,
        "cache_evictions_by_reason_total",
        "Images thrown out of the cache, by reason.",
        &["reason"],
        &[["capacity"], ["fault"]],
    );
    CacheMetrics {
        hits: registry.counter("cache_hits_total", "Look-ups that found their image."),
        misses: registry.counter("cache_misses_total", "Look-ups that found nothing."),
        errors: registry.counter(
            "cache_errors_total",
            "Operations that the cache failed to do.",
        ),
        evictions: registry.counter(
            "cache_evictions_total",
            "Images thrown out of the cache, for room or by a fault drill.",
        ),
        evicted_capacity: reasons.handle(&["capacity"]),
        evicted_fault: reasons.handle(&["fault"]),
        restarts: registry.counter(
            "cache_restarts_total",
            "Times that an operator emptied the cache and opened it anew.",
        ),
        seconds: operations.map(|operation| seconds.handle(&[operation])),
    }
}

/// A closed family with one label.
fn closed(
    registry: &Registry,
    name: &'static str,
    help: &'static str,
    labels: &'static [&'static str],
    values: &[[&str; 1]],
) -> Family<Counter> {
    let sets: Vec<&[&str]> = values.iter().map(|value| value.as_slice()).collect();
    registry.counter_family(name, help, labels, Children::Closed(&sets))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_match_their_enums() {
        for (index, (feature, _)) in Feature::ALL.into_iter().enumerate() {
            assert_eq!(feature as usize, index);
        }
        for (index, kind) in PayloadKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, index);
        }
        for (index, route) in Route::ALL.into_iter().enumerate() {
            assert_eq!(route as usize, index);
        }
    }
}
