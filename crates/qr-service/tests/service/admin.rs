//! What operators do: each step of the plan's response procedures, and who is not let in.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;
use qr_service::{AdminToken, Config};
use serde_json::{Value, json};
use world::World;

use crate::harness::{Answer, Service, with_faults};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const BEARER: (&str, &str) = ("authorization", "Bearer 0123456789abcdef0123456789abcdef");
/// Every route of operators, with a body that does no harm.
const ROUTES: [(&str, &str); 9] = [
    ("GET /admin/cache", ""),
    ("POST /admin/cache/verify", ""),
    ("POST /admin/cache/restart", ""),
    ("GET /admin/database", ""),
    ("POST /admin/database/fail-over", ""),
    ("GET /admin/capacity", ""),
    ("PUT /admin/capacity", r#"{"generation_workers":8}"#),
    ("GET /admin/deployments", ""),
    ("GET /admin/faults", ""),
];

fn with_token() -> Config {
    Config {
        admin_token: Some(AdminToken::parse(TOKEN.as_bytes()).unwrap()),
        ..with_faults()
    }
}

async fn code(service: &Service, data: &str) -> Answer {
    let line = format!("GET /api/v1/qr?type=text&data={data}");
    let answer = service.ask(&line, "").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer
}

async fn ask(service: &Service, line: &str, body: &str) -> Value {
    let answer = service.ask(line, body).await;
    assert_eq!(answer.status, 200, "{line} {body}: {}", answer.body);
    answer.json()
}

/// Whether each route lets such a request in; a refusal must be a security line and give no reason to try again.
async fn check_access(
    service: &Service,
    headers: &[(&str, &str)],
    expect: Result<(), (u16, &str)>,
) {
    for (line, body) in ROUTES {
        let before = service.logged("authorisation refused").len();
        let answer = service.ask_with(line, body, headers).await;
        let what = format!("{line} {headers:?}: {} {}", answer.status, answer.body);
        let refused = service.logged("authorisation refused").split_off(before);
        match expect {
            Ok(()) => {
                let is_let_in = answer.status == 200 || answer.body.contains("cannot-fail-over");
                assert!(is_let_in && refused.is_empty(), "{what}");
            }
            Err((status, kind)) => {
                assert_eq!(answer.status.as_u16(), status, "{what}");
                let problem = format!("urn:qr-service:problem:{kind}");
                assert_eq!(answer.json()["type"], problem, "{what}");
                assert_eq!(refused.len(), 1, "{what}");
                assert_eq!(refused[0]["category"], "security", "{what}");
                assert_eq!(refused[0]["level"], "WARN", "{what}");
                let challenge = if status == 401 { "Bearer" } else { "" };
                assert_eq!(answer.header("www-authenticate"), challenge, "{what}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_token_only_this_machine_is_let_in() {
    let service = Service::start(with_faults()).await;
    let check = async |headers: &[(&str, &str)], expect| {
        check_access(&service, headers, expect).await;
    };
    check(&[], Ok(())).await;
    check(&[("host", "localhost:8765")], Ok(())).await;
    check(&[("host", "127.0.0.1:8765"), BEARER], Ok(())).await;
    let own = [
        ("host", "127.0.0.1:8765"),
        ("origin", "http://127.0.0.1:8765"),
    ];
    check(&own, Ok(())).await;
    // A page whose own name was made to point here, a page of another site, a proxy on this machine.
    let rebound = [
        ("host", "evil.example:8765"),
        ("origin", "http://evil.example:8765"),
    ];
    check(&rebound, Err((403, "foreign-host"))).await;
    let foreign = [
        ("host", "127.0.0.1:8765"),
        ("origin", "http://evil.example"),
    ];
    check(&foreign, Err((403, "cross-site"))).await;
    check(
        &[("sec-fetch-site", "cross-site")],
        Err((403, "cross-site")),
    )
    .await;
    check(
        &[("x-forwarded-for", "192.0.2.1")],
        Err((403, "through-proxy")),
    )
    .await;
    service.come_from([192, 0, 2, 1]);
    check(&[], Err((403, "loopback-only"))).await;
    check(&[BEARER], Err((403, "loopback-only"))).await;
}

#[tokio::test(start_paused = true)]
async fn with_a_token_who_shows_it_is_let_in() {
    let service = Service::start(with_token()).await;
    let check = async |headers: &[(&str, &str)], expect| {
        check_access(&service, headers, expect).await;
    };
    let wrong = ("authorization", "Bearer 1123456789abcdef0123456789abcdef");
    let basic = ("authorization", "Basic 0123456789abcdef0123456789abcdef");
    check(&[BEARER], Ok(())).await;
    check(&[], Err((401, "admin-token"))).await;
    check(&[wrong], Err((401, "admin-token"))).await;
    check(&[basic], Err((401, "admin-token"))).await;
    check(
        &[BEARER, ("sec-fetch-site", "cross-site")],
        Err((403, "cross-site")),
    )
    .await;
    check(
        &[
            BEARER,
            ("x-forwarded-for", "192.0.2.1"),
            ("host", "qr.example"),
        ],
        Ok(()),
    )
    .await;
    service.come_from([192, 0, 2, 1]);
    for (line, body) in ROUTES {
        let answer = service.ask_with(line, body, &[BEARER]).await;
        // The fault switch stays with this machine whoever asks.
        let expect = match line {
            "GET /admin/faults" => 403,
            "POST /admin/database/fail-over" => 409,
            _ => 200,
        };
        assert_eq!(answer.status, expect, "{line}: {}", answer.body);
    }
    check(&[], Err((401, "admin-token"))).await;
    assert!(
        !service.log_text().contains(&TOKEN[1..]),
        "no secret in the log"
    );
}

#[tokio::test(start_paused = true)]
async fn what_changes_something_must_be_json_of_the_right_form() {
    let service = Service::start(Config::default()).await;
    for (line, _) in ROUTES.iter().filter(|(line, _)| !line.starts_with("GET")) {
        let form = ("content-type", "application/x-www-form-urlencoded");
        let answer = service.ask_with(line, "", &[form]).await;
        assert_eq!(answer.status, 415, "{line}");
        let answer = service.ask(line, r#"{"surprise":1}"#).await;
        assert_eq!(answer.status, 400, "{line}");
        assert!(answer.body.contains("surprise"), "{line}: {}", answer.body);
        let answer = service
            .ask(&line.replace("POST", "GET").replace("PUT", "POST"), "{}")
            .await;
        let is_there = line.ends_with("/admin/capacity");
        assert!(
            answer.status == 405 || is_there,
            "{line} with another method: {}",
            answer.status
        );
    }
    assert_eq!(service.metric("cache_restarts_total").await, 0.0);
}

#[tokio::test(start_paused = true)]
async fn neither_limits_nor_faults_reach_operators() {
    let rate = qr_service::Rate {
        per_second: 0.01,
        burst: 1,
    };
    let service = Service::start(Config {
        rate_address: rate,
        ..with_faults()
    })
    .await;
    let faults = r#"{"error_share":1,"slow_share":1,"slow_ms":60000}"#;
    ask(&service, "PUT /admin/faults", faults).await;
    for _ in 0..5 {
        for (line, body) in ROUTES {
            let answer = service.ask(line, body).await;
            let expect = if line.ends_with("fail-over") {
                409
            } else {
                200
            };
            assert_eq!(answer.status, expect, "{line}");
        }
    }
    let series =
        r#"http_route_requests_total{method="POST",route="/admin/cache/verify",status="200"}"#;
    assert_eq!(service.metric(series).await, 5.0);
}

#[tokio::test(start_paused = true)]
async fn the_caches_figures() {
    let service = Service::start(Config::default()).await;
    assert_eq!(
        ask(&service, "GET /admin/cache", "").await["hit_rate"],
        Value::Null
    );
    for data in ["a", "b", "b", "b"] {
        code(&service, data).await;
    }
    let figures = ask(&service, "GET /admin/cache", "").await;
    let expect = [
        ("capacity_bytes", json!(64 << 20)),
        ("capacity_bytes_at_start", json!(64 << 20)),
        ("entry_bytes_max", json!(4 << 20)),
        ("entries", json!(2)),
        ("hits", json!(2)),
        ("misses", json!(2)),
        ("evictions", json!(0)),
        ("errors", json!(0)),
        ("restarts", json!(0)),
        ("hit_rate", json!(0.5)),
        ("is_down", json!(false)),
    ];
    for (name, value) in expect {
        assert_eq!(figures[name], value, "{name}");
    }
    assert!(figures["size_bytes"].as_u64().unwrap() > 1000, "{figures}");
    ask(&service, "POST /admin/cache/restart", "{}").await;
    assert_eq!(ask(&service, "GET /admin/cache", "").await["restarts"], 1);
}

/// The checks that failed.
fn failed(verified: &Value) -> Vec<&str> {
    let checks = verified["checks"].as_array().unwrap();
    assert!(
        checks
            .iter()
            .all(|check| !check["detail"].as_str().unwrap().is_empty())
    );
    let failed: Vec<&str> = checks
        .iter()
        .filter(|check| check["ok"] == false)
        .map(|check| check["check"].as_str().unwrap())
        .collect();
    assert_eq!(verified["ok"], failed.is_empty(), "{verified}");
    failed
}

#[tokio::test(start_paused = true)]
async fn a_verification_finds_what_is_wrong_and_changes_nothing() {
    let service = Service::start(with_faults()).await;
    code(&service, "a").await;
    let check = async |faults: &str, expect: &[&str]| {
        ask(&service, "PUT /admin/faults", faults).await;
        let verified = ask(&service, "POST /admin/cache/verify", "").await;
        assert_eq!(failed(&verified), expect, "{faults}");
    };
    check("{}", &[]).await;
    check(r#"{"cache_down":true}"#, &["sentinel", "fault_switch"]).await;
    check(r#"{"cache_miss_share":0.5}"#, &["fault_switch"]).await;
    check(r#"{"cache_evict_per_second":5}"#, &["fault_switch"]).await;
    check("{}", &[]).await;
    assert_eq!(ask(&service, "GET /admin/cache", "").await["entries"], 1);
    let levels: Vec<Value> = service
        .logged("cache verified")
        .iter()
        .map(|line| line["level"].clone())
        .collect();
    assert_eq!(levels, ["INFO", "WARN", "WARN", "WARN", "INFO"]);

    let small = Config {
        cache_bytes: 1000,
        ..Config::default()
    };
    let service = Service::start(small).await;
    let verified = ask(&service, "POST /admin/cache/verify", "{}").await;
    assert_eq!(failed(&verified), ["capacity_range"]);
    let large = Config {
        memory_limit: Some(100 << 20),
        ..Config::default()
    };
    let service = Service::start(large).await;
    let verified = ask(&service, "POST /admin/cache/verify", "{}").await;
    assert_eq!(failed(&verified), ["capacity_fits_memory"]);
}

#[tokio::test(start_paused = true)]
async fn a_restart_drops_the_images_and_ends_a_wedge() {
    let service = Service::start(with_faults()).await;
    for data in ["a", "b", "c"] {
        code(&service, data).await;
    }
    let size = service.metric("cache_size_bytes").await;
    let restarted = ask(&service, "POST /admin/cache/restart", "").await;
    let expect = json!({
        "dropped_entries": 3, "dropped_bytes": size as u64, "was_down": false, "fault_ended": false, "works": true,
    });
    assert_eq!(restarted, expect);
    assert_eq!(service.metric("cache_entries_count").await, 0.0);
    assert_eq!(service.metric("cache_evictions_total").await, 0.0);
    assert_eq!(service.metric("cache_restarts_total").await, 1.0);
    let logged = service.logged("cache restarted");
    assert_eq!(
        (&logged[0]["level"], &logged[0]["peer"]),
        (&json!("WARN"), &json!("127.0.0.1"))
    );
    code(&service, "a").await;
    code(&service, "a").await;
    assert_eq!(
        service.metric("cache_hits_total").await,
        1.0,
        "it is filled again"
    );

    // A drill: the cache is wedged, and look-ups miss. The restart cures the first alone.
    ask(
        &service,
        "PUT /admin/faults",
        r#"{"cache_down":true,"cache_miss_share":1}"#,
    )
    .await;
    code(&service, "a").await;
    assert_eq!(service.ask("GET /health", "").await.status, 503);
    assert_eq!(ask(&service, "GET /admin/cache", "").await["is_down"], true);
    let restarted = ask(&service, "POST /admin/cache/restart", "").await;
    assert_eq!(
        (&restarted["was_down"], &restarted["fault_ended"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(service.ask("GET /health", "").await.status, 200);
    let faults = ask(&service, "GET /admin/faults", "").await;
    assert_eq!(
        (&faults["cache_down"], &faults["cache_miss_share"]),
        (&json!(false), &json!(1.0))
    );
}

#[tokio::test(start_paused = true)]
async fn the_database_in_memory_and_in_trouble() {
    let service = Service::start(with_faults()).await;
    let standing = ask(&service, "GET /admin/database", "").await;
    let expect = [
        ("engine", json!("sqlite")),
        ("role", json!("primary")),
        ("state", json!("open")),
        ("since", json!("2026-11-23T09:00:00.000000Z")),
        ("last_error", Value::Null),
        ("can_fail_over", json!(false)),
        ("file", Value::Null),
        ("file_bytes", Value::Null),
        ("journal_mode", json!("memory")),
        ("schema_version", json!(2)),
        ("round_trip_seconds", json!(0.0)),
    ];
    for (name, value) in expect {
        assert_eq!(standing[name], value, "{name}");
    }
    service.pass(Duration::from_secs(60)).await;
    ask(&service, "PUT /admin/faults", r#"{"database_down":true}"#).await;
    let standing = ask(&service, "GET /admin/database", "").await;
    assert_eq!(standing["state"], "failing");
    assert_eq!(standing["since"], "2026-11-23T09:01:00.000000Z");
    assert_eq!(standing["round_trip_seconds"], Value::Null);
    let error = &standing["last_error"];
    assert!(
        error["text"].as_str().unwrap().contains("fault switch"),
        "{error}"
    );
    service.pass(Duration::from_secs(5)).await;
    ask(&service, "PUT /admin/faults", "{}").await;
    let standing = ask(&service, "GET /admin/database", "").await;
    assert_eq!(
        (&standing["state"], &standing["last_error"]),
        (&json!("open"), error)
    );
}

#[tokio::test(start_paused = true)]
async fn a_fail_over_is_never_pretended() {
    let service = Service::start(Config::default()).await;
    let answer = service.ask("POST /admin/database/fail-over", "").await;
    assert_eq!(answer.status, 409);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let problem = answer.json();
    assert_eq!(problem["type"], "urn:qr-service:problem:cannot-fail-over");
    let detail = problem["detail"].as_str().unwrap();
    assert!(
        detail.contains("SQLite") && detail.contains("Instead:"),
        "{detail}"
    );
    assert_eq!(service.metric("http_errors_total").await, 0.0);
}

#[tokio::test(start_paused = true)]
async fn capacity_is_checked_before_anything_changes() {
    let service = Service::start(Config {
        memory_limit: Some(256 << 20),
        ..Config::default()
    })
    .await;
    let cases: &[(&str, u16, &str, &str)] = &[
        ("{}", 422, "generation_workers", "both"),
        (
            r#"{"generation_workers":0}"#,
            422,
            "generation_workers",
            "from 1 to 64",
        ),
        (
            r#"{"generation_workers":65}"#,
            422,
            "generation_workers",
            "from 1 to 64",
        ),
        (
            r#"{"generation_workers":-1}"#,
            422,
            "generation_workers",
            "from 1 to 64",
        ),
        (
            r#"{"generation_workers":1.5}"#,
            422,
            "generation_workers",
            "whole number",
        ),
        (
            r#"{"generation_workers":"8"}"#,
            422,
            "generation_workers",
            "whole number",
        ),
        (
            r#"{"cache_bytes":1048575}"#,
            422,
            "cache_bytes",
            "from 1048576 to 134217728",
        ),
        (
            r#"{"cache_bytes":134217729}"#,
            422,
            "cache_bytes",
            "from 1048576 to 134217728",
        ),
        (
            r#"{"generation_workers":16,"cache_bytes":1}"#,
            422,
            "cache_bytes",
            "from",
        ),
        (r#"{"workers":16}"#, 400, "", "unknown field `workers`"),
        (r#"[1]"#, 400, "", "wrong type"),
    ];
    for (body, status, field, part) in cases {
        let answer = service.ask("PUT /admin/capacity", body).await;
        assert_eq!(answer.status.as_u16(), *status, "{body}: {}", answer.body);
        assert!(answer.body.contains(part), "{body}: {}", answer.body);
        assert_eq!(
            answer.json()["field"].as_str().unwrap_or(""),
            *field,
            "{body}"
        );
    }
    let capacity = ask(&service, "GET /admin/capacity", "").await;
    let workers = json!({"value": 8, "minimum": 1, "maximum": 64, "running": 0, "waiting": 0});
    assert_eq!(capacity["generation_workers"], workers);
    let bytes = json!({"value": 64 << 20, "minimum": 1 << 20, "maximum": 128 << 20, "used": 0});
    assert_eq!(capacity["cache_bytes"], bytes);
    assert_eq!(capacity["memory"]["limit_bytes"], 256 << 20);
    assert!(
        capacity["memory"]["used_bytes"].as_u64() > Some(1 << 20)
            && capacity["cores"].as_u64() > Some(0)
    );
}

#[tokio::test(start_paused = true)]
async fn capacity_changes_and_the_metrics_follow() {
    let service = Service::start(Config::default()).await;
    for number in 0..600 {
        code_unlimited(&service, number).await;
    }
    assert_eq!(service.metric("cache_entries_count").await, 600.0);
    let body = r#"{"generation_workers":2,"cache_bytes":1048576}"#;
    let changed = ask(&service, "PUT /admin/capacity", body).await;
    let expect = json!({
        "generation_workers": {"old": 8, "new": 2},
        "cache_bytes": {"old": 64 << 20, "new": 1 << 20},
    });
    assert_eq!(changed, expect);
    assert_eq!(
        service.metric("cache_capacity_bytes").await,
        f64::from(1 << 20)
    );
    assert!(service.metric("cache_size_bytes").await <= f64::from(1 << 20));
    assert!(service.metric("cache_entries_count").await < 600.0);
    assert!(service.metric("cache_evictions_total").await > 0.0);
    assert_eq!(service.metric("qr_generation_workers").await, 2.0);
    let logged = service.logged("capacity changed");
    assert_eq!(
        (&logged[0]["level"], &logged[0]["cache_bytes"]),
        (&json!("WARN"), &json!(1 << 20))
    );
    let changed = ask(
        &service,
        "PUT /admin/capacity",
        r#"{"cache_bytes":2097152}"#,
    )
    .await;
    assert_eq!(changed["generation_workers"], json!({"old": 2, "new": 2}));
    assert_eq!(
        changed["cache_bytes"],
        json!({"old": 1 << 20, "new": 2 << 20})
    );
    code(&service, "later").await;
}

/// Slower than the rate limit: a code of its own each.
async fn code_unlimited(service: &Service, number: usize) {
    service.pass(Duration::from_millis(20)).await;
    code(service, &format!("number-{number}")).await;
}

/// In the real world, because a simulated one draws one code after the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drawing_never_runs_wider_than_the_bound_while_it_moves() {
    let limitless = qr_service::Rate {
        per_second: 0.0,
        burst: 1,
    };
    let config = Config {
        rate_address: limitless,
        generation_workers: 2,
        ..Config::default()
    };
    let service = Service::start_in(World::real().unwrap(), config).await;
    let load =
        async || ask(&service, "GET /admin/capacity", "").await["generation_workers"].clone();
    let count = |load: &Value, name: &str| load[name].as_u64().unwrap();
    let mut number = 0;
    let mut seen_full = 0;
    let mut bound_before = 2;
    for bound in [2, 6, 1, 4, 1, 3] {
        let body = format!(r#"{{"generation_workers":{bound}}}"#);
        let changing = async {
            ask(&service, "PUT /admin/capacity", &body).await;
            let mut running_before = u64::MAX;
            let mut seen = 0;
            loop {
                let load = load().await;
                let running = count(&load, "running");
                // What ran before the change may end; until then nothing new begins.
                assert!(
                    running <= bound || running <= running_before,
                    "{load} after {bound_before}"
                );
                running_before = running.max(bound);
                seen = seen.max(running);
                if running + count(&load, "waiting") == 0 {
                    return seen;
                }
                tokio::task::yield_now().await;
            }
        };
        let codes: Vec<String> = (0..12)
            .map(|index| {
                format!(
                    "GET /api/v1/qr?type=text&data={}&format=png&size=1000",
                    number + index
                )
            })
            .collect();
        number += 12;
        let drawing = join_all(codes.iter().map(|line| service.ask(line, "")));
        let (answers, seen) = tokio::join!(drawing, changing);
        assert!(answers.iter().all(|answer| answer.status == 200));
        seen_full += u64::from(seen >= bound);
        bound_before = bound;
    }
    assert!(
        seen_full >= 3,
        "the places are used: {seen_full} of 6 times all of them"
    );
    let end = load().await;
    assert_eq!(
        (
            count(&end, "value"),
            count(&end, "running"),
            count(&end, "waiting")
        ),
        (3, 0, 0)
    );
}

/// The place is the work's, not the caller's: otherwise callers who leave would widen the bound.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_leaves_frees_no_place_while_the_work_runs() {
    let service = Service::start_in(World::real().unwrap(), Config::default()).await;
    let line = "GET /api/v1/qr?type=text&data=x&format=png&size=2000";
    // One look begins the work; then the caller is gone.
    assert!(service.ask(line, "").now_or_never().is_none());
    let running = async || {
        let capacity = ask(&service, "GET /admin/capacity", "").await;
        capacity["generation_workers"]["running"].clone()
    };
    assert_eq!(running().await, 1);
    while running().await != 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        service.metric("cache_entries_count").await,
        0.0,
        "nobody was there to keep it"
    );
}

#[tokio::test]
async fn deployments_and_files_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config {
        data_dir: Some(folder.path().to_owned()),
        ..with_faults()
    };
    let mut before: Vec<Value> = Vec::new();
    for starts in 1..=3 {
        let service = Service::start_in(World::real().unwrap(), config.clone()).await;
        let deployments = ask(&service, "GET /admin/deployments", "").await;
        let current = &deployments["current"];
        assert_eq!(current["version"], env!("CARGO_PKG_VERSION"));
        assert!(current["uptime_seconds"].as_f64().unwrap() < 60.0);
        let recent = deployments["recent"].as_array().unwrap().clone();
        assert_eq!(recent.len(), starts);
        assert_eq!(
            recent[1..],
            before,
            "what was recorded stays, after the newest"
        );
        assert_eq!(
            recent[0]["changed"],
            starts == 1,
            "only the first differs from the one before"
        );
        assert_eq!(recent[0]["revision"], current["revision"]);
        // The database keeps milliseconds.
        let started = |value: &Value| value["started_at"].as_str().unwrap()[..23].to_owned();
        assert_eq!(started(&recent[0]), started(current));
        before = recent;

        let standing = ask(&service, "GET /admin/database", "").await;
        assert!(
            standing["file"]
                .as_str()
                .unwrap()
                .ends_with("qr-service.sqlite3")
        );
        assert!(
            standing["file_bytes"].as_u64() > Some(0) && standing["wal_bytes"].is_u64(),
            "{standing}"
        );
        assert_eq!(standing["journal_mode"], "wal");
        assert!(standing["round_trip_seconds"].as_f64() > Some(0.0));

        ask(&service, "PUT /admin/faults", r#"{"database_down":true}"#).await;
        let deployments = ask(&service, "GET /admin/deployments", "").await;
        assert_eq!(deployments["recent"], Value::Null);
        assert!(
            deployments["recent_error"]
                .as_str()
                .unwrap()
                .contains("gone")
        );
        assert_eq!(
            deployments["current"]["version"],
            env!("CARGO_PKG_VERSION"),
            "known without the database"
        );
        service.app.stop().await;
    }
}
