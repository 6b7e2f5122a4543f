//! The API, asked without a socket: codes, accounts, sessions, limits, the page.

use std::time::Duration;

use crate::harness::Service;
use qr_service::{Config, Rate};

const ADA: &str = r#"{"name":"ada","password":"correct horse"}"#;

#[tokio::test(start_paused = true)]
async fn requests_and_their_answers() {
    let service = Service::start(Config::default()).await;
    let long = format!("GET /api/v1/qr?type=text&data={}", "x".repeat(3000));
    let too_long_uri = format!("GET /api/v1/qr?type=text&data={}", "x".repeat(9000));
    let large_body = format!(r#"{{"type":"text","data":"{}"}}"#, "x".repeat(70_000));
    let cases: &[(&str, &str, u16, &str)] = &[
        (
            "GET /api/v1/qr?type=url&data=https://a.example",
            "",
            200,
            "<svg",
        ),
        ("GET /api/v1/qr?data=https://a.example", "", 200, "<svg"),
        (
            "GET /api/v1/qr?type=text&data=x&format=png&size=200",
            "",
            200,
            "PNG",
        ),
        ("HEAD /api/v1/qr?type=text&data=x", "", 200, ""),
        (
            "GET /api/v1/qr?type=wifi&ssid=net&password=secret-12",
            "",
            200,
            "<svg",
        ),
        (
            "GET /api/v1/qr?type=geo&latitude=52.5&longitude=13.4",
            "",
            200,
            "<svg",
        ),
        (
            "POST /api/v1/qr",
            r#"{"type":"vcard","fields":{"name":"Ada"}}"#,
            200,
            "<svg",
        ),
        (
            "POST /api/v1/qr",
            r#"{"type":"email","data":"a@b.example","format":"png","size":300}"#,
            200,
            "PNG",
        ),
        (
            "POST /api/v1/qr",
            r#"{"type":"sms","fields":{"number":"+491701234567","message":"hi"}}"#,
            200,
            "<svg",
        ),
        (
            "POST /api/v1/qr",
            r#"{"type":"phone","data":"+4930123456"}"#,
            200,
            "<svg",
        ),
        (
            "POST /api/v1/qr",
            r#"{"type":"event","fields":{"summary":"x","start":"2026-11-23T09:00:00Z"}}"#,
            200,
            "<svg",
        ),
        (
            "POST /api/v1/qr",
            r#"{"type":"wifi","fields":{"ssid":"n","hidden":true}}"#,
            200,
            "<svg",
        ),
        ("GET /api/v1/qr?type=barcode&data=x", "", 422, "one of url"),
        ("GET /api/v1/qr?type=wifi", "", 422, "\"field\":\"ssid\""),
        (
            "GET /api/v1/qr?type=text&data=x&format=gif",
            "",
            422,
            "svg or png",
        ),
        (
            "GET /api/v1/qr?type=text&data=x&format=png&size=99999",
            "",
            422,
            "\"field\":\"size\"",
        ),
        (
            "GET /api/v1/qr?type=text&data=x&dark=000&light=000",
            "",
            422,
            "\"field\":\"dark\"",
        ),
        (
            "GET /api/v1/qr?type=url&data=javascript:alert(1)",
            "",
            422,
            "\"field\":\"data\"",
        ),
        (&long, "", 422, "data-too-long"),
        (&too_long_uri, "", 414, "uri-too-long"),
        ("POST /api/v1/qr", "{", 400, "not JSON"),
        (
            "POST /api/v1/qr",
            r#"{"colour":"red"}"#,
            400,
            "unknown field",
        ),
        ("POST /api/v1/qr", &large_body, 413, "body-too-large"),
        ("PUT /api/v1/qr", "{}", 405, "Allow"),
        ("GET /nowhere", "", 404, "not-found"),
        ("GET /admin/faults", "", 404, "not-found"),
        ("GET /api/v1/me", "", 401, "not-signed-in"),
        ("DELETE /api/v1/sessions/current", "", 401, "not-signed-in"),
        (
            "POST /api/v1/accounts",
            r#"{"name":"A B","password":"correct horse"}"#,
            422,
            "\"field\":\"name\"",
        ),
        (
            "POST /api/v1/accounts",
            r#"{"name":"ada","password":"short"}"#,
            422,
            "\"field\":\"password\"",
        ),
        ("GET /api/v1/types", "", 200, "\"ssid\""),
        ("GET /", "", 200, "<title>Make a QR code</title>"),
        ("GET /assets/app.js", "", 200, "use strict"),
        ("GET /assets/app.css", "", 200, "prefers-color-scheme"),
    ];
    for (line, body, status, part) in cases {
        let answer = service.ask(line, body).await;
        let what: String = format!("{line} {body}").chars().take(120).collect();
        assert_eq!(answer.status.as_u16(), *status, "{what}: {}", answer.body);
        assert!(answer.body.contains(part), "{what}: {}", answer.body);
        assert!(!answer.header("x-request-id").is_empty(), "{what}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{what}");
        assert!(
            answer
                .header("content-security-policy")
                .contains("default-src 'none'"),
            "{what}"
        );
        if *status >= 400 {
            assert_eq!(
                answer.header("content-type"),
                "application/problem+json",
                "{what}"
            );
            let problem = answer.json();
            assert_eq!(problem["status"], *status, "{what}");
            assert_eq!(
                problem["request_id"],
                answer.header("x-request-id"),
                "{what}"
            );
        }
    }
    let failed = service.metric("qr_generation_errors_total").await;
    // Every refused code: 422 (seven), 414, 400 (two), 413; not the 405.
    assert_eq!(failed, 11.0);
    let reason = |reason: &str| format!("qr_generation_failures_total{{reason=\"{reason}\"}}");
    assert_eq!(service.metric(&reason("too_long")).await, 1.0);
    assert_eq!(service.metric(&reason("invalid")).await, 10.0);
    assert_eq!(service.metric("qr_codes_generated_total").await, 12.0);
    assert_eq!(
        service.metric("qr_types_generated{type=\"wifi\"}").await,
        2.0
    );
    assert_eq!(service.metric("http_errors_total").await, 0.0);
    assert!(
        !service.log_text().contains("secret-12"),
        "no payload in the log"
    );
}

#[tokio::test(start_paused = true)]
async fn the_same_code_comes_from_the_cache_and_is_not_sent_twice() {
    let service = Service::start(Config::default()).await;
    let line = "GET /api/v1/qr?type=text&data=hello";
    let first = service.ask(line, "").await;
    let second = service.ask(line, "").await;
    assert_eq!(first.body, second.body);
    assert_eq!(service.metric("cache_misses_total").await, 1.0);
    assert_eq!(service.metric("cache_hits_total").await, 1.0);
    assert_eq!(
        service.metric("qr_generation_duration_seconds_count").await,
        1.0
    );
    assert_eq!(service.metric("qr_codes_generated_total").await, 2.0);
    assert_eq!(service.metric("cache_hit_rate").await, 0.5);
    let etag = first.header("etag").to_owned();
    let third = service
        .ask_with(line, "", &[("if-none-match", &etag)])
        .await;
    assert_eq!((third.status.as_u16(), third.body.as_str()), (304, ""));
    assert_eq!(third.header("cache-control"), "public, max-age=86400");
    let private = service
        .ask("GET /api/v1/qr?type=phone&data=%2B4930123456", "")
        .await;
    assert_eq!(private.header("cache-control"), "private, max-age=86400");
    assert_eq!(service.logged("cache miss").len(), 2);
    assert_eq!(service.logged("cache miss")[0]["level"], "WARN");
    assert_eq!(service.logged("cache hit")[0]["level"], "DEBUG");
    assert_eq!(service.logged("qr code generated")[0]["level"], "INFO");
    service.pass(Duration::from_secs(400)).await;
    assert!(service.metric("cache_hit_rate").await.is_nan());
}

#[tokio::test(start_paused = true)]
async fn a_session_from_sign_in_to_sign_out() {
    let service = Service::start(Config::default()).await;
    let made = service.ask("POST /api/v1/accounts", ADA).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(service.ask("POST /api/v1/accounts", ADA).await.status, 409);
    let signed_in = service.ask("POST /api/v1/sessions", ADA).await;
    assert_eq!(signed_in.status, 201);
    let cookie = signed_in.header("set-cookie");
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"),
        "{cookie}"
    );
    let me = service.ask("GET /api/v1/me", "").await.json();
    assert_eq!(me["name"], "ada");
    assert_eq!(me["session"]["id"], signed_in.json()["id"]);
    assert_eq!(service.metric("active_users_total").await, 1.0);
    service.pass(Duration::from_secs(90)).await;
    let signed_out = service.ask("DELETE /api/v1/sessions/current", "").await;
    assert_eq!(signed_out.status, 204);
    assert_eq!(service.metric("user_sessions_duration_count").await, 1.0);
    assert_eq!(service.metric("user_sessions_duration_sum").await, 90.0);
    // The old cookie opens nothing any more.
    let old = cookie.split(';').next().unwrap().to_owned();
    let answer = service
        .ask_with("GET /api/v1/me", "", &[("cookie", &old)])
        .await;
    assert_eq!(answer.status, 401);
    service.pass(Duration::from_secs(301)).await;
    assert_eq!(service.metric("active_users_total").await, 0.0);
    let log = service.log_text();
    let token = old.split_once('=').unwrap().1;
    assert!(
        !log.contains("correct horse") && !log.contains(token),
        "no secret in the log"
    );
}

#[tokio::test(start_paused = true)]
async fn an_unused_session_expires_and_is_observed() {
    let service = Service::start(Config {
        session_length: Duration::from_secs(120),
        ..Config::default()
    })
    .await;
    service.ask("POST /api/v1/accounts", ADA).await;
    service.ask("POST /api/v1/sessions", ADA).await;
    service.pass(Duration::from_secs(100)).await;
    assert_eq!(
        service.ask("GET /api/v1/me", "").await.status,
        200,
        "used: lives on"
    );
    service.pass(Duration::from_secs(100)).await;
    assert_eq!(service.metric("user_sessions_duration_count").await, 0.0);
    // Expired at 220 s, swept at 240 s: in between the session is there and opens nothing.
    service.pass(Duration::from_secs(25)).await;
    assert_eq!(service.ask("GET /api/v1/me", "").await.status, 401);
    assert_eq!(service.metric("user_sessions_duration_count").await, 0.0);
    service.pass(Duration::from_secs(20)).await;
    assert_eq!(service.metric("user_sessions_duration_count").await, 1.0);
    assert_eq!(service.metric("user_sessions_duration_sum").await, 220.0);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_and_an_unknown_name_are_answered_alike() {
    let service = Service::start(Config::default()).await;
    service.ask("POST /api/v1/accounts", ADA).await;
    let mut bodies = Vec::new();
    for body in [
        r#"{"name":"ada","password":"wrong horse"}"#,
        r#"{"name":"nobody","password":"wrong horse"}"#,
        r#"{"name":"NOT A NAME","password":""}"#,
    ] {
        let answer = service.ask("POST /api/v1/sessions", body).await;
        assert_eq!(answer.status, 401);
        let mut problem = answer.json();
        problem["request_id"] = "".into();
        bodies.push(problem);
    }
    assert!(
        bodies.windows(2).all(|pair| pair[0] == pair[1]),
        "{bodies:?}"
    );
    let refused = service.logged("sign-in refused");
    assert_eq!(refused.len(), 3);
    assert_eq!(
        (&refused[0]["account"], &refused[1]["account"]),
        (&1.into(), &serde_json::Value::Null)
    );
    assert!(
        refused
            .iter()
            .all(|line| line["category"] == "security" && line["level"] == "WARN")
    );
    let log = service.log_text();
    assert!(
        !log.contains("nobody") && !log.contains("horse"),
        "names typed are not logged"
    );
}

#[tokio::test(start_paused = true)]
async fn a_burst_of_refused_sign_ins_is_suspicious() {
    let service = Service::start(Config::default()).await;
    service.ask("POST /api/v1/accounts", ADA).await;
    for _ in 0..5 {
        service
            .ask(
                "POST /api/v1/sessions",
                r#"{"name":"ada","password":"wrong horse"}"#,
            )
            .await;
    }
    let patterns: Vec<String> = service
        .logged("suspicious activity")
        .iter()
        .map(|line| line["pattern"].as_str().unwrap_or("").to_owned())
        .collect();
    assert_eq!(
        patterns,
        [
            "failed_sign_ins_from_address",
            "failed_sign_ins_for_account"
        ]
    );
    assert_eq!(service.metric("auth_suspicious_bursts_total").await, 2.0);
}

#[tokio::test(start_paused = true)]
async fn limits_by_address_session_and_sign_in() {
    let rate = |per_second, burst| Rate { per_second, burst };
    let service = Service::start(Config {
        rate_address: rate(1.0, 3),
        rate_session: rate(1.0, 5),
        rate_sign_in: rate(0.1, 4),
        ..Config::default()
    })
    .await;
    let line = "GET /api/v1/qr?type=text&data=x";
    let allowed = async |most: usize| {
        let mut count = 0;
        for _ in 0..most {
            count += usize::from(service.ask(line, "").await.status == 200);
        }
        count
    };
    assert_eq!(allowed(6).await, 3);
    let refused = service.ask(line, "").await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(refused.header("ratelimit"), "\"address\";r=0;t=1");
    assert_eq!(refused.header("ratelimit-policy"), "\"address\";q=3;w=3");
    let logged = service.logged("rate limit reached");
    assert_eq!(logged.len(), 4);
    assert_eq!(
        (&logged[0]["category"], &logged[0]["level"]),
        (&"security".into(), &"WARN".into())
    );
    // Another address has a bucket of its own; monitors are never limited.
    service.come_from([192, 0, 2, 9]);
    assert_eq!(allowed(1).await, 1);
    for _ in 0..20 {
        assert_eq!(service.ask("GET /health", "").await.status, 200);
    }
    // A session has its own bucket, and sign-ins a tighter one.
    service.ask("POST /api/v1/accounts", ADA).await;
    assert_eq!(service.ask("POST /api/v1/sessions", ADA).await.status, 201);
    assert_eq!(allowed(10).await, 5);
    service.forget_cookie();
    service.ask("POST /api/v1/sessions", ADA).await;
    service.ask("POST /api/v1/sessions", ADA).await;
    assert_eq!(service.ask("POST /api/v1/sessions", ADA).await.status, 429);
    assert_eq!(
        service
            .metric("rate_limited_requests_total{scope=\"address\"}")
            .await,
        4.0
    );
    assert_eq!(
        service
            .metric("rate_limited_requests_total{scope=\"sign_in\"}")
            .await,
        1.0
    );
    assert_eq!(
        service.metric("qr_generation_errors_total").await,
        0.0,
        "who is not let in asked for nothing"
    );
}

#[tokio::test(start_paused = true)]
async fn another_sites_page_cannot_change_anything() {
    let service = Service::start(Config::default()).await;
    let headers = [
        ("origin", "http://evil.example"),
        ("host", "127.0.0.1:8765"),
    ];
    let answer = service
        .ask_with("POST /api/v1/accounts", ADA, &headers)
        .await;
    assert_eq!(answer.status, 403);
    assert_eq!(service.logged("authorisation refused").len(), 1);
    let answer = service
        .ask_with(
            "POST /api/v1/accounts",
            ADA,
            &[("content-type", "text/plain")],
        )
        .await;
    assert_eq!(answer.status, 415);
}
