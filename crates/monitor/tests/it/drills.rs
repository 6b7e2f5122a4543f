//! Drills of a running Belfry: virtual ones touch nothing real, real ones break a shop by its switch and mend it whatever happens.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use world::HttpRequest;

use super::harness::{Belfry, PLAN, answer, in_folder};

const DRILLS: &str = "
drills:
  faults:
    - alert: NoStock
      inject: {request: 'POST http://shop.test:80/break'}
      end: {request: 'POST http://shop.test:80/mend'}
      within: 3m
";

/// How a shop takes what the drill asks of it.
#[derive(Clone, Copy, PartialEq)]
enum Shop {
    /// It breaks and mends as it is told.
    Obeys,
    /// It takes the order to mend and stays broken.
    StaysBroken,
    /// It refuses to mend at first.
    RefusesToMend(usize),
    /// It takes the order to break and does not.
    DoesNotBreak,
}

/// A Belfry over a shop with a switch, and what the shop was told.
async fn belfry(shop: Shop) -> (Belfry, Arc<Mutex<Vec<String>>>) {
    let belfry = Belfry::start_with(&format!("{PLAN}{DRILLS}"), |_| {}, in_folder).await;
    let orders: Arc<Mutex<Vec<String>>> = Arc::default();
    let (seen, broken) = (orders.clone(), Arc::new(Mutex::new(false)));
    belfry
        .sim
        .net
        .host("shop.test:80", move |request: HttpRequest| {
            let path = request.url.rsplit('/').next().unwrap_or("").to_owned();
            let mut broken = broken.lock().unwrap();
            let mut seen = seen.lock().unwrap();
            let mut status = 200;
            if path == "break" {
                *broken = shop != Shop::DoesNotBreak;
                seen.push(path.clone());
            }
            if path == "mend" {
                let mended = seen.iter().filter(|own| *own == "mend").count();
                match shop {
                    Shop::RefusesToMend(times) if mended < times => status = 500,
                    Shop::StaysBroken => {}
                    Shop::Obeys | Shop::RefusesToMend(_) | Shop::DoesNotBreak => *broken = false,
                }
                seen.push(path.clone());
            }
            let stock = if *broken { 0 } else { 5 };
            let text = if path == "health" {
                r#"{"status":"pass","checks":{"database:ping":[{"status":"pass"}]}}"#.to_owned()
            } else {
                format!("orders_total 1\nstock {stock}\n")
            };
            Box::pin(async move { Ok(answer(status, "text/plain", text)) })
        });
    belfry.pass(60).await;
    (belfry, orders)
}

async fn begin(belfry: &Belfry, alert: &str, mode: &str, page: bool) -> i64 {
    let body = json!({"by": "ada", "alert": alert, "mode": mode, "page": page});
    let begun = belfry
        .ask("POST /api/belfry/v1/drills", &body.to_string())
        .await;
    assert_eq!(begun.status, 202, "{}", begun.body);
    begun.json()["id"].as_i64().unwrap()
}

async fn drill(belfry: &Belfry, id: i64) -> Value {
    belfry.get(&format!("/api/belfry/v1/drills/{id}")).await
}

/// `what outcome` of every step.
fn steps(drill: &Value) -> Vec<String> {
    let steps = drill["steps"].as_array().unwrap();
    let text = |step: &Value| {
        format!(
            "{} {}",
            step["what"].as_str().unwrap(),
            step["outcome"].as_str().unwrap()
        )
    };
    steps.iter().map(text).collect()
}

#[tokio::test(start_paused = true)]
async fn virtual_drills_touch_nothing_real() {
    let (belfry, orders) = belfry(Shop::Obeys).await;
    let ledger = belfry.get("/api/belfry/v1/drills").await;
    assert_eq!(ledger["drills"], json!([]));
    assert_eq!(ledger["alerts"][0]["alert"], "NoStock");
    assert_eq!(ledger["alerts"][0]["proven"], false);
    assert_eq!(ledger["alerts"][0]["can_be_caused"], true);
    assert_eq!(ledger["alerts"][1]["can_be_caused"], false);
    let critical = begin(&belfry, "NoStock", "virtual", false).await;
    let warning = begin(&belfry, "LowStock", "virtual", false).await;
    belfry.pass(20).await;
    let found = drill(&belfry, critical).await;
    assert_eq!(found["outcome"], "passed", "{found:#}");
    assert_eq!(
        steps(&found),
        [
            "condition passed",
            "pending passed",
            "firing passed",
            "incident passed",
            "level 1 passed",
            "level 2 passed",
            "resolved passed",
            "told of the end passed",
            "acknowledged passed"
        ]
    );
    let second = &found["steps"][5];
    let fired = found["steps"][2]["observed_after_seconds"]
        .as_f64()
        .unwrap();
    assert_eq!(
        second["observed_after_seconds"].as_f64().unwrap(),
        fired + 900.0,
        "level 2 to the second: {found:#}"
    );
    let found = drill(&belfry, warning).await;
    assert_eq!(found["outcome"], "passed", "{found:#}");
    assert_eq!(
        steps(&found),
        [
            "condition passed",
            "firing passed",
            "incident passed",
            "level 1 passed",
            "resolved passed",
            "told of the end passed"
        ],
        "a warning tells its first level, and at once"
    );
    assert_eq!(belfry.pages(), Vec::<String>::new(), "nobody was paged");
    assert_eq!(belfry.get("/api/belfry/v1/incidents").await, json!([]));
    assert_eq!(*orders.lock().unwrap(), Vec::<String>::new());
    let ledger = belfry.get("/api/belfry/v1/drills?limit=1").await;
    assert_eq!(ledger["alerts"][0]["proven"], true);
    assert_eq!(ledger["drills"].as_array().unwrap().len(), 1);
    belfry.pass(20).await;
    let query = "belfry_drill_last_passed_timestamp_seconds%20%3E%200";
    let passed = belfry.get(&format!("/api/v1/query?query={query}")).await;
    assert_eq!(
        passed["data"]["result"].as_array().unwrap().len(),
        2,
        "{passed}"
    );
}

#[tokio::test(start_paused = true)]
async fn people_are_paged_when_asked_and_told_that_it_is_a_drill() {
    let (belfry, _) = belfry(Shop::Obeys).await;
    let id = begin(&belfry, "NoStock", "virtual", true).await;
    belfry.pass(20).await;
    let found = drill(&belfry, id).await;
    assert_eq!(found["outcome"], "passed", "{found:#}");
    let pages = belfry.pages_whole();
    let mut people: Vec<&str> = pages
        .iter()
        .filter_map(|page| page["receiver"].as_str())
        .collect();
    people.sort_unstable();
    assert_eq!(people, ["ada", "lea"], "one page each");
    assert!(pages.iter().all(|page| page["incident"]["drill"] == true));
    assert!(steps(&found).contains(&"page (firing) passed".to_owned()));

    let id = begin(&belfry, "NoStock", "real", true).await;
    belfry.pass(150).await;
    let found = drill(&belfry, id).await;
    assert_eq!(found["outcome"], "passed", "{found:#}");
    let pages = belfry.pages_whole();
    let of_drill = |page: &&Value| page["groupLabels"]["alertname"] == "NoStock";
    let pages: Vec<&Value> = pages[2..].iter().filter(of_drill).collect();
    assert_eq!(pages.len(), 2, "firing and resolved: {pages:?}");
    assert!(pages.iter().all(|page| page["incident"]["drill"] == true));
    let incident = found["incident"].as_i64().unwrap();
    let said = belfry
        .get(&format!("/api/belfry/v1/incidents/{incident}/message"))
        .await;
    assert!(
        said["subject"].as_str().unwrap().starts_with("DRILL "),
        "{said}"
    );
    assert!(
        said["body"].as_str().unwrap().starts_with("DRILL: "),
        "{said}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_real_drill_breaks_watches_and_mends() {
    let (belfry, orders) = belfry(Shop::Obeys).await;
    let id = begin(&belfry, "NoStock", "real", false).await;
    let body = json!({"by": "lea", "alert": "NoStock"}).to_string();
    let again = belfry.ask("POST /api/belfry/v1/drills", &body).await;
    assert!(again.problem(409).contains("being drilled"));
    belfry.pass(150).await;
    let found = drill(&belfry, id).await;
    assert_eq!(found["outcome"], "passed", "{found:#}");
    assert_eq!(
        steps(&found),
        [
            "fault passed",
            "pending passed",
            "firing passed",
            "incident passed",
            "level 1 passed",
            "acknowledged passed",
            "fault ended passed",
            "resolved passed",
            "told of the end passed"
        ]
    );
    assert_eq!(*orders.lock().unwrap(), ["break", "mend"]);
    // The other alert that the fault caused is nobody's drill: it pages as always.
    assert_eq!(
        belfry.pages(),
        ["firing LowStock ada 1", "resolved LowStock ada 1"]
    );
    let incident = found["incident"].as_i64().unwrap();
    let incident = belfry
        .get(&format!("/api/belfry/v1/incidents/{incident}"))
        .await;
    assert_eq!(incident["drill"], true, "{incident:#}");
    assert_eq!(incident["pages"][0]["channel"], "drill");
    assert_eq!(incident["timeline"][0]["kind"], "drill");
    let report = belfry.get("/api/belfry/v1/escalation-report").await;
    let titles = report["incidents"].as_array().unwrap().iter();
    let titles: Vec<&Value> = titles.map(|own| &own["title"]).collect();
    assert_eq!(titles, ["LowStock"], "a drill is no promise to anybody");
    // From now on it is real again.
    belfry.ask("POST /none", "").await;
    assert!(belfry.get("/api/belfry/v1/alerts").await[0]["state"] == "inactive");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_drilled_is_refused() {
    let belfry = Belfry::start_with(&format!("{PLAN}{DRILLS}"), |_| {}, in_folder).await;
    let ask = async |body: Value| {
        belfry
            .ask("POST /api/belfry/v1/drills", &body.to_string())
            .await
    };
    let unknown = ask(json!({"by": "ada", "alert": "None"})).await;
    assert!(unknown.problem(404).contains("no alert `None`"));
    let no_fault = ask(json!({"by": "ada", "alert": "LowStock", "mode": "real"})).await;
    assert!(no_fault.problem(400).contains("how LowStock is caused"));
    let mode = ask(json!({"by": "ada", "alert": "LowStock", "mode": "loud"})).await;
    assert!(mode.problem(400).contains("virtual, real"));
    assert!(
        ask(json!({"by": "", "alert": "NoStock"}))
            .await
            .problem(400)
            .contains("by")
    );
    belfry
        .ask("GET /api/belfry/v1/drills/7", "")
        .await
        .problem(404);
    belfry.expose("stock 0\n");
    belfry.pass(90).await;
    let firing = ask(json!({"by": "ada", "alert": "NoStock", "mode": "real"})).await;
    assert!(firing.problem(409).contains("fires for real"));
    // It fires for real and is drilled apart from that all the same.
    let id = begin(&belfry, "NoStock", "virtual", false).await;
    belfry.pass(20).await;
    assert_eq!(drill(&belfry, id).await["outcome"], "passed");
}

#[tokio::test(start_paused = true)]
async fn what_does_not_end_is_real() {
    let (belfry, orders) = belfry(Shop::StaysBroken).await;
    let id = begin(&belfry, "NoStock", "real", false).await;
    belfry.pass(150).await;
    let quiet = |belfry: &Belfry| belfry.pages().iter().all(|page| page.contains("LowStock"));
    assert!(quiet(&belfry), "still a drill: {:?}", belfry.pages());
    let merge = json!({"by": "ada", "into": 1}).to_string();
    let merged = belfry
        .ask("POST /api/belfry/v1/incidents/2/merge", &merge)
        .await;
    assert!(merged.body.contains("stay apart"), "{}", merged.body);
    belfry.pass(200).await;
    let found = drill(&belfry, id).await;
    assert_eq!(found["outcome"], "failed", "{found:#}");
    assert!(
        steps(&found).contains(&"turned real failed".to_owned()),
        "{found:#}"
    );
    assert_eq!(*orders.lock().unwrap(), ["break", "mend"]);
    assert!(belfry.pages().contains(&"firing NoStock ada 1".to_owned()));
    assert_eq!(belfry.page_of("NoStock")["incident"]["drill"], false);
    belfry.pass(900).await;
    assert!(
        belfry.pages().contains(&"firing NoStock lea 2".to_owned()),
        "the ladder counts from when it became real: {:?}",
        belfry.pages()
    );
}

#[tokio::test(start_paused = true)]
async fn a_fault_that_shows_nothing_ends_the_drill() {
    let (belfry, orders) = belfry(Shop::DoesNotBreak).await;
    let id = begin(&belfry, "NoStock", "real", false).await;
    belfry.pass(200).await;
    let found = drill(&belfry, id).await;
    assert_eq!(found["outcome"], "failed", "{found:#}");
    assert!(
        found["reason"].as_str().unwrap().starts_with("pending"),
        "{found:#}"
    );
    assert_eq!(*orders.lock().unwrap(), ["break", "mend"]);
}

#[tokio::test(start_paused = true)]
async fn an_end_that_is_refused_is_tried_until_it_is_taken() {
    let (belfry, orders) = belfry(Shop::RefusesToMend(3)).await;
    let id = begin(&belfry, "NoStock", "real", false).await;
    belfry.pass(180).await;
    let found = drill(&belfry, id).await;
    assert_eq!(found["outcome"], "failed", "{found:#}");
    assert!(
        steps(&found).contains(&"fault ended failed".to_owned()),
        "{found:#}"
    );
    assert_eq!(orders.lock().unwrap().len(), 5);
    assert!(belfry.pages().iter().all(|page| page.contains("LowStock")));
}

#[tokio::test(start_paused = true)]
async fn a_kill_does_not_leave_the_shop_broken() {
    let (mut belfry, orders) = belfry(Shop::Obeys).await;
    let id = begin(&belfry, "NoStock", "real", false).await;
    // Broken and pending, not yet firing.
    belfry.pass(25).await;
    assert_eq!(*orders.lock().unwrap(), ["break"]);
    belfry.kill_and_start().await;
    belfry.pass(10).await;
    assert_eq!(*orders.lock().unwrap(), ["break", "mend"]);
    belfry.pass(120).await;
    let found = drill(&belfry, id).await;
    assert_eq!(found["state"], "done", "{found:#}");
    assert_eq!(found["outcome"], "failed");
    assert!(
        found["reason"].as_str().unwrap().contains("started anew"),
        "{found:#}"
    );
    assert!(belfry.pages().iter().all(|page| page.contains("LowStock")));
    assert_eq!(orders.lock().unwrap().len(), 2, "mended once");
}
