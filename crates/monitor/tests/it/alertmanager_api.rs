//! Alertmanager's API v2: alerts of other programs become pages, and its clients' questions are answered as they expect.
//! The real `amtool` and Prometheus ask in the stage "both programs from outside" of `make test`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use super::harness::{Belfry, HOST, PLAN, in_folder};
use super::refusing_store::RefusingStore;

/// A shop with one alert of its own (LowStock) and two of other programs: Disk on web1, critical, and Queue.
async fn with_foreign_alerts() -> Belfry {
    let belfry = Belfry::start().await;
    belfry.expose("stock 2\n");
    belfry.pass(31).await;
    let posted = json!([
        {"labels": {"alertname": "Disk", "instance": "web1", "severity": "critical", "gone": ""},
         "annotations": {"summary": "disk full"}, "generatorURL": "http://prom.test/graph"},
        {"labels": {"alertname": "Queue", "instance": "web2"}},
    ]);
    let answer = belfry.ask("POST /api/v2/alerts", &posted.to_string()).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, ""));
    belfry.pass(5).await;
    belfry
}

async fn names(belfry: &Belfry, query: &str) -> Vec<String> {
    let found = belfry.get(&format!("/api/v2/alerts?{query}")).await;
    let name = |alert: &Value| alert["labels"]["alertname"].as_str().unwrap().to_owned();
    let mut names: Vec<String> = found.as_array().unwrap().iter().map(name).collect();
    names.sort_unstable();
    names
}

#[tokio::test(start_paused = true)]
async fn alerts_of_other_programs_page_and_resolve() {
    let belfry = with_foreign_alerts().await;
    assert!(
        belfry.pages().contains(&"firing Disk ada 1".to_owned()),
        "{:?}",
        belfry.pages()
    );
    let found = belfry.get("/api/v2/alerts?filter=alertname%3DDisk").await;
    let alert = &found[0];
    assert_eq!(
        alert["labels"],
        json!({"alertname": "Disk", "instance": "web1", "service": "shop", "severity": "critical"})
    );
    assert_eq!(alert["annotations"], json!({"summary": "disk full"}));
    assert_eq!(
        alert["receivers"],
        json!([{"name": "on-call"}, {"name": "team-lead"}])
    );
    assert_eq!(alert["generatorURL"], "http://prom.test/graph");
    assert_eq!(
        alert["status"],
        json!({"state": "active", "silencedBy": [], "inhibitedBy": [], "mutedBy": []})
    );
    assert_eq!(alert["startsAt"], "2026-11-23T09:00:31Z");
    assert_eq!(
        alert["endsAt"], "2026-11-23T09:05:31Z",
        "its word counts for five minutes"
    );
    assert_eq!(alert["fingerprint"].as_str().unwrap().len(), 16);
    let over = json!([{"labels": {"alertname": "Disk", "instance": "web1", "severity": "critical"},
        "startsAt": "2026-11-23T09:00:31Z", "endsAt": "2026-11-23T09:00:35.500Z"}]);
    assert_eq!(
        belfry
            .ask("POST /api/v2/alerts", &over.to_string())
            .await
            .status,
        200
    );
    belfry.pass(5).await;
    assert_eq!(names(&belfry, "").await, ["LowStock", "Queue"]);
    assert!(
        belfry.pages().contains(&"resolved Disk ada 1".to_owned()),
        "{:?}",
        belfry.pages()
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_right_is_taken_and_what_is_wrong_is_named() {
    let belfry = Belfry::start().await;
    let good = json!({"labels": {"alertname": "Good"}});
    let large =
        json!([{"labels": {"alertname": "Large"}, "annotations": {"text": "x".repeat(2 << 20)}}]);
    let cases: [(String, u16, &str); 7] = [
        (
            json!([good, {"labels": {}}]).to_string(),
            400,
            "alert 2: it has no labels",
        ),
        (
            json!([{"labels": {"a b": "c"}}]).to_string(),
            400,
            "cannot be the name of a label",
        ),
        ("[".to_owned(), 400, "the body is no list of alerts"),
        (
            json!({"labels": {"a": "b"}}).to_string(),
            400,
            "the body is no list of alerts",
        ),
        (
            json!(vec![json!({}); 10_001]).to_string(),
            400,
            "at most 10000 are taken",
        ),
        ("[]".to_owned(), 200, ""),
        (large.to_string(), 200, ""),
    ];
    for (body, status, expect) in cases {
        let answer = belfry.ask("POST /api/v2/alerts", &body).await;
        assert_eq!(answer.status, status, "{expect}: {}", answer.body);
        if status != 200 {
            assert_eq!(answer.header("content-type"), "application/json");
            let why = answer.json();
            assert!(why.as_str().unwrap().contains(expect), "{expect}: {why}");
        }
    }
    assert_eq!(names(&belfry, "").await, ["Good", "Large"]);
    let foreign = [("origin", "http://evil.example"), ("host", HOST)];
    let answer = belfry.ask_with("POST /api/v2/alerts", "[]", &foreign).await;
    assert_eq!(answer.status, 403);
}

#[tokio::test(start_paused = true)]
async fn an_alert_that_is_not_recorded_is_not_taken() {
    let refuses = Arc::new(AtomicBool::new(false));
    let switch = refuses.clone();
    let belfry = Belfry::start_with(
        PLAN,
        |_| {},
        |folder| RefusingStore {
            inner: in_folder(folder),
            refuses: Arc::new(move |verb| verb == "record" && switch.load(Ordering::Relaxed)),
        },
    )
    .await;
    refuses.store(true, Ordering::Relaxed);
    let body = json!([{"labels": {"alertname": "Disk"}}]).to_string();
    let answer = belfry.ask("POST /api/v2/alerts", &body).await;
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert!(answer.json().is_string());
    refuses.store(false, Ordering::Relaxed);
    assert_eq!(names(&belfry, "").await, [""; 0]);
    assert_eq!(belfry.ask("POST /api/v2/alerts", &body).await.status, 200);
    assert_eq!(names(&belfry, "").await, ["Disk"]);
}

#[tokio::test(start_paused = true)]
async fn questions_select() {
    let belfry = with_foreign_alerts().await;
    let silence = json!({
        "matchers": [{"name": "alertname", "value": "Que.*", "isRegex": true}],
        "startsAt": "2026-11-23T09:00:00Z", "endsAt": "2026-11-23T10:00:00Z",
        "createdBy": "ada", "comment": "known",
    });
    let made = belfry
        .ask("POST /api/v2/silences", &silence.to_string())
        .await;
    assert_eq!(made.status, 200, "{}", made.body);
    let cases: [(&str, &[&str]); 14] = [
        ("", &["Disk", "LowStock", "Queue"]),
        ("filter=severity%3Dcritical", &["Disk"]),
        ("filter=severity%3D%22critical%22", &["Disk"]),
        ("filter=severity!%3Dcritical", &["LowStock", "Queue"]),
        ("filter=instance%3D~web.", &["Disk", "Queue"]),
        ("filter=instance!~web.", &["LowStock"]),
        (
            "filter=instance%3D~web.&filter=alertname%3DQueue",
            &["Queue"],
        ),
        ("silenced=false", &["Disk", "LowStock"]),
        ("active=false", &["Queue"]),
        (
            "active=false&silenced=false&inhibited=false&unprocessed=true",
            &[],
        ),
        ("receiver=on-.*", &["Disk", "LowStock", "Queue"]),
        ("receiver=team-lead", &["Disk"]),
        ("receiver=nobody", &[]),
        (
            "filter=service%3Dshop&inhibited=false",
            &["Disk", "LowStock", "Queue"],
        ),
    ];
    for (query, expect) in cases {
        assert_eq!(names(&belfry, query).await, expect, "{query}");
    }
    for wrong in [
        "filter=severity",
        "filter=a%3D~(",
        "active=perhaps",
        "receiver=(",
    ] {
        let answer = belfry.ask(&format!("GET /api/v2/alerts?{wrong}"), "").await;
        assert_eq!(answer.status, 400, "{wrong}");
        assert!(answer.json().is_string(), "{wrong}: {}", answer.body);
    }
    let queue = belfry.get("/api/v2/alerts?filter=alertname%3DQueue").await;
    assert_eq!(queue[0]["status"]["state"], "suppressed");
    assert_eq!(
        queue[0]["status"]["silencedBy"],
        json!([made.json()["silenceID"]])
    );
    let groups = belfry.get("/api/v2/alerts/groups").await;
    let shown: Vec<String> = groups.as_array().unwrap().iter().map(group).collect();
    assert_eq!(
        shown,
        [
            r#"{"alertname":"LowStock","severity":"warning"} on-call 1"#,
            r#"{"alertname":"Disk","severity":"critical"} on-call 1"#,
            r#"{"alertname":"Queue"} on-call 1"#,
        ]
    );
}

fn group(group: &Value) -> String {
    let (labels, receiver) = (
        &group["labels"],
        group["receiver"]["name"].as_str().unwrap(),
    );
    format!(
        "{labels} {receiver} {}",
        group["alerts"].as_array().unwrap().len()
    )
}

#[tokio::test(start_paused = true)]
async fn silences_are_made_changed_and_ended() {
    let belfry = Belfry::start().await;
    let silence = |change: Value| {
        let mut body = json!({
            "matchers": [{"name": "alertname", "value": "Disk", "isRegex": false, "isEqual": true}],
            "startsAt": "2026-11-23T09:00:00.000Z", "endsAt": "2026-11-23T10:00:00Z",
            "createdBy": "ada", "comment": "known",
        });
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        body.to_string()
    };
    let put = async |change: Value| belfry.ask("POST /api/v2/silences", &silence(change)).await;
    let matchers = |name: &str, value: &str, is_regex: bool| json!({"matchers": [{"name": name, "value": value, "isRegex": is_regex}]});
    let unknown = "5b3f2a6e-0000-4000-8000-000000000000";
    let wrong: [(Value, u16, &str); 9] = [
        (json!({"matchers": []}), 400, "1 to 64 matchers"),
        (
            matchers("a b", "x", false),
            400,
            "cannot be the name of a label",
        ),
        (matchers("a", "(", true), 400, "regular expression"),
        (matchers("a", ".*", true), 400, "everything is silenced"),
        (
            json!({"endsAt": "2026-11-23T08:00:00Z"}),
            400,
            "must end after it starts",
        ),
        (
            json!({"endsAt": "2028-11-23T08:00:00Z"}),
            400,
            "a year at most",
        ),
        (json!({"startsAt": "soon"}), 400, "neither RFC 3339"),
        (json!({"createdBy": " "}), 400, "`createdBy`"),
        (json!({"id": unknown}), 404, "there is no silence"),
    ];
    for (change, status, expect) in wrong {
        let answer = put(change).await;
        assert_eq!(answer.status, status, "{expect}: {}", answer.body);
        assert!(
            answer.json().as_str().unwrap().contains(expect),
            "{expect}: {}",
            answer.body
        );
    }
    let id = put(json!({})).await.json()["silenceID"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/api/v2/silence/{id}");
    let found = belfry.get(&path).await;
    assert_eq!(found["status"], json!({"state": "active"}));
    assert_eq!(
        found["matchers"],
        json!([{"name": "alertname", "value": "Disk", "isRegex": false, "isEqual": true}])
    );
    assert_eq!(
        (&found["createdBy"], &found["comment"]),
        (&json!("ada"), &json!("known"))
    );
    // The same alerts for longer: the same silence. Other alerts: another one.
    let longer = put(json!({"id": id, "endsAt": "2026-11-23T11:00:00Z"}))
        .await
        .json();
    assert_eq!(longer["silenceID"], id.as_str());
    assert_eq!(belfry.get(&path).await["endsAt"], "2026-11-23T11:00:00Z");
    let listed = async |query: &str| {
        let found = belfry.get(&format!("/api/v2/silences?{query}")).await;
        let state = |own: &Value| own["status"]["state"].as_str().unwrap().to_owned();
        found
            .as_array()
            .unwrap()
            .iter()
            .map(state)
            .collect::<Vec<_>>()
    };
    put(json!({"startsAt": "2026-11-23T12:00:00Z", "endsAt": "2026-11-23T13:00:00Z"})).await;
    assert_eq!(listed("").await, ["active", "pending"]);
    assert_eq!(belfry.ask(&format!("DELETE {path}"), "").await.status, 200);
    assert_eq!(
        belfry.ask(&format!("DELETE {path}"), "").await.status,
        200,
        "it is over already"
    );
    assert_eq!(listed("").await, ["pending", "expired"]);
    assert_eq!(
        listed("filter=alertname%3DDisk&creator=ada").await,
        ["pending", "expired"]
    );
    assert_eq!(listed("filter=alertname%3DOther").await, [""; 0]);
    assert_eq!(listed("creator=lea").await, [""; 0]);
    // An ended one begins anew under a new id.
    let again = put(json!({"id": id})).await.json();
    assert_ne!(again["silenceID"], id.as_str());
    for line in ["GET", "DELETE"] {
        let answer = belfry
            .ask(&format!("{line} /api/v2/silence/{unknown}"), "")
            .await;
        assert_eq!(answer.status, 404, "{line}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_server_says_what_it_is() {
    let belfry = Belfry::start().await;
    let status = belfry.get("/api/v2/status").await;
    assert_eq!(
        status["cluster"],
        json!({"status": "disabled", "peers": []})
    );
    assert_eq!(status["uptime"], "2026-11-23T09:00:00Z");
    assert_eq!(status["versionInfo"]["version"], env!("CARGO_PKG_VERSION"));
    let original = status["config"]["original"].as_str().unwrap();
    assert!(original.contains("receiver: \"on-call\""), "{original}");
    let receivers = belfry.get("/api/v2/receivers").await;
    assert_eq!(
        receivers,
        json!([{"name": "on-call"}, {"name": "team-lead"}])
    );
}

/// Whoever sends an alert with the very labels of one of the plan's own cannot end it, nor make it depend on its word.
#[tokio::test(start_paused = true)]
async fn nobody_else_has_a_say_about_the_plans_own_alerts() {
    let belfry = Belfry::start().await;
    belfry.expose("stock 0\n");
    belfry.pass(90).await;
    let own = belfry.get("/api/belfry/v1/incidents/2").await["labels"].clone();
    let ended = json!([{"labels": own, "endsAt": "2026-11-23T09:00:00Z"}]);
    let firing = json!([{"labels": own}]);
    for body in [firing, ended] {
        let answer = belfry.ask("POST /api/v2/alerts", &body.to_string()).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    belfry.pass(10 * 60).await;
    let incident = belfry.get("/api/belfry/v1/incidents/2").await;
    assert_eq!(incident["state"], "open");
    assert_eq!(incident["no_data"], false);
}
