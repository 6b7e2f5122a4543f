//! `belfry slo PLAN`: targets, error budgets and burn-rate alerts with the arithmetic behind them; `--url` the live state.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use model::format_duration;
use plan::{AlertRule, Budget, BurnWindow, Objective, Plan, percent};
use serde_json::{Value, json};

use super::ask::ask_and_show;
use super::reading::read;

#[derive(Args)]
pub(super) struct SloArguments {
    /// The plan's file.
    #[arg(required_unless_present = "url", conflicts_with = "url")]
    plan: Option<PathBuf>,
    /// A running Belfry, whose budgets are shown as they stand.
    #[arg(long)]
    url: Option<String>,
    /// Print JSON instead of text.
    #[arg(long)]
    json: bool,
}

pub(super) fn slo(arguments: &SloArguments) -> anyhow::Result<ExitCode> {
    if let Some(url) = &arguments.url {
        let path = "/api/belfry/v1/objectives";
        return ask_and_show(url, path, &[], |answer| {
            if arguments.json {
                println!("{answer}");
            } else {
                answer.as_array().into_iter().flatten().for_each(show_live);
            }
        });
    }
    if let Some(path) = &arguments.plan {
        let (plan, _) = read(path, None)?;
        if arguments.json {
            let objectives = plan.objectives.iter().map(|own| as_json(&plan, own));
            println!("{}", Value::Array(objectives.collect()));
        } else {
            plan.objectives.iter().for_each(|own| show(&plan, own));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn show(plan: &Plan, objective: &Objective) {
    println!("{} ({})", objective.title, objective.id);
    let window = format_duration(objective.window);
    println!("  target   {} over {window}", objective.target_in_words());
    let (Some(events), Some(budget)) = (&objective.events, objective.budget) else {
        println!("  budget   none: the plan does not say how events are counted (`events:`)\n");
        return;
    };
    println!("  events   {}", events.in_words());
    println!(
        "  budget   {}",
        objective.budget_in_words().unwrap_or_default()
    );
    for (window, rule) in lowered(plan, objective) {
        println!("  {} ({})", rule.name, rule.severity.as_str());
        println!("    past     {}", past(window, budget));
        println!("    pace     {}", pace(window, objective));
        println!(
            "    quiet    below {} events in {}",
            minimum(objective, window, budget),
            format_duration(window.long)
        );
        for (at, line) in rule.expr.text.lines().enumerate() {
            println!("    {}     {line}", if at == 0 { "expr" } else { "    " });
        }
    }
    for window in unreachable(objective) {
        println!(
            "  left out: {}, more than every event",
            past(window, budget)
        );
    }
    println!();
}

/// `14.4 x 0.1% = 1.44% bad in 1h and in 5m`
fn past(window: &BurnWindow, budget: Budget) -> String {
    format!(
        "{} x {} = {} bad in {} and in {}",
        window.factor,
        percent(budget.share),
        percent(window.threshold(budget)),
        format_duration(window.long),
        format_duration(window.short),
    )
}

/// `14.4 x 1h / 30d = 2% of the budget in 1h; 30d / 14.4 = 2d2h until all of it is gone`
fn pace(window: &BurnWindow, objective: &Objective) -> String {
    let (factor, long) = (window.factor, format_duration(window.long));
    let whole = format_duration(objective.window);
    format!(
        "{factor} x {long} / {whole} = {} of the budget in {long}; {whole} / {factor} = {} until all of it is gone",
        percent(window.spends(objective.window)),
        format_duration(window.lasts(objective.window)),
    )
}

fn minimum(objective: &Objective, window: &BurnWindow, budget: Budget) -> f64 {
    let alerts = objective.burn_alerts.as_ref();
    alerts.map_or(0.0, |alerts| alerts.minimum_traffic_of(window, budget))
}

/// The windows of an objective's alerts, each with the rule that it became.
fn lowered<'p>(
    plan: &'p Plan,
    objective: &'p Objective,
) -> impl Iterator<Item = (&'p BurnWindow, &'p AlertRule)> {
    let windows = objective
        .burn_alerts
        .iter()
        .flat_map(|alerts| &alerts.windows);
    windows.filter_map(|window| Some((window, plan.burn_rule(objective, window)?)))
}

fn unreachable(objective: &Objective) -> impl Iterator<Item = &BurnWindow> {
    let alerts = objective.burn_alerts.iter();
    alerts.flat_map(|alerts| &alerts.unreachable)
}

fn as_json(plan: &Plan, objective: &Objective) -> Value {
    let alert = |(window, rule): (&BurnWindow, &AlertRule)| {
        let budget = objective.budget?;
        Some(json!({
            "name": rule.name,
            "severity": rule.severity.as_str(),
            "long_seconds": window.long.as_secs(),
            "short_seconds": window.short.as_secs(),
            "factor": window.factor,
            "threshold_ratio": window.threshold(budget),
            "spends_ratio": window.spends(objective.window),
            "lasts_seconds": window.lasts(objective.window).as_secs(),
            "minimum_traffic": minimum(objective, window, budget),
            "expr": rule.expr.text,
        }))
    };
    json!({
        "id": objective.id,
        "title": objective.title,
        "target": objective.target_in_words(),
        "window_seconds": objective.window.as_secs(),
        "budget": objective.budget.map(|budget| json!({"share": budget.share, "origin": objective.budget_in_words()})),
        "alerts": lowered(plan, objective).filter_map(alert).collect::<Vec<_>>(),
        "left_out_factors": unreachable(objective).map(|window| window.factor).collect::<Vec<_>>(),
    })
}

fn show_live(objective: &Value) {
    let text = |name: &str| objective[name].as_str().unwrap_or_default();
    println!("{} ({})", text("title"), text("id"));
    let met = match objective["met"].as_bool() {
        Some(true) => "met",
        Some(false) => "NOT met",
        None => "not known whether it is met",
    };
    let value = objective["value"].as_f64();
    let value = value.map_or("no value".to_owned(), |value| {
        format!("{value} {}", text("unit"))
    });
    println!("  {met}: {value}");
    match objective["budget"]["arithmetic"].as_array() {
        Some(lines) => {
            for line in lines.iter().filter_map(Value::as_str) {
                println!("  {line}");
            }
        }
        None => println!("  no budget: the plan does not say how events are counted (`events:`)"),
    }
    if let Some(reason) = objective["budget"]["reason"].as_str() {
        println!("  {reason}");
    }
    println!();
}
