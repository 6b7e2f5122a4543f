//! What holds pages back and who is told: inhibition, windows, silences, merging, manual incidents, several channels, rotas,
//! heartbeats, the dead-man's switch.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use world::{Blocking, BoxFuture};

use super::harness::{Belfry, PLAN, answer, in_folder};

async fn with_plan(added: &str) -> Belfry {
    Belfry::start_with(&format!("{PLAN}{added}"), |_| {}, in_folder).await
}

async fn incident(belfry: &Belfry, id: i64) -> Value {
    belfry.get(&format!("/api/belfry/v1/incidents/{id}")).await
}

async fn texts(belfry: &Belfry, id: i64, kind: &str) -> Vec<String> {
    let found = incident(belfry, id).await;
    let entries = found["timeline"].as_array().unwrap().clone();
    entries
        .iter()
        .filter(|entry| entry["kind"] == kind)
        .map(|entry| entry["text"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn what_another_alert_explains_is_held_back() {
    let belfry =
        with_plan("inhibitions:\n  - {name: stock, while: [LowStock], hold_back: [NoStock]}\n")
            .await;
    belfry.expose("stock 0\n");
    belfry.pass(20 * 60).await;
    assert_eq!(
        belfry.pages(),
        ["firing LowStock ada 1"],
        "NoStock says nothing new"
    );
    let held = incident(&belfry, 2).await["held"].clone();
    assert_eq!(held["kind"], "inhibition");
    assert_eq!(held["why"], "LowStock (incident 1) explains it");
    assert_eq!(incident(&belfry, 2).await["next_level_at"], json!(null));
    // LowStock ends by hand and comes again with the next evaluation: held back anew. Only its end releases.
    let silence = "firing NoStock";
    assert!(!belfry.pages().iter().any(|page| page.starts_with(silence)));
}

#[tokio::test(start_paused = true)]
async fn an_inhibition_that_ends_releases_what_still_fires() {
    let plan = PLAN.replace("expr: stock < 3", "expr: stock == 0 or stock == 3");
    let added = "inhibitions:\n  - {name: stock, while: [LowStock], hold_back: [NoStock]}\n";
    let plan = format!(
        "{}{added}",
        plan.replace("expr: stock < 1", "expr: stock < 2")
    );
    let belfry = Belfry::start_with(&plan, |_| {}, in_folder).await;
    belfry.expose("stock 0\n");
    belfry.pass(5 * 60).await;
    assert_eq!(belfry.pages(), ["firing LowStock ada 1"]);
    belfry.expose("stock 1\n");
    belfry.pass(60).await;
    let pages = belfry.pages();
    assert!(
        pages.contains(&"firing NoStock ada 1".to_owned()),
        "{pages:?}"
    );
    belfry.pass(14 * 60).await;
    assert!(!belfry.pages().contains(&"firing NoStock lea 2".to_owned()));
    belfry.pass(2 * 60).await;
    assert!(belfry.pages().contains(&"firing NoStock lea 2".to_owned()));
}

/// The tests begin on Monday, 2026-11-23 at 09:00 UTC.
#[tokio::test(start_paused = true)]
async fn a_maintenance_window_holds_back_and_its_end_tells() {
    let belfry = with_plan(
        "maintenance_windows:\n  - {name: monday, reason: stocktaking, alerts: [NoStock], days: [mon], from: '10:00', for: 30m, zone: Europe/Berlin}\n",
    )
    .await;
    belfry.expose("stock 0\n");
    belfry.pass(25 * 60).await;
    assert_eq!(belfry.pages(), ["firing LowStock ada 1"]);
    assert_eq!(
        texts(&belfry, 2, "held").await,
        ["pages are held back: the maintenance window monday: stocktaking"]
    );
    belfry.pass(6 * 60).await;
    assert_eq!(
        belfry.pages(),
        ["firing LowStock ada 1", "firing NoStock ada 1"]
    );
    assert_eq!(texts(&belfry, 2, "released").await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn incidents_by_hand_escalate_and_end_by_hand() {
    let belfry = Belfry::start().await;
    let path = "POST /api/belfry/v1/incidents";
    for (body, expect) in [
        (r#"{"by":"ada","title":" "}"#, "needs a title"),
        (
            r#"{"by":"ada","title":"x","severity":"bad"}"#,
            "critical, warning",
        ),
    ] {
        let found = belfry.ask(path, body).await.problem(400);
        assert!(found.contains(expect), "{found}");
    }
    for (body, expect) in [
        (
            r#"{"by":"ada","title":"x","escalation":"none"}"#,
            "no escalation policy",
        ),
        (
            r#"{"by":"ada","title":"x","procedure":"none"}"#,
            "no procedure",
        ),
    ] {
        let found = belfry.ask(path, body).await.problem(422);
        assert!(found.contains(expect), "{found}");
    }
    let body =
        r#"{"by":"ada","title":"Water in the cellar","text":"ankle deep","procedure":"restock"}"#;
    let opened = belfry.ask(path, body).await.json();
    assert_eq!(opened["title"], "Water in the cellar");
    belfry.pass(16 * 60).await;
    assert_eq!(
        belfry.pages(),
        [
            "firing Water in the cellar ada 1",
            "firing Water in the cellar lea 2"
        ]
    );
    let path = "POST /api/belfry/v1/incidents/1/resolve";
    let ended = belfry
        .ask(path, r#"{"by":"lea","note":"pumped out"}"#)
        .await;
    assert_eq!(ended.json()["resolve_reason"], "by_hand");
    belfry.ask(path, r#"{"by":"lea"}"#).await.problem(409);
    belfry.pass(5).await;
    assert_eq!(
        belfry.pages()[2..].len(),
        2,
        "both are told that it is over"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_ended_by_hand_and_goes_on_fires_anew() {
    let belfry = Belfry::start().await;
    belfry.expose("stock 0\n");
    belfry.pass(90).await;
    let path = "POST /api/belfry/v1/incidents/2/resolve";
    assert_eq!(belfry.ask(path, r#"{"by":"ada"}"#).await.status, 200);
    belfry.pass(90).await;
    let pages: Vec<String> = belfry
        .pages()
        .into_iter()
        .filter(|page| page.contains("NoStock"))
        .collect();
    assert_eq!(
        pages,
        [
            "firing NoStock ada 1",
            "resolved NoStock ada 1",
            "firing NoStock ada 1"
        ]
    );
    assert_eq!(incident(&belfry, 3).await["state"], "open");
}

#[tokio::test(start_paused = true)]
async fn merging_lets_alerts_go_on_elsewhere() {
    let belfry = Belfry::start().await;
    belfry.expose("stock 0\n");
    belfry.pass(90).await;
    let merge = |from: i64, into: i64| {
        let path = format!("POST /api/belfry/v1/incidents/{from}/merge");
        let body = format!(r#"{{"by":"ada","into":{into}}}"#);
        (path, body)
    };
    let (path, body) = merge(2, 1);
    let refused = belfry.ask(&path, &body).await.problem(422);
    assert!(refused.contains("merge 1 into 2"), "{refused}");
    for (from, into) in [(2, 2), (1, 99)] {
        let (path, body) = merge(from, into);
        belfry.ask(&path, &body).await.problem(422);
    }
    let (path, body) = merge(1, 2);
    let merged = belfry.ask(&path, &body).await.json();
    assert_eq!(merged["id"], 2);
    assert_eq!(merged["alerts_firing"], 2);
    assert_eq!(incident(&belfry, 1).await["resolve_reason"], "merged");
    belfry.pass(60).await;
    let path = "/api/belfry/v1/incidents?state=open";
    assert_eq!(
        belfry.get(path).await.as_array().unwrap().len(),
        1,
        "nothing opens anew"
    );
    belfry.expose("stock 5\n");
    belfry.pass(60).await;
    assert_eq!(incident(&belfry, 2).await["state"], "resolved");
}

#[tokio::test(start_paused = true)]
async fn the_next_channel_is_used_when_the_first_fails() {
    let contacts = "
format: 1
people:
  - name: ada
    roles: [on-call]
    channels:
      - {type: webhook, url: 'http://gone.test:80/ada'}
      - {type: webhook, url: 'http://pager.test:80/ada'}
";
    let belfry = Belfry::start().await;
    belfry.write_contacts(contacts);
    assert_eq!(belfry.ask("POST /-/reload", "").await.status, 200);
    belfry.expose("stock 0\n");
    belfry.pass(90).await;
    assert_eq!(
        belfry.pages(),
        ["firing LowStock ada 1", "firing NoStock ada 1"]
    );
    let pages = incident(&belfry, 2).await["pages"].clone();
    let states: Vec<String> = pages
        .as_array()
        .unwrap()
        .iter()
        .map(|page| {
            format!(
                "{} {}",
                page["channel"].as_str().unwrap(),
                page["state"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(states, ["webhook replaced", "webhook-2 delivered"]);
}

#[tokio::test(start_paused = true)]
async fn a_rota_decides_at_the_time_of_the_page() {
    let contacts = "
format: 1
people:
  - {name: ada, channels: [{type: webhook, url: 'http://pager.test:80/ada'}]}
  - {name: bob, channels: [{type: webhook, url: 'http://pager.test:80/bob'}]}
rotas:
  - {role: on-call, zone: UTC, hand_over: '09:30', every: day, since: 2026-11-22, people: [ada, bob]}
  - {role: team-lead, zone: UTC, hand_over: '09:40', every: day, since: 2026-11-22, people: [ada, bob]}
";
    let belfry = Belfry::start().await;
    belfry.write_contacts(contacts);
    assert_eq!(belfry.ask("POST /-/reload", "").await.status, 200);
    belfry.pass(28 * 60).await;
    belfry.expose("stock 0\n");
    belfry.pass(20 * 60).await;
    assert_eq!(
        belfry.pages(),
        [
            "firing LowStock ada 1",
            "firing NoStock ada 1",
            "firing NoStock bob 2"
        ],
        "level 2 comes after the hand-over"
    );
}

#[tokio::test(start_paused = true)]
async fn a_test_page_goes_to_one_person_and_leaves_no_incident() {
    let belfry = Belfry::start().await;
    let path = "POST /api/belfry/v1/contacts/test";
    let found = belfry
        .ask(path, r#"{"by":"lea","person":"ada"}"#)
        .await
        .json();
    assert_eq!(found["results"][0]["ok"], true, "{found}");
    assert_eq!(found["results"][0]["receipt"], "200 OK");
    assert_eq!(belfry.pages(), ["resolved BelfryTestPage ada 1"]);
    belfry
        .ask(path, r#"{"by":"lea","person":"eve"}"#)
        .await
        .problem(404);
    let body = r#"{"by":"lea","person":"ada","channel":"fax"}"#;
    assert!(
        belfry
            .ask(path, body)
            .await
            .problem(404)
            .contains("webhook")
    );
    belfry.sim.net.unplug("pager.test:80");
    let found = belfry
        .ask(path, r#"{"by":"lea","person":"ada"}"#)
        .await
        .json();
    assert_eq!(found["results"][0]["ok"], false);
    assert!(
        found["results"][0]["error"]
            .as_str()
            .unwrap()
            .contains("cannot connect")
    );
    assert_eq!(belfry.get("/api/belfry/v1/incidents").await, json!([]));
}

#[tokio::test(start_paused = true)]
async fn a_job_that_falls_silent_is_an_alert() {
    let rule = "      - alert: JobSilent
        expr: belfry_heartbeat_age_seconds > belfry_heartbeat_allowed_seconds
        severity: critical
        summary: \"{{ $labels.heartbeat }} has not reported for {{ $value }} s\"
        escalation: standard
        group_by: [alertname, heartbeat]
";
    let plan = PLAN.replace("dashboards:\n", &format!("{rule}dashboards:\n"));
    let plan = format!("{plan}heartbeats:\n  - {{name: backup, every: 10m, grace: 1m}}\n");
    let belfry = Belfry::start_with(&plan, |_| {}, in_folder).await;
    let beat = || belfry.ask("POST /api/v1/heartbeats/backup", "");
    belfry.pass(9 * 60).await;
    assert_eq!(beat().await.status, 200);
    belfry.pass(10 * 60).await;
    assert_eq!(belfry.pages(), [""; 0], "it reported in time");
    belfry.pass(2 * 60).await;
    assert_eq!(belfry.pages(), ["firing JobSilent ada 1"]);
    assert_eq!(beat().await.status, 200);
    belfry.pass(60).await;
    assert_eq!(belfry.pages().last().unwrap(), "resolved JobSilent ada 1");
    belfry
        .ask("POST /api/v1/heartbeats/unheard-of", "")
        .await
        .problem(404);
}

/// Blocking work that does not begin while a disk hangs.
struct HangingDisk(Arc<AtomicBool>);

impl Blocking for HangingDisk {
    fn run(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()> {
        let hangs = self.0.clone();
        Box::pin(async move {
            while hangs.load(Ordering::Relaxed) {
                let soon = std::future::pending::<()>();
                let _ = world::timeout(Duration::from_secs(1), soon).await;
            }
            work();
        })
    }
}

#[tokio::test(start_paused = true)]
async fn the_switch_is_called_until_a_loop_stalls() {
    let contacts = "
format: 1
people: []
dead_mans_switch: {url: 'http://switch.test:80/ping', interval: 15s}
";
    let hangs = Arc::new(AtomicBool::new(false));
    let disk = HangingDisk(hangs.clone());
    let belfry = Belfry::start_with(PLAN, |world| world.blocking = Arc::new(disk), in_folder).await;
    let calls = Arc::new(Mutex::new(0_usize));
    let counted = calls.clone();
    belfry.sim.net.host("switch.test:80", move |_| {
        *counted.lock().unwrap() += 1;
        Box::pin(async { Ok(answer(200, "text/plain", "")) })
    });
    belfry.write_contacts(contacts);
    assert_eq!(belfry.ask("POST /-/reload", "").await.status, 200);
    belfry.pass(10 * 60).await;
    let healthy = *calls.lock().unwrap();
    assert!(
        (38..=41).contains(&healthy),
        "{healthy} calls in 10 minutes"
    );
    assert_eq!(belfry.ask("GET /-/ready", "").await.status, 200);
    hangs.store(true, Ordering::Relaxed);
    belfry.pass(60).await;
    let before = *calls.lock().unwrap();
    belfry.pass(5 * 60).await;
    assert_eq!(
        *calls.lock().unwrap(),
        before,
        "no call after the first minute"
    );
    let not_ready = belfry.ask("GET /-/ready", "").await;
    assert_eq!(not_ready.status, 503);
    assert!(
        not_ready.body.contains("do not come back"),
        "{}",
        not_ready.body
    );
    hangs.store(false, Ordering::Relaxed);
    belfry.pass(60).await;
    assert!(*calls.lock().unwrap() > before, "it goes on by itself");
}

#[tokio::test(start_paused = true)]
async fn a_new_build_is_a_deployment() {
    let plan = PLAN.replace(
        "rule_groups:",
        "  - {name: app_build_info, type: gauge, meaning: The build., group: application, labels: [version]}\nrule_groups:",
    );
    let plan = format!("{plan}deployments: {{metric: app_build_info, labels: [version]}}\n");
    let belfry = Belfry::start_with(&plan, |_| {}, in_folder).await;
    let build = |version: &str| {
        belfry.expose(&format!(
            "stock 5\napp_build_info{{version=\"{version}\"}} 1\n"
        ))
    };
    build("1.0");
    belfry.pass(5 * 60).await;
    build("1.1");
    belfry.pass(5 * 60).await;
    let found = belfry.get("/api/belfry/v1/deployments").await;
    let versions: Vec<&str> = found
        .as_array()
        .unwrap()
        .iter()
        .map(|own| own["version"].as_str().unwrap())
        .collect();
    assert_eq!(versions, ["1.1", "1.0"], "{found}");
    assert_eq!(found[0]["instance"], "shop.test:80");
    assert_eq!(found[0]["note"], "");
    assert_eq!(
        found[1]["note"], "seen for the first time",
        "it may have run there for long"
    );
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_becomes_critical_pages_as_such() {
    let belfry = Belfry::start().await;
    belfry.expose("stock 2\n");
    belfry.pass(60).await;
    assert_eq!(belfry.pages(), ["firing LowStock ada 1"]);
    let changed = PLAN.replace(
        "expr: stock < 3\n        severity: warning",
        "expr: stock < 3\n        severity: critical",
    );
    assert_ne!(changed, PLAN);
    belfry.write_plan(&changed);
    assert_eq!(belfry.ask("POST /-/reload", "").await.status, 200);
    belfry.pass(60).await;
    assert_eq!(incident(&belfry, 1).await["resolve_reason"], "rule_removed");
    assert_eq!(incident(&belfry, 2).await["severity"], "critical");
    belfry.pass(15 * 60).await;
    assert_eq!(
        belfry.pages()[1..],
        [
            "resolved LowStock ada 1",
            "firing LowStock ada 1",
            "firing LowStock lea 2"
        ]
    );
}

/// One body may end the last alert of a group and begin another one of it.
#[tokio::test(start_paused = true)]
async fn an_alert_is_not_lost_in_the_end_of_its_group() {
    let belfry = Belfry::start().await;
    let alert = |pod: &str, over: bool| {
        let mut alert =
            json!({"labels": {"alertname": "Full", "pod": pod, "severity": "critical"}});
        if over {
            alert["endsAt"] = json!("2026-11-23T09:00:00Z");
        }
        alert
    };
    let send = async |alerts: Value| {
        let answer = belfry.ask("POST /api/v2/alerts", &alerts.to_string()).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        belfry.pass(10).await;
    };
    send(json!([alert("a", false)])).await;
    send(json!([alert("a", true), alert("b", false)])).await;
    assert_eq!(
        belfry.pages(),
        [
            "firing Full ada 1",
            "resolved Full ada 1",
            "firing Full ada 1"
        ]
    );
    assert_eq!(incident(&belfry, 2).await["state"], "open");
}
