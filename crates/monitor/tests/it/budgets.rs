//! Error budgets through the API, and burn-rate alerts from a scrape to a page.

use serde_json::Value;

use super::harness::{Belfry, PLAN, in_folder};

/// The shop with one more counter and an objective over both.
fn plan_with_events() -> String {
    let metric = "  - {name: orders_failed_total, type: counter, meaning: Orders that failed., group: business}\nrule_groups:";
    let objective = "objectives:
  - id: orders
    title: Orders that work
    expr: 1 - increase(orders_failed_total[30d]) / increase(orders_total[30d])
    unit: ratio
    target: '> 99%'
    window: 30d
    events: {bad: orders_failed_total, total: orders_total}
    burn_alerts: {escalation: standard, procedure: restock}";
    PLAN.replace("rule_groups:", metric)
        .replace("objectives:", objective)
}

async fn budget(belfry: &Belfry) -> Value {
    belfry.get("/api/belfry/v1/objectives").await[0]["budget"].clone()
}

/// Lets the shop take orders for some minutes, a scrape each quarter.
async fn trade(
    belfry: &Belfry,
    from: (u64, u64),
    minutes: u64,
    orders: u64,
    failed: u64,
) -> (u64, u64) {
    let (mut all, mut bad) = from;
    for _ in 0..4 * minutes {
        (all, bad) = (all + orders, bad + failed);
        belfry.expose(&format!(
            "stock 5\norders_total {all}\norders_failed_total {bad}\n"
        ));
        belfry.pass(15).await;
    }
    (all, bad)
}

#[tokio::test(start_paused = true)]
async fn a_budget_is_spent_and_told() {
    let belfry = Belfry::start_with(&plan_with_events(), |_| {}, in_folder).await;
    let clean = trade(&belfry, (0, 0), 20, 100, 0).await;
    let found = budget(&belfry).await;
    assert_eq!(found["origin"], "1% = 100% - 99%: the target is > 99%");
    assert_eq!(
        (&found["state"], &found["reason"]),
        (&Value::from("known"), &Value::Null)
    );
    assert_eq!(
        (found["bad"].as_f64(), found["left_ratio"].as_f64()),
        (Some(0.0), Some(1.0))
    );
    assert_eq!(found["exhausted_in_seconds"], Value::Null, "for ever");
    assert_eq!(belfry.pages(), [""; 0]);

    // Half of the orders of two minutes fail: of some 8900 that are 400, four and a half of a hundred.
    let bad = trade(&belfry, clean, 2, 100, 50).await;
    let after = trade(&belfry, bad, 2, 100, 0).await;
    let found = budget(&belfry).await;
    let number = |name: &str| found[name].as_f64().unwrap();
    assert!((number("events") - after.0 as f64).abs() < 300.0, "{found}");
    assert!((number("bad") - 400.0).abs() < 20.0, "{found}");
    assert!(
        (number("allowed") - number("events") / 100.0).abs() < 1e-6,
        "{found}"
    );
    assert!(
        (number("used_ratio") - number("bad") / number("allowed")).abs() < 1e-6,
        "{found}"
    );
    assert!(
        (number("left_ratio") - 1.0 + number("used_ratio")).abs() < 1e-9,
        "{found}"
    );
    assert_eq!(found["exhausted_in_seconds"], 0, "overspent");
    let rate = &found["burn_rates"][0];
    assert_eq!(rate["window_seconds"], 3600);
    assert!(
        (3.0..6.0).contains(&rate["rate"].as_f64().unwrap()),
        "{found}"
    );
    let lines = found["arithmetic"].as_array().unwrap();
    assert!(
        lines
            .iter()
            .any(|line| line == "lasts: the budget is spent"),
        "{found}"
    );
    // Four and a half times is past the three and the one that warn, and not past the fourteen that page.
    let alerts = belfry.get("/api/belfry/v1/alerts").await;
    let states: Vec<(&str, &str)> = alerts
        .as_array()
        .unwrap()
        .iter()
        .filter(|rule| rule["group"] == "orders-budget")
        .map(|rule| {
            (
                rule["name"].as_str().unwrap(),
                rule["state"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        states,
        [
            ("OrdersBudgetBurn1h", "inactive"),
            ("OrdersBudgetBurn6h", "inactive"),
            ("OrdersBudgetBurn1d", "firing"),
            ("OrdersBudgetBurn3d", "firing"),
        ]
    );

    // Everything fails: the fast ones page, all of them in one incident and one page.
    trade(&belfry, after, 5, 100, 100).await;
    let incidents = belfry.get("/api/belfry/v1/incidents?state=open").await;
    let severities: Vec<&str> = incidents
        .as_array()
        .unwrap()
        .iter()
        .map(|incident| incident["severity"].as_str().unwrap())
        .collect();
    assert_eq!(severities, ["critical", "warning"]);
    let series = belfry
        .get("/api/v1/query?query=belfry_objective_budget_left_ratio")
        .await;
    let left = series["data"]["result"][0]["value"][1].as_str().unwrap();
    assert!(left.parse::<f64>().unwrap() < 0.0, "{series}");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_known_of_a_budget_has_a_reason() {
    let belfry = Belfry::start_with(&plan_with_events(), |_| {}, in_folder).await;
    let standing = async || {
        let found = budget(&belfry).await;
        assert_eq!(found["left_ratio"], Value::Null, "{found}");
        let text = |name: &str| found[name].as_str().unwrap().to_owned();
        (text("state"), text("reason"))
    };
    let check = |found: (String, String), state: &str, reason: &str| {
        assert_eq!(found, (state.to_owned(), reason.to_owned()));
    };
    check(standing().await, "no_data", "it was not computed yet");
    belfry.expose("stock 5\n");
    belfry.pass(90).await;
    let why =
        "no sample of the last 30d counts events (bad: orders_failed_total, all: orders_total)";
    check(standing().await, "no_data", why);
    for orders in 0..8 {
        belfry.expose(&format!("orders_total {}\n", 10 * orders));
        belfry.pass(15).await;
    }
    let why = "there were events, but nothing tells good from bad (bad: orders_failed_total, all: orders_total)";
    check(standing().await, "no_data", why);
}

#[tokio::test(start_paused = true)]
async fn no_traffic_spends_no_budget() {
    let belfry = Belfry::start_with(&plan_with_events(), |_| {}, in_folder).await;
    belfry.expose("orders_total 7\norders_failed_total 0\n");
    belfry.pass(120).await;
    let found = budget(&belfry).await;
    assert_eq!(
        (&found["state"], &found["reason"]),
        (
            &Value::from("no_traffic"),
            &Value::from("there were no events")
        )
    );
}
