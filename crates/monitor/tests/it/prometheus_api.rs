//! Prometheus' HTTP API: envelope, status codes, positions of errors, forms of answers.

use serde_json::{Value, json};

use super::harness::{Belfry, EPOCH_SECONDS};

/// A shop that was scraped for a minute.
async fn scraped() -> Belfry {
    let belfry = Belfry::start().await;
    belfry.expose("orders_total 10\nstock 5\nsizes{size=\"xl\"} 1\nsizes{size=\"s\"} 2\n");
    belfry.pass(61).await;
    belfry
}

/// `GET path` gives this status and, in `error` or `data`, this JSON (`null`: anything).
async fn check(belfry: &Belfry, path: &str, status: u16, expect: Value) {
    let answer = belfry.ask(&format!("GET {path}"), "").await;
    assert_eq!(answer.status, status, "{path}: {}", answer.body);
    let body = answer.json();
    if status == 200 {
        assert_eq!(body["status"], "success", "{path}: {body}");
        assert!(body.get("error").is_none(), "{path}: {body}");
        if !expect.is_null() {
            assert_eq!(body["data"], expect, "{path}");
        }
    } else {
        assert_eq!(body["status"], "error", "{path}: {body}");
        assert_eq!(body["errorType"], expect["type"], "{path}: {body}");
        let error = body["error"].as_str().unwrap();
        let wanted = expect["error"].as_str().unwrap();
        assert!(
            error.contains(wanted),
            "{path}: `{error}`, wanted `{wanted}`"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn instant_queries() {
    let belfry = scraped().await;
    let now = EPOCH_SECONDS + 60;
    let one = |labels: Value, at: Value, value: &str| json!({"resultType": "vector", "result": [{"metric": labels, "value": [at, value]}]});
    let shop = |name: &str| json!({"__name__": name, "job": "shop", "instance": "shop.test:80"});
    let cases = [
        (
            format!("query=stock&time={now}"),
            one(shop("stock"), json!(now), "5"),
        ),
        (
            "query=stock&time=2026-11-23T09:01:00.250Z".to_owned(),
            one(shop("stock"), json!(now as f64 + 0.25), "5"),
        ),
        (
            format!("query=up&time={now}"),
            one(shop("up"), json!(now), "1"),
        ),
        (
            format!("query=none&time={now}"),
            json!({"resultType": "vector", "result": []}),
        ),
        (
            format!("query=1%2F0&time={now}"),
            json!({"resultType": "scalar", "result": [now, "+Inf"]}),
        ),
        (
            format!("query=-1%2F0&time={now}"),
            json!({"resultType": "scalar", "result": [now, "-Inf"]}),
        ),
        (
            format!("query=0%2F0&time={now}"),
            json!({"resultType": "scalar", "result": [now, "NaN"]}),
        ),
        (
            format!("query=%22hi%22&time={now}"),
            json!({"resultType": "string", "result": [now, "hi"]}),
        ),
        (
            format!("query=sum(sizes)+by+(job)&time={now}"),
            one(json!({"job": "shop"}), json!(now), "3"),
        ),
        // Before the first scrape there was nothing.
        (
            "query=stock&time=1".to_owned(),
            json!({"resultType": "vector", "result": []}),
        ),
    ];
    for (query, expect) in cases {
        check(&belfry, &format!("/api/v1/query?{query}"), 200, expect).await;
    }
    // A range selector gives the raw samples.
    let raw = belfry
        .get(&format!("/api/v1/query?query=stock[1m]&time={now}"))
        .await;
    assert_eq!(raw["data"]["resultType"], "matrix", "{raw}");
    let points = raw["data"]["result"][0]["values"].as_array().unwrap();
    assert!((3..=5).contains(&points.len()), "one scrape in 15 s: {raw}");
}

#[tokio::test(start_paused = true)]
async fn errors_say_what_and_where() {
    let belfry = scraped().await;
    let bad = |error: &str| json!({"type": "bad_data", "error": error});
    let execution = |error: &str| json!({"type": "execution", "error": error});
    let range = "start=1795424400&end=1795424460";
    let cases = [
        ("/api/v1/query".to_owned(), 400, bad("`query` is missing")),
        (
            "/api/v1/query?query=".to_owned(),
            400,
            bad("`query` is missing"),
        ),
        (
            "/api/v1/query?query=rate(".to_owned(),
            400,
            bad("invalid parameter \"query\": 6:"),
        ),
        (
            "/api/v1/query?query=stock+%2B".to_owned(),
            400,
            bad("invalid parameter \"query\": 8:"),
        ),
        (
            "/api/v1/query?query=rate(stock)".to_owned(),
            400,
            bad("invalid parameter \"query\": 6:"),
        ),
        (
            "/api/v1/query?query=nosuch(stock)".to_owned(),
            400,
            bad("invalid parameter \"query\": 1:"),
        ),
        (
            "/api/v1/query?query=stock&time=soon".to_owned(),
            400,
            bad("`time` is neither"),
        ),
        (
            "/api/v1/query?query=stock&time=NaN".to_owned(),
            400,
            bad("`time` is neither"),
        ),
        (
            "/api/v1/query?query=sizes+%2B+on(job)+sizes".to_owned(),
            422,
            execution(""),
        ),
        (
            "/api/v1/query_range?query=stock".to_owned(),
            400,
            bad("`start` is missing"),
        ),
        (
            "/api/v1/query_range?query=stock&start=1".to_owned(),
            400,
            bad("`end` is missing"),
        ),
        (
            format!("/api/v1/query_range?query=stock&{range}"),
            400,
            bad("`step` is missing"),
        ),
        (
            format!("/api/v1/query_range?query=stock&{range}&step=0"),
            400,
            bad("`step` must be"),
        ),
        (
            format!("/api/v1/query_range?query=stock&{range}&step=-5"),
            400,
            bad("`step` must be"),
        ),
        (
            format!("/api/v1/query_range?query=stock&{range}&step=often"),
            400,
            bad("`step` must be"),
        ),
        (
            format!("/api/v1/query_range?query=stock[1m]&{range}&step=5"),
            422,
            execution("range query"),
        ),
        (
            "/api/v1/query_range?query=stock&start=5&end=1&step=1".to_owned(),
            400,
            bad("`end` lies before"),
        ),
        (
            "/api/v1/query_range?query=stock&start=0&end=11000&step=1".to_owned(),
            400,
            bad("more than 11000 points"),
        ),
        (
            "/api/v1/series".to_owned(),
            400,
            bad("`match[]` is missing"),
        ),
        (
            "/api/v1/series?match[]=stock%7B".to_owned(),
            400,
            bad("invalid parameter \"match[]\""),
        ),
        (
            "/api/v1/series?match[]=rate(stock[1m])".to_owned(),
            400,
            bad("must be a series selector"),
        ),
        (
            "/api/v1/label/no-name/values".to_owned(),
            400,
            bad("`no-name` is not a label name"),
        ),
        (
            "/api/v1/labels?start=soon".to_owned(),
            400,
            bad("`start` is neither"),
        ),
    ];
    for (path, status, expect) in cases {
        check(&belfry, &path, status, expect).await;
    }
}

/// Times and steps at the ends of their types are answered, not a panic.
#[tokio::test(start_paused = true)]
async fn extreme_times_are_answered() {
    let belfry = scraped().await;
    let times = [
        "-1e300",
        "1e300",
        "0",
        "-9223372036854775.807",
        "9223372036854775.807",
        "1e-300",
    ];
    let queries = [
        "stock",
        "rate(stock[5m])",
        "stock+offset+1y",
        "time()",
        "stock[1h:1m]",
    ];
    for time in times {
        for query in queries {
            let answer = belfry
                .ask(&format!("GET /api/v1/query?query={query}&time={time}"), "")
                .await;
            assert!(
                answer.status.as_u16() < 500,
                "{query} at {time}: {}",
                answer.body
            );
            for step in ["1", "1e9", "1e15", "1e300"] {
                let path = format!(
                    "GET /api/v1/query_range?query={query}&start={time}&end={time}&step={step}"
                );
                let answer = belfry.ask(&path, "").await;
                assert!(answer.status.as_u16() < 500, "{path}: {}", answer.body);
            }
        }
        for path in ["series?match[]=stock&", "labels?", "label/job/values?"] {
            let path = format!("GET /api/v1/{path}start={time}&end={time}");
            let answer = belfry.ask(&path, "").await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn ranges() {
    let belfry = scraped().await;
    let (from, to) = (EPOCH_SECONDS + 30, EPOCH_SECONDS + 60);
    for step in ["15", "15s", "15.0"] {
        let path = format!("/api/v1/query_range?query=stock&start={from}&end={to}&step={step}");
        let expect = json!({"resultType": "matrix", "result": [{
            "metric": {"__name__": "stock", "job": "shop", "instance": "shop.test:80"},
            "values": [[from, "5"], [from + 15, "5"], [from + 30, "5"]],
        }]});
        check(&belfry, &path, 200, expect).await;
    }
    // The same by POST, as Grafana asks.
    let form = format!("query=stock&start={from}&end={to}&step=15");
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    let answer = belfry
        .ask_with("POST /api/v1/query_range", &form, &kind)
        .await;
    assert_eq!(
        answer.json()["data"]["result"][0]["values"][2],
        json!([from + 30, "5"])
    );
}

#[tokio::test(start_paused = true)]
async fn series_and_labels() {
    let belfry = scraped().await;
    let series = |name: &str, size: &str| json!({"__name__": name, "size": size, "job": "shop", "instance": "shop.test:80"});
    let cases = [
        (
            "/api/v1/series?match[]=sizes",
            json!([series("sizes", "s"), series("sizes", "xl")]),
        ),
        (
            "/api/v1/series?match[]=sizes%7Bsize=%22s%22%7D&match[]=sizes%7Bsize=%22s%22%7D",
            json!([series("sizes", "s")]),
        ),
        ("/api/v1/series?match[]=none", json!([])),
        ("/api/v1/series?match[]=sizes&start=1&end=2", json!([])),
        ("/api/v1/label/size/values", json!(["s", "xl"])),
        ("/api/v1/label/size/values?match[]=stock", json!([])),
        (
            "/api/v1/labels?match[]=sizes",
            json!(["__name__", "instance", "job", "size"]),
        ),
        (
            "/api/v1/label/__name__/values?match[]=%7Bjob=%22shop%22%7D",
            json!([
                "belfry_plan_metric_present",
                "belfry_plan_metric_state",
                "orders_total",
                "scrape_duration_seconds",
                "scrape_samples_scraped",
                "sizes",
                "stock",
                "up"
            ]),
        ),
    ];
    for (path, expect) in cases {
        check(&belfry, path, 200, expect).await;
    }
}

#[tokio::test(start_paused = true)]
async fn targets_rules_and_alerts() {
    let belfry = scraped().await;
    let targets = belfry.get("/api/v1/targets").await;
    let target = &targets["data"]["activeTargets"][0];
    assert_eq!(target["scrapeUrl"], "http://shop.test:80/metrics");
    assert_eq!(
        (&target["health"], &target["lastError"]),
        (&json!("up"), &json!(""))
    );
    assert_eq!(
        target["labels"],
        json!({"job": "shop", "instance": "shop.test:80"})
    );
    assert_eq!(target["scrapeInterval"], "15s");

    belfry.expose("stock 0\n");
    belfry.pass(25).await;
    let rules = belfry.get("/api/v1/rules").await;
    let group = &rules["data"]["groups"][0];
    assert_eq!(
        (&group["name"], &group["interval"]),
        (&json!("shop"), &json!(15.0))
    );
    let rule = &group["rules"][0];
    assert_eq!(rule["name"], "NoStock");
    assert_eq!(rule["query"], "stock < 1");
    assert_eq!(rule["duration"], 30.0);
    assert_eq!(rule["type"], "alerting");
    assert_eq!(rule["health"], "ok");
    assert_eq!(rule["state"], "pending");
    assert_eq!(rule["labels"], json!({"severity": "critical"}));
    assert_eq!(group["rules"][1]["state"], "firing", "{group}");

    belfry.pass(40).await;
    let alerts = belfry.get("/api/v1/alerts").await;
    let alert = &alerts["data"]["alerts"][0];
    assert_eq!(
        alert["labels"],
        json!({"alertname": "NoStock", "severity": "critical", "job": "shop", "instance": "shop.test:80"})
    );
    assert_eq!(
        alert["annotations"]["summary"],
        "0 boxes left at shop.test:80"
    );
    assert_eq!(
        (&alert["state"], &alert["value"]),
        (&json!("firing"), &json!("0"))
    );

    let state = "ALERTS%7Balertname=%22NoStock%22%7D";
    let firing = json!({"__name__": "ALERTS", "alertname": "NoStock", "alertstate": "firing", "severity": "critical",
        "job": "shop", "instance": "shop.test:80"});
    let shown = belfry.get(&format!("/api/v1/query?query={state}")).await;
    assert_eq!(shown["data"]["result"][0]["metric"], firing, "{shown}");
    assert_eq!(
        shown["data"]["result"].as_array().map(Vec::len),
        Some(1),
        "pending has ended: {shown}"
    );
    belfry.expose("stock 5\n");
    belfry.pass(16).await;
    let shown = belfry.get(&format!("/api/v1/query?query={state}")).await;
    assert_eq!(
        shown["data"]["result"],
        json!([]),
        "a resolved alert leaves no series behind"
    );

    belfry.expose("");
    belfry.pass(15).await;
    let targets = belfry.get("/api/v1/targets").await;
    let target = &targets["data"]["activeTargets"][0];
    assert_eq!(target["health"], "down");
    assert_eq!(
        target["lastError"],
        "the target answered 500 Internal Server Error"
    );
}

#[tokio::test(start_paused = true)]
async fn metadata_comes_from_the_plan() {
    let belfry = scraped().await;
    let metadata = belfry.get("/api/v1/metadata").await;
    assert_eq!(
        metadata["data"]["stock"],
        json!([{"type": "gauge", "help": "Boxes in stock.", "unit": ""}])
    );
    assert_eq!(
        belfry.get("/api/v1/status/buildinfo").await["data"]["application"],
        "Belfry"
    );
}

#[tokio::test(start_paused = true)]
async fn own_health() {
    let belfry = scraped().await;
    for path in ["/-/healthy", "/-/ready"] {
        let answer = belfry.ask(&format!("GET {path}"), "").await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    }
    assert!(belfry.own_metric("belfry_scrape_iterations_total").await >= 4.0);
    assert!(belfry.own_metric("belfry_rule_evaluations_total").await >= 6.0);
}
