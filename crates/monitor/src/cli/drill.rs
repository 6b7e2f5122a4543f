//! `belfry drill`: makes alerts fire on purpose and shows whether everything that must follow did, in time. With a plan's file
//! virtually and at once, which is for continuous integration; with `--url` through a running Belfry, which keeps the ledger.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use model::Timestamp;
use serde_json::{Value, json};
use world::{Clock, SystemClock};

use super::simulate::read;
use crate::drill::{DrillReport, drill_virtually};
use crate::incident::DrillStep;

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
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
}

pub(super) fn drill(arguments: &DrillArguments) -> anyhow::Result<ExitCode> {
    let Some(path) = &arguments.plan else {
        bail!("not yet");
    };
    let (plan, contacts) = read(path, arguments.contacts.as_ref())?;
    let alerts: Vec<String> = if arguments.all {
        plan.rules().map(|(_, rule)| rule.name.clone()).collect()
    } else {
        arguments.alert.clone()
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let at = Timestamp::from(SystemClock::default().now());
    let mut reports = Vec::new();
    for alert in &alerts {
        let found = runtime.block_on(drill_virtually(&plan, &contacts, alert, at));
        let Some(report) = found else {
            bail!("the plan has no alert `{alert}`");
        };
        if !arguments.json {
            show(&report);
        }
        reports.push(report);
    }
    let failed = reports.iter().filter(|own| !own.passed()).count();
    if arguments.json {
        let reports: Vec<Value> = reports.iter().map(report_json).collect();
        println!("{}", json!({"drills": reports, "failed": failed}));
    } else {
        println!(
            "{} alerts drilled virtually: {} passed, {failed} failed",
            reports.len(),
            reports.len() - failed
        );
    }
    Ok(ExitCode::from(u8::from(failed > 0)))
}

fn show(report: &DrillReport) {
    println!("{} {}", report.outcome.as_str().to_uppercase(), report.alert);
    for step in &report.steps {
        println!("{}", line(step));
    }
    if !report.passed() {
        println!("  {}", report.reason);
    }
    println!();
}

fn line(step: &DrillStep) -> String {
    format!(
        "  {:<7} {:<16} {:>9} {:>9}  {}",
        step.outcome.as_str(),
        step.what,
        time(step.observed_ms),
        time(step.promised_ms),
        step.text
    )
}

/// Minutes and seconds since the drill began.
fn time(ms: Option<i64>) -> String {
    let Some(ms) = ms else {
        return String::new();
    };
    let seconds = ms.div_euclid(1_000);
    format!("{}:{:02}", seconds / 60, seconds % 60)
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

fn step_json(step: &DrillStep) -> Value {
    json!({
        "what": step.what,
        "promised_ms": step.promised_ms,
        "observed_ms": step.observed_ms,
        "outcome": step.outcome.as_str(),
        "text": step.text,
    })
}
