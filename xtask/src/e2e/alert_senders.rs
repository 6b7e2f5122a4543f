//! Belfry as an Alertmanager for the real programs: what `amtool` says and does, and a Prometheus whose rule fires and
//! resolves. Their own parsers are the judges of our answers.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, bail, ensure};

use super::checks::Checks;
use crate::program::{self, Program};
use crate::signals::StopRequests;

/// The alert that amtool sends.
const BY_HAND: &str = "DiskFullByHand";
/// The alert that Prometheus sends.
const BY_PROMETHEUS: &str = "SentByPrometheus";
/// How long its rule fires: long enough to be seen on a loaded machine. Prometheus looks for its Alertmanagers 5 s after
/// its start, and what it has to say before is lost.
const FIRES_FOR: Duration = Duration::from_secs(25);
/// How long it may take after that until Belfry shows the end.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long Prometheus may take to start.
const START_MAX: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(250);

impl Checks {
    /// A silence's whole life and an alert's, by amtool alone.
    pub(super) fn amtool(&mut self, amtool: Option<&Path>) {
        let Some(path) = amtool else {
            self.check("amtool", |_| {
                bail!("it is missing: `cargo run -p xtask -- tools` fetches it")
            });
            return;
        };
        let amtool = Amtool {
            path,
            belfry: self.belfry_address,
        };
        self.check("amtool adds an alert and reads it back", |_| {
            let alert = [
                "alertname=DiskFullByHand",
                "instance=web1",
                "severity=warning",
            ];
            let words = ["alert", "add", "--annotation=summary=it is full"];
            amtool.run(&[&words[..], &alert[..]].concat())?;
            let shown = amtool.run(&["alert", "query", "alertname=~Disk.*", "instance!=web2"])?;
            let has = |text: &str| shown.contains(text);
            ensure!(
                has(BY_HAND) && has("it is full") && has("active"),
                "{shown}"
            );
            let none = amtool.run(&["alert", "query", "-o", "json", "alertname=None"])?;
            ensure!(none.trim() == "[]", "{none}");
            let groups = amtool.run(&["alert", "query", "-o", "extended", "-r", ".+", BY_HAND])?;
            ensure!(groups.contains("severity=\"warning\""), "{groups}");
            Ok(())
        });
        self.check("amtool silences, changes, expires and renews", |_| {
            let words = [
                "silence",
                "add",
                "--comment=known",
                "--author=ada",
                "--duration=1h",
            ];
            let id = amtool.run(&[&words[..], &["alertname=DiskFullByHand"]].concat())?;
            let id = id.trim();
            let listed = amtool.run(&["silence", "query", "alertname=DiskFullByHand"])?;
            ensure!(listed.contains(id) && listed.contains("known"), "{listed}");
            let told = amtool.run(&["alert", "query", BY_HAND])?;
            ensure!(!told.contains(BY_HAND), "silenced, and shown: {told}");
            let silenced = amtool.run(&["alert", "query", "--silenced", BY_HAND])?;
            ensure!(silenced.contains("suppressed"), "{silenced}");
            let changed = amtool.run(&["silence", "update", "--comment=longer", "-d", "2h", id])?;
            ensure!(
                changed.contains(id) && changed.contains("longer"),
                "{changed}"
            );
            amtool.run(&["silence", "expire", id])?;
            let active = amtool.run(&["silence", "query", "-q"])?;
            ensure!(active.trim().is_empty(), "expired, and active: {active}");
            let expired = amtool.run(&["silence", "query", "--expired", "-q"])?;
            ensure!(expired.contains(id), "{expired}");
            let told = amtool.run(&["alert", "query", BY_HAND])?;
            ensure!(told.contains("active"), "the silence is over: {told}");
            let renewed = amtool.run(&["silence", "update", "-d", "1h", id])?;
            ensure!(
                !renewed.contains(id),
                "an ended one begins under a new id: {renewed}"
            );
            let id = amtool.run(&["silence", "query", "-q"])?;
            amtool.run(&["silence", "expire", id.trim()])?;
            Ok(())
        });
        self.check("amtool shows what is wrong", |_| {
            let all = ["silence", "add", "--comment=x", "a=~.*"];
            let refusal = amtool.fail(&all)?;
            ensure!(refusal.contains("everything is silenced"), "{refusal}");
            Ok(())
        });
        self.check("amtool reads status, configuration and routes", |_| {
            let cluster = amtool.run(&["cluster", "show"])?;
            ensure!(cluster.contains("disabled"), "{cluster}");
            let routes = amtool.run(&["config", "routes", "show"])?;
            ensure!(routes.contains("receiver: on-call"), "{routes}");
            Ok(())
        });
        self.check("amtool ends an alert", |_| {
            let alert = [
                "alertname=DiskFullByHand",
                "instance=web1",
                "severity=warning",
            ];
            // Any time that is over.
            let words = ["alert", "add", "--end=2020-01-01T00:00:00Z"];
            amtool.run(&[&words[..], &alert[..]].concat())?;
            let shown = amtool.run(&["alert", "query", BY_HAND])?;
            ensure!(!shown.contains(BY_HAND), "{shown}");
            Ok(())
        });
    }

    /// A rule of a real Prometheus fires for a while and then no longer.
    pub(super) fn prometheus(
        &mut self,
        prometheus: Option<&Path>,
        folder: &Path,
        stop: &StopRequests,
    ) {
        self.check(
            "a real Prometheus' alert fires and resolves here",
            |checks| {
                let prometheus = prometheus
                    .context("prometheus is missing: `cargo run -p xtask -- tools` fetches it")?;
                let started = Instant::now();
                let (mut program, address) =
                    start_prometheus(prometheus, folder, checks.belfry_address, stop)?;
                let path = format!("/api/v2/alerts?filter=alertname%3D{BY_PROMETHEUS}");
                let count = |checks: &mut Checks| {
                    let found = checks.belfry_json(&path)?;
                    Ok::<usize, anyhow::Error>(found.as_array().context("no list")?.len())
                };
                wait(|| Ok(count(checks)? == 1), FIRES_FOR, "it never fired here")?;
                ensure!(
                    started.elapsed() < FIRES_FOR,
                    "it was seen too late to be sure"
                );
                let latest = FIRES_FOR + PATIENCE;
                wait(
                    || Ok(count(checks)? == 0),
                    latest,
                    "it did not resolve here",
                )?;
                let incidents = checks.belfry_json("/api/belfry/v1/incidents?state=resolved")?;
                let ours = incidents.as_array().into_iter().flatten();
                let ours = ours.filter(|incident| incident["title"] == BY_PROMETHEUS);
                let reasons: Vec<String> =
                    ours.map(|own| own["resolve_reason"].to_string()).collect();
                ensure!(reasons == ["\"said_by_sender\""], "{reasons:?}");
                let metrics = crate::http_client::Client::new(address)
                    .get("/metrics")?
                    .text();
                let failed = metrics.lines().any(|line| {
                    line.starts_with("prometheus_notifications_errors_total")
                        && !line.ends_with(" 0")
                });
                ensure!(!failed, "Prometheus counts errors of its alert sender");
                program.drain(stop);
                Ok(())
            },
        );
    }
}

/// amtool, against our Belfry.
struct Amtool<'a> {
    path: &'a Path,
    belfry: SocketAddr,
}

impl Amtool<'_> {
    /// What it says when it succeeds.
    fn run(&self, arguments: &[&str]) -> Result<String> {
        let (succeeded, text) = self.call(arguments)?;
        ensure!(succeeded, "amtool {}: {text}", arguments.join(" "));
        Ok(text)
    }

    /// What it says when it fails, as it must.
    fn fail(&self, arguments: &[&str]) -> Result<String> {
        let (succeeded, text) = self.call(arguments)?;
        ensure!(
            !succeeded,
            "amtool {} succeeded: {text}",
            arguments.join(" ")
        );
        Ok(text)
    }

    fn call(&self, arguments: &[&str]) -> Result<(bool, String)> {
        let done = Command::new(self.path)
            .arg(format!("--alertmanager.url=http://{}", self.belfry))
            // It expects Alertmanager's own version.
            .arg("--no-version-check")
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .context("amtool cannot be started")?;
        let mut text = String::from_utf8_lossy(&done.stdout).into_owned();
        text.push_str(&String::from_utf8_lossy(&done.stderr));
        Ok((done.status.success(), text))
    }
}

/// A Prometheus that knows nothing but our Belfry and a rule whose condition is the time of day, so that it ends by itself.
fn start_prometheus(
    prometheus: &Path,
    folder: &Path,
    belfry: SocketAddr,
    stop: &StopRequests,
) -> Result<(Program, SocketAddr)> {
    let folder = folder.join("prometheus");
    fs::create_dir_all(&folder)?;
    let until = (unix_seconds(SystemTime::now())? + FIRES_FOR.as_secs()).to_string();
    let rules = format!(
        "groups:\n  - name: ours\n    interval: 1s\n    rules:\n      - alert: {BY_PROMETHEUS}\n        \
         expr: vector(time()) < {until}\n        labels: {{severity: warning}}\n        \
         annotations: {{summary: it is early}}\n"
    );
    fs::write(folder.join("rules.yml"), rules)?;
    let configuration = format!(
        "rule_files: [rules.yml]\nalerting:\n  alertmanagers:\n    - api_version: v2\n      \
         static_configs: [{{targets: ['{belfry}']}}]\n"
    );
    fs::write(folder.join("prometheus.yml"), configuration)?;
    let address = program::free_address()?;
    let mut command = Command::new(prometheus);
    command
        .arg("--config.file=prometheus.yml")
        .arg("--storage.tsdb.path=data")
        .arg("--log.level=error")
        .arg("--rules.alert.resend-delay=1s")
        .arg(format!("--web.listen-address={address}"))
        .current_dir(&folder);
    let log = folder.join("prometheus.log");
    let mut program = Program::start("prometheus", &mut command, &log)?;
    program.wait_ready(address, "/-/ready", START_MAX, stop)?;
    Ok((program, address))
}

fn wait(
    mut reached: impl FnMut() -> Result<bool>,
    patience: Duration,
    otherwise: &str,
) -> Result<()> {
    let started = Instant::now();
    while !reached()? {
        ensure!(
            started.elapsed() < patience,
            "{otherwise} within {patience:?}"
        );
        thread::sleep(POLL);
    }
    Ok(())
}

fn unix_seconds(at: SystemTime) -> Result<u64> {
    let since = at.duration_since(SystemTime::UNIX_EPOCH);
    Ok(since.context("the clock stands before 1970")?.as_secs())
}
