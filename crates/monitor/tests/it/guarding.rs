//! The door: `Host`, `Origin`, the headers of every answer, and errors as problem details.

use super::harness::{Belfry, HOST};

#[tokio::test(start_paused = true)]
async fn host_and_origin() {
    let belfry = Belfry::start().await;
    let cases: [(&str, &str, Option<&str>, bool); 16] = [
        ("GET", HOST, None, true),
        ("GET", "localhost:9765", None, true),
        ("GET", "LocalHost:9765", None, true),
        ("GET", "[::1]:9765", None, true),
        ("GET", "127.0.0.1", None, false),
        ("GET", "127.0.0.1:80", None, false),
        ("GET", "belfry.example:9765", None, false),
        ("GET", "127.0.0.1:9765.evil.example", None, false),
        ("GET", "", None, false),
        ("GET", HOST, Some("http://evil.example"), true),
        ("POST", HOST, None, true),
        ("POST", HOST, Some("http://127.0.0.1:9765"), true),
        ("POST", HOST, Some("http://localhost:9765"), true),
        ("POST", HOST, Some("https://127.0.0.1:9765"), false),
        ("POST", HOST, Some("http://evil.example"), false),
        ("POST", HOST, Some("null"), false),
    ];
    for (method, host, origin, allowed) in cases {
        // Every kind of address has the same door: APIs, ingest, pages, metrics, management.
        for path in [
            "/api/v1/query?query=1",
            "/api/belfry/v1/plan",
            "/",
            "/metrics",
            "/-/healthy",
        ] {
            let mut headers = vec![("host", host)];
            headers.extend(origin.map(|origin| ("origin", origin)));
            let answer = belfry
                .ask_with(&format!("{method} {path}"), "", &headers)
                .await;
            let refused = answer.status == 403;
            assert_eq!(
                refused, !allowed,
                "{method} {path} {host} {origin:?}: {}",
                answer.status
            );
            if refused {
                answer.problem(403);
            }
            assert_eq!(
                answer.header("x-content-type-options"),
                "nosniff",
                "{method} {path}"
            );
            assert_eq!(answer.header("x-frame-options"), "DENY");
            assert!(
                answer
                    .header("content-security-policy")
                    .contains("default-src 'self'")
            );
        }
    }
}

/// A request line, its body, its headers, and the status of its answer.
type Case<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], u16);

/// Whatever refuses a request, the answer has one form.
#[tokio::test(start_paused = true)]
async fn every_refusal_is_problem_details() {
    let belfry = Belfry::start().await;
    let json = [("content-type", "application/json")];
    let long = "x".repeat((1 << 20) + 1);
    let huge = "x".repeat((16 << 20) + 1);
    let cases: [Case; 17] = [
        ("GET /api/nothing", "", &[], 404),
        ("POST /api/belfry/v1/nothing", "", &[], 404),
        ("PUT /api/belfry/v1/nothing", "", &[], 404),
        ("GET /api/belfry/v1/incidents/7", "", &[], 404),
        ("GET /api/belfry/v1/incidents/seven", "", &[], 400),
        ("GET /api/belfry/v1/incidents?limit=many", "", &[], 400),
        ("GET /api/belfry/v1/incidents?state=sad", "", &[], 400),
        (
            "POST /api/belfry/v1/incidents/7/acknowledge",
            "{}",
            &json,
            422,
        ),
        (
            "POST /api/belfry/v1/incidents/7/acknowledge",
            "{",
            &json,
            400,
        ),
        (
            "POST /api/belfry/v1/incidents/7/acknowledge",
            r#"{"by":"ada"}"#,
            &[],
            415,
        ),
        (
            "POST /api/belfry/v1/incidents/7/acknowledge",
            r#"{"by":"ada"}"#,
            &json,
            404,
        ),
        ("POST /api/belfry/v1/overview", "", &[], 405),
        ("DELETE /api/v1/logs", "", &[], 405),
        ("POST /api/belfry/v1/incidents/7/notes", &long, &json, 413),
        ("POST /api/v1/logs", &huge, &[], 413),
        ("POST /api/v1/logs", "nonsense", &[], 400),
        ("GET /api/belfry/v1/logs?from=soon", "", &[], 400),
    ];
    for (line, body, headers, status) in cases {
        let answer = belfry.ask_with(line, body, headers).await;
        assert_eq!(answer.status, status, "{line}: {}", answer.body);
        answer.problem(status);
    }
}
