//! Coverage, live: faults planted in a shop of which everything is true are each found and named within two intervals, and
//! nothing is found without them.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use world::{HttpError, HttpRequest};

use super::harness::{Belfry, answer, in_folder};

const PLAN: &str = include_str!("coverage.yaml");

/// What is exposed as the plan says. Nothing was returned yet: that counter has its type and no series.
const GOOD: &str = "\
# TYPE orders_total counter
orders_total{kind=\"box\"} 3
# TYPE returns_total counter
# TYPE stock gauge
# UNIT stock boxes
stock 5
# TYPE wait_seconds histogram
wait_seconds_bucket{le=\"1\"} 2
wait_seconds_bucket{le=\"+Inf\"} 2
wait_seconds_sum 1
wait_seconds_count 2
";

const HEALTHY: &str = r#"{"status":"pass","checks":{"database:ping":[{"status":"pass"}],
  "memory:used":[{"status":"pass","componentType":"system"}]}}"#;

/// Two of the target's intervals.
const TWO_INTERVALS: u64 = 30;

/// What the world around Belfry does.
#[derive(Clone)]
struct Around {
    exposed: String,
    health: String,
    sells: bool,
    pager_answers: bool,
    shop_answers: bool,
}

impl Around {
    fn well() -> Around {
        Around {
            exposed: GOOD.to_owned(),
            health: HEALTHY.to_owned(),
            sells: true,
            pager_answers: true,
            shop_answers: true,
        }
    }

    fn exposing(from: &str, to: &str) -> Around {
        assert!(GOOD.contains(from), "{from}");
        Around {
            exposed: GOOD.replace(from, to),
            ..Around::well()
        }
    }
}

struct Shop {
    belfry: Belfry,
    around: Arc<Mutex<Around>>,
}

impl Shop {
    /// A shop that all is well with, watched for long enough to be known.
    async fn start(plan: &str) -> Shop {
        Shop::start_as(plan, Around::well()).await
    }

    async fn start_as(plan: &str, around: Around) -> Shop {
        let belfry = Belfry::start_with(plan, |_| {}, in_folder).await;
        let shop = Shop {
            belfry,
            around: Arc::new(Mutex::new(around)),
        };
        shop.plug_in();
        shop.live(180).await;
        shop
    }

    fn plug_in(&self) {
        let around = self.around.clone();
        self.belfry
            .sim
            .net
            .host("shop.test:80", move |request: HttpRequest| {
                let now = around.lock().unwrap().clone();
                Box::pin(async move {
                    match request.url.ends_with("/health") {
                        _ if !now.shop_answers => Err(HttpError::Connect("refused".to_owned())),
                        true => Ok(answer(200, "application/health+json", now.health)),
                        false => Ok(answer(200, "text/plain", now.exposed)),
                    }
                })
            });
        let around = self.around.clone();
        self.belfry.sim.net.host("pager.test:80", move |_| {
            let answers = around.lock().unwrap().pager_answers;
            Box::pin(async move { Ok(answer(if answers { 200 } else { 500 }, "text/plain", "")) })
        });
    }

    fn set(&self, around: Around) {
        *self.around.lock().unwrap() = around;
    }

    /// Lets time pass in which the shop writes its log.
    async fn live(&self, seconds: u64) {
        for _ in 0..seconds / 10 {
            let mut lines = "{\"message\":\"came in\",\"category\":\"security\"}\n".to_owned();
            if self.around.lock().unwrap().sells {
                lines.push_str("{\"message\":\"sold a box\",\"level\":\"INFO\"}\n");
            }
            let taken = self.belfry.ask("POST /api/v1/logs", &lines).await;
            assert_eq!(taken.status, 200, "{}", taken.body);
            self.belfry.pass(10).await;
        }
    }

    async fn report(&self) -> Value {
        self.belfry.get("/api/belfry/v1/coverage").await
    }

    /// Holes as `kind about place`, but for the path that was never drilled.
    async fn holes(&self) -> Vec<String> {
        let report = self.report().await;
        let holes = report["holes"].as_array().unwrap().iter();
        let holes = holes.filter(|hole| hole["kind"] != "path_uncovered");
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        let text = |hole: &Value| {
            let text = [&hole["kind"], &hole["about"], &hole["place"]].map(word);
            text.join(" ").trim().to_owned()
        };
        holes.map(text).collect()
    }

    /// Plants a fault: it is found and named within two intervals of the target, and gone as soon after it is repaired.
    #[track_caller]
    fn check<'s>(&'s self, fault: Around, expect: &'s [&'s str]) -> impl Future<Output = ()> + 's {
        self.check_within(fault, expect, TWO_INTERVALS)
    }

    async fn check_within(&self, fault: Around, expect: &[&str], seconds: u64) {
        assert_eq!(self.holes().await, [""; 0], "before {expect:?}");
        self.set(fault);
        self.live(seconds).await;
        let found = self.report().await;
        assert_eq!(self.holes().await, expect, "{found}");
        for hole in found["holes"].as_array().unwrap() {
            assert!(!hole["what"].as_str().unwrap().is_empty(), "{hole}");
            assert!(!hole["to_do"].as_str().unwrap().is_empty(), "{hole}");
            assert!(hole["since"].is_string(), "{hole}");
        }
        self.set(Around::well());
        self.live(TWO_INTERVALS).await;
    }

    async fn value(&self, query: &str) -> f64 {
        let query: String = form(query);
        let answer = self
            .belfry
            .get(&format!("/api/v1/query?query={query}"))
            .await;
        let rows = answer["data"]["result"].as_array().unwrap();
        assert_eq!(rows.len(), 1, "{answer}");
        rows[0]["value"][1].as_str().unwrap().parse().unwrap()
    }
}

fn form(query: &str) -> String {
    let byte = |byte: u8| format!("%{byte:02X}");
    query.bytes().map(byte).collect()
}

const STOCK: &str = "# TYPE stock gauge\n# UNIT stock boxes\nstock 5\n";

#[tokio::test(start_paused = true)]
async fn planted_faults_in_metrics_are_found_within_two_intervals() {
    let shop = Shop::start(PLAN).await;
    let renamed = Around::exposing("stock", "boxes_in_stock");
    shop.check(
        renamed,
        &[
            "metric_missing stock shop.test:80",
            "alert_on_nothing NoStock",
        ],
    )
    .await;
    let changed_type = Around::exposing("stock gauge", "stock counter");
    shop.check(changed_type, &["metric_type stock shop.test:80"])
        .await;
    let changed_unit = Around::exposing("stock boxes", "stock pallets");
    shop.check(changed_unit, &["metric_unit stock shop.test:80"])
        .await;
    let added_label = Around::exposing("stock 5", "stock{colour=\"red\"} 5");
    shop.check(added_label, &["metric_labels stock shop.test:80"])
        .await;
    let dropped_label = Around::exposing("{kind=\"box\"}", "");
    let holes = [
        "metric_labels orders_total shop.test:80",
        "alert_on_nothing NoOrders",
    ];
    shop.check(dropped_label, &holes).await;
    let other_label = Around::exposing("kind=\"box\"", "sort=\"box\"");
    shop.check(other_label, &holes).await;
    let no_type_line = Around::exposing("# TYPE returns_total counter\n", "");
    let holes = [
        "metric_missing returns_total shop.test:80",
        "alert_on_nothing Returns",
    ];
    shop.check(no_type_line, &holes).await;
    // The first return is no fault.
    let returned = Around::exposing(
        "# TYPE stock",
        "returns_total{reason=\"broken\"} 1\n# TYPE stock",
    );
    shop.check(returned, &[]).await;
}

#[tokio::test(start_paused = true)]
async fn planted_faults_around_the_service_are_found_within_two_intervals() {
    let shop = Shop::start(PLAN).await;
    let dead = Around {
        shop_answers: false,
        ..Around::well()
    };
    shop.check(
        dead,
        &["target_down shop shop.test:80", "probe_unanswered health"],
    )
    .await;
    let with_queue = Around {
        health: HEALTHY.replace(
            "\"memory:used\"",
            "\"queue:length\":[{\"status\":\"pass\"}],\"memory:used\"",
        ),
        ..Around::well()
    };
    shop.check(with_queue, &["dependency_undeclared queue health"])
        .await;
    let renamed = Around {
        health: HEALTHY.replace("database", "store"),
        ..Around::well()
    };
    let holes = [
        "dependency_unanswered database health",
        "dependency_undeclared store health",
    ];
    shop.check(renamed, &holes).await;
    // A line was promised every 30 s: two of those intervals.
    let silent = Around {
        sells: false,
        ..Around::well()
    };
    shop.check_within(silent, &["category_silent sales"], 60)
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_page_that_nobody_receives_is_found() {
    let shop = Shop::start(PLAN).await;
    shop.set(Around {
        pager_answers: false,
        ..Around::exposing("stock 5", "stock 0")
    });
    // A scrape, the evaluation right after it, three seconds for evidence, the attempt, and the next look.
    shop.live(TWO_INTERVALS + 10).await;
    assert_eq!(shop.holes().await, ["pages_not_received ada"]);
    let report = shop.report().await;
    let hole = &report["holes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|own| own["about"] == "ada")
        .unwrap();
    assert!(hole["what"].as_str().unwrap().contains("webhook"), "{hole}");
    // The outbox goes on trying; as soon as the receiver answers the hole closes.
    shop.set(Around::exposing("stock 5", "stock 0"));
    shop.live(180).await;
    assert_eq!(shop.holes().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_role_that_nobody_fills_is_found() {
    let plan = PLAN.replace("roles: [team-lead]", "roles: [team-lead, director]");
    let shop = Shop::start(&plan).await;
    assert_eq!(
        shop.holes().await,
        ["role_reaches_nobody director standard level 2"]
    );
}

#[tokio::test(start_paused = true)]
async fn shares_states_and_proofs_are_reported() {
    let shop = Shop::start(PLAN).await;
    let report = shop.report().await;
    let share = |group: &str, aspect: &str| {
        let shares = report["shares"].as_array().unwrap().iter();
        let mut own = shares.filter(|own| own["group"] == group && own["aspect"] == aspect);
        own.next()
            .unwrap_or_else(|| panic!("{group} {aspect}"))
            .clone()
    };
    assert_eq!(share("application", "arriving")["ratio"], 1.0);
    assert_eq!(share("application", "arriving")["kept"], true);
    // What waits for its first series counts neither way.
    assert_eq!(share("business", "arriving")["known"], 1);
    assert_eq!(share("business", "guarded")["ratio"], 1.0);
    assert_eq!(share("logs", "arriving")["ratio"], 1.0);
    assert_eq!(share("alerts", "answered")["kept"], true);
    assert_eq!(share("alerts", "drilled")["kept"], false);
    assert_eq!(report["kept"], false, "the path was never drilled");
    let stock = &report["metrics"][2];
    assert_eq!(stock["states"][0]["state"], "present");
    assert_eq!(stock["shown_on"][0], "shop");
    assert_eq!(stock["guarded_by"][0], "NoStock");
    assert_eq!(stock["at"]["line"], 10);
    let path = &report["critical_paths"][0];
    assert_eq!(path["alerts"][0]["drill"], "never");
    let sales = &report["log_categories"][0];
    assert_eq!(
        (&sales["state"], &sales["lines_last_day"]),
        (&"arriving".into(), &18.into())
    );
    let info = &report["retention"][1];
    assert_eq!(
        (&info["class"], &info["state"]),
        (&"INFO".into(), &"too_early".into())
    );
    assert_eq!(info["promised_seconds"], 30 * 24 * 3600);
    assert_eq!(report["retention"][3]["state"], "empty");
    shop.set(Around::exposing(
        "# TYPE stock",
        "# TYPE extra gauge\nextra 1\n# TYPE stock",
    ));
    shop.live(TWO_INTERVALS).await;
    assert_eq!(
        shop.report().await["undeclared"]["metrics"][0]["name"],
        "extra"
    );
}

#[tokio::test(start_paused = true)]
async fn rules_read_coverage() {
    let shop = Shop::start(PLAN).await;
    let ratio = "belfry_coverage_ratio{group=\"application\",aspect=\"arriving\"}";
    assert_eq!(shop.value(ratio).await, 1.0);
    let present = "belfry_plan_metric_state{metric=\"stock\",state=\"present\"}";
    assert_eq!(shop.value(present).await, 1.0);
    assert_eq!(shop.value("belfry_critical_path_covered").await, 0.0);
    let last = "time() - belfry_log_category_last_line_timestamp_seconds{category=\"sales\"}";
    assert!(shop.value(last).await < 30.0);
    shop.set(Around::exposing(STOCK, ""));
    shop.live(45).await;
    assert_eq!(shop.value(ratio).await, 0.5);
    let since = "belfry_coverage_hole_since_timestamp_seconds{kind=\"metric_missing\"}";
    assert!(shop.value(since).await > 0.0);
    let firing = |alerts: &Value| -> Vec<String> {
        let alerts = alerts.as_array().unwrap().iter();
        let firing = alerts.filter(|own| own["state"] == "firing");
        firing
            .map(|own| own["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let alerts = shop.belfry.get("/api/belfry/v1/alerts").await;
    assert_eq!(firing(&alerts), ["LessThanPromised"]);
    // The whole target is gone: nothing is known, and nothing resolves.
    shop.set(Around {
        shop_answers: false,
        ..Around::well()
    });
    shop.live(400).await;
    let alerts = shop.belfry.get("/api/belfry/v1/alerts").await;
    assert_eq!(firing(&alerts), ["LessThanPromised"]);
    shop.set(Around::well());
    shop.live(60).await;
    let alerts = shop.belfry.get("/api/belfry/v1/alerts").await;
    assert_eq!(firing(&alerts), [""; 0]);
    assert_eq!(shop.value(since).await, 0.0, "told as closed");
}

#[tokio::test(start_paused = true)]
async fn what_was_known_survives_a_restart() {
    let mut shop = Shop::start(PLAN).await;
    shop.set(Around {
        sells: false,
        ..Around::exposing(STOCK, "")
    });
    shop.live(120).await;
    let since = |report: &Value, kind: &str| {
        let mut holes = report["holes"].as_array().unwrap().iter();
        let hole = holes.find(|hole| hole["kind"] == kind);
        hole.unwrap_or_else(|| panic!("{kind}: {report}")).clone()
    };
    let before = shop.report().await;
    shop.belfry = shop.belfry.restart().await;
    shop.live(180).await;
    let after = shop.report().await;
    for kind in ["metric_missing", "category_silent"] {
        assert_eq!(
            since(&after, kind)["since"],
            since(&before, kind)["since"],
            "{kind}"
        );
        assert_eq!(since(&after, kind)["or_earlier"], false, "{kind}");
    }
    // Lines of the run before count among those of the day, and the newest is still known.
    assert_eq!(
        after["log_categories"][0]["last_line"],
        before["log_categories"][0]["last_line"]
    );
    let lines = after["log_categories"][0]["lines_last_day"]
        .as_u64()
        .unwrap();
    assert!((16..=20).contains(&lines), "{lines}");
}

#[tokio::test(start_paused = true)]
async fn what_was_missing_at_the_first_look_is_missing_since_then_or_earlier() {
    let shop = Shop::start_as(PLAN, Around::exposing(STOCK, "")).await;
    let report = shop.report().await;
    let mut holes = report["holes"].as_array().unwrap().iter();
    let hole = holes.find(|hole| hole["kind"] == "metric_missing").unwrap();
    assert_eq!(hole["or_earlier"], true);
}
