//! What people decide and what jobs tell: silences, on-call, windows, deployments, heartbeats, and what can be looked up
//! about alerts and deliveries.

use serde_json::{Value, json};

use super::harness::{Answer, Belfry, PLAN, in_folder, write};

const MORE_OF_THE_PLAN: &str = "
maintenance_windows:
  - {name: stocktaking, reason: everything is counted, alerts: [NoStock], days: [mon], from: '08:00', for: 2h, zone: UTC}
  - {name: cleaning, reason: dust, alerts: ['{severity=\"warning\"}'], from: '03:00', for: 1h, zone: Europe/Berlin}
heartbeats:
  - {name: backup, every: 1h, grace: 5m}
";

const CONTACTS: &str = "
format: 1
people:
  - {name: ada, roles: [], channels: [{type: webhook, url: 'http://pager.test:80/ada'}]}
  - {name: lea, roles: [on-call], channels: [{type: log}, {type: webhook, url: 'http://pager.test:80/lea'}]}
rotas:
  - role: on-call
    zone: UTC
    hand_over: '08:00'
    every: day
    since: 2026-11-23
    people: [ada, lea]
    overrides:
      - {person: lea, from: '2026-11-24 12:00', until: '2026-11-24 14:00'}
";

async fn belfry() -> Belfry {
    let plan = format!("{PLAN}{MORE_OF_THE_PLAN}");
    let belfry = Belfry::start_with(&plan, |_| {}, in_folder).await;
    write(&belfry.folder, "contacts.yaml", CONTACTS);
    let reloaded = belfry.ask("POST /-/reload", "").await;
    assert_eq!(reloaded.status, 200, "{}", reloaded.body);
    belfry
}

/// What is wrong must be said in words that name it.
async fn refused(belfry: &Belfry, line: &str, cases: &[(Value, u16, &str)]) {
    for (body, status, expect) in cases {
        let answer = belfry.ask(line, &body.to_string()).await;
        let detail = answer.problem(*status);
        assert!(detail.contains(expect), "{line} {body}: {detail}");
    }
}

#[tokio::test(start_paused = true)]
async fn silences_by_people() {
    let belfry = belfry().await;
    let line = "POST /api/belfry/v1/silences";
    let base = |change: Value| {
        let mut body = json!({"by": "ada", "reason": "known", "matchers": ["alertname=LowStock"], "duration": "2h"});
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    let parts = |op: &str| json!({"matchers": [{"name": "alertname", "op": op, "value": "x"}]});
    refused(
        &belfry,
        line,
        &[
            (base(json!({"by": " "})), 400, "`by`"),
            (base(json!({"reason": ""})), 400, "`reason`"),
            (base(json!({"matchers": []})), 400, "1 to 64 matchers"),
            (
                base(json!({"matchers": ["alertname"]})),
                400,
                "is not a matcher",
            ),
            (base(parts("~")), 400, "operators"),
            (base(json!({"duration": null})), 400, "say when it ends"),
            (
                base(json!({"ends_at": "2026-11-23T10:00:00Z"})),
                400,
                "one of the two",
            ),
            (base(json!({"duration": "soon"})), 400, "`duration`"),
            (base(json!({"starts_at": "soon"})), 400, "`starts_at`"),
            (
                base(json!({"matchers": ["a=~.*"]})),
                422,
                "everything is silenced",
            ),
            (base(json!({"id": "none"})), 422, "no such silence"),
        ],
    )
    .await;
    let made = belfry.ask(line, &base(json!({})).to_string()).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let made = made.json();
    assert_eq!(
        made["matchers"],
        json!([{"name": "alertname", "op": "=", "value": "LowStock", "text": "alertname=\"LowStock\""}])
    );
    assert_eq!(
        (&made["state"], &made["by"]),
        (&json!("active"), &json!("ada"))
    );
    assert_eq!(made["ends_at"], "2026-11-23T11:00:00Z");
    let later =
        base(json!({"starts_at": 1_795_428_000, "matchers": [{"name": "a", "value": "b"}]}));
    let later = belfry.ask(line, &later.to_string()).await.json();
    assert_eq!(
        (&later["state"], &later["starts_at"]),
        (&json!("pending"), &json!("2026-11-23T10:00:00Z"))
    );
    assert_eq!(
        later["ends_at"], "2026-11-23T12:00:00Z",
        "a length counts from the beginning"
    );
    belfry.expose("stock 2\n");
    belfry.pass(31).await;
    assert_eq!(belfry.pages(), [""; 0], "nobody is told");
    let path = format!("/api/belfry/v1/silences/{}", made["id"].as_str().unwrap());
    assert_eq!(belfry.ask(&format!("DELETE {path}"), "").await.status, 204);
    belfry.ask(&format!("DELETE {path}"), "").await.problem(404);
    let states = async |query: &str| {
        let found = belfry.get(&format!("/api/belfry/v1/silences{query}")).await;
        let state = |own: &Value| own["state"].as_str().unwrap().to_owned();
        let mut states: Vec<String> = found.as_array().unwrap().iter().map(state).collect();
        states.sort_unstable();
        states
    };
    assert_eq!(states("").await, ["pending"]);
    assert_eq!(states("?state=all").await, ["ended", "pending"]);
    belfry
        .ask("GET /api/belfry/v1/silences?state=x", "")
        .await
        .problem(400);
    belfry.pass(3).await;
    assert!(!belfry.pages().is_empty(), "it ended while the alert fires");
}

#[tokio::test(start_paused = true)]
async fn a_preview_shows_what_would_be_hidden() {
    let belfry = belfry().await;
    belfry.expose("stock 0\n");
    belfry.pass(90).await;
    let preview = async |matchers: Value| {
        let body = json!({"matchers": matchers}).to_string();
        belfry
            .ask("POST /api/belfry/v1/silences/preview", &body)
            .await
            .json()
    };
    let low = preview(json!(["alertname=LowStock"])).await;
    assert_eq!(
        (&low["alerts_count"], &low["rules"]),
        (&json!(1), &json!(["LowStock"]))
    );
    assert_eq!(low["alerts"][0]["labels"]["alertname"], "LowStock");
    assert_eq!(
        low["incidents"],
        json!([{"id": 1, "title": "LowStock", "severity": "warning", "alerts_hidden": 1,
            "alerts_told": 0, "held_back": true}])
    );
    assert_eq!(low["hides_everything"], false);
    let instance = preview(json!(["instance=~shop.*"])).await;
    assert_eq!(instance["alerts_count"], 2);
    assert_eq!(
        (&instance["rules"], &instance["rules_possible"]),
        (&json!([]), &json!(["NoStock", "LowStock"]))
    );
    // Monday, within the stocktaking.
    assert_eq!(
        instance["alerts"][1]["held_already"]["kind"],
        "maintenance_window"
    );
    assert_eq!(preview(json!(["a=~.*"])).await["hides_everything"], true);
    let after = belfry.get("/api/belfry/v1/silences?state=all").await;
    assert_eq!(after, json!([]), "a preview makes nothing");
}

#[tokio::test(start_paused = true)]
async fn windows_say_when() {
    let belfry = belfry().await;
    let found = belfry.get("/api/belfry/v1/maintenance-windows").await;
    assert_eq!(
        found,
        json!([
            {"name": "stocktaking", "reason": "everything is counted", "alerts": ["NoStock"], "days": ["mon"],
             "from": "08:00", "zone": "UTC", "length_seconds": 7200.0, "open_until": "2026-11-23T10:00:00Z",
             "next": {"from": "2026-11-30T08:00:00Z", "until": "2026-11-30T10:00:00Z"}},
            {"name": "cleaning", "reason": "dust", "alerts": ["{severity=\"warning\"}"], "days": [],
             "from": "03:00", "zone": "Europe/Berlin", "length_seconds": 3600.0, "open_until": null,
             "next": {"from": "2026-11-24T02:00:00Z", "until": "2026-11-24T03:00:00Z"}},
        ])
    );
}

#[tokio::test(start_paused = true)]
async fn on_call_says_who_and_why() {
    let belfry = belfry().await;
    let found = belfry.get("/api/belfry/v1/on-call").await;
    assert_eq!(
        found["roles"],
        json!([
            {"role": "on-call", "policies": ["standard"], "notice": null, "people": [
                {"person": "ada", "why": "rota", "rota": "on-call", "channels": ["webhook"]},
                {"person": "lea", "why": "listed", "rota": null, "channels": ["log", "webhook"]}]},
            {"role": "team-lead", "policies": ["standard"], "people": [],
             "notice": "nobody fills team-lead now: a level that names only it reaches nobody"},
        ])
    );
    let rota = &found["rotas"][0];
    assert_eq!(
        rota["turn"],
        json!({"person": "ada", "from": "2026-11-23T08:00:00Z", "until": "2026-11-24T08:00:00Z", "shift": "",
            "is_override": false})
    );
    assert_eq!(rota["next"].as_array().unwrap().len(), 10);
    assert_eq!(rota["next"][0]["person"], "lea");
    assert_eq!(rota["overrides"].as_array().unwrap().len(), 1);
    assert_eq!(rota["overrides"][0]["source"], "contacts");

    let line = "POST /api/belfry/v1/on-call/overrides";
    let until = "2026-11-23T12:00:00Z";
    refused(
        &belfry,
        line,
        &[
            (
                json!({"by": "", "rota": "on-call", "person": "lea", "until": until}),
                400,
                "`by`",
            ),
            (
                json!({"by": "ada", "rota": "none", "person": "lea", "until": until}),
                422,
                "no rota `none`",
            ),
            (
                json!({"by": "ada", "rota": "on-call", "person": "bob", "until": until}),
                422,
                "nobody is called `bob`",
            ),
            (
                json!({"by": "ada", "rota": "on-call", "person": "lea", "until": "x"}),
                400,
                "`until`",
            ),
            (
                json!({"by": "ada", "rota": "on-call", "person": "lea", "until": 1}),
                422,
                "in the future",
            ),
            (
                json!({"by": "ada", "rota": "on-call", "person": "lea", "until": 1e300}),
                400,
                "calendar",
            ),
        ],
    )
    .await;
    let body = json!({"by": "ada", "rota": "on-call", "person": "lea", "until": until, "reason": "dentist"});
    let made = belfry.ask(line, &body.to_string()).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let made = made.json();
    assert_eq!(
        (&made["by"], &made["reason"]),
        (&json!("ada"), &json!("dentist"))
    );
    let turn = async || belfry.get("/api/belfry/v1/on-call").await["rotas"][0].clone();
    let now = turn().await;
    assert_eq!(
        (&now["turn"]["person"], &now["turn"]["is_override"]),
        (&json!("lea"), &json!(true))
    );
    assert_eq!(now["overrides"].as_array().unwrap().len(), 2);
    let path = format!("DELETE /api/belfry/v1/on-call/overrides/{}", made["id"]);
    assert_eq!(belfry.ask(&path, "").await.status, 204);
    belfry.ask(&path, "").await.problem(404);
    let after = turn().await;
    assert_eq!(after["turn"]["person"], "ada");
    assert_eq!(after["overrides"].as_array().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn contacts_without_addresses() {
    let belfry = belfry().await;
    let found = belfry.get("/api/belfry/v1/contacts").await;
    assert_eq!(
        found,
        json!({"people": [
            {"name": "ada", "roles": [], "rotas": ["on-call"], "channels": [{"name": "webhook", "kind": "webhook"}]},
            {"name": "lea", "roles": ["on-call"], "rotas": ["on-call"],
             "channels": [{"name": "log", "kind": "log"}, {"name": "webhook", "kind": "webhook"}]}],
         "notice": "Nobody fills the role team-lead: these levels page nobody."})
    );
    assert!(!found.to_string().contains("pager.test"));
}

#[tokio::test(start_paused = true)]
async fn deployments_are_told_and_listed() {
    let belfry = belfry().await;
    let line = "POST /api/v1/deployments";
    refused(
        &belfry,
        line,
        &[
            (json!({"version": ""}), 400, "`version`"),
            (
                json!({"version": "x".repeat(201)}),
                400,
                "at most 200 characters",
            ),
            (json!({"version": "1\n2"}), 400, "one line"),
            (
                json!({"version": "1", "at": "2026-11-23T09:05:01Z"}),
                400,
                "in the future",
            ),
            (json!({"version": "1", "at": "now"}), 400, "`at`"),
            (
                json!({"version": "1", "note": "x".repeat(5001)}),
                400,
                "longer than 5000",
            ),
            (json!({}), 422, "version"),
        ],
    )
    .await;
    let tell = async |body: Value| -> Answer { belfry.ask(line, &body.to_string()).await };
    let made = tell(json!({"version": "1.2", "by": "ada", "note": "faster"})).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(
        made.json(),
        json!({"at": "2026-11-23T09:00:00Z", "service": "shop", "instance": "", "version": "1.2", "by": "ada",
            "note": "faster"})
    );
    let ahead =
        json!({"version": "1.3", "service": "till", "instance": "a", "at": "2026-11-23T09:05:00Z"});
    assert_eq!(tell(ahead).await.status, 201, "clocks differ");
    assert_eq!(
        tell(json!({"version": "1.1", "at": 1_795_420_800}))
            .await
            .status,
        201
    );
    let versions = async |query: &str| {
        let found = belfry
            .get(&format!("/api/belfry/v1/deployments{query}"))
            .await;
        let version = |own: &Value| own["version"].as_str().unwrap().to_owned();
        found
            .as_array()
            .unwrap()
            .iter()
            .map(version)
            .collect::<Vec<_>>()
    };
    assert_eq!(versions("").await, ["1.3", "1.2", "1.1"]);
    assert_eq!(versions("?limit=1").await, ["1.3"]);
    assert_eq!(
        versions("?from=2026-11-23T08:30:00Z&until=1795424400").await,
        ["1.2"]
    );
    belfry
        .ask("GET /api/belfry/v1/deployments?from=x", "")
        .await
        .problem(400);
    belfry
        .ask("GET /api/belfry/v1/deployments?limit=x", "")
        .await
        .problem(400);
}

#[tokio::test(start_paused = true)]
async fn jobs_report() {
    let belfry = belfry().await;
    let one = async || belfry.get("/api/belfry/v1/heartbeats").await[0].clone();
    assert_eq!(
        one().await,
        json!({"name": "backup", "state": "waiting", "every_seconds": 3600.0, "grace_seconds": 300.0,
            "expected_since": "2026-11-23T09:00:00Z", "last_at": null, "due_at": "2026-11-23T10:00:00Z",
            "late_at": "2026-11-23T10:05:00Z"})
    );
    belfry.pass(3901).await;
    assert_eq!(one().await["state"], "late", "it never reported");
    for method in ["GET", "POST", "HEAD"] {
        belfry.pass(10).await;
        let answer = belfry
            .ask(&format!("{method} /api/v1/heartbeats/backup"), "")
            .await;
        assert_eq!(answer.status, 200, "{method}");
        let at = belfry.get("/api/belfry/v1/heartbeats").await[0]["last_at"].clone();
        let now = belfry.get("/api/belfry/v1/overview").await["now"].clone();
        assert_eq!(at, now, "{method}");
    }
    assert_eq!(one().await["state"], "ok");
    belfry.pass(3900).await;
    assert_eq!(one().await["state"], "ok", "within its grace");
    belfry.pass(1).await;
    assert_eq!(one().await["state"], "late");
    let unknown = belfry.ask("POST /api/v1/heartbeats/backups", "").await;
    assert_eq!(
        unknown.problem(404),
        "the plan declares these heartbeats: backup"
    );
    for (site, status) in [
        ("cross-site", 403),
        ("same-site", 403),
        ("same-origin", 200),
        ("none", 200),
    ] {
        let headers = [("sec-fetch-site", site)];
        let answer = belfry
            .ask_with("GET /api/v1/heartbeats/backup", "", &headers)
            .await;
        assert_eq!(answer.status, status, "{site}");
    }
}

#[tokio::test(start_paused = true)]
async fn history_and_deliveries_are_kept() {
    let belfry = Belfry::start().await;
    belfry.expose("stock 0\n");
    belfry.pass(60).await;
    belfry.expose("stock 9\n");
    belfry.pass(31).await;
    let kinds = async |query: &str| {
        let found = belfry
            .get(&format!("/api/belfry/v1/alerts/history{query}"))
            .await;
        let kind = |own: &Value| {
            format!(
                "{} {}",
                own["rule"].as_str().unwrap(),
                own["kind"].as_str().unwrap()
            )
        };
        found
            .as_array()
            .unwrap()
            .iter()
            .map(kind)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        kinds("?rule=NoStock").await,
        ["NoStock resolved", "NoStock firing", "NoStock pending"]
    );
    assert_eq!(kinds("?limit=1").await.len(), 1);
    assert_eq!(kinds("?until=2026-11-23T08:00:00Z").await, [""; 0]);
    assert_eq!(
        kinds("?from=2026-11-23T09:01:00Z&rule=NoStock").await,
        ["NoStock resolved"]
    );
    belfry
        .ask("GET /api/belfry/v1/alerts/history?from=x", "")
        .await
        .problem(400);
    let all = belfry.get("/api/belfry/v1/alerts/history").await;
    let fired = all
        .as_array()
        .unwrap()
        .iter()
        .find(|own| own["kind"] == "firing")
        .unwrap();
    assert_eq!(fired["value"], 0.0);
    assert!(!fired["why"].as_str().unwrap().is_empty());

    let log = belfry.get("/api/belfry/v1/deliveries?incident=2").await;
    let attempts = log.as_array().unwrap();
    assert_eq!(attempts.len(), 2, "fired and resolved: {log}");
    assert_eq!(
        (
            &attempts[0]["accepted"],
            &attempts[0]["incident"],
            &attempts[0]["page"]["kind"]
        ),
        (&json!(true), &json!(2), &json!("resolved"))
    );
    assert!(attempts[1]["receipt"].is_string(), "{log}");
    assert_eq!(
        belfry
            .get("/api/belfry/v1/deliveries?limit=1")
            .await
            .as_array()
            .unwrap()
            .len(),
        1
    );
    belfry
        .ask("GET /api/belfry/v1/deliveries?incident=x", "")
        .await
        .problem(400);
}
