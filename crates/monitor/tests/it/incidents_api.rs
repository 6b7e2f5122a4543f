//! What people do with incidents.

use serde_json::json;

use super::harness::Belfry;

/// A shop whose stock ran out: incident 1 is LowStock (a warning), incident 2 NoStock.
async fn out_of_stock() -> Belfry {
    let belfry = Belfry::start().await;
    belfry.expose("stock 0\n");
    belfry.pass(90).await;
    let list = belfry.get("/api/belfry/v1/incidents").await;
    assert_eq!(
        (&list[0]["id"], &list[0]["alert"]),
        (&json!(2), &json!("NoStock")),
        "{list}"
    );
    assert_eq!(
        (&list[1]["id"], &list[1]["alert"]),
        (&json!(1), &json!("LowStock")),
        "{list}"
    );
    belfry
}

#[tokio::test(start_paused = true)]
async fn acknowledging() {
    let belfry = out_of_stock().await;
    let path = "POST /api/belfry/v1/incidents/2/acknowledge";
    for body in [
        r#"{"by":""}"#,
        r#"{"by":"  "}"#,
        &json!({"by": "x".repeat(101)}).to_string(),
    ] {
        let detail = belfry.ask(path, body).await.problem(400);
        assert!(detail.contains("1 to 100 characters"), "{body}: {detail}");
    }
    let long = json!({"by": "ada", "note": "x".repeat(5001)}).to_string();
    assert!(
        belfry
            .ask(path, &long)
            .await
            .problem(400)
            .contains("longer than 5000")
    );

    let taken = belfry
        .ask(path, r#"{"by":" ada ","note":"on my way"}"#)
        .await;
    assert_eq!(taken.status, 200, "{}", taken.body);
    let taken = taken.json();
    assert_eq!(
        (&taken["state"], &taken["acknowledged_by"]),
        (&json!("acknowledged"), &json!("ada"))
    );
    assert_eq!(taken["next_level"], json!(null), "escalation rests");
    assert_eq!(
        taken["ladder"][1]["due_at"],
        json!(null),
        "nobody is promised a page"
    );
    belfry.pass(5).await;
    let again = belfry.ask(path, r#"{"by":"lea"}"#).await;
    assert_eq!(again.status, 200, "acknowledging twice is fine");
    let again = again.json();
    assert_eq!(again["acknowledged_by"], "ada", "the first holds");
    assert_eq!(again["acknowledged_at"], taken["acknowledged_at"]);
    let kinds: Vec<&str> = again["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|entry| entry["kind"].as_str())
        .collect();
    assert_eq!(
        kinds.iter().filter(|kind| **kind == "acknowledged").count(),
        1,
        "{kinds:?}"
    );

    let unknown = belfry
        .ask(
            "POST /api/belfry/v1/incidents/99/acknowledge",
            r#"{"by":"ada"}"#,
        )
        .await;
    assert_eq!(
        unknown.problem(404),
        "there is no incident with this number"
    );
    belfry.expose("stock 9\n");
    belfry.pass(20).await;
    let over = belfry.ask(path, r#"{"by":"ada"}"#).await;
    assert_eq!(over.problem(409), "the incident is resolved already");
    belfry.pass(20 * 60).await;
    assert!(
        !belfry.pages().contains(&"firing NoStock lea 2".to_owned()),
        "{:?}",
        belfry.pages()
    );
}

#[tokio::test(start_paused = true)]
async fn notes_are_kept_even_when_it_is_over() {
    let belfry = out_of_stock().await;
    let path = "POST /api/belfry/v1/incidents/2/notes";
    assert!(
        belfry
            .ask(path, r#"{"by":"ada","text":" "}"#)
            .await
            .problem(400)
            .contains("needs a text")
    );
    assert!(
        belfry
            .ask(path, r#"{"by":"","text":"x"}"#)
            .await
            .problem(400)
            .contains("`by`")
    );
    belfry
        .ask(
            "POST /api/belfry/v1/incidents/99/notes",
            r#"{"by":"ada","text":"x"}"#,
        )
        .await
        .problem(404);
    assert_eq!(
        belfry
            .ask(path, r#"{"by":"ada","text":"ordered boxes"}"#)
            .await
            .status,
        200
    );
    belfry.expose("stock 9\n");
    belfry.pass(20).await;
    let noted = belfry
        .ask(path, r#"{"by":"lea","text":"why was it empty?"}"#)
        .await;
    assert_eq!(noted.status, 200);
    let noted = noted.json();
    let notes: Vec<&str> = noted["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["kind"] == "note")
        .filter_map(|entry| entry["text"].as_str())
        .collect();
    assert_eq!(notes, ["ada: ordered boxes", "lea: why was it empty?"]);
    assert_eq!(noted["state"], "resolved", "a note changes nothing else");
}

#[tokio::test(start_paused = true)]
async fn one_continuous_firing_is_one_incident_and_the_next_one_is_another() {
    let belfry = out_of_stock().await;
    let ids = async |state: &str| {
        let list = belfry
            .get(&format!("/api/belfry/v1/incidents?state={state}"))
            .await;
        let of = |value: &serde_json::Value| {
            format!("{}:{}", value["id"], value["alert"].as_str().unwrap())
        };
        list.as_array().unwrap().iter().map(of).collect::<Vec<_>>()
    };
    belfry.pass(10 * 60).await;
    assert_eq!(ids("all").await, ["2:NoStock", "1:LowStock"]);
    assert_eq!(ids("resolved").await, [""; 0]);
    // A scrape that fails in between ends nothing.
    belfry.expose("");
    belfry.pass(60).await;
    belfry.expose("stock 0\n");
    belfry.pass(60).await;
    assert_eq!(ids("open").await, ["2:NoStock", "1:LowStock"]);
    belfry.expose("stock 2\n");
    belfry.pass(31).await;
    assert_eq!(ids("open").await, ["1:LowStock"]);
    belfry.expose("stock 0\n");
    belfry.pass(61).await;
    assert_eq!(ids("all").await, ["3:NoStock", "2:NoStock", "1:LowStock"]);
    let limited = belfry.get("/api/belfry/v1/incidents?limit=1").await;
    assert_eq!(limited.as_array().unwrap().len(), 1);
    assert_eq!(
        belfry.pages(),
        [
            "firing LowStock ada 1",
            "firing NoStock ada 1",
            "resolved NoStock ada 1",
            "firing NoStock ada 1",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn the_detail_tells_what_to_do() {
    let belfry = out_of_stock().await;
    let found = belfry.get("/api/belfry/v1/incidents/2").await;
    assert_eq!(found["summary"], "0 boxes left at shop.test:80");
    assert_eq!(
        found["labels"],
        json!({"alertname": "NoStock", "severity": "critical", "job": "shop", "instance": "shop.test:80"})
    );
    let steps: Vec<String> = found["procedure"]["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| {
            let runs: Vec<&str> = step["runs"]
                .as_array()
                .unwrap()
                .iter()
                .map(|run| run["state"].as_str().unwrap())
                .collect();
            format!(
                "{} {} {} {} {runs:?}",
                step["number"],
                step["title"].as_str().unwrap(),
                step["kind"].as_str().unwrap(),
                step["query"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(
        steps,
        [
            r#"1 Look at the stock. query stock ["done"]"#,
            r#"2 Read what went wrong. logs level:ERROR ["done"]"#,
            r#"3 Ask the shop. check health ["done"]"#,
            "4 Order boxes. manual  []",
        ],
        "what changes nothing has run by itself"
    );
    let page = &found["pages"][0];
    assert_eq!(
        (&page["person"], &page["state"], &page["attempts"]),
        (&json!("ada"), &json!("delivered"), &json!(1))
    );
    assert_eq!(found["next_level"], 2);
    assert_eq!(found["ladder"][1]["notified_at"], json!(null));
    let warning = belfry.get("/api/belfry/v1/incidents/1").await;
    assert_eq!(
        warning["next_level"],
        json!(null),
        "a warning never escalates"
    );
    assert_eq!(warning["procedure"], json!(null));
}
