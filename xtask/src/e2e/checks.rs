//! What is asked of the two running programs. Each check says what it saw when it fails and goes on to the next.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::setting::Setting;
use crate::counts::{Counts, Report};
use crate::http_client::{Client, percent_encode};
use crate::traffic::Tally;
use crate::web_app;

/// The expressions of the plan's five rules, as the plan document has them.
const ALERT_EXPRESSIONS: [(&str, &str); 5] = [
    ("HighErrorRate", "rate(http_errors_total[5m]) > 0.05"),
    (
        "HighResponseTime",
        "histogram_quantile(0.95, rate(http_request_duration_seconds_bucket[5m])) > 2",
    ),
    (
        "HighMemoryUsage",
        "memory_usage_bytes / memory_limit_bytes > 0.9",
    ),
    ("LowCacheHitRate", "cache_hit_rate < 0.7"),
    ("HighCacheEvictions", "rate(cache_evictions_total[5m]) > 10"),
];

/// Names that break Prometheus' naming rules because the plan fixes them: a gauge in `_total`, a gauge in `_count`, and
/// counters without `_total`.
const NAMES_OF_THE_PLAN: [&str; 4] = [
    "active_users_total",
    "api_endpoint_usage",
    "cache_entries_count",
    "qr_types_generated",
];

/// The browser's checks, in the web app's folder: first those that only look, then those that act.
const BROWSER_SCRIPTS: [&str; 2] = ["e2e/pages.mjs", "e2e/acts.mjs"];

/// How long something that comes with the next scrape or log batch may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The file that the plan follows, from where Belfry was started.
const FOLLOWED_FILE: &str = "data/qr-service/log.jsonl";
const ONLY_IN_THE_FILE: &str = "written by hand into the followed file";

pub(super) struct Checks {
    service: Client,
    belfry: Client,
    pub(super) belfry_address: SocketAddr,
    pub(super) counts: Counts,
}

impl Checks {
    pub(super) fn new(setting: &Setting) -> Checks {
        println!();
        Checks {
            service: Client::new(setting.service_address),
            belfry: Client::new(setting.belfry_address),
            belfry_address: setting.belfry_address,
            counts: Counts::default(),
        }
    }

    /// The traffic met what it was meant to meet.
    pub(super) fn traffic(&mut self, sent: &Tally) {
        let expected = [
            ("code", 200),
            ("code, posted", 200),
            ("code, revisited", 304),
            ("page", 200),
            ("mistake", 422),
            ("registration", 201),
            ("sign-out", 204),
            ("burst of codes", 429),
        ];
        for (asked, status) in expected {
            let seen = sent.of(asked, status) > 0;
            self.check(&format!("traffic: {asked} is answered {status}"), |_| {
                ensure!(seen, "never");
                Ok(())
            });
        }
        let refused =
            sent.of("code, posted", 422) + sent.of("code", 422) + sent.of("code, new", 422);
        self.check("traffic: every code that should be made is made", |_| {
            ensure!(refused == 0, "{refused} were refused");
            Ok(())
        });
        let failures = sent.failures();
        self.check("traffic: the service fails nothing", |_| {
            ensure!(failures == 0, "{failures} requests got 5xx or no answer");
            Ok(())
        });
    }

    pub(super) fn service_metrics(&mut self, promtool: Option<&Path>) {
        self.check(
            "promtool finds in qr-service's /metrics what the plan fixes, no more",
            |checks| {
                let text = checks.service.get("/metrics")?.text();
                let found = promtool_findings(promtool, &text)?;
                let unexpected: Vec<&String> = found
                    .iter()
                    .filter(|line| {
                        !NAMES_OF_THE_PLAN
                            .iter()
                            .any(|name| line.starts_with(&format!("{name} ")))
                    })
                    .collect();
                ensure!(unexpected.is_empty(), "{unexpected:?}");
                Ok(())
            },
        );
    }

    pub(super) fn belfry_metrics(&mut self, promtool: Option<&Path>) {
        self.check("promtool finds nothing in belfry's /metrics", |checks| {
            let text = checks.belfry.get("/metrics")?.text();
            let found = promtool_findings(promtool, &text)?;
            ensure!(found.is_empty(), "{found:?}");
            Ok(())
        });
    }

    pub(super) fn health(&mut self) {
        for path in ["/health", "/health/detailed", "/ready"] {
            self.check(&format!("qr-service {path} answers 200"), |checks| {
                let answer = checks.service.get(path)?;
                ensure!(answer.status == 200, "{}: {}", answer.status, answer.text());
                Ok(())
            });
        }
        for path in ["/", "/-/healthy", "/-/ready", "/api/belfry/v1/overview"] {
            self.check(&format!("belfry {path} answers 200"), |checks| {
                let answer = checks.belfry.get(path)?;
                ensure!(answer.status == 200, "{}: {}", answer.status, answer.text());
                Ok(())
            });
        }
    }

    pub(super) fn targets(&mut self) {
        self.check("every target is up", |checks| {
            let answer = checks.belfry_json("/api/v1/targets")?;
            let targets = answer["data"]["activeTargets"]
                .as_array()
                .context("no activeTargets")?;
            ensure!(!targets.is_empty(), "there are none");
            for target in targets {
                ensure!(target["health"] == "up", "{target}");
            }
            Ok(())
        });
        self.check("the service's samples can be queried", |checks| {
            let rows =
                checks.query("http_requests_total > 0 and on () (up{job=\"qr-service\"} == 1)")?;
            ensure!(rows == 1, "{rows} series, expected one");
            Ok(())
        });
    }

    pub(super) fn alert_expressions(&mut self) {
        for (alert, expression) in ALERT_EXPRESSIONS {
            self.check(
                &format!("the expression of {alert} is answered"),
                |checks| {
                    checks.query(expression)?;
                    Ok(())
                },
            );
        }
        self.check("the plan's rules are loaded verbatim", |checks| {
            let answer = checks.belfry_json("/api/v1/rules")?;
            let loaded = rules(&answer);
            for (alert, expression) in ALERT_EXPRESSIONS {
                let known = loaded.contains(&(alert.to_owned(), without_blanks(expression)));
                ensure!(known, "{alert} is not among {loaded:?}");
            }
            Ok(())
        });
        self.check("healthy traffic fires no critical alert", |checks| {
            let answer = checks.belfry_json("/api/v1/alerts")?;
            let alerts = answer["data"]["alerts"].as_array().context("no alerts")?;
            let firing = |alert: &&Value| {
                alert["state"] == "firing" && alert["labels"]["severity"] == "critical"
            };
            let firing: Vec<&Value> = alerts.iter().filter(firing).collect();
            ensure!(firing.is_empty(), "{firing:?}");
            Ok(())
        });
    }

    /// Both ways for logs: what the service sent by itself, and a line in the file that the plan follows.
    pub(super) fn logs(&mut self, folder: &Path) {
        self.check("the service's logs arrive over HTTP", |checks| {
            checks.wait_for_log("limit=10").map(drop)
        });
        self.check("a line in the followed file arrives", |checks| {
            let at = checks.wait_for_log("limit=1")?["at"].clone();
            let line = json!({
                "ts": at, "level": "INFO", "service": "qr-service", "message": ONLY_IN_THE_FILE,
            });
            let file = folder.join(FOLLOWED_FILE);
            let mut file = OpenOptions::new().create(true).append(true).open(file)?;
            writeln!(file, "{line}")?;
            let query = format!("q={}", percent_encode(ONLY_IN_THE_FILE));
            checks.wait_for_log(&query).map(drop)
        });
    }

    fn wait_for_log(&mut self, query: &str) -> Result<Value> {
        let started = Instant::now();
        loop {
            let answer = self.belfry_json(&format!("/api/belfry/v1/logs?{query}"))?;
            let entries = answer["entries"].as_array().context("no entries")?;
            if let Some(first) = entries.first() {
                return Ok(first.clone());
            }
            ensure!(started.elapsed() < PATIENCE, "none within {PATIENCE:?}");
            thread::sleep(Duration::from_millis(500));
        }
    }

    /// The pages' own checks in a real browser; they count for themselves.
    pub(super) fn pages(&mut self, root: &Path, chromium: Option<&Path>) {
        let Some(chromium) = chromium else {
            println!("SKIPPED the pages in a browser: there is no Chromium");
            return;
        };
        for script in BROWSER_SCRIPTS {
            match in_browser(script, root, chromium, self.belfry_address) {
                Ok(counts) => self.counts += counts,
                Err(error) => self.check("the pages in a browser", |_| Err(error)),
            }
        }
    }

    /// Every alert of the plan can fire and end, and what follows comes as the plan promises: virtually, without contacts.
    pub(super) fn drills(&mut self, setting: &Setting) {
        self.check("every alert of the plan is drilled virtually", |_| {
            let output = Command::new(setting.programs.join("belfry"))
                .arg("drill")
                .arg(&setting.plan)
                .args(["--all", "--json"])
                .output()?;
            let found: Value = serde_json::from_slice(&output.stdout)
                .context("belfry drill did not answer with JSON")?;
            let drills = found["drills"].as_array().context("no drills")?;
            for drill in drills {
                let passed = drill["outcome"] == "passed";
                ensure!(passed, "{}: {}", drill["alert"], drill["reason"]);
            }
            ensure!(!drills.is_empty(), "no alert was drilled");
            ensure!(output.status.success(), "it ends with {}", output.status);
            Ok(())
        });
    }

    pub(super) fn check(&mut self, what: &str, check: impl FnOnce(&mut Checks) -> Result<()>) {
        let outcome = check(self);
        self.counts += told(what, outcome.is_ok());
        if let Err(error) = outcome {
            println!("         {error:#}");
        }
    }

    pub(super) fn belfry_json(&mut self, path: &str) -> Result<Value> {
        let answer = self.belfry.get(path)?;
        let text = answer.text();
        ensure!(answer.status == 200, "{path}: {} {text}", answer.status);
        serde_json::from_str(&text).with_context(|| format!("{path} is no JSON: {text}"))
    }

    /// How many series an instant query yields.
    fn query(&mut self, expression: &str) -> Result<usize> {
        let path = format!("/api/v1/query?query={}", percent_encode(expression));
        let answer = self.belfry_json(&path)?;
        ensure!(answer["status"] == "success", "{answer}");
        let result = answer["data"]["result"].as_array();
        Ok(result.context("no result")?.len())
    }
}

/// Prints and counts one outcome.
pub(super) fn told(what: &str, passed: bool) -> Counts {
    println!("{} {what}", if passed { "ok    " } else { "FAILED" });
    Counts {
        passed: u64::from(passed),
        failed: u64::from(!passed),
    }
}

/// Runs one script of browser checks, repeats their output and reads their last line.
fn in_browser(script: &str, root: &Path, chromium: &Path, belfry: SocketAddr) -> Result<Counts> {
    let done = Command::new("node")
        .arg(script)
        .current_dir(web_app::folder(root))
        .env("BASE_URL", format!("http://{belfry}"))
        .env("CHROMIUM", chromium)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("node cannot be started")?;
    let text = String::from_utf8_lossy(&done.stdout);
    let last = text.lines().last().unwrap_or_default();
    for line in text.lines().filter(|line| *line != last) {
        println!("{line}");
    }
    let counts = Report::Plain.read(last);
    if counts == Counts::default() || (!done.status.success() && counts.failed == 0) {
        bail!("{script} ended ({}) with {last:?}", done.status);
    }
    Ok(counts)
}

/// What promtool says about an exposition, a line each; an error if it cannot read it at all.
fn promtool_findings(promtool: Option<&Path>, exposition: &str) -> Result<Vec<String>> {
    let promtool =
        promtool.context("promtool is missing: `cargo run -p xtask -- tools` fetches it")?;
    let mut child = Command::new(promtool)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("promtool cannot be started")?;
    let mut stdin = child.stdin.take().context("promtool takes no input")?;
    stdin.write_all(exposition.as_bytes())?;
    drop(stdin);
    let done = child.wait_with_output()?;
    let said = String::from_utf8_lossy(&done.stderr);
    let findings: Vec<String> = said.lines().map(str::to_owned).collect();
    match done.status.code() {
        Some(0 | 3) => Ok(findings),
        _ => bail!("promtool refuses the exposition: {}", said.trim()),
    }
}

/// Name and expression of every loaded alert rule.
fn rules(answer: &Value) -> BTreeSet<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let groups = answer["data"]["groups"].as_array();
    let rules = groups.into_iter().flatten();
    rules
        .filter_map(|group| group["rules"].as_array())
        .flatten()
        .map(|rule| (text(&rule["name"]), without_blanks(&text(&rule["query"]))))
        .collect()
}

fn without_blanks(expression: &str) -> String {
    expression.split_whitespace().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loaded_rules_are_compared_without_regard_to_blanks() {
        let answer = json!({"data": {"groups": [{"rules": [
            {"name": "LowCacheHitRate", "query": "cache_hit_rate  < 0.7"}
        ]}]}});
        let loaded = rules(&answer);
        let (alert, expression) = ALERT_EXPRESSIONS[3];
        assert!(loaded.contains(&(alert.to_owned(), without_blanks(expression))));
        assert!(rules(&json!({})).is_empty());
    }

    #[test]
    fn the_expressions_are_the_plans() {
        let root = crate::repository::root().unwrap();
        let plan = std::fs::read_to_string(root.join(crate::repository::PLAN)).unwrap();
        assert!(plan.contains(FOLLOWED_FILE));
        for (alert, expression) in ALERT_EXPRESSIONS {
            assert!(plan.contains(&format!("alert: {alert}\n")), "{alert}");
            assert!(
                plan.contains(&format!("expr: {expression}\n")),
                "{expression}"
            );
        }
    }
}
