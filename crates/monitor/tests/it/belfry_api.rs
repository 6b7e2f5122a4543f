//! The shapes of docs/http-api.md and the pages.

use std::path::Path;

use serde_json::Value;

use super::harness::Belfry;

/// The form of a JSON value in one line: the pages rely on every name in it. Lists show their first element; objects with
/// names that data decides (`labels`, `fields`) show as `{..}`.
fn shape(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "bool".to_owned(),
        Value::Number(_) => "number".to_owned(),
        Value::String(_) => "string".to_owned(),
        Value::Array(list) => format!("[{}]", list.first().map(shape).unwrap_or_default()),
        Value::Object(object) => {
            let member = |(name, value): (&String, &Value)| match name.as_str() {
                "labels" | "fields" => format!("{name} {{..}}"),
                _ => format!("{name} {}", shape(value)),
            };
            let members: Vec<String> = object.iter().map(member).collect();
            format!("{{{}}}", members.join(", "))
        }
    }
}

async fn check(belfry: &Belfry, path: &str, expect: &str) {
    let found = shape(&belfry.get(&format!("/api/belfry/v1{path}")).await);
    let expect = expect.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(found, expect, "{path}");
}

/// Names in the order of the alphabet, as they are compared; `null` where the value is not there yet.
#[tokio::test(start_paused = true)]
async fn shapes() {
    let belfry = Belfry::start().await;
    belfry.expose("stock 0\norders_total 1\n");
    let line = r#"{"ts":"2026-11-23T09:00:00Z","level":"WARN","message":"low","box":7}"#;
    assert_eq!(belfry.ask("POST /api/v1/logs", line).await.status, 200);
    belfry.pass(150).await;
    let probe = "{dependencies [{detail string, name string, status string}], http_status number,
        interval_seconds number, kind string, last_at string, latency_seconds number, name string, output string,
        recent [{at string, ok bool}], state string, uptime {day number, month number, week number}, url string}";
    let objective =
        "{below bool, budget null, expr string, id string, met bool, target number, title string, unit string,
        unprobed_ratio number, value number, window_seconds number}";
    let overview = format!(
        "{{alerts {{firing number, no_data number, pending number}}, contacts {{notice string, pageable bool}},
        incidents_open number, now string, objectives [{objective}], probes [{probe}], service string,
        started_at string, state string, targets [{{duration_seconds number, health string, instance string,
        interval_seconds number, job string, last_error null, last_scrape string, samples number, url string}}],
        title string}}"
    );
    let incident =
        "acknowledged_at null, acknowledged_by null, acknowledged_until null, alert string";
    let run = "{by string, detail {at string, expr string, samples [{labels {..}, value number}], series number},
        finished_at string, id number, queued_at string, started_at string, state string, summary string}";
    let cases = [
        ("/overview", overview.as_str()),
        ("/health", &format!("[{probe}]")),
        ("/objectives", &format!("[{objective}]")),
        (
            "/dashboards",
            "[{id string, panels [{description string, kind string, queries [{expr string, legend string}],
              thresholds [{label string, value number}], title string, unit string}], title string}]",
        ),
        (
            "/alerts",
            "[{added bool, escalation string, evaluation_error null, expr string, for_seconds number, group string,
              instances [{fired_at string, flapping bool, held null, labels {..}, no_data bool, since string, state string, summary string,
              value number}], last_evaluation string, name string, procedure string, severity string, state string,
              summary string, why string}]",
        ),
        (
            "/incidents?state=all&limit=1",
            &format!("[{{{incident}, alerts_firing number, alerts_left_out number, drill bool, group string, held null, id number,
              labels {{..}}, level number, next_level number, next_level_at string,
              no_data bool, opened_at string, resolve_reason null, resolved_at null, severity string, state string,
              summary string, title string}}]"),
        ),
        (
            "/incidents/2",
            &format!("{{{incident}, alerts [{{annotations {{description string, procedure string, summary string}},
              labels {{..}}, no_data bool, resolved_at null, started_at string, state string, summary string,
              value number}}], alerts_firing number, alerts_left_out number, drill bool, group string, held null, id number,
              labels {{..}}, ladder [{{after_seconds number, due_at string, level number, notified_at string,
              roles [string]}}], level number, next_level number, next_level_at string, no_data bool, opened_at string,
              pages [{{attempts number, channel string, delivered_at string, due_at string, id number, kind string,
              last_error null, level number, person string, promised_at string, queued_at string, reason string,
              receipt string, state string}}], procedure {{id string, steps [{{automatic bool, changes bool, kind string,
              number number, query string, runs [{run}], timeout_seconds number, title string}}], title string}},
              resolve_reason null, resolved_at null, severity string, state string, summary string, timeline
              [{{at string, kind string, text string}}], title string}}"),
        ),
        (
            "/logs",
            "{entries [{at string, category null, class string, fields {..}, level string, message string,
              service string}], truncated bool}",
        ),
        (
            "/logs/histogram",
            "[{at string, counts {DEBUG number, ERROR number, INFO number, WARN number}}]",
        ),
        (
            "/logs/retention",
            "[{bytes number, class string, files number, keep_seconds number, lines number, newest null,
              next_deletion null, oldest null}]",
        ),
        ("/plan", "{files [{path string, text string}], loaded_at string, path string, reload_error null,
              services [{name string, title string}], text string}"),
    ];
    for (path, expect) in cases {
        check(&belfry, path, expect).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_overview_tells_the_worst() {
    let belfry = Belfry::start().await;
    let state = async || belfry.get("/api/belfry/v1/overview").await["state"].clone();
    belfry.pass(31).await;
    assert_eq!(state().await, "ok");
    belfry.expose("stock 2\n");
    belfry.pass(31).await;
    assert_eq!(state().await, "warning");
    belfry.expose("stock 0\n");
    belfry.pass(61).await;
    assert_eq!(state().await, "critical");
    belfry.expose("stock 5\n");
    belfry.pass(31).await;
    assert_eq!(state().await, "ok");
    belfry.expose("");
    belfry.pass(16).await;
    assert_eq!(state().await, "unknown");
}

#[tokio::test(start_paused = true)]
async fn every_page_address_gets_the_web_app_or_says_how_to_build_it() {
    let belfry = Belfry::start().await;
    // A debug build reads the app from the source tree, so the test sees what is there now.
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui/dist/index.html");
    let built = std::fs::read_to_string(built).ok();
    for path in [
        "/",
        "/index.html",
        "/incidents/12",
        "/logs?q=a",
        "/no/such/page",
    ] {
        let answer = belfry.ask(&format!("GET {path}"), "").await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(
            answer.header("content-type").starts_with("text/html"),
            "{path}"
        );
        assert_eq!(answer.header("cache-control"), "no-cache", "{path}");
        match &built {
            Some(page) => assert_eq!(answer.body, *page, "{path}"),
            None => assert!(answer.body.contains("make ui"), "{path}: {}", answer.body),
        }
    }
    let missing = belfry.ask("GET /assets/none.js", "").await;
    assert_eq!(missing.status, 404, "a missing file is not a page");
    let outside = belfry.ask("GET /../Cargo.toml", "").await;
    assert!(!outside.body.contains("[package]"));
}
