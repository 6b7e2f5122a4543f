//! Log ingest and search: every line sent is accepted or rejected with a reason, and what was accepted is found.

use serde_json::{Value, json};

use super::harness::Belfry;

const NOW: &str = "2026-11-23T09:00:00Z";

/// Lines go in; `accepted` and `rejected` come out, and together they are what was sent.
async fn check(belfry: &Belfry, lines: &[String], accepted: u64, rejected: Value) {
    let body = lines.join("\n");
    let answer = belfry.ask("POST /api/v1/logs", &body).await;
    assert_eq!(answer.status, 200, "{body}: {}", answer.body);
    let report = answer.json();
    assert_eq!(report["accepted"], accepted, "{body}: {report}");
    assert_eq!(report["rejected"], rejected, "{body}: {report}");
    let refused: u64 = report["rejected"]
        .as_object()
        .unwrap()
        .values()
        .map(|n| n.as_u64().unwrap())
        .sum();
    let sent = lines.iter().filter(|line| !line.trim().is_empty()).count() as u64;
    assert_eq!(accepted + refused, sent, "{body}: {report}");
}

fn line(level: &str, message: &str) -> String {
    json!({"ts": NOW, "level": level, "message": message}).to_string()
}

#[tokio::test(start_paused = true)]
async fn accepted_and_rejected_are_what_was_sent() {
    let belfry = Belfry::start().await;
    let good = || line("INFO", "in order");
    let at = |ts: &str, level: &str| json!({"ts": ts, "level": level, "message": "m"}).to_string();
    let long = line("INFO", &"x".repeat(300 << 10));
    let cases: [(Vec<String>, u64, Value); 12] = [
        (vec![], 0, json!({})),
        (vec![String::new(), "  ".to_owned()], 0, json!({})),
        (vec![good()], 1, json!({})),
        (vec![good(), String::new(), good()], 2, json!({})),
        (vec![good(), "no json".to_owned()], 1, json!({"malformed": 1})),
        (vec!["{".to_owned(), good(), "[1]".to_owned(), "{}".to_owned()], 1, json!({"malformed": 3})),
        (vec![good(), line("LOUD", "m")], 1, json!({"malformed": 1})),
        (vec![good(), at("yesterday", "INFO")], 1, json!({"malformed": 1})),
        // INFO is kept for 30 days, ERROR for a year, and a category's class goes before the level's.
        (
            vec![
                at("2026-10-01T00:00:00Z", "INFO"),
                at("2026-10-01T00:00:00Z", "ERROR"),
                json!({"ts": "2025-01-01T00:00:00Z", "level": "INFO", "category": "security", "message": "m"}).to_string(),
            ],
            2,
            json!({"too_old": 1}),
        ),
        (
            vec![at("2026-11-24T08:00:00Z", "INFO"), at("2026-11-24T10:00:00Z", "INFO")],
            1,
            json!({"future": 1}),
        ),
        (vec![long, good()], 1, json!({"too_long": 1})),
        (
            vec![at("2020-01-01T00:00:00Z", "DEBUG"), "x".to_owned(), good(), at("2030-01-01T00:00:00Z", "WARN")],
            1,
            json!({"too_old": 1, "malformed": 1, "future": 1}),
        ),
    ];
    let mut stored = 0;
    for (lines, accepted, rejected) in cases {
        check(&belfry, &lines, accepted, rejected).await;
        stored += accepted;
    }
    assert_eq!(
        belfry.own_metric("belfry_log_lines_stored_total").await,
        stored as f64
    );
    let dropped = [
        ("malformed", 7.0),
        ("too_old", 2.0),
        ("future", 2.0),
        ("too_long", 1.0),
    ];
    for (reason, lines) in dropped {
        let series = format!("belfry_log_lines_dropped_total{{reason=\"{reason}\"}}");
        assert_eq!(belfry.own_metric(&series).await, lines, "{reason}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_of_nothing_but_mistakes_is_refused_and_counted() {
    let belfry = Belfry::start().await;
    let answer = belfry
        .ask("POST /api/v1/logs", "{\"level\":\"INFO\"}\nx")
        .await;
    assert_eq!(answer.problem(400), "line 1: the line has no `message`");
    let dropped = "belfry_log_lines_dropped_total{reason=\"malformed\"}";
    assert_eq!(
        belfry.own_metric(dropped).await,
        2.0,
        "a sender that is broken must show"
    );
}

#[tokio::test(start_paused = true)]
async fn too_many_lines_are_refused_whole() {
    let belfry = Belfry::start().await;
    let one = line("INFO", "m");
    let answer = belfry
        .ask("POST /api/v1/logs", &vec![one.as_str(); 100_001].join("\n"))
        .await;
    assert!(answer.problem(400).contains("more than 100000 lines"));
    let found = belfry.get("/api/belfry/v1/logs").await;
    assert_eq!(found["entries"], json!([]));
}

/// A store with lines of every kind.
async fn filled() -> Belfry {
    let belfry = Belfry::start().await;
    let lines = [
        json!({"ts": "2026-11-23T08:10:00Z", "level": "DEBUG", "message": "looked at box 1"}),
        json!({"ts": "2026-11-23T08:20:00Z", "level": "INFO", "message": "Order taken", "order": "17", "customer": "ada"}),
        json!({"ts": "2026-11-23T08:20:00.000000001Z", "level": "INFO", "message": "order taken", "order": 170, "customer": "lea"}),
        json!({"ts": "2026-11-23T08:30:00Z", "level": "WARN", "message": "box nearly empty", "service": "storehouse"}),
        json!({"ts": "2026-11-23T08:40:00Z", "level": "ERROR", "message": "order lost", "order": "18"}),
        json!({"ts": "2026-11-23T08:50:00Z", "level": "INFO", "message": "came in", "category": "security", "customer": "ada"}),
        json!({"ts": "2026-11-22T08:50:00Z", "level": "ERROR", "message": "order lost yesterday"}),
    ];
    let text: Vec<String> = lines.iter().map(Value::to_string).collect();
    assert_eq!(
        belfry
            .ask("POST /api/v1/logs", &text.join("\n"))
            .await
            .json()["accepted"],
        7
    );
    belfry
}

#[tokio::test(start_paused = true)]
async fn searches() {
    let belfry = filled().await;
    let day = "from=2026-11-22T00:00:00Z&to=2026-11-24T00:00:00Z";
    let cases = [
        // The last hour, the newest first.
        (
            "",
            "came in|order lost|box nearly empty|order taken|Order taken|looked at box 1",
        ),
        ("level=ERROR", "order lost"),
        ("level=error&level=WARN", "order lost|box nearly empty"),
        ("category=security", "came in"),
        ("service=storehouse", "box nearly empty"),
        ("q=order", "order lost|order taken|Order taken"),
        ("q=ORDER+tak", "order taken|Order taken"),
        ("q=order%3D17", "Order taken"),
        ("q=order%3D170", "order taken"),
        ("q=customer%3Dada+order", "Order taken"),
        ("q=customer%3Dada", "came in|Order taken"),
        ("q=level:ERROR+order", "order lost"),
        ("q=category:security", "came in"),
        ("q=service:storehouse", "box nearly empty"),
        ("q=ada", "came in|Order taken"),
        ("q=nothing+like+it", ""),
        (
            "from=2026-11-23T08:20:00Z&to=2026-11-23T08:30:00Z",
            "box nearly empty|order taken|Order taken",
        ),
        ("from=1795422000&to=1795422000", "order taken|Order taken"),
        (
            day,
            "came in|order lost|box nearly empty|order taken|Order taken|looked at box 1|order lost yesterday",
        ),
        ("from=2026-11-24T00:00:00Z&to=2026-11-25T00:00:00Z", ""),
    ];
    for (query, expect) in cases {
        let found = belfry.get(&format!("/api/belfry/v1/logs?{query}")).await;
        let entries = found["entries"].as_array().unwrap();
        let messages: Vec<&str> = entries
            .iter()
            .map(|entry| entry["message"].as_str().unwrap())
            .collect();
        assert_eq!(messages.join("|"), expect, "{query}");
        assert_eq!(found["truncated"], false, "{query}");
    }
    for (limit, truncated) in [(0, true), (1, true), (5, true), (6, false), (7, false)] {
        let found = belfry
            .get(&format!("/api/belfry/v1/logs?limit={limit}"))
            .await;
        assert_eq!(found["truncated"], truncated, "limit {limit}");
        assert_eq!(found["entries"].as_array().unwrap().len(), limit.min(6));
    }
    let found = belfry.get("/api/belfry/v1/logs?q=order%3D17").await;
    assert_eq!(
        found["entries"][0],
        json!({"at": "2026-11-23T08:20:00Z", "level": "INFO", "category": null, "class": "INFO", "service": "shop",
            "message": "Order taken", "fields": {"customer": "ada", "order": "17"}})
    );
}

#[tokio::test(start_paused = true)]
async fn questions_that_make_no_sense_are_refused() {
    let belfry = filled().await;
    let cases = [
        ("logs?from=soon", "`from` is neither"),
        ("logs?to=later", "`to` is neither"),
        ("logs?from=2&to=1", "`to` lies before `from`"),
        ("logs?level=LOUD", "`LOUD` is not a level"),
        ("logs?q=level:LOUD", "`LOUD` is not a level"),
        ("logs?limit=many", "`limit` is not a number"),
        ("logs/histogram?step=0", "the step is zero"),
        ("logs/histogram?step=-1", "`step` must be positive"),
        ("logs/histogram?step=x", "`step` is not a number"),
        ("logs/histogram?step=1e12", "the step is too long"),
    ];
    for (path, why) in cases {
        let detail = belfry
            .ask(&format!("GET /api/belfry/v1/{path}"), "")
            .await
            .problem(400);
        assert!(detail.contains(why), "{path}: {detail}");
    }
    for path in [
        "logs?from=-1e300&to=1e300",
        "logs/histogram?from=-1e300&to=1e300&step=1e9",
        "logs?limit=99999999999",
    ] {
        let answer = belfry.ask(&format!("GET /api/belfry/v1/{path}"), "").await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    }
}

#[tokio::test(start_paused = true)]
async fn the_histogram_counts_by_level() {
    let belfry = filled().await;
    let found = belfry.get("/api/belfry/v1/logs/histogram?step=1200").await;
    let counts = |debug, info, warn, error| json!({"DEBUG": debug, "INFO": info, "WARN": warn, "ERROR": error});
    assert_eq!(
        found,
        json!([
            {"at": "2026-11-23T08:00:00Z", "counts": counts(1, 0, 0, 0)},
            {"at": "2026-11-23T08:20:00Z", "counts": counts(0, 2, 1, 0)},
            {"at": "2026-11-23T08:40:00Z", "counts": counts(0, 1, 0, 1)},
        ])
    );
    let found = belfry
        .get("/api/belfry/v1/logs/histogram?step=3600&q=order&level=INFO")
        .await;
    assert_eq!(
        found,
        json!([{"at": "2026-11-23T08:00:00Z", "counts": counts(0, 2, 0, 0)}])
    );
}

#[tokio::test(start_paused = true)]
async fn retention_is_shown_and_kept() {
    let belfry = filled().await;
    let figures = async |class: &str| {
        let list = belfry.get("/api/belfry/v1/logs/retention").await;
        let found = list
            .as_array()
            .unwrap()
            .iter()
            .find(|own| own["class"] == class)
            .cloned();
        found.unwrap_or_else(|| panic!("no {class}: {list}"))
    };
    let keeps = [
        ("DEBUG", 7),
        ("INFO", 30),
        ("WARN", 90),
        ("ERROR", 365),
        ("SECURITY", 730),
    ];
    for (class, days) in keeps {
        assert_eq!(
            figures(class).await["keep_seconds"],
            days * 86_400,
            "{class}"
        );
    }
    let debug = figures("DEBUG").await;
    assert_eq!((&debug["lines"], &debug["files"]), (&json!(1), &json!(1)));
    assert_eq!(debug["oldest"], "2026-11-23T08:10:00Z");
    assert!(debug["next_deletion"].is_string(), "{debug}");
    assert_eq!(
        figures("SECURITY").await["lines"],
        1,
        "the category's class goes before the level's"
    );
    assert_eq!(figures("INFO").await["lines"], 2);
    // Nine days later, in one step of the clock: the next maintenance removes the file.
    belfry.sim.clock.jump(9 * 86_400_000);
    belfry.pass(130).await;
    let debug = figures("DEBUG").await;
    assert_eq!(
        (&debug["lines"], &debug["files"]),
        (&json!(0), &json!(0)),
        "{debug}"
    );
    assert_eq!(figures("INFO").await["lines"], 2);
    let all = "/api/belfry/v1/logs?from=2026-11-20T00:00:00Z&level=DEBUG";
    assert_eq!(belfry.get(all).await["entries"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn counts_become_samples() {
    let belfry = filled().await;
    belfry.pass(20).await;
    let query = "sum+by+(level)+(log_lines_total%7Bservice=%22shop%22%7D)";
    let found = belfry.get(&format!("/api/v1/query?query={query}")).await;
    let mut levels: Vec<String> = found["data"]["result"]
        .as_array()
        .unwrap()
        .iter()
        .map(|series| format!("{} {}", series["metric"]["level"], series["value"][1]))
        .collect();
    levels.sort();
    assert_eq!(
        levels,
        ["\"DEBUG\" \"1\"", "\"ERROR\" \"2\"", "\"INFO\" \"3\""]
    );
}
