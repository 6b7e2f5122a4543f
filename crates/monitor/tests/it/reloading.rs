//! Reloading the plan: a broken one changes nothing and says so; a changed one is in force at once.

use serde_json::json;

use super::harness::{Belfry, PLAN};

#[tokio::test(start_paused = true)]
async fn a_broken_plan_keeps_the_old_one() {
    let belfry = Belfry::start().await;
    let loaded_at = belfry.get("/api/belfry/v1/plan").await["loaded_at"].clone();
    belfry.pass(30).await;
    let broken = PLAN
        .replace("expr: stock < 1", "expr: stock <")
        .replace("for: 30s", "for: soon");
    belfry.write_plan(&broken);
    let detail = belfry.ask("POST /-/reload", "").await.problem(400);
    // Both mistakes at once, each with its place and what would be right.
    for part in ["plan.yaml:15:", "plan.yaml:16:", "BF0018", "BF0008"] {
        assert!(detail.contains(part), "`{part}` is in {detail}");
    }
    let plan = belfry.get("/api/belfry/v1/plan").await;
    assert_eq!(plan["reload_error"], detail);
    assert_eq!(plan["loaded_at"], loaded_at);
    assert!(
        plan["text"].as_str().unwrap().contains("expr: stock < 1"),
        "the text is the one in force"
    );
    assert_eq!(
        belfry.own_metric("belfry_plan_reload_failures_total").await,
        1.0
    );
    // The old rules still work.
    belfry.expose("stock 0\n");
    belfry.pass(90).await;
    assert_eq!(
        belfry.pages(),
        ["firing LowStock ada 1", "firing NoStock ada 1"]
    );
    assert_eq!(belfry.ask("GET /-/ready", "").await.status, 200);
    // A plan that is gone is as broken as one that says nothing.
    std::fs::remove_file(belfry.folder.path().join("plan.yaml")).unwrap();
    let detail = belfry.ask("POST /-/reload", "").await.problem(400);
    assert!(detail.contains("cannot read"), "{detail}");
    belfry.write_plan(PLAN);
    assert_eq!(belfry.ask("POST /-/reload", "").await.status, 200);
    assert_eq!(
        belfry.get("/api/belfry/v1/plan").await["reload_error"],
        json!(null)
    );
}

#[tokio::test(start_paused = true)]
async fn a_changed_plan_is_in_force_and_a_removed_rule_ends_its_incident() {
    let belfry = Belfry::start().await;
    belfry.expose("stock 0\n");
    belfry.pass(90).await;
    let start = PLAN.find("      - alert: NoStock").unwrap();
    let end = PLAN.find("      - alert: LowStock").unwrap();
    let without = format!("{}{}", &PLAN[..start], &PLAN[end..]).replace("stock < 3", "stock < 10");
    belfry.write_plan(&without);
    let answer = belfry.ask("POST /-/reload", "").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    belfry.pass(2).await;
    let over = belfry.get("/api/belfry/v1/incidents/2").await;
    assert_eq!(
        (&over["state"], &over["resolve_reason"]),
        (&json!("resolved"), &json!("rule_removed"))
    );
    belfry.pass(90).await;
    let alerts = belfry.get("/api/belfry/v1/alerts").await;
    assert_eq!(alerts.as_array().unwrap().len(), 1, "{alerts}");
    assert_eq!(alerts[0]["expr"], "stock < 10");
    let held = belfry.get("/api/belfry/v1/incidents/1").await;
    assert_eq!(held["state"], "open", "what still fires goes on: {held}");
    assert_eq!(
        belfry.pages(),
        [
            "firing LowStock ada 1",
            "firing NoStock ada 1",
            "resolved NoStock ada 1"
        ]
    );
    // Back again: a new incident, not the old one.
    belfry.write_plan(PLAN);
    assert_eq!(belfry.ask("POST /-/reload", "").await.status, 200);
    belfry.pass(90).await;
    assert_eq!(
        belfry.get("/api/belfry/v1/incidents/3").await["alert"],
        "NoStock"
    );
}

#[tokio::test(start_paused = true)]
async fn targets_and_probes_follow_the_plan() {
    let belfry = Belfry::start().await;
    belfry.pass(30).await;
    let changed = PLAN
        .replace(
            "job: shop, url: 'http://shop.test:80/metrics'",
            "job: shop, instance: main, url: 'http://shop.test:80/metrics'",
        )
        .replace(
            "name: health, kind: readiness",
            "name: door, kind: readiness",
        )
        .replace("check: health", "check: door");
    belfry.write_plan(&changed);
    let answer = belfry.ask("POST /-/reload", "").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    belfry.pass(31).await;
    let targets = belfry.get("/api/v1/targets").await;
    let targets = targets["data"]["activeTargets"].as_array().unwrap().clone();
    assert_eq!(targets.len(), 1, "the old one is forgotten: {targets:?}");
    assert_eq!(
        (&targets[0]["labels"]["instance"], &targets[0]["health"]),
        (&json!("main"), &json!("up"))
    );
    let probes = belfry.get("/api/belfry/v1/health").await;
    assert_eq!(probes.as_array().unwrap().len(), 1, "{probes}");
    assert_eq!(
        (&probes[0]["name"], &probes[0]["state"]),
        (&json!("door"), &json!("pass"))
    );
}

/// The stores keep the periods that they were opened with: a reload that changes one says so and changes nothing, instead
/// of letting senders fail.
#[tokio::test(start_paused = true)]
async fn changed_periods_need_a_start() {
    let audit = "    - {name: AUDIT, category: audit, keep: 30d}\n    - {name: SECURITY,";
    for (old, new) in [
        ("    - {name: SECURITY,", audit),
        ("level: DEBUG, keep: 7d", "level: DEBUG, keep: 8d"),
        (
            "title: The shop",
            "title: The shop\nmetrics_retention: 100d",
        ),
    ] {
        let belfry = Belfry::start().await;
        assert!(PLAN.contains(old));
        belfry.write_plan(&PLAN.replace(old, new));
        let detail = belfry.ask("POST /-/reload", "").await.problem(400);
        assert!(detail.contains("restart Belfry"), "{detail}");
        assert_eq!(
            belfry.get("/api/belfry/v1/plan").await["reload_error"],
            detail
        );
        let line = r#"{"level":"INFO","category":"audit","message":"counted"}"#;
        let answer = belfry.ask("POST /api/v1/logs", line).await;
        assert_eq!(answer.json()["accepted"], 1, "{}", answer.body);
    }
}
