//! Health endpoints in every state, and each fault's way to the metrics that the plan's alerts read.

use std::time::Duration;

use crate::harness::{Service, with_faults};
use qr_service::{App, Config};
use telemetry::log::Level;
use tower::ServiceExt;
use world::sim::SimWorld;

async fn set(service: &Service, faults: &str) {
    let answer = service.ask("PUT /admin/faults", faults).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test(start_paused = true)]
async fn health_in_every_state() {
    let service = Service::start(with_faults()).await;
    let check = async |faults: &str, expect: [u16; 3], part: &str| {
        set(&service, faults).await;
        for (path, status) in ["/health", "/health/detailed", "/ready"]
            .into_iter()
            .zip(expect)
        {
            let answer = service.ask(&format!("GET {path}"), "").await;
            assert_eq!(
                answer.status.as_u16(),
                status,
                "{path} {faults}: {}",
                answer.body
            );
            assert_eq!(answer.header("content-type"), "application/health+json");
            assert!(
                answer.body.contains(part),
                "{path} {faults}: {}",
                answer.body
            );
        }
    };
    check("{}", [200, 200, 200], r#""status":"pass","version""#).await;
    check(
        r#"{"database_down":true}"#,
        [503, 503, 503],
        "the database does not answer",
    )
    .await;
    check(
        r#"{"cache_down":true}"#,
        [503, 503, 503],
        "the cache does not give back",
    )
    .await;
    check("{}", [200, 200, 200], r#""database:responseTime""#).await;
    let detailed = service.ask("GET /health/detailed", "").await.json();
    for name in [
        "cache:hitRate",
        "cache:utilization",
        "memory:used",
        "memory:limit",
    ] {
        assert!(detailed["checks"][name].is_array(), "{name}");
    }
    service.app.begin_drain();
    let ready = service.ask("GET /ready", "").await;
    assert_eq!(ready.status, 503);
    assert!(ready.body.contains("draining"));
    assert_eq!(
        service.ask("GET /health", "").await.status,
        200,
        "alive while draining"
    );
}

#[tokio::test(start_paused = true)]
async fn not_ready_before_the_start() {
    let sim = SimWorld::new(1, std::time::UNIX_EPOCH);
    let app = App::build(sim.world(), Config::default(), Level::Debug, Vec::new());
    let ask = async || {
        let request = axum::http::Request::get("/ready")
            .body(axum::body::Body::empty())
            .unwrap();
        app.router().oneshot(request).await.unwrap().status()
    };
    assert_eq!(ask().await, 503);
    app.start().await.unwrap();
    assert_eq!(ask().await, 200);
}

#[tokio::test(start_paused = true)]
async fn each_fault_moves_what_its_alert_reads() {
    let service = Service::start(with_faults()).await;
    let ask = || service.ask("GET /api/v1/qr?type=text&data=x", "");

    // HighErrorRate: http_errors_total.
    set(&service, r#"{"error_share":1}"#).await;
    assert_eq!(ask().await.status, 500);
    assert_eq!(service.metric("http_errors_total").await, 1.0);
    assert_eq!(service.metric("qr_generation_errors_total").await, 1.0);
    let internal = "qr_generation_failures_total{reason=\"internal\"}";
    assert_eq!(service.metric(internal).await, 1.0);
    assert_eq!(service.logged("qr generation failed")[0]["level"], "ERROR");

    // HighResponseTime: the upper buckets of http_request_duration_seconds.
    set(&service, r#"{"slow_share":1,"slow_ms":2500}"#).await;
    assert_eq!(ask().await.status, 200);
    let up_to_2 = service
        .metric("http_request_duration_seconds_bucket{le=\"2\"}")
        .await;
    let up_to_3 = service
        .metric("http_request_duration_seconds_bucket{le=\"3\"}")
        .await;
    assert_eq!(
        up_to_3 - up_to_2,
        1.0 + 1.0,
        "the slow one, and the scrape between the two readings"
    );

    // LowCacheHitRate: cache_hit_rate.
    set(&service, "{}").await;
    for _ in 0..9 {
        ask().await;
    }
    assert!(service.metric("cache_hit_rate").await > 0.8);
    set(&service, r#"{"cache_miss_share":1}"#).await;
    for _ in 0..10 {
        ask().await;
    }
    assert!(service.metric("cache_hit_rate").await < 0.7);

    // HighCacheEvictions: cache_evictions_total, even with an empty cache.
    set(&service, r#"{"cache_evict_per_second":25}"#).await;
    service.pass(Duration::from_secs(10)).await;
    let evicted = service.metric("cache_evictions_total").await;
    assert!((240.0..=260.0).contains(&evicted), "{evicted}");
    set(&service, "{}").await;
    service.pass(Duration::from_secs(10)).await;
    assert!(service.metric("cache_evictions_total").await - evicted <= 3.0);

    // HighMemoryUsage: memory_usage_bytes. The margin is for other tests of this process, which hash passwords meanwhile.
    let (leak, margin) = (256e6, 128e6);
    let before = service.metric("memory_usage_bytes").await;
    set(&service, &format!(r#"{{"leak_bytes":{leak}}}"#)).await;
    let during = service.metric("memory_usage_bytes").await;
    set(&service, "{}").await;
    let after = service.metric("memory_usage_bytes").await;
    assert!(
        during > before + margin && after < during - margin,
        "{before} {during} {after}"
    );

    // The database.
    set(&service, r#"{"database_down":true}"#).await;
    let refused = service
        .ask("POST /api/v1/sessions", r#"{"name":"ada","password":"x"}"#)
        .await;
    assert_eq!(
        (refused.status.as_u16(), refused.header("retry-after")),
        (503, "5")
    );
    assert_eq!(ask().await.status, 200, "codes need no database");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_takes_too_long_is_ended() {
    let service = Service::start(with_faults()).await;
    set(&service, r#"{"slow_share":1,"slow_ms":60000}"#).await;
    let answer = service.ask("GET /api/v1/qr?type=text&data=x", "").await;
    assert_eq!(answer.status, 503);
    assert!(answer.body.contains("timeout"), "{}", answer.body);
    assert_eq!(service.metric("http_errors_total").await, 1.0);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_its_client_left_is_counted() {
    let service = Service::start(with_faults()).await;
    set(&service, r#"{"slow_share":1,"slow_ms":5000}"#).await;
    let asking = service.ask("GET /api/v1/types", "");
    assert!(
        world::timeout(Duration::from_secs(1), asking)
            .await
            .is_err()
    );
    let series = r#"http_route_requests_total{method="GET",route="/api/v1/types",status="499"}"#;
    assert_eq!(service.metric(series).await, 1.0);
    assert_eq!(
        service.metric("http_requests_in_flight").await,
        1.0,
        "this very scrape"
    );
}

#[tokio::test(start_paused = true)]
async fn the_switch_is_for_this_machine_and_checks_its_figures() {
    let service = Service::start(with_faults()).await;
    assert_eq!(
        service
            .ask("PUT /admin/faults", r#"{"error_share":2}"#)
            .await
            .status,
        422
    );
    assert_eq!(
        service
            .ask("PUT /admin/faults", r#"{"eror_share":1}"#)
            .await
            .status,
        400
    );
    set(&service, r#"{"error_share":0.5}"#).await;
    assert_eq!(
        service.ask("GET /admin/faults", "").await.json()["error_share"],
        0.5
    );
    service.come_from([192, 0, 2, 1]);
    assert_eq!(service.ask("GET /admin/faults", "").await.status, 403);
    assert_eq!(service.ask("PUT /admin/faults", "{}").await.status, 403);
}
