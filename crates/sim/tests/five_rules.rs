//! Every rule of the plan, driven to fire and to resolve in simulated time. (HighMemoryUsage reads the memory of the real
//! process; it is tried by hand with `leak_bytes`.)

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::Value;
use sim::{PageSeen, Scene, SceneOptions};
use world::{HttpRequest, HttpResponse};

const MINUTE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_secs(5);

/// One scrape, one evaluation and one page may lie between a cause and its effect.
const SLACK: Duration = Duration::from_secs(45);

/// A rule, what breaks it, and how long it may take to notice that and to see that it is over.
struct Case {
    alert: &'static str,
    faults: &'static str,
    hold: Duration,
    notices_within: Duration,
    resolves_within: Duration,
    critical: bool,
}

async fn scene(traffic: bool) -> Scene {
    Scene::start(SceneOptions { seed: 11, traffic }).await
}

/// The rule as the alerts page shows it.
async fn rule(scene: &Scene, alert: &str) -> Value {
    let (_, alerts) = scene.belfry("GET", "/api/belfry/v1/alerts", "").await;
    let found = alerts
        .as_array()
        .and_then(|list| list.iter().find(|rule| rule["name"] == alert));
    found
        .unwrap_or_else(|| panic!("{alert} is in the plan: {alerts}"))
        .clone()
}

/// Lets time pass until the rule is in a state; panics after `bound`.
async fn until(scene: &Scene, alert: &str, state: &str, bound: Duration) -> Value {
    let began = scene.elapsed();
    loop {
        let found = rule(scene, alert).await;
        if found["state"] == state {
            return found;
        }
        assert!(
            scene.elapsed() - began < bound,
            "{alert} is not {state} after {bound:?}: {found}"
        );
        scene.pass(LOOK).await;
    }
}

/// The same while somebody uses the service.
async fn while_used(scene: &Scene, per_second: u64, work: impl Future<Output = ()>) {
    let world = scene.sim.world();
    let users = async {
        for number in 0_u64.. {
            let url = format!("http://127.0.0.1:8765/api/v1/qr?type=text&data={number}&format=svg");
            // What comes back is the service's matter.
            let _ = world
                .net
                .http(HttpRequest::get(&url, 30 * LOOK, 1 << 20))
                .await;
            world
                .clock
                .sleep(Duration::from_secs(1) / per_second as u32)
                .await;
        }
    };
    tokio::select! {
        biased;
        () = work => {}
        () = users => {}
    }
}

fn pages(scene: &Scene, alert: &str, status: &str) -> Vec<PageSeen> {
    let of = |page: &PageSeen| page.alert == alert && page.status == status;
    scene.inbox.pages().into_iter().filter(of).collect()
}

/// `person level` of each page.
fn told(scene: &Scene, alert: &str, status: &str) -> Vec<String> {
    pages(scene, alert, status)
        .iter()
        .map(|page| format!("{} {}", page.person, page.level))
        .collect()
}

/// pending -> (its `for`) -> firing, with one page to the first level.
async fn fires(scene: &Scene, case: &Case) {
    let Case { alert, hold, .. } = *case;
    let pending = until(scene, alert, "pending", case.notices_within).await;
    assert_eq!(
        pending["severity"],
        if case.critical { "critical" } else { "warning" }
    );
    assert_eq!(
        pending["for_seconds"].as_f64(),
        Some(hold.as_secs_f64()),
        "the plan's `for`"
    );
    assert_eq!(
        told(scene, alert, "firing"),
        [""; 0],
        "{alert}: nobody is told while it is pending"
    );
    let noticed = scene.elapsed();
    until(scene, alert, "firing", hold + SLACK).await;
    scene.pass(LOOK).await;
    assert_eq!(
        told(scene, alert, "firing"),
        ["ada 1"],
        "{alert}: the first level is told once"
    );
    let page = scene.offset(pages(scene, alert, "firing")[0].at);
    assert!(
        page + 2 * LOOK >= noticed + hold,
        "{alert}: never before `for` has passed"
    );
    let incident = scene.incident(alert).await.expect("an incident is open");
    assert_eq!(
        (&incident["state"], incident["level"].as_i64()),
        (&Value::from("open"), Some(1))
    );
    assert!(
        incident["procedure"]["steps"]
            .as_array()
            .is_some_and(|steps| !steps.is_empty()),
        "{alert} says what to do"
    );
}

async fn resolves(scene: &Scene, case: &Case) {
    let alert = case.alert;
    until(scene, alert, "inactive", case.resolves_within).await;
    scene.pass(LOOK).await;
    let incident = scene.incident(alert).await.expect("it is remembered");
    assert_eq!(
        (&incident["state"], &incident["resolve_reason"]),
        (&Value::from("resolved"), &Value::from("recovered")),
        "{alert}"
    );
    let over = told(scene, alert, "resolved");
    assert!(
        over.contains(&"ada 1".to_owned()),
        "{alert}: who was told is told that it is over: {over:?}"
    );
}

async fn check(case: &Case) {
    let scene = scene(true).await;
    scene.pass(6 * MINUTE).await;
    assert_eq!(rule(&scene, case.alert).await["state"], "inactive");
    scene.faults(case.faults).await;
    fires(&scene, case).await;
    if !case.critical {
        scene.pass(40 * MINUTE).await;
        assert_eq!(
            told(&scene, case.alert, "firing"),
            ["ada 1"],
            "a warning never escalates"
        );
    }
    scene.faults("{}").await;
    resolves(&scene, case).await;
    scene.stop().await;
}

#[tokio::test(start_paused = true)]
async fn high_error_rate() {
    check(&Case {
        alert: "HighErrorRate",
        faults: r#"{"error_share": 0.5}"#,
        hold: 2 * MINUTE,
        notices_within: MINUTE,
        resolves_within: 7 * MINUTE,
        critical: true,
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn high_response_time() {
    check(&Case {
        alert: "HighResponseTime",
        faults: r#"{"slow_share": 1.0, "slow_ms": 3000}"#,
        hold: 5 * MINUTE,
        notices_within: 3 * MINUTE,
        resolves_within: 7 * MINUTE,
        critical: true,
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn low_cache_hit_rate() {
    check(&Case {
        alert: "LowCacheHitRate",
        faults: r#"{"cache_miss_share": 0.9}"#,
        hold: 10 * MINUTE,
        notices_within: 5 * MINUTE,
        resolves_within: 7 * MINUTE,
        critical: false,
    })
    .await;
}

/// The cache can throw out only what was put in, so this one needs more users than the scene has.
#[tokio::test(start_paused = true)]
async fn high_cache_evictions() {
    let case = Case {
        alert: "HighCacheEvictions",
        faults: r#"{"cache_evict_per_second": 1000}"#,
        hold: 5 * MINUTE,
        notices_within: 5 * MINUTE,
        resolves_within: 7 * MINUTE,
        critical: false,
    };
    let scene = scene(false).await;
    scene.pass(2 * MINUTE).await;
    scene.faults(case.faults).await;
    while_used(&scene, 16, fires(&scene, &case)).await;
    scene.faults("{}").await;
    resolves(&scene, &case).await;
    assert_eq!(told(&scene, case.alert, "firing"), ["ada 1"]);
    scene.stop().await;
}

#[tokio::test(start_paused = true)]
async fn database_down_and_not_ready() {
    let case = |alert| Case {
        alert,
        faults: r#"{"database_down": true}"#,
        hold: MINUTE,
        notices_within: MINUTE,
        resolves_within: 2 * MINUTE,
        critical: true,
    };
    check(&case("DatabaseDown")).await;
    check(&case("NotReady")).await;
}

/// While the whole service is gone, what is known about its database is what was known last.
#[tokio::test(start_paused = true)]
async fn a_database_that_was_down_is_not_well_because_its_service_is_gone() {
    let scene = scene(true).await;
    scene.pass(3 * MINUTE).await;
    scene.faults(r#"{"database_down": true}"#).await;
    until(&scene, "DatabaseDown", "firing", 3 * MINUTE).await;
    scene.unplug_service();
    scene.pass(20 * MINUTE).await;
    let incident = scene.incident("DatabaseDown").await.expect("it is open");
    assert_eq!(
        incident["state"], "open",
        "missing data is not recovery: {incident}"
    );
    assert_eq!(incident["no_data"], true, "{incident}");
    assert_eq!(told(&scene, "DatabaseDown", "resolved"), [""; 0]);
    scene.plug_in_service();
    scene.faults("{}").await;
    until(&scene, "DatabaseDown", "inactive", 3 * MINUTE).await;
    scene.stop().await;
}

#[tokio::test(start_paused = true)]
async fn service_down() {
    let case = Case {
        alert: "ServiceDown",
        faults: "",
        hold: MINUTE,
        notices_within: MINUTE,
        resolves_within: MINUTE,
        critical: true,
    };
    let scene = scene(true).await;
    scene.pass(3 * MINUTE).await;
    scene.unplug_service();
    fires(&scene, &case).await;
    assert_eq!(
        told(&scene, "NotReady", "firing"),
        [""; 0],
        "one cause, one page"
    );
    scene.plug_in_service();
    resolves(&scene, &case).await;
    scene.stop().await;
}

/// A host in front of the service answers scrapes with what the service exposed a moment ago, less one metric.
#[tokio::test(start_paused = true)]
async fn required_metric_missing() {
    let case = Case {
        alert: "RequiredMetricMissing",
        faults: "",
        hold: 5 * MINUTE,
        notices_within: MINUTE,
        resolves_within: MINUTE,
        critical: true,
    };
    let scene = scene(false).await;
    scene.pass(3 * MINUTE).await;
    let world = scene.sim.world();
    let ask = async |path: &str| {
        let url = format!("http://127.0.0.1:8765{path}");
        world
            .net
            .http(HttpRequest::get(&url, LOOK, 1 << 24))
            .await
            .expect("the service answers")
    };
    let mut exposed = ask("/metrics").await;
    let text = String::from_utf8(exposed.body.to_vec()).expect("the text format");
    assert!(
        text.contains("\ncache_evictions_total "),
        "the metric was there"
    );
    let kept: Vec<&str> = text
        .lines()
        .filter(|line| !line.contains("cache_evictions_total"))
        .collect();
    exposed.body = (kept.join("\n") + "\n").into();
    let healthy = ask("/ready").await;
    assert_eq!(healthy.status, StatusCode::OK);
    scene
        .sim
        .net
        .host("127.0.0.1:8765", move |request: HttpRequest| {
            let answer: HttpResponse = if request.url.ends_with("/metrics") {
                exposed.clone()
            } else {
                healthy.clone()
            };
            Box::pin(async move { Ok(answer) })
        });
    fires(&scene, &case).await;
    let incident = scene.incident(case.alert).await.expect("it is open");
    assert_eq!(
        incident["summary"],
        "cache_evictions_total is no longer exposed"
    );
    assert_eq!(
        incident["alerts"].as_array().map(Vec::len),
        Some(1),
        "the others are there"
    );
    scene.plug_in_service();
    resolves(&scene, &case).await;
    scene.stop().await;
}

/// The same when scrapes still work and only the health endpoints do not answer.
#[tokio::test(start_paused = true)]
async fn a_database_that_was_down_is_not_well_because_probes_get_no_answer() {
    let scene = scene(false).await;
    scene.pass(3 * MINUTE).await;
    scene.faults(r#"{"database_down": true}"#).await;
    until(&scene, "DatabaseDown", "firing", 3 * MINUTE).await;
    let world = scene.sim.world();
    let url = "http://127.0.0.1:8765/metrics";
    let exposed = world
        .net
        .http(HttpRequest::get(url, LOOK, 1 << 24))
        .await
        .expect("the service answers");
    scene
        .sim
        .net
        .host("127.0.0.1:8765", move |request: HttpRequest| {
            let exposed = exposed.clone();
            Box::pin(async move {
                match request.url.ends_with("/metrics") {
                    true => Ok(exposed),
                    false => std::future::pending().await,
                }
            })
        });
    scene.pass(20 * MINUTE).await;
    let incident = scene.incident("DatabaseDown").await.expect("it is open");
    assert_eq!(
        (&incident["state"], &incident["no_data"]),
        (&Value::from("open"), &Value::from(true)),
        "{incident}"
    );
    scene.stop().await;
}

/// A metric that was missing is not back because nothing is scraped.
#[tokio::test(start_paused = true)]
async fn a_missing_metric_is_not_back_because_its_service_is_gone() {
    let scene = scene(false).await;
    scene.pass(3 * MINUTE).await;
    let world = scene.sim.world();
    let url = "http://127.0.0.1:8765/metrics";
    let mut exposed = world
        .net
        .http(HttpRequest::get(url, LOOK, 1 << 24))
        .await
        .expect("the service answers");
    exposed.body = "http_requests_total 1\n".into();
    scene.sim.net.host("127.0.0.1:8765", move |_| {
        let exposed = exposed.clone();
        Box::pin(async move { Ok(exposed) })
    });
    until(&scene, "RequiredMetricMissing", "firing", 7 * MINUTE).await;
    scene.unplug_service();
    scene.pass(30 * MINUTE).await;
    let incident = scene
        .incident("RequiredMetricMissing")
        .await
        .expect("it is open");
    assert_eq!(
        (&incident["state"], &incident["no_data"]),
        (&Value::from("open"), &Value::from(true)),
        "{incident}"
    );
    scene.plug_in_service();
    until(&scene, "RequiredMetricMissing", "inactive", 2 * MINUTE).await;
    scene.stop().await;
}

/// Nobody asks any more: the rate is NaN, and the warning ends as "no traffic" once that has lasted for its `for`.
#[tokio::test(start_paused = true)]
async fn a_warning_about_traffic_ends_when_there_is_none() {
    let scene = scene(false).await;
    scene.pass(MINUTE).await;
    let case = Case {
        alert: "LowCacheHitRate",
        // Every request asks for something new: nothing is ever in the cache.
        faults: "",
        hold: 10 * MINUTE,
        notices_within: MINUTE,
        resolves_within: 16 * MINUTE,
        critical: false,
    };
    while_used(&scene, 2, fires(&scene, &case)).await;
    let silence = scene.elapsed();
    scene.pass(4 * MINUTE).await;
    assert_eq!(
        rule(&scene, case.alert).await["state"],
        "firing",
        "the last five minutes still count"
    );
    until(&scene, case.alert, "inactive", case.resolves_within).await;
    let lasted = scene.elapsed() - silence;
    assert!(
        lasted >= 14 * MINUTE && lasted <= 16 * MINUTE,
        "five minutes and `for`, not {lasted:?}"
    );
    scene.pass(LOOK).await;
    let incident = scene.incident(case.alert).await.expect("it is remembered");
    assert_eq!(
        (&incident["state"], &incident["resolve_reason"]),
        (&Value::from("resolved"), &Value::from("no_traffic"))
    );
    assert_eq!(told(&scene, case.alert, "resolved"), ["ada 1"]);
    scene.stop().await;
}
