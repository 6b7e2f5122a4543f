//! How much of the plan is true of the real service under traffic, as `belfry coverage` tells it: the plan's own targets are the
//! measure.

use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::checks::Checks;

/// Groups of metrics with the share that the plan document promises of each.
const PROMISED: [(&str, f64); 3] = [
    ("application", 1.0),
    ("infrastructure", 1.0),
    ("business", 0.9),
];

/// Log categories of which traffic that fails nothing makes a line.
const CATEGORIES: [&str; 9] = [
    "normal-operations",
    "qr-generation-success",
    "cache-misses",
    "rate-limiting",
    "validation-warnings",
    "cache-operations",
    "performance-traces",
    "authentication-attempts",
    "rate-limiting-triggers",
];

/// Kinds of holes that need other things than traffic: contacts, drills, failures, and what the plan leaves open.
const NOT_OF_TRAFFIC: [&str; 5] = [
    "category_never",
    "metric_not_shown",
    "metric_unguarded",
    "path_uncovered",
    "role_reaches_nobody",
];

/// Two scrapes, two looks, and a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_secs(1);

impl Checks {
    pub(super) fn coverage(&mut self, programs: &Path) {
        let belfry = programs.join("belfry");
        let ask = |checks: &Checks| ask(&belfry, &format!("http://{}", checks.belfry_address));
        for (group, promised) in PROMISED {
            self.check(
                &format!("coverage: {group} metrics arrive as promised"),
                |checks| wait(|| arriving(&ask(checks)?, group, promised)),
            );
        }
        self.check("coverage: log categories arrive", |checks| {
            wait(|| categories_arrive(&ask(checks)?))
        });
        self.check("coverage: nothing that traffic shows is wrong", |checks| {
            let report = ask(checks)?;
            let holes = report["holes"].as_array().context("no holes")?;
            let of_traffic =
                |hole: &&Value| NOT_OF_TRAFFIC.iter().all(|kind| hole["kind"] != *kind);
            let wrong: Vec<&Value> = holes.iter().filter(of_traffic).collect();
            ensure!(wrong.is_empty(), "{wrong:?}");
            Ok(())
        });
    }
}

/// The report, by the command that a user runs. It ends with 1 here: no path is drilled.
fn ask(belfry: &Path, url: &str) -> Result<Value> {
    let done = Command::new(belfry)
        .args(["coverage", "--json", "--url", url])
        .stdin(Stdio::null())
        .output()
        .context("belfry cannot be started")?;
    let said = String::from_utf8_lossy(&done.stderr);
    serde_json::from_slice(&done.stdout).with_context(|| format!("no report: {said}"))
}

fn arriving(report: &Value, group: &str, promised: f64) -> Result<()> {
    let mut shares = report["shares"].as_array().into_iter().flatten();
    let share = shares.find(|own| own["group"] == group && own["aspect"] == "arriving");
    let share = share.context("it is not in the report")?;
    let ratio = share["ratio"].as_f64().context("nothing is known")?;
    ensure!(ratio >= promised && share["unknown"] == 0, "{share}");
    ensure!(share["kept"] == true, "{share}");
    Ok(())
}

fn categories_arrive(report: &Value) -> Result<()> {
    let categories = report["log_categories"].as_array();
    for name in CATEGORIES {
        let mut all = categories.into_iter().flatten();
        let own = all.find(|own| own["name"] == name);
        let own = own.with_context(|| format!("{name} is not in the report"))?;
        ensure!(own["state"] == "arriving", "{own}");
    }
    Ok(())
}

/// Tries until it holds; what was wrong last when it never does.
fn wait(mut check: impl FnMut() -> Result<()>) -> Result<()> {
    let started = Instant::now();
    loop {
        match check() {
            Err(_) if started.elapsed() < PATIENCE => thread::sleep(POLL),
            outcome => return outcome,
        }
    }
}
