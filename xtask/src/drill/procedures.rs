//! Every procedure of the plan, followed as a responder would: an incident is opened by hand, what looks runs by itself, what changes
//! something is run, and what a person does is ticked.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::http_client::{Client, Request};
use crate::program;
use crate::signals::StopRequests;

/// How long a step may take.
const STEP_MAX: Duration = Duration::from_secs(60);
/// Steps that fail by what they are for: the plan says of them that they are refused (procedure, and step counted from 1).
const REFUSED_BY_DESIGN: [(&str, u64); 1] = [("database-issues", 6)];

/// Follows all procedures that rules name; whether every step did what it is for.
pub(super) fn run(belfry: &mut Client, stop: &StopRequests) -> Result<bool> {
    let alerts = get(belfry, "/api/belfry/v1/alerts")?;
    let mut ids: Vec<String> = alerts
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|own| own["procedure"].as_str())
        .map(str::to_owned)
        .collect();
    ids.sort_unstable();
    ids.dedup();
    println!(
        "\n{:<24} {:>4} {:<11} {:<8} found",
        "procedure", "step", "kind", "state"
    );
    let mut is_well = true;
    for id in &ids {
        if stop.asked() {
            bail!("stopped");
        }
        is_well &= follow(belfry, id)?;
    }
    println!("{} procedures followed", ids.len());
    Ok(is_well)
}

/// One procedure, step by step; whether every step did what it is for.
fn follow(belfry: &mut Client, id: &str) -> Result<bool> {
    let body = json!({
        "by": "make drill",
        "title": format!("Drill of the procedure {id}"),
        "severity": "warning",
        "procedure": id,
    });
    let opened = post(belfry, "/api/belfry/v1/incidents", &body)?;
    let incident = opened["id"]
        .as_i64()
        .context("an incident without a number")?;
    let steps = opened["procedure"]["steps"].as_array();
    let count = steps.context("the incident has no steps")?.len();
    let mut is_well = true;
    for number in 1..=count {
        let step = settled(belfry, incident, number)?;
        let state = step["state"].as_str().unwrap_or("?");
        let is_by_design = REFUSED_BY_DESIGN.contains(&(id, number as u64));
        is_well &= match state {
            "done" | "ticked" => true,
            _ => is_by_design,
        };
        println!(
            "{id:<24} {number:>4} {:<11} {:<8} {}",
            step["kind"].as_str().unwrap_or("?"),
            if is_by_design { "refused" } else { state },
            step["finding"].as_str().unwrap_or("-")
        );
    }
    let end = json!({"by": "make drill", "note": "the procedure was followed"});
    post(
        belfry,
        &format!("/api/belfry/v1/incidents/{incident}/resolve"),
        &end,
    )?;
    Ok(is_well)
}

/// A step once it has ended: run or ticked where it does not run by itself.
fn settled(belfry: &mut Client, incident: i64, number: usize) -> Result<Value> {
    let started = Instant::now();
    let mut is_begun = false;
    loop {
        let detail = get(belfry, &format!("/api/belfry/v1/incidents/{incident}"))?;
        let step = detail["procedure"]["steps"][number - 1].clone();
        let runs = step["runs"].as_array();
        let run = runs
            .and_then(|runs| runs.last())
            .cloned()
            .unwrap_or_default();
        let state = run["state"].as_str().unwrap_or("open").to_owned();
        let is_manual = step["kind"] == "manual";
        match state.as_str() {
            "open" if !is_begun && (is_manual || step["automatic"] != true) => {
                let verb = if is_manual { "tick" } else { "run" };
                let path = format!("/api/belfry/v1/incidents/{incident}/steps/{number}/{verb}");
                post(belfry, &path, &json!({"by": "make drill"}))?;
                is_begun = true;
            }
            "open" | "queued" | "running" => {}
            _ => {
                return Ok(json!({
                    "kind": step["kind"],
                    "state": state,
                    "finding": run["summary"],
                }));
            }
        }
        ensure!(
            started.elapsed() < STEP_MAX,
            "step {number} of incident {incident} does not end: {step}"
        );
        program::pause();
    }
}

fn get(belfry: &mut Client, path: &str) -> Result<Value> {
    let answer = belfry.get(path)?;
    ensure!(
        answer.status == 200,
        "{path}: {} {}",
        answer.status,
        answer.text()
    );
    serde_json::from_slice(&answer.body).with_context(|| format!("{path} is no JSON"))
}

fn post(belfry: &mut Client, path: &str, body: &Value) -> Result<Value> {
    let answer = belfry.send(&Request::post_json(path, body))?;
    ensure!(
        answer.status == 200,
        "{path}: {} {}",
        answer.status,
        answer.text()
    );
    serde_json::from_slice(&answer.body).with_context(|| format!("{path} is no JSON"))
}
