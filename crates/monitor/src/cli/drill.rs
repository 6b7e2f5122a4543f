//! `belfry drill`: makes alerts fire on purpose and shows whether everything that must follow did, in time. With a plan's file
//! virtually and at once, which is for continuous integration; with `--url` through a running Belfry, which keeps the ledger.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use model::Timestamp;
use serde_json::{Value, json};
use world::{Clock, SystemClock};

use super::ask::{ask, post};
use super::reading::read;
use crate::drill::{DrillReport, drill_virtually, step_json};

/// How often a running Belfry is asked how far its drills are.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How many drills of the ledger are read: as many as Belfry shows, and as it lets be open.
const LEDGER_MAX: &str = "1000";

#[derive(Args)]
pub(super) struct DrillArguments {
    /// A plan's file: drills it here and now, virtually, without a running Belfry.
    #[arg(conflicts_with_all = ["url", "mode", "page"], required_unless_present = "url")]
    plan: Option<PathBuf>,
    /// The contacts' file, with a plan. Without it somebody stands in for each role.
    #[arg(long, requires = "plan")]
    contacts: Option<PathBuf>,
    /// A running Belfry that drills.
    #[arg(long)]
    url: Option<String>,
    /// The alert; may be repeated.
    #[arg(long, required_unless_present = "all")]
    alert: Vec<String>,
    /// Every alert of the plan.
    #[arg(long, conflicts_with = "alert")]
    all: bool,
    /// How the alert is made to fire, with --url.
    #[arg(long, value_enum, default_value = "virtual")]
    mode: Mode,
    /// Page people, with --url. What they get says that it is a drill.
    #[arg(long)]
    page: bool,
    /// Who asks, with --url.
    #[arg(long, env = "USER", default_value = "somebody")]
    by: String,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
}

#[derive(Copy, Clone, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// By series made for it; nothing real is touched.
    Virtual,
    /// By the fault that the plan declares.
    Real,
    /// By the fault where the plan declares one, virtually else.
    Best,
}

impl Mode {
    /// What Belfry is asked for.
    fn asked(self) -> Option<&'static str> {
        match self {
            Mode::Virtual => Some("virtual"),
            Mode::Real => Some("real"),
            Mode::Best => None,
        }
    }
}

pub(super) fn drill(arguments: &DrillArguments) -> anyhow::Result<ExitCode> {
    let drills = match (&arguments.url, &arguments.plan) {
        (Some(url), _) => through_belfry(arguments, url)?,
        (None, Some(path)) => here(arguments, path)?,
        (None, None) => bail!("name a plan's file, or a running Belfry with --url"),
    };
    let failed = drills
        .iter()
        .filter(|own| own["outcome"] != "passed")
        .count();
    if arguments.json {
        println!("{}", json!({"drills": drills, "failed": failed}));
    } else {
        table(&drills);
        let passed = drills.len() - failed;
        println!(
            "\n{} drilled: {passed} passed, {failed} failed",
            drills.len()
        );
    }
    Ok(ExitCode::from(u8::from(failed > 0)))
}

/// Virtual drills without a running Belfry.
fn here(arguments: &DrillArguments, path: &Path) -> anyhow::Result<Vec<Value>> {
    let (plan, contacts) = read(path, arguments.contacts.as_deref())?;
    let alerts: Vec<String> = if arguments.all {
        plan.rules().map(|(_, rule)| rule.name.clone()).collect()
    } else {
        arguments.alert.clone()
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let at = Timestamp::from(SystemClock::default().now());
    let mut drills = Vec::new();
    for alert in &alerts {
        let found = runtime.block_on(drill_virtually(&plan, &contacts, alert, at));
        let report = found.with_context(|| format!("the plan has no alert `{alert}`"))?;
        let drill = report_json(&report);
        if !arguments.json {
            progress(&drill, 0);
        }
        drills.push(drill);
    }
    Ok(drills)
}

/// Drills of a running Belfry: begun together, and watched until the last has ended.
fn through_belfry(arguments: &DrillArguments, url: &str) -> anyhow::Result<Vec<Value>> {
    let alerts = if arguments.all {
        alerts_of(url, arguments.mode)?
    } else {
        arguments.alert.clone()
    };
    let mut open: BTreeMap<i64, usize> = BTreeMap::new();
    let mut drills = Vec::new();
    for alert in &alerts {
        let body = json!({
            "by": arguments.by,
            "alert": alert,
            "mode": arguments.mode.asked(),
            "page": arguments.page,
        });
        match post(url, "/api/belfry/v1/drills", &body) {
            Ok(begun) => {
                open.insert(begun["id"].as_i64().context("a drill without a number")?, 0);
            }
            Err(error) => drills.push(json!({
                "alert": alert,
                "mode": arguments.mode.asked(),
                "outcome": "refused",
                "reason": format!("{error:#}"),
                "steps": [],
            })),
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    while !open.is_empty() {
        // All of them with one request: a new connection for each would keep a processor busy.
        let ledger = ask(url, "/api/belfry/v1/drills", &[("limit", LEDGER_MAX)])?;
        let newest = ledger["drills"].as_array().cloned().unwrap_or_default();
        for drill in newest.into_iter().rev() {
            let id = drill["id"].as_i64().unwrap_or_default();
            let Some(shown) = open.get_mut(&id) else {
                continue;
            };
            if !arguments.json {
                *shown = progress(&drill, *shown);
            }
            if drill["state"] == "done" {
                open.remove(&id);
                drills.push(drill);
            }
        }
        // The wait is made inside, where the runtime is.
        runtime.block_on(async { SystemClock::default().sleep(LOOK_EVERY).await });
    }
    Ok(drills)
}

/// The alerts of a running Belfry's plan; for real drills those that the plan says how to cause.
fn alerts_of(url: &str, mode: Mode) -> anyhow::Result<Vec<String>> {
    let answer = ask(url, "/api/belfry/v1/drills", &[("limit", "0")])?;
    let alerts = answer["alerts"].as_array().cloned().unwrap_or_default();
    let wanted = alerts
        .iter()
        .filter(|own| mode != Mode::Real || own["can_be_caused"] == true)
        .filter_map(|own| own["alert"].as_str())
        .map(str::to_owned);
    Ok(wanted.collect())
}

/// Shows the steps that were not shown yet; how many are shown now.
fn progress(drill: &Value, shown: usize) -> usize {
    let steps = drill["steps"].as_array().map_or(&[][..], Vec::as_slice);
    for step in steps.iter().skip(shown) {
        println!(
            "{:<22} {:<7} {:<16} {:>8} {:>8}  {}",
            text(drill, "alert"),
            text(step, "outcome"),
            text(step, "what"),
            time(&step["observed_after_seconds"]),
            time(&step["promised_after_seconds"]),
            text(step, "text")
        );
    }
    steps.len()
}

/// One line for each drill: how it came out, and the times of the steps that every drill has.
fn table(drills: &[Value]) {
    println!(
        "\n{:<22} {:<8} {:<8} {:>8} {:>8} {:>8} {:>8}  why",
        "alert", "mode", "outcome", "pending", "firing", "told", "resolved"
    );
    for drill in drills {
        let of = |what: &str| {
            let steps = drill["steps"].as_array().map_or(&[][..], Vec::as_slice);
            let step = steps.iter().find(|own| own["what"] == what);
            step.map_or(String::new(), |own| time(&own["observed_after_seconds"]))
        };
        println!(
            "{:<22} {:<8} {:<8} {:>8} {:>8} {:>8} {:>8}  {}",
            text(drill, "alert"),
            text(drill, "mode"),
            text(drill, "outcome"),
            of("pending"),
            of("firing"),
            of("level 1"),
            of("resolved"),
            text(drill, "reason")
        );
    }
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or("-")
}

/// Minutes and seconds since the drill began.
fn time(seconds: &Value) -> String {
    let Some(seconds) = seconds.as_f64() else {
        return "-".to_owned();
    };
    let whole = seconds.max(0.0) as u64;
    format!("{}:{:02}", whole / 60, whole % 60)
}

fn report_json(report: &DrillReport) -> Value {
    json!({
        "alert": report.alert,
        "mode": "virtual",
        "outcome": report.outcome.as_str(),
        "reason": report.reason,
        "steps": report.steps.iter().map(step_json).collect::<Vec<_>>(),
    })
}
