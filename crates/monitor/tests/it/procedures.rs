//! Procedures at work: what looks runs by itself and is in the page, what changes something waits for a person and runs
//! once, what fails says why and takes nothing with it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use world::{CommandError, CommandOutput, Exit, HttpError};

use super::harness::{Belfry, PLAN, answer, in_folder};

const STEPS: &str = "      - {do: Look at the stock., query: stock}
      - {do: Was it like that before?, compare: stock, before: 1m}
      - {do: What was deployed?, deployments: 1h}
      - {do: Read what went wrong., logs: 'level:ERROR box'}
      - {do: Ask the shop., check: health}
      - {do: Ask for its settings., request: 'GET http://shop.test:80/admin'}
      - {do: Order boxes., request: 'POST http://shop.test:80/order', body: '{\"boxes\": 3}', timeout: 5s}
      - {do: Ring the bell., command: [ring, --loud], timeout: 2s}
      - do: Carry them in.
";

fn plan() -> String {
    let start = PLAN.find("      - {do: Look at the stock.").unwrap();
    let end = PLAN.find("objectives:").unwrap();
    format!("{}{STEPS}{}", &PLAN[..start], &PLAN[end..])
}

/// A shop that is out of boxes; what its `/order` was sent.
async fn out_of_boxes() -> (Belfry, Arc<Mutex<Vec<Value>>>) {
    let belfry = Belfry::start_with(&plan(), |_| {}, in_folder).await;
    let orders = Arc::new(Mutex::new(Vec::new()));
    let taken = orders.clone();
    let exposed = Arc::new(Mutex::new("stock 5\n"));
    let text = exposed.clone();
    belfry.sim.net.host("shop.test:80", move |request| {
        let (taken, text) = (taken.clone(), text.lock().unwrap().to_owned());
        Box::pin(async move {
            let path = request.url.trim_start_matches("http://shop.test:80");
            match path {
                "/metrics" => Ok(answer(200, "text/plain", text)),
                "/health" => Ok(answer(
                    503,
                    "application/health+json",
                    r#"{"status":"fail","checks":{"database:ping":[{"status":"fail","output":"gone"}]}}"#,
                )),
                "/admin" => Ok(answer(302, "text/plain", "")),
                "/order" => {
                    taken.lock().unwrap().push(serde_json::from_slice(&request.body).unwrap());
                    Ok(answer(200, "application/json", r#"{"ordered": 3}"#))
                }
                other => Err(HttpError::Broken(other.to_owned())),
            }
        })
    });
    belfry.pass(60).await;
    let line = r#"{"ts":"2026-11-23T09:00:50Z","level":"ERROR","message":"no box left"}"#;
    assert_eq!(belfry.ask("POST /api/v1/logs", line).await.status, 200);
    *exposed.lock().unwrap() = "stock 0\n";
    belfry.pass(90).await;
    (belfry, orders)
}

/// `number state summary` of the last run of each step.
async fn runs(belfry: &Belfry) -> Vec<String> {
    let found = belfry.get("/api/belfry/v1/incidents/2").await;
    let steps = found["procedure"]["steps"].as_array().unwrap().clone();
    let last = |step: &Value| {
        let run = step["runs"].as_array().unwrap().last().cloned()?;
        Some(format!(
            "{} {} {}",
            step["number"],
            run["state"].as_str()?,
            run["summary"].as_str()?
        ))
    };
    steps.iter().filter_map(last).collect()
}

#[tokio::test(start_paused = true)]
async fn what_looks_runs_by_itself_and_is_in_the_page() {
    let (belfry, orders) = out_of_boxes().await;
    let found = runs(&belfry).await;
    assert_eq!(
        found,
        [
            "1 done 0",
            "2 done 0 now, 5 1m before (x 0)",
            "3 done no deployment in the 1h before",
            "4 done 1 line in the last 15 min; the newest: no box left",
            "5 done health says fail (503, 0 ms); database fail: gone; answered 503",
            "6 failed 302 Found: redirects are not followed; write the address that is meant",
        ]
    );
    assert!(
        orders.lock().unwrap().is_empty(),
        "what changes something waits"
    );
    let page = belfry.page_of("NoStock");
    let evidence = page["incident"]["evidence"].as_array().unwrap().clone();
    assert_eq!(evidence.len(), 6, "{evidence:?}");
    assert_eq!(evidence[0]["finding"], "0");
    let incident = belfry.get("/api/belfry/v1/incidents/2").await;
    let steps = incident["timeline"].as_array().unwrap().iter();
    assert_eq!(steps.filter(|entry| entry["kind"] == "step").count(), 6);
}

#[tokio::test(start_paused = true)]
async fn what_changes_something_runs_once_and_says_who_wanted_it() {
    let (belfry, orders) = out_of_boxes().await;
    let path = "POST /api/belfry/v1/incidents/2/steps/7/run";
    assert!(
        belfry
            .ask(path, r#"{"by":""}"#)
            .await
            .problem(400)
            .contains("1 to 100")
    );
    assert_eq!(belfry.ask(path, r#"{"by":"ada"}"#).await.status, 200);
    belfry.ask(path, r#"{"by":"bob"}"#).await.problem(409);
    belfry.pass(10).await;
    assert_eq!(*orders.lock().unwrap(), [json!({"boxes": 3})]);
    let again = belfry.ask(path, r#"{"by":"bob"}"#).await.problem(409);
    assert!(again.contains("runs once"), "{again}");
    assert_eq!(runs(&belfry).await[6], r#"7 done 200 OK: {"ordered": 3}"#);
    let incident = belfry.get("/api/belfry/v1/incidents/2").await;
    let told = incident["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .any(|entry| entry["text"] == "step 7 started by ada: Order boxes.");
    assert!(told, "{}", incident["timeline"]);
}

#[tokio::test(start_paused = true)]
async fn a_person_ticks_what_a_person_does() {
    let (belfry, _) = out_of_boxes().await;
    let refused = belfry
        .ask(
            "POST /api/belfry/v1/incidents/2/steps/9/run",
            r#"{"by":"ada"}"#,
        )
        .await
        .problem(400);
    assert!(refused.contains("tick it"), "{refused}");
    let path = "POST /api/belfry/v1/incidents/2/steps/9/tick";
    assert_eq!(belfry.ask(path, r#"{"by":"ada"}"#).await.status, 200);
    assert_eq!(runs(&belfry).await[6], "9 ticked ");
    for path in [
        "POST /api/belfry/v1/incidents/2/steps/10/run",
        "POST /api/belfry/v1/incidents/2/steps/0/run",
        "POST /api/belfry/v1/incidents/9/steps/1/run",
    ] {
        belfry.ask(path, r#"{"by":"ada"}"#).await.problem(404);
    }
}

/// A program's outcomes and what the step says of them.
#[tokio::test(start_paused = true)]
async fn programs_that_fail_say_why() {
    let output = |code: i32, out: &str, errors: &str| {
        Ok(CommandOutput {
            exit: Exit::Code(code),
            stdout: out.to_owned().into(),
            stdout_truncated: false,
            stderr: errors.to_owned().into(),
            stderr_truncated: false,
        })
    };
    let cases: Vec<(Result<CommandOutput, CommandError>, &str)> = vec![
        (
            output(3, "", "\nbell: no such tower\n"),
            "8 failed exit code 3: bell: no such tower",
        ),
        (output(0, "ding\ndong", ""), "8 done ding"),
        (
            Err(CommandError::TimedOut(Duration::from_secs(2))),
            "8 failed did not end within 2000 ms; killed",
        ),
    ];
    for (outcome, expect) in cases {
        let (belfry, _) = out_of_boxes().await;
        belfry.sim.commands.install("ring", move |request| {
            assert_eq!(request.argv, ["ring", "--loud"]);
            let environment: Vec<&str> = request
                .environment
                .iter()
                .map(|(name, _)| name.as_str())
                .collect();
            assert_eq!(
                environment,
                ["BELFRY_INCIDENT", "BELFRY_ALERT", "BELFRY_SEVERITY"]
            );
            let outcome = outcome.clone();
            Box::pin(async move { outcome })
        });
        let path = "POST /api/belfry/v1/incidents/2/steps/8/run";
        assert_eq!(belfry.ask(path, r#"{"by":"ada"}"#).await.status, 200);
        belfry.pass(10).await;
        assert_eq!(runs(&belfry).await.last().unwrap(), expect);
    }
}

/// A service that hangs costs its step the time-out and the page three seconds, not more.
#[tokio::test(start_paused = true)]
async fn a_page_does_not_wait_for_evidence_that_does_not_come() {
    let belfry = Belfry::start_with(&plan(), |_| {}, in_folder).await;
    belfry.pass(60).await;
    belfry.expose("stock 0\n");
    belfry.pass(30).await;
    let hang = |request: world::HttpRequest| -> world::BoxFuture<'static, _> {
        Box::pin(async move {
            match request.url.ends_with("/metrics") {
                true => Ok(answer(200, "text/plain", "stock 0\n")),
                false => std::future::pending().await,
            }
        })
    };
    belfry.sim.net.host("shop.test:80", hang);
    let mut waited = 0;
    while !belfry.pages().contains(&"firing NoStock ada 1".to_owned()) {
        belfry.pass(1).await;
        waited += 1;
        assert!(waited < 60, "no page");
    }
    let incident = belfry.get("/api/belfry/v1/incidents/2").await;
    let opened: jiff::Timestamp = incident["opened_at"].as_str().unwrap().parse().unwrap();
    let delivered = incident["pages"][0]["delivered_at"].as_str().unwrap();
    let delivered: jiff::Timestamp = delivered.parse().unwrap();
    let wait = delivered.duration_since(opened).as_secs_f64();
    assert!((2.9..4.0).contains(&wait), "{wait} s after it opened");
    belfry.pass(30).await;
    let found = runs(&belfry).await;
    assert_eq!(
        found[4],
        "5 failed health does not answer: no answer within 5000 ms"
    );
}
