//! Plans of several files while Belfry runs: reloaded whole or not at all, shown as they are written, and their services told apart.

use serde_json::{Value, json};

use super::harness::{Belfry, PLAN, write};

/// What the plan includes: another service, beside the shop's.
const WAREHOUSE: &str = "\
service: warehouse
title: The warehouse
targets:
  - {job: warehouse, url: 'http://${SHOP_ADDRESS}/metrics', interval: 15s, timeout: 5s}
metrics:
  - {name: boxes, type: gauge, meaning: Boxes that are packed., group: application}
rule_groups:
  - name: warehouse
    interval: 15s
    rules:
      - alert: NoBoxes
        expr: boxes < 1
        severity: critical
        escalation: standard
";

/// The shop's plan with the warehouse's beside it.
fn including() -> String {
    format!("{PLAN}include: [warehouse.yaml]\nincidents: {{group_by: [service]}}\n")
}

async fn reload(belfry: &Belfry) -> super::harness::Answer {
    belfry.ask("POST /-/reload", "").await
}

fn paths(plan: &Value) -> Vec<&str> {
    let files = plan["files"].as_array().unwrap();
    let paths = files.iter().map(|file| file["path"].as_str().unwrap());
    paths
        .map(|path| path.rsplit_once('/').map_or(path, |(_, name)| name))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_broken_file_changes_nothing() {
    let belfry = Belfry::start().await;
    let in_force = async || belfry.get("/api/belfry/v1/plan").await;
    belfry.write_plan(&including());
    let detail = reload(&belfry).await.problem(400);
    assert!(
        detail.contains("BF0041") && detail.contains("warehouse.yaml"),
        "{detail}"
    );
    assert_eq!(paths(&in_force().await), ["plan.yaml"]);

    write(&belfry.folder, "warehouse.yaml", WAREHOUSE);
    assert_eq!(reload(&belfry).await.status, 200);
    let plan = in_force().await;
    assert_eq!(paths(&plan), ["plan.yaml", "warehouse.yaml"]);
    assert_eq!(plan["text"], plan["files"][0]["text"]);
    // As it is written: a value may be a secret.
    assert_eq!(plan["files"][1]["text"], WAREHOUSE);
    let services = json!([
        {"name": "shop", "title": "The shop"},
        {"name": "warehouse", "title": "The warehouse"},
    ]);
    assert_eq!(plan["services"], services);
    belfry.pass(31).await;
    let overview = belfry.get("/api/belfry/v1/overview").await;
    let targets = overview["targets"].as_array().unwrap().iter();
    let up: Vec<_> = targets.map(|own| (&own["job"], &own["health"])).collect();
    assert_eq!(
        up,
        [
            (&json!("shop"), &json!("up")),
            (&json!("warehouse"), &json!("up"))
        ]
    );

    // The main file is as it was; a reload reads the others too.
    let broken = WAREHOUSE
        .replace("boxes < 1", "boxes <")
        .replace("15s, timeout", "'${NOT_SET}', timeout");
    write(&belfry.folder, "warehouse.yaml", &broken);
    let detail = reload(&belfry).await.problem(400);
    for part in [
        "warehouse.yaml:4:",
        "BF0044",
        "`NOT_SET`",
        "warehouse.yaml:12:",
        "BF0018",
    ] {
        assert!(detail.contains(part), "`{part}` is in {detail}");
    }
    let plan = in_force().await;
    assert_eq!(
        (&plan["files"][1]["text"], &plan["reload_error"]),
        (&json!(WAREHOUSE), &json!(detail))
    );
}

#[tokio::test(start_paused = true)]
async fn alerts_group_and_page_by_their_service() {
    let belfry = Belfry::start().await;
    write(&belfry.folder, "warehouse.yaml", WAREHOUSE);
    belfry.write_plan(&including());
    assert_eq!(reload(&belfry).await.status, 200);
    belfry.expose("orders_total 1\nstock 0\nboxes 0\n");
    belfry.pass(90).await;
    let of = |alert: &str| belfry.page_of(alert);
    let service = |alert: &str| {
        let page = of(alert);
        (
            page["groupLabels"]["service"].clone(),
            page["alerts"][0]["labels"]["service"].clone(),
        )
    };
    assert_eq!(service("NoStock"), (json!("shop"), json!("shop")));
    assert_eq!(service("NoBoxes"), (json!("warehouse"), json!("warehouse")));
    let incidents = belfry.get("/api/belfry/v1/incidents").await;
    let incidents = incidents.as_array().unwrap().iter();
    let mut critical: Vec<_> = incidents
        .filter(|own| own["severity"] == "critical")
        .map(|own| own["title"].as_str().unwrap())
        .collect();
    critical.sort_unstable();
    assert_eq!(critical, ["NoBoxes", "NoStock"], "one for each service");

    let series = async |alert: &str| {
        let query = format!("/api/v1/query?query=ALERTS%7Balertname%3D%22{alert}%22%7D");
        belfry.get(&query).await["data"]["result"][0]["metric"]["service"].clone()
    };
    assert_eq!(series("NoBoxes").await, "warehouse");
    // The plan's own service is added where alerts are shown; their identity stays what it was.
    assert_eq!(series("NoStock").await, Value::Null);
}
